//! Condition operators, taken apart: what they compare, and how.
//!
//! Source: "IAM JSON policy elements: Condition operators" and "Set operators for multivalued
//! context keys", IAM User Guide.

use std::cmp::Ordering;

use super::value::{Moment, Number};

/// `ForAllValues:` and `ForAnyValue:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SetOperator {
    /// Neither is written.
    None,
    /// `ForAllValues`.
    All,
    /// `ForAnyValue`.
    Any,
}

/// What a condition compares, apart from negation and missing keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// `StringEquals`, `StringNotEquals`
    StringEquals,
    /// `StringEqualsIgnoreCase`, `StringNotEqualsIgnoreCase`
    StringEqualsIgnoreCase,
    /// `StringLike`, `StringNotLike`
    StringLike,
    /// `ArnEquals` and `ArnLike`, which mean the same, and their negations
    Arn,
    /// `NumericEquals`, `NumericNotEquals`, and the four orders
    Numeric(Order),
    /// `DateEquals`, `DateNotEquals`, and the four orders
    Date(Order),
    /// `Bool`
    Bool,
    /// `BinaryEquals`
    Binary,
    /// `IpAddress`, `NotIpAddress`
    Ip,
    /// `Null`
    Null,
}

/// How two ordered values must stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Order {
    /// Equal.
    Equal,
    /// The request's value is less.
    Less,
    /// … less or equal.
    LessOrEqual,
    /// … greater.
    Greater,
    /// … greater or equal.
    GreaterOrEqual,
}

impl Order {
    fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// An operator, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub set: SetOperator,
    /// What it compares.
    pub comparison: Comparison,
    /// Whether it holds when the comparison does not.
    pub negated: bool,
    /// `…IfExists`.
    pub if_exists: bool,
}

const OPERATORS: [(&str, Comparison, bool); 27] = [
    ("StringEquals", Comparison::StringEquals, false),
    ("StringNotEquals", Comparison::StringEquals, true),
    (
        "StringEqualsIgnoreCase",
        Comparison::StringEqualsIgnoreCase,
        false,
    ),
    (
        "StringNotEqualsIgnoreCase",
        Comparison::StringEqualsIgnoreCase,
        true,
    ),
    ("StringLike", Comparison::StringLike, false),
    ("StringNotLike", Comparison::StringLike, true),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotLike", Comparison::Arn, true),
    ("ArnEquals", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("NumericEquals", Comparison::Numeric(Order::Equal), false),
    ("NumericNotEquals", Comparison::Numeric(Order::Equal), true),
    ("NumericLessThan", Comparison::Numeric(Order::Less), false),
    (
        "NumericLessThanEquals",
        Comparison::Numeric(Order::LessOrEqual),
        false,
    ),
    (
        "NumericGreaterThan",
        Comparison::Numeric(Order::Greater),
        false,
    ),
    (
        "NumericGreaterThanEquals",
        Comparison::Numeric(Order::GreaterOrEqual),
        false,
    ),
    ("DateEquals", Comparison::Date(Order::Equal), false),
    ("DateNotEquals", Comparison::Date(Order::Equal), true),
    ("DateLessThan", Comparison::Date(Order::Less), false),
    (
        "DateLessThanEquals",
        Comparison::Date(Order::LessOrEqual),
        false,
    ),
    ("DateGreaterThan", Comparison::Date(Order::Greater), false),
    (
        "DateGreaterThanEquals",
        Comparison::Date(Order::GreaterOrEqual),
        false,
    ),
    ("Bool", Comparison::Bool, false),
    ("BinaryEquals", Comparison::Binary, false),
    ("IpAddress", Comparison::Ip, false),
    ("NotIpAddress", Comparison::Ip, true),
    ("Null", Comparison::Null, false),
];

impl Operator {
    /// Takes an operator's name apart, without regard to case; `None` if AWS has no such
    /// operator.
    pub fn read(name: &str) -> Option<Self> {
        let (set, rest) = match name.split_once(':') {
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => {
                (SetOperator::All, rest)
            }
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => {
                (SetOperator::Any, rest)
            }
            Some(_) => return None,
            None => (SetOperator::None, name),
        };
        let tail = "IfExists";
        let (rest, if_exists) = match rest.len().checked_sub(tail.len()) {
            Some(at) if rest.is_char_boundary(at) && rest[at..].eq_ignore_ascii_case(tail) => {
                (&rest[..at], true)
            }
            _ => (rest, false),
        };
        let (_, comparison, negated) = *OPERATORS
            .iter()
            .find(|(known, ..)| known.eq_ignore_ascii_case(rest))?;
        Some(Self {
            set,
            comparison,
            negated,
            if_exists,
        })
    }

    /// The operator that holds of a present key exactly when this one does not.
    pub fn dual(self) -> Self {
        let set = match self.set {
            SetOperator::None => SetOperator::None,
            SetOperator::All => SetOperator::Any,
            SetOperator::Any => SetOperator::All,
        };
        let (comparison, negated) = match self.comparison {
            Comparison::Numeric(order) if order != Order::Equal => {
                (Comparison::Numeric(order.opposite()), self.negated)
            }
            Comparison::Date(order) if order != Order::Equal => {
                (Comparison::Date(order.opposite()), self.negated)
            }
            other => (other, !self.negated),
        };
        Self {
            set,
            comparison,
            negated,
            ..self
        }
    }

    /// Of an operator that compares orders: the one of several values that decides.
    pub(crate) fn only_bound(self, values: &[String]) -> Option<String> {
        let furthest = |order: Order, key: &dyn Fn(&String) -> Option<i128>| {
            let known = values.iter().filter_map(|v| key(v).map(|k| (k, v)));
            match order {
                Order::Equal => None,
                Order::Less | Order::LessOrEqual => known.max(),
                Order::Greater | Order::GreaterOrEqual => known.min(),
            }
        };
        let found = match self.comparison {
            Comparison::Numeric(order) => furthest(order, &|v| Number::read(v).map(Number::scaled)),
            Comparison::Date(order) => furthest(order, &|v| Moment::read(v).map(Moment::nanos)),
            _ => None,
        };
        found.map(|(_, value)| value.clone())
    }

    fn base_name(self) -> &'static str {
        let known = OPERATORS
            .iter()
            .find(|(_, comparison, negated)| {
                *comparison == self.comparison && *negated == self.negated
            })
            .map(|(name, ..)| *name);
        known.unwrap_or(match self.comparison {
            // AWS has no negated form of these; only residuals use one.
            Comparison::Bool => "NotBool",
            Comparison::Binary => "BinaryNotEquals",
            _ => "NotNull",
        })
    }
}

impl std::fmt::Display for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.set {
            SetOperator::None => "",
            SetOperator::All => "ForAllValues:",
            SetOperator::Any => "ForAnyValue:",
        })?;
        f.write_str(self.base_name())?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}
