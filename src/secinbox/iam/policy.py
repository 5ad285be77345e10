"""Policy documents as typed statements.

Input is what the API gives: a JSON object, its text, or its URL-encoded text; lists may be single
values. What AWS would refuse (no Effect, both Action and NotAction ...) is kept as a statement of
effect `broken`: it makes answers unknown, it is never silently left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import msgspec

from secinbox.iam.matching import action_matches
from secinbox.iam.universe import EVERYTHING, UNIVERSE, actions_of

VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,[^}]*)?\}")
Condition = tuple[str, str, tuple[str, ...]]  # operator, key in lower case, values


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement. `None` lists mean that the element is absent."""

    effect: str  # Allow | Deny | broken
    actions: tuple[str, ...] | None = None  # lower case
    not_actions: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    not_resources: tuple[str, ...] | None = None
    principals: tuple[tuple[str, str], ...] | None = None  # (AWS | Service | Federated ..., value)
    not_principals: tuple[tuple[str, str], ...] | None = None
    conditions: tuple[Condition, ...] = ()
    sid: str = ""
    variables: bool = False  # Version 2012-10-17: ${...} has a meaning
    origin: str = ""  # the policy's name or ARN, for people

    def about(self, action: str) -> bool:
        """The Action part speaks of this action (in lower case)."""
        known = UNIVERSE.bit(action)
        if known:
            return bool(self.bits & known)
        if self.effect == "broken":
            return True
        if self.actions is not None:
            return any(action_matches(p, action) for p in self.actions)
        return not any(action_matches(p, action) for p in self.not_actions or ())

    @cached_property
    def bits(self) -> int:
        """The known actions that the Action part speaks of; a broken statement may be about any."""
        if self.effect == "broken":
            return EVERYTHING
        if self.actions is not None:
            return actions_of(self.actions)
        return ~actions_of(self.not_actions or ())

    @cached_property
    def text(self) -> str:
        """The statement in one short line, for evidence."""
        if self.effect == "broken":
            return f"unreadable statement in {self.origin or 'a policy'}"
        what = (
            _short(self.actions) if self.actions is not None else f"not {_short(self.not_actions)}"
        )
        where = (
            _short(self.resources)
            if self.resources is not None
            else f"not {_short(self.not_resources)}"
            if self.not_resources is not None
            else ""
        )
        parts = [f"{self.effect} {what}"]
        if where:
            parts.append(f"on {where}")
        if self.conditions:
            parts.append("if " + " and ".join(condition_text(c) for c in self.conditions))
        label = f" ({self.origin})" if self.origin else ""
        return " ".join(parts) + label

    @cached_property
    def plain(self) -> bool:
        """No condition and no variable: only action and resource decide."""
        patterns = (*(self.resources or ()), *(self.not_resources or ()))
        return (
            self.effect != "broken" and not self.conditions and not any("${" in p for p in patterns)
        )

    @cached_property
    def keys(self) -> frozenset[str]:
        """Condition keys, in lower case."""
        return frozenset(key for _, key, _ in self.conditions)

    @cached_property
    def names(self) -> frozenset[str]:
        """Condition keys and policy variables, in lower case: what of the request decides."""
        if not self.variables:
            return self.keys
        texts = [*(self.resources or ()), *(self.not_resources or ())]
        texts += [v for _, _, values in self.conditions for v in values]
        found = (m.group(1) for t in texts if "${" in t for m in VARIABLE.finditer(t))
        return self.keys | {n.lower() for n in found if n not in ("*", "?", "$")}


def condition_text(condition: Condition) -> str:
    operator, key, values = condition
    return f"{key} {operator} {_short(values)}"


def _short(values: tuple[str, ...] | None) -> str:
    items = values or ()
    text = ", ".join(items[:3])
    return f"{text} and {len(items) - 3} more" if len(items) > 3 else text or "nothing"


@dataclass(frozen=True, eq=False)
class Policy:
    """A parsed document. `problems` says what could not be understood."""

    statements: tuple[Statement, ...]
    name: str = ""
    problems: tuple[str, ...] = ()

    @cached_property
    def allowed(self) -> int:
        """The known actions that some Allow speaks of; a broken statement could be one."""
        return _union(s for s in self.statements if s.effect != "Deny")

    @cached_property
    def forbidden(self) -> int:
        """The known actions that are denied for every resource and request."""
        return _union(
            s for s in self.statements
            if s.effect == "Deny" and not s.conditions and "*" in (s.resources or ())
        )  # fmt: skip


