"""How it goes over time: open, new and fixed by week, ages, time to fix, who has most."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import SEVERITY_STYLE, console, plain, print_json


@click.command("report", help=__doc__)
@click.option("--weeks", default=12, type=click.IntRange(1, 104), help="How many weeks back.")
@common
def command(session: Any, weeks: int, as_json: bool) -> None:
    answer = session.report(weeks)
    if as_json:
        print_json(answer)
        return
    from rich.table import Table
    from rich.text import Text

    out = console()
    table = Table(title="findings by week", title_justify="left", box=None, header_style="bold")
    for name in ("week of", "new", "fixed", "open at its end"):
        table.add_column(name, justify="left" if name == "week of" else "right")
    for week in answer["weeks"]:
        table.add_row(week["begins"], *(str(week[k]) for k in ("new", "fixed", "open")))
    out.print(table)
    table = Table(title="\nissues by severity", title_justify="left", box=None, header_style="bold")
    for name in ("severity", "open", "overdue", "median age", "fixed in 90 days", "median to fix"):
        table.add_column(name, justify="left" if name == "severity" else "right")
    for row in answer["severity"]:
        word = row["severity"]
        table.add_row(Text(word, style=SEVERITY_STYLE[word]), str(row["issues"]),
                      str(row["overdue"]), _days(row["median_age_days"]),
                      str(row["fixed_90_days"]), _days(row["median_days_to_fix"]))  # fmt: skip
    out.print(table)
    for title, rows in (("service", answer["services"]), ("team", answer["teams"])):
        if rows:
            table = Table(title=f"\nmost open by {title}", title_justify="left", box=None,
                          header_style="bold")  # fmt: skip
            for name in (title, "critical", "high", "all"):
                table.add_column(name, justify="left" if name == title else "right")
            for row in rows:
                table.add_row(plain(row["name"]), str(row["critical"]), str(row["high"]),
                              str(row["issues"]))  # fmt: skip
            out.print(table)


def _days(value: float | None) -> str:
    return "-" if value is None else f"{value:g} d"
