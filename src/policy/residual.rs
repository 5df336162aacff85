//! What is left to know: the conditions under which a request would be allowed.
//!
//! A normal form: alternatives, each a list of terms that must all hold, each term one IAM
//! operator on one key. It is closed under the engine's own semantics: evaluating a residual
//! against a full context answers as the full decision does.

use std::collections::BTreeSet;
use std::fmt;

use super::condition::{Comparison, Operator, SetOperator, Test};
use super::context::Context;
use super::document::Condition;
use super::tri::Tri;

/// Alternatives; the request is allowed when one of them holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Residual {
    /// The alternatives, sorted.
    pub clauses: Vec<Clause>,
    /// Set when there were too many possibilities to try: the terms then only say which keys
    /// matter, not how.
    pub imprecise: bool,
}

/// Terms that must all hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clause {
    /// The terms, sorted.
    pub terms: Vec<Term>,
}

/// One operator on one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// The condition key in lower case.
    pub key: String,
    /// The operator.
    pub operator: Operator,
    /// The values it compares with; one must match (of a negated operator, none may).
    pub values: Vec<String>,
    /// Who decides what the key holds.
    pub control: Control,
}

/// Who decides what a condition key holds.
///
/// Source: "AWS global condition context keys", IAM User Guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Control {
    /// The caller writes it into the request.
    Caller,
    /// Tags of the caller's own principal or session: his, if he may tag.
    OwnTags,
    /// A second factor, which he may be able to enrol.
    Mfa,
    /// Where the request comes from and when.
    Environment,
    /// The AWS service that makes or forwards the call.
    Service,
    /// The identity provider, and whoever it vouches for.
    IdentityProvider,
    /// What the account holds: ARNs, accounts, tags of resources.
    Inventory,
}

impl Control {
    /// Who controls this key (in lower case).
    pub fn of(key: &str) -> Self {
        let (service, name) = key.split_once(':').unwrap_or(("", key));
        let family = name.split('/').next().unwrap_or(name);
        match (service, family) {
            ("aws", "principaltag") => Self::OwnTags,
            ("aws", "multifactorauthpresent" | "multifactorauthage") => Self::Mfa,
            (
                "aws",
                "requestedregion" | "securetransport" | "useragent" | "referer" | "requesttag"
                | "tagkeys" | "sourceidentity",
            ) => Self::Caller,
            (
                "aws",
                "sourceip"
                | "vpcsourceip"
                | "sourcevpc"
                | "sourcevpce"
                | "sourcevpcarn"
                | "vpceaccount"
                | "vpceorgid"
                | "vpceorgpaths"
                | "currenttime"
                | "epochtime"
                | "tokenissuetime"
                | "ec2instancesourcevpc"
                | "ec2instancesourceprivateipv4"
                | "chatbotsourcearn",
            ) => Self::Environment,
            (
                "aws",
                "sourcearn"
                | "sourceaccount"
                | "sourceorgid"
                | "sourceorgpaths"
                | "calledvia"
                | "calledviafirst"
                | "calledvialast"
                | "viaawsservice"
                | "principalisawsservice"
                | "principalservicename"
                | "principalservicenameslist",
            ) => Self::Service,
            ("aws", "federatedprovider") => Self::IdentityProvider,
            ("aws", _) => Self::Inventory,
            ("kms", "viaservice") => Self::Service,
            ("kms", "calleraccount") => Self::Inventory,
            (_, "resourcetag" | "existingobjecttag" | "existingjobtag") => Self::Inventory,
            ("iam", "permissionsboundary") => Self::Inventory,
            ("saml", _) => Self::IdentityProvider,
            ("s3", "resourceaccount" | "dataaccesspointaccount" | "dataaccesspointarn") => {
                Self::Inventory
            }
            // A host name as the prefix is an identity provider's.
            (provider, _) if provider.contains('.') => Self::IdentityProvider,
            _ => Self::Caller,
        }
    }

    /// A word for machine-readable output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::OwnTags => "own-tags",
            Self::Mfa => "mfa",
            Self::Environment => "environment",
            Self::Service => "service",
            Self::IdentityProvider => "identity-provider",
            Self::Inventory => "inventory",
        }
    }
}

impl Control {
    /// Who can see to it, for people: lower case, no full stop.
    pub fn says(self) -> &'static str {
        match self {
            Self::Caller => "the caller chooses it",
            Self::OwnTags => "tags of the caller: his to choose if he may tag",
            Self::Mfa => "a second factor, which he may be able to enrol",
            Self::Environment => "where and when the request is made",
            Self::Service => "set by the AWS service that calls",
            Self::IdentityProvider => "set by the identity provider",
            Self::Inventory => "given by what the accounts hold",
        }
    }
}

