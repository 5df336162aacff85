//! IAM facts: requests with the decision AWS documents, one a row.
//!
//! Rows live in `cases/*.jsonl` in the fields `palisade simulate` reads, and cite document and
//! section. They go through the simulator, so its lines are tested with them.

use palisade::policy::{Decision, decide, simulate};
use serde_json::Value;

fn rows(text: &str) -> Vec<Value> {
    let read = |line: &str| serde_json::from_str(line).expect("every row is JSON");
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(read)
        .collect()
}

/// What the simulator answers to these rows, in their order.
fn answers(rows: &[Value]) -> Vec<Value> {
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let mut out = Vec::new();
    simulate::run(lines.as_bytes(), &mut out).expect("writing to memory works");
    let text = String::from_utf8(out).expect("the simulator writes text");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("answers are JSON"))
        .collect()
}

fn mismatches(rows: &[Value]) -> Vec<String> {
    let compare = |(row, answer): (&Value, &Value)| {
        assert_eq!(row["id"], answer["id"]);
        (row["expect"] != answer["result"])
            .then(|| format!("{}: expected {}, got {answer}", row["id"], row["expect"]))
    };
    let answers = answers(rows);
    assert_eq!(rows.len(), answers.len());
    rows.iter().zip(&answers).filter_map(compare).collect()
}

#[test]
fn requests_are_decided_as_aws_decides_them() {
    let rows = rows(include_str!("cases/requests.jsonl"));
    let wrong = mismatches(&rows);
    assert!(
        wrong.is_empty(),
        "{} of {} wrong:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

#[test]
fn documented_rules_hold() {
    let mut rows = rows(include_str!("cases/documented.jsonl"));
    for text in [
        include_str!("cases/rules.jsonl"),
        include_str!("cases/operators.jsonl"),
        include_str!("cases/layers.jsonl"),
        include_str!("cases/edges.jsonl"),
    ] {
        rows.extend(self::rows(text));
    }
    for row in &rows {
        assert!(
            row["cites"].as_str().is_some_and(|c| c.contains('"')),
            "{} cites nothing",
            row["id"]
        );
    }
    let wrong = mismatches(&rows);
    assert!(
        wrong.is_empty(),
        "{} of {} wrong:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

#[test]
fn verdicts_over_unknown_keys_are_permitted_and_nearly_always_the_best() {
    let rows = rows(include_str!("cases/unknown-keys.jsonl"));
    let mut best = 0;
    let mut wrong = Vec::new();
    let mut second_best = Vec::new();
    for (row, answer) in rows.iter().zip(answers(&rows)) {
        let verdict = &answer["verdict"];
        let permitted = row["permitted"]
            .as_array()
            .expect("rows list what is permitted");
        if !permitted.contains(verdict) {
            wrong.push(format!(
                "{}: {answer} not in {}",
                row["id"], row["permitted"]
            ));
        } else if *verdict == row["best"] {
            best += 1;
        } else {
            second_best.push(format!("{}: best {}, got {answer}", row["id"], row["best"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("the best verdict for {best} of {}", rows.len());
    // The one other: a tag of `210` would complete the ARN that is denied, which none of its
    // completions tries.
    assert_eq!((best, rows.len()), (79, 80), "{}", second_best.join("\n"));
}

#[test]
fn every_completion_of_an_unknown_key_agrees_with_the_verdict_and_its_residual() {
    for row in rows(include_str!("cases/unknown-keys.jsonl")) {
        let case = simulate::Case::read(&row.to_string()).expect("rows are requests");
        let open = decide(&case.request, &case.layers());
        for completion in row["completions"]
            .as_array()
            .expect("rows list completions")
        {
            let (set, allowed) = (&completion[0], completion[1] == true);
            let mut full = case.clone();
            for (key, value) in set.as_object().expect("a completion is an object") {
                match value {
                    Value::Null => full.request.context.set_absent(key),
                    Value::String(text) => full.request.context.set(key, text.as_str()),
                    list => full.request.context.set_all(
                        key,
                        list.as_array()
                            .expect("several values")
                            .iter()
                            .filter_map(Value::as_str),
                    ),
                };
            }
            let decided = decide(&full.request, &full.layers());
            assert_eq!(decided.is_allowed(), allowed, "{} {set}", row["id"]);
            match &open {
                Decision::Allowed(_) => assert!(allowed, "{} {set}", row["id"]),
                Decision::Denied(_) => assert!(!allowed, "{} {set}", row["id"]),
                Decision::Conditional(conditional) => assert_eq!(
                    conditional.residual.holds(&full.request.context),
                    allowed.into(),
                    "{} {set}: {}",
                    row["id"],
                    conditional.residual
                ),
                Decision::Unknown(unknown) => panic!("{}: {unknown:?}", row["id"]),
            }
        }
    }
}
