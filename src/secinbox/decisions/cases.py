"""Cases: findings that are worked on together, and the ticket that follows them elsewhere."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from secinbox.decisions.outbox import Entry, key_of, queue
from secinbox.decisions.states import DecisionError, stamp
from secinbox.decisions.store import DecisionStore, real_now
from secinbox.decisions.tables import CASE_FINDINGS, CASES, TIMELINE

KINDS = ("", "jira", "linear", "servicenow")


class CaseMissing(LookupError):
    """No case has this id."""


class Cases:
    """The cases of a decision store. A finding is in at most one."""

    def __init__(self, store: DecisionStore) -> None:
        self.store = store

    def create(
        self, findings: Sequence[str], actor: str, now: datetime, *, project: str, title: str,
        description: str = "", priority: str = "NOT_DEFINED", assignee: str = "",
        ticket_kind: str = "", ticket_url: str = "", connection: str = "", fields: Any = None,
    ) -> dict[str, Any]:  # fmt: skip
        """A new case with these findings; they leave the case in which they were.

        connection: where its ticket is to be made; it is queued in the same transaction.
        """
        if ticket_kind not in KINDS:
            raise DecisionError(f"a ticket is one of: {', '.join(KINDS[1:])}")
        identity = str(uuid.uuid4())
        with self.store.writing() as held:
            last = held.execute(sa.select(sa.func.max(CASES.c.number))).scalar() or 0
            held.execute(
                CASES.insert().values(
                    id=identity, number=last + 1, project=project, title=title[:1_000],
                    description=description[:20_000], priority=priority, assignee=assignee,
                    created_at=stamp(now), modified_at=stamp(now), created_by=actor,
                    modified_by=actor, ticket_kind=ticket_kind, ticket_url=ticket_url,
                )
            )  # fmt: skip
            self._attach(held, identity, findings, actor, now)
            if connection:
                told = [("Findings", ", ".join(sorted(set(findings))[:20]))]
                if description:
                    told.insert(0, ("Description", description[:2_000]))
                body = {"title": title, "facts": told, "assignee": assignee,
                        "fields": fields or {}, "project": ""}  # fmt: skip
                subject = f"case:{identity}"
                key = key_of("ticket", connection, subject)
                # Sending goes by the real time, whatever day this inbox shows.
                queue(held, Entry(key, "ticket", connection, subject, body), real_now())
        return self.one(identity)

    def created(self, actor: str, now: datetime) -> int:
        """How many cases somebody opened on the day."""
        wanted = sa.select(sa.func.count()).select_from(CASES).where(
            CASES.c.created_by == actor, CASES.c.created_at >= stamp(now)[:10]
        )  # fmt: skip
        with self.store.engine.connect() as connection:
            return int(connection.execute(wanted).scalar() or 0)

    @staticmethod
    def followed(connection: sa.Connection, identity: str, url: str) -> None:
        """The ticket of a case is there, inside the caller's transaction."""
        connection.execute(CASES.update().where(CASES.c.id == identity).values(ticket_url=url))

    def attach(
        self, identity: str, findings: Sequence[str], actor: str, now: datetime
    ) -> dict[str, Any]:
        """Findings join a case. Raises CaseMissing."""
        self.one(identity)
        with self.store.writing() as connection:
            self._attach(connection, identity, findings, actor, now)
            connection.execute(
                CASES.update().where(CASES.c.id == identity)
                .values(modified_at=stamp(now), modified_by=actor)
            )  # fmt: skip
        return self.one(identity)

    def detach(self, findings: Sequence[str], actor: str, now: datetime) -> int:
        """Findings leave their cases; how many did."""
        with self.store.writing() as connection:
            done = connection.execute(
                CASE_FINDINGS.delete().where(CASE_FINDINGS.c.finding.in_(list(findings)))
            ).rowcount
            self._tell(connection, findings, "detach", "", actor, now)
        return int(done)

    def one(self, identity: str) -> dict[str, Any]:
        """A case with the ids of its findings. Raises CaseMissing."""
        with self.store.engine.connect() as connection:
            row = connection.execute(
                sa.select(CASES).where(CASES.c.id == identity)
            ).mappings().first()  # fmt: skip
            if row is None:
                raise CaseMissing(f"no case has the id {identity}")
            found = connection.execute(
                sa.select(CASE_FINDINGS.c.finding).where(CASE_FINDINGS.c.case_id == identity)
            ).scalars()
            return {**row, "findings": sorted(found)}

    def with_ticket(self, kind: str, url: str) -> dict[str, Any] | None:
        """The case that a ticket follows."""
        with self.store.engine.connect() as connection:
            found = connection.execute(
                sa.select(CASES.c.id)
                .where(CASES.c.ticket_kind == kind, CASES.c.ticket_url == url)
                .limit(1)
            ).scalar()
        return self.one(found) if found else None

    def of(self, findings: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The case of each of these findings that is in one."""
        wanted = (
            sa.select(CASE_FINDINGS.c.finding, CASES)
            .join(CASES, CASES.c.id == CASE_FINDINGS.c.case_id)
            .where(CASE_FINDINGS.c.finding.in_(list(findings)))
        )
        with self.store.engine.connect() as connection:
            return {row["finding"]: dict(row) for row in connection.execute(wanted).mappings()}

    def _attach(
        self, connection: sa.Connection, identity: str, findings: Sequence[str], actor: str,
        now: datetime,
    ) -> None:  # fmt: skip
        connection.execute(
            CASE_FINDINGS.delete().where(CASE_FINDINGS.c.finding.in_(list(findings)))
        )
        for finding in sorted(set(findings)):
            connection.execute(CASE_FINDINGS.insert().values(finding=finding, case_id=identity))
        self._tell(connection, findings, "attach", identity, actor, now)

    @staticmethod
    def _tell(
        connection: sa.Connection, findings: Sequence[str], action: str, identity: str,
        actor: str, now: datetime,
    ) -> None:  # fmt: skip
        for finding in sorted(set(findings)):
            connection.execute(
                TIMELINE.insert().values(
                    time=stamp(now), actor=actor, subject=f"finding:{finding}", action=action,
                    version=0, before=json.dumps({}), after=json.dumps({}),
                    text=f"case {identity}" if identity else "case",
                )
            )  # fmt: skip
