//! What a principal can do, as patterns; and what one can that another cannot.
//!
//! Answers from the principal's own policies, boundary and SCPs over every documented action.
//! Resource-based policies are not searched: they grant to the resource's side of the question
//! ([`Engine::who_can`]).

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::actions;

use super::Engine;
use crate::policy::compile::{Attached, CompiledStatement};
use crate::policy::document::Effect;
use crate::policy::layers::{Cite, Layer, Layers};
use crate::policy::resource::ResourceSet;

/// Actions allowed on the same resources by the same statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The actions, `service:Name`, sorted. A whole service reads `service:*`, all of them `*`.
    pub actions: Vec<String>,
    /// Resource patterns: each entry lists patterns that must all match, `!` before one that
    /// must not.
    pub resources: Vec<Vec<String>>,
    /// Whether some condition must hold, or a conditional deny must not.
    pub conditional: bool,
    /// The statements that allow.
    pub by: Vec<Cite>,
}

/// What each of two principals can do that the other cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Only the first: action and resource patterns.
    pub only_first: Vec<(String, Vec<Vec<String>>)>,
    /// Only the second.
    pub only_second: Vec<(String, Vec<Vec<String>>)>,
}

/// What is allowed for one action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Reach {
    resources: BTreeSet<Vec<String>>,
    conditional: bool,
    by: Vec<Cite>,
}

impl Engine {
    /// What a principal's own policies let it do, grouped. Takes time proportional to documented
    /// actions × statements.
    ///
    /// Denies on every resource without conditions are taken out; other denies make an entry
    /// conditional. Policies that could not be read are not in it: [`Engine::decide`] says
    /// unknown where they count.
    pub fn what_can(&self, principal: &str) -> Vec<Permission> {
        let mut groups: BTreeMap<Reach, Vec<String>> = BTreeMap::new();
        for (action, reach) in self.reaches(principal) {
            groups.entry(reach).or_default().push(action);
        }
        let mut out: Vec<Permission> = groups
            .into_iter()
            .map(|(reach, names)| Permission {
                actions: shortened(names),
                resources: reach.resources.into_iter().collect(),
                conditional: reach.conditional,
                by: reach.by,
            })
            .collect();
        out.sort_by(|a, b| a.actions.cmp(&b.actions));
        out
    }

    /// What each of two principals can do that the other cannot. Conditions are not compared: an
    /// action allowed to both counts as common when the resources are.
    pub fn difference(&self, first: &str, second: &str) -> Difference {
        let (a, b) = (self.reaches(first), self.reaches(second));
        Difference {
            only_first: beyond(&a, &b),
            only_second: beyond(&b, &a),
        }
    }

    fn reaches(&self, principal: &str) -> BTreeMap<String, Reach> {
        let Some(known) = self.principal(principal) else {
            return BTreeMap::new();
        };
        let layers = self.layers_of(&self.classes[known.class as usize]);
        let mut out = BTreeMap::new();
        for service in actions().services() {
            for action in &service.actions {
                let name = action.full_name();
                if let Some(reach) = reach(&layers, &name.to_ascii_lowercase()) {
                    out.insert(name, reach);
                }
            }
        }
        out
    }
}

fn reach(layers: &Layers<'_>, action: &str) -> Option<Reach> {
    let mut out = Reach::default();
    for (cite, statement, texts) in covering(layers.identity, Layer::Identity, action) {
        if statement.effect == Effect::Allow {
            out.by.push(cite);
            out.conditional |= !statement.conditions.is_empty();
            out.resources.extend(texts);
        }
    }
    let mut limits: Vec<(Layer, &[Attached])> = Vec::new();
    limits.extend(layers.boundary.map(|b| (Layer::Boundary, b)));
    for (level, policies) in layers.scps.unwrap_or_default().iter().enumerate() {
        limits.push((Layer::Scp(level), policies));
    }
    for (layer, policies) in &limits {
        // An unread limit is passed over here: it makes decisions unknown.
        if policies.iter().any(|p| p.policy.unread_reason().is_some()) {
            continue;
        }
        let mut allowed = BTreeSet::new();
        let mut sometimes = true;
        for (_, statement, texts) in covering(policies, *layer, action) {
            if statement.effect == Effect::Allow {
                sometimes &= !statement.conditions.is_empty();
                allowed.extend(texts);
            }
        }
        out.conditional |= sometimes;
        out.resources = intersect(&out.resources, &allowed);
    }
    limits.push((Layer::Identity, layers.identity));
    let everything = ResourceSet::new("*");
    for (layer, policies) in &limits {
        for (_, statement, _) in covering(policies, *layer, action) {
            if statement.effect == Effect::Deny {
                if statement.conditions.is_empty() && statement.must_cover(&everything) {
                    return None;
                }
                out.conditional = true;
            }
        }
    }
    (!out.resources.is_empty()).then_some(out)
}

