//! Who may do what, decided as AWS decides it.

pub mod document;
