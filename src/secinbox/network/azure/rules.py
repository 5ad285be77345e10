"""Network rules that most services of Azure share: the switch, the default action, ranges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.azure.resources import dicts, text
from secinbox.network.ranges import addresses, cidr_texts, is_wide
from secinbox.network.verdict import Verdict, no, yes
from secinbox.records import Evidence

ANY_CUSTOMER = "Any Azure customer"


def opened(item: Item, what: str, *steps: str, ports: str = "", first: str = "Internet") -> Verdict:
    """It answers everyone (or, as `first` says, any customer)."""
    return yes(Evidence(kind="endpoint", text=what, source=item.uid,
                        steps=(first, *steps, item.name), ports=ports))  # fmt: skip


def _switch(item: Item) -> list[Any]:
    """What the resource says of public network access, wherever the service keeps that."""
    network = item.config.get("network")
    said = [item.config.get("publicNetworkAccess")]
    return [*said, network.get("publicNetworkAccess")] if isinstance(network, dict) else said


def disabled(item: Item) -> bool:
    """Whether public network access is switched off, or left to a perimeter."""
    return secured(item) or any(text(s).lower() == "disabled" or s is False for s in _switch(item))


def secured(item: Item) -> bool:
    """Whether a network security perimeter alone decides who comes in."""
    return any(text(s).lower() == "securedbyperimeter" for s in _switch(item))


_GONE = ("deleting", "deleted", "softdeleting", "softdeleted", "deprovisioned", "suspended")


def gone(item: Item) -> Verdict | None:
    """A resource that its provider takes down; a failed change leaves it as it was."""
    states = [item.config.get(k) for k in ("provisioningState", "resourceState", "state")]
    found = next((s for s in states if text(s).lower() in _GONE), None)
    return no(f"its state is {text(found).lower()}", item.uid) if found is not None else None


def linked(item: Item) -> bool:
    """Whether a private endpoint leads to it, approved as far as anybody says."""

    def approved(connection: dict[str, Any]) -> bool:
        state = connection.get("privateLinkServiceConnectionState")
        return not isinstance(state, dict) or text(state.get("status")).lower() in ("", "approved")

    return any(approved(c) for c in dicts(item.config.get("privateEndpointConnections")))


def admits(ranges: Iterable[object], item: Item, what: str = "network rules") -> Verdict | None:
    """None where these ranges are the Internet; else the control, with whom it lets in."""
    given = list(ranges)
    found = addresses(given, 4)
    if is_wide(found, 4) or is_wide(addresses(given, 6), 6):
        return None
    shown = cidr_texts(found, 4) if found else ""
    return no(f"{what} admit only {shown or 'named networks'}", item.uid, shown)


def _range(row: dict[str, Any]) -> Any:
    keys = ("value", "ipAddressOrRange", "iPAddressOrRange", "ipMask", "iPMask")
    return next((row[k] for k in keys if row.get(k)), None)


def network_rules(item: Item, *keys: str, needs_one: bool = False) -> Verdict | None:
    """None where everyone may connect; else the control (or who is let in).

    needs_one: a service that denies nobody until there is a rule, whatever its default action says.
    """
    rules: Any = None
    for key in keys:
        if isinstance(item.config.get(key), dict):
            rules = item.config[key]
    if rules is None or text(rules.get("defaultAction")).lower() != "deny":
        return None
    rows = [*dicts(rules.get("ipRules")), *dicts(rules.get("ipv6Rules"))]
    if needs_one and not rows and not dicts(rules.get("virtualNetworkRules")):
        return None
    rows = [r for r in rows if text(r.get("action")).lower() != "deny"]
    return admits([_range(r) for r in rows], item)
