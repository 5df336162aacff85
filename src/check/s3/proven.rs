//! What unsigned requests proved, where proof was asked for.

use palisade_model::{Observed, ProofAnswer, ProofAsk};

use super::super::Evidence;
use super::Judged;
use crate::exposure::Capability;

/// The answers that speak of a capability, in words.
pub(super) fn says(judged: &Judged<'_>, capability: Capability) -> Vec<Evidence> {
    let mine = judged.bucket.proofs.iter().filter(|result| {
        matches!(
            (&result.request.ask, capability),
            (ProofAsk::List, Capability::List) | (ProofAsk::Get { .. }, Capability::Read)
        )
    });
    mine.map(|result| {
        let what = match &result.request.ask {
            ProofAsk::List => "to list one key".to_owned(),
            ProofAsk::Get { key, .. } => format!("for the first byte of `{key}`"),
        };
        Evidence::from(match &result.answer {
            Observed::Value(ProofAnswer::Served) => {
                format!("proven: an unsigned request {what} was served")
            }
            Observed::Value(ProofAnswer::Refused(code)) => format!(
                "not proven: an unsigned request {what} was refused with {code} where this scan runs"
            ),
            Observed::Value(ProofAnswer::NotThere) => {
                format!("an unsigned request {what} was told that it is gone, as those who may list are")
            }
            Observed::Value(ProofAnswer::Unclear(text)) => {
                format!("not proven: an unsigned request {what} was answered with {text}")
            }
            Observed::Gap(gap) => format!("not proven: an unsigned request {what}: {gap}"),
            Observed::Absent | Observed::NotApplicable(_) => format!("not asked {what}"),
        })
    })
    .collect()
}

/// Whether an unsigned request was served: then nothing unread can change it.
pub(super) fn is_served(judged: &Judged<'_>, capability: Capability) -> bool {
    judged.bucket.proofs.iter().any(|result| {
        result.answer.value() == Some(&ProofAnswer::Served)
            && (result.request.ask == ProofAsk::List) == (capability == Capability::List)
            && matches!(capability, Capability::List | Capability::Read)
    })
}
