//! GuardDuty and Inspector: each account's own word, and its administrator's.

use palisade_model::{Detector, Inspector, Observed, Region, Snapshot};

use super::regional::{administrator, though_enrolled};
use super::{Faults, Service, State, Weakness, delegated_to, organization, present};

pub(super) fn guardduty(snapshot: &Snapshot, account: &str, name: &str, region: &Region) -> State {
    let seen =
        administrator(snapshot, account, name, Service::Guardduty).and_then(|(id, there)| {
            let detector = there.guardduty.value()?.values().next()?;
            Some((id, detector.members.value()?.get(account)?.as_str()))
        });
    let detectors = match present(&region.guardduty, "there is no detector") {
        Ok(detectors) => detectors,
        // The administrator's word stands in where the member was not read.
        Err(unread @ State::Unknown { .. }) => {
            return match seen {
                Some((id, "Enabled")) => believed(id, "Enabled", unread),
                Some((id, status)) => State::Suspended {
                    what: format!("its administrator {id} lists it as `{status}`"),
                },
                None => unread,
            };
        }
        Err(state) => return off(state, snapshot, account, name, seen),
    };
    let Some(detector) = detectors.values().next() else {
        let state = State::off("there is no detector");
        return off(state, snapshot, account, name, seen);
    };
    if detector.status.is_empty() {
        let missing = vec!["the detector's status was not told".to_owned()];
        return State::Unknown { missing };
    }
    if !detector.status.eq_ignore_ascii_case("ENABLED") {
        let what = format!("the detector's status is `{}`", detector.status);
        return State::Suspended { what };
    }
    let delegate = delegated_to(snapshot, Service::Guardduty);
    let mut faults = detector_faults(detector, delegate == Some(account), seen);
    match &detector.administrator {
        Observed::Value(owner) if owner != account => {
            owned_by(snapshot, owner, delegate, &mut faults);
        }
        Observed::Gap(gap) => faults.unread("administrator", gap),
        _ => {}
    }
    faults.state()
}

/// Off by the account's own word, beside that of its administrator.
fn off(
    state: State,
    snapshot: &Snapshot,
    account: &str,
    name: &str,
    seen: Option<(&str, &str)>,
) -> State {
    let state = contradicted(state, seen);
    though_enrolled(
        state,
        snapshot,
        (account, name),
        Service::Guardduty,
        |there| {
            let detector = there.guardduty.value()?.values().next()?;
            Some(detector.auto_enable.value()? == "ALL")
        },
    )
}

/// Whoever administers a detector can quiet its findings.
fn owned_by(snapshot: &Snapshot, owner: &str, delegate: Option<&str>, faults: &mut Faults) {
    if let Some(delegate) = delegate {
        if owner != delegate {
            let says = format!(
                "the account {owner} administers it, and not {delegate}, which the organization chose"
            );
            faults.add("administrator", says);
        }
        return;
    }
    if snapshot.accounts.contains_key(owner) {
        return;
    }
    let stranger = format!("the account {owner} administers it, which is a stranger here");
    match (&snapshot.organization, organization(snapshot)) {
        (Observed::Gap(gap), _) => faults.unread("administrator", gap),
        (_, None) => faults.add("administrator", stranger),
        (_, Some(organization)) => match &organization.accounts {
            Observed::Value(accounts) if accounts.contains_key(owner) => {}
            Observed::Gap(gap) => faults.unread("administrator", gap),
            _ => faults.add("administrator", stranger),
        },
    }
}

/// On by the administrator's word, where the member itself was not read.
pub(super) fn believed(administrator: &str, status: &str, unread: State) -> State {
    let State::Unknown { missing } = unread else {
        return unread;
    };
    let why = missing.join("; ");
    let says = format!(
        "its administrator {administrator} lists it as `{status}`; more was not read: {why}"
    );
    State::OnUnread {
        unread: vec![Weakness { kind: "", says }],
    }
}

