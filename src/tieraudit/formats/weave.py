"""Weights & Biases Weave calls: the export of the web interface (JSONL, JSON, CSV, Parquet) and the API's stream.

Source of the field map: the types of weave 0.54 (``trace_server_interface``) and its integrations. Every traced
function is a row; those of the model clients are calls. Token counts are added up towards the root, so that only a row
without another such row below it counts. A value may be a ``weave:///`` reference to what is in no export.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from tieraudit.domain import Call, Feedback, JsonObject, Quarantined, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Fragment, Item, Where
from tieraudit.formats.chat import content_state
from tieraudit.formats.fields import (
    decoded,
    elapsed_ms,
    encoded,
    first,
    listing,
    mapping,
    milliseconds,
    money,
    real,
    started,
    task_hint,
    text,
    time,
)
from tieraudit.formats.python_errors import python_error
from tieraudit.formats.traced import PARAMETERS, leaf_calls, traced_exchange, traced_usage

REFERENCE = "weave:///"
INTERNAL = "weave-trace-internal:///"
# What the integrations call the functions of model clients.
CLIENT = re.compile(
    r"(?:^|[./])(?:(?P<provider>openai|anthropic|litellm|mistralai|mistral|groq|cohere|together|cerebras|vertexai|bedrock"
    r"|huggingface_hub|nvidia|google|ollama|langchain|llama_index|dspy)[._])"
    r"(?:.*(?:create|complet|chat|generate|embed|parse|stream|converse|invoke|message|llm|lm|predict))",
    re.I,
)
EMBEDDING = re.compile(r"embed", re.I)
# Arguments that are no parameters of the request.
NOT_PARAMETERS = frozenset({"self", "args", "kwargs", "_type", "extra_headers", "extra_query", "timeout"})
CONTENT = ("messages", "input", "prompt", "contents")
FLAT = ("inputs", "output", "attributes", "summary")
PER_MODEL = ("summary.usage.", "summary.weave.costs.")
SESSIONS = ("session_id", "thread_id", "conversation_id")


class Weave:
    """Tokens include cached and reasoning ones; a table spreads what is nested over columns with dots."""

    name = "weave"
    title = "Weights & Biases Weave calls (web interface, API)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`id`",
        "started_at": "`started_at`",
        "latency_ms": "`ended_at` - `started_at`, else `summary.weave.latency_ms`",
        "provider": "the client that `op_name` names",
        "request_model": "`inputs.model`, else the model of `summary.usage`",
        "response_model": "`output.model`",
        "stream": "`inputs.stream`",
        "messages": "`inputs`",
        "tools": "`inputs.tools`",
        "tool_choice": "`inputs.tool_choice`",
        "response_format": "`inputs.response_format`",
        "parameters": "`inputs`",
        "text": "`output`",
        "tool_calls": "`output`",
        "refusal": "`output`",
        "finish_reason": "`output`",
        "input_tokens": "`output.usage`, else `summary.usage`",
        "cache_read_input_tokens": "the same",
        "cache_creation_input_tokens": "the same",
        "output_tokens": "the same",
        "reasoning_output_tokens": "the same",
        "total_tokens": "the same",
        "logged_cost_usd": "`summary.weave.costs`",
        "error_type": "the class that `exception` names",
        "error_message": "`exception`",
        "http_status": "the code in `exception`",
        "trace_id": "`trace_id`",
        "conversation_id": "`thread_id`, else `session_id` ... of `attributes`",
        "user_id": "`attributes.user_id`, `inputs.user`",
        "task_hint": "a task-like key of `attributes`, else `display_name`",
        "metadata": "`attributes`",
        "feedback": "`summary.weave.feedback`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the row names its operation, trace and start."""
        return 1.0 if "op_name" in record and "started_at" in record and "trace_id" in record else 0.0

    def calls(self, record: JsonObject, where: Where) -> Iterable[Item]:
        """The row as a fragment of its trace, with its feedback; raises `Rejected` when it is no such row."""
        if not self.matches(record):
            raise Rejected("not a Weave call")
        row = _nested(record)
        yield from self._feedback(row, where)
        client, usage = CLIENT.search(_operation(row)), mapping(mapping(row.get("summary")).get("usage"))
        if client or (usage and mapping(row.get("inputs"))):
            yield Fragment(text(row.get("trace_id")) or text(row.get("id")) or "", "call", row, where)
        else:
            excerpt = f"{row.get('id')} {_operation(row)}"
            yield Quarantined(where.file, where.line, "not an LLM call: a traced function without tokens", excerpt)

    def join(self, fragments: Sequence[Fragment]) -> Iterable[Call | Quarantined]:
        """The innermost model calls of one trace; a function around one has its tokens too."""
        by_id = {text(fragment.record.get("id")): fragment.record for fragment in fragments}

        def parents(row: JsonObject) -> Iterator[str]:
            seen: set[str] = set()
            while (parent := text(row.get("parent_id"))) and parent not in seen:
                seen.add(parent)
                yield parent
                row = by_id.get(parent, {})

        return leaf_calls(fragments, parents, self._call, kind="a traced function")

    def _feedback(self, row: JsonObject, where: Where) -> Iterator[Feedback]:
        told = mapping(mapping(row.get("summary")).get("weave")).get("feedback")
        for item in listing(told):
            given = mapping(item)
            payload, kind = mapping(given.get("payload")), text(given.get("feedback_type"))
            value = decoded(first(payload, "value", "output"))
            name = (kind or "feedback").removeprefix("wandb.").removesuffix(".1")
            label, note = text(first(payload, "alias", "emoji")), text(payload.get("note"))
            if isinstance(value, bool):
                number: float | None = float(value)
            else:
                number = real(value) if not isinstance(value, str) else None
                label = label or text(value)
            if number is not None or label or note:
                yield Feedback(
                    self.name, where.file, where.line, text(row.get("id")), text(row.get("trace_id")), name,
                    number, label, note, time(given.get("created_at")),
                )  # fmt: skip

    def _call(self, row: JsonObject, where: Where) -> Call:
        inputs, attributes = mapping(row.get("inputs")), mapping(row.get("attributes"))
        summary = mapping(row.get("summary"))
        told = mapping(summary.get("weave"))
        start = started(row.get("started_at"))
        operation = _operation(row)
        embedding = EMBEDDING.search(operation) is not None
        asked = {**inputs, **mapping(inputs.get("kwargs"))}
        body = {key: value for key, value in asked.items() if key not in NOT_PARAMETERS and not _is_reference(value)}
        body.update(mapping(body.pop("extra_body", None)))
        found = traced_exchange(body, None if _is_reference(row.get("output")) else row.get("output"), {})
        error = _error(row, told)
        hidden = any(_is_reference(asked.get(key)) for key in CONTENT)
        request = None if embedding or hidden else found.request
        whole = request is None or not _holds_reference(request)
        client = CLIENT.search(operation)
        streamed, latency = inputs.get("stream"), elapsed_ms(start, time(row.get("ended_at")))
        response = None if error[0] or request is None else found.response
        usage = summary.get("usage")
        return Call(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=text(row.get("id")),
            started_at=start,
            request=request,
            response=response,
            content_state=content_state(request, response, complete=found.whole and whole),
            provider=client["provider"].lower() if client else None,
            request_model=text(asked.get("model")) or _model(usage),
            response_model=found.response_model,
            operation="embeddings" if embedding else found.operation,
            stream=streamed if isinstance(streamed, bool) else None,
            usage=_usage(found.usage, usage),
            latency_ms=latency if latency is not None else milliseconds(told.get("latency_ms")),
            logged_cost_usd=_cost(told.get("costs")),
            error_type=error[0],
            error_message=error[1],
            http_status=error[2],
            trace_id=text(row.get("trace_id")),
            conversation_id=text(row.get("thread_id")) or text(first(attributes, *SESSIONS)),
            user_id=text(attributes.get("user_id")) or found.user_id,
            task_hint=task_hint(attributes) or text(row.get("display_name")),
            metadata={**{key: value for key, value in attributes.items() if key != "weave"}, **found.kept},
        )


