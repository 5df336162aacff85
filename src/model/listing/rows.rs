//! The rows: one for each kind of resource.
//!
//! Attribute names are AWS's own field names in snake case; where a list was flattened, the
//! plural says so. Values of environment variables, parameters and tags of unknown meaning are
//! never kept, only their names.
//!
//! Source: the services' API references, 2026-11.

use super::builder::{ask, listing};
use super::services::*;
use super::{
    Listing, Value, at, flag, function_arns, key_ids, keys, number, present, raw, raws, tails,
    text, texts,
};

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
    .tags(0, "tagSet.item[]", ("key", "value"))
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
    .tags(0, "Tags[]", ("Key", "Value"))
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
        ask(&KMS, "kms:ListGrants").send(&[
            ("KeyId", Value::Item("KeyId")),
            ("Limit", Value::Number(100)),
        ]),
        ask(&KMS, "kms:ListResourceTags").send(&[("KeyId", Value::Item("KeyId"))]),
    ])
    .policy(2, "Policy")
    .tags(4, "Tags[]", ("TagKey", "TagValue"))
    .attributes(&[
        text("key_manager", at(1, "KeyMetadata.KeyManager")),
        text("key_state", at(1, "KeyMetadata.KeyState")),
        text("key_spec", at(1, "KeyMetadata.KeySpec")),
        raw("grants", at(3, "Grants")),
        flag("more_grants", at(3, "Truncated")),
    ]),
    listing(
        "eks.cluster",
        ask(&EKS, "eks:ListClusters")
            .route("GET /clusters")
            .page("nextToken", "nextToken"),
        "clusters[]",
    )
    .name(".")
    .arn_as("arn:{partition}:eks:{region}:{account}:cluster/{name}")
    .details(&[ask(&EKS, "eks:DescribeCluster")
        .route("GET /clusters/{name}")
        .send(&[("name", Value::Item("."))])])
    .role(1, "cluster.roleArn")
    .tag_map(1, "cluster.tags")
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
    .arn_as("arn:{partition}:codebuild:{region}:{account}:project/{name}")
    .details(&[
        ask(&CODEBUILD, "codebuild:BatchGetProjects").send(&[("names", Value::ItemList("."))])
    ])
    .role(1, "projects[].serviceRole")
    .tags(1, "projects[].tags[]", ("key", "value"))
    .attributes(&[
        text("project_visibility", at(1, "projects[].projectVisibility")),
        text("source_type", at(1, "projects[].source.type")),
        text("source_location", at(1, "projects[].source.location")),
        present("webhook", at(1, "projects[].webhook")),
        texts(
            "webhook_filter_types",
            at(1, "projects[].webhook.filterGroups[].[].type"),
        ),
        texts(
            "webhook_filter_patterns",
            at(1, "projects[].webhook.filterGroups[].[].pattern"),
        ),
        flag(
            "privileged_mode",
            at(1, "projects[].environment.privilegedMode"),
        ),
        texts(
            "environment_variables",
            at(1, "projects[].environment.environmentVariables[].name"),
        ),
        key_ids(at(1, "projects[].environment.environmentVariables[].value")),
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
        ("include", Value::Texts(&["TAGS"])),
    ])])
    .tags(1, "services[].tags[]", ("key", "value"))
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
    .tags(0, "Tags.member[]", ("Key", "Value"))
    .attributes(&[
        text("stack_status", at(0, "StackStatus")),
        texts("capabilities", at(0, "Capabilities.member[]")),
        texts("parameters", at(0, "Parameters.member[].ParameterKey")),
        texts("outputs", at(0, "Outputs.member[].OutputKey")),
        key_ids(at(0, "Parameters.member[].ParameterValue|Outputs.member[].OutputValue")),
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
    listing(
        "ec2.launch-template",
        ask(&EC2, "ec2:DescribeLaunchTemplates")
            .send(&[("MaxResults", Value::Number(200))])
            .page("NextToken", "nextToken"),
        "launchTemplates.item[]",
    )
    .name("launchTemplateId")
    .arn_as("arn:{partition}:ec2:{region}:{account}:launch-template/{name}")
    .details(&[ask(&EC2, "ec2:DescribeLaunchTemplateVersions").send(&[
        ("LaunchTemplateId", Value::Item("launchTemplateId")),
        ("LaunchTemplateVersion", Value::Texts(&["$Latest", "$Default"])),
    ])])
    .profile(
        1,
        "launchTemplateVersionSet.item[].launchTemplateData.iamInstanceProfile.arn|launchTemplateVersionSet.item[].launchTemplateData.iamInstanceProfile.name",
    )
    .tags(0, "tagSet.item[]", ("key", "value"))
    .attributes(&[
        text("launch_template_name", at(0, "launchTemplateName")),
        number("default_version_number", at(0, "defaultVersionNumber")),
        number("latest_version_number", at(0, "latestVersionNumber")),
        present(
            "user_data",
            at(1, "launchTemplateVersionSet.item[].launchTemplateData.userData"),
        ),
        key_ids(at(1, "launchTemplateVersionSet.item[].launchTemplateData.userData")),
    ]),
    listing(
        "ec2.security-group",
        ask(&EC2, "ec2:DescribeSecurityGroups")
            .send(&[("MaxResults", Value::Number(1000))])
            .page("NextToken", "nextToken"),
        "securityGroupInfo.item[]",
    )
    .name("groupId")
    .arn_as("arn:{partition}:ec2:{region}:{account}:security-group/{name}")
    .tags(0, "tagSet.item[]", ("key", "value"))
    .attributes(&[
        text("group_name", at(0, "groupName")),
        text("vpc_id", at(0, "vpcId")),
        texts(
            "ingress_cidrs",
            at(
                0,
                "ipPermissions.item[].ipRanges.item[].cidrIp|ipPermissions.item[].ipv6Ranges.item[].cidrIpv6",
            ),
        ),
    ]),
    listing(
        "ec2.volume",
        ask(&EC2, "ec2:DescribeVolumes")
            .send(&[("MaxResults", Value::Number(500))])
            .page("NextToken", "nextToken"),
        "volumeSet.item[]",
    )
    .name("volumeId")
    .arn_as("arn:{partition}:ec2:{region}:{account}:volume/{name}")
    .tags(0, "tagSet.item[]", ("key", "value"))
    .attributes(&[
        flag("encrypted", at(0, "encrypted")),
        text("kms_key_id", at(0, "kmsKeyId")),
        text("snapshot_id", at(0, "snapshotId")),
        texts("instances", at(0, "attachmentSet.item[].instanceId")),
    ]),
    listing(
        "ec2.snapshot",
        ask(&EC2, "ec2:DescribeSnapshots")
            .send(&[
                ("MaxResults", Value::Number(1000)),
                ("Owner", Value::Texts(&["self"])),
            ])
            .page("NextToken", "nextToken"),
        "snapshotSet.item[]",
    )
    .name("snapshotId")
    .arn_as("arn:{partition}:ec2:{region}::snapshot/{name}")
    .owned_by("ownerId")
    .narrow(
        ask(&EC2, "ec2:DescribeSnapshots")
            .send(&[
                ("MaxResults", Value::Number(1000)),
                ("Owner", Value::Texts(&["self"])),
                ("RestorableBy", Value::Texts(&["all"])),
            ])
            .page("NextToken", "nextToken"),
        &["create_volume_groups"],
    )
    .details(&[ask(&EC2, "ec2:DescribeSnapshotAttribute").send(&[
        ("SnapshotId", Value::Item("snapshotId")),
        ("Attribute", Value::Text("createVolumePermission")),
    ])])
    .tags(0, "tagSet.item[]", ("key", "value"))
    .attributes(&[
        text("volume_id", at(0, "volumeId")),
        flag("encrypted", at(0, "encrypted")),
        text("kms_key_id", at(0, "kmsKeyId")),
        texts("create_volume_groups", at(1, "createVolumePermission.item[].group")),
        texts("create_volume_accounts", at(1, "createVolumePermission.item[].userId")),
    ]),
    listing(
        "ec2.snapshot-block-public-access",
        ask(&EC2, "ec2:GetSnapshotBlockPublicAccessState"),
        ".",
    )
    .named("account")
    .arn_as("arn:{partition}:ec2:{region}:{account}:snapshot-block-public-access")
    .attributes(&[text("state", at(0, "state"))]),
    listing(
        "ec2.image",
        ask(&EC2, "ec2:DescribeImages")
            .send(&[
                ("MaxResults", Value::Number(1000)),
                ("Owner", Value::Texts(&["self"])),
            ])
            .page("NextToken", "nextToken"),
        "imagesSet.item[]",
    )
    .name("imageId")
    .arn_as("arn:{partition}:ec2:{region}::image/{name}")
    .tags(0, "tagSet.item[]", ("key", "value"))
    .attributes(&[
        flag("public", at(0, "isPublic")),
        text("state", at(0, "imageState")),
        texts("snapshots", at(0, "blockDeviceMapping.item[].ebs.snapshotId")),
    ]),
    listing(
        "ec2.serial-console-access",
        ask(&EC2, "ec2:GetSerialConsoleAccessStatus"),
        ".",
    )
    .named("account")
    .arn_as("arn:{partition}:ec2:{region}:{account}:serial-console-access")
    .attributes(&[flag("enabled", at(0, "serialConsoleAccessEnabled"))]),
    listing(
        "autoscaling.group",
        ask(&AUTOSCALING, "autoscaling:DescribeAutoScalingGroups")
            .send(&[("MaxRecords", Value::Number(100))])
            .page("NextToken", "NextToken"),
        "AutoScalingGroups.member[]",
    )
    .name("AutoScalingGroupName")
    .arn(0, "AutoScalingGroupARN")
    .tags(0, "Tags.member[]", ("Key", "Value"))
    .attributes(&[
        texts("instances", at(0, "Instances.member[].InstanceId")),
        text(
            "launch_template",
            at(
                0,
                "LaunchTemplate.LaunchTemplateId|MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateId",
            ),
        ),
        text(
            "launch_template_version",
            at(
                0,
                "LaunchTemplate.Version|MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version",
            ),
        ),
        text("launch_configuration", at(0, "LaunchConfigurationName")),
        texts(
            "suspended_processes",
            at(0, "SuspendedProcesses.member[].ProcessName"),
        ),
    ]),
    listing(
        "autoscaling.launch-configuration",
        ask(&AUTOSCALING, "autoscaling:DescribeLaunchConfigurations")
            .send(&[("MaxRecords", Value::Number(100))])
            .page("NextToken", "NextToken"),
        "LaunchConfigurations.member[]",
    )
    .name("LaunchConfigurationName")
    .arn(0, "LaunchConfigurationARN")
    .profile(0, "IamInstanceProfile")
    .attributes(&[
        text("image_id", at(0, "ImageId")),
        present("user_data", at(0, "UserData")),
        key_ids(at(0, "UserData")),
    ]),
    listing(
        "ssm.managed-instance",
        ask(&SSM, "ssm:DescribeInstanceInformation")
            .send(&[("MaxResults", Value::Number(50))])
            .page("NextToken", "NextToken"),
        "InstanceInformationList[]",
    )
    .name("InstanceId")
    .arn_as("arn:{partition}:ssm:{region}:{account}:managed-instance/{name}")
    .role(0, "IamRole")
    .attributes(&[
        text("ping_status", at(0, "PingStatus")),
        text("platform_type", at(0, "PlatformType")),
        text("resource_type", at(0, "ResourceType")),
    ]),
    listing(
        "ssm.document",
        ask(&SSM, "ssm:ListDocuments")
            .send(&[
                ("MaxResults", Value::Number(50)),
                ("Filters", Value::Json(r#"[{"Key":"Owner","Values":["Self"]}]"#)),
            ])
            .page("NextToken", "NextToken"),
        "DocumentIdentifiers[]",
    )
    .name("Name")
    .arn_as("arn:{partition}:ssm:{region}:{account}:document/{name}")
    .details(&[ask(&SSM, "ssm:DescribeDocumentPermission").send(&[
        ("Name", Value::Item("Name")),
        ("PermissionType", Value::Text("Share")),
    ])])
    .tags(0, "Tags[]", ("Key", "Value"))
    .attributes(&[
        text("document_type", at(0, "DocumentType")),
        texts("shared_accounts", at(1, "AccountIds[]")),
    ]),
    listing(
        "ssm.association",
        ask(&SSM, "ssm:ListAssociations")
            .send(&[("MaxResults", Value::Number(50))])
            .page("NextToken", "NextToken"),
        "Associations[]",
    )
    .name("AssociationId")
    .arn_as("arn:{partition}:ssm:{region}:{account}:association/{name}")
    .attributes(&[
        text("document", at(0, "Name")),
        text("document_version", at(0, "DocumentVersion")),
        texts("target_keys", at(0, "Targets[].Key")),
        texts("target_values", at(0, "Targets[].Values[]")),
    ]),
    listing(
        "ssm.maintenance-window",
        ask(&SSM, "ssm:DescribeMaintenanceWindows")
            .send(&[("MaxResults", Value::Number(50))])
            .page("NextToken", "NextToken"),
        "WindowIdentities[]",
    )
    .name("WindowId")
    .arn_as("arn:{partition}:ssm:{region}:{account}:maintenancewindow/{name}")
    .details(&[ask(&SSM, "ssm:DescribeMaintenanceWindowTargets")
        .send(&[("WindowId", Value::Item("WindowId"))])])
    .attributes(&[
        flag("enabled", at(0, "Enabled")),
        texts("target_values", at(1, "Targets[].Targets[].Values[]")),
    ]),
    listing(
        "ssm.parameter",
        ask(&SSM, "ssm:DescribeParameters")
            .send(&[("MaxResults", Value::Number(50))])
            .page("NextToken", "NextToken"),
        "Parameters[]",
    )
    .name("Name")
    .arn(0, "ARN")
    .attributes(&[
        text("type", at(0, "Type")),
        text("key_id", at(0, "KeyId")),
    ]),
    listing(
        "ecs.task-definition",
        ask(&ECS, "ecs:ListTaskDefinitions")
            .send(&[("maxResults", Value::Number(100)), ("status", Value::Text("ACTIVE"))])
            .page("nextToken", "nextToken"),
        "taskDefinitionArns[]",
    )
    .name_after_slash(".")
    .arn(0, ".")
    .details(&[ask(&ECS, "ecs:DescribeTaskDefinition").send(&[
        ("taskDefinition", Value::Item(".")),
        ("include", Value::Texts(&["TAGS"])),
    ])])
    .role(1, "taskDefinition.taskRoleArn")
    .tags(1, "tags[]", ("key", "value"))
    .attributes(&[
        text("execution_role", at(1, "taskDefinition.executionRoleArn")),
        text("network_mode", at(1, "taskDefinition.networkMode")),
        texts("images", at(1, "taskDefinition.containerDefinitions[].image")),
        texts(
            "environment",
            at(1, "taskDefinition.containerDefinitions[].environment[].name"),
        ),
        key_ids(at(1, "taskDefinition.containerDefinitions[].environment[].value")),
        texts(
            "secrets",
            at(1, "taskDefinition.containerDefinitions[].secrets[].valueFrom"),
        ),
        texts("privileged", at(1, "taskDefinition.containerDefinitions[].privileged")),
    ]),
    listing(
        "ecs.task",
        ask(&ECS, "ecs:ListTasks")
            .send(&[("cluster", Value::ParentArn)])
            .page("nextToken", "nextToken"),
        "taskArns[]",
    )
    .under("ecs.cluster")
    .name_under_parent(".")
    .arn(0, ".")
    .details(&[ask(&ECS, "ecs:DescribeTasks").send(&[
        ("cluster", Value::ParentArn),
        ("tasks", Value::ItemList(".")),
        ("include", Value::Texts(&["TAGS"])),
    ])])
    .tags(1, "tasks[].tags[]", ("key", "value"))
    .attributes(&[
        text("cluster", at(1, "tasks[].clusterArn")),
        text("task_definition", at(1, "tasks[].taskDefinitionArn")),
        text("last_status", at(1, "tasks[].lastStatus")),
        text("launch_type", at(1, "tasks[].launchType")),
        text("container_instance", at(1, "tasks[].containerInstanceArn")),
        flag("enable_execute_command", at(1, "tasks[].enableExecuteCommand")),
    ]),
    listing(
        "ecs.container-instance",
        ask(&ECS, "ecs:ListContainerInstances")
            .send(&[("cluster", Value::ParentArn)])
            .page("nextToken", "nextToken"),
        "containerInstanceArns[]",
    )
    .under("ecs.cluster")
    .name_under_parent(".")
    .arn(0, ".")
    .details(&[ask(&ECS, "ecs:DescribeContainerInstances").send(&[
        ("cluster", Value::ParentArn),
        ("containerInstances", Value::ItemList(".")),
        ("include", Value::Texts(&["TAGS"])),
    ])])
    .tags(1, "containerInstances[].tags[]", ("key", "value"))
    .attributes(&[
        text("ec2_instance_id", at(1, "containerInstances[].ec2InstanceId")),
        text("status", at(1, "containerInstances[].status")),
    ]),
    listing(
        "eks.nodegroup",
        ask(&EKS, "eks:ListNodegroups")
            .route("GET /clusters/{name}/node-groups")
            .send(&[("name", Value::ParentName)])
            .page("nextToken", "nextToken"),
        "nodegroups[]",
    )
    .under("eks.cluster")
    .name_under_parent(".")
    .arn(1, "nodegroup.nodegroupArn")
    .details(&[ask(&EKS, "eks:DescribeNodegroup")
        .route("GET /clusters/{name}/node-groups/{nodegroup}")
        .send(&[("name", Value::ParentName), ("nodegroup", Value::Item("."))])])
    .role(1, "nodegroup.nodeRole")
    .tag_map(1, "nodegroup.tags")
    .attributes(&[
        text("cluster", at(1, "nodegroup.clusterName")),
        text("status", at(1, "nodegroup.status")),
    ]),
    listing(
        "glue.dev-endpoint",
        ask(&GLUE, "glue:GetDevEndpoints")
            .send(&[("MaxResults", Value::Number(200))])
            .page("NextToken", "NextToken"),
        "DevEndpoints[]",
    )
    .name("EndpointName")
    .arn_as("arn:{partition}:glue:{region}:{account}:devEndpoint/{name}")
    .role(0, "RoleArn")
    .attributes(&[text("status", at(0, "Status"))]),
    listing(
        "glue.session",
        ask(&GLUE, "glue:ListSessions")
            .send(&[("MaxResults", Value::Number(200))])
            .page("NextToken", "NextToken"),
        "Sessions[]",
    )
    .name("Id")
    .arn_as("arn:{partition}:glue:{region}:{account}:session/{name}")
    .role(0, "Role")
    .attributes(&[text("status", at(0, "Status"))]),
    listing(
        "glue.trigger",
        ask(&GLUE, "glue:GetTriggers")
            .send(&[("MaxResults", Value::Number(200))])
            .page("NextToken", "NextToken"),
        "Triggers[]",
    )
    .name("Name")
    .arn_as("arn:{partition}:glue:{region}:{account}:trigger/{name}")
    .attributes(&[
        text("state", at(0, "State")),
        text("type", at(0, "Type")),
        text("workflow_name", at(0, "WorkflowName")),
        texts("jobs", at(0, "Actions[].JobName")),
    ]),
    listing(
        "glue.workflow",
        ask(&GLUE, "glue:ListWorkflows")
            .send(&[("MaxResults", Value::Number(25))])
            .page("NextToken", "NextToken"),
        "Workflows[]",
    )
    .name(".")
    .arn_as("arn:{partition}:glue:{region}:{account}:workflow/{name}"),
    listing(
        "sagemaker.domain",
        ask(&SAGEMAKER, "sagemaker:ListDomains")
            .send(&[("MaxResults", Value::Number(100))])
            .page("NextToken", "NextToken"),
        "Domains[]",
    )
    .name("DomainId")
    .arn(0, "DomainArn")
    .details(&[ask(&SAGEMAKER, "sagemaker:DescribeDomain")
        .send(&[("DomainId", Value::Item("DomainId"))])])
    .role(1, "DefaultUserSettings.ExecutionRole")
    .attributes(&[
        text("status", at(0, "Status")),
        text("auth_mode", at(1, "AuthMode")),
        text("app_network_access_type", at(1, "AppNetworkAccessType")),
    ]),
    listing(
        "sagemaker.user-profile",
        ask(&SAGEMAKER, "sagemaker:ListUserProfiles")
            .send(&[
                ("MaxResults", Value::Number(100)),
                ("DomainIdEquals", Value::ParentName),
            ])
            .page("NextToken", "NextToken"),
        "UserProfiles[]",
    )
    .under("sagemaker.domain")
    .name_under_parent("UserProfileName")
    .arn(1, "UserProfileArn")
    .details(&[ask(&SAGEMAKER, "sagemaker:DescribeUserProfile").send(&[
        ("DomainId", Value::ParentName),
        ("UserProfileName", Value::Item("UserProfileName")),
    ])])
    .role(1, "UserSettings.ExecutionRole")
    .attributes(&[
        text("domain", at(0, "DomainId")),
        text("status", at(0, "Status")),
    ]),
    listing(
        "cloudformation.stack-set",
        ask(&CLOUDFORMATION, "cloudformation:ListStackSets")
            .send(&[("Status", Value::Text("ACTIVE"))])
            .page("NextToken", "NextToken"),
        "Summaries.member[]",
    )
    .name("StackSetName")
    .arn(1, "StackSet.StackSetARN")
    .details(&[
        ask(&CLOUDFORMATION, "cloudformation:DescribeStackSet")
            .send(&[("StackSetName", Value::Item("StackSetName"))]),
        ask(&CLOUDFORMATION, "cloudformation:ListStackInstances")
            .send(&[("StackSetName", Value::Item("StackSetName"))]),
    ])
    .role(1, "StackSet.AdministrationRoleARN")
    .tags(1, "StackSet.Tags.member[]", ("Key", "Value"))
    .attributes(&[
        text("permission_model", at(1, "StackSet.PermissionModel")),
        text("execution_role_name", at(1, "StackSet.ExecutionRoleName")),
        present("has_instances", at(2, "Summaries.member[]")),
        texts("accounts", at(2, "Summaries.member[].Account")),
    ]),
    listing(
        "codepipeline.pipeline",
        ask(&CODEPIPELINE, "codepipeline:ListPipelines").page("nextToken", "nextToken"),
        "pipelines[]",
    )
    .name("name")
    .arn_as("arn:{partition}:codepipeline:{region}:{account}:{name}")
    .details(&[ask(&CODEPIPELINE, "codepipeline:GetPipeline").send(&[("name", Value::Item("name"))])])
    .role(1, "pipeline.roleArn")
    .attributes(&[
        texts(
            "build_projects",
            at(1, "pipeline.stages[].actions[].configuration.ProjectName"),
        ),
        texts(
            "source_repositories",
            at(1, "pipeline.stages[].actions[].configuration.RepositoryName"),
        ),
        texts(
            "source_buckets",
            at(1, "pipeline.stages[].actions[].configuration.S3Bucket"),
        ),
    ]),
    listing(
        "codecommit.repository",
        ask(&CODECOMMIT, "codecommit:ListRepositories").page("nextToken", "nextToken"),
        "repositories[]",
    )
    .name("repositoryName")
    .arn_as("arn:{partition}:codecommit:{region}:{account}:{name}"),
    listing(
        "ecr.repository",
        ask(&ECR, "ecr:DescribeRepositories")
            .send(&[("maxResults", Value::Number(1000))])
            .page("nextToken", "nextToken"),
        "repositories[]",
    )
    .name("repositoryName")
    .arn(0, "repositoryArn")
    .details(&[ask(&ECR, "ecr:GetRepositoryPolicy")
        .send(&[("repositoryName", Value::Item("repositoryName"))])
        .absent(&["RepositoryPolicyNotFoundException"])])
    .policy(1, "policyText")
    .attributes(&[
        text("repository_uri", at(0, "repositoryUri")),
        text("image_tag_mutability", at(0, "imageTagMutability")),
    ]),
    listing(
        "elasticmapreduce.cluster",
        ask(&EMR, "elasticmapreduce:ListClusters")
            .send(&[(
                "ClusterStates",
                Value::Texts(&["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]),
            )])
            .page("Marker", "Marker"),
        "Clusters[]",
    )
    .name("Id")
    .arn(0, "ClusterArn")
    .details(&[ask(&EMR, "elasticmapreduce:DescribeCluster").send(&[("ClusterId", Value::Item("Id"))])])
    .profile(1, "Cluster.Ec2InstanceAttributes.IamInstanceProfile")
    .tags(1, "Cluster.Tags[]", ("Key", "Value"))
    .attributes(&[
        text("state", at(0, "Status.State")),
        text("service_role", at(1, "Cluster.ServiceRole")),
        text("security_configuration", at(1, "Cluster.SecurityConfiguration")),
    ]),
    listing(
        "datapipeline.pipeline",
        ask(&DATAPIPELINE, "datapipeline:ListPipelines").page("marker", "marker"),
        "pipelineIdList[]",
    )
    .name("id")
    .arn_as("arn:{partition}:datapipeline:{region}:{account}:pipeline/{name}"),
    listing(
        "iot.role-alias",
        ask(&IOT, "iot:ListRoleAliases")
            .route("GET /role-aliases")
            .page("marker", "nextMarker"),
        "roleAliases[]",
    )
    .name(".")
    .arn_as("arn:{partition}:iot:{region}:{account}:rolealias/{name}")
    .details(&[ask(&IOT, "iot:DescribeRoleAlias")
        .route("GET /role-aliases/{roleAlias}")
        .send(&[("roleAlias", Value::Item("."))])])
    .role(1, "roleAliasDescription.roleArn"),
    listing(
        "rolesanywhere.trust-anchor",
        ask(&ROLESANYWHERE, "rolesanywhere:ListTrustAnchors")
            .route("GET /trustanchors")
            .page("nextToken", "nextToken"),
        "trustAnchors[]",
    )
    .name("trustAnchorId")
    .arn(0, "trustAnchorArn")
    .attributes(&[
        flag("enabled", at(0, "enabled")),
        text("source_type", at(0, "source.sourceType")),
    ]),
    listing(
        "rolesanywhere.profile",
        ask(&ROLESANYWHERE, "rolesanywhere:ListProfiles")
            .route("GET /profiles")
            .page("nextToken", "nextToken"),
        "profiles[]",
    )
    .name("profileId")
    .arn(0, "profileArn")
    .attributes(&[
        flag("enabled", at(0, "enabled")),
        texts("role_arns", at(0, "roleArns[]")),
    ]),
    listing(
        "bedrock.agent",
        ask(&BEDROCK_AGENT, "bedrock:ListAgents")
            .route("POST /agents/")
            .send(&[("maxResults", Value::Number(100))])
            .page("nextToken", "nextToken"),
        "agentSummaries[]",
    )
    .name("agentId")
    .arn_as("arn:{partition}:bedrock:{region}:{account}:agent/{name}")
    .details(&[ask(&BEDROCK_AGENT, "bedrock:GetAgent")
        .route("GET /agents/{agentId}/")
        .send(&[("agentId", Value::Item("agentId"))])])
    .role(1, "agent.agentResourceRoleArn")
    .attributes(&[
        text("agent_status", at(0, "agentStatus")),
        text("foundation_model", at(1, "agent.foundationModel")),
    ]),
    listing(
        "bedrock.logging",
        ask(&BEDROCK, "bedrock:GetModelInvocationLoggingConfiguration")
            .route("GET /logging/modelinvocations"),
        ".",
    )
    .named("account")
    .arn_as("arn:{partition}:bedrock:{region}:{account}:logging")
    .attributes(&[
        present("enabled", at(0, "loggingConfig")),
        text("bucket", at(0, "loggingConfig.s3Config.bucketName")),
        text("log_group", at(0, "loggingConfig.cloudWatchConfig.logGroupName")),
        flag("text_data", at(0, "loggingConfig.textDataDeliveryEnabled")),
    ]),
    listing(
        "bedrock-agentcore.runtime",
        ask(&AGENTCORE, "bedrock-agentcore:ListAgentRuntimes")
            .route("POST /runtimes/")
            .page("nextToken", "nextToken"),
        "agentRuntimes[]",
    )
    .name("agentRuntimeId")
    .arn(0, "agentRuntimeArn")
    .details(&[
        ask(&AGENTCORE, "bedrock-agentcore:GetAgentRuntime")
            .route("GET /runtimes/{agentRuntimeId}/")
            .send(&[("agentRuntimeId", Value::Item("agentRuntimeId"))]),
        ask(&AGENTCORE, "bedrock-agentcore:GetResourcePolicy")
            .route("GET /resourcepolicy/{resourceArn}")
            .send(&[("resourceArn", Value::Item("agentRuntimeArn"))])
            .absent(&["ResourceNotFoundException"]),
    ])
    .role(1, "roleArn")
    .policy(2, "policy")
    .attributes(&[text("status", at(0, "status"))]),
    listing(
        "bedrock-agentcore.code-interpreter",
        ask(&AGENTCORE, "bedrock-agentcore:ListCodeInterpreters")
            .route("POST /code-interpreters")
            .page("nextToken", "nextToken"),
        "codeInterpreterSummaries[]",
    )
    .name("codeInterpreterId")
    .arn(0, "codeInterpreterArn")
    .details(&[ask(&AGENTCORE, "bedrock-agentcore:GetCodeInterpreter")
        .route("GET /code-interpreters/{codeInterpreterId}")
        .send(&[("codeInterpreterId", Value::Item("codeInterpreterId"))])])
    .role(1, "executionRoleArn")
    .attributes(&[text("status", at(0, "status"))]),
    listing(
        "bedrock-agentcore.browser",
        ask(&AGENTCORE, "bedrock-agentcore:ListBrowsers")
            .route("POST /browsers")
            .page("nextToken", "nextToken"),
        "browserSummaries[]",
    )
    .name("browserId")
    .arn(0, "browserArn")
    .details(&[ask(&AGENTCORE, "bedrock-agentcore:GetBrowser")
        .route("GET /browsers/{browserId}")
        .send(&[("browserId", Value::Item("browserId"))])])
    .role(1, "executionRoleArn")
    .attributes(&[text("status", at(0, "status"))]),
    listing(
        "dynamodb.table",
        ask(&DYNAMODB, "dynamodb:ListTables")
            .send(&[("Limit", Value::Number(100))])
            .page("ExclusiveStartTableName", "LastEvaluatedTableName"),
        "TableNames[]",
    )
    .name(".")
    .arn_as("arn:{partition}:dynamodb:{region}:{account}:table/{name}")
    .details(&[
        ask(&DYNAMODB, "dynamodb:DescribeTable").send(&[("TableName", Value::Item("."))]),
        ask(&DYNAMODB, "dynamodb:GetResourcePolicy")
            .send(&[("ResourceArn", Value::Arn)])
            .absent(&["PolicyNotFoundException"]),
        ask(&DYNAMODB, "dynamodb:ListTagsOfResource").send(&[("ResourceArn", Value::Arn)]),
    ])
    .policy(2, "Policy")
    .tags(3, "Tags[]", ("Key", "Value"))
    .attributes(&[
        text("kms_key_arn", at(1, "Table.SSEDescription.KMSMasterKeyArn")),
        text("stream_arn", at(1, "Table.LatestStreamArn")),
        flag("deletion_protection_enabled", at(1, "Table.DeletionProtectionEnabled")),
    ]),
    listing(
        "sqs.queue",
        ask(&SQS, "sqs:ListQueues")
            .send(&[("MaxResults", Value::Number(1000))])
            .page("NextToken", "NextToken"),
        "QueueUrls[]",
    )
    .name_after_slash(".")
    .arn_as("arn:{partition}:sqs:{region}:{account}:{name}")
    .details(&[ask(&SQS, "sqs:GetQueueAttributes").send(&[
        ("QueueUrl", Value::Item(".")),
        ("AttributeNames", Value::Texts(&["All"])),
    ])])
    .policy(1, "Attributes.Policy")
    .attributes(&[text("kms_key_id", at(1, "Attributes.KmsMasterKeyId"))]),
    listing(
        "cognito-identity.identity-pool",
        ask(&COGNITO_IDENTITY, "cognito-identity:ListIdentityPools")
            .send(&[("MaxResults", Value::Number(60))])
            .page("NextToken", "NextToken"),
        "IdentityPools[]",
    )
    .name("IdentityPoolId")
    .arn_as("arn:{partition}:cognito-identity:{region}:{account}:identitypool/{name}")
    .details(&[
        ask(&COGNITO_IDENTITY, "cognito-identity:DescribeIdentityPool")
            .send(&[("IdentityPoolId", Value::Item("IdentityPoolId"))]),
        ask(&COGNITO_IDENTITY, "cognito-identity:GetIdentityPoolRoles")
            .send(&[("IdentityPoolId", Value::Item("IdentityPoolId"))]),
    ])
    .tag_map(1, "IdentityPoolTags")
    .attributes(&[
        text("identity_pool_name", at(0, "IdentityPoolName")),
        flag("allow_unauthenticated_identities", at(1, "AllowUnauthenticatedIdentities")),
        flag("allow_classic_flow", at(1, "AllowClassicFlow")),
        tails("user_pools", at(1, "CognitoIdentityProviders[].ProviderName")),
        text("unauthenticated_role", at(2, "Roles.unauthenticated")),
        text("authenticated_role", at(2, "Roles.authenticated")),
        present("role_mappings", at(2, "RoleMappings")),
    ]),
    listing(
        "cognito-idp.user-pool",
        ask(&COGNITO_IDP, "cognito-idp:ListUserPools")
            .send(&[("MaxResults", Value::Number(60))])
            .page("NextToken", "NextToken"),
        "UserPools[]",
    )
    .name("Id")
    .arn_as("arn:{partition}:cognito-idp:{region}:{account}:userpool/{name}")
    .details(&[ask(&COGNITO_IDP, "cognito-idp:DescribeUserPool")
        .send(&[("UserPoolId", Value::Item("Id"))])])
    .tag_map(1, "UserPool.UserPoolTags")
    .attributes(&[
        text("user_pool_name", at(0, "Name")),
        flag(
            "admin_create_user_only",
            at(1, "UserPool.AdminCreateUserConfig.AllowAdminCreateUserOnly"),
        ),
        text("mfa_configuration", at(1, "UserPool.MfaConfiguration")),
    ]),
    listing(
        "states.state-machine",
        ask(&STATES, "states:ListStateMachines")
            .send(&[("maxResults", Value::Number(1000))])
            .page("nextToken", "nextToken"),
        "stateMachines[]",
    )
    .name("name")
    .arn(0, "stateMachineArn")
    .details(&[ask(&STATES, "states:DescribeStateMachine")
        .send(&[("stateMachineArn", Value::Item("stateMachineArn"))])])
    .role(1, "roleArn")
    .attributes(&[
        text("status", at(1, "status")),
        text("type", at(0, "type")),
        function_arns("functions", at(1, "definition")),
    ]),
    listing(
        "scheduler.schedule",
        ask(&SCHEDULER, "scheduler:ListSchedules")
            .route("GET /schedules")
            .send(&[("MaxResults", Value::Number(100))])
            .page("NextToken", "NextToken"),
        "Schedules[]",
    )
    .name("Name")
    .arn(0, "Arn")
    .details(&[ask(&SCHEDULER, "scheduler:GetSchedule")
        .route("GET /schedules/{Name}")
        .send(&[("Name", Value::Item("Name")), ("groupName", Value::Item("GroupName"))])])
    .role(1, "Target.RoleArn")
    .attributes(&[
        text("group", at(0, "GroupName")),
        text("state", at(0, "State")),
        text("target", at(0, "Target.Arn")),
    ]),
    listing(
        "rds.db",
        ask(&RDS, "rds:DescribeDBInstances")
            .send(&[("MaxRecords", Value::Number(100))])
            .page("Marker", "Marker"),
        "DBInstances.DBInstance[]",
    )
    .name("DBInstanceIdentifier")
    .arn(0, "DBInstanceArn")
    .tags(0, "TagList.Tag[]", ("Key", "Value"))
    .attributes(&[
        text("status", at(0, "DBInstanceStatus")),
        flag("publicly_accessible", at(0, "PubliclyAccessible")),
        flag("storage_encrypted", at(0, "StorageEncrypted")),
        flag(
            "iam_database_authentication_enabled",
            at(0, "IAMDatabaseAuthenticationEnabled"),
        ),
    ]),
    listing(
        "rds.snapshot",
        ask(&RDS, "rds:DescribeDBSnapshots")
            .send(&[
                ("MaxRecords", Value::Number(100)),
                ("SnapshotType", Value::Text("manual")),
            ])
            .page("Marker", "Marker"),
        "DBSnapshots.DBSnapshot[]",
    )
    .name("DBSnapshotIdentifier")
    .arn(0, "DBSnapshotArn")
    .details(&[ask(&RDS, "rds:DescribeDBSnapshotAttributes")
        .send(&[("DBSnapshotIdentifier", Value::Item("DBSnapshotIdentifier"))])])
    .tags(0, "TagList.Tag[]", ("Key", "Value"))
    .attributes(&[
        flag("encrypted", at(0, "Encrypted")),
        texts(
            "restore_accounts",
            at(
                1,
                "DBSnapshotAttributesResult.DBSnapshotAttributes.DBSnapshotAttribute[].AttributeValues.AttributeValue[]",
            ),
        ),
    ]),
    listing(
        "rds.cluster-snapshot",
        ask(&RDS, "rds:DescribeDBClusterSnapshots")
            .send(&[
                ("MaxRecords", Value::Number(100)),
                ("SnapshotType", Value::Text("manual")),
            ])
            .page("Marker", "Marker"),
        "DBClusterSnapshots.DBClusterSnapshot[]",
    )
    .name("DBClusterSnapshotIdentifier")
    .arn(0, "DBClusterSnapshotArn")
    .details(&[ask(&RDS, "rds:DescribeDBClusterSnapshotAttributes").send(&[(
        "DBClusterSnapshotIdentifier",
        Value::Item("DBClusterSnapshotIdentifier"),
    )])])
    .tags(0, "TagList.Tag[]", ("Key", "Value"))
    .attributes(&[
        flag("encrypted", at(0, "StorageEncrypted")),
        texts(
            "restore_accounts",
            at(
                1,
                "DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes.DBClusterSnapshotAttribute[].AttributeValues.AttributeValue[]",
            ),
        ),
    ]),
    listing(
        "redshift.cluster",
        ask(&REDSHIFT, "redshift:DescribeClusters")
            .send(&[("MaxRecords", Value::Number(100))])
            .page("Marker", "Marker"),
        "Clusters.Cluster[]",
    )
    .name("ClusterIdentifier")
    .arn_as("arn:{partition}:redshift:{region}:{account}:cluster:{name}")
    .tags(0, "Tags.Tag[]", ("Key", "Value"))
    .attributes(&[
        texts("iam_roles", at(0, "IamRoles.ClusterIamRole[].IamRoleArn")),
        flag("publicly_accessible", at(0, "PubliclyAccessible")),
        flag("encrypted", at(0, "Encrypted")),
    ]),
    listing(
        "batch.job-queue",
        ask(&BATCH, "batch:DescribeJobQueues")
            .route("POST /v1/describejobqueues")
            .page("nextToken", "nextToken"),
        "jobQueues[]",
    )
    .name("jobQueueName")
    .arn(0, "jobQueueArn")
    .tag_map(0, "tags")
    .attributes(&[
        text("state", at(0, "state")),
        text("status", at(0, "status")),
    ]),
    listing(
        "batch.job-definition",
        ask(&BATCH, "batch:DescribeJobDefinitions")
            .route("POST /v1/describejobdefinitions")
            .send(&[("status", Value::Text("ACTIVE"))])
            .page("nextToken", "nextToken"),
        "jobDefinitions[]",
    )
    .name_after_slash("jobDefinitionArn")
    .arn(0, "jobDefinitionArn")
    .role(0, "containerProperties.jobRoleArn")
    .tag_map(0, "tags")
    .attributes(&[
        text("execution_role", at(0, "containerProperties.executionRoleArn")),
        text("image", at(0, "containerProperties.image")),
        flag("privileged", at(0, "containerProperties.privileged")),
    ]),
    listing(
        "airflow.environment",
        ask(&AIRFLOW, "airflow:ListEnvironments")
            .route("GET /environments")
            .page("NextToken", "NextToken"),
        "Environments[]",
    )
    .name(".")
    .arn_as("arn:{partition}:airflow:{region}:{account}:environment/{name}")
    .details(&[ask(&AIRFLOW, "airflow:GetEnvironment")
        .route("GET /environments/{Name}")
        .send(&[("Name", Value::Item("."))])])
    .role(1, "Environment.ExecutionRoleArn")
    .tag_map(1, "Environment.Tags")
    .attributes(&[
        text("source_bucket", at(1, "Environment.SourceBucketArn")),
        text("webserver_access_mode", at(1, "Environment.WebserverAccessMode")),
        text("status", at(1, "Environment.Status")),
    ]),
    listing(
        "appsync.graphqlapi",
        ask(&APPSYNC, "appsync:ListGraphqlApis")
            .route("GET /v1/apis")
            .page("nextToken", "nextToken"),
        "graphqlApis[]",
    )
    .name("apiId")
    .arn(0, "arn")
    .tag_map(0, "tags")
    .attributes(&[text("authentication_type", at(0, "authenticationType"))]),
    listing(
        "config.rule",
        ask(&CONFIG, "config:DescribeConfigRules").page("NextToken", "NextToken"),
        "ConfigRules[]",
    )
    .name("ConfigRuleName")
    .arn(0, "ConfigRuleArn")
    .attributes(&[
        text("state", at(0, "ConfigRuleState")),
        text("owner", at(0, "Source.Owner")),
        text("source_identifier", at(0, "Source.SourceIdentifier")),
    ]),
    listing(
        "transfer.server",
        ask(&TRANSFER, "transfer:ListServers")
            .send(&[("MaxResults", Value::Number(1000))])
            .page("NextToken", "NextToken"),
        "Servers[]",
    )
    .name("ServerId")
    .arn(0, "Arn")
    .attributes(&[
        text("endpoint_type", at(0, "EndpointType")),
        text("identity_provider_type", at(0, "IdentityProviderType")),
        text("state", at(0, "State")),
        text("logging_role", at(0, "LoggingRole")),
    ]),
    listing(
        "sso.instance",
        ask(&SSO, "sso:ListInstances")
            .send(&[("MaxResults", Value::Number(100))])
            .page("NextToken", "NextToken"),
        "Instances[]",
    )
    .name_after_slash("InstanceArn")
    .arn(0, "InstanceArn")
    .attributes(&[
        text("identity_store_id", at(0, "IdentityStoreId")),
        text("owner_account_id", at(0, "OwnerAccountId")),
    ]),
    listing(
        "sso.permission-set",
        ask(&SSO, "sso:ListPermissionSets")
            .send(&[
                ("MaxResults", Value::Number(100)),
                ("InstanceArn", Value::ParentArn),
            ])
            .page("NextToken", "NextToken"),
        "PermissionSets[]",
    )
    .under("sso.instance")
    .name_under_parent(".")
    .arn(0, ".")
    .details(&[
        ask(&SSO, "sso:DescribePermissionSet").send(&[
            ("InstanceArn", Value::ParentArn),
            ("PermissionSetArn", Value::Item(".")),
        ]),
        ask(&SSO, "sso:GetPermissionsBoundaryForPermissionSet")
            .send(&[
                ("InstanceArn", Value::ParentArn),
                ("PermissionSetArn", Value::Item(".")),
            ])
            .absent(&["ResourceNotFoundException"]),
        ask(&SSO, "sso:ListManagedPoliciesInPermissionSet").send(&[
            ("InstanceArn", Value::ParentArn),
            ("PermissionSetArn", Value::Item(".")),
        ]),
        ask(&SSO, "sso:GetInlinePolicyForPermissionSet").send(&[
            ("InstanceArn", Value::ParentArn),
            ("PermissionSetArn", Value::Item(".")),
        ]),
    ])
    .attributes(&[
        text("permission_set_name", at(1, "PermissionSet.Name")),
        present("permissions_boundary", at(2, "PermissionsBoundary")),
        texts("managed_policies", at(3, "AttachedManagedPolicies[].Arn")),
        text("inline_policy", at(4, "InlinePolicy")),
    ]),
    listing(
        "elasticloadbalancing.load-balancer",
        ask(&ELBV2, "elasticloadbalancing:DescribeLoadBalancers")
            .send(&[("PageSize", Value::Number(400))])
            .page("Marker", "NextMarker"),
        "LoadBalancers.member[]",
    )
    .name("LoadBalancerName")
    .arn(0, "LoadBalancerArn")
    .attributes(&[
        text("type", at(0, "Type")),
        text("scheme", at(0, "Scheme")),
    ]),
    listing(
        "wafv2.web-acl",
        ask(&WAFV2, "wafv2:ListWebACLs")
            .send(&[("Limit", Value::Number(100)), ("Scope", Value::Text("REGIONAL"))])
            .page("NextMarker", "NextMarker"),
        "WebACLs[]",
    )
    .name("Name")
    .arn(0, "ARN")
    .details(&[
        ask(&WAFV2, "wafv2:ListResourcesForWebACL").send(&[
            ("WebACLArn", Value::Item("ARN")),
            ("ResourceType", Value::Text("APPLICATION_LOAD_BALANCER")),
        ]),
        ask(&WAFV2, "wafv2:GetLoggingConfiguration")
            .send(&[("ResourceArn", Value::Item("ARN"))])
            .absent(&["WAFNonexistentItemException"]),
        ask(&WAFV2, "wafv2:ListResourcesForWebACL").send(&[
            ("WebACLArn", Value::Item("ARN")),
            ("ResourceType", Value::Text("API_GATEWAY")),
        ]),
        ask(&WAFV2, "wafv2:ListResourcesForWebACL").send(&[
            ("WebACLArn", Value::Item("ARN")),
            ("ResourceType", Value::Text("APPSYNC")),
        ]),
        ask(&WAFV2, "wafv2:ListResourcesForWebACL").send(&[
            ("WebACLArn", Value::Item("ARN")),
            ("ResourceType", Value::Text("COGNITO_USER_POOL")),
        ]),
        ask(&WAFV2, "wafv2:ListResourcesForWebACL").send(&[
            ("WebACLArn", Value::Item("ARN")),
            ("ResourceType", Value::Text("APP_RUNNER_SERVICE")),
        ]),
    ])
    .attributes(&[
        texts("resources", at(1, "ResourceArns[]")),
        present("logging", at(2, "LoggingConfiguration")),
        texts("api_stages", at(3, "ResourceArns[]")),
        texts("graphql_apis", at(4, "ResourceArns[]")),
        texts("user_pools", at(5, "ResourceArns[]")),
        texts("app_runner_services", at(6, "ResourceArns[]")),
    ]),
    listing(
        "wafv2.edge-web-acl",
        ask(&WAFV2, "wafv2:ListWebACLs")
            .send(&[("Limit", Value::Number(100)), ("Scope", Value::Text("CLOUDFRONT"))])
            .page("NextMarker", "NextMarker"),
        "WebACLs[]",
    )
    .name("Name")
    .arn(0, "ARN")
    .details(&[ask(&WAFV2, "wafv2:GetLoggingConfiguration")
        .send(&[("ResourceArn", Value::Item("ARN"))])
        .absent(&["WAFNonexistentItemException"])])
    .attributes(&[present("logging", at(1, "LoggingConfiguration"))])
    .global(),
    listing(
        "cloudfront.distribution",
        ask(&CLOUDFRONT, "cloudfront:ListDistributions")
            .route("GET /2020-05-31/distribution")
            .page("Marker", "NextMarker"),
        "Items.DistributionSummary[]",
    )
    .name("Id")
    .arn(0, "ARN")
    .attributes(&[
        flag("enabled", at(0, "Enabled")),
        text("domain_name", at(0, "DomainName")),
        text("web_acl", at(0, "WebACLId")),
        texts("aliases", at(0, "Aliases.Items.CNAME[]")),
        raws("origins", at(0, "Origins.Items.Origin[]")),
        raws(
            "behaviors",
            at(0, "CacheBehaviors.Items.CacheBehavior[]|DefaultCacheBehavior"),
        ),
    ])
    .global(),
    listing(
        "ec2.instance-connect-endpoint",
        ask(&EC2, "ec2:DescribeInstanceConnectEndpoints")
            .send(&[("MaxResults", Value::Number(50))])
            .page("NextToken", "nextToken"),
        "instanceConnectEndpointSet.item[]",
    )
    .name("instanceConnectEndpointId")
    .arn_as("arn:{partition}:ec2:{region}:{account}:instance-connect-endpoint/{name}")
    .attributes(&[
        text("vpc_id", at(0, "vpcId")),
        text("state", at(0, "state")),
    ]),
    listing(
        "ec2.vpc-endpoint",
        ask(&EC2, "ec2:DescribeVpcEndpoints")
            .send(&[("MaxResults", Value::Number(1000))])
            .page("NextToken", "nextToken"),
        "vpcEndpointSet.item[]",
    )
    .name("vpcEndpointId")
    .arn_as("arn:{partition}:ec2:{region}:{account}:vpc-endpoint/{name}")
    .policy(0, "policyDocument")
    .tags(0, "tagSet.item[]", ("key", "value"))
    .attributes(&[
        text("vpc_id", at(0, "vpcId")),
        text("service_name", at(0, "serviceName")),
        text("type", at(0, "vpcEndpointType")),
        text("state", at(0, "state")),
    ]),
    listing(
        "ssm.automation-definition",
        ask(&SSM, "ssm:ListDocuments")
            .send(&[
                ("MaxResults", Value::Number(50)),
                (
                    "Filters",
                    Value::Json(
                        r#"[{"Key":"Owner","Values":["Self"]},{"Key":"DocumentType","Values":["Automation"]}]"#,
                    ),
                ),
            ])
            .page("NextToken", "NextToken"),
        "DocumentIdentifiers[]",
    )
    .name("Name")
    .arn_as("arn:{partition}:ssm:{region}:{account}:automation-definition/{name}:$DEFAULT")
    .details(&[ask(&SSM, "ssm:GetDocument").send(&[("Name", Value::Item("Name"))])])
    .role_within(1, "Content"),
    listing(
        "sagemaker.lifecycle-config",
        ask(
            &SAGEMAKER,
            "sagemaker:ListNotebookInstanceLifecycleConfigs",
        )
        .send(&[("MaxResults", Value::Number(100))])
        .page("NextToken", "NextToken"),
        "NotebookInstanceLifecycleConfigs[]",
    )
    .name("NotebookInstanceLifecycleConfigName")
    .arn(0, "NotebookInstanceLifecycleConfigArn"),
    listing(
        "bedrock.agent-alias",
        ask(&BEDROCK_AGENT, "bedrock:ListAgentAliases")
            .route("POST /agents/{agentId}/agentaliases/")
            .send(&[("agentId", Value::ParentName)])
            .page("nextToken", "nextToken"),
        "agentAliasSummaries[]",
    )
    .under("bedrock.agent")
    .name_under_parent("agentAliasId")
    .arn(1, "agentAlias.agentAliasArn")
    .details(&[ask(&BEDROCK_AGENT, "bedrock:GetAgentAlias")
        .route("GET /agents/{agentId}/agentaliases/{agentAliasId}/")
        .send(&[
            ("agentId", Value::ParentName),
            ("agentAliasId", Value::Item("agentAliasId")),
        ])])
    .attributes(&[text("agent", at(1, "agentAlias.agentId"))]),
    listing(
        "bedrock.action-group",
        ask(&BEDROCK_AGENT, "bedrock:ListAgentActionGroups")
            .route("POST /agents/{agentId}/agentversions/DRAFT/actiongroups/")
            .send(&[("agentId", Value::ParentName)])
            .page("nextToken", "nextToken"),
        "actionGroupSummaries[]",
    )
    .under("bedrock.agent")
    .name_under_parent("actionGroupId")
    .arn_as("arn:{partition}:bedrock:{region}:{account}:agent/{parent}/action-group/{name}")
    .details(&[ask(&BEDROCK_AGENT, "bedrock:GetAgentActionGroup")
        .route("GET /agents/{agentId}/agentversions/DRAFT/actiongroups/{actionGroupId}/")
        .send(&[
            ("agentId", Value::ParentName),
            ("actionGroupId", Value::Item("actionGroupId")),
        ])])
    .attributes(&[
        text("agent", at(1, "agentActionGroup.agentId")),
        text("lambda", at(1, "agentActionGroup.actionGroupExecutor.lambda")),
        text("state", at(0, "actionGroupState")),
    ]),
    listing(
        "emr-containers.virtual-cluster",
        ask(&EMR_CONTAINERS, "emr-containers:ListVirtualClusters")
            .route("GET /virtualclusters")
            .page("nextToken", "nextToken"),
        "virtualClusters[]",
    )
    .name("id")
    .arn(0, "arn")
    .attributes(&[text("state", at(0, "state"))]),
    listing(
        "emr-serverless.application",
        ask(&EMR_SERVERLESS, "emr-serverless:ListApplications")
            .route("GET /applications")
            .page("nextToken", "nextToken"),
        "applications[]",
    )
    .name("id")
    .arn(0, "arn")
    .attributes(&[text("state", at(0, "state"))]),
    listing(
        "elasticbeanstalk.environment",
        ask(&BEANSTALK, "elasticbeanstalk:DescribeEnvironments"),
        "Environments.member[]",
    )
    .name("EnvironmentName")
    .arn(0, "EnvironmentArn")
    .details(&[
        ask(&BEANSTALK, "elasticbeanstalk:DescribeConfigurationSettings").send(&[
            ("ApplicationName", Value::Item("ApplicationName")),
            ("EnvironmentName", Value::Item("EnvironmentName")),
        ]),
    ])
    .profile(
        1,
        "ConfigurationSettings.member[].OptionSettings.member[OptionName=IamInstanceProfile].Value",
    )
    .attributes(&[
        text("status", at(0, "Status")),
        text("application", at(0, "ApplicationName")),
        key_ids(at(1, "ConfigurationSettings.member[].OptionSettings.member[].Value")),
    ]),
    listing(
        "lambda.code-signing-config",
        ask(&LAMBDA, "lambda:ListCodeSigningConfigs")
            .route("GET /2020-04-22/code-signing-configs/")
            .page("Marker", "NextMarker"),
        "CodeSigningConfigs[]",
    )
    .name("CodeSigningConfigId")
    .arn(0, "CodeSigningConfigArn")
    .attributes(&[text(
        "untrusted_artifact_on_deployment",
        at(0, "CodeSigningPolicies.UntrustedArtifactOnDeployment"),
    )]),
];
