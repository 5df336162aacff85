//! What resources of the attacker's making may be called: names under which everything that is
//! asked of them, or with them in the context, is allowed.
//!
//! Candidate names come from the statements: one that fits an Allow of each action and no Deny.
//! Each is put to the engine, which has the last word.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use palisade_checks::technique::{ContextValue, Kind, Requirement, ResourceRef, Selector};
use palisade_model::Arn;

use super::abroad::is_abroad;
use super::actor::{Actor, Crew};
use super::ask::Asked;
use super::bind::{Bindings, Bound};
use super::judge::{Judge, surer};
use super::source::is_source;
use super::spell::{parent_of, spelled};
use super::wording::{Patterns, Spot};

/// What is asked of one resource that is to get a name.
#[derive(Clone, Debug, Default)]
struct Wish<'r> {
    /// The variable it stands for; empty for one that no variable names.
    variable: &'r str,
    /// What is asked about it.
    about: Vec<&'r Requirement>,
    /// What is asked about something else, with it in the context.
    with: Vec<&'r Requirement>,
    /// What will be asked about something else that has no name yet, with it in the context.
    later: Vec<&'r Requirement>,
}

/// A requirement by its address, and what its variables stand for.
type Ask = (usize, Vec<Option<Bound>>);

/// What is asked of one resource, where and by whom: the classes of who acts and who helps, what they
/// share, and the requirements.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    account: String,
    classes: (u64, u64),
    shared: usize,
    asked: Vec<Ask>,
    sources: BTreeSet<String>,
    parent: Option<String>,
}

/// A name, and the answers under it.
pub(super) type Named = Option<(Arn, Vec<Asked>)>;

/// Where names are looked for: the account, and patterns of which they must fit one.
#[derive(Clone, Copy)]
struct Where<'w> {
    account: &'w str,
    sources: &'w BTreeSet<String>,
}

