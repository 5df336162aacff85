//! S3: buckets, and which operation a method and a query mean.

use http::{Method, Request};
use palisade_model::{Acl, Bucket, Observed, PublicAccessBlock};
use serde_json::{Value, json};

use super::answer::{Answer, Reply, response};
use super::call::Call;
use super::failure::Failure;
use super::{Desk, Outcome, s3_listing, s3_objects};
use crate::world::canonical_user;

/// A bucket as a request meets it: its name, its owner, its facts.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) owner: &'a str,
    pub(super) bucket: &'a Bucket,
}

/// Sub-resources of a bucket, as the query names them.
const SETTINGS: [(&str, &str); 14] = [
    ("policy", "GetBucketPolicy"),
    ("policyStatus", "GetBucketPolicyStatus"),
    ("publicAccessBlock", "GetBucketPublicAccessBlock"),
    ("acl", "GetBucketAcl"),
    ("ownershipControls", "GetBucketOwnershipControls"),
    ("website", "GetBucketWebsite"),
    ("requestPayment", "GetBucketRequestPayment"),
    ("versioning", "GetBucketVersioning"),
    ("encryption", "GetBucketEncryption"),
    ("tagging", "GetBucketTagging"),
    ("location", "GetBucketLocation"),
    ("logging", "GetBucketLogging"),
    ("versions", "ListObjectVersions"),
    ("uploads", "ListMultipartUploads"),
];

/// The bucket and the key of a request, both empty where there is none.
fn names(call: &Call) -> (&str, &str) {
    let path = call.path.trim_start_matches('/');
    match &call.host_bucket {
        Some(bucket) => (bucket.as_str(), path),
        None => path.split_once('/').unwrap_or((path, "")),
    }
}

/// Names the operation, so that faults and refusals can speak of it.
pub(super) fn operation(call: &Call) -> String {
    let (bucket, key) = names(call);
    let has = |name: &str| call.input.contains_key(name);
    let head = call.method == Method::HEAD;
    if bucket.is_empty() {
        return "ListBuckets".to_owned();
    }
    if !key.is_empty() {
        return match (head, has("acl"), has("tagging")) {
            (true, _, _) => "HeadObject",
            (_, true, _) => "GetObjectAcl",
            (_, _, true) => "GetObjectTagging",
            _ => "GetObject",
        }
        .to_owned();
    }
    if head {
        return "HeadBucket".to_owned();
    }
    match SETTINGS.iter().find(|(name, _)| has(name)) {
        Some((_, operation)) => (*operation).to_owned(),
        None if call.text("list-type").as_deref() == Some("2") => "ListObjectsV2".to_owned(),
        None => "ListObjects".to_owned(),
    }
}

pub(super) fn answer(desk: &Desk<'_>, request: &Request<Vec<u8>>) -> Outcome<Reply> {
    let call = desk.call;
    let (name, key) = names(call);
    if !matches!(call.method, Method::GET | Method::HEAD) {
        return Err(Failure::new(
            405,
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        ));
    }
    if name.is_empty() {
        return list_buckets(desk).map(Reply::from);
    }
    let place = find(desk, name)?;
    enter(desk, request, &place, key)?;
    let place = &place;
    match call.operation.as_str() {
        "HeadBucket" => Ok(head_bucket(place)),
        "ListObjectsV2" | "ListObjects" | "ListObjectVersions" => {
            s3_listing::answer(desk, place).map(Reply::from)
        }
        _ if !key.is_empty() => s3_objects::answer(desk, request, place, key),
        _ => setting(desk, place),
    }
}

fn find<'a>(desk: &Desk<'a>, name: &'a str) -> Outcome<Place<'a>> {
    for (owner, account) in &desk.world.snapshot.accounts {
        if let Some(bucket) = account.s3.buckets.value().and_then(|all| all.get(name)) {
            return Ok(Place {
                name,
                owner,
                bucket,
            });
        }
    }
    Err(
        Failure::new(404, "NoSuchBucket", "The specified bucket does not exist")
            .with("BucketName", name),
    )
}

/// What stands before every request about a bucket: its region, its owner, and strangers.
fn enter(desk: &Desk<'_>, request: &Request<Vec<u8>>, place: &Place<'_>, key: &str) -> Outcome<()> {
    let call = desk.call;
    let region = place.bucket.region.as_str();
    if call.signed && !region.is_empty() && call.region != region {
        let moved = match call.operation.as_str() {
            "GetBucketLocation" => return Ok(()),
            _ => Failure::new(
                301,
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified \
                 endpoint. Please send all future requests to this endpoint.",
            ),
        };
        let suffix = call.partition.dns_suffix();
        return Err(moved
            .with("Endpoint", format!("{}.s3.{region}.{suffix}", place.name))
            .with("Bucket", place.name)
            .header("x-amz-bucket-region", region));
    }
    let expected = request.headers().get("x-amz-expected-bucket-owner");
    let expected = expected.and_then(|owner| owner.to_str().ok());
    if expected.is_some_and(|owner| owner != place.owner) {
        return Err(denied());
    }
    if call.signed && call.account == place.owner {
        return Ok(());
    }
    let reads = key.is_empty() && call.operation.starts_with("ListObject")
        || call.operation == "GetObject"
        || call.operation == "HeadObject";
    match reads && stranger_reads(desk, place, key) {
        true => Ok(()),
        false => Err(denied()),
    }
}

