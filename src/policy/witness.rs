//! Sample texts for a set of patterns: one for every way of matching some and not others.
//!
//! The patterns are walked side by side, one character at a time, over the characters that occur
//! in them and one that does not. Every distinct set of patterns that accept at some point gives
//! one witness, the shortest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::pattern::{Glob, Token, tokens};
use super::resource::ArnPattern;

/// One step of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Char(char),
    /// This character in either case.
    Letter(char),
    /// Any one character, or any one but a colon.
    One {
        colon: bool,
    },
    /// Any run, or any run without a colon.
    Many {
        colon: bool,
    },
}

/// A pattern to tell apart from others.
#[derive(Debug, Clone)]
pub(crate) struct Shape(Vec<Step>);

impl Shape {
    /// A text or wildcard pattern.
    pub(crate) fn text(glob: &Glob, ignore_case: bool) -> Self {
        let steps = tokens(glob.bytes()).into_iter().map(|token| match token {
            Token::Char(c) if ignore_case => Step::Letter(c),
            other => plain(other, true),
        });
        Self(steps.collect())
    }

    /// An ARN pattern, whose wildcards stay inside their part.
    pub(crate) fn arn(glob: &Glob) -> Self {
        let Some(arn) = ArnPattern::cut(glob.bytes()) else {
            return Self::text(glob, false);
        };
        let mut steps: Vec<Step> = "arn:".chars().map(Step::Char).collect();
        for part in &arn.parts {
            steps.extend(tokens(part.bytes()).into_iter().map(|t| plain(t, false)));
            steps.push(Step::Char(':'));
        }
        steps.extend(tokens(arn.rest.bytes()).into_iter().map(|t| plain(t, true)));
        Self(steps)
    }
}

fn plain(token: Token, colon: bool) -> Step {
    match token {
        Token::Char(c) => Step::Char(c),
        Token::One => Step::One { colon },
        Token::Many => Step::Many { colon },
    }
}

/// More states than this are not walked; the witnesses found so far must do.
const MAX_STATES: usize = 6_000;

type Places = Vec<BTreeSet<u16>>;

/// One text for each distinguishable set of matching patterns, shortest first, and whether the
/// walk was complete.
pub(crate) fn witnesses(shapes: &[Shape]) -> (Vec<String>, bool) {
    let alphabet = alphabet(shapes);
    let start: Places = shapes
        .iter()
        .map(|shape| closure(&shape.0, BTreeSet::from([0])))
        .collect();
    let mut seen: BTreeMap<Places, (usize, Option<char>)> = BTreeMap::new();
    let mut order: Vec<(Option<usize>, Option<char>)> = vec![(None, None)];
    let mut accepted: BTreeSet<Vec<bool>> = BTreeSet::new();
    let mut out = Vec::new();
    let mut complete = true;
    let mut open = VecDeque::from([(0_usize, start.clone())]);
    seen.insert(start, (0, None));
    while let Some((at, places)) = open.pop_front() {
        let accepts: Vec<bool> = shapes
            .iter()
            .zip(&places)
            .map(|(shape, here)| here.iter().any(|p| usize::from(*p) == shape.0.len()))
            .collect();
        // The empty text means "no value" to some operators: it is no witness.
        if at != 0 && accepted.insert(accepts) {
            out.push(spell(&order, at));
        }
        for c in &alphabet {
            let next: Places = shapes
                .iter()
                .zip(&places)
                .map(|(shape, here)| advance(&shape.0, here, *c))
                .collect();
            if seen.contains_key(&next) {
                continue;
            }
            if seen.len() >= MAX_STATES {
                complete = false;
                continue;
            }
            order.push((Some(at), Some(*c)));
            let id = order.len() - 1;
            seen.insert(next.clone(), (id, Some(*c)));
            open.push_back((id, next));
        }
    }
    if !complete {
        out.extend(shapes.iter().map(example));
    }
    (out, complete)
}

fn spell(order: &[(Option<usize>, Option<char>)], mut at: usize) -> String {
    let mut out = Vec::new();
    while let (Some(before), c) = order[at] {
        out.extend(c);
        at = before;
    }
    out.into_iter().rev().collect()
}

fn example(shape: &Shape) -> String {
    let text = shape.0.iter().filter_map(|step| match step {
        Step::Char(c) | Step::Letter(c) => Some(*c),
        Step::One { .. } => Some('x'),
        Step::Many { .. } => None,
    });
    text.collect()
}

/// The characters worth trying, and one that no pattern names.
fn alphabet(shapes: &[Shape]) -> Vec<char> {
    let mut named = BTreeSet::new();
    let mut both_cases = BTreeSet::new();
    for step in shapes.iter().flat_map(|shape| &shape.0) {
        match step {
            Step::Char(c) => {
                named.insert(*c);
            }
            Step::Letter(c) => both_cases.extend(c.to_lowercase().chain(c.to_uppercase())),
            Step::One { colon: false } | Step::Many { colon: false } => {
                named.insert(':');
            }
            Step::One { .. } | Step::Many { .. } => {}
        }
    }
    named.extend(both_cases);
    let fresh = "xqzw7_-"
        .chars()
        .chain('\u{e000}'..)
        .find(|c| !named.contains(c));
    fresh.into_iter().chain(named.iter().copied()).collect()
}

fn closure(steps: &[Step], mut places: BTreeSet<u16>) -> BTreeSet<u16> {
    let mut open: Vec<u16> = places.iter().copied().collect();
    while let Some(at) = open.pop() {
        let passes = matches!(steps.get(usize::from(at)), Some(Step::Many { .. }));
        if passes && places.insert(at + 1) {
            open.push(at + 1);
        }
    }
    places
}

fn advance(steps: &[Step], places: &BTreeSet<u16>, c: char) -> BTreeSet<u16> {
    let mut out = BTreeSet::new();
    for at in places {
        match steps.get(usize::from(*at)) {
            Some(Step::Char(own)) if *own == c => out.insert(at + 1),
            Some(Step::Letter(own)) if own.to_lowercase().eq(c.to_lowercase()) => {
                out.insert(at + 1)
            }
            Some(Step::One { colon }) if *colon || c != ':' => out.insert(at + 1),
            Some(Step::Many { colon }) if *colon || c != ':' => out.insert(*at),
            _ => false,
        };
    }
    closure(steps, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(patterns: &[&str]) -> Vec<String> {
        let shapes: Vec<_> = patterns
            .iter()
            .map(|p| Shape::text(&Glob::new(p), false))
            .collect();
        let (found, complete) = witnesses(&shapes);
        assert!(complete);
        found
    }

    #[test]
    fn every_combination_that_exists_is_witnessed() {
        let found = find(&["a*", "*b"]);
        let answers: BTreeSet<(bool, bool)> = found
            .iter()
            .map(|w| (w.starts_with('a'), w.ends_with('b')))
            .collect();
        assert_eq!(answers.len(), 4);
        // `ab*` never matches without `a*`.
        assert_eq!(find(&["a*", "ab*"]).len(), 3);
    }

    #[test]
    fn wildcards_in_arns_stay_inside_their_part() {
        let shapes = [
            Shape::arn(&Glob::new("arn:aws:s3:*:111122223333:x")),
            Shape::text(&Glob::new("arn:aws:s3:*:111122223333:x"), false),
        ];
        let (found, _) = witnesses(&shapes);
        assert_eq!(found.len(), 3);
    }
}
