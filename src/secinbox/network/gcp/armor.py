"""Cloud Armor: whether a security policy lets some stranger through.

Rules by priority, in the rules language or as lists of ranges. Source: cloud.google.com, "Cloud Armor
security policy overview", "Custom rules language attributes".
"""

from __future__ import annotations

import re

from secinbox.estate import Item
from secinbox.network import walls
from secinbox.network.gcp.services import dicts, get
from secinbox.network.ranges import cidr_texts, clients
from secinbox.network.verdict import Verdict, no, unknown
from secinbox.network.walls import ALWAYS, NEVER, Rule, Term

_LAST = 2147483647
_RANGE = re.compile(r"inIpRange\(\s*origin\.(?:ip|user_ip)\s*,\s*['\"]([^'\"]+)['\"]\s*\)")
_ADDRESS = re.compile(r"origin\.(?:ip|user_ip)\s*==\s*['\"]([^'\"]+)['\"]")
_ANYWHERE = re.compile(r"origin\.(?:region_code|asn)\b")


def judge(policy: Item) -> Verdict | None:
    """None where some stranger surely gets through."""
    # A policy without a last rule allows.
    found = walls.judge([r for r in map(_rule, _ordered(policy)) if r is not None])
    if found.open:
        return None
    if found.open is None:
        text = f"the security policy {policy.name} lets those through who know: {found.asked}"
        return unknown(text, policy.uid)
    only = cidr_texts(clients(found.only, 4), 4)
    if only:
        return no(f"the security policy {policy.name} denies everyone but {only}", policy.uid, only)
    return no(f"the security policy {policy.name} denies everyone", policy.uid)


def _ordered(policy: Item) -> list[dict[str, object]]:
    def priority(rule: dict[str, object]) -> int:
        found = rule.get("priority")
        return found if isinstance(found, int) else _LAST

    rules = [r for r in dicts(policy.config.get("rules")) if r.get("preview") is not True]
    return sorted(rules, key=priority)


def _rule(row: dict[str, object]) -> Rule | None:
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
        term = Term("or", tuple(Term("ip", word=r) for r in listed))
    return Rule(not (action.startswith("deny") or elsewhere), term)


class _Parser:
    """`||`, `&&`, `!` and parentheses of the rules language; the rest is a word of its own."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0

    def whole(self) -> Term:
        found = self._or()
        self._blank()
        return found if self.at >= len(self.text) else Term("asks", word=self.text.strip())

    def _blank(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _takes(self, word: str) -> bool:
        self._blank()
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def _or(self) -> Term:
        parts = [self._and()]
        while self._takes("||"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else Term("or", tuple(parts))

    def _and(self) -> Term:
        parts = [self._not()]
        while self._takes("&&"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else Term("and", tuple(parts))

    def _not(self) -> Term:
        self.depth += 1
        if self.depth > 50:  # hostile text: one word
            self.at = len(self.text)
            return Term("asks", word=self.text.strip())
        try:
            if self._takes("!"):
                return Term("not", (self._not(),))
            if self._takes("("):
                inner = self._or()
                self._takes(")")
                return inner
            return self._atom()
        finally:
            self.depth -= 1

    def _atom(self) -> Term:
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
            return ALWAYS if word == "true" else NEVER
        found = _RANGE.fullmatch(word) or _ADDRESS.fullmatch(word)
        if found:
            return Term("ip", word=found.group(1))
        return Term("from" if _ANYWHERE.search(word) else "asks", word=word)
