"""A role passed to something new: the smallest account where it works, and one condition taken away."""

from __future__ import annotations

from typing import Any

import pytest

from secinbox.iam import Escalation
from tests.accounts import (
    ADMIN,
    EC2,
    MACHINE,
    PASS,
    PROJECT,
    RUNNER,
    STACK,
    USER,
    A,
    Account,
    B,
    R,
    allow,
    aws,
    bounded,
    deny,
    service,
)

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
    ("stepfunctions-001", ("states:CreateStateMachine", "states:StartSyncExecution"), "states.amazonaws.com", False),
    ("stepfunctions-003", ("states:TestState",), "states.amazonaws.com", False),
    ("ssm-005", ("ssm:CreateActivation",), "ssm.amazonaws.com", False),
    ("codepipeline-001", ("codepipeline:CreatePipeline",), "codepipeline.amazonaws.com", False),
    ("appsync-001", ("appsync:CreateGraphqlApi", "appsync:StartSchemaCreation", "appsync:CreateDataSource",
                     "appsync:CreateResolver", "appsync:CreateApiKey"), "appsync.amazonaws.com", False),
    ("apigateway-001", ("apigateway:POST", "apigateway:PUT"), "apigateway.amazonaws.com", False),
    ("iot-001", ("iot:CreateRoleAlias", "iot:CreateKeysAndCertificate", "iot:CreatePolicy", "iot:AttachPolicy"),
     "credentials.iot.amazonaws.com", False),
    ("sagemaker-007", ("sagemaker:CreateModel", "sagemaker:CreateEndpointConfig", "sagemaker:CreateEndpoint"),
     "sagemaker.amazonaws.com", False),
    ("sagemaker-008", ("sagemaker:CreateModel", "sagemaker:CreateTransformJob"), "sagemaker.amazonaws.com", False),
    ("sagemaker-009", ("sagemaker:CreateHyperParameterTuningJob",), "sagemaker.amazonaws.com", False),
    ("sagemaker-010", ("sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution"),
     "sagemaker.amazonaws.com", False),
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


# Rows whose role is passed to a thing that exists: what it is, and what makes it of no use.
GROUP = f"arn:aws:autoscaling:{R}:{A}:autoScalingGroup:x:autoScalingGroupName/g"
APPLICATION = f"arn:aws:emr-serverless:{R}:{A}:/applications/a"
DOMAIN = f"arn:aws:sagemaker:{R}:{A}:domain/d-1"
WEAK = f"arn:aws:iam::{A}:role/weak"
CHANGED: list[tuple[str, tuple[str, ...], str, str, str, dict[str, Any], dict[str, Any]]] = [
    ("cloudformation-007", ("cloudformation:UpdateStack",), "cloudformation.amazonaws.com", STACK,
     "aws_cloudformation_stack", {"StackId": STACK}, {"StackStatus": "DELETE_COMPLETE"}),
    ("codebuild-006", ("codebuild:StartBuild",), "codebuild.amazonaws.com", PROJECT, "aws_codebuild_project",
     {"serviceRole": WEAK}, {"serviceRole": None}),
    ("stepfunctions-004", ("states:UpdateStateMachine", "states:StartExecution"), "states.amazonaws.com", MACHINE,
     "aws_stepfunctions_state_machine", {"roleArn": WEAK}, {}),
    ("apprunner-003", ("apprunner:UpdateService",), "tasks.apprunner.amazonaws.com", RUNNER, "aws_apprunner_service",
     {"ServiceArn": RUNNER}, {"Status": "PAUSED"}),
    ("autoscaling-002", ("autoscaling:CreateLaunchConfiguration", "autoscaling:UpdateAutoScalingGroup"), EC2, GROUP,
     "aws_autoscaling_group", {}, {}),
    ("emrserverless-002", ("emr-serverless:StartJobRun",), "emr-serverless.amazonaws.com", APPLICATION,
     "aws_emr_serverless", {"state": "STARTED"}, {"state": "TERMINATED"}),
    ("sagemaker-011", ("sagemaker:CreateUserProfile", "sagemaker:CreatePresignedDomainUrl"),
     "sagemaker.amazonaws.com", DOMAIN, "aws_sagemaker_domain", {"AuthMode": "IAM"}, {"AuthMode": "SSO"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "actions", "name", "uid", "kind", "config", "useless"),
    CHANGED,
    ids=[c[0] for c in CHANGED],
)
def test_a_role_passed_to_something_there_is(
    row: str, actions: tuple[str, ...], name: str, uid: str, kind: str, config: dict[str, Any],
    useless: dict[str, Any],
) -> None:  # fmt: skip
    def account(
        given: list[str], *more: dict[str, Any], trust: str = name, **state: Any
    ) -> Account:
        made = Account().user("ana", allow(given), *more).admin(service(trust), profile=True)
        return made.add(uid, kind, {**config, **state})

    every = list(actions)
    assert account(every, PASS).can() == "yes"
    assert Escalation(account(every, PASS).estate()).way(USER).steps[0].move == row  # type: ignore[union-attr]
    for missing in actions:
        assert account([a for a in actions if a != missing] or ["s3:*"], PASS).can() == "no", (
            missing
        )
    assert account(every).can() == "no"
    assert account(every, PASS, trust="health.amazonaws.com").can() == "no"
    assert account(every, PASS, deny("iam:PassRole", ADMIN)).can() == "no"
    if useless:
        assert account(every, PASS, **useless).can() == "no"
    alone = account(every, PASS)
    alone.items = [i for i in alone.items if i.uid != uid]
    assert alone.can() == "no"
