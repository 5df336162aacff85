//! Denies that miss because of how they spell the action.

use palisade::alarm::protection::misnamed;
use palisade::policy::Document;

use super::estate::deny;

#[test]
fn misspelt_denies_are_named_with_what_was_meant() {
    let document = Document::parse(&deny(
        r#"["macie2:DeaktivierenMacie","macie:DisableMacie","inspector:Disable","lambda:UpdateFunctionCode20150331v2","waf:DeleteWebACL","guardduty.amazonaws.com:DeleteDetector","guardduty:Delete*","config:*"]"#,
        "",
    ))
    .expect("it is a policy");
    let known = [(
        "macie2:DeaktivierenMacie".to_owned(),
        "macie2:DisableMacie".to_owned(),
    )];
    let found = misnamed(&document, &known);
    let meant: Vec<(&str, Vec<String>)> = found
        .iter()
        .map(|wrong| (wrong.written.as_str(), wrong.meant.clone()))
        .collect();
    let one = |text: &str| vec![text.to_owned()];
    assert_eq!(
        meant,
        [
            (
                "guardduty.amazonaws.com:DeleteDetector",
                one("guardduty:DeleteDetector")
            ),
            ("inspector:Disable", one("inspector2:Disable")),
            (
                "lambda:UpdateFunctionCode20150331v2",
                one("lambda:UpdateFunctionCode")
            ),
            ("macie2:DeaktivierenMacie", one("macie2:DisableMacie")),
            ("macie:DisableMacie", one("macie2:DisableMacie")),
            ("waf:DeleteWebACL", one("wafv2:DeleteWebACL")),
        ]
    );
}

#[test]
fn events_that_are_no_actions_are_named_by_the_action_behind_them() {
    let document = Document::parse(&deny(
        r#"["s3:PutBucketLifecycle","s3:PutBucketEncryption","s3:ListObjects","monitoring:DeleteAlarms","monitoring.amazonaws.com:DeleteAlarms","lambda:Invoke","lambda:PutFunctionConcurrency20171031","signin:ConsoleLogin","AWS-Konfiguration:StopConfigurationRecorder","securityhub.amazonaws.de:DisableSecurityHub","guardduty:StopMonitoringMember","StopLogging","aws-config:*","securityhub:disablesecurityhub","s3:DeleteBucket"]"#,
        "",
    ))
    .expect("it is a policy");
    let found = misnamed(&document, &[]);
    let meant = |written: &str| {
        let wrong = found.iter().find(|wrong| wrong.written == written);
        wrong.map(|wrong| wrong.meant.join(" "))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        meant("s3:PutBucketLifecycle"),
        some("s3:PutLifecycleConfiguration")
    );
    assert_eq!(
        meant("s3:PutBucketEncryption"),
        some("s3:PutEncryptionConfiguration")
    );
    assert_eq!(meant("s3:ListObjects"), some("s3:ListBucket"));
    assert_eq!(
        meant("monitoring:DeleteAlarms"),
        some("cloudwatch:DeleteAlarms")
    );
    assert_eq!(
        meant("monitoring.amazonaws.com:DeleteAlarms"),
        some("cloudwatch:DeleteAlarms")
    );
    assert_eq!(meant("lambda:Invoke"), some("lambda:InvokeFunction"));
    assert_eq!(
        meant("lambda:PutFunctionConcurrency20171031"),
        some("lambda:PutFunctionConcurrency")
    );
    assert_eq!(
        meant("securityhub.amazonaws.de:DisableSecurityHub"),
        some("securityhub:DisableSecurityHub")
    );
    assert_eq!(meant("aws-config:*"), some("config:*"));
    // Nobody can say what was meant, but it is told that nothing is protected.
    for written in [
        "signin:ConsoleLogin",
        "AWS-Konfiguration:StopConfigurationRecorder",
        "guardduty:StopMonitoringMember",
        "StopLogging",
    ] {
        assert_eq!(meant(written), some(""), "{written}");
    }
    assert_eq!(
        meant("securityhub:disablesecurityhub"),
        None,
        "actions have no case"
    );
    assert_eq!(meant("s3:DeleteBucket"), None);
}
