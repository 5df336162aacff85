//! Who asks, and whether a `Principal` or `NotPrincipal` element means them.
//!
//! Source: "AWS JSON policy elements: Principal" and "… NotPrincipal", IAM User Guide.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::Context;
use super::document::{PrincipalKind, PrincipalName, Statement};

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Caller {
    /// An IAM user.
    User {
        /// Its ARN.
        arn: Arc<str>,
        /// Its account.
        account: Box<str>,
    },
    /// A role: some session of it, it is not said which.
    Role {
        /// The role's ARN, path included.
        arn: Arc<str>,
        /// Its account.
        account: Box<str>,
    },
    /// One session of a role.
    Session {
        /// The session's ARN: `arn:aws:sts::…:assumed-role/NAME/SESSION`.
        arn: Box<str>,
        /// The role's ARN where it is known; session ARNs leave out the role's path.
        role: Option<Box<str>>,
        /// The role's name.
        name: Box<str>,
        /// Its account.
        account: Box<str>,
    },
    /// A session from `sts:GetFederationToken`.
    FederatedUser {
        /// The session's ARN.
        arn: Box<str>,
        /// Its account.
        account: Box<str>,
    },
    /// The root user of an account.
    Root {
        /// `arn:aws:iam::…:root`.
        arn: Arc<str>,
        /// The account.
        account: Box<str>,
    },
    /// An AWS service acting for itself.
    Service(Box<str>),
    /// Somebody an identity provider vouches for, who has no AWS identity yet.
    Federated(Box<str>),
    /// Nobody signed in.
    Anonymous,
}

/// How a statement came to mean the caller. What a grant is worth depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Naming {
    /// By the account: it delegates to the account's own policies.
    Account,
    /// By the role a session belongs to.
    Role,
    /// By the user's own ARN, the service, or the identity provider.
    Direct,
    /// By the session's own ARN.
    Session,
    /// As everyone.
    Everyone,
}

impl Naming {
    pub(crate) const COUNT: usize = 5;
}

impl Caller {
    /// Tells from a name who it is: an ARN, a service principal, a 12-digit account (its root
    /// user), or `anonymous`. For role sessions `aws:PrincipalArn`, where known, is the role.
    pub fn new(name: &str, context: &Context) -> Self {
        let own = || Box::from(name);
        let parts: Vec<&str> = name.splitn(6, ':').collect();
        let [_, partition, service, _, account, rest] = parts[..] else {
            return match name {
                "anonymous" | "*" => Self::Anonymous,
                account if is_account(account) => Self::Root {
                    arn: format!("arn:aws:iam::{account}:root").into(),
                    account: account.into(),
                },
                // Identity providers that need no ARN.
                "accounts.google.com"
                | "www.amazon.com"
                | "graph.facebook.com"
                | "cognito-identity.amazonaws.com" => Self::Federated(own()),
                _ => Self::Service(own()),
            };
        };
        let account: Box<str> = account.into();
        let (kind, tail) = rest.split_once('/').unwrap_or((rest, ""));
        match (service, kind) {
            ("iam", "root") => Self::Root {
                arn: name.into(),
                account,
            },
            ("iam", "role") => Self::Role {
                arn: name.into(),
                account,
            },
            ("iam", "oidc-provider" | "saml-provider") => Self::Federated(own()),
            ("sts", "assumed-role") => {
                let role_name = tail.split('/').next().unwrap_or_default();
                let known = context.single("aws:PrincipalArn").filter(|arn| {
                    arn.starts_with(&format!("arn:{partition}:iam::{account}:role/"))
                        && arn.rsplit('/').next() == Some(role_name)
                });
                let role = known.map(Into::into);
                Self::Session {
                    arn: own(),
                    role,
                    name: role_name.into(),
                    account,
                }
            }
            ("sts", "federated-user") => Self::FederatedUser {
                arn: own(),
                account,
            },
            _ => Self::User {
                arn: name.into(),
                account,
            },
        }
    }

