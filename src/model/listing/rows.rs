//! The rows: one for each kind of resource.
//!
//! Attribute names are AWS's own field names in snake case; where a list was flattened, the
//! plural says so. Values of environment variables, parameters and tags of unknown meaning are
//! never kept, only their names.
//!
//! Source: the services' API references, 2026-11.

use super::builder::{ask, listing};
use super::services::*;
use super::{Listing, Value, at, flag, keys, number, present, text, texts};

/// Every kind that is collected by listing.
pub static LISTINGS: &[Listing] = &[
    listing(
        "ec2.instance",
        ask(&EC2, "ec2:DescribeInstances")
            .send(&[("MaxResults", Value::Number(1000))])
            .page("NextToken", "nextToken"),
        "reservationSet.item[].instancesSet.item[]",
    )
    .name("instanceId")
    .arn_as("arn:{partition}:ec2:{region}:{account}:instance/{name}")
    .profile(0, "iamInstanceProfile.arn")
    .attributes(&[
        text("instance_profile", at(0, "iamInstanceProfile.arn")),
        text("state", at(0, "instanceState.name")),
        text("image_id", at(0, "imageId")),
        text("instance_type", at(0, "instanceType")),
        text("vpc_id", at(0, "vpcId")),
        text("subnet_id", at(0, "subnetId")),
        text("public_ip_address", at(0, "ipAddress")),
        text("private_ip_address", at(0, "privateIpAddress")),
        texts("security_groups", at(0, "groupSet.item[].groupId")),
        text("metadata_http_tokens", at(0, "metadataOptions.httpTokens")),
        text(
            "metadata_http_endpoint",
            at(0, "metadataOptions.httpEndpoint"),
        ),
        number(
            "metadata_hop_limit",
            at(0, "metadataOptions.httpPutResponseHopLimit"),
        ),
        text("key_name", at(0, "keyName")),
        text("hypervisor", at(0, "hypervisor")),
        text("root_device_type", at(0, "rootDeviceType")),
        texts("volumes", at(0, "blockDeviceMapping.item[].ebs.volumeId")),
        texts("tag_keys", at(0, "tagSet.item[].key")),
    ]),
    listing(
        "glue.job",
        ask(&GLUE, "glue:GetJobs")
            .send(&[("MaxResults", Value::Number(200))])
            .page("NextToken", "NextToken"),
        "Jobs[]",
    )
    .name("Name")
    .arn_as("arn:{partition}:glue:{region}:{account}:job/{name}")
    .role(0, "Role")
    .attributes(&[
        text("command", at(0, "Command.Name")),
        text("script_location", at(0, "Command.ScriptLocation")),
        keys("default_arguments", at(0, "DefaultArguments")),
        text("security_configuration", at(0, "SecurityConfiguration")),
    ]),
    listing(
        "secretsmanager.secret",
        ask(&SECRETS, "secretsmanager:ListSecrets")
            .send(&[("MaxResults", Value::Number(100))])
            .page("NextToken", "NextToken"),
        "SecretList[]",
    )
    .name("Name")
    .arn(0, "ARN")
    .details(&[ask(&SECRETS, "secretsmanager:GetResourcePolicy")
        .send(&[("SecretId", Value::Item("ARN"))])
        .absent(&["ResourceNotFoundException"])])
    .policy(1, "ResourcePolicy")
    .attributes(&[
        text("kms_key_id", at(0, "KmsKeyId")),
        flag("rotation_enabled", at(0, "RotationEnabled")),
        text("rotation_lambda_arn", at(0, "RotationLambdaARN")),
        text("owning_service", at(0, "OwningService")),
    ]),
    listing(
        "kms.key",
        ask(&KMS, "kms:ListKeys")
            .send(&[("Limit", Value::Number(1000))])
            .page("Marker", "NextMarker"),
        "Keys[]",
    )
    .name("KeyId")
    .arn(0, "KeyArn")
    .details(&[
        ask(&KMS, "kms:DescribeKey").send(&[("KeyId", Value::Item("KeyId"))]),
        ask(&KMS, "kms:GetKeyPolicy").send(&[
            ("KeyId", Value::Item("KeyId")),
            ("PolicyName", Value::Text("default")),
        ]),
        ask(&KMS, "kms:ListGrants").send(&[("KeyId", Value::Item("KeyId"))]),
    ])
    .policy(2, "Policy")
    .attributes(&[
        text("key_manager", at(1, "KeyMetadata.KeyManager")),
        text("key_state", at(1, "KeyMetadata.KeyState")),
        text("key_spec", at(1, "KeyMetadata.KeySpec")),
        texts("grantees", at(3, "Grants[].GranteePrincipal")),
    ]),
    listing(
        "eks.cluster",
        ask(&EKS, "eks:ListClusters")
            .route("GET /clusters")
            .page("nextToken", "nextToken"),
        "clusters[]",
    )
    .name(".")
    .arn(1, "cluster.arn")
    .details(&[ask(&EKS, "eks:DescribeCluster")
        .route("GET /clusters/{name}")
        .send(&[("name", Value::Item("."))])])
    .role(1, "cluster.roleArn")
    .attributes(&[
        flag(
            "endpoint_public_access",
            at(1, "cluster.resourcesVpcConfig.endpointPublicAccess"),
        ),
        texts(
            "public_access_cidrs",
            at(1, "cluster.resourcesVpcConfig.publicAccessCidrs[]"),
        ),
        text(
            "authentication_mode",
            at(1, "cluster.accessConfig.authenticationMode"),
        ),
        text("oidc_issuer", at(1, "cluster.identity.oidc.issuer")),
        present("encryption_config", at(1, "cluster.encryptionConfig[]")),
    ]),
    listing(
        "codebuild.project",
        ask(&CODEBUILD, "codebuild:ListProjects").page("nextToken", "nextToken"),
        "projects[]",
    )
    .name(".")
    .arn(1, "projects[].arn")
    .details(&[
        ask(&CODEBUILD, "codebuild:BatchGetProjects").send(&[("names", Value::ItemList("."))])
    ])
    .role(1, "projects[].serviceRole")
    .attributes(&[
        text("project_visibility", at(1, "projects[].projectVisibility")),
        text("source_type", at(1, "projects[].source.type")),
        text("source_location", at(1, "projects[].source.location")),
        present("webhook", at(1, "projects[].webhook")),
        flag(
            "privileged_mode",
            at(1, "projects[].environment.privilegedMode"),
        ),
        texts(
            "environment_variables",
            at(1, "projects[].environment.environmentVariables[].name"),
        ),
    ]),
    listing(
        "ecs.cluster",
        ask(&ECS, "ecs:ListClusters").page("nextToken", "nextToken"),
        "clusterArns[]",
    )
    .name_last_of(".")
    .arn(0, "."),
    listing(
        "ecs.service",
        ask(&ECS, "ecs:ListServices")
            .send(&[("cluster", Value::ParentArn)])
            .page("nextToken", "nextToken"),
        "serviceArns[]",
    )
    .under("ecs.cluster")
    .name_under_parent(".")
    .arn(0, ".")
    .details(&[ask(&ECS, "ecs:DescribeServices").send(&[
        ("cluster", Value::ParentArn),
        ("services", Value::ItemList(".")),
    ])])
    .attributes(&[
        text("status", at(1, "services[].status")),
        text("launch_type", at(1, "services[].launchType")),
        text("task_definition", at(1, "services[].taskDefinition")),
        flag(
            "enable_execute_command",
            at(1, "services[].enableExecuteCommand"),
        ),
        number("running_count", at(1, "services[].runningCount")),
    ]),
    listing(
        "sagemaker.notebook-instance",
        ask(&SAGEMAKER, "sagemaker:ListNotebookInstances")
            .send(&[("MaxResults", Value::Number(100))])
            .page("NextToken", "NextToken"),
        "NotebookInstances[]",
    )
    .name("NotebookInstanceName")
    .arn(0, "NotebookInstanceArn")
    .details(&[ask(&SAGEMAKER, "sagemaker:DescribeNotebookInstance")
        .send(&[("NotebookInstanceName", Value::Item("NotebookInstanceName"))])])
    .role(1, "RoleArn")
    .attributes(&[
        text("status", at(0, "NotebookInstanceStatus")),
        text(
            "lifecycle_config",
            at(0, "NotebookInstanceLifecycleConfigName"),
        ),
        text("direct_internet_access", at(1, "DirectInternetAccess")),
        text("root_access", at(1, "RootAccess")),
    ]),
    listing(
        "cloudformation.stack",
        ask(&CLOUDFORMATION, "cloudformation:DescribeStacks").page("NextToken", "NextToken"),
        "Stacks.member[]",
    )
    .name("StackName")
    .arn(0, "StackId")
    .role(0, "RoleARN")
    .attributes(&[
        text("stack_status", at(0, "StackStatus")),
        texts("capabilities", at(0, "Capabilities.member[]")),
        texts("parameters", at(0, "Parameters.member[].ParameterKey")),
        texts("outputs", at(0, "Outputs.member[].OutputKey")),
        flag(
            "enable_termination_protection",
            at(0, "EnableTerminationProtection"),
        ),
    ]),
    listing(
        "apprunner.service",
        ask(&APPRUNNER, "apprunner:ListServices").page("NextToken", "NextToken"),
        "ServiceSummaryList[]",
    )
    .name("ServiceName")
    .arn(0, "ServiceArn")
    .details(&[ask(&APPRUNNER, "apprunner:DescribeService")
        .send(&[("ServiceArn", Value::Item("ServiceArn"))])])
    .role(1, "Service.InstanceConfiguration.InstanceRoleArn")
    .attributes(&[
        text("status", at(0, "Status")),
        text(
            "access_role",
            at(
                1,
                "Service.SourceConfiguration.AuthenticationConfiguration.AccessRoleArn",
            ),
        ),
        flag(
            "is_publicly_accessible",
            at(
                1,
                "Service.NetworkConfiguration.IngressConfiguration.IsPubliclyAccessible",
            ),
        ),
    ]),
];
