//! Whether what a technique asks holds, and what that costs.

use std::sync::Arc;

use palisade_checks::technique::{Predicate, Requirement, ResourceRef, Selector};

use super::atom::{Atom, What};
use super::bind::{Bindings, Bound, Truth};
use super::solve::Attempt;
use super::way::State;
use super::weigh::Detection;
use super::{Fact, Status};

impl<'p, 'a> Attempt<'p, '_, 'a> {
    /// Whether everything holds; takes in what it costs.
    pub(super) fn all_hold(
        &self,
        atoms: &[&'p Atom<'a>],
        bindings: &Bindings,
        state: &mut State,
    ) -> bool {
        atoms.iter().all(|atom| match atom.what {
            What::Need(requirement) => self.ask(requirement, bindings, state),
            What::Hold(predicate) => self.hold(predicate, &atom.names, bindings, state),
        })
    }

    fn ask(&self, requirement: &'a Requirement, bindings: &Bindings, state: &mut State) -> bool {
        let Some(crew) = self.crew() else {
            return false;
        };
        match self.judge.require(&crew, requirement, bindings) {
            Some(asked) => {
                state.take(asked, self.explain);
                true
            }
            None => false,
        }
    }

    fn hold(
        &self,
        predicate: &'a Predicate,
        names: &[Arc<str>],
        bindings: &Bindings,
        state: &mut State,
    ) -> bool {
        if let Predicate::Different(a, b) = predicate
            && self.crowd
            && [a, b]
                .into_iter()
                .any(|side| side.selector == Selector::SelfRef)
        {
            return true;
        }
        if let Predicate::Held(who) = predicate {
            return self.hold_held(who, bindings, state);
        }
        let truth = self.judge.holds(predicate, names, bindings, self.account);
        self.learn(predicate, &truth, bindings, state)
    }

    /// Takes in what a fact says; false where it rules the way out.
    pub(super) fn learn(
        &self,
        predicate: &Predicate,
        truth: &Truth,
        bindings: &Bindings,
        state: &mut State,
    ) -> bool {
        let status = match truth {
            Truth::No => return false,
            Truth::Yes => Status::Proven,
            Truth::Unknown(gaps) => {
                if self.explain {
                    state.gaps.extend(gaps.iter().cloned());
                }
                Status::Possible
            }
        };
        state.status = state.status.max(status);
        if let Predicate::CredentialIn(..) = predicate {
            // What was found must be tried.
            state.calls.push(Detection::default());
            if self.actor.is_none() {
                state.calls.push(Detection::default());
            }
        }
        if waits(predicate) {
            state.factor.0 = state.factor.0.and(self.judge.step("wait"));
        }
        if self.explain {
            state.facts.push(fact(predicate, bindings, status));
        }
        true
    }

    /// Something the attacker must hold besides: the actor itself, or one other principal.
    fn hold_held(&self, who: &ResourceRef, bindings: &Bindings, state: &mut State) -> bool {
        let bound = who.variable().and_then(|name| bindings.get(name));
        let Some(arn) = bound.and_then(Bound::arn) else {
            return false;
        };
        if self.actor.is_some_and(|actor| actor.arn == *arn) {
            return true;
        }
        if self.helper.is_some_and(|helper| helper.arn == *arn) {
            state.helped = true;
            return true;
        }
        if state.also.as_ref().is_some_and(|other| other != arn) {
            return false;
        }
        state.also = Some(arn.clone());
        true
    }
}

/// Whether the fact means that somebody else must act first.
fn waits(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Triggered(..) => true,
        Predicate::Any(parts) | Predicate::All(parts) => parts.iter().any(waits),
        _ => false,
    }
}

fn fact(predicate: &Predicate, bindings: &Bindings, status: Status) -> Fact {
    let mut text = predicate.to_string();
    let mut resource = None;
    for reference in predicate.references() {
        let bound = reference
            .variable()
            .and_then(|name| bindings.get(name).map(|b| (name, b)));
        if let Some((name, bound)) = bound {
            text = text.replace(&format!("${name}"), &bound.text());
            resource = resource.or_else(|| bound.arn().cloned());
        }
    }
    Fact {
        text,
        resource,
        status,
    }
}