    /// The account it belongs to.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::User { account, .. }
            | Self::Role { account, .. }
            | Self::Session { account, .. }
            | Self::FederatedUser { account, .. }
            | Self::Root { account, .. } => Some(account),
            Self::Service(_) | Self::Federated(_) | Self::Anonymous => None,
        }
    }

    /// Whether it is a service-linked role, which SCPs, RCPs and boundaries never limit.
    ///
    /// Source: "Service control policies (SCPs)" and "Resource control policies (RCPs)",
    /// Organizations User Guide.
    pub fn is_service_linked(&self) -> bool {
        match self {
            Self::Session { name, .. } => name.starts_with("AWSServiceRoleFor"),
            Self::Role { arn, .. } => {
                arn.contains(":role/aws-service-role/")
                    || arn
                        .rsplit('/')
                        .next()
                        .is_some_and(|n| n.starts_with("AWSServiceRoleFor"))
            }
            _ => false,
        }
    }

    /// Whether it has identity-based policies, SCPs and boundaries at all.
    pub fn has_identity(&self) -> bool {
        self.account().is_some()
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// What a statement says about who it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PrincipalMatcher {
    /// No element: identity-based policies mean whoever holds them.
    Holder,
    /// `Principal`.
    Named(Box<[Name]>),
    /// `NotPrincipal`.
    AllBut(Box<[Name]>),
}

/// One name, told apart by what it can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    Everyone,
    Account(Box<str>),
    /// A user, role, session or federated user by ARN, or the unique id of a deleted one.
    Arn(Box<str>),
    Service(Box<str>),
    Federated(Box<str>),
    /// An S3 canonical user id: which account has it is not in any policy.
    Canonical,
    /// Whoever has an AWS account: a group that ACLs know.
    SignedIn,
    /// A role of which one session or another is meant, whatever the role's path: which one, a
    /// condition beside it says.
    SomeSession {
        account: Box<str>,
        role: Box<str>,
    },
    /// Some account or other, but none of these: in a list that was not read, or by a canonical
    /// user id nobody knows.
    AnyAccount(Box<[Box<str>]>),
}

impl Name {
    pub(crate) fn new(written: &PrincipalName) -> Self {
        let value: &str = &written.value;
        match written.kind {
            PrincipalKind::CanonicalUser if value == super::acl::AUTHENTICATED_USERS => {
                Self::SignedIn
            }
            PrincipalKind::CanonicalUser if value.starts_with(super::acl::ANY_ACCOUNT) => {
                let but = value[super::acl::ANY_ACCOUNT.len()..].split_whitespace();
                Self::AnyAccount(but.map(Into::into).collect())
            }
            PrincipalKind::CanonicalUser => Self::Canonical,
            PrincipalKind::Service => Self::Service(value.into()),
            PrincipalKind::Federated => Self::Federated(value.into()),
            PrincipalKind::Aws if value == "*" => Self::Everyone,
            PrincipalKind::Aws if is_account(value) => Self::Account(value.into()),
            PrincipalKind::Aws => {
                let account = value
                    .strip_suffix(":root")
                    .and_then(|head| head.rsplit(':').next());
                match account.filter(|account| is_account(account)) {
                    Some(account) if value.starts_with("arn:") => Self::Account(account.into()),
                    _ => Self::Arn(value.into()),
                }
            }
        }
    }

    /// Whether and how it means the caller.
    #[inline]
    fn means(&self, caller: &Caller) -> Option<Naming> {
        match self {
            Self::Everyone => Some(Naming::Everyone),
            Self::Account(own) => (caller.account() == Some(own)).then_some(Naming::Account),
            Self::Arn(own) => match caller {
                Caller::User { arn, .. } => (**arn == **own).then_some(Naming::Direct),
                Caller::FederatedUser { arn, .. } => (arn == own).then_some(Naming::Session),
                Caller::Role { arn, .. } => (**arn == **own).then_some(Naming::Role),
                Caller::Session { arn, .. } if arn == own => Some(Naming::Session),
                Caller::Session {
                    role: Some(role), ..
                } => (role == own).then_some(Naming::Role),
                Caller::Session {
                    role: None,
                    name,
                    account,
                    ..
                } => is_role_named(own, account, name).then_some(Naming::Role),
                _ => None,
            },
            Self::Service(own) => match caller {
                Caller::Service(name) => (name == own || &**own == "*").then_some(Naming::Direct),
                _ => None,
            },
            Self::Federated(own) => match caller {
                Caller::Federated(name) => (name == own || &**own == "*").then_some(Naming::Direct),
                _ => None,
            },
            Self::SomeSession { account, role } => match caller {
                Caller::Role { arn, account: own } => (own == account
                    && arn.rsplit('/').next() == Some(role))
                .then_some(Naming::Session),
                _ => None,
            },
            Self::AnyAccount(but) => {
                let account = caller.account()?;
                let other = !but.iter().any(|known| **known == *account);
                other.then_some(Naming::Account)
            }
            Self::SignedIn => caller.has_identity().then_some(Naming::Everyone),
            Self::Canonical => None,
        }
    }
}

