//! Policies that a principal may come to hold: other versions, other groups, one of its own
//! making.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_model::{Arn, PolicyText, Snapshot, aws_managed};

use crate::policy::{Attached, CompiledPolicy, Interner};

/// Policies a principal may bring to bear on itself, compiled once per text.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) snapshot: &'a Snapshot,
    interner: RefCell<Interner>,
}

impl<'a> Ground<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        Ground {
            snapshot,
            interner: RefCell::default(),
        }
    }

    /// A policy, compiled once per text.
    pub(crate) fn compile(&self, name: &str, text: &PolicyText) -> Attached {
        Attached::new(name, self.interner.borrow_mut().get(text.as_str()))
    }

    /// Condition keys for tags that some policy of the snapshot speaks of, in lower case.
    pub(crate) fn tag_keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        let mut seen = rustc_hash::FxHashSet::default();
        each_policy(self.snapshot, &mut |text| {
            if seen.insert(text.as_str()) {
                tag_keys_in(text.as_str(), &mut keys);
            }
        });
        keys
    }

    /// Whether some policy of the snapshot speaks of a condition key, in lower case.
    pub(crate) fn speaks_of(&self, key: &str) -> bool {
        let mut found = false;
        each_policy(self.snapshot, &mut |text| {
            found = found || text.as_str().to_ascii_lowercase().contains(key);
        });
        found
    }

    /// Every policy text of the snapshot that may speak of tags.
    pub(crate) fn each_policy(&self, see: &mut dyn FnMut(&PolicyText)) {
        each_policy(self.snapshot, &mut |text| see(text));
    }

    /// A managed policy by ARN: its document in force. Those of AWS are known without being read.
    pub(crate) fn managed(&self, arn: &Arn, account: &str) -> Attached {
        let policies = self
            .snapshot
            .accounts
            .get(account)
            .map(|account| &account.iam.policies);
        let found = policies.and_then(|policies| policies.value()?.get(arn)?.document());
        match found {
            Some(text) => self.compile(arn.as_str(), text),
            None if known_by_heart(arn).is_some() => {
                let text = known_by_heart(arn).unwrap_or_default();
                self.compile(arn.as_str(), &PolicyText::new(text))
            }
            None => unread(arn.as_str(), "its document was not read"),
        }
    }

    /// One stored version of a managed policy.
    pub(crate) fn version(&self, arn: &Arn, account: &str, version: &str) -> Option<Attached> {
        let policies = self.snapshot.accounts.get(account)?.iam.policies.value()?;
        let text = policies.get(arn)?.versions.get(version)?;
        Some(self.compile(&format!("{arn} {version}"), text))
    }

    /// An Allow of everything.
    pub(crate) fn anything(&self) -> Attached {
        self.compile("a policy of the attacker's making", &everything())
    }

    /// A deny of everything but these actions.
    pub(crate) fn nothing_but(&self, actions: &[String]) -> Attached {
        let text = PolicyText::from(serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Deny", "NotAction": actions, "Resource": "*" }],
        }));
        self.compile("what the service lets through", &text)
    }

    /// Every policy of a group.
    pub(crate) fn group(&self, arn: &Arn) -> Vec<Attached> {
        let account = self.snapshot.accounts.get(arn.account());
        let groups = account.and_then(|account| account.iam.groups.value());
        let Some(group) = groups.and_then(|groups| groups.get(arn.name())) else {
            return vec![unread(arn.as_str(), "the group was not read")];
        };
        let inline = group.inline.iter();
        let inline = inline.map(|(name, text)| {
            self.compile(
                &format!("inline policy `{name}` of group `{}`", arn.name()),
                text,
            )
        });
        let managed = group
            .attached
            .iter()
            .map(|policy| self.managed(policy, arn.account()));
        inline.chain(managed).collect()
    }
}

/// Every policy text of the snapshot that may speak of tags.
fn each_policy<'a>(snapshot: &'a Snapshot, see: &mut dyn FnMut(&'a PolicyText)) {
    let organization = snapshot
        .organization
        .value()
        .and_then(|o| o.policies.value());
    let limits = organization.into_iter().flat_map(BTreeMap::values);
    limits
        .filter_map(|policy| policy.document.value())
        .for_each(&mut *see);
    for account in snapshot.accounts.values() {
        let iam = &account.iam;
        let users = iam.users.value().into_iter().flat_map(BTreeMap::values);
        users
            .flat_map(|user| user.inline.values())
            .for_each(&mut *see);
        let groups = iam.groups.value().into_iter().flat_map(BTreeMap::values);
        groups
            .flat_map(|group| group.inline.values())
            .for_each(&mut *see);
        for role in iam.roles.value().into_iter().flat_map(BTreeMap::values) {
            see(&role.trust);
            role.inline.values().for_each(&mut *see);
        }
        let managed = iam.policies.value().into_iter().flat_map(BTreeMap::values);
        managed
            .flat_map(|policy| policy.versions.values())
            .for_each(&mut *see);
    }
}

/// Finds `aws:PrincipalTag/team` and its like wherever they stand, in conditions and variables.
fn tag_keys_in(text: &str, keys: &mut BTreeSet<String>) {
    let lower = text.to_ascii_lowercase();
    for family in [":principaltag/", ":resourcetag/", ":requesttag/"] {
        for (at, _) in lower.match_indices(family) {
            // Services have keys of their own for tags: `ssm:resourceTag/team`.
            let service = lower[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let service = service.into_iter().next().unwrap_or_default();
            let rest = &lower[at + family.len()..];
            let end = rest.find(['"', '}', ',']).unwrap_or(rest.len());
            keys.insert(format!("{service}{family}{}", &rest[..end]));
        }
    }
}

/// Whether this is the AWS-managed policy that allows everything.
pub(crate) fn is_administrator_access(arn: &Arn) -> bool {
    arn.account() == "aws" && arn.resource() == "policy/AdministratorAccess"
}

/// AWS-managed policies that are in every account, whether or not they are attached there, and
/// that make an administrator of whoever attaches them.
pub(crate) const IN_EVERY_ACCOUNT: [&str; 2] =
    ["policy/AdministratorAccess", "policy/IAMFullAccess"];

/// The document of a policy that AWS manages, where it is known without being read.
pub(crate) fn known_by_heart(arn: &Arn) -> Option<&'static str> {
    aws_managed(arn).map(|known| known.document)
}

const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

fn everything() -> PolicyText {
    PolicyText::new(EVERYTHING)
}

fn unread(name: &str, reason: &str) -> Attached {
    Attached::new(name, Arc::new(CompiledPolicy::unread(reason)))
}
