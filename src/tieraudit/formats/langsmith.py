"""LangSmith runs: JSON from its SDK and API, rows of the bulk export (Parquet, JSON inside strings).

Source of the field map: docs.langchain.com/langsmith/run-data-format, data-export, and the types of langsmith 0.15. A
run of the type ``llm`` around another one is the same call twice: LangChain's model around a wrapped client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from tieraudit.domain import Call, ContentState, Feedback, JsonObject, Quarantined, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Fragment, Item, Where
from tieraudit.formats.bodies import Exchange
from tieraudit.formats.fields import (
    elapsed_ms,
    first,
    labels,
    listing,
    mapping,
    money,
    real,
    started,
    task_hint,
    text,
    time,
)
from tieraudit.formats.python_errors import python_error
from tieraudit.formats.traced import leaf_calls, traced_exchange, traced_usage, unwrapped

CALL_TYPES = ("llm", "embedding")
TYPES = frozenset({"llm", "chain", "tool", "retriever", "embedding", "prompt", "parser"})
# invocation_params that are no parameters of the request.
NOT_PARAMETERS = frozenset(
    {
        "_type", "model_name", "engine", "deployment_name", "azure_deployment", "stream_usage", "model_kwargs",
        "ls_structured_output_format", "n_ctx", "verbose", "default_headers", "anthropic_api_url", "region_name",
    }
)  # fmt: skip
MODELS = ("model", "model_name", "model_id", "deployment_name", "azure_deployment")
SESSIONS = ("session_id", "thread_id", "conversation_id")
# What has a place of its own in a call, and the environment of the program that was traced.
NOT_METADATA = ("usage_metadata", "user_id", "revision_id")
NOT_METADATA_STARTS = ("ls_", "LANGSMITH_", "LANGCHAIN_", "__")
GENERIC = ("Chat", "OpenAI", "AzureOpenAI", "Anthropic", "Bedrock", "Fake", "Vertex", "Google")


class LangSmith:
    """Tokens include cached and reasoning ones; costs are dollars in strings; times without a zone are UTC."""

    name = "langsmith"
    title = "LangSmith runs (SDK and API JSON, bulk export)"
    fields: ClassVar[dict[str, str]] = {
        "source_id": "`id`",
        "started_at": "`start_time`",
        "latency_ms": "`end_time` - `start_time`",
        "time_to_first_token_ms": "`first_token_time`, else the first `new_token` of `events`",
        "provider": "`extra.metadata.ls_provider`",
        "request_model": "`inputs.model`, `extra.invocation_params.model`, else `ls_model_name`",
        "response_model": "`outputs.model`, `response_metadata.model_name`, `llm_output.model_name`",
        "stream": "`inputs.stream`, `extra.invocation_params.stream`, else a `new_token` in `events`",
        "messages": "`inputs`",
        "tools": "`inputs.tools`, `extra.invocation_params.tools`",
        "tool_choice": "`inputs`, `extra.invocation_params`",
        "response_format": "`inputs`, `extra.invocation_params`",
        "parameters": "`inputs`, `extra.invocation_params`",
        "text": "`outputs`",
        "tool_calls": "`outputs`",
        "refusal": "`outputs`",
        "finish_reason": "`outputs`: `finish_reason`, `generation_info`, `response_metadata`",
        "input_tokens": "`usage_metadata`, `llm_output.token_usage`, else `prompt_tokens`",
        "cache_read_input_tokens": "`input_token_details`, `prompt_token_details`",
        "cache_creation_input_tokens": "the same",
        "output_tokens": "`usage_metadata`, `llm_output.token_usage`, else `completion_tokens`",
        "reasoning_output_tokens": "`output_token_details`, `completion_token_details`",
        "total_tokens": "`usage_metadata`, else `total_tokens`",
        "logged_cost_usd": "`total_cost`",
        "error_type": "the class that `error` names",
        "error_message": "`error`",
        "http_status": "the code in `error`",
        "trace_id": "`trace_id`",
        "conversation_id": "`session_id`, `thread_id`, `conversation_id` of `extra.metadata`",
        "user_id": "`extra.metadata.user_id`, `inputs.user`",
        "task_hint": "a task-like key of `extra.metadata`, the prompt's or the graph node's name, else `name`",
        "tags": "`tags`",
        "metadata": "`extra.metadata`; the project as `session_name`",
        "feedback": "`feedback_stats`; rows with `key`, `score`, `value`, `comment` of a `run_id`",
    }

    def matches(self, record: JsonObject) -> float:
        """Sure when the row is a run with its place in a trace, or feedback on one."""
        if _is_feedback(record):
            return 1.0
        kind = record.get("run_type")
        if not isinstance(kind, str) or kind not in TYPES or "start_time" not in record:
            return 0.0
        return 1.0 if "dotted_order" in record or "trace_id" in record or "inputs" in record else 0.6

    def calls(self, record: JsonObject, where: Where) -> Iterable[Item]:
        """The run, and those inside it, as fragments of its trace; raises `Rejected` when it is no run."""
        if not self.matches(record):
            raise Rejected("not a LangSmith run")
        if _is_feedback(record):
            yield _given(self.name, record, where)
            return
        waiting = [record]
        while waiting:
            run = waiting.pop()
            waiting += [child for child in listing(run.get("child_runs")) if isinstance(child, dict)]
            yield from self._feedback(run, where)
            if run.get("run_type") in CALL_TYPES:
                told = {key: value for key, value in run.items() if key not in ("child_runs", "serialized")}
                yield Fragment(text(run.get("trace_id")) or text(run.get("id")) or "", "run", told, where)
            else:
                excerpt = f"{run.get('id')} {run.get('name')}"
                yield Quarantined(where.file, where.line, f"not an LLM call: {_kind(run)}", excerpt)

    def join(self, fragments: Sequence[Fragment]) -> Iterable[Call | Quarantined]:
        """The innermost runs of one trace as calls."""
        return leaf_calls(fragments, _parents, self._call)

    def _feedback(self, run: JsonObject, where: Where) -> Iterator[Feedback]:
        """Averages by name; what was said of the outermost run was said of its whole trace."""
        whole = run.get("run_type") not in CALL_TYPES and not text(run.get("parent_run_id"))
        source_id = None if whole else text(run.get("id"))
        for name, told in mapping(run.get("feedback_stats")).items():
            stats = mapping(told)
            value = real(first(stats, "avg", "mean"))
            votes = {word: real(votes) or 0 for word, votes in mapping(stats.get("values")).items()}
            label = max(votes, key=lambda word: votes[word]) if votes else None
            if value is not None or label is not None:
                yield Feedback(
                    self.name, where.file, where.line, source_id, text(run.get("trace_id")), name, value, label
                )

    def _call(self, run: JsonObject, where: Where) -> Call:
        extra, events = mapping(run.get("extra")), listing(run.get("events"))
        metadata, invoked = mapping(extra.get("metadata")), mapping(extra.get("invocation_params"))
        start = started(run.get("start_time"))
        embedding = run.get("run_type") == "embedding"
        parameters = _parameters(metadata, invoked, extra)
        found = traced_exchange(run.get("inputs"), run.get("outputs"), parameters)
        error = _error(run)
        response = None if error[0] or embedding or (found.response and found.response.empty) else found.response
        asked, outputs = mapping(run.get("inputs")), mapping(unwrapped(mapping(run.get("outputs"))))
        tokens = [mapping(item).get("time") for item in events if mapping(item).get("name") == "new_token"]
        streamed = first({"inputs": asked.get("stream"), "invoked": invoked.get("stream")}, "inputs", "invoked")
        token = time(run.get("first_token_time")) or (time(tokens[0]) if tokens else None)
        found = replace(found, request=None if embedding else found.request, response=response)
        return Call(
            source_format=self.name,
            source_file=where.file,
            source_line=where.line,
            source_id=text(run.get("id")),
            started_at=start,
            request=found.request,
            response=found.response if found.request is not None else None,
            content_state=ContentState.ABSENT if embedding else found.state(failed=bool(error[0])),
            provider=text(metadata.get("ls_provider")),
            request_model=text(asked.get("model"))
            or text(first(invoked, *MODELS))
            or text(metadata.get("ls_model_name")),
            response_model=_served(found, outputs),
            operation="embeddings" if embedding else found.operation,
            stream=streamed if isinstance(streamed, bool) else (True if tokens else None),
            usage=_usage(run, outputs, metadata, found),
            latency_ms=elapsed_ms(start, time(run.get("end_time"))),
            time_to_first_token_ms=elapsed_ms(start, token),
            logged_cost_usd=money(run.get("total_cost")),
            error_type=error[0],
            error_message=error[1],
            http_status=error[2],
            trace_id=text(run.get("trace_id")),
            conversation_id=text(first(metadata, *SESSIONS)),
            user_id=text(metadata.get("user_id")) or found.user_id,
            task_hint=_hint(run, metadata),
            tags=labels(run.get("tags")),
            metadata={**_metadata(run, metadata), **found.kept},
        )


def _is_feedback(record: JsonObject) -> bool:
    """True for a row of the feedback that the SDK lists apart from the runs."""
    return "run_id" in record and "key" in record and any(key in record for key in ("score", "feedback_source"))


def _given(name: str, record: JsonObject, where: Where) -> Feedback:
    score, value = record.get("score"), record.get("value")
    return Feedback(
        name,
        where.file,
        where.line,
        text(record.get("run_id")),
        text(record.get("trace_id")),
        text(record.get("key")) or "feedback",
        float(score) if isinstance(score, bool) else real(score),
        value if isinstance(value, str) else None,
        text(record.get("comment")),
        time(record.get("created_at")),
    )


def _kind(run: JsonObject) -> str:
    kind = run.get("run_type")
    return kind if isinstance(kind, str) and kind in TYPES else "no known type"


def _parents(run: JsonObject) -> Iterator[str]:
    """The ids of all runs around ``run``: its place in the trace is a path of times and ids."""
    if parent := text(run.get("parent_run_id")):
        yield parent
    for step in (text(run.get("dotted_order")) or "").split(".")[:-1]:
        yield step.rpartition("Z")[2]


def _parameters(metadata: JsonObject, invoked: JsonObject, extra: JsonObject) -> JsonObject:
    """The request's parameters beside the input; those in ``ls_...`` only when nothing else says them."""
    told = {**mapping(metadata.get("ls_invocation_params")), **mapping(extra.get("options")), **invoked}
    told.update(mapping(invoked.get("model_kwargs")))
    found = {key: value for key, value in told.items() if key not in NOT_PARAMETERS and value is not None}
    for key, name in (("ls_temperature", "temperature"), ("ls_max_tokens", "max_tokens"), ("ls_stop", "stop")):
        known = name in found or (name == "max_tokens" and "max_completion_tokens" in found)
        if metadata.get(key) is not None and not known:
            found[name] = metadata[key]
    return found


