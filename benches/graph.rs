//! How long the escalation graph takes on made-up organizations of growing size.
//!
//! Prints for each size and shape what every stage took, and time and memory per principal: the
//! pair search and the root causes are in it. `cargo bench --bench graph -- 100000 200` asks for one
//! size; `cuts 100000 200` also works out which changes cut all paths.

#![allow(clippy::print_stdout, reason = "a bench says what it measured")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use palisade::graph::{Graph, Limits, Query, Unheard};
use palisade::policy::Engine;
use palisade_model::{
    AccessKey, Account, Arn, Function, Iam, InstanceProfile, ManagedPolicy, Observed, OrgAccount,
    OrgPolicy, OrgPolicyKind, Organization, Partition, PolicyText, Region, Role, Snapshot, User,
};
use serde_json::{Value, json};

fn main() {
    let sizes: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let runs = match sizes[..] {
        [principals, accounts, ..] => vec![(principals, accounts)],
        _ => vec![
            (1_000, 1),
            (10_000, 20),
            (25_000, 50),
            (50_000, 100),
            (100_000, 200),
        ],
    };
    let cuts = std::env::args().any(|arg| arg == "cuts");
    for (principals, accounts) in runs {
        let plain = palisade_mocks::generate(7, accounts, principals);
        measure("like one another", &plain, principals, cuts);
        let varied = organization(principals, accounts, 7);
        measure("each its own policy", &varied, principals, cuts);
    }
}

fn measure(name: &str, snapshot: &Snapshot, principals: usize, cuts: bool) {
    let techniques = palisade_checks::techniques().expect("the catalogue loads");
    let before = resident();
    let started = Instant::now();
    let engine = Engine::new(snapshot);
    let engine_took = started.elapsed();
    let started = Instant::now();
    let graph = Graph::build(snapshot, techniques, &engine, &Unheard);
    let build_took = started.elapsed();
    let started = Instant::now();
    let limits = Limits {
        pairs: 100,
        alternatives: 0,
        ..Limits::default()
    };
    let set = graph.paths(&Query {
        limits,
        ..Query::default()
    });
    let search_took = started.elapsed();
    let started = Instant::now();
    let causes = graph.causes(&set).0.len();
    let causes_took = started.elapsed();
    let memory = resident().saturating_sub(before) * 1024 / principals;
    let all = engine_took + build_took + search_took + causes_took;
    let worst = set.pairs.first().map(|pair| pair.score.to_string());
    println!(
        "{principals} principals in {} accounts, {name}: {all:.2?} (engine {engine_took:.2?}, \
         graph with pairs {build_took:.2?}, search {search_took:.2?}, {causes} causes \
         {causes_took:.2?}), {:.1} µs and {memory} bytes a principal",
        snapshot.accounts.len(),
        all.as_secs_f64() * 1e6 / principals as f64,
    );
    println!("  worst {}, {:?}", worst.unwrap_or_default(), graph.size());
    set.caps.iter().for_each(|cap| println!("  cap: {cap}"));
    if cuts {
        measure_cuts(&graph, all);
    }
}

/// What it takes to find the changes that cut every path, beside what the paths took.
fn measure_cuts(graph: &Graph<'_>, before: Duration) {
    let set = graph.paths(&Query {
        limits: Limits {
            alternatives: 0,
            ..Limits::default()
        },
        ..Query::default()
    });
    let started = Instant::now();
    let cuts = palisade::fix::cuts::cut(graph, &set);
    let took = started.elapsed();
    let times = took.as_secs_f64() / before.as_secs_f64();
    match cuts {
        Ok(Some(cuts)) => println!(
            "  {} changes cut {} listed paths, effort {} of at least {}, {} left: {took:.2?}, {times:.2} \
             times the rest",
            cuts.changes.len(),
            cuts.of,
            cuts.effort,
            cuts.at_least,
            cuts.left.len(),
        ),
        Ok(None) => println!("  nothing to cut: {took:.2?}"),
        Err(cap) => println!("  no cuts: {cap}: {took:.2?}"),
    }
}

/// Resident memory in KiB, where the system tells.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

/// A small generator of numbers: the same for the same seed everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }
}

fn policy(statements: Value) -> PolicyText {
    PolicyText::from(json!({ "Version": "2012-10-17", "Statement": statements }))
}

fn allow(actions: &[&str], resource: &str) -> PolicyText {
    policy(json!([{ "Effect": "Allow", "Action": actions, "Resource": resource }]))
}

