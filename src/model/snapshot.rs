//! The whole estate at one moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::listing::Listing;
use crate::{
    Aggregator, Alarm, AnalyzerState, Arn, Bus, ConfigService, Detector, FirewallManager, Function,
    Gap, GapKind, Iam, Inspector, Listed, Macie, MetricFilter, Observed, Organization, Partition,
    Resource, S3, SecurityHub, ShieldState, Time, Topic, Trail,
};

/// A twelve-digit account id.
pub type AccountId = String;

/// A region's name, such as `eu-central-1`.
pub type RegionName = String;

/// Everything that was seen, and everything that was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Snapshot {
    /// When collecting began: the only "now" that analysis knows.
    pub taken_at: Time,
    /// The partition of every account here.
    pub partition: Partition,
    /// Who collected it: left out of what findings say, kept as evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<Arn>,
    /// The organization. Absent: the accounts stand alone.
    pub organization: Observed<Organization>,
    /// Accounts by id, those among them that could not be reached.
    pub accounts: BTreeMap<AccountId, Account>,
}

impl Snapshot {
    /// Nothing read yet.
    pub fn unread(taken_at: Time, partition: Partition) -> Self {
        Snapshot {
            taken_at,
            partition,
            caller: None,
            organization: Observed::not_collected("organizations:DescribeOrganization"),
            accounts: BTreeMap::new(),
        }
    }

    /// The account that holds `arn`, if it was looked at.
    pub fn account_of(&self, arn: &Arn) -> Option<&Account> {
        self.accounts.get(arn.account())
    }
}

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// IAM.
    pub iam: Iam,
    /// S3, all regions.
    pub s3: S3,
    /// Trails whose home is this account, and the organization's trail as it shows here, by ARN.
    pub trails: Observed<BTreeMap<Arn, Trail>>,
    /// Shield Advanced. Absent: not subscribed.
    pub shield: Observed<ShieldState>,
    /// Firewall Manager. Absent: no administrator account is set.
    pub firewall_manager: Observed<FirewallManager>,
    /// Regions by name: those that are on, those that are off, and those left out.
    pub regions: Observed<BTreeMap<RegionName, Region>>,
    /// Why no call told the regions, where the partition's default ones stand in: others may be
    /// on, and were not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions_gap: Option<Gap>,
    /// Regions that could not be asked for the trails they record themselves, each with its gap.
    /// A trail of several regions shows in every region that answered. Where no region did,
    /// [`trails`](Self::trails) is the gap.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub trail_regions: BTreeMap<RegionName, Observed<()>>,
    /// Resources of global services by kind, such as `cloudfront.distribution`, then by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, Observed<BTreeMap<String, Resource>>>,
}

impl Account {
    /// An account in which nothing has been read yet.
    pub fn unread() -> Self {
        Account {
            iam: Iam::unread(),
            s3: S3::unread(),
            trails: Observed::not_collected("cloudtrail:DescribeTrails"),
            shield: Observed::not_collected("shield:DescribeSubscription"),
            firewall_manager: Observed::not_collected("fms:GetAdminAccount"),
            regions: Observed::not_collected("account:ListRegions"),
            regions_gap: None,
            trail_regions: BTreeMap::new(),
            resources: BTreeMap::new(),
        }
    }

    /// An account that could not be entered: every fact is the same gap.
    pub fn not_reached(why: &Gap) -> Self {
        let gap = Gap {
            kind: GapKind::NotReached,
            ..why.clone()
        };
        Account {
            iam: Iam {
                users: gap.clone().into(),
                groups: gap.clone().into(),
                roles: gap.clone().into(),
                policies: gap.clone().into(),
                root: gap.clone().into(),
                credential_report: gap.clone().into(),
                saml_providers: gap.clone().into(),
                oidc_providers: gap.clone().into(),
                alias: gap.clone().into(),
            },
            s3: S3 {
                public_access_block: gap.clone().into(),
                buckets: gap.clone().into(),
                access_points: gap.clone().into(),
                access_point_gaps: BTreeMap::new(),
            },
            trails: gap.clone().into(),
            shield: gap.clone().into(),
            firewall_manager: gap.clone().into(),
            regions: gap.into(),
            regions_gap: None,
            trail_regions: BTreeMap::new(),
            resources: BTreeMap::new(),
        }
    }

    /// The regions that are on and were asked for; empty when the list itself is a gap.
    pub fn enabled_regions(&self) -> impl Iterator<Item = (&RegionName, &Region)> {
        self.regions
            .value()
            .into_iter()
            .flatten()
            .filter(|(_, region)| region.state == RegionState::Enabled)
    }

