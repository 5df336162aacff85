//! The engine: rules, gate and filters compiled once, and the ways to run them.

use std::io::Read;

use crate::found::{Match, Outcome};
use crate::gate::Gate;
use crate::names;
use crate::pair::Found;
use crate::placeholder::Placeholders;
use crate::redact;
use crate::rules::{self, Origin, Reader, Rule, RulesError};
use crate::text::Map;
use crate::unpack;
use crate::value::FingerprintKey;

/// How an engine reads and what it tells.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Key of the fingerprints. Without one, only values a provider drew at random get a
    /// fingerprint (under a fixed, published key: they cannot be guessed back); values that
    /// people chose get none. Runs agree either way.
    pub fingerprint_key: Option<FingerprintKey>,
    /// Add the plain SHA-256 of values that a provider drew at random. Never of passwords.
    pub sha256: bool,
    /// Seconds since 1970 at which expiry is judged: when the files were read, not when the
    /// engine runs. Without it nothing counts as expired.
    pub as_of: Option<i64>,
}

/// What an archive may cost.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most bytes inflated out of one file, nested archives together.
    pub inflated_bytes: u64,
    /// Most bytes out per byte in, once 16 MiB are out.
    pub ratio: u64,
    /// Most members of one file, nested archives together.
    pub members: u64,
    /// How deep archives may nest. A compressed tar counts once.
    pub depth: u32,
}

impl Default for Limits {
    /// For files on a local disk.
    fn default() -> Self {
        Self {
            inflated_bytes: 4 << 30,
            ratio: 200,
            members: 100_000,
            depth: 2,
        }
    }
}

impl Limits {
    /// For objects read over the network: 16 MiB inflated, 2,000 members.
    pub fn remote() -> Self {
        Self {
            inflated_bytes: 16 << 20,
            members: 2_000,
            ..Self::default()
        }
    }
}

/// What is true of the file being read.
pub(crate) struct Context {
    /// Last part of the name, in lower case, without the endings of copies.
    pub(crate) name: String,
    /// Its name says credentials or settings.
    pub(crate) credential_file: bool,
    /// A log of AWS itself: key ids are normal there.
    pub(crate) ids_off: bool,
    pub(crate) as_of: Option<i64>,
}

/// Everything compiled.
pub(crate) struct Compiled {
    pub(crate) rules: Vec<Rule>,
    pub(crate) gate: Gate,
    pub(crate) stand_ins: Placeholders,
    pub(crate) bare_rule: usize,
    options: Options,
}

/// The content engine. Cheap to share between threads, free of state between files.
pub struct Engine(Compiled);

impl Engine {
    /// Compiles the built-in rules. Fails only on rules that cannot be read.
    pub fn new(options: Options) -> Result<Self, RulesError> {
        let rules = rules::load()?;
        let bare_rule = rules
            .iter()
            .position(|rule| rule.reader == Reader::NearId)
            .ok_or_else(|| RulesError::Rule {
                rule: "aws-secret-bare-near-id".to_owned(),
                why: "no rule reads near a key id".to_owned(),
            })?;
        let gate = Gate::new(&rules);
        Ok(Self(Compiled {
            gate,
            stand_ins: Placeholders::load()?,
            bare_rule,
            rules,
            options,
        }))
    }

    /// Scans one stream. `name` is its path or key: it tells what kind of file this is, and
    /// names the content of a compressed file. Matches come sorted by place.
    ///
    /// Errs only when the stream itself cannot be read; what could not be looked into
    /// (damaged, encrypted or oversized archives) is in [`Outcome::unread`].
    pub fn scan_stream(
        &self,
        stream: impl Read,
        name: &str,
        limits: &Limits,
    ) -> std::io::Result<(Vec<Match>, Outcome)> {
        let mut matches = Vec::new();
        let outcome = self.scan_into(stream, name, limits, &mut |found| matches.push(found))?;
        matches.sort_by(|a, b| {
            (&a.inner, a.start, a.end, &a.rule).cmp(&(&b.inner, b.start, b.end, &b.rule))
        });
        Ok((matches, outcome))
    }

