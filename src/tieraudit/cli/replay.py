"""`tieraudit replay`: send a sample of the calls to cheaper models until the evidence decides."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Annotated, Any

import typer

from tieraudit.cli.context import Session, session
from tieraudit.cli.output import print_json, print_table, print_text
from tieraudit.config import Config
from tieraudit.domain import Verdict
from tieraudit.errors import UsageError
from tieraudit.pipeline import decide as decide_stage
from tieraudit.pipeline import score as score_stage
from tieraudit.pipeline.judging import Judge
from tieraudit.pipeline.replay import ReplayOptions, replay
from tieraudit.pipeline.replay_plan import PlanRow, ReplayPlan
from tieraudit.pipeline.replay_result import ReplayResult
from tieraudit.scorers.base import Ask
from tieraudit.store import Store


def command(
    context: typer.Context,
    tier: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Tiers to try, with commas. Default: all below the incumbent's.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="USD", help="The most that this audit may cost, all its runs together.")
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="The most replies that this audit may ask for, in all.")
    ] = None,
    baseline: Annotated[
        str, typer.Option(metavar="logged|replay", help="Compare with the log, or rerun the incumbent where needed.")
    ] = "logged",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan and what it can cost; send nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before sending to endpoints that bill.")] = False,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Draw other calls. Default: seed of the config.")
    ] = None,
) -> None:
    """Prove or refute, task by task, that a cheaper model answers as well as the one in the log.

    Reads the tasks that `tieraudit classify` found and the tiers of tieraudit.toml. Draws calls of each task, sends
    them as they were to the tier's model, compares each answer with the logged one, and goes on where a replay is
    worth most until every task is proven, refuted or hopeless. Writes cases, replies, scores and verdicts.

    A tier is reached as its engine says: `openai` by base_url, `vllm` and `llamacpp` are started here and stopped at
    the end. Replays leave this machine only for the base_url that you wrote. Every reply is stored as it arrives: run
    the same command again after Ctrl-C, an error or an exhausted budget, and it continues without paying twice.

    With --baseline replay the incumbent is rerun where its answers vary, which is the only way to decide such tasks;
    those reruns cost the incumbent's price. Free text needs [judge] in tieraudit.toml.

    Next: `tieraudit report`.

    Example: tieraudit replay --dry-run; tieraudit replay --tier small --budget 5 --yes
    """
    shared = session(context)
    names = tuple(name.strip() for name in tier.split(",") if name.strip()) if tier else ()
    options = ReplayOptions(names, _dollars(budget), max_calls, baseline, dry_run, seed)
    config = shared.config()
    with shared.store() as store, shared.diagnostics as talk, ExitStack() as stack:
        confirm = Consent(shared, options.budget_usd, yes=yes)
        judge = None
        if config.judge is not None and not dry_run:
            judge = Judge(store, config.judge, budget_usd=options.budget_usd, confirm=confirm, progress=talk)
            stack.enter_context(judge)
        result = replay(
            store,
            config,
            options,
            score=partial(_score, config, judge),
            decide=decide_stage.decide,
            confirm=confirm,
            progress=talk,
        )
    if dry_run:
        _print_plan(shared, result.plan)
        return
    _print_result(shared, result)
    if result.budget_reached is not None:
        raise result.budget_reached


def _score(config: Config, judge: Judge | None, store: Store, audit_id: str) -> None:
    ask: Ask | None = None if judge is None else partial(judge.ask, audit_id)
    score_stage.score(store, audit_id, config=config, ask=ask)


def _dollars(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation as error:
        raise UsageError(f"--budget: not an amount: {text}", hint="--budget 5 or --budget 0.50") from error
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"--budget: not an amount: {text}", hint="--budget 5 or --budget 0.50")
    return amount


class Consent:
    """Asks a person once before calls of the log go to hosts that bill."""

    def __init__(self, shared: Session, budget_usd: Decimal | None, *, yes: bool) -> None:
        self._talk = shared.diagnostics
        self._limit = "no limit, see --budget" if budget_usd is None else f"at most ${budget_usd} in all"
        self._yes = yes
        self._agreed: set[str] = set()

    def __call__(self, hosts: tuple[str, ...]) -> None:
        """Return when all ``hosts`` are agreed to; raises `UsageError` when nobody is there to ask, or says no."""
        new = [host for host in hosts if host not in self._agreed]
        if not new:
            return
        where = " and ".join(new)
        self._talk.finish()
        if self._yes:
            self._talk.say(f"replays may be sent to {where} ({self._limit})")
        elif not sys.stdin.isatty():
            raise UsageError(
                f"replays to {where} cost money and nobody is there to ask", hint="add --yes, and --budget USD"
            )
        elif not typer.confirm(f"Send calls of the log to {where}, which bills for it ({self._limit})?", err=True):
            raise UsageError(
                "not confirmed: nothing was sent there", hint="`tieraudit replay --dry-run` shows the plan"
            )
        self._agreed.update(new)


def _print_plan(shared: Session, plan: ReplayPlan) -> None:
    if shared.json:
        print_json(_plan_json(plan))
        return
    rows = [
        [
            row.planned.name,
            row.planned.tier,
            row.planned.scorer,
            f"{row.planned.margin:g}",
            f"{row.eligible:,}",
            f"{row.most_cases:,}",
            f"{row.most_replies * row.input_tokens:,}",
            f"{row.most_replies * row.output_tokens:,}",
            _money(row.worst_usd),
        ]
        for row in plan.rows
    ]
    columns = ["task", "tier", "scorer", "margin", "calls", "most cases", "tokens in", "tokens out", "worst case"]
    print_table(columns, rows, title=f"audit {plan.audit_id}: nothing is sent yet", right=columns[3:])
    if plan.left_out:
        print_table(["not tested", "why"], [[left.name, left.reason] for left in plan.left_out])
    print_text(f"worst case: {_money(plan.worst_usd)}; most tasks are decided long before their cap")
    if plan.hosts:
        print_text(f"hosts that bill: {', '.join(plan.hosts)}")


def _print_result(shared: Session, result: ReplayResult) -> None:
    counts = result.counts()
    if shared.json:
        print_json(
            {
                "audit_id": result.audit_id,
                "status": result.status,
                "cases": result.cases,
                "replies": result.replies,
                "spent_usd": result.spent_usd,
                "verdicts": counts,
                "not_tested": [{"task": left.task_id, "reason": left.reason} for left in result.plan.left_out],
            }
        )
        return
    names = {row.planned.task_id: row.planned.name for row in result.plan.rows}
    columns = ["task", "tier", "verdict", "n", "agreement", "margin", "reason"]
    print_table(columns, [_verdict(names, verdict) for verdict in result.verdicts], right=["n", "agreement", "margin"])
    found = (
        ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items() if count) or "nothing tested"
    )
    print_text(f"{found}; {result.replies:,} replies, {_money(result.spent_usd)} spent; next: tieraudit report")


def _verdict(names: dict[str, str], verdict: Verdict) -> list[str]:
    agreement = "-"
    if verdict.agreement is not None:
        agreement = f"{verdict.agreement:.3f}"
        if verdict.agreement_low is not None and verdict.agreement_high is not None:
            agreement += f" ({verdict.agreement_low:.3f}-{verdict.agreement_high:.3f})"
    return [
        names[verdict.task_id],
        verdict.tier,
        verdict.kind.value.replace("_", " "),
        str(verdict.n),
        agreement,
        f"{verdict.margin:g}",
        verdict.reason,
    ]


def _plan_json(plan: ReplayPlan) -> dict[str, Any]:
    return {
        "audit_id": plan.audit_id,
        "dry_run": True,
        "worst_usd": plan.worst_usd,
        "hosts": list(plan.hosts),
        "tasks": [_row_json(row) for row in plan.rows],
        "not_tested": [{"task": left.task_id, "name": left.name, "reason": left.reason} for left in plan.left_out],
    }


def _row_json(row: PlanRow) -> dict[str, Any]:
    return {
        "task": row.planned.task_id,
        "name": row.planned.name,
        "tier": row.planned.tier,
        "model": row.planned.model,
        "scorer": row.planned.scorer,
        "margin": row.planned.margin,
        "calls": row.eligible,
        "most_cases": row.most_cases,
        "input_tokens": row.most_replies * row.input_tokens,
        "output_tokens": row.most_replies * row.output_tokens,
        "worst_usd": row.worst_usd,
    }


def _money(amount: Decimal | None) -> str:
    if amount is None:
        return "unknown"
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.4f}"
