"""Things that run as a role and are taken over, each with one condition taken away."""

from __future__ import annotations

import json
from typing import Any

import pytest

from secinbox.estate import estate_of
from secinbox.iam import Escalation
from secinbox.iam.things import Thing
from secinbox.inventory import aws as inventory
from secinbox.reading import Report
from tests.accounts import (
    ADMIN,
    CLUSTER,
    EC2,
    ENDPOINT,
    INTERPRETER,
    MACHINE,
    NOTEBOOK,
    PASS,
    PROJECT,
    RUNNER,
    RUNNING,
    STACK,
    STACK_SET,
    TASK,
    USER,
    A,
    Account,
    B,
    F,
    I,
    R,
    allow,
    aws,
    deny,
    service,
)

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


def test_a_command_needs_instance_anddocument() -> None:
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


@pytest.mark.parametrize(
    ("rights", "more", "value"),
    [
        (("ssm:StartSession", "ec2:AssociateIamInstanceProfile", "iam:PassRole"), {}, "unknown"),
        (("ssm:StartSession", "ec2:AssociateIamInstanceProfile"), {}, "no"),
        (("ssm:StartSession", "iam:PassRole"), {}, "no"),
        (("ec2:AssociateIamInstanceProfile", "iam:PassRole"), {}, "no"),
        (("ssm:StartSession", "ec2:AssociateIamInstanceProfile", "iam:PassRole"),
         {"State": {"Name": "stopped"}}, "no"),
        # Its agent reports already: by what the account gives to every instance.
        (("ssm:StartSession", "ec2:AssociateIamInstanceProfile", "iam:PassRole"),
         {"describe_instance_information": {"PingStatus": "Online"}}, "yes"),
    ],
)  # fmt: skip
def test_a_profile_for_an_instance_without_one(
    rights: tuple[str, ...], more: dict[str, Any], value: str
) -> None:
    dropped = ("describe_instance_information", "IamInstanceProfile")
    config = {k: v for k, v in RUNNING.items() if k not in dropped}
    made = Account().user("ana", *(allow(r) for r in rights)).admin(service(EC2), profile=True)
    assert made.add(I, "aws_ec2_instance", config | more).can() == value


@pytest.mark.parametrize(
    ("operator", "regions", "value"),
    [
        ("StringNotEquals", [R], "yes"),
        ("StringNotEquals", ["eu-central-1"], "no"),
        ("StringNotEquals", ["eu-central-1", R], "yes"),
        ("StringEquals", [R], "no"),
    ],
)
def test_what_stands_in_a_region_that_is_denied_is_not_taken_over(
    operator: str, regions: list[str], value: str
) -> None:
    wall = {**deny("lambda:*"), "Condition": {operator: {"aws:RequestedRegion": regions}}}
    made = Account().user("ana", allow("lambda:UpdateFunctionCode"), wall)
    made.admin(service("lambda.amazonaws.com"))
    made.add(F, "aws_lambda_function", {"FunctionArn": F, "Role": ADMIN, "Runtime": "python3.13"})
    assert made.can() == value


@pytest.mark.parametrize(
    ("uid", "name"),
    [(F, "f"), (I, "i-1"), (STACK_SET, "s:1"), (f"arn:aws:states:{R}:{A}:stateMachine:x", "x")],
)
def test_a_thing_is_told_by_its_name(uid: str, name: str) -> None:
    assert Thing(uid, A, ()).name == name


@pytest.mark.parametrize(("actions", "resources", "ping", "expected"), [
    ("ssm:CreateAssociation", "*", "Online", "yes"),
    ("ssm:CreateAssociation", "*", "ConnectionLost", "no"),
    ("ssm:CreateAssociation", I, "Online", "no"),
    ("ssm:ListAssociations", "*", "Online", "no"),
])  # fmt: skip
def test_an_association_runs_a_command(
    actions: str, resources: str, ping: str, expected: str
) -> None:
    config = {**RUNNING, "describe_instance_information": {"PingStatus": ping}}
    made = Account().user("ana", allow(actions, resources)).admin(service(EC2), profile=True)
    assert made.add(I, "aws_ec2_instance", config).can() == expected


@pytest.mark.parametrize(("action", "state", "profile", "expected"), [
    ("elasticmapreduce:AddJobFlowSteps", "WAITING", "admin", "yes"),
    ("elasticmapreduce:AddJobFlowSteps", "RUNNING", f"arn:aws:iam::{A}:instance-profile/admin", "yes"),
    ("elasticmapreduce:AddJobFlowSteps", "TERMINATED", "admin", "no"),
    ("elasticmapreduce:AddJobFlowSteps", "WAITING", "other", "no"),
    ("elasticmapreduce:ListSteps", "WAITING", "admin", "no"),
])  # fmt: skip
def test_a_step_runs_on_the_machines_of_a_cluster(
    action: str, state: str, profile: str, expected: str
) -> None:
    made = Account().user("ana", allow(action)).admin(service(EC2), profile=True)
    made.add(f"arn:aws:elasticmapreduce:{R}:{A}:cluster/j-1", "aws_emr_cluster", {
        "Status": {"State": state}, "Ec2InstanceAttributes": {"IamInstanceProfile": profile}})  # fmt: skip
    assert made.can() == expected


@pytest.mark.parametrize(("start", "kind", "expected"), [
    ("states:StartSyncExecution", "EXPRESS", "yes"),
    ("states:StartSyncExecution", "STANDARD", "no"),
    ("states:StartExecution", "STANDARD", "yes"),
])  # fmt: skip
def test_only_an_express_machine_is_waited_for(start: str, kind: str, expected: str) -> None:
    made = Account().user("ana", allow(["states:UpdateStateMachine", start]))
    made.admin(service("states.amazonaws.com"))
    config = {"roleArn": ADMIN, "type": kind}
    assert made.add(MACHINE, "aws_stepfunctions_state_machine", config).can() == expected
