//! Tries a technique: finds what its variables can stand for so that everything it asks holds.
//!
//! A search with backing up: whatever can be asked is asked first, and only then is the variable
//! with the fewest candidates bound. Of the ways that gain the same, the best of each degree of
//! certainty is kept.

use std::collections::BTreeMap;

use palisade_checks::technique::{
    Predicate, Requirement, ResourceRef, Selector, Speed, WeightHint,
};
use palisade_model::Gap;

use super::actor::{Actor, Crew};
use super::ask::Asked;
use super::bind::{Bindings, Bound, Truth};
use super::judge::Judge;
use super::plan::{Atom, Plan};
use super::weigh::{Detection, Interval};
use super::{Fact, Status};

/// One way a technique works out.
#[derive(Clone, Debug)]
pub(crate) struct Solution {
    pub(crate) bindings: Bindings,
    /// The option taken in each group.
    pub(crate) options: Vec<usize>,
    pub(crate) state: State,
}

/// What has been established so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) status: Status,
    /// Conditions and waiting, without the calls.
    pub(crate) factor: Factor,
    /// Who notices each call.
    pub(crate) calls: Vec<Detection>,
    /// Requests and facts, where they are to be explained.
    pub(crate) asked: Vec<Asked>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) gaps: Vec<Gap>,
    /// A principal that must be in hand besides.
    pub(crate) also: Option<palisade_model::Arn>,
    /// Whether the second principal had to send something.
    pub(crate) helped: bool,
}

/// An [`Interval`] that begins at one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Factor(pub(crate) Interval);

impl Default for Factor {
    fn default() -> Self {
        Factor(Interval::ONE)
    }
}

impl State {
    /// Takes in the answer to a request.
    fn take(&mut self, asked: Asked, explain: bool) {
        self.status = self.status.max(asked.status);
        self.helped |= asked.second;
        self.factor.0 = self.factor.0.and(asked.factor);
        self.calls.extend(asked.call);
        if explain {
            self.gaps.extend(asked.gaps.iter().cloned());
            self.asked.push(asked);
        }
    }

    /// Whether it needs nobody in hand whom the other does not need as well.
    fn asks_no_more_than(&self, other: &State) -> bool {
        (self.also.is_none() || self.also == other.also) && (!self.helped || other.helped)
    }

    /// How good it is for the attacker: the upper end, calls counted.
    pub(crate) fn worth(&self, judge: &Judge<'_>) -> u32 {
        let call = judge.weights.step["call"].1;
        self.calls
            .iter()
            .fold(self.factor.0.hi, |w, _| super::weigh::scale(w, call))
    }
}

/// A technique being tried by one actor, or by nobody in particular.
pub(crate) struct Attempt<'p, 'j, 'a> {
    pub(crate) plan: &'p Plan<'a>,
    pub(crate) judge: &'j Judge<'a>,
    /// Who tries; `None` for steps that begin outside.
    pub(crate) actor: Option<&'p Actor>,
    /// A second principal in the same hand.
    pub(crate) helper: Option<&'p Actor>,
    /// The account in which things are looked for.
    pub(crate) account: &'p str,
    /// Whether requests and facts are to be kept.
    pub(crate) explain: bool,
    /// Whether the actor stands for others too: then nobody is ruled out for being himself.
    pub(crate) crowd: bool,
    /// What was found, by what it gains.
    pub(crate) found: BTreeMap<String, Vec<Solution>>,
}

/// Where a walk goes once everything asked holds.
#[derive(Clone, Copy)]
enum Then {
    /// On to this group.
    Group(usize),
    /// Nowhere: the states are collected.
    Collect,
}

struct Step<'s, 'a> {
    atoms: Vec<Atom<'a>>,
    then: Then,
    options: &'s [usize],
    /// Permissions on resources that do not exist yet, asked together at the end.
    new: Vec<&'a Requirement>,
}

