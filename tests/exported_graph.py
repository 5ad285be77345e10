"""The estate of `exported` as Cartography keeps it: the nodes, properties and ties of its data models.

What its graph does not hold is left out here as it is there: network settings of services, policies
of topics, keys and secrets, conditions of trust, IPv6 ranges and prefix lists of rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from secinbox.inventory.aws.calls import walk
from secinbox.reading import Report
from tests.exported import A, Answers, R

_OLD = frozenset({"AWSVpc", "AWSAccount", "AWSInternetGateway", "AWSPeeringConnection", "AWSRole",
                  "AWSUser", "AWSGroup", "AWSPolicy", "AWSPolicyStatement", "AWSInstanceProfile",
                  "AWSLambda", "AWSPrincipal", "AWSIpv4CidrBlock", "AWSTag"})  # fmt: skip
# Shared labels that newer versions give besides.
_SHARED = {"LoadBalancer": ("LoadBalancer",), "LoadBalancerV2": ("LoadBalancer", "LoadBalancerV2"),
           "EC2Subnet": ("Subnet",), "RDSInstance": ("Database",), "AWSAccount": ("Tenant",)}  # fmt: skip
_BLOCKS = {"BlockPublicAcls": "block_public_acls", "BlockPublicPolicy": "block_public_policy",
           "IgnorePublicAcls": "ignore_public_acls",
           "RestrictPublicBuckets": "restrict_public_buckets"}  # fmt: skip


class Drawn:
    """`newer`: with the labels that versions since 0.98 give, the older ones beside them."""

    def __init__(self, newer: bool) -> None:
        self.newer = newer
        self.entries: list[dict[str, Any]] = []
        self._ids: dict[tuple[str, str], str] = {}
        self.account = self.node("AWSAccount", A, owned=False, name="shop")

    def node(
        self, label: str, identity: str, /, *more: str, owned: bool = True, **values: Any
    ) -> str:
        """Drawn once by label and `id`; the account owns it."""
        if (label, identity) in self._ids:
            return self._ids[label, identity]
        number = self._ids[label, identity] = str(len(self.entries))
        labels = [label, *more]
        if self.newer:
            labels = [x for w in (label, *more) for x in ((w,) if w in _OLD else (f"AWS{w}", w))]
            labels += [x for x in _SHARED.get(label, ()) if x not in labels]
        kept = {k: v for k, v in values.items() if v is not None}
        told = {"lastupdated": 1762000000, "firstseen": 1762000000, "id": identity, **kept}
        self.entries.append({"type": "node", "id": number, "labels": labels, "properties": told})
        if owned:
            self.tie(self.account, "RESOURCE", number)
        return number

    def tie(self, start: str, label: str, end: str, **values: Any) -> None:
        self.entries.append({
            "id": str(len(self.entries)), "type": "relationship", "label": label,
            "properties": {"lastupdated": 1762000000, **values},
            "start": {"id": start, "labels": []}, "end": {"id": end, "labels": []}})  # fmt: skip

    def to(self, start: str, label: str, kind: str, key: str, **values: Any) -> None:
        """Only to what is in the graph: Cartography matches its targets, it does not make them."""
        if (kind, key) in self._ids:
            self.tie(start, label, self._ids[kind, key], **values)

    def report(self, form: str = "lines") -> Report:
        nodes = [e for e in self.entries if e["type"] == "node"]
        rels = [e for e in self.entries if e["type"] != "node"]
        if form == "lines":
            text = "\n".join(json.dumps(e) for e in (*nodes, *rels))
        elif form == "array":
            text = json.dumps([*nodes, *rels])
        elif form == "json":
            text = json.dumps({"nodes": nodes, "rels": rels})
        else:
            keyed = [{e["id"]: {k: v for k, v in e.items() if k != "id"} for e in part}
                     for part in (nodes, rels)]  # fmt: skip
            text = json.dumps({"nodes": keyed[0], "rels": keyed[1]})
        return Report(text.encode(), "graph/all.json")


def graph(raw: Answers, newer: bool = True) -> Drawn:
    drawn = Drawn(newer)
    for part in (_network, _instances, _identities, _balancers, _buckets, _by_policy, _databases,
                 _functions, _apis, _containers):  # fmt: skip
        part(drawn, raw)
    return drawn


def _each(raw: Answers, operation: str, path: str) -> Iterator[dict[str, Any]]:
    for _, told in raw.all(operation):
        yield from walk(told, path)


def _network(drawn: Drawn, raw: Answers) -> None:
    for vpc in _each(raw, "ec2.describe_vpcs", "Vpcs[]"):
        drawn.node("AWSVpc", vpc["VpcId"], vpcid=vpc["VpcId"], region=R,
                   primary_cidr_block=vpc["CidrBlock"])  # fmt: skip
    for net in _each(raw, "ec2.describe_subnets", "Subnets[]"):
        node = drawn.node("EC2Subnet", net["SubnetId"], subnetid=net["SubnetId"], region=R,
                          cidr_block=net["CidrBlock"], availability_zone=net["AvailabilityZone"],
                          map_public_ip_on_launch=net["MapPublicIpOnLaunch"])  # fmt: skip
        drawn.to(node, "MEMBER_OF_AWS_VPC", "AWSVpc", net["VpcId"])
    for gateway in _each(raw, "ec2.describe_internet_gateways", "InternetGateways[]"):
        node = drawn.node("AWSInternetGateway", gateway["InternetGatewayId"], region=R, ownerid=A)
        for link in gateway["Attachments"]:
            drawn.to(node, "ATTACHED_TO", "AWSVpc", link["VpcId"])
    for table in _each(raw, "ec2.describe_route_tables", "RouteTables[]"):
        name = table["RouteTableId"]
        node = drawn.node(
            "EC2RouteTable", name, route_table_id=name, vpc_id=table["VpcId"], region=R
        )
        for number, route in enumerate(table["Routes"]):
            inner = drawn.node("EC2Route", f"{name}|{number}", region=R, state=route["State"],
                               destination_cidr_block=route["DestinationCidrBlock"],
                               gateway_id=route.get("GatewayId"),
                               nat_gateway_id=route.get("NatGatewayId"),
                               vpc_peering_connection_id=route.get("VpcPeeringConnectionId"))  # fmt: skip
            drawn.tie(node, "ROUTE", inner)
        for link in table["Associations"]:
            inner = drawn.node("EC2RouteTableAssociation", link["RouteTableAssociationId"],
                               subnet_id=link["SubnetId"], main=link["Main"])  # fmt: skip
            drawn.tie(node, "ASSOCIATION", inner)
    for acl in _each(raw, "ec2.describe_network_acls", "NetworkAcls[]"):
        name = acl["NetworkAclId"]
        node = drawn.node("EC2NetworkAcl", f"arn:aws:ec2:{R}:{A}:network-acl/{name}", region=R,
                          network_acl_id=name, vpc_id=acl["VpcId"], is_default=False)  # fmt: skip
        # Its subnets share one row: the last of them is the only one that is tied.
        drawn.to(node, "PART_OF_SUBNET", "EC2Subnet", acl["Associations"][-1]["SubnetId"])
        for entry in acl["Entries"]:
            way = "egress" if entry["Egress"] else "inbound"
            kind = "IpPermissionEgress" if entry["Egress"] else "IpPermissionInbound"
            rule = drawn.node("EC2NetworkAclRule", f"{name}/{way}/{entry['RuleNumber']}", kind,
                              egress=entry["Egress"], rulenumber=entry["RuleNumber"],
                              ruleaction=entry["RuleAction"], protocol=entry["Protocol"],
                              cidrblock=entry["CidrBlock"])  # fmt: skip
            drawn.tie(rule, "MEMBER_OF_NACL", node)
    groups = list(_each(raw, "ec2.describe_security_groups", "SecurityGroups[]"))
    for group in groups:
        node = drawn.node("EC2SecurityGroup", group["GroupId"], groupid=group["GroupId"],
                          name=group["GroupName"], region=R)  # fmt: skip
        drawn.tie(drawn._ids["AWSVpc", group["VpcId"]], "MEMBER_OF_EC2_SECURITY_GROUP", node)
    for group in groups:
        node = drawn._ids["EC2SecurityGroup", group["GroupId"]]
        for rule in group["IpPermissions"]:
            low, high, kind = rule["FromPort"], rule["ToPort"], rule["IpProtocol"]
            name = f"{group['GroupId']}/IpPermissions/{low}{high}{kind}"
            inner = drawn.node("IpPermissionInbound", name, "IpRule", ruleid=name, protocol=kind,
                               fromport=low, toport=high)  # fmt: skip
            drawn.tie(inner, "MEMBER_OF_EC2_SECURITY_GROUP", node)
            for source in rule["IpRanges"]:
                cidr = source["CidrIp"]
                there = drawn.node("IpRange", cidr, range=cidr)
                drawn.tie(there, "MEMBER_OF_IP_RULE", inner)
            for pair in rule["UserIdGroupPairs"]:
                drawn.to(node, "ALLOWS_TRAFFIC_FROM", "EC2SecurityGroup", pair["GroupId"])
    for peering in _each(raw, "ec2.describe_vpc_peering_connections", "VpcPeeringConnections[]"):
        node = drawn.node("AWSPeeringConnection", peering["VpcPeeringConnectionId"],
                          status_code=peering["Status"]["Code"])  # fmt: skip
        for side in ("Accepter", "Requester"):
            drawn.to(node, f"{side.upper()}_VPC", "AWSVpc", peering[f"{side}VpcInfo"]["VpcId"])


def _guarded(drawn: Drawn, node: str, *groups: str) -> None:
    for group in groups:
        drawn.to(node, "MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", group)


def _interface(drawn: Drawn, told: dict[str, Any]) -> str:
    name, own = told["NetworkInterfaceId"], told["PrivateIpAddress"]
    public = told.get("Association", {}).get("PublicIp")
    node = drawn.node("NetworkInterface", name, private_ip_address=own, public_ip=public, region=R,
                      interface_type="interface", subnetid=told["SubnetId"])  # fmt: skip
    drawn.to(node, "PART_OF_SUBNET", "EC2Subnet", told["SubnetId"])
    _guarded(drawn, node, *(g["GroupId"] for g in told["Groups"]))
    inner = drawn.node("EC2PrivateIp", f"{name}:{own}", private_ip_address=own, public_ip=public)
    drawn.tie(node, "PRIVATE_IP_ADDRESS", inner)
    return node


def _instances(drawn: Drawn, raw: Answers) -> None:
    for role in _each(raw, "iam.get_account_authorization_details", "RoleDetailList[]"):
        for profile in role["InstanceProfileList"]:
            drawn.node("AWSInstanceProfile", profile["Arn"], arn=profile["Arn"],
                       instance_profile_name=profile["InstanceProfileName"])  # fmt: skip
    for told in _each(raw, "ec2.describe_instances", "Reservations[].Instances[]"):
        name = told["InstanceId"]
        node = drawn.node("EC2Instance", name, instanceid=name, state=told["State"]["Name"], region=R,
                          publicipaddress=told.get("PublicIpAddress"), imageid=told["ImageId"],
                          privateipaddress=told["PrivateIpAddress"],
                          metadatahttptokens=told["MetadataOptions"]["HttpTokens"])  # fmt: skip
        drawn.to(node, "PART_OF_SUBNET", "EC2Subnet", told["SubnetId"])
        _guarded(drawn, node, *(g["GroupId"] for g in told["SecurityGroups"]))
        for interface in told["NetworkInterfaces"]:
            drawn.tie(node, "NETWORK_INTERFACE", _interface(drawn, interface))
        if "IamInstanceProfile" in told:
            drawn.to(node, "INSTANCE_PROFILE", "AWSInstanceProfile",
                     told["IamInstanceProfile"]["Arn"])  # fmt: skip
        for tag in told["Tags"]:
            inner = drawn.node("AWSTag", f"{tag['Key']}:{tag['Value']}", owned=False,
                               key=tag["Key"], value=tag["Value"])  # fmt: skip
            drawn.tie(node, "TAGGED", inner)
    for told in _each(raw, "ec2.describe_network_interfaces", "NetworkInterfaces[]"):
        _interface(drawn, told)
    for told in _each(raw, "ec2.describe_snapshots", "Snapshots[]"):
        name = told["SnapshotId"]
        shared = raw.of("ec2.describe_snapshot_attribute", SnapshotId=name)
        drawn.node("EBSSnapshot", name, snapshotid=name, volumeid=told["VolumeId"], region=R,
                   ispublic={"Group": "all"} in shared["CreateVolumePermissions"])  # fmt: skip
    for told in _each(raw, "ec2.describe_images", "Images[]"):
        drawn.node("EC2Image", f"{told['ImageId']}|{R}", imageid=told["ImageId"], region=R,
                   ispublic=told["Public"], owner=told["OwnerId"])  # fmt: skip
    for told in _each(raw, "ssm.describe_instance_information", "InstanceInformationList[]"):
        drawn.node("SSMInstanceInformation", told["InstanceId"], instance_id=told["InstanceId"],
                   ping_status=told["PingStatus"], region=R)  # fmt: skip


def _balancers(drawn: Drawn, raw: Answers) -> None:
    for told in _each(raw, "elbv2.describe_load_balancers", "LoadBalancers[]"):
        arn = told["LoadBalancerArn"]
        node = drawn.node("LoadBalancerV2", told["DNSName"], name=told["LoadBalancerName"], region=R,
                          dnsname=told["DNSName"], scheme=told["Scheme"], type=told["Type"],
                          arn=arn if drawn.newer else None)  # fmt: skip
        _guarded(drawn, node, *told["SecurityGroups"])
        for zone in told["AvailabilityZones"]:
            drawn.to(node, "SUBNET", "EC2Subnet", zone["SubnetId"])
        for listener in raw.of("elbv2.describe_listeners", LoadBalancerArn=arn)["Listeners"]:
            group = listener["DefaultActions"][0]["TargetGroupArn"]
            inner = drawn.node("ELBV2Listener", listener["ListenerArn"], port=listener["Port"],
                               protocol=listener["Protocol"], targetgrouparn=group)  # fmt: skip
            drawn.tie(node, "ELBV2_LISTENER", inner)
        for group in _each(raw, "elbv2.describe_target_groups", "TargetGroups[]"):
            if arn not in group["LoadBalancerArns"]:
                continue
            name = group["TargetGroupArn"]
            if drawn.newer:
                inner = drawn.node("ELBV2TargetGroup", name, arn=name, port=group["Port"], region=R,
                                   target_type=group["TargetType"], vpc_id=group["VpcId"])  # fmt: skip
                drawn.tie(node, "ELBV2_TARGET_GROUP", inner)
            asked = raw.of("elbv2.describe_target_health", TargetGroupArn=name)
            for target in walk(asked, "TargetHealthDescriptions[].Target"):
                drawn.to(node, "EXPOSE", "EC2Instance", target["Id"], port=group["Port"],
                         protocol=group["Protocol"], target_group_arn=name)  # fmt: skip
    for told in _each(raw, "elb.describe_load_balancers", "LoadBalancerDescriptions[]"):
        name = told["DNSName"]
        node = drawn.node("LoadBalancer", name, name=told["LoadBalancerName"], dnsname=name, region=R,
                          scheme=told["Scheme"])  # fmt: skip
        _guarded(drawn, node, *told["SecurityGroups"])
        for subnet in told["Subnets"]:
            drawn.to(node, "PART_OF_SUBNET", "EC2Subnet", subnet)
        for instance in told["Instances"]:
            drawn.to(node, "EXPOSE", "EC2Instance", instance["InstanceId"])
        for listener in walk(told, "ListenerDescriptions[].Listener"):
            inner = drawn.node("ELBListener", f"{name}{listener['LoadBalancerPort']}TCP",
                               port=listener["LoadBalancerPort"], protocol=listener["Protocol"],
                               instance_port=listener["InstancePort"],
                               instance_protocol=listener["InstanceProtocol"])  # fmt: skip
            drawn.tie(node, "ELB_LISTENER", inner)


def _blocks(told: dict[str, Any]) -> dict[str, bool]:
    found = told["PublicAccessBlockConfiguration"]
    return {theirs: found[ours] for ours, theirs in _BLOCKS.items()}


def _buckets(drawn: Drawn, raw: Answers) -> None:
    for told in _each(raw, "s3.list_buckets", "Buckets[]"):
        name = told["Name"]
        asked = {"Bucket": name}
        answer = raw.of("s3.get_bucket_policy", **asked)
        owned = raw.of("s3.get_bucket_ownership_controls", **asked)["OwnershipControls"]["Rules"]
        node = drawn.node("S3Bucket", name, name=name, region=R, arn=f"arn:aws:s3:::{name}",
                          anonymous_access="Policy" in answer, anonymous_actions=[],
                          object_ownership=owned[0]["ObjectOwnership"],
                          **_blocks(raw.of("s3.get_public_access_block", **asked)))  # fmt: skip
        for number, said in enumerate(
            json.loads(answer.get("Policy", '{"Statement": []}'))["Statement"]
        ):
            inner = drawn.node("S3PolicyStatement", f"{name}/policy_statement/{number}", sid=said["Sid"],
                               effect=said["Effect"], action=said["Action"],
                               resource=said["Resource"], principal=json.dumps(said["Principal"]))  # fmt: skip
            drawn.tie(node, "POLICY_STATEMENT", inner)
        for number, grant in enumerate(raw.of("s3.get_bucket_acl", **asked)["Grants"]):
            inner = drawn.node("S3Acl", f"{name}{number}", uri=grant["Grantee"].get("URI"), ownerid="o",
                               granteeid=grant["Grantee"].get("ID"), type=grant["Grantee"]["Type"],
                               permission=grant["Permission"])  # fmt: skip
            drawn.tie(inner, "APPLIES_TO", node)
    whole = raw.of("s3control.get_public_access_block", AccountId=A)
    drawn.node("S3AccountPublicAccessBlock", f"{A}:{R}", account_id=A, region=R, **_blocks(whole))


def _by_policy(drawn: Drawn, raw: Answers) -> None:
    for asked, told in raw.all("sqs.get_queue_attributes"):
        known = told["Attributes"]
        drawn.node("SQSQueue", known["QueueArn"], arn=known["QueueArn"], url=asked["QueueUrl"], region=R,
                   policy=known["Policy"], visibility_timeout=known["VisibilityTimeout"])  # fmt: skip
    for told in _each(raw, "sns.list_topics", "Topics[]"):
        drawn.node("SNSTopic", told["TopicArn"], arn=told["TopicArn"], region=R)
    for told in _each(raw, "kms.describe_key", "KeyMetadata"):
        drawn.node("KMSKey", told["KeyId"], arn=told["Arn"], key_state=told["KeyState"], region=R,
                   key_manager=told["KeyManager"], anonymous_access=told["KeyId"] == "open")  # fmt: skip
    for told in _each(raw, "secretsmanager.list_secrets", "SecretList[]"):
        drawn.node(
            "SecretsManagerSecret", told["ARN"], arn=told["ARN"], name=told["Name"], region=R
        )
    for told in _each(raw, "ecr.describe_repositories", "repositories[]"):
        drawn.node("ECRRepository", told["repositoryArn"], arn=told["repositoryArn"], region=R,
                   name=told["repositoryName"], uri=told["repositoryUri"])  # fmt: skip
    for told in _each(raw, "efs.describe_file_systems", "FileSystems[]"):
        drawn.node("EfsFileSystem", told["FileSystemId"], arn=told["FileSystemArn"], region=R)
    for told in _each(raw, "opensearch.describe_domain", "DomainStatus"):
        drawn.node("ESDomain", told["DomainId"], arn=told["ARN"], name=told["DomainName"], region=R,
                   endpoint=told["Endpoint"])  # fmt: skip


def _databases(drawn: Drawn, raw: Answers) -> None:
    for told in _each(raw, "rds.describe_db_clusters", "DBClusters[]"):
        drawn.node("RDSCluster", told["DBClusterArn"], arn=told["DBClusterArn"], region=R,
                   db_cluster_identifier=told["DBClusterIdentifier"], port=told["Port"])  # fmt: skip
    for told in _each(raw, "rds.describe_db_instances", "DBInstances[]"):
        name = told["DBInstanceIdentifier"]
        node = drawn.node("RDSInstance", told["DBInstanceArn"], arn=told["DBInstanceArn"], region=R,
                          db_instance_identifier=name, publicly_accessible=told["PubliclyAccessible"],
                          endpoint_address=told["Endpoint"]["Address"], endpoint_port=5432,
                          db_cluster_identifier=told.get("DBClusterIdentifier"))  # fmt: skip
        _guarded(drawn, node, *(g["VpcSecurityGroupId"] for g in told["VpcSecurityGroups"]))
        if told.get("DBClusterIdentifier"):
            cluster = f"arn:aws:rds:{R}:{A}:cluster:{told['DBClusterIdentifier']}"
            drawn.to(node, "IS_CLUSTER_MEMBER_OF", "RDSCluster", cluster)
        held = told["DBSubnetGroup"]
        group = drawn.node("DBSubnetGroup", f"arn:aws:rds:{R}:{A}:subgrp:{held['DBSubnetGroupName']}",
                           name=held["DBSubnetGroupName"], vpc_id=held["VpcId"])  # fmt: skip
        drawn.tie(node, "MEMBER_OF_DB_SUBNET_GROUP", group)
        for subnet in held["Subnets"]:
            drawn.to(group, "RESOURCE", "EC2Subnet", subnet["SubnetIdentifier"])
    for told in _each(raw, "rds.describe_db_snapshots", "DBSnapshots[]"):
        name = told["DBSnapshotIdentifier"]
        shared = raw.of("rds.describe_db_snapshot_attributes", DBSnapshotIdentifier=name)
        drawn.node("RDSSnapshot", told["DBSnapshotArn"], arn=told["DBSnapshotArn"], region=R,
                   db_snapshot_identifier=name, ispublic="all" in list(walk(
                       shared, "DBSnapshotAttributesResult.DBSnapshotAttributes[].AttributeValues[]")))  # fmt: skip
    for told in _each(raw, "redshift.describe_clusters", "Clusters[]"):
        name = told["ClusterIdentifier"]
        arn = f"arn:aws:redshift:{R}:{A}:cluster:{name}"
        node = drawn.node("RedshiftCluster", arn, arn=arn, cluster_identifier=name, region=R,
                          publicly_accessible=told["PubliclyAccessible"], node_type=told["NodeType"],
                          endpoint_port=told["Endpoint"]["Port"], vpc_id=told["VpcId"])  # fmt: skip
        _guarded(drawn, node, *(g["VpcSecurityGroupId"] for g in told["VpcSecurityGroups"]))
    for told in _each(raw, "elasticache.describe_cache_clusters", "CacheClusters[]"):
        drawn.node("ElasticacheCluster", told["ARN"], arn=told["ARN"], engine=told["Engine"],
                   cache_cluster_id=told["CacheClusterId"], region=R)  # fmt: skip


def _functions(drawn: Drawn, raw: Answers) -> None:
    for told in _each(raw, "lambda.list_functions", "Functions[]"):
        answer = raw.of("lambda.get_policy", FunctionName=told["FunctionName"])
        said = json.loads(answer["Policy"])["Statement"] if "Policy" in answer else []
        node = drawn.node("AWSLambda", told["FunctionArn"], arn=told["FunctionArn"], region=R,
                   name=told["FunctionName"], runtime=told["Runtime"], handler=told["Handler"],
                   anonymous_access=True if said else None,
                   anonymous_actions=[s["Action"].lower() for s in said] or None)  # fmt: skip
        drawn.to(node, "STS_ASSUMEROLE_ALLOW", "AWSRole", told["Role"])


def _apis(drawn: Drawn, raw: Answers) -> None:
    for told in _each(raw, "apigateway.get_rest_apis", "items[]"):
        name = told["id"]
        api = drawn.node("APIGatewayRestAPI", name, region=R, anonymous_access=False,
                         endpoint_type=told["endpointConfiguration"]["types"][0])  # fmt: skip
        for stage in raw.of("apigateway.get_stages", restApiId=name)["item"]:
            inner = drawn.node("APIGatewayStage", f"arn:aws:apigateway:::{name}/{stage['stageName']}",
                               stagename=stage["stageName"])  # fmt: skip
            drawn.tie(api, "ASSOCIATED_WITH", inner)
        for resource in raw.of("apigateway.get_resources", restApiId=name)["items"]:
            inner = drawn.node(
                "APIGatewayResource", f"{name}{resource['id']}", path=resource["path"]
            )
            drawn.tie(api, "RESOURCE", inner)
            for verb, method in resource["resourceMethods"].items():
                place = f"{name}/{resource['id']}/{verb}"
                call = drawn.node("APIGatewayMethod", place, httpmethod=verb,
                                  authorization_type=method["authorizationType"],
                                  api_key_required=method["apiKeyRequired"])  # fmt: skip
                drawn.tie(inner, "HAS_METHOD", call)
                known = method["methodIntegration"]
                leads = drawn.node("APIGatewayIntegration", place, httpmethod=verb, uri=known["uri"],
                                   type=known["type"], integration_http_method="POST")  # fmt: skip
                drawn.tie(inner, "HAS_INTEGRATION", leads)
    for told in _each(raw, "apigatewayv2.get_apis", "Items[]"):
        drawn.node("APIGatewayV2API", told["ApiId"], name=told["Name"], region=R,
                   protocoltype=told["ProtocolType"], apiendpoint=told["ApiEndpoint"])  # fmt: skip
    for told in _each(raw, "cloudfront.list_distributions", "DistributionList.Items[]"):
        node = drawn.node("CloudFrontDistribution", told["ARN"], arn=told["ARN"],
                          distribution_id=told["Id"], enabled=told["Enabled"],
                          domain_name=told["DomainName"])  # fmt: skip
        for origin in told["Origins"]["Items"]:
            drawn.to(node, "SERVES_FROM", "S3Bucket", origin["DomainName"].split(".")[0])


def _containers(drawn: Drawn, raw: Answers) -> None:
    for told in _each(raw, "ecs.describe_clusters", "clusters[]"):
        drawn.node("ECSCluster", told["clusterArn"], arn=told["clusterArn"],
                   name=told["clusterName"], region=R)  # fmt: skip
    for told in _each(raw, "ecs.describe_task_definition", "taskDefinition"):
        arn = told["taskDefinitionArn"]
        node = drawn.node("ECSTaskDefinition", arn, arn=arn, family=told["family"], region=R,
                          task_role_arn=told["taskRoleArn"], network_mode="awsvpc")  # fmt: skip
        for held in told["containerDefinitions"]:
            inner = drawn.node("ECSContainerDefinition", f"{arn}-{held['name']}", name=held["name"],
                               image=held["image"])  # fmt: skip
            drawn.tie(node, "HAS_CONTAINER_DEFINITION", inner)
    for told in _each(raw, "ecs.describe_services", "services[]"):
        drawn.node("ECSService", told["serviceArn"], arn=told["serviceArn"], status="ACTIVE", region=R,
                   name=told["serviceName"], cluster_arn=told["clusterArn"],
                   task_definition=told["taskDefinition"], desired_count=1, running_count=1)  # fmt: skip
    for told in _each(raw, "ecs.describe_tasks", "tasks[]"):
        node = drawn.node("ECSTask", told["taskArn"], arn=told["taskArn"], last_status="RUNNING",
                          cluster_arn=told["clusterArn"], region=R, network_interface_id="eni-task",
                          task_definition_arn=told["taskDefinitionArn"])  # fmt: skip
        drawn.to(node, "NETWORK_INTERFACE", "NetworkInterface", "eni-task")
    for told in _each(raw, "eks.describe_cluster", "cluster"):
        drawn.node("EKSCluster", told["arn"], arn=told["arn"], name=told["name"], region=R,
                   endpoint=told["endpoint"], rolearn=told["roleArn"],
                   endpoint_public_access=told["resourcesVpcConfig"]["endpointPublicAccess"])  # fmt: skip


def _policy(drawn: Drawn, key: str, document: dict[str, Any], name: str, kind: str) -> str:
    node = drawn.node(
        "AWSPolicy", key, name=name, type=kind, arn=key if kind == "managed" else None
    )
    for number, said in enumerate(document["Statement"]):
        inner = drawn.node("AWSPolicyStatement", f"{key}/statement/{number}", effect=said["Effect"],
                           action=[said["Action"]], resource=[said["Resource"]])  # fmt: skip
        drawn.tie(node, "STATEMENT", inner)
    return node


def _identities(drawn: Drawn, raw: Answers) -> None:
    (_, details), = raw.all("iam.get_account_authorization_details")  # fmt: skip
    documents = {p["Arn"]: p["PolicyVersionList"][0]["Document"] for p in details["Policies"]}
    ec2 = drawn.node("AWSPrincipal", "ec2.amazonaws.com", arn="ec2.amazonaws.com", type="Service")
    for kind in ("Group", "Role", "User"):
        for told in details[f"{kind}DetailList"]:
            node = drawn.node(f"AWS{kind}", told["Arn"], "AWSPrincipal", arn=told["Arn"],
                              name=told[f"{kind}Name"], path=told["Path"])  # fmt: skip
            for held in told[f"{kind}PolicyList"]:
                key = f"{told['Arn']}/inline_policy/{held['PolicyName']}"
                policy = _policy(drawn, key, held["PolicyDocument"], held["PolicyName"], "inline")
                drawn.tie(node, "POLICY", policy)
            for held in told["AttachedManagedPolicies"]:
                arn = held["PolicyArn"]
                drawn.tie(node, "POLICY", drawn._ids.get(("AWSPolicy", arn)) or _policy(
                    drawn, arn, documents[arn], held["PolicyName"], "managed"))  # fmt: skip
            for group in told.get("GroupList", ()):
                drawn.to(node, "MEMBER_AWS_GROUP", "AWSGroup",
                         told["Arn"].replace(f"user/{told.get('UserName')}", f"group/{group}"))  # fmt: skip
            if kind == "Role":
                drawn.tie(node, "TRUSTS_AWS_PRINCIPAL", ec2)
            for profile in told.get("InstanceProfileList", ()):
                inner = drawn._ids["AWSInstanceProfile", profile["Arn"]]
                drawn.tie(inner, "ASSOCIATED_WITH", node)
    for key in _each(raw, "iam.list_access_keys", "AccessKeyMetadata[]"):
        inner = drawn.node("AccountAccessKey", key["AccessKeyId"], accesskeyid=key["AccessKeyId"],
                           status=key["Status"])  # fmt: skip
        user = drawn._ids["AWSUser", f"arn:aws:iam::{A}:user/{key['UserName']}"]
        drawn.tie(user, "AWS_ACCESS_KEY", inner)


class Blank(Drawn):
    """An empty sheet of newer versions, for nodes of other clouds."""

    def __init__(self) -> None:
        super().__init__(newer=True)
        self.entries = []
        self._ids.clear()

    def plain(self, label: str, identity: str, *more: str, **values: Any) -> str:
        number = self._ids[label, identity] = str(len(self.entries))
        kept = {k: v for k, v in values.items() if v is not None}
        self.entries.append({"type": "node", "id": number, "labels": [label, *more],
                             "properties": {"lastupdated": 1, "id": identity, **kept}})  # fmt: skip
        return number
