//! Services with one state per account.

use palisade_model::{Account, FirewallManager, Observed, Snapshot};

use super::{Faults, Service, State, organization, present};

pub(super) fn state(snapshot: &Snapshot, id: &str, account: &Account, service: Service) -> State {
    match service {
        Service::Shield => shield(account),
        Service::Fms => fms(id, account),
        _ => root(snapshot, account),
    }
}

fn shield(account: &Account) -> State {
    let shield = match present(&account.shield, "the account has no subscription") {
        Ok(shield) => shield,
        Err(state) => return state,
    };
    let mut faults = Faults::default();
    if shield.auto_renew == Some(false) {
        faults.add("renewal", "the subscription does not renew itself");
    }
    match &shield.protections {
        Observed::Value(0) | Observed::Absent => {
            faults.add("protections", "no resource is protected");
        }
        Observed::Gap(gap) => faults.unread("protections", gap),
        _ => {}
    }
    faults.state()
}

fn fms(id: &str, account: &Account) -> State {
    let manager = match present(&account.firewall_manager, "no administrator account is set") {
        Ok(manager) => manager,
        Err(state) => return state,
    };
    let mut faults = Faults::default();
    match manager.status.as_str() {
        "READY" => {}
        "" => faults.unread(
            "status",
            "the state of the administrator's role was not told",
        ),
        status => faults.add("status", format!("the administrator's role is `{status}`")),
    }
    if manager.administrator == id {
        firewall_policies(manager, &mut faults);
    }
    faults.state()
}

/// What the administrator's policies do.
///
/// Source: PolicySummary, AWS Firewall Manager API Reference, 2026-11.
fn firewall_policies(manager: &FirewallManager, faults: &mut Faults) {
    match &manager.policies {
        Observed::Value(policies) if !policies.is_empty() => {
            for (name, policy) in policies {
                if !policy.remediates {
                    let says = format!("the policy `{name}` tells and does not mend");
                    faults.add("remediation", says);
                }
                if policy.status == "OUT_OF_ADMIN_SCOPE" {
                    faults.add(
                        "scope",
                        format!("the policy `{name}` reaches nobody any more"),
                    );
                }
            }
        }
        Observed::Gap(gap) => faults.unread("", gap),
        Observed::NotApplicable(_) => {}
        _ => faults.add("policies", "it has no policy"),
    }
}

/// On means guarded: no access keys, and an MFA device or no credentials at all.
///
/// Source: "Root user best practices" and "Centrally manage root access for member accounts",
/// IAM User Guide.
fn root(snapshot: &Snapshot, account: &Account) -> State {
    let root = match present(&account.iam.root, "the account summary was empty") {
        Ok(root) => root,
        Err(state) => return state,
    };
    let mut faults = Faults::default();
    if root.access_keys {
        faults.add("access-keys", "the root user has access keys");
    }
    if !root.mfa && root.password != Some(false) {
        faults.add("mfa", "the root user has no MFA device");
    }
    if let Some(gap) = snapshot.organization.gap() {
        faults.unread("central", gap);
    }
    if let Some(organization) = organization(snapshot) {
        match &organization.root_access_features {
            Observed::Value(features)
                if !features.iter().any(|f| f == "RootCredentialsManagement") =>
            {
                faults.add(
                    "central",
                    "root credentials of members are not managed centrally",
                );
            }
            Observed::Absent => {
                faults.add(
                    "central",
                    "root credentials of members are not managed centrally",
                );
            }
            Observed::Gap(gap) => faults.unread("central", gap),
            _ => {}
        }
    }
    faults.state()
}
