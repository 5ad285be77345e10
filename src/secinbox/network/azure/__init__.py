"""Azure: public_accessibility of machines, stores, databases, applications and endpoints.

`yes` is the Internet at large, or, where the first step of the evidence says so, any customer of
Azure. A service that lets everyone knock and asks for a key or a sign-in is `yes` with kind
`endpoint`. Sources: learn.microsoft.com, the documentation of each service about public network
access, network rules, firewall rules, access restrictions and anonymous access.
A network security perimeter may settle any of them (perimeters.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from secinbox.estate import PARTIAL, Estate, Item
from secinbox.inventory.azure.resources import only_listed
from secinbox.network.azure import applications, databases, identities, sharing, storage
from secinbox.network.azure.balancers import Fronts
from secinbox.network.azure.endpoints import ENDPOINTS, RULES, endpoint
from secinbox.network.azure.machines import Machines
from secinbox.network.azure.perimeters import Perimeters
from secinbox.network.azure.security_groups import Guards, admitted
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence, RiskStatement

_A = "azure_microsoft_"
_NET = f"{_A}network_"
# Type -> what is looked at on the way; the table in the docs is made of this.
CONTROLS: dict[str, str] = {
    f"{_A}compute_virtualmachines": "power state; public address and its SKU; network security groups "
    "of interface and subnet; security admin rules; route table of the subnet; load balancers, gateways, "
    "firewall DNAT",
    f"{_A}compute_virtualmachinescalesets": "number of machines; public addresses of the "
    "model and their SKU; groups; load balancers and pools of NAT rules",
    f"{_NET}loadbalancers": "public fronts and the rules that use them, but those for traffic out",
    f"{_NET}applicationgateways": "public fronts, listeners, group of the subnet, state, "
    "firewall policy",
    f"{_NET}azurefirewalls": "DNAT rules for everyone, classic or of a policy; groups of "
    "addresses; addresses of a hub",
    f"{_NET}frontdoors": "enabled, routes, firewall policy",
    f"{_A}cdn_profiles_afdendpoints": "enabled, routes, firewall policy",
    f"{_NET}networksecuritygroups": "rules by priority, IPv4 and IPv6, service tags",
    storage.ACCOUNT: "kind, account switch, public network access, network rules, containers; static "
    "website (told as unknown)",
    storage.CONTAINER: "level of the container, account switch, network access, network rules",
    f"{_A}web_sites": "state, public network access, access restrictions, environment, Front Door, "
    "sign-in and function keys (told)",
    f"{_A}web_sites_slots": "as the site", f"{_A}web_staticsites": "public network access, "
    "private endpoints; passwords and previews (told)",
    f"{_A}app_containerapps": "ingress, its restrictions, environment, state; sign-in (told)",
    f"{_A}containerinstance_containergroups": "kind of the address, network, state",
    f"{_A}apimanagement_service": "public network access, virtual network mode, group "
    "of the subnet, gateways that are off",
    f"{_A}containerservice_managedclusters": "private cluster, authorised ranges, state",
    **{f"{_A}{kind}": "public network access, firewall rules, the rule for all of Azure, delegated subnet"
       for kind in databases.SERVERS},
    f"{_A}sql_managedinstances": "public data endpoint, group of the subnet",
    f"{_A}cache_redis": "public network access, firewall rules, subnet",
    f"{_A}documentdb_databaseaccounts": "public network access, ranges, virtual networks",
    **{f"{_A}{kind}": "public network access, " + RULES.get(kind, "network rules") for kind in ENDPOINTS},
    f"{_A}compute_snapshots": "network access, links and whether they ask for a sign-in",
    f"{_A}compute_disks": "network access, links and whether they ask for a sign-in",
    f"{_A}compute_galleries": "sharing profile, community gallery, state", f"{_A}compute_galleries_images": "its gallery, state",
    **dict.fromkeys((identities.MANAGED, identities.APPLICATION), "issuer, subject and expression of "
                    "federated credentials"),
}  # fmt: skip


def exposure(estate: Estate) -> Iterator[RiskStatement]:
    """One statement a resource, in order of uid."""
    if not any(i.type.startswith(("azure_", "entra_")) for i in estate.items.values()):
        return
    out = _verdicts(estate)
    for uid in sorted(out):
        yield out[uid].statement(uid)


# What opens them stands in other resources, which they need not name.
_BY_OTHERS = (f"{_A}compute_virtualmachinescalesets", f"{_NET}azurefirewalls")


def _proven(item: Item, found: Verdict) -> Verdict:
    """A "no" of a resource out of rows, of which some may be missing: it stands if its own
    configuration alone says so."""
    part = item.unfinished("type")
    if not part or found.value != "no":
        return found
    alone = Estate()
    config = {k: v for k, v in item.config.items() if k != PARTIAL}
    alone.add(replace(item, config=config))
    own = _verdicts(alone).get(item.uid) if item.type not in _BY_OTHERS else None
    return found if own is not None and own.value == "no" else unknown(part, item.uid)


def _verdicts(estate: Estate) -> dict[str, Verdict]:
    perimeters = Perimeters(estate)
    estate = perimeters.estate
    guards = Guards(estate)
    fronts = Fronts(estate, guards)
    machines = Machines(estate, guards, fronts)
    judges: dict[str, Callable[[Item], Verdict]] = {
        f"{_A}compute_virtualmachines": machines.machine,
        f"{_A}compute_virtualmachinescalesets": machines.scale_set,
        f"{_NET}loadbalancers": fronts.balancer,
        f"{_NET}applicationgateways": fronts.gateway,
        f"{_NET}azurefirewalls": fronts.firewall,
        f"{_NET}frontdoors": fronts.door,
        f"{_A}cdn_profiles_afdendpoints": fronts.door,
        f"{_NET}networksecuritygroups": security_group,
        storage.ACCOUNT: lambda i: storage.account(estate, i),
        storage.CONTAINER: lambda i: storage.container(estate, i),
        f"{_A}web_sites": lambda i: applications.site(estate, i, fronts.doors),
        f"{_A}web_sites_slots": lambda i: applications.site(estate, i, fronts.doors),
        f"{_A}web_staticsites": lambda i: applications.static_site(estate, i),
        f"{_A}app_containerapps": lambda i: applications.container_app(estate, i),
        f"{_A}containerinstance_containergroups": applications.container_group,
        f"{_A}apimanagement_service": lambda i: applications.api_service(guards, i),
        f"{_A}containerservice_managedclusters": applications.cluster,
        **{f"{_A}{kind}": (lambda i: databases.server(estate, i)) for kind in databases.SERVERS},
        f"{_A}sql_managedinstances": lambda i: databases.managed_instance(estate, guards, i),
        f"{_A}cache_redis": lambda i: databases.redis(estate, i),
        f"{_A}documentdb_databaseaccounts": databases.cosmos,
        **{f"{_A}{kind}": (lambda i: endpoint(estate, i)) for kind in ENDPOINTS},
        f"{_A}compute_snapshots": sharing.exported,
        f"{_A}compute_disks": sharing.exported,
        f"{_A}compute_galleries": sharing.gallery,
        f"{_A}compute_galleries_images": lambda i: sharing.gallery_image(estate, i),
    }
    out: dict[str, Verdict] = {}
    for kind, judge in judges.items():
        for item in estate.of_type(kind):
            if only_listed(item.config):
                out[item.uid] = unknown("its configuration was not read", item.uid)
                continue
            out[item.uid] = _proven(item, perimeters.judged(item, judge))
    for kind in databases.SERVERS:
        for item in estate.of_type(f"{_A}{kind}_databases"):
            above = item.uid.partition("/databases/")[0]
            out[item.uid] = out.get(above) or unknown("its server was not read", item.uid)
    for item in estate.of_type(f"{_A}keyvault_vaults_secrets"):
        above = item.uid.partition("/secrets/")[0]
        if above in out:
            out[item.uid] = out[above]
    for item in estate.of_type(identities.MANAGED, identities.APPLICATION):
        found = identities.federated(estate, item)
        if found is not None:
            out[item.uid] = found
    _behind_gateways(estate, fronts, out)
    return out


def _behind_gateways(estate: Estate, fronts: Fronts, out: dict[str, Verdict]) -> None:
    """Applications that a public gateway names by their host, where they are not public themselves."""
    for target, found in sorted(fronts.by_target.items()):
        item = estate.find(target) if target.startswith("dns:") else None
        known = out.get(item.uid) if item is not None else None
        if item is None or known is None or known.value != "no" or not item.type.startswith(_A):
            continue
        for front in found:
            if front.source == "AzureFrontDoor" or front.gap:
                continue
            # Only a way through a private address or a named subnet gets past its restrictions.
            if any(
                "access restrictions" in e.text or "is disabled" in e.text for e in known.evidence
            ):
                out[item.uid] = either([known, unknown(
                    f"{front.item.name} forwards to it; whether its restrictions admit that gateway "
                    "is not known", front.item.uid)])  # fmt: skip
                break


def security_group(item: Item) -> Verdict:
    """A group by itself: whether a rule admits everyone."""
    if "securityRules" not in item.config:
        return unknown("its rules were not read", item.uid)
    for version in (4, 6):
        for customers, who in ((False, "Internet"), (True, "Any Azure customer")):
            found = admitted(item, frozenset(), version=version, customers=customers)
            if found.ports:
                return yes(Evidence(
                    kind="route", text=f"admits everyone on {found.ports}", source=item.uid,
                    ports=found.ports, steps=(who, *found.by[:3], item.name)))  # fmt: skip
    return no("no rule admits everyone", item.uid, admitted(item, frozenset()).some)
