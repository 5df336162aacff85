//! What the checks say, resource by resource.

use palisade_checks::{Check, Severity};
use palisade_model::{Arn, Gap};
use serde::{Deserialize, Serialize};

/// One answer of one check about one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Answer {
    /// The check's id.
    pub check: String,
    /// The account it is about; empty for the organization.
    pub account: String,
    /// The region; empty for global resources.
    pub region: String,
    /// The resource: an ARN, or an account id where the account itself is meant.
    pub resource: String,
    /// What holds.
    pub outcome: Outcome,
    /// The severity when it fails: the check's own, or what the evidence makes of it.
    pub severity: Severity,
}

/// What a check says about a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Outcome {
    /// The problem is there.
    Fail {
        /// What settled it.
        evidence: Vec<Evidence>,
    },
    /// Nobody can say.
    Unknown {
        /// The reads that failed, one line each.
        missing: Vec<String>,
    },
    /// The question makes no sense here.
    NotApplicable {
        /// Why.
        why: String,
    },
    /// The problem is not there.
    Pass,
}

/// A reason that a person can follow: a sentence, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Evidence {
    /// The sentence, lower case, without a full stop.
    pub says: String,
    /// The field or statement that settled it, such as a quoted policy statement; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Other resources it names: a key's owner, a role, a bucket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl From<&str> for Evidence {
    fn from(says: &str) -> Self {
        says.to_owned().into()
    }
}

impl From<String> for Evidence {
    fn from(says: String) -> Self {
        Evidence {
            says,
            source: String::new(),
            names: Vec::new(),
        }
    }
}

impl Evidence {
    /// Adds what settled it.
    pub fn from_source(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }

    /// Adds a resource it names.
    pub fn naming(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }
}

/// Where one check puts its answers.
pub struct Findings<'a> {
    check: &'a Check,
    answers: &'a mut Vec<Answer>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(check: &'a Check, answers: &'a mut Vec<Answer>) -> Self {
        Findings { check, answers }
    }

    /// The problem is there. Account and region are read off the ARN.
    pub fn fail(&mut self, arn: &Arn, evidence: impl Into<Evidence>) {
        let evidence = vec![evidence.into()];
        self.at(
            arn.account(),
            arn.region(),
            arn.as_str(),
            Outcome::Fail { evidence },
        );
    }

    /// The problem is not there.
    pub fn pass(&mut self, arn: &Arn) {
        self.at(arn.account(), arn.region(), arn.as_str(), Outcome::Pass);
    }

    /// A read that the answer needs failed.
    pub fn unknown(&mut self, arn: &Arn, gap: &Gap) {
        self.at(arn.account(), arn.region(), arn.as_str(), missing([gap]));
    }

    /// The question makes no sense for this resource.
    pub fn not_applicable(&mut self, arn: &Arn, why: impl Into<String>) {
        let why = why.into();
        self.at(
            arn.account(),
            arn.region(),
            arn.as_str(),
            Outcome::NotApplicable { why },
        );
    }

    /// A whole list could not be read: counts as one resource of that account and region.
    pub fn unread(&mut self, account: &str, region: &str, gap: &Gap) {
        self.at(account, region, account, missing([gap]));
    }

    /// Any outcome about any resource, for what an ARN cannot say.
    pub fn at(&mut self, account: &str, region: &str, resource: &str, outcome: Outcome) {
        self.weighed(account, region, resource, outcome, self.check.severity);
    }

    /// Likewise, with a severity that the evidence raises or lowers.
    pub fn weighed(
        &mut self,
        account: &str,
        region: &str,
        resource: &str,
        outcome: Outcome,
        severity: Severity,
    ) {
        self.answers.push(Answer {
            check: self.check.id.clone(),
            account: account.to_owned(),
            region: region.to_owned(),
            resource: resource.to_owned(),
            outcome,
            severity,
        });
    }

    /// A check without an answer of its own is unknown, not silent.
    pub(super) fn unanswerable(&mut self) {
        let missing = vec!["this build has no answer for the check".to_owned()];
        self.at("", "", "", Outcome::Unknown { missing });
    }
}

/// The outcome of reads that failed.
pub fn missing<'g>(gaps: impl IntoIterator<Item = &'g Gap>) -> Outcome {
    let mut missing: Vec<String> = gaps.into_iter().map(ToString::to_string).collect();
    missing.sort();
    missing.dedup();
    Outcome::Unknown { missing }
}
