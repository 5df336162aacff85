//! What was seen of an AWS, and what was not.
