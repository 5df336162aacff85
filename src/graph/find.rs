//! The graph as others use it: built once, then asked for paths, reach and choke points.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::technique::Technique;
use palisade_model::Snapshot;

use rustc_hash::FxHashMap;

use super::entry::Entry;
use super::grow::{Drawn, Grown, Growth};
use super::judge::Judge;
use super::narrow::Narrow;
use super::net::Id;
use super::plan::Plan;
use super::search::{End, Labels, Rules, backward};
use super::shape::ways;
use super::weigh::{Nats, Notices, Score, Span, nats, score};
use crate::policy::Engine;

use super::{
    BlastRadius, Detects, Edge, Interests, Limits, Node, Pair, Path, PathSet, Query, Status,
};

/// Who can become whom, and why.
///
/// Holds on to the snapshot: the statements behind a step are looked up when the step is shown.
pub struct Graph<'a> {
    pub(super) judge: Judge<'a>,
    pub(super) techniques: &'a [Technique],
    pub(super) plans: Vec<Plan<'a>>,
    pub(super) grown: Grown,
    /// Principals of the snapshot, by account.
    pub(super) population: BTreeMap<String, usize>,
    pub(super) notices: Notices,
}

/// How large a graph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Nodes, hubs and classes among them.
    pub nodes: usize,
    /// Links.
    pub links: usize,
    /// Steps: a class of principals gaining some targets in one way.
    pub steps: usize,
    /// Principals that act, those they can make of themselves among them.
    pub actors: usize,
}

impl<'a> Graph<'a> {
    /// Tries every technique on every principal of the snapshot.
    pub fn build(
        snapshot: &'a Snapshot,
        techniques: &'a [Technique],
        engine: &'a Engine,
        detects: &'a dyn Detects,
    ) -> Self {
        Self::build_for(snapshot, techniques, engine, detects, Interests::default())
    }

    /// Likewise, for somebody who says what matters to him.
    pub fn build_for(
        snapshot: &'a Snapshot,
        techniques: &'a [Technique],
        engine: &'a Engine,
        detects: &'a dyn Detects,
        interests: Interests,
    ) -> Self {
        Self::build_within(snapshot, techniques, engine, (detects, interests), None)
    }

