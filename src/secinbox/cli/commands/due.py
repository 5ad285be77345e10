"""Set the due date of issues; `--on ""` takes it away."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.commands._deciding import about_issues


@click.command("due", help=__doc__)
@click.option("--on", "due", required=True, metavar="DATE", help="A date or a span (14d).")
@about_issues
def command(due: str) -> dict[str, Any]:
    return {"action": "due", "due": due}
