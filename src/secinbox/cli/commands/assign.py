"""Assign issues to a person or a team; `--to ""` takes the assignment away."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.commands._deciding import about_issues


@click.command("assign", help=__doc__)
@click.option("--to", "assignee", required=True, metavar="NAME", help="Person or team.")
@click.option("--team", is_flag=True, help="The name is that of a team.")
@about_issues
def command(assignee: str, team: bool) -> dict[str, Any]:
    kind = "team" if team else "person"
    return {"action": "assign", "assignee": assignee, "assignee_kind": kind}
