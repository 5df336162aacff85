//! IAM of one account.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{
    GroupDetail, ManagedPolicyDetail, PolicyDetail, RoleDetail, StatusType, Tag, UserDetail,
};
use palisade_model::{
    AccessKey, Arn, Gap, Group, Iam, InstanceProfile, KeyStatus, LoginProfile, ManagedPolicy,
    Observed, OidcProvider, PolicyText, Role, RootUser, SamlProvider, Time, User,
};
use percent_encoding::percent_decode_str;

use crate::clients::sdk;
use crate::credential_report::credential_report;
use crate::engine::Place;
use crate::s3::or_absent;
use crate::tasks::each;

/// Everything IAM says.
pub(crate) async fn iam(place: &Place) -> Iam {
    let client = sdk!(aws_sdk_iam, place, "iam");
    let (details, root, credential_report, saml_providers, oidc_providers, alias) = tokio::join!(
        authorization_details(place, &client),
        root(place, &client),
        credential_report(place, &client),
        saml_providers(place, &client),
        oidc_providers(place, &client),
        alias(place, &client),
    );
    let (mut users, groups, roles, policies) = split(details);
    if let Some(users) = users.value_mut() {
        credentials_of(place, &client, users).await;
    }
    Iam {
        users,
        groups,
        roles,
        policies,
        root,
        credential_report,
        saml_providers,
        oidc_providers,
        alias,
    }
}

#[derive(Default)]
struct Details {
    users: BTreeMap<String, User>,
    groups: BTreeMap<String, Group>,
    roles: BTreeMap<String, Role>,
    policies: BTreeMap<Arn, ManagedPolicy>,
}

type Split = (
    Observed<BTreeMap<String, User>>,
    Observed<BTreeMap<String, Group>>,
    Observed<BTreeMap<String, Role>>,
    Observed<BTreeMap<Arn, ManagedPolicy>>,
);

fn split(details: Observed<Details>) -> Split {
    match details {
        Observed::Value(details) => (
            Observed::Value(details.users),
            Observed::Value(details.groups),
            Observed::Value(details.roles),
            Observed::Value(details.policies),
        ),
        other => {
            let gap = || match other.gap() {
                Some(gap) => gap.clone(),
                None => Gap::not_collected("iam:GetAccountAuthorizationDetails"),
            };
            (gap().into(), gap().into(), gap().into(), gap().into())
        }
    }
}

async fn authorization_details(place: &Place, client: &Client) -> Observed<Details> {
    let pages = place.pages(
        "iam:GetAccountAuthorizationDetails",
        |marker| {
            client
                .get_account_authorization_details()
                .max_items(1_000)
                .set_marker(marker)
                .send()
        },
        |page| {
            let next = page.marker.clone().filter(|_| page.is_truncated);
            (vec![page], next)
        },
    );
    pages.await.map(|pages| {
        let mut details = Details::default();
        for page in pages {
            let users = page.user_detail_list.unwrap_or_default();
            details.users.extend(users.into_iter().map(user));
            let groups = page.group_detail_list.unwrap_or_default();
            details.groups.extend(groups.into_iter().map(group));
            let roles = page.role_detail_list.unwrap_or_default();
            details.roles.extend(roles.into_iter().map(role));
            let policies = page.policies.unwrap_or_default();
            details.policies.extend(policies.into_iter().map(policy));
        }
        keep_attached(&mut details);
        details
    })
}

/// AWS lists only those of its own policies that are attached; stand-ins for AWS list them all.
fn keep_attached(details: &mut Details) {
    let users = details.users.values().flat_map(|user| {
        let boundary = user.boundary.value();
        user.attached.iter().chain(boundary).cloned()
    });
    let groups = details.groups.values();
    let groups = groups.flat_map(|group| group.attached.iter().cloned());
    let roles = details.roles.values().flat_map(|role| {
        let boundary = role.boundary.value();
        role.attached.iter().chain(boundary).cloned()
    });
    let attached: BTreeSet<Arn> = users.chain(groups).chain(roles).collect();
    details
        .policies
        .retain(|arn, _| arn.account() != "aws" || attached.contains(arn));
}

