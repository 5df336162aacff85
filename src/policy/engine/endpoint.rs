//! VPC endpoints: where a request is known to come by one, its policy has a say too.
//!
//! Which way a request takes is the caller's choice. So an endpoint's policy counts where
//! `aws:SourceVpce` names the endpoint: in the context of the request, or in the condition under
//! which it would be allowed. A request of which nothing is known of this key is one that may come
//! by no endpoint of the estate.
//!
//! Source: "Control access to VPC endpoints using endpoint policies", AWS PrivateLink Guide.

use std::collections::BTreeSet;

use super::{Engine, Setting};
use crate::policy::compile::Attached;
use crate::policy::condition::{Comparison, SetOperator};
use crate::policy::decide::{Decision, Unknown, decide};
use crate::policy::layers::Layers;
use crate::policy::residual::{Clause, Residual, Term};

const KEY: &str = "aws:sourcevpce";

impl Engine {
    /// Decides, with the policies of endpoints that the answer hangs on.
    pub(super) fn settle(&self, setting: &Setting<'_>) -> Decision {
        let decision = decide(&setting.request, &setting.layers);
        match &decision {
            Decision::Conditional(conditional)
                if setting.layers.endpoint.is_none()
                    && self.names_endpoint(&conditional.residual) =>
            {
                self.by_endpoints(setting, decision)
            }
            _ => decision,
        }
    }

    fn names_endpoint(&self, residual: &Residual) -> bool {
        let terms = residual.clauses.iter().flat_map(|clause| &clause.terms);
        let mut pinned = terms
            .filter(|term| is_pin(term))
            .flat_map(|term| &term.values);
        pinned.any(|id| self.resources.endpoint(id).is_some())
    }

    /// The same decision once the policies of the endpoints it names are asked.
    fn by_endpoints(&self, setting: &Setting<'_>, decision: Decision) -> Decision {
        let Decision::Conditional(conditional) = &decision else {
            return decision;
        };
        let mut clauses: BTreeSet<Clause> = BTreeSet::new();
        let mut gaps = Vec::new();
        let mut refused = None;
        let mut imprecise = conditional.residual.imprecise;
        for clause in &conditional.residual.clauses {
            let Some(pin) = clause.terms.iter().position(is_pin) else {
                clauses.insert(clause.clone());
                continue;
            };
            for id in &clause.terms[pin].values {
                let pinned = |mut terms: Vec<Term>| {
                    terms.retain(|term| term.key != KEY);
                    terms.push(Term::new(KEY, clause.terms[pin].operator, vec![id.clone()]));
                    terms.sort();
                    Clause { terms }
                };
                let Some(policy) = self.resources.endpoint(id) else {
                    clauses.insert(pinned(clause.terms.clone()));
                    continue;
                };
                match through(setting, id, policy) {
                    Decision::Allowed(_) => {
                        clauses.insert(pinned(Vec::new()));
                    }
                    Decision::Conditional(rest) => {
                        imprecise |= rest.residual.imprecise;
                        let rest = rest.residual.clauses.into_iter();
                        clauses.extend(rest.map(|clause| pinned(clause.terms)));
                    }
                    Decision::Denied(refusal) => refused = Some(refusal),
                    Decision::Unknown(unknown) => gaps.extend(unknown.gaps),
                }
            }
        }
        if !gaps.is_empty() {
            gaps.sort();
            gaps.dedup();
            return Decision::Unknown(Unknown {
                gaps,
                residual: Some(conditional.residual.clone()),
                unless_refused: Some(conditional.grant),
            });
        }
        if let (true, Some(refusal)) = (clauses.is_empty(), refused) {
            return Decision::Denied(refusal);
        }
        let mut conditional = conditional.clone();
        conditional.residual = Residual {
            clauses: clauses.into_iter().collect(),
            imprecise,
        };
        Decision::Conditional(conditional)
    }
}

/// Whether a term says which endpoint a request comes by.
fn is_pin(term: &Term) -> bool {
    let operator = term.operator;
    term.key == KEY
        && operator.set == SetOperator::None
        && !operator.negated
        && !operator.if_exists
        && matches!(
            operator.comparison,
            Comparison::StringEquals | Comparison::StringEqualsIgnoreCase | Comparison::StringLike
        )
}

/// The decision on a request that comes by one endpoint.
fn through(setting: &Setting<'_>, id: &str, policy: &[Attached]) -> Decision {
    let mut request = setting.request.clone();
    request.context.set(KEY, id);
    let layers = Layers {
        endpoint: Some(policy),
        ..setting.layers
    };
    decide(&request, &layers)
}
