//! Which values of an unknown key can be told apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_model::{KeyKind, KeyType, actions};

use super::Axis;
use crate::policy::compile::CompiledStatement;
use crate::policy::condition::{Comparison, SetOperator, Test};
use crate::policy::context::{Context, Key, Knowledge};
use crate::policy::pattern::Glob;
use crate::policy::request::Request;
use crate::policy::resource::ResourcePattern;
use crate::policy::tri::Tri;
use crate::policy::variable::{Piece, Text};
use crate::policy::witness::{Shape, witnesses};

/// One state of a key: the values that stand for it, or `None` when the request lacks the key.
pub(in crate::policy) type State = Option<Vec<Arc<str>>>;

/// One region of an axis: a state for each of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) struct Region(pub(super) Vec<State>);

impl Region {
    pub(super) fn enter(&self, keys: &[Key], context: &mut Context) {
        for (key, state) in keys.iter().zip(&self.0) {
            context.put_state(key, state.as_deref());
        }
    }
}

/// What is uncertain about a request: the tests and resource patterns that hang on unknown keys.
#[derive(Default)]
pub(super) struct Uncertain<'a> {
    pub(super) tests: Vec<&'a Test>,
    resources: Vec<&'a ResourcePattern>,
}

impl<'a> Uncertain<'a> {
    pub(super) fn add(&mut self, statement: &'a CompiledStatement, request: &Request) {
        for test in &statement.conditions {
            if test.holds(&request.context) == Tri::Maybe && !self.tests.contains(&test) {
                self.tests.push(test);
            }
        }
        for pattern in statement.resource_patterns() {
            let maybe = pattern.matches(&request.resource, &request.context) == Tri::Maybe;
            if maybe && !self.resources.contains(&pattern) {
                self.resources.push(pattern);
            }
        }
    }

    /// What each test and resource pattern says of a request.
    pub(super) fn answers(&self, request: &Request) -> Vec<Tri> {
        let tests = self.tests.iter().map(|test| test.holds(&request.context));
        let resources = self
            .resources
            .iter()
            .map(|r| r.matches(&request.resource, &request.context));
        tests.chain(resources).collect()
    }

    /// The unknown keys of each test and resource pattern.
    pub(super) fn companies(&self, context: &Context) -> Vec<Vec<&'a Key>> {
        let open = |key: &&Key| context.get(key) == Knowledge::Unknown;
        let tests = self.tests.iter().map(|test| {
            std::iter::once(&test.key)
                .chain(test.variable_keys())
                .filter(open)
                .collect()
        });
        let resources = self
            .resources
            .iter()
            .map(|r| r.keys().filter(open).collect());
        tests.chain(resources).collect()
    }

    /// The unknown keys: first those that stand in for variables, then the tested ones.
    fn keys(&self, context: &Context) -> Vec<&'a Key> {
        let in_tests = self.tests.iter().flat_map(|test| test.variable_keys());
        let variables = in_tests.chain(self.resources.iter().flat_map(|r| r.keys()));
        let mut out: Vec<&Key> = Vec::new();
        for key in variables.chain(self.tests.iter().map(|test| &test.key)) {
            if context.get(key) == Knowledge::Unknown && !out.contains(&key) {
                out.push(key);
            }
        }
        out
    }
}

/// No request of interest carries more values of one key than this.
const MAX_VALUES: usize = 4;
/// A key never gets more regions than this.
const MAX_REGIONS: usize = 60;

/// The regions of every unknown key that matters.
pub(super) fn axes(uncertain: &Uncertain<'_>, request: &Request) -> Vec<Axis> {
    let mut known: BTreeMap<&str, Vec<Arc<str>>> = BTreeMap::new();
    let mut out = Vec::new();
    for key in uncertain.keys(&request.context) {
        let kind = actions().key_type(key.as_str());
        let tests: Vec<&Test> = uncertain
            .tests
            .iter()
            .filter(|test| test.key == *key)
            .copied()
            .collect();
        let mut complete = true;
        let mut singles = samples(&tests, request, &known, &mut complete);
        let fitting = holes(uncertain, key, request, &known, &mut complete);
        singles.extend(fitting.iter().cloned());
        if kind.is_some_and(|k| k.kind == KeyKind::Bool) {
            singles = vec!["true".into(), "false".into()];
        }
        let mut seen = BTreeSet::new();
        singles.retain(|value| !value.is_empty() && seen.insert(value.clone()));
        let sets = tests
            .iter()
            .any(|test| test.operator.set != SetOperator::None);
        let multivalued = kind.map_or(sets, |KeyType { multivalued, .. }| multivalued);
        let states = states(uncertain, key, singles, multivalued, request, &mut complete);
        let values = states
            .iter()
            .flatten()
            .filter_map(|values| match values.as_slice() {
                [one] => Some(one.clone()),
                _ => None,
            });
        known.insert(key.as_str(), values.collect());
        let regions = states
            .into_iter()
            .map(|state| Region(vec![state]))
            .collect();
        out.push(Axis {
            keys: vec![key.clone()],
            multivalued,
            regions,
            fitting,
            complete,
        });
    }
    out
}

