"""Assign: from verdicts, pins and money to the one tier that each task goes to, with the reason."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from tieraudit.config import Config
from tieraudit.domain import Assignment, Recogniser, Task, TaskType, VerdictKind
from tieraudit.errors import StoreError
from tieraudit.pipeline.money import Money, check_tiers, read_money
from tieraudit.store import Store

ASSIGNMENTS = pa.schema(
    [
        ("audit_id", pa.string()),
        ("task_id", pa.string()),
        ("tier", pa.string()),
        ("model", pa.string()),
        ("verdict", pa.string()),
        ("reason", pa.string()),
        ("cost_now_usd_month", pa.decimal128(18, 9)),
        ("cost_then_usd_month", pa.decimal128(18, 9)),
    ]
)
STANDING = (VerdictKind.PROVEN, VerdictKind.UNDECIDED, VerdictKind.NOT_AUDITABLE, VerdictKind.REFUTED)
"""Of several tiers' verdicts the first in this order speaks for a task that stays."""


@dataclass(frozen=True, slots=True)
class _Pinned:
    """A tier that a person fixed, why, and where it is written."""

    tier: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class _Case:
    """One task with everything that its assignment depends on."""

    row: Mapping[str, Any]
    verdicts: Sequence[Mapping[str, Any]]
    pinned: _Pinned | None
    planned: bool


def assign(store: Store, config: Config, audit_id: str) -> list[Assignment]:
    """One assignment for every task, the dearest first; replaces those of the same audit in one transaction.

    A pin decides whatever the evidence; else the cheapest tier that is proven, if it saves; else the incumbent's.
    Run it again after a new pin or price: it replays nothing. Raises `StoreError` for an unknown audit and
    `ConfigError` when a tested tier is no longer the same in the config.
    """
    if not store.rows("report_audit", audit_id=audit_id):
        raise StoreError(f"there is no audit {audit_id}", hint="start one with `tieraudit replay`")
    verdicts = store.rows("assign_verdicts", audit_id=audit_id)
    check_tiers(config, verdicts)
    money = read_money(store, config, audit_id)
    found = [_assignment(config, money, case) for case in _cases(store, config, audit_id, verdicts)]
    found.sort(key=lambda each: (-each.cost_now_usd_month, each.task_id))
    with store.transaction():
        store.execute("assign_clear", audit_id=audit_id)
        store.insert("assignments", _table(audit_id, found))
    return found


def _cases(store: Store, config: Config, audit_id: str, verdicts: Sequence[Mapping[str, Any]]) -> list[_Case]:
    edits = {row["task_id"]: row for row in store.rows("assign_edits")}
    plans = {row["audit_id"]: json.loads(row["plan"]) for row in store.rows("assign_audit_configs")}
    planned = {entry["task_id"] for entry in plans[audit_id]}
    tags: dict[str, list[str]] = {}
    for row in store.rows("assign_tags"):
        tags.setdefault(row["task_id"], []).append(row["tag"])
    cases = []
    for row in store.rows("assign_tasks"):
        task_id = row["task_id"]
        pinned = _by_hand(config, edits, task_id) or _by_config(config, row, tags.get(task_id, []))
        found = [each for each in verdicts if each["task_id"] == task_id]
        cases.append(_Case(row, found, pinned, task_id in planned))
    return cases


def _by_hand(config: Config, edits: Mapping[str, Mapping[str, Any]], task_id: str) -> _Pinned | None:
    """The pin that a person set on the task, or one that keeps a task on the incumbent which was made part of it."""
    edit = edits.get(task_id)
    if edit is not None and edit["pin_tier"]:
        tier = config.tier(edit["pin_tier"]).name
        return _Pinned(tier, edit["pin_reason"] or "no reason given", "by hand")
    for other in edits.values():
        if other["pin_tier"] == config.incumbent.name and task_id in _merged_into(edits, other["task_id"]):
            return _Pinned(config.incumbent.name, other["pin_reason"] or "no reason given", "by hand")
    return None


def _merged_into(edits: Mapping[str, Mapping[str, Any]], task_id: str) -> list[str]:
    """The tasks that a merged task is now part of, one after the other; a ring of merges ends."""
    found: list[str] = []
    while (edit := edits.get(task_id)) is not None and (there := edit["merged_into"]) and there not in found:
        found.append(there)
        task_id = there
    return found


def _by_config(config: Config, row: Mapping[str, Any], tags: Sequence[str]) -> _Pinned | None:
    pin = config.pin_of(task_of(row), tags)
    return None if pin is None else _Pinned(pin.tier, pin.reason, "in tieraudit.toml")


def task_of(row: Mapping[str, Any]) -> Task:
    """A row of `tasks` as the noun."""
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
        recognisers=tuple(Recogniser(**each) for each in json.loads(row["recognisers"])),
        output_shape=row["output_shape"],
    )


def _assignment(config: Config, money: Money, case: _Case) -> Assignment:
    if case.pinned is not None:
        return _to_pin(config, money, case, case.pinned)
    proven = [row for row in case.verdicts if row["verdict"] == VerdictKind.PROVEN]
    if proven:
        return _to_cheapest(config, money, case, proven)
    kind, reason = _standing(case) if case.verdicts else _untested(config, money, case)
    return _stay(config, money, case, kind, reason)


def _stay(config: Config, money: Money, case: _Case, kind: VerdictKind, reason: str) -> Assignment:
    now = money.now_month(case.row["task_id"])
    model = case.row["incumbent_model"]
    return Assignment(case.row["task_id"], config.incumbent.name, model, kind, reason, now, now)


