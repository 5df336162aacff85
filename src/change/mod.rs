//! A change as a value: snapshot + changes → snapshot.
//!
//! Every change here takes something away: a permission, a trust, public access, a key. So any
//! number of them may be applied together, in any order.

mod document;

use std::fmt;

use palisade_model::{
    Account, Arn, KeyStatus, Observed, OrgPolicy, OrgPolicyKind, PolicyText, PublicAccessBlock,
    Snapshot,
};
use serde::{Deserialize, Serialize};

/// Where a policy stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Place {
    /// An inline policy of a user or role.
    Inline {
        /// Whose.
        principal: Arn,
        /// Its name.
        policy: String,
    },
    /// An inline policy of a group.
    Group {
        /// The account.
        account: String,
        /// The group's name.
        group: String,
        /// The policy's name.
        policy: String,
    },
    /// A customer managed policy.
    Managed {
        /// Its ARN.
        policy: Arn,
    },
    /// The trust policy of a role.
    Trust {
        /// The role.
        role: Arn,
    },
}

/// One change to an estate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// One statement of a policy no longer allows an action.
    Withdraw {
        /// The policy.
        place: Place,
        /// The statement: its `Sid`, or `statement N`.
        statement: String,
        /// The action.
        action: String,
    },
    /// A principal is denied an action by an inline policy of its own.
    Deny {
        /// The principal.
        principal: Arn,
        /// The action.
        action: String,
    },
    /// A role's trust policy no longer names whoever is not a service.
    CloseTrust {
        /// The role.
        role: Arn,
    },
    /// A bucket is closed to the public.
    BlockPublicAccess {
        /// The bucket's name.
        bucket: String,
    },
    /// A user's access keys are switched off.
    DeactivateKeys {
        /// The user.
        user: Arn,
    },
    /// An instance's metadata service asks for session tokens (IMDSv2).
    RequireTokens {
        /// The instance.
        instance: Arn,
    },
    /// The URLs of a function ask for requests signed by somebody it lets in.
    SignUrls {
        /// The function.
        function: Arn,
    },
    /// An SCP denies an action to an account but for some of its principals.
    Guard {
        /// The account.
        account: String,
        /// The action.
        action: String,
        /// Who is let through.
        exempt: Vec<Arn>,
    },
}

impl Change {
    /// What it takes to make it, in small whole numbers: how many places must be touched, and how
    /// likely somebody needs what is taken away.
    pub fn effort(&self) -> u32 {
        match self {
            Change::Withdraw { place, .. } => match place {
                Place::Inline { .. } => 2,
                Place::Group { .. } | Place::Trust { .. } => 3,
                Place::Managed { .. } => 4,
            },
            Change::BlockPublicAccess { .. } | Change::RequireTokens { .. } => 2,
            Change::Deny { .. } | Change::SignUrls { .. } => 3,
            Change::DeactivateKeys { .. } => 4,
            Change::CloseTrust { .. } => 5,
            // It binds everybody of the account, so somebody may need what it denies.
            Change::Guard { .. } => 9,
        }
    }

    /// The resource that is changed, by ARN or name.
    pub fn resource(&self) -> String {
        match self {
            Change::Withdraw { place, .. } => match place {
                Place::Inline { principal, .. } => principal.to_string(),
                Place::Group { account, group, .. } => {
                    format!("arn:aws:iam::{account}:group/{group}")
                }
                Place::Managed { policy } => policy.to_string(),
                Place::Trust { role } => role.to_string(),
            },
            Change::Deny { principal, .. } => principal.to_string(),
            Change::CloseTrust { role } => role.to_string(),
            Change::BlockPublicAccess { bucket } => format!("arn:aws:s3:::{bucket}"),
            Change::DeactivateKeys { user } => user.to_string(),
            Change::RequireTokens { instance } => instance.to_string(),
            Change::SignUrls { function } => function.to_string(),
            Change::Guard { account, .. } => account.clone(),
        }
    }
}

