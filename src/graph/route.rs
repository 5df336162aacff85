//! What a route through the net is in steps and nodes.

use super::find::Graph;
use super::grow::Drawn;
use super::net::{Cost, FREE, Id};
use super::{Node, Stop};

impl Graph<'_> {
    /// Steps of a route: where each begins, which step it is, and where it ends.
    pub(super) fn hops(&self, entry: Id, route: &[u32]) -> Vec<(Id, u32, Id)> {
        let mut hops = Vec::new();
        let mut from = entry;
        let mut step = FREE;
        for number in route {
            let link = self.grown.net.link(*number);
            if link.step != FREE {
                step = link.step;
            }
            if self.grown.nodes[link.head as usize].is_some() {
                if step != FREE {
                    self.take((from, step, link.head), &mut hops);
                }
                from = link.head;
                step = FREE;
            }
        }
        hops
    }

    /// Adds a step, with the ways to both of its principals where it takes two.
    fn take(&self, (from, step, to): (Id, u32, Id), hops: &mut Vec<(Id, u32, Id)>) {
        match self.grown.steps[step as usize].drawn {
            Drawn::Joint(number) => {
                let joint = &self.grown.joints[number as usize];
                // Where a class meets both, its first member stands for whoever comes this way.
                let place = self.grown.steps[step as usize].source;
                let class = self.grown.classes.get(&place);
                let stands = class.and_then(|members| members.first());
                let real = |id: Id| if stands == Some(&id) { from } else { id };
                for (tail, way, head) in &joint.ways {
                    self.take((real(*tail), *way, *head), hops);
                }
                hops.push((real(joint.first), step, to));
            }
            _ => hops.push((from, step, to)),
        }
    }

    /// What a step costs by itself, without the ways to its principals.
    pub(super) fn price(&self, step: u32) -> &Cost {
        let step = &self.grown.steps[step as usize];
        let cost = match step.drawn {
            Drawn::Joint(number) => self.grown.joints[number as usize].cost,
            _ => step.cost,
        };
        &self.grown.net.costs[cost as usize]
    }

    /// A node with everybody who stands there with it.
    pub(super) fn stop(&self, id: Id, among: &[Id]) -> Stop {
        let node = self.real(id).unwrap_or(Node::Internet);
        let class = |id: &Id| self.grown.actors.get(id).map(|actor| actor.class);
        let own = class(&id);
        let alike = among.iter().copied();
        let members: Vec<Id> = match own {
            Some(_) => alike.filter(|other| class(other) == own).collect(),
            None => Vec::new(),
        };
        self.crowd(node, &members)
    }

    /// A node that stands for these.
    pub(super) fn crowd(&self, node: Node, members: &[Id]) -> Stop {
        let mut members: Vec<Node> = match members.len() {
            0 | 1 => Vec::new(),
            _ => members.iter().filter_map(|id| self.real(*id)).collect(),
        };
        members.sort();
        Stop {
            members,
            ..Stop::alone(node)
        }
    }
}
