//! What each change does to the paths that are shown, and in which order to make them.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::cuts::Cut;
use super::taking::{Handle, cutting, handle, handles};
use crate::change::Change;
use crate::graph::{Guarded, Hop, Node, Path, PathSet, Status};

/// A path that does not hang on a gap, with everybody who begins it.
struct Shown<'p> {
    path: &'p Path,
    entries: &'p [Node],
    cutting: BTreeSet<Change>,
    handles: BTreeSet<Handle>,
    /// Roles it assumes.
    assumed: BTreeSet<String>,
}

/// The paths of a report.
pub(super) struct Listed<'p>(Vec<Shown<'p>>);

impl<'p> Listed<'p> {
    pub(super) fn of(set: &'p PathSet, guarded: &Guarded) -> Self {
        let sure = set.paths().filter(|path| path.status != Status::Possible);
        let shown = sure.map(|path| {
            let hops: Vec<Rc<Hop>> = path.hops.iter().map(|hop| Rc::new(Hop::of(hop))).collect();
            let asks = hops.iter().flat_map(|hop| &hop.asks);
            let assumed = asks.filter(|ask| ask.action.starts_with("sts:Assume"));
            Shown {
                path,
                entries: match path.entry.node {
                    Node::Principal { .. } if !path.entry.members.is_empty() => &path.entry.members,
                    _ => std::slice::from_ref(&path.entry.node),
                },
                cutting: cutting(&hops, guarded),
                handles: handles(&hops, guarded),
                assumed: assumed.map(|ask| ask.resource.clone()).collect(),
            }
        });
        Listed(shown.collect())
    }

    /// Every path from each of those who begin it.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'p Node, &'p Path)> {
        let each = |shown: &Shown<'p>| {
            let path = shown.path;
            shown.entries.iter().map(move |entry| (entry, path))
        };
        self.0.iter().flat_map(each)
    }

    /// The changes, first the one on most paths, then the one on most of those it leaves.
    pub(super) fn by_value(&self, changes: &[&Change]) -> Vec<Cut> {
        let mut cuts: Vec<Option<Cut>> = Vec::new();
        let lie = self.lie_on(changes);
        for (change, lies) in changes.iter().zip(&lie) {
            cuts.push(Some(Cut {
                says: change.to_string(),
                resource: change.resource(),
                effort: change.effort(),
                paths: lies.len(),
                change: (*change).clone(),
            }));
        }
        let mut cut = vec![false; self.pairs().count()];
        let rank = |at: usize, open: usize, cuts: &[Option<Cut>]| {
            let own = cuts[at].as_ref();
            let own = own.map(|own| (own.paths, Reverse((own.effort, own.says.clone()))));
            (open, own, at)
        };
        let all = (0..changes.len()).map(|at| rank(at, lie[at].len(), &cuts));
        let mut queue: BinaryHeap<_> = all.collect();
        let mut ordered = Vec::new();
        while let Some((open, _, at)) = queue.pop() {
            let still = lie[at].iter().filter(|pair| !cut[**pair]).count();
            if still < open {
                queue.push(rank(at, still, &cuts));
                continue;
            }
            lie[at].iter().for_each(|pair| cut[*pair] = true);
            ordered.extend(cuts[at].take());
        }
        ordered
    }

    /// For each change the pairs on whose paths it lies, by number.
    fn lie_on(&self, changes: &[&Change]) -> Vec<Vec<usize>> {
        let mut by_handle: FxHashMap<Handle, Vec<usize>> = FxHashMap::default();
        for (at, change) in changes.iter().enumerate() {
            by_handle.entry(handle(change)).or_default().push(at);
        }
        let mut lie = vec![Vec::new(); changes.len()];
        let mut pair = 0;
        for shown in &self.0 {
            let first = shown.path.entry.node.arn();
            for entry in shown.entries {
                for own in &shown.handles {
                    let own = match (own, first, entry.arn()) {
                        (Handle::Sends(sender, action), Some(first), Some(other))
                            if sender == first =>
                        {
                            &Handle::Sends(other.clone(), action.clone())
                        }
                        (own, ..) => own,
                    };
                    let on = by_handle.get(own).into_iter().flatten().copied();
                    let on = on.filter(|at| shown.is_cut_by(changes[*at]));
                    on.for_each(|at| lie[at].push(pair));
                }
                pair += 1;
            }
        }
        for all in &mut lie {
            all.dedup();
        }
        lie
    }
}

impl Shown<'_> {
    /// Whether what a step speaks of is what a change is about.
    fn is_cut_by(&self, change: &Change) -> bool {
        match (handle(change), change) {
            (Handle::Speaks(role), Change::CloseTrust { .. }) if self.assumed.contains(&role) => {
                true
            }
            (Handle::Speaks(_), _) => self.cutting.contains(change),
            _ => true,
        }
    }
}
