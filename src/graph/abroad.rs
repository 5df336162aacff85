//! Whom the policies of resources let in from other accounts, and what he can do there.
//!
//! A call on a resource of another account needs both sides: an Allow of the caller's own policies
//! and one of the resource's policy. So only those techniques are tried across the border that ask
//! for nothing but what resources of one account offer there, and calls that a caller makes in its
//! own account whosever resource it means. What would be made on the way would be made at home and
//! is of no use abroad.
//!
//! Source: "Cross-account policy evaluation logic", IAM User Guide, 2026-10. Roles are let in by
//! their trust policies, which `sts:AssumeRole` asks itself.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use fixedbitset::FixedBitSet;
use palisade_checks::technique::{Goal, Requirement, Source};
use palisade_model::{Account, Gap, GapKind, Observed, PolicyText};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Status;
use super::actor::Actor;
use super::ask::Asked;
use super::bind::{Bindings, Bound};
use super::grow::Growth;
use super::net::Id;
use super::offers::Offers;
use super::plan::Plan;
use super::scene::{Scene, aws_name};
use super::solve::Attempt;
use crate::policy::Effect;
use crate::policy::document::Document;

/// Calls without a resource that a caller makes in its own account to work in another.
///
/// Source: "Private repository policies", Amazon ECR User Guide; "Cross-domain access",
/// CodeArtifact User Guide, 2026-10.
const AT_HOME: [&str; 2] = ["ecr:getauthorizationtoken", "sts:getservicebearertoken"];

/// Calls on a function that Lambda is said to take from its own account alone, whatever the
/// function's policy says. The developer guide does not list them, so that they are not ruled out.
const DOUBTFUL: [&str; 4] = [
    "lambda:addpermission",
    "lambda:createfunctionurlconfig",
    "lambda:updatefunctionconfiguration",
    "lambda:updatefunctionurlconfig",
];

/// What the resources of each account offer to callers from others.
#[derive(Debug, Default)]
pub(crate) struct Abroad {
    /// By the caller's ARN, account, session or `*`; then by the account of the resources.
    by_name: FxHashMap<String, BTreeMap<String, FixedBitSet>>,
    /// Actions on resources whose policy could not be read: it may let anybody in.
    unread: BTreeMap<String, FixedBitSet>,
    /// Actions on resources of listings that were not read: what lies there may let anybody in.
    unlisted: BTreeMap<String, FixedBitSet>,
    /// How many classes of principals were found that may reach what an account did not list.
    openings: BTreeMap<String, usize>,
    /// The techniques that actions make possible.
    plans: FxHashMap<FixedBitSet, Rc<[usize]>>,
}

impl Abroad {
    /// Reads the policies of all resources but roles.
    pub(crate) fn read(offers: &Offers, scene: &Scene<'_>) -> Self {
        let mut all = Abroad::default();
        if scene.accounts.len() < 2 {
            return all;
        }
        for (owner, account) in &scene.snapshot.accounts {
            let mut seen = FxHashSet::default();
            each_policy(account, &mut |service, policy| match policy {
                Observed::Value(text) if seen.insert(text.as_str()) => {
                    match Document::parse(text.as_str()) {
                        Ok(document) => all.take(offers, owner, &document),
                        Err(_) => all.leave_open(offers, owner, service),
                    }
                }
                Observed::Gap(_) if seen.insert(service) => {
                    all.leave_open(offers, owner, service);
                }
                _ => {}
            });
            for service in unlisted(account) {
                let bits = all.unlisted.entry(owner.clone()).or_default();
                bits.union_with(&offers.of_service(service));
            }
        }
        all
    }

    /// Notes that some policy of a service could not be read.
    fn leave_open(&mut self, offers: &Offers, owner: &str, service: &str) {
        let bits = self.unread.entry(owner.to_owned()).or_default();
        bits.union_with(&offers.of_service(service));
    }

    fn take(&mut self, offers: &Offers, owner: &str, document: &Document) {
        for statement in &document.statements {
            let offered = offers.of_statement(statement);
            if statement.effect != Effect::Allow || offered.is_clear() {
                continue;
            }
            let named = statement.principal.iter().flatten();
            let mut names: BTreeSet<String> = named.map(|name| aws_name(&name.value)).collect();
            if statement.principal.is_none() {
                names.insert("*".to_owned());
            }
            for name in names {
                let by_owner = self.by_name.entry(name).or_default();
                by_owner
                    .entry(owner.to_owned())
                    .or_default()
                    .union_with(&offered);
            }
        }
    }