    /// What is known of the resources of that kind, place by place: the region, or nothing for
    /// what belongs to no region. Where the list of regions is a gap or a guess, so are the
    /// resources of those that are not in it.
    pub fn listed(&self, kind: &str) -> Vec<(&str, Listed<'_>)> {
        let global = Listing::of(kind).is_some_and(|row| row.global);
        let mut found = Vec::new();
        if global || self.resources.contains_key(kind) {
            found.push(("", Listed::of(&self.resources, kind)));
        }
        if global {
            return found;
        }
        for (name, region) in self.regions.value().into_iter().flatten() {
            found.push((name.as_str(), region.listed(kind)));
        }
        let beyond = self.regions.gap().or(self.regions_gap.as_ref());
        found.extend(beyond.map(|gap| ("", Listed::Unread(gap))));
        found
    }

    /// Why trails that only `region` records may be missing; `None` where all are known.
    pub fn trails_unread(&self, region: &str) -> Option<&Gap> {
        self.trails
            .gap()
            .or_else(|| self.trail_regions.get(region)?.gap())
    }
}

/// Whether a region takes part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegionState {
    /// On, and looked at.
    #[default]
    Enabled,
    /// The account has not opted in: nothing can run there.
    Off,
    /// On, but the user left it out of the scan.
    NotAsked,
}

/// One region of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Region {
    /// Whether it takes part.
    pub state: RegionState,
    /// Functions by name.
    pub functions: Observed<BTreeMap<String, Function>>,
    /// GuardDuty detectors by id; at most one. Absent or empty: off.
    pub guardduty: Observed<BTreeMap<String, Detector>>,
    /// Inspector. Absent: never enabled.
    pub inspector: Observed<Inspector>,
    /// Config.
    pub config: Observed<ConfigService>,
    /// Config aggregators by name. Absent: none, or not an account that administers Config for
    /// the organization.
    #[serde(skip_serializing_if = "Observed::is_absent")]
    pub config_aggregators: Observed<BTreeMap<String, Aggregator>>,
    /// Security Hub. Absent: not enabled.
    pub security_hub: Observed<SecurityHub>,
    /// Security Hub's newer edition: the hub's ARN. Absent: not enabled.
    pub security_hub_v2: Observed<Arn>,
    /// Macie. Absent: not enabled.
    pub macie: Observed<Macie>,
    /// Access Analyzer analyzers by name.
    pub analyzers: Observed<BTreeMap<String, AnalyzerState>>,
    /// Event buses by name.
    pub buses: Observed<BTreeMap<String, Bus>>,
    /// SNS topics by ARN.
    pub topics: Observed<BTreeMap<Arn, Topic>>,
    /// Metric alarms by name.
    pub alarms: Observed<BTreeMap<String, Alarm>>,
    /// Metric filters, sorted.
    pub metric_filters: Observed<Vec<MetricFilter>>,
    /// Resources of every other service by kind, such as `glue.job`, then by name.
    /// A kind that is not in the map was not collected: unknown.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, Observed<BTreeMap<String, Resource>>>,
}

impl Region {
    /// A region in which nothing has been read yet.
    pub fn unread() -> Self {
        Region {
            state: RegionState::Enabled,
            functions: Observed::not_collected("lambda:ListFunctions"),
            guardduty: Observed::not_collected("guardduty:ListDetectors"),
            inspector: Observed::not_collected("inspector2:BatchGetAccountStatus"),
            config: Observed::not_collected("config:DescribeConfigurationRecorders"),
            config_aggregators: Observed::Absent,
            security_hub: Observed::not_collected("securityhub:DescribeHub"),
            security_hub_v2: Observed::not_collected("securityhub:DescribeSecurityHubV2"),
            macie: Observed::not_collected("macie2:GetMacieSession"),
            analyzers: Observed::not_collected("access-analyzer:ListAnalyzers"),
            buses: Observed::not_collected("events:ListEventBuses"),
            topics: Observed::not_collected("sns:ListTopics"),
            alarms: Observed::not_collected("cloudwatch:DescribeAlarms"),
            metric_filters: Observed::not_collected("logs:DescribeMetricFilters"),
            resources: BTreeMap::new(),
        }
    }

    /// A region of an account that could not be entered: every fact is the same gap.
    pub fn failed(gap: &Gap) -> Self {
        Region {
            state: RegionState::Enabled,
            functions: gap.clone().into(),
            guardduty: gap.clone().into(),
            inspector: gap.clone().into(),
            config: gap.clone().into(),
            config_aggregators: Observed::Absent,
            security_hub: gap.clone().into(),
            security_hub_v2: gap.clone().into(),
            macie: gap.clone().into(),
            analyzers: gap.clone().into(),
            buses: gap.clone().into(),
            topics: gap.clone().into(),
            alarms: gap.clone().into(),
            metric_filters: gap.clone().into(),
            resources: BTreeMap::new(),
        }
    }

    /// What is known of the resources of that kind here. A kind that is not in
    /// [`resources`](Self::resources) was not collected, unless the region is off.
    pub fn listed(&self, kind: &str) -> Listed<'_> {
        match self.state {
            RegionState::Off => Listed::None,
            RegionState::Enabled | RegionState::NotAsked => Listed::of(&self.resources, kind),
        }
    }

    /// A region that was not looked at, and why.
    pub fn left_out(state: RegionState) -> Self {
        Region {
            state,
            ..Region::unread()
        }
    }
}
