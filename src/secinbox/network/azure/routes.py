"""Whether answers of a machine find the way back to the Internet: route tables of subnets.

The longest prefix decides, and a route of the table comes before the system's own, which leads everything
else to the Internet. Source: learn.microsoft.com, "Virtual network traffic routing".
"""

from __future__ import annotations

from secinbox.estate import Estate
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.azure.security_groups import Guards
from secinbox.network.ranges import EMPTY, IntSet, everything, interval_of, is_wide, parse_network
from secinbox.network.verdict import Verdict, both, no, unknown


def returning(
    estate: Estate, guards: Guards, subnet: str, verdict: Verdict, version: int = 4
) -> Verdict:
    """A way in at a machine's own address, where its answers get out, too."""
    name = identifier(guards.subnets.get(subnet, {}).get("routeTable"))
    if not name or verdict.value != "yes":
        return verdict
    table = estate.find(name)
    short = name.rsplit("/", 1)[-1]
    if table is None or "routes" not in table.config:
        return unknown(f"the route table {short} of its subnet was not read", subnet)
    left, out, lost, passed = everything(version), EMPTY, EMPTY, ""
    nets = [
        (net, row)
        for row in dicts(table.config["routes"])
        if (net := parse_network(row.get("addressPrefix"))) is not None and net.version == version
    ]
    for net, row in sorted(nets, key=lambda r: -r[0].prefixlen):
        part = IntSet.of([interval_of(net)]) & left
        left = left - part
        hop = text(row.get("nextHopType")).lower()
        if hop == "none":
            lost = lost | part
        elif hop == "internet":
            out = out | part
        elif is_wide(part, version):
            passed = text(row.get("nextHopIpAddress")) or text(row.get("nextHopType"))
    if is_wide(out | left, version):
        return verdict
    if passed:
        return unknown(f"the route table {short} sends its answers to {passed}: what that passes on "
                       "is not known", table.uid)  # fmt: skip
    return both([verdict, no(f"the route table {short} drops its answers", table.uid)])
