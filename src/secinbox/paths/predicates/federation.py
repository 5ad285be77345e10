"""Identities of one issuer that another cloud trusts: workflows, clusters, clouds among each other.

A trust names an issuer and a subject: federated credentials of Entra ID, workload identity pools of
Google Cloud, roles of AWS. Sources: learn.microsoft.com, "Workload identity federation";
cloud.google.com, "Workload Identity Federation"; docs.aws.amazon.com, "OIDC federation".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from secinbox.iam.gcp.permissions import TOKEN
from secinbox.iam.kubernetes.federation import by_trust
from secinbox.iam.policy import parse
from secinbox.inventory.azure.resources import text
from secinbox.inventory.kubernetes.cluster import place_of
from secinbox.network.azure.identities import issuer_of, subjects_of
from secinbox.network.gcp.federation import (
    binds,
    condition,
    free,
    issuer,
    outsiders,
    providers_of,
)
from secinbox.network.subjects import anybody
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Judgement, Pair, check, lasting, pairs
from secinbox.paths.world import ANY_GITHUB, ANY_GOOGLE, INTERNET, World
from secinbox.records import Evidence

_GITHUB = "token.actions.githubusercontent.com"
_ENTRA = ("sts.windows.net", "login.microsoftonline.com")
_NAMED = re.compile(
    r"(?:assertion|attribute|google)\.(repository|repository_owner|sub|subject)\s*"
    r"(?:==|\.startsWith\()\s*['\"]([^'\"]+)['\"]"
)
_ROLE = re.compile(r"attribute\.aws_role/arn:aws:sts::(\d{12}):assumed-role/([^/]+)")


@dataclass(frozen=True)
class Trust:
    """Whoever an issuer calls by a subject that fits may act as `target`."""

    issuer: str
    subjects: tuple[str, ...]  # patterns; `*` alone is everybody there
    target: str
    source: str  # what says so
    words: str
    patterns: bool = True  # a star in a subject stands for anything


def trusts(world: World) -> list[Trust]:
    """Every trust of Entra ID and Google Cloud."""
    return world.estate.once("paths.trusts", lambda: [*_azure(world), *_google(world)])


def _azure(world: World) -> Iterator[Trust]:
    applications = {i.uid: text(i.config.get("appId")).lower()
                    for i in world.estate.of_type("entra_application")}  # fmt: skip
    services: dict[str, list[str]] = {}
    for item in world.azure.tenant.services:
        services.setdefault(text(item.config.get("appId")).lower(), []).append(item.uid)
    rows: list[tuple[list[str], dict[str, object], str]] = []
    for uid, app in applications.items():
        item = world.estate.items[uid]
        inline = item.config.get("federatedIdentityCredentials")
        rows += [(services.get(app, []), r, uid) for r in
                 (inline if isinstance(inline, list) else ()) if isinstance(r, dict)]  # fmt: skip
    for item in world.estate.of_type("entra_federation"):
        owner = f"entra:{text(item.config.get('application')).lower()}"
        found = services.get(applications.get(owner, ""), [])
        rows.append((found, item.config, item.uid))
    kind = "azure_microsoft_managedidentity_userassignedidentities"
    for item in world.estate.of_type(f"{kind}_federatedidentitycredentials"):
        above = world.estate.find(item.uid.partition("/federatedidentitycredentials/")[0])
        who = world.azure.workloads.identities(above) if above is not None else []
        rows.append((who, item.config, item.uid))
    for targets, row, source in rows:
        host, (subject, pattern) = issuer_of(row), next(iter(subjects_of(row)), ("", False))
        for target in targets:
            if host and subject:
                yield Trust(
                    host, (subject,), target, source, f"federated credential for {subject}", pattern
                )


def _google(world: World) -> Iterator[Trust]:
    for account in world.estate.of_type("gcp_iam_service_account"):
        for member, role, place in outsiders(world.estate, account):
            yield from _of_member(world, member, account.uid, place, role)
    for member in sorted(world.google.held):
        if member.startswith(("principal://", "principalSet://")):
            yield from _of_member(world, member, member, member, "its roles")


def _of_member(world: World, member: str, target: str, source: str, role: str) -> Iterator[Trust]:
    rest = member.partition("workloadIdentityPools/")[2].partition("/")[2]
    for provider in providers_of(world.estate, member):
        host = issuer(provider)
        if provider.config.get("disabled") is True:
            continue
        subjects: list[str] = []
        found = re.match(r"subject/(.+)", rest)
        named = re.match(r"attribute\.([^/]+)/(.+)", rest)
        if found:
            subjects = [found.group(1)]
        elif named and named.group(1) == "repository":
            subjects = [f"repo:{named.group(2)}:*"]
        elif named and named.group(1) == "repository_owner":
            subjects = [f"repo:{named.group(2)}/*"]
        elif named and named.group(1) == "aws_role":
            subjects = [rest]
        elif free(member):
            bound = [_subject(k, v) for k, v in _NAMED.findall(condition(provider))]
            said = str(provider.config.get("attributeCondition") or "")
            subjects = bound or (["*"] if binds(said) is False else [])
        words = f"{role} for {member.partition('workloadIdentityPools/')[2]}"
        if subjects:
            yield Trust(host, tuple(subjects), target, source, words)


def _subject(key: str, value: str) -> str:
    if key == "repository":
        return f"repo:{value}:*"
    return f"repo:{value}/*" if key == "repository_owner" else value


def _narrow(world: World, trust: Trust) -> tuple[Action, ...]:
    return (Action(f"trust:{trust.target}", f"Narrow who acts as {world.label(trust.target)}",
                   trust.target),)  # fmt: skip


def _pair(world: World, source: str, trust: Trust, doubt: str = "") -> Pair:
    return Pair(source, trust.target, detail=trust.words, doubt=doubt, actions=_narrow(world, trust),
                evidence=(Evidence(kind="policy", text=trust.words, source=trust.source),))  # fmt: skip


@lasting
@pairs
def federated_outsider(world: World) -> Iterator[Pair]:
    """Anybody's workflow, any Google account, or anyone at all may act as an identity."""
    for trust in trusts(world):
        if not trust.patterns or not any(anybody(trust.issuer, s) for s in trust.subjects):
            continue
        if trust.issuer.startswith(_GITHUB):
            yield _pair(world, ANY_GITHUB, trust)
        elif not trust.issuer.startswith("accounts.google.com"):
            yield _pair(world, f"any:{trust.issuer.partition('/')[0]}", trust)
    for item in world.estate.of_type("gcp_iam_service_account"):
        for evidence in world.public.get(item.uid, ()):
            first = evidence.steps[0] if evidence.steps else ""
            entry = {"Anyone": INTERNET, "Any Google account": ANY_GOOGLE}.get(first)
            if entry:
                yield Pair(entry, item.uid, detail=evidence.text, evidence=(evidence,))


