"""The entry point: global options, the list of commands, and the mapping of every error to its exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import click
import typer

from tieraudit import __version__
from tieraudit.cli.context import DEFAULT_DB, Session
from tieraudit.cli.diagnostics import INTERRUPTED, Diagnostics, report_crash
from tieraudit.errors import TierauditError

EPILOG = (
    "Exit codes: 0 done, 1 alarm or failed check, 2 usage or config, 3 input, 4 backend, "
    "5 budget reached before a decision, 130 interrupted."
)
COMMANDS = ("ingest", "classify", "replay", "report", "export-config", "monitor", "demo", "status")
GLOBAL_FLAGS = ("--json", "--quiet", "-q")
GLOBAL_VALUES = ("--db", "--config")

app = typer.Typer(
    name="tieraudit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tieraudit {__version__}")
        raise typer.Exit


@app.callback(epilog=EPILOG)
def tieraudit(
    context: typer.Context,
    db: Annotated[Path, typer.Option("--db", help="The DuckDB file that holds everything.")] = DEFAULT_DB,
    config: Annotated[Path | None, typer.Option("--config", help="Default: ./tieraudit.toml if present.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No talk and no bars on stderr.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Prove which of your LLM calls a cheaper model can serve, what that saves, and what to deploy.

    The line: ingest -> classify -> replay -> report -> export-config; then monitor, each week.
    Every command reads and writes the same database, so each can be rerun alone; `tieraudit status` says what is next.
    The options below go before or after the command.
    """
    context.obj = Session(db, config, json, Diagnostics(quiet=quiet))


def _register() -> None:
    for name in COMMANDS:
        module = import_module(f"tieraudit.cli.{name.replace('-', '_')}")
        app.command(name, epilog=EPILOG)(module.command)


def hoist_globals(arguments: list[str]) -> list[str]:
    """Move the global options in front of the command, so that they work in either place."""
    front: list[str] = []
    rest: list[str] = []
    pending = iter(arguments)
    for word in pending:
        if word == "--":
            rest += [word, *pending]
        elif word in GLOBAL_FLAGS or word.startswith(tuple(f"{name}=" for name in GLOBAL_VALUES)):
            front.append(word)
        elif word in GLOBAL_VALUES:
            front += [word, *([value] if (value := next(pending, None)) is not None else [])]
        else:
            rest.append(word)
    return front + rest


def run(arguments: list[str]) -> int:  # noqa: PLR0911  one return per kind of ending
    """Run one command line; returns the exit code. Errors are printed on stderr."""
    _register_once()
    talk = Diagnostics()
    try:
        result = app(hoist_globals(arguments), standalone_mode=False, prog_name="tieraudit")
        return result if isinstance(result, int) else 0
    except TierauditError as error:
        return talk.error(error)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.exceptions.Abort):
        talk.say("interrupted; what was done is stored, run the same command again to continue")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("TIERAUDIT_DEBUG"):
            raise
        return report_crash(error)


def _register_once() -> None:
    if not app.registered_commands:
        _register()


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))
