"""Tables of AWS resources as Steampipe and CloudQuery make them, as the calls that they were made of.

A row has the fields of the API's answer, the outer ones in snake_case; objects within it are as the
API wrote them, in some destinations as text. A table may have been filtered by whoever exported it:
it never says that an account was read completely, and a column that is missing or null is not known.
Sources: the column lists of the AWS plugins of both (hub.steampipe.io, hub.cloudquery.io).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from secinbox.inventory.aws.calls import Call
from secinbox.inventory.aws.elements import records_of
from secinbox.records import AnyRecord, Skipped

Row = dict[str, Any]
Made = Iterator[tuple[str, Any, dict[str, Any]]]  # operation, response, request
# Words that the API does not write with one capital letter.
_WORDS = {"db": "DB"}
# Columns of the tools about a row, not of the resource.
_ABOUT = ("akas", "title", "partition", "account_id", "tags_src", "sp_connection_name", "sp_ctx")
_BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")  # fmt: skip


def camel(name: str) -> str:
    """`map_public_ip_on_launch` -> `MapPublicIpOnLaunch`."""
    return "".join(_WORDS.get(word, word[:1].upper() + word[1:]) for word in name.split("_"))


def decoded(row: Row) -> Row:
    """A row with its objects as objects."""
    return {k: _object(v) for k, v in row.items()}


def _object(value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in "{[":
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, RecursionError):
        return value


def _described(row: Row) -> Row:
    """The resource as the API describes it: what is null is left out, not known to be empty."""
    found = {
        camel(k): v
        for k, v in row.items()
        if v is not None and k not in _ABOUT and not k.startswith("_")
    }
    tags = row.get("tags_src") or row.get("tags")
    if isinstance(tags, dict):
        tags = [{"Key": str(k), "Value": str(v)} for k, v in tags.items()]
    found.pop("Tags", None)
    return found | ({"Tags": tags} if isinstance(tags, list) else {})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _listed(operation: str, key: str, **renamed: str) -> Callable[[Row], Made]:
    def made(row: Row) -> Made:
        found = _described(row)
        for ours, theirs in renamed.items():
            if theirs in found:
                found.setdefault(ours, found[theirs])
        yield operation, {key: [found]}, {}

    return made


def _instance(row: Row) -> Made:
    found = _described(row)
    state = row.get("instance_state") or (row.get("state") or {})
    if isinstance(state, str):
        found["State"] = {"Name": state}
    profile = row.get("iam_instance_profile_arn")
    if profile:
        found["IamInstanceProfile"] = {"Arn": profile}
    yield "ec2.describe_instances", {"Reservations": [{"Instances": [found]}]}, {}


def _interface(row: Row) -> Made:
    found = _described(row)
    if row.get("association_public_ip"):
        found["Association"] = {"PublicIp": row["association_public_ip"]}
    if row.get("attached_instance_id"):
        found["Attachment"] = {"InstanceId": row["attached_instance_id"]}
    yield "ec2.describe_network_interfaces", {"NetworkInterfaces": [found]}, {}


def _bucket(row: Row) -> Made:
    name = str(row["name"])
    asked = {"Bucket": name}
    yield "s3.list_buckets", {"Buckets": [{"Name": name, **_tags(row)}]}, {}
    blocks = {camel(b): row[b] for b in _BLOCKS if isinstance(row.get(b), bool)}
    if len(blocks) == len(_BLOCKS):
        yield "s3.get_public_access_block", {"PublicAccessBlockConfiguration": blocks}, asked
    if row.get("policy"):
        yield "s3.get_bucket_policy", {"Policy": _text(row["policy"])}, asked
    elif "policy" in row and len(blocks) == len(_BLOCKS):
        # The tools answer null for no policy and for one that they may not see; where they were
        # allowed to see the block, which takes a right of the same kind, there is none.
        yield "s3.get_bucket_policy", {"Error": "NoSuchBucketPolicy"}, asked
    acl = row.get("acl")
    if isinstance(acl, dict) and isinstance(acl.get("Grants"), list):
        yield "s3.get_bucket_acl", {"Owner": acl.get("Owner") or {}, "Grants": acl["Grants"]}, asked


def _tags(row: Row) -> dict[str, Any]:
    found = _described(row).get("Tags")
    return {"Tags": found} if found else {}


def _account(row: Row) -> Made:
    blocks = {camel(b): row[b] for b in _BLOCKS if isinstance(row.get(b), bool)}
    if len(blocks) == len(_BLOCKS):
        answer = {"PublicAccessBlockConfiguration": blocks}
        asked = {"AccountId": str(row.get("account_id") or "")}
        yield "s3control.get_public_access_block", answer, asked


def _principal(key: str, kind: str, inline: str) -> Callable[[Row], Made]:
    """A user, group or role as `get-account-authorization-details` has it.

    Without its policies it would be a principal that may do nothing: then only its list is told.
    """

    def made(row: Row) -> Made:
        found = _described(row)
        found[f"{kind}Name"] = row.get("name") or row.get(f"{kind.lower()}_name")
        trust = row.get("assume_role_policy") or row.get("assume_role_policy_document")
        if trust:
            found["AssumeRolePolicyDocument"] = trust
        if row.get("permissions_boundary_arn"):
            found["PermissionsBoundary"] = {
                "PermissionsBoundaryArn": row["permissions_boundary_arn"],
                "PermissionsBoundaryType": row.get("permissions_boundary_type") or "Policy",
            }
        attached = row.get("attached_policy_arns")
        if not isinstance(attached, list) or "inline_policies" not in row:
            listing = {"Role": "iam.list_roles", "User": "iam.list_users",
                       "Group": "iam.list_groups"}[kind]  # fmt: skip
            yield listing, {kind + "s": [found]}, {}
            return
        found["AttachedManagedPolicies"] = [
            {"PolicyArn": a, "PolicyName": str(a).rpartition("/")[2]} for a in attached
        ]
        found[inline] = row["inline_policies"] or []
        if kind == "User":
            groups = row.get("groups") or []
            found["GroupList"] = [
                g["GroupName"] if isinstance(g, dict) and "GroupName" in g else g for g in groups
            ]
        if kind == "Role":
            profiles = row.get("instance_profile_arns") or []
            found["InstanceProfileList"] = [{"Arn": a} for a in profiles]
        yield "iam.get_account_authorization_details", {key: [found]}, {}

    return made


def _policy(row: Row) -> Made:
    found = _described(row)
    found["PolicyName"] = row.get("name") or row.get("policy_name")
    versions = row.get("policy_version_list")
    if not isinstance(versions, list) and row.get("policy"):
        version = row.get("default_version_id") or "v1"
        versions = [{"VersionId": version, "IsDefaultVersion": True, "Document": row["policy"]}]
        found["DefaultVersionId"] = version
    if isinstance(versions, list):
        found["PolicyVersionList"] = versions
        yield "iam.get_account_authorization_details", {"Policies": [found]}, {}


def _function(row: Row) -> Made:
    configuration = row.get("configuration")
    found = dict(configuration) if isinstance(configuration, dict) else _described(row)
    found["FunctionArn"] = row.get("arn") or found.get("FunctionArn")
    found["FunctionName"] = found.get("FunctionName") or row.get("name")
    if row.get("vpc_id"):
        found["VpcConfig"] = {"VpcId": row["vpc_id"], "SubnetIds": row.get("vpc_subnet_ids") or [],
                              "SecurityGroupIds": row.get("vpc_security_group_ids") or []}  # fmt: skip
    yield "lambda.list_functions", {"Functions": [found | _tags(row)]}, {}
    asked = {"FunctionName": str(found["FunctionArn"])}
    policy = row.get("policy") or row.get("policy_document")
    if policy:
        yield "lambda.get_policy", {"Policy": _text(policy)}, asked
    if isinstance(row.get("url_config"), dict):
        yield "lambda.list_function_url_configs", {"FunctionUrlConfigs": [row["url_config"]]}, asked


def _database(row: Row) -> Made:
    found = _described(row)
    found["DBInstanceArn"] = row.get("arn") or found.get("DBInstanceArn")
    if row.get("subnets") is not None:
        found["DBSubnetGroup"] = {"DBSubnetGroupName": row.get("db_subnet_group_name"),
                                  "VpcId": row.get("vpc_id"), "Subnets": row["subnets"]}  # fmt: skip
    if row.get("endpoint_port") is not None:
        found["Endpoint"] = {"Address": row.get("endpoint_address"), "Port": row["endpoint_port"]}
    yield "rds.describe_db_instances", {"DBInstances": [found]}, {}


def _balancer(row: Row) -> Made:
    found = _described(row)
    found["LoadBalancerArn"] = row.get("arn") or found.get("LoadBalancerArn")
    found["LoadBalancerName"] = row.get("name") or found.get("LoadBalancerName")
    if isinstance(row.get("state_code"), str):
        found["State"] = {"Code": row["state_code"]}
    yield "elbv2.describe_load_balancers", {"LoadBalancers": [found]}, {}


def _listener(row: Row) -> Made:
    found = _described(row)
    found["ListenerArn"] = row.get("arn") or found.get("ListenerArn")
    asked = {"LoadBalancerArn": str(found["LoadBalancerArn"])}
    yield "elbv2.describe_listeners", {"Listeners": [found]}, asked


def _target_group(row: Row) -> Made:
    found = _described(row)
    arn = found["TargetGroupArn"] = row.get("target_group_arn") or row.get("arn")
    found["TargetGroupName"] = row.get("target_group_name") or found.get("TargetGroupName")
    yield "elbv2.describe_target_groups", {"TargetGroups": [found]}, {}
    health = row.get("target_health_descriptions")
    if isinstance(health, list):
        answer = {"TargetHealthDescriptions": health}
        yield "elbv2.describe_target_health", answer, {"TargetGroupArn": str(arn)}


def _queue(row: Row) -> Made:
    arn = str(row.get("queue_arn") or row.get("arn") or "")
    attributes: dict[str, Any] = {"QueueArn": arn}
    if row.get("policy"):
        attributes["Policy"] = _text(row["policy"])
    url = str(row.get("queue_url") or row.get("url") or arn.replace(":", "/"))
    yield "sqs.get_queue_attributes", {"Attributes": attributes}, {"QueueUrl": url}


def _topic(row: Row) -> Made:
    arn = str(row.get("topic_arn") or row.get("arn") or "")
    attributes: dict[str, Any] = {"TopicArn": arn}
    if row.get("policy"):
        attributes["Policy"] = _text(row["policy"])
    yield "sns.get_topic_attributes", {"Attributes": attributes}, {"TopicArn": arn}


def _secret(row: Row) -> Made:
    arn = str(row.get("arn") or "")
    found = _described(row) | {"ARN": arn, "Name": row.get("name")}
    yield "secretsmanager.list_secrets", {"SecretList": [found]}, {}
    if row.get("policy"):
        answer = {"ARN": arn, "Name": row.get("name"), "ResourcePolicy": _text(row["policy"])}
        yield "secretsmanager.get_resource_policy", answer, {"SecretId": arn}


def _key(row: Row) -> Made:
    arn = str(row.get("arn") or "")
    found = _described(row) | {"KeyId": row.get("id") or row.get("key_id") or arn, "Arn": arn}
    yield "kms.describe_key", {"KeyMetadata": found}, {"KeyId": arn}
    if row.get("policy"):
        yield "kms.get_key_policy", {"Policy": _text(row["policy"])}, {"KeyId": arn}


def _snapshot(row: Row) -> Made:
    found = _described(row)
    yield "ec2.describe_snapshots", {"Snapshots": [found]}, {}
    shared = row.get("create_volume_permissions")
    if shared is None and isinstance(row.get("attribute"), dict):
        shared = row["attribute"].get("CreateVolumePermissions")
    if isinstance(shared, list):
        identity = str(row["snapshot_id"])
        answer = {"SnapshotId": identity, "CreateVolumePermissions": shared}
        yield "ec2.describe_snapshot_attribute", answer, {"SnapshotId": identity}


def _dynamo(row: Row) -> Made:
    name = str(row.get("name") or row.get("table_name"))
    found = _described(row) | {"TableArn": row["arn"], "TableName": name}
    yield "dynamodb.describe_table", {"Table": found}, {"TableName": name}


_ROLE = _principal("RoleDetailList", "Role", "RolePolicyList")
_USER = _principal("UserDetailList", "User", "UserPolicyList")
_GROUP = _principal("GroupDetailList", "Group", "GroupPolicyList")
_GROUPS = _listed("ec2.describe_security_groups", "SecurityGroups")
_NAT = _listed("ec2.describe_nat_gateways", "NatGateways")
_ENDPOINTS = _listed("ec2.describe_vpc_endpoints", "VpcEndpoints", PolicyDocument="Policy")

# Both names of a table, the columns that it is known by, and what its rows say.
_ALL: tuple[tuple[tuple[str, ...], tuple[str, ...], Callable[[Row], Made]], ...] = (
    (("aws_ec2_instance", "aws_ec2_instances"), ("instance_id", "image_id", "subnet_id"), _instance),
    (("aws_vpc_security_group", "aws_ec2_security_groups"), ("group_id", "ip_permissions"), _GROUPS),
    (("aws_vpc_subnet", "aws_ec2_subnets"), ("subnet_id", "cidr_block", "map_public_ip_on_launch"),
     _listed("ec2.describe_subnets", "Subnets")),
    (("aws_vpc_route_table", "aws_ec2_route_tables"), ("route_table_id", "routes"),
     _listed("ec2.describe_route_tables", "RouteTables")),
    (("aws_vpc_network_acl", "aws_ec2_network_acls"), ("network_acl_id", "entries"),
     _listed("ec2.describe_network_acls", "NetworkAcls")),
    (("aws_vpc_internet_gateway", "aws_ec2_internet_gateways"),
     ("internet_gateway_id", "attachments"),
     _listed("ec2.describe_internet_gateways", "InternetGateways")),
    (("aws_vpc_nat_gateway", "aws_ec2_nat_gateways"), ("nat_gateway_id",), _NAT),
    (("aws_vpc_endpoint", "aws_ec2_vpc_endpoints"), ("vpc_endpoint_id",), _ENDPOINTS),
    (("aws_ec2_network_interface", "aws_ec2_network_interfaces"),
     ("network_interface_id", "interface_type"), _interface),
    (("aws_vpc", "aws_ec2_vpcs"), ("vpc_id", "cidr_block", "instance_tenancy"),
     _listed("ec2.describe_vpcs", "Vpcs")),
    (("aws_s3_bucket", "aws_s3_buckets"), ("name", "creation_date", "block_public_acls"), _bucket),
    (("aws_s3_account_settings", "aws_s3_accounts"), ("block_public_acls", "account_id"), _account),
    (("aws_iam_role", "aws_iam_roles"), ("arn", "max_session_duration", "path"), _ROLE),
    (("aws_iam_user", "aws_iam_users"), ("arn", "user_id", "path"), _USER),
    (("aws_iam_group", "aws_iam_groups"), ("arn", "group_id", "path"), _GROUP),
    (("aws_iam_policy", "aws_iam_policies"), ("arn", "default_version_id"), _policy),
    (("aws_lambda_function", "aws_lambda_functions"), ("arn", "runtime", "handler"), _function),
    (("aws_rds_db_instance", "aws_rds_instances"), ("db_instance_identifier",), _database),
    (("aws_ec2_application_load_balancer", "aws_ec2_network_load_balancer",
      "aws_elbv2_load_balancers"), ("dns_name", "scheme", "availability_zones"), _balancer),
    (("aws_ec2_load_balancer_listener", "aws_elbv2_listeners"),
     ("load_balancer_arn", "default_actions"), _listener),
    (("aws_ec2_target_group", "aws_elbv2_target_groups"), ("target_group_arn",), _target_group),
    (("aws_sqs_queue", "aws_sqs_queues"), ("queue_url", "queue_arn"), _queue),
    (("aws_sns_topic", "aws_sns_topics"), ("topic_arn", "effective_delivery_policy"), _topic),
    (("aws_secretsmanager_secret", "aws_secretsmanager_secrets"),
     ("arn", "rotation_enabled", "name"), _secret),
    (("aws_kms_key", "aws_kms_keys"), ("arn", "key_manager"), _key),
    (("aws_ebs_snapshot", "aws_ec2_ebs_snapshots"), ("snapshot_id", "volume_id"), _snapshot),
    (("aws_ec2_ami", "aws_ec2_images"), ("image_id", "root_device_name", "public"),
     _listed("ec2.describe_images", "Images")),
    (("aws_dynamodb_table", "aws_dynamodb_tables"), ("table_id", "key_schema"),
     _dynamo),
)  # fmt: skip
TABLES = {name: made for names, _, made in _ALL for name in names}


def table_of(name: str, columns: frozenset[str]) -> str:
    """The table of rows: the name of the file or its folder says it, else the columns; '' if none."""
    for part in reversed(name.lower().replace("\\", "/").split("/")):
        stem = part.split(".")[0]
        if stem in TABLES:
            return stem
    for names, marks, _ in _ALL:
        if columns.issuperset(marks):
            return names[0]
    return ""


def records(rows: Iterator[tuple[str, Row]], name: str) -> Iterator[AnyRecord]:
    """What the rows of one export say; tables that say nothing of use here are counted."""
    left: dict[str, int] = {}
    for place, raw in rows:
        row = decoded(raw)
        table = table_of(name, frozenset(row))
        if not table:
            left[name] = left.get(name, 0) + 1
            continue
        try:
            made = list(TABLES[table](row))
        except (KeyError, TypeError, AttributeError) as error:
            yield Skipped(reason=f"a row of {table} lacks {error}", place=place)
            continue
        for operation, response, request in made:
            call = Call(operation, str(row.get("account_id") or ""), str(row.get("region") or ""),
                        str(row.get("partition") or "aws"), response, request, place)  # fmt: skip
            yield from records_of(call)
    for table, count in sorted(left.items()):
        yield Skipped(reason=f"{table} is no table of use here", count=count, harmless=True)
