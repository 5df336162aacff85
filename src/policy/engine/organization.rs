//! Ceilings from the organization: SCPs and RCPs down to each account.

use palisade_model::{Observed, OrgPolicy, OrgPolicyKind, Organization, PolicyText, Snapshot};

use super::build::Shelf;
use crate::policy::compile::Attached;
use crate::policy::context::Context;
use crate::policy::document::Document;

/// What an organization sets above one account.
#[derive(Debug, Default)]
pub(super) struct Ceilings {
    /// `None`: no SCP binds the account.
    pub(super) scps: Option<Vec<Vec<Attached>>>,
    pub(super) rcps: Vec<Vec<Attached>>,
    membership: Membership,
}

/// Whether the account is in an organization.
#[derive(Debug, Default)]
enum Membership {
    #[default]
    Unknown,
    Alone,
    Member {
        organization: Box<str>,
        path: Option<Box<str>>,
    },
}

impl Ceilings {
    /// The keys `…OrgID` and `…OrgPaths` after this beginning.
    pub(super) fn describe(&self, beginning: &str, facts: &mut Context) {
        let (id, paths) = (format!("{beginning}OrgID"), format!("{beginning}OrgPaths"));
        match &self.membership {
            Membership::Unknown => {}
            Membership::Alone => {
                facts.set_absent(&id).set_absent(&paths);
            }
            Membership::Member { organization, path } => {
                facts.set(&id, &**organization);
                if let Some(path) = path {
                    facts.set_all(&paths, [&**path]);
                }
            }
        }
    }
}

/// The ceilings of one account.
///
/// Source: "SCP evaluation" and "RCP evaluation", Organizations User Guide: SCPs never bind the
/// management account, RCPs never its resources.
pub(super) fn ceilings(snapshot: &Snapshot, account: &str, shelf: &mut Shelf) -> Ceilings {
    let organization = match &snapshot.organization {
        Observed::Value(organization) => organization,
        Observed::Absent | Observed::NotApplicable(_) => {
            return Ceilings {
                membership: Membership::Alone,
                ..Ceilings::default()
            };
        }
        Observed::Gap(gap) => {
            let level = vec![shelf.unread("SCPs", &gap.to_string())];
            let rcps = vec![vec![shelf.unread("RCPs", &gap.to_string())]];
            return Ceilings {
                scps: Some(vec![level]),
                rcps,
                membership: Membership::Unknown,
            };
        }
    };
    let chain = organization.chain(account);
    let is_management = organization.management_account == account;
    let outside = organization
        .accounts
        .value()
        .is_some_and(|all| !all.contains_key(account));
    if outside && !is_management {
        return Ceilings {
            membership: Membership::Alone,
            ..Ceilings::default()
        };
    }
    let membership = Membership::Member {
        organization: organization.id.as_str().into(),
        path: chain.as_ref().map(|chain| path(&organization.id, chain)),
    };
    if is_management || organization.feature_set == "CONSOLIDATED_BILLING" {
        return Ceilings {
            membership,
            ..Ceilings::default()
        };
    }
    let mut levels = |kind| match (&chain, is_enabled(organization, kind)) {
        (_, false) => None,
        (Some(chain), true) => Some(
            chain
                .iter()
                .map(|target| level(organization, target, kind, shelf))
                .collect(),
        ),
        (None, true) => {
            Some(vec![vec![shelf.unread(
                word(kind),
                "the account's place in the tree is not known",
            )]])
        }
    };
    let scps: Option<Vec<Vec<Attached>>> = levels(OrgPolicyKind::Scp);
    let rcps: Option<Vec<Vec<Attached>>> = levels(OrgPolicyKind::Rcp);
    // AWS lets nobody detach the last SCP of a target: a target without any was attached the
    // full access policy that nobody wrote down.
    let scps = scps.map(|levels| {
        levels
            .into_iter()
            .filter(|level| !level.is_empty())
            .collect()
    });
    Ceilings {
        scps,
        rcps: rcps.unwrap_or_default(),
        membership,
    }
}

