"""Cloud Build: repositories whose pushes and pull requests start builds, and what those run as.

A trigger for pull requests takes those of forks, too, unless it asks for a comment of somebody who may
write to the repository, or for an approval. Source: cloud.google.com, "Cloud Build: build triggers"
(pullRequest.commentControl, approvalConfig), "Build repositories", "Default service account".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from secinbox.estate import Estate, Item
from secinbox.fingerprint import repository_uid
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.world import ANY_USER, World
from secinbox.records import Evidence

_TRIGGER = "gcp_cloudbuild_build_trigger"
# Where a trigger keeps its events, by kind of connection.
_EVENTS = ("github", "repositoryEventConfig", "developerConnectEventConfig",
           "gitlabEnterpriseEventsConfig", "bitbucketServerTriggerConfig")  # fmt: skip


@dataclass(frozen=True)
class Started:
    """A trigger with its repository. `asks`: what keeps strangers' pull requests from running."""

    trigger: Item
    repository: str
    pulls: bool
    pushes: bool
    asks: str


def _part(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def triggers(estate: Estate) -> list[Started]:
    """Every trigger that is on, where its repository is known."""
    return estate.once("paths.builds", lambda: list(_triggers(estate)))


def _triggers(estate: Estate) -> Iterator[Started]:
    for item in estate.of_type(_TRIGGER):
        config = item.config
        if config.get("disabled") is True:
            continue
        for key in _EVENTS:
            events = _part(config, key)
            repository = _repository(estate, events) if events else ""
            if not repository:
                continue
            pull = _part(events, "pullRequest")
            asks = ""
            if str(pull.get("commentControl") or "COMMENTS_DISABLED") != "COMMENTS_DISABLED":
                asks = "a comment of somebody who may write there starts it"
            if _part(config, "approvalConfig").get("approvalRequired") is True:
                asks = "somebody approves each build"
            yield Started(item, repository, "pullRequest" in events, "push" in events, asks)


def _repository(estate: Estate, events: dict[str, Any]) -> str:
    """`repo:github.com/acme/shop`; empty where nothing says it."""
    if events.get("owner") and events.get("name"):
        return repository_uid(f"https://github.com/{events['owner']}/{events['name']}")
    for key, host in (("repository", "cloudbuild"), ("gitRepositoryLink", "developerconnect")):
        name = str(events.get(key) or "")
        found = estate.find(f"//{host}.googleapis.com/{name}") if name else None
        address = str((found.config.get("remoteUri") or found.config.get("cloneUri") or "")
                      if found is not None else "")  # fmt: skip
        if address:
            return repository_uid(address)
    space = str(events.get("projectNamespace") or "")
    return repository_uid(f"https://gitlab.com/{space}") if "/" in space else ""


def _accounts(world: World, item: Item) -> Iterator[tuple[str, str]]:
    """(account, doubt) of what its builds run as; where it does not say, the two defaults there are."""
    named = world.estate.targets(item.uid, "has_identity")
    for name in named:
        found = world.estate.find(name)
        yield (found.uid if found is not None else name), ""
    if named:
        return
    project = world.google.project_of(item)
    if project is None:
        return
    number = world.google.number(project)
    for name in (f"{number}@cloudbuild.gserviceaccount.com",
                 f"{number}-compute@developer.gserviceaccount.com"):  # fmt: skip
        member = f"serviceAccount:{name}"
        if member in world.google.held:
            yield world.google.uid_of(member), "which default account its builds run as"


def _does(item: Item) -> str:
    """What is doubtful of a build whose steps do not come from the repository itself."""
    if item.config.get("build") and not item.config.get("filename"):
        return "whether its steps run what lies in the repository"
    return ""


def _action(world: World, item: Item, what: str) -> Action:
    return Action(f"trigger:{item.uid}", f"{what} on the trigger {item.name}", item.uid, effort=0.5)


@lasting
@pairs
def build_of_strangers(world: World) -> Iterator[Pair]:
    """Pull requests of anybody start a build: no comment and no approval is asked for."""
    for found in triggers(world.estate):
        if not found.pulls:
            continue
        host = found.repository.removeprefix("repo:").partition("/")[0]
        entry = ANY_USER if host == "github.com" else f"any:{host}"
        text = f"trigger {found.trigger.name} builds pull requests of {found.repository.partition(':')[2]}"
        doubt = "" if found.repository in world.public else "whether outsiders see the repository"
        for account, unsure in _accounts(world, found.trigger):
            yield Pair(
                entry, account, detail=text, no=found.asks, resources=(found.trigger.uid,),
                doubt="; ".join(filter(None, (doubt, unsure, _does(found.trigger)))),
                evidence=(Evidence(kind="policy", text=text, source=found.trigger.uid),),
                actions=(_action(world, found.trigger, "Ask for a comment, or an approval,"),),
            )  # fmt: skip


@lasting
@pairs
def build_of_repository(world: World) -> Iterator[Pair]:
    """Whoever runs code in a repository's workflows, or writes there, starts its builds."""
    for found in triggers(world.estate):
        if not (found.pushes or found.pulls):
            continue
        approved = found.asks if "approves" in found.asks else ""
        text = f"trigger {found.trigger.name} builds what is pushed"
        for account, unsure in _accounts(world, found.trigger):
            yield Pair(
                found.repository, account, detail=text, no=approved,
                resources=(found.trigger.uid,),
                doubt="; ".join(filter(None, (
                    "whether what runs there may push to the branch that is built", unsure,
                    _does(found.trigger)))),
                evidence=(Evidence(kind="policy", text=text, source=found.trigger.uid),),
                actions=(_action(world, found.trigger, "Ask for an approval"),),
            )  # fmt: skip
