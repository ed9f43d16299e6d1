"""The tasks as a person reads and edits them: list, show, rename, merge, pin, compare, hand over."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from tieraudit.config import Config
from tieraudit.domain import Recogniser, Task, TaskType
from tieraudit.errors import InputError, UsageError
from tieraudit.store import Store
from tieraudit.tasks.agreement import Agreement, agreement
from tieraudit.tasks.view import view

EXAMPLES = 3
SURE = 0.99
FULL = 0.95
ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True, slots=True)
class TaskPin:
    """A tier that a person fixed for a task, and why."""

    tier: str
    reason: str


@dataclass(frozen=True, slots=True)
class Classification:
    """The tasks of a log, the most expensive first and the tail last. ``spend_usd`` is of all calls, priced or not."""

    calls: int
    tail_calls: int
    spend_usd: Decimal
    tasks: tuple[Task, ...]
    pins: Mapping[str, TaskPin]

    def share_of_spend(self, task: Task) -> float:
        """The task's share of the spend of all calls, in [0, 1]; 0 where nothing is priced."""
        return float((task.spend_usd or Decimal(0)) / self.spend_usd) if self.spend_usd else 0.0


def best_recogniser(task: Task) -> Recogniser:
    """The strongest rule that hardly ever errs and hardly ever misses, else the one that knows the most calls."""
    for rule in task.recognisers:
        if (rule.precision or 0) >= SURE and (rule.recall or 0) >= FULL:
            return rule
    return max(task.recognisers, key=lambda rule: rule.recall or 0, default=Recogniser("none"))


@dataclass(frozen=True, slots=True)
class Example:
    """One real call of a task: the last user turn and the logged answer."""

    source_id: str | None
    asked: str
    answered: str


@dataclass(frozen=True, slots=True)
class TaskSheet:
    """One task in full. ``numbers`` are medians and 95 % quantiles of tokens and latency, errors and calls."""

    task: Task
    template: str
    pin: TaskPin | None
    numbers: dict[str, Any]
    examples: tuple[Example, ...]


def read_tasks(store: Store) -> Classification:
    """The tasks as they stand; raises `UsageError` when the log has not been classified."""
    rows = store.rows("classify_tasks")
    if not rows:
        raise UsageError("no tasks yet", hint="run `tieraudit classify` first")
    tasks = tuple(_task(row) for row in rows)
    return Classification(
        calls=sum(task.calls for task in tasks),
        tail_calls=sum(task.calls for task in tasks if task.is_tail),
        spend_usd=rows[0]["spend_of_all"],
        tasks=tasks,
        pins={row["task_id"]: TaskPin(row["pin_tier"], row["pin_reason"]) for row in rows if row["pin_tier"]},
    )


def find_task(store: Store, wanted: str) -> Task:
    """The task with this id or name, whatever its case; raises `UsageError` with the closest names."""
    tasks = read_tasks(store).tasks
    for task in tasks:
        if wanted == task.task_id or wanted.casefold() == task.name.casefold():
            return task
    names = {name.casefold(): name for task in tasks for name in (task.name, task.task_id)}
    close = [f"'{names[name]}'" for name in get_close_matches(wanted.casefold(), names, n=3, cutoff=0.4)]
    hint = f"did you mean {' or '.join(close)}?" if close else "`tieraudit classify --list` shows all tasks"
    raise UsageError(f"there is no task '{wanted}'", hint=hint)


def show_task(store: Store, wanted: str) -> TaskSheet:
    """Everything about one task; raises `UsageError` when it is unknown."""
    task = find_task(store, wanted)
    row = next(row for row in store.rows("classify_tasks") if row["task_id"] == task.task_id)
    return TaskSheet(
        task=task,
        template=row["template"],
        pin=TaskPin(row["pin_tier"], row["pin_reason"]) if row["pin_tier"] else None,
        numbers=store.one("classify_numbers", task_id=task.task_id),
        examples=tuple(_example(row) for row in store.rows("classify_examples", task_id=task.task_id, count=EXAMPLES)),
    )


