//! A technique made ready to be tried: what to ask in which order, and what binds its variables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use palisade_checks::technique::{
    Category, Gain, Goal, Group, Kind, Opt, Predicate, Requirement, ResourceRef, Selector, Source,
    Status, Technique,
};

use super::actor::Actor;
use super::atom::{Atom, Mask, What, bit_of};
use super::bind::{Bindings, Bound};

/// Actions that set off what somebody else has prepared, in lower case.
///
/// # Panics
///
/// When the file is invalid: the tests read it, so a build that passed them holds a valid one.
fn handed_over() -> &'static BTreeSet<String> {
    static ALL: OnceLock<BTreeSet<String>> = OnceLock::new();
    ALL.get_or_init(|| match palisade_checks::handover() {
        Ok(actions) => actions,
        Err(error) => panic!("{error}"),
    })
}

/// A choice within a technique.
#[derive(Clone, Debug)]
pub(crate) struct PlanGroup<'a> {
    /// Its options: their place in the technique's group, and what each asks.
    pub(crate) options: Vec<(usize, Vec<Atom<'a>>)>,
    /// Whether it shares a variable with another group that nothing else binds, or its options
    /// gain different things, so that all must be tried together.
    pub(crate) tied: bool,
}

/// A technique, ready to be tried.
#[derive(Clone, Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) technique: &'a Technique,
    /// Who acts: what the technique says, or what some of its options say instead.
    pub(crate) from: &'a Source,
    pub(crate) atoms: Vec<Atom<'a>>,
    pub(crate) groups: Vec<PlanGroup<'a>>,
    /// Every variable, sorted: a bit of a [`Mask`] each.
    pub(crate) variables: Vec<Arc<str>>,
    /// What is still spoken of from each group on.
    pub(crate) later: Vec<Mask>,
    /// Variables that tell apart what is gained.
    pub(crate) matters: Mask,
    /// Everything it or one of its options gains.
    pub(crate) gains: Vec<&'a Gain>,
    /// The kind of each variable.
    pub(crate) kinds: BTreeMap<&'a str, Kind>,
    /// Actions that must all be allowed, in lower case.
    pub(crate) all_of: Vec<String>,
    /// For each group, the actions of each option, in lower case.
    pub(crate) one_of: Vec<Vec<Vec<String>>>,
    /// Whether the answer depends on who asks beyond what his policies say.
    pub(crate) personal: bool,
    /// Whether it asks for somebody in hand by name.
    pub(crate) named: bool,
    /// Roles it may reach in other accounts: it begins by assuming them.
    pub(crate) crosses: bool,
    /// Actions that a second principal in the same hand may send, in lower case.
    pub(crate) shared: BTreeSet<String>,
}

impl<'a> Plan<'a> {
    /// Makes a technique ready, once for everybody it may begin with: an option can say that
    /// somebody else acts.
    pub(crate) fn all(technique: &'a Technique) -> Vec<Self> {
        let options = technique.any_of.iter().flat_map(|group| &group.options);
        let mut sources = vec![&technique.yields.from];
        for from in options.filter_map(|option| option.from.as_ref()) {
            if !sources.contains(&from) {
                sources.push(from);
            }
        }
        let plans = sources
            .into_iter()
            .filter_map(|from| Self::new(technique, from));
        plans.collect()
    }

    /// Makes a technique ready for one of those it may begin with. `None` for what the graph does
    /// not draw: retired techniques, those that gain no node, and those that only name a sequence
    /// of others.
    fn new(technique: &'a Technique, from: &'a Source) -> Option<Self> {
        let reaches = match &technique.yields.to {
            Goal::Capacity | Goal::Knowledge | Goal::Outside => false,
            Goal::Data(_) | Goal::Guardrails(_) | Goal::Organization => true,
            // A resource is reached by itself; a principal by what can be done as it.
            Goal::Resource(to) if !is_principal(to.kind) => true,
            _ => technique.yields.gain != Gain::Nothing,
        };
        let drawn = reaches && !matches!(from, Source::Leak | Source::Outside);
        if technique.status == Status::Retired || !drawn || is_sequence(technique) {
            return None;
        }
        let mut atoms = Vec::new();
        for requirement in &technique.requires {
            atoms.push(What::Need(requirement));
            atoms.extend(requirement.filter.iter().map(What::Hold));
        }
        atoms.extend(technique.preconditions.iter().map(What::Hold));
        let mut plan = Plan {
            technique,
            from,
            atoms: atoms.into_iter().map(Atom::new).collect(),
            groups: Vec::new(),
            variables: Vec::new(),
            later: Vec::new(),
            matters: 0,
            gains: gains_of(technique),
            kinds: BTreeMap::new(),
            all_of: technique.requires.iter().map(action).collect(),
            one_of: Vec::new(),
            personal: false,
            named: false,
            crosses: false,
            shared: BTreeSet::new(),
        };
        plan.add_groups();
        plan.read_variables();
        plan.number_variables();
        let open = plan.groups.iter().all(|group| !group.options.is_empty());
        plan.share();
        open.then_some(plan)
    }

