//! Functions that stand in an alarm chain of their region: whether they are alive, and how they
//! ran lately. No other function is asked about: neither answer bears on anything else.
//!
//! Source: "ListFunctions" (which leaves the state out) and "GetFunctionConfiguration", AWS Lambda
//! API Reference; "Types of metrics for Lambda functions", AWS Lambda Developer Guide, 2026-11.

use std::collections::BTreeSet;

use palisade_model::{Arn, Function, Gap, GapKind, Observed, Region, Runs, Time};
use serde_json::json;

use crate::clients::sdk;
use crate::engine::Place;
use crate::path;
use crate::services::CLOUDWATCH;
use crate::tasks::each;

/// Two weeks, in seconds.
const LATELY: i64 = 14 * 86_400;

/// Asks about the functions of a region that something there calls when it raises an alarm.
pub(crate) async fn look_closer(place: &Place, region: &mut Region) {
    let called = called(region);
    let Observed::Value(functions) = &mut region.functions else {
        return;
    };
    let asked: Vec<(String, bool)> = functions
        .iter()
        .filter(|(_, function)| stands_among(function, &called))
        .map(|(name, function)| (name.clone(), function.state.is_empty()))
        .collect();
    let read = each(asked, |(name, stateless)| async move {
        let state = match stateless {
            true => Some(state(place, &name).await),
            false => None,
        };
        let runs = runs(place, &name).await;
        (name, state, runs)
    });
    for (name, state, runs) in read.await {
        let Some(function) = functions.get_mut(&name) else {
            continue;
        };
        function.runs = runs;
        match state {
            Some(Observed::Value(state)) => function.state = state,
            Some(Observed::Gap(gap)) => function.state_read = Observed::Gap(gap),
            _ => {}
        }
    }
}

/// Whatever rules, topics and alarms of the region call.
fn called(region: &Region) -> BTreeSet<Arn> {
    let buses = region.buses.value().into_iter().flatten();
    let rules = buses
        .filter_map(|(_, bus)| bus.rules.value())
        .flatten()
        .filter(|(_, rule)| rule.pattern.is_some());
    let targets = rules
        .filter_map(|(_, rule)| rule.targets.value())
        .flatten()
        .map(|target| &target.arn);
    let topics = region.topics.value().into_iter().flatten();
    let endpoints = topics
        .filter_map(|(_, topic)| topic.subscriptions.value())
        .flatten()
        .filter_map(|subscription| subscription.endpoint.as_ref());
    let alarms = region.alarms.value().into_iter().flatten();
    let actions = alarms.flat_map(|(_, alarm)| &alarm.actions);
    let all = targets.chain(endpoints).chain(actions);
    all.filter(|arn| matches!(arn.service(), "lambda" | "sqs"))
        .cloned()
        .collect()
}

/// Whether a function is called itself, under any qualifier, or reads a queue that is filled.
fn stands_among(function: &Function, called: &BTreeSet<Arn>) -> bool {
    let own = function.arn.as_str();
    let is_own = |arn: &Arn| {
        let rest = arn.as_str().strip_prefix(own);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    let mut sources = function.event_sources.value().into_iter().flatten();
    called.iter().any(is_own) || sources.any(|source| called.contains(&source.source))
}

async fn state(place: &Place, name: &str) -> Observed<String> {
    let client = sdk!(aws_sdk_lambda, place, "lambda");
    let answer = place.ask("lambda:GetFunctionConfiguration", || {
        client
            .get_function_configuration()
            .function_name(name)
            .send()
    });
    let answer = answer.await;
    answer.map(|answer| {
        let state = answer.state.as_ref();
        state
            .map(|state| state.as_str().to_owned())
            .unwrap_or_default()
    })
}

/// Absent where no run was measured.
async fn runs(place: &Place, name: &str) -> Observed<Runs> {
    let (invocations, errors) =
        tokio::join!(sum(place, name, "Invocations"), sum(place, name, "Errors"),);
    match (invocations, errors) {
        (Observed::Value(0), Observed::Value(0)) => Observed::Absent,
        (Observed::Value(invocations), Observed::Value(errors)) => Observed::Value(Runs {
            invocations,
            errors,
        }),
        (Observed::Value(_), other) | (other, _) => other.map(|_| Runs::default()),
    }
}

/// The sum of a function's metric, day by day.
async fn sum(place: &Place, name: &str, metric: &str) -> Observed<u64> {
    let now = place.engine().options.taken_at.unwrap_or_default();
    let parameters = json!({
        "Namespace": "AWS/Lambda",
        "MetricName": metric,
        "Dimensions.member.1.Name": "FunctionName",
        "Dimensions.member.1.Value": name,
        "StartTime": Time(now.0 - LATELY).to_string(),
        "EndTime": now.to_string(),
        "Period": 86_400,
        "Statistics": ["Sum"],
    });
    let answer = place.json(&CLOUDWATCH, "GetMetricStatistics", "", parameters);
    match answer.await {
        Observed::Value(answer) => {
            let points = path::all(&answer, "Datapoints.member[]");
            let sums: Option<Vec<f64>> = points
                .iter()
                .map(|point| path::text(point, "Sum")?.parse().ok())
                .collect();
            match sums {
                Some(sums) => Observed::Value(sums.iter().sum::<f64>() as u64),
                None => Gap::new("cloudwatch:GetMetricStatistics", GapKind::Unparsable).into(),
            }
        }
        other => other.map(|_| 0),
    }
}
