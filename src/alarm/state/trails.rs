//! CloudTrail: what is recorded of a region, by whichever trails see it.

use palisade_model::{Account, Observed, Snapshot, Trail};

use super::{Faults, State, present};
use crate::alarm::event::Call;
use crate::alarm::heard::Heard;
use crate::alarm::trail::{covers_region, records};

/// What a region's record should hold, each with a call that stands for it.
const WANTED: [(&str, &str, &str); 5] = [
    (
        "write-events",
        "iam:CreateUser",
        "changes (write management events) are not recorded",
    ),
    (
        "read-events",
        "iam:ListUsers",
        "reads (read-only management events) are not recorded",
    ),
    (
        "key-events",
        "kms:ScheduleKeyDeletion",
        "calls to KMS are left out",
    ),
    (
        "s3-data",
        "s3:GetObject",
        "object-level calls to S3 are not recorded",
    ),
    (
        "lambda-data",
        "lambda:InvokeFunction",
        "invocations of functions are not recorded",
    ),
];

pub(super) fn state(snapshot: &Snapshot, account: &Account, region: &str) -> State {
    let trails = match present(&account.trails, "there is no trail") {
        Ok(trails) => trails,
        Err(state) => return state,
    };
    // What arrives in a region of any other kind is a regional call.
    let probe = Call::of_action("ec2:RunInstances");
    let covering: Vec<&Trail> = trails
        .values()
        .filter(|trail| covers_region(trail, region, &probe))
        .collect();
    let mut unread = account.trails_unread(region);
    if covering.is_empty() {
        return match unread {
            Some(gap) => State::unknown(gap),
            None => State::off("no trail records this region"),
        };
    }
    let mut running = Vec::new();
    for trail in &covering {
        match &trail.logging {
            Observed::Value(true) => running.push(*trail),
            Observed::Gap(gap) => unread = Some(gap),
            _ => {}
        }
    }
    if running.is_empty() {
        return match unread {
            Some(gap) => State::unknown(gap),
            None => State::off(format!("the trail `{}` is not logging", covering[0].name)),
        };
    }
    faults(snapshot, &running).state()
}

/// What none of the running trails does.
fn faults(snapshot: &Snapshot, running: &[&Trail]) -> Faults {
    let mut faults = Faults::default();
    for (kind, action, says) in WANTED {
        let call = Call::of_action(action);
        let mut sum = Heard::No;
        let mut gap = None;
        for trail in running {
            match records(trail, &call) {
                Ok(heard) => sum = sum.or(heard),
                Err(missing) => gap = Some(missing),
            }
        }
        match (sum, gap) {
            (Heard::Yes, _) => {}
            (_, Some(missing)) => faults.unread(kind, missing),
            (Heard::Depends(_), _) if kind.ends_with("-data") => {
                faults.add(kind, format!("{says} for every resource"));
            }
            (Heard::Depends(_), _) => faults.add(kind, format!("{says} for everybody")),
            (Heard::No, _) => faults.add(kind, says),
        }
    }
    let none = |holds: fn(&Trail) -> bool| !running.iter().any(|trail| holds(trail));
    if none(|trail| trail.multi_region) {
        faults.add("multi-region", "no trail records every region");
    }
    if none(|trail| trail.log_validation) {
        faults.add(
            "log-validation",
            "no digest files prove the log files whole",
        );
    }
    if none(|trail| trail.kms_key.is_some()) {
        faults.add(
            "kms",
            "log files are not encrypted with a key of the account's own",
        );
    }
    if let Some(gap) = snapshot.organization.gap()
        && none(|trail| trail.organization)
    {
        faults.unread("organization", gap);
    }
    let organized = snapshot.organization.value().is_some();
    if organized && none(|trail| trail.organization) {
        faults.add(
            "organization",
            "the account relies on a trail of its own, which it can change",
        );
    }
    delivery(running, &mut faults);
    faults
}

/// Whether some running trail delivers without an error.
fn delivery(running: &[&Trail], faults: &mut Faults) {
    let mut first = None;
    let mut unread = None;
    for trail in running {
        match &trail.delivery_error {
            Observed::Value(error) if !error.is_empty() => {
                first.get_or_insert_with(|| {
                    format!("the trail `{}` cannot deliver: `{error}`", trail.name)
                });
            }
            Observed::Gap(gap) => unread = Some(gap),
            _ => return,
        }
    }
    match (unread, first) {
        (Some(gap), _) => faults.unread("delivery", gap),
        (None, Some(error)) => faults.add("delivery", error),
        (None, None) => {}
    }
}
