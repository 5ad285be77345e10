"""Delivery as a session offers it: preview, send, follow, how it stands; and the thread of a server."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb
import sqlalchemy as sa

from secinbox.decisions.cases import Cases
from secinbox.decisions.outbox import Outbox, queue
from secinbox.decisions.rule import NotificationRule, TicketRule
from secinbox.decisions.states import DecisionError
from secinbox.decisions.store import real_now
from secinbox.delivery.connections import Connections, faults, load
from secinbox.delivery.following import Follower
from secinbox.delivery.planning import Plan, Planner, standing_cases
from secinbox.delivery.sending import Sender
from secinbox.facts.scope import whole
from secinbox.facts.store import Facts
from secinbox.inbox.query import QueryError
from secinbox.settings import SettingsError

# Of a broken file, a store that is away or full; the next look may do better.
_EXPECTED = (
    DecisionError,
    QueryError,
    SettingsError,
    sa.exc.SQLAlchemyError,
    duckdb.Error,
    OSError,
)
OWN = "case_management"  # cases that are kept here
PACE = 15.0  # seconds between two looks of a server
_log = logging.getLogger("secinbox.delivery")


class Home(Protocol):
    """What delivery needs of an open home."""

    home: Path

    @property
    def clock(self) -> datetime: ...
    @property
    def decisions(self) -> Any: ...
    @property
    def has_decisions(self) -> bool: ...
    @property
    def automation(self) -> Any: ...
    def changing(self) -> AbstractContextManager[Any]: ...
    def reading(self) -> AbstractContextManager[Facts]: ...
    def decide(self, request: Mapping[str, Any], actor: str = "") -> dict[str, Any]: ...


class Delivery:
    """What a session does with tickets and notifications."""

    def __init__(self, session: Home) -> None:
        self.session = session
        self._turn = threading.Lock()  # one sends at a time
        self._wake = threading.Event()
        self._stop = False
        self.problem = ""  # of the last look of the server's thread

    @property
    def connections(self) -> Connections:
        """As the file has them now. Raises DecisionError."""
        return load(self.session.home)

    @property
    def outbox(self) -> Outbox:
        """Where it waits."""
        return Outbox(self.session.decisions)

    def used(self) -> bool:
        """Whether there is anything to look for: a connection, or a rule that says something."""
        return bool(self.connections.all) or any(
            isinstance(r, (TicketRule, NotificationRule)) for r in self.session.automation.active()
        )

    def _planned(self) -> Plan:
        with self.session.reading() as facts:
            return Planner(facts, self.outbox, self.session.automation.active(), self.connections,
                           self.session.clock, real_now()).look()  # fmt: skip

    def plan(self) -> Plan:
        """Queues what should be said now."""
        with self.session.changing():
            plan = self._planned()
            outbox, now = self.outbox, real_now()
            outbox.drop(plan.dropped, now)
            with outbox.store.writing() as held:
                for entry in plan.entries:
                    queue(held, entry, now)
                for rule, subject, text in plan.said:
                    outbox.said(held, rule, subject, text, now)
            book = Cases(outbox.store)
            for case in plan.cases:
                actor = f"rule:{case.rule}"
                if case.case:
                    book.attach(case.case, case.findings, actor, now)
                else:
                    book.create(case.findings, actor, now, project=case.project, title=case.title,
                                description=case.description, assignee=case.assignee)  # fmt: skip
            return plan

    def preview(self) -> dict[str, Any]:
        """{"entries", "waiting", "delayed", "faults"}: what would be said; nothing is."""
        whole("deliveries")
        plan = self._planned()
        return {
            "entries": [{"kind": e.kind, "connection": e.connection, "subject": e.subject,
                         "rule": e.rule, "title": e.body.get("title", ""),
                         "status": e.body.get("status")} for e in plan.entries]
            + [{"kind": "case", "connection": OWN, "subject": f"issue:{c.issue}", "rule": c.rule,
                "title": c.title, "status": None} for c in plan.cases],
            "waiting": [_shown(e) for e in self.outbox.waiting()],
            "delayed": plan.delayed, "faults": plan.faults + faults(self.connections),
        }  # fmt: skip

    def send(self, *, hurry: bool = False) -> dict[str, Any]:
        """Looks, follows and sends. {"queued", "cases", "changed", "sent", "failed", "delayed", "faults"}.

        hurry: what waits for a later time is tried now.
        """
        with self._turn:
            connections = self.connections
            follower = Follower(self.outbox, connections, self.session.decide, real_now)
            changed = follower.poll()
            plan = self.plan()
            if hurry:
                self.outbox.hurry(real_now())
            told = Sender(self.outbox, connections, real_now).drain()
        told["delayed"] += sum(plan.delayed.values())
        return {"queued": len(plan.entries), "cases": len(plan.cases), "changed": changed, **told,
                "faults": plan.faults + faults(connections)}  # fmt: skip

    def received(self, name: str, headers: Mapping[str, str], body: bytes, data: Any) -> bool:
        """A webhook of a connected system: see Follower.received."""
        follower = Follower(self.outbox, self.connections, self.session.decide, real_now)
        return follower.received(name, headers, body, data)

    def standing(self) -> dict[str, Any]:
        """{"connections", "counts", "waiting", "tickets", "faults"}."""
        whole("deliveries")
        if not self.session.has_decisions and not self.connections.all:
            empty = {"waiting": 0, "failing": 0, "sent": 0, "tickets": 0}
            return {"connections": [], "counts": empty, "waiting": [], "tickets": [], "faults": []}
        connections = self.connections
        told = [{"name": c.name, "system": c.system, "url": c.url, "project": c.project}
                for c in connections.all.values()]  # fmt: skip
        problems = faults(connections) + ([self.problem] if self.problem else [])
        return {
            "connections": told, "counts": self.outbox.counts(),
            "waiting": [_shown(e) for e in self.outbox.waiting(100)],
            "tickets": [{k: t[k] for k in ("subject", "connection", "external", "url", "status",
                                           "assignee", "error")} for t in self.outbox.tickets()],
            "faults": problems,
        }  # fmt: skip

    def cases(self, findings: Sequence[str]) -> list[dict[str, Any]]:
        """The cases of our own that findings are in, as tickets are told."""
        found = {c["id"]: c for c in Cases(self.outbox.store).of(findings).values()}
        if not found:
            return []
        with self.session.reading() as facts:
            there = standing_cases(facts, self.outbox.store, list(found))
        return [{"connection": OWN, "external": f"case {c['number']}", "url": c["ticket_url"],
                 "status": there[c["id"]].status, "assignee": c["assignee"]}
                for c in sorted(found.values(), key=lambda c: c["number"])]  # fmt: skip

    def of(self, subject: str) -> list[dict[str, Any]]:
        """The tickets of an issue."""
        return [{k: t[k] for k in ("connection", "external", "url", "status", "assignee")}
                for t in self.outbox.tickets(subject)]  # fmt: skip

    # -- the thread of a server -----------------------------------------------------------

    def work(self) -> None:
        """Sends until `stop`; whatever goes wrong is told and tried again."""
        while not self._stop:
            try:
                if self.used():
                    self.send()
                self.problem = ""
            except _EXPECTED as error:
                self._told(f"{type(error).__name__}: {error}")
            self._wake.wait(PACE)
            self._wake.clear()

    def _told(self, text: str) -> None:
        if text != self.problem:
            _log.warning("delivery: %s", text.replace("\n", " ")[:500])
        self.problem = text

    def wake(self) -> None:
        """Something changed: look now."""
        self._wake.set()

    def stop(self) -> None:
        """Ends the thread after what it is doing."""
        self._stop = True
        self._wake.set()


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {k: row[k] for k in ("kind", "connection", "subject", "rule", "attempts", "next_at",
                                "error")} | {"title": row["body"].get("title", "")}  # fmt: skip
