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

const fn query(prefix: &'static str, version: &'static str) -> Service {
    service(prefix, Wire::Query { version })
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
pub(super) static AIRFLOW: Service = rest("airflow");
pub(super) static APPSYNC: Service = rest("appsync");
pub(super) static AUTOSCALING: Service = query("autoscaling", "2011-01-01");
pub(super) static BATCH: Service = rest("batch");
pub(super) static BEDROCK: Service = rest("bedrock");
pub(super) static BEDROCK_AGENT: Service = rest("bedrock").host("bedrock-agent");
pub(super) static AGENTCORE: Service = rest("bedrock-agentcore").host("bedrock-agentcore-control");
pub(super) static CLOUDFRONT: Service = service("cloudfront", Wire::RestXml);
pub(super) static CODECOMMIT: Service = json("codecommit", "CodeCommit_20150413", "1.1");
pub(super) static CODEPIPELINE: Service = json("codepipeline", "CodePipeline_20150709", "1.1");
pub(super) static COGNITO_IDENTITY: Service =
    json("cognito-identity", "AWSCognitoIdentityService", "1.1");
pub(super) static COGNITO_IDP: Service =
    json("cognito-idp", "AWSCognitoIdentityProviderService", "1.1");
pub(super) static CONFIG: Service = json("config", "StarlingDoveService", "1.1");
pub(super) static DATAPIPELINE: Service = json("datapipeline", "DataPipeline", "1.1").only_in(&[
    "ap-northeast-1",
    "ap-southeast-2",
    "eu-west-1",
    "us-east-1",
    "us-west-2",
]);
pub(super) static DYNAMODB: Service = json("dynamodb", "DynamoDB_20120810", "1.0");
pub(super) static ECR: Service =
    json("ecr", "AmazonEC2ContainerRegistry_V20150921", "1.1").host("api.ecr");
pub(super) static BEANSTALK: Service = query("elasticbeanstalk", "2010-12-01");
pub(super) static ELBV2: Service = query("elasticloadbalancing", "2015-12-01");
pub(super) static EMR_CONTAINERS: Service = rest("emr-containers");
pub(super) static EMR_SERVERLESS: Service = rest("emr-serverless");
pub(super) static LAMBDA: Service = rest("lambda");
pub(super) static EMR: Service = json("elasticmapreduce", "ElasticMapReduce", "1.1");
pub(super) static IOT: Service = rest("iot");
pub(super) static RDS: Service = query("rds", "2014-10-31");
pub(super) static REDSHIFT: Service = query("redshift", "2012-12-01");
pub(super) static ROLESANYWHERE: Service = rest("rolesanywhere");
pub(super) static SCHEDULER: Service = rest("scheduler");
pub(super) static SQS: Service = json("sqs", "AmazonSQS", "1.0");
pub(super) static SSM: Service = json("ssm", "AmazonSSM", "1.1");
pub(super) static SSO: Service = json("sso", "SWBExternalService", "1.1");
pub(super) static STATES: Service = json("states", "AWSStepFunctions", "1.0");
pub(super) static TRANSFER: Service = json("transfer", "TransferService", "1.1");
pub(super) static WAFV2: Service = json("wafv2", "AWSWAF_20190729", "1.1");
