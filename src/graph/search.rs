//! The best way from every node to one target, exactly.
//!
//! The score is no sum: what being noticed costs depends on how long the rest of the path still
//! takes. So a node keeps every label that no other beats in all three of: what the factors
//! cost, what being noticed costs, and the minutes to the target. Walking backward, each of
//! them only grows, and an earlier step only adds more where more minutes remain; a label that
//! is beaten in all three can therefore never lead to the better path.
//!
//! Labels are settled in the order of their sums, so a settled label is final. The work is
//! O(links · labels · log), with labels few where detection is even.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use palisade_checks::weights::Weights;
use rustc_hash::FxHashMap;

use super::Status;
use super::net::{Cost, Id, Net};
use super::weigh::{Nats, Notices};

/// Which end of the weights a search walks by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Gaps resolve well.
    Lo,
    /// Gaps resolve badly.
    Hi,
}

/// What a search keeps to.
pub(crate) struct Rules<'a> {
    /// No step less sure than this.
    pub(crate) ceiling: Status,
    pub(crate) end: End,
    /// Labels per node.
    pub(crate) cap: usize,
    pub(crate) weights: &'a Weights,
    pub(crate) notices: &'a Notices,
    /// Links that may not be used.
    pub(crate) banned: Option<&'a dyn Fn(u32) -> bool>,
}

/// The number of no label.
const NONE: u32 = u32::MAX;

/// One way from a node to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) node: Id,
    /// `−Σ ln w`.
    pub(crate) factors: Nats,
    /// `−Σ ln(1 − d·τ)`.
    pub(crate) noticed: Nats,
    /// Minutes to the target.
    pub(crate) minutes: u32,
    /// The first link, and the label at its head; [`NONE`] at the target.
    link: u32,
    next: u32,
}

impl Label {
    fn beats(&self, other: &Label) -> bool {
        self.factors <= other.factors
            && self.noticed <= other.noticed
            && self.minutes <= other.minutes
    }
}

/// Every label of a search toward one target.
pub(crate) struct Labels {
    arena: Vec<Label>,
    at: FxHashMap<Id, Vec<u32>>,
    /// The least sure link any label begins with.
    pub(crate) worst: Status,
    /// Whether the two ends of the weights differ anywhere.
    pub(crate) uneven: bool,
    /// The cheapest label that a cap threw away, part by part.
    pub(crate) dropped: Option<(Nats, Nats)>,
}

impl Labels {
    /// The labels of a node, the cheapest sum first.
    pub(crate) fn of(&self, node: Id) -> impl Iterator<Item = (u32, &Label)> {
        let own = self.at.get(&node);
        own.into_iter()
            .flatten()
            .map(|at| (*at, &self.arena[*at as usize]))
    }

    /// The nodes that have labels, in no order.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Id> {
        self.at.keys().copied()
    }

    /// The links from a label to the target, in order.
    pub(crate) fn links(&self, label: u32) -> Vec<u32> {
        let mut links = Vec::new();
        let mut at = label;
        while let Some(label) = self.arena.get(at as usize) {
            if label.link == NONE {
                break;
            }
            links.push(label.link);
            at = label.next;
        }
        links
    }
}

/// Searches backward from `target`.
pub(crate) fn backward(net: &Net, target: Id, rules: &Rules<'_>) -> Labels {
    let mut labels = Labels {
        arena: Vec::new(),
        at: FxHashMap::default(),
        worst: Status::Proven,
        uneven: false,
        dropped: None,
    };
    let mut queue = BinaryHeap::new();
    let first = Label {
        node: target,
        factors: 0,
        noticed: 0,
        minutes: 0,
        link: NONE,
        next: NONE,
    };
    queue.push(Reverse((0u64, 0u64, 0u32, target, 0u32)));
    let mut waiting = vec![first];
    while let Some(Reverse((.., number))) = queue.pop() {
        let label = waiting[number as usize];
        if !settle(&mut labels, label, rules.cap) {
            continue;
        }
        let own = labels.arena.len() as u32 - 1;
        if label.link != NONE {
            let price = net.price(label.link);
            labels.worst = labels.worst.max(price.status);
            labels.uneven |= price.lo != price.hi;
        }
        for link in net.into(label.node) {
            let price = net.price(link);
            if price.status > rules.ceiling || rules.banned.is_some_and(|banned| banned(link)) {
                continue;
            }
            let tail = net.link(link).tail;
            let longer = extend(&label, price, rules, (tail, link, own));
            let beaten = labels.of(tail).any(|(_, known)| known.beats(&longer));
            if !beaten {
                let sum = longer.factors.saturating_add(longer.noticed);
                let number = waiting.len() as u32;
                queue.push(Reverse((sum, longer.factors, longer.minutes, tail, number)));
                waiting.push(longer);
            }
        }
    }
    labels
}

/// Keeps a label unless another beats it or its node is full.
fn settle(labels: &mut Labels, label: Label, cap: usize) -> bool {
    if labels.of(label.node).any(|(_, known)| known.beats(&label)) {
        return false;
    }
    if labels.at.get(&label.node).map_or(0, Vec::len) >= cap.max(1) {
        let (factors, noticed) = labels.dropped.unwrap_or((Nats::MAX, Nats::MAX));
        labels.dropped = Some((factors.min(label.factors), noticed.min(label.noticed)));
        return false;
    }
    let number = labels.arena.len() as u32;
    labels.at.entry(label.node).or_default().push(number);
    labels.arena.push(label);
    true
}

/// The label of a link's tail, from the label of its head.
fn extend(label: &Label, price: &Cost, rules: &Rules<'_>, way: (Id, u32, u32)) -> Label {
    let factor = match rules.end {
        End::Lo => price.lo,
        End::Hi => price.hi,
    };
    let mut minutes = label.minutes + price.waiting;
    let mut seen = label.noticed;
    for call in price.calls.iter().rev() {
        minutes += rules.weights.tempo_minutes;
        seen += rules.notices.price(*call, minutes);
    }
    let (node, link, next) = way;
    Label {
        node,
        factors: label.factors + factor,
        noticed: seen,
        minutes,
        link,
        next,
    }
}
