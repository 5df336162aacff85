//! Choke points: steps that every way from many entries passes.

use std::collections::{BTreeMap, BTreeSet};

use super::find::Graph;
use super::grow::{Drawn, Step};
use super::net::Id;
use super::search::End;
use super::shape::passages;
use super::weigh::Score;
use super::{ChokePoint, Limits, Status};

/// A step, or several that gain the same, by where it begins and ends.
type Bundle = (Id, Id);

impl Graph<'_> {
    /// The steps whose loss cuts most pairs of entry and target, best first. Several techniques
    /// that lead from one principal to the same other one are one step here: a fix that leaves
    /// one of them cuts nothing.
    pub fn choke_points(&self, limit: usize) -> Vec<ChokePoint> {
        let entries = self.entries(&[]);
        let hubs: BTreeMap<Id, &Step> = self
            .grown
            .steps
            .iter()
            .map(|step| (step.hub, step))
            .collect();
        let mut by_ends: BTreeMap<Bundle, BTreeSet<&str>> = BTreeMap::new();
        for step in self
            .grown
            .steps
            .iter()
            .filter(|step| !matches!(step.drawn, Drawn::Is | Drawn::Breach))
        {
            for target in &step.targets {
                let bundle = by_ends.entry((step.source, *target)).or_default();
                bundle.insert(self.technique_of(step.drawn));
            }
        }
        let mut cuts: BTreeMap<(Bundle, String), (usize, Score)> = BTreeMap::new();
        let mut of = 0;
        for target in self.targets(&[]) {
            let next = passages(&self.grown.net, target, Status::Conditional);
            let cap = Limits::default().labels;
            let labels = self.search(target, Status::Conditional, End::Hi, cap);
            for entry in &entries {
                let Some((_, best)) = self.best_label(&labels, entry, target) else {
                    continue;
                };
                of += 1;
                for passed in self.passed(entry.id, &next, &hubs, &by_ends) {
                    let slot = cuts.entry(passed).or_insert((0, Score::NONE));
                    *slot = (slot.0 + 1, slot.1.max(best));
                }
            }
        }
        let mut found: Vec<ChokePoint> = cuts
            .into_iter()
            .filter_map(|(((from, to), technique), (cuts, worst))| {
                let (from, to) = (self.real(from)?, self.real(to)?);
                Some(ChokePoint {
                    from,
                    to,
                    technique,
                    cuts,
                    of,
                    worst,
                })
            })
            .collect();
        found.sort_by(|a, b| {
            let key = |c: &ChokePoint| (std::cmp::Reverse((c.cuts, c.worst)), c.from.clone());
            key(a)
                .cmp(&key(b))
                .then_with(|| (&a.to, &a.technique).cmp(&(&b.to, &b.technique)))
        });
        found.truncate(limit);
        found
    }

    /// The steps every way from an entry passes.
    fn passed(
        &self,
        entry: Id,
        next: &[Option<Id>],
        hubs: &BTreeMap<Id, &Step>,
        by_ends: &BTreeMap<Bundle, BTreeSet<&str>>,
    ) -> BTreeSet<(Bundle, String)> {
        let mut passed = BTreeSet::new();
        let (mut at, mut through) = (entry, None);
        while let Some(after) = next[at as usize].filter(|after| *after != at) {
            if let Some(step) = hubs.get(&after) {
                through = Some(*step);
            } else if let Some(step) = through.take() {
                if !matches!(step.drawn, Drawn::Is | Drawn::Breach) {
                    let technique = self.technique_of(step.drawn).to_owned();
                    passed.insert(((step.source, after), technique));
                }
            } else if let Some(techniques) = by_ends.get(&(at, after)) {
                let all: Vec<&str> = techniques.iter().copied().collect();
                passed.insert(((at, after), all.join(", ")));
            }
            at = after;
        }
        passed
    }
}
