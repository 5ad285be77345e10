"""Cloud Run, Functions, App Engine, GKE, Composer: ingress and invoker together."""

from __future__ import annotations

from typing import Any

from secinbox.estate import Estate, Item
from secinbox.network.gcp.firewalls import everyone
from secinbox.network.gcp.policies import bound_to_anyone
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence


def get(value: Any, *keys: str) -> Any:
    """The value along these keys; None where one is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _notes(item: Item) -> dict[str, Any]:
    found = get(item.config, "metadata", "annotations")
    return found if isinstance(found, dict) else {}


def ingress_of(item: Item) -> str:
    """`all`, `internal`, or `balancer` (internal and external load balancers)."""
    config = item.config
    notes = _notes(item)
    said = str(config.get("ingress") or notes.get("run.googleapis.com/ingress-status")
               or notes.get("run.googleapis.com/ingress") or config.get("ingressSettings")
               or get(config, "serviceConfig", "ingressSettings") or "all").lower()  # fmt: skip
    if "load_balanc" in said or "load-balanc" in said or "gclb" in said:
        return "balancer"
    return "internal" if "internal" in said or said.endswith("none") else "all"


def iap(item: Item) -> bool:
    """Whether Identity-Aware Proxy stands before a Cloud Run service."""
    notes = _notes(item)
    return item.config.get("iapEnabled") is True or (
        str(notes.get("run.googleapis.com/iap-enabled")).lower() == "true"
    )


def called(estate: Estate, item: Item) -> Verdict:
    """Whether everyone may invoke it, whatever its ingress."""
    config = item.config
    below = str(get(config, "serviceConfig", "service") or "")
    under = estate.find(f"//run.googleapis.com/{below}") if below else None
    if iap(item) or (under is not None and iap(under)):
        return no("Identity-Aware Proxy asks for a sign-in", item.uid)
    notes = _notes(item)
    if config.get("invokerIamDisabled") is True or notes.get(
        "run.googleapis.com/invoker-iam-disabled") == "true":  # fmt: skip
        return yes(Evidence(kind="endpoint", text="anyone may call it: the invoker check is off",
                            source=item.uid, steps=("Internet", item.name), ports="tcp 443"))  # fmt: skip
    # A service perimeter guards the API that administers it; calls are ingress and invoker alone.
    asked = item
    if item.type == "gcp_cloudfunctions_function":
        # A function of the second generation is called through its Cloud Run service.
        own = bound_to_anyone(estate, item)
        if under is None:
            if own.value == "yes":
                return _opened(item, own)
            return (
                unknown("the Cloud Run service below it was not read", item.uid) if below else own
            )
        asked = under
    return _opened(item, bound_to_anyone(estate, asked))


def _opened(item: Item, found: Verdict) -> Verdict:
    if found.value != "yes":
        return found
    first = found.evidence[0]
    return yes(Evidence(kind="endpoint", text=f"takes all traffic; {first.text}", source=item.uid,
                        steps=first.steps, ports="tcp 443"))  # fmt: skip


def run_service(estate: Estate, item: Item) -> Verdict:
    """Ingress and invoker together: both must let everyone through."""
    ingress = ingress_of(item)
    if ingress != "all":
        word = "internal" if ingress == "internal" else "internal and load balancers"
        return no(f"ingress is {word}", item.uid)
    if item.config.get("defaultUriDisabled") is True or (
        str(_notes(item).get("run.googleapis.com/default-url-disabled")).lower() == "true"):  # fmt: skip
        return no("its own address is disabled", item.uid)
    return called(estate, item)


def function(estate: Estate, item: Item) -> Verdict:
    """An HTTPS trigger that takes all traffic, and everyone as invoker."""
    config = item.config
    if str(config.get("status") or "") in ("OFFLINE", "DELETE_IN_PROGRESS"):
        return no(f"the function is {str(config['status']).lower()}", item.uid)
    # Of the second generation, what events call has an address, too.
    first = item.type == "gcp_cloudfunctions_cloud_function" and "serviceConfig" not in config
    if first and config.get("eventTrigger") and not config.get("httpsTrigger"):
        return no("it is called by events, not over HTTP", item.uid)
    ingress = str(config.get("ingressSettings") or get(config, "serviceConfig", "ingressSettings")
                  or "ALLOW_ALL")  # fmt: skip
    if ingress != "ALLOW_ALL":
        return no(f"ingress is {ingress}", item.uid)
    return called(estate, item)


def cluster(estate: Estate, item: Item) -> Verdict:
    """The control plane's endpoints: private, authorised networks, the DNS endpoint."""
    del estate
    config = item.config
    endpoints = config.get("controlPlaneEndpointsConfig")
    if str(config.get("status") or "") in ("STOPPING", "ERROR"):
        return no(f"the cluster is {str(config['status']).lower()}", item.uid)
    if get(endpoints, "dnsEndpointConfig", "allowExternalTraffic") is True:
        host = str(get(endpoints, "dnsEndpointConfig", "endpoint") or "the DNS endpoint")
        return yes(Evidence(kind="endpoint", text=f"{host} answers everyone; a sign-in is asked for",
                            source=item.uid, steps=("Internet", host), ports="tcp 443"))  # fmt: skip
    if get(config, "privateClusterConfig", "enablePrivateEndpoint") is True or get(
        endpoints, "ipEndpointsConfig", "enablePublicEndpoint") is False:  # fmt: skip
        return no("the control plane has a private endpoint only", item.uid)
    if get(endpoints, "ipEndpointsConfig", "enabled") is False:
        return no("the control plane has no IP endpoint", item.uid)
    authorised = config.get("masterAuthorizedNetworksConfig") or get(
        endpoints, "ipEndpointsConfig", "authorizedNetworksConfig")  # fmt: skip
    authorised = authorised if isinstance(authorised, dict) else {}
    steps = ("Internet", str(config.get("endpoint") or "control plane"))
    if authorised.get("enabled") is not True:
        return yes(Evidence(kind="endpoint", text="the control plane answers 0.0.0.0/0",
                            source=item.uid, steps=steps, ports="tcp 443"))  # fmt: skip
    blocks = [b.get("cidrBlock") for b in dicts(authorised.get("cidrBlocks"))]
    wide, text = everyone(blocks)
    if wide:
        return yes(Evidence(kind="endpoint", text=f"the control plane answers {text}",
                            source=item.uid, steps=steps, ports="tcp 443"))  # fmt: skip
    if authorised.get("gcpPublicCidrsAccessEnabled") is True:
        return yes(Evidence(kind="endpoint", source=item.uid, ports="tcp 443", text="the control plane "
                            "answers all public addresses of Google Cloud, any customer's machines "
                            "included", steps=("Any Google Cloud customer", *steps[1:])))  # fmt: skip
    return no(f"authorised networks are {text or 'none'}", item.uid, text)


