"""Look for what keeps the answers from being better, each with what to do."""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import console, plain, print_json


@click.command("doctor", help=__doc__)
@common
def command(session: Any, as_json: bool) -> None:
    answer = session.doctor()
    if as_json:
        print_json(answer)
        return
    from rich.text import Text

    out = console()
    out.print(f"secinbox {answer['version']}, home {plain(answer['home'])}")
    out.print(", ".join(f"{n} {name}" for name, n in answer["counts"].items()))
    for c in answer["checks"]:
        line = Text("ok   " if c["ok"] else "note ", style="green" if c["ok"] else "yellow")
        line.append(plain(f"{c['check']}: {c['text']}"))
        if c["hint"]:
            line.append(plain(f"\n     {c['hint']}"), style="dim")
        out.print(line)
