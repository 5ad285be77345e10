"""The tables of the decision store, as ordered migrations that run on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

_FIRST = sa.MetaData()
_FIRST_STATES = sa.Table(
    "decisions",
    _FIRST,
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("status", sa.String(16), nullable=False, server_default="open"),
    sa.Column("reason", sa.String(32), nullable=False, server_default=""),
    sa.Column("text", sa.Text, nullable=False, server_default=""),
    sa.Column("expires", sa.String(32), nullable=False, server_default=""),
    sa.Column("assignee", sa.String(256), nullable=False, server_default=""),
    sa.Column("due", sa.String(32), nullable=False, server_default=""),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
)
_FIRST_EVENTS = sa.Table(
    "events",
    _FIRST,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("time", sa.String(32), nullable=False),
    sa.Column("actor", sa.String(256), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False, index=True),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False, server_default=""),
)

METADATA = sa.MetaData()
STATES = sa.Table(
    "states",
    METADATA,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("status", sa.String(16), nullable=False, server_default="open"),
    sa.Column("since", sa.String(32), nullable=False, server_default=""),
    sa.Column("reason", sa.String(32), nullable=False, server_default=""),
    sa.Column("text", sa.Text, nullable=False, server_default=""),
    sa.Column("expires", sa.String(32), nullable=False, server_default=""),
    sa.Column("until_worse", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("severity", sa.Integer, nullable=False, server_default="-1"),
    sa.Column("risks", sa.Integer, nullable=False, server_default="-1"),
    sa.Column("assignee", sa.Text, nullable=False, server_default=""),
    sa.Column("assignee_kind", sa.String(16), nullable=False, server_default=""),
    sa.Column("due", sa.String(32), nullable=False, server_default=""),
    sa.Column("labels", sa.Text, nullable=False, server_default="[]"),
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.Column("override", sa.String(16), nullable=False, server_default=""),
)
# Append-only: no statement of this program changes or deletes a row of it.
TIMELINE = sa.Table(
    "timeline",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("time", sa.String(32), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("batch", sa.String(32), nullable=False, server_default="", index=True),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False, server_default=""),
    sa.Column("undoes", sa.Integer, nullable=True),
    sqlite_autoincrement=True,
)
RULES_META = sa.MetaData()
RULES = sa.Table(
    "rules",
    RULES_META,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("modified_at", sa.String(32), nullable=False),
    sa.Column("modified_by", sa.Text, nullable=False),
)
# Rules that are not ours to rewrite (defaults, files) are switched here.
SWITCHES = sa.Table(
    "rule_switches",
    RULES_META,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
)
CASES_META = sa.MetaData()
CASES = sa.Table(
    "cases",
    CASES_META,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("priority", sa.String(16), nullable=False),
    sa.Column("assignee", sa.Text, nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("modified_at", sa.String(32), nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("modified_by", sa.Text, nullable=False),
    sa.Column("ticket_kind", sa.String(16), nullable=False),  # jira, linear, servicenow
    sa.Column("ticket_url", sa.Text, nullable=False),
)
CASE_FINDINGS = sa.Table(
    "case_findings",
    CASES_META,
    sa.Column("finding", sa.String(64), primary_key=True),
    sa.Column("case_id", sa.String(36), nullable=False, index=True),
)
ACCOUNTS_META = sa.MetaData()
USERS = sa.Table(
    "users",
    ACCOUNTS_META,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("types", sa.Text, nullable=False, server_default=""),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_until", sa.String(32), nullable=False, server_default=""),
)
LINKS = sa.Table(
    "links",
    ACCOUNTS_META,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("types", sa.Text, nullable=False, server_default=""),
    sa.Column("expires", sa.String(32), nullable=False),
)
SESSIONS = sa.Table(
    "sessions",
    ACCOUNTS_META,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False, index=True),
    sa.Column("csrf", sa.String(64), nullable=False),
    # Of who signed in elsewhere; '' for a user who is kept here.
    sa.Column("role", sa.String(16), nullable=False, server_default=""),
    sa.Column("types", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("expires", sa.String(32), nullable=False),
)
TOKENS = sa.Table(
    "tokens",
    ACCOUNTS_META,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("types", sa.Text, nullable=False, server_default=""),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("expires", sa.String(32), nullable=False, server_default=""),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("last_used", sa.String(32), nullable=False, server_default=""),
)
# Append-only, like the timeline.
AUDIT = sa.Table(
    "audit",
    ACCOUNTS_META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("time", sa.String(32), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
TEAMS_META = sa.MetaData()
MEMBERS = sa.Table(
    "members",
    TEAMS_META,
    sa.Column("team", sa.String(100), primary_key=True),
    sa.Column("member", sa.Text, primary_key=True, index=True),
)
DELIVERY_META = sa.MetaData()
# What is to be said elsewhere. A row is waiting, sent, or dropped because it is not wanted any more.
OUTBOX = sa.Table(
    "outbox",
    DELIVERY_META,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("kind", sa.String(16), nullable=False),  # ticket, update, message
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    sa.Column("rule", sa.Text, nullable=False, server_default=""),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, server_default="waiting", index=True),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", sa.String(32), nullable=False),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("done_at", sa.String(32), nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
# status and assignee: what both sides last agreed on; whoever differs from it has changed since.
TICKETS = sa.Table(
    "tickets",
    DELIVERY_META,
    sa.Column("subject", sa.Text, primary_key=True),  # issue:ID or case:ID
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("external", sa.Text, nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False, server_default=""),
    sa.Column("status", sa.String(16), nullable=False, server_default="open"),
    sa.Column("assignee", sa.Text, nullable=False, server_default=""),
    sa.Column("updates", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("checked_at", sa.String(32), nullable=False),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
)
# What a notification rule has said: it is quiet until that changes.
NOTIFIED = sa.Table(
    "notified",
    DELIVERY_META,
    sa.Column("rule", sa.String(64), primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("time", sa.String(32), nullable=False),
)
# Signed messages that were taken: the same again is a replay.
RECEIVED = sa.Table(
    "received",
    DELIVERY_META,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("time", sa.String(32), nullable=False, index=True),
)
SCHEMA = sa.Table(
    "schema_version", sa.MetaData(), sa.Column("version", sa.Integer, primary_key=True)
)


def _second(connection: Any) -> None:
    """Subjects of more kinds, expiry against getting worse, labels, undo, versions of events."""
    METADATA.create_all(connection, tables=[STATES, TIMELINE])
    for row in connection.execute(sa.select(_FIRST_STATES)).mappings().all():
        connection.execute(STATES.insert().values(**{**row, "subject": f"issue:{row['subject']}"}))
    events = sa.select(_FIRST_EVENTS).order_by(_FIRST_EVENTS.c.id)
    for row in connection.execute(events).mappings().all():
        kept = {k: v for k, v in row.items() if k != "id"}
        connection.execute(
            TIMELINE.insert().values(**{**kept, "subject": f"issue:{row['subject']}", "version": 0})
        )
    _FIRST.drop_all(connection)


def _fourth(connection: Any) -> None:
    """Cases, and severities given by a person."""
    CASES_META.create_all(connection)
    known = {c["name"] for c in sa.inspect(connection).get_columns("states")}
    if "override" not in known:
        connection.execute(
            sa.text("ALTER TABLE states ADD COLUMN override VARCHAR(16) NOT NULL DEFAULT ''")
        )


def _seventh(connection: Any) -> None:
    """Roles that see some types of findings only, and sessions of who signed in elsewhere."""
    wanted = {"users": ("types",), "links": ("types",), "tokens": ("types",),
              "sessions": ("role", "types")}  # fmt: skip
    for table, columns in wanted.items():
        known = {c["name"] for c in sa.inspect(connection).get_columns(table)}
        for column in columns:
            if column not in known:
                connection.execute(
                    sa.text(f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''")
                )


# In order; each brings a store from its number to the next.
MIGRATIONS = (
    _FIRST.create_all,
    _second,
    RULES_META.create_all,
    _fourth,
    ACCOUNTS_META.create_all,
    DELIVERY_META.create_all,
    _seventh,
    TEAMS_META.create_all,
)
