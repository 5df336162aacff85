//! One decision as `palisade explain` and `palisade who-can` tell it, and requests by the line.

use std::io::Write;

use serde_json::{Value, json};

use crate::binary::fed;

const BOUNDARY: &str = "arn:aws:iam::111122223333:policy/no-roles";

/// Authorization details of an account in which four users would pass a role.
fn details() -> tempfile::NamedTempFile {
    let pass = |condition: Value| {
        let mut statement = json!({"Sid": "Pass", "Effect": "Allow", "Action": "iam:PassRole",
            "Resource": "arn:aws:iam::111122223333:role/*"});
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        json!({"Version": "2012-10-17", "Statement": [statement]})
    };
    let user = |name: &str, own: Value| {
        json!({"Path": "/", "UserName": name, "UserId": format!("AIDA{name:0>17}"),
            "Arn": format!("arn:aws:iam::111122223333:user/{name}"),
            "CreateDate": "2026-01-01T00:00:00Z", "GroupList": [], "Tags": [],
            "AttachedManagedPolicies": [],
            "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": own}]})
    };
    let mut bounded = user("bob", pass(Value::Null));
    bounded["PermissionsBoundary"] =
        json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": BOUNDARY});
    let mut unread = user("dan", json!({"Version": "2012-10-17", "Statement": []}));
    unread["AttachedManagedPolicies"] = json!([{"PolicyName": "lost",
        "PolicyArn": "arn:aws:iam::111122223333:policy/lost"}]);
    let mfa = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let details = json!({
        "UserDetailList": [user("ana", pass(Value::Null)), bounded, user("cy", pass(mfa)), unread],
        "GroupDetailList": [], "RoleDetailList": [],
        "Policies": [{"PolicyName": "no-roles", "PolicyId": "ANPA1", "Arn": BOUNDARY, "Path": "/",
            "DefaultVersionId": "v1", "AttachmentCount": 0, "IsAttachable": true,
            "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document":
                {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}]}],
    });
    let mut file = tempfile::NamedTempFile::new().expect("there is room for a file");
    file.write_all(details.to_string().as_bytes())
        .expect("there is room for it");
    file
}

const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";

fn explained(name: &str, more: &[&str]) -> String {
    explained_in(name, &[more, &["--no-organization"]].concat())
}

fn explained_in(name: &str, more: &[&str]) -> String {
    let file = details();
    let path = file.path().to_str().expect("the path is text").to_owned();
    let who = format!("arn:aws:iam::111122223333:user/{name}");
    let mut arguments = vec!["explain", &who, "iam:PassRole", ROLE, "--gaad", &path];
    arguments.extend(more);
    let output = fed(&arguments, b"");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    String::from_utf8(output.stdout).expect("it writes text")
}

