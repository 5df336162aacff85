//! What an administrator does beyond its account: it sends out a principal of its own making, or
//! one that others trust, with every permission its account can give.
//!
//! Another account lets in whom its trust policies name: an account as a whole, a principal, or
//! whoever bears a name. The permission on the caller's side, the name, the tags and a second
//! factor are the administrator's to give; SCPs and the other side are not.
//!
//! Source: "Cross-account policy evaluation logic", IAM User Guide, 2026-10.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::technique::Predicate;
use palisade_model::Arn;

use super::Node;
use super::actor::{Actor, Mod};
use super::bind::Bound;
use super::grow::{Drawn, Growth};
use super::name::{NAME, witness};
use super::net::Id;
use super::plan::Plan;
use super::scene::{aws_name, session_of};
use super::solve::Attempt;
use crate::policy::Effect;
use crate::policy::document::{Document, PrincipalKind};

/// Names that are tried for one account.
const MAX_NAMES: usize = 256;

/// Stands for any account in a name.
const NOWHERE: &str = "000000000000";

/// How a principal that an administrator sends out is called in reports.
const BY: &str = "administrator-of:whatever-it-gives";

/// Principals of an account, and the roles elsewhere that may let each of them in.
type Envoys = BTreeMap<Arn, BTreeSet<Arn>>;

impl Growth<'_, '_> {
    /// Draws what administrators reach in other accounts that nobody reaches yet.
    pub(super) fn send_out(&mut self) {
        if self.judge.scene.accounts.len() < 2 {
            return;
        }
        let plans: Vec<usize> = (0..self.plans.len())
            .filter(|number| only_assumes(&self.plans[*number]))
            .collect();
        let mut envoys: BTreeMap<String, Envoys> = BTreeMap::new();
        self.by_name(&mut envoys);
        self.by_pattern(&mut envoys);
        let accounts = self.judge.scene.accounts.keys();
        let accounts: Vec<String> = accounts.map(|id| (*id).to_owned()).collect();
        let reached = self.reached();
        for account in accounts {
            self.judge.forget();
            let partition = self.judge.scene.snapshot.partition;
            let anybody = Arn::iam(partition, &account, "user", "/", "palisade");
            let roles = self.judge.scene.roles_trusting(&anybody, true);
            let abroad = roles.into_iter().filter(|role| role.account() != account);
            let abroad: BTreeSet<Arn> = abroad.cloned().collect();
            let named = envoys.remove(&account).unwrap_or_default();
            if named.len() > MAX_NAMES {
                self.caps.insert(format!(
                    "only {MAX_NAMES} principals of {account} that others trust are followed"
                ));
            }
            let named = named.into_iter().take(MAX_NAMES);
            for (arn, roles) in std::iter::once((anybody, abroad)).chain(named) {
                self.send(&arn, &roles, &plans, &reached);
            }
        }
        self.judge.forget();
    }

    /// Principals that roles elsewhere name, themselves or by a session.
    fn by_name(&self, envoys: &mut BTreeMap<String, Envoys>) {
        let scene = &self.judge.scene;
        for (name, roles) in scene.trusted_abroad() {
            let session = session_of(name).and_then(|(account, role)| {
                let known = scene.accounts.get(account)?.account.iam.roles.value()?;
                Some(known.get(role)?.arn.clone())
            });
            let arn = session.unwrap_or_else(|| Arn::from(name));
            // A trust means the principal that was there when it was written: one of the same
            // name that is made later is another.
            if scene.accounts.contains_key(arn.account()) && self.judge.facts.exists(&arn) {
                let of = envoys.entry(arn.account().to_owned()).or_default();
                of.entry(arn)
                    .or_default()
                    .extend(roles.into_iter().cloned());
            }
        }
    }

