//! Tries a technique: finds what its variables can stand for so that everything it asks holds.
//!
//! A search with backing up: whatever can be asked is asked first, and only then is the variable
//! with the fewest candidates bound. Candidates that nothing later speaks of and that cost the same
//! go on together, as one set: so a thousand roles that may be passed alike are one walk. Of the
//! ways that gain the same, the best of each degree of certainty is kept.

use std::rc::Rc;
use std::sync::Arc;

use palisade_checks::technique::{Requirement, ResourceRef, Speed, WeightHint};

use super::Status;
use super::actor::{Actor, Crew};
use super::atom::{Atom, Mask, What};
use super::bind::{Bindings, Bound};
use super::choose::Choice;
use super::fresh::waits_for_name;
use super::judge::Judge;
use super::plan::Plan;
use super::way::{Found, Solution, State, wins};

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
    /// Of each choice the options that are worth trying, a bit each; all where nobody said.
    pub(crate) open: Option<&'p [u64]>,
    /// Whether the actor stands for others too: then nobody is ruled out for being himself.
    pub(crate) crowd: bool,
}

/// Where a walk goes once everything asked holds.
#[derive(Clone, Copy)]
enum Then {
    /// On to this group.
    Group(usize),
    /// Nowhere: the states are collected.
    Collect,
}

/// Where a walk stands: what is still to be asked, and what comes after.
#[derive(Clone)]
struct Step<'s, 'p, 'a> {
    atoms: Vec<&'p Atom<'a>>,
    then: Then,
    /// The first group that comes after, whichever way it goes.
    next: usize,
    /// The group and option it is in, counted from one.
    place: (usize, usize),
    options: &'s [usize],
    /// What is asked of resources that do not exist yet, or with them in the context: asked
    /// together at the end.
    new: Vec<&'a Requirement>,
}

impl<'p, 'a> Step<'_, 'p, 'a> {
    /// Takes out what can be asked.
    fn take_ready(&mut self, bound: Mask) -> Vec<&'p Atom<'a>> {
        let mut ready = Vec::new();
        self.atoms.retain(|atom| {
            let now = atom.is_ready(bound);
            if now {
                ready.push(*atom);
            }
            !now
        });
        ready
    }

    /// Moves what waits for the name of a new resource to the end; true where that speaks of a
    /// variable.
    fn put_off(&mut self, ready: &mut Vec<&'p Atom<'a>>, of: Mask) -> bool {
        let mut speaks = false;
        ready.retain(|atom| match atom.what {
            What::Need(requirement) if waits_for_name(requirement) => {
                speaks |= atom.mentions & of != 0;
                self.new.push(requirement);
                false
            }
            _ => true,
        });
        speaks
    }
}

/// What variables stand for.
#[derive(Clone, Default)]
struct Held {
    bindings: Bindings,
    bound: Mask,
    /// Variables that stand for any of several, and what those are.
    sets: Vec<(Arc<str>, Rc<[Bound]>)>,
}

/// Where walks through one option end.
type Collected<'a> = Vec<(Held, State, Vec<&'a Requirement>)>;

impl<'p, 'j, 'a> Attempt<'p, 'j, 'a> {
    /// Every best way, with `given` bound from the start.
    pub(crate) fn run(self, given: Bindings) -> Found {
        let mut trial = Trial {
            attempt: self,
            found: Found::new(),
        };
        trial.start(given);
        trial.found
    }

    /// Who may send what.
    pub(super) fn crew(&self) -> Option<Crew<'_>> {
        Some(Crew {
            first: self.actor?,
            second: self.helper,
            shared: &self.plan.shared,
        })
    }
}

/// An attempt under way, and what it has found.
struct Trial<'p, 'j, 'a> {
    attempt: Attempt<'p, 'j, 'a>,
    found: Found,
}

impl<'p, 'j, 'a> std::ops::Deref for Trial<'p, 'j, 'a> {
    type Target = Attempt<'p, 'j, 'a>;

    fn deref(&self) -> &Self::Target {
        &self.attempt
    }
}

