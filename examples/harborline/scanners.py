"""Runs real scanners on the sample environment; their outputs are kept as they are.

Each is found by name on the PATH; one that is missing is said and left out. They are run with
relative paths, so that no output names the machine that made it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from harborline.description import DEV, PROD, REGION

CHECKED = ("s3", "iam", "ec2", "rds", "elbv2", "ecs")


def run(command: list[str], folder: Path, **environment: str) -> bytes | None:
    """What it printed; None when the tool is missing. Finding something is no failure."""
    if shutil.which(command[0]) is None:
        print(f"{command[0]} is not installed: its report is left as it was", file=sys.stderr)
        return None
    print("running", *command[:3], file=sys.stderr)
    merged: Mapping[str, str] = {**os.environ, **environment}
    done = subprocess.run(
        command, cwd=folder, env=dict(merged), check=False, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout


def scan_cloud(endpoint: str, work: Path, target: Path) -> None:
    """Prowler on both accounts of the mock: failed checks of six services, one region."""
    import boto3

    target.mkdir(parents=True, exist_ok=True)
    for account in (PROD, DEV):
        sts = boto3.client(
            "sts", endpoint_url=endpoint, region_name=REGION,
            aws_access_key_id="x", aws_secret_access_key="x",
        )  # fmt: skip
        got = sts.assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/reader", RoleSessionName="prowler"
        )["Credentials"]
        name = f"prowler.{account}"
        command = [
            "prowler", "aws", "--service", *CHECKED, "--region", REGION, "--status", "FAIL",
            "--output-formats", "json-ocsf", "--output-directory", "out",
            "--output-filename", name, "--ignore-exit-code-3", "--no-banner",
            # The mock brings hundreds of public snapshots of its own.
            "--excluded-checks", "ec2_ebs_snapshots_encrypted",
        ]  # fmt: skip
        ran = run(
            command, work, AWS_ENDPOINT_URL=endpoint, AWS_DEFAULT_REGION=REGION,
            AWS_ACCESS_KEY_ID=got["AccessKeyId"], AWS_SECRET_ACCESS_KEY=got["SecretAccessKey"],
            AWS_SESSION_TOKEN=got["SessionToken"],
        )  # fmt: skip
        made = work / "out" / f"{name}.ocsf.json"
        if ran is not None and made.exists():
            shutil.copy(made, target / made.name)


def scan_code(repository: Path, target: Path, advisories: str) -> None:
    """Everything that reads the repository. `advisories`: address of an OSV-like service."""
    made = repository.parent / f"{repository.name}-reports"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    out = f"../{made.name}"
    for command in (
        ["bandit", "-q", "-r", "app", "-f", "json", "-o", f"{out}/bandit.json"],
        ["checkov", "-d", ".", "--quiet", "--compact", "-o", "json", "--skip-download",
         "--output-file-path", f"{out}/checkov", "--framework", "terraform", "kubernetes",
         "dockerfile"],
        ["zizmor", "--offline", "--format", "json", ".github"],
        ["gitleaks", "dir", ".", "--report-format", "json", "--report-path",
         f"{out}/gitleaks.json", "--redact=100", "--no-banner"],
        ["kingfisher", "scan", ".", "--no-validate", "--redact", "--format", "json",
         "--output", f"{out}/kingfisher.json", "--no-update-check"],
        ["cyclonedx-py", "requirements", "requirements.txt", "--pyproject", "pyproject.toml",
         "--output-reproducible", "--of", "JSON", "-o", f"{out}/sbom.cdx.json"],
        ["pip-audit", "-r", "requirements.txt", "--no-deps", "--disable-pip", "-s", "osv",
         "--osv-url", advisories, "-f", "json", "-o", f"{out}/pip-audit.json",
         "--progress-spinner", "off"],
    ):  # fmt: skip
        printed = run(command, repository)
        if command[0] == "zizmor" and printed:
            (made / "zizmor.json").write_bytes(printed)
    for path in sorted(made.rglob("*.json")):
        place = target / path.relative_to(made)
        place.parent.mkdir(parents=True, exist_ok=True)
        # Kingfisher writes where its program lies: the one thing that is cut.
        place.write_text(re.sub(r'"/[^"]*/kingfisher"', '"kingfisher"', path.read_text()))
    shutil.rmtree(made)
