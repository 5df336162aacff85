//! Single objects: versions, owners, locks, archives, odd keys, and what stands around them.

use super::*;

const OWNER_ID: &str = "0wner";
const OTHER_ID: &str = "0ther";
const ALL: &str = "http://acs.amazonaws.com/groups/global/AllUsers";

fn allow(action: &str, resource: &str, condition: Value) -> Value {
    json!({"Effect": "Allow", "Principal": "*", "Action": action,
        "Resource": format!("arn:aws:s3:::acme-data/{resource}"), "Condition": condition})
}

fn acl(owner: &str, grants: &[(&str, &str)]) -> Value {
    let grants: Vec<Value> = grants
        .iter()
        .map(|(grantee, permission)| json!({"grantee": grantee, "permission": permission}))
        .collect();
    json!({"owner": owner, "grants": grants})
}

/// Who can read the one object of a bucket.
fn reads(bucket: Value, object: &Value, around: Value) -> String {
    let mut row = around;
    row["bucket"] = bucket;
    row["bucket"]["objects"] = json!({"seen": 1, "complete": true, "objects": [object]});
    let found = judge(&row);
    let [verdict] = found.objects.values().collect::<Vec<_>>()[..] else {
        panic!("one object has one verdict");
    };
    let (least, most) = (word(&verdict.at_least), word(&verdict.at_most));
    let most = if least != most && most.starts_with("cross") {
        "cross".to_owned()
    } else {
        most
    };
    match least == most {
        true => least,
        false => format!("{least}..{most}"),
    }
}

fn under(statement: Value) -> Value {
    json!({"acl": acl(OWNER_ID, &[]), "policy": {"Statement": statement}})
}

