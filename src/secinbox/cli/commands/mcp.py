"""Serve assistants over standard input and output (Model Context Protocol), read-only by default."""

from __future__ import annotations

import click


@click.command("mcp", help=__doc__)
@click.option("--allow-changes", is_flag=True, help="Also tools that decide: mute, assign, status.")
@click.pass_context
def command(ctx: click.Context, allow_changes: bool) -> None:
    from secinbox.cli.opening import open_session

    try:
        from secinbox.mcp.server import server
    except ModuleNotFoundError as error:
        if error.name not in ("mcp", "pydantic"):
            raise
        raise click.UsageError("install secinbox[mcp] to serve assistants") from None
    with open_session(ctx) as session:
        server(session, allow_changes=allow_changes).run("stdio")
