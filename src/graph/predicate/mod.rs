//! Answers the typed questions of techniques from the snapshot.
//!
//! Each answer is yes, no or unknown with the reads that are missing; what could not be read is
//! never a no. What a question means, which facts it reads and when it is unknown stands in
//! `checks/SCHEMA.md`. Questions about requests go through [`Asks`] to the policy engine.

mod asks;
mod attribute;
mod compare;
mod credential;
mod grant;
mod identity;
mod look;
mod organization;
mod trust;
mod workload;

use palisade_checks::technique::{Predicate, Requirement, ResourceRef, Selector, Test};
use palisade_model::{Arn, Gap, GapKind, Observed};

use super::bind::{Bindings, Bound, Truth};
use crate::policy::document::Statement;

pub(crate) use look::Look;
pub(in crate::graph) use trust::same_service;

/// What questions need besides the snapshot.
pub(crate) trait Asks {
    /// Whether a principal of the snapshot is allowed a request.
    fn may(&self, who: &Arn, what: &Requirement, bindings: &Bindings) -> Truth;

    /// Whether `who` could assume the role, were it named in the role's trust policy.
    fn assumable_if_trusted(&self, who: &Arn, role: &Arn) -> Truth;

    /// Whether somebody outside could enter the role by a call, were he named in its trust policy.
    fn enterable(&self, call: &str, role: &Arn) -> Truth;

    /// Whether `who` may start an instance with a profile of the role, as far as conditions on the
    /// profile decide it.
    fn launchable_with(&self, _who: &Arn, _role: &Arn) -> Truth {
        Truth::Yes
    }

    /// Whether the action on the resource is open to everybody.
    fn public(&self, resource: &Arn, action: &str) -> Truth;

    /// Whether the resource's policy lets this account, which is not ours, use the action.
    fn open_to(&self, resource: &Arn, account: &str, action: &str) -> Truth;

    /// Whether somebody outside is denied a role whatever the trust policy allows: by an RCP above
    /// the role, or by a Deny of the trust policy that meets him.
    fn keeps_out(&self, _outsider: &str, _action: &str, _role: &Arn) -> bool {
        false
    }

    /// Denies of the organization that bear on an action on the role.
    fn refusals(&self, _action: &str, _role: &Arn) -> Vec<Statement> {
        Vec::new()
    }

    /// Whether the configuration names the account as one of ours or of a partner.
    fn is_known_account(&self, _account: &str) -> bool {
        false
    }
}

/// One question being answered.
pub(crate) struct Question<'q, 'a> {
    pub(crate) look: &'q Look<'a>,
    pub(crate) asks: &'q dyn Asks,
    pub(crate) bindings: &'q Bindings,
    /// The account in which things are looked for.
    pub(crate) account: &'q str,
}

/// Answers one predicate.
pub(crate) fn evaluate(predicate: &Predicate, question: &Question<'_, '_>) -> Truth {
    question.answer(predicate)
}

