"""Things that run as a role and could be taken over: with their state, as far as it was read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam.sessions import pods
from secinbox.iam.world import World
from secinbox.inventory.aws.answers import covered
from secinbox.inventory.aws.calls import walk
from secinbox.records import Evidence


@dataclass(frozen=True, eq=False)
class Thing:
    """`certain` is False where its state (an agent, a key set up) could not be read."""

    uid: str
    account: str
    roles: tuple[str, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    certain: bool = True
    doubt: str = ""
    givers: tuple[str, ...] = ()  # what hands sessions to what runs in it

    @property
    def name(self) -> str:
        own = self.uid.split(":", 5)[-1]
        return own.rpartition("/" if "/" in own else ":")[2] or self.uid


Finder = Callable[["Things"], Iterator[Thing]]


class Things:
    """All things of an estate by kind."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.estate: Estate = world.estate
        self._by_kind: dict[str, list[Thing]] = {}

    def of(self, kind: str) -> list[Thing]:
        if kind not in self._by_kind:
            self._by_kind[kind] = list(_FINDERS[kind](self))
        return self._by_kind[kind]

    def in_account(self, kind: str, account: str) -> list[Thing]:
        return [t for t in self.of(kind) if t.account == account]

    def identity_home(self) -> frozenset[str]:
        """The account in which the Identity Center runs, where an instance of it was read."""
        return frozenset(
            str(i.config.get("OwnerAccountId") or i.account)
            for i in self.estate.of_type("aws_sso_instance")
        )

    def was_read(self, account: str, operation: str) -> bool:
        """The list call was read in at least one region of the account."""
        tail = f"/{operation}"
        head = f"aws:{account}/"
        return any(k.startswith(head) and k.endswith(tail) for k in self.estate.covered)


def _instance_roles(things: Things, item: Item) -> tuple[str, ...]:
    """None where its metadata service, which hands them out, is switched off."""
    if next(walk(item.config, "MetadataOptions.HttpEndpoint"), None) == "disabled":
        return ()
    profiles: dict[str, None] = {}
    own = item.config.get("IamInstanceProfile")
    if isinstance(own, dict) and own.get("Arn"):
        profiles[str(own["Arn"])] = None
    linked = item.config.get("iam_instance_profile_association")
    if isinstance(linked, dict) and str(linked.get("State", "associated")) in (
        "associated",
        "associating",
    ):
        for arn in walk(linked, "IamInstanceProfile.Arn"):
            profiles[str(arn)] = None
    return tuple(r for p in profiles for r in things.world.roles_of_profile(p))


def _state(item: Item) -> str:
    return str(next(walk(item.config, "State.Name"), "running"))


def _instances(things: Things) -> Iterator[Thing]:
    for item in things.estate.of_type("aws_ec2_instance"):
        if item.config.get("InstanceId") and _state(item) not in ("terminated", "shutting-down"):
            own = item.config.get("IamInstanceProfile")
            profile = str(own.get("Arn") or "") if isinstance(own, dict) else ""
            yield Thing(item.uid, item.account, _instance_roles(things, item), {"profile": profile})


def _running(things: Things) -> Iterator[tuple[Item, Thing]]:
    for thing in things.of("instance"):
        item = things.estate.items[thing.uid]
        if _state(item) in ("running", "pending"):
            yield item, thing


def _stopped(things: Things) -> Iterator[Thing]:
    for thing in things.of("instance"):
        if _state(things.estate.items[thing.uid]) == "stopped":
            yield thing


def _managed(things: Things) -> Iterator[Thing]:
    """Instances whose SSM agent answers."""
    for item, thing in _running(things):
        found = item.config.get("describe_instance_information")
        if isinstance(found, dict):
            if str(found.get("PingStatus", "Online")) == "Online":
                yield thing
        elif not covered(
            things.estate, item.account, item.region, "ssm.describe_instance_information"
        ):
            yield Thing(thing.uid, thing.account, thing.roles, thing.parts, False,
                        "whether its SSM agent answers was not read")  # fmt: skip


def _bare(things: Things) -> Iterator[Thing]:
    """Instances without a role that no SSM knows: an agent on one reports once a role lets it."""
    for item, thing in _running(things):
        read = covered(
            things.estate, item.account, item.region, "ssm.describe_instance_information"
        )
        if not thing.roles and read and "describe_instance_information" not in item.config:
            yield Thing(thing.uid, thing.account, thing.roles, thing.parts, False,
                        "whether an SSM agent is installed on it is not known")  # fmt: skip


