//! S3 of one account: its buckets and how each is configured.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use palisade_model::{
    Acl, Arn, Bucket, Gap, GapKind, Grant, Observed, PolicyText, PublicAccessBlock, Time, Website,
    Why,
};

use crate::clients::{configure, endpoint};
use crate::engine::{Place, Visit};
use crate::outcome::IN_REGION;
use crate::pages::half_a_row;
use crate::regions::is_asked;
use crate::tasks::each;

/// A client for the buckets of a region. An endpoint that stands in for AWS has one host for all
/// buckets, so their names go into the path there.
pub(crate) fn client(place: &Place) -> Client {
    let plain = endpoint(place.engine(), "s3").is_some();
    Client::from_conf(
        configure!(aws_sdk_s3, place, "s3")
            .force_path_style(plain)
            .build(),
    )
}

/// The account's buckets by name.
pub(crate) async fn buckets(visit: &Arc<Visit>) -> Observed<BTreeMap<String, Bucket>> {
    let home = visit.home();
    let place = home.as_ref();
    let client = client(place);
    let listed = place.pages(
        "s3:ListBuckets",
        |token| {
            client
                .list_buckets()
                .max_buckets(1_000)
                .set_continuation_token(token)
                .send()
        },
        |page| (page.buckets.unwrap_or_default(), page.continuation_token),
    );
    let listed = match listed.await {
        Observed::Value(listed) => listed,
        other => return other.map(|_| BTreeMap::new()),
    };
    if listed.iter().any(|entry| entry.name.is_none()) {
        let gap = Gap::new("s3:ListBuckets", GapKind::Unparsable);
        return Gap {
            message: "a bucket without a name was listed".to_owned(),
            ..gap
        }
        .into();
    }
    let read = each(listed, |entry| async move {
        let name = entry.name.unwrap_or_default();
        let created = entry.creation_date.map(|date| Time(date.secs()));
        let region = match entry.bucket_region {
            Some(region) => Observed::Value(region),
            None => location(visit, &name).await,
        };
        let bucket = bucket(visit, &name, created, region).await;
        bucket.map(|bucket| (name, bucket))
    });
    Observed::Value(read.await.into_iter().flatten().collect())
}

/// Where a bucket lies. Source: "GetBucketLocation", S3 API Reference: nothing stands for
/// us-east-1, `EU` for eu-west-1.
async fn location(visit: &Arc<Visit>, bucket: &str) -> Observed<String> {
    let home = visit.home();
    let client = client(&home);
    let answer = home.ask("s3:GetBucketLocation", || {
        client.get_bucket_location().bucket(bucket).send()
    });
    answer.await.map(|answer| {
        let constraint = answer.location_constraint;
        match constraint.as_ref().map(|constraint| constraint.as_str()) {
            None | Some("") => visit.partition.home_region().to_owned(),
            Some("EU") => "eu-west-1".to_owned(),
            Some(region) => region.to_owned(),
        }
    })
}

/// `None`: the bucket was deleted since it was listed.
async fn bucket(
    visit: &Arc<Visit>,
    name: &str,
    created: Option<Time>,
    region: Observed<String>,
) -> Option<Bucket> {
    let region = match region {
        Observed::Value(region) => region,
        other => {
            return Some(unread(String::new(), created, || {
                other.as_ref().map(|_| ())
            }));
        }
    };
    if !is_asked(&visit.engine.options, &region) {
        let left_out = || Observed::not_applicable(Why::NotAsked, "the region was left out");
        return Some(unread(region, created, left_out));
    }
    let read = configuration(visit, name, region, created).await;
    if failures(&read).any(|gap| gap.code == "NoSuchBucket") {
        return None;
    }
    let moved = failures(&read).find(|gap| ELSEWHERE.contains(&gap.code.as_str()));
    let Some(gap) = moved else {
        return Some(read);
    };
    let region = match told_region(gap) {
        Some(region) => Observed::Value(region),
        None => location(visit, name).await,
    };
    match region {
        Observed::Value(region) if region != read.region => {
            Some(configuration(visit, name, region, created).await)
        }
        _ => Some(read),
    }
}

/// Codes by which S3 says that a bucket lies in another region. Source: "Error responses",
/// Amazon S3 API Reference.
const ELSEWHERE: [&str; 5] = [
    "PermanentRedirect",
    "TemporaryRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "301",
];

/// What failed of a bucket's configuration: any one call may be the one that is let through.
fn failures(bucket: &Bucket) -> impl Iterator<Item = &Gap> {
    [
        bucket.policy.gap(),
        bucket.policy_is_public.gap(),
        bucket.public_access_block.gap(),
        bucket.acl.gap(),
        bucket.ownership.gap(),
        bucket.website.gap(),
        bucket.request_payer.gap(),
        bucket.versioning.gap(),
        bucket.encryption.gap(),
        bucket.tags.gap(),
    ]
    .into_iter()
    .flatten()
}

