"""Langfuse trace download: ``{trace, observations}``, one document a trace.

Source of the field map: langfuse.com/docs/observability/data-model and the trace download of the web interface.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from tieraudit.domain import Call, JsonObject, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.langfuse_calls import trace_items


class LangfuseTrace:
    """Token counts are made to include cached and reasoning tokens by comparing their sum with the logged total."""

    name = "langfuse-trace"
    title = "Langfuse trace download ({trace, observations})"
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
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when a trace and a list of observations stand side by side."""
        trace, observations = record.get("trace"), record.get("observations")
        return 1.0 if isinstance(trace, dict) and isinstance(observations, list) else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Call | Quarantined]:
        """Every observation as a call or as `Quarantined`; raises `Rejected` when ``record`` is not a trace."""
        if not self.matches(record):
            raise Rejected("not a Langfuse trace download")
        trace = record["trace"]
        observations = [item for item in record["observations"] if isinstance(item, dict)]
        if not record["observations"]:
            yield Quarantined(
                where.file, where.line, "not an LLM call: a trace without observations", str(trace.get("id"))
            )
        for _ in range(len(record["observations"]) - len(observations)):
            yield Quarantined(where.file, where.line, "an observation that is not a JSON object")
        yield from trace_items(self.name, [(item, where) for item in observations], trace)
