"""Mute issues, findings, a rule on a resource or whatever matches, with a reason and an end."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.commands._deciding import about_findings, about_issues
from secinbox.vocabulary import MUTE_REASONS


@click.command("mute", help=__doc__)
@click.option("--reason", required=True, type=click.Choice(MUTE_REASONS), help="Why.")
@click.option(
    "--expires",
    default="",
    metavar="TIME",
    help="Wakes by itself: a date, a time, or a span (30d).",
)
@click.option(
    "--until-worse", is_flag=True, help="Wakes when severity or number of risks is higher than now."
)
@about_issues
@about_findings
def command(reason: str, expires: str, until_worse: bool) -> dict[str, Any]:
    return {"action": "mute", "reason": reason, "expires": expires, "until_worse": until_worse}
