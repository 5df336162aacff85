//! Security Hub of one region, both editions; Macie; Access Analyzer.

use std::collections::BTreeMap;

use palisade_model::{AnalyzerState, Arn, Gap, GapKind, Macie, Observed, SecurityHub, Standard};
use serde_json::{Value, json};

use crate::central::unless;
use crate::engine::Place;
use crate::generic::Rows;
use crate::pages::half_a_row;
use crate::path;
use crate::s3::or_absent;
use crate::services::{ANALYZER, MACIE, SECURITY_HUB};
use crate::tasks::each;

/// The principals by which organizations delegate the two.
const HUB: &str = "securityhub.amazonaws.com";
const MACIE_PRINCIPAL: &str = "macie.amazonaws.com";

/// The hub, if it is enabled.
pub(crate) async fn security_hub(place: &Place) -> Observed<SecurityHub> {
    let hub = place.json(&SECURITY_HUB, "DescribeHub", "GET /accounts", json!({}));
    let hub = match hub.await {
        Observed::Value(hub) => hub,
        other => return other.map(|_| SecurityHub::default()),
    };
    let Some(arn) = path::text(&hub, "HubArn") else {
        return Gap::new("securityhub:DescribeHub", GapKind::Unparsable).into();
    };
    let standards = place.json_pages(
        &SECURITY_HUB,
        "GetEnabledStandards",
        "POST /standards/get",
        json!({"MaxResults": 100}),
        Rows::new("StandardsSubscriptions[]", &[], ("NextToken", "NextToken")),
    );
    let read = |entry: &Value| {
        Some(Standard {
            arn: path::text(entry, "StandardsArn")?.into(),
            status: path::text(entry, "StandardsStatus")?,
        })
    };
    let standards = path::rows(standards.await, "securityhub:GetEnabledStandards", read);
    let standards = standards.map(|mut standards: Vec<Standard>| {
        standards.sort();
        standards
    });
    let members = place.json_pages(
        &SECURITY_HUB,
        "ListMembers",
        "GET /members",
        json!({"OnlyAssociated": false, "MaxResults": 50}),
        Rows::new("Members[]", &[], ("NextToken", "NextToken")),
    );
    let spared = place.is_looked_after(HUB);
    let members = unless(spared, members).await;
    let route = "GET /organization/configuration";
    let settings = place.json(
        &SECURITY_HUB,
        "DescribeOrganizationConfiguration",
        route,
        json!({}),
    );
    let auto_enable = match unless(!place.may_administer(HUB), settings).await {
        Observed::Value(answer) if path::flag(&answer, "MemberAccountLimitReached").is_none() => {
            half_a_row("securityhub:DescribeOrganizationConfiguration").into()
        }
        Observed::Value(answer) => or_absent(enrols(&answer)),
        other => other.map(|_| false),
    };
    Observed::Value(SecurityHub {
        auto_enable,
        members: path::statuses(
            members,
            "securityhub:ListMembers",
            ("AccountId", "MemberStatus"),
        ),
        arn: arn.into(),
        auto_enable_controls: path::flag(&hub, "AutoEnableControls").unwrap_or_default(),
        standards,
    })
}

/// Whether accounts that join are enrolled: by the setting, or by a central configuration, which
/// takes its place. Source: "OrganizationConfiguration", AWS Security Hub API Reference, 2026-11.
fn enrols(answer: &Value) -> Option<bool> {
    let kind = path::text(answer, "OrganizationConfiguration.ConfigurationType");
    match kind.as_deref() {
        Some("CENTRAL") => Some(true),
        _ => path::flag(answer, "AutoEnable"),
    }
}

/// The newer edition's hub.
pub(crate) async fn security_hub_v2(place: &Place) -> Observed<Arn> {
    let hub = place.json(
        &SECURITY_HUB,
        "DescribeSecurityHubV2",
        "GET /hubv2",
        json!({}),
    );
    match hub.await {
        Observed::Value(hub) => match path::text(&hub, "HubV2Arn") {
            Some(arn) => Observed::Value(arn.into()),
            None => Gap::new("securityhub:DescribeSecurityHubV2", GapKind::Unparsable).into(),
        },
        other => other.map(|_| Arn::default()),
    }
}

