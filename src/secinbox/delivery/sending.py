"""Sending what waits in the outbox: each thing until it was taken, at the pace the other side asks."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from secinbox.decisions.outbox import Outbox
from secinbox.decisions.states import DecisionError
from secinbox.delivery.connections import WEBHOOK_SECRET, Connection, Connections, Secret, module
from secinbox.delivery.outgoing import Client, OutgoingError
from secinbox.delivery.planning import CASE
from secinbox.delivery.ticket import There, Ticket

FIRST, LONGEST = timedelta(seconds=30), timedelta(hours=6)
PERMANENT = timedelta(hours=1)  # what the same request will not mend waits for a person
MAX_WAIT = timedelta(days=1)
TEXTS = {
    "closed": "secinbox: no finding of this is open any more.",
    "open": "secinbox: findings of this are open.",
    "in_progress": "secinbox: somebody is working on it.",
}


def pause(attempts: int, error: Exception) -> timedelta:
    """How long to wait after this many attempts."""
    if isinstance(error, OutgoingError) and error.wait is not None:
        return min(max(timedelta(seconds=error.wait), timedelta(seconds=1)), MAX_WAIT)
    if isinstance(error, DecisionError) or getattr(error, "permanent", False):
        return PERMANENT
    grown = FIRST * float(2 ** min(attempts - 1, 20))
    # Not all at once when the other side is back.
    return min(grown, LONGEST) * random.uniform(1.0, 1.2)  # noqa: S311 - no secret hangs on it


class Sender:
    """Sends for one home."""

    def __init__(
        self, outbox: Outbox, connections: Connections, now: Callable[[], datetime]
    ) -> None:
        self.outbox = outbox
        self.connections = connections
        self.now = now

    def client(self, connection: Connection) -> Client:
        """How requests of a connection are made."""
        return Client(self.connections.allow_hosts, connection.timeout)

    def drain(self, most: int = 1_000) -> dict[str, int]:
        """Sends what is due. {"sent", "failed", "delayed"}."""
        told = {"sent": 0, "failed": 0, "delayed": 0}
        for _ in range(most):
            row = self.outbox.take(self.now())
            if row is None:
                break
            told[self._one(row)] += 1
        return told

    def _one(self, row: dict[str, Any]) -> str:
        try:
            connection = self._connection(row)
            if row["kind"] == "ticket":
                had = self.outbox.created(self.now(), connection=connection.name)
                if had >= connection.daily_limit:
                    tomorrow = self.now().replace(hour=0, minute=0, second=0) + timedelta(days=1)
                    text = f"the daily limit of {connection.daily_limit} tickets is reached"
                    self.outbox.again(row, tomorrow, text, tried=False)
                    return "delayed"
                self._ticket(connection, row)
            elif row["kind"] == "update":
                self._update(connection, row)
            else:
                self._message(connection, row)
        except (OutgoingError, DecisionError) as error:
            self.outbox.again(row, self.now() + pause(row["attempts"], error), str(error))
            return "failed"
        except (KeyError, TypeError, ValueError, IndexError) as error:
            text = f"an answer of another shape than expected: {type(error).__name__} {error}"
            self.outbox.again(row, self.now() + pause(row["attempts"], error), text)
            return "failed"
        return "sent"

    def _connection(self, row: dict[str, Any]) -> Connection:
        if row["connection"]:
            return self.connections.named(row["connection"])
        return Connection(name="webhook", system="webhook", url=row["body"]["webhook"],
                          secret=Secret(env=WEBHOOK_SECRET))  # fmt: skip

    def _ticket(self, connection: Connection, row: dict[str, Any]) -> None:
        body = row["body"]
        ticket = Ticket(
            row["key"], body["title"], tuple((a, b) for a, b in body.get("facts", ())),
            tuple(body.get("resources", ())), body.get("link", ""), body.get("severity", "unknown"),
            body.get("project", ""), connection.theirs(body.get("assignee", "")),
            body.get("fields", {}), row["created_at"],
        )  # fmt: skip
        code = module(connection.system)
        made = code.create(self.client(connection), connection, ticket, again=row["attempts"] > 1)
        with self.outbox.store.writing() as held:
            self.outbox.made(held, row, made.external, made.url, self.now())
            if ticket.assignee:
                self.outbox.agreed(held, row["subject"], connection.name,
                                   assignee=body.get("assignee", ""))  # fmt: skip
            if row["subject"].startswith(CASE):
                from secinbox.decisions.cases import Cases

                Cases.followed(held, row["subject"].removeprefix(CASE), made.url)
            self.outbox.sent(held, row["id"], self.now())

    def _update(self, connection: Connection, row: dict[str, Any]) -> None:
        body = row["body"]
        wanted = There(body["status"], connection.theirs(body["assignee"]))
        code = module(connection.system)
        code.change(self.client(connection), connection, body["external"], wanted,
                    TEXTS[wanted.status])  # fmt: skip
        known = next(t for t in self.outbox.tickets(row["subject"])
                     if t["connection"] == connection.name)  # fmt: skip
        values: dict[str, Any] = {"status": wanted.status, "updates": known["updates"] + 1}
        if wanted.assignee:
            values["assignee"] = body["assignee"]
        with self.outbox.store.writing() as held:
            self.outbox.agreed(held, row["subject"], connection.name, **values)
            self.outbox.sent(held, row["id"], self.now())

    def _message(self, connection: Connection, row: dict[str, Any]) -> None:
        message = {k: v for k, v in row["body"].items() if k != "webhook"}
        module(connection.system).say(self.client(connection), connection, row["key"], message)
        with self.outbox.store.writing() as held:
            self.outbox.sent(held, row["id"], self.now())
