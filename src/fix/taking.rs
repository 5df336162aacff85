//! Which changes take a step from a way: a statement withdrawn, an action denied to one or to an
//! account, a door shut. And which others bear on it although nobody would think of them first.

use std::collections::BTreeSet;
use std::rc::Rc;

use palisade_model::Arn;

use crate::change::{Change, Place};
use crate::graph::{Ask, Grant, Guarded, Hop, Node};

/// Every known change that takes a step from a way.
pub(super) fn cutting(hops: &[Rc<Hop>], guarded: &Guarded) -> BTreeSet<Change> {
    let mut all = BTreeSet::new();
    for hop in hops {
        for ask in &hop.asks {
            let grants = ask.grants.iter();
            all.extend(grants.flat_map(|grant| withdrawing(ask, grant)));
            all.extend(guarding(ask, guarded));
        }
        if hop.from.is_outside() {
            all.extend(closing(hop));
        }
    }
    all
}

/// What takes a request's permission away. What a principal has made of itself is nobody's to
/// change beforehand: there only the other side is left.
fn withdrawing(ask: &Ask, grant: &Grant) -> Vec<Change> {
    let withdraw = |place: Place| Change::Withdraw {
        place,
        statement: grant.statement.clone(),
        action: ask.action.clone(),
    };
    let kind = ask.principal.resource();
    let is_known = kind.starts_with("user/") || kind.starts_with("role/");
    let deny = (is_known && ask.unchanged).then(|| Change::Deny {
        principal: ask.principal.clone(),
        action: ask.action.clone(),
    });
    let place = match grant.layer.as_str() {
        "identity" if ask.unchanged => place_of(&ask.principal, &grant.policy),
        "resource" if grant.policy == "trust policy" => Some(Place::Trust {
            role: Arn::from(ask.resource.as_str()),
        }),
        "resource" => None,
        _ => return Vec::new(),
    };
    place.map(withdraw).into_iter().chain(deny).collect()
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
fn guarding(ask: &Ask, guarded: &Guarded) -> Option<Change> {
    let exempt = guarded.get(ask.principal.account())?;
    (!exempt.contains(&ask.principal)).then(|| Change::Guard {
        account: ask.principal.account().to_owned(),
        action: ask.action.clone(),
        exempt: exempt.clone(),
    })
}

/// What shuts the door an outsider comes in by.
fn closing(hop: &Hop) -> Vec<Change> {
    let mut all = Vec::new();
    for bound in &hop.bound {
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
        if let Some(bucket) = bucket_of(bound) {
            all.push(Change::BlockPublicAccess { bucket });
        }
    }
    match &hop.to {
        Node::Workload { arn } if arn.service() == "lambda" => {
            all.push(Change::SignUrls {
                function: arn.clone(),
            });
        }
        Node::Data { arn } => {
            let bucket = bucket_of(arn.as_str());
            all.extend(bucket.map(|bucket| Change::BlockPublicAccess { bucket }));
        }
        Node::Principal { arn } if arn.resource().starts_with("user/") => {
            all.push(Change::DeactivateKeys { user: arn.clone() });
        }
        Node::Principal { arn } => all.push(Change::CloseTrust { role: arn.clone() }),
        _ => {}
    }
    all
}

/// The bucket that an ARN or an object's address names.
fn bucket_of(name: &str) -> Option<String> {
    let (_, rest) = name.split_once(":s3:::")?;
    Some(rest.split('/').next().unwrap_or(rest).to_owned())
}

/// By what a change takes hold of a way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Handle {
    /// A principal sends a request for an action.
    Sends(Arn, String),
    /// Somebody who holds a policy sends one.
    Holds(Place, String),
    /// Somebody of an account sends one, whom an SCP holds back.
    Guarded(String, String),
    /// A step speaks of a resource.
    Speaks(String),
}

/// What a change takes hold of. Who withdraws what a pattern allows denies it beside, so it does
/// not matter which statement let a request through.
pub(super) fn handle(change: &Change) -> Handle {
    match change {
        Change::Withdraw { place, action, .. } => match place {
            Place::Inline { principal, .. } => Handle::Sends(principal.clone(), action.clone()),
            Place::Trust { role } => Handle::Speaks(role.to_string()),
            place => Handle::Holds(place.clone(), action.clone()),
        },
        Change::Deny { principal, action } => Handle::Sends(principal.clone(), action.clone()),
        Change::Guard {
            account, action, ..
        } => Handle::Guarded(account.clone(), action.clone()),
        Change::BlockPublicAccess { bucket } => Handle::Speaks(format!("arn:aws:s3:::{bucket}")),
        Change::CloseTrust { role: arn }
        | Change::DeactivateKeys { user: arn }
        | Change::RequireTokens { instance: arn }
        | Change::SignUrls { function: arn } => Handle::Speaks(arn.to_string()),
    }
}

/// All that a change could take hold of in a way.
pub(super) fn handles(hops: &[Rc<Hop>], guarded: &Guarded) -> BTreeSet<Handle> {
    let mut all = BTreeSet::new();
    let mut speaks = |name: &str| match bucket_of(name) {
        Some(bucket) => all.insert(Handle::Speaks(format!("arn:aws:s3:::{bucket}"))),
        None => all.insert(Handle::Speaks(name.to_owned())),
    };
    for hop in hops {
        if let Some(arn) = hop.to.arn() {
            speaks(arn.as_str());
        }
        for name in hop
            .bound
            .iter()
            .chain(hop.asks.iter().map(|ask| &ask.resource))
        {
            speaks(name);
        }
    }
    for ask in hops.iter().flat_map(|hop| &hop.asks) {
        let (sender, action) = (&ask.principal, &ask.action);
        all.insert(Handle::Sends(sender.clone(), action.clone()));
        let cited = ask.grants.iter().map(|grant| &grant.policy);
        for name in ask.held.iter().chain(cited) {
            match place_of(sender, name) {
                None | Some(Place::Inline { .. }) => {}
                Some(place) => drop(all.insert(Handle::Holds(place, action.clone()))),
            }
        }
        let exempt = guarded.get(sender.account());
        if exempt.is_some_and(|exempt| !exempt.contains(sender)) {
            let account = sender.account().to_owned();
            all.insert(Handle::Guarded(account, action.clone()));
        }
    }
    all
}