/// Macie, if it is enabled.
pub(crate) async fn macie(place: &Place) -> Observed<Macie> {
    let session = place.json(&MACIE, "GetMacieSession", "GET /macie", json!({}));
    let session = match session.await {
        Observed::Value(session) => session,
        other => return other.map(|_| Macie::default()),
    };
    let Some(status) = path::text(&session, "status") else {
        return Gap::new("macie2:GetMacieSession", GapKind::Unparsable).into();
    };
    let discovery = place.json(
        &MACIE,
        "GetAutomatedDiscoveryConfiguration",
        "GET /automated-discovery/configuration",
        json!({}),
    );
    let discovery = match discovery.await {
        Observed::Value(answer) => match path::text(&answer, "status") {
            Some(status) => Observed::Value(status),
            None => half_a_row("macie2:GetAutomatedDiscoveryConfiguration").into(),
        },
        other => other.map(|_| String::new()),
    };
    let members = place.json_pages(
        &MACIE,
        "ListMembers",
        "GET /members",
        json!({"onlyAssociated": "false", "maxResults": 25}),
        Rows::new("members[]", &[], ("nextToken", "nextToken")),
    );
    let spared = place.is_looked_after(MACIE_PRINCIPAL);
    let members = unless(spared, members).await;
    let settings = place.json(
        &MACIE,
        "DescribeOrganizationConfiguration",
        "GET /admin/configuration",
        json!({}),
    );
    let auto_enable = match unless(!place.may_administer(MACIE_PRINCIPAL), settings).await {
        Observed::Value(answer) if path::flag(&answer, "maxAccountLimitReached").is_none() => {
            half_a_row("macie2:DescribeOrganizationConfiguration").into()
        }
        Observed::Value(answer) => or_absent(path::flag(&answer, "autoEnable")),
        other => other.map(|_| false),
    };
    Observed::Value(Macie {
        auto_enable,
        members: path::statuses(
            members,
            "macie2:ListMembers",
            ("accountId", "relationshipStatus"),
        ),
        status,
        automated_discovery: discovery,
    })
}

/// Analyzers by name.
pub(crate) async fn analyzers(place: &Place) -> Observed<BTreeMap<String, AnalyzerState>> {
    let listed = place.json_pages(
        &ANALYZER,
        "ListAnalyzers",
        "GET /analyzer",
        json!({"maxResults": 100}),
        Rows::new("analyzers[]", &[], ("nextToken", "nextToken")),
    );
    let read = |entry: &Value| {
        let analyzer = AnalyzerState {
            arn: path::text(entry, "arn")?.into(),
            kind: path::text(entry, "type")?,
            status: path::text(entry, "status")?,
            ..AnalyzerState::default()
        };
        Some((path::text(entry, "name")?, analyzer))
    };
    let listed = match path::rows(listed.await, "access-analyzer:ListAnalyzers", read) {
        Observed::Value(listed) => listed,
        other => return other.map(|_: Vec<_>| BTreeMap::new()),
    };
    let read = each(listed, |(name, mut analyzer)| async move {
        analyzer.archive_rules = archive_rules(place, &name).await;
        (name, analyzer)
    });
    Observed::Value(read.await.into_iter().collect())
}

async fn archive_rules(place: &Place, analyzer: &str) -> Observed<BTreeMap<String, Value>> {
    let listed = place.json_pages(
        &ANALYZER,
        "ListArchiveRules",
        "GET /analyzer/{analyzerName}/archive-rule",
        json!({"analyzerName": analyzer, "maxResults": 100}),
        Rows::new("archiveRules[]", &[], ("nextToken", "nextToken")),
    );
    path::rows(listed.await, "access-analyzer:ListArchiveRules", |entry| {
        let filter = entry.get("filter").cloned()?;
        Some((path::text(entry, "ruleName")?, filter))
    })
}
