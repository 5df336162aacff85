#!/usr/bin/env python3
"""Services that run something as a role, made in a moto server and read by the real binary.

    services.py target/debug/palisade

Each estate is made, collected over the network and analysed; who becomes administrator, and how
surely, is compared with the truth written beside it. `boss` is a role with everything.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

import boto3

from run import free_port, wait_for

REGION, ACCOUNT = "us-east-1", "123456789012"
BOSS = f"arn:aws:iam::{ACCOUNT}:role/boss"
FOUND = {"proven", "conditional", "possible"}
# moto does not say which addresses a function has: one may run what was changed.
OPEN = {"none", "possible"}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, on="*", when=None):
    statement = {"Effect": "Allow", "Action": actions, "Resource": on}
    return statement | ({"Condition": when} if when else {})


class Estate:
    """One account of a moto server that holds nothing else."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        request = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=30).read()

    def client(self, service):
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(service, region_name=REGION, endpoint_url=self.endpoint, **keys)

    def role(self, name, service, *statements):
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        if service == "ec2.amazonaws.com":
            iam.create_instance_profile(InstanceProfileName=name)
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)

    def boss(self, service):
        self.role("boss", service, allow("*"))

    def users(self, **people):
        iam = self.client("iam")
        for name, statements in people.items():
            iam.create_user(UserName=name)
            text = document(*(statements if isinstance(statements, list) else [statements]))
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=text)


def functions(estate):
    """Functions: one that runs, one that is held at nothing."""
    estate.boss("lambda.amazonaws.com")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as packed:
        packed.writestr("app.py", "def handler(event, context):\n    return None\n")
    client = estate.client("lambda")
    for name in ("live", "off"):
        client.create_function(
            FunctionName=name, Runtime="python3.12", Role=BOSS, Handler="app.handler",
            Code={"ZipFile": code.getvalue()},
        )
    client.put_function_concurrency(FunctionName="off", ReservedConcurrentExecutions=0)
    here = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
    both = ["lambda:UpdateFunctionCode", "lambda:InvokeFunction"]
    estate.users(
        coder=allow(both),
        quiet=allow("lambda:UpdateFunctionCode"),
        held=allow(both, f"{here}:off"),
        lifts=allow([*both, "lambda:DeleteFunctionConcurrency"], f"{here}:off"),
        other=allow(both, f"{here}:liv"),
    )
    return {"coder": "proven", "quiet": OPEN, "held": OPEN, "lifts": "proven", "other": OPEN}


def machines(estate):
    """A machine that runs as boss."""
    estate.boss("ec2.amazonaws.com")
    ec2 = estate.client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, IamInstanceProfile={"Name": "boss"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "env", "Value": "prod"}]}],
    )
    here = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{made['Instances'][0]['InstanceId']}"
    cycle = ["ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"]
    tag = lambda value: {"StringEquals": {"aws:ResourceTag/env": value}}
    estate.users(
        data=allow(cycle, here),
        datadev=allow(cycle, "*", tag("dev")),
        dataprod=allow(cycle, "*", tag("prod")),
        type=[
            allow(cycle[1:]),
            allow(cycle[0], "*", {"StringEquals": {"ec2:Attribute": "InstanceType"}}),
        ],
        still=allow(cycle[:2]),
        launch=[allow("ec2:RunInstances"), allow("iam:PassRole", BOSS)],
        nopass=allow("ec2:RunInstances"),
    )
    return {
        "data": "proven", "datadev": "none", "dataprod": "proven", "type": "none",
        "still": "none", "launch": "proven", "nopass": "none",
    }


def tasks(estate):
    """A cluster and nothing in it."""
    estate.boss("ecs-tasks.amazonaws.com")
    cluster = estate.client("ecs").create_cluster(clusterName="main")["cluster"]["clusterArn"]
    run = lambda where: [
        allow(["ecs:RegisterTaskDefinition", "iam:PassRole"]),
        allow("ecs:RunTask", "*", {"ArnEquals": {"ecs:cluster": where}}),
    ]
    estate.users(
        here=run(cluster),
        elsewhere=run(cluster.replace("main", "gone")),
        nopass=allow(["ecs:RegisterTaskDefinition", "ecs:RunTask"]),
    )
    return {"here": FOUND - {"possible"}, "elsewhere": "none", "nopass": "none"}


def builds(estate):
    """Two projects, one of which runs as boss."""
    estate.boss("codebuild.amazonaws.com")
    estate.role("weak", "codebuild.amazonaws.com", allow("logs:*"))
    for name, role in (("deploy", "boss"), ("lint", "weak")):
        estate.client("codebuild").create_project(
            name=name, serviceRole=BOSS.replace("boss", role), artifacts={"type": "NO_ARTIFACTS"},
            source={"type": "S3", "location": "sources/app.zip", "buildspec": "version: 0.2"},
            environment={
                "type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
        )
    here = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project"
    estate.users(
        deploys=allow("codebuild:StartBuild", f"{here}/deploy"),
        lints=allow("codebuild:StartBuild", f"{here}/lint"),
        swaps=allow(["codebuild:UpdateProject", "codebuild:StartBuild", "iam:PassRole"]),
        edits=allow("codebuild:UpdateProject"),
    )
    return {"deploys": "proven", "lints": "none", "swaps": "proven", "edits": "none"}


def stacks(estate):
    """A stack that is changed as boss, and one that is changed as whoever asks."""
    estate.boss("cloudformation.amazonaws.com")
    template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {}}}}
    client = estate.client("cloudformation")
    client.create_stack(StackName="prod", TemplateBody=json.dumps(template), RoleARN=BOSS)
    client.create_stack(StackName="plain", TemplateBody=json.dumps(template))
    here = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack"
    sets = ["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"]
    estate.users(
        updates=allow("cloudformation:UpdateStack", f"{here}/prod/*"),
        plain=allow("cloudformation:UpdateStack", f"{here}/plain/*"),
        plans=allow(sets, f"{here}/prod/*"),
        half=allow(sets[:1]),
        makes=allow([*sets, "iam:PassRole"]),
    )
    return {
        "updates": "proven", "plain": "none", "plans": "proven", "half": "none", "makes": "proven",
    }


