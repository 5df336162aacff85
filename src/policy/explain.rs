//! Why a decision is as it is: the statements that settled it, and what nearly went otherwise.

use std::fmt;

use super::decide::{Decision, Grant, decide_with};
use super::document::Effect;
use super::facts;
use super::layers::{Cite, Layer, Layers, Lens};
use super::request::Request;
use super::residual::Residual;
use super::ruling::needs_resource_policy;

/// A decision, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The layer that settled it.
    pub layer: Option<Layer>,
    /// The statements that settled it; of an unknown decision those that allow it unless what was
    /// not read stands in the way.
    pub statements: Vec<Quoted>,
    /// For denials: each single thing without which it would be allowed.
    pub near_misses: Vec<NearMiss>,
    /// What else bears on it and is in no policy: lower case, no full stop.
    pub notes: Vec<&'static str>,
}

/// A statement, quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    /// Its place.
    pub cite: Cite,
    /// The name of its policy.
    pub policy: String,
    /// Its `Sid`.
    pub sid: Option<String>,
    /// What it does.
    pub effect: Effect,
    /// Its text.
    pub text: String,
}

/// One thing without which a denied request would be allowed, or one that it lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The layer it is in.
    pub layer: Layer,
    /// Whether an Allow is missing there, rather than something in the way.
    pub lacks: bool,
    /// The statement that denies; `None` when the layer merely does not allow.
    pub statement: Option<Quoted>,
    /// The policies of that layer, where no single statement is to blame.
    pub policies: Vec<String>,
    /// The conditions that would remain; `None` when it would be allowed whatever is not known.
    pub residual: Option<Residual>,
    /// Some policy that was not read could still deny it.
    pub unread: bool,
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.lacks, self.layer) {
            (true, Layer::Identity) => {
                f.write_str("no identity-based policy allows it: with one")?
            }
            (true, layer) => write!(
                f,
                "the {layer} does not name the caller or its account: with an Allow for it"
            )?,
            (false, layer) => {
                write!(f, "blocked by {layer}")?;
                match &self.statement {
                    Some(quoted) => {
                        write!(f, " `{}`", quoted.policy)?;
                        match &quoted.sid {
                            Some(sid) => write!(f, " statement `{sid}`")?,
                            None => write!(f, " statement {}", quoted.cite.statement + 1)?,
                        }
                    }
                    None if self.policies.is_empty() => {}
                    None => write!(f, " `{}`", self.policies.join("`, `"))?,
                }
                f.write_str(": without it")?;
            }
        }
        f.write_str(", allowed")?;
        if self.unread {
            f.write_str(" as far as policies were read")?;
        }
        match &self.residual {
            None => Ok(()),
            Some(residual) => write!(f, " when {residual}"),
        }
    }
}

/// Explains a decision made on these layers.
pub fn explain(request: &Request, layers: &Layers<'_>, decision: &Decision) -> Explanation {
    let notes = notes(request, layers, decision);
    let quoted = |cite: Cite| quote(layers, cite);
    let from_grant = |grant: &Grant| -> Vec<Quoted> {
        [grant.identity, grant.resource]
            .into_iter()
            .flatten()
            .filter_map(quoted)
            .collect()
    };
    match decision {
        Decision::Allowed(grant) => {
            let statements = from_grant(grant);
            let layer = statements.first().map(|s| s.cite.layer);
            Explanation {
                layer,
                statements,
                near_misses: Vec::new(),
                notes,
            }
        }
        Decision::Denied(refusal) => Explanation {
            layer: Some(refusal.layer),
            statements: refusal.statement.and_then(quoted).into_iter().collect(),
            near_misses: near_misses(request, layers),
            notes,
        },
        Decision::Conditional(conditional) => {
            let mut statements = from_grant(&conditional.grant);
            statements.extend(conditional.refusal.statement.and_then(quoted));
            Explanation {
                layer: Some(conditional.refusal.layer),
                statements,
                near_misses: Vec::new(),
                notes,
            }
        }
        Decision::Unknown(unknown) => Explanation {
            layer: unknown.gaps.first().map(|gap| gap.layer),
            statements: unknown
                .unless_refused
                .as_ref()
                .map(from_grant)
                .unwrap_or_default(),
            near_misses: Vec::new(),
            notes,
        },
    }
}

