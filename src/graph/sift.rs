//! Which variable is bound next, and what it may stand for once the facts that hang on nobody's
//! choice are known.

use std::rc::Rc;
use std::sync::Arc;

use super::atom::{Atom, Mask, What};
use super::bind::{Bindings, Bound};
use super::choose::Choice;
use super::solve::Attempt;
use super::way::State;

/// Something a variable may stand for, and what facts say of it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(super) bound: Bound,
    pub(super) state: State,
}

/// Candidates of a list for one variable in one place of a plan: the group and option, where it is
/// in one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sieve {
    plan: usize,
    place: (usize, usize),
    list: usize,
    variable: Mask,
    account: Result<u32, String>,
    /// What the other variables of those facts stand for.
    given: Vec<Option<Bound>>,
}

impl<'p, 'a> Attempt<'p, '_, 'a> {
    /// The open variable with the fewest candidates.
    pub(super) fn choose(
        &self,
        atoms: &[&'p Atom<'a>],
        (bindings, bound): (&Bindings, Mask),
    ) -> Option<(Arc<str>, Choice)> {
        let open = atoms.iter().fold(0, |all, atom| all | atom.needs) & !bound;
        let variables = self.plan.variables.iter();
        variables
            .filter(|name| self.plan.bit(name) & open != 0)
            .map(|name| {
                let candidates = self.judge.candidates(self, name, atoms, bindings);
                (Arc::clone(name), candidates)
            })
            .min_by_key(|(_, choice)| choice.weight)
    }

    /// What a variable may stand for, and what the facts say that hang on nobody's choice; of a
    /// list that is shared, those are asked once. Takes out what it has asked.
    pub(super) fn sift(
        &self,
        (name, choice): (&Arc<str>, &Choice),
        ready: &mut Vec<&'p Atom<'a>>,
        bindings: &Bindings,
        place: (usize, usize),
    ) -> Rc<[Candidate]> {
        let plain = |bound: &Bound| Candidate {
            bound: bound.clone(),
            state: State::default(),
        };
        if !choice.shared || self.explain {
            return choice.all.iter().map(plain).collect();
        }
        let fixed = |variable: &Arc<str>| {
            let bound = bindings.get(variable);
            variable == name || matches!(bound, Some(Bound::Unseen { .. } | Bound::Account(_)))
        };
        let is_fixed = |atom: &&Atom<'a>| atom.is_fact() && atom.names.iter().all(fixed);
        let (alone, others): (Vec<_>, Vec<_>) = ready.iter().copied().partition(is_fixed);
        *ready = others;
        let given = alone.iter().flat_map(|atom| &atom.names);
        let given = given.filter(|variable| *variable != name);
        let key = Sieve {
            plan: std::ptr::from_ref(self.plan) as usize,
            place,
            list: choice.all.as_ptr() as usize,
            variable: self.plan.bit(name),
            account: self.judge.scene.number_of(self.account),
            given: given
                .map(|variable| bindings.get(variable).cloned())
                .collect(),
        };
        if let Some(known) = self.judge.sifted.borrow().get(&key) {
            return Rc::clone(known);
        }
        let mut bindings = bindings.clone();
        let holding = choice.all.iter().filter_map(|bound| {
            let mut candidate = plain(bound);
            bindings.insert(Arc::clone(name), bound.clone());
            let holds = alone.iter().all(|atom| match atom.what {
                What::Need(_) => true,
                What::Hold(predicate) => {
                    let truth = self.judge.answer(predicate, &bindings, self.account);
                    self.learn(predicate, &truth, &bindings, &mut candidate.state)
                }
            });
            holds.then_some(candidate)
        });
        let sifted: Rc<[Candidate]> = holding.collect();
        let mut all = self.judge.sifted.borrow_mut();
        all.insert(key, Rc::clone(&sifted));
        sifted
    }
}