def _ssh(things: Things) -> Iterator[Thing]:
    """Instances on which somebody outside can reach port 22, as far as that was read."""
    groups = {
        str(g.config["GroupId"]): g
        for g in things.estate.of_type("aws_ec2_security_group")
        if g.config.get("GroupId")
    }
    endpoints = {
        str(e.config.get("VpcId"))
        for e in things.estate.of_type("aws_ec2_instance_connect_endpoint")
    }
    for item, thing in _running(things):
        if str(item.config.get("Platform") or "").lower() == "windows":
            continue
        ids = {str(g) for g in walk(item.config, "SecurityGroups[].GroupId")}
        ids |= {str(g) for g in walk(item.config, "NetworkInterfaces[].Groups[].GroupId")}
        known = [groups[i] for i in sorted(ids) if i in groups]
        if known and len(known) == len(ids) and not any(_opens_ssh(g) for g in known):
            continue
        address = item.config.get("PublicIpAddress") or next(
            walk(item.config, "NetworkInterfaces[].Association.PublicIp"), None
        )
        inside = str(item.config.get("VpcId")) in endpoints
        if address or inside:
            yield thing
        else:
            yield Thing(thing.uid, thing.account, thing.roles, thing.parts, False,
                        "it has no public address: the caller must be in its network")  # fmt: skip


def _opens_ssh(group: Item) -> bool:
    for permission in walk(group.config, "IpPermissions[]"):
        if not isinstance(permission, dict):
            continue
        if str(permission.get("IpProtocol")) == "-1":
            return True
        low, high = permission.get("FromPort"), permission.get("ToPort")
        tcp = str(permission.get("IpProtocol")) in ("tcp", "6")
        if tcp and (not isinstance(low, int) or not isinstance(high, int) or low <= 22 <= high):
            return True
    return False


def _serial(things: Things) -> Iterator[Thing]:
    for item, thing in _running(things):
        owner = things.estate.find(f"arn:aws:iam::{item.account}:root")
        key = f"get_serial_console_access_status:{item.region}"
        found = owner.config.get(key) if owner else None
        if isinstance(found, dict) and found.get("SerialConsoleAccessEnabled") is True:
            yield thing


def _simple(kind: str, role_path: str, present: str, states: tuple[str, str] = ("", "")) -> Finder:
    """Things whose role stands in their own description; `states`: field and values that are dead."""

    def find(things: Things) -> Iterator[Thing]:
        for item in things.estate.of_type(*kind.split(" ")):
            if present and not any(True for _ in walk(item.config, present)):
                continue
            field_name, dead = states
            if field_name and str(item.config.get(field_name)) in dead.split(" "):
                continue
            roles = tuple(
                _role_arn(item, str(r))
                for r in walk(item.config, role_path)
                if isinstance(r, str) and r
            )
            yield Thing(item.uid, item.account, roles)

    return find


def _role_arn(item: Item, role: str) -> str:
    return role if role.startswith("arn:") else f"arn:aws:iam::{item.account}:role/{role}"


def _tasks(things: Things) -> Iterator[Thing]:
    """Running tasks into which a command can be sent."""
    for item in things.estate.of_type("aws_ecs_task"):
        if not item.config.get("enableExecuteCommand"):
            continue
        if str(item.config.get("lastStatus") or "RUNNING") != "RUNNING":
            continue
        yield Thing(item.uid, item.account, _task_roles(things, item),
                    {"cluster": str(item.config.get("clusterArn") or "")})  # fmt: skip


def _task_roles(things: Things, item: Item) -> tuple[str, ...]:
    overridden = next(walk(item.config, "overrides.taskRoleArn"), None)
    if overridden:
        return (str(overridden),)
    definition = things.estate.find(str(item.config.get("taskDefinitionArn") or ""))
    found = definition.config.get("taskRoleArn") if definition else None
    return (str(found),) if found else ()


def _definitions(things: Things) -> Iterator[Thing]:
    for item in things.estate.of_type("aws_ecs_task_definition"):
        if str(item.config.get("status") or "ACTIVE") == "ACTIVE":
            yield Thing(item.uid, item.account)


def _hosts(things: Things) -> Iterator[Thing]:
    for item in things.estate.of_type("aws_ecs_container_instance"):
        if str(item.config.get("status") or "ACTIVE") == "ACTIVE" and item.config.get(
            "agentConnected", True
        ):
            yield Thing(item.uid, item.account)


