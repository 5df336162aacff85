//! Whether anybody hears it: the borrowed pipeline, and one flip at every link.

use palisade::alarm::chain::{Answer, Link};
use palisade::alarm::event::{Call, Identity};
use palisade::alarm::{Alarms, Level};
use palisade::policy::Engine;
use palisade_checks::tamper;
use palisade_mocks::World;
use palisade_model::{Arn, Observed, Snapshot};

const ACCOUNT: &str = "533333333303";
const HOME: &str = "us-east-1";

fn world(name: &str) -> Snapshot {
    World::load(name)
        .expect("the world loads")
        .snapshot()
        .clone()
}

/// The eleven rows of the second document, with the names CloudTrail writes.
fn rows() -> Vec<Call> {
    let printed = tamper().iter().filter(|group| group.group != "root");
    let calls = printed.flat_map(|group| group.printed.iter().map(move |row| (group, row)));
    calls
        .map(|(group, row)| {
            let action = group
                .actions
                .iter()
                .find(|a| a.event_name() == row.is_event && a.event_source() == row.is_source)
                .expect("every row is a tamper action");
            let call = Call::of_action(&action.action);
            assert_eq!(
                (&call.source, call.name.as_str()),
                (&row.is_source, row.is_event.as_str())
            );
            assert_eq!(call.global, action.global, "{}", action.action);
            call
        })
        .collect()
}

fn heard(snapshot: &Snapshot, identity: Identity, region: &str) -> Vec<String> {
    let engine = Engine::new(snapshot);
    let alarms = Alarms::new(snapshot, &engine);
    rows()
        .iter()
        .filter(|call| {
            let answer = alarms.answer_for(call, ACCOUNT, region, &[identity]);
            matches!(answer, Answer::Alarmed { .. })
        })
        .map(|call| call.name.clone())
        .collect()
}

#[test]
fn every_tamper_row_agrees_with_the_names_of_events() {
    for row in tamper().iter().flat_map(|group| &group.actions) {
        let call = Call::of_action(&row.action);
        if row.prefix() == "elasticloadbalancing" || row.prefix() == "apigateway" {
            continue; // Permissions without a call: WAF's own call is recorded.
        }
        assert_eq!(call.source, row.event_source(), "{}", row.action);
        assert_eq!(call.name, row.event_name(), "{}", row.action);
        assert_eq!(call.global, row.global, "{}", row.action);
    }
}

#[test]
fn the_borrowed_pipeline_hears_two_of_its_own_eleven_events_and_only_from_sessions() {
    let snapshot = world("borrowed-pipeline");
    assert_eq!(rows().len(), 11);
    assert_eq!(
        heard(&snapshot, Identity::AssumedRole, HOME),
        ["DeleteDetector", "DisableSecurityHub"]
    );
    assert_eq!(
        heard(&snapshot, Identity::IamUser, HOME),
        Vec::<String>::new()
    );
    assert_eq!(
        heard(&snapshot, Identity::AssumedRole, "eu-central-1"),
        Vec::<String>::new()
    );
}

#[test]
fn the_borrowed_pipeline_names_its_own_faults() {
    let snapshot = world("borrowed-pipeline");
    let engine = Engine::new(&snapshot);
    let alarms = Alarms::new(&snapshot, &engine);
    let fault = |call: &Call, identity| match alarms.answer_for(call, ACCOUNT, HOME, &[identity]) {
        Answer::Broken { faults } => (faults[0].link, faults[0].why.clone()),
        other => panic!("{}: {other:?}", call.name),
    };
    let (link, why) = fault(
        &Call::of_action("cloudtrail:StopLogging"),
        Identity::AssumedRole,
    );
    assert_eq!(link, Link::Handler);
    assert!(why.contains("no branch for `StopLogging`"), "{why}");
    let (link, why) = fault(
        &Call::of_action("guardduty:DeleteDetector"),
        Identity::IamUser,
    );
    assert_eq!(link, Link::Handler);
    assert!(why.contains("fails for `IAMUser`"), "{why}");
    let (link, why) = fault(&Call::sign_in("ConsoleLogin"), Identity::Root);
    assert_eq!(link, Link::Handler);
    assert!(why.contains("subject"), "{why}");
    // The rule asks for the event as the translation prints it.
    let macie = alarms.answer(&Call::of_action("macie2:DisableMacie"), ACCOUNT, HOME);
    assert_eq!(macie, Answer::NotAlarmed { recorded: true });
}