    /// What an actor is offered in accounts other than its own.
    pub(super) fn of(&self, actor: &Actor) -> BTreeMap<&str, FixedBitSet> {
        let own = actor.arn.account();
        let session = format!("session:{own}:{}", actor.arn.name());
        let mut all: BTreeMap<&str, FixedBitSet> = BTreeMap::new();
        let named = [actor.arn.as_str(), own, "*", &session];
        let named = named.into_iter().filter_map(|name| self.by_name.get(name));
        for (owner, bits) in named.chain([&self.unread]).flatten() {
            if owner != own {
                all.entry(owner).or_default().union_with(bits);
            }
        }
        all
    }
}

/// Classes of principals that are followed into what one account did not list. Whoever else may
/// reach it stands beside them: what is unread is told of the account, not of every pair.
const MAX_OPENINGS: usize = 4;

/// Services of which an account has a listing that was asked for and refused.
fn unlisted(account: &Account) -> BTreeSet<&str> {
    let refused = |gap: Option<&Gap>| gap.is_some_and(|gap| gap.kind != GapKind::NotCollected);
    let mut all = BTreeSet::new();
    if refused(account.s3.buckets.gap()) {
        all.insert("s3");
    }
    let regions = account.regions.value().into_iter().flatten();
    for (_, region) in regions.clone() {
        if refused(region.functions.gap()) {
            all.insert("lambda");
        }
    }
    for (kind, listed) in regions.flat_map(|(_, region)| &region.resources) {
        if refused(listed.gap()) {
            all.extend(kind.split('.').next());
        }
    }
    all
}

/// Every policy of a resource of an account, with the service the resource belongs to.
pub(super) fn each_policy<'a>(
    account: &'a Account,
    see: &mut dyn FnMut(&'a str, &'a Observed<PolicyText>),
) {
    let buckets = account.s3.buckets.value().into_iter().flatten();
    buckets.for_each(|(_, bucket)| see("s3", &bucket.policy));
    let regions = || account.regions.value().into_iter().flatten();
    for (_, region) in regions() {
        let functions = region.functions.value().into_iter().flatten();
        functions.for_each(|(_, function)| see("lambda", &function.policy));
        let topics = region.topics.value().into_iter().flatten();
        topics.for_each(|(_, topic)| see("sns", &topic.policy));
    }
    let kinds = regions().flat_map(|(_, region)| &region.resources);
    for (kind, listed) in kinds.chain(&account.resources) {
        let service = kind.split('.').next().unwrap_or(kind);
        let listed = listed.value().into_iter().flatten();
        listed.for_each(|(_, resource)| see(service, &resource.policy));
    }
}

/// Whether what is tried is tried in another account than the actor's.
pub(super) fn is_abroad(actor: &Actor, bindings: &Bindings) -> bool {
    match bindings.get("account") {
        Some(Bound::Account(account)) => account != actor.arn.account(),
        _ => false,
    }
}

/// Whether a call without a resource is made in the caller's account for one of another.
pub(super) fn is_at_home(requirement: &Requirement) -> bool {
    AT_HOME.contains(&requirement.action.to_ascii_lowercase().as_str())
}

/// An answer about a resource of another account: in doubt where the service may not take the
/// call from there.
pub(super) fn across(actor: &Actor, mut asked: Asked) -> Asked {
    let owner = asked.resource.account().to_owned();
    let foreign = !owner.is_empty() && owner != actor.arn.account();
    if foreign && DOUBTFUL.contains(&asked.call.action.to_ascii_lowercase().as_str()) {
        asked.status = Status::Possible;
        let mut gap = Gap::new(asked.call.action.clone(), GapKind::NotCollected);
        gap.message = "whether the service takes this call from another account".to_owned();
        asked.gaps = asked.gaps.iter().cloned().chain([gap]).collect();
    }
    asked
}