def _to_pin(config: Config, money: Money, case: _Case, pinned: _Pinned) -> Assignment:
    task_id, tier = case.row["task_id"], pinned.tier
    reason = f"pinned to {tier} {pinned.source}: {pinned.reason}"
    if tier == config.incumbent.name:
        return _stay(config, money, case, VerdictKind.PINNED, reason)
    now, then = money.now_month(task_id), money.then_month(task_id, tier)
    verdict = next((row for row in case.verdicts if row["tier"] == tier), None)
    reason += f"; {_backing(verdict)}"
    if then is None:
        reason += "; its price there is unknown, so no savings are counted"
    elif not money.prices[task_id, tier].replays:
        reason += "; its price there is estimated from the log's token counts"
    model = config.tier(tier).model or "unknown"
    return Assignment(task_id, tier, model, VerdictKind.PINNED, reason, now, now if then is None else then)


def _backing(verdict: Mapping[str, Any] | None) -> str:
    """What the evidence says of a pin to a cheap tier."""
    if verdict is None or not verdict["n"]:
        return "not proven by evidence: it was not tested"
    if verdict["verdict"] == VerdictKind.PROVEN:
        return "the evidence agrees: it is proven there"
    kind = verdict["verdict"].replace("_", " ")
    return f"not proven by evidence: {kind} after {verdict['n']} replays"


def _to_cheapest(config: Config, money: Money, case: _Case, proven: Sequence[Mapping[str, Any]]) -> Assignment:
    """The proven tier that costs least, if it costs less than today."""
    task_id = case.row["task_id"]
    now = money.now_month(task_id)
    priced = [(then, row) for row in proven if (then := money.then_month(task_id, row["tier"])) is not None]
    if not priced:
        row = proven[0]
        reason = (
            f"{row['tier']} is as good, but its price is unknown: set input_usd_per_mtok and output_usd_per_mtok, or "
            f"gpu_usd_per_hour, under tiers.{row['tier']} and report again ({row['reason']})"
        )
        return _stay(config, money, case, VerdictKind.PROVEN, reason)
    then, row = min(priced, key=lambda pair: pair[0])
    if then >= now:
        reason = (
            f"{row['tier']} is as good, but would cost {_usd(then)} a month instead of {_usd(now)} ({row['reason']})"
        )
        return _stay(config, money, case, VerdictKind.PROVEN, reason)
    return Assignment(task_id, row["tier"], row["model"], VerdictKind.PROVEN, row["reason"], now, then)


def _standing(case: _Case) -> tuple[VerdictKind, str]:
    """The verdict that speaks for a tested task that stays, with its reason: of equals the one with most replays."""
    for kind in STANDING:
        same = [row for row in case.verdicts if row["verdict"] == kind]
        if same:
            return kind, max(same, key=lambda row: row["n"])["reason"]
    return VerdictKind.UNDECIDED, "not tested in this audit"


def _untested(config: Config, money: Money, case: _Case) -> tuple[VerdictKind, str]:
    """Why a task has no verdict."""
    quality, row = config.quality, case.row
    if case.planned:
        return VerdictKind.UNDECIDED, "no replay yet"
    if row["is_tail"]:
        return VerdictKind.UNDECIDED, "calls too unlike each other to be tested as one task"
    if not row["replayable"]:
        return VerdictKind.NOT_AUDITABLE, _no_content(row)
    if row["replayable"] < quality.min_calls_per_task:
        few = f"{row['replayable']} can be replayed, {quality.min_calls_per_task} are needed"
        return VerdictKind.UNDECIDED, f"too few calls to test: {few}"
    return VerdictKind.UNDECIDED, _not_worth(config, money, row)


def _not_worth(config: Config, money: Money, row: Mapping[str, Any]) -> str:
    now = money.cost(row["task_id"]).now_usd
    spend = sum((cost.now_usd for cost in money.tasks.values()), money.outside.now_usd)
    if not now:
        return "no price is known for its calls, so there is nothing to save"
    if now < spend * Decimal(repr(config.quality.min_share_of_spend)):
        return f"too small to be worth testing: {now / spend:.2%} of the bill"
    if row["incumbent_model"] in [engine.model for engine in config.candidates]:
        return f"{row['incumbent_model']} serves it already"
    return "not tested in this audit: larger tasks came first"


def _no_content(row: Mapping[str, Any]) -> str:
    calls = max(1, row["calls"])
    if row["not_chat"] == calls:
        return "these are no chat calls: there is nothing to compare"
    if row["failed"] == calls:
        return "every call failed in the log: there is no answer to compare with"
    if row["redacted"]:
        return "prompts and answers are redacted in the log: export it with content to test this task"
    if row["without_answer"]:
        return "the log holds prompts but no answers: switch on response logging to test this task"
    return "the log holds no prompts and answers: switch on message logging to test this task"


def _usd(amount: Decimal) -> str:
    return f"${amount:,.2f}"


def _table(audit_id: str, assignments: Sequence[Assignment]) -> pa.Table:
    rows = [
        {
            "audit_id": audit_id,
            "task_id": each.task_id,
            "tier": each.tier,
            "model": each.model,
            "verdict": each.verdict.value,
            "reason": each.reason,
            "cost_now_usd_month": each.cost_now_usd_month,
            "cost_then_usd_month": each.cost_then_usd_month,
        }
        for each in assignments
    ]
    return pa.Table.from_pylist(rows, schema=ASSIGNMENTS)
