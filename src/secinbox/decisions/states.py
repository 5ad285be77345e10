"""The life of a decided thing: one state column, one transition table, nothing beside it.

New, overdue, escalated and regressed are no states: they are read from facts, decisions and clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

STATUSES = ("open", "in_progress", "muted", "resolved")

# status -> what may be done in it -> the status after. Whatever is not here is refused.
TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    "open": {"start": "in_progress", "mute": "muted", "resolve": "resolved"},
    "in_progress": {"stop": "open", "mute": "muted", "resolve": "resolved"},
    "muted": {"mute": "muted", "unmute": "open"},
    "resolved": {"reopen": "open"},
}
# What leaves the status as it is, and may be done in each.
NOTES = ("assign", "due", "comment", "label", "severity")
ACTIONS = (*sorted({a for moves in TRANSITIONS.values() for a in moves}), *NOTES, "undo")

# The fields of a state and what they are before anything was decided.
EMPTY: Mapping[str, Any] = {
    "status": "open",
    "since": "",  # when the status was last decided
    "reason": "",
    "text": "",
    "expires": "",
    "until_worse": False,
    "severity": -1,  # of the subject when it was last decided on: worse than that is escalated
    "risks": -1,
    "assignee": "",
    "assignee_kind": "",
    "due": "",
    "labels": "[]",
    "override": "",  # a severity given by a person, of a finding
}


class DecisionError(ValueError):
    """A decision that cannot be made as asked: why, and what would be allowed."""


class Conflict(DecisionError):
    """Somebody else decided in between: the version now, and what changed since."""

    def __init__(self, message: str, version: int, changes: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.version = version
        self.changes = changes


@dataclass(frozen=True)
class Change:
    """One action and the fields that it sets."""

    action: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    add: tuple[str, ...] = ()  # labels
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What a decision is about, as it stands now.

    key: `issue:ID`, `finding:ID`, `rule:RULE on UID`, `query:TEXT`. awake: a mute that was decided
    is over (by the clock, or because it got worse), or what was resolved was seen again; said of the
    decision of version `judged`, if that is known: of a later one nothing is said.
    """

    key: str
    severity: int = -1
    risks: int = -1
    awake: bool = False
    judged: int | None = None
    version: int | None = None  # the version that the editor saw


def next_status(status: str, action: str) -> str:
    """The status after an action. Raises DecisionError with what may be done instead."""
    if action in NOTES:
        return status
    after = TRANSITIONS[status].get(action)
    if after is None:
        allowed = ", ".join((*TRANSITIONS[status], *NOTES))
        raise DecisionError(f"{action} does not apply: it is {status}; allowed: {allowed}")
    return after


def action_for(status: str, wanted: str) -> str:
    """The action that leads from a status to another. Raises DecisionError."""
    for action, after in TRANSITIONS[status].items():
        if after == wanted and after != status:
            return action
    ways = ", ".join(sorted({s for s in TRANSITIONS[status].values() if s != status}))
    raise DecisionError(f"from {status} there is no way to {wanted}; allowed: {ways}")


def stamp(moment: datetime) -> str:
    """A moment as stored: text that sorts by time."""
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def moment(text: str, now: datetime, *, what: str) -> str:
    """A date, a time or a span (`30d`) from now on, as stored. Raises DecisionError."""
    try:
        if text.endswith("d") and text[:-1].isdigit():
            return stamp(datetime.fromordinal(now.toordinal() + int(text[:-1])).replace(
                hour=now.hour, minute=now.minute, second=now.second))  # fmt: skip
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError):
        raise DecisionError(
            f"{what} is a date (2026-12-31), a time or a span (30d), not {text!r}"
        ) from None
    if parsed.tzinfo is not None:
        parsed = parsed.astimezone(UTC).replace(tzinfo=None)
    return stamp(parsed)


def day(text: str, now: datetime, *, what: str = "due") -> str:
    """A date or a span from today on, as stored. Raises DecisionError."""
    return date.fromisoformat(moment(text, now, what=what)[:10]).isoformat()