/// Techniques that reach what a policy of its own can open to other accounts.
fn reaches_out(plan: &Plan<'_>) -> bool {
    let goal = matches!(plan.technique.yields.to, Goal::Resource(_) | Goal::Data(_));
    goal && !plan.crosses && *plan.from == Source::SelfRef
}

impl Growth<'_, '_> {
    /// The techniques that reach out and need no more than these actions.
    fn plans_for(&mut self, bits: FixedBitSet) -> Rc<[usize]> {
        if let Some(known) = self.offers.abroad.plans.get(&bits) {
            return Rc::clone(known);
        }
        let works = |number: &usize| {
            reaches_out(&self.plans[*number]) && self.offers.may_try(*number, &bits)
        };
        let found: Rc<[usize]> = (0..self.plans.len()).filter(works).collect();
        self.offers.abroad.plans.insert(bits, Rc::clone(&found));
        found
    }

    /// What a class of principals can do in the accounts whose resources let it in.
    pub(super) fn try_abroad(
        &mut self,
        (source, members): (Id, &[Id]),
        actor: &Actor,
        offered: &FixedBitSet,
    ) {
        let home = self.offers.of_actions(&AT_HOME);
        let there: Vec<(String, FixedBitSet)> = self
            .offers
            .abroad
            .of(actor)
            .into_iter()
            .filter(|(_, bits)| !bits.is_disjoint(offered))
            .map(|(owner, bits)| (owner.to_owned(), &(&bits | &home) & offered))
            .collect();
        let mut wanted: Vec<(usize, String)> = Vec::new();
        for (owner, bits) in there {
            let plans = self.plans_for(bits);
            wanted.extend(plans.iter().map(|number| (*number, owner.clone())));
        }
        for (owner, bits) in self.unlisted_for(actor, offered) {
            let before = self.steps.len();
            let plans = self.plans_for(bits);
            let known = |number: &usize| wanted.contains(&(*number, owner.clone()));
            let more: Vec<_> = plans.iter().filter(|number| !known(number)).collect();
            let more = more.into_iter().map(|number| (*number, owner.clone()));
            self.try_there((source, members), actor, more.collect());
            if self.steps.len() > before {
                *self.offers.abroad.openings.entry(owner).or_default() += 1;
            }
        }
        self.try_there((source, members), actor, wanted);
    }

    /// What an actor may do to resources of other accounts that were not listed, while that is
    /// still followed.
    fn unlisted_for(&mut self, actor: &Actor, offered: &FixedBitSet) -> Vec<(String, FixedBitSet)> {
        let abroad = &self.offers.abroad;
        let own = actor.arn.account();
        let mut all = Vec::new();
        for (owner, bits) in abroad.unlisted.iter().filter(|(owner, _)| *owner != own) {
            if bits.is_disjoint(offered) {
                continue;
            }
            if abroad.openings.get(owner).copied().unwrap_or(0) < MAX_OPENINGS {
                all.push((owner.clone(), bits & offered));
                continue;
            }
            let cap =
                format!("who else may reach what account {owner} did not list is not followed");
            self.caps.insert(cap);
        }
        all
    }

    fn try_there(
        &mut self,
        (source, members): (Id, &[Id]),
        actor: &Actor,
        wanted: Vec<(usize, String)>,
    ) {
        for (number, owner) in wanted {
            let plan = &self.plans[number];
            let one_by_one = plan.personal;
            let sources: Vec<Id> = match one_by_one {
                true => members.to_vec(),
                false => vec![source],
            };
            for source in sources {
                let own = self.actors.get(&source).filter(|_| one_by_one).cloned();
                let actor = own.as_ref().unwrap_or(actor);
                let wanted = match one_by_one {
                    true => self.may_lead_on(actor, number),
                    false => self.class_may_lead_on(members, number),
                };
                if !wanted || !plan.begins_at(actor) {
                    continue;
                }
                let attempt = Attempt {
                    plan,
                    judge: self.judge,
                    actor: Some(actor),
                    helper: None,
                    account: &owner,
                    explain: false,
                    open: None,
                    crowd: !one_by_one && members.len() > 1,
                };
                let found = attempt.run(plan.given(actor));
                self.draw(number, source, Some(actor), found);
            }
        }
    }
}
