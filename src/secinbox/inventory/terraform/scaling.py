"""Machines that are started by themselves, and jobs: templates, scaling groups, state machines, schedules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from secinbox.inventory.terraform.answers import Answer, Blocks, answer, filled
from secinbox.inventory.terraform.blocks import Block


def answers(blocks: Blocks) -> Iterator[Answer]:
    for b in blocks.of("aws_launch_template"):
        yield from _template(b)
    for b in blocks.of("aws_launch_configuration"):
        made = filled(
            LaunchConfigurationARN=b.arn, LaunchConfigurationName=b.text("name"),
            IamInstanceProfile=b.text("iam_instance_profile"), ImageId=b.text("image_id"),
            SecurityGroups=b.texts("security_groups"),
            AssociatePublicIpAddress=b.values.get("associate_public_ip_address"),
        )  # fmt: skip
        yield answer(
            "autoscaling.describe_launch_configurations", {"LaunchConfigurations": [made]}, b
        )
    for b in blocks.of("aws_autoscaling_group"):
        yield answer(
            "autoscaling.describe_auto_scaling_groups", {"AutoScalingGroups": [_group(b)]}, b
        )
    for b in blocks.of("aws_sfn_state_machine"):
        machine = filled(stateMachineArn=b.arn, name=b.text("name"), roleArn=b.text("role_arn"),
                         status="ACTIVE", definition=b.text("definition"))  # fmt: skip
        yield answer("stepfunctions.describe_state_machine", machine, b, stateMachineArn=b.arn)
    for b in blocks.of("aws_scheduler_schedule"):
        target = b.first("target")
        schedule = filled(Arn=b.arn, Name=b.text("name"), GroupName=b.text("group_name"),
                          State=b.text("state"), Target=filled(
                              Arn=target.text("arn"), RoleArn=target.text("role_arn")))  # fmt: skip
        yield answer("scheduler.get_schedule", schedule, b, Name=b.text("name"))
    for b in blocks.of("aws_cloudwatch_event_rule"):
        rule = filled(Arn=b.arn, Name=b.text("name"), EventBusName=b.text("event_bus_name"),
                      RoleArn=b.text("role_arn"), State=b.text("state"))  # fmt: skip
        yield answer("events.list_rules", {"Rules": [rule]}, b)
        mine = blocks.where(b.text("name"), "rule", "aws_cloudwatch_event_target")
        if mine:
            targets = [filled(Id=t.text("target_id"), Arn=t.arn, RoleArn=t.text("role_arn"))
                       for t in mine]  # fmt: skip
            yield answer("events.list_targets_by_rule", {"Targets": targets}, *mine, arn=b.arn,
                         Rule=b.text("name"))  # fmt: skip
    for b in blocks.of("aws_batch_job_definition"):
        try:
            told = json.loads(b.text("container_properties") or "{}")
        except (ValueError, RecursionError):
            told = {}
        kept = {k: told[k] for k in ("image", "jobRoleArn", "executionRoleArn")
                if isinstance(told, dict) and isinstance(told.get(k), str)}  # fmt: skip
        job = filled(jobDefinitionArn=b.arn, jobDefinitionName=b.text("name"), status="ACTIVE",
                     containerProperties=kept or None)  # fmt: skip
        yield answer("batch.describe_job_definitions", {"jobDefinitions": [job]}, b)
    for b in blocks.of("aws_batch_job_queue"):
        queue = filled(jobQueueArn=b.arn, jobQueueName=b.text("name"), state=b.text("state"))
        yield answer("batch.describe_job_queues", {"jobQueues": [queue]}, b)
    for b in blocks.of("aws_glue_job"):
        glue = filled(Name=b.text("name"), Role=b.text("role_arn"), Command=filled(
            ScriptLocation=b.first("command").text("script_location")))  # fmt: skip
        yield answer("glue.get_jobs", {"Jobs": [glue]}, b)
    for b in blocks.of("aws_glue_dev_endpoint"):
        end = filled(
            EndpointName=b.text("name"), RoleArn=b.text("role_arn"), Status=b.text("status")
        )
        yield answer("glue.get_dev_endpoints", {"DevEndpoints": [end]}, b)
    yield from _transit(blocks)


def _template(b: Block) -> Iterator[Answer]:
    number = b.text("id")
    default, newest = b.number("default_version"), b.number("latest_version")
    head = filled(LaunchTemplateId=number, LaunchTemplateName=b.text("name"), Tags=b.tags,
                  DefaultVersionNumber=default, LatestVersionNumber=newest)  # fmt: skip
    yield answer("ec2.describe_launch_templates", {"LaunchTemplates": [head]}, b)
    profile, options = b.first("iam_instance_profile"), b.first("metadata_options")
    inner = filled(
        ImageId=b.text("image_id"), SecurityGroupIds=b.texts("vpc_security_group_ids"),
        IamInstanceProfile=filled(Arn=profile.text("arn"), Name=profile.text("name")) or None,
        NetworkInterfaces=[filled(
            AssociatePublicIpAddress=_flag(n.values.get("associate_public_ip_address")),
            SubnetId=n.text("subnet_id"), Groups=n.texts("security_groups"),
            NetworkInterfaceId=n.text("network_interface_id"), DeviceIndex=n.number("device_index"),
        ) for n in b.rows("network_interfaces")],
        MetadataOptions=filled(HttpTokens=options.text("http_tokens"),
                               HttpEndpoint=options.text("http_endpoint")) or None,
    )  # fmt: skip
    version = filled(LaunchTemplateId=number, VersionNumber=newest, LaunchTemplateData=inner,
                     DefaultVersion=None if newest is None else newest == default)  # fmt: skip
    # A state knows the newest version of a template and no other.
    if newest is not None and newest == default:
        yield answer("ec2.describe_launch_template_versions", {"LaunchTemplateVersions": [version]}, b,
                     LaunchTemplateId=number)  # fmt: skip


def _flag(value: Any) -> bool | None:
    """The provider writes this one as text."""
    return (
        value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())
    )


def _group(b: Block) -> dict[str, Any]:
    def spec(s: Block) -> dict[str, Any]:
        named = s.text("name") or s.text("launch_template_name")
        return filled(LaunchTemplateId=s.text("id") or s.text("launch_template_id"),
                      LaunchTemplateName=named, Version=s.text("version"))  # fmt: skip

    mixed = next((s for m in b.rows("mixed_instances_policy") for t in m.rows("launch_template")
                  for s in t.rows("launch_template_specification")), None)  # fmt: skip
    single = next(iter(b.rows("launch_template")), None)
    return filled(
        AutoScalingGroupARN=b.arn, AutoScalingGroupName=b.text("name"), Tags=_tags(b),
        TargetGroupARNs=b.texts("target_group_arns"), LoadBalancerNames=b.texts("load_balancers"),
        LaunchConfigurationName=b.text("launch_configuration"),
        LaunchTemplate=spec(single) if single is not None else None,
        MixedInstancesPolicy={"LaunchTemplate": {"LaunchTemplateSpecification": spec(mixed)}}
        if mixed is not None else None,
        VPCZoneIdentifier=",".join(b.texts("vpc_zone_identifier")),
        MinSize=b.number("min_size"), MaxSize=b.number("max_size"),
        DesiredCapacity=b.number("desired_capacity"),
    )  # fmt: skip


def _tags(b: Block) -> list[dict[str, str]]:
    rows = [{"Key": t.text("key"), "Value": t.text("value")} for t in b.rows("tag")]
    return [r for r in rows if r["Key"]] or b.tags


def _transit(blocks: Blocks) -> Iterator[Answer]:
    """Transit gateways: what is attached, which table an attachment uses, and the routes of it."""
    for b in blocks.of("aws_ec2_transit_gateway"):
        row = filled(TransitGatewayId=b.text("id"), OwnerId=b.text("owner_id"), Tags=b.tags)
        yield answer("ec2.describe_transit_gateways", {"TransitGateways": [row]}, b)
    gateways = {b.text("id"): b for b in blocks.of("aws_ec2_transit_gateway")}
    for b in blocks.of("aws_ec2_transit_gateway_vpc_attachment"):
        number = b.text("id")
        own = blocks.where(number, "transit_gateway_attachment_id",
                           "aws_ec2_transit_gateway_route_table_association")  # fmt: skip
        table = next((a.text("transit_gateway_route_table_id") for a in own), "")
        gateway = gateways.get(b.text("transit_gateway_id"))
        if not table and gateway is not None and b.values.get(
            "transit_gateway_default_route_table_association") is not False:  # fmt: skip
            table = gateway.text("association_default_route_table_id")
        attachment = filled(
            TransitGatewayAttachmentId=number, TransitGatewayId=b.text("transit_gateway_id"),
            ResourceType="vpc", ResourceId=b.text("vpc_id"), State="available", Tags=b.tags,
            Association={"TransitGatewayRouteTableId": table, "State": "associated"} if table else None,
        )  # fmt: skip
        yield answer("ec2.describe_transit_gateway_attachments",
                     {"TransitGatewayAttachments": [attachment]}, b, *own)  # fmt: skip
    for b in blocks.of("aws_ec2_transit_gateway_route_table"):
        table = b.text("id")
        row = filled(
            TransitGatewayRouteTableId=table, TransitGatewayId=b.text("transit_gateway_id")
        )
        yield answer("ec2.describe_transit_gateway_route_tables",
                     {"TransitGatewayRouteTables": [{**row, "Tags": b.tags}]}, b)  # fmt: skip
    yield from _passed_on(blocks)


def _passed_on(blocks: Blocks) -> Iterator[Answer]:
    """Routes of a table: written ones, and the network of each attachment that is propagated to it."""
    networks = {v.text("id"): v.text("cidr_block") for v in blocks.of("aws_vpc", "aws_default_vpc")}
    attached = blocks.of("aws_ec2_transit_gateway_vpc_attachment")
    gateways = {g.text("id"): g for g in blocks.of("aws_ec2_transit_gateway")}
    rows: dict[str, list[dict[str, Any]]] = {}
    sources: dict[str, list[Block]] = {}

    def lead(table: str, cidr: str, attachment: str, block: Block) -> None:
        if not table or not cidr:
            return
        gone = block.values.get("blackhole") is True
        to = [] if gone else [{"TransitGatewayAttachmentId": attachment}]
        rows.setdefault(table, []).append({
            "DestinationCidrBlock": cidr, "State": "blackhole" if gone else "active",
            "TransitGatewayAttachments": to})  # fmt: skip
        sources.setdefault(table, []).append(block)

    for b in blocks.of("aws_ec2_transit_gateway_route"):
        lead(b.text("transit_gateway_route_table_id"), b.text("destination_cidr_block"),
             b.text("transit_gateway_attachment_id"), b)  # fmt: skip
    vpcs = {a.text("id"): a.text("vpc_id") for a in attached}
    for b in blocks.of("aws_ec2_transit_gateway_route_table_propagation"):
        attachment = b.text("transit_gateway_attachment_id")
        cidr = networks.get(vpcs.get(attachment, ""), "")
        lead(b.text("transit_gateway_route_table_id"), cidr, attachment, b)
    for b in attached:
        gateway = gateways.get(b.text("transit_gateway_id"))
        if gateway is not None and b.values.get("transit_gateway_default_route_table_propagation"):
            table = gateway.text("propagation_default_route_table_id")
            lead(table, networks.get(b.text("vpc_id"), ""), b.text("id"), b)
    for table, routes in rows.items():
        yield answer("ec2.search_transit_gateway_routes", {"Routes": routes}, *sources[table],
                     TransitGatewayRouteTableId=table)  # fmt: skip
