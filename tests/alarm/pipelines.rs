//! Pipelines as people build them, with the mistakes they make: who may call what, which policy
//! speaks, and what becomes of an event in a log group.

use palisade::alarm::chain::{Answer, Link};
use palisade_model::{Alarm, Gap, GapKind, MetricFilter, Observed, PolicyText, Runs, Snapshot};

use super::ends::{
    ACCOUNT, HOME, TOPIC, account, answer, broken, heard, pipeline, policy, region, role, rules,
    target, topic, unknown,
};

fn function(snapshot: &mut Snapshot) -> &mut palisade_model::Function {
    let functions = region(snapshot, ACCOUNT).functions.value_mut();
    functions
        .expect("functions")
        .get_mut("security-alarm")
        .expect("it")
}

#[test]
fn the_policy_that_topics_are_made_with_lets_no_service_in() {
    let mut snapshot = pipeline();
    target(&mut snapshot, TOPIC, None);
    topic(&mut snapshot).policy = Observed::Value(policy(
        r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:Publish","SNS:Subscribe"],"Resource":"*","Condition":{"StringEquals":{"AWS:SourceOwner":"533333333303"}}}"#,
    ));
    broken(&snapshot, Link::Topic);
}

#[test]
fn a_policy_for_another_rule_or_account_lets_this_one_not_in() {
    let allow = |condition: &str| {
        Observed::Value(policy(&format!(
            r#"{{"Effect":"Allow","Principal":{{"Service":"events.amazonaws.com"}},"Action":"sns:Publish","Resource":"*","Condition":{condition}}}"#
        )))
    };
    let with = |condition: &str| {
        let mut snapshot = pipeline();
        target(&mut snapshot, TOPIC, None);
        topic(&mut snapshot).policy = allow(condition);
        snapshot
    };
    let arn = |name: &str| format!("arn:aws:events:{HOME}:{ACCOUNT}:rule/{name}");
    let rule = |name: &str| format!(r#"{{"ArnEquals":{{"aws:SourceArn":"{}"}}}}"#, arn(name));
    heard(&with(&rule("security-services")));
    broken(&with(&rule("renamed-long-ago")), Link::Topic);
    heard(&with(&format!(
        r#"{{"StringEquals":{{"aws:SourceAccount":"{ACCOUNT}"}}}}"#
    )));
    let stranger = r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#;
    broken(&with(stranger), Link::Topic);
}

#[test]
fn a_targets_role_may_stand_in_for_the_topics_policy() {
    let mut snapshot = pipeline();
    let teller = role(&mut snapshot, ACCOUNT, "teller", "sns:Publish");
    topic(&mut snapshot).policy = Observed::Absent;
    target(&mut snapshot, TOPIC, Some(&teller));
    heard(&snapshot);
    let idle = role(&mut snapshot, ACCOUNT, "idle", "sns:Subscribe");
    target(&mut snapshot, TOPIC, Some(&idle));
    let answer = answer(&snapshot);
    assert!(matches!(answer, Answer::Broken { .. }), "{answer:?}");
}

#[test]
fn an_alias_has_a_policy_of_its_own_that_nobody_read() {
    let mut snapshot = pipeline();
    let alias = format!("{}:live", function(&mut snapshot).arn);
    target(&mut snapshot, &alias, None);
    unknown(&snapshot);
    let caller = role(&mut snapshot, ACCOUNT, "caller", "lambda:InvokeFunction");
    target(&mut snapshot, &alias, Some(&caller));
    unknown(&snapshot);
    // The function itself is called by whichever of the two lets the rule in.
    let arn = function(&mut snapshot).arn.to_string();
    function(&mut snapshot).policy = Observed::Absent;
    target(&mut snapshot, &arn, None);
    broken(&snapshot, Link::InvokePermission);
    target(&mut snapshot, &arn, Some(&caller));
    heard(&snapshot);
}

#[test]
fn a_function_that_failed_each_time_tells_nobody() {
    let mut snapshot = pipeline();
    let runs = |invocations, errors| {
        Observed::Value(Runs {
            invocations,
            errors,
        })
    };
    let caveat = |snapshot: &Snapshot, part: &str| {
        let way = heard(snapshot);
        way.caveats.iter().any(|caveat| caveat.contains(part))
    };
    assert!(caveat(&snapshot, "no dead-letter queue"));
    function(&mut snapshot).runs = runs(40, 0);
    assert!(!caveat(&snapshot, "failed"));
    function(&mut snapshot).runs = runs(40, 7);
    assert!(caveat(&snapshot, "failed 7 of 40 times"));
    function(&mut snapshot).runs = runs(40, 40);
    broken(&snapshot, Link::Function);
    // Not to know how it ran is no fault of the chain; not to know whether it is alive is.
    function(&mut snapshot).runs = Observed::denied("cloudwatch:GetMetricStatistics");
    assert!(caveat(
        &snapshot,
        "whether the function security-alarm failed lately"
    ));
    function(&mut snapshot).state.clear();
    function(&mut snapshot).state_read =
        Gap::new("lambda:GetFunctionConfiguration", GapKind::Denied).into();
    unknown(&snapshot);
    function(&mut snapshot).state = "Failed".to_owned();
    broken(&snapshot, Link::Function);
    function(&mut snapshot).state = "Active".to_owned();
    function(&mut snapshot).reserved_concurrency = Observed::Value(0);
    broken(&snapshot, Link::Function);
}

#[test]
fn a_log_group_behind_a_rule_is_heard_by_its_metric_filters_at_most() {
    let group = "arn:aws:logs:us-east-1:533333333303:log-group:/aws/events/tamper";
    let watched = |pattern: &str| {
        let mut snapshot = pipeline();
        target(&mut snapshot, group, None);
        topic(&mut snapshot).policy = Observed::Value(policy(
            r#"{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}"#,
        ));
        let here = region(&mut snapshot, ACCOUNT);
        here.metric_filters = Observed::Value(vec![MetricFilter {
            log_group: "/aws/events/tamper".to_owned(),
            name: "tamper".to_owned(),
            pattern: pattern.to_owned(),
            namespace: "Security".to_owned(),
            metric: "Tamper".to_owned(),
            value: "1".to_owned(),
            ..MetricFilter::default()
        }]);
        let alarm = Alarm {
            arn: "arn:aws:cloudwatch:us-east-1:533333333303:alarm:tamper".into(),
            namespace: "Security".to_owned(),
            metric: "Tamper".to_owned(),
            actions_enabled: true,
            actions: vec![TOPIC.into()],
            threshold: Some("1".to_owned()),
            statistic: "Sum".to_owned(),
            evaluation_periods: Some(1),
            ..Alarm::default()
        };
        here.alarms = Observed::Value([("tamper".to_owned(), alarm)].into());
        snapshot
    };
    // Here the record stands below `detail`. Whether the rule may write there was not read.
    unknown(&watched("{ $.detail.eventName = DeleteDetector }"));
    broken(&watched("{ $.eventName = DeleteDetector }"), Link::Target);
    let mut quiet = watched("{ $.detail.eventName = DeleteDetector }");
    region(&mut quiet, ACCOUNT).alarms = Observed::Value([].into());
    broken(&quiet, Link::Alarm);
}

#[test]
fn a_bus_of_another_region_keeps_the_regions_name_in_the_event() {
    let away = "arn:aws:events:eu-west-1:533333333303:event-bus/default";
    let with = |pattern: &str| {
        let mut snapshot = pipeline();
        let sender = role(&mut snapshot, ACCOUNT, "sender", "events:PutEvents");
        let here = region(&mut snapshot, ACCOUNT).clone();
        let regions = account(&mut snapshot, ACCOUNT).regions.value_mut();
        regions
            .expect("regions")
            .insert("eu-west-1".to_owned(), here);
        target(&mut snapshot, away, Some(&sender));
        let regions = account(&mut snapshot, ACCOUNT).regions.value_mut();
        let there = regions.expect("regions").get_mut("eu-west-1").expect("it");
        let buses = there.buses.value_mut().expect("buses");
        let bus = buses.get_mut("default").expect("the bus");
        let rule = bus
            .rules
            .value_mut()
            .expect("rules")
            .get_mut("security-services");
        rule.expect("the rule").pattern = Some(PolicyText::new(pattern));
        snapshot
    };
    heard(&with(
        r#"{"source":["aws.guardduty"],"region":["us-east-1"]}"#,
    ));
    broken(
        &with(r#"{"source":["aws.guardduty"],"region":["eu-west-1"]}"#),
        Link::Bus,
    );
}

#[test]
fn a_rule_that_does_not_say_whether_it_is_enabled_is_unknown() {
    let mut snapshot = pipeline();
    let rule = rules(&mut snapshot, ACCOUNT).get_mut("security-services");
    rule.expect("the rule").state.clear();
    unknown(&snapshot);
    let rule = rules(&mut snapshot, ACCOUNT).get_mut("security-services");
    rule.expect("the rule").state = "DISABLED".to_owned();
    broken(&snapshot, Link::Rule);
}

#[test]
fn a_rule_on_a_bus_of_ones_own_never_sees_a_call() {
    let mut snapshot = pipeline();
    let moved = std::mem::take(rules(&mut snapshot, ACCOUNT));
    let buses = region(&mut snapshot, ACCOUNT)
        .buses
        .value_mut()
        .expect("buses");
    let mut own = buses["default"].clone();
    own.arn = "arn:aws:events:us-east-1:533333333303:event-bus/security".into();
    own.rules = Observed::Value(moved);
    buses.insert("security".to_owned(), own);
    let answer = answer(&snapshot);
    assert!(matches!(answer, Answer::NotAlarmed { .. }), "{answer:?}");
}