    /// As [`Self::scan_stream`], handing matches out as they settle: memory stays constant
    /// however many there are.
    pub fn scan_into(
        &self,
        mut stream: impl Read,
        name: &str,
        limits: &Limits,
        sink: &mut dyn FnMut(Match),
    ) -> std::io::Result<Outcome> {
        unpack::scan(&self.0, &mut stream, name, limits, sink)
    }

    /// Scans bytes in memory.
    pub fn scan_bytes(&self, bytes: &[u8], name: &str, limits: &Limits) -> (Vec<Match>, Outcome) {
        self.scan_stream(bytes, name, limits)
            .expect("memory can always be read")
    }

    /// Id, title and severity of every rule, in the order of the files.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &str, crate::Severity)> {
        self.0
            .rules
            .iter()
            .map(|rule| (&rule.id[..], &rule.title[..], rule.severity))
    }

    #[cfg(test)]
    pub(crate) fn compiled(&self) -> &Compiled {
        &self.0
    }
}

/// State of Terraform, which may lie under any name.
fn is_state(head: &[u8]) -> bool {
    let word = b"\"terraform_version\"";
    head.trim_ascii_start().starts_with(b"{") && head.windows(word.len()).any(|w| w == word)
}

impl Compiled {
    /// What a name and the first bytes say about how to read the file.
    pub(crate) fn context(&self, name: &str, head: &[u8]) -> Context {
        let class = names::classify(name);
        let last = name.rsplit(['/', '!']).next().unwrap_or(name);
        let last = last.to_ascii_lowercase();
        let telling = class.as_ref().is_some_and(names::KeyClass::is_telling);
        Context {
            name: names::copies(&last).pop().unwrap_or(last),
            credential_file: telling || is_state(head),
            ids_off: class.as_ref().is_some_and(|c| c.ids_off) || names::is_aws_log(name),
            as_of: self.options.as_of,
        }
    }

    /// One secret has one fingerprint, whether its name or its place gave it away.
    fn fingerprinted_as<'a>(&'a self, rule: &'a Rule) -> &'a str {
        let named = |other: &&Rule| other.reader == Reader::AwsSecret;
        match rule.reader {
            Reader::NearId => self
                .rules
                .iter()
                .find(named)
                .map_or(&rule.id, |named| &named.id),
            _ => &rule.id,
        }
    }

    /// The form of a match that may leave.
    pub(crate) fn show(&self, found: &Found, inner: Option<&str>, map: Map) -> Match {
        /// Tells fingerprints without a key apart from plain hashes. It protects nothing and
        /// need not: it is only used on values of at least a hundred random bits.
        const PUBLISHED: &[u8] = b"palisade: fingerprint of a random value";
        let rule = &self.rules[found.rule];
        let key = match (&self.options.fingerprint_key, rule.origin) {
            (Some(key), _) => Some(key.bytes()),
            (None, Origin::Chosen) => None,
            (None, Origin::Random | Origin::Public) => Some(PUBLISHED),
        };
        let sha256 =
            (self.options.sha256 && rule.origin != Origin::Chosen).then(|| found.value.sha256());
        Match {
            inner: inner.map(str::to_owned),
            start: map.first + found.start * map.width,
            end: map.first + found.end * map.width,
            rule: rule.id.clone(),
            title: rule.title.clone(),
            class: rule.role,
            severity: found.severity,
            redacted: redact::form(rule, &found.value),
            fingerprint: key.map(|key| found.value.fingerprint(key, self.fingerprinted_as(rule))),
            key_id: found.key_id.clone(),
            account_id: found.account.clone(),
            paired: found.paired,
            encoding: found.base64.then(|| "base64".to_owned()),
            expired: found.expired,
            sha256,
        }
    }
}
