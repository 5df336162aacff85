//! Unknown condition keys, settled exactly.
//!
//! When a decision hangs on keys that are not known, each key's possible values are cut into
//! regions: sets of values between which no statement that still matters can tell. The decision
//! is made once for every combination of regions. All allow: allowed. None: denied. Otherwise
//! the regions that allow are the residual. Correlated statements (one allows `k = a`, one denies
//! it) come out right, which three-valued logic alone cannot do.

mod describe;
mod joint;
mod states;

use std::sync::Arc;

use super::context::Key;
use super::decide::{Conditional, Decision};
use super::document::Effect;
use super::layers::{Layer, Layers, Lens};
use super::request::Request;
use super::residual::{Clause, Residual, Term};
use super::ruling::{Ruling, rule};
use super::tri::Tri;
use states::{Region, Uncertain};

/// More combinations than this are not tried.
const MAX_CELLS: usize = 4_096;

/// Decides a request whose ruling is `Maybe`.
pub(super) fn resolve(
    request: &Request,
    layers: &Layers<'_>,
    lens: &Lens,
    ruling: &Ruling,
) -> Decision {
    let uncertain = collect(request, layers);
    let mut axes = joint::joined(states::axes(&uncertain, request), &uncertain, request);
    let complete = axes.iter().all(|axis| axis.complete);
    axes.retain(|axis| axis.regions.len() > 1);
    let cells = axes
        .iter()
        .try_fold(1_usize, |n, a| n.checked_mul(a.regions.len()));
    let Some(cells) = cells.filter(|n| *n <= MAX_CELLS) else {
        return Decision::Conditional(imprecise(&axes, ruling));
    };
    let mut probe = request.clone();
    let mut allowed = Vec::with_capacity(cells);
    let (mut grant, mut refusal) = (None, None);
    for cell in 0..cells {
        enter(&mut probe, &axes, cell);
        let one = rule(&probe, layers, lens);
        if one.allowed == Tri::Yes {
            grant.get_or_insert_with(|| one.grant());
        } else {
            refusal.get_or_insert_with(|| one.refusal());
        }
        allowed.push(one.allowed == Tri::Yes);
    }
    match (grant, refusal) {
        // All that was tried agree, but not all was tried.
        (Some(_), None) | (None, Some(_)) if !complete => {
            Decision::Conditional(imprecise(&axes, ruling))
        }
        (Some(grant), None) => Decision::Allowed(grant),
        (None, Some(_)) => Decision::Denied(common_refusal(request, layers, lens, &axes, cells)),
        (Some(grant), Some(refusal)) => {
            let mut residual = describe::residual(&axes, &uncertain, &request.context, &allowed);
            residual.imprecise |= !complete;
            Decision::Conditional(Conditional {
                residual,
                grant,
                refusal,
            })
        }
        // There is always at least one combination.
        (None, None) => Decision::Denied(ruling.refusal()),
    }
}

/// What denies when every combination is denied: an implicit deny if some combination meets no
/// explicit one.
fn common_refusal(
    request: &Request,
    layers: &Layers<'_>,
    lens: &Lens,
    axes: &[Axis],
    cells: usize,
) -> super::decide::Refusal {
    let mut probe = request.clone();
    let mut first = None;
    for cell in 0..cells {
        enter(&mut probe, axes, cell);
        let refusal = rule(&probe, layers, lens).refusal();
        if !refusal.is_explicit() {
            return refusal;
        }
        first.get_or_insert(refusal);
    }
    first.unwrap_or(super::decide::Refusal {
        layer: Layer::Identity,
        statement: None,
    })
}

/// Puts a request into one combination of regions.
fn enter(probe: &mut Request, axes: &[Axis], cell: usize) {
    let mut rest = cell;
    for axis in axes {
        axis.regions[rest % axis.regions.len()].enter(&axis.keys, &mut probe.context);
        rest /= axis.regions.len();
    }
}

/// Unknown keys that are told apart together, mostly one, and the regions they fall into.
pub(super) struct Axis {
    pub(super) keys: Vec<Key>,
    pub(super) multivalued: bool,
    pub(super) regions: Vec<Region>,
    /// Values that are the only ones of their region: they fill a variable just so.
    pub(super) fitting: Vec<Arc<str>>,
    /// Every region there is was found; otherwise some bound cut the search short.
    pub(super) complete: bool,
}

/// Too many combinations: says which keys matter and no more.
fn imprecise(axes: &[Axis], ruling: &Ruling) -> Conditional {
    let keys = axes.iter().flat_map(|axis| &axis.keys);
    let mut terms: Vec<Term> = keys.map(|key| Term::null(key.as_str(), false)).collect();
    terms.sort();
    let residual = Residual {
        clauses: vec![Clause { terms }],
        imprecise: true,
    };
    Conditional {
        residual,
        grant: ruling.grant(),
        refusal: ruling.refusal(),
    }
}

/// The statements whose application is not certain.
fn collect<'a>(request: &Request, layers: &Layers<'a>) -> Uncertain<'a> {
    let mut out = Uncertain::default();
    let bounded = layers.boundary.is_some();
    for layer in layers.present() {
        for attached in layers.policies(layer) {
            for statement in &attached.policy.statements {
                let meant = match layer {
                    Layer::Resource if statement.effect == Effect::Deny => {
                        statement.principal.refuses(&request.caller, bounded)
                    }
                    Layer::Resource | Layer::Acl | Layer::Grant => {
                        statement.grants(&request.caller).is_some()
                    }
                    _ => true,
                };
                if meant && statement.applies(request) == Tri::Maybe {
                    out.add(statement, request);
                }
            }
        }
    }
    out
}
