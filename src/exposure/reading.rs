//! S3's own reading of "public": what RestrictPublicBuckets and IgnorePublicAcls go by.
//!
//! It answers another question than who can really get in: it begins with "public" and lets
//! only certain keys with fixed values talk it out of that, whatever else the statement says.
//! Source: "The meaning of public" in "Blocking public access to your Amazon S3 storage", S3
//! User Guide.

use palisade_model::{Acl, Grant};

use crate::policy::CompiledPolicy;
use crate::policy::document::{Condition, Effect, PrincipalKind, Statement};

use super::network::limits;

/// Everybody, signed in or not.
pub(super) const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
/// Everybody who signs, with whatever AWS account.
pub(super) const AUTHENTICATED_USERS: &str =
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
/// The group that delivers server access logs: no stranger.
pub(super) const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

/// Keys that limit a grant when held to fixed values.
const LIMITING: [&str; 13] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
];

/// Whether S3 calls the policy public; `access_point` says that it is an access point's.
pub(super) fn is_public(policy: &CompiledPolicy, access_point: bool) -> bool {
    let written = policy
        .document()
        .into_iter()
        .flat_map(|document| &document.statements);
    written
        .into_iter()
        .any(|statement| is_public_statement(statement, access_point))
}

fn is_public_statement(statement: &Statement, access_point: bool) -> bool {
    let named = statement.principal.iter().flatten();
    let broad = statement.not_principal.is_some()
        || named.into_iter().any(|name| {
            name.value == "*" && name.kind != PrincipalKind::Service
                || name.kind == PrincipalKind::Federated
        });
    statement.effect == Effect::Allow
        && broad
        && !statement
            .conditions
            .iter()
            .any(|condition| holds_back(condition, access_point))
}

/// Whether a condition names somebody in particular, so that the grant is not public.
pub(super) fn holds_back(condition: &Condition, access_point: bool) -> bool {
    let key = condition.key.to_ascii_lowercase();
    let operator = condition.operator.to_ascii_lowercase();
    if !LIMITING.contains(&key.as_str()) || condition.values.is_empty() {
        return false;
    }
    // Everything optional, negated or vacuous on a missing key binds nobody.
    let operator = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
    match operator {
        "ipaddress" => key == "aws:sourceip" && condition.values.iter().all(|v| limits(v)),
        "stringequals" | "stringequalsignorecase" | "stringlike" | "arnequals" | "arnlike" => {
            // Only `Like` and the ARN operators read wildcards, but S3 asks for none at all.
            condition
                .values
                .iter()
                .all(|value| is_fixed(&key, value, access_point))
        }
        _ => false,
    }
}

fn is_fixed(key: &str, value: &str, access_point: bool) -> bool {
    if value.contains("${") || value.is_empty() {
        return false;
    }
    let wild = |text: &str| text.contains(['*', '?']);
    let part = |index: usize| value.split(':').nth(index).unwrap_or_default();
    let account = || {
        let id = part(4);
        id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit())
    };
    match key {
        // An access point's name may be open where its account is not; in the access point's
        // own policy that says nothing.
        "s3:dataaccesspointarn" => !access_point && (account() || !wild(value)),
        "s3:dataaccesspointaccount" => !access_point && !wild(value),
        "aws:principalarn" => account() || !wild(value),
        "aws:principalorgpaths" => !wild(value.split('/').next().unwrap_or_default()),
        "aws:userid" => !wild(value.split(':').next().unwrap_or_default()),
        _ => !wild(value),
    }
}

/// Whether S3 calls a grant of an ACL public.
pub(super) fn is_public_grant(grant: &Grant) -> bool {
    grant.grantee == ALL_USERS || grant.grantee == AUTHENTICATED_USERS
}

/// Whether S3 calls an ACL public.
pub(super) fn is_public_acl(acl: &Acl) -> bool {
    acl.grants.iter().any(is_public_grant)
}
