//! Security Hub of one region, both editions; Macie; Access Analyzer.

use std::collections::BTreeMap;

use palisade_model::{AnalyzerState, Arn, Gap, GapKind, Macie, Observed, SecurityHub, Standard};
use serde_json::json;

use crate::engine::Place;
use crate::path;
use crate::s3::or_absent;
use crate::services::{ANALYZER, MACIE, SECURITY_HUB};

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
        ("StandardsSubscriptions[]", "NextToken", "NextToken"),
    );
    let standards = standards.await.map(|listed| {
        let mut standards: Vec<Standard> = listed
            .iter()
            .map(|entry| Standard {
                arn: path::text(entry, "StandardsArn").unwrap_or_default().into(),
                status: path::text(entry, "StandardsStatus").unwrap_or_default(),
            })
            .collect();
        standards.sort();
        standards
    });
    Observed::Value(SecurityHub {
        arn: arn.into(),
        auto_enable_controls: path::flag(&hub, "AutoEnableControls").unwrap_or_default(),
        standards,
    })
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
        Observed::Value(answer) => or_absent(path::text(&answer, "status")),
        other => other.map(|_| String::new()),
    };
    Observed::Value(Macie {
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
        ("analyzers[]", "nextToken", "nextToken"),
    );
    listed.await.map(|listed| {
        listed
            .iter()
            .map(|entry| {
                let analyzer = AnalyzerState {
                    arn: path::text(entry, "arn").unwrap_or_default().into(),
                    kind: path::text(entry, "type").unwrap_or_default(),
                    status: path::text(entry, "status").unwrap_or_default(),
                };
                (path::text(entry, "name").unwrap_or_default(), analyzer)
            })
            .collect()
    })
}
