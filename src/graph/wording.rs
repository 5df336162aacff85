//! What the policies of a principal ask of a name: patterns it must fit, and those it must not.
//!
//! A hint where to look, not an answer: each name is put to the engine.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::actor::Actor;
use super::judge::Judge;
use super::name::{CutShort, NAME, witness};
use super::spell::as_document;
use crate::policy::document::{Condition, Statement};
use crate::policy::{Attached, Effect, filled};

/// Combinations of statements that are tried for one name.
const MAX_COMBINATIONS: usize = 48;

/// What names must fit, one pattern of each list, and what they must not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Patterns {
    pub(super) fits: Vec<Vec<String>>,
    pub(super) avoid: BTreeSet<String>,
}

/// Where a statement speaks of a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Spot {
    /// As the resource of the call.
    Resource,
    /// As the value of this condition key.
    Key(String),
}

/// Fills in what a pattern leaves to the request; `None` where that has no value.
type Spell<'s> = &'s dyn Fn(&str) -> Option<String>;

/// A class of principals, an action in lower case, and where it speaks of the name.
pub(super) type Spoken = (u64, String, Spot);

impl Judge<'_> {
    /// The patterns of everything that bears on one action of a principal; the same for everybody
    /// of its class.
    pub(super) fn spoken(&self, actor: &Actor, action: &str, spot: Spot) -> Rc<Patterns> {
        let key = (actor.class, action.to_ascii_lowercase(), spot);
        if let Some(known) = self.spoken.borrow().get(&key) {
            return Rc::clone(known);
        }
        // Few policies fill anything in.
        let context = OnceCell::new();
        let asked = (key.1.as_str(), "*", true);
        let known = || self.with_layers(actor, asked, &[], |request, _| request.context.clone());
        let spell = |text: &str| match text.contains("${") {
            true => filled(text, context.get_or_init(known)),
            false => Some(text.to_owned()),
        };
        let mut all = Patterns::default();
        let mut add = |policies: &[Attached]| all.read(policies, (&key.1, &key.2), &spell);
        add(&actor.identity);
        if let Some(boundary) = actor.boundary.as_deref() {
            add(boundary);
        }
        let scps = self.engine.standing(actor.arn.as_str()).scps;
        scps.unwrap_or_default().iter().for_each(|level| add(level));
        let all = Rc::new(all);
        self.spoken.borrow_mut().insert(key, Rc::clone(&all));
        all
    }

    /// Names that fit one pattern of each choice and the template: first those that keep clear of
    /// every Deny, then those that hope for its conditions. Walking to one is dear, and principals
    /// with like policies ask alike, so answers are kept.
    pub(super) fn fitting(&self, mut patterns: Patterns, template: &str) -> Vec<String> {
        patterns.fits.iter_mut().for_each(|options| {
            options.sort();
            options.dedup();
        });
        patterns.fits.sort();
        patterns.fits.dedup();
        patterns.avoid.remove("*");
        let key = (patterns, template.to_owned());
        if let Some(known) = self.named.borrow().get(&key) {
            return known.clone();
        }
        let (mut names, mut whole) = fitting(&key.0, template);
        if !key.0.avoid.is_empty() {
            let bold = Patterns {
                fits: key.0.fits.clone(),
                avoid: BTreeSet::new(),
            };
            let (more, all) = fitting(&bold, template);
            names.extend(more);
            whole &= all;
        }
        if !whole {
            let cap = "names for what does not exist yet were looked for in part only";
            self.caps.borrow_mut().insert(cap.to_owned());
        }
        self.named.borrow_mut().insert(key, names.clone());
        names
    }
}

impl Patterns {
    /// Adds what another asks.
    pub(super) fn extend(&mut self, other: &Patterns) {
        self.fits.extend(other.fits.iter().cloned());
        self.avoid.extend(other.avoid.iter().cloned());
    }

