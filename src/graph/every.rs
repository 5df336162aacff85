//! Every step of the graph, one line each: what a reader or a test compares with.

use super::find::Graph;
use super::grow::Drawn;
use super::net::Id;
use super::{Node, Status};

impl Graph<'_> {
    /// Every step by a technique as `(from, technique, to, status)`, the surest of each kind,
    /// sorted; the members of a class each have their own.
    pub fn steps(&self) -> Vec<(Node, &str, Node, Status)> {
        let node = |id: Id| self.grown.nodes[id as usize].clone();
        let mut all = Vec::new();
        for step in &self.grown.steps {
            let Drawn::Plan(_) = step.drawn else {
                continue;
            };
            let technique = self.technique_of(step.drawn);
            let status = self.grown.net.costs[step.cost as usize].status;
            let alone = [step.source];
            let members = self.grown.classes.get(&step.source);
            let members = members.map_or(&alone[..], Vec::as_slice);
            for from in members.iter().filter_map(|member| node(*member)) {
                let others = step.targets.iter().filter_map(|target| node(*target));
                let others = others.filter(|to| *to != from);
                all.extend(others.map(|to| (from.clone(), technique, to, status)));
            }
        }
        all.sort();
        all.dedup_by(|later, first| later.0 == first.0 && later.1 == first.1 && later.2 == first.2);
        all
    }
}
