//! Answers that need no code: a rule about fields of one resource.

use palisade_checks::{Check, Condition, Rule, Test};
use palisade_model::Time;
use serde::Serialize;
use serde_json::Value;

use super::{Estate, Evidence, Findings, Located, Outcome};

/// Answers `rule` for every resource of the check's kind.
pub(super) fn evaluate(estate: &Estate<'_>, check: &Check, rule: &Rule, found: &mut Findings<'_>) {
    match check.resource.as_str() {
        "iam.user" => each(estate, rule, estate.users(), found),
        "iam.role" => each(estate, rule, estate.roles(), found),
        "lambda.function" => each(estate, rule, estate.functions(), found),
        kind => each(estate, rule, estate.resources(kind), found),
    }
}

fn each<T: Serialize>(
    estate: &Estate<'_>,
    rule: &Rule,
    items: Vec<Located<'_, T>>,
    found: &mut Findings<'_>,
) {
    for place in items {
        let (name, item) = match place.item {
            Ok(item) => item,
            Err(gap) => {
                found.unread(place.account, place.region, gap);
                continue;
            }
        };
        // Model types always serialise: their map keys are strings.
        let value = serde_json::to_value(item).unwrap_or(Value::Null);
        let arn = value
            .get("arn")
            .and_then(Value::as_str)
            .unwrap_or(name)
            .to_owned();
        let outcome = judge(rule, &value, estate.snapshot.taken_at);
        found.at(place.account, place.region, &arn, outcome);
    }
}

/// What one test says: holds with a reason, does not hold, or cannot be said.
enum Verdict {
    Holds(String),
    Fails,
    Unknown(String),
}

fn judge(rule: &Rule, resource: &Value, now: Time) -> Outcome {
    let (tests, all) = match rule {
        Rule::All { all } => (all.as_slice(), true),
        Rule::Any { any } => (any.as_slice(), false),
        Rule::One(one) => (std::slice::from_ref(one), true),
    };
    let (mut evidence, mut missing, mut failed) = (Vec::new(), Vec::new(), false);
    for condition in tests {
        match test(condition, resource, now) {
            Verdict::Holds(reason) => evidence.push(Evidence::from(reason)),
            Verdict::Fails => failed = true,
            Verdict::Unknown(gap) => missing.push(gap),
        }
    }
    let fires = if all {
        !failed && missing.is_empty()
    } else {
        !evidence.is_empty()
    };
    let passes = if all { failed } else { missing.is_empty() };
    if fires {
        Outcome::Fail { evidence }
    } else if passes {
        Outcome::Pass
    } else {
        Outcome::Unknown { missing }
    }
}

fn test(condition: &Condition, resource: &Value, now: Time) -> Verdict {
    let field = &condition.field;
    let mut at = resource;
    for (index, part) in field.split('.').enumerate() {
        let Some(next) = at.get(part) else {
            // A field AWS left out is absent, but an attribute nobody collected is unknown.
            if index == 1 && field.starts_with("attributes.") || part == "attributes" {
                return Verdict::Unknown(format!("`{field}` was not collected"));
            }
            at = &Value::Null;
            break;
        };
        if let Some(gap) = unread(next) {
            return Verdict::Unknown(gap);
        }
        at = next;
    }
    let shown = if at.is_null() {
        "missing".to_owned()
    } else {
        format!("`{}`", plain(at))
    };
    let holds = match &condition.test {
        Test::Is(value) => at == value,
        Test::IsNot(value) => at != value,
        Test::AnyOf(values) => values.contains(at),
        Test::Missing(missing) => at.is_null() == *missing,
        Test::OlderThan(days) => match at.as_str().and_then(|text| text.parse::<Time>().ok()) {
            Some(time) => time.days_until(now) > *days,
            None => return Verdict::Unknown(format!("`{field}` is no point in time")),
        },
    };
    if holds {
        Verdict::Holds(format!("`{field}` is {shown}"))
    } else {
        Verdict::Fails
    }
}

fn unread(value: &Value) -> Option<String> {
    let gap = value.get("$gap")?;
    let gap = serde_json::from_value::<palisade_model::Gap>(gap.clone());
    Some(gap.map_or_else(|_| "a read failed".to_owned(), |gap| gap.to_string()))
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
