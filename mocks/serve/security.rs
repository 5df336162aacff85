//! Inspector, Security Hub, Macie, Access Analyzer, Shield and Firewall Manager.

use palisade_model::Region;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    match desk.call.service.as_str() {
        "shield" => shield(desk),
        "fms" => firewall_manager(desk),
        service => {
            let region = desk.region()?;
            match service {
                "inspector2" => inspector(desk, region),
                "securityhub" => security_hub(desk, region),
                "macie2" => macie(desk, region),
                _ => analyzers(desk, region),
            }
        }
    }
}

/// Resource types in Inspector's answers, by their names in a snapshot.
const SCANNED: [(&str, &str); 5] = [
    ("ec2", "ec2"),
    ("ecr", "ecr"),
    ("lambda", "lambda"),
    ("lambda_code", "lambdaCode"),
    ("code_repository", "codeRepository"),
];

fn inspector(desk: &Desk<'_>, region: Option<&Region>) -> Outcome {
    let state = match region {
        Some(region) => desk.fact(&region.inspector)?,
        None => None,
    };
    let told = match state {
        Some(state) => desk.fact(&state.members)?,
        None => None,
    };
    match desk.call.operation.as_str() {
        "BatchGetAccountStatus" => {}
        "ListMembers" => {
            let members: Vec<Value> = told
                .into_iter()
                .flatten()
                .map(|(id, _)| json!({"accountId": id, "relationshipStatus": "ENABLED"}))
                .collect();
            return Ok(Answer::of(json!({ "members": members })));
        }
        _ => return Err(desk.unknown()),
    }
    let mut accounts = Vec::new();
    let mut failed = Vec::new();
    let mut wanted = desk.call.list("accountIds");
    if wanted.is_empty() {
        wanted.push(desk.call.account.clone());
    }
    for id in wanted {
        if let Some(status) = told.and_then(|told| told.get(&id)) {
            accounts.push(json!({"accountId": id, "state": {"status": status}}));
            continue;
        }
        if id != desk.call.account {
            failed.push(json!({
                "accountId": id,
                "errorCode": "ACCESS_DENIED",
                "errorMessage": "Invoking account does not have access to the account",
            }));
            continue;
        }
        let whole = state.map_or("DISABLED", |state| state.status.as_str());
        let mut resources = Map::new();
        for (name, shown) in SCANNED {
            let status = state.and_then(|state| state.resources.get(name));
            // Never enabled: the three that every answer holds are off.
            let status = match (state, status) {
                (_, Some(status)) => status.as_str(),
                (None, None) if ["ec2", "ecr", "lambda"].contains(&name) => "DISABLED",
                (_, None) => continue,
            };
            resources.insert(
                shown.to_owned(),
                json!({"status": status, "errorCode": "ALREADY_ENABLED", "errorMessage": ""}),
            );
        }
        accounts.push(json!({
            "accountId": id,
            "state": {"status": whole, "errorCode": "ALREADY_ENABLED", "errorMessage": ""},
            "resourceState": resources,
        }));
    }
    Ok(Answer::of(
        json!({"accounts": accounts, "failedAccounts": failed}),
    ))
}