pub(super) fn denied() -> Failure {
    Failure::new(403, "AccessDenied", "Access Denied")
}

/// Whether somebody from outside may list or read: what S3 calls a public policy that no block
/// holds back and that names the action. Requester-pays buckets turn the unsigned away.
fn stranger_reads(desk: &Desk<'_>, place: &Place<'_>, key: &str) -> bool {
    let bucket = place.bucket;
    let account = desk.world.snapshot.accounts.get(place.owner);
    let block = |fact: &Observed<PublicAccessBlock>| fact.value().copied().unwrap_or_default();
    let above = account.map(|account| block(&account.s3.public_access_block));
    let flags = block(&bucket.public_access_block).or(above.unwrap_or_default());
    let pays = bucket
        .request_payer
        .value()
        .is_some_and(|payer| payer == "Requester");
    if flags.restrict_public_buckets || (pays && !desk.call.signed) {
        return false;
    }
    let policy = bucket
        .policy
        .value()
        .map(palisade_model::PolicyText::as_str);
    let policy: Value = policy
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let wanted = match key.is_empty() {
        true => ["s3:ListBucket", "s3:List*", "s3:*", "*"],
        false => ["s3:GetObject", "s3:Get*", "s3:*", "*"],
    };
    let one = std::slice::from_ref(&policy["Statement"]);
    let statements = policy["Statement"].as_array().map_or(one, Vec::as_slice);
    statements.iter().any(|statement| {
        let everybody = statement["Principal"] == "*" || statement["Principal"]["AWS"] == "*";
        let action = match &statement["Action"] {
            Value::Array(list) => list.iter().any(|one| wanted.iter().any(|want| one == want)),
            one => wanted.iter().any(|want| one == want),
        };
        statement["Effect"] == "Allow"
            && everybody
            && action
            && statement.get("Condition").is_none()
    })
}

fn list_buckets(desk: &Desk<'_>) -> Outcome {
    let account = desk.home()?;
    let wanted = desk.call.text("bucket-region");
    let prefix = desk.call.text("prefix").unwrap_or_default();
    let buckets = desk
        .fact(&account.s3.buckets)?
        .into_iter()
        .flatten()
        .filter(|(name, bucket)| {
            name.starts_with(&prefix) && wanted.as_ref().is_none_or(|one| *one == bucket.region)
        })
        .map(|(name, bucket)| {
            let created = bucket.created.unwrap_or(desk.world.snapshot.taken_at);
            json!({
                "Name": name,
                "CreationDate": s3_time(created),
                "BucketRegion": bucket.region,
            })
        })
        .collect::<Vec<_>>();
    let owner = json!({"ID": canonical_user(&desk.call.account)});
    // Without max-buckets the answer holds them all, and does not say in which region.
    let (buckets, next) = match desk.call.number("max-buckets") {
        Some(_) => {
            let page = desk.page(buckets, "continuation-token", "max-buckets")?;
            (page.items, page.next)
        }
        None => (buckets, None),
    };
    Ok(Answer::xml(
        "ListAllMyBucketsResult",
        json!({"Owner": owner, "Buckets": {"Bucket": buckets}, "ContinuationToken": next}),
    ))
}

pub(super) fn s3_time(time: palisade_model::Time) -> String {
    time.to_string().replace('Z', ".000Z")
}

fn head_bucket(place: &Place<'_>) -> Reply {
    let mut head = response(200, "application/xml", Vec::new());
    if let Ok(region) = place.bucket.region.parse() {
        head.headers_mut().insert("x-amz-bucket-region", region);
    }
    Reply::Http(head)
}

