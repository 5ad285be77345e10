"""The decision store: one transition table, undo, conflicts; the same on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from secinbox.decisions.rule import read
from secinbox.decisions.rulebook import Rulebook
from secinbox.decisions.states import (
    EMPTY,
    STATUSES,
    TRANSITIONS,
    Change,
    Conflict,
    DecisionError,
    Subject,
    next_status,
    stamp,
)
from secinbox.decisions.store import DecisionStore
from tests.conftest import CLOCK

A = Subject("issue:a", 4, 1)
_BINARIES = [shutil.which(n) for n in ("initdb", "postgres")] if shutil.which("postgres") else None
if not _BINARIES:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    _BINARIES = [str(found[-1].parent / n) for n in ("initdb", "postgres")] if found else None
if not _BINARIES:
    warnings.warn("POSTGRESQL IS NOT TESTED: no postgres binary (apt install postgresql)",
                  stacklevel=1)  # fmt: skip


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real server of our own."""
    if not _BINARIES:
        pytest.skip("NO POSTGRESQL: the decision store was tested on SQLite only")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prefix: list[str] = []
        if os.getuid() == 0:  # the server refuses to run as root
            shutil.chown(folder, "nobody", "nogroup")
            prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        made = subprocess.run([*prefix, str(_BINARIES[0]), "-D", f"{folder}/db", "-U", "postgres",
                               "-A", "trust", "-E", "UTF8", "--no-sync"], capture_output=True,
                              cwd="/")  # fmt: skip
        assert made.returncode == 0, made.stderr.decode()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen([*prefix, str(_BINARIES[1]), "-D", f"{folder}/db", "-p", str(port),
                                   "-h", "127.0.0.1", "-k", name], cwd="/",
                                  stderr=subprocess.DEVNULL)  # fmt: skip
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        for _ in range(200):
            try:
                engine.connect().close()
                break
            except sa.exc.OperationalError:
                import time

                time.sleep(0.1)
        yield url
        engine.dispose()
        server.terminate()
        server.wait(20)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DecisionStore]:
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres")
        engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA public CASCADE"))
            connection.execute(sa.text("CREATE SCHEMA public"))
        engine.dispose()
    opened = DecisionStore(tmp_path, url)
    yield opened
    opened.close()


def do(store: DecisionStore, action: str, subject: Subject = A, now: datetime = CLOCK,
       actor: str = "ann", **fields: object) -> dict[str, object]:  # fmt: skip
    """One decision; raises what kept it from being made."""
    outcome = store.decide([subject], Change(action, fields, "why"), actor, now)
    if outcome.failed:
        raise outcome.failed[subject.key]
    return outcome.done[subject.key]


def test_the_table_is_the_whole_truth(store: DecisionStore) -> None:
    actions = {a for moves in TRANSITIONS.values() for a in moves}
    for status in STATUSES:
        for action in actions:
            subject = Subject(f"issue:{status}-{action}", 4, 1)
            for step in {"in_progress": ["start"], "muted": ["mute"], "resolved": ["resolve"]}.get(
                status, []
            ):
                do(store, step, subject)
            allowed = TRANSITIONS[status].get(action)
            if allowed:
                do(store, action, subject, reason="other")
                assert store.state(subject.key)["status"] == allowed
            else:
                before = store.state(subject.key)
                with pytest.raises(DecisionError, match="allowed"):
                    do(store, action, subject)
                assert store.state(subject.key) == before


def test_a_mute_ends_by_the_clock_and_what_follows_starts_from_open(store: DecisionStore) -> None:
    later = CLOCK + timedelta(days=2)
    do(store, "mute", reason="pending_fix", expires=stamp(CLOCK + timedelta(days=1)))
    with pytest.raises(DecisionError):
        do(store, "start")
    assert store.next_wake(stamp(CLOCK)) == stamp(CLOCK + timedelta(days=1))
    do(store, "start", now=later)
    state = store.state(A.key)
    assert (state["status"], state["expires"], state["reason"]) == ("in_progress", "", "")
    assert store.next_wake(stamp(CLOCK)) == ""


def test_the_second_editor_sees_what_changed(store: DecisionStore) -> None:
    do(store, "assign", assignee="bob")
    do(store, "due", Subject(A.key, 4, 1, version=1), due="2026-12-01", actor="eve")
    with pytest.raises(Conflict) as conflict:
        do(store, "resolve", Subject(A.key, 4, 1, version=1))
    assert conflict.value.version == 2
    (event,) = conflict.value.changes
    assert (event["actor"], event["action"]) == ("eve", "due")
    assert event["changes"] == {"due": ["", "2026-12-01"]}


def test_undo_goes_back_step_by_step_and_keeps_the_timeline(store: DecisionStore) -> None:
    do(store, "assign", assignee="bob")
    do(store, "comment")
    do(store, "mute", reason="other")
    assert do(store, "undo")["status"] == "open"
    assert store.state(A.key)["assignee"] == "bob"
    assert do(store, "undo")["assignee"] == ""
    with pytest.raises(DecisionError, match="nothing to undo"):
        do(store, "undo")
    assert [e["action"] for e in store.timeline(A.key)] == [
        "assign", "comment", "mute", "undo", "undo",
    ]  # fmt: skip


