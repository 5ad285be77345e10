"""Automation as code: what a rule is. The same schema for files and for the API.

Rules are tried in order within their kind, the first that matches wins. Severity rules come first,
so that all others see the severity that they give.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from secinbox.decisions.states import DecisionError, moment, stamp
from secinbox.vocabulary import SEVERITIES, FindingType, MuteReason, Severity

Level = Literal["critical", "high", "medium", "low", "info"]
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class _Common(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True,
              tag_field="kind"):  # fmt: skip
    name: str
    id: str = ""  # made from the name if it is not given
    description: str = ""
    enabled: bool = True
    expires: str = ""  # the rule ends: a date or a time
    types: tuple[FindingType, ...] = ()  # none: all
    query: str = ""


class SeverityRule(_Common, tag="severity", frozen=True, kw_only=True):
    """Gives a severity, or moves it by one."""

    set: Level | None = None
    shift: Literal[-1, 1] | None = None


class MuteRule(_Common, tag="mute", frozen=True, kw_only=True):
    """Mutes findings while it matches."""

    reason: MuteReason


class DueDateRule(_Common, tag="due_date", frozen=True, kw_only=True):
    """Sets a due date: days by severity, or the tier of BOD 26-04."""

    days: dict[Level | Literal["unknown"], int] = {}
    tiers: Literal["bod-26-04"] | None = None
    since: Literal["first_seen", "fix_available"] = "first_seen"


class InboxRule(_Common, tag="inbox", frozen=True, kw_only=True):
    """Lets findings into the inbox, or leaves them out; before the default rules."""

    action: Literal["include", "exclude"] = "include"


class TicketRule(_Common, tag="ticket", frozen=True, kw_only=True):
    """Opens a ticket for each issue that comes to match."""

    project: str = ""
    target: Literal["case_management", "jira", "linear"] = "case_management"
    connection: str = ""  # of connections.yaml; else the only one of the system `target`
    assignee: str = ""
    daily_limit: int = 50
    fields: dict[str, Any] = {}


class NotificationRule(_Common, tag="notification", frozen=True, kw_only=True):
    """Tells about each issue that comes to match or gets worse, or each owner about his own."""

    webhook: str = ""  # an address; or
    connection: str = ""  # of connections.yaml
    per: Literal["issue", "owner"] = "issue"
    daily_limit: int = 200


Rule = SeverityRule | MuteRule | DueDateRule | InboxRule | TicketRule | NotificationRule
STRUCTS: dict[str, type[Rule]] = {s.__struct_config__.tag: s for s in get_args(Rule)}
KINDS: tuple[str, ...] = tuple(STRUCTS)
for _struct in STRUCTS.values():  # see request.py: never first met by two threads at once
    msgspec.json.Decoder(_struct)


class RuleMissing(LookupError):
    """No rule has this id."""


def kind(rule: Rule) -> str:
    """The kind of a rule."""
    return str(type(rule).__struct_config__.tag)


def read(data: Any, *, where: str = "") -> Rule:
    """A rule from plain data. Raises DecisionError with the field and what is allowed."""
    start = f"{where}: " if where else ""
    if not isinstance(data, dict):
        raise DecisionError(f"{start}a rule is a mapping with the key kind")
    struct = STRUCTS.get(str(data.get("kind")))
    if struct is None:
        raise DecisionError(
            f"{start}{data.get('kind')!r} is no kind of rule; allowed: {', '.join(KINDS)}"
        )
    try:
        rule = msgspec.convert(_plain(data), struct, strict=False)
    except msgspec.ValidationError as error:
        message = str(error)
        if "unknown field" in message:
            message += f"; allowed: kind, {', '.join(struct.__struct_fields__)}"
        raise DecisionError(start + message) from None
    return _checked(rule, start)


def _plain(data: Any) -> Any:
    """In files every scalar is a text: a shift is a number all the same."""
    if isinstance(data, dict):
        told = {str(k): _plain(v) for k, v in data.items()}
        if told.get("shift") in ("1", "+1", "-1"):
            told["shift"] = int(told["shift"])
        return told
    if isinstance(data, list):
        return [_plain(v) for v in data]
    return data


def _checked(rule: Rule, start: str) -> Rule:
    if not rule.name.strip() or len(rule.name) > 200 or not rule.name.isprintable():
        raise DecisionError(f"{start}name is a line of 1 to 200 characters")
    identity = rule.id or re.sub(r"[^a-z0-9]+", "-", rule.name.lower()).strip("-")[:64]
    if not _ID.fullmatch(identity):
        raise DecisionError(f"{start}id is made of a-z, 0-9, _ and -: {identity!r}")
    if identity.endswith("_default_rule"):
        raise DecisionError(f"{start}{identity} is the name of a default rule")
    if len(rule.description) > 10_000 or len(rule.query) > 4_000:
        raise DecisionError(f"{start}description or query is too long")
    expires = moment(rule.expires, datetime(2000, 1, 1), what="expires") if rule.expires else ""  # noqa: DTZ001
    if isinstance(rule, SeverityRule) and (rule.set is None) == (rule.shift is None):
        raise DecisionError(f"{start}a severity rule has set ({', '.join(SEVERITIES[:-1])}) or "
                            "shift (1 or -1)")  # fmt: skip
    if isinstance(rule, DueDateRule):
        if bool(rule.days) == bool(rule.tiers):
            raise DecisionError(f"{start}a due date rule has days by severity or tiers: bod-26-04")
        if any(not 0 <= d <= 3650 for d in rule.days.values()):
            raise DecisionError(f"{start}days are from 0 to 3650")
    if isinstance(rule, (TicketRule, NotificationRule)) and not 1 <= rule.daily_limit <= 10_000:
        raise DecisionError(f"{start}daily_limit is from 1 to 10000")
    if isinstance(rule, TicketRule) and not (rule.project or rule.connection):
        raise DecisionError(f"{start}a ticket rule has a project or a connection")
    if isinstance(rule, NotificationRule):
        if bool(rule.webhook) == bool(rule.connection):
            raise DecisionError(f"{start}a notification rule has a webhook or a connection")
        if rule.webhook and not rule.webhook.startswith(("https://", "http://")):
            raise DecisionError(f"{start}webhook is an http or https address")
    return msgspec.structs.replace(rule, id=identity, expires=expires)


def shown(rule: Rule) -> dict[str, Any]:
    """A rule as plain data, in the schema in which it can be read again."""
    told: dict[str, Any] = {"kind": kind(rule), **msgspec.to_builtins(rule)}
    return told


def active(rule: Rule, clock: datetime) -> bool:
    """Switched on and not ended."""
    return rule.enabled and not (rule.expires and rule.expires <= stamp(clock))


def severity_rank(word: Severity) -> int:
    """5 critical ... 0 unknown."""
    return 5 - SEVERITIES.index(word)
