//! The resources of a snapshot, with their policies, lists, grants and tags.

use std::collections::BTreeMap;

use palisade_model::listing::LISTINGS;
use palisade_model::{
    Account, Bucket, Observed, PolicyText, PublicAccessBlock, Region, RegionState, Resource,
    Snapshot,
};
use serde_json::Value;

use super::acl::{BucketLists, Owners, Ownership, owners};
use super::build::{Shelf, not_seen};
use super::resources::{Known, ObjectOwner, Resources, Tags};
use crate::policy::compile::Attached;
use crate::policy::kms_grants;
use crate::policy::layers::Switch;

/// Services whose policies are collected and that live in regions.
const REGIONAL: [&str; 9] = [
    "bedrock-agentcore",
    "dynamodb",
    "ecr",
    "events",
    "kms",
    "lambda",
    "secretsmanager",
    "sns",
    "sqs",
];

/// Puts every resource of a snapshot in its place.
pub(super) fn read(snapshot: &Snapshot, out: &mut Resources, shelf: &mut Shelf) {
    let owners = owners(snapshot);
    for (id, account) in &snapshot.accounts {
        let partition = snapshot.partition.to_string();
        let mut reader = Reader {
            id,
            partition: &partition,
            owners: owners.clone(),
            out,
            shelf,
        };
        reader.iam(account);
        reader.s3(account);
        reader.listed("", &account.resources);
        match &account.regions {
            Observed::Value(regions) => {
                for (name, region) in regions {
                    reader.region(name, region);
                }
                if account.regions_gap.is_some() {
                    let names = regions.keys().map(|name| name.as_str().into());
                    let guess = &mut reader.out.unlisted.guessed;
                    guess.insert(id.as_str().into(), names.collect());
                }
            }
            Observed::Gap(_) => reader.missing("", &REGIONAL),
            Observed::Absent | Observed::NotApplicable(_) => {}
        }
    }
}

struct Reader<'a> {
    id: &'a str,
    partition: &'a str,
    /// The account behind each canonical user id.
    owners: Owners<'a>,
    out: &'a mut Resources,
    shelf: &'a mut Shelf,
}

/// Tags that were read; `None` when nobody knows them.
fn observed(facts: &Observed<BTreeMap<String, String>>) -> Option<Tags> {
    match facts {
        Observed::Value(all) => Some(tags(all)),
        Observed::Absent | Observed::NotApplicable(_) => Some(Tags::default()),
        Observed::Gap(_) => None,
    }
}

fn tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Tags {
    tags.into_iter()
        .map(|(k, v)| (k.as_str().into(), v.as_str().into()))
        .collect()
}

