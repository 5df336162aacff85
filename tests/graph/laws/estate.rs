//! What holds of an estate and of the same estate with one thing changed.

use std::collections::BTreeMap;

use palisade::graph::{Span, Unheard};
use palisade_model::{Arn, Gap, GapKind, Observed, Partition, PolicyText};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::draft::{Draft, GRANTS, draft, policy};
use super::{ACCOUNT, judged, never_above, pairs, paths};

/// The pairs that begin elsewhere: who is administrator no more is an entry now.
fn others(
    mut pairs: BTreeMap<(String, String), Span>,
    changed: &str,
) -> BTreeMap<(String, String), Span> {
    pairs.retain(|(entry, _), _| entry != changed);
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_deny_never_raises_a_score(draft in draft(), who in 0..4_usize, what in 0..GRANTS.len()) {
        let snapshot = draft.snapshot();
        let (before, total) = judged(&snapshot);
        let mut denied = snapshot.clone();
        let account = denied.accounts.get_mut(ACCOUNT).expect("it was put there");
        if let Some(roles) = account.iam.roles.value_mut()
            && let Some(role) = roles.values_mut().nth(who)
        {
            let (actions, resource) = GRANTS[what];
            let deny = policy("Deny", actions, &draft.named(resource));
            role.inline.insert("zz-deny".to_owned(), deny);
        }
        let (after, later) = judged(&denied);
        never_above(&after, &before)?;
        prop_assert!(later.overall.score.hi <= total.overall.score.hi);
    }

    #[test]
    fn a_grant_never_lowers_a_score(draft in draft(), who in 0..4_usize, what in 0..8_usize) {
        let snapshot = draft.snapshot();
        let (before, total) = judged(&snapshot);
        let mut granted = snapshot.clone();
        let account = granted.accounts.get_mut(ACCOUNT).expect("it was put there");
        let mut changed = String::new();
        if let Some(roles) = account.iam.roles.value_mut()
            && let Some(role) = roles.values_mut().nth(who)
        {
            let (actions, resource) = GRANTS[what];
            let allow = policy("Allow", actions, &draft.named(resource));
            role.inline.insert("zz-allow".to_owned(), allow);
            changed = role.arn.to_string();
        }
        let (after, later) = judged(&granted);
        for (pair, span) in &before {
            // An entry that became administrator by itself is a target and no entry.
            let now = after.get(pair).copied();
            prop_assert!(
                now.is_none_or(|now| now.hi >= span.hi) && (now.is_some() || pair.0 == changed),
                "{pair:?} fell from {} to {now:?}", span.hi
            );
        }
        prop_assert!(later.overall.worst.hi >= total.overall.worst.hi);
    }

    #[test]
    fn a_clean_account_changes_nothing(draft in draft()) {
        let mut snapshot = draft.snapshot();
        let (before, total) = judged(&snapshot);
        let clean = Draft { account: "999988887777".to_owned(), users: vec![(vec![9], false)],
            roles: vec![(vec![9], 1, false)], functions: vec![0], ..Draft::empty() };
        snapshot.accounts.insert(clean.account.clone(), clean.account());
        let (after, later) = judged(&snapshot);
        prop_assert_eq!(before, after);
        prop_assert_eq!(total.overall.score, later.overall.score);
    }

    #[test]
    fn renaming_the_account_changes_no_score(draft in draft()) {
        let (before, total) = judged(&draft.snapshot());
        let renamed = Draft { account: "555566667777".to_owned(), ..draft };
        let (after, later) = judged(&renamed.snapshot());
        let spans = |pairs: &BTreeMap<_, Span>| -> Vec<Span> { pairs.values().copied().collect() };
        prop_assert_eq!(spans(&before), spans(&after));
        prop_assert_eq!(total.overall, later.overall);
    }

    #[test]
    fn reading_what_was_unread_stays_inside_the_span(draft in draft()) {
        let known = draft.snapshot();
        let mut unread = known.clone();
        let account = unread.accounts.get_mut(ACCOUNT).expect("it was put there");
        for user in account.iam.users.value_mut().into_iter().flat_map(BTreeMap::values_mut) {
            user.access_keys = Gap::new("iam:ListAccessKeys", GapKind::Denied).into();
        }
        let before = pairs(&paths(&unread, &Unheard));
        for (pair, span) in pairs(&paths(&known, &Unheard)) {
            let wide = before.get(&pair).copied().unwrap_or_default();
            prop_assert!(
                wide.lo <= span.lo && span.hi <= wide.hi,
                "{pair:?}: {span:?} is not inside {wide:?}"
            );
        }
    }

    #[test]
    fn the_same_estate_gives_the_same_bytes(draft in draft()) {
        let snapshot = draft.snapshot();
        let write = || serde_json::to_string(&paths(&snapshot, &Unheard)).unwrap();
        prop_assert_eq!(write(), write());
    }

    #[test]
    fn a_condition_or_a_boundary_never_raises_a_score(draft in draft(), who in 0..4_usize, bound in any::<bool>()) {
        let snapshot = draft.snapshot();
        let (before, _) = judged(&snapshot);
        let mut limited = snapshot.clone();
        let account = limited.accounts.get_mut(ACCOUNT).expect("it was put there");
        let mut changed = String::new();
        if let Some(roles) = account.iam.roles.value_mut()
            && let Some(role) = roles.values_mut().nth(who)
        {
            changed = role.arn.to_string();
            if bound {
                let limit = Arn::iam(Partition::Aws, ACCOUNT, "policy", "/", "limit");
                role.boundary = Observed::Value(limit);
            }
            for text in role.inline.values_mut().filter(|_| !bound) {
                let mut document: Value = serde_json::from_str(text.as_str()).expect("it is JSON");
                document["Statement"][0]["Condition"] =
                    json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } });
                *text = PolicyText::from(document);
            }
        }
        let (after, _) = judged(&limited);
        never_above(&others(after, &changed), &before)?;
    }

    #[test]
    fn what_is_taken_away_never_raises_a_score(draft in draft(), who in 0..4_usize, user in any::<bool>()) {
        let snapshot = draft.snapshot();
        let (before, _) = judged(&snapshot);
        let mut less = snapshot.clone();
        let account = less.accounts.get_mut(ACCOUNT).expect("it was put there");
        let mut changed = String::new();
        if user {
            if let Some(user) = account.iam.users.value_mut().and_then(|all| all.values_mut().nth(who)) {
                changed = user.arn.to_string();
                drop(user.inline.pop_first());
            }
        } else if let Some(role) = account.iam.roles.value_mut().and_then(|all| all.values_mut().nth(who)) {
            changed = role.arn.to_string();
            drop(role.inline.pop_first());
        }
        let (after, _) = judged(&less);
        never_above(&others(after, &changed), &before)?;
    }

    #[test]
    fn what_another_account_suffers_never_lowers_the_whole(one in draft(), two in draft()) {
        let two = Draft { account: "444455556666".to_owned(), ..two };
        let (_, first) = judged(&one.snapshot());
        let (_, second) = judged(&two.snapshot());
        let mut both = one.snapshot();
        both.accounts.insert(two.account.clone(), two.account());
        let (_, whole) = judged(&both);
        prop_assert!(whole.overall.score.hi >= first.overall.score.hi);
        prop_assert!(whole.overall.score.hi >= second.overall.score.hi);
        prop_assert!(whole.overall.score.lo >= first.overall.score.lo.max(second.overall.score.lo));
    }

    #[test]
    fn names_and_regions_change_no_score(draft in draft()) {
        let (before, total) = judged(&draft.snapshot());
        let other = Draft {
            prefix: "zz-".to_owned(),
            region: "eu-west-1".to_owned(),
            ..draft
        };
        let (after, later) = judged(&other.snapshot());
        let spans = |pairs: &BTreeMap<_, Span>| -> Vec<Span> { pairs.values().copied().collect() };
        prop_assert_eq!(spans(&before), spans(&after));
        prop_assert_eq!(total.overall, later.overall);
    }

    #[test]
    fn the_order_of_statements_changes_nothing(draft in draft()) {
        let together = |reversed: bool| {
            let mut snapshot = draft.snapshot();
            let account = snapshot.accounts.get_mut(ACCOUNT).expect("it was put there");
            for role in account.iam.roles.value_mut().into_iter().flat_map(BTreeMap::values_mut) {
                let texts = std::mem::take(&mut role.inline).into_values();
                let mut all: Vec<Value> = texts
                    .map(|text| serde_json::from_str::<Value>(text.as_str()).expect("it is JSON"))
                    .map(|mut document| document["Statement"][0].take())
                    .collect();
                if reversed {
                    all.reverse();
                }
                let text = json!({ "Version": "2012-10-17", "Statement": all });
                role.inline.insert("all".to_owned(), PolicyText::from(text));
            }
            pairs(&paths(&snapshot, &Unheard))
        };
        prop_assert_eq!(together(false), together(true));
    }
}