fn security_hub(desk: &Desk<'_>, region: Option<&Region>) -> Outcome {
    let account = &desk.call.account;
    if desk.call.operation == "DescribeSecurityHubV2" {
        let hub = match region {
            Some(region) => desk.fact(&region.security_hub_v2)?,
            None => None,
        };
        return match hub {
            Some(arn) => Ok(Answer::of(
                json!({"HubV2Arn": arn, "SubscribedAt": since(desk)}),
            )),
            None => Err(Failure::new(
                404,
                "ResourceNotFoundException",
                format!("Account {account} is not subscribed to Security Hub V2"),
            )),
        };
    }
    let hub = match region {
        Some(region) => desk.fact(&region.security_hub)?,
        None => None,
    };
    let Some(hub) = hub else {
        return Err(Failure::new(
            401,
            "InvalidAccessException",
            format!("Account {account} is not subscribed to AWS Security Hub"),
        ));
    };
    match desk.call.operation.as_str() {
        "DescribeHub" => Ok(Answer::of(json!({
            "HubArn": hub.arn,
            "SubscribedAt": since(desk),
            "AutoEnableControls": hub.auto_enable_controls,
            "ControlFindingGenerator": "SECURITY_CONTROL",
        }))),
        "ListMembers" => {
            let members = desk.fact(&hub.members)?.into_iter().flatten();
            let all = members.map(|(id, status)| json!({"AccountId": id, "MemberStatus": status}));
            let page = desk.page(all.collect(), "NextToken", "MaxResults")?;
            Ok(Answer::of(
                json!({"Members": page.items, "NextToken": page.next}),
            ))
        }
        "DescribeOrganizationConfiguration" => {
            let enrols = desk.fact(&hub.auto_enable)?;
            Ok(Answer::of(json!({
                "AutoEnable": enrols,
                "MemberAccountLimitReached": false,
                "AutoEnableStandards": "DEFAULT",
                "OrganizationConfiguration": {"ConfigurationType": "LOCAL", "Status": "ENABLED"},
            })))
        }
        "GetEnabledStandards" => {
            let standards = desk.fact(&hub.standards)?.into_iter().flatten();
            let all = standards.map(|standard| {
                let name = standard.arn.as_str().split_once("standards/");
                let name = name.map_or("standard", |(_, name)| name);
                let region = &desk.call.region;
                let partition = desk.call.partition;
                json!({
                    "StandardsArn": standard.arn,
                    "StandardsSubscriptionArn":
                        format!("arn:{partition}:securityhub:{region}:{account}:subscription/{name}"),
                    "StandardsInput": {},
                    "StandardsStatus": standard.status,
                })
            });
            let page = desk.page(all.collect(), "NextToken", "MaxResults")?;
            Ok(Answer::of(json!({
                "StandardsSubscriptions": page.items,
                "NextToken": page.next,
            })))
        }
        _ => Err(desk.unknown()),
    }
}

/// When a service that does not say was switched on, as ISO 8601.
fn since(desk: &Desk<'_>) -> String {
    let taken = desk.world.snapshot.taken_at;
    palisade_model::Time(taken.0 - 30 * 86_400)
        .to_string()
        .replace('Z', ".000Z")
}

fn macie(desk: &Desk<'_>, region: Option<&Region>) -> Outcome {
    let session = match region {
        Some(region) => desk.fact(&region.macie)?,
        None => None,
    };
    let Some(session) = session else {
        return Err(Failure::new(
            403,
            "AccessDeniedException",
            "Macie is not enabled.",
        ));
    };
    let made = since(desk);
    match desk.call.operation.as_str() {
        "GetMacieSession" => Ok(Answer::of(json!({
            "createdAt": made,
            "updatedAt": made,
            "findingPublishingFrequency": "FIFTEEN_MINUTES",
            "serviceRole": format!(
                "arn:{}:iam::{}:role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie",
                desk.call.partition, desk.call.account
            ),
            "status": session.status,
        }))),
        "ListMembers" => {
            let members = desk.fact(&session.members)?.into_iter().flatten();
            let all =
                members.map(|(id, status)| json!({"accountId": id, "relationshipStatus": status}));
            let page = desk.page(all.collect(), "nextToken", "maxResults")?;
            Ok(Answer::of(
                json!({"members": page.items, "nextToken": page.next}),
            ))
        }
        "DescribeOrganizationConfiguration" => {
            let enrols = desk.fact(&session.auto_enable)?;
            Ok(Answer::of(
                json!({"autoEnable": enrols, "maxAccountLimitReached": false}),
            ))
        }
        "GetAutomatedDiscoveryConfiguration" => match desk.fact(&session.automated_discovery)? {
            Some(status) => Ok(Answer::of(json!({
                "status": status,
                "autoEnableOrganizationMembers": "NONE",
                "lastUpdatedAt": made,
            }))),
            None => Err(Failure::new(
                403,
                "AccessDeniedException",
                "Automated sensitive data discovery is not enabled.",
            )),
        },
        _ => Err(desk.unknown()),
    }
}

