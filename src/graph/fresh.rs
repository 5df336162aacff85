//! What a resource of the attacker's making may be called: one name under which everything asked
//! of it is allowed.
//!
//! Candidate names come from the statements: one that fits an Allow of each action and no Deny.
//! Each is put to the engine, which has the last word.

use std::collections::BTreeSet;
use std::rc::Rc;

use palisade_checks::technique::{Kind, Requirement, Selector};
use palisade_model::Arn;

use super::abroad::is_abroad;
use super::actor::{Actor, Crew};
use super::ask::Asked;
use super::bind::Bindings;
use super::judge::{Judge, context_of, surer};
use super::name::{CutShort, NAME, witness};
use super::source::is_source;
use crate::policy::{Attached, Effect};

/// Combinations of statements that are tried for one name.
const MAX_COMBINATIONS: usize = 48;

/// What names must fit, one pattern of each list, and what they must not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Patterns {
    fits: Vec<Vec<String>>,
    avoid: BTreeSet<String>,
}

/// A requirement by its address, and the context it carries where that is bound.
type Ask = (usize, Option<Vec<(String, String)>>);

/// What is asked of one resource, where and by whom: the classes of who acts and who helps, what they
/// share, the requirements, and the context of each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    account: String,
    classes: (u64, u64),
    shared: usize,
    asked: Vec<Ask>,
    sources: BTreeSet<String>,
}

/// A name, and the answers under it.
pub(super) type Named = Option<(Arn, Vec<Asked>)>;

