//! What hangs on conditions, and on what other accounts would have said.

use std::collections::BTreeSet;

use palisade::check::security::Security;
use palisade::check::{Answer, Outcome};
use palisade::{Selection, analyse};
use palisade_checks::Severity;
use palisade_model::{Bucket, Observed, Snapshot};

use super::estate::{MANAGEMENT, MEMBER, account, policy, world};

/// What a check says of an account.
fn answers(snapshot: &Snapshot, check: &str, account: &str) -> Vec<Answer> {
    let answers = analyse(snapshot, &Selection::default()).answers;
    let own = answers.into_iter();
    own.filter(|answer| answer.check == check && answer.account == account)
        .collect()
}

/// A dark organization whose only user may delete detectors, if that holds.
fn bound(condition: &str) -> Snapshot {
    let mut snapshot = world("security-dark");
    let users = account(&mut snapshot, MEMBER).iam.users.value_mut();
    let user = users.expect("users").get_mut("someone").expect("the user");
    user.attached.clear();
    let allow = format!(
        r#"{{"Effect":"Allow","Action":"guardduty:DeleteDetector","Resource":"*"{condition}}}"#
    );
    user.inline = [("it".to_owned(), policy(&allow))].into();
    snapshot
}

#[test]
fn whoever_may_blind_an_account_only_under_conditions_is_told_beside_the_others() {
    let severity = |condition: &str| {
        let found = answers(&bound(condition), "alarm-silent-path", MEMBER);
        let failing = found
            .iter()
            .find(|answer| matches!(answer.outcome, Outcome::Fail { .. }));
        failing.map(|answer| (answer.severity, format!("{:?}", answer.outcome)))
    };
    let (weight, _) = severity("").expect("nothing keeps it from that");
    assert_eq!(weight, Severity::High);
    let second = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    let (weight, says) = severity(second).expect("a second factor can be had");
    assert!(
        weight == Severity::High || says.contains("under conditions"),
        "{says}"
    );
    let inside = r#","Condition":{"StringEquals":{"aws:SourceVpce":"vpce-0123456789abcdef0"}}"#;
    let (weight, says) = severity(inside).expect("whoever stands there may");
    assert!(says.contains("under conditions"), "{says}");
    assert_eq!(weight, Severity::Medium);
}

#[test]
fn trails_of_other_accounts_that_were_not_read_may_write_to_a_bucket_here() {
    let with = |principal: &str, unread: bool| {
        let mut snapshot = world("security-dark");
        let allow = format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":"s3:PutObject","Resource":"*"}}"#
        );
        let bucket = Bucket {
            policy: Observed::Value(policy(&allow)),
            ..Bucket::default()
        };
        let buckets = [("somewhere".to_owned(), bucket)].into();
        account(&mut snapshot, MEMBER).s3.buckets = Observed::Value(buckets);
        if unread {
            account(&mut snapshot, MANAGEMENT).trails =
                Observed::denied("cloudtrail:DescribeTrails");
        }
        snapshot
    };
    let word = |snapshot: &Snapshot| {
        let techniques = palisade_checks::techniques().expect("the techniques load");
        Security::over(snapshot, techniques, &BTreeSet::new(), |security| {
            let mut rows = security.coverage().iter();
            let row = rows.find(|row| row.account == MEMBER && row.action == "s3:DeleteBucket");
            row.expect("it is a tamper action").protection.word()
        })
    };
    let trail = r#"{"Service":"cloudtrail.amazonaws.com"}"#;
    let partner = r#"{"AWS":"arn:aws:iam::533333333303:role/writer"}"#;
    assert_eq!(word(&with(trail, true)), "unknown");
    assert_ne!(word(&with(trail, false)), "unknown");
    assert_ne!(word(&with(partner, true)), "unknown");
}

#[test]
fn the_bucket_of_a_trail_is_judged_where_its_owner_did_not_name_it() {
    let check = "cloudtrail-log-bucket-exposed";
    let mut snapshot = world("security-lit");
    let judged = |snapshot: &Snapshot| {
        let found = answers(snapshot, check, MEMBER);
        found
            .iter()
            .filter(|answer| answer.resource.contains(":trail/"))
            .count()
    };
    assert_eq!(judged(&snapshot), 0);
    account(&mut snapshot, MANAGEMENT).trails = Observed::denied("cloudtrail:DescribeTrails");
    assert_eq!(judged(&snapshot), 1);
}
