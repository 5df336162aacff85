//! Questions about single users, groups, roles and policies of IAM, and lists of them.

use std::collections::BTreeMap;

use palisade_model::{Observed, PolicyText};
use serde_json::{Value, json};

use super::answer::Answer;
use super::iam::{no_such, paged};
use super::iam_entities::{
    attached, bare_group, bare_policy, bare_role, bare_user, boundary, document, last_used, made,
    role, tags, uses,
};
use super::{Desk, Outcome};
use crate::world::unique_id;

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    match desk.call.operation.as_str() {
        "ListUsers" => listed(desk, "Users", &desk.home()?.iam.users, bare_user),
        "ListRoles" => listed(desk, "Roles", &desk.home()?.iam.roles, bare_role),
        "ListGroups" => listed(desk, "Groups", &desk.home()?.iam.groups, bare_group),
        operation if operation.contains("User") || of_user(operation) => of_users(desk),
        operation if operation.contains("Role") => of_roles(desk),
        operation if operation.contains("Group") => of_groups(desk),
        operation if operation.contains("Polic") => of_policies(desk),
        "ListInstanceProfiles" => instance_profiles(desk),
        _ => Err(desk.unknown()),
    }
}

fn listed<T>(
    desk: &Desk<'_>,
    name: &str,
    all: &Observed<BTreeMap<String, T>>,
    write: impl Fn(&Desk<'_>, &str, &T) -> Value,
) -> Outcome {
    let all = desk.fact(all)?.into_iter().flatten();
    paged(
        desk,
        name,
        all.map(|(name, one)| write(desk, name, one)).collect(),
    )
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
