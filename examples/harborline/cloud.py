"""Builds the two AWS accounts in a mock cloud and reads them back as the AWS API answers.

Needs `moto[server]` and boto3 (examples/requirements.txt) and no network. What the mock does not
implement is simply absent from the estate, as a call that nobody made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions

from harborline.description import DEV, DOMAIN, IMAGES, PROD, REGION, REGISTRY, VERSIONS

_ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]
_COMPUTE = {"Service": "ec2.amazonaws.com"}


def session(endpoint: str, account: str) -> Callable[[str], Any]:
    """Clients of one account of the mock."""
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": REGION}
    sts = boto3.client("sts", endpoint_url=endpoint, **keys)
    role = f"arn:aws:iam::{account}:role/reader"
    got = sts.assume_role(RoleArn=role, RoleSessionName="make-estate")["Credentials"]
    keys["aws_access_key_id"] = got["AccessKeyId"]
    keys["aws_secret_access_key"] = got["SecretAccessKey"]
    keys["aws_session_token"] = got["SessionToken"]

    def client(service: str) -> Any:
        made = boto3.client(service, endpoint_url=endpoint, **keys)
        # S3 Control puts the account before the host name, and the mock has one name only.
        made.meta.events.register("before-send.s3-control", _on_the_mock)
        return made

    return client


def _on_the_mock(request: Any, **_: Any) -> None:
    request.url = re.sub(r"//\d{12}\.", "//", request.url)


def _tags(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _specification(kind: str, **tags: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": _tags(**tags)}]


def _trust(principal: dict[str, Any], action: str = "sts:AssumeRole", **rest: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **rest}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class _Network:
    """A VPC with a public and a private subnet in two zones."""

    def __init__(self, ec2: Any, name: str, block: str) -> None:
        self.ec2 = ec2
        self.vpc = ec2.create_vpc(
            CidrBlock=f"{block}.0.0/16", TagSpecifications=_specification("vpc", Name=name)
        )["Vpc"]["VpcId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        self.public = [self._subnet(f"{block}.{i}.0/24", zone) for i, zone in ((1, "a"), (2, "b"))]
        self.private = [
            self._subnet(f"{block}.{i}.0/24", zone) for i, zone in ((11, "a"), (12, "b"))
        ]
        table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        for subnet in self.public:
            ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)

    def _subnet(self, block: str, zone: str) -> str:
        answer = self.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=block, AvailabilityZone=f"{REGION}{zone}"
        )
        return str(answer["Subnet"]["SubnetId"])

    def group(self, name: str, port: int, **source: Any) -> str:
        """A security group that lets one port in from a range or from another group."""
        group = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)[
            "GroupId"
        ]
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **source}
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        return str(group)

    def instance(
        self, name: str, subnet: str, group: str, public: bool, profile: str = "", **tags: str
    ) -> str:
        more: dict[str, Any] = {"IamInstanceProfile": {"Name": profile}} if profile else {}
        answer = self.ec2.run_instances(
            ImageId=self.ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"],
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.small",
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": subnet,
                    "Groups": [group],
                    "AssociatePublicIpAddress": public,
                }
            ],
            TagSpecifications=_specification("instance", Name=name, **tags),
            **more,
        )
        return str(answer["Instances"][0]["InstanceId"])

    def own_image(self) -> None:
        """The mock has no machine image of its own: one is made from a passing instance."""
        answer = self.ec2.run_instances(
            ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=self.private[0]
        )
        instance = answer["Instances"][0]["InstanceId"]
        self.ec2.create_image(InstanceId=instance, Name="harborline-base")
        self.ec2.terminate_instances(InstanceIds=[instance])


def _role(iam: Any, name: str, trust: str, profile: bool = False, **tags: str) -> str:
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=_tags(**tags))[
        "Role"
    ]["Arn"]
    if profile:
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return str(arn)


def build_production(client: Callable[[str], Any]) -> None:
    ec2, iam, s3 = client("ec2"), client("iam"), client("s3")
    net = _Network(ec2, "harborline-prod", "10.40")
    net.own_image()
    prod = {"env": "prod"}

    # The jump host: open to the world, and its role may do everything. The worst of habits.
    _role(iam, "jump-admin", _trust(_COMPUTE), profile=True, team="platform", **prod)
    iam.attach_role_policy(
        RoleName="jump-admin", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    ssh = net.group("jump-ssh", 22, IpRanges=_ANYWHERE)
    net.instance("jump", net.public[0], ssh, True, "jump-admin", team="platform", **prod)

    # The front door: load balancer -> proxy containers, nothing else reaches them.
    door = net.group("edge-door", 443, IpRanges=_ANYWHERE)
    inner = net.group("edge-proxy", 8443, UserIdGroupPairs=[{"GroupId": door}])
    _edge(client, net, door, inner)

    # Looks public, is not: the database says PubliclyAccessible, no rule lets anybody in.
    closed = net.group("booking-db", 5432, IpRanges=[{"CidrIp": "10.40.0.0/16"}])
    rds = client("rds")
    rds.create_db_subnet_group(
        DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=net.private
    )
    rds.create_db_instance(
        DBInstanceIdentifier="booking-db", DBInstanceClass="db.t3.small", Engine="postgres",
        AllocatedStorage=20, MasterUsername="booking", MasterUserPassword="not-a-real-one",
        PubliclyAccessible=True, VpcSecurityGroupIds=[closed], DBSubnetGroupName="data",
        StorageEncrypted=True, Tags=_tags(service="booking", **prod),
    )  # fmt: skip

    # Anybody may read and write the shipping labels.
    _bucket(s3, "harborline-shipping-labels", service="labels", team="warehouse", **prod)
    s3.delete_public_access_block(Bucket="harborline-shipping-labels")
    everything = "arn:aws:s3:::harborline-shipping-labels/*"
    s3.put_bucket_policy(
        Bucket="harborline-shipping-labels",
        Policy=_policy(
            {
                "Sid": "PrinterDrop", "Effect": "Allow", "Principal": "*",
                "Action": ["s3:GetObject", "s3:PutObject"], "Resource": everything,
            }
        ),
    )  # fmt: skip
    # Looks public, is not: the same policy, but the account's guard is on for this bucket.
    _bucket(s3, "harborline-docs-archive", service="docs", team="legal", **prod)
    s3.put_bucket_policy(
        Bucket="harborline-docs-archive",
        Policy=_policy(
            {
                "Sid": "OldShare", "Effect": "Allow", "Principal": "*",
                "Action": "s3:GetObject", "Resource": "arn:aws:s3:::harborline-docs-archive/*",
            }
        ),
    )  # fmt: skip
    s3.put_public_access_block(
        Bucket="harborline-docs-archive",
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"),
            True,
        ),
    )

    # The pipeline may make itself administrator: pass any role to a function it creates.
    provider = iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"],
        ThumbprintList=["a" * 40],
    )["OpenIDConnectProviderArn"]  # fmt: skip
    _role(
        iam, "ci-deploy",
        _trust(
            {"Federated": provider}, "sts:AssumeRoleWithWebIdentity",
            Condition={"StringLike": {
                "token.actions.githubusercontent.com:sub": "repo:harborline/booking-api:*",
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}},
        ),
        team="platform", **prod,
    )  # fmt: skip
    _attach(iam, "ci-deploy", "ci-deploy", _policy(
        {"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["lambda:CreateFunction", "lambda:InvokeFunction"],
         "Resource": "*"},
    ))  # fmt: skip
    _role(iam, "report-writer", _trust({"Service": "lambda.amazonaws.com"}), **prod)
    iam.attach_role_policy(
        RoleName="report-writer", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    # Looks privileged, is not: a name is no permission.
    _role(iam, "AdministratorHelpdesk", _trust(_COMPUTE), **prod)
    _attach(iam, "AdministratorHelpdesk", "helpdesk", _policy(
        {"Effect": "Allow", "Action": ["support:DescribeCases"], "Resource": "*"},
    ))  # fmt: skip
    iam.create_user(UserName="legacy-backup", Tags=_tags(team="platform", **prod))
    iam.attach_user_policy(
        UserName="legacy-backup", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )


def _attach(iam: Any, role: str, name: str, document: str) -> None:
    arn = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)


def _bucket(s3: Any, name: str, **tags: str) -> None:
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": _tags(**tags)})


def _edge(client: Callable[[str], Any], net: _Network, door: str, inner: str) -> None:
    iam, ecs, balancers = client("iam"), client("ecs"), client("elbv2")
    balancer = balancers.create_load_balancer(
        Name="edge", Subnets=net.public, SecurityGroups=[door], Scheme="internet-facing",
        Type="application", Tags=_tags(env="prod", service="edge-proxy"),
    )["LoadBalancers"][0]  # fmt: skip
    group = balancers.create_target_group(
        Name="edge-proxy", Protocol="HTTPS", Port=8443, VpcId=net.vpc, TargetType="ip",
        HealthCheckPath="/health",
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip
    certificate = client("acm").request_certificate(DomainName=DOMAIN)["CertificateArn"]
    balancers.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTPS", Port=443,
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )  # fmt: skip
    role = _role(iam, "edge-proxy", _trust({"Service": "ecs-tasks.amazonaws.com"}), env="prod")
    client("ecr").create_repository(repositoryName="edge-proxy", tags=_tags(env="prod"))
    image = f"{REGISTRY}/edge-proxy:{VERSIONS['edge-proxy']}@{IMAGES['edge-proxy']}"
    ecs.create_cluster(clusterName="edge", tags=[{"key": "env", "value": "prod"}])
    definition = ecs.register_task_definition(
        family="edge-proxy", networkMode="awsvpc", requiresCompatibilities=["FARGATE"],
        cpu="512", memory="1024", taskRoleArn=role, executionRoleArn=role,
        containerDefinitions=[{
            "name": "proxy", "image": image, "essential": True,
            "portMappings": [{"containerPort": 8443, "protocol": "tcp"}],
        }],
        tags=[{"key": "env", "value": "prod"}, {"key": "service", "value": "edge-proxy"}],
    )["taskDefinition"]["taskDefinitionArn"]  # fmt: skip
    ecs.create_service(
        cluster="edge", serviceName="edge-proxy", taskDefinition=definition, desiredCount=2,
        launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": group, "containerName": "proxy", "containerPort": 8443}],
        networkConfiguration={"awsvpcConfiguration": {
            "subnets": net.private, "securityGroups": [inner], "assignPublicIp": "DISABLED"}},
        tags=[{"key": "env", "value": "prod"}, {"key": "service", "value": "edge-proxy"}],
    )  # fmt: skip
    dns = client("route53")
    zone = dns.create_hosted_zone(Name="harborline.example", CallerReference="1")["HostedZone"]
    dns.change_resource_record_sets(
        HostedZoneId=zone["Id"],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
            "Name": DOMAIN, "Type": "A", "AliasTarget": {
                "HostedZoneId": "Z215JYRZR1TBD5", "DNSName": balancer["DNSName"],
                "EvaluateTargetHealth": False}}}]},
    )  # fmt: skip


def build_development(client: Callable[[str], Any]) -> None:
    """Mistakes without consequences: nothing here is reached, and nothing is production."""
    net = _Network(client("ec2"), "harborline-dev", "10.60")
    net.own_image()
    ssh = net.group("try-ssh", 22, IpRanges=_ANYWHERE)
    # A public address in a subnet without a way to the Internet.
    net.instance("build-box", net.private[0], ssh, True, env="dev", team="platform")
    _bucket(client("s3"), "harborline-dev-scratch", env="dev")
    client("s3").delete_public_access_block(Bucket="harborline-dev-scratch")


# -- reading back -----------------------------------------------------------------------------

_LISTS = {
    "global": [
        "iam.get_account_authorization_details", "iam.get_account_summary", "iam.list_users",
        "iam.list_open_id_connect_providers", "iam.get_account_password_policy",
        "route53.list_hosted_zones", "s3.list_buckets", "sts.get_caller_identity",
        "iam.list_instance_profiles",
    ],
    REGION: [
        "ec2.describe_instances", "ec2.describe_vpcs", "ec2.describe_subnets",
        "ec2.describe_route_tables", "ec2.describe_internet_gateways",
        "ec2.describe_network_acls", "ec2.describe_security_groups",
        "ec2.describe_network_interfaces", "ec2.describe_addresses", "ec2.describe_nat_gateways",
        "ec2.describe_vpc_peering_connections", "ec2.describe_vpc_endpoints",
        "ec2.describe_iam_instance_profile_associations",
        "elb.describe_load_balancers", "elbv2.describe_load_balancers",
        "elbv2.describe_target_groups",
        "ecs.list_clusters", "ecs.list_task_definitions", "ecr.describe_repositories",
        "rds.describe_db_instances", "rds.describe_db_subnet_groups", "lambda.list_functions",
        "resourcegroupstaggingapi.get_resources",
    ],
}  # fmt: skip
# operation -> (the list that names its subjects, how to ask for each)
_EACH = {
    "global": {
        "iam.list_access_keys": ("iam.list_users", "Users", lambda u: {"UserName": u["UserName"]}),
        "iam.list_mfa_devices": ("iam.list_users", "Users", lambda u: {"UserName": u["UserName"]}),
        "route53.list_resource_record_sets": (
            "route53.list_hosted_zones", "HostedZones", lambda z: {"HostedZoneId": z["Id"]}),
        **{
            f"s3.{operation}": ("s3.list_buckets", "Buckets", lambda b: {"Bucket": b["Name"]})
            for operation in (
                "get_bucket_acl", "get_bucket_policy", "get_bucket_policy_status",
                "get_public_access_block", "get_bucket_tagging", "get_bucket_location",
                "get_bucket_website", "get_bucket_ownership_controls",
            )
        },
    },
    REGION: {
        "elbv2.describe_listeners": ("elbv2.describe_load_balancers", "LoadBalancers",
                                     lambda b: {"LoadBalancerArn": b["LoadBalancerArn"]}),
        "elbv2.describe_target_health": ("elbv2.describe_target_groups", "TargetGroups",
                                         lambda g: {"TargetGroupArn": g["TargetGroupArn"]}),
        "elbv2.describe_tags": ("elbv2.describe_load_balancers", "LoadBalancers",
                                lambda b: {"ResourceArns": [b["LoadBalancerArn"]]}),
        "ecs.describe_clusters": ("ecs.list_clusters", "clusterArns",
                                  lambda c: {"clusters": [c], "include": ["TAGS"]}),
        "ecs.list_services": ("ecs.list_clusters", "clusterArns", lambda c: {"cluster": c}),
        "ecs.describe_services": ("ecs.list_clusters", "clusterArns", lambda c: {
            "cluster": c, "services": ["edge-proxy"], "include": ["TAGS"]}),
        "ecs.describe_task_definition": ("ecs.list_task_definitions", "taskDefinitionArns",
                                         lambda t: {"taskDefinition": t, "include": ["TAGS"]}),
    },
}  # fmt: skip


def read_back(client: Callable[[str], Any], account: str, folder: Path) -> None:
    """`inventory/ACCOUNT/REGION/SERVICE.OPERATION.json[l]`, as the AWS command line prints it."""
    for region, operations in _LISTS.items():
        target = folder / account / region
        target.mkdir(parents=True, exist_ok=True)
        answers: dict[str, Any] = {}
        for name in operations:
            answer = _call(client, name, {})
            if "Error" not in answer:
                answers[name] = answer
                _write(target / f"{name}.json", [answer], indent=1)
        if region == "global":
            name = "s3control.get_public_access_block"
            _write(target / f"{name}.json", [_call(client, name, {"AccountId": account})], indent=1)
        for name, (source, key, ask) in _EACH[region].items():
            lines = [
                {"request": ask(subject), "response": _call(client, name, ask(subject))}
                for subject in answers.get(source, {}).get(key, [])
            ]
            if lines:
                _write(target / f"{name}.jsonl", lines)


def _call(client: Callable[[str], Any], name: str, request: dict[str, Any]) -> dict[str, Any]:
    service, operation = name.split(".")
    try:
        answer: dict[str, Any] = getattr(client(service), operation)(**request)
    except botocore.exceptions.ClientError as error:
        return {"Error": error.response["Error"]["Code"]}
    answer.pop("ResponseMetadata", None)
    if name == "iam.get_account_authorization_details":
        answer["Policies"] = list(_used(answer))
    return answer


def _used(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    # The real API names only the AWS policies that somebody has; the mock names all.
    attached = {
        policy["PolicyArn"]
        for kind in ("UserDetailList", "GroupDetailList", "RoleDetailList")
        for principal in answer[kind]
        for policy in principal.get("AttachedManagedPolicies", ())
    }
    for policy in answer["Policies"]:
        if policy["Arn"] in attached or ":aws:policy/" not in policy["Arn"]:
            yield {"PolicyName": policy["Arn"].rpartition("/")[2], **policy}


def _write(path: Path, documents: list[Any], indent: int | None = None) -> None:
    lines = [json.dumps(d, default=str, indent=indent, sort_keys=True) for d in documents]
    path.write_text("\n".join(lines) + "\n")


def make_cloud(endpoint: str, folder: Path) -> None:
    """Both accounts, built and read back."""
    for account, build in ((PROD, build_production), (DEV, build_development)):
        client = session(endpoint, account)
        build(client)
        read_back(client, account, folder)
