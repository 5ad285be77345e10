"""EC2 instances: the smallest public one, and each single condition flipped."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secinbox.estate import Estate, Item
from secinbox.network import exposure
from secinbox.records import RiskStatement

ACCOUNT, REGION = "111122223333", "eu-west-1"
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}:"
INSTANCE = EC2 + "instance/i-1"
Parts = dict[str, Any]


def base() -> Parts:
    """A running instance with a public address, one open port, and nothing in the way."""
    return {
        "aws_ec2_instance instance/i-1": {
            "InstanceId": "i-1",
            "State": {"Name": "running"},
            "NetworkInterfaces": [
                {
                    "NetworkInterfaceId": "eni-1",
                    "SubnetId": "subnet-1",
                    "Groups": [{"GroupId": "sg-1"}],
                    "Association": {"PublicIp": "54.1.2.3"},
                    "Ipv6Addresses": [],
                }
            ],
        },
        "aws_ec2_subnet subnet/subnet-1": {
            "SubnetId": "subnet-1",
            "VpcId": "vpc-1",
            "CidrBlock": "10.0.0.0/24",
        },
        "aws_ec2_route_table route-table/rtb-1": {
            "RouteTableId": "rtb-1",
            "VpcId": "vpc-1",
            "Associations": [{"SubnetId": "subnet-1"}],
            "Routes": [
                {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
                {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"},
            ],
        },
        "aws_ec2_internet_gateway internet-gateway/igw-1": {
            "InternetGatewayId": "igw-1",
            "Attachments": [{"VpcId": "vpc-1", "State": "available"}],
        },
        "aws_ec2_network_acl network-acl/acl-1": {
            "NetworkAclId": "acl-1",
            "VpcId": "vpc-1",
            "Associations": [{"SubnetId": "subnet-1"}],
            "Entries": [
                _entry(100, False, "allow", "0.0.0.0/0"),
                _entry(101, False, "allow", "::/0"),
                _entry(100, True, "allow", "0.0.0.0/0"),
                _entry(101, True, "allow", "::/0"),
            ],
        },
        "aws_ec2_security_group security-group/sg-1": {
            "GroupId": "sg-1",
            "IpPermissions": [_permission("tcp", 443, 443, "0.0.0.0/0")],
        },
    }


def _entry(number: int, egress: bool, action: str, cidr: str, ports: tuple[int, int] | None = None,
           protocol: str = "-1") -> dict[str, Any]:  # fmt: skip
    entry: dict[str, Any] = {
        "RuleNumber": number,
        "Egress": egress,
        "RuleAction": action,
        "Protocol": protocol,
    }
    entry["Ipv6CidrBlock" if ":" in cidr else "CidrBlock"] = cidr
    if ports:
        entry["PortRange"] = {"From": ports[0], "To": ports[1]}
    return entry


def _permission(protocol: str, low: int, high: int, *cidrs: str) -> dict[str, Any]:
    return {
        "IpProtocol": protocol,
        "FromPort": low,
        "ToPort": high,
        "IpRanges": [{"CidrIp": c} for c in cidrs if ":" not in c],
        "Ipv6Ranges": [{"CidrIpv6": c} for c in cidrs if ":" in c],
        "PrefixListIds": [],
        "UserIdGroupPairs": [],
    }


def estate_with(parts: Parts, *order: int) -> Estate:
    estate = Estate()
    names = list(parts)
    for index in order or range(len(names)):
        kind, rest = names[index].split(" ", 1)
        uid = rest if rest.startswith("arn:") else EC2 + rest
        region = uid.split(":")[3]
        item = Item(
            uid, kind, rest.rpartition("/")[2], "aws", ACCOUNT, region, {}, parts[names[index]]
        )
        estate.add(item, [rest.rpartition("/")[2]])
    return estate


def judge(parts: Parts, uid: str = INSTANCE) -> RiskStatement:
    return {s.resource: s for s in exposure(estate_with(parts))}[uid]


def group(parts: Parts) -> dict[str, Any]:
    found: dict[str, Any] = parts["aws_ec2_security_group security-group/sg-1"]
    return found


def acl(parts: Parts) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parts["aws_ec2_network_acl network-acl/acl-1"]["Entries"]
    return found


def routes(parts: Parts) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parts["aws_ec2_route_table route-table/rtb-1"]["Routes"]
    return found


def interface(parts: Parts) -> dict[str, Any]:
    found: dict[str, Any] = parts["aws_ec2_instance instance/i-1"]["NetworkInterfaces"][0]
    return found


def _set(
    target: Callable[[Parts], dict[str, Any]], key: str, value: Any
) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        target(parts)[key] = value

    return change


def _state(name: str) -> Callable[[Parts], None]:
    return _set(lambda p: p["aws_ec2_instance instance/i-1"], "State", {"Name": name})


def _rules(*permissions: dict[str, Any]) -> Callable[[Parts], None]:
    return _set(group, "IpPermissions", list(permissions))


def _drop(name: str) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        del parts[name]

    return change


def _entries(*entries: dict[str, Any]) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        acl(parts).extend(entries)

    return change


def _routes(*more: dict[str, Any]) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        routes(parts).extend(more)

    return change


def _route_state(parts: Parts) -> None:
    routes(parts)[1]["State"] = "blackhole"


def _nat(parts: Parts) -> None:
    routes(parts)[1].pop("GatewayId")
    routes(parts)[1]["NatGatewayId"] = "nat-1"


def _ipv6(gateway: dict[str, str], source: str = "::/0") -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        interface(parts).pop("Association")
        interface(parts)["Ipv6Addresses"] = [{"Ipv6Address": "2a05:d018::5"}]
        routes(parts).append({"DestinationIpv6CidrBlock": "::/0", "State": "active", **gateway})
        group(parts)["IpPermissions"] = [_permission("tcp", 443, 443, source)]

    return change


def _prefix_list(read: bool) -> Callable[[Parts], None]:
    def change(parts: Parts) -> None:
        permission = _permission("tcp", 443, 443)
        permission["PrefixListIds"] = [{"PrefixListId": "pl-1"}]
        group(parts)["IpPermissions"] = [permission]
        config: dict[str, Any] = {"PrefixListId": "pl-1"}
        if read:
            config["get_managed_prefix_list_entries"] = {
                "Entries": [{"Cidr": "0.0.0.0/1"}, {"Cidr": "128.0.0.0/1"}]
            }
        parts["aws_ec2_prefix_list prefix-list/pl-1"] = config

    return change


def _reference(parts: Parts) -> None:
    permission = _permission("tcp", 443, 443)
    permission["UserIdGroupPairs"] = [{"GroupId": "sg-2"}]
    group(parts)["IpPermissions"] = [permission]


def _main_table(parts: Parts) -> None:
    parts["aws_ec2_route_table route-table/rtb-1"]["Associations"] = [{"Main": True}]


def _explicit_over_main(parts: Parts) -> None:
    _main_table(parts)
    parts["aws_ec2_route_table route-table/rtb-2"] = {
        "RouteTableId": "rtb-2",
        "VpcId": "vpc-1",
        "Associations": [{"SubnetId": "subnet-1"}],
        "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}],
    }


def _detached(parts: Parts) -> None:
    parts["aws_ec2_internet_gateway internet-gateway/igw-1"]["Attachments"] = []


def _blocked(parts: Parts, *exclusions: dict[str, str], read: bool = True) -> None:
    parts[f"aws_account arn:aws:iam::{ACCOUNT}:root"] = {
        f"describe_vpc_block_public_access_options:{REGION}": {
            "VpcBlockPublicAccessOptions": {"InternetGatewayBlockMode": "block-ingress"}
        }
    }
    if read:
        root = parts[f"aws_account arn:aws:iam::{ACCOUNT}:root"]
        root[f"describe_vpc_block_public_access_exclusions:{REGION}"] = {
            "VpcBlockPublicAccessExclusions": list(exclusions)
        }


def _excluded(
    what: str, mode: str = "allow-bidirectional", state: str = "create-complete"
) -> Callable[[Parts], None]:
    row = {"ResourceArn": EC2 + what, "InternetGatewayExclusionMode": mode, "State": state}
    return lambda parts: _blocked(parts, row)


def _told(mode: str) -> Callable[[Parts], None]:
    return lambda parts: parts["aws_ec2_subnet subnet/subnet-1"].update(
        BlockPublicAccessStates={"InternetGatewayBlockMode": mode}
    )


def _lent(parts: Parts) -> None:
    interface(parts).pop("Association")
    parts["aws_ec2_elastic_ip elastic-ip/eipalloc-1"] = {
        "AllocationId": "eipalloc-1", "PublicIp": "54.1.2.9", "NetworkInterfaceId": "eni-1"}  # fmt: skip


def _lent_to_nobody(parts: Parts) -> None:
    _lent(parts)
    parts["aws_ec2_elastic_ip elastic-ip/eipalloc-1"].pop("NetworkInterfaceId")


def _default_acl(parts: Parts) -> None:
    parts["aws_ec2_network_acl network-acl/acl-1"] |= {"Associations": [], "IsDefault": True}


def _firewall(parts: Parts) -> None:
    routes(parts)[1]["GatewayId"] = "vpce-1"


def _secondary_address(parts: Parts) -> None:
    interface(parts).pop("Association")
    interface(parts)["PrivateIpAddresses"] = [
        {"PrivateIpAddress": "10.0.0.5"},
        {"PrivateIpAddress": "10.0.0.6", "Association": {"PublicIp": "54.1.2.9"}},
    ]


CASES: list[tuple[str, Callable[[Parts], None], str, str]] = [
    ("smallest", lambda p: None, "yes", "tcp 443"),
    ("stopped", _state("stopped"), "no", "stopped"),
    ("terminated", _state("terminated"), "no", "terminated"),
    ("no address", lambda p: interface(p).pop("Association"), "no", "no public address"),
    ("elastic address on a second private one", _secondary_address, "yes", "54.1.2.9"),
    ("route to NAT", _nat, "no", "rtb-1"),
    ("blackhole route", _route_state, "no", "rtb-1"),
    ("gateway detached", _detached, "no", "rtb-1"),
    ("main route table", _main_table, "yes", "igw-1"),
    ("explicit table over main", _explicit_over_main, "no", "rtb-2"),
    ("narrower routes take everything away", _routes(
        {"DestinationCidrBlock": "0.0.0.0/1", "NatGatewayId": "nat-1", "State": "active"},
        {"DestinationCidrBlock": "128.0.0.0/1", "NatGatewayId": "nat-1", "State": "active"},
    ), "no", "rtb-1"),
    ("narrower route takes a little away", _routes(
        {"DestinationCidrBlock": "8.8.8.0/24", "NatGatewayId": "nat-1", "State": "active"}),
     "yes", "igw-1"),
    ("route to a firewall endpoint", _firewall, "unknown", "vpce-1"),
    ("group private only", _rules(_permission("tcp", 443, 443, "10.0.0.0/8")), "no", "10.0.0.0/8"),
    ("group for one network", _rules(_permission("tcp", 443, 443, "203.0.113.0/24")), "no",
     "203.0.113.0/24"),
    ("two halves", _rules(_permission("tcp", 22, 22, "0.0.0.0/1", "128.0.0.0/1")), "yes", "tcp 22"),
    ("halves in two rules", _rules(_permission("tcp", 22, 22, "0.0.0.0/1"),
                                   _permission("tcp", 22, 22, "128.0.0.0/1")), "yes", "tcp 22"),
    ("a wide network", _rules(_permission("tcp", 22, 22, "52.0.0.0/8")), "yes", "tcp 22"),
    ("no rule", _rules(), "no", "admit nobody"),
    ("only a reference", _reference, "no", "admit nobody"),
    ("udp", _rules(_permission("udp", 53, 53, "0.0.0.0/0")), "yes", "udp 53"),
    ("only ping", _rules(_permission("icmp", -1, -1, "0.0.0.0/0")), "no", "admit nobody"),
    ("all protocols", _rules({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}), "yes",
     "tcp all"),
    ("host bits", _rules(_permission("tcp", 443, 443, "52.1.2.3/8")), "yes", "tcp 443"),
    ("nonsense address", _rules(_permission("tcp", 443, 443, "300.0.0.0/8")), "unknown", "300.0.0.0/8"),
    ("prefix list", _prefix_list(True), "yes", "tcp 443"),
    ("prefix list unread", _prefix_list(False), "unknown", "pl-1"),
    ("ACL denies first", _entries(_entry(50, False, "deny", "0.0.0.0/0")), "no", "acl-1"),
    ("ACL denies later", _entries(_entry(150, False, "deny", "0.0.0.0/0")), "yes", "tcp 443"),
    ("ACL denies the port", _entries(_entry(50, False, "deny", "0.0.0.0/0", (400, 500), "6")), "no",
     "acl-1"),
    ("ACL denies another port", _entries(_entry(50, False, "deny", "0.0.0.0/0", (22, 22), "6")),
     "yes", "tcp 443"),
    ("ACL denies udp", _entries(_entry(50, False, "deny", "0.0.0.0/0", None, "17")), "yes", "tcp 443"),
    ("ACL lets no answer out", _entries(_entry(50, True, "deny", "0.0.0.0/0")), "no", "no answer out"),
    ("ACL lets answers out on high ports", _entries(
        _entry(40, True, "allow", "0.0.0.0/0", (32768, 65535), "6"),
        _entry(50, True, "deny", "0.0.0.0/0")), "yes", "tcp 443"),
    ("ACL for one network", _entries(_entry(40, False, "allow", "203.0.113.0/24"),
                                     _entry(50, False, "deny", "0.0.0.0/0")), "no", "203.0.113.0/24"),
    ("default ACL", _default_acl, "yes", "tcp 443"),
    ("IPv6", _ipv6({"GatewayId": "igw-1"}), "yes", "2a05:d018::5"),
    ("IPv6 by an egress-only gateway", _ipv6({"EgressOnlyInternetGatewayId": "eigw-1"}), "no", "IPv6"),
    ("IPv6 but the group only has IPv4", _ipv6({"GatewayId": "igw-1"}, "0.0.0.0/0"), "no",
     "admit nobody"),
    ("public access blocked in the VPC", _blocked, "no", "Block Public Access"),
    ("blocked, exclusions unread", lambda p: _blocked(p, read=False), "unknown", "excluded"),
    ("blocked, the VPC excluded", _excluded("vpc/vpc-1"), "yes", ""),
    ("blocked, the subnet excluded", _excluded("subnet/subnet-1"), "yes", ""),
    ("blocked, another VPC excluded", _excluded("vpc/vpc-2"), "no", "Block Public Access"),
    ("blocked, excluded for egress", _excluded("vpc/vpc-1", "allow-egress"), "no", "Block Public"),
    ("blocked, exclusion gone", _excluded("vpc/vpc-1", state="delete-complete"), "no", "Block Public"),
    ("blocked as the subnet tells", _told("block-bidirectional"), "no", "Block Public Access"),
    ("the subnet tells that it is off", lambda p: (_blocked(p), _told("off")(p)), "yes", ""),
    ("an elastic address told elsewhere", _lent, "yes", "54.1.2.9"),
    ("an elastic address of nobody", _lent_to_nobody, "no", "no public address"),
    ("ACL unread", _drop("aws_ec2_network_acl network-acl/acl-1"), "unknown", "network ACL"),
    ("group unread", _drop("aws_ec2_security_group security-group/sg-1"), "unknown", "sg-1"),
    ("route table unread", _drop("aws_ec2_route_table route-table/rtb-1"), "unknown", "route table"),
    ("subnet unread", _drop("aws_ec2_subnet subnet/subnet-1"), "unknown", "subnet-1"),
    ("gateway unread", _drop("aws_ec2_internet_gateway internet-gateway/igw-1"), "yes", "tcp 443"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "value", "text"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_flip(change: Callable[[Parts], None], value: str, text: str) -> None:
    parts = base()
    change(parts)
    found = judge(parts)
    assert found.value == value, found
    words = " ".join(
        f"{e.text} {e.ports} {' '.join(e.steps)} {e.sources_allowed}" for e in found.evidence
    )
    assert text in words
    kinds = {e.kind for e in found.evidence}
    assert kinds == {"yes": {"route"}, "no": {"control"}, "unknown": {"gap"}}[value]


def test_the_route_is_told_in_order() -> None:
    evidence = judge(base()).evidence[0]
    assert evidence.steps == ("Internet", "igw-1", "i-1 tcp 443")
    assert evidence.ports == "tcp 443"


def test_a_closed_gate_settles_it_whatever_is_unknown_beside_it() -> None:
    parts = base()
    del parts["aws_ec2_network_acl network-acl/acl-1"]
    _rules(_permission("tcp", 443, 443, "10.0.0.0/8"))(parts)
    assert judge(parts).value == "no"


def test_garbage_never_crashes() -> None:
    parts = base()
    parts["aws_ec2_security_group security-group/sg-1"]["IpPermissions"] = [
        "x",
        None,
        {"IpRanges": 3},
    ]
    parts["aws_ec2_network_acl network-acl/acl-1"]["Entries"] = [{"CidrBlock": "x"}, 5]
    parts["aws_ec2_route_table route-table/rtb-1"]["Routes"] = [7, {"DestinationCidrBlock": "x"}]
    assert judge(parts).value in ("no", "unknown")


permissions = st.lists(
    st.builds(
        _permission,
        st.sampled_from(["tcp", "udp"]),
        st.sampled_from([22, 80]),
        st.sampled_from([80, 443]),
        st.sampled_from(["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "203.0.113.0/24"]),
    ),
    max_size=3,
)
entries = st.lists(
    st.builds(
        _entry,
        st.integers(1, 200),
        st.booleans(),
        st.sampled_from(["allow", "deny"]),
        st.sampled_from(["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8"]),
        st.sampled_from([None, (1, 100), (80, 65535)]),
        st.sampled_from(["-1", "6"]),
    ),
    max_size=3,
    unique_by=lambda e: (e["RuleNumber"], e["Egress"]),
)
RANK = {"no": 0, "unknown": 1, "yes": 2}


def random_parts(rules: list[dict[str, Any]], more: list[dict[str, Any]]) -> Parts:
    parts = base()
    group(parts)["IpPermissions"] = deepcopy(rules)
    numbers = {(e["RuleNumber"], e["Egress"]) for e in more}
    kept = [e for e in acl(parts) if (e["RuleNumber"], e["Egress"]) not in numbers]
    parts["aws_ec2_network_acl network-acl/acl-1"]["Entries"] = [*kept, *deepcopy(more)]
    return parts


@settings(max_examples=60, deadline=None)
@given(permissions, entries, st.data())
def test_taking_a_permission_away_never_opens(
    rules: list[dict[str, Any]], more: list[dict[str, Any]], data: st.DataObject
) -> None:
    if not rules:
        return
    before = judge(random_parts(rules, more))
    index = data.draw(st.integers(0, len(rules) - 1))
    after = judge(random_parts(rules[:index] + rules[index + 1 :], more))
    assert RANK[after.value] <= RANK[before.value]


@settings(max_examples=60, deadline=None)
@given(permissions, entries, st.booleans())
def test_a_deny_before_all_others_never_opens(
    rules: list[dict[str, Any]], more: list[dict[str, Any]], egress: bool
) -> None:
    before = judge(random_parts(rules, more))
    after = judge(
        random_parts(rules, [*more, _entry(0, egress, "deny", "0.0.0.0/0", (1, 500), "6")])
    )
    assert RANK[after.value] <= RANK[before.value]


@settings(max_examples=30, deadline=None)
@given(permissions, entries, st.permutations(range(6)))
def test_the_order_of_the_input_does_not_matter(
    rules: list[dict[str, Any]], more: list[dict[str, Any]], order: list[int]
) -> None:
    parts = random_parts(rules, more)
    one = list(exposure(estate_with(parts)))
    two = list(exposure(estate_with(parts, *order)))
    assert one == two
