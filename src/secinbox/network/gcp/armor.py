"""Cloud Armor: whether a security policy lets some stranger through.

Rules by priority, the first that fits decides. A stranger comes from where he likes: conditions on a
country or a network of an operator can be met and avoided. What he asks he chooses, so a condition on the
request can be avoided; that he can meet it (a secret header) nobody knows. Source: cloud.google.com,
"Cloud Armor security policy overview", "Custom rules language attributes".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from secinbox.estate import Item
from secinbox.network.gcp.services import dicts, get
from secinbox.network.ranges import (
    EMPTY,
    IntSet,
    addresses,
    cidr_texts,
    clients,
    everything,
    is_wide,
)
from secinbox.network.verdict import Verdict, no, unknown

_LAST = 2147483647
_MOST = 10  # conditions that are told apart
_RANGE = re.compile(r"inIpRange\(\s*origin\.(?:ip|user_ip)\s*,\s*['\"]([^'\"]+)['\"]\s*\)")
_ADDRESS = re.compile(r"origin\.(?:ip|user_ip)\s*==\s*['\"]([^'\"]+)['\"]")
_ANYWHERE = re.compile(r"origin\.(?:region_code|asn)\b")


@dataclass(frozen=True)
class _Term:
    """A node of a condition: `or`, `and`, `not`, `ip` (a range), `is` (a word that is true or not)."""

    kind: str
    parts: tuple[_Term, ...] = ()
    word: str = ""


@dataclass(frozen=True)
class _Rule:
    allows: bool
    term: _Term


def judge(policy: Item) -> Verdict | None:
    """None where some stranger surely gets through."""
    rules = [r for r in map(_rule, _ordered(policy)) if r is not None]
    words = sorted({w for r in rules for w in _words(r.term)})
    if len(words) > _MOST:
        return unknown(
            f"the conditions of the security policy {policy.name} are too many", policy.uid
        )
    doubtful, widest = False, EMPTY
    for values in product((False, True), repeat=len(words)):
        told = dict(zip(words, values, strict=True))
        allowed = _let_through(rules, told)
        sure = not any(v and not _ANYWHERE.search(w) for w, v in told.items())
        if is_wide(allowed, 4):
            if sure:
                return None
            doubtful = True
        elif sure:
            widest = widest | allowed
    if doubtful:
        asked = ", ".join(w for w in words if not _ANYWHERE.search(w))[:120]
        return unknown(
            f"the security policy {policy.name} lets those through who know: {asked}", policy.uid
        )
    text = cidr_texts(clients(widest, 4), 4)
    if text:
        return no(f"the security policy {policy.name} denies everyone but {text}", policy.uid, text)
    return no(f"the security policy {policy.name} denies everyone", policy.uid)


def _ordered(policy: Item) -> list[dict[str, object]]:
    def priority(rule: dict[str, object]) -> int:
        found = rule.get("priority")
        return found if isinstance(found, int) else _LAST

    rules = [r for r in dicts(policy.config.get("rules")) if r.get("preview") is not True]
    return sorted(rules, key=priority)


def _rule(row: dict[str, object]) -> _Rule | None:
    action = str(row.get("action") or "")
    # A captcha is passed by whoever is there; another address is not the backend.
    elsewhere = action == "redirect" and get(row, "redirectOptions", "type") == "EXTERNAL_302"
    expression = get(row, "match", "expr", "expression")
    if isinstance(expression, str) and expression.strip():
        term = _Parser(expression).whole()
    else:
        ranges = get(row, "match", "config", "srcIpRanges")
        listed = [str(r) for r in ranges] if isinstance(ranges, list) else []
        listed = ["0.0.0.0/0" if r == "*" else r for r in listed]
        term = _Term("or", tuple(_Term("ip", word=r) for r in listed))
    return _Rule(not (action.startswith("deny") or elsewhere), term)


def _let_through(rules: list[_Rule], told: Mapping[str, bool]) -> IntSet:
    left, allowed = everything(4), EMPTY
    for rule in rules:
        hit = left & _addresses(rule.term, told)
        left = left - hit
        if rule.allows:
            allowed = allowed | hit
    return allowed | left  # a policy without a last rule allows


def _addresses(term: _Term, told: Mapping[str, bool]) -> IntSet:
    """The addresses for which the condition holds."""
    whole = everything(4)
    if term.kind == "ip":
        return addresses([term.word], 4)
    if term.kind == "is":
        return whole if told[term.word] else EMPTY
    parts = [_addresses(p, told) for p in term.parts]
    if term.kind == "not":
        return whole - parts[0]
    out = EMPTY if term.kind == "or" else whole
    for part in parts:
        out = out | part if term.kind == "or" else out & part
    return out


def _words(term: _Term) -> set[str]:
    if term.kind == "is":
        return {term.word}
    return {w for p in term.parts for w in _words(p)}


class _Parser:
    """`||`, `&&`, `!` and parentheses of the rules language; the rest is a word of its own."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0

    def whole(self) -> _Term:
        found = self._or()
        self._blank()
        return found if self.at >= len(self.text) else _Term("is", word=self.text.strip())

    def _blank(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _takes(self, word: str) -> bool:
        self._blank()
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def _or(self) -> _Term:
        parts = [self._and()]
        while self._takes("||"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else _Term("or", tuple(parts))

    def _and(self) -> _Term:
        parts = [self._not()]
        while self._takes("&&"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else _Term("and", tuple(parts))

    def _not(self) -> _Term:
        self.depth += 1
        if self.depth > 50:  # hostile text: one word
            self.at = len(self.text)
            return _Term("is", word=self.text.strip())
        try:
            if self._takes("!"):
                return _Term("not", (self._not(),))
            if self._takes("("):
                inner = self._or()
                self._takes(")")
                return inner
            return self._atom()
        finally:
            self.depth -= 1

    def _atom(self) -> _Term:
        self._blank()
        start, depth, quote = self.at, 0, ""
        while self.at < len(self.text):
            sign = self.text[self.at]
            if quote:
                quote = "" if sign == quote else quote
            elif sign in "'\"":
                quote = sign
            elif sign in "([":
                depth += 1
            elif sign in ")]":
                if depth == 0:
                    break
                depth -= 1
            elif depth == 0 and self.text.startswith(("||", "&&"), self.at):
                break
            self.at += 1
        word = self.text[start : self.at].strip()
        if word in ("true", "false"):
            return _Term("and" if word == "true" else "or")
        found = _RANGE.fullmatch(word) or _ADDRESS.fullmatch(word)
        return _Term("ip", word=found.group(1)) if found else _Term("is", word=word)