impl<'p, 'a> Trial<'p, '_, 'a> {
    fn start(&mut self, mut given: Bindings) {
        // `account:$account` is the account under evaluation.
        if given.get("account").is_none() {
            given.insert("account", Bound::Account(self.account.to_owned()));
        }
        let mut state = State::default();
        if self.plan.technique.unread.is_some() {
            state.status = Status::Possible;
        }
        if self.plan.technique.speed == Speed::WaitForTrigger {
            state.factor.0 = state.factor.0.and(self.judge.step("wait"));
        }
        let step = Step {
            atoms: self.plan.atoms.iter().collect(),
            then: Then::Group(0),
            next: 0,
            place: (0, 0),
            options: &[],
            new: Vec::new(),
        };
        let held = Held {
            bound: self.plan.bound(&given),
            bindings: given,
            sets: Vec::new(),
        };
        self.walk(step, held, state, &mut Vec::new());
    }

    fn walk(
        &mut self,
        mut step: Step<'_, 'p, 'a>,
        held: Held,
        mut state: State,
        collected: &mut Collected<'a>,
    ) {
        let mut ready = step.take_ready(held.bound);
        step.put_off(&mut ready, 0);
        if !self.all_hold(&ready, &held.bindings, &mut state) {
            return;
        }
        if let Some((name, choice)) = self.choose(&step.atoms, (&held.bindings, held.bound)) {
            self.bind(step, (name, choice), held, &state, collected);
            return;
        }
        match step.then {
            Then::Collect => collected.push((held, state, step.new)),
            Then::Group(at) if at == self.plan.groups.len() => {
                self.finish(&held, state, step.options, &step.new);
            }
            Then::Group(at) => self.group(at, step, &held, &state),
        }
    }

    /// Goes on with everything that a variable may stand for: candidates that cost the same
    /// together, where nothing later speaks of them.
    fn bind(
        &mut self,
        mut step: Step<'_, 'p, 'a>,
        (name, choice): (Arc<str>, Choice),
        mut held: Held,
        state: &State,
        collected: &mut Collected<'a>,
    ) {
        let bit = self.plan.bit(&name);
        held.bound |= bit;
        let mut ready = step.take_ready(held.bound);
        let mut told_apart = step.put_off(&mut ready, bit);
        told_apart |= step.atoms.iter().any(|atom| atom.mentions & bit != 0);
        told_apart |= self.plan.later[step.next] & bit != 0;
        let together = !self.explain && !told_apart;
        let mut alike: Vec<(State, Vec<Bound>)> = Vec::new();
        let sifted = self.sift((&name, &choice), &mut ready, &held.bindings, step.place);
        for candidate in sifted.iter() {
            let mut own = state.and(&candidate.state);
            held.bindings
                .insert(Arc::clone(&name), candidate.bound.clone());
            if !self.all_hold(&ready, &held.bindings, &mut own) {
                continue;
            }
            if !together {
                self.walk(step.clone(), held.clone(), own, collected);
                continue;
            }
            match alike.iter_mut().find(|(state, _)| state.is_like(&own)) {
                Some((_, members)) => members.push(candidate.bound.clone()),
                None => alike.push((own, vec![candidate.bound.clone()])),
            }
        }
        for (state, members) in alike {
            let mut held = held.clone();
            held.bindings.insert(Arc::clone(&name), members[0].clone());
            if self.plan.matters & bit != 0 && members.len() > 1 {
                held.sets.push((Arc::clone(&name), members.into()));
            }
            self.walk(step.clone(), held, state, collected);
        }
    }

    /// Tries the options of a group: together with what follows where they share a variable,
    /// else each for itself, and only the best of each certainty goes on.
    fn group(&mut self, at: usize, step: Step<'_, 'p, 'a>, held: &Held, state: &State) {
        let plan = self.plan;
        let group = &plan.groups[at];
        if group.tied {
            for (number, option) in self.worth_trying(at) {
                let mut options = step.options.to_vec();
                options.push(*number);
                let next = Step {
                    atoms: option.iter().collect(),
                    then: Then::Group(at + 1),
                    next: at + 1,
                    place: (at + 1, *number + 1),
                    options: &options,
                    new: step.new.clone(),
                };
                let state = self.weighed(at, *number, state);
                self.walk(next, held.clone(), state, &mut Vec::new());
            }
            return;
        }
        let mut best: Vec<(usize, Held, State, Vec<&'a Requirement>)> = Vec::new();
        for (number, option) in self.worth_trying(at) {
            let number = *number;
            let mut collected = Vec::new();
            let alone = Step {
                atoms: option.iter().collect(),
                then: Then::Collect,
                next: at + 1,
                place: (at + 1, number + 1),
                options: &[],
                new: step.new.clone(),
            };
            let weighed = self.weighed(at, number, state);
            self.walk(alone, held.clone(), weighed, &mut collected);
            for (held, state, new) in collected {
                // What asks for new resources alone is not asked before the end: an option
                // nobody may take must not stand in the way of one that works.
                if !self.can_be_named(&new, &held.bindings) {
                    continue;
                }
                if wins(&mut best, &state, self.judge, |(_, _, other, _)| other) {
                    best.push((number, held, state, new));
                }
            }
        }
        for (number, held, state, new) in best {
            let mut options = step.options.to_vec();
            options.push(number);
            let next = Step {
                atoms: Vec::new(),
                then: Then::Group(at + 1),
                next: at + 1,
                place: (at + 1, 0),
                options: &options,
                new,
            };
            self.walk(next, held, state, &mut Vec::new());
        }
    }

    /// The options of a group, but those that ask for what is not offered at all.
    fn worth_trying(
        &self,
        group: usize,
    ) -> impl Iterator<Item = &'p (usize, Vec<Atom<'a>>)> + use<'p, 'a> {
        let open = self.open.and_then(|open| open.get(group)).copied();
        let open = open.unwrap_or(u64::MAX);
        let plan = self.plan;
        let all = plan.groups[group].options.iter().enumerate();
        all.filter(move |(at, _)| open >> at & 1 == 1)
            .map(|(_, option)| option)
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
        let named = |crew| self.judge.name_all(&crew, new, bindings);
        new.is_empty() || self.crew().and_then(named).is_some()
    }

    /// Settles the names of what does not exist yet, and keeps the result if none is better.
    fn finish(
        &mut self,
        held: &Held,
        mut state: State,
        options: &[usize],
        new: &[&'a Requirement],
    ) {
        let mut bindings = held.bindings.clone();
        if !new.is_empty() {
            let named = |crew| self.judge.name_all(&crew, new, &held.bindings);
            let Some((named, answers)) = self.crew().and_then(named) else {
                return;
            };
            bindings = named;
            for asked in answers {
                state.take(asked, self.explain);
            }
        }
        let (state, options) = (Rc::new(state), Rc::from(options));
        self.keep(bindings, &held.sets, &state, &options);
    }

    /// Keeps a way for everything it gains.
    fn keep(
        &mut self,
        mut bindings: Bindings,
        sets: &[(Arc<str>, Rc<[Bound]>)],
        state: &Rc<State>,
        options: &Rc<[usize]>,
    ) {
        if let Some(((name, members), rest)) = sets.split_first() {
            for member in members.iter() {
                bindings.insert(Arc::clone(name), member.clone());
                self.keep(bindings.clone(), rest, state, options);
            }
            return;
        }
        let (_, kind) = self.plan.outcome(options);
        let name = |of: Option<&ResourceRef>| {
            let bound = of.and_then(ResourceRef::variable);
            let bound = bound.and_then(|name| bindings.get(name));
            bound.map(Bound::name)
        };
        let gained = (
            name(self.plan.goal(options)),
            name(self.plan.gain_reference(options)),
            self.plan.place_of(kind),
        );
        let judge = self.judge;
        let known = self.found.entry(gained).or_default();
        if wins(known, state, judge, |other| &other.state) {
            known.push(Solution {
                bindings,
                options: Rc::clone(options),
                state: Rc::clone(state),
            });
        }
    }
}
