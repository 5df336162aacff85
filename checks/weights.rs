//! The score's weights: numbers with a version, and the order they must keep.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// Parts per million: the unit of every weight.
pub const MILLION: u32 = 1_000_000;

/// Why a weights file is refused.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// It is not what a weights file looks like.
    #[error("the weights cannot be read: {0}")]
    Unreadable(#[from] serde_yaml_ng::Error),
    /// A number is not between zero and one.
    #[error("weight `{name}` is {value}, which is not between 0 and 1")]
    Range {
        /// The weight.
        name: String,
        /// Its number.
        value: f64,
    },
    /// A weight the score needs is missing.
    #[error("weight `{0}` is missing")]
    Missing(String),
    /// Two weights break the order the file declares.
    #[error("`{more}` must weigh at least as much as `{less}`")]
    Order {
        /// The one that must not be smaller.
        more: String,
        /// The one that is larger.
        less: String,
    },
}

/// The weights, in parts per million.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// The version: two scores compare only under the same one.
    pub version: String,
    /// By target class.
    pub target: BTreeMap<String, u32>,
    /// By entry class.
    pub entry: BTreeMap<String, u32>,
    /// By step factor: lower and upper end, equal unless undecided.
    pub step: BTreeMap<String, (u32, u32)>,
    /// The share that perfect detection takes off.
    pub lambda: u32,
    /// Minutes per call.
    pub tempo_minutes: u32,
    /// The factor on detection that can be switched off.
    pub unprotected: u32,
    /// By detection level: chance, and minutes until somebody acts.
    pub levels: BTreeMap<String, (u32, u32)>,
    /// Minutes a step takes beyond its calls, by speed.
    pub speed: BTreeMap<String, u32>,
    /// How fast breadth lifts.
    pub breadth_rate: u32,
    /// Lower edges of critical, high and medium, in tenths of a point.
    pub bands: [u16; 3],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    target: BTreeMap<String, f64>,
    entry: BTreeMap<String, f64>,
    step: BTreeMap<String, OneOrTwo>,
    detection: DetectionFile,
    speed: BTreeMap<String, u32>,
    breadth: BTreeMap<String, f64>,
    bands: BTreeMap<String, u16>,
    #[serde(rename = "at-least")]
    at_least: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrTwo {
    One(f64),
    Two(f64, f64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DetectionFile {
    lambda: f64,
    tempo_minutes: u32,
    unprotected: f64,
    levels: BTreeMap<String, LevelFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LevelFile {
    chance: f64,
    response_minutes: u32,
}

impl Weights {
    /// The weights this version ships with.
    pub fn builtin() -> &'static Weights {
        static BUILTIN: OnceLock<Weights> = OnceLock::new();
        BUILTIN.get_or_init(|| {
            Weights::read(include_str!("weights.yaml"))
                .expect("a test reads the file that is built in")
        })
    }

    /// Reads a weights file and holds it to the order it declares.
    pub fn read(text: &str) -> Result<Weights, WeightsError> {
        let file: File = serde_yaml_ng::from_str(text)?;
        let mut step = BTreeMap::new();
        for (name, ends) in &file.step {
            let (lo, hi) = match *ends {
                OneOrTwo::One(value) => (value, value),
                OneOrTwo::Two(lo, hi) => (lo, hi),
            };
            step.insert(
                name.clone(),
                (ppm("step", name, lo)?, ppm("step", name, hi)?),
            );
        }
        let mut levels = BTreeMap::new();
        for (name, level) in &file.detection.levels {
            let chance = ppm("detection", name, level.chance)?;
            levels.insert(name.clone(), (chance, level.response_minutes.max(1)));
        }
        let breadth = *file
            .breadth
            .get("rate")
            .ok_or_else(|| missing("breadth.rate"))?;
        let band = |name: &str| {
            let edge = file.bands.get(name).copied();
            edge.map(|edge| edge * 10)
                .ok_or_else(|| missing(&format!("bands.{name}")))
        };
        let weights = Weights {
            version: file.version.clone(),
            target: all("target", &file.target)?,
            entry: all("entry", &file.entry)?,
            step,
            lambda: ppm("detection", "lambda", file.detection.lambda)?,
            tempo_minutes: file.detection.tempo_minutes.max(1),
            unprotected: ppm("detection", "unprotected", file.detection.unprotected)?,
            levels,
            speed: file.speed.clone(),
            breadth_rate: ppm("breadth", "rate", breadth)?,
            bands: [band("critical")?, band("high")?, band("medium")?],
        };
        weights.check(&file.at_least)?;
        Ok(weights)
    }

    fn check(&self, at_least: &[(String, String)]) -> Result<(), WeightsError> {
        for name in [
            "call",
            "by-caller",
            "guess",
            "wait",
            "second-factor",
            "network",
            "undecided",
        ] {
            self.step
                .get(name)
                .ok_or_else(|| missing(&format!("step.{name}")))?;
        }
        for name in ["none", "logged", "alarmed", "contained"] {
            self.levels
                .get(name)
                .ok_or_else(|| missing(&format!("detection.levels.{name}")))?;
        }
        for (more, less) in at_least {
            if self.named(more)?.1 < self.named(less)?.1 {
                return Err(WeightsError::Order {
                    more: more.clone(),
                    less: less.clone(),
                });
            }
        }
        Ok(())
    }

    fn named(&self, name: &str) -> Result<(u32, u32), WeightsError> {
        let (group, row) = name.split_once('.').ok_or_else(|| missing(name))?;
        let one = |map: &BTreeMap<String, u32>| map.get(row).map(|value| (*value, *value));
        let found = match group {
            "target" => one(&self.target),
            "entry" => one(&self.entry),
            "step" => self.step.get(row).copied(),
            _ => None,
        };
        found.ok_or_else(|| missing(name))
    }
}

fn missing(name: &str) -> WeightsError {
    WeightsError::Missing(name.to_owned())
}

fn all(group: &str, map: &BTreeMap<String, f64>) -> Result<BTreeMap<String, u32>, WeightsError> {
    map.iter()
        .map(|(name, value)| Ok((name.clone(), ppm(group, name, *value)?)))
        .collect()
}

/// A decimal as parts per million: exact for up to six decimals.
fn ppm(group: &str, name: &str, value: f64) -> Result<u32, WeightsError> {
    if !(0.0..=1.0).contains(&value) {
        return Err(WeightsError::Range {
            name: format!("{group}.{name}"),
            value,
        });
    }
    Ok((value * f64::from(MILLION)).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_weights_keep_their_own_order() {
        let weights = Weights::builtin();
        assert_eq!(weights.version, "palisade-score/1");
        assert_eq!(weights.step["call"], (995_000, 995_000));
        assert_eq!(weights.step["undecided"], (500_000, 950_000));
    }

    #[test]
    fn an_order_that_is_broken_is_refused() {
        let text =
            include_str!("weights.yaml").replace("account-admin: 0.98", "account-admin: 0.10");
        assert!(matches!(
            Weights::read(&text),
            Err(WeightsError::Order { .. })
        ));
        let text = include_str!("weights.yaml").replace("data: 0.75", "data: 1.75");
        assert!(matches!(
            Weights::read(&text),
            Err(WeightsError::Range { .. })
        ));
        let text = include_str!("weights.yaml").replace("  wait: 0.75", "  waits: 0.75");
        assert!(Weights::read(&text).is_err());
    }
}
