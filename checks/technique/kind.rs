//! The kinds of resource a technique may name, and the resource types AWS knows them by.
//!
//! A kind without a dot has a shape of its own in the model (`role`, `function`, `bucket`); one
//! with a dot (`glue.job`) stands in the generic listing under the same name. ARN formats come
//! from the model's table of resource types, so that a kind cannot name a type AWS does not have.

use std::fmt;

use palisade_model::actions;

/// A kind of resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(&'static str);

/// Kinds with a shape of their own: name, IAM service, resource type there (empty: none).
const OWN: &[(&str, &str, &str)] = &[
    ("account", "", ""),
    ("bucket", "s3", "bucket"),
    ("function", "lambda", "function"),
    ("group", "iam", "group"),
    ("instance-profile", "iam", "instance-profile"),
    ("mfa-device", "iam", "mfa"),
    ("object", "s3", "object"),
    ("oidc-provider", "iam", "oidc-provider"),
    ("policy", "iam", "policy"),
    ("principal", "", ""),
    ("role", "iam", "role"),
    ("saml-provider", "iam", "saml-provider"),
    ("service", "", ""),
    ("user", "iam", "user"),
];

/// Kinds of the generic listing: name, IAM service, resource type there (empty: none).
const LISTED: &[(&str, &str, &str)] = &[
    ("bedrock.agent-alias", "bedrock", "agent-alias"),
    ("cloudformation.stack", "cloudformation", "stack"),
    ("codecommit.repository", "codecommit", "repository"),
    ("dynamodb.stream", "dynamodb", "stream"),
    ("ec2.instance", "ec2", "instance"),
    ("events.rule", "events", "rule-on-default-event-bus"),
    ("kinesis.stream", "kinesis", "stream"),
    (
        "lambda.event-source-mapping",
        "lambda",
        "eventSourceMapping",
    ),
    ("lambda.layer", "lambda", "layerVersion"),
    ("organizations.member-root", "sts", "root-user"),
    ("sqs.queue", "sqs", "queue"),
    ("states.state-machine", "states", "statemachine"),
    ("sts.federated-user", "sts", "federated-user"),
];

impl Kind {
    /// A user or a role, whichever is bound.
    pub const PRINCIPAL: Kind = Kind("principal");
    /// An IAM role.
    pub const ROLE: Kind = Kind("role");
    /// An IAM user.
    pub const USER: Kind = Kind("user");
    /// An IAM group.
    pub const GROUP: Kind = Kind("group");
    /// A managed policy.
    pub const POLICY: Kind = Kind("policy");
    /// An account.
    pub const ACCOUNT: Kind = Kind("account");
    /// A Lambda function.
    pub const FUNCTION: Kind = Kind("function");
    /// An S3 bucket.
    pub const BUCKET: Kind = Kind("bucket");
    /// An S3 object.
    pub const OBJECT: Kind = Kind("object");

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Kind> {
        row(name).map(|(name, ..)| Kind(name))
    }

    /// Its name, as techniques write it.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// Whether it stands in the generic listing, under its name.
    pub fn is_listed(self) -> bool {
        self.0.contains('.')
    }

    /// The IAM service and resource type, where AWS has a type for it.
    pub fn resource_type(self) -> Option<(&'static str, &'static str)> {
        row(self.0).and_then(|(_, service, kind)| (!kind.is_empty()).then_some((service, kind)))
    }

    /// The ARN format with its `${…}` placeholders, where AWS documents one.
    ///
    /// Source: Service Authorization Reference, resource types.
    pub fn arn_format(self) -> Option<&'static str> {
        let (service, kind) = self.resource_type()?;
        actions().arn_format(service, kind)
    }

    /// Every kind.
    pub fn all() -> impl Iterator<Item = Kind> {
        OWN.iter().chain(LISTED).map(|(name, ..)| Kind(name))
    }
}

fn row(name: &str) -> Option<(&'static str, &'static str, &'static str)> {
    OWN.iter().chain(LISTED).copied().find(|row| row.0 == name)
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_with_a_type_has_an_arn_format() {
        for kind in Kind::all() {
            if let Some(named) = kind.resource_type() {
                assert!(kind.arn_format().is_some(), "{kind}: {named:?}");
            }
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Kind::all().collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
