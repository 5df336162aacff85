//! Users, groups, roles and policies of IAM, one by one and in lists.

use std::collections::BTreeMap;

use palisade_model::{Arn, Group, ManagedPolicy, Observed, PolicyText, Role, Time, User};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::answer::Answer;
use super::iam::{no_such, paged};
use super::{Desk, Outcome};
use crate::world::unique_id;

/// What RFC 3986 leaves alone; policy documents are encoded so.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn document(text: &PolicyText) -> String {
    utf8_percent_encode(text.as_str(), KEPT).to_string()
}

/// `/`, or the path between the kind and the name.
fn path(arn: &Arn) -> String {
    let resource = arn.resource();
    let inner = resource.split_once('/').map_or("", |(_, rest)| rest);
    match inner.rsplit_once('/') {
        Some((path, _)) => format!("/{path}/"),
        None => "/".to_owned(),
    }
}

/// When something was made that does not say.
fn made(desk: &Desk<'_>, created: Option<Time>) -> String {
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

fn attached(policies: &[Arn]) -> Vec<Value> {
    policies
        .iter()
        .map(|arn| json!({"PolicyName": arn.name(), "PolicyArn": arn}))
        .collect()
}

fn boundary(boundary: &Observed<Arn>) -> Value {
    match boundary.value() {
        Some(arn) => json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}),
        None => Value::Null,
    }
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}

/// A user as the authorization details show it.
pub(super) fn user(desk: &Desk<'_>, name: &str, user: &User) -> Value {
    json!({
        "Path": path(&user.arn),
        "UserName": name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": made(desk, user.created),
        "UserPolicyList": inline(&user.inline),
        "GroupList": user.groups,
        "AttachedManagedPolicies": attached(&user.attached),
        "PermissionsBoundary": boundary(&user.boundary),
        "Tags": tags(&user.tags),
    })
}

