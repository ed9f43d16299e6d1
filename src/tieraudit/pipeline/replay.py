"""Replay: draw the calls that are worth most, send them again, score and decide, until every task is decided."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa

from tieraudit import __version__
from tieraudit.config import Config, Engine
from tieraudit.domain import Decision
from tieraudit.errors import BudgetReached, UsageError
from tieraudit.pipeline.budget import Budget
from tieraudit.pipeline.case_book import CaseBook
from tieraudit.pipeline.engines import Confirm, Engines, agree
from tieraudit.pipeline.replay_plan import ReplayPlan, config_json, make_plan
from tieraudit.pipeline.replay_result import ReplayResult, read_result
from tieraudit.pipeline.sending import Sender
from tieraudit.progress import Progress, Silent
from tieraudit.store import Store

BASELINES = ("logged", "replay")
Score = Callable[[Store, str], None]
Decide = Callable[[Store, str], Decision]


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What a run of `replay` can be told. Limits are of the audit in all; ``seed`` None takes the config's."""

    tiers: tuple[str, ...] = ()
    budget_usd: Decimal | None = None
    max_calls: int | None = None
    baseline: str = "logged"
    dry_run: bool = False
    seed: int | None = None


def replay(
    store: Store,
    config: Config,
    options: ReplayOptions,
    *,
    score: Score,
    decide: Decide,
    confirm: Confirm = agree,
    progress: Progress | None = None,
) -> ReplayResult:
    """Run the audit of this log, config and options until every task is decided, or continue the one that stopped.

    ``score`` and ``decide`` are the stages of that name; decisions are made only when a whole batch is stored, so the
    order in which replies arrive changes nothing. ``confirm`` is asked before the first request that somebody bills.
    A finished audit is left alone. Raises `BackendError` when an endpoint or engine fails, `ConfigError` and
    `UsageError` for what cannot be run; whatever ends it, Ctrl-C included, what was answered is stored.
    """
    progress = progress or Silent()
    tiers = _tiers(config, options.tiers)
    if options.baseline not in BASELINES:
        raise UsageError(f"unknown baseline '{options.baseline}'", hint=f"known: {', '.join(BASELINES)}")
    seed = config.seed if options.seed is None else options.seed
    plan = make_plan(store, config, tiers=tiers, baseline=options.baseline, seed=seed)
    if options.dry_run:
        return ReplayResult(plan.audit_id, plan, "planned", 0, 0, Decimal(0), ())
    if _begin(store, config, plan, progress) == "finished" or not plan.rows:
        store.execute("replay_status", audit_id=plan.audit_id, status="finished")
        decision = decide(store, plan.audit_id) if plan.rows else Decision((), ())
        return read_result(store, plan, "finished", decision, None)
    run = _Run(store, config, plan, options, score=score, decide=decide, confirm=confirm, progress=progress)
    try:
        decision = run.until_decided()
    except BaseException:
        store.execute("replay_status", audit_id=plan.audit_id, status="interrupted")
        raise
    status = "finished" if run.ended is None else "budget"
    store.execute("replay_status", audit_id=plan.audit_id, status=status)
    return read_result(store, plan, status, decision, run.ended)


class _Run:
    """One run of an audit: its engines, its budget, and the loop of batches."""

    def __init__(
        self,
        store: Store,
        config: Config,
        plan: ReplayPlan,
        options: ReplayOptions,
        *,
        score: Score,
        decide: Decide,
        confirm: Confirm,
        progress: Progress,
    ) -> None:
        self._store, self._plan = store, plan
        self._score, self._decide, self._progress = score, decide, progress
        self._engines = Engines(say=progress.say, hosts=plan.hosts, confirm=confirm)
        self._options = options
        self._failed: set[str] = set()
        self._book = CaseBook(store, config, plan, self._engines)
        self.ended: str | None = None

    def until_decided(self) -> Decision:
        """Batch after batch; returns the last decision, with `ended` set when a limit came first."""
        audit_id = self._plan.audit_id
        with asyncio.Runner() as runner:
            try:
                while True:
                    self._send_missing(runner)
                    self._score_all()
                    decision = self._decide(self._store, audit_id)
                    if self.ended is not None or not decision.wants:
                        return decision
                    self._book.draw(decision.wants)
            finally:
                runner.run(self._engines.close())

    def _send_missing(self, runner: asyncio.Runner) -> None:
        """Get the replies that drawn cases wait for. What failed in this run is not tried again in it."""
        requests = [request for request in self._book.missing() if request.key not in self._failed]
        if not requests:
            return
        self._progress.start(f"replay: {len(requests)} requests", len(requests))
        spent = self._store.one("replay_spent", audit_id=self._plan.audit_id)
        budget = Budget(
            self._options.budget_usd, self._options.max_calls, spent_usd=spent["spent_usd"], calls=spent["replies"]
        )
        sender = Sender(self._store, self._plan.audit_id, self._engines, budget, self._progress)
        try:
            runner.run(sender.send(requests))
        finally:
            self._failed |= sender.failed
        self.ended = sender.ended.what if sender.ended else None

    def _score_all(self) -> None:
        try:
            self._score(self._store, self._plan.audit_id)
        except BudgetReached as error:
            self.ended = error.message


def _tiers(config: Config, wanted: Sequence[str]) -> tuple[Engine, ...]:
    """The candidates to try, cheapest first; raises `UsageError` for the incumbent's tier and unknown names."""
    for name in wanted:
        if config.tier(name) == config.incumbent:
            known = ", ".join(engine.name for engine in config.candidates)
            raise UsageError(f"tier '{name}' is the incumbent's: there is nothing to try", hint=f"try: {known}")
    return tuple(engine for engine in config.candidates if not wanted or engine.name in wanted)


def _begin(store: Store, config: Config, plan: ReplayPlan, progress: Progress) -> str:
    """Make the audit or find it; returns the status that it had."""
    found = store.rows("replay_audit", audit_id=plan.audit_id)
    if found:
        done = found[0]["status"] == "finished"
        progress.say(f"audit {plan.audit_id} is finished: nothing to do" if done else f"audit {plan.audit_id} goes on")
        if not done:
            store.execute("replay_status", audit_id=plan.audit_id, status="running")
        return str(found[0]["status"])
    left_out = [{"task_id": left.task_id, "reason": left.reason} for left in plan.left_out]
    row = {
        "audit_id": plan.audit_id,
        "created_at": datetime.now(UTC),
        "version": __version__,
        "seed": plan.seed,
        "baseline": plan.baseline,
        "tiers": list(plan.tiers),
        "config": config_json(config),
        "plan": plan.to_json(),
        "left_out": json.dumps(left_out),
        "status": "running",
    }
    store.insert("audits", pa.Table.from_pylist([row]))
    return "new"