fn analyzers(desk: &Desk<'_>, region: Option<&Region>) -> Outcome {
    let analyzers = match region {
        Some(region) => desk.fact(&region.analyzers)?,
        None => None,
    };
    match desk.call.operation.as_str() {
        "ListAnalyzers" => {}
        "ListArchiveRules" => {
            let name = desk.call.text("analyzerName").unwrap_or_default();
            let analyzer = analyzers.and_then(|all| all.get(&name));
            let Some(analyzer) = analyzer else {
                let says = "The analyzer does not exist.";
                return Err(Failure::new(404, "ResourceNotFoundException", says));
            };
            let rules = desk.fact(&analyzer.archive_rules)?.into_iter().flatten();
            let all = rules.map(|(name, filter)| {
                let made = since(desk);
                json!({"ruleName": name, "filter": filter, "createdAt": made, "updatedAt": made})
            });
            let page = desk.page(all.collect(), "nextToken", "maxResults")?;
            return Ok(Answer::of(
                json!({"archiveRules": page.items, "nextToken": page.next}),
            ));
        }
        _ => return Err(desk.unknown()),
    }
    let wanted = desk.call.text("type");
    let all: Vec<Value> = analyzers
        .into_iter()
        .flatten()
        .filter(|(_, analyzer)| wanted.as_ref().is_none_or(|kind| *kind == analyzer.kind))
        .map(|(name, analyzer)| {
            json!({
                "arn": analyzer.arn,
                "name": name,
                "type": analyzer.kind,
                "createdAt": since(desk),
                "status": analyzer.status,
                "tags": {},
            })
        })
        .collect();
    let page = desk.page(all, "nextToken", "maxResults")?;
    Ok(Answer::of(
        json!({"analyzers": page.items, "nextToken": page.next}),
    ))
}

fn shield(desk: &Desk<'_>) -> Outcome {
    let state = desk.fact(&desk.home()?.shield)?;
    if desk.call.operation == "GetSubscriptionState" {
        let state = if state.is_some() {
            "ACTIVE"
        } else {
            "INACTIVE"
        };
        return Ok(Answer::of(json!({ "SubscriptionState": state })));
    }
    let Some(state) = state else {
        return Err(Failure::new(
            400,
            "ResourceNotFoundException",
            "The subscription does not exist.",
        ));
    };
    match desk.call.operation.as_str() {
        "DescribeSubscription" => {
            let mut subscription = json!({
                "TimeCommitmentInSeconds": 31_536_000,
                "AutoRenew": "ENABLED",
                "SubscriptionLimits": {
                    "ProtectionLimits": {"ProtectedResourceTypeLimits": []},
                    "ProtectionGroupLimits": {
                        "MaxProtectionGroups": 1000,
                        "PatternTypeLimits": {"ArbitraryPatternLimits": {"MaxMembers": 10000}},
                    },
                },
            });
            if let Some(since) = state.since {
                subscription["StartTime"] = since.0.into();
            }
            Ok(Answer::of(json!({ "Subscription": subscription })))
        }
        "ListProtections" => {
            let count = desk.fact(&state.protections)?.copied().unwrap_or_default();
            let account = &desk.call.account;
            let all = (0..count).map(|index| {
                json!({
                    "Id": format!("protection-{index}"),
                    "Name": format!("protection-{index}"),
                    "ResourceArn": format!(
                        "arn:{}:ec2:us-east-1:{account}:eip-allocation/eipalloc-{index:017x}",
                        desk.call.partition
                    ),
                })
            });
            let page = desk.page(all.collect(), "NextToken", "MaxResults")?;
            Ok(Answer::of(
                json!({"Protections": page.items, "NextToken": page.next}),
            ))
        }
        _ => Err(desk.unknown()),
    }
}

fn firewall_manager(desk: &Desk<'_>) -> Outcome {
    let known = desk.fact(&desk.home()?.firewall_manager)?;
    match (desk.call.operation.as_str(), known) {
        ("ListPolicies", Some(manager)) => {
            let policies = desk.fact(&manager.policies)?.into_iter().flatten();
            let listed: Vec<Value> = policies
                .map(|(name, policy)| {
                    json!({
                        "PolicyName": name,
                        "RemediationEnabled": policy.remediates,
                        "PolicyStatus": policy.status,
                    })
                })
                .collect();
            Ok(Answer::of(json!({ "PolicyList": listed })))
        }
        ("GetAdminAccount", Some(manager)) => Ok(Answer::of(json!({
            "AdminAccount": manager.administrator,
            "RoleStatus": manager.status,
        }))),
        ("GetAdminAccount" | "ListPolicies", None) => Err(Failure::new(
            400,
            "ResourceNotFoundException",
            "The specified resource was not found.",
        )),
        _ => Err(desk.unknown()),
    }
}
