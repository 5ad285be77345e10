"""List the report formats, inventories and feeds that are read."""

from __future__ import annotations

import click

from secinbox.cli.printing import console, print_json


@click.command("formats", help=__doc__)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def command(as_json: bool) -> None:
    from secinbox.connectors import all_connectors

    rows = [{"id": k.id, "kind": k.room, "title": k.connector.TITLE} for k in all_connectors()]
    if as_json:
        print_json({"formats": rows})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "kind", "what it reads"):
        table.add_column(name)
    for row in rows:
        table.add_row(row["id"], row["kind"], row["title"])
    console().print(table)
