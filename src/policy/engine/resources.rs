//! Resources and their own policies, by ARN.

use std::collections::BTreeMap;

use palisade_model::listing::LISTINGS;
use palisade_model::{
    Account, ObjectEntry, Observed, PublicAccessBlock, Region, RegionState, Resource, Snapshot,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Engine;
use super::acl::{BucketLists, Owners, owners};
use super::build::{Shelf, not_seen};
use crate::policy::compile::Attached;
use crate::policy::layers::Switch;

type Tags = Box<[(Box<str>, Box<str>)]>;

/// What the snapshot says of the resource of a request.
pub(super) struct Target<'a> {
    /// Who owns it, if that is known.
    pub(super) account: Option<&'a str>,
    pub(super) policy: Option<&'a [Attached]>,
    /// Its access control lists, where they count.
    pub(super) acl: Option<&'a [Attached]>,
    /// Its tags; `None` when they are not known.
    pub(super) tags: Option<&'a [(Box<str>, Box<str>)]>,
    pub(super) restrict_public_buckets: Switch,
}

impl<'a> Target<'a> {
    /// The policies on the side of the resource.
    pub(super) fn resource_side(&self) -> impl Iterator<Item = &'a Attached> {
        let lists = self.acl.unwrap_or_default();
        self.policy.unwrap_or_default().iter().chain(lists)
    }
}

#[derive(Debug)]
struct Known {
    account: Box<str>,
    policy: Option<[Attached; 1]>,
    acl: Option<[Attached; 1]>,
    tags: Option<Tags>,
    restrict_public_buckets: Switch,
}

/// All resources that can have a policy or tags.
#[derive(Debug)]
pub(super) struct Resources {
    by_arn: FxHashMap<Box<str>, Known>,
    /// Secrets by their ARN without the six random characters, which requests may leave out.
    secrets: FxHashMap<Box<str>, Box<str>>,
    unlisted: Unlisted,
    /// Stands for the policy of a resource that could not be listed.
    unread: [Attached; 1],
}

/// Where there may be resources that nobody has seen.
#[derive(Debug, Default)]
struct Unlisted {
    /// Account, service and region; no region: all of them.
    at: FxHashSet<(Box<str>, Box<str>, Box<str>)>,
    /// The same without the region, for requests that name none.
    anywhere: FxHashSet<(Box<str>, Box<str>)>,
    /// Accounts whose list of regions is a guess, and the regions that were guessed.
    guessed: FxHashMap<Box<str>, FxHashSet<Box<str>>>,
}

impl Unlisted {
    fn add(&mut self, account: &str, service: &str, region: &str) {
        self.at
            .insert((account.into(), service.into(), region.into()));
        self.anywhere.insert((account.into(), service.into()));
    }

    fn covers(&self, account: &str, service: &str, region: &str) -> bool {
        let known = |region: &str| {
            let key = (account.into(), service.into(), region.into());
            self.at.contains(&key)
        };
        let open = region.is_empty() || region.contains(['*', '?']);
        let guessed = self.guessed.get(account);
        guessed.is_some_and(|regions| !region.is_empty() && !regions.contains(region))
            || known("")
            || known(region)
            || (open && self.anywhere.contains(&(account.into(), service.into())))
    }
}

impl Resources {
    pub(super) fn read(snapshot: &Snapshot, shelf: &mut Shelf) -> Self {
        let unread = [shelf.unread("resource-based policy", "the resource was not read")];
        let mut out = Self {
            by_arn: FxHashMap::default(),
            secrets: FxHashMap::default(),
            unlisted: Unlisted::default(),
            unread,
        };
        let owners = owners(snapshot);
        for (id, account) in &snapshot.accounts {
            let partition = snapshot.partition.to_string();
            let mut reader = Reader {
                id,
                partition: &partition,
                owners: owners.clone(),
                out: &mut out,
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
        out
    }

    /// The resource of a request, or what can be said of one that is not there.
    pub(super) fn target<'a>(
        &'a self,
        engine: &'a Engine,
        action: &str,
        resource: &str,
        caller_account: Option<&str>,
    ) -> Target<'a> {
        let service = action
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let parts: Vec<&str> = resource.splitn(6, ':').collect();
        let account_of = |id: &str| {
            engine
                .by_account
                .get(id)
                .map(|at| &*engine.accounts[*at as usize].id)
        };
        // What one account does to the organization as a whole is asked of its own policies: that
        // it may act there at all is delegation, not a resource's policy.
        //
        // Source: "Delegated administrator", Organizations User Guide; "Centrally manage root
        // access for member accounts", IAM User Guide; 2026-10.
        let is_organizational = matches!(service.as_str(), "organizations" | "sso")
            || action.eq_ignore_ascii_case("sts:AssumeRoot");
        if is_organizational {
            return Target {
                account: caller_account.and_then(account_of),
                policy: None,
                acl: None,
                tags: None,
                restrict_public_buckets: Switch::Off,
            };
        }
        let [_, _, arn_service, region, owner, rest] = parts[..] else {
            return Target {
                account: None,
                policy: None,
                acl: None,
                tags: None,
                restrict_public_buckets: Switch::Off,
            };
        };
        if let Some(known) = self.find(resource, arn_service, rest) {
            // A trust policy speaks of sts actions; iam actions on a role never ask it.
            let asked = arn_service != "iam" || service == "sts";
            return Target {
                account: Some(&known.account),
                policy: known
                    .policy
                    .as_ref()
                    .filter(|_| asked)
                    .map(<[_; 1]>::as_slice),
                acl: known.acl.as_ref().map(<[_; 1]>::as_slice),
                tags: known.tags.as_deref(),
                restrict_public_buckets: known.restrict_public_buckets,
            };
        }
        let owner = if owner.is_empty() {
            caller_account.unwrap_or_default()
        } else {
            owner
        };
        let account = account_of(owner);
        let unlisted = match account {
            Some(id) => self.unlisted.covers(id, arn_service, region),
            // A foreign account's resource.
            None => true,
        };
        let asked = arn_service != "iam" || service == "sts";
        let policy = (unlisted && asked && has_policies(arn_service)).then_some(&self.unread[..]);
        Target {
            account,
            policy,
            acl: None,
            tags: None,
            restrict_public_buckets: Switch::Off,
        }
    }

