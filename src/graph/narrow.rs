//! What of an estate leads on to a target: all that has to be tried again after something was
//! taken away.
//!
//! A change that only takes away opens no way, so whoever led nowhere before leads nowhere after
//! it, and a technique that led a principal nowhere does so still. Growing the graph within these
//! bounds asks the whole changed snapshot, by the same engine, and leaves out nothing but
//! questions whose answer cannot matter. A few ways are not drawn because a better one stands
//! beside them; where that one is cut they appear. So an estate counts as closed only once the
//! whole of it has been grown again.

use fixedbitset::FixedBitSet;
use palisade_model::{Arn, Snapshot};
use rustc_hash::{FxHashMap, FxHashSet};

use super::find::Graph;
use super::grow::Drawn;
use super::net::Id;
use super::{Node, Status, Unheard};
use crate::policy::Engine;

/// Who leads on to a target, and by which techniques.
#[derive(Clone, Debug, Default)]
pub(crate) struct Narrow {
    /// Techniques that lead on, by their places among the plans, for everybody who leads on.
    acts: FxHashMap<Node, FixedBitSet>,
    /// Principals after a change of their own that lead nowhere.
    idle: FxHashSet<Node>,
    /// Techniques that begin outside and lead on.
    outside: FixedBitSet,
    /// Whether steps that take two principals are left out.
    alone: bool,
}

impl Narrow {
    /// Whether a principal of the snapshot leads on.
    pub(super) fn acts(&self, node: &Node) -> bool {
        self.acts.contains_key(node)
    }

    /// Whether a technique may lead somebody on. What a principal can make of itself that it could
    /// not before is tried with everything.
    pub(super) fn tries(&self, node: &Node, plan: usize) -> bool {
        match self.acts.get(node) {
            Some(plans) => plans.contains(plan),
            None => matches!(node, Node::Elevated { .. }),
        }
    }

    /// Whether a changed principal is known to lead nowhere.
    pub(super) fn is_idle(&self, node: &Node) -> bool {
        self.idle.contains(node)
    }

    /// Whether a technique that begins outside leads on.
    pub(super) fn begins(&self, plan: usize) -> bool {
        self.outside.contains(plan)
    }

    /// Whether steps that take two principals are left out.
    pub(super) fn is_alone(&self) -> bool {
        self.alone
    }

    /// With steps that take two principals, or without.
    pub(crate) fn take(&mut self, alone: bool) {
        self.alone = alone;
    }

    /// Takes in what leads on elsewhere too.
    pub(crate) fn widen(&mut self, other: Narrow) {
        for (node, plans) in other.acts {
            self.idle.remove(&node);
            self.acts.entry(node).or_default().union_with(&plans);
        }
        self.outside.union_with(&other.outside);
    }
}