def _union(statements: Iterable[Statement]) -> int:
    found = 0
    for statement in statements:
        found |= statement.bits
    return found


def parse(document: Any, name: str = "") -> Policy:
    """Never raises: a document that cannot be read is one `broken` statement with a problem."""
    problems: list[str] = []
    body = _decode(document)
    if not isinstance(body, Mapping):
        return Policy((Statement("broken", origin=name),), name, ("not a policy document",))
    raw = body.get("Statement")
    entries = raw if isinstance(raw, list) else [raw] if isinstance(raw, Mapping) else []
    if raw is None or (not entries and raw != []):
        return Policy((Statement("broken", origin=name),), name, ("no Statement",))
    variables = body.get("Version") == "2012-10-17"
    statements = []
    for index, entry in enumerate(entries):
        statement, problem = _statement(entry, variables, name)
        statements.append(statement)
        if problem:
            problems.append(f"Statement[{index}]: {problem}")
    return Policy(tuple(statements), name, tuple(problems))


def _decode(document: Any) -> Any:
    if not isinstance(document, str):
        return document
    text = document.strip()
    if text.startswith(("%7B", "%7b")):
        text = unquote(text)
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _statement(entry: Any, variables: bool, origin: str) -> tuple[Statement, str]:
    broken = Statement("broken", origin=origin)
    if not isinstance(entry, Mapping):
        return broken, "not an object"
    effect = entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        return broken, f"Effect is {effect!r}"
    if ("Action" in entry) == ("NotAction" in entry):
        return broken, "needs one of Action and NotAction"
    if "Resource" in entry and "NotResource" in entry:
        return broken, "has both Resource and NotResource"
    lists: dict[str, tuple[str, ...] | None] = {}
    for field in ("Action", "NotAction", "Resource", "NotResource"):
        lists[field] = _texts(entry[field]) if field in entry else None
        if field in entry and lists[field] is None:
            return broken, f"{field} is not a list of texts"
    principals = not_principals = None
    if "Principal" in entry:
        principals = _principals(entry["Principal"])
        if principals is None:
            return broken, "Principal is not understood"
    if "NotPrincipal" in entry:
        not_principals = _principals(entry["NotPrincipal"])
        if not_principals is None:
            return broken, "NotPrincipal is not understood"
    conditions = _conditions(entry.get("Condition"))
    if conditions is None:
        return broken, "Condition is not understood"
    return (
        Statement(
            effect=effect,
            actions=_lower(lists["Action"]),
            not_actions=_lower(lists["NotAction"]),
            resources=lists["Resource"],
            not_resources=lists["NotResource"],
            principals=principals,
            not_principals=not_principals,
            conditions=conditions,
            sid=str(entry.get("Sid") or ""),
            variables=variables,
            origin=origin,
        ),
        "",
    )


def _lower(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(v.lower() for v in values)


def _texts(value: Any) -> tuple[str, ...] | None:
    items = value if isinstance(value, list) else [value]
    return tuple(items) if all(isinstance(i, str) for i in items) else None


def _principals(value: Any) -> tuple[tuple[str, str], ...] | None:
    if value == "*":
        return (("*", "*"),)
    if not isinstance(value, Mapping):
        return None
    out: list[tuple[str, str]] = []
    for kind, entries in value.items():
        texts = _texts(entries)
        if texts is None:
            return None
        out.extend((str(kind), text) for text in texts)
    return tuple(out)


def _conditions(value: Any) -> tuple[Condition, ...] | None:
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        return None
    out: list[Condition] = []
    for operator, block in value.items():
        if not isinstance(block, Mapping):
            return None
        for key, raw in block.items():
            items = raw if isinstance(raw, list) else [raw]
            if not all(isinstance(i, (str, bool, int, float)) for i in items):
                return None
            texts = tuple(str(i).lower() if isinstance(i, bool) else str(i) for i in items)
            out.append((str(operator), str(key).lower(), texts))
    return tuple(out)
