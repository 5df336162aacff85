//! The grammar of requirements and predicates.
//!
//! ```text
//! REQUIREMENT := ACTION "on" REF ["where" PREDICATE ("and" PREDICATE)*] ["with" KEY=VALUE, …]
//! VALUE       := REF | TEXT | TEXT "{endpoint of " REF "}"
//! REF         := KIND ":" ("$" NAME | "*" | TEXT) | "$self" | "$target"
//! PREDICATE   := "not" PREDICATE | NAME "(" ARGUMENTS ")" [COMPARISON] | REF "." PATH TEST
//! TEST        := "=" REF | "includes" REF | "is" TEXT | ("in" | "like") "[" TEXT, … "]"
//!              | COMPARISON
//! COMPARISON  := ("<" | ">" | ">=" | "=") NUMBER
//! ```
//!
//! Every error says what was read and what was expected there.

use super::call::Call;
use super::{Comparison, ContextValue, Kind, Predicate, Requirement, ResourceRef, Selector, Test};

pub(super) type Parsed<T> = Result<T, String>;

/// Reads one requirement.
pub(super) fn requirement(text: &str) -> Parsed<Requirement> {
    let (action, rest) = text
        .split_once(" on ")
        .ok_or_else(|| format!("`{text}` must read `ACTION on KIND:NAME`"))?;
    let (rest, context) = match rest.rsplit_once(" with ") {
        Some((rest, context)) => (rest, self::context(context)?),
        None => (rest, Vec::new()),
    };
    let (on, filter) = match rest.split_once(" where ") {
        Some((on, filter)) => (on, conjunction(filter)?),
        None => (rest, Vec::new()),
    };
    Ok(Requirement {
        action: action.trim().to_owned(),
        on: reference(on)?,
        filter,
        context,
    })
}

fn context(text: &str) -> Parsed<Vec<(String, ContextValue)>> {
    split(text, ',')
        .into_iter()
        .map(|pair| {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("`{pair}` must read `KEY=VALUE`"))?;
            let value = match value.trim().split_once("{endpoint of ") {
                Some((before, of)) => {
                    let of = of.strip_suffix('}');
                    let of = of.ok_or_else(|| format!("`{value}` does not end with its brace"))?;
                    ContextValue::Endpoint {
                        before: before.to_owned(),
                        of: reference(of)?,
                    }
                }
                None if value.contains('$') => ContextValue::Ref(reference(value)?),
                None => ContextValue::Text(value.trim().to_owned()),
            };
            Ok((key.trim().to_owned(), value))
        })
        .collect()
}

pub(super) fn conjunction(text: &str) -> Parsed<Vec<Predicate>> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b' ' if depth == 0 && text[at..].starts_with(" and ") => {
                parts.push(&text[start..at]);
                start = at + " and ".len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(predicate).collect()
}

/// Reads one reference.
pub(super) fn reference(text: &str) -> Parsed<ResourceRef> {
    let text = text.trim();
    let (kind, name) = match text.split_once(':') {
        Some((kind, name)) => {
            let known = Kind::named(kind)
                .ok_or_else(|| format!("`{text}` names the unknown kind `{kind}`"))?;
            (known, name)
        }
        None if text == "$self" || text == "$target" => (Kind::PRINCIPAL, text),
        None => {
            return Err(format!(
                "`{text}` must read `KIND:NAME`, `$self` or `$target`"
            ));
        }
    };
    let selector = match name.strip_prefix('$') {
        Some("self") => Selector::SelfRef,
        Some("target") => Selector::Target,
        Some(new) if new == "new" || new.starts_with("new_") => Selector::New(new.to_owned()),
        Some(var) if !var.is_empty() && var.bytes().all(is_word) => Selector::Var(var.to_owned()),
        Some(_) => return Err(format!("`{text}` names a variable that is not a word")),
        None if name == "*" => Selector::Any,
        None if name.is_empty() => return Err(format!("`{text}` names nothing")),
        None => Selector::Named(name.to_owned()),
    };
    Ok(ResourceRef { kind, selector })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

/// Reads one predicate.
pub(super) fn predicate(text: &str) -> Parsed<Predicate> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("not ") {
        return Ok(Predicate::Not(Box::new(predicate(rest)?)));
    }
    let name = text
        .split(|c: char| !c.is_ascii_lowercase() && c != '_')
        .next();
    match name {
        Some(name) if !name.is_empty() && text[name.len()..].starts_with('(') => {
            let close = closing(text, name.len())
                .ok_or_else(|| format!("`{text}` has a parenthesis that is not closed"))?;
            let call = Call {
                text,
                arguments: &text[name.len() + 1..close],
                rest: text[close + 1..].trim(),
            };
            call.read(name)
        }
        _ => attribute(text),
    }
}

/// Where the parenthesis that opens at `open` closes.
pub(super) fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Cuts at `separator` outside of brackets.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            c if c == separator && depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    if parts.len() == 1 && parts[0].is_empty() {
        parts.clear();
    }
    parts
}

/// `REF.PATH TEST`: the dot after the variable's name begins the path.
fn attribute(text: &str) -> Parsed<Predicate> {
    let wrong = || format!("`{text}` is no predicate");
    let (subject, test) = text.split_once(' ').ok_or_else(wrong)?;
    let name = subject.find(":$").ok_or_else(wrong)?;
    let dot = name + subject[name..].find('.').ok_or_else(wrong)?;
    let (of, path) = (reference(&subject[..dot])?, &subject[dot + 1..]);
    if path.is_empty() || !path.bytes().all(|b| is_word(b) || b == b'.') {
        return Err(format!("`{text}` has no attribute name after the dot"));
    }
    Ok(Predicate::Attribute(
        of,
        path.to_owned(),
        self::test(test.trim())?,
    ))
}

fn test(text: &str) -> Parsed<Test> {
    let (word, value) = text.split_once(' ').unwrap_or((text, ""));
    let value = value.trim();
    Ok(match word {
        "=" if value.contains(':') || value.starts_with('$') => Test::Names(reference(value)?),
        "includes" => Test::Includes(reference(value)?),
        "is" if value == "missing" => Test::Missing,
        "is" if !value.is_empty() => Test::Is(value.to_owned()),
        "in" => Test::In(list(value)?),
        "like" => Test::Like(list(value)?),
        _ => Test::Number(comparison(text)?),
    })
}

pub(super) fn comparison(text: &str) -> Parsed<Comparison> {
    let (word, value) = text.split_once(' ').unwrap_or((text, ""));
    let number = value
        .trim()
        .parse()
        .map_err(|_| format!("`{text}` must be a comparison with a number"))?;
    Ok(match word {
        "<" => Comparison::Less(number),
        ">" => Comparison::More(number),
        ">=" => Comparison::AtLeast(number),
        "=" => Comparison::Equal(number),
        _ => return Err(format!("`{text}` must begin with `<`, `>`, `>=` or `=`")),
    })
}

pub(super) fn list(text: &str) -> Parsed<Vec<String>> {
    text.strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .map(|text| split(text, ',').into_iter().map(str::to_owned).collect())
        .ok_or_else(|| format!("`{text}` must be a list in brackets"))
}
