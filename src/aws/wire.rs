//! Requests and answers of the protocols that the generic client speaks.

use http::Uri;
use palisade_model::listing::{Service, Wire};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use roxmltree::{Document, Node};
use serde_json::{Map, Value, json};

/// A request before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) service: &'static Service,
    pub(crate) operation: &'static str,
    /// `GET /path/{parameter}` for REST services.
    pub(crate) route: &'static str,
    pub(crate) parameters: Vec<(String, Value)>,
}

/// What goes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) method: &'static str,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// Unreserved characters of RFC 3986 stay as they are.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

impl Question {
    pub(crate) fn message(&self) -> Message {
        match &self.service.wire {
            Wire::Json { target, version } => Message {
                method: "POST",
                target: "/".to_owned(),
                headers: vec![
                    ("content-type", format!("application/x-amz-json-{version}")),
                    ("x-amz-target", format!("{target}.{}", self.operation)),
                ],
                body: Value::Object(self.members(&[])).to_string(),
            },
            Wire::Query { version } => self.form(version, ".member."),
            Wire::Ec2 { version } => self.form(version, "."),
            Wire::RestJson | Wire::RestXml => self.rest(),
        }
    }

    fn members(&self, left_out: &[&str]) -> Map<String, Value> {
        self.parameters
            .iter()
            .filter(|(name, _)| !left_out.contains(&name.as_str()))
            .cloned()
            .collect()
    }

    fn form(&self, version: &str, infix: &str) -> Message {
        let mut body = format!("Action={}&Version={version}", self.operation);
        for (name, value) in &self.parameters {
            match value {
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        let item = encode(&plain(item));
                        body.push_str(&format!("&{name}{infix}{}={item}", index + 1));
                    }
                }
                value => body.push_str(&format!("&{name}={}", encode(&plain(value)))),
            }
        }
        Message {
            method: "POST",
            target: "/".to_owned(),
            headers: vec![(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
            )],
            body,
        }
    }

    fn rest(&self) -> Message {
        let (method, path) = self.route.split_once(' ').unwrap_or(("GET", self.route));
        let mut target = path.to_owned();
        let mut in_path = Vec::new();
        for (name, value) in &self.parameters {
            let place = format!("{{{name}}}");
            if target.contains(&place) {
                target = target.replace(&place, &encode(&plain(value)));
                in_path.push(name.as_str());
            }
        }
        let rest = self.members(&in_path);
        if method == "GET" {
            let mut query: Vec<String> = Vec::new();
            for (name, value) in &rest {
                let values = match value {
                    Value::Array(items) => items.iter().collect(),
                    value => vec![value],
                };
                for value in values {
                    query.push(format!("{}={}", encode(name), encode(&plain(value))));
                }
            }
            if !query.is_empty() {
                let sign = if target.contains('?') { '&' } else { '?' };
                target = format!("{target}{sign}{}", query.join("&"));
            }
        }
        let has_body = method != "GET";
        Message {
            method: if has_body { "POST" } else { "GET" },
            target,
            headers: if has_body {
                vec![("content-type", "application/json".to_owned())]
            } else {
                Vec::new()
            },
            body: if has_body {
                Value::Object(rest).to_string()
            } else {
                String::new()
            },
        }
    }

    /// Reads the body of a successful answer; `None` when it is not one.
    pub(crate) fn read(&self, body: &[u8]) -> Option<Value> {
        match self.service.wire {
            Wire::Json { .. } | Wire::RestJson => {
                serde_json::from_slice(body).ok().filter(Value::is_object)
            }
            Wire::Query { .. } => self.read_xml(body, true),
            Wire::Ec2 { .. } | Wire::RestXml => self.read_xml(body, false),
        }
    }

    fn read_xml(&self, body: &[u8], wrapped: bool) -> Option<Value> {
        let document = Document::parse(std::str::from_utf8(body).ok()?).ok()?;
        let root = document.root_element();
        let name = root.tag_name().name();
        if matches!(self.service.wire, Wire::RestXml) {
            return (!name.eq_ignore_ascii_case("html")).then(|| object_of(root));
        }
        if name != format!("{}Response", self.operation) {
            return None;
        }
        let result = wrapped.then(|| {
            root.children()
                .find(|child| child.tag_name().name() == format!("{}Result", self.operation))
        });
        Some(object_of(result.flatten().unwrap_or(root)))
    }
}

