//! The test storeys.
