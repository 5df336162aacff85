//! S3 Control: the account's public access block and its access points.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3control::Client;
use aws_sdk_s3control::types::PublicAccessBlockConfiguration;
use palisade_model::{
    AccessPoint, Arn, Gap, Observed, Partition, PolicyText, PublicAccessBlock, S3,
};

use crate::clients::{PlainHost, configure, endpoint};
use crate::engine::{Place, Visit};
use crate::s3::or_absent;
use crate::tasks::each;

/// Where multi-region access points are managed. Source: "Managing Multi-Region Access Points",
/// S3 User Guide.
const MULTI_REGION_HOME: &str = "us-west-2";

fn client(place: &Place) -> Client {
    let mut builder = configure!(aws_sdk_s3control, place, "s3");
    if endpoint(place.engine(), "s3").is_some() {
        builder = builder.interceptor(PlainHost);
    }
    Client::from_conf(builder.build())
}

fn block(block: PublicAccessBlockConfiguration) -> PublicAccessBlock {
    PublicAccessBlock {
        block_public_acls: block.block_public_acls.unwrap_or_default(),
        ignore_public_acls: block.ignore_public_acls.unwrap_or_default(),
        block_public_policy: block.block_public_policy.unwrap_or_default(),
        restrict_public_buckets: block.restrict_public_buckets.unwrap_or_default(),
    }
}

/// The account's own block, with the organization's folded in by S3.
pub(crate) async fn public_access_block(visit: &Arc<Visit>) -> Observed<PublicAccessBlock> {
    let home = visit.home();
    let client = client(&home);
    let answer = home.ask("s3:GetAccountPublicAccessBlock", || {
        client
            .get_public_access_block()
            .account_id(&visit.account)
            .send()
    });
    match answer.await {
        Observed::Value(answer) => or_absent(answer.public_access_block_configuration.map(block)),
        other => other.map(|_| PublicAccessBlock::default()),
    }
}

/// All access points, those of every region and those that span regions. A region that could not
/// be read is named beside the others: only buckets that lie there can have a door in it.
pub(crate) async fn access_points(
    visit: &Arc<Visit>,
    regions: &[String],
) -> (Observed<BTreeMap<Arn, AccessPoint>>, BTreeMap<String, Gap>) {
    let regional = each(regions.to_vec(), |region| async move {
        let found = of_region(visit, &visit.place(&region)).await;
        (region, found)
    });
    let (regional, multi_region) = tokio::join!(regional, multi_region(visit));
    let spanning = (S3::MULTI_REGION.to_owned(), multi_region);
    let (mut all, mut gaps, mut read) = (BTreeMap::new(), BTreeMap::new(), false);
    for (region, found) in regional.into_iter().chain([spanning]) {
        match found {
            Observed::Value(found) => {
                read = true;
                all.extend(found);
            }
            Observed::Absent | Observed::NotApplicable(_) => {}
            Observed::Gap(gap) => drop(gaps.insert(region, *gap)),
        }
    }
    match gaps.first_key_value() {
        Some((_, gap)) if !read => (gap.clone().into(), BTreeMap::new()),
        _ => (Observed::Value(all), gaps),
    }
}

type Found = Observed<Vec<(Arn, AccessPoint)>>;

async fn of_region(visit: &Arc<Visit>, place: &Place) -> Found {
    let client = client(place);
    let listed = place.pages(
        "s3:ListAccessPoints",
        |token| {
            client
                .list_access_points()
                .account_id(&visit.account)
                .set_next_token(token)
                .send()
        },
        |page| (page.access_point_list.unwrap_or_default(), page.next_token),
    );
    let listed = match listed.await {
        Observed::Value(listed) => listed,
        other => return other.map(|_| Vec::new()),
    };
    let client = &client;
    let read = each(listed, |entry| async move {
        let (detail, policy) = tokio::join!(
            place.ask("s3:GetAccessPoint", || {
                client
                    .get_access_point()
                    .account_id(&visit.account)
                    .name(&entry.name)
                    .send()
            }),
            place.ask("s3:GetAccessPointPolicy", || {
                client
                    .get_access_point_policy()
                    .account_id(&visit.account)
                    .name(&entry.name)
                    .send()
            }),
        );
        let arn = entry.access_point_arn.unwrap_or_else(|| {
            let (partition, region) = (visit.partition, &place.region);
            format!(
                "arn:{partition}:s3:{region}:{}:accesspoint/{}",
                visit.account, entry.name
            )
        });
        let point = AccessPoint {
            name: entry.name,
            buckets: vec![entry.bucket],
            bucket_account: entry
                .bucket_account_id
                .filter(|owner| *owner != visit.account),
            alias: entry.alias.unwrap_or_default(),
            vpc: entry
                .vpc_configuration
                .map(|vpc| vpc.vpc_id)
                .unwrap_or_default(),
            multi_region: false,
            public_access_block: match detail {
                Observed::Value(detail) => {
                    or_absent(detail.public_access_block_configuration.map(block))
                }
                other => other.map(|_| PublicAccessBlock::default()),
            },
            policy: match policy {
                Observed::Value(answer) => or_absent(answer.policy.map(PolicyText::new)),
                other => other.map(|_| PolicyText::default()),
            },
        };
        (Arn::from(arn), point)
    });
    Observed::Value(read.await)
}

async fn multi_region(visit: &Arc<Visit>) -> Found {
    if visit.partition != Partition::Aws {
        return Observed::Absent;
    }
    let place = visit.place(MULTI_REGION_HOME);
    let place = place.as_ref();
    let client = client(place);
    let listed = place.pages(
        "s3:ListMultiRegionAccessPoints",
        |token| {
            client
                .list_multi_region_access_points()
                .account_id(&visit.account)
                .set_next_token(token)
                .send()
        },
        |page| (page.access_points.unwrap_or_default(), page.next_token),
    );
    let listed = match listed.await {
        Observed::Value(listed) => listed,
        other => return other.map(|_| Vec::new()),
    };
    let client = &client;
    let read = each(listed, |entry| async move {
        let name = entry.name.unwrap_or_default();
        let policy = place.ask("s3:GetMultiRegionAccessPointPolicy", || {
            client
                .get_multi_region_access_point_policy()
                .account_id(&visit.account)
                .name(&name)
                .send()
        });
        let policy = match policy.await {
            Observed::Value(answer) => {
                let established = answer.policy.and_then(|policy| policy.established);
                or_absent(
                    established
                        .and_then(|policy| policy.policy)
                        .map(PolicyText::new),
                )
            }
            other => other.map(|_| PolicyText::default()),
        };
        let alias = entry.alias.unwrap_or_default();
        let arn = format!(
            "arn:{}:s3::{}:accesspoint/{alias}",
            visit.partition, visit.account
        );
        let regions = entry.regions.unwrap_or_default();
        let mut buckets: Vec<String> = regions
            .into_iter()
            .filter_map(|region| region.bucket)
            .collect();
        buckets.sort();
        let point = AccessPoint {
            name,
            buckets,
            bucket_account: None,
            alias,
            vpc: String::new(),
            multi_region: true,
            public_access_block: or_absent(entry.public_access_block.map(block)),
            policy,
        };
        (Arn::from(arn), point)
    });
    Observed::Value(read.await)
}
