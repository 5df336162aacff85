//! What S3 may answer instead: nothing of it turns into "there is nothing".

use super::*;
use palisade_model::GapKind;

/// A bucket that answers every question of its configuration.
fn configured(ask: &Ask) -> Reply {
    const CALLS: [&str; 9] = [
        "policyStatus",
        "publicAccessBlock",
        "ownershipControls",
        "website",
        "requestPayment",
        "versioning",
        "encryption",
        "tagging",
        "acl",
    ];
    if ask.host.starts_with("s3.") {
        return Reply::xml(format!(
            "<ListAllMyBucketsResult><Buckets><Bucket><Name>{BUCKET}</Name>\
             <BucketRegion>{REGION}</BucketRegion></Bucket></Buckets></ListAllMyBucketsResult>"
        ));
    }
    if ask.has("policy") {
        return Reply::xml("{\"Statement\":[]}");
    }
    Reply::xml(match CALLS.into_iter().find(|call| ask.has(call)) {
        Some("policyStatus") => "<PolicyStatus><IsPublic>false</IsPublic></PolicyStatus>",
        Some("publicAccessBlock") => {
            "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>\
             <RestrictPublicBuckets>false</RestrictPublicBuckets>\
             </PublicAccessBlockConfiguration>"
        }
        Some("ownershipControls") => {
            "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule>\
             </OwnershipControls>"
        }
        Some("website") => {
            "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument>\
             </WebsiteConfiguration>"
        }
        Some("requestPayment") => {
            "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>"
        }
        Some("versioning") => {
            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        }
        Some("encryption") => {
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
             <SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>\
             </ServerSideEncryptionConfiguration>"
        }
        Some("tagging") => {
            "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
        }
        Some("acl") => {
            "<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList><Grant>\
             <Grantee><ID>you</ID></Grantee><Permission>READ</Permission></Grant>\
             </AccessControlList></AccessControlPolicy>"
        }
        _ => panic!("{ask:?}"),
    })
}

async fn bucket(served: &Served) -> Option<Bucket> {
    let visit = served.visit(Options::default());
    let buckets = crate::s3::buckets(&visit).await;
    buckets
        .value()
        .expect("buckets are listed")
        .get(BUCKET)
        .cloned()
}

