"""Report: everything that the store knows of an audit, as data that any renderer can draw."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tieraudit.config import Config
from tieraudit.domain import Recogniser, VerdictKind
from tieraudit.errors import StoreError
from tieraudit.pipeline.money import ZERO, Money, check_tiers, read_money
from tieraudit.pipeline.report_evidence import Latency, Observed, read_observed, tier_evidence
from tieraudit.pipeline.report_intervals import Intervals
from tieraudit.pipeline.report_statements import statements
from tieraudit.render.report import Period, Report, Scope, TaskRow, TierEvidence, TierTotal, Totals
from tieraudit.savings.candidate import dedicated_month
from tieraudit.savings.window import DAYS_PER_MONTH, NANO
from tieraudit.store import Store

SCHEMA = "tieraudit/report/1"
MOST_MODELS = 5


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read from the store for one report."""

    audit: Mapping[str, Any]
    assignments: Sequence[Mapping[str, Any]]
    tasks: Mapping[str, Mapping[str, Any]]
    verdicts: Mapping[str, Sequence[Mapping[str, Any]]]
    latency: Mapping[str, Latency]
    models: Sequence[Mapping[str, Any]]
    scope: Mapping[str, Any]
    observed: Observed
    money: Money


def build_report(store: Store, config: Config, audit_id: str) -> Report:
    """The report of an audit whose tasks are assigned, from the store and the prices in ``config`` alone.

    The same store and config give an equal report, whenever it is built. A log under 24 hours gives window amounts,
    never a month. Raises `StoreError` for an unknown audit or one without assignments, `ConfigError` when a tested
    tier is no longer the same in the config.
    """
    read = _read(store, config, audit_id)
    money = read.money
    period = Period.MONTH if money.window.monthly else Period.WINDOW
    moves = [row for row in read.assignments if row["tier"] != config.incumbent.name]
    moved = [(row["task_id"], row["tier"]) for row in moves]
    intervals = Intervals(money, moved, seed=read.audit["seed"])
    rows = tuple(_task_row(config, read, row, intervals) for row in read.assignments)
    replies = store.one("report_replies", audit_id=audit_id)
    dollar_fdr = _dollar_fdr(read.audit, config)
    tested = [
        engine for engine in config.candidates if any(found.tier == engine.name for r in rows for found in r.evidence)
    ]
    return Report(
        schema=SCHEMA,
        version=read.audit["version"],
        audit_id=audit_id,
        created_at=money.window.last_call,
        baseline=read.audit["baseline"],
        finished=read.audit["status"] == "finished",
        dollar_fdr=dollar_fdr,
        seed=read.audit["seed"],
        cases=replies["cases"],
        replies=replies["replies"],
        period=period,
        incumbent_tier=config.incumbent.name,
        scope=_scope(read),
        totals=_totals(read, rows, intervals, replies),
        tiers=_tiers(config, read, rows),
        tasks=rows,
        statements=statements(
            engines=tested,
            models=read.models,
            scope=read.scope,
            money=money,
            moved=moved,
            dollar_fdr=dollar_fdr,
        ),
    )


def latest_audit(store: Store) -> str:
    """The audit that was begun last; raises `StoreError` when there is none."""
    found = store.rows("report_latest_audit")
    if not found:
        raise StoreError("there is no audit to report", hint="run `tieraudit replay` first")
    return str(found[0]["audit_id"])


def _read(store: Store, config: Config, audit_id: str) -> _Read:
    audits = store.rows("report_audit", audit_id=audit_id)
    assignments = store.rows("report_assignments", audit_id=audit_id)
    if not audits or not assignments:
        what = "has no assignments" if audits else "does not exist"
        raise StoreError(f"audit {audit_id} {what}", hint="run `tieraudit replay`, then `tieraudit report`")
    verdicts: dict[str, list[dict[str, Any]]] = {}
    for row in store.rows("assign_verdicts", audit_id=audit_id):
        verdicts.setdefault(row["task_id"], []).append(row)
    check_tiers(config, [row for rows in verdicts.values() for row in rows])
    return _Read(
        audit=audits[0],
        assignments=assignments,
        tasks={row["task_id"]: row for row in store.rows("assign_tasks")},
        verdicts=verdicts,
        latency={row["task_id"]: Latency(row["p50"], row["p95"]) for row in store.rows("report_latency_now")},
        models=store.rows("report_models"),
        scope=store.one("report_scope"),
        observed=read_observed(store, audit_id),
        money=read_money(store, config, audit_id),
    )


def _dollar_fdr(audit: Mapping[str, Any], config: Config) -> float:
    """The level that was fixed when the audit began."""
    quality = json.loads(audit["config"]).get("quality", {})
    return float(quality.get("dollar_fdr", config.quality.dollar_fdr))


def _shown(money: Money, month_usd: Decimal) -> Decimal:
    """A monthly amount as the report shows it: a log under 24 hours is one day, and shows what that day cost."""
    return month_usd if money.window.monthly else (month_usd * money.window.days / DAYS_PER_MONTH).quantize(NANO)


