"""Compute risks, admission and order again, from the facts and decisions as they are."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import note, print_json


@click.command("rank", help=__doc__)
@common
def command(session: Any, as_json: bool) -> None:
    done = session.rank(everything=True)
    answer = {**done, "issues": session.issues(limit=1)["total"]}
    if as_json:
        print_json(answer)
    else:
        note(f"ranked: {answer['issues']} issues")