#[test]
fn a_decision_is_explained_by_its_statements() {
    let text = explained("ana", &[]);
    let first =
        format!("iam:PassRole on {ROLE}\nallowed      arn:aws:iam::111122223333:user/ana\n");
    assert!(text.starts_with(&first), "{text}");
    assert!(
        text.contains("by identity-based policy, inline policy `own`, statement `Pass`:"),
        "{text}"
    );
    assert!(text.contains(r#"{"Sid":"Pass","Effect":"Allow""#), "{text}");
}

#[test]
fn a_principal_is_known_by_what_follows_its_account() {
    let file = details();
    let path = file.path().to_str().expect("the path is text").to_owned();
    let ask = [
        "explain",
        "user/ana",
        "iam:PassRole",
        ROLE,
        "--gaad",
        &path,
        "--no-organization",
    ];
    let output = fed(&ask, b"");
    let text = String::from_utf8(output.stdout).expect("it writes text");
    assert!(
        text.contains("allowed      arn:aws:iam::111122223333:user/ana\n"),
        "{text}"
    );
}

#[test]
fn a_near_miss_names_what_stands_in_the_way() {
    let text = explained("bob", &[]);
    assert!(
        text.contains("nothing in the permissions boundary allows it"),
        "{text}"
    );
    let miss =
        format!("near miss    blocked by permissions boundary `{BOUNDARY}`: without it, allowed");
    assert!(text.contains(&miss), "{text}");
    let answer: Value = serde_json::from_str(&explained("bob", &["-f", "json"])).expect("JSON");
    assert_eq!(
        (&answer["answer"], &answer["layer"]),
        (&json!("denied"), &json!("boundary"))
    );
    assert_eq!(answer["nearMisses"][0]["policies"], json!([BOUNDARY]));
}

#[test]
fn a_near_miss_says_what_else_could_deny() {
    // Nothing is known of an organization, so its SCPs may say anything.
    let text = explained_in("bob", &[]);
    let miss = "without it, allowed as far as policies were read";
    assert!(text.contains(miss), "{text}");
}

#[test]
fn conditions_say_who_can_see_to_them() {
    let text = explained("cy", &[]);
    assert!(
        text.contains("when aws:multifactorauthpresent Bool true"),
        "{text}"
    );
    assert!(text.contains("mfa: a second factor"), "{text}");
    let known = explained("cy", &["--context", "aws:MultiFactorAuthPresent=true"]);
    assert!(known.contains("allowed      arn"), "{known}");
}

#[test]
fn what_was_not_read_is_named() {
    let text = explained("dan", &[]);
    assert!(text.contains("unknown      arn"), "{text}");
    assert!(
        text.contains("not read: identity-based policy, arn:aws:iam::111122223333:policy/lost"),
        "{text}"
    );
}

#[test]
fn who_can_lists_near_misses_on_demand() {
    let file = details();
    let path = file.path().to_str().expect("the path is text");
    let ask = |more: &[&str]| {
        let mut arguments = vec![
            "who-can",
            "iam:PassRole",
            ROLE,
            "--gaad",
            path,
            "-f",
            "json",
            "--no-organization",
        ];
        arguments.extend(more);
        let output = fed(&arguments, b"");
        serde_json::from_slice::<Value>(&output.stdout).expect("it writes JSON")
    };
    let plain = ask(&[]);
    let names = |list: &Value| -> Vec<String> {
        let name = |one: &Value| one["principal"].as_str().unwrap_or_default().to_owned();
        list.as_array().into_iter().flatten().map(name).collect()
    };
    let user = |name: &str| format!("arn:aws:iam::111122223333:user/{name}");
    assert_eq!(names(&plain["principals"]), ["ana", "cy", "dan"].map(user));
    assert!(plain.get("nearMisses").is_none());
    assert_eq!(names(&ask(&["--near-misses"])["nearMisses"]), [user("bob")]);
}

#[test]
fn explain_refuses_actions_that_do_not_exist() {
    let output = fed(&["explain", "anonymous", "s3:GetObjects", "*"], b"");
    assert_eq!(output.status.code(), Some(2));
}

fn simulated(input: &[u8]) -> Vec<Value> {
    let output = fed(&["simulate"], input);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).expect("it writes text");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("every line is JSON"))
        .collect()
}

const GOOD: &str = r#"{"id":7,"principal":"arn:aws:iam::111122223333:user/u","action":"s3:GetObject","resource":"arn:aws:s3:::b/k","identityPolicies":[{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}]"#;

#[test]
fn a_bad_line_is_an_error_with_its_number_and_the_rest_goes_on() {
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let mut input: Vec<u8> = Vec::new();
    for line in [
        "\u{feff}".to_owned() + GOOD + ",\"more\":[1,{}]}\r",
        String::new(),
        "{\"id\": 2".to_owned(),
        "[]".to_owned(),
        "{\"id\":5,\"action\":\"s3:GetObject\"}".to_owned(),
        deep,
        GOOD.to_owned() + "}",
    ] {
        input.extend_from_slice(line.as_bytes());
        input.push(b'\n');
    }
    input.extend_from_slice(b"{\"id\":\"\xff\"}\n");
    // The last line needs no end.
    input.extend_from_slice((GOOD.to_owned() + "}").as_bytes());
    let answers = simulated(&input);
    let errors: Vec<u64> = answers.iter().filter_map(|a| a["line"].as_u64()).collect();
    assert_eq!(errors, [3, 4, 5, 6, 8]);
    assert_eq!(answers[3]["id"], json!(5));
    let allowed = answers.iter().filter(|a| a["result"] == "Allowed");
    assert_eq!(allowed.count(), 3);
}

#[test]
fn a_policy_that_does_not_parse_is_unknown_and_the_rest_is_evaluated() {
    let broken = r#","boundary":"{\"Statement\": ["}"#;
    let deny = r#","boundary":"{","scps":[[{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}]]}"#;
    let odd = r#","boundary":5,"sessionPolicy":[[]]}"#;
    let input = [broken, deny, odd]
        .map(|tail| GOOD.to_owned() + tail)
        .join("\n");
    let answers = simulated(input.as_bytes());
    assert_eq!(answers[0]["result"], "Unknown");
    assert_eq!(answers[0]["gaps"][0]["policy"], "boundary");
    assert_eq!(answers[1]["result"], "ExplicitlyDenied");
    assert_eq!(answers[2]["result"], "Unknown");
}

