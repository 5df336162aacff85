//! What a variable may stand for.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use palisade_checks::technique::{Kind, Predicate, ResourceRef, Test, Trusted};
use palisade_model::{Arn, Gap, GapKind};
use rustc_hash::FxHashMap;

use super::atom::{Atom, What};
use super::bind::{Bindings, Bound};
use super::ground::IN_EVERY_ACCOUNT;
use super::judge::Judge;
use super::solve::Attempt;

/// What a variable may stand for.
pub(crate) struct Choice {
    pub(crate) all: Rc<[Bound]>,
    /// How late it is to be bound: the more there is to choose from, the later.
    pub(crate) weight: usize,
    /// Whether whoever tries the technique next has the same choice.
    pub(crate) shared: bool,
}

impl Choice {
    fn own(few: impl IntoIterator<Item = Bound>) -> Self {
        let all: Rc<[Bound]> = few.into_iter().collect();
        Choice {
            weight: all.len(),
            all,
            shared: false,
        }
    }

    fn shared(all: Rc<[Bound]>) -> Self {
        Choice {
            weight: all.len(),
            all,
            shared: true,
        }
    }
}

/// A list that does not hang on who tries what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum List {
    /// Everything of a kind; policies of AWS too.
    Stock(Kind, bool),
    /// Roles that trust a service whose principal begins like this, or in a way nobody can tell.
    Trusting(String),
    /// Roles that trust this service under whatever name.
    RunBy(String),
}

/// Lists by what they hold and the account.
pub(super) type Lists = FxHashMap<(List, Result<u32, String>), Rc<[Bound]>>;

