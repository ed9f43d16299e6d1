"""OpenTelemetry spans and log records of LLM calls, in OTLP/JSON and the other encodings of the same things.

Source of the field map: the GenAI semantic conventions (open-telemetry/semantic-conventions-genai) and the dialects in
`tieraudit.formats.dialects`; of the envelopes, `tieraudit.formats.otlp_wire`. Spans of one trace are judged together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from tieraudit.domain import Call, Feedback, JsonObject, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.base import Fragment, Item, Where
from tieraudit.formats.dialects import events, read_span, speaks
from tieraudit.formats.dialects.reading import Kind, nested
from tieraudit.formats.fields import listing, mapping, text
from tieraudit.formats.otlp_calls import OTHER_SPAN, excerpt, judge, make_call, moment, score
from tieraudit.formats.otlp_tree import build
from tieraudit.formats.otlp_wire import entries, holds_telemetry

OTHER_LOG = "not an LLM call: a log record of another kind"


class OpenTelemetry:
    """A span that no dialect knows is counted at once; the others wait for the rest of their trace."""

    name = "otlp"
    title = "OpenTelemetry spans and log records (OTLP/JSON, ClickHouse, Jaeger)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`gen_ai.response.id`, `ai.response.id`, the `id` in `output.value`, else the span's id",
        "started_at": "`startTimeUnixNano`",
        "latency_ms": "`endTimeUnixNano` - `startTimeUnixNano`",
        "time_to_first_token_ms": "`gen_ai.response.time_to_first_chunk`, `ai.response.msToFirstChunk`, events",
        "provider": "`gen_ai.provider.name`, `gen_ai.system`, `llm.provider`, `ai.model.provider`",
        "request_model": "`gen_ai.request.model`, `llm.invocation_parameters.model`, `ai.model.id`",
        "response_model": "`gen_ai.response.model`, `llm.model_name`, `ai.response.model`",
        "stream": "`gen_ai.request.stream`, `llm.is_streaming`",
        "messages": "`gen_ai.input.messages`, `gen_ai.prompt.N`, `llm.input_messages.N`, `ai.prompt.messages`, events",
        "tools": "`gen_ai.tool.definitions`, `llm.request.functions.N`, `llm.tools.N`, `ai.prompt.tools`",
        "tool_choice": "`llm.invocation_parameters`, `ai.prompt.toolChoice`",
        "response_format": "`gen_ai.request.structured_output_schema`, `gen_ai.output.type`, `ai.schema`",
        "parameters": "`gen_ai.request.*`, `llm.invocation_parameters`, `ai.settings.*`",
        "text": "`gen_ai.output.messages`, `gen_ai.completion.N`, `llm.output_messages.N`, `ai.response.text`, events",
        "tool_calls": "the same, and `ai.response.toolCalls`",
        "refusal": "`gen_ai.completion.N.refusal`, `output.value`",
        "finish_reason": "`gen_ai.response.finish_reasons`, `llm.finish_reason`, `ai.response.finishReason`",
        "input_tokens": "`gen_ai.usage.input_tokens`, `llm.token_count.prompt`, `ai.usage.*`",
        "cache_read_input_tokens": "`gen_ai.usage.cache_read.input_tokens` and its other spellings",
        "cache_creation_input_tokens": "`gen_ai.usage.cache_creation.input_tokens` and its other spellings",
        "output_tokens": "`gen_ai.usage.output_tokens`, `llm.token_count.completion`, `ai.usage.*`",
        "reasoning_output_tokens": "`gen_ai.usage.reasoning.output_tokens` and its other spellings",
        "total_tokens": "`gen_ai.usage.total_tokens`, `llm.usage.total_tokens`, `llm.token_count.total`",
        "logged_cost_usd": "`gen_ai.usage.cost`, `llm.cost.total`, `operation.cost`",
        "error_type": "`error.type`, the event `exception`, status 2",
        "error_message": "the status' message, else the event `exception`",
        "http_status": "`http.response.status_code`, else `error.type` when it is a number",
        "trace_id": "`traceId`",
        "conversation_id": "`gen_ai.conversation.id`, `session.id` and the like",
        "user_id": "`user.id`, `enduser.id` and the like",
        "task_hint": "the name of prompt, function, step, agent or workflow, also of the spans around it",
        "tags": "`tag.tags`, `langfuse.trace.tags`, `logfire.tags`",
        "metadata": "the caller's own attributes, and `metadata`",
        "feedback": "the event `gen_ai.evaluation.result`, `annotations.N`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure for an envelope, a span or a log record."""
        return 1.0 if holds_telemetry(record) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Item]:
        """Spans and log records of LLM calls as fragments of their trace, evaluations as feedback, others counted."""
        if not holds_telemetry(record):
            raise Rejected("neither spans nor log records of OpenTelemetry")
        found = list(entries(record))
        if not found:
            yield Quarantined(where.file, where.line, "not an LLM call: an envelope without spans")
        parents = {item["span"]: item["parent"] for item in found if item["what"] == "span" and item["span"]}
        for at, item in enumerate(found):
            if item["what"] == "unreadable":
                yield Quarantined(where.file, where.line, "a span or log record that cannot be read")
            elif item["what"] == "log":
                yield from self._log(item, at, where)
            elif not speaks(item):
                yield Quarantined(where.file, where.line, OTHER_SPAN, excerpt(item))
            else:
                yield from self._judged(item, where)
                kept = {**item, "above": _above(item, parents)}
                yield Fragment(item["trace"] or f"{where.file}:{where.line}:{at}", "span", kept, where)

    def join(self, fragments: Sequence[Fragment]) -> Iterator[Call | Quarantined]:
        """The calls of one trace; log records go to the span that they name."""
        spans = [part for part in fragments if part.part == "span"]
        beside: dict[str, list[JsonObject]] = {}
        for part in fragments:
            if part.part == "event":
                beside.setdefault(str(part.record.get("span")), []).append(part.record["event"])
        records = [_with_events(part.record, beside.get(str(part.record.get("span")), [])) for part in spans]
        for node in build(records):
            yield judge(node, spans[node.at].where, self.name)
        known = {str(record.get("span")) for record in records}
        for part in fragments:
            alone = part.part == "event" and str(part.record.get("span")) not in known
            if alone and part.record["event"]["name"] == events.DETAILS:
                yield _alone(part)

    def _log(self, item: JsonObject, at: int, where: Where) -> Iterator[Item]:
        event = item["event"]
        name = event["name"]
        if name == events.EVALUATION:
            yield self._evaluation(event, item.get("trace"), None, where)
        elif name in events.NAMES:
            kept = {"trace": item["trace"], "span": item["span"], "event": event}
            yield Fragment(item["trace"] or f"{where.file}:{where.line}:{at}", "event", kept, where)
        else:
            yield Quarantined(where.file, where.line, OTHER_LOG, name[:80])

    def _judged(self, span: JsonObject, where: Where) -> Iterator[Feedback]:
        """What events and annotations say of the span's call."""
        told = [event for event in span["events"] if event["name"] == events.EVALUATION]
        notes = [
            mapping(mapping(item).get(inner))
            for prefix, inner in (("annotations", "annotation"), ("evaluations", "evaluation"))
            for item in listing(nested(span["attributes"], prefix))
        ]
        if not told and not any(notes):
            return
        source_id = _source_id(span)
        for event in told:
            yield self._evaluation(event, span["trace"], source_id, where)
        for note in notes:
            if (name := text(note.get("name"))) is not None:
                yield self._feedback(name, note, span, source_id, where)

    def _evaluation(self, event: JsonObject, trace: str | None, source_id: str | None, where: Where) -> Feedback:
        told = {**mapping(event.get("body")), **event["attributes"]}
        return Feedback(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=text(told.get("gen_ai.response.id")) or source_id,
            trace_id=trace,
            name=text(told.get("gen_ai.evaluation.name")) or "evaluation",
            value=score(told.get("gen_ai.evaluation.score.value")),
            label=text(told.get("gen_ai.evaluation.score.label")),
            comment=text(told.get("gen_ai.evaluation.explanation")),
            given_at=moment(event.get("time")),
        )

    def _feedback(self, name: str, note: JsonObject, span: JsonObject, source_id: str | None, where: Where) -> Feedback:
        result = {**note, **mapping(note.get("result"))}
        return Feedback(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=source_id,
            trace_id=span["trace"],
            name=name,
            value=score(result.get("score")),
            label=text(result.get("label")),
            comment=text(result.get("explanation")),
            given_at=None,
        )


