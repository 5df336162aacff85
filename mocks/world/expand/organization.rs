//! The organization by names: units and policies get ids, `FullAWSAccess` hangs everywhere it
//! was not taken off.

use palisade_model::Partition;
use serde_json::{Map, Value, json};

use super::{Fault, Outcome, document, each, fill, object};
use crate::world::hash_text;

const FULL: &str = "p-FullAWSAccess";
const RCP_FULL: &str = "p-RCPFullAWSAccess";

pub(super) fn expand(
    _partition: Partition,
    accounts: &Map<String, Value>,
    organization: &mut Value,
) -> Outcome {
    let Value::Object(tree) = organization else {
        return Ok(());
    };
    if tree.contains_key("$gap") || tree.contains_key("$not-applicable") {
        return Ok(());
    }
    let first = accounts.keys().next().cloned().unwrap_or_default();
    fill(tree, "management_account", first);
    let management = text(tree, "management_account");
    fill(
        tree,
        "id",
        format!("o-{}", hash_text(10, &[&management, "organization"])),
    );
    let id = text(tree, "id");
    fill(tree, "feature_set", "ALL");
    fill(tree, "root", format!("r-{}", hash_text(4, &[&id, "root"])));
    // A kind of policy that somebody wrote is in force unless the world says otherwise.
    let writes_rcp = tree
        .get("policies")
        .and_then(Value::as_object)
        .is_some_and(|all| all.values().any(|policy| policy["kind"] == "rcp"));
    let mut kinds = vec!["SERVICE_CONTROL_POLICY"];
    kinds.extend(writes_rcp.then_some("RESOURCE_CONTROL_POLICY"));
    fill(tree, "enabled_policy_types", json!(kinds));
    let mut ids = Ids {
        root: text(tree, "root"),
        organization: id,
        units: Vec::new(),
        policies: Vec::new(),
    };
    ids.units(tree)?;
    ids.accounts(tree, accounts)?;
    ids.policies(tree)?;
    ids.attachments(tree)
}

