"""Exploit intelligence: fetch the feeds, import files of them, see how fresh they are."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common, open_session
from secinbox.cli.printing import console, note, one_line, print_json


@click.group("intel", help=__doc__)
def command() -> None:
    pass


@command.command("sync")
@click.argument("feeds", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.pass_context
def sync(ctx: click.Context, feeds: tuple[str, ...], as_json: bool) -> None:
    """Fetch the feeds (all, or those named) from their official addresses."""
    from secinbox import syncing
    from secinbox.session import Session

    with open_session(ctx) as session:
        if not isinstance(session, Session):
            raise click.UsageError("intel sync needs the home for itself: stop the server first")
        answer = syncing.sync(session, feeds, (lambda t: None) if as_json else note)
    if as_json:
        print_json(answer)
    failed = [f for f in answer["feeds"] if f["status"] == "failed"]
    for feed in answer["feeds"]:
        if not as_json:
            note(f"{feed['feed']}: {feed['status']}, {feed['records']} records")
    for feed in failed:
        error = feed["error"]
        note(f"FAILED {feed['feed']}: {one_line(error['message'])}; {error['hint']}")
    if failed:
        raise SystemExit(4 if len(failed) < len(answer["feeds"]) else 1)


@command.command("import")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@common
def import_(session: Any, paths: tuple[str, ...], as_json: bool) -> None:
    """Import feed files fetched elsewhere (no network needed)."""
    from secinbox.cli.commands.import_ import show

    answer = session.import_reports(paths)
    if as_json:
        print_json(answer)
    else:
        show(answer["files"])
    states = {f["status"] for f in answer["files"]}
    if "failed" in states or states == {"skipped"}:
        raise SystemExit(4 if "imported" in states else 1)


@command.command("status")
@common
def status(session: Any, as_json: bool) -> None:
    """How fresh each feed is, and what that keeps open."""
    answer = session.doctor()
    check = next(c for c in answer["checks"] if c["check"] == "exploit feeds")
    if as_json:
        print_json({"feeds": answer["feeds"], "check": check})
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("feed", "released", "records"):
        table.add_column(name)
    for feed in answer["feeds"]:
        table.add_row(feed["feed"], feed["released"][:10], str(feed["records"]))
    console().print(table)
    note(check["text"] + (f"; {check['hint']}" if check["hint"] else ""))