impl<'a> Attempt<'_, '_, 'a> {
    /// Every best way, with `given` bound from the start.
    pub(crate) fn run(mut self, mut given: Bindings) -> BTreeMap<String, Vec<Solution>> {
        // `account:$account` is the account under evaluation.
        given
            .entry("account".to_owned())
            .or_insert_with(|| Bound::Account(self.account.to_owned()));
        let mut state = State::default();
        if self.plan.technique.unread.is_some() {
            state.status = Status::Possible;
        }
        if self.plan.technique.speed == Speed::WaitForTrigger {
            state.factor.0 = state.factor.0.and(self.judge.step("wait"));
        }
        let step = Step {
            atoms: self.plan.atoms.clone(),
            then: Then::Group(0),
            options: &[],
            new: Vec::new(),
        };
        self.walk(step, given, state, &mut Vec::new());
        self.found
    }

    fn walk(
        &mut self,
        mut step: Step<'_, 'a>,
        bindings: Bindings,
        mut state: State,
        collected: &mut Vec<(Bindings, State, Vec<&'a Requirement>)>,
    ) {
        while let Some(at) = step
            .atoms
            .iter()
            .position(|atom| is_ready(*atom, &bindings))
        {
            match step.atoms.remove(at) {
                Atom::Need(requirement) => {
                    if let Selector::New(_) = requirement.on.selector {
                        step.new.push(requirement);
                    } else if !self.ask(requirement, &bindings, &mut state) {
                        return;
                    }
                }
                Atom::Hold(predicate) => {
                    if !self.hold(predicate, &bindings, &mut state) {
                        return;
                    }
                }
            }
        }
        if let Some((name, candidates)) = self.choose(&step.atoms, &bindings) {
            for candidate in candidates {
                let mut bindings = bindings.clone();
                bindings.insert(name.clone(), candidate);
                let step = Step {
                    atoms: step.atoms.clone(),
                    then: step.then,
                    options: step.options,
                    new: step.new.clone(),
                };
                self.walk(step, bindings, state.clone(), collected);
            }
            return;
        }
        match step.then {
            Then::Collect => collected.push((bindings, state, step.new)),
            Then::Group(at) if at == self.plan.groups.len() => {
                self.finish(bindings, state, step.options, &step.new);
            }
            Then::Group(at) => self.group(at, step, &bindings, &state),
        }
    }

    /// Tries the options of a group: together with what follows where they share a variable,
    /// else each for itself, and only the best of each certainty goes on.
    fn group(&mut self, at: usize, step: Step<'_, 'a>, bindings: &Bindings, state: &State) {
        let group = &self.plan.groups[at];
        if group.tied {
            for (number, option) in &group.options {
                let mut options = step.options.to_vec();
                options.push(*number);
                let next = Step {
                    atoms: option.clone(),
                    then: Then::Group(at + 1),
                    options: &options,
                    new: step.new.clone(),
                };
                let state = self.weighed(at, *number, state);
                self.walk(next, bindings.clone(), state, &mut Vec::new());
            }
            return;
        }
        let mut best: Vec<(usize, Bindings, State, Vec<&'a Requirement>)> = Vec::new();
        for (number, option) in &group.options {
            let number = *number;
            let mut collected = Vec::new();
            let alone = Step {
                atoms: option.clone(),
                then: Then::Collect,
                options: &[],
                new: step.new.clone(),
            };
            let weighed = self.weighed(at, number, state);
            self.walk(alone, bindings.clone(), weighed, &mut collected);
            for (bindings, state, new) in collected {
                // What asks for new resources alone is not asked before the end: an option
                // nobody may take must not stand in the way of one that works.
                if !self.can_be_named(&new, &bindings) {
                    continue;
                }
                let worth = state.worth(self.judge);
                let beaten = best.iter().any(|(_, _, other, _)| {
                    other.asks_no_more_than(&state)
                        && other.status <= state.status
                        && other.worth(self.judge) >= worth
                });
                if !beaten {
                    best.retain(|(_, _, other, _)| {
                        !state.asks_no_more_than(other)
                            || other.status < state.status
                            || other.worth(self.judge) > worth
                    });
                    best.push((number, bindings, state, new));
                }
            }
        }
        for (number, bindings, state, new) in best {
            let mut options = step.options.to_vec();
            options.push(number);
            let next = Step {
                atoms: Vec::new(),
                then: Then::Group(at + 1),
                options: &options,
                new,
            };
            self.walk(next, bindings, state, &mut Vec::new());
        }
    }

    /// The state under an option, which may be less likely than an ordinary call.
    fn weighed(&self, group: usize, option: usize, state: &State) -> State {
        let group = self.plan.technique.any_of.get(group);
        let taken = group.and_then(|group| group.options.get(option));
        let mut state = state.clone();
        match taken.and_then(|option| option.weight) {
            Some(WeightHint::Guess) => {
                state.factor.0 = state.factor.0.and(self.judge.step("guess"));
            }
            Some(WeightHint::SecondFactor) => {
                state.factor.0 = state.factor.0.and(self.judge.step("second-factor"));
                state.status = state.status.max(Status::Conditional);
            }
            None => {}
        }
        state
    }

    /// Whether every resource that does not exist yet finds a name.
    fn can_be_named(&self, new: &[&'a Requirement], bindings: &Bindings) -> bool {
        let mut by_name: BTreeMap<&str, Vec<&Requirement>> = BTreeMap::new();
        for requirement in new {
            let name = requirement.on.variable().unwrap_or_default();
            by_name.entry(name).or_default().push(requirement);
        }
        by_name.values().all(|requirements| {
            self.crew().is_some_and(|crew| {
                let named = self.judge.new_resource(&crew, requirements, bindings);
                named.is_some()
            })
        })
    }

    /// Who may send what.
    fn crew(&self) -> Option<Crew<'_>> {
        Some(Crew {
            first: self.actor?,
            second: self.helper,
            shared: &self.plan.shared,
        })
    }

    /// Settles the names of what does not exist yet, and keeps the result if none is better.
    fn finish(
        &mut self,
        mut bindings: Bindings,
        mut state: State,
        options: &[usize],
        new: &[&'a Requirement],
    ) {
        let mut by_name: BTreeMap<&str, Vec<&Requirement>> = BTreeMap::new();
        for requirement in new {
            by_name
                .entry(requirement.on.variable().unwrap_or_default())
                .or_default()
                .push(requirement);
        }
        for (name, requirements) in by_name {
            let Some(crew) = self.crew() else { return };
            let named = self.judge.new_resource(&crew, &requirements, &bindings);
            let Some((arn, answers)) = named else { return };
            bindings.insert(name.to_owned(), Bound::New(arn));
            for asked in answers {
                state.take(asked, self.explain);
            }
        }
        let goal = self
            .plan
            .goal(options)
            .and_then(ResourceRef::variable)
            .unwrap_or_default();
        let gain = self
            .plan
            .gain_reference(options)
            .and_then(ResourceRef::variable)
            .unwrap_or_default();
        let text = |name: &str| bindings.get(name).map(Bound::text).unwrap_or_default();
        let (_, kind) = self.plan.outcome(options);
        let key = format!("{}|{}|{kind:?}", text(goal), text(gain));
        let worth = state.worth(self.judge);
        let known = self.found.entry(key).or_default();
        let beaten = known.iter().any(|other| {
            other.state.asks_no_more_than(&state)
                && other.state.status <= state.status
                && other.state.worth(self.judge) >= worth
        });
        if !beaten {
            known.retain(|other| {
                !state.asks_no_more_than(&other.state)
                    || other.state.status < state.status
                    || other.state.worth(self.judge) > worth
            });
            known.push(Solution {
                bindings,
                options: options.to_vec(),
                state,
            });
        }
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

    fn hold(&self, predicate: &'a Predicate, bindings: &Bindings, state: &mut State) -> bool {
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
        let truth = self.judge.holds(predicate, bindings, self.account);
        let status = match &truth {
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

    /// The open variable with the fewest candidates.
    fn choose(&self, atoms: &[Atom<'a>], bindings: &Bindings) -> Option<(String, Vec<Bound>)> {
        let mut names: Vec<&str> = atoms
            .iter()
            .flat_map(|atom| atom.needs())
            .filter(|name| !bindings.contains_key(*name))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
            .into_iter()
            .map(|name| (name, self.judge.candidates(self, name, atoms, bindings)))
            .min_by_key(|(_, choice)| choice.len())
            .map(|(name, choice)| {
                (
                    name.to_owned(),
                    self.judge.open(choice, self.account, atoms, name),
                )
            })
    }
}

fn is_ready(atom: Atom<'_>, bindings: &Bindings) -> bool {
    atom.needs().iter().all(|name| bindings.contains_key(*name))
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
