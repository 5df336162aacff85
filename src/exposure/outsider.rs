//! The outsiders worth trying: one of each kind that the policies at hand could tell apart, and
//! the places they may come from.

use std::collections::BTreeSet;

use palisade_model::Partition;

use crate::policy::{Caller, Context};

use super::network::{Region, regions};
use super::surroundings::{Standing, Surroundings};
use super::words::{Words, example};

/// One kind of outsider.
#[derive(Clone, Debug)]
pub(super) struct Outsider {
    pub(super) kind: Kind,
    pub(super) caller: Caller,
    /// What is fixed about who it is.
    pub(super) account: Option<String>,
    pub(super) organization: Option<String>,
    /// The value of `aws:userid`, where the kind is about it.
    pub(super) userid: Option<String>,
    /// The value of `aws:SourceArn`, where a service acts for one resource.
    pub(super) source: Option<String>,
}

/// What a request by such an outsider proves about the audience.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Nobody signed in: everybody.
    Anyone,
    /// Any user of an identity provider where anybody may have an account.
    ProviderUser(String),
    /// Some AWS account that nobody named.
    AnyAccount,
    /// A foreign organization that a policy names.
    Organization(String),
    /// An account that a policy names.
    Account(String),
    /// A principal that a policy knows by its unique id, and nobody else does.
    Principal(String),
    /// An AWS service on behalf of an account that a policy names.
    ServiceFor(String),
    /// Some account of the own organization.
    Member,
}

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The internet, whatever the address.
    Internet,
    /// The internet, from one region of the address space.
    Addresses(Region),
    /// A VPC endpoint.
    Endpoint {
        /// The VPC's id, and whether a policy names it.
        vpc: (String, bool),
        /// The endpoint's id, and whether a policy names it.
        endpoint: (String, bool),
        /// The account that owns it, and whether a policy names it.
        account: (String, bool),
        /// The organization that owns it, and whether a policy names it.
        organization: (String, bool),
    },
    /// An access point in somebody else's account.
    ForeignAccessPoint {
        /// That account, and whether a policy names it.
        account: (String, bool),
    },
    /// One particular access point, from the internet or from its VPC.
    AccessPoint {
        /// Its ARN.
        arn: String,
        /// Its account.
        account: String,
        /// The VPC it answers; empty: the internet.
        vpc: String,
        /// The addresses it is asked from; `None`: any.
        from: Option<Region>,
    },
}

/// Ids that no policy at hand mentions.
pub(super) struct Strangers {
    pub(super) account: String,
    pub(super) second: String,
    pub(super) member: String,
    pub(super) organization: String,
}

impl Strangers {
    pub(super) fn to(words: &Words) -> Self {
        let mut free = (0_u64..)
            .map(|step| format!("{:012}", 918_273_645_501 + 7 * step))
            .filter(|id| !words.accounts.contains(id));
        let mut next = || free.next().unwrap_or_default();
        let organization = (0_u32..)
            .map(|step| format!("o-palisade{step:02}"))
            .find(|id| !words.organizations.contains(id))
            .unwrap_or_default();
        Strangers {
            account: next(),
            second: next(),
            member: next(),
            organization,
        }
    }
}

/// All outsiders to a resource of `owner` that the words let policies tell apart.
pub(super) fn outsiders(words: &Words, owner: &str, around: &Surroundings<'_>) -> Vec<Outsider> {
    let partition = around.snapshot.partition;
    let strangers = Strangers::to(words);
    let mut out = vec![Outsider {
        kind: Kind::Anyone,
        caller: Caller::Anonymous,
        account: None,
        organization: None,
        userid: Some("anonymous".to_owned()),
        source: None,
    }];
    for provider in &words.providers {
        out.push(Outsider {
            kind: Kind::ProviderUser(provider.clone()),
            caller: Caller::Federated(provider.as_str().into()),
            account: None,
            organization: None,
            userid: None,
            source: None,
        });
    }
    out.push(role(
        Kind::AnyAccount,
        partition,
        &strangers.account,
        Some(&strangers.organization),
    ));
    for organization in &words.organizations {
        if around.organization_standing(organization) != Standing::Own {
            let kind = Kind::Organization(organization.clone());
            out.push(role(kind, partition, &strangers.second, Some(organization)));
        }
    }
    for account in words.accounts.iter().filter(|account| *account != owner) {
        out.extend(of_account(words, account, around, &strangers));
    }
    for pattern in words.of("aws:userid") {
        let id = pattern.split([':', '*', '?']).next().unwrap_or_default();
        let unique = id.len() > 4 && !words.accounts.contains(id) && !id.contains('$');
        if unique && !around.owns_principal_id(id) {
            let kind = Kind::Principal(id.to_owned());
            let mut named = role(kind, partition, &strangers.second, None);
            named.userid = Some(example(pattern));
            out.push(named);
        }
    }
    if let Some(own) = around.organization_id() {
        out.push(role(Kind::Member, partition, &strangers.member, Some(own)));
    }
    out
}

fn role(kind: Kind, partition: Partition, account: &str, organization: Option<&str>) -> Outsider {
    let arn = format!("arn:{partition}:iam::{account}:role/palisade-outsider");
    Outsider {
        kind,
        caller: Caller::new(&arn, &Context::closed()),
        account: Some(account.to_owned()),
        organization: organization.map(str::to_owned),
        userid: None,
        source: None,
    }
}

