//! Requests made out of bytes: from a property test or a fuzzer, small enough to collide often.

use serde_json::{Map, Value, json};

/// Choices read from bytes; zero when they run out.
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    fn roll(&mut self, sides: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % sides
    }

    fn pick<'b, T: ?Sized>(&mut self, from: &[&'b T]) -> &'b T {
        from[self.roll(from.len())]
    }

    fn some(&mut self, from: &[&str], most: usize) -> Value {
        let count = 1 + self.roll(most);
        let list: Vec<&str> = (0..count).map(|_| self.pick(from)).collect();
        // One value stands alone as often as in a list.
        if count == 1 && self.roll(2) == 0 {
            json!(list[0])
        } else {
            json!(list)
        }
    }
}

const USER: &str = "arn:aws:iam::111122223333:user/eng/ana";
const ROLE: &str = "arn:aws:iam::111122223333:role/app/web";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/web/s-1";
const FOREIGN: &str = "arn:aws:iam::222233334444:user/bo";
const PRINCIPALS: &[&str] = &[
    USER,
    ROLE,
    SESSION,
    FOREIGN,
    "arn:aws:iam::111122223333:root",
    "arn:aws:sts::111122223333:federated-user/kim",
    "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/s",
    "sns.amazonaws.com",
    "anonymous",
    "arn:aws:iam::111122223333:oidc-provider/id.example.com",
];
const TARGETS: &[(&str, &str)] = &[
    ("s3:GetObject", "arn:aws:s3:::data-a/in/x"),
    ("s3:PutObject", "arn:aws:s3:::data-b/ana/x"),
    ("s3:ListBucket", "arn:aws:s3:::data-a"),
    (
        "sqs:SendMessage",
        "arn:aws:sqs:eu-west-1:111122223333:ana-q",
    ),
    ("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k-1"),
    ("sts:AssumeRole", "arn:aws:iam::111122223333:role/app/web"),
    ("iam:PassRole", "arn:aws:iam::111122223333:role/app/web"),
    (
        "sqs:DeleteQueue",
        "arn:aws:sqs:eu-west-1:111122223333:ana-q",
    ),
    (
        "kms:PutKeyPolicy",
        "arn:aws:kms:eu-west-1:111122223333:key/k-1",
    ),
    ("ec2:DescribeInstances", "*"),
    ("sts:GetCallerIdentity", "*"),
];
const ACTIONS: &[&str] = &[
    "*",
    "s3:*",
    "s3:Get*",
    "S3:getobject",
    "s3:?etObject",
    "s3:PutObject",
    "sqs:*",
    "kms:Decrypt",
    "kms:*",
    "sts:AssumeRole",
    "sts:*",
    "iam:Pass*",
    "iam:*",
    "ec2:Describe*",
    "*:*",
];
const RESOURCES: &[&str] = &[
    "*",
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::data-?/*",
    "arn:aws:s3:::data-a*",
    "arn:aws:s3:::data-b/${aws:username}/*",
    "arn:aws:sqs:*:111122223333:${aws:PrincipalTag/team, 'ana'}-q",
    "arn:aws:sqs:eu-west-1:*:*",
    "arn:aws:kms:*:*:key/*",
    "arn:aws:iam::*:role/app/*",
    "arn:aws:iam::111122223333:role/*",
];
const NAMES: &[&str] = &[
    "*",
    USER,
    ROLE,
    SESSION,
    FOREIGN,
    "111122223333",
    "arn:aws:iam::111122223333:root",
    "222233334444",
    "arn:aws:sts::111122223333:federated-user/kim",
];
/// Keys, the values requests carry, and the values policies name.
const KEYS: &[(&str, &[&str], &[&str])] = &[
    (
        "aws:username",
        &["ana", "bo"],
        &["ana", "a*", "BO", "${aws:PrincipalTag/team}"],
    ),
    (
        "aws:PrincipalTag/team",
        &["web", "ana", "ops"],
        &["web", "w*", "WEB", "${aws:username}"],
    ),
    (
        "aws:SourceIp",
        &["10.1.2.3", "203.0.113.7", "2001:db8::1"],
        &["10.0.0.0/8", "203.0.113.7", "0.0.0.0/0", "2001:db8::/32"],
    ),
    (
        "aws:MultiFactorAuthAge",
        &["0", "60", "3600"],
        &["60", "3600.0", "-1"],
    ),
    (
        "aws:CurrentTime",
        &["2026-01-01T00:00:00Z", "2026-06-30T23:59:59Z"],
        &["2026-01-01", "2026-06-30T23:59:59Z", "1767225600"],
    ),
    (
        "aws:SecureTransport",
        &["true", "false"],
        &["true", "false"],
    ),
    (
        "aws:SourceArn",
        &[
            "arn:aws:sns:eu-west-1:111122223333:t",
            "arn:aws:sns:eu-west-1:222233334444:t",
        ],
        &[
            "arn:aws:sns:*:111122223333:*",
            "arn:aws:sns:eu-west-1:222233334444:t",
            "*",
        ],
    ),
    ("aws:TagKeys", &["a", "b", ""], &["a", "b*", "c"]),
    (
        "aws:PrincipalArn",
        &[ROLE, USER],
        &[ROLE, "arn:aws:iam::*:role/*"],
    ),
];

fn operator(choices: &mut Choices<'_>, key: &str) -> String {
    let base: &[&str] = match key {
        "aws:SourceIp" => &["IpAddress", "NotIpAddress", "StringEquals"],
        "aws:MultiFactorAuthAge" => &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
        ],
        "aws:CurrentTime" => &[
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
        ],
        "aws:SecureTransport" => &["Bool"],
        "aws:SourceArn" | "aws:PrincipalArn" => &["ArnLike", "ArnNotEquals", "StringLike"],
        _ => &[
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
        ],
    };
    let base = choices.pick(base);
    let set = match (key, choices.roll(4)) {
        ("aws:TagKeys", 0 | 1) => "ForAllValues:",
        ("aws:TagKeys", _) => "ForAnyValue:",
        _ => "",
    };
    let tail = if choices.roll(4) == 0 { "IfExists" } else { "" };
    format!("{set}{base}{tail}")
}

fn conditions(choices: &mut Choices<'_>) -> Value {
    let mut block = Map::new();
    for _ in 0..1 + choices.roll(2) {
        let (key, _, wanted) = KEYS[choices.roll(KEYS.len())];
        let (operator, values) = match choices.roll(8) {
            0 => ("Null".to_owned(), json!(choices.pick(&["true", "false"]))),
            _ => (operator(choices, key), choices.some(wanted, 2)),
        };
        let keys = block.entry(operator).or_insert_with(|| json!({}));
        keys[key] = values;
    }
    Value::Object(block)
}

fn statement(choices: &mut Choices<'_>, named: bool) -> Value {
    let mut out = json!({"Effect": if choices.roll(4) == 0 { "Deny" } else { "Allow" }});
    let element = if choices.roll(6) == 0 {
        "NotAction"
    } else {
        "Action"
    };
    out[element] = choices.some(ACTIONS, 3);
    let element = if choices.roll(6) == 0 {
        "NotResource"
    } else {
        "Resource"
    };
    out[element] = choices.some(RESOURCES, 2);
    if named {
        let element = if choices.roll(8) == 0 {
            "NotPrincipal"
        } else {
            "Principal"
        };
        out[element] = match choices.roll(6) {
            0 => json!("*"),
            1 => json!({"Service": "sns.amazonaws.com"}),
            2 => json!({"Federated": "arn:aws:iam::111122223333:oidc-provider/id.example.com"}),
            _ => json!({"AWS": choices.some(NAMES, 3)}),
        };
    }
    if choices.roll(3) == 0 {
        out["Condition"] = conditions(choices);
    }
    out
}

/// A policy; `named` for those whose statements say whom they mean.
pub fn policy(choices: &mut Choices<'_>, named: bool) -> Value {
    let mut statements: Vec<Value> = (0..1 + choices.roll(3))
        .map(|_| statement(choices, named))
        .collect();
    if choices.roll(4) == 0 {
        let mut all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        if named {
            all["Principal"] = json!("*");
        }
        statements.push(all);
    }
    let version = if choices.roll(6) == 0 {
        "2008-10-17"
    } else {
        "2012-10-17"
    };
    json!({"Version": version, "Statement": statements})
}

fn levels(choices: &mut Choices<'_>, named: bool) -> Value {
    let level = |choices: &mut Choices<'_>| -> Vec<Value> {
        let mut level: Vec<Value> = (0..choices.roll(2))
            .map(|_| policy(choices, named))
            .collect();
        if choices.roll(4) != 0 {
            level.push(json!({"Version": "2012-10-17", "Statement":
                {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}}));
        }
        level
    };
    json!(
        (0..1 + choices.roll(2))
            .map(|_| level(choices))
            .collect::<Vec<_>>()
    )
}

fn context(choices: &mut Choices<'_>) -> Value {
    let mut out = Map::new();
    for (key, values, _) in KEYS {
        if choices.roll(3) == 0 {
            continue;
        }
        let value = match *key {
            "aws:TagKeys" => choices.some(values, 2),
            _ => json!(choices.pick(values)),
        };
        out.insert((*key).to_owned(), value);
    }
    Value::Object(out)
}

/// A whole request in the fields of `palisade simulate`, every key known.
pub fn case(bytes: &[u8]) -> Value {
    let choices = &mut Choices(bytes);
    let (action, resource) = TARGETS[choices.roll(TARGETS.len())];
    let mut out = json!({
        "id": 1, "principal": choices.pick(PRINCIPALS), "action": action, "resource": resource,
        "resourceAccount": if choices.roll(6) == 0 { "222233334444" } else { "111122223333" },
        "context": context(choices),
    });
    let some = |choices: &mut Choices<'_>, named: bool| -> Value {
        json!(
            (0..1 + choices.roll(2))
                .map(|_| policy(choices, named))
                .collect::<Vec<_>>()
        )
    };
    out["identityPolicies"] = some(choices, false);
    let odds = [
        ("resourcePolicy", 2, true),
        ("boundary", 3, false),
        ("sessionPolicy", 5, false),
        ("vpcEndpointPolicies", 6, true),
    ];
    for (field, odds, named) in odds {
        if choices.roll(odds) == 0 {
            let policies = some(choices, named);
            out[field] = if field == "vpcEndpointPolicies" {
                policies
            } else {
                policies[0].clone()
            };
        }
    }
    if choices.roll(3) == 0 {
        out["scps"] = levels(choices, false);
    }
    if choices.roll(4) == 0 {
        out["rcps"] = levels(choices, true);
    }
    out
}

/// The keys a request may leave open.
pub fn key_names() -> Vec<&'static str> {
    KEYS.iter().map(|(key, ..)| *key).collect()
}