    /// Whether an option is for whoever acts here.
    fn takes(&self, group: &Group, option: &Opt) -> bool {
        match &option.from {
            Some(from) => from == self.from,
            None if *self.from == self.technique.yields.from => true,
            None => group
                .options
                .iter()
                .all(|o| o.from.as_ref() != Some(self.from)),
        }
    }

    fn add_groups(&mut self) {
        for group in &self.technique.any_of {
            let mut options = Vec::new();
            let mut one_of = Vec::new();
            for (number, option) in group.options.iter().enumerate() {
                if !self.takes(group, option) {
                    continue;
                }
                let mut atoms = Vec::new();
                for requirement in &option.requires {
                    atoms.push(What::Need(requirement));
                    atoms.extend(requirement.filter.iter().map(What::Hold));
                }
                atoms.extend(option.preconditions.iter().map(What::Hold));
                options.push((number, atoms.into_iter().map(Atom::new).collect()));
                one_of.push(option.requires.iter().map(action).collect());
            }
            self.one_of.push(one_of);
            self.groups.push(PlanGroup {
                options,
                tied: false,
            });
        }
    }

    fn read_variables(&mut self) {
        let in_group = |group: &PlanGroup<'a>| -> BTreeSet<&'a str> {
            let atoms = group.options.iter().flat_map(|(_, atoms)| atoms);
            atoms.flat_map(|atom| variables(atom.what)).collect()
        };
        let asked = self.atoms.iter();
        let base: BTreeSet<&str> = asked.flat_map(|atom| atom.what.needs()).collect();
        let sets: Vec<_> = self.groups.iter().map(in_group).collect();
        let base_new: BTreeSet<&str> = self
            .atoms
            .iter()
            .flat_map(|atom| variables(atom.what))
            .collect();
        for (at, own) in sets.iter().enumerate() {
            let shared = |name: &&str| {
                let elsewhere = sets
                    .iter()
                    .enumerate()
                    .any(|(i, set)| i != at && set.contains(*name));
                let free = !base.contains(*name);
                free && (elsewhere || base_new.contains(*name) || self.names_goal(name))
            };
            // Options that gain different things are no rivals.
            let gains = self.technique.any_of[at].options.iter();
            let differ = |o: &Opt| o.gain.is_some() || o.to.is_some();
            self.groups[at].tied = own.iter().any(shared) || gains.into_iter().any(differ);
        }
        let every = self.atoms.iter().chain(
            self.groups
                .iter()
                .flat_map(|group| &group.options)
                .flat_map(|(_, atoms)| atoms),
        );
        self.personal = self.technique.yields.to == Goal::SelfRef;
        for atom in every {
            self.personal |= is_personal(atom.what);
            self.named |= matches!(atom.what, What::Hold(Predicate::Held(_)));
            for reference in atom.what.references() {
                let Some(name) = reference.variable() else {
                    continue;
                };
                let slot = self.kinds.entry(name).or_insert(reference.kind);
                if *slot == Kind::PRINCIPAL {
                    *slot = reference.kind;
                }
            }
        }
        self.crosses = self.technique.requires.iter().any(|requirement| {
            requirement.action.eq_ignore_ascii_case("sts:AssumeRole")
                && requirement.on.kind == Kind::ROLE
        });
    }

    /// Gives every variable its bit.
    fn number_variables(&mut self) {
        let groups = self.groups.iter().flat_map(|group| &group.options);
        let every = self.atoms.iter().chain(groups.flat_map(|(_, atoms)| atoms));
        let mut names: BTreeSet<&str> = every.flat_map(|atom| atom.what.variables()).collect();
        names.extend(["account", "self"]);
        if let Source::Held(held) = self.from {
            names.extend(held.variable());
        }
        let variables: Vec<Arc<str>> = names.iter().copied().map(Arc::from).collect();
        let mut later = vec![0];
        for group in self.groups.iter_mut().rev() {
            let mut own = later[later.len() - 1];
            for atom in group.options.iter_mut().flat_map(|(_, atoms)| atoms) {
                atom.number(&variables);
                own |= atom.mentions;
            }
            later.push(own);
        }
        later.reverse();
        self.atoms
            .iter_mut()
            .for_each(|atom| atom.number(&variables));
        // Where a gain is told by what was asked, or the step begins outside, everything is.
        let all = !self.is_own() || self.gains.contains(&&Gain::Gated);
        self.matters = names
            .iter()
            .filter(|name| all || self.names_goal(name))
            .fold(0, |mask, name| mask | bit_of(&variables, name));
        (self.variables, self.later) = (variables, later);
    }

