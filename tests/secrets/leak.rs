//! What is found never leaves: known values are planted in objects and files, and every stream,
//! format, log level, snapshot and leftover of every command that meets them is searched.

use super::*;
use std::io::Write as _;

use std::path::{Path, PathBuf};

use palisade_model::read_snapshot;

/// Values that must not show, without the prefix that their vendor gives to all.
struct Planted {
    values: Vec<Vec<u8>>,
    text: String,
}

/// Letters and digits as chance mixes them, from a fixed seed.
struct Draw(u64);

impl Draw {
    fn text(&mut self, letters: &str, count: usize) -> String {
        let letters = letters.as_bytes();
        (0..count)
            .map(|_| {
                self.0 = self
                    .0
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(97);
                char::from(letters[(self.0 >> 33) as usize % letters.len()])
            })
            .collect()
    }
}

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn planted() -> Planted {
    let mut draw = Draw(2_026);
    let secret = draw.text(&format!("{LETTERS}+/"), 40);
    let other = draw.text(&format!("{LETTERS}+/"), 40);
    let (slack, stripe, password, link) = (
        draw.text(LETTERS, 24),
        draw.text(LETTERS, 40),
        draw.text(LETTERS, 20),
        draw.text(LETTERS, 22),
    );
    let body: Vec<String> = (0..14)
        .map(|_| draw.text(&format!("{LETTERS}+/"), 64))
        .collect();
    let (begin, end) = (
        ["-----BEGIN RSA PRI", "VATE KEY-----"],
        "-----END RSA PRIVATE KEY-----",
    );
    let id = ["AKIA", "RTX3GSDSQERUKZ4J"].concat();
    let text = format!(
        "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n\
         AWS_SECRET_ACCESS_KEY_OLD={other}\n\
         SLACK={}-1234567890-1234567890-{slack}\nSTRIPE={}{stripe}\nDB_PASSWORD={password}\n\
         DB=postgresql://app:{link}@db.prod.test:5432/x\n{}\n{}\n{end}\n",
        ["xo", "xb"].concat(),
        ["sk_", "live_"].concat(),
        begin.concat(),
        body.join("\n"),
    );
    let values = [vec![secret, other, slack, stripe, password, link], body].concat();
    Planted {
        values: values.into_iter().map(String::into_bytes).collect(),
        text,
    }
}

/// A world with the text in public objects: plain, and where only an error could show it.
fn world(folder: &Path, planted: &Planted) -> PathBuf {
    let quoted = serde_json::to_string(&planted.text).unwrap();
    let yaml = format!(
        "story: Known values in public objects.\ntaken_at: 2026-11-01T00:00:00Z\n\
         regions: [eu-central-1]\naccounts:\n  \"111122223333\":\n    public_access_block: none\n    \
         buckets:\n      acme-rag-exports:\n        region: eu-central-1\n        \
         ownership: BucketOwnerEnforced\n        policy:\n          Statement:\n            \
         - {{ Effect: Allow, Principal: \"*\", Action: [s3:GetObject, s3:ListBucket], \
         Resource: [\"arn:aws:s3:::acme-rag-exports\", \"arn:aws:s3:::acme-rag-exports/*\"] }}\n        \
         objects:\n          - {{ key: prod/.env, content: {quoted} }}\n          \
         - {{ key: notes.ipynb, content: {quoted} }}\n\
         truth: {{ findings: {{ s3-public-credential-files: [acme-rag-exports] }} }}\n"
    );
    let file = folder.join("world.yaml");
    fs::write(&file, yaml).unwrap();
    file
}

fn encoded(value: &[u8]) -> Vec<Vec<u8>> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    // Without what the neighbours decide, at each of the three offsets.
    let base64 = |skip: usize| -> Vec<u8> {
        value[skip..]
            .chunks_exact(3)
            .flat_map(|three| {
                let bits = three
                    .iter()
                    .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
                [18, 12, 6, 0].map(|shift| DIGITS[(bits >> shift & 63) as usize])
            })
            .collect()
    };
    let percent = value
        .iter()
        .flat_map(|byte| format!("%{byte:02X}").into_bytes());
    let hex = value
        .iter()
        .flat_map(|byte| format!("{byte:02x}").into_bytes());
    let mut reversed = value.to_vec();
    reversed.reverse();
    vec![
        value.to_vec(),
        reversed,
        base64(0),
        base64(1),
        base64(2),
        percent.collect(),
        hex.collect(),
    ]
}

/// No eight bytes in a row of any spelling of any value.
fn assert_clean(output: &[u8], planted: &Planted, label: &str) {
    let held: std::collections::HashSet<&[u8]> = output.windows(8).collect();
    for value in &planted.values {
        for (form, text) in encoded(value).iter().enumerate() {
            let leak = text.windows(8).any(|window| held.contains(window));
            assert!(!leak, "{label} leaks a value (spelling {form})");
        }
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = binary::command(arguments);
    command
        .current_dir(folder)
        .env("TMPDIR", folder)
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full");
    command.output().unwrap()
}

/// Every file below a folder, but those that hold what was planted.
fn leftovers(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            leftovers(&path, found);
        } else if !["world.yaml", "planted.env", "cut.gz"]
            .iter()
            .any(|own| path.ends_with(own))
        {
            found.push(path);
        }
    }
}

