"""Managed Kafka, message brokers, and APIs behind custom domains."""

from __future__ import annotations

from typing import Any

import pytest

from secinbox.estate import Estate, Item
from secinbox.network import exposure
from tests.test_network_services import ACCOUNT, EC2, REGION, Items, judged, network, permission

KAFKA = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/events/1"
BROKER = f"arn:aws:mq:{REGION}:{ACCOUNT}:broker:orders:b-1"
API = f"arn:aws:apigateway:{REGION}::/restapis/a1"
DOMAIN = f"arn:aws:apigateway:{REGION}::/domainnames/api.shop.test"


def _group(port: int, cidr: str = "0.0.0.0/0") -> Items:
    return {EC2 + "security-group/sg-mq": ("aws_ec2_security_group", {
        "GroupId": "sg-mq", "IpPermissions": [permission(port, port, cidr)]})}  # fmt: skip


def kafka(access: Any = "SERVICE_PROVIDED_EIPS", port: int = 9196, subnet: str = "subnet-pub",
          cidr: str = "0.0.0.0/0") -> str:  # fmt: skip
    node = {"ClientSubnets": [subnet], "SecurityGroups": ["sg-mq"],
            "ConnectivityInfo": {"PublicAccess": {"Type": access}}}  # fmt: skip
    items = network() | _group(port, cidr) | {
        KAFKA: ("aws_msk_cluster", {"ClusterName": "events", "BrokerNodeGroupInfo": node})}  # fmt: skip
    return judged(items)[KAFKA].value


def broker(port: int = 61617, cidr: str = "0.0.0.0/0", **more: Any) -> str:
    config = {"BrokerName": "orders", "PubliclyAccessible": True, "EngineType": "ACTIVEMQ",
              "SubnetIds": ["subnet-pub"], "SecurityGroups": ["sg-mq"], **more}  # fmt: skip
    items = network() | _group(port, cidr) | {BROKER: ("aws_mq_broker", config)}
    return judged(items)[BROKER].value


def test_kafka_with_public_access() -> None:
    assert kafka() == "yes"
    assert kafka("DISABLED") == "no"
    assert kafka(None) == "no"
    assert kafka(port=9092) == "no"
    assert kafka(cidr="203.0.113.0/24") == "no"
    assert kafka(subnet="subnet-priv") == "no"
    assert kafka(subnet="subnet-unread") == "unknown"


def test_a_broker_with_public_access() -> None:
    assert broker() == "yes"
    assert broker(PubliclyAccessible=False) == "no"
    assert broker(PubliclyAccessible=None) == "unknown"
    assert broker(port=22) == "no"
    assert broker(cidr="203.0.113.0/24") == "no"
    assert broker(SubnetIds=None) == "unknown"
    assert broker(port=22, EngineType="RABBITMQ", SecurityGroups=[]) == "yes"


@pytest.mark.parametrize(
    ("domain", "covered", "value"),
    [
        ({"get_base_path_mappings": {"items": [{"restApiId": "a1"}]}}, True, "yes"),
        ({"get_base_path_mappings": {"items": [{"restApiId": "b2"}]}}, True, "no"),
        ({"get_base_path_mappings": {"items": [{"restApiId": "a1"}]},
          "endpointConfiguration": {"types": ["PRIVATE"]}}, True, "no"),
        ({"get_api_mappings": {"Items": [{"ApiId": "a1"}]}}, True, "yes"),
        ({}, True, "unknown"),
        (None, True, "no"),
        (None, False, "unknown"),
    ],
)  # fmt: skip
def test_an_api_whose_own_endpoint_is_off(
    domain: dict[str, Any] | None, covered: bool, value: str
) -> None:
    api = {"id": "a1", "endpointConfiguration": {"types": ["REGIONAL"]},
           "disableExecuteApiEndpoint": True, "get_stages": {"item": [{"stageName": "live"}]},
           "get_resources": {"items": [{"path": "/", "resourceMethods": {
               "GET": {"authorizationType": "NONE"}}}]}}  # fmt: skip
    estate = Estate()
    estate.add(Item(API, "aws_apigateway_rest_api", "a", "aws", ACCOUNT, REGION, {}, api))
    if domain is not None:
        config = {"domainName": "api.shop.test", **domain}
        estate.add(Item(DOMAIN, "aws_apigateway_domain_name", "api.shop.test", "aws", ACCOUNT,
                        REGION, {}, config))  # fmt: skip
    if covered:
        estate.covered = {f"aws:{ACCOUNT}/{REGION}/apigateway.get_domain_names"}
    (found,) = [s for s in exposure(estate) if s.resource == API]
    assert found.value == value
    if value == "yes":
        assert found.evidence[0].source == "api.shop.test"
