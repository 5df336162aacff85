//! The binary before a loopback AWS, over real sockets: what each thing that can be wrong says,
//! and that it costs nothing else.

use std::path::Path;
use std::process::{Output, Stdio};

use palisade_mocks::serve::Server;
use palisade_mocks::{Fault, FaultKind, World};
use serde_json::Value;

use super::binary::{code, command, text};

const ACCOUNT: &str = "404817263951";

fn served(world: World) -> String {
    format!("http://{}", Server::bind(world, 0).unwrap().spawn())
}

fn eight_minutes(faults: &[(FaultKind, &str, &str)]) -> String {
    let mut world = World::load("eight-minutes").unwrap();
    for (kind, service, operation) in faults {
        world.disturb(Fault::always(*kind, service, operation));
    }
    served(world)
}

/// An access key id holds its account: a bit, forty bits of account, thirty-nine of anything.
fn key_id(account: &str) -> String {
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let value = (1u128 << 79) | (account.parse::<u128>().unwrap() << 39);
    let digits = (0..16).map(|at| BASE32[(value >> (75 - 5 * at)) as usize & 31]);
    format!("AKIA{}", digits.map(char::from).collect::<String>())
}

fn signed_in(endpoint: &str, account: &str, arguments: &[&str]) -> Output {
    command(arguments)
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", key_id(account))
        .env("AWS_SECRET_ACCESS_KEY", "not a secret")
        .output()
        .unwrap()
}