/// Whether an ARN is a role of this name, under whatever path: names are unique in an account.
fn is_role_named(arn: &str, account: &str, name: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    parts.next() == Some("iam")
        && parts.next() == Some("")
        && parts.next() == Some(account)
        && parts
            .next()
            .and_then(|rest| rest.strip_prefix("role/"))
            .is_some_and(|path| path.rsplit('/').next() == Some(name))
}

impl PrincipalMatcher {
    pub(crate) fn new(statement: &Statement) -> Self {
        let names = |written: &[PrincipalName]| written.iter().map(Name::new).collect();
        match (&statement.principal, &statement.not_principal) {
            (Some(named), _) => Self::Named(names(named)),
            (None, Some(others)) => Self::AllBut(names(others)),
            (None, None) => Self::Holder,
        }
    }

    /// The sessions it names, by the role and its account.
    pub(crate) fn sessions(&self) -> BTreeMap<(&str, &str), Vec<&str>> {
        let mut out: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        let names = match self {
            Self::Named(names) => &names[..],
            Self::AllBut(_) | Self::Holder => &[],
        };
        for name in names {
            let Name::Arn(arn) = name else { continue };
            let mut parts = arn.splitn(6, ':').skip(2);
            let mut next = || parts.next().unwrap_or_default();
            let (service, _, account, rest) = (next(), next(), next(), next());
            let tail = rest
                .strip_prefix("assumed-role/")
                .filter(|_| service == "sts");
            if let Some((role, session)) = tail.and_then(|tail| tail.split_once('/')) {
                out.entry((account, role)).or_default().push(session);
            }
        }
        out
    }

    /// How a grant to this principal element reaches the caller: the strongest naming.
    #[inline]
    pub(crate) fn grants(&self, caller: &Caller) -> Option<Naming> {
        match self {
            Self::Holder => None,
            Self::Named(names) => names.iter().filter_map(|name| name.means(caller)).max(),
            // "grants to everyone else", the anonymous included.
            Self::AllBut(names) => names
                .iter()
                .all(|name| name.means(caller).is_none())
                .then_some(Naming::Everyone),
        }
    }

    /// Whether a refusal to this principal element hits the caller.
    ///
    /// With `NotPrincipal` every name of the caller must be listed to be spared: a session's
    /// own, its role's and its account's. A caller with a boundary is never spared ("NotPrincipal
    /// … with permissions boundaries", IAM User Guide).
    pub(crate) fn refuses(&self, caller: &Caller, bounded: bool) -> bool {
        match self {
            Self::Holder => true,
            Self::Named(names) => names.iter().any(|name| name.means(caller).is_some()),
            Self::AllBut(names) => {
                let listed = |naming| names.iter().any(|name| name.means(caller) == Some(naming));
                if listed(Naming::Everyone) {
                    return false;
                }
                if bounded && caller.has_identity() {
                    return true;
                }
                let spared = match caller {
                    Caller::User { .. } => listed(Naming::Direct) && listed(Naming::Account),
                    Caller::Role { .. } => listed(Naming::Role) && listed(Naming::Account),
                    Caller::Session { .. } => {
                        listed(Naming::Session) && listed(Naming::Role) && listed(Naming::Account)
                    }
                    Caller::FederatedUser { .. } => {
                        listed(Naming::Session) && listed(Naming::Account)
                    }
                    Caller::Root { .. } => listed(Naming::Account),
                    Caller::Service(_) | Caller::Federated(_) => listed(Naming::Direct),
                    Caller::Anonymous => false,
                };
                !spared
            }
        }
    }
}
