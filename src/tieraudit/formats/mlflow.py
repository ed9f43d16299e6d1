"""MLflow traces as JSON: ``{info, data: {spans}}``, and the rows of a search with the spans as a column.

Source of the field map: mlflow/mlflow, mlflow/entities (trace, trace_info, span, assessment), mlflow/tracing/constant.
Every attribute of a span is JSON, its values JSON in JSON; the spans of a trace stand together, so nothing is joined.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from tieraudit.domain import Call, Feedback, JsonObject, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.dialects.reading import PROMPT, WORKFLOW, Reading
from tieraudit.formats.fields import decoded, first, listing, mapping, task_hint, text, time
from tieraudit.formats.otlp_calls import judge, score
from tieraudit.formats.otlp_tree import Node, build
from tieraudit.formats.otlp_values import identity
from tieraudit.formats.otlp_wire import entry


class MLflow:
    """Session, user and tags stand at the trace, everything else on its spans."""

    name = "mlflow"
    title = "MLflow traces ({info, data: {spans}})"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "the `id` in `mlflow.spanOutputs`, else the span's id",
        "started_at": "the span's `start_time_unix_nano`",
        "latency_ms": "`end_time_unix_nano` - `start_time_unix_nano`",
        "time_to_first_token_ms": "the event `mlflow.chunk.item.0`",
        "provider": "`mlflow.llm.provider`",
        "request_model": "`mlflow.spanInputs.model`, `mlflow.llm.model`",
        "response_model": "`mlflow.spanOutputs.model`",
        "stream": "`mlflow.spanInputs.stream`",
        "messages": "`mlflow.spanInputs`",
        "tools": "`mlflow.spanInputs.tools`, `mlflow.chat.tools`",
        "tool_choice": "`mlflow.spanInputs`",
        "response_format": "`mlflow.spanInputs`",
        "parameters": "the rest of `mlflow.spanInputs`",
        "text": "`mlflow.spanOutputs`",
        "tool_calls": "`mlflow.spanOutputs`",
        "refusal": "`mlflow.spanOutputs`",
        "finish_reason": "`mlflow.spanOutputs`",
        "input_tokens": "`mlflow.chat.tokenUsage`, `mlflow.spanOutputs.usage`",
        "cache_read_input_tokens": "`mlflow.chat.tokenUsage`, `mlflow.spanOutputs.usage`",
        "cache_creation_input_tokens": "`mlflow.chat.tokenUsage`, `mlflow.spanOutputs.usage`",
        "output_tokens": "`mlflow.chat.tokenUsage`, `mlflow.spanOutputs.usage`",
        "reasoning_output_tokens": "`mlflow.spanOutputs.usage`",
        "total_tokens": "`mlflow.chat.tokenUsage`",
        "logged_cost_usd": "`mlflow.llm.cost`",
        "error_type": "the event `exception`, else the span's status",
        "error_message": "the span's status",
        "trace_id": "`info.trace_id`",
        "conversation_id": "`mlflow.trace.session` in the trace's metadata",
        "user_id": "`mlflow.trace.user` in the trace's metadata",
        "task_hint": "`mlflow.linkedPrompts`, the traced function's name, `mlflow.traceName`",
        "metadata": "the trace's tags, expected answers, the span's own attributes",
        "feedback": "`info.assessments`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure for a trace with its spans, in either form."""
        info, spans = _open(record)
        return 1.0 if info is not None and spans is not None else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterator[Call | Feedback | Quarantined]:
        """Every span as a call or as `Quarantined`, and what was said of them."""
        info, told = _open(record)
        if info is None or told is None:
            raise Rejected("not an MLflow trace")
        if not told:
            yield Quarantined(where.file, where.line, "not an LLM call: a trace without spans")
        spans = [plain for item in told if (plain := _span(mapping(item))) is not None]
        for _ in range(len(told) - len(spans)):
            yield Quarantined(where.file, where.line, "a span that cannot be read")
        for span in spans:
            span["above"] = [span["parent"]]
        nodes = build(spans)
        about = _about(info)
        for node in nodes:
            if node.is_call:
                node.reading.add(about)
            item = judge(node, where, self.name)
            if isinstance(item, Call):
                yield replace(item, trace_id=text(first(info, "trace_id", "request_id")) or item.trace_id)
            else:
                yield item
        yield from self._feedback(info, nodes, where)

    def _feedback(self, info: JsonObject, nodes: list[Node], where: Where) -> Iterator[Feedback]:
        known = {node.span["span"]: node for node in nodes if node.is_call and node.span["span"]}
        for item in listing(info.get("assessments")):
            note = mapping(item)
            name = text(first(note, "assessment_name", "name"))
            if name is None or "feedback" not in note:
                continue
            value = decoded(mapping(note["feedback"]).get("value"))
            node = known.get(identity(note.get("span_id")) or "")
            yield Feedback(
                source_format=self.name,
                source_file=where.file,
                source_line=where.line,
                source_id=None if node is None else node.reading.response_id or text(node.span["span"]),
                trace_id=text(first(info, "trace_id", "request_id")),
                name=name,
                value=score(value),
                label=value if isinstance(value, str) else None,
                comment=text(note.get("rationale")),
                given_at=time(first(note, "create_time", "create_time_ms")),
            )


def _open(record: JsonObject) -> tuple[JsonObject | None, list[Any] | None]:
    """What is said of the trace, and its spans; None for what is not there."""
    info, data = decoded(record.get("info")), decoded(record.get("data"))
    if isinstance(info, dict) and isinstance(data, dict):
        spans = decoded(data.get("spans"))
        named = "trace_id" in info or "request_id" in info
        return (info if named else None), spans if isinstance(spans, list) else None
    spans = decoded(record.get("spans"))
    if isinstance(spans, list) and any(key in record for key in ("trace_metadata", "request_metadata")):
        return record, spans
    return None, None


def _span(item: JsonObject) -> JsonObject | None:
    """A span in plain form, its attributes decoded: they are all JSON."""
    plain = entry(item, {})
    if plain is None or plain["what"] != "span":
        return None
    plain["attributes"] = {key: decoded(value) for key, value in plain["attributes"].items()}
    return plain


def _about(info: JsonObject) -> Reading:
    """What the trace says of all its calls."""
    told = {**mapping(info.get("request_metadata")), **mapping(info.get("trace_metadata"))}
    tags = mapping(info.get("tags"))
    found = Reading()
    found.conversation_id = text(told.get("mlflow.trace.session"))
    found.user_id = text(told.get("mlflow.trace.user"))
    found.metadata = {key: value for key, value in tags.items() if not key.startswith("mlflow.")}
    expected = {
        str(first(note, "assessment_name", "name")): mapping(note["expectation"]).get("value")
        for item in listing(info.get("assessments"))
        if "expectation" in (note := mapping(item))
    }
    if expected:
        found.metadata["expected"] = expected
    prompts = listing(tags.get("mlflow.linkedPrompts"))
    if len(prompts) == 1:  # of several, the trace does not say which call used which
        found.hint(PROMPT, mapping(prompts[0]).get("name"))
    found.hint(PROMPT, task_hint(found.metadata))
    found.hint(WORKFLOW, tags.get("mlflow.traceName"))
    return found
