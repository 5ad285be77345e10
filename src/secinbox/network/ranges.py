"""Arithmetic of addresses and ports: sets of whole numbers as sorted, disjoint intervals.

An address set is of one IP version; `0.0.0.0/1` and `128.0.0.0/1` together are everything. How
many addresses make "the Internet" is `is_wide`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
    summarize_address_range,
)
from itertools import pairwise

Interval = tuple[int, int]  # both ends belong to it


@dataclass(frozen=True)
class IntSet:
    """A set of whole numbers. Build with `IntSet.of`, which sorts and joins."""

    intervals: tuple[Interval, ...] = ()

    @staticmethod
    def of(intervals: Iterable[Interval]) -> IntSet:
        found = [i for i in intervals if i[0] <= i[1]]
        if len(found) < 2:  # most sets: nothing to join
            return IntSet(tuple(found))
        joined: list[Interval] = []
        found.sort()
        for low, high in found:
            if joined and low <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
            else:
                joined.append((low, high))
        return IntSet(tuple(joined))

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __len__(self) -> int:
        raise TypeError("an IPv6 set has more members than len() can say: use size")

    @property
    def size(self) -> int:
        return sum(high - low + 1 for low, high in self.intervals)

    def __contains__(self, value: int) -> bool:
        return any(low <= value <= high for low, high in self.intervals)

    def __or__(self, other: IntSet) -> IntSet:
        return IntSet.of((*self.intervals, *other.intervals))

    def __and__(self, other: IntSet) -> IntSet:
        out: list[Interval] = []
        mine, theirs = self.intervals, other.intervals
        i = j = 0
        while i < len(mine) and j < len(theirs):
            low, high = max(mine[i][0], theirs[j][0]), min(mine[i][1], theirs[j][1])
            if low <= high:
                out.append((low, high))
            if mine[i][1] < theirs[j][1]:
                i += 1
            else:
                j += 1
        return IntSet(tuple(out))

    def __sub__(self, other: IntSet) -> IntSet:
        out: list[Interval] = []
        for low, high in self.intervals:
            start = low
            for cut_low, cut_high in other.intervals:
                if cut_high < start:
                    continue
                if cut_low > high:
                    break
                if cut_low > start:
                    out.append((start, cut_low - 1))
                start = max(start, cut_high + 1)
            if start <= high:
                out.append((start, high))
        return IntSet(tuple(out))


EMPTY = IntSet()
ALL_PORTS = IntSet(((0, 65535),))
_BITS = {4: 32, 6: 128}


def everything(version: int) -> IntSet:
    """All addresses of an IP version."""
    return IntSet(((0, (1 << _BITS[version]) - 1),))


def parse_network(text: object) -> IPv4Network | IPv6Network | None:
    """A CIDR, with host bits or without, or one address; None when it is neither."""
    return _parsed(text.strip()) if isinstance(text, str) else None


@lru_cache(maxsize=65536)
def _parsed(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=65536)
def interval_of(net: IPv4Network | IPv6Network) -> Interval:
    return int(net.network_address), int(net.broadcast_address)


def addresses(cidrs: Iterable[object], version: int) -> IntSet:
    """The union of the CIDRs of this version; others, and what is no CIDR, are left out."""
    nets = (parse_network(c) for c in cidrs)
    return IntSet.of(interval_of(n) for n in nets if n is not None and n.version == version)


# Never a client on the Internet (IANA special-purpose registries). Documentation ranges are kept:
# they stand for real ones wherever people write about networks.
_NOT_CLIENTS = {
    4: ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"),
    6: ("::/8", "fc00::/7", "fe80::/10", "ff00::/8"),
}  # fmt: skip
_EVERYTHING = {v: everything(v) for v in _NOT_CLIENTS}
_CLIENTS = {v: everything(v) - addresses(c, v) for v, c in _NOT_CLIENTS.items()}

# From this many public addresses on, "some" is the Internet: 2^16 IPv4, more than one /32 of IPv6.
_WIDE = {4: 1 << 16, 6: (1 << 96) + 1}


def clients(sources: IntSet, version: int) -> IntSet:
    """The part of a set that can be clients on the Internet."""
    return sources & _CLIENTS[version]


@lru_cache(maxsize=65536)
def is_wide(sources: IntSet, version: int) -> bool:
    """Open to the Internet rather than to some networks of it."""
    if sources == _EVERYTHING[version]:
        return True
    return clients(sources, version).size >= _WIDE[version]


def cidr_texts(sources: IntSet, version: int, limit: int = 4) -> str:
    """`203.0.113.0/24, 198.51.100.7/32 and 3 more`."""
    kind = IPv4Address if version == 4 else IPv6Address
    nets: list[str] = []
    for low, high in sources.intervals:
        nets += [str(n) for n in summarize_address_range(kind(low), kind(high))]
        if len(nets) > 64:
            break
    more = f" and {len(nets) - limit} more" if len(nets) > limit else ""
    return ", ".join(nets[:limit]) + more


def port_text(ports: IntSet) -> str:
    """`22, 443, 8000-8100`, or `all`."""
    if ports == ALL_PORTS:
        return "all"
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ports.intervals)


def boundaries(values: Iterable[Interval], whole: Interval) -> list[Interval]:
    """The elementary intervals into which the borders of `values` cut `whole`."""
    low, high = whole
    cuts = {low, high + 1}
    for a, b in values:
        if low < a <= high:
            cuts.add(a)
        if low <= b < high:
            cuts.add(b + 1)
    ordered = sorted(cuts)
    return [(a, b - 1) for a, b in pairwise(ordered)]