/// The pipeline with a handler that takes everything, and what one change makes of it.
fn flipped(change: impl FnOnce(&mut Snapshot)) -> Answer {
    let mut snapshot = world("borrowed-pipeline");
    region(&mut snapshot)
        .functions
        .value_mut()
        .expect("functions")
        .get_mut("security-alarm")
        .expect("it")
        .handler = None;
    change(&mut snapshot);
    let engine = Engine::new(&snapshot);
    let alarms = Alarms::new(&snapshot, &engine);
    alarms.answer(&Call::of_action("guardduty:DeleteDetector"), ACCOUNT, HOME)
}

fn region(snapshot: &mut Snapshot) -> &mut palisade_model::Region {
    let account = snapshot.accounts.get_mut(ACCOUNT).expect("the account");
    account
        .regions
        .value_mut()
        .expect("regions")
        .get_mut(HOME)
        .expect("the region")
}

fn rule(snapshot: &mut Snapshot) -> &mut palisade_model::Rule {
    let bus = region(snapshot)
        .buses
        .value_mut()
        .expect("buses")
        .get_mut("default");
    let rules = bus.expect("the bus").rules.value_mut().expect("rules");
    rules.get_mut("security-services").expect("the rule")
}

fn function(snapshot: &mut Snapshot) -> &mut palisade_model::Function {
    let functions = region(snapshot).functions.value_mut().expect("functions");
    functions.get_mut("security-alarm").expect("the function")
}

fn topic(snapshot: &mut Snapshot) -> &mut palisade_model::Topic {
    region(snapshot)
        .topics
        .value_mut()
        .expect("topics")
        .values_mut()
        .next()
        .expect("a topic")
}