impl Judge<'_> {
    /// Names for everything that does not exist yet and that is asked about or with, and the
    /// answers under them; `None` when there are no such names.
    pub(crate) fn name_all(
        &self,
        crew: &Crew<'_>,
        asked: &[&Requirement],
        bindings: &Bindings,
    ) -> Option<(Bindings, Vec<Asked>)> {
        // What is made is made at home, and is of no use abroad.
        if !asked.is_empty() && is_abroad(crew.first, bindings) {
            return None;
        }
        self.settle(crew, &wishes(asked), bindings)
    }

    fn settle(
        &self,
        crew: &Crew<'_>,
        wishes: &[Wish<'_>],
        bindings: &Bindings,
    ) -> Option<(Bindings, Vec<Asked>)> {
        let Some((first, rest)) = wishes.split_first() else {
            return Some((bindings.clone(), Vec::new()));
        };
        let then = |(name, mut answers): (Arn, Vec<Asked>)| {
            let mut bindings = bindings.clone();
            bindings.insert(first.variable, Bound::New(name));
            let (bindings, more) = self.settle(crew, rest, &bindings)?;
            answers.extend(more);
            Some((bindings, answers))
        };
        let account = crew.first.arn.account();
        if first.later.is_empty() {
            return then(self.best_name(account, crew, first, bindings)?);
        }
        // What is asked later decides which of the names will do.
        let sources = self.sources_for(account, first, bindings);
        let place = Where {
            account,
            sources: &sources,
        };
        self.names_for(place, crew, first, bindings).find_map(then)
    }

    /// A name for one resource that does not exist yet, under which a requirement is allowed,
    /// and the answer.
    pub(crate) fn new_resource(
        &self,
        crew: &Crew<'_>,
        requirement: &Requirement,
        bindings: &Bindings,
    ) -> Named {
        if is_abroad(crew.first, bindings) {
            return None;
        }
        self.resource_in(crew.first.arn.account(), crew, requirement, bindings)
    }

    /// Likewise in some account: for what exists there and was not read.
    pub(crate) fn resource_in(
        &self,
        account: &str,
        crew: &Crew<'_>,
        requirement: &Requirement,
        bindings: &Bindings,
    ) -> Named {
        let wish = Wish {
            about: vec![requirement],
            ..Wish::default()
        };
        self.best_name(account, crew, &wish, bindings)
    }

    /// The first name that will do.
    fn best_name(
        &self,
        account: &str,
        crew: &Crew<'_>,
        wish: &Wish<'_>,
        bindings: &Bindings,
    ) -> Named {
        let sources = self.sources_for(account, wish, bindings);
        let ask = |requirement: &&Requirement| {
            let speaks = requirement.references().into_iter();
            let speaks = speaks.filter_map(ResourceRef::variable);
            let of = speaks.map(|name| bindings.get(name).cloned()).collect();
            (std::ptr::from_ref(*requirement) as usize, of)
        };
        let wanted = Wanted {
            account: account.to_owned(),
            classes: (
                crew.first.class,
                crew.second.map_or(0, |second| second.class),
            ),
            shared: std::ptr::from_ref(crew.shared) as usize,
            asked: wish.about.iter().chain(&wish.with).map(ask).collect(),
            sources,
            parent: wish.parent(bindings),
        };
        if let Some(known) = self.fresh.borrow().get(&wanted) {
            return known.clone();
        }
        let place = Where {
            account,
            sources: &wanted.sources,
        };
        let named = self.names_for(place, crew, wish, bindings).next();
        self.fresh.borrow_mut().insert(wanted, named.clone());
        named
    }

    fn sources_for(&self, account: &str, wish: &Wish<'_>, bindings: &Bindings) -> BTreeSet<String> {
        let kind = wish.about.first().map(|requirement| requirement.on.kind);
        let any = kind.map(|kind| self.template(kind, account, "*"));
        any.map(|any| self.sources_of(&wish.about, &any, bindings))
            .unwrap_or_default()
    }

    /// Every name under which all that can be asked now goes through.
    fn names_for<'s>(
        &'s self,
        place: Where<'s>,
        crew: &'s Crew<'s>,
        wish: &'s Wish<'s>,
        bindings: &'s Bindings,
    ) -> impl Iterator<Item = (Arn, Vec<Asked>)> + 's {
        let kind = wish.about.first().map(|requirement| requirement.on.kind);
        let mut templates: Vec<String> = Vec::new();
        for region in kind
            .iter()
            .flat_map(|_| self.regions_for(crew, place.account))
        {
            let mut template = kind.map(|kind| self.template(kind, place.account, &region));
            if let (Some(template), Some(parent)) = (&mut template, wish.parent(bindings)) {
                *template = template.replacen("/*/", &format!("/{parent}/"), 1);
            }
            templates.extend(template.filter(|own| !templates.contains(own)));
        }
        let names = templates.into_iter().flat_map(move |template| {
            let plain = template.replace('*', "palisade");
            let others = std::iter::once_with(move || self.names((crew, place), &template, wish));
            std::iter::once(plain).chain(others.flatten())
        });
        names
            .filter(move |name| is_source(&Arn::from(name.as_str()), place.sources))
            .filter_map(move |name| self.try_name(crew, &name, wish, bindings))
    }

    /// Asks for any object of a bucket: one whose key the policies let through.
    pub(crate) fn any_object(
        &self,
        actor: &Actor,
        requirement: &Requirement,
        bucket: &Arn,
        bindings: &Bindings,
    ) -> Option<Asked> {
        let wish = Wish {
            about: vec![requirement],
            ..Wish::default()
        };
        let crew = Crew::alone(actor);
        let place = Where {
            account: bucket.account(),
            sources: &BTreeSet::new(),
        };
        let plain = format!("{bucket}/palisade");
        let others = self.names((&crew, place), &format!("{bucket}/*"), &wish);
        std::iter::once(plain)
            .chain(others)
            .filter_map(|name| self.try_name(&crew, &name, &wish, bindings))
            .find_map(|(_, mut answers)| answers.pop())
    }

    fn try_name(&self, crew: &Crew<'_>, name: &str, wish: &Wish<'_>, bindings: &Bindings) -> Named {
        // What exists already cannot be created once more.
        let is_new = |r: &Requirement| matches!(r.on.selector, Selector::New(_));
        if wish.about.iter().any(|r| is_new(r)) && self.facts.exists(&Arn::from(name)) {
            return None;
        }
        let mut bindings = Cow::Borrowed(bindings);
        if wish.speaks_of_itself() {
            let own = bindings.to_mut();
            own.insert(wish.variable, Bound::New(Arn::from(name)));
        }
        let mut answers = Vec::new();
        for requirement in &wish.about {
            let call = self.call_of(requirement, &bindings)?;
            let resource = match call.takes_resource {
                true => spelled(name, requirement.on.kind),
                false => Arn::from("*"),
            };
            let fresh = is_new(requirement);
            let ask = |who| self.ask(who, Rc::clone(&call), resource.clone(), fresh);
            let own = ask(crew.first);
            let helped = crew
                .second
                .filter(|_| crew.shares(requirement))
                .and_then(ask);
            answers.push(surer(own, helped)?);
        }
        for requirement in &wish.with {
            answers.push(self.require(crew, requirement, &bindings)?);
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
        (crew, place): (&Crew<'_>, Where<'_>),
        template: &str,
        wish: &Wish<'_>,
    ) -> Vec<String> {
        let sources = place.sources.iter().cloned().collect::<Vec<_>>();
        let sources = (!sources.is_empty()).then_some(sources);
        let mut alone = Patterns::default();
        for (requirement, spot) in wish.spots() {
            alone.extend(&self.spoken(crew.first, &requirement.action, spot));
        }
        alone.fits.extend(sources.clone());
        let mut names = self.fitting(alone, template);
        if let Some(second) = crew.second {
            let mut both = Patterns::default();
            for (requirement, spot) in wish.spots() {
                let sender = match crew.shares(requirement) {
                    true => second,
                    false => crew.first,
                };
                both.extend(&self.spoken(sender, &requirement.action, spot));
            }
            both.fits.extend(sources);
            names.extend(self.fitting(both, template));
        }
        names
    }
}

