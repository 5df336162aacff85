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
use super::scene::session_of;
use super::solve::Attempt;
use crate::policy::document::Document;

/// Names that are tried for one account.
const MAX_NAMES: usize = 256;

/// How a principal that an administrator sends out is called in reports.
const BY: &str = "administrator-of:whatever-it-gives";

impl Growth<'_, '_> {
    /// Draws what administrators reach in other accounts that nobody reaches yet.
    pub(super) fn send_out(&mut self) {
        if self.judge.scene.accounts.len() < 2 {
            return;
        }
        let plans: Vec<usize> = (0..self.plans.len())
            .filter(|number| only_assumes(&self.plans[*number]))
            .collect();
        let mut names = self.names();
        let accounts: Vec<String> = self
            .judge
            .scene
            .accounts
            .keys()
            .map(|id| (*id).into())
            .collect();
        let reached = self.reached();
        for account in accounts {
            self.judge.forget();
            let partition = self.judge.scene.snapshot.partition;
            let anybody = Arn::iam(partition, &account, "user", "/", "palisade");
            let named = names.remove(&account).unwrap_or_default();
            if named.len() > MAX_NAMES {
                self.caps.insert(format!(
                    "only {MAX_NAMES} principals of {account} that others trust are followed"
                ));
            }
            let named = named.into_iter().take(MAX_NAMES);
            for arn in std::iter::once(anybody).chain(named) {
                self.send(&arn, &plans, &reached);
            }
        }
        self.judge.forget();
    }

    /// Principals by account that trust policies elsewhere name, or the names of which they ask for.
    fn names(&self) -> BTreeMap<String, BTreeSet<Arn>> {
        let mut names: BTreeMap<String, BTreeSet<Arn>> = BTreeMap::new();
        let scene = &self.judge.scene;
        let mut add = |arn: Arn| {
            let known = scene.accounts.contains_key(arn.account());
            if known && matches!(arn.resource().split('/').next(), Some("user" | "role")) {
                names
                    .entry(arn.account().to_owned())
                    .or_default()
                    .insert(arn);
            }
        };
        for name in scene.trusted_abroad() {
            let session = session_of(name).and_then(|(account, role)| {
                let roles = scene.accounts.get(account)?.account.iam.roles.value()?;
                Some(roles.get(role)?.arn.clone())
            });
            add(session.unwrap_or_else(|| Arn::from(name)));
        }
        let partition = scene.snapshot.partition;
        for pattern in self.patterns() {
            let place = pattern.split(':').nth(4).unwrap_or_default();
            let fixed = scene.accounts.contains_key(place).then_some(place);
            let accounts = scene.accounts.keys().copied();
            for account in accounts.filter(|id| fixed.is_none_or(|fixed| fixed == *id)) {
                for kind in ["role", "user"] {
                    let template = format!("arn:{partition}:iam::{account}:{kind}/{NAME}");
                    if let Ok(Some(name)) = witness(&[pattern.as_str(), &template], &[]) {
                        add(Arn::from(name));
                    }
                }
            }
        }
        names
    }

    /// Patterns that trust policies compare the ARN of a principal with.
    fn patterns(&self) -> BTreeSet<String> {
        let mut patterns = BTreeSet::new();
        self.judge
            .scene
            .each_resource_policy(&mut |document: &Document| {
                let conditions = document.statements.iter().flat_map(|one| &one.conditions);
                for condition in conditions {
                    if condition.key.eq_ignore_ascii_case("aws:PrincipalArn") {
                        let plain = |value: &&String| !value.contains("${");
                        patterns.extend(condition.values.iter().filter(plain).cloned());
                    }
                }
            });
        patterns
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

    fn send(&mut self, arn: &Arn, plans: &[usize], reached: &BTreeSet<(Id, Id)>) {
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
        for role in self.judge.scene.roles_trusting(arn, true) {
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

/// Whether a technique asks for nothing but assuming the role it gains.
fn only_assumes(plan: &Plan<'_>) -> bool {
    let mut asked = plan.technique.requires.iter();
    let mut held = plan.technique.preconditions.iter();
    plan.is_own()
        && plan.crosses
        && held.all(|predicate| matches!(predicate, Predicate::Different(..)))
        && asked.all(|requirement| requirement.action.eq_ignore_ascii_case("sts:AssumeRole"))
}
