"""An estate written as the answers of the AWS command line, a call at a time, and read like an import."""

from __future__ import annotations

import json
from typing import Any

from secinbox.estate import Estate, estate_of
from secinbox.inventory import aws, kubernetes
from secinbox.network import exposure
from secinbox.paths import routes
from secinbox.paths.world import Leak, World
from secinbox.reading import Report
from secinbox.records import RiskStatement
from tests.scenes import A, R, vulnerability

B = "444455556666"  # another account
GLOBAL = "global"
ANYONE = "0.0.0.0/0"
ELB = f"arn:aws:elasticloadbalancing:{R}:{A}:"
BALANCER, GROUP = f"{ELB}loadbalancer/app/lb/1", f"{ELB}targetgroup/tg/1"
Row = dict[str, Any]


def allow(action: str | list[str], resource: str | list[str] = "*", **condition: Any) -> Row:
    row: Row = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**row, "Condition": condition} if condition else row


def deny(action: str | list[str], resource: str | list[str] = "*", **condition: Any) -> Row:
    return {**allow(action, resource, **condition), "Effect": "Deny"}


def service(name: str, **condition: Any) -> Row:
    row: Row = {"Effect": "Allow", "Principal": {"Service": name}, "Action": "sts:AssumeRole"}
    return {**row, "Condition": condition} if condition else row


def trusted(principal: str, **condition: Any) -> Row:
    row: Row = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {**row, "Condition": condition} if condition else row


def everyone(action: str | list[str], resource: str, **condition: Any) -> Row:
    return {**allow(action, resource, **condition), "Principal": "*"}


def document(*statements: Row) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def role_arn(name: str, account: str = A) -> str:
    return f"arn:aws:iam::{account}:role/{name}"


def root(account: str = A) -> str:
    return f"arn:aws:iam::{account}:root"


def machine(name: str, account: str = A) -> str:
    return f"arn:aws:ec2:{R}:{account}:instance/i-{name}"


def image(name: str) -> str:
    return f"{A}.dkr.ecr.{R}.amazonaws.com/{name}"


EC2, LAMBDA = service("ec2.amazonaws.com"), service("lambda.amazonaws.com")