/// The region that S3 named in its refusal.
fn told_region(gap: &Gap) -> Option<String> {
    let (_, region) = gap.message.rsplit_once(IN_REGION)?;
    Some(region.trim_end_matches(')').to_owned())
}

/// A bucket about which only the list spoke.
fn unread(region: String, created: Option<Time>, why: impl Fn() -> Observed<()>) -> Bucket {
    Bucket {
        region,
        created,
        policy: why().map(|()| PolicyText::default()),
        policy_is_public: why().map(|()| false),
        public_access_block: why().map(|()| PublicAccessBlock::default()),
        acl: why().map(|()| Acl::default()),
        ownership: why().map(|()| String::new()),
        website: why().map(|()| Website::default()),
        request_payer: why().map(|()| String::new()),
        versioning: why().map(|()| String::new()),
        encryption: why().map(|()| String::new()),
        kms_key: why().map(|()| Arn::default()),
        tags: why().map(|()| BTreeMap::new()),
        objects: why().map(|()| palisade_model::ObjectListing::default()),
        proofs: Vec::new(),
    }
}

async fn configuration(
    visit: &Arc<Visit>,
    name: &str,
    region: String,
    created: Option<Time>,
) -> Bucket {
    let place = visit.place(&region);
    let asked = Asked {
        client: client(&place),
        place: &place,
        owner: &visit.account,
        name,
    };
    let (policy, is_public, block, acl, ownership, website, payer, versioning, encryption, tags) = tokio::join!(
        asked.policy(),
        asked.policy_is_public(),
        asked.public_access_block(),
        asked.acl(),
        asked.ownership(),
        asked.website(),
        asked.request_payer(),
        asked.versioning(),
        asked.encryption(),
        asked.tags(),
    );
    let (encryption, kms_key) = encryption;
    Bucket {
        region,
        created,
        policy,
        policy_is_public: is_public,
        public_access_block: block,
        acl,
        ownership,
        website,
        request_payer: payer,
        versioning,
        encryption,
        kms_key,
        tags,
        objects: Observed::not_collected("s3:ListObjectsV2"),
        proofs: Vec::new(),
    }
}

struct Asked<'a> {
    client: Client,
    place: &'a Place,
    owner: &'a str,
    name: &'a str,
}

/// Sends one configuration call for the bucket, bound to its owner.
macro_rules! get {
    ($self:ident, $operation:literal, $method:ident) => {
        $self
            .place
            .ask($operation, || {
                $self
                    .client
                    .$method()
                    .bucket($self.name)
                    .expected_bucket_owner($self.owner)
                    .send()
            })
            .await
    };
}