fn broken_at(answer: Answer) -> Link {
    match answer {
        Answer::Broken { faults } => faults[0].link,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_whole_chain_is_heard() {
    let Answer::Alarmed { ways } = flipped(|_| {}) else {
        panic!("the chain is whole");
    };
    assert!(
        ways[0].links.iter().any(|link| link == "email subscriber"),
        "{ways:?}"
    );
    assert!(
        ways[0].caveats.iter().any(|text| text.contains("code")),
        "{ways:?}"
    );
}

#[test]
fn every_link_can_break_and_is_named() {
    assert_eq!(
        broken_at(flipped(|s| rule(s).state = "DISABLED".into())),
        Link::Rule
    );
    assert_eq!(
        broken_at(flipped(|s| rule(s).targets = Observed::Value(vec![]))),
        Link::Target
    );
    assert_eq!(
        broken_at(flipped(
            |s| region(s).functions = Observed::Value(Default::default())
        )),
        Link::Target
    );
    assert_eq!(
        broken_at(flipped(|s| function(s).policy = Observed::Absent)),
        Link::InvokePermission
    );
    assert_eq!(
        broken_at(flipped(
            |s| function(s).reserved_concurrency = Observed::Value(0)
        )),
        Link::Function
    );
    assert_eq!(
        broken_at(flipped(|s| {
            let roles = s
                .accounts
                .get_mut(ACCOUNT)
                .expect("it")
                .iam
                .roles
                .value_mut();
            roles
                .expect("roles")
                .get_mut("alarm-exec")
                .expect("the role")
                .inline
                .clear();
        })),
        Link::Function
    );
    assert_eq!(
        broken_at(flipped(|s| topic(s).subscriptions = Observed::Value(vec![]))),
        Link::Subscription
    );
    assert_eq!(
        broken_at(flipped(|s| {
            topic(s).subscriptions.value_mut().expect("subscriptions")[0].confirmed = false;
        })),
        Link::Subscription
    );
    assert_eq!(
        broken_at(flipped(|s| {
            let trails = s.accounts.get_mut(ACCOUNT).expect("it").trails.value_mut();
            for trail in trails.expect("trails").values_mut() {
                trail.logging = Observed::Value(false);
            }
        })),
        Link::Trail
    );
}

#[test]
fn a_link_that_was_not_read_is_unknown_and_a_bad_pattern_too() {
    let unknown = |answer: Answer| matches!(answer, Answer::Unknown { .. });
    assert!(unknown(flipped(
        |s| region(s).buses = Observed::denied("events:ListEventBuses")
    )));
    assert!(unknown(flipped(
        |s| rule(s).targets = Observed::denied("events:ListTargetsByRule")
    )));
    assert!(unknown(flipped(
        |s| function(s).policy = Observed::denied("lambda:GetPolicy")
    )));
    assert!(unknown(flipped(|s| {
        topic(s).subscriptions = Observed::denied("sns:ListSubscriptions");
    })));
    assert!(unknown(flipped(|s| {
        rule(s).pattern = Some(palisade_model::PolicyText::new(
            "{\"source\": \"aws.guardduty\"}",
        ));
    })));
}

#[test]
fn a_topic_under_the_managed_key_takes_no_message_from_a_rule() {
    let answer = flipped(|s| {
        let arn = Arn::from("arn:aws:sns:us-east-1:533333333303:security-alarm");
        rule(s).targets.value_mut().expect("targets")[0].arn = arn.clone();
        let topic = topic(s);
        topic.kms_key = Observed::Value("alias/aws/sns".into());
        topic.policy = Observed::Value(palisade_model::PolicyText::new(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}"#,
        ));
    });
    assert_eq!(broken_at(answer), Link::Topic);
}

#[test]
fn the_central_chain_hears_every_account_in_every_region() {
    let snapshot = world("security-lit");
    let engine = Engine::new(&snapshot);
    let alarms = Alarms::new(&snapshot, &engine);
    for call in rows() {
        for region in [HOME, "eu-central-1"] {
            let answer = alarms.answer(&call, ACCOUNT, region);
            let Answer::Alarmed { ways } = answer else {
                panic!("{} in {region}: {answer:?}", call.name);
            };
            assert!(ways[0].leaves_account);
        }
    }
}

#[test]
fn detection_is_the_least_of_the_regions_an_attacker_may_choose() {
    let snapshot = world("borrowed-pipeline");
    let engine = Engine::new(&snapshot);
    let alarms = Alarms::new(&snapshot, &engine);
    let anywhere = alarms.detection("guardduty:DeleteDetector", ACCOUNT, "");
    assert_eq!(
        (anywhere.level, anywhere.milli()),
        (Level::Logged, 25),
        "{anywhere:?}"
    );
    let lit = world("security-lit");
    let engine = Engine::new(&lit);
    let alarms = Alarms::new(&lit, &engine);
    let anywhere = alarms.detection("guardduty:DeleteDetector", ACCOUNT, "");
    assert_eq!(
        (anywhere.level, anywhere.milli()),
        (Level::Alarmed, 400),
        "{anywhere:?}"
    );
    let recorded = alarms.detection("iam:CreateUser", ACCOUNT, "");
    assert_eq!(
        (recorded.level, recorded.milli()),
        (Level::Logged, 50),
        "{recorded:?}"
    );
    let dark = world("security-dark");
    let engine = Engine::new(&dark);
    let alarms = Alarms::new(&dark, &engine);
    assert_eq!(alarms.detection("iam:CreateUser", ACCOUNT, "").milli(), 0);
}
