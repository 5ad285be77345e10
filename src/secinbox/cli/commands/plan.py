"""The fix plan: the least work that cuts all certain attack paths, and what each step protects.

With --what-if the inbox is computed as if these were done; nothing is stored.
"""

from __future__ import annotations

from typing import Any

import click

from secinbox.cli.opening import common
from secinbox.cli.printing import SEVERITY_STYLE, console, note, one_line, plain, print_json


@click.command("plan", help=__doc__)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Rows.")
@click.option(
    "--what-if", "fixes", multiple=True, metavar="fix:ID",
    help="As if this issue (or action of the plan) were done; repeatable.",
)  # fmt: skip
@common
def command(session: Any, limit: int, fixes: tuple[str, ...], as_json: bool) -> None:
    answer = session.what_if(list(fixes), limit=limit) if fixes else session.plan(limit=limit)
    if as_json:
        print_json(answer)
    elif fixes:
        _supposed(answer)
    else:
        _table(answer)


def _table(answer: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("action", overflow="fold", ratio=1)
    for name in ("cuts", "protects", "paths closed", "issue"):
        table.add_column(name, justify="right", no_wrap=True)
    for number, action in enumerate(answer["actions"], 1):
        words = Text(one_line(action["title"], 300))
        if action["in_smallest_cut"]:
            words.stylize("bold")
        table.add_row(
            str(number), words, str(action["paths_cut"]), str(action["targets_protected"]),
            f"{action['cumulative_share']:.0%}", (action["issue"] or "·")[:8],
        )  # fmt: skip
    console().print(table)
    bound = answer["bound"]
    if bound is None:
        note("No attack paths: nothing to plan.")
        return
    exact = (
        "this is the least effort"
        if bound["exact"]
        else f"no plan with less effort than {bound['least_effort']} can do it"
    )
    note(
        f"{answer['certain_paths']} certain of {answer['paths']} paths to {answer['targets']} "
        f"targets. The bold actions cut all certain ones (effort {bound['effort']}; {exact})."
    )
    for text in bound["not_cut"][:5]:
        note(f"No known action cuts {text}.")


def _supposed(answer: dict[str, Any]) -> None:
    from rich.text import Text

    out = console()
    for done in answer["done"]:
        out.print(Text("if done: " + plain(done["title"]), style="bold"))
    paths = answer["paths"]
    out.print(Text(f"attack paths: {paths['before']} now, {paths['after']} then"))
    for path in answer["gone"][:20]:
        out.print(Text("  gone: " + plain(path["title"]), style="green"))
    for path in answer["instead"][:20]:
        out.print(Text("  then on its own: " + plain(path["title"])))
    out.print(Text("the inbox would begin with:", style="bold"))
    for issue in answer["issues"]:
        line = Text(f"{issue['rank']:>4} ")
        line.append(f"{issue['severity']:<9}", style=SEVERITY_STYLE[issue["severity"]])
        line.append(one_line(issue["title"]))
        out.print(line)
