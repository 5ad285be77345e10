"""Domain-wide delegation in Google Workspace: what the audit log says, and each condition flipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from secinbox.cli import secinbox
from secinbox.connectors import recognise
from secinbox.estate import estate_of
from secinbox.iam.gcp import privilege
from secinbox.records import RiskStatement
from tests import test_clouds_power as power
from tests import test_gcp as google
from tests.moves_clouds import (
    ADMIN_SCOPE,
    BY_ANA,
    CLIENT,
    CLOUD_SCOPE,
    MAIL,
    delegated,
    known_client,
)
from tests.test_gcp import CRM, MEMBER, SA, bind, boss, project

LATER = "2026-02-02T00:00:00Z"
GMAIL = "https://www.googleapis.com/auth/gmail.readonly"


def judged(assets: list[Any], log: list[Any]) -> RiskStatement:
    return {s.resource: s for s in privilege(estate_of(google.records(*assets) + log))}[SA]


CASES: list[tuple[str, list[Any], list[Any], str, str]] = [
    ("administers users", [project(), known_client()], delegated(ADMIN_SCOPE), "yes", "escalation"),
    ("reads users", [project(), known_client()], delegated(f"{ADMIN_SCOPE}.readonly"), "yes", "wide_reach"),
    ("administers roles", [project(), known_client()], delegated(
        "https://www.googleapis.com/auth/admin.directory.rolemanagement"), "yes", "escalation"),
    ("all of the mail", [project(), known_client()], delegated(MAIL), "yes", "bulk_data"),
    ("reads mail", [project(), known_client()], delegated(GMAIL), "yes", "bulk_data"),
    ("all of the files", [project(), known_client()], delegated("https://www.googleapis.com/auth/drive"), "yes", "bulk_data"),
    ("in the cloud, as an owner", [project(*BY_ANA), known_client()], delegated(CLOUD_SCOPE), "yes", "acts as ana@x.test"),
    ("in the cloud, as a viewer", [project(bind("roles/viewer", "user:ana@x.test")), known_client()], delegated(CLOUD_SCOPE),
     "yes", "wide_reach"),
    ("known by its unique id", [project(), known_client(oauth2ClientId=None, uniqueId=CLIENT)], delegated(MAIL), "yes", "bulk_data"),
    ("another client", [project(), known_client()], delegated(MAIL, client="99"), "no", "control"),
    ("put out again", [project(), known_client()], delegated(MAIL) + delegated(MAIL, when=LATER, name="REMOVE"), "no", "control"),
    ("put out before it was let in", [project(), known_client()], delegated(MAIL, when=LATER) + delegated(MAIL, name="REMOVE"),
     "yes", "bulk_data"),
    ("let in with less later", [project(), known_client()], delegated(ADMIN_SCOPE) + delegated(GMAIL, when=LATER), "yes", "bulk_data"),
    ("account off", [project(), known_client(disabled=True)], delegated(ADMIN_SCOPE), "no", "disabled"),
    ("no log", [project(), known_client()], [], "no", "gap whether Google Workspace"),
    ("owner, no log", [project(bind("roles/owner", MEMBER)), known_client()], [], "yes", "administrator"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("assets", "log", "value", "told"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_acting_as_anybody(assets: list[Any], log: list[Any], value: str, told: str) -> None:
    found = judged(assets, log)
    assert found.value == value, found.evidence
    assert told in " ".join(f"{e.kind} {e.text}" for e in found.evidence)


def test_with_the_log_a_no_has_no_gap() -> None:
    assert {
        e.kind for e in judged([project(), known_client()], delegated(MAIL, client="99")).evidence
    } == {"control"}


def test_who_takes_such_an_account_takes_the_workspace() -> None:
    """A key of the account is all that somebody else needs."""
    taker = google.account(google.BOSS)
    made = estate_of(google.records(project(), taker, {**known_client(), "iamPolicy": {
        "bindings": [bind(power.TOKEN, google.BOSS_MEMBER)]}}) + delegated(ADMIN_SCOPE))  # fmt: skip
    found = {s.resource: s for s in privilege(made)}[google.BOSS]
    assert found.value == "yes" and "Google Workspace" in found.evidence[0].text
    assert boss()["name"] == google.BOSS


def test_older_spellings_of_scopes_are_read() -> None:
    """One text with commas instead of a list."""
    document = {"kind": "admin#reports#activity", "id": {"time": LATER, "customerId": "C01"}, "actor": {}, "events": [
        {"name": "AUTHORIZE_API_CLIENT_ACCESS", "parameters": [{"name": "API_CLIENT_NAME", "value": CLIENT},
                                                               {"name": "API_SCOPES", "value": f"{GMAIL}, {MAIL}"}]},
        {"name": "CREATE_USER", "parameters": None}]}  # fmt: skip
    data = json.dumps(document).encode()
    assert recognise(data, "x.json").id == "gcp"
    from secinbox.inventory import gcp as inventory
    from secinbox.reading import Report

    found = judged([project(), known_client()], list(inventory.read(Report(data))))
    assert found.value == "yes" and "gmail.readonly" in found.evidence[0].text


@pytest.mark.parametrize(
    ("method", "event", "value"), [("authorize", "AUTHORIZE", "yes"), ("remove", "REMOVE", "no")]
)
def test_the_same_in_cloud_logging(method: str, event: str, value: str) -> None:
    row = {"logName": "organizations/30/logs/cloudaudit.googleapis.com%2Factivity", "timestamp": LATER, "protoPayload": {
        "methodName": f"google.admin.AdminService.{method}ApiClientAccess", "authenticationInfo": {"principalEmail": "root@x.test"},
        "metadata": {"event": [{"eventName": f"{event}_API_CLIENT_ACCESS", "parameter": [
            {"name": "API_CLIENT_NAME", "value": CLIENT}, {"name": "API_SCOPES", "multiStrValue": [MAIL]}]}]}}}  # fmt: skip
    from secinbox.inventory import gcp as inventory
    from secinbox.reading import Report

    data = json.dumps([row]).encode()
    assert recognise(data, "x.json").id == "gcp"
    found = judged([project(), known_client()], list(inventory.read(Report(data))))
    assert found.value == value and all(e.kind != "gap" for e in found.evidence)


def test_finding_and_path(tmp_path: Path) -> None:
    """Imported as it is answered: an identity finding, and a path from a leaked key to the organisation."""
    reports, home = tmp_path / "reports", str(tmp_path / "home")
    reports.mkdir()
    top = google.asset("cloudresourcemanager.googleapis.com/Organization", f"{CRM}/organizations/30", {
        "name": "organizations/30", "owner": {"directoryCustomerId": "C01"}}, [], ancestors=["organizations/30"])  # fmt: skip
    (reports / "assets.json").write_text(
        "\n".join(json.dumps(a) for a in (project(), known_client(), top))
    )
    log = {"kind": "admin#reports#activities", "items": [{
        "kind": "admin#reports#activity", "id": {"time": LATER, "applicationName": "admin", "customerId": "C01"},
        "actor": {"email": "root@x.test"}, "events": [{"name": "AUTHORIZE_API_CLIENT_ACCESS", "parameters": [
            {"name": "API_CLIENT_NAME", "value": CLIENT}, {"name": "API_SCOPES", "multiValue": [ADMIN_SCOPE]}]}]}]}  # fmt: skip
    (reports / "log.json").write_text(json.dumps(log))
    secret = {"SourceMetadata": {"Data": {"Git": {"commit": "a", "file": "key.json", "line": 3,
                                                  "repository": "https://github.com/acme/shop.git"}}},
              "SourceID": 1, "SourceType": 16, "SourceName": "trufflehog - git", "DetectorType": 57, "DetectorName": "GCP",
              "DecoderName": "PLAIN", "Verified": True, "Raw": f"app@{google.P}.iam.gserviceaccount.com"}  # fmt: skip
    (reports / "secrets.json").write_text(json.dumps(secret))
    run = CliRunner()
    assert run.invoke(secinbox, ["--home", home, "import", str(reports)]).exit_code == 0
    found = json.loads(
        run.invoke(secinbox, ["--home", home, "findings", "--json", "--limit", "100"]).stdout
    )["findings"]
    assert any(
        f["resource"] == SA and "acts as anybody in Google Workspace" in f["title"] for f in found
    )
    paths = json.loads(run.invoke(secinbox, ["--home", home, "paths", "--json"]).stdout)["paths"]
    assert {"workspace:C01", f"{CRM}/organizations/30"} & {p["target"] for p in paths}
    assert any("gcp-workspace-administrator" in {s["move"] for s in p["steps"]} for p in paths)
