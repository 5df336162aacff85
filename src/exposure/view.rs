//! One way to take the facts: which gaps count as open, which barriers as gone.
//!
//! A capability is judged under several views. Everything unread at its most closed gives what
//! is proven, at its most open what is possible; taking one gap or one barrier the other way
//! tells whether it matters.

use std::collections::BTreeSet;

use palisade_model::{Gap, Observed};

use super::audience::Barrier;

/// Something that could not be read, by what it would decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unread {
    AccountBlock,
    BucketBlock,
    Policy,
    Acl,
    Ownership,
    Payer,
    Rcps,
    Points,
    Point(String),
    PointBlock(String),
    Membership,
    Keys,
    Objects,
    ObjectAcl(String),
    Distributions,
    KmsKey,
    Encryption,
}

/// A way to take the facts.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// What was not read lets everybody in.
    pub(super) open: bool,
    /// Except for this, which is taken the other way.
    pub(super) flipped: Option<Unread>,
    /// Barriers taken as not there.
    pub(super) without: BTreeSet<Barrier>,
}

impl View {
    /// Whether this gap is taken as open.
    pub(super) fn is_open(&self, gap: &Unread) -> bool {
        self.open != (self.flipped.as_ref() == Some(gap))
    }

    /// A flag that closes when it is on.
    pub(super) fn closes<T>(
        &self,
        fact: &Observed<T>,
        gap: Unread,
        barrier: &Barrier,
        on: impl Fn(&T) -> bool,
    ) -> bool {
        if self.without.contains(barrier) {
            return false;
        }
        match fact {
            Observed::Value(value) => on(value),
            Observed::Absent | Observed::NotApplicable(_) => false,
            Observed::Gap(_) => !self.is_open(&gap),
        }
    }
}

/// The gaps among the facts of one resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps(pub(super) Vec<(Unread, Gap)>);

impl Gaps {
    /// Notes the gap, if the fact is one.
    pub(super) fn note<T>(&mut self, what: Unread, fact: &Observed<T>) {
        if let Observed::Gap(gap) = fact {
            self.0.push((what, (**gap).clone()));
        }
    }

    /// Notes a gap.
    pub(super) fn push(&mut self, what: Unread, gap: Gap) {
        self.0.push((what, gap));
    }
}
