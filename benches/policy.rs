//! How fast the policy engine decides, on pre-compiled policies and without any cache of results.
//!
//! `cargo bench --no-default-features --bench policy`. Requests are shuffled. Compiling and
//! building requests are measured apart. Times are the CPU time of the one thread that works, so
//! that other jobs on the machine count for little. At the end memory per principal is printed,
//! taken from the resident set of the process.
#![allow(clippy::print_stdout, reason = "memory is printed beside the timings")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput};
use palisade::policy::simulate::Case;
use palisade::policy::{Attached, CompiledPolicy, Context, Engine, Layers, Request, decide};
use palisade_model::Snapshot;
use serde_json::{Value, json};

/// CPU time of this thread, as Linux accounts for it.
struct CpuTime;

impl CpuTime {
    fn now() -> Duration {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let nanos = text.split_whitespace().next().and_then(|n| n.parse().ok());
        Duration::from_nanos(nanos.expect("Linux accounts for threads"))
    }
}

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        Self::now()
    }

    fn end(&self, start: Duration) -> Duration {
        Self::now() - start
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// A small generator, so that every run decides the same requests.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).expect("it is less than `sides`")
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.roll(from.len())]
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.roll(at + 1));
        }
    }
}

const SERVICES: [&str; 12] = [
    "s3", "ec2", "iam", "lambda", "sqs", "sns", "dynamodb", "kms", "ssm", "logs", "ecr", "glue",
];
const VERBS: [&str; 12] = [
    "Get", "List", "Describe", "Put", "Create", "Delete", "Update", "Start", "Stop", "Invoke",
    "Send", "Tag",
];
const NOUNS: [&str; 12] = [
    "Object", "Bucket", "Instance", "Role", "Function", "Queue", "Topic", "Table", "Key", "Image",
    "Job", "Policy",
];
const ACCOUNT: &str = "111122223333";

fn action(dice: &mut Dice) -> String {
    format!(
        "{}:{}{}",
        dice.pick(&SERVICES),
        dice.pick(&VERBS),
        dice.pick(&NOUNS)
    )
}

fn resource(dice: &mut Dice, service: &str) -> String {
    let (team, n) = (dice.pick(&["web", "data", "ml", "ops"]), dice.roll(50));
    match service {
        "s3" => format!("arn:aws:s3:::{team}-bucket-{n}/in/2026/x.csv"),
        "iam" => format!("arn:aws:iam::{ACCOUNT}:role/{team}/job-{n}"),
        _ => format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{team}-thing-{n}"),
    }
}

fn statement(dice: &mut Dice) -> Value {
    let mut actions = Vec::new();
    for _ in 0..=dice.roll(5) {
        let full = action(dice);
        actions.push(match dice.roll(4) {
            0 => format!(
                "{}:*",
                full.split(':').next().expect("an action has a service")
            ),
            1 => format!("{}*", &full[..full.len() - 4]),
            _ => full,
        });
    }
    let service = actions[0]
        .split(':')
        .next()
        .expect("an action has a service")
        .to_owned();
    let mut resources = Vec::new();
    for _ in 0..=dice.roll(3) {
        let full = resource(dice, &service);
        resources.push(match dice.roll(4) {
            0 => "*".to_owned(),
            1 => full.replace("eu-west-1", "*"),
            2 => format!("{}*", &full[..full.len() - 4]),
            _ => full,
        });
    }
    let effect = if dice.roll(8) == 0 { "Deny" } else { "Allow" };
    let mut out = json!({"Effect": effect, "Action": actions, "Resource": resources});
    match dice.roll(6) {
        0 => {
            out["Condition"] =
                json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "203.0.113.0/24"]}})
        }
        1 => {
            out["Condition"] = json!({"StringEquals": {"aws:PrincipalTag/team": ["web", "data"]},
            "Bool": {"aws:SecureTransport": "true"}})
        }
        _ => {}
    }
    out
}

