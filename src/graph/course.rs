//! What still leads to a target, boiled down to what a change could take from it.
//!
//! Not every way is written out. Whoever stands on the way of another and is a foothold himself
//! has a way of his own, and what cuts that cuts both; so a course runs from the last foothold
//! before a target. But every step such a foothold has toward the target is a course, for each of
//! them must lose something.

use std::collections::BTreeSet;
use std::rc::Rc;

use palisade_model::Arn;
use rustc_hash::{FxHashMap, FxHashSet};

use super::find::Graph;
use super::grow::Drawn;
use super::net::{FREE, Id};
use super::search::{End, Labels};
use super::{Edge, Node, Status};

/// Where a way begins and where it leads.
pub(crate) type Ends = (Node, Node);

/// A way from a foothold to a target that does not hang on a gap.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) entry: Node,
    pub(crate) target: Node,
    pub(crate) hops: Vec<Rc<Hop>>,
}

/// A step, without its evidence.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    pub(crate) from: Node,
    pub(crate) to: Node,
    pub(crate) asks: Vec<Ask>,
    /// What its variables stand for.
    pub(crate) bound: Vec<String>,
}

/// A request, and what lets it through.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) principal: Arn,
    /// Whether it is the principal as it was, and not after a change of its own.
    pub(crate) unchanged: bool,
    pub(crate) action: String,
    pub(crate) resource: String,
    pub(crate) grants: Vec<Grant>,
    /// The policies its sender holds.
    pub(crate) held: Rc<[String]>,
}

/// A statement that allows a request.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) layer: String,
    pub(crate) policy: String,
    pub(crate) statement: String,
}

impl Hop {
    /// What a written step says.
    pub(crate) fn of(edge: &Edge) -> Hop {
        let asks = edge.requests.iter().filter_map(|request| {
            let statements = request.statements.iter();
            let grants = statements.filter(|statement| statement.allows());
            let grants = grants.map(|statement| Grant {
                layer: statement.layer.clone(),
                policy: statement.policy.clone(),
                statement: statement.statement.clone(),
            });
            Some(Ask {
                principal: request.principal.arn()?.clone(),
                unchanged: matches!(request.principal, Node::Principal { .. }),
                action: request.action.clone(),
                resource: request.resource.clone(),
                grants: grants.collect(),
                held: Rc::from([]),
            })
        });
        Hop {
            from: edge.from.clone(),
            to: edge.to.clone(),
            asks: asks.collect(),
            bound: edge.bindings.values().cloned().collect(),
        }
    }

    /// The step as another of the same class takes it.
    fn by(&self, one: &Arn, other: &Arn, renamed: &dyn Fn(&str) -> Option<String>) -> Hop {
        let mut hop = self.clone();
        hop.from = Node::principal(other.clone());
        for ask in hop.asks.iter_mut().filter(|ask| ask.principal == *one) {
            ask.principal = other.clone();
            if ask.resource == one.as_str() {
                ask.resource = other.as_str().to_owned();
            }
            for grant in &mut ask.grants {
                if let Some(name) = renamed(&grant.policy) {
                    grant.policy = name;
                }
            }
        }
        hop
    }
}

/// The search toward one target.
struct Toward<'l> {
    labels: &'l Labels,
    /// Nodes that have a way of their own, or are a target themselves.
    standing: Vec<bool>,
    /// The cheapest targets of each step from which the way leads past nobody who stands: the
    /// link to each, and its label.
    heads: FxHashMap<Id, Rc<[(u32, u32)]>>,
}

/// Targets of one step that are told apart, and courses above which only the cheapest is.
const MAX_HEADS: usize = 32;
const MANY_COURSES: usize = 30_000;

