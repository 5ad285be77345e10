"""Which version fixes it: a total order of version texts that needs no ecosystem.

The key sorts as text. Numbers count as numbers, a word after a number means earlier
(`2.0.0-rc1` < `2.0.0` < `2.0.0.1`), as semver, Maven, PEP 440 and the Debian policy agree for all
but their corner cases (epochs are honoured; `~` counts as earlier).
"""

from __future__ import annotations

import re
from functools import lru_cache

_PART = re.compile(r"\d+|[a-z]+|~")


@lru_cache(maxsize=65536)
def version_key(version: str) -> str:
    """A text that sorts as the versions do; '' for no version."""
    text = version.strip().lower().lstrip("v=")
    if not text:
        return ""
    epoch, colon, rest = text.partition(":")
    if colon and epoch.isdigit():
        parts = [f"n{int(epoch):08d}"]
        text = rest
    else:
        parts = ["n00000000"]
    for part in _PART.findall(text.partition("+incompatible")[0]):
        if part.isdigit():
            parts.append("n" + part.lstrip("0")[-12:].zfill(12))
        elif part == "~":
            parts.append("A")
        elif part in ("final", "ga", "release", "r", "p", "u", "deb", "el", "ubuntu"):
            parts.append("m")  # a packaging mark, not an earlier version
        else:
            parts.append("a" + part)
    return "".join(parts) + "e"


@lru_cache(maxsize=65536)
def best_fix(installed: str, fixed: str) -> tuple[str, str]:
    """(version, key) of the smallest listed fix above the installed version.

    `fixed` lists versions separated by commas, spaces or `||`. Where none is above the installed
    one, the greatest is returned; where none is listed, two empty texts.
    """
    candidates = [
        c.strip(" <>=^()[]\"'") for c in re.split(r"[,|\s]+", fixed) if c.strip(" <>=^()[]\"'")
    ]
    keyed = sorted((version_key(c), c) for c in candidates if any(ch.isdigit() for ch in c))
    if not keyed:
        return "", ""
    here = version_key(installed)
    for key, candidate in keyed:
        if key > here:
            return candidate, key
    return keyed[-1][1], keyed[-1][0]
