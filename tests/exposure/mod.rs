//! Who can reach a bucket: recorded configuration, the audience it makes, and laws that hold of
//! every configuration.

mod laws;
mod locks;
mod objects;
mod owners;
mod proof;
mod table;

use std::collections::BTreeMap;

use palisade::exposure::{Audience, BucketExposure, Capability, Exposure};
use palisade_model::{Observed, Snapshot};
use serde_json::{Value, json};

const OWNER: &str = "111122223333";

fn rows() -> Vec<Value> {
    let files = [
        include_str!("../cases/exposure.yaml"),
        include_str!("../cases/exposure-beside.yaml"),
    ];
    let read = |text| serde_yaml_ng::from_str::<Vec<Value>>(text).expect("the rows are YAML");
    files.into_iter().flat_map(read).collect()
}

fn organization(kind: &str) -> Value {
    let perimeter = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-exampleorg1"},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}});
    let management = if kind == "perimeter-management" {
        OWNER
    } else {
        "999999999999"
    };
    let policies = if kind.starts_with("perimeter") {
        json!({"p-perimeter": {"name": "Perimeter", "kind": "rcp", "document": perimeter}})
    } else {
        json!({})
    };
    json!({
        "id": "o-exampleorg1", "management_account": management, "feature_set": "ALL",
        "root": "r-ab12", "units": {}, "policies": policies,
        "accounts": {OWNER: {"parent": "r-ab12"}, "222233334444": {"parent": "r-ab12"},
            "999999999999": {"parent": "r-ab12"}},
        "attachments": {"r-ab12": ["p-perimeter"]},
    })
}

fn bucket_name(row: &Value) -> &str {
    row["bucket_name"].as_str().unwrap_or("acme-data")
}

fn snapshot(row: &Value) -> Snapshot {
    let organization = match row["organization"].as_str() {
        None => Value::Null,
        Some("unread") => json!({"$gap": "organizations:DescribeOrganization"}),
        Some(kind) => organization(kind),
    };
    let resources = match &row["distributions"] {
        Value::Null => json!({"cloudfront.distribution": null}),
        Value::String(_) => json!({}),
        list => json!({"cloudfront.distribution": list}),
    };
    let mut bucket = row["bucket"].clone();
    if bucket["region"].is_null() {
        bucket["region"] = json!("eu-central-1");
    }
    let snapshot = json!({
        "taken_at": "2026-11-01T00:00:00Z",
        "organization": organization,
        "accounts": {OWNER: {
            "s3": {
                "public_access_block": row["account_block"],
                "buckets": {bucket_name(row): bucket},
                "access_points": row["access_points"],
            },
            "resources": resources,
        }},
    });
    serde_json::from_value(snapshot).expect("the row fits the model")
}

fn judge(row: &Value) -> BucketExposure {
    let key = (OWNER.to_owned(), bucket_name(row).to_owned());
    Exposure::of(&snapshot(row))
        .buckets
        .remove(&key)
        .expect("the bucket is judged")
}

fn word(audience: &Audience) -> String {
    match audience {
        Audience::Public => "public".to_owned(),
        Audience::AuthenticatedAws => "auth".to_owned(),
        Audience::CdnPublic => "cdn".to_owned(),
        Audience::CrossAccount { accounts } => {
            let names: Vec<&str> = accounts.iter().map(String::as_str).collect();
            format!("cross {}", names.join(" "))
        }
        Audience::Network(_) => "network".to_owned(),
        Audience::Organization { .. } => "org".to_owned(),
        Audience::Private => "private".to_owned(),
    }
}

fn name(capability: Capability) -> String {
    let value = serde_json::to_value(capability).expect("a capability has a name");
    value.as_str().expect("the name is text").to_owned()
}

