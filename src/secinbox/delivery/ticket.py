"""A ticket as every system gets it, and how its text is written so that nothing in it acts.

The text of reports is hostile: in Markdown and in Jira's markup nothing of it is a link, a mention
or a reference; in plain text it has no control characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["open", "in_progress", "closed"]
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~$&:])")
_WIKI = re.compile(r"([\\*_{}\[\]()+\-!|~^?&%@#])")
_ACTING = re.compile(r"(?<=[@#])(?=\w)|(?<=\b[gG][hH])(?=-)|(?<=://)|(?<=www)(?=\.)")


@dataclass(frozen=True)
class Ticket:
    """What a ticket says. key: a mark by which it is found again; since: when it was first tried."""

    key: str
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    resources: tuple[str, ...] = ()
    link: str = ""
    severity: str = "unknown"
    project: str = ""
    assignee: str = ""  # as the other system calls him
    fields: Mapping[str, Any] = field(default_factory=dict)
    since: str = ""


@dataclass(frozen=True)
class Made:
    """A ticket that is there: its name in the system, and where people see it."""

    external: str
    url: str


@dataclass(frozen=True)
class There:
    """How a ticket stands in its system."""

    status: Status
    assignee: str = ""


def line(text: object, width: int = 500) -> str:
    """One line without control characters (and without those that turn the direction of text)."""
    kept = "".join(c if c.isprintable() else " " for c in str(text))
    return " ".join(kept.split())[:width]


def markdown(text: object) -> str:
    """A line that Markdown shows as it is."""
    return _MARKDOWN.sub(r"\\\1", _ACTING.sub("\u200b", line(text)))


def wiki(text: object) -> str:
    """A line that Jira's markup shows as it is."""
    return _WIKI.sub(r"\\\1", _ACTING.sub("\u200b", line(text)))


def _body(ticket: Ticket, shown: Any, strong: str, bullet: str) -> list[str]:
    lines = [f"{strong}{shown(name)}{strong}: {shown(value)}" for name, value in ticket.facts]
    if ticket.resources:
        lines += [
            "",
            f"{strong}Resources{strong}",
            *(f"{bullet} {shown(r)}" for r in ticket.resources),
        ]
    if ticket.link:
        lines += ["", ticket.link]
    return lines


def as_markdown(ticket: Ticket) -> str:
    """The body, with the mark in a comment that is not shown."""
    lines = _body(ticket, markdown, "**", "-")
    joined = "  \n".join(lines)
    return f"{joined}\n\n<!-- secinbox:{ticket.key} -->"


def as_wiki(ticket: Ticket) -> str:
    """The body in Jira's markup."""
    return "\n".join(_body(ticket, wiki, "*", "*"))


def as_text(ticket: Ticket) -> str:
    """The body as plain text."""
    return "\n".join(_body(ticket, line, "", "-"))
