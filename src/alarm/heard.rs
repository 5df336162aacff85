//! Whether something that listens would hear an event whose every field is not known beforehand.

use std::collections::BTreeSet;

use serde_json::Value;

/// Stands in an event for a text that is there but not known: an address, a request id.
pub const ANY_VALUE: &str = "\u{0}any";

/// The answer of a pattern or filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It matches.
    Yes,
    /// It does not match.
    No,
    /// It matches for some values of these fields only, which whoever acts may choose.
    Depends(BTreeSet<String>),
}

impl Heard {
    /// It hangs on this field.
    pub fn on(field: &str) -> Self {
        Heard::Depends([field.to_owned()].into())
    }

    /// Both have to match.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Heard::No, _) | (_, Heard::No) => Heard::No,
            (Heard::Yes, other) => other,
            (mine, Heard::Yes) => mine,
            (Heard::Depends(mut mine), Heard::Depends(other)) => {
                mine.extend(other);
                Heard::Depends(mine)
            }
        }
    }

    /// One of the two has to match.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Heard::Yes, _) | (_, Heard::Yes) => Heard::Yes,
            (Heard::No, other) => other,
            (mine, Heard::No) => mine,
            (Heard::Depends(mut mine), Heard::Depends(other)) => {
                mine.extend(other);
                Heard::Depends(mine)
            }
        }
    }

    /// It must not match.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Heard::Yes => Heard::No,
            Heard::No => Heard::Yes,
            depends => depends,
        }
    }
}

impl From<bool> for Heard {
    fn from(yes: bool) -> Self {
        if yes { Heard::Yes } else { Heard::No }
    }
}

/// An event to be matched: its known fields, and the branches in which more may stand.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The fields; [`ANY_VALUE`] where one is there with an unknown text.
    pub json: &'a Value,
    /// Dotted paths below which fields may or may not be there.
    pub open: &'a [String],
}

impl<'a> Subject<'a> {
    /// An event of which everything is known.
    pub fn closed(json: &'a Value) -> Self {
        Subject { json, open: &[] }
    }

    /// Whether something not in the known fields may stand at `path`.
    pub(crate) fn is_open(&self, path: &str) -> bool {
        self.open.iter().any(|open| {
            path.strip_prefix(open.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// Matches `text` against `pattern`, in which `*` stands for any run of characters. A backslash
/// before `*` or a backslash takes it literally where `escapes` is set.
pub(crate) fn wildcard(pattern: &str, text: &str, escapes: bool) -> bool {
    #[derive(PartialEq)]
    enum Token {
        Star,
        Literal(char),
    }
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = escapes && c == '\\' && matches!(chars.peek(), Some('*' | '\\'));
        match c {
            _ if escaped => tokens.extend(chars.next().map(Token::Literal)),
            '*' => tokens.push(Token::Star),
            c => tokens.push(Token::Literal(c)),
        }
    }
    let text: Vec<char> = text.chars().collect();
    let (mut t, mut p) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match tokens.get(p) {
            Some(Token::Star) => {
                retry = Some((p, t));
                p += 1;
            }
            Some(Token::Literal(c)) if *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    tokens[p..].iter().all(|token| *token == Token::Star)
}
