//! CloudTrail: the trails of one account, each asked about where it was made.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_model::{Arn, Gap, GapKind, Observed, RegionName, Trail, TrailSelectors};
use serde_json::{Value, json};

use crate::central::unless;
use crate::engine::Visit;
use crate::generic::Rows;
use crate::path;
use crate::s3::or_absent;
use crate::services::CLOUDTRAIL;
use crate::tasks::each;

/// What is known of an account's trails.
pub(crate) struct Trails {
    pub(crate) found: Observed<BTreeMap<Arn, Trail>>,
    /// Regions that were not read: a trail that records one region shows only there.
    pub(crate) unread: BTreeMap<RegionName, Observed<()>>,
}

impl Trails {
    pub(crate) fn failed() -> Trails {
        let gap = Gap::new("cloudtrail:DescribeTrails", GapKind::Internal);
        Trails {
            found: gap.into(),
            unread: BTreeMap::new(),
        }
    }
}

/// Trails by ARN. Every region is asked: a region that answers names every trail that records it,
/// one that does not may have a trail of its own.
pub(crate) async fn trails(visit: &Arc<Visit>, regions: &[String]) -> Trails {
    let mut asked = regions.to_vec();
    let home = visit.partition.home_region().to_owned();
    if !asked.contains(&home) {
        asked.push(home);
    }
    let count = asked.len();
    let listed = each(asked, |region| async move {
        let parameters = json!({"includeShadowTrails": true});
        let place = visit.place(&region);
        let page = Rows::new("trailList[]", &["TrailARN", "HomeRegion"], ("", ""));
        let listed = place
            .json_pages(&CLOUDTRAIL, "DescribeTrails", "", parameters, page)
            .await;
        (region, listed)
    });
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let mut unread: BTreeMap<RegionName, Observed<()>> = BTreeMap::new();
    for (region, answer) in listed.await {
        let entries = match answer {
            Observed::Value(listed) => listed,
            Observed::Gap(gap) => {
                unread.insert(region, Observed::Gap(gap));
                continue;
            }
            Observed::Absent | Observed::NotApplicable(_) => continue,
        };
        for entry in entries {
            match path::text(&entry, "TrailARN") {
                Some(arn) => {
                    found.insert(arn, entry);
                }
                None => {
                    unread.insert(region.clone(), unreadable("DescribeTrails").into());
                }
            }
        }
    }
    if let (true, Some(failed)) = (unread.len() == count, unread.values().next()) {
        return Trails {
            found: failed.as_ref().map(|()| BTreeMap::new()),
            unread: BTreeMap::new(),
        };
    }
    let read = each(found.into_iter().collect(), |(arn, entry)| async move {
        let trail = trail(visit, &arn, &entry).await;
        (Arn::from(arn), trail)
    });
    Trails {
        found: Observed::Value(read.await.into_iter().collect()),
        unread,
    }
}

/// An answer without what the operation always returns.
fn unreadable(operation: &str) -> Gap {
    let operation = format!("cloudtrail:{operation}");
    Gap::new(operation, GapKind::Unparsable)
}

async fn trail(visit: &Arc<Visit>, arn: &str, entry: &Value) -> Trail {
    let text = |name: &str| path::text(entry, name);
    let flag = |name: &str| path::flag(entry, name).unwrap_or_default();
    let home_region = text("HomeRegion").unwrap_or_default();
    let place = visit.place(&home_region);
    // What the organization's trail records, its owner has said; how it delivers from here, not.
    let told = visit.engine.told.get();
    let told = told.filter(|_| flag("IsOrganizationTrail"));
    let told = told.and_then(|told| told.selectors(arn));
    let (status, selectors) = tokio::join!(
        place.json(&CLOUDTRAIL, "GetTrailStatus", "", json!({"Name": arn})),
        unless(
            told.is_some(),
            place.json(
                &CLOUDTRAIL,
                "GetEventSelectors",
                "",
                json!({"TrailName": arn})
            )
        ),
    );
    let error = |name: &str| match &status {
        Observed::Value(answer) => or_absent(path::text(answer, name)),
        other => other.as_ref().map(|_| String::new()),
    };
    let delivery_error = error("LatestDeliveryError");
    let log_group_error = error("LatestCloudWatchLogsDeliveryError");
    let logging = match status {
        Observed::Value(answer) => match path::flag(&answer, "IsLogging") {
            Some(logging) => Observed::Value(logging),
            None => unreadable("GetTrailStatus").into(),
        },
        other => other.map(|_| false),
    };
    let all = |answer: &Value, path: &str| -> Vec<Value> {
        path::all(answer, path).into_iter().cloned().collect()
    };
    Trail {
        name: text("Name").unwrap_or_default(),
        home_region,
        multi_region: flag("IsMultiRegionTrail"),
        organization: flag("IsOrganizationTrail"),
        global_events: flag("IncludeGlobalServiceEvents"),
        bucket: text("S3BucketName").unwrap_or_default(),
        log_validation: flag("LogFileValidationEnabled"),
        kms_key: text("KmsKeyId").map(Arn::from),
        log_group: text("CloudWatchLogsLogGroupArn").map(Arn::from),
        log_role: text("CloudWatchLogsRoleArn").map(Arn::from),
        logging,
        delivery_error,
        log_group_error,
        selectors: match selectors {
            _ if let Some(told) = told => Observed::Value(told.clone()),
            Observed::Value(answer) if answer.get("TrailARN").is_none() => {
                unreadable("GetEventSelectors").into()
            }
            other => other.map(|answer| TrailSelectors {
                basic: all(&answer, "EventSelectors[]"),
                advanced: all(&answer, "AdvancedEventSelectors[]"),
            }),
        },
    }
}
