"""Take back the last decision on issues, or all that one command decided (--batch)."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.commands._deciding import about_findings, about_issues


@click.command("undo", help=__doc__)
@click.option("--batch", default="", help="What one decision did, by its name.")
@about_issues
@about_findings
def command(batch: str) -> dict[str, Any]:
    return {"action": "undo", **({"batch": batch} if batch else {})}
