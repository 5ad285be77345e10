"""Triage through the session, the API and the command line: what a decision does to the inbox."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from secinbox.api.app import create_app
from secinbox.decisions.states import DecisionError
from secinbox.inbox.query import QueryError
from secinbox.session import Session
from tests.conftest import CLOCK
from tests.test_cli import run
from tests.test_inbox import asff, guardduty, instance

GOOD = {"authorization": "Bearer the-token"}


@pytest.fixture
def filled(session: Session, put: Any) -> Session:
    tags = {"env": "prod", "team": "payments"}
    put({"Findings": [asff("A.1", instance(1), tags=tags), asff("A.2", instance(2), tags=tags),
                      asff("A.2", instance(3), tags=tags),
                      asff("A.3", instance(3), tags=tags, severity="CRITICAL")]})  # fmt: skip
    return session


def ids(session: Session, query: str = "") -> list[str]:
    return [i["id"] for i in session.issues(query)["issues"]]


def by_rule(session: Session, rule: str, status: str = "") -> dict[str, Any]:
    return session.issues(f"rule:{rule} {status}")["issues"][0]


def test_a_muted_issue_leaves_the_list_and_wakes_by_itself(filled: Session, tmp_path: Path) -> None:
    first = ids(filled)[0]
    told = filled.decide(
        {"action": "mute", "issues": [first], "reason": "risk_accepted", "expires": "10d"}, "ann"
    )
    assert told["done"][0]["status"] == "muted" and told["failed"] == []
    assert first not in ids(filled)
    (row,) = filled.issues("status:muted")["issues"]
    assert row["mute"] == {"reason": "risk_accepted", "expires": "2026-11-30T12:00:00Z",
                           "by": "decision"}  # fmt: skip
    filled.close()
    for day, seen in ((9, False), (11, True), (9, False)):
        with Session(tmp_path / "home", CLOCK + timedelta(days=day)) as later:
            assert (first in ids(later)) is seen
    with Session(tmp_path / "home", CLOCK) as again:
        assert again.show(first)["timeline"][0]["actor"] == "ann"


def test_until_it_gets_worse(filled: Session, put: Any) -> None:
    issue = by_rule(filled, "A.1")["id"]
    filled.decide({"action": "mute", "issues": [issue], "reason": "no_fix", "until_worse": True})
    assert issue not in ids(filled)
    put(guardduty(f"i-{1:017x}"), "signals/gd.json")  # one more detected risk
    assert issue in ids(filled)
    assert "escalated" in filled.show(issue)["flags"]
    # Awake, it may be started: the transition table sees what the inbox shows.
    told = filled.decide({"action": "status", "issues": [issue], "status": "in_progress"})
    assert told["done"][0]["status"] == "in_progress"


def test_due_dates_enter_the_order_and_become_overdue(filled: Session, tmp_path: Path) -> None:
    same = [i for i in filled.issues()["issues"] if i["severity"] == "high"]
    last = min(same, key=lambda i: (i["impacted_resources"], -i["rank"]))
    put_due = {"action": "due", "issues": [last["id"]], "due": "3d"}
    assert filled.decide(put_due)["done"][0]["due"] == "2026-11-23"
    row = filled.show(last["id"])
    assert (
        row["due"] == "2026-11-23" and row["due_by"] == "decision" and "overdue" not in row["flags"]
    )
    assert "~2026-11-23~" in filled.facts.value(
        "SELECT sort_key FROM issues WHERE id = ?", [last["id"]]
    )
    filled.close()
    with Session(tmp_path / "home", CLOCK + timedelta(days=5)) as later:
        assert ids(later, "overdue:yes") == [last["id"]]
        later.decide({"action": "due", "issues": [last["id"]], "due": ""})
        assert ids(later, "overdue:yes") == []


def test_owner_is_read_from_tags_and_assignment_is_a_decision(filled: Session) -> None:
    issue = by_rule(filled, "A.2")["id"]
    owner = filled.show(issue)["owner"]
    assert (owner["name"], owner["kind"]) == ("payments", "team") and owner["confidence"] > 0.9
    assert owner["reason"] == "tag team:payments on 2 of 2 resources"
    filled.decide({"action": "assign", "issues": [issue], "assignee": "sre",
                   "assignee_kind": "team"}, "ann")  # fmt: skip
    filled.decide({"action": "label", "issues": [issue], "add": ["q4", "pci"]}, "ann")
    row = filled.show(issue)
    assert (row["assignee"], row["assignee_kind"], row["labels"]) == ("sre", "team", ["pci", "q4"])
    assert ids(filled, "assignee:sre") == ids(filled, "label:*pci*") == [issue]


def test_owner_is_read_from_the_catalogue(session: Session, put: Any) -> None:
    put({"Findings": [asff("A.1", instance(1), tags={"env": "prod", "service": "checkout"})]})
    put(
        b"secinbox_catalogue: 1\nservices:\n- name: checkout\n  owner: payments\n",
        "catalogue/secinbox-services.yaml",
    )
    (issue,) = ids(session)
    owner = session.show(issue)["owner"]
    assert owner and owner["name"] == "payments" and "catalogue" in owner["reason"], owner


def test_a_finding_or_a_rule_on_a_resource_can_be_muted(filled: Session) -> None:
    issue = by_rule(filled, "A.2")
    assert issue["findings"] == 2
    finding = filled.findings(f"rule:A.2 resource:{instance(2)}")["findings"][0]["id"]
    filled.decide({"action": "mute", "findings": [finding], "reason": "false_positive"})
    assert by_rule(filled, "A.2")["findings"] == 1
    (muted,) = filled.findings("muted_by:*")["findings"]
    assert muted["id"] == finding and muted["muted_by"] == f"finding:{finding}"
    filled.decide({"action": "mute", "rule": "A.2", "resource": instance(3), "reason": "no_fix"})
    assert issue["id"] not in ids(filled)  # every finding is muted: so is the issue
    (row,) = filled.issues("status:muted")["issues"]
    assert row["id"] == issue["id"] and row["mute"]["by"] in (
        f"finding:{finding}", f"rule:A.2 on {instance(3)}")  # fmt: skip
    filled.decide({"action": "unmute", "rule": "A.2", "resource": instance(3)})
    assert by_rule(filled, "A.2")["findings"] == 1
    told = filled.decide({"action": "undo", "findings": [finding]})
    assert told["done"] and by_rule(filled, "A.2")["findings"] == 2


def test_a_query_mutes_what_matches_now_and_later(filled: Session, put: Any) -> None:
    told = filled.decide({"action": "mute", "matching": "team:payments rule:A.2",
                          "reason": "duplicate"})  # fmt: skip
    assert told["findings"] == 2
    assert filled.issues("rule:A.2")["total"] == 0
    put({"Findings": [asff("A.2", instance(9), tags={"env": "prod", "team": "payments"})]},
        "reports/two.json")  # fmt: skip
    assert filled.issues("rule:A.2")["total"] == 0
    with pytest.raises(QueryError):
        filled.decide({"action": "mute", "matching": "teem:x", "reason": "other"})


def test_what_was_resolved_and_is_seen_again_is_open_and_regressed(
    filled: Session, tmp_path: Path
) -> None:
    issue = by_rule(filled, "A.1")["id"]
    filled.decide({"action": "status", "issues": [issue], "status": "resolved"})
    assert issue not in ids(filled)
    filled.close()
    again = asff("A.1", instance(1), tags={"env": "prod"})
    again["UpdatedAt"] = "2026-11-22T00:00:00Z"
    with Session(tmp_path / "home", CLOCK + timedelta(days=3)) as later:
        assert issue not in ids(later)
        later.import_reports(("r/two.json",), data=json.dumps({"Findings": [again]}).encode())
        row = next(i for i in later.issues()["issues"] if i["id"] == issue)
        assert row["status"] == "open" and "regressed" in row["flags"]


def test_bulk_counts_first_and_tells_failures_item_by_item(filled: Session) -> None:
    everything = ids(filled)
    told = filled.decide({"action": "status", "query": "", "status": "resolved", "dry_run": True})
    assert told["count"] == 3 and len(told["sample"]) == 3 and ids(filled) == everything
    filled.decide({"action": "status", "issues": [everything[0]], "status": "resolved"})
    told = filled.decide(
        {"action": "status", "issues": [*everything, "nothing"], "status": "in_progress"}
    )
    assert len(told["done"]) == 2
    assert sorted(f["id"] for f in told["failed"]) == sorted([everything[0], "nothing"])
    taken_back = filled.decide({"action": "undo", "batch": told["batch"]})
    assert len(taken_back["done"]) == 2 and not filled.issues("status:in_progress")["total"]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"action": "mute", "issues": ["1"]}, "reason"),
        ({"action": "mute", "issues": ["1"], "reason": "tired"}, "tired"),
        ({"action": "mute", "issues": ["1"], "reason": "other", "expires": "soon"}, "30d"),
        ({"action": "mute", "issues": ["1"], "reason": "other", "expires": "2020-01-01"}, "past"),
        ({"action": "fly", "issues": ["1"]}, "fly"),
        ({"action": "due", "issues": ["1"]}, "due date"),
        ({"action": "comment", "text": "x"}, "exactly one"),
        ({"action": "comment", "text": "x", "issues": ["1"], "query": ""}, "exactly one"),
        ({"action": "comment", "text": "x", "issue": ["1"]}, "allowed: action"),
        ({"action": "assign", "assignee": "a\x1b[2J", "issues": ["1"]}, "printable"),
        ({"action": "due", "due": "1d", "findings": ["1"]}, "for issues"),
    ],
)
def test_bad_requests_say_what_is_allowed(filled: Session, request_: Any, said: str) -> None:
    with pytest.raises(DecisionError) as error:
        filled.decide(request_)
    assert said in str(error.value)
    assert filled.decisions.revision() == "0"


def test_the_second_editor_over_http_gets_what_changed(filled: Session) -> None:
    issue = ids(filled)[0]
    with TestClient(create_app(filled, "the-token")) as client:

        def ask(body: dict[str, Any], **headers: str) -> Any:
            return client.post("/api/v1/decisions", json=body, headers={**GOOD, **headers})

        mine = {"action": "assign", "issues": [issue], "assignee": "ann"}
        assert client.post("/api/v1/decisions", json=mine).status_code == 401
        assert ask(mine, **{"if-match": '"0"'}).status_code == 200
        late = ask({"action": "due", "issues": [issue], "due": "7d"}, **{"if-match": '"0"'})
        assert late.status_code == 409
        error = late.json()["error"]
        assert error["version"] == 1 and error["changes"][0]["changes"]["assignee"] == ["", "ann"]
        wrong = ask({"action": "status", "issues": [issue], "status": "open"})
        assert wrong.status_code == 422 and "no way to open" in wrong.json()["error"]["message"]


def test_the_command_line_decides(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "hub.json").write_text(json.dumps({"Findings": [
        asff("A.1", instance(1), tags={"env": "prod"}), asff("A.2", instance(2), tags={"env": "prod"})]}))  # fmt: skip
    assert run(home, "import", str(tmp_path / "hub.json")).returncode == 0
    first = json.loads(run(home, "list", "--json").stdout)["issues"][0]["id"]
    for words in (["assign", first, "--to", "ann"], ["due", first, "--on", "2027-01-31"],
                  ["label", first, "--add", "x"], ["comment", first, "--text", "looking"],
                  ["status", first, "--to", "in_progress"]):  # fmt: skip
        done = run(home, *words, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["done"][0]["id"] == first
    row = json.loads(run(home, "show", first, "--json").stdout)
    assert (row["assignee"], row["due"], row["labels"], row["status"], len(row["timeline"])) == (
        "ann", "2027-01-31", ["x"], "in_progress", 5)  # fmt: skip
    preview = run(home, "mute", "--query", "rule:A.2", "--reason", "other")
    assert preview.returncode == 0 and b"about 1" in preview.stderr
    assert json.loads(run(home, "list", "--json").stdout)["total"] == 2
    assert run(home, "mute", "--query", "rule:A.2", "--reason", "other", "--yes").returncode == 0
    assert json.loads(run(home, "list", "--json").stdout)["total"] == 1
    assert run(home, "mute", first, "nothing", "--reason", "other").returncode == 4
    late = run(home, "unmute", first, "--version", "1")
    assert late.returncode == 1 and b"in between" in late.stderr, late.stderr
    assert run(home, "undo", first).returncode == 0
    assert run(home, "show", first).returncode == 0
