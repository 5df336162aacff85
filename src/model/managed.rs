//! Policies that AWS manages, by ARN: what they say where a snapshot holds their name alone.
//!
//! A Terraform plan and a trimmed export attach them without their documents. They are the same
//! in every account, so that a dated table can stand in. A document that was read always comes
//! first: AWS changes its policies, and the table only knows the day it was made.
//!
//! Source: `iam:GetPolicyVersion` of the `aws` partition, by way of moto (Apache-2.0); the date
//! stands in `facts/managed-policies.tsv`.

use std::sync::OnceLock;

use crate::Arn;

/// A policy that AWS manages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwsManaged {
    /// The version that was in force, such as `v3`.
    pub version: &'static str,
    /// The day that version was made: `2026-05-01`.
    pub updated: &'static str,
    /// The document.
    pub document: &'static str,
}

static TABLE: &str = include_str!("facts/managed-policies.tsv");

/// What the table says of a policy; `None` for policies of customers, for those it lacks, and in
/// partitions whose ARNs the document does not name.
pub fn aws_managed(arn: &Arn) -> Option<AwsManaged> {
    static ALL: OnceLock<Vec<(&str, AwsManaged)>> = OnceLock::new();
    if arn.account() != "aws" || arn.service() != "iam" {
        return None;
    }
    let name = arn.resource().strip_prefix("policy")?;
    let all = ALL.get_or_init(|| TABLE.lines().filter_map(row).collect());
    let at = all.binary_search_by(|(known, _)| known.cmp(&name)).ok()?;
    let found = all[at].1;
    let at_home = arn.as_str().starts_with("arn:aws:");
    (at_home || !found.document.contains("arn:aws:")).then_some(found)
}

fn row(line: &'static str) -> Option<(&'static str, AwsManaged)> {
    let mut fields = line.split('\t');
    let name = fields.next().filter(|name| name.starts_with('/'))?;
    let managed = AwsManaged {
        version: fields.next()?,
        updated: fields.next()?,
        document: fields.next()?,
    };
    Some((name, managed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_policy_and_they_are_sorted() {
        let rows: Vec<_> = TABLE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        let read: Vec<_> = TABLE.lines().filter_map(row).collect();
        assert_eq!(read.len(), rows.len());
        assert!(read.len() > 900);
        assert!(read.is_sorted_by(|a, b| a.0 < b.0));
        for (name, managed) in read {
            let document: serde_json::Value = serde_json::from_str(managed.document).unwrap();
            assert!(document.get("Statement").is_some(), "{name}");
            assert!(managed.version.starts_with('v'), "{name}");
            assert_eq!(managed.updated.len(), "2026-05-01".len(), "{name}");
        }
    }

    #[test]
    fn policies_are_found_by_path_and_name() {
        let find = |arn: &str| aws_managed(&Arn::from(arn));
        let admin = find("arn:aws:iam::aws:policy/AdministratorAccess").unwrap();
        assert!(admin.document.contains(r#""Action":"*""#));
        assert!(find("arn:aws-cn:iam::aws:policy/AdministratorAccess").is_some());
        assert!(find("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole").is_some());
        assert!(find("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole").is_none());
        assert!(find("arn:aws:iam::111122223333:policy/AdministratorAccess").is_none());
        assert!(find("arn:aws:iam::aws:policy/NoSuchPolicy").is_none());
    }
}
