"""Rules of a firewall for requests: whether some stranger gets through, whatever the cloud.

Rules in order, the first that fits decides. A stranger comes from where he likes: a condition on a country
or an operator's network he can meet and avoid. What he asks he chooses, so a condition on the request he
can avoid; whether he can meet it (a secret header) nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from secinbox.network.ranges import EMPTY, IntSet, addresses, everything, is_wide

_MOST = 10  # conditions that are told apart


@dataclass(frozen=True)
class Term:
    """A node of a condition: `or`, `and`, `not`, `ip` (a range), `from` (a country ...), `asks` (the rest)."""

    kind: str
    parts: tuple[Term, ...] = ()
    word: str = ""


ALWAYS, NEVER = Term("and"), Term("or")


@dataclass(frozen=True)
class Rule:
    allows: bool
    term: Term


@dataclass(frozen=True)
class Judged:
    """`open`: some stranger gets through, nobody knows (None), or nobody does but `only`."""

    open: bool | None
    only: IntSet = EMPTY
    asked: str = ""


def judge(rules: Sequence[Rule], then: bool = True) -> Judged:
    """then: whether what no rule fits is let through."""
    words = sorted({w for r in rules for w in _words(r.term)})
    if len(words) > _MOST:
        return Judged(None, asked="more conditions than are told apart")
    doubtful, only = False, EMPTY
    for values in product((False, True), repeat=len(words)):
        told = dict(zip(words, values, strict=True))
        allowed = _let_through(rules, told, then)
        sure = not any(v and kind == "asks" for (kind, _), v in told.items())
        if is_wide(allowed, 4):
            if sure:
                return Judged(True)
            doubtful = True
        elif sure:
            only = only | allowed
    if doubtful:
        return Judged(None, only, ", ".join(w for kind, w in words if kind == "asks")[:120])
    return Judged(False, only)


def _let_through(rules: Sequence[Rule], told: Mapping[tuple[str, str], bool], then: bool) -> IntSet:
    left, allowed = everything(4), EMPTY
    for rule in rules:
        hit = left & _addresses(rule.term, told)
        left = left - hit
        if rule.allows:
            allowed = allowed | hit
    return allowed | left if then else allowed


def _addresses(term: Term, told: Mapping[tuple[str, str], bool]) -> IntSet:
    """The addresses for which the condition holds."""
    whole = everything(4)
    if term.kind == "ip":
        return addresses([term.word], 4)
    if term.kind in ("from", "asks"):
        return whole if told[term.kind, term.word] else EMPTY
    parts = [_addresses(p, told) for p in term.parts]
    if term.kind == "not":
        return whole - parts[0]
    out = EMPTY if term.kind == "or" else whole
    for part in parts:
        out = out | part if term.kind == "or" else out & part
    return out


def _words(term: Term) -> set[tuple[str, str]]:
    if term.kind in ("from", "asks"):
        return {(term.kind, term.word)}
    return {w for p in term.parts for w in _words(p)}