/// Absent, each kind of value, and for keys with several values their combinations; one of each
/// kind of answer.
fn states(
    uncertain: &Uncertain<'_>,
    key: &Key,
    singles: Vec<Arc<str>>,
    multivalued: bool,
    request: &Request,
    complete: &mut bool,
) -> Vec<State> {
    let mut probe = request.clone();
    let mut answers = |state: &State| -> Vec<Tri> {
        probe.context.put_state(key, state.as_deref());
        uncertain.answers(&probe)
    };
    let mut seen = BTreeSet::from([(false, answers(&None))]);
    let mut out: Vec<State> = vec![None];
    // A key that meets another unknown key inside one test is told apart by value, not by
    // answer: the answer still hangs on the other.
    let entangled = |answers: &[Tri]| answers.contains(&Tri::Maybe);
    let others_open = has_company(uncertain, key, &request.context);
    let mut keep = |state: State, out: &mut Vec<State>| {
        let found = answers(&state);
        let apart = others_open && entangled(&found);
        if seen.insert((true, found)) || apart {
            *complete &= out.len() < MAX_REGIONS;
            if out.len() < MAX_REGIONS {
                out.push(state);
            }
        }
    };
    for value in &singles {
        keep(Some(vec![value.clone()]), &mut out);
    }
    if multivalued {
        let classes: Vec<Arc<str>> = out
            .iter()
            .flatten()
            .filter_map(|values| values.first().cloned())
            .collect();
        // What several values answer follows from what each does: one more at a time, as long as
        // that makes a difference.
        let mut at = 0;
        while at < out.len() {
            let values = out[at].clone().unwrap_or_default();
            at += 1;
            if values.is_empty() || values.len() >= MAX_VALUES {
                continue;
            }
            for one in classes.iter().filter(|one| !values.contains(one)) {
                let more = values.iter().chain([one]).cloned().collect();
                keep(Some(more), &mut out);
            }
        }
    }
    out
}

/// Whether some test or resource hangs on this key and on another unknown one.
fn has_company(uncertain: &Uncertain<'_>, key: &Key, context: &Context) -> bool {
    uncertain
        .companies(context)
        .iter()
        .any(|keys| keys.len() > 1 && keys.contains(&key))
}

/// Values of a key that its tests can tell apart.
fn samples(
    tests: &[&Test],
    request: &Request,
    known: &BTreeMap<&str, Vec<Arc<str>>>,
    complete: &mut bool,
) -> Vec<Arc<str>> {
    let mut shapes = Vec::new();
    let mut out: Vec<String> = Vec::new();
    for test in tests {
        out.extend(test.edges());
        let shape: fn(&Glob) -> Shape = match test.operator.comparison {
            Comparison::StringEquals | Comparison::StringLike => |glob| Shape::text(glob, false),
            Comparison::StringEqualsIgnoreCase => |glob| Shape::text(glob, true),
            Comparison::Arn => Shape::arn,
            Comparison::Bool => {
                out.extend(["true".to_owned(), "false".to_owned()]);
                continue;
            }
            Comparison::Ip => {
                out.extend([
                    "9.9.9.9".to_owned(),
                    "192.0.2.1".to_owned(),
                    "2600::1".to_owned(),
                ]);
                continue;
            }
            Comparison::Null => continue,
            Comparison::Numeric(_) | Comparison::Date(_) | Comparison::Binary => continue,
        };
        for text in test.texts() {
            let filled = fillings(text, &request.context, known);
            *complete &= filled.len() < MAX_FILLINGS;
            shapes.extend(filled.iter().map(shape));
        }
    }
    let (found, walked) = witnesses(&shapes);
    *complete &= walked;
    out.extend(found);
    if out.is_empty() && !tests.is_empty() {
        // Only presence is asked for.
        out.push("any".to_owned());
    }
    out.into_iter().map(Arc::from).collect()
}

/// How many ways of filling in a text's unknown variables are tried.
const MAX_FILLINGS: usize = 64;

