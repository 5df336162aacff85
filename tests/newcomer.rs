//! What somebody meets on the first day: examples that run, faults that are told before the work
//! begins, settings whose faults name their line.

use std::fs;
use std::path::Path;

use super::binary::{code, command, palisade, text};

/// The verbs that `--help` lists.
fn verbs() -> Vec<String> {
    let help = text(&palisade(&["--help"]).stdout);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.trim().is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names = names.filter(|name| !name.is_empty() && *name != "help");
    names.map(str::to_owned).collect()
}

/// The examples of a help page as a shell takes them, continued lines joined.
fn examples(page: &str) -> Vec<String> {
    let lines = page.lines().skip_while(|line| *line != "Examples:").skip(1);
    let mut all: Vec<String> = Vec::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        match all.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push_str(line.trim_start());
            }
            Some(last) if line.starts_with("    ") => {
                last.push('\n');
                last.push_str(line.trim_start());
            }
            _ => all.push(line.trim().to_owned()),
        }
    }
    // What an example is for stands behind it, after a wide gap.
    let typed = all.iter().map(|line| line.split("   ").next().unwrap());
    typed.map(str::to_owned).collect()
}

/// Whether an example can run here: it needs no AWS, and nothing but what stands in the folder.
fn runs_here(example: &str) -> bool {
    let elsewhere = ["--profile", "--org", "/etc/", "serve", "git ", "doctor"];
    !elsewhere.iter().any(|word| example.contains(word))
}

#[test]
fn every_example_of_every_help_page_works() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    fs::write(here.join("requests.jsonl"), "").unwrap();
    fs::write(here.join("artifact.zip"), "").unwrap();
    fs::create_dir(here.join("export")).unwrap();
    let mut ran = 0;
    for verb in verbs() {
        let page = text(&palisade(&[&verb, "--help"]).stdout);
        for line in page.lines().skip_while(|line| *line != "Examples:") {
            assert!(line.chars().count() <= 80, "{verb}: {line}");
        }
        for example in examples(&page).iter().filter(|line| runs_here(line)) {
            if example.contains("estate.snap") {
                continue;
            }
            let mut shell = command(&[]);
            let binary = shell.get_program().to_string_lossy().into_owned();
            let script = format!("palisade() {{ '{binary}' \"$@\"; }}\n{example}");
            shell = in_shell(&shell, &script, here);
            let output = shell.output().unwrap();
            let fine = [0, 3, 10].contains(&code(&output));
            let told = text(&output.stderr);
            assert!(fine, "{example}: {}\n{told}", code(&output));
            assert!(!text(&output.stdout).contains("\"error\""), "{example}");
            ran += 1;
        }
    }
    assert!(ran > 15, "only {ran} examples ran");
}

/// A shell in that folder, in the same environment.
fn in_shell(like: &std::process::Command, script: &str, here: &Path) -> std::process::Command {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script]).current_dir(here);
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

#[test]
fn a_fault_of_the_settings_names_its_line_and_what_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let rows: &[(&str, &[&str])] = &[
        (
            "[scan]\n\nfail-onn = \"high\"\n",
            &["line 3", "did you mean `fail-on`"],
        ),
        (
            "[scan]\nfail_on = \"high\"\n",
            &["line 2", "did you mean `fail-on`"],
        ),
        (
            "\n[scna]\nfail-on = \"high\"\n",
            &["line 2", "`scna`", "did you mean `scan`"],
        ),
        (
            "[scan]\nfail-on = \"hihg\"\n",
            &["line 2", "hihg", "critical, high"],
        ),
        (
            "[scan]\nallow-incomplete = \"yes\"\n",
            &["line 2", "true or false"],
        ),
        ("[scan]\nexpect = [\"mace\"]\n", &["line 2", "mace"]),
        ("[scan\n", &["line 1"]),
        ("a = 1\nb = 2\n", &["line 1: `a`", "line 2: `b`"]),
    ];
    for (file, named) in rows {
        fs::write(folder.path().join("palisade.toml"), file).unwrap();
        let mut scan = command(&["scan", "--world", "hardened"]);
        let output = scan.current_dir(folder.path()).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(code(&output), 2, "{file}: {told}");
        for word in [&["palisade.toml"], *named].concat() {
            assert!(told.contains(word), "{file}: no `{word}` in\n{told}");
        }
    }
}

