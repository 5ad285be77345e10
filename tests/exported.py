"""A small estate as AWS answers it, with an open and a closed thing of every kind that is judged.

Written once, and read three times: as raw answers, as tables of Steampipe and CloudQuery, and as a
graph of Cartography. Each writer makes what its tool would have exported of these answers.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from secinbox.estate import Estate, estate_of
from secinbox.inventory import aws
from secinbox.reading import Report, head_of
from secinbox.records import AnyRecord

A, R = "111122223333", "eu-west-1"
OTHER = "444455556666"
IAM = f"arn:aws:iam::{A}:"
EC2 = f"arn:aws:ec2:{R}:{A}:"
ELB = f"arn:aws:elasticloadbalancing:{R}:{A}:"
ANYONE = "0.0.0.0/0"


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{R}:{A}:{rest}"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: str, resource: str = "*", principal: Any = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return found | ({"Principal": principal} if principal else {}) | more


@dataclass
class Answers:
    """(operation, request, response) in the order in which they were asked."""

    calls: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    def say(self, operation: str, response: dict[str, Any], **request: Any) -> None:
        self.calls.append((operation, request, response))

    def of(self, operation: str, **request: Any) -> dict[str, Any]:
        """The answer of a call; {} when nobody asked or there is none."""
        for name, asked, response in self.calls:
            if name == operation and all(asked.get(k) == v for k, v in request.items()):
                return response
        return {}

    def all(self, operation: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        return [(asked, told) for name, asked, told in self.calls if name == operation]

    def records(self) -> list[AnyRecord]:
        """As the importer reads them from the files of a collection."""
        found: list[AnyRecord] = []
        names = dict.fromkeys(name for name, _, _ in self.calls)
        for name in names:
            lines = [{"request": q, "response": a} for n, q, a in self.calls if n == name]
            text = "\n".join(json.dumps(line) for line in lines)
            where = "global" if name.split(".")[0] in ("iam", "s3", "s3control", "cloudfront",
                                                       "organizations") else R  # fmt: skip
            report = Report(text.encode(), f"{name}.jsonl", (A, where, f"{name}.jsonl"))
            found += aws.read(report)
        return found

    def estate(self) -> Estate:
        return estate_of(self.records())


def answers() -> Answers:
    found = Answers()
    for part in (_network, _instances, _balancers, _buckets, _by_policy, _databases, _functions,
                 _apis, _containers, _identities, _managed):  # fmt: skip
        part(found)
    return found


def _network(say: Answers) -> None:
    say.say("ec2.describe_vpcs", {"Vpcs": [
        {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "InstanceTenancy": "default", "OwnerId": A},
        {"VpcId": "vpc-2", "CidrBlock": "10.1.0.0/16", "InstanceTenancy": "default", "OwnerId": A}]})  # fmt: skip
    say.say("ec2.describe_subnets", {"Subnets": [
        {"SubnetId": s, "VpcId": v, "CidrBlock": c, "MapPublicIpOnLaunch": p, "OwnerId": A,
         "AvailabilityZone": f"{R}a"}
        for s, v, c, p in (("subnet-public", "vpc-1", "10.0.1.0/24", True),
                           ("subnet-private", "vpc-1", "10.0.2.0/24", False),
                           ("subnet-far", "vpc-2", "10.1.1.0/24", False))]})  # fmt: skip
    say.say("ec2.describe_internet_gateways", {"InternetGateways": [
        {"InternetGatewayId": "igw-1", "OwnerId": A,
         "Attachments": [{"VpcId": "vpc-1", "State": "available"}]}]})  # fmt: skip

    def table(name: str, vpc: str, subnet: str, *routes: dict[str, str]) -> dict[str, Any]:
        local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}
        return {"RouteTableId": name, "VpcId": vpc, "OwnerId": A,
                "Associations": [{"RouteTableAssociationId": "rtbassoc-" + name, "SubnetId": subnet,
                                  "RouteTableId": name, "Main": False}],
                "Routes": [r | {"State": "active"} for r in (local, *routes)]}  # fmt: skip

    say.say("ec2.describe_route_tables", {"RouteTables": [
        table("rtb-public", "vpc-1", "subnet-public",
              {"DestinationCidrBlock": ANYONE, "GatewayId": "igw-1"},
              {"DestinationCidrBlock": "10.1.0.0/16", "VpcPeeringConnectionId": "pcx-1"}),
        table("rtb-private", "vpc-1", "subnet-private",
              {"DestinationCidrBlock": ANYONE, "NatGatewayId": "nat-1"}),
        table("rtb-far", "vpc-2", "subnet-far",
              {"DestinationCidrBlock": "10.0.0.0/16", "VpcPeeringConnectionId": "pcx-1"})]})  # fmt: skip
    say.say("ec2.describe_nat_gateways", {"NatGateways": [
        {"NatGatewayId": "nat-1", "SubnetId": "subnet-public", "VpcId": "vpc-1",
         "State": "available", "NatGatewayAddresses": []}]})  # fmt: skip

    def acl(name: str, vpc: str, *subnets: str) -> dict[str, Any]:
        return {"NetworkAclId": name, "VpcId": vpc, "IsDefault": False, "OwnerId": A,
                "Associations": [{"NetworkAclAssociationId": f"aclassoc-{s}", "NetworkAclId": name,
                                  "SubnetId": s} for s in subnets],
                "Entries": [{"RuleNumber": n, "Egress": e, "RuleAction": a, "Protocol": "-1",
                             "CidrBlock": ANYONE}
                            for e in (False, True) for n, a in ((100, "allow"), (32767, "deny"))]}  # fmt: skip

    say.say("ec2.describe_network_acls", {"NetworkAcls": [
        acl("acl-1", "vpc-1", "subnet-public", "subnet-private"), acl("acl-2", "vpc-2", "subnet-far")]})  # fmt: skip
    say.say("ec2.describe_managed_prefix_lists", {"PrefixLists": [
        {"PrefixListId": "pl-1", "PrefixListName": "partners", "OwnerId": A,
         "PrefixListArn": EC2 + "prefix-list/pl-1", "AddressFamily": "IPv4", "MaxEntries": 5}]})  # fmt: skip
    say.say("ec2.get_managed_prefix_list_entries", {"Entries": [{"Cidr": "0.0.0.0/0"}]},
            PrefixListId="pl-1")  # fmt: skip

    def group(name: str, source: dict[str, Any] | None, port: int = 443) -> dict[str, Any]:
        rules = [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [],
                  "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": [], **source}] if source else []  # fmt: skip
        return {"GroupId": name, "GroupName": name, "VpcId": "vpc-1", "OwnerId": A,
                "Description": "d", "IpPermissions": rules, "IpPermissionsEgress": []}  # fmt: skip

    world = {"IpRanges": [{"CidrIp": ANYONE}]}
    say.say("ec2.describe_security_groups", {"SecurityGroups": [
        group("sg-open", world), group("sg-shut", {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}),
        group("sg-none", None), group("sg-listed", {"PrefixListIds": [{"PrefixListId": "pl-1"}]}),
        group("sg-inner", {"UserIdGroupPairs": [{"GroupId": "sg-open", "UserId": A}]}, 80),
        group("sg-data", world, 5432), group("sg-warehouse", world, 5439)]})  # fmt: skip
    say.say("ec2.describe_vpc_peering_connections", {"VpcPeeringConnections": [
        {"VpcPeeringConnectionId": "pcx-1", "Status": {"Code": "active", "Message": "Active"},
         "AccepterVpcInfo": {"VpcId": "vpc-2", "OwnerId": A, "CidrBlock": "10.1.0.0/16"},
         "RequesterVpcInfo": {"VpcId": "vpc-1", "OwnerId": A, "CidrBlock": "10.0.0.0/16"}}]})  # fmt: skip


def _instances(say: Answers) -> None:
    def instance(name: str, group: str, subnet: str = "subnet-public", public: str = "",
                 state: str = "running") -> dict[str, Any]:  # fmt: skip
        number = 10 + len(name)
        private = f"10.0.{1 if subnet == 'subnet-public' else 2}.{number}"
        interface: dict[str, Any] = {
            "NetworkInterfaceId": f"eni-{name}", "SubnetId": subnet, "VpcId": "vpc-1",
            "PrivateIpAddress": private, "Groups": [{"GroupId": group, "GroupName": group}],
            "Ipv6Addresses": []}  # fmt: skip
        found: dict[str, Any] = {
            "InstanceId": f"i-{name}", "ImageId": "ami-own", "State": {"Name": state, "Code": 16},
            "SubnetId": subnet, "VpcId": "vpc-1", "PrivateIpAddress": private,
            "InstanceType": "t3.micro", "SecurityGroups": [{"GroupId": group, "GroupName": group}],
            "MetadataOptions": {"HttpTokens": "optional", "HttpEndpoint": "enabled"},
            "NetworkInterfaces": [interface], "Tags": [{"Key": "Name", "Value": name}]}  # fmt: skip
        if public:
            interface["Association"] = {"PublicIp": public, "IpOwnerId": "amazon"}
            found["PublicIpAddress"] = public
        return found

    made = [
        instance("open", "sg-open", public="54.1.1.1"),
        instance("shut", "sg-shut", public="54.1.1.2"),
        instance("listed", "sg-listed", public="54.1.1.3"),
        instance("stopped", "sg-open", public="54.1.1.4", state="stopped"),
        instance("behind", "sg-inner", "subnet-private"),
        instance("alone", "sg-open", "subnet-private"),
    ]  # fmt: skip
    made[0]["IamInstanceProfile"] = {"Arn": IAM + "instance-profile/admin", "Id": "AIPA"}
    say.say("ec2.describe_instances", {"Reservations": [
        {"OwnerId": A, "ReservationId": "r-1", "Instances": made}]})  # fmt: skip
    say.say("ec2.describe_snapshots", {"Snapshots": [
        {"SnapshotId": s, "VolumeId": "vol-1", "OwnerId": A, "VolumeSize": 8}
        for s in ("snap-open", "snap-shut")]})  # fmt: skip
    for name, shared in (("snap-open", [{"Group": "all"}]), ("snap-shut", [])):
        say.say("ec2.describe_snapshot_attribute",
                {"SnapshotId": name, "CreateVolumePermissions": shared},
                SnapshotId=name, Attribute="createVolumePermission")  # fmt: skip
    say.say("ec2.describe_images", {"Images": [
        {"ImageId": i, "Name": i, "OwnerId": A, "Public": p, "RootDeviceName": "/dev/sda1"}
        for i, p in (("ami-open", True), ("ami-own", False))]})  # fmt: skip
    say.say("ssm.describe_instance_information", {"InstanceInformationList": [
        {"InstanceId": "i-open", "PingStatus": "Online", "PlatformType": "Linux",
         "ResourceType": "EC2Instance"}]})  # fmt: skip


def _balancers(say: Answers) -> None:
    def balancer(name: str, scheme: str, group: str) -> dict[str, Any]:
        return {"LoadBalancerArn": f"{ELB}loadbalancer/app/{name}/1", "LoadBalancerName": name,
                "DNSName": f"{name}.elb.amazonaws.com", "Scheme": scheme, "Type": "application",
                "VpcId": "vpc-1", "State": {"Code": "active"}, "IpAddressType": "ipv4",
                "SecurityGroups": [group], "AvailabilityZones": [
                    {"ZoneName": f"{R}a", "SubnetId": "subnet-public"}]}  # fmt: skip

    say.say("elbv2.describe_load_balancers", {"LoadBalancers": [
        balancer("front", "internet-facing", "sg-open"), balancer("inner", "internal", "sg-open"),
        balancer("shut", "internet-facing", "sg-shut")]})  # fmt: skip
    group = f"{ELB}targetgroup/web/1"
    for name in ("front", "inner", "shut"):
        say.say("elbv2.describe_listeners", {"Listeners": [
            {"ListenerArn": f"{ELB}listener/app/{name}/1/1", "Port": 443, "Protocol": "HTTPS",
             "LoadBalancerArn": f"{ELB}loadbalancer/app/{name}/1",
             "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}]}]},
            LoadBalancerArn=f"{ELB}loadbalancer/app/{name}/1")  # fmt: skip
    say.say("elbv2.describe_target_groups", {"TargetGroups": [
        {"TargetGroupArn": group, "TargetGroupName": "web", "TargetType": "instance", "Port": 80,
         "Protocol": "HTTP", "VpcId": "vpc-1",
         "LoadBalancerArns": [f"{ELB}loadbalancer/app/front/1"]}]})  # fmt: skip
    say.say("elbv2.describe_target_health", {"TargetHealthDescriptions": [
        {"Target": {"Id": "i-behind", "Port": 80}, "TargetHealth": {"State": "healthy"}}]},
        TargetGroupArn=group)  # fmt: skip
    say.say("elb.describe_load_balancers", {"LoadBalancerDescriptions": [
        {"LoadBalancerName": "old", "DNSName": "old.elb.amazonaws.com", "Scheme": "internet-facing",
         "VPCId": "vpc-1", "Subnets": ["subnet-public"], "SecurityGroups": ["sg-open"],
         "Instances": [{"InstanceId": "i-behind"}], "ListenerDescriptions": [
             {"Listener": {"LoadBalancerPort": 443, "Protocol": "TCP", "InstancePort": 80,
                           "InstanceProtocol": "TCP"}, "PolicyNames": []}]}]})  # fmt: skip


def _buckets(say: Answers) -> None:
    names = ("data-open", "data-blocked", "data-closed", "data-acl", "data-owner")
    say.say(
        "s3.list_buckets", {"Buckets": [{"Name": n, "CreationDate": "2026-01-01"} for n in names]}
    )
    for name in names:
        asked = {"Bucket": name}
        blocks = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls",
                                "RestrictPublicBuckets"), name == "data-blocked")  # fmt: skip
        say.say("s3.get_public_access_block", {"PublicAccessBlockConfiguration": blocks}, **asked)
        if name in ("data-open", "data-blocked"):
            document = policy(allow("s3:GetObject", f"arn:aws:s3:::{name}/*", "*", Sid="read"))
            say.say("s3.get_bucket_policy", {"Policy": json.dumps(document)}, **asked)
        else:
            say.say("s3.get_bucket_policy", {"Error": "NoSuchBucketPolicy"}, **asked)
        everyone = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
        own = {"Grantee": {"Type": "CanonicalUser", "ID": "o"}, "Permission": "FULL_CONTROL"}
        grants = [own] + ([{"Grantee": everyone, "Permission": "READ"}]
                          if name in ("data-acl", "data-owner") else [])  # fmt: skip
        say.say("s3.get_bucket_acl", {"Owner": {"ID": "o"}, "Grants": grants}, **asked)
        word = "BucketOwnerEnforced" if name == "data-owner" else "ObjectWriter"
        say.say("s3.get_bucket_ownership_controls",
                {"OwnershipControls": {"Rules": [{"ObjectOwnership": word}]}}, **asked)  # fmt: skip
    say.say("s3control.get_public_access_block", {"PublicAccessBlockConfiguration": dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), False)},
        AccountId=A)  # fmt: skip


def _by_policy(say: Answers) -> None:
    """Queues, topics, keys, secrets, images, files: each open and shut by its policy."""
    queues, secrets, keys, topics, repositories, files = [], [], [], [], [], []
    for name, who in (("open", "*"), ("shut", {"AWS": f"arn:aws:iam::{A}:root"})):
        queue = arn("sqs", name)
        url = f"https://sqs.{R}.amazonaws.com/{A}/{name}"
        queues.append(url)
        say.say("sqs.get_queue_attributes", {"Attributes": {
            "QueueArn": queue, "VisibilityTimeout": "30",
            "Policy": json.dumps(policy(allow("sqs:SendMessage", queue, who)))}}, QueueUrl=url)  # fmt: skip
        topic = arn("sns", name)
        topics.append({"TopicArn": topic})
        say.say("sns.get_topic_attributes", {"Attributes": {
            "TopicArn": topic, "EffectiveDeliveryPolicy": "{}",
            "Policy": json.dumps(policy(allow("sns:Publish", topic, who)))}}, TopicArn=topic)  # fmt: skip
        key = arn("kms", f"key/{name}")
        keys.append({"KeyId": name, "KeyArn": key})
        say.say("kms.describe_key", {"KeyMetadata": {
            "KeyId": name, "Arn": key, "KeyState": "Enabled", "KeyManager": "CUSTOMER",
            "AWSAccountId": A}}, KeyId=name)  # fmt: skip
        say.say("kms.get_key_policy", {"Policy": json.dumps(policy(allow("kms:*", "*", who)))},
                KeyId=name, PolicyName="default")  # fmt: skip
        secret = arn("secretsmanager", f"secret:{name}-AbCdEf")
        secrets.append({"ARN": secret, "Name": name, "RotationEnabled": False})
        document = policy(allow("secretsmanager:GetSecretValue", "*", who))
        say.say("secretsmanager.get_resource_policy", {
            "ARN": secret, "Name": name, "ResourcePolicy": json.dumps(document)}, SecretId=secret)  # fmt: skip
        repositories.append({"repositoryArn": arn("ecr", f"repository/{name}"), "registryId": A,
                             "repositoryName": name, "imageTagMutability": "MUTABLE",
                             "repositoryUri": f"{A}.dkr.ecr.{R}.amazonaws.com/{name}"})  # fmt: skip
        say.say("ecr.get_repository_policy", {
            "registryId": A, "repositoryName": name, "policyText": json.dumps(policy(
                {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Principal": who}))},
            repositoryName=name)  # fmt: skip
        files.append({"FileSystemId": f"fs-{name}", "OwnerId": A, "CreationToken": name,
                      "FileSystemArn": arn("elasticfilesystem", f"file-system/fs-{name}")})  # fmt: skip
        say.say("efs.describe_file_system_policy", {
            "FileSystemId": f"fs-{name}", "Policy": json.dumps(policy(
                allow("elasticfilesystem:ClientMount", "*", who)))}, FileSystemId=f"fs-{name}")  # fmt: skip
        domain = arn("es", f"domain/{name}")
        say.say("opensearch.describe_domain", {"DomainStatus": {
            "DomainId": f"{A}/{name}", "DomainName": name, "ARN": domain,
            "Endpoint": f"{name}.es.amazonaws.com",
            "AccessPolicies": json.dumps(policy(allow("es:*", f"{domain}/*", who)))}},
            DomainName=name)  # fmt: skip
    say.say("sqs.list_queues", {"QueueUrls": queues})
    say.say("sns.list_topics", {"Topics": topics})
    say.say("kms.list_keys", {"Keys": keys})
    say.say("secretsmanager.list_secrets", {"SecretList": secrets})
    say.say("ecr.describe_repositories", {"repositories": repositories})
    say.say("efs.describe_file_systems", {"FileSystems": files})


def _databases(say: Answers) -> None:
    subnets = {name: [{"SubnetIdentifier": f"subnet-{name}"}] for name in ("public", "private")}

    def instance(name: str, public: bool, cluster: str = "") -> dict[str, Any]:
        where = "public" if public else "private"
        found = {"DBInstanceIdentifier": name, "DBInstanceArn": arn("rds", f"db:{name}"),
                 "DBInstanceStatus": "available", "PubliclyAccessible": public, "Engine": "postgres",
                 "DbiResourceId": f"db-{name}", "DbInstancePort": 0,
                 "Endpoint": {"Address": f"{name}.rds.amazonaws.com", "Port": 5432},
                 "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-data", "Status": "active"}],
                 "DBSubnetGroup": {"DBSubnetGroupName": where, "VpcId": "vpc-1",
                                   "Subnets": subnets[where]}}  # fmt: skip
        return found | ({"DBClusterIdentifier": cluster} if cluster else {})

    say.say("rds.describe_db_instances", {"DBInstances": [
        instance("open", True), instance("shut", False), instance("member", False, "aurora")]})  # fmt: skip
    say.say("rds.describe_db_clusters", {"DBClusters": [
        {"DBClusterIdentifier": "aurora", "DBClusterArn": arn("rds", "cluster:aurora"),
         "Status": "available", "Endpoint": "aurora.rds.amazonaws.com", "Port": 5432,
         "DbClusterResourceId": "cluster-aurora", "DBSubnetGroup": "private",
         "ReaderEndpoint": "aurora-ro.rds.amazonaws.com",
         "DBClusterMembers": [{"DBInstanceIdentifier": "member", "IsClusterWriter": True}],
         "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-data", "Status": "active"}]}]})  # fmt: skip
    say.say("rds.describe_db_snapshots", {"DBSnapshots": [
        {"DBSnapshotIdentifier": s, "DBSnapshotArn": arn("rds", f"snapshot:{s}"),
         "DBInstanceIdentifier": "open", "SnapshotType": "manual", "Status": "available"}
        for s in ("copy-open", "copy-shut")]})  # fmt: skip
    for name, shared in (("copy-open", ["all"]), ("copy-shut", [])):
        say.say("rds.describe_db_snapshot_attributes", {"DBSnapshotAttributesResult": {
            "DBSnapshotIdentifier": name, "DBSnapshotAttributes": [
                {"AttributeName": "restore", "AttributeValues": shared}]}},
            DBSnapshotIdentifier=name)  # fmt: skip
    say.say("rds.describe_db_cluster_snapshots", {"DBClusterSnapshots": [
        {"DBClusterSnapshotIdentifier": "all-open", "DBClusterIdentifier": "aurora",
         "DBClusterSnapshotArn": arn("rds", "cluster-snapshot:all-open"), "Status": "available",
         "SnapshotType": "manual"}]})  # fmt: skip
    say.say("rds.describe_db_cluster_snapshot_attributes", {"DBClusterSnapshotAttributesResult": {
        "DBClusterSnapshotIdentifier": "all-open", "DBClusterSnapshotAttributes": [
            {"AttributeName": "restore", "AttributeValues": ["all"]}]}},
        DBClusterSnapshotIdentifier="all-open")  # fmt: skip
    say.say("redshift.describe_clusters", {"Clusters": [
        {"ClusterIdentifier": n, "NodeType": "ra3", "ClusterStatus": "available",
         "PubliclyAccessible": p, "VpcId": "vpc-1", "ClusterSubnetGroupName": "warehouse",
         "ClusterNamespaceArn": arn("redshift", f"namespace:{n}"),
         "Endpoint": {"Address": f"{n}.redshift.amazonaws.com", "Port": 5439},
         "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-warehouse", "Status": "active"}],
         "IamRoles": []} for n, p in (("ware-open", True), ("ware-shut", False))]})  # fmt: skip
    say.say("redshift.describe_cluster_subnet_groups", {"ClusterSubnetGroups": [
        {"ClusterSubnetGroupName": "warehouse", "VpcId": "vpc-1", "Description": "d",
         "Subnets": subnets["public"]}]})  # fmt: skip


def _functions(say: Answers) -> None:
    names = ("url", "any", "shut")
    say.say("lambda.list_functions", {"Functions": [
        {"FunctionName": n, "FunctionArn": arn("lambda", f"function:{n}"), "Runtime": "python3.13",
         "Role": IAM + "role/reader", "Handler": "h.main", "Version": "$LATEST"} for n in names]})  # fmt: skip
    for name in names:
        own, asked = arn("lambda", f"function:{name}"), {"FunctionName": name}
        none = {"Error": "ResourceNotFoundException"}
        action = {"url": "lambda:InvokeFunctionUrl", "any": "lambda:InvokeFunction"}.get(name)
        if action:
            more = {"Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}} if name == "url" else {}  # fmt: skip
            document = policy(allow(action, own, "*", Sid="call", **more))
            say.say("lambda.get_policy", {"Policy": json.dumps(document)}, **asked)
        else:
            say.say("lambda.get_policy", none, **asked)
        url = {"FunctionUrl": f"https://{name}.lambda-url.{R}.on.aws/", "AuthType": "NONE",
               "FunctionArn": own}  # fmt: skip
        say.say("lambda.get_function_url_config", url if name == "url" else none, **asked)


def _apis(say: Answers) -> None:
    say.say("apigateway.get_rest_apis", {"items": [
        {"id": n, "name": n, "apiKeySource": "HEADER", "endpointConfiguration": {"types": [t]}}
        for n, t in (("restopen", "REGIONAL"), ("restshut", "REGIONAL"), ("restinner", "PRIVATE"))]})  # fmt: skip
    for name in ("restopen", "restshut", "restinner"):
        say.say("apigateway.get_stages", {"item": [{"stageName": "prod", "deploymentId": "d"}]},
                restApiId=name)  # fmt: skip
        method = {"httpMethod": "GET", "apiKeyRequired": False, "methodIntegration": {
            "type": "AWS_PROXY", "httpMethod": "POST",
            "uri": f"arn:aws:apigateway:{R}:lambda:path/2015-03-31/functions/"
                   f"{arn('lambda', 'function:shut')}/invocations"},
            "authorizationType": "NONE" if name == "restopen" else "AWS_IAM"}  # fmt: skip
        say.say("apigateway.get_resources", {"items": [
            {"id": "r1", "path": "/things", "pathPart": "things", "resourceMethods": {"GET": method}}]},
            restApiId=name, embed=["methods"])  # fmt: skip
    say.say("apigatewayv2.get_apis", {"Items": [
        {"ApiId": n, "Name": n, "ProtocolType": "HTTP",
         "ApiEndpoint": f"https://{n}.execute-api.{R}.amazonaws.com"} for n in ("httpopen", "httpshut")]})  # fmt: skip
    for name, kind in (("httpopen", "NONE"), ("httpshut", "JWT")):
        say.say("apigatewayv2.get_routes", {"Items": [
            {"RouteId": "r", "RouteKey": "GET /", "AuthorizationType": kind,
             "ApiKeyRequired": False}]}, ApiId=name)  # fmt: skip
    say.say("cloudfront.list_distributions", {"DistributionList": {"Items": [
        {"ARN": f"arn:aws:cloudfront::{A}:distribution/{n}", "Id": n, "Enabled": e,
         "DomainName": f"{n.lower()}.cloudfront.net", "Status": "Deployed",
         "Aliases": {"Quantity": 0, "Items": []}, "CacheBehaviors": {"Quantity": 0, "Items": []},
         "DefaultCacheBehavior": {"TargetOriginId": "web", "ViewerProtocolPolicy": "https-only",
                                  "TrustedSigners": {"Enabled": False, "Quantity": 0},
                                  "TrustedKeyGroups": {"Enabled": False, "Quantity": 0}},
         "Origins": {"Quantity": 1, "Items": [
             {"Id": "web", "DomainName": "data-closed.s3.amazonaws.com", "OriginPath": ""}]}}
        for n, e in (("EOPEN", True), ("ESHUT", False))]}})  # fmt: skip


def _containers(say: Answers) -> None:
    cluster = arn("ecs", "cluster/main")
    say.say("ecs.describe_clusters", {"clusters": [
        {"clusterArn": cluster, "clusterName": "main", "status": "ACTIVE",
         "registeredContainerInstancesCount": 0}]})  # fmt: skip
    definition = arn("ecs", "task-definition/web:1")
    say.say("ecs.describe_task_definition", {"taskDefinition": {
        "taskDefinitionArn": definition, "family": "web", "status": "ACTIVE", "revision": 1,
        "taskRoleArn": IAM + "role/admin", "networkMode": "awsvpc", "containerDefinitions": [
            {"name": "web", "image": f"{A}.dkr.ecr.{R}.amazonaws.com/open:1"}]}, "tags": []},
        taskDefinition=definition)  # fmt: skip

    def service(name: str, group: str, public: str) -> dict[str, Any]:
        return {"serviceArn": arn("ecs", f"service/main/{name}"), "serviceName": name,
                "clusterArn": cluster, "status": "ACTIVE", "desiredCount": 1, "runningCount": 1,
                "taskDefinition": definition, "loadBalancers": [], "networkConfiguration": {
                    "awsvpcConfiguration": {"subnets": ["subnet-public"], "securityGroups": [group],
                                            "assignPublicIp": public}}}  # fmt: skip

    say.say("ecs.describe_services", {"services": [
        service("open", "sg-open", "ENABLED"), service("shut", "sg-shut", "ENABLED"),
        service("inner", "sg-open", "DISABLED")]})  # fmt: skip
    say.say("ecs.describe_tasks", {"tasks": [
        {"taskArn": arn("ecs", "task/main/1"), "clusterArn": cluster, "lastStatus": "RUNNING",
         "desiredStatus": "RUNNING", "taskDefinitionArn": definition, "enableExecuteCommand": True,
         "attachments": [{"type": "ElasticNetworkInterface", "details": [
             {"name": "networkInterfaceId", "value": "eni-task"},
             {"name": "subnetId", "value": "subnet-public"}]}]}]})  # fmt: skip
    say.say("ec2.describe_network_interfaces", {"NetworkInterfaces": [
        {"NetworkInterfaceId": "eni-task", "SubnetId": "subnet-public", "VpcId": "vpc-1",
         "InterfaceType": "interface", "PrivateIpAddress": "10.0.1.99", "OwnerId": A,
         "Groups": [{"GroupId": "sg-open", "GroupName": "sg-open"}], "MacAddress": "00",
         "Association": {"PublicIp": "54.1.1.9"}, "Status": "in-use", "Ipv6Addresses": []}]})  # fmt: skip
    for name, public, blocks in (("kopen", True, [ANYONE]), ("knarrow", True, ["192.0.2.0/24"]),
                                 ("kshut", False, [])):  # fmt: skip
        say.say("eks.describe_cluster", {"cluster": {
            "name": name, "arn": arn("eks", f"cluster/{name}"), "status": "ACTIVE",
            "endpoint": f"https://{name}.eks.amazonaws.com", "roleArn": IAM + "role/reader",
            "identity": {"oidc": {"issuer": f"https://oidc.eks.{R}.amazonaws.com/id/{name}"}},
            "accessConfig": {"authenticationMode": "API"}, "version": "1.34",
            "resourcesVpcConfig": {"endpointPublicAccess": public, "publicAccessCidrs": blocks,
                                   "endpointPrivateAccess": True, "subnetIds": ["subnet-private"],
                                   "securityGroupIds": [], "vpcId": "vpc-1"}}}, name=name)  # fmt: skip


def _identities(say: Answers) -> None:
    everything, looks = policy(allow("*")), policy(allow("ec2:Describe*"))
    trust = policy({"Effect": "Allow", "Action": "sts:AssumeRole",
                    "Principal": {"Service": "ec2.amazonaws.com"}})  # fmt: skip

    def held(kind: str, name: str, own: dict[str, Any] | None, *attached: str) -> dict[str, Any]:
        inline = [{"PolicyName": "own", "PolicyDocument": own}] if own else []
        return {"Arn": f"{IAM}{kind.lower()}/{name}", f"{kind}Name": name, "Path": "/",
                f"{kind}Id": f"A{kind}{name}".upper(), f"{kind}PolicyList": inline,
                "CreateDate": "2025-01-01T00:00:00Z", "AttachedManagedPolicies": [
                    {"PolicyArn": f"{IAM}policy/{p}", "PolicyName": p} for p in attached]}  # fmt: skip

    roles = [held("Role", "admin", everything), held("Role", "reader", looks),
             held("Role", "attached", None, "everything"),
             held("Role", "bounded", everything), held("Role", "nothing", None)]  # fmt: skip
    for role in roles:
        profile = {"Arn": f"{IAM}instance-profile/{role['RoleName']}",
                   "InstanceProfileName": role["RoleName"]}  # fmt: skip
        role |= {"AssumeRolePolicyDocument": trust, "MaxSessionDuration": 3600,
                 "InstanceProfileList": [profile] if role["RoleName"] == "admin" else []}  # fmt: skip
    roles[3]["PermissionsBoundary"] = {"PermissionsBoundaryArn": IAM + "policy/looks",
                                       "PermissionsBoundaryType": "Policy"}  # fmt: skip
    users = [
        held("User", "boss", None),
        held("User", "clerk", looks),
        held("User", "own", everything),
    ]
    users[0]["GroupList"], users[1]["GroupList"], users[2]["GroupList"] = ["bosses"], [], []
    groups = [held("Group", "bosses", None, "everything"), held("Group", "clerks", looks)]
    policies = [{"PolicyName": n, "Arn": f"{IAM}policy/{n}", "PolicyId": f"ANPA{n}".upper(),
                 "DefaultVersionId": "v1", "Path": "/", "AttachmentCount": 1, "PolicyVersionList": [
                     {"VersionId": "v1", "IsDefaultVersion": True, "Document": d}]}
                for n, d in (("everything", everything), ("looks", looks))]  # fmt: skip
    say.say("iam.get_account_authorization_details", {
        "RoleDetailList": roles, "UserDetailList": users, "GroupDetailList": groups,
        "Policies": policies})  # fmt: skip
    say.say("iam.list_access_keys", {"AccessKeyMetadata": [
        {"UserName": "boss", "AccessKeyId": "AKIAEXAMPLEBOSS", "Status": "Active",
         "CreateDate": "2025-01-01T00:00:00Z"}]}, UserName="boss")  # fmt: skip
    for user in ("boss", "clerk", "own"):
        say.say("iam.list_mfa_devices", {"MFADevices": []}, UserName=user)


def _managed(say: Answers) -> None:
    say.say("ssm.list_documents", {"DocumentIdentifiers": [
        {"Name": "runbook", "DocumentType": "Command", "DocumentVersion": "1", "Owner": A}]})  # fmt: skip
    say.say("ssm.describe_document_permission", {"AccountIds": ["all"]}, Name="runbook",
            PermissionType="Share")  # fmt: skip
    say.say("appsync.list_graphql_apis", {"graphqlApis": [
        {"arn": arn("appsync", f"apis/{n}"), "apiId": n, "name": n, "authenticationType": k,
         "visibility": "GLOBAL", "uris": {"GRAPHQL": f"https://{n}.appsync-api.amazonaws.com/graphql"}}
        for n, k in (("gopen", "API_KEY"), ("gshut", "AWS_IAM"))]})  # fmt: skip
    for name, kind in (("s-open", "PUBLIC"), ("s-shut", "VPC_ENDPOINT")):
        say.say("transfer.describe_server", {"Server": {
            "Arn": arn("transfer", f"server/{name}"), "ServerId": name, "EndpointType": kind,
            "State": "ONLINE", "Protocols": ["SFTP"],
            "EndpointDetails": {} if kind == "PUBLIC" else {"VpcId": "vpc-1"}}}, ServerId=name)  # fmt: skip
    for name, anyone in (("pool-open", True), ("pool-shut", False)):
        say.say("cognito-identity.describe_identity_pool", {
            "IdentityPoolId": f"{R}:{name}", "IdentityPoolName": name,
            "AllowUnauthenticatedIdentities": anyone}, IdentityPoolId=f"{R}:{name}")  # fmt: skip
        say.say("cognito-identity.get_identity_pool_roles", {
            "IdentityPoolId": f"{R}:{name}", "Roles": {}}, IdentityPoolId=f"{R}:{name}")  # fmt: skip
    say.say("elasticache.describe_cache_clusters", {"CacheClusters": [
        {"CacheClusterId": "cache", "ARN": arn("elasticache", "cluster:cache"), "Engine": "redis",
         "CacheNodes": []}]})  # fmt: skip


# As files


def cell(value: Any) -> str:
    """A value as the databases of these tools write it into CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def as_csv(rows: list[dict[str, Any]], columns: Iterable[str] = ()) -> bytes:
    """Rows with the columns that any of them has, or with these."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns) or list(dict.fromkeys(c for r in rows for c in r)))
    writer.writeheader()
    for row in rows:
        writer.writerow({k: cell(v) for k, v in row.items()})
    return out.getvalue().encode()


def read(connector: Any, reports: Iterable[Report]) -> list[AnyRecord]:
    """All records of reports that the connector knows as its own."""
    found: list[AnyRecord] = []
    for report in reports:
        assert connector.recognise(head_of(report.data, report.name)) >= 80, report.name
        found += connector.read(report)
    return found
