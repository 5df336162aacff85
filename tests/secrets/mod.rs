//! `palisade secrets` as people meet it: streams, exit codes, and what never shows.

#[cfg(feature = "aws")]
mod leak;

use std::fs;
use std::process::Output;

use crate::binary;

fn palisade(arguments: &[&str], input: &[u8], key: Option<&str>) -> Output {
    let mut command = binary::command(arguments);
    if let Some(key) = key {
        command.env("PALISADE_FINGERPRINT_KEY", key);
    }
    binary::feed(command, input)
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A console export, put together here so that this file holds no whole token.
fn export() -> (String, String) {
    let secret = ["JclQ7s", "3xwT9qqWwV1i", "vxX9axMgLGwc", "AJrVAbj45s"].concat();
    let id = ["AKIA", "RTX3GSDSQERUKZ4J"].concat();
    (
        format!("User name,Access key ID,Secret access key\njane,{id},{secret}\n"),
        secret,
    )
}

#[test]
fn a_console_export_is_told_without_its_secret() {
    let (text, secret) = export();
    let output = palisade(&["secrets", "-"], text.as_bytes(), None);
    assert_eq!(output.status.code(), Some(0));
    let found = lines(&output);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1]["rule"], "aws-secret-bare-near-id");
    assert_eq!(found[1]["accountId"], "111122223333");
    assert_eq!(found[1]["keyId"], ["AKIA", "RTX3GSDSQERUKZ4J"].concat());
    let start = found[1]["start"].as_u64().unwrap() as usize;
    assert_eq!(&text[start..start + 40], secret);
    for bytes in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(bytes).contains(&secret[10..20]));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_the_others_go_on() {
    let (text, _) = export();
    let folder = std::env::temp_dir().join(format!("palisade-secrets-{}", std::process::id()));
    fs::create_dir_all(folder.join("b")).unwrap();
    fs::write(folder.join("b/keys.csv"), &text).unwrap();
    fs::write(folder.join("a.csv"), &text).unwrap();
    let path = folder.to_string_lossy();
    let missing = format!("{path}/missing");
    let output = palisade(&["secrets", &missing, &path], b"", None);
    assert_eq!(output.status.code(), Some(1));
    let paths: Vec<_> = lines(&output)
        .iter()
        .map(|l| l["path"].as_str().unwrap().len())
        .collect();
    assert_eq!(paths.len(), 4);
    assert!(
        paths.is_sorted(),
        "folders are walked in the order of their names"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing` could not be read"));
    assert_eq!(
        output.stdout,
        palisade(&["secrets", &missing, &path], b"", None).stdout
    );
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn fingerprints_follow_the_key_and_hashes_come_on_request() {
    let (text, _) = export();
    let key = |key| {
        let output = palisade(&["secrets", "-", "--hash", "sha256"], text.as_bytes(), key);
        (
            lines(&output)[1]["fingerprint"].clone(),
            lines(&output)[1]["sha256"].clone(),
        )
    };
    let (one, sum) = key(Some("0123456789abcdef-one"));
    let (two, same) = key(Some("0123456789abcdef-two"));
    assert!(one != two && sum == same && sum.is_string());
    let short = palisade(&["secrets", "-"], text.as_bytes(), Some("short"));
    assert_eq!(short.status.code(), Some(2));
    assert!(palisade(&["secrets"], b"", None).status.code() == Some(2));
}
