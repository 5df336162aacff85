//! `s3-object-acl-public`: single objects are open by their own ACL.

use super::super::{Estate, Evidence, Findings, Outcome, missing};
use super::judged;
use crate::exposure::{Capability, Path};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for judged in judged(estate, found) {
        let verdict = judged.exposure.verdict(Capability::Read);
        let evidence: Vec<Evidence> = verdict
            .proven()
            .iter()
            .filter(|opening| opening.audience.is_everybody())
            .filter_map(|opening| match &opening.path {
                Path::ObjectAcl {
                    key, permission, ..
                } => Some(Evidence::from(format!(
                    "{} can read `{key}`: its own ACL grants {permission}",
                    opening.audience
                ))),
                _ => None,
            })
            .collect();
        let unread = verdict.openings[verdict.proven..].iter().any(|opening| {
            matches!(&opening.path, Path::Unread { operation }
                if operation.contains("ObjectAcl") || operation.contains("ListObject"))
        });
        let outcome = if !evidence.is_empty() {
            Outcome::Fail { evidence }
        } else if unread {
            missing(&verdict.gaps)
        } else {
            Outcome::Pass
        };
        judged.say(found, outcome);
    }
}
