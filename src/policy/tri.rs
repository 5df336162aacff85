//! Three values: no, maybe, yes.

/// A truth that may not be known. `No < Maybe < Yes`, so *and* is the least, *or* the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tri {
    /// It does not hold.
    No,
    /// It depends on something not known.
    Maybe,
    /// It holds.
    Yes,
}

impl Tri {
    #[inline]
    pub(crate) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    #[inline]
    pub(crate) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    #[inline]
    pub(crate) fn flip_if(self, flip: bool) -> Self {
        match (self, flip) {
            (Self::No, true) => Self::Yes,
            (Self::Yes, true) => Self::No,
            (same, _) => same,
        }
    }
}

impl From<bool> for Tri {
    #[inline]
    fn from(known: bool) -> Self {
        if known { Self::Yes } else { Self::No }
    }
}
