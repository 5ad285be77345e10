"""What expressions of Terraform come to, where that can be told from the sources alone.

What cannot be told is `Unknown`. In a text it stands as a mark, `(var.name~1a2b3c)`: two texts with
the same mark are the same text, and no mark can be mistaken for a value. Work is bounded.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from secinbox.inventory.hcl.syntax import (
    Attribute,
    Call,
    Choice,
    Directive,
    Expression,
    For,
    Index,
    Literal,
    Name,
    Object,
    Operation,
    Sequence,
    Splat,
    Template,
)  # fmt: skip
from secinbox.reading import ReportError

MARK = re.compile(r"\([^()\s~]+~[0-9a-f]{6}\)")
_MAX_TEXT = 1 << 20
_MAX_ITEMS = 10_000
_MAX_PARTS = 100_000


@dataclass(frozen=True)
class Unknown:
    """Nobody can tell from the sources. `mark` stands for it in texts."""

    mark: str


@runtime_checkable
class Instance(Protocol):
    """A resource, whose attributes are worked out when they are asked for."""

    def attribute(self, name: str) -> Any: ...


class Budget:
    """How many steps all the sources of one import may take."""

    def __init__(self, steps: int = 3_000_000) -> None:
        self.left = steps
        self.numbers = 0

    def number(self) -> int:
        """Another one at every call."""
        self.numbers += 1
        return self.numbers

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise ReportError("too much to work out", "$", "import a smaller folder")


Reach = Callable[[str, tuple[str | int, ...]], Any]  # first name, and the names that follow


class Evaluator:
    """Values of expressions in one module. `reach` follows references, `tag` ends marks."""

    def __init__(self, reach: Reach, tag: str, budget: Budget) -> None:
        self.reach = reach
        self.tag = tag
        self.budget = budget

    def unknown(self, name: str) -> Unknown:
        plain = re.sub(r"[^\w.\-]", "_", name)[:120]
        return Unknown(f"({plain}~{self.tag})")

    def fresh(self, name: str) -> Unknown:
        """Something unknown that has no name of its own: never the same as another one."""
        return self.unknown(f"{name}.{self.budget.number()}")

    def value(self, e: Expression, own: Mapping[str, Any]) -> Any:
        """`own`: names that only hold here (`each`, `count`, `self`, those of a for)."""
        self.budget.spend()
        match e:
            case Literal():
                return e.value
            case Template():
                return self._text(e, own)
            case Name() | Attribute() | Index():
                return self._reference(e, own)
            case Sequence():
                return [self.value(i, own) for i in e.items]
            case Object():
                pairs = [(self.value(k, own), v) for k, v in e.pairs]
                return {self.text(k): self.value(v, own) for k, v in pairs}
            case Choice():
                condition = self.value(e.condition, own)
                if isinstance(condition, bool):
                    return self.value(e.yes if condition else e.no, own)
                yes, no = self.value(e.yes, own), self.value(e.no, own)
                return (
                    yes
                    if not large(yes) and not large(no) and yes == no
                    else self.fresh("a-choice")
                )
            case Operation():
                return self._operation(e, own)
            case Splat():
                found = self.value(e.of, own)
                rows = found if isinstance(found, list) else [found]
                for name in e.names:
                    rows = [self._step(r, name) for r in rows]
                return rows
            case For():
                return self._each(e, own)
            case Call():
                return self._call(e, own)
            case _:
                return self.fresh("a-directive")

    def text(self, value: Any) -> str:
        """As it stands in a template."""
        if isinstance(value, Unknown):
            return value.mark
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        if isinstance(value, (str, int, float)):
            return str(value)
        return self.fresh("not-a-text").mark

    def _text(self, e: Template, own: Mapping[str, Any]) -> Any:
        if any(isinstance(p, Directive) for p in e.parts):
            return self.fresh("a-directive")
        made = "".join(self.text(self.value(p, own)) for p in e.parts)
        return made if len(made) <= _MAX_TEXT else self.fresh("a-long-text")

    def _reference(self, e: Expression, own: Mapping[str, Any]) -> Any:
        steps: list[str | int] = []
        while not isinstance(e, Name):
            if isinstance(e, Attribute):
                steps.append(e.name)
                e = e.of
            elif isinstance(e, Index):
                key = self.value(e.key, own)
                if isinstance(key, Unknown):
                    return self.fresh("an-element")
                steps.append(key if isinstance(key, int) else self.text(key))
                e = e.of
            else:
                return self._steps(self.value(e, own), steps[::-1])
        if e.name in own:
            return self._steps(own[e.name], steps[::-1])
        return self.reach(e.name, tuple(reversed(steps)))

    def _steps(self, value: Any, steps: list[str | int]) -> Any:
        for step in steps:
            value = self._step(value, step)
        return value

    def _step(self, value: Any, step: str | int) -> Any:
        if isinstance(value, Unknown):
            return self.unknown(f"{value.mark[1:-8]}.{step}")
        if isinstance(value, Instance):
            # `x[0]` of what was not counted is x
            return value if isinstance(step, int) else value.attribute(step)
        if isinstance(value, dict):
            return value[str(step)] if str(step) in value else self.fresh(f"no.{step}")
        if isinstance(value, list) and isinstance(step, int) and -1 < step < len(value):
            return value[step]
        return self.fresh(f"no.{step}")

    def _operation(self, e: Operation, own: Mapping[str, Any]) -> Any:
        values = [self.value(o, own) for o in e.operands]
        left, right = values[0], values[-1]
        if e.operator in ("&&", "||"):
            decides = e.operator == "||"
            if decides in (left, right) and (left is decides or right is decides):
                return decides
        if any(vague(v) for v in values):
            return self.fresh("an-operation")
        if e.operator in ("==", "!="):
            return (left == right) is (e.operator == "==")
        if e.operator in ("&&", "||", "!"):
            if not all(isinstance(v, bool) for v in values):
                return self.fresh("an-operation")
            return not left if e.operator == "!" else e.operator == "&&"
        numbers = [_number(v) for v in values]
        if any(n is None or abs(n) > 1e15 for n in numbers):
            return self.fresh("an-operation")
        a, b = numbers[0] or 0, numbers[-1] or 0
        if len(values) == 1:
            return -a
        if e.operator in ("/", "%") and b == 0:
            return self.fresh("an-operation")
        made: dict[str, Callable[[], Any]] = {
            "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b,
            "%": lambda: a % b, "<": lambda: a < b, ">": lambda: a > b, "<=": lambda: a <= b,
            ">=": lambda: a >= b,
        }  # fmt: skip
        return made[e.operator]()

    def _each(self, e: For, own: Mapping[str, Any]) -> Any:
        over = self.value(e.over, own)
        if isinstance(over, dict):
            rows: list[tuple[Any, Any]] = list(over.items())
        elif isinstance(over, list):
            rows = list(enumerate(over))
        else:
            return self.fresh("a-for")
        items: list[Any] = []
        pairs: dict[str, Any] = {}
        for key, value in rows:
            names = dict(own)
            names |= (
                {e.names[0]: value}
                if len(e.names) == 1
                else dict(zip(e.names, (key, value), strict=True))
            )
            if e.condition is not None:
                kept = self.value(e.condition, names)
                if not isinstance(kept, bool):
                    return self.fresh("a-for")
                if not kept:
                    continue
            made = self.value(e.value, names)
            if e.key is None:
                items.append(made)
                continue
            name = self.text(self.value(e.key, names))
            if e.grouped:
                pairs.setdefault(name, []).append(made)
            else:
                pairs[name] = made
        return items if e.key is None else pairs

    def _call(self, e: Call, own: Mapping[str, Any]) -> Any:
        name = e.name.removeprefix("core::")
        if name in ("try", "coalesce", "can"):
            for argument in e.arguments:
                found = self.value(argument, own)
                if isinstance(found, Unknown):
                    return self.fresh(name)
                if name != "coalesce" or found not in (None, ""):
                    return found if name != "can" else True
            return self.fresh(name)
        values = [self.value(a, own) for a in e.arguments]
        if e.spread:
            if not isinstance(values[-1], list):
                return self.fresh(name)
            values = [*values[:-1], *values[-1]]
        if name in ("jsonencode", "jsondecode", "toset", "tolist", "tomap", "tostring", "sensitive",
                    "nonsensitive", "merge", "concat", "list", "lookup", "element", "flatten",
                    "compact", "distinct", "join", "format", "values", "keys", "one", "map"):  # fmt: skip
            made = self._shaped(name, values)
        elif any(isinstance(v, Unknown) or vague(v) for v in values):
            made = None
        else:
            self.budget.spend(len(values))
            made = _plain(name, values)
        if made is None or (isinstance(made, list) and len(made) > _MAX_ITEMS):
            return self._named(name, values)
        return self._named(name, []) if isinstance(made, str) and len(made) > _MAX_TEXT else made

    def _named(self, name: str, values: list[Any]) -> Unknown:
        """The same function of the same values is the same text."""
        if not values:
            return self.fresh(name)
        given = [json.dumps(self.encoded(v), sort_keys=True) for v in values]
        said = "-".join(MARK.sub(lambda m: m.group()[1:-8], g) for g in given)
        digest = hashlib.sha256("\0".join(given).encode("utf-8", "replace")).hexdigest()[:6]
        shown = re.sub(r"[^A-Za-z0-9._-]", "", said)[:60]
        return self.unknown(f"{name}-{shown}-{digest}")

    def encoded(self, value: Any) -> Any:
        """As JSON would hold it, with marks."""
        self.budget.spend()
        if isinstance(value, dict):
            return {k: self.encoded(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.encoded(v) for v in value]
        if isinstance(value, Instance):
            return self.fresh("a-resource").mark
        return value.mark if isinstance(value, Unknown) else value

    def _shaped(self, name: str, values: list[Any]) -> Any:
        """Functions that may hold something unknown inside."""
        first = values[0] if values else None
        if name == "jsonencode":
            return json.dumps(self.encoded(first)) if values else None
        if name == "jsondecode" and isinstance(first, str) and len(first) < _MAX_TEXT:
            try:
                return json.loads(first)
            except (ValueError, RecursionError):
                return None
        if name in ("toset", "tolist", "distinct", "tomap", "sensitive", "nonsensitive"):
            if name in ("toset", "distinct") and isinstance(first, list):
                return list(
                    {json.dumps(self.encoded(v), sort_keys=True): v for v in first}.values()
                )
            return first
        if name == "tostring":
            return self.text(first) if isinstance(first, (str, int, float)) else None
        if name == "list":
            return values
        if (
            name in ("map", "lookup")
            and name == "lookup"
            and isinstance(first, dict)
            and len(values) > 1
        ):
            known = isinstance(values[1], str)
            return first.get(values[1], values[2] if len(values) > 2 else None) if known else None
        if name == "merge" and all(isinstance(v, dict) for v in values):
            return {k: v for row in values for k, v in row.items()}
        if name == "concat" and all(isinstance(v, list) for v in values):
            self.budget.spend(sum(len(v) for v in values))
            return [x for row in values for x in row]
        if name in ("flatten", "compact") and isinstance(first, list):
            rows = [
                x for v in first for x in (v if isinstance(v, list) and name == "flatten" else [v])
            ]
            return rows if name == "flatten" else [x for x in rows if x not in (None, "")]
        if name in ("element", "one") and isinstance(first, list) and first:
            place = values[1] if len(values) > 1 else 0
            return first[place % len(first)] if isinstance(place, int) else None
        if (
            name == "join"
            and len(values) == 2
            and isinstance(first, str)
            and isinstance(values[1], list)
        ):
            return first.join(self.text(v) for v in values[1])
        if name == "format" and isinstance(first, str) and not re.search(r"%[^sd%v]", first):
            rest = iter(values[1:])
            return re.sub(r"%[sdv%]", lambda m: "%" if m.group() == "%%" else self.text(next(rest, None)), first)  # fmt: skip
        if name in ("values", "keys") and isinstance(first, dict):
            return list(first.values() if name == "values" else first)
        return None


def vague(value: Any) -> bool:
    """It is unknown, holds something that is, or is too large to look through."""
    for number, part in enumerate(_parts(value)):
        if number > _MAX_PARTS or isinstance(part, Unknown):
            return True
        if isinstance(part, str) and MARK.search(part):
            return True
    return False


def large(value: Any) -> bool:
    """Lists that hold lists that hold lists: more parts than any real source has."""
    return any(number > _MAX_PARTS for number, _ in enumerate(_parts(value)))


def _parts(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _number(value: Any) -> float | int | None:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}", value):
        return int(value)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _plain(name: str, values: list[Any]) -> Any:
    """Functions of known values; None for what is not known here."""
    first = values[0] if values else None
    if isinstance(first, str):
        if name in ("lower", "upper", "title", "trimspace"):
            return {"lower": first.lower, "upper": first.upper, "title": first.title,
                    "trimspace": first.strip}[name]()  # fmt: skip
        if name == "base64encode":
            return base64.b64encode(first.encode()).decode()
        if name == "length":
            return len(first)
        if name == "tonumber":
            return _number(first)
        if name == "tobool":
            return {"true": True, "false": False}.get(first)
        if len(values) > 1 and all(isinstance(v, str) for v in values):
            second = values[1]
            if name == "split":
                return second.split(first) if first else None
            if name in ("trimprefix", "trimsuffix"):
                cut = first.removeprefix if name == "trimprefix" else first.removesuffix
                return cut(second)
            if name == "replace" and len(values) == 3 and second and not second.startswith("/"):
                return first.replace(second, values[2])
        if name == "substr" and len(values) == 3 and all(isinstance(v, int) for v in values[1:]):
            start, size = values[1:]
            return first[start : None if size < 0 else start + size]
        if (
            name == "cidrsubnet"
            and len(values) == 3
            and all(isinstance(v, int) for v in values[1:])
        ):
            return _subnet(first, values[1], values[2])
    if name == "length" and isinstance(first, (list, dict)):
        return len(first)
    if name == "contains" and isinstance(first, list) and len(values) == 2:
        return values[1] in first
    if name == "tobool" and isinstance(first, bool):
        return first
    if name in ("max", "min") and values and all(_number(v) is not None for v in values):
        return (max if name == "max" else min)(_number(v) or 0 for v in values)
    if name == "range" and isinstance(first, int) and len(values) == 1 and 0 <= first <= 1000:
        return list(range(first))
    return None


def _subnet(prefix: str, bits: int, number: int) -> str | None:
    try:
        network = ipaddress.ip_network(prefix, strict=False)
    except ValueError:
        return None
    size = network.max_prefixlen - network.prefixlen - bits
    if bits < 0 or size < 0 or not 0 <= number < 1 << bits:
        return None
    first = int(network.network_address) + (number << size)
    return f"{type(network.network_address)(first)}/{network.prefixlen + bits}"
