"""Add labels to issues and take labels away."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.commands._deciding import about_issues


@click.command("label", help=__doc__)
@click.option("--add", multiple=True, metavar="LABEL", help="Add; repeatable.")
@click.option("--remove", multiple=True, metavar="LABEL", help="Take away; repeatable.")
@about_issues
def command(add: tuple[str, ...], remove: tuple[str, ...]) -> dict[str, Any]:
    return {"action": "label", "add": list(add), "remove": list(remove)}
