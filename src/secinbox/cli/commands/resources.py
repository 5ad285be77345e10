"""Every resource with its detected risks and their evidence."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common, paged
from secinbox.cli.printing import console, note, one_line, print_json, risk_words


@click.command("resources", help=__doc__)
@click.argument("query", nargs=-1)
@paged
@common
def command(session: Any, query: tuple[str, ...], limit: int, cursor: str, as_json: bool) -> None:
    answer = session.resources(" ".join(query), limit=limit, cursor=cursor)
    if as_json:
        print_json(answer)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("resource", "type", "environment", "service", "risks"):
        table.add_column(name, overflow="fold")
    for r in answer["resources"]:
        values = {n: v["value"] for n, v in r["risks"].items()}
        values["exploit_available"] = "no"
        table.add_row(
            Text(one_line(r["uid"])), r["type"], Text(one_line(r["environment"] or "·")),
            Text(one_line(r["service"] or "·")), risk_words(values),
        )  # fmt: skip
    console().print(table)
    note(
        f"{len(answer['resources'])} of {answer['total']} resources."
        + (f" More: --cursor {answer['next']}" if answer["next"] else "")
    )