/// Everything that a query names about a bucket.
fn setting(desk: &Desk<'_>, place: &Place<'_>) -> Outcome<Reply> {
    let bucket = place.bucket;
    let none = |code: &str, message: &str| {
        Err(Failure::new(404, code, message).with("BucketName", place.name))
    };
    let answer = match desk.call.operation.as_str() {
        "GetBucketPolicy" => match desk.fact(&bucket.policy)? {
            Some(text) => {
                let body = text.as_str().as_bytes().to_vec();
                return Ok(Reply::Http(response(200, "application/json", body)));
            }
            None => return none("NoSuchBucketPolicy", "The bucket policy does not exist"),
        },
        "GetBucketPolicyStatus" => match (desk.fact(&bucket.policy_is_public)?, &bucket.policy) {
            (Some(public), policy) if !policy.is_absent() => {
                Answer::xml("PolicyStatus", json!({ "IsPublic": public }))
            }
            _ => return none("NoSuchBucketPolicy", "The bucket policy does not exist"),
        },
        "GetBucketPublicAccessBlock" => match desk.fact(&bucket.public_access_block)? {
            Some(block) => Answer::xml("PublicAccessBlockConfiguration", flags(block)),
            None => {
                return none(
                    "NoSuchPublicAccessBlockConfiguration",
                    "The public access block configuration was not found",
                );
            }
        },
        "GetBucketAcl" => access_control(desk, place.owner, &bucket.acl)?,
        "GetBucketOwnershipControls" => match desk.fact(&bucket.ownership)? {
            Some(rule) => Answer::xml(
                "OwnershipControls",
                json!({"Rule": {"ObjectOwnership": rule}}),
            ),
            None => {
                return none(
                    "OwnershipControlsNotFoundError",
                    "The bucket ownership controls were not found",
                );
            }
        },
        "GetBucketWebsite" => match desk.fact(&bucket.website)? {
            Some(site) if site.redirect_to.is_empty() => Answer::xml(
                "WebsiteConfiguration",
                json!({"IndexDocument": {"Suffix": site.index}}),
            ),
            Some(site) => Answer::xml(
                "WebsiteConfiguration",
                json!({"RedirectAllRequestsTo": {"HostName": site.redirect_to}}),
            ),
            None => {
                return none(
                    "NoSuchWebsiteConfiguration",
                    "The specified bucket does not have a website configuration",
                );
            }
        },
        "GetBucketRequestPayment" => {
            let payer = desk
                .fact(&bucket.request_payer)?
                .map_or("BucketOwner", String::as_str);
            Answer::xml("RequestPaymentConfiguration", json!({ "Payer": payer }))
        }
        "GetBucketVersioning" => {
            let status = desk.fact(&bucket.versioning)?;
            Answer::xml("VersioningConfiguration", json!({ "Status": status }))
        }
        "GetBucketEncryption" => match desk.fact(&bucket.encryption)? {
            Some(algorithm) => {
                let key = desk.fact(&bucket.kms_key)?;
                let default = json!({"SSEAlgorithm": algorithm, "KMSMasterKeyID": key});
                let rule = json!({
                    "ApplyServerSideEncryptionByDefault": default,
                    "BucketKeyEnabled": false,
                });
                Answer::xml("ServerSideEncryptionConfiguration", json!({ "Rule": rule }))
            }
            None => {
                return none(
                    "ServerSideEncryptionConfigurationNotFoundError",
                    "The server side encryption configuration was not found",
                );
            }
        },
        "GetBucketTagging" => match desk.fact(&bucket.tags)? {
            Some(tags) if !tags.is_empty() => {
                let tags: Vec<_> = tags
                    .iter()
                    .map(|(k, v)| json!({"Key": k, "Value": v}))
                    .collect();
                Answer::xml("Tagging", json!({"TagSet": {"Tag": tags}}))
            }
            _ => return none("NoSuchTagSet", "The TagSet does not exist"),
        },
        "GetBucketLocation" => {
            let place = match bucket.region.as_str() {
                "us-east-1" => json!({}),
                region => json!({ "#": region }),
            };
            Answer::xml("LocationConstraint", place)
        }
        "GetBucketLogging" => Answer::xml("BucketLoggingStatus", json!({})),
        _ => return Err(desk.unknown()),
    };
    Ok(answer.into())
}

pub(super) fn flags(block: &PublicAccessBlock) -> Value {
    json!({
        "BlockPublicAcls": block.block_public_acls,
        "IgnorePublicAcls": block.ignore_public_acls,
        "BlockPublicPolicy": block.block_public_policy,
        "RestrictPublicBuckets": block.restrict_public_buckets,
    })
}

/// An ACL; where the world has none, the owner's full control.
pub(super) fn access_control(desk: &Desk<'_>, owner: &str, acl: &Observed<Acl>) -> Outcome {
    let user = |id: &str| {
        json!({
            "@xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "@xsi:type": "CanonicalUser",
            "ID": id,
        })
    };
    let own = canonical_user(owner);
    let (id, grants) = match desk.fact(acl)? {
        Some(acl) => (acl.owner.clone(), acl.grants.clone()),
        None => {
            let full = palisade_model::Grant {
                grantee: own.clone(),
                permission: "FULL_CONTROL".to_owned(),
            };
            (own, vec![full])
        }
    };
    let grants: Vec<Value> = grants
        .iter()
        .map(|grant| {
            let mut grantee = user(&grant.grantee);
            if grant.grantee.starts_with("http") {
                grantee = json!({
                    "@xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
                    "@xsi:type": "Group",
                    "URI": grant.grantee,
                });
            } else if grant.grantee.contains('@') {
                grantee = json!({
                    "@xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
                    "@xsi:type": "AmazonCustomerByEmail",
                    "EmailAddress": grant.grantee,
                });
            }
            json!({"Grantee": grantee, "Permission": grant.permission})
        })
        .collect();
    Ok(Answer::xml(
        "AccessControlPolicy",
        json!({"Owner": {"ID": id}, "AccessControlList": {"Grant": grants}}),
    ))
}
