//! Accounts and their regions: the Account service, and EC2's list of regions.

use palisade_model::{Partition, RegionState};
use serde_json::json;

use super::answer::Answer;
use super::failure::Failure;
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    match desk.call.operation.as_str() {
        "ListRegions" => list_regions(desk),
        "GetRegionOptStatus" => opt_status(desk),
        "GetAlternateContact" | "GetContactInformation" => Err(Failure::new(
            404,
            "ResourceNotFoundException",
            "No contact of the inputted type found.",
        )),
        _ => Err(desk.unknown()),
    }
}

fn status(name: &str, state: RegionState) -> &'static str {
    match state {
        RegionState::Off => "DISABLED",
        _ if Partition::of_region(name).regions().contains(&name) => "ENABLED_BY_DEFAULT",
        _ => "ENABLED",
    }
}

/// The account's regions and their states, of the account named in the request if it is one.
fn states(desk: &Desk<'_>) -> Outcome<Vec<(String, &'static str)>> {
    let account = match desk.call.text("AccountId") {
        Some(id) => desk
            .world
            .snapshot
            .accounts
            .get(&id)
            .ok_or_else(|| Failure::denied(desk.call, None))?,
        None => desk.home()?,
    };
    let regions = desk.fact(&account.regions)?;
    Ok(regions
        .into_iter()
        .flatten()
        .map(|(name, region)| (name.clone(), status(name, region.state)))
        .collect())
}

fn list_regions(desk: &Desk<'_>) -> Outcome {
    let wanted = desk.call.list("RegionOptStatusContains");
    let regions = states(desk)?
        .into_iter()
        .filter(|(_, status)| wanted.is_empty() || wanted.iter().any(|one| one == status))
        .map(|(name, status)| json!({"RegionName": name, "RegionOptStatus": status}))
        .collect();
    let page = desk.page(regions, "NextToken", "MaxResults")?;
    Ok(Answer::of(
        json!({"Regions": page.items, "NextToken": page.next}),
    ))
}

fn opt_status(desk: &Desk<'_>) -> Outcome {
    let wanted = desk.call.need("RegionName")?;
    let states = states(desk)?;
    let found = states.into_iter().find(|(name, _)| *name == wanted);
    let (name, status) =
        found.ok_or_else(|| Failure::new(400, "ValidationException", "The region is not valid"))?;
    Ok(Answer::of(
        json!({"RegionName": name, "RegionOptStatus": status}),
    ))
}

/// EC2's DescribeRegions: regions that are on, or all with `AllRegions`.
pub(super) fn regions(desk: &Desk<'_>) -> Outcome {
    let all = desk.call.flag("AllRegions").unwrap_or_default();
    let wanted = desk.call.list("RegionName");
    let account = desk.home()?;
    let suffix = desk.call.partition.dns_suffix();
    let items = desk
        .fact(&account.regions)?
        .into_iter()
        .flatten()
        .filter(|(name, region)| {
            (all || region.state != RegionState::Off)
                && (wanted.is_empty() || wanted.contains(name))
        })
        .map(|(name, region)| {
            let status = match status(name, region.state) {
                "ENABLED_BY_DEFAULT" => "opt-in-not-required",
                "ENABLED" => "opted-in",
                _ => "not-opted-in",
            };
            json!({
                "regionName": name,
                "regionEndpoint": format!("ec2.{name}.{suffix}"),
                "optInStatus": status,
            })
        })
        .collect::<Vec<_>>();
    Ok(Answer::of(json!({ "regionInfo": items })))
}
