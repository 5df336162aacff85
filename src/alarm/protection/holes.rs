//! The holes of a deny: whom it lets through, and when.

use std::collections::BTreeSet;

use palisade_model::Arn;

use super::{Place, Protection, ways};
use crate::alarm::heard::wildcard;
use crate::alarm::powers::Powers;
use crate::policy::{Clause, Conditional, Control, Residual};

/// What a deny lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hole {
    /// Existing principals.
    pub(super) exempt: Vec<Arn>,
    /// Patterns of principal ARNs that could stand for somebody of this account.
    pub(super) patterns: BTreeSet<String>,
    /// Tags of the caller that open it, as `key=value`.
    pub(super) tags: BTreeSet<(String, String)>,
    /// Unique ids of callers that open it, as `AROA…:session` or `AIDA…`.
    pub(super) ids: BTreeSet<String>,
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
    place: &Place<'_, '_>,
    region: &str,
    resource: &str,
    conditional: &Conditional,
) -> Hole {
    let mut hole = Hole::default();
    let residual = &conditional.residual;
    for clause in &residual.clauses {
        hole.take(place.account, clause, residual);
    }
    if !hole.patterns.is_empty() || !hole.tags.is_empty() || !hole.ids.is_empty() {
        let clauses: Vec<String> = residual.clauses.iter().map(ToString::to_string).collect();
        let question = format!("{} {region} {clauses:?}", place.account);
        let found = place
            .powers
            .exempt(question, || exempt(place, region, resource, &hole.ids));
        hole.exempt = found.to_vec();
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
        let mut ids = Vec::new();
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
                    let filled = term.values.iter().map(|pattern| filled(pattern, account));
                    patterns.extend(filled.filter(|pattern| can_be_in(pattern, account)));
                    if patterns.is_empty() {
                        // It lets through principals of other accounts only.
                        return;
                    }
                }
                None if term.key == "aws:userid" && !negated => ids.extend(term.values.clone()),
                None if term.key == "aws:username" && !negated => {
                    let users = term.values.iter();
                    patterns.extend(users.map(|name| format!("arn:*:iam::{account}:user/{name}")));
                }
                // "Anybody but": the deny is meant for these alone.
                _ => others.push(term),
            }
        }
        if by_principal && others.is_empty() && !residual.imprecise {
            self.patterns.extend(patterns);
            self.tags.extend(tags);
            self.ids.extend(ids);
            return;
        }
        let through_service = others.iter().any(|term| {
            matches!(
                term.key.as_str(),
                "aws:viaawsservice" | "aws:calledvia" | "aws:calledviafirst" | "aws:calledvialast"
            )
        });
        let caller = others.iter().all(|term| {
            through_service && term.control == Control::Service
                || matches!(term.control, Control::Caller)
                || is_own_tag(&term.key)
                || names_principal(&term.key)
        });
        let text = clause.to_string();
        self.conditions.push((
            text,
            caller && tags.is_empty() && patterns.is_empty() && ids.is_empty(),
        ));
    }

    /// Nobody of the account gets through.
    pub(super) fn is_closed(&self) -> bool {
        self.patterns.is_empty()
            && self.tags.is_empty()
            && self.ids.is_empty()
            && self.conditions.is_empty()
    }

    pub(super) fn protection(self, place: &Place<'_, '_>, by: Vec<String>) -> Protection {
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
            "{} {} {:?} {:?} {:?} {:?}",
            place.account,
            place.becomes.is_some(),
            self.patterns,
            self.tags,
            self.ids,
            self.exempt
        );
        let found = place.powers.ways_in(question, || ways::into(&self, place));
        let vacant = self
            .patterns
            .iter()
            .filter(|pattern| !self.exempt.iter().any(|arn| fits(pattern, arn.as_str())))
            .cloned()
            .collect();
        let exempt = self.exempt;
        match (found.how.is_empty(), found.missing.is_empty()) {
            (false, _) => Protection::Bypassable {
                by,
                exempt,
                how: found.how.clone(),
            },
            (true, false) => Protection::Unknown {
                missing: found.missing.clone(),
            },
            (true, true) => Protection::Except {
                by,
                exempt,
                vacant,
                above: found.above.clone(),
            },
        }
    }
}

/// Tags of the thing itself: whoever may tamper with it may as a rule tag it too.
fn is_own_tag(key: &str) -> bool {
    key.contains(":resourcetag/")
}

/// A pattern with its variables filled in: the caller's account is this one, and what else may
/// stand there is left open.
///
/// Source: "IAM policy elements: Variables and tags", IAM User Guide.
fn filled(pattern: &str, account: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        out.push_str(match name.to_ascii_lowercase().as_str() {
            "aws:principalaccount" => account,
            "*" | "?" | "$" => name,
            _ => "*",
        });
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Whether a pattern of principal ARNs can stand for somebody of the account.
pub(super) fn can_be_in(pattern: &str, account: &str) -> bool {
    match pattern.split(':').nth(4) {
        Some(own) => wildcard(&own.replace('?', "*"), account, false),
        None => pattern.contains('*'),
    }
}

pub(super) fn fits(pattern: &str, arn: &str) -> bool {
    crate::policy::Glob::new(pattern).matches(arn)
}

/// Existing principals that the ceilings let through. The id of a session is the role's and a
/// name that whoever assumes it picks, so the role is exempt where any session of it is.
fn exempt(place: &Place<'_, '_>, region: &str, resource: &str, ids: &BTreeSet<String>) -> Vec<Arn> {
    let (powers, ask) = (place.powers, place.ask);
    let (principals, _) = powers.principals(place.account);
    let mut out: Vec<Arn> = principals
        .into_iter()
        .filter(|arn| !powers.is_service_linked(arn))
        .filter(|arn| {
            let context = place.context(region, resource);
            let (decision, _) = powers.ceiling_decides(arn, &ask.action, resource, &context);
            decision.is_allowed() || has_id(powers, arn, ids)
        })
        .collect();
    out.sort();
    out
}

fn has_id(powers: &Powers<'_>, arn: &Arn, ids: &BTreeSet<String>) -> bool {
    let known = match (powers.role(arn), powers.user(arn)) {
        (Some(role), _) => &role.id,
        (_, Some(user)) => &user.id,
        _ => return false,
    };
    !known.is_empty()
        && ids
            .iter()
            .any(|id| id.split(':').next() == Some(known.as_str()))
}

/// All holes together: what any of them lets through.
pub(super) fn worst(holes: Vec<Hole>) -> Option<Hole> {
    holes.into_iter().reduce(|mut sum, hole| {
        sum.exempt.extend(hole.exempt);
        sum.exempt.sort();
        sum.exempt.dedup();
        sum.patterns.extend(hole.patterns);
        sum.tags.extend(hole.tags);
        sum.ids.extend(hole.ids);
        sum.conditions.extend(hole.conditions);
        sum.conditions.sort();
        sum.conditions.dedup();
        sum
    })
}

/// Whether the principal's own tags open the hole.
pub(super) fn is_tagged(powers: &Powers<'_>, arn: &Arn, tag: &str, value: &str) -> bool {
    let held = match (powers.role(arn), powers.user(arn)) {
        (Some(role), _) => &role.tags,
        (_, Some(user)) => &user.tags,
        _ => return false,
    };
    held.iter()
        .any(|(key, held)| key.eq_ignore_ascii_case(tag) && fits(value, held))
}
