"""What a log holds: calls, rows that are none, feedback on calls, and billed sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

JsonObject = dict[str, Any]


class ContentState(StrEnum):
    """How much of the prompt and answer the log carries; only ``FULL`` calls can be replayed against the log."""

    FULL = "full"
    NO_RESPONSE = "no_response"
    REDACTED = "redacted"
    ABSENT = "absent"


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
