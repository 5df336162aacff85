//! Event patterns and log filters against the services' own documentation.

use palisade::alarm::filter::Filter;
use palisade::alarm::heard::{Heard, Subject};
use palisade::alarm::pattern::Pattern;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    pattern: Value,
    #[serde(default)]
    filter: String,
    event: Value,
    #[serde(default)]
    open: Vec<String>,
    heard: String,
}

fn word(heard: Result<Heard, String>) -> &'static str {
    match heard {
        Ok(Heard::Yes) => "yes",
        Ok(Heard::No) => "no",
        Ok(Heard::Depends(_)) => "depends",
        Err(_) => "refused",
    }
}

fn wrong(text: &str, judge: impl Fn(&Case, Subject<'_>) -> Result<Heard, String>) -> Vec<String> {
    let cases: Vec<Case> = serde_yaml_ng::from_str(text).expect("the case file is well formed");
    assert!(cases.len() > 100, "the case file was cut");
    cases
        .iter()
        .filter_map(|case| {
            let subject = Subject {
                json: &case.event,
                open: &case.open,
            };
            let said = word(judge(case, subject));
            (said != case.heard).then(|| format!("{}: {said}, not {}", case.name, case.heard))
        })
        .collect()
}

#[test]
fn event_patterns_match_as_eventbridge_documents() {
    let wrong = wrong(
        include_str!("../cases/event-patterns.yaml"),
        |case, subject| {
            // As a text where it matters how it is written.
            let text = match &case.pattern {
                Value::String(text) => text.clone(),
                pattern => pattern.to_string(),
            };
            let pattern = Pattern::parse(&text).map_err(|e| e.to_string())?;
            Ok(pattern.matches(subject))
        },
    );
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn log_filters_match_as_cloudwatch_documents() {
    let wrong = wrong(
        include_str!("../cases/log-filters.yaml"),
        |case, subject| {
            let filter = Filter::parse(&case.filter).map_err(|e| e.to_string())?;
            Ok(filter.matches(subject))
        },
    );
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = format!("{{ {}$.a = b{} }}", "(".repeat(5000), ")".repeat(5000));
    assert!(Filter::parse(&deep).is_err());
    let deep = format!("{}[1]{}", "{\"a\":".repeat(5000), "}".repeat(5000));
    assert!(Pattern::parse(&deep).is_err());
}
