"""For pipelines: exit with 5 when issues match QUERY; only new ones with --since or --baseline.

A baseline is the output of an earlier `list --json` or `export --format json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import note, one_line, print_json


@click.command("gate", help=__doc__)
@click.argument("query", nargs=-1)
@click.option(
    "--since", metavar="TIME", help="Only issues first seen since a date, or an age (7d)."
)
@click.option("--baseline", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Only issues that are not in this file.")  # fmt: skip
@common
def command(
    session: Any, query: tuple[str, ...], since: str | None, baseline: Path | None, as_json: bool
) -> None:
    text = " ".join(query)
    if since:
        age = since[:-1].isdigit() and since[-1:] in "hdwmy"
        text = f"{f'({text}) ' if text else ''}first_seen:{'<' if age else '>='}{since}"
    known: set[str] = set()
    if baseline:
        try:
            known = {issue["id"] for issue in json.loads(baseline.read_text("utf-8"))["issues"]}
        except (ValueError, KeyError, TypeError):
            raise click.UsageError(f"{baseline} is no output of `list --json`") from None
    found, cursor = [], ""
    while True:
        page = session.issues(text, limit=1_000, cursor=cursor)
        found += [issue for issue in page["issues"] if issue["id"] not in known]
        cursor = page["next"] or ""
        if not cursor:
            break
    if as_json:
        print_json({"open": not found, "count": len(found), "issues": found})
    else:
        for issue in found[:20]:
            note(f"{issue['severity']:<9} {one_line(issue['title'], 100)}  {issue['id'][:8]}")
        note(f"The gate is {'closed' if found else 'open'}: {len(found)} issues match.")
    if found:
        raise SystemExit(5)
