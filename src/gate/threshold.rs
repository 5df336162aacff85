//! From where on something fails.

use std::fmt;
use std::str::FromStr;

use palisade_checks::Severity;
use thiserror::Error;

use crate::graph::Score;

/// A band, a score, or nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// This severity and worse.
    Band(Severity),
    /// This score and higher; findings without a path count with the lower edge of their band.
    Score(Score),
    /// Nothing fails.
    Never,
}

/// A threshold that cannot be read.
#[derive(Debug, Error)]
#[error("use critical, high, medium, low, none, or a score from 0.1 to 100")]
pub struct ThresholdError;

impl Default for Threshold {
    fn default() -> Self {
        Threshold::Band(Severity::High)
    }
}

impl Threshold {
    /// Whether a finding of that severity fails.
    pub fn reached_by(self, severity: Severity) -> bool {
        match self {
            Threshold::Band(least) => severity >= least,
            Threshold::Score(least) => edge(severity) >= least,
            Threshold::Never => false,
        }
    }

    /// Whether a path of that score fails.
    pub fn reached_by_score(self, score: Score) -> bool {
        match self {
            Threshold::Band(least) => score > Score::NONE && severity(score) >= least,
            Threshold::Score(least) => score >= least,
            Threshold::Never => false,
        }
    }
}

/// The severity that stands for a score's band.
pub fn severity(score: Score) -> Severity {
    Severity::of_score(u32::from(score.0))
}

fn edge(severity: Severity) -> Score {
    Score(match severity {
        Severity::Critical => 900,
        Severity::High => 700,
        Severity::Medium => 400,
        Severity::Low => 1,
        Severity::Info => 0,
    })
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        Ok(match text {
            "none" => Threshold::Never,
            "critical" => Threshold::Band(Severity::Critical),
            "high" => Threshold::Band(Severity::High),
            "medium" => Threshold::Band(Severity::Medium),
            "low" => Threshold::Band(Severity::Low),
            number => {
                let value: f64 = number.parse().map_err(|_| ThresholdError)?;
                if !(0.1..=100.0).contains(&value) {
                    return Err(ThresholdError);
                }
                Threshold::Score(Score((value * 10.0).round() as u16))
            }
        })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Threshold::Band(severity) => write!(f, "{severity}"),
            Threshold::Score(score) => write!(f, "{score}"),
            Threshold::Never => f.write_str("none"),
        }
    }
}
