//! What `aws iam get-account-authorization-details` prints of an account: the way back from a
//! snapshot, for estates that are written as worlds.

use palisade_model::{Account, Arn, Observed, PolicyText};
use serde_json::{Value, json};

/// The export of an account. It holds what the call answers and nothing else.
pub(super) fn details(account: &Account) -> Value {
    let iam = &account.iam;
    let users = iam.users.value().into_iter().flatten().map(|(name, user)| {
        let mut one = json!({
            "Path": "/", "UserName": name, "UserId": user.id, "Arn": user.arn,
            "CreateDate": "2025-03-01T10:00:00+00:00", "GroupList": user.groups,
            "UserPolicyList": inline(&user.inline),
            "AttachedManagedPolicies": attached(&user.attached), "Tags": tags(&user.tags),
        });
        bound(&mut one, &user.boundary);
        one
    });
    let groups = iam
        .groups
        .value()
        .into_iter()
        .flatten()
        .map(|(name, group)| {
            json!({
                "Path": "/", "GroupName": name, "GroupId": group.id, "Arn": group.arn,
                "CreateDate": "2025-03-01T10:00:00+00:00", "GroupPolicyList": inline(&group.inline),
                "AttachedManagedPolicies": attached(&group.attached),
            })
        });
    let roles = iam.roles.value().into_iter().flatten().map(|(name, role)| {
        let profiles = role.instance_profiles.iter().map(|profile| {
            json!({ "InstanceProfileName": profile.name, "Arn": profile.arn, "Roles": [] })
        });
        let mut one = json!({
            "Path": "/", "RoleName": name, "RoleId": role.id, "Arn": role.arn,
            "CreateDate": "2025-03-01T10:00:00+00:00",
            "AssumeRolePolicyDocument": document(&role.trust),
            "InstanceProfileList": profiles.collect::<Vec<_>>(),
            "RolePolicyList": inline(&role.inline),
            "AttachedManagedPolicies": attached(&role.attached),
            "Tags": tags(&role.tags), "RoleLastUsed": {},
        });
        bound(&mut one, &role.boundary);
        one
    });
    let policies = iam
        .policies
        .value()
        .into_iter()
        .flatten()
        .map(|(arn, policy)| {
            let versions = policy.versions.iter().map(|(id, text)| {
                json!({ "VersionId": id, "Document": document(text),
                "IsDefaultVersion": *id == policy.default_version })
            });
            json!({
                "PolicyName": policy.name, "PolicyId": "ANPA", "Arn": arn, "Path": "/",
                "DefaultVersionId": policy.default_version, "IsAttachable": true,
                "PolicyVersionList": versions.collect::<Vec<_>>(),
            })
        });
    json!({
        "UserDetailList": users.collect::<Vec<_>>(), "GroupDetailList": groups.collect::<Vec<_>>(),
        "RoleDetailList": roles.collect::<Vec<_>>(), "Policies": policies.collect::<Vec<_>>(),
    })
}

fn document(text: &PolicyText) -> Value {
    serde_json::from_str(text.as_str()).unwrap_or_else(|_| json!(text.as_str()))
}

fn inline(policies: &std::collections::BTreeMap<String, PolicyText>) -> Vec<Value> {
    let one = |(name, text): (&String, &PolicyText)| json!({ "PolicyName": name, "PolicyDocument": document(text) });
    policies.iter().map(one).collect()
}

fn attached(policies: &[Arn]) -> Vec<Value> {
    let one = |arn: &Arn| json!({ "PolicyName": arn.name(), "PolicyArn": arn });
    policies.iter().map(one).collect()
}

fn tags(tags: &std::collections::BTreeMap<String, String>) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect()
}

fn bound(one: &mut Value, boundary: &Observed<Arn>) {
    if let Observed::Value(arn) = boundary {
        one["PermissionsBoundary"] =
            json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn });
    }
}
