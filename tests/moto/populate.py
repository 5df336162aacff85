#!/usr/bin/env python3
"""Fills a moto server with an organization and its accounts, for a scan by the real binary.

    populate.py http://127.0.0.1:5555

Prints the management account and the member. Every call goes to the given endpoint; the
credentials are moto's own and open nothing.
"""

import io
import json
import sys
import zipfile

import boto3

REGION = "eu-central-1"


def session(endpoint, credentials=None):
    keys = credentials or {
        "AccessKeyId": "testing",
        "SecretAccessKey": "testing",
        "SessionToken": None,
    }

    def client(service, region=REGION):
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    return client


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(service):
    principal = {"Service": f"{service}.amazonaws.com"}
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def organization(client):
    organizations = client("organizations", "us-east-1")
    created = organizations.create_organization(FeatureSet="ALL")["Organization"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    unit = organizations.create_organizational_unit(ParentId=root, Name="workloads")
    unit = unit["OrganizationalUnit"]["Id"]
    status = organizations.create_account(AccountName="shop", Email="shop@example.com")
    member = status["CreateAccountStatus"]["AccountId"]
    organizations.move_account(AccountId=member, SourceParentId=root, DestinationParentId=unit)
    policy = organizations.create_policy(
        Name="keep-guardduty",
        Description="nobody switches the detector off",
        Type="SERVICE_CONTROL_POLICY",
        Content=document(
            {"Effect": "Deny", "Action": "guardduty:DeleteDetector", "Resource": "*"}
        ),
    )
    policy = policy["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=unit)
    return created["MasterAccountId"], member


def identities(client):
    iam = client("iam", "us-east-1")
    iam.create_user(UserName="corpus-sync")
    iam.create_access_key(UserName="corpus-sync")
    iam.put_user_policy(
        UserName="corpus-sync",
        PolicyName="functions",
        PolicyDocument=document(
            {
                "Effect": "Allow",
                "Action": ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"],
                "Resource": "*",
            }
        ),
    )
    iam.create_role(RoleName="thumbnailer", AssumeRolePolicyDocument=trust("lambda"))
    iam.put_role_policy(
        RoleName="thumbnailer",
        PolicyName="too-much",
        PolicyDocument=document({"Effect": "Allow", "Action": "iam:*", "Resource": "*"}),
    )
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust("ec2"))
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    iam.create_account_alias(AccountAlias="palisade-second-opinion")
    return iam.get_role(RoleName="thumbnailer")["Role"]["Arn"]


def buckets(client, prefix):
    s3 = client("s3")
    place = {"LocationConstraint": REGION}
    public, private = f"{prefix}-llm-corpus", f"{prefix}-ledger"
    for name in (public, private):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=place)
    s3.put_bucket_policy(
        Bucket=public,
        Policy=document(
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["s3:GetObject", "s3:ListBucket"],
                "Resource": [f"arn:aws:s3:::{public}", f"arn:aws:s3:::{public}/*"],
            }
        ),
    )
    s3.put_object(Bucket=public, Key="config/.env", Body=b"LOG_LEVEL=debug\n")
    s3.put_object(Bucket=public, Key="readme.txt", Body=b"a corpus\n")
    s3.put_public_access_block(
        Bucket=private,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )


def functions(client, role):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", "def handler(event, context):\n    return event\n")
    client("lambda").create_function(
        FunctionName="thumbnails",
        Runtime="python3.12",
        Role=role,
        Handler="main.handler",
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": {"TABLE": "thumbs"}},
    )


def services(client):
    client("guardduty").create_detector(Enable=True)
    client("secretsmanager").create_secret(Name="shop/database", SecretString="not read")
    client("kms").create_key(Description="ledger")
    client("sqs").create_queue(QueueName="orders")
    topic = client("sns").create_topic(Name="wake")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    events = client("events")
    events.put_rule(
        Name="tamper", EventPattern=json.dumps({"source": ["aws.guardduty"]}), State="ENABLED"
    )
    events.put_targets(Rule="tamper", Targets=[{"Id": "wake", "Arn": topic}])
    client("codebuild").create_project(
        name="build",
        source={"type": "S3", "location": "palisade-a-ledger/source.zip"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole="arn:aws:iam::123456789012:role/web",
    )


def trail(client, prefix):
    s3 = client("s3")
    place = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=f"{prefix}-logs", CreateBucketConfiguration=place)
    cloudtrail = client("cloudtrail")
    cloudtrail.create_trail(Name="all", S3BucketName=f"{prefix}-logs", IsMultiRegionTrail=True)
    cloudtrail.start_logging(Name="all")


def main():
    endpoint = sys.argv[1]
    client = session(endpoint)
    management, member = organization(client)
    role = identities(client)
    buckets(client, "palisade-a")
    functions(client, role)
    services(client)
    trail(client, "palisade-a")
    credentials = client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole",
        RoleSessionName="populate",
    )["Credentials"]
    inside = session(endpoint, credentials)
    identities(inside)
    buckets(inside, "palisade-b")
    print(json.dumps({"management": management, "member": member, "region": REGION}))


if __name__ == "__main__":
    main()
