//! One request to the policy engine: its context, its answer, and what its conditions cost.
//!
//! Answers are kept by the class of who asks.

use std::collections::BTreeSet;
use std::rc::Rc;

use palisade_checks::technique::{ContextValue, Requirement};
use palisade_model::{Arn, Gap, GapKind, Observed, actions};
use rustc_hash::FxHashMap;

use super::Status;
use super::abroad::across;
use super::actor::{Actor, Mod};
use super::bind::Bindings;
use super::judge::{Judge, context_of};
use super::source::out_of_reach;
use super::weigh::{Detection, Interval};
use crate::policy::{
    self, Comparison, Context, Control, Decision, Glob, Layers, Residual, SetOperator, Term,
    UnreadPolicy, decide,
};

/// A request without who sends it and what it is about.
#[derive(Debug)]
pub(crate) struct Call {
    /// Equal for equal calls.
    number: u32,
    pub(crate) action: String,
    pub(crate) context: Vec<(String, String)>,
    /// Its place among the actions of all techniques.
    place: Option<usize>,
    /// Whether it is checked against a resource, and not against `*`.
    pub(super) takes_resource: bool,
    /// A permission that is checked in passing.
    silent: bool,
}

/// The answer to one request that goes through, or may.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) status: Status,
    /// What the conditions cost.
    pub(crate) factor: Interval,
    /// Who notices; `None` for permissions that are checked in passing and are no call.
    pub(crate) heard: Option<Detection>,
    pub(crate) gaps: Rc<[Gap]>,
    pub(crate) call: Rc<Call>,
    pub(crate) resource: Arn,
    /// Whether the second principal of a crew sends it.
    pub(crate) second: bool,
    /// Whether the resource does not exist yet.
    pub(super) fresh: bool,
}

/// Who sends which call about which resource, and whether that is yet to be made.
type MemoKey = (u64, u32, Arn, bool);

/// An action, and the context it is sent with.
type Sent = (String, Vec<(String, String)>);

/// What has been asked so far.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Calls by what they are, and by the requirement that asks for them where that says all.
    calls: FxHashMap<Sent, Rc<Call>>,
    by_requirement: FxHashMap<usize, Rc<Call>>,
    answers: FxHashMap<MemoKey, Option<Short>>,
    heard: FxHashMap<(u32, String, String), Detection>,
}

/// What is remembered of an answer.
#[derive(Clone, Debug)]
struct Short {
    status: Status,
    factor: Interval,
    heard: Option<Detection>,
    gaps: Rc<[Gap]>,
}

