//! Encryption as far as it is known: knowing less makes an answer unknown and never turns it round,
//! and what a found key leads to is said in one sentence.

use super::*;
use palisade::check::Outcome;
use palisade::{Selection, analyse};

const OBJECTS: &str = "arn:aws:s3:::acme-data/*";

/// The answer about files that look like credentials, in a bucket whose policy hands out all.
fn files(default: &Value, own: &Value) -> &'static str {
    outcome(&snapshot(&public(default, own)))
}

fn public(default: &Value, own: &Value) -> Value {
    json!({"bucket": {
        "ownership": "BucketOwnerEnforced",
        "encryption": default,
        "policy": {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": OBJECTS}},
        "objects": {"seen": 1, "complete": true, "objects": [
            {"key": ".env", "pattern": "dotenv", "encryption": own,
                "matches": {"$not-applicable": {"why": "not-asked"}}}]},
    }})
}

fn outcome(snapshot: &Snapshot) -> &'static str {
    match said(snapshot) {
        Outcome::Fail { .. } => "fail",
        Outcome::Pass => "pass",
        Outcome::Unknown { .. } => "unknown",
        Outcome::NotApplicable { .. } => "not applicable",
    }
}

fn said(snapshot: &Snapshot) -> Outcome {
    let wanted = ["s3-public-credential-files".to_owned()];
    let selection = Selection::new(&wanted, &[]).expect("the check exists");
    let answers = analyse(snapshot, &selection).answers;
    let [answer] = answers.as_slice() else {
        panic!("one bucket has one answer: {answers:?}");
    };
    answer.outcome.clone()
}

#[test]
fn less_knowledge_of_encryption_never_turns_an_answer_round() {
    let kms = || json!("aws:kms");
    let plain = || json!("AES256");
    let refused = || json!({"$gap": "s3:GetObject"});
    let not_asked = || json!({"$not-applicable": {"why": "not-asked"}});
    let unread = || json!({"$gap": "s3:GetBucketEncryption"});
    for (default, own, expect) in [
        // The object's own state settles it, whatever the default is.
        (kms(), kms(), "pass"),
        (plain(), kms(), "pass"),
        (Value::Null, kms(), "pass"),
        (unread(), kms(), "pass"),
        (kms(), plain(), "fail"),
        (unread(), plain(), "fail"),
        (kms(), Value::Null, "fail"),
        (plain(), json!("SSE-C"), "pass"),
        (plain(), json!("aws:kms:dsse"), "pass"),
        // Nobody looked: a default without a KMS key is taken at its word, one with a key
        // leaves open what is older.
        (plain(), not_asked(), "fail"),
        (Value::Null, not_asked(), "fail"),
        (kms(), not_asked(), "unknown"),
        (json!("aws:kms:dsse"), not_asked(), "unknown"),
        (unread(), not_asked(), "unknown"),
        // Looking was refused.
        (plain(), refused(), "fail"),
        (kms(), refused(), "unknown"),
        (unread(), refused(), "unknown"),
        (Value::Null, refused(), "unknown"),
    ] {
        assert_eq!(
            files(&default, &own),
            expect,
            "default {default}, own {own}"
        );
    }
}

#[test]
fn a_bucket_is_locked_when_everything_in_it_is() {
    let objects = |own: &[Value], seen: u64, gaps: Value| {
        let list: Vec<Value> = own
            .iter()
            .enumerate()
            .map(|(at, own)| json!({"key": format!("k{at}"), "encryption": own}))
            .collect();
        json!({"seen": seen, "complete": true, "gaps": gaps, "objects": list})
    };
    let kms = || json!("aws:kms");
    let refused = || json!({"$gap": "s3:GetObject"});
    let not_asked = || json!({"$not-applicable": {"why": "not-asked"}});
    let unread = || json!({"$gap": "s3:GetBucketEncryption"});
    let none = || json!([]);
    for (default, objects, expect) in [
        (kms(), objects(&[kms(), kms()], 2, none()), "private"),
        (
            kms(),
            objects(&[kms(), json!("AES256")], 2, none()),
            "public",
        ),
        (
            kms(),
            objects(&[kms(), refused()], 2, none()),
            "private..public",
        ),
        (unread(), objects(&[kms()], 1, none()), "private..public"),
        (unread(), objects(&[json!("AES256")], 1, none()), "public"),
        (json!("AES256"), objects(&[kms()], 1, none()), "public"),
        // What nobody asked excuses nothing.
        (kms(), objects(&[kms(), not_asked()], 2, none()), "public"),
        (kms(), objects(&[kms()], 9, none()), "public"),
        (
            kms(),
            json!({"$gap": "s3:ListObjectsV2"}),
            "private..public",
        ),
    ] {
        let mut row = public(&default, &Value::Null);
        row["bucket"]["objects"] = objects.clone();
        let found = judge(&row);
        let read = answers(&found)
            .remove("read")
            .unwrap_or("private".to_owned());
        assert_eq!(read, expect, "default {default}, {objects}");
    }
}

