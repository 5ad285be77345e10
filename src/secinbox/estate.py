"""The inventory in memory, for analyses that need whole configurations (network, iam, paths).

An analysis is a function of an `Estate`: it opens no store and no file, so it can be tested on a
handful of items and run anywhere.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from secinbox.records import AnyRecord, Relation, Resource, Scope

_T = TypeVar("_T")
# Key of a configuration: of which other keys it holds a part only, and why.
PARTIAL = "_partial"


@dataclass(slots=True)
class Item:
    """A resource with its configuration, merged over all calls that describe it.

    config: the fields of the main describe/list answer at the top; the answer of a per-resource
    call (`get_bucket_policy`) under the call's name. Where a source knows that it tells a part of
    an answer (a row of a table that others may have filtered) `_partial` names the key and says why.
    """

    uid: str
    type: str
    name: str = ""
    provider: str = ""
    account: str = ""
    region: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)

    def unfinished(self, key: str) -> str:
        """Why this part of the configuration may not be all there is; "" when it is."""
        told = self.config.get(PARTIAL)
        return str(told.get(key) or "") if isinstance(told, dict) else ""


class Estate:
    """Items by uid, type and any name; relations in both directions; what was looked at."""

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self._types: dict[str, list[Item]] = defaultdict(list)
        self._names: dict[str, set[str]] = defaultdict(set)
        self._out: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._into: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.covered: set[str] = set()
        self._results: dict[str, Any] = {}

    def once(self, name: str, compute: Callable[[], _T]) -> _T:
        """A result that several analyses share, computed at first use; gone when the estate changes."""
        if name not in self._results:
            self._results[name] = compute()
        found: _T = self._results[name]
        return found

    def add(self, item: Item, names: Iterable[str] = ()) -> None:
        """Adds an item, or merges it into the one of the same uid."""
        self._results.clear()
        known = self.items.get(item.uid)
        if known is None:
            self.items[item.uid] = item
            self._types[item.type].append(item)
            self._names[item.uid].add(item.uid)
        else:
            known.tags.update(item.tags)
            _merge(known.config, item.config)
            for name in ("name", "provider", "account", "region"):
                if not getattr(known, name):
                    setattr(known, name, getattr(item, name))
        for name in names:
            self._names[name].add(item.uid)

    def with_items(self, changed: Mapping[str, Item]) -> Estate:
        """The same estate with these items, by uid, in place of its own; shares all else."""
        other = copy.copy(self)
        other.items = {**self.items, **changed}
        other._types = defaultdict(list, self._types)
        for kind in {i.type for i in changed.values()}:
            other._types[kind] = [changed.get(i.uid, i) for i in self._types[kind]]
        other._results = {}
        return other

    def relate(self, source: str, kind: str, target: str) -> None:
        """Adds an edge; ends are uids or names."""
        self._results.clear()
        self._out[source, kind].append(target)
        self._into[target, kind].append(source)

    def of_type(self, *types: str) -> list[Item]:
        """All items of these types, in order of uid, so that no answer depends on input order."""
        return sorted((i for t in types for i in self._types.get(t, ())), key=lambda i: i.uid)

    def find(self, name: str) -> Item | None:
        """The one item with this uid or alias; None when there is none or more than one."""
        if name in self.items:
            return self.items[name]
        uids = self._names.get(name, ())
        return self.items[next(iter(uids))] if len(uids) == 1 else None

    def targets(self, name: str, kind: str) -> list[str]:
        """What `name` has an edge of this kind to."""
        return sorted(set(self._out.get((name, kind), ())))

    def sources(self, name: str, kind: str) -> list[str]:
        """What has an edge of this kind to `name`."""
        return sorted(set(self._into.get((name, kind), ())))

    def looked_at(self, key: str) -> bool:
        """True when an inventory says it read this completely, e.g.
        `aws:417300925513/us-east-1/ec2.describe_network_acls`."""
        return key in self.covered


def _merge(known: dict[str, Any], told: dict[str, Any]) -> None:
    """Later answers replace earlier ones, but a part neither replaces the whole nor another part."""
    had: dict[str, str] = known.get(PARTIAL) or {}
    parts: dict[str, str] = told.get(PARTIAL) or {}
    left = dict(had)
    for key, value in told.items():
        if key == PARTIAL:
            continue
        if key not in parts:
            known[key] = value
            left.pop(key, None)
        elif key not in known:
            known[key], left[key] = value, parts[key]
        elif key in had:
            known[key] = _joined(known[key], value)
    if left:
        known[PARTIAL] = left
    else:
        known.pop(PARTIAL, None)


def _joined(first: Any, second: Any) -> Any:
    """Both lists one after the other, objects key by key; of other values the later one."""
    if isinstance(first, list) and isinstance(second, list):
        return first + [entry for entry in second if entry not in first]
    if isinstance(first, dict) and isinstance(second, dict):
        return first | {k: _joined(first[k], v) if k in first else v for k, v in second.items()}
    return second


def estate_of(records: Iterable[AnyRecord]) -> Estate:
    """An estate straight from inventory records, without a store (tests, one-off analyses)."""
    estate = Estate()
    for record in records:
        if isinstance(record, Resource):
            config: Mapping[str, Any] = (
                msgspec.json.decode(record.config, type=dict[str, Any]) if record.config else {}
            )
            estate.add(
                Item(
                    uid=record.uid,
                    type=record.type,
                    name=record.name,
                    provider=record.provider,
                    account=record.account,
                    region=record.region,
                    tags=dict(record.tags),
                    config=dict(config),
                ),
                [a.name for a in record.aliases],
            )
        elif isinstance(record, Relation):
            estate.relate(record.source, record.kind, record.target)
        elif isinstance(record, Scope) and not record.types:
            estate.covered.add(record.key)
    return estate
