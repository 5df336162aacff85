//! The SCPs that would keep the security services on: written, attached on paper, and judged
//! again before they are shown.
//!
//! A pure function: snapshot and exempted roles in, documents and an attachment plan out. What
//! SCPs cannot do, and whom these would stop, is part of the answer.

mod attach;
mod pack;

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::{ScpLimits, TamperAction, scp_limits, tamper};
use palisade_model::{Arn, Observed, OrgPolicy, OrgPolicyKind, Organization, PolicyText, Snapshot};
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::alarm::protection::Protection;
use crate::alarm::state::Service;
use crate::check::security::Security;
use crate::check::security::coverage::{Covered, ask};
use crate::check::security::holders::who_could;

/// Why no SCP can be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ScpError {
    /// There is no organization above the accounts.
    #[error("there is no organization, so there is nothing to attach an SCP to")]
    NoOrganization,
    /// The organization was not read.
    #[error("the organization was not read: {0}")]
    Unread(String),
    /// An exemption that is not the ARN of one role or user.
    #[error("`{0}` is not the ARN of one role or user; its account alone may be `*`")]
    Exemption(String),
    /// The techniques of the catalogue cannot be read.
    #[error("the catalogue is damaged: {0}")]
    Catalogue(String),
    /// One statement alone is longer than a document may be.
    #[error("the exemptions alone are longer than the {0} characters of one SCP")]
    TooLong(usize),
}

/// SCPs, where they go, and what they do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The documents.
    pub documents: Vec<Document>,
    /// Where to attach all of them.
    pub attach_to: Vec<Target>,
    /// Actions that no SCP was written for, and why.
    pub left_out: BTreeMap<String, String>,
    /// Principals that could do some of this today and could not afterwards.
    pub blocked: Vec<Blocked>,
    /// What re-evaluating the snapshot with these SCPs in place still finds open.
    pub still_open: Vec<String>,
    /// How many open (account, action) pairs they close.
    pub closed: usize,
    /// What stands in the way of attaching them, such as a target without room.
    pub problems: Vec<String>,
    /// The day the limits were looked up.
    pub limits_checked: String,
}

/// One SCP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// The document, without white space.
    pub json: String,
}

/// A root, unit or account to attach them to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Target {
    /// Its id.
    pub id: String,
    /// Its name, where it has one.
    pub name: String,
}

/// Somebody who would be stopped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Blocked {
    /// Who.
    pub principal: Arn,
    /// What they can do today and could not afterwards.
    pub actions: Vec<String>,
}

/// Writes SCPs for every tamper action that is open in some account.
///
/// # Errors
/// Where there is no organization to write for, or an exemption is no whole ARN.
pub fn write(
    snapshot: &Snapshot,
    exempt: &[String],
    expects: &BTreeSet<Service>,
) -> Result<Written, ScpError> {
    let organization = match &snapshot.organization {
        Observed::Value(organization) => organization,
        Observed::Gap(gap) => return Err(ScpError::Unread(gap.to_string())),
        _ => return Err(ScpError::NoOrganization),
    };
    for name in exempt {
        let arn = Arn::from(name.as_str());
        // The account alone may be any: the same role in every one.
        let named = !arn.resource().contains(['*', '?']);
        let whole = named && arn.service() == "iam" && is_account(arn.account());
        if !whole || !(arn.resource().starts_with("role/") || arn.resource().starts_with("user/")) {
            return Err(ScpError::Exemption(name.clone()));
        }
    }
    let exempt: BTreeSet<&str> = exempt.iter().map(String::as_str).collect();
    let techniques =
        palisade_checks::techniques().map_err(|e| ScpError::Catalogue(e.to_string()))?;
    Security::over(snapshot, techniques, expects, |security| {
        plan(security, organization, &exempt, |after, judge| {
            Security::over(after, techniques, expects, judge);
        })
    })
}

