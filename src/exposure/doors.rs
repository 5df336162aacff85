//! The other outer doors: function URLs, resource-based policies, shared snapshots and images,
//! instances that face the internet, identity pools with guests.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::{Arn, Function, Gap, Observed, Region, Resource};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::Interner;

use super::audience::{Audience, Opening, Path, Scope, Verdict};
use super::resource::{Question, judge};
use super::surroundings::Surroundings;

/// What is known of the outsiders that can run a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionExposure {
    /// The function.
    pub arn: Arn,
    /// Its execution role.
    pub role: Arn,
    /// Who may call its URLs.
    pub url: Verdict,
    /// Who may invoke it through the Lambda API, which takes signed calls only.
    pub invoke: Verdict,
    /// Reserved concurrency is zero: it never runs.
    pub never_runs: bool,
}

/// Judges one function.
pub(super) fn function(
    account: &str,
    function: &Function,
    around: &Surroundings<'_>,
    compiled: &mut Interner,
) -> FunctionExposure {
    let mut ask = |action: &'static str, signed_only, auth: &str| {
        let question = Question {
            arn: &function.arn,
            account,
            policy: &function.policy,
            read_by: "lambda:GetPolicy",
            actions: &[action],
            signed_only,
            fixed: &[
                ("lambda:functionurlauthtype", auth),
                ("lambda:invokedviafunctionurl", "true"),
            ],
        };
        judge(&question, around, compiled)
    };
    let mut url = Verdict::default();
    match &function.urls {
        Observed::Value(urls) => {
            for entry in urls {
                let open = entry.auth == "NONE";
                let mut one = ask("lambda:InvokeFunctionUrl", !open, &entry.auth);
                if !entry.qualifier.is_empty() {
                    // An alias has a policy of its own, which is not read.
                    one = of_unread_alias(open);
                }
                merge(&mut url, one);
            }
        }
        Observed::Gap(gap) => {
            let possible = ask("lambda:InvokeFunctionUrl", false, "NONE");
            if possible.at_most != Audience::Private {
                url = Verdict {
                    at_least: Audience::Private,
                    proven: 0,
                    ..possible
                };
                url.gaps.push((**gap).clone());
            }
        }
        Observed::Absent | Observed::NotApplicable(_) => {}
    }
    let question = Question {
        arn: &function.arn,
        account,
        policy: &function.policy,
        read_by: "lambda:GetPolicy",
        actions: &["lambda:InvokeFunction"],
        signed_only: true,
        fixed: &[("lambda:invokedviafunctionurl", "false")],
    };
    FunctionExposure {
        arn: function.arn.clone(),
        role: function.role.clone(),
        url,
        invoke: judge(&question, around, compiled),
        never_runs: function.reserved_concurrency.value() == Some(&0),
    }
}

fn of_unread_alias(open: bool) -> Verdict {
    Verdict {
        at_most: if open {
            Audience::Public
        } else {
            Audience::AuthenticatedAws
        },
        gaps: vec![Gap::not_collected("lambda:GetPolicy of the alias")],
        ..Verdict::default()
    }
}

fn merge(all: &mut Verdict, one: Verdict) {
    all.at_least.widen(&one.at_least);
    all.at_most.widen(&one.at_most);
    all.gaps.extend(one.gaps);
    let (proven, possible) = one.openings.split_at(one.proven);
    all.openings
        .splice(all.proven..all.proven, proven.iter().cloned());
    all.proven += proven.len();
    all.openings.extend(possible.iter().cloned());
}

/// A resource of any other kind that outsiders can use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceExposure {
    /// Its kind, such as `sqs.queue`.
    pub kind: String,
    /// The account it belongs to.
    pub account: String,
    /// The region; empty for global ones.
    pub region: String,
    /// Who can use it.
    pub verdict: Verdict,
}

/// Kinds whose policy is judged: the actions that matter to an outsider, and whether the service
/// takes signed requests only.
const POLICIES: &[(&str, &[&str], bool)] = &[
    (
        "sqs.queue",
        &["sqs:ReceiveMessage", "sqs:SendMessage"],
        false,
    ),
    ("sns.topic", &["sns:Subscribe", "sns:Publish"], false),
    (
        "secretsmanager.secret",
        &["secretsmanager:GetSecretValue"],
        true,
    ),
    (
        "kms.key",
        &["kms:Decrypt", "kms:CreateGrant", "kms:PutKeyPolicy"],
        true,
    ),
    (
        "ecr.repository",
        &["ecr:BatchGetImage", "ecr:PutImage"],
        true,
    ),
    ("lambda.layer", &["lambda:GetLayerVersion"], true),
    (
        "dynamodb.table",
        &["dynamodb:GetItem", "dynamodb:Scan"],
        true,
    ),
    ("events.bus", &["events:PutEvents"], true),
    (
        "opensearch.domain",
        &["es:ESHttpGet", "es:ESHttpPost"],
        false,
    ),
];

