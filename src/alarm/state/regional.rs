//! Services with a state of their own in every region.
//!
//! Source: the services' API references, 2026-11: GetDetector, BatchGetAccountStatus,
//! DescribeConfigurationRecorderStatus, GetEnabledStandards, GetMacieSession, ListAnalyzers.

use std::collections::BTreeMap;

use palisade_model::{
    ConfigRecorder, ConfigService, Detector, Inspector, Observed, Region, Resource, SecurityHub,
    Snapshot,
};
use serde_json::Value;

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
        Service::SecurityHub => security_hub(region),
        Service::Macie => macie(region),
        Service::AccessAnalyzer => access_analyzer(snapshot, account, name, region),
        _ => waf(snapshot, account, name),
    }
}

/// The same region in the account that administers the service, unless that is this one.
fn administrator<'a>(
    snapshot: &'a Snapshot,
    account: &str,
    region: &str,
    service: Service,
) -> Option<(&'a str, &'a Region)> {
    let administrator = delegated_to(snapshot, service).filter(|id| *id != account)?;
    let regions = snapshot.accounts.get(administrator)?.regions.value()?;
    Some((administrator, regions.get(region)?))
}

fn guardduty(snapshot: &Snapshot, account: &str, name: &str, region: &Region) -> State {
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
                Some((_, "Enabled")) => State::On,
                Some((id, status)) => State::Suspended {
                    what: format!("its administrator {id} lists it as `{status}`"),
                },
                None => unread,
            };
        }
        Err(state) => return contradicted(state, seen),
    };
    let Some(detector) = detectors.values().next() else {
        return contradicted(State::off("there is no detector"), seen);
    };
    if !detector.status.eq_ignore_ascii_case("ENABLED") {
        let what = format!("the detector's status is `{}`", detector.status);
        return State::Suspended { what };
    }
    let delegate = delegated_to(snapshot, Service::Guardduty);
    let mut faults = detector_faults(detector, delegate == Some(account), seen);
    if let (Observed::Value(owner), Some(delegate)) = (&detector.administrator, delegate)
        && owner != delegate
        && owner != account
    {
        faults.add(
            "administrator",
            format!("the account {owner} administers it, and not {delegate}, which the organization chose"),
        );
    }
    faults.state()
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
        Observed::Value(mode) if administers && mode == "NONE" => {
            faults.add("auto-enable", "new member accounts are not enrolled");
        }
        Observed::Gap(gap) if administers => faults.unread(gap),
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

fn inspector(snapshot: &Snapshot, account: &str, name: &str, region: &Region) -> State {
    let seen =
        administrator(snapshot, account, name, Service::Inspector).and_then(|(id, there)| {
            let members = &there.inspector.value()?.members;
            Some((id, members.value()?.get(account)?.as_str()))
        });
    let facts = match present(&region.inspector, "it was never activated") {
        Ok(facts) => facts,
        Err(unread @ State::Unknown { .. }) => {
            return match seen {
                Some((_, "ENABLED")) => State::On,
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
    if stated > 0 && faults.what.len() == stated {
        return State::off("no kind of resource is scanned");
    }
    faults.state()
}

fn config(snapshot: &Snapshot, account: &str, name: &str, region: &Region) -> State {
    let facts = match present(&region.config, "there is no configuration recorder") {
        Ok(facts) => facts,
        Err(state) => return state,
    };
    if facts.recorders.is_empty() {
        return State::off("there is no configuration recorder");
    }
    let states: Vec<State> = facts
        .recorders
        .values()
        .map(|recorder| config_recorder(snapshot, account, name, facts, recorder))
        .collect();
    // Recorders that services own run beside the account's own: the best one counts.
    let rank = |state: &State| match state {
        State::On => 0,
        State::HalfOn { .. } => 1,
        State::Unknown { .. } => 2,
        _ => 3,
    };
    states
        .into_iter()
        .min_by_key(rank)
        .unwrap_or_else(|| State::off("there is no recorder"))
}

fn config_recorder(
    snapshot: &Snapshot,
    account: &str,
    name: &str,
    facts: &ConfigService,
    recorder: &ConfigRecorder,
) -> State {
    match &recorder.recording {
        Observed::Value(true) => {}
        Observed::Gap(gap) => return State::unknown(gap),
        _ => return State::off("the configuration recorder is stopped"),
    }
    let mut faults = Faults::default();
    match &recorder.last_status {
        Observed::Value(status) if status.eq_ignore_ascii_case("failure") => {
            faults.add("delivery", "its last delivery failed");
        }
        Observed::Gap(gap) => faults.unread(gap),
        _ => {}
    }
    if !recorder.excluded_types.is_empty() {
        let types = recorder.excluded_types.join(", ");
        faults.add("types", format!("it leaves out {types}"));
    } else if !recorder.all_supported {
        let count = recorder.resource_types.len();
        faults.add(
            "types",
            format!("it records {count} named resource types, not all"),
        );
    }
    // Global types need one recorder in the account, by custom in the home region.
    if name == snapshot.partition.home_region() && !records_global(snapshot, account) {
        faults.add(
            "global",
            "no region records global resource types such as IAM roles",
        );
    }
    match &facts.delivery_channels {
        Observed::Value(channels) if !channels.is_empty() => {}
        Observed::Gap(gap) => faults.unread(gap),
        _ => faults.add("channel", "it has no delivery channel"),
    }
    faults.state()
}

fn records_global(snapshot: &Snapshot, account: &str) -> bool {
    let regions = snapshot
        .accounts
        .get(account)
        .map(|account| &account.regions);
    regions
        .and_then(Observed::value)
        .into_iter()
        .flatten()
        .any(|(_, region)| {
            let recorders = region.config.value().map(|config| &config.recorders);
            recorders.into_iter().flatten().any(|(_, recorder)| {
                recorder.include_global
                    || recorder
                        .resource_types
                        .iter()
                        .any(|t| t.starts_with("AWS::IAM::"))
            })
        })
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
                if !matches!(standard.status.as_str(), "" | "READY" | "PENDING") {
                    let (name, status) = (standard.arn.name(), &standard.status);
                    faults.add("standard", format!("the standard `{name}` is `{status}`"));
                }
            }
        }
        Observed::Gap(gap) => faults.unread(gap),
        _ => faults.add("standards", "no standard is enabled, so nothing is checked"),
    }
    faults.state()
}