fn trust(principal: Value) -> PolicyText {
    policy(json!([{ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }]))
}

fn organization(principals: usize, accounts: usize, seed: u64) -> Snapshot {
    let mut dice = Dice(seed);
    let ids: Vec<String> = (0..accounts)
        .map(|n| format!("{:012}", 100_000_000_000_u64 + n as u64))
        .collect();
    let mut snapshot = Snapshot {
        partition: Partition::Aws,
        ..Snapshot::default()
    };
    snapshot.taken_at = "2026-11-01T00:00:00Z".parse().expect("a fixed time");
    for (at, id) in ids.iter().enumerate() {
        let account = account(id, at, principals / accounts, &ids[0], &mut dice);
        snapshot.accounts.insert(id.clone(), account);
    }
    if accounts > 1 {
        snapshot.organization = Observed::Value(tree(&ids));
    }
    snapshot
}

fn tree(ids: &[String]) -> Organization {
    let full = OrgPolicy {
        name: "FullAWSAccess".to_owned(),
        kind: OrgPolicyKind::Scp,
        aws_managed: true,
        document: Observed::Value(allow(&["*"], "*")),
    };
    let guard = OrgPolicy {
        name: "guard".to_owned(),
        document: Observed::Value(policy(json!([
            { "Effect": "Deny", "Action": ["organizations:LeaveOrganization", "cloudtrail:StopLogging"], "Resource": "*" }
        ]))),
        ..full.clone()
    };
    let entry = |id: &String| {
        let entry = OrgAccount {
            name: id.clone(),
            status: "ACTIVE".to_owned(),
            parent: "r-root".to_owned(),
            joined: None,
        };
        (id.clone(), entry)
    };
    Organization {
        id: "o-abcdefghij".to_owned(),
        management_account: ids[0].clone(),
        feature_set: "ALL".to_owned(),
        root: Observed::Value("r-root".to_owned()),
        enabled_policy_types: Observed::Value(vec!["SERVICE_CONTROL_POLICY".to_owned()]),
        units: Observed::Value(BTreeMap::new()),
        accounts: Observed::Value(ids.iter().map(entry).collect()),
        policies: Observed::Value(BTreeMap::from([
            ("p-FullAWSAccess".to_owned(), full),
            ("p-guard".to_owned(), guard),
        ])),
        attachments: Observed::Value(
            std::iter::once((
                "r-root".to_owned(),
                vec!["p-FullAWSAccess".to_owned(), "p-guard".to_owned()],
            ))
            .chain(
                ids.iter()
                    .map(|id| (id.clone(), vec!["p-FullAWSAccess".to_owned()])),
            )
            .collect(),
        ),
        delegated_administrators: Observed::Value(BTreeMap::new()),
        trusted_services: Observed::Value(Vec::new()),
        resource_policy: Observed::Absent,
        root_access_features: Observed::Value(Vec::new()),
    }
}

fn account(id: &str, at: usize, principals: usize, management: &str, dice: &mut Dice) -> Account {
    let mut roles = BTreeMap::new();
    let mut functions = BTreeMap::new();
    for n in 0..principals * 9 / 10 {
        let role = role(id, n, principals, management, dice);
        if n % 10 == 3 {
            let name = format!("fn-{n}");
            let arn = Arn::new(format!("arn:aws:lambda:us-east-1:{id}:function:{name}"));
            let function = Function {
                arn,
                role: role.arn.clone(),
                runtime: "python3.13".to_owned(),
                ..Function::default()
            };
            functions.insert(name, function);
        }
        roles.insert(role.arn.name().to_owned(), role);
    }
    let users = (0..principals - roles.len())
        .map(|n| user(id, n, dice))
        .collect();
    let admin = Arn::from("arn:aws:iam::aws:policy/AdministratorAccess");
    let read = Arn::from("arn:aws:iam::aws:policy/ReadOnlyAccess");
    let managed = |name: &str, document| ManagedPolicy {
        name: name.to_owned(),
        default_version: "v1".to_owned(),
        versions: BTreeMap::from([("v1".to_owned(), document)]),
    };
    let policies = BTreeMap::from([
        (admin, managed("AdministratorAccess", allow(&["*"], "*"))),
        (
            read,
            managed(
                "ReadOnlyAccess",
                allow(
                    &[
                        "iam:Get*",
                        "iam:List*",
                        "ec2:Describe*",
                        "s3:Get*",
                        "s3:List*",
                        "lambda:Get*",
                        "lambda:List*",
                    ],
                    "*",
                ),
            ),
        ),
    ]);
    let iam = Iam {
        users: Observed::Value(users),
        roles: Observed::Value(roles),
        groups: Observed::Value(BTreeMap::new()),
        policies: Observed::Value(policies),
        ..Iam::default()
    };
    let region = Region {
        functions: Observed::Value(functions),
        ..Region::default()
    };
    let _ = at;
    Account {
        iam,
        regions: Observed::Value(BTreeMap::from([("us-east-1".to_owned(), region)])),
        ..Account::default()
    }
}

