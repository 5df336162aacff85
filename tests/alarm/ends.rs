//! Where an event can end: every kind of target, other accounts' buses and filters of subscriptions.
//! One flip at each link.

use palisade::alarm::Alarms;
use palisade::alarm::chain::{Answer, Link, Way};
use palisade::alarm::event::Call;
use palisade::policy::Engine;
use palisade_mocks::World;
use palisade_model::{
    Account, Arn, Bus, EventSource, EventTarget, Observed, PolicyText, Region, Resource, Role,
    Rule, Snapshot, Subscription, Topic,
};

pub(super) const ACCOUNT: &str = "533333333303";
pub(super) const CENTRAL: &str = "522222222202";
pub(super) const HOME: &str = "us-east-1";
pub(super) const TOPIC: &str = "arn:aws:sns:us-east-1:533333333303:security-alarm";

pub(super) fn policy(text: &str) -> PolicyText {
    PolicyText::new(format!(
        r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#
    ))
}

pub(super) fn for_events(action: &str) -> Observed<PolicyText> {
    Observed::Value(policy(&format!(
        r#"{{"Effect":"Allow","Principal":{{"Service":"events.amazonaws.com"}},"Action":"{action}","Resource":"*"}}"#
    )))
}

/// The borrowed pipeline with a handler that takes everything.
pub(super) fn pipeline() -> Snapshot {
    let mut snapshot = World::load("borrowed-pipeline")
        .expect("it loads")
        .snapshot()
        .clone();
    let functions = region(&mut snapshot, ACCOUNT)
        .functions
        .value_mut()
        .expect("functions");
    functions.get_mut("security-alarm").expect("it").handler = None;
    snapshot
}

pub(super) fn account<'s>(snapshot: &'s mut Snapshot, id: &str) -> &'s mut Account {
    snapshot.accounts.get_mut(id).expect("the account")
}

pub(super) fn region<'s>(snapshot: &'s mut Snapshot, id: &str) -> &'s mut Region {
    let regions = account(snapshot, id).regions.value_mut().expect("regions");
    regions.get_mut(HOME).expect("the region")
}

pub(super) fn rules<'s>(
    snapshot: &'s mut Snapshot,
    id: &str,
) -> &'s mut std::collections::BTreeMap<String, Rule> {
    let buses = region(snapshot, id).buses.value_mut().expect("buses");
    let bus = buses.get_mut("default").expect("the bus");
    bus.rules.value_mut().expect("rules")
}

pub(super) fn target(snapshot: &mut Snapshot, arn: &str, role: Option<&str>) {
    let rule = rules(snapshot, ACCOUNT)
        .get_mut("security-services")
        .expect("the rule");
    rule.targets = Observed::Value(vec![EventTarget {
        id: "1".to_owned(),
        arn: arn.into(),
        role: role.map(Into::into),
        dead_letter: None,
    }]);
}

pub(super) fn role(snapshot: &mut Snapshot, id: &str, name: &str, allows: &str) -> String {
    let arn = format!("arn:aws:iam::{id}:role/{name}");
    let role = Role {
        arn: arn.as_str().into(),
        trust: policy(""),
        inline: [(
            "it".to_owned(),
            policy(&format!(
                r#"{{"Effect":"Allow","Action":"{allows}","Resource":"*"}}"#
            )),
        )]
        .into(),
        ..Role::default()
    };
    let roles = account(snapshot, id).iam.roles.value_mut().expect("roles");
    roles.insert(name.to_owned(), role);
    arn
}

pub(super) fn resource(snapshot: &mut Snapshot, kind: &str, arn: &str) -> Resource {
    let name = Arn::from(arn).name().to_owned();
    let kinds = &mut region(snapshot, ACCOUNT).resources;
    let list = kinds
        .entry(kind.to_owned())
        .or_insert_with(|| Observed::Value([].into()));
    let made = Resource {
        arn: arn.into(),
        ..Resource::default()
    };
    list.value_mut()
        .expect("the list")
        .insert(name, made.clone());
    made
}

pub(super) fn put(snapshot: &mut Snapshot, kind: &str, resource: Resource) {
    let name = resource.arn.name().to_owned();
    let list = region(snapshot, ACCOUNT)
        .resources
        .get_mut(kind)
        .expect("the kind");
    list.value_mut().expect("the list").insert(name, resource);
}

