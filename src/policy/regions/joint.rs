//! Unknown keys that meet inside one test (`k` equals `${v}`, both unknown): told apart together.

use std::collections::BTreeSet;

use super::Axis;
use super::states::{Region, Uncertain};
use crate::policy::context::Key;
use crate::policy::request::Request;

/// More combinations of keys that meet are not joined.
const MAX_PAIRS: usize = 4_096;
/// An axis never gets more regions than fit the mask that describes them.
const MAX_REGIONS: usize = 60;

/// The axes, those that meet made one.
pub(super) fn joined(axes: Vec<Axis>, uncertain: &Uncertain<'_>, request: &Request) -> Vec<Axis> {
    let companies = uncertain.companies(&request.context);
    let mut out: Vec<Axis> = Vec::new();
    for axis in axes {
        let meets = |other: &Axis| {
            companies.iter().any(|keys| {
                let holds = |axis: &Axis| axis.keys.iter().any(|key| keys.contains(&key));
                holds(&axis) && holds(other)
            })
        };
        let friends: Vec<usize> = (0..out.len()).filter(|at| meets(&out[*at])).collect();
        let mut whole = axis;
        let mut left = Vec::new();
        for (at, other) in std::mem::take(&mut out).into_iter().enumerate() {
            let pairs = other.regions.len() * whole.regions.len();
            if friends.contains(&at) && pairs <= MAX_PAIRS {
                whole = join(&other, &whole, uncertain, request);
            } else {
                whole.complete &= !friends.contains(&at);
                left.push(other);
            }
        }
        out = left;
        out.push(whole);
    }
    out
}

fn join(a: &Axis, b: &Axis, uncertain: &Uncertain<'_>, request: &Request) -> Axis {
    let keys: Vec<Key> = a.keys.iter().chain(&b.keys).cloned().collect();
    let mut probe = request.clone();
    let mut seen = BTreeSet::new();
    let mut regions = Vec::new();
    let mut complete = a.complete && b.complete;
    for x in &a.regions {
        for y in &b.regions {
            let region = Region(x.0.iter().chain(&y.0).cloned().collect());
            region.enter(&keys, &mut probe.context);
            let answers = uncertain.answers(&probe);
            let presence: Vec<bool> = region.0.iter().map(Option::is_some).collect();
            // Answers that still hang on a third key do not tell regions apart.
            let open = answers.contains(&crate::policy::Tri::Maybe);
            if seen.insert((answers, presence)) || open {
                complete &= regions.len() < MAX_REGIONS;
                if regions.len() < MAX_REGIONS {
                    regions.push(region);
                }
            }
        }
    }
    Axis {
        keys,
        multivalued: a.multivalued || b.multivalued,
        regions,
        fitting: Vec::new(),
        complete,
    }
}
