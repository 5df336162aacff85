//! What a technique's variables stand for, and how sure an answer about them is.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use palisade_model::{AccountId, Arn, Gap};

/// What one variable stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// A resource or principal of the snapshot.
    Known(Arn),
    /// Something other policies name, of a listing that could not be read.
    Named {
        /// As it is named.
        arn: Arn,
        /// Why the listing is not there.
        gap: Arc<Gap>,
    },
    /// A resource that does not exist yet, under the name the attacker gives it.
    New(Arn),
    /// Some resource of a listing that could not be read: every question about it is open.
    Unseen {
        /// The account it would be in.
        account: AccountId,
        /// Why the listing is not there.
        gap: Arc<Gap>,
    },
    /// An account.
    Account(AccountId),
}

impl Bound {
    /// The ARN, where it has one.
    pub(crate) fn arn(&self) -> Option<&Arn> {
        match self {
            Bound::Known(arn) | Bound::New(arn) | Bound::Named { arn, .. } => Some(arn),
            _ => None,
        }
    }

    /// What tells it from others of a list.
    pub(crate) fn name(&self) -> Arc<str> {
        match self {
            Bound::Known(arn) | Bound::New(arn) | Bound::Named { arn, .. } => arn.into(),
            other => other.text().into(),
        }
    }

    /// How it is written in reports.
    pub(crate) fn text(&self) -> String {
        match self {
            Bound::Known(arn) | Bound::New(arn) | Bound::Named { arn, .. } => arn.to_string(),
            Bound::Unseen { gap, .. } => format!("something unread ({gap})"),
            Bound::Account(name) => name.clone(),
        }
    }
}

impl Hash for Bound {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Bound::Known(arn) | Bound::New(arn) | Bound::Named { arn, .. } => arn.hash(state),
            Bound::Unseen { account, .. } | Bound::Account(account) => account.hash(state),
        }
    }
}

/// Variables by name without the `$`, sorted: `self`, `target`, `f`, …
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bindings(Vec<(Arc<str>, Bound)>);

impl Bindings {
    fn place(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(known, _)| **known == *name)
    }

    /// What a variable stands for.
    pub(crate) fn get(&self, name: &str) -> Option<&Bound> {
        self.place(name).map(|at| &self.0[at].1)
    }

    /// Lets a variable stand for something.
    pub(crate) fn insert(&mut self, name: impl Into<Arc<str>> + AsRef<str>, bound: Bound) {
        if let Some(at) = self.place(name.as_ref()) {
            self.0[at].1 = bound;
            return;
        }
        let at = self
            .0
            .partition_point(|(known, _)| **known < *name.as_ref());
        self.0.insert(at, (name.into(), bound));
    }

    /// What all of them stand for.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Bound> {
        self.0.iter().map(|(_, bound)| bound)
    }

    /// All of them, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Bound)> {
        self.0.iter().map(|(name, bound)| (&**name, bound))
    }
}

/// The answer to a question about the estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It does not hold.
    No,
    /// What was not read decides it.
    Unknown(Vec<Gap>),
    /// It holds.
    Yes,
}

impl Truth {
    /// An answer one unread fact stands in the way of.
    pub(crate) fn gap(gap: &Gap) -> Self {
        Truth::Unknown(vec![gap.clone()])
    }

    /// Both hold.
    pub(crate) fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Yes, other) | (other, Truth::Yes) => other,
            (Truth::Unknown(mut gaps), Truth::Unknown(more)) => {
                gaps.extend(more);
                Truth::Unknown(gaps)
            }
        }
    }

    /// One of them holds.
    pub(crate) fn or(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
            (Truth::No, other) | (other, Truth::No) => other,
            (Truth::Unknown(mut gaps), Truth::Unknown(more)) => {
                gaps.extend(more);
                Truth::Unknown(gaps)
            }
        }
    }

    /// It does not hold.
    pub(crate) fn negate(self) -> Truth {
        match self {
            Truth::No => Truth::Yes,
            Truth::Yes => Truth::No,
            unknown => unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(known: bool) -> Self {
        if known { Truth::Yes } else { Truth::No }
    }
}
