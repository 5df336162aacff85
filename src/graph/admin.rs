//! Who is administrator: an identity-side Allow of `*` on `*`, and a boundary that lets it be.
//!
//! SCPs do not enter: they are the account's ceiling, shown beside the target.

use super::Status;
use super::actor::{Actor, Mod};
use crate::policy::document::Statement;
use crate::policy::{Attached, Effect, Glob};

/// How surely an actor is administrator; `None` when it is not.
pub(crate) fn administrator(actor: &Actor) -> Option<Status> {
    // Through a service nobody is administrator.
    let partly = actor
        .mods
        .iter()
        .any(|change| matches!(change, Mod::Only(_)));
    if partly || denies_everything(&actor.identity) {
        return None;
    }
    let identity = allows_everything(&actor.identity)?;
    match actor.boundary.as_deref() {
        None => Some(identity),
        // A boundary counts until it is shed, and one that denies something leaves less than all.
        Some(boundary) if denies_something(boundary) => None,
        Some(boundary) => Some(identity.max(allows_everything(boundary)?)),
    }
}

/// How surely these policies allow every action on every resource.
pub(crate) fn allows_everything(policies: &[Attached]) -> Option<Status> {
    let allows: Vec<&Statement> = statements(policies, Effect::Allow)
        .filter(|statement| on_everything(statement))
        .collect();
    let plain: Vec<&Statement> = allows
        .iter()
        .copied()
        .filter(|statement| statement.conditions.is_empty())
        .collect();
    if covers_all(&plain) {
        return Some(Status::Proven);
    }
    if covers_all(&allows) {
        return Some(Status::Conditional);
    }
    None
}

fn denies_something(policies: &[Attached]) -> bool {
    statements(policies, Effect::Deny).next().is_some()
}

fn denies_everything(policies: &[Attached]) -> bool {
    let denies: Vec<&Statement> = statements(policies, Effect::Deny)
        .filter(|statement| on_everything(statement) && statement.conditions.is_empty())
        .collect();
    covers_all(&denies)
}

fn statements(policies: &[Attached], effect: Effect) -> impl Iterator<Item = &Statement> {
    let documents = policies
        .iter()
        .filter_map(|attached| attached.policy.document());
    documents
        .flat_map(|document| &document.statements)
        .filter(move |s| s.effect == effect)
}

fn on_everything(statement: &Statement) -> bool {
    match (&statement.resources, &statement.not_resources) {
        (Some(resources), _) => resources.iter().any(|resource| is_all(resource)),
        (None, Some(not_resources)) => not_resources.is_empty(),
        (None, None) => false,
    }
}

fn is_all(pattern: &str) -> bool {
    let pattern = pattern.trim();
    !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*')
}

/// Whether the actions of these statements are all there are: `*`, or everything but some and
/// those too.
fn covers_all(statements: &[&Statement]) -> bool {
    let named: Vec<Glob> = statements
        .iter()
        .filter_map(|statement| statement.actions.as_ref())
        .flatten()
        .map(|action| Glob::new(&action.trim().to_ascii_lowercase()))
        .collect();
    if named
        .iter()
        .any(|glob| glob.is_any() || glob.matches("*:*") && glob.covers(&Glob::new("*:*")))
    {
        return true;
    }
    statements
        .iter()
        .filter(|statement| statement.actions.is_none())
        .any(|statement| {
            statement.not_actions.iter().flatten().all(|but| {
                let but = Glob::new(&but.trim().to_ascii_lowercase());
                named.iter().any(|glob| glob.covers(&but))
            })
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::CompiledPolicy;

    fn judged(statements: &str) -> Option<Status> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let policy = Arc::new(CompiledPolicy::read(&text));
        allows_everything(&[Attached::new("p", policy)])
    }

    #[test]
    fn everything_may_be_said_in_several_ways() {
        let star = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let pairs = r#"{"Effect":"Allow","Action":"*:*","Resource":["x","*"]}"#;
        let halves = r#"{"Effect":"Allow","NotAction":["iam:*","sts:AssumeRole"],"Resource":"*"},
            {"Effect":"Allow","Action":["IAM:*","sts:*"],"Resource":"*"}"#;
        for text in [star, pairs, halves] {
            assert_eq!(judged(text), Some(Status::Proven), "{text}");
        }
        let power = r#"{"Effect":"Allow","NotAction":["iam:*"],"Resource":"*"}"#;
        let some = r#"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::*"}"#;
        assert_eq!(judged(power), None);
        assert_eq!(judged(some), None);
        let with_mfa = r#"{"Effect":"Allow","Action":"*","Resource":"*",
            "Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;
        assert_eq!(judged(with_mfa), Some(Status::Conditional));
    }
}
