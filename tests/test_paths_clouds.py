"""Attack paths through Azure and Google Cloud, and from one cloud to another."""

from __future__ import annotations

from typing import Any

import pytest

from secinbox.network import exposure
from secinbox.paths import routes
from secinbox.paths.world import Weakness, World
from tests import test_azure as azure
from tests import test_gcp as google
from tests.scenes import vulnerability

SUB = azure.SUB.lower()
VM, GVM = azure.VM.lower(), google.VM
PROJECT = f"{google.CRM}/projects/1001"


def world(made: Any, *weak: str) -> World:
    public = {s.resource: list(s.evidence) for s in exposure(made) if s.value == "yes"}
    found: dict[str, list[Weakness]] = {uid: [vulnerability()] for uid in weak}
    return World(estate=made, public=public, weaknesses=found)


def certain(made: Any, target: str, *weak: str) -> list[routes.Path]:
    paths = routes.analyse(world(made, *weak)).paths
    return [p for p in paths if p.target == target and p.certain]


OPEN = azure.machine(azure.rule())
OWNS = azure.assigned(azure.OWNER, azure.SYSTEM)
READS = azure.assigned("2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", azure.SYSTEM)
MARKED = {"tags": {"data_class": "restricted"}}
SECRET = google.asset("secretmanager.googleapis.com/Secret", "//secretmanager.googleapis.com/projects/shop-1/secrets/s",
                      {"name": "projects/shop-1/secrets/s"}, [])  # fmt: skip
G_OPEN = [google.machine(), google.firewall(), google.account()]
CASES: list[tuple[str, Any, str, list[str], dict[str, Any]]] = [
    ("machine to owner of the subscription", azure.estate(azure.SUBSCRIPTION, *OPEN, OWNS), SUB, [VM], {
        "closed": azure.estate(azure.SUBSCRIPTION, *azure.machine(azure.rule(source="10.0.0.0/8")), OWNS),
        "reader": azure.estate(azure.SUBSCRIPTION, *OPEN, azure.assigned(azure.READER, azure.SYSTEM)),
        "no identity": azure.estate(azure.SUBSCRIPTION, {**azure.vm(), "identity": None}, *OPEN[1:], OWNS)}),
    ("machine to restricted blobs", azure.estate(
        azure.SUBSCRIPTION, *OPEN, READS, azure.store(), {**azure.blobs("None"), **MARKED}),
     azure.BLOBS.lower(), [VM], {
        "not marked": azure.estate(azure.SUBSCRIPTION, *OPEN, READS, azure.store(), azure.blobs("None")),
        "another role": azure.estate(azure.SUBSCRIPTION, *OPEN, azure.assigned(
            azure.READER, azure.SYSTEM), azure.store(), {**azure.blobs("None"), **MARKED})}),
    ("open container", azure.estate(azure.store(), {**azure.blobs(), **MARKED}), azure.BLOBS.lower(), [], {
        "closed": azure.estate(azure.store(allowBlobPublicAccess=False), {**azure.blobs(), **MARKED})}),
    ("machine to owner of the project", google.estate(
        google.project(google.bind("roles/owner", google.MEMBER)), *G_OPEN), PROJECT, [GVM], {
        "closed": google.estate(google.project(google.bind("roles/owner", google.MEMBER)),
                                google.machine(), google.firewall(ranges=("10.0.0.0/8",)), google.account()),
        "viewer": google.estate(google.project(google.bind("roles/viewer", google.MEMBER)), *G_OPEN),
        "narrow scopes": google.estate(google.project(google.bind("roles/owner", google.MEMBER)),
            google.machine(serviceAccounts=[{"email": "app@shop-1.iam.gserviceaccount.com",
                                             "scopes": ["x"]}]), *G_OPEN[1:])}),
    ("machine to another account to the project", google.estate(
        google.project(google.OWNS), *G_OPEN, google.boss(google.bind(
            "roles/iam.serviceAccountTokenCreator", google.MEMBER))), PROJECT, [GVM], {
        "no token": google.estate(google.project(google.OWNS), *G_OPEN, google.boss())}),
    ("machine to a secret", google.estate(google.project(google.bind(
        "roles/secretmanager.secretAccessor", google.MEMBER)), *G_OPEN, SECRET), SECRET["name"], [GVM], {
        "viewer of secrets": google.estate(google.project(google.bind(
            "roles/secretmanager.viewer", google.MEMBER)), *G_OPEN, SECRET)}),
    ("open bucket", google.estate(google.bucket(google.bind(google.VIEW, "allUsers"),
                                                labels=MARKED["tags"])), google.BUCKET, [], {
        "prevented": google.estate(google.bucket(google.bind(google.VIEW, "allUsers"),
            labels=MARKED["tags"], iamConfiguration={"publicAccessPrevention": "enforced"}))}),
]  # fmt: skip


@pytest.mark.parametrize(("made", "target", "weak"), [(m, t, w) for _, m, t, w, _ in CASES],
                         ids=[c[0] for c in CASES])  # fmt: skip
def test_a_path_is_found(made: Any, target: str, weak: list[str]) -> None:
    found = certain(made, target, *weak)
    assert len(found) == 1, [p.rule for p in found]
    assert found[0].severity in ("critical", "high")


@pytest.mark.parametrize(("made", "target", "weak"),
                         [(m, t, w) for _, _, t, w, flips in CASES for m in flips.values()],
                         ids=[f"{n}: {f}" for n, _, _, _, flips in CASES for f in flips])  # fmt: skip
def test_one_conjunct_less_and_it_is_gone(made: Any, target: str, weak: list[str]) -> None:
    assert not certain(made, target, *weak)
