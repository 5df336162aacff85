//! Wildcard patterns: does one match a text, overlap another, cover another.
//!
//! `*` is any run of characters, the empty one too; `?` is exactly one character. Inside, the
//! wildcards are bytes that no UTF-8 text holds, so a literal `*` that came out of a variable or
//! of `${*}` stays literal.
//!
//! Source: "IAM JSON policy elements: Resource" and "… Action", IAM User Guide.

use std::collections::BTreeSet;

/// Stands for any run of characters.
pub(crate) const MANY: u8 = 0xff;
/// Stands for one character.
pub(crate) const ONE: u8 = 0xfe;

/// A wildcard pattern, ready to match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob {
    bytes: Box<[u8]>,
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Shape {
    /// `*` alone.
    Any,
    /// No wildcard.
    Literal,
    /// One `*`, at the end.
    Prefix,
    /// Anything else; so many literal bytes come first.
    General(u32),
}

impl Glob {
    /// The pattern as written in a policy.
    pub fn new(text: &str) -> Self {
        Self::from_bytes(wild_bytes(text))
    }

    /// A text that matches itself only.
    pub fn literal(text: &str) -> Self {
        Self::from_bytes(text.as_bytes().to_vec())
    }

    /// Bytes in which [`MANY`] and [`ONE`] are the wildcards.
    pub(crate) fn from_bytes(mut bytes: Vec<u8>) -> Self {
        bytes.dedup_by(|next, before| *next == MANY && *before == MANY);
        let head = bytes.iter().position(|b| *b >= ONE);
        let shape = match head {
            None => Shape::Literal,
            Some(at) if at + 1 == bytes.len() && bytes[at] == MANY => match at {
                0 => Shape::Any,
                _ => Shape::Prefix,
            },
            Some(at) => Shape::General(u32::try_from(at).unwrap_or(u32::MAX)),
        };
        Self {
            bytes: bytes.into_boxed_slice(),
            shape,
        }
    }

    /// Whether it matches everything.
    pub fn is_any(&self) -> bool {
        self.shape == Shape::Any
    }

    /// The text, if it has no wildcard.
    pub fn as_literal(&self) -> Option<&str> {
        match self.shape {
            Shape::Literal => std::str::from_utf8(&self.bytes).ok(),
            _ => None,
        }
    }

    /// The bytes before the first wildcard.
    pub(crate) fn head(&self) -> &[u8] {
        let end = self
            .bytes
            .iter()
            .position(|b| *b >= ONE)
            .unwrap_or(self.bytes.len());
        &self.bytes[..end]
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the whole text matches.
    #[inline]
    pub fn matches(&self, text: &str) -> bool {
        self.matches_bytes(text.as_bytes())
    }

    #[inline]
    pub(crate) fn matches_bytes(&self, text: &[u8]) -> bool {
        match self.shape {
            Shape::Any => true,
            Shape::Literal => *self.bytes == *text,
            Shape::Prefix => text.starts_with(&self.bytes[..self.bytes.len() - 1]),
            Shape::General(head) => {
                let head = head as usize;
                text.len() >= head
                    && self.bytes[..head] == text[..head]
                    && matches(&self.bytes[head..], &text[head..])
            }
        }
    }

    /// Whether some text matches both.
    pub fn overlaps(&self, other: &Glob) -> bool {
        if self.is_any() || other.is_any() {
            return true;
        }
        let (a, b) = (tokens(&self.bytes), tokens(&other.bytes));
        // reach[j]: some text leads to the i-th token here and the j-th there.
        let mut reach = vec![false; b.len() + 1];
        reach[0] = true;
        for i in 0..=a.len() {
            let mut next = vec![false; b.len() + 1];
            for j in 0..=b.len() {
                if !reach[j] {
                    continue;
                }
                let (mine, theirs) = (a.get(i), b.get(j));
                match (mine, theirs) {
                    (Some(Token::Many), _) => {
                        next[j] = true;
                        if theirs.is_some() {
                            reach[j + 1] = true;
                        }
                    }
                    (_, Some(Token::Many)) => {
                        reach[j + 1] = true;
                        if mine.is_some() {
                            next[j] = true;
                        }
                    }
                    (Some(x), Some(y)) if x.meets(*y) => next[j + 1] = true,
                    _ => {}
                }
            }
            if i == a.len() {
                return reach[b.len()];
            }
            reach = next;
        }
        false
    }

    /// Whether everything that matches `other` matches this one too.
    ///
    /// Walks `other` as an automaton beside the set of places this one may be in, over the
    /// characters that occur in either and one that occurs in neither. When the walk grows out
    /// of bounds the answer is `false`, which never claims too much.
    pub fn covers(&self, other: &Glob) -> bool {
        const MAX_STATES: usize = 20_000;
        if self.is_any() || self == other {
            return true;
        }
        if let Some(text) = other.as_literal() {
            return self.matches(text);
        }
        let (mine, theirs) = (tokens(&self.bytes), tokens(&other.bytes));
        let mut alphabet: BTreeSet<char> = BTreeSet::new();
        for token in mine.iter().chain(&theirs) {
            if let Token::Char(c) = token {
                alphabet.insert(*c);
            }
        }
        let fresh = ('\u{e000}'..).find(|c| !alphabet.contains(c));
        alphabet.extend(fresh);
        let start = (closure(&theirs, [0].into()), closure(&mine, [0].into()));
        let mut seen = BTreeSet::from([start.clone()]);
        let mut open = vec![start];
        while let Some((there, here)) = open.pop() {
            if there.contains(&theirs.len()) && !here.contains(&mine.len()) {
                return false;
            }
            for c in &alphabet {
                let there = step(&theirs, &there, *c);
                if there.is_empty() {
                    continue;
                }
                let next = (there, step(&mine, &here, *c));
                if seen.insert(next.clone()) {
                    if seen.len() > MAX_STATES {
                        return false;
                    }
                    open.push(next);
                }
            }
        }
        true
    }
}

impl std::fmt::Display for Glob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text: Vec<u8> = self
            .bytes
            .iter()
            .map(|b| match *b {
                MANY => b'*',
                ONE => b'?',
                plain => plain,
            })
            .collect();
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// The text with its wildcards as [`MANY`] and [`ONE`].
pub(crate) fn wild_bytes(text: &str) -> Vec<u8> {
    text.bytes()
        .map(|byte| match byte {
            b'*' => MANY,
            b'?' => ONE,
            plain => plain,
        })
        .collect()
}

/// How long the character is that starts with this byte.
#[inline]
fn char_len(lead: u8) -> usize {
    match lead {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

/// Backtracks to the last `*` only: linear for one star, quadratic at worst.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(&MANY) => {
                p += 1;
                if p == pattern.len() {
                    return true;
                }
                star = Some((p, t));
                continue;
            }
            Some(&ONE) => {
                p += 1;
                t += char_len(text[t]);
                continue;
            }
            Some(byte) if *byte == text[t] => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = star else {
            return false;
        };
        let from = from + char_len(text[from]);
        star = Some((after, from));
        (p, t) = (after, from);
    }
    t == text.len() && pattern[p..].iter().all(|byte| *byte == MANY)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Char(char),
    One,
    Many,
}

