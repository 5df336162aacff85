//! The table of eleven rows in `docs/security-services.md`: every answer it names is the tool's.

use std::collections::BTreeMap;

use palisade::check::security::tampering::{TamperAnswer, Tampering};
use palisade::{Selection, analyse};
use palisade_checks::tamper;

use super::estate::world;

/// The rows of the table: service, action, and the cells with their claims.
fn rows() -> Vec<Vec<String>> {
    let page = include_str!("../../docs/security-services.md");
    let from = page
        .find("| # | service | action | state |")
        .expect("the table");
    page[from..]
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

/// "`world` word, `world` word" as pairs.
fn claims(cell: &str) -> Vec<(&str, &str)> {
    let each = cell.split(", ").map(|claim| {
        let rest = claim
            .strip_prefix('`')
            .expect("a claim begins with a world");
        let (world, word) = rest.split_once("` ").expect("a world and a word");
        (world, word)
    });
    each.collect()
}

fn word(column: &str, answer: &TamperAnswer) -> &'static str {
    match column {
        "state" => answer.state,
        "scp" => answer.scp,
        "who" if answer.could.is_some() => "somebody",
        "who" => "nobody",
        _ => answer.alarm,
    }
}

#[test]
fn every_row_of_the_closing_table_is_proved_by_the_worlds_it_names() {
    let rows = rows();
    let printed: usize = tamper()
        .iter()
        .filter(|group| group.group != "root")
        .map(|group| group.printed.len())
        .sum();
    assert_eq!((rows.len(), printed), (11, 11));
    let mut analysed: BTreeMap<String, Tampering> = BTreeMap::new();
    let mut wrong = Vec::new();
    for row in &rows {
        let action = row[2].trim_matches('`');
        for (column, cell) in ["state", "scp", "who", "alarm"].iter().zip(&row[3..]) {
            let claims = claims(cell);
            assert!(
                claims.len() >= 2,
                "{action} {column}: one side is not proved"
            );
            for (name, expected) in claims {
                let tampering = analysed
                    .entry(name.to_owned())
                    .or_insert_with(|| analyse(&world(name), &Selection::default()).tampering);
                let found = tampering.rows.iter().find(|row| row.action == action);
                let answers = &found.expect("a tamper action").answers;
                // In an account that may make the call, and that SCPs bind.
                let asked = answers.iter().filter(|a| a.counts && a.scp != "n/a");
                let words: Vec<&str> = asked.map(|answer| word(column, answer)).collect();
                if !words.contains(&expected) {
                    wrong.push(format!(
                        "{action} {column} in {name}: {words:?}, not {expected}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_printed_row_stands_in_the_order_of_the_article() {
    let rows = rows();
    let actions: Vec<&str> = rows.iter().map(|row| row[2].trim_matches('`')).collect();
    for action in &actions {
        let known = tamper().iter().flat_map(|group| &group.actions);
        let row = known.into_iter().find(|row| row.action == *action);
        let row = row.expect("a tamper action");
        assert!(row.minimum && row.retired.is_none(), "{action}");
    }
    let numbers: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let expected: Vec<String> = (1..=11).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
}
