"""API tokens: create, list, revoke. A token is shown once; only its hash is kept."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import note, one_line, print_json

ROLES = ["viewer", "triager", "admin"]


def words(text: str) -> list[str]:
    """The words of a list with commas."""
    return [w.strip() for w in text.split(",") if w.strip()]


@click.group("tokens", help=__doc__)
def command() -> None:
    pass


@command.command("create", help="A new token; it is printed on stdout.")
@click.option("--name", required=True, help="What it is for.")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--expires", default="", metavar="TIME", help="A date, a time or a span (90d).")
@click.option("--types", default="", help="Only findings of these types, with commas.")
@common
def create(session: Any, name: str, role: str, expires: str, types: str, as_json: bool) -> None:
    from secinbox.session import user

    told = session.administration.create_token(name, role, expires, user(), words(types))
    if as_json:
        print_json(told)
        return
    click.echo(told["token"])
    note(
        f"id {told['id']}, role {role}, expires {told['expires'] or 'never'}. It is not shown again."
    )


@command.command("list", help="All tokens, without their secrets.")
@common
def list_(session: Any, as_json: bool) -> None:
    answer = session.administration.tokens()
    if as_json:
        print_json(answer)
        return
    for row in answer["tokens"]:
        used = row["last_used"] or "never"
        note(f"{row['id']}  {row['role']:<8} {one_line(row['name'], 40)}  expires "
             f"{row['expires'] or 'never'}  last used {used}")  # fmt: skip


@command.command("revoke", help="Ends a token at once.")
@click.argument("identity", metavar="ID")
@common
def revoke(session: Any, identity: str, as_json: bool) -> None:
    from secinbox.session import user

    told = session.administration.revoke_token(identity, user())
    if as_json:
        print_json(told)
    else:
        note(f"revoked {identity}")
