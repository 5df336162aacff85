//! Who can reach something from outside, by which way, and what keeps others out.

use std::collections::BTreeSet;
use std::fmt;

use palisade_model::{AccountId, Gap};
use serde::{Deserialize, Serialize};

/// The widest circle that can use a capability, from nobody outside to everybody.
///
/// The order of the variants is the order of width. A wider circle does not always hold the
/// narrower one: whoever shows the audience should show all [`Opening`]s.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Audience {
    /// Nobody outside the account that owns it.
    #[default]
    Private,
    /// Accounts of the same organization, or others that belong to this estate.
    Organization {
        /// The accounts, where they are named; empty: the whole organization.
        accounts: BTreeSet<AccountId>,
    },
    /// Named foreign accounts or organizations.
    CrossAccount {
        /// Account ids, organization ids (`o-…`), canonical user ids or VPC ids of strangers;
        /// empty: foreign, but what could not be read would have to say who.
        accounts: BTreeSet<String>,
    },
    /// Whoever comes from certain addresses, VPCs or VPC endpoints, signed in or not. Wider than named
    /// strangers, because nobody has to be named.
    Network(Network),
    /// Everybody, by way of a content delivery network in front of it.
    CdnPublic,
    /// Anybody who holds any AWS account, which is free.
    AuthenticatedAws,
    /// Everybody, without signing in.
    Public,
}

/// Where a request may come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Network {
    /// Address ranges, as CIDR blocks.
    pub ranges: BTreeSet<String>,
    /// VPC ids.
    pub vpcs: BTreeSet<String>,
    /// VPC endpoint ids.
    pub endpoints: BTreeSet<String>,
    /// Whether a request must be signed as well, by any AWS account.
    pub signed: bool,
}

impl Audience {
    /// Its width alone, without the names: what thresholds compare.
    pub fn width(&self) -> u8 {
        match self {
            Self::Private => 0,
            Self::Organization { .. } => 1,
            Self::CrossAccount { .. } => 2,
            Self::Network(_) => 3,
            Self::CdnPublic => 4,
            Self::AuthenticatedAws => 5,
            Self::Public => 6,
        }
    }

    /// Whether anybody at all can be in it: public, any AWS account, or through a CDN. Holding
    /// an AWS account is no hurdle, so the three weigh the same.
    pub fn is_everybody(&self) -> bool {
        self.width() >= Self::CdnPublic.width()
    }

    /// Named strangers.
    pub fn strangers(&self) -> Option<&BTreeSet<String>> {
        match self {
            Self::CrossAccount { accounts } => Some(accounts),
            _ => None,
        }
    }

    /// The wider of the two; of the same kind, both together.
    pub fn widen(&mut self, other: &Audience) {
        match (&mut *self, other) {
            (Self::Organization { accounts: own }, Self::Organization { accounts: others }) => {
                // No names stands for the whole, which names cannot widen.
                if own.is_empty() || others.is_empty() {
                    own.clear();
                } else {
                    own.extend(others.iter().cloned());
                }
            }
            (Self::CrossAccount { accounts: own }, Self::CrossAccount { accounts: others }) => {
                own.extend(others.iter().cloned());
            }
            (Self::Network(own), Self::Network(others)) => {
                own.ranges.extend(others.ranges.iter().cloned());
                own.vpcs.extend(others.vpcs.iter().cloned());
                own.endpoints.extend(others.endpoints.iter().cloned());
                own.signed = own.signed && others.signed;
            }
            (narrow, wide) if wide.width() > narrow.width() => *narrow = wide.clone(),
            _ => {}
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: &BTreeSet<String>| items.iter().cloned().collect::<Vec<_>>().join(", ");
        match self {
            Self::Private => f.write_str("nobody outside its account"),
            Self::Organization { accounts } if accounts.is_empty() => {
                f.write_str("every account of the organization")
            }
            Self::Organization { accounts } => {
                write!(f, "{} of the same estate", list(accounts))
            }
            Self::Network(network) => {
                let places: BTreeSet<String> = network
                    .ranges
                    .iter()
                    .chain(&network.vpcs)
                    .chain(&network.endpoints)
                    .cloned()
                    .collect();
                if places.is_empty() {
                    return f.write_str("strangers by name or by network");
                }
                write!(f, "whoever comes from {}", list(&places))
            }
            Self::CrossAccount { accounts } if accounts.is_empty() => {
                f.write_str("foreign accounts")
            }
            Self::CrossAccount { accounts } => write!(f, "the foreign {}", list(accounts)),
            Self::CdnPublic => f.write_str("everybody, through a content delivery network"),
            Self::AuthenticatedAws => f.write_str("anybody with any AWS account"),
            Self::Public => f.write_str("everybody, without signing in"),
        }
    }
}

/// What an outsider may do with a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Learn the names of objects.
    List,
    /// Read objects.
    Read,
    /// Put, overwrite or delete objects.
    Write,
    /// Rewrite access control lists, and thereby grant themselves the rest.
    ChangeAcl,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 4] = [Self::List, Self::Read, Self::Write, Self::ChangeAcl];
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list its objects",
            Self::Read => "read its objects",
            Self::Write => "write to it",
            Self::ChangeAcl => "rewrite its access control lists",
        })
    }
}

