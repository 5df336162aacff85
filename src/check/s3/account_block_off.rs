//! `s3-account-block-off`: the account lets its buckets be made public.

use palisade_model::{Observed, PublicAccessBlock};

use super::super::{Estate, Findings, Outcome, missing};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for (id, account) in estate.accounts() {
        let outcome = match &account.s3.public_access_block {
            Observed::Value(block) if *block == PublicAccessBlock::ALL => Outcome::Pass,
            Observed::Value(block) => off(*block),
            Observed::Absent => off(PublicAccessBlock::default()),
            Observed::Gap(gap) => missing([gap.as_ref()]),
            Observed::NotApplicable(why) => Outcome::NotApplicable {
                why: why.detail.clone(),
            },
        };
        found.at(id, "", id, outcome);
    }
}

fn off(block: PublicAccessBlock) -> Outcome {
    let flags = [
        ("BlockPublicAcls", block.block_public_acls),
        ("IgnorePublicAcls", block.ignore_public_acls),
        ("BlockPublicPolicy", block.block_public_policy),
        ("RestrictPublicBuckets", block.restrict_public_buckets),
    ];
    let off: Vec<&str> = flags
        .iter()
        .filter(|(_, on)| !on)
        .map(|(name, _)| *name)
        .collect();
    let says = format!("off for the whole account: {}", off.join(", "));
    Outcome::Fail {
        evidence: vec![says.into()],
    }
}
