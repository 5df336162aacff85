//! Puts a technique's requests to the policy engine, and its questions to the facts.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::technique::{
    ContextValue, Kind, Predicate, Requirement, ResourceRef, Selector,
};
use palisade_checks::weights::Weights;
use palisade_model::{Arn, Gap, GapKind, Observed, Snapshot};
use rustc_hash::FxHashMap;

use super::actor::{Actor, Crew, Mod};
use super::bind::{Bindings, Bound, Truth};
use super::facts::Facts;
use super::ground::Ground;
use super::predicate::{Look, Question, evaluate};
use super::scene::Scene;
use super::weigh::{Detection, Interval};
use super::{Condition, Detects, Interests, Request, Statement, Status};
use crate::exposure::Exposure;
use crate::policy::{
    self, Context, Control, Decision, Engine, Layers, Residual, Term, UnreadPolicy, decide,
};

/// The answer to one request that goes through, or may.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) status: Status,
    /// What the conditions cost.
    pub(crate) factor: Interval,
    /// Who notices; `None` for permissions that are checked in passing and are no call.
    pub(crate) call: Option<Detection>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) context: Vec<(String, String)>,
    /// Whether the second principal of a crew sends it.
    pub(crate) second: bool,
    /// Whether the resource does not exist yet.
    fresh: bool,
}

/// Asks.
pub(crate) struct Judge<'a> {
    pub(crate) scene: Scene<'a>,
    pub(crate) ground: Ground<'a>,
    pub(crate) engine: &'a Engine,
    pub(crate) facts: Facts<'a>,
    pub(crate) look: Look<'a>,
    pub(crate) exposure: std::cell::OnceCell<Exposure>,
    pub(crate) detects: &'a dyn Detects,
    pub(crate) weights: &'a Weights,
    pub(crate) interests: Interests,
    tag_keys: BTreeSet<String>,
    memo: RefCell<FxHashMap<MemoKey, Option<Short>>>,
    heard: RefCell<FxHashMap<(String, String, String), Detection>>,
    truths: RefCell<FxHashMap<(usize, String), Truth>>,
    /// Names found for what does not exist yet, by the patterns they must fit and avoid.
    pub(super) named: RefCell<FxHashMap<Wanted, Vec<String>>>,
}

type Wanted = (Vec<Vec<String>>, BTreeSet<String>, String);

type MemoKey = (u64, String, String, Vec<(String, String)>, bool);

/// What is remembered of an answer.
#[derive(Clone, Debug)]
struct Short {
    status: Status,
    factor: Interval,
    gaps: Vec<Gap>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(
        snapshot: &'a Snapshot,
        engine: &'a Engine,
        detects: &'a dyn Detects,
        interests: Interests,
    ) -> Self {
        let ground = Ground::new(snapshot);
        Judge {
            scene: Scene::new(snapshot),
            facts: Facts::new(snapshot),
            look: Look::new(snapshot),
            exposure: std::cell::OnceCell::new(),
            engine,
            detects,
            weights: Weights::builtin(),
            interests,
            tag_keys: ground.tag_keys(),
            ground,
            memo: RefCell::default(),
            heard: RefCell::default(),
            truths: RefCell::default(),
            named: RefCell::default(),
        }
    }

    /// A row of the step weights.
    pub(crate) fn step(&self, name: &str) -> Interval {
        Interval::new(
            self.weights
                .step
                .get(name)
                .copied()
                .unwrap_or((1, 1_000_000)),
        )
    }

