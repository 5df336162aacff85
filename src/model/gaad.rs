//! The output of `aws iam get-account-authorization-details`, the file that consultants already
//! exchange, as a snapshot. What it does not hold is a gap.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use crate::{
    Account, Arn, Group, InstanceProfile, ManagedPolicy, Observed, Partition, PolicyText, Role,
    Snapshot, Time, User,
};

/// Why authorization details cannot be used.
#[derive(Debug, Error)]
pub enum GaadError {
    /// Not the JSON that the command prints.
    #[error("`{file}` is not the JSON of get-account-authorization-details: {detail}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the parser says, with line and column.
        detail: String,
    },
    /// Nothing in it names an account.
    #[error("`{file}` names no account: it holds neither a user, a role nor a group")]
    NoAccount {
        /// The file.
        file: String,
    },
    /// A principal stands in it under something that is no ARN.
    #[error("`{file}` holds a user, role or group with the ARN `{arn}`, which is none")]
    NoArn {
        /// The file.
        file: String,
        /// What stands there.
        arn: String,
    },
    /// Its principals belong to several accounts.
    #[error("`{file}` mixes the accounts {accounts}")]
    Mixed {
        /// The file.
        file: String,
        /// The accounts.
        accounts: String,
    },
    /// Two files are of one account.
    #[error("`{file}` is of account {account}, and so is a file before it")]
    Twice {
        /// The file.
        file: String,
        /// The account.
        account: String,
    },
    /// It is one page of several.
    #[error("`{file}` is cut off: `IsTruncated` is true, the rest is on further pages")]
    Truncated {
        /// The file.
        file: String,
    },
}