/// The outsiders of one account that a policy names: any role, the root user, the principals
/// named, and a service that acts for it.
fn of_account(
    words: &Words,
    account: &str,
    around: &Surroundings<'_>,
    strangers: &Strangers,
) -> Vec<Outsider> {
    let partition = around.snapshot.partition;
    let kind = Kind::Account(account.to_owned());
    // Which organization a foreign account is in nobody knows: it may be in one that is named.
    let mut homes: Vec<Option<&str>> = match around.standing(account) {
        Standing::Own => vec![around.organization_id()],
        Standing::Foreign => vec![Some(&strangers.organization)],
        Standing::Unclear => vec![Some(&strangers.organization), around.organization_id()],
    };
    let strange = |id: &&String| around.organization_standing(id) != Standing::Own;
    if around.standing(account) != Standing::Own {
        homes.extend(
            words
                .organizations
                .iter()
                .filter(strange)
                .map(|id| Some(id.as_str())),
        );
    }
    homes.dedup();
    let mut names = vec![
        format!("arn:{partition}:iam::{account}:role/palisade-outsider"),
        format!("arn:{partition}:iam::{account}:root"),
    ];
    let part = format!(":{account}:");
    names.extend(
        words
            .principals
            .iter()
            .filter(|arn| arn.contains(&part))
            .cloned(),
    );
    let mut out = Vec::new();
    for home in homes {
        for name in &names {
            out.push(Outsider {
                kind: kind.clone(),
                caller: Caller::new(name, &Context::closed()),
                account: Some(account.to_owned()),
                organization: home.map(str::to_owned),
                userid: None,
                source: None,
            });
        }
    }
    let sources = ["aws:sourceaccount", "aws:sourcearn", "aws:sourceowner"];
    if sources
        .iter()
        .any(|key| words.of(key).any(|value| value.contains(account)))
    {
        let fallback = "palisade.amazonaws.com".to_owned();
        for service in words.services.iter().chain(std::iter::once(&fallback)) {
            out.push(Outsider {
                kind: Kind::ServiceFor(account.to_owned()),
                caller: Caller::Service(service.as_str().into()),
                account: Some(account.to_owned()),
                organization: None,
                userid: None,
                source: None,
            });
        }
    }
    out
}

/// All places that the words let policies tell apart.
pub(super) fn places(words: &Words, owner: &str, around: &Surroundings<'_>) -> Vec<Place> {
    let mut out: Vec<Place> = if words.mentions("aws:sourceip") {
        regions(words.of("aws:sourceip"))
            .into_iter()
            .map(Place::Addresses)
            .collect()
    } else {
        vec![Place::Internet]
    };
    let endpoint_keys = [
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:vpcsourceip",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "aws:sourcevpcarn",
    ];
    // Through an endpoint a request has no address, which some conditions take for a good one.
    let mentions = |key: &&str| words.mentions(key);
    if endpoint_keys.iter().any(mentions) || words.mentions("aws:sourceip") {
        out.extend(endpoints(words, owner, around));
    }
    if words
        .values
        .keys()
        .any(|key| key.starts_with("s3:dataaccesspoint"))
    {
        let strangers = Strangers::to(words);
        let unnamed = Place::ForeignAccessPoint {
            account: (strangers.account, false),
        };
        out.push(unnamed);
        let others = words.accounts.iter().filter(|account| *account != owner);
        out.extend(others.map(|account| Place::ForeignAccessPoint {
            account: (account.clone(), true),
        }));
    }
    out
}

fn endpoints(words: &Words, owner: &str, around: &Surroundings<'_>) -> Vec<Place> {
    let strangers = Strangers::to(words);
    let named = |key: &str, fresh: &str| -> Vec<(String, bool)> {
        let fixed: BTreeSet<&str> = words
            .of(key)
            .filter(|v| !v.contains(['*', '?', '$']))
            .collect();
        let wild: BTreeSet<String> = words
            .of(key)
            .filter(|v| v.contains(['*', '?']))
            .map(example)
            .collect();
        let fixed = fixed.into_iter().map(|value| (value.to_owned(), true));
        // A pattern is no name: others may well have an id that it matches.
        let wild = wild.into_iter().map(|value| (value, false));
        std::iter::once((fresh.to_owned(), false))
            .chain(fixed)
            .chain(wild)
            .collect()
    };
    let mut accounts = vec![(strangers.account.clone(), false)];
    if words.mentions("aws:vpceaccount") {
        accounts.push((owner.to_owned(), true));
        accounts.extend(words.accounts.iter().map(|id| (id.clone(), true)));
    }
    let mut organizations = vec![(strangers.organization.clone(), false)];
    if words.mentions("aws:vpceorgid") || words.mentions("aws:vpceorgpaths") {
        organizations.extend(around.organization_id().map(|id| (id.to_owned(), true)));
        organizations.extend(words.organizations.iter().map(|id| (id.clone(), true)));
    }
    accounts.dedup();
    organizations.dedup();
    let mut out = Vec::new();
    for vpc in named("aws:sourcevpc", "vpc-00palisade") {
        for endpoint in named("aws:sourcevpce", "vpce-00palisade") {
            for account in &accounts {
                for organization in &organizations {
                    out.push(Place::Endpoint {
                        vpc: vpc.clone(),
                        endpoint: endpoint.clone(),
                        account: account.clone(),
                        organization: organization.clone(),
                    });
                }
            }
        }
    }
    // Enough for any policy anybody wrote; what is beyond is named alone, never with others.
    out.truncate(4096);
    out
}

/// The places from which one access point may be asked.
pub(super) fn places_of_access_point(
    words: &Words,
    arn: &str,
    account: &str,
    vpc: &str,
) -> Vec<Place> {
    let place = |from| Place::AccessPoint {
        arn: arn.to_owned(),
        account: account.to_owned(),
        vpc: vpc.to_owned(),
        from,
    };
    if vpc.is_empty() && words.mentions("aws:sourceip") {
        regions(words.of("aws:sourceip"))
            .into_iter()
            .map(|region| place(Some(region)))
            .collect()
    } else {
        vec![place(None)]
    }
}
