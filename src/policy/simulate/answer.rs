//! A decision as one line of output.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::Fault;
use super::case::Case;
use crate::policy::decide::{Decision, decide};
use crate::policy::document::{Value, position, read_json};
use crate::policy::explain::{self, Explanation};
use crate::policy::residual::{Residual, Term};

/// Decides one request.
pub(super) fn answer(text: &str) -> Result<Json, Fault> {
    let source: Arc<str> = text.into();
    let value = read_json(text).map_err(|fault| {
        let (_, column) = position(text, fault.offset);
        Fault {
            id: None,
            message: format!("column {column}: {}", fault.message),
        }
    })?;
    let id = value.get("id").map(Value::plain);
    let case = Case::of(&value, &source).map_err(|message| Fault {
        id: id.clone(),
        message,
    })?;
    let layers = case.layers();
    let decision = decide(&case.request, &layers);
    let mut out = Map::new();
    out.insert("id".to_owned(), id.unwrap_or(Json::Null));
    if case.open {
        out.insert("verdict".to_owned(), json!(verdict(&decision)));
    }
    // An empty list of unknown keys leaves nothing open.
    if !case.request.context.has_unknowns() {
        out.insert("result".to_owned(), json!(result(&decision)));
    }
    let explanation = explain::explain(&case.request, &layers, &decision);
    describe(&mut out, &decision, &explanation);
    if !case.notes.is_empty() {
        out.insert("notes".to_owned(), json!(case.notes));
    }
    Ok(Json::Object(out))
}

/// The word for a decision on a request of which every key is known.
pub fn result(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allowed(_) => "Allowed",
        Decision::Denied(refusal) if refusal.is_explicit() => "ExplicitlyDenied",
        Decision::Denied(_) => "ImplicitlyDenied",
        Decision::Conditional(_) => "Conditional",
        Decision::Unknown(_) => "Unknown",
    }
}

fn verdict(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allowed(_) => "Allowed",
        Decision::Denied(_) => "Denied",
        Decision::Conditional(_) => "Conditional",
        Decision::Unknown(_) => "Unknown",
    }
}

fn describe(out: &mut Map<String, Json>, decision: &Decision, explanation: &Explanation) {
    if let Some(layer) = explanation.layer {
        out.insert("layer".to_owned(), json!(layer.word()));
    }
    let statements: Vec<Json> = explanation
        .statements
        .iter()
        .map(|s| {
            json!({
                "layer": s.cite.layer.word(), "policy": s.policy, "index": s.cite.statement,
                "sid": s.sid, "effect": s.effect.to_string(),
            })
        })
        .collect();
    out.insert("statements".to_owned(), Json::Array(statements));
    match decision {
        Decision::Conditional(conditional) => {
            out.insert("residual".to_owned(), residual(&conditional.residual));
        }
        Decision::Unknown(unknown) => {
            let gaps: Vec<Json> = unknown
                .gaps
                .iter()
                .map(|g| json!({"layer": g.layer.word(), "policy": g.name, "reason": g.reason}))
                .collect();
            out.insert("gaps".to_owned(), Json::Array(gaps));
            let unless = unknown.unless_refused.is_some();
            out.insert("allowedUnlessRefused".to_owned(), json!(unless));
            if let Some(left) = &unknown.residual {
                out.insert("residual".to_owned(), residual(left));
            }
        }
        Decision::Allowed(_) | Decision::Denied(_) => {}
    }
    if !explanation.near_misses.is_empty() {
        let misses = explanation
            .near_misses
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        out.insert("nearMisses".to_owned(), json!(misses));
    }
    if !explanation.notes.is_empty() {
        out.insert("remarks".to_owned(), json!(explanation.notes));
    }
}

/// One condition as JSON.
pub fn term(term: &Term) -> Json {
    json!({
        "key": term.key, "operator": term.operator.to_string(), "values": term.values,
        "control": term.control.word(),
    })
}

/// A residual as JSON: alternatives of terms.
pub fn residual(residual: &Residual) -> Json {
    let clauses: Vec<Json> = residual
        .clauses
        .iter()
        .map(|c| c.terms.iter().map(term).collect())
        .collect();
    let mut out = json!({
        "anyOf": clauses, "satisfiableByCaller": residual.satisfiable_by_caller(),
    });
    if residual.imprecise {
        out["imprecise"] = json!(true);
    }
    out
}
