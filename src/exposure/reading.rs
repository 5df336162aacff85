//! S3's own reading of "public" for access lists: what IgnorePublicAcls goes by. That of
//! policies is for [`crate::policy::is_public`].

use palisade_model::{Acl, Grant};

pub(super) use crate::policy::is_public;

/// Everybody, signed in or not.
pub(super) const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
/// Everybody who signs, with whatever AWS account.
pub(super) const AUTHENTICATED_USERS: &str =
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
/// The group that delivers server access logs: no stranger.
pub(super) const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// Whether S3 calls a grant of an ACL public.
pub(super) fn is_public_grant(grant: &Grant) -> bool {
    grant.grantee == ALL_USERS || grant.grantee == AUTHENTICATED_USERS
}

/// Whether S3 calls an ACL public.
pub(super) fn is_public_acl(acl: &Acl) -> bool {
    acl.grants.iter().any(is_public_grant)
}