/// The host and path an endpoint URL adds a target to.
pub(crate) fn join(endpoint: &str, target: &str) -> Result<Uri, http::uri::InvalidUri> {
    format!("{}{target}", endpoint.trim_end_matches('/')).parse()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn object_of(node: Node<'_, '_>) -> Value {
    match value_of(node) {
        Value::Object(members) => Value::Object(members),
        _ => json!({}),
    }
}

fn value_of(node: Node<'_, '_>) -> Value {
    let mut members = Map::new();
    for child in node.children().filter(Node::is_element) {
        let value = value_of(child);
        match members.get_mut(child.tag_name().name()) {
            None => {
                members.insert(child.tag_name().name().to_owned(), value);
            }
            Some(Value::Array(items)) => items.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    if !members.is_empty() {
        return Value::Object(members);
    }
    match node.text() {
        Some(text) if !text.trim().is_empty() => Value::String(text.to_owned()),
        _ => Value::Null,
    }
}

/// The code and message of an error answer in any of the protocols; empty where there is none.
pub(crate) fn error_of(header: Option<&str>, body: &[u8]) -> (String, String) {
    let mut code = header.map(short).unwrap_or_default();
    let mut message = String::new();
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        let text = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| value.get(*name).and_then(Value::as_str))
                .unwrap_or_default()
                .to_owned()
        };
        if code.is_empty() {
            code = short(&text(&["__type", "code", "Code"]));
        }
        message = text(&["message", "Message", "errorMessage"]);
    } else if let Some(document) = std::str::from_utf8(body)
        .ok()
        .and_then(|text| Document::parse(text).ok())
    {
        let find = |name: &str| {
            document
                .descendants()
                .find(|node| node.tag_name().name() == name)
                .and_then(|node| node.text())
                .unwrap_or_default()
                .to_owned()
        };
        if !document
            .root_element()
            .tag_name()
            .name()
            .eq_ignore_ascii_case("html")
        {
            code = find("Code");
            message = find("Message");
        }
    }
    (code, message)
}

/// `aws.protocols#Name:http://…` is `Name`.
fn short(code: &str) -> String {
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    static REST: Service = Service {
        prefix: "eks",
        host: "eks",
        signs: "eks",
        wire: Wire::RestJson,
        regions: &[],
    };
    static EC2: Service = Service {
        prefix: "ec2",
        host: "ec2",
        signs: "ec2",
        wire: Wire::Ec2 {
            version: "2016-11-15",
        },
        regions: &[],
    };

    fn question(
        service: &'static Service,
        operation: &'static str,
        route: &'static str,
        parameters: &[(&str, Value)],
    ) -> Question {
        let parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        Question {
            service,
            operation,
            route,
            parameters,
        }
    }

    #[test]
    fn rest_parameters_go_into_path_and_query() {
        let parameters = [("name", json!("a/b c")), ("next", json!("x=="))];
        let message = question(&REST, "X", "GET /clusters/{name}", &parameters).message();
        assert_eq!(message.target, "/clusters/a%2Fb%20c?next=x%3D%3D");
    }

    #[test]
    fn form_lists_are_numbered() {
        let parameters = [("Owner", json!(["self"])), ("MaxResults", json!(5))];
        let message = question(&EC2, "DescribeSnapshots", "", &parameters).message();
        assert_eq!(
            message.body,
            "Action=DescribeSnapshots&Version=2016-11-15&Owner.1=self&MaxResults=5"
        );
    }

    #[test]
    fn junk_is_not_an_answer() {
        let question = question(&EC2, "DescribeInstances", "", &[]);
        for junk in [
            "<html><body>hello</body></html>",
            "",
            "{}",
            "<DescribeInstancesResp",
        ] {
            assert_eq!(question.read(junk.as_bytes()), None, "{junk}");
        }
        let json = Question {
            service: &REST,
            ..question
        };
        for junk in ["<html>", "[]", "\"x\"", "{\"a\":"] {
            assert_eq!(json.read(junk.as_bytes()), None, "{junk}");
        }
    }

    #[test]
    fn errors_of_all_protocols_are_read() {
        let json = br#"{"__type":"com.amazonaws.x#AccessDeniedException","Message":"no"}"#;
        assert_eq!(
            error_of(None, json),
            ("AccessDeniedException".into(), "no".into())
        );
        let header = Some("ResourceNotFoundException:http://x");
        assert_eq!(error_of(header, b"{}").0, "ResourceNotFoundException");
        let xml = b"<Response><Errors><Error><Code>AuthFailure</Code><Message>m</Message>\
                    </Error></Errors></Response>";
        assert_eq!(error_of(None, xml), ("AuthFailure".into(), "m".into()));
        assert_eq!(error_of(None, b"<html><Code>x</Code></html>").0, "");
    }
}
