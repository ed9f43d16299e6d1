"""Where an audit stands after a run of `replay`, and how much more it would take."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from math import ceil
from typing import Any

from tieraudit.domain import Decision, Verdict, VerdictKind
from tieraudit.errors import BudgetReached
from tieraudit.pipeline.replay_plan import CANDIDATE_TRIALS, ReplayPlan
from tieraudit.store import Store

CENT = Decimal("0.01")
DRAWS_TO_PROVE = 4.35
"""Draws that prove perfect agreement, times the margin: 3 / margin and 45 % for not knowing the rate (METHOD 2.3)."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Where the audit stands. ``budget_reached`` is the error to end with when a limit ended it before the evidence."""

    audit_id: str
    plan: ReplayPlan
    status: str
    cases: int
    replies: int
    spent_usd: Decimal
    verdicts: tuple[Verdict, ...]
    budget_reached: BudgetReached | None = None

    def counts(self) -> dict[str, int]:
        """How many tasks and tiers ended with each verdict; tasks that a pin keeps out of the audit count as pinned."""
        found = {kind.value: sum(verdict.kind is kind for verdict in self.verdicts) for kind in VerdictKind}
        found[VerdictKind.PINNED.value] += sum(left.pinned for left in self.plan.left_out)
        return found


def read_result(store: Store, plan: ReplayPlan, status: str, decision: Decision, ended: str | None) -> ReplayResult:
    """What the store says of the audit of ``plan``; ``ended`` says which limit ended this run, if one did."""
    spent = store.one("replay_spent", audit_id=plan.audit_id)
    return ReplayResult(
        audit_id=plan.audit_id,
        plan=plan,
        status=status,
        cases=spent["cases"],
        replies=spent["replies"],
        spent_usd=spent["spent_usd"],
        verdicts=decision.verdicts,
        budget_reached=None if ended is None else _budget_reached(plan, decision, spent, ended),
    )


def _budget_reached(plan: ReplayPlan, decision: Decision, spent: dict[str, Any], ended: str) -> BudgetReached:
    open_ones = [verdict for verdict in decision.verdicts if verdict.kind is VerdictKind.UNDECIDED]
    replies = sum(_replies_left(plan, verdict) for verdict in open_ones)
    dollars = _each(plan, spent) * replies
    decided = len(decision.verdicts) - len(open_ones)
    more = f"roughly {replies:,} more replies"
    if dollars:
        more += f" and ${dollars.quantize(CENT, rounding=ROUND_UP)}"
    return BudgetReached(
        f"{ended}: {decided} of {len(decision.verdicts)} decided, {spent['replies']:,} replies, "
        f"${spent['spent_usd']:.4f} spent",
        hint=f"{more} would decide the rest: run the same command with a higher limit, it goes on from here",
    )


def _replies_left(plan: ReplayPlan, verdict: Verdict) -> int:
    most = next(row for row in plan.rows if (row.planned.task_id, row.planned.tier) == (verdict.task_id, verdict.tier))
    draws = len(most.planned.gates) * ceil(DRAWS_TO_PROVE / verdict.margin) - verdict.n
    replies_a_draw = CANDIDATE_TRIALS + 1 if verdict.stage == 2 else 1
    return max(draws, 1) * replies_a_draw


def _each(plan: ReplayPlan, spent: dict[str, Any]) -> Decimal:
    """What one more reply will cost: the mean so far, or the plan's worst case when none has come."""
    if spent["replies"]:
        return Decimal(spent["spent_usd"]) / int(spent["replies"])
    most = sum(row.most_cases for row in plan.rows)
    return (plan.worst_usd or Decimal(0)) / most if most else Decimal(0)
