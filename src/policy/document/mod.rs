//! A policy as written: text → statements, with the place of every statement.
//!
//! It answers for the grammar only. Every spelling AWS stores is accepted: one value or a list,
//! one statement or many, text, number or boolean condition values, element names in any case.
//! What it means is decided in [`super::compile`].
//!
//! Source: "Grammar of the IAM JSON policy language", IAM User Guide.

mod json;
mod read;

pub use json::{Fault, Member, Node, Span, Value, position, read as read_json};

use std::fmt;
use std::sync::Arc;

/// The language version a policy asks for.
///
/// Source: "IAM JSON policy elements: Version". Without the element, AWS assumes 2008-10-17,
/// in which `${…}` is plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Version {
    /// `2008-10-17`, and policies that name no version.
    #[default]
    V2008,
    /// `2012-10-17`: policy variables work.
    V2012,
}

/// What a statement does when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It grants.
    Allow,
    /// It refuses, whatever grants.
    Deny,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        })
    }
}

/// The kinds of name a `Principal` element may hold.
///
/// Source: "AWS JSON policy elements: Principal", IAM User Guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// `AWS`: an account, user, role, session, or `*`.
    Aws,
    /// `Service`: a service principal such as `lambda.amazonaws.com`.
    Service,
    /// `Federated`: an identity provider.
    Federated,
    /// `CanonicalUser`: an S3 canonical user id.
    CanonicalUser,
}

/// One name in a `Principal` or `NotPrincipal` element. A bare `"*"` is the `Aws` name `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalName {
    /// Under which heading it stood.
    pub kind: PrincipalKind,
    /// As written.
    pub value: String,
}

impl PrincipalName {
    /// Whether it names everyone, signed in or not.
    pub fn is_everyone(&self) -> bool {
        self.kind == PrincipalKind::Aws && self.value == "*"
    }
}

/// One key of one operator of a `Condition` block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// The operator as written, set prefix and `IfExists` included.
    pub operator: String,
    /// The condition key as written.
    pub key: String,
    /// The values; numbers and booleans as their text.
    pub values: Vec<String>,
}

/// One statement.
///
/// An element that is not there is `None`; an empty list is an empty list. The grammar lets
/// exactly one of `actions` and `not_actions` be there, and at most one of each other pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its place in the policy, from 0.
    pub index: usize,
    /// Its `Sid`, if it has one that is not empty.
    pub sid: Option<String>,
    /// What it does.
    pub effect: Effect,
    /// `Principal`.
    pub principal: Option<Vec<PrincipalName>>,
    /// `NotPrincipal`.
    pub not_principal: Option<Vec<PrincipalName>>,
    /// `Action`.
    pub actions: Option<Vec<String>>,
    /// `NotAction`.
    pub not_actions: Option<Vec<String>>,
    /// `Resource`.
    pub resources: Option<Vec<String>>,
    /// `NotResource`.
    pub not_resources: Option<Vec<String>>,
    /// `Condition`, flattened: all of them must hold.
    pub conditions: Vec<Condition>,
    /// Where it stood in the text.
    pub span: Span,
}

impl Statement {
    /// How people refer to it: its `Sid`, or its place from 1.
    pub fn label(&self) -> String {
        match &self.sid {
            Some(sid) => format!("`{sid}`"),
            None => format!("statement {}", self.index + 1),
        }
    }
}

/// Something odd that AWS may have stored all the same, and what the reader made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What was odd: lower case, no full stop.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// A policy, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The language version.
    pub version: Version,
    /// The policy's own `Id`.
    pub id: Option<String>,
    /// The statements in their own order.
    pub statements: Vec<Statement>,
    /// What was odd about it.
    pub notes: Vec<Note>,
    /// The text that spans point into.
    pub text: Arc<str>,
    /// Where in it the policy stands.
    pub span: Span,
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct DocumentError {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What was wrong: lower case, no full stop.
    pub message: String,
}

impl Document {
    /// Why this is no service control policy, where it is none: AWS takes no such document as one,
    /// so that nobody knows what it would do.
    ///
    /// Source: "SCP syntax", Organizations User Guide, 2026-10: no `Principal`, and a `Resource` or
    /// `NotResource` in every statement.
    pub fn scp_fault(&self) -> Option<String> {
        self.statements.iter().find_map(|statement| {
            let number = statement.index + 1;
            let named = statement.principal.is_some() || statement.not_principal.is_some();
            let about = statement.resources.is_some() || statement.not_resources.is_some();
            match (named, about) {
                (true, _) => Some(format!(
                    "statement {number} names a principal, which no SCP may"
                )),
                (false, false) => Some(format!("statement {number} has no Resource")),
                (false, true) => None,
            }
        })
    }

    /// Reads a policy from the text AWS returned; the percent-encoded form in which IAM returns
    /// documents is undone first.
    ///
    /// # Errors
    /// Where the text stops being a policy. A policy that does not parse must count as unknown,
    /// never as empty.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let text: Arc<str> = match read::percent_decoded(text) {
            Some(decoded) => decoded.into(),
            None => text.into(),
        };
        let locate = |offset: usize, message: String| {
            let (line, column) = position(&text, offset);
            DocumentError {
                line,
                column,
                message,
            }
        };
        let value = json::read(&text).map_err(|f| locate(f.offset, f.message.to_owned()))?;
        read::document(&value, &text).map_err(|f| locate(f.span.start, f.message))
    }

    /// Reads a policy that is a value inside a larger text, such as a request line.
    ///
    /// # Errors
    /// As [`Document::parse`]; positions are those of the larger text.
    pub fn from_value(value: &Value, text: &Arc<str>) -> Result<Self, DocumentError> {
        read::document(value, text).map_err(|f| {
            let (line, column) = position(text, f.span.start);
            DocumentError {
                line,
                column,
                message: f.message,
            }
        })
    }

    /// The statement as it was written.
    pub fn quote(&self, statement: &Statement) -> &str {
        statement.span.of(&self.text)
    }
}

#[cfg(test)]
mod tests;
