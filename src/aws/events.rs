//! What carries an alarm in one region: EventBridge, SNS, CloudWatch.

use std::collections::BTreeMap;

use palisade_model::{
    Alarm, Arn, Bus, EventTarget, MetricFilter, Observed, PolicyText, Rule, Subscription, Topic,
};
use serde_json::{Value, json};

use crate::engine::Place;
use crate::generic::Rows;
use crate::path;
use crate::s3::or_absent;
use crate::services::{CLOUDWATCH, EVENTS, LOGS, SNS};
use crate::tasks::each;

/// Event buses by name, with their rules.
pub(crate) async fn buses(place: &Place) -> Observed<BTreeMap<String, Bus>> {
    let listed = place.json_pages(
        &EVENTS,
        "ListEventBuses",
        "",
        json!({"Limit": 100}),
        Rows::new("EventBuses[]", &["Name", "Arn"], ("NextToken", "NextToken")),
    );
    let listed = match listed.await {
        Observed::Value(listed) => listed,
        other => return other.map(|_| BTreeMap::new()),
    };
    let read = each(listed, |entry| async move {
        let name = path::text(&entry, "Name").unwrap_or_default();
        let bus = Bus {
            arn: path::text(&entry, "Arn").unwrap_or_default().into(),
            policy: or_absent(path::text(&entry, "Policy").map(PolicyText::new)),
            rules: rules(place, &name).await,
        };
        (name, bus)
    });
    Observed::Value(read.await.into_iter().collect())
}

async fn rules(place: &Place, bus: &str) -> Observed<BTreeMap<String, Rule>> {
    let listed = place.json_pages(
        &EVENTS,
        "ListRules",
        "",
        json!({"EventBusName": bus, "Limit": 100}),
        Rows::new(
            "Rules[]",
            &["Name", "Arn", "State"],
            ("NextToken", "NextToken"),
        ),
    );
    let listed = match listed.await {
        Observed::Value(listed) => listed,
        other => return other.map(|_| BTreeMap::new()),
    };
    let read = each(listed, |entry| async move {
        let text = |name: &str| path::text(&entry, name);
        let name = text("Name").unwrap_or_default();
        let rule = Rule {
            arn: text("Arn").unwrap_or_default().into(),
            state: text("State").unwrap_or_default(),
            pattern: text("EventPattern").map(PolicyText::new),
            schedule: text("ScheduleExpression"),
            role: text("RoleArn").map(Arn::from),
            managed_by: text("ManagedBy"),
            targets: targets(place, bus, &name).await,
        };
        (name, rule)
    });
    Observed::Value(read.await.into_iter().collect())
}

async fn targets(place: &Place, bus: &str, rule: &str) -> Observed<Vec<EventTarget>> {
    let listed = place.json_pages(
        &EVENTS,
        "ListTargetsByRule",
        "",
        json!({"EventBusName": bus, "Rule": rule, "Limit": 100}),
        Rows::new("Targets[]", &["Id", "Arn"], ("NextToken", "NextToken")),
    );
    listed.await.map(|listed| {
        let mut targets: Vec<EventTarget> = listed
            .iter()
            .map(|entry| EventTarget {
                id: path::text(entry, "Id").unwrap_or_default(),
                arn: path::text(entry, "Arn").unwrap_or_default().into(),
                role: path::text(entry, "RoleArn").map(Arn::from),
                dead_letter: path::text(entry, "DeadLetterConfig.Arn").map(Arn::from),
            })
            .collect();
        targets.sort();
        targets
    })
}

/// Topics by ARN.
pub(crate) async fn topics(place: &Place) -> Observed<BTreeMap<Arn, Topic>> {
    let listed = place.json_pages(
        &SNS,
        "ListTopics",
        "",
        json!({}),
        Rows::new("Topics.member[]", &["TopicArn"], ("NextToken", "NextToken")),
    );
    let arns: Vec<String> = match listed.await {
        Observed::Value(listed) => {
            let arns = listed.iter();
            arns.filter_map(|entry| path::text(entry, "TopicArn"))
                .collect()
        }
        other => return other.map(|_| BTreeMap::new()),
    };
    let read = each(arns, |arn| async move {
        let topic = topic(place, &arn).await;
        (Arn::from(arn), topic)
    });
    Observed::Value(read.await.into_iter().collect())
}

async fn topic(place: &Place, arn: &str) -> Topic {
    let subscriptions = place.json_pages(
        &SNS,
        "ListSubscriptionsByTopic",
        "",
        json!({"TopicArn": arn}),
        Rows::new(
            "Subscriptions.member[]",
            &["SubscriptionArn", "Protocol"],
            ("NextToken", "NextToken"),
        ),
    );
    let (attributes, subscriptions) = tokio::join!(
        place.json(&SNS, "GetTopicAttributes", "", json!({"TopicArn": arn})),
        subscriptions,
    );
    let attribute = |name: &str| match &attributes {
        Observed::Value(answer) => or_absent(entry(answer, name)),
        other => other.as_ref().map(|_| String::new()),
    };
    let subscriptions = match subscriptions {
        Observed::Value(listed) => {
            let read = each(
                listed,
                |entry| async move { subscription(place, &entry).await },
            );
            let mut all = Vec::new();
            for subscription in read.await {
                match subscription {
                    Observed::Value(subscription) => all.push(subscription),
                    Observed::Absent | Observed::NotApplicable(_) => {}
                    failed => return unread_filter(attribute, failed),
                }
            }
            all.sort();
            Observed::Value(all)
        }
        other => other.map(|_| Vec::new()),
    };
    Topic {
        policy: attribute("Policy").map(PolicyText::new),
        kms_key: attribute("KmsMasterKeyId"),
        subscriptions,
    }
}

