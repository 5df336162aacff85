//! In which regions something new is worth trying: one of each sort that the policies tell apart.

use std::collections::BTreeSet;

use super::actor::{Actor, Crew};
use super::judge::Judge;
use crate::policy::{Attached, Glob};

impl Judge<'_> {
    /// Regions of an account in which something new is tried: the home region first, and of all
    /// regions that no policy of those who try tells apart, the first.
    pub(super) fn regions_for(&self, crew: &Crew<'_>, account: &str) -> Vec<String> {
        let Some(local) = self.scene.local(account) else {
            return Vec::new();
        };
        let mut patterns = BTreeSet::new();
        for actor in [Some(crew.first), crew.second].into_iter().flatten() {
            self.speak_of_regions(actor, &mut patterns);
        }
        let globs: Vec<Glob> = patterns.iter().map(|pattern| Glob::new(pattern)).collect();
        let mut seen: BTreeSet<Vec<bool>> = BTreeSet::new();
        let sort = |region: &String| globs.iter().map(|glob| glob.matches(region)).collect();
        let first = local
            .regions
            .iter()
            .filter(|region| seen.insert(sort(region)));
        first.cloned().collect()
    }

    fn speak_of_regions(&self, actor: &Actor, into: &mut BTreeSet<String>) {
        let mut read = |policies: &[Attached]| {
            for document in policies.iter().filter_map(|held| held.policy.document()) {
                for statement in &document.statements {
                    let asked = statement.conditions.iter().filter(|condition| {
                        condition.key.eq_ignore_ascii_case("aws:RequestedRegion")
                    });
                    let values = asked.flat_map(|condition| &condition.values);
                    into.extend(values.map(|value| value.to_ascii_lowercase()));
                    let named = [&statement.resources, &statement.not_resources];
                    let named = named.into_iter().flatten().flatten();
                    let regions = named.filter_map(|arn| arn.split(':').nth(3));
                    let told = regions.filter(|region| !matches!(*region, "" | "*"));
                    into.extend(told.map(str::to_ascii_lowercase));
                }
            }
        };
        read(&actor.identity);
        if let Some(boundary) = actor.boundary.as_deref() {
            read(boundary);
        }
        let scps = self.engine.standing(actor.arn.as_str()).scps;
        scps.unwrap_or_default()
            .iter()
            .for_each(|level| read(level));
    }
}
