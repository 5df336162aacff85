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

use std::collections::BTreeSet;

use palisade_model::{Arn, Observed};
use serde::Serialize;

use super::powers::{Ceiling, Levels, Powers};
use crate::policy::{Caller, Decision};

pub use misnamed::{Misnamed, misnamed};

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

/// What SCPs do about an action in an account.
pub fn protection(powers: &Powers<'_>, account: &str, ask: &Ask) -> Protection {
    let levels = match powers.ceiling(account) {
        Ceiling::Levels(levels) => levels,
        Ceiling::Outside(why) => {
            return Protection::NotApplicable {
                why: why.to_owned(),
            };
        }
        Ceiling::Off(why) => {
            return Protection::Open {
                why: why.to_owned(),
            };
        }
        Ceiling::Management => {
            return Protection::NotApplicable {
                why: "SCPs do not bind the management account".to_owned(),
            };
        }
        Ceiling::Unknown(gap) => return Protection::Unknown { missing: vec![gap] },
    };
    if ask.resources.is_empty() {
        return Protection::NotApplicable {
            why: "there is nothing here it could be called on".to_owned(),
        };
    }
    // Statements that look at tags or single resources answer each resource apart.
    let mut cells = Cells::default();
    for region in regions(powers, account, ask, &levels) {
        for resource in &ask.resources {
            cells.look(powers, account, &levels, ask, &region, resource);
        }
    }
    cells.sum(powers, account)
}

/// One region stands for all where no SCP asks for the region.
fn regions(powers: &Powers<'_>, account: &str, ask: &Ask, levels: &Levels) -> Vec<String> {
    let home = powers.snapshot.partition.home_region().to_owned();
    let names_regions = levels.iter().flatten().any(|attached| {
        let document = attached.policy.document();
        document.is_some_and(|d| d.text.to_ascii_lowercase().contains("aws:requestedregion"))
    });
    if ask.global || !names_regions {
        return vec![home];
    }
    let data = powers.snapshot.accounts.get(account);
    match data.map(|data| &data.regions) {
        Some(Observed::Value(_)) => {
            let names = data.into_iter().flat_map(|data| data.enabled_regions());
            names.map(|(name, _)| name.clone()).collect()
        }
        _ => vec![home],
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
    fn look(
        &mut self,
        powers: &Powers<'_>,
        account: &str,
        levels: &Levels,
        ask: &Ask,
        region: &str,
        resource: &str,
    ) {
        let mut context = powers.account_context(account, region);
        for (key, value) in &ask.context {
            context.set(key, value.as_str());
        }
        let partition = powers.snapshot.partition;
        // A name nobody has: what is known of it stands in the context, and that is nothing.
        let probe = Arn::iam(partition, account, "role", "/", "palisade-probe");
        let who = Caller::new(probe.as_str(), &context);
        let (decision, cited) =
            powers.ceiling_decides(levels, &who, context, &ask.action, resource);
        self.by.extend(cited);
        match decision {
            Decision::Denied(_) => self.denied += 1,
            Decision::Allowed(_) => self.open.push(place(region, resource, ask)),
            Decision::Conditional(conditional) => {
                let found = holes::of(powers, account, region, resource, ask, levels, &conditional);
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

    fn sum(self, powers: &Powers<'_>, account: &str) -> Protection {
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
            Some(hole) => hole.protection(powers, account, by),
        }
    }
}

fn place(region: &str, resource: &str, ask: &Ask) -> String {
    match (ask.global, resource) {
        (true, "*") => "everywhere".to_owned(),
        (false, "*") => region.to_owned(),
        (_, resource) => format!("{resource} in {region}"),
    }
}
