"""Vertex AI request-response logging: the rows of its BigQuery table, exported as JSON, CSV or Parquet.

Source of the field map: "Log requests and responses" in the Vertex AI documentation, and the gcp_vertexai package of
elastic/integrations. Partner models keep their maker's bodies. The log may be a sample of all calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from tieraudit.domain import Call, JsonObject
from tieraudit.errors import Rejected
from tieraudit.formats.anthropic_body import anthropic_exchange
from tieraudit.formats.base import Where
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.fields import (
    count,
    decoded,
    first,
    listing,
    mapping,
    milliseconds,
    started,
    task_hint,
    text,
    time,
)
from tieraudit.formats.gemini_body import gemini_exchange
from tieraudit.formats.openai_body import openai_exchange, openai_operation
from tieraudit.formats.sse import fold_stream, is_stream

OWN = ("api_method", "logging_time", "deployed_model_id", "model_version", "request_payload", "request_id")
GEMINI_FIELDS = {
    "messages": "`contents`, `system_instruction` of the request",
    "tools": "`tools.function_declarations` of the request",
    "tool_choice": "`tool_config` of the request",
    "response_format": "`generation_config.response_schema`, `response_mime_type`",
    "parameters": "`generation_config` of the request",
    "text": "`candidates.content.parts` of the first candidate, without thoughts",
    "tool_calls": "`function_call` parts",
    "finish_reason": "`candidates.finish_reason`",
    "input_tokens": "`usage_metadata.prompt_token_count`, `tool_use_prompt_token_count`",
    "cache_read_input_tokens": "`usage_metadata.cached_content_token_count`",
    "output_tokens": "`usage_metadata.candidates_token_count` plus the thoughts",
    "reasoning_output_tokens": "`usage_metadata.thoughts_token_count`",
    "total_tokens": "`usage_metadata.total_token_count`",
}
"""Where the bodies of a Gemini call have each field."""


class VertexLog:
    """Gemini's bodies in snake_case or camelCase, Anthropic's and OpenAI's where a partner model was called."""

    name = "vertex"
    title = "Vertex AI request-response logs (BigQuery rows)"
    fields: ClassVar[dict[str, str]] = {
        **{name: told.replace("of the request", "of `full_request`") for name, told in GEMINI_FIELDS.items()},
        "source_id": "`request_id`, else the answer's `response_id`",
        "started_at": "`full_response.create_time`, else `logging_time` less the latency",
        "latency_ms": "`metadata.request_latency`",
        "provider": "always google",
        "request_model": "the last part of `model`, else of `full_request.model`",
        "response_model": "`full_response.model_version`",
        "stream": "`api_method`",
        "cache_creation_input_tokens": "the `usage` of an Anthropic answer",
        "error_type": "`full_response.error`, `prompt_feedback.block_reason`",
        "error_message": "`full_response.error.message`",
        "http_status": "`full_response.error.code`",
        "task_hint": "`full_request.labels.task`, `feature` ...",
        "metadata": "`full_request.labels`, `endpoint`, `deployed_model_id`, settings without a counterpart",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure with both bodies, or with the older payload columns, beside the columns of the table."""
        bodies = "full_request" in record or "request_payload" in record
        return 1.0 if bodies and sum(name in record for name in OWN) >= 2 else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call]:
        """The call of one row; raises `Rejected` when it is none or has no time."""
        if not self.matches(record):
            raise Rejected("not a Vertex AI request-response row")
        asked = _body(record, "full_request", "request_payload")
        answer = _body(record, "full_response", "response_payload")
        method = text(record.get("api_method")) or ""
        found = _exchange(mapping(asked), answer)
        latency = milliseconds(mapping(record.get("metadata")).get("request_latency"))
        body = mapping(answer)
        error = found.error or (None, None)
        told = {name: text(record.get(name)) for name in ("endpoint", "deployed_model_id")}
        yield Call(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=text(record.get("request_id")) or found.response_id,
            started_at=_start(record, body, latency),
            request=found.request,
            response=found.response if found.request is not None and not error[0] else None,
            content_state=found.state(failed=bool(error[0])),
            provider="google",
            request_model=_name(record.get("model")) or _name(mapping(asked).get("model")),
            response_model=found.response_model,
            operation=found.operation,
            stream="stream" in method.lower(),
            usage=found.usage,
            latency_ms=latency,
            error_type=error[0],
            error_message=error[1],
            http_status=count(mapping(body.get("error")).get("code")),
            task_hint=task_hint(found.kept),
            metadata={**found.kept, **{name: value for name, value in told.items() if value}},
        )


def _body(record: JsonObject, name: str, payload: str) -> Any:
    """A body from its own column, else from the older one: text in pieces, or the JSON of each event."""
    body = decoded(record.get(name))
    if body is not None:
        return body
    pieces = [piece for piece in listing(record.get(payload)) if isinstance(piece, str)]
    whole = decoded("".join(pieces))
    if isinstance(whole, dict | list):
        return whole
    bodies = [decoded(piece) for piece in pieces]
    return bodies[0] if len(bodies) == 1 else bodies or None


def _exchange(asked: JsonObject, answer: Any) -> Exchange:
    answered = fold_stream(answer) if is_stream(answer) else mapping(answer)
    if "anthropic_version" in asked or answered.get("type") == "message":
        return anthropic_exchange(asked, answered)
    if "messages" in asked or "choices" in answered:
        return openai_exchange("chat", asked, answered)
    if "contents" in asked or "candidates" in answered or isinstance(answer, list):
        return gemini_exchange(asked, answer)
    if "instances" in asked:
        kind = "embeddings" if "embeddings" in str(answered.get("predictions"))[:200] else "predict"
        return Exchange(None, None, operation=kind)
    kind = openai_operation("", asked, answered) or "chat"
    return openai_exchange(kind, asked, answered) if asked else gemini_exchange(asked, answer)


def _start(record: JsonObject, body: JsonObject, latency: float | None) -> datetime:
    """The log writes a row when the answer is there."""
    if (made := time(first(body, "create_time", "createTime"))) is not None:
        return made
    logged = started(record.get("logging_time"))
    return logged - timedelta(milliseconds=latency) if latency is not None and latency < 1e9 else logged


def _name(value: Any) -> str | None:
    told = text(value)
    return told.rsplit("/", 1)[-1] or None if told else None
