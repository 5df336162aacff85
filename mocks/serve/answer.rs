//! Writing answers: one value, in the spelling of the caller's protocol.

use std::fmt::Write as _;

use http::{Response, StatusCode};
use serde_json::{Map, Value};

use super::call::Call;
use super::failure::{Body, Failure};
use crate::world::hash_text;

/// The protocols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wire {
    /// XML; lists as `<member>`.
    Query,
    /// XML; lists as `<item>`.
    Ec2,
    /// JSON, the operation in a header.
    Json,
    /// JSON, the operation in method and path.
    #[default]
    RestJson,
    /// XML; lists repeat their element.
    S3,
    /// The same with another error form.
    S3Control,
    /// Not spoken here: clients fall back on another.
    Cbor,
}

/// What an operation returns.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) value: Value,
    /// The root element of S3's XML.
    pub(super) root: &'static str,
    /// Whether lists in XML repeat their element instead of holding members.
    pub(super) flat: bool,
}

impl Answer {
    pub(super) fn of(value: Value) -> Answer {
        Answer {
            value,
            root: "",
            flat: false,
        }
    }

    pub(super) fn xml(root: &'static str, value: Value) -> Answer {
        Answer {
            value,
            root,
            flat: true,
        }
    }
}

/// An answer to be written, or one already written.
#[derive(Debug)]
pub(super) enum Reply {
    Answer(Answer),
    Http(Response<Vec<u8>>),
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Reply {
        Reply::Answer(answer)
    }
}

impl Reply {
    /// What a proxy says in AWS's place.
    pub(super) fn html() -> Reply {
        let body = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\
                    <body><h1>Network sign-in</h1></body></html>\n";
        Reply::Http(response(200, "text/html; charset=utf-8", body.into()))
    }

    /// The same answer without anything in it. What is no document of the protocol, such as a
    /// policy or an object, becomes an empty one.
    pub(super) fn hollow(self) -> Reply {
        match self {
            Reply::Answer(answer) => Reply::Answer(Answer {
                value: Value::Object(Map::new()),
                ..answer
            }),
            Reply::Http(written) => Reply::Http(written.map(|_| b"{}".to_vec())),
        }
    }

    /// The same answer with nothing in the rows of its lists.
    pub(super) fn bare(self) -> Reply {
        match self {
            Reply::Answer(mut answer) => {
                empty_rows(&mut answer.value);
                Reply::Answer(answer)
            }
            written => written,
        }
    }
}

fn empty_rows(value: &mut Value) {
    match value {
        Value::Array(rows) => {
            for row in rows.iter_mut().filter(|row| row.is_object()) {
                *row = Value::Object(Map::new());
            }
        }
        Value::Object(members) => members.values_mut().for_each(empty_rows),
        _ => {}
    }
}

pub(super) fn response(status: u16, kind: &str, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if !kind.is_empty()
        && let Ok(kind) = kind.parse()
    {
        response
            .headers_mut()
            .insert(http::header::CONTENT_TYPE, kind);
    }
    response
}

fn request_id(call: &Call) -> String {
    let hash = hash_text(
        32,
        &[&call.account, &call.region, &call.service, &call.operation],
    );
    let parts = [
        &hash[..8],
        &hash[8..12],
        &hash[12..16],
        &hash[16..20],
        &hash[20..],
    ];
    parts.join("-")
}

fn stamp(call: &Call, mut response: Response<Vec<u8>>) -> Response<Vec<u8>> {
    let name = match call.wire {
        Wire::S3 | Wire::S3Control => "x-amz-request-id",
        _ => "x-amzn-requestid",
    };
    if let Ok(id) = request_id(call).parse() {
        response.headers_mut().insert(name, id);
    }
    response
}

/// Writes an answer in the protocol of its call.
pub(super) fn render(call: &Call, reply: Reply) -> Response<Vec<u8>> {
    let answer = match reply {
        Reply::Http(response) => return stamp(call, response),
        Reply::Answer(answer) => answer,
    };
    let written = match call.wire {
        Wire::Json => response(
            200,
            "application/x-amz-json-1.1",
            answer.value.to_string().into_bytes(),
        ),
        Wire::RestJson | Wire::Cbor => response(
            200,
            "application/json",
            answer.value.to_string().into_bytes(),
        ),
        Wire::S3 | Wire::S3Control => {
            let mut xml = String::from(PROLOGUE);
            let space = match call.wire {
                Wire::S3 => "http://s3.amazonaws.com/doc/2006-03-01/",
                _ => "http://awss3control.amazonaws.com/doc/2018-08-20/",
            };
            xml.push_str(&element(answer.root, space, &answer.value, Lists::Repeat));
            response(200, "application/xml", xml.into_bytes())
        }
        Wire::Query => {
            let operation = &call.operation;
            let lists = lists(answer.flat, "member");
            let mut xml = String::from(PROLOGUE);
            let _ = write!(
                xml,
                "<{operation}Response xmlns=\"{}\">",
                namespace(&call.service)
            );
            push(
                &mut xml,
                &format!("{operation}Result"),
                &answer.value,
                lists,
            );
            let id = request_id(call);
            let _ = write!(
                xml,
                "<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\
                 </{operation}Response>"
            );
            response(200, "text/xml", xml.into_bytes())
        }
        Wire::Ec2 => {
            let mut value = Map::from_iter([("requestId".to_owned(), request_id(call).into())]);
            if let Value::Object(map) = answer.value {
                value.extend(map);
            }
            let root = format!("{}Response", call.operation);
            let mut xml = String::from(PROLOGUE);
            xml.push_str(&element(
                &root,
                "http://ec2.amazonaws.com/doc/2016-11-15/",
                &Value::Object(value),
                lists(answer.flat, "item"),
            ));
            response(200, "text/xml;charset=UTF-8", xml.into_bytes())
        }
    };
    stamp(call, written)
}

