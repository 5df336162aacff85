//! From a recorded call to somebody who is told: rule → target → subscriber, or trail → log
//! group → filter → alarm → subscriber.
//!
//! Every link is tried; the first that fails names the fault. One whole way is enough to be
//! heard, and it must hold for every kind of identity an attacker may use: an alarm that needs a
//! role session does not hear a user's access key.
//!
//! Source: "Amazon EventBridge event bus", "Events from AWS services", "Cross-account event
//! delivery" (EventBridge User Guide), "Creating CloudWatch alarms for CloudTrail events"
//! (CloudTrail User Guide), 2026-11.

mod composite;
mod follow;
mod metric;
mod notify;
mod threshold;

use palisade_model::{Arn, Observed, RegionState, Trail};
use serde::Serialize;

use super::event::{Call, Category, Event, Identity};
use super::heard::Heard;
use super::powers::Powers;
use super::trail;

/// Whether somebody is told of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Answer {
    /// A whole way leads to somebody.
    Alarmed {
        /// The ways, each as its links.
        ways: Vec<Way>,
    },
    /// Something listens, but a link is broken.
    Broken {
        /// The faults of the ways that came furthest.
        faults: Vec<Fault>,
    },
    /// Nothing listens for it.
    NotAlarmed {
        /// Whether a trail writes it down at least.
        recorded: bool,
    },
    /// A link could not be judged, and no other way is whole.
    Unknown {
        /// What was missing.
        missing: Vec<String>,
    },
}

/// A whole way from an event to somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Way {
    /// The links, first to last.
    pub links: Vec<String>,
    /// Where it leads to another account, the attacked one cannot cut it alone.
    pub leaves_account: bool,
    /// What the way relies on without proof.
    pub caveats: Vec<String>,
    /// The resources it passes: losing any of them cuts it.
    pub parts: Vec<Arn>,
}

/// A broken link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// How far the way came: the later, the nearer it was to somebody.
    pub link: Link,
    /// What is wrong there.
    pub why: String,
}

/// The links of a chain, in the order an event passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// A trail records it.
    Trail,
    /// A rule or metric filter matches it.
    Rule,
    /// An event bus takes it on.
    Bus,
    /// The target exists.
    Target,
    /// The target may be called.
    InvokePermission,
    /// The function runs and may tell somebody.
    Function,
    /// The function's code takes the event.
    Handler,
    /// The metric alarm goes off.
    Alarm,
    /// The topic takes the message.
    Topic,
    /// Somebody subscribed and confirmed.
    Subscription,
}

/// Why a way does not reach anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stop {
    Broken(Fault),
    Unknown(String),
}

type Reach = Result<Way, Stop>;

fn broken<T>(link: Link, why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Broken(Fault {
        link,
        why: why.into(),
    }))
}

impl Way {
    fn to(link: impl Into<String>) -> Self {
        Way {
            links: vec![link.into()],
            ..Way::default()
        }
    }

    /// Puts a link before it.
    fn after(mut self, link: impl Into<String>) -> Self {
        self.links.insert(0, link.into());
        self
    }

    /// Notes a resource it passes.
    fn through(mut self, arn: &Arn) -> Self {
        self.parts.push(arn.clone());
        self
    }
}

/// What trails do with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// A running trail writes it.
    Yes,
    /// None does, and why.
    No(String),
    /// Nobody can say.
    Unknown(String),
}

/// Whether a running trail records `call` in the region where its events arrive.
pub fn recorded(powers: &Powers<'_>, call: &Call, account: &str, region: &str) -> Recorded {
    let Some(data) = powers.snapshot.accounts.get(account) else {
        return Recorded::Unknown(format!("account {account} was not looked at"));
    };
    if call.category == Category::Never {
        return Recorded::No("CloudTrail never records it".to_owned());
    }
    match &data.trails {
        Observed::Value(trails) => {
            match (
                recorded_by(trails.values(), call, region),
                data.trails_unread(region),
            ) {
                (Recorded::No(_), Some(gap)) => Recorded::Unknown(gap.to_string()),
                (answer, _) => answer,
            }
        }
        Observed::Gap(gap) => Recorded::Unknown(gap.to_string()),
        _ => Recorded::No("the account has no trail".to_owned()),
    }
}

fn recorded_by<'t>(trails: impl Iterator<Item = &'t Trail>, call: &Call, region: &str) -> Recorded {
    let mut answer = Recorded::No(format!("no trail records {region}"));
    for trail in trails.filter(|trail| trail::covers_region(trail, region, call)) {
        let name = &trail.name;
        answer = match (running(trail), trail::records(trail, call)) {
            (Ok(true), Ok(Heard::Yes)) => return Recorded::Yes,
            (Err(gap), _) | (_, Err(gap)) => Recorded::Unknown(gap),
            _ if matches!(answer, Recorded::Unknown(_)) => answer,
            (Ok(false), _) => Recorded::No(format!("the trail `{name}` is not logging")),
            (_, Ok(Heard::Depends(fields))) => {
                let fields = Vec::from_iter(fields).join(", ");
                Recorded::No(format!(
                    "the trail `{name}` records it only for some {fields}"
                ))
            }
            (_, Ok(_)) => Recorded::No(format!("the trail `{name}` leaves it out")),
        };
    }
    answer
}

fn running(trail: &Trail) -> Result<bool, String> {
    match &trail.logging {
        Observed::Value(logging) => Ok(*logging),
        Observed::Gap(gap) => Err(gap.to_string()),
        _ => Ok(false),
    }
}

