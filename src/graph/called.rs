//! What people call nodes: names with wildcards, and names of whole kinds.

use super::Node;
use super::find::Graph;
use crate::policy::Glob;

/// Whether a node is of a kind.
type IsOfKind = fn(&Node) -> bool;

/// Names of kinds of nodes, and what each takes in.
const KINDS: [(&str, IsOfKind); 7] = [
    ("administrators", |node| {
        matches!(node, Node::Administrator { .. })
    }),
    ("organization", |node| {
        matches!(node, Node::Organization { .. })
    }),
    ("data", |node| matches!(node, Node::Data { .. })),
    ("workloads", |node| matches!(node, Node::Workload { .. })),
    ("users", |node| is_principal(node, "user/")),
    ("roles", |node| is_principal(node, "role/")),
    ("outside", |node| {
        matches!(
            node,
            Node::Internet | Node::ForeignAccount { .. } | Node::IdentityProvider { .. }
        )
    }),
];

impl Graph<'_> {
    /// The nodes that a name with `*` or `?` fits, whole or as the end of an ARN, or that the name
    /// of a kind takes in; sorted. `None` where the name is of neither sort.
    pub fn called(&self, name: &str) -> Option<Vec<Node>> {
        if let Some((_, takes)) = KINDS.iter().find(|(kind, _)| *kind == name) {
            return Some(self.those(&|node| takes(node)));
        }
        if name == "jewels" {
            let jewels = &self.judge.interests.jewels;
            let globs: Vec<Glob> = jewels.iter().map(|pattern| Glob::new(pattern)).collect();
            return Some(self.those(&|node| {
                let arn = node.arn();
                arn.is_some_and(|arn| globs.iter().any(|glob| glob.matches(arn.as_str())))
            }));
        }
        if !name.contains(['*', '?']) {
            return None;
        }
        let globs = [name, &format!("*:{name}"), &format!("*/{name}")].map(Glob::new);
        Some(self.those(&|node| {
            let id = node.id();
            !matches!(node, Node::Elevated { .. }) && globs.iter().any(|glob| glob.matches(&id))
        }))
    }

    fn those(&self, takes: &dyn Fn(&Node) -> bool) -> Vec<Node> {
        let nodes = self.grown.ids.keys();
        nodes.filter(|node| takes(node)).cloned().collect()
    }
}

fn is_principal(node: &Node, kind: &str) -> bool {
    matches!(node, Node::Principal { arn } if arn.resource().starts_with(kind))
}