impl Judge<'_> {
    /// A name for one resource that does not exist yet, under which every requirement is
    /// allowed, and the answers; `None` when there is no such name.
    pub(crate) fn new_resource(
        &self,
        crew: &Crew<'_>,
        requirements: &[&Requirement],
        bindings: &Bindings,
    ) -> Named {
        // What is made is made at home, and is of no use abroad.
        if is_abroad(crew.first, bindings) {
            return None;
        }
        self.resource_in(crew.first.arn.account(), crew, requirements, bindings)
    }

    /// Likewise in some account: for what exists there and was not read.
    pub(crate) fn resource_in(
        &self,
        account: &str,
        crew: &Crew<'_>,
        requirements: &[&Requirement],
        bindings: &Bindings,
    ) -> Named {
        let kind = requirements.first()?.on.kind;
        let any = self.template(kind, account, "*");
        let sources = self.sources_of(requirements, &any, bindings);
        let wanted = Wanted {
            sources,
            account: account.to_owned(),
            classes: (
                crew.first.class,
                crew.second.map_or(0, |second| second.class),
            ),
            shared: std::ptr::from_ref(crew.shared) as usize,
            asked: requirements
                .iter()
                .map(|r| (std::ptr::from_ref(*r) as usize, context_of(r, bindings)))
                .collect(),
        };
        if let Some(known) = self.fresh.borrow().get(&wanted) {
            return known.clone();
        }
        let fits = |found: &Arn| is_source(found, &wanted.sources);
        let named = self.find_name((account, &wanted.sources), crew, requirements, bindings);
        let named = named.filter(|(name, _)| fits(name));
        self.fresh.borrow_mut().insert(wanted, named.clone());
        named
    }

    fn find_name(
        &self,
        (account, sources): (&str, &BTreeSet<String>),
        crew: &Crew<'_>,
        requirements: &[&Requirement],
        bindings: &Bindings,
    ) -> Named {
        let first = requirements.first()?;
        for region in self.regions_for(crew, account) {
            let template = self.template(first.on.kind, account, &region);
            let plain = template.replace('*', "palisade");
            if is_source(&Arn::from(plain.as_str()), sources)
                && let Some(found) = self.try_name(crew, &plain, requirements, bindings)
            {
                return Some(found);
            }
            for name in self.names((crew, sources), &template, requirements) {
                if let Some(found) = self.try_name(crew, &name, requirements, bindings) {
                    return Some(found);
                }
            }
            if !template.contains(region.as_str()) {
                break;
            }
        }
        None
    }

    /// Asks for any object of a bucket: one whose key the policies let through.
    pub(crate) fn any_object(
        &self,
        actor: &Actor,
        requirement: &Requirement,
        bucket: &Arn,
        bindings: &Bindings,
    ) -> Option<Asked> {
        let template = format!("{bucket}/*");
        let plain = format!("{bucket}/palisade");
        let alone = (&Crew::alone(actor), &BTreeSet::new());
        let names = std::iter::once(plain).chain(self.names(alone, &template, &[requirement]));
        let alone = alone.0;
        names
            .filter_map(|name| self.try_name(alone, &name, &[requirement], bindings))
            .find_map(|(_, mut answers)| answers.pop())
    }

    fn try_name(
        &self,
        crew: &Crew<'_>,
        name: &str,
        requirements: &[&Requirement],
        bindings: &Bindings,
    ) -> Named {
        // What exists already cannot be created once more.
        let is_new = |r: &Requirement| matches!(r.on.selector, Selector::New(_));
        if requirements.iter().any(|r| is_new(r)) && self.facts.exists(&Arn::from(name)) {
            return None;
        }
        let mut answers = Vec::new();
        for requirement in requirements {
            let call = self.call_of(requirement, bindings)?;
            let resource = match call.takes_resource {
                true => name,
                false => "*",
            };
            let fresh = is_new(requirement);
            let ask = |who| self.ask(who, Rc::clone(&call), Arn::from(resource), fresh);
            let own = ask(crew.first);
            let helped = crew
                .second
                .filter(|_| crew.shares(requirement))
                .and_then(ask);
            answers.push(surer(own, helped)?);
        }
        Some((Arn::from(name), answers))
    }

    /// The ARN of a resource of this kind, with `*` where its name would stand.
    fn template(&self, kind: Kind, account: &str, region: &str) -> String {
        let format = kind.arn_format().unwrap_or("*");
        let partition = self.scene.snapshot.partition.as_str();
        let mut out = String::new();
        let mut rest = format;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let (placeholder, tail) = after.split_once('}').unwrap_or((after, ""));
            out.push_str(match placeholder {
                "Partition" => partition,
                "Region" => region,
                "Account" => account,
                _ => "*",
            });
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// Names worth trying: the shortest that fits one Allow per action and layer.
    fn names(
        &self,
        (crew, sources): (&Crew<'_>, &BTreeSet<String>),
        template: &str,
        requirements: &[&Requirement],
    ) -> Vec<String> {
        let mut alone = self.patterns_of(crew.first, requirements.iter().copied());
        let sources = (!sources.is_empty()).then(|| sources.iter().cloned().collect());
        alone.fits.extend(sources.clone());
        let mut names = self.fitting(alone, template);
        if let Some(second) = crew.second {
            let own = requirements.iter().copied().filter(|r| !crew.shares(r));
            let mut both = self.patterns_of(crew.first, own);
            let helped = requirements.iter().copied().filter(|r| crew.shares(r));
            let theirs = self.patterns_of(second, helped);
            both.fits.extend(theirs.fits);
            both.fits.extend(sources);
            both.avoid.extend(theirs.avoid);
            names.extend(self.fitting(both, template));
        }
        names
    }

    /// Names that fit one pattern of each choice and the template. Walking to one is dear, and
    /// principals with like policies ask alike, so answers are kept.
    fn fitting(&self, mut patterns: Patterns, template: &str) -> Vec<String> {
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
        let (names, whole) = fitting(&key.0, template);
        if !whole {
            let cap = "names for what does not exist yet were looked for in part only";
            self.caps.borrow_mut().insert(cap.to_owned());
        }
        self.named.borrow_mut().insert(key, names.clone());
        names
    }

    fn patterns_of<'r>(
        &self,
        actor: &Actor,
        requirements: impl Iterator<Item = &'r Requirement>,
    ) -> Patterns {
        let mut all = Patterns::default();
        for requirement in requirements.filter(|r| r.takes_resource()) {
            let own = self.spoken(actor, &requirement.action.to_ascii_lowercase());
            all.fits.extend(own.fits.iter().cloned());
            all.avoid.extend(own.avoid.iter().cloned());
        }
        all
    }

    /// The patterns of everything that bears on one action of a principal; the same for everybody
    /// of its class.
    fn spoken(&self, actor: &Actor, action: &str) -> Rc<Patterns> {
        let key = (actor.class, action.to_owned());
        if let Some(known) = self.spoken.borrow().get(&key) {
            return Rc::clone(known);
        }
        let mut all = Patterns::default();
        let mut add = |policies: &[Attached]| {
            all.fits.push(patterns(policies, action, Effect::Allow));
            all.avoid.extend(patterns(policies, action, Effect::Deny));
        };
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

/// The resource patterns of statements that speak of an action, in lower case.
fn patterns(policies: &[Attached], action: &str, effect: Effect) -> Vec<String> {
    let mut all = Vec::new();
    for attached in policies {
        let Some(document) = attached.policy.document() else {
            continue;
        };
        for (compiled, statement) in attached.policy.statements.iter().zip(&document.statements) {
            if compiled.effect == effect && compiled.covers_action(action) {
                match &statement.resources {
                    Some(resources) => all.extend(resources.iter().cloned()),
                    None => all.push("*".to_owned()),
                }
            }
        }
    }
    // What was not read may allow any name.
    if effect == Effect::Allow && policies.iter().any(|p| p.policy.document().is_none()) {
        all.push("*".to_owned());
    }
    all
}
