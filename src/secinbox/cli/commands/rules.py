"""List the inbox rules: what enters, in order, with their queries."""

from __future__ import annotations

import click

from secinbox.cli.printing import console, plain, print_json


@click.command("rules", help=__doc__)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    from secinbox import settings
    from secinbox.cli.opening import home_of
    from secinbox.inbox.rules import DEFAULT_RULES

    disabled = settings.load(home_of(ctx)).disabled_rules
    rows = [
        {"id": r.id, "name": r.name, "query": r.query, "action": r.action,
         "enabled": r.id not in disabled}
        for r in DEFAULT_RULES
    ]  # fmt: skip
    if as_json:
        print_json({"rules": rows})
        return
    out = console()
    for row in rows:
        out.print(f"{row['id']}{'' if row['enabled'] else '  (switched off)'}")
        out.print(f"    {plain(row['name'])}\n    {plain(row['query'])}", style="dim", markup=False)
