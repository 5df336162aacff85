//! CloudFront in front of a bucket: S3 calls such a bucket private, and everybody reads it.
//!
//! A bucket lets a distribution in by origin access control (the service principal, with the
//! distribution's ARN) or by an origin access identity. Whoever may ask the distribution may
//! then read. Source: "Restricting access to an Amazon S3 origin", CloudFront Developer Guide.

use std::collections::BTreeSet;

use palisade_model::{Gap, Observed, Resource, Snapshot};
use serde_json::Value;

use crate::policy::document::Statement;
use crate::policy::{Caller, CompiledStatement, Context};

use super::audience::{Capability, Path};
use super::openings::Granted;
use super::outsider::{Kind, Outsider, Place};
use super::search::{Candidate, Granting, Hit, Reach, Search};
use super::view::{Gaps, Unread, View};

const SERVICE: &str = "cloudfront.amazonaws.com";
const IDENTITY: &str = "CloudFront Origin Access Identity ";
/// The kind under which distributions stand in [`palisade_model::Account::resources`].
const KIND: &str = "cloudfront.distribution";

/// All distributions of the estate.
pub(super) struct Distributions<'a> {
    list: Vec<Distribution<'a>>,
    gap: Option<Gap>,
}

struct Distribution<'a> {
    arn: &'a str,
    account: &'a str,
    enabled: Option<bool>,
    origins: Option<Vec<Origin>>,
    behaviors: Option<Vec<Behavior>>,
    default_root: Option<bool>,
}

struct Origin {
    id: String,
    domain: String,
    identity: String,
}

struct Behavior {
    origin: String,
    /// Whether callers need a signed URL or cookie; `None` when code at the edge decides.
    signed: Option<bool>,
}

