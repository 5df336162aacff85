//! Functions, topics and subscribers: the end of a chain.

use palisade_model::{AlarmHandler, Arn, Function, Observed, Subscription, Topic};
use serde_json::Value;

use super::follow::{allowed, best, read_queue, region};
use super::{Link, Reach, Stop, Way, broken, short};
use crate::alarm::event::Event;
use crate::alarm::heard::Heard;
use crate::alarm::pattern::Pattern;
use crate::alarm::powers::Powers;

/// Who puts a message on a topic.
#[derive(Clone, Copy, Debug)]
pub(super) enum Publisher<'a> {
    /// A service, for a rule or an alarm.
    Service(&'a str, &'a Arn),
    /// A role: a function's or a state machine's.
    Role(&'a Arn),
}

/// A function that is called by a service for a source, or by nothing that needs permission.
pub(super) fn function(
    powers: &Powers<'_>,
    arn: &Arn,
    caller: Option<(&str, &Arn)>,
    event: Option<&Event>,
) -> Reach {
    // `function:NAME` or `function:NAME:QUALIFIER`.
    let mut parts = arn.resource().split(':').skip(1);
    let name = parts.next().unwrap_or_default();
    let qualifier = parts.next();
    let facts = region(powers, arn.account(), arn.region())?;
    let function = match &facts.functions {
        Observed::Value(functions) => functions.get(name),
        Observed::Gap(gap) => return Err(Stop::Unknown(gap.to_string())),
        _ => None,
    };
    let Some(function) = function else {
        return broken(
            Link::Target,
            format!("the function `{name}` does not exist"),
        );
    };
    if let Some((service, source)) = caller {
        // Source: "Granting function access to AWS services", AWS Lambda Developer Guide: a version
        // or alias has a policy of its own.
        if let Some(qualifier) = qualifier {
            return Err(Stop::Unknown(format!(
                "whether `{}` may invoke `{qualifier}` of the function `{name}`: its own policy was not read",
                short(source)
            )));
        }
        let decision = powers.service_may(service, "lambda:InvokeFunction", &function.arn, source);
        let why = format!("`{}` may not invoke the function `{name}`", short(source));
        allowed(&decision, Link::InvokePermission, &why)?;
    }
    alive(function, name)?;
    let mut way = by_role(powers, &function.role, event)?;
    way.caveats.extend(lately(function, name)?);
    match (&function.handler, event) {
        (Some(handler), Some(event)) => handled(handler, event, name)?,
        _ => way
            .caveats
            .push(format!("what the code of {name} does was not read")),
    }
    Ok(way.after(format!("function {name}")).through(&function.arn))
}

fn alive(function: &Function, name: &str) -> Result<(), Stop> {
    if let (true, Observed::Gap(gap)) = (function.state.is_empty(), &function.state_read) {
        let missing = format!("whether the function `{name}` is alive: {gap}");
        return Err(Stop::Unknown(missing));
    }
    if !matches!(function.state.as_str(), "" | "Active") {
        let state = &function.state;
        return broken(
            Link::Function,
            format!("the function `{name}` is `{state}`"),
        );
    }
    match &function.reserved_concurrency {
        Observed::Value(0) => broken(
            Link::Function,
            format!("the function `{name}` is throttled to zero"),
        ),
        Observed::Gap(gap) => Err(Stop::Unknown(gap.to_string())),
        _ => Ok(()),
    }
}

/// What its metrics say of a function's last fortnight: one that failed each time tells nobody.
///
/// Source: "Types of metrics for Lambda functions" and "Adding a dead-letter queue", AWS Lambda
/// Developer Guide, 2026-11.
fn lately(function: &Function, name: &str) -> Result<Vec<String>, Stop> {
    let mut caveats = Vec::new();
    match &function.runs {
        Observed::Value(runs) if runs.errors > 0 && runs.errors >= runs.invocations => {
            let times = runs.invocations.max(runs.errors);
            let why = format!("the function `{name}` failed each of the last {times} times it ran");
            return broken(Link::Function, why);
        }
        Observed::Value(runs) if runs.errors > 0 => caveats.push(format!(
            "the function {name} failed {} of {} times lately",
            runs.errors, runs.invocations
        )),
        Observed::Gap(gap) => {
            caveats.push(format!("whether the function {name} failed lately: {gap}"));
        }
        _ => {}
    }
    if function.dead_letter.is_none() {
        caveats.push(format!("the function {name} has no dead-letter queue"));
    }
    Ok(caveats)
}

