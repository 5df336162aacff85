//! One account: its global services, each of its regions, and what ties them together.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_model::{Account, Iam, Observed, Per, Region, RegionState, S3};

use crate::access_points::{access_points, public_access_block};
use crate::cloudtrail::{Trails, trails};
use crate::config_service::{aggregators, config};
use crate::engine::{Place, Visit};
use crate::events::{alarms, buses, metric_filters, topics};
use crate::guardduty::detectors;
use crate::hearers::look_closer;
use crate::iam::iam;
use crate::inspector::inspector;
use crate::lambda::functions;
use crate::listings::{failed, resources};
use crate::listings_roles::resolve_roles;
use crate::objects::objects;
use crate::regions::regions;
use crate::s3::buckets;
use crate::security_hub::{analyzers, macie, security_hub, security_hub_v2};
use crate::shield::{firewall_manager, shield};
use crate::tasks::{collector_failed, contained, guarded};

/// Reads the account. Regions in `done` were read before and stand.
pub(crate) async fn account(visit: Arc<Visit>, done: BTreeMap<String, Region>) -> Account {
    visit.announce(Per::Account, "");
    let listed = regions(&visit).await;
    let on: Vec<String> = listed
        .states
        .iter()
        .filter(|(_, state)| **state == RegionState::Enabled)
        .map(|(name, _)| name.clone())
        .collect();
    for region in on.iter().filter(|name| !done.contains_key(*name)) {
        visit.announce(Per::Region, region);
    }
    let home = visit.home();
    let (iam, s3, trails, shield, firewall_manager, mut regions, mut global) = tokio::join!(
        async { contained(iam(&home)).await.unwrap_or_else(Iam::unread) },
        async { contained(s3(&visit, &on)).await.unwrap_or_else(S3::unread) },
        async {
            contained(trails(&visit, &on))
                .await
                .unwrap_or_else(Trails::failed)
        },
        guarded("shield:GetSubscriptionState", shield(&home)),
        guarded("fms:GetAdminAccount", firewall_manager(&home)),
        Box::pin(all_regions(&visit, listed.states, done)),
        async {
            let kinds = contained(resources(&home, true)).await;
            kinds.unwrap_or_else(|| failed(true))
        },
    );
    visit.spare();
    let kinds = regions.values_mut().map(|region| &mut region.resources);
    resolve_roles(&iam, kinds.chain([&mut global]));
    Account {
        iam,
        s3,
        trails: trails.found,
        trail_regions: trails.unread,
        shield,
        firewall_manager,
        regions: Observed::Value(regions),
        regions_gap: listed.gap,
        resources: global,
    }
}

async fn s3(visit: &Arc<Visit>, regions: &[String]) -> S3 {
    let points = async {
        let nothing = || {
            (
                Observed::from(collector_failed("s3:ListAccessPoints")),
                BTreeMap::new(),
            )
        };
        contained(access_points(visit, regions))
            .await
            .unwrap_or_else(nothing)
    };
    let (public_access_block, buckets, (access_points, access_point_gaps)) = tokio::join!(
        guarded("s3:GetAccountPublicAccessBlock", public_access_block(visit)),
        guarded("s3:ListBuckets", buckets(visit)),
        points,
    );
    let mut s3 = S3 {
        public_access_block,
        buckets,
        access_points,
        access_point_gaps,
    };
    objects(visit, &mut s3).await;
    s3
}

async fn all_regions(
    visit: &Arc<Visit>,
    states: BTreeMap<String, RegionState>,
    mut done: BTreeMap<String, Region>,
) -> BTreeMap<String, Region> {
    let mut tasks = Vec::new();
    let mut read = BTreeMap::new();
    for (name, state) in states {
        match (state, done.remove(&name)) {
            (RegionState::Enabled, Some(region)) => {
                read.insert(name, region);
            }
            (RegionState::Enabled, None) => {
                let place = visit.place(&name);
                tasks.push((
                    name,
                    tokio::spawn(async move { Box::pin(region(&place)).await }),
                ));
            }
            (state, _) => {
                read.insert(name, Region::left_out(state));
            }
        }
    }
    for (name, task) in tasks {
        // A region whose task failed stays unread.
        let region = task.await.unwrap_or_else(|_| Region::unread());
        read.insert(name, region);
    }
    read
}

async fn region(place: &Place) -> Region {
    let services = async {
        tokio::join!(
            guarded("lambda:ListFunctions", functions(place)),
            guarded("guardduty:ListDetectors", detectors(place)),
            guarded("inspector2:BatchGetAccountStatus", inspector(place)),
            guarded("config:DescribeConfigurationRecorders", config(place)),
            guarded("securityhub:DescribeHub", security_hub(place)),
            guarded("securityhub:DescribeSecurityHubV2", security_hub_v2(place)),
            guarded("macie2:GetMacieSession", macie(place)),
            guarded("access-analyzer:ListAnalyzers", analyzers(place)),
            guarded(
                "config:DescribeConfigurationAggregators",
                aggregators(place)
            ),
        )
    };
    let alarm = async {
        tokio::join!(
            guarded("events:ListEventBuses", buses(place)),
            guarded("sns:ListTopics", topics(place)),
            guarded("cloudwatch:DescribeAlarms", alarms(place)),
            guarded("logs:DescribeMetricFilters", metric_filters(place)),
        )
    };
    let resources = async {
        let kinds = contained(resources(place, false)).await;
        kinds.unwrap_or_else(|| failed(false))
    };
    let (services, alarm, resources) = tokio::join!(services, alarm, resources);
    let (functions, guardduty, inspector, config, hub, hub_v2, macie, analyzers, aggregators) =
        services;
    let (buses, topics, alarms, metric_filters) = alarm;
    let mut region = Region {
        state: RegionState::Enabled,
        functions,
        guardduty,
        inspector,
        config,
        config_aggregators: aggregators,
        security_hub: hub,
        security_hub_v2: hub_v2,
        macie,
        analyzers,
        buses,
        topics,
        alarms,
        metric_filters,
        resources,
    };
    look_closer(place, &mut region).await;
    region
}
