//! The laws of the score, on small estates of every kind and the real engine.

use std::collections::BTreeMap;

use palisade::graph::{
    Band, Detection, Detects, Graph, Level, PathSet, Query, Score, Span, Unheard,
};
use palisade::policy::Engine;
use palisade::score::{Postures, score};
use palisade_checks::techniques;
use palisade_model::{
    AccessKey, Account, Arn, Function, Gap, GapKind, Iam, Observed, Partition, PolicyText, Region,
    Role, Snapshot, User,
};
use proptest::prelude::*;
use serde_json::json;

const ACCOUNT: &str = "111122223333";

/// What a principal may be allowed; `ME` and `ACCOUNT` are filled in.
const GRANTS: [(&[&str], &str); 12] = [
    (&["sts:AssumeRole"], "*"),
    (&["iam:CreateAccessKey"], "*"),
    (&["iam:CreateAccessKey"], "arn:aws:iam::ACCOUNT:user/u0"),
    (
        &[
            "iam:PassRole",
            "lambda:CreateFunction",
            "lambda:InvokeFunction",
        ],
        "*",
    ),
    (&["lambda:UpdateFunctionCode", "lambda:InvokeFunction"], "*"),
    (&["iam:PutRolePolicy"], "arn:aws:iam::ACCOUNT:role/r1"),
    (
        &["iam:UpdateAssumeRolePolicy"],
        "arn:aws:iam::ACCOUNT:role/r2",
    ),
    (&["iam:PutUserPolicy"], "arn:aws:iam::ACCOUNT:user/*"),
    (&["*"], "*"),
    (&["s3:GetObject"], "*"),
    (&["iam:AttachUserPolicy"], "*"),
    (&["iam:*"], "*"),
];

#[derive(Clone, Debug)]
struct Draft {
    account: String,
    users: Vec<(Vec<usize>, bool)>,
    roles: Vec<(Vec<usize>, usize, bool)>,
    functions: Vec<usize>,
}

fn grants() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..GRANTS.len(), 0..3)
}

prop_compose! {
    fn draft()(
        users in prop::collection::vec((grants(), any::<bool>()), 1..4),
        roles in prop::collection::vec((grants(), 0..4_usize, prop::bool::weighted(0.2)), 1..5),
        functions in prop::collection::vec(0..4_usize, 0..3),
    ) -> Draft {
        Draft { account: ACCOUNT.to_owned(), users, roles, functions }
    }
}

fn policy(effect: &str, actions: &[&str], resource: &str) -> PolicyText {
    let statement = json!({ "Effect": effect, "Action": actions, "Resource": resource });
    PolicyText::from(json!({ "Version": "2012-10-17", "Statement": [statement] }))
}

impl Draft {
    fn inline(&self, grants: &[usize]) -> BTreeMap<String, PolicyText> {
        let text = |at: &usize| {
            let (actions, resource) = GRANTS[*at];
            policy(
                "Allow",
                actions,
                &resource.replace("ACCOUNT", &self.account),
            )
        };
        grants
            .iter()
            .enumerate()
            .map(|(n, at)| (format!("p{n}"), text(at)))
            .collect()
    }

