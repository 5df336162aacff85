//! What principals may do here and now: the policies of the snapshot, laid before the engine.
//!
//! It gathers the layers that bear on a principal of the snapshot, or on one that somebody could
//! create. What was not read stays in its layer as a policy that may say anything.

mod ceiling;

use std::collections::BTreeMap;
use std::sync::{Arc as Shared, Mutex, MutexGuard, PoisonError};

use palisade_model::{Account, Arn, Observed, PolicyText, Role, Snapshot, User};

pub use ceiling::{Ceiling, Levels};

use super::filter::{Filter, FilterError};
use super::pattern::{Pattern, PatternError};
use crate::policy::{
    Attached, Caller, CompiledPolicy, Context, Decision, Interner, Layers, Request, decide,
};

/// The policies that bear on one principal.
#[derive(Clone, Debug, Default)]
pub struct Held {
    identity: Vec<Attached>,
    boundary: Option<Vec<Attached>>,
    service_linked: bool,
}

/// Answers questions about the snapshot's principals, compiling each policy once.
pub struct Powers<'a> {
    /// The facts.
    pub snapshot: &'a Snapshot,
    interner: Mutex<Interner>,
    held: Mutex<BTreeMap<Arn, Shared<Held>>>,
    ceilings: Mutex<BTreeMap<String, Ceiling>>,
    rcps: Mutex<BTreeMap<String, Shared<Levels>>>,
    patterns: Mutex<BTreeMap<PolicyText, Parsed<Pattern, PatternError>>>,
    filters: Mutex<BTreeMap<String, Parsed<Filter, FilterError>>>,
    ways_in: Mutex<BTreeMap<String, WaysIn>>,
}

/// A pattern read once.
type Parsed<T, E> = Shared<Result<T, E>>;

/// How somebody becomes an exempted principal, and what was not read on the way.
pub(super) type WaysIn = (Vec<String>, Vec<String>);

impl<'a> Powers<'a> {
    /// Over one snapshot.
    pub fn new(snapshot: &'a Snapshot) -> Self {
        Powers {
            snapshot,
            interner: Mutex::default(),
            held: Mutex::default(),
            ceilings: Mutex::default(),
            rcps: Mutex::default(),
            patterns: Mutex::default(),
            filters: Mutex::default(),
            ways_in: Mutex::default(),
        }
    }

    /// A policy text, compiled.
    pub fn compiled(&self, text: &PolicyText) -> Shared<CompiledPolicy> {
        lock(&self.interner).get(text.as_str())
    }

    fn attached(&self, name: &str, text: Option<&PolicyText>) -> Attached {
        match text {
            Some(text) => Attached::new(name, self.compiled(text)),
            None => unread(name, "its document was not read"),
        }
    }

    /// An event pattern, read once.
    pub(super) fn pattern(&self, text: &PolicyText) -> Parsed<Pattern, PatternError> {
        let mut known = lock(&self.patterns);
        let parsed = known
            .entry(text.clone())
            .or_insert_with(|| Shared::new(Pattern::parse(text.as_str())));
        Shared::clone(parsed)
    }

    /// A filter pattern, read once.
    pub(super) fn filter(&self, text: &str) -> Parsed<Filter, FilterError> {
        let mut known = lock(&self.filters);
        if let Some(parsed) = known.get(text) {
            return Shared::clone(parsed);
        }
        let parsed = Shared::new(Filter::parse(text));
        known.insert(text.to_owned(), Shared::clone(&parsed));
        parsed
    }

    /// What `work` finds for `question`, worked out once.
    pub(super) fn ways_in(&self, question: String, work: impl FnOnce() -> WaysIn) -> WaysIn {
        if let Some(known) = lock(&self.ways_in).get(&question) {
            return known.clone();
        }
        let found = work();
        lock(&self.ways_in).insert(question, found.clone());
        found
    }

    /// Every user and role of an account and its root user; or what was not read.
    pub fn principals(&self, account: &str) -> (Vec<Arn>, Vec<String>) {
        let mut arns = vec![Arn::root(self.snapshot.partition, account)];
        let mut missing = Vec::new();
        let Some(data) = self.snapshot.accounts.get(account) else {
            return (arns, vec![format!("account {account} was not looked at")]);
        };
        match &data.iam.users {
            Observed::Value(users) => arns.extend(users.values().map(|user| user.arn.clone())),
            Observed::Gap(gap) => missing.push(gap.to_string()),
            _ => {}
        }
        match &data.iam.roles {
            Observed::Value(roles) => arns.extend(roles.values().map(|role| role.arn.clone())),
            Observed::Gap(gap) => missing.push(gap.to_string()),
            _ => {}
        }
        (arns, missing)
    }

