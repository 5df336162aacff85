//! What a path stands on: who or what an attacker may hold.

use std::fmt;

use palisade_model::{AccountId, Arn};
use serde::{Deserialize, Serialize};

use super::weigh::Span;

/// One thing an attacker can be, hold or run in.
///
/// Ordered and comparable, so that it can key maps; [`Node::id`] is its stable name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Node {
    /// Anybody, without any credential.
    Internet,
    /// Somebody in an account that is neither scanned nor of the organization.
    ForeignAccount {
        /// The account's id, or `*` for any account of AWS.
        account: AccountId,
    },
    /// Somebody an identity provider vouches for.
    IdentityProvider {
        /// The provider's ARN, or the issuer's host where it has none.
        provider: String,
    },
    /// Somebody in a scanned account, whoever it is: a breach that is assumed.
    AnyPrincipal {
        /// The account's id.
        account: AccountId,
    },
    /// A credential that lies somewhere: an object, a variable, a user data script.
    Credential {
        /// Where it lies: `s3://bucket/key` or the ARN of the resource that holds it.
        place: String,
    },
    /// A user, a role or an account's root user.
    Principal {
        /// Its ARN.
        arn: Arn,
    },
    /// A principal after it has changed what it may do.
    Elevated {
        /// Its ARN.
        arn: Arn,
        /// The technique that changed it.
        by: String,
    },
    /// A resource that runs code or holds a role.
    Workload {
        /// Its ARN.
        arn: Arn,
    },
    /// A resource that holds data.
    Data {
        /// Its ARN.
        arn: Arn,
    },
    /// Administrator of an account: an identity-side Allow of `*` on `*`.
    Administrator {
        /// The account's id.
        account: AccountId,
    },
    /// Administrator of the organization: of its management account, or of all its guardrails.
    Organization {
        /// The organization's id.
        organization: String,
    },
}

impl Node {
    /// The node of a user, role or root user.
    pub fn principal(arn: impl Into<Arn>) -> Self {
        Node::Principal { arn: arn.into() }
    }

    /// The node of an account's administrator.
    pub fn administrator(account: impl Into<AccountId>) -> Self {
        Node::Administrator {
            account: account.into(),
        }
    }

    /// A name that is equal for equal nodes in every run and every version.
    pub fn id(&self) -> String {
        match self {
            Node::Internet => "internet".to_owned(),
            Node::ForeignAccount { account } => format!("account:{account}"),
            Node::IdentityProvider { provider } => format!("provider:{provider}"),
            Node::AnyPrincipal { account } => format!("principals:{account}"),
            Node::Credential { place } => format!("credential:{place}"),
            Node::Principal { arn } | Node::Workload { arn } | Node::Data { arn } => {
                arn.as_str().to_owned()
            }
            Node::Elevated { arn, by } => format!("{arn}#{by}"),
            Node::Administrator { account } => format!("administrator:{account}"),
            Node::Organization { organization } => format!("organization:{organization}"),
        }
    }

    /// The ARN, where the node is one thing that AWS names.
    pub fn arn(&self) -> Option<&Arn> {
        match self {
            Node::Principal { arn }
            | Node::Elevated { arn, .. }
            | Node::Workload { arn }
            | Node::Data { arn } => Some(arn),
            _ => None,
        }
    }

    /// The account it belongs to, where it belongs to one.
    pub fn account(&self) -> Option<&str> {
        match self {
            Node::Administrator { account }
            | Node::ForeignAccount { account }
            | Node::AnyPrincipal { account } => Some(account),
            _ => self
                .arn()
                .map(Arn::account)
                .filter(|account| !account.is_empty()),
        }
    }

    /// Whether an attacker begins there without holding anything of the estate.
    pub(crate) fn is_outside(&self) -> bool {
        matches!(
            self,
            Node::Internet
                | Node::ForeignAccount { .. }
                | Node::IdentityProvider { .. }
                | Node::Credential { .. }
        )
    }

