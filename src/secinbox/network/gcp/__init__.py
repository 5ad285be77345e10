"""Google Cloud: public_accessibility of machines, functions, services, stores and databases.

`yes` is the Internet at large, or, where the first step of the evidence says so, any Google account
or any customer of Google Cloud. Sources: cloud.google.com, the documentation of each service about
public access, ingress settings, authorised networks, public access prevention and IAM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from secinbox.estate import PARTIAL, Estate, Item
from secinbox.iam.gcp.grants import WHOLE
from secinbox.network.gcp import services, stores
from secinbox.network.gcp.balancers import RULES, Balancers
from secinbox.network.gcp.federation import provider, service_account
from secinbox.network.gcp.firewalls import Firewalls, decide, external, vpc_rule
from secinbox.network.gcp.gateways import api_gateway
from secinbox.network.gcp.policies import OPENING
from secinbox.network.gcp.routes import Routes
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence, RiskStatement

# Type -> what is looked at on the way; the table in the docs is made of this.
CONTROLS: dict[str, str] = {
    "gcp_compute_instance": "state; external addresses; hierarchical, VPC and network firewall rules by "
    "priority with tags, secure tags and accounts; routes; load balancers",
    **dict.fromkeys(RULES, "scheme; Private Service Connect; what guards all of its backends"),
    "gcp_compute_firewall": "direction, action, ranges of IPv4 and IPv6, disabled",
    "gcp_storage_bucket": "IAM here and above, ACLs, uniform access, public access prevention, perimeter",
    "gcp_run_service": "ingress, invoker, own address, Identity-Aware Proxy, load balancers",
    "gcp_cloudfunctions_cloud_function": "trigger, ingress, invoker, state",
    "gcp_cloudfunctions_function": "ingress, invoker of the service below",
    "gcp_sqladmin_instance": "address, authorised networks and their expiry, connectors, state",
    "gcp_alloydb_instance": "address, authorised networks, state",
    "gcp_container_cluster": "private endpoint, DNS endpoint, authorised networks, Google's addresses",
    "gcp_bigquery_dataset": "access entries, IAM here and above, perimeter",
    "gcp_bigquery_table": "IAM, its dataset, perimeter",
    "gcp_appengine_service": "ingress, Identity-Aware Proxy, serving state, versions; not its "
    "firewall, which is in no export",
    "gcp_apigateway_gateway": "state; methods of its OpenAPI documents that ask for no key or token",
    "gcp_composer_environment": "ranges of the web server, state",
    "gcp_iam_service_account": "IAM here and above, federation with open issuers",
    "gcp_iam_workload_identity_pool_provider": "issuer, condition, state",
    **{kind: "IAM here and above, perimeter" for kind in sorted(OPENING)
       if not kind.startswith(("gcp_storage", "gcp_bigquery", "gcp_run_service", "gcp_cloudf", "gcp_iam"))},
    **dict.fromkeys(WHOLE, "IAM here and above, perimeter"),
}  # fmt: skip


def exposure(estate: Estate) -> Iterator[RiskStatement]:
    """One statement a resource, in order of uid."""
    if not any(kind.startswith("gcp_") for kind in {i.type for i in estate.items.values()}):
        return
    out = _verdicts(estate)
    for uid in sorted(out):
        found, item = out[uid], estate.items[uid]
        if found.value == "no" and item.unfinished("name"):
            found = _proven(item, found)
        yield found.statement(uid)


# A role with every permission that lets a stranger in.
_ALL = Item(
    "//iam.googleapis.com/projects/all/roles/all", "gcp_iam_role",
    config={"name": "projects/all/roles/all",
            "includedPermissions": sorted({p for found in OPENING.values() for p in found})},
)  # fmt: skip
_EVERYONE = {"bindings": [{"role": "projects/all/roles/all", "members": ["allUsers"]},
                          {"role": "roles/owner", "members": ["allUsers"]}]}  # fmt: skip


def _proven(item: Item, found: Verdict) -> Verdict:
    """A "no" of a resource out of rows, of which some may be missing: it stands if its own
    configuration says so, even if a policy above it let everyone in, and balancers led to it."""
    config = {k: v for k, v in item.config.items() if k != PARTIAL}
    alone = Estate()
    alone.add(_ALL)
    alone.add(replace(item, config={**config, "iamPolicy": _EVERYONE, "networkInterfaces": []}))
    own = _verdicts(alone)[item.uid]
    return found if own.value == "no" else unknown(item.unfinished("name"), item.uid)


def _verdicts(estate: Estate) -> dict[str, Verdict]:
    firewalls = Firewalls(estate)
    routes = Routes(estate)
    balancers = Balancers(estate, firewalls)
    judges: dict[str, Callable[[Estate, Item], Verdict]] = {
        **dict.fromkeys(OPENING, stores.by_policy),
        **dict.fromkeys(WHOLE, stores.by_policy),
        "gcp_compute_instance": lambda e, i: instance(firewalls, routes, i),
        **dict.fromkeys(RULES, lambda e, i: balancers.front(i)),
        "gcp_compute_firewall": lambda e, i: firewall(i),
        "gcp_storage_bucket": stores.bucket, "gcp_run_service": services.run_service,
        "gcp_cloudfunctions_cloud_function": services.function,
        "gcp_cloudfunctions_function": services.function,
        "gcp_sqladmin_instance": stores.sql_instance, "gcp_alloydb_instance": stores.alloydb,
        "gcp_container_cluster": services.cluster, "gcp_bigquery_dataset": stores.dataset,
        "gcp_bigquery_table": stores.table, "gcp_appengine_service": services.app_engine,
        "gcp_apigateway_gateway": api_gateway, "gcp_composer_environment": services.composer,
        "gcp_iam_service_account": service_account,
        "gcp_iam_workload_identity_pool_provider": provider,
    }  # fmt: skip
    out: dict[str, Verdict] = {}
    for kind, judge in judges.items():
        for item in estate.of_type(kind):
            out[item.uid] = (
                unknown("its configuration was not read", item.uid)
                if kind in _CONFIGURED and not set(item.config) - _AROUND else judge(estate, item)
            )  # fmt: skip
    _behind(estate, balancers, out)
    return out


# Types whose answer hangs on their configuration: a policy or a search alone does not say it.
_CONFIGURED = frozenset((
    *RULES, "gcp_compute_firewall", "gcp_container_cluster", "gcp_alloydb_instance",
    "gcp_appengine_service", "gcp_apigateway_gateway", "gcp_iam_workload_identity_pool_provider",
))  # fmt: skip
_AROUND = frozenset(("iamPolicy", "orgPolicy", "ancestors", "labels"))
_LINKED = ("gcp_run_service", "gcp_cloudfunctions_cloud_function", "gcp_cloudfunctions_function")


def _behind(estate: Estate, balancers: Balancers, out: dict[str, Verdict]) -> None:
    """What external forwarding rules lead to, where it is not public by itself."""
    for rule in estate.of_type(*RULES):
        if not balancers.leads_in(rule):
            continue
        for reached in balancers.behind(rule):
            item = estate.find(reached.uid)
            known = out.get(reached.uid)
            if item is None or known is None or known.value == "yes":
                continue
            if item.type == "gcp_compute_instance":
                found = balancers.machine(rule, item, reached)
            elif item.type in _LINKED:
                found = balancers.serverless(rule, item, reached)
            else:
                continue
            # Not through this front: what was known stays, with the reason beside it.
            out[item.uid] = either([known, found])
    for item in estate.of_type("gcp_compute_instance") if balancers.unlisted else ():
        network, zone = _place(item)
        group = balancers.unlisted.get((network, zone)) or balancers.unlisted.get(
            (network, _region(zone))
        )
        known = out[item.uid]
        told = any(e.text == NO_ADDRESS for e in known.evidence)
        if group and known.value == "no" and told and not estate.targets(item.uid, "member_of") and (
            balancers.may_be_behind(item)):  # fmt: skip
            out[item.uid] = unknown(f"whether it is a member of {group}, which an external load balancer "
                                    "reaches, was not read", item.uid)  # fmt: skip


NO_ADDRESS = "no external address"


def _place(item: Item) -> tuple[str, str]:
    rows = item.config.get("networkInterfaces")
    first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    found = re.search(r"/zones/([^/]+)/", item.uid)
    return str(first.get("network") or "").rsplit("/", 1)[-1], found.group(1) if found else ""


def _region(zone: str) -> str:
    return zone.rpartition("-")[0]


def firewall(item: Item) -> Verdict:
    """A rule by itself: whether it admits everyone to something."""
    rule = vpc_rule(item)
    if rule is None or rule.action != "allow":
        return no("it is no rule that lets anything in", item.uid)
    for version in (4, 6):
        found = decide([rule], version)
        if found.ports:
            return yes(Evidence(kind="route", text=f"admits everyone on {found.ports}", source=item.uid,
                                ports=found.ports, steps=("Internet", item.name)))  # fmt: skip
    some = decide([rule]).some
    return no(
        f"it admits only {some}" if some else "it admits nobody from the Internet", item.uid, some
    )


def instance(firewalls: Firewalls, routes: Routes, item: Item) -> Verdict:
    """An external address, a running machine, firewalls that let everyone in on some port, and a route."""
    state = str(item.config.get("status") or "RUNNING")
    if state not in ("RUNNING", "STAGING", "PROVISIONING"):
        return no(f"the machine is {state.lower()}", item.uid)
    if not item.config.get("networkInterfaces"):
        return unknown("its network interfaces were not read", item.uid)
    ways = []
    for address, network, version in external(item):
        found = firewalls.admitted(item, network, version)
        ports = found.ports
        if ports and found.doubts:
            ways.append(unknown("; ".join(found.doubts), item.uid))
        elif ports:
            text = f"the Internet reaches {item.name} at {address} on {ports}"
            way = yes(Evidence(
                kind="route", text=text, source=item.uid, ports=ports,
                steps=("Internet", address, *(f"firewall {n}" for n in found.by[:3]), item.name),
            ))  # fmt: skip
            ways.append(routes.returning(item, network, version, way))
        elif found.gaps:
            ways.append(unknown("; ".join(found.gaps), item.uid))
        elif not firewalls.known(item, network):
            ways.append(unknown("the firewall rules of its network were not read", item.uid))
        elif found.denied:
            ways.append(no(f"denied by {found.denied}", item.uid, found.some))
        else:
            told = f"admits only {found.some}" if found.some else "admits nobody from the Internet"
            ways.append(no(f"the firewall of its network {told}", item.uid, found.some))
    return either(ways) if ways else no(NO_ADDRESS, item.uid)