/// The topics of its own account that a role may publish to: the best of them.
pub(super) fn by_role(powers: &Powers<'_>, role: &Arn, event: Option<&Event>) -> Reach {
    let mut reaches = Vec::new();
    let data = powers.snapshot.accounts.get(role.account());
    let data =
        data.ok_or_else(|| Stop::Unknown(format!("account {} was not looked at", role.account())))?;
    for (_, facts) in data.enabled_regions() {
        match &facts.topics {
            Observed::Value(topics) => {
                reaches.extend(
                    topics
                        .keys()
                        .map(|arn| topic(powers, arn, Publisher::Role(role), event)),
                );
            }
            Observed::Gap(gap) => reaches.push(Err(Stop::Unknown(gap.to_string()))),
            _ => {}
        }
    }
    let otherwise = || {
        broken(
            Link::Function,
            format!(
                "the role `{}` finds no topic it may publish to",
                short(role)
            ),
        )
    };
    best(reaches).unwrap_or_else(otherwise)
}

/// Whether the function's code takes the event, as its owner declares it.
fn handled(handler: &AlarmHandler, event: &Event, name: &str) -> Result<(), Stop> {
    let detail = &event.json["detail"];
    let is = |wanted: &str, field: &str| {
        wanted.is_empty() || detail.pointer(field).and_then(Value::as_str) == Some(wanted)
    };
    let branch = handler.branches.iter().find(|branch| {
        is(&branch.source, "/eventSource")
            && is(&branch.event, "/eventName")
            && is(&branch.identity, "/userIdentity/type")
    });
    let Some(branch) = branch else {
        let event = detail["eventName"].as_str().unwrap_or_default();
        let why = format!("the function `{name}` has no branch for `{event}` and drops it");
        return broken(Link::Handler, why);
    };
    for path in &branch.reads {
        let pointer = format!("/{}", path.replace('.', "/"));
        if detail.pointer(&pointer).is_none() {
            let identity = detail.pointer("/userIdentity/type").and_then(Value::as_str);
            let identity = identity.unwrap_or_default();
            let why = format!("the function `{name}` fails for `{identity}`: it reads `{path}`");
            return broken(Link::Handler, why);
        }
    }
    // Source: Publish, Amazon SNS API Reference: one line, fewer than 100 characters.
    if branch.subject.contains('\n') || branch.subject.chars().count() > 100 {
        let why = format!(
            "the function `{name}` publishes a subject SNS refuses: one line of at most 100 characters"
        );
        return broken(Link::Handler, why);
    }
    Ok(())
}

/// A topic, from the right to publish to a confirmed subscriber.
pub(super) fn topic(
    powers: &Powers<'_>,
    arn: &Arn,
    publisher: Publisher<'_>,
    event: Option<&Event>,
) -> Reach {
    let facts = region(powers, arn.account(), arn.region())?;
    let topic = match &facts.topics {
        Observed::Value(topics) => topics.get(arn),
        Observed::Gap(gap) => return Err(Stop::Unknown(gap.to_string())),
        _ => None,
    };
    let Some(topic) = topic else {
        return broken(
            Link::Target,
            format!("the topic `{}` does not exist", short(arn)),
        );
    };
    let decision = match publisher {
        Publisher::Service(service, source) => {
            powers.service_may(service, "sns:Publish", arn, source)
        }
        Publisher::Role(role) => powers.link(role, "sns:Publish", arn.as_str(), arn.region()),
    };
    let (who, link) = match publisher {
        Publisher::Service(service, _) => (service, Link::Topic),
        Publisher::Role(role) => (short(role), Link::Function),
    };
    let why = format!("`{who}` may not publish to the topic `{}`", short(arn));
    allowed(&decision, link, &why)?;
    key(powers, topic, arn, publisher)?;
    let way = subscribers(powers, topic, arn, publisher, event)?;
    Ok(way.after(format!("topic {}", short(arn))).through(arn))
}

/// An encrypted topic takes messages only from those who may use its key.
///
/// Source: "Encrypting messages published to Amazon SNS": the AWS managed key cannot be opened
/// to services.
fn key(
    powers: &Powers<'_>,
    topic: &Topic,
    arn: &Arn,
    publisher: Publisher<'_>,
) -> Result<(), Stop> {
    let name = match &topic.kms_key {
        Observed::Value(name) if !name.is_empty() => name,
        Observed::Gap(gap) => return Err(Stop::Unknown(gap.to_string())),
        _ => return Ok(()),
    };
    if name.ends_with("alias/aws/sns") {
        return match publisher {
            Publisher::Role(_) => Ok(()),
            Publisher::Service(service, _) => broken(
                Link::Topic,
                format!(
                    "`{service}` cannot use the key `alias/aws/sns` of the topic `{}`",
                    short(arn)
                ),
            ),
        };
    }
    let facts = region(powers, arn.account(), arn.region())?;
    let keys = facts.resources.get("kms.key").and_then(Observed::value);
    let key = keys.and_then(|keys| {
        keys.iter()
            .find(|(id, key)| key.arn.as_str() == name || *id == name)
            .map(|(_, key)| key)
    });
    let Some(key) = key else {
        return Err(Stop::Unknown(format!(
            "the policy of the key `{name}` was not read"
        )));
    };
    let action = "kms:GenerateDataKey";
    let decision = match publisher {
        Publisher::Service(service, source) => {
            powers.service_may(service, action, &key.arn, source)
        }
        Publisher::Role(role) => powers.link(role, action, key.arn.as_str(), arn.region()),
    };
    let why = format!(
        "the key of the topic `{}` does not let its publisher use it",
        short(arn)
    );
    allowed(&decision, Link::Topic, &why)
}

