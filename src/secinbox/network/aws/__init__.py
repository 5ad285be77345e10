"""AWS: public_accessibility of every resource type for which the question makes sense."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from secinbox.estate import Estate, Item
from secinbox.network.aws import (
    brokers,
    clusters,
    compute,
    gateways,
    hosts,
    managed,
    services,
    stores,
    walls,
)
from secinbox.network.aws import buckets as s3
from secinbox.network.aws.accelerators import Accelerators
from secinbox.network.aws.balancers import Balancers, describe
from secinbox.network.aws.distributions import Distributions
from secinbox.network.aws.vpc import Network, network_of
from secinbox.network.verdict import Verdict, both, either, no
from secinbox.records import RiskStatement

UNREACHABLE = (
    "aws_iam_user", "aws_iam_group", "aws_iam_policy", "aws_iam_instance_profile",
    "aws_iam_access_key", "aws_ec2_volume", "aws_ec2_launch_template", "aws_ecs_task_definition",
    "aws_ec2_route_table", "aws_ec2_internet_gateway", "aws_ec2_network_acl", "aws_logs_log_group",
    "aws_eks_pod_identity_association", "aws_eks_access_entry", "aws_rolesanywhere_profile",
    "aws_rolesanywhere_trust_anchor", "aws_s3_access_grant", "aws_s3_access_grants_location",
    "aws_s3_access_grants_instance", "aws_kms_alias", "aws_ec2_vpc", "aws_elbv2_target_group",
    "aws_ssm_parameter", "aws_rds_subnet_group", "aws_ec2_nat_gateway", "aws_ec2_prefix_list",
)  # fmt: skip
_BY_POLICY: dict[str, Callable[[Estate, Item], Verdict]] = {
    "aws_sqs_queue": stores.queue,
    "aws_sns_topic": stores.topic,
    "aws_kms_key": stores.key,
    "aws_secretsmanager_secret": stores.secret,
    "aws_ecr_repository": stores.repository,
    "aws_efs_file_system": stores.file_system,
    "aws_opensearch_domain": stores.search_domain,
    "aws_iam_role": services.role,
    **managed.BY_POLICY,
}
_BY_ITSELF: dict[str, Callable[[Item], Verdict]] = {
    "aws_rds_snapshot": stores.database_snapshot,
    "aws_rds_cluster_snapshot": stores.database_snapshot,
    "aws_eks_cluster": compute.eks,
    **managed.JUDGES,
}


def exposure(estate: Estate) -> Iterator[RiskStatement]:
    """One statement a resource, in order of uid."""
    verdicts = _verdicts(estate)
    for uid in sorted(verdicts):
        yield verdicts[uid].statement(uid)


def _verdicts(estate: Estate) -> dict[str, Verdict]:
    network = network_of(estate)
    distributions = Distributions(estate)
    accelerators = Accelerators(network)
    balancers = Balancers(network, distributions, accelerators)
    out: dict[str, Verdict] = dict(describe(balancers))
    through: dict[str, list[Verdict]] = defaultdict(list, balancers.targets)

    for item in estate.of_type("aws_ec2_instance"):
        if item.config.get("InstanceId"):
            direct = compute.instance(network, item)
            front = compute.served(network, item, distributions.origins)
            fast = accelerators.instance(item)
            found = either([direct, *front, *fast, *through.get(item.uid, ())])
            if found.value == "no":
                gap = balancers.not_asked(item)
                found = both([compute.running(item), gap]) if gap is not None else found
            out[item.uid] = found
    out |= dict(accelerators.verdicts())
    for item in compute.all_subnets(network):
        out[item.uid] = compute.subnet(network, item)
    for item in estate.of_type("aws_ecs_service"):
        if item.config.get("serviceArn"):
            direct = compute.service_direct(network, item)
            unread = balancers.unread_groups(item)
            own = hosts.service_on_hosts(network, item)
            out[item.uid] = either([direct, *own, *unread, *through.get(item.uid, ())])
    for item in estate.of_type("aws_ecs_task"):
        if item.config.get("taskArn"):
            own = hosts.task_on_host(network, item)
            out[item.uid] = either([compute.task(network, item), *own, *through.get(item.uid, ())])
    _databases(estate, network, out)

    for item in estate.of_type("aws_msk_cluster"):
        if item.config:
            out[item.uid] = brokers.kafka(network, item)
    for item in estate.of_type("aws_mq_broker"):
        if item.config:
            out[item.uid] = brokers.broker(network, item)
    domains = gateways.Domains(estate)
    for item in estate.of_type("aws_apigateway_rest_api", "aws_apigateway_api"):
        rest = item.type == "aws_apigateway_rest_api"
        if item.config:
            of_api = gateways.rest_api if rest else gateways.http_api
            found = of_api(item, domains)
            out[item.uid] = walls.of_stages(estate, item, found) if rest else found
            for arn, verdict in gateways.functions_behind(item, out[item.uid]):
                through[arn].append(verdict)
    buckets = services.bucket_names(estate)
    out |= distributions.verdicts
    for uid, verdict in distributions.buckets(buckets):
        through[uid].append(verdict)
    for item in estate.of_type("aws_lambda_function"):
        if item.config:
            fronts = [*through.get(item.uid, ()), *distributions.function(item)]
            out[item.uid] = stores.function(estate, item, fronts)
    for item in estate.of_type("aws_s3_accesspoint"):
        if item.config:
            out[item.uid] = managed.access_point(estate, item, buckets)
            for uid, verdict in managed.bucket_behind(item, out[item.uid], buckets):
                through[uid].append(verdict)
    for item in buckets.values():
        fronts = [*through.get(item.uid, ())]
        gap = distributions.unread_bucket(item)
        out[item.uid] = s3.bucket(estate, item, fronts + ([gap] if gap is not None else []))
    for item in estate.of_type("aws_cloudtrail_trail"):
        out[item.uid] = services.trail(item, buckets, out)
    for kind, judge in _BY_POLICY.items():
        for item in estate.of_type(kind):
            if item.config:
                out[item.uid] = judge(estate, item)
    for kind, alone in _BY_ITSELF.items():
        for item in estate.of_type(kind):
            if item.config:
                out[item.uid] = alone(item)
    for item in estate.of_type("aws_ec2_snapshot"):
        if item.config:
            out[item.uid] = stores.snapshot(estate, item)
    for item in estate.of_type("aws_ec2_image"):
        # Images of Amazon and the marketplace are public by nature and nobody's to fix.
        if item.config and not item.config.get("ImageOwnerAlias"):
            out[item.uid] = stores.image(estate, item)
    for item in estate.of_type("aws_emr_cluster"):
        if item.config:
            out[item.uid] = clusters.emr(network, item)
    for item in estate.of_type(
        "aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_memorydb_cluster",
        "aws_dax_cache",
    ):  # fmt: skip
        out[item.uid] = no("cache nodes have no public address", item.uid)
    for item in estate.of_type("aws_dynamodb_table"):
        if "get_resource_policy" in item.config:
            out[item.uid] = stores.table(estate, item)
    return out


def _databases(estate: Estate, network: Network, out: dict[str, Verdict]) -> None:
    members: dict[tuple[str, str, str], Verdict] = {}
    for item in estate.of_type("aws_rds_instance"):
        if item.config:
            out[item.uid] = compute.rds_instance(network, item)
            name = str(item.config.get("DBInstanceIdentifier"))
            members[item.account, item.region, name] = out[item.uid]
    for item in estate.of_type("aws_rds_cluster"):
        if item.config:
            out[item.uid] = compute.rds_cluster(item, members)
    for item in estate.of_type("aws_redshift_cluster"):
        if item.config:
            out[item.uid] = compute.redshift(network, item)
    for item in estate.of_type("aws_redshift_serverless_workgroup"):
        if item.config:
            out[item.uid] = managed.warehouse(network, item)