impl<'a> Judge<'a> {
    /// Everything a variable may stand for, as far as the other questions do not rule it out at
    /// once.
    pub(crate) fn candidates(
        &self,
        attempt: &Attempt<'_, '_, 'a>,
        name: &str,
        atoms: &[&Atom<'a>],
        bindings: &Bindings,
    ) -> Choice {
        let plan = attempt.plan;
        let kind = plan.kinds.get(name).copied().unwrap_or(Kind::PRINCIPAL);
        if let Some(few) = self.few(attempt, name, atoms, bindings) {
            return few;
        }
        let crosses = plan.crosses
            && plan.technique.requires.iter().any(|requirement| {
                requirement.on.variable() == Some(name)
                    && requirement.action.eq_ignore_ascii_case("sts:AssumeRole")
            });
        if let (true, Some(actor)) = (crosses, attempt.actor) {
            let roles = self.scene.roles_trusting(&actor.arn, actor.assumes);
            let mut found: Vec<Bound> = roles.into_iter().cloned().map(Bound::Known).collect();
            if actor.assumes {
                let accounts = self.scene.accounts.iter();
                found.extend(accounts.filter_map(|(id, local)| local.unseen_role(id)));
            }
            return Choice::own(found);
        }
        // An object that a resource names is looked for once that one is known.
        let is_named = |atom: &&Atom<'a>| matches!(atom.what, What::Hold(Predicate::Attribute(_, _, Test::Names(to))) if to.variable() == Some(name));
        if kind == Kind::OBJECT && atoms.iter().any(is_named) {
            let objects = Choice::shared(self.list(List::Stock(kind, false), attempt.account));
            return Choice {
                weight: usize::MAX,
                ..objects
            };
        }
        let stock = List::Stock(kind, attaches(atoms, name));
        let stock = Choice::shared(self.list(stock, attempt.account));
        // What another principal may assume is looked for once that one is known.
        match assumed_by(atoms, name) {
            Some(_) => Choice {
                weight: usize::MAX,
                ..stock
            },
            None => stock,
        }
    }

    /// A list, made once.
    fn list(&self, what: List, account: &str) -> Rc<[Bound]> {
        let key = (what, self.scene.number_of(account));
        if let Some(known) = self.lists.borrow().get(&key) {
            return Rc::clone(known);
        }
        let all: Rc<[Bound]> = match &key.0 {
            List::Stock(kind, of_aws) => self.stock(*kind, account, *of_aws).into(),
            List::Trusting(service) => {
                let local = self.scene.local(account);
                let mut roles = local.map_or_else(BTreeSet::new, |local| local.roles_for(service));
                roles.extend(self.scene.obscure_in(account));
                self.with_unseen(roles, account)
            }
            List::RunBy(service) => {
                let local = self.scene.local(account);
                let roles = local.map(|local| local.roles_of_service(service));
                self.with_unseen(roles.unwrap_or_default(), account)
            }
        };
        self.lists.borrow_mut().insert(key, Rc::clone(&all));
        all
    }

    /// These roles, and some other where the account's roles were not read.
    fn with_unseen(&self, roles: BTreeSet<&Arn>, account: &str) -> Rc<[Bound]> {
        let local = self.scene.local(account);
        let unseen = local.and_then(|local| local.unseen_role(account));
        let known = roles.into_iter().cloned().map(Bound::Known);
        known.chain(unseen).collect()
    }

    /// Candidates that a question names outright.
    fn few(
        &self,
        attempt: &Attempt<'_, '_, 'a>,
        name: &str,
        atoms: &[&Atom<'a>],
        bindings: &Bindings,
    ) -> Option<Choice> {
        let is = |reference: &ResourceRef| reference.variable() == Some(name);
        let known = |reference: &ResourceRef| {
            let variable = reference.variable()?;
            bindings.get(variable).and_then(Bound::arn)
        };
        if let Some(who) = assumed_by(atoms, name).and_then(known) {
            let roles = self.scene.roles_trusting(who, true);
            return Some(Choice::own(roles.into_iter().cloned().map(Bound::Known)));
        }
        for atom in atoms {
            let What::Hold(predicate) = atom.what else {
                continue;
            };
            match predicate {
                // A resource nobody listed runs as some role that trusts its service.
                Predicate::Attribute(of, attribute, Test::Names(to))
                    if is(to) && attribute == "role" && is_unseen(of, bindings) =>
                {
                    let (service, _) = of.kind.resource_type()?;
                    self.scene.local(attempt.account)?;
                    let list = List::RunBy(service.to_owned());
                    return Some(Choice::shared(self.list(list, attempt.account)));
                }
                Predicate::Attribute(of, attribute, Test::Names(to)) if is(to) => {
                    if let Some(arn) = known(of)
                        && let Some(named) = self.facts.named(arn, attribute, to.kind)
                    {
                        return Some(Choice::own(named.into_iter().map(|arn| self.seen(arn))));
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
                    return Some(Choice::own(accounts.map(Bound::Account)));
                }
                Predicate::CredentialIn(place, whose) if is(whose) => {
                    let Some(place) = known(place) else { continue };
                    if let Some(owners) = self.facts.key_owners(place) {
                        return Some(Choice::own(owners.into_iter().map(Bound::Known)));
                    }
                }
                Predicate::Member(user, group) if is(group) => {
                    let user = known(user)?;
                    let groups = self.facts.groups(user);
                    return Some(Choice::own(groups.into_iter().map(Bound::Known)));
                }
                Predicate::Attached(policy, to) if is(policy) => {
                    let Some(to) = known(to) else { continue };
                    let attached = self.facts.attached(to);
                    return Some(Choice::own(attached.into_iter().map(Bound::Known)));
                }
                Predicate::BoundaryOf(policy, of) if is(policy) => {
                    let Some(of) = known(of) else { continue };
                    let boundary = self.facts.boundary(of);
                    return Some(Choice::own(boundary.map(Bound::Known)));
                }
                Predicate::Trusts(role, Trusted::Service(service), _)
                    if is(role) && service != "*" =>
                {
                    self.scene.local(attempt.account)?;
                    let list = List::Trusting(service.clone());
                    return Some(Choice::shared(self.list(list, attempt.account)));
                }
                Predicate::OpenTo(of, account, _) if is(account) => {
                    let Some(of) = known(of) else { continue };
                    let foreign = self.facts.accounts_in_policy(of);
                    return Some(Choice::own(foreign.into_iter().map(Bound::Account)));
                }
                Predicate::Trusts(_, Trusted::Account(account), _) if is(account) => {
                    let foreign = self.scene.accounts_trusted(attempt.account);
                    return Some(Choice::own(foreign.into_iter().map(Bound::Account)));
                }
                _ => {}
            }
        }
        None
    }

    /// What a resource names; an object whose bucket nobody listed is somebody else's, or may be,
    /// and so is the policy that lets people write there.
    fn seen(&self, arn: Arn) -> Bound {
        let foreign = arn.service() == "s3" && self.look.bucket(&arn).is_none();
        match foreign {
            true => Bound::Named {
                gap: Arc::new(Gap::not_collected("s3:ListBuckets")),
                arn,
            },
            false => Bound::Known(arn),
        }
    }

    fn stock(&self, kind: Kind, account: &str, of_aws: bool) -> Vec<Bound> {
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
            let ours = IN_EVERY_ACCOUNT.iter();
            let ours = ours.map(|name| Arn::new(format!("arn:{partition}:iam::aws:{name}")));
            let mut ours: Vec<Arn> = ours.collect();
            ours.retain(|arn| of_aws && !stock.known.contains(arn));
            all.extend(ours.into_iter().map(Bound::Known));
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
                gap: Arc::new(gap.clone()),
            }));
            return all;
        }
        let counts = |gap: &&Gap| asked || gap.kind != GapKind::NotCollected;
        if let Some(gap) = stock.gaps.iter().find(counts) {
            let gap = Arc::new(gap.clone());
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
}

/// The principal that must be allowed to assume what a variable stands for, in whatever account.
fn assumed_by<'p>(atoms: &[&Atom<'p>], name: &str) -> Option<&'p ResourceRef> {
    atoms.iter().find_map(|atom| match atom.what {
        What::Hold(Predicate::May(who, what))
            if what.action == "sts:AssumeRole" && what.on.variable() == Some(name) =>
        {
            Some(who)
        }
        _ => None,
    })
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
fn attaches(atoms: &[&Atom<'_>], name: &str) -> bool {
    let broader = |predicate: &Predicate| matches!(predicate, Predicate::Broader(what, _) | Predicate::BroaderBoundary(what, _) if what.variable() == Some(name));
    atoms
        .iter()
        .any(|atom| matches!(atom.what, What::Hold(predicate) if broader(predicate)))
}
