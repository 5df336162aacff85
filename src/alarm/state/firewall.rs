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
        .chain(global.and_then(|data| data.resources.get(WEB_ACL)))
}

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
        match acl.attributes.get("resources") {
            Some(Observed::Value(Value::Array(list))) if !list.is_empty() => used += 1,
            Some(Observed::Gap(gap)) => {
                faults.unread("", gap);
                continue;
            }
            None => {
                let arn = &acl.arn;
                faults.unread("", format!("what {arn} protects was not collected"));
                continue;
            }
            _ => continue,
        }
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
