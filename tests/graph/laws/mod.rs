//! The laws of the score, on small estates of every kind and the real engine.
//!
//! | law | says | proven by |
//! |---|---|---|
//! | P1 | 0 ≤ S ≤ 100 | `path::scores_lie_between_nothing_and_everything_and_explain_themselves` |
//! | P2 | a step more never raises S | `path::a_step_more_on_the_way_never_raises_a_score` |
//! | P3 | less detection never lowers S | `path::louder_alarms_never_raise_a_score` |
//! | P4 | a condition or control never raises S | `estate::a_deny_never_raises_a_score`, `estate::a_condition_or_a_boundary_never_raises_a_score` |
//! | P5 | S follows E and I | `path::what_is_worth_less_never_scores_more`, `path::an_entry_that_is_easier_never_scores_less` |
//! | P6 | max ≤ A ≤ 100, in one band | `path::accounts_stay_in_the_band_of_their_worst_path` |
//! | P7 | another pair never lowers A | `estate::what_another_account_suffers_never_lowers_the_whole` |
//! | P8 | what is clean changes nothing | `estate::a_clean_account_changes_nothing` |
//! | P9 | a capability more never lowers, one less never raises A | `estate::a_grant_never_lowers_a_score`, `estate::what_is_taken_away_never_raises_a_score` |
//! | P10 | reading what was unread stays within the span | `estate::reading_what_was_unread_stays_inside_the_span` |
//! | P11 | names, order and regions change nothing | `estate::names_and_regions_change_no_score`, `estate::the_order_of_statements_changes_nothing`, `estate::renaming_the_account_changes_no_score` |
//! | P12 | weights that break their own order are refused | `an_order_that_is_broken_is_refused`, beside the weights |

mod draft;
mod estate;
mod path;

use std::collections::BTreeMap;

use palisade::graph::{Detection, Detects, Graph, Level, PathSet, Query, Span, Unheard};
use palisade::policy::Engine;
use palisade::score::{Postures, score};
use palisade_checks::techniques;
use palisade_model::Snapshot;
use proptest::prelude::*;

const ACCOUNT: &str = "111122223333";

/// Every call is as loud as this.
struct Loud(Level, bool);

impl Detects for Loud {
    fn detection(&self, _: &str, _: &str, _: &str) -> Detection {
        Detection {
            level: self.0,
            protected: self.1,
        }
    }
}

fn paths(snapshot: &Snapshot, detects: &dyn Detects) -> PathSet {
    let engine = Engine::new(snapshot);
    let techniques = techniques().expect("the catalogue loads");
    let graph = Graph::build(snapshot, techniques, &engine, detects);
    graph.paths(&Query::default())
}

/// Scores by entry and target, whoever stands for an entry.
fn pairs(set: &PathSet) -> BTreeMap<(String, String), Span> {
    let mut all = BTreeMap::new();
    for pair in &set.pairs {
        let (entry, target) = (&pair.best.entry, pair.best.target.node.id());
        let alike = std::iter::once(&entry.node).chain(&entry.members);
        all.extend(alike.map(|node| ((node.id(), target.clone()), pair.score)));
        let circle = entry.circle.iter();
        all.extend(circle.map(|fellow| ((fellow.node.id(), target.clone()), fellow.score)));
    }
    all
}

fn judged(snapshot: &Snapshot) -> (BTreeMap<(String, String), Span>, Postures) {
    let set = paths(snapshot, &Unheard);
    (pairs(&set), score(&set))
}

fn never_above(
    after: &BTreeMap<(String, String), Span>,
    before: &BTreeMap<(String, String), Span>,
) -> Result<(), TestCaseError> {
    for (pair, span) in after {
        let old = before.get(pair).copied().unwrap_or_default();
        prop_assert!(
            span.hi <= old.hi,
            "{pair:?} rose from {} to {}",
            old.hi,
            span.hi
        );
    }
    Ok(())
}
