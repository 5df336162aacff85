//! No value leaves: not in a line, not in `Debug`, not in an error, not in a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;

use palisade_secrets::{Engine, FingerprintKey, Limits, Options, scan_paths};

use crate::archives::{Packed, gzip, utf16, zip};
use crate::draw::{Draw, encode, tokens};

/// Values, and a file that holds all of them.
fn planted() -> (Vec<String>, String) {
    let mut draw = Draw(40);
    let mut values: Vec<String> = tokens(&mut draw)
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    let mut text: String = values
        .iter()
        .map(|value| format!("token = \"{value}\"\n\n"))
        .collect();
    for _ in 0..10 {
        let (id, secret) = (draw.key_id("AKIA", 111_122_223_333), draw.secret());
        text += &format!("{id},{secret}\n");
        values.push(secret);
    }
    let password = draw.alnum(20);
    text += &format!("postgresql://app:{password}@db.prod.test/x\n");
    text +=
        &format!("machine git.test login bot password {password}9\nDB_PASSWORD=\"{password}\"\n");
    let pem = draw.pem("RSA PRIVATE KEY");
    values.extend(
        pem.lines()
            .filter(|line| line.len() == 64)
            .map(str::to_owned),
    );
    text += &pem;
    values.push(password);
    (values, text)
}

/// No planted value, no half of one, and no other spelling of one is in `output`.
fn assert_clean(output: &str, values: &[String], label: &str) {
    for value in values {
        let middle = &value[value.len() / 3..value.len() * 2 / 3 + 1];
        for form in [value.clone(), middle.to_owned(), encode(value.as_bytes())] {
            // The slack webhook's middle is its public address.
            if form.len() >= 6 && !value.starts_with("https://") {
                assert!(!output.contains(&form), "{label} leaks a value");
            }
        }
    }
}

#[test]
fn no_output_holds_a_value() {
    let (values, text) = planted();
    let folder = std::env::temp_dir().join(format!("palisade-leak-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let files: [(&str, Vec<u8>); 5] = [
        ("plain.env", text.clone().into_bytes()),
        ("wide.txt", utf16(&text, false, true)),
        ("packed.gz", gzip(text.as_bytes())),
        (
            "packed.zip",
            zip(&[("a/.env", text.as_bytes())], Packed::Deflated),
        ),
        (
            "coded.yaml",
            format!("data: {}\n", encode(text.as_bytes())).into_bytes(),
        ),
    ];
    for (name, bytes) in &files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    for key in [
        None,
        FingerprintKey::new(b"0123456789abcdef0123456789abcdef"),
    ] {
        for sha256 in [false, true] {
            let options = Options {
                fingerprint_key: key.clone(),
                sha256,
                as_of: Some(1),
            };
            assert_clean(
                &format!("{options:?}"),
                &["0123456789abcdef".to_owned()],
                "Debug of options",
            );
            let engine = Engine::new(options).unwrap();
            let (mut out, mut problems) = (Vec::new(), String::new());
            let paths: Vec<PathBuf> = vec![folder.clone(), folder.join("missing")];
            let summary = scan_paths(&engine, &paths, &Limits::default(), &mut out, &mut |p| {
                problems += &format!("{p:?}");
            })
            .unwrap();
            assert!(summary.matches > 4 * values.len() as u64 / 2, "{summary:?}");
            assert_clean(&String::from_utf8(out).unwrap(), &values, "JSON Lines");
            assert_clean(&problems, &values, "problems");
            assert_clean(&format!("{summary:?}"), &values, "Debug of the summary");
            let (matches, outcome) =
                engine.scan_bytes(text.as_bytes(), "x.env", &Limits::default());
            assert_clean(
                &format!("{matches:?}{outcome:?}"),
                &values,
                "Debug of matches",
            );
            assert_clean(&serde_json::to_string(&matches).unwrap(), &values, "JSON");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn no_panic_holds_a_value() {
    let (values, text) = planted();
    let engine = Engine::new(Options::default()).unwrap();
    static SAID: Mutex<String> = Mutex::new(String::new());
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| *SAID.lock().unwrap() += &info.to_string()));
    // A sink that dies in the middle of a scan unwinds through every value held.
    let result = catch_unwind(AssertUnwindSafe(|| {
        engine.scan_into(text.as_bytes(), "x.env", &Limits::default(), &mut |found| {
            panic!("the sink died on {found:?}")
        })
    }));
    std::panic::set_hook(before);
    let said = SAID.lock().unwrap().clone();
    assert!(result.is_err() && said.contains("the sink died"));
    assert_clean(&said, &values, "a panic");
}

#[test]
fn passwords_are_never_hashed_plainly_and_need_a_key_for_a_fingerprint() {
    let mut draw = Draw(41);
    let text = format!("postgresql://app:{}@db.prod.test/x\n", draw.alnum(16));
    let mut options = Options {
        sha256: true,
        ..Options::default()
    };
    let engine = Engine::new(options.clone()).unwrap();
    let (without, _) = engine.scan_bytes(text.as_bytes(), "x", &Limits::default());
    assert_eq!(
        (without[0].fingerprint.clone(), without[0].sha256.clone()),
        (None, None)
    );
    options.fingerprint_key = FingerprintKey::new(b"0123456789abcdef");
    let engine = Engine::new(options).unwrap();
    let (with, _) = engine.scan_bytes(text.as_bytes(), "x", &Limits::default());
    assert!(with[0].fingerprint.is_some() && with[0].sha256.is_none());
}

#[test]
fn a_key_that_protects_nothing_is_refused() {
    assert!(FingerprintKey::new(b"short").is_none());
    assert!(FingerprintKey::new(b"0123456789abcde\n").is_none());
}
