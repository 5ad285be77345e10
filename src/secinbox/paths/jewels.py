"""Crown jewels: what a path may end at, and why it matters.

Declared ones win; else power over an account or a cluster, data marked as restricted by its owner,
secrets, audit logs, copies of such data, and, where nobody marks anything, databases in production.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from secinbox.estate import Estate, Item
from secinbox.iam.marks import marked
from secinbox.paths import providers
from secinbox.paths.graph import State
from secinbox.paths.providers import types

_CLASS = re.compile(
    r"data[_\-: ]?class(ification)?|classification|sensitivity|confidentiality", re.I
)
_HARMLESS = re.compile(r"public|open|none|low|internal[_\- ]?public|non[_\- ]?sensitive", re.I)
_PRODUCTION = re.compile(r"(prod|production|prd|live)([-_].*)?", re.I)
_TELLING = re.compile(
    r"(?<![a-z])(backups?|dumps?|customers?|pii|phi|payroll|kyc|hr|tfstate|terraform-?state|cards?|"
    r"payments?|patients?|medical|secrets?|credentials?|invoices?|finance)(?![a-z])", re.I
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Jewel:
    """A target: the resource, the state of an attacker who has it, and what its loss means."""

    uid: str
    state: State
    why: str
    impact: str  # critical | high | medium


def jewels(estate: Estate, crown: dict[str, str] | None = None) -> Iterator[Jewel]:
    """Every crown jewel of an estate, in order of uid; accounts and clusters are always some."""
    declared = crown or {}
    held = estate.once(
        "paths.stores", lambda: [i.uid for i in estate.items.values() if providers.holds(i)]
    )
    # Who marks what is restricted says by silence that the rest is not.
    marking = {
        i.account for i in map(estate.items.__getitem__, held)
        if providers.is_store(i) and marked(i)
    }  # fmt: skip
    for uid in sorted({*held, *(declared.keys() & estate.items.keys())}):
        item = estate.items[uid]
        if uid in declared:
            yield Jewel(uid, (_loss(item), uid), declared[uid], "critical")
            continue
        found = _why(estate, item, item.account in marking)
        if found:
            yield Jewel(uid, ("read", uid), *found)


def _why(estate: Estate, item: Item, marks: bool) -> tuple[str, str] | None:
    text = marked(item)
    if text:
        return f"marked {text}", "critical"
    if found := providers.worth(estate, item):
        return found
    if item.type.endswith(types("SECRETS")) and (item.config.get("Name") or item.config):
        return "is a secret", "high"
    if harmless(item):
        return None
    for source in estate.targets(item.uid, "snapshot_of"):
        origin = estate.find(source)
        if origin is not None and origin.uid != item.uid:
            found = _why(estate, origin, marks)
            if found:
                return f"is a copy of {origin.name or origin.uid}, which {found[0]}", found[1]
    if item.type.endswith(types("COPIES")):
        return "is a copy of a database", "high"
    if marks:
        return None
    named = _TELLING.search(item.name or item.uid.rsplit("/", 1)[-1])
    database = item.type.endswith(types("DATABASES"))
    if named and (database or item.type.endswith(types("BUCKETS"))):
        return f"is named after {named.group(1).lower()} (a guess from its name)", "high"
    if database and _in_production(item):
        return "is a database in production (not marked by its owner)", "high"
    return None


def _loss(item: Item) -> str:
    """What losing it means: somebody acts as it, runs code on it, or reads it."""
    if item.type.endswith(types("ACTORS")):
        return "cred"
    databases = item.type.endswith(types("DATABASES")) or "sql" in item.type
    return "exec" if item.type.endswith(types("RUNS")) and not databases else "read"


def harmless(item: Item) -> bool:
    """Its owner says that the data is public or of no value."""
    return any(
        _CLASS.fullmatch(k.strip()) and _HARMLESS.fullmatch(v.strip()) for k, v in item.tags.items()
    )


def _in_production(item: Item) -> bool:
    return any(
        k.lower() in ("env", "environment") and _PRODUCTION.fullmatch(v)
        for k, v in item.tags.items()
    )