def _source_id(span: JsonObject) -> str | None:
    """The id of the span's call; None when it has none."""
    try:
        reading = read_span(span)
    except Rejected:
        return None
    return (reading.response_id or text(span["span"])) if reading.kind in (Kind.CALL, Kind.OUTER) else None


def _alone(part: Fragment) -> Call | Quarantined:
    """A call that stands in one log record, whose span is in no file."""
    event = part.record["event"]
    span = {
        "span": part.record.get("span"), "trace": part.record.get("trace"), "name": "", "start": event["time"],
        "end": None, "attributes": {**mapping(event["body"]), **event["attributes"]}, "events": [], "failed": False,
        "status": None, "cut": False, "resource": {},
    }  # fmt: skip
    try:
        return make_call(span, read_span(span), part.where, "otlp")
    except Rejected as told:
        return Quarantined(part.where.file, part.where.line, told.message)


def _with_events(span: JsonObject, found: list[JsonObject]) -> JsonObject:
    return {**span, "events": [*span["events"], *found]} if found else span


def _above(span: JsonObject, parents: dict[str, Any]) -> list[str]:
    """The ids above a span as far as its own record knows them; the last may stand in another record."""
    chain: list[str] = []
    at = span["parent"]
    while isinstance(at, str) and at not in chain and len(chain) < 100:
        chain.append(at)
        at = parents.get(at)
    return chain