def app_engine(estate: Estate, item: Item) -> Verdict:
    """A service of App Engine: serving, its ingress, Identity-Aware Proxy of the application."""
    application = estate.find(item.uid.partition("/services/")[0])
    for found in (application, item):
        if found is None:
            continue
        if str(found.config.get("servingStatus") or "SERVING") not in ("SERVING", "UNSPECIFIED"):
            return no("the application is disabled", item.uid)
        if get(found.config, "iap", "enabled") is True:
            return no("Identity-Aware Proxy asks for a sign-in", item.uid)
    versions = [
        v for v in estate.of_type("gcp_appengine_version") if v.uid.startswith(item.uid + "/")
    ]
    if versions and all(v.config.get("servingStatus") == "STOPPED" for v in versions):
        return no("all of its versions are stopped", item.uid)
    ingress = str(get(item.config, "networkSettings", "ingressTrafficAllowed") or "")
    if "INTERNAL" in ingress:
        return no(f"ingress is {ingress}", item.uid)
    return yes(Evidence(kind="endpoint", text="takes all traffic", source=item.uid,
                        steps=("Internet", item.name), ports="tcp 443"))  # fmt: skip


def composer(estate: Estate, item: Item) -> Verdict:
    """The web server of an environment: ranges, then a sign-in."""
    del estate
    config = item.config.get("config")
    if str(item.config.get("state") or "") in ("DELETING", "ERROR"):
        return no(f"the environment is {str(item.config['state']).lower()}", item.uid)
    if get(config, "privateEnvironmentConfig", "enablePrivateEnvironment") is True and get(
        config, "webServerNetworkAccessControl") is None:  # fmt: skip
        return no("the environment is private", item.uid)
    ranges = dicts(get(config, "webServerNetworkAccessControl", "allowedIpRanges"))
    if not ranges:
        if get(config, "webServerNetworkAccessControl") is None:
            return unknown("who reaches its web server was not read", item.uid)
        return no("no network is allowed to its web server", item.uid)
    wide, text = everyone(r.get("value") for r in ranges)
    if wide:
        return yes(Evidence(kind="endpoint", text=f"its web server answers {text}; a sign-in is asked "
                            "for", source=item.uid, steps=("Internet", item.name), ports="tcp 443"))  # fmt: skip
    return no(f"its web server answers {text} only", item.uid, text)