impl Graph<'_> {
    /// What leads on to a target without hanging on a gap.
    pub(crate) fn narrow(&self) -> Narrow {
        let leads = self.leading_on(Status::Conditional);
        let (net, plans) = (&self.grown.net, self.plans.len());
        let mut narrow = Narrow {
            outside: FixedBitSet::with_capacity(plans),
            ..Narrow::default()
        };
        for (id, actor) in &self.grown.actors {
            let node = actor.node();
            if leads[*id as usize] {
                let none = FixedBitSet::with_capacity(plans);
                narrow.acts.insert(node, none);
            } else if !actor.mods.is_empty() {
                narrow.idle.insert(node);
            }
        }
        let mut note = |source: Id, plan: u32| {
            for id in self
                .grown
                .classes
                .get(&source)
                .map_or(&[source][..], |all| all)
            {
                let actor = self.grown.actors.get(id);
                match actor.and_then(|actor| narrow.acts.get_mut(&actor.node())) {
                    Some(plans) => plans.insert(plan as usize),
                    None => narrow.outside.insert(plan as usize),
                }
            }
        };
        for step in &self.grown.steps {
            if let Drawn::Plan(plan) = step.drawn
                && leads[step.hub as usize]
                && net.costs[step.cost as usize].status <= Status::Conditional
            {
                note(step.source, plan);
            }
        }
        for union in &self.grown.unions {
            if !leads[union.subjects as usize] {
                continue;
            }
            for number in net.into(union.subjects) {
                note(net.link(number).tail, union.plan);
            }
        }
        narrow
    }

    /// The nodes from which a target is reached over links no less sure than `ceiling`, with
    /// those that must be held besides.
    fn leading_on(&self, ceiling: Status) -> Vec<bool> {
        let net = &self.grown.net;
        let mut leads = vec![false; net.len()];
        let mut besides = vec![false; net.len()];
        self.spread_back(self.targets(&[]), ceiling, &mut leads);
        let mut unions: Vec<_> = self.grown.unions.iter().collect();
        unions.retain(|union| net.costs[union.cost as usize].status <= ceiling);
        loop {
            let waiting = unions.len();
            let is_on = |id: &Id| leads[*id as usize] || besides[*id as usize];
            let (now, later): (Vec<_>, _) = unions
                .into_iter()
                .partition(|union| union.targets.iter().any(is_on));
            unions = later;
            for union in now {
                let (mut one, mut other) = (vec![false; net.len()], vec![false; net.len()]);
                self.spread_back(vec![union.subjects], ceiling, &mut one);
                self.spread_back(vec![union.helpers], ceiling, &mut other);
                let both = (0..net.len()).filter(|at| one[*at] && other[*at]);
                let both: Vec<Id> = both.map(|at| at as Id).collect();
                // Whoever holds both goes on to each; nobody else needs to reach them.
                let mut beyond = vec![false; net.len()];
                self.spread_on(both.clone(), ceiling, &mut beyond);
                for (at, besides) in besides.iter_mut().enumerate() {
                    *besides |= beyond[at] && (one[at] || other[at]);
                }
                self.spread_back(both, ceiling, &mut leads);
            }
            if unions.len() == waiting {
                break;
            }
        }
        leads
            .iter()
            .zip(&besides)
            .map(|(leads, besides)| *leads || *besides)
            .collect()
    }

    /// Marks everything from which these are reached.
    fn spread_back(&self, mut waiting: Vec<Id>, ceiling: Status, seen: &mut [bool]) {
        let net = &self.grown.net;
        while let Some(node) = waiting.pop() {
            if !std::mem::replace(&mut seen[node as usize], true) {
                let sure = net
                    .into(node)
                    .filter(|link| net.price(*link).status <= ceiling);
                waiting.extend(sure.map(|link| net.link(link).tail));
            }
        }
    }

    /// Marks everything that is reached from these.
    fn spread_on(&self, mut waiting: Vec<Id>, ceiling: Status, seen: &mut [bool]) {
        let net = &self.grown.net;
        while let Some(node) = waiting.pop() {
            if !std::mem::replace(&mut seen[node as usize], true) {
                let sure = net
                    .out(node)
                    .filter(|link| net.price(*link).status <= ceiling);
                waiting.extend(sure.map(|link| net.link(link).head));
            }
        }
    }

    /// The same estate after something was taken away, grown whole or within bounds. Nobody is
    /// asked who would hear it: that opens and shuts no way.
    pub(crate) fn again<'b>(
        &'b self,
        changed: &'b Snapshot,
        engine: &'b Engine,
        within: Option<&Narrow>,
    ) -> Graph<'b> {
        let interests = self.judge.interests.clone();
        Graph::build_within(
            changed,
            self.techniques,
            engine,
            (&Unheard, interests),
            within,
        )
    }

    /// The estate as it was seen.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        self.judge.scene.snapshot
    }

    /// The names of the policies a principal holds, its boundary's among them.
    pub(super) fn held_by(&self, id: Id) -> impl Iterator<Item = &str> {
        let actor = self.grown.actors.get(&id);
        let identity = actor.into_iter().flat_map(|actor| actor.identity.iter());
        let boundary = actor.into_iter().flat_map(|actor| actor.boundary.iter());
        let boundary = boundary.flat_map(|boundary| boundary.iter());
        identity.chain(boundary).map(|attached| &*attached.name)
    }

    /// The node of a principal of the snapshot.
    pub(super) fn id_of(&self, arn: &Arn) -> Option<Id> {
        self.grown.ids.get(&Node::principal(arn.clone())).copied()
    }
}
