//! S3's control plane: the account's block, access points.

use palisade_model::{AccessPoint, Arn};
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::s3::{flags, s3_time};
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    // The account in the request must be the caller's own.
    if desk
        .call
        .text("AccountId")
        .is_some_and(|id| id != desk.call.account)
    {
        return Err(Failure::new(403, "AccessDenied", "Access Denied"));
    }
    let s3 = &desk.home()?.s3;
    let by_policy = desk.call.flag("Policy").unwrap_or_default();
    match desk.call.operation.as_str() {
        "GetPublicAccessBlock" => match desk.fact(&s3.public_access_block)? {
            Some(block) => Ok(Answer::xml("PublicAccessBlockConfiguration", flags(block))),
            None => Err(Failure::new(
                404,
                "NoSuchPublicAccessBlockConfiguration",
                "The public access block configuration was not found",
            )),
        },
        "ListAccessPoints" => list(desk),
        "GetAccessPoint" => {
            let (arn, point) = one(desk, false)?;
            Ok(Answer::xml(
                "GetAccessPointResult",
                shown(desk, arn, point, true)?,
            ))
        }
        "GetAccessPointPolicy" => {
            let (_, point) = one(desk, false)?;
            policy(desk, point, "GetAccessPointPolicyResult")
        }
        "GetAccessPointPolicyStatus" => {
            let (_, point) = one(desk, false)?;
            match desk.fact(&point.policy)? {
                Some(_) => Ok(Answer::xml(
                    "GetAccessPointPolicyStatusResult",
                    json!({"PolicyStatus": {"IsPublic": false}}),
                )),
                None => Err(no_policy()),
            }
        }
        "ListMultiRegionAccessPoints" => list_multi(desk),
        "GetMultiRegionAccessPoint" if by_policy => {
            let (_, point) = one(desk, true)?;
            match desk.fact(&point.policy)? {
                Some(text) => Ok(Answer::xml(
                    "GetMultiRegionAccessPointPolicyResult",
                    json!({"Policy": {"Established": {"Policy": text.as_str()}}}),
                )),
                None => Err(no_policy()),
            }
        }
        "GetMultiRegionAccessPoint" => {
            let (_, point) = one(desk, true)?;
            Ok(Answer::xml(
                "GetMultiRegionAccessPointResult",
                json!({"AccessPoint": multi(desk, point)?}),
            ))
        }
        _ => Err(desk.unknown()),
    }
}

fn no_policy() -> Failure {
    Failure::new(
        404,
        "NoSuchAccessPointPolicy",
        "The access point policy was not found",
    )
}

fn policy(desk: &Desk<'_>, point: &AccessPoint, root: &'static str) -> Outcome {
    match desk.fact(&point.policy)? {
        Some(text) => Ok(Answer::xml(root, json!({ "Policy": text.as_str() }))),
        None => Err(no_policy()),
    }
}

/// The access points of the account that are, or are not, multi-region ones.
fn points<'a>(desk: &Desk<'a>, multi: bool) -> Outcome<Vec<(&'a Arn, &'a AccessPoint)>> {
    let points = desk.fact(&desk.home()?.s3.access_points)?;
    let region = &desk.call.region;
    Ok(points
        .into_iter()
        .flatten()
        .filter(|(arn, point)| point.multi_region == multi && (multi || arn.region() == region))
        .collect())
}

fn one<'a>(desk: &Desk<'a>, multi: bool) -> Outcome<(&'a Arn, &'a AccessPoint)> {
    let name = desk.call.need("Name")?;
    let name = name.rsplit('/').next().unwrap_or(&name);
    points(desk, multi)?
        .into_iter()
        .find(|(_, point)| point.name == name)
        .ok_or_else(|| {
            let code = match multi {
                true => "NoSuchMultiRegionAccessPoint",
                false => "NoSuchAccessPoint",
            };
            Failure::new(404, code, "The specified access point does not exist")
        })
}

fn shown(desk: &Desk<'_>, arn: &Arn, point: &AccessPoint, whole: bool) -> Outcome<Value> {
    let origin = match point.vpc.is_empty() {
        true => "Internet",
        false => "VPC",
    };
    let vpc = (!point.vpc.is_empty()).then(|| json!({"VpcId": point.vpc}));
    let owner = point
        .bucket_account
        .clone()
        .unwrap_or_else(|| desk.call.account.clone());
    let mut value = json!({
        "Name": point.name,
        "NetworkOrigin": origin,
        "VpcConfiguration": vpc,
        "Bucket": point.buckets.first(),
        "AccessPointArn": arn,
        "Alias": point.alias,
        "BucketAccountId": owner,
    });
    if whole {
        let block = desk
            .fact(&point.public_access_block)?
            .copied()
            .unwrap_or_default();
        value["PublicAccessBlockConfiguration"] = flags(&block);
        value["CreationDate"] = s3_time(desk.world.snapshot.taken_at).into();
    }
    Ok(value)
}

fn list(desk: &Desk<'_>) -> Outcome {
    let bucket = desk.call.text("bucket");
    let mut all = Vec::new();
    for (arn, point) in points(desk, false)? {
        if bucket
            .as_ref()
            .is_none_or(|bucket| point.buckets.contains(bucket))
        {
            all.push(shown(desk, arn, point, false)?);
        }
    }
    let page = desk.page(all, "nextToken", "maxResults")?;
    Ok(Answer::xml(
        "ListAccessPointsResult",
        json!({"AccessPointList": {"AccessPoint": page.items}, "NextToken": page.next}),
    ))
}

fn multi(desk: &Desk<'_>, point: &AccessPoint) -> Outcome<Value> {
    let block = desk
        .fact(&point.public_access_block)?
        .copied()
        .unwrap_or_default();
    let account = desk.home()?;
    let regions: Vec<Value> = point
        .buckets
        .iter()
        .map(|bucket| {
            let known = account.s3.buckets.value().and_then(|all| all.get(bucket));
            json!({
                "Bucket": bucket,
                "Region": known.map_or("", |bucket| bucket.region.as_str()),
                "BucketAccountId": desk.call.account,
            })
        })
        .collect();
    Ok(json!({
        "Name": point.name,
        "Alias": point.alias,
        "CreatedAt": s3_time(desk.world.snapshot.taken_at),
        "PublicAccessBlock": flags(&block),
        "Status": "READY",
        "Regions": {"Region": regions},
    }))
}

/// Multi-region access points are told in one region only.
/// Source: "Multi-Region Access Point restrictions and limitations", S3 User Guide.
fn list_multi(desk: &Desk<'_>) -> Outcome {
    if desk.call.region != "us-west-2" {
        return Err(Failure::new(
            400,
            "InvalidRequest",
            "Multi-Region Access Point control plane requests are routed to us-west-2",
        ));
    }
    let mut all = Vec::new();
    for (_, point) in points(desk, true)? {
        all.push(multi(desk, point)?);
    }
    let page = desk.page(all, "nextToken", "maxResults")?;
    Ok(Answer::xml(
        "ListMultiRegionAccessPointsResult",
        json!({"AccessPoints": {"AccessPoint": page.items}, "NextToken": page.next}),
    ))
}
