//! The test storeys.

mod alarm;
