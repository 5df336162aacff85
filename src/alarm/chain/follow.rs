//! Event buses, rules and targets.

use palisade_model::{Arn, EventTarget, Function, Listed, Observed, Region, Rule};

use super::metric;
use super::notify::{self, Publisher};
use super::{Link, Reach, Stop, Way, broken, short};
use crate::alarm::event::{Call, Event};
use crate::alarm::heard::Heard;
use crate::alarm::powers::Powers;
use crate::policy::Decision;

/// Where an event stands on its way.
#[derive(Clone, Debug)]
pub(super) struct Hop {
    account: String,
    region: String,
    /// It came from another account: it goes no further than one account.
    forwarded: bool,
    /// Buses it has passed.
    depth: usize,
}

impl Hop {
    pub(super) fn first(account: &str, region: &str) -> Self {
        Hop {
            account: account.to_owned(),
            region: region.to_owned(),
            forwarded: false,
            depth: 0,
        }
    }
}

/// Longer ways through buses end here; EventBridge's own limit for cross-account hops is one.
const BUSES: usize = 4;

/// The facts of a region, or why there are none.
pub(super) fn region<'a>(
    powers: &Powers<'a>,
    account: &str,
    region: &str,
) -> Result<&'a Region, Stop> {
    let data = powers.snapshot.accounts.get(account);
    let data = data.ok_or_else(|| Stop::Unknown(format!("account {account} was not looked at")))?;
    match &data.regions {
        Observed::Value(regions) => regions
            .get(region)
            .ok_or_else(|| Stop::Unknown(format!("region {region} was not looked at"))),
        Observed::Gap(gap) => Err(Stop::Unknown(gap.to_string())),
        _ => Err(Stop::Unknown(format!(
            "regions of account {account} were not looked at"
        ))),
    }
}

/// Every rule of a bus that takes the event, followed to its end.
pub(super) fn bus(
    powers: &Powers<'_>,
    name: &str,
    call: &Call,
    event: &Event,
    hop: &Hop,
) -> Vec<Reach> {
    let facts = match region(powers, &hop.account, &hop.region) {
        Ok(facts) => facts,
        Err(stop) => return vec![Err(stop)],
    };
    let rules = match &facts.buses {
        Observed::Value(buses) => match buses.get(name) {
            Some(bus) => &bus.rules,
            None if name == "default" => return Vec::new(),
            None => return vec![broken(Link::Bus, format!("there is no bus `{name}`"))],
        },
        Observed::Gap(gap) => return vec![Err(Stop::Unknown(gap.to_string()))],
        _ => return Vec::new(),
    };
    match rules {
        Observed::Value(rules) => rules
            .iter()
            .flat_map(|(name, rule)| one_rule(powers, name, rule, call, event, hop))
            .collect(),
        Observed::Gap(gap) => vec![Err(Stop::Unknown(gap.to_string()))],
        _ => Vec::new(),
    }
}

fn one_rule(
    powers: &Powers<'_>,
    name: &str,
    rule: &Rule,
    call: &Call,
    event: &Event,
    hop: &Hop,
) -> Vec<Reach> {
    let Some(text) = &rule.pattern else {
        return Vec::new();
    };
    let pattern = powers.pattern(text);
    let pattern = match &*pattern {
        Ok(pattern) => pattern,
        Err(error) => {
            let why = format!("the pattern of rule `{name}` cannot be read: {error}");
            return vec![Err(Stop::Unknown(why))];
        }
    };
    match pattern.matches(event.subject()) {
        Heard::No => return Vec::new(),
        Heard::Depends(fields) => {
            let fields = Vec::from_iter(fields).join(", ");
            let why = format!("rule `{name}` takes it only for some values of {fields}");
            return vec![broken(Link::Rule, why)];
        }
        Heard::Yes => {}
    }
    if rule.state == "DISABLED" {
        return vec![broken(Link::Rule, format!("rule `{name}` is disabled"))];
    }
    if rule.state.is_empty() {
        return vec![Err(Stop::Unknown(format!(
            "whether rule `{name}` is enabled"
        )))];
    }
    if call.read_only && rule.state != "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" {
        let why = format!("rule `{name}` does not ask for read-only calls");
        return vec![broken(Link::Rule, why)];
    }
    let targets = match &rule.targets {
        Observed::Value(targets) if !targets.is_empty() => targets,
        Observed::Gap(gap) => return vec![Err(Stop::Unknown(gap.to_string()))],
        _ => return vec![broken(Link::Target, format!("rule `{name}` has no target"))],
    };
    targets
        .iter()
        .map(|target| {
            let way = one_target(powers, rule, target, call, event, hop)?;
            let mut way = way
                .after(format!("rule {name} in {}", hop.region))
                .through(&rule.arn);
            if target.dead_letter.is_none() {
                way.caveats
                    .push(format!("rule {name} has no dead-letter queue"));
            }
            way.caveats.sort();
            way.caveats.dedup();
            Ok(way)
        })
        .collect()
}

