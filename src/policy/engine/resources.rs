//! Resources and their own policies, by ARN: what is known of the resource of a request.

use std::sync::Arc;

use palisade_model::Snapshot;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;

use super::Engine;
use super::build::Shelf;
use super::collected;
use crate::policy::acl::{self, not_read};
use crate::policy::compile::{Attached, CompiledPolicy};
use crate::policy::facts::{self, OwnPolicy};
use crate::policy::layers::Switch;

pub(super) type Tags = Box<[(Box<str>, Box<str>)]>;

/// What the snapshot says of the resource of a request.
#[derive(Default)]
pub(super) struct Target<'a> {
    /// Who owns it, if that is known.
    pub(super) account: Option<&'a str>,
    /// The account it is in: of an object, that of its bucket, whoever owns the object.
    pub(super) place: Option<&'a str>,
    pub(super) policy: Option<&'a [Attached]>,
    /// Its access control lists, where they count.
    pub(super) acl: Option<&'a [Attached]>,
    /// Grants of a KMS key.
    pub(super) grants: Option<&'a [Attached]>,
    /// Its tags; `None` when they are not known.
    pub(super) tags: Option<&'a [(Box<str>, Box<str>)]>,
    pub(super) restrict_public_buckets: Switch,
    /// A KMS key that AWS manages: RCPs pass it over.
    pub(super) aws_managed: bool,
}

impl<'a> Target<'a> {
    /// The policies on the side of the resource.
    pub(super) fn resource_side(&self) -> impl Iterator<Item = &'a Attached> {
        let lists = self.acl.unwrap_or_default();
        let grants = self.grants.unwrap_or_default();
        let policies = self.policy.unwrap_or_default().iter();
        policies.chain(lists).chain(grants)
    }
}

#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) account: Box<str>,
    pub(super) policy: Option<[Attached; 1]>,
    pub(super) acl: Option<[Attached; 1]>,
    pub(super) grants: Option<Box<[Attached]>>,
    pub(super) tags: Option<Tags>,
    pub(super) restrict_public_buckets: Switch,
    pub(super) aws_managed: bool,
    /// An object that somebody else than the bucket's owner wrote and owns.
    pub(super) owner: Option<Box<ObjectOwner>>,
}

/// Who owns an object, where the bucket's owner does not.
#[derive(Debug)]
pub(super) struct ObjectOwner {
    /// The account; a canonical user id where it is not known whose it is.
    pub(super) account: Box<str>,
    /// What counts of the bucket's policy: what it denies.
    pub(super) denies: Option<[Attached; 1]>,
}

/// All resources that can have a policy or tags.
#[derive(Debug)]
pub(super) struct Resources {
    pub(super) by_arn: FxHashMap<Box<str>, Known>,
    /// Secrets by their ARN without the six random characters, which requests may leave out.
    pub(super) secrets: FxHashMap<Box<str>, Box<str>>,
    /// Policies of VPC endpoints, by id.
    pub(super) endpoints: FxHashMap<Box<str>, [Attached; 1]>,
    /// Some endpoints could not be listed.
    pub(super) more_endpoints: bool,
    pub(super) unlisted: Unlisted,
    /// Stands for the policy of a resource that could not be listed.
    unread: [Attached; 1],
    unread_endpoint: [Attached; 1],
    /// Stand for policies of kinds that are not collected.
    anything: [Attached; 1],
    shares: [Attached; 1],
    services: [Attached; 1],
}

/// Where there may be resources that nobody has seen.
#[derive(Debug, Default)]
pub(super) struct Unlisted {
    /// Account, service and region; no region: all of them.
    at: FxHashSet<(Box<str>, Box<str>, Box<str>)>,
    /// The same without the region, for requests that name none.
    anywhere: FxHashSet<(Box<str>, Box<str>)>,
    /// Accounts whose list of regions is a guess, and the regions that were guessed.
    pub(super) guessed: FxHashMap<Box<str>, FxHashSet<Box<str>>>,
}