fn user(id: &str, n: usize, dice: &mut Dice) -> (String, User) {
    let name = format!("user-{n}");
    let mut user = User {
        arn: Arn::iam(Partition::Aws, id, "user", "/", &name),
        ..User::default()
    };
    user.access_keys = Observed::Value(vec![AccessKey {
        id: format!("AKIA{n:016}"),
        ..AccessKey::default()
    }]);
    user.attached
        .push(Arn::from("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    if dice.roll(20) == 0 {
        let deploy = ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"];
        user.inline.insert(
            "deploy".to_owned(),
            allow(
                &deploy,
                &format!("arn:aws:lambda:*:{id}:function:fn-{}*", dice.roll(9)),
            ),
        );
    }
    (name, user)
}

fn role(id: &str, n: usize, all: usize, management: &str, dice: &mut Dice) -> Role {
    let services = [
        "lambda.amazonaws.com",
        "ec2.amazonaws.com",
        "ecs-tasks.amazonaws.com",
        "glue.amazonaws.com",
        "states.amazonaws.com",
    ];
    let (path, name) = if n.is_multiple_of(7) {
        ("/ci/", format!("ci-{n}"))
    } else {
        ("/", format!("role-{n}"))
    };
    let mut role = Role {
        arn: Arn::iam(Partition::Aws, id, "role", path, &name),
        ..Role::default()
    };
    role.trust = match n % 10 {
        0 => trust(json!({ "AWS": format!("arn:aws:iam::{id}:root") })),
        1 => trust(json!({ "AWS": format!("arn:aws:iam::{management}:root") })),
        2 => trust(json!({ "AWS": format!("arn:aws:iam::{id}:role/role-{}", dice.roll(all)) })),
        3 => trust(json!({ "Service": "lambda.amazonaws.com" })),
        _ => trust(json!({ "Service": services[dice.roll(services.len())] })),
    };
    if n % 10 == 4 {
        let arn = Arn::iam(Partition::Aws, id, "instance-profile", "/", &name);
        role.instance_profiles.push(InstanceProfile {
            name: name.clone(),
            arn,
        });
    }
    let bucket = format!("arn:aws:s3:::bucket-{id}-{}/*", dice.roll(all));
    role.inline.insert(
        "data".to_owned(),
        allow(&["s3:GetObject", "s3:PutObject"], &bucket),
    );
    match dice.roll(200) {
        0 => drop(
            role.inline
                .insert("keys".to_owned(), allow(&["iam:CreateAccessKey"], "*")),
        ),
        1 => drop(role.inline.insert(
            "pass".to_owned(),
            allow(
                &[
                    "iam:PassRole",
                    "lambda:CreateFunction",
                    "lambda:InvokeFunction",
                ],
                "*",
            ),
        )),
        2 => role
            .attached
            .push(Arn::from("arn:aws:iam::aws:policy/AdministratorAccess")),
        3..=12 => drop(role.inline.insert(
            "assume".to_owned(),
            allow(&["sts:AssumeRole"], "arn:aws:iam::*:role/ci/*"),
        )),
        13..=16 => {
            let pass = allow(&["iam:PassRole"], &format!("arn:aws:iam::{id}:role/ci/*"));
            role.inline.insert("pass".to_owned(), pass);
            role.inline.insert(
                "run".to_owned(),
                allow(
                    &["ec2:RunInstances", "glue:CreateJob", "glue:StartJobRun"],
                    "*",
                ),
            );
        }
        17 => drop(role.inline.insert(
            "self".to_owned(),
            allow(
                &["iam:PutRolePolicy"],
                &format!("arn:aws:iam::{id}:role/role-*"),
            ),
        )),
        _ => {}
    }
    role
}
