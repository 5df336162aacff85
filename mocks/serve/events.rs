//! EventBridge: buses, rules, targets.

use palisade_model::Rule;
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    let buses = match desk.region()? {
        Some(region) => desk.fact(&region.buses)?,
        None => None,
    };
    if desk.call.operation == "ListEventBuses" {
        let prefix = desk.call.text("NamePrefix").unwrap_or_default();
        let mut all = Vec::new();
        for (name, bus) in buses
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.starts_with(&prefix))
        {
            let mut value = json!({"Name": name, "Arn": bus.arn});
            if let Some(policy) = desk.fact(&bus.policy)? {
                value["Policy"] = policy.as_str().into();
            }
            all.push(value);
        }
        return paged(desk, "EventBuses", all);
    }
    let given = match desk.call.operation.as_str() {
        "DescribeEventBus" => desk.call.text("Name"),
        _ => desk.call.text("EventBusName"),
    };
    let given = given.unwrap_or_else(|| "default".to_owned());
    let name = given.rsplit('/').next().unwrap_or_default();
    let bus = buses.and_then(|buses| buses.get(name));
    let bus = bus.ok_or_else(|| not_found(&format!("Event bus {name} does not exist.")))?;
    let rules = desk.fact(&bus.rules)?;
    match desk.call.operation.as_str() {
        "DescribeEventBus" => {
            let policy = desk.fact(&bus.policy)?;
            let mut value = json!({"Name": name, "Arn": bus.arn});
            if let Some(policy) = policy {
                value["Policy"] = policy.as_str().into();
            }
            Ok(Answer::of(value))
        }
        "ListRules" => {
            let prefix = desk.call.text("NamePrefix").unwrap_or_default();
            let rules = rules
                .into_iter()
                .flatten()
                .filter(|(rule, _)| rule.starts_with(&prefix));
            let all = rules.map(|(rule, entry)| describe(name, rule, entry));
            paged(desk, "Rules", all.collect())
        }
        "ListTargetsByRule" | "DescribeRule" => {
            let parameter = if desk.call.operation == "DescribeRule" {
                "Name"
            } else {
                "Rule"
            };
            let wanted = desk.call.need(parameter)?;
            let rule = rules.and_then(|rules| rules.get(&wanted));
            let rule = rule.ok_or_else(|| {
                not_found(&format!("Rule {wanted} does not exist on EventBus {name}."))
            })?;
            match parameter {
                "Name" => Ok(Answer::of(describe(name, &wanted, rule))),
                _ => targets(desk, rule),
            }
        }
        _ => Err(desk.unknown()),
    }
}

fn not_found(message: &str) -> Failure {
    Failure::new(400, "ResourceNotFoundException", message)
}

fn paged(desk: &Desk<'_>, name: &str, all: Vec<Value>) -> Outcome {
    let page = desk.page(all, "NextToken", "Limit")?;
    let mut value = json!({ name: page.items });
    if let Some(next) = page.next {
        value["NextToken"] = next.into();
    }
    Ok(Answer::of(value))
}

fn describe(bus: &str, name: &str, rule: &Rule) -> Value {
    let mut value = json!({
        "Name": name,
        "Arn": rule.arn,
        "State": rule.state,
        "EventBusName": bus,
    });
    if let Some(pattern) = &rule.pattern {
        value["EventPattern"] = pattern.as_str().into();
    }
    if let Some(schedule) = &rule.schedule {
        value["ScheduleExpression"] = schedule.as_str().into();
    }
    if let Some(role) = &rule.role {
        value["RoleArn"] = role.as_str().into();
    }
    if let Some(owner) = &rule.managed_by {
        value["ManagedBy"] = owner.as_str().into();
    }
    value
}

fn targets(desk: &Desk<'_>, rule: &Rule) -> Outcome {
    let targets = desk.fact(&rule.targets)?.into_iter().flatten();
    let all = targets.map(|target| {
        let mut value = json!({"Id": target.id, "Arn": target.arn});
        if let Some(role) = &target.role {
            value["RoleArn"] = role.as_str().into();
        }
        if let Some(queue) = &target.dead_letter {
            value["DeadLetterConfig"] = json!({ "Arn": queue });
        }
        value
    });
    paged(desk, "Targets", all.collect())
}