def jobs(estate):
    """A job whose script lies in a bucket."""
    estate.boss("glue.amazonaws.com")
    estate.client("s3").create_bucket(Bucket="palisade-scripts")
    estate.client("glue").create_job(
        Name="etl", Role=BOSS,
        Command={"Name": "glueetl", "ScriptLocation": "s3://palisade-scripts/etl/run.py"},
    )
    bucket = "arn:aws:s3:::palisade-scripts"
    estate.users(
        writes=allow("s3:PutObject", f"{bucket}/etl/*"),
        beside=allow("s3:PutObject", f"{bucket}/tmp/*"),
        reads=allow("s3:GetObject", f"{bucket}/*"),
        makes=allow(["glue:CreateJob", "glue:StartJobRun", "iam:PassRole"]),
        starts=allow("glue:StartJobRun"),
    )
    return {"writes": FOUND, "beside": "none", "reads": "none", "makes": "proven", "starts": "none"}


def flows(estate):
    """A state machine that a rule starts, and one that nobody does."""
    estate.boss("states.amazonaws.com")
    client = estate.client("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    arns = [
        client.create_state_machine(name=name, definition=definition, roleArn=BOSS)["stateMachineArn"]
        for name in ("nightly", "manual")
    ]
    events = estate.client("events")
    events.put_rule(Name="tick", ScheduleExpression="rate(1 day)", State="ENABLED")
    events.put_targets(Rule="tick", Targets=[{"Id": "m", "Arn": arns[0], "RoleArn": BOSS}])
    estate.users(
        waits=allow("states:UpdateStateMachine", arns[0]),
        stuck=allow("states:UpdateStateMachine", arns[1]),
        runs=allow(["states:UpdateStateMachine", "states:StartExecution"], arns[1]),
        starts=allow("states:StartExecution"),
    )
    return {"waits": "proven", "stuck": "none", "runs": "proven", "starts": "none"}


def notebooks(estate):
    """A notebook in service."""
    estate.boss("sagemaker.amazonaws.com")
    estate.client("sagemaker").create_notebook_instance(
        NotebookInstanceName="lab", InstanceType="ml.t3.medium", RoleArn=BOSS
    )
    here = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:notebook-instance"
    sign = "sagemaker:CreatePresignedNotebookInstanceUrl"
    estate.users(
        opens=allow(sign, f"{here}/lab"),
        other=allow(sign, f"{here}/labs"),
        trains=allow(["sagemaker:CreateTrainingJob", "iam:PassRole"]),
        nopass=allow("sagemaker:CreateTrainingJob"),
    )
    return {"opens": "proven", "other": "none", "trains": "proven", "nopass": "none"}


ESTATES = (functions, machines, tasks, builds, stacks, jobs, flows, notebooks)


def run(binary, folder, endpoint, *arguments):
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    environment = keys | {
        "PATH": os.environ["PATH"], "HOME": str(folder), "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
    }
    command = [binary, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode not in (0, 2, 3, 10):
        raise SystemExit(f"{command}: {done.stderr[-2000:]}")
    return done.stdout


def judge(binaries, folder, endpoint, make):
    truth = make(Estate(endpoint))
    snapshot = Path(folder) / f"{make.__name__}.palisade"
    run(binaries[0], folder, endpoint, "collect", "-o", snapshot, "--region", REGION)
    to = ["--to", f"administrator:{ACCOUNT}", "-f", "json"]
    found = json.loads(run(binaries[1], folder, endpoint, "paths", "--snapshot", snapshot, *to))
    surest = {}
    for path in (pair["best"] for pair in found["paths"]):
        entry = path["entry"]
        for node in [entry["node"], *entry.get("members", [])]:
            name = node.get("arn", "").rsplit("/", 1)[-1]
            surest[name] = min(surest.get(name, path["status"]), path["status"], key=ORDER.index)
    for name, wanted in truth.items():
        status = surest.get(name, "none")
        if status not in ({wanted} if isinstance(wanted, str) else wanted):
            yield f"{make.__name__}: {name} is {status}, not {wanted}"


ORDER = ["proven", "conditional", "possible"]


def main():
    binaries = [str(Path(name).resolve()) for name in sys.argv[1:]]
    binaries = binaries * 2 if len(binaries) == 1 else binaries
    endpoint = f"http://127.0.0.1:{free_port()}"
    command = ["moto_server", "-H", "127.0.0.1", "-p", endpoint.rsplit(":", 1)[1]]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(endpoint)
        with tempfile.TemporaryDirectory() as folder:
            each = (judge(binaries, folder, endpoint, make) for make in ESTATES)
            faults = [fault for faults in each for fault in faults]
        if faults:
            raise SystemExit("\n".join(faults))
        print(f"moto: {len(ESTATES)} estates of services judged as they were made")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
