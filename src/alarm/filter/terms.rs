//! Unstructured filters: words that must, may or must not stand in the line.

use regex::Regex;
use serde_json::Value;

use super::FilterError;
use crate::alarm::heard::{ANY_VALUE, Heard, Subject};

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Terms {
    /// All of these have to be there.
    all: Vec<Term>,
    /// One of these, where there are any and nothing else.
    any: Vec<Term>,
    /// None of these may be there.
    none: Vec<Term>,
}

#[derive(Clone, Debug)]
pub(super) enum Term {
    Text(String),
    Expression(Regex),
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Term::Text(a), Term::Text(b)) => a == b,
            (Term::Expression(a), Term::Expression(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

impl Term {
    fn stands_in(&self, line: &str) -> bool {
        match self {
            Term::Text(text) => line.contains(text.as_str()),
            Term::Expression(expression) => expression.is_match(line),
        }
    }
}

/// Compiles `%…%` without its marks.
pub(super) fn expression(text: &str) -> Result<Regex, FilterError> {
    Regex::new(text).map_err(|_| FilterError(format!("`%{text}%` is no regular expression")))
}

pub(super) fn parse(text: &str) -> Result<Terms, FilterError> {
    let mut terms = Terms::default();
    let mut chars = text.chars().peekable();
    while let Some(&c) = chars.peek() {
        if c.is_whitespace() {
            chars.next();
            continue;
        }
        let list = match c {
            '?' => &mut terms.any,
            '-' => &mut terms.none,
            _ => &mut terms.all,
        };
        if matches!(c, '?' | '-') {
            chars.next();
        }
        let mut word = String::new();
        let term = match chars.peek().copied() {
            Some(mark @ ('"' | '%')) => {
                chars.next();
                let mut closed = false;
                while let Some(c) = chars.next() {
                    if c == mark {
                        closed = true;
                        break;
                    }
                    if c == '\\' && mark == '"' {
                        word.extend(chars.next());
                    } else {
                        word.push(c);
                    }
                }
                if !closed {
                    return Err(FilterError(format!("`{mark}` is never closed")));
                }
                if mark == '%' {
                    Term::Expression(expression(&word)?)
                } else {
                    Term::Text(word)
                }
            }
            _ => {
                while let Some(&c) = chars.peek() {
                    if c.is_whitespace() {
                        break;
                    }
                    let plain = c.is_alphanumeric() || c == '_';
                    if !plain {
                        return Err(FilterError(format!("`{c}` needs quotation marks")));
                    }
                    word.push(c);
                    chars.next();
                }
                if word.is_empty() {
                    return Err(FilterError("a sign without a term".to_owned()));
                }
                Term::Text(word)
            }
        };
        list.push(term);
    }
    Ok(terms)
}

impl Terms {
    pub(super) fn matches(&self, event: Subject<'_>) -> Heard {
        let line = line(event.json);
        // A term that is not in what is known may still stand in a field that is not.
        let there = |term: &Term| match term.stands_in(&line) {
            true => Heard::Yes,
            false if event.open.is_empty() => Heard::No,
            false => Heard::Depends(event.open.iter().cloned().collect()),
        };
        let all = self.all.iter().fold(Heard::Yes, |sum, t| sum.and(there(t)));
        let none = self
            .none
            .iter()
            .fold(Heard::Yes, |sum, t| sum.and(there(t).negate()));
        // Beside other terms, those with a question mark are passed over.
        let alone = self.all.is_empty() && self.none.is_empty();
        let any = match self.any.as_slice() {
            any if any.is_empty() || !alone => Heard::Yes,
            any => any.iter().fold(Heard::No, |sum, t| sum.or(there(t))),
        };
        all.and(any).and(none)
    }
}

/// The line as CloudTrail writes it, without the fields whose text is not known.
fn line(value: &Value) -> String {
    value
        .to_string()
        .replace(&Value::from(ANY_VALUE).to_string(), "\"\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_excluded_term_can_be_smuggled_into_an_open_field() {
        let event = json!({"eventName": "StopLogging"});
        let terms = parse("StopLogging -Probe").expect("a pattern");
        assert_eq!(terms.matches(Subject::closed(&event)), Heard::Yes);
        let open = vec!["userAgent".to_owned()];
        let subject = Subject {
            json: &event,
            open: &open,
        };
        assert_eq!(terms.matches(subject), Heard::on("userAgent"));
    }
}