/// Whether anybody is told when `call` is made in an account and region, whoever of
/// `identities` makes it.
pub fn listen(
    powers: &Powers<'_>,
    call: &Call,
    account: &str,
    region: &str,
    identities: &[Identity],
) -> Answer {
    let region = call.delivered_in(powers.snapshot.partition, region);
    let recorded = recorded(powers, call, account, region);
    let unheard = Answer::NotAlarmed {
        recorded: recorded == Recorded::Yes,
    };
    if is_quiet(powers, call, account, region) && !matches!(recorded, Recorded::Unknown(_)) {
        return unheard;
    }
    let each = identities.iter().map(|identity| {
        let event = Event::new(call, powers.snapshot.partition, account, region, *identity);
        let mut reaches = rules(powers, call, &event, account, region, &recorded);
        reaches.extend(metric::filters(powers, call, &event, account, region));
        // A trail that was not read may feed a filter that nobody knows of.
        if let Recorded::Unknown(missing) = &recorded {
            reaches.push(Err(Stop::Unknown(missing.clone())));
        }
        settle(reaches, &recorded)
    });
    // The attacker picks the identity that is heard least.
    each.max_by_key(Answer::rank).unwrap_or(unheard)
}

/// Whether nothing in the region could listen for the call: no rule that does not name other
/// events alone, and no trail that writes to a log group.
fn is_quiet(powers: &Powers<'_>, call: &Call, account: &str, region: &str) -> bool {
    let Some(data) = powers.snapshot.accounts.get(account) else {
        return false;
    };
    let trails = data.trails.value().into_iter().flatten();
    if trails
        .into_iter()
        .any(|(_, trail)| trail.log_group.is_some())
    {
        return false;
    }
    let facts = data.regions.value().and_then(|regions| regions.get(region));
    let Some(facts) = facts.filter(|facts| facts.state == RegionState::Enabled) else {
        return false;
    };
    let rules = match &facts.buses {
        Observed::Value(buses) => match buses.get("default") {
            Some(bus) => &bus.rules,
            None => return true,
        },
        Observed::Gap(_) => return false,
        _ => return true,
    };
    match rules {
        Observed::Value(rules) => {
            rules
                .values()
                .filter_map(|rule| rule.pattern.as_ref())
                .all(|text| {
                    let pattern = powers.pattern(text);
                    pattern
                        .as_ref()
                        .as_ref()
                        .is_ok_and(|pattern| pattern.is_for_others(&call.name))
                })
        }
        Observed::Gap(_) => false,
        _ => true,
    }
}

impl Answer {
    /// From heard to unheard. A broken chain is no better than none.
    pub fn rank(&self) -> u8 {
        match self {
            Answer::Alarmed { .. } => 0,
            Answer::Unknown { .. } => 1,
            Answer::Broken { .. } => 2,
            Answer::NotAlarmed { .. } => 3,
        }
    }

    /// One word for a table.
    pub fn word(&self) -> &'static str {
        match self {
            Answer::Alarmed { .. } => "alarmed",
            Answer::Broken { .. } => "broken",
            Answer::NotAlarmed { .. } => "not alarmed",
            Answer::Unknown { .. } => "unknown",
        }
    }
}

fn settle(reaches: Vec<Reach>, recorded: &Recorded) -> Answer {
    let (mut ways, mut faults, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for reach in reaches {
        match reach {
            Ok(way) => ways.push(way),
            Err(Stop::Broken(fault)) => faults.push(fault),
            Err(Stop::Unknown(what)) => missing.push(what),
        }
    }
    missing.sort();
    missing.dedup();
    ways.sort();
    ways.dedup();
    if !ways.is_empty() {
        return Answer::Alarmed { ways };
    }
    if !missing.is_empty() {
        return Answer::Unknown { missing };
    }
    let furthest = faults.iter().map(|fault| fault.link).max();
    faults.retain(|fault| Some(fault.link) == furthest);
    faults.sort();
    faults.dedup();
    if faults.is_empty() {
        return Answer::NotAlarmed {
            recorded: *recorded == Recorded::Yes,
        };
    }
    Answer::Broken { faults }
}

/// Every rule on the account's default bus that takes the event, followed to its end.
///
/// Source: "AWS service events delivered via CloudTrail": EventBridge hears of a call only where
/// a trail records it, and of read-only calls only in rules that ask for them.
fn rules(
    powers: &Powers<'_>,
    call: &Call,
    event: &Event,
    account: &str,
    region: &str,
    recorded: &Recorded,
) -> Vec<Reach> {
    if matches!(call.category, Category::Never) {
        return Vec::new();
    }
    let regions = powers
        .snapshot
        .accounts
        .get(account)
        .map(|data| &data.regions);
    let facts = match regions {
        Some(Observed::Value(regions)) => regions.get(region),
        Some(Observed::Gap(gap)) => return vec![Err(Stop::Unknown(gap.to_string()))],
        _ => None,
    };
    let Some(facts) = facts else {
        return vec![Err(Stop::Unknown(format!(
            "region {region} was not looked at"
        )))];
    };
    match facts.state {
        RegionState::Enabled => {}
        RegionState::Off => return Vec::new(),
        RegionState::NotAsked => {
            return vec![Err(Stop::Unknown(format!("region {region} was left out")))];
        }
    }
    let hop = follow::Hop::first(account, region);
    let mut reaches = follow::bus(powers, "default", call, event, &hop);
    // Without a trail nothing arrives on the bus, however good the rest of the chain is.
    let stop = match recorded {
        Recorded::Yes => return reaches,
        Recorded::No(why) => Stop::Broken(Fault {
            link: Link::Trail,
            why: why.clone(),
        }),
        Recorded::Unknown(missing) => Stop::Unknown(missing.clone()),
    };
    for reach in &mut reaches {
        if reach.is_ok() {
            *reach = Err(stop.clone());
        }
    }
    reaches
}

/// The end of an ARN, as people name the thing.
fn short(arn: &Arn) -> &str {
    arn.name()
}