impl fmt::Display for Change {
    /// What to do, in one sentence without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Withdraw {
                place,
                statement,
                action,
            } => {
                let of = match place {
                    Place::Inline { principal, policy } => {
                        format!("inline policy `{policy}` of {}", principal.resource())
                    }
                    Place::Group { group, policy, .. } => {
                        format!("inline policy `{policy}` of group/{group}")
                    }
                    Place::Managed { policy } => policy.resource().to_owned(),
                    Place::Trust { role } => format!("the trust policy of {}", role.resource()),
                };
                write!(f, "take {action} out of {statement} in {of}")
            }
            Change::Deny { principal, action } => {
                write!(f, "deny {action} to {}", principal.resource())
            }
            Change::CloseTrust { role } => {
                write!(f, "let nobody from outside assume {}", role.resource())
            }
            Change::BlockPublicAccess { bucket } => {
                write!(f, "block public access to bucket {bucket}")
            }
            Change::DeactivateKeys { user } => {
                write!(f, "switch off the access keys of {}", user.resource())
            }
            Change::RequireTokens { instance } => {
                write!(f, "require IMDSv2 tokens on {}", instance.resource())
            }
            Change::SignUrls { function } => {
                write!(
                    f,
                    "require IAM authentication at the URLs of {}",
                    function.resource()
                )
            }
            Change::Guard {
                account,
                action,
                exempt,
            } => {
                write!(f, "deny {action} in account {account} by an SCP")?;
                match exempt.len() {
                    0 => Ok(()),
                    1 => write!(f, ", but to {}", exempt[0].resource()),
                    many => write!(f, ", but to its {many} administrators"),
                }
            }
        }
    }
}

/// The estate after these changes. What a change speaks of and the snapshot does not hold stays
/// as it is.
pub fn apply(snapshot: &Snapshot, changes: &[Change]) -> Snapshot {
    let mut changed = snapshot.clone();
    // A statement that goes moves those behind it: the last one goes first.
    let mut ordered: Vec<&Change> = changes.iter().collect();
    ordered.sort_by_key(|change| match change {
        Change::Withdraw { statement, .. } => {
            let number = statement.strip_prefix("statement ");
            let number = number.and_then(|number| number.parse::<usize>().ok());
            (0, std::cmp::Reverse(number))
        }
        _ => (1, std::cmp::Reverse(None)),
    });
    for change in ordered {
        make(&mut changed, change);
    }
    changed
}

fn make(snapshot: &mut Snapshot, change: &Change) {
    match change {
        Change::Withdraw {
            place,
            statement,
            action,
        } => edit(snapshot, place, &|text| {
            document::withdraw(text, statement, action)
        }),
        Change::Deny { principal, action } => {
            let text = document::deny(action);
            let name = format!("palisade-deny-{}", action.replace([':', '*'], "-"));
            if let Some(inline) = inline_of(snapshot, principal) {
                inline.insert(name, text);
            }
        }
        Change::CloseTrust { role } => {
            let place = Place::Trust { role: role.clone() };
            edit(snapshot, &place, &|text| document::services_only(text));
        }
        Change::BlockPublicAccess { bucket } => {
            let accounts = snapshot.accounts.values_mut();
            let mut buckets = accounts.filter_map(|account| account.s3.buckets.value_mut());
            if let Some(found) = buckets.find_map(|all| all.get_mut(bucket)) {
                found.public_access_block = Observed::Value(PublicAccessBlock::ALL);
            }
        }
        Change::DeactivateKeys { user } => {
            let found = account_of(snapshot, user)
                .and_then(|account| account.iam.users.value_mut()?.get_mut(user.name()));
            if let Some(keys) = found.and_then(|user| user.access_keys.value_mut()) {
                keys.iter_mut()
                    .for_each(|key| key.status = KeyStatus::Inactive);
            }
        }
        Change::RequireTokens { instance } => require_tokens(snapshot, instance),
        Change::SignUrls { function } => {
            let name = function.resource().split(':').nth(1).unwrap_or_default();
            let found = account_of(snapshot, function)
                .and_then(|account| account.regions.value_mut()?.get_mut(function.region()))
                .and_then(|region| region.functions.value_mut()?.get_mut(name));
            if let Some(urls) = found.and_then(|function| function.urls.value_mut()) {
                urls.iter_mut()
                    .for_each(|url| "AWS_IAM".clone_into(&mut url.auth));
            }
        }
        Change::Guard {
            account,
            action,
            exempt,
        } => guard(snapshot, account, action, exempt),
    }
}

fn require_tokens(snapshot: &mut Snapshot, instance: &Arn) {
    let regions = account_of(snapshot, instance).and_then(|account| account.regions.value_mut());
    let region = regions.and_then(|regions| regions.get_mut(instance.region()));
    let listings = region
        .into_iter()
        .flat_map(|region| region.resources.values_mut());
    let resources = listings.filter_map(Observed::value_mut);
    let mut found = resources.flat_map(std::collections::BTreeMap::values_mut);
    if let Some(found) = found.find(|resource| resource.arn == *instance) {
        let tokens = Observed::Value("required".into());
        found
            .attributes
            .insert("metadata_http_tokens".to_owned(), tokens);
    }
}

