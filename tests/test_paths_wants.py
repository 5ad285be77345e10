"""Small estates, what an attacker gets to in each, and look-alikes in which one link is cut.

The answers were written down from the vendors' documentation before anything was computed.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.answers import (
    EC2,
    GLOBAL,
    LAMBDA,
    Answers,
    B,
    Row,
    allow,
    deny,
    image,
    machine,
    role_arn,
    root,
    service,
    trusted,
)
from tests.scenes import A, R
from tests.test_iam_kubernetes import account
from tests.test_network_kubernetes import address, pod
from tests.test_network_kubernetes import service as k8s_service

BUCKET, SECRET = "arn:aws:s3:::data", f"arn:aws:secretsmanager:{R}:{A}:secret:token-AbCdEf"
KEY = f"arn:aws:kms:{R}:{A}:key/k1"
READS = allow("s3:GetObject", f"{BUCKET}/*")
GETS = allow("secretsmanager:GetSecretValue")
ANA = "accesskey:AKIAEXAMPLE000000001"
Case = tuple[Answers, str, str]  # the estate, where a path may end, whether one does


def web(*statements: Row, trust: Row = EC2) -> Answers:
    """A weak machine on the Internet that runs as a role with these statements."""
    found = Answers().instance("web", "app").role("app", trust, *statements)
    return found.weakness(machine("web"))


def guarded(
    *statements: Row, policy: tuple[Row, ...] = (), grants: list[Row] | None = None
) -> Answers:
    """The same, and a secret under a key of the customer's own."""
    return web(*statements).secret("token", KEY).key("k1", *policy, grants=grants)


def chain(trust: Row, *statements: Row) -> Answers:
    """The same, and an administrator's role in another account."""
    asks = statements or (allow("sts:AssumeRole", role_arn("deploy", B)),)
    return web(*asks).role("deploy", trust, allow("*"), account=B)


def grant(*operations: str, who: str = role_arn("app"), **more: Row) -> list[Row]:
    return [{"GrantId": "g", "GranteePrincipal": who, "Operations": list(operations), **more}]


