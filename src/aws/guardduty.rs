//! GuardDuty of one region.

use std::collections::BTreeMap;

use palisade_model::{Detector, Gap, GapKind, Observed};
use serde_json::json;

use crate::central::unless;
use crate::engine::Place;
use crate::generic::Rows;
use crate::path;
use crate::s3::or_absent;
use crate::services::GUARDDUTY;
use crate::tasks::each;

/// Detectors by id.
pub(crate) async fn detectors(place: &Place) -> Observed<BTreeMap<String, Detector>> {
    let listed = place.json_pages(
        &GUARDDUTY,
        "ListDetectors",
        "GET /detector",
        json!({"maxResults": 50}),
        Rows::new("detectorIds[]", &["."], ("nextToken", "nextToken")),
    );
    let ids: Vec<String> = match listed.await {
        Observed::Value(listed) => listed.iter().filter_map(path::as_text).collect(),
        other => return other.map(|_| BTreeMap::new()),
    };
    let read = each(ids, |id| async move {
        let detector = detector(place, &id).await;
        (id, detector)
    });
    let mut detectors = BTreeMap::new();
    for (id, detector) in read.await {
        match detector {
            Observed::Value(detector) => detectors.insert(id, detector),
            other => return other.map(|_| BTreeMap::new()),
        };
    }
    Observed::Value(detectors)
}

async fn detector(place: &Place, id: &str) -> Observed<Detector> {
    let ask = |operation, route| place.json(&GUARDDUTY, operation, route, json!({"id": id}));
    let members = place.json_pages(
        &GUARDDUTY,
        "ListMembers",
        "GET /detector/{id}/member",
        json!({"id": id, "maxResults": 50}),
        Rows::new("members[]", &[], ("nextToken", "nextToken")),
    );
    // An enabled member has no members and no organization settings.
    let spared = place.is_looked_after("guardduty.amazonaws.com");
    let (detector, administrator, organization, members) = tokio::join!(
        ask("GetDetector", "GET /detector/{id}"),
        ask(
            "GetAdministratorAccount",
            "GET /detector/{id}/administrator"
        ),
        unless(
            spared,
            ask(
                "DescribeOrganizationConfiguration",
                "GET /detector/{id}/admin"
            )
        ),
        unless(spared, members),
    );
    let members = path::statuses(
        members,
        "guardduty:ListMembers",
        ("accountId", "relationshipStatus"),
    );
    let administrator = match administrator {
        Observed::Value(answer) => or_absent(path::text(&answer, "administrator.accountId")),
        other => other.map(|_| String::new()),
    };
    let auto_enable = match organization {
        Observed::Value(answer) => or_absent(path::text(&answer, "autoEnableOrganizationMembers")),
        other => other.map(|_| String::new()),
    };
    let status = match &detector {
        Observed::Value(answer) => path::text(answer, "status"),
        _ => None,
    };
    if let (Observed::Value(_), None) = (&detector, &status) {
        return Gap::new("guardduty:GetDetector", GapKind::Unparsable).into();
    }
    detector.map(|answer| Detector {
        status: status.unwrap_or_default(),
        publishing_frequency: path::text(&answer, "findingPublishingFrequency").unwrap_or_default(),
        features: path::all(&answer, "features[]")
            .into_iter()
            .filter_map(|feature| {
                Some((path::text(feature, "name")?, path::text(feature, "status")?))
            })
            .collect(),
        administrator,
        auto_enable,
        members,
    })
}
