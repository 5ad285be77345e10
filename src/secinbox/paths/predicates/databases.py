"""Databases of RDS: read through the Data API, or by a password that somebody sets himself.

Sources: Amazon Aurora User Guide, "Using the Amazon RDS Data API"; Amazon RDS API, ModifyDBInstance and
ModifyDBCluster (MasterUserPassword, PubliclyAccessible, VpcSecurityGroupIds).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from secinbox.estate import Item
from secinbox.iam.evaluate import Answer
from secinbox.iam.needs import doubt_of
from secinbox.iam.stores import Stores
from secinbox.iam.world import Principal
from secinbox.inventory.aws.calls import walk
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, late, pairs
from secinbox.paths.predicates.exposure import answers_anyone, closing
from secinbox.paths.world import World
from secinbox.records import Evidence

_CHANGES = {"aws_rds_instance": "rds:modifydbinstance", "aws_rds_cluster": "rds:modifydbcluster"}


def _reached(world: World) -> Iterator[tuple[str, Principal]]:
    """Identities that an attacker gets to, without administrators."""
    escalation = world.escalation
    principals = escalation.world.principals
    for arn in sorted(principals if world.reached is None else principals.keys() & world.reached):
        if escalation.admins[arn].value != "yes" and not principals[arn].service_linked:
            yield arn, principals[arn]


def _jewels(world: World, *types: str) -> list[Item]:
    found = (world.estate.items[j.uid] for j in world.jewels)
    return [i for i in found if i.type in types]


def _action(world: World, arn: str, text: str) -> Action:
    return Action(f"permission:{arn}:{text}", f"Take rights from {world.label(arn)}: {text}", arn,
                  effort=1.5)  # fmt: skip


def _text(found: Answer, action: str) -> str:
    return found.statements[0].text if found.statements else action


@late
@pairs
def cluster_by_data_api(world: World) -> Iterator[Pair]:
    """Statements over HTTPS: no network of the cluster is needed, only its secret."""
    action = "rds-data:executestatement"
    clusters = [(c, s) for c in _jewels(world, "aws_rds_cluster")
                if c.config.get("HttpEndpointEnabled") is True
                and (s := _secret(world, c)) is not None]  # fmt: skip
    evaluator = world.escalation.evaluator
    stores = Stores(world.estate, evaluator)
    for arn, principal in _reached(world) if clusters else ():
        for cluster, secret in clusters:
            found = evaluator.attain(principal.persona, action, cluster.uid,
                                     {"aws:resourceaccount": (cluster.account or principal.account,)})  # fmt: skip
            opened = stores.reads(principal.persona, secret)
            if found.value == "no" or opened.value == "no":
                continue
            text = _text(found, action)
            doubts = (doubt_of(found), ", ".join(opened.doubts))
            yield Pair(arn, cluster.uid, doubt="; ".join(filter(None, doubts)), resources=(secret.uid,),
                       evidence=(Evidence(kind="policy", text=text, source=arn),),
                       actions=(_action(world, arn, text),))  # fmt: skip


def _secret(world: World, cluster: Item) -> Item | None:
    """The secret in which AWS keeps the cluster's password."""
    name = next(walk(cluster.config, "MasterUserSecret.SecretArn"), None)
    return world.estate.find(str(name)) if name else None


def _changers(world: World) -> Iterator[tuple[Item, str, Answer, str]]:
    """(database, identity, answer, action) of who may change its settings, its password among them."""
    databases = _jewels(world, *_CHANGES)
    evaluator = world.escalation.evaluator
    for arn, principal in _reached(world) if databases else ():
        for item in databases:
            action = _CHANGES[item.type]
            found = evaluator.attain(principal.persona, action, item.uid,
                                     {"aws:resourceaccount": (item.account or principal.account,)})  # fmt: skip
            if found.value != "no":
                yield item, arn, found, action


@late
@pairs
def database_given_a_password(world: World) -> Iterator[Pair]:
    """Who reaches a database and may set its password signs in with that."""
    for item, arn, found, action in _changers(world):
        text = _text(found, action)
        pair = Pair(item.uid, item.uid, also=(("cred", arn),), detail=world.label(arn),
                    doubt=doubt_of(found), resources=(arn,),
                    evidence=(Evidence(kind="policy", text=text, source=arn),),
                    actions=(_action(world, arn, text),))  # fmt: skip
        if answers_anyone(world, item):
            pair = replace(pair, source=arn, source_kind="cred", also=(), resources=(),
                           evidence=(*pair.evidence, *world.public[item.uid][:1]),
                           actions=(*pair.actions, closing(world, item.uid)))  # fmt: skip
        yield pair


@late
@pairs
def database_opened_by_its_settings(world: World) -> Iterator[Pair]:
    """The same call opens a database that nobody reaches: other groups, a public address."""
    for item, arn, found, action in _changers(world):
        if item.config.get("PubliclyAccessible") is not False:
            continue
        text = _text(found, action)
        yield Pair(arn, item.uid, doubt="whether its subnets let the Internet in, or the attacker is in its network",
                   evidence=(Evidence(kind="policy", text=text, source=arn),),
                   actions=(_action(world, arn, text),))  # fmt: skip
