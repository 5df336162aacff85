//! Who can be held together with whom: two that are both reached from somewhere.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::grow::Growth;
use super::net::{Id, Net};

/// Nodes looked at before one principal.
const MAX_BEFORE: usize = 20_000;

/// Nodes marked in one walk; a new walk unmarks all at once.
#[derive(Debug, Default)]
struct Stamps {
    marks: Vec<u32>,
    walk: u32,
}

impl Stamps {
    fn begin(&mut self, nodes: usize) {
        self.marks.resize(nodes, 0);
        self.walk += 1;
    }

    /// Marks a node; false where it was marked.
    fn mark(&mut self, node: Id) -> bool {
        std::mem::replace(&mut self.marks[node as usize], self.walk) != self.walk
    }

    fn is_marked(&self, node: Id) -> bool {
        self.marks.get(node as usize) == Some(&self.walk)
    }
}

/// From where principals of an account are reached, passing by those that need nobody.
pub(super) struct Before<'n> {
    near: &'n FxHashSet<Id>,
    of: FxHashMap<Id, Rc<[Id]>>,
    seen: Stamps,
    /// The nodes before one principal, marked: most pairs that follow one another have the same.
    marked: Stamps,
    current: Option<Id>,
    /// Whether nothing was left out.
    pub(super) whole: bool,
}

impl<'n> Before<'n> {
    pub(super) fn new(near: &'n FxHashSet<Id>) -> Self {
        Before {
            near,
            of: FxHashMap::default(),
            seen: Stamps::default(),
            marked: Stamps::default(),
            current: None,
            whole: true,
        }
    }

    /// Whether somebody can hold both.
    pub(super) fn meet(
        &mut self,
        (growth, net): (&Growth<'_, '_>, &Net),
        (one, other): (Id, Id),
    ) -> bool {
        if self.near.contains(&one) || self.near.contains(&other) {
            return false;
        }
        if self.current != Some(one) {
            self.current = Some(one);
            self.marked.begin(net.len());
            for node in self.before(growth, net, one).iter() {
                self.marked.mark(*node);
            }
        }
        let theirs = self.before(growth, net, other);
        theirs.iter().any(|node| self.marked.is_marked(*node))
    }

    /// The nodes from which one is reached, itself among them.
    fn before(&mut self, growth: &Growth<'_, '_>, net: &Net, id: Id) -> Rc<[Id]> {
        if let Some(known) = self.of.get(&id) {
            return Rc::clone(known);
        }
        self.seen.begin(net.len());
        self.seen.mark(id);
        let mut all = vec![id];
        let mut at = 0;
        while let Some(node) = all.get(at).copied() {
            at += 1;
            for number in net.into(node) {
                let tail = net.link(number).tail;
                let ends = growth.is_end(tail) || self.near.contains(&tail);
                if !ends && self.seen.mark(tail) {
                    all.push(tail);
                }
            }
            if all.len() > MAX_BEFORE {
                self.whole = false;
                break;
            }
        }
        let all: Rc<[Id]> = all.into();
        self.of.insert(id, Rc::clone(&all));
        all
    }
}
