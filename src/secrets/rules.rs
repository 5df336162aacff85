//! The rules: `checks/secrets/*.yaml` read, checked and compiled.
//!
//! A rule names a few literal `keywords` (`hints` are longer ones, for base64 text only); where one stands, `regex` is tried, anchored where
//! the value begins: at the keyword, or up to `behind.max` bytes of `behind.of` before it.
//! `edge` says which bytes may not stand in front (`word` unless given, or `none`), `then` which
//! may follow the word of letters, digits, `_`, `.` and `-` that the keyword begins. `%is%`
//! in a regex stands for whatever joins a name to its value in code, JSON, YAML and env
//! files, `%in%` before it for one more name in between. Group 1 is the value. Then come `entropy` (bits per byte, at least), the
//! placeholders, `near` (words that must stand within so many bytes), and `check`.
//! `matches` and `rejects` are examples, cut in pieces so that no file of this repository
//! holds a whole token; every rule has to pass its own.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::found::{Role, Severity};

const FILES: [(&str, &str); 10] = [
    ("aws", include_str!("../../checks/secrets/aws.yaml")),
    ("keys", include_str!("../../checks/secrets/keys.yaml")),
    ("forge", include_str!("../../checks/secrets/forge.yaml")),
    ("chat", include_str!("../../checks/secrets/chat.yaml")),
    ("ai", include_str!("../../checks/secrets/ai.yaml")),
    ("cloud", include_str!("../../checks/secrets/cloud.yaml")),
    (
        "registry",
        include_str!("../../checks/secrets/registry.yaml"),
    ),
    ("iac", include_str!("../../checks/secrets/iac.yaml")),
    ("saas", include_str!("../../checks/secrets/saas.yaml")),
    ("generic", include_str!("../../checks/secrets/generic.yaml")),
];

/// What joins a name to its value: quotes (escaped too), brackets, `=`, `:`, `=>`, `:=`, a
/// comma or space, and the word `value` of `{"name": …, "value": …}`.
const IS: &str = concat!(
    r#"\\{0,3}['"`]?[\])]{0,2}\s{0,8}(?:=>|:=|=|:|,|>|\s)\s{0,8}"#,
    r#"(?:\\{0,3}['"`]?value\\{0,3}['"`]?\s{0,4}[:=]\s{0,4})?\\{0,3}['"`]?"#
);

/// A name inside the named thing: `provider: { api_key: …`.
const IN: &str =
    r#"(?:\\{0,3}['"]?\s{0,3}[:=]\s{0,8}\{?\s{0,12}\\{0,3}['"]?[\w-]{0,20}key[\w-]{0,10})?"#;

