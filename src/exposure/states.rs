//! The condition keys a request by an outsider can carry, and who chooses their values.
//!
//! A key is fixed by who asks and from where, chosen by the caller, or not known. Keys that
//! describe the resource (`aws:ResourceAccount`) are true of everybody and limit nobody.
//! Sources: "AWS global condition context keys", IAM User Guide; "Condition keys for Amazon S3",
//! Service Authorization Reference.

use std::collections::BTreeSet;

use palisade_model::{Observed, Time};

use super::outsider::{Kind, Outsider, Place};
use super::words::{Words, example};

/// The values a key may have in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum States {
    /// One of these, as the caller likes; `None` stands for "not there". A single state is
    /// simply the fact.
    Any(Vec<Option<Vec<String>>>),
    /// Not known, and not for the caller to choose.
    Unknown,
}

/// What is fixed about the resource.
pub(super) struct Target<'a> {
    /// The account that owns it.
    pub(super) account: &'a str,
    /// The organization of that account.
    pub(super) organization: Option<&'a str>,
    /// The region it lies in; empty where the request has none of its own.
    pub(super) region: &'a str,
    /// Its tags.
    pub(super) tags: Option<&'a Observed<std::collections::BTreeMap<String, String>>>,
    /// One object is meant, whose tags nobody has read; otherwise any object will do.
    pub(super) one_object: bool,
    /// Keys that the resource itself fixes, in lower case.
    pub(super) fixed: &'a [(&'a str, &'a str)],
    /// The moment of the request.
    pub(super) now: Time,
    /// The accounts and organizations that were told apart.
    pub(super) words: &'a Words,
}

fn fact(value: impl Into<String>) -> States {
    States::Any(vec![Some(vec![value.into()])])
}

fn absent() -> States {
    States::Any(vec![None])
}

/// Keys that speak of whoever signed a request: of one that nobody signed they are absent.
const OF_A_SESSION: &[&str] = &[
    "s3:signatureage",
    "aws:username",
    "aws:sourceidentity",
    "aws:federatedprovider",
    "aws:tokenissuetime",
    "aws:multifactorauthpresent",
    "aws:multifactorauthage",
    "aws:ec2instancesourcevpc",
    "aws:ec2instancesourceprivateipv4",
    "aws:assumedroot",
    "aws:chatbotsourcearn",
];