/// Kinds that are shared by a list of accounts, in which a word stands for everybody.
const SHARES: &[(&str, &[&str])] = &[
    (
        "ec2.snapshot",
        &[
            "create_volume_groups",
            "create_volume_accounts",
            "create_volume_permissions",
        ],
    ),
    (
        "ec2.image",
        &[
            "public",
            "launch_groups",
            "launch_accounts",
            "launch_permissions",
        ],
    ),
    ("rds.snapshot", &["restore_accounts"]),
    ("rds.cluster-snapshot", &["restore_accounts"]),
];

/// Judges the resources of one place.
pub(super) fn resources(
    (account, region): (&str, &str),
    lists: &BTreeMap<String, Observed<BTreeMap<String, Resource>>>,
    around: &Surroundings<'_>,
    compiled: &mut Interner,
) -> Vec<(Arn, ResourceExposure)> {
    let mut out = Vec::new();
    for (kind, actions, signed_only) in POLICIES {
        for resource in listed(lists, kind) {
            let question = Question {
                arn: &resource.arn,
                account,
                policy: &resource.policy,
                read_by: "the call that reads its policy",
                actions,
                signed_only: *signed_only,
                fixed: &[],
            };
            out.push((kind, resource, judge(&question, around, compiled)));
        }
    }
    for (kind, attributes) in SHARES {
        for resource in listed(lists, kind) {
            out.push((
                kind,
                resource,
                shared(
                    resource,
                    attributes,
                    account,
                    around,
                    &public_block(kind, lists),
                ),
            ));
        }
    }
    out.into_iter()
        .map(|(kind, resource, verdict)| {
            let exposure = ResourceExposure {
                kind: (*kind).to_owned(),
                account: account.to_owned(),
                region: region.to_owned(),
                verdict,
            };
            (resource.arn.clone(), exposure)
        })
        .collect()
}

fn listed<'a>(
    lists: &'a BTreeMap<String, Observed<BTreeMap<String, Resource>>>,
    kind: &str,
) -> impl Iterator<Item = &'a Resource> {
    lists
        .get(kind)
        .and_then(Observed::value)
        .into_iter()
        .flat_map(BTreeMap::values)
}

/// Whether a region blocks what snapshots in it were shared with everybody for.
///
/// Source: "Block public access for Amazon EBS snapshots", Amazon EBS User Guide, 2026-10.
fn public_block(
    kind: &str,
    lists: &BTreeMap<String, Observed<BTreeMap<String, Resource>>>,
) -> Observed<bool> {
    const STATE: &str = "ec2.snapshot-block-public-access";
    if kind != "ec2.snapshot" {
        return Observed::Value(false);
    }
    match lists.get(STATE) {
        Some(Observed::Gap(gap)) => Observed::Gap(gap.clone()),
        None => Observed::not_collected("ec2:GetSnapshotBlockPublicAccessState"),
        Some(_) => {
            for state in listed(lists, STATE) {
                match state.attributes.get("state") {
                    Some(Observed::Gap(gap)) => return Observed::Gap(gap.clone()),
                    Some(Observed::Value(state)) if state == "block-all-sharing" => {
                        return Observed::Value(true);
                    }
                    _ => {}
                }
            }
            Observed::Value(false)
        }
    }
}

/// Who may copy a snapshot or start an image. Whoever does needs an AWS account.
fn shared(
    resource: &Resource,
    attributes: &[&str],
    account: &str,
    around: &Surroundings<'_>,
    block: &Observed<bool>,
) -> Verdict {
    use super::openings::named;
    use super::view::View;
    let mut verdict = Verdict::default();
    let known = attributes
        .iter()
        .any(|name| resource.attributes.contains_key(*name));
    if !known {
        verdict.gaps.push(Gap::not_collected(format!(
            "{} of `{}`",
            attributes[0], resource.arn
        )));
    }
    for name in attributes {
        match resource.attributes.get(*name) {
            Some(Observed::Gap(gap)) => verdict.gaps.push((**gap).clone()),
            Some(Observed::Value(value)) => {
                for text in texts(value) {
                    let audience = if text == "all" || text == "true" {
                        match block {
                            Observed::Value(true) => continue,
                            Observed::Gap(gap) => {
                                verdict.gaps.push((**gap).clone());
                                continue;
                            }
                            _ => Audience::AuthenticatedAws,
                        }
                    } else if text.len() == 12
                        && text != account
                        && text.bytes().all(|b| b.is_ascii_digit())
                    {
                        named(&text, &View::default(), around)
                    } else {
                        continue;
                    };
                    verdict.at_least.widen(&audience);
                    verdict.openings.push(Opening {
                        audience,
                        path: Path::Setting {
                            field: (*name).to_owned(),
                            value: text,
                        },
                        scope: Scope::Whole,
                        actions: BTreeSet::new(),
                        caller_sets: BTreeSet::new(),
                    });
                }
            }
            _ => {}
        }
    }
    verdict.proven = verdict.openings.len();
    verdict.at_most = verdict.at_least.clone();
    if !verdict.gaps.is_empty() && !verdict.at_least.is_everybody() {
        verdict.at_most = Audience::AuthenticatedAws;
    } else {
        verdict.gaps.clear();
    }
    verdict
}

