//! The organization: its tree, its policies, who they are attached to.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::PolicyType;
use palisade_model::{
    Gap, GapKind, Observed, OrgAccount, OrgPolicy, OrgPolicyKind, Organization, OrganizationalUnit,
    PolicyText, Time,
};

use crate::clients::sdk;
use crate::engine::Place;
use crate::tasks::each;

/// Everything Organizations says to this account. Absent: the account stands alone.
pub(crate) async fn organization(home: &Arc<Place>) -> Observed<Organization> {
    let place = home.as_ref();
    let client = sdk!(aws_sdk_organizations, place, "organizations");
    let answer = place.ask("organizations:DescribeOrganization", || {
        client.describe_organization().send()
    });
    let described = match answer.await {
        Observed::Value(answer) => answer.organization,
        other => return other.map(|_| Organization::default()),
    };
    let Some(described) = described else {
        return unreadable("organizations:DescribeOrganization").into();
    };
    let (root, delegated_administrators, trusted_services, resource_policy, features) = tokio::join!(
        root(place, &client),
        delegated_administrators(place, &client),
        trusted_services(place, &client),
        resource_policy(place, &client),
        root_access_features(place),
    );
    let (root, enabled_policy_types) = root;
    let (tree, policies) = tokio::join!(tree(place, &client, &root), policies(place, &client));
    let (units, accounts) = tree;
    let (policies, attachments) = policies;
    Observed::Value(Organization {
        id: described.id.unwrap_or_default(),
        management_account: described.master_account_id.unwrap_or_default(),
        feature_set: described
            .feature_set
            .map(|set| set.as_str().to_owned())
            .unwrap_or_default(),
        root,
        enabled_policy_types,
        units,
        accounts,
        policies,
        attachments,
        delegated_administrators,
        trusted_services,
        resource_policy,
        root_access_features: features,
    })
}

/// An answer without what the operation always returns.
fn unreadable(operation: &str) -> Gap {
    Gap::new(operation, GapKind::Unparsable)
}

