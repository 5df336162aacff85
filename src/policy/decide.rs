//! From what each layer says to one decision, and what was not read and could change it.
//!
//! How the layers come to one ruling stands in [`super::ruling`].

use super::compile::CompiledPolicy;
use super::layers::{Cite, Layer, Layers, Lens, Switch};
use super::regions;
use super::request::Request;
use super::residual::Residual;
use super::ruling::{is_restricted, rule};
use super::tri::Tri;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is allowed whatever is not known.
    Allowed(Grant),
    /// It is denied whatever is not known.
    Denied(Refusal),
    /// It is allowed when the residual conditions hold, and denied when they do not.
    Conditional(Conditional),
    /// It hangs on policies that could not be read.
    Unknown(Unknown),
}

/// Which statements allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grant {
    /// The identity-based statement, where it took part.
    pub identity: Option<Cite>,
    /// The statement of the resource-based policy, where it took part.
    pub resource: Option<Cite>,
}

/// What denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The layer that denies, or that would have had to allow.
    pub layer: Layer,
    /// The explicit deny; `None` for an implicit one.
    pub statement: Option<Cite>,
}

impl Refusal {
    /// Whether a statement denies, rather than none allowing.
    pub fn is_explicit(&self) -> bool {
        self.statement.is_some()
    }
}

/// A decision that hangs on condition keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditional {
    /// When it is allowed.
    pub residual: Residual,
    /// What allows it then.
    pub grant: Grant,
    /// What denies it otherwise.
    pub refusal: Refusal,
}

/// A decision that hangs on what was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The unread policies that could change the answer.
    pub gaps: Vec<UnreadPolicy>,
    /// Were they all favourable: the conditions that would remain.
    pub residual: Option<Residual>,
    /// What allows it, conditions aside, unless a policy that was not read stands in the way;
    /// `None` when only such a policy could allow it.
    pub unless_refused: Option<Grant>,
}

/// A policy that is attached, or a setting that limits one, that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnreadPolicy {
    /// Its layer.
    pub layer: Layer,
    /// The name it is attached under.
    pub name: String,
    /// Why it could not be read.
    pub reason: String,
}

impl Decision {
    /// Whether it is allowed for certain.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }

    /// Whether it is denied for certain.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied(_))
    }

    /// Allowed, or allowed under conditions.
    pub fn is_possible(&self) -> bool {
        matches!(self, Self::Allowed(_) | Self::Conditional(_))
    }
}

/// Decides a request.
///
/// Explicit denies outrank everything, also what could not be read. Where an unread policy could
/// change the answer it is [`Decision::Unknown`].
pub fn decide(request: &Request, layers: &Layers<'_>) -> Decision {
    decide_with(request, layers, &Lens::default())
}

/// Decides a request as if the layers were what the lens makes of them.
pub(crate) fn decide_with(request: &Request, layers: &Layers<'_>, lens: &Lens) -> Decision {
    let (worst, gap) = settle(request, layers, lens);
    if !gap {
        return worst;
    }
    let hopeful = Lens {
        optimist: true,
        ..*lens
    };
    let (best, _) = settle(request, layers, &hopeful);
    match (worst, best) {
        (certain @ (Decision::Allowed(_) | Decision::Conditional(_)), _) => certain,
        (_, certain @ Decision::Denied(_)) => certain,
        (_, best) => {
            let gaps = deciding_gaps(request, layers);
            let residual = match best {
                Decision::Conditional(conditional) => Some(conditional.residual),
                _ => None,
            };
            let read = Lens {
                read_only: true,
                ..hopeful
            };
            let unless_refused = match settle(request, layers, &read).0 {
                Decision::Allowed(grant) => Some(grant),
                Decision::Conditional(conditional) => Some(conditional.grant),
                Decision::Denied(_) | Decision::Unknown(_) => None,
            };
            Decision::Unknown(Unknown {
                gaps,
                residual,
                unless_refused,
            })
        }
    }
}

/// The decision through one lens, and whether a gap was met on the way.
pub(crate) fn settle(request: &Request, layers: &Layers<'_>, lens: &Lens) -> (Decision, bool) {
    let ruling = rule(request, layers, lens);
    let decision = match ruling.allowed {
        Tri::Yes => Decision::Allowed(ruling.grant()),
        Tri::No => Decision::Denied(ruling.refusal()),
        Tri::Maybe => regions::resolve(request, layers, lens, &ruling),
    };
    (decision, ruling.gap)
}

/// The policies among these that could not be read.
pub(crate) fn unread_policies(layers: &Layers<'_>) -> Vec<UnreadPolicy> {
    let mut out = Vec::new();
    for layer in layers.present() {
        for attached in layers.policies(layer) {
            out.extend(why_unread(&attached.policy).map(|reason| UnreadPolicy {
                layer,
                name: attached.name.to_string(),
                reason,
            }));
        }
    }
    out
}

/// The unread policies of which one, read differently, could change the answer.
fn deciding_gaps(request: &Request, layers: &Layers<'_>) -> Vec<UnreadPolicy> {
    let mut all = Vec::new();
    let mut deciding = Vec::new();
    let outcome = |lens: &Lens| std::mem::discriminant(&settle(request, layers, lens).0);
    let ends = [false, true].map(|optimist| {
        outcome(&Lens {
            optimist,
            ..Lens::default()
        })
    });
    for layer in layers.present() {
        for (place, attached) in layers.policies(layer).iter().enumerate() {
            let Some(reason) = why_unread(&attached.policy) else {
                continue;
            };
            let gap = UnreadPolicy {
                layer,
                name: attached.name.to_string(),
                reason,
            };
            let flips = [false, true].into_iter().zip(ends).any(|(optimist, end)| {
                let except = Some((layer, place));
                outcome(&Lens {
                    optimist,
                    except,
                    ..Lens::default()
                }) != end
            });
            if flips {
                deciding.push(gap.clone());
            }
            all.push(gap);
        }
    }
    let own = layers.resource.unwrap_or_default();
    if layers.restrict_public_buckets == Switch::Unread && is_restricted(own, request) {
        deciding.push(UnreadPolicy {
            layer: Layer::Resource,
            name: "public access block".to_owned(),
            reason: "it was not read".to_owned(),
        });
    }
    // Several gaps can matter only together; then all of them are named.
    if deciding.is_empty() { all } else { deciding }
}

/// Why it is not known what a policy says, in whole or in part.
fn why_unread(policy: &CompiledPolicy) -> Option<String> {
    if let Some(reason) = policy.unread_reason() {
        return Some(reason.to_owned());
    }
    let odd = policy.statements.iter().position(|s| s.unreadable)?;
    let written = policy.statement(odd).map(|s| s.conditions.as_slice());
    let said = written.unwrap_or_default().iter();
    // A statement that stands for one that was not read says why.
    let reason = said.filter(|c| c.operator == super::acl::NOT_READ);
    let reason = reason.flat_map(|c| &c.values).next();
    Some(
        reason
            .map_or("unknown condition operator", String::as_str)
            .to_owned(),
    )
}
