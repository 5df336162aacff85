//! IAM about the account as a whole: summary, credential report, providers, aliases.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_model::{CredentialReport, Observed, ReportRow, Time};
use serde_json::json;

use super::answer::Answer;
use super::failure::Failure;
use super::iam::{no_such, paged};
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    match desk.call.operation.as_str() {
        "GetAccountSummary" => summary(desk),
        "GenerateCredentialReport" => generate(desk),
        "GetCredentialReport" => credential_report(desk),
        "ListAccountAliases" => {
            let alias = desk.fact(&desk.home()?.iam.alias)?;
            let aliases = alias.into_iter().map(|alias| alias.as_str().into());
            paged(desk, "AccountAliases", aliases.collect())
        }
        "ListOrganizationsFeatures" => features(desk),
        "GetAccountPasswordPolicy" => Err(Failure::new(
            404,
            "NoSuchEntity",
            format!(
                "The Password Policy with domain name {} cannot be found.",
                desk.call.account
            ),
        )),
        _ => providers(desk),
    }
}

fn count<T>(fact: &Observed<std::collections::BTreeMap<String, T>>) -> usize {
    fact.value().map_or(0, std::collections::BTreeMap::len)
}

fn summary(desk: &Desk<'_>) -> Outcome {
    let iam = &desk.home()?.iam;
    let root = desk.fact(&iam.root)?.cloned().unwrap_or_default();
    let mut entries = vec![
        ("Users", count(&iam.users)),
        ("Groups", count(&iam.groups)),
        ("Roles", count(&iam.roles)),
        ("UsersQuota", 5000),
        ("GroupsQuota", 300),
        ("RolesQuota", 1000),
        ("AccessKeysPerUserQuota", 2),
        ("AttachedPoliciesPerUserQuota", 10),
        ("PolicyVersionsInUseQuota", 10_000),
        ("VersionsPerPolicyQuota", 5),
        ("AccountMFAEnabled", usize::from(root.mfa)),
        ("AccountAccessKeysPresent", usize::from(root.access_keys)),
        ("AccountSigningCertificatesPresent", 0),
    ];
    if let Some(password) = root.password {
        entries.push(("AccountPasswordPresent", usize::from(password)));
    }
    let map: Vec<_> = entries
        .into_iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    Ok(Answer {
        flat: true,
        ..Answer::of(json!({"SummaryMap": {"entry": map}}))
    })
}

/// Begins a report; it is ready at the third question.
fn generate(desk: &Desk<'_>) -> Outcome {
    desk.fact(&desk.home()?.iam.credential_report)?;
    let mut state = desk.responder.state();
    let asked = state.reports.entry(desk.call.account.clone()).or_insert(0);
    let (state, description) = match asked {
        0 => (
            "STARTED",
            "No report exists. Starting a new report generation task",
        ),
        1 => ("INPROGRESS", ""),
        _ => ("COMPLETE", ""),
    };
    *asked = asked.saturating_add(1);
    let mut answer = json!({ "State": state });
    if !description.is_empty() {
        answer["Description"] = description.into();
    }
    Ok(Answer::of(answer))
}

/// Not before it was begun, not while it is made.
fn credential_report(desk: &Desk<'_>) -> Outcome {
    let iam = &desk.home()?.iam;
    let report = desk
        .fact(&iam.credential_report)?
        .cloned()
        .unwrap_or_default();
    let mut state = desk.responder.state();
    let asked = state.reports.get_mut(&desk.call.account);
    match asked {
        None => Err(Failure::new(
            410,
            "ReportNotPresent",
            "No report is present. Use GenerateCredentialReport to request a new report.",
        )),
        Some(1) => {
            state.reports.insert(desk.call.account.clone(), 2);
            Err(Failure::new(
                404,
                "ReportInProgress",
                "Report generation is in progress",
            ))
        }
        Some(_) => Ok(Answer::of(json!({
            "Content": STANDARD.encode(csv(desk, &report)),
            "ReportFormat": "text/csv",
            "GeneratedTime": report.generated.to_string(),
        }))),
    }
}

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,\
cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// The report as IAM writes it. Source: "Get credential reports", IAM User Guide.
fn csv(desk: &Desk<'_>, report: &CredentialReport) -> String {
    let mut lines = vec![HEADER.to_owned()];
    let users = desk.account().and_then(|account| account.iam.users.value());
    let partition = desk.call.partition;
    let account = &desk.call.account;
    for (name, row) in &report.rows {
        let (arn, created) = match users.and_then(|users| users.get(name)) {
            Some(user) => (user.arn.to_string(), user.created),
            None if name == "<root_account>" => {
                (format!("arn:{partition}:iam::{account}:root"), None)
            }
            None => (format!("arn:{partition}:iam::{account}:user/{name}"), None),
        };
        let created = created.unwrap_or(Time(report.generated.0 - 30 * 86_400));
        lines.push(line(name, &arn, created, row));
    }
    lines.join("\n")
}

