"""Tables of Steampipe and CloudQuery say of an estate what the API's own answers say of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secinbox.estate import Estate, estate_of
from secinbox.iam import privilege
from secinbox.inventory import aws, cartography, cloudquery, steampipe
from secinbox.inventory._tables import camel
from secinbox.network import exposure
from secinbox.reading import Report, head_of
from secinbox.records import AnyRecord, Skipped

ACCOUNT, REGION = "111122223333", "eu-west-1"
WHERE = {"account_id": ACCOUNT, "region": REGION, "partition": "aws"}
ANYONE = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
           "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]  # fmt: skip
OPEN = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop-open/*"}]}  # fmt: skip
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
READS = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}  # fmt: skip
IAM = f"arn:aws:iam::{ACCOUNT}:"
OFF = {"block_public_acls": False, "block_public_policy": False, "ignore_public_acls": False,
       "restrict_public_buckets": False}  # fmt: skip
ON = dict.fromkeys(OFF, True)

# The tables as both tools name their columns; what only one of them has is added below.
NETWORK: dict[str, list[dict[str, Any]]] = {
    "vpcs": [{"vpc_id": "vpc-1", "cidr_block": "10.0.0.0/16", "instance_tenancy": "default"}],
    "subnets": [{"subnet_id": "subnet-1", "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24",
                 "map_public_ip_on_launch": True}],
    "internet_gateways": [{"internet_gateway_id": "igw-1",
                           "attachments": [{"VpcId": "vpc-1", "State": "available"}]}],
    "route_tables": [{"route_table_id": "rtb-1", "vpc_id": "vpc-1",
                      "associations": [{"SubnetId": "subnet-1"}],
                      "routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1",
                                  "State": "active"}]}],
    "network_acls": [{"network_acl_id": "acl-1", "vpc_id": "vpc-1", "is_default": True,
                      "associations": [{"SubnetId": "subnet-1"}],
                      "entries": [{"RuleNumber": 100, "Egress": e, "RuleAction": "allow",
                                   "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}
                                  for e in (False, True)]}],
    "security_groups": [
        {"group_id": "sg-open", "group_name": "open", "vpc_id": "vpc-1", "ip_permissions": ANYONE},
        {"group_id": "sg-shut", "group_name": "shut", "vpc_id": "vpc-1", "ip_permissions": []}],
}  # fmt: skip
STEAMPIPE_NAMES = {"vpcs": "aws_vpc", "subnets": "aws_vpc_subnet",
                   "internet_gateways": "aws_vpc_internet_gateway",
                   "route_tables": "aws_vpc_route_table", "network_acls": "aws_vpc_network_acl",
                   "security_groups": "aws_vpc_security_group"}  # fmt: skip


def instance(number: int, group: str, **more: Any) -> dict[str, Any]:
    return {"instance_id": f"i-{number}", "image_id": "ami-1", "subnet_id": "subnet-1",
            "vpc_id": "vpc-1", "public_ip_address": f"198.51.100.{number}",
            "private_ip_address": f"10.0.1.{number}",
            "security_groups": [{"GroupId": group, "GroupName": "x"}], **more}  # fmt: skip


def bucket(name: str, **more: Any) -> dict[str, Any]:
    acl = {"Owner": {"ID": "o"}, "Grants": []}
    return {"name": name, "arn": f"arn:aws:s3:::{name}", "creation_date": "2026-01-01",
            "policy": None, "acl": acl, **OFF, **more}  # fmt: skip


BUCKETS = [bucket("shop-open", policy=OPEN), bucket("shop-blocked", policy=OPEN, **ON),
           bucket("shop-private"), bucket("shop-unseen", **dict.fromkeys(OFF), acl=None)]  # fmt: skip


def role(name: str, policy: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "arn": f"{IAM}role/{name}", "role_id": f"AROA{name}", "path": "/",
            "max_session_duration": 3600, "assume_role_policy": TRUST, "attached_policy_arns": [],
            "inline_policies": [{"PolicyName": "own", "PolicyDocument": policy}],
            "instance_profile_arns": [], **more}  # fmt: skip


ROLES = [role("admin", ALL), role("reader", READS),
         role("attached", READS, attached_policy_arns=[f"{IAM}policy/everything"]),
         role("bounded", ALL, permissions_boundary_arn=f"{IAM}policy/looks")]  # fmt: skip
POLICIES = [{"name": n, "arn": f"{IAM}policy/{n}", "default_version_id": "v1", "path": "/",
             "policy": p} for n, p in (("everything", ALL), ("looks", READS))]  # fmt: skip


def steampipe_file(table: str, rows: list[dict[str, Any]], *, wrapped: bool) -> Report:
    rows = [{**r, **WHERE, "akas": [], "title": "t", "tags": None} for r in rows]
    columns = [{"name": c, "data_type": "text"} for c in rows[0]]
    document = {"columns": columns, "rows": rows} if wrapped else rows
    return Report(json.dumps(document).encode(), f"export/{table}.json")


def cloudquery_file(table: str, rows: list[dict[str, Any]]) -> Report:
    text = ""
    for row in rows:
        # Objects as text, as destinations without a type for them write them.
        flat = {k: json.dumps(v) if isinstance(v, (dict, list)) else v for k, v in row.items()}
        text += json.dumps({"_cq_id": "1", "_cq_sync_time": "2026-11-01", **WHERE, **flat}) + "\n"
    return Report(text.encode(), f"{table}.json", (table, "2026-11-01.json"))


def records(reports: list[tuple[Any, Report]]) -> list[AnyRecord]:
    found: list[AnyRecord] = []
    for connector, report in reports:
        assert connector.recognise(head_of(report.data, report.name)) >= 80, report.name
        found += connector.read(report)
    return found


def by_steampipe(wrapped: bool) -> Estate:
    tables = {STEAMPIPE_NAMES[k]: v for k, v in NETWORK.items()} | {
        "aws_ec2_instance": [instance(1, "sg-open", instance_state="running"),
                             instance(2, "sg-shut", instance_state="running"),
                             instance(3, "sg-open", instance_state="stopped")],
        "aws_s3_bucket": BUCKETS, "aws_s3_account_settings": [OFF], "aws_iam_role": ROLES, "aws_iam_policy": POLICIES,
    }  # fmt: skip
    return estate_of(records(
        [(steampipe, steampipe_file(t, r, wrapped=wrapped)) for t, r in tables.items()]))  # fmt: skip


def by_cloudquery() -> Estate:
    tables = {f"aws_ec2_{k}": v for k, v in NETWORK.items()} | {
        "aws_ec2_instances": [instance(1, "sg-open", state={"Name": "running", "Code": 16}),
                              instance(2, "sg-shut", state={"Name": "running"}),
                              instance(3, "sg-open", state={"Name": "stopped"})],
        "aws_s3_buckets": BUCKETS,
        "aws_s3_accounts": [OFF],
        "aws_iam_policies": [
            {"policy_name": p["name"], "arn": p["arn"], "default_version_id": "v1",
             "policy_version_list": [{"VersionId": "v1", "IsDefaultVersion": True,
                                      "Document": p["policy"]}]} for p in POLICIES],
    }  # fmt: skip
    return estate_of(records([(cloudquery, cloudquery_file(t, r)) for t, r in tables.items()]))


def public(estate: Estate) -> dict[str, str]:
    told = {s.resource.rsplit("/", 1)[-1].rsplit(":", 1)[-1]: s.value for s in exposure(estate)}
    return {k: v for k, v in told.items() if k.startswith(("i-", "shop-"))}


EXPECTED = {"i-1": "yes", "i-2": "no", "i-3": "no", "shop-open": "yes", "shop-blocked": "no",
            "shop-unseen": "unknown"}  # fmt: skip


@pytest.mark.parametrize("made", [lambda: by_steampipe(True), lambda: by_steampipe(False),
                                  by_cloudquery], ids=["steampipe", "rows", "cloudquery"])  # fmt: skip
def test_what_is_public_is_told_and_what_was_not_seen_is_unknown(made: Any) -> None:
    told = public(made())
    assert {k: told[k] for k in EXPECTED} == EXPECTED
    assert told["shop-private"] == "no"


def test_the_block_of_the_account_is_asked_for() -> None:
    estate = estate_of(
        records([(steampipe, steampipe_file("aws_s3_bucket", BUCKETS, wrapped=True))])
    )
    told = public(estate)
    assert told["shop-open"] == "unknown" and told["shop-blocked"] == "no"


def test_who_is_powerful_is_told_from_steampipe() -> None:
    told = {s.resource.rpartition("/")[2]: s.value for s in privilege(by_steampipe(True))}
    assert {n: told[n] for n in ("admin", "attached")} == {"admin": "yes", "attached": "yes"}
    assert told["reader"] == "no" and told["bounded"] != "yes"


def test_principals_without_their_policies_are_not_powerless() -> None:
    """CloudQuery keeps the policies of a role in another table: nothing is claimed of the role."""
    row = {"arn": f"{IAM}role/r", "role_name": "r", "path": "/", "max_session_duration": 3600,
           "assume_role_policy_document": TRUST}  # fmt: skip
    estate = estate_of(records([(cloudquery, cloudquery_file("aws_iam_roles", [row]))]))
    told = {s.resource: s.value for s in privilege(estate)}
    assert told.get(f"{IAM}role/r", "unknown") == "unknown"


def test_the_same_estate_as_the_api_says_it() -> None:
    """The answers of the API, and the rows that tools make of them, are the same resources."""
    raw = {"SecurityGroups": [{"GroupId": "sg-open", "GroupName": "open", "VpcId": "vpc-1",
                               "OwnerId": ACCOUNT, "IpPermissions": ANYONE}]}  # fmt: skip
    report = Report(json.dumps(raw).encode(), "ec2.describe_security_groups.json",
                    (ACCOUNT, REGION, "ec2.describe_security_groups.json"))  # fmt: skip
    one = estate_of(list(aws.read(report)))
    rows = [{**NETWORK["security_groups"][0], "owner_id": ACCOUNT}]
    two = estate_of(records([
        (steampipe, steampipe_file("aws_vpc_security_group", rows, wrapped=True))]))  # fmt: skip
    uid = f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-open"
    kept = {k: v for k, v in two.items[uid].config.items() if k in one.items[uid].config}
    assert kept == one.items[uid].config


@pytest.mark.parametrize(("name", "expected"), [
    ("map_public_ip_on_launch", "MapPublicIpOnLaunch"), ("vpc_id", "VpcId"),
    ("db_instance_identifier", "DBInstanceIdentifier"), ("arn", "Arn"),
])  # fmt: skip
def test_columns_become_fields(name: str, expected: str) -> None:
    assert camel(name) == expected


@pytest.mark.parametrize("rows", [
    [{"name": None, "arn": "x", "creation_date": "", "block_public_acls": True}],
    [{"name": "b", "arn": 7, "creation_date": "", "block_public_acls": "x", "policy": "{broken"}],
    [{"name": "b", "creation_date": "", "block_public_acls": True, "acl": {"Grants": "x"}}],
])  # fmt: skip
def test_broken_rows_do_no_harm(rows: list[dict[str, Any]]) -> None:
    report = steampipe_file("aws_s3_bucket", rows, wrapped=True)
    for record in steampipe.read(report):
        assert record is not None


def test_tables_of_other_things_are_counted() -> None:
    report = cloudquery_file("aws_cloudwatch_alarms", [{"arn": "x"}, {"arn": "y"}])
    (told,) = cloudquery.read(report)
    assert isinstance(told, Skipped) and told.harmless and told.count == 2


# -- a graph of Cartography -------------------------------------------------------------------


class Drawn:
    """Nodes and relationships as apoc writes them."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.account = self.node("AWSAccount", id=ACCOUNT)

    def node(self, *labels: str, **values: Any) -> str:
        identity = str(len(self.lines))
        told = {"lastupdated": 1, **values}
        self.lines.append(
            {"type": "node", "id": identity, "labels": list(labels), "properties": told}
        )
        if labels[0] in ("EC2Instance", "EC2SecurityGroup", "EC2Subnet", "AWSVpc", "S3Bucket"):
            self.tie(self.account, "RESOURCE", identity)
        return identity

    def tie(self, start: str, label: str, end: str) -> None:
        self.lines.append({"type": "relationship", "id": str(len(self.lines)), "label": label,
                           "start": {"id": start, "labels": []}, "end": {"id": end, "labels": []}})  # fmt: skip

    def report(self) -> Report:
        text = "\n".join(json.dumps(line) for line in self.lines)
        return Report(text.encode(), "graph/all.json")


