//! Steps that begin outside the estate, and what administrators can do beyond their account.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::technique::Source;
use palisade_model::AccountId;

use super::Node;
use super::bind::{Bindings, Bound};
use super::gain::fullest;
use super::grow::{Drawn, Growth};
use super::net::{Cost, Id};
use super::plan::Plan;
use super::solve::Attempt;
use super::way::Solution;
use super::weigh::{Detection, nats};

impl Growth<'_, '_> {
    /// Steps that begin outside.
    pub(super) fn outside(&mut self) {
        for number in 0..self.plans.len() {
            let plan = &self.plans[number];
            let idle = |within: &super::narrow::Narrow| !within.begins(number);
            if plan.is_own() || !plan.technique.requires.is_empty() || self.within.is_some_and(idle)
            {
                continue;
            }
            let accounts: Vec<AccountId> =
                self.judge.scene.snapshot.accounts.keys().cloned().collect();
            for account in accounts {
                let attempt = Attempt {
                    plan: &self.plans[number],
                    judge: self.judge,
                    actor: None,
                    helper: None,
                    account: &account,
                    explain: false,
                    open: None,
                    crowd: false,
                };
                let found = attempt.run(Bindings::default());
                for (key, solutions) in fullest(self.judge, &self.plans[number], found) {
                    for solution in solutions {
                        let Some(node) = outsider(&self.plans[number], &solution) else {
                            continue;
                        };
                        let source = self.id(node);
                        let one = BTreeMap::from([(key.clone(), vec![solution])]);
                        self.draw(number, source, None, one);
                    }
                }
            }
        }
    }

    /// What administrators can do beyond their account: take any principal of it that reaches
    /// out, and be administrator of the organization where theirs manages it.
    pub(super) fn administer(&mut self) {
        let mut pivots: BTreeMap<String, BTreeSet<Id>> = BTreeMap::new();
        for step in &self.steps {
            if !matches!(step.drawn, Drawn::Plan(_) | Drawn::Joint(_)) {
                continue;
            }
            let Some(source) = self.account_of(step.source) else {
                continue;
            };
            let out = |target: &Id| {
                self.nodes[*target as usize]
                    .as_ref()
                    .is_some_and(|node| node.account() != Some(source.as_str()))
            };
            if step.targets.iter().any(out) {
                pivots.entry(source).or_default().insert(step.source);
            }
        }
        let call = self.judge.step("call");
        for (account, targets) in pivots {
            let source = self.id(Node::administrator(account));
            let cost = self.builder.cost(Cost {
                lo: nats(call.lo),
                hi: nats(call.hi),
                calls: Box::new([Detection::default()]),
                ..Cost::default()
            });
            self.step(Drawn::Takes, source, targets.into_iter().collect(), cost);
        }
        if let Some(organization) = self.judge.scene.snapshot.organization.value()
            && self
                .judge
                .scene
                .snapshot
                .accounts
                .contains_key(&organization.management_account)
        {
            let source = self.id(Node::administrator(organization.management_account.clone()));
            let target = self.id(Node::Organization {
                organization: organization.id.clone(),
            });
            self.step(Drawn::Is, source, vec![target], 0);
        }
    }

    fn account_of(&self, id: Id) -> Option<String> {
        let one = self
            .classes
            .get(&id)
            .and_then(|members| members.first())
            .copied()
            .unwrap_or(id);
        self.nodes[one as usize]
            .as_ref()?
            .account()
            .map(str::to_owned)
    }
}

/// The node from which an outsider starts.
fn outsider(plan: &Plan<'_>, solution: &Solution) -> Option<Node> {
    let bound = |name: &str| solution.bindings.get(name);
    match plan.from {
        Source::Internet => Some(Node::Internet),
        Source::AnyAccount => Some(Node::ForeignAccount {
            account: "*".to_owned(),
        }),
        Source::Held(held) => {
            let arn = bound(held.variable()?)?.arn()?.clone();
            Some(Node::Workload { arn })
        }
        Source::Account(reference) => match bound(reference.variable()?)? {
            Bound::Account(account) => Some(Node::ForeignAccount {
                account: account.clone(),
            }),
            _ => None,
        },
        Source::Tenants => {
            let provider = solution.bindings.iter().find_map(|(_, bound)| {
                bound
                    .arn()
                    .filter(|arn| arn.resource().contains("-provider/"))
            });
            let provider = provider.map_or_else(|| "*".to_owned(), ToString::to_string);
            Some(Node::IdentityProvider { provider })
        }
        _ => None,
    }
}
