"""Tickets against servers that behave like the real ones, faults included."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from secinbox.api.app import create_app
from secinbox.decisions.outbox import Entry, Outbox, queue
from secinbox.decisions.store import DecisionStore
from secinbox.delivery import signing
from secinbox.delivery.outgoing import OutgoingError
from secinbox.delivery.sending import pause
from secinbox.session import Session
from tests.conftest import CLOCK, trivy, vulnerability
from tests.delivery.connecting import HOOK, KINDS, Clock, connect, name, rule
from tests.test_cli import run
from tests.test_decisions import postgres  # noqa: F401
from tests.test_triage import GOOD
from tests.ticketing import TOKEN, Systems

# -- every system, through its life ---------------------------------------------------------------


@pytest.mark.parametrize("system", KINDS)
def test_one_ticket_an_issue_that_closes_and_reopens_with_the_findings(
    system: str, session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1, 2)
    connect(session, there, system)
    rule(session, system)
    assert session.delivery.send()["sent"] == 2
    assert len(there.tickets) == 2
    assert {name(t) for t in there.tickets.values()} == {"pack-1", "pack-2"}
    clock.later(minutes=5)
    told = session.delivery.send()  # nothing changed: nothing is said
    assert told["queued"] == told["sent"] == 0 and len(there.tickets) == 2
    shown = session.show("1")["tickets"]
    assert shown[0]["status"] == "open" and shown[0]["connection"] == system

    estate(2, day=19)  # the first is fixed
    clock.later(minutes=5)
    assert session.delivery.send()["sent"] == 1
    closed = {name(t): t["status"] for t in there.tickets.values()}
    assert closed == {"pack-1": "closed", "pack-2": "open"}

    estate(1, 2, day=20)
    clock.later(minutes=5)
    session.delivery.send()
    assert {t["status"] for t in there.tickets.values()} == {"open"} and len(there.tickets) == 2


@pytest.mark.parametrize("system", [k for k in KINDS if k != "webhook"])
def test_status_and_assignee_go_both_ways(
    system: str, session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1)
    connect(session, there, system)
    rule(session, system)
    session.delivery.send()
    (ticket,) = there.tickets.values()
    issue = session.issues()["issues"][0]["id"]

    session.decide({"action": "status", "status": "in_progress", "issues": [issue]}, "bob")
    session.decide({"action": "assign", "assignee": "ann", "issues": [issue]}, "bob")
    clock.later(minutes=5)
    session.delivery.send()
    assert ticket["assignee"] == "ann-there"
    working = ticket["status"] == "in_progress" or "in progress" in ticket.get("labels", [])
    assert working

    ticket["status"] = "closed"  # somebody closes it there
    clock.later(minutes=5)
    told = session.delivery.send()
    assert told["changed"] == 1 and told["queued"] == 0
    shown = session.show(issue)
    assert shown["status"] == "resolved" and shown["timeline"][-1]["actor"] == f"ticket:{system}"

    ticket |= {"status": "open", "assignee": "zoe"}
    ticket["labels"] = [n for n in ticket.get("labels", []) if n != "in progress"]
    clock.later(minutes=5)
    session.delivery.send()
    shown = session.show(issue)
    assert (shown["status"], shown["assignee"]) == ("open", "zoe")
    clock.later(minutes=5)
    requests = [r for r in there.requests if r[0] != "GET"]
    assert session.delivery.send()["queued"] == 0  # no echo
    assert [r for r in there.requests if r[0] != "GET" and system != "linear"] == (
        requests if system != "linear" else []
    )


@pytest.mark.parametrize("system", KINDS)
def test_a_line_that_breaks_after_the_ticket_was_made_makes_no_second(
    system: str, session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1)
    connect(session, there, system)
    rule(session, system)
    there.faults = ["lost"]
    assert session.delivery.send()["failed"] == 1
    assert len(there.tickets) == 1 and not session.delivery.outbox.tickets()
    assert session.delivery.send()["sent"] == 0  # it waits
    clock.later(seconds=40)
    assert session.delivery.send()["sent"] == 1
    assert len(there.tickets) == 1 and len(session.delivery.outbox.tickets()) == 1


# -- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "earliest", "latest"),
    [("reset", 30, 36), ("hang", 30, 36), ((500, {}), 30, 36), ((429, {"retry-after": "90"}), 90, 90),
     ((429, {"retry-after": "Fri, 20 Nov 2026 09:00:00 GMT"}), 1, 1), ((503, {}), 30, 36),
     ((403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}), 1, 1),
     ((400, {}), 3_600, 3_600), ((302, {}), 3_600, 3_600)],
)  # fmt: skip
def test_faults_wait_and_are_visible(
    fault: Any, earliest: int, latest: int, session: Session, there: Systems, clock: Clock,
    estate: Callable[..., None],
) -> None:  # fmt: skip
    estate(1)
    connect(session, there, "github")
    rule(session, "github")
    there.faults = [fault]
    assert session.delivery.send()["failed"] == 1
    (entry,) = session.delivery.standing()["waiting"]
    assert entry["attempts"] == 1 and entry["error"] and TOKEN not in entry["error"]
    waits = datetime.fromisoformat(entry["next_at"]).replace(tzinfo=None) - clock.time
    assert earliest - 1 <= waits.total_seconds() <= latest
    (check,) = [c for c in session.doctor()["checks"] if c["check"] == "tickets and notifications"]
    assert not check["ok"] and "github" in check["text"]
    assert session.delivery.outbox.counts()["failing"] == 1
    clock.time += waits
    assert session.delivery.send()["sent"] == 1 and len(there.tickets) == 1
    (check,) = [c for c in session.doctor()["checks"] if c["check"] == "tickets and notifications"]
    assert check["ok"]


def test_waiting_grows_and_ends_growing() -> None:
    spans = [pause(n, OutgoingError("x")).total_seconds() for n in range(1, 40)]
    assert 30 <= spans[0] <= 36 and 60 <= spans[1] <= 72
    assert max(spans) <= 6 * 3_600 * 1.2 and min(spans[12:]) >= 6 * 3_600


def test_daily_limits_delay_and_drop_nothing(
    session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1, 2, 3, 4, 5)
    connect(session, there, "jira", daily_limit=3)
    rule(session, "jira", daily_limit=2)
    told = session.delivery.send()
    assert (told["sent"], told["delayed"]) == (2, 3)
    assert session.delivery.preview()["delayed"] == {"tickets": 3}
    first = {t["title"] for t in there.tickets.values()}
    assert first == {i["title"] for i in session.issues()["issues"][:2]}  # first things first
    clock.later(days=1)
    assert session.delivery.send()["sent"] == 2
    rule(session, "jira", daily_limit=50)
    clock.later(days=1)
    session.delivery.send()
    assert len(there.tickets) == 5
    # The limit of the connection holds for tickets that people ask for, too.
    connect(session, there, "jira", daily_limit=1)
    with session.delivery.outbox.store.writing() as held:
        queue(held, Entry("k1", "ticket", "jira", "case:1", {"title": "one"}), clock.time)
    assert session.delivery.send()["delayed"] == 1 and len(there.tickets) == 5
    clock.later(days=1)
    assert session.delivery.send()["sent"] == 1 and len(there.tickets) == 6


def test_what_is_fixed_before_it_was_sent_is_not_sent(
    session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1)
    connect(session, there, "jira")
    rule(session, "jira")
    session.delivery.plan()
    assert session.delivery.outbox.counts()["waiting"] == 1
    estate(day=19)
    assert session.delivery.send()["sent"] == 0 and not there.tickets


def test_an_empty_home_closes_nothing(
    session: Session, there: Systems, clock: Clock, estate: Callable[..., None], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    estate(1)
    connect(session, there, "jira")
    rule(session, "jira")
    session.delivery.send()
    url = f"sqlite:///{session.home}/decisions.sqlite"
    monkeypatch.setenv("SECINBOX_DATABASE", url)
    with Session(tmp_path / "new", CLOCK) as fresh:  # the same decisions, no facts yet
        (fresh.home / "connections.yaml").write_bytes(
            (session.home / "connections.yaml").read_bytes()
        )
        clock.later(minutes=5)
        assert fresh.delivery.send()["queued"] == 0
    assert [t["status"] for t in there.tickets.values()] == ["open"]


def test_two_senders_do_not_send_the_same(tmp_path: Path) -> None:
    _once_each(DecisionStore(tmp_path))


def test_two_senders_do_not_send_the_same_on_postgresql(postgres: str, tmp_path: Path) -> None:  # noqa: F811
    _once_each(DecisionStore(tmp_path, postgres))


def _once_each(store: DecisionStore) -> None:
    import threading

    now = datetime(2026, 11, 20)  # noqa: DTZ001
    outbox = Outbox(store)
    with store.writing() as held:
        for n in range(40):
            assert queue(held, Entry(f"k{n}", "message", "", f"s{n}", {}), now)
        assert not queue(held, Entry("k1", "message", "", "s", {}), now)
    taken: list[int] = []

    def work() -> None:
        while row := outbox.take(now):
            taken.append(row["id"])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(set(taken)) == 40
    # Whoever took them died: they come back when the lease is over.
    assert outbox.take(now) is None
    assert outbox.take(now + timedelta(minutes=6)) is not None
    store.close()


# -- webhooks of the other side ---------------------------------------------------------------


def headers_of(system: str, body: bytes, secret: str = HOOK) -> dict[str, str]:
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "jira": {"X-Hub-Signature": f"sha256={mac}"},
        "github": {"X-Hub-Signature-256": f"sha256={mac}"},
        "gitlab": {"X-Gitlab-Token": secret, "X-Gitlab-Event-UUID": mac},
        "linear": {"Linear-Signature": mac},
        "servicenow": signing.signed(secret, body),
        "webhook": signing.signed(secret, body),
    }[system]


def event(system: str, external: str, moment: float) -> bytes:
    number = external.rpartition("#")[2]
    return json.dumps({
        "jira": {"issue": {"key": external}},
        "github": {"repository": {"full_name": "acme/shop"}, "issue": {"number": number}},
        "gitlab": {"project": {"path_with_namespace": "acme/shop"},
                   "object_attributes": {"iid": number}},
        "linear": {"data": {"id": external}, "webhookTimestamp": int(moment * 1000)},
        "servicenow": {"sys_id": external},
        "webhook": {"id": external, "status": "closed"},
    }[system] | {"at": moment}).encode()  # fmt: skip


@pytest.mark.parametrize("system", KINDS)
def test_a_signed_webhook_is_taken_once(
    system: str, session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1)
    connect(session, there, system)
    rule(session, system)
    session.delivery.send()
    (held,) = session.delivery.outbox.tickets()
    issue = session.issues()["issues"][0]["id"]
    (ticket,) = there.tickets.values()
    ticket["status"] = "closed"
    body = event(system, held["external"], time.time())
    good = headers_of(system, body)
    with TestClient(create_app(session, "the-token")) as client:
        path = f"/api/v1/tickets/{system}"
        assert client.post(path, content=body).status_code == 401
        wrong = headers_of(system, body, "another")
        assert client.post(path, content=body, headers=wrong).status_code == 401
        assert client.post("/api/v1/tickets/nobody", content=body, headers=good).status_code == 401
        assert session.show(issue)["status"] == "open"
        assert client.post(path, content=body, headers=good).status_code == 202
        assert session.show(issue)["status"] == "resolved"
        again = client.post(path, content=body, headers=good)
        assert again.status_code == 200 and again.json() == {"status": "known"}
        if system in ("servicenow", "webhook", "linear"):  # these say when
            old = event(system, held["external"], time.time() - 3_600)
            signed = headers_of(system, old)
            if system != "linear":
                moment = str(int(time.time()) - 3_600)
                signed = {signing.TIME: moment,
                          signing.SIGNATURE: signing.signature(HOOK, moment, old)}  # fmt: skip
            assert client.post(path, content=old, headers=signed).status_code == 401
        if system != "gitlab":  # it signs nothing but shows a token
            assert client.post(path, content=body + b" ", headers=good).status_code == 401


# -- tickets that people ask for ---------------------------------------------------------------


def test_the_public_api_makes_real_tickets(
    session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1)
    connect(session, there, "jira")
    finding = session.findings()["findings"][0]["id"]
    body = {"data": [{"type": "jira_issues", "attributes": {"title": "Look", "fields": {"p": "1"}},
                      "relationships": {
                          "findings": {"data": [{"type": "findings", "id": finding}]},
                          "project": {"data": {"type": "projects", "id": "x"}}}}]}  # fmt: skip
    with TestClient(create_app(session, "the-token")) as client:
        path = "/api/v2/security/findings/jira_issues"
        told = client.post(path, json=body, headers=GOOD).json()["data"][0]
        assert told["attributes"]["jira_issue"] == {"status": "IN_PROGRESS"}
        there.faults = ["lost"]
        session.delivery.send()
        clock.later(minutes=1)
        session.delivery.send()
        (ticket,) = there.tickets.values()
        assert ticket["title"] == "Look" and ticket["fields"]["p"] == "1"
        found = client.get("/api/v2/security/findings", headers=GOOD).json()["data"][0]
        case = found["attributes"]["attributes"]["workflow"]["integrations"]["cases"][0]
        assert case["jira_issue"]["url"].endswith("/browse/SEC-1")
    estate(day=19)
    clock.later(minutes=5)
    session.delivery.send()
    assert ticket["status"] == "closed"


# -- faces ------------------------------------------------------------------------------------


def test_the_command_line_and_the_server_deliver(
    tmp_path: Path, there: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import subprocess
    import sys

    from tests.conftest import ROOT
    from tests.test_cli import ENV

    monkeypatch.setitem(ENV, "TICKET_TOKEN", TOKEN)
    monkeypatch.setitem(ENV, "TICKET_HOOK", HOOK)
    home = tmp_path / "home"
    with Session(home, CLOCK) as session:
        report = trivy(vulnerability("CVE-2024-0001", "pack-1"))
        session.automation.apply([{"kind": "inbox", "name": "All"}], "me")
        session.import_reports(("r/a.json",), data=json.dumps(report).encode())
        connect(session, there, "jira")
        rule(session, "jira")
        session.pin_clock(CLOCK)
    told = run(home, "deliver", "--dry-run", "--json")
    assert [name(e) for e in json.loads(told.stdout)["entries"]] == ["pack-1"]
    assert not there.tickets
    there.faults = [(500, {})]
    assert run(home, "deliver").returncode == 4
    server = subprocess.Popen(
        [sys.executable, "-m", "secinbox", "--home", str(home), "serve", "--port", "0"],
        stderr=subprocess.PIPE, cwd=ROOT, env=ENV,
    )  # fmt: skip
    try:
        assert server.stderr is not None and b"http://" in server.stderr.readline()
        again = json.loads(run(home, "deliver", "--now", "--json").stdout)
        assert again["sent"] + len(there.tickets) >= 1 and len(there.tickets) == 1
        assert (home / "server.json").exists() and os.stat(home).st_mode & 0o077 == 0
    finally:
        server.terminate()
        server.wait(60)
        server.stderr.close()
    assert server.returncode == 0


def test_the_thread_of_a_server_sends_by_itself(
    session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    import threading

    estate(1)
    connect(session, there, "jira")
    rule(session, "jira")
    thread = threading.Thread(target=session.delivery.work)
    thread.start()
    deadline = time.monotonic() + 30
    while not there.tickets and time.monotonic() < deadline:
        time.sleep(0.05)
    (session.home / "connections.yaml").write_text("connections: 3")
    session.delivery.wake()
    while not session.delivery.problem and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "connections is a list" in session.delivery.problem
    session.delivery.stop()
    thread.join(30)
    assert len(there.tickets) == 1 and not thread.is_alive()
