//! Why a decision is as it is: the statements that settled it, and what nearly went otherwise.

use std::fmt;

use super::decide::{Decision, Grant, settle};
use super::document::Effect;
use super::layers::{Cite, Layer, Layers, Lens};
use super::request::Request;

/// A decision, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The layer that settled it.
    pub layer: Option<Layer>,
    /// The statements that settled it.
    pub statements: Vec<Quoted>,
    /// For denials: each single thing without which it would be allowed.
    pub near_misses: Vec<NearMiss>,
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

/// One thing without which a denied request would be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The layer it is in.
    pub layer: Layer,
    /// The statement that denies; `None` when the layer merely does not allow.
    pub statement: Option<Quoted>,
    /// The policies of that layer, where no single statement is to blame.
    pub policies: Vec<String>,
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blocked by {}", self.layer)?;
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
        f.write_str(": without it, allowed")
    }
}

/// Explains a decision made on these layers.
pub fn explain(request: &Request, layers: &Layers<'_>, decision: &Decision) -> Explanation {
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
            }
        }
        Decision::Denied(refusal) => Explanation {
            layer: Some(refusal.layer),
            statements: refusal.statement.and_then(quoted).into_iter().collect(),
            near_misses: near_misses(request, layers),
        },
        Decision::Conditional(conditional) => {
            let mut statements = from_grant(&conditional.grant);
            statements.extend(conditional.refusal.statement.and_then(quoted));
            Explanation {
                layer: Some(conditional.refusal.layer),
                statements,
                near_misses: Vec::new(),
            }
        }
        Decision::Unknown(unknown) => Explanation {
            layer: unknown.gaps.first().map(|gap| gap.layer),
            statements: Vec::new(),
            near_misses: Vec::new(),
        },
    }
}

/// The statement at a place, quoted.
pub fn quote(layers: &Layers<'_>, cite: Cite) -> Option<Quoted> {
    let attached = layers.cited(cite)?;
    let statement = attached.policy.statement(cite.statement)?;
    Some(Quoted {
        cite,
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

/// Takes away one thing at a time and decides again.
fn near_misses(request: &Request, layers: &Layers<'_>) -> Vec<NearMiss> {
    let mut out = Vec::new();
    let allowed = |layers: &Layers<'_>, lens: &Lens| settle(request, layers, lens).0.is_possible();
    for layer in layers.present() {
        for (policy, attached) in layers.policies(layer).iter().enumerate() {
            for (statement, compiled) in attached.policy.statements.iter().enumerate() {
                let cite = Cite {
                    layer,
                    policy,
                    statement,
                };
                let lens = Lens {
                    skip: Some(cite),
                    ..Lens::default()
                };
                if compiled.effect == Effect::Deny
                    && compiled.covers_action(request.action())
                    && allowed(layers, &lens)
                {
                    let statement = quote(layers, cite);
                    out.push(NearMiss {
                        layer,
                        statement,
                        policies: Vec::new(),
                    });
                }
            }
        }
        if let Some(without) = without(layers, layer)
            && !out.iter().any(|miss: &NearMiss| miss.layer == layer)
            && allowed(&without.as_layers(), &Lens::default())
        {
            let policies = layers
                .policies(layer)
                .iter()
                .map(|a| a.name.to_string())
                .collect();
            out.push(NearMiss {
                layer,
                statement: None,
                policies,
            });
        }
    }
    out
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
        Layer::Identity | Layer::Resource | Layer::Acl | Layer::Rcp(_) => return None,
    }
    Some(Without { layers, scps })
}
