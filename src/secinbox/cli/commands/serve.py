"""Serve the web inbox and the API on this machine."""

from __future__ import annotations

import click

from secinbox.cli.printing import note


@click.command("serve", help=__doc__)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8390, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--public-url",
    default="",
    metavar="URL",
    help="How others reach it, beyond this machine; everybody has to sign in.",
)
@click.option("--as-of", metavar="TIME", help="Compute as of this date, time or age (7d).")
@click.pass_context
def command(ctx: click.Context, host: str, port: int, public_url: str, as_of: str | None) -> None:
    from secinbox.api.serving import serve
    from secinbox.cli.opening import home_of
    from secinbox.session import Session, parse_clock

    with Session(home_of(ctx), parse_clock(as_of) if as_of else None) as session:
        serve(
            session,
            host,
            port,
            lambda where: note(f"secinbox is at {where}"),
            public_url,
            deliver=not as_of,
        )
