#!/usr/bin/env python3
"""A second opinion on what Terraform makes: applied to a moto server, read by the real binary.

    terraform.py target/debug/palisade

Needs `terraform` on the PATH and the AWS provider in a folder laid out as a filesystem mirror:
`PALISADE_TF_PLUGINS`, one of Terraform's own, or one that software put below `/opt`. Where either
is missing it says SKIPPED and why, and ends well.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from run import free_port, wait_for

HERE = Path(__file__).resolve().parent
REGION = "eu-central-1"
# "Implied Local Mirror Directories", Terraform CLI documentation.
PLACES = [
    "~/.terraform.d/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
]
PROVIDER = "registry.terraform.io/hashicorp/aws"


def mirror():
    """The folder that holds the provider, if there is one."""
    named = os.environ.get("PALISADE_TF_PLUGINS")
    for place in [named] if named else [*PLACES, *sorted(Path("/opt").glob("*"))]:
        folder = Path(place).expanduser()
        if any((folder / PROVIDER).glob("*")):
            return folder
    return None


def skip(why):
    print(f"terraform: SKIPPED: {why}")
    raise SystemExit(0)


def environment(endpoint, folder):
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "TF_CLI_CONFIG_FILE": str(folder / "terraform.rc"),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }


def apply(terraform, plugins, endpoint, folder):
    """Applies the configuration; the account it made things in."""
    (folder / "terraform.rc").write_text(
        "provider_installation {\n"
        f"  filesystem_mirror {{\n    path = {json.dumps(str(plugins))}\n  }}\n"
        "}\n"
    )
    shutil.copy(HERE.parent / "terraform" / "main.tf", folder)

    def run(*arguments):
        command = [terraform, f"-chdir={folder}", *arguments]
        done = subprocess.run(
            command, env=environment(endpoint, folder), capture_output=True, text=True, timeout=180
        )
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(arguments)}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    run("init", "-input=false", "-no-color")
    run("apply", "-input=false", "-auto-approve", "-no-color", "-parallelism=4")
    return json.loads(run("output", "-json"))["account"]["value"]


def scan(binary, endpoint, folder):
    command = [binary, "scan", "--no-progress", "-r", REGION, "-f", "json"]
    done = subprocess.run(
        command, env=environment(endpoint, folder), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 10, (done.returncode, done.stderr)
    return json.loads(done.stdout)


def check(report, account):
    arn = f"arn:aws:iam::{account}:"
    paths = [path for path in report["paths"] if f"{arn}user/builder" in path["nodes"]]
    assert paths, [path["nodes"] for path in report["paths"]]
    assert any(path["best"]["status"] == "proven" for path in paths)
    assert any("lambda.create-function" in path["techniques"] for path in paths)
    every = json.dumps(report["paths"])
    assert f"{arn}role/deployer-exec" in every
    assert f"{arn}user/painter" not in every, "the hardened user has no way up"
    assert "palisade-tf-ledger" not in every, "the closed bucket is on no way"
    open_bucket = [f for f in report["findings"] if "palisade-tf-corpus" in f["resource"]]
    checks = {finding["check"] for finding in open_bucket}
    assert any("public" in check for check in checks), checks
    closed = [f for f in report["findings"] if "palisade-tf-ledger" in f["resource"]]
    assert not [f["check"] for f in closed if "public" in f["check"]], closed
    return len(paths), sorted(checks)


def main():
    binary = str(Path(sys.argv[1]).resolve())
    terraform, plugins = shutil.which("terraform"), mirror()
    if terraform is None:
        skip("there is no `terraform` on the PATH")
    if plugins is None:
        skip("no folder holds the AWS provider: set PALISADE_TF_PLUGINS to a filesystem mirror")
    endpoint = f"http://127.0.0.1:{free_port()}"
    command = ["moto_server", "-H", "127.0.0.1", "-p", endpoint.rsplit(":", 1)[1]]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(endpoint)
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            account = apply(terraform, plugins, endpoint, folder)
            paths, checks = check(scan(binary, endpoint, folder), account)
        print(f"terraform: {paths} path(s) from the builder; the open bucket fails {checks}")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
