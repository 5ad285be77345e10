"""Network security perimeters: whom their access rules let in, whatever the resource says itself.

An association puts a resource under the inbound rules of a profile. Enforced, they alone decide, and so
they do where the resource is `SecuredByPerimeter`; in transition (`Learning`) the resource's own
settings let in besides. Without a perimeter, `SecuredByPerimeter` means closed. Rules for subscriptions
let nobody else in. Source: learn.microsoft.com, "Transition to a network security perimeter in Azure",
"What is a network security perimeter?".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import identifier, text
from secinbox.network.azure.rules import disabled, secured
from secinbox.network.ranges import addresses, cidr_texts, is_wide
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence

_PERIMETER = "azure_microsoft_network_networksecurityperimeters"
_ASSOCIATION = f"{_PERIMETER}_resourceassociations"
_RULE = f"{_PERIMETER}_profiles_accessrules"
# What a perimeter that lets everyone in makes of a resource's own firewall.
_OPEN = {
    "publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"},
    "networkRuleSet": {"defaultAction": "Allow"}, "ipRules": [], "ipRangeFilter": "",
    "isVirtualNetworkFilterEnabled": False,
    "firewallRules": [{"name": "perimeter", "startIpAddress": "0.0.0.0", "endIpAddress": "255.255.255.255"}],  # noqa: S104 - a range of a firewall
}  # fmt: skip


def _inside(item: Item) -> dict[str, Any]:
    """The switch of services that keep it among other settings of their network."""
    network = item.config.get("network")
    if not isinstance(network, dict):
        return {}
    return {"network": {**network, "publicNetworkAccess": "Enabled"}}


class Perimeters:
    """`estate`: the estate in which what a perimeter opens, or may open, is open."""

    def __init__(self, estate: Estate) -> None:
        self._rules: dict[str, list[Item]] = {}
        for rule in estate.of_type(_RULE):
            self._rules.setdefault(rule.uid.partition("/accessrules/")[0], []).append(rule)
        # Resource -> what its perimeter lets in, and whether that alone decides.
        self._found: dict[str, tuple[Verdict, bool]] = {}
        known = bool(estate.of_type(_PERIMETER, _ASSOCIATION))
        for item in estate.items.values():
            if item.type.startswith("azure_") and secured(item):
                self._found[item.uid] = (
                    no("it is secured by a perimeter, and stands in none", item.uid) if known
                    else unknown("the perimeter that secures it was not read", item.uid), True)  # fmt: skip
        for association in estate.of_type(_ASSOCIATION):
            uid = identifier(association.config.get("privateLinkResource"))
            found = estate.find(uid) if uid else None
            if found is not None:
                enforced = text(association.config.get("accessMode")).lower() == "enforced"
                self._found[found.uid] = (self._admitted(estate, association),
                                          enforced or disabled(found))  # fmt: skip
        opened = {
            uid: replace(item, config={**item.config, **_OPEN, **_inside(item)})
            for uid, (found_, alone) in self._found.items()
            if found_.value == "yes" or (alone and found_.value == "unknown")
            for item in (estate.items[uid],)
        }
        self.estate = estate.with_items(opened) if opened else estate

    def _admitted(self, estate: Estate, association: Item) -> Verdict:
        """Whom the inbound rules of its profile let in."""
        name = association.uid.split("/")[8]
        profile = identifier(association.config.get("profile"))
        rules = self._rules.get(profile, [])
        if not rules and not estate.looked_at(f"azure:{association.account}/{_RULE}"):
            return unknown(f"the access rules of its perimeter {name} were not read", profile)
        given: list[object] = []
        for rule in rules:
            prefixes = rule.config.get("addressPrefixes")
            if text(rule.config.get("direction")).lower() == "inbound" and isinstance(
                prefixes, list
            ):
                given += prefixes
        found = addresses(given, 4)
        if is_wide(found, 4) or is_wide(addresses(given, 6), 6):
            return yes(Evidence(kind="endpoint", text=f"the perimeter {name} lets everyone in",
                                source=profile, steps=("Internet", f"perimeter {name}")))  # fmt: skip
        shown = cidr_texts(found, 4) if found else ""
        return no(f"its perimeter {name} lets in {f'only {shown}' if shown else 'no public network'}",
                  profile, shown)  # fmt: skip

    def judged(self, item: Item, judge: Callable[[Item], Verdict]) -> Verdict:
        """The resource's own answer, and what its perimeter makes of it; below it the same counts."""
        found, alone = self._found.get("/".join(item.uid.split("/")[:9]), (None, False))
        if found is None or found.value == "yes":
            return judge(item)
        if alone:
            return found if found.value == "no" else both([found, judge(item)])
        own = judge(item)
        return own if own.value == "yes" else either([own, found])
