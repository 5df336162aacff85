//! Config: what is recorded of a region, and whether it arrives.

use palisade_model::{ConfigRecorder, ConfigService, Gap, Observed, Region, Snapshot};

use super::{Faults, Service, State, delegated_to, organization, present};

pub(super) fn config(snapshot: &Snapshot, account: &str, name: &str, region: &Region) -> State {
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
        State::OnUnread { .. } => 1,
        State::HalfOn { .. } => 2,
        State::Unknown { .. } => 3,
        _ => 4,
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
        Observed::Gap(gap) => faults.unread("delivery", gap),
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
    if name == snapshot.partition.home_region() {
        match records_global(snapshot, account) {
            Ok(true) => {}
            Ok(false) => faults.add(
                "global",
                "no region records global resource types such as IAM roles",
            ),
            Err(gap) => faults.unread("global", gap),
        }
    }
    match &facts.delivery_channels {
        Observed::Value(channels) if !channels.is_empty() => {}
        Observed::Gap(gap) => faults.unread("channel", gap),
        _ => faults.add("channel", "it has no delivery channel"),
    }
    if let Some(says) = not_gathered(snapshot, account, name) {
        faults.add("aggregator", says);
    }
    faults.state()
}

/// What the organization's aggregators could not gather from a recorder that runs. One of them
/// that did is enough; where none of them names the region, nothing is known.
///
/// Source: AggregatedSourceStatus, AWS Config API Reference, 2026-11.
fn not_gathered(snapshot: &Snapshot, account: &str, region: &str) -> Option<String> {
    let delegate = delegated_to(snapshot, Service::Config);
    let management = organization(snapshot).map(|found| found.management_account.as_str());
    let central = [delegate, management].into_iter().flatten();
    let mut failed = None;
    for id in central.filter(|id| *id != account) {
        let regions = snapshot.accounts.get(id)?.enabled_regions();
        let aggregators = regions.filter_map(|(_, there)| there.config_aggregators.value());
        for (name, aggregator) in aggregators.flatten().filter(|(_, one)| one.organization) {
            let sources = aggregator.sources.value();
            let status = sources.and_then(|sources| sources.get(account)?.get(region));
            match status.map(String::as_str) {
                Some("FAILED" | "OUTDATED") => {
                    let status = status.map_or("", String::as_str);
                    failed = Some(format!(
                        "the organization's aggregator `{name}` of {id} lists it as `{status}`"
                    ));
                }
                Some(_) => return None,
                None => {}
            }
        }
    }
    failed
}

/// Whether a recorder of any region takes global types.
///
/// # Errors
/// The gap, where none of those that were read does and not all were.
fn records_global<'s>(snapshot: &'s Snapshot, account: &str) -> Result<bool, &'s Gap> {
    let Some(data) = snapshot.accounts.get(account) else {
        return Ok(false);
    };
    let mut unread = data.regions_gap.as_ref();
    for (_, region) in data.enabled_regions() {
        match &region.config {
            Observed::Value(config) if config.recorders.values().any(takes_global) => {
                return Ok(true);
            }
            Observed::Gap(gap) => unread = Some(gap),
            _ => {}
        }
    }
    unread.map_or(Ok(false), Err)
}

/// Source: RecordingStrategy, AWS Config API Reference, 2026-11: where types are left out by name,
/// the global types of IAM are recorded unless they are among those, whatever else is set.
fn takes_global(recorder: &ConfigRecorder) -> bool {
    let of_iam = |types: &[String]| types.iter().any(|name| name.starts_with("AWS::IAM::"));
    let left_out = &recorder.excluded_types;
    recorder.include_global
        || of_iam(&recorder.resource_types)
        || (!left_out.is_empty() && !of_iam(left_out))
}