/// What no policy says and yet may change a denial, or explains it.
fn notes(request: &Request, layers: &Layers<'_>, decision: &Decision) -> Vec<&'static str> {
    let mut out = Vec::new();
    let Decision::Denied(refusal) = decision else {
        return out;
    };
    let crosses = facts::crosses_accounts(request.action());
    if !request.is_same_account() && request.caller.has_identity() && !crosses {
        out.push("this call works within the account of its resource only");
    }
    // "Grants in AWS KMS", KMS Developer Guide.
    let key = request
        .resource
        .part(5)
        .is_some_and(|rest| rest.starts_with("key/"));
    let read = layers.grants.is_some();
    if request.service() == "kms" && key && !read && !refusal.is_explicit() && crosses {
        out.push("grants of the key are not known: one could allow it");
    }
    out
}

/// The statement at a place, quoted.
pub fn quote(layers: &Layers<'_>, cite: Cite) -> Option<Quoted> {
    let attached = layers.cited(cite)?;
    let statement = attached.policy.statement(cite.statement)?;
    Some(Quoted {
        cite: Cite {
            statement: attached.policy.written(cite.statement),
            ..cite
        },
        policy: attached.name.to_string(),
        sid: statement.sid.clone(),
        effect: statement.effect,
        text: attached
            .policy
            .quote(cite.statement)
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Takes away one thing at a time and decides again; then puts in an Allow where one could be
/// missing.
fn near_misses(request: &Request, layers: &Layers<'_>) -> Vec<NearMiss> {
    let mut out = Vec::new();
    for layer in layers.present() {
        for (policy, attached) in layers.policies(layer).iter().enumerate() {
            for (statement, compiled) in attached.policy.statements.iter().enumerate() {
                let cite = Cite {
                    layer,
                    policy,
                    statement,
                };
                if compiled.effect != Effect::Deny || !compiled.covers_action(request.action()) {
                    continue;
                }
                let lens = Lens {
                    skip: Some(cite),
                    ..Lens::default()
                };
                let quoted = quote(layers, cite);
                let miss = near_miss(layer, decide_with(request, layers, &lens));
                out.extend(miss.map(|miss| NearMiss {
                    statement: quoted,
                    ..miss
                }));
            }
        }
        if let Some(without) = without(layers, layer)
            && !out.iter().any(|miss: &NearMiss| miss.layer == layer)
        {
            let decision = decide_with(request, &without.as_layers(), &Lens::default());
            let names = layers.policies(layer).iter().map(|a| a.name.to_string());
            out.extend(near_miss(layer, decision).map(|miss| NearMiss {
                policies: names.collect(),
                ..miss
            }));
        }
    }
    if out.is_empty() {
        out.extend(missing_allows(request, layers));
    }
    out
}

/// A near miss, if this is what the decision would be.
fn near_miss(layer: Layer, decision: Decision) -> Option<NearMiss> {
    let unread = matches!(decision, Decision::Unknown(_));
    let residual = match decision {
        Decision::Allowed(_) => None,
        Decision::Conditional(conditional) => Some(conditional.residual),
        Decision::Unknown(unknown) => unknown.residual,
        Decision::Denied(_) => return None,
    };
    Some(NearMiss {
        layer,
        lacks: false,
        statement: None,
        policies: Vec::new(),
        residual,
        unread,
    })
}

/// Where both sides must allow, the side that does not.
fn missing_allows(request: &Request, layers: &Layers<'_>) -> Vec<NearMiss> {
    let strict = needs_resource_policy(request.service(), &request.resource);
    if !request.caller.has_identity() || (request.is_same_account() && !strict) {
        return Vec::new();
    }
    let with = |layer: Layer| {
        let lens = Lens {
            grant: Some(layer),
            ..Lens::default()
        };
        let miss = near_miss(layer, decide_with(request, layers, &lens))?;
        Some(NearMiss {
            lacks: true,
            ..miss
        })
    };
    [Layer::Identity, Layer::Resource]
        .into_iter()
        .filter_map(with)
        .collect()
}

/// Layers with one limit taken away.
struct Without<'a> {
    layers: Layers<'a>,
    scps: Vec<Vec<super::compile::Attached>>,
}

impl Without<'_> {
    fn as_layers(&self) -> Layers<'_> {
        let scps = self.layers.scps.map(|_| self.scps.as_slice());
        Layers {
            scps,
            ..self.layers
        }
    }
}

fn without<'a>(layers: &Layers<'a>, layer: Layer) -> Option<Without<'a>> {
    let mut scps = layers.scps.unwrap_or_default().to_vec();
    let mut layers = *layers;
    match layer {
        Layer::Boundary => layers.boundary = None,
        Layer::Session => layers.session = None,
        Layer::Endpoint => layers.endpoint = None,
        Layer::Scp(level) => {
            scps.remove(level);
        }
        // A grant is not a limit; RCPs limit by statements only.
        Layer::Identity | Layer::Resource | Layer::Acl | Layer::Grant | Layer::Rcp(_) => {
            return None;
        }
    }
    Some(Without { layers, scps })
}
