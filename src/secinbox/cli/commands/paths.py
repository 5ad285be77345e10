"""Attack paths: how an attacker gets from outside to what matters most.

Without a subcommand: all of them, most serious first. `show ID` prints one with the evidence and
the remedies of each step.
"""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common, paged
from secinbox.cli.printing import SEVERITY_STYLE, console, note, one_line, plain, print_json


@click.group("paths", help=__doc__, invoke_without_command=True)
@click.option("--entry", default="", help="Only from entries with this in their name.")
@click.option("--target", default="", help="Only to targets with this in their name.")
@click.option("--through", default="", metavar="RESOURCE", help="Only through this resource.")
@click.option("--certain", is_flag=True, help="Only where every condition is known to hold.")
@paged
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout (see docs).")
@click.option("--as-of", metavar="TIME", help="Compute as of this date, time or age (7d).")
@click.pass_context
def command(ctx: click.Context, /, as_of: str | None, as_json: bool, **options: Any) -> None:
    if ctx.invoked_subcommand is not None:
        return
    from secinbox.cli.opening import open_session

    with open_session(ctx, as_of) as session:
        answer = session.paths(**options)
    if as_json:
        print_json(answer)
    else:
        _table(answer)


def _table(answer: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("severity", no_wrap=True)
    table.add_column("path", overflow="fold", ratio=1)
    table.add_column("steps", justify="right")
    table.add_column("id", no_wrap=True)
    for path in answer["paths"]:
        words = Text(one_line(path["title"]))
        if path["also_reaches"]:
            words.append(f" (and {len(path['also_reaches'])} more targets)", style="dim")
        table.add_row(
            Text(path["severity"], style=SEVERITY_STYLE[path["severity"]]), words,
            str(len(path["steps"])), path["id"].removeprefix("path:")[:8],
        )  # fmt: skip
    console().print(table)
    note(
        f"{len(answer['paths'])} of {answer['total']} attack paths."
        + (f" More: --cursor {answer['next']}" if answer["next"] else "")
    )


@command.command("show", help="One path, step by step.")
@click.argument("name")
@click.option(
    "--format", "form", type=click.Choice(["text", "dot", "mermaid", "svg"]), default="text",
    show_default=True, help="How to draw it.",
)  # fmt: skip
@common
def show(session: Any, name: str, form: str, as_json: bool) -> None:
    path = session.path(name)
    if as_json:
        print_json(path)
        return
    if form != "text":
        from secinbox.inbox.drawing import draw
        from secinbox.inbox.maps import of_path

        click.echo(draw(of_path(path), form))
        return
    from rich.padding import Padding
    from rich.text import Text

    out = console()
    head = Text(path["severity"].upper(), style=SEVERITY_STYLE[path["severity"]])
    head.append("  " + one_line(path["title"]), style="bold")
    out.print(head)
    sure = "every condition is known" if path["certain"] else "possible: something is not known"
    ways = f"{path['ways']} ways" if path["ways"] > 1 else "one way"
    out.print(Text(plain(f"{sure} · {ways} · target {path['target']} {path['why_target']}"),
                   style="dim"))  # fmt: skip
    for number, step in enumerate(path["steps"], 1):
        out.print()
        line = Text(f"{number:>2}. ", style="bold")
        line.append(plain(step["sentence"]))
        out.print(line)
        details = [f"unknown: {step['doubt']}"] if step["doubt"] else []
        details.append(f"{step['move']} · {', '.join(step['attack'])}")
        for evidence in step["evidence"][:3]:
            route = " → ".join(evidence["steps"])
            details.append(evidence["text"] + (f": {route}" if route else ""))
        details += [f"break it: {r['title']}" for r in step["remedies"][:2]]
        for detail in details:
            out.print(Padding(Text(plain(detail), style="dim"), (0, 0, 0, 6)))
    if path["also_reaches"]:
        out.print()
        out.print(Text("The same way also gives: " + ", ".join(
            plain(u) for u in path["also_reaches"][:10])))  # fmt: skip
