"""Whether the cloud identity that a service account names lets it in: what is annotated is only a wish."""

from __future__ import annotations

from dataclasses import replace

from secinbox.estate import Estate, Item
from secinbox.iam.conditions import Tri
from secinbox.iam.kubernetes.eks import issuers, lists_associations, trusts_pods
from secinbox.iam.policy import Policy, parse
from secinbox.iam.providers import missing
from secinbox.iam.trusts import admits_account
from secinbox.inventory.gcp.constraints import places_of

_MANAGED = "azure_microsoft_managedidentity_userassignedidentities"
_CREDENTIALS = f"{_MANAGED}_federatedidentitycredentials"


def admitted(estate: Estate, item: Item, cluster: str, space: str, name: str) -> tuple[Tri, str]:
    """By the trust of a role, the bindings of a Google account, the federated credentials of an
    identity; with what is not known or stands in the way.

    True where nothing that decides it was read.
    """
    document = item.config.get("AssumeRolePolicyDocument")
    if document is not None:
        return by_trust(estate, parse(document, "trust policy"), cluster, space, name)
    found = _elsewhere(estate, item, space, name)
    return found, "" if found else "it lets no such service account in"


def by_trust(estate: Estate, trust: Policy, cluster: str, space: str, name: str) -> tuple[Tri, str]:
    """By a token of the cluster's issuer. A role of Pod Identity comes by an association: where these
    were not read, it may."""
    known = tuple(
        s for s in trust.statements
        if s.effect != "Allow" or not any(missing(estate, v) for _, v in s.principals or ())
    )  # fmt: skip
    found = admits_account(replace(trust, statements=known), space, name, issuers(estate, cluster))
    if found is False and trusts_pods(trust) and not lists_associations(estate, cluster):
        return None, "whether an association of Pod Identity gives it the role was not read"
    if found is None:
        return None, "whether its trust policy lets this service account in is not known"
    return found, "" if found else "its trust policy does not let this service account in"


def _elsewhere(estate: Estate, item: Item, space: str, name: str) -> Tri:
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
