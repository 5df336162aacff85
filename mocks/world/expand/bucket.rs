//! S3 in full: regions, ACLs by their canned names, objects with content, access points.

use serde_json::{Map, Value, json};

use super::{Outcome, Scope, document, each, fill, is_outcome, rename_keys};
use crate::world::{Content, access_key_id, canonical_user, hash_text, secret_text, zone_of_key};

pub(super) fn expand(
    scope: &Scope<'_>,
    s3: &mut Map<String, Value>,
    iam: &Map<String, Value>,
    content: &mut Content,
) -> Outcome {
    flags(s3.get_mut("public_access_block"));
    each(s3.get_mut("buckets"), |name, bucket| {
        fill(bucket, "region", scope.home.as_str());
        fill(bucket, "created", scope.made.as_str());
        flags(bucket.get_mut("public_access_block"));
        if let Some(policy) = bucket.get_mut("policy") {
            document::policy(policy);
            if policy.get("$gap").is_none() && !policy.is_null() {
                let public = looks_public(policy);
                fill(bucket, "policy_is_public", public);
            }
        }
        acl(scope, bucket.get_mut("acl"));
        if let Some(Value::String(index)) = bucket.get("website") {
            let website = json!({ "index": index });
            bucket.insert("website".to_owned(), website);
        }
        objects(scope, name, bucket, iam, content)
    })?;
    each(s3.get_mut("access_points"), |name, point| {
        let name = name.rsplit('/').next().unwrap_or(name);
        fill(point, "name", name);
        flags(point.get_mut("public_access_block"));
        if let Some(policy) = point.get_mut("policy") {
            document::policy(policy);
        }
        if let Some(bucket) = point.shift_remove("bucket") {
            fill(point, "buckets", json!([bucket]));
        }
        if point.get("multi_region") != Some(&Value::Bool(true)) {
            let tail = hash_text(32, &[scope.account, name, "access point"]);
            fill(point, "alias", format!("{name}-{tail}-s3alias"));
        }
        Ok(())
    })?;
    rename_keys(s3.get_mut("access_points"), |name| {
        if name.starts_with("arn:") {
            name.to_owned()
        } else {
            scope.arn("s3", &scope.home, &format!("accesspoint/{name}"))
        }
    });
    Ok(())
}

/// `all` and `none` for the four switches.
fn flags(block: Option<&mut Value>) {
    let Some(block) = block else {
        return;
    };
    let on = match block.as_str() {
        Some("all") => true,
        Some("none") => false,
        _ => return,
    };
    *block = json!({
        "block_public_acls": on,
        "ignore_public_acls": on,
        "block_public_policy": on,
        "restrict_public_buckets": on,
    });
}