fn one_target(
    powers: &Powers<'_>,
    rule: &Rule,
    target: &EventTarget,
    call: &Call,
    event: &Event,
    hop: &Hop,
) -> Reach {
    let arn = &target.arn;
    match (arn.service(), arn.resource()) {
        ("lambda", _) => {
            let caller = ("events.amazonaws.com", &rule.arn);
            // A target's role is asked as well: it may call what the function's policy does not.
            let by_role = target.role.as_ref().map(|role| {
                let action = "lambda:InvokeFunction";
                let decision = powers.link(role, action, arn.as_str(), arn.region());
                let why = format!("`{}` may not invoke `{}`", short(role), short(arn));
                allowed(&decision, Link::InvokePermission, &why)?;
                notify::function(powers, arn, None, Some(event))
            });
            let by_policy = notify::function(powers, arn, Some(caller), Some(event));
            either(by_role, by_policy)
        }
        ("sns", _) => {
            let by_role = target.role.as_ref();
            let by_role =
                by_role.map(|role| notify::topic(powers, arn, Publisher::Role(role), Some(event)));
            let publisher = Publisher::Service("events.amazonaws.com", &rule.arn);
            either(by_role, notify::topic(powers, arn, publisher, Some(event)))
        }
        ("events", resource) if resource.starts_with("event-bus/") => {
            other_bus(powers, rule, target, call, event, hop)
        }
        ("events", _) => {
            by_role(powers, rule, target, "events:InvokeApiDestination").map(|mut way| {
                let caveat = format!(
                    "where the API destination {} leads was not read",
                    short(arn)
                );
                way.caveats.push(caveat);
                way
            })
        }
        ("sqs", _) => queue(powers, rule, target, Some(event)),
        ("states", _) => state_machine(powers, rule, target, event),
        ("ssm-incidents", _) => by_role(powers, rule, target, "ssm-incidents:StartIncident"),
        ("logs", _) => log_group(powers, arn, event),
        ("kinesis" | "firehose", _) => Err(Stop::Unknown(format!(
            "who reads the stream `{}` is not known",
            short(arn)
        ))),
        (service, _) => broken(
            Link::Target,
            format!("a target of `{service}` tells nobody"),
        ),
    }
}

/// Targets that are called with the rule's own role.
fn by_role(powers: &Powers<'_>, rule: &Rule, target: &EventTarget, action: &str) -> Reach {
    let arn = &target.arn;
    let Some(role) = target.role.as_ref().or(rule.role.as_ref()) else {
        let why = format!("the target `{}` is called without a role", short(arn));
        return broken(Link::InvokePermission, why);
    };
    let way = Way::to(format!("{} {}", arn.service(), short(arn)));
    allowed(
        &powers.link(role, action, arn.as_str(), arn.region()),
        Link::InvokePermission,
        &format!(
            "the role `{}` may not {action} on `{}`",
            short(role),
            short(arn)
        ),
    )?;
    Ok(way)
}

/// Turns a decision into a passed or broken link.
pub(super) fn allowed(decision: &Decision, link: Link, otherwise: &str) -> Result<(), Stop> {
    match decision {
        Decision::Allowed(_) => Ok(()),
        Decision::Unknown(unknown) => {
            let why = unknown
                .gaps
                .first()
                .map_or_else(String::new, |gap| gap.reason.clone());
            Err(Stop::Unknown(format!("whether {otherwise}: {why}")))
        }
        Decision::Conditional(_) => Err(Stop::Unknown(format!(
            "whether {otherwise}: it hangs on conditions"
        ))),
        Decision::Denied(_) => broken(link, otherwise),
    }
}

/// Another bus: in another account its policy has to take the event, and the rule's role has to
/// be allowed to send it.
fn other_bus(
    powers: &Powers<'_>,
    rule: &Rule,
    target: &EventTarget,
    call: &Call,
    event: &Event,
    hop: &Hop,
) -> Reach {
    let arn = &target.arn;
    let name = arn.resource().trim_start_matches("event-bus/");
    let leaves = arn.account() != hop.account;
    if leaves && hop.forwarded {
        let why = format!("an event of another account is not forwarded on to `{arn}`");
        return broken(Link::Bus, why);
    }
    if hop.depth >= BUSES {
        return broken(Link::Bus, "the event is passed from bus to bus");
    }
    let facts = region(powers, arn.account(), arn.region())?;
    match &facts.buses {
        Observed::Value(buses) if name != "default" && !buses.contains_key(name) => {
            return broken(Link::Bus, format!("the bus `{arn}` does not exist"));
        }
        Observed::Gap(gap) => return Err(Stop::Unknown(gap.to_string())),
        _ => {}
    }
    let role = target.role.as_ref().or(rule.role.as_ref());
    let root = Arn::root(powers.snapshot.partition, &hop.account);
    let sender = role.unwrap_or(&root);
    if leaves || role.is_some() {
        let decision = powers.link(sender, "events:PutEvents", arn.as_str(), arn.region());
        let why = format!("`{}` may not put events on the bus `{arn}`", short(sender));
        allowed(&decision, Link::Bus, &why)?;
    }
    let next = Hop {
        account: arn.account().to_owned(),
        region: arn.region().to_owned(),
        forwarded: hop.forwarded || leaves,
        depth: hop.depth + 1,
    };
    let reaches = bus(powers, name, call, event, &next);
    let mut way = best(reaches)
        .unwrap_or_else(|| broken(Link::Bus, format!("no rule of the bus `{arn}` takes it")))?;
    way.leaves_account |= leaves;
    Ok(way
        .after(format!(
            "bus {name} of {} in {}",
            arn.account(),
            arn.region()
        ))
        .through(arn))
}