fn text(map: &Map<String, Value>, key: &str) -> String {
    map.get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

struct Ids {
    root: String,
    organization: String,
    units: Vec<(String, String)>,
    policies: Vec<(String, String)>,
}

impl Ids {
    /// The id behind a name of the tree: `root`, a unit's name, or an id as written.
    fn target(&self, name: &str) -> Option<String> {
        if name == "root" {
            return Some(self.root.clone());
        }
        if let Some((_, id)) = self.units.iter().find(|(known, _)| known == name) {
            return Some(id.clone());
        }
        let is_account = name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit());
        let known = is_account || name == self.root || self.units.iter().any(|(_, id)| id == name);
        known.then(|| name.to_owned())
    }

    fn parent(&self, at: &[&str], entry: &mut Map<String, Value>) -> Outcome {
        fill(entry, "parent", "root");
        let name = text(entry, "parent");
        let id = self.target(&name).ok_or_else(|| {
            let mut path = vec!["organization"];
            path.extend(at);
            Fault::new(
                &path,
                format!("no unit is called `{name}`"),
                "write `root` or a unit",
            )
        })?;
        entry.insert("parent".to_owned(), id.into());
        Ok(())
    }

    fn units(&mut self, tree: &mut Map<String, Value>) -> Outcome {
        let Some(Value::Object(units)) = tree.get_mut("units") else {
            return Ok(());
        };
        if units.contains_key("$gap") {
            return Ok(());
        }
        let root = self.root.trim_start_matches("r-").to_owned();
        for name in units.keys() {
            let id = if name.starts_with("ou-") {
                name.clone()
            } else {
                format!(
                    "ou-{root}-{}",
                    hash_text(8, &[&self.organization, "unit", name])
                )
            };
            self.units.push((name.clone(), id));
        }
        let mut full = Map::new();
        for (name, unit) in std::mem::take(units) {
            let mut unit = match unit {
                Value::String(parent) => object(Some(json!({ "parent": parent }))),
                unit => object(Some(unit)),
            };
            fill(&mut unit, "name", name.as_str());
            self.parent(&["units", &name], &mut unit)?;
            let id = self.target(&name).expect("every unit was just given an id");
            full.insert(id, Value::Object(unit));
        }
        *units = full;
        Ok(())
    }

    fn accounts(&self, tree: &mut Map<String, Value>, known: &Map<String, Value>) -> Outcome {
        let members = tree
            .entry("accounts")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(members) = members
            && !members.contains_key("$gap")
        {
            for id in known.keys() {
                fill(members, id, json!({}));
            }
            members.sort_keys();
        }
        each(Some(members), |id, member| {
            fill(member, "name", format!("account-{id}"));
            fill(member, "status", "ACTIVE");
            self.parent(&["accounts", id], member)
        })
    }

    fn policies(&mut self, tree: &mut Map<String, Value>) -> Outcome {
        let rcp = tree
            .get("enabled_policy_types")
            .and_then(Value::as_array)
            .is_some_and(|types| types.iter().any(|kind| kind == "RESOURCE_CONTROL_POLICY"));
        let policies = tree
            .entry("policies")
            .or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(policies) = policies else {
            return Ok(());
        };
        if policies.contains_key("$gap") {
            return Ok(());
        }
        let mut full = Map::new();
        for (name, mut policy) in std::mem::take(policies) {
            document::policy(&mut policy);
            if policy.get("Statement").is_some() {
                policy = json!({ "document": policy });
            }
            let mut policy = object(Some(policy));
            if let Some(document) = policy.get_mut("document") {
                document::policy(document);
            }
            let id = if name.starts_with("p-") {
                name.clone()
            } else {
                format!("p-{}", hash_text(8, &[&self.organization, "policy", &name]))
            };
            fill(&mut policy, "name", name.as_str());
            self.policies.push((name, id.clone()));
            full.insert(id, Value::Object(policy));
        }
        let all = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}
        ]});
        fill(
            &mut full,
            FULL,
            json!({
                "name": "FullAWSAccess", "kind": "scp", "aws_managed": true, "document": all
            }),
        );
        if rcp {
            let mut all = all;
            all["Statement"][0]["Principal"] = "*".into();
            fill(
                &mut full,
                RCP_FULL,
                json!({
                    "name": "RCPFullAWSAccess", "kind": "rcp", "aws_managed": true, "document": all
                }),
            );
        }
        *policies = full;
        Ok(())
    }

    /// Attachments by names. `!FullAWSAccess` in a target's list says that it was taken off.
    fn attachments(&self, tree: &mut Map<String, Value>) -> Outcome {
        let has = |id: &str| {
            tree.get("policies")
                .is_some_and(|known| known.get(id).is_some())
        };
        let everywhere: Vec<&str> = [FULL, RCP_FULL].into_iter().filter(|id| has(id)).collect();
        let mut targets = vec![self.root.clone()];
        targets.extend(self.units.iter().map(|(_, id)| id.clone()));
        if let Some(Value::Object(members)) = tree.get("accounts") {
            targets.extend(members.keys().filter(|id| !id.starts_with('$')).cloned());
        }
        let written = match tree.get("attachments") {
            Some(map) if map.get("$gap").is_some() => return Ok(()),
            map => object(map.cloned()),
        };
        let mut full: Map<String, Value> = Map::new();
        for target in &targets {
            full.insert(target.clone(), json!(everywhere));
        }
        for (name, list) in written {
            let at = ["organization", "attachments", &name];
            let target = self.target(&name).ok_or_else(|| {
                Fault::new(
                    &at,
                    "this is no target",
                    "write `root`, a unit or an account id",
                )
            })?;
            let list = match list {
                Value::String(one) => vec![Value::String(one)],
                list => list.as_array().cloned().unwrap_or_default(),
            };
            let attached = full.entry(target).or_insert_with(|| json!([]));
            let mut ids: Vec<String> = serde_json::from_value(attached.take()).unwrap_or_default();
            for policy in list.iter().filter_map(Value::as_str) {
                if let Some(off) = policy.strip_prefix('!') {
                    ids.retain(|id| id.trim_start_matches("p-") != off.trim_start_matches("p-"));
                    continue;
                }
                let known = self
                    .policies
                    .iter()
                    .find(|(name, id)| name == policy || id == policy);
                match known {
                    Some((_, id)) => ids.push(id.clone()),
                    None if policy == FULL || policy == "FullAWSAccess" => {
                        ids.push(FULL.to_owned())
                    }
                    None => {
                        return Err(Fault::new(
                            &at,
                            format!("no organization policy is called `{policy}`"),
                            "write it under `organization.policies`",
                        ));
                    }
                }
            }
            ids.sort();
            ids.dedup();
            *attached = json!(ids);
        }
        tree.insert("attachments".to_owned(), Value::Object(full));
        Ok(())
    }
}
