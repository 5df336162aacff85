//! A way from an entry to a target, and the answer to a search for them.

use serde::{Deserialize, Serialize};

use super::weigh::{Band, Score, Span};
use super::{Edge, Node, Status, Stop};

/// The best way from one entry to one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    /// A name that stays as long as entry, target and techniques stay.
    pub id: String,
    /// Where it begins.
    pub entry: Stop,
    /// Which kind of beginning that is: a row of the entry weights.
    pub entry_class: String,
    /// Where it ends.
    pub target: Stop,
    /// Its steps, in order.
    pub hops: Vec<Edge>,
    /// For each step, who else stands where it arrives; as long as `hops`.
    pub stops: Vec<Stop>,
    /// The least sure of its steps.
    pub status: Status,
    /// Its score.
    pub score: Span,
    /// Inputs of the score in one line: equal lines and weights give equal scores.
    pub vector: String,
    /// The sum, factor by factor, for the upper end of the score.
    pub waterfall: Vec<Factor>,
    /// How long it takes, in minutes.
    pub minutes: u32,
    /// Limits that a target's account sets and that no administrator of it can pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ceiling: Vec<String>,
}

impl Path {
    /// The band of the upper end.
    pub fn band(&self) -> Band {
        self.score.hi.band()
    }

    /// The techniques, in order.
    pub fn techniques(&self) -> impl Iterator<Item = &str> {
        self.hops.iter().map(|hop| hop.technique.as_str())
    }

    /// The nodes, in order: the entry, then where each step arrives.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::once(&self.entry.node).chain(self.hops.iter().map(|hop| &hop.to))
    }
}

/// One line of a waterfall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// What it is for: a row of the weights, and where it applies.
    pub name: String,
    /// The factor, in parts per million.
    pub ppm: u32,
    /// The score after it.
    pub after: Score,
}

/// What to search for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Entries to start from; empty: every entry of the estate.
    pub from: Vec<Node>,
    /// Targets to reach; empty: every administrator and every crown jewel.
    pub to: Vec<Node>,
    /// Bounds on the work and the answer.
    pub limits: Limits,
}

/// Bounds on the work and the answer. Whatever is cut off is said in [`PathSet::caps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Further ways per entry and target.
    pub alternatives: usize,
    /// Labels kept per node and target in the search.
    pub labels: usize,
    /// Pairs of entry and target that are written out.
    pub pairs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            alternatives: 5,
            labels: 64,
            pairs: 10_000,
        }
    }
}

/// The answer: one [`Pair`] per entry and target, worst first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathSet {
    /// Pairs of entry and target, the highest upper end first.
    pub pairs: Vec<Pair>,
    /// For each target, what all pairs come to, those among them that are not listed.
    pub totals: Vec<Total>,
    /// All that each entry reaches, where entries were asked for and no target was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reach: Vec<BlastRadius>,
    /// What was cut off, in words; empty when nothing was.
    pub caps: Vec<String>,
    /// The weights' version.
    pub weights: String,
}

impl PathSet {
    /// Every best path, worst first.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.pairs.iter().map(|pair| &pair.best)
    }
}

/// What all pairs with one target come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// The target.
    pub target: Node,
    /// The highest ends among the pairs.
    pub worst: Span,
    /// The sum of the upper ends, in tenths of a point.
    pub sum_hi: u64,
    /// The sum of the lower ends, in tenths of a point.
    pub sum_lo: u64,
    /// How many entries reach it for certain or under conditions.
    pub entries: usize,
    /// How many reach it only if a gap resolves badly.
    pub possible: usize,
    /// The fewest steps from any entry.
    pub shortest: usize,
    /// Principals of the account that could have been entries: what exposure is a share of.
    pub principals: usize,
}

impl Pair {
    /// Every path that is written out, the surest first.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let less_sure = self.worse_if.iter().rev();
        std::iter::once(&self.best)
            .chain(less_sure)
            .chain(&self.alternatives)
    }
}

/// Everything known about one entry and one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The surest path, and of those as sure the one whose upper end is highest.
    pub best: Path,
    /// Paths with a higher upper end that are less sure: what it comes to if conditions can be met
    /// or gaps resolve badly; the highest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worse_if: Vec<Path>,
    /// Other ways that differ in a technique or a choke edge, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Path>,
    /// The score of the pair: the lower end is what holds whatever the gaps hide, the upper end
    /// what a search cut short could still have found.
    pub score: Span,
    /// How many different ways there are, counted up to a ceiling and never listed.
    pub ways: u64,
}

/// All a node can reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlastRadius {
    /// Whose reach it is.
    pub of: Node,
    /// What it reaches for certain or under conditions, sorted.
    pub reached: Vec<Node>,
    /// What it reaches only if a gap resolves badly, sorted.
    pub possible: Vec<Node>,
}

/// A step whose loss cuts many paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChokePoint {
    /// The step.
    pub from: Node,
    /// What it gains.
    pub to: Node,
    /// The technique; several, joined by a comma, where each of them leads there.
    pub technique: String,
    /// How many pairs of entry and target lose every path without it.
    pub cuts: usize,
    /// The pairs that were looked at.
    pub of: usize,
    /// The highest score among those it cuts.
    pub worst: Score,
}
