"""What a server keeps of the order and of rows says what the tables say, after each decision."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secinbox.api.serving import listening
from secinbox.facts.scope import TYPES
from secinbox.inbox import issues, shelf
from secinbox.inbox.places import Places
from secinbox.session import Session
from tests.conftest import CLOCK
from tests.test_inbox import asff, instance

ISSUES = 9
QUERIES = ("", "severity:high", "status:muted", "status:open,muted,resolved", "R", "assignee:ann")
EVERY = "status:open,in_progress,muted,resolved"
PROFILES = ("severity-risks-impact", "bod-26-04", "expected-loss")
DECISIONS: tuple[dict[str, Any], ...] = (
    {"action": "mute", "reason": "other", "text": "x"},
    {"action": "unmute"},
    {"action": "status", "status": "resolved"},
    {"action": "status", "status": "open"},
    {"action": "status", "status": "in_progress"},
    {"action": "assign", "assignee": "ann"},
    {"action": "assign", "assignee": "bob"},
    {"action": "due", "due": "2026-12-01"},
    {"action": "due", "due": "2027-01-31"},
    {"action": "undo"},
)


def report(numbers: range) -> bytes:
    words = ("CRITICAL", "HIGH", "MEDIUM")
    rows = [
        asff(f"R.{n}", instance(n), tags={"env": "prod"}, severity=words[n % 3]) for n in numbers
    ]
    return json.dumps({"Findings": rows}).encode()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Session(tmp_path_factory.mktemp("places") / "home", CLOCK) as opened:
        opened.import_reports(("r/a.json",), data=report(range(ISSUES)))
        opened.automation.apply([{"kind": "inbox", "name": "All"}], "ann")
        yield opened


def answers(session: Any) -> list[Any]:
    return [
        [session.issues(query, profile=profile, limit=limit), session.facets(query)]
        for query in QUERIES
        for profile in PROFILES
        for limit in (3, 50)
    ]


def pages(session: Any, query: str, profile: str) -> list[str]:
    found, cursor = [], ""
    while cursor is not None:
        page = session.issues(query, profile=profile, limit=2, cursor=cursor)
        found += [i["id"] for i in page["issues"]]
        cursor = page["next"]
    return found


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, ISSUES - 1), st.sampled_from(DECISIONS)), max_size=6))
def test_what_is_kept_is_what_the_tables_say(session: Any, decided: Any) -> None:
    every = session.issues(EVERY, limit=50)["issues"]
    ids = sorted(i["id"] for i in every)
    assert len(ids) == ISSUES
    answers(session)
    session.warm()
    kept = Places.of(session.facts)
    for number, change in decided:
        told = session.decide({**change, "issues": [ids[number]]})
        assert told["done"] or told["failed"]
        here = answers(session)
        if told["done"]:
            assert Places.of(session.facts) is kept  # brought up to date, not made again
        listed = [pages(session, "", profile) for profile in PROFILES]
        session.facts.resident.clear()
        session._answers.clear()
        assert answers(session) == here
        assert [pages(session, "", profile) for profile in PROFILES] == listed
        session.warm()
        kept = Places.of(session.facts)


def test_a_row_read_before_a_decision_is_not_kept_after_it(session: Any) -> None:
    session.issues("severity:high")
    row = session.issues()["issues"][0]
    number = session.facts.changes
    session.decide({"action": "assign", "issues": [row["id"]], "assignee": "cleo"})
    session.rank()  # as the next one who reads does
    places = Places.of(session.facts)
    places.keep([row], number)
    assert places.rows([row["id"]]) == {}
    assert session.issues()["issues"][0]["assignee"] == "cleo"


def test_who_asks_again_gets_rows_from_memory(session: Any) -> None:
    session.facts.resident.clear()
    session._answers.clear()
    told = [session.issues(f"{EVERY} severity:{word}")["issues"] for word in ("critical", "high")]
    for thread in list(session.facts._aside):
        thread.join()
    places = Places.of(session.facts)
    shelf = places.shelf(session.facts)
    assert shelf is not None
    ids = [i["id"] for page in told for i in page]
    places._rows.clear()  # what was shown lately
    assert {r["id"] for r in places.shelved(session.facts, ids)} == set(ids)
    session._answers.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(issues, "_read", None)  # nothing is read from the tables
        again = [
            session.issues(f"{EVERY} severity:{word}")["issues"] for word in ("critical", "high")
        ]
    assert again == told


def test_of_too_many_issues_no_shelf_is_filled(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "MOST_ISSUES", ISSUES - 1)
    session.facts.resident.clear()
    session.warm()
    assert Places.of(session.facts).shelf(session.facts) is None
    assert session.issues("severity:high")["total"]


def test_whoever_sees_some_types_has_places_of_his_own(session: Any) -> None:
    session.issues("severity:high")
    mine = Places.of(session.facts)
    token = TYPES.set(frozenset({"secret"}))
    try:
        assert session.issues("severity:high")["total"] == 0
        assert Places.of(session.facts) is not mine
        assert Places.of(session.facts).rank(session.facts, "sort_key", "") == 1
    finally:
        TYPES.reset(token)


def test_what_is_read_inside_a_change_is_not_kept(session: Any) -> None:
    session.issues("severity:high")
    kept = Places.of(session.facts)
    with session.facts.transaction():
        assert Places.of(session.facts) is not kept


def test_small_answers_are_sent_at_once() -> None:
    """The event loop switches delays off for sockets whose protocol it can see."""
    with (
        listening("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as taken,
    ):
        assert taken.proto == socket.IPPROTO_TCP


def test_what_was_acknowledged_is_seen_by_all_who_read_afterwards(session: Any) -> None:
    for number, issue in enumerate(session.issues(EVERY)["issues"]):
        session.decide({"action": "assign", "issues": [issue["id"]], "assignee": f"p{number}"})
        ready = threading.Barrier(6)

        def read(person: str, ready: threading.Barrier) -> list[str]:
            ready.wait(10)
            return [i["id"] for i in session.issues(f"{EVERY} assignee:{person}")["issues"]]

        with ThreadPoolExecutor(6) as pool:
            told = list(pool.map(read, [f"p{number}"] * 6, [ready] * 6))
        assert told == [[issue["id"]]] * 6


def test_a_decision_while_something_changes_is_shown_when_it_is_acknowledged(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secinbox.session.LONGEST_WAIT", 60)
    issue = session.issues(EVERY)["issues"][0]["id"]
    held, go_on = threading.Event(), threading.Event()

    def change() -> None:
        with session.changing():
            held.set()
            go_on.wait(10)

    with ThreadPoolExecutor(3) as pool:
        changing = pool.submit(change)
        held.wait(10)
        request = {"action": "assign", "issues": [issue], "assignee": "dora"}
        deciding = pool.submit(session.decide, request)
        with pytest.raises(TimeoutError):
            deciding.result(0.3)  # acknowledged only when others can see it
        reading = pool.submit(session.issues, f"{EVERY} severity:critical")
        assert reading.result(8)["total"]  # who reads does not wait
        go_on.set()
        assert deciding.result(10)["done"]
        changing.result(10)
    assert [i["id"] for i in session.issues(f"{EVERY} assignee:dora")["issues"]] == [issue]
