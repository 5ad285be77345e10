"""Which stores a principal reads or writes: by its policies, the store's own, and the key that guards it.

Actions and ARN forms are facts of the Service Authorization Reference. What a caller may bring about
first (a tag, a policy of the store that lets it in, a copy of a database) counts as reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from secinbox.estate import Estate, Item
from secinbox.iam.copies import COPIES, Copy, places
from secinbox.iam.evaluate import Answer, Evaluator
from secinbox.iam.keys import decrypts, gives_away
from secinbox.iam.layers import Layer, new_names
from secinbox.iam.marks import marked
from secinbox.iam.policy import Policy
from secinbox.iam.request import ANY_NAME, Values
from secinbox.iam.resources import policy_of
from secinbox.iam.world import Persona

# type -> (action, what follows the ARN in the name of the resource asked for)
Actions = dict[str, tuple[tuple[str, str], ...]]
_EVERY = "="  # asked for no single thing: the resource of the request is `*`
READS: Actions = {
    "aws_s3_bucket": (("s3:getobject", "/?*"), ("s3:putbucketpolicy", "")),
    "aws_dynamodb_table": (("dynamodb:scan", ""), ("dynamodb:query", ""),
                           ("dynamodb:batchgetitem", ""), ("dynamodb:getitem", "")),
    "aws_secretsmanager_secret": (("secretsmanager:getsecretvalue", ""),
                                  ("secretsmanager:putresourcepolicy", "")),
    "aws_ssm_parameter": (("ssm:getparameter", ""), ("ssm:getparameters", ""),
                          ("ssm:getparametersbypath", ""), ("ssm:getparameterhistory", "")),
    "aws_sqs_queue": (("sqs:receivemessage", ""),),
    "aws_kinesis_stream": (("kinesis:getrecords", ""),),
    "aws_ec2_snapshot": (("ec2:createvolume", ""), ("ec2:modifysnapshotattribute", ""),
                         ("ebs:getsnapshotblock", "")),
    "aws_rds_snapshot": (("rds:modifydbsnapshotattribute", ""),
                         ("rds:restoredbinstancefromdbsnapshot", "")),
    "aws_rds_cluster_snapshot": (("rds:modifydbclustersnapshotattribute", ""),),
    # What they are told in their settings, and the code of functions.
    "aws_lambda_function": (("lambda:getfunctionconfiguration", ""), ("lambda:getfunction", ""),
                            ("lambda:listfunctions", _EVERY)),
    "aws_ec2_instance": (("ec2:describeinstanceattribute", ""),),  # user data
    "aws_ecs_task_definition": (("ecs:describetaskdefinition", _EVERY),),
    "aws_codebuild_project": (("codebuild:batchgetprojects", ""),),
    "aws_logs_log_group": (("logs:getlogevents", ":*"), ("logs:filterlogevents", ":*")),
}  # fmt: skip
# A copy is shared with somebody else's account, which needs the key as well.
_SHARING = frozenset({"ec2:modifysnapshotattribute", "rds:modifydbsnapshotattribute",
                      "rds:modifydbclustersnapshotattribute"})  # fmt: skip
_Use = Callable[[Estate, Evaluator, Persona, Item, Values], Answer]
WRITES: Actions = {
    "aws_s3_bucket": (("s3:putobject", "/?*"), ("s3:deleteobject", "/?*")),
    "aws_dynamodb_table": (("dynamodb:putitem", ""), ("dynamodb:updateitem", ""),
                           ("dynamodb:deleteitem", ""), ("dynamodb:batchwriteitem", ""),
                           ("dynamodb:deletetable", "")),
    "aws_secretsmanager_secret": (("secretsmanager:putsecretvalue", ""),
                                  ("secretsmanager:updatesecret", ""),
                                  ("secretsmanager:deletesecret", "")),
    "aws_ssm_parameter": (("ssm:putparameter", ""), ("ssm:deleteparameter", "")),
    "aws_sqs_queue": (("sqs:sendmessage", ""), ("sqs:deletemessage", ""), ("sqs:purgequeue", "")),
    "aws_kinesis_stream": (("kinesis:putrecord", ""), ("kinesis:putrecords", "")),
    "aws_ec2_snapshot": (("ec2:deletesnapshot", ""),),
    "aws_rds_instance": (("rds:modifydbinstance", ""), ("rds:deletedbinstance", "")),
    "aws_rds_cluster": (("rds:modifydbcluster", ""), ("rds:deletedbcluster", "")),
    "aws_rds_snapshot": (("rds:deletedbsnapshot", ""),),
    "aws_rds_cluster_snapshot": (("rds:deletedbclustersnapshot", ""),),
    "aws_logs_log_group": (("logs:deleteloggroup", ":*"), ("logs:deletelogstream", ":*")),
}  # fmt: skip
# What holds data of its own; settings and code are for attack paths.
_SETTINGS = (
    "aws_lambda_function",
    "aws_codebuild_project",
    "aws_ec2_instance",
    "aws_ecs_task_definition",
)
_HOLDERS = tuple(t for t in (*READS, *COPIES) if t not in _SETTINGS)
# Who reads these has to use their key as well.
_KEY = {
    "aws_secretsmanager_secret": ("KmsKeyId",), "aws_ssm_parameter": ("KeyId",),
    "aws_rds_instance": ("KmsKeyId",), "aws_rds_cluster": ("KmsKeyId",),
    "aws_ec2_volume": ("KmsKeyId",),
    "aws_ec2_snapshot": ("KmsKeyId",), "aws_rds_snapshot": ("KmsKeyId",),
    "aws_rds_cluster_snapshot": ("KmsKeyId",), "aws_kinesis_stream": ("KeyId", "KmsKeyId"),
    "aws_lambda_function": ("KMSKeyArn",),
}  # fmt: skip
_KEY_IN_TEXT = re.compile(r"arn:[^\"']+:kms:[^\"']+:key/[0-9a-zA-Z-]+")
_AMAZONS = "alias/aws/"  # keys that everybody of the account uses through their service


@dataclass(frozen=True)
class Access:
    """`statements` give it; `refused` says what stands in the way all the same."""

    value: str  # yes | no | unknown
    answers: tuple[Answer, ...] = ()
    doubts: tuple[str, ...] = ()
    refused: str = ""

    @property
    def texts(self) -> list[str]:
        """The statements that give it, first ones only, in words."""
        return sorted({a.statements[0].text for a in self.answers if a.statements})


_NONE = Access("no")


class Stores:
    """Answers for one estate; the policies of stores are parsed once."""

    def __init__(self, estate: Estate, evaluator: Evaluator) -> None:
        self.estate = estate
        self.evaluator = evaluator
        self._own: dict[str, Policy | None] = {}

    def reads(self, persona: Persona, item: Item) -> Access:
        """All that it holds; by a copy, too, where it is a database."""
        if item.type in COPIES:
            return self._copies(persona, item)
        asked = READS.get(item.type, ())
        direct = self._guarded(persona, item, [a for a in asked if a[0] not in _SHARING], decrypts)
        if direct.value == "yes" or not any(a[0] in _SHARING for a in asked):
            return direct
        shared = self._guarded(persona, item, [a for a in asked if a[0] in _SHARING], gives_away)
        ranked = sorted((direct, shared), key=lambda a: ("yes", "unknown", "no").index(a.value))
        return next((a for a in ranked if a.value != "no" or a.refused), _NONE)

    def _guarded(self, persona: Persona, item: Item, asked: Iterable[tuple[str, str]], use: _Use
                 ) -> Access:  # fmt: skip
        """Some of the actions, together with the use of the key."""
        given = self._any(persona, item, asked)
        if given is None or given.value == "no":
            return _NONE
        doubts = list(given.doubts) if given.value == "unknown" else []
        key = self._key(persona, item, use)
        if key is not None and key.value == "no":
            return Access("no", (given,), refused="it may not use the store's key")
        if key is not None and key.value == "unknown":
            doubts.append("the use of its key")
        unsure = given.value == "unknown" or (key is not None and key.value == "unknown")
        return Access("unknown" if unsure else "yes", (given,), tuple(doubts))

    def writes(self, persona: Persona, item: Item) -> Access:
        """Changes or destroys what it holds."""
        given = self._any(persona, item, WRITES.get(item.type, ()))
        if given is None or given.value == "no":
            return _NONE
        return Access(given.value, (given,), given.doubts if given.value == "unknown" else ())

    def _any(self, persona: Persona, item: Item, asked: Iterable[tuple[str, str]]) -> Answer | None:
        own = self._own_of(item)
        best: Answer | None = None
        context = self._context(persona, item)
        for action, tail in asked:
            layers = self.evaluator.layers(persona, action)
            if not layers[0].allows and own is None:
                continue
            names = [
                "*" if tail == _EVERY
                else f"{item.uid}/{ANY_NAME}" if tail == "/?*"
                else item.uid + tail.replace("*", "x")
            ]  # fmt: skip
            if tail == "/?*":
                names = new_names(layers, item.uid + tail) or names
            for name in names:
                given = self._may(persona, action, name, own, context)
                if given.value == "yes":
                    return given
                if best is None or given.value == "unknown":
                    best = given
        return best

    def _may(
        self, persona: Persona, action: str, name: str, own: Policy | None, context: Values
    ) -> Answer:
        """Tags may be rewritten first; nobody of another account gets in by their policies alone."""
        if own is None and self.evaluator.elsewhere(persona, name, context):
            return Answer("no")
        return self.evaluator.attain(persona, action, name, context, own)

    def _own_of(self, item: Item) -> Policy | None:
        if item.uid not in self._own:
            self._own[item.uid] = personal(policy_of(self.estate, item.uid))
        return self._own[item.uid]

    def _context(self, persona: Persona, item: Item) -> Values:
        return {"aws:resourceaccount": (item.account or persona.account,)}

    def _copies(self, persona: Persona, item: Item) -> Access:
        """The best of the ways to copy it, each with the use of its key where that is needed."""
        best = _NONE
        for copy in COPIES[item.type]:
            found = self._copy(persona, item, copy)
            if found.value == "yes":
                return found
            if found.value == "unknown" or (found.refused and best.value == "no"):
                best = found
        return best

    def _copy(self, persona: Persona, item: Item, copy: Copy) -> Access:
        layers = {action: self.evaluator.layers(persona, action) for action, _ in copy.needs}
        if not all(found[0].allows for found in layers.values()):
            return _NONE
        context = self._context(persona, item)
        answers = tuple(
            _best(self._may(persona, action, name, None, context)
                  for name in _named(layers[action], places(item.uid, template)))
            for action, template in copy.needs
        )  # fmt: skip
        if any(a.value == "no" for a in answers):
            return _NONE
        doubts = {d for a in answers if a.value == "unknown" for d in a.doubts}
        use = gives_away if copy.shared else decrypts if copy.read else None
        key = self._key(persona, item, use) if use is not None else None
        if key is not None and key.value == "no":
            return Access("no", answers, refused="it may not use the store's key")
        if key is not None and key.value == "unknown":
            doubts.add("the use of its key")
        unsure = doubts or any(a.value == "unknown" for a in answers)
        return Access("unknown" if unsure else "yes", answers, tuple(sorted(doubts)))

    def _key(self, persona: Persona, item: Item, use: _Use) -> Answer | None:
        """None where no key of the customer's own guards the store."""
        name = key_of(item)
        # What a key of AWS guards is read like anything else, and never shared.
        of_aws = Answer("no") if use is gives_away else None
        if not name:
            return None
        if _AMAZONS in name:
            return of_aws
        key = self.estate.find(name)
        if key is None:
            return Answer("unknown", doubts=(f"key {name} was not read",))
        if key.type != "aws_kms_key" or key.config.get("KeyManager") == "AWS":
            return of_aws
        context = self._context(persona, key)
        service = item.uid.split(":")[2]
        region = key.region or item.region
        if region:
            context["kms:viaservice"] = (f"{service}.{region}.amazonaws.com",)
        context["kms:calleraccount"] = (persona.account,)
        return use(self.estate, self.evaluator, persona, key, context)


