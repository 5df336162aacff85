//! CloudTrail: the trails of one account, each asked about where it was made.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_model::{Arn, Observed, Trail, TrailSelectors};
use serde_json::{Value, json};

use crate::engine::Visit;
use crate::path;
use crate::s3::or_absent;
use crate::services::CLOUDTRAIL;
use crate::tasks::each;

/// Trails by ARN. Every region is asked: a trail that records one region shows only there.
pub(crate) async fn trails(
    visit: &Arc<Visit>,
    regions: &[String],
) -> Observed<BTreeMap<Arn, Trail>> {
    let mut asked = regions.to_vec();
    let home = visit.partition.home_region().to_owned();
    if !asked.contains(&home) {
        asked.push(home);
    }
    let listed = each(asked, |region| async move {
        let parameters = json!({"includeShadowTrails": true});
        let place = visit.place(&region);
        let page = ("trailList[]", "", "");
        place
            .json_pages(&CLOUDTRAIL, "DescribeTrails", "", parameters, page)
            .await
    });
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let mut failed = None;
    for answer in listed.await {
        match answer {
            Observed::Value(listed) => {
                let named = listed.into_iter();
                found.extend(
                    named.filter_map(|entry| Some((path::text(&entry, "TrailARN")?, entry))),
                );
            }
            Observed::Gap(gap) => failed = Some(gap),
            Observed::Absent | Observed::NotApplicable(_) => {}
        }
    }
    // A trail that was seen is a fact; that there is none is one only when all regions said so.
    if let (true, Some(gap)) = (found.is_empty(), failed) {
        return Observed::Gap(gap);
    }
    let read = each(found.into_iter().collect(), |(arn, entry)| async move {
        let trail = trail(visit, &arn, &entry).await;
        (Arn::from(arn), trail)
    });
    Observed::Value(read.await.into_iter().collect())
}

async fn trail(visit: &Arc<Visit>, arn: &str, entry: &Value) -> Trail {
    let text = |name: &str| path::text(entry, name);
    let flag = |name: &str| path::flag(entry, name).unwrap_or_default();
    let home_region = text("HomeRegion").unwrap_or_default();
    let place = visit.place(&home_region);
    let (status, selectors) = tokio::join!(
        place.json(&CLOUDTRAIL, "GetTrailStatus", "", json!({"Name": arn})),
        place.json(
            &CLOUDTRAIL,
            "GetEventSelectors",
            "",
            json!({"TrailName": arn})
        ),
    );
    let error = |name: &str| match &status {
        Observed::Value(answer) => or_absent(path::text(answer, name)),
        other => other.as_ref().map(|_| String::new()),
    };
    let delivery_error = error("LatestDeliveryError");
    let log_group_error = error("LatestCloudWatchLogsDeliveryError");
    let logging = match status {
        Observed::Value(answer) => or_absent(path::flag(&answer, "IsLogging")),
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
        selectors: selectors.map(|answer| TrailSelectors {
            basic: all(&answer, "EventSelectors[]"),
            advanced: all(&answer, "AdvancedEventSelectors[]"),
        }),
    }
}
