//! Shield Advanced and Firewall Manager: paid services that an account may have.

use std::collections::BTreeMap;

use palisade_model::{FirewallManager, FirewallPolicy, Gap, GapKind, Observed, ShieldState, Why};
use serde_json::json;

use crate::engine::Place;
use crate::generic::Rows;
use crate::path;
use crate::services::{FMS, SHIELD};

/// The subscription, if there is one.
pub(crate) async fn shield(home: &Place) -> Observed<ShieldState> {
    let state = home.json(&SHIELD, "GetSubscriptionState", "", json!({}));
    match state.await {
        Observed::Value(answer) => match path::text(&answer, "SubscriptionState").as_deref() {
            Some("INACTIVE") => return Observed::Absent,
            Some(_) => {}
            None => return Gap::new("shield:GetSubscriptionState", GapKind::Unparsable).into(),
        },
        other => return other.map(|_| ShieldState::default()),
    }
    let protections = home.json_pages(
        &SHIELD,
        "ListProtections",
        "",
        json!({}),
        Rows::new("Protections[]", &["Id"], ("NextToken", "NextToken")),
    );
    let (subscription, protections) = tokio::join!(
        home.json(&SHIELD, "DescribeSubscription", "", json!({})),
        protections,
    );
    let protections = protections.map(|listed| listed.len() as u64);
    subscription.map(|answer| ShieldState {
        since: path::time(&answer, "Subscription.StartTime"),
        auto_renew: path::text(&answer, "Subscription.AutoRenew").map(|word| word == "ENABLED"),
        protections,
    })
}

/// The administrator account, as this account sees it.
pub(crate) async fn firewall_manager(home: &Place) -> Observed<FirewallManager> {
    let answer = home.json(&FMS, "GetAdminAccount", "", json!({}));
    let answer = match answer.await {
        Observed::Value(answer) => answer,
        other => return other.map(|_| FirewallManager::default()),
    };
    let Some(administrator) = path::text(&answer, "AdminAccount") else {
        return Observed::Absent;
    };
    Observed::Value(FirewallManager {
        policies: match administrator == home.visit.account {
            true => firewall_policies(home).await,
            false => Observed::not_applicable(Why::Kind, "only the administrator lists policies"),
        },
        administrator,
        status: path::text(&answer, "RoleStatus").unwrap_or_default(),
    })
}

async fn firewall_policies(home: &Place) -> Observed<BTreeMap<String, FirewallPolicy>> {
    let page = Rows::new("PolicyList[]", &["PolicyName"], ("NextToken", "NextToken"));
    let listed = home.json_pages(&FMS, "ListPolicies", "", json!({}), page);
    listed.await.map(|policies| {
        let named = policies.iter().filter_map(|policy| {
            let facts = FirewallPolicy {
                remediates: path::flag(policy, "RemediationEnabled").unwrap_or_default(),
                status: path::text(policy, "PolicyStatus").unwrap_or_default(),
            };
            Some((path::text(policy, "PolicyName")?, facts))
        });
        named.collect()
    })
}
