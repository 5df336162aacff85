//! A request line, read: the fields of a case, owned.

use std::sync::Arc;

use crate::policy::acl::{self, Granted, ListOf};
use crate::policy::compile::{Attached, CompiledPolicy};
use crate::policy::context::Context;
use crate::policy::document::{Document, Node, Value, position, read_json};
use crate::policy::layers::{Layers, Switch};
use crate::policy::request::Request;

/// One request as it was sent: everything [`crate::policy::decide`] needs, owned.
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
    acl: Option<Vec<Attached>>,
    grants: Option<Vec<Attached>>,
    restrict_public_buckets: Switch,
    /// What was odd about its policies, and what was made of it.
    pub(super) notes: Vec<String>,
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

    pub(super) fn of(value: &Value, source: &Arc<str>) -> Result<Self, String> {
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
        let blocks = |one: &str| {
            let block = settings.and_then(|s| s.get("blockPublicAccess"));
            // One flag for all, or the S3 API's four.
            block.and_then(|b| truth(b).or_else(|| b.get(one).and_then(truth))) == Some(true)
        };
        let context = match flag("bucketAbacEnabled") {
            Some(false) => without_bucket_tags(context, resource),
            _ => context,
        };
        let account = text("resourceAccount")?.filter(|account| !account.is_empty());
        let mut reader = Reader {
            source,
            notes: Vec::new(),
        };
        let mut list = |name: &str| reader.policies(value.get(name), name);
        let (identity, boundary) = (list("identityPolicies"), list("boundary"));
        let (session, on_resource) = (list("sessionPolicy"), list("resourcePolicy"));
        let endpoint = list("vpcEndpointPolicies");
        let (scps, rcps) = (
            reader.levels(value.get("scps"), "scps")?,
            reader.levels(value.get("rcps"), "rcps")?,
        );
        Ok(Self {
            request: Request::new(principal, action, resource, account, context),
            open,
            identity: identity.unwrap_or_default(),
            boundary,
            session,
            scps,
            rcps: rcps.unwrap_or_default(),
            resource: on_resource,
            endpoint,
            acl: settings.and_then(|s| list_of_grants(s, resource, blocks("IgnorePublicAcls"))),
            grants: key_grants(value)?,
            restrict_public_buckets: blocks("RestrictPublicBuckets").into(),
            notes: reader.notes,
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
            acl: self.acl.as_deref(),
            grants: self.grants.as_deref(),
            endpoint: self.endpoint.as_deref(),
            restrict_public_buckets: self.restrict_public_buckets,
        }
    }
}

fn truth(value: &Value) -> Option<bool> {
    match &value.node {
        Node::Bool(flag) => Some(*flag),
        Node::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn context(value: &Value) -> Result<(Context, bool), String> {
    let mut out = Context::closed();
    let members = match value.get("context") {
        None
        | Some(Value {
            node: Node::Null, ..
        }) => &[][..],
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
        None
        | Some(Value {
            node: Node::Null, ..
        }) => return Ok((out, false)),
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

/// The access control list, where it counts.
fn list_of_grants(settings: &Value, resource: &str, ignore_public: bool) -> Option<Vec<Attached>> {
    let ownership = settings.get("objectOwnership").and_then(Value::as_str);
    if ownership == Some("BucketOwnerEnforced") {
        return None;
    }
    let grants: Vec<Granted<'_>> = settings
        .get("acl")?
        .items()
        .iter()
        .filter_map(|grant| {
            let text = |name: &str| grant.get(name).and_then(Value::as_str);
            Some(Granted {
                grantee: text("grantee")?,
                permission: text("permission")?,
            })
        })
        .filter(|grant| !(ignore_public && grant.is_public()))
        .collect();
    let list = if resource.contains('/') {
        ListOf::Object
    } else {
        ListOf::Bucket
    };
    let statements = acl::statements(list, &grants)?;
    let policy = CompiledPolicy::read(&acl::document(&statements));
    Some(vec![Attached::new("acl", Arc::new(policy))])
}

/// The grants of the KMS key, as `ListGrants` writes them; `None` when nothing is said of them.
fn key_grants(value: &Value) -> Result<Option<Vec<Attached>>, String> {
    let settings = value.get("settings").and_then(|s| s.get("kms"));
    let Some(grants) = settings.and_then(|s| s.get("grants")) else {
        return Ok(None);
    };
    let Node::List(grants) = &grants.node else {
        return Err("`settings.kms.grants` is not a list".to_owned());
    };
    let grants: Vec<_> = grants.iter().map(Value::plain).collect();
    let text = crate::policy::kms_grants::document(&grants);
    let attach = |text: String| Attached::new("grants", Arc::new(CompiledPolicy::read(&text)));
    Ok(Some(text.map(attach).into_iter().collect()))
}

/// Reads policies and notes what was odd about them.
struct Reader<'a> {
    source: &'a Arc<str>,
    notes: Vec<String>,
}

impl Reader<'_> {
    /// One policy or a list of them; `None` when the field is not there.
    fn policies(&mut self, value: Option<&Value>, name: &str) -> Option<Vec<Attached>> {
        let value = value.filter(|value| value.node != Node::Null)?;
        let mut out = Vec::new();
        for (place, item) in value.items().iter().enumerate() {
            let label = match value.node {
                Node::List(_) => format!("{name}[{place}]"),
                _ => name.to_owned(),
            };
            let policy = self.policy(item, &label);
            out.push(Attached::new(label, Arc::new(policy)));
        }
        Some(out)
    }

    /// A policy that does not parse is unknown, and the rest is read.
    fn policy(&mut self, value: &Value, label: &str) -> CompiledPolicy {
        // Some exports wrap the document with its name.
        let inner = ["policy", "Policy", "PolicyDocument", "document"]
            .into_iter()
            .find_map(|name| value.get(name))
            .filter(|_| value.get("Statement").is_none())
            .unwrap_or(value);
        let document = match inner.as_str() {
            Some(text) => Document::parse(text),
            None => Document::from_value(inner, self.source),
        };
        match document {
            Ok(document) => {
                let said = document.notes.iter();
                self.notes
                    .extend(said.map(|note| format!("{label}: {}", note.message)));
                CompiledPolicy::compile(document)
            }
            Err(error) => CompiledPolicy::malformed(&error),
        }
    }

    fn levels(
        &mut self,
        value: Option<&Value>,
        name: &str,
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
            out.push(self.policies(Some(level), &label).unwrap_or_default());
        }
        Ok(Some(out))
    }
}
