"""Does a role's trust policy let a service in, for one thing of the service that is known?"""

from __future__ import annotations

from collections.abc import Iterable

from secinbox.iam.conditions import Tri, all_of, any_of, holds
from secinbox.iam.guardrails import binds, walls_of
from secinbox.iam.policy import Statement
from secinbox.iam.request import Values
from secinbox.iam.world import Principal, World

# What a request of a service bears only where the service puts it there.
_GIVEN = ("aws:requesttag/", "aws:tagkeys", "sts:transitivetagkeys", "sts:externalid",
          "sts:sourceidentity", "sts:rolesessionname")  # fmt: skip


def lets_service(
    world: World, role: Principal, service: str, actions: Iterable[str], context: Values,
    unknown: Iterable[str] = (),
) -> tuple[Tri, str]:  # fmt: skip
    """True, or what stands in the way, for all the actions that the service asks for at once.

    context: condition keys that are known. unknown: keys that are there with a value nobody knows;
    what only the service adds to a request is absent unless it is in one of both.
    """
    if role.trust is None:
        return None, "its trust policy was not read"
    walls = walls_of(world.estate, role.account)
    rails = world.guardrails.get(role.account)
    base: Values = {
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (service,),
        "aws:principalarn": None,
        "aws:principalaccount": None,
        "aws:principalorgid": None,
        "aws:viaawsservice": ("false",),
        "aws:securetransport": ("true",),
        **context,
    }
    # What the service acts for is in the role's own account.
    if rails is not None and rails.known and context.get("aws:sourceaccount") == (role.account,):
        base["aws:sourceorgid"] = (rails.organization,) if rails.organization else None
    results: list[Tri] = []
    for action in actions:
        speaking = [s for s in role.trust.statements if s.about(action)]
        values = _complete(base, [*speaking, *walls], frozenset(unknown))
        stops = [s for s in walls if s.effect != "Allow" and binds(s, action)]
        stops += [s for s in speaking if s.effect == "Deny" and _means(s, service)]
        denied = any_of([holds(s, values) for s in stops])
        if denied is True:
            return False, f"{action} is denied: {stops[0].text}"
        named = [s for s in speaking if s.effect == "broken" or _names(s, service)]
        if not named:
            return False, f"its trust policy does not let {service} do {_spelled(action)}"
        allowed = any_of([None if s.effect == "broken" else holds(s, values) for s in named])
        if allowed is False:
            return False, f"a condition of its trust policy: {named[0].text}"
        results.append(None if denied is None or allowed is None else True)
    found = all_of(results)
    return found, "" if found else "whether the conditions of its trust policy hold"


def _complete(base: Values, statements: list[Statement], unknown: frozenset[str]) -> Values:
    absent = {k for s in statements for k in s.names if k.startswith(_GIVEN)} - unknown - set(base)
    return {**base, **dict.fromkeys(absent)}


def _names(statement: Statement, service: str) -> bool:
    return statement.effect == "Allow" and any(
        (kind == "Service" and value == service) or (kind == "*" and value == "*")
        for kind, value in statement.principals or ()
    )


def _means(statement: Statement, service: str) -> bool:
    if statement.not_principals is not None:
        return ("Service", service) not in statement.not_principals
    return any(value in ("*", service) for _, value in statement.principals or ())


def _spelled(action: str) -> str:
    return {"sts:assumerole": "sts:AssumeRole", "sts:tagsession": "sts:TagSession",
            "sts:setsourceidentity": "sts:SetSourceIdentity"}.get(action, action)  # fmt: skip
