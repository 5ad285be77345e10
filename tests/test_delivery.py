"""Tickets and notifications against servers that behave like the real ones, faults included."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

from secinbox.api.app import create_app
from secinbox.decisions.outbox import Entry, Outbox, queue
from secinbox.decisions.states import DecisionError
from secinbox.decisions.store import DecisionStore
from secinbox.delivery import connections, desk, outgoing, signing
from secinbox.delivery.outgoing import Blocked, Client, OutgoingError
from secinbox.delivery.sending import pause
from secinbox.delivery.ticket import Ticket, as_markdown, as_wiki
from secinbox.session import Session
from tests.conftest import CLOCK, trivy, vulnerability
from tests.test_cli import run
from tests.test_decisions import postgres  # noqa: F401
from tests.test_triage import GOOD
from tests.ticketing import TOKEN, Systems, systems

KINDS = ("jira", "github", "gitlab", "linear", "servicenow", "webhook")
HOOK = "signs-webhooks"


class Clock:
    """The real time of the tests."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 20, 9, 0, 0)  # noqa: DTZ001

    def __call__(self) -> datetime:
        return self.time

    def later(self, **span: float) -> None:
        self.time += timedelta(**span)


@pytest.fixture
def there() -> Iterator[Systems]:
    with systems() as running:
        yield running


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    told = Clock()
    monkeypatch.setattr(desk, "real_now", told)
    monkeypatch.setattr("secinbox.decisions.cases.real_now", told)
    monkeypatch.setenv("TICKET_TOKEN", TOKEN)
    monkeypatch.setenv("TICKET_HOOK", HOOK)
    monkeypatch.setenv("SECINBOX_WEBHOOK_SECRET", HOOK)
    return told


def connect(session: Session, there: Systems, system: str, **more: Any) -> None:
    url = there.url + ("/hook" if system == "webhook" else f"/{system}")
    told = {
        "name": system, "system": system, "url": url, "secret": {"env": "TICKET_TOKEN"},
        "webhook_secret": {"env": "TICKET_HOOK"}, "timeout": 0.5, "poll_minutes": 1,
        "people": {"ann": "ann-there"}, **more,
    }  # fmt: skip
    if system != "webhook":
        told["project"] = "acme/shop" if system in ("github", "gitlab") else "SEC"
    if system in ("jira", "servicenow"):
        told["user"] = "bot@x.test"
    write(session, there, [told])


def write(session: Session, there: Systems, told: list[dict[str, Any]], **more: Any) -> None:
    hosts = [there.url.removeprefix("http://")]
    text = yaml.safe_dump({"connections": told, "allow_hosts": hosts, **more})
    (session.home / "connections.yaml").write_text(text)


def name(ticket: Any) -> str:
    """The check that a ticket, a message or an entry is about."""
    text: str = ticket["title"]
    return re.search(r"pack-\d", text).group()  # type: ignore[union-attr]


def rule(session: Session, connection: str, **more: Any) -> None:
    session.automation.apply([{"kind": "ticket", "name": "Tickets", "id": "tickets",
                               "connection": connection, "query": "type:container_image_vulnerability", **more}], "me")  # fmt: skip


@pytest.fixture
def estate(session: Session, put: Callable[..., Any]) -> Callable[..., None]:
    """Reports that an image has these packages to mend; what it has no more is fixed."""
    session.automation.apply([{"kind": "inbox", "name": "All"}], "me")

    def report(*numbers: int, day: int = 18, worse: int = 0) -> None:
        rows = [vulnerability(f"CVE-2024-000{n}", f"pack-{n}", "CRITICAL" if n == worse else "HIGH")
                for n in numbers]  # fmt: skip
        told = put(trivy(*rows, created=f"2026-11-{day}T10:00:00Z"), name=f"r/{day}.json")
        assert told["status"] == "imported"

    return report


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


# -- notifications ----------------------------------------------------------------------------


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


# -- where it may go --------------------------------------------------------------------------


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200",
    "0.0.0.0", "224.0.0.1", "168.63.129.16", "::1", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1",
    "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "255.255.255.255", "::",
])  # fmt: skip
def test_addresses_inside_are_refused(address: str) -> None:
    shown = f"[{address}]" if ":" in address else address
    with pytest.raises(Blocked):
        Client().send("GET", f"https://{shown}/")
    assert not outgoing.open_to_all(address)


@pytest.mark.parametrize("url", [
    "http://example.com/", "ftp://example.com/", "https://user:pass@example.com/", "file:///etc/passwd",
    "https:///x", "gopher://127.0.0.1/", "https://example.com:x/",
])  # fmt: skip
def test_only_https_without_credentials(url: str) -> None:
    with pytest.raises(Blocked):
        Client().checked(url)


