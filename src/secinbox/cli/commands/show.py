"""One issue in full: why it is here, evidence, resources, fix, and who reported it where.

ID is an id, the beginning of an id, or a rank.
"""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.explaining import print_issue
from secinbox.cli.opening import common
from secinbox.cli.printing import print_json


@click.command("show", help=__doc__)
@click.argument("id_")
@common
def command(session: Any, id_: str, as_json: bool) -> None:
    answer = session.show(id_)
    if as_json:
        print_json(answer)
    else:
        print_issue(answer)
