//! Requests that got through → the audience they prove.

use std::collections::{BTreeMap, BTreeSet};

use super::audience::{Audience, Network, Opening, Path, Scope};
use super::network::{Region, blocks, is_wide};
use super::search::{Hit, Reach};
use super::surroundings::{Standing, Surroundings};
use super::view::{Unread, View};

/// What one way of granting lets through.
pub(super) struct Granted {
    pub(super) path: Path,
    pub(super) hits: BTreeSet<Hit>,
    pub(super) caller_sets: BTreeSet<String>,
}

/// Turns what each way lets through into openings. Addresses are added up over all ways: many
/// small ranges in several statements are as wide as one.
pub(super) fn openings(
    granted: Vec<Granted>,
    view: &View,
    around: &Surroundings<'_>,
) -> Vec<Opening> {
    let mut regions: BTreeMap<bool, BTreeSet<Region>> = BTreeMap::new();
    for hit in granted.iter().flat_map(|way| &way.hits) {
        if let Reach::Addresses { region, signed } = &hit.reach {
            regions.entry(*signed).or_default().insert(*region);
        }
    }
    let wide = |signed: bool| regions.get(&signed).is_some_and(is_wide);
    let widths = Widths {
        unsigned: wide(false),
        signed: wide(true),
    };
    let mut out: Vec<Opening> = granted
        .into_iter()
        .flat_map(|way| of_way(way, &widths, view, around))
        .collect();
    out.sort_by(|a, b| b.audience.cmp(&a.audience).then_with(|| a.cmp(b)));
    out
}

/// Whether the addresses let through, over all ways, are so many that they limit nobody.
struct Widths {
    unsigned: bool,
    signed: bool,
}

fn of_way(way: Granted, widths: &Widths, view: &View, around: &Surroundings<'_>) -> Vec<Opening> {
    // Per audience, without its names: the hits that speak for it.
    let mut circles: BTreeMap<u8, (Audience, Vec<&Hit>)> = BTreeMap::new();
    let mut ranges: BTreeMap<bool, BTreeSet<Region>> = BTreeMap::new();
    for hit in &way.hits {
        let audience = audience(&hit.reach, widths, view, around);
        if let (Reach::Addresses { region, signed }, Audience::Network(_)) = (&hit.reach, &audience)
        {
            ranges.entry(*signed).or_default().insert(*region);
        }
        let slot = circles
            .entry(audience.width())
            .or_insert_with(|| (audience.clone(), Vec::new()));
        slot.0.widen(&audience);
        slot.1.push(hit);
    }
    if let Some((Audience::Network(network), _)) =
        circles.get_mut(&Audience::Network(Network::default()).width())
    {
        for regions in ranges.values() {
            network.ranges.extend(blocks(regions));
        }
    }
    // Whoever is in a circle of everybody is in every narrower one too.
    let everybody = circles
        .values()
        .any(|(audience, _)| audience.is_everybody());
    let widest = circles.keys().next_back().copied().unwrap_or_default();
    circles
        .into_iter()
        .filter(|(width, (audience, _))| {
            *audience != Audience::Private && (!everybody || *width == widest)
        })
        .map(|(_, (audience, hits))| Opening {
            audience,
            path: way.path.clone(),
            scope: scope(&hits),
            actions: hits.iter().map(|hit| hit.action.to_owned()).collect(),
            caller_sets: way.caller_sets.clone(),
        })
        .collect()
}

fn scope(hits: &[&Hit]) -> Scope {
    if hits.iter().any(|hit| hit.pattern.is_none()) {
        Scope::Whole
    } else {
        Scope::Part(hits.iter().filter_map(|hit| hit.pattern.clone()).collect())
    }
}

fn audience(reach: &Reach, widths: &Widths, view: &View, around: &Surroundings<'_>) -> Audience {
    match reach {
        Reach::Everyone => Audience::Public,
        Reach::AnyAccount => Audience::AuthenticatedAws,
        Reach::Addresses { signed: false, .. } if widths.unsigned => Audience::Public,
        Reach::Addresses { .. } if widths.signed => Audience::AuthenticatedAws,
        Reach::Addresses { signed, .. } => Audience::Network(Network {
            signed: *signed,
            ..Network::default()
        }),
        Reach::Endpoint {
            vpc,
            endpoint,
            signed,
        } => {
            let strangers: BTreeSet<String> = [vpc, endpoint]
                .into_iter()
                .flatten()
                .filter(|id| around.owns_network(id) == Some(false))
                .cloned()
                .collect();
            if !strangers.is_empty() {
                return Audience::CrossAccount {
                    accounts: strangers,
                };
            }
            Audience::Network(Network {
                ranges: BTreeSet::new(),
                vpcs: vpc.iter().cloned().collect(),
                endpoints: endpoint.iter().cloned().collect(),
                signed: *signed,
            })
        }
        Reach::NetworkOf(owner) => match named(owner, view, around) {
            Audience::CrossAccount { accounts } => Audience::CrossAccount { accounts },
            _ => Audience::Network(Network {
                vpcs: BTreeSet::from([format!("any VPC of {owner}")]),
                ..Network::default()
            }),
        },
        Reach::Stranger(name) => named(name, view, around),
        Reach::Cdn => Audience::CdnPublic,
        Reach::Member => Audience::Organization {
            accounts: BTreeSet::new(),
        },
    }
}

/// The circle of an account, organization or principal by name.
pub(super) fn named(name: &str, view: &View, around: &Surroundings<'_>) -> Audience {
    let organization = name.starts_with("o-");
    let standing = if organization {
        around.organization_standing(name)
    } else {
        around.standing(name)
    };
    let own = match standing {
        Standing::Own => true,
        Standing::Foreign => false,
        Standing::Unclear => !view.is_open(&Unread::Membership),
    };
    let accounts = BTreeSet::from([name.to_owned()]);
    match (own, organization) {
        (true, true) => Audience::Organization {
            accounts: BTreeSet::new(),
        },
        (true, false) => Audience::Organization { accounts },
        (false, _) => Audience::CrossAccount { accounts },
    }
}

/// The widest audience of all openings, those of its kind together.
pub(super) fn widest(openings: &[Opening]) -> Audience {
    let mut widest = Audience::Private;
    for opening in openings {
        widest.widen(&opening.audience);
    }
    widest
}
