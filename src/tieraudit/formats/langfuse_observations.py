"""Langfuse observations as rows: web interface and API (camelCase), blob storage (snake_case).

Source of the field map: langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields, and the batch
export of langfuse/langfuse (worker/src/features/database-read-stream). An observation needs its trace twice: to know
whether it is the innermost call, and, in the older blob export, for what ``traces/`` says of user, session and tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from tieraudit.domain import Call, Feedback, JsonObject, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.base import Fragment, Item, Where
from tieraudit.formats.fields import decoded, first, listing, text, time
from tieraudit.formats.langfuse_calls import is_call, kind_of, trace_items

TYPES = frozenset(
    {
        "SPAN", "GENERATION", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL",
    }
)  # fmt: skip
# The names of the trace download -> what the blob storage and the events table call it, where that differs.
OBSERVATION = {
    "id": (), "traceId": ("trace_id",), "type": (), "name": (), "parentObservationId": ("parent_observation_id",),
    "startTime": ("start_time",), "endTime": ("end_time",), "completionStartTime": ("completion_start_time",),
    "latency": (), "latencyMs": (), "timeToFirstToken": ("time_to_first_token",), "timeToFirstTokenMs": (),
    "level": (), "statusMessage": ("status_message",), "model": ("provided_model_name", "providedModelName"),
    "modelParameters": ("model_parameters",), "input": (), "output": (), "metadata": (),
    "usageDetails": ("usage_details",), "inputUsage": (), "outputUsage": (), "totalUsage": (), "usage": (),
    "costDetails": ("cost_details",), "totalCost": ("total_cost",), "calculatedTotalCost": (),
    "toolCalls": ("tool_calls",), "toolCallNames": ("tool_call_names",), "toolDefinitions": ("tool_definitions",),
    "promptName": ("prompt_name",), "promptVersion": ("prompt_version",), "environment": (),
}  # fmt: skip
TRACE = {"sessionId": ("session_id",), "userId": ("user_id",), "tags": (), "release": ()}
TRACE_ROW = {**TRACE, "id": (), "name": (), "metadata": ()}
# Columns that are lists and no scores; a score's column is called as the team called the score.
NO_SCORES = frozenset(
    {"tags", "traceTags", "toolCalls", "toolCallNames", "comments", "input", "output", "metadata", "modelParameters"}
)


class LangfuseObservations:
    """Rows of one trace are handed on as fragments; scores and comments in columns of their own become feedback."""

    name = "langfuse-observations"
    title = "Langfuse observations (web interface, blob storage, API)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`id`",
        "started_at": "`startTime`, `start_time`",
        "latency_ms": "end - start, else `latencyMs`, `latency`",
        "time_to_first_token_ms": "`completionStartTime`, `completion_start_time`, else `timeToFirstTokenMs` ...",
        "provider": "`gen_ai.provider.name`, `ls_provider` ... in the metadata",
        "request_model": "`gen_ai.request.model`, else `model`, `providedModelName`, `provided_model_name`",
        "response_model": "`gen_ai.response.model`, else the same",
        "stream": "`modelParameters.stream`",
        "messages": "`input`",
        "tools": "`input.tools`, `toolDefinitions`, `tool_definitions`, the metadata",
        "tool_choice": "`input`, `modelParameters`, `model_parameters`",
        "response_format": "`input`, `modelParameters`, `model_parameters`",
        "parameters": "`modelParameters`, `model_parameters`",
        "text": "`output`",
        "tool_calls": "`output`, else `tool_calls` with `tool_call_names`",
        "refusal": "`output`",
        "finish_reason": "`output`",
        "input_tokens": "`usageDetails`, `usage_details`",
        "cache_read_input_tokens": "the same",
        "cache_creation_input_tokens": "the same",
        "output_tokens": "the same",
        "reasoning_output_tokens": "the same",
        "total_tokens": "the same",
        "logged_cost_usd": "`totalCost`, `total_cost`",
        "error_type": "`level: ERROR`",
        "error_message": "`statusMessage`, `status_message`",
        "trace_id": "`traceId`, `trace_id`",
        "conversation_id": "`sessionId`, `session_id`, also of `traces/`; else the trace's id",
        "user_id": "`userId`, `user_id`, also of `traces/`",
        "task_hint": "`promptName`, `prompt_name`, else the generation's or the trace's name",
        "tags": "`tags`, `traceTags`, also of `traces/`",
        "metadata": "`metadata`, also of `traces/`",
        "feedback": "a column for each score, `comments`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure for an observation with its trace and start, likely for a row of ``traces/``."""
        if _is_observation(record) or _page(record):
            return 1.0
        return 0.9 if _is_trace(record) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Item]:
        """The row as a fragment of its trace, with its feedback; raises `Rejected` when it is no such row."""
        if page := _page(record):
            for row in page:
                if _is_observation(row):
                    yield from self.calls(row, where)
                else:
                    yield Quarantined(where.file, where.line, "a row of a page that is no observation")
        elif _is_observation(record):
            item = _renamed(record, OBSERVATION)
            trace_id = text(item.get("traceId"))
            yield from _feedback(self.name, record, where, text(item.get("id")), trace_id)
            if not is_call(item):
                excerpt = f"{item.get('id')} {item.get('name')}"
                yield Quarantined(where.file, where.line, f"not an LLM call: {kind_of(item)}", excerpt)
                return
            trace = {
                "id": trace_id,
                "name": first(record, "traceName", "trace_name"),
                "tags": record.get("traceTags"),
                **_renamed(record, TRACE),
            }
            parts = {"observation": item, "trace": {key: value for key, value in trace.items() if value is not None}}
            yield Fragment(trace_id or text(item.get("id")) or "", "observation", parts, where)
        elif _is_trace(record):
            trace = _renamed(record, TRACE_ROW)
            trace_id = text(trace.get("id"))
            yield from _feedback(self.name, record, where, None, trace_id)
            yield Fragment(trace_id or "", "trace", {"trace": trace}, where)
        else:
            raise Rejected("not a Langfuse observation or trace")

    def join(self, fragments: Sequence[Fragment]) -> Iterable[Call | Quarantined]:
        """The calls of one trace; what its own row says of user, session and tags goes to each."""
        trace: JsonObject = {}
        observations: list[tuple[JsonObject, Where]] = []
        for fragment in sorted(fragments, key=lambda part: part.part != "trace"):
            told = fragment.record.get("trace")
            if isinstance(told, dict):
                trace = {**told, **trace}
            item = fragment.record.get("observation")
            if isinstance(item, dict):
                observations.append((item, fragment.where))
        return trace_items(self.name, observations, trace)


