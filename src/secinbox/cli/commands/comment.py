"""Comment on issues; the comment stays in the timeline."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.commands._deciding import about_issues


@click.command("comment", help=__doc__)
@about_issues
def command() -> dict[str, Any]:
    return {"action": "comment"}
