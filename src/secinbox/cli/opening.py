"""Which session a command works with: a server by URL, the server of the home, or the home."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click


def home_of(ctx: click.Context) -> Path:
    """The home that the user named, or the default one."""
    from secinbox.session import default_home

    named = (ctx.find_root().obj or {}).get("home")
    return Path(named) if named else default_home()


def open_session(ctx: click.Context, as_of: str | None = None) -> Any:
    """A Session, or a RemoteSession with the same verbs."""
    options = ctx.find_root().obj or {}
    url = options.get("url") or os.environ.get("SECINBOX_URL")
    if url:
        from secinbox.remote import RemoteSession

        token = options.get("token") or os.environ.get("SECINBOX_TOKEN", "")
        return RemoteSession(url, token)
    home = home_of(ctx)
    if (home / "server.json").exists():
        from secinbox.remote import server_of

        remote = server_of(home)
        if remote is not None:
            if as_of:
                raise click.UsageError("--as-of does not work while a server runs on this home")
            return remote
    from secinbox.session import Session, parse_clock

    try:
        clock = parse_clock(as_of) if as_of else None
    except ValueError:
        raise click.UsageError(f"--as-of: not a date, time or age: {as_of}") from None
    return Session(home, clock)


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --json and --as-of, and gives the command an open session as its first argument."""

    @click.option("--json", "as_json", is_flag=True, help="JSON on stdout (see docs).")
    @click.option("--as-of", metavar="TIME", help="Compute as of this date, time or age (7d).")
    @click.pass_context
    def wrapped(ctx: click.Context, /, *args: Any, as_of: str | None, **kwargs: Any) -> Any:
        with open_session(ctx, as_of) as session:
            return function(session, *args, **kwargs)

    return update_wrapper(wrapped, function)


def paged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --limit and --cursor."""
    function = click.option("--cursor", default="", help="Continue after this cursor.")(function)
    return click.option(
        "--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="Rows."
    )(function)
