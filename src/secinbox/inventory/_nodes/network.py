"""Networks, instances, balancers and what is attached to them, out of a graph."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from secinbox.inventory._nodes.graph import Graph, Made, Node, Told, ids
from secinbox.inventory._tables.rows import camel

_GUARDED = "MEMBER_OF_EC2_SECURITY_GROUP"
_RULES = ("the graph keeps IPv4 ranges of rules, not IPv6 ranges, prefix lists, or which rule names "
          "which group")  # fmt: skip
_SIX = "the network has IPv6 addresses, and the graph does not say which of its parts"


def _vpc_of(graph: Graph, node: Node) -> dict[str, str]:
    """The network of a node, by its own words or by what it is a part of."""
    found = node.text("vpc_id") or next(
        iter(ids(graph.out(node, "MEMBER_OF_AWS_VPC", "MEMBER_OF_VPC", to="AWSVpc"), "vpcid")), ""
    )
    if not found:
        subnets = graph.out(node, "PART_OF_SUBNET", "SUBNET", to="EC2Subnet")
        found = next((v for s in subnets if (v := _vpc_of(graph, s).get("VpcId"))), "")
    return {"VpcId": found} if found else {}


def _subnets(graph: Graph, node: Node) -> list[str]:
    return ids(graph.out(node, "PART_OF_SUBNET", "SUBNET", to="EC2Subnet"), "subnetid")


def _groups(graph: Graph, node: Node) -> list[str]:
    return ids(graph.out(node, _GUARDED, "MEMBER_OF_SECURITY_GROUP", to="EC2SecurityGroup"), "groupid")  # fmt: skip


def _six(graph: Graph, vpc: str) -> bool:
    """Whether a network has IPv6 addresses at all."""
    return vpc in graph.once("six", lambda: {
        n.text("vpcid", "id") for n in graph.of("AWSVpc")
        if graph.out(n, "BLOCK_ASSOCIATION", to="AWSIpv6CidrBlock")})  # fmt: skip


def network(graph: Graph, node: Node) -> Made:
    found = node.told(CidrBlock="primary_cidr_block", IsDefault="is_default",
                      InstanceTenancy="instance_tenancy")  # fmt: skip
    yield Told("ec2.describe_vpcs", {"Vpcs": [{"VpcId": node.need("vpcid", "id"), **found}]})


def subnet(graph: Graph, node: Node) -> Made:
    found: dict[str, Any] = {"SubnetId": node.need("subnetid", "subnet_id", "id")}
    found |= node.told(CidrBlock="cidr_block", MapPublicIpOnLaunch="map_public_ip_on_launch",
                       AvailabilityZone="availability_zone") | _vpc_of(graph, node)  # fmt: skip
    partial = {}
    if _six(graph, str(found.get("VpcId"))):
        found["Ipv6CidrBlockAssociationSet"] = []
        partial = {"Ipv6CidrBlockAssociationSet": _SIX}
    yield Told("ec2.describe_subnets", {"Subnets": [found]}, {}, partial)


def gateway(graph: Graph, node: Node) -> Made:
    links = [{"VpcId": v, "State": "available"}
             for v in ids(graph.out(node, "ATTACHED_TO", to="AWSVpc"), "vpcid")]  # fmt: skip
    if links or not graph.gap("ATTACHED_TO"):
        yield Told("ec2.describe_internet_gateways", {"InternetGateways": [
            {"InternetGatewayId": node.need("id"), "Attachments": links}]})  # fmt: skip


_TARGETS = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id",
            "gateway_id", "nat_gateway_id", "instance_id", "network_interface_id",
            "transit_gateway_id", "vpc_peering_connection_id", "egress_only_internet_gateway_id",
            "vpc_endpoint_id", "carrier_gateway_id", "local_gateway_id", "core_network_arn", "state")  # fmt: skip


def routes(graph: Graph, node: Node) -> Made:
    """Every table has a local route: one without any route was not exported whole."""
    told = [{camel(n): r.values[n] for n in _TARGETS if r.values.get(n) is not None}
            for r in graph.out(node, "ROUTE")]  # fmt: skip
    if not told or graph.broken:
        return
    links: list[dict[str, Any]] = []
    for link in graph.out(node, "ASSOCIATION"):
        found = link.told(SubnetId="subnet_id", GatewayId="gateway_id", Main="main")
        found["AssociationState"] = {"State": link.text("association_state") or "associated"}
        links.append(found)
    yield Told("ec2.describe_route_tables", {"RouteTables": [
        {"RouteTableId": node.need("route_table_id", "id"), "Routes": told, "Associations": links,
         **_vpc_of(graph, node)}]})  # fmt: skip


def _entries_of(graph: Graph, acl: Node) -> list[dict[str, Any]]:
    out = []
    for rule in graph.into(acl, "MEMBER_OF_NACL"):
        entry = rule.told(RuleNumber="rulenumber", RuleAction="ruleaction", CidrBlock="cidrblock",
                          Ipv6CidrBlock="ipv6cidrblock", Egress="egress")  # fmt: skip
        entry["Protocol"] = rule.text("protocol") or "-1"
        if isinstance(rule.get("fromport"), int):
            entry["PortRange"] = {"From": rule.get("fromport"), "To": rule.get("toport")}
        out.append(entry)
    return sorted(out, key=lambda e: (str(e.get("Egress")), str(e.get("RuleNumber")), str(e)))


def _acls(graph: Graph) -> dict[str, list[str]]:
    """ACL -> its subnets.

    The graph ties an ACL to the last of its subnets only. The others have the ACL of their network
    where that has one, or where all say the same; else theirs is not known.
    """
    told: dict[str, list[str]] = {}
    by_vpc: dict[str, list[Node]] = defaultdict(list)
    for acl in graph.of("EC2NetworkAcl"):
        told[acl.id] = _subnets(graph, acl)
        by_vpc[_vpc_of(graph, acl).get("VpcId", "")].append(acl)
    known = {s for subnets in told.values() for s in subnets}
    for node in graph.of("EC2Subnet"):
        name = node.text("subnetid", "subnet_id", "id")
        acls = by_vpc.get(_vpc_of(graph, node).get("VpcId", "?"), [])
        if name not in known and acls:
            first, *others = (_entries_of(graph, a) for a in acls)
            if all(o == first for o in others):
                told[acls[0].id].append(name)
    return told


def acl(graph: Graph, node: Node) -> Made:
    """Every ACL has its last entry: one without any was not exported whole."""
    entries = _entries_of(graph, node)
    if not entries or graph.broken:
        return
    name = node.text("network_acl_id") or node.need("id").rpartition("/")[2]
    subnets = graph.once("acls", lambda: _acls(graph))[node.id]
    yield Told("ec2.describe_network_acls", {"NetworkAcls": [
        {"NetworkAclId": name, "Entries": entries, **_vpc_of(graph, node),
         "Associations": [{"NetworkAclId": name, "SubnetId": s} for s in subnets]}]})  # fmt: skip


def group(graph: Graph, node: Node) -> Made:
    """Ports of each rule are whole, its sources are not; a group without a rule is closed."""
    rules = [r for r in graph.into(node, _GUARDED) if "IpRule" in r.labels]
    inbound = [r for r in rules if "IpPermissionInbound" in r.labels]
    named = ids(graph.out(node, "ALLOWS_TRAFFIC_FROM"), "groupid")
    allowed = []
    for rule in inbound:
        sources = ids(graph.into(rule, "MEMBER_OF_IP_RULE", of="IpRange"), "range")
        others = ids(graph.out(rule, "ALLOW_FROM_GROUP"), "groupid")
        if not sources and len(rules) == 1:
            others = others or named  # nothing else could name them
        allowed.append({
            "IpProtocol": rule.text("protocol") or "-1",
            "FromPort": rule.get("fromport"), "ToPort": rule.get("toport"),
            "IpRanges": [{"CidrIp": s} for s in sources if ":" not in s],
            "Ipv6Ranges": [{"CidrIpv6": s} for s in sources if ":" in s],
            "UserIdGroupPairs": [{"GroupId": g} for g in others]})  # fmt: skip
    vpcs = ids(graph.into(node, _GUARDED, of="AWSVpc"), "vpcid")
    found: dict[str, Any] = {"GroupId": node.need("groupid", "id")}
    found |= node.told(GroupName="name", Description="description")
    found |= {"VpcId": vpcs[0]} if vpcs else {}
    whole = any("IpRule" in r.labels for r in graph.of("IpPermissionInbound"))
    if allowed or (whole and not graph.broken):
        found["IpPermissions"] = allowed
    partial = {"IpPermissions": _RULES} if allowed else {}
    yield Told("ec2.describe_security_groups", {"SecurityGroups": [found]}, {}, partial)


def peering(graph: Graph, node: Node) -> Made:
    found: dict[str, Any] = {"VpcPeeringConnectionId": node.need("id")}
    for side in ("Accepter", "Requester"):
        vpcs = ids(graph.out(node, f"{side.upper()}_VPC"), "vpcid")
        blocks = ids(graph.out(node, f"{side.upper()}_CIDR"), "cidr_block")
        found[f"{side}VpcInfo"] = ({"VpcId": vpcs[0]} if vpcs else {}) | (
            {"CidrBlock": blocks[0]} if blocks else {}
        )
    if node.text("status_code"):
        found["Status"] = {"Code": node.text("status_code")}
    yield Told("ec2.describe_vpc_peering_connections", {"VpcPeeringConnections": [found]})


def endpoint(graph: Graph, node: Node) -> Made:
    found = node.told(VpcEndpointId="id", ServiceName="service_name", State="state",
                      VpcEndpointType="vpc_endpoint_type", PolicyDocument="policy_document",
                      RouteTableIds="route_table_ids", SubnetIds="subnet_ids")  # fmt: skip
    yield Told("ec2.describe_vpc_endpoints", {"VpcEndpoints": [found | _vpc_of(graph, node)]})


def transit_gateway(graph: Graph, node: Node) -> Made:
    found = node.told(TransitGatewayArn="arn", OwnerId="ownerid", State="state")
    yield Told("ec2.describe_transit_gateways",
               {"TransitGateways": [{"TransitGatewayId": node.need("tgw_id"), **found}]})  # fmt: skip


def attachment(graph: Graph, node: Node) -> Made:
    found: dict[str, Any] = {"TransitGatewayAttachmentId": node.need("id")}
    found |= node.told(ResourceType="resource_type", State="state")
    for gateway in graph.out(node, "ATTACHED_TO", to="AWSTransitGateway"):
        found["TransitGatewayId"] = gateway.text("tgw_id")
    for vpc in graph.into(node, "RESOURCE", of="AWSVpc"):
        found["ResourceId"] = vpc.text("vpcid", "id")
    links = graph.once("associations", lambda: {
        n.text("attachment_id"): n for n in graph.of("AWSTransitGatewayRouteTableAssociation")})  # fmt: skip
    link = links.get(found["TransitGatewayAttachmentId"])
    if link is not None:
        found["Association"] = {"TransitGatewayRouteTableId": link.text("route_table_id"),
                                "State": link.text("state")}  # fmt: skip
    yield Told("ec2.describe_transit_gateway_attachments", {"TransitGatewayAttachments": [found]})


def gateway_routes(graph: Graph, node: Node) -> Made:
    name = node.need("id")
    found = node.told(TransitGatewayId="transit_gateway_id", State="state")
    yield Told("ec2.describe_transit_gateway_route_tables", {"TransitGatewayRouteTables": [
        {"TransitGatewayRouteTableId": name, **found}]})  # fmt: skip
    told = [r.told(DestinationCidrBlock="destination_cidr_block", State="state")
            | {"TransitGatewayAttachments": [{"TransitGatewayAttachmentId": r.text("target")}]}
            for r in graph.out(node, "HAS_ROUTE")]  # fmt: skip
    if told:
        gap = graph.gap("HAS_ROUTE")
        yield Told("ec2.search_transit_gateway_routes", {"Routes": told},
                   {"TransitGatewayRouteTableId": name},
                   {"search_transit_gateway_routes": gap} if gap else {})  # fmt: skip


# Interfaces and instances


def _interface(graph: Graph, node: Node) -> dict[str, Any] | None:
    """None where its subnet or its groups were not exported: it then says nothing of its guard."""
    owners = graph.into(node, "NETWORK_INTERFACE", of="EC2Instance")
    groups, subnets = _groups(graph, node), _subnets(graph, node)
    subnets = subnets or [s for s in [node.text("subnetid", "subnet_id")] if s]
    if owners and len(graph.out(owners[0], "NETWORK_INTERFACE")) == 1:
        groups, subnets = groups or _groups(graph, owners[0]), subnets or _subnets(graph, owners[0])
    if not groups or not subnets:
        return None
    own = node.text("private_ip_address")
    public = [node.text("public_ip"), *ids(graph.out(node, "ELASTIC_IP_ADDRESS"), "public_ip")]
    public += [o.text("publicipaddress") for o in owners if o.text("privateipaddress") == own]
    rest = [{"PrivateIpAddress": a.text("private_ip_address"),
             **({"Association": {"PublicIp": a.text("public_ip")}} if a.text("public_ip") else {})}
            for a in graph.out(node, "PRIVATE_IP_ADDRESS")]  # fmt: skip
    rest += [{"Association": {"PublicIp": p}} for p in dict.fromkeys(public[1:]) if p]
    six = ids(graph.out(node, "IPV6_ADDRESS"), "ipv6_address")
    six += [s for o in owners if (s := o.text("ipv6address"))]
    found: dict[str, Any] = {
        "NetworkInterfaceId": node.need("id"), "SubnetId": subnets[0], "PrivateIpAddresses": rest,
        "Groups": [{"GroupId": g} for g in groups],
        "Ipv6Addresses": [{"Ipv6Address": a} for a in dict.fromkeys(six)], **_vpc_of(graph, node),
        **node.told(PrivateIpAddress="private_ip_address", InterfaceType="interface_type",
                    Status="status", MacAddress="mac_address", Description="description")}  # fmt: skip
    if public[0]:
        found["Association"] = {"PublicIp": public[0]}
    if owners:
        found["Attachment"] = {"InstanceId": owners[0].text("instanceid", "id")}
    return found


def _unsure_of_six(graph: Graph, found: dict[str, Any]) -> dict[str, str]:
    """Older versions keep no IPv6 addresses; a network without any has none."""
    unsure = not found.get("Ipv6Addresses") and _six(graph, str(found.get("VpcId")))
    return {"Ipv6Addresses": _SIX} if unsure else {}


def interface(graph: Graph, node: Node) -> Made:
    found = _interface(graph, node)
    if found is not None:
        yield Told("ec2.describe_network_interfaces", {"NetworkInterfaces": [found]}, {},
                   _unsure_of_six(graph, found))  # fmt: skip


def address(graph: Graph, node: Node) -> Made:
    found = node.told(PublicIp="public_ip", AllocationId="allocation_id", InstanceId="instance_id",
                      NetworkInterfaceId="network_interface_id",
                      PrivateIpAddress="private_ip_address", Domain="domain")  # fmt: skip
    if found.get("AllocationId"):
        yield Told("ec2.describe_addresses", {"Addresses": [found]})


def instance(graph: Graph, node: Node) -> Made:
    found: dict[str, Any] = {"InstanceId": node.need("instanceid", "id")}
    found |= node.told(ImageId="imageid", PublicIpAddress="publicipaddress", Platform="platform",
                       PrivateIpAddress="privateipaddress", InstanceType="instancetype")  # fmt: skip
    options = node.told(HttpTokens="metadatahttptokens", HttpEndpoint="metadatahttpendpoint",
                        HttpPutResponseHopLimit="metadatahttpputresponsehoplimit")  # fmt: skip
    if options.get("HttpTokens"):
        found["MetadataOptions"] = options
    if node.text("availabilityzone"):
        found["Placement"] = {"AvailabilityZone": node.text("availabilityzone")}
    if node.text("state"):
        found["State"] = {"Name": node.text("state")}
    groups, subnets = _groups(graph, node), _subnets(graph, node)
    interfaces = [_interface(graph, i) for i in graph.out(node, "NETWORK_INTERFACE")]
    known = [{"NetworkInterfaceId": i["NetworkInterfaceId"]} for i in interfaces if i is not None]
    found["SecurityGroups"] = [{"GroupId": g} for g in groups]
    if len(known) == len(interfaces) and (known or groups):
        # What guards an interface that is not there whole is not known: then none of them is told.
        found |= {"SubnetId": subnets[0]} if subnets else {}
        found |= {"NetworkInterfaces": known} if known else {}
        found |= _vpc_of(graph, node)
    profiles = ids(graph.out(node, "INSTANCE_PROFILE"), "arn")
    profile = profiles[0] if profiles else node.text("iaminstanceprofile")
    found["IamInstanceProfile"] = {"Arn": profile} if profile else {}
    partial = {} if profile else {"IamInstanceProfile": "the graph names no profile of it"}
    yield Told("ec2.describe_instances", {"Reservations": [{"Instances": [found]}]}, {}, partial)


# Load balancers


def _arn_of(graph: Graph, node: Node) -> str:
    """Older versions keep the name only; the ARN of a listener begins like that of its balancer."""
    if node.text("arn"):
        return node.text("arn")
    for listener in graph.out(node, "ELBV2_LISTENER"):
        head, _, rest = listener.text("id").partition(":listener/")
        if rest.count("/") == 3:
            return f"{head}:loadbalancer/{rest.rpartition('/')[0]}"
    raise KeyError("arn")


def _exposed(graph: Graph, node: Node) -> dict[str, list[tuple[Node, Any]]]:
    """Target group -> what the balancer leads to by it, and on which port."""
    out: dict[str, list[tuple[Node, Any]]] = defaultdict(list)
    for tie in node.out.get("EXPOSE", ()):
        group = tie.values.get("target_group_arn")
        if isinstance(group, str):
            out[group].append((graph.nodes[tie.other], tie.values.get("port")))
    return out


def balancer(graph: Graph, node: Node) -> Made:
    arn = _arn_of(graph, node)
    found: dict[str, Any] = {
        "LoadBalancerArn": arn, "SecurityGroups": _groups(graph, node),
        "AvailabilityZones": [{"SubnetId": s} for s in _subnets(graph, node)],
        **node.told(LoadBalancerName="name", Scheme="scheme"), **_vpc_of(graph, node),
        "DNSName": node.text("dnsname", "id")}  # fmt: skip
    if not graph.gap(_GUARDED):
        # One without groups takes everybody, if it is a network balancer and its groups were read.
        found |= node.told(Type="type")
    partial = {}
    if _six(graph, str(found.get("VpcId"))):
        found["IpAddressType"], partial = "ipv4", {"IpAddressType": _SIX}
    yield Told("elbv2.describe_load_balancers", {"LoadBalancers": [found]}, {}, partial)
    exposed = _exposed(graph, node)
    nodes = graph.out(node, "ELBV2_TARGET_GROUP")
    attached = list(dict.fromkeys([*exposed, *ids(nodes, "arn")]))
    default = {ln.text("targetgrouparn") for ln in graph.out(node, "ELBV2_LISTENER")}
    listeners = []
    for listener in graph.out(node, "ELBV2_LISTENER"):
        own = listener.text("targetgrouparn")
        # A group that no default names is attached by a rule; rules are not kept.
        led = ([own] if own else []) + [g for g in attached if g not in default]
        listeners.append({
            "ListenerArn": listener.need("id"), "LoadBalancerArn": arn,
            **listener.told(Port="port", Protocol="protocol"),
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": g} for g in led]})  # fmt: skip
    gap = graph.gap("ELBV2_LISTENER")
    if listeners or not gap:
        yield Told("elbv2.describe_listeners", {"Listeners": listeners}, {"LoadBalancerArn": arn},
                   {"describe_listeners": gap} if gap else {})  # fmt: skip
    for group in dict.fromkeys([*attached, *filter(None, default)]):
        yield from _target_group(graph, node, group, exposed.get(group, []))


_KINDS = {"EC2Instance": ("instance", "instanceid"), "AWSLambda": ("lambda", "arn"),
          "EC2PrivateIp": ("ip", "private_ip_address"), "LoadBalancerV2": ("alb", "arn")}  # fmt: skip
_TARGETED = "the graph keeps one target group for each balancer and target"


def _target_group(graph: Graph, node: Node, arn: str, targets: list[tuple[Node, Any]]) -> Made:
    kinds, told = set(), []
    for target, port in targets:
        for label, (kind, key) in _KINDS.items():
            if label in target.labels:
                kinds.add(kind)
                target_id = {"Id": target.text(key, "id")}
                told.append({"Target": target_id | ({"Port": port} if port else {})})
                break
    known = graph.once("target groups", lambda: {
        g.text("arn", "id"): g for g in graph.of("ELBV2TargetGroup")}).get(arn)  # fmt: skip
    found: dict[str, Any] = {"TargetGroupArn": arn, "LoadBalancerArns": [_arn_of(graph, node)],
                             "TargetGroupName": arn.split("/")[1] if "/" in arn else arn,
                             **_vpc_of(graph, node)}  # fmt: skip
    if kinds:
        found["TargetType"] = kinds.pop()
    ports = [p for _, p in targets if p]
    if ports:
        found["Port"] = ports[0]
    if known is not None:
        found |= known.told(TargetType="target_type", Port="port", Protocol="protocol",
                            VpcId="vpc_id", TargetGroupName="name")  # fmt: skip
    yield Told("elbv2.describe_target_groups", {"TargetGroups": [found]}, {},
               {"LoadBalancerArns": _TARGETED})  # fmt: skip
    if told:
        yield Told("elbv2.describe_target_health", {"TargetHealthDescriptions": told},
                   {"TargetGroupArn": arn}, {"describe_target_health": _TARGETED})  # fmt: skip


def classic(graph: Graph, node: Node) -> Made:
    if "LoadBalancerV2" in node.labels:
        return  # newer versions give both labels to it
    listeners = [{"Listener": ln.told(LoadBalancerPort="port", Protocol="protocol",
                                      InstancePort="instance_port",
                                      InstanceProtocol="instance_protocol")}
                 for ln in graph.out(node, "ELB_LISTENER")]  # fmt: skip
    found: dict[str, Any] = {
        "LoadBalancerName": node.need("name"), "ListenerDescriptions": listeners,
        **node.told(DNSName="dnsname", Scheme="scheme"), "Subnets": _subnets(graph, node),
        "SecurityGroups": _groups(graph, node), "Instances": [
            {"InstanceId": i} for i in ids(graph.out(node, "EXPOSE", to="EC2Instance"), "instanceid")]}  # fmt: skip
    vpc = _vpc_of(graph, node).get("VpcId")
    found |= {"VPCId": vpc} if vpc else {}
    gaps = {"ListenerDescriptions": graph.gap("ELB_LISTENER"), "Instances": graph.gap("EXPOSE")}
    yield Told("elb.describe_load_balancers", {"LoadBalancerDescriptions": [found]}, {},
               {key: gap for key, gap in gaps.items() if gap})  # fmt: skip


# Disks, images, templates


def volume(graph: Graph, node: Node) -> Made:
    found: dict[str, Any] = {"VolumeId": node.need("volumeid", "id")}
    found |= node.told(SnapshotId="snapshotid", Encrypted="encrypted", State="state",
                       AvailabilityZone="availabilityzone", KmsKeyId="kmskeyid")  # fmt: skip
    found["Attachments"] = [{"InstanceId": i} for i in ids(
        graph.out(node, "ATTACHED_TO", "ATTACHED_TO_EC2_INSTANCE", to="EC2Instance"), "instanceid")]  # fmt: skip
    gap = graph.gap("ATTACHED_TO")
    yield Told(
        "ec2.describe_volumes", {"Volumes": [found]}, {}, {"Attachments": gap} if gap else {}
    )


_NOT_ALL = "the graph says whether everyone has it, not which accounts"


def snapshot(graph: Graph, node: Node) -> Made:
    name = node.need("snapshotid", "id")
    found = node.told(VolumeId="volumeid", Encrypted="encrypted", State="state", OwnerId="ownerid",
                      VolumeSize="volumesize", KmsKeyId="kmskeyid")  # fmt: skip
    yield Told("ec2.describe_snapshots", {"Snapshots": [{"SnapshotId": name, **found}]})
    public = node.get("ispublic")
    if isinstance(public, bool):
        yield Told("ec2.describe_snapshot_attribute",
                   {"SnapshotId": name, "CreateVolumePermissions": [{"Group": "all"}] if public else []},
                   {"SnapshotId": name, **({"OwnerId": found["OwnerId"]} if "OwnerId" in found else {})},
                   {"describe_snapshot_attribute": _NOT_ALL})  # fmt: skip


def image(graph: Graph, node: Node) -> Made:
    found = {"ImageId": node.need("imageid", "id").partition("|")[0]}
    found |= node.told(Name="name", Public="ispublic", RootDeviceName="rootdevicename",
                       State="state", OwnerId="owner", ImageOwnerAlias="image_owner_alias",
                       CreationDate="creationdate")  # fmt: skip
    yield Told("ec2.describe_images", {"Images": [found]})


def template(graph: Graph, node: Node) -> Made:
    name = node.need("launch_template_id", "id")
    found = node.told(LaunchTemplateName="name", DefaultVersionNumber="default_version_number",
                      LatestVersionNumber="latest_version_number")  # fmt: skip
    yield Told("ec2.describe_launch_templates",
               {"LaunchTemplates": [{"LaunchTemplateId": name, **found}]})  # fmt: skip
    versions = []
    for version in graph.out(node, "VERSION"):
        data = version.told(ImageId="image_id", KeyName="key_name", InstanceType="instance_type",
                            SecurityGroupIds="security_group_ids", SecurityGroups="security_groups")  # fmt: skip
        profile = version.told(Arn="iam_instance_profile_arn", Name="iam_instance_profile_name")
        data |= {"IamInstanceProfile": profile} if profile else {}
        versions.append({"LaunchTemplateId": name, "LaunchTemplateData": data,
                         **version.told(VersionNumber="version_number",
                                        DefaultVersion="default_version")})  # fmt: skip
    if versions:
        why = "the graph keeps some settings of a version only"
        yield Told("ec2.describe_launch_template_versions", {"LaunchTemplateVersions": versions},
                   {"LaunchTemplateId": name}, {"describe_launch_template_versions": why})  # fmt: skip


def scaling(graph: Graph, node: Node) -> Made:
    found = node.told(AutoScalingGroupName="name", DesiredCapacity="desiredcapacity",
                      LaunchConfigurationName="launchconfigurationname", MinSize="minsize",
                      MaxSize="maxsize")  # fmt: skip
    chosen = node.told(LaunchTemplateId="launchtemplateid", LaunchTemplateName="launchtemplatename",
                       Version="launchtemplateversion")  # fmt: skip
    found |= {"LaunchTemplate": chosen} if chosen else {}
    found |= {"AutoScalingGroupARN": node.need("arn", "id"), "Instances": [
        {"InstanceId": i} for i in ids(graph.into(node, "MEMBER_AUTO_SCALE_GROUP"), "instanceid")]}  # fmt: skip
    yield Told("autoscaling.describe_auto_scaling_groups", {"AutoScalingGroups": [found]})


def launch_configuration(graph: Graph, node: Node) -> Made:
    found = node.told(LaunchConfigurationName="name", ImageId="image_id", KeyName="key_name",
                      SecurityGroups="security_groups", IamInstanceProfile="iam_instance_profile",
                      AssociatePublicIpAddress="associate_public_ip_address")  # fmt: skip
    yield Told("autoscaling.describe_launch_configurations", {"LaunchConfigurations": [
        {"LaunchConfigurationARN": node.need("arn", "id"), **found}]})  # fmt: skip