def test_many_at_once_are_one_transaction_with_failures_told(store: DecisionStore) -> None:
    b, c = Subject("issue:b", 3, 0), Subject("issue:c", 3, 0)
    do(store, "resolve", b)
    outcome = store.decide([A, b, c], Change("start"), "ann", CLOCK)
    assert set(outcome.done) == {A.key, c.key} and set(outcome.failed) == {b.key}
    assert store.batch(outcome.batch) == [A.key, c.key]


def test_a_store_of_the_first_schema_keeps_its_decisions(tmp_path: Path) -> None:
    from secinbox.decisions.tables import MIGRATIONS

    engine = sa.create_engine(f"sqlite:///{tmp_path / 'decisions.sqlite'}")
    with engine.begin() as old:
        MIGRATIONS[0](old)
        old.execute(sa.text("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)"))
        old.execute(sa.text("INSERT INTO schema_version VALUES (1)"))
        old.execute(sa.text("INSERT INTO decisions (subject, status, reason, assignee, version) "
                            "VALUES ('abc', 'muted', 'other', 'bob', 3)"))  # fmt: skip
        old.execute(sa.text("INSERT INTO events (time, actor, subject, action, before, after) "
                            "VALUES ('2026-01-01T00:00:00Z', 'ann', 'abc', 'mute', '{}', '{}')"))  # fmt: skip
    engine.dispose()
    store = DecisionStore(tmp_path)
    assert (store.state("issue:abc")["assignee"], store.state("issue:abc")["version"]) == ("bob", 3)
    assert [e["actor"] for e in store.timeline("issue:abc")] == ["ann"]
    store.close()


def test_rules_keep_their_order_and_their_history(store: DecisionStore, tmp_path: Path) -> None:
    book = Rulebook(tmp_path, store)
    rules = [read({"kind": "mute", "name": f"Rule {n}", "reason": "other"}) for n in "abc"]
    book.put(rules, "ann", CLOCK)
    book.reorder("mute", ["rule-c", "rule-a", "rule-b"], "ann", CLOCK)
    assert [k.rule.id for k in book.all()] == ["rule-c", "rule-a", "rule-b"]
    with pytest.raises(DecisionError, match="every mute rule once"):
        book.reorder("mute", ["rule-c"], "ann", CLOCK)
    book.switch("rule-a", False, "ann", CLOCK)
    assert not book.one("rule-a").rule.enabled and book.one("rule-a").version == 2
    book.delete("rule-b", "ann", CLOCK)
    assert [e["action"] for e in store.timeline("automation:rule-b")] == ["rule-put", "rule-delete"]


class Life(RuleBasedStateMachine):
    """The store beside a model that is nothing but the table, a clock and a stack."""

    @initialize()
    def empty(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store = DecisionStore(Path(self.folder.name))
        self.now = CLOCK
        self.status, self.expires = "open", ""
        self.stack: list[tuple[str, str]] = []
        self.version = 0

    def effective(self) -> str:
        over = self.status == "muted" and self.expires and self.expires <= stamp(self.now)
        return "open" if over else self.status

    @rule(action=st.sampled_from(sorted({a for m in TRANSITIONS.values() for a in m})),
          days=st.integers(0, 3))  # fmt: skip
    def act(self, action: str, days: int) -> None:
        expires = stamp(self.now + timedelta(days=days)) if days and action == "mute" else ""
        fields = {"reason": "other", "expires": expires} if action == "mute" else {}
        if action not in TRANSITIONS[self.effective()]:
            with pytest.raises(DecisionError):
                do(self.store, action, now=self.now, **fields)
            return
        self.stack.append((self.status, self.expires))
        self.status, self.expires = next_status(self.effective(), action), expires
        do(self.store, action, now=self.now, **fields)
        self.version += 1

    @rule(days=st.integers(1, 4))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule()
    def undo(self) -> None:
        if not self.stack:
            with pytest.raises(DecisionError):
                do(self.store, "undo", now=self.now)
            return
        self.status, self.expires = self.stack.pop()
        do(self.store, "undo", now=self.now)
        self.version += 1

    @rule()
    def stale_editor(self) -> None:
        with pytest.raises(Conflict):
            do(self.store, "comment", Subject(A.key, 4, 1, version=self.version + 1), self.now)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "store"):
            return
        state = self.store.state(A.key)
        assert (state["status"], state["expires"]) == (self.status, self.expires)
        assert state["version"] == self.version == len(self.store.timeline(A.key))
        assert set(EMPTY) < set(state)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=30, stateful_step_count=20, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


def test_what_is_said_of_an_older_decision_does_not_bear_on_a_later_one(
    store: DecisionStore,
) -> None:
    """Who decides may have read the tables before the last decision came to them."""
    store.decide([A], Change("mute", {"status": "muted", "reason": "other"}), "ann", CLOCK)
    store.decide([A], Change("unmute"), "ann", CLOCK)
    store.decide([A], Change("mute", {"status": "muted", "reason": "other"}), "ann", CLOCK)
    stale = Subject(A.key, 4, 1, awake=True, judged=2)
    assert not store.decide([stale], Change("unmute"), "bob", CLOCK).failed
    over = Subject(A.key, 4, 1, awake=True, judged=4)
    assert store.decide([over], Change("unmute"), "bob", CLOCK).failed  # it is open


def test_getting_ready_decides_nothing(store: DecisionStore) -> None:
    store.warm()
    assert store.states() == [] and store.revision() == "0"
