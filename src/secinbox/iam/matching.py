"""Wildcards of IAM: action patterns, ARN patterns, and a text that two patterns have in common.

Rules: IAM User Guide, "IAM JSON policy elements" (Action, Resource). Actions match in any case;
ARNs match segment by segment, so `*` never runs over a colon into the next segment; an ARN with
fewer than six segments is filled up with `*`.
"""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache


@lru_cache(maxsize=65536)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)


def has_wildcard(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def glob(pattern: str, text: str) -> bool:
    """`*` any run, `?` one character; case counts."""
    if pattern == "*":
        return True
    if not has_wildcard(pattern):
        return pattern == text
    return _compiled(pattern).fullmatch(text) is not None


def action_matches(pattern: str, action: str) -> bool:
    """Both in lower case. The service before the colon is literal, except in a bare `*`."""
    if pattern == "*":
        return True
    service, colon, _ = pattern.partition(":")
    if not colon or (has_wildcard(service) and service != "*"):
        return False
    return glob(pattern, action)


@lru_cache(maxsize=65536)
def _segments(pattern: str) -> tuple[str, ...] | None:
    parts = pattern.split(":", 5)
    if parts[0] != "arn":
        return None
    return (*parts, *("*",) * (6 - len(parts)))


def arn_matches(pattern: str, arn: str) -> bool:
    """Does a Resource pattern cover this ARN (or `*`, for actions without a resource)?"""
    if pattern == "*":
        return True
    if arn == "*":
        return False  # an action that knows no resources is granted by `*` alone
    if not has_wildcard(pattern):
        return pattern == arn or (pattern.count(":") < 5 and _padded(pattern, arn))
    return _padded(pattern, arn)


def _padded(pattern: str, arn: str) -> bool:
    wanted = _segments(pattern)
    given = arn.split(":", 5)
    if wanted is None or len(given) != 6:
        return False
    return all(glob(w, g) for w, g in zip(wanted, given, strict=True))


def common_arn(one: str, two: str) -> str | None:
    """`common`, segment by segment: an ARN that both patterns cover."""
    first, second = _segments(one), _segments(two)
    if first is None or second is None:
        return None
    parts = [common(a, b) for a, b in zip(first, second, strict=True)]
    return None if None in parts else ":".join(p or "" for p in parts)


@lru_cache(maxsize=16384)
def common(one: str, two: str) -> str | None:
    """The shortest text that both patterns match, or None. A free `*` gives nothing.

    Used to find a name for something new that a policy lets one create.
    """
    start = (0, 0)
    came: dict[tuple[int, int], tuple[tuple[int, int], str]] = {start: (start, "")}
    queue = deque([start])
    goal = (len(one), len(two))
    while queue:
        state = queue.popleft()
        if state == goal:
            text: list[str] = []
            while state != start:
                state, char = came[state]
                text.append(char)
            return "".join(reversed(text))
        for after, char in _moves(one, two, *state):
            if after not in came:
                came[after] = (state, char)
                queue.append(after)
    return None


def _moves(one: str, two: str, i: int, j: int) -> list[tuple[tuple[int, int], str]]:
    out: list[tuple[tuple[int, int], str]] = []
    a = one[i] if i < len(one) else ""
    b = two[j] if j < len(two) else ""
    if a == "*":
        out.append(((i + 1, j), ""))
    if b == "*":
        out.append(((i, j + 1), ""))
    if not a or not b:
        return out
    if a == "*" and b != "*":
        out.append(((i, j + 1), "x" if b == "?" else b))
    elif b == "*" and a != "*":
        out.append(((i + 1, j), "x" if a == "?" else a))
    elif a != "*" and (a == "?" or b == "?" or a == b):
        char = b if a == "?" else a
        out.append(((i + 1, j + 1), "x" if char == "?" else char))
    return out
