//! CloudTrail: trails as they show in each region.

use palisade_model::{Arn, Trail};
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    let account = desk.home()?;
    if let Some(unread) = account.trail_regions.get(&desk.call.region) {
        desk.fact(unread)?;
    }
    let trails = desk.fact(&account.trails)?;
    // A trail shows where it was made, and as a shadow wherever it records.
    let shown = |trail: &Trail, shadows: bool| {
        trail.home_region == desk.call.region || (shadows && trail.multi_region)
    };
    match desk.call.operation.as_str() {
        "DescribeTrails" => {
            let shadows = desk.call.flag("includeShadowTrails").unwrap_or(true);
            let wanted = desk.call.list("trailNameList");
            let all: Vec<Value> = trails
                .into_iter()
                .flatten()
                .filter(|(_, trail)| shown(trail, shadows))
                .filter(|(arn, trail)| {
                    wanted.is_empty()
                        || wanted
                            .iter()
                            .any(|one| one == arn.as_str() || *one == trail.name)
                })
                .map(|(arn, trail)| describe(arn, trail))
                .collect();
            Ok(Answer::of(json!({ "trailList": all })))
        }
        "ListTrails" => {
            let all = trails.into_iter().flatten().map(|(arn, trail)| {
                json!({"TrailARN": arn, "Name": trail.name, "HomeRegion": trail.home_region})
            });
            let page = desk.page(all.collect(), "NextToken", "MaxResults")?;
            Ok(Answer::of(
                json!({"Trails": page.items, "NextToken": page.next}),
            ))
        }
        "ListEventDataStores" => Ok(Answer::of(json!({ "EventDataStores": [] }))),
        "GetTrail" | "GetTrailStatus" | "GetEventSelectors" => {
            let given = match desk.call.operation.as_str() {
                "GetEventSelectors" => desk.call.need("TrailName")?,
                _ => desk.call.need("Name")?,
            };
            let found = trails.into_iter().flatten().find(|(arn, trail)| {
                arn.as_str() == given || (trail.name == given && shown(trail, true))
            });
            let (arn, trail) = found.ok_or_else(|| {
                let account = &desk.call.account;
                Failure::new(
                    400,
                    "TrailNotFoundException",
                    format!("Unknown trail: {given} for the user: {account}"),
                )
            })?;
            one(desk, arn, trail)
        }
        _ => Err(desk.unknown()),
    }
}

fn describe(arn: &Arn, trail: &Trail) -> Value {
    let mut value = json!({
        "Name": trail.name,
        "S3BucketName": trail.bucket,
        "IncludeGlobalServiceEvents": trail.global_events,
        "IsMultiRegionTrail": trail.multi_region,
        "HomeRegion": trail.home_region,
        "TrailARN": arn,
        "LogFileValidationEnabled": trail.log_validation,
        "HasCustomEventSelectors": true,
        "HasInsightSelectors": false,
        "IsOrganizationTrail": trail.organization,
    });
    for (name, part) in [
        ("KmsKeyId", &trail.kms_key),
        ("CloudWatchLogsLogGroupArn", &trail.log_group),
        ("CloudWatchLogsRoleArn", &trail.log_role),
    ] {
        if let Some(arn) = part {
            value[name] = arn.as_str().into();
        }
    }
    value
}

fn one(desk: &Desk<'_>, arn: &Arn, trail: &Trail) -> Outcome {
    match desk.call.operation.as_str() {
        "GetTrail" => Ok(Answer::of(json!({ "Trail": describe(arn, trail) }))),
        "GetTrailStatus" => {
            let logging = desk.fact(&trail.logging)?.copied().unwrap_or_default();
            let mut value = json!({
                "IsLogging": logging,
                "LatestDeliveryTime": desk.world.snapshot.taken_at.0,
            });
            if let Some(error) = desk.fact(&trail.delivery_error)? {
                value["LatestDeliveryError"] = error.as_str().into();
            }
            Ok(Answer::of(value))
        }
        _ => {
            let selectors = desk.fact(&trail.selectors)?.cloned().unwrap_or_default();
            let mut value = json!({ "TrailARN": arn });
            if !selectors.basic.is_empty() {
                value["EventSelectors"] = selectors.basic.into();
            }
            if !selectors.advanced.is_empty() {
                value["AdvancedEventSelectors"] = selectors.advanced.into();
            }
            Ok(Answer::of(value))
        }
    }
}