def _nested(record: JsonObject) -> JsonObject:
    """``record`` with the columns of a table put together again; a model's name may hold dots itself."""
    if not any(key.startswith(tuple(f"{name}." for name in FLAT)) for key in record):
        return record
    row: JsonObject = {key: value for key, value in record.items() if key.partition(".")[0] not in FLAT}
    for key, value in record.items():
        for start in PER_MODEL:
            if key.startswith(start) and "." in key.removeprefix(start):
                path = [*start.rstrip(".").split("."), *key.removeprefix(start).rsplit(".", 1)]
                break
        else:
            path = key.split(".") if key.partition(".")[0] in FLAT else []
        at = row
        for step in path[:-1]:
            inner = at.get(step)
            if not isinstance(inner, dict):
                inner = at[step] = mapping(inner)
            at = inner
        if path:
            at[path[-1]] = _typed(path[-1], value)
    return row


def _typed(name: str, value: Any) -> Any:
    """A value of a table; parameters are numbers and truth values there only as text."""
    value = decoded(value)
    if not isinstance(value, str) or name not in PARAMETERS | {"stream"}:
        return value
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    read = decoded(f"[{value}]")
    return read[0] if isinstance(read, list) and len(read) == 1 and isinstance(read[0], int | float) else value


def _operation(row: JsonObject) -> str:
    """The function's name: of a reference what stands between the last slash and the version."""
    name = text(row.get("op_name")) or ""
    return name.rsplit("/", 1)[-1].split(":", 1)[0] if name.startswith((REFERENCE, INTERNAL)) else name


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and value.startswith((REFERENCE, INTERNAL))


def _holds_reference(request: JsonObject) -> bool:
    written = encoded(request)
    return REFERENCE in written or INTERNAL in written


def _model(usage: Any) -> str | None:
    models = list(mapping(usage))
    return text(models[0]) if len(models) == 1 else None


def _usage(body: Usage, usage: Any) -> Usage:
    """The answer's own report, else what Weave added up for this call."""
    return body if body != Usage() else traced_usage(*mapping(usage).values())


def _cost(costs: Any) -> Decimal | None:
    parts = [
        amount
        for model in mapping(costs).values()
        for key, value in mapping(model).items()
        if key.endswith("_total_cost") and (amount := money(value)) is not None
    ]
    return sum(parts, Decimal()) if parts else None


def _error(row: JsonObject, told: Mapping[str, Any]) -> tuple[str | None, str | None, int | None]:
    if exception := text(row.get("exception")):
        return python_error(exception)
    return ("error", None, None) if told.get("status") == "error" else (None, None, None)