async fn root(place: &Place, client: &Client) -> (Observed<String>, Observed<Vec<String>>) {
    let roots = place.pages(
        "organizations:ListRoots",
        |token| client.list_roots().set_next_token(token).send(),
        |page| (page.roots.unwrap_or_default(), page.next_token),
    );
    match roots.await {
        Observed::Value(roots) => match roots.into_iter().next() {
            Some(root) => {
                let types = root.policy_types.unwrap_or_default().into_iter();
                let mut enabled: Vec<String> = types
                    .filter(|summary| {
                        let status = summary.status.as_ref().map(|status| status.as_str());
                        status.is_none_or(|status| status == "ENABLED")
                    })
                    .filter_map(|summary| Some(summary.r#type?.as_str().to_owned()))
                    .collect();
                enabled.sort();
                (
                    Observed::Value(root.id.unwrap_or_default()),
                    Observed::Value(enabled),
                )
            }
            // Every organization has one root.
            None => {
                let gap = unreadable("organizations:ListRoots");
                (gap.clone().into(), gap.into())
            }
        },
        other => (
            other.as_ref().map(|_| String::new()),
            other.map(|_| Vec::new()),
        ),
    }
}

type Units = BTreeMap<String, OrganizationalUnit>;
type Accounts = BTreeMap<String, OrgAccount>;

/// Walks the tree level by level. ListAccounts gives all accounts without their parents;
/// ListAccountsForParent tells where each one stands.
async fn tree(
    place: &Place,
    client: &Client,
    root: &Observed<String>,
) -> (Observed<Units>, Observed<Accounts>) {
    let Observed::Value(root) = root else {
        let listed = listed_accounts(place, client).await;
        return (root.as_ref().map(|_| Units::new()), listed);
    };
    let mut units = Units::new();
    let mut accounts = Accounts::new();
    let mut level = vec![root.clone()];
    while !level.is_empty() {
        let read = each(level, |parent| async move {
            let (children, members) = tokio::join!(
                children(place, client, &parent),
                members(place, client, &parent),
            );
            (parent, children, members)
        });
        level = Vec::new();
        for (parent, children, members) in read.await {
            let (Observed::Value(children), Observed::Value(members)) = (&children, &members)
            else {
                // Part of the tree is dark: nobody knows where accounts stand, and only the flat
                // list tells which there are.
                let failed = children
                    .map(|_| Units::new())
                    .or(members.map(|_| Units::new()));
                return (failed, listed_accounts(place, client).await);
            };
            for (id, name) in children {
                level.push(id.clone());
                let unit = OrganizationalUnit {
                    name: name.clone(),
                    parent: parent.clone(),
                };
                units.insert(id.clone(), unit);
            }
            accounts.extend(members.iter().cloned());
        }
    }
    (Observed::Value(units), Observed::Value(accounts))
}

/// A failed half makes the other's value unusable.
trait Or {
    fn or(self, other: Self) -> Self;
}

impl<T> Or for Observed<T> {
    fn or(self, other: Self) -> Self {
        match self {
            Observed::Value(_) => other,
            failed => failed,
        }
    }
}

async fn listed_accounts(place: &Place, client: &Client) -> Observed<Accounts> {
    let listed = place.pages(
        "organizations:ListAccounts",
        |token| client.list_accounts().set_next_token(token).send(),
        |page| (page.accounts.unwrap_or_default(), page.next_token),
    );
    let listed = listed
        .await
        .map(|accounts| accounts.into_iter().map(|a| account("", a)));
    listed.map(Iterator::collect)
}

async fn children(place: &Place, client: &Client, parent: &str) -> Observed<Vec<(String, String)>> {
    let units = place.pages(
        "organizations:ListOrganizationalUnitsForParent",
        |token| {
            client
                .list_organizational_units_for_parent()
                .parent_id(parent)
                .set_next_token(token)
                .send()
        },
        |page| {
            (
                page.organizational_units.unwrap_or_default(),
                page.next_token,
            )
        },
    );
    units.await.map(|units| {
        let units = units.into_iter();
        units
            .map(|unit| (unit.id.unwrap_or_default(), unit.name.unwrap_or_default()))
            .collect()
    })
}

async fn members(
    place: &Place,
    client: &Client,
    parent: &str,
) -> Observed<Vec<(String, OrgAccount)>> {
    let accounts = place.pages(
        "organizations:ListAccountsForParent",
        |token| {
            client
                .list_accounts_for_parent()
                .parent_id(parent)
                .set_next_token(token)
                .send()
        },
        |page| (page.accounts.unwrap_or_default(), page.next_token),
    );
    let accounts = accounts.await;
    accounts.map(|accounts| {
        accounts
            .into_iter()
            .map(|entry| account(parent, entry))
            .collect()
    })
}

fn account(parent: &str, entry: aws_sdk_organizations::types::Account) -> (String, OrgAccount) {
    #[allow(deprecated)] // `State` is newer; stand-ins for AWS and older partitions say `Status`
    let status = match (&entry.state, &entry.status) {
        (Some(state), _) => state.as_str().to_owned(),
        (None, Some(status)) => status.as_str().to_owned(),
        (None, None) => String::new(),
    };
    let account = OrgAccount {
        name: entry.name.unwrap_or_default(),
        status,
        parent: parent.to_owned(),
        joined: entry.joined_timestamp.map(|date| Time(date.secs())),
    };
    (entry.id.unwrap_or_default(), account)
}

/// The policy types that limit permissions.
const KINDS: [(PolicyType, OrgPolicyKind); 2] = [
    (PolicyType::ServiceControlPolicy, OrgPolicyKind::Scp),
    (PolicyType::ResourceControlPolicy, OrgPolicyKind::Rcp),
];

type Policies = (
    Observed<BTreeMap<String, OrgPolicy>>,
    Observed<BTreeMap<String, Vec<String>>>,
);

/// Policies with their targets: asked per policy, which is one call for most, not per account.
async fn policies(place: &Place, client: &Client) -> Policies {
    let mut found: Vec<(String, OrgPolicy)> = Vec::new();
    for (kind, ours) in KINDS {
        let listed = place.pages(
            "organizations:ListPolicies",
            |token| {
                client
                    .list_policies()
                    .filter(kind.clone())
                    .set_next_token(token)
                    .send()
            },
            |page| (page.policies.unwrap_or_default(), page.next_token),
        );
        match listed.await {
            Observed::Value(listed) => found.extend(listed.into_iter().map(|summary| {
                let policy = OrgPolicy {
                    name: summary.name.unwrap_or_default(),
                    kind: ours,
                    aws_managed: summary.aws_managed,
                    document: Observed::not_collected("organizations:DescribePolicy"),
                };
                (summary.id.unwrap_or_default(), policy)
            })),
            Observed::Absent => {}
            other => {
                return (
                    other.as_ref().map(|_| BTreeMap::new()),
                    other.map(|_| BTreeMap::new()),
                );
            }
        }
    }
    let read = each(found, |(id, mut policy)| async move {
        let (document, targets) =
            tokio::join!(document(place, client, &id), targets(place, client, &id));
        policy.document = document;
        (id, policy, targets)
    });
    let mut policies = BTreeMap::new();
    let mut attachments = Observed::Value(BTreeMap::<String, Vec<String>>::new());
    for (id, policy, targets) in read.await {
        match targets {
            Observed::Value(targets) => {
                for target in targets {
                    if let Some(attachments) = attachments.value_mut() {
                        attachments.entry(target).or_default().push(id.clone());
                    }
                }
            }
            // One policy whose targets are unknown could be attached anywhere.
            failed => attachments = attachments.or(failed.map(|_| BTreeMap::new())),
        }
        policies.insert(id, policy);
    }
    if let Some(attachments) = attachments.value_mut() {
        attachments.values_mut().for_each(|ids| ids.sort());
    }
    (Observed::Value(policies), attachments)
}

async fn document(place: &Place, client: &Client, id: &str) -> Observed<PolicyText> {
    let answer = place.ask("organizations:DescribePolicy", || {
        client.describe_policy().policy_id(id).send()
    });
    match answer.await {
        Observed::Value(answer) => match answer.policy.and_then(|policy| policy.content) {
            Some(content) => Observed::Value(PolicyText::new(content)),
            None => unreadable("organizations:DescribePolicy").into(),
        },
        other => other.map(|_| PolicyText::default()),
    }
}

async fn targets(place: &Place, client: &Client, id: &str) -> Observed<Vec<String>> {
    let targets = place.pages(
        "organizations:ListTargetsForPolicy",
        |token| {
            client
                .list_targets_for_policy()
                .policy_id(id)
                .set_next_token(token)
                .send()
        },
        |page| (page.targets.unwrap_or_default(), page.next_token),
    );
    let targets = targets.await;
    targets.map(|targets| {
        targets
            .into_iter()
            .filter_map(|target| target.target_id)
            .collect()
    })
}

async fn delegated_administrators(
    place: &Place,
    client: &Client,
) -> Observed<BTreeMap<String, Vec<String>>> {
    let listed = place.pages(
        "organizations:ListDelegatedAdministrators",
        |token| {
            client
                .list_delegated_administrators()
                .set_next_token(token)
                .send()
        },
        |page| {
            (
                page.delegated_administrators.unwrap_or_default(),
                page.next_token,
            )
        },
    );
    let ids: Vec<String> = match listed.await {
        Observed::Value(listed) => listed.into_iter().filter_map(|entry| entry.id).collect(),
        other => return other.map(|_| BTreeMap::new()),
    };
    let read = each(ids, |id| async move {
        let services = place.pages(
            "organizations:ListDelegatedServicesForAccount",
            |token| {
                client
                    .list_delegated_services_for_account()
                    .account_id(&id)
                    .set_next_token(token)
                    .send()
            },
            |page| (page.delegated_services.unwrap_or_default(), page.next_token),
        );
        let services = services.await;
        (id, services)
    });
    let mut administrators = BTreeMap::new();
    for (id, services) in read.await {
        match services {
            Observed::Value(services) => {
                let services = services.into_iter();
                let mut names: Vec<String> = services
                    .filter_map(|service| service.service_principal)
                    .collect();
                names.sort();
                administrators.insert(id, names);
            }
            other => return other.map(|_| BTreeMap::new()),
        }
    }
    Observed::Value(administrators)
}

async fn trusted_services(place: &Place, client: &Client) -> Observed<Vec<String>> {
    let services = place.pages(
        "organizations:ListAWSServiceAccessForOrganization",
        |token| {
            client
                .list_aws_service_access_for_organization()
                .set_next_token(token)
                .send()
        },
        |page| {
            (
                page.enabled_service_principals.unwrap_or_default(),
                page.next_token,
            )
        },
    );
    services.await.map(|services| {
        let services = services.into_iter();
        let mut names: Vec<String> = services
            .filter_map(|service| service.service_principal)
            .collect();
        names.sort();
        names
    })
}

async fn resource_policy(place: &Place, client: &Client) -> Observed<PolicyText> {
    let answer = place.ask("organizations:DescribeResourcePolicy", || {
        client.describe_resource_policy().send()
    });
    match answer.await {
        Observed::Value(answer) => match answer.resource_policy.and_then(|policy| policy.content) {
            Some(content) => Observed::Value(PolicyText::new(content)),
            None => Observed::Absent,
        },
        other => other.map(|_| PolicyText::default()),
    }
}

async fn root_access_features(place: &Place) -> Observed<Vec<String>> {
    let client = sdk!(aws_sdk_iam, place, "iam");
    let answer = place.ask("iam:ListOrganizationsFeatures", || {
        client.list_organizations_features().send()
    });
    answer.await.map(|answer| {
        let features = answer.enabled_features.unwrap_or_default().into_iter();
        let mut names: Vec<String> = features.map(|name| name.as_str().to_owned()).collect();
        names.sort();
        names
    })
}