    fn account(&self) -> Account {
        let id = &self.account;
        let arn = |kind: &str, name: &str| Arn::iam(Partition::Aws, id, kind, "/", name);
        let mut users = BTreeMap::new();
        for (n, (grants, two_keys)) in self.users.iter().enumerate() {
            let keys = if *two_keys { 2 } else { 1 };
            let key = |k| AccessKey {
                id: format!("AKIA{id}{n}{k}"),
                ..AccessKey::default()
            };
            let user = User {
                arn: arn("user", &format!("u{n}")),
                inline: self.inline(grants),
                access_keys: Observed::Value((0..keys).map(key).collect()),
                ..User::default()
            };
            users.insert(format!("u{n}"), user);
        }
        let mut roles = BTreeMap::new();
        for (n, (grants, trust, bounded)) in self.roles.iter().enumerate() {
            let principal = match trust {
                0 => json!({ "AWS": format!("arn:aws:iam::{id}:root") }),
                1 => json!({ "Service": "lambda.amazonaws.com" }),
                2 => json!({ "AWS": arn("user", "u0") }),
                _ => json!({ "AWS": arn("role", "r0") }),
            };
            let trust = json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }
            ] });
            let boundary = arn("policy", "limit");
            let role = Role {
                arn: arn("role", &format!("r{n}")),
                trust: PolicyText::from(trust),
                inline: self.inline(grants),
                boundary: if *bounded {
                    Observed::Value(boundary)
                } else {
                    Observed::Absent
                },
                ..Role::default()
            };
            roles.insert(format!("r{n}"), role);
        }
        let limit = palisade_model::ManagedPolicy {
            name: "limit".to_owned(),
            default_version: "v1".to_owned(),
            versions: BTreeMap::from([("v1".to_owned(), policy("Allow", &["s3:*", "sts:*"], "*"))]),
        };
        let policies = BTreeMap::from([(arn("policy", "limit"), limit)]);
        let mut functions = BTreeMap::new();
        for (n, role) in self.functions.iter().enumerate() {
            let name = format!("f{n}");
            let function = Function {
                arn: Arn::new(format!("arn:aws:lambda:us-east-1:{id}:function:{name}")),
                role: arn("role", &format!("r{}", role % self.roles.len())),
                ..Function::default()
            };
            functions.insert(name, function);
        }
        // Every other kind was listed, and there is nothing.
        let nothing = |listing: &palisade_model::listing::Listing| {
            (listing.kind.to_owned(), Observed::Value(BTreeMap::new()))
        };
        let region = Region {
            functions: Observed::Value(functions),
            resources: palisade_model::listing::LISTINGS
                .iter()
                .map(nothing)
                .collect(),
            ..Region::default()
        };
        Account {
            iam: Iam {
                users: Observed::Value(users),
                roles: Observed::Value(roles),
                groups: Observed::Value(BTreeMap::new()),
                policies: Observed::Value(policies),
                ..Iam::default()
            },
            regions: Observed::Value(BTreeMap::from([("us-east-1".to_owned(), region)])),
            ..Account::default()
        }
    }

    fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot
            .accounts
            .insert(self.account.clone(), self.account());
        snapshot
    }
}

/// Every call is as loud as this.
struct Loud(Level);

impl Detects for Loud {
    fn detection(&self, _: &str, _: &str, _: &str) -> Detection {
        Detection {
            level: self.0,
            protected: true,
        }
    }
}

fn paths(snapshot: &Snapshot, detects: &dyn Detects) -> PathSet {
    let engine = Engine::new(snapshot);
    let techniques = techniques().expect("the catalogue loads");
    let graph = Graph::build(snapshot, techniques, &engine, detects);
    graph.paths(&Query::default())
}

/// Scores by entry and target.
fn pairs(set: &PathSet) -> BTreeMap<(String, String), Span> {
    let key =
        |pair: &palisade::graph::Pair| (pair.best.entry.node.id(), pair.best.target.node.id());
    set.pairs
        .iter()
        .map(|pair| (key(pair), pair.score))
        .collect()
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
    fn a_deny_never_raises_a_score(draft in draft(), who in 0..4_usize, what in 0..GRANTS.len()) {
        let snapshot = draft.snapshot();
        let (before, total) = judged(&snapshot);
        let mut denied = snapshot.clone();
        let account = denied.accounts.get_mut(ACCOUNT).expect("it was put there");
        if let Some(roles) = account.iam.roles.value_mut()
            && let Some(role) = roles.values_mut().nth(who)
        {
            let (actions, resource) = GRANTS[what];
            let deny = policy("Deny", actions, &resource.replace("ACCOUNT", ACCOUNT));
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
            let allow = policy("Allow", actions, &resource.replace("ACCOUNT", ACCOUNT));
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
    fn louder_alarms_never_raise_a_score(draft in draft()) {
        let snapshot = draft.snapshot();
        let levels = [Level::None, Level::Logged, Level::Alarmed, Level::Contained];
        let scores: Vec<_> =
            levels.into_iter().map(|level| pairs(&paths(&snapshot, &Loud(level)))).collect();
        for (quiet, loud) in scores.iter().zip(&scores[1..]) {
            never_above(loud, quiet)?;
            for (pair, span) in loud {
                // Detection takes off at most a quarter, give or take the rounding.
                let quiet = scores[0][pair].hi.0;
                prop_assert!(u32::from(span.hi.0) * 4 + 4 >= u32::from(quiet) * 3);
            }
        }
    }

    #[test]
    fn a_clean_account_changes_nothing(draft in draft()) {
        let mut snapshot = draft.snapshot();
        let (before, total) = judged(&snapshot);
        let clean = Draft { account: "999988887777".to_owned(), users: vec![(vec![9], false)],
            roles: vec![(vec![9], 1, false)], functions: vec![0] };
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
