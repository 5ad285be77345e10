"""What all commands that decide share: what they are about, the preview, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import note, one_line, print_json

_MOST_SHOWN = 10


def about_issues(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ID... and --query: the issues that a decision is about. Gives `(session, ask)`."""

    @click.argument("ids", nargs=-1, metavar="[ID]...")
    @click.option("--query", help="Every issue that matches now, instead of ids.")
    @click.option(
        "--yes", is_flag=True, help="With --query: do it; without it only count and show."
    )
    @click.option("--dry-run", is_flag=True, help="Only say what would be decided on.")
    @click.option(
        "--version",
        "version",
        type=click.IntRange(0),
        metavar="N",
        help="Only if nobody decided since this version (one ID).",
    )
    @click.option("--text", default="", help="Why, for the timeline.")
    @common
    def wrapped(
        session: Any, /, *, ids: tuple[str, ...], query: str | None, yes: bool, dry_run: bool,
        version: int | None, text: str, as_json: bool, **options: Any,
    ) -> None:  # fmt: skip
        if version is not None and len(ids) != 1:
            raise click.UsageError("--version goes with one ID")
        request: dict[str, Any] = {"dry_run": dry_run or (query is not None and not yes)}
        if text:
            request["text"] = text
        if ids:
            request["issues"] = [{"id": ids[0], "version": version}] if version is not None else list(ids)  # fmt: skip
        if query is not None:
            request["query"] = query
        finish(session, {**request, **function(**options)}, as_json)

    return _joined(wrapped, function)


def _joined(wrapped: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """Keeps the options of both: update_wrapper alone keeps those of the inner one."""
    options = [*getattr(function, "__click_params__", []), *wrapped.__click_params__]  # type: ignore[attr-defined]
    joined = update_wrapper(wrapped, function)
    joined.__click_params__ = options  # type: ignore[attr-defined]
    return joined


def about_findings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what else can be muted: findings, a rule on a resource, whatever matches a query."""

    @click.option(
        "--finding", "findings", multiple=True, metavar="ID", help="A finding; repeatable."
    )
    @click.option("--rule", default="", help="With --resource: this rule on this resource.")
    @click.option("--resource", default="", metavar="UID", help="With --rule.")
    @click.option(
        "--matching", default="", metavar="QUERY", help="Every finding that matches, now and later."
    )
    def wrapped(
        *, findings: tuple[str, ...], rule: str, resource: str, matching: str, **options: Any
    ) -> dict[str, Any]:
        given = {"findings": list(findings), "rule": rule, "resource": resource,
                 "matching": matching}  # fmt: skip
        told: dict[str, Any] = function(**options)
        return {**told, **{k: v for k, v in given.items() if v}}

    return _joined(wrapped, function)


def finish(session: Any, request: dict[str, Any], as_json: bool) -> None:
    """Decides, says what came of it, and exits with 4 when only a part was done, 1 when nothing."""
    answer = session.decide(request)
    if as_json:
        print_json(answer)
    else:
        _say(answer)
    if answer["failed"]:
        raise SystemExit(4 if answer["done"] else 1)


def _say(answer: dict[str, Any]) -> None:
    if answer["dry_run"]:
        note(f"{answer['action']} would be about {answer['count']}:")
        for entry in answer["sample"]:
            note(f"  {entry['id'][:60]}  {one_line(entry['title'], 100)}")
        if "findings" in answer:
            note(f"  {answer['findings']} open findings match now")
        note("Nothing was changed. Add --yes (and leave out --dry-run) to do it.")
        return
    for failure in answer["failed"][:_MOST_SHOWN]:
        note(f"not done: {failure['id'][:60]}: {failure['error']}")
        for event in failure.get("changes", []):
            note(f"  {event['time']} {event['actor']}: {event['action']} {event['text']}")
    if len(answer["failed"]) > _MOST_SHOWN:
        note(f"... and {len(answer['failed']) - _MOST_SHOWN} more")
    for state in answer["done"][:_MOST_SHOWN]:
        words = [state["status"], state["assignee"] and f"@{state['assignee']}",
                 state["due"] and f"due {state['due']}", " ".join(state["labels"])]  # fmt: skip
        note(f"{answer['action']}: {state['id'][:60]}  {' · '.join(w for w in words if w)}")
    if len(answer["done"]) > _MOST_SHOWN:
        note(f"... and {len(answer['done']) - _MOST_SHOWN} more")
    if answer["done"]:
        note(f"`secinbox undo --batch {answer['batch']}` takes it back.")
