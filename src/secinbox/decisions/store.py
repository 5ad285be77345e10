"""Decisions: what people and rules decided. Small, transactional and precious.

SQLite in WAL mode by default, another database by SQLAlchemy URL. Every change is an event in an
append-only trail; the present state of a subject is kept beside it in the same transaction.
Subjects are issue ids and finding fingerprints, so decisions outlive re-imports and rebuilds.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_METADATA = sa.MetaData()
_STATES = sa.Table(
    "decisions",
    _METADATA,
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("status", sa.String(16), nullable=False, server_default="open"),
    sa.Column("reason", sa.String(32), nullable=False, server_default=""),
    sa.Column("text", sa.Text, nullable=False, server_default=""),
    sa.Column("expires", sa.String(32), nullable=False, server_default=""),
    sa.Column("assignee", sa.String(256), nullable=False, server_default=""),
    sa.Column("due", sa.String(32), nullable=False, server_default=""),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
)
_EVENTS = sa.Table(
    "events",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("time", sa.String(32), nullable=False),
    sa.Column("actor", sa.String(256), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False, index=True),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False, server_default=""),
)
_SCHEMA = sa.Table(
    "schema_version", sa.MetaData(), sa.Column("version", sa.Integer, primary_key=True)
)
# Migrations in order; each brings a store from its number to the next.
_MIGRATIONS = (_METADATA.create_all,)

_FIELDS = ("status", "reason", "text", "expires", "assignee", "due")


class DecisionStore:
    """The decisions of one home (`decisions.sqlite`) or of a database URL."""

    def __init__(self, home: Path, url: str = "") -> None:
        self.engine = sa.create_engine(url or f"sqlite:///{home / 'decisions.sqlite'}")
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _careful)
        with self.engine.begin() as connection:
            _SCHEMA.metadata.create_all(connection)
            version = connection.execute(sa.select(sa.func.max(_SCHEMA.c.version))).scalar() or 0
            for number, migrate in enumerate(_MIGRATIONS[version:], version + 1):
                migrate(connection)
                connection.execute(_SCHEMA.insert().values(version=number))

    def decide(
        self, subjects: list[str], action: str, actor: str, time: datetime, **changes: str
    ) -> None:
        """Changes these fields of these subjects; one transaction, one event a subject.

        Raises KeyError for a field that does not exist.
        """
        unknown = set(changes) - set(_FIELDS)
        if unknown:
            raise KeyError(f"no such decision field: {', '.join(sorted(unknown))}")
        with self.engine.begin() as connection:
            for subject in subjects:
                row = connection.execute(
                    sa.select(_STATES).where(_STATES.c.subject == subject).with_for_update()
                ).mappings().first()  # fmt: skip
                before = {f: row[f] for f in _FIELDS} if row else dict.fromkeys(_FIELDS, "")
                after = {**before, **changes}
                if row is None:
                    after["status"] = changes.get("status", "open")
                    connection.execute(_STATES.insert().values(subject=subject, **after))
                else:
                    connection.execute(
                        _STATES.update()
                        .where(_STATES.c.subject == subject)
                        .values(**after, version=row["version"] + 1)
                    )
                connection.execute(
                    _EVENTS.insert().values(
                        time=time.isoformat(timespec="seconds") + "Z",
                        actor=actor,
                        subject=subject,
                        action=action,
                        before=_text(before),
                        after=_text(after),
                        text=changes.get("text", ""),
                    )
                )

    def standing(self, clock: datetime) -> list[tuple[str, str, str, str]]:
        """(subject, status, assignee, due) as of the clock: a mute that expired is open again."""
        now = clock.isoformat()
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(_STATES).order_by(_STATES.c.subject)).mappings()
            return [
                (
                    row["subject"],
                    "open"
                    if row["status"] == "muted" and row["expires"] and row["expires"] <= now
                    else row["status"],
                    row["assignee"],
                    row["due"],
                )
                for row in rows
            ]

    def state(self, subject: str) -> dict[str, Any] | None:
        """The present decision on a subject."""
        with self.engine.connect() as connection:
            row = connection.execute(
                sa.select(_STATES).where(_STATES.c.subject == subject)
            ).mappings().first()  # fmt: skip
            return dict(row) if row else None

    def timeline(self, subject: str) -> list[dict[str, Any]]:
        """All events of a subject, oldest first."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                sa.select(_EVENTS).where(_EVENTS.c.subject == subject).order_by(_EVENTS.c.id)
            ).mappings()
            return [dict(row) for row in rows]

    def close(self) -> None:
        """Lets go of the database."""
        self.engine.dispose()


def _careful(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # what was acknowledged survives a power loss
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


def _text(state: dict[str, Any]) -> str:
    import json

    return json.dumps({k: v for k, v in state.items() if v}, sort_keys=True)