/// Writes, and lets `again` look at the snapshot with everything attached.
fn plan(
    security: &Security<'_>,
    organization: &Organization,
    exempt: &BTreeSet<&str>,
    again: impl FnOnce(&Snapshot, &mut dyn FnMut(&Security<'_>)),
) -> Result<Written, ScpError> {
    let open: Vec<&Covered> = security
        .coverage()
        .iter()
        .filter(|row| is_open(row))
        .collect();
    let accounts: BTreeSet<&str> = open.iter().map(|row| row.account.as_str()).collect();
    let mut written = Written {
        limits_checked: scp_limits().checked.clone(),
        left_out: left_out(security),
        ..Written::default()
    };
    written.problems = unjudged(security, organization);
    if open.is_empty() {
        return Ok(written);
    }
    let statements = statements(security, &open, exempt);
    let limits = scp_limits();
    written.documents = pack::documents(statements, limits)?;
    let plan = attach::plan(organization, &accounts, written.documents.len(), limits);
    written.attach_to = plan.0;
    written.problems.extend(plan.1);
    let after = patched(security.snapshot(), organization, &written);
    again(&after, &mut |again| {
        judge(security, again, &open, &mut written)
    });
    Ok(written)
}

/// What nobody could say whether it is open: no SCP is written for it, and it may need one.
fn unjudged(security: &Security<'_>, organization: &Organization) -> Vec<String> {
    const TOLD: usize = 5;
    let mut pairs = 0;
    let mut reasons: BTreeSet<String> = BTreeSet::new();
    for row in security.coverage().iter().filter(|row| row.counts) {
        if let Protection::Unknown { missing } = &row.protection {
            pairs += 1;
            reasons.extend(missing.iter().cloned());
        }
    }
    let unread = [
        organization.attachments.gap(),
        organization.policies.gap(),
        organization.accounts.gap(),
    ];
    let unread = unread.into_iter().flatten();
    let mut problems: Vec<String> = unread
        .map(|gap| format!("what is attached already was not read: {gap}"))
        .collect();
    if pairs > 0 {
        let more = reasons.len().saturating_sub(TOLD);
        let mut told: Vec<String> = reasons.into_iter().take(TOLD).collect();
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        problems.push(format!(
            "{pairs} pairs of account and action could not be judged: {}",
            told.join("; ")
        ));
    }
    problems
}

fn is_account(id: &str) -> bool {
    id == "*" || id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_open(row: &Covered) -> bool {
    row.counts && row.protection.fails()
}

/// Actions that stay out of every SCP, each with its reason.
fn left_out(security: &Security<'_>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for row in tamper().iter().flat_map(|group| &group.actions) {
        let why = match (&row.leave_out, row.caller) {
            (Some(why), _) => why.clone(),
            (None, palisade_checks::Caller::Management) => {
                "only the management account can call it, and SCPs do not bind that".to_owned()
            }
            (None, _) if row.only_on.is_some() && nowhere(security, row) => {
                "an everyday action, and nothing of the alarm chain stands in these accounts"
                    .to_owned()
            }
            _ => continue,
        };
        out.insert(row.action.clone(), why);
    }
    out
}

fn nowhere(security: &Security<'_>, row: &TamperAction) -> bool {
    let accounts = security.snapshot().accounts.keys();
    accounts
        .into_iter()
        .all(|account| ask(security, account, row).resources.is_empty())
}

/// The statements, each small enough to be moved from document to document.
fn statements(
    security: &Security<'_>,
    open: &[&Covered],
    exempt: &BTreeSet<&str>,
) -> Vec<pack::Deny> {
    let rows: BTreeMap<&str, &TamperAction> = tamper()
        .iter()
        .flat_map(|group| &group.actions)
        .map(|row| (row.action.as_str(), row))
        .collect();
    let mut plain: BTreeSet<String> = BTreeSet::new();
    let mut narrow: BTreeMap<BTreeSet<String>, BTreeSet<String>> = BTreeMap::new();
    let mut out = Vec::new();
    for action in open.iter().map(|row| row.action).collect::<BTreeSet<_>>() {
        let Some(row) = rows.get(action) else {
            continue;
        };
        if !row.when.is_empty() {
            out.push(conditioned(row));
        } else if row.only_on.is_some() {
            let concerned = open.iter().filter(|covered| covered.action == action);
            let resources: BTreeSet<String> = concerned
                .flat_map(|covered| ask(security, &covered.account, row).resources)
                .map(|resource| resource.replace("/AWSLogs/palisade-probe", "/*"))
                .collect();
            narrow
                .entry(resources)
                .or_default()
                .insert(action.to_owned());
        } else {
            plain.insert(action.to_owned());
        }
    }
    let plain = pack::shortened(&plain);
    out.push(pack::Deny {
        actions: plain.into_iter().collect(),
        resources: vec!["*".to_owned()],
        conditions: BTreeMap::new(),
        splits: true,
    });
    out.extend(narrow.into_iter().map(|(resources, actions)| pack::Deny {
        actions: actions.into_iter().collect(),
        resources: resources.into_iter().collect(),
        conditions: BTreeMap::new(),
        splits: true,
    }));
    except(&mut out, exempt);
    out
}

fn conditioned(row: &TamperAction) -> pack::Deny {
    let conditions = row
        .when
        .iter()
        .map(|(operator, keys)| (operator.clone(), json!(keys)));
    pack::Deny {
        actions: vec![row.action.clone()],
        resources: vec!["*".to_owned()],
        conditions: conditions.collect(),
        splits: false,
    }
}

/// What would make somebody else of an exempted role, or the role of somebody else.
const ROLE_CHANGES: &[&str] = &[
    "AttachRolePolicy",
    "CreateRole",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PassRole",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
];

/// Likewise of an exempted user.
const USER_CHANGES: &[&str] = &[
    "AttachUserPolicy",
    "CreateAccessKey",
    "CreateLoginProfile",
    "CreateUser",
    "DeactivateMFADevice",
    "DeleteUserPermissionsBoundary",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "UpdateAccessKey",
    "UpdateLoginProfile",
];

/// Lets the exempted through, and keeps everybody else from becoming one of them.
fn except(statements: &mut Vec<pack::Deny>, exempt: &BTreeSet<&str>) {
    if exempt.is_empty() {
        return;
    }
    let names: Vec<&str> = exempt.iter().copied().collect();
    for (kind, actions) in [(":role/", ROLE_CHANGES), (":user/", USER_CHANGES)] {
        let own = names.iter().filter(|arn| arn.contains(kind));
        let resources: Vec<String> = own.map(|arn| (*arn).to_owned()).collect();
        if !resources.is_empty() {
            statements.push(pack::Deny {
                actions: actions.iter().map(|name| format!("iam:{name}")).collect(),
                resources,
                conditions: BTreeMap::new(),
                splits: false,
            });
        }
    }
    for statement in statements {
        statement
            .conditions
            .insert("ArnNotLike".to_owned(), json!({"aws:PrincipalArn": names}));
    }
}

/// The snapshot with the SCPs in place.
fn patched(snapshot: &Snapshot, organization: &Organization, written: &Written) -> Snapshot {
    let mut organization = organization.clone();
    let mut policies = organization.policies.value().cloned().unwrap_or_default();
    let mut attachments = organization
        .attachments
        .value()
        .cloned()
        .unwrap_or_default();
    for (place, document) in written.documents.iter().enumerate() {
        let id = format!("p-palisade{:02}", place + 1);
        policies.insert(
            id.clone(),
            OrgPolicy {
                name: document.name.clone(),
                kind: OrgPolicyKind::Scp,
                aws_managed: false,
                document: Observed::Value(PolicyText::new(document.json.as_str())),
            },
        );
        for target in &written.attach_to {
            attachments
                .entry(target.id.clone())
                .or_default()
                .push(id.clone());
        }
    }
    organization.policies = Observed::Value(policies);
    organization.attachments = Observed::Value(attachments);
    let types = organization
        .enabled_policy_types
        .value()
        .cloned()
        .unwrap_or_default();
    let scp = "SERVICE_CONTROL_POLICY".to_owned();
    let types = types
        .into_iter()
        .filter(|t| *t != scp)
        .chain([scp.clone()])
        .collect();
    organization.enabled_policy_types = Observed::Value(types);
    Snapshot {
        organization: Observed::Value(organization),
        ..snapshot.clone()
    }
}

/// Asks again what was open, and who can still do it.
fn judge(before: &Security<'_>, after: &Security<'_>, open: &[&Covered], written: &mut Written) {
    let now: BTreeMap<(&str, &str, &str), &Covered> = after
        .coverage()
        .iter()
        .map(|row| ((row.account.as_str(), row.group, row.action), row))
        .collect();
    for row in open {
        match now.get(&(row.account.as_str(), row.group, row.action)) {
            Some(row) if row.protection.holds() => written.closed += 1,
            Some(row) => {
                let (account, action) = (&row.account, row.action);
                let word = row.protection.word();
                written
                    .still_open
                    .push(format!("{action} in {account}: {word}"));
            }
            None => {}
        }
    }
    written.still_open.sort();
    written.still_open.dedup();
    let accounts: BTreeSet<&str> = open.iter().map(|row| row.account.as_str()).collect();
    let mut blocked: BTreeMap<Arn, BTreeSet<String>> = BTreeMap::new();
    for account in accounts {
        let still: BTreeSet<(Arn, &str)> = who_could(after, account, false)
            .into_iter()
            .flat_map(|could| {
                let all = could.may.into_iter().chain(could.perhaps);
                all.map(move |action| (could.principal.clone(), action))
                    .collect::<Vec<_>>()
            })
            .collect();
        for could in who_could(before, account, false) {
            for action in could.may {
                if !still.contains(&(could.principal.clone(), action)) {
                    blocked
                        .entry(could.principal.clone())
                        .or_default()
                        .insert(action.to_owned());
                }
            }
        }
    }
    written.blocked = blocked
        .into_iter()
        .map(|(principal, actions)| Blocked {
            principal,
            actions: actions.into_iter().collect(),
        })
        .collect();
}

impl Written {
    /// The AWS CLI commands that create and attach them, to be run in the management account.
    pub fn cli(&self) -> String {
        let mut out = String::new();
        for document in &self.documents {
            let (name, json) = (&document.name, &document.json);
            out.push_str(&format!(
                "aws organizations create-policy --type SERVICE_CONTROL_POLICY --name {name} --description 'Keeps security services on' --content '{json}'\n"
            ));
            for target in &self.attach_to {
                let id = &target.id;
                out.push_str(&format!(
                    "aws organizations attach-policy --target-id {id} --policy-id \"$(aws organizations list-policies --filter SERVICE_CONTROL_POLICY --query \"Policies[?Name=='{name}'].Id\" --output text)\"\n"
                ));
            }
        }
        out
    }

    /// The same as Terraform.
    pub fn terraform(&self) -> String {
        let mut out = String::new();
        for document in &self.documents {
            let (name, label) = (&document.name, document.name.replace('-', "_"));
            let value: Value = serde_json::from_str(&document.json).unwrap_or_default();
            let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
            // `${` would be read as a Terraform expression.
            let pretty = pretty.replace("${", "$${");
            out.push_str(&format!(
                "resource \"aws_organizations_policy\" \"{label}\" {{\n  name    = \"{name}\"\n  type    = \"SERVICE_CONTROL_POLICY\"\n  content = jsonencode(jsondecode(<<-JSON\n{pretty}\nJSON\n  ))\n}}\n\n"
            ));
            for target in &self.attach_to {
                let (id, tail) = (&target.id, target.id.replace('-', "_"));
                out.push_str(&format!(
                    "resource \"aws_organizations_policy_attachment\" \"{label}_{tail}\" {{\n  policy_id = aws_organizations_policy.{label}.id\n  target_id = \"{id}\"\n}}\n\n"
                ));
            }
        }
        out
    }
}

/// The limits in force, for messages.
pub fn limits() -> &'static ScpLimits {
    scp_limits()
}
