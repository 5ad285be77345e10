"""S3 Access Grants: an identity asks for a grant and gets a session of the location's role, cut to its scope.

It takes s3:GetDataAccess on the instance, a grant to this identity, and a role that lets
access-grants.s3.amazonaws.com do sts:AssumeRole and sts:SetSourceIdentity (and sts:SetContext for people of
a directory). The session may read or write what the grant names, as far as the role may. Source: Amazon S3
User Guide, "Managing access with S3 Access Grants", "Register a location", "Request access to Amazon S3 data
through S3 Access Grants".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from secinbox.estate import Item
from secinbox.iam.conditions import Tri, all_of
from secinbox.iam.policy import Policy, Statement
from secinbox.iam.sessions import Handed
from secinbox.iam.sessions._admitting import lets_service
from secinbox.iam.trusts import Trusts
from secinbox.iam.world import World
from secinbox.inventory.aws.calls import walk

TYPE = "aws_s3_access_grant"
SERVICE = "access-grants.s3.amazonaws.com"
_READS = ("s3:getobject", "s3:getobjectversion", "s3:getobjectacl", "s3:getobjectversionacl",
          "s3:listmultipartuploadparts", "s3:listbucket", "kms:decrypt")  # fmt: skip
_WRITES = ("s3:putobject", "s3:putobjectacl", "s3:putobjectversionacl", "s3:deleteobject",
           "s3:deleteobjectversion", "s3:abortmultipartupload", "kms:decrypt",
           "kms:generatedatakey")  # fmt: skip


def sessions(world: World, trusts: Trusts) -> Iterator[Handed]:
    for item in world.estate.of_type(TYPE):
        yield _handed(world, trusts, item)


def _handed(world: World, trusts: Trusts, item: Item) -> Handed:
    who = str(next(walk(item.config, "Grantee.GranteeIdentifier"), ""))
    kind = str(next(walk(item.config, "Grantee.GranteeType"), ""))
    words = f"{who.split(':', 5)[-1]} ({kind.lower().replace('_', ' ')}) by S3 Access Grants"
    instance = item.uid.partition("/grant/")[0]
    number = str(item.config.get("AccessGrantsLocationId") or "")
    location = world.estate.items.get(f"{instance}/location/{number}")
    arn = str(location.config.get("IAMRoleArn") or "") if location is not None else ""
    told = Handed(
        item.uid, arn, None, "the location of the grant was not read", words=words, to=who
    )
    role = world.principals.get(arn)
    if role is None:
        return replace(told, why=f"{arn} was not read") if arn else told
    actions = ["sts:assumerole", "sts:setsourceidentity"]
    actions += ["sts:setcontext"] if kind != "IAM" else []
    let, why = lets_service(
        world, role, SERVICE, actions,
        {"aws:sourceaccount": (item.account,), "aws:sourcearn": (instance,)}, ("sts:sourceidentity",),
    )  # fmt: skip
    asked, doubt = _asks(world, trusts, who, instance) if kind == "IAM" else (True, "")
    why = why if let is not True else doubt
    policy = _scope(item)
    persona = replace(role.persona, session=policy)
    return Handed(item.uid, arn, all_of([let, asked]), why, persona, True, words, to=who)


def _asks(world: World, trusts: Trusts, who: str, instance: str) -> tuple[Tri, str]:
    """May the identity ask the instance for data?"""
    found = world.principals.get(who)
    if found is None:
        return None, f"{who} was not read"
    if found.account != instance.split(":")[4]:
        return None, "whether the instance's own policy lets another account in was not read"
    answer = trusts.evaluator.decide(found.persona, "s3:GetDataAccess", instance)
    if answer.value == "no":
        return False, f"{found.persona.name} may not do s3:GetDataAccess"
    doubt = f"whether it may do s3:GetDataAccess ({', '.join(answer.doubts) or 'a condition'})"
    return (True, "") if answer.value == "yes" else (None, doubt)


def _scope(item: Item) -> Policy:
    scope = str(item.config.get("GrantScope") or "").removeprefix("s3://")
    permission = str(item.config.get("Permission") or "")
    actions = (
        *(_READS if "READ" in permission else ()),
        *(_WRITES if "WRITE" in permission else ()),
    )
    name = f"scope of access grant {item.uid.rpartition('/')[2]}"
    places = (f"arn:aws:s3:::{scope}", f"arn:aws:s3:::{scope.partition('/')[0]}")
    of_s3 = tuple(a for a in actions if a.startswith("s3:"))
    of_keys = tuple(a for a in actions if a.startswith("kms:"))
    return Policy(tuple(
        Statement("Allow", actions=what, resources=where, origin=name)
        for what, where in ((of_s3, places), (of_keys, ("*",))) if what), name)  # fmt: skip