/// The text with its variables filled in: known ones by their value, unknown ones by each of
/// their own sample values.
fn fillings(text: &Text, context: &Context, known: &BTreeMap<&str, Vec<Arc<str>>>) -> Vec<Glob> {
    let pieces = match text {
        Text::Fixed(glob) => return vec![glob.clone()],
        Text::Template(pieces) => pieces,
    };
    let mut out: Vec<Vec<u8>> = vec![Vec::new()];
    for piece in pieces {
        let choices: Vec<&[u8]> = match piece {
            Piece::Text(bytes) => vec![bytes],
            Piece::Variable { key, default } => {
                let mut choices: Vec<&[u8]> = match context.get(key) {
                    Knowledge::Known([value]) => vec![value.as_bytes()],
                    Knowledge::Unknown => known
                        .get(key.as_str())
                        .map(|values| values.iter().map(|v| v.as_bytes()).collect())
                        .unwrap_or_default(),
                    _ => Vec::new(),
                };
                choices.extend(default.as_deref().map(str::as_bytes));
                choices
            }
        };
        out = out
            .iter()
            .flat_map(|head| {
                choices
                    .iter()
                    .map(move |tail| [head.as_slice(), tail].concat())
            })
            .take(MAX_FILLINGS)
            .collect();
    }
    out.into_iter().map(Glob::from_bytes).collect()
}

/// A value that makes no text with a variable match.
pub(super) const NO_FIT: &str = "palisade-any";

/// Whether it may be the value of `aws:userid`: a unique id, with the session's name after it.
///
/// Source: "IAM identifiers", IAM User Guide: ids start with four capitals such as `AIDA`.
fn is_unique_id(text: &str) -> bool {
    let id = text.split(':').next().unwrap_or_default();
    let account = id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit());
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    account || (id.len() >= 16 && id.starts_with('A') && id.bytes().all(plain))
}

/// How many values for a variable are tried against one text.
const MAX_HOLES: usize = 4_000;

/// Values of a key that make a text with that key as a variable match: pieces of what it is
/// compared with.
fn holes(
    uncertain: &Uncertain<'_>,
    key: &Key,
    request: &Request,
    known: &BTreeMap<&str, Vec<Arc<str>>>,
    complete: &mut bool,
) -> Vec<Arc<str>> {
    let mut targets: Vec<(&Text, Vec<&str>)> = Vec::new();
    for pattern in &uncertain.resources {
        if let ResourcePattern::Template(text) = pattern {
            targets.push((text, vec![request.resource.as_str()]));
        }
    }
    for test in &uncertain.tests {
        let values: Vec<&str> = match request.context.get(&test.key) {
            Knowledge::Known(values) => values.iter().map(|v| &**v).collect(),
            _ => known
                .get(test.key.as_str())
                .map(|values| values.iter().map(|v| &**v).collect())
                .unwrap_or_default(),
        };
        targets.extend(test.texts().iter().map(|text| (text, values.clone())));
    }
    let mut out: Vec<Arc<str>> = Vec::new();
    let mut needed = false;
    for (text, values) in targets {
        if !text.keys().any(|other| other == key) {
            continue;
        }
        needed = true;
        for value in values {
            out.extend(pieces_that_fit(
                text,
                key,
                value,
                &request.context,
                complete,
            ));
        }
    }
    if key.as_str() == "aws:userid" {
        out.retain(|value| is_unique_id(value));
    }
    if needed {
        out.push(NO_FIT.into());
    }
    out
}

fn pieces_that_fit(
    text: &Text,
    key: &Key,
    target: &str,
    context: &Context,
    complete: &mut bool,
) -> Vec<Arc<str>> {
    let Text::Template(pieces) = text else {
        return Vec::new();
    };
    // What stands before the variable without any wildcard fixes where its value starts.
    let fixed_start = match (pieces.first(), pieces.get(1)) {
        (Some(Piece::Text(head)), Some(Piece::Variable { .. })) => head
            .iter()
            .all(|b| *b < crate::policy::pattern::ONE)
            .then_some(head.len()),
        (Some(Piece::Variable { .. }), _) => Some(0),
        _ => None,
    };
    let ends: Vec<usize> = target
        .char_indices()
        .map(|(at, _)| at)
        .chain([target.len()])
        .collect();
    let mut probe = context.clone();
    let mut tried = 0;
    let mut out: Vec<Arc<str>> = Vec::new();
    for start in &ends {
        if fixed_start.is_some_and(|fixed| fixed != *start) {
            continue;
        }
        for end in ends.iter().filter(|end| *end > start) {
            tried += 1;
            if tried > MAX_HOLES {
                *complete = false;
                return out;
            }
            let piece = &target[*start..*end];
            probe.put_state(key, Some(&[piece.into()]));
            if text.test(&probe, |glob| fits(glob, target)) != Tri::No {
                out.push(piece.into());
            }
        }
    }
    out
}

/// Whether a filled text matches, in whichever way is most generous; the exact test follows when
/// the regions are told apart.
fn fits(glob: &Glob, target: &str) -> bool {
    glob.matches(target)
        || Glob::from_bytes(glob.bytes().to_ascii_lowercase()).matches(&target.to_ascii_lowercase())
}
