//! One account: its IAM and S3 facts may stand at its top, its regions may be a list of names.

use serde_json::{Map, Value};

use super::{Outcome, Scope, bucket, each, fill, iam, is_outcome, object, regional, rename_keys};
use crate::world::Content;

/// Facts that stand under `iam` in a snapshot.
pub(in crate::world) const IAM: [&str; 9] = [
    "users",
    "groups",
    "roles",
    "policies",
    "root",
    "credential_report",
    "saml_providers",
    "oidc_providers",
    "alias",
];

/// Facts that stand under `s3` in a snapshot.
pub(in crate::world) const S3: [&str; 3] = ["public_access_block", "buckets", "access_points"];

pub(super) fn expand(
    scope: &mut Scope<'_>,
    mut account: Map<String, Value>,
    every_region: &Map<String, Value>,
    content: &mut Content,
) -> Outcome<Map<String, Value>> {
    let mut iam = gather(&mut account, "iam", &IAM);
    let mut s3 = gather(&mut account, "s3", &S3);
    iam::expand(scope, &mut iam)?;
    for (name, role) in iam
        .get("roles")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if let Some(arn) = role.get("arn").and_then(Value::as_str) {
            scope.roles.insert(name.clone(), arn.to_owned());
        }
    }
    let scope = &*scope;
    bucket::expand(scope, &mut s3, &iam, content)?;
    account.insert("iam".to_owned(), Value::Object(iam));
    account.insert("s3".to_owned(), Value::Object(s3));
    trails(scope, account.get_mut("trails"))?;
    let regions = regions(scope, account.shift_remove("regions"), every_region)?;
    account.insert("regions".to_owned(), regions);
    each(account.get_mut("regions"), |name, region| {
        regional::expand(scope, name, region)
    })?;
    regional::resources(scope, "", account.get_mut("resources"))?;
    Ok(account)
}

/// The mapping under `room`, with the facts of `keys` that stand beside it moved in.
fn gather(account: &mut Map<String, Value>, room: &str, keys: &[&str]) -> Map<String, Value> {
    let mut inside = object(account.shift_remove(room));
    for key in keys {
        if let Some(value) = account.shift_remove(*key) {
            inside.insert((*key).to_owned(), value);
        }
    }
    inside
}

/// Adds the world's regions to those that the account speaks of itself.
pub(super) fn add_regions(account: &mut Map<String, Value>, regions: Option<&Value>) {
    let Some(regions) = regions else {
        return;
    };
    let Some(Value::Object(own)) = account.get_mut("regions") else {
        fill(account, "regions", regions.clone());
        return;
    };
    match regions {
        Value::Array(names) => {
            for name in names.iter().filter_map(Value::as_str) {
                fill(own, name, Value::Object(Map::new()));
            }
        }
        Value::Object(map) => {
            for (name, region) in map {
                fill(own, name, region.clone());
            }
        }
        _ => {}
    }
}

/// Regions as names or as a mapping; `every_region` is laid under those that are on.
fn regions(
    scope: &Scope<'_>,
    written: Option<Value>,
    every_region: &Map<String, Value>,
) -> Outcome<Value> {
    let mut regions = match written {
        Some(outcome) if !outcome.is_null() && is_outcome(&outcome) => return Ok(outcome),
        Some(Value::Array(names)) => {
            let mut map = Map::new();
            for name in names {
                let Value::String(name) = name else {
                    return Err(scope.fault(
                        &["regions"],
                        "a region in this list is not a name",
                        "write names such as `us-east-1`",
                    ));
                };
                map.insert(name, Value::Object(Map::new()));
            }
            map
        }
        written => object(written),
    };
    if regions.is_empty() {
        regions.insert(scope.home.clone(), Value::Object(Map::new()));
    }
    for region in regions.values_mut() {
        match region {
            Value::String(state) if state == "off" || state == "not-asked" => {
                let state = std::mem::take(state);
                *region =
                    serde_json::to_value(palisade_model::Region::left_out(if state == "off" {
                        palisade_model::RegionState::Off
                    } else {
                        palisade_model::RegionState::NotAsked
                    }))
                    .expect("a region always has a JSON form");
            }
            Value::Null => *region = Value::Object(every_region.clone()),
            Value::Object(region) => {
                for (key, value) in every_region {
                    fill(region, key, value.clone());
                }
            }
            _ => {}
        }
    }
    Ok(Value::Object(regions))
}

fn trails(scope: &Scope<'_>, trails: Option<&mut Value>) -> Outcome {
    let Some(trails) = trails else {
        return Ok(());
    };
    each(Some(trails), |name, trail| {
        let name = name.rsplit('/').next().unwrap_or(name);
        fill(trail, "name", name);
        fill(trail, "home_region", scope.home.as_str());
        fill(trail, "multi_region", true);
        fill(trail, "global_events", true);
        fill(trail, "log_validation", true);
        fill(trail, "logging", true);
        fill(
            trail,
            "selectors",
            serde_json::json!({"basic": [{
                "ReadWriteType": "All",
                "IncludeManagementEvents": true,
                "DataResources": [],
                "ExcludeManagementEventSources": []
            }]}),
        );
        Ok(())
    })?;
    let home = trails
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, trail)| {
            let home = trail.get("home_region")?.as_str()?;
            Some((name.clone(), home.to_owned()))
        })
        .collect::<std::collections::BTreeMap<_, _>>();
    rename_keys(Some(trails), |name| {
        if name.starts_with("arn:") {
            name.to_owned()
        } else {
            let home = home.get(name).map_or(scope.home.as_str(), String::as_str);
            scope.arn("cloudtrail", home, &format!("trail/{name}"))
        }
    });
    Ok(())
}
