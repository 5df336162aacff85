//! What an object key or path says before anything is read, and what a bucket name says.

mod bucket;
mod glob;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

pub use bucket::{BucketName, Guess, Reason, Squattable, bucket, squattable};
use glob::Glob;

const FILE: &str = include_str!("../../../checks/secrets/files.yaml");

/// How much a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// The name alone is a finding where outsiders can read the object.
    A,
    /// Read within bounds; what is in it decides.
    B,
    /// A container: the names inside decide.
    C,
    /// Worth a sample.
    D,
}

/// How to read an object of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadMode {
    /// Not at all: the name is everything.
    None,
    /// The first 64 bytes confirm the type.
    Magic,
    /// The first `cap` bytes.
    Head,
    /// Half of `cap` from each end.
    HeadTail,
    /// All of it up to `cap`.
    Full,
    /// An archive: its directory first.
    Peek,
}

/// What a name amounts to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyClass {
    pub class: Class,
    /// Id of the pattern in `checks/secrets/files.yaml`.
    pub pattern: String,
    /// Why such files matter; for people.
    pub reason: String,
    pub read: ReadMode,
    /// Most bytes worth reading.
    pub cap: u64,
    /// How likely the file holds a live credential, 0 to 1: a judgement, for ordering.
    pub weight: f64,
    /// A log of AWS itself: key ids without their secrets mean nothing in it.
    pub ids_off: bool,
    /// The negative that lowered the class or weight, if one did.
    pub lowered_by: Option<String>,
    /// Sizes in bytes beyond which it is probably something else of that name.
    pub usual_size: Option<(u64, u64)>,
}

