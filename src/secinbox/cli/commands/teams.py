"""Teams and their members; `assignee:@me` finds what is assigned to you or to a team of yours."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import note, one_line, print_json


@click.group("teams", help=__doc__)
def command() -> None:
    pass


@command.command("list", help="All teams.")
@common
def list_(session: Any, as_json: bool) -> None:
    answer = session.administration.teams()
    if as_json:
        print_json(answer)
        return
    for row in answer["teams"]:
        note(f"{one_line(row['name'], 40)}: {one_line(', '.join(row['members']), 200)}")


@command.command("set", help="A team has just these members from now on.")
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
@common
def set_(session: Any, name: str, members: tuple[str, ...], as_json: bool) -> None:
    from secinbox.session import user

    told = session.administration.write_team(name, members, user())
    if as_json:
        print_json(told)
    else:
        note(f"{one_line(name)} has {len(told['members'])} members")


@command.command("remove", help="Ends a team; what is assigned to it stays so.")
@click.argument("name")
@common
def remove(session: Any, name: str, as_json: bool) -> None:
    from secinbox.session import user

    told = session.administration.remove_team(name, user())
    if as_json:
        print_json(told)
    else:
        note(f"removed {one_line(name)}")