/// What a row says, with `cross` alone standing for whoever it is.
fn answers(found: &BucketExposure) -> BTreeMap<String, String> {
    found
        .verdicts
        .iter()
        .map(|(capability, verdict)| {
            let (least, most) = (word(&verdict.at_least), word(&verdict.at_most));
            let most = if least != most && most.starts_with("cross") {
                "cross".to_owned()
            } else {
                most
            };
            let text = if least == most {
                least
            } else {
                format!("{least}..{most}")
            };
            (name(*capability), text)
        })
        .filter(|(_, text)| text != "private")
        .collect()
}

#[test]
fn every_row_of_the_decision_table_is_judged_as_it_says() {
    let mut wrong = Vec::new();
    for row in rows() {
        let found = judge(&row);
        let expect: BTreeMap<String, String> =
            serde_json::from_value(row["expect"].clone()).expect("`expect` is a mapping");
        if answers(&found) != expect {
            wrong.push(format!(
                "{}: expected {expect:?}, got {:?}",
                row["name"],
                answers(&found)
            ));
        }
        if let Some(aws) = row["aws"].as_bool()
            && found.aws_public_policy != Some(aws)
        {
            wrong.push(format!("{}: S3 would say {aws}", row["name"]));
        }
        if let Some(aws) = row["aws_acl"].as_bool()
            && found.aws_public_acl != Some(aws)
        {
            wrong.push(format!("{}: S3 would say {aws} of the ACL", row["name"]));
        }
        let latent: Vec<String> = Capability::ALL
            .into_iter()
            .filter(|capability| found.verdict(*capability).latent().next().is_some())
            .map(name)
            .collect();
        if let Some(expect) = row["latent"].as_array()
            && *expect != latent.iter().map(|name| json!(name)).collect::<Vec<_>>()
        {
            wrong.push(format!("{}: latent is {latent:?}", row["name"]));
        }
        if row["confused"].as_bool().unwrap_or_default() == found.confused_deputies.is_empty() {
            wrong.push(format!(
                "{}: deputies are {:?}",
                row["name"], found.confused_deputies
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_unread_fact_is_named_as_what_decides() {
    for row in rows() {
        for (capability, verdict) in judge(&row).verdicts {
            assert_eq!(
                verdict.gaps.is_empty(),
                verdict.at_least == verdict.at_most,
                "{}: {capability:?}",
                row["name"]
            );
        }
    }
}

#[test]
fn the_status_is_compared_and_not_believed() {
    let mut row = rows()
        .into_iter()
        .find(|row| row["aws"] == json!(true))
        .expect("some row is public");
    for status in [true, false] {
        row["bucket"]["policy_is_public"] = json!(status);
        let found = judge(&row);
        assert_eq!(found.verdict(Capability::Read).at_least, Audience::Public);
        assert_eq!(found.status_disagrees, (!status).then_some(status));
    }
}

#[test]
fn an_object_is_judged_by_itself() {
    let row = json!({"bucket": {
        "policy": {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::acme-data/public/*"}},
        "objects": {"seen": 4, "complete": true, "objects": [
            {"key": "public/.env"}, {"key": "private/.env"},
            {"key": "public/old", "storage_class": "DEEP_ARCHIVE"},
            {"key": "public/locked", "encryption": "aws:kms"}]},
    }});
    let found = judge(&row);
    let audience = |key: &str| found.objects[&(key.to_owned(), None)].known().cloned();
    assert_eq!(audience("public/.env"), Some(Audience::Public));
    assert_eq!(audience("private/.env"), Some(Audience::Private));
    assert_eq!(audience("public/old"), Some(Audience::Private));
    assert_eq!(audience("public/locked"), Some(Audience::Private));
}

#[test]
fn nothing_read_is_nothing_said() {
    let mut snapshot = snapshot(&json!({"bucket": {}}));
    let account = snapshot
        .accounts
        .get_mut(OWNER)
        .expect("the account is there");
    account.s3.buckets = Observed::denied("s3:ListBuckets");
    assert!(Exposure::of(&snapshot).buckets.is_empty());
}
