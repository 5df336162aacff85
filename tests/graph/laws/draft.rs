//! Small estates of every kind.

use std::collections::BTreeMap;

use palisade_model::{
    AccessKey, Account, Arn, Function, Iam, Observed, Partition, PolicyText, Region, Role,
    Snapshot, Time, User,
};
use proptest::prelude::*;
use serde_json::json;

use super::ACCOUNT;

/// What a principal may be allowed; `ME` and `ACCOUNT` are filled in.
pub(super) const GRANTS: [(&[&str], &str); 12] = [
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

/// A small estate: who may do what, whom the roles trust, and what runs as them.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) account: String,
    /// What every name begins with.
    pub(super) prefix: String,
    /// Where functions run.
    pub(super) region: String,
    /// When every access key was made.
    pub(super) keys_made: Time,
    pub(super) users: Vec<(Vec<usize>, bool)>,
    pub(super) roles: Vec<(Vec<usize>, usize, bool)>,
    pub(super) functions: Vec<usize>,
}

/// When the estate is looked at.
pub(super) const NOW: Time = Time(1_793_491_200);

fn grants() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..GRANTS.len(), 0..3)
}

prop_compose! {
    pub(super) fn draft()(
        users in prop::collection::vec((grants(), any::<bool>()), 1..4),
        roles in prop::collection::vec((grants(), 0..4_usize, prop::bool::weighted(0.2)), 1..5),
        functions in prop::collection::vec(0..4_usize, 0..3),
    ) -> Draft {
        Draft { users, roles, functions, ..Draft::empty() }
    }
}

pub(super) fn policy(effect: &str, actions: &[&str], resource: &str) -> PolicyText {
    let statement = json!({ "Effect": effect, "Action": actions, "Resource": resource });
    PolicyText::from(json!({ "Version": "2012-10-17", "Statement": [statement] }))
}

impl Draft {
    pub(super) fn empty() -> Self {
        Draft {
            account: ACCOUNT.to_owned(),
            prefix: String::new(),
            region: "us-east-1".to_owned(),
            keys_made: NOW,
            users: Vec::new(),
            roles: Vec::new(),
            functions: Vec::new(),
        }
    }

    /// The resource of a grant, as it is called here.
    pub(super) fn named(&self, resource: &str) -> String {
        let names = resource.replace("ACCOUNT", &self.account);
        let names = names.replace("user/u", &format!("user/{}u", self.prefix));
        names.replace("role/r", &format!("role/{}r", self.prefix))
    }

    pub(super) fn inline(&self, grants: &[usize]) -> BTreeMap<String, PolicyText> {
        let text = |at: &usize| {
            let (actions, resource) = GRANTS[*at];
            policy("Allow", actions, &self.named(resource))
        };
        grants
            .iter()
            .enumerate()
            .map(|(n, at)| (format!("p{n}"), text(at)))
            .collect()
    }

    pub(super) fn account(&self) -> Account {
        let id = &self.account;
        let own = |name: &str| format!("{}{name}", self.prefix);
        let arn = |kind: &str, name: &str| Arn::iam(Partition::Aws, id, kind, "/", &own(name));
        let mut users = BTreeMap::new();
        for (n, (grants, two_keys)) in self.users.iter().enumerate() {
            let keys = if *two_keys { 2 } else { 1 };
            let key = |k| AccessKey {
                id: format!("AKIA{id}{n}{k}"),
                created: Some(self.keys_made),
                ..AccessKey::default()
            };
            let user = User {
                arn: arn("user", &format!("u{n}")),
                inline: self.inline(grants),
                access_keys: Observed::Value((0..keys).map(key).collect()),
                ..User::default()
            };
            users.insert(own(&format!("u{n}")), user);
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
            roles.insert(own(&format!("r{n}")), role);
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
                arn: Arn::new(format!(
                    "arn:aws:lambda:{}:{id}:function:{name}",
                    self.region
                )),
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
            regions: Observed::Value(BTreeMap::from([(self.region.clone(), region)])),
            ..Account::default()
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot {
            taken_at: NOW,
            ..Snapshot::default()
        };
        snapshot
            .accounts
            .insert(self.account.clone(), self.account());
        snapshot
    }
}