    /// Likewise, without what leads nowhere.
    pub(super) fn build_within(
        snapshot: &'a Snapshot,
        techniques: &'a [Technique],
        engine: &'a Engine,
        (detects, interests): (&'a dyn Detects, Interests),
        within: Option<&Narrow>,
    ) -> Self {
        let judge = Judge::new(snapshot, engine, detects, interests);
        let mut plans: Vec<Plan<'a>> = techniques.iter().flat_map(Plan::all).collect();
        plans.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let grown = Growth::new(&judge, &plans, within).grow();
        judge.forget();
        let notices = Notices::new(judge.weights);
        let mut population = BTreeMap::new();
        for actor in grown.actors.values().filter(|actor| actor.mods.is_empty()) {
            *population
                .entry(actor.arn.account().to_owned())
                .or_insert(0) += 1;
        }
        Graph {
            judge,
            techniques,
            plans,
            grown,
            population,
            notices,
        }
    }

    /// The best path for every entry and target of the query.
    pub fn paths(&self, query: &Query) -> PathSet {
        let entries = self.entries(&query.from);
        let mut set = PathSet {
            weights: self.judge.weights.version.clone(),
            caps: self.grown.caps.iter().cloned().collect(),
            ..PathSet::default()
        };
        let by_id: FxHashMap<Id, &Entry> = entries.iter().map(|entry| (entry.id, entry)).collect();
        if query.to.is_empty() {
            let radius = query.from.iter().filter_map(|node| self.blast_radius(node));
            set.reach = radius.collect();
        }
        let mut pairs = Vec::new();
        for target in self.targets(&query.to) {
            let found = self.toward(target, &by_id, query, &mut set.caps);
            set.totals.extend(self.total_of(target, &found));
            pairs.extend(self.in_circles(target, self.together(found)));
        }
        pairs.sort_by(|a: &Found, b: &Found| {
            // What exists only if a gap resolves badly comes after what exists.
            (a.only_possible, b.span.hi)
                .cmp(&(b.only_possible, a.span.hi))
                .then_with(|| a.order.cmp(&b.order))
        });
        if pairs.len() > query.limits.pairs {
            let left = pairs.len() - query.limits.pairs;
            set.caps.push(format!(
                "{left} further pairs of entry and target are not listed"
            ));
            pairs.truncate(query.limits.pairs);
        }
        let detailed = self.affordable(&query.limits).min(pairs.len());
        if detailed < pairs.len() && query.limits.alternatives > 0 {
            set.caps.push(format!(
                "alternatives are given for the first {detailed} pairs"
            ));
        }
        set.pairs = pairs
            .iter()
            .enumerate()
            .map(|(at, found)| self.pair(found, at < detailed))
            .collect();
        set
    }

    /// Every node, sorted.
    pub fn nodes(&self) -> Vec<Node> {
        self.grown.ids.keys().cloned().collect()
    }

    /// The step from one node to another by a technique, with its evidence.
    pub fn step(&self, from: &Node, to: &Node, technique: &str) -> Option<Edge> {
        let (from, to) = (*self.grown.ids.get(from)?, *self.grown.ids.get(to)?);
        let stands = |source: Id| {
            source == from
                || self
                    .grown
                    .classes
                    .get(&source)
                    .is_some_and(|members| members.contains(&from))
        };
        let steps = self.grown.steps.iter().enumerate();
        let mut found: Vec<(Status, u32)> = steps
            .filter(|(_, step)| {
                step.targets.contains(&to)
                    && stands(step.source)
                    && self.technique_of(step.drawn) == technique
            })
            .map(|(at, step)| (self.grown.net.costs[step.cost as usize].status, at as u32))
            .collect();
        found.sort_unstable();
        found.first().map(|(_, at)| self.edge(from, *at, to))
    }

    /// How large it is.
    pub fn size(&self) -> Size {
        Size {
            nodes: self.grown.net.len(),
            links: self.grown.net.links.len(),
            steps: self.grown.steps.len(),
            actors: self.grown.actors.len(),
        }
    }

    /// How surely a principal reaches administrator of any account, by any chain.
    pub fn reaches_admin(&self, principal: &Node) -> Option<Status> {
        let from = *self.grown.ids.get(principal)?;
        [Status::Proven, Status::Conditional, Status::Possible]
            .into_iter()
            .find(|ceiling| {
                let reached = self.grown.net.reached(from, *ceiling);
                self.targets(&[])
                    .iter()
                    .any(|target| reached[*target as usize])
            })
    }

    /// All a node can reach.
    pub fn blast_radius(&self, of: &Node) -> Option<BlastRadius> {
        let from = *self.grown.ids.get(of)?;
        let sure = self.grown.net.reached(from, Status::Conditional);
        let all = self.grown.net.reached(from, Status::Possible);
        let nodes = |wanted: &dyn Fn(usize) -> bool| -> Vec<Node> {
            let nodes = self.grown.nodes.iter().enumerate();
            let reached = nodes.filter(|(at, _)| *at as Id != from && wanted(*at));
            let mut reached: Vec<Node> = reached.filter_map(|(_, node)| node.clone()).collect();
            reached.sort();
            reached
        };
        Some(BlastRadius {
            of: of.clone(),
            reached: nodes(&|at| sure[at]),
            possible: nodes(&|at| all[at] && !sure[at]),
        })
    }

    /// Every node from which `target` is reached, sorted.
    pub fn reaching(&self, target: &Node, ceiling: Status) -> Vec<Node> {
        let Some(to) = self.grown.ids.get(target) else {
            return Vec::new();
        };
        let reaching = self.grown.net.reaching(*to, ceiling);
        let nodes = self.grown.nodes.iter().zip(&reaching);
        let mut found: Vec<Node> = nodes
            .filter(|(_, reaches)| **reaches)
            .filter_map(|(node, _)| node.clone().filter(|node| node != target))
            .collect();
        found.sort();
        found
    }

    /// The node behind a number, or the first member of the class.
    pub(super) fn real(&self, id: Id) -> Option<Node> {
        let member = self
            .grown
            .classes
            .get(&id)
            .and_then(|members| members.first());
        self.grown.nodes[*member.unwrap_or(&id) as usize].clone()
    }

    pub(super) fn technique_of(&self, drawn: Drawn) -> &str {
        match drawn {
            Drawn::Plan(number) => &self.plans[number as usize].technique.id,
            Drawn::Joint(number) => {
                let plan = self.grown.joints[number as usize].plan;
                &self.plans[plan as usize].technique.id
            }
            Drawn::Is => "is-administrator",
            Drawn::Takes => "administrator-of",
            Drawn::Breach => "assumed-breach",
        }
    }

    pub(super) fn search(&self, target: Id, ceiling: Status, end: End, cap: usize) -> Labels {
        let rules = Rules {
            ceiling,
            end,
            cap,
            weights: self.judge.weights,
            notices: &self.notices,
            banned: None,
        };
        backward(&self.grown.net, target, &rules)
    }

    pub(super) fn targets(&self, to: &[Node]) -> Vec<Id> {
        if to.is_empty() {
            return self.default_targets();
        }
        let wanted: BTreeSet<&Node> = to.iter().collect();
        let all = self.grown.ids.iter();
        all.filter(|(node, _)| wanted.contains(node))
            .map(|(_, id)| *id)
            .collect()
    }

    /// Finds the best way from each entry to one target.
    fn toward(
        &self,
        target: Id,
        by_id: &FxHashMap<Id, &Entry>,
        query: &Query,
        caps: &mut Vec<String>,
    ) -> Vec<Found> {
        let mut pairs = Vec::new();
        let cap = query.limits.labels;
        let possible = self.search(target, Status::Possible, End::Hi, cap);
        // Where every link is sure enough, a surer search would find the same.
        let sure = |ceiling: Status| {
            (possible.worst > ceiling).then(|| self.search(target, ceiling, End::Hi, cap))
        };
        let conditional = sure(Status::Conditional);
        let proven = sure(Status::Proven);
        let same = possible.worst <= Status::Conditional && !possible.uneven;
        let low = (!same).then(|| self.search(target, Status::Conditional, End::Lo, cap));
        let ways = ways(&self.grown.net, target, Status::Possible);
        if possible.dropped.is_some() {
            let node = self
                .real(target)
                .map(|node| node.to_string())
                .unwrap_or_default();
            caps.push(format!(
                "the search toward {node} kept {cap} labels per node; upper ends are bounds"
            ));
        }
        let mut reached: Vec<&Entry> = possible
            .nodes()
            .filter_map(|node| by_id.get(&node).copied())
            .collect();
        reached.sort_unstable_by_key(|entry| entry.id);
        for entry in reached.into_iter().filter(|entry| entry.id != target) {
            let Some((label, hi)) = self.best_label(&possible, entry, target) else {
                continue;
            };
            let bound = self.bound(&possible, entry, target);
            let lowest = low.as_ref().unwrap_or(&possible);
            let lo = self
                .best_label(lowest, entry, target)
                .map_or(Score::NONE, |(_, lo)| lo);
            let mut routes = vec![possible.links(label)];
            for surer in [&conditional, &proven].into_iter().flatten() {
                if let Some((label, _)) = self.best_label(surer, entry, target) {
                    let links = surer.links(label);
                    if !routes.contains(&links) {
                        routes.push(links);
                    }
                }
            }
            pairs.push(Found {
                entry: entry.clone(),
                members: Vec::new(),
                circle: Vec::new(),
                target,
                routes,
                span: Span {
                    lo,
                    hi: bound.map_or(hi, |bound| bound.max(hi)),
                },
                ways: ways[entry.id as usize],
                only_possible: lo == Score::NONE,
                order: (self.real(entry.id), self.real(target)),
                limits: query.limits,
            });
        }
        pairs
    }

    /// The best label of an entry, and the score it gives.
    pub(super) fn best_label(
        &self,
        labels: &Labels,
        entry: &Entry,
        target: Id,
    ) -> Option<(u32, Score)> {
        labels.of(entry.id).next()?;
        let fixed = self.fixed(entry, target);
        labels
            .of(entry.id)
            .map(|(at, label)| {
                (
                    at,
                    score(fixed + label.factors, label.noticed, self.judge.weights),
                    label.factors,
                )
            })
            .max_by(|a, b| a.1.cmp(&b.1).then(b.2.cmp(&a.2)).then(b.0.cmp(&a.0)))
            .map(|(at, score, _)| (at, score))
    }

    fn bound(&self, labels: &Labels, entry: &Entry, target: Id) -> Option<Score> {
        let (factors, noticed) = labels.dropped?;
        Some(score(
            self.fixed(entry, target) + factors,
            noticed,
            self.judge.weights,
        ))
    }

    /// What entry and target cost.
    pub(super) fn fixed(&self, entry: &Entry, target: Id) -> Nats {
        let weights = self.judge.weights;
        let class = self
            .real(target)
            .map_or("principal", |node| self.target_row(&node));
        let target = weights.target.get(class).copied().unwrap_or(1_000_000);
        let entry = weights.entry.get(entry.class).copied().unwrap_or(1_000_000);
        nats(target) + nats(entry)
    }

    fn pair(&self, found: &Found, detailed: bool) -> Pair {
        let mut paths: Vec<Path> = found
            .routes
            .iter()
            .map(|route| self.path(found, route))
            .collect();
        // The best of all stands first, then those that are surer.
        let best = paths.pop().expect("a pair is found by a route");
        Pair {
            best,
            worse_if: paths,
            alternatives: if detailed {
                self.alternatives(found)
            } else {
                Vec::new()
            },
            score: found.span,
            ways: found.ways,
        }
    }
}

/// A pair before it is written out.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) entry: Entry,
    /// Everybody who begins in the same way, the entry among them; empty when alone.
    pub(super) members: Vec<Id>,
    /// Others that can become the entry, and that it can become.
    pub(super) circle: Vec<(Id, Span)>,
    pub(super) target: Id,
    /// The route with the highest upper end, then those that are surer.
    pub(super) routes: Vec<Vec<u32>>,
    pub(super) span: Span,
    pub(super) ways: u64,
    /// Whether every way hangs on a gap.
    pub(super) only_possible: bool,
    pub(super) order: (Option<Node>, Option<Node>),
    pub(super) limits: Limits,
}
