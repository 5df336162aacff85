//! Composite alarms: which of them go off once another alarm does.
//!
//! Source: "Create a composite alarm" and PutCompositeAlarm (AlarmRule), Amazon CloudWatch User
//! Guide and API Reference, 2026-11.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::Alarm;

/// Whether a rule holds, with one alarm of its own known to be in ALARM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    /// It hangs on the state of other alarms.
    Perhaps,
}

/// The alarms that go off with `first`, itself among them; and those of which nobody can say.
pub(super) fn raised<'a>(
    alarms: &'a BTreeMap<String, Alarm>,
    first: &'a str,
) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
    let mut raised: BTreeSet<&str> = [first].into();
    loop {
        let mut unclear = BTreeSet::new();
        let mut more = Vec::new();
        for (name, alarm) in alarms {
            let Some(rule) = &alarm.rule else { continue };
            if raised.contains(name.as_str()) || !rule.contains(['(', 'T']) {
                continue;
            }
            match holds(rule, &raised) {
                // A rule that holds without any of them is no news of this one.
                Holds::Yes if holds(rule, &BTreeSet::new()) != Holds::Yes => more.push(name),
                Holds::Perhaps if raised.iter().any(|one| rule.contains(one)) => {
                    unclear.insert(name.as_str());
                }
                _ => {}
            }
        }
        if more.is_empty() {
            return (raised, unclear);
        }
        raised.extend(more.into_iter().map(String::as_str));
    }
}

/// Whether the suppressor of a composite alarm holds its actions back, with these alarms in
/// ALARM. A suppressor that is quiet, or is gone, lets them run.
///
/// Source: "Alarm suppression", Amazon CloudWatch User Guide, 2026-11: actions are held back while
/// the suppressor is in ALARM, and for its extension period after it.
pub(super) fn held_back(
    alarms: &BTreeMap<String, Alarm>,
    alarm: &Alarm,
    (raised, unclear): (&BTreeSet<&str>, &BTreeSet<&str>),
) -> Option<Held> {
    let suppressor = alarm.suppressor.as_deref()?;
    let name = suppressor
        .split_once(":alarm:")
        .map_or(suppressor, |(_, name)| name);
    let always = alarms
        .get(name)
        .and_then(|alarm| alarm.rule.as_deref())
        .is_some_and(|rule| holds(rule, &BTreeSet::new()) == Holds::Yes);
    Some(if always || raised.contains(name) {
        Held::Always(name.to_owned())
    } else if unclear.contains(name) {
        Held::Perhaps(name.to_owned())
    } else {
        Held::WhileItRings(name.to_owned())
    })
}

/// What a suppressor does to the actions of a composite alarm.
pub(super) enum Held {
    /// It is in ALARM whenever the alarm is, or without any reason.
    Always(String),
    /// Nobody can say.
    Perhaps(String),
    /// It is quiet, unless something else sets it off.
    WhileItRings(String),
}

fn holds(rule: &str, raised: &BTreeSet<&str>) -> Holds {
    let mut reader = Reader { rest: rule, raised };
    match reader.any(0) {
        Some(found) if reader.rest.trim().is_empty() => found,
        // A rule that cannot be read decides nothing.
        _ => Holds::Perhaps,
    }
}

struct Reader<'r> {
    rest: &'r str,
    raised: &'r BTreeSet<&'r str>,
}

/// How deep parentheses may nest.
const DEPTH: usize = 64;