const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

fn namespace(service: &str) -> &'static str {
    match service {
        "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        "sns" => "http://sns.amazonaws.com/doc/2010-03-31/",
        "cloudwatch" => "http://monitoring.amazonaws.com/doc/2010-08-01/",
        "cloudformation" => "http://cloudformation.amazonaws.com/doc/2010-05-15/",
        _ => "http://amazonaws.com/doc/",
    }
}

#[derive(Clone, Copy)]
enum Lists {
    Within(&'static str),
    Repeat,
}

fn lists(flat: bool, name: &'static str) -> Lists {
    match flat {
        true => Lists::Repeat,
        false => Lists::Within(name),
    }
}

fn element(name: &str, space: &str, value: &Value, lists: Lists) -> String {
    let mut inner = String::new();
    push(&mut inner, name, value, lists);
    match inner.split_once('>') {
        Some((open, rest)) => match open.strip_suffix('/') {
            Some(open) => format!("{open} xmlns=\"{space}\"/>{rest}"),
            None => format!("{open} xmlns=\"{space}\">{rest}"),
        },
        None => inner,
    }
}

/// Writes `value` as the element `name`. A member `@x` becomes the attribute `x`, `#` the text.
fn push(xml: &mut String, name: &str, value: &Value, lists: Lists) {
    match (value, lists) {
        (Value::Null, _) => {}
        (Value::Array(items), Lists::Repeat) => {
            for item in items {
                push(xml, name, item, lists);
            }
        }
        (Value::Array(items), Lists::Within(inner)) => {
            let _ = write!(xml, "<{name}>");
            for item in items {
                push(xml, inner, item, lists);
            }
            let _ = write!(xml, "</{name}>");
        }
        (Value::Object(map), _) => {
            let _ = write!(xml, "<{name}");
            for (key, value) in map {
                if let (Some(key), Value::String(text)) = (key.strip_prefix('@'), value) {
                    let _ = write!(xml, " {key}=\"{}\"", escaped(text));
                }
            }
            xml.push('>');
            for (key, value) in map {
                if key == "#" {
                    xml.push_str(&escaped(value.as_str().unwrap_or_default()));
                } else if !key.starts_with('@') {
                    push(xml, key, value, lists);
                }
            }
            let _ = write!(xml, "</{name}>");
        }
        (Value::String(text), _) => {
            let _ = write!(xml, "<{name}>{}</{name}>", escaped(text));
        }
        (other, _) => {
            let _ = write!(xml, "<{name}>{other}</{name}>");
        }
    }
}

/// Text for XML. Control characters that XML cannot hold are written as references, as S3 does.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            control if control.is_control() => {
                let _ = write!(out, "&#x{:x};", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out
}

/// Writes a refusal in the protocol of its call.
pub(super) fn refuse(call: &Call, failure: &Failure) -> Response<Vec<u8>> {
    if failure.body == Body::Nothing {
        return stamp(call, response(failure.status, "", Vec::new()));
    }
    if failure.body == Body::Garbage {
        let text = b"<html><body>Bad gateway</body></html>".to_vec();
        return stamp(call, response(failure.status, "text/html", text));
    }
    let (code, message) = (&failure.code, &failure.message);
    let error = serde_json::json!({"Code": code, "Message": message});
    let id = request_id(call);
    let mut written = match call.wire {
        Wire::Json => {
            let body = serde_json::json!({"__type": code, "message": message});
            let body = body.to_string().into_bytes();
            response(failure.status, "application/x-amz-json-1.1", body)
        }
        Wire::RestJson => {
            let body = match call.service.as_str() {
                "lambda" => serde_json::json!({"Type": "User", "Message": message}),
                _ => serde_json::json!({"message": message, "__type": code}),
            };
            response(
                failure.status,
                "application/json",
                body.to_string().into_bytes(),
            )
        }
        Wire::Cbor => response(failure.status, "application/cbor", Vec::new()),
        Wire::S3 => {
            let mut map = error;
            for (name, value) in &failure.more {
                map[name] = value.as_str().into();
            }
            map["RequestId"] = id.into();
            let mut xml = String::from(PROLOGUE);
            push(&mut xml, "Error", &map, Lists::Repeat);
            let body = match call.method == http::Method::HEAD {
                true => Vec::new(),
                false => xml.into_bytes(),
            };
            response(failure.status, "application/xml", body)
        }
        Wire::Ec2 => {
            let map = serde_json::json!({"Errors": {"Error": error}, "RequestID": id});
            let mut xml = String::from(PROLOGUE);
            push(&mut xml, "Response", &map, Lists::Repeat);
            response(failure.status, "text/xml;charset=UTF-8", xml.into_bytes())
        }
        Wire::Query | Wire::S3Control => {
            let side = if failure.status >= 500 {
                "Receiver"
            } else {
                "Sender"
            };
            let map = serde_json::json!({
                "Error": {"Type": side, "Code": code, "Message": message},
                "RequestId": id,
            });
            let mut xml = String::from(PROLOGUE);
            xml.push_str(&element(
                "ErrorResponse",
                namespace(&call.service),
                &map,
                Lists::Repeat,
            ));
            response(failure.status, "text/xml", xml.into_bytes())
        }
    };
    if call.wire == Wire::RestJson
        && let Ok(kind) = code.parse()
    {
        written.headers_mut().insert("x-amzn-errortype", kind);
    }
    for (name, value) in &failure.headers {
        if let Ok(value) = value.parse() {
            written.headers_mut().insert(*name, value);
        }
    }
    stamp(call, written)
}