/// The account itself says off: what its administrator believes is worth telling.
fn contradicted(state: State, seen: Option<(&str, &str)>) -> State {
    match (state, seen) {
        (State::Off { what }, Some((id, "Enabled"))) => State::Off {
            what: format!("{what}, although its administrator {id} lists it as `Enabled`"),
        },
        (state, _) => state,
    }
}

fn detector_faults(detector: &Detector, administers: bool, seen: Option<(&str, &str)>) -> Faults {
    let mut faults = Faults::default();
    for (feature, _) in detector.features.iter().filter(|(_, s)| *s == "DISABLED") {
        faults.add("feature", format!("the feature `{feature}` is off"));
    }
    if detector.publishing_frequency == "SIX_HOURS" {
        faults.add(
            "frequency",
            "repeated findings are published every six hours only",
        );
    }
    match &detector.auto_enable {
        // Nobody but the administrator is told.
        Observed::Value(mode) if mode == "NONE" => {
            faults.add("auto-enable", "new member accounts are not enrolled");
        }
        Observed::Gap(gap) if administers => faults.unread("auto-enable", gap),
        _ => {}
    }
    if let Some((id, status)) = seen.filter(|(_, status)| *status != "Enabled") {
        faults.add(
            "member",
            format!("its administrator {id} lists it as `{status}`"),
        );
    }
    faults
}

pub(super) fn inspector(snapshot: &Snapshot, account: &str, name: &str, region: &Region) -> State {
    let seen =
        administrator(snapshot, account, name, Service::Inspector).and_then(|(id, there)| {
            let members = &there.inspector.value()?.members;
            Some((id, members.value()?.get(account)?.as_str()))
        });
    let facts = match present(&region.inspector, "it was never activated") {
        Ok(facts) => facts,
        Err(unread @ State::Unknown { .. }) => {
            return match seen {
                Some((id, "ENABLED")) => believed(id, "ENABLED", unread),
                Some((id, status)) => {
                    State::off(format!("its administrator {id} sees the status `{status}`"))
                }
                None => unread,
            };
        }
        Err(state) => return inspector_contradicted(state, seen),
    };
    let mut state = match facts.status.to_ascii_uppercase().as_str() {
        "SUSPENDED" | "SUSPENDING" => State::Suspended {
            what: format!("the account's status is `{}`", facts.status),
        },
        "ENABLED" | "ENABLING" => inspector_scans(facts),
        "" => State::Unknown {
            missing: vec!["Inspector's status was not told".to_owned()],
        },
        _ => State::off(format!("the account's status is `{}`", facts.status)),
    };
    if let Some((id, status)) = seen.filter(|(_, status)| *status != "ENABLED") {
        state.weaken(
            "member",
            format!("its administrator {id} sees the status `{status}`"),
        );
    }
    inspector_contradicted(state, seen)
}

/// Likewise for Inspector, which shouts its words.
fn inspector_contradicted(state: State, seen: Option<(&str, &str)>) -> State {
    let seen = seen.filter(|(_, status)| *status == "ENABLED");
    contradicted(state, seen.map(|(id, _)| (id, "Enabled")))
}

fn inspector_scans(facts: &Inspector) -> State {
    const SCANS: [(&str, &str); 5] = [
        ("ec2", "instances"),
        ("ecr", "container images"),
        ("lambda", "functions"),
        ("lambda_code", "the code of functions"),
        ("code_repository", "code repositories"),
    ];
    let mut faults = Faults::default();
    let is_on = |status: &String| status.to_ascii_uppercase().starts_with("ENABL");
    let mut stated = 0;
    for (kind, what) in SCANS {
        let status = facts
            .resources
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(kind));
        let Some((_, status)) = status else { continue };
        stated += 1;
        if !is_on(status) {
            faults.add(
                kind,
                format!("{what} are not scanned: `{kind}` is `{status}`"),
            );
        }
    }
    if stated == 0 {
        faults.unread("", "which kinds of resources it scans was not told");
    } else if faults.what.len() == stated {
        return State::off("no kind of resource is scanned");
    }
    faults.state()
}
