//! The credential report: asked for, waited for, and read.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_iam::Client;
use palisade_model::{CredentialReport, Gap, GapKind, Observed, ReportRow, Time};

use crate::engine::Place;

/// How often a report that AWS is still making is asked for.
const TRIES: usize = 20;

/// Gets the report, and has a new one made if there is none.
pub(crate) async fn credential_report(
    place: &Place,
    client: &Client,
) -> Observed<CredentialReport> {
    let mut outcome = get(place, client).await;
    for _ in 0..TRIES {
        let code = outcome.gap().map(|gap| gap.code.as_str());
        match code {
            Some(
                "ReportNotPresent"
                | "ReportExpired"
                | "CredentialReportNotPresentException"
                | "CredentialReportExpiredException",
            ) => {
                let made = place.ask("iam:GenerateCredentialReport", || {
                    client.generate_credential_report().send()
                });
                if let Observed::Gap(gap) = made.await {
                    return gap.as_ref().clone().into();
                }
            }
            Some("ReportInProgress" | "CredentialReportNotReadyException") => {}
            _ => return outcome,
        }
        if !place.engine().local {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        outcome = get(place, client).await;
    }
    outcome
}

async fn get(place: &Place, client: &Client) -> Observed<CredentialReport> {
    let answer = place.ask("iam:GetCredentialReport", || {
        client.get_credential_report().send()
    });
    let unreadable = || Gap::new("iam:GetCredentialReport", GapKind::Unparsable).into();
    match answer.await {
        Observed::Value(answer) => {
            let generated = answer.generated_time.map(|date| Time(date.secs()));
            let content = answer.content.map(|content| content.into_inner());
            let rows = content
                .as_deref()
                .and_then(|content| std::str::from_utf8(content).ok())
                .and_then(rows);
            match (generated, rows) {
                (Some(generated), Some(rows)) => {
                    Observed::Value(CredentialReport { generated, rows })
                }
                _ => unreadable(),
            }
        }
        other => other.map(|_| CredentialReport::default()),
    }
}

/// Reads the table. User names may hold commas, and the report does not quote them: columns
/// after the second are counted from the right.
fn rows(text: &str) -> Option<BTreeMap<String, ReportRow>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next()?.split(',').collect();
    if header.first() != Some(&"user") || header.get(1) != Some(&"arn") {
        return None;
    }
    let mut rows = BTreeMap::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split(',').collect();
        let extra = fields.len().checked_sub(header.len())?;
        let cell = |name: &str| {
            let column = header.iter().position(|column| *column == name)?;
            fields.get(column + extra).copied()
        };
        let names = &fields[..2 + extra];
        let arn = names.iter().position(|part| part.starts_with("arn:"))?;
        let user = names[..arn].join(",");
        rows.insert(user, row(cell)?);
    }
    Some(rows)
}

fn row<'a>(cell: impl Fn(&str) -> Option<&'a str>) -> Option<ReportRow> {
    let flag = |name: &str| cell(name).map(|text| text == "true");
    let time = |name: &str| cell(name).and_then(|text| text.parse::<Time>().ok());
    Some(ReportRow {
        password: match cell("password_enabled")? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        password_last_used: time("password_last_used"),
        mfa: flag("mfa_active")?,
        key_1_active: flag("access_key_1_active")?,
        key_1_rotated: time("access_key_1_last_rotated"),
        key_1_last_used: time("access_key_1_last_used_date"),
        key_2_active: flag("access_key_2_active")?,
        key_2_rotated: time("access_key_2_last_rotated"),
        key_2_last_used: time("access_key_2_last_used_date"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,\
        password_last_changed,password_next_rotation,mfa_active,access_key_1_active,\
        access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,\
        access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
        access_key_2_last_used_date,access_key_2_last_used_region,\
        access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,\
        cert_2_last_rotated";

    #[test]
    fn rows_with_commas_in_the_name_are_read() {
        let text = format!(
            "{HEADER}\n\
             <root_account>,arn:aws:iam::111122223333:root,2025-01-01T00:00:00+00:00,\
             not_supported,no_information,not_supported,not_supported,true,false,N/A,N/A,N/A,\
             N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n\
             a,b,arn:aws:iam::111122223333:user/a,b,2025-01-01T00:00:00+00:00,true,\
             2026-01-01T00:00:00+00:00,N/A,N/A,false,true,2025-02-01T00:00:00+00:00,N/A,N/A,\
             N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n"
        );
        let rows = rows(&text).unwrap();
        let root = &rows["<root_account>"];
        assert!(root.mfa && root.password.is_none() && !root.key_1_active);
        let user = &rows["a,b"];
        assert_eq!(user.password, Some(true));
        assert!(!user.mfa && user.key_1_active);
        assert_eq!(user.key_1_rotated, "2025-02-01T00:00:00Z".parse().ok());
        assert_eq!(user.key_1_last_used, None);
    }

    #[test]
    fn junk_is_no_report() {
        assert_eq!(rows("<html>"), None);
        assert_eq!(rows(&format!("{HEADER}\nx,y\n")), None);
    }
}
