"""The inbox: what to fix next, most important first.

QUERY narrows it: severity:critical risk.public:yes -team:platform "log4j"
"""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common, paged
from secinbox.cli.printing import (
    SEVERITY_STYLE,
    console,
    note,
    one_line,
    plain,
    print_json,
    risk_words,
)


@click.command("list", help=__doc__)
@click.argument("query", nargs=-1)
@click.option("--profile", help="Order: severity-risks-impact, bod-26-04 or expected-loss.")
@click.option("--group", "field", help="Count by service, team, type, account, rule ... instead.")
@paged
@common
def command(
    session: Any, query: tuple[str, ...], profile: str | None, field: str | None, limit: int,
    cursor: str, as_json: bool,
) -> None:  # fmt: skip
    if field:
        found = session.groups(field, " ".join(query))
        if as_json:
            print_json(found)
        else:
            _groups(found)
        return
    options = {"profile": profile} if profile else {}
    answer = session.issues(" ".join(query), limit=limit, cursor=cursor, **options)
    if as_json:
        print_json(answer)
        return
    show(answer)


def _groups(answer: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    table.add_column(answer["field"], overflow="fold")
    for name in ("worst", "critical", "high", "issues", "findings"):
        table.add_column(name, justify="right")
    for g in answer["groups"]:
        table.add_row(
            Text(one_line(g["value"] or "(none)", 80)),
            Text(g["severity"], style=SEVERITY_STYLE[g["severity"]]),
            *(str(g[k]) for k in ("critical", "high", "issues", "findings")),
        )
    console().print(table)


def show(answer: dict[str, Any]) -> None:
    """The page as a table made for a terminal."""
    from rich.table import Table
    from rich.text import Text

    if not answer["issues"]:
        note("the inbox is empty: nothing matches" if answer["total"] == 0 else "no more rows")
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("what to fix", ratio=1, overflow="fold")
    table.add_column("risks", overflow="fold", min_width=16, max_width=26)
    table.add_column("res", justify="right", no_wrap=True)
    table.add_column("svc", justify="right", no_wrap=True)
    table.add_column("id", no_wrap=True)
    for issue in answer["issues"]:
        title = Text(one_line(issue["title"], 160))
        line = " · ".join(
            plain(p)
            for p in (
                issue["type"].replace("_", " "),
                issue["service"],
                issue["environment"],
                f"{issue['findings']} findings" if issue["findings"] > 1 else "",
                issue["due"] and f"due {issue['due'][:10]}",
                issue["assignee"] and f"@{issue['assignee']}",
            )
            if p
        )
        title.append("\n" + line, style="dim")
        table.add_row(
            str(issue["rank"]),
            Text(issue["severity"], style=SEVERITY_STYLE[issue["severity"]]),
            title,
            Text(risk_words(issue["risks"])),
            str(issue["impacted_resources"]),
            str(issue["impacted_services"]),
            Text(issue["id"][:8], style="dim"),
        )
    console().print(table)
    shown = len(answer["issues"])
    note(
        f"{shown} of {answer['total']} issues, as of {answer['as_of']}, order "
        f"{answer['profile']}. `secinbox show ID` explains one."
        + (f" More: --cursor {answer['next']}" if answer["next"] else "")
    )
