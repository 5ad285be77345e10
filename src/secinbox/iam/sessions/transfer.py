"""Transfer Family: a user reaches files with the rights of a role, cut by the user's session policy.

Nobody gets credentials of the role: the server acts with them, on objects of S3. The policy may hang on
variables of the user (`${transfer:HomeDirectory}` ...); a logical home shows its targets and nothing else.
Users of other identity providers are known to these only. Sources: AWS Transfer Family User Guide, "Creating
a session policy for an Amazon S3 bucket", "Using logical directories"; API Reference, "DescribedUser".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from secinbox.estate import Item
from secinbox.iam.policy import Policy, Statement
from secinbox.iam.sessions import Handed
from secinbox.iam.sessions._admitting import lets_service
from secinbox.iam.trusts import Trusts
from secinbox.iam.world import World
from secinbox.inventory.aws.calls import walk

TYPE = "aws_transfer_user"
SERVICE = "transfer.amazonaws.com"
# Keys that a description has and a list has not.
_DESCRIBED = frozenset({"HomeDirectoryMappings", "Policy", "SshPublicKeys", "Tags"})
_VARIABLE = re.compile(r"\$\{\s*transfer:(\w+)\s*\}", re.I)


def sessions(world: World, trusts: Trusts) -> Iterator[Handed]:
    for item in world.estate.of_type(TYPE):
        # The file systems of EFS have permissions of their own.
        if not _homes(item)[:1] or not _homes(item)[0].startswith("fs-"):
            yield _handed(world, item)


def _handed(world: World, item: Item) -> Handed:
    config = item.config
    arn = str(config.get("Role") or "")
    words = f"user {config.get('UserName') or item.name} of a file server"
    told = Handed(item.uid, arn, None, "describe_user was not read", words=words, buckets=())
    part = item.unfinished("Role")
    # A list tells neither of a policy nor of mappings.
    if part or not _DESCRIBED & config.keys():
        return replace(told, why=f"with which session policy: {part}" if part else told.why)
    role = world.principals.get(arn)
    if role is None:
        return replace(told, why=f"{arn or 'its role'} was not read")
    server = item.uid.replace(":user/", ":server/", 1).rpartition("/")[0]
    found = [
        lets_service(world, role, SERVICE, ("sts:assumerole",),
                     {"aws:sourceaccount": (item.account,), "aws:sourcearn": (source,)})
        for source in (server, item.uid)
    ]  # fmt: skip
    let, why = found[0]
    if found[0][0] is not found[1][0]:
        let, why = None, "which ARN the service names as aws:SourceArn"
    there = world.estate.items.get(server)
    if there is not None and there.config.get("State") in ("OFFLINE", "STOPPING", "START_FAILED"):
        let, why = False, f"the server is {there.config['State']}"
    policy = _policy(world, item)
    persona = replace(role.persona, session=policy) if policy else role.persona
    return Handed(item.uid, arn, let, why, persona, False, words, _buckets(item))


def _policy(world: World, item: Item) -> Policy | None:
    document = item.config.get("Policy")
    name = f"session policy of user {item.config.get('UserName') or item.name}"
    if document:
        text = document if isinstance(document, str) else json.dumps(document)
        return world.parsed(_filled(text, item), name)
    if item.config.get("HomeDirectoryType") != "LOGICAL":
        return None
    places = [f"arn:aws:s3:::{p}" for p in _homes(item)]
    resources = tuple(r for p in places for r in (p.partition("/")[0], p, f"{p}/*"))
    return Policy((Statement("Allow", actions=("s3:*",), resources=resources, origin=name),), name)


def _homes(item: Item) -> list[str]:
    """`bucket/path` of the directories that it sees: all of a logical home, else where it begins."""
    if item.config.get("HomeDirectoryType") == "LOGICAL":
        found = [str(t) for t in walk(item.config, "HomeDirectoryMappings[].Target")]
    else:
        found = [str(item.config.get("HomeDirectory") or "")]
    return [f.strip("/").replace("${transfer:UserName}", str(item.config.get("UserName") or ""))
            for f in found if f.strip("/")]  # fmt: skip


def _buckets(item: Item) -> tuple[str, ...]:
    """Of a logical home the buckets that it shows; empty: all that the role reaches."""
    if item.config.get("HomeDirectoryType") != "LOGICAL":
        return ()
    return tuple(sorted({f"arn:aws:s3:::{h.partition('/')[0]}" for h in _homes(item)}))


def _filled(text: str, item: Item) -> str:
    """With the user's variables; of a logical home only the name is one."""
    home = str(item.config.get("HomeDirectory") or "").strip("/")
    values = {"username": str(item.config.get("UserName") or "")}
    if home and item.config.get("HomeDirectoryType") != "LOGICAL":
        bucket, _, folder = home.partition("/")
        values |= {"homedirectory": home, "homebucket": bucket, "homefolder": folder}

    def one(found: re.Match[str]) -> str:
        value = values.get(found.group(1).lower())
        return found.group(0) if value is None else json.dumps(value)[1:-1]

    return _VARIABLE.sub(one, text)
