"""Published sources that are weak on purpose: what their authors say is reached is found.

Differences are told in docs/vulnerable-by-design.md. Manifests: tests/test_paths_published.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from secinbox import opening
from secinbox.estate import Estate, estate_of
from secinbox.iam.privilege import privilege
from secinbox.inventory import hcl
from secinbox.network import exposure
from secinbox.paths.build import compiled
from secinbox.paths.search import forward, possible
from secinbox.paths.world import Leak, World
from secinbox.reading import Report
from tests.conftest import CLOCK
from tests.scenes import vulnerability
from tests.test_inventory_aws import DATA

ROOT = DATA / "inventory/terraform"
LABS = ROOT / "pathfinding-labs"
pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason="shared data not here")
STORES = ("aws_s3_bucket", "aws_dynamodb_table", "aws_secretsmanager_secret", "aws_rds_snapshot",
          "aws_rds_instance", "aws_ssm_parameter")  # fmt: skip


@cache
def estate(folder: str) -> Estate:
    place = next(p for p in opening.find((str(ROOT / folder),)) if p.sources)
    return estate_of(
        hcl.read(Report(opening.load(place), place.name, place.parts, CLOCK, {"account": hcl.NEW}))
    )


def one(found: Estate, kind: str, part: str) -> str:
    """The only resource of this type whose uid holds this."""
    names = [i.uid for i in found.of_type(kind) if part in i.uid]
    assert len(names) == 1, (kind, part, names)
    return names[0]


def follows(
    folder: str, start: str, leaks: Sequence[Leak] = (), weak: Sequence[str] = ()
) -> set[tuple[str, str]]:
    """States that follow, certainly or possibly, when this is in an attacker's hands."""
    found = estate(folder)
    public = {s.resource: list(s.evidence) for s in exposure(found) if s.value == "yes"}
    crown = {i.uid: "is the published target" for k in STORES for i in found.of_type(k)}
    world = World(
        estate=found, public=public, crown=crown, leaks=leaks, breached=[start],
        weaknesses={w: [vulnerability("flaw", resource=w)] for w in weak},
    )  # fmt: skip
    graph = compiled(world)
    entry = graph.number["entry", f"breach:{start}"]
    return {graph.states[n] for n in forward(graph, entry, possible).cost}


@dataclass(frozen=True)
class Lab:
    """A scenario of pathfinding-labs with its published answer."""

    folder: str
    start: str  # what the ARN ends with; braces stand for what is not known
    target: str  # to-admin | to-bucket


def labs() -> list[Lab]:
    out = []
    for file in sorted(LABS.rglob("scenario.yaml")) if LABS.is_dir() else []:
        told: dict[str, Any] = yaml.safe_load(file.read_text())
        start = str(told["attack_path"]["principals"][0]).split(":", 5)[5]
        folder = file.parent.relative_to(ROOT).as_posix()
        out.append(Lab(folder, start, str(told["target"])))
    return out


# Not found from the published start by these sources alone; the document says why.
ELSEWHERE = "pathfinding-labs/cross-account/dev-to-prod/multi-hop/lambda-invoke-update"
CLOSED = "pathfinding-labs/end-of-life-privesc-paths/iam-passrole+datapipeline-pipeline-to-admin"
IN_OBJECT = "pathfinding-labs/attack-simulation/sysdig-8-minutes-to-admin"
PUBLIC = "pathfinding-labs/single-account/cspm-toxic-combo/public-lambda-with-admin"