    /// Reads the statements of one layer that speak of an action.
    fn read(&mut self, policies: &[Attached], (action, spot): (&str, &Spot), spell: Spell<'_>) {
        let mut allowed = Vec::new();
        for attached in policies {
            let Some(document) = attached.policy.document() else {
                // What was not read may allow any name.
                allowed.push("*".to_owned());
                continue;
            };
            for (compiled, statement) in attached.policy.statements.iter().zip(&document.statements)
            {
                if !compiled.covers_action(action) {
                    continue;
                }
                let told = Told::new(statement, spot, spell);
                match compiled.effect {
                    Effect::Allow if told.only.is_empty() => allowed.push("*".to_owned()),
                    Effect::Allow => allowed.extend(told.only),
                    Effect::Deny => {
                        self.avoid.extend(told.only);
                        self.fits.extend(told.all_but);
                    }
                }
            }
        }
        self.fits.push(allowed);
    }
}

/// What one statement says of a name.
#[derive(Default)]
struct Told {
    /// It speaks of names that fit one of these; none where it speaks of every name.
    only: Vec<String>,
    /// It does not speak of names that fit one of each of these.
    all_but: Vec<Vec<String>>,
}

impl Told {
    fn new(statement: &Statement, spot: &Spot, spell: Spell<'_>) -> Self {
        let spelled = |texts: &[String]| -> Vec<String> {
            texts.iter().filter_map(|text| spell(text)).collect()
        };
        let mut told = Told::default();
        match spot {
            Spot::Resource => {
                let own = spelled(statement.resources.as_deref().unwrap_or_default());
                told.only = own.iter().map(|pattern| as_document(pattern)).collect();
                let others = statement.not_resources.as_deref();
                told.all_but.extend(others.map(spelled));
            }
            Spot::Key(key) => {
                let all = statement.conditions.iter();
                for condition in all.filter(|condition| is_about(condition, key)) {
                    match is_negated(condition) {
                        true => told.all_but.push(spelled(&condition.values)),
                        false => told.only.extend(spelled(&condition.values)),
                    }
                }
            }
        }
        // Where something else may keep it from applying, any name may do.
        let elsewhere = match spot {
            Spot::Resource => !statement.conditions.is_empty(),
            Spot::Key(_) => {
                let all = statement
                    .resources
                    .as_ref()
                    .is_some_and(|all| all == &["*"]);
                statement.conditions.len() > 1 || !all
            }
        };
        if elsewhere {
            told.all_but
                .iter_mut()
                .for_each(|names| names.push("*".to_owned()));
        }
        told
    }
}

/// Whether a condition compares a key with texts.
fn is_about(condition: &Condition, key: &str) -> bool {
    let operator = condition.operator.to_ascii_lowercase();
    condition.key.eq_ignore_ascii_case(key)
        && (operator.contains("string") || operator.contains("arn"))
}

fn is_negated(condition: &Condition) -> bool {
    condition.operator.to_ascii_lowercase().contains("not")
}

/// The shortest names that fit one pattern of each list and none that is to be avoided; and
/// whether all were tried.
fn fitting(patterns: &Patterns, template: &str) -> (Vec<String>, bool) {
    let avoid: Vec<&str> = patterns.avoid.iter().map(String::as_str).collect();
    let template = template.replace('*', &NAME.to_string());
    let (all, mut whole) = combinations(&patterns.fits);
    let mut names = Vec::new();
    for fits in all {
        let mut fits: Vec<&str> = fits.into_iter().filter(|pattern| *pattern != "*").collect();
        fits.push(&template);
        match witness(&fits, &avoid) {
            Ok(found) => names.extend(found),
            Err(CutShort) => whole = false,
        }
    }
    (names, whole)
}

/// One of each, up to a bound, and whether that left none out.
fn combinations(choices: &[Vec<String>]) -> (Vec<Vec<&str>>, bool) {
    let mut all: Vec<Vec<&str>> = vec![Vec::new()];
    let mut whole = true;
    for options in choices {
        let mut longer = Vec::new();
        for chosen in &all {
            for option in options {
                if longer.len() == MAX_COMBINATIONS {
                    whole = false;
                    continue;
                }
                let mut chosen: Vec<&str> = chosen.clone();
                chosen.push(option);
                longer.push(chosen);
            }
        }
        all = longer;
    }
    (all, whole)
}