/// Why the rules could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error("`checks/secrets/{file}.yaml` cannot be read")]
    Yaml {
        file: String,
        source: serde_yaml_ng::Error,
    },
    #[error("rule `{rule}`: {why}")]
    Rule { rule: String, why: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Origin {
    /// Drawn by a provider: long and random, so a plain hash gives nothing away.
    Random,
    /// Chosen by a person: a plain hash could be guessed back.
    Chosen,
    /// Not secret.
    Public,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reader {
    #[default]
    Regex,
    /// A key id: the keyword and 16 characters of base32, by [`crate::aws`].
    AwsKeyId,
    /// The name by regex, the value by [`crate::aws`].
    AwsSecret,
    /// Bare values around a key id: no keyword of its own.
    NearId,
    Pem,
    /// Encoded spellings of the other rules' keywords: no keyword of its own.
    Base64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Check {
    #[default]
    None,
    AwsKeyId,
    AwsSecret,
    AwsPresigned,
    AwsBedrock,
    GithubChecksum,
    BasicAuth,
    Jwt,
    Putty,
    UrlPassword,
    Password,
    Named,
    Opaque,
    NotCommit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Redact {
    /// First eight and last four: identifiers only.
    Ends,
    /// The vendor's fixed prefix.
    Prefix,
    /// No byte.
    Whole,
    /// The header line of a key block.
    Header,
    /// Public: shown as it is.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Only {
    /// Files whose name says credentials or settings (class A or B).
    CredentialFiles,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[allow(dead_code)]
    dated: String,
    rules: Vec<RawRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBehind {
    of: String,
    max: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNear {
    any: Vec<String>,
    within: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    title: String,
    role: Role,
    severity: Severity,
    origin: Origin,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    hints: Vec<String>,
    #[serde(default)]
    fold: bool,
    #[serde(default)]
    userinfo: bool,
    #[serde(default = "yes")]
    alone: bool,
    edge: Option<String>,
    behind: Option<RawBehind>,
    then: Option<String>,
    near: Option<RawNear>,
    #[serde(default)]
    files: Vec<String>,
    only: Option<Only>,
    #[serde(default)]
    reader: Reader,
    regex: Option<String>,
    #[serde(default)]
    least: usize,
    #[serde(default = "usual_span")]
    span: usize,
    entropy: f64,
    #[serde(default)]
    check: Check,
    redact: Redact,
    #[allow(dead_code)]
    why: Option<String>,
    #[serde(default)]
    matches: Vec<Vec<String>>,
    #[serde(default)]
    rejects: Vec<Vec<String>>,
}

fn yes() -> bool {
    true
}

fn usual_span() -> usize {
    640
}

/// A set of bytes.
pub(crate) type Bytes = Box<[bool; 256]>;

/// Words that must stand near a value.
pub(crate) struct Near {
    pub(crate) any: AhoCorasick,
    pub(crate) within: usize,
}

/// One compiled rule.
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) role: Role,
    pub(crate) severity: Severity,
    pub(crate) origin: Origin,
    pub(crate) keywords: Vec<Vec<u8>>,
    /// Longer words that betray the value inside base64 text, where keywords are too short.
    pub(crate) hints: Vec<Vec<u8>>,
    pub(crate) fold: bool,
    pub(crate) userinfo: bool,
    /// Worth a line of its own, without a partner.
    pub(crate) alone: bool,
    pub(crate) edge: Option<Bytes>,
    pub(crate) behind: Option<(Bytes, usize)>,
    /// What may end the name that the keyword begins: most names end otherwise.
    pub(crate) then: Option<Bytes>,
    pub(crate) near: Option<Near>,
    /// Ends of file names it is for; empty for all.
    pub(crate) files: Vec<String>,
    pub(crate) only: Option<Only>,
    pub(crate) reader: Reader,
    pub(crate) regex: Option<Regex>,
    /// Fewest bytes of a value; large counts are slow to compile into a regex.
    pub(crate) least: usize,
    /// How far past the keyword a match can reach.
    pub(crate) span: usize,
    pub(crate) entropy: f64,
    pub(crate) check: Check,
    pub(crate) redact: Redact,
    #[cfg_attr(not(test), allow(dead_code))]
    pub(crate) matches: Vec<String>,
    #[cfg_attr(not(test), allow(dead_code))]
    pub(crate) rejects: Vec<String>,
}

impl Rule {
    /// Which of two overlapping matches stays: the one that knows more about its value.
    pub(crate) fn rank(&self) -> u8 {
        if self.only.is_some() {
            0
        } else if self.origin != Origin::Random {
            1
        } else if self.fold {
            2
        } else {
            3
        }
    }
}

/// Reads and compiles every rule.
pub(crate) fn load() -> Result<Vec<Rule>, RulesError> {
    let mut rules: Vec<Rule> = Vec::new();
    for (file, text) in FILES {
        let raw: RawFile = serde_yaml_ng::from_str(text).map_err(|source| RulesError::Yaml {
            file: file.to_owned(),
            source,
        })?;
        for rule in raw.rules {
            let id = rule.id.clone();
            if rules.iter().any(|known| known.id == id) {
                return Err(RulesError::Rule {
                    rule: id,
                    why: "the id is taken".to_owned(),
                });
            }
            rules.push(compile(rule).map_err(|why| RulesError::Rule { rule: id, why })?);
        }
    }
    Ok(rules)
}

fn compile(raw: RawRule) -> Result<Rule, String> {
    let regex = match &raw.regex {
        Some(pattern) => Some(anchored(pattern)?),
        None if matches!(raw.reader, Reader::Regex | Reader::AwsSecret) => {
            return Err("it has no regex".to_owned());
        }
        None => None,
    };
    if raw.reader == Reader::Regex && regex.as_ref().is_some_and(|r| r.captures_len() < 2) {
        return Err("its regex has no group for the value".to_owned());
    }
    let mut keywords = Vec::new();
    for keyword in &raw.keywords {
        for mut spelled in spell(keyword)? {
            if raw.fold {
                spelled.make_ascii_lowercase();
            }
            if spelled.len() < 3 {
                return Err(format!(
                    "the keyword `{keyword}` is shorter than three bytes"
                ));
            }
            keywords.push(spelled);
        }
    }
    let own_keywords = !matches!(raw.reader, Reader::NearId | Reader::Base64);
    if own_keywords == keywords.is_empty() {
        return Err("its keywords do not fit its reader".to_owned());
    }
    let edge = match raw.edge.as_deref() {
        None => Some(set("A-Za-z0-9_")),
        Some("none") => None,
        Some(class) => Some(set(class)),
    };
    let near = match raw.near {
        None => None,
        Some(near) => Some(Near {
            any: AhoCorasickBuilder::new()
                .ascii_case_insensitive(true)
                .build(&near.any)
                .map_err(|error| error.to_string())?,
            within: near.within,
        }),
    };
    Ok(Rule {
        id: raw.id,
        title: raw.title,
        role: raw.role,
        severity: raw.severity,
        origin: raw.origin,
        keywords,
        hints: raw.hints.into_iter().map(String::into_bytes).collect(),
        fold: raw.fold,
        userinfo: raw.userinfo,
        alone: raw.alone,
        edge,
        behind: raw.behind.map(|b| (set(&b.of), b.max)),
        then: raw.then.as_deref().map(set),
        near,
        files: raw.files,
        only: raw.only,
        reader: raw.reader,
        regex,
        least: raw.least,
        span: raw.span,
        entropy: raw.entropy,
        check: raw.check,
        redact: raw.redact,
        matches: raw.matches.iter().map(|pieces| pieces.concat()).collect(),
        rejects: raw.rejects.iter().map(|pieces| pieces.concat()).collect(),
    })
}

/// A regex that can only match where it is tried.
fn anchored(pattern: &str) -> Result<Regex, String> {
    let pattern = pattern.replace("%in%", IN).replace("%is%", IS);
    let (flags, body) = match pattern.strip_prefix("(?i)") {
        Some(body) => ("(?i)", body),
        None => ("", pattern.as_str()),
    };
    RegexBuilder::new(&format!(r"{flags}\A(?:{body})"))
        .unicode(false)
        .size_limit(64 << 20)
        .dfa_size_limit(16 << 20)
        .build()
        .map_err(|error| error.to_string())
}

/// Bytes named as in a regex class: `A-Za-z0-9_-`, a dash last meaning itself.
fn set(class: &str) -> Bytes {
    let bytes = class.as_bytes();
    let mut out = Box::new([false; 256]);
    let mut i = 0;
    while i < bytes.len() {
        let ranged = i + 2 < bytes.len() && bytes[i + 1] == b'-';
        let last = if ranged { bytes[i + 2] } else { bytes[i] };
        for byte in bytes[i]..=last {
            out[usize::from(byte)] = true;
        }
        i += if ranged { 3 } else { 1 };
    }
    out
}

/// A keyword with its `[0-9a-f]` classes spelled out.
fn spell(keyword: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut out = vec![Vec::new()];
    let mut rest = keyword;
    while !rest.is_empty() {
        let choices: Vec<u8> = if let Some(tail) = rest.strip_prefix('[') {
            let (class, after) = tail
                .split_once(']')
                .ok_or_else(|| format!("`{keyword}` has no `]`"))?;
            rest = after;
            let members = set(class);
            (0..=255u8)
                .filter(|&byte| members[usize::from(byte)])
                .collect()
        } else {
            let byte = rest.as_bytes()[0];
            rest = rest
                .get(1..)
                .ok_or_else(|| format!("`{keyword}` is not ASCII"))?;
            vec![byte]
        };
        out = out
            .iter()
            .flat_map(|head| {
                choices.iter().map(move |&byte| {
                    let mut longer = head.clone();
                    longer.push(byte);
                    longer
                })
            })
            .collect();
    }
    Ok(out)
}
