"""The entry point: global options, the list of commands, and the mapping of every error to its exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from tieraudit import __version__
from tieraudit.cli.context import DEFAULT_DB, Session
from tieraudit.cli.diagnostics import INTERRUPTED, Diagnostics, report_crash
from tieraudit.errors import TierauditError

EPILOG = (
    "Exit codes: 0 done, 1 alarm or failed check, 2 usage or config, 3 input, 4 backend, "
    "5 budget reached before a decision, 130 interrupted."
)
COMMANDS = {
    "ingest": "Read exported LLM call logs into the database.",
    "classify": "Find the recurring tasks in the calls; list, show, rename, merge, pin.",
    "replay": "Send a sample through cheaper models until the evidence decides.",
    "report": "Write what is proven, what that saves, and why the rest stays.",
    "export-config": "Write a routing config that a real router loads.",
    "monitor": "Compare next week's logs with the audited ones; exit 1 on an alarm.",
    "demo": "Run all of it on sample logs, offline, with a real small model.",
    "status": "Say what is in the database and what to run next.",
}
GLOBAL_FLAGS = ("--json", "--quiet", "-q")
GLOBAL_VALUES = ("--db", "--config")

# typer may carry a copy of click of its own, whose errors are not click's: take the class from what typer exports.
CommandLineError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tieraudit {__version__}")
        raise typer.Exit


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


def build(wanted: str | None) -> typer.Typer:
    """The command line with the command ``wanted`` in full and the others as one line of help.

    Loading all of them would load every library of every stage: seconds before the first word of help.
    """
    app = typer.Typer(
        name="tieraudit",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback(epilog=EPILOG)(tieraudit)
    for name, line in COMMANDS.items():
        app.command(name, short_help=line, epilog=EPILOG)(_load(name) if name == wanted else _listed)
    return app


def _load(name: str) -> Callable[..., None]:
    command: Callable[..., None] = import_module(f"tieraudit.cli.{name.replace('-', '_')}").command
    return command


def _listed() -> None:
    """A command that is listed but was not asked for."""


def command_in(arguments: list[str]) -> str | None:
    """The first word of a hoisted command line that is a command and not an option or its value."""
    pending = iter(arguments)
    for word in pending:
        if word in GLOBAL_VALUES:
            next(pending, None)
        elif not word.startswith("-"):
            return word
    return None


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
    words = hoist_globals(arguments)
    talk = Diagnostics()
    try:
        result = build(command_in(words))(words, standalone_mode=False, prog_name="tieraudit")
        # Typer makes an exit code of Ctrl-C.
        return _interrupted(talk) if result == INTERRUPTED else result if isinstance(result, int) else 0
    except TierauditError as error:
        return talk.error(error)
    except typer.Exit as stop:
        return int(stop.exit_code)
    except CommandLineError as error:
        error.show()
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(talk)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("TIERAUDIT_DEBUG"):
            raise
        return report_crash(error)


def _interrupted(talk: Diagnostics) -> int:
    talk.say("interrupted; what was done is stored, run the same command again to continue")
    return INTERRUPTED


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))