def _is_observation(record: Any) -> bool:
    if not isinstance(record, dict) or not isinstance(record.get("type"), str) or record["type"] not in TYPES:
        return False
    camel = "traceId" in record and "startTime" in record
    return camel or ("trace_id" in record and "start_time" in record)


def _page(record: JsonObject) -> list[Any]:
    """The rows of one answer of ``GET /api/public/observations``."""
    rows = record.get("data")
    return rows if "meta" in record and isinstance(rows, list) and rows and _is_observation(rows[0]) else []


def _is_trace(record: JsonObject) -> bool:
    if "bookmarked" not in record or "timestamp" not in record or "id" not in record:
        return False
    return "type" not in record and ("public" in record or "tags" in record or "observationCount" in record)


def _renamed(record: JsonObject, names: Mapping[str, tuple[str, ...]]) -> JsonObject:
    """``record`` under the names of the trace download, without what is empty."""
    found = {name: first(record, name, *others) for name, others in names.items()}
    return {name: value for name, value in found.items() if value is not None}


def _feedback(
    name: str, record: JsonObject, where: Where, source_id: str | None, trace_id: str | None
) -> Iterator[Feedback]:
    """The scores and comments of a row of the web interface's export; blob storage rows have none."""
    for column, told in record.items():
        values = decoded(told)
        if column in NO_SCORES or not isinstance(values, list):
            continue
        for value in values:
            if (given := _score(value)) is not None:
                yield Feedback(
                    name, where.file, where.line, source_id, trace_id, column,
                    value=given if isinstance(given, float) else None, label=given if isinstance(given, str) else None,
                )  # fmt: skip
    for comment in listing(record.get("comments")):
        if isinstance(comment, dict) and (written := text(comment.get("content"))):
            given_at = time(first(comment, "created_at", "createdAt"))
            yield Feedback(
                name, where.file, where.line, source_id, trace_id, "comment", comment=written, given_at=given_at
            )


def _score(value: Any) -> float | str | None:
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 2**53:
        return None
    return float(value)
