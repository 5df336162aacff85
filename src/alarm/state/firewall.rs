//! WAF: web ACLs, what they protect and whether they write.

use std::collections::BTreeMap;

use palisade_model::{Account, Listed, Observed, Resource, Snapshot};
use serde_json::Value;

use super::{Faults, State};

/// The lists of web ACLs that bear on a region; those of the edge count in the home region.
fn web_acls<'a>(
    snapshot: &'a Snapshot,
    account: &str,
    name: &str,
) -> impl Iterator<Item = &'a Observed<BTreeMap<String, Resource>>> {
    let data = snapshot.accounts.get(account);
    let home = name == snapshot.partition.home_region();
    let regions = data.and_then(|data| data.regions.value());
    let region = regions.and_then(|regions| regions.get(name));
    let own = region.and_then(|region| region.resources.get(WEB_ACL));
    let global = data.filter(|_| home);
    own.into_iter()
        .chain(global.and_then(|data| data.resources.get(EDGE_WEB_ACL)))
}

/// Whether a web ACL is known to protect something; what was not read is noted.
///
/// Source: ListResourcesForWebACL, AWS WAFV2 API Reference: it answers for one type of resource
/// at a time, and for those of the edge CloudFront answers.
fn protects(snapshot: &Snapshot, account: &str, acl: &Resource, faults: &mut Faults) -> bool {
    let lists = match acl.arn.resource().starts_with("global/") {
        true => return protects_edge(snapshot, account, acl, faults),
        false => REGIONAL.map(|name| (name, acl.attributes.get(name))),
    };
    let filled = |list: &Option<&Observed<Value>>| matches!(list, Some(Observed::Value(Value::Array(list))) if !list.is_empty());
    if lists.iter().any(|(_, list)| filled(list)) {
        return true;
    }
    for (name, list) in lists {
        match list {
            Some(Observed::Gap(gap)) => faults.unread("", gap),
            None => {
                let arn = &acl.arn;
                faults.unread(
                    "",
                    format!("the {name} that {arn} protects were not collected"),
                );
            }
            _ => {}
        }
    }
    false
}

fn protects_edge(snapshot: &Snapshot, account: &str, acl: &Resource, faults: &mut Faults) -> bool {
    let data = snapshot.accounts.get(account);
    let distributions = data.and_then(|data| data.resources.get("cloudfront.distribution"));
    let distributions = match distributions {
        Some(Observed::Value(map)) => map,
        Some(Observed::Gap(gap)) => {
            faults.unread("", gap);
            return false;
        }
        Some(_) => return false,
        None => {
            faults.unread("", "cloudfront:ListDistributions was not collected");
            return false;
        }
    };
    let mut found = false;
    for distribution in distributions.values() {
        match distribution.attributes.get("web_acl") {
            Some(Observed::Value(Value::String(arn))) => found |= *arn == acl.arn.as_str(),
            Some(Observed::Gap(gap)) => faults.unread("", gap),
            _ => {}
        }
    }
    found
}

/// The attributes that hold what a regional web ACL protects.
const REGIONAL: [&str; 5] = [
    "resources",
    "api_stages",
    "graphql_apis",
    "user_pools",
    "app_runner_services",
];

/// Whether there are web ACLs, in use or not.
pub(super) fn has_web_acls(snapshot: &Snapshot, account: &str, name: &str) -> bool {
    web_acls(snapshot, account, name).any(|list| list.value().is_some_and(|map| !map.is_empty()))
}

/// A web ACL that protects nothing is not in use.
pub(super) fn waf(snapshot: &Snapshot, account: &str, name: &str) -> State {
    let mut acls: Vec<&Resource> = Vec::new();
    let mut asked = false;
    for list in web_acls(snapshot, account, name) {
        asked = true;
        match list {
            Observed::Value(map) => acls.extend(map.values()),
            Observed::Gap(gap) => return State::unknown(gap),
            Observed::NotApplicable(why) => return State::not_applicable(why),
            Observed::Absent => {}
        }
    }
    if !asked {
        return State::Unknown {
            missing: vec!["wafv2:ListWebACLs was not collected".to_owned()],
        };
    }
    let mut faults = Faults::default();
    let mut used = 0;
    for acl in &acls {
        if !protects(snapshot, account, acl, &mut faults) {
            continue;
        }
        used += 1;
        match acl.attributes.get("logging") {
            Some(Observed::Absent | Observed::Value(Value::Bool(false))) => {
                faults.add("logging", format!("`{}` writes no log", acl.arn.name()));
            }
            Some(Observed::Gap(gap)) => faults.unread("logging", gap),
            None => faults.unread("logging", "wafv2:GetLoggingConfiguration was not collected"),
            _ => {}
        }
    }
    if used > 0 {
        unguarded(snapshot, account, name, &acls, &mut faults);
    }
    match (used, faults.unread.is_empty()) {
        (0, true) => State::off("no web ACL protects anything"),
        (0, false) => State::Unknown {
            missing: faults.unread.into_iter().map(|one| one.says).collect(),
        },
        _ => faults.state(),
    }
}

