"""What an audit makes of the calls: tasks, cases, replies, scores, verdicts, assignments."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from tieraudit.domain.calls import Output, Usage


class Role(StrEnum):
    """Who gave a reply: the model that served the call in the log, or a cheaper one that is tried."""

    INCUMBENT = "incumbent"
    CANDIDATE = "candidate"


class VerdictKind(StrEnum):
    """What the evidence says of one task at one tier."""

    PROVEN = "proven"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    NOT_AUDITABLE = "not_auditable"
    PINNED = "pinned"


class TaskType(StrEnum):
    """The taxonomy of what a task asks for."""

    EXTRACTION = "extraction"
    FORMAT_CONVERSION = "format conversion"
    CLASSIFICATION = "classification"
    SENTIMENT = "sentiment"
    ROUTING = "routing"
    LOG_PARSING = "log parsing"
    TEMPLATE = "template generation"
    SUMMARISATION = "summarisation"
    REWRITING = "rewriting"
    TRANSLATION = "translation"
    RAG = "RAG answer"
    CODE_GENERATION = "code generation"
    CODE_REVIEW = "code review"
    TOOL_USE = "tool use"
    DRAFTING = "drafting"
    CREATIVE = "creative"
    MATH = "math"
    REASONING = "complex reasoning"
    LEGAL = "legal"
    STRATEGY = "strategy"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Recogniser:
    """How a router can know the task at request time, with precision and recall measured on the log.

    ``kind`` is one of ``tag``, ``system_sha256``, ``system_regex``, ``user_regex``, ``tools``, ``similar``, ``none``.
    """

    kind: str
    value: Any = None
    precision: float | None = None
    recall: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A group of calls that want the same kind of work: the unit of decision."""

    task_id: str
    name: str
    type: TaskType
    type_confidence: float
    prior: str
    stakes: str | None
    stakes_because: str | None
    mixed: bool
    is_tail: bool
    calls: int
    spend_usd: Decimal | None
    recognisers: tuple[Recogniser, ...] = ()
    output_shape: str = "text"


@dataclass(frozen=True, slots=True)
class Case:
    """A call drawn for replay; ``draw`` numbers the draws of one task, gate and stage, in order."""

    case_id: UUID
    audit_id: str
    task_id: str
    call_id: UUID
    tier: str
    gate: str
    stage: int
    draw: int
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What one model answered to one request, trial n; the same request is never paid twice."""

    request_key: str
    model: str
    endpoint: str
    trial: int
    output: Output | None
    usage: Usage
    cost_usd: Decimal | None
    latency_ms: float
    time_to_first_token_ms: float | None
    error_type: str | None = None
    error_message: str | None = None
    served_model: str | None = None
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """How far two outputs agree: ``value`` lies in [0, 1], or in [-1, 1] for a pairwise judge (win, tie, loss)."""

    value: float
    scorer: str
    version: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence says of one task at one tier, with everything that a sceptic needs to check it."""

    task_id: str
    tier: str
    model: str
    kind: VerdictKind
    n: int
    agreement: float | None
    agreement_low: float | None
    agreement_high: float | None
    self_agreement: float | None
    margin: float
    e_value: float
    threshold: float
    scorer: str
    stage: int
    errors: int
    reason: str
    p_good: float | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The tier a task goes to, why, and what it costs now and then, per month of 30.4375 days."""

    task_id: str
    tier: str
    model: str
    verdict: VerdictKind
    reason: str
    cost_now_usd_month: Decimal
    cost_then_usd_month: Decimal


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task under test at one tier, fixed before the first replay: ``weight_usd`` is its spend in the log's window.

    ``gates`` are the hypotheses that must all be rejected: ``agreement`` always, ``macro`` for labels.
    """

    task_id: str
    name: str
    tier: str
    model: str
    weight_usd: Decimal
    margin: float
    scorer: str
    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Want:
    """The next replays that are worth most: ``count`` more draws of one task, tier, gate and stage."""

    task_id: str
    tier: str
    gate: str
    stage: int
    count: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What `decide` says after a batch: a verdict for every planned task and tier, and what to replay next."""

    verdicts: tuple[Verdict, ...]
    wants: tuple[Want, ...]
