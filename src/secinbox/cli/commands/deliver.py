"""Send tickets and notifications that rules ask for; preview them."""

from __future__ import annotations

import sys
from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import note, one_line, print_json


@click.command("deliver", help=__doc__)
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send nothing.")
@click.option("--now", "hurry", is_flag=True, help="Try again what waits for a later time.")
@common
def command(session: Any, dry_run: bool, hurry: bool, as_json: bool) -> None:
    told = session.delivery.preview() if dry_run else session.delivery.send(hurry=hurry)
    if as_json:
        print_json(told)
    elif dry_run:
        for entry in told["entries"] + told["waiting"]:
            where = entry["connection"] or "webhook"
            state = f" ({entry['error']})" if entry.get("error") else ""
            click.echo(one_line(f"{entry['kind']} to {where}: {entry['title'] or entry['subject']}"
                                f"{' -> ' + entry['status'] if entry.get('status') else ''}{state}", 200))  # fmt: skip
        for rule, count in told["delayed"].items():
            note(f"rule {rule}: {count} wait for another day (daily_limit)")
        note(f"{len(told['entries'])} new, {len(told['waiting'])} waiting")
    else:
        if told["cases"]:
            note(f"{told['cases']} cases opened or filled here")
        note(f"{told['sent']} sent, {told['failed']} failed and wait, {told['delayed']} delayed, "
             f"{told['changed']} changed there")  # fmt: skip
    if not as_json:
        for fault in told["faults"]:
            note(one_line(fault, 300))
    if not dry_run and told["failed"]:
        sys.exit(4)