fn policy(dice: &mut Dice) -> String {
    let statements: Vec<Value> = (0..2 + dice.roll(6)).map(|_| statement(dice)).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn context(dice: &mut Dice) -> Context {
    let mut context = Context::closed();
    let (team, ip) = (
        *dice.pick(&["web", "data", "ml"]),
        *dice.pick(&["10.1.2.3", "198.51.100.7"]),
    );
    context
        .set("aws:SecureTransport", "true")
        .set("aws:SourceIp", ip);
    context
        .set("aws:CurrentTime", "2026-06-30T23:59:59Z")
        .set("aws:RequestedRegion", "eu-west-1");
    context.set("aws:PrincipalArn", format!("arn:aws:iam::{ACCOUNT}:user/u"));
    context
        .set("aws:PrincipalAccount", ACCOUNT)
        .set("aws:username", "u");
    context
        .set("aws:userid", "AIDAEXAMPLE")
        .set("aws:PrincipalTag/team", team);
    context.set("aws:PrincipalOrgID", "o-a1b2c3d4e5");
    context
        .set("aws:UserAgent", "aws-cli/2.15")
        .set("aws:MultiFactorAuthPresent", "false");
    context
}

/// One principal's policies.
struct Holder {
    identity: Vec<Attached>,
    boundary: Option<Vec<Attached>>,
}

fn generated(c: &mut Criterion<CpuTime>) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let texts: Vec<String> = (0..400).map(|_| policy(&mut dice)).collect();
    let mut group = c.benchmark_group("policy");
    group.throughput(Throughput::Elements(texts.len() as u64));
    group.bench_function("compile 400 policies", |b| {
        b.iter(|| {
            texts
                .iter()
                .map(|t| CompiledPolicy::read(t))
                .collect::<Vec<_>>()
        });
    });
    let compiled: Vec<Arc<CompiledPolicy>> = texts
        .iter()
        .map(|t| Arc::new(CompiledPolicy::read(t)))
        .collect();
    let attach = |dice: &mut Dice| Attached::new("p", Arc::clone(dice.pick(&compiled)));
    let full = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let full = Attached::new("full", Arc::new(CompiledPolicy::read(full)));
    let scps = vec![
        vec![full.clone()],
        vec![full.clone(), attach(&mut dice)],
        vec![full.clone()],
    ];
    let holders: Vec<Holder> = (0..2_000)
        .map(|_| Holder {
            identity: (0..1 + dice.roll(5)).map(|_| attach(&mut dice)).collect(),
            boundary: (dice.roll(4) == 0).then(|| vec![full.clone(), attach(&mut dice)]),
        })
        .collect();
    let mut requests: Vec<(Request, Layers<'_>)> = (0..100_000)
        .map(|_| {
            let action = action(&mut dice);
            let service = action.split(':').next().expect("an action has a service");
            let resource = resource(&mut dice, service);
            let principal = format!("arn:aws:iam::{ACCOUNT}:user/u");
            let request = Request::new(
                &principal,
                &action,
                &resource,
                Some(ACCOUNT),
                context(&mut dice),
            );
            let holder = dice.pick(&holders);
            let layers = Layers {
                identity: &holder.identity,
                boundary: holder.boundary.as_deref(),
                scps: Some(&scps),
                ..Layers::default()
            };
            (request, layers)
        })
        .collect();
    dice.shuffle(&mut requests);
    group.throughput(Throughput::Elements(requests.len() as u64));
    group.bench_function("decide 100,000 generated requests", |b| {
        b.iter(|| {
            requests
                .iter()
                .filter(|(r, l)| decide(black_box(r), l).is_allowed())
                .count()
        });
    });
    let allowed = requests
        .iter()
        .filter(|(r, l)| decide(r, l).is_allowed())
        .count();
    println!(
        "{allowed} of {} generated requests are allowed",
        requests.len()
    );
    group.bench_function("build 1,000 requests", |b| {
        b.iter(|| {
            for _ in 0..1_000 {
                let facts = context(&mut dice);
                black_box(Request::new(
                    "anonymous",
                    "s3:GetObject",
                    "arn:aws:s3:::b/k",
                    None,
                    facts,
                ));
            }
        });
    });
    group.finish();
}

fn case_file(c: &mut Criterion<CpuTime>) {
    let lines = include_str!("../tests/cases/requests.jsonl");
    let mut cases: Vec<Case> = lines
        .lines()
        .map(|line| Case::read(line).expect("rows are requests"))
        .collect();
    Dice(7).shuffle(&mut cases);
    let pairs: Vec<(&Request, Layers<'_>)> = cases
        .iter()
        .map(|case| (&case.request, case.layers()))
        .collect();
    let mut group = c.benchmark_group("policy");
    group.throughput(Throughput::Elements(pairs.len() as u64));
    group.bench_function("decide the case file", |b| {
        b.iter(|| {
            pairs
                .iter()
                .filter(|(r, l)| decide(black_box(r), l).is_allowed())
                .count()
        });
    });
    group.bench_function("read and compile the case file", |b| {
        b.iter(|| {
            lines
                .lines()
                .filter(|line| Case::read(line).is_ok())
                .count()
        });
    });
    group.finish();
}

/// 100 accounts of 1,000 principals. One in three has an inline policy of its own, all have
/// managed policies of their account's 40.
fn estate(principals: usize) -> Snapshot {
    let mut dice = Dice(42);
    let mut accounts = serde_json::Map::new();
    for number in 0..principals / 1_000 {
        let id = format!("{:012}", 100_000_000_000_usize + number);
        let arn = |kind: &str, name: &str| format!("arn:aws:iam::{id}:{kind}/{name}");
        let mut managed = serde_json::Map::new();
        for at in 0..40 {
            let name = format!("managed-{at}");
            managed.insert(
                arn("policy", &name),
                json!({"name": name, "default_version": "v1",
                "versions": {"v1": policy(&mut dice)}}),
            );
        }
        let names: Vec<String> = managed.keys().cloned().collect();
        let (mut users, mut roles) = (serde_json::Map::new(), serde_json::Map::new());
        for at in 0..1_000 {
            let attached: Vec<&String> = (0..1 + dice.roll(3)).map(|_| dice.pick(&names)).collect();
            let mut inline = serde_json::Map::new();
            if dice.roll(3) == 0 {
                let own = json!({"Version": "2012-10-17", "Statement": [statement(&mut dice)]});
                inline.insert("own".to_owned(), json!(own.to_string()));
            }
            let (kind, name) = (if at % 3 == 0 { "user" } else { "role" }, format!("p-{at}"));
            let mut entry = json!({"arn": arn(kind, &name), "id": format!("AIDA{at:017}"),
                "attached": attached, "inline": inline, "tags": {"team": "web"}});
            if kind == "user" {
                users.insert(name, entry);
            } else {
                entry["trust"] = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
                    "Action": "sts:AssumeRole", "Principal": {"AWS": arn("role", "p-1")}}});
                roles.insert(name, entry);
            }
        }
        accounts.insert(
            id.clone(),
            json!({"iam": {"users": users, "roles": roles, "policies": managed}}),
        );
    }
    let snapshot = json!({"taken_at": "2026-11-01T00:00:00Z", "accounts": accounts});
    serde_json::from_value(snapshot).expect("the snapshot is well formed")
}

fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn at_scale() {
    let principals = 100_000;
    let snapshot = estate(principals);
    let start = CpuTime::now();
    let engine = Engine::new(&snapshot);
    let built = CpuTime::now() - start;
    // The first engines fill what building the snapshot left free; the last one's growth is real.
    let more: Vec<Engine> = (0..3).map(|_| Engine::new(&snapshot)).collect();
    let before = resident_kib();
    let last = Engine::new(&snapshot);
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        let bytes = (after.saturating_sub(before)) * 1_024 / principals as u64;
        println!("memory: {bytes} bytes a principal over {principals} principals");
    }
    drop((more, last));
    println!(
        "engine: {} principals, {} classes, {} distinct policies, built in {built:?}",
        engine.principals().len(),
        engine.class_count(),
        engine.policy_count(),
    );
    let mut dice = Dice(99);
    let context = Context::open();
    let start = CpuTime::now();
    let mut found = 0;
    for _ in 0..150 {
        let action = action(&mut dice);
        let service = action.split(':').next().expect("an action has a service");
        let resource = resource(&mut dice, service).replace(ACCOUNT, "100000000000");
        found += engine
            .who_can(&action, &resource, &context)
            .principals
            .len();
    }
    let spent = CpuTime::now() - start;
    println!("who_can: 150 questions in {spent:?}, {found} answers");
}

fn main() {
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .measurement_time(Duration::from_secs(5))
        .warm_up_time(Duration::from_secs(1))
        .sample_size(20)
        .configure_from_args();
    case_file(&mut criterion);
    generated(&mut criterion);
    at_scale();
    criterion.final_summary();
}
