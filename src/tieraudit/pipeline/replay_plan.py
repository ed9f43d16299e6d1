"""The plan of an audit: which tasks are worth testing, at which tier, by which scorer, and what that can cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from tieraudit.backends.address import public_url
from tieraudit.config import Config, Engine
from tieraudit.domain import PlannedTask, Task
from tieraudit.pipeline.reply_cost import (
    BYTES_PER_TOKEN,
    DEFAULT_OUTPUT_TOKENS,
    Rates,
    Size,
    judge_size,
    nano,
)
from tieraudit.pipeline.task_book import Classification, read_tasks
from tieraudit.store import Store

MOST_TASKS = 60
COVERED_SPEND = Decimal("0.95")
AGREEMENT = ("agreement",)
SCORERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "label": ("label", ("agreement", "macro")),
    "json": ("json-fields", AGREEMENT),
    "tool_calls": ("tool-calls", AGREEMENT),
    "number": ("short-answer", AGREEMENT),
    "short": ("short-answer", AGREEMENT),
}
"""Output shape -> scorer and gates; every other shape is judged."""

CANDIDATE_TRIALS = 3
"""Replies of the candidate to one case of stage 2 (METHOD 2.4); stage 1 has one."""


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A task under test at one tier, with what its replays can cost.

    Tokens are means per call in the log. A call that is drawn twice is asked once, so ``most_replies`` of the candidate
    can be fewer than its cases. ``hosts`` are those elsewhere that bill for what they answer.
    """

    planned: PlannedTask
    eligible: int
    most_cases: int
    most_replies: int
    input_tokens: int
    output_tokens: int
    worst_usd: Decimal | None
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A task that is not tested, and why."""

    task_id: str
    name: str
    reason: str
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """Everything that is fixed before the first replay. ``worst_usd`` is None when a price is unknown."""

    audit_id: str
    baseline: str
    seed: int
    tiers: tuple[str, ...]
    rows: tuple[PlanRow, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def worst_usd(self) -> Decimal | None:
        """What the whole plan can cost at most, if no task is decided before its cap."""
        known = [row.worst_usd for row in self.rows if row.worst_usd is not None]
        return sum(known, Decimal(0)) if len(known) == len(self.rows) else None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts elsewhere that bill for what they answer."""
        return tuple(sorted({host for row in self.rows for host in row.hosts}))

    def to_json(self) -> str:
        """The hypotheses, as the table `audits` keeps them."""
        rows = [{**asdict(row.planned), "weight_usd": str(row.planned.weight_usd)} for row in self.rows]
        return json.dumps(rows)


def make_plan(store: Store, config: Config, *, tiers: Sequence[Engine], baseline: str, seed: int) -> ReplayPlan:
    """Choose the tasks and fix the hypotheses; the same log, config, tiers, baseline and seed give the same plan.

    Worth testing (METHOD 2.11): enough calls that can be replayed, a share of the spend that matters, the largest
    first until 95 % of the spend is covered, at most 60. Raises `UsageError` when the log has not been classified.
    """
    found = read_tasks(store)
    facts = {row["task_id"]: row for row in store.rows("replay_tasks")}
    chosen, left_out = _choose(config, found, facts)
    rows = []
    for task in chosen:
        for engine in tiers:
            reason = _no_test(config, found, facts[task.task_id], task, engine)
            if reason:
                left_out.append(LeftOut(task.task_id, task.name, reason))
            else:
                rows.append(_row(config, facts[task.task_id], task, engine, baseline))
    names = tuple(engine.name for engine in tiers)
    audit_id = _audit_id(store, config, rows, (seed, baseline, names))
    return ReplayPlan(audit_id, baseline, seed, names, tuple(rows), tuple(left_out))


def _choose(
    config: Config, found: Classification, facts: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Task], list[LeftOut]]:
    """The tasks worth testing, the largest spend first, and the others with their reasons."""
    left_out: list[LeftOut] = []
    worth: list[Task] = []
    for task in sorted(found.tasks, key=lambda task: (-(task.spend_usd or 0), task.task_id)):
        pin = _pinned_tier(config, found, facts.get(task.task_id, {}), task)
        reason = _not_worth(config, found, task, int(facts.get(task.task_id, {}).get("eligible", 0)))
        if pin == config.incumbent.name:
            left_out.append(LeftOut(task.task_id, task.name, f"pinned to {pin}", pinned=True))
        elif reason:
            left_out.append(LeftOut(task.task_id, task.name, reason))
        else:
            worth.append(task)
    total = sum((task.spend_usd or Decimal(0) for task in worth), Decimal(0))
    chosen: list[Task] = []
    covered = Decimal(0)
    for task in worth:
        if len(chosen) == MOST_TASKS or covered >= COVERED_SPEND * total:
            why = f"the {len(chosen)} tasks before it cover {covered / total:.0%} of the spend that can be tested"
            left_out.append(LeftOut(task.task_id, task.name, why))
        else:
            chosen.append(task)
            covered += task.spend_usd or Decimal(0)
    return chosen, left_out


