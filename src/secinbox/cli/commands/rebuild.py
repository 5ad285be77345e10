"""Build all facts again from the archived reports; decisions stay."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import note, print_json


@click.command("rebuild", help=__doc__)
@common
def command(session: Any, as_json: bool) -> None:
    answer = session.rebuild()
    if as_json:
        print_json(answer)
    else:
        note(f"rebuilt from {answer['reports']} reports")
