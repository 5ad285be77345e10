"""The outbox: what is to be said to other systems, at least once, each thing under one key.

A row is written in the transaction of what causes it. Whoever sends takes a row for a while first,
so that two servers do not send the same; a sender that dies lets go of it by itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from secinbox.decisions.states import stamp
from secinbox.decisions.store import DecisionStore
from secinbox.decisions.tables import NOTIFIED, OUTBOX, RECEIVED, TICKETS

LEASE = timedelta(minutes=5)
KEPT = timedelta(days=30)  # digests of what was received, and rows that were sent


@dataclass(frozen=True)
class Entry:
    """One thing to say. key: the same thing has the same key, and is said once."""

    key: str
    kind: str  # ticket, update, message
    connection: str
    subject: str
    body: Mapping[str, Any]
    rule: str = ""


def key_of(*parts: str) -> str:
    """A key from what makes a thing the same thing."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]


def queue(connection: sa.Connection, entry: Entry, now: datetime) -> bool:
    """Adds an entry inside the caller's transaction; False if its key is known."""
    known = connection.execute(sa.select(OUTBOX.c.id).where(OUTBOX.c.key == entry.key)).first()
    if known:
        return False
    connection.execute(
        OUTBOX.insert().values(
            key=entry.key, kind=entry.kind, connection=entry.connection, subject=entry.subject,
            rule=entry.rule, body=json.dumps(entry.body, sort_keys=True), next_at=stamp(now),
            created_at=stamp(now),
        )
    )  # fmt: skip
    return True


