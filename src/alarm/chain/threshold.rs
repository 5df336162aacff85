//! One metric alarm: does it watch the metric, and is one call enough to set it off.

use palisade_model::{Alarm, MetricFilter};
use serde_json::Value;

use super::{Link, Stop, broken};
use crate::alarm::heard::ANY_VALUE;

/// Whether the metric that the alarm watches is the one this record feeds: its dimensions have to
/// be the alarm's, one by one, and its unit the one the alarm asks for, if it asks for any.
///
/// Source: "Metrics concepts, Dimensions" and PutMetricAlarm (Unit), Amazon CloudWatch User Guide
/// and API Reference; MetricTransformation, CloudWatch Logs API Reference, 2026-11.
pub(super) fn sees(
    name: &str,
    alarm: &Alarm,
    filter: &MetricFilter,
    record: &Value,
) -> Result<(), Stop> {
    let metric = &filter.metric;
    let names = |keys: Vec<&String>| match keys.as_slice() {
        [] => "no dimensions".to_owned(),
        keys => format!("the dimensions {keys:?}"),
    };
    if !alarm.dimensions.keys().eq(filter.dimensions.keys()) {
        let (asked, fed) = (
            names(alarm.dimensions.keys().collect()),
            names(filter.dimensions.keys().collect()),
        );
        let why = format!("alarm `{name}` watches `{metric}` with {asked}, and it has {fed}");
        return broken(Link::Alarm, why);
    }
    for (dimension, selector) in &filter.dimensions {
        let wanted = &alarm.dimensions[dimension];
        let path = selector.trim_start_matches("$.").replace('.', "/");
        match record.pointer(&format!("/{path}")).and_then(Value::as_str) {
            Some(value) if value == wanted => {}
            Some(ANY_VALUE) | None => {
                let why = format!("alarm `{name}` counts only where {selector} is `{wanted}`");
                return broken(Link::Alarm, why);
            }
            Some(value) => {
                let why = format!(
                    "alarm `{name}` counts only where {selector} is `{wanted}`, and here it is `{value}`"
                );
                return broken(Link::Alarm, why);
            }
        }
    }
    let unit = match filter.unit.as_str() {
        "" => "None",
        unit => unit,
    };
    if !alarm.unit.is_empty() && alarm.unit != unit {
        let asked = &alarm.unit;
        let why =
            format!("alarm `{name}` asks for the unit `{asked}`, and `{metric}` has `{unit}`");
        return broken(Link::Alarm, why);
    }
    Ok(())
}

/// Where records without a match count too, one call among them drowns in an average.
fn diluted(name: &str, alarm: &Alarm, filter: &MetricFilter) -> Result<(), Stop> {
    let sums = matches!(
        alarm.statistic.as_str(),
        "" | "Sum" | "Maximum" | "SampleCount"
    );
    match (sums, &filter.default_value) {
        (false, Some(default)) => broken(
            Link::Alarm,
            format!(
                "alarm `{name}` takes the `{}`, and every other record counts as {default}",
                alarm.statistic
            ),
        ),
        _ => Ok(()),
    }
}

/// Whether one call is enough.
pub(super) fn goes_off(name: &str, alarm: &Alarm, filter: &MetricFilter) -> Result<(), Stop> {
    let value = match (alarm.statistic.as_str(), filter.value.parse::<f64>()) {
        ("SampleCount", _) => 1.0,
        (_, Ok(value)) => value,
        (_, Err(_)) if filter.value.is_empty() => 1.0,
        _ => {
            return Err(Stop::Unknown(format!(
                "what metric filter `{}` adds",
                filter.name
            )));
        }
    };
    let Some(threshold) = alarm
        .threshold
        .as_ref()
        .and_then(|text| text.parse::<f64>().ok())
    else {
        return Err(Stop::Unknown(format!(
            "the threshold of alarm `{name}` is not a number"
        )));
    };
    let over = match alarm.comparison.as_str() {
        "GreaterThanOrEqualToThreshold" | "" => value >= threshold,
        "GreaterThanThreshold" => value > threshold,
        other => {
            return broken(
                Link::Alarm,
                format!("alarm `{name}` compares with `{other}`"),
            );
        }
    };
    if !over {
        let threshold = alarm.threshold.as_deref().unwrap_or_default();
        return broken(
            Link::Alarm,
            format!("one call does not reach {threshold}, which alarm `{name}` waits for"),
        );
    }
    // Source: "Evaluating an alarm": "M out of N" data points, all N where M is not said.
    let periods = alarm.evaluation_periods;
    match (alarm.datapoints_to_alarm, periods) {
        (Some(points), _) if points > 1 => broken(
            Link::Alarm,
            format!("alarm `{name}` waits for {points} periods with a call"),
        ),
        (None, Some(periods)) if periods > 1 => broken(
            Link::Alarm,
            format!("alarm `{name}` waits for {periods} periods in a row"),
        ),
        _ => diluted(name, alarm, filter),
    }
}
