"""What a failure looks like to a person: one line that says what and what next."""

from __future__ import annotations

import os
import traceback

import click

from secinbox.cli.printing import plain


def explain(error: Exception) -> int:
    """Prints the error and returns the exit code."""
    from secinbox.decisions.rule import RuleMissing
    from secinbox.decisions.states import Conflict, DecisionError
    from secinbox.facts.store import StoreError
    from secinbox.inbox.answers import NotFound
    from secinbox.inbox.query import QueryError
    from secinbox.reading import ReportError
    from secinbox.remote import RemoteError
    from secinbox.settings import SettingsError

    if os.environ.get("SECINBOX_DEBUG"):
        traceback.print_exception(error)
    if isinstance(error, (NotFound, RuleMissing)):
        click.echo(f"secinbox: {plain(str(error))}", err=True)
        return 3
    if isinstance(error, ReportError):
        place = f" at {error.place}" if error.place else ""
        hint = f"; {error.hint}" if error.hint else ""
        click.echo(f"secinbox: {plain(error.message + place + hint)}", err=True)
        return 1
    if isinstance(error, Conflict):
        changed = "; ".join(
            f"{e['time']} {e['actor']}: {e['action']} {e['text']}".strip() for e in error.changes
        )
        click.echo(f"secinbox: {plain(str(error))}\n{plain(changed)}", err=True)
        return 1
    if isinstance(error, (QueryError, DecisionError)):
        click.echo(f"secinbox: {plain(str(error))}", err=True)
        return 2
    if isinstance(error, (StoreError, SettingsError, RemoteError, OSError)):
        click.echo(f"secinbox: {plain(str(error))}", err=True)
        return 1
    click.echo(
        f"secinbox: unexpected {type(error).__name__}: {plain(str(error))[:500]}\n"
        "This is a fault of secinbox. Run it again with SECINBOX_DEBUG=1 and report what it says.",
        err=True,
    )
    return 1