impl Reader<'_> {
    fn missing(&mut self, region: &str, services: &[&str]) {
        for service in services {
            self.out.unlisted.add(self.id, service, region);
        }
    }

    fn put(&mut self, arn: &str, policy: Option<Attached>, tags: Option<Tags>) {
        let known = Known {
            account: self.id.into(),
            policy: policy.map(|p| [p]),
            tags,
            ..Known::default()
        };
        self.keep(arn, known);
    }

    fn keep(&mut self, arn: &str, known: Known) {
        if let Some((short, _)) = arn.rsplit_once('-').filter(|_| arn.contains(":secret:")) {
            self.out.secrets.insert(short.into(), arn.into());
        }
        self.out.by_arn.insert(arn.into(), known);
    }

    fn iam(&mut self, account: &Account) {
        match &account.iam.roles {
            Observed::Value(roles) => {
                for role in roles.values() {
                    let trust = self.shelf.attach("trust policy", &role.trust);
                    self.put(role.arn.as_str(), Some(trust), Some(tags(&role.tags)));
                }
            }
            Observed::Gap(_) => self.missing("", &["iam"]),
            Observed::Absent | Observed::NotApplicable(_) => {}
        }
        for user in account.iam.users.value().into_iter().flatten() {
            self.put(user.1.arn.as_str(), None, Some(tags(&user.1.tags)));
        }
    }

    fn s3(&mut self, account: &Account) {
        let Observed::Value(buckets) = &account.s3.buckets else {
            if not_seen(&account.s3.buckets).is_some() {
                self.missing("", &["s3"]);
            }
            return;
        };
        for (name, bucket) in buckets {
            self.bucket(name, bucket, &account.s3.public_access_block);
        }
    }

    fn bucket(&mut self, name: &str, bucket: &Bucket, account: &Observed<PublicAccessBlock>) {
        let arn = format!("arn:{}:s3:::{name}", self.partition);
        let policy = self.bucket_policy(&bucket.policy);
        let levels = [account, &bucket.public_access_block];
        let restrict = block(levels, |block| block.restrict_public_buckets);
        let ignore = block(levels, |block| block.ignore_public_acls);
        let lists = BucketLists::new(bucket, ignore, self.id, &self.owners);
        let known = |acl: Option<Attached>| Known {
            account: self.id.into(),
            policy: policy.clone().map(|p| [p]),
            acl: acl.map(|p| [p]),
            // Whether a bucket's tags count in conditions depends on a setting per bucket.
            tags: None,
            restrict_public_buckets: restrict,
            ..Known::default()
        };
        let mut denies = None;
        let objects = bucket.objects.value().into_iter().flat_map(|l| &l.objects);
        for object in objects.filter(|object| lists.is_apart(object)) {
            let mut found = known(lists.policy(Some(object), self.shelf));
            found.owner = match lists.ownership(object) {
                Ownership::Bucket => None,
                Ownership::Other(account) => {
                    let deny = || policy.as_ref().map(|p| self.shelf.denies_of(p));
                    Some((account, denies.get_or_insert_with(deny).clone()))
                }
                Ownership::Unclear => {
                    let why = "it is not known who owns the object";
                    Some((
                        self.id.to_owned(),
                        Some(self.shelf.unread("bucket policy", why)),
                    ))
                }
            }
            .map(|(account, denies)| {
                Box::new(ObjectOwner {
                    account: account.into(),
                    denies: denies.map(|p| [p]),
                })
            });
            let arn = format!("{arn}/{}", object.key);
            self.out.by_arn.insert(arn.into(), found);
        }
        let found = known(lists.policy(None, self.shelf));
        self.out.by_arn.insert(arn.into(), found);
    }

    /// A bucket's policy, with the accounts behind canonical user ids.
    fn bucket_policy(&mut self, text: &Observed<PolicyText>) -> Option<Attached> {
        let name = "bucket policy";
        let written = text
            .value()
            .filter(|t| t.as_str().contains("CanonicalUser"));
        match written.and_then(|text| super::acl::resolved(text, &self.owners)) {
            Some(text) => Some(self.shelf.attach(name, &text)),
            None => self.shelf.observed(name, text),
        }
    }

    fn region(&mut self, name: &str, region: &Region) {
        match region.state {
            RegionState::Off => return, // nothing can be there
            RegionState::NotAsked => return self.missing(name, &REGIONAL),
            RegionState::Enabled => {}
        }
        match &region.functions {
            Observed::Value(functions) => {
                for function in functions.values() {
                    let policy = self.shelf.observed("function policy", &function.policy);
                    self.put(function.arn.as_str(), policy, observed(&function.tags));
                }
            }
            Observed::Gap(_) => self.missing(name, &["lambda"]),
            Observed::Absent | Observed::NotApplicable(_) => {}
        }
        match &region.topics {
            Observed::Value(topics) => {
                for (arn, topic) in topics {
                    let policy = self.shelf.observed("topic policy", &topic.policy);
                    self.put(arn.as_str(), policy, None);
                }
            }
            Observed::Gap(_) => self.missing(name, &["sns"]),
            Observed::Absent | Observed::NotApplicable(_) => {}
        }
        match &region.buses {
            Observed::Value(buses) => {
                for (bus, facts) in buses {
                    let arn = format!(
                        "arn:{}:events:{name}:{}:event-bus/{bus}",
                        self.partition, self.id
                    );
                    let policy = self.shelf.observed("event bus policy", &facts.policy);
                    self.put(&arn, policy, None);
                }
            }
            Observed::Gap(_) => self.missing(name, &["events"]),
            Observed::Absent | Observed::NotApplicable(_) => {}
        }
        self.listed(name, &region.resources);
        // A kind that was never listed is not one of which there is nothing.
        let rows = LISTINGS.iter().filter(|row| !row.global);
        for row in rows.filter(|row| row.policy.is_some()) {
            if !region.resources.contains_key(row.kind) {
                self.missing(name, &[service_of(row.kind)]);
            }
        }
    }

    fn listed(
        &mut self,
        region: &str,
        kinds: &BTreeMap<String, Observed<BTreeMap<String, Resource>>>,
    ) {
        for (kind, resources) in kinds {
            match resources {
                Observed::Value(resources) => {
                    for resource in resources.values().filter(|r| !r.arn.as_str().is_empty()) {
                        if kind == "ec2.vpc-endpoint" {
                            self.endpoint(resource);
                            continue;
                        }
                        let name = format!("policy of {kind}");
                        let policy = self.shelf.observed(&name, &resource.policy);
                        let mut known = Known {
                            account: self.id.into(),
                            policy: policy.map(|p| [p]),
                            tags: observed(&resource.tags),
                            ..Known::default()
                        };
                        if kind == "kms.key" {
                            self.key(resource, &mut known);
                        }
                        self.keep(resource.arn.as_str(), known);
                    }
                }
                Observed::Gap(_) => {
                    self.out.more_endpoints |= kind == "ec2.vpc-endpoint";
                    self.missing(region, &[service_of(kind)]);
                }
                Observed::Absent | Observed::NotApplicable(_) => {}
            }
        }
    }

    fn endpoint(&mut self, endpoint: &Resource) {
        let policy = self.shelf.observed("VPC endpoint policy", &endpoint.policy);
        let id = endpoint.arn.as_str().rsplit('/').next().unwrap_or_default();
        if let Some(policy) = policy {
            self.out.endpoints.insert(id.into(), [policy]);
        }
    }
}

