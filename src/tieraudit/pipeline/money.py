"""What each task costs now and would cost on each tier, read from the store; `assign` and `report` share it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tieraudit.config import Config, Engine
from tieraudit.errors import ConfigError, StoreError
from tieraudit.savings.candidate import rented_ms, replay_cost, shared_ms, token_cost
from tieraudit.savings.ratio import Ratio, Sampled, cost_ratio
from tieraudit.savings.window import Window
from tieraudit.store import Store

ZERO = Decimal(0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class TaskCost:
    """One task in the log's window. ``answered_usd`` moves with the task; ``failed_usd`` is spent on any tier.

    The daily amounts have one number a day of the window, in dollars.
    """

    days: int
    calls: int = 0
    priced_calls: int = 0
    answered_usd: Decimal = ZERO
    failed_usd: Decimal = ZERO
    input_tokens: int = 0
    output_tokens: int = 0
    daily_answered: list[float] = field(default_factory=list)
    daily_failed: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.daily_answered = [0.0] * self.days
        self.daily_failed = [0.0] * self.days

    @property
    def now_usd(self) -> Decimal:
        """What the task's calls cost in the window, failed ones included."""
        return self.answered_usd + self.failed_usd

    def then_usd(self, ratio: Ratio) -> Decimal:
        """What they would have cost: answered calls at the ratio, failed ones as they were."""
        return ratio.then(self.answered_usd) + self.failed_usd

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row of `assign_task_days`."""
        self.calls += row["calls"]
        self.priced_calls += row["priced_calls"]
        self.answered_usd += row["answered_usd"]
        self.failed_usd += row["failed_usd"]
        self.input_tokens += int(row["input_tokens"])
        self.output_tokens += int(row["output_tokens"])
        self.daily_answered[row["day"]] += float(row["answered_usd"])
        self.daily_failed[row["day"]] += float(row["failed_usd"])


@dataclass(frozen=True, slots=True)
class TaskPrice:
    """The ratio of one task at one tier: from ``replays`` of which ``fallbacks`` failed, or from the log's tokens."""

    ratio: Ratio
    replays: int
    fallbacks: int


@dataclass(frozen=True, slots=True)
class Money:
    """The window, the cost of every task (``outside``: calls of no task), and the price of every move that has one.

    ``busy_ms`` is the mean time that a reply took of each tier's engine, with the number of replies behind it.
    """

    window: Window
    tasks: Mapping[str, TaskCost]
    outside: TaskCost
    prices: Mapping[tuple[str, str], TaskPrice]
    busy_ms: Mapping[str, tuple[Decimal, int]]

    def cost(self, task_id: str) -> TaskCost:
        """The task's cost; zero for a task whose calls are gone."""
        return self.tasks.get(task_id) or TaskCost(self.window.days)

    def now_month(self, task_id: str) -> Decimal:
        """What the task costs per month of 30.4375 days."""
        return self.window.per_month(self.cost(task_id).now_usd)

    def then_month(self, task_id: str, tier: str) -> Decimal | None:
        """What it would cost per month on ``tier``; None when nothing prices that."""
        price = self.prices.get((task_id, tier))
        return None if price is None else self.window.per_month(self.cost(task_id).then_usd(price.ratio))


def read_money(store: Store, config: Config, audit_id: str) -> Money:
    """Read the money of an audit; raises `StoreError` when the store holds no call."""
    found = store.one("assign_window")
    if found["first_us"] is None:
        raise StoreError("there are no calls in the database", hint="start with `tieraudit ingest PATH...`")
    window = Window(*(EPOCH + timedelta(microseconds=found[key]) for key in ("first_us", "last_us")))
    tasks: dict[str, TaskCost] = {}
    outside = TaskCost(window.days)
    for row in store.rows("assign_task_days", first_call=window.first_call, days=window.days):
        cost = outside if row["task_id"] is None else tasks.setdefault(row["task_id"], TaskCost(window.days))
        cost.add(row)
    sampled = _sampled(store, config, audit_id)
    return Money(window, tasks, outside, _prices(config, sampled, tasks), _busy(config, sampled))


