#!/usr/bin/env python3
"""A second opinion: the real binary reads an AWS that nobody here wrote.

    run.py target/debug/palisade

Starts a moto server, fills it (populate.py), collects it over the network, and compares. What
moto cannot answer, or answers unlike AWS, must come out as unknown: `EXPECTED` names it.
"""

import gzip
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Operations that this moto (5.2.1) lacks or answers with another document than AWS.
EXPECTED = {
    "access-analyzer:ListAnalyzers",
    "airflow:ListEnvironments",
    "apprunner:ListServices",
    "bedrock-agentcore:ListBrowsers",
    "bedrock-agentcore:ListCodeInterpreters",
    "cloudfront:ListDistributions",
    "codecommit:ListRepositories",
    "ec2:DescribeInstanceConnectEndpoints",
    "ec2:GetSerialConsoleAccessStatus",
    "ec2:GetSnapshotBlockPublicAccessState",
    "fms:GetAdminAccount",
    "guardduty:DescribeOrganizationConfiguration",
    "guardduty:ListMembers",
    "iam:ListOrganizationsFeatures",
    "iam:ListServiceSpecificCredentials",
    "inspector2:BatchGetAccountStatus",
    "lambda:ListCodeSigningConfigs",
    "lambda:ListFunctionUrlConfigs",
    "macie2:GetAutomatedDiscoveryConfiguration",
    "organizations:DescribeResourcePolicy",
    "rolesanywhere:ListProfiles",
    "rolesanywhere:ListTrustAnchors",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketVersioning",
    "s3:ListAccessPoints",
    "sagemaker:ListNotebookInstanceLifecycleConfigs",
    "securityhub:DescribeSecurityHubV2",
    "shield:GetSubscriptionState",
    "ssm:DescribeInstanceInformation",
    "ssm:ListAssociations",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(endpoint):
    for _ in range(150):
        try:
            urllib.request.urlopen(f"{endpoint}/moto-api/data.json", timeout=2).read(1)
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the moto server does not answer")


def collect(binary, endpoint, region, out):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(out.parent),
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": region,
        "AWS_ENDPOINT_URL": endpoint,
    }
    role = ["--org", "--org-role-name", "OrganizationAccountAccessRole"]
    command = [binary, "collect", "-o", str(out), *role, "--region", region]
    subprocess.run(command, env=environment, check=True, timeout=600)
    lines = [json.loads(line) for line in gzip.open(out, "rt")]
    return lines[0], {line["account"]: line["data"] for line in lines[1:-1]}


def gaps(value):
    if isinstance(value, list):
        for item in value:
            yield from gaps(item)
    elif isinstance(value, dict):
        if "$gap" in value:
            yield value["$gap"]
        else:
            for item in value.values():
                yield from gaps(item)


def check(header, accounts, made):
    management, member = made["management"], made["member"]
    organization = header["organization"]
    assert set(accounts) == {management, member}, sorted(accounts)
    assert organization["accounts"][member]["parent"] in organization["units"]
    policies = organization["policies"].values()
    assert any(policy["name"] == "keep-guardduty" for policy in policies)
    for account in accounts.values():
        users = account["iam"]["users"]
        assert len(users["corpus-sync"]["access_keys"]) == 1
        assert "too-much" in account["iam"]["roles"]["thumbnailer"]["inline"]
        profile = account["iam"]["roles"]["web"]["instance_profiles"]
        assert [entry["name"] for entry in profile] == ["web"]
    home = accounts[management]
    corpus = home["s3"]["buckets"]["palisade-a-llm-corpus"]
    assert corpus["region"] == made["region"] and '"Principal": "*"' in corpus["policy"]
    assert any(entry["key"] == "config/.env" for entry in corpus["objects"]["objects"])
    ledger = home["s3"]["buckets"]["palisade-a-ledger"]
    assert all(ledger["public_access_block"].values())
    region = home["regions"][made["region"]]
    assert region["functions"]["thumbnails"]["environment"] == ["TABLE"]
    assert [one["status"] for one in region["guardduty"].values()] == ["ENABLED"]
    assert region["buses"]["default"]["rules"]["tamper"]["targets"][0]["id"] == "wake"
    assert region["resources"]["codebuild.project"]["build"]["role"].endswith("role/web")
    assert "shop/database" in region["resources"]["secretsmanager.secret"]
    assert [trail["logging"] for trail in home["trails"].values()] == [True]
    unread = {
        gap["operation"]
        for gap in gaps([organization, list(accounts.values())])
        if gap["kind"] != "not-collected"
    }
    assert unread <= EXPECTED, sorted(unread - EXPECTED)
    assert "s3:GetBucketPolicyStatus" in unread, "moto answers with a listing there"
    secret = json.dumps(accounts)
    assert "not read" not in secret and "thumbs" not in secret


def main():
    binary = str(Path(sys.argv[1]).resolve())
    endpoint = f"http://127.0.0.1:{free_port()}"
    command = ["moto_server", "-H", "127.0.0.1", "-p", endpoint.rsplit(":", 1)[1]]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(endpoint)
        populate = [sys.executable, str(HERE / "populate.py"), endpoint]
        made = json.loads(subprocess.run(populate, check=True, capture_output=True).stdout)
        with tempfile.TemporaryDirectory() as folder:
            header, accounts = collect(binary, endpoint, made["region"], Path(folder) / "s.palisade")
            check(header, accounts, made)
        print(f"moto: {len(accounts)} accounts read as they were made")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
