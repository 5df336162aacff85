//! Is a security service really on: for each account and region, with what is missing.
//!
//! It reads what the services say of themselves. Whether somebody could switch them off is
//! answered in the protection room of this folder, and whether anybody would hear it beside it.

mod analyzers;
mod firewall;
mod global;
mod hearsay;
mod matrix;
mod recorder;
mod regional;
mod threats;
mod trails;

use std::fmt;

use palisade_model::{
    Account, Gap, NotApplicable, Observed, Organization, Region, RegionState, Snapshot, Why,
};
use serde::Serialize;

pub use matrix::{Cell, Matrix, Row, matrix};

/// A security service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// AWS CloudTrail.
    Cloudtrail,
    /// Amazon GuardDuty.
    Guardduty,
    /// Amazon Inspector.
    Inspector,
    /// AWS Config.
    Config,
    /// AWS Security Hub.
    SecurityHub,
    /// IAM Access Analyzer.
    AccessAnalyzer,
    /// Amazon Macie.
    Macie,
    /// AWS WAF.
    Waf,
    /// AWS Shield Advanced.
    Shield,
    /// AWS Firewall Manager.
    Fms,
    /// The root user, guarded as it should be.
    Root,
}

impl Service {
    /// Every service, in the order of reports.
    pub const ALL: [Service; 11] = [
        Self::Cloudtrail,
        Self::Guardduty,
        Self::Inspector,
        Self::Config,
        Self::SecurityHub,
        Self::AccessAnalyzer,
        Self::Macie,
        Self::Waf,
        Self::Shield,
        Self::Fms,
        Self::Root,
    ];

    /// Its short name: the folder of its checks and its tamper group.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cloudtrail => "cloudtrail",
            Self::Guardduty => "guardduty",
            Self::Inspector => "inspector",
            Self::Config => "config",
            Self::SecurityHub => "security-hub",
            Self::AccessAnalyzer => "access-analyzer",
            Self::Macie => "macie",
            Self::Waf => "waf",
            Self::Shield => "shield",
            Self::Fms => "fms",
            Self::Root => "root",
        }
    }

    /// The service of that short name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|service| service.as_str() == name)
    }

    /// Whether it has one state per account rather than one per region.
    pub fn is_global(self) -> bool {
        matches!(self, Self::Shield | Self::Fms | Self::Root)
    }

    /// Paid or situational: off is a finding only where the service is expected.
    pub fn is_optional(self) -> bool {
        matches!(self, Self::Macie | Self::Waf | Self::Shield | Self::Fms)
    }

    /// The service principal by which an organization delegates it.
    fn principal(self) -> Option<&'static str> {
        Some(match self {
            Self::Cloudtrail => "cloudtrail.amazonaws.com",
            Self::Guardduty => "guardduty.amazonaws.com",
            Self::Inspector => "inspector2.amazonaws.com",
            Self::Config => "config.amazonaws.com",
            Self::SecurityHub => "securityhub.amazonaws.com",
            Self::AccessAnalyzer => "access-analyzer.amazonaws.com",
            Self::Macie => "macie.amazonaws.com",
            Self::Fms => "fms.amazonaws.com",
            _ => return None,
        })
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The state of one service in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum State {
    /// On, with nothing missing.
    On,
    /// On, but blind in part.
    HalfOn {
        /// What is missing.
        what: Vec<Weakness>,
        /// What was not read beside it, by kind.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        unread: Vec<Weakness>,
    },
    /// On, and nothing is known to be missing, but not everything was read.
    OnUnread {
        /// What was not read, by kind; an empty kind stands for all there is to know.
        unread: Vec<Weakness>,
    },
    /// There, but paused.
    Suspended {
        /// How the service says so.
        what: String,
    },
    /// Not there, or not working.
    Off {
        /// What was seen.
        what: String,
    },
    /// The question makes no sense here.
    NotApplicable {
        /// Why.
        why: String,
    },
    /// Nobody can say.
    Unknown {
        /// The reads that failed, one line each.
        missing: Vec<String>,
    },
}

