//! The services whose answers have types of their own and that the generic client asks.
//!
//! Source: the services' API references and "Service endpoints and quotas", AWS General
//! Reference, 2026-11.

use palisade_model::listing::{Service, Wire};

pub(crate) const fn service(prefix: &'static str, wire: Wire) -> Service {
    Service {
        prefix,
        host: prefix,
        signs: prefix,
        wire,
        regions: &[],
    }
}

const fn json(prefix: &'static str, target: &'static str) -> Service {
    service(
        prefix,
        Wire::Json {
            target,
            version: "1.1",
        },
    )
}

pub(crate) static ACCOUNT: Service = service("account", Wire::RestJson);
pub(crate) static ANALYZER: Service = service("access-analyzer", Wire::RestJson);
pub(crate) static CLOUDTRAIL: Service = json(
    "cloudtrail",
    "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
);
pub(crate) static CLOUDWATCH: Service = Service {
    host: "monitoring",
    signs: "monitoring",
    ..service(
        "cloudwatch",
        Wire::Query {
            version: "2010-08-01",
        },
    )
};
pub(crate) static CONFIG: Service = json("config", "StarlingDoveService");
pub(crate) static EC2: Service = service(
    "ec2",
    Wire::Ec2 {
        version: "2016-11-15",
    },
);
pub(crate) static EVENTS: Service = json("events", "AWSEvents");
pub(crate) static FMS: Service = json("fms", "AWSFMS_20180101");
pub(crate) static GUARDDUTY: Service = service("guardduty", Wire::RestJson);
pub(crate) static INSPECTOR: Service = service("inspector2", Wire::RestJson);
pub(crate) static LOGS: Service = json("logs", "Logs_20140328");
pub(crate) static MACIE: Service = service("macie2", Wire::RestJson);
pub(crate) static SECURITY_HUB: Service = service("securityhub", Wire::RestJson);
pub(crate) static SHIELD: Service = json("shield", "AWSShield_20160616");
pub(crate) static SNS: Service = service(
    "sns",
    Wire::Query {
        version: "2010-03-31",
    },
);
