"""Why an issue, finding, vulnerability or resource is where it is, or not in the inbox.

NAME is an id, the beginning of an id, a rank, a CVE, a uid, or any name of a resource.
"""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.explaining import print_why
from secinbox.cli.opening import common
from secinbox.cli.printing import print_json


@click.command("why", help=__doc__)
@click.argument("name")
@common
def command(session: Any, name: str, as_json: bool) -> None:
    answer = session.why(name)
    if as_json:
        print_json(answer)
    else:
        print_why(answer)