#[test]
fn no_planted_value_leaves_by_any_way() {
    let planted = planted();
    let folder = std::env::temp_dir().join(format!("palisade-planted-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let world = world(&folder, &planted);
    let world = world.to_str().unwrap();
    fs::write(folder.join("planted.env"), &planted.text).unwrap();
    // Cut off, so that a complaint about it is due.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(planted.text.as_bytes()).unwrap();
    let mut packed = packed.finish().unwrap();
    packed.truncate(packed.len() - 20);
    fs::write(folder.join("cut.gz"), packed).unwrap();
    let mut commands: Vec<Vec<&str>> = vec![
        vec!["collect", "--world", world, "-o", "estate.snap", "-vv"],
        vec!["scan", "--snapshot", "estate.snap", "-f", "json"],
        vec!["scan", "--world", world, "-vv", "--prove-public"],
        vec!["gate", "--world", world, "-v"],
        vec!["paths", "--world", world],
        vec!["explain", "s3-public-credential-files", "--world", world],
        vec![
            "secrets",
            "planted.env",
            "cut.gz",
            "world.yaml",
            "missing",
            "-vv",
        ],
        vec!["secrets", ".", "--hash", "sha256"],
        vec!["scan", "--world", "planted.env"],
        vec!["scan", "--snapshot", "planted.env"],
        vec!["scan", "--gaad", "planted.env"],
        vec![
            "secrets",
            "--fingerprint-key-file",
            "missing",
            "planted.env",
        ],
    ];
    for format in [
        "table", "json", "sarif", "html", "markdown", "csv", "junit", "ocsf",
    ] {
        commands.push(vec!["scan", "--world", world, "-f", format]);
    }
    let mut found = false;
    for arguments in &commands {
        let output = run(&folder, arguments);
        let label = arguments.join(" ");
        assert_clean(&output.stdout, &planted, &label);
        assert_clean(&output.stderr, &planted, &label);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        found |= shown.contains("aws-secret-access-key") && shown.contains("prod/.env");
    }
    assert!(found, "the values were not even met");
    let snapshot = fs::File::open(folder.join("estate.snap")).unwrap();
    let snapshot = read_snapshot(std::io::BufReader::new(snapshot)).unwrap();
    let text = serde_json::to_string(&snapshot).unwrap();
    assert!(
        text.contains("aws-secret-access-key"),
        "the snapshot tells of nothing"
    );
    assert_clean(text.as_bytes(), &planted, "the snapshot");
    assert_clean(
        format!("{snapshot:?}").as_bytes(),
        &planted,
        "Debug of the snapshot",
    );
    let mut files = Vec::new();
    leftovers(&folder, &mut files);
    for file in files {
        assert_clean(&fs::read(&file).unwrap(), &planted, &file.to_string_lossy());
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_panic_tells_its_place_and_no_value() {
    let planted = planted();
    let folder = std::env::temp_dir().join(format!("palisade-panic-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("planted.env"), &planted.text).unwrap();
    for backtrace in ["0", "full"] {
        let mut command = binary::command(&["secrets", "planted.env", "-vv"]);
        command
            .current_dir(&folder)
            .env("PALISADE_FAILPOINT", "secrets")
            .env("RUST_BACKTRACE", backtrace);
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(
            told.contains("error: internal error at src/cli/secrets.rs:"),
            "{told}"
        );
        assert_clean(&output.stdout, &planted, "stdout of a panic");
        assert_clean(&output.stderr, &planted, "stderr of a panic");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_full_disk_tells_no_value() {
    let planted = planted();
    let folder = std::env::temp_dir().join(format!("palisade-full-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("planted.env"), &planted.text).unwrap();
    let world = world(&folder, &planted);
    for arguments in [
        vec!["secrets", "planted.env"],
        vec!["scan", "--world", world.to_str().unwrap(), "-f", "json"],
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = binary::command(&arguments);
        let output = command
            .current_dir(&folder)
            .env("RUST_BACKTRACE", "full")
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_clean(&output.stderr, &planted, "stderr over a full disk");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_looks_public_is_proven_on_request_and_shown() {
    let planted = planted();
    let folder = std::env::temp_dir().join(format!("palisade-proven-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let world = world(&folder, &planted);
    let world = world.to_str().unwrap();
    let output = run(
        &folder,
        &["scan", "--world", world, "--prove-public", "-f", "json"],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("proven: an unsigned request to list one key was served"),
        "{text}"
    );
    assert!(text.contains("proven: an unsigned request for the first byte of `notes.ipynb`"));
    let plain = run(&folder, &["scan", "--world", world, "-f", "json"]);
    assert!(!String::from_utf8_lossy(&plain.stdout).contains("proven: an unsigned"));
    let offline = run(&folder, &["scan", "--snapshot", "x", "--prove-public"]);
    assert_eq!(offline.status.code(), Some(2));
    fs::remove_dir_all(&folder).unwrap();
}
