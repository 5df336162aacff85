//! Where the SCPs go: as high as they are needed everywhere below, where there is room.

use std::collections::BTreeSet;

use palisade_checks::ScpLimits;
use palisade_model::{Observed, OrgPolicyKind, Organization};

use super::Target;

/// The targets for `count` documents, and what stands in the way.
pub(super) fn plan(
    organization: &Organization,
    accounts: &BTreeSet<&str>,
    count: usize,
    limits: &ScpLimits,
) -> (Vec<Target>, Vec<String>) {
    let mut problems = Vec::new();
    let chains: Vec<Vec<&str>> = accounts
        .iter()
        .filter_map(|account| match organization.chain(account) {
            Some(chain) => Some(chain),
            None => {
                problems.push(format!("the tree does not lead to account {account}"));
                None
            }
        })
        .collect();
    let mut targets = BTreeSet::new();
    // The lowest place above all of them; further down where that has no room left.
    let common = chains.first().map_or(0, |first| {
        (0..first.len())
            .take_while(|at| chains.iter().all(|chain| chain.get(*at) == first.get(*at)))
            .count()
    });
    for chain in &chains {
        let from = common.saturating_sub(1);
        let with_room = |most: usize| {
            let mut places = chain[from..].iter();
            places.find(|id| has_room(organization, id, count, most))
        };
        let most = limits.raised.policies_per_target;
        match with_room(limits.policies_per_target).or_else(|| with_room(most)) {
            Some(id) => {
                targets.insert(target(organization, id));
            }
            None => problems.push(format!(
                "nowhere above account {} is there room for {count} more SCPs: {} is the most one target takes; merge existing ones",
                chain.last().unwrap_or(&""),
                most
            )),
        }
    }
    (targets.into_iter().collect(), problems)
}

fn has_room(organization: &Organization, id: &str, count: usize, most: usize) -> bool {
    let attached = organization.attachments.value().and_then(|all| all.get(id));
    let policies = organization.policies.value();
    let scps = attached.into_iter().flatten().filter(|policy| {
        let known = policies.and_then(|all| all.get(*policy));
        known.is_none_or(|policy| policy.kind == OrgPolicyKind::Scp)
    });
    scps.count() + count <= most
}

fn target(organization: &Organization, id: &str) -> Target {
    let unit = organization
        .units
        .value()
        .and_then(|units| units.get(id))
        .map(|u| &u.name);
    let account = organization
        .accounts
        .value()
        .and_then(|all| all.get(id))
        .map(|a| &a.name);
    let name = match (&organization.root, unit.or(account)) {
        (_, Some(name)) => name.clone(),
        (Observed::Value(root), None) if root == id => "the organization's root".to_owned(),
        _ => String::new(),
    };
    Target {
        id: id.to_owned(),
        name,
    }
}
