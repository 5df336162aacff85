//! The content engine.
