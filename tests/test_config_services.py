"""Services in snapshots of AWS Config: a yes each, and its fields flipped."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from secinbox.iam import Escalation
from secinbox.inventory.aws_config.items import pascal
from tests.test_inventory_config import EC2, IAM, A, R, estate, item, network, public

ANYONE = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}  # fmt: skip
OURS = json.loads(json.dumps(ANYONE).replace('"Principal": "*"', f'"Principal": {{"AWS": "{A}"}}'))
Change = tuple[str, Any, str]  # field of the configuration, its value, the answer then


def thing(kind: str, uid: str, **values: Any) -> dict[str, Any]:
    return item(kind, uid.rpartition("/")[2], uid, values)


LB = f"arn:aws:elasticloadbalancing:{R}:{A}:loadbalancer/app/w/1"
LISTENER = f"arn:aws:elasticloadbalancing:{R}:{A}:listener/app/w/1/2"
REST = f"arn:aws:apigateway:{R}::/restapis/abc"
RUNNER = f"arn:aws:apprunner:{R}:{A}:service/w/1"
GRAPH = f"arn:aws:appsync:{R}:{A}:apis/g"
BROKER = f"arn:aws:mq:{R}:{A}:broker:b:b-1"
KAFKA = f"arn:aws:kafka:{R}:{A}:cluster/k/1"
VAULT = f"arn:aws:backup:{R}:{A}:backup-vault:v"
PACKAGES = f"arn:aws:codeartifact:{R}:{A}:repository/d/p"
POOL = f"arn:aws:cognito-identity:{R}:{A}:identitypool/{R}:1"
REGISTRY = f"arn:aws:ecr:{R}:{A}:repository/app"
CLUSTER = f"arn:aws:eks:{R}:{A}:cluster/c"
SEARCH = f"arn:aws:es:{R}:{A}:domain/d"
BUS = f"arn:aws:events:{R}:{A}:event-bus/b"
COPY = f"arn:aws:rds:{R}:{A}:snapshot:c"
CLUSTER_COPY = f"arn:aws:rds:{R}:{A}:cluster-snapshot:c"
DATABASE, DATABASES = f"arn:aws:rds:{R}:{A}:db:d1", f"arn:aws:rds:{R}:{A}:cluster:d"
POINT = f"arn:aws:s3:{R}:{A}:accesspoint/p"
QUEUE = f"arn:aws:sqs:{R}:{A}:q"
SECRET = f"arn:aws:secretsmanager:{R}:{A}:secret:s"
DISTRIBUTION = f"arn:aws:cloudfront::{A}:distribution/D"

SERVICES: list[tuple[str, list[dict[str, Any]], list[Change]]] = [
    (RUNNER, [thing("AWS::AppRunner::Service", RUNNER, ServiceArn=RUNNER, ServiceName="w", NetworkConfiguration={
        "IngressConfiguration": {"IsPubliclyAccessible": True}})],
     [("NetworkConfiguration", {"IngressConfiguration": {"IsPubliclyAccessible": False}}, "no"),
      ("NetworkConfiguration", None, "unknown")]),
    (GRAPH, [thing("AWS::AppSync::GraphQLApi", GRAPH, Arn=GRAPH, ApiId="g", Name="g", AuthenticationType="API_KEY",
                   GraphQLUrl="https://g")],
     [("AuthenticationType", "AWS_IAM", "no"), ("AuthenticationType", None, "unknown"),
      ("AdditionalAuthenticationProviders", [{"AuthenticationType": "AWS_IAM"}], "yes")]),
    (BROKER, [thing("AWS::AmazonMQ::Broker", BROKER, Arn=BROKER, Id="b-1", BrokerName="b", EngineType="RabbitMQ",
                    PubliclyAccessible=True)],
     [("PubliclyAccessible", False, "no"), ("PubliclyAccessible", None, "unknown")]),
    (KAFKA, [thing("AWS::MSK::Cluster", KAFKA, Arn=KAFKA, ClusterName="k", BrokerNodeGroupInfo={
        "ClientSubnets": ["subnet-1"], "SecurityGroups": ["sg-1"],
        "ConnectivityInfo": {"PublicAccess": {"Type": "SERVICE_PROVIDED_EIPS"}}}),
             *network(fromPort=0, toPort=65535)[1:]],
     [("BrokerNodeGroupInfo", {"ClientSubnets": ["subnet-1"], "SecurityGroups": ["sg-1"]}, "no"),
      ("BrokerNodeGroupInfo", None, "unknown")]),
    (VAULT, [thing("AWS::Backup::BackupVault", VAULT, BackupVaultArn=VAULT, BackupVaultName="v",
                   AccessPolicy=ANYONE)],
     [("AccessPolicy", OURS, "no"), ("AccessPolicy", None, "unknown")]),
    (PACKAGES, [thing("AWS::CodeArtifact::Repository", PACKAGES, Arn=PACKAGES, RepositoryName="p", DomainName="d",
                      PermissionsPolicyDocument=ANYONE)],
     [("PermissionsPolicyDocument", OURS, "no"), ("PermissionsPolicyDocument", None, "unknown")]),
    (POOL, [thing("AWS::Cognito::IdentityPool", POOL, Id=f"{R}:1", AllowUnauthenticatedIdentities=True)],
     [("AllowUnauthenticatedIdentities", False, "no"), ("AllowUnauthenticatedIdentities", None, "unknown")]),
    (REGISTRY, [thing("AWS::ECR::Repository", REGISTRY, Arn=REGISTRY, RepositoryName="app",
                      RepositoryPolicyText=ANYONE)],
     [("RepositoryPolicyText", OURS, "no"), ("RepositoryPolicyText", None, "unknown")]),
    (CLUSTER, [thing("AWS::EKS::Cluster", CLUSTER, Arn=CLUSTER, Name="c", ResourcesVpcConfig={
        "EndpointPublicAccess": True, "PublicAccessCidrs": ["0.0.0.0/0"]})],
     [("ResourcesVpcConfig", {"EndpointPublicAccess": False}, "no"),
      ("ResourcesVpcConfig", {"EndpointPublicAccess": True, "PublicAccessCidrs": ["203.0.113.0/24"]}, "no"),
      ("ResourcesVpcConfig", None, "unknown")]),
    (SEARCH, [thing("AWS::OpenSearch::Domain", SEARCH, Arn=SEARCH, DomainName="d", DomainEndpoint="d.es",
                    AccessPolicies=ANYONE)],
     [("AccessPolicies", OURS, "no"), ("VPCOptions", {"SubnetIds": ["subnet-1"]}, "no"),
      ("VPCOptions", {}, "yes")]),
    (SEARCH, [thing("AWS::Elasticsearch::Domain", SEARCH, arn=SEARCH, domainName="d",
                    accessPolicies=json.dumps(ANYONE))],
     [("accessPolicies", json.dumps(OURS), "no"), ("vpcoptions", {"vpcid": "vpc-1"}, "no")]),
    (BUS, [thing("AWS::Events::EventBus", BUS, Arn=BUS, Name="b", Policy=ANYONE)],
     [("Policy", OURS, "no"), ("Policy", "", "no")]),
    (CLUSTER_COPY, [item("AWS::RDS::DBClusterSnapshot", "c", CLUSTER_COPY, {
        "dbclusterSnapshotArn": CLUSTER_COPY, "dbclusterSnapshotIdentifier": "c"}, supplementaryConfiguration={
            "DBClusterSnapshotAttributes": [{"attributeName": "restore", "attributeValues": ["all"]}]})],
     [("supplementaryConfiguration", {"DBClusterSnapshotAttributes": [
         {"attributeName": "restore", "attributeValues": ["999988887777"]}]}, "no"),
      ("supplementaryConfiguration", {}, "unknown")]),
    (COPY, [item("AWS::RDS::DBSnapshot", "c", COPY, {"dBSnapshotArn": COPY, "dBSnapshotIdentifier": "c"},
                 supplementaryConfiguration={"DBSnapshotAttributes": [
                     {"attributeName": "restore", "attributeValues": ["all"]}]})],
     [("supplementaryConfiguration", {"DBSnapshotAttributes": []}, "no"),
      ("supplementaryConfiguration", {}, "unknown")]),
    (DATABASES, [thing("AWS::RDS::DBCluster", DATABASES, dbclusterArn=DATABASES, dbclusterIdentifier="d",
                       dbclusterMembers=[{"dbinstanceIdentifier": "d1"}]),
                 thing("AWS::RDS::DBInstance", DATABASE, dBInstanceArn=DATABASE, dBInstanceIdentifier="d1",
                       publiclyAccessible=True, dBInstanceStatus="available", endpoint={"port": 22},
                       vpcSecurityGroups=[{"vpcSecurityGroupId": "sg-1"}],
                       dBSubnetGroup={"subnets": [{"subnetIdentifier": "subnet-1"}]}), *network()[1:]],
     [("dbclusterMembers", [{"dbinstanceIdentifier": "other"}], "unknown")]),
    (REST, [thing("AWS::ApiGateway::RestApi", REST, id="abc", name="a",
                  endpointConfiguration={"types": ["PRIVATE"]})],
     [("endpointConfiguration", {"types": ["REGIONAL"]}, "unknown")]),
    (POINT, [thing("AWS::S3::AccessPoint", POINT, Arn=POINT, Name="p", Bucket="b", NetworkOrigin="VPC")],
     [("NetworkOrigin", "Internet", "unknown")]),
    (QUEUE, [thing("AWS::SQS::Queue", QUEUE, QueueUrl=f"https://sqs.{R}.amazonaws.com/{A}/q")], []),
    (SECRET, [thing("AWS::SecretsManager::Secret", SECRET, ARN=SECRET, Name="s")], []),
]  # fmt: skip
# What Config does not tell is unknown, whatever else it says.
START = {REST: "no", POINT: "no", QUEUE: "unknown", SECRET: "unknown"}


@pytest.mark.parametrize(
    ("uid", "items", "flips"), SERVICES, ids=[s[1][0]["resourceType"] for s in SERVICES]
)
def test_services(uid: str, items: list[dict[str, Any]], flips: list[Change]) -> None:
    assert public(*items).get(uid, "unknown") == START.get(uid, "yes")
    assert estate(*items).items[uid].tags["env"] == "prod"
    for field, value, wanted in flips:
        changed = deepcopy(items)
        target = changed[0] if field in changed[0] else changed[0]["configuration"]
        target[field] = value
        if value is None:
            del target[field]
        assert public(*changed).get(uid, "unknown") == wanted, (field, value)


def test_listeners_of_a_balancer_are_items_of_their_own() -> None:
    def front(*ports: int) -> list[dict[str, Any]]:
        group = network(fromPort=443, toPort=443)
        balancer = thing("AWS::ElasticLoadBalancingV2::LoadBalancer", LB, loadBalancerArn=LB,
                         loadBalancerName="w", scheme="internet-facing", type="application", vpcId="vpc-1",
                         state={"code": "active"}, securityGroups=[{"value": "sg-1"}],
                         availabilityZones=[{"subnetId": "subnet-1"}])  # fmt: skip
        listeners = [thing("AWS::ElasticLoadBalancingV2::Listener", f"{LISTENER}{p}", Port=p, Protocol="HTTPS",
                           ListenerArn=f"{LISTENER}{p}", LoadBalancerArn=LB,
                           DefaultActions=[{"Type": "fixed-response"}]) for p in ports]  # fmt: skip
        return [*group[1:], balancer, *listeners]

    assert public(*front(80, 443))[LB] == "yes"
    assert public(*front(443, 80))[LB] == "yes"
    assert public(*front(80))[LB] == "no"


def test_a_distribution_shows_what_stands_behind_it() -> None:
    def served(enabled: bool) -> list[dict[str, Any]]:
        config = {"enabled": enabled, "origins": {"items": [{
            "id": "api", "domainName": "origin.example.com", "customOriginConfig": {
                "httpPort": 80, "httpsPort": 443, "originProtocolPolicy": "https-only"}}]},
            "defaultCacheBehavior": {"targetOriginId": "api", "trustedSigners": {"enabled": False},
                                     "trustedKeyGroups": {"enabled": False}}}  # fmt: skip
        return [thing("AWS::CloudFront::Distribution", DISTRIBUTION, arn=DISTRIBUTION, id="D",
                      domainName="d.cloudfront.net", distributionConfig=config)]  # fmt: skip

    assert public(*served(True))[DISTRIBUTION] == "yes"
    assert public(*served(False))[DISTRIBUTION] == "no"
    found = estate(*served(True)).items[DISTRIBUTION].config
    assert found["Origins"]["Items"][0]["CustomOriginConfig"]["HTTPSPort"] == 443


def test_an_api_and_its_stages() -> None:
    stage = item("AWS::ApiGateway::Stage", "x", f"{REST}/stages/live", {"stageName": "live"})
    other = item("AWS::ApiGateway::Stage", "y", f"{REST}/stages/test", {"stageName": "test"})
    api = thing("AWS::ApiGateway::RestApi", REST, id="abc", name="a")
    found = estate(stage, api, other).items[REST].config["get_stages"]
    assert {s["stageName"] for s in found["item"]} == {"live", "test"}


def test_what_runs_by_itself_is_followed() -> None:
    group = f"arn:aws:autoscaling:{R}:{A}:autoScalingGroup:1:autoScalingGroupName/g"
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip

    def allowed(*actions: str) -> list[dict[str, Any]]:
        document = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}  # fmt: skip
        return [{"policyName": "p", "policyDocument": json.dumps(document)}]

    def can(version: str) -> bool:
        found = estate(
            item("AWS::IAM::User", "AIDA1", f"{IAM}:user/x", {
                "arn": f"{IAM}:user/x", "userName": "x", "userId": "AIDA1", "path": "/", "groupList": [],
                "attachedManagedPolicies": [],
                "userPolicyList": allowed("ec2:CreateLaunchTemplateVersion", "iam:PassRole")}),
            item("AWS::IAM::Role", "AROA1", f"{IAM}:role/admin", {
                "arn": f"{IAM}:role/admin", "roleName": "admin", "roleId": "AROA1", "path": "/",
                "assumeRolePolicyDocument": json.dumps(trust), "attachedManagedPolicies": [],
                "instanceProfileList": [{"arn": f"{IAM}:instance-profile/admin", "instanceProfileName": "admin"}],
                "rolePolicyList": allowed("*")}),
            thing("AWS::EC2::LaunchTemplate", f"{EC2}:launch-template/lt-1", Id="lt-1", LaunchTemplateName="t",
                  DefaultVersionNumber=1, LatestVersionNumber=1,
                  LaunchTemplateData={"IamInstanceProfile": {"Name": "admin"}}),
            thing("AWS::AutoScaling::AutoScalingGroup", group, autoScalingGroupARN=group, autoScalingGroupName="g",
                  desiredCapacity=1, launchTemplate={"launchTemplateId": "lt-1", "version": version}),
        )  # fmt: skip
        return Escalation(found).way(f"{IAM}:user/x") is not None

    assert can("$Latest")
    assert not can("1")


def test_names_are_those_of_the_api() -> None:
    told = {"dbclusterArn": 1, "dBInstanceArn": 2, "dbiResourceId": 3, "vpcId": 4, "vpcoptions": {"vpcid": 5},
            "iamdatabaseAuthenticationEnabled": 6, "ssedescription": {"kmsmasterKeyArn": 7}, "dnsname": 8,
            "vpcSecurityGroups": [{"value": "sg"}], "dbsubnetGroup": 9, "dbname": 10,
            "tags": [{"key": "a", "value": "b"}]}  # fmt: skip
    assert pascal(told) == {
        "DBClusterArn": 1, "DBInstanceArn": 2, "DbiResourceId": 3, "VpcId": 4, "VPCOptions": {"VPCId": 5},
        "IAMDatabaseAuthenticationEnabled": 6, "SSEDescription": {"KMSMasterKeyArn": 7}, "DNSName": 8,
        "VpcSecurityGroups": ["sg"], "DBSubnetGroup": 9, "DBName": 10, "Tags": [{"Key": "a", "Value": "b"}],
    }  # fmt: skip


def test_a_peering_whose_state_is_one_word() -> None:
    uid = f"{EC2}:vpc-peering-connection/pcx-1"
    found = estate(
        thing(
            "AWS::EC2::VPCPeeringConnection", uid, vpcPeeringConnectionId="pcx-1", status="active"
        )
    )
    assert found.items[uid].config["Status"] == {"Code": "active"}


def test_anything_with_an_arn_is_a_resource_without_its_values() -> None:
    uid = f"arn:aws:cloudwatch:{R}:{A}:alarm:a"
    found = estate(thing("AWS::CloudWatch::Alarm", uid, secret="hunter2")).items[uid]
    assert (found.tags, "hunter2" in json.dumps(found.config)) == ({"env": "prod"}, False)
