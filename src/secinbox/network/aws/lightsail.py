"""Lightsail: machines, databases, buckets and containers with networks of their own.

Source: Amazon Lightsail API reference (InstancePortState, RelationalDatabase, AccessRules,
ContainerServiceEndpoint).
"""

from __future__ import annotations

from collections.abc import Callable

from secinbox.estate import Item
from secinbox.inventory.aws.calls import walk
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence

_EVERYONE = {"0.0.0.0/0", "::/0"}


def machine(item: Item) -> Verdict:
    """Its firewall is its own: ports with the networks, or the named lists, that may use them."""
    if str(next(walk(item.config, "state.name"), "running")) != "running":
        return no("the instance does not run", item.uid)
    if not item.config.get("publicIpAddress") and not item.config.get("ipv6Addresses"):
        return no("no public address", item.uid)
    if "networking" not in item.config:
        return unknown("its ports were not read", item.uid)
    narrow: list[str] = []
    for port in walk(item.config, "networking.ports[]"):
        networks = [str(c) for c in (*walk(port, "cidrs[]"), *walk(port, "ipv6Cidrs[]"))]
        lists = [str(a) for a in walk(port, "cidrListAliases[]")]
        if str(port.get("accessDirection") or "inbound") != "inbound":
            continue
        # Neither networks nor a list of addresses of AWS: no limit was set.
        if not (networks or lists) or _EVERYONE & set(networks):
            ports = f"{port.get('protocol')} {port.get('fromPort')}-{port.get('toPort')}"
            address = str(item.config.get("publicIpAddress") or "its IPv6 address")
            return yes(Evidence(kind="route", text=f"the firewall admits {ports} from anywhere",
                                source=item.uid, ports=ports,
                                steps=("Internet", address, item.name)))  # fmt: skip
        narrow += networks + lists
    text = ", ".join(sorted(set(narrow))[:4])
    return no(f"the firewall admits only {text}" if narrow else "no port is open", item.uid,
              text)  # fmt: skip


def database(item: Item) -> Verdict:
    """In public mode it answers everyone; there is no other filter."""
    public = item.config.get("publiclyAccessible")
    if public is None:
        return unknown("whether it is in public mode was not read", item.uid)
    if public is not True:
        return no("public mode is off", item.uid)
    state = str(item.config.get("state") or "available")
    if state in ("stopped", "stopping", "deleting"):
        return no(f"it is {state}", item.uid)
    port = next(walk(item.config, "masterEndpoint.port"), None)
    ports = f"tcp {port}" if port else ""
    return yes(Evidence(kind="endpoint", text="a database in public mode answers everyone",
                        source=item.uid, ports=ports, steps=("Internet", item.name)))  # fmt: skip


def bucket(item: Item) -> Verdict:
    """All objects, or those whose own setting says so."""
    rules = item.config.get("accessRules")
    if not isinstance(rules, dict):
        return unknown("its access rules were not read", item.uid)
    if rules.get("getObject") == "public":
        text = "all of its objects are public"
        return yes(Evidence(kind="policy", text=text, source=item.uid, steps=("Anyone", item.name)))
    if rules.get("allowPublicOverrides") is True:
        return unknown("which of its objects are public by themselves is not listed", item.uid)
    return no("its objects are private", item.uid)


def containers(item: Item) -> Verdict:
    """Its public endpoint is one container's port."""
    if item.config.get("isDisabled") is True or item.config.get("state") == "DISABLED":
        return no("the service is disabled", item.uid)
    deployed = item.config.get("currentDeployment")
    if not isinstance(deployed, dict):
        return no("nothing is deployed", item.uid)
    where = deployed.get("publicEndpoint")
    if not isinstance(where, dict) or not where.get("containerName"):
        return no("no public endpoint", item.uid)
    text = f"its public endpoint is container {where['containerName']}"
    return yes(Evidence(kind="endpoint", text=text, source=str(item.config.get("url") or item.uid),
                        ports="tcp 443", steps=("Internet", item.name)))  # fmt: skip


JUDGES: dict[str, Callable[[Item], Verdict]] = {
    "aws_lightsail_instance": machine,
    "aws_lightsail_relationaldatabase": database,
    "aws_lightsail_bucket": bucket,
    "aws_lightsail_containerservice": containers,
}
