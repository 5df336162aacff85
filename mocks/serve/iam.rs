//! IAM: which operation is answered where, and GetAccountAuthorizationDetails.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::iam_entities::{group, managed, role, user};
use super::{Desk, Outcome, iam_answers, iam_entities, iam_reports};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    match desk.call.operation.as_str() {
        "GetAccountAuthorizationDetails" => authorization_details(desk),
        "GetAccountSummary"
        | "GenerateCredentialReport"
        | "GetCredentialReport"
        | "ListAccountAliases"
        | "ListOrganizationsFeatures"
        | "GetAccountPasswordPolicy"
        | "ListSAMLProviders"
        | "GetSAMLProvider"
        | "ListOpenIDConnectProviders"
        | "GetOpenIDConnectProvider" => iam_reports::answer(desk),
        _ => iam_answers::answer(desk),
    }
}

/// IAM's "there is none".
pub(super) fn no_such(kind: &str, name: &str) -> Failure {
    let message = format!("The {kind} with name {name} cannot be found.");
    Failure::new(404, "NoSuchEntity", message)
}

/// A page of IAM: `IsTruncated` and `Marker`.
pub(super) fn paged(desk: &Desk<'_>, name: &str, all: Vec<Value>) -> Outcome {
    let page = desk.page(all, "Marker", "MaxItems")?;
    Ok(Answer::of(json!({
        name: page.items,
        "IsTruncated": page.next.is_some(),
        "Marker": page.next,
    })))
}

/// The sections of the authorization details, and the filters that ask for them.
const SECTIONS: [(&str, &[&str]); 4] = [
    ("UserDetailList", &["User"]),
    ("GroupDetailList", &["Group"]),
    ("RoleDetailList", &["Role"]),
    ("Policies", &["LocalManagedPolicy", "AWSManagedPolicy"]),
];

fn authorization_details(desk: &Desk<'_>) -> Outcome {
    let iam = &desk.home()?.iam;
    let filter = desk.call.list("Filter");
    let wanted = |names: &[&str]| {
        filter.is_empty()
            || names
                .iter()
                .any(|name| filter.iter().any(|one| one == name))
    };
    let mut all: Vec<(&str, Value)> = Vec::new();
    if wanted(SECTIONS[0].1) {
        for (name, entry) in desk.fact(&iam.users)?.into_iter().flatten() {
            all.push((SECTIONS[0].0, user(desk, name, entry)));
        }
    }
    if wanted(SECTIONS[1].1) {
        for (name, entry) in desk.fact(&iam.groups)?.into_iter().flatten() {
            all.push((SECTIONS[1].0, group(desk, name, entry)));
        }
    }
    if wanted(SECTIONS[2].1) {
        for (name, entry) in desk.fact(&iam.roles)?.into_iter().flatten() {
            all.push((SECTIONS[2].0, role(desk, name, entry)));
        }
    }
    for (arn, entry) in desk.fact(&iam.policies)?.into_iter().flatten() {
        let kind = match arn.account() {
            "aws" => "AWSManagedPolicy",
            _ => "LocalManagedPolicy",
        };
        let used = iam_entities::uses(desk, arn);
        // AWS-managed policies that nothing uses are not told.
        if wanted(&[kind]) && (kind == "LocalManagedPolicy" || used != (0, 0)) {
            all.push((SECTIONS[3].0, managed(desk, arn, entry)));
        }
    }
    let page = desk.page(all, "Marker", "MaxItems")?;
    let mut answer = Map::new();
    for (section, _) in SECTIONS {
        answer.insert(section.to_owned(), json!([]));
    }
    for (section, item) in page.items {
        if let Some(Value::Array(list)) = answer.get_mut(section) {
            list.push(item);
        }
    }
    answer.insert("IsTruncated".to_owned(), page.next.is_some().into());
    answer.insert("Marker".to_owned(), page.next.into());
    Ok(Answer::of(Value::Object(answer)))
}
