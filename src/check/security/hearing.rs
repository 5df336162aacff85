//! Whether anybody hears the tamper events, by account and region.

use palisade_checks::{TamperAction, TamperEvent, TamperGroup, tamper};
use palisade_model::{Observed, RegionState};
use serde::Serialize;

use super::Security;
use super::callers::{MayCall, may_call};
use super::coverage::use_unread;
use crate::alarm::chain::{Answer, listen};
use crate::alarm::event::{Call, Category, Identity};
use crate::alarm::state::Service;

/// Whether anybody hears one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// The account's id.
    pub account: String,
    /// The region in which the call is made; the home region for global services.
    pub region: String,
    /// The tamper group.
    pub group: &'static str,
    /// The action behind it; empty for a record without one.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub action: &'static str,
    /// The event source.
    pub source: String,
    /// The event name.
    pub event: String,
    /// Whether it belongs to the smallest set worth hearing.
    pub minimum: bool,
    /// The answer.
    pub answer: Answer,
}

/// The call of a tamper action, by the names its own row gives it.
pub fn call(row: &TamperAction) -> Call {
    let call = Call::of_action(&row.action);
    Call {
        source: row.event_source(),
        name: row.event_name().to_owned(),
        global: row.global,
        ..call
    }
}

/// The events of the minimum, or all of them, in every account and region that takes part.
pub fn of(security: &Security<'_>, all: bool) -> Vec<Heard> {
    let snapshot = security.snapshot();
    let home = snapshot.partition.home_region();
    let day = snapshot.taken_at.to_string();
    let mut out = Vec::new();
    for (account, data) in &snapshot.accounts {
        let regions = data.regions.value().into_iter().flatten();
        let regions: Vec<&str> = regions
            .filter(|(_, region)| region.state == RegionState::Enabled)
            .map(|(name, _)| name.as_str())
            .collect();
        for group in tamper() {
            let unused = Service::parse(&group.group)
                .is_some_and(|service| security.matrix().not_in_use.contains(&service));
            if unused {
                continue;
            }
            let place = Place {
                security,
                account,
                regions: &regions,
                day: &day,
            };
            let wanted = group.actions.iter().filter(|row| all || row.minimum);
            out.extend(wanted.flat_map(|row| place.ask(group, row)));
            for row in group
                .events
                .iter()
                .filter(|row| all || row.event == "ConsoleLogin")
            {
                let call = sign_in(row);
                let answer = security
                    .alarms
                    .answer_for(&call, account, home, &[Identity::Root]);
                out.push(Heard {
                    account: account.to_owned(),
                    region: home.to_owned(),
                    group: &group.group,
                    action: "",
                    source: call.source,
                    event: call.name,
                    minimum: row.event == "ConsoleLogin",
                    answer,
                });
            }
        }
    }
    out
}

/// An account with its regions, at a day.
struct Place<'p> {
    security: &'p Security<'p>,
    account: &'p str,
    regions: &'p [&'p str],
    day: &'p str,
}

impl Place<'_> {
    fn ask(&self, group: &'static TamperGroup, row: &'static TamperAction) -> Vec<Heard> {
        let retired = row
            .retired
            .as_deref()
            .is_some_and(|since| self.day >= since);
        if retired {
            return Vec::new();
        }
        let Some(doubts) = doubts(self.security, self.account, group, row) else {
            return Vec::new();
        };
        let call = call(row);
        let identities = identities(row);
        let home = [self.security.snapshot().partition.home_region()];
        let at: &[&str] = if call.global { &home } else { self.regions };
        let alarms = &self.security.alarms;
        at.iter()
            .map(|region| {
                let answer = alarms.answer_for(&call, self.account, region, identities);
                Heard {
                    account: self.account.to_owned(),
                    region: (*region).to_owned(),
                    group: &group.group,
                    action: &row.action,
                    source: call.source.clone(),
                    event: call.name.clone(),
                    minimum: row.minimum,
                    answer: doubted(answer, &doubts),
                }
            })
            .collect()
    }
}

/// What was not read of whether the call can be made and matters; none where it cannot. Calls of
/// the management account show in its own records only.
fn doubts(
    security: &Security<'_>,
    account: &str,
    group: &TamperGroup,
    row: &TamperAction,
) -> Option<Vec<String>> {
    let mut doubts = use_unread(security, group);
    match may_call(security, account, group, row) {
        MayCall::Yes => {}
        MayCall::No(_) => return None,
        MayCall::Unknown(gap) => doubts.push(format!("whether the account can call it: {gap}")),
    }
    Some(doubts)
}