/// The way that opens a capability.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum Path {
    /// A statement of the resource's own policy.
    Policy {
        /// How people refer to it.
        statement: String,
        /// As written.
        quote: String,
    },
    /// A grant of the bucket's access control list.
    BucketAcl {
        /// The grantee as AWS writes it.
        grantee: String,
        /// The permission.
        permission: String,
    },
    /// A grant of one object's access control list.
    ObjectAcl {
        /// The object's key.
        key: String,
        /// The grantee as AWS writes it.
        grantee: String,
        /// The permission.
        permission: String,
    },
    /// An access point, or a multi-region one, to which the bucket delegates.
    AccessPoint {
        /// Its ARN.
        arn: String,
        /// Whether it spans regions.
        multi_region: bool,
        /// The statement of its policy.
        quote: String,
        /// The statement of the bucket policy that lets it through.
        bucket_quote: String,
    },
    /// A CloudFront distribution that everybody may ask.
    Cdn {
        /// The distribution's ARN or the origin access identity.
        distribution: String,
        /// The statement that lets it read.
        quote: String,
    },
    /// A setting of the resource, by name.
    Setting {
        /// The field.
        field: String,
        /// What it says.
        value: String,
    },
    /// A fact that could not be read, at its worst.
    Unread {
        /// The operation that failed.
        operation: String,
    },
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy { statement, .. } => write!(f, "policy statement {statement}"),
            Self::BucketAcl {
                grantee,
                permission,
            } => write!(f, "bucket ACL grant of {permission} to `{grantee}`"),
            Self::ObjectAcl {
                grantee,
                permission,
                ..
            } => write!(f, "object ACL grant of {permission} to `{grantee}`"),
            Self::AccessPoint {
                arn,
                multi_region: true,
                ..
            } => write!(f, "multi-region access point `{arn}`"),
            Self::AccessPoint { arn, .. } => write!(f, "access point `{arn}`"),
            Self::Cdn { distribution, .. } => write!(f, "CloudFront by `{distribution}`"),
            Self::Setting { field, value } => write!(f, "`{field}` = `{value}`"),
            Self::Unread { operation } => write!(f, "whatever {operation} would have told"),
        }
    }
}

impl Path {
    /// The text that settles it: a statement as written, or the grant.
    pub fn source(&self) -> String {
        match self {
            Self::Policy { quote, .. }
            | Self::AccessPoint { quote, .. }
            | Self::Cdn { quote, .. } => quote.clone(),
            other => other.to_string(),
        }
    }
}

/// How much of the resource a way opens.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// All of it.
    #[default]
    Whole,
    /// Only what these patterns cover, as written.
    Part(BTreeSet<String>),
}