/// One thing missing of a service that is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Weakness {
    /// Its kind, such as `log-validation`.
    pub kind: &'static str,
    /// The sentence, lower case, without a full stop.
    pub says: String,
}

impl State {
    /// One word for a table.
    pub fn word(&self) -> &'static str {
        match self {
            Self::On => "on",
            Self::HalfOn { .. } => "half on",
            Self::OnUnread { .. } => "on?",
            Self::Suspended { .. } => "suspended",
            Self::Off { .. } => "off",
            Self::NotApplicable { .. } => "n/a",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// What is missing or was seen, line by line; empty where there is nothing to say.
    pub fn says(&self) -> Vec<String> {
        match self {
            Self::On => Vec::new(),
            Self::HalfOn { what, unread } => told(what.iter().chain(unread)),
            Self::OnUnread { unread } => told(unread.iter()),
            Self::Suspended { what } | Self::Off { what } => vec![what.clone()],
            Self::NotApplicable { why } => vec![why.clone()],
            Self::Unknown { missing } => missing.clone(),
        }
    }

    /// How bad a word of [`State::word`] is beside the others.
    pub fn badness(word: &str) -> usize {
        match word {
            "off" => 100,
            "suspended" => 50,
            "unknown" => 10,
            "half on" => 2,
            "on?" => 1,
            _ => 0,
        }
    }

    /// Adds something missing to a service that is on.
    pub fn weaken(&mut self, kind: &'static str, says: impl Into<String>) {
        let weakness = Weakness {
            kind,
            says: says.into(),
        };
        self.note(weakness, true);
    }

    /// Adds something unread of a service that is on.
    pub fn obscure(&mut self, kind: &'static str, says: impl Into<String>) {
        let weakness = Weakness {
            kind,
            says: says.into(),
        };
        self.note(weakness, false);
    }

    fn note(&mut self, weakness: Weakness, missing: bool) {
        let mut faults = match std::mem::replace(self, Self::On) {
            Self::On => Faults::default(),
            Self::HalfOn { what, unread } => Faults { what, unread },
            Self::OnUnread { unread } => Faults {
                what: Vec::new(),
                unread,
            },
            other => {
                *self = other;
                return;
            }
        };
        match missing {
            true => faults.what.push(weakness),
            false => faults.unread.push(weakness),
        }
        *self = faults.state();
    }

    /// What was not read of a service that is on and bears on weaknesses of these kinds; with
    /// no kinds, on any.
    pub fn unread_of(&self, kinds: &[&str]) -> Vec<String> {
        let (Self::HalfOn { unread, .. } | Self::OnUnread { unread }) = self else {
            return Vec::new();
        };
        let asked = unread
            .iter()
            .filter(|one| kinds.is_empty() || one.kind.is_empty() || kinds.contains(&one.kind));
        told(asked)
    }

    fn off(what: impl Into<String>) -> Self {
        State::Off { what: what.into() }
    }

    fn unknown(gap: &Gap) -> Self {
        State::Unknown {
            missing: vec![gap.to_string()],
        }
    }

    fn not_applicable(why: &NotApplicable) -> Self {
        let reason = match why.why {
            Why::NotAsked => "not asked for",
            Why::RegionOff => "the region is off",
            Why::NotOffered => "AWS does not offer it here",
            Why::NoOrganization => "the account is in no organization",
            Why::RegionDenied => "SCPs deny the region",
            Why::Kind => "it cannot have one",
        };
        let why = match why.detail.as_str() {
            "" => reason.to_owned(),
            detail => format!("{reason}: {detail}"),
        };
        State::NotApplicable { why }
    }
}

/// Gathers what is missing of a service that is there.
#[derive(Default)]
struct Faults {
    what: Vec<Weakness>,
    unread: Vec<Weakness>,
}

/// The sentences, each once.
fn told<'w>(list: impl Iterator<Item = &'w Weakness>) -> Vec<String> {
    let mut says: Vec<String> = list.map(|one| one.says.clone()).collect();
    says.dedup();
    says
}

