"""Lightsail, EMR, caches, and services that are on their way out: each yes and its flips, from answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.answers import ANYONE, Answers
from tests.flips import holds
from tests.scenes import A, R

LIGHT = f"arn:aws:lightsail:{R}:{A}:"
HOST, STORE = f"{LIGHT}Instance/i", f"{LIGHT}Bucket/b"
DATABASE, SERVICE = f"{LIGHT}RelationalDatabase/d", f"{LIGHT}ContainerService/c"
EMR = f"arn:aws:elasticmapreduce:{R}:{A}:cluster/j-1"
MEMORY, DAX = f"arn:aws:memorydb:{R}:{A}:cluster/m", f"arn:aws:dax:{R}:{A}:cache/d"
BROKER, KAFKA = f"arn:aws:mq:{R}:{A}:broker:b:b-1", f"arn:aws:kafka:{R}:{A}:cluster/k/1"
Row = dict[str, Any]


def said(call: str, key: str, row: Row) -> Answers:
    return Answers().lists(call, key, row)


def host(**port: Any) -> Answers:
    rule = {"fromPort": 80, "toPort": 80, "protocol": "tcp", "accessDirection": "inbound", **port}
    return said("lightsail.get_instances", "instances", {
        "name": "i", "arn": HOST, "publicIpAddress": "198.51.100.7", "blueprintId": "b",
        "state": {"name": "running"}, "networking": {"ports": [rule]}})  # fmt: skip


def database(**more: Any) -> Answers:
    return said("lightsail.get_relational_databases", "relationalDatabases", {
        "name": "d", "arn": DATABASE, "publiclyAccessible": True, "state": "available",
        "relationalDatabaseBlueprintId": "mysql", "masterEndpoint": {"port": 3306}, **more})  # fmt: skip


def store(access: str = "public", overrides: bool = False) -> Answers:
    rules = {"getObject": access, "allowPublicOverrides": overrides}
    return said(
        "lightsail.get_buckets", "buckets", {"name": "b", "arn": STORE, "accessRules": rules}
    )


def container(endpoint: bool = True, **more: Any) -> Answers:
    deployed: Row = {"state": "ACTIVE", "containers": {"a": {}}}
    if endpoint:
        deployed["publicEndpoint"] = {"containerName": "a", "containerPort": 80}
    return said("lightsail.get_container_services", "containerServices", {
        "containerServiceName": "c", "arn": SERVICE, "state": "RUNNING", "isDisabled": False,
        "url": "https://c.test/", "currentDeployment": deployed, **more})  # fmt: skip


def emr(
    state: str = "WAITING", source: str = ANYONE, subnet: str = "public", told: bool = True
) -> Answers:
    found = Answers().group("m", (8088, source))
    row: Row = {"Id": "j-1", "Name": "e", "ClusterArn": EMR, "Status": {"State": state}}
    found.lists("emr.list_clusters", "Clusters", row)
    if told:
        found.says("emr.describe_cluster", {"Cluster": {
            **row, "MasterPublicDnsName": "ec2-198-51-100-7.compute.amazonaws.com",
            "Ec2InstanceAttributes": {"Ec2SubnetId": f"subnet-{subnet}",
                                      "EmrManagedMasterSecurityGroup": "sg-m"}}}, {"ClusterId": "j-1"})  # fmt: skip
    return found


def broker(state: str = "RUNNING") -> Answers:
    row = {"BrokerArn": BROKER, "BrokerId": "b-1", "BrokerName": "b", "BrokerState": state,
           "EngineType": "RABBITMQ"}  # fmt: skip
    return Answers().lists("mq.list_brokers", "BrokerSummaries", row).says(
        "mq.describe_broker", {**row, "PubliclyAccessible": True}, {"BrokerId": "b-1"})  # fmt: skip


def kafka(state: str = "ACTIVE") -> Answers:
    node = {"ClientSubnets": ["subnet-public"], "SecurityGroups": ["sg-k"],
            "ConnectivityInfo": {"PublicAccess": {"Type": "SERVICE_PROVIDED_EIPS"}}}  # fmt: skip
    return Answers().group("k", (9198, ANYONE)).lists("kafka.list_clusters", "ClusterInfoList", {
        "ClusterArn": KAFKA, "ClusterName": "k", "State": state, "BrokerNodeGroupInfo": node})  # fmt: skip


FLIPS: list[tuple[str, Answers, str, str, str]] = [
    ("a port for everyone", host(cidrs=[ANYONE]), HOST, "yes", "tcp 80"),
    ("a port without a limit", host(), HOST, "yes", "tcp 80"),
    ("a port for one address", host(cidrs=["203.0.113.4/32"]), HOST, "no", "203.0.113.4/32"),
    ("a port for the console's addresses", host(cidrs=[], cidrListAliases=["lightsail-connect"]), HOST, "no",
     "lightsail-connect"),
    ("a database in public mode", database(), DATABASE, "yes", "tcp 3306"),
    ("a database, public mode off", database(publiclyAccessible=False), DATABASE, "no", "public mode"),
    ("a database that is stopped", database(state="stopped"), DATABASE, "no", "stopped"),
    ("a database, not said", database(publiclyAccessible=None), DATABASE, "unknown", "public mode"),
    ("public objects", store(), STORE, "yes", "public"),
    ("private objects", store("private"), STORE, "no", "private"),
    ("objects that may say it themselves", store("private", True), STORE, "unknown", "by themselves"),
    ("a container with an endpoint", container(), SERVICE, "yes", "container a"),
    ("a container without one", container(False), SERVICE, "no", "no public endpoint"),
    ("a service that is disabled", container(isDisabled=True), SERVICE, "no", "disabled"),
    ("nothing deployed", container(currentDeployment=None), SERVICE, "no", "nothing"),
    ("a primary node", emr(), EMR, "yes", "tcp 8088"),
    ("a primary node for its network", emr(source="10.0.0.0/8"), EMR, "no", "sg-m"),
    ("a primary node in a private subnet", emr(subnet="private"), EMR, "no", "no route"),
    ("a cluster that ended", emr("TERMINATED"), EMR, "no", "terminated"),
    ("a cluster that nobody described", emr(told=False), EMR, "unknown", "not read"),
    ("MemoryDB", said("memorydb.describe_clusters", "Clusters", {"ARN": MEMORY, "Name": "m", "ACLName": "a"}),
     MEMORY, "no", "no public address"),
    ("DAX", said("dax.describe_clusters", "Clusters", {"ClusterArn": DAX, "ClusterName": "d"}), DAX, "no",
     "no public address"),
    ("a broker", broker(), BROKER, "yes", "5671"),
    ("a broker that goes", broker("DELETION_IN_PROGRESS"), BROKER, "no", "DELETION"),
    ("a cluster of Kafka", kafka(), KAFKA, "yes", "9198"),
    ("a cluster of Kafka that goes", kafka("DELETING"), KAFKA, "no", "deleting"),
]  # fmt: skip


@pytest.mark.parametrize(("flip", "made", "uid", "value", "told"), FLIPS, ids=[f[0] for f in FLIPS])
def test_flips(flip: str, made: Answers, uid: str, value: str, told: str) -> None:
    holds(made.exposure()[uid], value, told)
