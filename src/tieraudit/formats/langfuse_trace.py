"""Langfuse traces with their observations: the download ``{trace, observations}`` and the answer of the API.

Source of the field map: langfuse.com/docs/observability/data-model, the trace download of the web interface, and
``GET /api/public/traces/{id}``, where the observations and scores stand in the trace itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from tieraudit.domain import Call, Feedback, JsonObject, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.fields import listing, mapping
from tieraudit.formats.langfuse_calls import trace_items
from tieraudit.formats.langfuse_scores import langfuse_score


class LangfuseTrace:
    """Token counts are made to include cached and reasoning tokens by comparing their sum with the logged total."""

    name = "langfuse-trace"
    title = "Langfuse traces (download, API)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "the observation's `id`",
        "started_at": "`startTime`",
        "latency_ms": "`endTime` - `startTime`, else `latency`",
        "time_to_first_token_ms": "`completionStartTime`",
        "provider": "`gen_ai.provider.name`, `ls_provider` ... in the metadata",
        "request_model": "`gen_ai.request.model`, else `model`",
        "response_model": "`gen_ai.response.model`, else `model`",
        "stream": "`modelParameters.stream`",
        "messages": "`input`",
        "tools": "`input.tools`, the metadata",
        "tool_choice": "`input`, `modelParameters`",
        "response_format": "`input`, `modelParameters`",
        "parameters": "`modelParameters`",
        "text": "`output`",
        "tool_calls": "`output`",
        "refusal": "`output`",
        "finish_reason": "`output`, the metadata",
        "input_tokens": "`usageDetails`",
        "cache_read_input_tokens": "`usageDetails`",
        "cache_creation_input_tokens": "`usageDetails`",
        "output_tokens": "`usageDetails`",
        "reasoning_output_tokens": "`usageDetails`",
        "total_tokens": "`usageDetails.total`",
        "logged_cost_usd": "`totalCost`",
        "error_type": "`level: ERROR`",
        "error_message": "`statusMessage`",
        "trace_id": "the trace's `id`",
        "conversation_id": "the trace's `sessionId`, else its `id`",
        "user_id": "the trace's `userId`",
        "task_hint": "`promptName`, else the generation's name",
        "tags": "the trace's `tags`",
        "metadata": "`metadata`",
        "feedback": "`scores`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when a trace and a list of observations stand side by side, or one in the other."""
        if not isinstance(record.get("observations"), list):
            return 0.0
        inside = all(key in record for key in ("id", "timestamp", "scores"))
        return 1.0 if inside or isinstance(record.get("trace"), dict) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call | Quarantined | Feedback]:
        """Every observation as a call or as `Quarantined`; raises `Rejected` when ``record`` is not a trace."""
        if not self.matches(record):
            raise Rejected("not a Langfuse trace download")
        trace = record["trace"] if isinstance(record.get("trace"), dict) else record
        observations = [item for item in record["observations"] if isinstance(item, dict)]
        if not record["observations"]:
            yield Quarantined(
                where.file, where.line, "not an LLM call: a trace without observations", str(trace.get("id"))
            )
        for _ in range(len(record["observations"]) - len(observations)):
            yield Quarantined(where.file, where.line, "an observation that is not a JSON object")
        for score in [*listing(record.get("scores")), *(listing(trace.get("scores")) if trace is not record else ())]:
            told = {"traceId": trace.get("id"), **mapping(score)}
            if isinstance(score, dict) and (given := langfuse_score(self.name, told, where)) is not None:
                yield given
        yield from trace_items(self.name, [(item, where) for item in observations], trace)
