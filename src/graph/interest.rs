//! What the owner of an estate says about it: what matters most, what matters less, and whom it
//! knows.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::{AccountId, Arn};

use super::Node;
use super::find::Graph;
use super::net::Id;
use crate::policy::Glob;

/// What the configuration says about the estate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interests {
    /// Targets besides the administrators: ARNs, `*` and `?` allowed.
    pub jewels: Vec<String>,
    /// Accounts whose administrator is worth less.
    pub sandboxes: BTreeSet<AccountId>,
    /// Foreign accounts that are known and trusted.
    pub known_accounts: BTreeSet<AccountId>,
    /// Whether paths inside begin at whichever principal of an account is breached, instead of at
    /// each of them.
    pub assume_breach: bool,
}

/// SCPs that one account takes.
///
/// Source: "Quotas and service limits for AWS Organizations", AWS Organizations User Guide, 2026-10.
const MAX_ATTACHED: usize = 5;

/// Accounts whose principals an SCP holds back, with those who are administrators and would have
/// to be let through.
pub type Guarded = BTreeMap<AccountId, Vec<Arn>>;

impl Graph<'_> {
    /// The accounts in which an SCP has an effect: members of an organization that was read and
    /// uses SCPs, but for its management account.
    ///
    /// Source: "Service control policies (SCPs)", AWS Organizations User Guide, 2026-10.
    pub fn guarded(&self) -> Guarded {
        let mut guarded = Guarded::new();
        let Some(organization) = self.judge.scene.snapshot.organization.value() else {
            return guarded;
        };
        let kinds = organization.enabled_policy_types.value();
        let on = kinds.is_some_and(|all| all.iter().any(|kind| kind == "SERVICE_CONTROL_POLICY"));
        let (Some(_), Some(attachments), true) = (
            organization.policies.value(),
            organization.attachments.value(),
            on,
        ) else {
            return guarded;
        };
        for account in self.judge.scene.snapshot.accounts.keys() {
            let attached = attachments.get(account).map_or(0, Vec::len);
            if *account != organization.management_account && attached < MAX_ATTACHED {
                guarded.insert(account.clone(), Vec::new());
            }
        }
        for id in self.grown.administrators.keys() {
            let actor = self
                .grown
                .actors
                .get(id)
                .filter(|actor| actor.mods.is_empty());
            if let Some(actor) = actor
                && let Some(all) = guarded.get_mut(actor.arn.account())
            {
                all.push(actor.arn.clone());
            }
        }
        guarded.values_mut().for_each(|all| all.sort());
        guarded
    }

    /// Targets nobody has to name: administrators, crown jewels, and the data that somebody from
    /// outside reaches.
    pub(super) fn default_targets(&self) -> Vec<Id> {
        let jewels: Vec<Glob> = self
            .judge
            .interests
            .jewels
            .iter()
            .map(|p| Glob::new(p))
            .collect();
        let outside = self.reached_from_outside();
        let wanted = |(node, id): &(&Node, &Id)| match node {
            Node::Administrator { .. } | Node::Organization { .. } => true,
            Node::Data { .. } if outside[**id as usize] => true,
            node => node
                .arn()
                .is_some_and(|arn| jewels.iter().any(|glob| glob.matches(arn.as_str()))),
        };
        let all = self.grown.ids.iter().filter(wanted);
        all.map(|(_, id)| *id).collect()
    }

    /// Nodes that somebody from outside reaches without becoming administrator of anything first.
    fn reached_from_outside(&self) -> Vec<bool> {
        let mut seen = vec![false; self.grown.net.len()];
        let is_end = |id: Id| {
            matches!(
                self.grown.nodes[id as usize],
                Some(Node::Administrator { .. } | Node::Organization { .. })
            )
        };
        let mut waiting: Vec<Id> = Vec::new();
        for (node, id) in &self.grown.ids {
            if matches!(
                node,
                Node::Internet | Node::ForeignAccount { .. } | Node::IdentityProvider { .. }
            ) {
                seen[*id as usize] = true;
                waiting.push(*id);
            }
        }
        while let Some(node) = waiting.pop() {
            for number in self.grown.net.out(node) {
                let head = self.grown.net.link(number).head;
                if !seen[head as usize] && !is_end(head) {
                    seen[head as usize] = true;
                    waiting.push(head);
                }
            }
        }
        seen
    }

    /// The row of the target weights.
    pub(super) fn target_row(&self, node: &Node) -> &'static str {
        match node {
            Node::Administrator { account } if self.judge.interests.sandboxes.contains(account) => {
                "sandbox-admin"
            }
            Node::Administrator { .. } => "account-admin",
            Node::Organization { .. } => "organization-admin",
            Node::Data { .. } | Node::Credential { .. } => "data",
            _ => "principal",
        }
    }
}