impl<'a> Question<'_, 'a> {
    fn answer(&self, predicate: &Predicate) -> Truth {
        use Predicate as P;
        if let Some(gap) = self.unseen(predicate) {
            return match self.rules_out(predicate, gap) {
                true => Truth::No,
                false => Truth::gap(gap),
            };
        }
        match predicate {
            P::Not(inner) => self.answer(inner).negate(),
            P::Any(parts) => parts
                .iter()
                .fold(Truth::No, |any, part| any.or(self.answer(part))),
            P::All(parts) => parts
                .iter()
                .fold(Truth::Yes, |all, part| all.and(self.answer(part))),
            P::Exists(what, filter) => self.exists(what, filter),
            P::Attribute(of, path, test) => self.attribute(of, path, test),
            P::May(who, what) => self.known(who, |who| self.asks.may(who, what, self.bindings)),
            // Whoever holds the instance's role has it from the instance.
            P::CodeOn(what) => self.known(what, |arn| match self.look.resource(arn) {
                Some(instance) => observed(&instance.role, Truth::No, |role| {
                    (self.bindings.get("self").and_then(Bound::arn) == Some(role)).into()
                }),
                None => open(format!("the role of {arn}")),
            }),
            P::LaunchableWith(role) => match self.bindings.get("self").and_then(Bound::arn) {
                Some(who) => self.known(role, |role| self.asks.launchable_with(who, role)),
                None => Truth::Yes,
            },
            // What is held is a matter of the graph, which asks itself.
            P::Held(what) => self.known(what, |arn| {
                (self.bindings.get("self").and_then(Bound::arn) == Some(arn)).into()
            }),
            P::Public(what, action) => self.known(what, |arn| self.asks.public(arn, action)),
            P::OpenTo(what, whom, action) => self.known(what, |arn| match self.account_of(whom) {
                Some(account) => self.asks.open_to(arn, &account, action),
                None => unbound(whom),
            }),
            _ => self
                .identity(predicate)
                .or_else(|| self.trust(predicate))
                .or_else(|| self.grant(predicate))
                .or_else(|| self.workload(predicate))
                .or_else(|| self.organization(predicate))
                .unwrap_or_else(|| open(predicate.to_string())),
        }
    }

    /// The missing listing behind a variable that stands for something unread. What holds for
    /// every resource of its kind is still known: a principal differs from itself nowhere.
    fn unseen(&self, predicate: &Predicate) -> Option<&Gap> {
        if matches!(
            predicate,
            Predicate::Not(_) | Predicate::Any(_) | Predicate::All(_)
        ) {
            return None;
        }
        // What a principal may do to something nobody listed hangs on its own policies first.
        if let Predicate::May(who, _) = predicate
            && matches!(self.bound(who), Some(Bound::Known(_)))
        {
            return None;
        }
        predicate.references().into_iter().find_map(|reference| {
            match self.bindings.get(reference.variable()?)? {
                Bound::Unseen { gap, .. } => Some(&**gap),
                _ => None,
            }
        })
    }

    /// Whether what is known answers a question about something unseen: a resource runs as a role
    /// that trusts its service alone, and what may lie in places nobody listed was not asked for.
    fn rules_out(&self, predicate: &Predicate, gap: &Gap) -> bool {
        match predicate {
            Predicate::CredentialIn(..) => gap.kind == GapKind::NotCollected,
            // A task wears a role that trusts tasks.
            Predicate::RunsWith(on, role) => {
                let service = on.kind.resource_type().map(|(service, _)| service);
                match self.bound(role).as_ref().and_then(Bound::arn) {
                    Some(role) if service == Some("ecs") => self.never_trusts(role, "ecs-tasks"),
                    _ => false,
                }
            }
            Predicate::Attribute(of, path, Test::Names(to)) if path == "role" => {
                let service = of.kind.resource_type().map(|(service, _)| service);
                let role = self.bound(to);
                let role = role.as_ref().and_then(Bound::arn);
                match (service, role) {
                    (Some(service), Some(role)) => self.never_trusts(role, service),
                    _ => false,
                }
            }
            _ => false,
        }
    }

    /// What a reference stands for.
    fn bound(&self, reference: &ResourceRef) -> Option<Bound> {
        match &reference.selector {
            Selector::Named(name) if name.starts_with("arn:") => {
                Some(Bound::Known(self.look.in_partition(name)))
            }
            Selector::Any | Selector::Named(_) => None,
            _ => {
                let name = reference.variable()?;
                let found = self.bindings.get(name).cloned();
                found.or_else(|| {
                    (name == "account").then(|| Bound::Account(self.account.to_owned()))
                })
            }
        }
    }

    /// Asks about something that has an ARN.
    fn known(&self, reference: &ResourceRef, ask: impl FnOnce(&Arn) -> Truth) -> Truth {
        match self.bound(reference).as_ref().and_then(Bound::arn) {
            Some(arn) => ask(arn),
            None => unbound(reference),
        }
    }

    /// Asks about two things that have ARNs.
    fn both(
        &self,
        a: &ResourceRef,
        b: &ResourceRef,
        ask: impl FnOnce(&Arn, &Arn) -> Truth,
    ) -> Truth {
        self.known(a, |a| self.known(b, |b| ask(a, b)))
    }

    /// The account a reference means.
    fn account_of(&self, reference: &ResourceRef) -> Option<String> {
        match self.bound(reference)? {
            Bound::Account(id) => Some(id),
            Bound::Known(arn) | Bound::New(arn) => Some(arn.account().to_owned()),
            _ => None,
        }
    }

    /// The same question with one more variable bound.
    fn with<T>(&self, name: &str, bound: Bound, ask: impl FnOnce(&Question<'_, 'a>) -> T) -> T {
        let mut bindings = self.bindings.clone();
        bindings.insert(name, bound);
        ask(&Question {
            look: self.look,
            asks: self.asks,
            bindings: &bindings,
            account: self.account,
        })
    }
}

/// A question whose variable stands for nothing yet.
fn unbound(reference: &ResourceRef) -> Truth {
    open(format!("what `{reference}` stands for"))
}

/// An answer nobody has read.
fn open(what: impl Into<String>) -> Truth {
    Truth::gap(&Gap::new(what, GapKind::NotCollected))
}

/// What an observed fact says of a question about its value; absence is `none`.
fn observed<T>(fact: &Observed<T>, none: Truth, ask: impl FnOnce(&T) -> Truth) -> Truth {
    match fact {
        Observed::Value(value) => ask(value),
        Observed::Absent | Observed::NotApplicable(_) => none,
        Observed::Gap(gap) => Truth::gap(gap),
    }
}

/// Whether `*` and `?` patterns match, without regard to case.
fn glob(pattern: &str, text: &str) -> bool {
    let glob = crate::policy::Glob::new(&pattern.to_ascii_lowercase());
    glob.matches(&text.to_ascii_lowercase())
}