type Covering<'a> = (Cite, &'a CompiledStatement, Vec<Vec<String>>);

/// The statements of a layer that cover an action, with their resources as text.
fn covering<'a>(
    policies: &'a [Attached],
    layer: Layer,
    action: &'a str,
) -> impl Iterator<Item = Covering<'a>> {
    policies
        .iter()
        .enumerate()
        .flat_map(move |(policy, attached)| {
            let covers =
                move |(_, statement): &(usize, &CompiledStatement)| statement.covers_action(action);
            attached
                .policy
                .statements
                .iter()
                .enumerate()
                .filter(covers)
                .map(move |(at, statement)| {
                    let texts = attached
                        .policy
                        .statement(at)
                        .map_or_else(Vec::new, resource_texts);
                    (
                        Cite {
                            layer,
                            policy,
                            statement: at,
                        },
                        statement,
                        texts,
                    )
                })
        })
}

fn resource_texts(statement: &crate::policy::document::Statement) -> Vec<Vec<String>> {
    match (&statement.resources, &statement.not_resources) {
        (Some(resources), _) => resources.iter().map(|r| vec![r.clone()]).collect(),
        (None, Some(others)) => vec![others.iter().map(|r| format!("!{r}")).collect()],
        (None, None) => vec![vec!["*".to_owned()]],
    }
}

/// Patterns that hold in both, shortened where one says all the other does.
fn intersect(a: &BTreeSet<Vec<String>>, b: &BTreeSet<Vec<String>>) -> BTreeSet<Vec<String>> {
    let mut out = BTreeSet::new();
    for x in a {
        for y in b {
            if covers(y, x) {
                out.insert(x.clone());
            } else if covers(x, y) {
                out.insert(y.clone());
            } else if may_meet(x, y) {
                let mut both: Vec<String> = x.iter().chain(y).cloned().collect();
                both.sort();
                both.dedup();
                out.insert(both);
            }
        }
    }
    out
}

/// Whether everything the second matches, the first does; `false` when that is not plain.
fn covers(a: &[String], b: &[String]) -> bool {
    a.iter().all(|wide| {
        b.iter()
            .any(|narrow| wide == narrow || part_covers(wide, narrow))
    })
}

fn part_covers(wide: &str, narrow: &str) -> bool {
    match (wide.strip_prefix('!'), narrow.strip_prefix('!')) {
        (None, None) => ResourceSet::new(wide).covers(&ResourceSet::new(narrow)),
        (Some(a), Some(b)) => ResourceSet::new(b).covers(&ResourceSet::new(a)),
        (Some(a), None) => !ResourceSet::new(a).overlaps(&ResourceSet::new(narrow)),
        (None, Some(_)) => wide == "*",
    }
}

fn may_meet(a: &[String], b: &[String]) -> bool {
    let plain = |list: &[String]| -> Vec<ResourceSet> {
        list.iter()
            .filter(|p| !p.starts_with('!'))
            .map(|p| ResourceSet::new(p))
            .collect()
    };
    plain(a)
        .iter()
        .all(|x| plain(b).iter().all(|y| x.overlaps(y)))
}

fn beyond(
    a: &BTreeMap<String, Reach>,
    b: &BTreeMap<String, Reach>,
) -> Vec<(String, Vec<Vec<String>>)> {
    let mut out = Vec::new();
    for (action, reach) in a {
        let other = b.get(action);
        let alone: Vec<Vec<String>> = reach
            .resources
            .iter()
            .filter(|own| {
                !other.is_some_and(|r| r.resources.iter().any(|theirs| covers(theirs, own)))
            })
            .cloned()
            .collect();
        if !alone.is_empty() {
            out.push((action.clone(), alone));
        }
    }
    out
}

/// `service:*` for a whole service, `*` for all.
fn shortened(names: Vec<String>) -> Vec<String> {
    let mut by_service: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &names {
        *by_service
            .entry(name.split(':').next().unwrap_or_default())
            .or_default() += 1;
    }
    let whole = |service: &str| {
        let count = by_service.get(service).copied().unwrap_or_default();
        actions()
            .service(service)
            .is_some_and(|s| s.actions.len() == count)
    };
    let all = actions()
        .services()
        .iter()
        .filter(|s| !s.actions.is_empty());
    if all.clone().all(|s| whole(s.prefix)) {
        return vec!["*".to_owned()];
    }
    let mut out = BTreeSet::new();
    for name in &names {
        let service = name.split(':').next().unwrap_or_default();
        out.insert(if whole(service) {
            format!("{service}:*")
        } else {
            name.clone()
        });
    }
    out.into_iter().collect()
}