fn subscribers(
    powers: &Powers<'_>,
    topic: &Topic,
    arn: &Arn,
    publisher: Publisher<'_>,
    event: Option<&Event>,
) -> Reach {
    let subscriptions = match &topic.subscriptions {
        Observed::Value(list) => list.as_slice(),
        Observed::Gap(gap) => return Err(Stop::Unknown(gap.to_string())),
        _ => &[],
    };
    let name = short(arn);
    if subscriptions.is_empty() {
        return broken(
            Link::Subscription,
            format!("nobody subscribes to the topic `{name}`"),
        );
    }
    let confirmed: Vec<&Subscription> = subscriptions.iter().filter(|s| s.confirmed).collect();
    if confirmed.is_empty() {
        let why = format!("no subscription of the topic `{name}` is confirmed");
        return broken(Link::Subscription, why);
    }
    let reaches = confirmed
        .into_iter()
        .map(|s| subscriber(powers, s, arn, publisher, event));
    best(reaches.collect()).unwrap_or_else(|| broken(Link::Subscription, "nobody subscribes"))
}

fn subscriber(
    powers: &Powers<'_>,
    subscription: &Subscription,
    arn: &Arn,
    publisher: Publisher<'_>,
    event: Option<&Event>,
) -> Reach {
    if let Some(filter) = &subscription.filter {
        let body = subscription.filter_scope == "MessageBody";
        let heard = match (publisher, event, Pattern::parse(filter.as_str())) {
            (_, _, Err(error)) => {
                return Err(Stop::Unknown(format!(
                    "a filter policy cannot be read: {error}"
                )));
            }
            (Publisher::Role(_), ..) | (_, None, _) => Heard::on("message"),
            (Publisher::Service(..), Some(event), Ok(pattern)) if body => {
                pattern.matches(event.subject())
            }
            // Services publish without attributes, so a filter on them drops everything.
            _ => Heard::No,
        };
        match heard {
            Heard::Yes => {}
            Heard::No => {
                let why = format!("the filter of a subscription to `{}` drops it", short(arn));
                return broken(Link::Subscription, why);
            }
            Heard::Depends(_) => {
                let why = format!("what a filter of the topic `{}` lets through", short(arn));
                return Err(Stop::Unknown(why));
            }
        }
    }
    if let ("lambda", Some(endpoint)) = (subscription.protocol.as_str(), &subscription.endpoint) {
        let name = endpoint.resource().split(':').nth(1).unwrap_or_default();
        let facts = region(powers, endpoint.account(), endpoint.region())?;
        let function = match &facts.functions {
            Observed::Value(functions) => functions.get(name),
            Observed::Gap(gap) => return Err(Stop::Unknown(gap.to_string())),
            _ => None,
        };
        let Some(function) = function else {
            let why = format!("the subscribed function `{name}` does not exist");
            return broken(Link::Subscription, why);
        };
        let decision = powers.service_may(
            "sns.amazonaws.com",
            "lambda:InvokeFunction",
            &function.arn,
            arn,
        );
        let why = format!("the topic may not invoke the subscribed function `{name}`");
        allowed(&decision, Link::Subscription, &why)?;
        alive(function, name)?;
        let mut way = Way::to(format!("function {name}"));
        way.caveats = lately(function, name)?;
        way.caveats
            .push(format!("what the code of {name} does was not read"));
        return Ok(way.through(&function.arn));
    }
    let name = short(arn);
    match (subscription.protocol.as_str(), &subscription.endpoint) {
        // A queue is no person: somebody has to read it.
        ("sqs", Some(queue)) => {
            let service = "sns.amazonaws.com";
            let decision = powers.service_may(service, "sqs:SendMessage", queue, arn);
            read_queue(
                powers,
                queue,
                (service, &decision),
                Link::Subscription,
                None,
            )
        }
        ("sqs" | "firehose", _) => Err(Stop::Unknown(format!(
            "who reads what the topic `{name}` puts into `{}`",
            subscription.protocol
        ))),
        (protocol, _) => Ok(Way::to(format!("{protocol} subscriber"))),
    }
}