/// Every text, number and truth value in a value, however it is nested.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Bool(true) => vec!["true".to_owned()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Bool(false) | Value::Null => Vec::new(),
    }
}

/// An instance as the internet sees it. Each is `None` where something unread decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceExposure {
    /// The role its instance profile holds. Empty: none.
    pub role: Option<Arn>,
    /// It runs, has a public address, and a security group lets the whole internet in.
    pub faces_internet: Option<bool>,
    /// Its metadata service answers without a session token, so that a request forged through
    /// the application is enough to read the role's credentials.
    pub metadata_v1: Option<bool>,
}

/// Judges the instances of one region.
pub(super) fn instances(region: &Region) -> Vec<(Arn, InstanceExposure)> {
    listed(&region.resources, "ec2.instance")
        .map(|instance| {
            let text = |name: &str| attribute(instance, name);
            let both = |a: Option<bool>, b: Option<bool>| match (a, b) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
            let running = text("state").map(|state| state.as_deref() == Some("running"));
            let address = text("public_ip_address").map(|address| address.is_some());
            let open = open_groups(instance, region);
            let endpoint =
                text("metadata_http_endpoint").map(|on| on.as_deref() != Some("disabled"));
            let tokens =
                text("metadata_http_tokens").map(|tokens| tokens.as_deref() == Some("optional"));
            let exposure = InstanceExposure {
                role: instance.role.value().cloned(),
                faces_internet: both(both(running, address), open),
                metadata_v1: both(endpoint, tokens),
            };
            (instance.arn.clone(), exposure)
        })
        .collect()
}

/// An attribute's text: `None` when it was not read, `Some(None)` when there is none.
fn attribute(resource: &Resource, name: &str) -> Option<Option<String>> {
    match resource.attributes.get(name)? {
        Observed::Value(value) => Some(match value {
            Value::Null => None,
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }),
        Observed::Absent | Observed::NotApplicable(_) => Some(None),
        Observed::Gap(_) => None,
    }
}

/// Whether one of its security groups lets every address in on some port.
fn open_groups(instance: &Resource, region: &Region) -> Option<bool> {
    let groups = match instance.attributes.get("security_groups")? {
        Observed::Value(value) => texts(value),
        Observed::Absent | Observed::NotApplicable(_) => return Some(false),
        Observed::Gap(_) => return None,
    };
    let list = region
        .resources
        .get("ec2.security-group")
        .and_then(Observed::value);
    let mut unread = false;
    for group in groups {
        let found = list.and_then(|list| {
            list.get(&group)
                .or_else(|| list.values().find(|one| one.arn.name() == group))
        });
        match found.and_then(|group| group.attributes.get("ingress_cidrs")) {
            Some(Observed::Value(cidrs)) => {
                if texts(cidrs)
                    .iter()
                    .any(|cidr| cidr == "0.0.0.0/0" || cidr == "::/0")
                {
                    return Some(true);
                }
            }
            Some(Observed::Absent | Observed::NotApplicable(_)) => {}
            Some(Observed::Gap(_)) | None => unread = true,
        }
    }
    (!unread).then_some(false)
}

/// An identity pool that lets guests in. Each is `None` where something unread decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolExposure {
    /// The role guests get: empty where the pool names none.
    pub guest_role: Option<String>,
    /// Whether it takes guests at all.
    pub takes_guests: Option<bool>,
    /// Whether guests may use the classic flow, which does not narrow the role.
    pub classic_flow: Option<bool>,
}

/// Judges the identity pools of one region.
pub(super) fn pools(region: &Region) -> Vec<(Arn, PoolExposure)> {
    listed(&region.resources, "cognito-identity.identity-pool")
        .map(|pool| {
            let on = |name: &str| attribute(pool, name).map(|flag| flag.as_deref() == Some("true"));
            let exposure = PoolExposure {
                guest_role: attribute(pool, "unauthenticated_role").map(Option::unwrap_or_default),
                takes_guests: on("allow_unauthenticated_identities"),
                classic_flow: on("allow_classic_flow"),
            };
            (pool.arn.clone(), exposure)
        })
        .collect()
}