    /// Whether a fact holds.
    pub(crate) fn holds(
        &self,
        predicate: &'a Predicate,
        bindings: &Bindings,
        account: &str,
    ) -> Truth {
        let mut key = String::from(account);
        for name in predicate
            .references()
            .into_iter()
            .filter_map(ResourceRef::variable)
        {
            key.push('|');
            key.push_str(&bindings.get(name).map(Bound::text).unwrap_or_default());
        }
        if is_implicit(predicate) {
            key.push('|');
            key.push_str(&bindings.get("self").map(Bound::text).unwrap_or_default());
        }
        let key = (std::ptr::from_ref(predicate) as usize, key);
        if let Some(known) = self.truths.borrow().get(&key) {
            return known.clone();
        }
        let question = Question {
            look: &self.look,
            asks: self,
            bindings,
            account,
        };
        let truth = evaluate(predicate, &question);
        self.truths.borrow_mut().insert(key, truth.clone());
        truth
    }

    /// Asks one requirement on what it is bound to; `None` when it is denied. Of two principals
    /// that may both send it, the surer one does, the first before the second.
    pub(crate) fn require(
        &self,
        crew: &Crew<'_>,
        requirement: &Requirement,
        bindings: &Bindings,
    ) -> Option<Asked> {
        let own = self.require_of(crew.first, requirement, bindings);
        let settled = own
            .as_ref()
            .is_some_and(|asked| asked.status == Status::Proven);
        match crew.second.filter(|_| !settled && crew.shares(requirement)) {
            Some(second) => surer(own, self.require_of(second, requirement, bindings)),
            None => own,
        }
    }

    fn require_of(
        &self,
        actor: &Actor,
        requirement: &Requirement,
        bindings: &Bindings,
    ) -> Option<Asked> {
        let context = context_of(requirement, bindings)?;
        if !requirement.takes_resource() {
            return self.ask(actor, &requirement.action, "*", context);
        }
        let account = actor.arn.account();
        let alone = Crew::alone(actor);
        let bound = match &requirement.on.selector {
            Selector::SelfRef => {
                let own = || Bound::Known(actor.arn.clone());
                bindings.get("self").cloned().unwrap_or_else(own)
            }
            Selector::Any | Selector::New(_) => {
                return self.new_resource(&alone, &[requirement], bindings)?.1.pop();
            }
            Selector::Named(name) => Bound::Known(self.named(requirement.on.kind, name, account)),
            Selector::Target => bindings.get("target")?.clone(),
            Selector::Var(name) => bindings.get(name.as_str())?.clone(),
        };
        match bound {
            Bound::Known(bucket) if requirement.on.kind == Kind::BUCKET_CONTENT => {
                self.any_object(actor, requirement, &bucket, bindings)
            }
            Bound::Known(arn) | Bound::New(arn) => {
                self.ask(actor, &requirement.action, arn.as_str(), context)
            }
            Bound::Named { arn, gap } => {
                let mut asked = self.ask(actor, &requirement.action, arn.as_str(), context)?;
                asked.status = Status::Possible;
                asked.gaps.push(*gap);
                Some(asked)
            }
            Bound::Account(id) => {
                let resource = self.account_resource(&requirement.action, &id);
                self.ask(actor, &requirement.action, &resource, context)
            }
            Bound::Unseen { gap, .. } => {
                let (_, mut answers) = self.new_resource(&alone, &[requirement], bindings)?;
                let mut asked = answers.pop()?;
                asked.status = Status::Possible;
                asked.gaps.push(*gap);
                Some(asked)
            }
        }
    }

    fn named(&self, kind: Kind, name: &str, account: &str) -> Arn {
        if name.starts_with("arn:") {
            return Arn::from(name);
        }
        let partition = self.scene.snapshot.partition;
        Arn::iam(partition, account, kind.name(), "/", name)
    }

    /// How an action names an account as its resource.
    ///
    /// Source: Service Authorization Reference, resource types of Organizations, STS and IAM
    /// Identity Center.
    fn account_resource(&self, action: &str, id: &str) -> String {
        let partition = self.scene.snapshot.partition;
        match action.split(':').next().unwrap_or_default() {
            "sts" => format!("arn:{partition}:iam::{id}:root"),
            "sso" => format!("arn:{partition}:sso:::account/{id}"),
            "organizations" => match self.scene.snapshot.organization.value() {
                Some(o) => {
                    let manager = &o.management_account;
                    format!(
                        "arn:{partition}:organizations::{manager}:account/{}/{id}",
                        o.id
                    )
                }
                None => "*".to_owned(),
            },
            _ => "*".to_owned(),
        }
    }

