"""The report as data, before it is drawn: every number with its n, its interval and its source."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from tieraudit.domain import Recogniser, VerdictKind


class Period(StrEnum):
    """What the report's amounts are for: a month of 30.4375 days, or the log's own window when it is under 24 hours."""

    MONTH = "month"
    WINDOW = "window"


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
class WealthPath:
    """What a dollar became, replay by replay, when bet against "worse than allowed" at one gate.

    ``gate`` is ``agreement``, or ``macro`` where each label counts the same; of several gates the lowest end counts.
    """

    gate: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TierEvidence:
    """What the replays of one task at one tier showed.

    ``bar`` is the agreement that the candidate must exceed; None where no single level says it (a judge's wins less
    losses). ``savings_usd`` is what the move would save per `Report.period`; None when the candidate has no price.
    """

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
    bar: float | None
    e_value: float
    threshold: float
    scorer: str
    stage: int
    p_good: float | None
    reason: str
    savings_usd: Decimal | None
    wealth: tuple[WealthPath, ...]
    latency_ms_p50: float | None
    latency_ms_p95: float | None
    worst: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One line of the report: a task, the tier it is assigned to, its money per `Report.period`, its evidence by tier.

    ``incumbent_model`` is the model that most of its logged calls name. ``moves`` is true when ``tier`` is not the
    incumbent's. ``plausible_usd`` is the savings that an undecided task would bring times the chance that it is good.
    """

    task_id: str
    name: str
    type: str
    type_confidence: float
    prior: str
    stakes: str | None
    stakes_because: str | None
    mixed: bool
    is_tail: bool
    calls: int
    share_of_spend: float
    incumbent_model: str
    incumbent_latency_ms_p50: float | None
    incumbent_latency_ms_p95: float | None
    tier: str
    model: str
    moves: bool
    verdict: VerdictKind
    reason: str
    cost_now_usd: Decimal
    cost_then_usd: Decimal
    savings_low_usd: Decimal | None
    savings_high_usd: Decimal | None
    plausible_usd: Decimal
    template: str
    recogniser: Recogniser | None
    evidence: tuple[TierEvidence, ...]

    @property
    def savings_usd(self) -> Decimal:
        """What the assignment saves; zero when the task stays."""
        return self.cost_now_usd - self.cost_then_usd

    @property
    def deciding(self) -> TierEvidence | None:
        """The evidence behind the assignment: the assigned tier's, else that of the tier with most replays."""
        for found in self.evidence:
            if found.tier == self.tier:
                return found
        return max(self.evidence, key=lambda found: found.n, default=None)

    @property
    def proven(self) -> bool:
        """True when the task moves and the evidence, not only a pin, says so."""
        return self.moves and any(
            found.tier == self.tier and found.verdict is VerdictKind.PROVEN for found in self.evidence
        )

    @property
    def tested(self) -> bool:
        """True when at least one replay was scored."""
        return any(found.n for found in self.evidence)


@dataclass(frozen=True, slots=True)
class TierTotal:
    """What one tier costs now and then, per `Report.period`, and how many of the log's calls it serves.

    ``dedicated_usd_month`` is what one GPU of this tier costs when it is rented around the clock; None when hosted.
    """

    tier: str
    models: tuple[str, ...]
    cost_now_usd: Decimal
    cost_then_usd: Decimal
    calls_now: int
    calls_then: int
    dedicated_usd_month: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """The headline, per `Report.period`; per year of 365 days where a CFO budgets by the year (None for a window).

    ``savings`` = ``proven_usd`` + ``pinned_usd``, the second being moves that a user's pin ordered without proof.
    ``kept_usd`` is the spend that stays where it is, ``undecided_usd`` the part of it whose tests are still open.
    ``audit_cost_usd`` covers every reply that the audit used, ``audit_new_cost_usd`` only those it paid for itself.
    """

    cost_now: Interval
    cost_then: Interval
    savings: Interval
    savings_year: Interval | None
    proven_usd: Decimal
    pinned_usd: Decimal
    plausible_usd: Decimal
    kept_usd: Decimal
    undecided_usd: Decimal
    outside_usd: Decimal
    audit_cost_usd: Decimal
    audit_new_cost_usd: Decimal
    audit_unpriced_replies: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What was audited: the log's window, how many calls, and what was left out.

    ``days`` are whole days; ``outside_calls`` belong to no task (embeddings and the like).
    """

    first_call: datetime
    last_call: datetime
    days: int
    calls: int
    failed_calls: int
    unpriced_calls: int
    quarantined_rows: int
    duplicate_rows: int
    content_share: float
    tasks: int
    tail_calls: int
    outside_calls: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence that the figures rest on, with where it comes from.

    ``kind`` is ``price``, ``hardware``, ``estimate`` or ``risk``.
    """

    kind: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a renderer may say, and nothing that depends on when or where it is drawn.

    ``created_at`` is the time of the last call in the log. ``dollar_fdr`` is the stated error rate. ``cases`` and
    ``replies`` count what the audit drew and what it used.
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
    replies: int
    period: Period
    incumbent_tier: str
    scope: Scope
    totals: Totals
    tiers: tuple[TierTotal, ...]
    tasks: tuple[TaskRow, ...]
    statements: tuple[Statement, ...]


class Renderer(Protocol):
    """Draws a report. Everything that stems from a log is hostile here: escape it for the medium."""

    name: str
    file_name: str | None

    def render(self, report: Report) -> bytes:
        """The bytes of the file ``file_name`` (the terminal renderer has none and its bytes go to stdout)."""
