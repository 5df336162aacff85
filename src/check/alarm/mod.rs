//! Checks on the alarm itself: tamper events that nobody hears, and chains with a broken link.

mod tamper;

use super::Evaluate;

/// The checks of this folder.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[
    ("alarm-tamper-unheard", tamper::unheard),
    ("alarm-broken-link", tamper::broken_link),
    ("alarm-silent-path", tamper::silent_path),
];
