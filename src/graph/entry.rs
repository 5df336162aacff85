//! Where paths begin: which entries an estate has, and which class each of them is.
//!
//! | class | who it is |
//! |---|---|
//! | `public-credential` | anybody who finds a live credential in an object that everybody can read |
//! | `anonymous` | anybody: an open function URL, a guest identity, a trust for everyone, a public snapshot |
//! | `loose-federation` | anybody a shared identity provider vouches for |
//! | `exposed-compute` | anybody who gets at an instance that faces the internet and gives its role away |
//! | `any-principal` | whichever principal of an account is breached; only where a breach is assumed |
//! | `stale-key` | a user by a key older than 90 days, without a second factor |
//! | `foreign-account` | somebody in an account that is neither scanned nor of the organization |
//! | `named-principal` | one user or role in particular |
//! | `workload` | a role that services alone assume |
//! | `break-glass` | a person for emergencies, with a second factor |
//!
//! Steps that begin outside carry the class of their technique (`Plan::entry_row`).
//! Administrators are targets and never entries, unless somebody asks for one by name.

use std::collections::BTreeSet;

use palisade_model::{Arn, KeyStatus, Role, Time, User};

use super::find::{Found, Graph};
use super::grow::{Drawn, Growth};
use super::net::Id;
use super::weigh::Span;
use super::{Fellow, Node, Status, Stop};

/// Where a path may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: Id,
    /// The row of the entry weights; empty where the first step carries it.
    pub(crate) class: &'static str,
}

impl Growth<'_, '_> {
    /// Where a breach is assumed, one node for each account leads to every principal of it that is
    /// not its administrator already.
    pub(super) fn breach(&mut self) {
        if !self.judge.interests.assume_breach {
            return;
        }
        let accounts: Vec<String> = self
            .judge
            .scene
            .accounts
            .keys()
            .map(|id| (*id).to_owned())
            .collect();
        for account in accounts {
            let inside = |actor: &super::actor::Actor| {
                actor.mods.is_empty() && actor.arn.account() == account
            };
            let members = self.actors.iter().filter(|(id, actor)| {
                inside(actor) && self.administrators.get(id) != Some(&Status::Proven)
            });
            let targets: Vec<Id> = members.map(|(id, _)| *id).collect();
            if !targets.is_empty() {
                let source = self.id(Node::AnyPrincipal { account });
                self.step(Drawn::Breach, source, targets, 0);
            }
        }
    }
}

impl Graph<'_> {
    /// Every entry of the estate, or those that are asked for.
    pub(super) fn entries(&self, from: &[Node]) -> Vec<Entry> {
        let named: BTreeSet<&Node> = from.iter().collect();
        let mut entries = Vec::new();
        for (node, id) in &self.grown.ids {
            let asked = named.contains(node);
            if !from.is_empty() && !asked {
                continue;
            }
            let class = match node {
                Node::Internet | Node::ForeignAccount { .. } | Node::IdentityProvider { .. } => "",
                Node::AnyPrincipal { .. } => "any-principal",
                _ if asked => "named-principal",
                // Whoever is breached stands for each of them.
                Node::Principal { .. } if self.judge.interests.assume_breach => continue,
                Node::Principal { arn } => {
                    if self.grown.administrators.get(id) == Some(&Status::Proven) {
                        continue;
                    }
                    self.entry_class(arn)
                }
                _ => continue,
            };
            entries.push(Entry { id: *id, class });
        }
        entries
    }

    fn entry_class(&self, arn: &Arn) -> &'static str {
        let taken_at = self.judge.scene.snapshot.taken_at;
        if let Some(user) = self.judge.facts.user(arn) {
            return class_of_user(user, taken_at);
        }
        match self.judge.facts.role(arn) {
            Some(role) if is_workload(role) => "workload",
            _ => "named-principal",
        }
    }

    /// Principals of an account from which a target is reached, by how sure that is.
    pub(super) fn breached_toward(&self, account: &str, target: Id, ceiling: Status) -> Vec<Node> {
        let reaching = self.grown.net.reaching(target, ceiling);
        let of = |node: &&Node| matches!(node, Node::Principal { arn } if arn.account() == account);
        let all = self.grown.nodes.iter().enumerate();
        let principals = all.filter(|(at, _)| {
            let administers = self.grown.administrators.get(&(*at as Id));
            reaching[*at] && administers != Some(&Status::Proven)
        });
        let found = principals.filter_map(|(_, node)| node.as_ref());
        let mut found: Vec<Node> = found.filter(of).cloned().collect();
        found.sort();
        found
    }

    /// An entry with everybody who stands there with it.
    pub(super) fn entry_stop(&self, found: &Found) -> Stop {
        let fellow = |(id, score): &(Id, Span)| {
            let score = *score;
            self.real(*id).map(|node| Fellow { node, score })
        };
        let mut circle: Vec<Fellow> = found.circle.iter().filter_map(fellow).collect();
        circle.sort();
        let stop = match self.real(found.entry.id) {
            Some(Node::AnyPrincipal { account }) => Stop {
                members: self.breached_toward(&account, found.target, Status::Possible),
                ..Stop::alone(Node::AnyPrincipal { account })
            },
            node => self.crowd(node.unwrap_or(Node::Internet), &found.members),
        };
        Stop { circle, ..stop }
    }
}

const STALE_DAYS: i64 = 90;

/// How a user would be taken over: by an old key, or as somebody in particular.
fn class_of_user(user: &User, taken_at: Time) -> &'static str {
    let has_mfa = user
        .mfa_devices
        .value()
        .is_some_and(|devices| !devices.is_empty());
    let text = user.arn.name().to_ascii_lowercase();
    let emergency = ["break-glass", "breakglass", "emergency"]
        .iter()
        .any(|w| text.contains(w));
    if has_mfa && emergency {
        return "break-glass";
    }
    let stale = user.access_keys.value().into_iter().flatten().any(|key| {
        key.status == KeyStatus::Active
            && key
                .created
                .is_some_and(|created| days_between(created, taken_at) > STALE_DAYS)
    });
    if stale && !has_mfa {
        "stale-key"
    } else {
        "named-principal"
    }
}

fn days_between(from: Time, to: Time) -> i64 {
    from.days_until(to)
}

/// A role that only services assume.
pub(super) fn is_workload(role: &Role) -> bool {
    let text = role.trust.as_str();
    text.contains("\"Service\"") && !text.contains("\"AWS\"") && !text.contains("\"Federated\"")
}
