//! What a trail records.
//!
//! Source: "Logging management events", "Logging data events" and "Advanced event selectors",
//! CloudTrail User Guide, 2026-11.

use palisade_model::{Observed, Trail, TrailSelectors};
use serde_json::Value;

use super::event::{Call, Category};
use super::heard::Heard;

/// Whether the trail records what arrives in `region`, by its own scope alone.
pub fn covers_region(trail: &Trail, region: &str, call: &Call) -> bool {
    trail.multi_region || (trail.home_region == region && (trail.global_events || !call.global))
}

/// Whether the trail writes calls of this kind. Whether it is switched on is asked elsewhere.
///
/// # Errors
/// The gap, where its selectors were not read.
pub fn records(trail: &Trail, call: &Call) -> Result<Heard, String> {
    match &trail.selectors {
        Observed::Value(selectors) => Ok(selects(selectors, call)),
        Observed::Gap(gap) => Err(gap.to_string()),
        // Every trail has a selector; none stated is the one that trails are made with.
        _ => Ok(selects(&TrailSelectors::default(), call)),
    }
}

fn selects(selectors: &TrailSelectors, call: &Call) -> Heard {
    if call.category == Category::Never {
        return Heard::No;
    }
    if !selectors.advanced.is_empty() {
        return any(&selectors.advanced, |selector| advanced(selector, call));
    }
    if selectors.basic.is_empty() {
        return Heard::from(!matches!(call.category, Category::Data(_)));
    }
    any(&selectors.basic, |selector| basic(selector, call))
}

fn any(list: &[Value], judge: impl Fn(&Value) -> Heard) -> Heard {
    list.iter().fold(Heard::No, |sum, one| sum.or(judge(one)))
}

fn texts<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    match value.get(name) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    }
}

fn basic(selector: &Value, call: &Call) -> Heard {
    let wanted = selector.get("ReadWriteType").and_then(Value::as_str);
    let direction = match wanted {
        Some("ReadOnly") => call.read_only,
        Some("WriteOnly") => !call.read_only,
        _ => true,
    };
    match &call.category {
        _ if !direction => Heard::No,
        Category::Never => Heard::No,
        Category::Management | Category::SignIn => {
            let included = selector
                .get("IncludeManagementEvents")
                .and_then(Value::as_bool);
            let excluded = texts(selector, "ExcludeManagementEventSources");
            Heard::from(included.unwrap_or(true) && !excluded.contains(&call.source.as_str()))
        }
        Category::Data(kind) => {
            let resources = selector.get("DataResources").and_then(Value::as_array);
            any(resources.map_or(&[][..], Vec::as_slice), |resource| {
                if resource.get("Type").and_then(Value::as_str) != Some(kind) {
                    return Heard::No;
                }
                let values = texts(resource, "Values");
                // A value without a resource name stands for all of that type.
                let all = values
                    .iter()
                    .any(|value| matches!(value.rsplit(':').next(), Some("" | "lambda" | "s3")));
                match (all, values.is_empty()) {
                    (true, _) => Heard::Yes,
                    (_, true) => Heard::No,
                    _ => Heard::on("resources.ARN"),
                }
            })
        }
    }
}

fn advanced(selector: &Value, call: &Call) -> Heard {
    let fields = selector.get("FieldSelectors").and_then(Value::as_array);
    let Some(fields) = fields.filter(|fields| !fields.is_empty()) else {
        return Heard::No;
    };
    fields.iter().fold(Heard::Yes, |sum, field| {
        sum.and(field_selector(field, call))
    })
}

/// Whether a field's value fits a wanted text.
type Comparison = fn(&str, &str) -> bool;

fn field_selector(selector: &Value, call: &Call) -> Heard {
    let field = selector
        .get("Field")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let (category, resource_type) = match &call.category {
        Category::Data(kind) => ("Data", Some(kind.as_str())),
        _ => ("Management", None),
    };
    let value = match field {
        "eventCategory" => category,
        "readOnly" if call.read_only => "true",
        "readOnly" => "false",
        "eventSource" => &call.source,
        "eventName" => &call.name,
        "resources.type" => resource_type.unwrap_or_default(),
        other => return Heard::on(other),
    };
    let tests: [(&str, Comparison); 3] = [
        ("Equals", |value, wanted| value == wanted),
        ("StartsWith", |value, wanted| value.starts_with(wanted)),
        ("EndsWith", |value, wanted| value.ends_with(wanted)),
    ];
    for (name, holds) in tests {
        let wanted = texts(selector, name);
        if !wanted.is_empty() && !wanted.iter().any(|wanted| holds(value, wanted)) {
            return Heard::No;
        }
        let unwanted = texts(selector, &format!("Not{name}"));
        if unwanted.iter().any(|unwanted| holds(value, unwanted)) {
            return Heard::No;
        }
    }
    Heard::Yes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trail(basic: Value, advanced: Value) -> Trail {
        let list = |value: Value| value.as_array().cloned().unwrap_or_default();
        Trail {
            selectors: Observed::Value(TrailSelectors {
                basic: list(basic),
                advanced: list(advanced),
            }),
            ..Trail::default()
        }
    }

    fn heard(trail: &Trail, action: &str) -> Heard {
        records(trail, &Call::of_action(action)).expect("the selectors are there")
    }

    #[test]
    fn a_trail_without_stated_selectors_records_management_events() {
        let trail = Trail::default();
        assert_eq!(
            heard(&trail, "config:StopConfigurationRecorder"),
            Heard::Yes
        );
        assert_eq!(heard(&trail, "s3:DeleteObject"), Heard::No);
        assert_eq!(heard(&trail, "iam:PassRole"), Heard::No);
    }

    #[test]
    fn excluded_sources_and_directions_are_left_out() {
        let trail = trail(
            json!([{"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]),
            json!([]),
        );
        assert_eq!(heard(&trail, "kms:DisableKey"), Heard::No);
        assert_eq!(heard(&trail, "iam:ListUsers"), Heard::No);
        assert_eq!(heard(&trail, "iam:CreateUser"), Heard::Yes);
    }

    #[test]
    fn advanced_selectors_hide_what_they_exclude() {
        let trail = trail(
            json!([]),
            json!([
                {"FieldSelectors": [
                    {"Field": "eventCategory", "Equals": ["Management"]},
                    {"Field": "eventName", "NotEquals": ["StopLogging"]}]},
                {"FieldSelectors": [
                    {"Field": "eventCategory", "Equals": ["Data"]},
                    {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]},
            ]),
        );
        assert_eq!(heard(&trail, "cloudtrail:StopLogging"), Heard::No);
        assert_eq!(heard(&trail, "cloudtrail:DeleteTrail"), Heard::Yes);
        assert_eq!(heard(&trail, "s3:DeleteObject"), Heard::Yes);
    }
}
