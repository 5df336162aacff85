//! Who could do which tamper actions today, by every policy layer.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::{TamperAction, tamper, tamper_group};
use palisade_model::Arn;
use serde::Serialize;

use super::Security;
use super::coverage::{ask, counts, parts_unread};
use crate::alarm::protection::Spot;
use crate::policy::{Attached, Decision, Effect};

/// A principal that could do a tamper action today.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Could {
    /// The account's id.
    pub account: String,
    /// The tamper group.
    pub group: &'static str,
    /// Who.
    pub principal: Arn,
    /// What, for certain or under conditions that it meets at will.
    pub may: Vec<&'static str>,
    /// What, under conditions or if a gap resolves badly.
    pub perhaps: Vec<&'static str>,
    /// Those of the latter that hang on something unread.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<&'static str>,
}

/// Who in an account could do which tamper actions today, by every policy layer. The root user
/// is left out: it may do whatever SCPs let it.
pub fn who_could(security: &Security<'_>, account: &str, minimum_only: bool) -> Vec<Could> {
    let minimum = |group: &str, action: &&str| {
        !minimum_only
            || tamper_group(group)
                .is_some_and(|g| g.actions.iter().any(|r| r.minimum && r.action == *action))
    };
    let own = security.could().iter().filter(|one| one.account == account);
    let narrowed = own.cloned().map(|mut one| {
        for list in [&mut one.may, &mut one.perhaps, &mut one.unread] {
            list.retain(|action| minimum(one.group, action));
        }
        one
    });
    narrowed
        .filter(|one| !one.may.is_empty() || !one.perhaps.is_empty())
        .collect()
}

/// Who could do what, in every account.
pub(super) fn could(security: &Security<'_>) -> Vec<Could> {
    let accounts = security.snapshot().accounts.keys();
    let mut sieve = Sieve::default();
    accounts
        .flat_map(|account| could_in(security, account, &mut sieve))
        .collect()
}

/// A tamper action as it is asked in one account.
struct Question {
    row: &'static TamperAction,
    /// Where to ask.
    spots: Vec<Spot>,
    /// Whether parts of the chain that were not read may let somebody through.
    unread: bool,
}

/// How far somebody gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Denied,
    Conditional,
    Unread,
    Allowed,
}

fn could_in(security: &Security<'_>, account: &str, sieve: &mut Sieve) -> Vec<Could> {
    let powers = &security.alarms.powers;
    let (principals, _) = powers.principals(account);
    let mut out = Vec::new();
    for group in tamper() {
        let counted = group
            .actions
            .iter()
            .filter(|row| counts(security, account, group, row) && row.when.is_empty());
        let questions: Vec<Question> = counted
            .map(|row| question(security, account, row))
            .collect();
        for principal in principals.iter().filter(|arn| arn.resource() != "root") {
            if powers.is_service_linked(principal) {
                continue;
            }
            let mut one = Could {
                account: account.to_owned(),
                group: &group.group,
                principal: principal.clone(),
                may: Vec::new(),
                perhaps: Vec::new(),
                unread: Vec::new(),
            };
            for question in &questions {
                let action = question.row.action.as_str();
                match rank(security, principal, question, sieve) {
                    Rank::Allowed => one.may.push(action),
                    Rank::Unread => {
                        one.perhaps.push(action);
                        one.unread.push(action);
                    }
                    Rank::Conditional => one.perhaps.push(action),
                    Rank::Denied => {}
                }
            }
            if !one.may.is_empty() || !one.perhaps.is_empty() {
                out.push(one);
            }
        }
    }
    out
}

fn question(security: &Security<'_>, account: &str, row: &'static TamperAction) -> Question {
    let ask = ask(security, account, row);
    let asked = security.alarms.powers.regions(account, ask.global);
    Question {
        row,
        unread: !parts_unread(security, account, row).is_empty(),
        spots: ask.spots(&asked),
    }
}

fn rank(security: &Security<'_>, principal: &Arn, question: &Question, sieve: &mut Sieve) -> Rank {
    let row = question.row;
    let passes = sieve.may_allow(security, principal, &row.action);
    // Parts of the chain have policies of their own, which may grant by themselves.
    if row.only_on.is_none() && !passes {
        return Rank::Denied;
    }
    let powers = &security.alarms.powers;
    let decisions = question.spots.iter().map(|spot| {
        let decision = powers.decide(principal, &row.action, &spot.resource, &spot.region);
        (spot.region.is_empty(), decision)
    });
    let known = decisions.map(|(unread, decision)| match decision {
        Decision::Allowed(_) => Rank::Allowed,
        Decision::Conditional(_) if unread => Rank::Unread,
        Decision::Conditional(found) if found.residual.satisfiable_by_caller() => Rank::Allowed,
        Decision::Conditional(_) => Rank::Conditional,
        Decision::Unknown(_) => Rank::Unread,
        Decision::Denied(_) => Rank::Denied,
    });
    let known = known.max().unwrap_or(Rank::Denied);
    match question.unread && passes {
        true => known.max(Rank::Unread),
        false => known,
    }
}

/// Which tamper actions a set of identity-based policies can allow at all; looked up once for
/// each set, since most principals share theirs and few hold any.
#[derive(Default)]
struct Sieve {
    known: BTreeMap<Vec<usize>, BTreeSet<&'static str>>,
}

impl Sieve {
    fn may_allow(&mut self, security: &Security<'_>, principal: &Arn, action: &str) -> bool {
        let engine = security.alarms.powers.engine;
        let policies = engine.identity_policies(principal.as_str());
        let key: Vec<usize> = policies
            .iter()
            .map(|attached| std::sync::Arc::as_ptr(&attached.policy) as usize)
            .collect();
        let allowed = self.known.entry(key).or_insert_with(|| {
            let rows = tamper().iter().flat_map(|group| &group.actions);
            rows.map(|row| row.action.as_str())
                .filter(|action| policies.iter().any(|attached| allows(attached, action)))
                .collect()
        });
        allowed.contains(action)
    }
}

fn allows(attached: &Attached, action: &str) -> bool {
    let lower = action.to_ascii_lowercase();
    attached.policy.unread_reason().is_some()
        || attached
            .policy
            .statements
            .iter()
            .any(|statement| statement.effect == Effect::Allow && statement.covers_action(&lower))
}