/// What faces the internet, by kind: the attribute of a web ACL that lists those of that kind it
/// protects.
const FACING: [(&str, &str, &str); 4] = [
    (
        "elasticloadbalancing.load-balancer",
        "resources",
        "load balancer",
    ),
    ("appsync.graphqlapi", "graphql_apis", "GraphQL API"),
    ("cognito-idp.user-pool", "user_pools", "user pool"),
    (
        "apprunner.service",
        "app_runner_services",
        "service of App Runner",
    ),
];

/// Things that face the internet beside the web ACLs of a place where WAF is in use. Stages of
/// API Gateway are not listed: the permission to would reveal API keys.
///
/// Source: "Resources that you can protect with AWS WAF", AWS WAF Developer Guide, 2026-11.
fn unguarded(
    snapshot: &Snapshot,
    account: &str,
    name: &str,
    acls: &[&Resource],
    faults: &mut Faults,
) {
    let data = snapshot.accounts.get(account);
    let region = data.and_then(|data| data.regions.value()?.get(name));
    let Some((data, region)) = data.zip(region) else {
        return;
    };
    for (kind, list, what) in FACING {
        let things = match region.listed(kind) {
            Listed::All(things) => things,
            Listed::Unread(gap) => {
                faults.unread("unguarded", gap);
                continue;
            }
            Listed::None => continue,
        };
        for (thing, resource) in things.iter().filter(|(_, thing)| faces_the_internet(thing)) {
            match guarded(acls, list, resource.arn.as_str()) {
                Ok(true) => {}
                Ok(false) => {
                    faults.add(
                        "unguarded",
                        format!("no web ACL protects the {what} `{thing}`"),
                    );
                }
                Err(gap) => faults.unread("unguarded", gap),
            }
        }
    }
    if name == snapshot.partition.home_region() {
        unguarded_at_the_edge(data, faults);
    }
}

/// Of load balancers only those for web requests from anywhere; the other kinds always.
fn faces_the_internet(thing: &Resource) -> bool {
    let says = |attribute: &str, wanted: &str| match thing.attributes.get(attribute) {
        Some(Observed::Value(Value::String(text))) => text == wanted,
        _ => false,
    };
    thing.arn.service() != "elasticloadbalancing"
        || (says("type", "application") && says("scheme", "internet-facing"))
}

/// Whether a list of any web ACL names it.
///
/// # Errors
/// The gap, where none of those that were read does and not all were.
fn guarded(acls: &[&Resource], list: &str, arn: &str) -> Result<bool, String> {
    let mut unread = None;
    for acl in acls
        .iter()
        .filter(|acl| !acl.arn.resource().starts_with("global/"))
    {
        match acl.attributes.get(list) {
            Some(Observed::Value(Value::Array(named)))
                if named.iter().any(|one| one.as_str() == Some(arn)) =>
            {
                return Ok(true);
            }
            Some(Observed::Gap(gap)) => unread = Some(gap.to_string()),
            None => unread = Some("wafv2:ListResourcesForWebACL was not collected".to_owned()),
            _ => {}
        }
    }
    unread.map_or(Ok(false), Err)
}

fn unguarded_at_the_edge(data: &Account, faults: &mut Faults) {
    let distributions = match data.resources.get("cloudfront.distribution") {
        Some(Observed::Value(map)) => map,
        Some(Observed::Gap(gap)) => return faults.unread("unguarded", gap),
        Some(_) => return,
        None => {
            return faults.unread(
                "unguarded",
                "cloudfront:ListDistributions was not collected",
            );
        }
    };
    for (name, distribution) in distributions {
        if distribution.attributes.get("enabled") == Some(&Observed::Value(Value::Bool(false))) {
            continue;
        }
        match distribution.attributes.get("web_acl") {
            Some(Observed::Value(Value::String(arn))) if !arn.is_empty() => {}
            Some(Observed::Gap(gap)) => faults.unread("unguarded", gap),
            _ => faults.add(
                "unguarded",
                format!("no web ACL protects the distribution `{name}`"),
            ),
        }
    }
}

/// The kind under which web ACLs stand among the resources.
const WEB_ACL: &str = "wafv2.web-acl";

/// Likewise those of the edge, which belong to no region.
const EDGE_WEB_ACL: &str = "wafv2.edge-web-acl";