impl KeyClass {
    /// Credentials or settings by its name.
    pub(crate) fn is_telling(&self) -> bool {
        matches!(self.class, Class::A | Class::B)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[allow(dead_code)]
    dated: String,
    patterns: Vec<RawPattern>,
    negatives: Vec<RawNegative>,
    sizes: HashMap<String, Size>,
}

#[derive(Deserialize)]
struct Size {
    min: u64,
    max: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPattern {
    id: String,
    class: Class,
    weight: f64,
    read: ReadMode,
    #[serde(default = "mebibyte")]
    cap: u64,
    reason: String,
    globs: Vec<String>,
}

fn mebibyte() -> u64 {
    1 << 20
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNegative {
    id: String,
    #[serde(rename = "do")]
    effect: Effect,
    #[allow(dead_code)]
    reason: String,
    globs: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Effect {
    Drop,
    ToB,
    ToD,
    Less,
    NoContent,
    IdsOff,
}

struct Names {
    patterns: Vec<RawPattern>,
    negatives: Vec<RawNegative>,
    sizes: HashMap<String, Size>,
    /// Every glob, and what it belongs to: a pattern, or a negative after them.
    index: glob::Index,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let raw: Raw = serde_yaml_ng::from_str(FILE).expect("a test reads checks/secrets/files.yaml");
    let positive = raw.patterns.iter().map(|p| &p.globs);
    let negative = raw.negatives.iter().map(|n| &n.globs);
    let mut index = glob::Index::default();
    for (owner, globs) in positive.chain(negative).enumerate() {
        for text in globs {
            index.add(Glob::new(text), owner);
        }
    }
    Names {
        patterns: raw.patterns,
        negatives: raw.negatives,
        sizes: raw.sizes,
        index,
    }
});

/// A log that AWS writes, by its place.
pub(crate) fn is_aws_log(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    [
        "awslogs/",
        "/elasticloadbalancing/",
        "/vpcflowlogs/",
        "/cloudtrail-digest/",
    ]
    .iter()
    .any(|mark| key.contains(mark))
}

/// Says what a key or path is worth; `None` when its name says nothing, or that there is
/// nothing in it.
///
/// Keys are compared in lower case, also after undoing one URL encoding, and also without
/// the endings that editors, browsers and backups add (`.bak`, `~`, ` (1)`, `.gz`). The name
/// after the last `!` counts for members of archives. An exact class A name stands against
/// every negative; a negative never takes back what was found inside.
pub fn classify(key: &str) -> Option<KeyClass> {
    let names = &*NAMES;
    let lower = key.rsplit('!').next().unwrap_or(key).to_lowercase();
    let mut forms = vec![lower.clone()];
    if let Some(decoded) = decoded(&lower) {
        forms.push(decoded.to_lowercase());
    }
    for i in 0..forms.len() {
        forms.extend(copies(&forms[i]));
    }
    let mut owners: Vec<(usize, bool, usize)> = Vec::new();
    for (form, text) in forms.iter().enumerate() {
        names
            .index
            .each(text, |owner, exact| owners.push((owner, exact, form)));
    }
    let mut negatives: Vec<&RawNegative> = Vec::new();
    let mut positives: Vec<(usize, bool, usize)> = Vec::new();
    for &(owner, exact, form) in &owners {
        match owner.checked_sub(names.patterns.len()) {
            // Only the name as written is taken back, not what hides under a copy's name.
            Some(negative) => negatives.push(&names.negatives[negative]),
            None => positives.push((owner, exact, form)),
        }
    }
    let exact_a = positives
        .iter()
        .filter(|(owner, exact, _)| *exact && names.patterns[*owner].class == Class::A)
        .min();
    let dropped = negatives.iter().any(|n| n.effect == Effect::Drop);
    let chosen = match exact_a {
        Some(&(owner, ..)) => owner,
        None if dropped => return None,
        None => {
            // The inner name of a copy wins over the copy's own kind within a class.
            let order = |&&(owner, _, form): &&(usize, bool, usize)| {
                (names.patterns[owner].class, std::cmp::Reverse(form), owner)
            };
            positives.iter().min_by_key(order)?.0
        }
    };
    Some(lowered(&names.patterns[chosen], &negatives, &names.sizes))
}

fn lowered(
    pattern: &RawPattern,
    negatives: &[&RawNegative],
    sizes: &HashMap<String, Size>,
) -> KeyClass {
    let mut out = KeyClass {
        class: pattern.class,
        pattern: pattern.id.clone(),
        reason: pattern.reason.clone(),
        read: pattern.read,
        cap: pattern.cap,
        weight: pattern.weight,
        ids_off: false,
        lowered_by: None,
        usual_size: sizes.get(&pattern.id).map(|s| (s.min, s.max)),
    };
    for negative in negatives {
        let strongest = match negative.effect {
            Effect::ToB if out.class == Class::A => {
                out.class = Class::B;
                true
            }
            Effect::ToD => {
                out.class = Class::D;
                true
            }
            Effect::Less => {
                out.weight = ((out.weight - 0.3) * 100.0).round().max(0.0) / 100.0;
                out.lowered_by.is_none()
            }
            Effect::NoContent => {
                out.read = ReadMode::None;
                true
            }
            Effect::IdsOff => {
                out.ids_off = true;
                out.lowered_by.is_none()
            }
            Effect::Drop | Effect::ToB => false,
        };
        if strongest {
            out.lowered_by = Some(negative.id.clone());
        }
    }
    out
}

/// One level of URL encoding undone, if there is any.
fn decoded(key: &str) -> Option<String> {
    let bytes = key.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = (bytes[i] == b'%').then(|| key.get(i + 1..i + 3)).flatten();
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    let out = String::from_utf8(out).ok()?;
    (out != key).then_some(out)
}

/// The name without the endings that copies and compressed files get, one after another.
pub(crate) fn copies(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    while let Some(inner) = stripped(out.last().map_or(name, String::as_str))
        && out.len() < 3
    {
        out.push(inner);
    }
    out
}

/// The name without one ending that copies get.
fn stripped(key: &str) -> Option<String> {
    const ENDINGS: [&str; 17] = [
        ".bak", ".backup", ".old", ".orig", ".save", ".swp", ".tmp", ".copy", "~", "-copy", ".gz",
        ".bz2", ".xz", ".zst", ".enc", ".1", ".2",
    ];
    for ending in ENDINGS {
        if let Some(inner) = key.strip_suffix(ending) {
            return Some(inner.to_owned());
        }
    }
    // ` (1)` stands before the extension or at the end.
    let open = key.rfind(" (")?;
    let close = open + key[open..].find(')')?;
    let number = &key[open + 2..close];
    let counted = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    counted.then(|| format!("{}{}", &key[..open], &key[close + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_classified() {
        // Key, expected pattern (or none), class, what lowered it.
        let rows = [
            ("prod/.aws/credentials", "aws-cli-credentials", "A", ""),
            ("users/jane_accessKeys.csv", "aws-console-key-csv", "A", ""),
            ("Downloads/rootkey (1).csv", "aws-console-key-csv", "A", ""),
            ("rootkey.csv", "aws-console-key-csv", "A", ""),
            ("rag-pipeline/config/config.json", "ai-rag-config", "B", ""),
            ("storage/config/config.json", "app-settings", "B", ""),
            ("env:/prod/network.tfstate", "terraform-state", "A", ""),
            ("infra/terraform.tfstate.backup", "terraform-state", "A", ""),
            ("home/ubuntu/.ssh/id_ed25519.pub", "", "", ""),
            ("models/llama/tokenizer_config.json", "", "", ""),
            ("site/.env.example", "dotenv", "B", "dotenv-samples"),
            ("web/wp-config.php.bak", "app-settings", "B", ""),
            ("certs/global-bundle.pem", "", "", ""),
            ("deck/q3.key", "private-key-files", "A", ""),
            (
                "app/node_modules/x/test/id_rsa",
                "ssh-private-key",
                "D",
                "vendored",
            ),
            ("home/%2Eaws/credentials", "aws-cli-credentials", "A", ""),
            ("lambda/fn.zip!app/.env", "dotenv", "A", ""),
            (".env", "dotenv", "A", ""),
            ("a/b/.env.production", "dotenv", "A", ""),
            ("backup/.env.bak", "dotenv", "A", ""),
            ("backup/.netrc.bak.xz", "package-tokens", "A", ""),
            ("infra/state.json.zst", "archives", "C", ""),
            ("web/package-lock.json", "", "", ""),
            ("img/logo.png", "", "", ""),
            ("weights/model.safetensors", "", "", ""),
            ("folder/", "", "", ""),
        ];
        for (key, pattern, class, by) in rows {
            let found = classify(key);
            let got = found.as_ref().map_or("", |c| &c.pattern);
            assert_eq!(got, pattern, "{key}");
            if let Some(found) = &found {
                assert_eq!(format!("{:?}", found.class), class, "{key}");
                assert_eq!(found.lowered_by.as_deref().unwrap_or(""), by, "{key}");
            }
        }
        let log = "logs/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/22/x.json.gz";
        let log = classify(log).unwrap();
        assert_eq!((&log.pattern[..], log.ids_off), ("archives", true));
    }
}
