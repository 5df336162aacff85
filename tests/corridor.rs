//! The walls of the house: who may import whom. The compiler keeps crates apart; this keeps the
//! rooms of the root package apart, and the manifests honest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms of the root package, and what each may import.
const ROOMS: &[(&str, &[&str])] = &[
    ("policy", &["model"]),
    ("exposure", &["model", "policy"]),
    ("alarm", &["model", "policy", "checks"]),
    ("graph", &["model", "checks", "policy", "exposure", "alarm"]),
    (
        "check",
        &[
            "model", "checks", "policy", "exposure", "alarm", "graph", "secrets",
        ],
    ),
    ("score", &["model", "checks", "graph", "check"]),
    ("change", &["model"]),
    (
        "gate",
        &[
            "model", "checks", "graph", "check", "score", "change", "report",
        ],
    ),
    (
        "fix",
        &[
            "model", "checks", "policy", "alarm", "graph", "check", "score", "change",
        ],
    ),
    (
        "report",
        &[
            "model", "secrets", "checks", "policy", "exposure", "alarm", "graph", "check", "score",
            "change", "gate", "fix", "analysis",
        ],
    ),
];

/// Crates of their own, and the crates of ours they may depend on.
const CRATES: &[(&str, &[&str])] = &[
    ("src/model", &[]),
    ("src/secrets", &["palisade-model"]),
    ("src/aws", &["palisade-model", "palisade-secrets"]),
    ("checks", &["palisade-model"]),
    ("mocks", &["palisade-model"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The rooms and crates of ours that a source file names, comments and strings aside.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let code = line.split("//").next().unwrap_or_default();
        for (marker, strip) in [("crate::", ""), ("palisade_", "palisade_")] {
            for (at, _) in code.match_indices(marker) {
                let before = code[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    continue;
                }
                let rest = &code[at + marker.len()..];
                let word = |text: &str| -> String {
                    text.chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect()
                };
                let names: Vec<String> = match rest.strip_prefix('{') {
                    Some(group) => group.split(',').map(|part| word(part.trim())).collect(),
                    None => vec![word(rest)],
                };
                found.extend(names.into_iter().filter(|name| !name.is_empty()));
                let _ = strip;
            }
        }
    }
    found
}

#[test]
fn every_room_imports_only_what_lies_before_it() {
    let names: BTreeSet<&str> = ROOMS.iter().map(|(name, _)| *name).collect();
    let crates = ["model", "secrets", "aws", "checks", "mocks"];
    let mut wrong = Vec::new();
    for (room, allowed) in ROOMS {
        for file in sources(&root().join("src").join(room)) {
            let text = fs::read_to_string(&file).unwrap();
            // A file of tests may look at worlds; what ships may not.
            let tests = text.contains("\n#![cfg(test)]\n");
            for import in imports(&text) {
                if tests && import == "mocks" {
                    continue;
                }
                let ours = names.contains(import.as_str()) || crates.contains(&import.as_str());
                if ours && import != *room && !allowed.contains(&import.as_str()) {
                    wrong.push(format!("{} imports {import}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_room_of_the_library_is_in_the_table() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rooms: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(|line| line.trim_end_matches(';'))
        .collect();
    let known: BTreeSet<&str> = ROOMS.iter().map(|(name, _)| *name).collect();
    let unknown: Vec<_> = rooms.difference(&known).collect();
    assert!(
        unknown.is_empty(),
        "{unknown:?} have no row in the table of rooms"
    );
}

#[test]
fn crates_depend_only_on_what_lies_before_them() {
    for (folder, allowed) in CRATES {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let table: toml::Table = toml::from_str(&manifest).unwrap();
        let dependencies: BTreeMap<_, _> = table
            .get("dependencies")
            .and_then(|d| d.as_table())
            .into_iter()
            .flatten()
            .collect();
        for name in dependencies
            .keys()
            .filter(|name| name.starts_with("palisade-"))
        {
            assert!(
                allowed.contains(&name.as_str()),
                "{folder} depends on {name}"
            );
        }
        let sdk = dependencies.keys().any(|name| name.starts_with("aws-"));
        assert_eq!(
            sdk,
            *folder == "src/aws",
            "the SDK belongs to src/aws alone: {folder}"
        );
    }
}

#[test]
fn the_collectors_are_named_in_one_file_of_the_binary() {
    for file in sources(&root().join("src/cli")) {
        let names = imports(&fs::read_to_string(&file).unwrap()).contains("aws");
        let collect = file.ends_with("collect.rs");
        assert!(!names || collect, "{} names the collectors", file.display());
    }
}

#[test]
fn only_the_binary_reads_the_clock_or_the_environment() {
    for (room, _) in ROOMS {
        for file in sources(&root().join("src").join(room)) {
            let text = fs::read_to_string(&file).unwrap();
            let text = text.replace("FxHashMap", "").replace("FxHashSet", "");
            let clocks = ["SystemTime::now", "Timestamp::now", "Instant::now"];
            for word in clocks
                .into_iter()
                .chain(["std::env::var", "HashMap", "HashSet"])
            {
                assert!(!text.contains(word), "{} uses {word}", file.display());
            }
        }
    }
}

#[test]
fn the_import_reader_sees_what_it_should() {
    let text = "use crate::{policy, graph::Edge};\nuse palisade_model::Arn; // crate::aws\n";
    let found: Vec<String> = imports(text).into_iter().collect();
    assert_eq!(found, ["graph", "model", "policy"]);
}
