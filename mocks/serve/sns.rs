//! SNS: topics and who listens.

use palisade_model::{Arn, Subscription, Topic};
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::{Desk, Outcome};
use crate::world::hash_text;

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    let topics = match desk.region()? {
        Some(region) => desk.fact(&region.topics)?,
        None => None,
    };
    let all = || topics.into_iter().flatten();
    match desk.call.operation.as_str() {
        "ListTopics" => paged(
            desk,
            "Topics",
            all().map(|(arn, _)| json!({ "TopicArn": arn })).collect(),
        ),
        "ListSubscriptions" => {
            let mut found = Vec::new();
            for (arn, topic) in all() {
                found.extend(subscriptions(desk, arn, topic)?);
            }
            paged(desk, "Subscriptions", found)
        }
        "GetTopicAttributes" | "ListSubscriptionsByTopic" => {
            let wanted = desk.call.need("TopicArn")?;
            let (arn, topic) = all()
                .find(|(arn, _)| arn.as_str() == wanted)
                .ok_or_else(|| Failure::new(404, "NotFound", "Topic does not exist"))?;
            match desk.call.operation.as_str() {
                "GetTopicAttributes" => attributes(desk, arn, topic),
                _ => paged(desk, "Subscriptions", subscriptions(desk, arn, topic)?),
            }
        }
        "GetSubscriptionAttributes" => {
            let wanted = desk.call.need("SubscriptionArn")?;
            for (arn, topic) in all() {
                let listed = subscriptions(desk, arn, topic)?;
                let own = topic.subscriptions.value().into_iter().flatten();
                for (entry, subscription) in listed.iter().zip(own) {
                    if entry["SubscriptionArn"] == wanted.as_str() {
                        return Ok(subscription_attributes(entry, subscription));
                    }
                }
            }
            Err(Failure::new(404, "NotFound", "Subscription does not exist"))
        }
        _ => Err(desk.unknown()),
    }
}

fn subscription_attributes(entry: &Value, subscription: &Subscription) -> Answer {
    let mut entries = vec![
        json!({"key": "SubscriptionArn", "value": entry["SubscriptionArn"]}),
        json!({"key": "TopicArn", "value": entry["TopicArn"]}),
        json!({"key": "Protocol", "value": entry["Protocol"]}),
        json!({"key": "PendingConfirmation", "value": "false"}),
    ];
    if let Some(filter) = &subscription.filter {
        entries.push(json!({"key": "FilterPolicy", "value": filter.as_str()}));
        let scope = &subscription.filter_scope;
        if !scope.is_empty() {
            entries.push(json!({"key": "FilterPolicyScope", "value": scope}));
        }
    }
    Answer {
        flat: true,
        ..Answer::of(json!({"Attributes": {"entry": entries}}))
    }
}

fn paged(desk: &Desk<'_>, name: &str, all: Vec<Value>) -> Outcome {
    let page = desk.page(all, "NextToken", "MaxResults")?;
    Ok(Answer::of(
        json!({name: page.items, "NextToken": page.next}),
    ))
}

fn attributes(desk: &Desk<'_>, arn: &Arn, topic: &Topic) -> Outcome {
    let heard = topic.subscriptions.value().map_or(0, |all| {
        all.iter()
            .filter(|subscription| subscription.confirmed)
            .count()
    });
    let mut entries = vec![
        ("TopicArn", arn.to_string()),
        ("Owner", desk.call.account.clone()),
        ("SubscriptionsConfirmed", heard.to_string()),
    ];
    if let Some(policy) = desk.fact(&topic.policy)? {
        entries.push(("Policy", policy.as_str().to_owned()));
    }
    if let Some(key) = desk.fact(&topic.kms_key)? {
        entries.push(("KmsMasterKeyId", key.clone()));
    }
    let map: Vec<Value> = entries
        .into_iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    Ok(Answer {
        flat: true,
        ..Answer::of(json!({"Attributes": {"entry": map}}))
    })
}

/// An endpoint for a protocol: the world keeps no addresses, so a made-up one stands in.
fn endpoint(subscription: &Subscription) -> String {
    match &subscription.endpoint {
        Some(arn) => arn.to_string(),
        None => match subscription.protocol.as_str() {
            "email" | "email-json" => "somebody@mail.invalid".to_owned(),
            "sms" => "+10000000000".to_owned(),
            protocol => format!("{protocol}://listener.invalid/"),
        },
    }
}

fn subscriptions(desk: &Desk<'_>, arn: &Arn, topic: &Topic) -> Outcome<Vec<Value>> {
    let all = desk
        .fact(&topic.subscriptions)?
        .into_iter()
        .flatten()
        .enumerate();
    Ok(all
        .map(|(index, subscription)| {
            let id = hash_text(36, &[arn.as_str(), &index.to_string()]);
            let own = match subscription.confirmed {
                true => format!("{arn}:{id}"),
                false => "PendingConfirmation".to_owned(),
            };
            json!({
                "SubscriptionArn": own,
                "Owner": desk.call.account,
                "Protocol": subscription.protocol,
                "Endpoint": endpoint(subscription),
                "TopicArn": arn,
            })
        })
        .collect())
}
