//! The older way: trail, log group, metric filter, alarm. One flip at each link.

use std::collections::BTreeMap;

use palisade::alarm::Alarms;
use palisade::alarm::chain::{Answer, Link};
use palisade::alarm::event::Call;
use palisade::policy::Engine;
use palisade_model::{Alarm, MetricFilter, Observed, Snapshot};

use super::estate::{HOME, MANAGEMENT, MEMBER as ACCOUNT, account, region, world};

fn answer(snapshot: &Snapshot) -> Answer {
    let engine = Engine::new(snapshot);
    let alarms = Alarms::new(snapshot, &engine);
    alarms.answer(&Call::of_action("guardduty:DeleteDetector"), ACCOUNT, HOME)
}

/// The organization whose trail feeds one metric filter, with one change.
fn metric(change: impl FnOnce(&mut Snapshot)) -> Answer {
    let mut snapshot = world("security-lit");
    change(&mut snapshot);
    answer(&snapshot)
}

fn alarms(snapshot: &mut Snapshot) -> &mut BTreeMap<String, Alarm> {
    let alarms = &mut region(snapshot, MANAGEMENT).alarms;
    alarms.value_mut().expect("alarms")
}

fn alarm(snapshot: &mut Snapshot) -> &mut Alarm {
    alarms(snapshot).get_mut("tamper").expect("the alarm")
}

fn filters(snapshot: &mut Snapshot) -> &mut Observed<Vec<MetricFilter>> {
    &mut region(snapshot, MANAGEMENT).metric_filters
}

fn filter(snapshot: &mut Snapshot) -> &mut MetricFilter {
    &mut filters(snapshot).value_mut().expect("filters")[0]
}

/// A composite alarm that does what `tamper` did, which does nothing any more.
fn over(snapshot: &mut Snapshot, rule: &str, suppressor: Option<&str>) {
    let actions = std::mem::take(&mut alarm(snapshot).actions);
    let over = Alarm {
        arn: "arn:aws:cloudwatch:us-east-1:511111111101:alarm:over".into(),
        actions_enabled: true,
        actions,
        rule: Some(rule.to_owned()),
        suppressor: suppressor.map(str::to_owned),
        ..Alarm::default()
    };
    alarms(snapshot).insert("over".to_owned(), over);
}

#[test]
fn every_link_of_the_older_way_can_break() {
    assert!(matches!(metric(|_| {}), Answer::Alarmed { .. }));
    let at = |answer: Answer| match answer {
        Answer::Broken { faults } => faults[0].link,
        other => panic!("{other:?}"),
    };
    type Change = fn(&mut Snapshot);
    let changes: [(Link, Change); 8] = [
        (Link::Alarm, |s| alarm(s).actions_enabled = false),
        (Link::Alarm, |s| alarm(s).actions.clear()),
        (Link::Alarm, |s| alarm(s).threshold = Some("5".to_owned())),
        (Link::Alarm, |s| {
            alarm(s).comparison = "LessThanThreshold".to_owned()
        }),
        (Link::Alarm, |s| alarm(s).evaluation_periods = Some(3)),
        (Link::Alarm, |s| alarm(s).metric = "Other".to_owned()),
        (Link::Target, |s| {
            alarm(s).actions = vec!["arn:aws:sns:us-east-1:511111111101:gone".into()];
        }),
        (Link::Trail, |s| {
            let trails = account(s, ACCOUNT).trails.value_mut().expect("trails");
            for trail in trails.values_mut() {
                trail.log_group_error = Observed::Value("AccessDenied".to_owned());
            }
        }),
    ];
    for (link, change) in changes {
        assert_eq!(at(metric(change)), link);
    }
}

#[test]
fn the_older_way_unread_or_misspelt_is_unknown_and_unmatched_is_unheard() {
    let unknown = |answer: Answer| assert!(matches!(answer, Answer::Unknown { .. }), "{answer:?}");
    unknown(metric(|s| {
        *filters(s) = Observed::denied("logs:DescribeMetricFilters")
    }));
    unknown(metric(|s| filter(s).pattern = "{ $.eventName".to_owned()));
    unknown(metric(|s| alarm(s).threshold = Some("many".to_owned())));
    unknown(metric(|s| {
        account(s, ACCOUNT).trails = Observed::denied("cloudtrail:DescribeTrails");
    }));
    unknown(metric(|s| {
        let trails = account(s, ACCOUNT).trails.value_mut().expect("trails");
        for trail in trails.values_mut() {
            trail.logging = Observed::denied("cloudtrail:GetTrailStatus");
        }
    }));
    let unheard = metric(|s| {
        filter(s).pattern = "{ $.eventName = StopLogging }".to_owned();
    });
    assert_eq!(unheard, Answer::NotAlarmed { recorded: true });
}

