//! A way in which a technique works out: what is bound, what it takes, and which of two is better.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use palisade_model::{Arn, Gap};

use super::ask::Asked;
use super::bind::Bindings;
use super::judge::Judge;
use super::weigh::{Detection, Interval};
use super::{Fact, Status};

/// What a way gains: the goal, the policy or group that comes with it, and the kind of gain.
pub(crate) type Gained = (Option<Arc<str>>, Option<Arc<str>>, usize);

/// The ways a technique works out, by what they gain.
pub(crate) type Found = BTreeMap<Gained, Vec<Solution>>;

/// One way a technique works out.
#[derive(Clone, Debug)]
pub(crate) struct Solution {
    pub(crate) bindings: Bindings,
    /// The option taken in each group.
    pub(crate) options: Rc<[usize]>,
    pub(crate) state: Rc<State>,
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
    pub(crate) also: Option<Arn>,
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
    pub(super) fn take(&mut self, asked: Asked, explain: bool) {
        self.status = self.status.max(asked.status);
        self.helped |= asked.second;
        self.factor.0 = self.factor.0.and(asked.factor);
        self.calls.extend(asked.heard);
        if explain {
            self.gaps.extend(asked.gaps.iter().cloned());
            self.asked.push(asked);
        }
    }

    /// What both have established.
    pub(super) fn and(&self, other: &State) -> State {
        let mut both = self.clone();
        both.status = both.status.max(other.status);
        both.factor.0 = both.factor.0.and(other.factor.0);
        both.calls.extend(&other.calls);
        both
    }

    /// Whether it needs nobody in hand whom the other does not need as well.
    pub(super) fn asks_no_more_than(&self, other: &State) -> bool {
        (self.also.is_none() || self.also == other.also) && (!self.helped || other.helped)
    }

    /// Whether nothing that was kept tells them apart; requests and facts are not compared.
    pub(super) fn is_like(&self, other: &State) -> bool {
        self.status == other.status
            && self.factor == other.factor
            && self.calls == other.calls
            && self.also == other.also
            && self.helped == other.helped
    }

    /// How good it is for the attacker: the upper end, calls counted.
    pub(crate) fn worth(&self, judge: &Judge<'_>) -> u32 {
        let call = judge.weights.step["call"].1;
        self.calls
            .iter()
            .fold(self.factor.0.hi, |w, _| super::weigh::scale(w, call))
    }
}

/// Whether no other way is as sure, worth as much and asks for nobody more; drops those it beats.
pub(super) fn wins<T>(
    ways: &mut Vec<T>,
    own: &State,
    judge: &Judge<'_>,
    state: impl Fn(&T) -> &State,
) -> bool {
    let worth = own.worth(judge);
    let beaten = ways.iter().map(&state).any(|other| {
        other.asks_no_more_than(own) && other.status <= own.status && other.worth(judge) >= worth
    });
    if !beaten {
        ways.retain(|other| {
            let other = state(other);
            !own.asks_no_more_than(other) || other.status < own.status || other.worth(judge) > worth
        });
    }
    !beaten
}