impl Graph<'_> {
    /// The courses of an estate, but those of `lost` ends: footholds that nothing known can part
    /// from a target stand in nobody's way to it.
    pub(crate) fn courses(&self, lost: &BTreeSet<Ends>) -> Vec<Course> {
        let footholds = self.footholds();
        let targets = self.targets(&[]);
        let mut hops = FxHashMap::default();
        let mut courses = Vec::new();
        for target in targets.iter().copied() {
            let labels = self.search(target, Status::Conditional, End::Hi, 1);
            let reaches = |id: &Id| *id != target && labels.of(*id).next().is_some();
            let mut begins: Vec<Id> = footholds.iter().copied().filter(reaches).collect();
            let gone = self.gone(lost, target);
            begins.retain(|id| !gone.contains(id));
            if self.is_exposed(target) {
                // It is a target because outsiders reach it: that is what must end.
                let doors = |id: &Id| self.is_outside(*id);
                if begins.iter().any(doors) {
                    begins.retain(doors);
                }
            }
            if begins.is_empty() {
                continue;
            }
            let mut standing = vec![false; self.grown.net.len()];
            for id in &begins {
                standing[*id as usize] = true;
            }
            for other in targets.iter().filter(|other| **other != target) {
                standing[*other as usize] |= self.is_crown(*other) && self.keeps(lost, *other);
            }
            let mut toward = Toward {
                labels: &labels,
                standing,
                heads: FxHashMap::default(),
            };
            for from in begins {
                let room = courses.len() < MANY_COURSES;
                for route in self.routes(from, &mut toward, room) {
                    courses.push(self.course((from, target), &route, &mut hops));
                }
            }
        }
        courses
    }

    /// Whoever may begin a path: entries, and everybody whose breach is assumed.
    fn footholds(&self) -> Vec<Id> {
        let mut all: BTreeSet<Id> = self.entries(&[]).iter().map(|entry| entry.id).collect();
        if self.judge.interests.assume_breach {
            let own = self.grown.actors.iter();
            let own = own
                .filter(|(_, actor)| actor.mods.is_empty())
                .map(|(id, _)| *id);
            let crowned = |id: &Id| self.grown.administrators.get(id) == Some(&Status::Proven);
            all.extend(own.filter(|id| !crowned(id)));
        }
        all.into_iter().collect()
    }

    /// Who is lost toward a target.
    fn gone(&self, lost: &BTreeSet<Ends>, target: Id) -> FxHashSet<Id> {
        let Some(target) = self.real(target) else {
            return FxHashSet::default();
        };
        let all = lost.iter().filter(|(_, to)| *to == target);
        all.filter_map(|(from, _)| self.grown.ids.get(from).copied())
            .collect()
    }

    /// Whether everybody is to be parted from a target.
    fn keeps(&self, lost: &BTreeSet<Ends>, target: Id) -> bool {
        let node = self.real(target);
        !lost.iter().any(|(_, to)| Some(to) == node.as_ref())
    }

    fn is_crown(&self, id: Id) -> bool {
        let node = self.grown.nodes[id as usize].as_ref();
        matches!(
            node,
            Some(Node::Administrator { .. } | Node::Organization { .. })
        )
    }

    /// Whether a node is a target because outsiders reach it, and for nothing else.
    fn is_exposed(&self, id: Id) -> bool {
        let node = self.grown.nodes[id as usize].as_ref();
        let jewels = &self.judge.interests.jewels;
        node.is_some_and(|node| {
            matches!(node, Node::Data { .. })
                && node.arn().is_some_and(|arn| {
                    let named =
                        |jewel: &String| crate::policy::Glob::new(jewel).matches(arn.as_str());
                    !jewels.iter().any(named)
                })
        })
    }

    fn is_outside(&self, id: Id) -> bool {
        let node = self.grown.nodes[id as usize].as_ref();
        node.is_some_and(Node::is_outside)
    }

    /// The ways by each step of a foothold that leads on past nobody who stands, to several of
    /// the step's targets where there is room.
    fn routes(&self, from: Id, toward: &mut Toward<'_>, room: bool) -> Vec<Vec<u32>> {
        let net = &self.grown.net;
        let sure = |number: &u32| net.price(*number).status <= Status::Conditional;
        let mut starts: Vec<Vec<u32>> = Vec::new();
        for first in net.out(from).filter(sure) {
            let link = net.link(first);
            if link.step != FREE {
                starts.push(vec![first]);
            } else if self.grown.classes.contains_key(&link.head) {
                let steps = net.out(link.head).filter(sure);
                let steps = steps.filter(|second| net.link(*second).step != FREE);
                starts.extend(steps.map(|second| vec![first, second]));
            }
        }
        let mut routes = Vec::new();
        for start in starts {
            let hub = start.last().map_or(from, |number| net.link(*number).head);
            let heads = self.heads(hub, toward);
            let wanted = if room { heads.len() } else { 1 };
            for (link, label) in heads.iter().take(wanted) {
                let mut route = start.clone();
                route.push(*link);
                route.extend(toward.labels.links(*label));
                routes.push(route);
            }
        }
        routes
    }

    /// The cheapest targets of a step.
    fn heads(&self, hub: Id, toward: &mut Toward<'_>) -> Rc<[(u32, u32)]> {
        if let Some(known) = toward.heads.get(&hub) {
            return Rc::clone(known);
        }
        let net = &self.grown.net;
        let mut heads: Vec<(u64, u32, u32)> = Vec::new();
        for link in net.out(hub) {
            let head = net.link(link).head;
            if toward.standing[head as usize] {
                continue;
            }
            if let Some((label, costs)) = toward.labels.of(head).next() {
                heads.push((costs.factors.saturating_add(costs.noticed), link, label));
            }
        }
        heads.sort_unstable();
        let free = |number: &u32| !toward.standing[net.link(*number).head as usize];
        let passes = |(_, _, label): &(u64, u32, u32)| toward.labels.links(*label).iter().all(free);
        let heads = heads.into_iter().filter(passes).take(MAX_HEADS);
        let heads: Rc<[_]> = heads.map(|(_, link, label)| (link, label)).collect();
        toward.heads.insert(hub, Rc::clone(&heads));
        heads
    }

    fn course(
        &self,
        (from, target): (Id, Id),
        route: &[u32],
        known: &mut FxHashMap<(Id, u32, Id), Rc<Hop>>,
    ) -> Course {
        let node = |id: Id| self.real(id).unwrap_or(Node::Internet);
        let hops = self.hops(from, route).into_iter();
        Course {
            entry: node(from),
            target: node(target),
            hops: hops.map(|hop| self.hop(hop, known)).collect(),
        }
    }

    /// A step; members of a class take it as their first member does.
    fn hop(
        &self,
        (from, number, to): (Id, u32, Id),
        known: &mut FxHashMap<(Id, u32, Id), Rc<Hop>>,
    ) -> Rc<Hop> {
        if let Some(hop) = known.get(&(from, number, to)) {
            return Rc::clone(hop);
        }
        let step = &self.grown.steps[number as usize];
        let class = self.grown.classes.get(&step.source);
        let first = class.and_then(|members| members.first()).copied();
        let alike = first.filter(|first| *first != from && matches!(step.drawn, Drawn::Plan(_)));
        let hop = match alike {
            Some(first) => self.as_first(&self.hop((first, number, to), known), (first, from)),
            None => self.written(&Hop::of(&self.edge(from, number, to))),
        };
        let hop = Rc::new(hop);
        known.insert((from, number, to), Rc::clone(&hop));
        hop
    }

    /// The hop with what its senders hold.
    fn written(&self, hop: &Hop) -> Hop {
        let mut hop = hop.clone();
        for ask in &mut hop.asks {
            if let Some(id) = self.id_of(&ask.principal) {
                ask.held = self.held_by(id).map(str::to_owned).collect();
            }
        }
        hop
    }

    /// A step of the first of a class as another of it takes it: with policies of its own that
    /// say the same.
    fn as_first(&self, hop: &Hop, (first, from): (Id, Id)) -> Hop {
        let actors = &self.grown.actors;
        let (Some(one), Some(other)) = (actors.get(&first), actors.get(&from)) else {
            return hop.clone();
        };
        let renamed = |name: &str| {
            let at = one.identity.iter().position(|held| &*held.name == name)?;
            Some(other.identity.get(at)?.name.to_string())
        };
        self.written(&hop.by(&one.arn, &other.arn, &renamed))
    }
}
