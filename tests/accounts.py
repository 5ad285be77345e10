"""Small accounts of AWS, written down a part at a time; everything else is the real thing."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.iam import Escalation

A, B = "111122223333", "444455556666"
USER = f"arn:aws:iam::{A}:user/ana"
R = "eu-west-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LISTED = (
    "ec2.describe_instances", "ssm.describe_instance_information", "lambda.list_functions",
    "stepfunctions.list_state_machines",
    "cloudformation.describe_stacks", "codebuild.list_projects", "glue.get_jobs",
    "glue.get_dev_endpoints", "ecs.list_clusters", "ecs.list_task_definitions",
    "autoscaling.describe_auto_scaling_groups", "sagemaker.list_notebook_instances",
    "sagemaker.list_user_profiles",
    "apprunner.list_services", "bedrock-agentcore-control.list_code_interpreters",
    "scheduler.list_schedules", "events.list_rules", "cloudformation.list_stack_sets",
    "sagemaker.list_domains", "emr-serverless.list_applications", "emr.list_clusters",
)  # fmt: skip


def allow(action: Any, resource: Any = "*", **condition: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Action": action, "Resource": resource}
    return found | ({"Condition": condition} if condition else {})


def deny(action: Any, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource}


def service(name: str, **condition: Any) -> list[dict[str, Any]]:
    found: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": name},
        "Action": "sts:AssumeRole",
    }
    return [found | ({"Condition": condition} if condition else {})]


def aws(principal: str, **condition: Any) -> list[dict[str, Any]]:
    found: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
    }
    return [found | ({"Condition": condition} if condition else {})]


class Account:
    """A small account, written down a part at a time."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.covered: set[str] = {f"aws:{A}/{R}/{op}" for op in LISTED}

    def add(
        self, uid: str, kind: str, config: dict[str, Any], tags: dict[str, str] | None = None
    ) -> Account:
        account = uid.split(":")[4]
        # Tags were read, unless a test says otherwise.
        self.items.append(Item(uid, kind, uid.rpartition("/")[2], "aws", account, uid.split(":")[3],
                               tags or {}, {"Tags": [], **config}))  # fmt: skip
        return self

    def user(self, name: str = "ana", *statements: dict[str, Any], account: str = A, keys: int | None = 0,
             password: bool | None = False, **more: Any) -> Account:  # fmt: skip
        config: dict[str, Any] = {"UserName": name, "UserId": f"AIDA{name.upper():0<16}", "Path": "/",
                                  "UserPolicyList": _inline(statements), **more}  # fmt: skip
        if keys is not None:
            config["list_access_keys"] = {"AccessKeyMetadata": [{}] * keys}
        if password is not None:
            config["get_login_profile"] = (
                {"LoginProfile": {}} if password else {"Error": "NoSuchEntity"}
            )
        return self.add(f"arn:aws:iam::{account}:user/{name}", "aws_iam_user", config)

    def role(self, name: str, trust: list[dict[str, Any]], *statements: dict[str, Any], account: str = A,
             profile: bool = False, path: str = "/", **more: Any) -> Account:  # fmt: skip
        arn = f"arn:aws:iam::{account}:role{path}{name}"
        profiles = [{"Arn": f"arn:aws:iam::{account}:instance-profile/{name}"}] if profile else []
        return self.add(arn, "aws_iam_role", {
            "RoleName": name, "RoleId": f"AROA{name.upper():0<16}", "Path": path,
            "RolePolicyList": _inline(statements), "InstanceProfileList": profiles,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust}, **more})  # fmt: skip

    def admin(self, trust: list[dict[str, Any]], **more: Any) -> Account:
        return self.role("admin", trust, allow("*"), **more)

    def group(self, name: str, *statements: dict[str, Any]) -> Account:
        return self.add(f"arn:aws:iam::{A}:group/{name}", "aws_iam_group",
                        {"GroupName": name, "GroupPolicyList": _inline(statements)})  # fmt: skip

    def policy(self, name: str, *versions: list[dict[str, Any]]) -> Account:
        return self.add(f"arn:aws:iam::{A}:policy/{name}", "aws_iam_policy", {"PolicyVersionList": [
            {"VersionId": f"v{i + 1}", "IsDefaultVersion": i == 0, "Document": document(v)}
            for i, v in enumerate(versions)]})  # fmt: skip

    def estate(self) -> Estate:
        estate = Estate()
        for item in self.items:
            estate.add(deepcopy(item))
        estate.covered = set(self.covered)
        return estate

    def can(self, arn: str = USER) -> str:
        """yes, unknown or no: is or can become administrator of its own account."""
        found = Escalation(self.estate())
        if found.admins[arn].value == "yes":
            return "yes"
        way = found.way(arn)
        if way is None or way.account != arn.split(":")[4]:
            return "no"
        return "yes" if way.certain else "unknown"


def document(statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _inline(statements: Any) -> list[dict[str, Any]]:
    return [{"PolicyName": "own", "PolicyDocument": document(statements)}] if statements else []


def attached(*names: str) -> dict[str, Any]:
    arns = (n if n.startswith("arn:") else f"arn:aws:iam::{A}:policy/{n}" for n in names)
    return {"AttachedManagedPolicies": [{"PolicyArn": a} for a in arns]}


def bounded(name: str) -> dict[str, Any]:
    return {"PermissionsBoundary": {"PermissionsBoundaryArn": f"arn:aws:iam::{A}:policy/{name}"}}


ADMIN = f"arn:aws:iam::{A}:role/admin"
MANAGED = "arn:aws:iam::aws:policy/AdministratorAccess"
PASS = allow("iam:PassRole", ADMIN)

I = f"arn:aws:ec2:{R}:{A}:instance/i-1"  # noqa: E741
RUNNING = {"InstanceId": "i-1", "State": {"Name": "running"}, "PublicIpAddress": "54.1.2.3",
           "IamInstanceProfile": {"Arn": f"arn:aws:iam::{A}:instance-profile/admin"},
           "describe_instance_information": {"PingStatus": "Online"}}  # fmt: skip
F = f"arn:aws:lambda:{R}:{A}:function:f"
STACK = f"arn:aws:cloudformation:{R}:{A}:stack/s/1"
STACK_SET = f"arn:aws:cloudformation:{R}:{A}:stackset/s:1"
PROJECT = f"arn:aws:codebuild:{R}:{A}:project/p"
TASK, CLUSTER = f"arn:aws:ecs:{R}:{A}:task/c/1", f"arn:aws:ecs:{R}:{A}:cluster/c"
ENDPOINT = f"arn:aws:glue:{R}:{A}:devEndpoint/e"
NOTEBOOK = f"arn:aws:sagemaker:{R}:{A}:notebook-instance/n"
INTERPRETER = f"arn:aws:bedrock-agentcore:{R}:{A}:code-interpreter-custom/i"
MACHINE = f"arn:aws:states:{R}:{A}:stateMachine:m"
RUNNER = f"arn:aws:apprunner:{R}:{A}:service/s/1"
EC2 = "ec2.amazonaws.com"
