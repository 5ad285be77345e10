"""A sample company in a home of its own: its reports, its inbox, its web page.

Imports the sample estate (two cloud accounts, a cluster, a repository, real scanner reports),
shows the top of the inbox, and serves the web inbox on 127.0.0.1. The clock of the sample stands
still, so that it looks the same on every day. The home is removed at the end unless it is kept.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import click

import secinbox
from secinbox.cli.printing import note

FIRST_PORT = 8390
_MARK = "sample-estate"  # in the home: this is a demo, it may be used again
PARTS = ("inventory", "kubernetes", "intel", "catalogue.yaml", "reports", "signals")


@click.command("demo", help=__doc__)
@click.option("--no-serve", is_flag=True, help="Stop after printing the top of the inbox.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the web inbox.")
@click.option("--keep", is_flag=True, help="Keep the home and say where it is.")
@click.pass_context
def command(ctx: click.Context, no_serve: bool, port: int | None, keep: bool) -> None:
    estate = find_estate()
    named = (ctx.find_root().obj or {}).get("home")
    home = _home(Path(named)) if named else Path(tempfile.mkdtemp(prefix="secinbox-demo-"))
    kept = keep or bool(named)
    try:
        _show(estate, home, port, serving=not no_serve)
    finally:
        if kept:
            note(f"the sample is kept in {home}: secinbox --home {home} list")
        else:
            shutil.rmtree(home, ignore_errors=True)


def find_estate() -> Path:
    """The sample estate: beside the code of a wheel, or in the checkout."""
    package = Path(secinbox.__file__).resolve().parent
    for path in (package / "sample_estate", package.parents[1] / "examples" / "estate"):
        if (path / "truth.json").is_file():
            return path
    raise click.ClickException("this installation has no sample estate; install it from a wheel")


def _home(named: Path) -> Path:
    if named.exists() and any(named.iterdir()) and not (named / _MARK).exists():
        raise click.UsageError(f"{named} holds something else: --home takes an empty folder here")
    named.mkdir(parents=True, exist_ok=True)
    return named


def _show(estate: Path, home: Path, port: int | None, *, serving: bool) -> None:
    from secinbox.cli.commands.list import show
    from secinbox.session import Session, parse_clock

    (home / _MARK).touch()
    # The sample's decisions belong into its own home, not into a team's database.
    os.environ.pop("SECINBOX_DATABASE", None)
    clock = json.loads((estate / "truth.json").read_text("utf-8"))["as_of"]
    with Session(home) as session:
        session.pin_clock(parse_clock(clock))
        note("importing the sample estate of Harborline Freight, a company that does not exist")
        answer = session.import_reports(
            tuple(str(estate / part) for part in PARTS), progress=_progress
        )
        failed = [f for f in answer["files"] if f["status"] != "imported"]
        for entry in failed:
            note(f"FAILED {entry['path']}: {(entry['error'] or {}).get('message', '')}")
        findings = sum(f["records"]["findings"] for f in answer["files"])
        note(
            f"{len(answer['files']) - len(failed)} reports, {findings} findings. What to fix next:"
        )
        show(session.issues("", limit=10))
        if not serving:
            note("next: secinbox import YOUR-REPORTS; secinbox list; secinbox show 1")
            return
        from secinbox.api.serving import serve

        serve(
            session, "127.0.0.1", _free_port() if port is None else port,
            lambda where: note(f"the web inbox is at {where}"),
        )  # fmt: skip


def _progress(_: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total}", nl=done == total, err=True)


def _free_port() -> int:
    """The first port from 8390 on that nobody listens on; 0 leaves the choice to the system."""
    for port in range(FIRST_PORT, FIRST_PORT + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return 0
