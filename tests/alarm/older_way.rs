//! The older way: trail, log group, metric filter, alarm. One flip at each link.

use palisade::alarm::Alarms;
use palisade::alarm::chain::{Answer, Link};
use palisade::alarm::event::Call;
use palisade::policy::Engine;
use palisade_model::{Alarm, Observed, Snapshot};

use super::estate::{HOME, MEMBER as ACCOUNT, account, world};

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

fn alarm(snapshot: &mut Snapshot) -> &mut Alarm {
    let regions = account(snapshot, "511111111101")
        .regions
        .value_mut()
        .expect("regions");
    let alarms = &mut regions.get_mut(HOME).expect("it").alarms;
    alarms
        .value_mut()
        .expect("alarms")
        .get_mut("tamper")
        .expect("the alarm")
}

fn filters(snapshot: &mut Snapshot) -> &mut Observed<Vec<palisade_model::MetricFilter>> {
    let regions = account(snapshot, "511111111101")
        .regions
        .value_mut()
        .expect("regions");
    &mut regions.get_mut(HOME).expect("it").metric_filters
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
    unknown(metric(|s| {
        filters(s).value_mut().expect("it")[0].pattern = "{ $.eventName".to_owned()
    }));
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
        filters(s).value_mut().expect("it")[0].pattern = "{ $.eventName = StopLogging }".to_owned();
    });
    assert_eq!(unheard, Answer::NotAlarmed { recorded: true });
}

#[test]
fn a_composite_alarm_tells_where_the_alarm_below_it_does_not() {
    let composite = |rule: &str| {
        let rule = rule.to_owned();
        metric(move |s| {
            let actions = std::mem::take(&mut alarm(s).actions);
            let over = Alarm {
                arn: "arn:aws:cloudwatch:us-east-1:511111111101:alarm:over".into(),
                actions_enabled: true,
                actions,
                rule: Some(rule),
                ..Alarm::default()
            };
            let regions = account(s, "511111111101")
                .regions
                .value_mut()
                .expect("regions");
            let alarms = &mut regions.get_mut(HOME).expect("it").alarms;
            alarms
                .value_mut()
                .expect("alarms")
                .insert("over".to_owned(), over);
        })
    };
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
            filters(s).value_mut().expect("it")[0].default_value = default;
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
