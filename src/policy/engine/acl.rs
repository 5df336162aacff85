//! The access control lists of the estate's buckets and objects.
//!
//! Where a bucket's list was not read it may grant what a bucket's list can. Lists of objects
//! count as far as they were read: which objects exist is not known either.

use std::collections::BTreeMap;
use std::rc::Rc;

use palisade_model::{Acl, Bucket, ObjectEntry, Observed, PolicyText, Snapshot};
use serde_json::{Value, json};

use super::build::{Shelf, not_seen};
use crate::policy::acl::{
    Granted, ListOf, document, is_placeholder, not_read, some_account, statements, unread,
};
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
    /// The account of the bucket.
    account: &'a str,
    owners: Owners<'a>,
}

/// Who owns an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ownership {
    /// The account of its bucket.
    Bucket,
    /// This account, or whoever has this canonical user id.
    Other(String),
    /// One or the other.
    Unclear,
}

impl<'a> BucketLists<'a> {
    pub(super) fn new(
        bucket: &'a Bucket,
        ignore_public: Switch,
        account: &'a str,
        owners: &Owners<'a>,
    ) -> Self {
        let count = match &bucket.ownership {
            Observed::Value(ownership) => Some(ownership != "BucketOwnerEnforced"),
            unread if not_seen(unread).is_some() => None,
            _ => Some(true),
        };
        Self {
            bucket,
            count,
            ignore_public,
            account,
            owners: Rc::clone(owners),
        }
    }

    /// Whether an object's own list was read and grants something to others, or the object has
    /// another owner.
    pub(super) fn is_apart(&self, object: &ObjectEntry) -> bool {
        let list = object.acl.value().filter(|_| self.count != Some(false));
        list.is_some_and(|acl| !self.granted(acl).is_empty())
            || self.ownership(object) != Ownership::Bucket
    }

    /// Who owns an object, as far as its list says so.
    pub(super) fn ownership(&self, object: &ObjectEntry) -> Ownership {
        let owner = object.acl.value().map(|acl| acl.owner.as_str());
        let Some(owner) = owner.filter(|owner| !owner.is_empty() && self.count != Some(false))
        else {
            return Ownership::Bucket;
        };
        let of_bucket = self.bucket.acl.value().map(|acl| acl.owner.as_str());
        let account = self.owners.get(owner).copied();
        let is_known = of_bucket.is_some() || self.owners.values().any(|a| *a == self.account);
        if of_bucket == Some(owner) || account == Some(self.account) {
            return Ownership::Bucket;
        }
        match self.count {
            Some(_) if is_known => Ownership::Other(account.unwrap_or(owner).to_owned()),
            _ => Ownership::Unclear,
        }
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

    fn of(&self, list: ListOf, acl: &Acl) -> Vec<Value> {
        let granted = self.granted(acl);
        let unsure = |grant: &Granted<'_>| {
            self.count.is_none() || grant.is_public() && self.ignore_public == Switch::Unread
        };
        let (open, sure): (Vec<_>, Vec<_>) = granted.into_iter().partition(unsure);
        let of = |grants: &[Granted<'_>]| statements(list, grants).unwrap_or_default();
        let mut out: Vec<Value> = of(&sure);
        let why = "whether the list counts was not read";
        out.extend(of(&open).into_iter().map(|s| not_read(s, why)));
        out.into_iter()
            .flat_map(|statement| of_accounts(statement, &self.owners))
            .collect()
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

/// A policy with the accounts behind its canonical user ids in their place; `None` when the text
/// is no policy.
pub(super) fn resolved(text: &PolicyText, owners: &Owners<'_>) -> Option<PolicyText> {
    let mut policy: Value = serde_json::from_str(text.as_str()).ok()?;
    let statements = match policy.get_mut("Statement")?.take() {
        Value::Array(list) => list,
        one => vec![one],
    };
    let all = statements.into_iter().flat_map(|s| of_accounts(s, owners));
    policy["Statement"] = all.collect();
    Some(PolicyText::new(policy.to_string()))
}

/// The same statement for the accounts behind canonical user ids; and once more for those whose
/// account is not known, of which it is not known whom it means. `NotPrincipal` is left alone:
/// an id it spares spares nobody.
fn of_accounts(mut statement: Value, owners: &Owners<'_>) -> Vec<Value> {
    let Some(ids) = statement["Principal"]
        .as_object_mut()
        .and_then(|names| names.remove("CanonicalUser"))
    else {
        return vec![statement];
    };
    let listed = |value: Value| match value {
        Value::Array(list) => list,
        one => vec![one],
    };
    let ids = listed(ids);
    let is_ours = |id: &&Value| id.as_str().is_some_and(is_placeholder);
    let mut out = Vec::new();
    let account = |id: &Value| Some((*owners.get(id.as_str()?)?).to_owned());
    let known: Vec<Value> = ids.iter().filter_map(account).map(Value::from).collect();
    let ours: Vec<Value> = ids.iter().filter(is_ours).cloned().collect();
    let stranger = ids.len() > known.len() + ours.len();
    if let Some(names) = statement["Principal"].as_object_mut() {
        let mut accounts = names.remove("AWS").map(listed).unwrap_or_default();
        accounts.extend(known);
        if !accounts.is_empty() {
            names.insert("AWS".to_owned(), Value::Array(accounts));
        }
        if !ours.is_empty() {
            names.insert("CanonicalUser".to_owned(), Value::Array(ours));
        }
        if !names.is_empty() {
            out.push(statement.clone());
        }
    }
    if stranger {
        let but: std::collections::BTreeSet<&str> = owners.values().copied().collect();
        statement["Principal"] = json!({"CanonicalUser": some_account(but)});
        out.push(not_read(
            statement,
            "whose canonical user id it names is not known",
        ));
    }
    out
}
