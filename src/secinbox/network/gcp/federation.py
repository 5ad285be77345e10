"""Workload identity federation: which outsiders may act as a service account.

A provider of a public issuer (GitHub, GitLab, Terraform Cloud ...) without a condition that binds it
to its owner's repositories lets anyone's workflow into the pool; a service account that the whole pool,
or an attribute that anybody can have, may impersonate is then open to them. Sources:
cloud.google.com, "Workload Identity Federation", "Best practices for using Workload Identity
Federation"; GitHub docs, "Configuring OpenID Connect in Google Cloud Platform".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.gcp.permissions import ACT_AS, DIRECT
from secinbox.iam.gcp.roles import Roles
from secinbox.inventory.gcp.constraints import places_of
from secinbox.network.gcp.policies import bindings, bound_to_anyone, perimeter
from secinbox.network.subjects import prefix_binds
from secinbox.network.subjects import shared as shared_issuer
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence

_POOL = re.compile(r"workloadIdentityPools/([^/]+)(?:/(.*))?$")
# Claims that hold an owner, whom an outsider cannot be.
_OWNED = (r"(?:assertion|attribute|google)(?:\.|\[['\"])(?:repository_owner(?:_id)?|repository(?:_id)?|sub|subject|"
          r"project_path|project_id|namespace_(?:path|id)|organization(?:_name|_id|_slug)?|owner(?:_id)?|"
          r"terraform_(?:organization|workspace)_(?:id|name)|job_workflow_ref|workspace(?:_id)?|email|hd)"
          r"(?:['\"]\])?")  # fmt: skip
_LITERAL = r"['\"]([^'\"]+)['\"]"
_EQUAL = re.compile(rf"^{_OWNED}\s*==\s*{_LITERAL}$|^{_LITERAL}\s*==\s*{_OWNED}$")
_AMONG = re.compile(rf"^{_OWNED}\s+in\s+\[[^\]]*\w[^\]]*\]$")
_BEGINS = re.compile(rf"^{_OWNED}\.startsWith\({_LITERAL}\)$")
_FITS = re.compile(rf"^{_OWNED}\.matches\({_LITERAL}\)$")
_ANY_OWNED = re.compile(_OWNED)
# Attributes of which outsiders choose the value themselves.
_FREE = ("ref", "aud", "actor", "workflow", "environment", "event_name", "branch", "ref_type")


def issuer(item: Item) -> str:
    """Host of the issuer of a provider, or what it trusts instead."""
    oidc = item.config.get("oidc")
    uri = str(oidc.get("issuerUri") or "") if isinstance(oidc, dict) else ""
    if isinstance(item.config.get("aws"), dict):
        return f"AWS account {item.config['aws'].get('accountId')}"
    return uri.removeprefix("https://").rstrip("/") or "its issuer"


def shared(item: Item) -> bool:
    """Whether anyone can get a token of this issuer."""
    return shared_issuer(issuer(item))


def binds(expression: str) -> bool | None:
    """Whether a condition ties tokens to some owner; None where nobody can say.

    All of its alternatives have to; in each, one of the parts that are joined by `and` is enough.
    """
    said = [_alternative(part) for part in re.split(r"\|\|", expression)] if expression else [False]
    return False if False in said else None if None in said else True


def _alternative(text: str) -> bool | None:
    said = [_part(part.strip().strip("()").strip() if part.count("(") != part.count(")") else
                  _bare(part.strip())) for part in text.split("&&")]  # fmt: skip
    return True if True in said else None if None in said else False


def _bare(part: str) -> str:
    while part.startswith("(") and part.endswith(")"):
        part = part[1:-1].strip()
    return part


def _part(text: str) -> bool | None:
    if _EQUAL.match(text) or _AMONG.match(text):
        return True
    begins = _BEGINS.match(text)
    if begins:
        return prefix_binds(begins.group(1))
    fits = _FITS.match(text)
    if fits:
        return prefix_binds(re.sub(r"\\(.)", r"\1", fits.group(1)).lstrip("^"))
    if "!=" in text or ".contains(" in text:
        return False  # an outsider need not be the one that is named, and may be called as he likes
    return None if _ANY_OWNED.search(text) else False


def condition(item: Item) -> str:
    """The condition of a provider, where it ties tokens to somebody."""
    said = str(item.config.get("attributeCondition") or "")
    return said if binds(said) else ""


def provider(estate: Estate, item: Item) -> Verdict:
    """Whether anyone gets into the pool."""
    pool = estate.find(item.uid.partition("/providers/")[0])
    for found in (item, pool):
        if found is not None and (
            found.config.get("disabled") is True
            or str(found.config.get("state") or "") == "DELETED"
        ):
            return no("it is switched off", found.uid)
    if not shared(item):
        return no(f"tokens of {issuer(item)} are its owner's own", item.uid)
    said = str(item.config.get("attributeCondition") or "")
    bound = binds(said)
    if bound:
        return no(f"its condition binds it: {said}", item.uid)
    if bound is None:
        return unknown(f"whether its condition ties tokens to an owner: {said}", item.uid)
    return yes(Evidence(kind="policy", text=f"anyone at {issuer(item)} gets into the pool: no condition "
                        "names an owner", source=item.uid,
                        steps=(f"Anyone at {issuer(item)}", item.name)))  # fmt: skip


def providers_of(estate: Estate, pool: str) -> list[Item]:
    """Providers of the pool that a principal names."""
    found = _POOL.search(pool)
    return [
        i for i in estate.of_type("gcp_iam_workload_identity_pool_provider")
        if found and f"/workloadIdentityPools/{found.group(1)}/" in i.uid
    ]  # fmt: skip


def outsiders(estate: Estate, item: Item) -> Iterator[tuple[str, str, str]]:
    """(member, role, project) of federated principals that may act as a service account."""
    roles = estate.once("gcp.roles", lambda: Roles(estate))
    for place in places_of(estate, item):
        for binding in bindings(place) or ():
            role = roles.of(str(binding.get("role") or ""))
            if not role.permissions & {*DIRECT, ACT_AS}:
                continue
            members: Any = binding.get("members")
            for member in members if isinstance(members, list) else ():
                if str(member).startswith(("principal://", "principalSet://")):
                    yield str(member), role.name, place.uid


def free(member: str) -> bool:
    """A set of principals that anybody in the pool is in, or can put himself into."""
    found = re.search(r"workloadIdentityPools/[^/]+/(.*)$", member)
    rest = found.group(1) if found else ""
    if member.startswith("principalSet://") and rest in ("*", ""):
        return True
    named = re.match(r"attribute\.([^/]+)/", rest)
    return bool(named and named.group(1) in _FREE)


def service_account(estate: Estate, item: Item) -> Verdict:
    """Bindings to everyone, and to everyone of an issuer that is open to all."""
    shut = perimeter(estate, item)
    if shut is not None:
        return shut
    ways = [bound_to_anyone(estate, item)]
    for member, role, _ in outsiders(estate, item):
        if not free(member):
            continue
        known = providers_of(estate, member)
        if not known:
            ways.append(
                unknown(f"{role} is bound to a whole pool whose providers were not read", item.uid)
            )
        for found in known:
            answer = provider(estate, found)
            if answer.value == "yes":
                text = f"anyone at {issuer(found)} acts as it: {role} is bound to {_short(member)}"
                ways.append(yes(Evidence(kind="policy", text=text, source=item.uid,
                                         steps=(f"Anyone at {issuer(found)}", found.name, item.uid))))  # fmt: skip
            else:
                ways.append(answer)
    return either(ways)


def _short(member: str) -> str:
    return "the pool " + member.partition("workloadIdentityPools/")[2]