/// Joins documents, each a file's name and text, into one snapshot. Its time is the latest that
/// the documents speak of, since they do not say when they were made.
pub fn read_gaad(documents: &[(String, String)]) -> Result<Snapshot, GaadError> {
    let mut snapshot = Snapshot::unread(Time::default(), Partition::Aws);
    for (file, text) in documents {
        let details: Details =
            serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
                GaadError::Unreadable {
                    file: file.clone(),
                    detail: error.to_string(),
                }
            })?;
        if details.is_truncated {
            return Err(GaadError::Truncated { file: file.clone() });
        }
        let arn = details.only_account(file)?;
        let account = arn.account().to_owned();
        snapshot.partition = Partition::parse(arn.partition()).unwrap_or_default();
        snapshot.taken_at = snapshot.taken_at.max(details.latest());
        if snapshot
            .accounts
            .insert(account.clone(), details.into_account())
            .is_some()
        {
            return Err(GaadError::Twice {
                file: file.clone(),
                account,
            });
        }
    }
    Ok(snapshot)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    // `--filter` leaves lists out: what is missing was not asked for, and is not empty.
    #[serde(default)]
    user_detail_list: Option<Vec<UserDetail>>,
    #[serde(default)]
    group_detail_list: Option<Vec<GroupDetail>>,
    #[serde(default)]
    role_detail_list: Option<Vec<RoleDetail>>,
    #[serde(default)]
    policies: Option<Vec<PolicyDetail>>,
    #[serde(default)]
    is_truncated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UserDetail {
    user_name: String,
    arn: Arn,
    #[serde(default)]
    user_id: String,
    #[serde(default)]
    create_date: Option<String>,
    #[serde(default)]
    user_policy_list: Vec<Inline>,
    #[serde(default)]
    group_list: Vec<String>,
    #[serde(default)]
    attached_managed_policies: Vec<Attached>,
    #[serde(default)]
    permissions_boundary: Option<Boundary>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupDetail {
    group_name: String,
    arn: Arn,
    #[serde(default)]
    group_id: String,
    #[serde(default)]
    group_policy_list: Vec<Inline>,
    #[serde(default)]
    attached_managed_policies: Vec<Attached>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoleDetail {
    role_name: String,
    arn: Arn,
    #[serde(default)]
    role_id: String,
    #[serde(default)]
    create_date: Option<String>,
    #[serde(deserialize_with = "document")]
    assume_role_policy_document: PolicyText,
    #[serde(default)]
    instance_profile_list: Vec<Profile>,
    #[serde(default)]
    role_policy_list: Vec<Inline>,
    #[serde(default)]
    attached_managed_policies: Vec<Attached>,
    #[serde(default)]
    permissions_boundary: Option<Boundary>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    role_last_used: Option<LastUsed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDetail {
    policy_name: String,
    arn: Arn,
    #[serde(default)]
    default_version_id: String,
    #[serde(default)]
    policy_version_list: Vec<Version>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inline {
    policy_name: String,
    #[serde(deserialize_with = "document")]
    policy_document: PolicyText,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attached {
    policy_arn: Arn,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Boundary {
    permissions_boundary_arn: Arn,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Profile {
    instance_profile_name: String,
    arn: Arn,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LastUsed {
    #[serde(default)]
    last_used_date: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    version_id: String,
    #[serde(deserialize_with = "document")]
    document: PolicyText,
}

/// A document: an object as the AWS CLI prints it, or percent-encoded text as the API sends it.
///
/// Source: "GetAccountAuthorizationDetails", IAM API Reference: policies are URL-encoded after
/// RFC 3986.
fn document<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<PolicyText, D::Error> {
    let text = PolicyText::deserialize(deserializer)?;
    Ok(match text.as_str().trim_start().starts_with('%') {
        true => PolicyText::new(decoded(text.as_str().trim())),
        false => text,
    })
}

/// Percent-encoded text in clear; what is no code stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Details {
    fn arns(&self) -> impl Iterator<Item = &Arn> {
        let users = self.user_detail_list.iter().flatten();
        let roles = self.role_detail_list.iter().flatten();
        let groups = self.group_detail_list.iter().flatten();
        let policies = self.policies.iter().flatten().map(|policy| &policy.arn);
        // The policies of AWS belong to nobody's account.
        let own = policies.filter(|arn| arn.account() != "aws");
        users
            .map(|user| &user.arn)
            .chain(roles.map(|role| &role.arn))
            .chain(groups.map(|group| &group.arn))
            .chain(own)
    }

    fn only_account(&self, file: &str) -> Result<Arn, GaadError> {
        if let Some(arn) = self.arns().find(|arn| arn.account().len() != 12) {
            return Err(GaadError::NoArn {
                file: file.to_owned(),
                arn: arn.to_string(),
            });
        }
        let accounts: BTreeMap<&str, &Arn> = self.arns().map(|arn| (arn.account(), arn)).collect();
        match accounts.len() {
            0 => Err(GaadError::NoAccount {
                file: file.to_owned(),
            }),
            1 => Ok(accounts.into_values().next().cloned().unwrap_or_default()),
            _ => {
                let accounts = accounts.into_keys().collect::<Vec<_>>().join(", ");
                Err(GaadError::Mixed {
                    file: file.to_owned(),
                    accounts,
                })
            }
        }
    }

    fn latest(&self) -> Time {
        let users = self
            .user_detail_list
            .iter()
            .flatten()
            .filter_map(|user| time(&user.create_date));
        let roles = self.role_detail_list.iter().flatten().flat_map(|role| {
            let used = role
                .role_last_used
                .as_ref()
                .and_then(|used| time(&used.last_used_date));
            [time(&role.create_date), used].into_iter().flatten()
        });
        users.chain(roles).max().unwrap_or_default()
    }

    fn into_account(self) -> Account {
        let mut account = Account::unread();
        let iam = &mut account.iam;
        fill(&mut iam.users, self.user_detail_list, UserDetail::pair);
        fill(&mut iam.groups, self.group_detail_list, GroupDetail::pair);
        fill(&mut iam.roles, self.role_detail_list, RoleDetail::pair);
        fill(&mut iam.policies, self.policies, PolicyDetail::pair);
        account
    }
}

/// Puts a list into its place; where the export has none, the gap stays.
fn fill<T, K: Ord, V>(
    into: &mut Observed<BTreeMap<K, V>>,
    list: Option<Vec<T>>,
    pair: impl Fn(T) -> (K, V),
) {
    if let Some(list) = list {
        *into = Observed::Value(list.into_iter().map(pair).collect());
    }
}

impl UserDetail {
    fn pair(self) -> (String, User) {
        let user = User {
            arn: self.arn,
            id: self.user_id,
            created: time(&self.create_date),
            groups: sorted(self.group_list),
            inline: inline(self.user_policy_list),
            attached: attached(self.attached_managed_policies),
            boundary: boundary(self.permissions_boundary),
            tags: tags(self.tags),
            access_keys: Observed::not_collected("iam:ListAccessKeys"),
            login_profile: Observed::not_collected("iam:GetLoginProfile"),
            mfa_devices: Observed::not_collected("iam:ListMFADevices"),
            service_credentials: Observed::not_collected("iam:ListServiceSpecificCredentials"),
            ssh_keys: Observed::not_collected("iam:ListSSHPublicKeys"),
        };
        (self.user_name, user)
    }
}

impl GroupDetail {
    fn pair(self) -> (String, Group) {
        let group = Group {
            arn: self.arn,
            id: self.group_id,
            inline: inline(self.group_policy_list),
            attached: attached(self.attached_managed_policies),
        };
        (self.group_name, group)
    }
}

impl RoleDetail {
    fn pair(self) -> (String, Role) {
        let instance_profiles = self
            .instance_profile_list
            .into_iter()
            .map(|profile| InstanceProfile {
                name: profile.instance_profile_name,
                arn: profile.arn,
            })
            .collect();
        let role = Role {
            arn: self.arn,
            id: self.role_id,
            created: time(&self.create_date),
            trust: self.assume_role_policy_document,
            inline: inline(self.role_policy_list),
            attached: attached(self.attached_managed_policies),
            boundary: boundary(self.permissions_boundary),
            tags: tags(self.tags),
            instance_profiles: sorted(instance_profiles),
            last_used: self
                .role_last_used
                .and_then(|used| time(&used.last_used_date)),
        };
        (self.role_name, role)
    }
}

impl PolicyDetail {
    fn pair(self) -> (Arn, ManagedPolicy) {
        let versions = self
            .policy_version_list
            .into_iter()
            .map(|version| (version.version_id, version.document))
            .collect();
        let policy = ManagedPolicy {
            name: self.policy_name,
            default_version: self.default_version_id,
            versions,
        };
        (self.arn, policy)
    }
}

fn inline(list: Vec<Inline>) -> BTreeMap<String, PolicyText> {
    list.into_iter()
        .map(|policy| (policy.policy_name, policy.policy_document))
        .collect()
}

fn attached(list: Vec<Attached>) -> Vec<Arn> {
    sorted(list.into_iter().map(|policy| policy.policy_arn).collect())
}

fn boundary(boundary: Option<Boundary>) -> Observed<Arn> {
    match boundary {
        Some(boundary) => Observed::Value(boundary.permissions_boundary_arn),
        None => Observed::Absent,
    }
}

fn tags(list: Vec<Tag>) -> BTreeMap<String, String> {
    list.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

fn time(text: &Option<String>) -> Option<Time> {
    let text = text.as_deref()?;
    text.parse().ok().or_else(|| {
        // The first version of the AWS CLI wrote offsets without a colon: +0000.
        let (rest, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        format!("{rest}:{minutes}").parse().ok()
    })
}