fn user(detail: UserDetail) -> (String, User) {
    let boundary = detail.permissions_boundary;
    let user = User {
        arn: detail.arn.unwrap_or_default().into(),
        id: detail.user_id.unwrap_or_default(),
        created: detail.create_date.map(|date| Time(date.secs())),
        groups: sorted(detail.group_list.unwrap_or_default()),
        inline: inline(detail.user_policy_list),
        attached: attached(detail.attached_managed_policies),
        boundary: boundary_of(boundary.and_then(|boundary| boundary.permissions_boundary_arn)),
        tags: tags(detail.tags),
        access_keys: Observed::not_collected("iam:ListAccessKeys"),
        login_profile: Observed::not_collected("iam:GetLoginProfile"),
        mfa_devices: Observed::not_collected("iam:ListMFADevices"),
        service_credentials: Observed::not_collected("iam:ListServiceSpecificCredentials"),
        ssh_keys: Observed::not_collected("iam:ListSSHPublicKeys"),
    };
    (detail.user_name.unwrap_or_default(), user)
}

fn group(detail: GroupDetail) -> (String, Group) {
    let group = Group {
        arn: detail.arn.unwrap_or_default().into(),
        id: detail.group_id.unwrap_or_default(),
        inline: inline(detail.group_policy_list),
        attached: attached(detail.attached_managed_policies),
    };
    (detail.group_name.unwrap_or_default(), group)
}

fn role(detail: RoleDetail) -> (String, Role) {
    let profiles = detail.instance_profile_list.unwrap_or_default();
    let mut instance_profiles: Vec<InstanceProfile> = profiles
        .into_iter()
        .map(|profile| InstanceProfile {
            name: profile.instance_profile_name,
            arn: profile.arn.into(),
        })
        .collect();
    instance_profiles.sort();
    let boundary = detail.permissions_boundary;
    let last_used = detail.role_last_used.and_then(|used| used.last_used_date);
    let role = Role {
        arn: detail.arn.unwrap_or_default().into(),
        id: detail.role_id.unwrap_or_default(),
        created: detail.create_date.map(|date| Time(date.secs())),
        trust: document(&detail.assume_role_policy_document.unwrap_or_default()),
        inline: inline(detail.role_policy_list),
        attached: attached(detail.attached_managed_policies),
        boundary: boundary_of(boundary.and_then(|boundary| boundary.permissions_boundary_arn)),
        tags: tags(detail.tags),
        instance_profiles,
        last_used: last_used.map(|date| Time(date.secs())),
    };
    (detail.role_name.unwrap_or_default(), role)
}

fn policy(detail: ManagedPolicyDetail) -> (Arn, ManagedPolicy) {
    let arn = Arn::from(detail.arn.unwrap_or_default());
    let default_version = detail.default_version_id.unwrap_or_default();
    let versions = detail.policy_version_list.unwrap_or_default();
    let versions = versions
        .into_iter()
        .map(|version| {
            let text = document(&version.document.unwrap_or_default());
            (version.version_id.unwrap_or_default(), text)
        })
        .filter(|(id, _)| arn.account() != "aws" || *id == default_version)
        .collect();
    let policy = ManagedPolicy {
        name: detail.policy_name.unwrap_or_default(),
        default_version,
        versions,
    };
    (arn, policy)
}

fn boundary_of(arn: Option<String>) -> Observed<Arn> {
    match arn {
        Some(arn) => Observed::Value(arn.into()),
        None => Observed::Absent,
    }
}

fn inline(policies: Option<Vec<PolicyDetail>>) -> BTreeMap<String, PolicyText> {
    let policies = policies.unwrap_or_default().into_iter();
    policies
        .map(|policy| {
            // Without a document it is a policy that nobody can read, not one that says nothing.
            let text = document(&policy.policy_document.unwrap_or_default());
            (policy.policy_name.unwrap_or_default(), text)
        })
        .collect()
}

