"""monitor: next week's log against the audited one; alarms where the promise may no longer hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import pyarrow as pa

from tieraudit.config import Config
from tieraudit.errors import InputError, UsageError
from tieraudit.pipeline.drift_alarms import Alarm, Both, find_alarms
from tieraudit.pipeline.drift_window import ALL, DriftWindow, TaskCounts, count_calls, span
from tieraudit.pipeline.watch_book import WatchBook, watch_book
from tieraudit.progress import Progress, Silent
from tieraudit.store import Store

CHECKS = pa.schema(
    [
        ("checked_at", pa.timestamp("us", tz="UTC")),
        ("audit_id", pa.string()),
        ("status", pa.string()),
        ("window_from", pa.timestamp("us", tz="UTC")),
        ("window_to", pa.timestamp("us", tz="UTC")),
        ("alarms", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Watch:
    """One task in both windows. ``on_tier`` is the share of its answered calls that its tier served, where it moved."""

    task: str
    name: str
    tier: str | None
    calls_a_day_before: float
    calls_a_day: float
    cost_usd_before: float | None
    cost_usd: float | None
    failed_before: float
    failed: float
    on_tier: float | None

    @property
    def seen(self) -> bool:
        """True when a call of the task was recognised in either window."""
        return self.calls_a_day_before > 0 or self.calls_a_day > 0


@dataclass(frozen=True, slots=True)
class MonitorResult:
    """The verdict on the new window, with everything that was compared."""

    status: str
    audit_id: str | None
    window_from: datetime
    window_to: datetime
    calls: int
    known_calls: int
    alarms: tuple[Alarm, ...]
    tasks: tuple[Watch, ...]
    notes: tuple[str, ...]


def monitor(store: Store, week: Store, config: Config, *, progress: Progress | None = None) -> MonitorResult:
    """Compare the calls of ``week`` with those of ``store``, task by task, and add a row to ``store``'s `checks`.

    ``week`` is a store of its own, so that watching never changes what was audited; calls that both hold are left
    out of it. Tasks are recognised in both windows by the rules that a router uses. Raises `UsageError` when ``store``
    has no calls or no tasks, and `InputError` when ``week`` has no new call.
    """
    progress = progress or Silent()
    book = watch_book(store, config)
    before, now = span(store), span(week)
    if before is None or not book.tasks:
        raise UsageError(
            "there are no tasks to watch yet", hint="`tieraudit ingest` and `tieraudit classify` the audited log first"
        )
    known = _known(store, week)
    if now is None or len(known) == now.calls:
        held = f"all {len(known)} calls are in the database already" if known else "there are no chat calls in it"
        raise InputError(f"nothing new to watch: {held}", hint="give the log of the time after the audit")
    for label, window, source in (("reading the audited log", before, store), ("reading the new log", now, week)):
        progress.start(label)
        count_calls(window, source, book.routes, book.task_of, known if window is now else (), progress)
    result = _result(book, Both(book.tasks, before, now), len(known))
    store.insert("checks", pa.Table.from_pylist([_row(result)], schema=CHECKS))
    return result


def _known(store: Store, week: Store) -> set[str]:
    known: set[str] = set()
    for batch in week.batches("monitor_ids"):
        known.update(row[0] for row in store.execute_with("monitor_known", pa.Table.from_batches([batch])))
    return known


def _result(book: WatchBook, both: Both, known: int) -> MonitorResult:
    alarms = tuple(find_alarms(both))
    return MonitorResult(
        status="alarm" if alarms else "ok",
        audit_id=book.audit_id,
        window_from=both.now.first_call,
        window_to=both.now.last_call,
        calls=both.now.calls - known,
        known_calls=known,
        alarms=alarms,
        tasks=tuple(_watch(both, task) for task in (ALL, *both.tasks)),
        notes=tuple(_notes(both)),
    )


def _watch(both: Both, task: str) -> Watch:
    before, now = both.counts(task)
    watched = both.tasks.get(task)
    moved = watched is not None and watched.moved and now.models.total() > 0
    served = sum(count for model, count in now.models.items() if watched is not None and watched.is_tier(model))
    return Watch(
        task=task,
        name=both.name(task),
        tier=watched.tier if watched is not None and watched.moved else None,
        calls_a_day_before=_a_day(both.before, before),
        calls_a_day=_a_day(both.now, now),
        cost_usd_before=before.cost.mean if before.priced else None,
        cost_usd=now.cost.mean if now.priced else None,
        failed_before=before.failed / max(1, before.calls),
        failed=now.failed / max(1, now.calls),
        on_tier=served / now.models.total() if moved else None,
    )


def _a_day(window: DriftWindow, counts: TaskCounts) -> float:
    seconds = (window.last_call - window.first_call).total_seconds()
    return counts.calls / window.share / max(1.0, seconds / 86_400)


def _notes(both: Both) -> Iterator[str]:
    silent = [watched.name for task, watched in both.tasks.items() if not any(each.calls for each in both.counts(task))]
    if silent:
        yield f"{len(silent)} tasks have no rule that knows their calls, which count as unknown: {', '.join(silent)}"
    if not both.volumes_compare:
        days = f"{len(both.before.whole_days)} and {len(both.now.whole_days)} whole days"
        yield f"volumes were not compared: the audited and the new log have {days}, which is too few"
    for label, window in (("audited", both.before), ("new", both.now)):
        if window.share < 1:
            yield f"of the {label} log {window.share:.1%} of the calls were looked at, chosen by their ids"


def _row(result: MonitorResult) -> dict[str, object]:
    return {
        "checked_at": datetime.now(UTC),
        "audit_id": result.audit_id,
        "status": result.status,
        "window_from": result.window_from,
        "window_to": result.window_to,
        "alarms": json.dumps([asdict(alarm) for alarm in result.alarms]),
    }