impl Residual {
    /// Whether the caller can meet some alternative all by himself.
    pub fn satisfiable_by_caller(&self) -> bool {
        self.clauses.iter().any(Clause::satisfiable_by_caller)
    }

    /// Whether it holds in a context in which its keys are known.
    pub fn holds(&self, context: &Context) -> Tri {
        self.clauses
            .iter()
            .fold(Tri::No, |any, clause| any.or(clause.holds(context)))
    }

    /// The alternative that asks least of others: fewest terms outside the caller's control.
    pub fn easiest(&self) -> Option<&Clause> {
        self.clauses.iter().min_by_key(|clause| {
            let outside = clause
                .terms
                .iter()
                .filter(|t| t.control != Control::Caller)
                .count();
            (outside, clause.terms.len())
        })
    }
}

impl Clause {
    /// Whether the caller decides every key in it.
    pub fn satisfiable_by_caller(&self) -> bool {
        self.terms
            .iter()
            .all(|term| term.control == Control::Caller)
    }

    /// Who else has to play along.
    pub fn controls(&self) -> BTreeSet<Control> {
        self.terms.iter().map(|term| term.control).collect()
    }

    /// Whether every term holds.
    pub fn holds(&self, context: &Context) -> Tri {
        self.terms
            .iter()
            .fold(Tri::Yes, |all, term| all.and(term.holds(context)))
    }
}

impl Term {
    pub(crate) fn new(key: &str, operator: Operator, mut values: Vec<String>) -> Self {
        values.sort();
        values.dedup();
        // "Less than one of these" is less than the largest: with one value the opposite order
        // says the opposite.
        if let Some(bound) = operator.only_bound(&values) {
            values = vec![bound];
        }
        Self {
            key: key.to_owned(),
            operator,
            values,
            control: Control::of(key),
        }
    }

    /// Whether it holds.
    pub fn holds(&self, context: &Context) -> Tri {
        self.test().holds(context)
    }

    pub(crate) fn test(&self) -> Test {
        // Values with variables stay as they were written, so variables are read again.
        let condition = Condition {
            operator: String::new(),
            key: self.key.clone(),
            values: self.values.clone(),
        };
        Test::with(self.operator, &condition, true)
    }

    /// Terms that together hold exactly when this one does not, missing keys included.
    pub(crate) fn complement(&self) -> Vec<Self> {
        let mut other = self.clone();
        let operator = &mut other.operator;
        if operator.comparison == Comparison::Null {
            let flip = |v: &String| (!v.eq_ignore_ascii_case("true")).to_string();
            other.values = self.values.iter().map(flip).collect();
            return vec![other];
        }
        let nowhere = Context::closed();
        let silent = self.holds(&nowhere) == Tri::Yes;
        *operator = Operator {
            if_exists: false,
            ..operator.dual()
        };
        match (silent, other.holds(&nowhere) == Tri::Yes) {
            (true, true) => vec![other, Self::null(&self.key, false)],
            (false, false) => {
                other.operator.if_exists = true;
                vec![other]
            }
            _ => vec![other],
        }
    }

    /// Whether the other one holds whenever this one does; `false` when that is not plain.
    pub(crate) fn implies(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.operator, other.operator);
        let same = Operator {
            if_exists: theirs.if_exists,
            ..mine
        } == theirs;
        if self.key != other.key || !same || (mine.if_exists && !theirs.if_exists) {
            return false;
        }
        let holds = |wide: &[String], narrow: &[String]| narrow.iter().all(|v| wide.contains(v));
        match (mine.comparison, mine.negated) {
            (Comparison::Null, _) => self.values == other.values,
            (_, false) => holds(&other.values, &self.values),
            (_, true) => holds(&self.values, &other.values),
        }
    }

    pub(crate) fn null(key: &str, absent: bool) -> Self {
        let operator = Operator {
            set: SetOperator::None,
            comparison: Comparison::Null,
            negated: false,
            if_exists: false,
        };
        Self::new(key, operator, vec![absent.to_string()])
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.key,
            self.operator,
            self.values.join(" | ")
        )
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms: Vec<_> = self.terms.iter().map(ToString::to_string).collect();
        f.write_str(&terms.join(" and "))
    }
}

impl fmt::Display for Residual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clauses: Vec<_> = self.clauses.iter().map(ToString::to_string).collect();
        f.write_str(&clauses.join("; or "))
    }
}
