//! Whose key: from an access key id found in an object to the user it belongs to.
//!
//! A key id is no secret and is never tried. Its account stands in it; the user and whether the
//! key works stand in that account's list of keys. Source: "IAM identifiers", IAM User Guide.

use palisade_model::{AccountId, Arn, Gap, KeyStatus, Observed, Snapshot};
use serde::{Deserialize, Serialize};

/// What is known of an access key by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum KeyOwner {
    /// A user of this estate holds it.
    User {
        /// The user.
        user: Arn,
        /// Whether it works.
        status: KeyLife,
    },
    /// Its account belongs to this estate, and no user there has it any more.
    Deleted {
        /// The account.
        account: AccountId,
    },
    /// A session of that account, which ends by itself: who opened it, its id does not tell.
    Session {
        /// The account.
        account: AccountId,
    },
    /// It belongs to an account outside this estate.
    Foreign {
        /// The account.
        account: AccountId,
    },
    /// Nothing tells: its id names no account, or that account's keys were not read.
    Unknown {
        /// The account, where its id names one.
        account: Option<AccountId>,
        /// The read that would have told.
        missing: Option<String>,
    },
}

/// Whether a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyLife {
    /// It works.
    Active,
    /// Switched off; one call switches it on again.
    Inactive,
    /// Expired.
    Expired,
}

impl KeyOwner {
    /// Whether somebody who holds the key could use it, as far as is known.
    pub fn may_work(&self) -> bool {
        match self {
            Self::User { status, .. } => *status == KeyLife::Active,
            Self::Deleted { .. } => false,
            Self::Session { .. } | Self::Foreign { .. } | Self::Unknown { .. } => true,
        }
    }
}

/// Finds the owner of a key id. `account` is the account decoded from it, where there is one.
pub fn owner(snapshot: &Snapshot, key_id: &str, account: Option<&str>) -> KeyOwner {
    let mut unread: Option<&Gap> = None;
    for data in snapshot.accounts.values() {
        match &data.iam.users {
            Observed::Value(users) => {
                for user in users.values() {
                    match &user.access_keys {
                        Observed::Value(keys) => {
                            if let Some(key) = keys.iter().find(|key| key.id == key_id) {
                                let status = match key.status {
                                    KeyStatus::Active => KeyLife::Active,
                                    KeyStatus::Inactive => KeyLife::Inactive,
                                    KeyStatus::Expired => KeyLife::Expired,
                                };
                                return KeyOwner::User {
                                    user: user.arn.clone(),
                                    status,
                                };
                            }
                        }
                        Observed::Gap(gap) if is_of(&user.arn, account) => unread = Some(gap),
                        _ => {}
                    }
                }
            }
            Observed::Gap(gap) => unread = unread.or(Some(gap)),
            Observed::Absent | Observed::NotApplicable(_) => {}
        }
    }
    let Some(account) = account else {
        let missing = unread.map(ToString::to_string);
        return KeyOwner::Unknown {
            account: None,
            missing,
        };
    };
    let id = || account.to_owned();
    match snapshot.accounts.get(account) {
        Some(data) => {
            if key_id.starts_with("ASIA") {
                return KeyOwner::Session { account: id() };
            }
            let users = data
                .iam
                .users
                .value()
                .into_iter()
                .flat_map(|users| users.values());
            let gap = data
                .iam
                .users
                .gap()
                .or_else(|| users.filter_map(|u| u.access_keys.gap()).next());
            match gap {
                Some(gap) => KeyOwner::Unknown {
                    account: Some(id()),
                    missing: Some(gap.to_string()),
                },
                None => KeyOwner::Deleted { account: id() },
            }
        }
        None => match &snapshot.organization {
            Observed::Value(organization) => match &organization.accounts {
                Observed::Value(all) if !all.contains_key(account) => {
                    KeyOwner::Foreign { account: id() }
                }
                Observed::Value(_) => KeyOwner::Unknown {
                    account: Some(id()),
                    missing: Some("the account was not scanned".to_owned()),
                },
                Observed::Gap(gap) => KeyOwner::Unknown {
                    account: Some(id()),
                    missing: Some(gap.to_string()),
                },
                _ => KeyOwner::Foreign { account: id() },
            },
            Observed::Gap(gap) => KeyOwner::Unknown {
                account: Some(id()),
                missing: Some(gap.to_string()),
            },
            Observed::Absent | Observed::NotApplicable(_) => KeyOwner::Foreign { account: id() },
        },
    }
}

fn is_of(user: &Arn, account: Option<&str>) -> bool {
    account.is_none_or(|account| user.account() == account)
}
