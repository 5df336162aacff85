//! The collectors.
