//! Exports of `aws iam get-account-authorization-details` as they come out of AWS: what they hold
//! is proven, what they do not hold is open, and nothing is silent.

use palisade::graph::{Node, PathSet, Query, Status};
use palisade_model::{Observed, Snapshot, read_gaad};
use serde_json::{Value, json};

use super::prove::faults;
use super::with_graph;

const BUILD: &str = "633333333301";
const PROD: &str = "633333333302";

fn policy(actions: &[&str], resource: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": actions, "Resource": resource }
    ] })
}

fn trust(principal: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }
    ] })
}

/// A document as the API sends it: percent-encoded text.
fn encoded(document: &Value) -> Value {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    Value::String(document.to_string().bytes().map(escape).collect())
}

fn role(
    account: &str,
    name: &str,
    trust: Value,
    inline: Option<Value>,
    attached: &[&str],
) -> Value {
    let attached: Vec<Value> = attached
        .iter()
        .map(|arn| json!({ "PolicyName": arn.rsplit('/').next(), "PolicyArn": arn }))
        .collect();
    let inline: Vec<Value> = inline
        .into_iter()
        .map(|document| json!({ "PolicyName": "own", "PolicyDocument": document }))
        .collect();
    json!({
        "Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"),
        "Arn": format!("arn:aws:iam::{account}:role/{name}"),
        "CreateDate": "2025-03-01T10:00:00+00:00",
        "AssumeRolePolicyDocument": trust, "InstanceProfileList": [],
        "RolePolicyList": inline, "AttachedManagedPolicies": attached,
        "Tags": [], "RoleLastUsed": {},
    })
}

fn user(account: &str, name: &str, inline: Value) -> Value {
    json!({
        "Path": "/", "UserName": name, "UserId": format!("AIDA{name}"),
        "Arn": format!("arn:aws:iam::{account}:user/{name}"),
        "CreateDate": "2025-03-01T10:00:00Z", "GroupList": [], "AttachedManagedPolicies": [],
        "UserPolicyList": [{ "PolicyName": "own", "PolicyDocument": inline }],
    })
}

const ADMIN: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

fn build() -> Value {
    json!({
        "UserDetailList": [
            user(BUILD, "developer", policy(&["sts:AssumeRole"], "*")),
            user(BUILD, "coder", encoded(&policy(&["lambda:UpdateFunctionCode", "lambda:InvokeFunction"], "*"))),
            user(BUILD, "keys", policy(&["iam:CreateAccessKey"], &format!("arn:aws:iam::{BUILD}:user/boss"))),
            user(BUILD, "boss", policy(&["*"], "*")),
            user(BUILD, "reader", policy(&["s3:GetObject"], "*")),
        ],
        "GroupDetailList": [],
        "RoleDetailList": [
            role(BUILD, "pipeline", encoded(&trust(&json!({ "AWS": format!("arn:aws:iam::{BUILD}:root") }))),
                Some(policy(&["sts:AssumeRole"], &format!("arn:aws:iam::{PROD}:role/deploy"))), &[]),
            role(BUILD, "worker", trust(&json!({ "Service": "lambda.amazonaws.com" })), None, &[ADMIN]),
            role(BUILD, "machine", trust(&json!({ "Service": "ec2.amazonaws.com" })),
                Some(policy(&["iam:*"], "*")), &[]),
        ],
        "Policies": [{
            "PolicyName": "AdministratorAccess", "PolicyId": "ANPA", "Arn": ADMIN, "Path": "/",
            "DefaultVersionId": "v1", "AttachmentCount": 1, "IsAttachable": true,
            "PolicyVersionList": [{ "VersionId": "v1", "IsDefaultVersion": true, "Document": policy(&["*"], "*") }],
        }],
    })
}

fn prod() -> Value {
    json!({
        "RoleDetailList": [
            role(PROD, "deploy", trust(&json!({ "AWS": format!("arn:aws:iam::{BUILD}:role/pipeline") })),
                Some(policy(&["iam:PutRolePolicy"], &format!("arn:aws:iam::{PROD}:role/deploy"))), &[]),
        ],
    })
}

fn read(documents: &[Value]) -> Snapshot {
    let named: Vec<(String, String)> = documents
        .iter()
        .enumerate()
        .map(|(at, document)| (format!("{at}.json"), format!("\u{feff}{document:#}")))
        .collect();
    read_gaad(&named).expect("the exports read")
}

/// Paths of exports whose accounts are known to be in no organization.
fn paths(documents: &[Value]) -> PathSet {
    let mut snapshot = read(documents);
    snapshot.organization = Observed::Absent;
    paths_in(&snapshot)
}

fn paths_in(snapshot: &Snapshot) -> PathSet {
    with_graph(snapshot, |graph, engine| {
        let set = graph.paths(&Query::default());
        let faults = faults(&set, engine);
        assert!(faults.is_empty(), "{faults:#?}");
        set
    })
}

fn status(set: &PathSet, who: &str, account: &str) -> Option<Status> {
    let target = Node::administrator(account);
    let arn = |pair: &palisade::graph::Pair| pair.best.entry.node.id();
    let mut pairs = set.pairs.iter().filter(|pair| arn(pair).ends_with(who));
    let pair = pairs.find(|pair| pair.best.target.node == target)?;
    Some(pair.best.status)
}

