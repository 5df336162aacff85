//! As few documents as fit: shorter action lists, and statements packed one after another.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::{ScpLimits, tamper};
use palisade_model::actions;
use serde_json::{Value, json};

use super::{Document, ScpError};

/// One deny, before it is put into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deny {
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) conditions: BTreeMap<String, Value>,
    /// Whether its actions may be spread over several documents.
    pub(super) splits: bool,
}

impl Deny {
    fn json(&self) -> Value {
        let one = |list: &[String]| match list {
            [only] => json!(only),
            more => json!(more),
        };
        let mut statement = json!({
            "Effect": "Deny",
            "Action": one(&self.actions),
            "Resource": one(&self.resources),
        });
        if !self.conditions.is_empty() {
            statement["Condition"] = json!(self.conditions);
        }
        statement
    }
}

/// Replaces actions by a pattern where everything it covers is denied anyway: `Name*` by the
/// words of the name, never the whole service, and never an action that is not a tamper action.
pub(super) fn shortened(wanted: &BTreeSet<String>) -> BTreeSet<String> {
    let denied = |name: &str| wanted.contains(name);
    let known: BTreeSet<&str> = tamper()
        .iter()
        .flat_map(|group| &group.actions)
        .filter(|row| row.only_on.is_none() && row.when.is_empty() && row.leave_out.is_none())
        .map(|row| row.action.as_str())
        .collect();
    let mut out = wanted.clone();
    for action in wanted {
        for pattern in prefixes(action) {
            let covered = actions().matching(&pattern);
            let all: Vec<String> = covered.iter().map(|action| action.full_name()).collect();
            let hits = all.iter().filter(|name| out.contains(*name)).count();
            let fits = all
                .iter()
                .all(|name| denied(name) || known.contains(name.as_str()));
            if fits && hits >= 2 {
                out.retain(|name| !all.contains(name));
                out.insert(pattern);
                break;
            }
        }
    }
    out
}

/// `svc:Delete*`, `svc:DeleteThreat*`, …: shortest first.
fn prefixes(action: &str) -> Vec<String> {
    let start = action.find(':').map_or(0, |at| at + 1);
    let inner = action.char_indices().skip_while(|(at, _)| *at <= start);
    inner
        .filter(|(_, c)| c.is_ascii_uppercase())
        .map(|(at, _)| format!("{}*", &action[..at]))
        .collect()
}

/// Packs the denies into documents no longer than AWS takes.
pub(super) fn documents(denies: Vec<Deny>, limits: &ScpLimits) -> Result<Vec<Document>, ScpError> {
    let limit = limits.document_characters;
    let mut bins: Vec<Vec<Deny>> = Vec::new();
    let mut waiting: Vec<Deny> = denies
        .into_iter()
        .filter(|deny| !deny.actions.is_empty())
        .collect();
    waiting.sort_by_key(|deny| std::cmp::Reverse(text(std::slice::from_ref(deny)).len()));
    waiting.reverse();
    while let Some(deny) = waiting.pop() {
        let place = bins.iter().position(|bin| {
            let with: Vec<Deny> = bin.iter().cloned().chain([deny.clone()]).collect();
            text(&with).len() <= limit
        });
        if let Some(place) = place {
            bins[place].push(deny);
            continue;
        }
        if text(std::slice::from_ref(&deny)).len() <= limit {
            bins.push(vec![deny]);
            continue;
        }
        let (first, rest) = cut(deny, limit).ok_or(ScpError::TooLong(limit))?;
        waiting.extend([rest, first]);
    }
    let documents = bins.iter().enumerate().map(|(place, bin)| Document {
        name: format!("palisade-keep-security-{}", place + 1),
        json: text(bin),
    });
    Ok(documents.collect())
}

/// As much of the deny as one document takes, and the rest: by its actions, or by its resources.
fn cut(deny: Deny, limit: usize) -> Option<(Deny, Deny)> {
    let by_action = deny.splits && deny.actions.len() > 1;
    let parts = if by_action {
        &deny.actions
    } else {
        &deny.resources
    };
    let with = |list: &[String]| {
        let mut part = deny.clone();
        *(if by_action {
            &mut part.actions
        } else {
            &mut part.resources
        }) = list.to_vec();
        part
    };
    let most = (1..parts.len())
        .rev()
        .find(|count| text(std::slice::from_ref(&with(&parts[..*count]))).len() <= limit)?;
    Some((with(&parts[..most]), with(&parts[most..])))
}

fn text(denies: &[Deny]) -> String {
    let statements: Vec<Value> = denies.iter().map(Deny::json).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}
