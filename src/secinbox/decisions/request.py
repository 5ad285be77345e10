"""What may be asked of decisions: one request for every face, checked before anything happens."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

import msgspec

from secinbox.decisions.states import EMPTY, STATUSES, Change, DecisionError, day, moment, stamp
from secinbox.vocabulary import MUTE_REASONS, MuteReason

MAX_TEXT = 10_000
MAX_ITEMS = 10_000
Verb = Literal["mute", "unmute", "assign", "due", "comment", "status", "label", "severity", "undo"]
Status = Literal["open", "in_progress", "resolved"]
Level = Literal["critical", "high", "medium", "low", "info", ""]


class Item(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One issue to decide on; `version` is the one that the editor saw."""

    id: str
    version: int | None = None


class Request(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A decision and what it is about.

    Exactly one of: `issues` (ids or ranks), `query` (every issue that matches now), `findings`
    (ids), `rule` with `resource`, `matching` (every finding that matches, now and later), `batch`
    (undo only: all that one decision did).
    """

    action: Verb
    issues: list[Item | str] = []
    query: str | None = None
    findings: list[str] = []
    rule: str = ""
    resource: str = ""
    matching: str = ""
    batch: str = ""
    reason: MuteReason | None = None
    text: str = ""
    expires: str = ""
    until_worse: bool = False
    assignee: str | None = None
    assignee_kind: Literal["person", "team"] = "person"
    due: str | None = None
    status: Status | None = None
    severity: Level | None = None  # of findings; "" takes it back
    add: list[str] = []
    remove: list[str] = []
    dry_run: bool = False


# Made now: threads that meet the types of a struct for the first time together crash in msgspec 0.22.
_DECODER = msgspec.json.Decoder(Request)


def read(data: bytes | dict[str, Any]) -> Request:
    """A request from JSON. Raises DecisionError that names the field and what is allowed."""
    try:
        if isinstance(data, bytes):
            request = _DECODER.decode(data)
        else:
            request = msgspec.convert(data, Request)
    except msgspec.ValidationError as error:
        message = str(error)
        if "unknown field" in message:
            message += "; allowed: " + ", ".join(Request.__struct_fields__)
        raise DecisionError(message) from None
    except msgspec.DecodeError as error:
        raise DecisionError(f"the body is not JSON: {error}") from None
    return _checked(request)


def _checked(request: Request) -> Request:
    ways = {
        "issues": bool(request.issues), "query": request.query is not None,
        "findings": bool(request.findings), "rule and resource": bool(request.rule),
        "matching": bool(request.matching), "batch": bool(request.batch),
    }  # fmt: skip
    if sum(ways.values()) != 1:
        raise DecisionError(f"a decision is about exactly one of: {', '.join(ways)}")
    if bool(request.rule) != bool(request.resource):
        raise DecisionError("rule and resource go together")
    narrow = request.findings or request.rule or request.matching
    extra = ("assign", "severity") if request.findings else ()
    if request.action == "severity" and not request.findings:
        raise DecisionError("severity is given to findings")
    if narrow and request.action not in ("mute", "unmute", "undo", "comment", *extra):
        raise DecisionError(f"{request.action} is for issues; findings, a rule on a resource and "
                            "queries can be muted, unmuted, commented and undone")  # fmt: skip
    if request.batch and request.action != "undo":
        raise DecisionError("batch is for undo")
    if len(request.issues) > MAX_ITEMS or len(request.findings) > MAX_ITEMS:
        raise DecisionError(f"at most {MAX_ITEMS} at once; use a query")
    if len(request.text) > MAX_TEXT:
        raise DecisionError(f"text is at most {MAX_TEXT} characters")
    needed = {"mute": request.reason, "assign": request.assignee, "due": request.due,
              "status": request.status, "severity": request.severity, "comment": request.text.strip() or None,
              "label": (request.add or request.remove) or None}  # fmt: skip
    if request.action in needed and needed[request.action] is None:
        what = {"mute": f"a reason: {', '.join(MUTE_REASONS)}", "assign": "an assignee",
                "due": "a due date", "status": f"a status: {', '.join(STATUSES)}",
                "severity": "a severity", "comment": "text", "label": "labels to add or remove"}[request.action]  # fmt: skip
        raise DecisionError(f"{request.action} needs {what}")
    for label in (*request.add, *request.remove, request.assignee or ""):
        if len(label) > 100 or not label.isprintable():
            raise DecisionError("labels and assignees are at most 100 printable characters")
    if any(not label.strip() for label in (*request.add, *request.remove)):
        raise DecisionError("a label is not empty")
    return request


def change(request: Request, now: datetime) -> Change:
    """The change of state that a request asks for. Raises DecisionError."""
    if request.action == "mute":
        expires = moment(request.expires, now, what="expires") if request.expires else ""
        if expires and expires <= stamp(now):
            raise DecisionError(f"expires is in the past: {expires}")
        fields = {"reason": request.reason, "text": request.text, "expires": expires,
                  "until_worse": request.until_worse}  # fmt: skip
        return Change("mute", fields, request.text)
    if request.action == "assign":
        given = (request.assignee or "").strip()
        kind = request.assignee_kind if given else ""
        return Change("assign", {"assignee": given, "assignee_kind": kind}, request.text)
    if request.action == "due":
        due = day(request.due, now) if request.due else ""
        return Change("due", {"due": due}, request.text)
    if request.action == "severity":
        return Change("severity", {"override": request.severity or ""}, request.text)
    if request.action == "label":
        return Change("label", {}, request.text, tuple(request.add), tuple(request.remove))
    return Change(request.action, {}, request.text)


def shown(state: dict[str, Any]) -> dict[str, Any]:
    """A state as faces show it: no bookkeeping, labels as a list, nothing as null."""
    told = {k: state[k] or None for k in EMPTY if k not in ("severity", "risks", "labels")}
    told["until_worse"] = bool(state["until_worse"])
    return {**told, "labels": json.loads(state["labels"]), "version": state["version"]}
