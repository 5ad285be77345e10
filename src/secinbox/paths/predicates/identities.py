"""Credentials: of what runs, of leaked keys, through trusts, and by AWS escalations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

from secinbox.estate import Item
from secinbox.iam.azure.grants import ended
from secinbox.iam.escalation import Step as Escalating
from secinbox.iam.escalation import change_steps, edge_steps, raising_steps
from secinbox.iam.providers import missing
from secinbox.iam.sessions import givers
from secinbox.network.azure import storage
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Judgement, Pair, check, lasting, late, pairs
from secinbox.paths.world import ANY_AWS, ANY_GITHUB, ANY_USER, INTERNET, Leak, World
from secinbox.records import Evidence
from secinbox.sources._code import OPENS


def _role(world: World, uid: str, why: str) -> Action:
    return Action(f"identity:{uid}>{why}", f"Give {world.label(uid)} an identity that may do less: "
                  f"{world.label(why)}", uid, effort=2.0)  # fmt: skip


@lasting
@pairs
def instance_identity(world: World) -> Iterator[Pair]:
    """An EC2 instance and the role of its profile."""
    for item in world.estate.of_type("aws_ec2_instance"):
        for role in world.runs_as.get(item.uid, ()):
            yield Pair(item.uid, role, actions=(_role(world, item.uid, role),))


# Types whose credentials another row gives, with conditions of its own.
_OWN_ROWS = ("aws_ec2_instance", "aws_iam_access_key", "gcp_compute_instance")


@lasting
@pairs
def workload_identity(world: World) -> Iterator[Pair]:
    """A task, a function, a notebook ... and the role that it runs as."""
    for uid, roles in sorted(world.runs_as.items()):
        item = world.estate.find(uid)
        if item is None or item.type in _OWN_ROWS:
            continue
        if item.type.startswith(("kubernetes_", "aws_iam_", "azure_")) or item.type in givers():
            continue
        for role in roles:
            yield Pair(uid, role, actions=(_role(world, uid, role),))


def opened(world: World, uid: str) -> Iterator[tuple[str, str, str]]:
    """(what a leaked key gives, on what, why it does not after all): an access key has a state of its
    own, one of a storage account reads what is in it, others act as their account."""
    if uid.startswith("accesskey:"):
        yield "", uid, ""
    elif "/storageaccounts/" in uid:
        account = world.estate.find("/".join(uid.split("/")[:9]))
        shut = _closed(account) if account is not None else ""
        inside = [j.uid for j in world.jewels if j.uid.startswith(uid + "/")]
        for target in dict.fromkeys((uid, *inside)):
            yield "read", target, shut
    else:
        item = world.estate.find(uid)
        yield "cred", uid, _spent(world, item) if item is not None else ""


def resolve(world: World, told: str) -> str:
    """The uid of what a secret opens, as `Opens azure-client:ID` tells it; empty where nobody knows it."""
    found = OPENS.match(told)
    if not found:
        return ""
    name, _, container = found.group(1).partition("/")
    if name.startswith("azure-client:"):
        item = world.estate.find(name)
        return item.uid if item is not None and item.uid.startswith("entra:") else ""
    account = next((i.uid for i in world.estate.of_type(storage.ACCOUNT)
                    if i.uid.endswith(f"/{name.removeprefix('azure-storage:')}")), "")  # fmt: skip
    return (
        f"{account}/blobservices/default/containers/{container}"
        if account and container
        else account
    )


def _closed(account: Item) -> str:
    """Why nobody gets in with a key from outside."""
    if account.config.get("allowSharedKeyAccess") is False:
        return "the account takes no keys"
    shut = storage.network(account)
    return shut.evidence[0].text if shut is not None else ""


def _spent(world: World, item: Item) -> str:
    """Why a secret of an application opens nothing any more."""
    if item.type != "entra_serviceprincipal":
        return ""
    if item.config.get("accountEnabled") is False:
        return "its sign-in is switched off"
    app = str(item.config.get("appId") or "").lower()
    for found in world.estate.of_type("entra_application"):
        secrets = found.config.get("passwordCredentials")
        if str(found.config.get("appId") or "").lower() != app or not isinstance(secrets, list):
            continue
        if not any(isinstance(s, dict) and not ended(s.get("endDateTime")) for s in secrets):
            return "the application has no secret that is valid"
    return ""


def _metadata(world: World, uid: str) -> dict[str, object]:
    item = world.estate.find(uid)
    found = item.config.get("MetadataOptions") if item else None
    return found if isinstance(found, dict) else {}


@check
def metadata_answers(world: World, pair: Pair) -> Judgement:
    """The instance metadata service is on; without IMDSv2 it is a little easier."""
    options = _metadata(world, pair.source)
    if options.get("HttpEndpoint") == "disabled":
        return Judgement(False, "its metadata service is switched off")
    return Judgement(True, "", 0.05 if options.get("HttpTokens") == "required" else 0.0)


@check
def metadata_without_token(world: World, pair: Pair) -> Judgement:
    """IMDSv1: a plain GET gives credentials, so a forged request does."""
    options = _metadata(world, pair.source)
    if not options:
        return Judgement(None, "whether IMDSv2 is required was not read")
    if options.get("HttpTokens") == "required":
        return Judgement(False, "IMDSv2 required")
    action = Action(f"imdsv2:{pair.source}", f"Require IMDSv2 on {world.label(pair.source)}",
                    pair.source, effort=0.5)  # fmt: skip
    return Judgement(True, "", 0.0, action)


@pairs
def leaked_key(world: World) -> Iterator[Pair]:
    """A secret scanner found an access key that the account knows."""
    for leak in world.leaks:
        # Who reads a store is known: that is another row's.
        if not leak.opens or leak.resource in world.estate.items:
            continue
        evidence = Evidence(kind="finding", text=f"{leak.title} at {leak.location}",
                            source=leak.finding)  # fmt: skip
        for kind, target, shut in opened(world, leak.opens):
            yield Pair(leak.resource, target, detail=leak.location, evidence=(evidence,),
                       target_kind=kind, no=shut, doubt="" if leak.public else "who can read it",
                       actions=(_revoked(world, leak),))  # fmt: skip


def _revoked(world: World, leak: Leak) -> Action:
    return Action(f"key:{leak.opens}", f"Revoke {world.label(leak.opens)}", leak.opens,
                  (leak.finding,), 0.5)  # fmt: skip


@pairs
def key_in_workload(world: World) -> Iterator[Pair]:
    """The same key lies in what runs here: its image, its repository, its host."""
    for leak in world.leaks:
        if not leak.opens:
            continue
        evidence = Evidence(kind="finding", text=f"{leak.title} at {leak.location}",
                            source=leak.finding)  # fmt: skip
        own = [leak.resource] if leak.resource in world.estate.items else []
        for uid in sorted({*own, *world.holders.get(leak.resource, ())}):
            for kind, target, shut in opened(world, leak.opens):
                yield Pair(uid, target, detail=leak.location, evidence=(evidence,), no=shut,
                           target_kind=kind, resources=(leak.resource,),
                           actions=(_revoked(world, leak),))  # fmt: skip


@pairs
def key_in_store(world: World) -> Iterator[Pair]:
    """The same key lies in an object of a store."""
    for leak in world.leaks:
        if leak.opens and leak.resource in world.estate.items:
            evidence = Evidence(kind="finding", text=f"{leak.title} at {leak.location}",
                                source=leak.finding)  # fmt: skip
            for kind, target, shut in opened(world, leak.opens):
                yield Pair(leak.resource, target, detail=leak.location, evidence=(evidence,),
                           target_kind=kind, no=shut, actions=(_revoked(world, leak),))  # fmt: skip


@pairs
def assumed_breach(world: World) -> Iterator[Pair]:
    """What somebody asked to take as lost."""
    for uid in world.breached:
        kind = "cred" if uid in world.escalation.world.principals else "exec"
        if "/serviceaccount/" in uid or ".iam.gserviceaccount.com" in uid:
            kind = "cred"
        yield Pair(f"breach:{uid}", uid, target_kind=kind)


@lasting
@pairs
def key_of_user(world: World) -> Iterator[Pair]:
    """An access key and the user that it belongs to."""
    for item in world.estate.of_type("aws_iam_access_key"):
        for user in world.estate.targets(item.uid, "has_identity"):
            yield Pair(item.uid, user, evidence=(Evidence(
                kind="inventory", text=f"{item.name} is an access key of {world.label(user)}",
                source=item.uid),))  # fmt: skip


@check
def key_is_active(world: World, pair: Pair) -> Judgement:
    """A key that is inactive opens nothing."""
    item = world.estate.find(pair.source)
    status = str(item.config.get("Status") or "") if item else ""
    if status.lower() == "inactive":
        return Judgement(False, "the key is inactive")
    return Judgement(True if status else None, "" if status else "whether the key is active")


@lasting
@pairs
def public_trust(world: World) -> Iterator[Pair]:
    """Roles that any AWS account, or any workload of a shared issuer, can assume."""
    for item in world.estate.of_type("aws_iam_role"):
        for evidence in world.public.get(item.uid, ()):
            if evidence.kind == "control":
                continue
            first = evidence.steps[0] if evidence.steps else ""
            entry = INTERNET if evidence.via else ANY_AWS  # guests of an identity pool
            if first.startswith("Anyone at "):
                issuer = first.removeprefix("Anyone at ")
                entry = ANY_GITHUB if issuer.startswith("token.actions.github") else f"any:{issuer}"
            for node in _reached(world, item.uid, evidence):
                yield Pair(entry, node, detail=evidence.text, evidence=(evidence,),
                           actions=(Action(f"trust:{item.uid}",
                                           f"Narrow the trust policy of {world.label(item.uid)}",
                                           item.uid),))  # fmt: skip


def _reached(world: World, role: str, evidence: Evidence) -> list[str]:
    """The role, or the session of it that something on the way hands out."""
    given = [h.node for via in evidence.via for h in world.escalation.handed.get(via, ())
             if h.role == role and h.let is not False]  # fmt: skip
    return sorted(set(given)) or [role]


@lasting
@pairs
def third_party_trust(world: World) -> Iterator[Pair]:
    """Roles that name a foreign account without an external id."""
    own = {p.account for p in world.escalation.world.principals.values()}
    for role in world.escalation.world.roles():
        for statement in role.trust.statements if role.trust else ():
            if statement.effect != "Allow" or not statement.about("sts:assumerole"):
                continue
            if any(k == "sts:externalid" for k in statement.keys):
                continue
            for kind, value in statement.principals or ():
                found = re.search(r"(?:^|:)(\d{12})(?::|$)", value)
                if kind != "AWS" or not found or found.group(1) in own or role.arn in world.public:
                    continue
                yield Pair(
                    f"third-party:{found.group(1)}", role.arn, detail=statement.text,
                    evidence=(Evidence(kind="policy", text=statement.text, source=role.arn),),
                    doubt="whether that account is yours or trusted" if not statement.conditions
                    else "whether its conditions hold",
                    actions=(Action(f"trust:{role.arn}>{found.group(1)}",
                                    f"Ask for an external id in the trust of "
                                    f"{world.label(role.arn)}", role.arn),),
                )  # fmt: skip


@lasting
@pairs
def aws_escalations(world: World) -> Iterator[Pair]:
    """Every way from one AWS identity to another: assume, pass, take over, rewrite."""
    escalation = world.escalation
    for step in edge_steps(escalation):
        yield _escalating(world, step, step.target.startswith("hub:"))
    for hub, members in sorted(escalation.moves.hubs.items()):
        for member in sorted(members):
            yield Pair(hub, member, source_kind="hub", cost=0.0, silent=True)


@lasting
@pairs
def aws_administrators(world: World) -> Iterator[Pair]:
    """Identities that are administrator, or make themselves so by rewriting their permissions."""
    escalation = world.escalation
    for arn, found in sorted(escalation.admins.items()):
        account = arn.split(":")[4]
        root = f"arn:aws:iam::{account}:root"
        if found.value == "yes":
            text = found.statements[0].text if found.statements else "administrator"
            yield Pair(arn, root, evidence=(Evidence(kind="policy", text=text, source=arn),),
                       actions=(_less(world, arn, text),))  # fmt: skip
        elif found.value == "unknown":
            doubt = ", ".join(found.doubts) or "a condition"
            yield Pair(arn, root, doubt=f"whether {doubt} holds",
                       actions=(_less(world, arn, doubt),))  # fmt: skip
    for arn, steps in change_steps(escalation):
        account = arn.split(":")[4]
        last = steps[-1]
        words = "; then ".join(s.sentence for s in steps)
        yield Pair(arn, f"arn:aws:iam::{account}:root", move=last.move, phrase=words,
                   doubt="" if all(s.certain for s in steps) else "a condition that is not known",
                   evidence=tuple(e for s in steps for e in s.evidence), cost=0.1 * len(steps),
                   resources=tuple(dict.fromkeys(s.target for s in steps)),
                   actions=(_less(world, arn, last.move),))  # fmt: skip


@late
@pairs
def function_that_identity_calls(world: World) -> Iterator[Pair]:
    """Effective permission to call a function in which a scanner found a weakness."""
    escalation = world.escalation
    personas = escalation.personas
    weak = [i for i in world.estate.of_type("aws_lambda_function") if world.weaknesses.get(i.uid)]
    reached = personas if world.reached is None else personas.keys() & world.reached
    for arn in sorted(reached) if weak else ():
        for item in weak:
            found = escalation.evaluator.decide(personas[arn], "lambda:invokefunction", item.uid)
            if found.value == "no":
                continue
            text = found.statements[0].text if found.statements else "lambda:InvokeFunction"
            yield Pair(arn, item.uid, doubt=", ".join(found.doubts) if found.value == "unknown" else "",
                       evidence=(Evidence(kind="policy", text=text, source=arn),),
                       actions=(_less(world, arn, text),))  # fmt: skip


# Pairs of identities that are looked at: more only where an attacker gets to a great many.
MOST_BOTH = 5_000


@late
@pairs
def aws_two_identities(world: World) -> Iterator[Pair]:
    """An identity that writes what another may do, and that other: who has both is administrator."""
    escalation = world.escalation
    principals = escalation.world.principals
    weak = [
        a for a in sorted(principals if world.beside is None else principals.keys() & world.beside)
        if escalation.admins[a].value != "yes" and a not in escalation.self_made
        and not principals[a].service_linked
    ]  # fmt: skip
    writers = [a for a in weak if escalation.changes.writes(principals[a].persona)]
    both = ((actor, target) for actor in writers for target in weak if actor != target)
    for actor, target in islice(both, MOST_BOTH):
        steps = raising_steps(escalation, target, actor)
        if steps:
            last = steps[-1]
            words = "; then ".join(s.sentence for s in steps)
            yield Pair(actor, f"arn:aws:iam::{principals[target].account}:root", move=last.move,
                       phrase=f"{words}, with the credentials of {world.label(target)}",
                       doubt="" if all(s.certain for s in steps) else "a condition that is not known",
                       evidence=tuple(e for s in steps for e in s.evidence), cost=0.1 * len(steps),
                       also=(("cred", target),), resources=(target,),
                       actions=(_less(world, actor, last.move),))  # fmt: skip


def _less(world: World, arn: str, what: str) -> Action:
    title = f"Take rights from {world.label(arn)}: {what}"
    return Action(f"permission:{arn}:{what}", title, arn, effort=1.5)


def _escalating(world: World, step: Escalating, hub: bool) -> Pair:
    text = step.evidence[0].text if step.evidence else step.move
    through = (step.via,) if step.via and not step.via.startswith("hub:") else ()
    return Pair(
        step.source, step.target, move=step.move, phrase=step.sentence,
        evidence=step.evidence, doubt="" if step.certain else "a condition that is not known",
        cost=0.05 if step.move == "sts-001" else 0.15, target_kind="hub" if hub else "",
        resources=through, actions=(_less(world, step.source, text),),
    )  # fmt: skip


@lasting
@pairs
def identities_of_account(world: World) -> Iterator[Pair]:
    """An administrator becomes any role and user of the account."""
    for arn, principal in sorted(world.escalation.world.principals.items()):
        if not principal.service_linked:
            yield Pair(f"arn:aws:iam::{principal.account}:root", arn, cost=0.02)


@pairs
def pipeline_identity(world: World) -> Iterator[Pair]:
    """A repository's workflows and the roles whose trust names exactly that repository."""
    repositories = [u for u in world.repositories if u.startswith("repo:")]
    for role in world.escalation.world.roles() if repositories else ():
        for statement in role.trust.statements if role.trust else ():
            if statement.effect != "Allow" or not statement.about("sts:assumerolewithwebidentity"):
                continue
            named = [v for _, v in statement.principals or () if "token.actions.github" in v]
            if not named or all(missing(world.estate, v) for v in named):
                continue
            subjects = [v for _, k, values in statement.conditions if k.endswith(":sub")
                        for v in values]  # fmt: skip
            for uid in repositories:
                name = uid.split("/", 1)[-1]
                wanted = [s for s in subjects if _names(s, name)]
                if wanted:
                    yield Pair(uid, role.arn, detail=wanted[0], evidence=(Evidence(
                        kind="policy", text=statement.text, source=role.arn),),
                        doubt="" if not wanted[0].rpartition(":")[2].startswith("ref")
                        and "environment" not in wanted[0]
                        else "whether the workflow runs on that branch or environment",
                        actions=(Action(f"trust:{role.arn}", "Narrow the trust policy of "
                                        + world.label(role.arn), role.arn),))  # fmt: skip


def _names(subject: str, repository: str) -> bool:
    from fnmatch import fnmatchcase

    head = subject.removeprefix("repo:").split(":", 1)[0]
    return fnmatchcase(repository.lower(), head.lower())


@pairs
def poisoned_pipeline(world: World) -> Iterator[Pair]:
    """A finding says that outsiders run code in a workflow."""
    for weakness in world.pipelines:
        yield Pair(ANY_USER, weakness.resource, detail=weakness.title,
                   evidence=(Evidence(kind="finding", text=weakness.title,
                                      source=weakness.finding),),
                   doubt="" if "pull_request_target" in json.dumps(
                       [weakness.title, weakness.rule, weakness.description])
                   or "dangerous" in weakness.rule else "whether outsiders can trigger it",
                   actions=(Action(f"weakness:{weakness.rule}@{weakness.resource}",
                                   f"Fix {weakness.title} in {world.label(weakness.resource)}",
                                   weakness.resource, (weakness.finding,)),))  # fmt: skip