def _clusters(things: Things) -> Iterator[Thing]:
    for item in things.estate.of_type("aws_ecs_cluster"):
        if str(item.config.get("status") or "ACTIVE") == "ACTIVE":
            yield Thing(item.uid, item.account)


def _job_definitions(things: Things) -> Iterator[Thing]:
    queues: dict[str, list[str]] = defaultdict(list)
    for queue in things.of("job-queue"):
        queues[queue.account].append(queue.uid)
    for item in things.estate.of_type("aws_batch_job_definition"):
        role = next(walk(item.config, "containerProperties.jobRoleArn"), None)
        if role and str(item.config.get("status") or "ACTIVE") == "ACTIVE":
            for queue_arn in queues[item.account]:
                yield Thing(item.uid, item.account, (str(role),), {"queue": queue_arn})


def _templates(things: Things) -> Iterator[Thing]:
    """Launch templates of scaling groups that follow the default or newest version."""
    for group in things.estate.of_type("aws_autoscaling_group"):
        for place in (
            "LaunchTemplate",
            "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification",
        ):
            for spec in walk(group.config, place):
                if not isinstance(spec, dict):
                    continue
                template = _template(things, group, spec)
                follows = str(spec.get("Version") or "$Default")
                if template is None or follows not in ("$Default", "$Latest"):
                    continue
                idle = group.config.get("DesiredCapacity") == 0
                yield Thing(template.uid, template.account, (),
                            {"group": group.uid, "follows": follows, "idle": "yes" if idle else ""})  # fmt: skip


def _template(things: Things, group: Item, spec: Mapping[str, Any]) -> Item | None:
    for item in things.estate.of_type("aws_ec2_launch_template"):
        same = item.account == group.account and item.region == group.region
        named = item.config.get("LaunchTemplateName") == spec.get("LaunchTemplateName")
        if same and (
            item.config.get("LaunchTemplateId") == spec.get("LaunchTemplateId")
            or (spec.get("LaunchTemplateName") and named)
        ):
            return item
    return None


def _stack_sets(things: Things) -> Iterator[Thing]:
    """What a stack set makes is made by the execution role, which trusts the set's own role."""
    for item in things.estate.of_type("aws_cloudformation_stackset"):
        own = str(item.config.get("AdministrationRoleARN") or "")
        if own and str(item.config.get("Status") or "ACTIVE") == "ACTIVE":
            yield Thing(item.uid, item.account, (own,), {"role": own})


def _deployments(things: Things) -> Iterator[Thing]:
    """Groups of instances, by their tags, to which a deployment goes."""
    for item in things.estate.of_type("aws_codedeploy_deploymentgroup"):
        application = str(item.config.get("applicationName") or "")
        filters = [f for f in walk(item.config, "ec2TagFilters[]") if isinstance(f, dict)]
        filters += [f for sets in walk(item.config, "ec2TagSet.ec2TagSetList[]")
                    if isinstance(sets, list) for f in sets if isinstance(f, dict)]  # fmt: skip
        roles: dict[str, None] = {}
        for instance, thing in _running(things):
            same = instance.account == item.account and instance.region == item.region
            if same and any(_tagged(instance, f) for f in filters):
                roles.update(dict.fromkeys(thing.roles))
        head = item.uid.split(":deploymentgroup:")[0]
        yield Thing(item.uid, item.account, tuple(roles),
                    {"application": f"{head}:application:{application}"})  # fmt: skip


def _tagged(item: Item, wanted: Mapping[str, Any]) -> bool:
    key, value = wanted.get("Key"), wanted.get("Value")
    kind = str(wanted.get("Type") or "KEY_AND_VALUE")
    if kind == "VALUE_ONLY":
        return value in item.tags.values()
    return key in item.tags and (kind == "KEY_ONLY" or item.tags[str(key)] == value)