/// Whoever is heard is heard; that nobody hears a call which perhaps nobody makes is not known.
fn doubted(answer: Answer, doubts: &[String]) -> Answer {
    let unheard = matches!(answer, Answer::NotAlarmed { .. } | Answer::Broken { .. });
    match unheard && !doubts.is_empty() {
        true => Answer::Unknown {
            missing: doubts.to_vec(),
        },
        false => answer,
    }
}

/// Whether anybody hears an event in an account, where it is heard least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Hearing {
    /// The answer in a word; `n/a` where nobody asks.
    pub word: &'static str,
    /// Why, and in which regions; may be empty.
    pub says: String,
}

impl Hearing {
    fn not_asked(why: &str) -> Self {
        Hearing {
            word: "n/a",
            says: why.to_owned(),
        }
    }
}

/// How an action is heard in an account. Unlike [`of`] it keeps nothing of the single regions.
pub(super) fn worst(
    security: &Security<'_>,
    account: &str,
    group: &TamperGroup,
    row: &TamperAction,
) -> Hearing {
    let snapshot = security.snapshot();
    let day = snapshot.taken_at.to_string();
    let unused = Service::parse(&group.group)
        .is_some_and(|service| security.matrix().not_in_use.contains(&service));
    if unused {
        return Hearing::not_asked("the service is not in use");
    }
    if row
        .retired
        .as_deref()
        .is_some_and(|since| day.as_str() >= since)
    {
        return Hearing::not_asked("AWS took the call away");
    }
    let Some(doubts) = doubts(security, account, group, row) else {
        return Hearing::not_asked("the account cannot make the call");
    };
    let call = call(row);
    worst_of(security, account, &call, identities(row), &doubts)
}

/// Likewise for an event without an action.
pub(super) fn worst_sign_in(security: &Security<'_>, account: &str, row: &TamperEvent) -> Hearing {
    worst_of(security, account, &sign_in(row), &[Identity::Root], &[])
}

fn worst_of(
    security: &Security<'_>,
    account: &str,
    call: &Call,
    identities: &[Identity],
    doubts: &[String],
) -> Hearing {
    let snapshot = security.snapshot();
    let home = snapshot.partition.home_region();
    let data = snapshot.accounts.get(account);
    let regions: Vec<&str> = match data.map(|data| &data.regions) {
        _ if call.global => vec![home],
        Some(Observed::Value(regions)) => regions
            .iter()
            .filter(|(_, region)| region.state == RegionState::Enabled)
            .map(|(name, _)| name.as_str())
            .collect(),
        Some(Observed::Gap(gap)) => {
            return Hearing {
                word: "unknown",
                says: gap.to_string(),
            };
        }
        _ => Vec::new(),
    };
    let powers = &security.alarms.powers;
    let mut answers: Vec<(&str, Answer)> = regions
        .into_iter()
        .map(|region| {
            let answer = listen(powers, call, account, region, identities);
            (region, doubted(answer, doubts))
        })
        .collect();
    if let Some(gap) = data.and_then(|data| data.regions_gap.as_ref())
        && !call.global
    {
        let missing = vec![gap.to_string()];
        answers.push(("other regions", Answer::Unknown { missing }));
    }
    let Some(worst) = answers
        .iter()
        .map(|(_, answer)| answer)
        .max_by_key(|a| a.rank())
    else {
        return Hearing::not_asked("no region was looked at");
    };
    let same: Vec<&str> = answers
        .iter()
        .filter(|(_, answer)| answer.word() == worst.word())
        .map(|(region, _)| *region)
        .collect();
    let place = match (call.global, same.len() == answers.len()) {
        (false, false) => format!("in {}: ", same.join(", ")),
        _ => String::new(),
    };
    Hearing {
        word: worst.word(),
        says: format!("{place}{}", reason(worst)),
    }
}

fn reason(answer: &Answer) -> String {
    match answer {
        Answer::Alarmed { ways } => ways
            .first()
            .map_or_else(String::new, |way| way.links.join(" → ")),
        Answer::Broken { faults } => {
            let why: Vec<&str> = faults.iter().map(|fault| fault.why.as_str()).collect();
            why.join("; ")
        }
        Answer::NotAlarmed { recorded: true } => {
            "it is written down, and nothing listens for it".to_owned()
        }
        Answer::NotAlarmed { .. } => "it is not even written down".to_owned(),
        Answer::Unknown { missing } => missing.join("; "),
    }
}

fn identities(row: &TamperAction) -> &'static [Identity] {
    let mut keys = row.when.values();
    match keys.any(|keys| keys.contains_key("aws:PrincipalArn")) {
        true => &[Identity::Root],
        false => &[Identity::AssumedRole, Identity::IamUser],
    }
}

fn sign_in(row: &TamperEvent) -> Call {
    Call {
        source: row.source.clone(),
        category: match row.sign_in {
            true => Category::SignIn,
            false => Category::Management,
        },
        ..Call::sign_in(&row.event)
    }
}