/// A log group tells nobody by itself; an alarm on a metric filter of its own may. Whether the
/// rule may write there, the policy of CloudWatch Logs says, which is not read.
fn log_group(powers: &Powers<'_>, arn: &Arn, event: &Event) -> Reach {
    let name = arn.resource().split(':').nth(1).unwrap_or_default();
    match best(metric::of_group(powers, arn, event)) {
        Some(Ok(_)) => Err(Stop::Unknown(format!(
            "whether rules may write to the log group `{name}`, whose metric filters are watched"
        ))),
        Some(stopped) => stopped,
        None => broken(
            Link::Target,
            format!("it is only written to the log group `{name}`"),
        ),
    }
}

/// The better of two ways of being called.
fn either(by_role: Option<Reach>, by_policy: Reach) -> Reach {
    let both = by_role.into_iter().chain([by_policy.clone()]).collect();
    best(both).unwrap_or(by_policy)
}

/// A whole way, else what is unknown, else the fault that came furthest.
pub(super) fn best(reaches: Vec<Reach>) -> Option<Reach> {
    reaches.into_iter().min_by_key(|reach| match reach {
        Ok(_) => (0, None),
        Err(Stop::Unknown(_)) => (1, None),
        Err(Stop::Broken(fault)) => (2, Some(std::cmp::Reverse(fault.link))),
    })
}

/// A queue is heard where it takes the event and a function of the snapshot reads it.
fn queue(powers: &Powers<'_>, rule: &Rule, target: &EventTarget, event: Option<&Event>) -> Reach {
    let arn = &target.arn;
    let action = "sqs:SendMessage";
    let (who, decision) = match &target.role {
        Some(role) => {
            let region = arn.region();
            let decision = powers.link(role, action, arn.as_str(), region);
            (short(role), decision)
        }
        None => {
            let service = "events.amazonaws.com";
            (service, powers.service_may(service, action, arn, &rule.arn))
        }
    };
    read_queue(powers, arn, (who, &decision), Link::Target, event)
}

/// A queue that somebody sends to, as far as a function of the snapshot reads it.
pub(super) fn read_queue(
    powers: &Powers<'_>,
    arn: &Arn,
    (who, decision): (&str, &Decision),
    link: Link,
    event: Option<&Event>,
) -> Reach {
    let facts = region(powers, arn.account(), arn.region())?;
    match facts.listed("sqs.queue") {
        Listed::All(queues) if queues.values().any(|queue| queue.arn == *arn) => {}
        Listed::Unread(gap) => return Err(Stop::Unknown(gap.to_string())),
        _ => return broken(link, format!("the queue `{}` does not exist", short(arn))),
    }
    let why = format!("`{who}` may not send to the queue `{}`", short(arn));
    allowed(decision, link.max(Link::InvokePermission), &why)?;
    let functions = match &facts.functions {
        Observed::Value(functions) => functions,
        Observed::Gap(gap) => return Err(Stop::Unknown(gap.to_string())),
        _ => {
            return Err(Stop::Unknown(format!(
                "who reads the queue `{}` is not known",
                short(arn)
            )));
        }
    };
    let reads = |function: &&Function| {
        let sources = function.event_sources.value();
        sources
            .into_iter()
            .flatten()
            .any(|s| s.source == *arn && s.state == "Enabled")
    };
    let reader = functions.values().find(reads);
    let reader = reader.ok_or_else(|| {
        Stop::Unknown(format!("who reads the queue `{}` is not known", short(arn)))
    })?;
    let way = notify::function(powers, &reader.arn, None, event)?;
    Ok(way.after(format!("queue {}", short(arn))))
}

fn state_machine(powers: &Powers<'_>, rule: &Rule, target: &EventTarget, event: &Event) -> Reach {
    by_role(powers, rule, target, "states:StartExecution")?;
    let arn = &target.arn;
    let facts = region(powers, arn.account(), arn.region())?;
    let unknown = || {
        Stop::Unknown(format!(
            "what the state machine `{}` does is not known",
            short(arn)
        ))
    };
    let machines = facts
        .resources
        .get("states.state-machine")
        .ok_or_else(unknown)?;
    let machine = machines
        .value()
        .and_then(|machines| machines.values().find(|machine| machine.arn == *arn))
        .ok_or_else(unknown)?;
    let role = machine.role.value().ok_or_else(unknown)?;
    let way = notify::by_role(powers, role, Some(event))?;
    Ok(way.after(format!("state machine {}", short(arn))))
}
