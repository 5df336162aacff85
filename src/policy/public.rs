//! S3's own reading of "public" for a policy: what RestrictPublicBuckets goes by.
//!
//! It answers another question than who can really get in: it begins with "public" and lets
//! only certain keys with fixed values talk it out of that, whatever else the statement says.
//! Source: "The meaning of public" in "Blocking public access to your Amazon S3 storage", S3
//! User Guide.

use super::compile::CompiledPolicy;
use super::condition::Block;
use super::document::{Condition, Effect, PrincipalKind, Statement};

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
pub fn is_public(policy: &CompiledPolicy, access_point: bool) -> bool {
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
fn holds_back(condition: &Condition, access_point: bool) -> bool {
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

/// Whether a fixed `aws:SourceIp` value limits anybody: no broader than /8 of IPv4 or /32 of
/// IPv6. The private ranges that S3 excepts are no broader either.
fn limits(value: &str) -> bool {
    Block::read(value.trim()).is_some_and(|block| !block.is_wider_than(8, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_for_one_range_is_s3s_own() {
        assert!(limits("11.0.0.0/8") && limits("10.0.0.0/8") && limits("203.0.113.7"));
        assert!(!limits("0.0.0.0/0") && !limits("11.0.0.0/7") && !limits("2000::/3"));
        assert!(!limits("not an address") && !limits("1.2.3.4/33"));
    }
}