fn guard(snapshot: &mut Snapshot, account: &str, action: &str, exempt: &[Arn]) {
    let id = format!("p-palisade-{}", action.replace([':', '*'], "-"));
    let Some(organization) = snapshot.organization.value_mut() else {
        return;
    };
    let (Some(policies), Some(attachments)) = (
        organization.policies.value_mut(),
        organization.attachments.value_mut(),
    ) else {
        return;
    };
    // One policy for each account: those let through are its own.
    let id = format!("{id}-{account}");
    let policy = OrgPolicy {
        name: id.clone(),
        kind: OrgPolicyKind::Scp,
        aws_managed: false,
        document: Observed::Value(document::guard(action, exempt)),
    };
    policies.insert(id.clone(), policy);
    attachments.entry(account.to_owned()).or_default().push(id);
}

fn account_of<'s>(snapshot: &'s mut Snapshot, arn: &Arn) -> Option<&'s mut Account> {
    snapshot.accounts.get_mut(arn.account())
}

fn inline_of<'s>(
    snapshot: &'s mut Snapshot,
    principal: &Arn,
) -> Option<&'s mut std::collections::BTreeMap<String, PolicyText>> {
    let account = account_of(snapshot, principal)?;
    if principal.resource().starts_with("user/") {
        let user = account.iam.users.value_mut()?.get_mut(principal.name())?;
        return Some(&mut user.inline);
    }
    let role = account.iam.roles.value_mut()?.get_mut(principal.name())?;
    Some(&mut role.inline)
}

/// Rewrites a policy in its place.
fn edit(snapshot: &mut Snapshot, place: &Place, rewrite: &dyn Fn(&str) -> Option<PolicyText>) {
    let text = match place {
        Place::Inline { principal, policy } => {
            inline_of(snapshot, principal).and_then(|inline| inline.get_mut(policy))
        }
        Place::Group {
            account,
            group,
            policy,
        } => snapshot.accounts.get_mut(account).and_then(|account| {
            let group = account.iam.groups.value_mut()?.get_mut(group)?;
            group.inline.get_mut(policy)
        }),
        Place::Managed { policy } => account_of(snapshot, policy).and_then(|account| {
            let found = account.iam.policies.value_mut()?.get_mut(policy)?;
            found.versions.get_mut(&found.default_version)
        }),
        Place::Trust { role } => account_of(snapshot, role).and_then(|account| {
            let role = account.iam.roles.value_mut()?.get_mut(role.name())?;
            Some(&mut role.trust)
        }),
    };
    if let Some(text) = text
        && let Some(new) = rewrite(text.as_str())
    {
        *text = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_model::Role;
    use std::collections::BTreeMap;

    #[test]
    fn changes_are_made_where_they_say_and_nowhere_else() {
        let arn = Arn::from("arn:aws:iam::111122223333:role/ci");
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:PassRole","s3:GetObject"],"Resource":"*"}]}"#;
        let role = Role {
            arn: arn.clone(),
            inline: BTreeMap::from([("own".to_owned(), PolicyText::new(text))]),
            ..Role::default()
        };
        let mut snapshot = Snapshot::default();
        let account = snapshot
            .accounts
            .entry("111122223333".to_owned())
            .or_default();
        account.iam.roles = Observed::Value(BTreeMap::from([("ci".to_owned(), role)]));
        let withdraw = Change::Withdraw {
            place: Place::Inline {
                principal: arn.clone(),
                policy: "own".to_owned(),
            },
            statement: "statement 1".to_owned(),
            action: "iam:PassRole".to_owned(),
        };
        assert_eq!(
            withdraw.to_string(),
            "take iam:PassRole out of statement 1 in inline policy `own` of role/ci"
        );
        let changed = apply(&snapshot, std::slice::from_ref(&withdraw));
        let roles = changed.accounts["111122223333"].iam.roles.value().unwrap();
        let own = roles["ci"].inline["own"].as_str();
        assert!(
            !own.contains("PassRole") && own.contains("s3:GetObject"),
            "{own}"
        );
        assert_ne!(changed, snapshot);
        let missing = Change::Deny {
            principal: Arn::from("arn:aws:iam::111122223333:role/none"),
            action: "iam:PassRole".to_owned(),
        };
        assert_eq!(apply(&snapshot, &[missing]), snapshot);
    }
}
