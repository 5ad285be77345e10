"""API Gateway: REST, HTTP and WebSocket APIs, their custom domains, the functions behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.policy import parse
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.openings import entries
from secinbox.network.aws.policies import Surroundings, admits_strangers
from secinbox.network.verdict import Verdict, both, no, unknown, yes
from secinbox.records import Evidence

_FUNCTION = re.compile(r"(arn:aws[a-z-]*:lambda:[^:/]+:\d{12}:function:[^:/]+)")


class Domains:
    """Custom domain names, and which APIs they lead to."""

    def __init__(self, estate: Estate) -> None:
        self._hosts: dict[str, list[str]] = {}
        self._unread: dict[tuple[str, str], bool] = {}
        self._estate = estate
        for item in estate.of_type("aws_apigateway_domain_name"):
            host = str(item.config.get("domainName") or item.name)
            private = "PRIVATE" in walk(item.config, "endpointConfiguration.types[]")
            known = False
            for call, path in (("get_base_path_mappings", "items[].restApiId"),
                               ("get_api_mappings", "Items[].ApiId")):  # fmt: skip
                found = answer(item, call)
                if isinstance(found, Unread):
                    continue
                known = not item.unfinished(call)
                for number in walk(dict(found or {}), path):
                    if not private:
                        self._hosts.setdefault(str(number), []).append(host)
            if not known:
                self._unread[item.account, item.region] = True

    def gate(self, api: str, item: Item) -> Verdict:
        """Whether an API whose own endpoint is off is reached all the same."""
        if self._hosts.get(api):
            return yes(Evidence(kind="endpoint", text=f"custom domain {self._hosts[api][0]}"))
        unread = any(r == item.region for _, r in self._unread)
        asked = any(k.endswith(f"/{item.region}/apigateway.get_domain_names")
                    for k in self._estate.covered)  # fmt: skip
        if unread or not asked:
            return unknown("the default endpoint is off; custom domains were not read", item.uid)
        return no("the default endpoint is off, and no custom domain leads to it", item.uid)


def rest_api(item: Item, domains: Domains) -> Verdict:
    """A REST API: not private, its policy open, deployed, and a method that asks for nothing."""
    types = [str(t) for t in walk(item.config, "endpointConfiguration.types[]")]
    if not types:
        return unknown("its endpoint type was not read", item.uid)
    if "PRIVATE" in types:
        return no("the API is private (VPC endpoints only)", item.uid)
    host = f"{item.config.get('id')}.execute-api.{item.region}.amazonaws.com"
    gates = [_rest_policy(item), _deployed(item)]
    if item.config.get("disableExecuteApiEndpoint") is True:
        gate = domains.gate(str(item.config.get("id")), item)
        gates.append(gate)
        if gate.value == "yes":
            host = gate.evidence[0].text.rpartition(" ")[2]
    verdict = both([*gates, _open_methods(item)])
    if verdict.value != "yes":
        return verdict
    text = verdict.evidence[-1].text
    return yes(Evidence(kind="endpoint", text=f"{'/'.join(types).lower()} API, {text}", source=host,
                        steps=("Internet", host), ports="tcp 443"))  # fmt: skip


def _rest_policy(item: Item) -> Verdict:
    text = item.config.get("policy")
    if not text:
        part = item.unfinished("policy")
        return unknown(part, item.uid) if part else yes()
    # The API returns the policy with its quotes escaped once more.
    own = f"arn:aws:execute-api:{item.region}:{item.account or '000000000001'}:{item.config.get('id')}"
    # Its short form stands for the API that it hangs on.
    plain = str(text).replace('\\"', '"').replace('"execute-api:/', f'"{own}/')
    policy = parse(plain, "API's policy")
    arn = f"{own}/*"
    for statement in policy.statements:
        for pattern in statement.resources or ():
            if pattern.startswith("arn:aws:execute-api:"):
                arn = re.sub(r":\d{12}:", f":{pattern.split(':')[4]}:", arn)
    verdict = admits_strangers(policy, ("execute-api:invoke",), arn, Surroundings(item.account),
                               "API's policy")  # fmt: skip
    return yes() if verdict.value == "yes" else verdict


def _deployed(item: Item) -> Verdict:
    found = answer(item, "get_stages")
    if isinstance(found, Unread):
        return unknown(f"stages: {found.text}", item.uid)
    stages = (found or {}).get("item") or (found or {}).get("Items")
    return yes() if stages else no("the API is not deployed", item.uid)


def _methods(item: Item) -> Iterator[tuple[str, str, dict[str, Any]]]:
    found = answer(item, "get_resources")
    if isinstance(found, Unread) or not found:
        return
    for resource in entries(found.get("items")):
        methods = resource.get("resourceMethods")
        if isinstance(methods, dict):
            for verb, method in methods.items():
                if isinstance(method, dict):
                    yield str(resource.get("path") or "/"), str(verb), method


def _is_open(method: dict[str, Any]) -> bool:
    return str(method.get("authorizationType") or "NONE") == "NONE" and not method.get(
        "apiKeyRequired"
    )


def _open_methods(item: Item) -> Verdict:
    found = answer(item, "get_resources")
    if isinstance(found, Unread):
        return unknown(f"methods: {found.text}", item.uid)
    methods = list(_methods(item))
    # CORS preflight never asks for authorisation and leads to nothing.
    real = [m for m in methods if m[1] != "OPTIONS"] or methods
    if not real:
        part = item.unfinished("get_resources")
        return unknown(part, item.uid) if part else no("the API has no method", item.uid)
    for path, verb, method in real:
        if _is_open(method):
            return yes(Evidence(kind="endpoint", text=f"{verb} {path} asks for no authorisation"))
    if item.unfinished("get_resources"):
        return unknown(item.unfinished("get_resources"), item.uid)
    kinds = sorted({str(m.get("authorizationType") or "API key") for _, _, m in real})
    if "NONE" in kinds:
        kinds = ["API key" if k == "NONE" else k for k in kinds]
    return no(f"every method asks for authorisation ({', '.join(kinds)})", item.uid)


def functions_behind(item: Item, verdict: Verdict) -> Iterator[tuple[str, Verdict]]:
    """Functions that open methods or routes of a public API call."""
    if verdict.value == "no":
        return
    host = verdict.evidence[0].source
    for path, verb, method in _methods(item):
        if not _is_open(method):
            continue
        integration = method.get("methodIntegration")
        for arn in _FUNCTION.findall(str((integration or {}).get("uri") or "")):
            called = _called(item, arn, host, f"{verb} {path}")
            yield arn, called if verdict.value == "yes" else verdict
    integrations = answer(item, "get_integrations")
    if isinstance(integrations, Unread) or not integrations:
        return
    by_id = {str(i.get("IntegrationId")): i for i in entries(integrations.get("Items"))}
    for route in _open_routes(item):
        target = by_id.get(str(route.get("Target") or "").rpartition("/")[2])
        for arn in _FUNCTION.findall(str((target or {}).get("IntegrationUri") or "")):
            called = _called(item, arn, host, str(route.get("RouteKey")))
            yield arn, called if verdict.value == "yes" else verdict


def _called(api: Item, arn: str, host: str, way: str) -> Verdict:
    name = arn.rpartition(":")[2]
    text = f"called by the API {host}, {way}, without authorisation"
    return yes(Evidence(kind="route", text=text, source=arn, ports="tcp 443", via=(api.uid,),
                        steps=("Internet", f"{host} {way}", name)))  # fmt: skip


def _open_routes(item: Item) -> Iterator[dict[str, Any]]:
    found = answer(item, "get_routes")
    if isinstance(found, Unread) or not found:
        return
    routes = list(entries(found.get("Items")))
    # Nobody is asked again who has a connection to a WebSocket API: only its route $connect asks.
    if any(r.get("RouteKey") == "$connect" and not _open_route(r) for r in routes):
        return
    yield from (r for r in routes if _open_route(r))


def _open_route(route: dict[str, Any]) -> bool:
    return str(route.get("AuthorizationType") or "NONE") == "NONE" and not route.get(
        "ApiKeyRequired"
    )


def http_api(item: Item, domains: Domains) -> Verdict:
    """An HTTP or WebSocket API."""
    endpoint = str(item.config.get("ApiEndpoint") or item.uid)
    if item.config.get("DisableExecuteApiEndpoint") is True:
        gate = domains.gate(str(item.config.get("ApiId")), item)
        if gate.value != "yes":
            return gate
        endpoint = gate.evidence[0].text.rpartition(" ")[2]
    found = answer(item, "get_routes")
    if isinstance(found, Unread):
        return unknown(f"routes: {found.text}", item.uid)
    routes = list(entries((found or {}).get("Items")))
    if not routes:
        return no("the API has no route", item.uid)
    deployed = _deployed(item)
    # Such an API is born with a stage that deploys itself: only who asked knows of none.
    if deployed.value == "no":
        return deployed
    for route in _open_routes(item):
        text = f"route {route.get('RouteKey')} asks for no authorisation"
        return yes(Evidence(kind="endpoint", text=text, source=endpoint,
                            steps=("Internet", endpoint), ports="tcp 443"))  # fmt: skip
    if item.unfinished("get_routes"):
        return unknown(item.unfinished("get_routes"), item.uid)
    asking = [r for r in routes if not _open_route(r)]
    kinds = sorted({str(r.get("AuthorizationType") or "API key") for r in asking})
    return no(f"every route asks for authorisation ({', '.join(kinds)})", item.uid)
