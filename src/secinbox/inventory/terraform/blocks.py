"""Resources of a state (version 4) or of `terraform show -json`, as blocks with their attributes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 40


@dataclass(frozen=True)
class Block:
    """One resource. Fields of a wrong shape count as absent."""

    type: str
    values: dict[str, Any]
    place: str

    @property
    def arn(self) -> str:
        return self.text("arn")

    def text(self, name: str) -> str:
        found = self.values.get(name)
        return found if isinstance(found, str) else ""

    def number(self, name: str) -> int | None:
        found = self.values.get(name)
        if isinstance(found, str) and found.isdigit():
            return int(found)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def texts(self, name: str) -> list[str]:
        found = self.values.get(name)
        return [v for v in found if isinstance(v, str)] if isinstance(found, list) else []

    def rows(self, name: str) -> list[Block]:
        """Nested blocks."""
        found = self.values.get(name)
        rows = found if isinstance(found, list) else [found]
        return [Block(self.type, r, self.place) for r in rows if isinstance(r, dict)]

    def first(self, name: str) -> Block:
        return next(iter(self.rows(name)), Block(self.type, {}, self.place))

    def has(self, name: str) -> bool:
        """Set, or known to be empty: null means that nobody knows."""
        return self.values.get(name) is not None

    @property
    def tags(self) -> list[dict[str, str]]:
        found = self.values.get("tags_all") or self.values.get("tags")
        if not isinstance(found, dict):
            return []
        return [{"Key": str(k), "Value": str(v)} for k, v in found.items() if v is not None]


def blocks_of(document: dict[str, Any], place: str) -> tuple[list[Block], int]:
    """Managed resources that exist, and how many are only planned."""
    if isinstance(document.get("resources"), list):
        return list(_state(document["resources"], f"{place}.resources")), 0
    blocks: list[Block] = []
    planned = 0
    for key in ("planned_values", "values"):
        if isinstance(document.get(key), dict):
            found = _modules(document[key].get("root_module"), f"{place}.{key}.root_module", 0)
            for block in found:
                # Only what exists has the identity that the provider gave to it.
                if block.arn or block.text("id"):
                    blocks.append(block)
                else:
                    planned += 1
            return blocks, planned
    prior = document.get("prior_state")
    if isinstance(prior, dict):
        return blocks_of(prior, f"{place}.prior_state")
    return blocks, planned


# Read, not managed: lists of addresses that belong to somebody else.
_DATA = ("aws_ec2_managed_prefix_list",)


def _counts(resource: Any) -> bool:
    return isinstance(resource, dict) and (
        resource.get("mode", "managed") == "managed" or resource.get("type") in _DATA
    )


def _state(resources: list[Any], place: str) -> Iterator[Block]:
    for index, resource in enumerate(resources):
        if not _counts(resource):
            continue
        instances = resource.get("instances")
        for number, instance in enumerate(instances if isinstance(instances, list) else []):
            values = instance.get("attributes") if isinstance(instance, dict) else None
            if isinstance(values, dict):
                yield Block(str(resource.get("type") or ""), values,
                            f"{place}[{index}].instances[{number}]")  # fmt: skip


def _modules(module: Any, place: str, depth: int) -> Iterator[Block]:
    if not isinstance(module, dict) or depth > _MAX_DEPTH:
        return
    resources = module.get("resources")
    for index, resource in enumerate(resources if isinstance(resources, list) else []):
        if not _counts(resource):
            continue
        values = resource.get("values")
        if isinstance(values, dict):
            yield Block(str(resource.get("type") or ""), values, f"{place}.resources[{index}]")
    children = module.get("child_modules")
    for index, child in enumerate(children if isinstance(children, list) else []):
        yield from _modules(child, f"{place}.child_modules[{index}]", depth + 1)
