//! Refusals: the codes, statuses and words that each service uses.
//!
//! Sources: "Common errors" of the services' API references; the texts of access denied errors
//! are those of "Troubleshoot access denied error messages", IAM User Guide.

use palisade_model::{DeniedBy, Gap, GapKind};

use super::answer::Wire;
use super::call::Call;

/// What stands in the body of a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Body {
    /// The protocol's error form.
    #[default]
    Error,
    /// Nothing at all.
    Nothing,
    /// A page that no client of AWS can read.
    Garbage,
}

/// A refusal.
#[derive(Clone, Debug, Default)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) body: Body,
    /// Further elements of S3's error form.
    pub(super) more: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Failure {
    pub(super) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure {
            status,
            code: code.into(),
            message: message.into(),
            ..Failure::default()
        }
    }

    /// Adds an element to S3's error form.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Failure {
        self.more.push((name, value.into()));
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Failure {
        self.headers.push((name, value.into()));
        self
    }

    /// What a gap of the world looks like from outside.
    pub(super) fn of_gap(call: &Call, gap: &Gap) -> Failure {
        let mut failure = match gap.kind {
            GapKind::Throttled => Failure::throttled(call),
            GapKind::Region => Failure::invalid_token(call),
            GapKind::Unreachable => Failure::unavailable(),
            GapKind::Unparsable => Failure {
                status: 200,
                body: Body::Garbage,
                ..Failure::default()
            },
            _ => Failure::denied(call, gap.denied_by),
        };
        if failure.body == Body::Error {
            if !gap.code.is_empty() {
                failure.code.clone_from(&gap.code);
            }
            if !gap.message.is_empty() {
                failure.message.clone_from(&gap.message);
            }
        }
        failure
    }

    pub(super) fn denied(call: &Call, by: Option<DeniedBy>) -> Failure {
        let action = action(call);
        let reason = match by {
            Some(DeniedBy::Scp) => "with an explicit deny in a service control policy".to_owned(),
            Some(DeniedBy::Rcp) => "with an explicit deny in a resource control policy".to_owned(),
            Some(DeniedBy::PermissionsBoundary) => {
                format!("because no permissions boundary allows the {action} action")
            }
            Some(DeniedBy::SessionPolicy) => {
                format!("because no session policy allows the {action} action")
            }
            Some(DeniedBy::ResourcePolicy) => {
                format!("because no resource-based policy allows the {action} action")
            }
            Some(DeniedBy::VpcEndpointPolicy) => {
                format!("because no VPC endpoint policy allows the {action} action")
            }
            _ => format!("because no identity-based policy allows the {action} action"),
        };
        let caller = &call.caller;
        let message = format!(
            "User: {caller} is not authorized to perform: {action} on resource: * {reason}"
        );
        let (status, code) = match (call.wire, call.service.as_str()) {
            (_, "sns") => (403, "AuthorizationError"),
            (Wire::Ec2, _) => (403, "UnauthorizedOperation"),
            (Wire::Query | Wire::S3 | Wire::S3Control, _) => (403, "AccessDenied"),
            (Wire::RestJson, _) => (403, "AccessDeniedException"),
            (_, "cognito-identity") => (400, "NotAuthorizedException"),
            _ => (400, "AccessDeniedException"),
        };
        Failure::new(status, code, message)
    }

    pub(super) fn throttled(call: &Call) -> Failure {
        let (status, code) = match (call.wire, call.service.as_str()) {
            (Wire::S3 | Wire::S3Control, _) => (503, "SlowDown"),
            (Wire::Ec2, _) => (503, "RequestLimitExceeded"),
            (Wire::Query, _) => (400, "Throttling"),
            (_, "securityhub") => (429, "LimitExceededException"),
            (_, "organizations") => (400, "TooManyRequestsException"),
            (Wire::RestJson, "lambda" | "account") => (429, "TooManyRequestsException"),
            (Wire::RestJson, _) => (429, "ThrottlingException"),
            _ => (400, "ThrottlingException"),
        };
        let message = match call.wire {
            Wire::S3 | Wire::S3Control => "Please reduce your request rate.",
            _ => "Rate exceeded",
        };
        Failure::new(status, code, message)
    }

    pub(super) fn server_error(call: &Call) -> Failure {
        let code = match call.wire {
            Wire::S3 | Wire::S3Control => "InternalError",
            Wire::Query => "ServiceFailure",
            Wire::Ec2 => "InternalError",
            _ => "InternalServerException",
        };
        Failure::new(
            500,
            code,
            "We encountered an internal error. Please try again.",
        )
    }

    pub(super) fn unavailable() -> Failure {
        Failure {
            status: 503,
            body: Body::Nothing,
            ..Failure::default()
        }
    }

    pub(super) fn expired(call: &Call) -> Failure {
        let (status, code) = match call.wire {
            Wire::S3 | Wire::S3Control => (400, "ExpiredToken"),
            Wire::Query => (403, "ExpiredToken"),
            Wire::Ec2 => (400, "RequestExpired"),
            Wire::RestJson => (403, "ExpiredTokenException"),
            _ => (400, "ExpiredTokenException"),
        };
        Failure::new(
            status,
            code,
            "The security token included in the request is expired",
        )
    }

    pub(super) fn invalid_token(call: &Call) -> Failure {
        let (status, code, message) = match call.wire {
            Wire::S3 | Wire::S3Control => (
                403,
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            ),
            Wire::Ec2 => (
                401,
                "AuthFailure",
                "AWS was not able to validate the provided access credentials",
            ),
            Wire::Query => (403, "InvalidClientTokenId", TOKEN),
            Wire::RestJson => (403, "UnrecognizedClientException", TOKEN),
            _ => (400, "UnrecognizedClientException", TOKEN),
        };
        Failure::new(status, code, message)
    }

    /// A region that the account has not switched on does not know its keys.
    pub(super) fn region_off(call: &Call) -> Failure {
        match (call.wire, call.service.as_str()) {
            (_, "sts") => Failure::new(
                403,
                "RegionDisabledException",
                "STS is not activated in this region for account",
            ),
            _ => Failure::invalid_token(call),
        }
    }

    pub(super) fn missing_token() -> Failure {
        Failure::new(
            403,
            "MissingAuthenticationToken",
            "Missing Authentication Token",
        )
    }

    /// This AWS speaks no CBOR; a client that has another protocol uses that.
    pub(super) fn cbor(call: &Call) -> Failure {
        Failure::new(
            400,
            "UnknownOperationException",
            format!("{} over CBOR", call.operation),
        )
    }

    pub(super) fn unknown_operation(call: &Call) -> Failure {
        let operation = &call.operation;
        match call.wire {
            Wire::Query => Failure::new(
                400,
                "InvalidAction",
                format!("Could not find operation {operation} for version NO_VERSION_SPECIFIED"),
            ),
            Wire::Ec2 => Failure::new(
                400,
                "InvalidAction",
                format!("The action {operation} is not valid for this web service."),
            ),
            Wire::S3 | Wire::S3Control => Failure::new(
                501,
                "NotImplemented",
                "A header or query you provided requests a function that is not implemented.",
            ),
            Wire::RestJson => Failure::new(404, "UnknownOperationException", operation.clone()),
            _ => Failure::new(400, "UnknownOperationException", operation.clone()),
        }
    }

    pub(super) fn missing_parameter(call: &Call, name: &str) -> Failure {
        match call.wire {
            Wire::Query => Failure::new(
                400,
                "ValidationError",
                format!(
                    "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
                ),
            ),
            Wire::Ec2 => Failure::new(
                400,
                "MissingParameter",
                format!("The request must contain the parameter {name}"),
            ),
            _ => Failure::new(400, "ValidationException", format!("{name} is missing")),
        }
    }
}

const TOKEN: &str = "The security token included in the request is invalid.";

/// The IAM action that an operation needs, where its name says otherwise.
fn action(call: &Call) -> String {
    let operation = format!("{}:{}", call.service, call.operation);
    palisade_model::find_call(&operation)
        .map(|known| known.action)
        .filter(|action| !action.is_empty())
        .map_or(operation, str::to_owned)
}
