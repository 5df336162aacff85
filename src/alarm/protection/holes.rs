//! The holes of a deny: whom it lets through, and who can become one of them.

use std::collections::BTreeSet;

use palisade_model::Arn;

use super::{Ask, Protection};
use crate::alarm::heard::wildcard;
use crate::alarm::powers::{Levels, Powers};
use crate::policy::{Caller, Clause, Conditional, Control, Decision, Residual};

/// What a deny lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hole {
    /// Existing principals.
    exempt: Vec<Arn>,
    /// Patterns of principal ARNs that could stand for somebody of this account.
    patterns: BTreeSet<String>,
    /// Tags of the caller that open it, as `key=value`.
    tags: BTreeSet<(String, String)>,
    /// Conditions that do not name principals, and whether the caller decides them.
    conditions: Vec<(String, bool)>,
}

/// Keys by which a statement names principals.
fn names_principal(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    key.starts_with("aws:principal") && key != "aws:principalisawsservice"
        || matches!(key.as_str(), "aws:userid" | "aws:username")
}

pub(super) fn of(
    powers: &Powers<'_>,
    account: &str,
    region: &str,
    resource: &str,
    ask: &Ask,
    levels: &Levels,
    conditional: &Conditional,
) -> Hole {
    let mut hole = Hole::default();
    let residual = &conditional.residual;
    for clause in &residual.clauses {
        hole.take(account, clause, residual);
    }
    if !hole.patterns.is_empty() || !hole.tags.is_empty() {
        hole.exempt = exempt(powers, account, region, resource, ask, levels);
    }
    hole
}

impl Hole {
    fn take(&mut self, account: &str, clause: &Clause, residual: &Residual) {
        // Every signed request says who asks: an alternative without a principal is none.
        let nobody = clause.terms.iter().any(|term| {
            term.key == "aws:principalarn"
                && term.operator.to_string() == "Null"
                && term.values.iter().any(|value| value == "true")
        });
        if nobody {
            return;
        }
        let mut patterns = Vec::new();
        let mut tags = Vec::new();
        let mut others = Vec::new();
        let mut by_principal = false;
        for term in &clause.terms {
            let negated = term.operator.to_string().contains("Not");
            if !names_principal(&term.key) {
                others.push(term);
                continue;
            }
            by_principal = true;
            match term.key.strip_prefix("aws:principaltag/") {
                Some(tag) if !negated => {
                    tags.extend(term.values.iter().map(|v| (tag.to_owned(), v.clone())));
                }
                None if term.key == "aws:principalarn" && !negated => {
                    let own = term
                        .values
                        .iter()
                        .filter(|pattern| can_be_in(pattern, account));
                    patterns.extend(own.cloned());
                    if patterns.is_empty() {
                        // It lets through principals of other accounts only.
                        return;
                    }
                }
                // "Anybody but": the deny is meant for these alone.
                _ => others.push(term),
            }
        }
        let service_forwards = others.iter().any(|term| {
            matches!(
                term.key.as_str(),
                "aws:viaawsservice" | "aws:calledvia" | "aws:calledviafirst" | "aws:calledvialast"
            )
        });
        let caller = others.iter().all(|term| {
            service_forwards && term.control == Control::Service
                || matches!(term.control, Control::Caller)
                || names_principal(&term.key)
        });
        if by_principal && others.is_empty() && !residual.imprecise {
            self.patterns.extend(patterns);
            self.tags.extend(tags);
            return;
        }
        let text = clause.to_string();
        self.conditions
            .push((text, caller && tags.is_empty() && patterns.is_empty()));
    }

    /// Nobody of the account gets through.
    pub(super) fn is_closed(&self) -> bool {
        self.patterns.is_empty() && self.tags.is_empty() && self.conditions.is_empty()
    }

    pub(super) fn protection(
        self,
        powers: &Powers<'_>,
        account: &str,
        by: Vec<String>,
    ) -> Protection {
        if !self.conditions.is_empty() {
            let caller_decides = self.conditions.iter().any(|(_, caller)| *caller);
            let unless = self.conditions.into_iter().map(|(text, _)| text).collect();
            return Protection::Conditional {
                by,
                unless,
                caller_decides,
            };
        }
        let question = format!(
            "{account} {:?} {:?} {:?}",
            self.patterns, self.tags, self.exempt
        );
        let (how, missing) = powers.ways_in(question, || self.ways_in(powers, account));
        let vacant = self
            .patterns
            .iter()
            .filter(|pattern| !self.exempt.iter().any(|arn| fits(pattern, arn.as_str())))
            .cloned()
            .collect();
        let exempt = self.exempt;
        match (how.is_empty(), missing.is_empty()) {
            (false, _) => Protection::Bypassable { by, exempt, how },
            (true, false) => Protection::Unknown { missing },
            (true, true) => Protection::Except { by, exempt, vacant },
        }
    }

    /// How a principal that is not exempt becomes one that is.
    fn ways_in(&self, powers: &Powers<'_>, account: &str) -> (Vec<String>, Vec<String>) {
        let (principals, missing) = powers.principals(account);
        let root = Arn::root(powers.snapshot.partition, account);
        let home = powers.snapshot.partition.home_region();
        let mut how = BTreeSet::new();
        for somebody in &principals {
            let linked = powers
                .role(somebody)
                .is_some_and(|role| role.is_service_linked());
            if *somebody == root || linked || self.exempt.contains(somebody) {
                continue;
            }
            let may = |action: &str, resource: &str| {
                is_open(&powers.decide(somebody, action, resource, home))
            };
            let name = somebody.name();
            for pattern in &self.patterns {
                let Some(witness) = witness(powers, account, pattern) else {
                    continue;
                };
                let action = match witness.resource().split('/').next() {
                    Some("role") => "iam:CreateRole",
                    _ => "iam:CreateUser",
                };
                if may(action, witness.as_str()) {
                    how.insert(format!(
                        "`{name}` may create `{}`, which `{pattern}` lets through",
                        witness.name()
                    ));
                }
            }
            for (tag, value) in &self.tags {
                let action = match powers.role(somebody) {
                    Some(_) => "iam:TagRole",
                    None => "iam:TagUser",
                };
                if may(action, somebody.as_str()) {
                    how.insert(format!("`{name}` may tag itself `{tag}` = `{value}`"));
                }
            }
            for exempted in self.exempt.iter().filter(|arn| **arn != root) {
                if let Some(way) = becomes(powers, somebody, exempted, home) {
                    how.insert(way);
                }
            }
        }
        (how.into_iter().collect(), missing)
    }
}

