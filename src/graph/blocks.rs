//! What would stop a step that was drawn: the denials and settings of its technique that bear on
//! the requests it really makes.

use palisade_checks::Technique;

use super::edge::{Fact, Request};
use crate::policy::Glob;

/// What would block a step, what the fix planner begins with first.
pub(super) fn of(technique: &Technique, requests: &[Request], facts: &[Fact]) -> Vec<String> {
    let asked: Vec<&str> = requests
        .iter()
        .map(|request| request.action.as_str())
        .collect();
    let mut all: Vec<String> = Vec::new();
    let mut deny = |action: &str| {
        let line = format!("deny {action}");
        if !all.contains(&line) {
            all.push(line);
        }
    };
    let breaks = &technique.breaks;
    let first = technique.cut_first.iter();
    for pattern in first.chain(&breaks.scp_deny) {
        let glob = Glob::new(&pattern.to_ascii_lowercase());
        let hit = asked
            .iter()
            .filter(|action| glob.matches(&action.to_ascii_lowercase()));
        hit.for_each(|action| deny(action));
    }
    if all.is_empty()
        && let Some(action) = asked.first()
    {
        all.push(format!("deny {action}"));
    }
    let trusts = facts.iter().any(|fact| fact.text.contains("trust"));
    let assumes = asked.iter().any(|action| service(action) == "sts");
    if trusts || assumes {
        all.extend(breaks.trust_policy.clone());
    }
    all.extend(breaks.config.iter().cloned());
    let narrows = |text: &&String| {
        let key = text
            .split(['=', ' ', ',', '/', ';'])
            .find(|word| word.contains(':'));
        key.is_none_or(|key| speaks_of(key, &asked))
    };
    all.extend(breaks.conditions.iter().filter(narrows).cloned());
    all
}

/// Whether a request of a step can carry a condition key. IAM's own say which of its calls have
/// them; the keys of a service come with its calls, and global ones with all.
///
/// Source: "Actions, resources, and condition keys for AWS IAM", Service Authorization Reference.
fn speaks_of(key: &str, asked: &[&str]) -> bool {
    let key = key.to_ascii_lowercase();
    let calls = |wanted: &[&str]| {
        let mut asked = asked.iter();
        asked.any(|action| wanted.iter().any(|one| action.eq_ignore_ascii_case(one)))
    };
    match key.as_str() {
        "iam:passedtoservice" | "iam:associatedresourcearn" => calls(&["iam:PassRole"]),
        "iam:policyarn" => asked.iter().any(|action| {
            let action = action.to_ascii_lowercase();
            action.starts_with("iam:attach") || action.starts_with("iam:detach")
        }),
        _ => match service(&key) {
            "aws" => true,
            own => asked
                .iter()
                .any(|action| service(action).eq_ignore_ascii_case(own)),
        },
    }
}

fn service(name: &str) -> &str {
    name.split(':').next().unwrap_or_default()
}