fn both(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// `doctor` and `scan` of one region, which is enough to stop them.
const VERBS: [&[&str]; 2] = [
    &["doctor", "-r", "us-east-1"],
    &["scan", "-r", "us-east-1", "--no-progress"],
];

/// One error line that says so, one line of help, and the code; nothing on stdout.
fn stops(output: &Output, wanted: i32, says: &str) {
    let told = text(&output.stderr);
    assert_eq!(code(output), wanted, "{told}");
    let errors: Vec<&str> = told.lines().filter(|l| l.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{told}");
    assert!(errors[0].contains(says), "{says}: {told}");
    assert!(
        told.lines().any(|line| line.starts_with("help: ")),
        "{told}"
    );
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
}

#[test]
fn good_credentials_are_named_and_everything_answers() {
    let endpoint = eight_minutes(&[]);
    let output = signed_in(&endpoint, ACCOUNT, VERBS[0]);
    let page = text(&output.stdout);
    assert_eq!(code(&output), 0, "{}", both(&output));
    for word in [
        "caller    arn:aws:",
        &format!("account   {ACCOUNT}"),
        &format!("endpoint  {endpoint}"),
        "clock     right",
        "regions   1 answer: us-east-1",
        " tried, 0 failed",
    ] {
        assert!(page.contains(word), "{word} is missing:\n{page}");
    }
}

#[test]
fn no_credentials_stop_a_scan_with_what_to_do() {
    for verb in VERBS {
        let output = command(verb).output().unwrap();
        stops(&output, 1, "no AWS credentials were found");
        assert!(text(&output.stderr).contains("aws sso login"));
        let named = command(&[verb, &["--profile", "nobody"]].concat())
            .output()
            .unwrap();
        stops(&named, 1, "for profile `nobody`");
    }
}

#[test]
fn expired_and_unknown_credentials_are_told_apart() {
    let expired = eight_minutes(&[(FaultKind::Expired, "sts", "*")]);
    let unknown = eight_minutes(&[(FaultKind::Denied, "sts", "GetCallerIdentity")]);
    for verb in VERBS {
        stops(&signed_in(&expired, ACCOUNT, verb), 1, "have expired");
        stops(
            &signed_in(&unknown, ACCOUNT, verb),
            1,
            "AWS refuses the credentials",
        );
    }
}

#[test]
fn a_region_that_does_not_exist_is_a_slip_and_is_named() {
    let endpoint = eight_minutes(&[]);
    for verb in ["doctor", "scan", "collect"] {
        let mut arguments = vec![verb, "-r", "eu-centrall-1"];
        if verb == "collect" {
            arguments.extend(["-o", "/dev/null"]);
        }
        let output = signed_in(&endpoint, ACCOUNT, &arguments);
        stops(&output, 2, "did you mean `eu-central-1`?");
    }
}

#[test]
fn an_address_that_is_none_is_told_before_anything_is_sent() {
    for url in ["foo", "http://", "127.0.0.1:4566", "https:///path"] {
        let output = command(&["scan", "--endpoint-url", url]).output().unwrap();
        assert_eq!(code(&output), 2, "{url}");
        assert!(text(&output.stderr).contains("an endpoint reads"), "{url}");
    }
}

#[test]
fn an_endpoint_that_is_not_there_or_not_aws_is_named() {
    let page = eight_minutes(&[(FaultKind::Html, "sts", "*")]);
    for verb in VERBS {
        // Port 1 of this machine: nobody listens, and the refusal comes at once.
        let nobody = signed_in("http://127.0.0.1:1", ACCOUNT, verb);
        stops(&nobody, 1, "no answer from `http://127.0.0.1:1`");
        stops(
            &signed_in(&page, ACCOUNT, verb),
            1,
            "answers, but not as AWS does",
        );
        stops(
            &signed_in("localhost", ACCOUNT, verb),
            1,
            "no answer from `localhost`",
        );
    }
}

#[test]
fn a_role_that_cannot_be_assumed_is_named() {
    let endpoint = eight_minutes(&[(FaultKind::Denied, "sts", "AssumeRole")]);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/audit");
    for verb in VERBS {
        let arguments = [verb, &["--role-arn", &role]].concat();
        let output = signed_in(&endpoint, ACCOUNT, &arguments);
        stops(&output, 1, &format!("the role `{role}` cannot be assumed"));
    }
}

#[test]
fn a_service_that_is_denied_costs_nothing_else() {
    let denied = [
        (FaultKind::Denied, "guardduty", "*"),
        (FaultKind::Html, "config", "DescribeDeliveryChannels"),
        (FaultKind::Denied, "iam", "GetCredentialReport"),
    ];
    let endpoint = eight_minutes(&denied);
    let output = signed_in(&endpoint, ACCOUNT, VERBS[0]);
    assert_eq!(code(&output), 0, "{}", both(&output));
    let page = text(&output.stdout);
    assert!(
        page.contains("guardduty:ListDetectors was denied"),
        "{page}"
    );
    assert!(page.contains("`palisade permissions`"), "{page}");
    let arguments = [
        "scan",
        "-r",
        "us-east-1",
        "--no-progress",
        "--read-content",
        "-f",
        "json",
    ];
    let output = signed_in(&endpoint, ACCOUNT, &arguments);
    assert_eq!(code(&output), 10, "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let paths = report["paths"].as_array().unwrap();
    assert!(paths.iter().any(|path| path["best"]["status"] == "proven"));
    let missing = report["unresolved"].to_string();
    assert!(missing.contains("guardduty:ListDetectors"), "{missing}");
}

/// A world that changes an embedded one.
fn world(text: &str) -> World {
    let file = palisade_mocks::world_folder().join("made-by-a-test/world.yaml");
    World::parse(&file, text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn one_account_that_lets_nobody_in_is_named_and_the_others_are_read() {
    let endpoint = served(world(
        "story: One account of the organization does not know the scanner's role.\n\
         extends: organization\n\
         accounts: { \"571826493058\": { $gap: sts:AssumeRole } }\n",
    ));
    let arguments = [
        "scan",
        "--org",
        "-r",
        "eu-west-1",
        "--no-progress",
        "-f",
        "json",
    ];
    let output = signed_in(&endpoint, "137482059614", &arguments);
    assert_eq!(code(&output), 10, "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let accounts = report["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 5);
    for account in accounts {
        let shut = account["account"] == "571826493058";
        assert_eq!(account["reach"] == "not-reached", shut, "{account}");
    }
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().any(|one| one["account"] == "359604271836"));
    // What the organization says of the account was read; what stands in it was not.
    let inside = |one: &&Value| one["account"] == "571826493058" && one["region"] != "";
    assert_eq!(findings.iter().find(inside), None);
    assert!(report["unresolved"].to_string().contains("sts:AssumeRole"));
}

#[test]
fn profiles_of_several_accounts_become_one_snapshot_with_paths_between_them() {
    let (near, far) = ("111122223333", "444455556666");
    let endpoint = served(world(&format!(
        "story: A build user of one account may take the administrator's role of another.\n\
         taken_at: 2026-11-01T00:00:00Z\n\
         regions: [us-east-1]\n\
         accounts:\n\
         \x20 \"{near}\":\n\
         \x20   users:\n\
         \x20     build: {{ access_keys: 1, inline: {{ go: {{ allow: sts:AssumeRole, on: \"arn:aws:iam::{far}:role/ops\" }} }} }}\n\
         \x20 \"{far}\":\n\
         \x20   roles:\n\
         \x20     ops: {{ trust: {{ account: \"{near}\" }}, attached: [aws:AdministratorAccess] }}\n"
    )));
    let folder = tempfile::tempdir().unwrap();
    let keys = |account: &str| {
        format!(
            "aws_access_key_id = {}\naws_secret_access_key = none\n",
            key_id(account)
        )
    };
    let credentials = folder.path().join("credentials");
    let profiles = format!("[near]\n{}[far]\n{}[stale]\n", keys(near), keys(far));
    std::fs::write(&credentials, profiles).unwrap();
    let run = |arguments: &[&str]| {
        let mut run = command(arguments);
        run.env("AWS_ENDPOINT_URL", &endpoint)
            .env("AWS_SHARED_CREDENTIALS_FILE", &credentials);
        run.output().unwrap()
    };
    let file = folder
        .path()
        .join("both.snap")
        .to_string_lossy()
        .into_owned();
    let output = run(&[
        "collect",
        "--profile",
        "near",
        "--profile",
        "far",
        "-o",
        &file,
    ]);
    assert_eq!(code(&output), 0, "{}", both(&output));
    let (from, to) = (
        format!("arn:aws:iam::{near}:user/build"),
        format!("arn:aws:iam::{far}:role/ops"),
    );
    let paths = run(&["paths", "--snapshot", &file, "--from", &from, "--to", &to]);
    assert_eq!(code(&paths), 0, "{}", both(&paths));
    let page = text(&paths.stdout);
    assert!(
        page.contains("proven") && page.contains("role/ops"),
        "{page}"
    );
    // A profile without keys is named and leaves its account unknown; the other is read.
    let with_stale = ["--profile", "near", "--profile", "stale"];
    let scan = [&["scan", "--no-progress", "-f", "json"], &with_stale[..]].concat();
    let output = run(&scan);
    assert_eq!(code(&output), 10, "{}", both(&output));
    assert!(text(&output.stderr).contains("for profile `stale`"));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reach = |account: &str| {
        let rows = report["accounts"].as_array().unwrap().iter();
        let mut rows = rows.filter(|row| row["account"] == account);
        rows.next().map(|row| row["reach"].clone())
    };
    assert_ne!(reach(near), Some("not-reached".into()));
    assert_eq!(reach("profile/stale"), Some("not-reached".into()));
    let unresolved = report["unresolved"].to_string();
    assert!(unresolved.contains("profile/stale"), "{unresolved}");
    let output = run(&[&["doctor"], &with_stale[..]].concat());
    assert_eq!(code(&output), 1, "{}", both(&output));
    let page = text(&output.stdout);
    assert!(
        page.contains(near) && page.contains("profile   stale"),
        "{page}"
    );
    // Where no profile has keys, nothing can be read.
    let output = run(&["scan", "--profile", "stale", "--profile", "stale"]);
    stops(&output, 1, "for profile `stale`");
}

#[test]
fn a_snapshot_that_was_cut_changed_or_is_newer_is_refused_by_name() {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("whole.snap");
    let name = file.to_string_lossy().into_owned();
    let made = command(&["collect", "--world", "eight-minutes", "-o", &name])
        .output()
        .unwrap();
    assert_eq!(code(&made), 0, "{}", both(&made));
    let packed = std::fs::read(&file).unwrap();
    let mut lines = String::new();
    let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
    reader.read_to_string(&mut lines).unwrap();
    let pack = |lines: &str| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(lines.as_bytes()).unwrap();
        writer.finish().unwrap()
    };
    let cases = [
        (packed[..packed.len() / 2].to_vec(), "cut off after"),
        (
            pack(&lines.replace("corpus-sync", "corpus-sink")),
            "changed or damaged at byte",
        ),
        (
            pack(&lines.replacen("\"version\":1", "\"version\":2", 1)),
            "has version 2",
        ),
        (
            b"<html>not a snapshot</html>".to_vec(),
            "not a palisade snapshot",
        ),
        (Vec::new(), "cut off after 0 bytes"),
    ];
    for (bytes, says) in cases {
        std::fs::write(&file, bytes).unwrap();
        for verb in ["scan", "gate"] {
            let output = command(&[verb, "--snapshot", &name]).output().unwrap();
            let told = text(&output.stderr);
            assert_eq!(code(&output), 1, "{told}");
            assert!(
                told.contains(says) && told.contains(&name),
                "{says}: {told}"
            );
            assert!(output.stdout.is_empty());
        }
    }
}

#[test]
fn a_world_that_cannot_be_read_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_string_lossy().into_owned()
    };
    let cases = [
        (write("broken.yaml", b"story: [\n"), "is not valid YAML"),
        (
            write(
                "odd.yaml",
                b"story: x\ntaken_at: 2026-11-01T00:00:00Z\nacounts: {}\n",
            ),
            "acounts",
        ),
        (write("bytes.yaml", &[0xff, 0xfe, 0x00]), "bytes.yaml"),
        (
            Path::new("/nonexistent/world.yaml").display().to_string(),
            "/nonexistent",
        ),
    ];
    for (file, says) in cases {
        let output = command(&["scan", "--world", &file]).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(code(&output), 1, "{file}: {told}");
        assert!(
            told.contains(says) && told.contains("help: "),
            "{says}: {told}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_output_and_keeps_the_verdict() {
    for format in ["table", "json"] {
        let mut child = command(&["scan", "--world", "eight-minutes", "-f", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut reader = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut reader, &mut line).unwrap();
        drop(reader);
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 10, "{}", text(&output.stderr));
        assert!(
            !text(&output.stderr).contains("error"),
            "{}",
            text(&output.stderr)
        );
    }
}