def _studio_profiles(things: Things) -> Iterator[Thing]:
    """Profiles of a Studio domain that takes identities of the account: its own role, or the domain's."""
    domains = {str(d.config.get("DomainId") or d.uid.rpartition("/")[2]): d
               for d in things.estate.of_type("aws_sagemaker_domain")}  # fmt: skip
    for item in things.estate.of_type("aws_sagemaker_user_profile"):
        parts = item.uid.split("/")
        domain = domains.get(str(item.config.get("DomainId") or parts[1] if len(parts) > 1 else ""))
        told = domain.config if domain is not None else {}
        mode = told.get("AuthMode")
        if mode == "SSO" or str(item.config.get("Status")) in ("Deleting", "Failed"):
            continue
        own = next(walk(item.config, "UserSettings.ExecutionRole"), None)
        role = own or next(walk(told, "DefaultUserSettings.ExecutionRole"), None)
        if isinstance(role, str):
            doubt = "" if mode else "how one signs in to its domain was not read"
            yield Thing(item.uid, item.account, (_role_arn(item, role),), {}, not doubt, doubt)


def _studio_domains(things: Things) -> Iterator[Thing]:
    """Studio domains that take identities of the account, not of the Identity Center."""
    for item in things.estate.of_type("aws_sagemaker_domain"):
        if item.config.get("AuthMode") != "SSO" and item.config.get("Status") != "Deleting":
            yield Thing(item.uid, item.account)


def _emr_clusters(things: Things) -> Iterator[Thing]:
    """Clusters that take steps, and the role of their instances."""
    for item in things.estate.of_type("aws_emr_cluster"):
        state = str(next(walk(item.config, "Status.State"), ""))
        if state not in ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"):
            continue
        named = next(walk(item.config, "Ec2InstanceAttributes.IamInstanceProfile"), None)
        if not isinstance(named, str):
            continue
        profile = (
            named if named.startswith("arn:")
            else f"arn:aws:iam::{item.account}:instance-profile/{named}"
        )  # fmt: skip
        yield Thing(item.uid, item.account, tuple(things.world.roles_of_profile(profile)))


def _express_machines(things: Things) -> Iterator[Thing]:
    """State machines that can be run and waited for."""
    for thing in things.of("state-machine"):
        if things.estate.items[thing.uid].config.get("type") == "EXPRESS":
            yield thing


def _node_functions(things: Things) -> Iterator[Thing]:
    """Functions whose runtime loads what the variable NODE_OPTIONS says (`--import`, data URLs)."""
    for thing in things.of("function"):
        runtime = str(things.estate.items[thing.uid].config.get("Runtime") or "")
        version = runtime.removeprefix("nodejs").partition(".")[0]
        if runtime.startswith("nodejs") and version.isdigit() and int(version) >= 18:
            yield thing


def _saml_providers(missing: bool) -> Finder:
    """Providers that roles of their account trust: there, or named and not there any more."""

    def find(things: Things) -> Iterator[Thing]:
        trusting: dict[str, dict[str, bool]] = defaultdict(dict)
        for role in things.world.roles():
            for statement in role.trust.statements if role.trust else ():
                if statement.effect != "Allow" or not statement.about("sts:assumerolewithsaml"):
                    continue
                # Whoever signs the assertion says what stands in it.
                free = all(
                    k.startswith("saml:") or k == "sts:rolesessionname" for k in statement.keys
                )
                for kind, value in statement.principals or ():
                    same = kind == "Federated" and value.split(":")[4:5] == [role.account]
                    if same and ":saml-provider/" in value:
                        trusting[value][role.arn] = free or trusting[value].get(role.arn, False)
        for uid, roles in sorted(trusting.items()):
            account = uid.split(":")[4]
            there = uid in things.estate.items
            read = things.was_read(account, "iam.list_saml_providers")
            if (read and not there) is missing:
                doubt = "" if there or read else "SAML providers were not read"
                for role_arn, free in roles.items():
                    told = doubt or ("" if free else "a condition of its trust")
                    yield Thing(uid, account, (role_arn,), {}, not told, told)

    return find


def _with_pods(things: Things) -> Iterator[Thing]:
    """EKS clusters and what pods there act as: the roles that trust the cluster's issuer, and what its
    associations of Pod Identity hand out."""
    given: dict[str, list[str]] = defaultdict(list)
    for item in things.estate.of_type(pods.TYPE):
        given[pods.cluster_of(item)].append(item.uid)
    trusting: dict[str, list[str]] = defaultdict(list)
    for role in things.world.roles():
        for statement in role.trust.statements if role.trust else ():
            for kind, value in statement.principals or ():
                if kind == "Federated" and ":oidc-provider/" in value:
                    trusting[value.partition(":oidc-provider/")[2]].append(role.arn)
    for item in things.estate.of_type("aws_eks_cluster"):
        issuer = str(next(walk(item.config, "identity.oidc.issuer"), "")).removeprefix("https://")
        roles = tuple(dict.fromkeys(trusting[issuer] if issuer else ()))
        if issuer or given[item.uid]:
            yield Thing(item.uid, item.account, roles, givers=tuple(given[item.uid]))


