"""Terminal output: text of reports is hostile, so control characters never reach the terminal."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

# C0 and C1 controls (escape sequences begin with them) and the marks that reorder text.
_HOSTILE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
SEVERITY_STYLE = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "info": "dim",
    "unknown": "dim",
}
_RISK_LETTERS = (
    ("public_accessibility", "Public"),
    ("privileged_access", "Privileged"),
    ("under_attack", "Attacked"),
    ("exploit_available", "Exploit"),
    ("in_production", "Prod"),
)


def plain(text: object) -> str:
    """Any text of a report, harmless on a terminal: controls become a visible mark."""
    return _HOSTILE.sub("�", str(text)).replace("\t", " ")


def one_line(text: object, width: int = 0) -> str:
    """Plain text on one line, cut with an ellipsis."""
    line = " ".join(plain(text).split())
    return line if not width or len(line) <= width else line[: width - 1] + "…"


def print_json(value: Any) -> None:
    """JSON on stdout; ASCII only, so that no terminal and no pipe misreads it."""
    sys.stdout.write(json.dumps(value, indent=2 if sys.stdout.isatty() else None) + "\n")


def console(*, stderr: bool = False) -> Console:
    """A console that honours NO_COLOR and, without a terminal, COLUMNS."""
    from rich.console import Console

    width = None if (sys.stderr if stderr else sys.stdout).isatty() else _columns()
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def _columns() -> int:
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdigit() and int(columns) >= 40 else 120


def risk_words(risks: dict[str, str]) -> str:
    """`Public Exploit Prod ?Attacked`: yes as a word, unknown with a question mark, no as nothing."""
    words = [label for name, label in _RISK_LETTERS if risks[name] == "yes"]
    words += ["?" + label for name, label in _RISK_LETTERS if risks[name] == "unknown"]
    return " ".join(words)


def note(text: str) -> None:
    """Talk, on stderr."""
    click.echo(plain(text), err=True)
