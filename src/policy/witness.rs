//! Sample texts for a set of patterns: one for every way of matching some and not others.
//!
//! The patterns are walked side by side, one character at a time, over the characters that occur
//! in them and one that does not. Every distinct set of patterns that accept at some point gives
//! one witness, the shortest.

use std::collections::{BTreeSet, VecDeque};

use rustc_hash::FxHashSet;

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

impl Step {
    /// Whether it reads this character.
    fn takes(self, c: char) -> bool {
        match self {
            Self::Char(own) => own == c,
            Self::Letter(own) => own.to_lowercase().eq(c.to_lowercase()),
            Self::One { colon } | Self::Many { colon } => colon || c != ':',
        }
    }
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
const MAX_STATES: usize = 8_000;

/// All patterns side by side as one machine: a bit for every place in every pattern, the place
/// after the last step included.
struct Machine {
    words: usize,
    /// Places where a run of characters may end or go on.
    runs: Vec<u64>,
    /// For each character: the places it leads on from, and the runs it stays in.
    moves: Vec<(char, Vec<u64>, Vec<u64>)>,
    /// The last place of each pattern.
    ends: Vec<usize>,
    start: Vec<u64>,
}

type Places = Vec<u64>;

impl Machine {
    fn new(shapes: &[Shape]) -> Self {
        let places = shapes.iter().map(|shape| shape.0.len() + 1).sum::<usize>();
        let empty = vec![0_u64; places.div_ceil(64).max(1)];
        let mut out = Self {
            words: empty.len(),
            runs: empty.clone(),
            moves: Vec::new(),
            ends: Vec::new(),
            start: empty.clone(),
        };
        let mut first = 0;
        for shape in shapes {
            put(&mut out.start, first);
            for (at, step) in shape.0.iter().enumerate() {
                if matches!(step, Step::Many { .. }) {
                    put(&mut out.runs, first + at);
                }
            }
            out.ends.push(first + shape.0.len());
            first += shape.0.len() + 1;
        }
        for c in alphabet(shapes) {
            let (mut on, mut stays) = (empty.clone(), empty.clone());
            let steps = shapes.iter().zip(&out.ends);
            for (shape, end) in steps {
                for (at, step) in shape.0.iter().enumerate() {
                    let place = end - shape.0.len() + at;
                    match step {
                        Step::Many { .. } if step.takes(c) => put(&mut stays, place),
                        _ if step.takes(c) => put(&mut on, place),
                        _ => {}
                    }
                }
            }
            out.moves.push((c, on, stays));
        }
        let mut start = std::mem::take(&mut out.start);
        out.close(&mut start);
        out.start = start;
        out
    }

    /// Adds the places reachable without reading a character.
    fn close(&self, places: &mut [u64]) {
        loop {
            let mut carry = 0;
            let mut changed = false;
            for (word, runs) in places.iter_mut().zip(&self.runs) {
                let passes = *word & runs;
                let more = (passes << 1 | carry) & !*word;
                carry = passes >> 63;
                *word |= more;
                changed |= more != 0;
            }
            if !changed {
                return;
            }
        }
    }

    fn advance(&self, places: &[u64], on: &[u64], stays: &[u64]) -> Places {
        let mut carry = 0;
        let mut out = Vec::with_capacity(self.words);
        for ((word, on), stays) in places.iter().zip(on).zip(stays) {
            let moved = word & on;
            out.push(moved << 1 | carry | word & stays);
            carry = moved >> 63;
        }
        self.close(&mut out);
        out
    }

    fn accepts(&self, places: &[u64]) -> Vec<bool> {
        let holds = |end: &usize| places[end / 64] >> (end % 64) & 1 == 1;
        self.ends.iter().map(holds).collect()
    }
}

fn put(places: &mut [u64], place: usize) {
    places[place / 64] |= 1 << (place % 64);
}

/// One text for each distinguishable set of matching patterns, shortest first, and whether the
/// walk was complete.
pub(crate) fn witnesses(shapes: &[Shape]) -> (Vec<String>, bool) {
    let machine = Machine::new(shapes);
    let mut seen: FxHashSet<Places> = FxHashSet::default();
    let mut order: Vec<(Option<usize>, Option<char>)> = vec![(None, None)];
    let mut accepted: BTreeSet<Vec<bool>> = BTreeSet::new();
    let mut out = Vec::new();
    let mut complete = true;
    let mut open = VecDeque::from([(0_usize, machine.start.clone())]);
    seen.insert(machine.start.clone());
    while let Some((at, places)) = open.pop_front() {
        // The empty text means "no value" to some operators: it is no witness.
        if at != 0 && accepted.insert(machine.accepts(&places)) {
            out.push(spell(&order, at));
        }
        for (c, on, stays) in &machine.moves {
            let next = machine.advance(&places, on, stays);
            if seen.contains(&next) {
                continue;
            }
            if seen.len() >= MAX_STATES {
                complete = false;
                continue;
            }
            order.push((Some(at), Some(*c)));
            seen.insert(next.clone());
            open.push_back((order.len() - 1, next));
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
