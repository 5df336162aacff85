//! One name that fits several patterns at once and none of several others.
//!
//! A resource that does not exist yet gets its name from the attacker, but one name must satisfy
//! every permission that speaks of it: create on `dev-*` with invoke on `prod-*` is no path.

use rustc_hash::FxHashSet;
use std::collections::{BTreeSet, VecDeque};

/// More states than this are not walked, and patterns as long as this are not read: where no name
/// was found then, there may be one.
const MAX_STATES: usize = 4_000;
const MAX_LENGTH: usize = 127;

/// In a pattern, a run of characters a name may hold: any but the colon, which parts an ARN.
pub(crate) const NAME: char = '\u{1}';

/// No name was found, and not everything was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutShort;

/// The shortest text that matches every pattern of `fits` and none of `avoids`; `*` stands for
/// any run of characters and `?` for one. `None` when there is none. Patterns to be avoided that
/// are too long to be read are passed over: whoever asks for a name has it judged.
pub(crate) fn witness(fits: &[&str], avoids: &[&str]) -> Result<Option<String>, CutShort> {
    let short = |pattern: &&&str| pattern.chars().count() < MAX_LENGTH;
    if !fits.iter().all(|pattern| short(&pattern)) {
        return Err(CutShort);
    }
    let patterns: Vec<Vec<char>> = fits
        .iter()
        .chain(avoids.iter().filter(short))
        .map(|pattern| pattern.chars().collect())
        .collect();
    let alphabet = alphabet(&patterns);
    let start: Vec<u128> = patterns.iter().map(|pattern| closure(pattern, 1)).collect();
    let mut cut = false;
    let mut seen = FxHashSet::from_iter([start.clone()]);
    let mut open = VecDeque::from([(start, String::new())]);
    while let Some((places, text)) = open.pop_front() {
        let accepts = |at: usize| {
            patterns
                .get(at)
                .is_some_and(|p| places[at] >> p.len() & 1 == 1)
        };
        let (good, bad) = (0..fits.len(), fits.len()..patterns.len());
        if good.clone().all(accepts) && !bad.clone().any(accepts) {
            return Ok(Some(text));
        }
        for c in &alphabet {
            let next: Vec<u128> = patterns
                .iter()
                .zip(&places)
                .map(|(p, here)| advance(p, *here, *c))
                .collect();
            // A pattern that must fit and has no place left never will.
            if next[..fits.len()].contains(&0) {
                continue;
            }
            if seen.len() >= MAX_STATES {
                cut = true;
                continue;
            }
            if seen.insert(next.clone()) {
                let mut longer = text.clone();
                longer.push(*c);
                open.push_back((next, longer));
            }
        }
    }
    if cut { Err(CutShort) } else { Ok(None) }
}

/// A character no pattern names comes first: names then stay clear of literals that matter.
fn alphabet(patterns: &[Vec<char>]) -> Vec<char> {
    let named: BTreeSet<char> = patterns
        .iter()
        .flatten()
        .copied()
        .filter(|c| !matches!(*c, '*' | '?' | NAME))
        .collect();
    let fresh = "xqzwvkj790".chars().find(|c| !named.contains(c));
    fresh.into_iter().chain(named).collect()
}

/// Places reached without reading: past every `*`.
fn closure(pattern: &[char], mut places: u128) -> u128 {
    for (at, c) in pattern.iter().enumerate() {
        if (*c == '*' || *c == NAME) && places >> at & 1 == 1 {
            places |= 1 << (at + 1);
        }
    }
    places
}

fn advance(pattern: &[char], places: u128, c: char) -> u128 {
    let mut next = 0u128;
    for (at, own) in pattern.iter().enumerate() {
        if places >> at & 1 == 0 {
            continue;
        }
        match own {
            '*' => next |= 1 << at,
            '\u{1}' if c != ':' => next |= 1 << at,
            '\u{1}' => {}
            '?' => next |= 1 << (at + 1),
            own if *own == c => next |= 1 << (at + 1),
            _ => {}
        }
    }
    closure(pattern, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(fits: &[&str], avoids: &[&str]) -> Option<String> {
        witness(fits, avoids).expect("these are small")
    }

    #[test]
    fn one_name_must_fit_all() {
        assert_eq!(
            named(&["arn:f:*", "arn:f:dev-*"], &[]).as_deref(),
            Some("arn:f:dev-")
        );
        assert_eq!(named(&["dev-*", "prod-*"], &[]), None);
        assert_eq!(
            named(&["dev-*", "*-prod"], &[]).as_deref(),
            Some("dev-prod")
        );
        assert_eq!(named(&["?a*", "b*"], &["ba"]).as_deref(), Some("bax"));
    }

    #[test]
    fn denied_names_are_stepped_around() {
        assert_eq!(named(&["f-*"], &["f-", "f-x*"]).as_deref(), Some("f-q"));
        assert_eq!(named(&["f-*"], &["*"]), None);
    }

    #[test]
    fn long_arns_are_no_trouble() {
        let template = "arn:aws:lambda:eu-central-1:111122223333:function:*";
        let found = named(
            &[template, "arn:aws:lambda:*:*:function:team-a-*"],
            &["*:team-a-"],
        );
        let found = found.unwrap();
        assert!(found.starts_with("arn:aws:lambda:eu-central-1:111122223333:function:team-a-"));
    }

    #[test]
    fn a_name_does_not_run_over_the_parts_of_an_arn() {
        let template = format!("arn:aws:lambda:us-east-1:1:function:{NAME}");
        let dev = "arn:aws:lambda:*:1:function:dev-*";
        let prod = "arn:aws:lambda:*:1:function:prod-*";
        assert_eq!(named(&[dev, prod, &template], &[]), None);
        assert!(named(&[dev, &template], &[]).is_some());
    }

    #[test]
    fn what_is_too_long_is_passed_over_or_said() {
        let long = format!("arn:{}*", "x".repeat(200));
        assert_eq!(named(&["arn:y*"], &[&long]).as_deref(), Some("arn:y"));
        assert_eq!(witness(&[&long, "arn:*"], &[]), Err(CutShort));
    }
}