/// What `GetBucketPolicyStatus` says where the world does not: whether an Allow names everybody
/// and no condition narrows it. A world with anything cleverer states `policy_is_public`.
fn looks_public(policy: &Value) -> bool {
    let parsed;
    let policy = match policy.as_str() {
        Some(text) => {
            parsed = serde_json::from_str(text).unwrap_or_default();
            &parsed
        }
        None => policy,
    };
    let one = std::slice::from_ref(&policy["Statement"]);
    let statements = policy["Statement"].as_array().map_or(one, Vec::as_slice);
    statements.iter().any(|statement| {
        let everybody = match &statement["Principal"] {
            Value::String(who) => who == "*",
            who => match &who["AWS"] {
                Value::String(who) => who == "*",
                Value::Array(list) => list.iter().any(|who| who == "*"),
                _ => false,
            },
        };
        statement["Effect"] == "Allow" && everybody && statement.get("Condition").is_none()
    })
}

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// A canned ACL's name, or a list of grants; the owner's full control comes first.
/// Source: "Canned ACL", S3 User Guide.
fn acl(scope: &Scope<'_>, acl: Option<&mut Value>) {
    let Some(acl) = acl else {
        return;
    };
    let owner = canonical_user(scope.account);
    let mut grants = vec![json!({"grantee": owner, "permission": "FULL_CONTROL"})];
    match acl {
        Value::String(canned) => {
            let more: &[(&str, &str)] = match canned.as_str() {
                "public-read" => &[(ALL_USERS, "READ")],
                "public-read-write" => &[(ALL_USERS, "READ"), (ALL_USERS, "WRITE")],
                "authenticated-read" => &[(AUTHENTICATED, "READ")],
                "log-delivery-write" => &[(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")],
                _ => &[],
            };
            for (grantee, permission) in more {
                grants.push(json!({"grantee": grantee, "permission": permission}));
            }
        }
        Value::Array(written) => {
            for mut grant in std::mem::take(written) {
                let full = match grant["grantee"].as_str() {
                    Some("AllUsers") => ALL_USERS.to_owned(),
                    Some("AuthenticatedUsers") => AUTHENTICATED.to_owned(),
                    Some("LogDelivery") => LOG_DELIVERY.to_owned(),
                    Some(id) if id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()) => {
                        canonical_user(id)
                    }
                    Some(other) => other.to_owned(),
                    None => continue,
                };
                grant["grantee"] = full.into();
                grants.push(grant);
            }
        }
        _ => return,
    }
    *acl = json!({"owner": owner, "grants": grants});
}

fn objects(
    scope: &Scope<'_>,
    bucket: &str,
    settings: &mut Map<String, Value>,
    iam: &Map<String, Value>,
    content: &mut Content,
) -> Outcome {
    let Some(written) = settings.shift_remove("objects") else {
        return Ok(());
    };
    let mut listing = match written {
        Value::Array(objects) => Map::from_iter([("objects".to_owned(), objects.into())]),
        Value::Object(map) if !is_outcome(&Value::Object(map.clone())) => map,
        outcome => {
            settings.insert("objects".to_owned(), outcome);
            return Ok(());
        }
    };
    let enforced = settings.get("ownership").and_then(Value::as_str) == Some("BucketOwnerEnforced");
    let mut seen = 0;
    for (index, object) in listing
        .get_mut("objects")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .enumerate()
    {
        seen += 1;
        if let Value::String(key) = object {
            *object = json!({ "key": key });
        }
        let index = index.to_string();
        let at = ["s3", "buckets", bucket, "objects", &index];
        let Value::Object(object) = object else {
            return Err(scope.fault(&at, "not an object", "write a mapping with a `key`"));
        };
        fill(object, "modified", scope.made.as_str());
        acl(scope, object.get_mut("acl"));
        if enforced {
            fill(object, "acl", json!({"$not-applicable": {"why": "kind"}}));
        }
        let bytes = written_content(scope, &at, object)?;
        matches(scope, &at, object, bytes.as_deref(), iam)?;
        if let Some(bytes) = bytes {
            fill(object, "size", bytes.len());
            let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
            let place = (
                scope.account.to_owned(),
                bucket.to_owned(),
                text("key").to_owned(),
                text("version").to_owned(),
            );
            content.insert(place, bytes);
        }
    }
    fill(&mut listing, "seen", seen);
    fill(&mut listing, "complete", true);
    settings.insert("objects".to_owned(), Value::Object(listing));
    Ok(())
}

/// The bytes of `content`: a text or a list of fragments, with `${key-id:USER}`,
/// `${secret:USER}` and `${random:LENGTH}` filled in.
fn written_content(
    scope: &Scope<'_>,
    at: &[&str],
    object: &mut Map<String, Value>,
) -> Outcome<Option<Vec<u8>>> {
    let text = match object.shift_remove("content") {
        None => return Ok(None),
        Some(Value::String(text)) => text,
        Some(Value::Array(parts)) => parts.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(scope.fault(at, "`content` is no text", "write a text or a list")),
    };
    let mut filled = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let Some((mark, after)) = after.split_once('}') else {
            return Err(scope.fault(at, "`${` is never closed", "end it with `}`"));
        };
        match mark.split_once(':') {
            Some(("key-id", who)) => filled.push_str(&key_id(scope, who)),
            Some(("secret", who)) => {
                let (account, user, nth) = key_owner(scope, who);
                filled.push_str(&secret_text(&[account, user, nth]));
            }
            Some(("random", length)) => {
                let length = length.parse().unwrap_or(40);
                let mut random = String::new();
                while random.len() < length {
                    random.push_str(&secret_text(&[&at.join("/"), &random]));
                }
                filled.push_str(&random[..length]);
            }
            _ => {
                filled.push_str("${");
                filled.push_str(mark);
                filled.push('}');
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(Some(filled.into_bytes()))
}

/// `USER`, `USER/2` or `ACCOUNT:USER/2`: the account, the user and which key.
fn key_owner<'a>(scope: &'a Scope<'_>, who: &'a str) -> (&'a str, &'a str, &'a str) {
    let (account, user) = who.split_once(':').unwrap_or((scope.account, who));
    let (user, nth) = user.split_once('/').unwrap_or((user, "1"));
    (account, user, nth)
}

fn key_id(scope: &Scope<'_>, who: &str) -> String {
    let (account, user, nth) = key_owner(scope, who);
    access_key_id("AKIA", account, &[user, nth])
}

/// Matches: `key: USER` stands for that user's access key, found where the content holds it.
/// What a world does not say about content was not asked for.
fn matches(
    scope: &Scope<'_>,
    at: &[&str],
    object: &mut Map<String, Value>,
    bytes: Option<&[u8]>,
    iam: &Map<String, Value>,
) -> Outcome {
    let Some(written) = object.get_mut("matches") else {
        let not_asked = json!({"$not-applicable": {"why": "not-asked"}});
        object.insert("matches".to_owned(), not_asked);
        return Ok(());
    };
    for entry in written.as_array_mut().into_iter().flatten() {
        let Value::Object(entry) = entry else {
            continue;
        };
        let Some(who) = entry.shift_remove("key") else {
            continue;
        };
        let who = who.as_str().unwrap_or_default();
        let (account, user, nth) = key_owner(scope, who);
        let known = iam.get("users").and_then(|users| users.get(user)).is_some();
        if account == scope.account && !known {
            return Err(scope.fault(
                at,
                format!("`{who}` is no user"),
                "name a user of the account",
            ));
        }
        let id = key_id(scope, who);
        let secret = secret_text(&[account, user, nth]);
        let find = |needle: &str| {
            let bytes = bytes.unwrap_or_default();
            bytes
                .windows(needle.len())
                .position(|window| window == needle.as_bytes())
        };
        let (start, length) = match (find(&secret), find(&id)) {
            (Some(start), _) => (start, secret.len()),
            (None, Some(start)) => (start, id.len()),
            (None, None) => (0, 0),
        };
        fill(entry, "rule", "aws-secret-access-key");
        fill(entry, "start", start);
        fill(entry, "end", start + length);
        fill(
            entry,
            "paired",
            find(&secret).is_some() && find(&id).is_some(),
        );
        fill(
            entry,
            "redacted",
            format!("{}********{}", &id[..8], &id[16..]),
        );
        fill(
            entry,
            "fingerprint",
            hash_text(32, &["fingerprint", &secret]),
        );
        if let Some(account) = zone_of_key(&id) {
            fill(entry, "account", account);
        }
        fill(entry, "key_id", id);
    }
    Ok(())
}
