//! The access control lists of the estate's buckets and objects.
//!
//! Where a bucket's list was not read it may grant what a bucket's list can. Lists of objects
//! count as far as they were read: which objects exist is not known either.

use std::collections::BTreeMap;
use std::rc::Rc;

use palisade_model::{Acl, Bucket, ObjectEntry, Observed, PolicyText, Snapshot};

use super::build::{Shelf, not_seen};
use crate::policy::acl::{Granted, ListOf, document, not_read, statements, unread};
use crate::policy::compile::Attached;
use crate::policy::layers::Switch;

/// The account behind each canonical user id, as far as owners of buckets show it.
pub(super) type Owners<'a> = Rc<BTreeMap<&'a str, &'a str>>;

pub(super) fn owners(snapshot: &Snapshot) -> Owners<'_> {
    let mut out = BTreeMap::new();
    for (id, account) in &snapshot.accounts {
        for bucket in account.s3.buckets.value().into_iter().flatten() {
            if let Some(acl) = bucket.1.acl.value().filter(|acl| !acl.owner.is_empty()) {
                out.entry(acl.owner.as_str()).or_insert(id.as_str());
            }
        }
    }
    Rc::new(out)
}

/// What the lists of one bucket come to.
pub(super) struct BucketLists<'a> {
    bucket: &'a Bucket,
    /// Object ownership says that lists count: `Some(false)`, and not known: `None`.
    count: Option<bool>,
    ignore_public: Switch,
    owners: Owners<'a>,
}

impl<'a> BucketLists<'a> {
    pub(super) fn new(bucket: &'a Bucket, ignore_public: Switch, owners: &Owners<'a>) -> Self {
        let count = match &bucket.ownership {
            Observed::Value(ownership) => Some(ownership != "BucketOwnerEnforced"),
            unread if not_seen(unread).is_some() => None,
            _ => Some(true),
        };
        Self {
            bucket,
            count,
            ignore_public,
            owners: Rc::clone(owners),
        }
    }

    /// Whether an object's own list was read and grants something to others.
    pub(super) fn opens(&self, object: &ObjectEntry) -> bool {
        let list = object.acl.value().filter(|_| self.count != Some(false));
        list.is_some_and(|acl| !self.granted(acl).is_empty())
    }

    /// The lists as one policy: the bucket's, and that of the object if one is asked for.
    pub(super) fn policy(
        &self,
        object: Option<&ObjectEntry>,
        shelf: &mut Shelf,
    ) -> Option<Attached> {
        if self.count == Some(false) {
            return None;
        }
        let mut out = Vec::new();
        match &self.bucket.acl {
            Observed::Value(acl) => out.extend(self.of(ListOf::Bucket, acl)),
            list if not_seen(list).is_some() => {
                let public = self.ignore_public != Switch::On;
                out.push(unread(ListOf::Bucket, public));
            }
            _ => {}
        }
        let own = object.and_then(|object| object.acl.value());
        out.extend(own.into_iter().flat_map(|acl| self.of(ListOf::Object, acl)));
        let text = PolicyText::new(document(&out));
        (!out.is_empty()).then(|| shelf.attach("access control list", &text))
    }

    fn of(&self, list: ListOf, acl: &Acl) -> Vec<serde_json::Value> {
        let granted = self.granted(acl);
        let unsure = |grant: &Granted<'_>| {
            self.count.is_none() || grant.is_public() && self.ignore_public == Switch::Unread
        };
        let (open, sure): (Vec<_>, Vec<_>) = granted.into_iter().partition(unsure);
        let mut out = statements(list, &sure).unwrap_or_default();
        let open = statements(list, &open).unwrap_or_default();
        out.extend(open.into_iter().map(not_read));
        out
    }

    /// The grants to others than the owner that count.
    fn granted<'b>(&'b self, acl: &'b Acl) -> Vec<Granted<'b>> {
        let others = acl.grants.iter().filter(|g| g.grantee != acl.owner);
        others
            .map(|grant| Granted {
                grantee: self
                    .owners
                    .get(grant.grantee.as_str())
                    .copied()
                    .unwrap_or(&grant.grantee),
                permission: &grant.permission,
            })
            .filter(|grant| !(self.ignore_public == Switch::On && grant.is_public()))
            .collect()
    }
}
