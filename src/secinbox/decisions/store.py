"""Decisions: what people and rules decided. Small, transactional and precious.

SQLite in WAL mode by default, PostgreSQL by URL. Every change is an event in an append-only
timeline; the present state of a subject is kept beside it in the same transaction. Subjects are
issues, findings, a rule on a resource, and queries; their keys are fingerprints or texts, so
decisions outlive re-imports and rebuilds.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from secinbox.decisions.states import (
    EMPTY,
    Change,
    Conflict,
    DecisionError,
    Subject,
    action_for,
    next_status,
    stamp,
)
from secinbox.decisions.tables import MIGRATIONS, SCHEMA, STATES, TIMELINE

_MAX_LABELS = 50


def real_now() -> datetime:
    """The real time (UTC, naive), whatever day the inbox shows."""
    return datetime.now(UTC).replace(tzinfo=None)


@dataclass
class Outcome:
    """What came of a decision on several subjects: done and failed, each by key."""

    batch: str
    done: dict[str, dict[str, Any]] = field(default_factory=dict)
    failed: dict[str, DecisionError] = field(default_factory=dict)


class DecisionStore:
    """The decisions of one home (`decisions.sqlite`) or of a database URL."""

    def __init__(self, home: Path, url: str = "") -> None:
        if url.startswith("postgresql://"):
            url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        self.engine = sa.create_engine(
            url or f"sqlite:///{home / 'decisions.sqlite'}", pool_pre_ping=bool(url)
        )
        self.sqlite = self.engine.dialect.name == "sqlite"
        self._known: dict[str, Any] = {}
        # SQLite lets who waits for its turn sleep for up to a tenth of a second: threads of this
        # process wait for each other here, and are woken at once.
        self._turn = threading.RLock() if self.sqlite else nullcontext()
        if self.sqlite:
            sa.event.listen(self.engine, "connect", _careful)
            sa.event.listen(self.engine, "begin", _begin)
        with self.writing() as connection:
            if not self.sqlite:  # two servers that start at once
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(734120)"))
            SCHEMA.metadata.create_all(connection)
            version = connection.execute(sa.select(sa.func.max(SCHEMA.c.version))).scalar() or 0
            if version > len(MIGRATIONS):
                raise DecisionError(
                    f"the decisions were written by a newer secinbox (schema {version})"
                )
            for number, migrate in enumerate(MIGRATIONS[version:], version + 1):
                migrate(connection)
                connection.execute(SCHEMA.insert().values(version=number))

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction that changes; with SQLite it waits for its turn before it reads."""
        try:
            with (
                self._turn,
                self.engine.connect().execution_options(secinbox_writes=True) as connection,
                connection.begin(),
            ):
                yield connection
        finally:
            self._known = {}  # a new one: who is reading fills the old one

    def warm(self) -> None:
        """Prepares the statements of a decision, which the first one would wait for."""
        nothing = Change("comment")
        with self.writing() as connection:
            self._one(connection, Subject(""), nothing, "", real_now(), "", "")
            connection.rollback()

    def known(self, name: str, read: Callable[[sa.Connection], Any]) -> Any:
        """What `read` says, asked once until something is written.

        Other processes may write to a database server, so there it is asked each time. A file is
        written by the process that has the home; what another one writes shows in its log.
        """
        if not self.sqlite:
            with self.engine.connect() as connection:
                return read(connection)
        known, log = self._known, self._log()
        if known.get("log") != log:
            known.clear()
            known["log"] = log
        if name not in known:
            with self.engine.connect() as connection:
                known[name] = read(connection)
        return known[name]

    def _log(self) -> tuple[int, int] | None:
        """When the write-ahead log was written and how long it is."""
        try:
            told = os.stat(f"{self.engine.url.database}-wal")
        except OSError:
            return None
        return told.st_mtime_ns, told.st_size

    def decide(
        self,
        subjects: Sequence[Subject],
        change: Change,
        actor: str,
        now: datetime,
        *,
        status: str = "",
    ) -> Outcome:
        """The same change on each subject: one transaction, one event a subject that it applies to.

        status: a wanted status instead of an action. What cannot be done is told per subject.
        """
        outcome = Outcome(secrets.token_hex(8))
        with self.writing() as connection:
            for subject in subjects:
                try:
                    outcome.done[subject.key] = self._one(
                        connection, subject, change, actor, now, status, outcome.batch
                    )
                except DecisionError as error:
                    outcome.failed[subject.key] = error
        return outcome

    def _one(
        self,
        connection: sa.Connection,
        subject: Subject,
        change: Change,
        actor: str,
        now: datetime,
        wanted: str,
        batch: str,
    ) -> dict[str, Any]:
        row = self._locked(connection, subject.key)
        if subject.version is not None and subject.version != row["version"]:
            changes = self._events(connection, subject.key, after=subject.version)
            raise Conflict(
                f"it was changed by {changes[-1]['actor'] if changes else 'somebody'} in between: "
                f"version {row['version']} now, not {subject.version}",
                row["version"], changes,
            )  # fmt: skip
        before = {name: row[name] for name in EMPTY}
        awake = subject.awake and subject.judged in (None, row["version"])
        current = "open" if awake or self.asleep_no_more(row, now) else row["status"]
        if change.action == "undo":
            return self._undo(connection, subject.key, row, actor, now, batch)
        action = action_for(current, wanted) if wanted else change.action
        after = {**before, **change.fields, "status": next_status(current, action)}
        if action not in ("comment", "label"):
            after |= {"severity": subject.severity, "risks": subject.risks}
        if after["status"] != current or action == "mute":
            after["since"] = stamp(now)
        if after["status"] != "muted":
            after |= {"reason": "", "expires": "", "until_worse": False}
            after["text"] = change.text if action in ("resolve", "start") else ""
        if change.add or change.remove:
            labels = (set(json.loads(before["labels"])) | set(change.add)) - set(change.remove)
            if len(labels) > _MAX_LABELS:
                raise DecisionError(f"a thing has at most {_MAX_LABELS} labels")
            after["labels"] = json.dumps(sorted(labels))
        if action in ("assign", "due", "label") and after == before:
            raise DecisionError("nothing would change")
        return self._write(connection, subject.key, row, after, action, actor, now, batch,
                           change.text)  # fmt: skip

    @staticmethod
    def asleep_no_more(row: Any, now: datetime) -> bool:
        """A mute whose time is over."""
        return bool(row["status"] == "muted" and row["expires"] and row["expires"] <= stamp(now))

    def _undo(
        self, connection: sa.Connection, key: str, row: Any, actor: str, now: datetime, batch: str
    ) -> dict[str, Any]:
        undone = sa.select(TIMELINE.c.undoes).where(
            TIMELINE.c.subject == key, TIMELINE.c.undoes.is_not(None)
        )
        last = connection.execute(
            sa.select(TIMELINE)
            .where(
                TIMELINE.c.subject == key,
                TIMELINE.c.action.not_in(("undo", "comment")),
                TIMELINE.c.id.not_in(undone),
            )
            .order_by(TIMELINE.c.id.desc())
            .limit(1)
        ).mappings().first()  # fmt: skip
        if last is None:
            raise DecisionError("there is nothing to undo")
        after = {**EMPTY, **json.loads(last["before"])}
        return self._write(connection, key, row, after, "undo", actor, now, batch,
                           f"{last['action']} by {last['actor']}", undoes=last["id"])  # fmt: skip

    def insert(self, table: sa.Table) -> Any:
        """An insert that can leave out what is there already (`on_conflict_do_nothing`)."""
        name = "sqlite" if self.sqlite else "postgresql"
        return import_module(f"sqlalchemy.dialects.{name}").insert(table)

    def _locked(self, connection: sa.Connection, key: str) -> Any:
        connection.execute(self.insert(STATES).values(subject=key).on_conflict_do_nothing())
        return connection.execute(
            sa.select(STATES).where(STATES.c.subject == key).with_for_update()
        ).mappings().one()  # fmt: skip

    def _write(
        self,
        connection: sa.Connection,
        key: str,
        row: Any,
        after: dict[str, Any],
        action: str,
        actor: str,
        now: datetime,
        batch: str,
        text: str,
        undoes: int | None = None,
    ) -> dict[str, Any]:
        version = row["version"] + 1
        connection.execute(
            STATES.update().where(STATES.c.subject == key).values(**after, version=version)
        )
        connection.execute(
            TIMELINE.insert().values(
                time=stamp(now), actor=actor, subject=key, action=action, version=version,
                batch=batch, before=_text({n: row[n] for n in EMPTY}), after=_text(after),
                text=text, undoes=undoes,
            )
        )  # fmt: skip
        return {"version": version, **after}

    # -- answers --------------------------------------------------------------------------

    def revision(self, prefix: str = "") -> str:
        """Changes with every decision (on subjects that begin so)."""

        def read(connection: sa.Connection) -> Any:
            last = sa.select(sa.func.max(TIMELINE.c.id))
            if prefix:  # as a range: the index of subjects knows it
                subject = TIMELINE.c.subject
                last = last.where(subject >= prefix, subject < prefix + chr(0x10FFFF))
            return connection.execute(last).scalar()

        return str(self.known(f"revision {prefix}", read) or 0)

    def states(self, prefix: str = "", *, since: int | None = None) -> list[dict[str, Any]]:
        """All states of subjects of this kind, in order of subject.

        prefix: `issue:`, or `-issue:` for all others. since: only with an event after this one.
        """
        wanted = sa.select(STATES).where(STATES.c.version > 0).order_by(STATES.c.subject)
        if prefix:
            is_such = STATES.c.subject.startswith(prefix.removeprefix("-"))
            wanted = wanted.where(sa.not_(is_such) if prefix.startswith("-") else is_such)
        if since is not None:
            changed = sa.select(TIMELINE.c.subject).where(TIMELINE.c.id > since)
            wanted = wanted.where(STATES.c.subject.in_(changed))
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(wanted).mappings()]

    def states_at(self, moment: datetime) -> list[dict[str, Any]]:
        """All states as they were at a moment, from the timeline."""
        last = (
            sa.select(sa.func.max(TIMELINE.c.id))
            .where(TIMELINE.c.time <= stamp(moment), TIMELINE.c.version > 0)
            .group_by(TIMELINE.c.subject)
        )
        wanted = sa.select(TIMELINE.c.subject, TIMELINE.c.version, TIMELINE.c.after).where(
            TIMELINE.c.id.in_(last)
        )
        with self.engine.connect() as connection:
            return [{**EMPTY, **json.loads(row.after), "subject": row.subject, "version": row.version}
                    for row in connection.execute(wanted.order_by(TIMELINE.c.subject))]  # fmt: skip

    def next_wake(self, now: str) -> str:
        """The first end of a mute after a time, '' if there is none."""
        found = sa.select(sa.func.min(STATES.c.expires)).where(
            STATES.c.status == "muted", STATES.c.expires > now
        )
        with self.engine.connect() as connection:
            return str(connection.execute(found).scalar() or "")

    def state(self, key: str) -> dict[str, Any]:
        """The present state of a subject; that of one on which nothing was decided has version 0."""
        with self.engine.connect() as connection:
            row = connection.execute(
                sa.select(STATES).where(STATES.c.subject == key)
            ).mappings().first()  # fmt: skip
            return dict(row) if row else {"subject": key, **EMPTY, "version": 0}

    def timeline(self, *keys: str) -> list[dict[str, Any]]:
        """All events of these subjects, oldest first."""
        with self.engine.connect() as connection:
            return [e for key in keys for e in self._events(connection, key)]

    def batch(self, name: str) -> list[str]:
        """The subjects that one decision was about."""
        with self.engine.connect() as connection:
            return list(
                connection.execute(
                    sa.select(TIMELINE.c.subject)
                    .where(TIMELINE.c.batch == name)
                    .order_by(TIMELINE.c.id)
                ).scalars()
            )

    @staticmethod
    def _events(connection: sa.Connection, key: str, after: int = -1) -> list[dict[str, Any]]:
        rows = connection.execute(
            sa.select(TIMELINE)
            .where(TIMELINE.c.subject == key, TIMELINE.c.version > after)
            .order_by(TIMELINE.c.id)
        ).mappings()
        return [
            {
                "id": row["id"], "time": row["time"], "actor": row["actor"],
                "subject": row["subject"], "action": row["action"], "version": row["version"],
                "batch": row["batch"], "text": row["text"], "undoes": row["undoes"],
                "changes": _difference(json.loads(row["before"]), json.loads(row["after"])),
            }
            for row in rows
        ]  # fmt: skip

    def close(self) -> None:
        """Lets go of the database."""
        self.engine.dispose()


def _careful(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # what was acknowledged survives a power loss
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later cannot wait for another: take the turn now.
    writes = connection.get_execution_options().get("secinbox_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _text(state: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in state.items() if v != EMPTY[k]}, sort_keys=True)


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """{field: [old, new]}, without the bookkeeping of severity and risks."""
    old, new = {**EMPTY, **before}, {**EMPTY, **after}
    return {k: [old[k], new[k]] for k in EMPTY
            if old[k] != new[k] and k not in ("severity", "risks", "since")}  # fmt: skip
