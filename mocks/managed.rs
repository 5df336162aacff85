//! AWS-managed policies by name, as worlds attach them.
//!
//! The documents are `managed.yaml`: those that matter to escalation and to exemptions, dated
//! there. `ReadOnlyAccess` and the like are shortened to the actions that any analysis here
//! can ask about; each entry says so.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use palisade_model::Partition;
use serde::Deserialize;
use serde_json::Value;

/// One AWS-managed policy.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedDocument {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its path, such as `/service-role/`.
    #[serde(default = "root")]
    pub path: String,
    /// The version in force.
    #[serde(default = "first")]
    pub version: String,
    /// Whether the document is a shortened one.
    #[serde(default)]
    pub shortened: bool,
    /// The document.
    pub document: Value,
}

fn root() -> String {
    "/".to_owned()
}

fn first() -> String {
    "v1".to_owned()
}

impl ManagedDocument {
    /// Its ARN in a partition.
    pub fn arn(&self, partition: Partition) -> String {
        format!("arn:{partition}:iam::aws:policy{}{}", self.path, self.name)
    }
}

static TABLE: LazyLock<BTreeMap<String, ManagedDocument>> = LazyLock::new(|| {
    let mut table: BTreeMap<String, ManagedDocument> =
        serde_yaml_ng::from_str(include_str!("managed.yaml"))
            .expect("a test reads the embedded table");
    for (name, policy) in &mut table {
        policy.name.clone_from(name);
    }
    table
});

/// The AWS-managed policy of that name, if it is in the table.
pub fn managed_policy(name: &str) -> Option<&'static ManagedDocument> {
    TABLE.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_a_policy() {
        assert!(TABLE.len() >= 12);
        for (name, policy) in TABLE.iter() {
            assert!(policy.document["Statement"].is_array(), "{name}");
            assert!(
                policy.path.starts_with('/') && policy.path.ends_with('/'),
                "{name}"
            );
        }
        let admin = managed_policy("AdministratorAccess").unwrap();
        assert_eq!(
            admin.arn(Partition::AwsCn),
            "arn:aws-cn:iam::aws:policy/AdministratorAccess"
        );
    }
}