fn attached(policies: Option<Vec<aws_sdk_iam::types::AttachedPolicy>>) -> Vec<Arn> {
    let policies = policies.unwrap_or_default().into_iter();
    sorted(
        policies
            .filter_map(|policy| Some(policy.policy_arn?.into()))
            .collect(),
    )
}

fn tags(tags: Option<Vec<Tag>>) -> BTreeMap<String, String> {
    let tags = tags.unwrap_or_default().into_iter();
    tags.map(|tag| (tag.key, tag.value)).collect()
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

/// IAM answers with percent-encoded documents. Source: "GetAccountAuthorizationDetails", IAM
/// API Reference: "Policies returned by this operation are URL-encoded compliant with RFC 3986".
/// A document that begins as JSON was not encoded.
pub(crate) fn document(text: &str) -> PolicyText {
    if text.trim_start().starts_with(['{', '[']) {
        return PolicyText::new(text);
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(decoded) => PolicyText::new(decoded.as_ref()),
        Err(_) => PolicyText::new(text),
    }
}

async fn credentials_of(place: &Place, client: &Client, users: &mut BTreeMap<String, User>) {
    let names: Vec<String> = users.keys().cloned().collect();
    let read = each(names, |name| async move {
        let read = tokio::join!(
            access_keys(place, client, &name),
            login_profile(place, client, &name),
            mfa_devices(place, client, &name),
            service_credentials(place, client, &name),
            ssh_keys(place, client, &name),
        );
        (name, read)
    });
    for (name, (keys, login, devices, service_credentials, ssh_keys)) in read.await {
        if let Some(user) = users.get_mut(&name) {
            user.access_keys = keys;
            user.login_profile = login;
            user.mfa_devices = devices;
            user.service_credentials = service_credentials;
            user.ssh_keys = ssh_keys;
        }
    }
}

/// Counted by service, as the quota does. The answer holds no password.
async fn service_credentials(place: &Place, client: &Client, user: &str) -> Observed<u64> {
    let answer = place.ask("iam:ListServiceSpecificCredentials", || {
        client
            .list_service_specific_credentials()
            .user_name(user)
            .send()
    });
    match answer.await {
        Observed::Value(answer) => {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for credential in answer.service_specific_credentials.unwrap_or_default() {
                *counts.entry(credential.service_name).or_default() += 1;
            }
            or_absent(counts.into_values().max())
        }
        other => other.map(|_| 0),
    }
}

async fn ssh_keys(place: &Place, client: &Client, user: &str) -> Observed<u64> {
    let keys = place.pages(
        "iam:ListSSHPublicKeys",
        |marker| {
            client
                .list_ssh_public_keys()
                .user_name(user)
                .set_marker(marker)
                .send()
        },
        |page| {
            let next = page.marker.filter(|_| page.is_truncated);
            (page.ssh_public_keys.unwrap_or_default(), next)
        },
    );
    match keys.await {
        Observed::Value(keys) => or_absent(Some(keys.len() as u64).filter(|count| *count > 0)),
        other => other.map(|_| 0),
    }
}

async fn access_keys(place: &Place, client: &Client, user: &str) -> Observed<Vec<AccessKey>> {
    let keys = place.pages(
        "iam:ListAccessKeys",
        |marker| {
            client
                .list_access_keys()
                .user_name(user)
                .set_marker(marker)
                .send()
        },
        |page| {
            let next = page.marker.filter(|_| page.is_truncated);
            (page.access_key_metadata, next)
        },
    );
    keys.await.map(|keys| {
        let mut keys: Vec<AccessKey> = keys
            .into_iter()
            .map(|key| AccessKey {
                id: key.access_key_id.unwrap_or_default(),
                status: match key.status {
                    Some(StatusType::Inactive) => KeyStatus::Inactive,
                    Some(status) if status.as_str() == "Expired" => KeyStatus::Expired,
                    _ => KeyStatus::Active,
                },
                created: key.create_date.map(|date| Time(date.secs())),
            })
            .collect();
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        keys
    })
}

async fn login_profile(place: &Place, client: &Client, user: &str) -> Observed<LoginProfile> {
    let answer = place.ask("iam:GetLoginProfile", || {
        client.get_login_profile().user_name(user).send()
    });
    answer.await.map(|answer| LoginProfile {
        created: answer
            .login_profile
            .map(|profile| Time(profile.create_date.secs())),
    })
}

async fn mfa_devices(place: &Place, client: &Client, user: &str) -> Observed<Vec<String>> {
    let devices = place.pages(
        "iam:ListMFADevices",
        |marker| {
            client
                .list_mfa_devices()
                .user_name(user)
                .set_marker(marker)
                .send()
        },
        |page| {
            let next = page.marker.filter(|_| page.is_truncated);
            (page.mfa_devices, next)
        },
    );
    devices.await.map(|devices| {
        sorted(
            devices
                .into_iter()
                .map(|device| device.serial_number)
                .collect(),
        )
    })
}

async fn root(place: &Place, client: &Client) -> Observed<RootUser> {
    let answer = place.ask("iam:GetAccountSummary", || {
        client.get_account_summary().send()
    });
    let summary = match answer.await {
        Observed::Value(answer) => answer.summary_map.unwrap_or_default(),
        other => return other.map(|_| RootUser::default()),
    };
    let entry = |name: &str| {
        summary
            .iter()
            .find(|(key, _)| key.as_str() == name)
            .map(|(_, count)| *count > 0)
    };
    match (
        entry("AccountMFAEnabled"),
        entry("AccountAccessKeysPresent"),
    ) {
        (Some(mfa), Some(access_keys)) => Observed::Value(RootUser {
            mfa,
            access_keys,
            password: entry("AccountPasswordPresent"),
        }),
        _ => Gap::new("iam:GetAccountSummary", palisade_model::GapKind::Unparsable).into(),
    }
}

async fn saml_providers(place: &Place, client: &Client) -> Observed<BTreeMap<Arn, SamlProvider>> {
    let answer = place.ask("iam:ListSAMLProviders", || {
        client.list_saml_providers().send()
    });
    answer.await.map(|answer| {
        let providers = answer.saml_provider_list.unwrap_or_default().into_iter();
        providers
            .filter_map(|provider| {
                let valid_until = provider.valid_until.map(|date| Time(date.secs()));
                Some((provider.arn?.into(), SamlProvider { valid_until }))
            })
            .collect()
    })
}

async fn oidc_providers(place: &Place, client: &Client) -> Observed<BTreeMap<Arn, OidcProvider>> {
    let answer = place.ask("iam:ListOpenIDConnectProviders", || {
        client.list_open_id_connect_providers().send()
    });
    let listed = match answer.await {
        Observed::Value(answer) => answer.open_id_connect_provider_list.unwrap_or_default(),
        other => return other.map(|_| BTreeMap::new()),
    };
    let arns: Vec<String> = listed.into_iter().filter_map(|entry| entry.arn).collect();
    let providers = each(arns, |arn| async move {
        let answer = place.ask("iam:GetOpenIDConnectProvider", || {
            client
                .get_open_id_connect_provider()
                .open_id_connect_provider_arn(&arn)
                .send()
        });
        let answer = answer.await;
        let url = answer.as_ref().map(|answer| {
            let url = answer.url.clone().unwrap_or_default();
            url.trim_start_matches("https://").to_owned()
        });
        let client_ids = answer.map(|answer| sorted(answer.client_id_list.unwrap_or_default()));
        (Arn::from(arn), OidcProvider { url, client_ids })
    });
    Observed::Value(providers.await.into_iter().collect())
}

async fn alias(place: &Place, client: &Client) -> Observed<String> {
    let answer = place.ask("iam:ListAccountAliases", || {
        client.list_account_aliases().send()
    });
    match answer.await {
        Observed::Value(answer) => match answer.account_aliases.into_iter().next() {
            Some(alias) => Observed::Value(alias),
            None => Observed::Absent,
        },
        other => other.map(|_| String::new()),
    }
}
