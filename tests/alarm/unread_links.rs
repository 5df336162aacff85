//! Links of the alarm chain that were not read, or that only seem to lead to somebody.

use palisade::alarm::Alarms;
use palisade::alarm::chain::{Answer, Link};
use palisade::alarm::event::Call;
use palisade::policy::Engine;
use palisade_model::{EventTarget, Observed, Snapshot, Subscription};

use super::estate::{HOME, MANAGEMENT, MEMBER, account, policy, region, role, world};

fn told(snapshot: &Snapshot) -> Answer {
    let engine = Engine::new(snapshot);
    let alarms = Alarms::new(snapshot, &engine);
    alarms.answer(&Call::of_action("guardduty:DeleteDetector"), MEMBER, HOME)
}

/// The borrowed pipeline whose rule calls `target` by `role`.
fn aimed(target: &str, role: Option<&str>) -> Snapshot {
    let mut snapshot = world("borrowed-pipeline");
    let buses = region(&mut snapshot, MEMBER)
        .buses
        .value_mut()
        .expect("buses");
    let rules = &mut buses.get_mut("default").expect("the bus").rules;
    let rule = rules
        .value_mut()
        .expect("rules")
        .get_mut("security-services");
    rule.expect("the rule").targets = Observed::Value(vec![EventTarget {
        id: "1".to_owned(),
        arn: target.into(),
        role: role.map(Into::into),
        dead_letter: None,
    }]);
    snapshot
}

#[test]
fn a_queue_that_was_not_read_is_unknown_and_one_that_nobody_reads_is_no_person() {
    let queue = format!("arn:aws:sqs:us-east-1:{MEMBER}:events");
    let mut snapshot = aimed(&queue, None);
    let queues = Observed::denied("sqs:ListQueues");
    region(&mut snapshot, MEMBER)
        .resources
        .insert("sqs.queue".to_owned(), queues);
    assert!(matches!(told(&snapshot), Answer::Unknown { .. }));
    // The same queue behind a topic.
    let mut snapshot = world("borrowed-pipeline");
    let topics = region(&mut snapshot, MEMBER)
        .topics
        .value_mut()
        .expect("topics");
    for topic in topics.values_mut() {
        topic.subscriptions = Observed::Value(vec![Subscription {
            protocol: "sqs".to_owned(),
            endpoint: Some(queue.as_str().into()),
            confirmed: true,
            ..Subscription::default()
        }]);
    }
    region(&mut snapshot, MEMBER)
        .resources
        .insert("sqs.queue".to_owned(), Observed::Value([].into()));
    match told(&snapshot) {
        Answer::Broken { faults } => {
            assert!(faults[0].why.contains("does not exist"), "{faults:?}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_incident_is_opened_by_a_role_that_may() {
    let plan = format!("arn:aws:ssm-incidents::{MEMBER}:response-plan/wake");
    match told(&aimed(&plan, None)) {
        Answer::Broken { faults } => assert_eq!(faults[0].link, Link::InvokePermission),
        other => panic!("{other:?}"),
    }
    let arn = format!("arn:aws:iam::{MEMBER}:role/opener");
    let mut snapshot = aimed(&plan, Some(&arn));
    let opener = role(
        &arn,
        "events.amazonaws.com",
        r#""ssm-incidents:StartIncident""#,
    );
    let roles = account(&mut snapshot, MEMBER)
        .iam
        .roles
        .value_mut()
        .expect("roles");
    roles.insert("opener".to_owned(), opener);
    assert!(
        matches!(told(&snapshot), Answer::Alarmed { .. }),
        "{:?}",
        told(&snapshot)
    );
}

#[test]
fn a_trail_writes_its_log_group_only_by_a_role_that_may() {
    let mut snapshot = world("security-lit");
    let trails = |snapshot: &mut Snapshot, error: Observed<String>| {
        let trails = account(snapshot, MEMBER)
            .trails
            .value_mut()
            .expect("trails");
        for trail in trails.values_mut() {
            trail.log_group_error = error.clone();
        }
    };
    assert!(matches!(told(&snapshot), Answer::Alarmed { .. }));
    trails(&mut snapshot, Observed::denied("cloudtrail:GetTrailStatus"));
    assert!(matches!(told(&snapshot), Answer::Unknown { .. }));
    trails(&mut snapshot, Observed::Absent);
    let roles = account(&mut snapshot, MANAGEMENT)
        .iam
        .roles
        .value_mut()
        .expect("roles");
    let writer = roles.get_mut("trail-to-logs").expect("the role");
    // The streams have names of their own, to which most roles are bound.
    writer.inline = [(
        "write".to_owned(),
        policy(r#"{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:us-east-1:511111111101:log-group:organization-trail:log-stream:511111111101_CloudTrail_us-east-1*"}"#),
    )]
    .into();
    assert!(
        matches!(told(&snapshot), Answer::Alarmed { .. }),
        "{:?}",
        told(&snapshot)
    );
    let roles = account(&mut snapshot, MANAGEMENT)
        .iam
        .roles
        .value_mut()
        .expect("roles");
    roles
        .get_mut("trail-to-logs")
        .expect("the role")
        .inline
        .clear();
    match told(&snapshot) {
        Answer::Broken { faults } => assert_eq!(faults[0].link, Link::Trail, "{faults:?}"),
        other => panic!("{other:?}"),
    }
}
