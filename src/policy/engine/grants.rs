//! Which statements of a principal let it touch a set of resources.

use super::Engine;
use crate::policy::compile::Attached;
use crate::policy::document::{Effect, Statement};
use crate::policy::layers::{Cite, Layer};
use crate::policy::resource::ResourceSet;
use crate::policy::tri::Tri;

/// An identity-based Allow that may touch a set of resources.
#[derive(Debug, Clone, Copy)]
pub struct Granting<'a> {
    /// Its place.
    pub cite: Cite,
    /// Its policy.
    pub attached: &'a Attached,
    /// The statement as written.
    pub statement: &'a Statement,
    /// `Yes`: it covers the whole set without conditions. `Maybe`: part of it, or under
    /// conditions.
    pub extent: Tri,
}

impl Engine {
    /// The identity-based Allows that cover `action` and may touch a resource in the set.
    ///
    /// For resources that do not exist yet: their names must be found before a decision can be
    /// asked ([`super::super::example`] finds one).
    pub fn granting(&self, principal: &str, action: &str, set: &ResourceSet) -> Vec<Granting<'_>> {
        let action = action.to_ascii_lowercase();
        let mut out = Vec::new();
        for (policy, attached) in self.identity_policies(principal).iter().enumerate() {
            for (at, compiled) in attached.policy.statements.iter().enumerate() {
                let Some(statement) = attached.policy.statement(at) else {
                    continue;
                };
                let allows = compiled.effect == Effect::Allow && compiled.covers_action(&action);
                if !allows || !compiled.may_touch(set) {
                    continue;
                }
                let whole = compiled.must_cover(set) && compiled.conditions.is_empty();
                let extent = if whole && !compiled.unreadable {
                    Tri::Yes
                } else {
                    Tri::Maybe
                };
                let cite = Cite {
                    layer: Layer::Identity,
                    policy,
                    statement: at,
                };
                out.push(Granting {
                    cite,
                    attached,
                    statement,
                    extent,
                });
            }
        }
        out
    }
}
