"""A span and what its dialects say of it as a call, for every format that holds spans."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tieraudit.domain import Call, JsonObject, Output, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.chat import announced, chat_request, content_state
from tieraudit.formats.dialects.reading import Kind, Reading
from tieraudit.formats.fields import count, decoded, first, mapping, milliseconds, text
from tieraudit.formats.inclusive import inclusive
from tieraudit.formats.otlp_tree import Node

OTHER_SPAN = "not an LLM call: a span of another kind"
WRAPPER = "not an LLM call of its own: a span around another"
COPY = "not an LLM call of its own: another span tells of the same answer"
AGENT_RUN = "not an LLM call: an agent's run"
CONTENT = {"chat", "text_completion", "responses", "anthropic_messages"}
# Attributes that have a field, or describe the process and not the call.
NOT_METADATA = (
    "gen_ai.", "llm.", "ai.", "openinference.", "input.", "output.", "http.", "server.", "net.", "network.", "url.",
    "telemetry.", "otel.", "thread.", "code.", "logfire.", "langfuse.", "mlflow.", "traceloop.", "gcp.vertex.",
    "openai.", "aws.", "peer.", "user.", "session.", "enduser.", "error.", "exception.", "tag.", "embedding.",
    "pydantic_ai.", "operation.", "span.", "internal.", "service.", "az.", "client.", "db.", "rpc.",
    "metadata.user_api_key", "hidden_params",
)  # fmt: skip
NOT_KEPT = {
    "metadata", "events", "all_messages_events", "all_messages", "final_result", "model_request_parameters", "tags",
    "request_data", "response_data", "agent_name", "model_name", "resource.name", "async", "error",
}  # fmt: skip
COUNTED = ("input", "cached_tokens", "input_cache_write", "output", "reasoning_tokens", "total")
LONGEST = 500  # of an attribute that is kept as metadata


def judge(node: Node, where: Where, name: str) -> Call | Quarantined:
    """The call of one span as the format ``name`` gives it, or why it is none."""
    kind = node.reading.kind
    if node.unreadable is not None:
        reason = node.unreadable
    elif kind is Kind.AGENT:
        reason = AGENT_RUN
    elif kind not in (Kind.CALL, Kind.OUTER):
        reason = OTHER_SPAN
    elif node.wraps:
        reason = WRAPPER
    elif node.copy_of is not None:
        reason = COPY
    else:
        try:
            return make_call(node.span, node.reading, where, name)
        except Rejected as told:
            reason = told.message
    return Quarantined(where.file, where.line, reason, excerpt(node.span))


def make_call(span: JsonObject, reading: Reading, where: Where, name: str) -> Call:
    """The call that ``reading`` and its ``span`` tell of; raises `Rejected` when it has no start time."""
    start = moment(span.get("start"))
    if start is None:
        raise Rejected("no start time")
    operation = reading.operation or "chat"
    error, message, status = _failure(span, reading)
    request, complete = _request(span, reading) if operation in CONTENT else (None, True)
    response = None if error or operation not in CONTENT else _response(reading)
    end, lasted = span.get("end"), reading.latency_ms
    if lasted is None and isinstance(end, int) and end >= span["start"]:
        lasted = (end - span["start"]) / 1e6
    return Call(
        source_format=name,
        source_file=where.file,
        source_line=where.line,
        source_id=reading.response_id or text(span.get("span")),
        started_at=start,
        request=request,
        response=response,
        content_state=content_state(request, response, complete=complete),
        provider=reading.provider,
        request_model=reading.request_model or reading.response_model,
        response_model=reading.response_model,
        operation=operation,
        stream=reading.stream,
        usage=inclusive(*(reading.usage.get(key) for key in COUNTED), embedding=operation == "embeddings"),
        latency_ms=lasted,
        time_to_first_token_ms=reading.ttft_ms,
        logged_cost_usd=reading.cost,
        error_type=error,
        error_message=message,
        http_status=status,
        trace_id=text(span.get("trace")),
        conversation_id=reading.conversation_id,
        user_id=reading.user_id,
        task_hint=reading.hints[min(reading.hints)] if reading.hints else None,
        tags=reading.tags,
        metadata={**_own(span), **reading.metadata},
    )


def _request(span: JsonObject, reading: Reading) -> tuple[JsonObject | None, bool]:
    """The canonical request, and whether it is all there."""
    prompt = reading.prompt
    if prompt is None:
        return None, True
    messages = list(prompt.messages)
    parameters = {**reading.parameters, **prompt.parameters}
    system = parameters.pop("system", None) or reading.system
    if isinstance(system, str) and messages[0].get("role") not in ("system", "developer"):
        messages.insert(0, {"role": "system", "content": system})
    tools = prompt.tools or reading.tools
    request = chat_request({**parameters, "tools": tools or None}, messages)
    answered = reading.output is not None and reading.output.tool_calls
    called = answered or any("tool_calls" in item for item in request["messages"])
    known = bool(tools) or not called or (reading.whole and not answered)
    if not tools and (choice := request.pop("tool_choice", None)) is not None:
        known = known and choice in ("auto", "none")
    complete = prompt.complete and reading.complete and known and not span.get("cut")
    return request, bool(complete and announced(request["messages"]))


def _response(reading: Reading) -> Output | None:
    told = reading.output
    if told is None or (told.empty and reading.finish is None):
        return None
    if told.empty:
        return None
    # What the span says of the end is in the provider's words; a call of a tool is an end for tools in any.
    reason = reading.finish or told.finish_reason
    return Output(
        text=told.text, tool_calls=told.tool_calls, refusal=told.refusal,
        finish_reason="tool_calls" if told.tool_calls and reason in (None, "stop") else reason,
    )  # fmt: skip


def _failure(span: JsonObject, reading: Reading) -> tuple[str | None, str | None, int | None]:
    """(error type, message, HTTP status); three times None for a call that succeeded."""
    attributes = span["attributes"]
    named = text(attributes.get("error.type")) or reading.error_type
    if not (span.get("failed") or named):
        return None, None, None
    thrown: JsonObject = next((e["attributes"] for e in span["events"] if e["name"] == "exception"), {})
    kind = named or text(thrown.get("exception.type")) or text(attributes.get("exception.type")) or "error"
    message = text(span.get("status")) or reading.error_message
    message = message or text(first({**attributes, **thrown}, "exception.message", "error.message"))
    status = count(first(attributes, "http.response.status_code", "http.status_code"))
    if status is None and len(kind) == 3 and kind.isdigit():
        status = int(kind)
    return kind, message, status


def _own(span: JsonObject) -> JsonObject:
    """The attributes that the caller set itself, and which service and environment it was."""
    kept: JsonObject = {}
    resource = mapping(span.get("resource"))
    for key in ("service.name", "deployment.environment.name", "deployment.environment", "langfuse.environment"):
        if (value := text(resource.get(key))) is not None and not value.startswith("unknown_service"):
            kept[key] = value
    for key, value in span["attributes"].items():
        short = isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= LONGEST)
        if short and key not in NOT_KEPT and not key.startswith((*NOT_METADATA, "annotations.", "evaluations.")):
            kept[key] = value
    return kept


def moment(nanoseconds: Any) -> datetime | None:
    """Nanoseconds since 1970 as a moment."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC) if isinstance(nanoseconds, int) else None


def score(value: Any) -> float | None:
    """A number that someone gave, which may be negative; a yes is one."""
    value = decoded(value)
    if isinstance(value, bool):
        return float(value)
    negative = isinstance(value, int | float) and value < 0
    number = milliseconds(-value if negative else value)
    return -number if negative and number is not None else number


def excerpt(span: JsonObject) -> str:
    """What a person can find the span by."""
    return f"{span.get('span')} {span.get('name')}"[:200]