def rename_task(store: Store, wanted: str, name: str) -> Task:
    """Give a task a name that stays; raises `UsageError` when the task is unknown or the name is empty or taken."""
    task = find_task(store, wanted)
    name = " ".join(name.split())
    if not name:
        raise UsageError("a task's name cannot be empty", hint="tieraudit classify --rename TASK NAME")
    for other in read_tasks(store).tasks:
        if other.task_id != task.task_id and name.casefold() in (other.name.casefold(), other.task_id.casefold()):
            raise UsageError(f"another task is called '{name}' ({other.task_id})", hint="choose another name")
    with store.transaction():
        store.execute("classify_rename", task_id=task.task_id, name=name)
        store.execute("classify_rename_task", task_id=task.task_id, name=name)
    return find_task(store, task.task_id)


def merge_tasks(store: Store, wanted: str, into: str) -> tuple[Task, Task]:
    """Note that ``wanted`` is part of ``into``; the next `classify` joins them. Raises `UsageError`."""
    one, other = find_task(store, wanted), find_task(store, into)
    if one.task_id == other.task_id:
        raise UsageError(f"'{wanted}' and '{into}' are the same task", hint="name two tasks")
    if one.is_tail or other.is_tail:
        raise UsageError("the tail is what belongs to no task; it cannot be merged", hint="merge two tasks")
    store.execute("classify_merge", task_id=one.task_id, merged_into=other.task_id)
    return one, other


def pin_task(store: Store, config: Config, wanted: str, tier: str, reason: str) -> Task:
    """Fix a task's tier whatever the evidence; raises `UsageError` when the task or the tier is unknown."""
    task = find_task(store, wanted)
    store.execute("classify_pin", task_id=task.task_id, pin_tier=config.tier(tier).name, pin_reason=reason)
    return task


def compare_with_labels(store: Store, path: Path) -> tuple[Agreement, int]:
    """How far the tasks agree with a CSV of ``source_id,task``; also how many of its calls are not in the log.

    Raises `InputError` when the file cannot be read, has not these columns or knows none of the calls.
    """
    known = _read_labels(path)
    rows = store.rows("classify_assignments")
    pairs = [(known[row["source_id"]], row["task_id"]) for row in rows if row["source_id"] in known]
    if not pairs:
        raise InputError(f"{path}: none of its {len(known)} calls is in the log", hint="source_id is the id in the log")
    seen = {row["source_id"] for row in rows}
    return agreement([label for label, _ in pairs], [task for _, task in pairs]), len(known.keys() - seen)


def write_assignments(store: Store, path: Path) -> int:
    """Write ``source_id,call_id,task_id`` of every call to a .csv or .parquet file; returns how many."""
    if path.suffix not in ENDINGS:
        raise UsageError(f"{path}: the name must end with .csv or .parquet", hint="--assignments tasks.parquet")
    read_tasks(store)
    batches = list(store.batches("classify_assignments"))
    table = pa.Table.from_batches(batches)
    try:
        if path.suffix == ".csv":
            pyarrow.csv.write_csv(table, path)
        else:
            pyarrow.parquet.write_table(table, path)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written ({error.strerror or error})", hint="choose another path"
        ) from error
    return int(table.num_rows)


def _read_labels(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"source_id", "task"} <= set(reader.fieldnames or ()):
                raise InputError(f"{path}:1: columns source_id and task are needed", hint="a CSV file with a header")
            return {row["source_id"]: row["task"] for row in reader if row["source_id"] and row["task"]}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", hint="check --labels") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a CSV file in UTF-8", hint="columns source_id,task") from error


def _task(row: dict[str, Any]) -> Task:
    return Task(
        task_id=row["task_id"],
        name=row["name"],
        type=TaskType(row["type"]),
        type_confidence=row["type_confidence"],
        prior=row["prior"],
        stakes=row["stakes"],
        stakes_because=row["stakes_because"],
        mixed=row["mixed"],
        is_tail=row["is_tail"],
        calls=row["calls"],
        spend_usd=row["spend_usd"],
        recognisers=tuple(Recogniser(**rule) for rule in json.loads(row["recognisers"])),
        output_shape=row["output_shape"],
    )


def _example(row: dict[str, Any]) -> Example:
    response = json.loads(row["response"]) if row["response"] else {}
    said = response.get("text") or response.get("refusal")
    answered = str(said) if said else json.dumps(response.get("tool_calls") or [], ensure_ascii=False)
    return Example(row["source_id"], view(json.loads(row["request"])).user, answered if response else "")