fn facts(bucket: &Bucket) -> [(&'static str, Option<GapKind>); 10] {
    let kind = |gap: Option<&palisade_model::Gap>| gap.map(|gap| gap.kind);
    [
        ("policy", kind(bucket.policy.gap())),
        ("policyStatus", kind(bucket.policy_is_public.gap())),
        ("publicAccessBlock", kind(bucket.public_access_block.gap())),
        ("ownershipControls", kind(bucket.ownership.gap())),
        ("website", kind(bucket.website.gap())),
        ("requestPayment", kind(bucket.request_payer.gap())),
        ("versioning", kind(bucket.versioning.gap())),
        ("encryption", kind(bucket.encryption.gap())),
        ("tagging", kind(bucket.tags.gap())),
        ("acl", kind(bucket.acl.gap())),
    ]
}

#[tokio::test]
async fn a_refusal_of_any_one_call_is_a_gap_there_and_nowhere_else() {
    for (refused, _) in facts(&Bucket::default()) {
        let served = Served::by(move |ask| match ask.has(refused) {
            true => Reply::error(403, "AccessDenied"),
            false => configured(ask),
        });
        let bucket = bucket(&served).await.unwrap();
        for (call, gap) in facts(&bucket) {
            let expected = (call == refused).then_some(GapKind::Denied);
            assert_eq!(gap, expected, "{call} while {refused} is refused");
        }
    }
}

#[tokio::test]
async fn a_slow_down_is_waited_out() {
    let count = AtomicUsize::new(0);
    let served = Served::by(move |ask| match count.fetch_add(1, Ordering::SeqCst) % 3 {
        0 | 1 => Reply::error(503, "SlowDown"),
        _ => configured(ask),
    });
    let bucket = bucket(&served).await.unwrap();
    assert!(
        facts(&bucket).iter().all(|(_, gap)| gap.is_none()),
        "{bucket:?}"
    );
    let always = Served::by(|ask| match ask.host.starts_with("s3.") {
        true => configured(ask),
        false => Reply::error(503, "SlowDown"),
    });
    let bucket = self::bucket(&always).await.unwrap();
    assert!(
        facts(&bucket)
            .iter()
            .all(|(_, gap)| *gap == Some(GapKind::Throttled))
    );
}

#[tokio::test]
async fn a_bucket_is_followed_to_the_region_that_a_refusal_names() {
    for (status, code) in [
        (301, "PermanentRedirect"),
        (400, "AuthorizationHeaderMalformed"),
        (307, "TemporaryRedirect"),
        (400, "IllegalLocationConstraintException"),
    ] {
        let served = Served::by(move |ask| {
            if ask.host.starts_with("s3.") || ask.host.contains("ap-south-1") {
                return configured(ask);
            }
            Reply::error(status, code).with("x-amz-bucket-region", "ap-south-1")
        });
        let bucket = bucket(&served).await.unwrap();
        assert_eq!(bucket.region, "ap-south-1", "{code}");
        assert!(
            facts(&bucket).iter().all(|(_, gap)| gap.is_none()),
            "{code}: {bucket:?}"
        );
        assert_eq!(served.count(|ask| ask.has("location")), 0);
    }
}

#[tokio::test]
async fn a_bucket_that_is_gone_since_it_was_listed_is_left_out() {
    let served = Served::by(|ask| match ask.host.starts_with("s3.") {
        true => configured(ask),
        false => Reply::error(404, "NoSuchBucket"),
    });
    assert_eq!(bucket(&served).await, None);
}

#[tokio::test]
async fn an_access_list_without_an_owner_is_none() {
    let served = Served::by(|ask| match ask.has("acl") {
        true => Reply::xml("<AccessControlPolicy></AccessControlPolicy>"),
        false => configured(ask),
    });
    let bucket = bucket(&served).await.unwrap();
    assert_eq!(
        bucket.acl.gap().map(|gap| gap.kind),
        Some(GapKind::Unparsable)
    );
}

#[tokio::test]
async fn a_page_that_does_not_come_leaves_what_was_seen_and_a_gap() {
    let served = Served::by(|ask| match ask.text("continuation-token") {
        "" => Reply::xml(page(&[(".env", 3)], &[], Some("two"))),
        _ => Reply::error(403, "AccessDenied"),
    });
    let listing = listed(served.look(enforced(), Options::default()).await);
    assert!(!listing.complete);
    assert_eq!((listing.objects.len(), listing.gaps.len()), (1, 1));
    assert_eq!(listing.gaps[0].operation, "s3:ListObjectsV2");
    let nothing = Served::by(|_| Reply::error(403, "AccessDenied"));
    let outcome = nothing.look(enforced(), Options::default()).await;
    assert_eq!(outcome.gap().map(|gap| gap.kind), Some(GapKind::Denied));
}

#[tokio::test]
async fn a_listing_that_goes_in_circles_is_not_complete() {
    for token in [Some("same"), None] {
        let served = Served::by(move |_| {
            let body = page(&[(".env", 3)], &[], Some("same"));
            let whole = "<NextContinuationToken>same</NextContinuationToken>";
            Reply::xml(match token {
                Some(_) => body,
                None => body.replace(whole, ""),
            })
        });
        let listing = listed(served.look(enforced(), Options::default()).await);
        assert!(!listing.complete && listing.gaps.len() == 1, "{listing:?}");
    }
}

#[tokio::test]
async fn unread_versions_and_names_asked_for_in_vain_leave_gaps() {
    let served = Served::by(|ask| {
        if ask.has("versions") {
            return Reply::error(403, "AccessDenied");
        }
        let direct = !ask.text("prefix").is_empty();
        match (direct, ask.text("delimiter")) {
            (true, "/") => Reply::error(403, "AccessDenied"),
            (_, "/") => Reply::xml(page(&[], &[], None)),
            _ => {
                let token = ask.text("continuation-token").len();
                Reply::xml(page(
                    &[(&"x".repeat(token + 1), 1)],
                    &[],
                    Some(&"t".repeat(token + 1)),
                ))
            }
        }
    });
    let bucket = Bucket {
        versioning: Observed::Value("Enabled".to_owned()),
        ..enforced()
    };
    let options = Options {
        objects: ObjectOptions {
            max_pages: 30,
            ..ObjectOptions::default()
        },
        ..Options::default()
    };
    let listing = listed(served.look(bucket, options).await);
    let operations: Vec<&str> = listing
        .gaps
        .iter()
        .map(|gap| gap.operation.as_str())
        .collect();
    assert_eq!(operations, ["s3:ListObjectsV2", "s3:ListObjectVersions"]);
    assert!(!listing.complete);
}

#[tokio::test]
async fn unread_access_points_of_one_region_concern_that_region_alone() {
    let served = Served::by(|ask| {
        if ask.host.contains("eu-west-1") {
            return Reply::error(403, "AccessDenied");
        }
        if ask.key.contains("mrap") {
            return Reply::xml(
                "<ListMultiRegionAccessPointsResult><AccessPoints></AccessPoints>\
                 </ListMultiRegionAccessPointsResult>",
            );
        }
        Reply::xml(
            "<ListAccessPointsResult><AccessPointList></AccessPointList></ListAccessPointsResult>",
        )
    });
    let visit = served.visit(Options::default());
    let regions = ["eu-west-1".to_owned(), "eu-central-1".to_owned()];
    let (points, gaps) = crate::access_points::access_points(&visit, &regions).await;
    let s3 = S3 {
        access_points: points,
        access_point_gaps: gaps,
        ..S3::default()
    };
    assert_eq!(s3.access_points.value().map(BTreeMap::len), Some(0));
    assert_eq!(
        s3.access_point_gap("eu-west-1").map(|gap| gap.kind),
        Some(GapKind::Denied)
    );
    assert_eq!(s3.access_point_gap("eu-central-1"), None);
    let refused = Served::by(|_| Reply::error(403, "AccessDenied"));
    let visit = refused.visit(Options::default());
    let (points, gaps) = crate::access_points::access_points(&visit, &regions).await;
    assert!(points.gap().is_some() && gaps.is_empty());
}
