//! Answers about EC2.

mod instance_metadata_exposed;
mod snapshot_public;

use super::Evaluate;

/// Checks of this folder, by id.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[
    (
        "ec2-instance-metadata-exposed",
        instance_metadata_exposed::evaluate,
    ),
    ("ec2-snapshot-public", snapshot_public::evaluate),
];