ONLY_ENCRYPT = {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt"]}}
OF_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
OTHERS = {**allow("kms:*"), "Principal": {"AWS": role_arn("other")}}
STOPS = {**deny("kms:Decrypt"), "Principal": {"AWS": role_arn("app")}}
OWN = {**allow("kms:*"), "Principal": {"AWS": root()}}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NAMED = {"StringLike": {"sts:SourceIdentity": "*"}}

IDENTITIES: dict[str, Case] = {
    "a machine's role reads a bucket": (web(READS).bucket(), BUCKET, "yes"),
    "from an office's addresses only": (
        web(allow("s3:GetObject", IpAddress={"aws:SourceIp": "203.0.113.0/24"})).bucket(), BUCKET, "possible"),
    "with a second factor only": (web(allow("s3:GetObject", **MFA)).bucket(), BUCKET, "no"),
    "the role trusts another service": (web(READS, trust=LAMBDA).bucket(), BUCKET, "no"),
    "a role of another account": (chain(trusted(root())), root(B), "yes"),
    "with a second factor that machines never have": (chain(trusted(root(), **MFA)), root(B), "no"),
    "with a source identity that nobody may give": (chain(trusted(root(), **NAMED)), root(B), "no"),
    "with a source identity that both sides let it give": (
        chain({**trusted(root(), **NAMED), "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]},
              allow(["sts:AssumeRole", "sts:SetSourceIdentity"])), root(B), "yes"),
    "the caller may not give one": (
        chain({**trusted(root(), **NAMED), "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}), root(B), "no"),
}  # fmt: skip

KEYS: dict[str, Case] = {
    "no right to the key": (guarded(GETS), SECRET, "no"),
    "decrypts": (guarded(GETS, allow("kms:Decrypt", KEY)), SECRET, "yes"),
    "the key does not let the account decide": (
        guarded(GETS, allow("kms:Decrypt", KEY), policy=(OTHERS,)), SECRET, "no"),
    "gives itself a grant": (guarded(GETS, allow("kms:CreateGrant", KEY)), SECRET, "yes"),
    "grants for AWS's own resources only": (guarded(GETS, allow("kms:CreateGrant", KEY, **OF_AWS)), SECRET, "no"),
    "grants of other operations only": (guarded(GETS, allow("kms:CreateGrant", KEY, **ONLY_ENCRYPT)), SECRET, "no"),
    "a grant where decrypting is denied": (
        guarded(GETS, allow("kms:CreateGrant", KEY), deny("kms:Decrypt")), SECRET, "no"),
    "a grant where the key's policy denies": (
        guarded(GETS, allow("kms:CreateGrant", KEY), policy=(OWN, STOPS)), SECRET, "no"),
    "rewrites the key's policy": (guarded(GETS, allow("kms:PutKeyPolicy", KEY), policy=(OWN, STOPS)), SECRET, "yes"),
    "rewrites it where its own policies deny": (
        guarded(GETS, allow("kms:PutKeyPolicy", KEY), deny("kms:Decrypt")), SECRET, "no"),
    "has a grant": (guarded(GETS, grants=grant("Decrypt")), SECRET, "yes"),
    "has a grant to encrypt": (guarded(GETS, grants=grant("Encrypt")), SECRET, "no"),
    "another has a grant": (guarded(GETS, grants=grant("Decrypt", who=role_arn("other"))), SECRET, "no"),
    "has a grant in some context": (guarded(GETS, grants=grant(
        "Decrypt", Constraints={"EncryptionContextEquals": {"SecretARN": SECRET}})), SECRET, "possible"),
}  # fmt: skip


GITHUB = "token.actions.githubusercontent.com"
SUB = f"{GITHUB}:sub"
ANA_ARN = f"arn:aws:iam::{A}:user/ana"
SHELL = f"arn:aws:ssm:{R}::document/AWS-RunShellScript"
SNAPSHOT = f"arn:aws:ec2:{R}:{A}:snapshot/snap-1"


def workflow(**condition: Row) -> Answers:
    """An administrator's role that trusts GitHub's workflows under this condition."""
    return Answers(network=False).role("ci", {
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition,
        "Principal": {"Federated": f"arn:aws:iam::{A}:oidc-provider/{GITHUB}"}}, allow("*"))  # fmt: skip


WORKFLOWS: dict[str, Case] = {
    "any repository": (workflow(StringLike={SUB: "repo:*"}), root(), "yes"),
    "owners whose name begins so": (workflow(StringLike={SUB: "repo:acme*"}), root(), "yes"),
    "one owner": (workflow(StringLike={SUB: "repo:acme/*"}), root(), "no"),
    "a star that StringEquals takes as it is": (workflow(StringEquals={SUB: "repo:*"}), root(), "no"),
    "every token has a subject": (workflow(StringLikeIfExists={SUB: "repo:acme/*"}), root(), "no"),
    "any subject, if there is one": (workflow(StringLikeIfExists={SUB: "repo:*"}), root(), "yes"),
    "another claim, if there is one": (
        workflow(StringEqualsIfExists={f"{GITHUB}:repository": "acme/shop"}), root(), "yes"),
    "a provider that is there": (workflow(StringLike={SUB: "repo:*"}).lists(
        "iam.list_open_id_connect_providers", "OpenIDConnectProviderList",
        {"Arn": f"arn:aws:iam::{A}:oidc-provider/{GITHUB}"}, region=GLOBAL), root(), "yes"),
    "a provider that the account lacks": (workflow(StringLike={SUB: "repo:*"}).lists(
        "iam.list_open_id_connect_providers", "OpenIDConnectProviderList", region=GLOBAL), root(), "no"),
    "not one owner": (workflow(StringNotLike={SUB: "repo:acme/*"}), root(), "yes"),
}  # fmt: skip


def ana(*statements: Row) -> Answers:
    """Somebody got hold of this user."""
    found = Answers().user("ana", *statements)
    found.breached = [ANA_ARN]
    return found


def boxed(*statements: Row, managed: bool = True, **more: Any) -> Answers:
    """The same, and a machine inside that runs as an administrator."""
    found = ana(*statements).instance("box", "admin", **{"public": False, **more})
    return found.role("admin", EC2, allow("*")).managed(*(["box"] if managed else []))


def data(*rights: str, key: str = "", **more: Any) -> Answers:
    found = ana(*(allow(r) for r in rights)).snapshot(key)
    return found.key("k1", **more) if key else found


CHANGE = allow("ec2:ModifyInstanceAttribute")
AROUND = [allow("ec2:StopInstances"), allow("ec2:StartInstances")]
SSH = allow("ec2-instance-connect:SendSSHPublicKey")


def changing(attribute: str) -> Row:
    return allow("ec2:ModifyInstanceAttribute", StringEquals={"ec2:Attribute": attribute})


MACHINES: dict[str, Case] = {
    "a command": (boxed(allow("ssm:SendCommand", [machine("box"), SHELL])), root(), "yes"),
    "a command, but no document": (boxed(allow("ssm:SendCommand", machine("box"))), root(), "no"),
    "an agent that nobody hears": (boxed(allow("ssm:SendCommand"), managed=False), root(), "no"),
    "a machine whose metadata service is off": (boxed(allow("ssm:SendCommand"), metadata=None), root(), "no"),
    "other user data": (boxed(CHANGE, *AROUND), root(), "yes"),
    "user data by name": (boxed(changing("userData"), *AROUND), root(), "yes"),
    "another attribute": (boxed(changing("InstanceType"), *AROUND), root(), "no"),
    "a key for SSH": (boxed(SSH, public=True, port=22), root(), "yes"),
    "SSH inside only": (boxed(SSH, port=22), root(), "possible"),
    "no port for SSH": (boxed(SSH, port=8443), root(), "no"),
    "Windows": (boxed(SSH, port=22, Platform="windows"), root(), "no"),
    "shares a snapshot": (data("ec2:ModifySnapshotAttribute"), SNAPSHOT, "yes"),
    "what a key of AWS guards is not shared": (
        data("ec2:ModifySnapshotAttribute", key=KEY, manager="AWS"), SNAPSHOT, "no"),
    "but copied here": (data("ebs:GetSnapshotBlock", key=KEY, manager="AWS"), SNAPSHOT, "yes"),
    "without the key it is of no use": (
        data("ec2:ModifySnapshotAttribute", "kms:Decrypt", key=KEY), SNAPSHOT, "no"),
    "with the key": (data("ec2:ModifySnapshotAttribute", "kms:CreateGrant", key=KEY), SNAPSHOT, "yes"),
}  # fmt: skip
PUSH = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")
TASKS = service("ecs-tasks.amazonaws.com")


def pushed(*rights: str, tag: str = ":1", trust: Row = TASKS, **more: Any) -> Answers:
    """Ana, and a task that runs an image as an administrator."""
    found = ana(*(allow(r) for r in rights)).repository("app", **more)
    return found.role("task", trust, allow("*")).task("app", "task", image("app") + tag)


KEPT = {"imageTagMutability": "IMMUTABLE"}
BUT_DEV = {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
           "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "dev*"}]}  # fmt: skip
IMAGES: dict[str, Case] = {
    "pushes": (pushed(*PUSH), root(), "yes"),
    "puts together what is there only": (pushed(PUSH[-1]), root(), "no"),
    "uploads only": (pushed(*PUSH[:-1]), root(), "no"),
    "run by its digest": (pushed(*PUSH, tag=f"@sha256:{'a' * 64}"), root(), "no"),
    "tags that stay": (pushed(*PUSH, **KEPT), root(), "no"),
    "tags that stay, but for this one": (pushed(*PUSH, tag=":dev1", **BUT_DEV), root(), "yes"),
    "tags that stay, this one too": (pushed(*PUSH, **BUT_DEV), root(), "no"),
    "a role that tasks do not get": (pushed(*PUSH, trust=LAMBDA), root(), "no"),
}  # fmt: skip


@pytest.mark.parametrize("case", WORKFLOWS)
def test_workflows(case: str) -> None:
    made, target, wanted = WORKFLOWS[case]
    assert made.ends_at(target) == wanted


@pytest.mark.parametrize("case", MACHINES)
def test_machines(case: str) -> None:
    made, target, wanted = MACHINES[case]
    assert made.ends_at(target) == wanted


@pytest.mark.parametrize("case", IMAGES)
def test_images(case: str) -> None:
    made, target, wanted = IMAGES[case]
    assert made.ends_at(target) == wanted


@pytest.mark.parametrize("case", IDENTITIES)
def test_identities(case: str) -> None:
    made, target, wanted = IDENTITIES[case]
    assert made.ends_at(target) == wanted


@pytest.mark.parametrize("case", KEYS)
def test_keys(case: str) -> None:
    made, target, wanted = KEYS[case]
    assert made.ends_at(target) == wanted


DATABASE = f"arn:aws:rds:{R}:{A}:db:orders"
PASSWORD = f"arn:aws:secretsmanager:{R}:{A}:secret:orders-AbCdEf"


def orders(*statements: Row, public: bool = True, source: str = "0.0.0.0/0") -> Answers:
    """A weak machine, and a database whose password AWS keeps in a secret."""
    found = web(*statements).secret("orders").group("db", (5432, source))
    return found.lists("rds.describe_db_instances", "DBInstances", {
        "DBInstanceIdentifier": "orders", "DBInstanceArn": DATABASE, "DBInstanceStatus": "available",
        "PubliclyAccessible": public, "Endpoint": {"Port": 5432},
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-db", "Status": "active"}],
        "DBSubnetGroup": {"VpcId": "vpc-1", "Subnets": [{"SubnetIdentifier": "subnet-public"}]},
        "TagList": [{"Key": "data_class", "Value": "restricted"}],
        "MasterUserSecret": {"SecretArn": PASSWORD}})  # fmt: skip


DATABASES: dict[str, Case] = {
    "open to everyone, its password inside": (orders(GETS), DATABASE, "yes"),
    "the password is out of reach": (orders(), DATABASE, "possible"),
    "open inside only": (orders(GETS, public=False, source="sg:sg-web"), DATABASE, "yes"),
    "a new password for one that is open": (orders(allow("rds:ModifyDBInstance")), DATABASE, "yes"),
    "a new password for one that is open inside": (
        orders(allow("rds:ModifyDBInstance"), public=False, source="sg:sg-web"),
        DATABASE,
        "yes",
    ),
    "a new password for one that nobody reaches": (
        orders(allow("rds:ModifyDBInstance"), public=False, source="10.9.0.0/16"),
        DATABASE,
        "possible",
    ),
    "open to others only": (orders(GETS, public=False, source="10.9.0.0/16"), DATABASE, "no"),
}


def held(*statements: Row, **more: Any) -> Answers:
    """A key that leaked, of somebody with these rights, and the database."""
    found = orders(**more).user("ana", *statements)
    found.weak.clear()
    found.says("iam.list_access_keys", {"AccessKeyMetadata": [{
        "UserName": "ana", "AccessKeyId": ANA.partition(":")[2], "Status": "Active"}]},
        {"UserName": "ana"}, region=GLOBAL)  # fmt: skip
    return found.leak(ANA)


INSIDE: dict[str, Any] = {"public": False, "source": "10.9.0.0/16"}
DATABASES |= {
    "a key that leaked reads the password of an open one": (held(GETS), DATABASE, "yes"),
    "of one that does not answer": (held(GETS, **INSIDE), DATABASE, "no"),
    "a key that leaked sets the password of an open one": (held(allow("rds:ModifyDBInstance")), DATABASE, "yes"),
    "of one inside": (held(allow("rds:ModifyDBInstance"), **INSIDE), DATABASE, "possible"),
    "a key of no such right": (held(allow("rds:DescribeDBInstances"), **INSIDE), DATABASE, "no"),
}  # fmt: skip


@pytest.mark.parametrize("case", DATABASES)
def test_databases(case: str) -> None:
    made, target, wanted = DATABASES[case]
    assert made.ends_at(target) == wanted


ISSUER = f"oidc.eks.{R}.amazonaws.com/id/AAAA"


def pods(issuer: str = ISSUER, own: str = ISSUER, subject: str = "shop:bot", told: bool = True,
         providers: tuple[str, ...] | None = None) -> Answers:  # fmt: skip
    """A weak pod on the Internet whose account names a role that trusts this issuer of EKS."""
    provider = f"arn:aws:iam::{A}:oidc-provider/{issuer}"
    found = Answers().bucket().role("pods", {
        "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": provider},
        "Condition": {"StringEquals": {f"{issuer}:sub": f"system:serviceaccount:{subject}"}}}, READS)  # fmt: skip
    if told:
        found.says("eks.describe_cluster", {"cluster": {
            "name": "c", "arn": f"arn:aws:eks:{R}:{A}:cluster/c", "status": "ACTIVE",
            "identity": {"oidc": {"issuer": f"https://{own}"}}}}, {"name": "c"})  # fmt: skip
    if providers is not None:
        rows = [{"Arn": f"arn:aws:iam::{A}:oidc-provider/{p}"} for p in providers]
        found.lists(
            "iam.list_open_id_connect_providers", "OpenIDConnectProviderList", *rows, region=GLOBAL
        )
    bot = account("bot")
    bot["metadata"]["annotations"] = {"eks.amazonaws.com/role-arn": role_arn("pods")}
    door = k8s_service("LoadBalancer", status=address(hostname="x.elb.amazonaws.com"))
    found.objects = [pod(serviceAccountName="bot"), bot, door]
    return found.weakness("k8s://c/shop/pod/web")


PODS: dict[str, Case] = {
    "its cluster's tokens": (pods(), BUCKET, "yes"),
    "another account's": (pods(subject="shop:web"), BUCKET, "no"),
    "another cluster's": (pods(own=ISSUER + "B"), BUCKET, "no"),
    "nobody told its issuer": (pods(told=False), BUCKET, "yes"),
    "an issuer that the account knows": (pods(providers=(ISSUER,)), BUCKET, "yes"),
    "an issuer that the account does not know": (pods(providers=()), BUCKET, "no"),
}


@pytest.mark.parametrize("case", PODS)
def test_pods(case: str) -> None:
    made, target, wanted = PODS[case]
    assert made.ends_at(target) == wanted


BOB = "accesskey:AKIAEXAMPLE000000002"
DEFINITION = f"arn:aws:ecs:{R}:{A}:task-definition/app:1"
JOB = f"arn:aws:lambda:{R}:{A}:function:job"


def lying(where: str, *statements: Row) -> Answers:
    """An administrator's key lies in the settings of a machine, a function or a task; a weak machine beside."""
    found = (
        web(*statements).instance("box", public=False, source="10.9.0.0/16").user("bob", allow("*"))
    )
    found.role("job", LAMBDA).function("job", "job").says("ecs.describe_task_definition", {"taskDefinition": {
        "taskDefinitionArn": DEFINITION, "family": "app", "status": "ACTIVE", "networkMode": "awsvpc",
        "containerDefinitions": [{"name": "app", "image": "a:1"}]}}, {"taskDefinition": DEFINITION})  # fmt: skip
    found.says("iam.list_access_keys", {"AccessKeyMetadata": [{
        "UserName": "bob", "AccessKeyId": BOB.partition(":")[2], "Status": "Active"}]},
        {"UserName": "bob"}, region=GLOBAL)  # fmt: skip
    return found.leak(BOB, where=where)


SETTINGS: dict[str, Case] = {
    "user data": (lying(machine("box"), allow("ec2:DescribeInstanceAttribute")), root(), "yes"),
    "user data of another machine": (
        lying(machine("box"), allow("ec2:DescribeInstanceAttribute", machine("web"))), root(), "no"),
    "a list of machines": (lying(machine("box"), allow("ec2:DescribeInstances")), root(), "no"),
    "settings of a function": (lying(JOB, allow("lambda:GetFunctionConfiguration")), root(), "yes"),
    "a list of functions, with settings": (lying(JOB, allow("lambda:ListFunctions")), root(), "yes"),
    "a list that names one function, which is none": (lying(JOB, allow("lambda:ListFunctions", JOB)), root(), "no"),
    "policies of a function": (lying(JOB, allow("lambda:GetPolicy")), root(), "no"),
    "a definition of tasks": (lying(DEFINITION, allow("ecs:DescribeTaskDefinition")), root(), "yes"),
    "names of definitions": (lying(DEFINITION, allow("ecs:ListTaskDefinitions")), root(), "no"),
}  # fmt: skip


@pytest.mark.parametrize("case", SETTINGS)
def test_keys_in_settings(case: str) -> None:
    made, target, wanted = SETTINGS[case]
    assert made.ends_at(target) == wanted
