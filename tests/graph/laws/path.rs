//! What holds of one path and of one account.

use std::collections::BTreeSet;

use palisade::graph::{Band, Graph, Interests, Level, Node, Query, Score, Unheard};
use palisade::policy::Engine;
use palisade::score::score;
use palisade_checks::techniques;
use palisade_model::{Arn, Partition, Time, User};
use proptest::prelude::*;

use super::draft::{Draft, NOW, draft};
use super::{ACCOUNT, Loud, never_above, pairs, paths};

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn scores_lie_between_nothing_and_everything_and_explain_themselves(draft in draft()) {
        let set = paths(&draft.snapshot(), &Unheard);
        for pair in &set.pairs {
            prop_assert!(pair.score.lo <= pair.score.hi && pair.score.hi <= Score(1000));
            prop_assert!(pair.score.hi > Score::NONE, "a path that exists is never nothing");
            let last = pair.best.waterfall.last().map(|line| line.after);
            prop_assert_eq!(last, Some(pair.best.score.hi));
            let highest = pair.paths().map(|path| path.score.hi).max();
            prop_assert_eq!(highest, Some(pair.score.hi));
            prop_assert!(pair.ways >= 1);
        }
        let overall = score(&set).overall;
        let worst = set.pairs.iter().map(|pair| pair.score.hi).max().unwrap_or_default();
        prop_assert!(overall.score.hi >= worst);
        prop_assert_eq!(overall.band, worst.band());
    }

    #[test]
    fn louder_alarms_never_raise_a_score(draft in draft(), protected in any::<bool>()) {
        let snapshot = draft.snapshot();
        let levels = [Level::None, Level::Logged, Level::Alarmed, Level::Contained];
        let scores: Vec<_> = levels
            .into_iter()
            .map(|level| pairs(&paths(&snapshot, &Loud(level, protected))))
            .collect();
        for (quiet, loud) in scores.iter().zip(&scores[1..]) {
            never_above(loud, quiet)?;
            for (pair, span) in loud {
                // Detection takes off at most a quarter, give or take the rounding.
                let quiet = scores[0][pair].hi.0;
                prop_assert!(u32::from(span.hi.0) * 4 + 4 >= u32::from(quiet) * 3);
            }
        }
        // A detector that can be switched off is worth no more than one that cannot.
        let weak = pairs(&paths(&snapshot, &Loud(Level::Alarmed, false)));
        let strong = pairs(&paths(&snapshot, &Loud(Level::Alarmed, true)));
        never_above(&strong, &weak)?;
    }

    #[test]
    fn a_step_more_on_the_way_never_raises_a_score(draft in draft()) {
        // A new user who may do nothing but become another principal.
        let mut snapshot = draft.snapshot();
        let before = pairs(&paths(&snapshot, &Unheard));
        let account = snapshot.accounts.get_mut(ACCOUNT).expect("it was put there");
        let arn = Arn::iam(Partition::Aws, ACCOUNT, "user", "/", "newcomer");
        let newcomer = User {
            arn: arn.clone(),
            inline: draft.inline(&[2]),
            ..User::default()
        };
        if let Some(users) = account.iam.users.value_mut() {
            users.insert("newcomer".to_owned(), newcomer);
        }
        let after = pairs(&paths(&snapshot, &Unheard));
        let through = format!("arn:aws:iam::{ACCOUNT}:user/u0");
        let target = format!("administrator:{ACCOUNT}");
        let long = after.get(&(arn.to_string(), target.clone())).copied();
        let short = before.get(&(through, target)).copied();
        if let (Some(long), Some(short)) = (long, short) {
            prop_assert!(long.hi <= short.hi, "{} became {}", short.hi, long.hi);
        }
    }

    #[test]
    fn what_is_worth_less_never_scores_more(draft in draft()) {
        let snapshot = draft.snapshot();
        let worth = pairs(&paths(&snapshot, &Unheard));
        let interests = Interests {
            sandboxes: BTreeSet::from([ACCOUNT.to_owned()]),
            ..Interests::default()
        };
        let engine = Engine::new(&snapshot);
        let techniques = techniques().expect("the catalogue loads");
        let graph = Graph::build_for(&snapshot, techniques, &engine, &Unheard, interests);
        let less = pairs(&graph.paths(&Query::default()));
        prop_assert_eq!(worth.keys().collect::<Vec<_>>(), less.keys().collect::<Vec<_>>());
        never_above(&less, &worth)?;
        prop_assert!(worth.iter().all(|(pair, span)| less[pair].hi < span.hi));
    }

    #[test]
    fn an_entry_that_is_easier_never_scores_less(draft in draft()) {
        let fresh = pairs(&paths(&draft.snapshot(), &Unheard));
        let keys_made = Time(NOW.0 - 400 * 86_400);
        let stale = pairs(&paths(&Draft { keys_made, ..draft }.snapshot(), &Unheard));
        never_above(&fresh, &stale)?;
        let users = fresh.iter().filter(|((entry, _), _)| entry.contains(":user/"));
        for (pair, span) in users {
            prop_assert!(stale[pair].hi > span.hi, "an old key makes nothing of {pair:?} easier");
        }
    }

    #[test]
    fn accounts_stay_in_the_band_of_their_worst_path(draft in draft()) {
        let set = paths(&draft.snapshot(), &Unheard);
        for (account, posture) in score(&set).accounts {
            let target = Node::administrator(account);
            let own = set.pairs.iter().filter(|pair| pair.best.target.node == target);
            let worst = own.map(|pair| pair.score.hi).max().unwrap_or_default();
            prop_assert!(worst <= posture.score.hi && posture.score.hi <= Score(1000));
            prop_assert_eq!(posture.band, worst.band());
        }
    }
}

#[test]
fn bands_have_the_edges_the_weights_state() {
    let edges = [
        (900, Band::Critical),
        (899, Band::High),
        (700, Band::High),
        (699, Band::Medium),
    ];
    for (tenths, band) in edges {
        assert_eq!(Score(tenths).band(), band);
    }
}
