//! The binary as people meet it: exit codes, streams, and two runs with equal bytes.

use std::path::PathBuf;
use std::process::Stdio;

use super::binary::{code, command, palisade, text};

#[test]
fn the_eight_minute_attack_is_found_and_fails_the_gate() {
    let output = palisade(&["scan", "--world", "eight-minutes"]);
    assert_eq!(code(&output), 10, "{}", text(&output.stderr));
    let report = text(&output.stdout);
    for word in [
        "the internet",
        "lambda.update-code",
        "iam.create-access-key",
        "administrator of",
    ] {
        assert!(report.contains(word), "{word} is missing:\n{report}");
    }
    assert!(text(&output.stderr).ends_with("exit 10: findings at or above the threshold\n"));
}

#[test]
fn a_hardened_estate_passes_on_complete_data() {
    let output = palisade(&["scan", "--world", "hardened"]);
    assert_eq!(
        code(&output),
        0,
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    assert!(text(&output.stdout).contains("0 findings · 0 paths · 100 % assessed"));
}

#[test]
fn what_could_not_be_read_is_inconclusive() {
    let arguments = ["scan", "--world", "denied", "--fail-on", "critical"];
    let output = palisade(&arguments);
    assert_eq!(code(&output), 3, "{}", text(&output.stdout));
    let allowed = palisade(&[&arguments[..], &["--allow-incomplete"]].concat());
    assert_eq!(code(&allowed), 0);
}

#[test]
fn two_runs_give_equal_bytes_in_every_format() {
    for format in ["table", "json"] {
        let run = || palisade(&["scan", "--world", "organization", "-f", format]).stdout;
        let first = run();
        assert!(!first.is_empty());
        assert_eq!(first, run(), "{format}");
    }
}

#[test]
fn the_json_report_fits_its_published_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(palisade::report::json::PUBLISHED).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for world in ["eight-minutes", "hardened", "organization", "denied"] {
        let output = palisade(&["scan", "--world", world, "-f", "json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{world}: {errors:#?}");
    }
}

#[test]
fn the_format_and_what_is_hidden_never_change_the_code() {
    for more in [
        &["-f", "json"][..],
        &["--min-severity", "critical"],
        &["-q"],
    ] {
        let arguments = [&["scan", "--world", "eight-minutes"], more].concat();
        assert_eq!(code(&palisade(&arguments)), 10, "{more:?}");
    }
    assert_eq!(
        code(&palisade(&[
            "scan",
            "--world",
            "eight-minutes",
            "--exit-zero"
        ])),
        0
    );
}

#[test]
fn a_table_fits_eighty_columns() {
    for world in ["eight-minutes", "hardened", "organization", "denied"] {
        let output = palisade(&["scan", "--world", world]);
        for line in text(&output.stdout).lines() {
            assert!(line.chars().count() <= 80, "{world}: {line}");
        }
    }
}

#[test]
fn wrong_usage_is_named_and_exits_with_2() {
    let cases: &[(&[&str], &str)] = &[
        (&["scan", "--bogus"], "--bogus"),
        (
            &["scan", "--world", "eight-minutes", "--fail-on", "sometimes"],
            "critical, high",
        ),
        (
            &["scan", "--world", "eight-minutes", "-f", "papyrus"],
            "papyrus",
        ),
        (
            &[
                "scan",
                "--world",
                "eight-minutes",
                "-f",
                "table",
                "-f",
                "json",
            ],
            "stdout",
        ),
        (
            &["scan", "--world", "eight-minutes", "-c", "no-such-check"],
            "no-such-check",
        ),
        (
            &["scan", "--world", "eight-minutes", "--baseline", "/nowhere"],
            "baseline",
        ),
        (
            &[
                "scan",
                "--world",
                "eight-minutes",
                "--accepted-risks",
                "/nowhere",
            ],
            "accepted risks",
        ),
        (
            &["scan", "--world", "eight-minutes", "--config", "/nowhere"],
            "/nowhere",
        ),
        (&["explain", "no-such-thing"], "no-such-thing"),
    ];
    for (arguments, named) in cases {
        let output = palisade(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", text(&output.stderr));
        assert!(
            text(&output.stderr).contains(named),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_cannot_run_is_named_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let junk = folder.path().join("junk.snap");
    std::fs::write(&junk, b"<html>not a snapshot</html>").unwrap();
    let junk = junk.to_string_lossy().into_owned();
    let cases: &[(&[&str], &str)] = &[
        (&["scan", "--world", "no-such-world"], "no-such-world"),
        (&["scan", "--snapshot", "/nowhere.snap"], "/nowhere.snap"),
        (&["scan", "--snapshot", &junk], "not a palisade snapshot"),
        (
            &["scan", "--gaad", &junk],
            "get-account-authorization-details",
        ),
        (
            &[
                "scan",
                "--world",
                "eight-minutes",
                "-f",
                "json=/nowhere/report.json",
            ],
            "/nowhere/report.json",
        ),
    ];
    for (arguments, named) in cases {
        let output = palisade(arguments);
        assert_eq!(code(&output), 1, "{arguments:?}: {}", text(&output.stderr));
        assert!(
            text(&output.stderr).contains(named),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        assert!(text(&output.stderr).contains("exit 1: could not run"));
    }
}

#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_not() {
    let full = PathBuf::from("/dev/full");
    if full.exists() {
        let output = command(&["scan", "--world", "eight-minutes"])
            .stdout(std::fs::OpenOptions::new().write(true).open(&full).unwrap())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(code(&output), 1, "{}", text(&output.stderr));
        let output = palisade(&["scan", "--world", "eight-minutes", "-f", "json=/dev/full"]);
        assert_eq!(code(&output), 1, "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("cannot write `/dev/full`"));
        assert!(!full.is_file(), "a device stays one");
    }
    let mut child = command(&["scan", "--world", "eight-minutes", "-f", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(10));
}

#[test]
fn a_baseline_leaves_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = folder
        .path()
        .join("last.json")
        .to_string_lossy()
        .into_owned();
    let format = format!("json={baseline}");
    let first = palisade(&["scan", "--world", "eight-minutes", "-f", &format]);
    assert_eq!(code(&first), 10);
    let known = palisade(&["gate", "--world", "eight-minutes", "--baseline", &baseline]);
    assert_eq!(code(&known), 0, "{}", text(&known.stdout));
    let fresh = palisade(&["gate", "--world", "organization", "--baseline", &baseline]);
    assert_eq!(code(&fresh), 10, "{}", text(&fresh.stdout));
    // A root cause that was not known fails by itself, however well known its path is.
    let mut earlier: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&baseline).unwrap()).unwrap();
    let causes = earlier["causes"].as_array_mut().unwrap();
    let gone = causes.remove(0)["id"].as_str().unwrap().to_owned();
    std::fs::write(&baseline, earlier.to_string()).unwrap();
    let found = palisade(&["gate", "--world", "eight-minutes", "--baseline", &baseline]);
    assert_eq!(code(&found), 10, "{}", text(&found.stdout));
    assert!(
        text(&found.stdout).contains(&gone),
        "{}",
        text(&found.stdout)
    );
}

#[test]
fn an_accepted_risk_passes_until_it_expires_and_stays_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let report: serde_json::Value = serde_json::from_slice(
        &palisade(&["scan", "--world", "eight-minutes", "-f", "json"]).stdout,
    )
    .unwrap();
    let write = |expires: &str| {
        let mut toml = String::new();
        for list in ["findings", "paths"] {
            for entry in report[list].as_array().unwrap() {
                toml.push_str(&format!(
                    "[[risk]]\nid = {}\nreason = \"a test needs this one to be let through\"\n\
                     owner = \"platform\"\ncreated = 2026-08-01\nexpires = {expires}\n",
                    entry["id"]
                ));
            }
        }
        let file = folder.path().join(format!("{expires}.toml"));
        std::fs::write(&file, toml).unwrap();
        file.to_string_lossy().into_owned()
    };
    let accepted = palisade(&[
        "scan",
        "--world",
        "eight-minutes",
        "-f",
        "json",
        "--accepted-risks",
        &write("2026-12-31"),
    ]);
    assert_eq!(code(&accepted), 0, "{}", text(&accepted.stderr));
    let after: serde_json::Value = serde_json::from_slice(&accepted.stdout).unwrap();
    assert_eq!(
        after["findings"].as_array().unwrap().len(),
        report["findings"].as_array().unwrap().len()
    );
    let expired = palisade(&[
        "gate",
        "--world",
        "eight-minutes",
        "--accepted-risks",
        &write("2026-08-02"),
    ]);
    assert_eq!(code(&expired), 10);
    assert!(text(&expired.stderr).contains("expired"));
}

#[test]
fn settings_come_from_flag_then_environment_then_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("palisade.toml"),
        "[scan]\nfail-on = \"none\"\n",
    )
    .unwrap();
    let run = |environment: Option<&str>, flag: &[&str]| {
        let mut command = command(&[&["scan", "--world", "eight-minutes"], flag].concat());
        command.current_dir(folder.path());
        if let Some(value) = environment {
            command.env("PALISADE_FAIL_ON", value);
        }
        code(&command.output().unwrap())
    };
    assert_eq!(run(None, &[]), 0, "the file lets everything pass");
    assert_eq!(run(Some("high"), &[]), 10, "the environment beats the file");
    assert_eq!(
        run(Some("high"), &["--fail-on", "none"]),
        0,
        "the flag beats the environment"
    );
    std::fs::write(
        folder.path().join("palisade.toml"),
        "[scan]\nfail-onn = 1\n",
    )
    .unwrap();
    assert_eq!(run(None, &[]), 2, "a key that is no flag is named");
}

