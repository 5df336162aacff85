//! The graph as the searches see it: numbered nodes, links, and what a link costs.
//!
//! A grant of many principals on many targets is one *hub*: its sources link to the hub at the
//! price of the step, the hub links to its targets for nothing. So a thousand principals that
//! may become a thousand roles are two thousand links.

use rustc_hash::FxHashMap;

use super::Status;
use super::weigh::{Detection, Nats};

/// A node's number.
pub(crate) type Id = u32;

/// A link from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) tail: Id,
    pub(crate) head: Id,
    /// Index into [`Net::costs`].
    pub(crate) cost: u32,
    /// Which step this is: the caller's own number; [`FREE`] where it is no step.
    pub(crate) step: u32,
}

/// The step number of links that are no step: from a hub to its targets, from a member to its
/// class.
pub(crate) const FREE: u32 = u32::MAX;

/// The price of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Cost {
    /// `−ln w` at the end where gaps resolve well.
    pub(crate) lo: Nats,
    /// `−ln w` at the end where gaps resolve badly: never more than `lo`.
    pub(crate) hi: Nats,
    pub(crate) status: Status,
    /// Who notices each call, in order.
    pub(crate) calls: Box<[Detection]>,
    /// Minutes beyond the calls.
    pub(crate) waiting: u32,
}

/// A finished graph. Links are sorted by head, then tail, then step.
#[derive(Debug, Default)]
pub(crate) struct Net {
    pub(crate) links: Vec<Link>,
    pub(crate) costs: Vec<Cost>,
    into: Vec<u32>,
    out: Vec<u32>,
    out_links: Vec<u32>,
}

/// A graph in the making.
#[derive(Clone, Debug)]
pub(crate) struct NetBuilder {
    nodes: u32,
    links: Vec<Link>,
    costs: Vec<Cost>,
    known: FxHashMap<Cost, u32>,
}

impl Default for NetBuilder {
    fn default() -> Self {
        let free = Cost::default();
        NetBuilder {
            nodes: 0,
            links: Vec::new(),
            costs: vec![free.clone()],
            known: FxHashMap::from_iter([(free, 0)]),
        }
    }
}

impl NetBuilder {
    /// One node more.
    pub(crate) fn node(&mut self) -> Id {
        self.nodes += 1;
        self.nodes - 1
    }

    /// The number of this price.
    pub(crate) fn cost(&mut self, cost: Cost) -> u32 {
        if let Some(known) = self.known.get(&cost) {
            return *known;
        }
        let id = self.costs.len() as u32;
        self.costs.push(cost.clone());
        self.known.insert(cost, id);
        id
    }

    /// What a price stands for.
    pub(crate) fn price(&self, number: u32) -> &Cost {
        &self.costs[number as usize]
    }

    /// A link that is a step.
    pub(crate) fn step(&mut self, tail: Id, head: Id, cost: u32, step: u32) {
        self.links.push(Link {
            tail,
            head,
            cost,
            step,
        });
    }

    /// A link that costs nothing and is no step.
    pub(crate) fn free(&mut self, tail: Id, head: Id) {
        self.links.push(Link {
            tail,
            head,
            cost: 0,
            step: FREE,
        });
    }

    /// The finished graph.
    pub(crate) fn finish(mut self) -> Net {
        self.links
            .sort_unstable_by_key(|link| (link.head, link.tail, link.step, link.cost));
        self.links.dedup();
        let nodes = self.nodes as usize;
        let into = offsets(nodes, self.links.iter().map(|link| link.head));
        let out = offsets(nodes, self.links.iter().map(|link| link.tail));
        let mut next = out.clone();
        let mut out_links = vec![0; self.links.len()];
        for (index, link) in self.links.iter().enumerate() {
            let slot = &mut next[link.tail as usize];
            out_links[*slot as usize] = index as u32;
            *slot += 1;
        }
        Net {
            links: self.links,
            costs: self.costs,
            into,
            out,
            out_links,
        }
    }
}

/// Where each node's links begin, with one entry more for the end.
fn offsets(nodes: usize, ends: impl Iterator<Item = Id>) -> Vec<u32> {
    let mut offsets = vec![0u32; nodes + 1];
    for end in ends {
        offsets[end as usize + 1] += 1;
    }
    for at in 0..nodes {
        offsets[at + 1] += offsets[at];
    }
    offsets
}

impl Net {
    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.into.len().saturating_sub(1)
    }

    /// The links that end in `node`, by number.
    pub(crate) fn into(&self, node: Id) -> impl Iterator<Item = u32> + use<> {
        self.into[node as usize]..self.into[node as usize + 1]
    }

    /// The links that begin in `node`, by number.
    pub(crate) fn out(&self, node: Id) -> impl Iterator<Item = u32> {
        let range = self.out[node as usize] as usize..self.out[node as usize + 1] as usize;
        self.out_links[range].iter().copied()
    }

    /// A link.
    pub(crate) fn link(&self, number: u32) -> &Link {
        &self.links[number as usize]
    }

    /// What a link costs.
    pub(crate) fn price(&self, number: u32) -> &Cost {
        &self.costs[self.links[number as usize].cost as usize]
    }

    /// Every node from which `to` is reached over links no less sure than `ceiling`, `to` among
    /// them; marked by node number.
    pub(crate) fn reaching(&self, to: Id, ceiling: Status) -> Vec<bool> {
        let mut seen = vec![false; self.len()];
        let mut waiting = vec![to];
        seen[to as usize] = true;
        while let Some(node) = waiting.pop() {
            for number in self.into(node) {
                let tail = self.link(number).tail;
                if self.price(number).status <= ceiling && !seen[tail as usize] {
                    seen[tail as usize] = true;
                    waiting.push(tail);
                }
            }
        }
        seen
    }

    /// Every node that is reached from `from`, likewise.
    pub(crate) fn reached(&self, from: Id, ceiling: Status) -> Vec<bool> {
        let mut seen = vec![false; self.len()];
        let mut waiting = vec![from];
        seen[from as usize] = true;
        while let Some(node) = waiting.pop() {
            for number in self.out(node) {
                let head = self.link(number).head;
                if self.price(number).status <= ceiling && !seen[head as usize] {
                    seen[head as usize] = true;
                    waiting.push(head);
                }
            }
        }
        seen
    }
}