    /// The bit of a variable.
    pub(crate) fn bit(&self, name: &str) -> Mask {
        bit_of(&self.variables, name)
    }

    /// The bits of what is bound.
    pub(crate) fn bound(&self, bindings: &Bindings) -> Mask {
        let names = bindings.iter().map(|(name, _)| name);
        names.fold(0, |mask, name| mask | bit_of(&self.variables, name))
    }

    /// What another principal may send for the one that acts: everything where the actor only
    /// receives, else what sets off what is prepared. Sessions are the caller's own, and a role is
    /// passed by whoever creates.
    fn share(&mut self) {
        if *self.from != Source::SelfRef {
            return;
        }
        let receives = self.technique.yields.to == Goal::SelfRef;
        let options = self.one_of.iter().flatten().flatten();
        let own = |action: &str| action == "iam:passrole" || action.starts_with("sts:");
        self.shared = self
            .all_of
            .iter()
            .chain(options)
            .filter(|action| !own(action) && (receives || handed_over().contains(*action)))
            .cloned()
            .collect();
    }

    /// Whether somebody of this kind can begin with it.
    pub(crate) fn begins_at(&self, actor: &Actor) -> bool {
        match self.from {
            Source::Held(held) if held.kind == Kind::ROLE => !actor.is_user(),
            Source::Held(held) if held.kind == Kind::USER => actor.is_user(),
            _ => true,
        }
    }

    /// What stands for whom before anything is asked.
    pub(crate) fn given(&self, actor: &Actor) -> Bindings {
        let known = || Bound::Known(actor.arn.clone());
        let mut given = Bindings::default();
        given.insert("self", known());
        if let Source::Held(held) = self.from
            && let Some(name) = held.variable()
        {
            given.insert(name, known());
        }
        given
    }

    fn names_goal(&self, name: &str) -> bool {
        let options = self
            .technique
            .any_of
            .iter()
            .flat_map(|group| &group.options);
        let own = &self.technique.yields;
        let goals = options.clone().filter_map(|option| option.to.as_ref());
        let gains = options.filter_map(|option| option.gain.as_ref());
        let goals = goals.chain([&own.to]).filter_map(goal_reference);
        let gains = gains.chain([&own.gain]).filter_map(gain_reference);
        goals
            .chain(gains)
            .any(|named| named.variable() == Some(name))
    }

    /// What the chosen options gain: what the technique says, unless an option says otherwise.
    pub(crate) fn outcome(&self, options: &[usize]) -> (&'a Goal, &'a Gain) {
        let yields = &self.technique.yields;
        let chosen = self.technique.any_of.iter().zip(options);
        let chosen = chosen.filter_map(|(group, at)| group.options.get(*at));
        chosen.fold((&yields.to, &yields.gain), |(to, gain), option| {
            let to = option.to.as_ref().unwrap_or(to);
            (to, option.gain.as_ref().unwrap_or(gain))
        })
    }

    /// A number for each gain.
    pub(crate) fn place_of(&self, gain: &Gain) -> usize {
        let place = self.gains.iter().position(|known| *known == gain);
        place.unwrap_or(self.gains.len())
    }

