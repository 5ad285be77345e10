"""Makes the sample estate: `python examples/make_estate.py [written] [cloud] [code]`.

written  cluster, signals, image reports, feed excerpts, catalogue, truth: needs Python only
cloud    two AWS accounts in a mock cloud, read back, and Prowler on them
code     scanners on examples/repository

Without a word it makes all. Tools: examples/requirements.txt, in an environment of their own.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harborline import cluster, description, intel, truth, written  # noqa: E402

ESTATE = HERE / "estate"


def put(path: Path, value: Any) -> None:
    """Text as it is, a list as lines of JSON, everything else as one JSON document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, list):
        text = "".join(json.dumps(line) + "\n" for line in value)
    elif isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, indent=1) + "\n"
    path.write_text(text)


def instances(estate: Path) -> dict[str, dict[str, Any]]:
    """Name tag -> instance, from the inventory that the mock cloud gave."""
    found = {}
    for account in (description.PROD, description.DEV):
        path = estate / "inventory" / account / description.REGION / "ec2.describe_instances.json"
        for reservation in json.loads(path.read_text())["Reservations"]:
            for instance in reservation["Instances"]:
                for tag in instance.get("Tags", ()):
                    if tag["Key"] == "Name":
                        found[tag["Value"]] = instance
    return found


def make_written(estate: Path, inventory: Path) -> None:
    """Everything that needs no tool. `inventory`: an estate with the cloud's part."""
    named = instances(inventory)
    put(estate / "kubernetes" / description.CLUSTER / "objects.json", cluster.cluster_list())
    for name, report in written.trivy_reports().items():
        put(estate / "reports" / "images" / f"trivy.{name}.json", report)
    put(estate / "reports" / "images" / "openvex.json", written.vex_document())
    put(estate / "signals" / "falco.jsonl", written.falco_alerts())
    put(estate / "signals" / "modsecurity.jsonl", written.waf_transactions())
    put(estate / "signals" / "guardduty.json", written.guardduty_findings(named))
    put(estate / "intel" / "known_exploited_vulnerabilities.json", intel.kev())
    put(estate / "intel" / "epss.csv", intel.epss())
    put(estate / "intel" / "nvd.json", intel.nvd())
    put(estate / "catalogue.yaml", written.catalogue())
    put(estate / "truth.json", truth.truth(named))


def make_cloud(estate: Path) -> None:
    from harborline.cloud import make_cloud as build
    from harborline.scanners import scan_cloud

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        ["moto_server", "-H", "127.0.0.1", "-p", str(port)],
        env={"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "PATH": _path()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(f"{endpoint}/moto-api/")
        seed = urllib.request.Request(f"{endpoint}/moto-api/seed?a=7", method="POST")
        urllib.request.urlopen(seed).close()
        shutil.rmtree(estate / "inventory", ignore_errors=True)
        build(endpoint, estate / "inventory")
        with tempfile.TemporaryDirectory() as work:
            scan_cloud(endpoint, Path(work), estate / "reports" / "cloud")
    finally:
        server.terminate()
        server.wait()


def _path() -> str:
    import os

    return os.environ["PATH"]


def _wait(address: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(address).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the mock cloud does not answer")


def make_code(estate: Path) -> None:
    from harborline.advisories import serving
    from harborline.scanners import scan_code

    copy = Path("/tmp/booking-api")  # a fixed place: some tools print absolute paths
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(HERE / "repository", copy, ignore=shutil.ignore_patterns("__pycache__"))
    # A key that never was one; composed here so that no file of this project holds it.
    key, secret = "AKIA" + "2KQ7XWFZ5DLM3RTV", "h4Zq8vKp2LrT6yWn" + "0sBx3mEd7cGj1uFa5oRi9kQt"
    (copy / "deploy").mkdir()
    (copy / "deploy" / "legacy.env").write_text(
        f"AWS_ACCESS_KEY_ID={key}\nAWS_SECRET_ACCESS_KEY={secret}\n"
    )
    try:
        with serving() as advisories:
            scan_code(copy, estate / "reports" / "code", advisories)
    finally:
        shutil.rmtree(copy)


def main(words: list[str]) -> None:
    wanted = set(words) or {"written", "cloud", "code"}
    if unknown := wanted - {"written", "cloud", "code"}:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}\n{__doc__}")
    if "cloud" in wanted:
        make_cloud(ESTATE)
    if "code" in wanted:
        make_code(ESTATE)
    if "written" in wanted:
        make_written(ESTATE, ESTATE)


if __name__ == "__main__":
    main(sys.argv[1:])