def _task_row(config: Config, read: _Read, assigned: Mapping[str, Any], intervals: Intervals) -> TaskRow:
    task_id = assigned["task_id"]
    task, money = read.tasks[task_id], read.money
    verdict = VerdictKind(assigned["verdict"])
    moves = assigned["tier"] != config.incumbent.name
    evidence = _evidence(config, read, task_id)
    saved = intervals.task(task_id)
    latency = read.latency.get(task_id, Latency())
    bill = sum((row["cost_now_usd_month"] for row in read.assignments), money.window.per_month(money.outside.now_usd))
    recognisers = json.loads(task["recognisers"])
    return TaskRow(
        task_id=task_id,
        name=task["name"],
        type=task["type"],
        type_confidence=task["type_confidence"],
        prior=task["prior"],
        stakes=task["stakes"],
        stakes_because=task["stakes_because"],
        mixed=task["mixed"],
        is_tail=task["is_tail"],
        calls=money.cost(task_id).calls,
        share_of_spend=float(assigned["cost_now_usd_month"] / bill) if bill else 0.0,
        incumbent_model=task["incumbent_model"],
        incumbent_latency_ms_p50=latency.p50,
        incumbent_latency_ms_p95=latency.p95,
        tier=assigned["tier"],
        model=assigned["model"],
        moves=moves,
        verdict=verdict,
        reason=assigned["reason"],
        cost_now_usd=_shown(money, assigned["cost_now_usd_month"]),
        cost_then_usd=_shown(money, assigned["cost_then_usd_month"]),
        savings_low_usd=saved.low if saved else None,
        savings_high_usd=saved.high if saved else None,
        plausible_usd=_plausible(evidence) if verdict is VerdictKind.UNDECIDED and not moves else ZERO,
        template=task["template"],
        recogniser=Recogniser(**recognisers[0]) if recognisers else None,
        evidence=evidence,
    )


def _evidence(config: Config, read: _Read, task_id: str) -> tuple[TierEvidence, ...]:
    """Every tier that was replayed or says why not, cheapest first."""
    order = [engine.name for engine in config.tiers]
    money, staged = read.money, read.audit["baseline"] == "replay"
    found = []
    for row in sorted(read.verdicts.get(task_id, ()), key=lambda row: order.index(row["tier"])):
        then = money.then_month(task_id, row["tier"])
        saves = None if then is None else _shown(money, money.now_month(task_id) - then)
        found.append(tier_evidence(row, read.observed, staged=staged, savings_usd=saves))
    return tuple(found)


def _plausible(evidence: Sequence[TierEvidence]) -> Decimal:
    """The best undecided tier's savings times the chance that it is good; tiers are alternatives, not a sum."""
    worth = [
        found.savings_usd * Decimal(repr(round(found.p_good, 6)))
        for found in evidence
        if found.verdict is VerdictKind.UNDECIDED and found.n and found.p_good and found.savings_usd is not None
    ]
    return max([ZERO, *(amount.quantize(NANO) for amount in worth)])


def _totals(read: _Read, rows: Sequence[TaskRow], intervals: Intervals, replies: Mapping[str, Any]) -> Totals:
    money = read.money
    outside = _shown(money, money.window.per_month(money.outside.now_usd))
    now = sum((row.cost_now_usd for row in rows), outside)
    then = sum((row.cost_then_usd for row in rows), outside)
    stays = [row for row in rows if not row.moves]
    tested = [row for row in stays if row.verdict is VerdictKind.UNDECIDED and row.tested]
    proven = sum((row.savings_usd for row in rows if row.proven), ZERO)
    return Totals(
        cost_now=intervals.now(now),
        cost_then=intervals.then(then),
        savings=intervals.savings(now - then),
        savings_year=intervals.savings_year(now - then),
        proven_usd=proven,
        pinned_usd=now - then - proven,
        plausible_usd=sum((row.plausible_usd for row in rows), ZERO),
        kept_usd=sum((row.cost_now_usd for row in stays), outside),
        undecided_usd=sum((row.cost_now_usd for row in tested), ZERO),
        outside_usd=outside,
        audit_cost_usd=replies["cost_usd"],
        audit_new_cost_usd=replies["new_cost_usd"],
        audit_unpriced_replies=replies["unpriced"],
    )


def _tiers(config: Config, read: _Read, rows: Sequence[TaskRow]) -> tuple[TierTotal, ...]:
    money, totals = read.money, []
    outside = _shown(money, money.window.per_month(money.outside.now_usd))
    for engine in config.tiers:
        served = [row for row in rows if row.tier == engine.name]
        incumbent = engine.name == config.incumbent.name
        then = sum((row.cost_then_usd for row in served), outside if incumbent else ZERO)
        names = [row["model"] for row in read.models][:MOST_MODELS] if incumbent else [engine.model or "unknown"]
        totals.append(
            TierTotal(
                tier=engine.name,
                models=tuple(dict.fromkeys(names)),
                cost_now_usd=sum((row.cost_now_usd for row in rows), outside) if incumbent else ZERO,
                cost_then_usd=then,
                calls_now=read.scope["calls"] if incumbent else 0,
                calls_then=sum(row.calls for row in served) + (money.outside.calls if incumbent else 0),
                dedicated_usd_month=None if incumbent else dedicated_month(engine),
            )
        )
    return tuple(totals)


def _scope(read: _Read) -> Scope:
    window, scope = read.money.window, read.scope
    tails = [task_id for task_id, row in read.tasks.items() if row["is_tail"]]
    return Scope(
        first_call=window.first_call,
        last_call=window.last_call,
        days=window.days,
        calls=scope["calls"],
        failed_calls=scope["failed_calls"],
        unpriced_calls=scope["unpriced_calls"],
        quarantined_rows=int(scope["quarantined_rows"]),
        duplicate_rows=int(scope["duplicate_rows"]),
        content_share=scope["content_share"],
        tasks=len(read.tasks),
        tail_calls=sum(read.money.cost(task_id).calls for task_id in tails),
        outside_calls=read.money.outside.calls,
    )