fn line(name: &str, arn: &str, created: Time, row: &ReportRow) -> String {
    let when = |time: Option<Time>, none: &str| match time {
        Some(time) => time.to_string().replace('Z', "+00:00"),
        None => none.to_owned(),
    };
    let password = match row.password {
        Some(flag) => flag.to_string(),
        None => "not_supported".to_owned(),
    };
    let used = match row.password {
        Some(false) => "N/A".to_owned(),
        _ => when(row.password_last_used, "no_information"),
    };
    let key = |active: bool, rotated, used| {
        format!(
            "{active},{},{},N/A,N/A",
            when(rotated, "N/A"),
            when(used, "N/A")
        )
    };
    [
        name.to_owned(),
        arn.to_owned(),
        when(Some(created), ""),
        password,
        used,
        "N/A".to_owned(),
        "N/A".to_owned(),
        row.mfa.to_string(),
        key(row.key_1_active, row.key_1_rotated, row.key_1_last_used),
        key(row.key_2_active, row.key_2_rotated, row.key_2_last_used),
        "false,N/A,false,N/A".to_owned(),
    ]
    .join(",")
}

fn features(desk: &Desk<'_>) -> Outcome {
    let Some(organization) = desk.fact(&desk.world.snapshot.organization)? else {
        return Err(Failure::new(
            404,
            "OrganizationNotFoundException",
            "The request was rejected because no organization is associated with your account.",
        ));
    };
    let features = desk.fact(&organization.root_access_features)?;
    Ok(Answer::of(json!({
        "OrganizationId": organization.id,
        "EnabledFeatures": features.cloned().unwrap_or_default(),
    })))
}

fn providers(desk: &Desk<'_>) -> Outcome {
    let iam = &desk.home()?.iam;
    match desk.call.operation.as_str() {
        "ListSAMLProviders" => {
            let providers = desk.fact(&iam.saml_providers)?.into_iter().flatten();
            let list: Vec<_> = providers
                .map(|(arn, provider)| {
                    json!({
                        "Arn": arn,
                        "ValidUntil": provider.valid_until.map(|time| time.to_string()),
                        "CreateDate": desk.world.snapshot.taken_at.to_string(),
                    })
                })
                .collect();
            Ok(Answer::of(json!({ "SAMLProviderList": list })))
        }
        "ListOpenIDConnectProviders" => {
            let providers = desk.fact(&iam.oidc_providers)?.into_iter().flatten();
            let list: Vec<_> = providers.map(|(arn, _)| json!({ "Arn": arn })).collect();
            Ok(Answer::of(json!({ "OpenIDConnectProviderList": list })))
        }
        "GetOpenIDConnectProvider" => {
            let arn = desk.call.need("OpenIDConnectProviderArn")?;
            let providers = desk.fact(&iam.oidc_providers)?;
            let provider = providers
                .and_then(|providers| providers.get(arn.as_str()))
                .ok_or_else(|| no_such("OpenIDConnect Provider", &arn))?;
            Ok(Answer::of(json!({
                "Url": desk.fact(&provider.url)?,
                "ClientIDList": desk.fact(&provider.client_ids)?,
                "ThumbprintList": [],
            })))
        }
        _ => Err(desk.unknown()),
    }
}