impl Faults {
    fn add(&mut self, kind: &'static str, says: impl Into<String>) {
        let says = says.into();
        self.what.push(Weakness { kind, says });
    }

    /// Notes that nobody can say whether something of that kind is missing.
    fn unread(&mut self, kind: &'static str, why: impl fmt::Display) {
        let says = why.to_string();
        self.unread.push(Weakness { kind, says });
    }

    /// What was seen to be missing stands, whatever else was not read.
    fn state(mut self) -> State {
        for list in [&mut self.what, &mut self.unread] {
            list.sort();
            list.dedup();
        }
        match (self.what.is_empty(), self.unread.is_empty()) {
            (false, _) => State::HalfOn {
                what: self.what,
                unread: self.unread,
            },
            (true, false) => State::OnUnread {
                unread: self.unread,
            },
            (true, true) => State::On,
        }
    }
}

/// What an absent, inapplicable or unread fact makes of a service; the value otherwise.
fn present<'a, T>(fact: &'a Observed<T>, off: &str) -> Result<&'a T, State> {
    match fact {
        Observed::Value(value) => Ok(value),
        Observed::Absent => Err(State::off(off)),
        Observed::NotApplicable(why) => Err(State::not_applicable(why)),
        Observed::Gap(gap) => Err(State::unknown(gap)),
    }
}

/// The account that administers a service for the organization, where that was read.
fn delegated_to(snapshot: &Snapshot, service: Service) -> Option<&str> {
    let principal = service.principal()?;
    let delegates = organization(snapshot)?.delegated_administrators.value()?;
    delegates
        .iter()
        .find(|(_, services)| services.iter().any(|name| name == principal))
        .map(|(account, _)| account.as_str())
}

/// Why nobody can say which account administers services for the organization.
fn delegates_unread(snapshot: &Snapshot) -> Option<&Gap> {
    match &snapshot.organization {
        Observed::Value(organization) => organization.delegated_administrators.gap(),
        other => other.gap(),
    }
}

fn organization(snapshot: &Snapshot) -> Option<&Organization> {
    snapshot.organization.value()
}

/// The state of one service in one account and region. The region is passed over for services
/// with one state per account.
pub fn state(snapshot: &Snapshot, account: &str, region: &str, service: Service) -> State {
    let Some(data) = snapshot.accounts.get(account) else {
        return State::Unknown {
            missing: vec![format!("account {account} was not looked at")],
        };
    };
    if service.is_global() {
        return global::state(snapshot, account, data, service);
    }
    in_region(snapshot, account, data, region, service)
}

fn in_region(
    snapshot: &Snapshot,
    id: &str,
    account: &Account,
    region: &str,
    service: Service,
) -> State {
    let regions = match present(&account.regions, "the account lists no regions") {
        Ok(regions) => regions,
        Err(state) => return state,
    };
    let Some(facts) = regions.get(region) else {
        return State::Unknown {
            missing: vec![format!("region {region} was not looked at")],
        };
    };
    looked_at(snapshot, (id, account), (region, facts), service)
}

fn looked_at(
    snapshot: &Snapshot,
    (id, account): (&str, &Account),
    (region, facts): (&str, &Region),
    service: Service,
) -> State {
    let why = match facts.state {
        RegionState::Enabled => {
            return match service {
                Service::Cloudtrail => trails::state(snapshot, id, account, region),
                _ => regional::state(snapshot, id, region, facts, service),
            };
        }
        RegionState::Off => "the region is off",
        RegionState::NotAsked => "the region was left out of the scan",
    };
    State::NotApplicable {
        why: why.to_owned(),
    }
}
