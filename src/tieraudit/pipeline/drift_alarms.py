"""The alarms of `monitor`: what changed from the audited window to the new one, beyond chance and worth acting on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tieraudit.evidence.drift import Change, dispersion, exact_limits, mean_ratio, share_change, volume_ratio
from tieraudit.pipeline.drift_window import ALL, DriftWindow, TaskCounts
from tieraudit.pipeline.watch_book import Watched

# All comparisons of one kind together raise a false alarm at most once in a hundred weeks.
ALPHA = 0.01
MIN_CALLS = 30
# Whole days: of the audited window so many that its scatter can be measured, of the new one more than chance.
MIN_DAYS_BEFORE = 4
MIN_DAYS_NOW = 2
# What is smaller than this is no reason to act, however sure it is.
COST_RATIO = 1.25
VOLUME_RATIOS = (0.8, 1.25)
ERROR_POINTS = 0.01
UNKNOWN_POINTS = 0.05
MODEL_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Alarm:
    """What changed, how that is known, and what to do. ``task`` is a task id, or ``*`` for all calls."""

    task: str
    name: str
    kind: str
    evidence: str
    action: str


@dataclass(frozen=True, slots=True)
class Both:
    """The tasks, the audited window and the new one."""

    tasks: Mapping[str, Watched]
    before: DriftWindow
    now: DriftWindow

    def counts(self, task: str) -> tuple[TaskCounts, TaskCounts]:
        """The task's counts then and now."""
        return self.before.counts(task), self.now.counts(task)

    @property
    def volumes_compare(self) -> bool:
        """True when both windows have days enough to compare calls a day."""
        return len(self.before.whole_days) >= MIN_DAYS_BEFORE and len(self.now.whole_days) >= MIN_DAYS_NOW

    def name(self, task: str) -> str:
        """The task's name as a person reads it."""
        return "all calls" if task == ALL else self.tasks[task].name


def find_alarms(both: Both) -> Iterator[Alarm]:
    """All alarms, by kind: volume, errors, cost, model, unknown."""
    yield from _volume(both)
    yield from _errors(both)
    yield from _costs(both)
    yield from _models(both)
    yield from _unknown(both)


def _volume(both: Both) -> Iterator[Alarm]:
    if not both.volumes_compare:
        return
    scatters = {task: found for task in (ALL, *both.tasks) if (found := dispersion(both.before.days(task)))}
    own = [scatters[task] for task in both.tasks if task in scatters]
    degrees = sum(each for _, each in own)
    # A task's few days say little of its scatter: it is taken to be at least that of all tasks together.
    pooled = sum(scatter * each for scatter, each in own) / max(1, degrees)
    for task, (scatter, alone) in scatters.items():
        least = 1 / min(both.before.share, both.now.share)
        change = volume_ratio(
            both.before.days(task),
            both.now.days(task),
            scatter=max(scatter, least) if task == ALL else max(scatter, pooled, least),
            degrees=alone if task == ALL else degrees,
            alpha=ALPHA / len(scatters),
        )
        low, high = VOLUME_RATIOS
        if change is None or change.low <= 1 <= change.high or low <= change.now / change.before <= high:
            continue
        more = change.now > change.before
        yield Alarm(
            task,
            both.name(task),
            "volume",
            f"{change.now:,.1f} calls a day, was {change.before:,.1f} on the same days of the week ({_times(change)})",
            "check that the tier's server can carry it" if more else "find out where the calls went; they save no more",
        )


def _errors(both: Both) -> Iterator[Alarm]:
    compared = _with_enough_calls(both)
    for task in compared:
        before, now = both.counts(task)
        change = share_change((before.failed, before.calls), (now.failed, now.calls), alpha=ALPHA / len(compared))
        if change.low > 0 and change.now - change.before >= ERROR_POINTS:
            moved = task != ALL and both.tasks[task].moved
            yield Alarm(
                task,
                both.name(task),
                "errors",
                f"{change.now:.1%} of {now.calls:,} calls failed, was {change.before:.1%} of {before.calls:,} "
                f"({_points(change)})",
                'look at the tier\'s server; "enabled": false in routes.json sends its calls back at once'
                if moved
                else "look at the provider's status and at the error messages in the log",
            )


def _costs(both: Both) -> Iterator[Alarm]:
    compared = [task for task in (ALL, *both.tasks) if min(each.priced for each in both.counts(task)) >= MIN_CALLS]
    for task in compared:
        before, now = both.counts(task)
        change = mean_ratio(before.cost, now.cost, alpha=ALPHA / len(compared))
        if change is not None and change.low > 1 and change.now > COST_RATIO * change.before:
            yield Alarm(
                task,
                both.name(task),
                "cost",
                f"${change.now:.6f} a call, was ${change.before:.6f} ({_times(change)}; {now.priced:,} priced calls)",
                "look for longer prompts, longer answers or a dearer model; then audit the new log",
            )


def _models(both: Both) -> Iterator[Alarm]:
    """Models that were not there, unless it is the tier that the task was moved to."""
    compared = [task for task in _with_enough_calls(both) if task != ALL]
    for task in compared:
        before, now = both.counts(task)
        strange = {
            model: count
            for model, count in now.models.most_common()
            if model not in before.models and not both.tasks[task].expects(model)
        }
        answered = now.models.total()
        if not strange or exact_limits(sum(strange.values()), answered, alpha=ALPHA / len(compared))[0] < MODEL_SHARE:
            continue
        names = ", ".join(f"{model} ({count:,})" for model, count in list(strange.items())[:3])
        yield Alarm(
            task,
            both.name(task),
            "model",
            f"{sum(strange.values()) / answered:.0%} of {answered:,} calls were answered by models that the audit "
            f"did not see here: {names}",
            "the evidence is about the models before: ingest this log, then run `tieraudit replay`",
        )


def _unknown(both: Both) -> Iterator[Alarm]:
    before, now = both.counts(ALL)
    change = share_change((both.before.unknown, before.calls), (both.now.unknown, now.calls), alpha=ALPHA)
    if change.low > 0 and change.now - change.before >= UNKNOWN_POINTS:
        yield Alarm(
            ALL,
            both.name(ALL),
            "unknown",
            f"{change.now:.1%} of {now.calls:,} calls belong to no known task, was {change.before:.1%} "
            f"({_points(change)})",
            "prompts changed or are new: ingest this log, then run `tieraudit classify` and `tieraudit replay`",
        )


def _with_enough_calls(both: Both) -> list[str]:
    return [task for task in (ALL, *both.tasks) if min(each.calls for each in both.counts(task)) >= MIN_CALLS]


def _times(change: Change) -> str:
    return f"{change.now / change.before:.2f} times; interval {change.low:.2f} to {change.high:.2f}"


def _points(change: Change) -> str:
    return f"{change.low * 100:+.1f} to {change.high * 100:+.1f} points"
