"""What a window of the log shows of each task, counted as the exported routes would recognise it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.evidence.drift import Days, Moments
from tieraudit.progress import Progress
from tieraudit.routers.runtime.tieraudit_route import Routes, look
from tieraudit.store import Store

ALL = "*"
MOST_CALLS = 40_000
# 1970-01-01, day 0, was a Thursday.
THURSDAY = 3


@dataclass(slots=True)
class TaskCounts:
    """The sampled calls of one task: a day, failed, priced, and by the model that answered."""

    calls: int = 0
    failed: int = 0
    priced: int = 0
    cost_usd: float = 0.0
    cost_squares: float = 0.0
    daily: Counter[int] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row of `monitor_calls`. A failed call has neither a cost nor a model that answered."""
        self.calls += 1
        self.daily[row["day"]] += 1
        if row["failed"]:
            self.failed += 1
            return
        if row["model"]:
            self.models[row["model"]] += 1
        if row["cost_usd"] is not None:
            self.priced += 1
            self.cost_usd += row["cost_usd"]
            self.cost_squares += row["cost_usd"] ** 2

    @property
    def cost(self) -> Moments:
        """The cost of an answered, priced call."""
        return Moments.of(self.priced, self.cost_usd, self.cost_squares)


@dataclass(slots=True)
class DriftWindow:
    """A window of the log: ``share`` of its calls, by task; ``ALL`` is every call, recognised or not."""

    first_call: datetime
    last_call: datetime
    calls: int
    share: float
    tasks: dict[str, TaskCounts] = field(default_factory=lambda: defaultdict(TaskCounts))
    unknown: int = 0

    @property
    def whole_days(self) -> range:
        """The days between the first and the last one, which the log may hold only in part."""
        return range(_day(self.first_call) + 1, _day(self.last_call))

    def counts(self, task: str) -> TaskCounts:
        """What is counted of a task."""
        return self.tasks.get(task, TaskCounts())

    def days(self, task: str) -> Days:
        """The task's calls on each whole day, scaled up from the share that was counted."""
        daily = self.counts(task).daily
        weekdays = [(day + THURSDAY) % 7 for day in self.whole_days]
        return Days(weekdays, [daily[day] / self.share for day in self.whole_days])


def span(store: Store) -> DriftWindow | None:
    """The window of all calls of a store, not counted yet; None when it has none."""
    row = store.one("monitor_span")
    if not row["calls"]:
        return None
    return DriftWindow(row["first_call"].replace(tzinfo=UTC), row["last_call"].replace(tzinfo=UTC), row["calls"], 1.0)


def count_calls(
    window: DriftWindow,
    store: Store,
    routes: Routes,
    task_of: Mapping[str, str],
    skip: Collection[str],
    watch: Progress,
) -> None:
    """Count a share of the store's calls, without those in ``skip``, under the task that recognises them.

    At most `MOST_CALLS` or so are counted; with ``skip`` the window begins and ends with the calls that are left.
    """
    window.share = min(1.0, MOST_CALLS / window.calls)
    moments: list[float] = []
    for batch in store.batches("monitor_calls", size=2_000, share=window.share):
        for row in batch.to_pylist():
            if row["call_id"] in skip:
                continue
            moments.append(row["started_at"])
            rule = routes.recognise(look(_request(row)))
            window.tasks[ALL].add(row)
            if rule is None:
                window.unknown += 1
            else:
                window.tasks[task_of[rule.route["id"]]].add(row)
        watch.advance(batch.num_rows)
    if skip and moments:
        window.first_call = datetime.fromtimestamp(min(moments), UTC)
        window.last_call = datetime.fromtimestamp(max(moments), UTC)


def _request(row: Mapping[str, Any]) -> JsonObject:
    """A logged call as a router sees it; the name that a tracer gave the call counts as a tag here."""
    request: JsonObject = json.loads(row["request"]) if row["request"] else {}
    return {**request, "tags": [*row["tags"], *([row["task_hint"]] if row["task_hint"] else [])]}


def _day(moment: datetime) -> int:
    return (moment.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days