def _eks_clusters(things: Things) -> Iterator[Thing]:
    """Those that take access entries: their administrator runs pods as any service account."""
    for thing in things.of("eks-pods"):
        item = things.estate.items[thing.uid]
        mode = str(next(walk(item.config, "accessConfig.authenticationMode"), ""))
        if mode == "CONFIG_MAP":
            continue
        entry = item.uid.replace(":cluster/", ":access-entry/", 1)
        yield Thing(item.uid, item.account, thing.roles,
                    {"entry": f"{entry}/role/{item.account}/secinbox-any/any"}, bool(mode),
                    "" if mode else "whether the cluster takes access entries was not read",
                    thing.givers)  # fmt: skip


_FINDERS: dict[str, Finder] = {
    "instance": _instances,
    "managed-instance": _managed,
    "bare-instance": _bare,
    "ssh-instance": _ssh,
    "serial-instance": _serial,
    "stopped-instance": _stopped,
    "function": _simple("aws_lambda_function", "Role", "FunctionArn"),
    "node-function": _node_functions,
    "saml-provider": _saml_providers(missing=False),
    "missing-saml-provider": _saml_providers(missing=True),
    "stack": _simple("aws_cloudformation_stack", "RoleARN", "StackId",
                     ("StackStatus", "DELETE_COMPLETE DELETE_IN_PROGRESS REVIEW_IN_PROGRESS")),
    "project": _simple("aws_codebuild_project", "serviceRole", "serviceRole"),
    "batch-project": _simple("aws_codebuild_project", "serviceRole", "buildBatchConfig"),
    "dev-endpoint": _simple("aws_glue_devendpoint", "RoleArn", "EndpointName"),
    "glue-job": _simple("aws_glue_job", "Role", "Name"),
    "notebook": _simple("aws_sagemaker_notebook_instance", "RoleArn", "NotebookInstanceName",
                        ("NotebookInstanceStatus", "Deleting Failed")),
    "open-notebook": _simple("aws_sagemaker_notebook_instance", "RoleArn", "NotebookInstanceName",
                             ("NotebookInstanceStatus", "Deleting Failed Stopped Stopping")),
    "stopped-notebook": _simple(
        "aws_sagemaker_notebook_instance", "RoleArn", "NotebookInstanceStatus",
        ("NotebookInstanceStatus", "Deleting Failed InService Pending Updating")),
    "studio-profile": _studio_profiles,
    "interpreter": _simple("aws_bedrock_agentcore_code_interpreter_custom "
                           "aws_bedrock_agentcore_code_interpreter", "executionRoleArn", ""),
    "agent-runtime": _simple("aws_bedrock_agentcore_runtime", "roleArn", ""),
    "agent-browser": _simple("aws_bedrock_agentcore_browser_custom aws_bedrock_agentcore_browser",
                             "executionRoleArn", ""),
    "state-machine": _simple("aws_stepfunctions_state_machine", "roleArn", "roleArn"),
    "apprunner-service": _simple("aws_apprunner_service", "InstanceConfiguration.InstanceRoleArn",
                                 "ServiceArn", ("Status", "DELETED DELETE_FAILED PAUSED")),
    "exec-task": _tasks,
    "task-definition": _definitions,
    "host": _hosts,
    "cluster": _clusters,
    "ecs-service": _simple("aws_ecs_service", "-", "serviceArn", ("status", "INACTIVE DRAINING")),
    "job-queue": _simple("aws_batch_job_queue", "-", "jobQueueArn"),
    "job-definition": _job_definitions,
    "template": _templates,
    "stack-set": _stack_sets,
    "deployment-group": _deployments,
    "eks-pods": _with_pods,
    "eks-cluster": _eks_clusters,
    "any-stack": _simple("aws_cloudformation_stack", "-", "StackId",
                         ("StackStatus", "DELETE_COMPLETE DELETE_IN_PROGRESS REVIEW_IN_PROGRESS")),
    "any-machine": _simple("aws_stepfunctions_state_machine", "-", ""),
    "any-apprunner": _simple("aws_apprunner_service", "-", "ServiceArn",
                             ("Status", "DELETED DELETE_FAILED PAUSED")),
    "express-machine": _express_machines,
    "scaling-group": _simple("aws_autoscaling_group", "-", ""),
    "emr-application": _simple("aws_emr_serverless", "-", "", ("state", "TERMINATED")),
    "emr-cluster": _emr_clusters,
    "studio-domain": _studio_domains,
    "schedule": _simple("aws_scheduler_schedule", "-", ""),
    "event-rule": _simple("aws_events_rule", "-", ""),
}  # fmt: skip

