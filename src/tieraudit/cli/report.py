"""`tieraudit report`: what is saved, how sure that is, and why, for people and for machines."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from tieraudit.cli.context import session
from tieraudit.cli.output import print_bytes
from tieraudit.errors import UsageError
from tieraudit.pipeline.assign import assign
from tieraudit.pipeline.report import build_report, latest_audit
from tieraudit.render import RENDERERS, Renderer
from tieraudit.render.report import Report
from tieraudit.render.terminal import TerminalRenderer

FORMATS = "terminal,html,xlsx,md,json"


def command(
    context: typer.Context,
    formats: Annotated[
        str, typer.Option("--format", metavar="LIST", help=f"Comma-separated, of: {FORMATS}.")
    ] = "terminal",
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; made when absent.")] = Path("reports"),
) -> None:
    """Report what the latest audit found: the savings with their interval, and each task with its evidence.

    Reads the database and the prices and pins in tieraudit.toml. Replays nothing and costs nothing: after a new price
    or pin run it again. The terminal report goes to stdout; each other format is a file report.FORMAT in OUT. The
    HTML page is one file without scripts or requests, and in the workbook the totals are formulas over the tasks.
    The same database and configuration give the same bytes.

    With --json the JSON report goes to stdout.

    Next: tieraudit export-config --router litellm

    Example: tieraudit report --format html,xlsx --out reports
    """
    shared = session(context)
    renderers = [RENDERERS.get(name) for name in _names(formats)]
    config = shared.config()
    with shared.diagnostics as progress, shared.store() as store:
        audit_id = latest_audit(store)
        assign(store, config, audit_id)
        made = build_report(store, config, audit_id)
    for path in write_files(made, renderers, out):
        progress.say(f"wrote {path}")
    if shared.json:
        print_bytes(RENDERERS.get("json").render(made))
    elif any(renderer.file_name is None for renderer in renderers):
        print_bytes(_terminal().render(made))


def write_files(report: Report, renderers: list[Renderer], out: Path) -> list[Path]:
    """Write the file of each renderer that has one into ``out``; raises `UsageError` when that is impossible."""
    written = []
    for renderer in renderers:
        if renderer.file_name is None:
            continue
        path = out / renderer.file_name
        try:
            out.mkdir(parents=True, exist_ok=True)
            path.write_bytes(renderer.render(report))
        except OSError as error:
            raise UsageError(
                f"{path}: cannot be written ({error.strerror})", hint="name another folder with --out"
            ) from error
        written.append(path)
    return written


def _names(formats: str) -> list[str]:
    names = [name.strip().lower() for name in formats.split(",") if name.strip()]
    if not names:
        raise UsageError("--format names no format", hint=f"known: {FORMATS}")
    return list(dict.fromkeys(names))


def _terminal() -> TerminalRenderer:
    """Colour only for a person who looks and has not set NO_COLOR; never wider than the window."""
    looks = sys.stdout.isatty()
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return TerminalRenderer(colour=looks and not plain, width=shutil.get_terminal_size().columns if looks else 100)
