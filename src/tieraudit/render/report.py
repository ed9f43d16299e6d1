"""The report as data, before it is drawn: every number with its n, its interval and its source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from tieraudit.domain import Recogniser, VerdictKind


@dataclass(frozen=True, slots=True)
class Interval:
    """An amount with its 95 % interval; ``low`` and ``high`` are None where the log is too short for one."""

    value: Decimal
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One replayed case: the prompt (cut), both answers and how far they agree."""

    call_id: str
    prompt: str
    incumbent_answer: str
    candidate_answer: str
    agreement: float | None
    detail: str


@dataclass(frozen=True, slots=True)
class TierEvidence:
    """What the replays of one task at one tier showed."""

    tier: str
    model: str
    verdict: VerdictKind
    n: int
    errors: int
    agreement: float | None
    agreement_low: float | None
    agreement_high: float | None
    self_agreement: float | None
    margin: float
    e_value: float
    threshold: float
    scorer: str
    p_good: float | None
    reason: str
    wealth: tuple[float, ...]
    latency_ms_p50: float | None
    latency_ms_p95: float | None
    worst: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One line of the report: a task, the tier it is assigned to, its money per month, and its evidence by tier."""

    task_id: str
    name: str
    type: str
    type_confidence: float
    prior: str
    stakes: str | None
    stakes_because: str | None
    mixed: bool
    calls: int
    share_of_spend: float
    incumbent_model: str
    incumbent_latency_ms_p50: float | None
    incumbent_latency_ms_p95: float | None
    tier: str
    model: str
    verdict: VerdictKind
    reason: str
    cost_now_usd_month: Decimal
    cost_then_usd_month: Decimal
    plausible_usd_month: Decimal
    template: str
    recogniser: Recogniser | None
    evidence: tuple[TierEvidence, ...]

    @property
    def savings_usd_month(self) -> Decimal:
        """What the assignment saves per month; zero when the task stays."""
        return self.cost_now_usd_month - self.cost_then_usd_month


@dataclass(frozen=True, slots=True)
class TierTotal:
    """What one tier costs now and then, per month, and how many calls it serves."""

    tier: str
    models: tuple[str, ...]
    cost_now_usd_month: Decimal
    cost_then_usd_month: Decimal
    calls_now: int
    calls_then: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The headline: per month of 30.4375 days, and per year of 365 days where a CFO budgets by the year."""

    cost_now_usd_month: Interval
    cost_then_usd_month: Interval
    savings_usd_month: Interval
    savings_usd_year: Interval
    plausible_usd_month: Decimal
    kept_usd_month: Decimal
    audit_cost_usd: Decimal
    unpriced_calls: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What was audited: the log's window, how many calls, and what was left out."""

    first_call: datetime
    last_call: datetime
    days: float
    calls: int
    failed_calls: int
    quarantined_rows: int
    duplicate_rows: int
    content_share: float
    tasks: int
    tail_calls: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a renderer may say.

    ``assumptions`` are sentences, each with its source; ``dollar_fdr`` is the stated error rate.
    """

    schema: str
    version: str
    audit_id: str
    created_at: datetime
    baseline: str
    finished: bool
    dollar_fdr: float
    seed: int
    cases: int
    scope: Scope
    totals: Totals
    tiers: tuple[TierTotal, ...]
    tasks: tuple[TaskRow, ...]
    assumptions: tuple[str, ...]


class Renderer(Protocol):
    """Draws a report. Everything that stems from a log is hostile here: escape it for the medium."""

    name: str
    file_name: str | None

    def render(self, report: Report) -> bytes:
        """The bytes of the file ``file_name`` (the terminal renderer has none and its bytes go to stdout)."""
