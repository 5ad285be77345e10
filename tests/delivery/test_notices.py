"""Notifications and cases: one message an issue, digests, and rules that have no connection."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from secinbox.delivery import signing
from secinbox.session import Session
from tests.conftest import trivy, vulnerability
from tests.delivery.connecting import HOOK, Clock, connect, name, rule, write
from tests.test_decisions import postgres  # noqa: F401
from tests.ticketing import Systems


def notify(session: Session, **more: Any) -> None:
    session.automation.apply([{"kind": "notification", "name": "Tell", "query": "severity:>=high",
                               **more}], "me")  # fmt: skip


def test_one_message_an_issue_and_silence_while_nothing_changes(
    session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1, 2, day=17)
    connect(session, there, "webhook")
    notify(session, webhook=there.url + "/hook")
    before = session.delivery.preview()
    assert {name(e) for e in before["entries"]} == {"pack-1", "pack-2"}
    assert not there.heard and session.delivery.outbox.counts()["waiting"] == 0
    assert session.delivery.send()["sent"] == 2
    for headers, data in there.heard:
        body = json.dumps(data, sort_keys=True).encode()
        assert signing.verified(HOOK, headers, body) and data["issues"][0]["severity"] == "high"
    clock.later(days=3)
    assert session.delivery.send()["queued"] == 0
    estate(1, 2, day=18, worse=1)
    assert session.delivery.send()["sent"] == 1 and len(there.heard) == 3
    estate(2, day=19)
    session.delivery.send()
    estate(1, 2, day=20)
    clock.later(minutes=10)
    assert session.delivery.send()["sent"] == 1  # it is back: news again


def test_a_digest_an_owner_once_a_day_and_only_for_news(
    session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1, 2, 3)
    issues = [i["id"] for i in session.issues()["issues"]]
    session.decide({"action": "assign", "assignee": "ann", "issues": issues[:2]}, "me")
    connect(session, there, "webhook")
    notify(session, connection="webhook", per="owner")
    session.delivery.send()
    assert {d["title"] for _, d in there.heard} == {"2 issues of ann", "1 issue of nobody"}
    estate(1, 2, 3, 4, day=19)
    assert session.delivery.send()["queued"] == 0  # today's digest was sent
    clock.later(days=1)
    assert session.delivery.send()["sent"] == 1
    assert there.heard[-1][1]["title"] == "2 issues of nobody"
    clock.later(days=1)
    assert session.delivery.send()["queued"] == 0


def test_messages_by_apprise(
    session: Session, there: Systems, clock: Clock, estate: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    estate(1)
    host = there.url.removeprefix("http://")
    write(session, there, [{"name": "chat", "system": "apprise", "secret": {"env": "CHAT"}}])
    monkeypatch.setenv("CHAT", f"json://{host}/hook")
    monkeypatch.setattr(
        Systems, "hook", lambda self, *a: (self.heard.append(({}, a[3])), (200, {}))[1]
    )
    notify(session, connection="chat")
    assert session.delivery.send()["sent"] == 1
    assert name(there.heard[0][1]) == "pack-1"
    for address in ("json://10.0.0.1/x", "json://localhost/x", "syslog://", "dbus://"):
        monkeypatch.setenv("CHAT", address)
        estate(1, 2, 3, 4, 5, day=19)
        told = session.delivery.send(hurry=True)
        assert told["failed"] and len(there.heard) == 1


def test_rules_without_a_connection_are_a_visible_fault(
    session: Session, there: Systems, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1)
    rule(session, "nowhere")
    notify(session, connection="nowhere")
    told = session.delivery.send()
    assert told["queued"] == 0 and len(told["faults"]) == 2
    session.automation.apply([{"kind": "ticket", "name": "By target", "project": "X",
                               "target": "jira"}], "me")  # fmt: skip
    assert any(
        "no connection of the system jira" in f for f in session.delivery.preview()["faults"]
    )


def test_a_rule_without_another_system_opens_cases_here(
    session: Session, clock: Clock, estate: Callable[..., None]
) -> None:
    estate(1, 2, 3)
    session.automation.apply([{"kind": "ticket", "name": "Cases", "id": "cases", "project": "SEC",
                               "query": "package:(pack-1 OR pack-2)", "assignee": "ann",
                               "daily_limit": 1}], "me")  # fmt: skip
    told = session.delivery.preview()
    assert [(e["kind"], e["rule"]) for e in told["entries"]] == [("case", "cases")]
    assert told["delayed"] == {"cases": 1} and not told["faults"]
    assert session.delivery.send()["cases"] == 1
    assert session.delivery.send()["cases"] == 0  # the day has had its one
    clock.later(days=1)
    assert session.delivery.send()["cases"] == 1
    clock.later(days=1)
    assert session.delivery.send()["cases"] == 0  # each has its case
    shown = {i["package"]: session.show(i["id"])["tickets"] for i in session.issues()["issues"]}
    assert shown["pack-3"] == []
    assert {(t["external"], t["status"], t["assignee"])
            for p in ("pack-1", "pack-2") for t in shown[p]} == {
        ("case 1", "open", "ann"), ("case 2", "open", "ann")}  # fmt: skip
    log = session.show(session.issues("package:pack-1")["issues"][0]["id"])["timeline"]
    assert any(e["actor"] == "rule:cases" and e["action"] == "attach" for e in log)
    estate(2, 3, day=19)  # pack-1 is mended
    standing = session.delivery.cases([
        f["id"] for f in session.findings("package:pack-1 status:fixed")["findings"]])  # fmt: skip
    assert [t["status"] for t in standing] == ["closed"]


def test_a_new_finding_of_an_issue_joins_its_case(
    session: Session, clock: Clock, put: Callable[..., Any]
) -> None:
    session.automation.apply([{"kind": "inbox", "name": "All"},
                              {"kind": "ticket", "name": "Cases", "id": "cases", "project": "SEC"}], "me")  # fmt: skip
    first, second = vulnerability("CVE-2024-0001", "pack"), vulnerability("CVE-2024-0002", "pack")
    put(trivy(first, created="2026-11-17T10:00:00Z"), name="r/1.json")
    assert session.delivery.send()["cases"] == 1
    put(trivy(first, second, created="2026-11-18T10:00:00Z"), name="r/2.json")
    assert session.delivery.send()["cases"] == 1 and session.delivery.send()["cases"] == 0
    found = session.findings()["findings"]
    assert len(found) == 2
    assert len(session.delivery.cases([f["id"] for f in found])) == 1
