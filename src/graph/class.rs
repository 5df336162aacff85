//! Principals that no question tells apart: they are one class, and try everything once.
//!
//! Equal policies are not enough. Some policy may speak of a principal by its name, as the one it
//! trusts or in a condition, or of its tags; and a policy of its own may fill in who asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_model::OrgPolicyKind;
use rustc_hash::{FxHashMap, FxHashSet};

use super::actor::Actor;
use super::judge::Judge;
use crate::policy::document::Document;
use crate::policy::{Attached, Glob};

/// Who is spoken of, and how, in policies that are not his own.
#[derive(Debug, Default)]
pub(super) struct Tells {
    /// Principals that some policy names one by one.
    named: BTreeSet<String>,
    /// Patterns that some condition compares a principal with, by the account they are limited to
    /// or the empty name.
    patterns: FxHashMap<String, Vec<Glob>>,
    /// Keys of principals' tags that some condition tests, in lower case.
    tags: BTreeSet<String>,
    /// A condition compares principals with something that is filled in for each.
    filled_in: bool,
}

impl Tells {
    /// Reads every policy that bears on others than its holder: those of resources, trust
    /// policies, SCPs and RCPs.
    pub(super) fn new(judge: &Judge<'_>) -> Self {
        const TAG: &str = "aws:principaltag/";
        let spoken = judge.tag_keys.iter();
        let mut tells = Tells {
            named: judge.scene.named_principals(),
            tags: spoken
                .filter_map(|key| Some(key.strip_prefix(TAG)?.to_owned()))
                .collect(),
            ..Tells::default()
        };
        let mut seen = FxHashSet::default();
        judge
            .scene
            .each_resource_policy(&mut |document| tells.read(document, &mut seen));
        let organization = judge.scene.snapshot.organization.value();
        let policies = organization.and_then(|organization| organization.policies.value());
        for policy in policies.into_iter().flat_map(|all| all.values()) {
            let limits = matches!(policy.kind, OrgPolicyKind::Scp | OrgPolicyKind::Rcp);
            let text = policy.document.value().filter(|_| limits);
            if let Some(Ok(document)) = text.map(|text| Document::parse(text.as_str())) {
                tells.read(&document, &mut seen);
            }
        }
        tells
    }

    fn read(&mut self, document: &Document, seen: &mut FxHashSet<String>) {
        let statements = document.statements.iter();
        for condition in statements.flat_map(|statement| &statement.conditions) {
            if !is_name(&condition.key) {
                continue;
            }
            for value in &condition.values {
                self.filled_in |= value.contains("${");
                if seen.insert(value.clone()) {
                    let account = value.split(':').nth(4).unwrap_or_default();
                    let plain = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
                    let place = if plain { account } else { "" };
                    let patterns = self.patterns.entry(place.to_owned()).or_default();
                    patterns.push(Glob::new(&value.to_ascii_lowercase()));
                }
            }
        }
    }

    /// What tells an actor from others: its policies by text, its boundary, and whatever else
    /// policies that are not its own tell by.
    pub(super) fn key(&self, actor: &Actor, id: &str) -> String {
        let mut key = String::new();
        let pointer = |attached: &Attached| Arc::as_ptr(&attached.policy) as usize;
        for attached in actor.identity.iter() {
            key.push_str(&format!("{:x},", pointer(attached)));
        }
        for attached in actor.boundary.iter().flat_map(|boundary| boundary.iter()) {
            key.push_str(&format!("b{:x},", pointer(attached)));
        }
        key.push_str(if actor.is_user() { "user" } else { "role" });
        let boundary = actor.boundary.iter().flat_map(|boundary| boundary.iter());
        let personal = self.filled_in
            || self.named.contains(actor.arn.as_str())
            || actor.identity.iter().chain(boundary).any(is_personal);
        if personal {
            key.push_str(actor.arn.as_str());
            return key;
        }
        for (name, value) in &actor.tags {
            let name = name.to_ascii_lowercase();
            if self.tags.contains(&name) {
                key.push_str(&format!("|{name}={value}"));
            }
        }
        self.compare(actor, id, &mut key);
        key
    }

    /// Which of the patterns fit the principal by ARN, name or unique id.
    fn compare(&self, actor: &Actor, id: &str, key: &mut String) {
        let arn = actor.arn.as_str().to_ascii_lowercase();
        let session = format!("{}:", id.to_ascii_lowercase());
        let names = [&arn, arn.rsplit('/').next().unwrap_or_default(), &session];
        for place in [actor.arn.account(), ""] {
            let patterns = self.patterns.get(place).into_iter().flatten();
            for (at, pattern) in patterns.enumerate() {
                if names.iter().any(|name| pattern.matches(name)) {
                    key.push_str(&format!("|{place}#{at}"));
                }
            }
        }
    }
}

/// Whether a condition key is a name of the principal.
fn is_name(key: &str) -> bool {
    ["aws:principalarn", "aws:username", "aws:userid"]
        .iter()
        .any(|name| key.eq_ignore_ascii_case(name))
}

/// Whether a policy's meaning depends on who holds it.
fn is_personal(attached: &Attached) -> bool {
    attached.policy.document().is_some_and(|document| {
        let text = document.text.to_ascii_lowercase();
        ["${aws:", "aws:principal", "aws:username", "aws:userid"]
            .iter()
            .any(|w| text.contains(w))
    })
}