impl Token {
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Char(a), Self::Char(b)) => a == b,
            _ => true,
        }
    }
}

/// The pattern by characters.
pub(crate) fn tokens(bytes: &[u8]) -> Vec<Token> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        match *first {
            MANY => out.push(Token::Many),
            ONE => out.push(Token::One),
            _ => {
                let end = rest.iter().position(|b| *b >= ONE).unwrap_or(rest.len());
                let text = String::from_utf8_lossy(&rest[..end]);
                out.extend(text.chars().map(Token::Char));
                rest = &rest[end..];
                continue;
            }
        }
        rest = tail;
    }
    out
}

/// The places reachable without reading a character.
fn closure(tokens: &[Token], mut places: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut open: Vec<usize> = places.iter().copied().collect();
    while let Some(at) = open.pop() {
        if tokens.get(at) == Some(&Token::Many) && places.insert(at + 1) {
            open.push(at + 1);
        }
    }
    places
}

fn step(tokens: &[Token], places: &BTreeSet<usize>, c: char) -> BTreeSet<usize> {
    let mut out = BTreeSet::new();
    for at in places {
        match tokens.get(*at) {
            Some(Token::Many) => out.insert(*at),
            Some(Token::One) => out.insert(at + 1),
            Some(Token::Char(own)) if *own == c => out.insert(at + 1),
            _ => false,
        };
    }
    closure(tokens, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(a: &str, b: &str) -> bool {
        let (a, b) = (Glob::new(a), Glob::new(b));
        assert_eq!(a.overlaps(&b), b.overlaps(&a), "{a} {b}");
        a.overlaps(&b)
    }

    #[test]
    fn wildcards_match_whole_texts() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("?", "", false),
            ("a*c", "abbc", true),
            ("a*c", "abbcd", false),
            ("*b*b*", "abab", true),
            ("a?c", "aéc", true),
            ("a??c", "aéc", false),
            ("a**", "a", true),
            ("*a?", "aab", true),
            ("", "", true),
            ("é*é", "éaéé", true),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(text),
                expected,
                "{pattern} {text}"
            );
        }
        assert!(!Glob::literal("a*").matches("ab"));
        assert!(Glob::literal("a*").matches("a*"));
    }

    #[test]
    fn patterns_overlap_when_one_text_suits_both() {
        assert!(overlap("dev-*", "*-prod"));
        assert!(!overlap("dev-*", "prod-*"));
        assert!(overlap("a?c", "*b*"));
        assert!(!overlap("a?", "a"));
        assert!(overlap("*", ""));
        assert!(!overlap("*x", "*y"));
    }

    #[test]
    fn a_pattern_covers_only_what_it_contains() {
        let covers = |a: &str, b: &str| Glob::new(a).covers(&Glob::new(b));
        assert!(covers("a*", "ab*"));
        assert!(!covers("ab*", "a*"));
        assert!(covers("*a*", "*ba*"));
        assert!(covers("?*", "a*"));
        assert!(!covers("?*", "*"));
        assert!(!covers("*a", "*"));
        assert!(covers("**?", "?*"));
    }
}