/// `o-…/r-…/ou-…/`: the entity path without the account.
fn path(organization: &str, chain: &[&str]) -> Box<str> {
    let mut out = format!("{organization}/");
    for target in &chain[..chain.len().saturating_sub(1)] {
        out.push_str(target);
        out.push('/');
    }
    out.into()
}

fn word(kind: OrgPolicyKind) -> &'static str {
    match kind {
        OrgPolicyKind::Scp => "SCPs",
        OrgPolicyKind::Rcp => "RCPs",
    }
}

fn is_enabled(organization: &Organization, kind: OrgPolicyKind) -> bool {
    let name = match kind {
        OrgPolicyKind::Scp => "SERVICE_CONTROL_POLICY",
        OrgPolicyKind::Rcp => "RESOURCE_CONTROL_POLICY",
    };
    match &organization.enabled_policy_types {
        Observed::Value(types) => types.iter().any(|t| t == name),
        // A sparse record names policies and not the types.
        Observed::Absent | Observed::NotApplicable(_) => organization
            .policies
            .value()
            .is_some_and(|all| all.values().any(|policy| policy.kind == kind)),
        Observed::Gap(_) => true,
    }
}

fn level(
    organization: &Organization,
    target: &str,
    kind: OrgPolicyKind,
    shelf: &mut Shelf,
) -> Vec<Attached> {
    let gap = |what: String| format!("{} attached to `{target}`: {what}", word(kind));
    let attached = match &organization.attachments {
        Observed::Value(attachments) => attachments.get(target).map(Vec::as_slice),
        Observed::Gap(unread) => {
            return vec![shelf.unread(word(kind), &gap(unread.to_string()))];
        }
        Observed::Absent | Observed::NotApplicable(_) => None,
    };
    // Every target has a policy of each kind: where the policies were not listed, a target without
    // any has some that nobody saw.
    let none = attached.is_none_or(<[String]>::is_empty);
    if let (true, Observed::Gap(unread)) = (none, &organization.policies) {
        return vec![shelf.unread(word(kind), &gap(unread.to_string()))];
    }
    let mut out = Vec::new();
    for id in attached.unwrap_or_default() {
        let found = match &organization.policies {
            Observed::Value(policies) => policies.get(id),
            Observed::Gap(unread) if !full_access(id, kind) => {
                out.push(shelf.unread(id, &gap(unread.to_string())));
                continue;
            }
            _ => None,
        };
        match found {
            Some(policy) if policy.kind != kind => {}
            Some(policy) => out.push(org_policy(id, policy, shelf)),
            None if full_access(id, kind) => {
                out.push(shelf.attach(id, &PolicyText::new(FULL_ACCESS)));
            }
            // AWS's own full access policy of the other kind.
            None if id.starts_with("p-RCPFull") || id.starts_with("p-FullAWS") => {}
            None => out.push(shelf.unread(id, &gap("its document is not in the snapshot".into()))),
        }
    }
    out
}

fn org_policy(id: &str, policy: &OrgPolicy, shelf: &mut Shelf) -> Attached {
    let name = if policy.name.is_empty() {
        id
    } else {
        &policy.name
    };
    match &policy.document {
        Observed::Value(text) => {
            let attached = shelf.attach(name, text);
            let document = attached.policy.document();
            let document = document.filter(|_| policy.kind == OrgPolicyKind::Scp);
            match document.and_then(Document::scp_fault) {
                Some(fault) => shelf.unread(name, &fault),
                None => attached,
            }
        }
        Observed::Gap(gap) => shelf.unread(name, &gap.to_string()),
        _ if policy.aws_managed => shelf.attach(name, &PolicyText::new(FULL_ACCESS)),
        _ => shelf.unread(name, "its document is not in the snapshot"),
    }
}

fn full_access(id: &str, kind: OrgPolicyKind) -> bool {
    match kind {
        OrgPolicyKind::Scp => id == "p-FullAWSAccess",
        OrgPolicyKind::Rcp => id == "p-RCPFullAWSAccess",
    }
}

/// What `p-FullAWSAccess` and `p-RCPFullAWSAccess` say; the latter's principal is `*`.
const FULL_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