#[test]
fn a_slip_in_an_action_is_told_with_what_was_meant() {
    for (action, told) in [
        ("iam:PasRole", "did you mean `iam:PassRole`?"),
        ("iam:*", "more than one action"),
        ("imaginary:Do", "AWS documents no action"),
    ] {
        let output = palisade(&["who-can", action, "--world", "hardened"]);
        assert_eq!(code(&output), 2);
        assert!(
            text(&output.stderr).contains(told),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn a_fault_of_the_accepted_risks_names_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("risks.toml");
    let path = file.to_string_lossy().into_owned();
    let fine = "[[risk]]\nid = \"PAL-1\"\nreason = \"nobody uses this account any more\"\n\
                owner = \"ops\"\ncreated = \"2026-08-01\"\n";
    let rows = [
        (
            format!("{fine}expires = \"2026-12-31\"\n"),
            10,
            "matches nothing",
        ),
        (format!("{fine}expires = \"soon\"\n"), 2, "line 6"),
        (
            format!("{fine}expires = 2028-01-01\n"),
            2,
            "within 180 days",
        ),
        ("[[risks]]\n".to_owned(), 2, "line 1"),
        ("[[risk]]\nid = \"PAL-1\"\n".to_owned(), 2, "`created`"),
    ];
    for (content, expected, word) in rows {
        fs::write(&file, &content).unwrap();
        let scan = [
            "scan",
            "--world",
            "eight-minutes",
            "--accepted-risks",
            &path,
        ];
        let output = palisade(&scan);
        let told = text(&output.stderr);
        assert_eq!(code(&output), expected, "{content}: {told}");
        assert!(told.contains(word), "{content}: no `{word}` in\n{told}");
    }
}

#[test]
fn what_could_not_be_written_is_told_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("gone/report.json");
    let target = format!("json={}", nowhere.display());
    let output = palisade(&["scan", "--world", "eight-minutes", "-f", &target]);
    assert_eq!(code(&output), 1);
    assert!(
        !text(&output.stderr).contains("findings ("),
        "it was scanned"
    );
    let once = folder.path().join("report");
    let (table, json) = (
        format!("table={}", once.display()),
        format!("json={}", once.display()),
    );
    let output = palisade(&[
        "scan",
        "--world",
        "eight-minutes",
        "-f",
        &table,
        "-f",
        &json,
    ]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("cannot share"));
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is left lying about"
    );
}

#[test]
fn authorization_details_of_powershell_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let details = r#"{"UserDetailList": [{"Path": "/", "UserName": "ana", "UserId": "AIDA1",
        "Arn": "arn:aws:iam::111122223333:user/ana", "CreateDate": "2026-01-01T00:00:00Z"}],
        "GroupDetailList": [], "RoleDetailList": [], "Policies": []}"#;
    let wide = [0xfeff].into_iter().chain(details.encode_utf16());
    let wide: Vec<u8> = wide.flat_map(u16::to_le_bytes).collect();
    let file = folder.path().join("details.json");
    fs::write(&file, wide).unwrap();
    let output = palisade(&["scan", "--gaad", &file.to_string_lossy()]);
    assert_eq!(code(&output), 3, "{}", text(&output.stderr));
    fs::write(
        &file,
        details.replace("arn:aws:iam::111122223333:user/ana", "ana"),
    )
    .unwrap();
    let output = palisade(&["scan", "--gaad", &file.to_string_lossy()]);
    assert_eq!(code(&output), 1);
    assert!(
        text(&output.stderr).contains("the ARN `ana`"),
        "{}",
        text(&output.stderr)
    );
}
