"""Applications: App Service and Functions, container apps and groups, API management, static sites.

Sources: learn.microsoft.com, "App Service access restrictions", "Networking in Container Apps",
"API Management virtual networks".
"""

from __future__ import annotations

from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, identifier, text
from secinbox.network.azure.rules import ANY_CUSTOMER, admits, disabled, gone, linked, opened
from secinbox.network.azure.security_groups import Guards
from secinbox.network.azure.tags import of_any_customer
from secinbox.network.ranges import EMPTY, IntSet, addresses, cidr_texts, is_wide
from secinbox.network.verdict import Verdict, no, unknown, yes
from secinbox.records import Evidence

_ANYONE = ("any", "*", "internet", "0.0.0.0/0", "::/0")
FRONT_DOOR = "azurefrontdoor.backend"


def _priority(row: dict[str, Any]) -> int:
    found = row.get("priority")
    return found if isinstance(found, int) else 2**31


def configuration(estate: Estate, item: Item) -> dict[str, Any]:
    """The site's configuration, its own answer before what the list of sites says of it."""
    config = item.config.get("siteConfig")
    out = dict(config) if isinstance(config, dict) else {}
    for word in ("web", "authsettingsv2", "authsettings"):
        found = estate.find(f"{item.uid}/config/{word}")
        if found is not None and word == "web":
            out["read"] = True
            out.update({k: v for k, v in found.config.items() if v is not None})
        elif found is not None:
            out[word] = found.config
    return out


class Restrictions:
    """Access restrictions in order: who gets through."""

    def __init__(self, config: dict[str, Any], key: str = "ipSecurityRestrictions") -> None:
        self.read = isinstance(config.get(key), list) or (
            config.get("read") is True and key == "ipSecurityRestrictions"
        )
        rows = sorted(dicts(config.get(key)), key=_priority)
        default = text(config.get(f"{key}DefaultAction")).lower()
        let: IntSet = EMPTY
        taken: IntSet = EMPTY
        let6: IntSet = EMPTY
        taken6: IntSet = EMPTY
        self.everyone, self.tags = False, list[str]()
        denies = default == "deny"
        for row in rows:
            address = text(row.get("ipAddress"))
            allow = text(row.get("action")).lower() != "deny"
            # `Headers` narrow a rule to requests of one front: not to everyone.
            narrowed = isinstance(row.get("headers"), dict) and bool(row["headers"])
            tagged = text(row.get("tag")).lower() == "servicetag"
            if not tagged and (address.lower() in _ANYONE or (not address and not identifier(
                row.get("vnetSubnetResourceId")))):  # fmt: skip
                if allow and not narrowed:
                    self.everyone = True
                denies = denies or not allow
                break
            if tagged:
                names = [t.strip().lower() for t in address.split(",")]
                if allow:
                    self.tags += names
                    self.everyone |= any(n in _ANYONE for n in names) and not narrowed
                    denies = True
                continue
            words = [a.strip() for a in address.split(",")]
            ranges, six = addresses(words, 4), addresses(words, 6)
            if allow:
                if not narrowed:
                    let = let | (ranges - taken)
                    let6 = let6 | (six - taken6)
                denies = True  # one allow rule makes everything else denied
            taken, taken6 = taken | ranges, taken6 | six
        else:
            self.everyone = self.everyone or not denies
        self.ranges = cidr_texts(let, 4) if let else ""
        self.everyone = self.everyone or is_wide(let, 4) or is_wide(let6, 6)
        self.customers = any(of_any_customer(t) for t in self.tags)


def site(estate: Estate, item: Item, doors: dict[str, list[Item]]) -> Verdict:
    """App Service and Functions: access restrictions, and whether it runs."""
    if text(item.config.get("state")).lower() == "stopped" or item.config.get("enabled") is False:
        return no("the application is stopped", item.uid)
    config = configuration(estate, item)
    if disabled(item) or text(config.get("publicNetworkAccess")).lower() == "disabled":
        return no("public network access is disabled", item.uid)
    said = text(item.config.get("publicNetworkAccess")) or text(config.get("publicNetworkAccess"))
    if not said and linked(item):
        # Nobody said anything: with a private endpoint that means closed.
        return no(
            "it has a private endpoint, and public network access was not switched on", item.uid
        )
    environment = item.config.get("hostingEnvironmentProfile")
    if identifier(environment):
        found = estate.find(identifier(environment))
        inside = text(found.config.get("internalLoadBalancingMode")) if found is not None else ""
        if found is None:
            return unknown("its App Service environment was not read", item.uid)
        if inside not in ("", "None"):
            return no("its App Service environment is internal", item.uid)
    rules = Restrictions(config)
    if not rules.read:
        return unknown("its access restrictions were not read", item.uid)
    host = text(item.config.get("defaultHostName")) or item.name
    signs = _signs(config)
    if rules.everyone:
        keys = _keys(estate, item)
        return opened(item, f"{host} answers everyone{signs}{keys}", host, ports="tcp 80, 443")
    if FRONT_DOOR in rules.tags:
        for door in doors.get(host.lower(), ()):
            return yes(Evidence(kind="route", text=f"reached through the front door {door.name}",
                                source=item.uid, via=(door.uid,), ports="tcp 443",
                                steps=("Internet", door.name, host, item.name)))  # fmt: skip
    if rules.customers:
        return opened(item, f"{host} admits all of Azure, any customer's resources included{signs}",
                      host, ports="tcp 80, 443", first=ANY_CUSTOMER)  # fmt: skip
    named = ", ".join(filter(None, (rules.ranges, *(f"service tag {t}" for t in rules.tags))))
    scm = Restrictions(config, "scmIpSecurityRestrictions")
    aside = ""
    if scm.read and scm.everyone and config.get("scmIpSecurityRestrictionsUseMain") is not True:
        aside = "; its SCM site answers everyone, who has to sign in there"
    return no(f"access restrictions admit only {named or 'named networks'}{aside}", item.uid,
              rules.ranges)  # fmt: skip


