"""Blocks as answers of AWS calls, so that analyses see one shape whatever the source.

Several blocks may describe one resource (a table and its routes, a group and its rules): they are
joined first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from secinbox.inventory.terraform.blocks import Block


@dataclass(frozen=True)
class Answer:
    """What the call would have answered. `used`: places of the blocks that it was made of."""

    operation: str
    response: dict[str, Any]
    request: dict[str, Any] = field(default_factory=dict)
    arn: str = ""
    place: str = "$"
    used: tuple[str, ...] = ()
    partial: Mapping[str, str] = field(default_factory=dict)  # keys told in part, and why


class Blocks:
    """The blocks of a document by type, with the account and region that most of them are in."""

    def __init__(self, blocks: Iterable[Block], account: str, region: str) -> None:
        self.account = account
        self.region = region
        self._by_type: dict[str, list[Block]] = {}
        for block in blocks:
            self._by_type.setdefault(block.type, []).append(block)

    def of(self, *types: str) -> list[Block]:
        return [b for t in types for b in self._by_type.get(t, ())]

    def where(self, value: str, field_name: str, *types: str) -> list[Block]:
        """Blocks of these types whose field has this value."""
        return [b for b in self.of(*types) if value and b.text(field_name) == value]


def answer(operation: str, response: dict[str, Any], *blocks: Block, arn: str = "",
           **request: Any) -> Answer:  # fmt: skip
    first = blocks[0]
    return Answer(operation, response, request, arn or first.arn, first.place,
                  tuple(b.place for b in blocks))  # fmt: skip


def filled(**values: Any) -> dict[str, Any]:
    """Without what is not known."""
    return {k: v for k, v in values.items() if v is not None and v != ""}


def answers_of(blocks: Iterable[Block], account: str, region: str) -> Iterator[Answer]:
    """All answers, a subject at a time."""
    from secinbox.inventory.terraform import (
        fronts,
        identity,
        jobs,
        machines,
        network,
        policies,
        scaling,
        sessions,
        stores,
    )

    found = Blocks(blocks, account, region)
    for subject in (network, machines, scaling, jobs, stores, policies, fronts, identity, sessions):
        yield from subject.answers(found)
