//! Amazon Inspector of one region.

use std::collections::BTreeMap;

use palisade_model::{Gap, GapKind, Inspector, Observed};
use serde_json::json;

use crate::engine::Place;
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
    let status = path::text(own, "state.status").unwrap_or_default();
    let resources: BTreeMap<String, String> = RESOURCES
        .into_iter()
        .filter_map(|(field, name)| {
            let status = path::text(own, &format!("resourceState.{field}.status"))?;
            Some((name.to_owned(), status))
        })
        .collect();
    if status == "DISABLED" && resources.values().all(|status| status == "DISABLED") {
        return Observed::Absent;
    }
    Observed::Value(Inspector { status, resources })
}
