//! `s3-bucket-public-*`, `s3-bucket-any-aws-account`, `s3-bucket-cdn-public`: who outside can do
//! what with a bucket.
//!
//! One question at several widths: is the widest audience of a capability at least this one? A
//! bucket that is open without signing in answers `public`, one for which any AWS account will
//! do answers `any-aws-account`, and never both for the same capability.

use palisade_checks::Severity;

use super::super::{Estate, Evidence, Findings, Outcome};
use super::{Judged, judged, proven, remedy, unread};
use crate::exposure::{Audience, Capability, Opening, Scope, Verdict};
use palisade_secrets::names;

pub(super) fn public_list(estate: &Estate<'_>, found: &mut Findings<'_>) {
    everywhere(estate, found, &[Capability::List], &Audience::Public);
}

pub(super) fn public_read(estate: &Estate<'_>, found: &mut Findings<'_>) {
    everywhere(estate, found, &[Capability::Read], &Audience::Public);
}

pub(super) fn public_write(estate: &Estate<'_>, found: &mut Findings<'_>) {
    everywhere(estate, found, &[Capability::Write], &Audience::Public);
}

pub(super) fn public_acl_write(estate: &Estate<'_>, found: &mut Findings<'_>) {
    everywhere(estate, found, &[Capability::ChangeAcl], &Audience::Public);
}

pub(super) fn any_aws_account(estate: &Estate<'_>, found: &mut Findings<'_>) {
    everywhere(estate, found, &Capability::ALL, &Audience::AuthenticatedAws);
}

pub(super) fn cdn_public(estate: &Estate<'_>, found: &mut Findings<'_>) {
    everywhere(
        estate,
        found,
        &[Capability::List, Capability::Read],
        &Audience::CdnPublic,
    );
}

fn everywhere(
    estate: &Estate<'_>,
    found: &mut Findings<'_>,
    capabilities: &[Capability],
    audience: &Audience,
) {
    for judged in judged(estate, found) {
        let outcome = answer(&judged, capabilities, audience);
        let severity = urgency(&judged, &outcome);
        match severity {
            Some(severity) => {
                let (account, region) = (judged.account, &judged.bucket.region);
                found.weighed(
                    account,
                    region,
                    judged.exposure.arn.as_str(),
                    outcome,
                    severity,
                );
            }
            None => judged.say(found, outcome),
        }
    }
}

fn answer(judged: &Judged<'_>, capabilities: &[Capability], audience: &Audience) -> Outcome {
    let width = audience.width();
    let mut evidence = Vec::new();
    let mut undecided = None;
    for capability in capabilities {
        let verdict = judged.exposure.verdict(*capability);
        let mine: Vec<&Opening> = verdict
            .proven()
            .iter()
            .filter(|opening| opening.audience.width() == width)
            .collect();
        if verdict.at_least.width() == width || (is_cdn(audience) && !mine.is_empty()) {
            evidence.extend(
                mine.into_iter()
                    .map(|opening| shown(judged, *capability, opening)),
            );
        } else if *audience == Audience::Public && proven::is_served(judged, *capability) {
            evidence.push(Evidence::from(format!(
                "{audience} can {capability}, by what the configuration does not tell"
            )));
        } else if may_be(verdict, audience) {
            undecided = undecided.or(Some(unread(verdict)));
        }
        if *audience == Audience::Public && !evidence.is_empty() {
            evidence.extend(proven::says(judged, *capability));
        }
    }
    if !evidence.is_empty() {
        evidence.extend(name_says(judged.name));
        return Outcome::Fail { evidence };
    }
    undecided.unwrap_or(Outcome::Pass)
}

/// A CDN in front of a bucket is worth saying even where the bucket itself is open.
fn is_cdn(audience: &Audience) -> bool {
    *audience == Audience::CdnPublic
}

/// Whether what was not read could widen the audience to this one. What would open a bucket to
/// everybody may as well open it to every account only; a CDN needs a way of its own.
fn may_be(verdict: &Verdict, audience: &Audience) -> bool {
    let width = audience.width();
    let possible = &verdict.openings[verdict.proven..];
    verdict.at_least.width() < width
        && if is_cdn(audience) {
            possible
                .iter()
                .any(|opening| opening.audience.width() == width)
        } else {
            verdict.at_most.width() >= width
        }
}

fn shown(judged: &Judged<'_>, capability: Capability, opening: &Opening) -> Evidence {
    let part = match &opening.scope {
        Scope::Whole => String::new(),
        Scope::Part(patterns) => {
            let list = patterns
                .iter()
                .map(|p| format!("`{p}`"))
                .collect::<Vec<_>>()
                .join(", ");
            format!(", as far as {list} goes")
        }
    };
    let payer = if judged.exposure.requester_pays {
        "; the caller pays and must sign, which keeps out unsigned requests and nobody else"
    } else {
        ""
    };
    let closes = remedy::closes(judged.exposure, &opening.path);
    Evidence::from(format!(
        "{} can {capability} by {}{part}{payer}; {closes}",
        opening.audience, opening.path
    ))
    .from_source(opening.path.source())
}

/// A name that tells what is inside raises the urgency; it is never a finding alone.
pub(super) fn name_says(name: &str) -> Option<Evidence> {
    let known = names::bucket(name, &[]);
    let telling = known.reasons.iter().find(|reason| reason.ai).or_else(|| {
        known
            .reasons
            .iter()
            .find(|reason| reason.guess != names::Guess::Keyword)
    })?;
    let what = if telling.ai {
        "its name speaks of AI work, which the attacks of 2025 searched for first"
    } else {
        "its name can be worked out by outsiders"
    };
    Some(Evidence::from(format!(
        "{what}: {} ({})",
        telling.reason, telling.holds
    )))
}

/// One step up for a name that outsiders look for, and for writing or listing into secrets.
fn urgency(judged: &Judged<'_>, outcome: &Outcome) -> Option<Severity> {
    let Outcome::Fail { evidence } = outcome else {
        return None;
    };
    let floor = names::bucket(judged.name, &[]).floor?;
    let critical = format!("{floor:?}").eq_ignore_ascii_case("critical");
    (critical && !evidence.is_empty()).then_some(Severity::Critical)
}
