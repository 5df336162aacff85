//! What an answer means: a fact, "there is none", "not here", or a gap and why.
//!
//! Source of the codes: the services' API models and "Common errors" pages, 2026-11.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use palisade_model::{Call, DeniedBy, Gap, GapKind, Observed, code_is_among};

use crate::clients::HOLDS_NO;
use crate::transport::THROTTLES;

/// Stands before the region that S3 names where a bucket lies elsewhere.
pub(crate) const IN_REGION: &str = " (it lies in ";

/// A call that did not bring what it was made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The HTTP status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// The error code; empty when there was none.
    pub(crate) code: String,
    /// What was said, on one line.
    pub(crate) message: String,
    /// Whether no credentials could be had for the call.
    pub(crate) no_identity: bool,
}

impl Failure {
    pub(crate) fn of<E>(error: SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let raw = error.raw_response();
        let status = raw.map(|raw| raw.status().as_u16());
        let body = raw.and_then(|raw| raw.body().bytes()).unwrap_or_default();
        let mut failure = match &error {
            SdkError::ServiceError(service) => Failure {
                code: service.err().code().unwrap_or_default().to_owned(),
                message: service.err().message().unwrap_or_default().to_owned(),
                ..Failure::default()
            },
            other => Failure {
                message: chain(other),
                ..Failure::default()
            },
        };
        failure.status = status;
        failure.no_identity = status.is_none() && is_identity_error(&error);
        if failure.code.is_empty() && failure.message.is_empty() {
            failure.message = describe_body(body);
        }
        failure.message = one_line(&failure.message);
        // The way through the SDK tells nobody anything.
        if let Some(at) = failure.message.find(HOLDS_NO) {
            failure.message.drain(..at);
        }
        let region = raw.and_then(|raw| raw.headers().get("x-amz-bucket-region"));
        if let (Some(region), Some(300..=307 | 400)) = (region, status) {
            failure.message = format!("{}{IN_REGION}{region})", failure.message);
        }
        failure
    }
}

fn is_identity_error<E: std::error::Error + 'static>(error: &SdkError<E, HttpResponse>) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(error) = next {
        if error.is::<aws_credential_types::provider::error::CredentialsError>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// An error and what caused it, on one line, without repeats.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = error.source();
    }
    text
}

/// What kind of thing came instead of an answer; never the thing itself.
fn describe_body(body: &[u8]) -> String {
    let head = String::from_utf8_lossy(&body[..body.len().min(64)]);
    let head = head.trim_start().to_ascii_lowercase();
    if head.is_empty() {
        "an empty answer".to_owned()
    } else if head.starts_with("<!doctype html") || head.starts_with("<html") {
        "an HTML page".to_owned()
    } else {
        format!("an answer of {} bytes that could not be read", body.len())
    }
}

/// The first 300 characters, control characters and line ends as spaces.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.split(|c: char| c.is_control() || c.is_whitespace()) {
        if !part.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(part);
        }
    }
    match line.char_indices().nth(300) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

const DENIALS: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedForDependencyException",
    "AllAccessDisabled",
    "AuthorizationError",
    "AuthorizationErrorException",
    "Client.UnauthorizedOperation",
    "ExpiredToken",
    "ExpiredTokenException",
    "Forbidden",
    "ForbiddenException",
    "InsufficientPrivilegesException",
    "NotAuthorized",
    "NotAuthorizedException",
    "UnauthorizedException",
    "UnauthorizedOperation",
];

const REGION_REFUSALS: &[&str] = &[
    "AuthFailure",
    "InvalidClientTokenId",
    "OptInRequired",
    "RegionDisabledException",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "SubscriptionRequiredException",
];

/// Codes by which a server says that it failed.
const FAULTS: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "RequestTimeout",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];

/// What the failure means for the fact the call was made for.
pub(crate) fn settle<T>(call: &Call, failure: Failure) -> Observed<T> {
    let Failure { code, message, .. } = &failure;
    if code_is_among(call.absent, code, message) {
        return Observed::Absent;
    }
    if let Some((_, why)) = call.not_applicable.iter().find(|(known, _)| known == code) {
        return Observed::not_applicable(*why, message);
    }
    let kind = kind_of(&failure);
    let denied_by = match kind {
        GapKind::Denied => denied_by(message),
        _ => None,
    };
    Gap {
        operation: call.operation.to_owned(),
        kind,
        code: failure.code,
        message: failure.message,
        denied_by,
    }
    .into()
}

