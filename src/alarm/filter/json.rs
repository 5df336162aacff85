//! JSON filters: `{ ($.eventName = X) && … }`.

use regex::Regex;
use serde_json::Value;

use super::FilterError;
use super::terms::expression;
use crate::alarm::heard::{ANY_VALUE, Heard, Subject, wildcard};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Test(Selector, Test),
}

/// `$.a.b[0]`, as steps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Selector(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Index(usize),
    Every,
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    Text { wanted: String, equal: bool },
    Expression { wanted: Regex, equal: bool },
    Number { wanted: f64, order: &'static str },
    IsNull,
    IsTrue,
    IsFalse,
    NotExists,
    Exists,
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

impl Condition {
    pub(super) fn matches(&self, event: Subject<'_>) -> Heard {
        match self {
            Condition::All(list) => list
                .iter()
                .fold(Heard::Yes, |sum, one| sum.and(one.matches(event))),
            Condition::Any(list) => list
                .iter()
                .fold(Heard::No, |sum, one| sum.or(one.matches(event))),
            Condition::Test(selector, test) => test.matches(selector, event),
        }
    }
}

impl Selector {
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.0 {
            if let Step::Field(name) = step {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
        }
        path
    }

    fn values<'a>(&self, json: &'a Value) -> Vec<&'a Value> {
        self.0.iter().fold(vec![json], |at, step| {
            at.into_iter()
                .flat_map(|value| match step {
                    Step::Field(name) => value.get(name).into_iter().collect::<Vec<_>>(),
                    Step::Index(index) => value.get(*index).into_iter().collect(),
                    Step::Every => value.as_array().into_iter().flatten().collect(),
                })
                .collect()
        })
    }
}

impl Test {
    fn matches(&self, selector: &Selector, event: Subject<'_>) -> Heard {
        let path = selector.path();
        let values = selector.values(event.json);
        if values.is_empty() && event.is_open(&path) {
            return Heard::on(&path);
        }
        match self {
            Test::NotExists => return Heard::from(values.is_empty()),
            Test::Exists => return Heard::from(!values.is_empty()),
            _ => {}
        }
        // A field that is not there satisfies no comparison, `!=` among them.
        values.into_iter().fold(Heard::No, |sum, value| {
            sum.or(match value.as_str() {
                Some(ANY_VALUE) => Heard::on(&path),
                _ => Heard::from(self.holds(value)),
            })
        })
    }

    fn holds(&self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(yes) => Some(yes.to_string()),
            _ => None,
        };
        match self {
            Test::Text { wanted, equal } => {
                text.is_some_and(|text| wildcard(wanted, &text, false) == *equal)
            }
            Test::Expression { wanted, equal } => {
                text.is_some_and(|text| wanted.is_match(&text) == *equal)
            }
            Test::Number { wanted, order } => value.as_f64().is_some_and(|number| match *order {
                "=" => number == *wanted,
                "!=" => number != *wanted,
                "<" => number < *wanted,
                "<=" => number <= *wanted,
                ">" => number > *wanted,
                _ => number >= *wanted,
            }),
            Test::IsNull => value.is_null(),
            Test::IsTrue => value.as_bool() == Some(true),
            Test::IsFalse => value.as_bool() == Some(false),
            Test::NotExists => false,
            Test::Exists => true,
        }
    }
}

type Read<T> = Result<T, FilterError>;

fn refuse<T>(why: impl Into<String>) -> Read<T> {
    Err(FilterError(why.into()))
}

pub(super) fn parse(text: &str) -> Read<Condition> {
    let Some(inner) = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) else {
        return refuse("`{` is never closed");
    };
    let mut reader = Reader {
        rest: inner,
        depth: 0,
    };
    let condition = reader.any()?;
    reader.skip();
    if !reader.rest.is_empty() {
        return refuse(format!(
            "`{}` stands after the condition",
            reader.rest.trim_end()
        ));
    }
    Ok(condition)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

