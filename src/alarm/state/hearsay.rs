//! What others say of an account that nobody could enter.

use std::collections::BTreeSet;

use palisade_model::{Account, Gap, Region, Snapshot};

use super::{Service, State, looked_at, organization};

/// What the organization's administrators alone say of an account that could not be entered, in
/// every region in which one of them was read.
pub(super) fn hearsay(
    snapshot: &Snapshot,
    id: &str,
    account: &Account,
    gap: &Gap,
) -> Vec<(String, Service, State)> {
    let unread = Region::failed(gap);
    let mut said = Vec::new();
    let regional = Service::ALL.into_iter().filter(|one| !one.is_global());
    for name in central_regions(snapshot, id) {
        for service in regional.clone() {
            let state = looked_at(snapshot, (id, account), (name, &unread), service);
            if !matches!(state, State::Unknown { .. } | State::NotApplicable { .. }) {
                said.push((name.to_owned(), service, state));
            }
        }
    }
    said
}

/// The regions of the accounts that administer something for the organization.
fn central_regions<'s>(snapshot: &'s Snapshot, but: &str) -> BTreeSet<&'s str> {
    let Some(organization) = organization(snapshot) else {
        return BTreeSet::new();
    };
    let delegates = organization.delegated_administrators.value();
    let delegates = delegates.into_iter().flatten().map(|(id, _)| id.as_str());
    delegates
        .chain([organization.management_account.as_str()])
        .filter(|id| *id != but)
        .filter_map(|id| snapshot.accounts.get(id))
        .flat_map(Account::enabled_regions)
        .map(|(name, _)| name.as_str())
        .collect()
}
