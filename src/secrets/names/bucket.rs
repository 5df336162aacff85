//! What a bucket name says: that it can be computed or guessed, and what is probably inside.
//!
//! A name is never a finding. Deterministic names matter twice: an outsider who knows the
//! account reaches them without a list, and in a region where the bucket does not exist yet
//! anybody may create it.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::found::Severity;

const FILE: &str = include_str!("../../../checks/secrets/buckets.yaml");

/// How a name can be arrived at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guess {
    /// Account and region are enough.
    Deterministic,
    /// A fixed word and a short or leaked suffix.
    Templated,
    /// Words of the trade.
    Keyword,
}

/// One thing a name says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Id in `checks/secrets/buckets.yaml`.
    pub id: String,
    pub guess: Guess,
    /// What such buckets hold.
    pub holds: String,
    /// Why the name is known.
    pub reason: String,
    /// It speaks of AI work: what the known attack looked for.
    pub ai: bool,
}

/// Everything a name says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BucketName {
    /// 0 to 1: how easily an outsider arrives at the name. Orders the scan.
    pub score: f64,
    pub reasons: Vec<Reason>,
    /// What exposure of such a bucket is at least.
    pub floor: Option<Severity>,
}

/// A name that a service would use, and that anybody may take while it is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Squattable {
    pub name: String,
    /// Id in `checks/secrets/buckets.yaml`.
    pub id: String,
    /// The service (as in IAM actions) that will write to it.
    pub service: String,
    pub region: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[allow(dead_code)]
    dated: String,
    parts: std::collections::BTreeMap<String, String>,
    made_by_services: Vec<RawName>,
    ai_words: Vec<RawName>,
    cloud_words: Vec<RawName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawName {
    id: String,
    regex: String,
    guess: Option<Guess>,
    holds: String,
    reason: String,
    floor: Option<Severity>,
    adjust: Option<f64>,
    /// Tells only beside another word.
    #[serde(default)]
    company: bool,
    service: Option<String>,
    #[serde(default)]
    squattable: Vec<String>,
}

struct Name {
    raw: RawName,
    regex: Regex,
    guess: Guess,
    ai: bool,
}

struct Names {
    known: Vec<Name>,
    environment: Regex,
    random: Regex,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let raw: Raw = serde_yaml_ng::from_str(FILE).expect("a test reads checks/secrets/buckets.yaml");
    let build = |pattern: &str| {
        let mut pattern = pattern.to_owned();
        for (part, text) in &raw.parts {
            pattern = pattern.replace(&format!("%{part}%"), text);
        }
        RegexBuilder::new(&pattern)
            .unicode(false)
            .build()
            .expect("a test compiles every pattern of checks/secrets/buckets.yaml")
    };
    let environment = build("%l%(?:prod|prd|live|stage|stg|dev|test|qa|uat|sandbox|demo|poc)%r%");
    let random = build(r"[.-](?:[0-9a-f]{8,}|[a-z0-9]*\d[a-z0-9]*[a-z][a-z0-9]*\d[a-z0-9]*)$");
    let mut known = Vec::new();
    for name in raw.made_by_services {
        let guess = name.guess.unwrap_or(Guess::Templated);
        known.push(Name {
            regex: build(&name.regex),
            guess,
            ai: false,
            raw: name,
        });
    }
    for (names, ai) in [(raw.ai_words, true), (raw.cloud_words, false)] {
        for name in names {
            let regex = build(&format!("%l%(?:{})%r%", name.regex));
            known.push(Name {
                regex,
                guess: Guess::Keyword,
                ai,
                raw: name,
            });
        }
    }
    Names {
        known,
        environment,
        random,
    }
});

const AI_SERVICES: [&str; 5] = [
    "sagemaker-default",
    "sagemaker-studio",
    "sagemaker-unified-datazone",
    "bedrock-agentcore",
    "bedrock-any",
];

