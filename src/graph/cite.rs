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
        let (action, context) = (&asked.call.action, &asked.call.context);
        let resource = asked.resource.as_str();
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
                let statements: Vec<Statement> =
                    explained.statements.iter().map(statement).collect();
                let conditions: Vec<Condition> = residual
                    .and_then(Residual::easiest)
                    .into_iter()
                    .flat_map(|clause| &clause.terms)
                    .map(|term| condition(actor, resource, (term, &statements)))
                    .collect();
                (statements, conditions)
            },
        );
        let mut shown: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in context {
            shown.entry(key.clone()).or_default().push(value.clone());
        }
        Request {
            principal: actor.node(),
            action: action.clone(),
            resource: resource.to_owned(),
            context: shown,
            status: asked.status,
            statements,
            conditions,
            detection: asked.heard.unwrap_or_default(),
        }
    }
}

fn condition(
    actor: &Actor,
    resource: &str,
    (term, statements): (&Term, &[Statement]),
) -> Condition {
    let key = as_written(&term.key, statements);
    Condition {
        requirement: term.to_string().replacen(&term.key, &key, 1),
        key,
        by_caller: condition_row(actor, resource, term) == "by-caller",
    }
}

/// A condition key as the policies spell it: keys are told apart without regard to case.
fn as_written(key: &str, statements: &[Statement]) -> String {
    let wanted = format!("\"{key}\"");
    let found = statements.iter().find_map(|statement| {
        let at = statement.text.to_ascii_lowercase().find(&wanted)?;
        statement.text.get(at + 1..at + 1 + key.len())
    });
    found.unwrap_or(key).to_owned()
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