def reached(lab: Lab) -> bool:
    found = estate(lab.folder)
    if lab.folder == ELSEWHERE:  # its first user is made by the lab's own base, not here
        start = one(found, "aws_iam_role", "role/pl-dev-lambda-invoke-role")
    elif lab.folder == PUBLIC:
        start = one(found, "aws_lambda_function", "hello-world-admin")
    else:
        pattern = re.sub(r"\\\{.*?\\\}", ".*", re.escape(lab.start))
        holders = [*found.of_type("aws_iam_user"), *found.of_type("aws_iam_role")]
        start = next(i.uid for i in holders if re.fullmatch(pattern, i.uid.split(":", 5)[5]))
    leaks = []
    if lab.folder == IN_OBJECT:
        bucket = one(found, "aws_s3_bucket", "rag")
        leaks = [
            Leak("f", bucket, "config", "AWS key", one(found, "aws_iam_access_key", "compromised"))
        ]
    wanted = "admin" if lab.target == "to-admin" else "read"
    return any(
        (kind == wanted and (wanted == "admin" or ":s3:::" in uid)) or kind == "admin"
        for kind, uid in follows(lab.folder, start, leaks)
    )


@pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab.folder.rpartition("/")[2])
def test_a_published_lab_is_reached(lab: Lab) -> None:
    assert reached(lab) is (lab.folder != CLOSED)


def test_recall_over_the_labs() -> None:
    asked = [lab for lab in labs() if lab.folder != CLOSED]
    assert len(asked) == 24
    assert sum(reached(lab) for lab in asked) / len(asked) >= 0.98


def test_the_public_function_of_a_lab() -> None:
    found = estate(PUBLIC)
    uid = one(found, "aws_lambda_function", "hello-world-admin")
    assert {s.resource: s.value for s in exposure(found)}[uid] == "yes"
    assert {s.resource: s.value for s in privilege(found)}[uid] == "yes"


USER, ROLE, MACHINE = "aws_iam_user", "aws_iam_role", "aws_ec2_instance"
# Scenario, (type, part of the uid) of what is lost first, keys that a scanner found as
# (type, part of the uid that holds it, the user), and the (state, part of the uid) reached.
GOATS = [
    ("codebuild_secrets", (USER, "/solo"), [("aws_codebuild_project", "project", "calrissian")],
     ("cred", "user/calrissian")),
    ("codebuild_secrets", (USER, "/calrissian"), [], ("read", ":rds:")),
    ("ec2_ssrf", (USER, "/solus"), [("aws_lambda_function", "function:", "wrex")], ("cred", "user/wrex")),
    ("ec2_ssrf", (MACHINE, "ubuntu_ec2"), [("aws_s3_bucket", "s3", "shepard")], ("cred", "user/shepard")),
    ("ecs_takeover", (MACHINE, "vulnsite"), [], ("cred", "ecs-agent")),
    ("iam_privesc_by_attachment", (USER, "/kerrigan"), [], ("admin", "root")),
    ("lambda_privesc", (USER, "/chris"), [], ("admin", "root")),
    ("rds_snapshot", (MACHINE, "cg-ec2-instance"), [("aws_s3_bucket", "s3", "david")],
     ("cred", "cg-rds-instance-user")),
    ("rds_snapshot", (USER, "cg-rds-instance-user"), [], ("read", "cg-rds-snapshot")),
    ("secrets_in_the_cloud", (USER, "low-priv-user"), [], ("read", "cg-secrets-bucket")),
    ("secrets_in_the_cloud", (MACHINE, "web_app"), [], ("read", "table/")),
    ("secrets_in_the_cloud", (USER, "secrets-manager-user"), [], ("read", ":secret:")),
    ("sqs_flag_shop", (USER, "/cg-sqs-user"), [], ("cred", "cg-sqs-send-message")),
    ("vpc_peering_overexposed", (MACHINE, "dev_ec2"), [], ("cred", "prod-ec2-role")),
    ("vulnerable_lambda", (USER, "cg-bilbo"), [], ("cred", "cg-lambda-invoker")),
    ("vulnerable_lambda", (USER, "cg-bilbo"), [], ("admin", "root")),
]  # fmt: skip


