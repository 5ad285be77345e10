"""Automation: list, test, apply and switch the rules for severity, mute, due date and inbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import console, note, one_line, plain, print_json


@click.group("rules", help=__doc__)
def command() -> None:
    pass


@command.command("list", help="All rules in order, with how many open findings each decides.")
@common
def list_(session: Any, as_json: bool) -> None:
    answer = session.automation.listing()
    if as_json:
        print_json(answer)
        return
    from rich.text import Text

    out = console()
    for rule in (*answer["rules"], *answer["default_rules"]):
        head = Text(f"{rule['kind']:<9} ", style="bold")
        head.append(plain(rule["id"]))
        head.append("" if rule["enabled"] else "  (switched off)", style="yellow")
        if rule.get("expires"):
            head.append(f"  until {rule['expires']}", style="dim")
        head.append(f"  {rule['hits']} findings  [{plain(rule['origin'])}]", style="dim")
        out.print(head)
        types = f"type:({' OR '.join(rule['types'])}) " if rule.get("types") else ""
        out.print(
            Text(f"    {one_line(rule['name'])}\n    {plain(types + rule['query'])}", style="dim")
        )


@command.command("test", help="What the rules of a file would change; nothing is stored.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--days", default=0, type=click.IntRange(0, 90), help="Also on each of these last days."
)
@common
def test(session: Any, file: Path, days: int, as_json: bool) -> None:
    from secinbox.automating import from_file

    answer = session.automation.test(from_file(file), days)
    if as_json:
        print_json(answer)
        return
    for day in (answer["today"], *answer["days"]):
        findings, issues = day["findings"], day["issues"]
        words = [f"{n} {k.replace('_', ' ')}" for k, n in findings.items() if n]
        words += [f"{n} issues {k}" for k, n in issues.items() if n]
        hits = ", ".join(f"{i} matches {n}" for i, n in day["hits"].items())
        note(f"{day['day']}: {'; '.join(words) or 'nothing changes'} ({hits})")
    for issue in answer["today"]["issue_sample"]:
        before, after = issue["rank_before"] or "out", issue["rank_after"] or "out"
        note(f"  {before} -> {after}  {one_line(issue['title'], 100)}")


@command.command("apply", help="Store the rules of a file; those with a known id are replaced.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@common
def apply(session: Any, file: Path, as_json: bool) -> None:
    from secinbox.automating import from_file
    from secinbox.session import user

    answer = session.automation.apply(from_file(file), user())
    if as_json:
        print_json(answer)
    else:
        note(f"stored: {', '.join(answer['rules'])}")


def _switch(session: Any, identity: str, enabled: bool, as_json: bool) -> None:
    from secinbox.session import user

    answer = session.automation.switch(identity, enabled, user())
    if as_json:
        print_json(answer)
    else:
        note(f"{identity} is {'on' if enabled else 'off'}")


@command.command("enable", help="Switch a rule on; default rules too.")
@click.argument("identity", metavar="ID")
@common
def enable(session: Any, identity: str, as_json: bool) -> None:
    _switch(session, identity, True, as_json)


@command.command("disable", help="Switch a rule off; default rules too.")
@click.argument("identity", metavar="ID")
@common
def disable(session: Any, identity: str, as_json: bool) -> None:
    _switch(session, identity, False, as_json)


@command.command("delete", help="Remove a stored rule.")
@click.argument("identity", metavar="ID")
@common
def delete(session: Any, identity: str, as_json: bool) -> None:
    from secinbox.session import user

    answer = session.automation.delete(identity, user())
    if as_json:
        print_json(answer)
    else:
        note(f"deleted {identity}")
