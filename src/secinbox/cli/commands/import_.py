"""Import reports, inventories, signals and feeds: files, folders or standard input.

The format is found by content. Each file is stored whole or not at all.
"""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import console, note, one_line, print_json
from secinbox.cli.progress import Bar


@click.command("import", help=__doc__)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--resource", help="What was scanned, where reports do not say (uid).")
@click.option("--format", "format_", help="The format, where the content does not tell (an id).")
@click.option("--service", help="The service it belongs to, where reports do not say.")
@click.option("--cluster", help="Name of the Kubernetes cluster, where reports do not say.")
@click.option("--account", help="Cloud account, where reports do not say.")
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False),
    help="Mapping file (YAML) for a format of your own: JSON Lines or CSV.",
)
@common
def command(session: Any, paths: tuple[str, ...], as_json: bool, **named: str | None) -> None:
    options = {k.rstrip("_"): v for k, v in named.items() if v}
    with Bar("importing", as_json) as step:
        answer = session.import_reports(paths, options=options, progress=step)
    if as_json:
        print_json(answer)
    else:
        show(answer["files"])
    states = [f["status"] for f in answer["files"]]
    if "failed" in states:
        raise SystemExit(4 if "imported" in states else 1)
    if states and "imported" not in states:
        note("nothing here is in a format that secinbox knows (`secinbox formats` lists them)")
        raise SystemExit(1)


def show(files: list[dict[str, Any]]) -> None:
    """The table of what was imported; skipped files are counted, failed ones explained."""
    from rich.table import Table

    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("file", "format"):
        table.add_column(name, overflow="fold")
    for name in (
        "findings",
        "new",
        "fixed",
        "reopened",
        "unchanged",
        "resources",
        "signals",
        "other",
    ):
        table.add_column(name, justify="right")
    for f in files:
        if f["status"] != "imported":
            continue
        records, changes = f["records"], f["changes"]
        table.add_row(
            one_line(f["path"]), f["format"], *(str(n) if n else "·" for n in (
                records["findings"], changes["new"], changes["fixed"], changes["reopened"],
                changes["unchanged"], records["resources"], records["signals"],
                records["passed"] + records["exploits"])),
        )  # fmt: skip
    out.print(table)
    for f in files:
        left = f["skipped"] if f["status"] == "imported" else []
        for reason in dict.fromkeys(s["reason"] for s in left):
            same = [s for s in left if s["reason"] == reason]
            count = sum(s["count"] for s in same)
            note(f"  {one_line(f['path'])}: left out {count}: {reason} ({same[0]['place']})")
    skipped = [f for f in files if f["status"] == "skipped"]
    if skipped:
        note(f"{len(skipped)} files are in no known format:")
        for f in skipped[:10]:
            note(f"  {one_line(f['path'])}: {f['error']['message']}")
        if len(skipped) > 10:
            note(f"  ... and {len(skipped) - 10} more (--json lists them)")
    for f in files:
        if f["status"] == "failed":
            error = f["error"]
            note(
                f"FAILED {one_line(f['path'])}: {error['message']} at {error['place']}; "
                f"{error['hint']}"
            )
    done = [f for f in files if f["status"] == "imported"]
    total = sum(f["records"]["findings"] for f in done)
    note(f"{len(done)} files imported, {total} findings read; see `secinbox list`")
