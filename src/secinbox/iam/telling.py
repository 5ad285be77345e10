"""Values of a request that statements can tell apart, and the combinations of them that are tried.

Two values that fulfil the same conditions are one: a list of a hundred names is tried once. What is left
over the limits is said (`whole` is False): a no is then no more than unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, islice, product
from math import prod
from typing import Generic, TypeVar

from secinbox.iam.conditions import condition_holds
from secinbox.iam.policy import VARIABLE, Statement

MANY = "more values of conditions than are tried"
MOST_VALUES = 16  # of one key
MOST_TRIED = 256  # combinations
Value = tuple[str, ...] | None
T = TypeVar("T")


def told_apart(
    values: Iterable[Value], keys: Sequence[str], statements: Iterable[Statement]
) -> list[Value]:
    """One of each kind, in order, that some condition on one of the keys treats differently.

    All of them where a variable puts the value into something else.
    """
    found = list(dict.fromkeys(values))
    conditions: dict[tuple[str, str, tuple[str, ...], bool], None] = {}
    for statement in statements:
        if statement.variables and _as_variable(statement, keys):
            return found
        for operator, key, wanted in statement.conditions:
            if key in keys:
                if statement.variables and any("${" in w for w in wanted):
                    return found
                conditions[operator, key, wanted, statement.variables] = None
    out: dict[tuple[bool | None, ...], Value] = {}
    for value in found:
        context = dict.fromkeys(keys, value)
        kind = tuple(
            condition_holds((o, k, w), context, v) for o, k, w, v in conditions
        )  # fmt: skip
        out.setdefault(kind, value)
    return list(out.values())


def _as_variable(statement: Statement, keys: Sequence[str]) -> bool:
    texts = [*(statement.resources or ()), *(statement.not_resources or ())]
    texts += [v for _, _, values in statement.conditions for v in values]
    return any(m.group(1).lower() in keys for t in texts if "${" in t for m in VARIABLE.finditer(t))


def numbers_beside(operator: str, value: str) -> list[str]:
    """A little less and a little more, which comparisons of numbers tell apart."""
    if "numeric" not in operator.lower() or not value.lstrip("-").isdigit():
        return []
    return [str(int(value) - 1), str(int(value) + 1)]


@dataclass(frozen=True)
class Tried(Generic[T]):
    """One option of each row, as many combinations as are allowed; `whole` where these are all."""

    rows: Sequence[Sequence[T]]
    cut: bool = False  # options were left out of a row

    @cached_property
    def whole(self) -> bool:
        return not self.cut and prod(len(r) for r in self.rows) <= MOST_TRIED

    def __iter__(self) -> Iterator[tuple[T, ...]]:
        return islice(product(*self.rows), MOST_TRIED)


@dataclass(frozen=True)
class Changed(Generic[T]):
    """Options of some of the rows, the fewest first; none of a row is no change."""

    rows: Sequence[Sequence[T]]
    cut: bool = False

    @cached_property
    def whole(self) -> bool:
        return not self.cut and prod(len(r) + 1 for r in self.rows) <= MOST_TRIED + 1

    def __iter__(self) -> Iterator[tuple[T, ...]]:
        chosen = (
            one
            for size in range(1, len(self.rows) + 1)
            for some in combinations(self.rows, size)
            for one in product(*some)
        )
        yield from islice(chosen, MOST_TRIED)
        if not self.whole:
            # All at once, each as it is wanted first, second ...: what long conditions ask for.
            for number in range(max(len(r) for r in self.rows) if self.rows else 0):
                yield tuple(r[min(number, len(r) - 1)] for r in self.rows)
