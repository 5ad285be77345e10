"""CodeBuild: repositories whose pushes and pull requests start builds.

A webhook without an event filter takes pushes and pull requests. Whoever opens a pull request from a fork
chooses its branch, files and messages; a filter on the actor's account, or the approval of pull requests
by comment, stops him. Source: docs.aws.amazon.com/codebuild, "GitHub webhook events", "Pull request
comment approval".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from secinbox.estate import Item
from secinbox.fingerprint import repository_uid
from secinbox.inventory.aws.calls import walk
from secinbox.paths.graph import Action
from secinbox.paths.predicates import Pair, lasting, pairs
from secinbox.paths.world import ANY_USER, World
from secinbox.records import Evidence

_OPENED = frozenset({"PULL_REQUEST_CREATED", "PULL_REQUEST_UPDATED", "PULL_REQUEST_REOPENED",
                     "PULL_REQUEST_CLOSED"})  # fmt: skip
_PUSHED = frozenset({"PUSH"})
_HOSTS = ("github.com", "gitlab.com", "bitbucket.org")
Filter = dict[str, Any]


def _projects(world: World) -> Iterator[tuple[Item, str, list[list[Filter]]]]:
    """Projects with a webhook on a host where anybody has an account: repository and filter groups."""
    for item in world.estate.of_type("aws_codebuild_project"):
        address = next(walk(item.config, "source.location"), None)
        hook = item.config.get("webhook")
        if not isinstance(hook, dict) or not isinstance(address, str):
            continue
        repository = repository_uid(address)
        if repository.removeprefix("repo:").partition("/")[0] not in _HOSTS:
            continue
        groups: list[list[Filter]] = [
            [f for f in group if isinstance(f, dict)]
            for group in hook.get("filterGroups") or ()
            if isinstance(group, list)
        ]
        if not groups:
            groups.append([])
        yield item, repository, groups


def _takes(group: list[Filter], wanted: frozenset[str]) -> bool:
    """The group lets one of these events through."""
    named = [f for f in group if f.get("type") == "EVENT"]
    for event in wanted if named else ():
        hits = [_hit(f, event) for f in named]
        if all(hits):
            return True
    return not named


def _hit(row: Filter, event: str) -> bool:
    events = {w.strip() for w in str(row.get("pattern") or "").split(",")}
    return (event in events) is not (row.get("excludeMatchedPattern") is True)


def _actors(group: list[Filter]) -> tuple[str, str]:
    """(why only some accounts start a build, what is doubtful of that)."""
    for row in group:
        if row.get("type") == "ACTOR_ACCOUNT_ID" and row.get("excludeMatchedPattern") is not True:
            pattern = str(row.get("pattern") or "")
            if _whole(pattern):
                return f"its webhook takes the actors {pattern} only", ""
            return "", f"whose account number contains {pattern}: the pattern is not anchored"
    return "", ""


def _whole(pattern: str) -> bool:
    """Every alternative is one whole account number."""
    inner = re.fullmatch(r"\^\(([\d|]+)\)\$", pattern)
    parts = inner.group(1).split("|") if inner else pattern.split("|")
    return all(re.fullmatch(r"\d+" if inner else r"\^\d+\$", p) for p in parts)


def _approval(item: Item) -> str:
    asked = next(walk(item.config, "webhook.pullRequestBuildPolicy.requiresCommentApproval"), None)
    if asked in ("ALL_PULL_REQUESTS", "FORK_PULL_REQUESTS"):
        return "somebody who may write there approves each pull request of a fork"
    return ""


def _steps(item: Item) -> str:
    """What is doubtful of a build whose steps do not come from the repository itself."""
    told = str(next(walk(item.config, "source.buildspec"), None) or "")
    inline = "\n" in told or told.lstrip().startswith("{")
    return "whether its steps run what lies in the repository" if inline else ""


def _pair(item: Item, source: str, text: str, no: str, doubts: tuple[str, ...], what: str) -> Pair:
    return Pair(
        source, item.uid, detail=text, no=no, doubt="; ".join(filter(None, doubts)),
        evidence=(Evidence(kind="policy", text=text, source=item.uid),),
        actions=(Action(f"webhook:{item.uid}", f"{what} on the webhook of {item.name}", item.uid,
                        effort=0.5),),
    )  # fmt: skip


@lasting
@pairs
def project_of_strangers(world: World) -> Iterator[Pair]:
    """Pull requests of anybody start a build."""
    for item, repository, groups in _projects(world):
        host, _, name = repository.removeprefix("repo:").partition("/")
        entry = ANY_USER if host == "github.com" else f"any:{host}"
        seen = "" if repository in world.public else "whether outsiders see the repository"
        found = [_actors(g) for g in groups if _takes(g, _OPENED)]
        if found:
            # The group that asks for least decides.
            why, doubt = min(found)
            yield _pair(item, entry, f"project {item.name} builds pull requests of {name}",
                        _approval(item) or why, (seen, doubt, _steps(item)),
                        "Ask for approval of pull requests")  # fmt: skip


@lasting
@pairs
def project_of_repository(world: World) -> Iterator[Pair]:
    """Whoever runs code in a repository's workflows, or writes there, starts its builds."""
    for item, repository, groups in _projects(world):
        found = [_actors(g) for g in groups if _takes(g, _PUSHED)]
        if found:
            why, doubt = min(found)
            push = "whether what runs there may push to the branch that is built"
            yield _pair(item, repository, f"project {item.name} builds what is pushed", why,
                        (push, doubt, _steps(item)), "Name the actors")  # fmt: skip
