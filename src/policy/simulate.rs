//! A policy simulator over lines: one request in, one decision out.
//!
//! Requests are JSON objects, one a line:
//!
//! | field | meaning |
//! | --- | --- |
//! | `id` | echoed |
//! | `principal` | user, role, session, identity provider ARN, service principal, or `anonymous` |
//! | `action`, `resource`, `resourceAccount` | `resource` is `*` for actions that take none |
//! | `context` | object: text, numbers, booleans, or lists of them; a key not there is absent |
//! | `unknownKeys` | keys of which neither presence nor value is known |
//! | `identityPolicies`, `boundary`, `sessionPolicy` | policies; one or a list |
//! | `scps`, `rcps` | one list of policies for each level, root first |
//! | `resourcePolicy`, `vpcEndpointPolicies` | policies; one or a list |
//! | `settings.s3` | `blockPublicAccess`, `bucketAbacEnabled` |
//!
//! A policy is an object, or a text that holds one. With `unknownKeys` the answer has a
//! `verdict` and, where conditional, a `residual`; otherwise a `result`.

use std::io::{self, BufRead, Write};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::compile::{Attached, CompiledPolicy};
use super::context::Context;
use super::decide::{Decision, decide};
use super::document::{Document, Node, Value, position, read_json};
use super::explain::{self, Explanation};
use super::layers::Layers;
use super::request::Request;
use super::residual::{Residual, Term};

/// Reads requests line by line and writes one line for each; empty lines are passed over.
///
/// A line that is no request becomes an object with `error` and `line`, and the next line is
/// read all the same.
///
/// # Errors
/// Only when reading or writing fails.
pub fn run(mut reader: impl BufRead, mut writer: impl Write) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut line = 0_usize;
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            return writer.flush();
        }
        line += 1;
        let text = String::from_utf8_lossy(&bytes);
        let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}');
        if trimmed.is_empty() {
            continue;
        }
        let answer = answer(trimmed).unwrap_or_else(|fault| {
            let mut out = Map::new();
            if let Some(id) = fault.id {
                out.insert("id".to_owned(), id);
            }
            out.insert("error".to_owned(), json!(fault.message));
            out.insert("line".to_owned(), json!(line));
            Json::Object(out)
        });
        writeln!(writer, "{answer}")?;
    }
}

/// Why a line is no request.
struct Fault {
    id: Option<Json>,
    message: String,
}

/// One request as it was sent: everything [`decide`] needs, owned.
#[derive(Debug, Clone)]
pub struct Case {
    /// The request.
    pub request: Request,
    /// Whether some keys are unknown, so that the answer is a verdict.
    pub open: bool,
    identity: Vec<Attached>,
    boundary: Option<Vec<Attached>>,
    session: Option<Vec<Attached>>,
    scps: Option<Vec<Vec<Attached>>>,
    rcps: Vec<Vec<Attached>>,
    resource: Option<Vec<Attached>>,
    endpoint: Option<Vec<Attached>>,
    restrict_public_buckets: bool,
}

impl Case {
    /// Reads one request from its JSON text.
    ///
    /// # Errors
    /// What was wrong with it, in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let source: Arc<str> = text.into();
        let value = read_json(text).map_err(|fault| {
            let (_, column) = position(text, fault.offset);
            format!("column {column}: {}", fault.message)
        })?;
        Self::of(&value, &source)
    }

    fn of(value: &Value, source: &Arc<str>) -> Result<Self, String> {
        let Node::Object(_) = value.node else {
            return Err("a request is an object".to_owned());
        };
        let text = |name: &str| -> Result<Option<&str>, String> {
            match value.get(name).map(|v| (&v.node, v)) {
                None | Some((Node::Null, _)) => Ok(None),
                Some((Node::String(text), _)) => Ok(Some(text)),
                Some((Node::Number(text), _)) => Ok(Some(text)),
                Some(_) => Err(format!("`{name}` is not text")),
            }
        };
        let needed = |name: &str| text(name)?.ok_or_else(|| format!("`{name}` is missing"));
        let (context, open) = context(value)?;
        let (principal, action) = (needed("principal")?, needed("action")?);
        if !action.contains(':') {
            return Err(format!("`action` is not `service:Name`: `{action}`"));
        }
        let resource = text("resource")?.unwrap_or("*");
        let settings = value.get("settings").and_then(|s| s.get("s3"));
        let flag = |name: &str| settings.and_then(|s| s.get(name)).and_then(truth);
        let context = match flag("bucketAbacEnabled") {
            Some(false) => without_bucket_tags(context, resource),
            _ => context,
        };
        let account = text("resourceAccount")?.filter(|account| !account.is_empty());
        let list = |name: &str| policies(value.get(name), name, source);
        let levels = |name: &str| self::levels(value.get(name), name, source);
        Ok(Self {
            request: Request::new(principal, action, resource, account, context),
            open,
            identity: list("identityPolicies")?.unwrap_or_default(),
            boundary: list("boundary")?,
            session: list("sessionPolicy")?,
            scps: levels("scps")?,
            rcps: levels("rcps")?.unwrap_or_default(),
            resource: list("resourcePolicy")?,
            endpoint: list("vpcEndpointPolicies")?,
            restrict_public_buckets: flag("blockPublicAccess") == Some(true),
        })
    }

    /// The layers of the request.
    pub fn layers(&self) -> Layers<'_> {
        Layers {
            identity: &self.identity,
            boundary: self.boundary.as_deref(),
            session: self.session.as_deref(),
            scps: self.scps.as_deref(),
            rcps: &self.rcps,
            resource: self.resource.as_deref(),
            endpoint: self.endpoint.as_deref(),
            restrict_public_buckets: self.restrict_public_buckets,
        }
    }
}