impl Asked<'_> {
    async fn policy(&self) -> Observed<PolicyText> {
        match get!(self, "s3:GetBucketPolicy", get_bucket_policy) {
            // The body is the policy itself: a page of something else must not pass for one.
            Observed::Value(answer) => match answer.policy {
                Some(text) if !is_json_object(&text) => {
                    Gap::new("s3:GetBucketPolicy", GapKind::Unparsable).into()
                }
                text => or_absent(text.map(PolicyText::new)),
            },
            other => other.map(|_| PolicyText::default()),
        }
    }

    async fn policy_is_public(&self) -> Observed<bool> {
        match get!(self, "s3:GetBucketPolicyStatus", get_bucket_policy_status) {
            Observed::Value(answer) => match answer.policy_status.and_then(|s| s.is_public) {
                Some(public) => Observed::Value(public),
                None => Gap::new("s3:GetBucketPolicyStatus", GapKind::Unparsable).into(),
            },
            other => other.map(|_| false),
        }
    }

    async fn public_access_block(&self) -> Observed<PublicAccessBlock> {
        match get!(
            self,
            "s3:GetBucketPublicAccessBlock",
            get_public_access_block
        ) {
            Observed::Value(answer) => {
                or_absent(answer.public_access_block_configuration.map(block))
            }
            other => other.map(|_| PublicAccessBlock::default()),
        }
    }

    async fn acl(&self) -> Observed<Acl> {
        match get!(self, "s3:GetBucketAcl", get_bucket_acl) {
            Observed::Value(answer) => acl("s3:GetBucketAcl", answer.owner, answer.grants),
            other => other.map(|_| Acl::default()),
        }
    }

    async fn ownership(&self) -> Observed<String> {
        match get!(
            self,
            "s3:GetBucketOwnershipControls",
            get_bucket_ownership_controls
        ) {
            Observed::Value(answer) => {
                let rules = answer.ownership_controls.map(|controls| controls.rules);
                let rule = rules.and_then(|rules| rules.into_iter().next());
                or_absent(rule.map(|rule| rule.object_ownership.as_str().to_owned()))
            }
            other => other.map(|_| String::new()),
        }
    }

    async fn website(&self) -> Observed<Website> {
        get!(self, "s3:GetBucketWebsite", get_bucket_website).map(|answer| Website {
            index: answer
                .index_document
                .map(|index| index.suffix)
                .unwrap_or_default(),
            redirect_to: answer
                .redirect_all_requests_to
                .map(|redirect| redirect.host_name)
                .unwrap_or_default(),
        })
    }

    async fn request_payer(&self) -> Observed<String> {
        match get!(
            self,
            "s3:GetBucketRequestPayment",
            get_bucket_request_payment
        ) {
            Observed::Value(answer) => or_absent(
                answer
                    .payer
                    .map(|payer| payer.as_str().to_owned())
                    .filter(|payer| payer != "BucketOwner"),
            ),
            other => other.map(|_| String::new()),
        }
    }

    async fn versioning(&self) -> Observed<String> {
        match get!(self, "s3:GetBucketVersioning", get_bucket_versioning) {
            Observed::Value(answer) => or_absent(answer.status.map(|s| s.as_str().to_owned())),
            other => other.map(|_| String::new()),
        }
    }

    async fn encryption(&self) -> (Observed<String>, Observed<Arn>) {
        let answer = get!(self, "s3:GetBucketEncryption", get_bucket_encryption);
        let default = answer.map(|answer| {
            let rules = answer
                .server_side_encryption_configuration
                .map(|all| all.rules);
            let rule = rules.and_then(|rules| rules.into_iter().next());
            rule.and_then(|rule| rule.apply_server_side_encryption_by_default)
        });
        match default {
            Observed::Value(Some(default)) => (
                Observed::Value(default.sse_algorithm.as_str().to_owned()),
                or_absent(default.kms_master_key_id.map(Arn::from)),
            ),
            Observed::Value(None) => (Observed::Absent, Observed::Absent),
            other => (
                other.as_ref().map(|_| String::new()),
                other.map(|_| Arn::default()),
            ),
        }
    }

    async fn tags(&self) -> Observed<BTreeMap<String, String>> {
        let answer = get!(self, "s3:GetBucketTagging", get_bucket_tagging);
        match answer {
            Observed::Value(answer) if answer.tag_set.is_empty() => Observed::Absent,
            answer => answer.map(|answer| {
                let tags = answer.tag_set.into_iter();
                tags.map(|tag| (tag.key, tag.value)).collect()
            }),
        }
    }
}

fn is_json_object(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// An answer that holds nothing says that there is nothing.
pub(crate) fn or_absent<T>(value: Option<T>) -> Observed<T> {
    match value {
        Some(value) => Observed::Value(value),
        None => Observed::Absent,
    }
}

fn block(block: PublicAccessBlockConfiguration) -> PublicAccessBlock {
    PublicAccessBlock {
        block_public_acls: block.block_public_acls.unwrap_or_default(),
        ignore_public_acls: block.ignore_public_acls.unwrap_or_default(),
        block_public_policy: block.block_public_policy.unwrap_or_default(),
        restrict_public_buckets: block.restrict_public_buckets.unwrap_or_default(),
    }
}

/// The owner's full control alone is what every list begins with: it reads as absent. A list
/// that names no owner is none.
pub(crate) fn acl(
    operation: &str,
    owner: Option<aws_sdk_s3::types::Owner>,
    grants: Option<Vec<aws_sdk_s3::types::Grant>>,
) -> Observed<Acl> {
    let Some(owner) = owner.and_then(|owner| owner.id) else {
        return Gap::new(operation, GapKind::Unparsable).into();
    };
    let read = |grant: aws_sdk_s3::types::Grant| {
        let grantee = grant.grantee?;
        Some(Grant {
            grantee: grantee.uri.or(grantee.id).or(grantee.email_address)?,
            permission: grant.permission?.as_str().to_owned(),
        })
    };
    let grants: Option<Vec<Grant>> = grants.unwrap_or_default().into_iter().map(read).collect();
    let Some(grants) = grants else {
        return half_a_row(operation).into();
    };
    let only_the_owner = grants
        .iter()
        .all(|grant| grant.grantee == owner && grant.permission == "FULL_CONTROL");
    if only_the_owner {
        Observed::Absent
    } else {
        Observed::Value(Acl { owner, grants })
    }
}