    /// Asks one request; `None` when it is denied.
    pub(crate) fn ask(
        &self,
        actor: &Actor,
        action: &str,
        resource: &str,
        context: Vec<(String, String)>,
    ) -> Option<Asked> {
        self.ask_of(actor, (action, resource), context, false)
    }

    /// Asks about a resource that does not exist before the attacker makes it: it has neither a
    /// policy of its own nor a permissions boundary.
    pub(crate) fn ask_new(
        &self,
        actor: &Actor,
        action: &str,
        resource: &str,
        context: Vec<(String, String)>,
    ) -> Option<Asked> {
        self.ask_of(actor, (action, resource), context, true)
    }

    fn ask_of(
        &self,
        actor: &Actor,
        (action, resource): (&str, &str),
        context: Vec<(String, String)>,
        fresh: bool,
    ) -> Option<Asked> {
        let key = (
            actor.class,
            action.to_owned(),
            resource.to_owned(),
            context,
            fresh,
        );
        let known = self.memo.borrow().get(&key).cloned();
        let short = match known {
            Some(short) => short,
            None => {
                let short = self.decide(actor, (action, resource), &key.3, fresh);
                self.memo.borrow_mut().insert(key.clone(), short.clone());
                short
            }
        };
        let short = short?;
        let (_, action, resource, context, fresh) = key;
        let call = (!action.eq_ignore_ascii_case("iam:PassRole"))
            .then(|| self.heard(&action, actor.arn.account(), &resource));
        let (status, factor, gaps) = (short.status, short.factor, short.gaps);
        Some(Asked {
            status,
            factor,
            call,
            gaps,
            action,
            resource,
            context,
            second: false,
            fresh,
        })
    }

    /// Who notices a call; a resource that stands in a region fixes the region.
    fn heard(&self, action: &str, account: &str, resource: &str) -> Detection {
        let region = resource.split(':').nth(3).unwrap_or_default();
        let key = (action.to_owned(), account.to_owned(), region.to_owned());
        if let Some(known) = self.heard.borrow().get(&key) {
            return *known;
        }
        let heard = self.detects.detection(action, account, region);
        self.heard.borrow_mut().insert(key, heard);
        heard
    }

    fn decide(
        &self,
        actor: &Actor,
        (action, resource): (&str, &str),
        context: &[(String, String)],
        fresh: bool,
    ) -> Option<Short> {
        let asked = (action, resource, fresh);
        let decision = self.with_layers(actor, asked, context, decide);
        let proven = |status, factor| Short {
            status,
            factor,
            gaps: Vec::new(),
        };
        Some(match decision {
            Decision::Allowed(_) => proven(Status::Proven, Interval::ONE),
            Decision::Denied(_) => return None,
            Decision::Conditional(conditional) => proven(
                Status::Conditional,
                self.price(actor, resource, &conditional.residual),
            ),
            Decision::Unknown(unknown) => Short {
                status: Status::Possible,
                factor: unknown.residual.map_or(Interval::ONE, |residual| {
                    self.price(actor, resource, &residual)
                }),
                gaps: unknown.gaps.iter().map(gap).collect(),
            },
        })
    }

    /// What the easiest way of meeting the conditions costs.
    fn price(&self, actor: &Actor, resource: &str, residual: &Residual) -> Interval {
        if residual.imprecise {
            return self.step("undecided");
        }
        let clause = |terms: &[Term]| {
            let rows: BTreeSet<&str> = terms
                .iter()
                .map(|term| condition_row(actor, resource, term))
                .collect();
            rows.into_iter()
                .fold(Interval::ONE, |all, row| all.and(self.step(row)))
        };
        residual
            .clauses
            .iter()
            .map(|c| clause(&c.terms))
            .max_by_key(|interval| (interval.hi, interval.lo))
            .unwrap_or_else(|| self.step("undecided"))
    }

