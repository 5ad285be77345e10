"""Whom Principal and NotPrincipal mean: a principal by ARN, unique id, session, account or `*`."""

from __future__ import annotations

from secinbox.iam.conditions import Tri
from secinbox.iam.policy import Statement
from secinbox.iam.world import Persona, World


def names(statement: Statement, persona: Persona, world: World) -> Tri:
    """Does Principal or NotPrincipal of a Deny mean this principal?

    NotPrincipal spares whom it names, not everybody of an account that it names besides.
    """
    if statement.not_principals is not None:
        spared = (_is(kind, value, persona, world) for kind, value in statement.not_principals)
        return "direct" not in spared
    return any(_is(kind, value, persona, world) for kind, value in statement.principals or ())


def principal_form(statement: Statement, persona: Persona, world: World) -> str:
    """How an Allow names the principal: `direct` (itself or `*`), `account`, or "" (not)."""
    if statement.not_principals is not None:
        listed = any(_is(k, v, persona, world) for k, v in statement.not_principals)
        return "" if listed else "direct"
    form = ""
    for kind, value in statement.principals or ():
        found = _is(kind, value, persona, world)
        if found == "direct":
            return "direct"
        form = found or form
    return form


def past_boundary(statement: Statement, persona: Persona) -> bool:
    """An Allow that names a user, a session or everybody is not limited by the caller's boundary;
    one that names a role is."""
    values = [v for k, v in statement.principals or () if k in ("AWS", "*")]
    return persona.kind == "user" or any(v == "*" or ":assumed-role/" in v for v in values)


def past_session(statement: Statement) -> bool:
    """An Allow that names a session is not limited by the policy that the session was given."""
    return any(k == "AWS" and ":assumed-role/" in v for k, v in statement.principals or ())


def _is(kind: str, value: str, persona: Persona, world: World) -> str:
    if kind not in ("AWS", "*"):
        return ""
    if value == "*" or value == persona.arn:
        return "direct"
    if value == persona.account or value == f"arn:aws:iam::{persona.account}:root":
        return "account"
    if value.endswith(":root") and value.split(":")[4:5] == [persona.account]:
        return "account"
    if world.by_unique_id.get(value) == persona.arn:
        return "direct"
    if ":assumed-role/" in value and persona.kind == "role":
        words = value.split(":assumed-role/", 1)[1].split("/")
        same = value.split(":")[4:5] == [persona.account] and words[0] == persona.name
        return "direct" if same else ""
    return ""
