"""Wake what is muted."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.commands._deciding import about_findings, about_issues


@click.command("unmute", help=__doc__)
@about_issues
@about_findings
def command() -> dict[str, Any]:
    return {"action": "unmute"}
