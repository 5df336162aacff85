//! Whether the time of a snapshot is the time at which policies are judged.

use std::collections::BTreeMap;

use palisade_model::{Account, GapKind, PolicyText, Snapshot, Time};

use crate::policy::document::Document;

/// Whether what policies say of the time can be held against the time of the snapshot. An export
/// of authorization details does not say when it was made: its time is the latest it speaks of, and
/// a policy that speaks of a later one may be in force or not.
pub(super) fn is_dated(snapshot: &Snapshot) -> bool {
    let unasked = |account: &Account| {
        let gap = account.iam.root.gap();
        gap.is_some_and(|gap| gap.kind == GapKind::NotCollected)
    };
    if snapshot.accounts.is_empty() || !snapshot.accounts.values().all(unasked) {
        return true;
    }
    let later = |text: &PolicyText| {
        let lower = text.as_str().to_ascii_lowercase();
        lower.contains("aws:currenttime")
            && Document::parse(text.as_str()).is_ok_and(|document| {
                let conditions = document.statements.iter().flat_map(|s| &s.conditions);
                let mut about =
                    conditions.filter(|c| c.key.eq_ignore_ascii_case("aws:CurrentTime"));
                about.any(|c| {
                    let time = |value: &String| value.parse::<Time>().ok();
                    c.values
                        .iter()
                        .any(|v| time(v).is_none_or(|at| at > snapshot.taken_at))
                })
            })
    };
    !snapshot.accounts.values().any(|account| {
        let iam = &account.iam;
        let users = iam.users.value().into_iter().flat_map(BTreeMap::values);
        let groups = iam.groups.value().into_iter().flat_map(BTreeMap::values);
        let roles = iam.roles.value().into_iter().flat_map(BTreeMap::values);
        let managed = iam.policies.value().into_iter().flat_map(BTreeMap::values);
        users.flat_map(|user| user.inline.values()).any(later)
            || groups.flat_map(|group| group.inline.values()).any(later)
            || managed
                .flat_map(|policy| policy.versions.values())
                .any(later)
            || roles
                .flat_map(|role| role.inline.values().chain([&role.trust]))
                .any(later)
    })
}
