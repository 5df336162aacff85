//! The services that listings ask: hosts, signing names, protocols.
//!
//! Source: the services' API references and "Service endpoints and quotas", AWS General
//! Reference, 2026-11.

use super::{Service, Wire};

const fn json(prefix: &'static str, target: &'static str, version: &'static str) -> Service {
    service(prefix, Wire::Json { target, version })
}

const fn rest(prefix: &'static str) -> Service {
    service(prefix, Wire::RestJson)
}

const fn service(prefix: &'static str, wire: Wire) -> Service {
    Service {
        prefix,
        host: prefix,
        signs: prefix,
        wire,
        regions: &[],
    }
}

impl Service {
    const fn host(mut self, host: &'static str) -> Service {
        self.host = host;
        self
    }

    const fn only_in(mut self, regions: &'static [&'static str]) -> Service {
        self.regions = regions;
        self
    }
}

pub(super) static EC2: Service = service(
    "ec2",
    Wire::Ec2 {
        version: "2016-11-15",
    },
);
pub(super) static GLUE: Service = json("glue", "AWSGlue", "1.1");
pub(super) static CODEBUILD: Service = json("codebuild", "CodeBuild_20161006", "1.1");
pub(super) static ECS: Service = json("ecs", "AmazonEC2ContainerServiceV20141113", "1.1");
pub(super) static SECRETS: Service = json("secretsmanager", "secretsmanager", "1.1");
pub(super) static KMS: Service = json("kms", "TrentService", "1.1");
pub(super) static SAGEMAKER: Service = json("sagemaker", "SageMaker", "1.1").host("api.sagemaker");
pub(super) static CLOUDFORMATION: Service = service(
    "cloudformation",
    Wire::Query {
        version: "2010-05-15",
    },
);
pub(super) static EKS: Service = rest("eks");
pub(super) static APPRUNNER: Service = json("apprunner", "AppRunner", "1.0").only_in(&[
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "us-east-1",
    "us-east-2",
    "us-west-2",
]);
