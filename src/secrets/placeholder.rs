//! Values that only stand where a credential would: samples, variables, masks.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use regex::bytes::{RegexSet, RegexSetBuilder};
use serde::Deserialize;

use crate::rules::RulesError;
use crate::value::Value;

const FILE: &str = include_str!("../../checks/secrets/placeholders.yaml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    contains: Vec<String>,
    shapes: Vec<String>,
    passwords: Vec<String>,
    published: Vec<Published>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    #[allow(dead_code)]
    what: String,
    sha256: String,
}

/// The filter, compiled.
pub(crate) struct Placeholders {
    contains: AhoCorasick,
    shapes: RegexSet,
    passwords: BTreeSet<Vec<u8>>,
    published: BTreeSet<String>,
}

impl Placeholders {
    pub(crate) fn load() -> Result<Self, RulesError> {
        let raw: Raw = serde_yaml_ng::from_str(FILE).map_err(|source| RulesError::Yaml {
            file: "placeholders".to_owned(),
            source,
        })?;
        let wrong = |why: String| RulesError::Rule {
            rule: "placeholders".to_owned(),
            why,
        };
        Ok(Self {
            contains: AhoCorasickBuilder::new()
                .ascii_case_insensitive(true)
                .build(&raw.contains)
                .map_err(|error| wrong(error.to_string()))?,
            shapes: RegexSetBuilder::new(&raw.shapes)
                .unicode(false)
                .build()
                .map_err(|error| wrong(error.to_string()))?,
            passwords: raw.passwords.into_iter().map(String::into_bytes).collect(),
            published: raw.published.into_iter().map(|p| p.sha256).collect(),
        })
    }

    /// Is this a stand-in rather than a value?
    pub(crate) fn covers(&self, value: &Value) -> bool {
        let bytes = value.bytes();
        let same = bytes.windows(2).all(|pair| pair[0] == pair[1]);
        same || self.contains.is_match(bytes)
            || self.shapes.is_match(bytes)
            || self.published.contains(&value.sha256())
    }

    /// Is this one of the passwords that every tutorial and default install uses?
    pub(crate) fn is_default_password(&self, password: &[u8]) -> bool {
        self.passwords.contains(&password.to_ascii_lowercase())
    }
}
