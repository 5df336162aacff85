//! Which changes take a step from a path: a statement withdrawn, an action denied to one or to an
//! account, a door shut.

use std::collections::BTreeSet;

use palisade_model::Arn;

use super::cuts::Course;
use crate::change::{Change, Place};
use crate::graph::{Edge, Guarded, Node, Request, Statement};

/// Every known change that takes a step from a path.
pub(super) fn cutting(course: &Course<'_>, guarded: &Guarded) -> BTreeSet<Change> {
    let mut all = BTreeSet::new();
    for hop in &course.path.hops {
        for request in &hop.requests {
            if let Node::Principal { arn } = course.of(&request.principal) {
                for statement in &request.statements {
                    all.extend(withdrawing(arn, request, statement));
                }
                all.extend(guarding(arn, request, guarded));
            }
        }
        if !matches!(hop.from, Node::Principal { .. } | Node::Elevated { .. }) {
            all.extend(closing(hop));
        }
    }
    all
}

/// What takes a request's permission away.
fn withdrawing(principal: &Arn, request: &Request, statement: &Statement) -> Vec<Change> {
    let withdraw = |place: Place| Change::Withdraw {
        place,
        statement: statement.statement.clone(),
        action: request.action.clone(),
    };
    let deny = || Change::Deny {
        principal: principal.clone(),
        action: request.action.clone(),
    };
    match statement.layer.as_str() {
        "identity" => {
            let place = place_of(principal, &statement.policy);
            place.map(withdraw).into_iter().chain([deny()]).collect()
        }
        "resource" if statement.policy == "trust policy" => {
            let role = Arn::from(request.resource.as_str());
            vec![withdraw(Place::Trust { role }), deny()]
        }
        "resource" => vec![deny()],
        _ => Vec::new(),
    }
}

/// Where a principal's policy stands, from how it is cited; policies of AWS cannot be changed.
fn place_of(principal: &Arn, cited: &str) -> Option<Place> {
    if cited.starts_with("arn:") {
        let policy = Arn::from(cited);
        return (policy.account() != "aws").then_some(Place::Managed { policy });
    }
    let mut quoted = cited.strip_prefix("inline policy `")?.split('`');
    let policy = quoted.next()?.to_owned();
    Some(match quoted.nth(1) {
        Some(group) if !group.is_empty() => Place::Group {
            account: principal.account().to_owned(),
            group: group.to_owned(),
            policy,
        },
        _ => Place::Inline {
            principal: principal.clone(),
            policy,
        },
    })
}

/// An SCP over the principal's account, where it has an effect; administrators are let through,
/// so it holds back whoever is none.
fn guarding(principal: &Arn, request: &Request, guarded: &Guarded) -> Option<Change> {
    let exempt = guarded.get(principal.account())?;
    (!exempt.contains(principal)).then(|| Change::Guard {
        account: principal.account().to_owned(),
        action: request.action.clone(),
        exempt: exempt.clone(),
    })
}

/// What shuts the door an outsider comes in by.
fn closing(hop: &Edge) -> Vec<Change> {
    let mut all = Vec::new();
    for bound in hop.bindings.values() {
        let arn = Arn::from(bound.as_str());
        if arn.service() == "ec2" && arn.resource().starts_with("instance/") {
            all.push(Change::RequireTokens {
                instance: arn.clone(),
            });
        }
        if arn.service() == "lambda" && arn.resource().starts_with("function:") {
            all.push(Change::SignUrls {
                function: arn.clone(),
            });
        }
        if let Some((_, name)) = bound.split_once(":s3:::") {
            let bucket = name.split('/').next().unwrap_or(name).to_owned();
            all.push(Change::BlockPublicAccess { bucket });
        }
    }
    match &hop.to {
        Node::Workload { arn } if arn.service() == "lambda" => {
            all.push(Change::SignUrls {
                function: arn.clone(),
            });
        }
        Node::Principal { arn } if arn.resource().starts_with("user/") => {
            all.push(Change::DeactivateKeys { user: arn.clone() });
        }
        Node::Principal { arn } => all.push(Change::CloseTrust { role: arn.clone() }),
        _ => {}
    }
    all
}
