//! One posture score per account and for the organization, explained by its worst path.
//!
//! `A = min(C', M + (C − M) · (1 − e^(−rate · B)))`: M is the worst pair's score, B the sum of
//! all pairs' scores in hundreds, C the upper edge of M's band, and C' just below it. Breadth
//! lifts the score inside the band and never out of it; clean accounts change nothing.

use palisade_checks::weights::{MILLION, Weights};
use palisade_model::AccountId;
use serde::{Deserialize, Serialize};

use crate::graph::weigh::{NAT, factor};
use crate::graph::{Band, Node, PathSet, Score, Span, Total};

/// How an account or an organization stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posture {
    /// The score: higher is worse.
    pub score: Span,
    /// The band of the upper end: that of the worst path.
    pub band: Band,
    /// 100 less the upper end: higher is better.
    pub grade: Score,
    /// The worst pair's score.
    pub worst: Span,
    /// Entries that reach a target for certain or under conditions.
    pub entries: usize,
    /// Entries that do so only if a gap resolves badly.
    pub possible: usize,
    /// Principals that reach administrator of their own account, in tenths of a percent.
    pub exposure_permille: u32,
    /// The fewest steps to a target; zero when there is none.
    pub shortest: usize,
}

/// The posture of everything that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postures {
    /// The weights' version: scores of different versions do not compare.
    pub weights: String,
    /// The weights are anchored by judgement and not yet calibrated on incidents.
    pub calibrated: bool,
    /// Over all accounts and the organization itself.
    pub overall: Posture,
    /// Account by account, sorted by id.
    pub accounts: Vec<(AccountId, Posture)>,
}

/// Scores a set of paths.
pub fn score(paths: &PathSet) -> Postures {
    let mut accounts = Vec::new();
    let mut pairs: Vec<Span> = Vec::new();
    let mut all = Breadth::default();
    for total in &paths.totals {
        let mut own = Breadth::default();
        own.add(total);
        all.count(total);
        let posture = own.posture();
        match &total.target {
            Node::Administrator { account } => accounts.push((account.clone(), posture.clone())),
            Node::Organization { .. } => {}
            _ => continue,
        }
        pairs.push(posture.score);
    }
    accounts.sort_by(|a, b| a.0.cmp(&b.0));
    for pair in pairs {
        all.pair(pair);
    }
    Postures {
        weights: paths.weights.clone(),
        calibrated: false,
        overall: all.posture(),
        accounts,
    }
}

/// What pairs come to.
#[derive(Clone, Copy, Debug, Default)]
struct Breadth {
    worst: Span,
    sum_lo: u64,
    sum_hi: u64,
    entries: usize,
    possible: usize,
    principals: usize,
    shortest: usize,
}

impl Breadth {
    fn add(&mut self, total: &Total) {
        self.worst.lo = self.worst.lo.max(total.worst.lo);
        self.worst.hi = self.worst.hi.max(total.worst.hi);
        self.sum_lo += total.sum_lo;
        self.sum_hi += total.sum_hi;
        self.count(total);
    }

    fn count(&mut self, total: &Total) {
        self.entries += total.entries;
        self.possible += total.possible;
        self.principals += total.principals;
        if total.shortest > 0 && (self.shortest == 0 || total.shortest < self.shortest) {
            self.shortest = total.shortest;
        }
    }

    fn pair(&mut self, span: Span) {
        self.worst.lo = self.worst.lo.max(span.lo);
        self.worst.hi = self.worst.hi.max(span.hi);
        self.sum_lo += u64::from(span.lo.0);
        self.sum_hi += u64::from(span.hi.0);
    }

    fn posture(&self) -> Posture {
        let score = Span {
            lo: lifted(self.worst.lo, self.sum_lo),
            hi: lifted(self.worst.hi, self.sum_hi),
        };
        let exposed = (self.entries as u64 * 1000).checked_div(self.principals as u64);
        Posture {
            band: score.hi.band(),
            grade: Score(1000 - score.hi.0),
            score,
            worst: self.worst,
            entries: self.entries,
            possible: self.possible,
            exposure_permille: exposed.unwrap_or(0) as u32,
            shortest: self.shortest,
        }
    }
}

/// The worst score, lifted by breadth inside its band. `sum` is in tenths of a point, the worst
/// one included.
fn lifted(worst: Score, sum: u64) -> Score {
    if worst == Score::NONE {
        return Score::NONE;
    }
    let weights = Weights::builtin();
    let [critical, high, medium] = weights.bands;
    let (edge, cap) = match worst.0 {
        tenths if tenths >= critical => (1000, 1000),
        tenths if tenths >= high => (critical, critical - 1),
        tenths if tenths >= medium => (high, high - 1),
        _ => (medium, medium - 1),
    };
    // rate · B nats, with B = sum / 1000.
    let cost = u128::from(NAT) * u128::from(weights.breadth_rate) * u128::from(sum)
        / (u128::from(MILLION) * 1000);
    let share = u64::from(MILLION - factor(cost.min(u128::from(u64::MAX)) as u64));
    let room = u64::from(edge - worst.0.min(edge));
    let lift = (room * share + u64::from(MILLION) / 2) / u64::from(MILLION);
    Score((worst.0 + lift as u16).min(cap).max(worst.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(scores: &[u16]) -> Score {
        let worst = Score(scores.iter().copied().max().unwrap_or(0));
        lifted(worst, scores.iter().map(|s| u64::from(*s)).sum())
    }

    #[test]
    fn the_worked_example_lifts_as_it_is_written() {
        assert_eq!(account(&[956, 780, 631, 631, 470]), Score(963));
        assert_eq!(account(&[631, 631, 470]), Score(637));
        assert_eq!(account(&[550; 30]), Score(634));
    }

    #[test]
    fn breadth_never_leaves_the_band() {
        assert_eq!(account(&[699; 10_000]), Score(699));
        assert_eq!(account(&[700; 10_000]).band(), Band::High);
        assert_eq!(account(&[990; 10_000]), Score(1000));
        assert_eq!(account(&[]), Score::NONE);
    }
}
