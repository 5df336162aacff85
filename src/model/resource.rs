//! Resources of the services that need no shape of their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Arn, Observed, PolicyText};

/// A resource that is listed with a name, a role and a handful of attributes: an instance, a
/// project, a job, a stack, a key.
///
/// Predicates read attributes by name. **An attribute that is not in the map is unknown**, one
/// that is [`Observed::Absent`] is known to be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resource {
    /// The ARN.
    pub arn: Arn,
    /// The role it runs as. Absent: none.
    pub role: Observed<Arn>,
    /// Its resource-based policy. Absent: none. Not applicable: the kind cannot have one.
    pub policy: Observed<PolicyText>,
    /// Tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Everything else, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Observed<Value>>,
}
