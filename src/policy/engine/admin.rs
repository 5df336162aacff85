//! Who is administrator: an identity-side Allow of `*` on `*`, after the boundary.

use super::Engine;
use crate::policy::compile::Attached;
use crate::policy::context::Context;
use crate::policy::decide::{Decision, Refusal, decide};
use crate::policy::document::Effect;
use crate::policy::layers::{Layer, Layers};
use crate::policy::request::Request;

impl Engine {
    /// Whether a principal is allowed everything on everything by its own policies.
    ///
    /// Its boundary counts; SCPs and RCPs are a ceiling of the account and do not. Denies of
    /// single actions take nothing away: whoever holds the rest can undo them. A union of
    /// statements counts as one that says `*`.
    ///
    /// Works by asking for actions and resources that only "everything" matches, and for an
    /// example of each thing an Allow leaves out.
    pub fn is_administrator(&self, principal: &str) -> Decision {
        let Some(known) = self.principal(principal) else {
            return Decision::Denied(Refusal {
                layer: Layer::Identity,
                statement: None,
            });
        };
        let class = &self.classes[known.class as usize];
        let layers = Layers {
            identity: &class.identity,
            boundary: class.boundary.as_deref(),
            ..Layers::default()
        };
        let mut facts = Context::open();
        self.describe_principal(known, &mut facts);
        let caller = crate::policy::Caller::new(&known.arn, &facts);
        self.describe_caller(&caller, &mut facts);
        let mut worst: Option<Decision> = None;
        for (action, resource) in probes(&layers) {
            let request = Request::by(caller.clone(), &action, &resource, None, facts.clone());
            let decision = decide(&request, &layers);
            if worst.as_ref().is_none_or(|w| rank(&decision) < rank(w)) {
                worst = Some(decision);
            }
            if worst.as_ref().is_some_and(Decision::is_denied) {
                break;
            }
        }
        worst.unwrap_or(Decision::Denied(Refusal {
            layer: Layer::Identity,
            statement: None,
        }))
    }
}

fn rank(decision: &Decision) -> u8 {
    match decision {
        Decision::Denied(_) => 0,
        Decision::Unknown(_) => 1,
        Decision::Conditional(_) => 2,
        Decision::Allowed(_) => 3,
    }
}

/// An action no service has: only `*`, `*:*` and `NotAction` match it.
const ANY_ACTION: &str = "palisade-any:any";

fn probes(layers: &Layers<'_>) -> Vec<(String, String)> {
    let mut out = vec![(ANY_ACTION.to_owned(), "*".to_owned())];
    let boundary = layers.boundary.unwrap_or_default();
    for attached in layers.identity.iter().chain(boundary) {
        out.extend(left_out(attached));
    }
    out
}

/// An example of each action and resource that an Allow leaves out.
fn left_out(attached: &Attached) -> Vec<(String, String)> {
    let Some(document) = attached.policy.document() else {
        return Vec::new();
    };
    let allows = document
        .statements
        .iter()
        .filter(|s| s.effect == Effect::Allow);
    let mut out = Vec::new();
    for statement in allows {
        for action in statement.not_actions.iter().flatten() {
            out.push((example(action), "*".to_owned()));
        }
        for resource in statement.not_resources.iter().flatten() {
            out.push((ANY_ACTION.to_owned(), example(resource)));
        }
    }
    out
}

fn example(pattern: &str) -> String {
    pattern.replace('*', "palisade-any").replace('?', "x")
}
