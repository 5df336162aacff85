//! Other ways from an entry to a target, and what all ways to a target come to.

use std::collections::BTreeSet;

use super::find::{Found, Graph};
use super::grow::{Drawn, Step};
use super::net::{FREE, Id};
use super::search::{End, Rules, backward};
use super::weigh::{Score, Span};
use super::{Limits, Node, Path, Status, Total};

/// Links that may be walked in search of alternatives, over all pairs together.
const WALK: usize = 40_000_000;

impl Graph<'_> {
    /// For how many pairs alternatives can be looked for.
    pub(super) fn affordable(&self, limits: &Limits) -> usize {
        if limits.alternatives == 0 {
            return 0;
        }
        // A pair takes about eight searches, and each walks most links once.
        (WALK / (8 * self.grown.net.links.len().max(1))).max(1)
    }

    /// The best ways that differ from the best one in a technique or a choke edge: for each step
    /// of it the best way without that technique in that place, and the best way that does not
    /// arrive where it arrives; at the target, not from where it came.
    pub(super) fn alternatives(&self, found: &Found) -> Vec<Path> {
        let Some(best) = found.routes.first() else {
            return Vec::new();
        };
        let mut seen: BTreeSet<Vec<u32>> = found.routes.iter().map(|r| self.steps_of(r)).collect();
        let mut routes: Vec<(Score, Vec<u32>)> = Vec::new();
        for (_, number, to) in self.hops(found.entry.id, best) {
            let without = &self.grown.steps[number as usize];
            if !matches!(without.drawn, Drawn::Plan(_) | Drawn::Joint(_)) {
                continue;
            }
            let technique = |link: u32| {
                let step = self.grown.net.link(link).step;
                step != FREE && self.uses(step, without)
            };
            let edge = |link: u32| {
                let link = self.grown.net.link(link);
                match to == found.target {
                    true => link.step != FREE && self.arrives(link.step, without.source, to),
                    false => link.head == to,
                }
            };
            let bans: [&dyn Fn(u32) -> bool; 2] = [&technique, &edge];
            for banned in bans {
                if let Some((score, route)) = self.way_without(found, banned)
                    && seen.insert(self.steps_of(&route))
                {
                    routes.push((score, route));
                }
            }
        }
        routes.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        routes.truncate(found.limits.alternatives);
        let paths = routes.iter().map(|(_, route)| self.path(found, route));
        paths.collect()
    }

    fn way_without(
        &self,
        found: &Found,
        banned: &dyn Fn(u32) -> bool,
    ) -> Option<(Score, Vec<u32>)> {
        let rules = Rules {
            ceiling: Status::Conditional,
            end: End::Hi,
            cap: found.limits.labels,
            weights: self.judge.weights,
            notices: &self.notices,
            banned: Some(banned),
        };
        let labels = backward(&self.grown.net, found.target, &rules);
        let (label, score) = self.best_label(&labels, &found.entry, found.target)?;
        Some((score, labels.links(label)))
    }

    /// Whether a step leads from a source to a target, by whatever technique.
    fn arrives(&self, step: u32, source: Id, target: Id) -> bool {
        let step = &self.grown.steps[step as usize];
        step.source == source && step.targets.contains(&target)
    }

    /// Whether a step is this one, or leads over it to one of its two principals.
    fn uses(&self, step: u32, wanted: &Step) -> bool {
        let step = &self.grown.steps[step as usize];
        let own = step.drawn == wanted.drawn && step.source == wanted.source;
        own || match step.drawn {
            Drawn::Joint(number) => {
                let joint = &self.grown.joints[number as usize];
                joint.ways.iter().any(|(_, way, _)| self.uses(*way, wanted))
            }
            _ => false,
        }
    }

    fn steps_of(&self, route: &[u32]) -> Vec<u32> {
        let steps = route.iter().map(|link| self.grown.net.link(*link).step);
        steps.filter(|step| *step != FREE).collect()
    }

    /// What all pairs with a target come to.
    pub(super) fn total_of(&self, target: Id, found: &[Found]) -> Option<Total> {
        let node = self.real(target)?;
        let account = node.account().unwrap_or_default();
        let principals = self.population.get(account).copied().unwrap_or(0);
        let hi = |found: &Found| found.span.hi;
        let lo = |found: &Found| found.span.lo;
        let sum = |end: fn(&Found) -> Score| found.iter().map(|f| u64::from(end(f).0)).sum();
        let inside = |found: &&Found| matches!(&found.order.0, Some(Node::Principal { arn }) if arn.account() == account);
        let breached = |ceiling| self.breached_toward(account, target, ceiling).len();
        let (entries, possible) = match self.judge.interests.assume_breach {
            true => {
                let sure = breached(Status::Conditional);
                (sure, breached(Status::Possible) - sure)
            }
            false => {
                let sure = found.iter().filter(inside);
                let sure = sure.filter(|f| lo(f) > Score::NONE).count();
                (sure, found.iter().filter(inside).count() - sure)
            }
        };
        Some(Total {
            target: node.clone(),
            worst: Span {
                lo: found.iter().map(lo).max().unwrap_or_default(),
                hi: found.iter().map(hi).max().unwrap_or_default(),
            },
            sum_hi: sum(hi),
            sum_lo: sum(lo),
            entries,
            possible,
            shortest: found
                .iter()
                .filter_map(|f| f.routes.first().map(|route| self.steps_of(route).len()))
                .min()
                .unwrap_or(0),
            principals,
        })
    }
}
