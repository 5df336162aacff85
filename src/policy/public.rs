//! Whether a resource-based policy is public in S3's sense.
//!
//! Source: "The meaning of 'public'", in "Blocking public access to your Amazon S3 storage", S3
//! User Guide: a grant to everyone is public unless a condition holds some key to fixed values
//! (no wildcard, no variable).

use super::compile::{CompiledPolicy, CompiledStatement};
use super::condition::{Block, Comparison, SetOperator, Test};
use super::document::Effect;
use super::principal::{Name, PrincipalMatcher};

/// Keys that, held to fixed values, keep a grant to everyone from being public.
const LIMITING: [&str; 15] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/// Whether some statement grants to everyone without a limiting condition.
pub fn is_public(policy: &CompiledPolicy) -> bool {
    policy.statements.iter().any(is_public_grant)
}

fn is_public_grant(statement: &CompiledStatement) -> bool {
    let to_everyone = match &statement.principal {
        PrincipalMatcher::Named(names) => names.contains(&Name::Everyone),
        PrincipalMatcher::AllBut(_) => true,
        PrincipalMatcher::Holder => false,
    };
    statement.effect == Effect::Allow && to_everyone && !statement.conditions.iter().any(limits)
}

fn limits(test: &Test) -> bool {
    let key = test.key.as_str();
    let operator = test.operator;
    let positive = !operator.negated && !operator.if_exists && operator.set != SetOperator::All;
    if !positive || !LIMITING.contains(&key) {
        return false;
    }
    match operator.comparison {
        Comparison::Ip => test
            .written
            .iter()
            .all(|text| Block::read(text).is_some_and(|block| !block.is_wider_than(8, 32))),
        Comparison::StringEquals | Comparison::StringEqualsIgnoreCase => {
            test.written.iter().all(|text| !text.contains("${"))
        }
        // ARNs may hold wildcards outside the account.
        Comparison::Arn | Comparison::StringLike if key.ends_with("arn") => {
            test.written.iter().all(|text| fixed_account(text))
        }
        Comparison::Arn | Comparison::StringLike => test
            .written
            .iter()
            .all(|text| !text.contains(['*', '?', '$'])),
        _ => false,
    }
}

fn fixed_account(arn: &str) -> bool {
    let account = arn.split(':').nth(4).unwrap_or_default();
    let bucket = arn.split(':').nth(2) == Some("s3") && !arn.contains(['*', '?', '$']);
    bucket || (account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()))
}
