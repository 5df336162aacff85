//! What a variable may stand for, and what a resource of the attacker's making may be called.

use std::collections::BTreeSet;

use palisade_checks::technique::{
    Kind, Predicate, Requirement, ResourceRef, Selector, Test, Trusted,
};
use palisade_model::{Arn, Gap, GapKind};

use super::actor::{Actor, Crew};
use super::bind::{Bindings, Bound};
use super::judge::{Asked, Judge, context_of, surer};
use super::name::witness;
use super::plan::Atom;
use super::solve::Attempt;
use crate::policy::document::Statement;
use crate::policy::{Attached, Effect, Glob};

/// What a variable may stand for.
pub(crate) enum Choice {
    /// These and no others.
    These(Vec<Bound>),
    /// Everything of a kind, and how much that is.
    Stock(Kind, usize),
}

impl Choice {
    pub(crate) fn len(&self) -> usize {
        match self {
            Choice::These(few) => few.len(),
            Choice::Stock(_, size) => *size,
        }
    }
}

/// Combinations of statements that are tried for one name.
const MAX_COMBINATIONS: usize = 48;

impl<'a> Judge<'a> {
    /// Everything a variable may stand for, as far as the other questions do not rule it out at
    /// once.
    pub(crate) fn candidates(
        &self,
        attempt: &Attempt<'_, '_, 'a>,
        name: &str,
        atoms: &[Atom<'a>],
        bindings: &Bindings,
    ) -> Choice {
        let plan = attempt.plan;
        let kind = plan.kinds.get(name).copied().unwrap_or(Kind::PRINCIPAL);
        if let Some(few) = self.few(attempt, name, atoms, bindings) {
            return Choice::These(few);
        }
        let crosses = plan.crosses
            && plan.technique.requires.iter().any(|requirement| {
                requirement.on.variable() == Some(name)
                    && requirement.action.eq_ignore_ascii_case("sts:AssumeRole")
            });
        if let (true, Some(actor)) = (crosses, attempt.actor) {
            let roles = self.scene.roles_trusting(&actor.arn, actor.assumes);
            return Choice::These(roles.into_iter().cloned().map(Bound::Known).collect());
        }
        Choice::Stock(kind, self.stock_size(kind, attempt.account))
    }

    /// What a choice offers.
    pub(crate) fn open(
        &self,
        choice: Choice,
        account: &str,
        atoms: &[Atom<'a>],
        name: &str,
    ) -> Vec<Bound> {
        match choice {
            Choice::These(few) => few,
            Choice::Stock(kind, _) => self.stock(kind, account, atoms, name),
        }
    }

    fn stock_size(&self, kind: Kind, account: &str) -> usize {
        let Some(local) = self.scene.local(account) else {
            return 0;
        };
        match kind {
            kind if is_account(kind) => self.scene.accounts.len(),
            Kind::PRINCIPAL => local.stock("user").known.len() + local.stock("role").known.len(),
            _ => local.stock(kind.name()).known.len() + 1,
        }
    }

    /// Candidates that a question names outright.
    fn few(
        &self,
        attempt: &Attempt<'_, '_, 'a>,
        name: &str,
        atoms: &[Atom<'a>],
        bindings: &Bindings,
    ) -> Option<Vec<Bound>> {
        let is = |reference: &ResourceRef| reference.variable() == Some(name);
        let known = |reference: &ResourceRef| {
            let variable = reference.variable()?;
            bindings.get(variable).and_then(Bound::arn)
        };
        for atom in atoms {
            let Atom::Hold(predicate) = atom else {
                continue;
            };
            match predicate {
                // A resource nobody listed runs as some role that trusts its service.
                Predicate::Attribute(of, attribute, Test::Names(to))
                    if is(to) && attribute == "role" && is_unseen(of, bindings) =>
                {
                    let (service, _) = of.kind.resource_type()?;
                    let roles = self.scene.local(attempt.account)?.roles_of_service(service);
                    return Some(roles.into_iter().cloned().map(Bound::Known).collect());
                }
                Predicate::Attribute(of, attribute, Test::Names(to)) if is(to) => {
                    if let Some(arn) = known(of)
                        && let Some(named) = self.facts.named(arn, attribute, to.kind)
                    {
                        return Some(named.into_iter().map(Bound::Known).collect());
                    }
                }
                Predicate::Attribute(of, attribute, Test::Names(to) | Test::Includes(to))
                    if is(to) && to.kind == Kind::ACCOUNT =>
                {
                    let holders = match known(of) {
                        Some(arn) => vec![arn.clone()],
                        None => self
                            .scene
                            .local(attempt.account)?
                            .stock(of.kind.name())
                            .known
                            .clone(),
                    };
                    let texts = holders
                        .iter()
                        .flat_map(|arn| self.facts.texts(arn, attribute));
                    let accounts = texts.filter(|text| is_account_id(text));
                    return Some(accounts.map(Bound::Account).collect());
                }
                Predicate::CredentialIn(place, whose) if is(whose) => {
                    let Some(place) = known(place) else { continue };
                    if let Some(owners) = self.facts.key_owners(place) {
                        return Some(owners.into_iter().map(Bound::Known).collect());
                    }
                }
                Predicate::Member(user, group) if is(group) => {
                    let user = known(user)?;
                    return Some(
                        self.facts
                            .groups(user)
                            .into_iter()
                            .map(Bound::Known)
                            .collect(),
                    );
                }
                Predicate::Attached(policy, to) if is(policy) => {
                    let Some(to) = known(to) else { continue };
                    return Some(
                        self.facts
                            .attached(to)
                            .into_iter()
                            .map(Bound::Known)
                            .collect(),
                    );
                }
                Predicate::BoundaryOf(policy, of) if is(policy) => {
                    let Some(of) = known(of) else { continue };
                    return Some(
                        self.facts
                            .boundary(of)
                            .into_iter()
                            .map(Bound::Known)
                            .collect(),
                    );
                }
                Predicate::Trusts(role, Trusted::Service(service), _)
                    if is(role) && service != "*" =>
                {
                    let local = self.scene.local(attempt.account)?;
                    let mut roles = local.roles_for(service);
                    roles.extend(self.scene.obscure_in(attempt.account));
                    return Some(roles.into_iter().cloned().map(Bound::Known).collect());
                }
                Predicate::OpenTo(of, account, _) if is(account) => {
                    let Some(of) = known(of) else { continue };
                    let foreign = self.facts.accounts_in_policy(of);
                    return Some(foreign.into_iter().map(Bound::Account).collect());
                }
                Predicate::Trusts(_, Trusted::Account(account), _) if is(account) => {
                    let foreign = self.scene.accounts_trusted(attempt.account);
                    return Some(foreign.into_iter().map(Bound::Account).collect());
                }
                _ => {}
            }
        }
        None
    }

    fn stock(&self, kind: Kind, account: &str, atoms: &[Atom<'a>], name: &str) -> Vec<Bound> {
        let Some(local) = self.scene.local(account) else {
            return Vec::new();
        };
        if is_account(kind) {
            return self
                .all_accounts()
                .into_iter()
                .map(Bound::Account)
                .collect();
        }
        if kind == Kind::PRINCIPAL {
            let both = ["user", "role"].map(|kind| local.stock(kind).known.clone());
            return both.into_iter().flatten().map(Bound::Known).collect();
        }
        let stock = match kind {
            Kind::BUCKET_CONTENT => local.stock(Kind::BUCKET.name()),
            kind => local.stock(kind.name()),
        };
        let mut all: Vec<Bound> = stock.known.iter().cloned().map(Bound::Known).collect();
        if kind == Kind::POLICY {
            let partition = self.scene.snapshot.partition;
            let administrator = Arn::new(format!(
                "arn:{partition}:iam::aws:policy/AdministratorAccess"
            ));
            if attaches(atoms, name) && !stock.known.contains(&administrator) {
                all.push(Bound::Known(administrator));
            }
        }
        // Objects are listed where a bucket is exposed, and nobody asked for the others. Every
        // other listing that is not there may hold anything.
        let asked = !matches!(kind, Kind::OBJECT | Kind::BUCKET_CONTENT);
        // Of providers only those matter that a role trusts, and trust policies name them.
        let is_provider = matches!(kind.name(), "saml-provider" | "oidc-provider");
        if let (true, Some(gap)) = (is_provider, stock.gaps.first()) {
            let named = local
                .providers
                .iter()
                .filter(|arn| arn.resource().starts_with(kind.name()));
            all.extend(named.map(|arn| Bound::Named {
                arn: arn.clone(),
                gap: Box::new(gap.clone()),
            }));
            return all;
        }
        let counts = |gap: &&Gap| asked || gap.kind != GapKind::NotCollected;
        if let Some(gap) = stock.gaps.iter().find(counts) {
            let gap = Box::new(gap.clone());
            all.push(Bound::Unseen {
                account: account.to_owned(),
                gap,
            });
        }
        all
    }

    /// Every account that was looked at or belongs to the organization, sorted.
    fn all_accounts(&self) -> BTreeSet<String> {
        let seen = self.scene.accounts.keys().map(|id| (*id).to_owned());
        let organization = self.scene.snapshot.organization.value();
        let members = organization.and_then(|organization| organization.accounts.value());
        seen.chain(members.into_iter().flat_map(|all| all.keys().cloned()))
            .collect()
    }

    /// A name for one resource that does not exist yet, under which every requirement is
    /// allowed, and the answers; `None` when there is no such name.
    ///
    /// Candidate names come from the statements: one that fits an Allow of each action and no
    /// Deny. Each is put to the engine, which has the last word.
    pub(crate) fn new_resource(
        &self,
        crew: &Crew<'_>,
        requirements: &[&Requirement],
        bindings: &Bindings,
    ) -> Option<(Arn, Vec<Asked>)> {
        let actor = crew.first;
        let first = requirements.first()?;
        let regions = self
            .scene
            .local(actor.arn.account())
            .map(|local| local.regions.clone());
        for region in regions.unwrap_or_default().iter().take(4) {
            let template = self.template(first.on.kind, actor, region);
            let plain = template.replace('*', "palisade");
            if let Some(found) = self.try_name(crew, &plain, requirements, bindings) {
                return Some(found);
            }
            for name in self.names(crew, &template, requirements) {
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
        let alone = Crew::alone(actor);
        let names = std::iter::once(plain).chain(self.names(&alone, &template, &[requirement]));
        names
            .filter_map(|name| self.try_name(&alone, &name, &[requirement], bindings))
            .find_map(|(_, mut answers)| answers.pop())
    }

    fn try_name(
        &self,
        crew: &Crew<'_>,
        name: &str,
        requirements: &[&Requirement],
        bindings: &Bindings,
    ) -> Option<(Arn, Vec<Asked>)> {
        // What exists already cannot be created once more.
        let is_new = |r: &&&Requirement| matches!(r.on.selector, Selector::New(_));
        if requirements.iter().any(|r| is_new(&r)) && self.facts.exists(&Arn::from(name)) {
            return None;
        }
        let mut answers = Vec::new();
        for requirement in requirements {
            let context = context_of(requirement, bindings)?;
            let resource = if requirement.takes_resource() {
                name
            } else {
                "*"
            };
            let fresh = matches!(requirement.on.selector, Selector::New(_));
            let ask = |who: &Actor| match fresh {
                true => self.ask_new(who, &requirement.action, resource, context.clone()),
                false => self.ask(who, &requirement.action, resource, context.clone()),
            };
            let own = ask(crew.first);
            let second = crew.second.filter(|_| crew.shares(requirement));
            answers.push(surer(own, second.and_then(ask))?);
        }
        Some((Arn::from(name), answers))
    }

    /// The ARN of a resource of this kind, with `*` where its name would stand.
    fn template(&self, kind: Kind, actor: &Actor, region: &str) -> String {
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
                "Account" => actor.arn.account(),
                _ => "*",
            });
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// Names worth trying: the shortest that fits one Allow per action and layer.
    fn names(&self, crew: &Crew<'_>, template: &str, requirements: &[&Requirement]) -> Vec<String> {
        let alone = self.names_of(crew.first, template, requirements);
        let Some(second) = crew.second else {
            return alone;
        };
        let helped: Vec<&Requirement> = requirements
            .iter()
            .copied()
            .filter(|requirement| crew.shares(requirement))
            .collect();
        let own: Vec<&Requirement> = requirements
            .iter()
            .copied()
            .filter(|requirement| !crew.shares(requirement))
            .collect();
        let (mut fits, mut avoid) = self.patterns_of(crew.first, &own);
        let (more, less) = self.patterns_of(second, &helped);
        fits.extend(more);
        avoid.extend(less);
        let mut names = alone;
        names.extend(self.fitting(fits, avoid, template));
        names
    }

    /// Names that fit one pattern of each choice and the template. Walking to one is dear, and
    /// principals with like policies ask alike, so answers are kept.
    fn fitting(
        &self,
        mut choices: Vec<Vec<String>>,
        mut avoid: BTreeSet<String>,
        template: &str,
    ) -> Vec<String> {
        choices.iter_mut().for_each(|options| {
            options.sort();
            options.dedup();
        });
        choices.sort();
        choices.dedup();
        avoid.remove("*");
        let key = (choices, avoid, template.to_owned());
        if let Some(known) = self.named.borrow().get(&key) {
            return known.clone();
        }
        let names = fitting(&key.0, &key.1, template);
        self.named.borrow_mut().insert(key, names.clone());
        names
    }

    fn names_of(
        &self,
        actor: &Actor,
        template: &str,
        requirements: &[&Requirement],
    ) -> Vec<String> {
        let (fits, avoid) = self.patterns_of(actor, requirements);
        self.fitting(fits, avoid, template)
    }

    /// What names must fit, one of each list, and what they must not.
    fn patterns_of(
        &self,
        actor: &Actor,
        requirements: &[&Requirement],
    ) -> (Vec<Vec<String>>, BTreeSet<String>) {
        let mut choices: Vec<Vec<String>> = Vec::new();
        let mut avoid: BTreeSet<String> = BTreeSet::new();
        let scps = self
            .engine
            .standing(actor.arn.as_str())
            .scps
            .unwrap_or_default();
        for requirement in requirements.iter().filter(|r| r.takes_resource()) {
            let action = requirement.action.to_ascii_lowercase();
            choices.push(patterns(&actor.identity, &action, Effect::Allow));
            if let Some(boundary) = actor.boundary.as_deref() {
                choices.push(patterns(boundary, &action, Effect::Allow));
                avoid.extend(patterns(boundary, &action, Effect::Deny));
            }
            avoid.extend(patterns(&actor.identity, &action, Effect::Deny));
            for level in scps {
                choices.push(patterns(level, &action, Effect::Allow));
                avoid.extend(patterns(level, &action, Effect::Deny));
            }
        }
        (choices, avoid)
    }
}

/// The shortest names that fit one pattern of each list and none that is to be avoided.
fn fitting(choices: &[Vec<String>], avoid: &BTreeSet<String>, template: &str) -> Vec<String> {
    let avoid: Vec<&str> = avoid.iter().map(String::as_str).collect();
    combinations(choices)
        .into_iter()
        .filter_map(|fits| {
            let mut fits: Vec<&str> = fits.into_iter().filter(|pattern| *pattern != "*").collect();
            fits.push(template);
            witness(&fits, &avoid)
        })
        .collect()
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_unseen(of: &ResourceRef, bindings: &Bindings) -> bool {
    of.variable()
        .and_then(|name| bindings.get(name))
        .is_some_and(|bound| matches!(bound, Bound::Unseen { .. }))
}

/// Kinds that are ways to speak of an account.
fn is_account(kind: Kind) -> bool {
    kind == Kind::ACCOUNT
        || matches!(
            kind.name(),
            "organizations.account" | "organizations.member-root" | "sso.account"
        )
}

/// Whether the policy is attached by one of the requirements: then any policy of AWS will do.
fn attaches(atoms: &[Atom<'_>], name: &str) -> bool {
    let broader = |predicate: &Predicate| matches!(predicate, Predicate::Broader(what, _) | Predicate::BroaderBoundary(what, _) if what.variable() == Some(name));
    atoms
        .iter()
        .any(|atom| matches!(atom, Atom::Hold(predicate) if broader(predicate)))
}

/// One of each, up to a bound.
fn combinations(choices: &[Vec<String>]) -> Vec<Vec<&str>> {
    let mut all: Vec<Vec<&str>> = vec![Vec::new()];
    for options in choices {
        let mut longer = Vec::new();
        for chosen in &all {
            for option in options {
                if longer.len() < MAX_COMBINATIONS {
                    let mut chosen = chosen.clone();
                    chosen.push(option);
                    longer.push(chosen);
                }
            }
        }
        all = longer;
    }
    all
}

/// The resource patterns of statements that speak of an action.
fn patterns(policies: &[Attached], action: &str, effect: Effect) -> Vec<String> {
    let documents = policies
        .iter()
        .filter_map(|attached| attached.policy.document());
    // What was not read may allow any name.
    let unread = effect == Effect::Allow && policies.iter().any(|p| p.policy.document().is_none());
    let any = unread.then(|| "*".to_owned());
    let statements = documents.flat_map(|document| &document.statements);
    statements
        .filter(|statement| statement.effect == effect && speaks_of(statement, action))
        .flat_map(|statement| match &statement.resources {
            Some(resources) => resources.clone(),
            None => vec!["*".to_owned()],
        })
        .chain(any)
        .collect()
}

/// Whether a statement's actions include this one, in lower case.
pub(crate) fn speaks_of(statement: &Statement, action: &str) -> bool {
    let any = |patterns: &[String]| {
        patterns
            .iter()
            .map(|pattern| pattern.trim())
            .any(|pattern| match pattern.contains(['*', '?']) {
                true => Glob::new(&pattern.to_ascii_lowercase()).matches(action),
                false => pattern.eq_ignore_ascii_case(action),
            })
    };
    match (&statement.actions, &statement.not_actions) {
        (Some(actions), _) => any(actions),
        (None, Some(not_actions)) => !any(not_actions),
        (None, None) => false,
    }
}
