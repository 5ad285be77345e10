"""Random estates with planted attack paths and decoys that lack exactly one condition.

`python benchmarks/estates.py --principals 1000 --paths 20 --seed 7` prints whether the analysis
finds every planted path, nothing else, and how long it takes. The same generator runs in the tests
at small size.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from dataclasses import dataclass, field
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.network import exposure
from secinbox.paths import routes
from secinbox.paths.world import Weakness, World

ACCOUNT, REGION = "111122223333", "eu-west-1"
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}:"
ANYWHERE = "0.0.0.0/0"
REMOTE = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
LOCAL = "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
# What a decoy lacks; None is a planted path.
LACKS = (
    "public address", "open port", "remote vulnerability", "metadata service", "trust",
    "permission", "value",
)  # fmt: skip


@dataclass
class Planted:
    """One path: its instance, its roles and the bucket at its end. `lacks`: what makes it a decoy."""

    instance: str
    roles: list[str]
    bucket: str
    lacks: str = ""


@dataclass
class Generated:
    """An estate with its truth."""

    world: World
    planted: list[Planted] = field(default_factory=list)
    decoys: list[Planted] = field(default_factory=list)


def _item(estate: Estate, uid: str, kind: str, config: dict[str, Any], **tags: str) -> None:
    name = uid.rpartition("/")[2].rpartition(":")[2]
    estate.add(Item(uid, kind, name, "aws", ACCOUNT, REGION, tags, config), [name])


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _role(estate: Estate, name: str, trust: dict[str, Any], *statements: dict[str, Any]) -> str:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    policies = [{"PolicyName": "own", "PolicyDocument": _document(*statements)}]
    _item(estate, arn, "aws_iam_role", {
        "RoleName": name, "RoleId": f"AROA{name}", "Path": "/",
        "RolePolicyList": policies if statements else [],
        "InstanceProfileList": [{"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{name}"}],
        "AssumeRolePolicyDocument": _document(trust)})  # fmt: skip
    return arn


def _trusts(principal: dict[str, str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}


def generate(seed: int, principals: int = 100, paths: int = 6, decoys: int = 12) -> Generated:
    """The same seed gives the same estate."""
    chance = random.Random(seed)
    estate = Estate()
    _item(estate, f"arn:aws:iam::{ACCOUNT}:root", "aws_account", {
        "s3control": {"Error": "NoSuchPublicAccessBlockConfiguration"}})  # fmt: skip
    _network(estate)
    weak: dict[str, list[Weakness]] = {}
    made = Generated(World(estate=estate))
    for number in range(paths):
        made.planted.append(_plant(estate, weak, chance, f"p{number}", ""))
    for number in range(decoys):
        made.decoys.append(_plant(estate, weak, chance, f"d{number}", LACKS[number % len(LACKS)]))
    shared = [
        {"Effect": "Allow", "Action": a, "Resource": "*"}
        for a in ("ec2:Describe*", "logs:PutLogEvents", "s3:ListAllMyBuckets", "sqs:SendMessage")
    ]
    for number in range(max(0, principals - len(estate.of_type("aws_iam_role")))):
        _role(estate, f"noise{number}", _trusts({"Service": "lambda.amazonaws.com"}),
              *chance.sample(shared, chance.randint(0, 3)))  # fmt: skip
    public = {s.resource: list(s.evidence) for s in exposure(estate) if s.value == "yes"}
    made.world = World(estate=estate, public=public, weaknesses=weak)
    return made


def _network(estate: Estate) -> None:
    _item(estate, EC2 + "vpc/vpc-1", "aws_ec2_vpc", {"VpcId": "vpc-1"})
    _item(estate, EC2 + "subnet/subnet-1", "aws_ec2_subnet",
          {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"})  # fmt: skip
    _item(estate, EC2 + "internet-gateway/igw-1", "aws_ec2_internet_gateway", {
        "InternetGatewayId": "igw-1",
        "Attachments": [{"VpcId": "vpc-1", "State": "available"}]})  # fmt: skip
    _item(estate, EC2 + "route-table/rtb-1", "aws_ec2_route_table", {
        "RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-1"}],
        "Routes": [{"DestinationCidrBlock": ANYWHERE, "GatewayId": "igw-1", "State": "active"}],
    })  # fmt: skip
    _item(estate, EC2 + "network-acl/acl-1", "aws_ec2_network_acl", {
        "NetworkAclId": "acl-1", "VpcId": "vpc-1", "Associations": [{"SubnetId": "subnet-1"}],
        "Entries": [{"RuleNumber": 100, "Egress": e, "RuleAction": "allow", "Protocol": "-1",
                     "CidrBlock": ANYWHERE} for e in (False, True)]})  # fmt: skip
    for name, cidr in (("open", ANYWHERE), ("closed", "203.0.113.0/24")):
        _item(estate, f"{EC2}security-group/sg-{name}", "aws_ec2_security_group", {
            "GroupId": f"sg-{name}", "VpcId": "vpc-1", "IpPermissions": [{
                "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
                "IpRanges": [{"CidrIp": cidr}]}]})  # fmt: skip


def _plant(
    estate: Estate, weak: dict[str, list[Weakness]], chance: random.Random, name: str, lacks: str
) -> Planted:
    length = chance.randint(1, 4)
    bucket = f"arn:aws:s3:::{name}-data"
    _item(estate, bucket, "aws_s3_bucket", {
        "get_bucket_policy": {"Error": "NoSuchBucketPolicy"}, "get_bucket_acl": {"Grants": []},
        "get_public_access_block": {"Error": "NoSuchPublicAccessBlockConfiguration"}},
        data_class="public" if lacks == "value" else "restricted")  # fmt: skip
    arns = [f"arn:aws:iam::{ACCOUNT}:role/{name}-{n}" for n in range(length)]
    # Each planted bucket may be read by its own chain only, so a decoy's missing link is missed.
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{bucket}/*"}
    broken = chance.randrange(length) if lacks == "trust" and length > 1 else -1
    for n in range(length):
        trust = _trusts({"AWS": arns[n - 1]}) if n else _trusts({"Service": "ec2.amazonaws.com"})
        if n and n == max(1, broken) and lacks == "trust":
            trust = _trusts({"AWS": f"arn:aws:iam::{ACCOUNT}:role/nobody"})
        statements = []
        if n + 1 < length:
            statements.append(
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arns[n + 1]}
            )
        elif lacks not in ("permission",) and not (lacks == "trust" and length == 1):
            statements.append(read)
        if lacks == "permission" and n + 1 == length:
            statements += [read, {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]
        _role(estate, f"{name}-{n}", trust, *statements)
    instance = f"{EC2}instance/i-{name}"
    interface: dict[str, Any] = {
        "NetworkInterfaceId": f"eni-{name}", "SubnetId": "subnet-1", "VpcId": "vpc-1",
        "Groups": [{"GroupId": "sg-closed" if lacks == "open port" else "sg-open"}],
    }  # fmt: skip
    if lacks != "public address":
        interface["Association"] = {"PublicIp": f"54.{chance.randrange(256)}.1.2"}
    on = "disabled" if lacks == "metadata service" else "enabled"
    _item(estate, instance, "aws_ec2_instance", {
        "InstanceId": f"i-{name}", "State": {"Name": "running"}, "NetworkInterfaces": [interface],
        "MetadataOptions": {"HttpEndpoint": on, "HttpTokens": "optional"}})  # fmt: skip
    estate.relate(instance, "has_identity", arns[0])
    weak[instance] = [Weakness(
        finding=f"f-{name}", type="library_vulnerability", rule="CVE-2021-44228",
        title="CVE-2021-44228", severity=5, vulnerability="CVE-2021-44228", package=f"lib-{name}",
        fix="2", vector=LOCAL if lacks == "remote vulnerability" else REMOTE, maturity=3,
        epss=0.9, resource=f"image:{name}", tools="trivy")]  # fmt: skip
    return Planted(instance, arns, bucket, lacks)


@dataclass
class Score:
    """How an analysis does against the truth: certain paths only."""

    missed: list[Planted]
    false: list[str]
    rows: int


def score(made: Generated, paths: list[routes.Path]) -> Score:
    """Every planted path by its nodes; every certain path to something that was not planted."""
    sure = [p for p in paths if p.certain]
    missed = [
        planted for planted in made.planted
        if not any({planted.instance, *planted.roles, planted.bucket} <= {*p.resources, p.target}
                   for p in sure)
    ]  # fmt: skip
    wanted = {p.bucket for p in made.planted}
    false = [p.rule + " " + p.target for p in sure if p.target not in wanted]
    return Score(missed, false, len(sure))


def main() -> None:
    """Prints the score and the time of the analysis."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--principals", type=int, default=1000)
    parser.add_argument("--paths", type=int, default=20)
    parser.add_argument("--decoys", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    made = generate(asked.seed, asked.principals, asked.paths, asked.decoys)
    start = time.process_time()
    paths = routes.analyse(made.world).paths
    spent = time.process_time() - start
    found = score(made, paths)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{asked.principals} principals, {len(made.planted)} planted, {len(made.decoys)} decoys: "
        f"{len(found.missed)} missed, {len(found.false)} false, "
        f"{found.rows / max(1, len(made.planted)):.2f} rows a path, {spent:.2f} CPU s, {memory} MB"
    )
    raise SystemExit(1 if found.missed or found.false else 0)


if __name__ == "__main__":
    main()
