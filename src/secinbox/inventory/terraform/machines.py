"""What runs: instances, functions, clusters, databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from secinbox.inventory.terraform.answers import Answer, Blocks, answer, filled
from secinbox.inventory.terraform.blocks import Block
from secinbox.inventory.terraform.network import interface, lent

_MEMBERS = (
    "aws_rds_cluster_instance",
    "aws_docdb_cluster_instance",
    "aws_neptune_cluster_instance",
)


def answers(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_instance"):
        yield from _instance(blocks, b)
    for b in blocks.of("aws_ebs_snapshot"):
        snapshot = filled(SnapshotId=b.text("id"), VolumeId=b.text("volume_id"),
                          OwnerId=b.text("owner_id"), Encrypted=b.values.get("encrypted"))  # fmt: skip
        yield answer("ec2.describe_snapshots", {"Snapshots": [{**snapshot, "Tags": b.tags}]}, b)
    for b in blocks.of("aws_ami", "aws_ami_copy", "aws_ami_from_instance"):
        image = filled(ImageId=b.text("id"), Name=b.text("name"), OwnerId=b.text("owner_id"),
                       Public=b.values.get("public"))  # fmt: skip
        yield answer("ec2.describe_images", {"Images": [{**image, "Tags": b.tags}]}, b)
    for b in blocks.of("aws_lambda_function"):
        yield from _function(blocks, b)
    for b in blocks.of("aws_db_instance"):
        yield _database(blocks, b)
    for b in blocks.of(*_MEMBERS):
        yield _database(blocks, b)
    for b in blocks.of("aws_rds_cluster", "aws_docdb_cluster", "aws_neptune_cluster"):
        cluster = filled(
            DBClusterArn=b.arn, DBClusterIdentifier=b.text("cluster_identifier"),
            Engine=b.text("engine"), StorageEncrypted=b.values.get("storage_encrypted"),
            VpcSecurityGroups=[{"VpcSecurityGroupId": g} for g in b.texts("vpc_security_group_ids")],
        )  # fmt: skip
        name = b.text("cluster_identifier")
        members = b.texts("cluster_members") or [
            i.text("identifier")
            for i in blocks.of(*_MEMBERS)
            if name and i.text("cluster_identifier") == name and near(i, b)
        ]
        if members:  # none: another folder may build them
            cluster["DBClusterMembers"] = [{"DBInstanceIdentifier": m} for m in members]
        yield answer("rds.describe_db_clusters", {"DBClusters": [cluster]}, b)
    for b in blocks.of("aws_db_snapshot"):
        snapshot = filled(
            DBSnapshotArn=b.text("db_snapshot_arn") or b.arn, Engine=b.text("engine"),
            DBSnapshotIdentifier=b.text("db_snapshot_identifier"),
            DBInstanceIdentifier=b.text("db_instance_identifier"),
            Encrypted=b.values.get("encrypted"), Status="available", TagList=b.tags,
        )  # fmt: skip
        yield answer("rds.describe_db_snapshots", {"DBSnapshots": [snapshot]}, b,
                     arn=b.text("db_snapshot_arn") or b.arn)  # fmt: skip
        if b.has("shared_accounts"):
            yield _shared(
                "", b, b.text("db_snapshot_arn") or b.arn, b.text("db_snapshot_identifier")
            )
    for b in blocks.of("aws_db_cluster_snapshot"):
        name, arn = b.text("db_cluster_snapshot_identifier"), b.text("db_cluster_snapshot_arn")
        snapshot = filled(
            DBClusterSnapshotArn=arn, DBClusterSnapshotIdentifier=name, Engine=b.text("engine"),
            DBClusterIdentifier=b.text("db_cluster_identifier"), Status="available", TagList=b.tags,
        )  # fmt: skip
        yield answer(
            "rds.describe_db_cluster_snapshots", {"DBClusterSnapshots": [snapshot]}, b, arn=arn
        )
        if b.has("shared_accounts"):
            yield _shared("Cluster", b, arn, name)
    for b in blocks.of("aws_redshiftserverless_workgroup"):
        workgroup = filled(
            workgroupArn=b.arn, workgroupName=b.text("workgroup_name"), port=b.number("port"),
            publiclyAccessible=b.values.get("publicly_accessible"),
            subnetIds=b.texts("subnet_ids"), securityGroupIds=b.texts("security_group_ids"),
        )  # fmt: skip
        yield answer("redshift-serverless.list_workgroups", {"workgroups": [workgroup]}, b)
    for b in blocks.of("aws_elasticache_cluster"):
        node = filled(ARN=b.arn, CacheClusterId=b.text("cluster_id"), Engine=b.text("engine"))
        yield answer("elasticache.describe_cache_clusters", {"CacheClusters": [node]}, b)
    for b in blocks.of("aws_elasticache_replication_group"):
        group = filled(ARN=b.arn, ReplicationGroupId=b.text("replication_group_id"))
        yield answer("elasticache.describe_replication_groups", {"ReplicationGroups": [group]}, b)
    for b in blocks.of("aws_redshift_subnet_group"):
        group = {"ClusterSubnetGroupName": b.text("name"),
                 "Subnets": [{"SubnetIdentifier": s} for s in b.texts("subnet_ids")]}  # fmt: skip
        yield answer("redshift.describe_cluster_subnet_groups", {"ClusterSubnetGroups": [group]}, b)
    for b in blocks.of("aws_redshift_cluster"):
        cluster = filled(
            ClusterIdentifier=b.text("cluster_identifier"), NodeType=b.text("node_type"),
            PubliclyAccessible=b.values.get("publicly_accessible"),
            Endpoint=filled(Port=b.number("port"), Address=b.text("dns_name")),
            VpcSecurityGroups=[{"VpcSecurityGroupId": g} for g in b.texts("vpc_security_group_ids")],
            ClusterSubnetGroupName=b.text("cluster_subnet_group_name"),
            IamRoles=[{"IamRoleArn": r} for r in b.texts("iam_roles")], Tags=b.tags,
        )  # fmt: skip
        yield answer("redshift.describe_clusters", {"Clusters": [cluster]}, b)
    for b in blocks.of("aws_eks_cluster"):
        settings = b.first("vpc_config")
        issuer = next((o.text("issuer") for i in b.rows("identity") for o in i.rows("oidc")), "")
        cluster = filled(
            name=b.text("name"), arn=b.arn, endpoint=b.text("endpoint"), roleArn=b.text("role_arn"),
            identity={"oidc": {"issuer": issuer}} if issuer else None,
            resourcesVpcConfig=filled(
                endpointPublicAccess=settings.values.get("endpoint_public_access"),
                publicAccessCidrs=settings.texts("public_access_cidrs"),
            ) if settings.values else None,
            accessConfig=filled(
                authenticationMode=b.first("access_config").text("authentication_mode")
            ) or None,
            tags={t["Key"]: t["Value"] for t in b.tags},
        )  # fmt: skip
        yield answer("eks.describe_cluster", {"cluster": cluster}, b, name=b.text("name"))


def _instance(blocks: Blocks, b: Block) -> Iterator[Answer]:
    groups = [{"GroupId": g} for g in b.texts("vpc_security_group_ids")]
    number, primary = b.text("id"), b.text("primary_network_interface_id")
    addresses = [a for a in blocks.of("aws_eip", "aws_eip_association")
                 if number and number in (a.text("instance"), a.text("instance_id"))]  # fmt: skip
    public = lent(blocks, primary, number) or b.text("public_ip")
    own = filled(
        NetworkInterfaceId=primary, SubnetId=b.text("subnet_id"),
        Groups=groups, PrivateIpAddress=b.text("private_ip"),
        Association={"PublicIp": public} if public else None,
        Ipv6Addresses=[{"Ipv6Address": a} for a in b.texts("ipv6_addresses")],
        Attachment={"DeviceIndex": 0},
    )  # fmt: skip
    more = [found for x in blocks.of("aws_network_interface") if x.text("id") != primary
            and (found := interface(blocks, x)).get("Attachment", {}).get("InstanceId") == number]  # fmt: skip
    profile = b.text("iam_instance_profile")
    options = b.first("metadata_options")
    account = b.arn.split(":")[4] if b.arn.count(":") >= 5 else blocks.account
    instance = filled(
        InstanceId=b.text("id"), ImageId=b.text("ami"), SubnetId=b.text("subnet_id"),
        State={"Name": b.text("instance_state") or "running"}, PublicIpAddress=public,
        PrivateIpAddress=b.text("private_ip"), SecurityGroups=groups, NetworkInterfaces=[own, *more],
        MetadataOptions=filled(
            HttpTokens=options.text("http_tokens"), HttpEndpoint=options.text("http_endpoint"),
            HttpPutResponseHopLimit=options.number("http_put_response_hop_limit"),
        ),
        # An argument that is not there at all is unknown; a machine without one has an empty one.
        IamInstanceProfile={"Arn": f"arn:aws:iam::{account}:instance-profile/{profile}"}
        if profile else None if b.has("iam_instance_profile") else {},
        Tags=b.tags,
    )  # fmt: skip
    reservation = {"OwnerId": account, "Instances": [instance]}
    yield answer("ec2.describe_instances", {"Reservations": [reservation]}, b, *addresses)


def _function(blocks: Blocks, b: Block) -> Iterator[Answer]:
    arn, name = b.arn, b.text("function_name")
    network = b.first("vpc_config")
    function = filled(
        FunctionArn=arn, FunctionName=name, Role=b.text("role"), Runtime=b.text("runtime"),
        VpcConfig=filled(VpcId=network.text("vpc_id"), SubnetIds=network.texts("subnet_ids"),
                         SecurityGroupIds=network.texts("security_group_ids")),
        Tags={t["Key"]: t["Value"] for t in b.tags},
    )  # fmt: skip
    yield answer("lambda.list_functions", {"Functions": [function]}, b)
    permissions = [p for p in blocks.of("aws_lambda_permission")
                   if p.text("function_name") == arn
                   or (p.text("function_name") == name and _of(arn, p))]  # fmt: skip
    if permissions:
        document = {"Version": "2012-10-17", "Statement": [_granted(p, arn) for p in permissions]}
        yield answer("lambda.get_policy", {"Policy": json.dumps(document)}, *permissions, arn=arn,
                     FunctionName=arn)  # fmt: skip
    for url in blocks.of("aws_lambda_function_url"):
        told = url.text("function_arn") or url.text("function_name")
        if told in (arn, name):
            made = filled(FunctionUrl=url.text("function_url"), FunctionArn=arn,
                          AuthType=url.text("authorization_type"))  # fmt: skip
            yield answer("lambda.get_function_url_config", made, url, arn=arn, FunctionName=arn)


def _of(arn: str, permission: Block) -> bool:
    """A permission has no ARN: where its source is of another region, it is of a namesake."""
    here, source = arn.split(":"), permission.text("source_arn").split(":")
    return len(here) < 5 or len(source) < 5 or source[3] in ("", here[3])


def _granted(b: Block, arn: str) -> dict[str, Any]:
    principal = b.text("principal")
    service = principal.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    whom: Any = (
        {"Service": principal} if service else principal if principal == "*" else {"AWS": principal}
    )
    conditions: dict[str, dict[str, str]] = {}
    if b.text("source_arn"):
        conditions["ArnLike"] = {"AWS:SourceArn": b.text("source_arn")}
    equal = filled(**{"AWS:SourceAccount": b.text("source_account"),
                      "aws:PrincipalOrgID": b.text("principal_org_id"),
                      "lambda:FunctionUrlAuthType": b.text("function_url_auth_type")})  # fmt: skip
    if equal:
        conditions["StringEquals"] = equal
    found = {"Sid": b.text("statement_id"), "Effect": "Allow", "Principal": whom,
             "Action": b.text("action"), "Resource": arn}  # fmt: skip
    if b.values.get("invoked_via_function_url") is True:
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": "true"}
    return found | ({"Condition": conditions} if conditions else {})


def _shared(kind: str, b: Block, arn: str, name: str) -> Answer:
    """With whom a snapshot of a database or a cluster is shared; "all" is everyone."""
    identifier = f"DB{kind}SnapshotIdentifier"
    attributes = [{"AttributeName": "restore", "AttributeValues": b.texts("shared_accounts")}]
    told = {identifier: name, f"DB{kind}SnapshotAttributes": attributes}
    operation = f"rds.describe_db_{kind.lower()}{'_' if kind else ''}snapshot_attributes"
    return answer(operation, {f"DB{kind}SnapshotAttributesResult": told}, b, arn=arn,
                  **{identifier: name})  # fmt: skip


def near(one: Block, other: Block) -> bool:
    """Of one account and region, as far as their ARNs tell: names are used again elsewhere."""
    places = [b.arn.split(":")[3:5] for b in (one, other) if b.arn.count(":") > 4]
    return len(places) < 2 or places[0] == places[1]


def _database(blocks: Blocks, b: Block) -> Answer:
    name = b.text("db_subnet_group_name")
    groups = [g for g in blocks.where(name, "name", "aws_db_subnet_group") if near(g, b)]
    subnets = [{"SubnetIdentifier": s} for g in groups for s in g.texts("subnet_ids")]
    database = filled(
        DBInstanceArn=b.arn, DBInstanceIdentifier=b.text("identifier"), Engine=b.text("engine"),
        DbiResourceId=b.text("resource_id"), DBInstanceStatus=b.text("status") or "available",
        PubliclyAccessible=b.values.get("publicly_accessible"),
        StorageEncrypted=b.values.get("storage_encrypted"),
        DBClusterIdentifier=b.text("cluster_identifier"),
        AvailabilityZone=b.text("availability_zone"), NetworkType=b.text("network_type"),
        Endpoint=filled(Port=b.number("port"), Address=b.text("address") or b.text("endpoint")),
        VpcSecurityGroups=[{"VpcSecurityGroupId": g} for g in b.texts("vpc_security_group_ids")],
        DBSubnetGroup=filled(DBSubnetGroupName=name, Subnets=subnets or None),
        TagList=b.tags,
    )  # fmt: skip
    return answer("rds.describe_db_instances", {"DBInstances": [database]}, b, *groups)