/// A subscription whose filter is unread may drop everything: who hears the topic is unknown.
fn unread_filter(
    attribute: impl Fn(&str) -> Observed<String>,
    failed: Observed<Subscription>,
) -> Topic {
    Topic {
        policy: attribute("Policy").map(PolicyText::new),
        kms_key: attribute("KmsMasterKeyId"),
        subscriptions: failed.map(|_| Vec::new()),
    }
}

fn entry(answer: &Value, name: &str) -> Option<String> {
    path::all(answer, "Attributes.entry[]")
        .into_iter()
        .find(|entry| path::text(entry, "key").as_deref() == Some(name))
        .and_then(|entry| path::text(entry, "value"))
}

async fn subscription(place: &Place, listed: &Value) -> Observed<Subscription> {
    let endpoint = path::text(listed, "Endpoint").filter(|endpoint| endpoint.starts_with("arn:"));
    let arn = path::text(listed, "SubscriptionArn").unwrap_or_default();
    // Otherwise it says `PendingConfirmation` or `Deleted`.
    let confirmed = arn.starts_with("arn:");
    let mut subscription = Subscription {
        protocol: path::text(listed, "Protocol").unwrap_or_default(),
        endpoint: endpoint.map(Arn::from),
        confirmed,
        filter: None,
        filter_scope: String::new(),
    };
    if !confirmed {
        return Observed::Value(subscription);
    }
    let parameters = json!({"SubscriptionArn": arn});
    let answer = place.json(&SNS, "GetSubscriptionAttributes", "", parameters);
    match answer.await {
        Observed::Value(answer) => {
            subscription.filter = entry(&answer, "FilterPolicy").map(PolicyText::new);
            // Without a filter the scope says nothing.
            if subscription.filter.is_some() {
                subscription.filter_scope = entry(&answer, "FilterPolicyScope").unwrap_or_default();
            }
            Observed::Value(subscription)
        }
        other => other.map(|_| Subscription::default()),
    }
}

/// Metric alarms and composite alarms by name.
pub(crate) async fn alarms(place: &Place) -> Observed<BTreeMap<String, Alarm>> {
    let listed = place.json_pages(
        &CLOUDWATCH,
        "DescribeAlarms",
        "",
        json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm"], "MaxRecords": 100}),
        Rows::new(
            "MetricAlarms.member[]|CompositeAlarms.member[]",
            &["AlarmName", "AlarmArn"],
            ("NextToken", "NextToken"),
        ),
    );
    listed.await.map(|listed| {
        listed
            .iter()
            .map(|entry| {
                let text = |name: &str| path::text(entry, name);
                let statistic = text("Statistic").or_else(|| text("ExtendedStatistic"));
                let actions = path::texts(entry, "AlarmActions.member[]").into_iter();
                let alarm = Alarm {
                    arn: text("AlarmArn").unwrap_or_default().into(),
                    namespace: text("Namespace").unwrap_or_default(),
                    metric: text("MetricName").unwrap_or_default(),
                    actions_enabled: path::flag(entry, "ActionsEnabled").unwrap_or_default(),
                    actions: actions.map(Arn::from).collect(),
                    threshold: text("Threshold"),
                    comparison: text("ComparisonOperator").unwrap_or_default(),
                    statistic: statistic.unwrap_or_default(),
                    evaluation_periods: count(entry, "EvaluationPeriods"),
                    datapoints_to_alarm: count(entry, "DatapointsToAlarm"),
                    computes: path::texts(entry, "Metrics.member[].MetricStat.Metric.MetricName"),
                    rule: text("AlarmRule"),
                    suppressor: text("ActionsSuppressor"),
                    dimensions: path::all(entry, "Dimensions.member[]")
                        .into_iter()
                        .filter_map(|one| {
                            Some((path::text(one, "Name")?, path::text(one, "Value")?))
                        })
                        .collect(),
                    unit: text("Unit").unwrap_or_default(),
                };
                (text("AlarmName").unwrap_or_default(), alarm)
            })
            .collect()
    })
}

fn count(entry: &Value, name: &str) -> Option<u32> {
    path::number(entry, name).and_then(|count| u32::try_from(count).ok())
}

/// Metric filters, one entry for each metric they feed.
pub(crate) async fn metric_filters(place: &Place) -> Observed<Vec<MetricFilter>> {
    let listed = place.json_pages(
        &LOGS,
        "DescribeMetricFilters",
        "",
        json!({"limit": 50}),
        Rows::new(
            "metricFilters[]",
            &["filterName", "logGroupName", "metricTransformations"],
            ("nextToken", "nextToken"),
        ),
    );
    listed.await.map(|listed| {
        let mut filters: Vec<MetricFilter> = Vec::new();
        for entry in &listed {
            let text = |name: &str| path::text(entry, name).unwrap_or_default();
            for metric in path::all(entry, "metricTransformations[]") {
                let of = |name: &str| path::text(metric, name).unwrap_or_default();
                filters.push(MetricFilter {
                    log_group: text("logGroupName"),
                    name: text("filterName"),
                    pattern: text("filterPattern"),
                    namespace: of("metricNamespace"),
                    metric: of("metricName"),
                    value: of("metricValue"),
                    default_value: path::text(metric, "defaultValue"),
                    dimensions: metric
                        .get("dimensions")
                        .and_then(Value::as_object)
                        .into_iter()
                        .flatten()
                        .filter_map(|(name, from)| Some((name.clone(), path::as_text(from)?)))
                        .collect(),
                    unit: path::text(metric, "unit")
                        .filter(|unit| unit != "None")
                        .unwrap_or_default(),
                });
            }
        }
        filters.sort();
        filters
    })
}
