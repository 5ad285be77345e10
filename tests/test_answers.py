"""Answers that are kept until something is written: never older than the last write."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from secinbox.facts.scope import TYPES
from secinbox.inbox.query import QueryError
from secinbox.session import KEPT_ANSWERS, Session
from tests.conftest import CLOCK
from tests.test_inbox import asff, instance


def report(*numbers: int) -> bytes:
    rows = [asff(f"R.{n}", instance(n), tags={"env": "prod"}) for n in numbers]
    return json.dumps({"Findings": rows}).encode()


@pytest.fixture
def session(tmp_path: Path) -> Any:
    with Session(tmp_path / "home", CLOCK) as opened:
        opened.import_reports(("r/a.json",), data=report(1, 2, 3))
        yield opened


def test_the_same_question_is_answered_once_until_something_is_written(session: Any) -> None:
    first = session.issues()
    assert session.issues() is first and session.facets() is session.facets()
    assert session.issues(limit=2) is not first and len(session.issues(limit=2)["issues"]) == 2
    session.import_reports(("r/b.json",), data=report(4))
    assert session.issues()["total"] == first["total"] + 1


def test_a_question_that_cannot_be_read_is_refused_each_time(session: Any) -> None:
    for _ in range(2):
        with pytest.raises(QueryError):
            session.issues("severty:high")
    assert session.issues("severity:high")["total"] >= 0


def test_every_kind_of_write_is_seen(session: Any) -> None:
    total = session.issues()["total"]
    issue = session.issues()["issues"][0]["id"]
    session.decide({"action": "assign", "issues": [issue], "assignee": "ann"})
    assert session.issues()["issues"][0]["assignee"] == "ann"
    assert session.issues("assignee:ann")["total"] == 1
    session.decide(
        {"action": "mute", "issues": [issue], "reason": "other", "expires": "2099-01-01"}
    )
    assert session.issues()["total"] == total - 1
    session.automation.switch("misconfiguration_default_rule", False, "ann")
    assert session.issues()["total"] == 0 and session.facets()["severity"] == []
    session.automation.switch("misconfiguration_default_rule", True, "ann")
    session.rebuild()
    assert session.issues()["total"] == total - 1
    session.decide({"action": "unmute", "issues": [issue]})
    assert session.issues()["total"] == total


def test_a_decision_of_another_process_is_seen(session: Any) -> None:
    from secinbox.decisions.request import read
    from secinbox.decisions.store import DecisionStore
    from secinbox.triage import decide

    issue = session.issues()["issues"][0]["id"]
    session.decide({"action": "comment", "issues": [issue], "text": "x"})
    session.issues()
    other = DecisionStore(session.home)
    with session.facts.reader() as reader:
        asked = read({"action": "assign", "issues": [issue], "assignee": "bob"})
        decide(reader, other, asked, "bob", CLOCK)
    other.close()
    assert session.issues()["issues"][0]["assignee"] == "bob"


def test_who_may_see_less_gets_an_answer_of_his_own(session: Any) -> None:
    assert session.issues()["total"] == 3
    token = TYPES.set(frozenset({"secret"}))
    try:
        assert session.issues()["total"] == 0 and session.facets()["severity"] == []
    finally:
        TYPES.reset(token)
    assert session.issues()["total"] == 3


def test_nobody_waits_for_a_change_to_read(session: Any) -> None:
    """While something changes, the inbox is what it was; whoever changed it sees it changed."""
    before = session.issues()
    busy, done, seen = threading.Event(), threading.Event(), []

    def change() -> None:
        with session.changing():
            busy.set()
            assert done.wait(30)

    writer = threading.Thread(target=change)
    writer.start()
    assert busy.wait(30)
    reader = threading.Thread(target=lambda: seen.append((session.issues(), session.findings())))
    reader.start()
    reader.join(20)
    answered = not reader.is_alive()
    done.set()
    writer.join()
    reader.join()
    assert answered and seen[0][0] is before and seen[0][1]["total"] == 3
    session.import_reports(("r/b.json",), data=report(4))
    assert session.issues()["total"] == 4


def test_answers_are_bounded_and_may_be_asked_for_by_many(session: Any) -> None:
    def ask(start: int) -> None:
        for n in range(start, start + KEPT_ANSWERS):
            found = session.issues(f"title:*{n}*")
            assert found["total"] >= 0

    threads = [threading.Thread(target=ask, args=(n * 100,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(session._answers) <= KEPT_ANSWERS