impl Target<'_> {
    /// The states of a key (in lower case) in a request by `who` from `place`.
    pub(super) fn states(&self, key: &str, who: &Outsider, place: &Place) -> States {
        if let Some((_, value)) = self.fixed.iter().find(|(name, _)| *name == key) {
            return fact(*value);
        }
        if let Some(states) = self.network_states(key, place) {
            return states;
        }
        if let Some(states) = self.principal_states(key, who) {
            return states;
        }
        match key {
            "aws:resourceaccount" | "s3:resourceaccount" => fact(self.account),
            "aws:resourceorgid" => match self.organization {
                Some(id) => fact(id),
                None => absent(),
            },
            "aws:resourceorgpaths" => match self.organization {
                Some(id) => self.examples(key, |value| value.starts_with(id), false),
                None => absent(),
            },
            "aws:requestedregion" if !self.region.is_empty() => fact(self.region),
            "aws:currenttime" => fact(self.now.to_string()),
            "aws:epochtime" => fact(self.now.0.to_string()),
            "aws:viaawsservice" => fact("false"),
            "aws:securetransport" => {
                States::Any(["true", "false"].map(|v| Some(vec![v.to_owned()])).to_vec())
            }
            "aws:calledvia" | "aws:calledviafirst" | "aws:calledvialast" => absent(),
            "s3:accessgrantsinstancearn" => absent(),
            _ if key.starts_with("s3:existingobjecttag/") => {
                if self.one_object {
                    States::Unknown
                } else {
                    self.examples(key, |_| true, true)
                }
            }
            _ if key.starts_with("aws:resourcetag/") || key.starts_with("s3:buckettag/") => {
                self.tag(key)
            }
            _ => self.request_states(key, who),
        }
    }

    /// Keys that the caller puts into the request himself, and keys nobody knows.
    fn request_states(&self, key: &str, who: &Outsider) -> States {
        let (service, name) = key.split_once(':').unwrap_or(("", key));
        match service {
            "aws" => match name {
                "referer" | "useragent" | "tagkeys" => self.examples(key, |_| true, true),
                "requestedregion" => self.examples(key, |_| true, false),
                _ if name.starts_with("requesttag/") => self.examples(key, |_| true, true),
                _ => States::Unknown,
            },
            // A provider's own users carry its claims; the rest never do.
            _ => match &who.kind {
                Kind::ProviderUser(_) => self.examples(key, |_| true, true),
                _ if is_request_key(service, name) => self.examples(key, |_| true, true),
                _ if matches!(service, "s3" | "kms" | "sns" | "sqs" | "lambda") => States::Unknown,
                _ => absent(),
            },
        }
    }

    fn tag(&self, key: &str) -> States {
        let name = key.split_once('/').map_or("", |(_, name)| name);
        match self.tags {
            // Tags count in S3 only where attribute-based access control is switched on, which
            // is not read: a tag that is there may or may not be seen.
            Some(Observed::Value(tags)) if !tags.keys().any(|t| t.eq_ignore_ascii_case(name)) => {
                absent()
            }
            Some(Observed::Absent) => absent(),
            _ => States::Unknown,
        }
    }

    fn network_states(&self, key: &str, place: &Place) -> Option<States> {
        let through_own_endpoint = matches!(place, Place::Endpoint { .. });
        Some(match (key, place) {
            (
                "aws:sourceip",
                Place::Addresses(region)
                | Place::AccessPoint {
                    from: Some(region), ..
                },
            ) => fact(region.witness().to_string()),
            ("aws:sourceip", Place::Endpoint { .. }) => absent(),
            ("aws:sourceip", Place::AccessPoint { vpc, .. }) if !vpc.is_empty() => absent(),
            // Nobody compares it where this place is used: any address speaks for all.
            ("aws:sourceip", _) => fact("192.0.2.77"),
            ("aws:sourcevpc", Place::Endpoint { vpc, .. }) => fact(&vpc.0),
            ("aws:sourcevpc", Place::AccessPoint { vpc, .. }) if !vpc.is_empty() => fact(vpc),
            ("aws:sourcevpce", Place::Endpoint { endpoint, .. }) => fact(&endpoint.0),
            ("aws:vpceaccount", Place::Endpoint { account, .. }) => fact(&account.0),
            ("aws:vpceorgid", Place::Endpoint { organization, .. }) => fact(&organization.0),
            ("aws:vpceorgpaths", Place::Endpoint { organization, .. }) => {
                self.examples(key, |value| value.starts_with(&organization.0), false)
            }
            // In a network of his own a caller has whatever private address he likes.
            ("aws:vpcsourceip", _) if through_own_endpoint => self.examples(key, |_| true, false),
            ("aws:sourcevpcarn", _) if through_own_endpoint => self.examples(key, |_| true, false),
            (
                "aws:sourcevpc" | "aws:sourcevpce" | "aws:vpcsourceip" | "aws:vpceaccount"
                | "aws:vpceorgid" | "aws:vpceorgpaths" | "aws:sourcevpcarn",
                _,
            ) => absent(),
            ("s3:dataaccesspointaccount", Place::ForeignAccessPoint { account }) => {
                fact(&account.0)
            }
            ("s3:dataaccesspointaccount", Place::AccessPoint { account, .. }) => fact(account),
            ("s3:dataaccesspointarn", Place::AccessPoint { arn, .. }) => fact(arn),
            ("s3:dataaccesspointarn", Place::ForeignAccessPoint { account }) => {
                let own = |value: &str| {
                    value.split(':').nth(4).is_none_or(|part| {
                        part == account.0 || part.contains('*') || part.contains('?')
                    })
                };
                let mut found = self.examples_of(key, own);
                for arn in &mut found {
                    let mut parts: Vec<&str> = arn.splitn(6, ':').collect();
                    if parts.len() == 6 {
                        parts[4] = &account.0;
                        *arn = parts.join(":");
                    }
                }
                let fresh = format!(
                    "arn:aws:s3:{}:{}:accesspoint/palisade",
                    self.region, account.0
                );
                found.push(fresh);
                States::Any(found.into_iter().map(|arn| Some(vec![arn])).collect())
            }
            ("s3:accesspointnetworkorigin", Place::AccessPoint { vpc, .. }) => {
                fact(if vpc.is_empty() { "Internet" } else { "VPC" })
            }
            ("s3:accesspointnetworkorigin", Place::ForeignAccessPoint { .. }) => States::Any(
                ["Internet", "VPC"]
                    .map(|v| Some(vec![v.to_owned()]))
                    .to_vec(),
            ),
            (
                "s3:dataaccesspointaccount"
                | "s3:dataaccesspointarn"
                | "s3:accesspointnetworkorigin",
                _,
            ) => absent(),
            _ => return None,
        })
    }

    fn principal_states(&self, key: &str, who: &Outsider) -> Option<States> {
        let service = matches!(who.kind, Kind::ServiceFor(_));
        let signed = who.account.is_some() && !service;
        let account = who.account.as_deref().unwrap_or_default();
        let mine = |value: &str| {
            let part = value.split(':').nth(4).unwrap_or_default();
            part == account || part.contains(['*', '?']) || !value.starts_with("arn:")
        };
        Some(match key {
            "aws:principalisawsservice" => fact(if service { "true" } else { "false" }),
            "aws:principaltype" => match &who.kind {
                Kind::Anyone => fact("Anonymous"),
                _ if signed => self.choice(&["AssumedRole", "User", "Account", "FederatedUser"]),
                Kind::ProviderUser(_) => self.examples(key, |_| true, true),
                _ => absent(),
            },
            "aws:principalaccount" if signed => fact(account),
            "aws:principalarn" if signed => self.principal_arns(who, account, mine),
            "aws:principalorgid" if signed => match &who.organization {
                Some(id) => fact(id),
                None => absent(),
            },
            "aws:principalorgpaths" if signed => match &who.organization {
                Some(id) => self.examples(
                    key,
                    |value| {
                        let own = value.split('/').next().unwrap_or_default();
                        own == id || own.contains('*')
                    },
                    false,
                ),
                None => absent(),
            },
            "aws:userid" => match &who.userid {
                Some(id) => fact(id),
                None if signed => self.examples(key, |value| value.starts_with(['*', '?']), false),
                None => absent(),
            },
            "aws:sourceaccount" | "aws:sourceowner" if service => fact(account),
            "aws:sourcearn" if who.source.is_some() => fact(who.source.clone().unwrap_or_default()),
            "aws:sourcearn" if service => self.examples(key, mine, false),
            "aws:principalservicename" | "aws:principalservicenameslist" => match &who.caller {
                crate::policy::Caller::Service(name) => fact(name.as_ref()),
                _ => absent(),
            },
            "aws:sourceaccount" | "aws:sourceowner" | "aws:sourcearn" | "aws:sourceorgid"
            | "aws:sourceorgpaths" => absent(),
            // Whoever signs can sign like this, in an account of his own.
            "s3:authtype" if signed => self.choice(&["REST-HEADER", "REST-QUERY-STRING", "POST"]),
            "s3:signatureversion" if signed => fact("AWS4-HMAC-SHA256"),
            "lambda:sourcefunctionarn" | "ec2:sourceinstancearn" if signed => {
                self.examples(key, |_| true, true)
            }
            _ if OF_A_SESSION.contains(&key) && signed => self.examples(key, |_| true, true),
            _ if key.starts_with("aws:principaltag/") && signed => {
                self.examples(key, |_| true, true)
            }
            "s3:authtype" | "s3:signatureversion" => absent(),
            _ if key.starts_with("aws:principal") || OF_A_SESSION.contains(&key) => absent(),
            _ => return None,
        })
    }

    /// The ARN of a caller that a policy names is its own; any other may have any name its
    /// account can give.
    fn principal_arns(&self, who: &Outsider, account: &str, mine: impl Fn(&str) -> bool) -> States {
        use crate::policy::Caller;
        let own = match &who.caller {
            Caller::User { arn, .. } | Caller::Role { arn, .. } | Caller::Root { arn, .. } => {
                arn.to_string()
            }
            Caller::Session {
                arn, role, name, ..
            } => match role {
                Some(role) => role.to_string(),
                None => {
                    let partition = arn.split(':').nth(1).unwrap_or("aws");
                    format!("arn:{partition}:iam::{account}:role/{name}")
                }
            },
            Caller::FederatedUser { arn, .. } => arn.to_string(),
            _ => return absent(),
        };
        if !own.ends_with("/palisade-outsider") {
            return fact(own);
        }
        let mut arns = vec![own];
        for pattern in self
            .words
            .of("aws:principalarn")
            .filter(|value| mine(value))
        {
            let mut parts: Vec<String> = pattern.splitn(6, ':').map(str::to_owned).collect();
            if parts.len() == 6 {
                account.clone_into(&mut parts[4]);
                arns.push(example(&parts.join(":")));
            } else if pattern.contains('*') {
                arns.push(example(&pattern.replacen(
                    '*',
                    &format!("arn:aws:iam::{account}:role/"),
                    1,
                )));
            }
        }
        States::Any(arns.into_iter().map(|arn| Some(vec![arn])).collect())
    }

    fn choice(&self, values: &[&str]) -> States {
        States::Any(
            values
                .iter()
                .map(|value| Some(vec![(*value).to_owned()]))
                .collect(),
        )
    }

    fn examples_of(&self, key: &str, fits: impl Fn(&str) -> bool) -> Vec<String> {
        let mut out: BTreeSet<String> = BTreeSet::new();
        for value in self.words.of(key).filter(|value| fits(value)) {
            out.insert(example(value));
            out.extend(neighbours(value));
        }
        out.into_iter().collect()
    }

    /// An example of every value written for the key, and one that nobody wrote.
    fn examples(&self, key: &str, fits: impl Fn(&str) -> bool, optional: bool) -> States {
        let found = self.examples_of(key, fits);
        let mut states: Vec<Option<Vec<String>>> = Vec::new();
        if optional {
            states.push(None);
        }
        states.push(Some(vec!["palisade-unlisted".to_owned()]));
        if found.len() > 1 {
            states.push(Some(found.clone()));
        }
        states.extend(found.into_iter().map(|value| Some(vec![value])));
        States::Any(states)
    }
}

