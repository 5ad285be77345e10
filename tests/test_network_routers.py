"""Istio, Traefik, Contour, and node ports behind the firewall of a known machine."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from secinbox.estate import Estate, Item
from secinbox.network.kubernetes import exposure
from tests.test_network_kubernetes import Object, address, estate, judged, pod, service, thing

A, R = "111122223333", "eu-west-1"
READ = ("Service", "Ingress", "Pod", "Node", "NetworkPolicy", "Namespace", "Gateway")


def _of(group: str, kind: str, name: str, spec: Object, space: str = "shop", **more: Any) -> Object:
    return thing(kind, name, spec, space, **more) | {"apiVersion": group}


ISTIO = "networking.istio.io/v1"
PUBLIC = address(ip="198.51.100.20")


def router(name: str) -> list[Object]:
    """A router's pods, and a balancer before them."""
    labels = {"app": name, "app.kubernetes.io/name": name}
    made = pod(name, "edge")
    made["metadata"]["labels"] = labels
    front = service("LoadBalancer", name, "edge", status=PUBLIC)
    return [made, front]


def istio() -> list[Object]:
    gateway = _of(ISTIO, "Gateway", "gw", {"selector": {"app": "ingress"},
                                           "servers": [{"port": {"number": 443}}]}, "edge")  # fmt: skip
    virtual = _of(ISTIO, "VirtualService", "vs", {
        "gateways": ["edge/gw"], "hosts": ["shop.test"],
        "http": [{"route": [{"destination": {"host": "web.shop.svc.cluster.local"}}]}]})  # fmt: skip
    return [*router("ingress"), gateway, virtual, pod(), service("ClusterIP")]


def traefik() -> list[Object]:
    route = _of("traefik.io/v1alpha1", "IngressRoute", "ir", {"routes": [
        {"match": "Host(`shop.test`)", "services": [{"name": "web", "port": 443}]}]})  # fmt: skip
    return [*router("traefik"), route, pod(), service("ClusterIP")]


def contour() -> list[Object]:
    root = _of("projectcontour.io/v1", "HTTPProxy", "root", {
        "virtualhost": {"fqdn": "shop.test"}, "includes": [{"name": "leaf"}]}, status=PUBLIC)  # fmt: skip
    leaf = _of("projectcontour.io/v1", "HTTPProxy", "leaf", {"routes": [
        {"services": [{"name": "web", "port": 443}]}]})  # fmt: skip
    return [*router("envoy"), root, leaf, pod(), service("ClusterIP")]


def changed(objects: list[Object], kind: str, name: str, path: str, value: Any) -> list[Object]:
    made = deepcopy(objects)
    (target,) = [o for o in made if (o["kind"], o["metadata"]["name"]) == (kind, name)]
    *above, last = path.split("|")
    for key in above:
        target = target[int(key)] if isinstance(target, list) else target[key]
    target[last] = value
    return made


@pytest.mark.parametrize("made", [istio, traefik, contour])
def test_a_route_leads_to_its_pod(made: Any) -> None:
    found = judged(made(), READ)
    assert found["service/web"].value == "yes"
    assert found["pod/web"].value == "yes"
    assert any("→" in e.text for e in found["pod/web"].evidence)


@pytest.mark.parametrize(
    ("made", "kind", "name", "path", "value", "wanted"),
    [
        (istio, "VirtualService", "vs", "spec|gateways", ["mesh"], "no"),
        (istio, "VirtualService", "vs", "spec|gateways", [], "no"),
        (istio, "VirtualService", "vs", "spec|gateways", ["other/gw"], "unknown"),
        (istio, "VirtualService", "vs", "spec|http", [], "no"),
        (istio, "Gateway", "gw", "spec|selector", {"app": "nobody"}, "unknown"),
        (istio, "Service", "ingress", "spec|type", "ClusterIP", "no"),
        (istio, "Service", "ingress", "status", address(ip="10.1.2.3"), "no"),
        (traefik, "IngressRoute", "ir", "spec|routes", [], "no"),
        (traefik, "Service", "traefik", "spec|type", "ClusterIP", "no"),
        (traefik, "Service", "traefik", "spec|selector", {"app": "x"}, "unknown"),
        (contour, "HTTPProxy", "root", "spec|includes", [], "no"),
        (contour, "HTTPProxy", "root", "spec|virtualhost", {}, "no"),
        (contour, "HTTPProxy", "root", "status", {"currentStatus": "invalid"}, "no"),
        (contour, "Service", "envoy", "status", address(ip="10.1.2.3"), "no"),
    ],
)  # fmt: skip
def test_each_condition_closes_it(
    made: Any, kind: str, name: str, path: str, value: Any, wanted: str
) -> None:
    objects = changed(made(), kind, name, path, value)
    if path == "status" and name == "envoy":
        objects = changed(objects, "HTTPProxy", "root", "status", address(ip="10.1.2.3"))
    assert judged(objects, READ)["pod/web"].value == wanted


# Node ports


def machine(*, port: int = 30080, cidr: str = "0.0.0.0/0") -> list[Item]:
    def item(kind: str, word: str, identifier: str, config: dict[str, Any]) -> Item:
        return Item(f"arn:aws:ec2:{R}:{A}:{word}/{identifier}", kind, identifier, "aws", A, R, {},
                    config)  # fmt: skip

    rule = {"RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0", "RuleNumber": 1}
    return [
        item("aws_ec2_instance", "instance", "i-0abc", {
            "InstanceId": "i-0abc", "State": {"Name": "running"}, "SubnetId": "subnet-1",
            "NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1",
                                   "Groups": [{"GroupId": "sg-1"}],
                                   "Association": {"PublicIp": "198.51.100.9"}}]}),
        item("aws_ec2_subnet", "subnet", "subnet-1", {"SubnetId": "subnet-1", "VpcId": "vpc-1"}),
        item("aws_ec2_route_table", "route-table", "rtb-1", {
            "RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": True}],
            "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}]}),
        item("aws_ec2_network_acl", "network-acl", "acl-1", {
            "NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": True,
            "Entries": [{**rule, "Egress": False}, {**rule, "Egress": True}]}),
        item("aws_ec2_security_group", "security-group", "sg-1", {
            "GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": [
                {"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
                 "IpRanges": [{"CidrIp": cidr}]}]}),
    ]  # fmt: skip


def _nodes(kind: str, items: list[Item]) -> Estate:
    node = thing("Node", "n1", {"providerID": f"aws:///{R}a/i-0abc"}, "", status={"addresses": [
        {"type": "ExternalIP", "address": "198.51.100.9"}]})  # fmt: skip
    front = service("NodePort")
    front["spec"]["ports"][0]["nodePort"] = 30080
    host = pod()
    if kind == "hostPort":
        host["spec"]["containers"][0]["ports"][0]["hostPort"] = 30080
    objects = [node, host, *([front] if kind == "NodePort" else [])]
    found = estate(objects, READ)
    for item in items:
        found.add(item, [item.name])
    return found


def _judged(kind: str, items: list[Item]) -> str:
    return {s.resource: s.value for s in exposure(_nodes(kind, items))}["k8s://c/shop/pod/web"]


@pytest.mark.parametrize("kind", ["NodePort", "hostPort"])
def test_the_firewall_of_the_node_decides(kind: str) -> None:
    assert _judged(kind, machine()) == "yes"
    assert _judged(kind, machine(port=22)) == "no"
    assert _judged(kind, machine(cidr="203.0.113.0/24")) == "no"
    # Without the machine a node port is believed, a port of the host is not known.
    assert _judged(kind, []) == ("yes" if kind == "NodePort" else "unknown")