def _not_worth(config: Config, found: Classification, task: Task, eligible: int) -> str:
    quality = config.quality
    share = found.share_of_spend(task)
    if task.is_tail:
        return "the tail: calls too unlike each other to be tested as one task"
    if not eligible:
        return "no call of it carries both prompt and answer"
    if eligible < quality.min_calls_per_task:
        return f"{eligible} calls can be replayed, {quality.min_calls_per_task} are needed"
    if not task.spend_usd:
        return "no price is known for its calls"
    if share < quality.min_share_of_spend:
        return f"{share:.2%} of the spend, {quality.min_share_of_spend:.2%} is worth testing"
    return ""


def _pinned_tier(config: Config, found: Classification, facts: Mapping[str, Any], task: Task) -> str | None:
    """The tier that a person fixed, by hand before the config."""
    if task.task_id in found.pins:
        return found.pins[task.task_id].tier
    pin = config.pin_of(task, facts.get("tags") or ())
    return pin.tier if pin else None


def _no_test(config: Config, found: Classification, facts: Mapping[str, Any], task: Task, engine: Engine) -> str:
    """Why the task is not tried at this tier, or nothing."""
    pin = _pinned_tier(config, found, facts, task)
    if pin is not None and pin != engine.name:
        return f"pinned to {pin}, so {engine.name} is not tried"
    if facts["models"] == [engine.model]:
        return f"{engine.model} serves it already"
    return ""


def _row(config: Config, facts: Mapping[str, Any], task: Task, engine: Engine, baseline: str) -> PlanRow:
    scorer, gates = SCORERS.get(task.output_shape, ("judge", AGREEMENT if config.judge else ()))
    judged = scorer == "judge"
    planned = PlannedTask(
        task_id=task.task_id,
        name=task.name,
        tier=engine.name,
        model=engine.model or "",
        weight_usd=task.spend_usd or Decimal(0),
        margin=config.quality.margin_for(task.stakes, judged=judged),
        scorer=scorer,
        gates=gates,
    )
    first = len(gates) * config.quality.max_cases_per_task
    second = 2 * first if baseline == "replay" and not judged else 0
    needs = list(_needs(config, facts, planned, engine, first=first, second=second))
    worst = [need.worst_usd for need in needs]
    known = [usd for usd in worst if usd is not None]
    return PlanRow(
        planned=planned,
        eligible=int(facts["eligible"]),
        most_cases=first + second,
        most_replies=needs[0].requests,
        input_tokens=round(facts["input_tokens"] or facts["request_bytes"] / BYTES_PER_TOKEN),
        output_tokens=round(facts["output_tokens"] or 0),
        worst_usd=sum(known, Decimal(0)) if len(known) == len(worst) else None,
        hosts=tuple(sorted({need.host for need in needs if need.host})),
    )


@dataclass(frozen=True, slots=True)
class _Need:
    """Requests of one mean size that a row can need from one engine, in the worst case."""

    engine: Engine
    model: str
    size: Size
    requests: int

    @property
    def worst_usd(self) -> Decimal | None:
        worst = Rates(self.engine, self.model).worst(self.size)
        return None if worst is None else nano(worst * self.requests)

    @property
    def host(self) -> str | None:
        """Where they go when somebody bills for them."""
        paid = self.requests and self.engine.base_url and Rates(self.engine, self.model).paid
        return public_url(self.engine.base_url or "") if paid else None


def _needs(
    config: Config, facts: Mapping[str, Any], planned: PlannedTask, engine: Engine, *, first: int, second: int
) -> Iterator[_Need]:
    """The candidate's requests, then the incumbent's reruns and the judge's questions where there are any."""
    eligible = int(facts["eligible"])
    size = _mean_size(facts)
    trials = CANDIDATE_TRIALS if second else 1
    yield _Need(engine, planned.model, size, min(first + second * CANDIDATE_TRIALS, eligible * trials))
    if second:
        model = facts["models"][-1] if facts["models"] else ""
        yield _Need(config.incumbent, model, size, min(second, eligible))
    if planned.scorer == "judge" and config.judge:
        yield _Need(config.judge, config.judge.model or "", judge_size(size), 2 * min(first, eligible))


def _mean_size(facts: Mapping[str, Any]) -> Size:
    unlimited = float(facts["unlimited_share"] or 0.0)
    limit = float(facts["limit_tokens"] or 0.0)
    output = unlimited * DEFAULT_OUTPUT_TOKENS + (1 - unlimited) * limit
    return Size(round(float(facts["request_bytes"]) / BYTES_PER_TOKEN), round(output))


def _audit_id(store: Store, config: Config, rows: Sequence[PlanRow], choices: tuple[Any, ...]) -> str:
    """The same calls, config, plan and choices are the same audit, which a rerun continues. Names may change."""
    hypotheses = [{**asdict(row.planned), "name": "", "weight_usd": str(row.planned.weight_usd)} for row in rows]
    identity = json.dumps([config_json(config), choices, store.one("replay_log"), hypotheses])
    return "a-" + sha256(identity.encode()).hexdigest()[:10]


def config_json(config: Config) -> str:
    """The config as the store keeps it: without the path of its file, and without a password in an address."""
    plain: dict[str, Any] = {**asdict(config), "path": None}
    for engine in (*plain["tiers"], plain["judge"] or {}):
        if engine.get("base_url"):
            engine["base_url"] = public_url(engine["base_url"])
    return json.dumps(plain, default=str, sort_keys=True)