    /// The class of a target, as reports and rules name it.
    pub fn class(&self) -> &'static str {
        match self {
            Node::Internet => "internet",
            Node::ForeignAccount { .. } => "foreign-account",
            Node::IdentityProvider { .. } => "identity-provider",
            Node::AnyPrincipal { .. } => "any-principal",
            Node::Credential { .. } => "credential",
            Node::Principal { .. } | Node::Elevated { .. } => "principal",
            Node::Workload { .. } => "workload",
            Node::Data { .. } => "data",
            Node::Administrator { .. } => "account-admin",
            Node::Organization { .. } => "organization-admin",
        }
    }
}

impl fmt::Display for Node {
    /// What a person calls it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Internet => f.write_str("the internet"),
            Node::ForeignAccount { account } if account == "*" => f.write_str("any AWS account"),
            Node::ForeignAccount { account } => write!(f, "foreign account {account}"),
            Node::IdentityProvider { provider } => {
                let name = provider
                    .split_once("-provider/")
                    .map_or(provider.as_str(), |p| p.1);
                write!(f, "anyone {name} vouches for")
            }
            Node::AnyPrincipal { account } => write!(f, "any principal of {account}"),
            Node::Credential { place } => write!(f, "a credential in {place}"),
            Node::Principal { arn } | Node::Workload { arn } | Node::Data { arn } => {
                f.write_str(short(arn))
            }
            Node::Elevated { arn, by } if by.ends_with(":through-a-service") => {
                write!(f, "{}, through a service", short(arn))
            }
            Node::Elevated { arn, .. } => write!(f, "{}, elevated", short(arn)),
            Node::Administrator { account } => write!(f, "administrator of {account}"),
            Node::Organization { organization } => {
                write!(f, "administrator of organization {organization}")
            }
        }
    }
}

/// The part of an ARN people use: `role/ci/build`, `function:report`, `my-bucket`.
fn short(arn: &Arn) -> &str {
    if arn.resource().is_empty() {
        arn.as_str()
    } else {
        arn.resource()
    }
}

/// A node that stands for itself and for others that are the same to every question asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The node shown.
    pub node: Node,
    /// Every member of its class in this place, itself among them, sorted; empty when alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Node>,
    /// Other beginnings that can become it for certain and that it can become, sorted: in a circle
    /// whoever holds one holds all, and the best of them is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub circle: Vec<Fellow>,
}

/// Somebody who stands in a circle with the node shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fellow {
    /// Who.
    pub node: Node,
    /// What the target is worth from there: no more than from the node shown.
    pub score: Span,
}

impl Stop {
    /// A node that stands for itself.
    pub fn alone(node: Node) -> Self {
        Stop {
            node,
            members: Vec::new(),
            circle: Vec::new(),
        }
    }

    /// Everybody it stands for: its class, or itself, and its circle.
    pub fn everybody(&self) -> impl Iterator<Item = &Node> {
        let own = match self.members.is_empty() {
            true => std::slice::from_ref(&self.node),
            false => &self.members,
        };
        let circle = self.circle.iter().map(|fellow| &fellow.node);
        own.iter().chain(circle)
    }

    /// How many nodes it and its class are.
    pub fn count(&self) -> usize {
        self.members.len().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_nodes_apart_and_displays_are_short() {
        let arn = Arn::from("arn:aws:iam::111122223333:role/ci/build");
        let nodes = [
            Node::Internet,
            Node::principal(arn.clone()),
            Node::Elevated {
                arn,
                by: "iam.put-role-policy-self".to_owned(),
            },
            Node::administrator("111122223333"),
        ];
        let ids: std::collections::BTreeSet<_> = nodes.iter().map(Node::id).collect();
        assert_eq!(ids.len(), nodes.len());
        assert_eq!(nodes[1].to_string(), "role/ci/build");
        assert_eq!(nodes[1].account(), Some("111122223333"));
        assert_eq!(nodes[3].class(), "account-admin");
    }
}
