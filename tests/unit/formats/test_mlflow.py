"""MLflow: what stands at the trace, what on its spans, and the older forms of both."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Feedback, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.mlflow import MLflow

START = 1_790_000_000_000_000_000
ASKED = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
SAID = {"id": "r1", "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}]}


def span(name: str, parent: str | None = None, *, kind: str = "CHAT_MODEL", **more: Any) -> dict[str, Any]:
    attributes = {"mlflow.spanType": kind, **more.pop("attributes", {})}
    return {
        "trace_id": "ab" * 16,
        "span_id": name.encode().hex().ljust(16, "0"),
        "parent_span_id": parent.encode().hex().ljust(16, "0") if parent else "",
        "name": name,
        "start_time_unix_nano": START,
        "end_time_unix_nano": START + 5_000_000,
        "status": {"code": "STATUS_CODE_OK"},
        "attributes": {key: json.dumps(value) for key, value in attributes.items()},
        **more,
    }


def read(*spans: dict[str, Any], **info: Any) -> list[Call | Feedback | Quarantined]:
    trace = {"info": {"trace_id": "tr-1", "state": "OK", **info}, "data": {"spans": list(spans)}}
    return list(MLflow().calls(trace, Where("log", 1)))


def call(*spans: dict[str, Any], **info: Any) -> Call:
    (found,) = [item for item in read(*spans, **info) if isinstance(item, Call)]
    return found


def chat(name: str = "chat", parent: str | None = None, **attributes: Any) -> dict[str, Any]:
    told = {key.replace("__", "."): value for key, value in attributes.items()}
    return span(name, parent, attributes={"mlflow.spanInputs": ASKED, "mlflow.spanOutputs": SAID, **told})


def test_a_call_has_the_traces_people_and_tags() -> None:
    metadata = {"mlflow.trace.session": "s", "mlflow.trace.user": "u"}
    found = call(chat(), trace_metadata=metadata, tags={"mlflow.traceName": "desk", "branch": "east"})
    assert (found.trace_id, found.conversation_id, found.user_id) == ("tr-1", "s", "u")
    assert (found.task_hint, found.metadata) == ("desk", {"branch": "east"})
    assert (found.source_id, found.latency_ms, found.content_state) == ("r1", 5, ContentState.FULL)


def test_a_wrapper_of_the_same_type_is_not_counted() -> None:
    items = read(chat("outer"), chat("inner", "outer"))
    assert [type(item) for item in items] == [Quarantined, Call]


def test_tokens_that_leave_cached_ones_out_are_added_up() -> None:
    usage = {"input_tokens": 12, "output_tokens": 6, "total_tokens": 18, "cache_read_input_tokens": 128}
    found = call(chat(mlflow__chat__tokenUsage=usage)).usage
    assert (found.input_tokens, found.cache_read_input_tokens, found.total_tokens) == (140, 128, 18)


def test_feedback_names_its_span_and_an_expectation_is_kept_beside_the_call() -> None:
    said = [
        {"name": "tone", "feedback": {"value": 0.5}, "span_id": chat()["span_id"], "create_time": "2026-09-21"},
        {"assessment_name": "kind", "feedback": {"value": "yes"}, "rationale": "warm"},
        {"assessment_name": "answer", "expectation": {"value": "hello"}},
    ]  # fmt: skip
    items = read(chat(), assessments=said)
    notes = [item for item in items if isinstance(item, Feedback)]
    assert [(note.source_id, note.name, note.value, note.label, note.comment) for note in notes] == [
        ("r1", "tone", 0.5, None, None),
        (None, "kind", None, "yes", "warm"),
    ]
    assert notes[0].given_at is not None
    assert [item.metadata for item in items if isinstance(item, Call)] == [{"expected": {"answer": "hello"}}]


def test_langchains_messages_and_generations() -> None:
    told = {
        "mlflow.spanInputs": [[{"type": "system", "content": "Be kind."}, {"type": "human", "content": "hi"}]],
        "mlflow.spanOutputs": {"generations": [[{"text": "hello", "message": {"type": "ai", "content": "hello"}}]]},
    }
    found = call(span("ChatOpenAI", attributes=told))
    assert found.request is not None and found.response is not None
    assert [message["role"] for message in found.request["messages"]] == ["system", "user"]
    assert found.response.text == "hello"


def test_a_row_of_a_search_holds_the_spans_as_text() -> None:
    row = {"trace_id": "tr-1", "trace_metadata": "{}", "spans": json.dumps([chat()])}
    assert MLflow().matches(row) == 1.0
    (found,) = MLflow().calls(row, Where("log", 1))
    assert isinstance(found, Call) and found.content_state is ContentState.FULL


def test_a_trace_without_spans_is_counted_and_a_foreign_record_refused() -> None:
    (item,) = read()
    assert isinstance(item, Quarantined) and item.reason == "not an LLM call: a trace without spans"
    with pytest.raises(Rejected):
        list(MLflow().calls({"info": {}, "data": {"spans": []}}, Where("log", 1)))
