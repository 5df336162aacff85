//! GuardDuty: detectors and who administers them.

use palisade_model::Detector;
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    let detectors = match desk.region()? {
        Some(region) => desk.fact(&region.guardduty)?,
        None => None,
    };
    if desk.call.operation == "ListDetectors" {
        let ids: Vec<&String> = detectors.into_iter().flatten().map(|(id, _)| id).collect();
        let page = desk.page(ids, "nextToken", "maxResults")?;
        return Ok(Answer::of(
            json!({"detectorIds": page.items, "nextToken": page.next}),
        ));
    }
    let id = desk.call.need("DetectorId").map_err(|_| desk.unknown())?;
    let Some(detector) = detectors.and_then(|all| all.get(&id)) else {
        return Err(bad_request(
            "The request is rejected because the input detectorId is not owned by the current \
             account.",
        ));
    };
    match desk.call.operation.as_str() {
        "GetDetector" => Ok(describe(desk, detector)),
        "GetAdministratorAccount" => {
            let administrator = desk.fact(&detector.administrator)?;
            let administrator = administrator.map(|account| {
                json!({
                    "accountId": account,
                    "relationshipStatus": "Enabled",
                    "invitationId": "",
                    "invitedAt": "",
                })
            });
            let value = administrator.map_or(json!({}), |one| json!({ "administrator": one }));
            Ok(Answer::of(value))
        }
        "DescribeOrganizationConfiguration" => match desk.fact(&detector.auto_enable)? {
            Some(members) => Ok(Answer::of(json!({
                "autoEnable": members == "NEW",
                "memberAccountLimitReached": false,
                "autoEnableOrganizationMembers": members,
                "features": [],
            }))),
            None => Err(bad_request(
                "The request is rejected because the current account is not the delegated \
                 administrator of its organization.",
            )),
        },
        "ListMembers" => {
            let told = desk.fact(&detector.members)?;
            let members: Vec<Value> = told
                .into_iter()
                .flatten()
                .map(|(id, status)| json!({"accountId": id, "relationshipStatus": status}))
                .collect();
            Ok(Answer::of(json!({ "members": members })))
        }
        _ => Err(desk.unknown()),
    }
}

fn bad_request(message: &str) -> Failure {
    Failure::new(400, "BadRequestException", message)
}

fn describe(desk: &Desk<'_>, detector: &Detector) -> Answer {
    let account = &desk.call.account;
    let role = format!(
        "arn:{}:iam::{account}:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty",
        desk.call.partition
    );
    let made = desk
        .world
        .snapshot
        .taken_at
        .to_string()
        .replace('Z', ".000Z");
    let features: Vec<Value> = detector
        .features
        .iter()
        .map(|(name, status)| json!({"name": name, "status": status}))
        .collect();
    Answer::of(json!({
        "createdAt": made,
        "updatedAt": made,
        "findingPublishingFrequency": detector.publishing_frequency,
        "serviceRole": role,
        "status": detector.status,
        "tags": {},
        "features": features,
    }))
}
