//! What a technique's variables stand for, and how sure an answer about them is.

use std::collections::BTreeMap;

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
        gap: Box<Gap>,
    },
    /// A resource that does not exist yet, under the name the attacker gives it.
    New(Arn),
    /// Some resource of a listing that could not be read: every question about it is open.
    Unseen {
        /// The account it would be in.
        account: AccountId,
        /// Why the listing is not there.
        gap: Box<Gap>,
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

    /// How it is written in reports.
    pub(crate) fn text(&self) -> String {
        match self {
            Bound::Known(arn) | Bound::New(arn) | Bound::Named { arn, .. } => arn.to_string(),
            Bound::Unseen { gap, .. } => format!("something unread ({gap})"),
            Bound::Account(name) => name.clone(),
        }
    }
}

/// Variables by name without the `$`: `self`, `target`, `f`, …
pub(crate) type Bindings = BTreeMap<String, Bound>;

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