#[test]
fn a_composite_alarm_tells_where_the_alarm_below_it_does_not() {
    let composite = |rule: &str| metric(|s| over(s, rule, None));
    match composite("ALARM(tamper) OR ALARM(other)") {
        Answer::Alarmed { ways } => {
            assert!(ways[0].links.contains(&"alarm over".to_owned()), "{ways:?}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        composite("ALARM(tamper) AND ALARM(other)"),
        Answer::Broken { .. }
    ));
    assert!(matches!(
        composite("ALARM(tamper) AND OK(other)"),
        Answer::Unknown { .. }
    ));
}

#[test]
fn how_many_periods_an_alarm_waits_for_and_what_it_counts_decide() {
    let one_of_five = metric(|s| {
        alarm(s).evaluation_periods = Some(5);
        alarm(s).datapoints_to_alarm = Some(1);
    });
    assert!(
        matches!(one_of_five, Answer::Alarmed { .. }),
        "{one_of_five:?}"
    );
    let three_of_five = metric(|s| {
        alarm(s).evaluation_periods = Some(5);
        alarm(s).datapoints_to_alarm = Some(3);
    });
    assert!(
        matches!(three_of_five, Answer::Broken { .. }),
        "{three_of_five:?}"
    );
    let average = |default: Option<&str>| {
        let default = default.map(str::to_owned);
        metric(move |s| {
            alarm(s).statistic = "Average".to_owned();
            filter(s).default_value = default;
        })
    };
    assert!(matches!(average(None), Answer::Alarmed { .. }));
    assert!(matches!(average(Some("0")), Answer::Broken { .. }));
    let computed = metric(|s| {
        let metric = std::mem::take(&mut alarm(s).metric);
        alarm(s).computes = vec![metric];
    });
    assert!(matches!(computed, Answer::Unknown { .. }), "{computed:?}");
}

#[test]
fn a_suppressor_holds_a_composite_alarm_back_only_while_it_rings() {
    let held = |suppressor: &str, quiet: Option<&str>| {
        metric(|s| {
            over(s, "ALARM(tamper)", Some(suppressor));
            if let Some(rule) = quiet {
                let quiet = Alarm {
                    rule: Some(rule.to_owned()),
                    ..Alarm::default()
                };
                alarms(s).insert("quiet".to_owned(), quiet);
            }
        })
    };
    let by_arn = "arn:aws:cloudwatch:us-east-1:511111111101:alarm:tamper";
    let broken = |answer: Answer| match answer {
        Answer::Broken { faults } => assert_eq!(faults[0].link, Link::Alarm, "{faults:?}"),
        other => panic!("{other:?}"),
    };
    // The very alarm that should tell holds it back, and so does one that always rings.
    broken(held("tamper", None));
    broken(held(by_arn, None));
    broken(held("quiet", Some("TRUE")));
    broken(held("quiet", Some("ALARM(tamper)")));
    match held("quiet", Some("ALARM(deploying)")) {
        Answer::Alarmed { ways } => {
            let told = ways[0]
                .caveats
                .iter()
                .any(|caveat| caveat.contains("quiet"));
            assert!(told, "{ways:?}");
        }
        other => panic!("{other:?}"),
    }
    let perhaps = held("quiet", Some("ALARM(tamper) AND OK(deploying)"));
    assert!(matches!(perhaps, Answer::Unknown { .. }), "{perhaps:?}");
}

#[test]
fn a_metric_with_other_dimensions_or_another_unit_is_another_metric() {
    type Change = fn(&mut Snapshot);
    let dimension = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
    let both = |value: &'static str, from: &'static str| {
        metric(move |s| {
            alarm(s).dimensions = dimension("Where", value);
            filter(s).dimensions = dimension("Where", from);
        })
    };
    assert!(matches!(both(HOME, "$.awsRegion"), Answer::Alarmed { .. }));
    for answer in [
        both("eu-central-1", "$.awsRegion"),
        both("alice", "$.userIdentity.userName"),
        both("x", "$.requestParameters.x"),
    ] {
        assert!(matches!(answer, Answer::Broken { .. }), "{answer:?}");
    }
    let changes: [Change; 3] = [
        |s| alarm(s).dimensions = [("Where".to_owned(), HOME.to_owned())].into(),
        |s| filter(s).dimensions = [("Where".to_owned(), "$.awsRegion".to_owned())].into(),
        |s| alarm(s).unit = "Count".to_owned(),
    ];
    for change in changes {
        let answer = metric(change);
        assert!(matches!(answer, Answer::Broken { .. }), "{answer:?}");
    }
    let counted = metric(|s| {
        alarm(s).unit = "Count".to_owned();
        filter(s).unit = "Count".to_owned();
    });
    assert!(matches!(counted, Answer::Alarmed { .. }), "{counted:?}");
}

#[test]
fn a_filter_over_columns_is_neither_heard_nor_unheard() {
    for pattern in [
        "[...]",
        "[a, b, event = *DeleteDetector*, ...]",
        "[version, account]",
    ] {
        let answer = metric(|s| filter(s).pattern = pattern.to_owned());
        assert!(
            matches!(answer, Answer::Unknown { .. }),
            "{pattern}: {answer:?}"
        );
    }
}