/// A group, likewise.
pub(super) fn group(desk: &Desk<'_>, name: &str, group: &Group) -> Value {
    json!({
        "Path": path(&group.arn),
        "GroupName": name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": made(desk, None),
        "GroupPolicyList": inline(&group.inline),
        "AttachedManagedPolicies": attached(&group.attached),
    })
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

fn last_used(desk: &Desk<'_>, role: &Role) -> Value {
    match role.last_used {
        Some(time) => json!({"LastUsedDate": time.to_string(), "Region": desk.call.region}),
        None => json!({}),
    }
}

fn bare_role(desk: &Desk<'_>, name: &str, role: &Role) -> Value {
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

fn bare_policy(desk: &Desk<'_>, arn: &Arn, policy: &ManagedPolicy) -> Value {
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

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    match desk.call.operation.as_str() {
        "ListUsers" => {
            let iam = &desk.home()?.iam;
            let users = desk.fact(&iam.users)?.into_iter().flatten();
            paged(
                desk,
                "Users",
                users
                    .map(|(name, one)| bare_user(desk, name, one))
                    .collect(),
            )
        }
        "ListRoles" => {
            let iam = &desk.home()?.iam;
            let roles = desk.fact(&iam.roles)?.into_iter().flatten();
            paged(
                desk,
                "Roles",
                roles
                    .map(|(name, one)| bare_role(desk, name, one))
                    .collect(),
            )
        }
        "ListGroups" => {
            let iam = &desk.home()?.iam;
            let groups = desk.fact(&iam.groups)?.into_iter().flatten();
            paged(
                desk,
                "Groups",
                groups
                    .map(|(name, one)| bare_group(desk, name, one))
                    .collect(),
            )
        }
        operation if operation.contains("User") || of_user(operation) => of_users(desk),
        operation if operation.contains("Role") => of_roles(desk),
        operation if operation.contains("Group") => of_groups(desk),
        operation if operation.contains("Polic") => of_policies(desk),
        "ListInstanceProfiles" => instance_profiles(desk),
        _ => Err(desk.unknown()),
    }
}

fn of_user(operation: &str) -> bool {
    [
        "ListAccessKeys",
        "GetLoginProfile",
        "ListMFADevices",
        "GetAccessKeyLastUsed",
        "ListSSHPublicKeys",
        "ListServiceSpecificCredentials",
    ]
    .contains(&operation)
}

fn bare_user(desk: &Desk<'_>, name: &str, user: &User) -> Value {
    json!({
        "Path": path(&user.arn),
        "UserName": name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": made(desk, user.created),
    })
}

fn bare_group(desk: &Desk<'_>, name: &str, group: &Group) -> Value {
    json!({
        "Path": path(&group.arn),
        "GroupName": name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": made(desk, None),
    })
}

/// Calls about one user.
fn of_users(desk: &Desk<'_>) -> Outcome {
    let users = desk.fact(&desk.home()?.iam.users)?;
    let operation = desk.call.operation.as_str();
    if operation == "GetAccessKeyLastUsed" {
        let id = desk.call.need("AccessKeyId")?;
        let owner = users.into_iter().flatten().find(|(_, user)| {
            user.access_keys
                .value()
                .is_some_and(|keys| keys.iter().any(|key| key.id == id))
        });
        let (name, _) = owner.ok_or_else(|| no_such("access key", &id))?;
        return Ok(Answer::of(json!({
            "UserName": name,
            "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"},
        })));
    }
    if operation == "ListVirtualMFADevices" {
        return paged(desk, "VirtualMFADevices", Vec::new());
    }
    let name = desk.call.need("UserName")?;
    let user = users
        .and_then(|users| users.get(&name))
        .ok_or_else(|| no_such("user", &name))?;
    let one = |value: Value| Ok(Answer::of(value));
    match operation {
        "GetUser" => {
            let mut value = bare_user(desk, &name, user);
            value["PermissionsBoundary"] = boundary(&user.boundary);
            value["Tags"] = tags(&user.tags).into();
            one(json!({ "User": value }))
        }
        "ListAccessKeys" => {
            let keys = desk
                .fact(&user.access_keys)?
                .into_iter()
                .flatten()
                .map(|key| {
                    json!({
                        "UserName": name,
                        "AccessKeyId": key.id,
                        "Status": serde_json::to_value(key.status).unwrap_or_default(),
                        "CreateDate": made(desk, key.created),
                    })
                });
            paged(desk, "AccessKeyMetadata", keys.collect())
        }
        "GetLoginProfile" => match desk.fact(&user.login_profile)? {
            Some(profile) => one(json!({"LoginProfile": {
                "UserName": name,
                "CreateDate": made(desk, profile.created),
                "PasswordResetRequired": false,
            }})),
            None => Err(super::failure::Failure::new(
                404,
                "NoSuchEntity",
                format!("Login Profile for User {name} cannot be found."),
            )),
        },
        "ListMFADevices" => {
            let devices = desk
                .fact(&user.mfa_devices)?
                .into_iter()
                .flatten()
                .map(|serial| {
                    json!({
                        "UserName": name,
                        "SerialNumber": serial,
                        "EnableDate": made(desk, user.created),
                    })
                });
            paged(desk, "MFADevices", devices.collect())
        }
        "ListSSHPublicKeys" => {
            let count = desk.fact(&user.ssh_keys)?.copied().unwrap_or_default();
            let keys = (0..count).map(|index| {
                json!({
                    "UserName": name,
                    "SSHPublicKeyId": unique_id("APKA", &[&name, &index.to_string()]),
                    "Status": "Active",
                    "UploadDate": made(desk, user.created),
                })
            });
            paged(desk, "SSHPublicKeys", keys.collect())
        }
        "ListServiceSpecificCredentials" => {
            let count = desk
                .fact(&user.service_credentials)?
                .copied()
                .unwrap_or_default();
            let credentials: Vec<Value> = (0..count)
                .map(|index| {
                    json!({
                        "UserName": name,
                        "Status": "Active",
                        "ServiceUserName": format!("{name}-at-{}", desk.call.account),
                        "CreateDate": made(desk, user.created),
                        "ServiceSpecificCredentialId":
                            unique_id("ACCA", &[&name, &index.to_string()]),
                        "ServiceName": "codecommit.amazonaws.com",
                    })
                })
                .collect();
            one(json!({ "ServiceSpecificCredentials": credentials }))
        }
        "ListUserPolicies" => paged(desk, "PolicyNames", names(&user.inline)),
        "GetUserPolicy" => inline_policy(desk, "UserName", &name, &user.inline),
        "ListAttachedUserPolicies" => paged(desk, "AttachedPolicies", attached(&user.attached)),
        "ListUserTags" => paged(desk, "Tags", tags(&user.tags)),
        "ListGroupsForUser" => {
            let groups = desk.fact(&desk.home()?.iam.groups)?;
            let own = user.groups.iter().filter_map(|group| {
                let entry = groups?.get(group)?;
                Some(bare_group(desk, group, entry))
            });
            paged(desk, "Groups", own.collect())
        }
        _ => Err(desk.unknown()),
    }
}

fn names(policies: &BTreeMap<String, PolicyText>) -> Vec<Value> {
    policies.keys().map(|name| name.as_str().into()).collect()
}

fn inline_policy(
    desk: &Desk<'_>,
    kind: &str,
    owner: &str,
    policies: &BTreeMap<String, PolicyText>,
) -> Outcome {
    let name = desk.call.need("PolicyName")?;
    let text = policies
        .get(&name)
        .ok_or_else(|| no_such("policy", &name))?;
    Ok(Answer::of(
        json!({kind: owner, "PolicyName": name, "PolicyDocument": document(text)}),
    ))
}

/// Calls about one role.
fn of_roles(desk: &Desk<'_>) -> Outcome {
    let name = desk.call.need("RoleName")?;
    let roles = desk.fact(&desk.home()?.iam.roles)?;
    let role = roles
        .and_then(|roles| roles.get(&name))
        .ok_or_else(|| no_such("role", &name))?;
    match desk.call.operation.as_str() {
        "GetRole" => {
            let mut value = bare_role(desk, &name, role);
            value["PermissionsBoundary"] = boundary(&role.boundary);
            value["Tags"] = tags(&role.tags).into();
            value["RoleLastUsed"] = last_used(desk, role);
            Ok(Answer::of(json!({ "Role": value })))
        }
        "ListRolePolicies" => paged(desk, "PolicyNames", names(&role.inline)),
        "GetRolePolicy" => inline_policy(desk, "RoleName", &name, &role.inline),
        "ListAttachedRolePolicies" => paged(desk, "AttachedPolicies", attached(&role.attached)),
        "ListRoleTags" => paged(desk, "Tags", tags(&role.tags)),
        _ => Err(desk.unknown()),
    }
}

/// Calls about one group.
fn of_groups(desk: &Desk<'_>) -> Outcome {
    let name = desk.call.need("GroupName")?;
    let iam = &desk.home()?.iam;
    let groups = desk.fact(&iam.groups)?;
    let group = groups
        .and_then(|groups| groups.get(&name))
        .ok_or_else(|| no_such("group", &name))?;
    match desk.call.operation.as_str() {
        "GetGroup" => {
            let users = desk.fact(&iam.users)?.into_iter().flatten();
            let members = users
                .filter(|(_, user)| user.groups.contains(&name))
                .map(|(member, user)| bare_user(desk, member, user))
                .collect();
            let mut answer = paged(desk, "Users", members)?;
            answer.value["Group"] = bare_group(desk, &name, group);
            Ok(answer)
        }
        "ListGroupPolicies" => paged(desk, "PolicyNames", names(&group.inline)),
        "GetGroupPolicy" => inline_policy(desk, "GroupName", &name, &group.inline),
        "ListAttachedGroupPolicies" => paged(desk, "AttachedPolicies", attached(&group.attached)),
        _ => Err(desk.unknown()),
    }
}

/// Calls about managed policies.
fn of_policies(desk: &Desk<'_>) -> Outcome {
    let policies = desk.fact(&desk.home()?.iam.policies)?;
    if desk.call.operation == "ListPolicies" {
        let scope = desk.call.text("Scope").unwrap_or_default();
        let only_attached = desk.call.flag("OnlyAttached").unwrap_or_default();
        let wanted = policies.into_iter().flatten().filter(|(arn, _)| {
            let aws = arn.account() == "aws";
            (scope != "Local" || !aws)
                && (scope != "AWS" || aws)
                && (!only_attached || uses(desk, arn).0 > 0)
        });
        let all = wanted.map(|(arn, policy)| bare_policy(desk, arn, policy));
        return paged(desk, "Policies", all.collect());
    }
    let arn = desk.call.need("PolicyArn")?;
    let found = policies.and_then(|policies| policies.get_key_value(arn.as_str()));
    let (arn, policy) = found.ok_or_else(|| no_such("policy", &arn))?;
    match desk.call.operation.as_str() {
        "GetPolicy" => Ok(Answer::of(
            json!({"Policy": bare_policy(desk, arn, policy)}),
        )),
        "GetPolicyVersion" => {
            let id = desk.call.need("VersionId")?;
            let text = policy
                .versions
                .get(&id)
                .ok_or_else(|| no_such("policy version", &id))?;
            Ok(Answer::of(json!({"PolicyVersion": {
                "Document": document(text),
                "VersionId": id,
                "IsDefaultVersion": id == policy.default_version,
                "CreateDate": made(desk, None),
            }})))
        }
        "ListPolicyVersions" => {
            let versions = policy.versions.keys().rev().map(|id| {
                json!({
                    "VersionId": id,
                    "IsDefaultVersion": *id == policy.default_version,
                    "CreateDate": made(desk, None),
                })
            });
            paged(desk, "Versions", versions.collect())
        }
        _ => Err(desk.unknown()),
    }
}

fn instance_profiles(desk: &Desk<'_>) -> Outcome {
    let roles = desk.fact(&desk.home()?.iam.roles)?;
    let mut profiles = Vec::new();
    for (name, entry) in roles.into_iter().flatten() {
        if let Value::Array(list) = role(desk, name, entry)["InstanceProfileList"].take() {
            profiles.extend(list);
        }
    }
    paged(desk, "InstanceProfiles", profiles)
}