class Outbox:
    """The outbox and the tickets of a decision store."""

    def __init__(self, store: DecisionStore) -> None:
        self.store = store

    def _rows(self, wanted: sa.Select[Any]) -> list[dict[str, Any]]:
        with self.store.engine.connect() as connection:
            return [dict(row) for row in connection.execute(wanted).mappings()]

    # -- sending --------------------------------------------------------------------------

    def take(self, now: datetime) -> dict[str, Any] | None:
        """The next entry that is due, for the caller alone until the lease ends."""
        due = (
            sa.select(OUTBOX)
            .where(OUTBOX.c.state == "waiting", OUTBOX.c.next_at <= stamp(now))
            .order_by(OUTBOX.c.next_at, OUTBOX.c.id)
            .limit(1)
        )
        with self.store.writing() as connection:
            row = connection.execute(due.with_for_update(skip_locked=True)).mappings().first()
            if row is None:
                return None
            connection.execute(
                OUTBOX.update().where(OUTBOX.c.id == row["id"])
                .values(attempts=row["attempts"] + 1, next_at=stamp(now + LEASE))
            )  # fmt: skip
            return {**row, "attempts": row["attempts"] + 1, "body": json.loads(row["body"])}

    def again(
        self, row: Mapping[str, Any], at: datetime, error: str, *, tried: bool = True
    ) -> None:
        """Waits until a time; not tried: it was only delayed."""
        with self.store.writing() as connection:
            connection.execute(
                OUTBOX.update().where(OUTBOX.c.id == row["id"]).values(
                    next_at=stamp(at), error=error[:2_000],
                    attempts=row["attempts"] if tried else row["attempts"] - 1)
            )  # fmt: skip

    @staticmethod
    def sent(connection: sa.Connection, identity: int, now: datetime) -> None:
        """Marks an entry as said, inside the caller's transaction."""
        connection.execute(
            OUTBOX.update().where(OUTBOX.c.id == identity)
            .values(state="sent", done_at=stamp(now), error="")
        )  # fmt: skip

    def drop(self, subjects: set[str], now: datetime) -> None:
        """Tickets and messages that nobody has tried to send and nobody wants any more."""
        if not subjects:
            return
        with self.store.writing() as connection:
            connection.execute(
                OUTBOX.update()
                .where(OUTBOX.c.state == "waiting", OUTBOX.c.attempts == 0,
                       OUTBOX.c.subject.in_(sorted(subjects)))
                .values(state="dropped", done_at=stamp(now))
            )  # fmt: skip

    def hurry(self, now: datetime) -> None:
        """Everything that waits is due now."""
        with self.store.writing() as connection:
            connection.execute(
                OUTBOX.update()
                .where(OUTBOX.c.state == "waiting", OUTBOX.c.next_at > stamp(now))
                .values(next_at=stamp(now))
            )

    def created(self, now: datetime, *, connection: str = "", rule: str = "") -> int:
        """How many tickets or messages of a rule, or tickets of a connection, the day has had."""
        today = stamp(now)[:10]
        wanted = sa.select(sa.func.count()).select_from(OUTBOX)
        if rule:
            wanted = wanted.where(OUTBOX.c.rule == rule, OUTBOX.c.created_at >= today,
                                  OUTBOX.c.state != "dropped")  # fmt: skip
        else:
            wanted = wanted.where(OUTBOX.c.connection == connection, OUTBOX.c.kind == "ticket",
                                  OUTBOX.c.state == "sent", OUTBOX.c.done_at >= today)  # fmt: skip
        with self.store.engine.connect() as held:
            return int(held.execute(wanted).scalar() or 0)

    # -- answers --------------------------------------------------------------------------

    def waiting(self, limit: int = 1_000) -> list[dict[str, Any]]:
        """What waits, oldest first."""
        rows = self._rows(
            sa.select(OUTBOX).where(OUTBOX.c.state == "waiting").order_by(OUTBOX.c.id).limit(limit)
        )
        return [{**row, "body": json.loads(row["body"])} for row in rows]

    def counts(self) -> dict[str, int]:
        """{"waiting", "failing", "sent", "tickets"}."""
        grouped = sa.select(OUTBOX.c.state, OUTBOX.c.error != "", sa.func.count()).group_by(
            OUTBOX.c.state, OUTBOX.c.error != ""
        )
        told = {"waiting": 0, "failing": 0, "sent": 0, "tickets": 0}
        with self.store.engine.connect() as connection:
            for state, failing, count in connection.execute(grouped):
                if state in told:
                    told[state] += count
                if state == "waiting" and failing:
                    told["failing"] += count
            told["tickets"] = int(
                connection.execute(sa.select(sa.func.count()).select_from(TICKETS)).scalar() or 0
            )
        return told

    # -- tickets --------------------------------------------------------------------------

    def tickets(self, *subjects: str) -> list[dict[str, Any]]:
        """All tickets, or those of these subjects."""
        wanted = sa.select(TICKETS).order_by(TICKETS.c.subject, TICKETS.c.connection)
        if subjects:
            wanted = wanted.where(TICKETS.c.subject.in_(subjects))
        return self._rows(wanted)

    def ticket(self, connection: str, external: str) -> dict[str, Any] | None:
        """The ticket with this name in a connected system."""
        found = self._rows(
            sa.select(TICKETS).where(TICKETS.c.connection == connection,
                                     TICKETS.c.external == external)
        )  # fmt: skip
        return found[0] if found else None

    @staticmethod
    def made(connection: sa.Connection, row: Mapping[str, Any], external: str, url: str,
             now: datetime) -> None:  # fmt: skip
        """Keeps the ticket that an entry made, inside the caller's transaction."""
        same = (TICKETS.c.subject == row["subject"], TICKETS.c.connection == row["connection"])
        connection.execute(TICKETS.delete().where(*same))
        connection.execute(
            TICKETS.insert().values(
                subject=row["subject"], connection=row["connection"], external=external, url=url,
                rule=row["rule"], created_at=stamp(now), checked_at=stamp(now),
            )
        )  # fmt: skip

    @staticmethod
    def agreed(connection: sa.Connection, subject: str, name: str, **values: Any) -> None:
        """Writes down what both sides agree on, inside the caller's transaction."""
        connection.execute(
            TICKETS.update().where(TICKETS.c.subject == subject, TICKETS.c.connection == name)
            .values(**values)
        )  # fmt: skip

    # -- notifications --------------------------------------------------------------------

    def notified(self, rule: str) -> dict[str, tuple[str, str]]:
        """{subject: (what was said, when)} of a rule."""
        rows = self._rows(sa.select(NOTIFIED).where(NOTIFIED.c.rule == rule))
        return {r["subject"]: (r["said"], r["time"]) for r in rows}

    @staticmethod
    def said(connection: sa.Connection, rule: str, subject: str, text: str,
             now: datetime) -> None:  # fmt: skip
        """Writes down what a rule says of a subject; '' when it is over."""
        same = (NOTIFIED.c.rule == rule, NOTIFIED.c.subject == subject)
        connection.execute(NOTIFIED.delete().where(*same))
        connection.execute(
            NOTIFIED.insert().values(rule=rule, subject=subject, said=text, time=stamp(now))
        )

    # -- what comes in --------------------------------------------------------------------

    def taken(self, digest: str) -> bool:
        """Whether a signed message was taken before."""
        return bool(self._rows(sa.select(RECEIVED).where(RECEIVED.c.digest == digest)))

    def first_time(self, digest: str, now: datetime) -> bool:
        """Whether a signed message was not taken before; it is now."""
        with self.store.writing() as connection:
            connection.execute(RECEIVED.delete().where(RECEIVED.c.time < stamp(now - KEPT)))
            connection.execute(
                OUTBOX.delete().where(
                    OUTBOX.c.state == "dropped", OUTBOX.c.done_at < stamp(now - KEPT)
                )
            )
            added = self.store.insert(RECEIVED).values(digest=digest, time=stamp(now))
            return connection.execute(added.on_conflict_do_nothing()).rowcount == 1