/// Says what a bucket name gives away. `words` are names of the organization, its products
/// and domains: a name that holds one is easier to arrive at.
pub fn bucket(name: &str, words: &[&str]) -> BucketName {
    let names = &*NAMES;
    let name = name.to_ascii_lowercase();
    let hits: Vec<&Name> = names
        .known
        .iter()
        .filter(|known| known.regex.is_match(name.as_bytes()))
        .collect();
    let environment = names.environment.is_match(name.as_bytes());
    let in_company = |one: &Name| {
        environment
            || hits
                .iter()
                .any(|other| other.ai && other.raw.id != one.raw.id)
    };
    let hits: Vec<&&Name> = hits
        .iter()
        .filter(|hit| !hit.raw.company || in_company(hit))
        .collect();
    let base = |guess| match guess {
        Guess::Deterministic => 0.95,
        Guess::Templated => 0.6,
        Guess::Keyword => 0.5,
    };
    let mut score = hits.iter().map(|hit| base(hit.guess)).fold(0.0, f64::max);
    if !hits.is_empty() {
        let holds_word = words
            .iter()
            .any(|w| w.len() >= 3 && name.contains(&w.to_ascii_lowercase()));
        let keyword = hits.iter().any(|hit| hit.guess == Guess::Keyword);
        let ai_words = hits.iter().filter(|hit| hit.ai).count();
        let regional = hits.iter().any(|hit| hit.raw.id == "account-regional");
        let random = names.random.is_match(name.as_bytes())
            && !hits.iter().any(|hit| hit.guess == Guess::Deterministic);
        for (applies, by) in [
            (holds_word, 0.25),
            (environment && keyword, 0.15),
            (ai_words >= 2, 0.15),
            (random, -0.4),
            (regional, -0.1),
        ] {
            score += if applies { by } else { 0.0 };
        }
        score += hits.iter().filter_map(|hit| hit.raw.adjust).sum::<f64>();
    }
    BucketName {
        score: (score.clamp(0.0, 1.0) * 100.0).round() / 100.0,
        floor: hits.iter().filter_map(|hit| hit.raw.floor).max(),
        reasons: hits
            .iter()
            .map(|hit| Reason {
                id: hit.raw.id.clone(),
                guess: hit.guess,
                holds: hit.raw.holds.clone(),
                reason: hit.raw.reason.clone(),
                ai: hit.ai || AI_SERVICES.contains(&&hit.raw.id[..]),
            })
            .collect(),
    }
}

/// The names that services would use in an account and region.
pub fn squattable(account: &str, region: &str) -> Vec<Squattable> {
    let mut out = Vec::new();
    for known in &NAMES.known {
        for template in &known.raw.squattable {
            out.push(Squattable {
                name: template
                    .replace("{account}", account)
                    .replace("{region}", region),
                id: known.raw.id.clone(),
                service: known.raw.service.clone().unwrap_or_default(),
                region: region.to_owned(),
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_they_say() {
        // Name, an id it must give, an id it must not.
        let rows = [
            ("sagemaker-eu-west-1-111122223333", "sagemaker-default", "-"),
            (
                "cdk-hnb659fds-assets-111122223333-us-east-1",
                "cdk-assets",
                "-",
            ),
            ("acme-rag-prod", "rag", "-"),
            ("acme-storage", "", "rag"),
            ("dragonfly-media", "", "rag"),
            ("acme-email-campaigns", "", "ai-ml-short"),
            ("acme-ai-prod", "ai-ml-short", "-"),
            ("acme-ai", "", "ai-ml-short"),
            ("acme-terraform-state-dev", "terraform-state", "-"),
            ("tfstate.acme.io", "terraform-state", "-"),
            ("langchain-demo-poc", "frameworks", "-"),
            ("data-111122223333-eu-central-1-an", "account-regional", "-"),
        ];
        for (name, yes, no) in rows {
            let ids: Vec<String> = bucket(name, &[])
                .reasons
                .into_iter()
                .map(|r| r.id)
                .collect();
            assert!(
                yes.is_empty() || ids.iter().any(|id| id == yes),
                "{name}: {ids:?}"
            );
            assert!(!ids.iter().any(|id| id == no), "{name}: {ids:?}");
        }
    }

    #[test]
    fn a_deterministic_name_scores_highest_and_words_of_the_house_raise_it() {
        let fixed = bucket("sagemaker-eu-west-1-111122223333", &[]);
        let plain = bucket("acme-rag", &[]);
        let house = bucket("acme-rag", &["acme"]);
        assert!(fixed.score >= 0.95 && plain.score < house.score && house.score < fixed.score);
        assert_eq!(bucket("acme-tfstate", &[]).floor, Some(Severity::Critical));
        assert_eq!(bucket("zzz", &["zzz"]).score, 0.0);
    }

    #[test]
    fn every_squattable_name_is_recognised_as_its_own_kind() {
        for candidate in squattable("111122223333", "eu-west-1") {
            let known = bucket(&candidate.name, &[]);
            assert!(
                known.reasons.iter().any(|r| r.id == candidate.id),
                "{candidate:?}"
            );
        }
    }
}
