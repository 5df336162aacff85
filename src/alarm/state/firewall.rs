//! WAF: web ACLs, what they protect and whether they write.

use std::collections::BTreeMap;

use palisade_model::{Observed, Resource, Snapshot};
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
    for acl in acls {
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
    match (used, faults.unread.is_empty()) {
        (0, true) => State::off("no web ACL protects anything"),
        (0, false) => State::Unknown {
            missing: faults.unread.into_iter().map(|one| one.says).collect(),
        },
        _ => faults.state(),
    }
}

/// The kind under which web ACLs stand among the resources.
const WEB_ACL: &str = "wafv2.web-acl";

/// Likewise those of the edge, which belong to no region.
const EDGE_WEB_ACL: &str = "wafv2.edge-web-acl";
