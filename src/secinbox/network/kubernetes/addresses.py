"""Where a service, ingress or gateway stands: internal, private, public, and for which clients."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from secinbox.estate import Item
from secinbox.inventory.kubernetes.cluster import notes_of, obj, objs, strs, word
from secinbox.network.ranges import addresses, cidr_texts, clients, is_wide, parse_network
from secinbox.network.verdict import Verdict, both, no, unknown, yes

_AWS = "service.beta.kubernetes.io/aws-load-balancer-"
# Annotation -> values that make a load balancer internal (lower case).
_INTERNAL = {
    f"{_AWS}scheme": ("internal",),
    f"{_AWS}internal": ("true", "0.0.0.0/0"),
    "alb.ingress.kubernetes.io/scheme": ("internal",),
    "service.beta.kubernetes.io/azure-load-balancer-internal": ("true",),
    "appgw.ingress.kubernetes.io/use-private-ip": ("true",),
    "networking.gke.io/load-balancer-type": ("internal",),
    "cloud.google.com/load-balancer-type": ("internal",),
    "service.beta.kubernetes.io/do-loadbalancer-network": ("internal",),
    "service.beta.kubernetes.io/oci-load-balancer-internal": ("true",),
    "service.beta.kubernetes.io/openstack-internal-load-balancer": ("true",),
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": ("intranet",),
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": ("private",),
    "load-balancer.hetzner.cloud/disable-public-network": ("true",),
    "service.beta.kubernetes.io/scw-loadbalancer-private": ("true",),
    "oci-network-load-balancer.oraclecloud.com/internal": ("true",),
}
# Annotations that make it internal whatever they say: the subnet that it stands in.
_INSIDE = ("service.kubernetes.io/qcloud-loadbalancer-internal-subnetid",)
_SERVICE_RANGES = (
    "service.beta.kubernetes.io/load-balancer-source-ranges",
    "service.beta.kubernetes.io/azure-allowed-ip-ranges",
)
INGRESS_RANGES = (
    "nginx.ingress.kubernetes.io/whitelist-source-range",
    "nginx.ingress.kubernetes.io/allowlist-source-range",
    "haproxy-ingress.github.io/allowlist-source-range",
    "haproxy.org/allow-list",
    "alb.ingress.kubernetes.io/inbound-cidrs",
)


def parsed(text: str) -> Any:
    net = parse_network(text)
    return ip_address(net.network_address) if net is not None else None


def is_public(text: str) -> bool:
    found = parsed(text)
    return found is not None and bool(clients(addresses([text], found.version), found.version))


def addresses_of(item: Item) -> list[str]:
    """What the status of a service, ingress or gateway says it is reached at."""
    rows = objs(item.config, "status", "loadBalancer", "ingress")
    found = [word(r, "ip") or word(r, "hostname") for r in rows]
    found += [word(r, "value") for r in objs(item.config, "status", "addresses")]
    return sorted({a for a in found if a})


def internal(item: Item) -> str:
    notes = notes_of(item) | {
        k: str(v) for k, v in obj(item.config, "spec", "infrastructure", "annotations").items()
    }
    for key, values in _INTERNAL.items():
        if notes.get(key, "").strip().lower() in values:
            return f"{key}: {notes[key]}"
    return next((f"{key}: {notes[key]}" for key in _INSIDE if notes.get(key)), "")


def stands(item: Item, kind: str = "") -> Verdict:
    """Where it stands: an internal load balancer, a private address, a public one."""
    setting = internal(item)
    if setting:
        return no(f"its load balancer is internal ({setting})", item.uid)
    found = addresses_of(item)
    public = [a for a in found if is_public(a)]
    names = [a for a in found if parsed(a) is None and not a.startswith("internal-")]
    inner = {"internal", "private", "rilb"} & set(kind.lower().replace(".", "-").split("-"))
    if public or (names and not inner and names != ["localhost"]):
        return yes()
    if inner:
        return no(f"its class {kind} is internal", item.uid)
    if found:
        return no(f"its address {', '.join(found)} is private", item.uid)
    return unknown("it has no address yet", item.uid)


def load_balancer(item: Item) -> Verdict:
    spec = obj(item.config, "spec")
    where = stands(item)
    wanted = word(spec, "loadBalancerIP")
    notes = notes_of(item)
    if where.value == "unknown" and wanted:
        where = yes() if is_public(wanted) else no(f"its address {wanted} is private", item.uid)
    if (
        where.value != "no"
        and f"{_AWS}scheme" not in notes
        and (
            word(spec, "loadBalancerClass") == "service.k8s.aws/nlb"
            or notes.get(f"{_AWS}type") in ("external", "nlb-ip")
        )
        and f"{_AWS}internal" not in notes
    ):
        where = no(
            "the AWS Load Balancer Controller makes it internal unless told otherwise", item.uid
        )
    return both([where, ranges(item, _SERVICE_RANGES, strs(spec, "loadBalancerSourceRanges"))])


def ranges(item: Item, keys: tuple[str, ...], given: list[str]) -> Verdict:
    """Open unless source ranges are set and leave most of the Internet out."""
    notes = notes_of(item)
    if not given:
        for key in keys:
            given = [p.strip() for p in notes.get(key, "").split(",") if p.strip()]
            if given:
                break
    if not given:
        return yes()
    sets = {v: addresses(given, v) for v in (4, 6)}
    if any(is_wide(s, v) for v, s in sets.items()):
        return yes()
    wrong = [g for g in given if parse_network(g) is None]
    if wrong:
        return unknown(f"source range {wrong[0]} is no CIDR", item.uid)
    texts = ", ".join(cidr_texts(s, v) for v, s in sets.items() if s)
    public = ", ".join(cidr_texts(s, v) for v in sets if (s := clients(sets[v], v)))
    return no(f"it admits {texts} only", item.uid, public)


def closed(service: Item) -> Verdict:
    return no(f"service/{service.name}, which serves it, has no address outside", service.uid)


def ingress_class(item: Item) -> str:
    named = word(item.config, "spec", "ingressClassName")
    return named or notes_of(item).get("kubernetes.io/ingress.class", "")