/// Values just below and above a number or a date, and the other truth value.
fn neighbours(value: &str) -> Vec<String> {
    if let Ok(number) = value.parse::<i64>() {
        return [number.checked_sub(1), number.checked_add(1)]
            .into_iter()
            .flatten()
            .map(|n| n.to_string())
            .collect();
    }
    if let Ok(number) = value.parse::<f64>()
        && number.is_finite()
    {
        return vec![(number - 1.0).to_string(), (number + 1.0).to_string()];
    }
    if let Ok(time) = value.parse::<Time>() {
        return vec![Time(time.0 - 1).to_string(), Time(time.0 + 1).to_string()];
    }
    match value.to_ascii_lowercase().as_str() {
        "true" => vec!["false".to_owned()],
        "false" => vec!["true".to_owned()],
        _ => Vec::new(),
    }
}

/// Request parameters and headers that the caller writes himself.
fn is_request_key(service: &str, name: &str) -> bool {
    match service {
        "s3" => {
            name.starts_with("x-amz-")
                || name.starts_with("requestobjecttag")
                || name.starts_with("object-lock-")
                || name.starts_with("if-")
                || matches!(
                    name,
                    "prefix"
                        | "delimiter"
                        | "max-keys"
                        | "versionid"
                        | "tlsversion"
                        | "locationconstraint"
                        | "objectcreationoperation"
                        | "inventoryaccessibleoptionalfields"
                        | "isdestinationobject"
                        | "resourceoperation"
                )
        }
        "s3express" => name == "sessionmode",
        "lambda" => matches!(
            name,
            "eventsourcetoken" | "functionurlauthtype" | "invokedviafunctionurl"
        ),
        "sns" => matches!(name, "endpoint" | "protocol"),
        "sts" => matches!(
            name,
            "externalid" | "rolesessionname" | "transitivetagkeys" | "durationseconds"
        ),
        "kms" => {
            name.starts_with("encryptioncontext")
                || matches!(name, "encryptionalgorithm" | "requestalias" | "keyorigin")
        }
        _ => false,
    }
}
