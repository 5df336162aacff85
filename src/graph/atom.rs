//! One thing a technique asks, and the variables it asks about.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_checks::technique::{Predicate, Requirement, ResourceRef, Selector};

/// Some of a technique's variables, a bit for each.
pub(crate) type Mask = u64;

/// One thing a technique asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What<'a> {
    /// A permission.
    Need(&'a Requirement),
    /// A fact.
    Hold(&'a Predicate),
}

/// One thing a technique asks, and the variables it asks about.
#[derive(Clone, Debug)]
pub(crate) struct Atom<'a> {
    pub(crate) what: What<'a>,
    /// Variables that must stand for something before it can be asked.
    pub(crate) needs: Mask,
    /// Every variable it speaks of.
    pub(crate) mentions: Mask,
    /// The variables its answer hangs on.
    pub(crate) names: Vec<Arc<str>>,
}

impl<'a> Atom<'a> {
    pub(super) fn new(what: What<'a>) -> Self {
        Atom {
            what,
            needs: 0,
            mentions: 0,
            names: Vec::new(),
        }
    }

    /// Gives its variables their bits.
    pub(super) fn number(&mut self, variables: &[Arc<str>]) {
        let mask = |names: &mut dyn Iterator<Item = &'a str>| {
            names.fold(0, |mask, name| mask | bit_of(variables, name))
        };
        self.needs = mask(&mut self.what.needs().into_iter());
        self.mentions = mask(&mut self.what.variables().into_iter());
        let mut names: BTreeSet<&str> = self.what.variables().into_iter().collect();
        if let What::Hold(predicate) = self.what
            && is_implicit(predicate)
        {
            names.insert("self");
        }
        self.names = names.into_iter().map(Arc::from).collect();
    }

    /// Whether it is a fact, whoever tries.
    pub(crate) fn is_fact(&self) -> bool {
        let personal = self.names.iter().any(|name| &**name == "self");
        matches!(self.what, What::Hold(_)) && !personal
    }

    /// Whether everything it needs is among these.
    pub(crate) fn is_ready(&self, bound: Mask) -> bool {
        self.needs & !bound == 0
    }
}

/// The bit of a variable; none for what is no variable of the technique.
pub(super) fn bit_of(variables: &[Arc<str>], name: &str) -> Mask {
    let place = variables.binary_search_by(|known| (**known).cmp(name));
    place.map_or(0, |at| 1 << at)
}

impl<'a> What<'a> {
    /// Everything it speaks of.
    pub(super) fn references(self) -> Vec<&'a ResourceRef> {
        match self {
            What::Need(requirement) => requirement.references(),
            What::Hold(predicate) => predicate.references(),
        }
    }

    /// Every variable it speaks of, whoever acts among them.
    pub(super) fn variables(self) -> Vec<&'a str> {
        let all = self.references().into_iter();
        all.filter_map(ResourceRef::variable).collect()
    }

    /// Variables that must stand for something before it can be asked. A name the attacker picks
    /// is not among them, nor what a question binds for itself.
    pub(super) fn needs(self) -> BTreeSet<&'a str> {
        let own: BTreeSet<&str> = match self {
            What::Hold(predicate) => exists_in(predicate),
            What::Need(_) => BTreeSet::new(),
        };
        self.references()
            .into_iter()
            .filter(|reference| !matches!(reference.selector, Selector::New(_)))
            .filter_map(ResourceRef::variable)
            .filter(|name| !own.contains(name))
            .collect()
    }
}

/// Whether a predicate speaks of the acting principal without naming it.
fn is_implicit(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Not(inner) => is_implicit(inner),
        Predicate::Any(parts) | Predicate::All(parts) => parts.iter().any(is_implicit),
        Predicate::AssumableIfTrusted(_)
        | Predicate::CodeOn(_)
        | Predicate::LaunchableWith(_)
        | Predicate::Held(_)
        | Predicate::OwnAccount(_) => true,
        _ => false,
    }
}

/// Variables that stand for "some such resource" inside an `exists`.
fn exists_in(predicate: &Predicate) -> BTreeSet<&str> {
    match predicate {
        Predicate::Not(inner) => exists_in(inner),
        Predicate::Any(parts) | Predicate::All(parts) => parts.iter().flat_map(exists_in).collect(),
        Predicate::Exists(what, _) => what.variable().into_iter().collect(),
        _ => BTreeSet::new(),
    }
}
