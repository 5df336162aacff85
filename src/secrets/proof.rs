//! Every rule passes its own examples, and no file of this repository trips one.

use crate::rules::{Only, Reader, Rule};
use crate::{Engine, Limits, Match, Options};

fn engine() -> Engine {
    Engine::new(Options::default()).expect("the built-in rules compile")
}

/// A file name under which the rule is at work.
fn name_for(rule: &Rule) -> String {
    match (rule.only, rule.files.first()) {
        (Some(Only::CredentialFiles), _) => ".env".to_owned(),
        (None, Some(file)) => format!(".{file}"),
        (None, None) => "notes.txt".to_owned(),
    }
}

fn found(engine: &Engine, rule: &Rule, text: &str) -> Vec<Match> {
    engine
        .scan_bytes(text.as_bytes(), &name_for(rule), &Limits::default())
        .0
}

#[test]
fn every_rule_finds_its_matches() {
    let engine = engine();
    let mut wrong = Vec::new();
    for rule in &engine.compiled().rules {
        if rule.matches.is_empty() && rule.alone {
            wrong.push(format!("{}: no example", rule.id));
        }
        for text in &rule.matches {
            let got = found(&engine, rule, text);
            let hit = match rule.reader {
                Reader::Base64 => got.iter().any(|m| m.encoding.is_some()),
                _ => got.iter().any(|m| m.rule == rule.id),
            };
            if !hit {
                wrong.push(format!("{}: missed in {text:?}, got {got:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_rule_finds_what_it_rejects() {
    let engine = engine();
    let mut wrong = Vec::new();
    for rule in &engine.compiled().rules {
        for text in &rule.rejects {
            let got = found(&engine, rule, text);
            if got
                .iter()
                .any(|m| m.rule == rule.id || rule.reader == Reader::Base64)
            {
                wrong.push(format!("{}: {text:?} gave {got:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rule_files_themselves_are_clean() {
    let engine = engine();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for folder in [
        root.join("../../checks/secrets"),
        root.to_path_buf(),
        root.join("tests"),
    ] {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for path in entries
            .map(|e| e.expect("a listed entry").path())
            .filter(|p| p.is_file())
        {
            let bytes = std::fs::read(&path).expect("a file of this repository");
            let (got, _) = engine.scan_bytes(&bytes, &path.to_string_lossy(), &Limits::default());
            wrong.extend(
                got.into_iter()
                    .map(|m| format!("{}: {m:?}", path.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