@pairs
def federated_pipeline(world: World) -> Iterator[Pair]:
    """A repository's workflows and the cloud identities that trust exactly that repository."""
    repositories = [u for u in world.repositories if u.startswith("repo:")]
    for trust in trusts(world) if repositories else ():
        if not trust.issuer.startswith((_GITHUB, "gitlab.com")):
            continue
        for uid in repositories:
            name = uid.split("/", 1)[-1].lower()
            for subject in trust.subjects:
                head, _, rest = subject.partition(":")[2].partition(":")
                head = subject if subject == "*" else head
                if subject != "*" and not fnmatchcase(name, head.lower()):
                    continue
                tied = rest.startswith(("ref", "environment"))
                yield _pair(world, uid, trust,
                            "whether the workflow runs on that branch or environment" if tied else "")  # fmt: skip
                break


@lasting
@pairs
def federated_identity(world: World) -> Iterator[Pair]:
    """An identity of one cloud or cluster that another cloud trusts."""
    accounts = {str(i.config.get("uniqueId")): i.uid for i in
                world.estate.of_type("gcp_iam_service_account") if i.config.get("uniqueId")}  # fmt: skip
    roles = {(p.account, p.arn.rsplit("/", 1)[-1]): p.arn for p in world.escalation.world.roles()}
    pods: dict[str, list[str]] = {}
    for item in world.estate.of_type("kubernetes_serviceaccount"):
        space = place_of(item.uid)[1]
        pods.setdefault(f"system:serviceaccount:{space}:{item.name}", []).append(item.uid)
    for trust in trusts(world):
        for subject in trust.subjects:
            if trust.issuer.startswith("accounts.google.com") and subject in accounts:
                yield _pair(world, accounts[subject], trust)
            elif (
                trust.issuer.startswith(_ENTRA) and f"entra:{subject.lower()}" in world.estate.items
            ):
                yield _pair(world, f"entra:{subject.lower()}", trust)
            elif found := _ROLE.match(subject):
                arn = roles.get((found.group(1), found.group(2)))
                if arn and trust.issuer.endswith(found.group(1)):
                    yield _pair(world, arn, trust)
            elif trust.issuer.startswith("AWS account") and subject == "*":
                account = trust.issuer.rpartition(" ")[2]
                for (own, _), arn in sorted(roles.items()):
                    if own == account:
                        yield _pair(world, arn, trust)
            elif not shared_host(trust.issuer):
                for uid in pods.get(subject, ()):
                    yield _pair(world, uid, trust)
    yield from _to_aws(world, accounts)


