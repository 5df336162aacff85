//! Amazon Inspector of one region.

use std::collections::BTreeMap;

use palisade_model::{Gap, GapKind, Inspector, Observed};
use serde_json::{Value, json};

use crate::central::unless;
use crate::engine::Place;
use crate::generic::Rows;
use crate::path;
use crate::services::INSPECTOR;

/// Fields of the answer and our names for them.
const RESOURCES: [(&str, &str); 5] = [
    ("ec2", "ec2"),
    ("ecr", "ecr"),
    ("lambda", "lambda"),
    ("lambdaCode", "lambda_code"),
    ("codeRepository", "code_repository"),
];

/// The account's own state. Disabled throughout reads as absent.
pub(crate) async fn inspector(place: &Place) -> Observed<Inspector> {
    let account = &place.visit.account;
    let answer = place.json(
        &INSPECTOR,
        "BatchGetAccountStatus",
        "POST /status/batch/get",
        json!({"accountIds": [account]}),
    );
    let answer = match answer.await {
        Observed::Value(answer) => answer,
        other => return other.map(|_| Inspector::default()),
    };
    let own = path::all(&answer, "accounts[]")
        .into_iter()
        .find(|entry| path::text(entry, "accountId").as_deref() == Some(account));
    let Some(own) = own else {
        return Gap {
            code: path::text(&answer, "failedAccounts[].errorCode").unwrap_or_default(),
            message: "the answer does not name this account".to_owned(),
            ..Gap::new("inspector2:BatchGetAccountStatus", GapKind::Unparsable)
        }
        .into();
    };
    let Some(status) = path::text(own, "state.status") else {
        return Gap::new("inspector2:BatchGetAccountStatus", GapKind::Unparsable).into();
    };
    let resources: BTreeMap<String, String> = RESOURCES
        .into_iter()
        .filter_map(|(field, name)| {
            let status = path::text(own, &format!("resourceState.{field}.status"))?;
            Some((name.to_owned(), status))
        })
        .collect();
    let spared = place.is_looked_after("inspector2.amazonaws.com");
    let members = unless(spared, members(place)).await;
    // Nothing is on here, and nobody else is looked after from here.
    let off = status == "DISABLED" && resources.values().all(|status| status == "DISABLED");
    if off && members.is_absent() {
        return Observed::Absent;
    }
    Observed::Value(Inspector {
        status,
        resources,
        members,
    })
}

/// What this account, as the delegated administrator, is told of the others.
async fn members(place: &Place) -> Observed<BTreeMap<String, String>> {
    let listed = place.json_pages(
        &INSPECTOR,
        "ListMembers",
        "POST /members/list",
        json!({"maxResults": 50, "onlyAssociated": true}),
        Rows::new("members[]", &[], ("nextToken", "nextToken")),
    );
    let id = |entry: &Value| path::text(entry, "accountId");
    let ids: Vec<String> = match path::rows(listed.await, "inspector2:ListMembers", id) {
        Observed::Value(ids) => ids,
        other => return other.map(|_: Vec<String>| BTreeMap::new()),
    };
    if ids.is_empty() {
        return Observed::Absent;
    }
    let mut members = BTreeMap::new();
    // The operation takes a hundred accounts at a time.
    for ids in ids.chunks(100) {
        let answer = place.json(
            &INSPECTOR,
            "BatchGetAccountStatus",
            "POST /status/batch/get",
            json!({"accountIds": ids}),
        );
        match answer.await {
            Observed::Value(answer) => {
                if let Some(code) = path::text(&answer, "failedAccounts[].errorCode") {
                    return Gap {
                        code,
                        message: "the answer leaves members out".to_owned(),
                        ..Gap::new("inspector2:BatchGetAccountStatus", GapKind::Unparsable)
                    }
                    .into();
                }
                for entry in path::all(&answer, "accounts[]") {
                    let status = path::text(entry, "state.status");
                    members.extend(path::text(entry, "accountId").zip(status));
                }
            }
            other => return other.map(|_| BTreeMap::new()),
        }
    }
    Observed::Value(members)
}