    /// Builds the request and its layers and hands them on.
    fn with_layers<T>(
        &self,
        actor: &Actor,
        (action, resource, fresh): (&str, &str, bool),
        context: &[(String, String)],
        then: impl FnOnce(&policy::Request, &Layers<'_>) -> T,
    ) -> T {
        let mut known = Context::open();
        for key in &self.tag_keys {
            let own = key.starts_with("aws:principaltag/") && actor.mods.contains(&Mod::OwnTags);
            let theirs = || actor.mods.contains(&Mod::TagsOn(Arn::from(resource)));
            if own || (key.contains("resourcetag/") && theirs()) {
                known.set_unknown(key);
            }
        }
        if actor.mods.contains(&Mod::Mfa) {
            known.set("aws:MultiFactorAuthPresent", "true");
        }
        known.set("aws:ViaAWSService", "false");
        known.set_absent("aws:CalledVia");
        if tests_boundary(action) {
            self.boundary_of(resource, fresh, &mut known);
        }
        for (key, value) in context {
            known.set(key, value.as_str());
        }
        let own = (&*actor.identity, actor.boundary.as_deref());
        let asked = (action, resource);
        self.engine
            .suppose(actor.arn.as_str(), own, asked, &known, |request, layers| {
                let nothing = fresh && layers.resource.is_some();
                let layers = Layers {
                    resource: layers.resource.filter(|_| !nothing),
                    ..*layers
                };
                then(request, &layers)
            })
    }

    /// `iam:PermissionsBoundary`: the boundary the principal has. One that is yet to be made has
    /// the one it is made with, and whoever makes it to gain by it sets none.
    ///
    /// Source: "Actions, resources, and condition keys for AWS IAM", Service Authorization
    /// Reference; "Delegating responsibility to others using permissions boundaries", IAM User
    /// Guide, 2026-10.
    fn boundary_of(&self, resource: &str, fresh: bool, known: &mut Context) {
        const KEY: &str = "iam:PermissionsBoundary";
        let arn = Arn::from(resource);
        let user = self.facts.user(&arn).map(|user| &user.boundary);
        let boundary = user.or_else(|| self.facts.role(&arn).map(|role| &role.boundary));
        match boundary {
            Some(Observed::Value(boundary)) => drop(known.set(KEY, boundary.as_str())),
            Some(Observed::Absent | Observed::NotApplicable(_)) => drop(known.set_absent(KEY)),
            None if fresh => drop(known.set_absent(KEY)),
            Some(Observed::Gap(_)) | None => {}
        }
    }

    /// The request as reports show it, with the statements that settle it.
    pub(crate) fn explain(&self, actor: &Actor, asked: &Asked) -> Request {
        let Asked {
            action,
            resource,
            context,
            ..
        } = asked;
        let (statements, conditions) = self.with_layers(
            actor,
            (action, resource, asked.fresh),
            context,
            |request, layers| {
                let decision = decide(request, layers);
                let explained = policy::explain::explain(request, layers, &decision);
                let residual = match &decision {
                    Decision::Conditional(conditional) => Some(&conditional.residual),
                    Decision::Unknown(unknown) => unknown.residual.as_ref(),
                    _ => None,
                };
                let conditions: Vec<Condition> = residual
                    .and_then(Residual::easiest)
                    .into_iter()
                    .flat_map(|clause| &clause.terms)
                    .map(|term| condition(actor, resource, term))
                    .collect();
                let statements: Vec<Statement> =
                    explained.statements.iter().map(statement).collect();
                (statements, conditions)
            },
        );
        let mut shown = BTreeMap::new();
        for (key, value) in context {
            shown.insert(key.clone(), vec![value.clone()]);
        }
        Request {
            principal: actor.node(),
            action: action.clone(),
            resource: resource.clone(),
            context: shown,
            status: asked.status,
            statements,
            conditions,
            detection: asked.call.unwrap_or_default(),
        }
    }
}

/// The surer of two answers, the first where both are as sure.
pub(super) fn surer(first: Option<Asked>, second: Option<Asked>) -> Option<Asked> {
    let second = second.map(|asked| Asked {
        second: true,
        ..asked
    });
    match (first, second) {
        (Some(first), Some(second)) if second.status < first.status => Some(second),
        (Some(first), _) => Some(first),
        (None, second) => second,
    }
}

/// Calls on a principal whose permissions boundary a condition can ask for.
fn tests_boundary(action: &str) -> bool {
    const CALLS: [&str; 12] = [
        "iam:attachrolepolicy",
        "iam:attachuserpolicy",
        "iam:createrole",
        "iam:createuser",
        "iam:deleterolepermissionsboundary",
        "iam:deleterolepolicy",
        "iam:deleteuserpermissionsboundary",
        "iam:deleteuserpolicy",
        "iam:detachrolepolicy",
        "iam:detachuserpolicy",
        "iam:putrolepolicy",
        "iam:putuserpolicy",
    ];
    CALLS.contains(&action.to_ascii_lowercase().as_str())
}

/// Whether a predicate speaks of the acting principal without naming it.
fn is_implicit(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Not(inner) => is_implicit(inner),
        Predicate::Any(parts) | Predicate::All(parts) => parts.iter().any(is_implicit),
        Predicate::AssumableIfTrusted(_) | Predicate::CodeOn(_) | Predicate::Held(_) => true,
        _ => false,
    }
}