#[test]
fn a_paid_service_is_expected_by_flag_environment_or_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("palisade.toml");
    let found = |environment: Option<&str>, flag: &[&str]| {
        let arguments = ["scan", "--world", "hardened", "-f", "json", "--exit-zero"];
        let mut command = command(&[&arguments[..], flag].concat());
        command.current_dir(folder.path());
        if let Some(value) = environment {
            command.env("PALISADE_EXPECT", value);
        }
        let output = command.output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        let checks = findings
            .iter()
            .map(|f| f["check"].as_str().unwrap().to_owned());
        checks.collect::<std::collections::BTreeSet<String>>()
    };
    assert!(found(None, &[]).is_empty());
    assert!(found(None, &["--expect", "macie"]).contains("macie-off"));
    assert!(found(Some("shield,fms"), &[]).contains("shield-off"));
    std::fs::write(&file, "[scan]\nexpect = [\"waf\", \"macie\"]\n").unwrap();
    let by_file = found(None, &[]);
    assert!(
        by_file.contains("macie-off") && !by_file.contains("shield-off"),
        "{by_file:?}"
    );
    let mut show = command(&["config", "--show"]);
    let shown = text(&show.current_dir(folder.path()).output().unwrap().stdout);
    let line = shown
        .lines()
        .find(|line| line.starts_with("expect"))
        .unwrap();
    assert!(line.contains("macie") && line.ends_with("file"), "{line}");
    std::fs::write(&file, "[scan]\nexpect = [\"guardduty\"]\n").unwrap();
    let mut wrong = command(&["scan", "--world", "hardened"]);
    assert_eq!(code(&wrong.current_dir(folder.path()).output().unwrap()), 2);
}

#[test]
fn every_command_teaches_with_two_examples() {
    let help = text(&palisade(&["--help"]).stdout);
    let verbs: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .filter_map(|line| {
            line.strip_prefix("  ")
                .filter(|line| !line.starts_with(' '))
        })
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    assert!(verbs.len() > 8, "{verbs:?}");
    for verb in verbs {
        let output = palisade(&[verb, "--help"]);
        assert_eq!(code(&output), 0);
        let page = text(&output.stdout);
        let examples = page
            .lines()
            .filter(|line| line.trim_start().contains("palisade "))
            .count();
        assert!(
            page.contains("Examples:") && examples >= 2,
            "{verb}:\n{page}"
        );
    }
}
