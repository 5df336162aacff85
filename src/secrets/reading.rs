//! One rule at one place: what it reads there, and whether that is a credential.

use crate::engine::{Compiled, Context};
use crate::found::Role;
use crate::judge::Case;
use crate::pair::{Found, Kind};
use crate::rules::{Check, Reader, Rule};
use crate::value::Value;
use crate::{aws, pem, runs};

/// A value inside a buffer.
pub(crate) struct Hit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) found: Found,
}

/// Tries one rule where one of its keywords stands.
pub(crate) fn try_rule(
    engine: &Compiled,
    context: &Context,
    index: usize,
    hay: &[u8],
    at: usize,
) -> Option<Hit> {
    let rule = &engine.rules[index];
    let read = match rule.reader {
        Reader::Pem => by_armour(rule, hay, at)?,
        _ => by_regex(rule, hay, at)?,
    };
    let Reading {
        from,
        start,
        end,
        value,
        ..
    } = read;
    let case = Case {
        rule,
        hay,
        from,
        start,
        end,
        value: &value,
        as_of: context.as_of,
    };
    let mut verdict = case.judge(&engine.stand_ins)?;
    if read.encrypted {
        verdict.severity = verdict.severity.lower();
    }
    let kind = match (rule.reader, rule.check) {
        (Reader::AwsSecret, _) => Kind::Named,
        (_, Check::AwsKeyId) if rule.role == Role::Identifier => Kind::Id,
        _ if rule.id == "aws-session-token" => Kind::Token,
        _ => Kind::Other,
    };
    let names_id = matches!(rule.check, Check::AwsKeyId | Check::AwsPresigned);
    let key_id = names_id.then(|| String::from_utf8_lossy(value.bytes()).into_owned());
    let mut found = plain(index, value, kind, verdict.severity);
    (found.account, found.key_id, found.expired) = (verdict.account, key_id, verdict.expired);
    found.base64 = read.base64;
    Some(Hit { start, end, found })
}

/// Does a key id stand here, as far as its letters tell?
pub(crate) fn is_id(rule: &Rule, hay: &[u8], at: usize) -> bool {
    let edge = rule.edge.as_ref();
    edge.is_none_or(|edge| runs::begins(hay, at, edge)) && aws::read_key_id(hay, at).is_some()
}

fn plain(rule: usize, value: Value, kind: Kind, severity: crate::Severity) -> Found {
    Found {
        rule,
        start: 0,
        end: 0,
        value,
        kind,
        severity,
        account: None,
        key_id: None,
        paired: false,
        base64: false,
        expired: false,
        line: 0,
        silent: false,
    }
}

/// What a rule read: where the name begins, the span of the value, and the value.
struct Reading {
    from: usize,
    start: usize,
    end: usize,
    value: Value,
    base64: bool,
    encrypted: bool,
}

fn by_armour(rule: &Rule, hay: &[u8], at: usize) -> Option<Reading> {
    let pem::Block {
        start,
        end,
        value,
        encrypted,
    } = pem::read(hay, at, rule.entropy)?;
    Some(Reading {
        from: start,
        start,
        end,
        value,
        base64: false,
        encrypted,
    })
}

fn by_regex(rule: &Rule, hay: &[u8], at: usize) -> Option<Reading> {
    let mut from = at;
    if let Some((class, max)) = &rule.behind {
        while from > 0 && at - from < *max && class[usize::from(hay[from - 1])] {
            from -= 1;
        }
    }
    // What seems to belong to the value may be the end of an escape, such as `\n`.
    let tail = runs::escape_tail(hay, from).min(at - from);
    by_regex_from(rule, hay, at, from).or_else(|| {
        (tail > 0)
            .then(|| by_regex_from(rule, hay, at, from + tail))
            .flatten()
    })
}

fn by_regex_from(rule: &Rule, hay: &[u8], at: usize, from: usize) -> Option<Reading> {
    if rule
        .edge
        .as_ref()
        .is_some_and(|edge| !runs::begins(hay, from, edge))
    {
        return None;
    }
    if rule
        .then
        .as_ref()
        .is_some_and(|then| !name_ends(hay, at, then))
    {
        return None;
    }
    if rule.userinfo && !has_userinfo(hay, at) {
        return None;
    }
    if rule.reader == Reader::AwsKeyId {
        let end = aws::read_key_id(hay, at)?;
        let value = Value::new(&hay[at..end]);
        return Some(Reading {
            from,
            start: at,
            end,
            value,
            base64: false,
            encrypted: false,
        });
    }
    let regex = rule.regex.as_ref()?;
    let window = &hay[from..hay.len().min(at + rule.span)];
    if rule.reader == Reader::AwsSecret {
        let name = regex.find(window)?;
        let secret = runs::read_named(hay, from + name.end())?;
        let (start, end, base64) = (secret.start, secret.end, secret.base64);
        let value = Value::from_vec(secret.text);
        return Some(Reading {
            from,
            start,
            end,
            value,
            base64,
            encrypted: false,
        });
    }
    if !regex.is_match(window) {
        return None;
    }
    let captures = regex.captures(window)?;
    let group = captures.get(1)?;
    if group.len() < rule.least {
        return None;
    }
    let (start, end) = (from + group.start(), from + group.end());
    let value = Value::new(group.as_bytes());
    Some(Reading {
        from,
        start,
        end,
        value,
        base64: false,
        encrypted: false,
    })
}

/// Is the word that begins at `at` followed by one of these bytes?
fn name_ends(hay: &[u8], at: usize, then: &[bool; 256]) -> bool {
    let word = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    let length = hay[at..].iter().take(80).take_while(word).count();
    hay.get(at + length).is_some_and(|b| then[usize::from(*b)])
}

/// Is there an `@` before the host ends? Nearly every URL answers no after a few bytes.
fn has_userinfo(hay: &[u8], at: usize) -> bool {
    hay[at + 3..]
        .iter()
        .take(330)
        .find(|b| b"@/ \"'<>\n\r\t".contains(b))
        .is_some_and(|&b| b == b'@')
}

/// Secrets by their shape alone, between two places.
pub(crate) fn bare_secrets(engine: &Compiled, hay: &[u8], from: usize, to: usize) -> Vec<Hit> {
    let rule = &engine.rules[engine.bare_rule];
    runs::bare_runs(hay, from, to)
        .into_iter()
        .filter_map(|run| {
            let value = Value::from_vec(run.text);
            let case = Case {
                rule,
                hay,
                from: run.start,
                start: run.start,
                end: run.end,
                value: &value,
                as_of: None,
            };
            let verdict = case.judge(&engine.stand_ins)?;
            let kind = Kind::Bare {
                evident: run.evident,
            };
            let mut found = plain(engine.bare_rule, value, kind, verdict.severity);
            found.base64 = run.base64;
            Some(Hit {
                start: run.start,
                end: run.end,
                found,
            })
        })
        .collect()
}
