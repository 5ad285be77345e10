"""Balancers, lent addresses, lists and distributions of a Terraform state, one field flipped at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.test_inventory_terraform import EC2, A, Blocks, R, estate, network, plan, public, state

ELB = f"arn:aws:elasticloadbalancing:{R}:{A}"
LB, GROUP, LISTENER = (
    f"{ELB}:loadbalancer/app/w/1",
    f"{ELB}:targetgroup/w/2",
    f"{ELB}:listener/app/w/1/3",
)
INSTANCE = f"{EC2}:instance/i-1"
ANYONE = {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]}


def behind(**balancer: Any) -> Blocks:
    """An instance without an address of its own behind a balancer; nothing by default."""
    found = network()
    found["aws_instance"][0].update(public_ip="", vpc_security_group_ids=["sg-2"])
    found["aws_eip"] = []
    for name, rule in (("sg-lb", ANYONE), ("sg-2", {
        "protocol": "tcp", "from_port": 80, "to_port": 80, "security_groups": ["sg-lb"]})):  # fmt: skip
        found["aws_security_group"].append({
            "id": name, "arn": f"{EC2}:security-group/{name}", "name": name, "vpc_id": "vpc-1",
            "owner_id": A, "ingress": [rule]})  # fmt: skip
    found["aws_lb"] = [{
        "id": LB, "arn": LB, "name": "w", "internal": False, "load_balancer_type": "application",
        "security_groups": ["sg-lb"], "subnets": ["subnet-1"], "vpc_id": "vpc-1",
        "dns_name": "w.elb.amazonaws.com", "ip_address_type": "ipv4", **balancer}]  # fmt: skip
    found["aws_lb_listener"] = [{
        "id": LISTENER, "arn": LISTENER, "load_balancer_arn": LB, "port": 443, "protocol": "HTTPS",
        "default_action": [{"type": "fixed-response"}]}]  # fmt: skip
    found["aws_lb_target_group"] = [{
        "id": GROUP, "arn": GROUP, "name": "w", "port": 80, "protocol": "HTTP", "vpc_id": "vpc-1",
        "target_type": "instance"}]  # fmt: skip
    found["aws_lb_target_group_attachment"] = [
        {"id": "a", "target_group_arn": GROUP, "target_id": "i-1", "port": 80}
    ]
    return found


def rule(priority: int, action: dict[str, Any], **condition: list[str]) -> dict[str, Any]:
    arn = f"{LISTENER}/{priority}"
    given = [{name: [{"values": values}]} for name, values in condition.items()]
    return {"id": arn, "arn": arn, "listener_arn": LISTENER, "priority": priority,
            "condition": given, "action": [action]}  # fmt: skip


FORWARD = {"type": "forward", "target_group_arn": GROUP}
REFUSE = {"type": "fixed-response"}


def weighted(weight: int) -> dict[str, Any]:
    return {"type": "forward", "forward": [{"target_group": [{"arn": GROUP, "weight": weight}]}]}


@pytest.mark.parametrize("made", [state, plan])
@pytest.mark.parametrize(
    ("rules", "value"),
    [
        ([], "no"),
        ([rule(1, FORWARD, path_pattern=["/api/*"])], "yes"),
        ([rule(1, FORWARD, source_ip=["203.0.113.0/24"])], "no"),
        ([rule(1, FORWARD, source_ip=["0.0.0.0/0"])], "yes"),
        ([rule(2, FORWARD, host_header=["a"]), rule(1, REFUSE, path_pattern=["*"])], "no"),
        ([rule(1, FORWARD, host_header=["a"]), rule(2, REFUSE, path_pattern=["*"])], "yes"),
        ([rule(1, weighted(1), host_header=["a"])], "yes"),
        ([rule(1, weighted(0), host_header=["a"])], "no"),
    ],
)
def test_rules_of_a_listener(
    made: Callable[[Blocks], dict[str, Any]], rules: list[dict[str, Any]], value: str
) -> None:
    found = public(estate({**behind(), "aws_lb_listener_rule": rules}, made))
    assert (found[LB], found[INSTANCE]) == ("yes", value)


@pytest.mark.parametrize(("kept", "value"), [("true", "no"), ("false", "yes"), (None, "no")])
def test_whether_a_network_balancer_keeps_the_client(kept: str | None, value: str) -> None:
    blocks = behind(load_balancer_type="network")
    blocks["aws_lb_listener"][0].update(protocol="TCP", default_action=[FORWARD])
    blocks["aws_lb_target_group"][0].update(protocol="TCP", preserve_client_ip=kept)
    blocks["aws_security_group"][-1]["ingress"] = [
        {"protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_blocks": ["10.0.0.0/16"]}
    ]
    assert public(estate(blocks))[INSTANCE] == value


@pytest.mark.parametrize(("kind", "value"), [("dualstack", "unknown"), ("ipv4", "no")])
def test_a_balancer_with_rules_for_ipv6_only(kind: str, value: str) -> None:
    """That it does not deny the Internet in IPv6 stands in no state."""
    blocks = behind(ip_address_type=kind)
    blocks["aws_route"].append({"id": "r-6", "route_table_id": "rtb-1", "gateway_id": "igw-1",
                                "destination_ipv6_cidr_block": "::/0"})  # fmt: skip
    for side in ("ingress", "egress"):
        blocks["aws_default_network_acl"][0][side].append({
            "protocol": "-1", "action": "allow", "rule_no": 101, "ipv6_cidr_block": "::/0"})  # fmt: skip
    blocks["aws_security_group"][1]["ingress"] = [
        {"protocol": "tcp", "from_port": 443, "to_port": 443, "ipv6_cidr_blocks": ["::/0"]}
    ]
    assert public(estate(blocks))[LB] == value


@pytest.mark.parametrize(
    ("kind", "fields", "value"),
    [
        ("aws_eip_association", {"instance_id": "i-1", "public_ip": "198.51.100.9"}, "yes"),
        (
            "aws_eip_association",
            {"network_interface_id": "eni-1", "public_ip": "198.51.100.9"},
            "yes",
        ),
        ("aws_eip", {"network_interface": "eni-1", "public_ip": "198.51.100.9"}, "yes"),
        ("aws_eip_association", {"instance_id": "i-2", "public_ip": "198.51.100.9"}, "no"),
        ("aws_eip", {"instance": "", "public_ip": "198.51.100.9"}, "no"),
    ],
)
def test_an_address_that_is_lent(kind: str, fields: dict[str, Any], value: str) -> None:
    blocks = network()
    blocks["aws_instance"][0].update(public_ip="", primary_network_interface_id="eni-1")
    blocks["aws_eip"] = []
    blocks[kind] = [{"id": "x", **fields}]
    assert public(estate(blocks))[INSTANCE] == value


@pytest.mark.parametrize("attached", ["i-1", "i-2"])
def test_a_second_interface(attached: str) -> None:
    blocks = network()
    blocks["aws_instance"][0].update(public_ip="", vpc_security_group_ids=[])
    blocks["aws_eip"] = [{"id": "e", "public_ip": "198.51.100.9", "network_interface": "eni-2"}]
    blocks["aws_network_interface"] = [{
        "id": "eni-2", "arn": f"{EC2}:network-interface/eni-2", "subnet_id": "subnet-1",
        "security_groups": ["sg-1"], "private_ip": "10.0.1.9", "attachment": []}]  # fmt: skip
    blocks["aws_network_interface_attachment"] = [
        {"id": "t", "instance_id": attached, "network_interface_id": "eni-2", "device_index": 1}
    ]
    assert public(estate(blocks))[INSTANCE] == ("yes" if attached == "i-1" else "no")


@pytest.mark.parametrize(
    ("cidrs", "value"), [(["0.0.0.0/0"], "yes"), (["203.0.113.0/24"], "no"), ([], "unknown")]
)
def test_a_prefix_list(cidrs: list[str], value: str) -> None:
    blocks = network()
    blocks["aws_security_group"][0]["ingress"] = [
        {"protocol": "tcp", "from_port": 22, "to_port": 22, "prefix_list_ids": ["pl-1"]}
    ]
    blocks["aws_ec2_managed_prefix_list"] = [{
        "id": "pl-1", "arn": f"{EC2}:prefix-list/pl-1", "name": "ours", "owner_id": A,
        "entry": [{"cidr": c} for c in cidrs]}]  # fmt: skip
    assert public(estate(blocks))[INSTANCE] == value


def excluded(**fields: str) -> dict[str, Any]:
    return {"id": "x", "internet_gateway_exclusion_mode": "allow-bidirectional", **fields}


@pytest.mark.parametrize(
    ("exclusions", "value"),
    [
        ([], "unknown"),  # another state may hold them
        ([excluded(vpc_id="vpc-1")], "yes"),
        ([excluded(subnet_id="subnet-1")], "yes"),
        ([excluded(vpc_id="vpc-2")], "no"),
        ([excluded(vpc_id="vpc-1", internet_gateway_exclusion_mode="allow-egress")], "no"),
    ],
)
def test_a_vpc_that_is_blocked(exclusions: list[dict[str, Any]], value: str) -> None:
    blocks = network()
    blocks["aws_vpc_block_public_access_options"] = [
        {"id": R, "internet_gateway_block_mode": "block-ingress"}
    ]
    blocks["aws_vpc_block_public_access_exclusion"] = exclusions
    assert public(estate(blocks))[INSTANCE] == value


@pytest.mark.parametrize(("keys", "value"), [([], "yes"), (["k"], "unknown")])
def test_a_distribution_before_a_balancer(keys: list[str], value: str) -> None:
    blocks = behind()
    blocks["aws_security_group"][1]["ingress"] = [
        {"protocol": "tcp", "from_port": 443, "to_port": 443, "prefix_list_ids": ["pl-1"]}
    ]
    blocks["aws_lb_listener"][0]["default_action"] = [FORWARD]
    blocks["aws_cloudfront_distribution"] = [{
        "id": "D1", "arn": f"arn:aws:cloudfront::{A}:distribution/D1", "enabled": True,
        "domain_name": "d1.cloudfront.net",
        "origin": [{"origin_id": "o", "domain_name": "w.elb.amazonaws.com", "custom_origin_config": [
            {"http_port": 80, "https_port": 443, "origin_protocol_policy": "https-only"}]}],
        "default_cache_behavior": [{"target_origin_id": "o", "trusted_key_groups": keys}]}]  # fmt: skip
    document = state(blocks)
    # The list is Amazon's own: data, which the state has only read.
    document["resources"].append({
        "mode": "data", "type": "aws_ec2_managed_prefix_list", "name": "edge", "instances": [
            {"attributes": {"id": "pl-1", "arn": f"{EC2}:prefix-list/pl-1",
                            "name": "com.amazonaws.global.cloudfront.origin-facing"}}]})  # fmt: skip
    found = public(estate(blocks, lambda _: document))
    # Behind signatures: nobody listed all distributions, and another may lead there.
    assert found[LB] == found[INSTANCE] == value


def test_namesakes_of_two_regions() -> None:
    """Databases and functions of one name in two regions, each with its own subnets and permissions."""
    blocks = network()
    far = "us-east-1"
    blocks["aws_subnet"][0]["availability_zone"] = f"{R}a"
    for region, subnet in ((R, "subnet-1"), (far, "subnet-far")):
        blocks.setdefault("aws_db_subnet_group", []).append({
            "id": "main", "name": "main", "subnet_ids": [subnet],
            "arn": f"arn:aws:rds:{region}:{A}:subgrp:main"})  # fmt: skip
        blocks.setdefault("aws_db_instance", []).append({
            "id": "db", "identifier": "db", "arn": f"arn:aws:rds:{region}:{A}:db:db", "port": 22,
            "publicly_accessible": True, "vpc_security_group_ids": ["sg-1"],
            "db_subnet_group_name": "main"})  # fmt: skip
        blocks.setdefault("aws_lambda_function", []).append({
            "id": "f", "function_name": "f", "role": "",
            "arn": f"arn:aws:lambda:{region}:{A}:function:f"})  # fmt: skip
    blocks["aws_lambda_permission"] = [{
        "id": "p", "statement_id": "p", "function_name": "f", "action": "lambda:InvokeFunction",
        "principal": "*", "source_arn": f"arn:aws:sns:{R}:*:t"}]  # fmt: skip
    found = public(estate(blocks))
    assert found[f"arn:aws:rds:{R}:{A}:db:db"] == "yes"
    assert found[f"arn:aws:rds:{far}:{A}:db:db"] == "unknown"  # its subnet is in no file
    assert found[f"arn:aws:lambda:{R}:{A}:function:f"] == "yes"
    assert found[f"arn:aws:lambda:{far}:{A}:function:f"] == "unknown"
