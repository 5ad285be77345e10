"""Buckets: read, written or listed by anyone, by policy or ACL, unless a public access block stops it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.policy import Policy, Statement, parse
from secinbox.inventory.aws.answers import Unread, answer
from secinbox.inventory.aws.calls import walk
from secinbox.network.aws.openings import entries
from secinbox.network.aws.policies import admits_strangers
from secinbox.network.aws.stores import around
from secinbox.network.verdict import Verdict, both, either, no, unknown, yes
from secinbox.records import Evidence

_EVERYONE = {
    "http://acs.amazonaws.com/groups/global/AllUsers": "everyone",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers": "every AWS account",
}
# Asked with this, only the organisation's policies are in the way.
_ANYONE = Policy((Statement("Allow", ("*",), principals=(("*", "*"),)),))
_OBJECT_CALLS = ("s3:getobject", "s3:getobjectversion", "s3:putobject", "s3:deleteobject",
                 "s3:putobjectacl")  # fmt: skip
_BUCKET_CALLS = ("s3:listbucket", "s3:listbucketversions", "s3:getbucketacl", "s3:putbucketacl",
                 "s3:putbucketpolicy", "s3:deletebucket")  # fmt: skip


def bucket(estate: Estate, item: Item, fronts: list[Verdict]) -> Verdict:
    """Policy or ACL, each unless a public access block of the bucket or account stops it."""
    return either([bucket_policy(estate, item), bucket_acl(estate, item), *fronts])


def _blocks(estate: Estate, item: Item) -> list[tuple[str, Mapping[str, Any] | Unread | None]]:
    owner = estate.find(f"arn:aws:iam::{item.account}:root") if item.account else None
    own = answer(item, "get_public_access_block")
    whole = answer(owner, "s3control") if owner else Unread("s3control.get_public_access_block")
    return [("bucket", own), ("account", whole)]


def blocked(estate: Estate, item: Item, setting: str) -> Verdict:
    """yes: nothing blocks; no: a block does; unknown: a block was not read."""
    gaps = []
    for level, found in _blocks(estate, item):
        if isinstance(found, Unread):
            gaps.append(unknown(f"public access block of the {level}: {found.text}", item.uid))
            continue
        settings = (found or {}).get("PublicAccessBlockConfiguration")
        if isinstance(settings, dict) and settings.get(setting) is True:
            return no(f"{setting} of the {level}'s public access block is on", item.uid)
    return both(gaps) if gaps else yes()


# What a stranger can do with a bucket: its calls on objects and on itself, and permissions of ACLs.
# Whoever may write the policy or the ACL may do everything; the ACL's READ lists, it reads no object.
OPENINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "read": (("s3:getobject", "s3:getobjectversion"), (), ()),
    "write": (("s3:putobject", "s3:deleteobject", "s3:putobjectacl"),
              ("s3:putbucketacl", "s3:putbucketpolicy", "s3:deletebucket"),
              ("WRITE", "WRITE_ACP", "FULL_CONTROL")),
    "list": ((), ("s3:listbucket", "s3:listbucketversions"), ("READ", "FULL_CONTROL")),
}  # fmt: skip


def openings(estate: Estate, item: Item) -> dict[str, dict[str, Verdict]]:
    """What anyone can do (read, write, list) and by what (policy, acl), each with its verdict."""
    return {
        what: {
            "policy": bucket_policy(estate, item, on_objects, on_bucket),
            "acl": bucket_acl(estate, item, granted),
        }
        for what, (on_objects, on_bucket, granted) in OPENINGS.items()
    }


def bucket_policy(
    estate: Estate,
    item: Item,
    on_objects: tuple[str, ...] = _OBJECT_CALLS,
    on_bucket: tuple[str, ...] = _BUCKET_CALLS,
) -> Verdict:
    found = answer(item, "get_bucket_policy")
    if isinstance(found, Unread):
        # A block settles it whatever the policy says.
        gap = unknown(f"bucket policy: {found.text}", item.uid)
        return both([gap, blocked(estate, item, "RestrictPublicBuckets")])
    text = (found or {}).get("Policy")
    if not text:
        return no("no bucket policy", item.uid)
    policy = parse(text, "bucket policy")
    request = around(estate, item)
    ways = [
        admits_strangers(policy, calls, resource, request, "bucket policy")
        for calls, resource in ((on_objects, f"{item.uid}/*"), (on_bucket, item.uid))
        if calls
    ]
    open_policy = either(ways)
    if open_policy.value == "no":
        return open_policy
    return both([open_policy, blocked(estate, item, "RestrictPublicBuckets")])


def bucket_acl(estate: Estate, item: Item, granted: tuple[str, ...] | None = None) -> Verdict:
    found = answer(item, "get_bucket_acl")
    if isinstance(found, Unread):
        # A block settles it whatever the ACL says.
        gap = unknown(f"bucket ACL: {found.text}", item.uid)
        return both([gap, blocked(estate, item, "IgnorePublicAcls")])
    grants = []
    for grant in entries((found or {}).get("Grants")):
        grantee = grant.get("Grantee")
        who = _EVERYONE.get(str(grantee.get("URI"))) if isinstance(grantee, dict) else None
        if who and (granted is None or str(grant.get("Permission")) in granted):
            grants.append((who, str(grant.get("Permission"))))
    part = item.unfinished("get_bucket_acl")
    if not grants and part:
        return both(
            [unknown(f"bucket ACL: {part}", item.uid), blocked(estate, item, "IgnorePublicAcls")]
        )
    if not grants:
        return no("the bucket's ACL names no group of strangers", item.uid)
    text = "bucket ACL grants " + ", ".join(f"{p} to {who}" for who, p in grants)
    gates = [yes(Evidence(kind="policy", text=text, source=item.uid, steps=("Anyone", item.uid)))]
    ownership = answer(item, "get_bucket_ownership_controls")
    if isinstance(ownership, Unread):
        gates.append(unknown(f"object ownership: {ownership.text}", item.uid))
    elif "BucketOwnerEnforced" in walk(
        dict(ownership or {}), "OwnershipControls.Rules[].ObjectOwnership"
    ):
        gates.append(no("ACLs are off (BucketOwnerEnforced)", item.uid))
    gates.append(blocked(estate, item, "IgnorePublicAcls"))
    request = around(estate, item)
    if request.walls:
        told = "organisation's policies"
        gates.append(either([admits_strangers(_ANYONE, _OBJECT_CALLS, f"{item.uid}/*", request, told),
                             admits_strangers(_ANYONE, _BUCKET_CALLS, item.uid, request, told)]))  # fmt: skip
    return both(gates)