#[test]
fn an_object_has_a_verdict_of_its_own() {
    let open = || under(allow("s3:GetObject", "*", json!({})));
    let old = || under(allow("s3:GetObjectVersion", "*", json!({})));
    let enforced = |mut bucket: Value| {
        bucket["ownership"] = json!("BucketOwnerEnforced");
        bucket
    };
    let object = |more: Value| {
        let mut object = json!({"key": ".env"});
        let more = more.as_object().expect("fields").clone();
        object.as_object_mut().expect("an object").extend(more);
        object
    };
    let plain = || object(json!({}));
    let version = || object(json!({"version": "3HL4kqtJvjVBH40Nrjfkd"}));
    let foreign = |grants: &[(&str, &str)]| object(json!({"acl": acl(OTHER_ID, grants)}));
    let unread = || object(json!({"acl": {"$gap": "s3:GetObjectAcl"}}));
    let class = |name: &str| object(json!({"storage_class": name}));
    let key = |key: &str| json!({"key": key});
    let closed = || json!({"acl": acl(OWNER_ID, &[])});
    let none = || json!({});
    let mut wrong = Vec::new();
    for (case, bucket, object, around, expect) in [
        ("open", open(), plain(), none(), "public"),
        (
            "a version by the right for objects",
            open(),
            version(),
            none(),
            "private",
        ),
        (
            "a version by the right for versions",
            old(),
            version(),
            none(),
            "public",
        ),
        (
            "an object by the right for versions",
            old(),
            plain(),
            none(),
            "private",
        ),
        (
            "a stranger's object",
            open(),
            foreign(&[]),
            none(),
            "private",
        ),
        (
            "a stranger's object that he opened",
            open(),
            foreign(&[(ALL, "READ")]),
            none(),
            "public",
        ),
        (
            "no stranger's object any more",
            enforced(open()),
            foreign(&[]),
            none(),
            "public",
        ),
        (
            "a list that nobody read",
            closed(),
            unread(),
            none(),
            "private..public",
        ),
        (
            "a list that nobody read and nobody asks",
            enforced(closed()),
            unread(),
            none(),
            "private",
        ),
        (
            "a list that nobody read, its groups ignored",
            closed(),
            unread(),
            json!({"account_block": {"ignore_public_acls": true}}),
            "private..cross",
        ),
        (
            "a canonical stranger",
            closed(),
            object(json!({"acl": acl(OWNER_ID, &[(OTHER_ID, "READ")])})),
            none(),
            "cross 0ther",
        ),
        (
            "in the archive",
            open(),
            class("DEEP_ARCHIVE"),
            none(),
            "private",
        ),
        (
            "in the older archive",
            open(),
            class("GLACIER"),
            none(),
            "private",
        ),
        (
            "in the archive that answers",
            open(),
            class("GLACIER_IR"),
            none(),
            "public",
        ),
        (
            "in a class that moves it",
            open(),
            class("INTELLIGENT_TIERING"),
            none(),
            "public",
        ),
        (
            "seldom asked for",
            open(),
            class("STANDARD_IA"),
            none(),
            "public",
        ),
        (
            "in another folder",
            under(allow("s3:GetObject", "public/*", json!({}))),
            key("private/.env"),
            none(),
            "private",
        ),
        (
            "a key that reads like a pattern",
            under(allow("s3:GetObject", "a*", json!({}))),
            key("a*b?.env"),
            none(),
            "public",
        ),
        (
            "a pattern that is no key",
            under(allow("s3:GetObject", "ab?.env", json!({}))),
            key("ab.env"),
            none(),
            "private",
        ),
        (
            "a key that begins with a slash",
            open(),
            key("/.env"),
            none(),
            "public",
        ),
        (
            "a key of odd letters",
            open(),
            key("a\n\u{1f511}\u{7}/.env"),
            none(),
            "public",
        ),
        (
            "letters of a key matter",
            under(allow("s3:GetObject", "Public/*", json!({}))),
            key("public/.env"),
            none(),
            "private",
        ),
        (
            "a tag that nobody read",
            under(allow(
                "s3:GetObject",
                "*",
                json!({"StringEquals": {"s3:ExistingObjectTag/public": "yes"}}),
            )),
            plain(),
            none(),
            "private..public",
        ),
        (
            "a folder that is refused again",
            under(json!([
                allow("s3:GetObject", "*", json!({})),
                {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
                    "Resource": "arn:aws:s3:::acme-data/secret/*"},
            ])),
            key("secret/.env"),
            none(),
            "private",
        ),
        (
            "whoever pays",
            {
                let mut bucket = open();
                bucket["request_payer"] = json!("Requester");
                bucket
            },
            plain(),
            none(),
            "auth",
        ),
        (
            "inside of a perimeter",
            open(),
            plain(),
            json!({"organization": "perimeter"}),
            "org",
        ),
        (
            "restricted",
            open(),
            plain(),
            json!({"account_block": {"restrict_public_buckets": true}}),
            "private",
        ),
        (
            "restricted, and open by its own list",
            open(),
            object(json!({"acl": acl(OWNER_ID, &[(ALL, "READ")])})),
            json!({"account_block": {"restrict_public_buckets": true}}),
            "public",
        ),
        (
            "its own list under a KMS key",
            closed(),
            object(json!({"acl": acl(OWNER_ID, &[(ALL, "READ")]), "encryption": "aws:kms"})),
            none(),
            "private",
        ),
        (
            "by way of an access point, and another folder",
            under(
                json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
                "Condition": {"StringEquals": {"s3:DataAccessPointAccount": OWNER}}}),
            ),
            key("private/.env"),
            json!({"access_points": {"arn:aws:s3:eu-central-1:111122223333:accesspoint/door": {
                "buckets": ["acme-data"],
                "policy": {"Statement": {"Effect": "Allow", "Principal": "*",
                    "Action": "s3:GetObject", "Resource":
                    "arn:aws:s3:eu-central-1:111122223333:accesspoint/door/object/public/*"}}}}}),
            "private",
        ),
        (
            "by way of an access point",
            under(
                json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
                "Condition": {"StringEquals": {"s3:DataAccessPointAccount": OWNER}}}),
            ),
            key("public/.env"),
            json!({"access_points": {"arn:aws:s3:eu-central-1:111122223333:accesspoint/door": {
                "buckets": ["acme-data"],
                "policy": {"Statement": {"Effect": "Allow", "Principal": "*",
                    "Action": "s3:GetObject", "Resource":
                    "arn:aws:s3:eu-central-1:111122223333:accesspoint/door/object/public/*"}}}}}),
            "public",
        ),
    ] {
        let found = reads(bucket, &object, around);
        if found != expect {
            wrong.push(format!("{case}: expected {expect}, got {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
