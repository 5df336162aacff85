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

/// Documents of AWS that run what their caller gives them: a script on Linux, a document, a script
/// or a playbook from wherever he says. Owned by no account, the same in each region.
///
/// Source: "AWS Systems Manager documents" and "Running scripts from remote locations", Systems
/// Manager User Guide, 2026-10.
const OF_AWS: [(&str, &str); 4] = [
    (
        "ssm.playbook-document",
        "arn:${Partition}:ssm:${Region}::document/AWS-ApplyAnsiblePlaybooks",
    ),
    (
        "ssm.remote-document",
        "arn:${Partition}:ssm:${Region}::document/AWS-RunDocument",
    ),
    (
        "ssm.remote-script-document",
        "arn:${Partition}:ssm:${Region}::document/AWS-RunRemoteScript",
    ),
    (
        "ssm.shell-document",
        "arn:${Partition}:ssm:${Region}::document/AWS-RunShellScript",
    ),
];

/// Kinds with a shape of their own: name, IAM service, resource type there (empty: none).
const OWN: &[(&str, &str, &str)] = &[
    ("account", "", ""),
    ("bucket", "s3", "bucket"),
    ("bucket-content", "s3", "object"),
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
    ("airflow.environment", "airflow", "environment"),
    ("airflow.rbac-role", "airflow", "rbac-role"),
    ("amplify.app", "amplify", "apps"),
    ("amplify.branch", "amplify", "branches"),
    ("amplify.job", "amplify", "jobs"),
    ("apigateway.rest-api", "apigateway", "RestApi"),
    ("apigateway.rest-apis", "apigateway", "RestApis"),
    ("apprunner.service", "apprunner", "service"),
    ("appstream.fleet", "appstream", "fleet"),
    ("appstream.image", "appstream", "image"),
    ("appstream.image-builder", "appstream", "image-builder"),
    ("appstream.stack", "appstream", "stack"),
    ("appsync.graphqlapi", "appsync", "graphqlapi"),
    ("autoscaling.group", "autoscaling", "autoScalingGroup"),
    (
        "autoscaling.launch-configuration",
        "autoscaling",
        "launchConfiguration",
    ),
    ("batch.compute-environment", "batch", "compute-environment"),
    ("batch.job-definition", "batch", "job-definition"),
    ("batch.job-queue", "batch", "job-queue"),
    (
        "bedrock-agentcore.browser",
        "bedrock-agentcore",
        "browser-custom",
    ),
    (
        "bedrock-agentcore.code-interpreter",
        "bedrock-agentcore",
        "code-interpreter-custom",
    ),
    ("bedrock-agentcore.harness", "bedrock-agentcore", "harness"),
    ("bedrock-agentcore.memory", "bedrock-agentcore", "memory"),
    ("bedrock-agentcore.runtime", "bedrock-agentcore", "runtime"),
    (
        "bedrock-agentcore.workload-identity",
        "bedrock-agentcore",
        "workload-identity",
    ),
    ("bedrock.action-group", "", ""),
    ("bedrock.agent", "bedrock", "agent"),
    ("bedrock.agent-alias", "bedrock", "agent-alias"),
    ("bedrock.foundation-model", "bedrock", "foundation-model"),
    ("bedrock.inference-profile", "bedrock", "inference-profile"),
    ("braket.device", "braket", "device"),
    ("braket.job", "braket", "job"),
    ("chatbot.configuration", "", ""),
    ("cloudformation.stack", "cloudformation", "stack"),
    ("cloudformation.stack-set", "cloudformation", "stackset"),
    ("codeartifact.domain", "codeartifact", "domain"),
    ("codeartifact.package", "codeartifact", "package"),
    ("codebuild.project", "codebuild", "project"),
    ("codebuild.sandbox", "codebuild", "sandbox"),
    ("codecommit.repository", "codecommit", "repository"),
    ("codedeploy.application", "codedeploy", "application"),
    (
        "codedeploy.deployment-config",
        "codedeploy",
        "deploymentconfig",
    ),
    (
        "codedeploy.deployment-group",
        "codedeploy",
        "deploymentgroup",
    ),
    ("codepipeline.pipeline", "codepipeline", "pipeline"),
    ("codestar.project", "", ""),
    (
        "cognito-identity.identity-pool",
        "cognito-identity",
        "identitypool",
    ),
    ("cognito-idp.user-pool", "cognito-idp", "userpool"),
    (
        "config.remediation-configuration",
        "config",
        "RemediationConfiguration",
    ),
    ("config.rule", "", ""),
    ("datapipeline.pipeline", "datapipeline", "pipeline"),
    ("dynamodb.stream", "dynamodb", "stream"),
    ("ec2.fleet", "ec2", "fleet"),
    ("ec2.image", "ec2", "image"),
    ("ec2.instance", "ec2", "instance"),
    (
        "ec2.instance-connect-endpoint",
        "ec2",
        "instance-connect-endpoint",
    ),
    ("ec2.launch-template", "ec2", "launch-template"),
    ("ec2.network-interface", "ec2", "network-interface"),
    ("ec2.security-group", "ec2", "security-group"),
    ("ec2.serial-console-access", "", ""),
    ("ec2.snapshot", "ec2", "snapshot"),
    ("ec2.spot-fleet-request", "ec2", "spot-fleet-request"),
    (
        "ec2.spot-instances-request",
        "ec2",
        "spot-instances-request",
    ),
    ("ec2.subnet", "ec2", "subnet"),
    ("ec2.volume", "ec2", "volume"),
    ("ecr.repository", "ecr", "repository"),
    ("ecs.cluster", "ecs", "cluster"),
    ("ecs.container-instance", "ecs", "container-instance"),
    ("ecs.service", "ecs", "service"),
    ("ecs.task", "ecs", "task"),
    ("ecs.task-definition", "ecs", "task-definition"),
    ("eks.access-entry", "eks", "access-entry"),
    ("eks.cluster", "eks", "cluster"),
    ("eks.nodegroup", "eks", "nodegroup"),
    (
        "elasticbeanstalk.application",
        "elasticbeanstalk",
        "application",
    ),
    (
        "elasticbeanstalk.application-version",
        "elasticbeanstalk",
        "applicationversion",
    ),
    (
        "elasticbeanstalk.environment",
        "elasticbeanstalk",
        "environment",
    ),
    ("elasticmapreduce.cluster", "elasticmapreduce", "cluster"),
    (
        "emr-containers.virtual-cluster",
        "emr-containers",
        "virtualCluster",
    ),
    (
        "emr-serverless.application",
        "emr-serverless",
        "application",
    ),
    ("events.rule", "events", "rule-on-default-event-bus"),
    ("fis.action", "fis", "action"),
    ("fis.experiment", "fis", "experiment"),
    ("fis.experiment-template", "fis", "experiment-template"),
    ("gamelift.build", "gamelift", "build"),
    ("gamelift.fleet", "gamelift", "fleet"),
    ("glue.dev-endpoint", "glue", "devendpoint"),
    ("glue.job", "glue", "job"),
    ("glue.session", "glue", "session"),
    ("glue.trigger", "glue", "trigger"),
    ("glue.workflow", "glue", "workflow"),
    ("identitystore.group", "identitystore", "Group"),
    ("identitystore.store", "identitystore", "Identitystore"),
    ("identitystore.user", "identitystore", "User"),
    ("imagebuilder.component", "imagebuilder", "component"),
    ("imagebuilder.image", "imagebuilder", "image"),
    ("imagebuilder.image-recipe", "imagebuilder", "imageRecipe"),
    (
        "imagebuilder.infrastructure-configuration",
        "imagebuilder",
        "infrastructureConfiguration",
    ),
    ("iot.cert", "iot", "cert"),
    ("iot.policy", "iot", "policy"),
    ("iot.role-alias", "iot", "rolealias"),
    ("kinesis.stream", "kinesis", "stream"),
    (
        "kinesisanalytics.application",
        "kinesisanalytics",
        "application",
    ),
    ("kms.key", "kms", "key"),
    (
        "lambda.code-signing-config",
        "lambda",
        "code signing config",
    ),
    (
        "lambda.event-source-mapping",
        "lambda",
        "eventSourceMapping",
    ),
    ("lambda.layer", "lambda", "layerVersion"),
    ("logs.log-group", "logs", "log-group"),
    ("omics.run", "omics", "run"),
    ("omics.workflow", "omics", "workflow"),
    ("organizations.account", "organizations", "account"),
    ("organizations.member-root", "sts", "root-user"),
    ("organizations.policy", "organizations", "policy"),
    ("organizations.root", "organizations", "root"),
    ("pipes.pipe", "pipes", "pipe"),
    ("ram.resource-share", "ram", "resource-share"),
    ("rds.cluster-snapshot", "rds", "cluster-snapshot"),
    ("rds.db", "rds", "db"),
    ("rds.snapshot", "rds", "snapshot"),
    ("redshift.cluster", "redshift", "cluster"),
    ("redshift.dbname", "redshift", "dbname"),
    ("redshift.dbuser", "redshift", "dbuser"),
    ("rolesanywhere.profile", "rolesanywhere", "profile"),
    (
        "rolesanywhere.trust-anchor",
        "rolesanywhere",
        "trust-anchor",
    ),
    ("s3.job", "s3", "job"),
    ("sagemaker.domain", "sagemaker", "domain"),
    ("sagemaker.endpoint", "sagemaker", "endpoint"),
    ("sagemaker.endpoint-config", "sagemaker", "endpoint-config"),
    (
        "sagemaker.hyper-parameter-tuning-job",
        "sagemaker",
        "hyper-parameter-tuning-job",
    ),
    (
        "sagemaker.lifecycle-config",
        "sagemaker",
        "notebook-instance-lifecycle-config",
    ),
    ("sagemaker.model", "sagemaker", "model"),
    (
        "sagemaker.notebook-instance",
        "sagemaker",
        "notebook-instance",
    ),
    ("sagemaker.pipeline", "sagemaker", "pipeline"),
    ("sagemaker.processing-job", "sagemaker", "processing-job"),
    ("sagemaker.training-job", "sagemaker", "training-job"),
    ("sagemaker.transform-job", "sagemaker", "transform-job"),
    ("sagemaker.user-profile", "sagemaker", "user-profile"),
    ("scheduler.schedule", "scheduler", "schedule"),
    ("secretsmanager.secret", "secretsmanager", "Secret"),
    ("servicecatalog.product", "servicecatalog", "Product"),
    ("sqs.queue", "sqs", "queue"),
    ("ssm.association", "ssm", "association"),
    ("ssm.automation-definition", "ssm", "automation-definition"),
    ("ssm.automation-execution", "ssm", "automation-execution"),
    ("ssm.document", "ssm", "document"),
    ("ssm.maintenance-window", "ssm", "maintenancewindow"),
    ("ssm.managed-instance", "ssm", "managed-instance"),
    ("ssm.parameter", "ssm", "parameter"),
    ("ssm.playbook-document", "ssm", "document"),
    ("ssm.remote-document", "ssm", "document"),
    ("ssm.remote-script-document", "ssm", "document"),
    ("ssm.shell-document", "ssm", "document"),
    ("sso.account", "sso", "Account"),
    ("sso.instance", "sso", "Instance"),
    ("sso.permission-set", "sso", "PermissionSet"),
    ("states.execution", "states", "execution"),
    ("states.state-machine", "states", "statemachine"),
    ("sts.federated-user", "sts", "federated-user"),
    ("transfer.server", "transfer", "server"),
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
    /// Every object of a bucket, those that do not exist yet too: bound to the bucket.
    pub const BUCKET_CONTENT: Kind = Kind("bucket-content");
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
        if let Some((_, arn)) = OF_AWS.iter().find(|(kind, _)| *kind == self.0) {
            return Some(arn);
        }
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
