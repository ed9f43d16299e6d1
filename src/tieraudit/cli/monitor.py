"""`tieraudit monitor`: next week's log against the audited one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tieraudit.cli.context import session
from tieraudit.cli.output import print_json, print_table, print_text
from tieraudit.errors import CheckFailed
from tieraudit.pipeline.ingest import ingest
from tieraudit.pipeline.monitor import MonitorResult, Watch, monitor
from tieraudit.store import Store


def command(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="The new log: files or folders, any format.")],
) -> None:
    """Compare a new log with the audited one, and raise an alarm where the promise may no longer hold.

    For each task, and for all calls together: calls a day, failed calls, cost per call, the models that answer, and
    the share of calls that belong to no known task. A difference is an alarm when it is larger than chance explains
    (all comparisons of a kind together at 99 %) and large enough to act on. Calls that the database holds already
    are left out. Only the outcome is stored; the new calls are not added to the database.

    Exit 1 on an alarm, so that a scheduled job fails loudly.

    Example: tieraudit monitor logs/week-47/ --json

    Next, on an alarm: what it says. After a change of prompts or models: ingest the new log and audit again.
    """
    current = session(context)
    config = current.config()
    with (
        current.store() as store,
        TemporaryDirectory(prefix="tieraudit-") as folder,
        Store(Path(folder) / "week.duckdb") as week,
        current.diagnostics as diagnostics,
    ):
        receipt = ingest(week, paths, progress=diagnostics)
        result = monitor(store, week, config, progress=diagnostics)
    if current.json:
        print_json({**asdict(result), "rows_quarantined": receipt.rows_quarantined})
    else:
        _print(result)
        if receipt.rows_quarantined:
            print_text(f"note: {receipt.rows_quarantined:,} rows of {receipt.rows_read:,} could not be read")
    if receipt.failed:
        raise receipt.failed[0]
    if result.alarms:
        kinds = ", ".join(sorted({alarm.kind for alarm in result.alarms}))
        raise CheckFailed(f"{len(result.alarms)} alarms: {kinds}", hint="each alarm above says what to do")


def _print(result: MonitorResult) -> None:
    window = f"{result.window_from:%Y-%m-%d %H:%M} to {result.window_to:%Y-%m-%d %H:%M} UTC"
    known = f", {result.known_calls:,} more are in the database already" if result.known_calls else ""
    print_text(f"{result.calls:,} calls from {window}{known}")
    columns = ("task", "calls/day", "was", "$/call", "was", "failed", "was", "on its tier")
    print_table(columns, [_line(watch) for watch in result.tasks if watch.seen], right=columns[1:])
    for note in result.notes:
        print_text(f"note: {note}")
    for alarm in result.alarms:
        print_text(f"ALARM {alarm.kind}, {alarm.name}: {alarm.evidence}\n      {alarm.action}")
    if not result.alarms:
        print_text("ok: nothing changed beyond chance")


def _line(watch: Watch) -> list[str]:
    return [
        watch.name,
        f"{watch.calls_a_day:,.1f}",
        f"{watch.calls_a_day_before:,.1f}",
        _usd(watch.cost_usd),
        _usd(watch.cost_usd_before),
        f"{watch.failed:.1%}",
        f"{watch.failed_before:.1%}",
        "" if watch.on_tier is None else f"{watch.on_tier:.0%} {watch.tier}",
    ]


def _usd(amount: float | None) -> str:
    return "?" if amount is None else f"{amount:.3g}"