def key_of(item: Item) -> str:
    """The key that whoever reads the store has to use, as the store names it; "" for none."""
    if item.type == "aws_s3_bucket":
        found = _KEY_IN_TEXT.search(str(item.config.get("get_bucket_encryption") or ""))
        return found.group(0) if found else ""
    if item.type == "aws_sqs_queue":
        told = item.config.get("get_queue_attributes")
        attributes = told.get("Attributes") if isinstance(told, dict) else None
        return str(attributes.get("KmsMasterKeyId") or "") if isinstance(attributes, dict) else ""
    return next((str(v) for k in _KEY.get(item.type, ()) if (v := item.config.get(k))), "")


def personal(policy: Policy | None) -> Policy | None:
    """Without what it grants to anybody at all: that is the store's exposure, nobody's privilege."""
    if policy is None:
        return None
    kept = tuple(
        s
        for s in policy.statements
        if s.effect != "Allow"
        or s.keys & {"aws:principalarn", "aws:userid", "aws:username"}
        or not any(v == "*" for _, v in s.principals or (("*", "*"),))
    )
    return Policy(kept, policy.name, policy.problems)


def sensitive(estate: Estate) -> Iterator[tuple[Item, str]]:
    """Stores whose loss matters: marked as restricted, audit logs, secrets in use."""
    trails = {str(i.config.get("S3BucketName")) for i in estate.of_type("aws_cloudtrail_trail")}
    for item in estate.of_type(*_HOLDERS):
        said = marked(item)
        if said:
            yield item, said
        elif item.type == "aws_s3_bucket" and item.uid.rpartition(":")[2] in trails:
            yield item, "audit logs"
        elif item.type == "aws_secretsmanager_secret" and item.config.get("Name"):
            yield item, "secret"


def _named(layers: tuple[Layer, ...], template: str) -> list[str]:
    if "{}" not in template:
        return [template]
    return [*new_names(layers, template.replace("{}", "*")), template.replace("{}", ANY_NAME)]


def _best(answers: Iterable[Answer]) -> Answer:
    rank = {"yes": 2, "unknown": 1}
    return max(answers, key=lambda a: rank.get(a.value, 0))
