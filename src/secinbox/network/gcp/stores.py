"""Buckets, datasets and databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.inventory.gcp.constraints import enforced
from secinbox.network.gcp.firewalls import everyone
from secinbox.network.gcp.policies import ANYONE, bound_to_anyone, perimeter
from secinbox.network.gcp.services import dicts, get
from secinbox.network.verdict import Verdict, either, no, unknown, yes
from secinbox.records import Evidence


def by_policy(estate: Estate, item: Item) -> Verdict:
    """Its IAM policy is the only door; a service perimeter may stand before it."""
    shut = perimeter(estate, item)
    return shut if shut is not None else bound_to_anyone(estate, item)


def bucket(estate: Estate, item: Item) -> Verdict:
    """IAM, and ACLs where uniform access is off; public access prevention closes both."""
    prevention = str(get(item.config, "iamConfiguration", "publicAccessPrevention") or "")
    if prevention.lower() == "enforced":
        return no("public access prevention is enforced on the bucket", item.uid)
    above = enforced(estate, item, "storage.publicAccessPrevention")
    if above is not None:
        return no(f"public access prevention is enforced by {above.name}", above.uid)
    shut = perimeter(estate, item)
    if shut is not None:
        return shut
    ways = [bound_to_anyone(estate, item)]
    uniform = get(item.config, "iamConfiguration", "uniformBucketLevelAccess", "enabled")
    uniform = uniform or get(item.config, "iamConfiguration", "bucketPolicyOnly", "enabled")
    if not uniform:
        for key, what in (("acl", "bucket ACL"), ("defaultObjectAcl", "default object ACL")):
            for grant in dicts(item.config.get(key)):
                who = ANYONE.get(str(grant.get("entity")))
                if who:
                    text = f"{what} grants {grant.get('role')} to {grant['entity']}"
                    ways.append(yes(Evidence(kind="policy", text=text, source=item.uid,
                                             steps=(who, what, item.uid))))  # fmt: skip
    return either(ways)


def dataset(estate: Estate, item: Item) -> Verdict:
    """Access entries of the dataset, and its IAM policy."""
    return by_policy(estate, item)


def table(estate: Estate, item: Item) -> Verdict:
    """Its own policy, or that of its dataset."""
    above = estate.find(item.uid.partition("/tables/")[0])
    own = by_policy(estate, item)
    if above is None or own.value == "yes":
        return own
    found = dataset(estate, above)
    return found if found.value == "yes" or own.value == "unknown" else own


def sql_instance(estate: Estate, item: Item) -> Verdict:
    """A public address and authorised networks that are the Internet."""
    del estate
    settings = item.config.get("settings")
    config = get(settings, "ipConfiguration")
    if not isinstance(config, dict):
        return unknown("its IP configuration was not read", item.uid)
    if get(settings, "activationPolicy") == "NEVER" or item.config.get("state") == "SUSPENDED":
        return no("the instance is stopped", item.uid)
    addresses = dicts(item.config.get("ipAddresses"))
    unsaid = "ipv4Enabled" not in config and bool(addresses)
    if config.get("ipv4Enabled") is False or (
        unsaid and not any(a.get("type") == "PRIMARY" for a in addresses)):  # fmt: skip
        return no("it has no public address", item.uid)
    if get(settings, "connectorEnforcement") == "REQUIRED":
        return no("it takes connections of Cloud SQL's connectors only, which sign in", item.uid)
    networks = [n.get("value") for n in dicts(config.get("authorizedNetworks")) if not _over(n)]
    wide, text = everyone(networks)
    if wide:
        return yes(Evidence(kind="endpoint", text=f"its public address answers {text}",
                            source=item.uid, steps=("Internet", item.name)))  # fmt: skip
    if not networks:
        return no("no network is authorised", item.uid)
    return no(f"authorised networks are {text}", item.uid, text)


def _over(network: dict[str, Any]) -> bool:
    """An entry whose time has passed."""
    try:
        until = datetime.fromisoformat(
            str(network.get("expirationTime") or "").replace("Z", "+00:00")
        )
    except ValueError:
        return False
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) < datetime.now(UTC)


def alloydb(estate: Estate, item: Item) -> Verdict:
    """A public address and the external networks that it answers."""
    del estate
    if str(item.config.get("state") or "") in ("STOPPED", "DELETING"):
        return no("the instance is stopped", item.uid)
    network = item.config.get("networkConfig")
    if get(network, "enablePublicIp") is not True:
        return no("it has no public address", item.uid)
    wide, text = everyone(
        n.get("cidrRange") for n in dicts(get(network, "authorizedExternalNetworks"))
    )
    if wide:
        return yes(Evidence(kind="endpoint", text=f"its public address answers {text}",
                            source=item.uid, steps=("Internet", item.name)))  # fmt: skip
    return no(f"authorised networks are {text or 'none'}", item.uid, text)
