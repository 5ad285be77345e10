"""What changed in the other system: looked up from time to time, or when a webhook says so.

A webhook is believed in one thing only, which ticket to look at; how it stands is then asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from secinbox.decisions.outbox import Outbox
from secinbox.decisions.states import DecisionError, stamp
from secinbox.delivery.connections import Connection, Connections, module
from secinbox.delivery.outgoing import Client, OutgoingError
from secinbox.delivery.planning import ISSUE
from secinbox.delivery.signing import SignatureError
from secinbox.delivery.ticket import There
from secinbox.inbox.answers import NotFound

Decide = Callable[[Mapping[str, Any], str], dict[str, Any]]
_STATUS = {"open": "open", "in_progress": "in_progress", "closed": "resolved"}
MOST = 200  # tickets asked about in one round


class Follower:
    """Brings changes of tickets to their issues."""

    def __init__(self, outbox: Outbox, connections: Connections, decide: Decide,
                 now: Callable[[], datetime]) -> None:  # fmt: skip
        self.outbox = outbox
        self.connections = connections
        self.decide = decide
        self.now = now

    def poll(self) -> int:
        """Asks about the tickets whose turn it is; how many changed here."""
        changed = 0
        due = sorted(self.outbox.tickets(), key=lambda t: t["checked_at"])
        for ticket in due[:MOST]:
            connection = self.connections.all.get(ticket["connection"])
            if connection is None:
                continue
            if ticket["checked_at"] > stamp(
                self.now() - timedelta(minutes=connection.poll_minutes)
            ):
                continue
            changed += self._ask(connection, ticket)
        return changed

    def _ask(self, connection: Connection, ticket: Mapping[str, Any]) -> bool:
        problem, there = "", None
        try:
            client = Client(self.connections.allow_hosts, connection.timeout)
            there = module(connection.system).read(client, connection, ticket["external"])
        except (OutgoingError, DecisionError, KeyError, TypeError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"[:1_000]
        changed = self.bring(connection, ticket, there) if there is not None else False
        with self.outbox.store.writing() as held:
            self.outbox.agreed(held, ticket["subject"], connection.name,
                               checked_at=stamp(self.now()), error=problem)  # fmt: skip
        return changed

    def bring(self, connection: Connection, ticket: Mapping[str, Any], there: There) -> bool:
        """Decides here what was done there since both sides agreed."""
        values: dict[str, Any] = {}
        actor = f"ticket:{connection.name}"
        # A case follows its findings alone: who closes its ticket early is not contradicted.
        if there.status != ticket["status"] and ticket["subject"].startswith(ISSUE):
            values["status"] = there.status
            self._decide(ticket, actor, action="status", status=_STATUS[there.status])
        person = connection.ours(there.assignee)
        if person != ticket["assignee"] and (person or connection.theirs(ticket["assignee"])):
            values["assignee"] = person
            self._decide(ticket, actor, action="assign", assignee=person)
        if values:
            with self.outbox.store.writing() as held:
                self.outbox.agreed(held, ticket["subject"], connection.name, **values)
        return bool(values)

    def _decide(self, ticket: Mapping[str, Any], actor: str, **request: Any) -> None:
        if not ticket["subject"].startswith(ISSUE):
            return
        issue = ticket["subject"].removeprefix(ISSUE)
        text = f"{ticket['external']} was changed in {ticket['connection']}"
        try:
            self.decide({"issues": [issue], "text": text, **request}, actor)
        except (DecisionError, NotFound):
            # Muted, fixed, or so already: what holds here is told there by the next update.
            return

    def received(self, name: str, headers: Mapping[str, str], body: bytes, data: Any) -> bool:
        """A webhook of a connected system. Raises SignatureError; False for a replay."""
        connection = self.connections.all.get(name)
        if connection is None or connection.webhook_secret is None or not isinstance(data, dict):
            raise SignatureError("the signature is missing or wrong")
        secret = connection.webhook_secret.value(f"connection {name}")
        code = module(connection.system)
        digest, external = code.received(secret, headers, body, data)
        if not self.outbox.first_time(digest, self.now()):
            return False
        ticket = self.outbox.ticket(connection.name, external)
        if ticket is None:
            return True  # not one of ours
        if hasattr(code, "told"):  # it cannot be asked
            there = code.told(data)
            if there is not None:
                self.bring(connection, ticket, there)
            return True
        self._ask(connection, ticket)
        return True
