//! A request as reports show it: the statements that settle it and the conditions that remain.

use std::collections::BTreeMap;

use super::actor::Actor;
use super::ask::{Asked, condition_row};
use super::judge::Judge;
use super::{Condition, Request, Statement};
use crate::policy::explain::{Quoted, explain};
use crate::policy::{Decision, Residual, Term, decide};

impl Judge<'_> {
    /// The request as reports show it, with the statements that settle it.
    pub(crate) fn explain(&self, actor: &Actor, asked: &Asked) -> Request {
        let Asked {
            action,
            resource,
            context,
            ..
        } = asked;
        let (statements, conditions) = self.with_layers(
            actor,
            (action, resource, asked.fresh),
            context,
            |request, layers| {
                let decision = decide(request, layers);
                let explained = explain(request, layers, &decision);
                let residual = match &decision {
                    Decision::Conditional(conditional) => Some(&conditional.residual),
                    Decision::Unknown(unknown) => unknown.residual.as_ref(),
                    _ => None,
                };
                let conditions: Vec<Condition> = residual
                    .and_then(Residual::easiest)
                    .into_iter()
                    .flat_map(|clause| &clause.terms)
                    .map(|term| condition(actor, resource, term))
                    .collect();
                let statements: Vec<Statement> =
                    explained.statements.iter().map(statement).collect();
                (statements, conditions)
            },
        );
        let mut shown = BTreeMap::new();
        for (key, value) in context {
            shown.insert(key.clone(), vec![value.clone()]);
        }
        Request {
            principal: actor.node(),
            action: action.clone(),
            resource: resource.clone(),
            context: shown,
            status: asked.status,
            statements,
            conditions,
            detection: asked.call.unwrap_or_default(),
        }
    }
}

fn condition(actor: &Actor, resource: &str, term: &Term) -> Condition {
    Condition {
        key: term.key.clone(),
        requirement: term.to_string(),
        by_caller: condition_row(actor, resource, term) == "by-caller",
    }
}

fn statement(quoted: &Quoted) -> Statement {
    let label = quoted.sid.clone();
    Statement {
        layer: quoted.cite.layer.word().to_owned(),
        policy: quoted.policy.clone(),
        statement: label.unwrap_or_else(|| format!("statement {}", quoted.cite.statement + 1)),
        text: quoted.text.clone(),
    }
}
