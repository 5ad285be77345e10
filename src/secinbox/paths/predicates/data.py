"""Data: stores open to anyone, and what an identity may read of the crown jewels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from secinbox.estate import Item
from secinbox.iam.evaluate import Answer, Layer, new_names
from secinbox.iam.policy import Policy
from secinbox.iam.privilege import personal
from secinbox.iam.request import Values
from secinbox.iam.resources import policy_of
from secinbox.iam.world import Persona
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
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
# type -> (action, what follows the ARN in the name of the resource asked for)
READING: dict[str, tuple[tuple[str, str], ...]] = {
    "aws_s3_bucket": (("s3:getobject", "/?*"),),
    "aws_dynamodb_table": (("dynamodb:scan", ""), ("dynamodb:query", ""),
                           ("dynamodb:batchgetitem", ""), ("dynamodb:getitem", "")),
    "aws_secretsmanager_secret": (("secretsmanager:getsecretvalue", ""),),
    "aws_ssm_parameter": (("ssm:getparameter", ""), ("ssm:getparameters", ""),
                          ("ssm:getparametersbypath", "")),
    "aws_sqs_queue": (("sqs:receivemessage", ""),),
    "aws_kinesis_stream": (("kinesis:getrecords", ""),),
    "aws_ec2_snapshot": (("ec2:createvolume", ""), ("ec2:modifysnapshotattribute", ""),
                         ("ebs:getsnapshotblock", "")),
    "aws_rds_snapshot": (("rds:modifydbsnapshotattribute", ""),
                         ("rds:restoredbinstancefromdbsnapshot", "")),
    "aws_rds_cluster_snapshot": (("rds:modifydbclustersnapshotattribute", ""),),
    # What they are told in their settings, and the code of functions.
    "aws_lambda_function": (("lambda:getfunctionconfiguration", ""), ("lambda:getfunction", "")),
    "aws_codebuild_project": (("codebuild:batchgetprojects", ""),),
    "aws_logs_log_group": (("logs:getlogevents", ":*"), ("logs:filterlogevents", ":*")),
}  # fmt: skip
_REWRITING: dict[str, str] = {
    "aws_s3_bucket": "s3:putbucketpolicy",
    "aws_secretsmanager_secret": "secretsmanager:putresourcepolicy",
}
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
            if secret == managed:
                yield Pair(item.uid, item.uid, also=(("read", secret),),
                           detail=world.label(secret))  # fmt: skip
            elif held.tags.get("service") == service or (len(name) > 3 and name in held.name):
                yield Pair(item.uid, item.uid, also=(("read", secret),), detail=world.label(secret),
                           doubt="whether that secret is its password")  # fmt: skip


@pairs
def store_that_identity_reads(world: World) -> Iterator[Pair]:
    """Effective permission to read the data, and to decrypt it where a key of its own guards it."""
    escalation = world.escalation
    stores = [
        (j, world.estate.items[j.uid]) for j in world.jewels
        if world.estate.items[j.uid].type in READING
    ]  # fmt: skip
    own = {j.uid: personal(policy_of(world.estate, j.uid)) for j, _ in stores}
    principals = escalation.world.principals
    for arn in sorted(principals if world.reached is None else principals.keys() & world.reached):
        principal = principals[arn]
        if escalation.admins[arn].value == "yes" or principal.service_linked:
            continue
        for jewel, item in stores:
            found = _reads(world, principal.persona, item, own[item.uid])
            if found is None or found.value == "no":
                continue
            doubts = list(found.doubts) if found.value == "unknown" else []
            text = found.statements[0].text if found.statements else ""
            key = _decrypts(world, principal.persona, item)
            refused = "" if key is None or key.value != "no" else "it may not use the store's key"
            if key is not None and key.value == "unknown":
                doubts.append("the use of its key")
            yield Pair(
                arn, jewel.uid, doubt=", ".join(doubts), no=refused,
                evidence=(Evidence(kind="policy", text=text, source=arn),) if text else (),
                actions=(Action(f"permission:{arn}:{text}",
                                f"Take rights from {world.label(arn)}: {text}", arn, effort=1.5),),
            )  # fmt: skip


# The rights with which somebody makes a copy of a database, puts it up elsewhere and sets its password.
_COPYING = ("rds:createdbsnapshot", "rds:restoredbinstancefromdbsnapshot", "rds:modifydbinstance")


@pairs
def database_that_identity_copies(world: World) -> Iterator[Pair]:
    """A snapshot of it, a new instance of the snapshot, and a new password for that instance."""
    evaluator = world.escalation.evaluator
    databases = [
        item for j in world.jewels
        if (item := world.estate.items[j.uid]).type == "aws_rds_instance"
    ]  # fmt: skip
    principals = world.escalation.world.principals
    for arn in sorted(principals if world.reached is None else principals.keys() & world.reached):
        principal = principals[arn]
        if world.escalation.admins[arn].value == "yes" or principal.service_linked:
            continue
        persona = principal.persona
        if not all(evaluator.layers(persona, action)[0].allows for action in _COPYING):
            continue
        for item in databases:
            home = item.uid.rpartition(":db:")[0]
            context: dict[str, tuple[str, ...] | None] = {
                "aws:resourceaccount": (item.account or persona.account,)
            }
            # The copy bears names of the attacker's choice.
            asked = ((_COPYING[0], item.uid), (_COPYING[0], f"{home}:snapshot:{{}}"),
                     (_COPYING[1], f"{home}:snapshot:{{}}"), (_COPYING[1], f"{home}:db:{{}}"),
                     (_COPYING[2], f"{home}:db:{{}}"))  # fmt: skip
            answers = [
                _best(evaluator.decide_with(persona, action, name, None, context)
                      for name in _named(evaluator.layers(persona, action), template))
                for action, template in asked
            ]  # fmt: skip
            if any(a.value == "no" for a in answers):
                continue
            doubts = sorted({d for a in answers if a.value == "unknown" for d in a.doubts})
            texts = sorted({a.statements[0].text for a in answers if a.statements})
            yield Pair(
                arn, item.uid, doubt=", ".join(doubts),
                evidence=tuple(Evidence(kind="policy", text=t, source=arn) for t in texts),
                actions=tuple(Action(f"permission:{arn}:{t}",
                                     f"Take rights from {world.label(arn)}: {t}", arn, effort=1.5)
                              for t in texts),
            )  # fmt: skip


def _named(layers: tuple[Layer, ...], template: str) -> list[str]:
    if "{}" not in template:
        return [template]
    return [*new_names(layers, template.replace("{}", "*")), template.replace("{}", "secinbox-any")]


def _best(answers: Iterable[Answer]) -> Answer:
    rank = {"yes": 2, "unknown": 1}
    return max(answers, key=lambda a: rank.get(a.value, 0))


def _reads(world: World, persona: Persona, item: Item, own: Policy | None) -> Answer | None:
    evaluator = world.escalation.evaluator
    best: Answer | None = None
    context: Values = {"aws:resourceaccount": (item.account or persona.account,)}
    asked = list(READING[item.type])
    if item.type in _REWRITING:
        asked.append((_REWRITING[item.type], ""))
    for action, tail in asked:
        layers = evaluator.layers(persona, action)
        if not layers[0].allows and own is None:
            continue
        names = [f"{item.uid}/secinbox-any" if tail == "/?*" else item.uid + tail.replace("*", "x")]
        if tail == "/?*":
            names = new_names(layers, item.uid + tail) or names
        for name in names:
            given = evaluator.decide_with(persona, action, name, own, context)
            if given.value == "yes":
                return given
            if best is None or given.value == "unknown":
                best = given
    return best


def _decrypts(world: World, persona: Persona, item: Item) -> Answer | None:
    """None where no key of the customer's own guards the store, or it was not read."""
    name = item.config.get("KmsKeyId") or item.config.get("KMSKeyId")
    if item.type == "aws_s3_bucket":
        found = re.search(r"arn:[^\"']+:kms:[^\"']+:key/[0-9a-fA-F-]+",
                          str(item.config.get("get_bucket_encryption") or ""))  # fmt: skip
        name = found.group(0) if found else None
    key = world.estate.find(str(name)) if name else None
    if key is None or key.type != "aws_kms_key":
        return None
    evaluator = world.escalation.evaluator
    return evaluator.decide_with(
        persona, "kms:decrypt", key.uid, policy_of(world.estate, key.uid),
        {"aws:resourceaccount": (key.account or persona.account,)},
    )  # fmt: skip
