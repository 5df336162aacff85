//! `s3-public-credential-files`: something that looks like a credential lies where anybody can
//! read it.
//!
//! Each object is judged by itself: a file that a public bucket does not hand out is no finding,
//! and one that a private bucket hands out by the object's own ACL is. Names are always looked
//! at, content only on request; whose key it is comes from the key's id, never from using it.

use palisade_checks::Severity;
use palisade_model::{ObjectEntry, Observed};
use palisade_secrets::names::{self, Class};

use super::super::{Estate, Evidence, Findings, Outcome};
use super::capability::name_says;
use super::{Judged, judged, reach, remedy};
use crate::exposure::keys::{KeyLife, KeyOwner, owner};
use crate::exposure::{Audience, Capability, Verdict};

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    for judged in judged(estate, found) {
        let (outcome, severity) = answer(estate, &judged);
        let (account, region) = (judged.account, &judged.bucket.region);
        let arn = judged.exposure.arn.as_str();
        match severity {
            Some(severity) => found.weighed(account, region, arn, outcome, severity),
            None => found.at(account, region, arn, outcome),
        }
    }
}

fn answer(estate: &Estate<'_>, judged: &Judged<'_>) -> (Outcome, Option<Severity>) {
    let read = judged.exposure.verdict(Capability::Read);
    let mut evidence = Vec::new();
    let mut worst = None;
    let mut missing = Vec::new();
    for entry in entries(judged) {
        let Some(worth) = worth(entry) else {
            continue;
        };
        let verdict = &judged.exposure.objects[&(entry.key.clone(), entry.version.clone())];
        match verdict.is(Audience::is_everybody) {
            Some(true) => {
                let severity = tell(estate, judged, entry, verdict, worth, &mut evidence);
                worst = worst.max(Some(severity));
            }
            Some(false) => {}
            None => missing.extend(verdict.gaps.iter().map(ToString::to_string)),
        }
    }
    if !evidence.is_empty() {
        // Whose key it is comes first: a table has room for one sentence.
        evidence.sort_by_key(|one| !one.says.contains(reach::ACTIVE));
        evidence.extend(name_says(judged.name));
        return (Outcome::Fail { evidence }, worst);
    }
    if read.is(Audience::is_everybody) != Some(false) {
        missing.extend(super::unlisted(judged.bucket));
        if read.is(Audience::is_everybody).is_none() && judged.bucket.objects.value().is_none() {
            missing.extend(read.gaps.iter().map(ToString::to_string));
        }
    }
    if missing.is_empty() {
        return (Outcome::Pass, None);
    }
    missing.sort();
    missing.dedup();
    (Outcome::Unknown { missing }, None)
}

fn entries<'a>(judged: &Judged<'a>) -> &'a [ObjectEntry] {
    judged
        .bucket
        .objects
        .value()
        .map_or(&[], |listing| &listing.objects)
}

/// What the name of an object, or what was found in it, amounts to; `None`: nothing.
fn worth(entry: &ObjectEntry) -> Option<Severity> {
    if let Observed::Value(matches) = &entry.matches {
        if !matches.is_empty() {
            return Some(Severity::Critical);
        }
        if !entry.unsearched.is_empty() {
            return by_name(entry); // what was not searched may hold it
        }
        // Read, and nothing found: the name alone no longer counts, unless it says it all.
        let named = names::classify(&entry.key).is_some_and(|class| class.class == Class::A);
        return named.then_some(Severity::High);
    }
    by_name(entry)
}

fn by_name(entry: &ObjectEntry) -> Option<Severity> {
    match names::classify(&entry.key).map(|class| class.class) {
        Some(Class::A) => Some(Severity::Critical),
        Some(Class::B) => Some(Severity::High),
        Some(Class::C | Class::D) => None,
        None => entry.pattern.is_some().then_some(Severity::High),
    }
}

/// Says which object, for whom, whose key, and what closes it.
fn tell(
    estate: &Estate<'_>,
    judged: &Judged<'_>,
    entry: &ObjectEntry,
    verdict: &Verdict,
    worth: Severity,
    evidence: &mut Vec<Evidence>,
) -> Severity {
    let audience = &verdict.at_least;
    let pattern = entry
        .pattern
        .clone()
        .or_else(|| names::classify(&entry.key).map(|class| class.pattern))
        .unwrap_or_else(|| "its content".to_owned());
    let old = if entry.version.is_some() {
        " (an old version)"
    } else {
        ""
    };
    let mut says = format!(
        "{audience} can read `{}`{old}, a credential-like file ({pattern})",
        entry.key
    );
    if let Some(opening) = verdict.proven().first() {
        says.push_str(&format!(
            "; {}",
            remedy::closes(judged.exposure, &opening.path)
        ));
    }
    let source = verdict
        .proven()
        .first()
        .map(|o| o.path.source())
        .unwrap_or_default();
    evidence.push(Evidence::from(says).from_source(source));
    let mut severity = worth;
    match &entry.matches {
        Observed::Value(matches) => {
            for found in matches {
                let Some(id) = &found.key_id else {
                    let says = format!("`{}` holds {}: {}", entry.key, found.rule, found.redacted);
                    evidence.push(says.into());
                    continue;
                };
                let owner = owner(estate.snapshot, id, found.account.as_deref());
                if !owner.may_work() && matches.len() == 1 {
                    severity = severity.min(Severity::High);
                }
                evidence.push(whose(&entry.key, id, found.paired, &owner));
            }
            for part in &entry.unsearched {
                evidence.push(format!("not searched in `{}`: {part}", entry.key).into());
            }
        }
        Observed::NotApplicable(_) => {
            let says = format!(
                "reading `{}` would tell whether a key in it works: --read-content",
                entry.key
            );
            evidence.push(says.into());
        }
        Observed::Gap(gap) => {
            evidence.push(format!("what `{}` holds is not known: {gap}", entry.key).into());
        }
        Observed::Absent => {}
    }
    severity
}

fn whose(key: &str, id: &str, paired: bool, owner: &KeyOwner) -> Evidence {
    let with = if paired {
        "with its secret"
    } else {
        "without its secret"
    };
    let head = format!("`{key}` holds access key {id} {with}");
    match owner {
        KeyOwner::User { user, status } => {
            let (name, account) = (user.name(), user.account());
            let says = match status {
                KeyLife::Active => {
                    format!("{head}: {} `{name}` in account {account}", reach::ACTIVE)
                }
                KeyLife::Inactive => format!(
                    "{head}: an inactive key of user `{name}` in account {account}, which one call \
                     makes active again"
                ),
                KeyLife::Expired => {
                    format!("{head}: an expired key of user `{name}` in account {account}")
                }
            };
            Evidence::from(says).naming(user.as_str())
        }
        KeyOwner::Deleted { account } => Evidence::from(format!(
            "{head}: no user of account {account} has it any more"
        )),
        KeyOwner::Session { account } => Evidence::from(format!(
            "{head}: a session of account {account}, which ends by itself"
        )),
        KeyOwner::Foreign { account } => Evidence::from(format!(
            "{head}: it belongs to account {account}, outside this estate"
        )),
        KeyOwner::Unknown { account, missing } => {
            let whose = account
                .as_deref()
                .map_or("of an account it does not name".to_owned(), |id| {
                    format!("of account {id}")
                });
            let why = missing.as_deref().unwrap_or("nothing tells whose");
            Evidence::from(format!("{head}, {whose}: its user is unknown ({why})"))
        }
    }
}
