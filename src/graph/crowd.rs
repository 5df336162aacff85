//! Entries that are the same: one pair for all that begin in the same way, and one for a circle of
//! principals that can all become one another.

use std::collections::BTreeMap;

use super::Node;
use super::find::{Found, Graph};
use super::grow::Drawn;
use super::net::{FREE, Id};
use super::shape::{NONE, circles};

/// How an entry goes on: the class through which all its routes begin, or of which it is and goes
/// ways of its own; its row of the weights; and the routes.
type WayOn = (Of, &'static str, Vec<Vec<Leg>>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    Class(Id),
    Alike(u64),
}

/// A link of a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leg {
    /// This one.
    Link(u32),
    /// One such: the technique, the price, and where it ends.
    Such(Option<u32>, u32, End),
}

/// Where a link ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    At(Id),
    /// At the principal itself with more than it had, by this.
    Own(String),
    Hub,
}

impl Graph<'_> {
    /// Entries that reach a target in the same way at the same price, as one: principals of one
    /// class that are worth as much as an entry and part from nothing but the class.
    pub(super) fn together(&self, found: Vec<Found>) -> Vec<Found> {
        let mut first: BTreeMap<WayOn, usize> = BTreeMap::new();
        let mut kept: Vec<Found> = Vec::new();
        for one in found {
            let Some(key) = self.way_on(&one) else {
                kept.push(one);
                continue;
            };
            match first.get(&key) {
                Some(at) if kept[*at].span == one.span && kept[*at].ways == one.ways => {
                    let same = &mut kept[*at];
                    same.members.push(one.entry.id);
                    if one.order < same.order {
                        (same.entry, same.routes) = (one.entry, one.routes);
                        same.order = one.order;
                    }
                }
                _ => {
                    let members = vec![one.entry.id];
                    first.insert(key, kept.len());
                    kept.push(Found { members, ..one });
                }
            }
        }
        kept
    }

    /// Entries of one circle as one: who holds one of them holds all, so the best way to the target
    /// from any of them stands for all. Administrators lead everywhere and make no circle.
    pub(super) fn in_circles(&self, target: Id, found: Vec<Found>) -> Vec<Found> {
        if found.len() < 2 {
            return found;
        }
        let ends = |node: Id| {
            let node = self.grown.nodes[node as usize].as_ref();
            node.is_some_and(|node| {
                matches!(node, Node::Administrator { .. } | Node::Organization { .. })
            })
        };
        let circle = circles(&self.grown.net, target, ends);
        let mut first: BTreeMap<u32, usize> = BTreeMap::new();
        let mut kept: Vec<Found> = Vec::new();
        for one in found {
            let own = circle[one.entry.id as usize];
            let at = match first.get(&own) {
                Some(at) if own != NONE => *at,
                _ => {
                    first.insert(own, kept.len());
                    kept.push(one);
                    continue;
                }
            };
            let (mut best, mut other) = (one, kept[at].clone());
            if (other.span.hi, &best.order) >= (best.span.hi, &other.order) {
                std::mem::swap(&mut best, &mut other);
            }
            best.circle.append(&mut other.circle);
            let own = std::slice::from_ref(&other.entry.id);
            let all = if other.members.is_empty() {
                own
            } else {
                &other.members
            };
            let fellows = all.iter().map(|id| (*id, other.span));
            best.circle.extend(fellows);
            kept[at] = best;
        }
        kept
    }

    /// `None` for an entry that is like no other.
    fn way_on(&self, found: &Found) -> Option<WayOn> {
        let class = self.grown.net.link(*found.routes.first()?.first()?).head;
        if !self.grown.classes.contains_key(&class) {
            return self.own_way(found);
        }
        let mut on = Vec::new();
        for route in &found.routes {
            let (first, rest) = route.split_first()?;
            if self.grown.net.link(*first).head != class {
                return None;
            }
            on.push(rest.iter().copied().map(Leg::Link).collect());
        }
        Some((Of::Class(class), found.entry.class, on))
    }

    /// The way of a principal that does to itself what others of its class do to themselves.
    fn own_way(&self, found: &Found) -> Option<WayOn> {
        let actor = self.grown.actors.get(&found.entry.id)?;
        let leg = |number: &u32| {
            let link = self.grown.net.link(*number);
            let technique = match link.step {
                FREE => None,
                step => match self.grown.steps[step as usize].drawn {
                    Drawn::Plan(plan) => Some(plan),
                    _ => return None,
                },
            };
            let end = match self.grown.nodes[link.head as usize].as_ref() {
                Some(Node::Elevated { arn, by }) if *arn == actor.arn => {
                    End::Own(by.replace(arn.as_str(), ""))
                }
                Some(_) => End::At(link.head),
                None if self.grown.classes.contains_key(&link.head) => End::At(link.head),
                None => End::Hub,
            };
            Some(Leg::Such(technique, link.cost, end))
        };
        let route = |route: &Vec<u32>| route.iter().map(leg).collect::<Option<Vec<Leg>>>();
        let routes = found.routes.iter().map(route).collect::<Option<Vec<_>>>()?;
        Some((Of::Alike(actor.class), found.entry.class, routes))
    }
}