impl<'a> Distributions<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        let mut out = Distributions {
            list: Vec::new(),
            gap: None,
        };
        for (account, data) in &snapshot.accounts {
            match data.resources.get(KIND) {
                None => out.gap = Some(Gap::not_collected("cloudfront:ListDistributions")),
                Some(Observed::Gap(gap)) => out.gap = Some((**gap).clone()),
                Some(Observed::Absent | Observed::NotApplicable(_)) => {}
                Some(Observed::Value(list)) => {
                    out.list
                        .extend(list.values().map(|resource| read(account, resource)));
                }
            }
        }
        out
    }

    /// Notes what is missing, if a statement speaks of distributions at all.
    pub(super) fn note(&self, bucket: &str, statements: &[Statement], gaps: &mut Gaps) {
        if !statements.iter().any(names_cdn) {
            return;
        }
        if let Some(gap) = &self.gap {
            gaps.push(Unread::Distributions, gap.clone());
        }
        let unclear = |distribution: &&Distribution<'_>| {
            distribution.serves(bucket, None) != Some(false)
                && (distribution.is_open(bucket, None).is_none()
                    || distribution.default_root.is_none())
        };
        if self.list.iter().any(|distribution| unclear(&distribution)) {
            gaps.push(
                Unread::Distributions,
                Gap::not_collected("cloudfront:GetDistributionConfig"),
            );
        }
    }

    /// Whether a distribution that everybody may ask could have the bucket behind it.
    pub(super) fn may_serve(&self, bucket: &str) -> bool {
        self.gap.is_some()
            || self
                .list
                .iter()
                .any(|distribution| distribution.lets_in(bucket, None, true))
    }

    /// What a statement opens by way of distributions.
    #[expect(clippy::type_complexity, reason = "requests with what sends them")]
    pub(super) fn granted(
        &self,
        bucket: &str,
        statement: (&CompiledStatement, &Statement),
        quote: &str,
        (requests, blocked): (&[(Vec<&'static str>, Vec<Candidate>)], bool),
        search: &Search<'_>,
        view: &View,
    ) -> Vec<Granted> {
        if !names_cdn(statement.1) {
            return Vec::new();
        }
        let open = view.is_open(&Unread::Distributions);
        let mut out = Vec::new();
        for way in self.ways(bucket, statement.1, open) {
            // Service principals pass RestrictPublicBuckets; an identity is a stranger to it.
            if blocked && way.identity {
                continue;
            }
            let hits = hits(&way, statement, requests, search);
            if !hits.is_empty() {
                let path = Path::Cdn {
                    distribution: way.name,
                    quote: quote.to_owned(),
                };
                out.push(Granted {
                    path,
                    hits,
                    caller_sets: BTreeSet::new(),
                });
            }
        }
        out
    }

    /// The callers by which distributions reach the bucket through this statement.
    fn ways(&self, bucket: &str, statement: &Statement, open: bool) -> Vec<Way> {
        let mut ways = Vec::new();
        for distribution in &self.list {
            if names_service(statement) && distribution.lets_in(bucket, None, open) {
                ways.push(Way::service(
                    distribution.arn,
                    distribution.account,
                    distribution.lists(open),
                ));
            }
            for identity in identities(statement) {
                let id = identity.rsplit(' ').next().unwrap_or_default();
                if distribution.lets_in(bucket, Some(id), open) {
                    ways.push(Way::identity(
                        identity,
                        distribution.arn,
                        distribution.lists(open),
                    ));
                }
            }
        }
        if self.gap.is_some() && open {
            if names_service(statement) {
                let arns = statement
                    .conditions
                    .iter()
                    .filter(|condition| condition.key.eq_ignore_ascii_case("aws:SourceArn"));
                for arn in arns.flat_map(|condition| &condition.values) {
                    let account = arn.split(':').nth(4).unwrap_or_default();
                    ways.push(Way::service(arn, account, true));
                }
            }
            for identity in identities(statement) {
                ways.push(Way::identity(identity, identity, true));
            }
        }
        ways
    }
}

struct Way {
    name: String,
    outsider: Outsider,
    identity: bool,
    lists: bool,
}

impl Way {
    fn service(arn: &str, account: &str, lists: bool) -> Self {
        Way {
            name: arn.to_owned(),
            outsider: Outsider {
                kind: Kind::ServiceFor(account.to_owned()),
                caller: Caller::Service(SERVICE.into()),
                account: Some(account.to_owned()),
                organization: None,
                userid: None,
                source: Some(arn.to_owned()),
            },
            identity: false,
            lists,
        }
    }

    fn identity(principal: &str, name: &str, lists: bool) -> Self {
        Way {
            name: name.to_owned(),
            outsider: Outsider {
                kind: Kind::Account("cloudfront".to_owned()),
                caller: Caller::new(principal, &Context::closed()),
                account: Some("cloudfront".to_owned()),
                organization: None,
                userid: None,
                source: None,
            },
            identity: true,
            lists,
        }
    }
}

fn hits(
    way: &Way,
    (compiled, written): (&CompiledStatement, &Statement),
    requests: &[(Vec<&'static str>, Vec<Candidate>)],
    search: &Search<'_>,
) -> BTreeSet<Hit> {
    let search = Search {
        outsiders: std::slice::from_ref(&way.outsider),
        places: &[Place::Internet],
        signed_only: false,
        ..*search
    };
    requests
        .iter()
        .flat_map(|(actions, resources)| {
            search.hits(&Granting::Statement(compiled, written), actions, resources)
        })
        // Asking a distribution for its root lists the bucket, unless a default document answers.
        .filter(|hit| way.lists || !hit.action.starts_with("s3:List"))
        .map(|hit| Hit {
            reach: Reach::Cdn,
            ..hit
        })
        .collect()
}

fn names_service(statement: &Statement) -> bool {
    let named = statement.principal.iter().flatten();
    let by_arn = statement.conditions.iter().any(|condition| {
        condition.key.eq_ignore_ascii_case("aws:SourceArn")
            && condition
                .values
                .iter()
                .any(|value| value.contains(":cloudfront:"))
    });
    let mut named = named.peekable();
    named.peek().is_some()
        && named.any(|name| name.value == SERVICE || (by_arn && name.value == "*"))
}

fn identities(statement: &Statement) -> impl Iterator<Item = &str> {
    let named = statement.principal.iter().flatten();
    named
        .map(|name| name.value.as_str())
        .filter(|value| value.contains(IDENTITY))
}

fn names_cdn(statement: &Statement) -> bool {
    names_service(statement) || identities(statement).next().is_some()
}

/// Whether an opening by a CDN can exist for the capability.
pub(super) fn concerns(capability: Capability) -> bool {
    matches!(capability, Capability::List | Capability::Read)
}

impl Distribution<'_> {
    /// Whether an origin of it is this bucket (and uses this identity); `None`: not read.
    fn serves(&self, bucket: &str, identity: Option<&str>) -> Option<bool> {
        let origins = self.origins.as_ref()?;
        Some(origins.iter().any(|origin| origin.is(bucket, identity)))
    }

    /// Whether anybody may ask it for this bucket's objects; `None`: not read.
    fn is_open(&self, bucket: &str, identity: Option<&str>) -> Option<bool> {
        if self.enabled == Some(false) {
            return Some(false);
        }
        let origins = self.origins.as_ref()?;
        let ids: BTreeSet<&str> = origins
            .iter()
            .filter(|origin| origin.is(bucket, identity))
            .map(|origin| origin.id.as_str())
            .collect();
        let behaviors = self.behaviors.as_ref()?;
        let mut mine = behaviors
            .iter()
            .filter(|b| ids.contains(b.origin.as_str()))
            .peekable();
        if mine.peek().is_none() {
            return Some(false);
        }
        let states: Vec<Option<bool>> = mine.map(|behavior| behavior.signed).collect();
        if states.contains(&Some(false)) {
            self.enabled.filter(|enabled| *enabled)
        } else if states.contains(&None) {
            None
        } else {
            Some(false)
        }
    }

    fn lets_in(&self, bucket: &str, identity: Option<&str>, open: bool) -> bool {
        self.serves(bucket, identity).unwrap_or(open)
            && self.is_open(bucket, identity).unwrap_or(open)
    }

    fn lists(&self, open: bool) -> bool {
        self.default_root.map_or(open, |root| !root)
    }
}

impl Origin {
    fn is(&self, bucket: &str, identity: Option<&str>) -> bool {
        let host = self.domain.strip_prefix(bucket).is_some_and(|rest| {
            rest.is_empty()
                || rest.starts_with(".s3.")
                || rest.starts_with(".s3-")
                || rest.starts_with(".s3express")
        });
        host && identity.is_none_or(|id| self.identity.rsplit('/').next() == Some(id))
    }
}

fn read<'a>(account: &'a str, resource: &'a Resource) -> Distribution<'a> {
    let fact = |name: &str| {
        let found = resource.attributes.iter().find(|(key, _)| same(key, name));
        found.map(|(_, fact)| fact)
    };
    let value = |name: &str| match fact(name) {
        Some(Observed::Value(value)) => Some(value.clone()),
        Some(Observed::Absent | Observed::NotApplicable(_)) => Some(Value::Null),
        Some(Observed::Gap(_)) | None => None,
    };
    let mut behaviors = value("behaviors")
        .or_else(|| value("cache_behaviors"))
        .map(|list| items(&list));
    if let Some(Value::Object(default)) = value("default_cache_behavior") {
        behaviors
            .get_or_insert_default()
            .push(Value::Object(default));
    }
    Distribution {
        arn: resource.arn.as_str(),
        account,
        enabled: value("enabled").and_then(|enabled| enabled.as_bool()),
        origins: value("origins").map(|list| items(&list).iter().map(origin).collect()),
        behaviors: behaviors.map(|list| list.iter().map(behavior).collect()),
        default_root: value("default_root_object")
            .map(|root| root.as_str().is_some_and(|root| !root.is_empty())),
    }
}

/// Names in attributes are written as CloudFront writes them or in lower case with underscores.
fn same(key: &str, name: &str) -> bool {
    let letters = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
    };
    letters(key).eq_ignore_ascii_case(&letters(name))
}

fn part<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value
        .as_object()?
        .iter()
        .find(|(key, _)| same(key, name))
        .map(|(_, part)| part)
}

fn items(list: &Value) -> Vec<Value> {
    match list {
        Value::Array(items) => items.clone(),
        other => part(other, "items")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default(),
    }
}

fn text(value: &Value, names: &[&str]) -> String {
    names
        .iter()
        .find_map(|name| part(value, name)?.as_str())
        .unwrap_or_default()
        .to_owned()
}

fn origin(value: &Value) -> Origin {
    if let Some(domain) = value.as_str() {
        return Origin {
            id: domain.to_owned(),
            domain: domain.to_owned(),
            identity: String::new(),
        };
    }
    let domain = text(value, &["domain_name", "domain"]);
    let mut identity = text(value, &["origin_access_identity", "access_identity"]);
    if let Some(config) = part(value, "s3_origin_config")
        && identity.is_empty()
    {
        identity = text(config, &["origin_access_identity"]);
    }
    let id = text(value, &["id"]);
    Origin {
        id: if id.is_empty() { domain.clone() } else { id },
        domain,
        identity,
    }
}

fn behavior(value: &Value) -> Behavior {
    let on = |name: &str| {
        part(value, name).is_some_and(|part| match part {
            Value::Bool(on) => *on,
            Value::Array(items) => !items.is_empty(),
            other => {
                let part = |name: &str| self::part(other, name);
                // As JSON and as XML write them: there numbers are texts, and lists objects.
                let some = |part: &Value| match part {
                    Value::String(text) => !matches!(text.as_str(), "" | "0" | "false"),
                    Value::Number(number) => number.as_u64() != Some(0),
                    Value::Bool(on) => *on,
                    Value::Array(items) => !items.is_empty(),
                    Value::Object(members) => members.values().any(|member| !member.is_null()),
                    Value::Null => false,
                };
                match part("enabled") {
                    Some(enabled) => some(enabled),
                    None => ["quantity", "items"]
                        .iter()
                        .any(|name| part(name).is_some_and(some)),
                }
            }
        })
    };
    let signed = on("trusted_key_groups") || on("trusted_signers") || on("signed");
    let code = on("function_associations") || on("lambda_function_associations");
    Behavior {
        origin: text(value, &["target_origin_id", "origin"]),
        signed: if signed {
            Some(true)
        } else if code {
            None
        } else {
            Some(false)
        },
    }
}
