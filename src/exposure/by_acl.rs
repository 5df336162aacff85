//! What access control lists open: the bucket's own, and those of single objects.
//!
//! Source: "Access control list (ACL) overview" and "Controlling ownership of objects", S3 User
//! Guide.

use std::collections::BTreeSet;

use palisade_model::{Grant, ObjectEntry, Observed};

use super::audience::{Capability, Path};
use super::bucket::{CHANGE_OBJECT_ACL, Facts, OneObject, READ, lock};
use super::kms::Lock;
use super::openings::Granted;
use super::outsider::Kind;
use super::reading::{ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY, is_public_grant};
use super::search::{Candidate, Granting, Hit, Reach, Search};
use super::view::{Unread, View};

impl Facts<'_> {
    pub(super) fn by_acl(
        &self,
        capability: Capability,
        view: &View,
        one: Option<OneObject<'_>>,
        search: &Search<'_>,
        granted: &mut Vec<Granted>,
    ) {
        if self.owner_enforced(view) {
            return;
        }
        let ignored = self.ignores_acls(view);
        let live = |grant: &&Grant| !ignored || !is_public_grant(grant);
        let objects = format!("{}/", self.arn);
        let requests = self.requests(capability, &self.arn, &objects, view, one);
        match &self.bucket.acl {
            Observed::Gap(gap) if view.is_open(&Unread::Acl) && capability != Capability::Read => {
                granted.push(self.unread_grants(ignored, &gap.operation, &requests, search));
            }
            Observed::Value(acl) => {
                for grant in acl.grants.iter().filter(live) {
                    if grant.grantee != acl.owner && opens_bucket(&grant.permission, capability) {
                        let path = Path::BucketAcl {
                            grantee: grant.grantee.clone(),
                            permission: grant.permission.clone(),
                        };
                        granted.extend(self.by_grant(grant, path, &requests, search));
                    }
                }
            }
            _ => {}
        }
        for entry in self.entries(one) {
            let Observed::Value(acl) = &entry.acl else {
                continue;
            };
            for grant in acl.grants.iter().filter(live) {
                if grant.grantee == acl.owner || !opens_object(&grant.permission, capability) {
                    continue;
                }
                let path = Path::ObjectAcl {
                    key: entry.key.clone(),
                    grantee: grant.grantee.clone(),
                    permission: grant.permission.clone(),
                };
                let candidate = Candidate {
                    arn: format!("{objects}{}", entry.key),
                    pattern: Some(entry.key.clone()),
                };
                let action = match (capability, &entry.version) {
                    (Capability::Read, None) => READ[0],
                    (Capability::Read, Some(_)) => READ[1],
                    _ => CHANGE_OBJECT_ACL[0],
                };
                let requests = vec![(vec![action], vec![candidate])];
                let mut way = self.by_grant(grant, path, &requests, search);
                if capability == Capability::Read {
                    let lock = lock(&self.bucket.encryption_of(entry));
                    self.key.narrow(lock, view, way.as_mut_slice());
                }
                granted.extend(way);
            }
        }
    }

    fn entries<'e>(&'e self, one: Option<OneObject<'e>>) -> Vec<&'e ObjectEntry> {
        match one {
            Some(one) => vec![one.entry],
            None => self
                .bucket
                .objects
                .value()
                .into_iter()
                .flat_map(|list| &list.objects)
                .collect(),
        }
    }

    fn by_grant(
        &self,
        grant: &Grant,
        path: Path,
        requests: &[(Vec<&'static str>, Vec<Candidate>)],
        search: &Search<'_>,
    ) -> Option<Granted> {
        let fits: fn(&Kind) -> bool = match grant.grantee.as_str() {
            LOG_DELIVERY => return None,
            // Members and strangers that a policy names are among everybody: where a Deny keeps
            // the others out, they are who is left.
            ALL_USERS => |kind| *kind == Kind::Anyone || is_signed(kind),
            AUTHENTICATED_USERS => is_signed,
            id if is_service(id) => return None,
            // One stranger: stood in for by any account, whose place he takes below.
            _ => |kind| *kind == Kind::AnyAccount,
        };
        let mut hits = BTreeSet::new();
        for (actions, resources) in requests {
            hits.extend(search.hits(&Granting::Kinds(fits), actions, resources));
        }
        if !matches!(grant.grantee.as_str(), ALL_USERS | AUTHENTICATED_USERS) {
            let known = self.around.canonical_account(&grant.grantee);
            if known == Some(self.account) {
                return None;
            }
            let name = known.unwrap_or(&grant.grantee).to_owned();
            hits = hits
                .into_iter()
                .map(|hit| Hit {
                    reach: Reach::Stranger(name.clone()),
                    ..hit
                })
                .collect();
        }
        Some(Granted {
            path,
            hits,
            caller_sets: BTreeSet::new(),
        })
    }

    /// The grants of an ACL that was not read, at their worst.
    fn unread_grants(
        &self,
        ignored: bool,
        operation: &str,
        requests: &[(Vec<&'static str>, Vec<Candidate>)],
        search: &Search<'_>,
    ) -> Granted {
        let kinds = Granting::Kinds(|kind| *kind == Kind::Anyone || is_signed(kind));
        let mut hits: BTreeSet<Hit> = requests
            .iter()
            .flat_map(|(actions, resources)| search.hits(&kinds, actions, resources))
            .collect();
        if ignored {
            // What is left is a grant to one account by its canonical id.
            let stranger = Reach::Stranger("unread grantee".to_owned());
            hits = hits
                .into_iter()
                .map(|hit| Hit {
                    reach: stranger.clone(),
                    ..hit
                })
                .collect();
        }
        let path = Path::Unread {
            operation: operation.to_owned(),
        };
        Granted {
            path,
            hits,
            caller_sets: BTreeSet::new(),
        }
    }

    /// Objects whose ACL could not be read, or that could not be listed, may be open by their
    /// own ACL where ACLs work.
    pub(super) fn unseen_object_acls(
        &self,
        view: &View,
        one: Option<OneObject<'_>>,
        search: &Search<'_>,
    ) -> Option<Granted> {
        if self.owner_enforced(view) {
            return None;
        }
        let ignored = self.ignores_acls(view);
        let objects = format!("{}/", self.arn);
        let listing = self.bucket.objects.gap().filter(|_| one.is_none());
        if let Some(gap) = listing
            && view.is_open(&Unread::Objects)
        {
            let requests = self.requests(Capability::Read, &self.arn, &objects, view, one);
            return Some(self.unread_grants(ignored, &gap.operation, &requests, search));
        }
        let lock = |entry: &ObjectEntry| lock(&self.bucket.encryption_of(entry));
        let mut entries = self.entries(one);
        // One that no key locks is open the widest.
        entries.sort_by_key(|entry| lock(entry) != Lock::None);
        let (entry, gap) = entries.into_iter().find_map(|entry| {
            let gap = entry.acl.gap()?;
            view.is_open(&Unread::ObjectAcl(entry.key.clone()))
                .then_some((entry, gap))
        })?;
        let requests = [(
            vec![READ[usize::from(entry.version.is_some())]],
            vec![Candidate {
                arn: format!("{objects}{}", entry.key),
                pattern: Some(entry.key.clone()),
            }],
        )];
        let mut way = Some(self.unread_grants(ignored, &gap.operation, &requests, search));
        self.key.narrow(lock(entry), view, way.as_mut_slice());
        way
    }
}

/// Whoever signs with an AWS account of some kind.
fn is_signed(kind: &Kind) -> bool {
    !matches!(
        kind,
        Kind::Anyone | Kind::ProviderUser(_) | Kind::ServiceFor(_)
    )
}

/// What a permission of a bucket's ACL opens. `WRITE_ACP` counts as write: whoever may rewrite
/// the list can grant himself the rest. Source: "Access control list (ACL) overview", S3 User
/// Guide.
fn opens_bucket(permission: &str, capability: Capability) -> bool {
    match capability {
        Capability::List => matches!(permission, "READ" | "FULL_CONTROL"),
        Capability::Read => false,
        Capability::Write => matches!(permission, "WRITE" | "WRITE_ACP" | "FULL_CONTROL"),
        Capability::ChangeAcl => matches!(permission, "WRITE_ACP" | "FULL_CONTROL"),
    }
}

fn opens_object(permission: &str, capability: Capability) -> bool {
    match capability {
        Capability::Read => matches!(permission, "READ" | "FULL_CONTROL"),
        Capability::ChangeAcl => matches!(permission, "WRITE_ACP" | "FULL_CONTROL"),
        Capability::List | Capability::Write => false,
    }
}

/// Canonical ids of AWS services that deliver logs. Source: "Configuring standard logging",
/// CloudFront Developer Guide.
fn is_service(canonical: &str) -> bool {
    canonical == "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0"
}