pub(crate) fn kind_of(failure: &Failure) -> GapKind {
    let code = failure.code.as_str();
    let among = |codes: &[&str]| codes.contains(&code);
    match failure.status {
        _ if failure.no_identity => GapKind::NotReached,
        Some(429) => GapKind::Throttled,
        Some(status) if status >= 400 && among(THROTTLES) => GapKind::Throttled,
        Some(_) if among(DENIALS) => GapKind::Denied,
        Some(_) if among(REGION_REFUSALS) => GapKind::Region,
        Some(_) if among(FAULTS) => GapKind::Unreachable,
        Some(401 | 403) => GapKind::Denied,
        Some(status) if status >= 500 => GapKind::Unreachable,
        Some(_) => GapKind::Unparsable,
        None => GapKind::Unreachable,
    }
}

/// The layer that a denial names. Source: "Troubleshoot access denied error messages", IAM User
/// Guide.
fn denied_by(message: &str) -> Option<DeniedBy> {
    let message = message.to_ascii_lowercase();
    [
        ("service control policy", DeniedBy::Scp),
        ("resource control policy", DeniedBy::Rcp),
        ("permissions boundary", DeniedBy::PermissionsBoundary),
        ("session policy", DeniedBy::SessionPolicy),
        ("vpc endpoint policy", DeniedBy::VpcEndpointPolicy),
        ("identity-based policy", DeniedBy::IdentityPolicy),
        ("resource-based policy", DeniedBy::ResourcePolicy),
    ]
    .into_iter()
    .find(|(words, _)| message.contains(words))
    .map(|(_, layer)| layer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_model::find_call;

    fn failure(status: u16, code: &str, message: &str) -> Failure {
        Failure {
            status: Some(status),
            code: code.to_owned(),
            message: message.to_owned(),
            no_identity: false,
        }
    }

    fn outcome(operation: &str, failure: Failure) -> Observed<()> {
        settle(find_call(operation).unwrap(), failure)
    }

    #[test]
    fn each_code_means_what_the_service_means_by_it() {
        let rows = [
            (
                "securityhub:DescribeHub",
                401,
                "InvalidAccessException",
                None,
            ),
            (
                "securityhub:DescribeHub",
                403,
                "AccessDeniedException",
                Some(GapKind::Denied),
            ),
            ("s3:GetBucketPolicy", 404, "NoSuchBucketPolicy", None),
            (
                "s3:GetBucketPolicy",
                403,
                "AccessDenied",
                Some(GapKind::Denied),
            ),
            (
                "s3:GetBucketPolicy",
                404,
                "NoSuchBucket",
                Some(GapKind::Unparsable),
            ),
            (
                "sns:ListTopics",
                403,
                "AuthorizationError",
                Some(GapKind::Denied),
            ),
            ("guardduty:ListDetectors", 403, "", Some(GapKind::Denied)),
            ("guardduty:ListDetectors", 401, "", Some(GapKind::Denied)),
            (
                "guardduty:ListDetectors",
                403,
                "UnrecognizedClientException",
                Some(GapKind::Region),
            ),
            (
                "organizations:ListRoots",
                400,
                "TooManyRequestsException",
                Some(GapKind::Throttled),
            ),
            (
                "guardduty:ListDetectors",
                500,
                "",
                Some(GapKind::Unreachable),
            ),
            (
                "guardduty:ListDetectors",
                200,
                "",
                Some(GapKind::Unparsable),
            ),
            (
                "guardduty:ListDetectors",
                404,
                "",
                Some(GapKind::Unparsable),
            ),
            (
                "iam:GetAccountSummary",
                400,
                "Throttling",
                Some(GapKind::Throttled),
            ),
        ];
        for (operation, status, code, kind) in rows {
            let outcome = outcome(operation, failure(status, code, ""));
            assert_eq!(outcome.is_absent(), kind.is_none(), "{operation} {code}");
            assert_eq!(
                outcome.gap().map(|gap| gap.kind),
                kind,
                "{operation} {code}"
            );
        }
    }

    #[test]
    fn only_macies_own_words_mean_that_it_is_off() {
        let off = "Macie is not enabled.";
        let denied = "User: x is not authorized to perform: macie2:GetMacieSession";
        let ask = |message| {
            outcome(
                "macie2:GetMacieSession",
                failure(403, "AccessDeniedException", message),
            )
        };
        assert!(ask(off).is_absent());
        assert_eq!(ask(denied).gap().map(|gap| gap.kind), Some(GapKind::Denied));
    }

    #[test]
    fn a_denial_names_its_layer() {
        let message = "User: u is not authorized to perform: x with an explicit deny in a \
                       service control policy";
        let outcome = outcome("iam:ListAccessKeys", failure(403, "AccessDenied", message));
        assert_eq!(outcome.gap().unwrap().denied_by, Some(DeniedBy::Scp));
    }

    #[test]
    fn messages_stay_on_one_short_line() {
        assert_eq!(one_line("a\n\tb\u{7}c"), "a b c");
        assert!(one_line(&"x".repeat(1_000)).chars().count() <= 301);
    }
}