/// Whether somebody can take over an exempted role in one step.
fn becomes(powers: &Powers<'_>, somebody: &Arn, role: &Arn, region: &str) -> Option<String> {
    let trust = &powers.role(role)?.trust;
    let (who, name) = (somebody.name(), role.name());
    let change = powers.decide(
        somebody,
        "iam:UpdateAssumeRolePolicy",
        role.as_str(),
        region,
    );
    if is_open(&change) {
        return Some(format!("`{who}` may change the trust policy of `{name}`"));
    }
    let trust = palisade_model::Observed::Value(trust.clone());
    let decision = powers.decide_on(
        somebody,
        "sts:AssumeRole",
        role.as_str(),
        region,
        Some(&trust),
    );
    is_open(&decision).then(|| format!("`{who}` may assume `{name}`"))
}

/// Allowed, or allowed once the caller says the right thing.
fn is_open(decision: &Decision) -> bool {
    match decision {
        Decision::Allowed(_) => true,
        Decision::Conditional(conditional) => conditional.residual.satisfiable_by_caller(),
        _ => false,
    }
}

/// A principal that does not exist yet and that the pattern lets through.
fn witness(powers: &Powers<'_>, account: &str, pattern: &str) -> Option<Arn> {
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    let resource = match parts.as_slice() {
        [_, _, "iam" | "*", _, _, resource] => resource,
        ["*"] => &"role/*",
        _ => return None,
    };
    let resource = match resource.strip_prefix('*') {
        Some(rest) if !resource.contains('/') => format!("role/palisade-probe{rest}"),
        _ => resource.replace('*', "palisade-probe").replace('?', "x"),
    };
    if !resource.starts_with("role/") && !resource.starts_with("user/") {
        return None;
    }
    let partition = powers.snapshot.partition;
    let arn = Arn::new(format!("arn:{partition}:iam::{account}:{resource}"));
    let taken = powers.role(&arn).is_some() || powers.user(&arn).is_some();
    // Paths of service-linked and Identity Center roles are reserved.
    let reserved = resource.starts_with("role/aws-service-role/")
        || resource.starts_with("role/aws-reserved/");
    (!taken && !reserved).then_some(arn)
}

fn can_be_in(pattern: &str, account: &str) -> bool {
    match pattern.split(':').nth(4) {
        Some(own) => wildcard(&own.replace('?', "*"), account, false),
        None => pattern.contains('*'),
    }
}

fn fits(pattern: &str, arn: &str) -> bool {
    wildcard(&pattern.replace('?', "*"), arn, false)
}

/// Existing principals that the ceilings let through.
fn exempt(
    powers: &Powers<'_>,
    account: &str,
    region: &str,
    resource: &str,
    ask: &Ask,
    levels: &Levels,
) -> Vec<Arn> {
    let (principals, _) = powers.principals(account);
    let mut out: Vec<Arn> = principals
        .into_iter()
        .filter(|arn| {
            !powers
                .role(arn)
                .is_some_and(|role| role.is_service_linked())
        })
        .filter(|arn| {
            let mut context = powers.context(arn, region);
            for (key, value) in &ask.context {
                context.set(key, value.as_str());
            }
            // Tags of the principal were read; one that is not among them is not there.
            let tags = levels_tags(levels);
            let held = match (powers.role(arn), powers.user(arn)) {
                (Some(role), _) => Some(&role.tags),
                (_, Some(user)) => Some(&user.tags),
                _ => None,
            };
            for tag in tags {
                let there =
                    held.is_some_and(|held| held.keys().any(|k| k.eq_ignore_ascii_case(&tag)));
                if !there {
                    context.set_absent(&format!("aws:PrincipalTag/{tag}"));
                }
            }
            let who = Caller::new(arn.as_str(), &context);
            let (decision, _) =
                powers.ceiling_decides(levels, &who, context, &ask.action, resource);
            !decision.is_denied()
        })
        .collect();
    out.sort();
    out
}

/// The principal tags that the SCPs ask for.
fn levels_tags(levels: &Levels) -> BTreeSet<String> {
    let documents = levels
        .iter()
        .flatten()
        .filter_map(|attached| attached.policy.document());
    documents
        .flat_map(|document| &document.statements)
        .flat_map(|statement| &statement.conditions)
        .filter_map(|condition| {
            let key = condition.key.to_ascii_lowercase();
            key.strip_prefix("aws:principaltag/").map(str::to_owned)
        })
        .collect()
}

/// All holes together: what any of them lets through.
pub(super) fn worst(holes: Vec<Hole>) -> Option<Hole> {
    holes.into_iter().reduce(|mut sum, hole| {
        sum.exempt.extend(hole.exempt);
        sum.exempt.sort();
        sum.exempt.dedup();
        sum.patterns.extend(hole.patterns);
        sum.tags.extend(hole.tags);
        sum.conditions.extend(hole.conditions);
        sum.conditions.sort();
        sum.conditions.dedup();
        sum
    })
}
