//! One comparison of an event pattern.

use std::net::IpAddr;

use serde_json::Value;

use crate::alarm::heard::{ANY_VALUE, Heard, wildcard};

/// A text comparison, alone or within `anything-but`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Text {
    EqualsIgnoreCase(String),
    Prefix(String),
    PrefixIgnoreCase(String),
    Suffix(String),
    SuffixIgnoreCase(String),
    Wildcard(String),
}

impl Text {
    fn matches(&self, text: &str) -> bool {
        let folded = |s: &str| s.to_lowercase();
        match self {
            Text::EqualsIgnoreCase(wanted) => folded(text) == folded(wanted),
            Text::Prefix(wanted) => text.starts_with(wanted.as_str()),
            Text::PrefixIgnoreCase(wanted) => folded(text).starts_with(&folded(wanted)),
            Text::Suffix(wanted) => text.ends_with(wanted.as_str()),
            Text::SuffixIgnoreCase(wanted) => folded(text).ends_with(&folded(wanted)),
            Text::Wildcard(wanted) => wildcard(wanted, text, true),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Order::Equal => left == right,
            Order::Less => left < right,
            Order::LessOrEqual => left <= right,
            Order::Greater => left > right,
            Order::GreaterOrEqual => left >= right,
        }
    }
}

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cidr {
    pub(super) base: IpAddr,
    pub(super) bits: u32,
}

impl Cidr {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (base, bits) = text.split_once('/')?;
        let (base, bits) = (base.parse().ok()?, bits.parse::<u32>().ok()?);
        let width = match base {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        (bits <= width).then_some(Cidr { base, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        let (base, address, width) = match (self.base, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                (u128::from(a.to_bits()), u128::from(b.to_bits()), 32)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
            _ => return false,
        };
        let shift = width - self.bits;
        shift >= 128 || base >> shift == address >> shift
    }
}

/// One element of a leaf's list.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Matcher {
    /// A text, number, boolean or null, compared as written.
    Exact(Value),
    Text(Text),
    /// All of these bounds.
    Numeric(Vec<(Order, f64)>),
    Cidr(Cidr),
    Exists(bool),
    /// Present, and none of these.
    NotValues(Vec<Value>),
    /// Present, and none of these texts match.
    NotTexts(Vec<Text>),
}

impl Matcher {
    pub(super) fn exact_text(&self) -> Option<&str> {
        match self {
            Matcher::Exact(value) => value.as_str(),
            _ => None,
        }
    }

    /// Against one leaf that is there. Existence is the list's affair.
    pub(super) fn matches(&self, leaf: &Value, path: &str) -> Heard {
        if leaf.as_str() == Some(ANY_VALUE) {
            return Heard::on(path);
        }
        let text = leaf.as_str();
        Heard::from(match self {
            Matcher::Exact(wanted) => leaf == wanted,
            Matcher::Text(wanted) => text.is_some_and(|text| wanted.matches(text)),
            Matcher::Numeric(bounds) => leaf.as_f64().is_some_and(|number| {
                bounds
                    .iter()
                    .all(|(order, bound)| order.holds(number, *bound))
            }),
            Matcher::Cidr(block) => text
                .and_then(|text| text.parse().ok())
                .is_some_and(|address| block.contains(address)),
            Matcher::Exists(wanted) => *wanted,
            Matcher::NotValues(values) => !values.contains(leaf),
            Matcher::NotTexts(texts) => {
                !text.is_some_and(|text| texts.iter().any(|wanted| wanted.matches(text)))
            }
        })
    }
}
