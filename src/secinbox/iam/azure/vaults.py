"""Key vaults in the older permission model: who is in the access policies, who can write himself in.

Source: learn.microsoft.com, "Assign a Key Vault access policy", "Azure RBAC vs. access policy".
"""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.iam.azure.actions import POLICIES
from secinbox.iam.azure.grants import Grants
from secinbox.inventory.azure.entra import many
from secinbox.inventory.azure.resources import dicts, text

_READING = ("get", "all", "*")


def by_policies(vault: Item) -> bool:
    """Whether access policies count: they do unless the vault asks Azure RBAC."""
    return vault.config.get("enableRbacAuthorization") is not True


def named(vault: Item) -> dict[str, str]:
    """entra:ID -> what its access policy lets it read."""
    out = {}
    for row in dicts(vault.config.get("accessPolicies")):
        given = row.get("permissions")
        given = given if isinstance(given, dict) else {}
        kinds = [
            kind for kind in ("secrets", "keys", "certificates")
            if any(str(p).lower() in _READING for p in many(given.get(kind)))
        ]  # fmt: skip
        if "secrets" in kinds and text(row.get("objectId")):
            out[f"entra:{text(row['objectId']).lower()}"] = ", ".join(kinds)
    return out


def readers_by_policy(
    estate: Estate, grants: Grants, principal: str, vault: Item
) -> tuple[str, str] | None:
    """(by what, doubt) of somebody who reads its secrets past the data roles; None: nobody's."""
    del estate
    if by_policies(vault):
        known = named(vault)
        for one in (principal, *sorted(grants.groups.get(principal, ()))):
            if one in known:
                return f"an access policy of {vault.name} on {known[one]}", ""
    # Who may change the vault writes himself in; with RBAC he first switches it to policies,
    # which needs the right to assign roles as well.
    if by_policies(vault):
        for sure in (True, False):
            for action in POLICIES:
                held = grants.may(principal, action, vault.uid, sure=sure)
                if held is not None:
                    return (f"{held.role.name}, which writes itself into the access policies of "
                            f"{vault.name}", "" if sure else held.uncertain)  # fmt: skip
    return None