def test_public_addresses_are_open() -> None:
    assert outgoing.open_to_all("93.184.216.34") and outgoing.open_to_all("2606:4700::1111")


def test_a_name_with_one_closed_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *a, **k: found)
    with pytest.raises(Blocked, match="not public"):
        Client().send("GET", "https://rebinding.test/")


def test_the_connection_goes_to_the_address_that_was_checked(
    there: Systems, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers differently a moment later leads nowhere else."""
    port = int(there.url.rpartition(":")[2])
    asked: list[str] = []
    dialled: list[Any] = []
    genuine = outgoing.socket.create_connection
    genuine_lookup, address_of_server = outgoing.socket.getaddrinfo, "127.0.0.1"

    def resolve(host: str, *_: Any, **__: Any) -> Any:
        if host == address_of_server:  # the socket library resolves a number, too
            return genuine_lookup(host, *_, **__)
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(0, 0, 0, "", (address, port))]

    def dial(address: Any, *rest: Any) -> Any:
        dialled.append(address)
        return genuine(("127.0.0.1", port), *rest) if address[0] == "93.184.216.34" else None

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolve)
    monkeypatch.setattr(outgoing.socket, "create_connection", dial)
    with pytest.raises(
        OutgoingError
    ):  # no TLS there: it does not get further than the checked address
        Client(timeout=0.5).send("GET", f"https://rebinding.test:{port}/")
    assert dialled == [("93.184.216.34", port)] and asked == ["rebinding.test"]


def test_a_redirect_is_not_followed(there: Systems) -> None:
    client = Client([there.url.removeprefix("http://")])
    with pytest.raises(OutgoingError, match="redirect"):
        client.send("GET", f"{there.url}/elsewhere")
    assert len(there.requests) == 1


def test_an_answer_is_bounded_in_size_and_time(there: Systems, monkeypatch: Any) -> None:
    client = Client([there.url.removeprefix("http://")], timeout=0.4)
    monkeypatch.setattr(outgoing, "MAX_ANSWER", 10)
    with pytest.raises(OutgoingError, match="too large"):
        client.send("POST", f"{there.url}/hook", headers={"idempotency-key": "k"}, body=b"{}")
    there.faults = ["hang"]
    start = time.monotonic()
    with pytest.raises(OutgoingError) as caught:
        client.send("GET", f"{there.url}/hook")
    assert time.monotonic() - start < 2 and caught.value.done_perhaps


# -- the file ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("item", "message"), [
    ({"name": "a", "system": "jira"}, "needs url, project, secret"),
    ({"name": "a", "system": "nothing"}, "system is one of: apprise, github"),
    ({"name": "A b", "system": "github"}, "name is made of"),
    ({"name": "a", "system": "github", "token": "x"}, "allowed: name, system"),
    ({"name": "a", "system": "github", "project": "o/r", "secret": {"env": "A", "file": "b"}},
     "by env or by file"),
    ({"name": "a", "system": "github", "project": "o/r", "secret": {"env": "A"},
      "options": {"x": "y"}}, "unknown options x; allowed: label"),
    ({"name": "a", "system": "github", "project": "o/r", "secret": {"env": "A"},
      "url": "https://u:p@x.test"}, "without name or password"),
    ({"name": "a", "system": "github", "project": "o/r", "secret": {"env": "A"},
      "daily_limit": 0}, "daily_limit"),
])  # fmt: skip
def test_a_wrong_file_says_what_is_wrong(
    item: dict[str, Any], message: str, session: Session, there: Systems
) -> None:
    write(session, there, [item])
    with pytest.raises(DecisionError, match=message):
        connections.load(session.home)


def test_missing_and_open_secrets_are_told(
    session: Session, there: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(TOKEN)
    secret.chmod(0o644)
    write(session, there, [
        {"name": "a", "system": "github", "project": "o/r", "secret": {"env": "NOT_SET_HERE"}},
        {"name": "b", "system": "github", "project": "o/r", "secret": {"file": str(secret)}},
    ])  # fmt: skip
    told = connections.faults(connections.load(session.home))
    assert "NOT_SET_HERE is empty" in told[0] and "everybody can read" in told[1]


def test_hostile_text_does_not_act_in_tickets() -> None:
    bad = "](https://evil.test) @everyone #1 <img src=x> **b** `c` [~admin] {code}\r\n# head\u202e"
    ticket = Ticket("key", bad, (("Package", bad),), (bad,))
    text = re.sub(r"\\.", "", as_markdown(ticket).replace("\u200b", ""))  # what is left acts
    assert not re.search(r"[\[\]`]|<img|^# head|\*\*b", text, re.MULTILINE)
    assert "@everyone" not in as_markdown(ticket)
    assert "\\[\\~admin\\]" in as_wiki(ticket).replace("\u200b", "")
    assert "\u202e" not in as_markdown(ticket) + as_wiki(ticket)


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
