//! IAM of one account.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput as Page;
use aws_sdk_iam::types::{
    GroupDetail, ManagedPolicyDetail, PolicyDetail, RoleDetail, Tag, UserDetail,
};
use palisade_model::{
    Arn, Gap, GapKind, Group, Iam, InstanceProfile, ManagedPolicy, Observed, OidcProvider,
    PolicyText, Role, RootUser, SamlProvider, Time, User,
};
use percent_encoding::percent_decode_str;

use crate::clients::sdk;
use crate::credential_report::credential_report;
use crate::engine::Place;
use crate::iam_credentials::credentials_of;
use crate::pages::{NOWHERE, half_a_row};
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
    let Details {
        mut users,
        groups,
        roles,
        policies,
    } = details;
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

struct Details {
    users: Observed<BTreeMap<String, User>>,
    groups: Observed<BTreeMap<String, Group>>,
    roles: Observed<BTreeMap<String, Role>>,
    policies: Observed<BTreeMap<Arn, ManagedPolicy>>,
}

const DETAILS: &str = "iam:GetAccountAuthorizationDetails";

async fn authorization_details(place: &Place, client: &Client) -> Details {
    let pages = place.pages(
        DETAILS,
        |marker| {
            client
                .get_account_authorization_details()
                .max_items(1_000)
                .set_marker(marker)
                .send()
        },
        |page| {
            let next = more(page.marker.clone(), page.is_truncated);
            (vec![page], next)
        },
    );
    let mut pages = pages.await;
    let users = list_of(&mut pages, "UserDetailList", |page| {
        page.user_detail_list.take()
    });
    let groups = list_of(&mut pages, "GroupDetailList", |page| {
        page.group_detail_list.take()
    });
    let roles = list_of(&mut pages, "RoleDetailList", |page| {
        page.role_detail_list.take()
    });
    let policies = list_of(&mut pages, "Policies", |page| page.policies.take());
    let mut details = Details {
        users: named(users, user),
        groups: named(groups, group),
        roles: named(roles, role),
        policies: named(policies, policy),
    };
    keep_attached(&mut details);
    details
}

/// The token of the next page, where there is one.
pub(crate) fn more(marker: Option<String>, is_truncated: bool) -> Option<String> {
    is_truncated.then(|| marker.unwrap_or_else(|| NOWHERE.to_owned()))
}

/// One list, from all pages. An empty one is written as such: where no page has it, it was not
/// read.
fn list_of<T>(
    pages: &mut Observed<Vec<Page>>,
    name: &str,
    take: impl Fn(&mut Page) -> Option<Vec<T>>,
) -> Observed<Vec<T>> {
    let pages = match pages {
        Observed::Value(pages) => pages,
        other => return other.as_ref().map(|_| Vec::new()),
    };
    let found: Vec<Vec<T>> = pages.iter_mut().filter_map(take).collect();
    match found.is_empty() {
        true => unreadable(format!("the answer holds no `{name}`")),
        false => Observed::Value(found.into_iter().flatten().collect()),
    }
}

/// Entries by name; one without a name leaves all of them unread.
fn named<T, K: Ord + Default, V>(
    list: Observed<Vec<T>>,
    read: impl Fn(T) -> (K, V),
) -> Observed<BTreeMap<K, V>> {
    let entries = match list {
        Observed::Value(entries) => entries,
        other => return other.map(|_| BTreeMap::new()),
    };
    let entries: BTreeMap<K, V> = entries.into_iter().map(read).collect();
    match entries.contains_key(&K::default()) {
        true => unreadable("an entry has no name".to_owned()),
        false => Observed::Value(entries),
    }
}

fn unreadable<T>(message: String) -> Observed<T> {
    Gap {
        message,
        ..Gap::new(DETAILS, GapKind::Unparsable)
    }
    .into()
}

/// AWS lists only those of its own policies that are attached; stand-ins for AWS list them all.
/// Where nobody knows what is attached, all of them stay.
fn keep_attached(details: &mut Details) {
    let (Observed::Value(users), Observed::Value(groups), Observed::Value(roles)) =
        (&details.users, &details.groups, &details.roles)
    else {
        return;
    };
    let users = users.values().flat_map(|user| {
        let boundary = user.boundary.value();
        user.attached.iter().chain(boundary).cloned()
    });
    let groups = groups.values();
    let groups = groups.flat_map(|group| group.attached.iter().cloned());
    let roles = roles.values().flat_map(|role| {
        let boundary = role.boundary.value();
        role.attached.iter().chain(boundary).cloned()
    });
    let attached: BTreeSet<Arn> = users.chain(groups).chain(roles).collect();
    if let Some(policies) = details.policies.value_mut() {
        policies.retain(|arn, _| arn.account() != "aws" || attached.contains(arn));
    }
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
    // Without an ARN it is a policy that nobody can read, not one less.
    sorted(
        policies
            .map(|policy| policy.policy_arn.unwrap_or_default().into())
            .collect(),
    )
}

fn tags(tags: Option<Vec<Tag>>) -> BTreeMap<String, String> {
    let tags = tags.unwrap_or_default().into_iter();
    tags.map(|tag| (tag.key, tag.value)).collect()
}

pub(crate) fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
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
        _ => Gap::new("iam:GetAccountSummary", GapKind::Unparsable).into(),
    }
}

async fn saml_providers(place: &Place, client: &Client) -> Observed<BTreeMap<Arn, SamlProvider>> {
    let answer = place.ask("iam:ListSAMLProviders", || {
        client.list_saml_providers().send()
    });
    let listed = match answer.await {
        Observed::Value(answer) => answer.saml_provider_list.unwrap_or_default(),
        other => return other.map(|_| BTreeMap::new()),
    };
    let providers: Option<_> = listed
        .into_iter()
        .map(|provider| {
            let valid_until = provider.valid_until.map(|date| Time(date.secs()));
            Some((provider.arn?.into(), SamlProvider { valid_until }))
        })
        .collect();
    match providers {
        Some(providers) => Observed::Value(providers),
        None => half_a_row("iam:ListSAMLProviders").into(),
    }
}

async fn oidc_providers(place: &Place, client: &Client) -> Observed<BTreeMap<Arn, OidcProvider>> {
    let answer = place.ask("iam:ListOpenIDConnectProviders", || {
        client.list_open_id_connect_providers().send()
    });
    let listed = match answer.await {
        Observed::Value(answer) => answer.open_id_connect_provider_list.unwrap_or_default(),
        other => return other.map(|_| BTreeMap::new()),
    };
    let arns: Option<Vec<String>> = listed.into_iter().map(|entry| entry.arn).collect();
    let Some(arns) = arns else {
        return half_a_row("iam:ListOpenIDConnectProviders").into();
    };
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
