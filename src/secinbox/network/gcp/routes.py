"""Whether a network of Google Cloud has a way to the Internet for a machine with an external address.

The most specific route decides, then the one with the lowest priority number; a route with tags is for the
machines that bear one. Without a route to the default Internet gateway nobody outside is answered. Source:
cloud.google.com, "Routes", "Routes overview: default routes, order".
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.gcp.assets import many
from secinbox.network.gcp.firewalls import network_key, tags_of
from secinbox.network.ranges import (
    EMPTY,
    IntSet,
    everything,
    interval_of,
    is_wide,
    parse_network,
)
from secinbox.network.verdict import Verdict, both, no, unknown


class Routes:
    """The routes of all networks of an estate."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.by_network: dict[str, list[Item]] = defaultdict(list)
        for item in estate.of_type("gcp_compute_route"):
            self.by_network[network_key(str(item.config.get("network") or ""))].append(item)

    def returning(self, item: Item, network: str, version: int, verdict: Verdict) -> Verdict:
        """A way in at the machine's own address, where its answers get out, too."""
        key = network_key(network)
        project = key.partition("/")[0] if "/" in key else item.account
        known = self.by_network.get(key, [])
        listed = self.estate.looked_at(f"gcp:{project}/gcp_compute_route")
        if verdict.value != "yes" or not (known or listed):
            return verdict
        tags = tags_of(item)
        rows: list[tuple[int, int, IntSet, dict[str, Any]]] = []
        for route in known:
            net = parse_network(route.config.get("destRange"))
            mine = {str(t) for t in many(route.config.get("tags"))}
            if net is None or net.version != version or (mine and not mine & tags):
                continue
            priority = route.config.get("priority")
            rank = priority if isinstance(priority, int) else 1000
            rows.append((-net.prefixlen, rank, IntSet.of([interval_of(net)]), route.config))
        left, out, passed = everything(version), EMPTY, ""
        for _, _, covers, row in sorted(rows, key=lambda r: r[:2]):
            part = covers & left
            left = left - part
            if str(row.get("nextHopGateway") or "").endswith("default-internet-gateway"):
                out = out | part
            elif is_wide(part, version):
                passed = str(row.get("name") or "a route")
        if is_wide(out, version):
            return verdict
        short = key.rpartition("/")[2]
        if passed:
            return unknown(f"the route {passed} of {short} takes its answers: what that passes on is "
                           "not known", item.uid)  # fmt: skip
        if not listed:
            return verdict  # networks have a route to the Internet from the start
        kind = "IPv6 " if version == 6 else ""
        text = f"the network {short} has no {kind}route to the Internet gateway for it"
        return both([verdict, no(text, item.uid)])
