//! Why a scan could not run at all. Everything else is a gap.

use thiserror::Error;

/// Reasons not to have a snapshot. Each text says what to do about it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CollectError {
    /// The credential chain found nothing.
    #[error(
        "no AWS credentials were found{}: sign in (`aws sso login`, `aws configure`), set \
         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with `--profile`",
        for_profile(profile)
    )]
    NoCredentials {
        /// The profile, where one was named.
        profile: Option<String>,
        /// What the credential chain said.
        detail: String,
    },
    /// They were good once.
    #[error(
        "the AWS credentials{} have expired: sign in again",
        for_profile(profile)
    )]
    ExpiredCredentials {
        /// The profile, where one was named.
        profile: Option<String>,
    },
    /// AWS does not know them.
    #[error(
        "AWS refuses the credentials{} (`{code}`): check the access key, its secret and the \
         machine's clock",
        for_profile(profile)
    )]
    InvalidCredentials {
        /// The profile, where one was named.
        profile: Option<String>,
        /// The error code.
        code: String,
    },
    /// The only way in is closed.
    #[error(
        "the role `{role}` cannot be assumed (`{code}`): it may not exist, its trust policy may \
         not name you or may ask for another external ID, or a service control policy forbids it"
    )]
    RoleRefused {
        /// The role's ARN.
        role: String,
        /// The error code.
        code: String,
    },
    /// Nobody answers.
    #[error(
        "no answer from `{endpoint}`: check the network, the proxy settings and the endpoint \
         ({detail})"
    )]
    Unreachable {
        /// The endpoint, or AWS.
        endpoint: String,
        /// What the transport said.
        detail: String,
    },
    /// Somebody answers, but not AWS.
    #[error("`{endpoint}` answers, but not as AWS does ({detail}): check the endpoint")]
    NotAws {
        /// The endpoint, or AWS.
        endpoint: String,
        /// What came instead.
        detail: String,
    },
    /// A region that no partition has, or a glob that fits none.
    #[error("there is no region `{region}`{}", did_you_mean(suggestion))]
    UnknownRegion {
        /// What was asked for.
        region: String,
        /// A region spelled much like it.
        suggestion: Option<String>,
    },
    /// Profiles in several partitions.
    #[error("`{first}` and `{second}` lie in different partitions: scan them one by one")]
    MixedPartitions {
        /// One account.
        first: String,
        /// The other.
        second: String,
    },
    /// A unit or account that the organization does not have.
    #[error("the organization has no `{id}`")]
    NotInOrganization {
        /// What was asked for.
        id: String,
    },
    /// `--org` without an organization that can be read.
    #[error(
        "the organization cannot be read ({detail}): use its management account or a delegated administrator"
    )]
    NoOrganization {
        /// What was said.
        detail: String,
    },
}

fn for_profile(profile: &Option<String>) -> String {
    match profile {
        Some(name) => format!(" for profile `{name}`"),
        None => String::new(),
    }
}

fn did_you_mean(suggestion: &Option<String>) -> String {
    match suggestion {
        Some(name) => format!(": did you mean `{name}`?"),
        None => String::new(),
    }
}
