//! What the owner of an estate says about it: what matters most, what matters less, and whom it
//! knows.

use std::collections::BTreeSet;

use palisade_model::AccountId;

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

impl Graph<'_> {
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