def link(name: str, lost: tuple[str, str], keys: Sequence[tuple[str, str, str]],
         wanted: tuple[str, str]) -> bool:  # fmt: skip
    folder = f"cloudgoat/{name}"
    found = estate(folder)
    leaks = [
        Leak(f"f{n}", one(found, kind, part), "a setting", "AWS key", one(found, "aws_iam_access_key", user))
        for n, (kind, part, user) in enumerate(keys)
    ]  # fmt: skip
    weak = [f.uid for f in found.of_type("aws_lambda_function")]
    states = follows(folder, one(found, *lost), leaks, weak)
    return any(kind == wanted[0] and wanted[1] in uid for kind, uid in states)


@pytest.mark.parametrize(("name", "lost", "keys", "wanted"), GOATS)
def test_a_link_of_cloudgoat(name: str, lost: Any, keys: Any, wanted: Any) -> None:
    assert link(name, lost, keys, wanted)


@pytest.mark.parametrize(("name", "lost", "keys", "wanted"), [g for g in GOATS if g[2]])
def test_without_the_leaked_key_its_owner_is_not_reached(
    name: str, lost: Any, keys: Any, wanted: Any
) -> None:
    assert not link(name, lost, [], wanted)


# Resources that anybody reaches, by what the sources say.
OPEN = {
    "cloudgoat/iam_privesc_by_attachment": ["super_critical_security_server"],
    "cloudgoat/secrets_in_the_cloud": [":secret:"],
    "terragoat/aws": ["db_app", "web_host", "domain/tg-dev-es", "acme-dev-eks", "weblb-terraform-elb"],
    "terragoat/azure": ["managedclusters/terragoat-aks-dev", "vaults/terragoat-key-dev",
                        "networksecuritygroups/terragoat-dev"],
    "terragoat/gcp": ["datasets/terragoat_dev_dataset", "instances/terragoat-dev-master",
                      "firewalls/terragoat-dev-firewall", "clusters/terragoat-dev-cluster",
                      "terragot-dev", "instances/terragoat-dev-machine"],
}  # fmt: skip
# Who may reach these is what the operator enters (a list of addresses): unknown, not no.
DOUBTFUL = {
    "cloudgoat/ec2_ssrf": "ubuntu_ec2",
    "cloudgoat/codebuild_secrets": "cg-ubuntu-ec2",
    "cloudgoat/rds_snapshot": "cg-ec2-instance",
    "cloudgoat/secrets_in_the_cloud": "web_app",
    "cloudgoat/sqs_flag_shop": "flag_shop_server",
    "cloudgoat/vpc_peering_overexposed": "dev_ec2",
    "terragoat/azure": "storageaccounts/tgsadev",
}


@pytest.mark.parametrize("folder", OPEN)
def test_what_is_open_to_everyone(folder: str) -> None:
    said = {s.resource: s.value for s in exposure(estate(folder))}
    for part in OPEN[folder]:
        assert "yes" in {v for r, v in said.items() if part in r}, part


@pytest.mark.parametrize("folder", DOUBTFUL)
def test_what_depends_on_an_answer_of_the_operator(folder: str) -> None:
    said = {s.resource: s.value for s in exposure(estate(folder))}
    assert {v for r, v in said.items() if DOUBTFUL[folder] in r} == {"unknown"}


def test_private_things_are_not_called_public() -> None:
    said = {s.resource: s.value for s in exposure(estate("terragoat/aws"))}
    closed = [r for r in said if ":db:" in r or ":role/" in r]
    assert closed and {said[r] for r in closed} == {"no"}


def test_everything_is_read() -> None:
    """209 files: none is refused, and each makes what its resource blocks say."""
    folders = sorted({p.parent for p in ROOT.rglob("*.tf")})
    for folder in folders:
        found = estate(folder.relative_to(ROOT).as_posix())
        if "alicloud" not in folder.parts and "oracle" not in folder.parts:
            assert len(found.items) > 1, folder
    assert len(folders) == 40 and len(list(Path(ROOT).rglob("*.tf"))) == 209