#[test]
fn repeated_keys_and_large_policies_are_read() {
    let twice = r#"{"id":1,"principal":"arn:aws:iam::111122223333:user/u","action":"s3:GetObject","resource":"*","identityPolicies":[{"Statement":{"Effect":"Allow","Action":"sqs:*","action":"s3:*","Resource":"*"}}]}"#;
    let statement = |at: usize| {
        json!({"Sid": format!("S{at}"), "Effect": "Allow", "Action": format!("s3:Get{at}*"),
            "Resource": format!("arn:aws:s3:::bucket-{at}/*")})
    };
    let many: Vec<Value> = (0..2_000).map(statement).collect();
    let large = json!({"id": 2, "principal": "arn:aws:iam::111122223333:user/u",
        "action": "s3:Get1999Object", "resource": "arn:aws:s3:::bucket-1999/x",
        "identityPolicies": [{"Version": "2012-10-17", "Statement": many}]});
    let answers = simulated(format!("{twice}\n{large}\n").as_bytes());
    assert_eq!(answers[0]["result"], "Allowed");
    let notes = answers[0]["notes"].to_string();
    assert!(notes.contains("repeated"), "{notes}");
    assert_eq!(answers[1]["result"], "Allowed");
    assert_eq!(answers[1]["statements"][0]["sid"], "S1999");
}

#[test]
fn requests_with_very_many_patterns_on_unknown_keys_are_decided_in_time() {
    let patterns: Vec<String> = (0..40).map(|i| format!("*a{i}b*c{i}*")).collect();
    let case = json!({"id": 1, "principal": "arn:aws:iam::111122223333:user/u",
        "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", "unknownKeys": ["aws:UserAgent"],
        "identityPolicies": [{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
            "Action": "*", "Resource": "*", "Condition": {"StringLike": {"aws:UserAgent": patterns}}}}]});
    let answers = simulated(format!("{case}\n").as_bytes());
    assert_eq!(answers[0]["verdict"], "Conditional");
}

#[test]
fn permissions_of_one_principal_are_told_with_their_statements() {
    let file = details();
    let path = file.path().to_str().expect("the path is text").to_owned();
    let run = |more: &[&str]| {
        let mut arguments = vec!["explain", "--gaad", &path, "--no-organization"];
        arguments.extend(more);
        let output = fed(&arguments, b"");
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{errors}");
        String::from_utf8(output.stdout).expect("it writes text")
    };
    let text = run(&["user/cy", "--permissions"]);
    let wanted = "arn:aws:iam::111122223333:user/cy can, by its own policies:\n  iam:PassRole\n    \
        on arn:aws:iam::111122223333:role/* when aws:multifactorauthpresent Bool true\n      \
        by inline policy `own`, statement `Pass`\n";
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(words(&text), words(wanted));
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    // What a boundary leaves nothing of is not there, and what was not read is named.
    assert!(run(&["user/bob", "--permissions"]).ends_with("  nothing\n"));
    let unread = run(&["user/dan", "--permissions"]);
    assert!(
        unread.contains("not read of arn:aws:iam::111122223333:user/dan:"),
        "{unread}"
    );
    let json: Value =
        serde_json::from_str(&run(&["user/ana", "--permissions", "-f", "json"])).expect("JSON");
    assert_eq!(json["permissions"][0]["actions"], json!(["iam:PassRole"]));
    assert_eq!(json["permissions"][0]["by"][0]["statement"], "`Pass`");
}

#[test]
fn two_principals_are_told_apart_by_what_only_one_can() {
    let file = details();
    let path = file.path().to_str().expect("the path is text").to_owned();
    let ask = [
        "explain",
        "user/ana",
        "--against",
        "user/cy",
        "--gaad",
        &path,
        "--no-organization",
    ];
    let output = fed(&ask, b"");
    let text = String::from_utf8(output.stdout).expect("it writes text");
    let wanted = "only arn:aws:iam::111122223333:user/ana can:\n  iam:PassRole\n    \
        on arn:aws:iam::111122223333:role/*\nonly arn:aws:iam::111122223333:user/cy can:\n  nothing\n";
    assert_eq!(text, wanted);
    let json = fed(&[&ask[..], &["-f", "json"]].concat(), b"");
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["first"]["only"][0]["actions"], json!(["iam:PassRole"]));
    assert_eq!(json["second"]["only"], json!([]));
    let missing = fed(
        &["explain", "user/nobody", "--permissions", "--gaad", &path],
        b"",
    );
    assert_eq!(missing.status.code(), Some(2));
}
