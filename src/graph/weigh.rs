//! The arithmetic of path scores, in whole numbers alone: the same on every machine.
//!
//! `S = 100 · I · E · Π w · V` with `V = 1 − λ · (1 − Π (1 − d·τ))`. Factors are parts per
//! million; their logarithms are nats scaled by 2^40, so that sums are exact and comparable.

use std::fmt;

use palisade_checks::weights::{MILLION, Weights};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A cost: `−ln` of a factor, in nats scaled by 2^40. Smaller is likelier.
pub type Nats = u64;

/// One nat.
pub const NAT: Nats = 1 << SHIFT;

const SHIFT: u32 = 40;
const ONE: u64 = 1 << SHIFT;
/// `ln 2`, scaled by 2^40.
const LN_2: u64 = 762_123_384_786;

/// `−ln(factor)` of a factor in parts per million; zero reads as one part per million.
pub fn nats(ppm: u32) -> Nats {
    nats_of(u64::from(ppm.clamp(1, MILLION)) * ONE / u64::from(MILLION))
}

/// `−ln(x / 2^40)` for `0 < x ≤ 2^40`.
fn nats_of(x: u64) -> Nats {
    debug_assert!((1..=ONE).contains(&x));
    let halvings = x.leading_zeros() - (63 - SHIFT);
    // The mantissa m lies in [1, 2); ln m = 2 artanh((m − 1) / (m + 1)).
    let mantissa = u128::from(x) << halvings;
    let one = u128::from(ONE);
    let t = ((mantissa - one) << SHIFT) / (one + mantissa);
    let square = (t * t) >> SHIFT;
    let (mut term, mut sum, mut odd) = (t, 0u128, 1u128);
    while term > 0 {
        sum += term / odd;
        term = (term * square) >> SHIFT;
        odd += 2;
    }
    (u64::from(halvings) * LN_2).saturating_sub((2 * sum) as u64)
}

/// `e^(−cost)`, scaled by 2^40.
fn exp_neg(cost: Nats) -> u64 {
    let halvings = cost / LN_2;
    if halvings >= u64::from(SHIFT) {
        return 0;
    }
    let rest = u128::from(cost % LN_2);
    let (mut term, mut sum, mut n, mut minus) = (u128::from(ONE), 0i128, 0u128, false);
    while term > 0 {
        sum += if minus { -(term as i128) } else { term as i128 };
        n += 1;
        term = ((term * rest) >> SHIFT) / n;
        minus = !minus;
    }
    (sum.max(0) as u64) >> halvings
}

/// The price of being noticed once: `−ln(1 − d·τ)` with `τ = min(1, left / response)`.
pub fn noticed(detection: Detection, minutes_left: u32, weights: &Weights) -> Nats {
    let (mut chance, response) = weights
        .levels
        .get(detection.level.name())
        .copied()
        .unwrap_or((0, 1));
    if !detection.protected {
        chance = scale(chance, weights.unprotected);
    }
    let left = u64::from(minutes_left.min(response));
    let stopped = u64::from(chance) * left / u64::from(response);
    nats(MILLION - stopped as u32)
}

/// [`noticed`] for every detection and every number of minutes, worked out once.
#[derive(Debug)]
pub struct Notices {
    rows: [Vec<Nats>; 8],
}

impl Notices {
    /// Works them out.
    pub fn new(weights: &Weights) -> Self {
        let row = |at: usize| {
            let detection = Detection::at(at);
            let level = weights.levels.get(detection.level.name());
            let response = level.map_or(0, |(_, response)| *response);
            (0..=response)
                .map(|left| noticed(detection, left, weights))
                .collect()
        };
        Notices {
            rows: std::array::from_fn(row),
        }
    }

    /// The price of being noticed by `detection` with so many minutes left.
    pub fn price(&self, detection: Detection, minutes_left: u32) -> Nats {
        let row = &self.rows[detection.index()];
        let last = row.len().saturating_sub(1);
        row.get(last.min(minutes_left as usize))
            .copied()
            .unwrap_or(0)
    }
}

/// The factor of a cost, in parts per million, half up.
pub fn factor(cost: Nats) -> u32 {
    ((u128::from(exp_neg(cost)) * u128::from(MILLION) + u128::from(ONE) / 2) >> SHIFT) as u32
}

/// What being noticed at this price leaves of a score, in parts per million.
pub fn value_left(detection: Nats, weights: &Weights) -> u32 {
    let stopped = MILLION - factor(detection);
    MILLION - scale(stopped, weights.lambda)
}

/// The product of two factors.
pub fn scale(a: u32, b: u32) -> u32 {
    ((u64::from(a) * u64::from(b) + u64::from(MILLION) / 2) / u64::from(MILLION)) as u32
}

/// The score of a path from what its factors and its detection cost: half up to one decimal,
/// never below a tenth, so that a path that exists never prints as nothing.
pub fn score(factors: Nats, detection: Nats, weights: &Weights) -> Score {
    let stopped = ONE - exp_neg(detection);
    let value =
        ONE - (u128::from(stopped) * u128::from(weights.lambda) / u128::from(MILLION)) as u64;
    let exact = (u128::from(exp_neg(factors)) * u128::from(value)) >> SHIFT;
    let tenths = (exact * 1000 + u128::from(ONE) / 2) >> SHIFT;
    Score((tenths as u16).clamp(1, 1000))
}