impl Reader<'_> {
    fn word(&mut self, word: &str) -> bool {
        self.rest = self.rest.trim_start();
        let Some(rest) = self.rest.strip_prefix(word) else {
            return false;
        };
        let goes_on = |c: char| c.is_alphanumeric() || c == '_';
        if word.ends_with(goes_on) && rest.starts_with(goes_on) {
            return false;
        }
        self.rest = rest;
        true
    }

    fn any(&mut self, depth: usize) -> Option<Holds> {
        let mut sum = self.all(depth)?;
        while self.word("OR") {
            sum = or(sum, self.all(depth)?);
        }
        Some(sum)
    }

    fn all(&mut self, depth: usize) -> Option<Holds> {
        let mut sum = self.one(depth)?;
        while self.word("AND") {
            sum = not(or(not(sum), not(self.one(depth)?)));
        }
        Some(sum)
    }

    fn one(&mut self, depth: usize) -> Option<Holds> {
        if depth > DEPTH {
            return None;
        }
        if self.word("NOT") {
            return self.one(depth + 1).map(not);
        }
        if self.word("TRUE") {
            return Some(Holds::Yes);
        }
        if self.word("FALSE") {
            return Some(Holds::No);
        }
        for state in ["ALARM", "OK", "INSUFFICIENT_DATA"] {
            if self.word(state) {
                return self.state(state);
            }
        }
        if self.word("(") {
            let inner = self.any(depth + 1)?;
            return self.word(")").then_some(inner);
        }
        None
    }

    /// `("name or ARN")`, quoted or not. Other alarms are taken to be quiet; whether quiet means
    /// OK or without data nobody can say.
    fn state(&mut self, state: &str) -> Option<Holds> {
        let rest = self.rest.trim_start().strip_prefix('(')?;
        let (inner, rest) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => {
                let (name, rest) = quoted.split_once('"')?;
                (name, rest.trim_start().strip_prefix(')')?)
            }
            None => rest.split_once(')')?,
        };
        self.rest = rest;
        let inner = inner.trim();
        let name = inner.split_once(":alarm:").map_or(inner, |(_, name)| name);
        Some(match (state, self.raised.contains(name)) {
            ("ALARM", true) => Holds::Yes,
            ("ALARM", false) | (_, true) => Holds::No,
            (_, false) => Holds::Perhaps,
        })
    }
}

fn or(a: Holds, b: Holds) -> Holds {
    match (a, b) {
        (Holds::Yes, _) | (_, Holds::Yes) => Holds::Yes,
        (Holds::No, other) | (other, Holds::No) => other,
        _ => Holds::Perhaps,
    }
}

fn not(a: Holds) -> Holds {
    match a {
        Holds::Yes => Holds::No,
        Holds::No => Holds::Yes,
        Holds::Perhaps => Holds::Perhaps,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_holds_by_the_alarm_that_goes_off() {
        let rows = [
            ("ALARM(tamper)", Holds::Yes),
            (r#"ALARM("tamper")"#, Holds::Yes),
            (
                r#"ALARM("arn:aws:cloudwatch:us-east-1:1:alarm:tamper")"#,
                Holds::Yes,
            ),
            ("ALARM(tamper) OR ALARM(other)", Holds::Yes),
            ("ALARM(tamper) AND ALARM(other)", Holds::No),
            ("ALARM(tamper) AND NOT ALARM(deploying)", Holds::Yes),
            ("ALARM(tamper) AND OK(other)", Holds::Perhaps),
            ("(ALARM(a) AND ALARM(b)) OR ALARM(tamper)", Holds::Yes),
            ("NOT (ALARM(tamper) OR ALARM(b))", Holds::No),
            ("OK(tamper)", Holds::No),
            ("INSUFFICIENT_DATA(other)", Holds::Perhaps),
            ("ALARM(tampering)", Holds::No),
            ("TRUE", Holds::Yes),
            ("ALARM(tamper) AND FALSE", Holds::No),
            ("AT_LEAST(2, ALARM, (tamper, b))", Holds::Perhaps),
            ("ALARM(tamper", Holds::Perhaps),
            ("", Holds::Perhaps),
        ];
        let raised = ["tamper"].into();
        for (rule, expected) in rows {
            assert_eq!(holds(rule, &raised), expected, "{rule}");
        }
    }

    #[test]
    fn composite_alarms_of_composite_alarms_go_off_too() {
        let composite = |rule: &str| Alarm {
            rule: Some(rule.to_owned()),
            ..Alarm::default()
        };
        let alarms: BTreeMap<String, Alarm> = [
            ("tamper".to_owned(), Alarm::default()),
            ("one".to_owned(), composite("ALARM(two) OR ALARM(other)")),
            ("two".to_owned(), composite("ALARM(tamper)")),
            ("both".to_owned(), composite("ALARM(tamper) AND OK(other)")),
            ("always".to_owned(), composite("TRUE")),
        ]
        .into();
        let (raised, unclear) = raised(&alarms, "tamper");
        assert_eq!(raised, ["one", "tamper", "two"].into());
        assert_eq!(unclear, ["both"].into());
    }
}