    fn data(&self, arn: &Arn) -> Option<&'a Account> {
        self.snapshot.accounts.get(arn.account())
    }

    /// The role of that ARN.
    pub fn role(&self, arn: &Arn) -> Option<&'a Role> {
        let roles = self.data(arn)?.iam.roles.value()?;
        roles
            .get(arn.name())
            .filter(|role| role.arn == *arn)
            .or_else(|| roles.values().find(|role| role.arn == *arn))
    }

    /// The user of that ARN.
    pub fn user(&self, arn: &Arn) -> Option<&'a User> {
        let users = self.data(arn)?.iam.users.value()?;
        users.values().find(|user| user.arn == *arn)
    }

    fn held(&self, arn: &Arn) -> Shared<Held> {
        if let Some(known) = lock(&self.held).get(arn) {
            return Shared::clone(known);
        }
        let held = Shared::new(self.find_held(arn));
        lock(&self.held).insert(arn.clone(), Shared::clone(&held));
        held
    }

    fn find_held(&self, arn: &Arn) -> Held {
        let everything = || vec![self.attached("everything", Some(&PolicyText::new(FULL_ACCESS)))];
        if arn.resource() == "root" {
            return Held {
                identity: everything(),
                ..Held::default()
            };
        }
        let (role, user) = (self.role(arn), self.user(arn));
        let Some(account) = self.data(arn).filter(|_| role.is_some() || user.is_some()) else {
            return Held {
                identity: vec![unread(arn.as_str(), "the principal was not read")],
                ..Held::default()
            };
        };
        let mut identity = Vec::new();
        let mut boundary = &Observed::Absent;
        let mut gather = |inline: &BTreeMap<String, PolicyText>, attached: &[Arn]| {
            for (name, text) in inline {
                let name = format!("inline policy {name}");
                identity.push(self.attached(&name, Some(text)));
            }
            for policy in attached {
                let text = managed(account, policy);
                identity.push(self.attached(policy.as_str(), text));
            }
        };
        if let Some(role) = role {
            gather(&role.inline, &role.attached);
            boundary = &role.boundary;
        } else if let Some(user) = user {
            gather(&user.inline, &user.attached);
            boundary = &user.boundary;
            let groups = account.iam.groups.value();
            let group = |name| groups.and_then(|groups| groups.get(name));
            for group in user.groups.iter().filter_map(group) {
                gather(&group.inline, &group.attached);
            }
            let lost = user.groups.iter().filter(|name| group(name).is_none());
            identity.extend(lost.map(|name| unread(name, "the group was not read")));
        }
        let boundary = match boundary {
            Observed::Value(arn) => Some(vec![self.attached(arn.as_str(), managed(account, arn))]),
            Observed::Gap(gap) => Some(vec![unread("the boundary", &gap.to_string())]),
            _ => None,
        };
        Held {
            identity,
            boundary,
            service_linked: role.is_some_and(Role::is_service_linked),
        }
    }

    /// What is known of a request by a principal of the snapshot; other keys are unknown.
    pub fn context(&self, principal: &Arn, region: &str) -> Context {
        let mut context = self.account_context(principal.account(), region);
        context.set("aws:PrincipalArn", principal.as_str());
        let tags = match (self.role(principal), self.user(principal)) {
            (Some(role), _) => Some((&role.tags, "AssumedRole")),
            (_, Some(user)) => Some((&user.tags, "User")),
            _ => None,
        };
        match tags {
            Some((tags, kind)) => {
                context.set("aws:PrincipalType", kind);
                for (key, value) in tags {
                    context.set(&format!("aws:PrincipalTag/{key}"), value.as_str());
                }
            }
            None if principal.resource() == "root" => {
                context.set("aws:PrincipalType", "Account");
            }
            None => {}
        }
        context
    }

    /// What is known of any request by somebody of the account.
    pub fn account_context(&self, account: &str, region: &str) -> Context {
        let mut context = Context::open();
        context
            .set("aws:PrincipalAccount", account)
            .set("aws:ResourceAccount", account)
            .set("aws:RequestedRegion", region)
            .set("aws:SecureTransport", "true")
            .set("aws:PrincipalIsAWSService", "false");
        for key in [
            "aws:SourceArn",
            "aws:SourceAccount",
            "aws:SourceOrgID",
            "aws:PrincipalServiceName",
            "aws:SourceOwner",
        ] {
            context.set_absent(key);
        }
        if let Some(organization) = self.snapshot.organization.value() {
            context
                .set("aws:PrincipalOrgID", organization.id.as_str())
                .set("aws:ResourceOrgID", organization.id.as_str());
            if let Some(chain) = organization.chain(account) {
                let units = chain[..chain.len() - 1].join("/");
                context.set_all(
                    "aws:PrincipalOrgPaths",
                    [format!("{}/{units}/", organization.id)],
                );
            }
        }
        context
    }

    /// Whether a principal of the snapshot may do this, by every layer.
    pub fn decide(&self, principal: &Arn, action: &str, resource: &str, region: &str) -> Decision {
        self.decide_on(principal, action, resource, region, None)
    }

    /// Likewise, on a resource with a policy of its own.
    pub fn decide_on(
        &self,
        principal: &Arn,
        action: &str,
        resource: &str,
        region: &str,
        policy: Option<&Observed<PolicyText>>,
    ) -> Decision {
        let held = self.held(principal);
        let context = self.context(principal, region);
        let caller = Caller::new(principal.as_str(), &context);
        let request = Request::by(caller, action, resource, None, context);
        let ceiling = self.ceiling(principal.account());
        let unknown;
        let scps = match &ceiling {
            _ if held.service_linked => None,
            Ceiling::Levels(levels) => Some(levels.as_slice()),
            Ceiling::Unknown(missing) => {
                unknown = vec![vec![unread("SCPs", missing)]];
                Some(unknown.as_slice())
            }
            Ceiling::Outside(_) | Ceiling::Off(_) | Ceiling::Management => None,
        };
        let rcps = self.rcps(request.resource_account().unwrap_or_default());
        let own = policy.map(|policy| self.resource_policy(policy));
        let layers = Layers {
            identity: &held.identity,
            boundary: held.boundary.as_deref(),
            scps,
            rcps: &rcps,
            resource: own.as_deref(),
            ..Layers::default()
        };
        decide(&request, &layers)
    }

    /// What the account's ceilings alone say to somebody whom every other policy allows
    /// everything. `who` is a caller with its context.
    pub fn ceiling_decides(
        &self,
        levels: &Levels,
        who: &Caller,
        context: Context,
        action: &str,
        resource: &str,
    ) -> (Decision, Option<String>) {
        let everything = [self.attached("everything", Some(&PolicyText::new(FULL_ACCESS)))];
        let request = Request::by(who.clone(), action, resource, None, context);
        let rcps = self.rcps(request.resource_account().unwrap_or_default());
        let layers = Layers {
            identity: &everything,
            scps: Some(levels),
            rcps: &rcps,
            ..Layers::default()
        };
        let decision = decide(&request, &layers);
        let refusal = match &decision {
            Decision::Denied(refusal) => Some(refusal),
            Decision::Conditional(conditional) => Some(&conditional.refusal),
            _ => None,
        };
        let cited = refusal.map(|refusal| match refusal.statement {
            Some(cite) => layers.cited(cite).map_or_else(String::new, |attached| {
                let statement = attached.policy.statement(cite.statement);
                let label = statement
                    .map(|statement| statement.label())
                    .unwrap_or_default();
                format!("{label} of {}", attached.name)
            }),
            None => format!("nothing in the {} allows it", refusal.layer),
        });
        (decision, cited)
    }

    fn resource_policy(&self, policy: &Observed<PolicyText>) -> Vec<Attached> {
        match policy {
            Observed::Value(text) => vec![self.attached("resource policy", Some(text))],
            Observed::Gap(gap) => vec![unread("resource policy", &gap.to_string())],
            _ => Vec::new(),
        }
    }

    /// Whether a service may do this to a resource by the resource's own policy, acting for
    /// `source` (a rule, an alarm, a topic).
    pub fn service_may(
        &self,
        policy: &Observed<PolicyText>,
        service: &str,
        action: &str,
        resource: &Arn,
        source: &Arn,
    ) -> Decision {
        let mut context = Context::closed();
        context
            .set("aws:SourceArn", source.as_str())
            .set("aws:SourceAccount", source.account())
            .set("aws:PrincipalIsAWSService", "true")
            .set("aws:PrincipalServiceName", service)
            .set("aws:SecureTransport", "true")
            .set("aws:ResourceAccount", resource.account())
            .set("aws:RequestedRegion", resource.region());
        if service.starts_with("cloudwatch.") {
            // A topic's default policy lets the alarms of its own account in by this key.
            context.set("aws:SourceOwner", source.account());
        }
        if let Some(organization) = self.snapshot.organization.value() {
            context.set("aws:SourceOrgID", organization.id.as_str());
            context.set("aws:ResourceOrgID", organization.id.as_str());
        }
        let attached = self.resource_policy(policy);
        let caller = Caller::Service(service.into());
        let request = Request::by(caller, action, resource.as_str(), None, context);
        let layers = Layers {
            resource: Some(&attached),
            ..Layers::default()
        };
        decide(&request, &layers)
    }
}

/// What a cache holds is whole at any time, so a panic elsewhere does not spoil it.
fn lock<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A policy in whose place nothing was read.
pub fn unread(name: &str, reason: &str) -> Attached {
    Attached::new(name, Shared::new(CompiledPolicy::unread(reason)))
}

fn managed<'a>(account: &'a Account, arn: &Arn) -> Option<&'a PolicyText> {
    account.iam.policies.value()?.get(arn)?.document()
}

/// What `FullAWSAccess` says, and what is assumed of somebody whose own policies do not count.
const FULL_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
