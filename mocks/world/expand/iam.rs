//! IAM in full: ARNs, unique ids, access keys, attached policies by name, the credential report.

use serde_json::{Map, Value, json};

use super::{Outcome, Scope, document, each, fill, rename_keys};
use crate::managed::managed_policy;
use crate::world::{access_key_id, unique_id};

pub(super) fn expand(scope: &Scope<'_>, iam: &mut Map<String, Value>) -> Outcome {
    policies(scope, iam.get_mut("policies"))?;
    let paths = iam.get("policies").and_then(Value::as_object).cloned();
    let known = Known {
        scope,
        own: paths.unwrap_or_default(),
    };
    let mut used = Vec::new();
    each(iam.get_mut("users"), |name, user| {
        known.principal("users", "user", "AIDA", name, user, &mut used)?;
        fill(user, "created", scope.made.as_str());
        sort_texts(user.get_mut("groups"));
        credentials(scope, name, user);
        Ok(())
    })?;
    each(iam.get_mut("groups"), |name, group| {
        known.principal("groups", "group", "AGPA", name, group, &mut used)
    })?;
    each(iam.get_mut("roles"), |name, role| {
        known.principal("roles", "role", "AROA", name, role, &mut used)?;
        fill(role, "created", scope.made.as_str());
        if let Some(trust) = role.get_mut("trust") {
            document::trust(scope.partition, trust);
        }
        instance_profiles(scope, role.get_mut("instance_profiles"));
        Ok(())
    })?;
    add_managed(scope, iam, &used);
    for (kind, key) in [
        ("saml-provider", "saml_providers"),
        ("oidc-provider", "oidc_providers"),
    ] {
        each(iam.get_mut(key), |name, provider| {
            if key == "oidc_providers" {
                let url = name
                    .split_once("oidc-provider/")
                    .map_or(name, |(_, url)| url);
                fill(provider, "url", url);
                fill(provider, "client_ids", json!(["sts.amazonaws.com"]));
            }
            Ok(())
        })?;
        rename_keys(iam.get_mut(key), |name| {
            if name.starts_with("arn:") {
                name.to_owned()
            } else {
                scope.arn("iam", "", &format!("{kind}/{name}"))
            }
        });
    }
    fill(iam, "root", json!({"mfa": true, "access_keys": false}));
    Ok(())
}

struct Known<'a> {
    scope: &'a Scope<'a>,
    own: Map<String, Value>,
}

impl Known<'_> {
    fn principal(
        &self,
        plural: &str,
        kind: &str,
        prefix: &str,
        name: &str,
        entry: &mut Map<String, Value>,
        used: &mut Vec<String>,
    ) -> Outcome {
        let scope = self.scope;
        let path = entry.shift_remove("path");
        let path = path.as_ref().and_then(Value::as_str).unwrap_or("/");
        fill(
            entry,
            "arn",
            scope.arn("iam", "", &format!("{kind}{path}{name}")),
        );
        fill(entry, "id", unique_id(prefix, &[scope.account, kind, name]));
        if let Some(Value::Object(inline)) = entry.get_mut("inline") {
            inline.values_mut().for_each(document::policy);
        }
        if let Some(attached) = entry.get_mut("attached") {
            if let Value::String(one) = attached {
                *attached = json!([one]);
            }
            for policy in attached.as_array_mut().into_iter().flatten() {
                self.reference(&[plural, name, "attached"], policy, used)?;
            }
            sort_texts(Some(attached));
        }
        if let Some(boundary) = entry.get_mut("boundary") {
            self.reference(&[plural, name, "boundary"], boundary, used)?;
        }
        Ok(())
    }

    /// A managed policy by ARN, by `aws:Name`, or by the name of one of the account's own.
    fn reference(&self, at: &[&str], policy: &mut Value, used: &mut Vec<String>) -> Outcome {
        let Some(name) = policy.as_str() else {
            return Ok(());
        };
        let arn = if name.starts_with("arn:") {
            name.to_owned()
        } else if let Some(name) = name.strip_prefix("aws:") {
            let found = managed_policy(name).ok_or_else(|| {
                self.scope.fault(
                    at,
                    format!("no AWS-managed policy called `{name}` is known"),
                    "add it to `mocks/managed.yaml`, or attach it by ARN and write its document under `policies`",
                )
            })?;
            found.arn(self.scope.partition)
        } else {
            let tail = format!("/{name}");
            match self.own.keys().find(|arn| arn.ends_with(&tail)) {
                Some(arn) => arn.clone(),
                None => {
                    return Err(self.scope.fault(
                        at,
                        format!("no policy of this account is called `{name}`"),
                        "write it under `policies`, or say `aws:` before the name of an AWS-managed one",
                    ));
                }
            }
        };
        used.push(arn.clone());
        *policy = arn.into();
        Ok(())
    }
}