class Answers:
    """Files of one folder; every method adds to them and returns the estate."""

    def __init__(self, network: bool = True) -> None:
        self.files: dict[tuple[str, str, str], list[tuple[Any, Row]]] = {}
        self.iam: dict[str, dict[str, list[Row]]] = {}
        self.objects: list[Row] = []
        self.cluster = "c"
        self.weak: dict[str, list[Any]] = {}
        self.leaks: list[Leak] = []
        self.repositories: list[str] = []
        self.breached: list[str] = []
        if network:
            self.network()

    # Files

    def says(self, call: str, answer: Row, request: Row | None = None, *, account: str = A,
             region: str = R) -> Answers:  # fmt: skip
        """One answer; with a request it is one line of several."""
        self.files.setdefault((account, region, call), []).append((request, answer))
        return self

    def lists(self, call: str, key: str, *rows: Row, account: str = A, region: str = R) -> Answers:
        """Adds rows to the one answer of a call that lists."""
        found = self.files.setdefault((account, region, call), [(None, {key: []})])
        found[0][1][key].extend(rows)
        return self

    # Networks and machines

    def network(self, vpc: str = "vpc-1", cidr: str = "10.0.0.0/16", prefix: str = "",
                account: str = A, region: str = R) -> Answers:  # fmt: skip
        """A VPC with a public subnet (to an internet gateway) and a private one (to a NAT gateway)."""
        at: dict[str, str] = {"account": account, "region": region}
        head = cidr.rsplit(".", 2)[0]
        self.lists("ec2.describe_vpcs", "Vpcs", {
            "VpcId": vpc, "CidrBlock": cidr, "OwnerId": account, "CidrBlockAssociationSet": [
                {"CidrBlock": cidr, "CidrBlockState": {"State": "associated"}}]}, **at)  # fmt: skip
        for number, name in enumerate(("public", "private")):
            subnet = f"subnet-{prefix}{name}"
            way = {"GatewayId": f"igw-{prefix}1"} if name == "public" else {"NatGatewayId": "nat-1"}
            self.lists("ec2.describe_subnets", "Subnets", {
                "SubnetId": subnet, "VpcId": vpc, "OwnerId": account,
                "CidrBlock": f"{head}.{number}.0/24",
                "SubnetArn": f"arn:aws:ec2:{region}:{account}:subnet/{subnet}"}, **at)  # fmt: skip
            self.lists("ec2.describe_route_tables", "RouteTables", {
                "RouteTableId": f"rtb-{prefix}{name}", "VpcId": vpc, "OwnerId": account,
                "Associations": [{"SubnetId": subnet, "Main": False}], "Routes": [
                    {"DestinationCidrBlock": cidr, "GatewayId": "local", "State": "active"},
                    {"DestinationCidrBlock": ANYONE, "State": "active", **way}]}, **at)  # fmt: skip
        self.lists("ec2.describe_internet_gateways", "InternetGateways", {
            "InternetGatewayId": f"igw-{prefix}1", "OwnerId": account,
            "Attachments": [{"VpcId": vpc, "State": "available"}]}, **at)  # fmt: skip
        self.lists("ec2.describe_network_acls", "NetworkAcls", {
            "NetworkAclId": f"acl-{prefix}1", "VpcId": vpc, "OwnerId": account,
            "Entries": [{"RuleNumber": 100, "Egress": e, "RuleAction": "allow", "Protocol": "-1",
                         "CidrBlock": ANYONE} for e in (False, True)],
            "Associations": [{"SubnetId": f"subnet-{prefix}{n}"} for n in ("public", "private")],
        }, **at)  # fmt: skip
        for call, key in (
            ("elbv2.describe_load_balancers", "LoadBalancers"),
            ("elb.describe_load_balancers", "LoadBalancerDescriptions"),
            ("elbv2.describe_target_groups", "TargetGroups"),
            ("ec2.describe_vpc_peering_connections", "VpcPeeringConnections"),
            ("ec2.describe_addresses", "Addresses"),
            ("ec2.describe_instances", "Reservations"),
        ):  # fmt: skip
            self.lists(call, key, **at)
        return self

    def group(self, name: str, *rules: tuple[int, str], vpc: str = "vpc-1", account: str = A,
              region: str = R) -> Answers:  # fmt: skip
        """A security group; a rule is (port, CIDR) or (port, "sg:GROUP")."""
        permissions: list[Row] = []
        for port, source in rules:
            other = source.removeprefix("sg:") if source.startswith("sg:") else ""
            permissions.append({
                "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "Ipv6Ranges": [],
                "PrefixListIds": [], "IpRanges": [] if other else [{"CidrIp": source}],
                "UserIdGroupPairs": [{"GroupId": other, "UserId": account}] if other else [],
            })  # fmt: skip
        return self.lists("ec2.describe_security_groups", "SecurityGroups", {
            "GroupId": f"sg-{name}", "GroupName": name, "VpcId": vpc, "OwnerId": account,
            "IpPermissions": permissions, "IpPermissionsEgress": [
                {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYONE}]}],
        }, account=account, region=region)  # fmt: skip

    def instance(self, name: str = "web", role: str = "", *, public: bool = True, port: int = 443,
                 source: str = ANYONE, groups: tuple[str, ...] = (), vpc: str = "vpc-1",
                 prefix: str = "", address: str = "", account: str = A, region: str = R,
                 metadata: tuple[str, int] | None = ("optional", 1), state: str = "running",
                 tags: Row | None = None, **more: Any) -> Answers:  # fmt: skip
        """metadata: (HttpTokens, hop limit), None where it is switched off."""
        if not groups:
            self.group(name, (port, source), vpc=vpc, account=account, region=region)
            groups = (f"sg-{name}",)
        listed = self.files[account, region, "ec2.describe_instances"][0][1]["Reservations"]
        number = 10 + len(listed)
        subnet = f"subnet-{prefix}{'public' if public else 'private'}"
        address = address or f"10.0.{0 if public else 1}.{number}"
        interface: Row = {
            "NetworkInterfaceId": f"eni-{name}", "SubnetId": subnet, "VpcId": vpc,
            "PrivateIpAddress": address, "Ipv6Addresses": [],
            "PrivateIpAddresses": [{"PrivateIpAddress": address, "Primary": True}],
            "Groups": [{"GroupId": g} for g in groups],
            "Attachment": {"DeviceIndex": 0, "Status": "attached"},
        }  # fmt: skip
        tokens, hops = metadata or ("optional", 1)
        row: Row = {
            "InstanceId": f"i-{name}", "State": {"Name": state}, "VpcId": vpc, "SubnetId": subnet,
            "PrivateIpAddress": address, "SecurityGroups": [{"GroupId": g} for g in groups],
            "Placement": {"AvailabilityZone": f"{region}a"}, "NetworkInterfaces": [interface],
            "Tags": [{"Key": k, "Value": v} for k, v in {"Name": name, **(tags or {})}.items()],
            "MetadataOptions": {
                "State": "applied", "HttpTokens": tokens, "HttpPutResponseHopLimit": hops,
                "HttpEndpoint": "enabled" if metadata else "disabled"},
            **more,
        }  # fmt: skip
        if public:
            row["PublicIpAddress"] = f"54.1.2.{number}"
            interface["Association"] = {"PublicIp": f"54.1.2.{number}"}
        if role:
            row["IamInstanceProfile"] = {"Arn": f"arn:aws:iam::{account}:instance-profile/{role}"}
        return self.lists("ec2.describe_instances", "Reservations",
                          {"OwnerId": account, "Instances": [row]}, account=account, region=region)  # fmt: skip

    # Identities

    def _details(self, account: str) -> dict[str, list[Row]]:
        kinds = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
        return self.iam.setdefault(account, {k: [] for k in kinds})

    def role(self, name: str, trust: Row | list[Row], *statements: Row, account: str = A,
             path: str = "/", tags: Row | None = None) -> Answers:  # fmt: skip
        """A role with a profile of its name."""
        home = f"arn:aws:iam::{account}:"
        self._details(account)["RoleDetailList"].append({
            "Path": path, "RoleName": name, "RoleId": f"AROA{name.upper()}",
            "Arn": f"{home}role{path}{name}",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17", "Statement": trust if isinstance(trust, list) else [trust]},
            "InstanceProfileList": [{
                "InstanceProfileName": name, "Arn": f"{home}instance-profile/{name}",
                "Roles": [{"RoleName": name, "Arn": f"{home}role{path}{name}"}]}],
            "RolePolicyList": _inline(statements), "AttachedManagedPolicies": [],
            "Tags": [{"Key": k, "Value": v} for k, v in (tags or {}).items()], "RoleLastUsed": {},
        })  # fmt: skip
        return self

    def user(self, name: str, *statements: Row, account: str = A, tags: Row | None = None
             ) -> Answers:  # fmt: skip
        self._details(account)["UserDetailList"].append({
            "Path": "/", "UserName": name, "UserId": f"AIDA{name.upper()}",
            "Arn": f"arn:aws:iam::{account}:user/{name}", "UserPolicyList": _inline(statements),
            "GroupList": [], "AttachedManagedPolicies": [],
            "Tags": [{"Key": k, "Value": v} for k, v in (tags or {}).items()],
        })  # fmt: skip
        return self

    # Stores and what runs

    def bucket(self, name: str = "data", *statements: Row, tags: Row | None = None,
               account: str = A) -> Answers:  # fmt: skip
        """Restricted unless tags say something else."""
        at = {"account": account, "region": GLOBAL}
        tags = {"data_class": "restricted"} if tags is None else tags
        policy = (
            {"Policy": document(*statements)} if statements else {"Error": "NoSuchBucketPolicy"}
        )
        self.lists("s3.list_buckets", "Buckets", {"Name": name}, **at)
        for call, answer in {
            "get_bucket_policy": policy,
            "get_bucket_acl": {"Owner": {"ID": "me"}, "Grants": []},
            "get_public_access_block": {"Error": "NoSuchPublicAccessBlockConfiguration"},
            "get_bucket_ownership_controls": {
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
            "get_bucket_tagging": {"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]},
        }.items():  # fmt: skip
            self.says(f"s3.{call}", answer, {"Bucket": name}, **at)
        self.files.setdefault((account, GLOBAL, "s3control.get_public_access_block"), [
            ({"AccountId": account}, {"Error": "NoSuchPublicAccessBlockConfiguration"})])  # fmt: skip
        return self

    def secret(self, name: str = "token", key: str = "", *statements: Row) -> Answers:
        uid = f"arn:aws:secretsmanager:{R}:{A}:secret:{name}-AbCdEf"
        row: Row = {"ARN": uid, "Name": name, "Tags": []}
        own = {"ResourcePolicy": document(*statements)} if statements else {}
        self.lists("secretsmanager.list_secrets", "SecretList",
                   {**row, "KmsKeyId": key} if key else row)  # fmt: skip
        return self.says("secretsmanager.get_resource_policy", {"ARN": uid, "Name": name, **own},
                         {"SecretId": uid})  # fmt: skip

    def key(self, name: str = "k1", *statements: Row, grants: list[Row] | None = None,
            manager: str = "CUSTOMER") -> Answers:  # fmt: skip
        """A key of KMS; without statements its account decides by policies."""
        uid = f"arn:aws:kms:{R}:{A}:key/{name}"
        own = statements or ({**allow("kms:*"), "Principal": {"AWS": root()}},)
        self.lists("kms.list_keys", "Keys", {"KeyId": name, "KeyArn": uid})
        self.says("kms.describe_key", {"KeyMetadata": {
            "KeyId": name, "Arn": uid, "AWSAccountId": A, "Enabled": True, "KeyState": "Enabled",
            "KeyManager": manager}}, {"KeyId": name})  # fmt: skip
        self.says("kms.get_key_policy", {"Policy": document(*own)}, {"KeyId": name})
        if grants is not None:
            self.says("kms.list_grants", {"Grants": grants}, {"KeyId": name})
        return self

    def function(
        self, name: str, role: str, url: str = "", *statements: Row, **more: Any
    ) -> Answers:
        """url: how callers of its address sign in, NONE or AWS_IAM; none where it has no address."""
        uid = f"arn:aws:lambda:{R}:{A}:function:{name}"
        missing = {"Error": "ResourceNotFoundException"}
        self.lists("lambda.list_functions", "Functions", {
            "FunctionName": name, "FunctionArn": uid, "Role": role_arn(role), "PackageType": "Zip",
            "Runtime": "python3.13", **more})  # fmt: skip
        self.says("lambda.get_function_url_config", {
            "FunctionUrl": f"https://{name}.lambda-url.{R}.on.aws/", "FunctionArn": uid,
            "AuthType": url} if url else missing, {"FunctionName": name})  # fmt: skip
        policy = {"Policy": document(*statements)} if statements else missing
        return self.says("lambda.get_policy", policy, {"FunctionName": name})

    def repository(self, name: str = "app", **more: Any) -> Answers:
        """Images in ECR, at `image(name)`."""
        return self.lists("ecr.describe_repositories", "repositories", {
            "repositoryArn": f"arn:aws:ecr:{R}:{A}:repository/{name}", "repositoryName": name,
            "registryId": A, "repositoryUri": image(name), **more})  # fmt: skip

    def task(self, name: str, role: str, image: str, **more: Any) -> Answers:
        """A service of ECS on Fargate with one container; more: of its definition."""
        home = f"arn:aws:ecs:{R}:{A}:"
        definition, cluster = f"{home}task-definition/{name}:1", f"{home}cluster/c"
        self.says("ecs.list_clusters", {"clusterArns": [cluster]})
        self.says("ecs.describe_services", {"services": [{
            "serviceArn": f"{home}service/c/{name}", "serviceName": name, "clusterArn": cluster,
            "taskDefinition": definition, "desiredCount": 1, "runningCount": 1, "status": "ACTIVE",
            "launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": {
                "subnets": ["subnet-private"], "securityGroups": ["sg-task"],
                "assignPublicIp": "DISABLED"}}}]}, {"cluster": cluster, "services": [name]})  # fmt: skip
        return self.says("ecs.describe_task_definition", {"taskDefinition": {
            "taskDefinitionArn": definition, "family": name, "revision": 1, "status": "ACTIVE",
            "taskRoleArn": role_arn(role), "networkMode": "awsvpc",
            "containerDefinitions": [{"name": name, "image": image}], **more,
        }}, {"taskDefinition": definition})  # fmt: skip

    def snapshot(self, key: str = "") -> Answers:
        """A restricted snapshot of a volume, snap-1."""
        row = {"SnapshotId": "snap-1", "OwnerId": A, "Encrypted": bool(key), "State": "completed",
               "VolumeId": "vol-1", "Tags": [{"Key": "data_class", "Value": "restricted"}]}  # fmt: skip
        self.lists("ec2.describe_snapshots", "Snapshots", {**row, "KmsKeyId": key} if key else row)
        return self.says("ec2.describe_snapshot_attribute", {
            "SnapshotId": "snap-1", "CreateVolumePermissions": []},
            {"SnapshotId": "snap-1", "Attribute": "createVolumePermission"})  # fmt: skip

    def managed(self, *instances: str) -> Answers:
        """Machines whose agent of Systems Manager answers."""
        rows = [{"InstanceId": f"i-{n}", "PingStatus": "Online", "PlatformType": "Linux"}
                for n in instances]  # fmt: skip
        return self.lists("ssm.describe_instance_information", "InstanceInformationList", *rows)

    # What scanners say

    def balanced(self, port: int = 443, source: str = ANYONE, *, internal: bool = False) -> Answers:
        """An application balancer (BALANCER) whose group admits source to port, before a machine, i-back."""
        self.group("lb", (port, source)).instance(
            "back", public=False, port=8080, source="10.0.0.0/16"
        )
        scheme, place = ("internal", "private") if internal else ("internet-facing", "public")
        self.lists("elbv2.describe_load_balancers", "LoadBalancers", {
            "LoadBalancerArn": BALANCER, "LoadBalancerName": "lb", "Scheme": scheme, "VpcId": "vpc-1",
            "Type": "application", "State": {"Code": "active"}, "SecurityGroups": ["sg-lb"],
            "IpAddressType": "ipv4", "AvailabilityZones": [{"SubnetId": f"subnet-{place}"}]})  # fmt: skip
        self.says("elbv2.describe_listeners", {"Listeners": [{
            "ListenerArn": f"{ELB}listener/app/lb/1/2", "LoadBalancerArn": BALANCER, "Port": 443,
            "Protocol": "HTTPS", "DefaultActions": [{"Type": "forward", "TargetGroupArn": GROUP}]}]},
            {"LoadBalancerArn": BALANCER})  # fmt: skip
        self.lists("elbv2.describe_target_groups", "TargetGroups", {
            "TargetGroupArn": GROUP, "TargetGroupName": "tg", "Port": 8080, "Protocol": "HTTP",
            "VpcId": "vpc-1", "TargetType": "instance", "LoadBalancerArns": [BALANCER]})  # fmt: skip
        return self.says("elbv2.describe_target_health", {"TargetHealthDescriptions": [{
            "Target": {"Id": "i-back", "Port": 8080}, "TargetHealth": {"State": "healthy"}}]},
            {"TargetGroupArn": GROUP})  # fmt: skip

    def weakness(self, uid: str, **more: Any) -> Answers:
        self.weak.setdefault(uid, []).append(vulnerability(**more))
        return self

    def leak(self, opens: str, *, where: str = "repo:github.com/acme/shop", public: bool = True
             ) -> Answers:  # fmt: skip
        self.leaks.append(Leak(f"leak-{opens}", where, ".env", "AWS key", opens, public=public))
        return self

    # Read

    def estate(self) -> Estate:
        records = []
        for account, details in self.iam.items():
            records += _read(json.dumps(details).encode(), account, GLOBAL,
                             "iam.get_account_authorization_details.json")  # fmt: skip
        for (account, region, call), rows in self.files.items():
            if rows[0][0] is None:
                data, name = json.dumps(rows[0][1]).encode(), f"{call}.json"
            else:
                lines = (json.dumps({"request": q, "response": r}) for q, r in rows)
                data, name = "\n".join(lines).encode(), f"{call}.jsonl"
            records += _read(data, account, region, name)
        if self.objects:
            whole = {"apiVersion": "v1", "kind": "List", "items": self.objects}
            records += list(kubernetes.read(Report(json.dumps(whole).encode(), name="x.json",
                                                   options={"cluster": self.cluster})))  # fmt: skip
        return estate_of(records)

    def exposure(self) -> dict[str, RiskStatement]:
        return {s.resource: s for s in exposure(self.estate())}

    def world(self) -> World:
        estate = self.estate()
        public = {s.resource: list(s.evidence) for s in exposure(estate) if s.value == "yes"}
        return World(estate=estate, public=public, weaknesses=self.weak, leaks=self.leaks,
                     repositories=self.repositories, breached=self.breached)  # fmt: skip

    def ends_at(self, target: str) -> str:
        """yes where a certain path ends there, possible where only uncertain ones do, else no."""
        found = [p for p in routes.analyse(self.world()).paths if p.target == target]
        return "yes" if any(p.certain for p in found) else "possible" if found else "no"


def _inline(statements: tuple[Row, ...]) -> list[Row]:
    whole = {"Version": "2012-10-17", "Statement": list(statements)}
    return [{"PolicyName": "p", "PolicyDocument": whole}] if statements else []


def _read(data: bytes, *place: str) -> list[Any]:
    return list(aws.read(Report(data, place[-1], place)))