def principal(drawn: Drawn, label: str, name: str, *policies: tuple[str, list[str], str]) -> str:
    arn = f"{IAM}{label.removeprefix('AWS').lower()}/{name}"
    node = drawn.node(label, "AWSPrincipal", arn=arn, name=name)
    drawn.tie(drawn.account, "RESOURCE", node)
    for number, (effect, actions, resource) in enumerate(policies):
        policy = drawn.node("AWSPolicy", id=f"{arn}/inline_policy/p{number}", name=f"p{number}",
                            type="inline")  # fmt: skip
        statement = drawn.node("AWSPolicyStatement", id=f"{arn}/s{number}", effect=effect,
                               action=actions, resource=[resource])  # fmt: skip
        drawn.tie(node, "POLICY", policy)
        drawn.tie(policy, "STATEMENT", statement)
    return node


def graph() -> Drawn:
    drawn = Drawn()
    vpc = drawn.node("AWSVpc", id="vpc-1", vpcid="vpc-1", region=REGION)
    subnet = drawn.node("EC2Subnet", subnetid="subnet-1", cidr_block="10.0.1.0/24", region=REGION)
    drawn.tie(subnet, "MEMBER_OF_AWS_VPC", vpc)
    for name, source in (("sg-open", "0.0.0.0/0"), ("sg-shut", "10.0.0.0/8")):
        group = drawn.node("EC2SecurityGroup", groupid=name, name=name, region=REGION)
        rule = drawn.node("IpRule", "IpPermissionInbound", ruleid=name + "/443", protocol="tcp",
                          fromport=443, toport=443)  # fmt: skip
        there = drawn.node("IpRange", id=source, range=source)
        drawn.tie(there, "MEMBER_OF_IP_RULE", rule)
        drawn.tie(rule, "MEMBER_OF_EC2_SECURITY_GROUP", group)
        instance = drawn.node("EC2Instance", instanceid=f"i-{name}", state="running",
                              publicipaddress="198.51.100.9", region=REGION)  # fmt: skip
        drawn.tie(instance, "MEMBER_OF_EC2_SECURITY_GROUP", group)
        drawn.tie(instance, "PART_OF_SUBNET", subnet)
    blocks = dict.fromkeys(OFF, True)
    drawn.node("S3Bucket", id="kept", name="kept", region=REGION, **blocks)
    admin = principal(drawn, "AWSRole", "admin", ("Allow", ["*"], "*"))
    drawn.tie(admin, "TRUSTS_AWS_PRINCIPAL",
              drawn.node("AWSPrincipal", arn="ec2.amazonaws.com", type="Service"))  # fmt: skip
    principal(drawn, "AWSRole", "denied", ("Allow", ["*"], "*"), ("Deny", ["*"], "*"))
    principal(drawn, "AWSUser", "reader", ("Allow", ["ec2:Describe*"], "*"))
    return drawn


