"""Users who sign in with a password: invite by a one-time link, list, remove; the audit log."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.commands.tokens import ROLES, words
from secinbox.cli.opening import common
from secinbox.cli.printing import note, one_line, print_json


@click.group("users", help=__doc__)
def command() -> None:
    pass


@command.command("invite", help="A link that sets the password of a user, once.")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--types", default="", help="Only findings of these types, with commas.")
@common
def invite(session: Any, name: str, role: str, types: str, as_json: bool) -> None:
    from secinbox.session import user

    told = session.administration.invite(name, role, user(), words(types))
    if as_json:
        print_json(told)
        return
    click.echo(told["path"])
    note(f"Open this path on the server, until {told['expires']}. It works once.")


@command.command("list", help="All users.")
@common
def list_(session: Any, as_json: bool) -> None:
    answer = session.administration.users()
    if as_json:
        print_json(answer)
        return
    for row in answer["users"]:
        note(f"{row['role']:<8} {one_line(row['name'], 60)}")


@command.command("remove", help="Removes a user and ends the sessions.")
@click.argument("name")
@common
def remove(session: Any, name: str, as_json: bool) -> None:
    from secinbox.session import user

    told = session.administration.remove_user(name, user())
    if as_json:
        print_json(told)
    else:
        note(f"removed {one_line(name)}")


@command.command("audit", help="Who signed in, and what was done with accounts; newest first.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="Rows."
)
@common
def audit(session: Any, limit: int, as_json: bool) -> None:
    answer = session.administration.audit(limit=limit)
    if as_json:
        print_json(answer)
        return
    for row in answer["events"]:
        note(
            one_line(
                f"{row['time']} {row['actor'] or '-'} {row['action']} {row['target']} {row['detail']}"
            )
        )
