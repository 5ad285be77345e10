"""Who is administrator, and who can make itself so: people and workloads that need not be.

The answer is that of the detected risk privileged access; the way and its statements are its
evidence. Roles that only people of the same organisation take on are left alone: somebody must be
administrator.
"""

from __future__ import annotations

from collections.abc import Iterator

from secinbox.estate import Item
from secinbox.iam.policy import Policy, parse
from secinbox.posture._stating import Known, Rule, known_of
from secinbox.records import Finding
from secinbox.risks import Assessment

_USER = Rule(
    "secinbox-iam-user-administrator", "User is administrator of its account",
    "Whoever gets one of the user's long-lived credentials controls the whole account.",
    "Give people administrator rights through a role that they take on with MFA for a short time; "
    "take the policy from the user.",
    "required_privileges", "critical", "identity_risk",
)  # fmt: skip
_WORKLOAD = Rule(
    "secinbox-iam-workload-administrator", "Workload's role is administrator of its account",
    "A fault in the workload, or its build, gives the whole account away.",
    "Replace the policy by one with the actions that the workload uses; the role's last-accessed "
    "data names the services.",
    "vulnerability", "critical", "identity_risk",
)  # fmt: skip
_GROUP = Rule(
    "secinbox-iam-group-administrator", "Group makes its members administrators",
    "Every member's long-lived credentials control the whole account.",
    "Give people administrator rights through a role that they take on with MFA for a short time.",
    "required_privileges", "critical", "identity_risk",
    canonical="iam_group_administrator_access_policy",
)  # fmt: skip
_ESCALATION = Rule(
    "secinbox-iam-escalation", "Can make itself administrator",
    "The permissions do not look like an administrator's, but they lead there.",
    "Break one of the steps: take the first permission away, or narrow it to the resources that it "
    "is needed for (iam:PassRole to named roles; changes of policies to a path of their own).",
    "required_privileges", "critical", "identity_risk",
)  # fmt: skip
_OTHER_ACCOUNT = Rule(
    "secinbox-iam-escalation-across", "Can become administrator of another account",
    "Whoever holds this identity controls an account that trusts its own.",
    "Narrow the trust policy of the role in the other account to the principals that need it.",
    "required_privileges", "critical", "identity_risk",
)  # fmt: skip

# Services that run code of the account: a fault in that code is a hold on the role.
_RUNS_CODE = (
    "ec2", "lambda", "edgelambda", "ecs-tasks", "pods.eks", "codebuild", "glue", "sagemaker",
    "batch", "tasks.apprunner", "elasticmapreduce", "emr-serverless", "bedrock-agentcore",
)  # fmt: skip
_ATTACHED = {
    "aws_iam_user": "iam_user_administrator_access_policy",
    "aws_iam_role": "iam_role_administratoraccess_policy",
}


def findings(assessment: Assessment) -> Iterator[Finding]:
    """Administrators that are users, groups or workloads; then everybody with a way there."""
    known = known_of(assessment)
    for uid, evidence in known.powerful().items():
        item = assessment.estate.items.get(uid)
        if item is None or item.type not in ("aws_iam_user", "aws_iam_role", "aws_iam_group"):
            continue
        if _is_services_own(item):
            continue
        now = [e.text for e in evidence if e.kind == "administrator"]
        if now:
            yield from _administrator(known, item, now)
            continue
        ways = [
            e for e in evidence if e.kind == "escalation" or (e.kind == "wide_reach" and e.steps)
        ]
        if ways:
            across = all("administrator of account" in e.text for e in ways)
            likely = "vulnerability" if _workload(item) else "required_privileges"
            lines = [line for e in ways for line in (*e.steps, _statement(e.text))]
            yield known.state(_OTHER_ACCOUNT if across else _ESCALATION, uid, lines,
                              likelihood=likely)  # fmt: skip


def _administrator(known: Known, item: Item, shown: list[str]) -> Iterator[Finding]:
    if item.type == "aws_iam_group":
        # The check of the same name looks at one policy: elsewhere it is another statement.
        same = _GROUP.canonical if _has_policy(item) else ""
        yield known.state(_GROUP, item.uid, shown, canonical=same)
    elif item.type == "aws_iam_user" or _workload(item):
        rule = _USER if item.type == "aws_iam_user" else _WORKLOAD
        same = _ATTACHED[item.type] if _has_policy(item) else ""
        yield known.state(rule, item.uid, shown, canonical=same)


def _has_policy(item: Item) -> bool:
    """AdministratorAccess itself hangs on it: what other tools look for."""
    attached = item.config.get("AttachedManagedPolicies")
    return isinstance(attached, list) and any(
        isinstance(p, dict) and str(p.get("PolicyArn")).endswith(":policy/AdministratorAccess")
        for p in attached
    )


def _is_services_own(item: Item) -> bool:
    """Roles that AWS made for its own services, and those of the Identity Center."""
    path = str(item.config.get("Path") or "/")
    return path.startswith(("/aws-service-role/", "/aws-reserved/"))


def _workload(item: Item) -> bool:
    document = item.config.get("AssumeRolePolicyDocument")
    return document is not None and bool(trusted_services(parse(document, "trust policy")))


def trusted_services(policy: Policy) -> list[str]:
    """Services that run code, and issuers of tokens for workloads, that the role trusts."""
    out = []
    for statement in policy.statements:
        if statement.effect != "Allow":
            continue
        for kind, value in statement.principals or ():
            name = value.removesuffix(".amazonaws.com").removesuffix(".amazonaws.com.cn")
            if (kind == "Service" and name in _RUNS_CODE) or (
                kind == "Federated" and ":oidc-provider/" in value
            ):
                out.append(value)
    return out


def _statement(text: str) -> str:
    return "Statement: " + text.partition(". Statement: ")[2] if ". Statement: " in text else ""
