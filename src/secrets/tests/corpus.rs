//! Recall and precision: what is planted is found where it stands, and nothing else is.

use std::sync::LazyLock;

use palisade_secrets::{Engine, Limits, Match, Options};
use sha2::{Digest, Sha256};

use crate::decoys::decoys;
use crate::draw::{Draw, encode, tokens};
use crate::layouts::{PAIRS, SESSIONS};
use crate::wrap::{AROUND, wrap};

/// One engine for all tests: compiling the rules is the slow part of a small scan.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
        let options = Options {
            sha256: true,
            as_of: Some(1_800_000_000),
            ..Options::default()
        };
        Engine::new(options).unwrap()
    });
    &ENGINE
}

pub(crate) fn scan(engine: &Engine, name: &str, bytes: &[u8]) -> Vec<Match> {
    engine.scan_bytes(bytes, name, &Limits::default()).0
}

pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Fails when more than one in a hundred is missing; says which.
fn settle(missing: &[String], planted: usize) {
    let shown: Vec<_> = missing.iter().take(40).cloned().collect();
    assert!(
        missing.len() * 100 <= planted,
        "{} of {planted} missing:\n{}",
        missing.len(),
        shown.join("\n")
    );
    assert!(
        missing.is_empty(),
        "within bounds, but: {}",
        shown.join("\n")
    );
}

#[test]
fn every_vendor_token_is_found_in_every_surrounding() {
    let engine = engine();
    let mut draw = Draw(1);
    let (mut missing, mut planted) = (Vec::new(), 0);
    for template in AROUND {
        for (rule, value) in tokens(&mut draw) {
            let (text, at) = wrap(template, &value);
            planted += 1;
            let found = scan(engine, "notes.txt", text.as_bytes());
            let (start, end) = (at as u64, (at + value.len()) as u64);
            let hit = found
                .iter()
                .any(|m| m.rule == rule && m.start >= start && m.end == end && m.sha256.is_some());
            if !hit {
                missing.push(format!("{rule} in {template:?}: {:?}", places(&found)));
            } else if found.len() > 1 {
                missing.push(format!(
                    "{rule} in {template:?}: too many {:?}",
                    places(&found)
                ));
            }
        }
    }
    settle(&missing, planted);
}

fn places(found: &[Match]) -> Vec<(&str, u64, u64)> {
    found
        .iter()
        .map(|m| (&m.rule[..], m.start, m.end))
        .collect()
}

/// The pair as it must come out.
fn check_pair(found: &[Match], text: &str, id: &str, secret: &str, label: &str) -> Option<String> {
    let at = text.find(secret).map(|at| at as u64);
    let Some(hit) = found
        .iter()
        .find(|m| m.sha256.as_deref() == Some(&sha256(secret)))
    else {
        return Some(format!("{label}: no secret in {:?}", places(found)));
    };
    if at.is_some_and(|at| (hit.start, hit.end) != (at, at + 40)) {
        return Some(format!(
            "{label}: at {}..{}, not {at:?}",
            hit.start, hit.end
        ));
    }
    if hit.key_id.as_deref() != Some(id) || !hit.paired {
        return Some(format!("{label}: paired with {:?}", hit.key_id));
    }
    if hit.account_id.as_deref() != Some("111122223333") {
        return Some(format!("{label}: account {:?}", hit.account_id));
    }
    let extra = found.iter().filter(|m| m.key_id.as_deref() != Some(id));
    extra
        .map(|m| format!("{label}: also {} at {}", m.rule, m.start))
        .next()
}

#[test]
fn every_aws_pair_is_found_and_paired() {
    let engine = engine();
    let mut draw = Draw(2);
    let (mut missing, mut planted) = (Vec::new(), 0);
    for (name, layout) in PAIRS {
        for _ in 0..20 {
            let (id, secret) = (draw.key_id("AKIA", 111_122_223_333), draw.secret());
            let text = layout.replace("@I", &id).replace("@S", &secret);
            planted += 1;
            let found = scan(engine, name, text.as_bytes());
            missing.extend(check_pair(
                &found,
                &text,
                &id,
                &secret,
                &format!("{name} {layout:?}"),
            ));
        }
    }
    settle(&missing, planted);
}