fn macie(region: &Region) -> State {
    let macie = match present(&region.macie, "it is not enabled") {
        Ok(macie) => macie,
        Err(state) => return state,
    };
    if !macie.status.eq_ignore_ascii_case("ENABLED") {
        return State::Suspended {
            what: format!("its status is `{}`", macie.status),
        };
    }
    let mut faults = Faults::default();
    match &macie.automated_discovery {
        Observed::Value(status) if status.eq_ignore_ascii_case("ENABLED") => {}
        Observed::Gap(gap) => faults.unread(gap),
        _ => faults.add("discovery", "automated discovery of sensitive data is off"),
    }
    faults.state()
}

fn access_analyzer(snapshot: &Snapshot, account: &str, name: &str, region: &Region) -> State {
    // An analyzer of the organization stands in its administrator's account only.
    let mut missing = Vec::new();
    let mut kinds: Vec<&str> = Vec::new();
    let central = administrator(snapshot, account, name, Service::AccessAnalyzer)
        .map(|(_, there)| (&there.analyzers, true));
    for (analyzers, central) in [(&region.analyzers, false)].into_iter().chain(central) {
        match analyzers {
            Observed::Value(analyzers) => kinds.extend(
                analyzers
                    .values()
                    .filter(|a| matches!(a.status.as_str(), "ACTIVE" | ""))
                    .map(|a| a.kind.as_str())
                    .filter(|kind| !central || kind.starts_with("ORGANIZATION")),
            ),
            Observed::Gap(gap) => missing.push(gap),
            Observed::NotApplicable(why) if !central => return State::not_applicable(why),
            _ => {}
        }
    }
    let external = kinds
        .iter()
        .any(|kind| matches!(*kind, "ACCOUNT" | "ORGANIZATION"));
    let unused = kinds.iter().any(|kind| kind.ends_with("_UNUSED_ACCESS"));
    match (external, unused, missing.first()) {
        (true, true, _) => State::On,
        (_, _, Some(gap)) => State::unknown(gap),
        (true, false, None) => {
            let mut faults = Faults::default();
            faults.add("unused-access", "no analyzer looks for unused access");
            faults.state()
        }
        (false, _, None) => State::off("no active analyzer looks for external access"),
    }
}

/// The lists of web ACLs that bear on a region; those of the edge count in the home region.
fn web_acls<'a>(
    snapshot: &'a Snapshot,
    account: &str,
    name: &str,
) -> impl Iterator<Item = &'a Observed<BTreeMap<String, Resource>>> {
    let data = snapshot.accounts.get(account);
    let home = name == snapshot.partition.home_region();
    let regions = data.and_then(|data| data.regions.value());
    let region = regions.and_then(|regions| regions.get(name));
    let own = region.and_then(|region| region.resources.get(WEB_ACL));
    let global = data.filter(|_| home);
    own.into_iter()
        .chain(global.and_then(|data| data.resources.get(WEB_ACL)))
}

/// Whether there are web ACLs, in use or not.
pub(super) fn has_web_acls(snapshot: &Snapshot, account: &str, name: &str) -> bool {
    web_acls(snapshot, account, name).any(|list| list.value().is_some_and(|map| !map.is_empty()))
}

/// A web ACL that protects nothing is not in use.
fn waf(snapshot: &Snapshot, account: &str, name: &str) -> State {
    let mut acls: Vec<&Resource> = Vec::new();
    let mut asked = false;
    for list in web_acls(snapshot, account, name) {
        asked = true;
        match list {
            Observed::Value(map) => acls.extend(map.values()),
            Observed::Gap(gap) => return State::unknown(gap),
            Observed::NotApplicable(why) => return State::not_applicable(why),
            Observed::Absent => {}
        }
    }
    if !asked {
        return State::Unknown {
            missing: vec!["wafv2:ListWebACLs was not collected".to_owned()],
        };
    }
    let mut faults = Faults::default();
    let mut used = 0;
    for acl in acls {
        match acl.attributes.get("resources") {
            Some(Observed::Value(Value::Array(list))) if !list.is_empty() => used += 1,
            Some(Observed::Gap(gap)) => {
                faults.unread(gap);
                continue;
            }
            None => {
                let arn = &acl.arn;
                faults
                    .missing
                    .push(format!("what {arn} protects was not collected"));
                continue;
            }
            _ => continue,
        }
        match acl.attributes.get("logging") {
            Some(Observed::Absent | Observed::Value(Value::Bool(false))) => {
                faults.add("logging", format!("`{}` writes no log", acl.arn.name()));
            }
            Some(Observed::Gap(gap)) => faults.unread(gap),
            _ => {}
        }
    }
    match used {
        0 if faults.missing.is_empty() => State::off("no web ACL protects anything"),
        _ => faults.state(),
    }
}

/// The kind under which web ACLs stand among the resources.
const WEB_ACL: &str = "wafv2.web-acl";
