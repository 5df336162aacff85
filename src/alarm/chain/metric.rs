//! The older way: a trail's log group, a metric filter, an alarm.

use std::collections::BTreeMap;

use palisade_model::{Alarm, Arn, MetricFilter, Observed, Trail};
use serde_json::Value;

use super::composite::{self, Held};
use super::follow::{allowed, best, region};
use super::notify::{self, Publisher};
use super::threshold::{goes_off, sees};
use super::{Fault, Link, Reach, Stop, Way, broken, running, short};
use crate::alarm::event::{Call, Event};
use crate::alarm::heard::{Heard, Subject};
use crate::alarm::powers::Powers;
use crate::alarm::trail;
use crate::policy::Decision;

/// Every metric filter that takes the record, followed to its end.
pub(super) fn filters(
    powers: &Powers<'_>,
    call: &Call,
    event: &Event,
    account: &str,
    region: &str,
) -> Vec<Reach> {
    let Some(data) = powers.snapshot.accounts.get(account) else {
        return Vec::new();
    };
    // That trails were not read is said where events are looked for.
    let trails = data
        .trails
        .value()
        .into_iter()
        .flatten()
        .map(|(_, trail)| trail);
    trails
        .filter(|trail| trail.log_group.is_some() && trail::covers_region(trail, region, call))
        .flat_map(
            |trail| match (running(trail), trail::records(trail, call)) {
                (Ok(true), Ok(Heard::Yes)) => of_trail(powers, trail, event),
                (Ok(true), Err(gap)) | (Err(gap), Ok(Heard::Yes)) | (Err(gap), Err(_)) => {
                    vec![Err(Stop::Unknown(gap))]
                }
                _ => Vec::new(),
            },
        )
        .collect()
}

fn of_trail(powers: &Powers<'_>, trail: &Trail, event: &Event) -> Vec<Reach> {
    let Some(group) = &trail.log_group else {
        return Vec::new();
    };
    let (json, open) = event.record();
    let line = Subject { json, open: &open };
    let reaches = counted(powers, group, line);
    let reaches = reaches.into_iter().map(|reach| {
        let counts = match reach {
            Err(
                stop @ Stop::Broken(Fault {
                    link: Link::Rule, ..
                }),
            ) => return Err(stop),
            other => other,
        };
        writes(powers, trail, group)?;
        let mut way = counts?;
        way.leaves_account |= group.account() != event.json["account"].as_str().unwrap_or_default();
        way.parts.push(group.clone());
        Ok(way.after(format!("trail {}", trail.name)))
    });
    reaches.collect()
}

/// Every metric filter of a log group that takes the whole event, as a rule writes it there.
pub(super) fn of_group(powers: &Powers<'_>, group: &Arn, event: &Event) -> Vec<Reach> {
    counted(powers, group, event.subject())
}

/// Every metric filter of a log group that takes a line, followed to its end.
fn counted(powers: &Powers<'_>, group: &Arn, line: Subject<'_>) -> Vec<Reach> {
    let facts = match region(powers, group.account(), group.region()) {
        Ok(facts) => facts,
        Err(stop) => return vec![Err(stop)],
    };
    let filters = match &facts.metric_filters {
        Observed::Value(filters) => filters,
        Observed::Gap(gap) => return vec![Err(Stop::Unknown(gap.to_string()))],
        _ => return Vec::new(),
    };
    // `log-group:NAME` or `log-group:NAME:*`.
    let name = group.resource().split(':').nth(1).unwrap_or_default();
    filters
        .iter()
        .filter(|filter| filter.log_group == name)
        .filter_map(|filter| one_filter(powers, group, filter, line))
        .collect()
}

fn one_filter(
    powers: &Powers<'_>,
    group: &Arn,
    filter: &MetricFilter,
    line: Subject<'_>,
) -> Option<Reach> {
    let name = &filter.name;
    match &*powers.filter(&filter.pattern) {
        Ok(pattern) if pattern.counts_columns() => {
            let why = format!("how metric filter `{name}` cuts a JSON record into columns");
            return Some(Err(Stop::Unknown(why)));
        }
        Ok(pattern) => match pattern.matches(line) {
            Heard::No => return None,
            Heard::Yes => {}
            Heard::Depends(fields) => {
                let fields = Vec::from_iter(fields).join(", ");
                let why = format!("metric filter `{name}` counts it only for some {fields}");
                return Some(broken(Link::Rule, why));
            }
        },
        Err(error) => {
            let why = format!("the pattern of metric filter `{name}` cannot be read: {error}");
            return Some(Err(Stop::Unknown(why)));
        }
    }
    let reach = alarms(powers, group, filter, line.json);
    Some(reach.map(|way| way.after(format!("metric filter {name}"))))
}