#[test]
fn secrets_are_found_in_their_escaped_spellings() {
    let engine = engine();
    let mut draw = Draw(3);
    let (mut missing, mut planted) = (Vec::new(), 0);
    let spellings: [(&str, &str, &str); 6] = [
        ("\\/", "+", "json"),
        ("%2F", "%2B", "url"),
        ("%2f", "+", "url in lower case"),
        ("/", "\\u002B", "json of another house"),
        ("&#x2F;", "&#43;", "html"),
        ("\\\\/", "+", "json in json"),
    ];
    for (slash, plus, label) in spellings {
        for layout in [
            "{\"key\":\"@I\",\"value\":\"@S\"}",
            "{\"AccessKeyId\":\"@I\",\"SecretAccessKey\":\"@S\"}",
            "s3a://@I:@S@bucket/path",
        ] {
            for _ in 0..20 {
                let (id, secret) = (draw.key_id("AKIA", 111_122_223_333), draw.secret());
                let spelled = secret.replace('/', slash).replace('+', plus);
                let text = layout.replace("@I", &id).replace("@S", &spelled);
                planted += 1;
                let found = scan(engine, "x.txt", text.as_bytes());
                // The span is that of the spelling, the hash that of the secret.
                let at = text.find(&spelled).unwrap() as u64;
                let hit = found.iter().any(|m| {
                    m.sha256.as_deref() == Some(&sha256(&secret))
                        && m.key_id.as_deref() == Some(&id[..])
                        && (m.start, m.end) == (at, at + spelled.len() as u64)
                });
                if !hit {
                    missing.push(format!("{label} {layout}: {:?}", places(&found)));
                }
            }
        }
    }
    settle(&missing, planted);
}

#[test]
fn temporary_credentials_are_found_as_triples() {
    let engine = engine();
    let mut draw = Draw(4);
    let (mut missing, mut planted) = (Vec::new(), 0);
    for (name, layout) in SESSIONS {
        for _ in 0..10 {
            let id = draw.key_id("ASIA", 111_122_223_333);
            let (secret, token) = (draw.secret(), draw.session_token());
            let text = layout
                .replace("@I", &id)
                .replace("@S", &secret)
                .replace("@T", &token);
            planted += 1;
            let found = scan(engine, name, text.as_bytes());
            missing.extend(check_pair(&found, &text, &id, &secret, name));
            let hit = found.iter().find(|m| m.rule == "aws-session-token");
            if hit.is_none_or(|m| m.sha256.as_deref() != Some(&sha256(&token)) || !m.paired) {
                missing.push(format!("{name}: no token in {:?}", places(&found)));
            }
        }
    }
    settle(&missing, planted);
}

#[test]
fn many_pairs_in_one_file_keep_their_partners() {
    let engine = engine();
    let mut draw = Draw(5);
    let rows = [
        "user,@I,@S\n",
        "{\"AccessKeyId\":\"@I\",\"SecretAccessKey\":\"@S\"},",
        "{\"secret\":\"@S\",\"id\":\"@I\"},",
        "[p]\naws_access_key_id = @I\naws_secret_access_key = @S\n",
        "@I\n@S\n",
        "- id: @I\n  note: something longer in between the two, to be sure\n  value: @S\n",
    ];
    for row in rows {
        let pairs: Vec<_> = (0..500)
            .map(|_| (draw.key_id("AKIA", 111_122_223_333), draw.secret()))
            .collect();
        let text: String = pairs
            .iter()
            .map(|(i, s)| row.replace("@I", i).replace("@S", s))
            .collect();
        let found = scan(engine, "x.txt", text.as_bytes());
        let torn: Vec<_> = pairs
            .iter()
            .filter_map(|(id, secret)| {
                let sum = sha256(secret);
                let hit = found.iter().find(|m| m.sha256.as_ref() == Some(&sum));
                let got = hit.map(|m| (m.key_id.as_deref(), m.start));
                (got.and_then(|(id, _)| id) != Some(id)).then_some((secret, got))
            })
            .collect();
        assert!(torn.is_empty(), "{row:?}: {torn:?}");
    }
}

#[test]
fn a_secret_far_from_its_id_is_joined_when_both_are_alone() {
    let engine = engine();
    let mut draw = Draw(6);
    let (id, secret) = (draw.key_id("AKIA", 111_122_223_333), draw.secret());
    let filler = "  - name: something else entirely\n".repeat(900);
    let text = format!("access_key_id: {id}\nother:\n{filler}secret_access_key: {secret}\n");
    let found = scan(engine, "settings.yaml", text.as_bytes());
    let hit = found
        .iter()
        .find(|m| m.rule == "aws-secret-access-key")
        .unwrap();
    assert_eq!(hit.key_id.as_deref(), Some(&id[..]));
}

#[test]
fn kubernetes_secrets_are_read_through_their_base64() {
    let engine = engine();
    let mut draw = Draw(7);
    for _ in 0..30 {
        let (id, secret) = (draw.key_id("AKIA", 111_122_223_333), draw.secret());
        let text = format!(
            "apiVersion: v1\nkind: Secret\ndata:\n  AWS_ACCESS_KEY_ID: {}\n  AWS_SECRET_ACCESS_KEY: {}\n",
            encode(id.as_bytes()),
            encode(secret.as_bytes())
        );
        let found = scan(engine, "secret.yaml", text.as_bytes());
        let why = check_pair(&found, "", &id, &secret, "k8s");
        assert!(why.is_none(), "{why:?}\n{:?}", places(&found));
    }
}

