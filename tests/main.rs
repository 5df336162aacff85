//! The test storeys.

mod alarm;
mod catalogue;
mod corridor;
mod cases;
