//! Whether anybody hears the tamper events, by account and region.

use palisade_checks::{Caller, TamperAction, TamperGroup, tamper};
use palisade_model::RegionState;
use serde::Serialize;

use super::Security;
use crate::alarm::chain::Answer;
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
                let call = Call {
                    source: row.source.clone(),
                    category: if row.sign_in {
                        Category::SignIn
                    } else {
                        Category::Management
                    },
                    ..Call::sign_in(&row.event)
                };
                let answer = security
                    .alarms
                    .answer_for(&call, account, home, &[Identity::Root]);
                let minimum = row.event == "ConsoleLogin";
                out.push(heard(account, home, group, &call, minimum, answer));
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
    fn ask(&self, group: &'static TamperGroup, row: &TamperAction) -> Vec<Heard> {
        let retired = row
            .retired
            .as_deref()
            .is_some_and(|since| self.day >= since);
        if retired || !callable(self.security, self.account, row) {
            return Vec::new();
        }
        let call = call(row);
        let mut keys = row.when.values();
        let identities: &[Identity] = match keys.any(|keys| keys.contains_key("aws:PrincipalArn")) {
            true => &[Identity::Root],
            false => &[Identity::AssumedRole, Identity::IamUser],
        };
        let home = [self.security.snapshot().partition.home_region()];
        let at: &[&str] = if call.global { &home } else { self.regions };
        let alarms = &self.security.alarms;
        at.iter()
            .map(|region| {
                let answer = alarms.answer_for(&call, self.account, region, identities);
                heard(self.account, region, group, &call, row.minimum, answer)
            })
            .collect()
    }
}

fn heard(
    account: &str,
    region: &str,
    group: &'static TamperGroup,
    call: &Call,
    minimum: bool,
    answer: Answer,
) -> Heard {
    Heard {
        account: account.to_owned(),
        region: region.to_owned(),
        group: &group.group,
        source: call.source.clone(),
        event: call.name.clone(),
        minimum,
        answer,
    }
}

/// Calls of the management account show in its own records only.
fn callable(security: &Security<'_>, account: &str, row: &TamperAction) -> bool {
    let organization = security.snapshot().organization.value();
    match row.caller {
        Caller::Any => true,
        Caller::Management => organization.is_some_and(|o| o.management_account == account),
        Caller::Delegated | Caller::Administrator => {
            let delegates = organization.and_then(|o| o.delegated_administrators.value());
            delegates.is_some_and(|delegates| delegates.contains_key(account))
                || organization.is_some_and(|o| o.management_account == account)
        }
    }
}
