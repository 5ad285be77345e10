"""A foothold in one VPC and an inner host in another: each part of the way between them flipped."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from secinbox.network.aws.links import Links
from secinbox.network.aws.vpc import Network
from secinbox.paths.build import compiled
from tests.scenes import EC2, Scene, allow, to, vulnerability
from tests.test_paths import BUCKET, DATA, EC2_TRUST, OLD, host

FAR = "10.8.0.0/24"
Change = Callable[[Scene], None]


def config(scene: Scene, uid: str) -> dict[str, Any]:
    return next(i.config for i in scene.items if i.uid.endswith(uid))


def route(scene: Scene, table: str, cidr: str, via: str, state: str = "active") -> None:
    key = "VpcPeeringConnectionId" if via.startswith("pcx") else "TransitGatewayId"
    config(scene, f"route-table/{table}")["Routes"].append(
        {"DestinationCidrBlock": cidr, key: via, "State": state})  # fmt: skip


def estate(via: str = "pcx-1") -> Scene:
    """A weak host on the Internet in vpc-1, a weak inner host in vpc-2 that admits 10.0.0.0/16."""
    scene = host(allow("ec2:DescribeInstances"))
    config(scene, "subnet/public")["CidrBlock"] = "10.0.0.0/24"
    scene.add(f"{EC2}subnet/far", "aws_ec2_subnet", {
        "SubnetId": "far", "VpcId": "vpc-2", "CidrBlock": FAR})  # fmt: skip
    scene.add(f"{EC2}route-table/far", "aws_ec2_route_table", {
        "RouteTableId": "far", "VpcId": "vpc-2", "Associations": [{"SubnetId": "far"}],
        "Routes": []})  # fmt: skip
    scene.group("sg-in", (9000, "10.0.0.0/16"))
    config(scene, "security-group/sg-in")["VpcId"] = "vpc-2"
    scene.instance("inner", "deep", public=False, groups=("sg-in",), **OLD)
    inner = config(scene, "instance/i-inner")["NetworkInterfaces"][0]
    inner |= {"SubnetId": "far", "VpcId": "vpc-2", "PrivateIpAddress": "10.8.0.9"}
    scene.role("deep", EC2_TRUST, BUCKET, profile=True)
    scene.weakness(EC2 + "instance/i-inner", vulnerability("CVE-2", package="inner"))
    route(scene, "public", FAR, via)
    route(scene, "far", "10.0.0.0/16", via)
    if via.startswith("pcx"):
        scene.add(f"{EC2}vpc-peering-connection/{via}", "aws_ec2_vpc_peering_connection", {
            "VpcPeeringConnectionId": via, "Status": {"Code": "active"},
            "AccepterVpcInfo": {"VpcId": "vpc-1"}, "RequesterVpcInfo": {"VpcId": "vpc-2"}})  # fmt: skip
        return scene
    for vpc, other, cidr in (("vpc-1", "vpc-2", FAR), ("vpc-2", "vpc-1", "10.0.0.0/16")):
        table = f"tgw-rtb-{vpc}"
        scene.add(f"{EC2}transit-gateway-attachment/{vpc}", "aws_ec2_transit_gateway_attachment", {
            "TransitGatewayAttachmentId": f"at-{vpc}", "TransitGatewayId": via,
            "ResourceType": "vpc", "ResourceId": vpc, "State": "available",
            "Association": {"TransitGatewayRouteTableId": table, "State": "associated"}})  # fmt: skip
        scene.add(f"{EC2}transit-gateway-route-table/{table}", "aws_ec2_transit_gateway_route_table", {
            "TransitGatewayRouteTableId": table, "search_transit_gateway_routes": {"Routes": [
                {"DestinationCidrBlock": cidr, "State": "active", "TransitGatewayAttachments": [
                    {"TransitGatewayAttachmentId": f"at-{other}", "ResourceId": other}]}]}})  # fmt: skip
    return scene


def peered() -> Scene:
    """The same two networks at a gateway each, of which one is in another region; the two are peered."""
    scene = estate("tgw-1")
    for hop in config(scene, "route-table/far")["Routes"]:
        hop["TransitGatewayId"] = "tgw-2"
    config(scene, "attachment/vpc-2")["TransitGatewayId"] = "tgw-2"
    for gateway, peer, vpc, cidr, other in (("tgw-1", "tgw-2", "vpc-1", FAR, "10.0.0.0/16"),
                                            ("tgw-2", "tgw-1", "vpc-2", "10.0.0.0/16", FAR)):  # fmt: skip
        scene.add(f"{EC2}transit-gateway-attachment/{gateway}", "aws_ec2_transit_gateway_attachment", {
            "TransitGatewayAttachmentId": "at-peering", "TransitGatewayId": gateway, "ResourceType": "peering",
            "ResourceId": peer, "State": "available",
            "Association": {"TransitGatewayRouteTableId": f"tgw-rtb-{gateway}"}})  # fmt: skip
        leads = {"at-peering": (f"tgw-rtb-{vpc}", cidr), f"at-{vpc}": (f"tgw-rtb-{gateway}", other)}
        for to_, (table, to_cidr) in leads.items():
            scene.items[:] = [i for i in scene.items if not i.uid.endswith(f"table/{table}")]
            scene.add(f"{EC2}transit-gateway-route-table/{table}", "aws_ec2_transit_gateway_route_table", {
                "TransitGatewayRouteTableId": table, "search_transit_gateway_routes": {"Routes": [
                    {"DestinationCidrBlock": to_cidr, "State": "active", "TransitGatewayAttachments": [
                        {"TransitGatewayAttachmentId": to_}]}]}})  # fmt: skip
    return scene


_BLACK = {"Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "State": "blackhole"}]}


def found(scene: Scene) -> str:
    """yes: a certain path to the bucket behind the inner host; unknown: a possible one; no."""
    paths = to(scene.paths(), DATA)
    return "no" if not paths else "yes" if any(p.certain for p in paths) else "unknown"


def setting(uid: str, **fields: Any) -> Change:
    return lambda scene: config(scene, uid).update(fields)


def dropped(table: str) -> Change:
    def change(scene: Scene) -> None:
        routes = config(scene, f"route-table/{table}")["Routes"]
        routes[:] = [r for r in routes if not r.get("VpcPeeringConnectionId")
                     and not r.get("TransitGatewayId")]  # fmt: skip

    return change


def without(uid: str) -> Change:
    def change(scene: Scene) -> None:
        scene.items[:] = [i for i in scene.items if not i.uid.endswith(uid)]

    return change


PCX = "vpc-peering-connection/pcx-1"
FLIPS: dict[str, tuple[str, Change, str]] = {
    "as it is": ("pcx-1", lambda s: None, "yes"),
    "no way there": ("pcx-1", dropped("public"), "no"),
    "no way back": ("pcx-1", dropped("far"), "no"),
    "a narrower route elsewhere": ("pcx-1", lambda s: route(s, "public", FAR.replace("/24", "/25"), "pcx-2"), "yes"),
    "the route is a black hole": ("pcx-1", lambda s: (dropped("public")(s), route(s, "public", FAR, "pcx-1", "blackhole"))[0], "no"),
    "peering not accepted": ("pcx-1", setting(PCX, Status={"Code": "pending-acceptance"}), "no"),
    "peering with another network": ("pcx-1", setting(PCX, AccepterVpcInfo={"VpcId": "vpc-9"}), "no"),
    "peering unread": ("pcx-1", without(PCX), "unknown"),
    "group admits another range": ("pcx-1", setting("security-group/sg-in", IpPermissions=[{
        "IpProtocol": "tcp", "FromPort": 9000, "ToPort": 9000, "IpRanges": [{"CidrIp": "10.9.0.0/16"}]}]), "no"),
    "transit gateway": ("tgw-1", lambda s: None, "yes"),
    "transit: no way back": ("tgw-1", dropped("far"), "no"),
    "transit: attachment not available": ("tgw-1", setting("attachment/vpc-2", State="pending"), "no"),
    "transit: its own routes lead elsewhere": ("tgw-1", setting("tgw-rtb-vpc-1", search_transit_gateway_routes={"Routes": [
        {"DestinationCidrBlock": FAR, "State": "active", "TransitGatewayAttachments": [
            {"TransitGatewayAttachmentId": "at-other"}]}]}), "no"),
    "transit: its own route is a black hole": ("tgw-1", setting("tgw-rtb-vpc-1", search_transit_gateway_routes={"Routes": [
        {"DestinationCidrBlock": FAR, "State": "blackhole"}]}), "no"),
    "transit: its routes unread": ("tgw-1", setting("tgw-rtb-vpc-1", search_transit_gateway_routes=None), "unknown"),
    "transit: attachments unread": ("tgw-1", without("attachment/vpc-1"), "unknown"),
}  # fmt: skip


PEERED: dict[str, tuple[Change, str]] = {
    "as it is": (lambda s: None, "yes"),
    "not accepted": (setting("attachment/tgw-1", State="pendingAcceptance"), "no"),
    "refused on the other side": (setting("attachment/tgw-2", State="rejected"), "no"),
    "no way back": (dropped("far"), "no"),
    "the subnet sends it elsewhere": (dropped("public"), "no"),
    "the near table does not lead to the peering": (setting("tgw-rtb-vpc-1", search_transit_gateway_routes=_BLACK), "no"),
    "what comes from the peering leads nowhere": (setting("tgw-rtb-tgw-2", search_transit_gateway_routes=_BLACK), "no"),
    "the answer does not lead to the peering": (setting("tgw-rtb-vpc-2", search_transit_gateway_routes=_BLACK), "no"),
    "the answer leads nowhere behind it": (setting("tgw-rtb-tgw-1", search_transit_gateway_routes=_BLACK), "no"),
    "the far side of the peering unread": (without("attachment/tgw-2"), "unknown"),
    "the near side of the peering unread": (without("attachment/tgw-1"), "unknown"),
    "the peering unread": (lambda s: (without("attachment/tgw-1")(s), without("attachment/tgw-2")(s))[0], "no"),
    "the far table unread": (setting("tgw-rtb-tgw-2", search_transit_gateway_routes=None), "unknown"),
    "another gateway is the peer": (lambda s: (setting("attachment/tgw-1", ResourceId="tgw-9")(s), setting(
        "attachment/tgw-2", ResourceId="tgw-9")(s))[0], "no"),
}  # fmt: skip


@pytest.mark.parametrize("case", PEERED)
def test_a_way_over_two_peered_gateways(case: str) -> None:
    change, wanted = PEERED[case]
    scene = peered()
    change(scene)
    assert found(scene) == wanted
    random.Random(1).shuffle(scene.items)
    assert found(scene) == wanted


@pytest.mark.parametrize("case", FLIPS)
def test_a_way_between_networks(case: str) -> None:
    via, change, wanted = FLIPS[case]
    scene = estate(via)
    change(scene)
    assert found(scene) == wanted
    random.Random(1).shuffle(scene.items)
    assert found(scene) == wanted


def test_the_link_is_told() -> None:
    links = Links(Network(estate("tgw-1").estate()))
    link = links.between("public", "far")
    assert link is not None and link.via == "tgw-1" and not link.doubt
    assert "tgw-1" in link.text and "vpc-1" in link.text and "vpc-2" in link.text
    assert links.between("public", "nowhere") is None


def test_garbage_never_crashes() -> None:
    scene = estate("tgw-1")
    config(scene, "route-table/public")["Routes"] += [7, {"DestinationCidrBlock": "x"}]
    config(scene, "tgw-rtb-vpc-1")["search_transit_gateway_routes"] = {"Routes": [5, {}]}
    config(scene, "attachment/vpc-1")["Association"] = "x"
    assert found(scene) == "unknown"


# Network ACLs between the two subnets

Entry = dict[str, Any]


def acl(scene: Scene, subnet: str, *entries: Entry) -> Scene:
    """An ACL of its own for a subnet."""
    config(scene, "network-acl/acl-1")["Associations"] = [
        {"SubnetId": s} for s in ("public", "private") if s != subnet
    ]
    scene.add(f"{EC2}network-acl/acl-2", "aws_ec2_network_acl", {
        "NetworkAclId": "acl-2", "VpcId": "vpc-1", "Associations": [{"SubnetId": subnet}],
        "Entries": [{"RuleNumber": n, **e} for n, e in enumerate(entries, 1)]})  # fmt: skip
    return scene


def entry(
    egress: bool, cidr: str, ports: tuple[int, int] = (0, 65535), action: str = "allow"
) -> Entry:
    return {"Egress": egress, "RuleAction": action, "Protocol": "6", "CidrBlock": cidr,
            "PortRange": {"From": ports[0], "To": ports[1]}}  # fmt: skip


IN, OUT = entry(False, "0.0.0.0/0"), entry(True, "0.0.0.0/0")
HERE = "10.0.0.0/24"
ANSWERS = (1024, 65535)
FAR_ACLS: list[tuple[str, tuple[Entry, ...], bool]] = [
    ("all", (IN, OUT), True),
    ("the port and its answers", (entry(False, HERE, (9000, 9000)), entry(True, HERE, ANSWERS)), True),
    ("a part of the answers", (IN, entry(True, HERE, (40000, 50000))), True),
    ("another port", (entry(False, HERE, (80, 80)), OUT), False),
    ("another network", (entry(False, "10.5.0.0/16"), OUT), False),
    ("denied before", (entry(False, HERE, action="deny"), IN, OUT), False),
    ("allowed before it is denied", (IN, entry(False, HERE, action="deny"), OUT), True),
    ("no answer", (IN, entry(True, HERE, (0, 1023))), False),
    ("nothing", (), False),
]  # fmt: skip
NEAR_ACLS: list[tuple[str, tuple[Entry, ...], bool]] = [
    ("all", (IN, OUT), True),
    ("the port", (IN, entry(True, FAR, (9000, 9000)), entry(True, "0.0.0.0/0", (9001, 65535))), True),
    ("another port", (IN, entry(True, FAR, (80, 80)), entry(True, "203.0.113.0/24")), False),
    ("no answer in", (entry(False, FAR, action="deny"), IN, OUT), False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("entries", "open_"), [c[1:] for c in FAR_ACLS], ids=[c[0] for c in FAR_ACLS]
)
def test_an_acl_of_the_far_subnet(entries: tuple[Entry, ...], open_: bool) -> None:
    assert found(acl(estate(), "far", *entries)) == ("yes" if open_ else "no")


@pytest.mark.parametrize(
    ("entries", "open_"), [c[1:] for c in NEAR_ACLS], ids=[c[0] for c in NEAR_ACLS]
)
def test_an_acl_of_the_near_subnet(entries: tuple[Entry, ...], open_: bool) -> None:
    scene = acl(estate(), "public", *entries)
    steps = [
        s for s in compiled(scene.world()).steps
        if s.target == ("net", INNER) and s.source[1].startswith("remote:")
    ]  # fmt: skip
    assert [not s.blocked for s in steps] == [open_]


INNER = EC2 + "instance/i-inner"


def test_an_acl_inside_one_network_stops_its_subnet_only() -> None:
    """Two ways in, from two subnets: the reason names the ACL and the subnet that it is about."""
    scene = Scene().group("sg-in", (9000, "10.0.0.0/16"))
    for name, cidr in (("public", HERE), ("private", "10.0.1.0/24"), ("far", "10.0.2.0/24")):
        if name == "far":
            scene.add(f"{EC2}subnet/far", "aws_ec2_subnet", {
                "SubnetId": "far", "VpcId": "vpc-1", "CidrBlock": cidr})  # fmt: skip
        config(scene, f"subnet/{name}")["CidrBlock"] = cidr
    for name, subnet, address in (("one", "public", "10.0.0.9"), ("two", "private", "10.0.1.9"),
                                  ("inner", "far", "10.0.2.9"), ("beside", "far", "10.0.2.8")):  # fmt: skip
        scene.instance(name, public=False, groups=("sg-in",), **OLD)
        row = config(scene, f"instance/i-{name}")["NetworkInterfaces"][0]
        row |= {"SubnetId": subnet, "PrivateIpAddress": address}
    acl(scene, "far", entry(False, "10.0.1.0/24"), OUT)
    graph = compiled(scene.world())
    blocked = {}
    for step in graph.steps:
        if step.target == ("net", INNER) and step.source[0] == "hub":
            for into in graph.steps:
                if into.target == step.source:
                    blocked[into.source[1].rpartition("/i-")[2]] = step.blocked
    assert blocked == {
        "one": "network ACL acl-2 of far lets nothing in between public and far",
        "two": "", "inner": "", "beside": "",
    }  # fmt: skip


def test_an_acl_that_nobody_can_read_stops_nothing() -> None:
    scene = acl(estate(), "far", entry(False, "10.0.0.0/240"), OUT)
    assert found(scene) == "yes"