/// How deep parentheses may nest: far beyond any filter that CloudWatch Logs takes.
const DEPTH: usize = 64;

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// A word such as `IS` or `NOT`, in any case.
    fn word(&mut self, word: &str) -> bool {
        self.skip();
        let Some(head) = self.rest.get(..word.len()) else {
            return false;
        };
        let ends = !self.rest[word.len()..].starts_with(|c: char| c.is_alphanumeric());
        if head.eq_ignore_ascii_case(word) && ends {
            self.rest = &self.rest[word.len()..];
            return true;
        }
        false
    }

    fn any(&mut self) -> Read<Condition> {
        let mut list = vec![self.all()?];
        while self.take("||") {
            list.push(self.all()?);
        }
        Ok(match list.len() {
            1 => list.remove(0),
            _ => Condition::Any(list),
        })
    }

    fn all(&mut self) -> Read<Condition> {
        let mut list = vec![self.one()?];
        while self.take("&&") {
            list.push(self.one()?);
        }
        Ok(match list.len() {
            1 => list.remove(0),
            _ => Condition::All(list),
        })
    }

    fn one(&mut self) -> Read<Condition> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > DEPTH {
                return refuse("parentheses nest too deeply");
            }
            let inner = self.any()?;
            self.depth -= 1;
            if !self.take(")") {
                return refuse("`(` is never closed");
            }
            return Ok(inner);
        }
        let selector = self.selector()?;
        let test = self.test()?;
        Ok(Condition::Test(selector, test))
    }

    fn selector(&mut self) -> Read<Selector> {
        if !self.take("$") {
            return refuse(format!(
                "a selector starts with `$`, not `{}`",
                self.rest.trim_end()
            ));
        }
        let mut steps = Vec::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                self.rest = rest;
                if self.rest.starts_with('[') {
                    continue;
                }
                let end = self
                    .rest
                    .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | ':')))
                    .unwrap_or(self.rest.len());
                if end == 0 {
                    return refuse("a selector has an empty name");
                }
                steps.push(Step::Field(self.rest[..end].to_owned()));
                self.rest = &self.rest[end..];
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                let Some((inner, rest)) = rest.split_once(']') else {
                    return refuse("`[` is never closed");
                };
                self.rest = rest;
                let inner = inner.trim();
                let quoted = inner
                    .strip_prefix(['"', '\''])
                    .and_then(|inner| inner.strip_suffix(['"', '\'']));
                steps.push(match (quoted, inner) {
                    (Some(name), _) => Step::Field(name.to_owned()),
                    (None, "*") => Step::Every,
                    (None, index) => match index.parse() {
                        Ok(index) => Step::Index(index),
                        Err(_) => return refuse(format!("`[{index}]` is no index")),
                    },
                });
            } else {
                break;
            }
        }
        if steps.is_empty() {
            return refuse("`$` selects nothing");
        }
        Ok(Selector(steps))
    }

    fn test(&mut self) -> Read<Test> {
        if self.word("IS") {
            let tests = [
                ("NULL", Test::IsNull),
                ("TRUE", Test::IsTrue),
                ("FALSE", Test::IsFalse),
            ];
            for (word, test) in tests {
                if self.word(word) {
                    return Ok(test);
                }
            }
            return refuse("`IS` takes NULL, TRUE or FALSE");
        }
        if self.word("NOT") {
            return match self.word("EXISTS") {
                true => Ok(Test::NotExists),
                false => refuse("`NOT` takes EXISTS"),
            };
        }
        if self.word("EXISTS") {
            return Ok(Test::Exists);
        }
        let orders = ["!=", "<=", ">=", "=", "<", ">"];
        let Some(order) = orders.into_iter().find(|order| self.take(order)) else {
            return refuse(format!("no comparison before `{}`", self.rest.trim_end()));
        };
        self.operand(order)
    }

    fn operand(&mut self, order: &'static str) -> Read<Test> {
        self.skip();
        let equal = order == "=";
        let texts = matches!(order, "=" | "!=");
        if let Some(rest) = self.rest.strip_prefix('%') {
            let Some((inner, rest)) = rest.split_once('%') else {
                return refuse("`%` is never closed");
            };
            self.rest = rest;
            let wanted = expression(inner)?;
            return match texts {
                true => Ok(Test::Expression { wanted, equal }),
                false => refuse(format!("`{order}` takes a number")),
            };
        }
        if let Some(mark) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let Some((wanted, rest)) = quoted(&self.rest[1..], mark) else {
                return refuse("a quotation mark is never closed");
            };
            self.rest = rest;
            return match texts {
                true => Ok(Test::Text { wanted, equal }),
                false => refuse(format!("`{order}` takes a number")),
            };
        }
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, ')' | '(' | '&' | '|'))
            .unwrap_or(self.rest.len());
        let bare = &self.rest[..end];
        self.rest = &self.rest[end..];
        match (bare.parse::<f64>(), bare) {
            (_, "") => refuse("a comparison without a value"),
            (Ok(wanted), _)
                if bare.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) =>
            {
                Ok(Test::Number { wanted, order })
            }
            _ if texts => Ok(Test::Text {
                wanted: bare.to_owned(),
                equal,
            }),
            _ => refuse(format!("`{order}` takes a number, not `{bare}`")),
        }
    }
}

/// The text up to the closing `mark`, and what follows.
fn quoted(text: &str, mark: char) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => out.extend(chars.next().map(|(_, c)| c)),
            c if c == mark => return Some((out, &text[at + c.len_utf8()..])),
            c => out.push(c),
        }
    }
    None
}
