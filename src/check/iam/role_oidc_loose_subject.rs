//! `iam-role-oidc-loose-subject`: a role lets in more of an identity provider's world than meant.

use palisade_checks::Severity;

use super::super::{Estate, Evidence, Findings, Outcome};
use super::trusts;
use crate::exposure::{FederatedDoor, LooseSubject};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for (arn, trust) in trusts(estate, found) {
        let loose = || {
            trust
                .federations
                .iter()
                .filter(|door| !door.federation.loose.is_empty())
        };
        if loose().next().is_none() {
            found.pass(arn);
            continue;
        }
        if loose().all(|door| !door.proven) {
            let missing = trust.assume.gaps.iter().map(ToString::to_string).collect();
            found.at(
                arn.account(),
                "",
                arn.as_str(),
                Outcome::Unknown { missing },
            );
            continue;
        }
        let evidence = loose().map(shown).collect();
        let strangers = loose().any(|door| door.federation.strangers);
        let severity = if strangers {
            Severity::Critical
        } else {
            Severity::Medium
        };
        found.weighed(
            arn.account(),
            "",
            arn.as_str(),
            Outcome::Fail { evidence },
            severity,
        );
    }
}

fn shown(door: &FederatedDoor) -> Evidence {
    let federation = &door.federation;
    let how: Vec<&str> = federation
        .loose
        .iter()
        .map(|loose| match loose {
            LooseSubject::Missing => "nothing ties it to a subject",
            LooseSubject::Leading => "a wildcard stands where the tenant's name should",
            LooseSubject::Wildcard => {
                "a wildcard lets in every repository, branch or account of the tenant"
            }
            LooseSubject::PullRequest => "pull requests fit, which outsiders may open",
        })
        .collect();
    let who = if federation.strangers {
        "anybody with an account at the provider gets in"
    } else {
        "more of the tenant gets in than one workload"
    };
    let subjects: Vec<String> = federation
        .subjects
        .iter()
        .map(|s| format!("`{s}`"))
        .collect();
    let of = if subjects.is_empty() {
        String::new()
    } else {
        format!(" ({})", subjects.join(", "))
    };
    Evidence::from(format!(
        "{} by {}: {}{of}; {who}",
        federation.provider,
        door.statement,
        how.join(", ")
    ))
    .from_source(door.quote.clone())
}