def _usage(run: JsonObject, outputs: JsonObject, metadata: JsonObject, found: Exchange) -> Usage:
    generation = listing(outputs.get("generations"))
    while generation and isinstance(generation[0], list):
        generation = generation[0]
    message = mapping(mapping(generation[0] if generation else None).get("message"))
    return traced_usage(
        first(outputs, "usage_metadata") or mapping(outputs.get("message")).get("usage_metadata"),
        message.get("usage_metadata"),
        metadata.get("usage_metadata"),
        mapping(outputs.get("llm_output")).get("token_usage"),
        outputs.get("usage"),
        {
            "input_tokens": run.get("prompt_tokens"),
            "output_tokens": run.get("completion_tokens"),
            "total_tokens": run.get("total_tokens"),
            "input_token_details": run.get("prompt_token_details"),
            "output_token_details": run.get("completion_token_details"),
        },
    )


def _served(found: Exchange, outputs: JsonObject) -> str | None:
    if found.response_model:
        return found.response_model
    items = listing(outputs.get("generations"))
    while items and isinstance(items[0], list):
        items = items[0]
    message = mapping(mapping(items[0] if items else None).get("message")) or mapping(outputs.get("message")) or outputs
    described = mapping(message.get("response_metadata"))
    return text(first(described, "model_name", "model")) or text(
        first(mapping(outputs.get("llm_output")), "model_name", "model")
    )


def _error(run: JsonObject) -> tuple[str | None, str | None, int | None]:
    told = text(run.get("error"))
    if told:
        return python_error(told)
    return ("error", None, None) if run.get("status") == "error" else (None, None, None)


def _hint(run: JsonObject, metadata: JsonObject) -> str | None:
    """What the caller calls the task; the run's own name only when it is not that of a model's class."""
    name = text(run.get("name"))
    own = name if name and not name.startswith(GENERIC) and not name.startswith("Runnable") else None
    return task_hint(metadata) or text(first(metadata, "lc_hub_repo", "langgraph_node")) or own


def _metadata(run: JsonObject, metadata: JsonObject) -> JsonObject:
    kept = {
        key: value
        for key, value in metadata.items()
        if value is not None and key not in NOT_METADATA and not key.startswith(NOT_METADATA_STARTS)
    }
    for key in ("session_name", "reference_example_id"):
        if value := text(run.get(key)):
            kept[key] = value
    return kept
