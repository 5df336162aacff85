//! What a principal can do, as patterns under conditions; and what one can that another cannot.
//!
//! Answers from the principal's own policies, boundary and SCPs over every documented action.
//! Resource-based policies are not searched: they grant to the resource's side of the question
//! ([`Engine::who_can`]).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use palisade_model::actions;

use super::Engine;
use crate::policy::compile::{Attached, CompiledStatement};
use crate::policy::document::Effect;
use crate::policy::layers::{Cite, Layer, Layers};
use crate::policy::residual::Term;
use crate::policy::resource::ResourceSet;

/// Resources under conditions: what a statement, or several that must all hold, covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Extent {
    /// Patterns that must all match, `!` before one that must not.
    pub resources: Vec<String>,
    /// Conditions that must all hold, sorted; none when there are none.
    pub when: Vec<Term>,
}

/// Actions allowed to the same extents by the same statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The actions, `service:Name`, sorted. A whole service reads `service:*`, all of them `*`.
    pub actions: Vec<String>,
    /// Where it is allowed and under which conditions: one of these must hold.
    pub allowed: Vec<Extent>,
    /// And none of these, which denies take away.
    pub except: Vec<Extent>,
    /// The statements that allow.
    pub by: Vec<Cite>,
}

/// What each of two principals can do that the other cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Only the first: actions and where.
    pub only_first: Vec<(String, Vec<Extent>)>,
    /// Only the second.
    pub only_second: Vec<(String, Vec<Extent>)>,
}

impl Difference {
    /// The same with actions together that have the same extents: `service:*` for whole services.
    pub fn grouped(list: &[(String, Vec<Extent>)]) -> Vec<(Vec<String>, Vec<Extent>)> {
        let mut groups: BTreeMap<&[Extent], Vec<String>> = BTreeMap::new();
        for (action, extents) in list {
            groups.entry(extents).or_default().push(action.clone());
        }
        let mut out: Vec<_> = groups
            .into_iter()
            .map(|(extents, names)| (shortened(names), extents.to_vec()))
            .collect();
        out.sort();
        out
    }
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.resources.join(" and "))?;
        for (at, term) in self.when.iter().enumerate() {
            write!(f, "{} {term}", if at == 0 { " when" } else { " and" })?;
        }
        Ok(())
    }
}

impl Extent {
    /// Whether this one holds wherever the other does; `false` when that is not plain.
    fn contains(&self, other: &Self) -> bool {
        let implied = |term: &Term| other.when.iter().any(|own| own.implies(term));
        covers(&self.resources, &other.resources) && self.when.iter().all(implied)
    }

    /// Where both hold; `None` when nowhere.
    fn meet(&self, other: &Self) -> Option<Self> {
        let (a, b) = (&self.resources, &other.resources);
        let resources = if covers(b, a) {
            a.clone()
        } else if covers(a, b) {
            b.clone()
        } else if may_meet(a, b) {
            sorted(a.iter().chain(b).cloned())
        } else {
            return None;
        };
        let when = sorted(self.when.iter().chain(&other.when).cloned());
        Some(Self { resources, when })
    }
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<T>>().into_iter().collect()
}

/// What is allowed for one action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Reach {
    allowed: BTreeSet<Extent>,
    except: BTreeSet<Extent>,
    by: Vec<Cite>,
}

impl Engine {
    /// What a principal's own policies let it do, grouped. Takes time proportional to documented
    /// actions × statements.
    ///
    /// Policies that could not be read are not in it: [`Engine::decide`] says unknown where they
    /// count.
    pub fn what_can(&self, principal: &str) -> Vec<Permission> {
        let mut groups: BTreeMap<Reach, Vec<String>> = BTreeMap::new();
        for (action, reach) in self.reaches(principal) {
            groups.entry(reach).or_default().push(action);
        }
        let mut out: Vec<Permission> = groups
            .into_iter()
            .map(|(reach, names)| Permission {
                actions: shortened(names),
                allowed: reach.allowed.into_iter().collect(),
                except: reach.except.into_iter().collect(),
                by: reach.by,
            })
            .collect();
        out.sort_by(|a, b| a.actions.cmp(&b.actions));
        out
    }

