"""Whether the cloud identity that a service account names lets it in: what is annotated is only a wish."""

from __future__ import annotations

from secinbox.estate import Estate, Item
from secinbox.iam.conditions import Tri
from secinbox.iam.policy import parse
from secinbox.iam.trusts import admits_account
from secinbox.inventory.gcp.constraints import places_of

_MANAGED = "azure_microsoft_managedidentity_userassignedidentities"
_CREDENTIALS = f"{_MANAGED}_federatedidentitycredentials"


def admitted(estate: Estate, item: Item, space: str, name: str) -> Tri:
    """By the trust of a role, the bindings of a Google account, the federated credentials of an identity.

    True where nothing that decides it was read.
    """
    document = item.config.get("AssumeRolePolicyDocument")
    if document is not None:
        return admits_account(parse(document, "trust policy"), space, name)
    if item.type == "gcp_iam_service_account" and isinstance(item.config.get("iamPolicy"), dict):
        wanted = (f".svc.id.goog[{space}/{name}]", f"/subject/ns/{space}/sa/{name}")
        return any(
            str(member).endswith(wanted)
            for place in places_of(estate, item)
            for binding in (place.config.get("iamPolicy") or {}).get("bindings") or ()
            for member in binding.get("members") or ()
        )
    if item.type == _MANAGED:
        known = [i for i in estate.of_type(_CREDENTIALS) if i.uid.startswith(item.uid + "/")]
        subject = f"system:serviceaccount:{space}:{name}"
        if known or estate.looked_at(f"azure:{item.account}/{_CREDENTIALS}"):
            return any(i.config.get("subject") == subject for i in known)
    return True
