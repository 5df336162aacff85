//! Rules and metric filters as people write them, well and badly, each against a call that would
//! blind somebody: heard, unheard, or only where whoever calls lets it be.

use palisade::alarm::event::{Call, Event, Identity};
use palisade::alarm::filter::Filter;
use palisade::alarm::heard::{Heard, Subject};
use palisade::alarm::pattern::Pattern;
use palisade_model::Partition;

use super::estate::{HOME, MEMBER};

fn word(heard: &Heard) -> &'static str {
    match heard {
        Heard::Yes => "yes",
        Heard::No => "no",
        Heard::Depends(_) => "depends",
    }
}

fn event(action: &str, region: &str, identity: Identity) -> Event {
    let call = match action.split_once(':') {
        None => Call::sign_in(action),
        Some(_) => Call::of_action(action),
    };
    Event::new(&call, Partition::Aws, MEMBER, region, identity)
}

/// The pattern, the action (or the sign-in event), and whether a role's session is heard.
const PATTERNS: &[(&str, &str, &str)] = &[
    // The event source of findings is not that of calls, and a finding is no call.
    (
        r#"{"source":["aws.guardduty"],"detail-type":["GuardDuty Finding"]}"#,
        "guardduty:DeleteDetector",
        "no",
    ),
    (
        r#"{"source":["aws.guardduty"]}"#,
        "guardduty:DeleteDetector",
        "yes",
    ),
    (r#"{"source":["aws.macie"]}"#, "macie2:DisableMacie", "no"),
    (
        r#"{"source":[{"prefix":"aws.macie"}]}"#,
        "macie2:DisableMacie",
        "yes",
    ),
    (
        r#"{"source":["aws.cloudwatch"]}"#,
        "cloudwatch:DeleteAlarms",
        "no",
    ),
    (
        r#"{"source":["aws.monitoring"]}"#,
        "cloudwatch:DeleteAlarms",
        "yes",
    ),
    (
        r#"{"source":["aws.inspector"]}"#,
        "inspector2:Disable",
        "no",
    ),
    (
        r#"{"detail":{"eventSource":["inspector2.amazonaws.com"]}}"#,
        "inspector2:Disable",
        "yes",
    ),
    (
        r#"{"detail-type":["AWS Service Event via CloudTrail"]}"#,
        "kms:DisableKey",
        "no",
    ),
    // Names.
    (
        r#"{"detail":{"eventName":["UpdateFunctionCode"]}}"#,
        "lambda:UpdateFunctionCode",
        "no",
    ),
    (
        r#"{"detail":{"eventName":[{"prefix":"UpdateFunctionCode"}]}}"#,
        "lambda:UpdateFunctionCode",
        "yes",
    ),
    (
        r#"{"detail":{"eventName":[{"wildcard":"*Function*v2"}]}}"#,
        "lambda:UpdateFunctionConfiguration",
        "yes",
    ),
    (
        r#"{"detail":{"eventName":["deletedetector"]}}"#,
        "guardduty:DeleteDetector",
        "no",
    ),
    (
        r#"{"detail":{"eventName":[{"equals-ignore-case":"deletedetector"}]}}"#,
        "guardduty:DeleteDetector",
        "yes",
    ),
    (
        r#"{"detail":{"eventName":[{"suffix":"Detector"},{"prefix":"Stop"}]}}"#,
        "cloudtrail:StopLogging",
        "yes",
    ),
    (
        r#"{"detail":{"eventName":[{"anything-but":{"wildcard":["Describe*","Get*","List*"]}}]}}"#,
        "config:StopConfigurationRecorder",
        "yes",
    ),
    (
        r#"{"detail":{"eventName":["DeletePolicy"],"eventSource":["organizations.amazonaws.com"]}}"#,
        "fms:DeletePolicy",
        "no",
    ),
    (
        r#"{"detail":{"eventName":["DeletePolicy"]}}"#,
        "fms:DeletePolicy",
        "yes",
    ),
    // Written for another place of the envelope.
    (
        r#"{"eventName":["StopLogging"]}"#,
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        r#"{"detail":{"detail":{"eventName":["StopLogging"]}}}"#,
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        r#"{"resources":[{"prefix":"arn:aws:cloudtrail"}]}"#,
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        r#"{"account":["000000000000"]}"#,
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        r#"{"region":["eu-west-1"],"source":["aws.cloudtrail"]}"#,
        "cloudtrail:StopLogging",
        "no",
    ),
    // Kinds of values.
    (
        r#"{"detail":{"readOnly":["false"]}}"#,
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        r#"{"detail":{"readOnly":[false],"managementEvent":[true]}}"#,
        "cloudtrail:StopLogging",
        "yes",
    ),
    (
        r#"{"detail":{"errorCode":[{"exists":false}]}}"#,
        "cloudtrail:StopLogging",
        "yes",
    ),
    (
        r#"{"detail":{"errorCode":["AccessDenied"]}}"#,
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        r#"{"detail":{"errorCode":[{"anything-but":"AccessDenied"}]}}"#,
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        r#"{"detail":{"eventCategory":["Management"]},"version":["0"]}"#,
        "cloudtrail:StopLogging",
        "yes",
    ),
    // What whoever calls decides.
    (
        r#"{"detail":{"userAgent":[{"anything-but":{"prefix":"APN/1.0 HashiCorp"}}]}}"#,
        "cloudtrail:StopLogging",
        "depends",
    ),
    (
        r#"{"detail":{"sourceIPAddress":[{"anything-but":["203.0.113.7"]}]}}"#,
        "cloudtrail:StopLogging",
        "depends",
    ),
    (
        r#"{"detail":{"sourceIPAddress":[{"cidr":"0.0.0.0/0"}]}}"#,
        "cloudtrail:StopLogging",
        "depends",
    ),
    (
        r#"{"detail":{"userIdentity":{"arn":[{"anything-but":{"wildcard":"*:assumed-role/Deploy/*"}}]}}}"#,
        "cloudtrail:StopLogging",
        "depends",
    ),
    (
        r#"{"detail":{"userIdentity":{"sessionContext":{"sessionIssuer":{"userName":[{"anything-but":["BreakGlass"]}]}}}}}"#,
        "cloudtrail:StopLogging",
        "depends",
    ),
    (
        r#"{"detail":{"userIdentity":{"sessionContext":{"attributes":{"mfaAuthenticated":["false"]}}}}}"#,
        "cloudtrail:StopLogging",
        "depends",
    ),
    (
        r#"{"detail":{"userIdentity":{"invokedBy":[{"exists":false}]}}}"#,
        "guardduty:DeleteDetector",
        "depends",
    ),
    (
        r#"{"detail":{"requestParameters":{"name":[{"exists":true}]}}}"#,
        "cloudtrail:StopLogging",
        "depends",
    ),
    (
        r#"{"detail":{"vpcEndpointId":[{"exists":false}]}}"#,
        "cloudtrail:StopLogging",
        "depends",
    ),
    // Who calls.
    (
        r#"{"detail":{"userIdentity":{"type":["Root"]}}}"#,
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        r#"{"detail":{"userIdentity":{"type":[{"anything-but":"AWSService"}]}}}"#,
        "cloudtrail:StopLogging",
        "yes",
    ),
    (
        r#"{"detail":{"userIdentity":{"type":["IAMUser","AssumedRole"],"accountId":["533333333303"]}}}"#,
        "cloudtrail:StopLogging",
        "yes",
    ),
    // Alternatives.
    (
        r#"{"detail":{"$or":[{"eventName":["StopLogging"]},{"eventSource":["config.amazonaws.com"]}]}}"#,
        "config:DeleteDeliveryChannel",
        "yes",
    ),
    (
        r#"{"$or":[{"source":["aws.config"]},{"detail":{"eventName":["StopLogging"],"errorCode":["x"]}}]}"#,
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        r#"{"source":["aws.cloudtrail"],"$or":[{"detail":{"eventName":[{"prefix":"Stop"}]}},{"detail":{"eventName":[{"prefix":"Put"}],"userAgent":["console"]}}]}"#,
        "cloudtrail:StopLogging",
        "yes",
    ),
    (
        r#"{"source":["aws.cloudtrail"],"$or":[{"detail":{"eventName":[{"prefix":"Delete"}]}},{"detail":{"eventName":[{"prefix":"Stop"}],"userAgent":["console"]}}]}"#,
        "cloudtrail:StopLogging",
        "depends",
    ),
];

#[test]
fn rules_as_people_write_them() {
    let mut wrong = Vec::new();
    for (text, action, expected) in PATTERNS {
        let event = event(action, HOME, Identity::AssumedRole);
        let pattern = Pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found = pattern.matches(event.subject());
        if word(&found) != *expected {
            wrong.push(format!("{text} for {action}: {found:?}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rules_for_sign_ins_of_root() {
    let rows = [
        (
            r#"{"detail-type":["AWS Console Sign In via CloudTrail"],"detail":{"userIdentity":{"type":["Root"]}}}"#,
            "yes",
        ),
        (
            r#"{"detail-type":["AWS Console Sign In via CloudTrail"],"detail":{"responseElements":{"ConsoleLogin":["Success"]}}}"#,
            "yes",
        ),
        (
            r#"{"detail":{"eventName":["ConsoleLogin"],"responseElements":{"ConsoleLogin":["Failure"]}}}"#,
            "no",
        ),
        (
            r#"{"detail":{"eventName":["ConsoleLogin"],"additionalEventData":{"MFAUsed":["No"]}}}"#,
            "depends",
        ),
        (
            r#"{"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventName":["ConsoleLogin"]}}"#,
            "no",
        ),
        (
            r#"{"detail":{"userIdentity":{"type":["Root"],"invokedBy":[{"exists":false}]}}}"#,
            "yes",
        ),
    ];
    for (text, expected) in rows {
        let event = event("ConsoleLogin", HOME, Identity::Root);
        let found = Pattern::parse(text)
            .expect("a pattern")
            .matches(event.subject());
        assert_eq!(word(&found), expected, "{text}: {found:?}");
    }
}

#[test]
fn rules_that_eventbridge_would_refuse() {
    for text in [
        r#"{"detail":{"eventName":"StopLogging"}}"#,
        r#"{"detail":{"eventName":["StopLogging",]}}"#,
        r#"[{"source":["aws.config"]}]"#,
        r#"{"detail":{"eventName":[{"regex":"Stop.*"}]}}"#,
        r#"{"detail":{"eventName":[{"prefix":"Stop","suffix":"ing"}]}}"#,
        r#"{"detail":{"eventName":[{"anything-but":[]}]}}"#,
        r#"{"detail":{"sourceIPAddress":[{"cidr":"10.0.0.0"}]}}"#,
        r#"{"detail":{"$or":[{"eventName":["StopLogging"]}]}}"#,
        r#"{"detail":{"eventName":[["StopLogging"]]}}"#,
        "{}",
        "StopLogging",
    ] {
        assert!(Pattern::parse(text).is_err(), "{text}");
    }
}

/// The filter, the action, and whether a role's session is counted.
const FILTERS: &[(&str, &str, &str)] = &[
    (
        "{ ($.eventSource = guardduty.amazonaws.com) && ($.eventName = DeleteDetector) }",
        "guardduty:DeleteDetector",
        "yes",
    ),
    (
        "{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail) || ($.eventName = StartLogging) || ($.eventName = StopLogging) }",
        "cloudtrail:StopLogging",
        "yes",
    ),
    (
        "{($.eventSource = kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=ScheduleKeyDeletion)) }",
        "kms:ScheduleKeyDeletion",
        "yes",
    ),
    (
        "{ $.eventName = \"Delete*\" }",
        "guardduty:DeleteDetector",
        "yes",
    ),
    (
        "{ $.eventName = %^(Stop|Delete)% }",
        "cloudtrail:StopLogging",
        "yes",
    ),
    ("{ $.eventName = %^Get% }", "cloudtrail:StopLogging", "no"),
    (
        "{ $.detail.eventName = StopLogging }",
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        "{ $.eventName = stoplogging }",
        "cloudtrail:StopLogging",
        "no",
    ),
    (
        "{ $.errorCode NOT EXISTS }",
        "cloudtrail:StopLogging",
        "yes",
    ),
    (
        "{ ($.errorCode = \"*UnauthorizedOperation\") || ($.errorCode = \"AccessDenied*\") }",
        "cloudtrail:StopLogging",
        "no",
    ),
    ("{ $.readOnly IS FALSE }", "cloudtrail:StopLogging", "yes"),
    (
        "{ $.eventName = StopLogging && $.userIdentity.arn != \"*Deploy*\" }",
        "cloudtrail:StopLogging",
        "depends",
    ),
    (
        "{ $.eventName = StopLogging && $.userIdentity.invokedBy NOT EXISTS }",
        "cloudtrail:StopLogging",
        "depends",
    ),
    (
        "{ $.eventName = StopLogging && $.sourceIPAddress != 10.* }",
        "cloudtrail:StopLogging",
        "depends",
    ),
    (
        "{ $.eventName = DeleteTrail || $.eventName = StopLogging && $.errorCode NOT EXISTS }",
        "cloudtrail:StopLogging",
        "yes",
    ),
    (
        "{ ($.eventName = DeleteTrail || $.eventName = StopLogging) && $.errorCode = X }",
        "cloudtrail:StopLogging",
        "no",
    ),
    ("StopLogging", "cloudtrail:StopLogging", "yes"),
    ("StopLogging cloudtrail", "cloudtrail:StopLogging", "yes"),
    ("?DeleteTrail ?StopLogging", "cloudtrail:StopLogging", "yes"),
    (
        "\"StopLogging\" -\"terraform\"",
        "cloudtrail:StopLogging",
        "depends",
    ),
    ("", "cloudtrail:StopLogging", "yes"),
    ("[...]", "cloudtrail:StopLogging", "depends"),
];

#[test]
fn metric_filters_as_people_write_them() {
    let mut wrong = Vec::new();
    for (text, action, expected) in FILTERS {
        let event = event(action, HOME, Identity::AssumedRole);
        let (json, open) = event.record();
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found = filter.matches(Subject { json, open: &open });
        if word(&found) != *expected {
            wrong.push(format!("{text} for {action}: {found:?}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
