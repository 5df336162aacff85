//! How what is yet to be made is spoken of besides its ARN: under an older name, or behind the name
//! of what it is made in.

use palisade_checks::technique::Kind;
use palisade_model::Arn;

use super::bind::{Bindings, Bound};

/// What stands in the ARN of a new user profile before its name: the id of its domain.
pub(super) fn parent_of(kind: Kind, bindings: &Bindings) -> Option<String> {
    let profile = kind.name() == "sagemaker.user-profile";
    let known = bindings.values().filter_map(Bound::arn);
    let mut domains = known.filter(|arn| profile && arn.resource().starts_with("domain/"));
    domains.next().map(|domain| domain.name().to_owned())
}

/// A runbook is a document, and was an automation definition before; both have its name.
///
/// Source: "Actions, resources, and condition keys for AWS Systems Manager", Service Authorization
/// Reference, 2026-10.
pub(super) fn spelled(name: &str, kind: Kind) -> Arn {
    match kind.name() {
        "ssm.automation-definition" if name.contains(DOCUMENT) => {
            let definition = name.replace(DOCUMENT, DEFINITION);
            Arn::new(format!("{definition}:1"))
        }
        _ => Arn::from(name),
    }
}

const DOCUMENT: &str = ":document/";
const DEFINITION: &str = ":automation-definition/";

/// The pattern of documents that fits what a pattern of automation definitions does.
pub(super) fn as_document(pattern: &str) -> String {
    match pattern.split_once(DEFINITION) {
        Some((before, name)) => {
            let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
            format!("{before}{DOCUMENT}{name}")
        }
        None => pattern.to_owned(),
    }
}
