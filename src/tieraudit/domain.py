"""The nouns of an audit as frozen dataclasses: no I/O, nothing of ours imported.

Call fields follow the OpenTelemetry GenAI names (``gen_ai.request.model`` -> ``request_model``). Units are in
the names. Money is ``Decimal``; times are timezone-aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

JsonObject = dict[str, Any]


class ContentState(StrEnum):
    """How much of the prompt and answer the log carries; only ``FULL`` calls can be replayed against the log."""

    FULL = "full"
    NO_RESPONSE = "no_response"
    REDACTED = "redacted"
    ABSENT = "absent"


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
class Usage:
    """Tokens of one call, one convention: ``input_tokens`` includes cached ones, ``output_tokens`` includes reasoning.

    ``None`` means that the log does not say. ``total_tokens`` is the log's own total and may differ from the sum.
    """

    input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_output_tokens: int | None = None
    total_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """What a model answered: the text, the tool calls (OpenAI shape, ``arguments`` a JSON string) or a refusal."""

    text: str | None = None
    tool_calls: tuple[JsonObject, ...] = ()
    refusal: str | None = None
    finish_reason: str | None = None

    @property
    def empty(self) -> bool:
        """True when there is neither text nor a tool call nor a refusal."""
        return not (self.text or self.tool_calls or self.refusal)

    def to_json(self) -> JsonObject:
        """The mapping that the store keeps; `from_json` reads it back."""
        return {
            "text": self.text,
            "tool_calls": list(self.tool_calls),
            "refusal": self.refusal,
            "finish_reason": self.finish_reason,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Output:
        """Inverse of `to_json`."""
        return cls(
            text=value.get("text"),
            tool_calls=tuple(value.get("tool_calls") or ()),
            refusal=value.get("refusal"),
            finish_reason=value.get("finish_reason"),
        )


@dataclass(frozen=True, slots=True)
class Call:
    """One logged LLM request with its response, in canonical form.

    ``request`` is a complete Chat Completions body (messages with the system prompt first, tools, tool_choice,
    response_format, every sampling parameter) without ``model`` and ``stream``, so that a replay is that body
    with another model. It is ``None`` when the log carries no prompt.
    """

    source_format: str
    source_file: str
    source_line: int
    source_id: str | None
    started_at: datetime
    request: JsonObject | None
    response: Output | None
    content_state: ContentState
    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    operation: str = "chat"
    stream: bool | None = None
    usage: Usage = field(default_factory=Usage)
    latency_ms: float | None = None
    time_to_first_token_ms: float | None = None
    logged_cost_usd: Decimal | None = None
    error_type: str | None = None
    error_message: str | None = None
    http_status: int | None = None
    cache_hit: bool = False
    trace_id: str | None = None
    conversation_id: str | None = None
    user_id: str | None = None
    task_hint: str | None = None
    tags: tuple[str, ...] = ()
    metadata: JsonObject = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """True when the log says that the provider did not answer."""
        return self.error_type is not None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An input row that could not become a call, with where it stands and why."""

    source_file: str
    source_line: int
    reason: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person, a test or a judge said of one call (``source_id``) or of a whole trace (``trace_id``)."""

    source_format: str
    source_file: str
    source_line: int
    source_id: str | None
    trace_id: str | None
    name: str
    value: float | None = None
    label: str | None = None
    comment: str | None = None
    given_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BilledUsage:
    """One line of a provider's own usage or cost report: a sum over calls of a period, never a call.

    It can check the audited spend; it cannot be replayed. A field is None when the report does not have it.
    """

    source_format: str
    source_file: str
    source_line: int
    started_at: datetime
    ended_at: datetime
    provider: str
    model: str | None = None
    calls: int | None = None
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    account: str | None = None
    kind: str | None = None


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
