"""The command line. Every file of `commands` is a command; only the one that runs is imported."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from secinbox import __version__

_FOLDER = Path(__file__).parent / "commands"

EXIT_CODES = {
    0: "all done",
    1: "an error; nothing was changed by this command",
    2: "the command line is wrong",
    3: "what was asked for does not exist",
    4: "partly done: some files or issues were done, some were not",
    5: "the gate is closed: issues match",
    130: "stopped with Ctrl-C",
}


class _Lazy(click.Group):
    """Commands are found by file name; their short help is read without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(
            p.stem.rstrip("_") for p in _FOLDER.glob("*.py") if not p.name.startswith("_")
        )

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        import importlib
        import keyword

        stem = name + "_" if keyword.iskeyword(name) or (_FOLDER / f"{name}_.py").exists() else name
        module = importlib.import_module(f"secinbox.cli.commands.{stem}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for name in self.list_commands(ctx):
            path = _FOLDER / f"{name}_.py"
            text = (path if path.exists() else _FOLDER / f"{name}.py").read_text("utf-8")
            found = re.match(r'"""(.+?)(\n|""")', text)
            rows.append((name, found.group(1).rstrip(".") if found else ""))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            import difflib

            near = difflib.get_close_matches(name, self.list_commands(ctx), 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: "
    + "; ".join(f"{code} {text}" for code, text in EXIT_CODES.items())
    + ". Data goes to stdout, talk to stderr.",
)
@click.version_option(__version__, prog_name="secinbox")
@click.option(
    "--home",
    metavar="DIR",
    help="Where everything is kept. [SECINBOX_HOME; default: the user's data folder]",
)
@click.option(
    "--url", metavar="URL", help="Work against this server instead of a home. [SECINBOX_URL]"
)
@click.option("--token", metavar="TOKEN", help="API token for --url. [SECINBOX_TOKEN]")
@click.pass_context
def secinbox(ctx: click.Context, home: str | None, url: str | None, token: str | None) -> None:
    """One ranked, explained list of what to fix next, from every scanner you have."""
    ctx.obj = {"home": home, "url": url, "token": token}


def main() -> None:
    """The program. Turns every expected failure into one line and an exit code."""
    try:
        secinbox.main(standalone_mode=False, prog_name="secinbox")
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output went away (`secinbox list | head`): that is not an error.
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        from secinbox.cli.failing import explain

        sys.exit(explain(error))