fn condition_row(actor: &Actor, resource: &str, term: &Term) -> &'static str {
    if term.key.eq_ignore_ascii_case("sts:externalid") {
        return "second-factor";
    }
    match term.control {
        Control::Caller => "by-caller",
        Control::OwnTags if actor.mods.contains(&Mod::OwnTags) => "by-caller",
        Control::Inventory
            if term.key.contains("resourcetag/")
                && actor.mods.contains(&Mod::TagsOn(Arn::from(resource))) =>
        {
            "by-caller"
        }
        Control::Mfa => "second-factor",
        Control::Environment => "network",
        Control::OwnTags | Control::Service | Control::IdentityProvider | Control::Inventory => {
            "undecided"
        }
    }
}

fn condition(actor: &Actor, resource: &str, term: &Term) -> Condition {
    Condition {
        key: term.key.clone(),
        requirement: term.to_string(),
        by_caller: condition_row(actor, resource, term) == "by-caller",
    }
}

fn statement(quoted: &policy::explain::Quoted) -> Statement {
    let label = quoted.sid.clone();
    Statement {
        layer: quoted.cite.layer.word().to_owned(),
        policy: quoted.policy.clone(),
        statement: label.unwrap_or_else(|| format!("statement {}", quoted.cite.statement + 1)),
        text: quoted.text.clone(),
    }
}

fn gap(unread: &UnreadPolicy) -> Gap {
    let mut gap = Gap::new(unread.name.clone(), GapKind::NotCollected);
    gap.message.clone_from(&unread.reason);
    gap
}

/// The context a requirement carries; `None` when it names something that is not bound.
pub(crate) fn context_of(
    requirement: &Requirement,
    bindings: &Bindings,
) -> Option<Vec<(String, String)>> {
    let value = |value: &ContextValue| match value {
        ContextValue::Text(text) => Some(text.clone()),
        ContextValue::Ref(reference) => match &reference.selector {
            Selector::Named(name) => Some(name.clone()),
            _ => bindings.get(reference.variable()?).map(Bound::text),
        },
    };
    requirement
        .context
        .iter()
        .map(|(key, of)| Some((key.clone(), value(of)?)))
        .collect()
}
