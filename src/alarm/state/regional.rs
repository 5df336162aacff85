//! Services with a state of their own in every region.
//!
//! Source: the services' API references, 2026-11: GetDetector, BatchGetAccountStatus,
//! DescribeConfigurationRecorderStatus, GetEnabledStandards, GetMacieSession, ListAnalyzers.

use std::collections::BTreeMap;

use palisade_model::{Observed, Region, SecurityHub, Snapshot};

use super::analyzers::access_analyzer;
use super::firewall::waf;
use super::recorder::config;
use super::threats::{believed, guardduty, inspector};
use super::{Faults, Service, State, delegated_to, present};

pub(super) fn state(
    snapshot: &Snapshot,
    account: &str,
    name: &str,
    region: &Region,
    service: Service,
) -> State {
    match service {
        Service::Guardduty => guardduty(snapshot, account, name, region),
        Service::Inspector => inspector(snapshot, account, name, region),
        Service::Config => config(snapshot, account, name, region),
        Service::SecurityHub => {
            let seen = told(snapshot, account, name, service, |there| {
                Some(&there.security_hub.value()?.members)
            });
            let mut state = crossed(security_hub(region), seen, "ENABLED");
            let hub = region.security_hub.value();
            let setting = hub.map(|hub| &hub.auto_enable);
            enrols(&mut state, snapshot, (account, service), setting);
            though_enrolled(state, snapshot, (account, name), service, |there| {
                Some(there.security_hub.value()?.auto_enable == Observed::Value(true))
            })
        }
        Service::Macie => {
            let seen = told(snapshot, account, name, service, |there| {
                Some(&there.macie.value()?.members)
            });
            let mut state = crossed(macie(region), seen, "Enabled");
            let setting = region.macie.value().map(|macie| &macie.auto_enable);
            enrols(&mut state, snapshot, (account, service), setting);
            though_enrolled(state, snapshot, (account, name), service, |there| {
                Some(there.macie.value()?.auto_enable == Observed::Value(true))
            })
        }
        Service::AccessAnalyzer => access_analyzer(snapshot, account, name, region),
        _ => waf(snapshot, account, name),
    }
}

/// Whether the administrator enrols accounts that join. Nobody else is told.
fn enrols(
    state: &mut State,
    snapshot: &Snapshot,
    (account, service): (&str, Service),
    setting: Option<&Observed<bool>>,
) {
    match setting {
        Some(Observed::Value(false)) => {
            state.weaken("auto-enable", "accounts that join are not enrolled");
        }
        Some(Observed::Gap(gap)) if delegated_to(snapshot, service) == Some(account) => {
            state.obscure("auto-enable", gap.to_string());
        }
        _ => {}
    }
}

/// A service that is off although the administrator enrols every account: worth telling.
pub(super) fn though_enrolled(
    state: State,
    snapshot: &Snapshot,
    (account, name): (&str, &str),
    service: Service,
    enrols: impl Fn(&Region) -> Option<bool>,
) -> State {
    let there = administrator(snapshot, account, name, service);
    match (state, there) {
        (State::Off { what }, Some((id, there)))
            if enrols(there) == Some(true) && !what.contains("although") =>
        {
            let what = format!("{what}, although its administrator {id} enrols accounts that join");
            State::Off { what }
        }
        (state, _) => state,
    }
}

/// The same region in the account that administers the service, unless that is this one.
pub(super) fn administrator<'a>(
    snapshot: &'a Snapshot,
    account: &str,
    region: &str,
    service: Service,
) -> Option<(&'a str, &'a Region)> {
    let administrator = delegated_to(snapshot, service).filter(|id| *id != account)?;
    let regions = snapshot.accounts.get(administrator)?.regions.value()?;
    Some((administrator, regions.get(region)?))
}

/// What the administrator account is told of this one. Its word is a cross-check alone: where it
/// was not read, nothing hangs on it.
fn told<'a>(
    snapshot: &'a Snapshot,
    account: &str,
    name: &str,
    service: Service,
    members: impl Fn(&'a Region) -> Option<&'a Observed<BTreeMap<String, String>>>,
) -> Option<(&'a str, &'a str)> {
    let (id, there) = administrator(snapshot, account, name, service)?;
    Some((id, members(there)?.value()?.get(account)?.as_str()))
}

/// A state beside the administrator's word.
fn crossed(mut state: State, seen: Option<(&str, &str)>, well: &str) -> State {
    let Some((id, status)) = seen else {
        return state;
    };
    match (&state, status.eq_ignore_ascii_case(well)) {
        (State::Off { what }, true) => {
            let what = format!("{what}, although its administrator {id} lists it as `{status}`");
            State::Off { what }
        }
        (State::Unknown { .. }, true) => believed(id, status, state),
        (_, false) => {
            state.weaken(
                "member",
                format!("its administrator {id} lists it as `{status}`"),
            );
            state
        }
        _ => state,
    }
}

fn security_hub(region: &Region) -> State {
    match (&region.security_hub, &region.security_hub_v2) {
        (Observed::Value(hub), _) => standards(hub),
        (_, Observed::Value(_)) => State::On,
        (Observed::Gap(gap), _) | (Observed::Absent, Observed::Gap(gap)) => State::unknown(gap),
        (Observed::NotApplicable(why), _) => State::not_applicable(why),
        _ => State::off("the hub is not enabled"),
    }
}

fn standards(hub: &SecurityHub) -> State {
    let mut faults = Faults::default();
    match &hub.standards {
        Observed::Value(standards) if !standards.is_empty() => {
            for standard in standards {
                let (name, status) = (standard.arn.name(), standard.status.as_str());
                match status {
                    "READY" | "PENDING" => {}
                    "" => faults.unread("standard", format!("the state of the standard `{name}`")),
                    _ => faults.add("standard", format!("the standard `{name}` is `{status}`")),
                }
            }
        }
        Observed::Gap(gap) => faults.unread("", gap),
        _ => faults.add("standards", "no standard is enabled, so nothing is checked"),
    }
    faults.state()
}

fn macie(region: &Region) -> State {
    let macie = match present(&region.macie, "it is not enabled") {
        Ok(macie) => macie,
        Err(state) => return state,
    };
    if macie.status.is_empty() {
        let missing = vec!["Macie's status was not told".to_owned()];
        return State::Unknown { missing };
    }
    if !macie.status.eq_ignore_ascii_case("ENABLED") {
        return State::Suspended {
            what: format!("its status is `{}`", macie.status),
        };
    }
    let mut faults = Faults::default();
    match &macie.automated_discovery {
        Observed::Value(status) if status.eq_ignore_ascii_case("ENABLED") => {}
        Observed::Gap(gap) => faults.unread("discovery", gap),
        _ => faults.add("discovery", "automated discovery of sensitive data is off"),
    }
    faults.state()
}
