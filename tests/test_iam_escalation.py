"""Escalations: the smallest account where each is possible, and with one condition taken away."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secinbox.estate import Estate, Item, estate_of
from secinbox.iam import Escalation, Evaluator, World, escalations, privilege
from secinbox.inventory import aws as inventory
from secinbox.reading import Report

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
            {"VersionId": f"v{i + 1}", "IsDefaultVersion": i == 0, "Document": _document(v)}
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


def _document(statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _inline(statements: Any) -> list[dict[str, Any]]:
    return [{"PolicyName": "own", "PolicyDocument": _document(statements)}] if statements else []


def attached(*names: str) -> dict[str, Any]:
    arns = (n if n.startswith("arn:") else f"arn:aws:iam::{A}:policy/{n}" for n in names)
    return {"AttachedManagedPolicies": [{"PolicyArn": a} for a in arns]}


def bounded(name: str) -> dict[str, Any]:
    return {"PermissionsBoundary": {"PermissionsBoundaryArn": f"arn:aws:iam::{A}:policy/{name}"}}


ADMIN = f"arn:aws:iam::{A}:role/admin"
MANAGED = "arn:aws:iam::aws:policy/AdministratorAccess"
PASS = allow("iam:PassRole", ADMIN)

# Rows with a role passed: actions, the service, what must exist besides.
PASSED: list[tuple[str, tuple[str, ...], str, bool]] = [
    ("ec2-001", ("ec2:RunInstances",), "ec2.amazonaws.com", True),
    ("ec2-004", ("ec2:RequestSpotInstances",), "ec2.amazonaws.com", True),
    ("autoscaling-001", ("autoscaling:CreateLaunchConfiguration", "autoscaling:CreateAutoScalingGroup"),
     "ec2.amazonaws.com", True),
    ("lambda-001", ("lambda:CreateFunction", "lambda:InvokeFunction"), "lambda.amazonaws.com", False),
    ("lambda-002", ("lambda:CreateFunction", "lambda:CreateEventSourceMapping"), "lambda.amazonaws.com", False),
    ("lambda-006", ("lambda:CreateFunction", "lambda:AddPermission"), "lambda.amazonaws.com", False),
    ("cloudformation-001", ("cloudformation:CreateStack",), "cloudformation.amazonaws.com", False),
    ("cloudformation-006", ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"),
     "cloudformation.amazonaws.com", False),
    ("cloudformation-003", ("cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"),
     "cloudformation.amazonaws.com", False),
    ("ecs-002", ("ecs:CreateCluster", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
     "ecs-tasks.amazonaws.com", False),
    ("ecs-001", ("ecs:CreateCluster", "ecs:RegisterTaskDefinition", "ecs:CreateService"),
     "ecs-tasks.amazonaws.com", False),
    ("ecs-007", ("ecs:CreateCluster", "ecs:RegisterTaskDefinition", "ecs:StartTask",
                 "ecs:RegisterContainerInstance"), "ecs-tasks.amazonaws.com", False),
    ("codebuild-001", ("codebuild:CreateProject", "codebuild:StartBuild"), "codebuild.amazonaws.com", False),
    ("codebuild-004", ("codebuild:CreateProject", "codebuild:StartBuildBatch"), "codebuild.amazonaws.com", False),
    ("glue-001", ("glue:CreateDevEndpoint",), "glue.amazonaws.com", False),
    ("glue-003", ("glue:CreateJob", "glue:StartJobRun"), "glue.amazonaws.com", False),
    ("glue-004", ("glue:CreateJob", "glue:CreateTrigger"), "glue.amazonaws.com", False),
    ("glue-007", ("glue:CreateSession", "glue:RunStatement"), "glue.amazonaws.com", False),
    ("sagemaker-001", ("sagemaker:CreateNotebookInstance",), "sagemaker.amazonaws.com", False),
    ("sagemaker-002", ("sagemaker:CreateTrainingJob",), "sagemaker.amazonaws.com", False),
    ("sagemaker-003", ("sagemaker:CreateProcessingJob",), "sagemaker.amazonaws.com", False),
    ("bedrock-001", ("bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore:StartCodeInterpreterSession",
                     "bedrock-agentcore:InvokeCodeInterpreter"), "bedrock-agentcore.amazonaws.com", False),
    ("stepfunctions-001", ("states:CreateStateMachine", "states:StartExecution"), "states.amazonaws.com", False),
    ("scheduler-001", ("scheduler:CreateSchedule",), "scheduler.amazonaws.com", False),
    ("events-001", ("events:PutRule", "events:PutTargets"), "events.amazonaws.com", False),
    ("ssm-003", ("ssm:CreateDocument", "ssm:StartAutomationExecution"), "ssm.amazonaws.com", False),
    ("apprunner-001", ("apprunner:CreateService",), "tasks.apprunner.amazonaws.com", False),
    ("emrserverless-001", ("emr-serverless:CreateApplication", "emr-serverless:StartJobRun"),
     "emr-serverless.amazonaws.com", False),
    ("rolesanywhere-001", ("rolesanywhere:CreateTrustAnchor", "rolesanywhere:CreateProfile"),
     "rolesanywhere.amazonaws.com", False),
]  # fmt: skip


@pytest.mark.parametrize(("row", "actions", "name", "profile"), PASSED, ids=[p[0] for p in PASSED])
def test_a_role_passed_to_something_new(
    row: str, actions: tuple[str, ...], name: str, profile: bool
) -> None:
    def account(*statements: dict[str, Any], trust: list[dict[str, Any]] | None = None,
                with_profile: bool = profile, **more: Any) -> Account:  # fmt: skip
        return (
            Account()
            .user("ana", *statements, **more)
            .admin(trust or service(name), profile=with_profile)
        )

    needs = allow(list(actions))
    assert account(needs, PASS).can() == "yes"
    assert Escalation(account(needs, PASS).estate()).way(USER).steps[0].move == row  # type: ignore[union-attr]
    # every single action, the right to pass, the trust, the condition on the service
    for missing in actions:
        rest = [a for a in actions if a != missing]
        assert account(*([allow(rest)] if rest else []), PASS).can() == "no", missing
    assert account(needs).can() == "no"
    assert account(needs, PASS, trust=service("health.amazonaws.com")).can() == "no"
    assert account(needs, PASS, trust=aws(f"arn:aws:iam::{B}:root")).can() == "no"
    assert account(needs, allow("iam:PassRole", f"arn:aws:iam::{A}:role/other")).can() == "no"
    matching = {"StringEquals": {"iam:PassedToService": name}}
    assert account(needs, allow("iam:PassRole", "*", **matching)).can() == "yes"
    wrong = {"StringEquals": {"iam:PassedToService": "health.amazonaws.com"}}
    assert account(needs, allow("iam:PassRole", "*", **wrong)).can() == "no"
    assert account(needs, PASS, deny(actions[0])).can() == "no"
    assert account(needs, PASS, deny("iam:PassRole")).can() == "no"
    if profile:
        assert account(needs, PASS, with_profile=False).can() == "no"
        makes = allow(["iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"])
        assert account(needs, PASS, makes, with_profile=False).can() == "yes"
    bound = account(needs, PASS, **bounded("limit")).policy("limit", [allow("s3:*")])
    assert bound.can() == "no"
    wide = account(needs, PASS, **bounded("limit")).policy(
        "limit", [allow([*actions, "iam:PassRole"])]
    )
    assert wide.can() == "yes"


# Things that exist and are taken over

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

TAKEN: list[tuple[str, tuple[str, ...], str, str, str, dict[str, Any], dict[str, Any]]] = [
    # id, actions, service, uid, type, configuration, what makes it impossible
    ("ssm-001", ("ssm:StartSession",), EC2, I, "aws_ec2_instance", RUNNING,
     {"describe_instance_information": {"PingStatus": "ConnectionLost"}}),
    ("ssm-002", ("ssm:SendCommand",), EC2, I, "aws_ec2_instance", RUNNING, {"State": {"Name": "stopped"}}),
    ("ec2-003", ("ec2-instance-connect:SendSSHPublicKey",), EC2, I, "aws_ec2_instance", RUNNING,
     {"State": {"Name": "stopped"}}),
    ("ec2-002", ("ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"), EC2, I,
     "aws_ec2_instance", RUNNING, {"State": {"Name": "terminated"}}),
    ("lambda-003", ("lambda:UpdateFunctionCode",), "lambda.amazonaws.com", F, "aws_lambda_function",
     {"FunctionArn": F, "Role": ADMIN}, {"Role": f"arn:aws:iam::{A}:role/other"}),
    ("cloudformation-002", ("cloudformation:UpdateStack",), "cloudformation.amazonaws.com", STACK,
     "aws_cloudformation_stack", {"StackId": STACK, "RoleARN": ADMIN}, {"RoleARN": None}),
    ("cloudformation-005", ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"),
     "cloudformation.amazonaws.com", STACK, "aws_cloudformation_stack",
     {"StackId": STACK, "RoleARN": ADMIN}, {"StackStatus": "DELETE_COMPLETE"}),
    ("cloudformation-004", ("cloudformation:UpdateStackSet", "iam:PassRole"),
     "cloudformation.amazonaws.com", STACK_SET, "aws_cloudformation_stackset",
     {"AdministrationRoleARN": ADMIN, "Status": "ACTIVE"}, {"Status": "DELETED"}),
    ("codebuild-002", ("codebuild:StartBuild",), "codebuild.amazonaws.com", PROJECT, "aws_codebuild_project",
     {"serviceRole": ADMIN}, {"serviceRole": None}),
    ("codebuild-003", ("codebuild:StartBuildBatch",), "codebuild.amazonaws.com", PROJECT,
     "aws_codebuild_project", {"serviceRole": ADMIN, "buildBatchConfig": {"serviceRole": ADMIN}},
     {"buildBatchConfig": None}),
    ("ecs-006", ("ecs:ExecuteCommand",), "ecs-tasks.amazonaws.com", TASK, "aws_ecs_task",
     {"clusterArn": CLUSTER, "enableExecuteCommand": True, "lastStatus": "RUNNING",
      "overrides": {"taskRoleArn": ADMIN}}, {"enableExecuteCommand": False}),
    ("glue-002", ("glue:UpdateDevEndpoint",), "glue.amazonaws.com", ENDPOINT, "aws_glue_devendpoint",
     {"EndpointName": "e", "RoleArn": ADMIN}, {"RoleArn": None}),
    ("sagemaker-004", ("sagemaker:CreatePresignedNotebookInstanceUrl",), "sagemaker.amazonaws.com", NOTEBOOK,
     "aws_sagemaker_notebook_instance", {"NotebookInstanceName": "n", "RoleArn": ADMIN}, {"RoleArn": None}),
    ("sagemaker-005", ("sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:StopNotebookInstance",
                       "sagemaker:UpdateNotebookInstance", "sagemaker:StartNotebookInstance"),
     "sagemaker.amazonaws.com", NOTEBOOK, "aws_sagemaker_notebook_instance",
     {"NotebookInstanceName": "n", "RoleArn": ADMIN}, {"RoleArn": None}),
    ("bedrock-002", ("bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"),
     "bedrock-agentcore.amazonaws.com", INTERPRETER, "aws_bedrock_agentcore_code_interpreter_custom",
     {"executionRoleArn": ADMIN}, {"executionRoleArn": None}),
    ("stepfunctions-002", ("states:UpdateStateMachine", "states:StartExecution"), "states.amazonaws.com",
     MACHINE, "aws_stepfunctions_state_machine", {"roleArn": ADMIN}, {"roleArn": None}),
    ("apprunner-002", ("apprunner:UpdateService",), "tasks.apprunner.amazonaws.com", RUNNER,
     "aws_apprunner_service", {"ServiceArn": RUNNER, "InstanceConfiguration": {"InstanceRoleArn": ADMIN}},
     {"Status": "DELETED"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "actions", "name", "uid", "kind", "config", "dead"), TAKEN, ids=[t[0] for t in TAKEN]
)
def test_a_thing_taken_over(row: str, actions: tuple[str, ...], name: str, uid: str, kind: str,
                            config: dict[str, Any], dead: dict[str, Any]) -> None:  # fmt: skip
    def account(*statements: dict[str, Any], thing: dict[str, Any] | None = config) -> Account:
        made = Account().user("ana", *statements).admin(service(name), profile=True)
        return made.add(uid, kind, dict(thing)) if thing is not None else made

    needs = allow(list(actions))
    assert account(needs).can() == "yes"
    assert Escalation(account(needs).estate()).way(USER).steps[0].move == row  # type: ignore[union-attr]
    assert account(needs, thing=None).can() == "no"
    assert account(needs, thing={**config, **dead}).can() == "no"
    for missing in actions:
        rest = [a for a in actions if a != missing]
        assert account(*([allow(rest)] if rest else [])).can() == "no", missing
    assert account(allow(list(actions), uid.replace(f":{A}:", f":{B}:"))).can() == "no"
    assert account(needs, deny(actions[-1])).can() == "no"
    tagged = allow(list(actions), "*", StringEquals={"aws:ResourceTag/team": "red"})
    assert account(tagged).can() == "no"


def test_what_was_not_listed_may_be_there() -> None:
    """Only the identities were read: whether there is a function to take over is not known."""

    def account(*statements: dict[str, Any]) -> Account:
        made = Account().user("ana", *statements).admin(service("lambda.amazonaws.com"))
        made.covered = set()
        return made

    for actions in (("lambda:UpdateFunctionCode",), ("lambda:*",)):
        assert account(allow(list(actions))).can() == "unknown"
        way = Escalation(account(allow(list(actions))).estate()).way(USER)
        assert way is not None and not way.certain
        assert way.doubts == ("functions were not read (lambda.list_functions)",)
    assert account(allow("lambda:GetFunction")).can() == "no"
    # SSM needs an instance and a document; nothing here runs as a role that EC2 may have.
    assert account(allow("ssm:*")).can() == "no"
    other = Account().user("ana", allow("ssm:*")).admin(service("ec2.amazonaws.com"), profile=True)
    other.covered = set()
    assert other.can() == "unknown"


@pytest.mark.parametrize(
    ("row", "action", "name", "uid", "kind"),
    [
        ("scheduler-002", "scheduler:UpdateSchedule", "scheduler.amazonaws.com",
         f"arn:aws:scheduler:{R}:{A}:schedule/default/s", "aws_scheduler_schedule"),
        ("events-002", "events:PutTargets", "events.amazonaws.com",
         f"arn:aws:events:{R}:{A}:rule/r", "aws_events_rule"),
    ],
)  # fmt: skip
def test_a_role_passed_to_something_changed(
    row: str, action: str, name: str, uid: str, kind: str
) -> None:
    def account(*statements: dict[str, Any], thing: bool = True) -> Account:
        made = Account().user("ana", *statements).admin(service(name))
        made.covered |= {f"aws:{A}/{R}/{op}" for op in ("scheduler.list_schedules",
                                                        "events.list_rules")}  # fmt: skip
        return made.add(uid, kind, {"Name": "x"}) if thing else made

    assert account(allow(action), PASS).can() == "yes"
    way = Escalation(account(allow(action), PASS).estate()).way(USER)
    assert way is not None and way.steps[0].move == row
    assert account(allow(action), PASS, thing=False).can() == "no"
    assert account(allow(action)).can() == "no"
    assert account(PASS).can() == "no"
    assert account(allow(action, f"{uid}-other"), PASS).can() == "no"


@pytest.mark.parametrize("missing", range(3))
def test_a_function_that_gets_another_role_and_other_code(missing: int) -> None:
    weak = f"arn:aws:iam::{A}:role/weak"
    actions = ["lambda:UpdateFunctionConfiguration", "lambda:UpdateFunctionCode", "iam:PassRole"]

    def can(*given: str) -> str:
        made = Account().user("ana", allow(list(given))).admin(service("lambda.amazonaws.com"))
        made.role("weak", service("lambda.amazonaws.com"))
        return made.add(F, "aws_lambda_function", {"FunctionArn": F, "Role": weak}).can()

    assert can(*actions) == "yes"
    assert can(*(a for a in actions if a != actions[missing])) == "no"


@pytest.mark.parametrize(
    ("actions", "state", "expected"),
    [
        ("ModifyInstanceAttribute StartInstances", "stopped", "yes"),
        ("ModifyInstanceAttribute StartInstances", "running", "no"),
        ("ModifyInstanceAttribute", "stopped", "no"),
        ("StartInstances", "stopped", "no"),
    ],
)
def test_an_instance_that_stands_still_need_not_be_stopped(
    actions: str, state: str, expected: str
) -> None:
    made = Account().user("ana", allow([f"ec2:{a}" for a in actions.split()]))
    made.admin(service(EC2), profile=True)
    made.add(I, "aws_ec2_instance", {**RUNNING, "State": {"Name": state}})
    assert made.can() == expected


@pytest.mark.parametrize(
    ("actions", "state", "expected"),
    [
        ("CreatePresignedNotebookInstanceUrl", "InService", "yes"),
        ("CreatePresignedNotebookInstanceUrl", "Stopped", "no"),
        ("CreatePresignedNotebookInstanceUrl StartNotebookInstance", "Stopped", "yes"),
        ("StartNotebookInstance", "Stopped", "no"),
        ("CreateNotebookInstanceLifecycleConfig UpdateNotebookInstance StartNotebookInstance", "Stopped", "yes"),
        ("CreateNotebookInstanceLifecycleConfig UpdateNotebookInstance StartNotebookInstance", "InService", "no"),
        ("CreateNotebookInstanceLifecycleConfig UpdateNotebookInstance", "Stopped", "no"),
    ],
)  # fmt: skip
def test_a_notebook_is_opened_where_it_runs(actions: str, state: str, expected: str) -> None:
    made = Account().user("ana", allow([f"sagemaker:{a}" for a in actions.split()]))
    made.admin(service("sagemaker.amazonaws.com"))
    made.add(NOTEBOOK, "aws_sagemaker_notebook_instance", {
        "NotebookInstanceName": "n", "RoleArn": ADMIN, "NotebookInstanceStatus": state})  # fmt: skip
    assert made.can() == expected


@pytest.mark.parametrize(
    ("actions", "password", "expected"),
    [
        ("CreateLoginProfile", True, "no"),
        ("CreateLoginProfile DeleteLoginProfile", True, "yes"),
        ("DeleteLoginProfile", True, "no"),
        ("CreateLoginProfile", False, "yes"),
    ],
)
def test_a_password_is_taken_away_and_set_anew(actions: str, password: bool, expected: str) -> None:
    made = Account().user("ana", allow([f"iam:{a}" for a in actions.split()]))
    assert made.user("boss", allow("*"), password=password).can() == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("${aws:username}", "yes"), ("deploy-*", "yes"), ("${aws:PrincipalTag/none}", "no")],
)
def test_whoever_assumes_a_role_names_the_session(name: str, expected: str) -> None:
    wanted = {"StringLike": {"sts:RoleSessionName": name}}
    assert Account().user("ana").admin(aws(USER, **wanted)).can() == expected


@pytest.mark.parametrize(("keys", "password", "expected"), [
    (1, False, "yes"),  # a key of long standing says nothing of MFA
    (1, True, "yes"),
    (0, True, "no"),  # a session of the console says that there was none
])  # fmt: skip
def test_mfa_if_it_is_mentioned(keys: int, password: bool, expected: str) -> None:
    own = allow("*", "*", BoolIfExists={"aws:MultiFactorAuthPresent": "true"})
    made = Account().user(
        "ana", own, keys=keys, password=password, list_mfa_devices={"MFADevices": []}
    )
    assert made.can() == expected


def test_a_deployment_reaches_the_instances_of_its_group() -> None:
    group = f"arn:aws:codedeploy:{R}:{A}:deploymentgroup:app/g"
    filters = [{"Key": "app", "Value": "shop", "Type": "KEY_AND_VALUE"}]

    def account(tags: dict[str, str], *actions: str) -> Account:
        return (
            Account().user("ana", allow(list(actions))).admin(service(EC2), profile=True)
            .add(I, "aws_ec2_instance", RUNNING, tags)
            .add(group, "aws_codedeploy_deploymentgroup",
                 {"applicationName": "app", "ec2TagFilters": filters})
        )  # fmt: skip

    both = ("codedeploy:CreateDeployment", "codedeploy:RegisterApplicationRevision")
    assert account({"app": "shop"}, *both).can() == "yes"
    assert account({"app": "other"}, *both).can() == "no"
    assert account({"app": "shop"}, both[0]).can() == "no"
    assert account({"app": "shop"}, both[1]).can() == "no"


SAML = f"arn:aws:iam::{A}:saml-provider/okta"


def signs_in(provider: str = SAML, **condition: Any) -> list[dict[str, Any]]:
    found: dict[str, Any] = {"Effect": "Allow", "Principal": {"Federated": provider},
                             "Action": "sts:AssumeRoleWithSAML"}  # fmt: skip
    condition = condition or {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    return [found | {"Condition": condition}]


@pytest.mark.parametrize(("action", "there", "read", "trust", "expected"), [
    ("iam:UpdateSAMLProvider", True, True, signs_in(), "yes"),
    ("iam:UpdateSAMLProvider", True, False, signs_in(), "yes"),
    ("iam:UpdateSAMLProvider", False, False, signs_in(), "unknown"),
    ("iam:UpdateSAMLProvider", False, True, signs_in(), "no"),
    ("iam:CreateSAMLProvider", False, True, signs_in(), "yes"),
    ("iam:CreateSAMLProvider", True, True, signs_in(), "no"),
    ("iam:GetSAMLProvider", True, True, signs_in(), "no"),
    ("iam:UpdateSAMLProvider", True, True, signs_in(SAML.replace("okta", "other")), "no"),
    ("iam:UpdateSAMLProvider", True, True, service("lambda.amazonaws.com"), "no"),
    ("iam:UpdateSAMLProvider", True, True, signs_in(StringEquals={"SAML:sub": "boss"}), "yes"),
    ("iam:UpdateSAMLProvider", True, True, signs_in(IpAddress={"aws:SourceIp": "203.0.113.0/24"}), "unknown"),
])  # fmt: skip
def test_who_signs_assertions_is_whom_he_likes(
    action: str, there: bool, read: bool, trust: list[dict[str, Any]], expected: str
) -> None:
    made = Account().user("ana", allow(action, SAML)).admin(trust)
    if there:
        made.add(SAML, "aws_iam_saml_provider", {"Arn": SAML})
    if read:
        made.covered.add(f"aws:{A}/global/iam.list_saml_providers")
    assert made.can() == expected


@pytest.mark.parametrize(("runtime", "actions", "expected"), [
    ("nodejs22.x", "lambda:UpdateFunctionConfiguration", "yes"),
    ("nodejs16.x", "lambda:UpdateFunctionConfiguration", "no"),
    ("python3.13", "lambda:UpdateFunctionConfiguration", "no"),
    ("nodejs22.x", "lambda:GetFunctionConfiguration", "no"),
])  # fmt: skip
def test_options_of_node(runtime: str, actions: str, expected: str) -> None:
    made = Account().user("ana", allow(actions)).admin(service("lambda.amazonaws.com"))
    config = {"FunctionArn": F, "Role": ADMIN, "Runtime": runtime}
    assert made.add(F, "aws_lambda_function", config).can() == expected


@pytest.mark.parametrize(("actions", "expected"), [
    (("ssm:StartSession", "iam:RemoveRoleFromInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:PassRole"), "yes"),
    (("ssm:StartSession", "iam:AddRoleToInstanceProfile", "iam:PassRole"), "no"),
    (("ssm:StartSession", "iam:RemoveRoleFromInstanceProfile", "iam:AddRoleToInstanceProfile"), "no"),
    (("iam:RemoveRoleFromInstanceProfile", "iam:AddRoleToInstanceProfile", "iam:PassRole"), "no"),
])  # fmt: skip
def test_a_profile_in_use_that_gets_another_role(actions: tuple[str, ...], expected: str) -> None:
    profile = f"arn:aws:iam::{A}:instance-profile/web"
    made = Account().user("ana", allow(list(actions))).admin(service(EC2))
    made.role("web", service(EC2), allow("s3:*"), profile=True)
    made.add(I, "aws_ec2_instance", {**RUNNING, "IamInstanceProfile": {"Arn": profile}})
    assert made.can() == expected


@pytest.mark.parametrize(("action", "own", "default", "mode", "expected"), [
    ("sagemaker:CreatePresignedDomainUrl", ADMIN, None, "IAM", "yes"),
    ("sagemaker:CreatePresignedDomainUrl", None, ADMIN, "IAM", "yes"),
    ("sagemaker:CreatePresignedDomainUrl", f"arn:aws:iam::{A}:role/other", ADMIN, "IAM", "no"),
    ("sagemaker:CreatePresignedDomainUrl", ADMIN, None, "SSO", "no"),
    ("sagemaker:CreatePresignedDomainUrl", ADMIN, None, None, "unknown"),
    ("sagemaker:DescribeDomain", ADMIN, None, "IAM", "no"),
])  # fmt: skip
def test_studio_is_opened_as_the_role_of_a_profile(
    action: str, own: str | None, default: str | None, mode: str | None, expected: str
) -> None:
    head = f"arn:aws:sagemaker:{R}:{A}"
    settings = {"UserSettings": {"ExecutionRole": own}} if own else {}
    domain = {
        "DomainId": "d-1",
        "AuthMode": mode,
        "DefaultUserSettings": {"ExecutionRole": default},
    }
    made = Account().user("ana", allow(action)).admin(service("sagemaker.amazonaws.com"))
    made.add(
        f"{head}:user-profile/d-1/ana",
        "aws_sagemaker_user_profile",
        {"DomainId": "d-1", **settings},
    )
    assert made.add(f"{head}:domain/d-1", "aws_sagemaker_domain", domain).can() == expected


def test_profiles_of_studio_as_the_api_tells_them() -> None:
    head = f"arn:aws:sagemaker:{R}:{A}"
    profile = {"DomainId": "d-1", "UserProfileName": "ana"}
    calls: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "list_domains": ({}, {"Domains": [{"DomainArn": f"{head}:domain/d-1", "DomainId": "d-1"}]}),
        "describe_domain": ({"DomainId": "d-1"}, {"DomainArn": f"{head}:domain/d-1", "DomainId": "d-1",
                            "AuthMode": "IAM", "DefaultUserSettings": {"ExecutionRole": ADMIN}}),
        "list_user_profiles": ({}, {"UserProfiles": [profile]}),
        "describe_user_profile": (profile, {"UserProfileArn": f"{head}:user-profile/d-1/ana", **profile}),
    }  # fmt: skip
    made = Account().user(
        "ana", allow("sagemaker:CreatePresignedDomainUrl", f"{head}:user-profile/d-1/ana")
    )
    made.admin(service("sagemaker.amazonaws.com"))
    for name, (request, response) in calls.items():
        told = {"request": request, "response": response} if request else response
        report = Report(json.dumps(told).encode(),
                        name=f"{A}/{R}/sagemaker.{name}.json{'l' if request else ''}")  # fmt: skip
        made.items += estate_of(inventory.read(report)).items.values()
    assert made.can() == "yes"


def test_who_enters_a_cluster_is_every_service_account_of_it() -> None:
    issuer = f"oidc.eks.{R}.amazonaws.com/id/ABC"
    cluster = f"arn:aws:eks:{R}:{A}:cluster/c"
    pods = [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
             "Principal": {"Federated": f"arn:aws:iam::{A}:oidc-provider/{issuer}"},
             "Condition": {"StringEquals": {f"{issuer}:sub": "system:serviceaccount:a:b"}}}]  # fmt: skip

    def account(mode: str | None, *actions: str, own: str = issuer) -> Account:
        settings = {"accessConfig": {"authenticationMode": mode}} if mode else {}
        return (
            Account().user("ana", allow(list(actions))).admin(pods)
            .add(cluster, "aws_eks_cluster",
                 {"identity": {"oidc": {"issuer": f"https://{own}"}}, **settings})
        )  # fmt: skip

    both = ("eks:CreateAccessEntry", "eks:AssociateAccessPolicy")
    assert account("API", *both).can() == "yes"
    assert account(None, *both).can() == "unknown"
    assert account("CONFIG_MAP", *both).can() == "no"
    assert account("API", both[0]).can() == "no"
    assert account("API", *both, own="oidc.eks.other/id/X").can() == "no"


def test_the_identity_center_is_above_its_accounts() -> None:
    instance = {"InstanceArn": "arn:aws:sso:::instance/i", "OwnerAccountId": A}

    def account(*actions: str, owner: str | None = A, **more: Any) -> Account:
        made = Account().user("ana", allow(list(actions)), **more).user("bob")
        if owner:
            made.add("arn:aws:sso:::instance/i", "aws_sso_instance",
                     {**instance, "OwnerAccountId": owner})  # fmt: skip
        return made

    all_of = ("sso:CreatePermissionSet", "sso:PutInlinePolicyToPermissionSet",
              "sso:CreateAccountAssignment")  # fmt: skip
    assert account(*all_of).can() == "yes"
    assert account(*all_of, owner=B).can() == "no"
    assert account(*all_of, owner=None).can() == "no"
    for missing in all_of:
        assert account(*(a for a in all_of if a != missing)).can() == "no", missing
    boundary = f"arn:aws:iam::{A}:policy/limit"
    bound = account(*all_of, PermissionsBoundary={"PermissionsBoundaryArn": boundary})
    assert bound.policy("limit", [allow(list(all_of))]).can() == "yes"
    assert bound.can() == "yes"


def test_a_command_needs_instance_and_document() -> None:
    def account(*resources: str) -> Account:
        made = Account().user("ana", allow("ssm:SendCommand", list(resources)))
        return made.admin(service(EC2), profile=True).add(I, "aws_ec2_instance", dict(RUNNING))

    document = "arn:aws:ssm:*:*:document/AWS-RunShellScript"
    assert account(I, document).can() == "yes"
    assert account(I).can() == "no"
    assert account(document).can() == "no"


def test_an_agent_that_nobody_asked_about_is_unknown() -> None:
    config = {k: v for k, v in RUNNING.items() if k != "describe_instance_information"}
    made = Account().user("ana", allow("ssm:StartSession")).admin(service(EC2), profile=True)
    made.add(I, "aws_ec2_instance", config)
    assert made.can() == "no"
    made.covered = {c for c in made.covered if "ssm." not in c}
    assert made.can() == "unknown"


def test_a_launch_template_of_a_scaling_group() -> None:
    template = f"arn:aws:ec2:{R}:{A}:launch-template/lt-1"
    group = f"arn:aws:autoscaling:{R}:{A}:autoScalingGroup:x:autoScalingGroupName/g"

    def account(
        *actions: str, version: str = "$Default", desired: int = 0, profile: bool = True
    ) -> Account:
        made = Account().user("ana", allow(list(actions))).admin(service(EC2), profile=profile)
        made.add(template, "aws_ec2_launch_template", {"LaunchTemplateId": "lt-1"})
        return made.add(group, "aws_autoscaling_group", {
            "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": version}, "DesiredCapacity": desired})  # fmt: skip

    new, switch, start = (
        "ec2:CreateLaunchTemplateVersion",
        "ec2:ModifyLaunchTemplate",
        "autoscaling:SetDesiredCapacity",
    )
    assert account(new, switch, start).can() == "yes"
    assert account(new, start).can() == "no"
    assert account(new, start, version="$Latest").can() == "yes"
    assert account(new, switch, start, version="1").can() == "no"
    assert account(new, switch).can() == "no"
    assert account(new, switch, desired=1).can() == "yes"
    assert account(new, switch, start, profile=False).can() == "no"


# Identities


def _self(action: str, resource: str = "*") -> Account:
    return Account().user("ana", allow(action, resource))


CHANGES: list[tuple[str, Account, str, str]] = [
    ("writes its own policy", _self("iam:PutUserPolicy", USER), USER, "yes"),
    ("writes somebody else's policy", _self("iam:PutUserPolicy", USER + "2").user("ana2"), USER, "no"),
    ("attaches to itself", _self("iam:AttachUserPolicy"), USER, "yes"),
    ("attaches only a harmless policy", Account().user("ana", allow("iam:AttachUserPolicy", "*", ArnEquals={
        "iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"})), USER, "no"),
    ("attaches an administrator policy by name", Account().user("ana", allow("iam:AttachUserPolicy", "*", ArnEquals={
        "iam:PolicyARN": MANAGED})), USER, "yes"),
    ("attaches own policies, and may create them", Account().user(
        "ana", allow("iam:AttachUserPolicy", "*", ArnLike={"iam:PolicyARN": f"arn:aws:iam::{A}:policy/dev-*"}),
        allow("iam:CreatePolicy")), USER, "yes"),
    ("attaches own policies, and there is none", Account().user(
        "ana", allow("iam:AttachUserPolicy", "*", ArnLike={
            "iam:PolicyARN": f"arn:aws:iam::{A}:policy/dev-*"})), USER, "no"),
    ("writes its own policy, boundary stays", Account().user(
        "ana", allow("iam:PutUserPolicy"), **bounded("b")).policy("b", [allow("s3:*"), allow("iam:PutUserPolicy")]),
     USER, "no"),
    ("and removes the boundary", Account().user(
        "ana", allow("iam:PutUserPolicy"), allow("iam:DeleteUserPermissionsBoundary"), **bounded("b")).policy(
            "b", [allow("iam:*")]), USER, "yes"),
    ("writes its own policy only with a boundary", Account().user("ana", allow("iam:PutUserPolicy", "*", StringEquals={
        "iam:PermissionsBoundary": f"arn:aws:iam::{A}:policy/b"})), USER, "no"),
    ("new version of its policy", Account().user("ana", **attached("p")).policy(
        "p", [allow("iam:CreatePolicyVersion", f"arn:aws:iam::{A}:policy/p")]), USER, "yes"),
    ("new version of a policy that is not its own", Account().user(
        "ana", allow("iam:CreatePolicyVersion", f"arn:aws:iam::{A}:policy/q")).policy("q", [allow("s3:*")]), USER, "no"),
    ("new version of Amazon's policy", Account().user("ana", allow(
        "iam:CreatePolicyVersion", "arn:aws:iam::aws:policy/*"), **attached(MANAGED.replace(
            "AdministratorAccess", "PowerUserAccess"))), USER, "no"),
    ("five versions are the limit", Account().user("ana", **attached("p")).policy(
        "p", *[[allow("iam:CreatePolicyVersion")]] * 5), USER, "no"),
    ("five versions and one may go", Account().user("ana", **attached("p")).policy(
        "p", *[[allow(["iam:CreatePolicyVersion", "iam:DeletePolicyVersion"])]] * 5), USER, "yes"),
    ("older version is wider", Account().user("ana", **attached("p")).policy(
        "p", [allow("iam:SetDefaultPolicyVersion")], [allow("*")]), USER, "yes"),
    ("older version is not wider", Account().user("ana", **attached("p")).policy(
        "p", [allow("iam:SetDefaultPolicyVersion")], [allow("s3:*")]), USER, "no"),
    ("only one version", Account().user("ana", **attached("p")).policy(
        "p", [allow("iam:SetDefaultPolicyVersion")]), USER, "no"),
    ("joins the administrators", _self("iam:AddUserToGroup").group("admins", allow("*")), USER, "yes"),
    ("joins others", _self("iam:AddUserToGroup").group("readers", allow("s3:*")), USER, "no"),
    ("joins a group that it can write", Account().user(
        "ana", allow(["iam:AddUserToGroup", "iam:PutGroupPolicy"])).group("g"), USER, "yes"),
    ("writes its group", Account().user("ana", allow("iam:PutGroupPolicy"), GroupList=["g"]).group("g"), USER, "yes"),
    ("writes a group that it is not in", _self("iam:PutGroupPolicy").group("g"), USER, "no"),
    ("attaches to a role that nobody may assume", _self("iam:AttachRolePolicy").role("r", service(EC2)), USER, "no"),
    ("attaches to a role that it may assume", _self("iam:AttachRolePolicy").role("r", aws(USER)), USER, "yes"),
    ("a role attaches to itself", Account().role("r", service(EC2), allow("iam:AttachRolePolicy")),
     f"arn:aws:iam::{A}:role/r", "yes"),
    ("rewrites a trust", _self("iam:UpdateAssumeRolePolicy").admin(service(EC2)), USER, "yes"),
    ("rewrites the trust of a linked role", _self("iam:UpdateAssumeRolePolicy").role(
        "admin", service(EC2), allow("*"), path="/aws-service-role/x/"), USER, "no"),
    ("rewrites the trust of an Identity Center role", _self("iam:UpdateAssumeRolePolicy").role(
        "admin", service(EC2), allow("*"), path="/aws-reserved/sso.amazonaws.com/"), USER, "no"),
    ("key of an administrator", _self("iam:CreateAccessKey").user("root", allow("*"), keys=1),
     USER, "yes"),
    ("two keys are the limit", _self("iam:CreateAccessKey").user("root", allow("*"), keys=2), USER, "no"),
    ("two keys and one may go", Account().user("ana", allow(["iam:CreateAccessKey", "iam:DeleteAccessKey"])).user(
        "root", allow("*"), keys=2), USER, "yes"),
    ("gives a password", _self("iam:CreateLoginProfile").user("root", allow("*")), USER, "yes"),
    ("there is a password", _self("iam:CreateLoginProfile").user("root", allow("*"), password=True), USER, "no"),
    ("changes a password", _self("iam:UpdateLoginProfile").user("root", allow("*"), password=True), USER, "yes"),
    ("there is no password", _self("iam:UpdateLoginProfile").user("root", allow("*")), USER, "no"),
    ("nobody read whether there is one", _self("iam:UpdateLoginProfile").user(
        "root", allow("*"), password=None), USER, "unknown"),
    ("an MFA device stands in the way", _self("iam:UpdateLoginProfile").user(
        "root", allow("*"), password=True, list_mfa_devices={"MFADevices": [{}]}), USER, "no"),
    ("own key is nothing new", _self("iam:CreateAccessKey", USER), USER, "no"),
    ("assumes", Account().user("ana", allow("sts:AssumeRole", ADMIN)).admin(aws(f"arn:aws:iam::{A}:root")), USER, "yes"),
    ("may assume, is not trusted", Account().user("ana", allow("sts:AssumeRole")).admin(service(EC2)), USER, "no"),
    ("is trusted with its account, may not assume", Account().user("ana").admin(
        aws(f"arn:aws:iam::{A}:root")), USER, "no"),
    ("is trusted by name", Account().user("ana").admin(aws(USER)), USER, "yes"),
    ("is trusted by its unique id", Account().user("ana").admin(aws("AIDAANA0000000000000")), USER, "yes"),
    ("a deleted user is trusted", Account().user("ana").admin(aws("AIDAXXXXXXXXXXXXXXXX")), USER, "no"),
    ("is trusted by name and denied", Account().user("ana", deny("sts:AssumeRole")).admin(aws(USER)), USER, "no"),
    ("anybody is trusted", Account().user("ana").admin(aws("*")), USER, "no"),
    ("trusted with a tag that it lacks", Account().user("ana", allow("sts:AssumeRole")).admin(
        aws(f"arn:aws:iam::{A}:root", StringEquals={"aws:PrincipalTag/team": "x"})), USER, "no"),
    ("trusted from one network", Account().user("ana").admin(
        aws(USER, IpAddress={"aws:SourceIp": "203.0.113.0/24"})), USER, "unknown"),
    ("trusted with an external id it can read", Account().user("ana", allow(["sts:AssumeRole", "iam:GetRole"])).admin(
        aws(f"arn:aws:iam::{A}:root", StringEquals={"sts:ExternalId": "x"})), USER, "yes"),
    ("trusted with an external id", Account().user("ana", allow("sts:AssumeRole")).admin(
        aws(f"arn:aws:iam::{A}:root", StringEquals={"sts:ExternalId": "x"})), USER, "unknown"),
    ("only sessions since 2020, asked by a user", Account().user("ana", allow("*", "*", DateGreaterThan={
        "aws:TokenIssueTime": "2020-01-01T00:00:00Z"})), USER, "no"),
    ("only sessions since 2020, asked by a role", Account().role("r", service(EC2), allow("*", "*", DateGreaterThan={
        "aws:TokenIssueTime": "2020-01-01T00:00:00Z"})), f"arn:aws:iam::{A}:role/r", "yes"),
    ("three hops", Account().user("ana", allow("sts:AssumeRole")).role(
        "one", aws(USER), allow("iam:PassRole"), allow(["lambda:CreateFunction", "lambda:InvokeFunction"])).role(
        "two", service("lambda.amazonaws.com"), allow("iam:CreateAccessKey")).user("root", allow("*")), USER, "yes"),
    ("a circle of trusts", Account().user("ana").role("a", aws(f"arn:aws:iam::{A}:role/b")).role(
        "b", aws(f"arn:aws:iam::{A}:role/a")), f"arn:aws:iam::{A}:role/a", "no"),
    ("what one may change, another may become", Account().user("ana", allow("iam:AttachRolePolicy")).role(
        "worker", aws(f"arn:aws:iam::{A}:user/bob")).user("bob"), USER, "no"),
    ("deletes the policy that denies it", Account().user("ana", allow("*"), UserPolicyList=[
        {"PolicyName": "all", "PolicyDocument": _document([allow("*")])},
        {"PolicyName": "stop", "PolicyDocument": _document([deny(["iam:AttachUserPolicy", "iam:CreateUser"])])}]),
     USER, "yes"),
    ("everything denied", Account().user("ana", allow("*"), deny("*")), USER, "no"),
    ("allow and deny in two policies", Account().user("ana", allow("iam:*"), deny("iam:*")), USER, "no"),
    ("two policies together", Account().user("ana", **attached("p", "q")).policy(
        "p", [allow("iam:PassRole")]).policy("q", [allow(["lambda:CreateFunction", "lambda:InvokeFunction"])]).admin(
        service("lambda.amazonaws.com")), USER, "yes"),
    ("names that do not fit together", Account().user(
        "ana", allow("iam:PassRole"), allow("lambda:CreateFunction", "arn:aws:lambda:*:*:function:a-*"),
        allow("lambda:InvokeFunction", "arn:aws:lambda:*:*:function:b-*")).admin(
        service("lambda.amazonaws.com")), USER, "no"),
    ("names that fit", Account().user(
        "ana", allow("iam:PassRole"), allow("lambda:CreateFunction", "arn:aws:lambda:*:*:function:a-*"),
        allow("lambda:InvokeFunction", "arn:aws:lambda:*:*:function:*")).admin(
        service("lambda.amazonaws.com")), USER, "yes"),
    ("a misspelt action", Account().user("ana", allow(["iam:PassRoles", "lambda:CreateFunctions"])).admin(
        service("lambda.amazonaws.com")), USER, "no"),
    ("iam star", _self("iam:*"), USER, "yes"),
    ("iam star on some names", _self("iam:*", f"arn:aws:iam::{A}:user/dev-*"), USER, "no"),
    ("all but iam", Account().user("ana", {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), USER, "no"),
    ("split in two", Account().user("ana", {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
                                    allow("iam:*")), USER, "yes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("account", "arn", "expected"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_identities(account: Account, arn: str, expected: str) -> None:
    if arn == USER and not any(i.uid == USER for i in account.items):
        account.user("ana")
    assert account.can(arn) == expected


def test_another_account_counts_once_the_organisation_is_known() -> None:
    far = f"arn:aws:iam::{B}:role/admin"
    made = Account().user("ana", allow("sts:AssumeRole", far))
    made.role("admin", aws(f"arn:aws:iam::{A}:root"), allow("*"), account=B)
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert (found.value, {e.kind for e in found.evidence}) == ("yes", {"wide_reach", "granted"})
    made.covered |= {f"aws:{x}/global/organizations.describe_organization" for x in (A, B)}
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert (found.value, {e.kind for e in found.evidence}) == ("yes", {"escalation", "granted"})


def test_an_organisation_policy_stops_it() -> None:
    made = Account().user("ana", allow("sts:AssumeRole")).admin(aws(USER))
    uid = f"arn:aws:organizations::{B}:policy/o-1/service_control_policy/p-1"
    import json

    made.add(uid, "aws_organizations_policy", {
        "PolicySummary": {"Id": "p-1", "Type": "SERVICE_CONTROL_POLICY"},
        "Content": json.dumps(_document([allow("*"), deny("sts:AssumeRole")])),
        "list_targets_for_policy": {"Targets": [{"TargetId": A}]}})  # fmt: skip
    assert made.can() == "no"


def test_the_steps_are_told_and_are_edges() -> None:
    made = Account().user("ana", PASS, allow(["lambda:CreateFunction", "lambda:InvokeFunction"]))
    made.admin(service("lambda.amazonaws.com"))
    step = escalations(made.estate())[0]
    assert (step.source, step.target, step.move, step.certain) == (USER, ADMIN, "lambda-001", True)
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert found.evidence[0].kind == "escalation"
    assert found.evidence[0].steps == (step.sentence,)
    assert "iam:passrole" in found.evidence[0].text


def test_what_runs_as_an_administrator_is_privileged() -> None:
    made = Account().admin(service(EC2), profile=True).add(I, "aws_ec2_instance", dict(RUNNING))
    estate = made.estate()
    estate.relate(I, "has_identity", f"arn:aws:iam::{A}:instance-profile/admin")
    estate.add(Item(f"arn:aws:iam::{A}:instance-profile/admin", "aws_iam_instance_profile", "admin", "aws", A, "",
                    {}, {"Roles": [{"Arn": ADMIN}]}))  # fmt: skip
    found = {s.resource: s for s in privilege(estate)}[I]
    assert (found.value, found.evidence[0].kind) == ("yes", "administrator")


def test_restricted_data_and_wide_reach() -> None:
    bucket = "arn:aws:s3:::invoices"
    tags = {"data_class": "restricted"}
    made = (
        Account()
        .user("ana", allow("s3:GetObject", f"{bucket}/*"))
        .add(bucket, "aws_s3_bucket", {"Name": "i"}, tags)
    )
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert (found.value, {e.kind for e in found.evidence}) == ("yes", {"bulk_data", "granted"})
    made = (
        Account()
        .user("ana", allow("s3:GetObject", f"{bucket}/*"))
        .add(bucket, "aws_s3_bucket", {"Name": "i"})
    )
    assert {s.resource: s for s in privilege(made.estate())}[USER].value == "no"
    made = Account().user("ana", allow("s3:*"))
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert (found.value, {e.kind for e in found.evidence}) == ("yes", {"wide_reach", "granted"})


def test_a_policy_that_was_not_read_is_no_silent_no() -> None:
    made = Account().user("ana", **attached("gone"))
    found = {s.resource: s for s in privilege(made.estate())}[USER]
    assert (found.value, found.evidence[0].kind) == ("unknown", "gap")


# Properties: random small accounts

_actions = st.sampled_from(
    ["*", "iam:*", "iam:PassRole", "lambda:*", "sts:AssumeRole", "iam:PutUserPolicy", "iam:AttachRolePolicy",
     "iam:CreateAccessKey", "iam:UpdateAssumeRolePolicy", "lambda:UpdateFunctionCode", "s3:*",
     "iam:AddUserToGroup", "iam:TagUser", "iam:TagRole", "sts:TagSession"]
)  # fmt: skip
_resources = st.sampled_from(
    ["*", USER, ADMIN, f"arn:aws:iam::{A}:role/*", f"arn:aws:iam::{A}:user/*"]
)
_conditions = st.sampled_from([
    {}, {}, {}, {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}},
    {"Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "red"}}},
    {"Condition": {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}},
])  # fmt: skip
_statement = st.builds(
    lambda effect, action, resource, condition: {
        "Effect": effect, "Action": action, "Resource": resource, **condition},
    st.sampled_from(["Allow", "Allow", "Allow", "Deny"]), _actions, _resources, _conditions,
)  # fmt: skip
_sets = st.lists(_statement, max_size=3)
_trusts = st.sampled_from(
    [
        aws(USER, StringEquals={"aws:PrincipalTag/team": "red"}),
        service("lambda.amazonaws.com"),
        aws(USER),
        aws(f"arn:aws:iam::{A}:root"),
        aws(f"arn:aws:iam::{A}:role/work"),
    ]
)


def _random(sets: list[list[dict[str, Any]]], trusts: list[list[dict[str, Any]]]) -> Account:
    made = Account().user("ana", *sets[0]).user("bob", *sets[1])
    made.role("work", trusts[0], *sets[2]).role("admin", trusts[1], allow("*")).group("g", *sets[3])
    return made.add(
        F, "aws_lambda_function", {"FunctionArn": F, "Role": f"arn:aws:iam::{A}:role/work"}
    )


_RANK = {"no": 0, "unknown": 1, "yes": 2}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_sets, min_size=4, max_size=4), st.lists(_trusts, min_size=2, max_size=2), st.data()
)
def test_less_permission_never_helps(
    sets: list[list[dict[str, Any]]], trusts: list[list[dict[str, Any]]], data: st.DataObject
) -> None:
    who = data.draw(st.integers(0, 3))
    allows = [i for i, s in enumerate(sets[who]) if s["Effect"] == "Allow"]
    if not allows:
        return
    index = data.draw(st.sampled_from(allows))
    less = deepcopy(sets)
    del less[who][index]
    assert _RANK[_random(less, trusts).can()] <= _RANK[_random(sets, trusts).can()]


@settings(max_examples=150, deadline=None)
@given(st.lists(_sets, min_size=4, max_size=4), st.lists(_trusts, min_size=2, max_size=2),
       st.integers(0, 3), _actions)  # fmt: skip
def test_a_deny_never_helps(
    sets: list[list[dict[str, Any]]], trusts: list[list[dict[str, Any]]], who: int, action: str
) -> None:
    more = deepcopy(sets)
    more[who].append(deny(action))
    assert _RANK[_random(more, trusts).can()] <= _RANK[_random(sets, trusts).can()]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_sets, min_size=4, max_size=4), st.lists(_trusts, min_size=2, max_size=2), st.randoms()
)
def test_the_order_of_the_input_does_not_matter(
    sets: list[list[dict[str, Any]]], trusts: list[list[dict[str, Any]]], random: Any
) -> None:
    one = _random(sets, trusts)
    two = _random(sets, trusts)
    random.shuffle(two.items)
    values = [[(s.resource, s.value) for s in privilege(m.estate())] for m in (one, two)]
    assert values[0] == values[1]


def test_a_single_question() -> None:
    made = Account().user("ana", allow("s3:GetObject"))
    evaluator = Evaluator(World(made.estate()), NOW)
    assert evaluator.can(USER, "s3:GetObject", "arn:aws:s3:::b/k")
    assert not evaluator.can(USER, "s3:PutObject", "arn:aws:s3:::b/k")


def test_policies_of_units_bind_the_accounts_below() -> None:
    import json

    made = Account().user("ana", allow("iam:PutUserPolicy"))
    uid = f"arn:aws:organizations::{B}:policy/o-1/service_control_policy/p-1"
    made.add(uid, "aws_organizations_policy", {
        "PolicySummary": {"Id": "p-1", "Type": "SERVICE_CONTROL_POLICY"},
        "Content": json.dumps(_document([allow("*"), deny("iam:*")]))})  # fmt: skip

    def can(unit: str) -> str:
        estate = made.estate()
        estate.relate(f"arn:aws:iam::{A}:root", "member_of", "ou-1")
        estate.relate("ou-1", "member_of", "r-1")
        estate.relate(unit, "guarded_by", uid)
        found = Escalation(estate)
        return "yes" if found.way(USER) else "no"

    assert can("ou-2") == "yes"
    assert can("ou-1") == "no"
    assert can("r-1") == "no"
    assert can(f"arn:aws:iam::{A}:root") == "no"
