"""Tables of networks, instances, balancers and what is attached to them."""

from __future__ import annotations

from secinbox.inventory._tables.rows import Answer, Made, Row, described, first, listed, part, paths

_INSTANCE = paths("instance_state=State.Name state_code=State.Code ram_disk_id=RamdiskId "
                  "iam_instance_profile_arn=IamInstanceProfile.Arn "
                  "placement_availability_zone=Placement.AvailabilityZone")  # fmt: skip


def instance(row: Row) -> Made:
    found = described(row, _INSTANCE)
    found.pop("LaunchTemplateData", None)  # what it would be started with, not what it is
    unsaid: tuple[str, ...] = ()
    if not {"iam_instance_profile_arn", "iam_instance_profile"} & row.keys():
        found["IamInstanceProfile"], unsaid = {}, ("IamInstanceProfile",)
    yield Answer("ec2.describe_instances", {"Reservations": [{"Instances": [found]}]}, None, unsaid)


def target_group(row: Row) -> Made:
    where = {"arn": "TargetGroupArn", "target_health_descriptions": "-", "attributes": "-"}
    found = described(row, where)
    yield Answer("elbv2.describe_target_groups", {"TargetGroups": [found]})
    asked = {"TargetGroupArn": str(found["TargetGroupArn"])}
    health = row.get("target_health_descriptions")
    if isinstance(health, list):
        yield Answer("elbv2.describe_target_health", {"TargetHealthDescriptions": health}, asked)
    if isinstance(row.get("attributes"), list):
        yield Answer("elbv2.describe_target_group_attributes",
                     {"Attributes": row["attributes"]}, asked)  # fmt: skip


def snapshot(row: Row) -> Made:
    found = described(row)
    found.pop("CreateVolumePermissions", None)
    if "volume_id" in row:
        yield Answer("ec2.describe_snapshots", {"Snapshots": [found]})
    shared = row.get("create_volume_permissions")
    if shared is None and isinstance(row.get("attribute"), dict):
        shared = row["attribute"].get("CreateVolumePermissions")
    if isinstance(shared, list):
        identity = str(row["snapshot_id"])
        answer = {"SnapshotId": identity, "CreateVolumePermissions": shared}
        yield Answer("ec2.describe_snapshot_attribute", answer, {"SnapshotId": identity})


def image(row: Row) -> Made:
    found = described(row)
    found.pop("LaunchPermissions", None)
    yield Answer("ec2.describe_images", {"Images": [found]})
    if isinstance(row.get("launch_permissions"), list):
        identity = str(row["image_id"])
        answer = {"ImageId": identity, "LaunchPermissions": row["launch_permissions"]}
        yield Answer("ec2.describe_image_attribute", answer, {"ImageId": identity})


def launch_permission(row: Row) -> Made:
    identity = str(row["image_arn"]).rpartition("/")[2]
    found = described({k: v for k, v in row.items() if k != "image_arn"})
    answer = {"ImageId": identity, "LaunchPermissions": [found]}
    yield Answer("ec2.describe_image_attribute", answer, {"ImageId": identity},
                 ("describe_image_attribute",))  # fmt: skip


def regional_settings(row: Row) -> Made:
    state = row.get("snapshot_block_public_access_state")
    if state:
        yield Answer("ec2.get_snapshot_block_public_access_state", {"State": state})


def block_public_access(row: Row) -> Made:
    mode = first(row, "internet_gateway_block_mode")
    if mode:
        yield Answer("ec2.describe_vpc_block_public_access_options",
                     {"VpcBlockPublicAccessOptions": described(row)})  # fmt: skip


interface = listed("ec2.describe_network_interfaces", """
    association_public_ip=Association.PublicIp association_public_dns_name=Association.PublicDnsName
    association_allocation_id=Association.AllocationId attached_instance_id=Attachment.InstanceId
    attachment_id=Attachment.AttachmentId attachment_status=Attachment.Status
    device_index=Attachment.DeviceIndex""")  # fmt: skip
peering = listed(
    "ec2.describe_vpc_peering_connections",
    """
    id=VpcPeeringConnectionId status_code=Status.Code status_message=Status.Message
    accepter_vpc_id=AccepterVpcInfo.VpcId accepter_owner_id=AccepterVpcInfo.OwnerId
    accepter_cidr_block=AccepterVpcInfo.CidrBlock accepter_region=AccepterVpcInfo.Region
    requester_vpc_id=RequesterVpcInfo.VpcId requester_owner_id=RequesterVpcInfo.OwnerId
    requester_cidr_block=RequesterVpcInfo.CidrBlock requester_region=RequesterVpcInfo.Region""",
)
attachment = listed(
    "ec2.describe_transit_gateway_attachments",
    """
    vpc_id=ResourceId association_state=Association.State
    association_transit_gateway_route_table_id=Association.TransitGatewayRouteTableId""",
)
balancer = listed(
    "elbv2.describe_load_balancers",
    """
    dns_name=DNSName state_code=State.Code state_reason=State.Reason""",
)
classic = listed(
    "elb.describe_load_balancers",
    """
    name=LoadBalancerName dns_name=DNSName vpc_id=VPCId attributes=-""",
)
scaling = listed("autoscaling.describe_auto_scaling_groups", """
    autoscaling_group_arn=AutoScalingGroupARN target_group_arns=TargetGroupARNs
    target_group_ar_ns=TargetGroupARNs vpc_zone_identifier=VPCZoneIdentifier
    launch_template_name=LaunchTemplate.LaunchTemplateName
    launch_template_id=LaunchTemplate.LaunchTemplateId
    launch_template_version=LaunchTemplate.Version
    mixed_instances_policy_launch_template_name=MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName
    mixed_instances_policy_launch_template_id=MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateId
    mixed_instances_policy_launch_template_version=MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version
    """)  # fmt: skip
launch_configuration = listed(
    "autoscaling.describe_launch_configurations",
    """
    launch_configuration_arn=LaunchConfigurationARN""",
)
prefix_list = listed(
    "ec2.describe_managed_prefix_lists",
    """
    id=PrefixListId name=PrefixListName arn=PrefixListArn""",
)
egress_gateway = listed("ec2.describe_egress_only_internet_gateways", "id=EgressOnlyInternetGatewayId")  # fmt: skip
endpoint = listed("ec2.describe_vpc_endpoints", "policy=PolicyDocument")
transit_gateway = listed("ec2.describe_transit_gateways", "arn=TransitGatewayArn")
route_of_gateway = part("ec2.search_transit_gateway_routes", "Routes",
                        "TransitGatewayRouteTableId=transit_gateway_route_table_id")  # fmt: skip
entry_of_list = part("ec2.get_managed_prefix_list_entries", "Entries", "PrefixListId=prefix_list_id")  # fmt: skip
listener = part("elbv2.describe_listeners", "Listeners", "LoadBalancerArn=load_balancer_arn",
                "arn=ListenerArn")  # fmt: skip
rule = part("elbv2.describe_rules", "Rules", "ListenerArn=listener_arn", "arn=RuleArn")
health = part("elbv2.describe_target_health", "TargetHealthDescriptions",
              "TargetGroupArn=target_group_arn")  # fmt: skip
template_version = part("ec2.describe_launch_template_versions", "LaunchTemplateVersions",
                        "LaunchTemplateId=launch_template_id")  # fmt: skip