fn truth(value: &Value) -> Option<bool> {
    match &value.node {
        Node::Bool(flag) => Some(*flag),
        Node::String(text) => text.parse().ok(),
        // The S3 API's four flags, of which one decides about public policies.
        Node::Object(_) => value.get("RestrictPublicBuckets").and_then(truth),
        _ => None,
    }
}

fn context(value: &Value) -> Result<(Context, bool), String> {
    let mut out = Context::closed();
    let members = match value.get("context") {
        None => &[][..],
        Some(context) => context.members().ok_or("`context` is not an object")?,
    };
    for member in members {
        let mut values = Vec::new();
        for item in member.value.items() {
            match &item.node {
                Node::String(text) | Node::Number(text) => values.push(text.clone()),
                Node::Bool(flag) => values.push(flag.to_string()),
                Node::Null => {}
                _ => return Err(format!("context key `{}` holds no text", member.key)),
            }
        }
        out.set_all(&member.key, values);
    }
    let unknown = match value.get("unknownKeys") {
        None => return Ok((out, false)),
        Some(keys) => keys.items(),
    };
    for key in unknown {
        let key = key.as_str().ok_or("`unknownKeys` holds no text")?;
        out.set_unknown(key);
    }
    Ok((out, true))
}

/// Tag keys of a general purpose bucket count only once ABAC is enabled for it.
///
/// Source: "Using tags for attribute-based access control in S3 general purpose buckets", S3
/// User Guide.
fn without_bucket_tags(context: Context, resource: &str) -> Context {
    let is_bucket = resource.starts_with("arn:") && resource.contains(":s3:::");
    if !is_bucket || resource.contains('/') {
        return context;
    }
    context.without(|key| key.starts_with("aws:resourcetag/") || key.starts_with("s3:buckettag/"))
}

/// One policy or a list of them; `None` when the field is not there.
fn policies(
    value: Option<&Value>,
    name: &str,
    source: &Arc<str>,
) -> Result<Option<Vec<Attached>>, String> {
    let Some(value) = value.filter(|value| value.node != Node::Null) else {
        return Ok(None);
    };
    let mut out = Vec::new();
    for (place, item) in value.items().iter().enumerate() {
        let label = match value.node {
            Node::List(_) => format!("{name}[{place}]"),
            _ => name.to_owned(),
        };
        out.push(Attached::new(label, Arc::new(policy(item, source))));
    }
    Ok(Some(out))
}

fn policy(value: &Value, source: &Arc<str>) -> CompiledPolicy {
    if let Some(text) = value.as_str() {
        return CompiledPolicy::read(text);
    }
    // Some exports wrap the document with its name.
    let inner = ["policy", "Policy", "PolicyDocument", "document"]
        .into_iter()
        .find_map(|name| value.get(name))
        .filter(|_| value.get("Statement").is_none());
    match inner {
        Some(Value {
            node: Node::String(text),
            ..
        }) => CompiledPolicy::read(text),
        inner => match Document::from_value(inner.unwrap_or(value), source) {
            Ok(document) => CompiledPolicy::compile(document),
            Err(error) => CompiledPolicy::malformed(&error),
        },
    }
}

fn levels(
    value: Option<&Value>,
    name: &str,
    source: &Arc<str>,
) -> Result<Option<Vec<Vec<Attached>>>, String> {
    let Some(value) = value.filter(|value| value.node != Node::Null) else {
        return Ok(None);
    };
    let Node::List(levels) = &value.node else {
        return Err(format!("`{name}` is not a list of levels"));
    };
    let mut out = Vec::new();
    for (place, level) in levels.iter().enumerate() {
        let label = format!("{name}[{place}]");
        out.push(policies(Some(level), &label, source)?.unwrap_or_default());
    }
    Ok(Some(out))
}

fn answer(text: &str) -> Result<Json, Fault> {
    let source: Arc<str> = text.into();
    let value = read_json(text).map_err(|fault| {
        let (_, column) = position(text, fault.offset);
        Fault {
            id: None,
            message: format!("column {column}: {}", fault.message),
        }
    })?;
    let id = value.get("id").map(plain);
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
    Ok(Json::Object(out))
}

/// A JSON scalar of ours as one of serde's.
fn plain(value: &Value) -> Json {
    match &value.node {
        Node::Bool(flag) => json!(flag),
        Node::String(text) => json!(text),
        Node::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        _ => Json::Null,
    }
}

fn result(decision: &Decision) -> &'static str {
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
}

/// A residual as JSON: alternatives of terms.
pub fn residual(residual: &Residual) -> Json {
    let term = |term: &Term| {
        json!({
            "key": term.key, "operator": term.operator.to_string(), "values": term.values,
            "control": term.control.word(),
        })
    };
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
