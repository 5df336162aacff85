//! CloudWatch alarms and the metric filters of CloudWatch Logs.

use std::collections::BTreeSet;

use palisade_model::{Alarm, Region};
use serde_json::{Value, json};

use super::answer::Answer;
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    let region = desk.region()?;
    match (desk.call.service.as_str(), desk.call.operation.as_str()) {
        ("cloudwatch", "DescribeAlarms") => alarms(desk, region),
        ("cloudwatch", "GetMetricStatistics") => runs(desk, region),
        ("logs", "DescribeMetricFilters") => metric_filters(desk, region),
        ("logs", "DescribeLogGroups") => log_groups(desk, region),
        _ => Err(desk.unknown()),
    }
}

fn alarms(desk: &Desk<'_>, region: Option<&Region>) -> Outcome {
    let alarms = match region {
        Some(region) => desk.fact(&region.alarms)?,
        None => None,
    };
    let prefix = desk.call.text("AlarmNamePrefix").unwrap_or_default();
    let all = alarms
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with(&prefix));
    let all = all
        .map(|(name, alarm)| describe(desk, name, alarm))
        .collect();
    let page = desk.page(all, "NextToken", "MaxRecords")?;
    let (composite, metric): (Vec<Value>, Vec<Value>) = page
        .items
        .into_iter()
        .partition(|alarm| alarm.get("AlarmRule").is_some());
    Ok(Answer::of(json!({
        "MetricAlarms": metric,
        "CompositeAlarms": composite,
        "NextToken": page.next,
    })))
}

fn describe(desk: &Desk<'_>, name: &str, alarm: &Alarm) -> Value {
    let now = desk.world.snapshot.taken_at;
    let is_json = desk.call.wire == super::answer::Wire::Json;
    let when: Value = if is_json {
        now.0.into()
    } else {
        now.to_string().into()
    };
    let mut value = json!({
        "AlarmName": name,
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": when,
        "ActionsEnabled": alarm.actions_enabled,
        "OKActions": [],
        "AlarmActions": alarm.actions,
        "InsufficientDataActions": [],
        "StateValue": "OK",
        "StateReason": "",
        "StateUpdatedTimestamp": when,
    });
    let own = match &alarm.rule {
        Some(rule) => json!({ "AlarmRule": rule, "ActionsSuppressor": alarm.suppressor }),
        None => on_a_metric(alarm, is_json),
    };
    if let (Value::Object(value), Value::Object(own)) = (&mut value, own) {
        value.extend(own);
    }
    value
}

/// What an alarm on a metric says beside what every alarm does.
fn on_a_metric(alarm: &Alarm, is_json: bool) -> Value {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let threshold: Value = match (&alarm.threshold, is_json) {
        (Some(number), true) => number.parse::<f64>().map_or(Value::Null, Value::from),
        (Some(number), false) => number.as_str().into(),
        (None, _) => Value::Null,
    };
    let computed = alarm.computes.iter().enumerate().map(|(place, metric)| {
        json!({"Id": format!("m{place}"), "MetricStat": {
            "Metric": {"Namespace": "Security", "MetricName": metric},
            "Period": 300, "Stat": "Sum"}})
    });
    let dimensions = alarm.dimensions.iter();
    let dimensions = dimensions.map(|(name, value)| json!({"Name": name, "Value": value}));
    json!({
        "Metrics": computed.collect::<Vec<_>>(),
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "MetricName": text(&alarm.metric),
        "Namespace": text(&alarm.namespace),
        "Statistic": text(&alarm.statistic),
        "Dimensions": dimensions.collect::<Vec<_>>(),
        "Unit": text(&alarm.unit),
        "Period": 300,
        "EvaluationPeriods": alarm.evaluation_periods.unwrap_or(1),
        "Threshold": threshold,
        "ComparisonOperator": text(&alarm.comparison),
    })
}

/// How often a function ran and failed, as one point in time.
fn runs(desk: &Desk<'_>, region: Option<&Region>) -> Outcome {
    let functions = match region {
        Some(region) => desk.fact(&region.functions)?,
        None => None,
    };
    let name = desk
        .call
        .text("Dimensions.member.1.Value")
        .unwrap_or_default();
    let runs = match functions.and_then(|functions| functions.get(&name)) {
        Some(function) => desk.fact(&function.runs)?,
        None => None,
    };
    let metric = desk.call.text("MetricName").unwrap_or_default();
    let points: Vec<Value> = runs
        .into_iter()
        .map(|runs| {
            let sum = match metric.as_str() {
                "Errors" => runs.errors,
                _ => runs.invocations,
            };
            let at = desk.world.snapshot.taken_at.to_string();
            json!({"Timestamp": at, "Sum": format!("{sum}.0"), "Unit": "Count"})
        })
        .collect();
    Ok(Answer::of(json!({"Label": metric, "Datapoints": points})))
}

fn metric_filters(desk: &Desk<'_>, region: Option<&Region>) -> Outcome {
    let filters = match region {
        Some(region) => desk.fact(&region.metric_filters)?,
        None => None,
    };
    let group = desk.call.text("logGroupName");
    let all: Vec<Value> = filters
        .into_iter()
        .flatten()
        .filter(|filter| {
            group
                .as_ref()
                .is_none_or(|group| *group == filter.log_group)
        })
        .map(|filter| {
            json!({
                "filterName": filter.name,
                "filterPattern": filter.pattern,
                "metricTransformations": [{
                    "metricName": filter.metric,
                    "metricNamespace": filter.namespace,
                    "metricValue": filter.value,
                    "defaultValue": filter.default_value.as_ref().and_then(|v| v.parse::<f64>().ok()),
                    "dimensions": (!filter.dimensions.is_empty()).then_some(&filter.dimensions),
                    "unit": if filter.unit.is_empty() { "None" } else { filter.unit.as_str() },
                }],
                "creationTime": desk.world.snapshot.taken_at.0 * 1000,
                "logGroupName": filter.log_group,
            })
        })
        .collect();
    paged(desk, "metricFilters", all)
}

/// The groups that a filter reads or a trail writes to: the world names no others.
fn log_groups(desk: &Desk<'_>, region: Option<&Region>) -> Outcome {
    let filters = region.and_then(|region| region.metric_filters.value());
    let mut names: BTreeSet<String> = filters
        .into_iter()
        .flatten()
        .map(|filter| filter.log_group.clone())
        .collect();
    for trail in desk.home()?.trails.value().into_iter().flatten() {
        let group = trail.1.log_group.as_ref();
        if let Some(group) = group.filter(|group| group.region() == desk.call.region) {
            let name = group.resource().trim_start_matches("log-group:");
            names.insert(name.trim_end_matches(":*").to_owned());
        }
    }
    let prefix = desk.call.text("logGroupNamePrefix").unwrap_or_default();
    let all = names.into_iter().filter(|name| name.starts_with(&prefix));
    let all = all.map(|name| {
        let group = format!("log-group:{name}:*");
        let (partition, region) = (desk.call.partition, &desk.call.region);
        let account = &desk.call.account;
        json!({
            "logGroupName": name,
            "arn": format!("arn:{partition}:logs:{region}:{account}:{group}"),
            "storedBytes": 0,
        })
    });
    paged(desk, "logGroups", all.collect())
}

fn paged(desk: &Desk<'_>, name: &str, all: Vec<Value>) -> Outcome {
    let page = desk.page(all, "nextToken", "limit")?;
    let mut value = json!({ name: page.items });
    if let Some(next) = page.next {
        value["nextToken"] = next.into();
    }
    Ok(Answer::of(value))
}