/// A factor with two ends, in parts per million; equal ends when nothing is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// The end that holds if every gap resolves well.
    pub lo: u32,
    /// The end that holds if every gap resolves badly.
    pub hi: u32,
}

impl Interval {
    /// No loss at all.
    pub const ONE: Interval = Interval {
        lo: MILLION,
        hi: MILLION,
    };

    /// Two ends.
    pub fn new((lo, hi): (u32, u32)) -> Self {
        Interval { lo, hi }
    }

    /// Both factors, one after the other.
    pub fn and(self, other: Interval) -> Interval {
        Interval {
            lo: scale(self.lo, other.lo),
            hi: scale(self.hi, other.hi),
        }
    }

    /// No lower than `floor`.
    pub fn at_least(self, floor: u32) -> Interval {
        Interval {
            lo: self.lo.max(floor),
            hi: self.hi.max(floor),
        }
    }
}

/// A score in tenths of a point, 0 to 1000; written with one decimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(pub u16);

impl Score {
    /// Nothing to report.
    pub const NONE: Score = Score(0);

    /// The band of the rounded value.
    pub fn band(self) -> Band {
        let [critical, high, medium] = Weights::builtin().bands;
        match self.0 {
            0 => Band::None,
            tenths if tenths >= critical => Band::Critical,
            tenths if tenths >= high => Band::High,
            tenths if tenths >= medium => Band::Medium,
            _ => Band::Low,
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 10.0)
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        if !(0.0..=100.0).contains(&value) {
            return Err(serde::de::Error::custom("a score lies between 0 and 100"));
        }
        Ok(Score((value * 10.0).round() as u16))
    }
}

/// A score with two ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// What holds if every gap resolves well.
    pub lo: Score,
    /// What holds if every gap resolves badly: the end that is sorted, printed and gated on.
    pub hi: Score,
}

impl fmt::Display for Span {
    /// The upper end, with the lower one where they are more than five points apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hi.0.saturating_sub(self.lo.0) > 50 {
            write!(f, "{} ({}–{})", self.hi, self.lo, self.hi)
        } else {
            write!(f, "{}", self.hi)
        }
    }
}

/// How bad a score is. Ordered: worse is greater.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Band {
    /// Nothing.
    #[default]
    None,
    /// Above zero.
    Low,
    /// 40 and more.
    Medium,
    /// 70 and more.
    High,
    /// 90 and more.
    Critical,
}

impl Band {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Band::None => "none",
            Band::Low => "low",
            Band::Medium => "medium",
            Band::High => "high",
            Band::Critical => "critical",
        }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who would notice a call, in the region where the fewest would.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Detection {
    /// How loud the call is.
    pub level: Level,
    /// Whether what notices it cannot be switched off from inside the account.
    pub protected: bool,
}

impl Detection {
    fn index(self) -> usize {
        self.level as usize * 2 + usize::from(self.protected)
    }

    fn at(index: usize) -> Self {
        let levels = [Level::None, Level::Logged, Level::Alarmed, Level::Contained];
        Detection {
            level: levels[index / 2],
            protected: index % 2 == 1,
        }
    }
}

/// How loud a call is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing records it, or nobody knows whether anything does.
    #[default]
    None,
    /// A trail records it.
    Logged,
    /// An alarm reaches somebody.
    Alarmed,
    /// Something undoes it at once.
    Contained,
}

impl Level {
    /// Its row in the weights.
    pub fn name(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Logged => "logged",
            Level::Alarmed => "alarmed",
            Level::Contained => "contained",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(cost: Nats, nats: f64) {
        let value = cost as f64 / ONE as f64;
        assert!((value - nats).abs() < 1e-6, "{value} is not {nats}");
    }

    #[test]
    fn logarithms_and_exponentials_agree_with_mathematics() {
        for ppm in [
            1, 7, 50_000, 499_999, 500_000, 500_001, 995_000, 999_999, MILLION,
        ] {
            close(nats(ppm), -(f64::from(ppm) / 1e6).ln());
            let back = exp_neg(nats(ppm)) as f64 / ONE as f64;
            assert!((back - f64::from(ppm) / 1e6).abs() < 1e-8, "{ppm}: {back}");
        }
        assert_eq!(exp_neg(u64::MAX), 0);
        assert_eq!(exp_neg(0), ONE);
    }

    #[test]
    fn the_worked_example_scores_as_it_is_written() {
        let weights = Weights::builtin();
        let factors = nats(980_000) + 5 * nats(995_000);
        assert_eq!(score(factors, 0, weights), Score(956));
        let call = |level, left| {
            let detection = Detection {
                level,
                protected: true,
            };
            noticed(detection, left, weights)
        };
        let logged = call(Level::Logged, 6) + call(Level::Logged, 2);
        assert_eq!(score(factors, logged, weights), Score(955));
        let alarmed = call(Level::Alarmed, 6) + call(Level::Alarmed, 2);
        assert_eq!(score(factors, alarmed, weights), Score(931));
        let contained = call(Level::Contained, 6) + call(Level::Contained, 2);
        assert_eq!(score(factors, contained, weights), Score(719));
    }

    #[test]
    fn bands_are_read_from_the_rounded_value() {
        assert_eq!(Score(900).band(), Band::Critical);
        assert_eq!(Score(899).band(), Band::High);
        assert_eq!(Score(399).band(), Band::Low);
        assert_eq!(Score(0).band(), Band::None);
        assert_eq!(score(nats(1) * 3, 0, Weights::builtin()), Score(1));
    }
}
