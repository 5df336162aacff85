#!/usr/bin/env python3
"""Reads a served world with boto3, a client this project did not write.

usage: boto3_reads.py ENDPOINT [WORLD]

Every operation the collectors use is called and parsed; lists are followed page by page. A call
may fail only with the error code that AWS documents for "there is none". Exit code 1 and one
line for each complaint otherwise.
"""

import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
WORLD = sys.argv[2] if len(sys.argv) > 2 else "eight-minutes"
complaints = []
calls = 0


def drop_account_label(request, **_):
    """S3 Control puts the account before the host, which no address on loopback has."""
    head, _, rest = request.url.partition("://")
    label, _, host = rest.partition(".")
    if label.isdigit():
        request.url = f"{head}://{host}"


def client(service, region="us-east-1", session=None):
    session = session or boto3.Session("palisade", "palisade")
    made = session.client(
        service,
        region_name=region,
        endpoint_url=ENDPOINT,
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    made.meta.events.register("before-sign.s3-control.*", drop_account_label)
    return made


def call(service, operation, absent=(), region="us-east-1", session=None, **parameters):
    """The parsed answer, all pages in one; None where AWS would say "there is none"."""
    global calls
    calls += 1
    api = client(service, region, session)
    try:
        if api.can_paginate(operation):
            return api.get_paginator(operation).paginate(**parameters).build_full_result()
        return getattr(api, operation)(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] in absent:
            return None
        complaints.append(f"{service} {operation}: {error}")
    except Exception as error:  # a parser that gives up is a complaint, whatever its type
        complaints.append(f"{service} {operation}: {type(error).__name__}: {error}")
    return None


def check(holds, text):
    if not holds:
        complaints.append(text)


def iam():
    details = call("iam", "get_account_authorization_details") or {}
    for user in details.get("UserDetailList", []):
        name = user["UserName"]
        for policy in user.get("UserPolicyList", []):
            check(isinstance(policy["PolicyDocument"], dict), f"{name}: a policy is no document")
        call("iam", "list_access_keys", UserName=name)
        call("iam", "get_login_profile", absent=["NoSuchEntity"], UserName=name)
        call("iam", "list_mfa_devices", UserName=name)
        call("iam", "get_user", UserName=name)
    for role in details.get("RoleDetailList", []):
        check(isinstance(role["AssumeRolePolicyDocument"], dict), f"{role['RoleName']}: no trust")
    listed = (call("iam", "list_roles") or {}).get("Roles", [])
    check(len(listed) == len(details.get("RoleDetailList", [])), "two lists of roles differ")
    call("iam", "get_account_summary")
    call("iam", "list_account_aliases")
    call("iam", "list_saml_providers")
    call("iam", "list_open_id_connect_providers")
    call("iam", "list_organizations_features", absent=["OrganizationNotFoundException"])
    report = None
    for _ in range(5):
        call("iam", "generate_credential_report")
        report = call("iam", "get_credential_report", absent=["ReportInProgress", "ReportNotPresent"])
        if report:
            break
    check(report and report["Content"].startswith(b"user,arn,"), "no credential report")


def s3(account):
    none = {
        "get_bucket_policy": ["NoSuchBucketPolicy"],
        "get_bucket_policy_status": ["NoSuchBucketPolicy"],
        "get_public_access_block": ["NoSuchPublicAccessBlockConfiguration"],
        "get_bucket_acl": [],
        "get_bucket_ownership_controls": ["OwnershipControlsNotFoundError"],
        "get_bucket_website": ["NoSuchWebsiteConfiguration"],
        "get_bucket_request_payment": [],
        "get_bucket_versioning": [],
        "get_bucket_encryption": ["ServerSideEncryptionConfigurationNotFoundError"],
        "get_bucket_tagging": ["NoSuchTagSet"],
        "get_bucket_location": [],
        "list_objects_v2": [],
        "list_object_versions": [],
    }
    for bucket in (call("s3", "list_buckets") or {}).get("Buckets", []):
        name, region = bucket["Name"], bucket.get("BucketRegion", "us-east-1")
        for operation, absent in none.items():
            call("s3", operation, absent=absent, region=region, Bucket=name)
        for entry in (call("s3", "list_objects_v2", region=region, Bucket=name) or {}).get("Contents", []):
            head = call("s3", "head_object", region=region, Bucket=name, Key=entry["Key"])
            check(head and head["ContentLength"] == entry["Size"], f"{entry['Key']}: two sizes")
            call("s3", "get_object", region=region, Bucket=name, Key=entry["Key"], Range="bytes=0-9",
                 IfMatch=entry["ETag"])
            call("s3", "get_object_acl", region=region, Bucket=name, Key=entry["Key"])
    call("s3control", "get_public_access_block", ["NoSuchPublicAccessBlockConfiguration"], AccountId=account)
    call("s3control", "list_access_points", AccountId=account)
    call("s3control", "list_multi_region_access_points", region="us-west-2", AccountId=account)


def organizations():
    if not call("organizations", "describe_organization", absent=["AWSOrganizationsNotInUseException"]):
        return
    roots = (call("organizations", "list_roots") or {}).get("Roots", [])
    check(roots, "an organization without a root")
    parents = [root["Id"] for root in roots]
    members = 0
    while parents:
        parent = parents.pop()
        below = call("organizations", "list_organizational_units_for_parent", ParentId=parent) or {}
        parents += [unit["Id"] for unit in below.get("OrganizationalUnits", [])]
        own = call("organizations", "list_accounts_for_parent", ParentId=parent) or {}
        members += len(own.get("Accounts", []))
    accounts = (call("organizations", "list_accounts") or {}).get("Accounts", [])
    check(members == len(accounts), f"{members} accounts in the tree, {len(accounts)} in the list")
    policies = call("organizations", "list_policies", Filter="SERVICE_CONTROL_POLICY") or {}
    for policy in policies.get("Policies", []):
        call("organizations", "describe_policy", PolicyId=policy["Id"])
        call("organizations", "list_targets_for_policy", PolicyId=policy["Id"])
    call("organizations", "list_delegated_administrators")
    call("organizations", "list_aws_service_access_for_organization")
    call("organizations", "describe_resource_policy", absent=["ResourcePolicyNotFoundException"])
    for account in accounts:
        enter(account["Id"])


def enter(account):
    """A session in a member account sees that account."""
    answer = call(
        "sts",
        "assume_role",
        RoleArn=f"arn:aws:iam::{account}:role/palisade-scan",
        RoleSessionName="boto3-reads",
    )
    if answer:
        keys = answer["Credentials"]
        session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        seen = call("sts", "get_caller_identity", session=session)
        check(seen and seen["Account"] == account, f"a session in {account} is elsewhere")


def regional(region):
    def read(service, operation, absent=(), **parameters):
        return call(service, operation, absent, region=region, **parameters) or {}

    for function in read("lambda", "list_functions").get("Functions", []):
        name = function["FunctionName"]
        read("lambda", "get_policy", ["ResourceNotFoundException"], FunctionName=name)
        for operation in ("list_function_url_configs", "list_aliases", "get_function_code_signing_config",
                          "get_function_concurrency"):
            read("lambda", operation, FunctionName=name)
        read("lambda", "list_tags", Resource=function["FunctionArn"])
    read("lambda", "list_event_source_mappings")
    for detector in read("guardduty", "list_detectors").get("DetectorIds", []):
        read("guardduty", "get_detector", DetectorId=detector)
        read("guardduty", "get_administrator_account", DetectorId=detector)
    read("inspector2", "batch_get_account_status")
    for operation in ("describe_configuration_recorders", "describe_configuration_recorder_status",
                      "describe_delivery_channels"):
        read("config", operation)
    if read("securityhub", "describe_hub", ["InvalidAccessException"]):
        read("securityhub", "get_enabled_standards")
    for trail in read("cloudtrail", "describe_trails").get("trailList", []):
        read("cloudtrail", "get_trail_status", Name=trail["TrailARN"])
        read("cloudtrail", "get_event_selectors", TrailName=trail["TrailARN"])
    read("macie2", "get_macie_session", ["AccessDeniedException"])
    read("accessanalyzer", "list_analyzers")
    for bus in read("events", "list_event_buses").get("EventBuses", []):
        for rule in read("events", "list_rules", EventBusName=bus["Name"]).get("Rules", []):
            read("events", "list_targets_by_rule", Rule=rule["Name"], EventBusName=bus["Name"])
    for topic in read("sns", "list_topics").get("Topics", []):
        read("sns", "get_topic_attributes", TopicArn=topic["TopicArn"])
    read("sns", "list_subscriptions")
    read("cloudwatch", "describe_alarms")
    read("logs", "describe_metric_filters")
    for service, operation in (("ec2", "describe_instances"), ("glue", "get_jobs"), ("kms", "list_keys"),
                               ("eks", "list_clusters"), ("cloudformation", "describe_stacks"),
                               ("codebuild", "list_projects"), ("secretsmanager", "list_secrets"),
                               ("ecs", "list_clusters"), ("sagemaker", "list_notebook_instances")):
        read(service, operation)


def refusals():
    """What is not there is refused in AWS's own words, never answered."""
    for service, operation, code, parameters in (
        ("rds", "describe_db_security_groups", "InvalidAction", {}),
        ("kinesis", "list_streams", "UnknownOperationException", {}),
        ("iam", "get_role", "NoSuchEntity", {"RoleName": "nobody"}),
        ("s3", "get_bucket_policy", "NoSuchBucket", {"Bucket": "no-such-bucket-anywhere"}),
        ("sts", "assume_role", "AccessDenied",
         {"RoleArn": "arn:aws:iam::999999999999:role/admin", "RoleSessionName": "stranger"}),
    ):
        try:
            getattr(client(service), operation)(**parameters)
            complaints.append(f"{service} {operation} was answered")
        except ClientError as error:
            found = error.response["Error"]["Code"]
            check(found == code, f"{service} {operation}: {found} instead of {code}")


account = (call("sts", "get_caller_identity") or {}).get("Account")
regions = call("account", "list_regions") or {}
on = [region["RegionName"] for region in regions.get("Regions", []) if region["RegionOptStatus"] != "DISABLED"]
check({region["RegionName"] for region in (call("ec2", "describe_regions") or {}).get("Regions", [])} == set(on),
      "EC2 and the account disagree about regions")
iam()
s3(account)
organizations()
for region in on:
    regional(region)
for operation, absent in (("get_subscription_state", ()), ("describe_subscription", ["ResourceNotFoundException"])):
    call("shield", operation, absent)
call("fms", "get_admin_account", ["ResourceNotFoundException"])
refusals()
print(f"{WORLD}: {calls} calls, {len(complaints)} complaints")
for complaint in complaints:
    print(f"  {complaint}", file=sys.stderr)
sys.exit(1 if complaints else 0)