def shared_host(host: str) -> bool:
    """An issuer of workflows, not of clusters."""
    return host.startswith((_GITHUB, "gitlab.com", "app.terraform.io"))


def _to_aws(world: World, accounts: dict[str, str]) -> Iterator[Pair]:
    """Roles of AWS whose trust names a service account of Google or a principal of Entra ID."""
    for role in world.escalation.world.roles():
        for statement in role.trust.statements if role.trust else ():
            if statement.effect != "Allow" or not statement.about("sts:assumerolewithwebidentity"):
                continue
            for _, key, values in statement.conditions:
                for value in values:
                    uid = ""
                    if key in ("accounts.google.com:sub", "accounts.google.com:aud",
                               "accounts.google.com:oaud"):  # fmt: skip
                        uid = accounts.get(value, "")
                    elif key.startswith(_ENTRA) and key.endswith(":sub"):
                        uid = f"entra:{value.lower()}"
                    if uid and uid in world.estate.items:
                        yield Pair(uid, role.arn, detail=statement.text, evidence=(Evidence(
                            kind="policy", text=statement.text, source=role.arn),),
                            actions=(Action(f"trust:{role.arn}", "Narrow the trust policy of "
                                            + world.label(role.arn), role.arn),))  # fmt: skip


@check
def cloud_identity_is_trusted(world: World, pair: Pair) -> Judgement:
    """Whether the cloud identity that an annotation names lets this service account in."""
    (cluster, space), name = place_of(pair.source), pair.source.rsplit("/", 1)[-1]
    if pair.detail in world.escalation.handed:
        return Judgement(True)  # an association: judged where the pair was found
    target = world.estate.find(pair.target)
    if target is not None and target.type == "gcp_iam_service_account":
        if not isinstance(target.config.get("iamPolicy"), dict):
            return Judgement(None, "whether its policy lets the cluster in was not read")
        wanted = (f".svc.id.goog[{space}/{name}]", f"/subject/ns/{space}/sa/{name}")
        for member in world.google.held:
            if member.endswith(wanted) and TOKEN in world.google.grants.permissions(member, target):
                return Judgement(True)
        return Judgement(False, "its policy does not let this service account in")
    if pair.target.startswith("entra:"):
        known = [t for t in trusts(world) if t.target == pair.target]
        if any(f"system:serviceaccount:{space}:{name}" in t.subjects for t in known):
            return Judgement(True)
        if known:
            return Judgement(False, "no federated credential names this service account")
        return Judgement(None, "its federated credentials were not read")
    document = target.config.get("AssumeRolePolicyDocument") if target is not None else None
    if document is not None:
        return Judgement(
            *by_trust(world.estate, parse(document, "trust policy"), cluster, space, name)
        )
    return Judgement(True)
