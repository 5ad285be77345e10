"""The bar of long work, on stderr, when a person watches."""

from __future__ import annotations

from typing import Any

from secinbox.cli.printing import console, one_line


class Bar:
    """`with Bar("importing", quiet) as progress:` gives progress(what, done, total), or None."""

    def __init__(self, word: str, quiet: bool) -> None:
        self._word = word
        self._out = None if quiet else console(stderr=True)
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Any:
        if self._out is None or not self._out.is_terminal:
            return None
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            console=self._out, transient=True,
        )  # fmt: skip
        self._bar.start()
        self._task = self._bar.add_task(self._word, total=None)
        return lambda what, done, total: self._bar.update(
            self._task, completed=done, total=total, description=one_line(what, 50)
        )

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
