//! Organizations: the tree, its policies, its delegations.

use palisade_model::{OrgPolicyKind, Organization, Time};
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    let Some(organization) = desk.fact(&desk.world.snapshot.organization)? else {
        return Err(Failure::new(
            400,
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        ));
    };
    let tree = Tree { desk, organization };
    if desk.call.operation == "DescribeOrganization" {
        return Ok(tree.describe());
    }
    // Everything else is for the management account and delegated administrators.
    let account = &desk.call.account;
    let delegated = organization
        .delegated_administrators
        .value()
        .is_some_and(|admins| admins.contains_key(account));
    if *account != organization.management_account && !delegated {
        return Err(Failure::new(
            400,
            "AccessDeniedException",
            "You don't have permissions to access this resource.",
        ));
    }
    tree.answer()
}

struct Tree<'a> {
    desk: &'a Desk<'a>,
    organization: &'a Organization,
}

impl Tree<'_> {
    fn arn(&self, kind: &str, id: &str) -> String {
        let partition = self.desk.call.partition;
        let master = &self.organization.management_account;
        let organization = &self.organization.id;
        format!("arn:{partition}:organizations::{master}:{kind}/{organization}/{id}")
    }

    fn describe(&self) -> Answer {
        let partition = self.desk.call.partition;
        let organization = self.organization;
        let master = &organization.management_account;
        let id = &organization.id;
        let types = organization
            .enabled_policy_types
            .value()
            .cloned()
            .unwrap_or_default();
        Answer::of(json!({"Organization": {
            "Id": id,
            "Arn": format!("arn:{partition}:organizations::{master}:organization/{id}"),
            "FeatureSet": organization.feature_set,
            "MasterAccountArn": self.arn("account", master),
            "MasterAccountId": master,
            "MasterAccountEmail": format!("aws+{master}@mail.invalid"),
            "AvailablePolicyTypes": policy_types(&types),
        }}))
    }

    fn answer(&self) -> Outcome {
        let call = self.desk.call;
        match call.operation.as_str() {
            "ListRoots" => self.roots(),
            "ListOrganizationalUnitsForParent" => {
                let parent = self.parent()?;
                self.paged("OrganizationalUnits", self.units(|unit| unit == parent)?)
            }
            "ListAccountsForParent" => {
                let parent = self.parent()?;
                self.paged("Accounts", self.accounts(|above| above == parent)?)
            }
            "ListAccounts" => self.paged("Accounts", self.accounts(|_| true)?),
            "DescribeAccount" => self.one_account(),
            "DescribeOrganizationalUnit" => self.one_unit(),
            "ListParents" => self.parents(),
            "ListChildren" => self.children(),
            "ListPolicies" => self.policies(),
            "DescribePolicy" => self.one_policy(),
            "ListTargetsForPolicy" => self.targets(),
            "ListPoliciesForTarget" => self.policies_for_target(),
            "ListDelegatedAdministrators" => self.administrators(),
            "ListDelegatedServicesForAccount" => self.delegated_services(),
            "ListAWSServiceAccessForOrganization" => self.trusted_services(),
            "DescribeResourcePolicy" => self.resource_policy(),
            "DescribeEffectivePolicy" => Err(Failure::new(
                400,
                "EffectivePolicyNotFoundException",
                "The effective policy was not found.",
            )),
            _ => Err(self.desk.unknown()),
        }
    }

    fn paged(&self, name: &str, all: Vec<Value>) -> Outcome {
        let page = self.desk.page_with_holes(all)?;
        Ok(Answer::of(
            json!({name: page.items, "NextToken": page.next}),
        ))
    }

    fn roots(&self) -> Outcome {
        let root = self.desk.fact(&self.organization.root)?;
        let types = self.desk.fact(&self.organization.enabled_policy_types)?;
        let types = types.cloned().unwrap_or_default();
        let roots = root.into_iter().map(|id| {
            json!({
                "Id": id,
                "Arn": self.arn("root", id),
                "Name": "Root",
                "PolicyTypes": policy_types(&types),
            })
        });
        self.paged("Roots", roots.collect())
    }

    /// The parent asked about; AWS says so when there is none.
    fn parent(&self) -> Outcome<String> {
        let parent = self.desk.call.need("ParentId")?;
        let is_unit = self
            .organization
            .units
            .value()
            .is_some_and(|units| units.contains_key(&parent));
        match is_unit || self.organization.root.value() == Some(&parent) {
            true => Ok(parent),
            false if self.organization.root.gap().is_some() => Ok(parent),
            false => Err(Failure::new(
                400,
                "ParentNotFoundException",
                "You specified parent that doesn't exist.",
            )),
        }
    }

    fn units(&self, wanted: impl Fn(&str) -> bool) -> Outcome<Vec<Value>> {
        let units = self.desk.fact(&self.organization.units)?;
        Ok(units
            .into_iter()
            .flatten()
            .filter(|(_, unit)| wanted(&unit.parent))
            .map(|(id, unit)| json!({"Id": id, "Arn": self.arn("ou", id), "Name": unit.name}))
            .collect())
    }

    fn accounts(&self, wanted: impl Fn(&str) -> bool) -> Outcome<Vec<Value>> {
        let accounts = self.desk.fact(&self.organization.accounts)?;
        let long_ago = Time(self.desk.world.snapshot.taken_at.0 - 365 * 86_400);
        Ok(accounts
            .into_iter()
            .flatten()
            .filter(|(_, account)| wanted(&account.parent))
            .map(|(id, account)| {
                json!({
                    "Id": id,
                    "Arn": self.arn("account", id),
                    "Name": account.name,
                    "Email": format!("aws+{id}@mail.invalid"),
                    "Status": account.status,
                    "State": account.status,
                    "JoinedMethod": "CREATED",
                    "JoinedTimestamp": account.joined.unwrap_or(long_ago).0,
                })
            })
            .collect())
    }

    fn one_account(&self) -> Outcome {
        let id = self.desk.call.need("AccountId")?;
        let all = self.accounts(|_| true)?;
        match all.into_iter().find(|account| account["Id"] == id.as_str()) {
            Some(account) => Ok(Answer::of(json!({ "Account": account }))),
            None => Err(Failure::new(
                400,
                "AccountNotFoundException",
                "You specified an account that doesn't exist.",
            )),
        }
    }

    fn one_unit(&self) -> Outcome {
        let id = self.desk.call.need("OrganizationalUnitId")?;
        let all = self.units(|_| true)?;
        match all.into_iter().find(|unit| unit["Id"] == id.as_str()) {
            Some(unit) => Ok(Answer::of(json!({ "OrganizationalUnit": unit }))),
            None => Err(Failure::new(
                400,
                "OrganizationalUnitNotFoundException",
                "You specified an organizational unit that doesn't exist.",
            )),
        }
    }

    fn parents(&self) -> Outcome {
        let child = self.desk.call.need("ChildId")?;
        let accounts = self.desk.fact(&self.organization.accounts)?;
        let units = self.desk.fact(&self.organization.units)?;
        let parent = accounts
            .and_then(|accounts| Some(accounts.get(&child)?.parent.clone()))
            .or_else(|| units.and_then(|units| Some(units.get(&child)?.parent.clone())));
        let Some(parent) = parent else {
            return Err(Failure::new(
                400,
                "ChildNotFoundException",
                "You specified a child that doesn't exist.",
            ));
        };
        let kind = match parent.starts_with("r-") {
            true => "ROOT",
            false => "ORGANIZATIONAL_UNIT",
        };
        self.paged("Parents", vec![json!({"Id": parent, "Type": kind})])
    }

    fn children(&self) -> Outcome {
        let parent = self.parent()?;
        let kind = self.desk.call.need("ChildType")?;
        let found = match kind.as_str() {
            "ACCOUNT" => self.accounts(|above| above == parent)?,
            _ => self.units(|above| above == parent)?,
        };
        let children = found
            .into_iter()
            .map(|child| json!({"Id": child["Id"], "Type": kind}));
        self.paged("Children", children.collect())
    }

    fn policies(&self) -> Outcome {
        let filter = self.desk.call.need("Filter")?;
        let types = self.desk.fact(&self.organization.enabled_policy_types)?;
        if !KINDS.contains(&filter.as_str()) {
            return Err(Failure::new(
                400,
                "InvalidInputException",
                "You specified an invalid value.",
            ));
        }
        let enabled = types.is_some_and(|types| types.contains(&filter));
        // SCPs can be listed even while their type is off; the full-access policy exists always.
        let policies = self.desk.fact(&self.organization.policies)?;
        let found = policies
            .into_iter()
            .flatten()
            .filter(|(_, policy)| type_of(policy.kind) == filter)
            .filter(|(_, policy)| enabled || policy.kind == OrgPolicyKind::Scp)
            .map(|(id, _)| self.summary(id));
        self.paged("Policies", found.collect())
    }

    fn summary(&self, id: &str) -> Value {
        let policy = self
            .organization
            .policies
            .value()
            .and_then(|policies| policies.get(id));
        let policy = policy.cloned().unwrap_or_default();
        let kind = type_of(policy.kind).to_ascii_lowercase();
        let arn = match policy.aws_managed {
            true => format!(
                "arn:{}:organizations::aws:policy/{kind}/{id}",
                self.desk.call.partition
            ),
            false => format!(
                "arn:{}:organizations::{}:policy/{}/{kind}/{id}",
                self.desk.call.partition,
                self.organization.management_account,
                self.organization.id
            ),
        };
        json!({
            "Id": id,
            "Arn": arn,
            "Name": policy.name,
            "Description": "",
            "Type": type_of(policy.kind),
            "AwsManaged": policy.aws_managed,
        })
    }

    fn known_policy(&self) -> Outcome<String> {
        let id = self.desk.call.need("PolicyId")?;
        let policies = self.desk.fact(&self.organization.policies)?;
        match policies.is_some_and(|policies| policies.contains_key(&id)) {
            true => Ok(id),
            false => Err(Failure::new(
                400,
                "PolicyNotFoundException",
                "You specified a policy that doesn't exist.",
            )),
        }
    }

    fn one_policy(&self) -> Outcome {
        let id = self.known_policy()?;
        let policies = self.desk.fact(&self.organization.policies)?;
        let document = match policies.and_then(|policies| policies.get(&id)) {
            Some(policy) => self.desk.fact(&policy.document)?,
            None => None,
        };
        Ok(Answer::of(json!({"Policy": {
            "PolicySummary": self.summary(&id),
            "Content": document.map(palisade_model::PolicyText::as_str),
        }})))
    }

    fn targets(&self) -> Outcome {
        let id = self.known_policy()?;
        let attachments = self.desk.fact(&self.organization.attachments)?;
        let accounts = self.organization.accounts.value();
        let units = self.organization.units.value();
        let targets = attachments
            .into_iter()
            .flatten()
            .filter(|(_, policies)| policies.contains(&id))
            .map(|(target, _)| {
                let (kind, arn, name) = match target {
                    root if root.starts_with("r-") => ("ROOT", "root", "Root".to_owned()),
                    unit if unit.starts_with("ou-") => {
                        let name = units.and_then(|units| Some(units.get(unit)?.name.clone()));
                        ("ORGANIZATIONAL_UNIT", "ou", name.unwrap_or_default())
                    }
                    account => {
                        let name = accounts.and_then(|all| Some(all.get(account)?.name.clone()));
                        ("ACCOUNT", "account", name.unwrap_or_default())
                    }
                };
                json!({
                    "TargetId": target,
                    "Arn": self.arn(arn, target),
                    "Name": name,
                    "Type": kind,
                })
            });
        self.paged("Targets", targets.collect())
    }

    fn policies_for_target(&self) -> Outcome {
        let target = self.desk.call.need("TargetId")?;
        let filter = self.desk.call.need("Filter")?;
        let attachments = self.desk.fact(&self.organization.attachments)?;
        let attached = attachments
            .and_then(|all| all.get(&target))
            .into_iter()
            .flatten();
        let all = attached
            .map(|id| self.summary(id))
            .filter(|one| one["Type"] == filter.as_str());
        self.paged("Policies", all.collect())
    }

    fn administrators(&self) -> Outcome {
        let service = self.desk.call.text("ServicePrincipal");
        let admins = self
            .desk
            .fact(&self.organization.delegated_administrators)?;
        let wanted: Vec<&String> = admins
            .into_iter()
            .flatten()
            .filter(|(_, services)| service.as_ref().is_none_or(|one| services.contains(one)))
            .map(|(id, _)| id)
            .collect();
        let since = self.desk.world.snapshot.taken_at.0 - 100 * 86_400;
        let mut listed = self.accounts(|_| true).unwrap_or_default();
        listed.retain(|account| wanted.iter().any(|id| account["Id"] == id.as_str()));
        for account in &mut listed {
            account["DelegationEnabledDate"] = since.into();
        }
        self.paged("DelegatedAdministrators", listed)
    }

    fn delegated_services(&self) -> Outcome {
        let id = self.desk.call.need("AccountId")?;
        let admins = self
            .desk
            .fact(&self.organization.delegated_administrators)?;
        let Some(services) = admins.and_then(|admins| admins.get(&id)) else {
            return Err(Failure::new(
                400,
                "AccountNotRegisteredException",
                "The specified account is not a delegated administrator for this AWS service.",
            ));
        };
        let since = self.desk.world.snapshot.taken_at.0 - 100 * 86_400;
        let all = services
            .iter()
            .map(|name| json!({"ServicePrincipal": name, "DelegationEnabledDate": since}));
        self.paged("DelegatedServices", all.collect())
    }

    fn trusted_services(&self) -> Outcome {
        let services = self.desk.fact(&self.organization.trusted_services)?;
        let since = self.desk.world.snapshot.taken_at.0 - 200 * 86_400;
        let all = services
            .into_iter()
            .flatten()
            .map(|name| json!({"ServicePrincipal": name, "DateEnabled": since}));
        self.paged("EnabledServicePrincipals", all.collect())
    }

    fn resource_policy(&self) -> Outcome {
        match self.desk.fact(&self.organization.resource_policy)? {
            Some(text) => Ok(Answer::of(json!({"ResourcePolicy": {
                "ResourcePolicySummary": {
                    "Id": "rp-palisade",
                    "Arn": self.arn("resourcepolicy", "rp-palisade"),
                },
                "Content": text.as_str(),
            }}))),
            None => Err(Failure::new(
                400,
                "ResourcePolicyNotFoundException",
                "We can't find the resource policy.",
            )),
        }
    }
}

/// Policy types that ListPolicies takes. Source: "ListPolicies", Organizations API Reference.
const KINDS: [&str; 12] = [
    "SERVICE_CONTROL_POLICY",
    "RESOURCE_CONTROL_POLICY",
    "TAG_POLICY",
    "BACKUP_POLICY",
    "AISERVICES_OPT_OUT_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "SECURITYHUB_POLICY",
    "INSPECTOR_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
    "BEDROCK_POLICY",
    "S3_POLICY",
];

fn type_of(kind: OrgPolicyKind) -> &'static str {
    match kind {
        OrgPolicyKind::Scp => KINDS[0],
        OrgPolicyKind::Rcp => KINDS[1],
    }
}

fn policy_types(types: &[String]) -> Vec<Value> {
    types
        .iter()
        .map(|kind| json!({"Type": kind, "Status": "ENABLED"}))
        .collect()
}