pub(super) fn topic(snapshot: &mut Snapshot) -> &mut Topic {
    let topics = region(snapshot, ACCOUNT)
        .topics
        .value_mut()
        .expect("topics");
    topics.values_mut().next().expect("a topic")
}

pub(super) fn answer(snapshot: &Snapshot) -> Answer {
    let engine = Engine::new(snapshot);
    let alarms = Alarms::new(snapshot, &engine);
    alarms.answer(&Call::of_action("guardduty:DeleteDetector"), ACCOUNT, HOME)
}

pub(super) fn heard(snapshot: &Snapshot) -> Way {
    match answer(snapshot) {
        Answer::Alarmed { ways } => ways[0].clone(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn broken(snapshot: &Snapshot, link: Link) {
    match answer(snapshot) {
        Answer::Broken { faults } => assert_eq!(faults[0].link, link, "{faults:?}"),
        other => panic!("{link:?}: {other:?}"),
    }
}

pub(super) fn unknown(snapshot: &Snapshot) {
    let answer = answer(snapshot);
    assert!(matches!(answer, Answer::Unknown { .. }), "{answer:?}");
}

#[test]
fn a_topic_hears_a_rule_that_its_policy_lets_in() {
    let mut snapshot = pipeline();
    target(&mut snapshot, TOPIC, None);
    topic(&mut snapshot).policy = for_events("sns:Publish");
    assert!(
        heard(&snapshot)
            .links
            .iter()
            .any(|link| link.contains("topic"))
    );
    topic(&mut snapshot).policy = for_events("sns:Subscribe");
    broken(&snapshot, Link::Topic);
    topic(&mut snapshot).policy = Observed::denied("sns:GetTopicAttributes");
    unknown(&snapshot);
}

#[test]
fn a_queue_is_heard_where_somebody_reads_it() {
    let queue = "arn:aws:sqs:us-east-1:533333333303:alarms";
    let mut snapshot = pipeline();
    target(&mut snapshot, queue, None);
    broken(&snapshot, Link::Target);
    let listed = region(&mut snapshot, ACCOUNT).resources.remove("sqs.queue");
    unknown(&snapshot);
    if let Some(listed) = listed {
        let kinds = &mut region(&mut snapshot, ACCOUNT).resources;
        kinds.insert("sqs.queue".to_owned(), listed);
    }
    let mut made = resource(&mut snapshot, "sqs.queue", queue);
    made.policy = for_events("sqs:SendMessage");
    put(&mut snapshot, "sqs.queue", made.clone());
    let mapping = EventSource {
        id: "1".to_owned(),
        source: queue.into(),
        state: "Enabled".to_owned(),
        ..EventSource::default()
    };
    let functions = region(&mut snapshot, ACCOUNT)
        .functions
        .value_mut()
        .expect("functions");
    let function = functions.get_mut("security-alarm").expect("it");
    function.event_sources = Observed::Value(vec![mapping]);
    heard(&snapshot);
    // The queue does not let EventBridge send.
    made.policy = Observed::Absent;
    put(&mut snapshot, "sqs.queue", made);
    broken(&snapshot, Link::InvokePermission);
    target(
        &mut snapshot,
        "arn:aws:sqs:us-east-1:533333333303:gone",
        None,
    );
    broken(&snapshot, Link::Target);
}

#[test]
fn a_state_machine_is_heard_where_its_role_may_publish() {
    let arn = "arn:aws:states:us-east-1:533333333303:stateMachine:alarms";
    let mut snapshot = pipeline();
    let starter = role(&mut snapshot, ACCOUNT, "starter", "states:StartExecution");
    target(&mut snapshot, arn, Some(&starter));
    unknown(&snapshot);
    let mut machine = resource(&mut snapshot, "states.state-machine", arn);
    machine.role = Observed::Value("arn:aws:iam::533333333303:role/alarm-exec".into());
    put(&mut snapshot, "states.state-machine", machine.clone());
    heard(&snapshot);
    target(&mut snapshot, arn, None);
    broken(&snapshot, Link::InvokePermission);
    let idle = role(&mut snapshot, ACCOUNT, "idle", "ec2:DescribeInstances");
    target(&mut snapshot, arn, Some(&idle));
    broken(&snapshot, Link::InvokePermission);
    target(&mut snapshot, arn, Some(&starter));
    machine.role = Observed::Value(idle.as_str().into());
    put(&mut snapshot, "states.state-machine", machine);
    broken(&snapshot, Link::Function);
}

#[test]
fn an_api_destination_is_called_with_a_role() {
    let arn = "arn:aws:events:us-east-1:533333333303:api-destination/pager/1";
    let mut snapshot = pipeline();
    let caller = role(
        &mut snapshot,
        ACCOUNT,
        "caller",
        "events:InvokeApiDestination",
    );
    target(&mut snapshot, arn, Some(&caller));
    heard(&snapshot);
    target(&mut snapshot, arn, None);
    broken(&snapshot, Link::InvokePermission);
}

#[test]
fn a_log_group_or_an_instance_tells_nobody() {
    for arn in [
        "arn:aws:logs:us-east-1:533333333303:log-group:/alarms",
        "arn:aws:ec2:us-east-1:533333333303:instance/i-1",
    ] {
        let mut snapshot = pipeline();
        target(&mut snapshot, arn, None);
        broken(&snapshot, Link::Target);
    }
}

/// A second account whose default bus takes what the first sends, and tells a topic of its own.
fn forwarded() -> Snapshot {
    let mut snapshot = pipeline();
    let mut central = Account::unread();
    central.iam.roles = Observed::Value([].into());
    central.iam.users = Observed::Value([].into());
    central.trails = Observed::Absent;
    let topic = "arn:aws:sns:us-east-1:522222222202:wake";
    let rule = Rule {
        arn: "arn:aws:events:us-east-1:522222222202:rule/all".into(),
        state: "ENABLED".to_owned(),
        pattern: Some(PolicyText::new(
            r#"{"account":["533333333303"],"detail":{"eventName":["DeleteDetector"]}}"#,
        )),
        targets: Observed::Value(vec![EventTarget {
            id: "1".into(),
            arn: topic.into(),
            ..EventTarget::default()
        }]),
        ..Rule::default()
    };
    let bus = Bus {
        arn: "arn:aws:events:us-east-1:522222222202:event-bus/default".into(),
        policy: Observed::Value(policy(
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::533333333303:root"},"Action":"events:PutEvents","Resource":"*"}"#,
        )),
        rules: Observed::Value([("all".to_owned(), rule)].into()),
    };
    let subscription = Subscription {
        protocol: "email".to_owned(),
        confirmed: true,
        ..Subscription::default()
    };
    let wake = Topic {
        policy: for_events("sns:Publish"),
        kms_key: Observed::Absent,
        subscriptions: Observed::Value(vec![subscription]),
    };
    let region = Region {
        buses: Observed::Value([("default".to_owned(), bus)].into()),
        topics: Observed::Value([(Arn::from(topic), wake)].into()),
        ..Region::default()
    };
    central.regions = Observed::Value([(HOME.to_owned(), region)].into());
    snapshot.accounts.insert(CENTRAL.to_owned(), central);
    let sender = role(&mut snapshot, ACCOUNT, "sender", "events:PutEvents");
    target(
        &mut snapshot,
        "arn:aws:events:us-east-1:522222222202:event-bus/default",
        Some(&sender),
    );
    snapshot
}

fn central_bus(snapshot: &mut Snapshot) -> &mut Bus {
    let buses = region(snapshot, CENTRAL).buses.value_mut().expect("buses");
    buses.get_mut("default").expect("the bus")
}

#[test]
fn a_bus_of_another_account_takes_the_event_and_is_out_of_reach() {
    let way = heard(&forwarded());
    assert!(way.leaves_account, "{way:?}");
    assert!(
        way.links.iter().any(|link| link.contains(CENTRAL)),
        "{way:?}"
    );
    assert!(
        way.caveats.iter().any(|text| text.contains("dead-letter")),
        "{way:?}"
    );
}

#[test]
fn each_link_to_another_account_can_break() {
    let mut closed = forwarded();
    central_bus(&mut closed).policy = Observed::Absent;
    broken(&closed, Link::Bus);
    let mut unread = forwarded();
    central_bus(&mut unread).policy = Observed::denied("events:DescribeEventBus");
    unknown(&unread);
    let mut mute = forwarded();
    role(&mut mute, ACCOUNT, "sender", "ec2:DescribeInstances");
    broken(&mute, Link::Bus);
    let mut deaf = forwarded();
    rules(&mut deaf, CENTRAL).clear();
    broken(&deaf, Link::Bus);
    let mut others = forwarded();
    rules(&mut others, CENTRAL)
        .get_mut("all")
        .expect("it")
        .pattern = Some(PolicyText::new(r#"{"account":["999999999909"]}"#));
    broken(&others, Link::Bus);
    let mut gone = forwarded();
    target(
        &mut gone,
        "arn:aws:events:us-east-1:522222222202:event-bus/none",
        None,
    );
    broken(&gone, Link::Bus);
    let mut unseen = forwarded();
    target(
        &mut unseen,
        "arn:aws:events:us-east-1:588888888808:event-bus/default",
        None,
    );
    unknown(&unseen);
    let mut elsewhere = forwarded();
    target(
        &mut elsewhere,
        "arn:aws:events:eu-west-1:522222222202:event-bus/default",
        None,
    );
    unknown(&elsewhere);
}

#[test]
fn a_subscription_filter_lets_through_what_it_names() {
    let filtered = |filter: &str, scope: &str| {
        let mut snapshot = pipeline();
        target(&mut snapshot, TOPIC, None);
        let topic = topic(&mut snapshot);
        topic.policy = for_events("sns:Publish");
        let subscription = &mut topic.subscriptions.value_mut().expect("subscriptions")[0];
        subscription.filter = Some(PolicyText::new(filter));
        subscription.filter_scope = scope.to_owned();
        snapshot
    };
    heard(&filtered(
        r#"{"detail":{"eventName":["DeleteDetector"]}}"#,
        "MessageBody",
    ));
    broken(
        &filtered(r#"{"detail":{"eventName":["StopLogging"]}}"#, "MessageBody"),
        Link::Subscription,
    );
    broken(
        &filtered(r#"{"severity":["high"]}"#, "MessageAttributes"),
        Link::Subscription,
    );
    broken(
        &filtered(r#"{"severity":["high"]}"#, ""),
        Link::Subscription,
    );
    unknown(&filtered(r#"{"severity":"high"}"#, "MessageBody"));
}

#[test]
fn a_bad_pattern_is_a_problem_of_its_own_rule_only() {
    let mut snapshot = pipeline();
    let bad = Rule {
        arn: "arn:aws:events:us-east-1:533333333303:rule/bad".into(),
        state: "ENABLED".to_owned(),
        pattern: Some(PolicyText::new(
            r#"{"detail":{"eventName":"DeleteDetector"}}"#,
        )),
        ..Rule::default()
    };
    rules(&mut snapshot, ACCOUNT).insert("bad".to_owned(), bad);
    heard(&snapshot);
    rules(&mut snapshot, ACCOUNT).remove("security-services");
    match answer(&snapshot) {
        Answer::Unknown { missing } => assert!(missing[0].contains("rule `bad`"), "{missing:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_region_that_was_denied_is_unknown_by_itself() {
    let mut snapshot = pipeline();
    let regions = account(&mut snapshot, ACCOUNT)
        .regions
        .value_mut()
        .expect("regions");
    regions.get_mut("eu-central-1").expect("it").buses = Observed::denied("events:ListEventBuses");
    let engine = Engine::new(&snapshot);
    let alarms = Alarms::new(&snapshot, &engine);
    let call = Call::of_action("guardduty:DeleteDetector");
    assert!(matches!(
        alarms.answer(&call, ACCOUNT, "eu-central-1"),
        Answer::Unknown { .. }
    ));
    assert!(matches!(
        alarms.answer(&call, ACCOUNT, HOME),
        Answer::Alarmed { .. }
    ));
}

#[test]
fn a_function_that_failed_to_deploy_is_dead() {
    let mut snapshot = pipeline();
    let functions = region(&mut snapshot, ACCOUNT)
        .functions
        .value_mut()
        .expect("functions");
    functions.get_mut("security-alarm").expect("it").state = "Failed".to_owned();
    broken(&snapshot, Link::Function);
}