impl Judge<'_> {
    /// The call a requirement asks for; `None` when its context names something that is not
    /// bound.
    pub(crate) fn call_of(
        &self,
        requirement: &Requirement,
        bindings: &Bindings,
    ) -> Option<Rc<Call>> {
        let address = std::ptr::from_ref(requirement) as usize;
        if let Some(known) = self.memory.borrow().by_requirement.get(&address) {
            return Some(Rc::clone(known));
        }
        let call = self.call(&requirement.action, context_of(requirement, bindings)?);
        let fixed = requirement
            .context
            .iter()
            .all(|(_, value)| matches!(value, ContextValue::Text(_)));
        if fixed {
            let mut memory = self.memory.borrow_mut();
            memory.by_requirement.insert(address, Rc::clone(&call));
        }
        Some(call)
    }

    /// The call of an action with a context.
    pub(crate) fn call(&self, action: &str, context: Vec<(String, String)>) -> Rc<Call> {
        let mut memory = self.memory.borrow_mut();
        let number = memory.calls.len() as u32;
        let call = memory
            .calls
            .entry((action.to_owned(), context))
            .or_insert_with_key(|(action, context)| {
                Rc::new(Call {
                    number,
                    action: action.clone(),
                    context: context.clone(),
                    place: self
                        .numbered
                        .get()
                        .and_then(|all| all.binary_search(&action.to_ascii_lowercase()).ok()),
                    takes_resource: actions()
                        .find(action)
                        .is_some_and(|action| action.takes_resource()),
                    silent: action.eq_ignore_ascii_case("iam:PassRole"),
                })
            });
        Rc::clone(call)
    }

    /// Sends one call; `None` when it is denied. What is `fresh` does not exist before the
    /// attacker makes it: it has neither a policy of its own nor a permissions boundary.
    pub(crate) fn ask(
        &self,
        actor: &Actor,
        call: Rc<Call>,
        resource: Arn,
        fresh: bool,
    ) -> Option<Asked> {
        let key = (actor.class, call.number, resource, fresh);
        let known = self.memory.borrow().answers.get(&key).cloned();
        let short = match known {
            Some(short) => short,
            None => {
                let short = match self.is_sure(actor, &call, &key.2) {
                    true => Some(Short {
                        status: Status::Proven,
                        factor: Interval::ONE,
                        heard: self.heard(&call, actor.arn.account(), key.2.as_str()),
                        gaps: Rc::default(),
                    }),
                    false => self.decide(actor, &call, key.2.as_str(), fresh),
                };
                let mut memory = self.memory.borrow_mut();
                memory.answers.insert(key.clone(), short.clone());
                short
            }
        };
        let short = short?;
        let asked = Asked {
            status: short.status,
            factor: short.factor,
            heard: short.heard,
            gaps: short.gaps,
            call,
            resource: key.2,
            second: false,
            fresh,
        };
        Some(across(actor, asked))
    }

    /// Whether an actor is allowed an action on every user, role and policy of its account: then
    /// nobody has to be asked about each of them. Other resources may have policies of their own.
    fn is_sure(&self, actor: &Actor, call: &Call, resource: &Arn) -> bool {
        resource.service() == "iam"
            && resource.account() == actor.arn.account()
            && call.place.is_some_and(|place| {
                let sure = self.sure.borrow();
                sure.get(&actor.class)
                    .is_some_and(|sure| sure.contains(place))
            })
    }

    /// Forgets what was asked.
    pub(crate) fn forget(&self) {
        self.memory.borrow_mut().answers.clear();
        self.sure.borrow_mut().clear();
        self.truths.borrow_mut().clear();
        self.sifted.borrow_mut().clear();
        self.lists.borrow_mut().clear();
        self.fresh.borrow_mut().clear();
        self.named.borrow_mut().clear();
        self.spoken.borrow_mut().clear();
    }

    /// Who notices a call; a resource that stands in a region fixes the region.
    fn heard(&self, call: &Call, account: &str, resource: &str) -> Option<Detection> {
        if call.silent {
            return None;
        }
        let region = resource.split(':').nth(3).unwrap_or_default();
        let key = (call.number, account.to_owned(), region.to_owned());
        if let Some(known) = self.memory.borrow().heard.get(&key) {
            return Some(*known);
        }
        let heard = self.detects.detection(&call.action, account, region);
        self.memory.borrow_mut().heard.insert(key, heard);
        Some(heard)
    }

    fn decide(&self, actor: &Actor, call: &Call, resource: &str, fresh: bool) -> Option<Short> {
        if !comes_through(actor, &call.action) {
            return None;
        }
        let asked = (call.action.as_str(), resource, fresh);
        let decision = self.with_layers(actor, asked, &call.context, decide);
        let heard = || self.heard(call, actor.arn.account(), resource);
        let proven = |status, factor| Short {
            status,
            factor,
            heard: heard(),
            gaps: Rc::default(),
        };
        Some(match decision {
            Decision::Allowed(_) => proven(Status::Proven, Interval::ONE),
            Decision::Denied(_) => return None,
            Decision::Conditional(conditional)
                if conditional.residual.clauses.iter().all(|clause| {
                    clause.terms.iter().any(|term| {
                        out_of_reach(&call.context, term)
                            || self.cannot_bear(actor, term)
                            || is_of_sessions(actor, term)
                    })
                }) && !conditional.residual.imprecise =>
            {
                return None;
            }
            Decision::Conditional(conditional) => proven(
                Status::Conditional,
                self.price(actor, resource, &conditional.residual),
            ),
            Decision::Unknown(unknown) => Short {
                status: Status::Possible,
                factor: unknown.residual.map_or(Interval::ONE, |residual| {
                    self.price(actor, resource, &residual)
                }),
                heard: heard(),
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
    pub(super) fn with_layers<T>(
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
        self.second_factor_of(actor, &mut known);
        known.set("aws:ViaAWSService", "false");
        known.set_absent("aws:CalledVia");
        known.set_absent("aws:CalledViaFirst");
        known.set_absent("aws:CalledViaLast");
        if tests_boundary(action) {
            self.boundary_of(resource, fresh, &mut known);
        }
        self.session_tags_of(actor, (action, resource), &mut known);
        if fresh {
            self.fresh_tags_of(actor, (action, resource), &mut known);
        }
        // A key that stands there more than once holds all of its values.
        for (key, value) in context {
            let all = context.iter().filter(|(other, _)| other == key);
            match all.clone().nth(1) {
                None => known.set(key, value.as_str()),
                Some(_) => known.set_all(key, all.map(|(_, value)| value.as_str())),
            };
        }
        let own = (&*actor.identity, actor.boundary.as_deref());
        let asked = (action, resource);
        let caller = self.caller(actor, asked);
        self.engine
            .suppose(caller.as_str(), own, asked, &known, |request, layers| {
                let nothing = fresh && layers.resource.is_some();
                let free = actor.mods.contains(&Mod::NoGuardrails);
                let home = Arn::from(resource);
                let own = home.account().is_empty() || home.account() == actor.arn.account();
                let layers = Layers {
                    resource: layers.resource.filter(|_| !nothing),
                    scps: layers.scps.filter(|_| !free),
                    rcps: if free && own { &[] } else { layers.rcps },
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
}

/// Whether a condition asks a user for what only sessions of roles have.
///
/// Source: "AWS global condition context keys", IAM User Guide, and "Condition keys for AWS Lambda",
/// 2026-11: these are set for requests signed with the role of a function or an instance, or for a
/// session that an identity provider vouched for.
fn is_of_sessions(actor: &Actor, term: &Term) -> bool {
    const KEYS: [&str; 6] = [
        "aws:ec2instancesourceprivateipv4",
        "aws:ec2instancesourcevpc",
        "aws:federatedprovider",
        "aws:sourceidentity",
        "ec2:sourceinstancearn",
        "lambda:sourcefunctionarn",
    ];
    let plain =
        !term.operator.negated && !term.operator.if_exists && term.operator.set != SetOperator::All;
    let asks = match term.operator.comparison {
        Comparison::Null => {
            term.values.iter().all(|v| v.eq_ignore_ascii_case("false")) != term.operator.negated
        }
        _ => plain,
    };
    actor.is_user() && asks && KEYS.contains(&term.key.as_str())
}

/// Whether what stands between lets an action through. The session of a root user is held by its
/// task alone: no policy of its own holds it.
fn comes_through(actor: &Actor, action: &str) -> bool {
    let fits = |pattern: &String| {
        Glob::new(&pattern.to_ascii_lowercase()).matches(&action.to_ascii_lowercase())
    };
    actor.mods.iter().all(|change| match change {
        Mod::Only(actions) => actions.iter().any(fits),
        _ => true,
    })
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

/// The row of the step weights that says how easily a condition is met.
pub(super) fn condition_row(actor: &Actor, resource: &str, term: &Term) -> &'static str {
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

fn gap(unread: &UnreadPolicy) -> Gap {
    let mut gap = Gap::new(unread.name.clone(), GapKind::NotCollected);
    gap.message.clone_from(&unread.reason);
    gap
}
