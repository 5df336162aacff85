//! Writes a path out: every step with its requests, the statements that allow them, and what
//! each factor did to the score.

use std::collections::BTreeMap;

use palisade_model::Arn;
use sha2::{Digest, Sha256};

use super::actor::Actor;
use super::bind::{Bindings, Bound};
use super::entry::Entry;
use super::find::{Found, Graph};
use super::grow::{Drawn, cost_of};
use super::net::{Cost, Id};
use super::solve::Attempt;
use super::way::Solution;
use super::weigh::{Interval, Level, Nats, Score, Span, score};
use super::{Edge, Fact, Factor, Node, Path, Status, Stop};

impl Graph<'_> {
    /// A route, written out.
    pub(super) fn path(&self, found: &Found, route: &[u32]) -> Path {
        let (entry, target) = (&found.entry, found.target);
        let steps = self.hops(entry.id, route);
        let hops: Vec<Edge> = steps
            .iter()
            .map(|(from, step, to)| self.edge(*from, *step, *to))
            .collect();
        let stops: Vec<Stop> = steps
            .iter()
            .map(|(_, step, to)| self.stop(*to, &self.grown.steps[*step as usize].targets))
            .collect();
        let costs: Vec<&Cost> = steps.iter().map(|(_, step, _)| self.price(*step)).collect();
        let status = costs
            .iter()
            .map(|cost| cost.status)
            .max()
            .unwrap_or_default();
        let entry_class = self.entry_row(entry, &steps);
        let fixed = self.fixed(entry, target);
        let lo = match status {
            Status::Possible => Score::NONE,
            _ => self.total(fixed, &costs, |cost| cost.lo),
        };
        let hi = self.total(fixed, &costs, |cost| cost.hi);
        let target_stop = self.stop(target, &[]);
        let begins = self.real(entry.id).unwrap_or(Node::Internet);
        Path {
            id: path_id(&begins, &target_stop.node, &hops),
            entry: self.entry_stop(found),
            vector: self.vector(&target_stop.node, entry_class, &costs),
            waterfall: self.waterfall(&target_stop.node, entry, entry_class, &hops, &costs),
            entry_class: entry_class.to_owned(),
            target: target_stop,
            minutes: costs.iter().map(|cost| self.minutes(cost)).sum(),
            ceiling: self.ceiling(target),
            score: Span { lo, hi },
            status,
            stops,
            hops,
        }
    }

    /// The limits an organization sets for the target's account.
    fn ceiling(&self, target: Id) -> Vec<String> {
        let node = self.real(target);
        let Some(Node::Administrator { account }) = node else {
            return Vec::new();
        };
        let root = Arn::root(self.judge.scene.snapshot.partition, &account);
        let levels = self
            .judge
            .engine
            .standing(root.as_str())
            .scps
            .unwrap_or_default();
        let mut names: Vec<String> = levels
            .iter()
            .flatten()
            .filter(|policy| super::admin::allows_everything(&[(*policy).clone()]).is_none())
            .map(|policy| policy.name.to_string())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn minutes(&self, cost: &Cost) -> u32 {
        cost.calls.len() as u32 * self.judge.weights.tempo_minutes + cost.waiting
    }

    /// The row of the entry weights: the entry's own, or that of the first step.
    fn entry_row(&self, entry: &Entry, steps: &[(Id, u32, Id)]) -> &'static str {
        if !entry.class.is_empty() {
            return entry.class;
        }
        match steps
            .first()
            .map(|(_, step, _)| self.grown.steps[*step as usize].drawn)
        {
            Some(Drawn::Plan(number)) => self.plans[number as usize].entry_row(),
            _ => "anonymous",
        }
    }

    fn total(&self, fixed: Nats, costs: &[&Cost], end: impl Fn(&Cost) -> Nats) -> Score {
        let factors = fixed + costs.iter().map(|cost| end(cost)).sum::<Nats>();
        score(factors, self.noticed(costs), self.judge.weights)
    }

    fn noticed(&self, costs: &[&Cost]) -> Nats {
        let mut minutes = 0;
        let mut noticed = 0;
        for cost in costs.iter().rev() {
            minutes += cost.waiting;
            for call in cost.calls.iter().rev() {
                minutes += self.judge.weights.tempo_minutes;
                noticed += self.notices.price(*call, minutes);
            }
        }
        noticed
    }

    /// The inputs of the score in one line.
    fn vector(&self, target: &Node, entry: &str, costs: &[&Cost]) -> String {
        let step = |cost: &&Cost| {
            let mut text = cost.calls.len().to_string();
            if cost.waiting > 0 {
                text.push_str(&format!("w{}", cost.waiting));
            }
            let calls = self.step_calls(cost);
            if calls != cost.hi || cost.hi != cost.lo {
                text.push_str(&format!(
                    "c{}-{}",
                    cost.lo - calls.min(cost.lo),
                    cost.hi - calls.min(cost.hi)
                ));
            }
            text
        };
        let steps: Vec<String> = costs.iter().map(step).collect();
        let heard: String = costs
            .iter()
            .flat_map(|cost| cost.calls.iter())
            .map(|call| {
                let letter = match call.level {
                    Level::None => 'n',
                    Level::Logged => 'l',
                    Level::Alarmed => 'a',
                    Level::Contained => 'c',
                };
                if call.protected {
                    letter.to_ascii_uppercase()
                } else {
                    letter
                }
            })
            .collect();
        let entry = if entry.is_empty() { "none" } else { entry };
        format!(
            "PAL1/I:{}/E:{entry}/S:{}/D:{heard}",
            self.target_row(target),
            steps.join(",")
        )
    }

    /// What the calls alone cost.
    fn step_calls(&self, cost: &Cost) -> Nats {
        let call = self.judge.step("call").hi;
        let all = cost.calls.iter().fold(Interval::ONE, |all, _| {
            all.and(Interval { lo: call, hi: call })
        });
        super::weigh::nats(all.hi)
    }

    fn waterfall(
        &self,
        target: &Node,
        entry: &Entry,
        entry_class: &str,
        hops: &[Edge],
        costs: &[&Cost],
    ) -> Vec<Factor> {
        let weights = self.judge.weights;
        let mut factors = 0;
        let mut lines = Vec::new();
        let mut line = |name: String, ppm: u32, cost: Nats| {
            factors += cost;
            lines.push(Factor {
                name,
                ppm,
                after: score(factors, 0, weights),
            });
        };
        let row = self.target_row(target);
        let ppm = weights.target.get(row).copied().unwrap_or(1_000_000);
        line(format!("target: {row}"), ppm, super::weigh::nats(ppm));
        let entry_ppm = weights.entry.get(entry_class).copied().unwrap_or(1_000_000);
        line(
            format!("entry: {entry_class}"),
            entry_ppm,
            super::weigh::nats(entry_ppm),
        );
        // Where the first step carries the entry, its own price is what remains.
        let mut carried = if entry.class.is_empty() {
            super::weigh::nats(entry_ppm)
        } else {
            0
        };
        for (hop, cost) in hops.iter().zip(costs) {
            let own = cost.hi.saturating_sub(carried);
            carried = 0;
            line(
                format!("step: {}", hop.technique),
                super::weigh::factor(own),
                own,
            );
        }
        let noticed = self.noticed(costs);
        let before = factors;
        let value = super::weigh::value_left(noticed, weights);
        lines.push(Factor {
            name: "detection".to_owned(),
            ppm: value,
            after: score(before, noticed, weights),
        });
        lines
    }

    /// One step, with its evidence.
    pub(super) fn edge(&self, from: Id, number: u32, to: Id) -> Edge {
        let step = &self.grown.steps[number as usize];
        let cost = self.price(number);
        let node = |id| self.real(id).unwrap_or(Node::Internet);
        let mut edge = Edge {
            from: node(from),
            to: node(to),
            with: None,
            technique: self.technique_of(step.drawn).to_owned(),
            options: Vec::new(),
            status: cost.status,
            requests: Vec::new(),
            facts: Vec::new(),
            bindings: BTreeMap::new(),
            gaps: Vec::new(),
            weight: Interval {
                lo: super::weigh::factor(cost.lo),
                hi: super::weigh::factor(cost.hi),
            },
            minutes: self.minutes(cost),
            blocked_by: Vec::new(),
        };
        match step.drawn {
            Drawn::Plan(plan) => self.prove(plan as usize, (from, None), to, cost, &mut edge),
            Drawn::Joint(joint) => {
                let joint = &self.grown.joints[joint as usize];
                edge.with = Some(node(joint.second));
                let pair = (from, Some(joint.second));
                self.prove(joint.plan as usize, pair, to, cost, &mut edge);
            }
            Drawn::Is => edge.facts.extend(self.crowning(from, cost.status)),
            Drawn::Takes | Drawn::Breach => {}
        }
        edge
    }

    /// What makes a principal administrator by its own policies.
    fn crowning(&self, from: Id, status: Status) -> Option<Fact> {
        let actor = self.grown.actors.get(&from)?;
        let mut policies = actor.identity.iter();
        let policy = policies.find(|attached| {
            super::admin::allows_everything(std::slice::from_ref(*attached)).is_some()
        });
        let what = policy.map_or("its policies together", |attached| &*attached.name);
        Some(Fact {
            text: format!("{what} allows every action on every resource"),
            resource: Some(actor.arn.clone()),
            status,
        })
    }

    /// Tries the technique again, keeping what was asked.
    fn prove(
        &self,
        plan: usize,
        (from, with): (Id, Option<Id>),
        to: Id,
        cost: &Cost,
        edge: &mut Edge,
    ) {
        let plan = &self.plans[plan];
        let actor = self.grown.actors.get(&from);
        let helper = with.and_then(|id| self.grown.actors.get(&id));
        let head = self.real(to);
        let mut options = plan
            .technique
            .any_of
            .iter()
            .flat_map(|group| &group.options);
        let goal = match options.any(|option| option.to.is_some()) {
            true => None,
            false => plan.goal(&[]).and_then(|goal| goal.variable()),
        };
        let mut given = actor.map_or_else(Bindings::default, |actor| plan.given(actor));
        let head_arn = head.as_ref().and_then(Node::arn).cloned();
        if let (Some(goal), Some(arn)) = (goal, &head_arn)
            && goal != "self"
            && self.judge.facts.exists(arn)
        {
            given.insert(goal, Bound::Known(arn.clone()));
        }
        let account = actor
            .map(|actor| actor.arn.account().to_owned())
            .or_else(|| {
                head.as_ref()
                    .and_then(|node| node.account().map(str::to_owned))
            })
            .unwrap_or_default();
        let attempt = |account: &str| {
            let attempt = Attempt {
                plan,
                judge: &self.judge,
                actor,
                helper,
                account,
                explain: true,
                open: None,
                crowd: false,
            };
            attempt.run(given.clone())
        };
        let mut found = attempt(&account);
        let fits = |solution: &&Solution| {
            let same_price = cost_of(&self.judge, plan, solution) == *cost
                && is_of(plan, head.as_ref(), solution);
            let bound = goal.and_then(|goal| solution.bindings.get(goal)?.arn().cloned());
            same_price && (head_arn.is_none() || bound.is_none() || bound == head_arn)
        };
        // What is not done at home is done where it leads to.
        let there = head_arn.as_ref().and_then(|arn| self.judge.look.owner(arn));
        if let Some(there) = there
            && there != account
            && !found.values().flatten().any(|solution| fits(&solution))
        {
            let other = attempt(there);
            if other.values().flatten().any(|solution| fits(&solution)) {
                found = other;
            }
        }
        let solutions: Vec<&Solution> = found.values().flatten().collect();
        let crowned = |solution: &&Solution| self.crowns(plan, head.as_ref(), solution);
        let all = || solutions.iter().copied();
        let chosen = all()
            .find(|solution| fits(solution) && crowned(solution))
            .or_else(|| all().find(fits))
            .or_else(|| all().find(|solution| is_of(plan, head.as_ref(), solution)))
            .or_else(|| all().next());
        if let Some(solution) = chosen {
            self.fill(plan, (actor, helper), solution, edge);
        }
    }

    /// Whether the policy a solution gains is one that makes an administrator, where that is what
    /// the step gains.
    fn crowns(
        &self,
        plan: &super::plan::Plan<'_>,
        head: Option<&Node>,
        solution: &Solution,
    ) -> bool {
        let gained = plan
            .gain_reference(&solution.options)
            .and_then(|gain| gain.variable());
        match (
            head,
            gained.and_then(|name| solution.bindings.get(name)?.arn()),
        ) {
            (Some(Node::Administrator { account }), Some(policy)) => {
                let policy = self.judge.ground.managed(policy, account);
                super::admin::allows_everything(&[policy]).is_some()
            }
            _ => true,
        }
    }

    fn fill(
        &self,
        plan: &super::plan::Plan<'_>,
        (actor, helper): (Option<&Actor>, Option<&Actor>),
        solution: &Solution,
        edge: &mut Edge,
    ) {
        let groups = plan.technique.any_of.iter().zip(solution.options.iter());
        edge.options = groups
            .filter_map(|(group, at)| {
                Some(format!("{}/{}", group.name, group.options.get(*at)?.id))
            })
            .collect();
        if let Some(actor) = actor {
            let asked = solution.state.asked.iter();
            edge.requests = asked
                .map(|asked| {
                    let sender = helper.filter(|_| asked.second).unwrap_or(actor);
                    self.judge.explain(sender, asked)
                })
                .collect();
        }
        edge.facts.clone_from(&solution.state.facts);
        edge.gaps.clone_from(&solution.state.gaps);
        edge.bindings = solution
            .bindings
            .iter()
            .filter(|(name, _)| *name != "self" && *name != "target")
            .map(|(name, bound)| (format!("${name}"), bound.text()))
            .collect();
        edge.blocked_by = super::blocks::of(plan.technique, &edge.requests, &edge.facts);
    }
}

/// Whether a solution that gains an account gains the one the step leads to.
fn is_of(plan: &super::plan::Plan<'_>, head: Option<&Node>, solution: &Solution) -> bool {
    let goal = plan
        .goal(&solution.options)
        .and_then(|goal| goal.variable());
    match (head, goal.and_then(|goal| solution.bindings.get(goal))) {
        (Some(Node::Administrator { account }), Some(Bound::Account(gained))) => account == gained,
        _ => true,
    }
}

/// A name for a path that stays while entry, target and techniques stay.
fn path_id(entry: &Node, target: &Node, hops: &[Edge]) -> String {
    let mut techniques: Vec<&str> = hops.iter().map(|hop| hop.technique.as_str()).collect();
    techniques.sort_unstable();
    let mut hasher = Sha256::new();
    for part in ["path/1", &entry.id(), &target.id()]
        .into_iter()
        .chain(techniques)
    {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
