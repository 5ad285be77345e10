"""Google Cloud: public_accessibility of machines, functions, services, stores and databases.

Sources: cloud.google.com, the documentation of each service about public access, ingress settings,
authorised networks, public access prevention and IAM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.gcp.constraints import enforced
from secinbox.network.gcp.firewalls import FRONT_RANGES, Firewalls, everyone, external
from secinbox.network.gcp.policies import ANYONE, bindings, bound_to_anyone
from secinbox.network.ranges import addresses
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence, RiskStatement

# Types whose only door is their IAM policy.
_BY_POLICY = (
    "gcp_pubsub_topic", "gcp_pubsub_subscription", "gcp_cloudkms_crypto_key",
    "gcp_cloudkms_key_ring", "gcp_secretmanager_secret", "gcp_artifactregistry_repository",
    "gcp_compute_image", "gcp_compute_snapshot", "gcp_spanner_database", "gcp_spanner_instance",
    "gcp_bigquery_table", "gcp_dataproc_cluster", "gcp_iam_service_account",
    "gcp_cloudresourcemanager_project", "gcp_sourcerepo_repository", "gcp_healthcare_dataset",
    "gcp_cloudtasks_queue", "gcp_compute_disk", "gcp_bigtableadmin_instance",
)  # fmt: skip
_EXTERNAL = ("EXTERNAL", "EXTERNAL_MANAGED")


def exposure(estate: Estate) -> Iterator[RiskStatement]:
    """One statement a resource, in order of uid."""
    if not any(kind.startswith("gcp_") for kind in {i.type for i in estate.items.values()}):
        return
    out: dict[str, Verdict] = {}
    firewalls = Firewalls(estate)
    for item in estate.of_type("gcp_compute_instance"):
        out[item.uid] = instance(estate, firewalls, item)
    _fronts(estate, firewalls, out)
    judges: dict[str, Callable[[Estate, Item], Verdict]] = {
        "gcp_storage_bucket": bucket, "gcp_run_service": run_service,
        "gcp_cloudfunctions_cloud_function": function, "gcp_cloudfunctions_function": function,
        "gcp_sqladmin_instance": sql_instance, "gcp_container_cluster": cluster,
        "gcp_bigquery_dataset": dataset, **dict.fromkeys(_BY_POLICY, bound_to_anyone),
    }  # fmt: skip
    for kind, judge in judges.items():
        for item in estate.of_type(kind):
            out[item.uid] = judge(estate, item)
    for uid in sorted(out):
        yield out[uid].statement(uid)


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def instance(estate: Estate, firewalls: Firewalls, item: Item) -> Verdict:
    """An external address, a running machine, and firewalls that let everyone in on some port."""
    state = str(item.config.get("status") or "RUNNING")
    if state not in ("RUNNING", "STAGING", "PROVISIONING"):
        return no(f"the machine is {state.lower()}", item.uid)
    if not item.config.get("networkInterfaces"):
        return unknown("its network interfaces were not read", item.uid)
    ways = []
    for address, network, version in external(item):
        found = firewalls.admitted(item, network, version)
        ports = found.ports
        if ports:
            text = f"the Internet reaches {item.name} at {address} on {ports}"
            ways.append(yes(Evidence(
                kind="route", text=text, source=item.uid, ports=ports,
                steps=("Internet", address, *(f"firewall {n}" for n in found.by[:3]), item.name),
            )))  # fmt: skip
        elif found.gaps:
            ways.append(unknown("; ".join(found.gaps), item.uid))
        elif not firewalls.known(item):
            ways.append(unknown("the firewall rules of its network were not read", item.uid))
        elif found.denied:
            ways.append(no(f"denied by {found.denied}", item.uid, found.some))
        else:
            told = f"admits only {found.some}" if found.some else "admits nobody from the Internet"
            ways.append(no(f"the firewall of its network {told}", item.uid, found.some))
    return either(ways) if ways else no("no external address", item.uid)


def _fronts(estate: Estate, firewalls: Firewalls, out: dict[str, Verdict]) -> None:
    """External forwarding rules, and the machines behind them that admit their fronts."""
    for item in estate.of_type("gcp_compute_forwarding_rule", "gcp_compute_global_forwarding_rule"):
        scheme = str(item.config.get("loadBalancingScheme") or "EXTERNAL")
        address = str(item.config.get("IPAddress") or "its address")
        if scheme not in _EXTERNAL:
            out[item.uid] = no(f"the load balancer is {scheme.lower()}", item.uid)
            continue
        ports = str(item.config.get("portRange") or ", ".join(
            str(p) for p in item.config.get("ports") or ()) or "all")  # fmt: skip
        ports = "-".join(dict.fromkeys(ports.split("-")))
        evidence = Evidence(kind="route", text=f"external load balancer at {address}, port {ports}",
                            source=item.uid, ports=f"tcp {ports}",
                            steps=("Internet", f"{address}:{ports}"))  # fmt: skip
        out[item.uid] = yes(evidence)
        direct = item.config.get("target") and "/targetPools/" in str(item.config["target"])
        for uid in _behind(estate, item.uid):
            target = estate.find(uid)
            if target is None or target.type != "gcp_compute_instance":
                continue
            if out.get(uid) is not None and out[uid].value == "yes":
                continue
            if _admits_front(firewalls, target, bool(direct)):
                out[uid] = yes(Evidence(
                    kind="route", text=f"reached through the load balancer {item.name}",
                    source=uid, via=(item.uid,), ports=f"tcp {ports}",
                    steps=("Internet", f"{address}:{ports}", target.name)))  # fmt: skip


def _admits_front(firewalls: Firewalls, item: Item, direct: bool) -> bool:
    """A pass-through balancer keeps the client's address; a proxy comes from Google's own ranges."""
    for interface in _dicts(item.config.get("networkInterfaces")):
        network = str(interface.get("network") or "")
        found = firewalls.admitted(item, network)
        if found.ports:
            return True
        if not direct:
            rules = firewalls.of(item, network)
            fronts = addresses(FRONT_RANGES, 4)
            if any(r.action == "allow" and addresses(r.sources, 4) & fronts for r in rules):
                return True
    return False


def _behind(estate: Estate, uid: str) -> list[str]:
    """Everything that a front forwards to, along target proxies, maps, services and groups."""
    seen: list[str] = []
    stack = [uid]
    while stack:
        here = stack.pop()
        for target in estate.targets(here, "routes_to"):
            found = estate.find(target)
            name = found.uid if found is not None else target
            if name not in seen and len(seen) < 5_000:
                seen.append(name)
                stack.append(name)
        item = estate.find(here)
        if item is not None and "/instanceGroups/" in item.uid:
            seen += [m for m in _members(estate, item.uid) if m not in seen]
        elif "/instanceGroups/" in here:
            seen += [m for m in _members(estate, here) if m not in seen]
    return seen


def _members(estate: Estate, group: str) -> list[str]:
    """Machines of a managed group, by the mark that the manager leaves on them."""
    name = group.rsplit("/", 1)[-1]
    out = []
    for item in estate.of_type("gcp_compute_instance"):
        for entry in _dicts(_get(item.config, "metadata", "items")):
            created = str(entry.get("value") or "")
            if entry.get("key") == "created-by" and created.endswith(
                f"/instanceGroupManagers/{name}"
            ):
                out.append(item.uid)
    return out


def bucket(estate: Estate, item: Item) -> Verdict:
    """IAM, and ACLs where uniform access is off; public access prevention closes both."""
    prevention = str(_get(item.config, "iamConfiguration", "publicAccessPrevention") or "")
    if prevention == "enforced":
        return no("public access prevention is enforced on the bucket", item.uid)
    above = enforced(estate, item, "storage.publicAccessPrevention")
    if above is not None:
        return no(f"public access prevention is enforced by {above.name}", above.uid)
    ways = [bound_to_anyone(estate, item)]
    uniform = _get(item.config, "iamConfiguration", "uniformBucketLevelAccess", "enabled")
    uniform = uniform or _get(item.config, "iamConfiguration", "bucketPolicyOnly", "enabled")
    if not uniform:
        for key, what in (("acl", "bucket ACL"), ("defaultObjectAcl", "default object ACL")):
            for grant in _dicts(item.config.get(key)):
                who = ANYONE.get(str(grant.get("entity")))
                if who:
                    text = f"{what} grants {grant.get('role')} to {grant['entity']}"
                    ways.append(yes(Evidence(kind="policy", text=text, source=item.uid,
                                             steps=(who, what, item.uid))))  # fmt: skip
    return either(ways)


def run_service(estate: Estate, item: Item) -> Verdict:
    """Ingress and invoker together: both must let everyone through."""
    notes = _get(item.config, "metadata", "annotations") or {}
    ingress = str(item.config.get("ingress") or notes.get("run.googleapis.com/ingress") or "all")
    if "internal" in ingress.lower():
        return no(f"ingress is {ingress}", item.uid)
    if item.config.get("invokerIamDisabled") is True or notes.get(
        "run.googleapis.com/invoker-iam-disabled") == "true":  # fmt: skip
        return yes(Evidence(kind="endpoint", text="anyone may call it: the invoker check is off",
                            source=item.uid, steps=("Internet", item.name), ports="tcp 443"))  # fmt: skip
    return _called(estate, item)


def function(estate: Estate, item: Item) -> Verdict:
    """An HTTPS trigger that takes all traffic, and everyone as invoker."""
    config = item.config
    if "eventTrigger" in config and "httpsTrigger" not in config and "serviceConfig" not in config:
        return no("it is called by events, not over HTTP", item.uid)
    ingress = str(config.get("ingressSettings") or _get(config, "serviceConfig", "ingressSettings")
                  or "ALLOW_ALL")  # fmt: skip
    if ingress != "ALLOW_ALL":
        return no(f"ingress is {ingress}", item.uid)
    return _called(estate, item)


def _called(estate: Estate, item: Item) -> Verdict:
    found = bound_to_anyone(estate, item)
    if found.value != "yes":
        return found
    first = found.evidence[0]
    return yes(Evidence(kind="endpoint", text=f"takes all traffic; {first.text}", source=item.uid,
                        steps=first.steps, ports="tcp 443"))  # fmt: skip


def sql_instance(estate: Estate, item: Item) -> Verdict:
    """A public address and authorised networks that are the Internet."""
    del estate
    config = _get(item.config, "settings", "ipConfiguration")
    if not isinstance(config, dict):
        return unknown("its IP configuration was not read", item.uid)
    if config.get("ipv4Enabled") is False:
        return no("it has no public address", item.uid)
    networks = [n.get("value") for n in _dicts(config.get("authorizedNetworks"))]
    wide, text = everyone(networks)
    if wide:
        return yes(Evidence(kind="endpoint", text=f"its public address answers {text}",
                            source=item.uid, steps=("Internet", item.name)))  # fmt: skip
    if not networks:
        return no("no network is authorised", item.uid)
    return no(f"authorised networks are {text}", item.uid, text)


def cluster(estate: Estate, item: Item) -> Verdict:
    """The control plane's endpoint: private, or authorised networks."""
    del estate
    config = item.config
    if _get(config, "privateClusterConfig", "enablePrivateEndpoint") is True or _get(
        config, "controlPlaneEndpointsConfig", "ipEndpointsConfig", "enablePublicEndpoint") is False:  # fmt: skip
        return no("the control plane has a private endpoint only", item.uid)
    authorised = config.get("masterAuthorizedNetworksConfig")
    authorised = authorised if isinstance(authorised, dict) else {}
    steps = ("Internet", str(config.get("endpoint") or "control plane"))
    if authorised.get("enabled") is not True:
        return yes(Evidence(kind="endpoint", text="the control plane answers 0.0.0.0/0",
                            source=item.uid, steps=steps, ports="tcp 443"))  # fmt: skip
    blocks = [b.get("cidrBlock") for b in _dicts(authorised.get("cidrBlocks"))]
    wide, text = everyone(blocks)
    if wide:
        return yes(Evidence(kind="endpoint", text=f"the control plane answers {text}",
                            source=item.uid, steps=steps, ports="tcp 443"))  # fmt: skip
    return no(f"authorised networks are {text or 'none'}", item.uid, text)


def dataset(estate: Estate, item: Item) -> Verdict:
    """Access entries of the dataset, and its IAM policy."""
    for entry in _dicts(item.config.get("access")):
        member = str(entry.get("iamMember") or entry.get("specialGroup") or "")
        if member in ANYONE:
            text = f"dataset access gives {member} the role {entry.get('role')}"
            return yes(Evidence(kind="policy", text=text, source=item.uid,
                                steps=(ANYONE[member], str(entry.get("role")), item.uid)))  # fmt: skip
    found = bound_to_anyone(estate, item)
    if found.value == "unknown" and bindings(item) is None and item.config.get("access"):
        return no("dataset access names nobody outside", item.uid)
    return found
