//! CloudTrail: what is recorded of a region, by whichever trails see it.

use palisade_model::{Account, Arn, Observed, Snapshot, Trail};

use super::{Faults, State, Weakness, organization, present};
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

pub(super) fn state(snapshot: &Snapshot, id: &str, account: &Account, region: &str) -> State {
    let own = own(snapshot, account, region);
    let probe = Call::of_action("ec2:RunInstances");
    let owned: Vec<(&Arn, &Trail)> = owned(snapshot, id)
        .filter(|(_, trail)| trail.logging == Observed::Value(true))
        .filter(|(_, trail)| covers_region(trail, region, &probe))
        .collect();
    match owned.first() {
        Some((arn, trail)) => beside(own, account, region, arn, trail),
        None => own,
    }
}

/// The organization's trails as the account that owns them shows them. Its members have copies,
/// which they cannot change.
///
/// Source: "Creating a trail for an organization", CloudTrail User Guide, 2026-11.
fn owned<'s>(snapshot: &'s Snapshot, member: &str) -> impl Iterator<Item = (&'s Arn, &'s Trail)> {
    let organization = organization(snapshot).filter(|organization| {
        let accounts = organization.accounts.value();
        accounts.is_none_or(|accounts| accounts.contains_key(member))
    });
    let owner = organization.map(|organization| organization.management_account.as_str());
    let owner = owner.filter(|owner| *owner != member);
    let trails = owner.and_then(|owner| snapshot.accounts.get(owner)?.trails.value());
    trails
        .into_iter()
        .flatten()
        .filter(move |(arn, trail)| trail.organization && Some(arn.account()) == owner)
}

/// The account's own word beside that of the organization's trail.
fn beside(own: State, account: &Account, region: &str, arn: &Arn, owners: &Trail) -> State {
    let (name, owner) = (&owners.name, arn.account());
    let mut state = match own {
        State::Unknown { missing } => {
            let why = missing.join("; ");
            let says = format!(
                "the organization's trail `{name}` of {owner} records it; more was not read: {why}"
            );
            let unread = vec![Weakness { kind: "", says }];
            return State::OnUnread { unread };
        }
        State::Off { what } => {
            let what =
                format!("{what}, although the organization's trail `{name}` of {owner} should");
            return State::Off { what };
        }
        other => other,
    };
    let copy = account.trails.value().and_then(|trails| trails.get(arn));
    match copy {
        None if account.trails_unread(region).is_none() => state.weaken(
            "copy",
            format!("the organization's trail `{name}` of {owner} does not show here"),
        ),
        None => {}
        Some(copy) => {
            for says in differences(copy, owners) {
                let says = format!("its copy of the organization's trail `{name}` {says}");
                state.weaken("copy", says);
            }
        }
    }
    state
}

/// What a member's copy of a trail says otherwise than its owner.
fn differences(copy: &Trail, owners: &Trail) -> Vec<String> {
    let mut found = Vec::new();
    if (&copy.logging, &owners.logging) == (&Observed::Value(false), &Observed::Value(true)) {
        found.push("is not logging, and its owner says that it is".to_owned());
    }
    if copy.bucket != owners.bucket {
        let (here, there) = (&copy.bucket, &owners.bucket);
        found.push(format!(
            "goes to the bucket `{here}`, and its owner's to `{there}`"
        ));
    }
    for (what, here, there) in [
        ("every region", copy.multi_region, owners.multi_region),
        ("the organization", copy.organization, owners.organization),
    ] {
        if here != there {
            let not = if here { "" } else { "not " };
            found.push(format!("is {not}for {what}, and its owner says otherwise"));
        }
    }
    found
}

/// What the account's own list says.
fn own(snapshot: &Snapshot, account: &Account, region: &str) -> State {
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
