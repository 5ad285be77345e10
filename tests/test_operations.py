"""Signals, webhooks, exports, gate, health and metrics."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from secinbox.api import operations
from secinbox.api.app import create_app
from secinbox.exporting import cell
from secinbox.session import Session
from tests.conftest import CLOCK, trivy, vulnerability
from tests.test_cli import run
from tests.test_inbox import asff, guardduty, instance
from tests.test_triage import GOOD

FALCO = {"output": "10:00: shell in a container", "priority": "Warning", "rule": "Terminal shell",
         "time": "2026-11-19T10:00:00Z", "source": "syscall", "hostname": "h1", "tags": [],
         "output_fields": {"k8s.ns.name": "shop", "k8s.pod.name": "api-1"}}  # fmt: skip


@pytest.fixture
def client(session: Session, put: Any) -> Iterator[TestClient]:
    put({"Findings": [asff("A.1", instance(1), tags={"env": "prod"})
                      | {"Title": "=HYPERLINK(\"http://evil\")"}]})  # fmt: skip
    put(trivy(vulnerability()))
    with TestClient(create_app(session, "the-token")) as opened:
        yield opened


def test_signals_reach_the_inbox(client: TestClient, session: Session) -> None:
    event = guardduty(f"i-{1:017x}")["Findings"][0]
    wrapped = {"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "detail": event}
    assert client.post("/api/v1/signals", json=event).status_code == 401
    told = client.post("/api/v1/webhooks/eventbridge", json=wrapped, headers=GOOD)
    assert told.status_code == 202 and told.json()["files"][0]["records"]["signals"] == 1
    assert session.issues("risk.attacked:yes")["total"] == 1
    assert client.post("/api/v1/webhooks/falco", json=FALCO, headers=GOOD).status_code == 202
    assert (
        client.post("/api/v1/webhooks/falcosidekick", json=FALCO, headers=GOOD).status_code == 202
    )
    wrong = client.post("/api/v1/webhooks/ocsf", json=FALCO, headers=GOOD)
    assert wrong.status_code == 400 and "falco" in wrong.json()["error"]["message"]
    assert client.post("/api/v1/webhooks/nothing", json=FALCO, headers=GOOD).status_code == 422
    assert client.post("/api/v1/signals", content=b"{", headers=GOOD).status_code == 400


def test_a_request_sent_twice_with_its_key_is_done_once(client: TestClient) -> None:
    body = json.dumps(trivy(vulnerability("CVE-2024-7777", "zlib")))
    headers = {**GOOD, "idempotency-key": "one"}
    first = client.post("/api/v1/imports?name=r/a.json", content=body, headers=headers).json()
    again = client.post("/api/v1/imports?name=r/a.json", content=body, headers=headers).json()
    assert first == again and first["files"][0]["changes"]["new"] == 1
    other = client.post("/api/v1/imports?name=r/b.json", content=body, headers=headers)
    assert other.status_code == 422 and "Idempotency-Key" in other.json()["error"]["message"]


def test_large_bodies_are_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MAX_SIGNALS", 10)
    answer = client.post("/api/v1/signals", json=FALCO, headers=GOOD)
    assert answer.status_code == 413 and answer.json()["error"]["status"] == 413


def test_exports_can_be_read_by_others(client: TestClient, session: Session) -> None:
    def export(form: str, q: str = "") -> str:
        answer = client.get("/api/v1/export", params={"format": form, "q": q})
        assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
        return answer.text

    rows = list(csv.DictReader(io.StringIO(export("csv"))))
    assert [r["id"] for r in rows] == [i["id"] for i in session.issues()["issues"]]
    assert rows[0]["title"].startswith("'=HYPERLINK")
    assert json.loads(export("json"))["issues"] == session.issues()["issues"]
    for form in ("sarif", "ocsf", "openvex", "cyclonedx-vex"):
        text = export(form)
        assert text == session.export(form)
        # We read what we write: our own connectors take it.
        name = {"sarif": "r/a.sarif", "ocsf": "r/a.jsonl"}.get(form, "r/a.json")
        entry = session.import_reports((name,), data=text.encode())["files"][0]
        assert entry["status"] == "imported", (form, entry["error"])
    assert client.get("/api/v1/export?format=xml").status_code == 422
    assert client.get("/api/v1/export?format=csv&q=nope:1").status_code == 422


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text) == "'" + text


def test_health_readiness_metrics_intel_and_etags(client: TestClient, session: Session) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").json()["status"] == "ready"
    text = client.get("/metrics").text
    assert 'secinbox_issues{severity="high",status="open"} 1' in text
    assert client.get("/api/v1/intel").json() == {"feeds": []}
    issue = session.issues()["issues"][0]["id"]
    assert client.get(f"/api/v1/issues/{issue}").headers["etag"] == '"0"'
    session.decide({"action": "comment", "issues": [issue], "text": "x"})
    assert client.get(f"/api/v1/issues/{issue}").headers["etag"] == '"1"'


def test_the_gate_closes_for_what_is_new(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Session(home, CLOCK) as session:
        session.import_reports(("r/a.json",), data=json.dumps(
            {"Findings": [asff("A.1", instance(1), tags={"env": "prod"})]}).encode())  # fmt: skip
        session.pin_clock(CLOCK)
    assert run(home, "gate", "severity:critical").returncode == 0
    closed = run(home, "gate", "severity:(critical OR high)", "--json")
    assert closed.returncode == 5 and json.loads(closed.stdout)["count"] == 1
    (tmp_path / "base.json").write_bytes(run(home, "list", "--json").stdout)
    assert run(home, "gate", "--baseline", str(tmp_path / "base.json")).returncode == 0
    assert run(home, "gate", "--since", "2026-11-19").returncode == 0
    assert run(home, "gate", "--since", "30d").returncode == 5
    (tmp_path / "base.json").write_text("[]")
    assert run(home, "gate", "--baseline", str(tmp_path / "base.json")).returncode == 2
    assert run(home, "export", "--format", "csv").stdout.startswith(b"rank,id")