    /// Principals whose names fit what the trust policies of roles elsewhere ask of a name.
    fn by_pattern(&self, envoys: &mut BTreeMap<String, Envoys>) {
        let scene = &self.judge.scene;
        let mut fitting: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, account) in &scene.snapshot.accounts {
            let roles = account.iam.roles.value().into_iter();
            for role in roles.flat_map(BTreeMap::values) {
                let Ok(document) = self.judge.look.document(&role.trust) else {
                    continue;
                };
                let patterns = patterns(&document);
                if patterns.is_empty() {
                    continue;
                }
                let let_in = accounts_in(&document);
                let all = scene.accounts.keys().copied();
                let all = all.filter(|of| *of != id.as_str());
                for of in all.filter(|of| let_in.contains("*") || let_in.contains(*of)) {
                    for pattern in &patterns {
                        let names = fitting
                            .entry((*pattern).to_owned())
                            .or_insert_with(|| self.names_for(pattern));
                        for name in names {
                            let arn = Arn::from(name.replace(NOWHERE, of));
                            if arn.account() == of {
                                let own = envoys.entry(of.to_owned()).or_default();
                                own.entry(arn).or_default().insert(role.arn.clone());
                            }
                        }
                    }
                }
            }
        }
    }

    /// A role and a user that fit a pattern, in the account it names, or in one that stands for
    /// any.
    fn names_for(&self, pattern: &str) -> Vec<String> {
        let partition = self.judge.scene.snapshot.partition;
        let place = pattern.split(':').nth(4).unwrap_or_default();
        let fixed = place.len() == 12 && place.bytes().all(|b| b.is_ascii_digit());
        let place = if fixed { place } else { NOWHERE };
        let kinds = ["role", "user"].into_iter();
        let names = kinds.filter_map(|kind| {
            let template = format!("arn:{partition}:iam::{place}:{kind}/{NAME}");
            witness(&[pattern, &template], &[]).ok().flatten()
        });
        names.collect()
    }

    /// What principals as they are reach in other accounts.
    fn reached(&self) -> BTreeSet<(Id, Id)> {
        let mut reached = BTreeSet::new();
        for step in self
            .steps
            .iter()
            .filter(|s| matches!(s.drawn, Drawn::Plan(_)))
        {
            let alone = [step.source];
            let sources = self
                .classes
                .get(&step.source)
                .map_or(&alone[..], Vec::as_slice);
            for target in &step.targets {
                reached.extend(sources.iter().map(|source| (*source, *target)));
            }
        }
        reached
    }

    fn send(
        &mut self,
        arn: &Arn,
        roles: &BTreeSet<Arn>,
        plans: &[usize],
        reached: &BTreeSet<(Id, Id)>,
    ) {
        let mut mods =
            BTreeSet::from([Mod::Anything, Mod::NoBoundary, Mod::NoDenies, Mod::OwnTags]);
        // A role bears no second factor of its own.
        if arn.resource().starts_with("user/") {
            mods.insert(Mod::Mfa);
        }
        let mut actor = Actor::new(&self.judge.ground, self.judge.engine, arn, mods.clone(), BY);
        actor.class = self.class();
        let own = self.ids.get(&Node::principal(arn.clone())).copied();
        let mut drawn = Vec::new();
        for role in roles {
            let id = self.ids.get(&Node::principal(role.clone())).copied();
            let known = own.zip(id).is_some_and(|pair| reached.contains(&pair));
            if role.account() == arn.account() || known {
                continue;
            }
            for number in plans {
                let plan = &self.plans[*number];
                let attempt = Attempt {
                    plan,
                    judge: self.judge,
                    actor: Some(&actor),
                    helper: None,
                    account: arn.account(),
                    explain: false,
                    open: None,
                    crowd: false,
                };
                let goal = plan.goal(&[]).and_then(|goal| goal.variable());
                let mut given = plan.given(&actor);
                if let Some(goal) = goal {
                    given.insert(goal, Bound::Known(role.clone()));
                }
                let found = attempt.run(given);
                if !found.is_empty() {
                    drawn.push((*number, found));
                }
            }
        }
        let offered = self.offers.of(&actor);
        let offers = own.is_none() && !self.offers.abroad.of(&actor).is_empty();
        if drawn.is_empty() && !offers {
            return;
        }
        let node = Node::Elevated {
            arn: arn.clone(),
            by: BY.to_owned(),
        };
        let id = self.id(node);
        self.known.insert((arn.clone(), mods), id);
        self.actors.insert(id, actor.clone());
        for (number, found) in drawn {
            self.draw(number, id, Some(&actor), found);
        }
        if offers {
            self.try_abroad((id, &[id]), &actor, &offered);
        }
    }
}

/// What the conditions of a trust policy compare the ARN of whoever asks with.
fn patterns(trust: &Document) -> BTreeSet<&str> {
    let conditions = trust.statements.iter().flat_map(|one| &one.conditions);
    let about = conditions.filter(|one| one.key.eq_ignore_ascii_case("aws:PrincipalArn"));
    let values = about.flat_map(|one| &one.values).map(String::as_str);
    values.filter(|value| !value.contains("${")).collect()
}

/// The accounts that a trust policy lets in as a whole; `*` for all.
fn accounts_in(trust: &Document) -> BTreeSet<String> {
    let allows = trust.statements.iter();
    let allows = allows.filter(|statement| statement.effect == Effect::Allow);
    let mut found = BTreeSet::new();
    for statement in allows {
        match &statement.principal {
            Some(names) => {
                let names = names.iter().filter(|name| name.kind == PrincipalKind::Aws);
                found.extend(names.map(|name| aws_name(&name.value)));
            }
            None => drop(found.insert("*".to_owned())),
        }
    }
    found
}

/// Whether a technique asks for nothing but assuming the role it gains.
fn only_assumes(plan: &Plan<'_>) -> bool {
    let mut asked = plan.technique.requires.iter();
    let mut held = plan.technique.preconditions.iter();
    plan.is_own()
        && plan.crosses
        && held.all(|predicate| matches!(predicate, Predicate::Different(..)))
        && asked.all(|requirement| requirement.action.eq_ignore_ascii_case("sts:AssumeRole"))
}
