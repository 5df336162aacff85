//! Who gets to be an exempted principal, or administrator of an account: the graph's answer to
//! the alarm room.

use std::collections::VecDeque;

use palisade_model::Arn;

use super::find::Graph;
use super::grow::Drawn;
use super::net::{FREE, Id};
use super::{Node, Status};
use crate::alarm::protection::{Becomes, Comer, Reached};

impl Becomes for Graph<'_> {
    fn reach(&self, principal: &Arn) -> Reached {
        self.comers(&Node::principal(principal.clone()))
    }

    /// Those who are administrators already are left out: each of their steps is asked apart.
    fn administer(&self, account: &str) -> Reached {
        let mut reached = self.comers(&Node::administrator(account));
        let is_already = |comer: &Comer| {
            let arn = comer.arn.clone().filter(|arn| arn.account() == account);
            let id = arn.and_then(|arn| self.grown.ids.get(&Node::principal(arn)));
            id.is_some_and(|id| self.grown.administrators.contains_key(id))
        };
        reached.surely.retain(|comer| !is_already(comer));
        reached.perhaps.retain(|comer| !is_already(comer));
        reached
    }
}

impl Graph<'_> {
    fn comers(&self, target: &Node) -> Reached {
        let Some(to) = self.grown.ids.get(target).copied() else {
            return Reached::default();
        };
        let account = target.account().unwrap_or_default();
        let surely = self.toward_one(to, account, Status::Conditional);
        let perhaps = self.toward_one(to, account, Status::Possible);
        let mut reached = Reached::default();
        for (node, id) in self.grown.ids.iter().filter(|(_, id)| **id != to) {
            let Some(comer) = comer(node) else { continue };
            let by = |next: &[Option<u32>]| Comer {
                by: self.techniques_along(next, *id, to),
                ..comer.clone()
            };
            if surely[*id as usize].is_some() {
                reached.surely.push(by(&surely));
            } else if perhaps[*id as usize].is_some() {
                reached.perhaps.push(by(&perhaps));
            }
        }
        reached.surely.sort();
        reached.perhaps.sort();
        reached
    }

    /// For each node the link that brings it nearest to `to` in the fewest links. That an
    /// administrator takes what is in its account is passed over for the target's own account:
    /// whether ceilings leave that open is asked of the engine.
    fn toward_one(&self, to: Id, account: &str, ceiling: Status) -> Vec<Option<u32>> {
        let net = &self.grown.net;
        let mut next: Vec<Option<u32>> = vec![None; net.len()];
        let mut waiting = VecDeque::from([to]);
        while let Some(node) = waiting.pop_front() {
            for number in net.into(node) {
                let link = net.link(number);
                let free = next[link.tail as usize].is_none() && link.tail != to;
                if !free || net.price(number).status > ceiling || self.is_taking(link.step, account)
                {
                    continue;
                }
                next[link.tail as usize] = Some(number);
                waiting.push_back(link.tail);
            }
        }
        next
    }

    fn is_taking(&self, step: u32, account: &str) -> bool {
        if step == FREE {
            return false;
        }
        let step = &self.grown.steps[step as usize];
        let source = self.grown.nodes[step.source as usize].as_ref();
        step.drawn == Drawn::Takes && source.and_then(Node::account) == Some(account)
    }

    fn techniques_along(&self, next: &[Option<u32>], from: Id, to: Id) -> Vec<String> {
        let mut found = Vec::new();
        let mut at = from;
        while at != to {
            let Some(number) = next[at as usize] else {
                break;
            };
            let link = self.grown.net.link(number);
            if link.step != FREE {
                let drawn = self.grown.steps[link.step as usize].drawn;
                if matches!(drawn, Drawn::Plan(_)) {
                    found.push(self.technique_of(drawn).to_owned());
                }
            }
            at = link.head;
        }
        found
    }
}

/// The node as somebody who comes; workloads and data are on the way, and never come by
/// themselves.
fn comer(node: &Node) -> Option<Comer> {
    let arn = match node {
        Node::Principal { arn } => Some(arn.clone()),
        Node::Internet | Node::ForeignAccount { .. } | Node::IdentityProvider { .. } => None,
        _ => return None,
    };
    Some(Comer {
        arn,
        name: node.to_string(),
        by: Vec::new(),
    })
}