impl<'r> Wish<'r> {
    /// Where the policies of whoever asks may speak of the name.
    fn spots(&self) -> impl Iterator<Item = (&'r Requirement, Spot)> {
        let about = self.about.iter().filter(|r| r.takes_resource());
        let about = about.map(|requirement| (*requirement, Spot::Resource));
        let with = self.with.iter().chain(&self.later).flat_map(|requirement| {
            let keys = requirement
                .context
                .iter()
                .filter(|(_, value)| self.is(value));
            keys.map(|(key, _)| (*requirement, Spot::Key(key.clone())))
        });
        about.chain(with)
    }

    /// The name of what it is made in, where that is part of its own.
    fn parent(&self, bindings: &Bindings) -> Option<String> {
        parent_of(self.about.first()?.on.kind, bindings)
    }

    /// Whether a context value is its name.
    fn is(&self, value: &ContextValue) -> bool {
        new_in(value) == Some(self.variable)
    }

    /// Whether something is asked with its name in the context.
    fn speaks_of_itself(&self) -> bool {
        let mut asked = self.about.iter().chain(&self.with);
        asked.any(|requirement| requirement.context.iter().any(|(_, value)| self.is(value)))
    }
}

/// What is to get a name, in the order in which names are settled: first what calls about others
/// carry in their context.
fn wishes<'r>(asked: &[&'r Requirement]) -> Vec<Wish<'r>> {
    let mut by_name: BTreeMap<&'r str, Wish<'r>> = BTreeMap::new();
    for requirement in asked.iter().copied() {
        let about = match &requirement.on.selector {
            Selector::New(_) => requirement.on.variable(),
            _ => None,
        };
        if let Some(name) = about {
            by_name.entry(name).or_default().about.push(requirement);
        }
        let carried = requirement
            .context
            .iter()
            .filter_map(|(_, value)| new_in(value));
        let carried: BTreeSet<&str> = carried.filter(|name| Some(*name) != about).collect();
        for name in carried {
            let wish = by_name.entry(name).or_default();
            match about {
                Some(_) => wish.later.push(requirement),
                None => wish.with.push(requirement),
            }
        }
    }
    let named = by_name
        .into_iter()
        .map(|(variable, wish)| Wish { variable, ..wish });
    let mut all: Vec<Wish<'_>> = named.collect();
    all.sort_by_key(|wish| wish.later.is_empty());
    all
}

/// The variable of a context value that does not exist yet.
fn new_in(value: &ContextValue) -> Option<&str> {
    match value {
        ContextValue::Ref(named) if matches!(named.selector, Selector::New(_)) => named.variable(),
        _ => None,
    }
}

/// Whether a requirement can be asked only when something that does not exist yet has a name.
pub(super) fn waits_for_name(requirement: &Requirement) -> bool {
    matches!(requirement.on.selector, Selector::New(_))
        || requirement
            .context
            .iter()
            .any(|(_, value)| new_in(value).is_some())
}
