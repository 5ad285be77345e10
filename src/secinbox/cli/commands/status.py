"""Set the status of issues: open, in_progress or resolved."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.commands._deciding import about_issues


@click.command("status", help=__doc__)
@click.option(
    "--to",
    "status",
    required=True,
    type=click.Choice(["open", "in_progress", "resolved"]),
    help="The new status.",
)
@about_issues
def command(status: str) -> dict[str, Any]:
    return {"action": "status", "status": status}