    /// What each of two principals can do that the other cannot, conditions and denies included:
    /// an extent is common when the other principal has one that plainly contains it and no deny
    /// that bites more.
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
        let mut layers = self.layers_of(&self.classes[known.class as usize]);
        if known.linked {
            layers.scps = None;
        }
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
    for (cite, statement, extents) in covering(layers.identity, Layer::Identity, action) {
        if statement.effect == Effect::Allow {
            out.by.push(cite);
            out.allowed.extend(extents);
        }
    }
    let mut limits: Vec<(Layer, &[Attached])> = Vec::new();
    limits.extend(layers.boundary.map(|b| (Layer::Boundary, b)));
    for (level, policies) in layers.scps.unwrap_or_default().iter().enumerate() {
        limits.push((Layer::Scp(level), policies));
    }
    for (layer, policies) in &limits {
        // An unread limit is passed over here: it makes decisions unknown.
        if out.allowed.is_empty() || policies.iter().any(|p| p.policy.unread_reason().is_some()) {
            continue;
        }
        let allows = covering(policies, *layer, action)
            .filter(|(_, statement, _)| statement.effect == Effect::Allow);
        let limit: BTreeSet<Extent> = allows.flat_map(|(_, _, extents)| extents).collect();
        out.allowed = within(&out.allowed, &limit);
    }
    limits.push((Layer::Identity, layers.identity));
    for (layer, policies) in &limits {
        for (_, statement, extents) in covering(policies, *layer, action) {
            if statement.effect == Effect::Deny {
                for extent in extents {
                    out.allowed.retain(|own| !extent.contains(own));
                    out.except.insert(extent);
                }
            }
        }
    }
    let allowed = &out.allowed;
    out.except.retain(|denied| {
        let meets = |own: &Extent| may_meet(&own.resources, &denied.resources);
        allowed.iter().any(meets)
    });
    (!out.allowed.is_empty()).then_some(out)
}

/// The extents inside a limit, as they are where one of the limit's contains them.
fn within(allowed: &BTreeSet<Extent>, limit: &BTreeSet<Extent>) -> BTreeSet<Extent> {
    let mut out = BTreeSet::new();
    for own in allowed {
        if limit.iter().any(|wide| wide.contains(own)) {
            out.insert(own.clone());
        } else {
            out.extend(limit.iter().filter_map(|other| own.meet(other)));
        }
    }
    out
}

type Covering<'a> = (Cite, &'a CompiledStatement, Vec<Extent>);

/// The statements of a layer that cover an action, with their extents.
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
                    let when = sorted(statement.conditions.iter().map(|test| {
                        let values = test.written.to_vec();
                        Term::new(test.key.as_str(), test.operator, values)
                    }));
                    let texts = attached
                        .policy
                        .statement(at)
                        .map_or_else(Vec::new, resource_texts);
                    let extent = |resources| Extent {
                        resources,
                        when: when.clone(),
                    };
                    (
                        Cite {
                            layer,
                            policy,
                            statement: at,
                        },
                        statement,
                        texts.into_iter().map(extent).collect(),
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

fn beyond(a: &BTreeMap<String, Reach>, b: &BTreeMap<String, Reach>) -> Vec<(String, Vec<Extent>)> {
    let mut out = Vec::new();
    for (action, reach) in a {
        let common = |own: &Extent| {
            let Some(other) = b.get(action) else {
                return false;
            };
            // What is denied there must be denied here too.
            let shared = |denied: &Extent| {
                !may_meet(&denied.resources, &own.resources)
                    || reach.except.iter().any(|ours| ours.contains(denied))
            };
            other.allowed.iter().any(|theirs| theirs.contains(own))
                && other.except.iter().all(shared)
        };
        let alone: Vec<Extent> = reach
            .allowed
            .iter()
            .filter(|own| !common(own))
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