def _signs(config: dict[str, Any]) -> str:
    """Words on authentication in front of the application."""
    own = config.get("authsettingsv2")
    if isinstance(own, dict):
        valid = own.get("globalValidation")
        platform = own.get("platform")
        on = not isinstance(platform, dict) or platform.get("enabled") is True
        asks = isinstance(valid, dict) and (
            valid.get("requireAuthentication") is True
            or text(valid.get("unauthenticatedClientAction")).lower() not in ("", "allowanonymous"))  # fmt: skip
        return "; it asks for a sign-in" if on and asks else ""
    return "; it asks for a sign-in" if config.get("siteAuthEnabled") is True else ""


def _keys(estate: Estate, item: Item) -> str:
    """Words on the functions of a function app: which answer without a key."""
    if "function" not in text(item.config.get("kind")).lower():
        return ""
    levels: dict[str, list[str]] = {}
    for found in estate.once("azure.functions", lambda: _functions(estate)).get(item.uid, ()):
        config = found.config.get("config")
        for row in dicts(config.get("bindings")) if isinstance(config, dict) else []:
            if text(row.get("type")).lower() == "httptrigger":
                levels.setdefault(text(row.get("authLevel")).lower() or "function", []).append(
                    found.name.rsplit("/", 1)[-1])  # fmt: skip
    if levels.get("anonymous"):
        return f"; {', '.join(sorted(levels['anonymous'])[:3])} without any key"
    return "; its functions ask for a key" if levels else ""


def _functions(estate: Estate) -> dict[str, list[Item]]:
    out: dict[str, list[Item]] = {}
    for found in estate.of_type("azure_microsoft_web_sites_functions"):
        out.setdefault(found.uid.partition("/functions/")[0], []).append(found)
    return out


def container_app(estate: Estate, item: Item) -> Verdict:
    """External ingress of an environment that is external itself, and its restrictions."""
    config = item.config.get("configuration")
    if "configuration" not in item.config:
        return unknown("its ingress was not read", item.uid)
    ingress = config.get("ingress") if isinstance(config, dict) else None
    if text(item.config.get("runningStatus")).lower() == "stopped":
        return no("the application is stopped", item.uid)
    if not isinstance(ingress, dict) or ingress.get("external") is not True:
        return no("it has no external ingress", item.uid)
    name = identifier(item.config.get("managedEnvironmentId") or item.config.get("environmentId"))
    environment = estate.find(name) if name else None
    if environment is not None:
        network = environment.config.get("vnetConfiguration")
        if isinstance(network, dict) and network.get("internal") is True:
            return no(f"its environment {environment.name} is internal", item.uid)
        if disabled(environment):
            return no(f"public network access of {environment.name} is disabled", item.uid)
    elif name:
        return unknown("its environment was not read", item.uid)
    rows = dicts(ingress.get("ipSecurityRestrictions"))
    allowed = [r.get("ipAddressRange") for r in rows if text(r.get("action")).lower() == "allow"]
    denied = addresses([r.get("ipAddressRange") for r in rows
                        if text(r.get("action")).lower() == "deny"], 4)  # fmt: skip
    if allowed:
        shut = admits(allowed, item, "ingress rules")
        if shut is not None:
            return shut
    elif denied and not is_wide(addresses(["0.0.0.0/0"], 4) - denied, 4):
        return no("ingress rules deny everyone", item.uid)
    host = text(ingress.get("fqdn")) or item.name
    asks = _asks(estate.find(f"{item.uid}/authconfigs/current"))
    return opened(item, f"{host} answers everyone{asks}", host, ports="tcp 443")