/// Whether the trail's events come into its log group: no error the last time, and a role that
/// may still write there.
///
/// Source: "Role policy document for CloudTrail to use CloudWatch Logs for monitoring",
/// CloudTrail User Guide.
fn writes(powers: &Powers<'_>, trail: &Trail, group: &Arn) -> Result<(), Stop> {
    let name = &trail.name;
    match &trail.log_group_error {
        Observed::Value(error) if !error.is_empty() => {
            let why = format!("the trail `{name}` cannot write its log group: `{error}`");
            return broken(Link::Trail, why);
        }
        Observed::Gap(gap) => return Err(Stop::Unknown(gap.to_string())),
        _ => {}
    }
    let Some(role) = &trail.log_role else {
        return Ok(());
    };
    // A role of an account that was not looked at is judged by the last delivery alone.
    if !powers.snapshot.accounts.contains_key(role.account()) {
        return Ok(());
    }
    // CloudTrail names the streams, and roles are as a rule bound to those names.
    let (owner, home) = (role.account(), &trail.home_region);
    let organization = powers.snapshot.organization.value();
    let streams = organization
        .filter(|_| trail.organization)
        .map(|organization| format!("{}_{owner}_CloudTrail_{home}", organization.id))
        .into_iter()
        .chain([format!("{owner}_CloudTrail_{home}")]);
    let streams: Vec<String> = streams
        .map(|stream| {
            let group = group.as_str().trim_end_matches(":*");
            format!("{group}:log-stream:{stream}")
        })
        .collect();
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        let each = streams
            .iter()
            .map(|stream| powers.link(role, action, stream, group.region()));
        // Conditions on the call are CloudTrail's affair: only a plain no breaks the way.
        let best = each.min_by_key(|decision| match decision {
            Decision::Allowed(_) | Decision::Conditional(_) => 0,
            Decision::Unknown(_) => 1,
            Decision::Denied(_) => 2,
        });
        if let Some(decision @ (Decision::Denied(_) | Decision::Unknown(_))) = best {
            let why = format!(
                "the role `{}` of the trail `{name}` may not {action} on its log group",
                short(role)
            );
            allowed(&decision, Link::Trail, &why)?;
        }
    }
    Ok(())
}

fn alarms(powers: &Powers<'_>, group: &Arn, filter: &MetricFilter, record: &Value) -> Reach {
    let facts = region(powers, group.account(), group.region())?;
    let alarms = match &facts.alarms {
        Observed::Value(alarms) => alarms,
        Observed::Gap(gap) => return Err(Stop::Unknown(gap.to_string())),
        _ => return broken(Link::Alarm, format!("no alarm watches `{}`", filter.metric)),
    };
    let watching = alarms
        .iter()
        .filter(|(_, alarm)| alarm.namespace == filter.namespace && alarm.metric == filter.metric);
    let reaches = watching.map(|(name, alarm)| {
        sees(name, alarm, filter, record)?;
        goes_off(name, alarm, filter)?;
        with_composites(powers, alarms, name)
    });
    let mut reaches: Vec<Reach> = reaches.collect();
    let computing = alarms
        .iter()
        .filter(|(_, alarm)| alarm.computes.contains(&filter.metric));
    reaches.extend(computing.map(|(name, _)| {
        Err(Stop::Unknown(format!(
            "what alarm `{name}` computes with the metric `{}`",
            filter.metric
        )))
    }));
    best(reaches).unwrap_or_else(|| {
        broken(
            Link::Alarm,
            format!("no alarm watches the metric `{}`", filter.metric),
        )
    })
}

/// An alarm that went off, and the composite alarms that go off with it.
fn with_composites(powers: &Powers<'_>, alarms: &BTreeMap<String, Alarm>, name: &str) -> Reach {
    let (raised, unclear) = composite::raised(alarms, name);
    let all = raised.iter().filter_map(|&one| {
        let alarm = alarms.get(one)?;
        let held = composite::held_back(alarms, alarm, (&raised, &unclear));
        let reach = unless_held(one, held, acts(powers, one, alarm));
        Some(match one == name {
            true => reach,
            false => reach.map(|way| way.after(format!("alarm {name}"))),
        })
    });
    let mut reaches: Vec<Reach> = all.collect();
    reaches.extend(unclear.into_iter().map(|one| {
        Err(Stop::Unknown(format!(
            "whether the composite alarm `{one}` goes off with `{name}`"
        )))
    }));
    best(reaches).unwrap_or_else(|| broken(Link::Alarm, "the alarm has no action"))
}

/// What an alarm does, once its suppressor had its say.
fn unless_held(name: &str, held: Option<Held>, reach: Reach) -> Reach {
    let mut way = reach?;
    match held {
        None => {}
        Some(Held::Always(by)) => {
            let why = format!("alarm `{by}` holds back the actions of alarm `{name}` each time");
            return broken(Link::Alarm, why);
        }
        Some(Held::Perhaps(by)) => {
            return Err(Stop::Unknown(format!(
                "whether alarm `{by}` holds back the actions of alarm `{name}`"
            )));
        }
        Some(Held::WhileItRings(by)) => {
            let caveat = format!("alarm {name} tells nobody while alarm {by} is in ALARM");
            way.caveats.push(caveat);
        }
    }
    Ok(way)
}

/// What an alarm in ALARM does.
fn acts(powers: &Powers<'_>, name: &str, alarm: &Alarm) -> Reach {
    if !alarm.actions_enabled {
        return broken(
            Link::Alarm,
            format!("the actions of alarm `{name}` are switched off"),
        );
    }
    if alarm.actions.is_empty() {
        return broken(Link::Alarm, format!("alarm `{name}` has no action"));
    }
    // CloudWatch tells the topic about the alarm, not about the call.
    let reaches = alarm.actions.iter().map(|action| match action.service() {
        "sns" => {
            let publisher = Publisher::Service("cloudwatch.amazonaws.com", &alarm.arn);
            notify::topic(powers, action, publisher, None)
        }
        "lambda" => {
            let caller = ("lambda.alarms.cloudwatch.amazonaws.com", &alarm.arn);
            notify::function(powers, action, Some(caller), None)
        }
        "ssm-incidents" => Ok(Way::to(format!("incident response plan {}", short(action)))),
        _ => broken(Link::Alarm, format!("`{}` tells nobody", short(action))),
    });
    let reach = best(reaches.collect());
    let reach = reach.unwrap_or_else(|| broken(Link::Alarm, "the alarm has no action"));
    reach.map(|way| way.after(format!("alarm {name}")).through(&alarm.arn))
}