#[test]
fn tokens_are_found_inside_base64() {
    let engine = engine();
    let mut draw = Draw(8);
    let (mut missing, mut planted) = (Vec::new(), 0);
    for (rule, value) in tokens(&mut draw) {
        if rule == "telegram-bot-token"
            || rule == "azure-ad-client-secret"
            || rule == "jwt"
            || rule == "sendgrid-key"
            || rule == "elevenlabs-key"
            || rule == "replicate-token"
            || rule == "huggingface-token"
        {
            // Their marks are too short to be looked for in base64.
            continue;
        }
        for lead in ["", "#!/bin/bash\nexport TOKEN=", "token: \"", "x="] {
            let plain = format!("{lead}{value}\nrest of the script that follows\n");
            let text = format!("user_data: {}\n", encode(plain.as_bytes()));
            planted += 1;
            let found = scan(engine, "x.yaml", text.as_bytes());
            let sum = sha256(&value);
            let value_or_part =
                |m: &Match| m.sha256.as_ref() == Some(&sum) || rule == "slack-webhook";
            if !found.iter().any(|m| m.rule == rule && value_or_part(m)) {
                missing.push(format!("{rule} after {lead:?}: {:?}", places(&found)));
            }
        }
    }
    settle(&missing, planted);
}

#[test]
fn private_keys_are_found_in_every_dress() {
    let engine = engine();
    let mut draw = Draw(9);
    for kind in [
        "RSA PRIVATE KEY",
        "PRIVATE KEY",
        "EC PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "DSA PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
        "ENCRYPTED PRIVATE KEY",
    ] {
        let key = draw.pem(kind);
        for (label, text) in [
            ("plain", key.clone()),
            ("windows", key.replace('\n', "\r\n")),
            (
                "json",
                format!("{{\"private_key\":\"{}\\n\"}}", key.replace('\n', "\\n")),
            ),
            (
                "json in json",
                format!("\"{{\\\"k\\\":\\\"{}\\\"}}\"", key.replace('\n', "\\\\n")),
            ),
            (
                "yaml",
                format!("key: |\n    {}\n", key.replace('\n', "\n    ")),
            ),
            ("python", format!("KEY = \"\"\"{key}\"\"\"\n")),
            ("concatenated", format!("\"{}\"", key.replace('\n', " "))),
            ("xml", format!("<key>{key}</key>")),
            ("base64", format!("tls.key: {}\n", encode(key.as_bytes()))),
        ] {
            let found = scan(engine, "x.txt", text.as_bytes());
            let hits = found.iter().filter(|m| m.rule == "private-key-pem").count();
            assert_eq!(hits, 1, "{kind} {label}: {:?}", places(&found));
        }
    }
}

#[test]
fn no_decoy_is_taken_for_a_credential() {
    let engine = engine();
    let mut wrong = Vec::new();
    let mut count = 0;
    for seed in 10..14 {
        for (name, text) in decoys(&mut Draw(seed)) {
            count += 1;
            let found = scan(engine, name, text.as_bytes());
            // A key id that stands alone is told as what it is: a name, not a secret.
            let hits: Vec<_> = found
                .iter()
                .filter(|m| m.rule != "aws-access-key-id")
                .collect();
            if !hits.is_empty() {
                wrong.push(format!(
                    "{name}: {hits:?}\n  {}",
                    &text[..text.len().min(300)]
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn copies_and_compressed_files_count_by_their_own_names() {
    let word = ["q7RbXw2L", "m9TzVk41"].concat();
    let state = "{\n  \"version\": 4,\n  \"terraform_version\": \"1.9.1\",\n  \"password\": ";
    for (name, text, found) in [
        (
            ".netrc",
            format!("machine a login b password {word}\n"),
            true,
        ),
        (
            ".netrc.xz",
            format!("machine a login b password {word}\n"),
            true,
        ),
        (
            ".netrc.bak.gz",
            format!("machine a login b password {word}\n"),
            true,
        ),
        (
            "notes.txt",
            format!("machine a login b password {word}\n"),
            false,
        ),
        (
            ".pgpass.zst",
            format!("db.corp:5432:app:svc:{word}\n"),
            true,
        ),
        ("application.yml.bz2", format!("password: {word}\n"), true),
        // State of Terraform under any name.
        ("prod/network", format!("{state}\"{word}\"}}"), true),
        (
            "prod/network",
            format!("{{\"password\": \"{word}\"}}"),
            false,
        ),
        (
            "wp.txt",
            format!("define( 'DB_PASSWORD', '{word}' );"),
            true,
        ),
        (
            "context.xml",
            format!("<Resource password=\"{word}\" url=\"x\"/>"),
            true,
        ),
        (
            "values.yaml",
            format!("existingSecretName: {word}\n"),
            false,
        ),
    ] {
        let matches = scan(engine(), name, text.as_bytes());
        assert_eq!(!matches.is_empty(), found, "{name}: {text}");
        for found in matches {
            let value = &text[found.start as usize..found.end as usize];
            assert_eq!(value, word, "{name}");
        }
    }
}
