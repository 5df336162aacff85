//! What SCPs do about an action in an account: denied for everybody, with holes, or not at all.
//!
//! The engine is asked what the account's ceilings say to somebody whom all other policies allow
//! everything, and of whom nothing is known. What is left to know is the hole: conditions on who
//! is asking are exemptions, and an exemption that a principal of the account can take for itself
//! is no protection.
//!
//! Source: "Service control policies (SCPs)", AWS Organizations User Guide: they bind neither the
//! management account nor service-linked roles.

mod holes;
mod misnamed;
mod ways;

use std::collections::BTreeSet;

use palisade_model::Arn;
use serde::Serialize;

use super::powers::{Asked, Ceiling, Powers};
use crate::policy::{Context, Decision};

pub use misnamed::{Misnamed, misnamed};
pub use ways::passes;

/// Who can become whom, by any number of steps: for the graph to answer.
pub trait Becomes {
    /// Everybody who can become `principal`.
    fn reach(&self, principal: &Arn) -> Reached;
    /// Everybody who can become administrator of an account.
    fn administer(&self, account: &str) -> Reached;
}

/// Who gets somewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// For certain, or under conditions; sorted.
    pub surely: Vec<Comer>,
    /// Only if a gap resolves badly; sorted.
    pub perhaps: Vec<Comer>,
}

/// Somebody who gets somewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Comer {
    /// The user or role, where it is one that was seen.
    pub arn: Option<Arn>,
    /// What people call it.
    pub name: String,
    /// The techniques of the best way, where one was worked out.
    pub by: Vec<String>,
}

/// One action to be kept from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// `service:Name`.
    pub action: String,
    /// The resources it would be called on; `*` for none in particular.
    pub resources: Vec<String>,
    /// Whether it is called in the partition's home region only.
    pub global: bool,
    /// What is known of the request beside: condition keys with their values.
    pub context: Vec<(String, String)>,
}

impl Ask {
    /// An action on one resource.
    pub fn on(action: &str, resource: &str) -> Self {
        Ask {
            action: action.to_owned(),
            resources: vec![resource.to_owned()],
            global: false,
            context: Vec::new(),
        }
    }
}

/// One place where an action is asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The region; empty for one that was not read.
    pub region: String,
    /// What it would be called on there.
    pub resource: String,
}

impl Ask {
    /// Everywhere it is to be asked: something that exists where it stands, something made up in
    /// every region, and once more for regions that were not read.
    pub fn spots(&self, asked: &Asked) -> Vec<Spot> {
        let unread = asked.unread.iter().map(|_| "");
        let known = asked.known.iter().flatten().map(String::as_str);
        let regions: Vec<&str> = known.chain(unread).collect();
        let mut spots = Vec::new();
        for resource in &self.resources {
            let own = resource.split(':').nth(3).unwrap_or_default();
            let fixed = !own.is_empty() && own != "*" && !resource.contains(PROBE);
            if fixed {
                spots.push(Spot {
                    region: own.to_owned(),
                    resource: resource.clone(),
                });
                continue;
            }
            spots.extend(regions.iter().map(|region| Spot {
                region: (*region).to_owned(),
                resource: moved(resource, own, region),
            }));
        }
        spots
    }
}

/// A made-up resource in another region; in one that is not known, it stands in any.
fn moved(resource: &str, from: &str, to: &str) -> String {
    if from.is_empty() || from == "*" || from == to {
        return resource.to_owned();
    }
    let to = if to.is_empty() { "*" } else { to };
    let mut parts: Vec<&str> = resource.splitn(5, ':').collect();
    if let Some(region) = parts.get_mut(3) {
        *region = to;
    }
    parts.join(":")
}

/// What SCPs do about an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Protection {
    /// Denied for everybody whom SCPs bind.
    Everybody {
        /// The statements that deny.
        by: Vec<String>,
    },
    /// Denied but for named principals whom nobody else can become.
    Except {
        /// The statements that deny.
        by: Vec<String>,
        /// Existing principals that are let through.
        exempt: Vec<Arn>,
        /// Names that are let through and stand for nobody here.
        vacant: Vec<String>,
        /// Who becomes one of them from above, where no SCP binds: the management account.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        above: Vec<String>,
    },
    /// Denied, but somebody can become one of the exempted.
    Bypassable {
        /// The statements that deny.
        by: Vec<String>,
        /// Existing principals that are let through.
        exempt: Vec<Arn>,
        /// How somebody else gets through.
        how: Vec<String>,
    },
    /// Denied unless conditions hold.
    Conditional {
        /// The statements that deny.
        by: Vec<String>,
        /// When it is let through.
        unless: Vec<String>,
        /// Whether whoever calls can make them hold.
        caller_decides: bool,
    },
    /// Denied in some regions or for some resources only.
    Partial {
        /// The statements that deny.
        by: Vec<String>,
        /// Where nothing denies.
        open: Vec<String>,
    },
    /// Nothing denies it.
    Open {
        /// Why not, where there is more to say.
        why: String,
    },
    /// The question makes no sense here.
    NotApplicable {
        /// Why.
        why: String,
    },
    /// Nobody can say.
    Unknown {
        /// What was not read.
        missing: Vec<String>,
    },
}

