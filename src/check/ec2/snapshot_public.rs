//! `ec2-snapshot-public`: a snapshot or image that every AWS account can copy.

use super::super::{Estate, Findings};
use crate::check::resource::judge_kinds;
use crate::exposure::Audience;

const KINDS: [&str; 4] = [
    "ec2.snapshot",
    "ec2.image",
    "rds.snapshot",
    "rds.cluster-snapshot",
];

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    judge_kinds(estate, found, &KINDS, Audience::is_everybody);
}
