"""Data: stores open to anyone, and what an identity may read of the crown jewels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from secinbox.iam.copies import COPIES
from secinbox.iam.stores import READS, Stores
from secinbox.paths.graph import Action
from secinbox.paths.jewels import Jewel
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.predicates.exposure import answers_anyone, closing
from secinbox.paths.world import ANY_AWS, ANY_GOOGLE, INTERNET, World
from secinbox.records import Evidence

# Services that answer requests nobody signed; the others want any customer's signature.
_ANONYMOUS = (
    "aws_s3_bucket", "aws_sqs_queue", "aws_sns_topic", "aws_opensearch_domain",
    "aws_lambda_function",
)  # fmt: skip
_READING = re.compile(
    r"getobject|\*|\bread\b|full_control|served to everyone|es:|sqs:rec|sns:sub|kms:dec|getsecret|"
    r"restore|create a volume|launch|dynamodb:|batchgetimage|getdownload", re.I
)  # fmt: skip
DATABASES = (
    "aws_rds_instance", "aws_rds_cluster", "aws_redshift_cluster", "aws_docdb_cluster",
    "aws_opensearch_domain", "aws_elasticache_cluster",
)  # fmt: skip


@pairs
def store_open_to_anyone(world: World) -> Iterator[Pair]:
    """A policy, an ACL or a share lets strangers read it."""
    for jewel in world.jewels:
        for evidence in world.public.get(jewel.uid, ()):
            item = world.estate.items[jewel.uid]
            if item.type in (*DATABASES[:4], "aws_cloudtrail_trail"):
                continue
            # Only what is allowed says whether it is read; the resource's name says nothing.
            amazon = item.type.startswith("aws_")
            allowed = evidence.text.split(" on ")[0] if amazon else ""
            if evidence.kind == "control" or (amazon and not _READING.search(allowed)):
                continue
            if not amazon and (
                evidence.text.endswith("objectCreator") or evidence.kind != "policy"
            ):
                continue
            front = evidence.via[-1] if evidence.via else ""
            anyone = item.type in _ANONYMOUS or not item.type.startswith("aws_")
            entry = INTERNET if anyone else ANY_AWS
            if evidence.steps and evidence.steps[0] == "Any Google account":
                entry = ANY_GOOGLE
            yield Pair(entry, item.uid, evidence=(evidence,),
                       resources=(front,) if front else (),
                       actions=(Action(f"share:{item.uid}",
                                       f"Stop sharing {world.label(item.uid)} with everyone",
                                       item.uid, effort=0.5),))  # fmt: skip
            break


@lasting
@pairs
def trail_in_bucket(world: World) -> Iterator[Pair]:
    """An audit trail and the bucket that it is kept in."""
    for item in world.estate.of_type("aws_cloudtrail_trail"):
        for bucket in world.estate.targets(item.uid, "stores_in"):
            yield Pair(bucket, item.uid, cost=0.01)


@pairs
def database_that_answers(world: World) -> Iterator[Pair]:
    """A database that clients can connect to and that holds something."""
    for jewel in world.jewels:
        if world.estate.items[jewel.uid].type in DATABASES:
            yield Pair(jewel.uid, jewel.uid)


@pairs
def database_with_known_password(world: World) -> Iterator[Pair]:
    """A database and the secret with its password."""
    secrets = [
        j.uid for j in world.jewels if j.uid.startswith("arn:") and ":secretsmanager:" in j.uid
    ]
    for jewel in world.jewels:
        item = world.estate.items[jewel.uid]
        if item.type not in DATABASES:
            continue
        own = item.config.get("MasterUserSecret")
        managed = str(own.get("SecretArn") or "") if isinstance(own, dict) else ""
        for secret in secrets:
            held = world.estate.items[secret]
            service = item.tags.get("service") or "?"
            name = item.name or item.uid.rsplit(":", 1)[-1]
            pair = Pair(item.uid, item.uid, also=(("read", secret),), detail=world.label(secret))
            if answers_anyone(world, item):
                # The password is all that is missing, wherever the attacker came in.
                pair = Pair(secret, item.uid, source_kind="read", detail=world.label(secret),
                            evidence=tuple(world.public[item.uid][:1]),
                            actions=(closing(world, item.uid),))  # fmt: skip
            if secret == managed:
                yield pair
            elif held.tags.get("service") == service or (len(name) > 3 and name in held.name):
                yield replace(pair, doubt="whether that secret is its password")


@pairs
def store_that_identity_reads(world: World) -> Iterator[Pair]:
    """Effective permission to read the data, and to decrypt it where a key of its own guards it."""
    yield from _read(world, [j.uid for j in world.jewels if _type(world, j) in READS])


@pairs
def database_that_identity_copies(world: World) -> Iterator[Pair]:
    """A snapshot of a database, a cluster or a volume, that is put up here or shared with somebody."""
    yield from _read(world, [j.uid for j in world.jewels if _type(world, j) in COPIES])


def _type(world: World, jewel: Jewel) -> str:
    return world.estate.items[jewel.uid].type


def _read(world: World, uids: list[str]) -> Iterator[Pair]:
    escalation = world.escalation
    stores = Stores(world.estate, escalation.evaluator)
    personas = escalation.personas
    for arn in sorted(personas if world.reached is None else personas.keys() & world.reached):
        persona = personas[arn]
        linked = escalation.world.principals[persona.arn].service_linked
        if escalation.admins[arn].value == "yes" or linked:
            continue
        for uid in uids:
            found = stores.reads(persona, world.estate.items[uid])
            if found.value == "no" and not found.refused:
                continue
            yield Pair(
                arn, uid, doubt=", ".join(found.doubts), no=found.refused,
                evidence=tuple(Evidence(kind="policy", text=t, source=arn) for t in found.texts),
                actions=tuple(Action(f"permission:{arn}:{t}",
                                     f"Take rights from {world.label(arn)}: {t}", arn, effort=1.5)
                              for t in found.texts),
            )  # fmt: skip