#[test]
fn what_an_export_holds_is_proven_and_what_it_lacks_is_open() {
    let set = paths(&[build()]);
    // The key slots of the user are not part of the export.
    assert_eq!(status(&set, "user/keys", BUILD), Some(Status::Possible));
    // Neither are functions: one may run as the worker.
    assert_eq!(status(&set, "user/coder", BUILD), Some(Status::Possible));
    assert_eq!(status(&set, "role/machine", BUILD), Some(Status::Proven));
    assert_eq!(status(&set, "user/reader", BUILD), None);
    // The account of the role beyond was not read.
    assert_eq!(status(&set, "user/developer", PROD), None);
}

#[test]
fn policies_of_an_organization_nobody_knows_of_leave_everything_open() {
    let set = paths_in(&read(&[build()]));
    assert_eq!(status(&set, "role/machine", BUILD), Some(Status::Possible));
    assert_eq!(status(&set, "user/reader", BUILD), None);
}

#[test]
fn a_name_of_the_attackers_choice_is_found_under_policies_nobody_read() {
    let text = json!({ "UserDetailList": [
        user(BUILD, "maker", policy(
            &["iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey"],
            &format!("arn:aws:iam::{BUILD}:user/new-*"),
        )),
    ], "Policies": [], "RoleDetailList": [], "GroupDetailList": [] });
    let mut snapshot = read(&[text]);
    let open = paths_in(&snapshot);
    assert_eq!(status(&open, "user/maker", BUILD), Some(Status::Possible));
    snapshot.organization = Observed::Absent;
    assert_eq!(
        status(&paths_in(&snapshot), "user/maker", BUILD),
        Some(Status::Proven)
    );
}

#[test]
fn two_exports_give_the_way_across() {
    let set = paths(&[build(), prod()]);
    assert_eq!(status(&set, "user/developer", PROD), Some(Status::Proven));
    let pair = set.pairs.iter().find(|pair| {
        pair.best.entry.node.id().ends_with("user/developer")
            && pair.best.target.node == Node::administrator(PROD)
    });
    let pair = pair.expect("it is there");
    let steps: Vec<&str> = pair.best.techniques().collect();
    assert_eq!(
        steps,
        [
            "sts.assume-role",
            "sts.assume-role",
            "iam.put-role-policy-self"
        ]
    );
}

#[test]
fn pages_and_lists_that_are_missing_are_told_apart() {
    let page = json!({ "RoleDetailList": [], "IsTruncated": true, "Marker": "abc" });
    assert!(read_gaad(&[("a".to_owned(), page.to_string())]).is_err());
    let whole = json!({ "IsTruncated": false, "UserDetailList": [user(BUILD, "one", policy(&["iam:*"], "*"))] });
    let snapshot = read(&[whole]);
    let iam = &snapshot.accounts[BUILD].iam;
    assert!(iam.users.value().is_some());
    // With `--filter User` the other lists are not empty but absent.
    assert!(
        iam.roles.gap().is_some() && iam.groups.gap().is_some() && iam.policies.gap().is_some()
    );
}

/// A trimmed export names what AWS manages and leaves the documents out: they are the same in
/// every account.
#[test]
fn what_aws_manages_is_known_where_an_export_leaves_it_out() {
    let holds = |name: &str, policy: &str| {
        let mut user = user(BUILD, name, policy_of_nothing());
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        user["AttachedManagedPolicies"] = json!([{ "PolicyName": policy, "PolicyArn": arn }]);
        user
    };
    let text = json!({
        "UserDetailList": [
            holds("identity", "IAMFullAccess"),
            holds("functions", "AWSLambda_FullAccess"),
            // It passes only roles whose names begin with `AWSGlueServiceRole`, among others.
            holds("glue", "AWSGlueConsoleFullAccess"),
            holds("power", "PowerUserAccess"),
            holds("looks", "ReadOnlyAccess"),
            holds("audits", "SecurityAudit"),
            holds("machines", "AmazonEC2FullAccess"),
            holds("tomorrow", "PolicyOfNextYear"),
        ],
        "GroupDetailList": [], "Policies": [],
        "RoleDetailList": [
            role(BUILD, "worker", trust(&json!({ "Service": "lambda.amazonaws.com" })),
                Some(policy(&["iam:*"], "*")), &[]),
            role(BUILD, "etl", trust(&json!({ "Service": "glue.amazonaws.com" })),
                Some(policy(&["iam:*"], "*")), &[]),
        ],
    });
    let set = paths(&[text]);
    for (who, expected) in [
        ("user/identity", Some(Status::Proven)),
        ("user/functions", Some(Status::Proven)),
        ("user/looks", None),
        ("user/audits", None),
        ("user/machines", None),
        // Nobody knows what it says.
        ("user/tomorrow", Some(Status::Possible)),
    ] {
        assert_eq!(status(&set, who, BUILD), expected, "{who}");
    }
    for who in ["user/glue", "user/power"] {
        let worst = status(&set, who, BUILD);
        assert!(
            matches!(worst, None | Some(Status::Possible)),
            "{who}: {worst:?}"
        );
    }
}

fn policy_of_nothing() -> Value {
    policy(&["sts:GetCallerIdentity"], "*")
}
