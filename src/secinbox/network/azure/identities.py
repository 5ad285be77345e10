"""Federated credentials of managed identities and applications: whose tokens they take.

A subject is matched as a whole, an expression with wildcards. Source: learn.microsoft.com, "Workload
identity federation", "Flexible federated identity credentials".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.azure.resources import dicts, text
from secinbox.network.subjects import anybody, shared
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence

MANAGED = "azure_microsoft_managedidentity_userassignedidentities"
APPLICATION = "entra_application"
_CLAIM = re.compile(r"claims\[['\"](\w+)['\"]\]\s+(matches|eq)\s+['\"]([^'\"]*)['\"]")
# Claims that hold an owner by themselves.
_OWNERS = ("repository_owner", "repository_owner_id", "repository", "repository_id",
           "job_workflow_ref", "project_path", "namespace_path")  # fmt: skip


def credentials(estate: Estate, item: Item) -> list[dict[str, Any]]:
    """Everything that says whose tokens this identity takes."""
    if item.type == MANAGED:
        found = estate.once("azure.federations", lambda: _by_identity(estate))
        return found.get(item.uid, [])
    inline = dicts(item.config.get("federatedIdentityCredentials"))
    found = estate.once("entra.federations", lambda: _by_application(estate))
    return [*inline, *found.get(item.uid, [])]


def _by_application(estate: Estate) -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {}
    for item in estate.of_type("entra_federation"):
        owner = f"entra:{text(item.config.get('application')).lower()}"
        out.setdefault(owner, []).append(item.config)
    return out


def _by_identity(estate: Estate) -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {}
    for item in estate.of_type(f"{MANAGED}_federatedidentitycredentials"):
        out.setdefault(item.uid.partition("/federatedidentitycredentials/")[0], []).append(
            {**item.config, "name": item.name}
        )
    return out


def federated(estate: Estate, item: Item) -> Verdict | None:
    """Whether anybody's workflow acts as it; None where nobody said which credentials it has."""
    rows = credentials(estate, item)
    if not rows:
        read = item.type == MANAGED and estate.looked_at(
            f"azure:{item.account}/{MANAGED}_federatedidentitycredentials")  # fmt: skip
        read = read or isinstance(item.config.get("federatedIdentityCredentials"), list)
        return no("it has no federated credential", item.uid) if read else None
    return either([_one(item, row) for row in rows])


def issuer_of(row: dict[str, Any]) -> str:
    """Host, and what follows it, of who makes the tokens."""
    return text(row.get("issuer")).removeprefix("https://").rstrip("/")


def subjects_of(row: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """(the subject or what an expression asks of it, whether a star in it stands for anything)."""
    expression = row.get("claimsMatchingExpression")
    said = text(expression.get("value")) if isinstance(expression, dict) else text(expression)
    if not said:
        yield text(row.get("subject")), False
    for claim, how, value in _CLAIM.findall(said):
        if claim == "sub":
            yield value, how == "matches"


def _one(item: Item, row: dict[str, Any]) -> Verdict:
    host = issuer_of(row)
    name = text(row.get("name")) or "its credential"
    if not shared(host):
        return no(f"{name} takes tokens of {host}, its owner's own", item.uid)
    expression = row.get("claimsMatchingExpression")
    said = text(expression.get("value")) if isinstance(expression, dict) else text(expression)
    claims = _CLAIM.findall(said)
    if said and not claims:
        return unknown(f"whom the expression of {name} lets in: {said[:120]}", item.uid)
    subjects = list(subjects_of(row))
    tied = [f"{c} {v}" for c, how, v in claims
            if c in _OWNERS and not (how == "matches" and anybody(host, v))]  # fmt: skip
    shown = [s for s, pattern in subjects if not (pattern and anybody(host, s))]
    if tied or shown:
        return no(f"{name} takes tokens for {(shown or tied)[0]} only", item.uid)
    return yes(Evidence(
        kind="policy", text=f"anyone at {host} acts as it: {name} takes tokens for "
        f"{subjects[0][0] if subjects else 'any subject'}", source=item.uid,
        steps=(f"Anyone at {host}", name, item.name)))  # fmt: skip