/// One way in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Opening {
    /// For whom.
    pub audience: Audience,
    /// How.
    pub path: Path,
    /// How much.
    pub scope: Scope,
    /// The actions it opens, as AWS writes them.
    pub actions: BTreeSet<String>,
    /// Condition keys the caller has to set to the right value, which he can: they limit nobody.
    pub caller_sets: BTreeSet<String>,
}

/// What keeps an outsider out who would be in without it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "barrier")]
pub enum Barrier {
    /// A flag of the account's public access block.
    AccountBlock,
    /// A flag of the bucket's public access block.
    BucketBlock,
    /// A flag of an access point's block.
    AccessPointBlock,
    /// Object ownership is enforced, so ACLs do nothing.
    OwnerEnforced,
    /// Callers must pay and therefore sign.
    RequesterPays,
    /// A Deny of the resource's own policy.
    Deny {
        /// How people refer to it.
        statement: String,
        /// As written.
        quote: String,
    },
    /// A resource control policy of the organization.
    Rcp {
        /// The policy's id.
        policy: String,
    },
    /// Objects are encrypted under a key that outsiders may not use.
    Kms,
    /// The object lies in an archive class and must be restored first.
    Archived,
}

impl Barrier {
    /// Whether one call takes it away and nothing stored has to change: what it holds back is
    /// then *latent*.
    pub fn is_switch(&self) -> bool {
        matches!(
            self,
            Self::AccountBlock | Self::BucketBlock | Self::AccessPointBlock | Self::OwnerEnforced
        )
    }
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccountBlock => f.write_str("the account's public access block"),
            Self::BucketBlock => f.write_str("the bucket's public access block"),
            Self::AccessPointBlock => f.write_str("the access point's public access block"),
            Self::OwnerEnforced => f.write_str("enforced object ownership"),
            Self::RequesterPays => f.write_str("requester pays"),
            Self::Deny { statement, .. } => write!(f, "the Deny in {statement}"),
            Self::Rcp { policy } => write!(f, "resource control policy `{policy}`"),
            Self::Kms => f.write_str("encryption under a KMS key"),
            Self::Archived => f.write_str("an archive storage class"),
        }
    }
}

/// What holds back a wider audience.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stop {
    /// Without these (all of them) …
    pub barriers: BTreeSet<Barrier>,
    /// … it would be open to this audience.
    pub audience: Audience,
    /// The way that would then be open.
    pub path: Path,
}

impl Stop {
    /// Whether only switches hold it: the opening itself is stored and waiting.
    pub fn is_latent(&self) -> bool {
        self.barriers.iter().all(Barrier::is_switch)
    }
}

/// What is known about one capability.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The audience if everything unread is as closed as it can be: proven.
    pub at_least: Audience,
    /// The audience if everything unread is as open as it can be.
    pub at_most: Audience,
    /// The unread facts that make the difference; empty when both ends are the same.
    pub gaps: Vec<Gap>,
    /// The ways in, proven ones first, widest first.
    pub openings: Vec<Opening>,
    /// How many of `openings`, from the front, are proven.
    pub proven: usize,
    /// What holds back more.
    pub stops: Vec<Stop>,
}

impl Verdict {
    /// The audience, unless something unread could change it.
    pub fn known(&self) -> Option<&Audience> {
        (self.at_least == self.at_most).then_some(&self.at_least)
    }

    /// Whether `test` holds of the audience: `None` when what was unread decides it. `test` must
    /// be one that a wider audience cannot fail.
    pub fn is(&self, test: impl Fn(&Audience) -> bool) -> Option<bool> {
        if test(&self.at_least) {
            Some(true)
        } else if test(&self.at_most) {
            None
        } else {
            Some(false)
        }
    }

    /// The proven ways in.
    pub fn proven(&self) -> &[Opening] {
        &self.openings[..self.proven]
    }

    /// Switches that alone hold back everybody.
    pub fn latent(&self) -> impl Iterator<Item = &Stop> {
        self.stops
            .iter()
            .filter(|stop| stop.is_latent() && stop.audience.is_everybody())
    }
}
