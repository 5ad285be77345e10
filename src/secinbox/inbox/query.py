"""The query language: one text for rules, search box, CLI and API, compiled to SQL.

`type:misconfiguration severity:(critical OR high) -team:platform risk.public_accessibility:yes
epss:>0.1 resource:*prod* first_seen:<2026-01-01`

Words side by side are all required. Values never become part of the SQL text: they are
parameters. A mistake is answered with its column and the allowed names.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from secinbox.facts.staging import SEVERITY_RANK
from secinbox.vocabulary import RISKS


class QueryError(ValueError):
    """A query that cannot be understood: what, at which column, and what would be allowed."""

    def __init__(self, message: str, column: int = 0, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message + (f" (column {column})" if column else ""))
        self.message = message
        self.column = column
        self.allowed = allowed


@dataclass(frozen=True)
class Field:
    """A name that a query may use: its SQL, its kind and what it means.

    kind: text (case-insensitive, `*` is a wildcard), word (closed list `words`), number, time,
    flag (yes, no), level (severity).
    """

    sql: str
    kind: str
    help: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """SQL of a condition and its parameters, in order."""

    sql: str
    parameters: tuple[Any, ...] = ()


_AND, _OR = " AND ", " OR "


def compile_query(
    text: str,
    fields: Mapping[str, Field],
    free_text: tuple[str, ...],
    clock: datetime,
) -> Compiled:
    """The condition for a query text. Raises QueryError. An empty query is true."""
    if not text.strip():
        return Compiled("TRUE")
    if len(text) > 4000:
        raise QueryError("the query is longer than 4000 characters")
    return _Compiler(text, fields, free_text, clock).run()


class _Compiler:
    def __init__(
        self,
        text: str,
        fields: Mapping[str, Field],
        free_text: tuple[str, ...],
        clock: datetime,
    ) -> None:
        self.text = text
        self.fields = fields
        self.free_text = free_text
        self.clock = clock
        self.parameters: list[Any] = []

    def run(self) -> Compiled:
        from luqum.exceptions import ParseError
        from luqum.parser import lexer, parser

        # `a:b` values with colons (ARNs) are one word for people: quote them for the parser.
        text = foreign(self.text)
        text = re.sub(
            r"(?<![\w\"])((?:-|NOT )?)([A-Za-z_][\w.]*):((?:arn|k8s|repo|image|service|accesskey"
            r"|host|urn|//)[^\s()\"]*)",
            lambda m: f'{m.group(1)}{m.group(2)}:"{m.group(3)}"',
            text,
        )
        try:
            lexer.lineno = 1
            tree = parser.parse(text, lexer=lexer)
        except ParseError as error:
            found = re.search(r"position (\d+)", str(error))
            column = int(found.group(1)) + 1 if found else len(text)
            raise QueryError(
                "the query cannot be read: check brackets and quotes", column
            ) from None
        if tree is None:
            return Compiled("TRUE")
        return Compiled(self._node(tree, None), tuple(self.parameters))

    def _node(self, node: Any, field: str | None) -> str:
        kind = type(node).__name__
        if kind in ("AndOperation", "UnknownOperation", "BoolOperation"):
            return "(" + _AND.join(self._node(c, field) for c in node.children) + ")"
        if kind == "OrOperation":
            return "(" + _OR.join(self._node(c, field) for c in node.children) + ")"
        if kind in ("Not", "Prohibit"):
            return f"(NOT coalesce({self._node(node.children[0], field)}, FALSE))"
        if kind in ("Group", "FieldGroup", "Plus"):
            return self._node(node.children[0], field)
        if kind == "SearchField":
            self._field(node.name, node.pos)
            return self._node(node.expr, node.name)
        if kind in ("Word", "Phrase", "Regex", "Range", "From", "To"):
            return self._leaf(kind, node, field)
        raise QueryError(f"{kind.lower()} is not part of the query language", _column(node))

    def _field(self, name: str, position: int | None) -> Field:
        known = self.fields.get(name)
        if known is None:
            near = tuple(difflib.get_close_matches(name, self.fields, 3, 0.5)) or tuple(
                sorted(self.fields)
            )
            raise QueryError(
                f"there is no field {name!r}; allowed: {', '.join(near)}",
                (position or 0) + 1,
                near,
            )
        return known

    def _leaf(self, kind: str, node: Any, name: str | None) -> str:
        if kind == "Regex":
            raise QueryError("regular expressions are not part of the language", _column(node))
        if kind in ("Word", "Phrase"):
            phrase = kind == "Phrase"
            value = (node.value[1:-1].replace('\\"', '"') if phrase
                     else node.value.replace("\\", ""))  # fmt: skip
            if name is None:
                return self._free(value)
            if kind == "Word" and "," in value:
                return (
                    "("
                    + _OR.join(self._compare(name, "=", v, node) for v in value.split(",") if v)
                    + ")"
                )
            match = re.match(r"(>=|<=|>|<)(.+)", value)
            if match:
                return self._compare(name, match.group(1), match.group(2), node)
            return self._compare(name, "=", value, node)
        if name is None:
            raise QueryError("a range needs a field, for example epss:[0.1 TO 1]", _column(node))
        if kind == "Range":
            low, high = _plain(node.low), _plain(node.high)
            parts = []
            if low != "*":
                parts.append(self._compare(name, ">=" if node.include_low else ">", low, node))
            if high != "*":
                parts.append(self._compare(name, "<=" if node.include_high else "<", high, node))
            return "(" + (_AND.join(parts) or "TRUE") + ")"
        operator = (">" if kind == "From" else "<") + ("=" if node.include else "")
        return self._compare(name, operator, _plain(node.children[0]), node)

    def _free(self, value: str) -> str:
        pattern = _like(f"*{value}*" if "*" not in value else value)
        tests = []
        for sql in self.free_text:
            self.parameters.append(pattern)
            tests.append(f"{sql} ILIKE ? ESCAPE '\\'")
        return "(" + _OR.join(tests) + ")"

    def _compare(self, name: str, operator: str, value: str, node: Any) -> str:
        field = self._field(name, node.pos)
        if field.kind == "text":
            if operator != "=":
                raise QueryError(f"{name} is a text: {operator} does not apply", _column(node))
            if value == "*":
                return f"coalesce({field.sql}, '') <> ''"
            self.parameters.append(_like(value))
            return f"{field.sql} ILIKE ? ESCAPE '\\'"
        if field.kind in ("word", "flag"):
            words = field.words or ("yes", "no")
            if value.lower() not in words or operator != "=":
                raise QueryError(
                    f"{name} is one of: {', '.join(words)}", _column(node), tuple(words)
                )
            if field.kind == "flag":
                return field.sql if value.lower() == "yes" else f"NOT coalesce({field.sql}, FALSE)"
            self.parameters.append(value.lower())
            return f"{field.sql} = ?"
        if field.kind == "level":
            rank = SEVERITY_RANK.get(value.lower())
            if rank is None:
                words = tuple(SEVERITY_RANK)
                raise QueryError(f"{name} is one of: {', '.join(words)}", _column(node), words)
            self.parameters.append(rank)
            return f"{field.sql} {operator} ?"
        if field.kind == "number":
            try:
                self.parameters.append(float(value))
            except ValueError:
                raise QueryError(f"{name} is a number, not {value!r}", _column(node)) from None
            return f"{field.sql} {operator} ?"
        return self._time(name, field, operator, value, node)

    def _time(self, name: str, field: Field, operator: str, value: str, node: Any) -> str:
        relative = re.fullmatch(r"(\d+)([hdwmy])", value)
        if relative:
            hours = {"h": 1, "d": 24, "w": 168, "m": 730, "y": 8760}[relative.group(2)]
            span = timedelta(hours=int(relative.group(1)) * hours)
            # `first_seen:<7d` is an age: younger than seven days.
            self.parameters.append(self.clock - span)
            flipped = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": ">="}[operator]
            return f"{field.sql} {flipped} ?"
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise QueryError(
                f"{name} is a date (2026-01-31) or an age (7d), not {value!r}", _column(node)
            ) from None
        self.parameters.append(moment.replace(tzinfo=None))
        if operator == "=":
            self.parameters.append(moment.replace(tzinfo=None) + timedelta(days=1))
            return f"({field.sql} >= ? AND {field.sql} < ?)"
        return f"{field.sql} {operator} ?"


def _plain(node: Any) -> str:
    value = str(node.value if hasattr(node, "value") else node)
    return value.strip('"').strip()


def _like(value: str) -> str:
    """Wildcards of the language (`*`, `?`; not `\\*`, `\\?`) as those of SQL, all else as itself."""
    words = {"*": "%", "?": "_", "%": r"\%", "_": r"\_", "\\": r"\\"}
    return re.sub(
        r"\\([*?\\])|([*?%_\\])",
        lambda m: words[m[2]] if m[2] else words["\\"] if m[1] == "\\" else m[1],
        value,
    )


def quoted(value: str) -> str:
    """A text as a query finds exactly this text."""
    return '"' + re.sub(r'([\\"*?])', r"\\\1", value) + '"'


def _column(node: Any) -> int:
    return (node.pos or 0) + 1 if getattr(node, "pos", None) is not None else 0


def risk_fields(sql: Callable[[str], str]) -> dict[str, Field]:
    """`risk.public_accessibility:yes` and the short forms `risk.public:yes`."""
    short = {"public": 0, "privileged": 1, "attacked": 2, "exploit": 3, "production": 4}
    words = ("yes", "no", "unknown")
    fields = {}
    for column, index in short.items():
        case = f"CASE {sql(column)} WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE 'unknown' END"
        for name in (RISKS[index], column):
            fields[f"risk.{name}"] = Field(case, "word", f"detected risk {RISKS[index]}", words)
    return fields


# Attribute names of the public findings schema, for queries written for it.
_FOREIGN = {
    "finding_id": "id", "finding_type": "type", "severity": "severity", "title": "title",
    "resource_id": "resource", "resource_name": "resource", "service.name": "service",
    "rule.id": "rule", "rule.name": "title", "advisory.cve": "cve", "advisory.id": "cve",
    "package.name": "package", "code_location.filename": "location", "first_seen_at": "first_seen",
    "last_seen_at": "last_seen", "is_in_security_inbox": "in_inbox",
    "cloud_resource.account": "account", "origin": "tool",
    "risk.is_publicly_accessible": "risk.public", "risk.has_privileged_access": "risk.privileged",
    "risk.is_exposed_to_attacks": "risk.attacked", "risk.has_exploit_available": "risk.exploit",
    "risk.is_production": "risk.production", "status": "status",
}  # fmt: skip


def foreign(text: str) -> str:
    """`@risk.is_production:true` as `risk.production:yes`; all else as it is."""
    if "@" not in text:
        return text
    text = re.sub(
        r"(?<![\w\"])@([A-Za-z_][\w.]*):",
        lambda m: _FOREIGN.get(m.group(1), "@" + m.group(1)) + ":",
        text,
    )
    return re.sub(
        r"\b((?:risk\.\w+|in_inbox):)(true|false)\b",
        lambda m: m.group(1) + ("yes" if m.group(2) == "true" else "no"),
        text,
    )
