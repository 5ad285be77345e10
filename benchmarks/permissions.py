"""Permissions and reachability of AWS at scale, in CPU seconds: `python benchmarks/permissions.py`.

    roles [--counts 200,1000,10000]   who is or can become administrator, who reads which store
    instances [--count 100000]        public accessibility of instances behind 5,000 groups
    dump FILE                         one `get-account-authorization-details`, from the file on

Roles share policies as accounts do: a pool of a tenth of their number, one to three attached to each,
a fifth with an inline policy; some trust others. Beside each figure stands the time that reading the
same configuration as JSON takes, because seconds do not travel between machines.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).parent))

from estates import ACCOUNT, ANYWHERE, EC2, _document, _item, _trusts

from secinbox.cycles import unsought
from secinbox.estate import Estate
from secinbox.iam import privilege
from secinbox.network import exposure

_T = TypeVar("_T")
IAM = f"arn:aws:iam::{ACCOUNT}:"
# What policies of applications say, with {n} for the thing that they are about.
STATEMENTS: tuple[tuple[list[str], str], ...] = (
    (["s3:GetObject", "s3:ListBucket"], "arn:aws:s3:::data-{n}*"),
    (["s3:PutObject"], "arn:aws:s3:::data-{n}/*"),
    (["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"],
     f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/t-{{n}}"),
    (["secretsmanager:GetSecretValue"], f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:s-{{n}}*"),
    (["sqs:SendMessage", "sqs:ReceiveMessage"], f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q-{{n}}"),
    (["ec2:Describe*", "cloudwatch:PutMetricData", "logs:*"], "*"),
    (["kms:Decrypt", "kms:GenerateDataKey"], f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/k-{{n}}"),
    (["lambda:InvokeFunction"], f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f-{{n}}"),
    (["ssm:GetParameter*"], f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/app-{{n}}/*"),
)  # fmt: skip
RARE: tuple[tuple[list[str], str], ...] = (
    (["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "*"),
    (["iam:AttachRolePolicy"], f"{IAM}role/app-1*"),
    (["s3:*"], "*"),
    (["iam:CreatePolicyVersion"], f"{IAM}policy/shared-{{n}}"),
)


def timed(name: str, work: Callable[[], _T], beside: float = 0.0) -> tuple[_T, float]:
    """The answer and the CPU seconds of the fastest of one run; prints them."""
    gc.collect()
    with unsought():  # as a ranking does
        start = time.process_time()
        answer = work()
        spent = time.process_time() - start
    ratio = f", {spent / beside:.1f} times the reading of it" if beside else ""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{name}: {spent:.2f} CPU s{ratio}, {held} MB", flush=True)
    return answer, spent


def account(roles: int, seed: int = 1) -> Estate:
    """An account of so many roles."""
    chance = random.Random(seed)
    estate = Estate()
    pool = []
    for n in range(max(10, roles // 10)):
        chosen = chance.sample(STATEMENTS, chance.randint(1, 4))
        if chance.random() < 0.04:
            chosen.append(chance.choice(RARE))
        arn = f"{IAM}policy/shared-{n}"
        _item(estate, arn, "aws_iam_policy", {
            "PolicyName": f"shared-{n}", "Arn": arn, "DefaultVersionId": "v1", "AttachmentCount": 1,
            "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True,
                                   "Document": _document(*(_statement(s, n) for s in chosen))}]})  # fmt: skip
        pool.append({"PolicyName": f"shared-{n}", "PolicyArn": arn})
    for n in range(roles):
        name = f"app-{n}"
        inline = [{"PolicyName": "own", "PolicyDocument": _document(
            *(_statement(s, n) for s in chance.sample(STATEMENTS, 2)))}]  # fmt: skip
        trust = _trusts({"Service": chance.choice(
            ("ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com"))})  # fmt: skip
        if chance.random() < 0.1:
            trust = _trusts({"AWS": f"{IAM}role/app-{chance.randrange(roles)}"})
        _item(estate, f"{IAM}role/{name}", "aws_iam_role", {
            "RoleName": name, "RoleId": f"AROA{n}", "Path": "/", "InstanceProfileList": [],
            "AttachedManagedPolicies": chance.sample(pool, chance.randint(1, 3)),
            "RolePolicyList": inline if chance.random() < 0.2 else [],
            "AssumeRolePolicyDocument": _document(trust)})  # fmt: skip
    for n in range(50):
        _item(estate, f"arn:aws:s3:::data-{n}", "aws_s3_bucket",
              {"Tags": [{"Key": "data-classification", "Value": "restricted"}]})  # fmt: skip
        _item(estate, f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:s-{n}-AbCdEf",
              "aws_secretsmanager_secret", {"Name": f"s-{n}"})  # fmt: skip
    return estate


def _statement(chosen: tuple[list[str], str], number: int) -> dict[str, Any]:
    actions, where = chosen
    return {
        "Effect": "Allow",
        "Action": actions,
        "Resource": where.replace("{n}", str(number % 50)),
    }


def fleet(instances: int, groups: int = 5_000, seed: int = 1) -> Estate:
    """Instances in 200 subnets of ten networks, each in one to three groups."""
    chance = random.Random(seed)
    estate = Estate()
    for v in range(10):
        _item(estate, f"{EC2}vpc/vpc-{v}", "aws_ec2_vpc", {"VpcId": f"vpc-{v}"})
        _item(estate, f"{EC2}internet-gateway/igw-{v}", "aws_ec2_internet_gateway", {
            "InternetGatewayId": f"igw-{v}",
            "Attachments": [{"VpcId": f"vpc-{v}", "State": "available"}]})  # fmt: skip
    for s in range(200):
        v = s % 10
        _item(estate, f"{EC2}subnet/subnet-{s}", "aws_ec2_subnet", {
            "SubnetId": f"subnet-{s}", "VpcId": f"vpc-{v}", "CidrBlock": f"10.{s}.0.0/16"})  # fmt: skip
        routes = [{"DestinationCidrBlock": ANYWHERE, "GatewayId": f"igw-{v}", "State": "active"}]
        _item(estate, f"{EC2}route-table/rtb-{s}", "aws_ec2_route_table", {
            "RouteTableId": f"rtb-{s}", "VpcId": f"vpc-{v}",
            "Associations": [{"SubnetId": f"subnet-{s}"}],
            "Routes": routes if chance.random() < 0.5 else []})  # fmt: skip
        _item(estate, f"{EC2}network-acl/acl-{s}", "aws_ec2_network_acl", {
            "NetworkAclId": f"acl-{s}", "VpcId": f"vpc-{v}",
            "Associations": [{"SubnetId": f"subnet-{s}"}],
            "Entries": [{"RuleNumber": 100, "Egress": e, "RuleAction": "allow", "Protocol": "-1",
                         "CidrBlock": ANYWHERE} for e in (False, True)]})  # fmt: skip
    for g in range(groups):
        sources: dict[str, Any] = {"IpRanges": [{"CidrIp": chance.choice(
            (ANYWHERE, "10.0.0.0/8", "203.0.113.0/24", "0.0.0.0/1"))}]}  # fmt: skip
        if chance.random() < 0.4:
            sources = {"UserIdGroupPairs": [{"GroupId": f"sg-{chance.randrange(groups)}"}]}
        _item(estate, f"{EC2}security-group/sg-{g}", "aws_ec2_security_group", {
            "GroupId": f"sg-{g}", "VpcId": f"vpc-{g % 10}", "IpPermissions": [
                {"IpProtocol": "tcp", "FromPort": p, "ToPort": p, **sources}
                for p in chance.sample((22, 80, 443, 5432, 8080), 2)]})  # fmt: skip
    for n in range(instances):
        subnet = chance.randrange(200)
        held = [{"GroupId": f"sg-{chance.randrange(groups // 10) * 10 + subnet % 10}"}
                for _ in range(chance.randint(1, 3))]  # fmt: skip
        address = {"PublicIpAddress": f"198.51.{n >> 8 & 255}.{n & 255}"} if n % 3 == 0 else {}
        _item(estate, f"{EC2}instance/i-{n}", "aws_ec2_instance", {
            "InstanceId": f"i-{n}", "State": {"Name": "running"}, "VpcId": f"vpc-{subnet % 10}",
            "SubnetId": f"subnet-{subnet}", "PrivateIpAddress": f"10.{subnet}.{n >> 8 & 255}.{n & 255}",
            "SecurityGroups": held, **address})  # fmt: skip
    return estate


def reading(estate: Estate) -> float:
    """CPU seconds to parse the same configuration."""
    texts = [json.dumps(item.config) for item in estate.items.values()]
    start = time.process_time()
    for text in texts:
        json.loads(text)
    return time.process_time() - start


def dump(path: Path) -> None:
    """One real dump, from the file on."""
    from secinbox.estate import estate_of
    from secinbox.inventory import aws
    from secinbox.reading import Report

    data = path.read_bytes()
    start = time.process_time()
    json.loads(data)
    beside = time.process_time() - start
    found, _ = timed(
        path.name,
        lambda: list(privilege(estate_of(aws.read(Report(data, path.name))))),
        beside,
    )
    print(f"  {len(found)} statements, {sum(s.value == 'yes' for s in found)} yes")


def main() -> None:
    """Runs what is asked for; all of it without arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("roles", "instances", "dump"))
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--counts", default="200,1000,10000")
    parser.add_argument("--count", type=int, default=100_000)
    given = parser.parse_args()
    list(privilege(account(20)))  # actions and their resources are read once a process
    if given.what in (None, "roles"):
        for count in (int(c) for c in given.counts.split(",")):
            estate = account(count)
            found, _ = timed(f"{count} roles", lambda e=estate: list(privilege(e)), reading(estate))
            print(f"  {sum(s.value == 'yes' for s in found)} privileged")
    if given.what in (None, "instances"):
        estate = fleet(given.count)
        stated, _ = timed(
            f"{given.count} instances", lambda: list(exposure(estate)), reading(estate)
        )
        print(f"  {sum(s.value == 'yes' for s in stated)} public")
    if given.what == "dump":
        dump(given.file)


if __name__ == "__main__":
    main()
