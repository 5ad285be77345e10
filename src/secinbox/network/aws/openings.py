"""What a network lets through, in terms that routes, ACLs and groups share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from secinbox.network.ranges import (
    Interval,
    IntSet,
    port_text,
)
from secinbox.network.verdict import Verdict
from secinbox.records import Evidence

PROTOCOLS = {"tcp": "6", "udp": "17"}


@dataclass(frozen=True)
class Rule:
    """One permission of a security group: ports, and who may come."""

    protocol: str  # tcp, udp, other
    ports: Interval
    sources: dict[int, IntSet]
    groups: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()  # prefix lists and ranges that nobody could read
    doubt: str = ""  # why there may be other sources
    edges: frozenset[int] = frozenset()  # IP versions in which CloudFront is admitted by its list


@dataclass(frozen=True)
class Door:
    """What stands before an interface. port: only this one matters (a database's). unfiltered:
    there are no security groups (a network load balancer without any), every port counts as open.
    edge: whoever comes is passed on by CloudFront, so that its prefix list is everyone.
    """

    groups: frozenset[str]
    version: int = 4
    port: int | None = None
    protocols: tuple[str, ...] = ("tcp", "udp")
    unfiltered: bool = False
    edge: bool = False


@dataclass
class Opening:
    """Ports that are open to sources."""

    protocol: str
    version: int
    ports: IntSet
    sources: IntSet


@dataclass
class Way:
    """The result for one subnet and its groups: open to whom, or stopped by what."""

    verdict: Verdict
    openings: list[Opening] = field(default_factory=list)
    gateway: str = ""

    @property
    def ports(self) -> str:
        return ports_text(self.openings)


def ports_text(openings: Iterable[Opening]) -> str:
    """`tcp 22, 443; udp 53`."""
    out = []
    found = list(openings)
    for protocol in ("tcp", "udp"):
        ports = IntSet.of(i for o in found if o.protocol == protocol for i in o.ports.intervals)
        if ports:
            out.append(f"{protocol} {port_text(ports)}")
    return "; ".join(out)


def entries(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; anything else is nobody's."""
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item


def route_evidence(text: str, steps: Iterable[str], source: str, ports: str = "") -> Evidence:
    return Evidence(kind="route", text=text, source=source, steps=tuple(steps), ports=ports)
