"""The inbox for other programs: JSON, CSV, SARIF, OCSF, OpenVEX or CycloneDX VEX on stdout."""

from __future__ import annotations

import sys
from typing import Any

import click

from secinbox.cli.opening import common


@click.command("export", help=__doc__)
@click.argument("query", nargs=-1)
@click.option(
    "--format", "form", default="json", show_default=True,
    type=click.Choice(["json", "csv", "sarif", "ocsf", "openvex", "cyclonedx-vex"]),
    help="json and csv are issues, the others findings.",
)  # fmt: skip
@common
def command(session: Any, query: tuple[str, ...], form: str, as_json: bool) -> None:
    del as_json  # the format says it
    sys.stdout.write(session.export(form, " ".join(query)))