impl Reader<'_> {
    /// The grants of a KMS key, and who manages it.
    fn key(&mut self, key: &Resource, known: &mut Known) {
        let text = |name: &str| match key.attributes.get(name) {
            Some(Observed::Value(value)) => value.as_str(),
            _ => None,
        };
        known.aws_managed = text("key_manager") == Some("AWS");
        let name = "grants";
        let mut unread = |why: &str| {
            let text = PolicyText::new(kms_grants::unread(why));
            self.shelf.attach(name, &text)
        };
        let mut grants = Vec::new();
        let list = key.attributes.get("grants");
        match list {
            Some(Observed::Value(Value::Array(list))) => {
                let text = kms_grants::document(list).map(PolicyText::new);
                grants.extend(text.map(|text| self.shelf.attach(name, &text)));
            }
            Some(Observed::Value(_)) => grants.push(unread("the list of grants is no list")),
            Some(fact) => grants.extend(not_seen(fact).map(|why| unread(&why))),
            None => grants.push(unread("the grants of the key were not listed")),
        }
        let more = key.attributes.get("more_grants").and_then(Observed::value);
        if more == Some(&Value::Bool(true)) {
            let text =
                PolicyText::new(kms_grants::unread("there are more grants than were listed"));
            grants.push(self.shelf.attach(name, &text));
        }
        known.grants = Some(grants.into());
    }
}

/// One of the four flags at the levels that can set it: on at one is on.
fn block(
    levels: [&Observed<PublicAccessBlock>; 2],
    flag: impl Fn(&PublicAccessBlock) -> bool,
) -> Switch {
    let one = |level: &Observed<PublicAccessBlock>| match level {
        Observed::Value(block) => flag(block).into(),
        unread if not_seen(unread).is_some() => Switch::Unread,
        _ => Switch::Off,
    };
    levels.map(one).into_iter().max().unwrap_or_default()
}

/// The IAM service of a kind such as `sqs.queue`.
fn service_of(kind: &str) -> &str {
    kind.split('.').next().unwrap_or(kind)
}
