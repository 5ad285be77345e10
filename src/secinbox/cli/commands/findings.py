"""Every finding, in the inbox or not, and which rule decided."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common, paged
from secinbox.cli.printing import SEVERITY_STYLE, console, note, one_line, print_json, risk_words


@click.command("findings", help=__doc__)
@click.argument("query", nargs=-1)
@paged
@common
def command(session: Any, query: tuple[str, ...], limit: int, cursor: str, as_json: bool) -> None:
    answer = session.findings(" ".join(query), limit=limit, cursor=cursor)
    if as_json:
        print_json(answer)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("severity", "finding", "risks", "inbox", "id"):
        table.add_column(name, overflow="fold", ratio=3 if name == "finding" else None)
    for f in answer["findings"]:
        title = Text(one_line(f["title"], 140))
        tools = ", ".join(sorted({a["tool"] for a in f["attributions"]}))
        title.append(f"\n{one_line(f['resource'], 100)} · {tools}", style="dim")
        table.add_row(
            Text(f["severity"], style=SEVERITY_STYLE[f["severity"]]),
            title,
            Text(risk_words({r: v["value"] for r, v in f["risks"].items()})),
            Text("yes" if f["in_inbox"] else "no: " + one_line(f["why_not"], 60)),
            Text(f["id"][:8], style="dim"),
        )
    console().print(table)
    note(
        f"{len(answer['findings'])} of {answer['total']} findings."
        + (f" More: --cursor {answer['next']}" if answer["next"] else "")
    )