def _asks(authentication: Item | None) -> str:
    """Words on the sign-in that stands before a container app."""
    return _signs({"authsettingsv2": authentication.config}) if authentication is not None else ""


def container_group(item: Item) -> Verdict:
    """A public address of its own."""
    address = item.config.get("ipAddress")
    view = item.config.get("instanceView")
    state = text(view.get("state")).lower() if isinstance(view, dict) else ""
    if state in ("stopped", "succeeded", "failed", "terminated"):
        return no(f"the group is {state}", item.uid)
    if dicts(item.config.get("subnetIds")):
        return no("it stands in a virtual network", item.uid)
    if not isinstance(address, dict) or text(address.get("type")).lower() != "public":
        return no("it has no public address", item.uid)
    ports = ", ".join(str(p.get("port")) for p in dicts(address.get("ports")))
    shown = text(address.get("ip")) or text(address.get("fqdn"))
    return opened(item, f"public address {shown}, port {ports}", shown, ports=f"tcp {ports}")


def api_service(guards: Guards, item: Item) -> Verdict:
    """API Management: outside a network, inside one, or in one behind the group of its subnet."""
    if disabled(item):
        return no("public network access is disabled", item.uid)
    kind = text(item.config.get("virtualNetworkType")).lower()
    if kind == "internal":
        return no("it stands inside a virtual network", item.uid)
    regions = [item.config, *dicts(item.config.get("additionalLocations"))]
    if all(r.get("disableGateway") is True for r in regions):
        return no("its gateway is switched off in every region", item.uid)
    network = item.config.get("virtualNetworkConfiguration")
    subnet = identifier(network.get("subnetResourceId")) if isinstance(network, dict) else ""
    if kind == "external" and guards.of_subnet(subnet):
        found, gap = guards.through(guards.of_subnet(subnet), frozenset(), "", item)
        if gap is not None:
            return gap
        if not any(p in found.open["tcp"] for p in (443, 80)):
            return no("the group of its subnet does not admit everyone to port 443", item.uid,
                      found.some)  # fmt: skip
    host = text(item.config.get("gatewayUrl")).removeprefix("https://") or item.name
    return opened(item, f"{host} answers everyone", host, ports="tcp 443")


def static_site(estate: Estate, item: Item) -> Verdict:
    """Static Web Apps: closed by a private endpoint unless somebody says otherwise.

    A password may stand before all of its environments, or before those for previews only.
    """
    if disabled(item):
        return no("public network access is disabled", item.uid)
    taken = gone(item)
    if taken is not None:
        return taken
    if linked(item) and not text(item.config.get("publicNetworkAccess")):
        return no(
            "it has a private endpoint, and public network access was not switched on", item.uid
        )
    host = text(item.config.get("defaultHostname")) or item.name
    guard = estate.find(f"{item.uid}/basicauth/default")
    kept = text(guard.config.get("applicableEnvironmentsMode")).lower() if guard is not None else ""
    set_ = guard is not None and text(guard.config.get("secretState")).lower() != "none"
    asks = "; it asks for a password" if set_ and kept == "allenvironments" else ""
    previews = text(item.config.get("stagingEnvironmentPolicy")).lower() != "disabled"
    builds = [b for b in estate.of_type("azure_microsoft_web_staticsites_builds")
              if previews and b.uid.startswith(f"{item.uid}/builds/") and b.name != "default"
              and text(b.config.get("status")).lower() == "ready"]  # fmt: skip
    before = set_ and kept in ("allenvironments", "stagingenvironments")
    also = f"; so do {len(builds)} previews" if builds and not before else ""
    return opened(item, f"{host} answers everyone{asks}{also}", host, ports="tcp 443")


def cluster(item: Item) -> Verdict:
    """The API server of AKS: private, or authorised ranges."""
    profile = item.config.get("apiServerAccessProfile")
    profile = profile if isinstance(profile, dict) else {}
    state = item.config.get("powerState")
    if isinstance(state, dict) and text(state.get("code")).lower() == "stopped":
        return no("the cluster is stopped", item.uid)
    if profile.get("enablePrivateCluster") is True:
        return no("the API server is private", item.uid)
    if disabled(item):
        return no("public network access is disabled", item.uid)
    ranges = profile.get("authorizedIPRanges")
    if isinstance(ranges, list) and ranges:
        shut = admits(ranges, item, "authorised ranges")
        if shut is not None and any(of_any_customer(str(r)) for r in ranges):
            return opened(item, "the API server answers all of Azure, any customer's machines "
                          "included", ports="tcp 443", first=ANY_CUSTOMER)  # fmt: skip
        if shut is not None:
            return shut
    host = text(item.config.get("fqdn")) or item.name
    return opened(item, "the API server answers everyone", host, ports="tcp 443")