impl Protection {
    /// One word for a table.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Everybody { .. } => "denied",
            Self::Except { .. } => "denied with exceptions",
            Self::Bypassable { .. } => "bypassable",
            Self::Conditional { .. } => "conditional",
            Self::Partial { .. } => "partial",
            Self::Open { .. } => "open",
            Self::NotApplicable { .. } => "n/a",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Whether the action is kept from everybody but named principals.
    pub fn holds(&self) -> bool {
        matches!(self, Self::Everybody { .. } | Self::Except { .. })
    }

    /// Whether nothing is known to stand in somebody's way.
    pub fn fails(&self) -> bool {
        match self {
            Self::Bypassable { .. } | Self::Partial { .. } | Self::Open { .. } => true,
            Self::Conditional { caller_decides, .. } => *caller_decides,
            _ => false,
        }
    }
}

/// What SCPs and RCPs do about an action in an account. `becomes` tells who gets to be one of the
/// exempted; without it only ways of one step are seen.
pub fn protection(
    powers: &Powers<'_>,
    becomes: Option<&dyn Becomes>,
    account: &str,
    ask: &Ask,
) -> Protection {
    let not_applicable = |why: &str| Protection::NotApplicable {
        why: why.to_owned(),
    };
    match powers.ceiling(account) {
        Ceiling::Bound => {}
        Ceiling::Outside(why) => return not_applicable(why),
        Ceiling::Off(why) => {
            return Protection::Open {
                why: why.to_owned(),
            };
        }
        Ceiling::Management => {
            return not_applicable("SCPs do not bind the management account");
        }
    }
    if ask.resources.is_empty() {
        return not_applicable("there is nothing here it could be called on");
    }
    let place = Place {
        powers,
        becomes,
        account,
        ask,
    };
    // Statements that look at tags or single resources answer each resource apart.
    let mut cells = Cells::default();
    let asked = powers.regions(account, ask.global);
    for spot in ask.spots(&asked) {
        match &asked.unread {
            Some(gap) if spot.region.is_empty() => {
                if !place.denies_anywhere(&spot.resource) {
                    cells.missing.insert(gap.clone());
                }
            }
            _ => cells.look(&place, &spot.region, &spot.resource),
        }
    }
    cells.sum(&place)
}

/// The question and where it is asked.
struct Place<'p, 'a> {
    powers: &'p Powers<'a>,
    becomes: Option<&'p dyn Becomes>,
    account: &'p str,
    ask: &'p Ask,
}

impl Place<'_, '_> {
    /// What is known of a request by a name that nobody has: nothing but where it is made.
    fn context(&self, region: &str, resource: &str) -> Context {
        let mut context = self.powers.circumstances(self.account, resource, region);
        for (key, value) in &self.ask.context {
            context.set(key, value.as_str());
        }
        context
    }

    fn probe(&self) -> Arn {
        let partition = self.powers.snapshot.partition;
        Arn::iam(partition, self.account, "role", "/", PROBE)
    }

    /// Whether the ceilings deny it wherever it is called.
    fn denies_anywhere(&self, resource: &str) -> bool {
        let context = self.context("", resource);
        let action = &self.ask.action;
        let (decision, _) = self
            .powers
            .ceiling_decides(&self.probe(), action, resource, &context);
        matches!(decision, Decision::Denied(_))
    }
}

/// The answers for each region and resource, gathered.
#[derive(Default)]
struct Cells {
    by: BTreeSet<String>,
    denied: usize,
    open: Vec<String>,
    missing: BTreeSet<String>,
    holes: Vec<holes::Hole>,
}

impl Cells {
    fn look(&mut self, place: &Place<'_, '_>, region: &str, resource: &str) {
        let ask = place.ask;
        let context = place.context(region, resource);
        // A name nobody has: what is known of it stands in the context, and that is nothing.
        let probe = place.probe();
        let (decision, cited) =
            place
                .powers
                .ceiling_decides(&probe, &ask.action, resource, &context);
        self.by.extend(cited);
        match decision {
            Decision::Denied(_) => self.denied += 1,
            Decision::Allowed(_) => self.open.push(named(region, resource, ask)),
            Decision::Conditional(conditional) => {
                let found = holes::of(place, region, resource, &conditional);
                if found.is_closed() {
                    self.denied += 1;
                } else {
                    self.holes.push(found);
                }
            }
            Decision::Unknown(unknown) => {
                let gaps = unknown.gaps.into_iter();
                self.missing
                    .extend(gaps.map(|gap| format!("{}: {}", gap.name, gap.reason)));
            }
        }
    }

    fn sum(self, place: &Place<'_, '_>) -> Protection {
        let by = Vec::from_iter(self.by);
        let answered = self.denied + self.holes.len();
        if !self.open.is_empty() && answered == 0 && self.missing.is_empty() {
            return Protection::Open { why: String::new() };
        }
        if !self.open.is_empty() {
            return Protection::Partial {
                by,
                open: self.open,
            };
        }
        if !self.missing.is_empty() {
            let missing = Vec::from_iter(self.missing);
            return Protection::Unknown { missing };
        }
        match holes::worst(self.holes) {
            None => Protection::Everybody { by },
            Some(hole) => hole.protection(place, by),
        }
    }
}

/// The name of somebody who does not exist.
const PROBE: &str = "palisade-probe";

fn named(region: &str, resource: &str, ask: &Ask) -> String {
    let made_up = resource == "*" || resource.contains(PROBE);
    match (ask.global, resource) {
        (true, _) if made_up => "everywhere".to_owned(),
        (false, _) if made_up => region.to_owned(),
        (_, resource) => format!("{resource} in {region}"),
    }
}