/// The account's own policies: by name or ARN, each a document or a mapping with versions.
fn policies(scope: &Scope<'_>, policies: Option<&mut Value>) -> Outcome {
    let Some(Value::Object(entries)) = policies else {
        return Ok(());
    };
    let mut full = Map::new();
    for (key, mut entry) in std::mem::take(entries) {
        if key.starts_with('$') {
            full.insert(key, entry);
            continue;
        }
        let name = key.rsplit('/').next().unwrap_or(&key).to_owned();
        document::policy(&mut entry);
        if entry.get("Statement").is_some() || entry.is_string() {
            entry = json!({ "document": entry });
        }
        let Value::Object(mut policy) = entry else {
            return Err(scope.fault(
                &["policies", &key],
                "not a policy",
                "write a document, or `versions` and `default_version`",
            ));
        };
        let path = policy.shift_remove("path");
        let path = path
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or("/")
            .to_owned();
        if let Some(mut document) = policy.shift_remove("document") {
            document::policy(&mut document);
            policy.insert("versions".to_owned(), json!({ "v1": document }));
        }
        if let Some(Value::Object(versions)) = policy.get_mut("versions") {
            versions.values_mut().for_each(document::policy);
        }
        fill(&mut policy, "default_version", "v1");
        fill(&mut policy, "name", name.as_str());
        let arn = if key.starts_with("arn:") {
            key
        } else {
            scope.arn("iam", "", &format!("policy{path}{name}"))
        };
        full.insert(arn, Value::Object(policy));
    }
    *entries = full;
    Ok(())
}

/// Adds the AWS-managed policies that something is attached to or bounded by.
fn add_managed(scope: &Scope<'_>, iam: &mut Map<String, Value>, used: &[String]) {
    let policies = iam
        .entry("policies")
        .or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(policies) = policies else {
        return;
    };
    if policies.contains_key("$gap") {
        return;
    }
    for arn in used {
        let name = arn.rsplit('/').next().unwrap_or_default();
        if let Some(policy) = managed_policy(name)
            && policy.arn(scope.partition) == *arn
            && !policies.contains_key(arn)
        {
            policies.insert(
                arn.clone(),
                json!({
                    "name": policy.name,
                    "default_version": policy.version,
                    "versions": { policy.version.as_str(): policy.document },
                }),
            );
        }
    }
}

/// Access keys as a number, or as mappings with or without an id; a password as a flag.
fn credentials(scope: &Scope<'_>, name: &str, user: &mut Map<String, Value>) {
    if let Some(count) = user.get("access_keys").and_then(Value::as_u64) {
        let keys = (0..count).map(|_| json!({})).collect::<Vec<_>>();
        user.insert("access_keys".to_owned(), keys.into());
    }
    if let Some(Value::Array(keys)) = user.get_mut("access_keys") {
        for (index, key) in keys.iter_mut().enumerate() {
            if key.is_null() {
                *key = json!({});
            }
            if let Value::String(status) = key {
                *key = json!({ "status": status });
            }
            if let Value::Object(key) = key {
                let id = access_key_id("AKIA", scope.account, &[name, &(index + 1).to_string()]);
                match key.get_mut("id") {
                    Some(Value::Array(parts)) => {
                        let id: String = parts.iter().filter_map(Value::as_str).collect();
                        key.insert("id".to_owned(), id.into());
                    }
                    _ => fill(key, "id", id),
                }
                fill(key, "created", scope.made.as_str());
            }
        }
        keys.sort_by(|one, other| text(one, "id").cmp(text(other, "id")));
    }
    match user.shift_remove("console") {
        Some(Value::Bool(true)) => fill(user, "login_profile", json!({"created": scope.made})),
        Some(Value::Bool(false)) | None => {}
        Some(other) => {
            user.insert("console".to_owned(), other);
        }
    }
    if let Some(Value::Object(profile)) = user.get_mut("login_profile")
        && !profile.contains_key("$gap")
    {
        fill(profile, "created", scope.made.as_str());
    }
    match user.shift_remove("mfa") {
        Some(Value::Bool(true)) => {
            let device = scope.arn("iam", "", &format!("mfa/{name}"));
            fill(user, "mfa_devices", json!([device]));
        }
        Some(Value::Bool(false)) | None => {}
        Some(other) => {
            user.insert("mfa".to_owned(), other);
        }
    }
}

fn instance_profiles(scope: &Scope<'_>, profiles: Option<&mut Value>) {
    let Some(profiles) = profiles else {
        return;
    };
    if let Value::String(one) = profiles {
        *profiles = json!([one]);
    }
    for profile in profiles.as_array_mut().into_iter().flatten() {
        if let Value::String(name) = profile {
            let arn = scope.arn("iam", "", &format!("instance-profile/{name}"));
            *profile = json!({"name": name, "arn": arn});
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn sort_texts(value: Option<&mut Value>) {
    if let Some(Value::Array(items)) = value {
        items.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        items.dedup();
    }
}
