//! One request to the policy engine: its context, its answer, and what its conditions cost.
//!
//! Answers are kept by the class of who asks.

use std::collections::BTreeSet;

use palisade_model::{Arn, Gap, GapKind, Observed};

use super::Status;
use super::abroad::across;
use super::actor::{Actor, Mod};
use super::judge::Judge;
use super::source::out_of_reach;
use super::weigh::{Detection, Interval};
use crate::policy::{
    self, Context, Control, Decision, Glob, Layers, Residual, Term, UnreadPolicy, decide,
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
    pub(super) fresh: bool,
}

/// Who asks what of which resource, in which context, and whether it is yet to be made.
pub(super) type MemoKey = (u64, String, String, Vec<(String, String)>, bool);

/// What is remembered of an answer.
#[derive(Clone, Debug)]
pub(super) struct Short {
    status: Status,
    factor: Interval,
    gaps: Vec<Gap>,
}

impl Judge<'_> {
    /// Asks one request; `None` when it is denied. What is `fresh` does not exist before the
    /// attacker makes it: it has neither a policy of its own nor a permissions boundary.
    pub(crate) fn ask(
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
        let asked = Asked {
            status,
            factor,
            call,
            gaps,
            action,
            resource,
            context,
            second: false,
            fresh,
        };
        Some(across(actor, asked))
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
        if !comes_through(actor, action) {
            return None;
        }
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
            Decision::Conditional(conditional)
                if conditional
                    .residual
                    .clauses
                    .iter()
                    .all(|clause| clause.terms.iter().any(|term| out_of_reach(context, term)))
                    && !conditional.residual.imprecise =>
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
        if actor.mods.contains(&Mod::Mfa) {
            known.set("aws:MultiFactorAuthPresent", "true");
        }
        known.set("aws:ViaAWSService", "false");
        known.set_absent("aws:CalledVia");
        known.set_absent("aws:CalledViaFirst");
        known.set_absent("aws:CalledViaLast");
        if tests_boundary(action) {
            self.boundary_of(resource, fresh, &mut known);
        }
        self.session_tags_of(actor, (action, resource), &mut known);
        for (key, value) in context {
            known.set(key, value.as_str());
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
