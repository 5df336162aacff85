//! Resources of the services that need no shape of their own.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::listing::LISTINGS;
use crate::{Arn, Gap, Observed, PolicyText};

/// A resource that is listed with a name, a role and a handful of attributes: an instance, a
/// project, a job, a stack, a key.
///
/// Predicates read attributes by name. **An attribute that is not in the map is unknown**, one
/// that is [`Observed::Absent`] is known to be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resource {
    /// The ARN.
    pub arn: Arn,
    /// The role it runs as. Absent: none.
    pub role: Observed<Arn>,
    /// Its resource-based policy. Absent: none. Not applicable: the kind cannot have one.
    pub policy: Observed<PolicyText>,
    /// Tags. A file that says nothing of them leaves them unknown: a policy may ask for them.
    #[serde(default = "Resource::unread_tags")]
    pub tags: Observed<BTreeMap<String, String>>,
    /// Everything else, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Observed<Value>>,
}

impl Resource {
    /// The tags of a kind whose listing does not tell them. `tag:GetResources` is the operation
    /// that would.
    pub fn unread_tags() -> Observed<BTreeMap<String, String>> {
        Observed::not_collected("tag:GetResources")
    }
}

/// What is known of the resources of one kind in one place.
#[derive(Clone, Copy, Debug)]
pub enum Listed<'a> {
    /// All of them, by name.
    All(&'a BTreeMap<String, Resource>),
    /// There can be none: the service answered so, or the place has no such service.
    None,
    /// The list was not read, or not asked for: nobody knows.
    Unread(&'a Gap),
}

impl<'a> Listed<'a> {
    /// The kind in a map of kinds: one that is not in it was not collected.
    pub(crate) fn of(
        kinds: &'a BTreeMap<String, Observed<BTreeMap<String, Resource>>>,
        kind: &str,
    ) -> Self {
        match kinds.get(kind) {
            Some(Observed::Value(all)) => Listed::All(all),
            Some(Observed::Gap(gap)) => Listed::Unread(gap),
            Some(Observed::Absent | Observed::NotApplicable(_)) => Listed::None,
            None => Listed::Unread(never_listed(kind)),
        }
    }
}

/// The gap that stands for a kind that was never listed.
fn never_listed(kind: &str) -> &'static Gap {
    static GAPS: OnceLock<BTreeMap<&'static str, Gap>> = OnceLock::new();
    static OTHER: OnceLock<Gap> = OnceLock::new();
    let gaps = GAPS.get_or_init(|| {
        let rows = LISTINGS.iter();
        rows.map(|row| (row.kind, Gap::not_collected(row.list.call)))
            .collect()
    });
    gaps.get(kind)
        .unwrap_or_else(|| OTHER.get_or_init(|| Gap::not_collected("a kind without a listing")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Account, Region, RegionState};

    #[test]
    fn a_kind_that_was_not_collected_is_not_an_empty_one() {
        let mut region = Region::default();
        let Listed::Unread(gap) = region.listed("sqs.queue") else {
            panic!("nobody listed queues");
        };
        assert_eq!(gap.operation, "sqs:ListQueues");
        region
            .resources
            .insert("sqs.queue".to_owned(), Observed::Absent);
        assert!(matches!(region.listed("sqs.queue"), Listed::None));
        region.resources.insert(
            "sqs.queue".to_owned(),
            Observed::Value(BTreeMap::from([("jobs".to_owned(), Resource::default())])),
        );
        assert!(matches!(region.listed("sqs.queue"), Listed::All(all) if all.len() == 1));
        region.state = RegionState::Off;
        assert!(matches!(region.listed("sqs.queue"), Listed::None));
    }

    #[test]
    fn an_account_answers_for_each_place_that_can_hold_the_kind() {
        let mut account = Account::unread();
        let of = |account: &Account, kind: &str| -> Vec<String> {
            let found = account.listed(kind);
            found
                .into_iter()
                .map(|(place, listed)| match listed {
                    Listed::All(all) => format!("{place}: {}", all.len()),
                    Listed::None => format!("{place}: none"),
                    Listed::Unread(gap) => format!("{place}: {gap}"),
                })
                .collect()
        };
        assert_eq!(
            of(&account, "sqs.queue"),
            [": account:ListRegions was not collected"]
        );
        account.regions = Observed::Value(BTreeMap::from([
            ("eu-west-1".to_owned(), Region::unread()),
            ("me-south-1".to_owned(), Region::left_out(RegionState::Off)),
        ]));
        account.regions_gap = Some(Gap::new("account:ListRegions", crate::GapKind::Denied));
        assert_eq!(
            of(&account, "sqs.queue"),
            [
                "eu-west-1: sqs:ListQueues was not collected",
                "me-south-1: none",
                ": account:ListRegions was denied",
            ]
        );
        assert_eq!(
            of(&account, "cloudfront.distribution"),
            [": cloudfront:ListDistributions was not collected"]
        );
    }

    #[test]
    fn a_file_that_says_nothing_of_tags_leaves_them_unknown() {
        let read: Resource = serde_json::from_str(r#"{"arn": "arn:aws:sqs:r:1:jobs"}"#).unwrap();
        assert!(read.tags.gap().is_some());
        let text = serde_json::to_string(&Resource::default()).unwrap();
        let read: Resource = serde_json::from_str(&text).unwrap();
        assert!(read.tags.is_absent(), "{text}");
    }
}