def test_a_graph_says_what_it_keeps_and_nothing_more() -> None:
    estate = estate_of(records([(cartography, graph().report())]))
    told = {s.resource.rpartition("/")[2]: s.value for s in exposure(estate)}
    # Routes and network ACLs are not in this graph: who may come in is known, not by which way.
    assert told["i-sg-open"] == "unknown" and told["i-sg-shut"] == "unknown"
    assert told["arn:aws:s3:::kept"] == "no"
    power = {s.resource.rpartition("/")[2]: s.value for s in privilege(estate)}
    # A boundary could end what the policies of the first allow: it is not kept.
    assert power == {"admin": "unknown", "denied": "no", "reader": "no"}
    assert estate.items[f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-sg-open"].account == ACCOUNT


def test_a_graph_with_the_newer_labels_says_the_same() -> None:
    text = graph().report().data.decode()
    for label in ("EC2Instance", "EC2SecurityGroup", "EC2Subnet", "S3Bucket", "IpRange",
                  "IpPermissionInbound"):  # fmt: skip
        text = text.replace(f'"{label}"', f'"AWS{label}"')
    newer = Report(text.encode(), "graph/all.json")
    one = estate_of(records([(cartography, graph().report())]))
    two = estate_of(records([(cartography, newer)]))
    assert [s.value for s in exposure(one)] == [s.value for s in exposure(two)]
    assert set(one.items) == set(two.items)


def test_a_broken_graph_is_told() -> None:
    drawn = graph()
    drawn.lines.append({"type": "relationship", "label": "POLICY", "start": None, "end": "x"})
    drawn.tie("nowhere", "POLICY", "0")
    told = list(cartography.read(drawn.report()))
    assert [r.count for r in told if isinstance(r, Skipped) and "both ends" in r.reason] == [2]
