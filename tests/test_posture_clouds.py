"""Own findings about Azure and Google Cloud: what must match, and one condition flipped."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from secinbox.session import Session
from tests import moves_clouds as clouds
from tests import test_azure as azure
from tests import test_azure_services as azure_services
from tests import test_clouds_power as power
from tests import test_flips_azure as flips
from tests import test_flips_gcp as google_flips
from tests import test_gcp as google
from tests import test_gcp_services as services
from tests.conftest import CLOCK


def rules(session: Session, *documents: Any) -> dict[tuple[str, str], dict[str, Any]]:
    for number, rows in enumerate(documents):
        session.import_reports((f"inventory/{number}.json",), data=json.dumps(rows).encode())
    found = session.findings("", limit=1000)["findings"]
    return {(f["rule"], f["resource"]): f for f in found if f["type"] != "attack_path"}


def key(made: str, **more: Any) -> Any:
    return google.asset("iam.googleapis.com/ServiceAccountKey", f"{google.SA}/keys/k1", {
        "name": "k1", "keyType": "USER_MANAGED", "validAfterTime": made, **more})  # fmt: skip


def application(end: str) -> Any:
    return {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#applications", "value": [{
        "id": power.SP, "appId": power.APP, "displayName": "ci", "signInAudience": "x",
        "passwordCredentials": [{"displayName": "s", "startDateTime": "2024-01-01T00:00:00Z", "endDateTime": end}]}]}  # fmt: skip


CASES: list[tuple[str, str, list[Any], list[Any]]] = [
    ("secinbox-gcp-key-old", google.SA, [google.account(), key("2020-01-01T00:00:00Z")],
     [google.account(), key("2020-01-01T00:00:00Z", keyType="SYSTEM_MANAGED")]),
    ("secinbox-gcp-key-old", google.SA, [google.account(), key("2020-01-01T00:00:00Z")],
     [google.account(), key("2120-01-01T00:00:00Z")]),
    ("secinbox-federation-open", google.SA, [google.project(), services.fed(), services.idp()],
     [google.project(), services.fed(), services.idp(bound="assertion.repository_owner == 'acme'")]),
    ("secinbox-entra-federation-open", power.UAMI.lower(), clouds.federated("repo:*", expression=True),
     clouds.federated("repo:acme/*", expression=True)),
    ("secinbox-port-ssh", f"{azure.NET}/networkSecurityGroups/nic-nsg".lower(), azure.machine(azure.rule(port="22")),
     azure.machine(azure.rule(port="443"))),
    ("secinbox-port-ssh", f"{azure.NET}/networkSecurityGroups/nic-nsg".lower(), azure.machine(azure.rule(port="22")),
     azure.machine(azure.rule(port="22"), subnet=[])),
    ("secinbox-port-redis", f"{azure.NET}/networkSecurityGroups/subnet-nsg".lower(), azure.machine(azure.rule(port="6379"), subnet=[
        azure.rule(port="6000-7000")]), azure.machine(azure.rule(port="6379", source=azure.OFFICE), subnet=[azure.rule(port="6000-7000")])),
    ("secinbox-port-remote-desktop", google.VM.replace("/zones/europe-west1-b/instances/web", "/global/firewalls/allow-web"),
     [google.machine(), google.firewall(ports=("3389",))], [google.machine(status="TERMINATED"), google.firewall(ports=("3389",))]),
    ("secinbox-ports-all", google.VM.replace("/zones/europe-west1-b/instances/web", "/global/firewalls/allow-web"),
     [google.machine(), google.firewall(allowed=[{"IPProtocol": "all"}])], [google.machine(), google.firewall(ports=("22",))]),
    ("secinbox-azure-disk-link", flips.DISKS[0].lower(), flips.DISKS[1][0][1], flips.DISKS[1][4][1]),
    ("secinbox-gcp-work-open", google_flips.QUEUE, google_flips.FLIPS[google_flips.QUEUE][0][1], google_flips.FLIPS[google_flips.QUEUE][2][1]),
    ("secinbox-gcp-data-public", google_flips.TABLE, google_flips.FLIPS[google_flips.TABLE][0][1], google_flips.FLIPS[google_flips.TABLE][2][1]),
    ("secinbox-gallery-community", azure_services.GALLERY.lower(),
     [azure_services.simple(azure_services.GALLERY, sharingProfile={"permissions": "Community"})],
     [azure_services.simple(azure_services.GALLERY, sharingProfile={"permissions": "Groups"})]),
    ("secinbox-azure-store-open", azure_services.COSMOS.lower(), [azure_services.cosmos()],
     [azure_services.cosmos("203.0.113.4")]),
    ("secinbox-gcs-public", google.BUCKET, [google.bucket(google.bind(google.VIEW, "allUsers"))],
     [google.bucket(google.bind(google.VIEW, "user:a@x"))]),
    ("secinbox-cloudsql-public", google.SQL, [google.sql("0.0.0.0/0")], [google.sql("203.0.113.1/32")]),
    ("secinbox-bigquery-public", google.DATASET, [google.dataset("allUsers")],
     [google.dataset("g@x", "groupByEmail")]),
    ("secinbox-gke-public", google.GKE, [google.gke()],
     [google.gke(privateClusterConfig={"enablePrivateEndpoint": True})]),
    ("secinbox-cloud-administrator", google.SA,
     [google.project(google.bind("roles/owner", google.MEMBER)), google.account()],
     [google.project(google.bind("roles/viewer", google.MEMBER)), google.account()]),
    ("secinbox-cloud-escalation", google.SA,
     [google.project(google.OWNS), google.account(), google.boss(google.bind(
         "roles/iam.serviceAccountTokenCreator", google.MEMBER))],
     [google.project(google.OWNS), google.account(), google.boss()]),
    ("secinbox-container-public", azure.BLOBS.lower(), [azure.store(), azure.blobs()],
     [azure.store(), azure.blobs("None")]),
    ("secinbox-azure-database-public", azure.SQL.lower(),
     [azure.sql(), azure.fire("0.0.0.0", "255.255.255.255")],
     [azure.sql(), azure.fire("203.0.113.4", "203.0.113.9")]),
    ("secinbox-vault-open", azure.VAULT.lower(), [azure.vault()], [azure.vault(networkAcls=azure.DENY)]),
    ("secinbox-aks-public", azure.AKS.lower(), [azure.aks()], [azure.aks(enablePrivateCluster=True)]),
    ("secinbox-cloud-administrator", f"entra:{azure.ANA}",
     [azure.SUBSCRIPTION, azure.assigned(azure.OWNER)], [azure.SUBSCRIPTION, azure.assigned(azure.READER)]),
    ("secinbox-cloud-escalation", f"entra:{azure.ANA}",
     [azure.SUBSCRIPTION, azure.assigned(azure.UAA)], [azure.SUBSCRIPTION, azure.assigned(azure.READER)]),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "uid", "rows", "flipped"), CASES,
                         ids=[f"{c[0]} {c[1][-12:]}" for c in CASES])  # fmt: skip
def test_a_rule_matches_and_its_flip_does_not(
    session: Session, tmp_path: Path, rule: str, uid: str, rows: list[Any], flipped: list[Any]
) -> None:
    found = rules(session, rows)
    assert (rule, uid) in found, list(found)
    finding = found[rule, uid]
    assert finding["severity"] in ("critical", "high", "medium")
    assert finding["attributions"][0]["tool"] == "secinbox"
    with Session(tmp_path / "other", CLOCK) as other:
        assert (rule, uid) not in rules(other, flipped)


def test_restricted_data_weighs_more(session: Session) -> None:
    plain = [google.bucket(google.bind(google.VIEW, "allUsers"))]
    assert rules(session, plain)["secinbox-gcs-public", google.BUCKET]["severity"] == "high"
    kept = [
        google.bucket(google.bind(google.VIEW, "allUsers"), labels={"data_class": "restricted"})
    ]
    assert rules(session, kept)["secinbox-gcs-public", google.BUCKET]["severity"] == "critical"


def test_pages_of_one_export_add_up_and_a_newer_export_replaces(tmp_path: Path) -> None:
    first, second = azure.vault(), {**azure.vault(), "id": azure.VAULT + "2", "name": "v2"}
    owner, reader = azure.assigned(azure.OWNER), azure.assigned(azure.READER)
    person = ("secinbox-cloud-administrator", f"entra:{azure.ANA}")

    def take(session: Session, name: str, *rows: Any) -> None:
        session.import_reports((f"x/{name}.json",), data=json.dumps({"data": rows}).encode())

    def uids(session: Session) -> set[str]:
        return {r["uid"] for r in session.resources("", limit=1000)["resources"]}

    def told(session: Session) -> set[tuple[str, str]]:
        found = session.findings("status:open", limit=1000)["findings"]
        return {(f["rule"], f["resource"]) for f in found}

    both = {azure.VAULT.lower(), azure.VAULT.lower() + "2"}
    with Session(tmp_path / "home", CLOCK - timedelta(days=3)) as session:
        take(session, "page1", first)
        take(session, "page2", second)
        take(session, "roles", azure.SUBSCRIPTION, owner, reader)
        assert both <= uids(session) and person in told(session)
    with Session(tmp_path / "home", CLOCK) as session:
        take(session, "later", second)
        take(session, "later-roles", azure.SUBSCRIPTION, reader)
        assert uids(session) & both == {azure.VAULT.lower() + "2"}
        assert person not in told(session)


def test_a_secret_of_an_application_that_lives_long(session: Session) -> None:
    assert ("secinbox-entra-secret-long", f"entra:{power.SP}") in rules(
        session, application("2299-01-01T00:00:00Z")
    )


def test_a_secret_of_an_application_of_a_year(session: Session) -> None:
    found = rules(session, application("2024-12-01T00:00:00Z"))
    assert not [r for r, _ in found if r == "secinbox-entra-secret-long"]