impl Unlisted {
    pub(super) fn add(&mut self, account: &str, service: &str, region: &str) {
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
        let name = "resource-based policy";
        let mut out = Self {
            by_arn: FxHashMap::default(),
            secrets: FxHashMap::default(),
            endpoints: FxHashMap::default(),
            more_endpoints: false,
            unlisted: Unlisted::default(),
            unread: [shelf.unread(name, "the resource was not read")],
            unread_endpoint: [shelf.unread("VPC endpoint policy", "the endpoint was not read")],
            anything: [shelf.unread(name, NOT_COLLECTED)],
            shares: [uncollected(json!({"CanonicalUser": acl::ANY_ACCOUNT}))],
            services: [uncollected(json!({"Service": "*"}))],
        };
        collected::read(snapshot, &mut out, shelf);
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
        let action = action.to_ascii_lowercase();
        let service = action.split(':').next().unwrap_or_default();
        let account_of = |id: &str| {
            let at = engine.by_account.get(id)?;
            Some(&*engine.accounts[*at as usize].id)
        };
        // What one account does to the organization as a whole is asked of its own policies: that
        // it may act there at all is delegation, not a resource's policy.
        //
        // Source: "Delegated administrator", Organizations User Guide; "Centrally manage root
        // access for member accounts", IAM User Guide; 2026-10.
        if matches!(service, "organizations" | "sso") || action == "sts:assumeroot" {
            return Target {
                account: caller_account.and_then(account_of),
                place: caller_account.and_then(account_of),
                ..Target::default()
            };
        }
        let parts: Vec<&str> = resource.splitn(6, ':').collect();
        let [_, _, arn_service, region, owner, rest] = parts[..] else {
            return Target::default();
        };
        // A trust policy speaks of sts actions; iam actions on a role never ask it.
        let asked = arn_service != "iam" || service == "sts";
        let own = facts::own_policy(arn_service, rest).filter(|_| asked);
        if let Some(known) = self.find(resource, arn_service, rest) {
            let policy = match own {
                None => None,
                Some(OwnPolicy::Collected) => known.policy.as_ref().map(<[_; 1]>::as_slice),
                Some(own) => Some(self.not_collected(own)),
            };
            return known.target(policy, &action);
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
        let policy = match own {
            Some(OwnPolicy::Collected) => unlisted.then_some(&self.unread[..]),
            Some(own) => Some(self.not_collected(own)),
            None => None,
        };
        Target {
            account,
            place: account,
            policy,
            ..Target::default()
        }
    }

    /// The policy of a VPC endpoint; `None` when it has none or nobody knows the endpoint.
    pub(super) fn endpoint(&self, id: &str) -> Option<&[Attached]> {
        match self.endpoints.get(id) {
            Some(policy) => Some(policy),
            None => self.more_endpoints.then_some(&self.unread_endpoint[..]),
        }
    }

    fn not_collected(&self, own: OwnPolicy) -> &[Attached] {
        match own {
            OwnPolicy::Collected => &self.unread,
            OwnPolicy::Anything => &self.anything,
            OwnPolicy::Shares => &self.shares,
            OwnPolicy::Services => &self.services,
        }
    }

    /// By ARN, or by the ARN of what it is part of: the bucket of an object, the function of an
    /// alias, the table of an index.
    fn find(&self, resource: &str, service: &str, rest: &str) -> Option<&Known> {
        if let Some(known) = self.by_arn.get(resource) {
            return Some(known);
        }
        let cut = match service {
            "s3" => rest.find('/')?,
            "lambda" => "function:".len() + rest.strip_prefix("function:")?.find(':')?,
            "dynamodb" => "table/".len() + rest.strip_prefix("table/")?.find('/')?,
            "secretsmanager" => {
                return self.by_arn.get(self.secrets.get(resource)?);
            }
            _ => return None,
        };
        self.by_arn
            .get(&resource[..resource.len() - rest.len() + cut])
    }
}

impl Known {
    fn target<'a>(&'a self, policy: Option<&'a [Attached]>, action: &str) -> Target<'a> {
        let owner = self.owner.as_deref();
        let owner = owner.filter(|_| facts::asks_object_owner(action));
        let (account, policy) = match owner {
            Some(owner) => {
                let denies = owner.denies.as_ref().map(<[_; 1]>::as_slice);
                (&owner.account, denies)
            }
            None => (&self.account, policy),
        };
        Target {
            account: Some(account),
            place: Some(&self.account),
            policy,
            acl: self.acl.as_ref().map(<[_; 1]>::as_slice),
            grants: self.grants.as_deref(),
            tags: self.tags.as_deref(),
            restrict_public_buckets: self.restrict_public_buckets,
            aws_managed: self.aws_managed,
        }
    }
}

const NOT_COLLECTED: &str = "policies of this kind of resource are not collected";

/// A policy that may let these in, and that denies nobody.
fn uncollected(principal: serde_json::Value) -> Attached {
    let allow = json!({"Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*"});
    let text = acl::document(&[not_read(allow, NOT_COLLECTED)]);
    Attached::new(
        "resource-based policy",
        Arc::new(CompiledPolicy::read(&text)),
    )
}
