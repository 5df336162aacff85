//! Where two principals come into one hand: for every step that takes two, the nodes from which
//! both are reached, and the cheapest ways to them.
//!
//! The best way to hold both branches once: up to there it is one way, from there on it is two.
//! So it is enough to draw a step from every node that is the best such place for itself; all
//! others come to it by their own way. What the shared part costs counts once, and the search
//! needs to know nothing of all this.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use rustc_hash::{FxHashMap, FxHashSet};

use super::Status;
use super::grow::{Drawn, Growth};
use super::join::Union;
use super::net::{Cost, FREE, Id, Net};
use super::weigh::Nats;

/// A step that takes two principals, seen from where the ways to them part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Joint {
    pub(crate) plan: u32,
    /// The price of the step itself, without the ways.
    pub(crate) cost: u32,
    /// Who acts, and who helps.
    pub(crate) first: Id,
    pub(crate) second: Id,
    /// The steps to the one and to the other, as in a path.
    pub(crate) ways: Vec<(Id, u32, Id)>,
}

/// A node's price to the end of a search, and its first link.
type Way = FxHashMap<Id, (Nats, u32)>;

impl Growth<'_, '_> {
    /// Draws every step that takes two principals and is not among those drawn; true where there
    /// was one.
    pub(super) fn meet(&mut self, drawn: &mut BTreeSet<(usize, Id, Status)>) -> bool {
        if self.unions.is_empty() {
            return false;
        }
        let hubs: FxHashSet<Id> = self.steps.iter().map(|step| step.hub).collect();
        let unions = std::mem::take(&mut self.unions);
        let net = self.builder.clone().finish();
        let before = drawn.len();
        for (number, union) in unions.iter().enumerate() {
            self.draw_union(&net, (number, union), &hubs, drawn);
        }
        self.unions = unions;
        drawn.len() > before
    }

    fn draw_union(
        &mut self,
        net: &Net,
        (number, union): (usize, &Union),
        hubs: &FxHashSet<Id>,
        drawn: &mut BTreeSet<(usize, Id, Status)>,
    ) {
        let own = self.builder.price(union.cost).clone();
        let mut seen = BTreeSet::new();
        for ceiling in [Status::Proven, Status::Conditional, Status::Possible] {
            if own.status > ceiling {
                continue;
            }
            let first = toward(net, union.subjects, ceiling);
            let second = toward(net, union.helpers, ceiling);
            for place in self.places(net, (&first, &second), hubs, ceiling) {
                let (Some(one), Some(other)) = (
                    self.way(net, place, &first, union.subjects),
                    self.way(net, place, &second, union.helpers),
                ) else {
                    continue;
                };
                let status = one.status.max(other.status).max(own.status);
                if one.end == other.end || !seen.insert((place, status)) {
                    continue;
                }
                if drawn.insert((number, place, status)) {
                    self.draw_joint(place, union, (one, other), &own);
                }
            }
        }
    }

    fn draw_joint(&mut self, place: Id, union: &Union, (one, other): (Walk, Walk), own: &Cost) {
        let calls = [&one.calls, &other.calls, &own.calls.to_vec()]
            .into_iter()
            .flatten()
            .copied()
            .collect();
        let cost = self.builder.cost(Cost {
            lo: one.lo + other.lo + own.lo,
            hi: one.hi + other.hi + own.hi,
            status: one.status.max(other.status).max(own.status),
            calls,
            waiting: one.waiting + other.waiting + own.waiting,
        });
        let joint = self.joints.len() as u32;
        self.joints.push(Joint {
            plan: union.plan,
            cost: union.cost,
            first: one.end,
            second: other.end,
            ways: one.steps.into_iter().chain(other.steps).collect(),
        });
        let targets = union.targets.clone();
        self.step(Drawn::Joint(joint), place, targets, cost);
    }

    /// The nodes at which the two ways part: those for which no way on to another such node is as
    /// cheap as parting here. Sorted.
    fn places(
        &self,
        net: &Net,
        (first, second): (&Way, &Way),
        hubs: &FxHashSet<Id>,
        ceiling: Status,
    ) -> BTreeSet<Id> {
        let (few, many) = if first.len() < second.len() {
            (first, second)
        } else {
            (second, first)
        };
        let both = few
            .iter()
            .filter_map(|(node, (sum, _))| Some((*node, sum + many.get(node)?.0)));
        // A way on is tried before a place of the same price, and a class before its members.
        let alone = |node: &Id| !self.classes.contains_key(node);
        let mut queue: BinaryHeap<Reverse<(Nats, bool, bool, Id)>> = both
            .filter(|(node, _)| !hubs.contains(node))
            .map(|(node, sum)| Reverse((sum, true, alone(&node), node)))
            .collect();
        let (mut settled, mut places) = (FxHashSet::default(), BTreeSet::new());
        while let Some(Reverse((sum, own, _, node))) = queue.pop() {
            if !settled.insert(node) {
                continue;
            }
            if own {
                places.insert(node);
            }
            for number in net.into(node) {
                let (tail, price) = (net.link(number).tail, net.price(number));
                if price.status <= ceiling && !settled.contains(&tail) {
                    queue.push(Reverse((sum + price.hi, false, alone(&tail), tail)));
                }
            }
        }
        places
    }

    /// The way from a place to one of a set, step by step.
    fn way(&self, net: &Net, place: Id, ways: &Way, end: Id) -> Option<Walk> {
        let member = |id: Id| self.classes.get(&id).and_then(|all| all.first()).copied();
        let start = member(place).unwrap_or(place);
        let mut walk = Walk {
            end: start,
            ..Walk::default()
        };
        let (mut at, mut step) = (place, FREE);
        while at != end {
            let (_, number) = ways.get(&at)?;
            let link = net.link(*number);
            let price = net.price(*number);
            walk.lo += price.lo;
            walk.hi += price.hi;
            walk.status = walk.status.max(price.status);
            walk.calls.extend(price.calls.iter().copied());
            walk.waiting += price.waiting;
            if link.step != FREE {
                step = link.step;
            }
            if self.nodes[link.head as usize].is_some() {
                if step != FREE {
                    walk.steps.push((walk.end, step, link.head));
                }
                (walk.end, step) = (link.head, FREE);
            }
            at = link.head;
        }
        Some(walk)
    }
}

/// A way to one of the two.
#[derive(Clone, Debug, Default)]
struct Walk {
    end: Id,
    steps: Vec<(Id, u32, Id)>,
    lo: Nats,
    hi: Nats,
    status: Status,
    calls: Vec<super::weigh::Detection>,
    waiting: u32,
}

/// The cheapest way to `end` from every node that reaches it.
fn toward(net: &Net, end: Id, ceiling: Status) -> Way {
    let mut ways = Way::default();
    let mut queue = BinaryHeap::from([Reverse((0, end, FREE))]);
    while let Some(Reverse((sum, node, first))) = queue.pop() {
        if ways.contains_key(&node) {
            continue;
        }
        ways.insert(node, (sum, first));
        for number in net.into(node) {
            let (link, price) = (net.link(number), net.price(number));
            if price.status <= ceiling && !ways.contains_key(&link.tail) {
                queue.push(Reverse((sum + price.hi, link.tail, number)));
            }
        }
    }
    ways
}