    /// By ARN, or by the ARN of what it is part of: the bucket of an object, the function of an
    /// alias.
    fn find(&self, resource: &str, service: &str, rest: &str) -> Option<&Known> {
        if let Some(known) = self.by_arn.get(resource) {
            return Some(known);
        }
        let cut = match service {
            "s3" => rest.find('/')?,
            "lambda" => "function:".len() + rest.strip_prefix("function:")?.find(':')?,
            "secretsmanager" => {
                return self.by_arn.get(self.secrets.get(resource)?);
            }
            _ => return None,
        };
        self.by_arn
            .get(&resource[..resource.len() - rest.len() + cut])
    }
}

/// Services whose resources have policies of their own, by the service in their ARNs.
///
/// Source: "AWS services that work with IAM", IAM User Guide, 2026-10.
fn has_policies(service: &str) -> bool {
    RESOURCE_POLICY_SERVICES.binary_search(&service).is_ok()
}

const RESOURCE_POLICY_SERVICES: [&str; 30] = [
    "acm-pca",
    "backup",
    "codeartifact",
    "codebuild",
    "dynamodb",
    "ecr",
    "elasticfilesystem",
    "es",
    "events",
    "execute-api",
    "glacier",
    "glue",
    "iam",
    "iot",
    "kafka",
    "kinesis",
    "kms",
    "lambda",
    "lex",
    "logs",
    "mediastore",
    "redshift-serverless",
    "s3",
    "s3express",
    "schemas",
    "secretsmanager",
    "serverlessrepo",
    "ses",
    "sns",
    "sqs",
];

/// Of these, those that live in regions.
const REGIONAL: [&str; 12] = [
    "codebuild",
    "dynamodb",
    "ecr",
    "elasticfilesystem",
    "events",
    "glue",
    "kms",
    "lambda",
    "logs",
    "secretsmanager",
    "sns",
    "sqs",
];

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
            acl: None,
            tags,
            restrict_public_buckets: Switch::Off,
        };
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
            if account.s3.buckets.gap().is_some() {
                self.missing("", &["s3"]);
            }
            return;
        };
        for (name, bucket) in buckets {
            let arn = format!("arn:{}:s3:::{name}", self.partition);
            let policy = self.shelf.observed("bucket policy", &bucket.policy);
            let levels = [&account.s3.public_access_block, &bucket.public_access_block];
            let restrict = block(levels, |block| block.restrict_public_buckets);
            let ignore = block(levels, |block| block.ignore_public_acls);
            let lists = BucketLists::new(bucket, ignore, &self.owners);
            let known = |shelf: &mut Shelf, object: Option<&ObjectEntry>| Known {
                account: self.id.into(),
                policy: policy.clone().map(|p| [p]),
                acl: lists.policy(object, shelf).map(|p| [p]),
                // Whether a bucket's tags count in conditions depends on a setting per bucket.
                tags: None,
                restrict_public_buckets: restrict,
            };
            let objects = bucket.objects.value().into_iter().flat_map(|l| &l.objects);
            for object in objects.filter(|object| lists.opens(object)) {
                let found = known(self.shelf, Some(object));
                let arn = format!("{arn}/{}", object.key);
                self.out.by_arn.insert(arn.into(), found);
            }
            let found = known(self.shelf, None);
            self.out.by_arn.insert(arn.into(), found);
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
                        let name = format!("policy of {kind}");
                        let policy = self.shelf.observed(&name, &resource.policy);
                        self.put(resource.arn.as_str(), policy, observed(&resource.tags));
                    }
                }
                Observed::Gap(_) => self.missing(region, &[service_of(kind)]),
                Observed::Absent | Observed::NotApplicable(_) => {}
            }
        }
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