# The call that would have listed things of a kind: when nobody read it, their absence says nothing.
LISTED_BY: dict[str, str] = {
    "managed-instance": "ec2.describe_instances",
    "ssh-instance": "ec2.describe_instances",
    "instance": "ec2.describe_instances",
    "stopped-instance": "ec2.describe_instances",
    "function": "lambda.list_functions",
    "node-function": "lambda.list_functions",
    "stack": "cloudformation.describe_stacks",
    "project": "codebuild.list_projects",
    "batch-project": "codebuild.list_projects",
    "dev-endpoint": "glue.get_dev_endpoints",
    "glue-job": "glue.get_jobs",
    "notebook": "sagemaker.list_notebook_instances",
    "open-notebook": "sagemaker.list_notebook_instances",
    "stopped-notebook": "sagemaker.list_notebook_instances",
    "studio-profile": "sagemaker.list_user_profiles",
    "interpreter": "bedrock-agentcore-control.list_code_interpreters",
    "exec-task": "ecs.list_clusters",
    "task-definition": "ecs.list_task_definitions",
    "cluster": "ecs.list_clusters",
    "host": "ecs.list_clusters",
    "ecs-service": "ecs.list_clusters",
    "apprunner-service": "apprunner.list_services",
    "template": "autoscaling.describe_auto_scaling_groups",
    "stack-set": "cloudformation.list_stack_sets",
    "schedule": "scheduler.list_schedules",
    "event-rule": "events.list_rules",
    "serial-instance": "ec2.describe_instances",
    "state-machine": "stepfunctions.list_state_machines",
    "job-definition": "batch.describe_job_definitions",
    "agent-runtime": "bedrock-agentcore-control.list_agent_runtimes",
    "agent-browser": "bedrock-agentcore-control.list_browsers",
    "any-stack": "cloudformation.describe_stacks",
    "any-machine": "stepfunctions.list_state_machines",
    "any-apprunner": "apprunner.list_services",
    "express-machine": "stepfunctions.list_state_machines",
    "scaling-group": "autoscaling.describe_auto_scaling_groups",
    "emr-application": "emr-serverless.list_applications",
    "emr-cluster": "emr.list_clusters",
    "studio-domain": "sagemaker.list_domains",
}
# The service that a role must trust to be the role of such a thing.
RUNS_FOR: dict[str, str] = {
    "managed-instance": "ec2.amazonaws.com",
    "ssh-instance": "ec2.amazonaws.com",
    "serial-instance": "ec2.amazonaws.com",
    "instance": "ec2.amazonaws.com",
    "stopped-instance": "ec2.amazonaws.com",
    "function": "lambda.amazonaws.com",
    "stack": "cloudformation.amazonaws.com",
    "project": "codebuild.amazonaws.com",
    "batch-project": "codebuild.amazonaws.com",
    "dev-endpoint": "glue.amazonaws.com",
    "glue-job": "glue.amazonaws.com",
    "notebook": "sagemaker.amazonaws.com",
    "open-notebook": "sagemaker.amazonaws.com",
    "stopped-notebook": "sagemaker.amazonaws.com",
    "studio-profile": "sagemaker.amazonaws.com",
    "interpreter": "bedrock-agentcore.amazonaws.com",
    "agent-runtime": "bedrock-agentcore.amazonaws.com",
    "agent-browser": "bedrock-agentcore.amazonaws.com",
    "exec-task": "ecs-tasks.amazonaws.com",
    "job-definition": "ecs-tasks.amazonaws.com",
    "apprunner-service": "tasks.apprunner.amazonaws.com",
    "state-machine": "states.amazonaws.com",
    "express-machine": "states.amazonaws.com",
    "emr-cluster": "ec2.amazonaws.com",
}


def gap(text: str, source: str = "") -> Evidence:
    return Evidence(kind="gap", text=text, source=source)