    /// What the chosen options gain, where it is a resource or an account.
    pub(crate) fn goal(&self, options: &[usize]) -> Option<&'a ResourceRef> {
        goal_reference(self.outcome(options).0)
    }

    /// The policy or group whose permissions the chosen options gain, or that will cap them.
    pub(crate) fn gain_reference(&self, options: &[usize]) -> Option<&'a ResourceRef> {
        gain_reference(self.outcome(options).1)
    }

    /// Whether a principal starts it, rather than somebody from outside.
    pub(crate) fn is_own(&self) -> bool {
        match self.from {
            Source::SelfRef => true,
            Source::Held(held) => is_principal(held.kind),
            _ => false,
        }
    }

    /// The row of the entry weights for a step that begins outside.
    pub(crate) fn entry_row(&self) -> &'static str {
        let asks = |wanted: fn(&Predicate) -> bool| self.technique.all_predicates().any(wanted);
        match self.from {
            Source::Account(_) => "foreign-account",
            Source::Tenants => "loose-federation",
            _ if asks(|p| matches!(p, Predicate::CredentialIn(..))) => "public-credential",
            _ if asks(|p| matches!(p, Predicate::InternetFacing(..))) => "exposed-compute",
            Source::AnyAccount if self.trusts_an_account() => "foreign-account",
            _ => "anonymous",
        }
    }

    fn trusts_an_account(&self) -> bool {
        self.technique.all_predicates().any(|predicate| {
            matches!(
                predicate,
                Predicate::Trusts(_, palisade_checks::technique::Trusted::Account(_), _)
            )
        })
    }

    /// Where it stands among techniques that gain the same for the same price: what keeps access
    /// comes after what gains it.
    pub(crate) fn rank(&self) -> (bool, &'a str) {
        (
            self.technique.category == Category::Persistence,
            &self.technique.id,
        )
    }
}

fn is_principal(kind: Kind) -> bool {
    [Kind::ROLE, Kind::USER, Kind::PRINCIPAL].contains(&kind)
}

/// Whether the answer differs between principals with the same policies and boundary.
fn is_personal(atom: What<'_>) -> bool {
    let selfish = |r: &&ResourceRef| matches!(r.selector, Selector::SelfRef);
    match atom {
        What::Hold(
            Predicate::Different(..)
            | Predicate::IsUser(_)
            | Predicate::IsRole(_)
            | Predicate::HasBoundary(_)
            | Predicate::BoundaryLimits(_)
            | Predicate::Broader(..)
            | Predicate::BroaderBoundary(..)
            | Predicate::Attached(..)
            | Predicate::BoundaryOf(..)
            | Predicate::DenyHeldBy(..)
            | Predicate::GatedBy(..)
            | Predicate::HeldByTag(..)
            | Predicate::AssumableIfTrusted(_)
            | Predicate::Enterable(..)
            | Predicate::LaunchableWith(_)
            | Predicate::InManagementAccount(_)
            | Predicate::AdministersOrganization(..),
        ) => false,
        What::Hold(predicate) if asks_for_hand(predicate) => true,
        other => other.references().iter().any(selfish),
    }
}

/// Whether a question is about what is in the hand of whoever acts: principals that are alike
/// otherwise differ in it.
fn asks_for_hand(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Not(inner) => asks_for_hand(inner),
        Predicate::Any(parts) | Predicate::All(parts) => parts.iter().any(asks_for_hand),
        Predicate::CodeOn(_) => true,
        _ => false,
    }
}

/// What a technique and its options gain, each once, in the order of their words.
fn gains_of(technique: &Technique) -> Vec<&Gain> {
    let options = technique.any_of.iter().flat_map(|group| &group.options);
    let mut gains: Vec<&Gain> = vec![&technique.yields.gain];
    gains.extend(options.filter_map(|option| option.gain.as_ref()));
    gains.sort_by_key(|gain| format!("{gain:?}"));
    gains.dedup();
    gains
}

fn goal_reference(goal: &Goal) -> Option<&ResourceRef> {
    match goal {
        Goal::Resource(to)
        | Goal::Root(to)
        | Goal::Administrator(to)
        | Goal::Guardrails(to)
        | Goal::Data(to) => Some(to),
        _ => None,
    }
}

fn gain_reference(gain: &Gain) -> Option<&ResourceRef> {
    match gain {
        Gain::Policy(what)
        | Gain::Version(what)
        | Gain::Group(what)
        | Gain::Under(what)
        | Gain::UnderVersion(what)
        | Gain::AnythingUnder(what) => Some(what),
        _ => None,
    }
}

fn variables(what: What<'_>) -> Vec<&str> {
    let mut all = what.variables();
    all.retain(|name| *name != "self");
    all
}

fn action(requirement: &Requirement) -> String {
    requirement.action.to_ascii_lowercase()
}

/// Whether every step of it is a step of its own: assume one role, which may assume the next.
/// The search strings such steps together by itself.
fn is_sequence(technique: &Technique) -> bool {
    let assume = |requirement: &Requirement| requirement.action == "sts:AssumeRole";
    let next = |who: &ResourceRef| {
        technique.preconditions.iter().any(
            |predicate| matches!(predicate, Predicate::May(by, what) if by == who && assume(what)),
        )
    };
    technique
        .requires
        .iter()
        .any(|requirement| assume(requirement) && next(&requirement.on))
}
