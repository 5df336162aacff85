//! How IAM writes users, groups, roles and policies.

use std::collections::BTreeMap;

use palisade_model::{Arn, Group, ManagedPolicy, Observed, PolicyText, Role, Time, User};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Desk;
use crate::world::unique_id;

/// What RFC 3986 leaves alone; policy documents are encoded so.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(super) fn document(text: &PolicyText) -> String {
    utf8_percent_encode(text.as_str(), KEPT).to_string()
}

/// `/`, or the path between the kind and the name.
pub(super) fn path(arn: &Arn) -> String {
    let resource = arn.resource();
    let inner = resource.split_once('/').map_or("", |(_, rest)| rest);
    match inner.rsplit_once('/') {
        Some((path, _)) => format!("/{path}/"),
        None => "/".to_owned(),
    }
}

/// When something was made that does not say.
pub(super) fn made(desk: &Desk<'_>, created: Option<Time>) -> String {
    created
        .unwrap_or(Time(desk.world.snapshot.taken_at.0 - 30 * 86_400))
        .to_string()
}

fn inline(policies: &BTreeMap<String, PolicyText>) -> Vec<Value> {
    policies
        .iter()
        .map(|(name, text)| json!({"PolicyName": name, "PolicyDocument": document(text)}))
        .collect()
}

pub(super) fn attached(policies: &[Arn]) -> Vec<Value> {
    policies
        .iter()
        .map(|arn| json!({"PolicyName": arn.name(), "PolicyArn": arn}))
        .collect()
}

pub(super) fn boundary(boundary: &Observed<Arn>) -> Value {
    match boundary.value() {
        Some(arn) => json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}),
        None => Value::Null,
    }
}

pub(super) fn tags(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}

/// What every answer says of a user.
pub(super) fn bare_user(desk: &Desk<'_>, name: &str, user: &User) -> Value {
    json!({
        "Path": path(&user.arn),
        "UserName": name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": made(desk, user.created),
    })
}

/// What every answer says of a group.
pub(super) fn bare_group(desk: &Desk<'_>, name: &str, group: &Group) -> Value {
    json!({
        "Path": path(&group.arn),
        "GroupName": name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": made(desk, None),
    })
}

/// A user as the authorization details show it.
pub(super) fn user(desk: &Desk<'_>, name: &str, user: &User) -> Value {
    let mut all = bare_user(desk, name, user);
    all["UserPolicyList"] = json!(inline(&user.inline));
    all["GroupList"] = json!(user.groups);
    all["AttachedManagedPolicies"] = json!(attached(&user.attached));
    all["PermissionsBoundary"] = boundary(&user.boundary);
    all["Tags"] = json!(tags(&user.tags));
    all
}

/// A group, likewise.
pub(super) fn group(desk: &Desk<'_>, name: &str, group: &Group) -> Value {
    let mut all = bare_group(desk, name, group);
    all["GroupPolicyList"] = json!(inline(&group.inline));
    all["AttachedManagedPolicies"] = json!(attached(&group.attached));
    all
}

/// A role, likewise.
pub(super) fn role(desk: &Desk<'_>, name: &str, role: &Role) -> Value {
    let profiles = role.instance_profiles.iter().map(|profile| {
        json!({
            "Path": path(&profile.arn),
            "InstanceProfileName": profile.name,
            "InstanceProfileId": unique_id("AIPA", &[profile.arn.as_str()]),
            "Arn": profile.arn,
            "CreateDate": made(desk, role.created),
            "Roles": [bare_role(desk, name, role)],
        })
    });
    json!({
        "Path": path(&role.arn),
        "RoleName": name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": made(desk, role.created),
        "AssumeRolePolicyDocument": document(&role.trust),
        "InstanceProfileList": profiles.collect::<Vec<_>>(),
        "RolePolicyList": inline(&role.inline),
        "AttachedManagedPolicies": attached(&role.attached),
        "PermissionsBoundary": boundary(&role.boundary),
        "Tags": tags(&role.tags),
        "RoleLastUsed": last_used(desk, role),
    })
}

pub(super) fn last_used(desk: &Desk<'_>, role: &Role) -> Value {
    match role.last_used {
        Some(time) => json!({"LastUsedDate": time.to_string(), "Region": desk.call.region}),
        None => json!({}),
    }
}

pub(super) fn bare_role(desk: &Desk<'_>, name: &str, role: &Role) -> Value {
    json!({
        "Path": path(&role.arn),
        "RoleName": name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": made(desk, role.created),
        "AssumeRolePolicyDocument": document(&role.trust),
    })
}

/// How many principals a managed policy is attached to, and how many it bounds.
pub(super) fn uses(desk: &Desk<'_>, arn: &Arn) -> (usize, usize) {
    let Some(account) = desk.account() else {
        return (0, 0);
    };
    let iam = &account.iam;
    let users = iam.users.value().into_iter().flat_map(BTreeMap::values);
    let groups = iam.groups.value().into_iter().flat_map(BTreeMap::values);
    let roles = iam.roles.value().into_iter().flat_map(BTreeMap::values);
    let mut count = (0, 0);
    for (attached, boundary) in users
        .map(|user| (&user.attached, Some(&user.boundary)))
        .chain(groups.map(|group| (&group.attached, None)))
        .chain(roles.map(|role| (&role.attached, Some(&role.boundary))))
    {
        count.0 += usize::from(attached.contains(arn));
        count.1 += usize::from(boundary.and_then(Observed::value) == Some(arn));
    }
    count
}

/// A managed policy with its versions.
pub(super) fn managed(desk: &Desk<'_>, arn: &Arn, policy: &ManagedPolicy) -> Value {
    let versions = policy.versions.iter().rev().map(|(id, text)| {
        json!({
            "Document": document(text),
            "VersionId": id,
            "IsDefaultVersion": *id == policy.default_version,
            "CreateDate": made(desk, None),
        })
    });
    let mut value = bare_policy(desk, arn, policy);
    value["PolicyVersionList"] = versions.collect();
    value
}

pub(super) fn bare_policy(desk: &Desk<'_>, arn: &Arn, policy: &ManagedPolicy) -> Value {
    let (attachments, bounds) = uses(desk, arn);
    json!({
        "PolicyName": policy.name,
        "PolicyId": unique_id("ANPA", &[arn.as_str()]),
        "Arn": arn,
        "Path": path(arn),
        "DefaultVersionId": policy.default_version,
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": bounds,
        "IsAttachable": true,
        "CreateDate": made(desk, None),
        "UpdateDate": made(desk, None),
    })
}
