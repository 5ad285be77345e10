"""Other names of AWS resources: addresses and DNS names, by type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from secinbox.records import Alias

_PRIVATE = 0.5  # the same private address and name exist in many networks


def aliases_of(kind: str, uid: str, element: Mapping[str, Any]) -> tuple[Alias, ...]:
    """Unique, in order."""
    seen: dict[str, Alias] = {}
    for alias in _aliases(kind, uid, element):
        if alias.name not in seen or seen[alias.name].confidence < alias.confidence:
            seen[alias.name] = alias
    return tuple(seen.values())


def _aliases(kind: str, uid: str, element: Mapping[str, Any]) -> Iterator[Alias]:
    if kind == "aws_ec2_instance":
        yield from _address(element.get("PublicIpAddress"))
        yield from _address(element.get("PrivateIpAddress"))
        yield from _dns(element.get("PublicDnsName"))
        yield from _dns(element.get("PrivateDnsName"), _PRIVATE)
        for interface in _list(element.get("NetworkInterfaces")):
            yield from _interface(interface)
    elif kind == "aws_ec2_network_interface":
        attachment = element.get("Attachment")
        # The addresses of an instance's interface are the instance's: two owners join neither.
        if not (isinstance(attachment, dict) and attachment.get("InstanceId")):
            yield from _interface(element)
    elif kind == "aws_ec2_elastic_ip":
        if not element.get("NetworkInterfaceId") and not element.get("InstanceId"):
            yield from _address(element.get("PublicIp"))
    elif kind in ("aws_elbv2_load_balancer", "aws_elb_load_balancer"):
        yield from _dns(element.get("DNSName"))
    elif kind == "aws_cloudfront_distribution":
        yield from _dns(element.get("DomainName"))
        others = element.get("Aliases")
        for name in _list(others.get("Items") if isinstance(others, dict) else None):
            yield from _dns(name)
    elif kind in ("aws_rds_instance", "aws_redshift_cluster"):
        endpoint = element.get("Endpoint")
        yield from _dns(endpoint.get("Address") if isinstance(endpoint, dict) else None)
    elif kind in ("aws_rds_cluster", "aws_opensearch_domain"):
        yield from _dns(element.get("Endpoint"))
        yield from _dns(element.get("ReaderEndpoint"))
    elif kind == "aws_eks_cluster":
        yield from _dns(element.get("endpoint"))
    elif kind == "aws_apprunner_service":
        yield from _dns(element.get("ServiceUrl"))
    elif kind == "aws_apigateway_rest_api" and element.get("id"):
        region = uid.split(":")[3]
        yield from _dns(f"{element['id']}.execute-api.{region}.amazonaws.com")
    elif kind == "aws_apigateway_api":
        yield from _dns(element.get("ApiEndpoint"))
    elif kind == "aws_lambda_function":
        url = element.get("get_function_url_config")
        yield from _dns(url.get("FunctionUrl") if isinstance(url, dict) else None)
    elif kind == "aws_s3_bucket":
        bucket = uid.rpartition(":")[2]
        yield from _dns(f"{bucket}.s3.amazonaws.com")


def _interface(interface: Any) -> Iterator[Alias]:
    if not isinstance(interface, dict):
        return
    for entry in [interface, *_list(interface.get("PrivateIpAddresses"))]:
        if isinstance(entry, dict):
            yield from _address(entry.get("PrivateIpAddress"))
            association = entry.get("Association")
            if isinstance(association, dict):
                yield from _address(association.get("PublicIp"))
    for entry in _list(interface.get("Ipv6Addresses")):
        if isinstance(entry, dict):
            yield from _address(entry.get("Ipv6Address"))


def _address(value: Any) -> Iterator[Alias]:
    if not isinstance(value, str) or not value:
        return
    try:
        address = ip_address(value)
    except ValueError:
        return
    yield Alias(f"ip:{address}", 1.0 if address.is_global else _PRIVATE)


def _dns(value: Any, confidence: float = 1.0) -> Iterator[Alias]:
    if not isinstance(value, str) or not value:
        return
    name = urlsplit(value).hostname if "://" in value else value
    if name:
        yield Alias(f"dns:{name.rstrip('.').lower()}", confidence)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
