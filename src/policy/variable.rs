//! Policy variables: texts with `${key}` in them.
//!
//! Source: "IAM policy elements: Variables and tags", IAM User Guide. Values are put in
//! literally; `${*}`, `${?}` and `${$}` are the characters themselves; `${key, 'default'}` has a
//! value even when the key has none.

use super::context::{Context, Key, Knowledge};
use super::pattern::{Glob, MANY, ONE, wild_bytes};
use super::tri::Tri;

/// A text in a policy: fixed, or with variables to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Text {
    Fixed(Glob),
    Template(Box<[Piece]>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Literal bytes and wildcards.
    Text(Box<[u8]>),
    /// The value of a key, or else the default.
    Variable { key: Key, default: Option<Box<str>> },
}

/// A template once its variables are looked up.
pub(crate) enum Filled {
    Ready(Vec<u8>),
    /// A variable had no value: the text matches nothing.
    Null,
    /// A variable is unknown; it stands here as any run of characters.
    Unknown(Vec<u8>),
}

impl Text {
    /// Reads a text; `wild` tells whether `*` and `?` are wildcards in it.
    pub(crate) fn new(text: &str, variables: bool, wild: bool) -> Self {
        let bytes = |text: &str| {
            if wild {
                wild_bytes(text)
            } else {
                text.as_bytes().to_vec()
            }
        };
        if !variables || !text.contains("${") {
            return Self::Fixed(Glob::from_bytes(bytes(text)));
        }
        let mut pieces = Vec::new();
        let mut run: Vec<u8> = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            run.extend(bytes(&rest[..at]));
            let body = &rest[at + 2..];
            let Some(end) = closing_brace(body) else {
                run.extend(bytes(&rest[at..]));
                rest = "";
                break;
            };
            match body[..end].trim() {
                one @ ("*" | "?" | "$") => run.extend(one.as_bytes()),
                "" => run.extend(bytes(&rest[at..at + 3 + end])),
                variable => {
                    if !run.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut run).into()));
                    }
                    pieces.push(piece(variable));
                }
            }
            rest = &body[end + 1..];
        }
        run.extend(bytes(rest));
        if pieces.is_empty() {
            return Self::Fixed(Glob::from_bytes(run));
        }
        if !run.is_empty() {
            pieces.push(Piece::Text(run.into()));
        }
        Self::Template(pieces.into())
    }

    /// Whether a variable stands before the fifth colon, where AWS allows none.
    pub(crate) fn has_early_variable(&self) -> bool {
        let Self::Template(pieces) = self else {
            return false;
        };
        let mut colons = 0;
        for piece in pieces {
            match piece {
                Piece::Text(bytes) => colons += bytes.iter().filter(|b| **b == b':').count(),
                Piece::Variable { .. } => return colons < 5,
            }
        }
        false
    }

    /// The keys whose values it needs.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        let pieces: &[Piece] = match self {
            Self::Fixed(_) => &[],
            Self::Template(pieces) => pieces,
        };
        pieces.iter().filter_map(|piece| match piece {
            Piece::Variable { key, .. } => Some(key),
            Piece::Text(_) => None,
        })
    }

    /// Whether `matches` holds of the text once filled in.
    #[inline]
    pub(crate) fn test(&self, context: &Context, matches: impl Fn(&Glob) -> bool) -> Tri {
        match self {
            Self::Fixed(glob) => matches(glob).into(),
            Self::Template(pieces) => match fill(pieces, context) {
                Filled::Null => Tri::No,
                Filled::Ready(bytes) => matches(&Glob::from_bytes(bytes)).into(),
                Filled::Unknown(bytes) => match matches(&Glob::from_bytes(bytes)) {
                    true => Tri::Maybe,
                    false => Tri::No,
                },
            },
        }
    }
}

/// A text with its variables filled in: one that is unknown as `*`; `None` where one has no value.
pub(crate) fn filled(text: &str, context: &Context) -> Option<String> {
    let pieces = match Text::new(text, true, true) {
        Text::Template(pieces) => pieces,
        Text::Fixed(_) => return Some(text.to_owned()),
    };
    let (Filled::Ready(bytes) | Filled::Unknown(bytes)) = fill(&pieces, context) else {
        return None;
    };
    let plain = bytes.into_iter().map(|byte| match byte {
        MANY => b'*',
        ONE => b'?',
        other => other,
    });
    String::from_utf8(plain.collect()).ok()
}

fn closing_brace(body: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, c) in body.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '}' if !quoted => return Some(at),
            _ => {}
        }
    }
    // A lone quote is part of the name.
    body.find('}')
}

fn piece(variable: &str) -> Piece {
    if let Some((key, default)) = variable.split_once(',') {
        let default = default.trim();
        let inner = default
            .strip_prefix('\'')
            .and_then(|d| d.strip_suffix('\''));
        if let Some(inner) = inner {
            return Piece::Variable {
                key: Key::new(key.trim()),
                default: Some(inner.into()),
            };
        }
    }
    Piece::Variable {
        key: Key::new(variable),
        default: None,
    }
}

fn fill(pieces: &[Piece], context: &Context) -> Filled {
    let mut out = Vec::with_capacity(96);
    let mut unknown = false;
    for piece in pieces {
        match piece {
            Piece::Text(bytes) => out.extend_from_slice(bytes),
            Piece::Variable { key, default } => match context.get(key) {
                // A key with several values cannot be a variable.
                Knowledge::Known([value]) => out.extend_from_slice(value.as_bytes()),
                Knowledge::Unknown => {
                    unknown = true;
                    out.push(MANY);
                }
                Knowledge::Known(_) | Knowledge::Absent => match default {
                    Some(default) => out.extend_from_slice(default.as_bytes()),
                    None => return Filled::Null,
                },
            },
        }
    }
    if unknown {
        Filled::Unknown(out)
    } else {
        Filled::Ready(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, context: &Context, value: &str) -> Tri {
        Text::new(text, true, true).test(context, |glob| glob.matches(value))
    }

    #[test]
    fn values_go_in_literally() {
        let mut context = Context::closed();
        context.set("aws:username", "*");
        assert_eq!(
            holds("home/${AWS:UserName}/x", &context, "home/*/x"),
            Tri::Yes
        );
        assert_eq!(
            holds("home/${aws:username}/x", &context, "home/alice/x"),
            Tri::No
        );
    }

    #[test]
    fn a_missing_value_takes_the_default_or_matches_nothing() {
        let context = Context::closed();
        assert_eq!(
            holds(
                "${aws:PrincipalTag/team, 'company-wide'}",
                &context,
                "company-wide"
            ),
            Tri::Yes
        );
        assert_eq!(
            holds("${aws:PrincipalTag/team}*", &context, "anything"),
            Tri::No
        );
    }

    #[test]
    fn escapes_are_the_characters_themselves() {
        let context = Context::closed();
        assert_eq!(holds("a${*}b${?}c${$}", &context, "a*b?c$"), Tri::Yes);
        assert_eq!(holds("a${*}", &context, "ab"), Tri::No);
        assert_eq!(holds("a${unclosed", &context, "a${unclosed"), Tri::Yes);
    }

    #[test]
    fn an_unknown_value_is_maybe_unless_nothing_would_do() {
        let context = Context::open();
        assert_eq!(
            holds("home/${aws:username}/*", &context, "home/alice/x"),
            Tri::Maybe
        );
        assert_eq!(
            holds("home/${aws:username}/*", &context, "etc/alice/x"),
            Tri::No
        );
    }
}
