//! Checks on CloudTrail: cells of the service matrix.

mod record;

use super::security;
use super::{Estate, Evaluate, Findings};
use crate::alarm::state::Service;

/// The checks of this folder.
pub(super) const CHECKS: &[(&str, Evaluate)] = &[
    ("cloudtrail-off", off),
    ("cloudtrail-half-on", half_on),
    ("cloudtrail-log-bucket-exposed", record::bucket),
    ("cloudtrail-log-key-exposed", record::key),
    ("cloudtrail-no-log-validation", no_log_validation),
    ("cloudtrail-no-own-key", no_own_key),
    ("cloudtrail-no-data-events", no_data_events),
    ("cloudtrail-no-organization-trail", no_organization_trail),
];

fn off(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::off(estate, found, Service::Cloudtrail);
}

fn half_on(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(
        estate,
        found,
        Service::Cloudtrail,
        &[
            "write-events",
            "read-events",
            "key-events",
            "multi-region",
            "delivery",
            "copy",
        ],
    );
}

fn no_log_validation(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::Cloudtrail, &["log-validation"]);
}

fn no_own_key(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::Cloudtrail, &["kms"]);
}

fn no_data_events(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(
        estate,
        found,
        Service::Cloudtrail,
        &["s3-data", "lambda-data"],
    );
}

fn no_organization_trail(estate: &Estate<'_>, found: &mut Findings<'_>) {
    security::half_on(estate, found, Service::Cloudtrail, &["organization"]);
}