/// An account whose user may give himself what he likes, and a public object with a key in it.
fn estate(key: &Value, users: Value, organization: Value) -> Snapshot {
    let mut row = public(&json!("AES256"), &json!("AES256"));
    row["bucket"]["objects"]["objects"][0]["matches"] = json!([key]);
    let mut snapshot = snapshot(&row);
    let organization = serde_json::from_value(organization).expect("an organization");
    snapshot.organization = organization;
    let account = snapshot.accounts.get_mut(OWNER).expect("the account");
    account.iam.users = serde_json::from_value(users).expect("users");
    snapshot
}

fn key(id: &str, account: Option<&str>) -> Value {
    json!({"rule": "aws-secret-access-key", "start": 10, "end": 50, "redacted": "****",
        "fingerprint": "f", "key_id": id, "account": account, "paired": true})
}

#[test]
fn the_finding_says_whose_key_it_is_and_where_it_leads() {
    let user = |status: &str, policy: Value| {
        json!({"robot": {"arn": format!("arn:aws:iam::{OWNER}:user/robot"), "id": "AIDAROBOT",
            "access_keys": [{"id": "AKIAROBOT", "status": status}],
            "inline": {"p": {"Version": "2012-10-17", "Statement": policy}}}})
    };
    let own = json!([{"Effect": "Allow", "Action": "iam:PutUserPolicy",
        "Resource": format!("arn:aws:iam::{OWNER}:user/robot")}]);
    let all = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]);
    let little = json!([{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]);
    let mine = || key("AKIAROBOT", Some(OWNER));
    let administrator = format!("administrator of account {OWNER}");
    let alone = Value::Null;
    let member = organization("plain");
    for (case, found, users, organization, says) in [
        (
            "one step",
            mine(),
            user("Active", own.clone()),
            &alone,
            format!(
                "with its secret: an active key of user `robot` in account {OWNER}, who reaches \
                 {administrator} in one step"
            ),
        ),
        (
            "administrator",
            mine(),
            user("Active", all),
            &alone,
            format!("an active key of user `robot` in account {OWNER}, who is {administrator}"),
        ),
        (
            "leads nowhere",
            mine(),
            user("Active", little),
            &alone,
            format!("with its secret: an active key of user `robot` in account {OWNER}$"),
        ),
        (
            "inactive",
            mine(),
            user("Inactive", own.clone()),
            &alone,
            format!(
                "an inactive key of user `robot` in account {OWNER}, which one call makes active \
                 again$"
            ),
        ),
        (
            "deleted",
            key("AKIAGONE", Some(OWNER)),
            user("Active", own.clone()),
            &alone,
            format!("no user of account {OWNER} has it any more$"),
        ),
        (
            "session",
            key("ASIASESSION", Some(OWNER)),
            user("Active", own.clone()),
            &alone,
            format!("a session of account {OWNER}, which ends by itself$"),
        ),
        (
            "foreign",
            key("AKIASTRANGE", Some("444455556666")),
            user("Active", own.clone()),
            &member,
            "it belongs to account 444455556666, outside this estate$".to_owned(),
        ),
        (
            "a member that was not scanned",
            key("AKIAMEMBER", Some("222233334444")),
            user("Active", own.clone()),
            &member,
            "of account 222233334444: its user is unknown (the account was not scanned)$"
                .to_owned(),
        ),
        (
            "users were not read",
            key("AKIAROBOT", Some(OWNER)),
            json!({"$gap": "iam:ListUsers"}),
            &alone,
            "its user is unknown (iam:ListUsers".to_owned(),
        ),
        (
            "no account in the id",
            key("AKIAOLD", None),
            user("Active", own),
            &alone,
            "of an account it does not name: its user is unknown".to_owned(),
        ),
    ] {
        let snapshot = estate(&found, users, organization.clone());
        let Outcome::Fail { evidence } = said(&snapshot) else {
            panic!("{case}: a key in a public object is a finding");
        };
        let id = found["key_id"].as_str().expect("an id");
        let head = format!("`.env` holds access key {id} ");
        let line = evidence
            .iter()
            .find(|one| one.says.starts_with(&head))
            .unwrap_or_else(|| panic!("{case}: {evidence:?}"));
        let fits = match says.strip_suffix('$') {
            Some(end) => line.says.ends_with(end),
            None => line.says.contains(&says),
        };
        assert!(fits, "{case}: {}", line.says);
    }
}
