//! What principals may do here and now: questions of the alarm room, put to the engine.
//!
//! The engine gathers the policies and decides. This file says what is known of a request that
//! would blind somebody, and asks what ceilings alone make of somebody whom all other policies
//! allow everything.

mod ceiling;

use std::collections::BTreeMap;
use std::sync::{Arc as Shared, Mutex, MutexGuard, PoisonError};

use palisade_model::{Account, Arn, Observed, PolicyText, Role, Snapshot, User};

pub use ceiling::{Asked, Ceiling};

use super::filter::{Filter, FilterError};
use super::pattern::{Pattern, PatternError};
use crate::policy::{Attached, CompiledPolicy, Context, Decision, Engine};

/// Answers questions about the snapshot's principals.
pub struct Powers<'a> {
    /// The facts.
    pub snapshot: &'a Snapshot,
    /// Who may do what.
    pub engine: &'a Engine,
    /// Allows its holder everything, and as a resource's own policy everybody.
    everything: [Attached; 2],
    patterns: Mutex<BTreeMap<PolicyText, Parsed<Pattern, PatternError>>>,
    filters: Mutex<BTreeMap<String, Parsed<Filter, FilterError>>>,
    mentions: Mutex<BTreeMap<String, Shared<ceiling::Mentions>>>,
    ways_in: Mutex<BTreeMap<String, Shared<WaysIn>>>,
    exempt: Mutex<BTreeMap<String, Shared<Vec<Arn>>>>,
    links: Mutex<BTreeMap<String, Shared<Decision>>>,
}

/// How somebody becomes an exempted principal.
#[derive(Clone, Debug, Default)]
pub(super) struct WaysIn {
    /// Sentences, one for each way.
    pub(super) how: Vec<String>,
    /// Ways that do not count: from the management account, which no SCP binds.
    pub(super) above: Vec<String>,
    /// What was not read, and ways that hang on it.
    pub(super) missing: Vec<String>,
}

/// A pattern read once.
type Parsed<T, E> = Shared<Result<T, E>>;

impl<'a> Powers<'a> {
    /// Over one snapshot and its engine.
    pub fn new(snapshot: &'a Snapshot, engine: &'a Engine) -> Self {
        let everything = [FULL_ACCESS, OPEN_TO_ALL]
            .map(|text| Attached::new("everything", Shared::new(CompiledPolicy::read(text))));
        Powers {
            snapshot,
            engine,
            everything,
            patterns: Mutex::default(),
            filters: Mutex::default(),
            mentions: Mutex::default(),
            ways_in: Mutex::default(),
            exempt: Mutex::default(),
            links: Mutex::default(),
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
    pub(super) fn ways_in(
        &self,
        question: String,
        work: impl FnOnce() -> WaysIn,
    ) -> Shared<WaysIn> {
        once(&self.ways_in, question, work)
    }

    /// Whom a ceiling lets through, worked out once for each `question`.
    pub(super) fn exempt(
        &self,
        question: String,
        work: impl FnOnce() -> Vec<Arn>,
    ) -> Shared<Vec<Arn>> {
        once(&self.exempt, question, work)
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

    /// Whether SCPs and boundaries pass the principal over.
    pub fn is_service_linked(&self, arn: &Arn) -> bool {
        self.role(arn).is_some_and(Role::is_service_linked)
    }

    /// What is known of a request from within the account, made in `region`, on a resource of
    /// its own; other keys are unknown. An empty region is one that is not known.
    pub(super) fn circumstances(&self, account: &str, resource: &str, region: &str) -> Context {
        let mut context = Context::open();
        context.set_absent("aws:SourceOwner");
        if !region.is_empty() {
            context.set("aws:RequestedRegion", region);
        }
        // Where the resource's name says nothing of its owner, the account calls on its own.
        let owned = resource.split(':').nth(4).is_some_and(|id| !id.is_empty());
        if !owned && !resource.contains(":s3:::") {
            context.set("aws:ResourceAccount", account);
            if let Some(organization) = self.snapshot.organization.value() {
                context.set("aws:ResourceOrgID", organization.id.as_str());
            }
        }
        context
    }

    /// Whether a principal of the snapshot may do this, by every layer.
    pub fn decide(&self, principal: &Arn, action: &str, resource: &str, region: &str) -> Decision {
        let context = self.circumstances(principal.account(), resource, region);
        self.engine
            .decide(principal.as_str(), action, resource, &context)
    }

    /// Likewise for the principals of an alarm chain, which one and the same question is put to by
    /// every event of every account: asked once.
    pub(super) fn link(
        &self,
        principal: &Arn,
        action: &str,
        resource: &str,
        region: &str,
    ) -> Decision {
        let question = format!("{principal} {action} {resource} {region}");
        let decide = || self.decide(principal, action, resource, region);
        Decision::clone(&once(&self.links, question, decide))
    }

    /// Whether a service may do this to a resource by the resource's own policy, acting for
    /// `source` (a rule, an alarm, a topic).
    pub fn service_may(
        &self,
        service: &str,
        action: &str,
        resource: &Arn,
        source: &Arn,
    ) -> Decision {
        let question = format!("{service} {action} {resource} {source}");
        let decide = || self.of_service(service, action, resource, source);
        Decision::clone(&once(&self.links, question, decide))
    }

    fn of_service(&self, service: &str, action: &str, resource: &Arn, source: &Arn) -> Decision {
        let mut context = Context::closed();
        context
            .set("aws:SourceArn", source.as_str())
            .set("aws:SourceAccount", source.account())
            .set("aws:PrincipalServiceName", service)
            .set("aws:RequestedRegion", resource.region());
        if service.starts_with("cloudwatch.") {
            // A topic's default policy lets the alarms of its own account in by this key.
            context.set("aws:SourceOwner", source.account());
        }
        if let Some(organization) = self.snapshot.organization.value() {
            context.set("aws:SourceOrgID", organization.id.as_str());
        }
        self.engine
            .decide(service, action, resource.as_str(), &context)
    }
}

/// What a cache holds is whole at any time, so a panic elsewhere does not spoil it.
fn lock<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The answer to a question, worked out when it is first asked.
fn once<T>(
    cache: &Mutex<BTreeMap<String, Shared<T>>>,
    question: String,
    work: impl FnOnce() -> T,
) -> Shared<T> {
    if let Some(known) = lock(cache).get(&question) {
        return Shared::clone(known);
    }
    // Not under the lock: the work asks further questions.
    let found = Shared::new(work());
    lock(cache).insert(question, Shared::clone(&found));
    found
}

/// What is assumed of everything but ceilings.
const FULL_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const OPEN_TO_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