def check_tiers(config: Config, verdicts: Iterable[Mapping[str, Any]]) -> None:
    """Raise `ConfigError` when a tested tier is gone from the config or names another model now: its proof is void."""
    models = {engine.name: engine.model for engine in config.candidates}
    for row in verdicts:
        if models.get(row["tier"]) != row["model"]:
            now = f"names {models[row['tier']]}" if row["tier"] in models else "is not a tier below the incumbent's"
            raise ConfigError(
                f"the audit tested {row['model']} as tier '{row['tier']}', which now {now}",
                hint="restore that tier in tieraudit.toml, or run `tieraudit replay` for the new one",
            )


def _sampled(store: Store, config: Config, audit_id: str) -> Mapping[tuple[str, str], list[dict[str, Any]]]:
    """The replayed calls by task and tier, each with the engine's time that it took."""
    engines = {engine.name: engine for engine in config.candidates}
    rents = _rents(store)
    sampled: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in store.rows("assign_sampled_replies", audit_id=audit_id):
        if engine := engines.get(row["tier"]):
            busy = _busy_ms(engine, row, rents.get((row["paid_by"], engine.name)))
            sampled.setdefault((row["task_id"], row["tier"]), []).append({**row, "busy_ms": busy})
    return sampled


def _rents(store: Store) -> dict[tuple[str, str], Decimal]:
    """What an hour of each tier's GPU cost in each audit, where it was rented."""
    return {
        (row["audit_id"], tier["name"]): Decimal(tier["gpu_usd_per_hour"])
        for row in store.rows("assign_audit_configs")
        for tier in json.loads(row["config"]).get("tiers", ())
        if tier.get("gpu_usd_per_hour")
    }


def _busy_ms(engine: Engine, row: Mapping[str, Any], rent: Decimal | None) -> Decimal:
    """Measured where the reply was billed as rent, which may have changed since; else its share of the latency."""
    if rent and row["billed_usd"] is not None:
        return rented_ms(row["billed_usd"], rent)
    return shared_ms(engine, row["latency_ms"])


def _busy(config: Config, sampled: Mapping[tuple[str, str], list[dict[str, Any]]]) -> dict[str, tuple[Decimal, int]]:
    found = {}
    for engine in config.candidates:
        times = [
            row["busy_ms"]
            for (_, tier), rows in sampled.items()
            for row in rows
            if tier == engine.name and row["error_type"] is None
        ]
        if times:
            found[engine.name] = (sum(times, ZERO) / len(times), len(times))
    return found


def _prices(
    config: Config, sampled: Mapping[tuple[str, str], list[dict[str, Any]]], tasks: Mapping[str, TaskCost]
) -> dict[tuple[str, str], TaskPrice]:
    prices = {}
    for engine in config.candidates:
        for task_id, cost in tasks.items():
            rows = sampled.get((task_id, engine.name), [])
            price = _sampled_price(engine, rows, cost.priced_calls) or _logged_price(engine, cost)
            if price is not None:
                prices[task_id, engine.name] = price
    return prices


def _sampled_price(engine: Engine, rows: list[dict[str, Any]], population: int) -> TaskPrice | None:
    """A failed replay falls back to the incumbent, at its full price."""
    sample, fallbacks = [], 0
    for row in rows:
        if row["error_type"] is not None:
            fallbacks += 1
            then: Decimal | None = row["now_usd"]
        else:
            then = replay_cost(
                engine,
                input_tokens=row["input_tokens"],
                output_tokens=row["output_tokens"],
                busy_ms=row["busy_ms"],
                billed_usd=row["billed_usd"],
            )
        if then is not None:
            sample.append(Sampled(row["now_usd"], then, row["weight"]))
    if len(sample) == fallbacks:
        return None
    ratio = cost_ratio(sample, population)
    return None if ratio is None else TaskPrice(ratio, len(sample), fallbacks)


def _logged_price(engine: Engine, cost: TaskCost) -> TaskPrice | None:
    """Without replays: the incumbent's own token counts at the tier's rates, where those are known."""
    then = token_cost(engine, cost.input_tokens, cost.output_tokens)
    if not then or not cost.answered_usd:
        return None
    return TaskPrice(Ratio(then / cost.answered_usd, None, 0), 0, 0)
