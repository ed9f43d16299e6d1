"""Braintrust spans: the wrapped client's shapes, scores, errors as Python prints them, a table like the rows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Feedback, Quarantined, Usage
from tieraudit.formats.base import Fragment, Item, Where
from tieraudit.formats.braintrust import Braintrust
from tieraudit.formats.framing import Row, read_rows

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
READER = Braintrust()


def read(name: str) -> list[Item]:
    items: list[Item] = []
    fragments: dict[str, list[Fragment]] = {}
    for row in read_rows(LOGS / name):
        assert isinstance(row, Row)
        for item in READER.calls(row.record, Where("log", row.line)):
            if isinstance(item, Fragment):
                fragments.setdefault(item.key, []).append(item)
            else:
                items.append(item)
    for parts in fragments.values():
        items += READER.join(parts)
    return items


def calls(name: str = "braintrust.jsonl") -> dict[str, Call]:
    return {str(item.source_id)[-1:]: item for item in read(name) if isinstance(item, Call)}


def test_the_parameters_are_taken_from_the_metadata_and_the_rest_stays_there() -> None:
    call = calls()["2"]
    assert call.request is not None and call.response is not None
    assert set(call.request) == {"messages", "temperature", "tools", "tool_choice"}
    assert call.metadata == {"task": "order answer", "session_id": "session-6", "branch": "Ulm"}
    assert call.response.tool_calls[0]["function"]["name"] == "find_order"
    assert call.usage == Usage(1200, 1024, None, 40, 32, 1240)
    assert (call.latency_ms, call.time_to_first_token_ms) == (750, 210)
    assert (call.user_id, call.conversation_id, call.trace_id) == ("customer-17", "session-6", "bt-1")
    assert (call.task_hint, call.logged_cost_usd, call.stream) == ("order answer", Decimal("0.000200000"), True)
    assert call.content_state is ContentState.FULL


def test_an_anthropic_answer_keeps_its_system_prompt_and_cache() -> None:
    call = calls()["3"]
    assert call.request is not None and call.response is not None
    assert call.request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert call.response.text == "It is on its way." and call.response.finish_reason == "stop"
    assert call.response_model == "claude-haiku-4-5-20251001"
    assert call.usage == Usage(2000, 500, 1400, 30, None, 2030)


def test_the_items_of_the_responses_api_are_an_answer() -> None:
    call = calls()["7"]
    assert call.request == {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Open the till of the shop next door"},
        ],
        "max_completion_tokens": 50,
    }
    assert call.response is not None and call.response.refusal == "I cannot help with that."


def test_only_the_innermost_span_counts_and_scores_find_their_call() -> None:
    items = read("braintrust.jsonl")
    assert [item.reason for item in items if isinstance(item, Quarantined)] == [
        "not an LLM call: task",
        "not an LLM call: tool",
        "not an LLM call of its own: llm around another",
    ]
    given = [item for item in items if isinstance(item, Feedback)]
    assert [(item.source_id, item.trace_id, item.name, item.value) for item in given] == [
        (None, "bt-1", "solved", 1.0),
        ("bt-row-2", "bt-1", "correct", 0.5),
    ]


def test_a_failure_has_its_class_message_and_status() -> None:
    call = calls()["6"]
    assert (call.error_type, call.error_message, call.http_status) == ("RateLimitError", "slow down", 429)


def test_a_table_says_the_same_as_json() -> None:
    first, again = calls("braintrust@table.csv")["2"], calls()["2"]
    assert (first.request, first.response, first.usage) == (again.request, again.response, again.usage)
    assert (first.metadata, first.started_at, first.tags) == (again.metadata, again.started_at, again.tags)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"name": "APIError", "message": "down", "status": 503}, ("APIError", "down", 503)),
        ("it broke", ("error", "it broke", None)),
        (["x"], ("error", '["x"]', None)),
    ],
)
def test_an_error_may_be_any_json(error: Any, told: tuple[str, str, int | None]) -> None:
    row = {"id": "r", "span_id": "s", "created": "2026-10-26T17:00:00Z", "span_attributes": {"type": "llm"}}
    (fragment,) = READER.calls({**row, "error": error}, Where("log", 1))
    assert isinstance(fragment, Fragment)
    (call,) = READER.join([fragment])
    assert isinstance(call, Call)
    assert (call.error_type, call.error_message, call.http_status) == told


def test_an_uploaded_image_makes_the_prompt_incomplete() -> None:
    image = {"type": "image_url", "image_url": {"url": {"type": "braintrust_attachment", "key": "k"}}}
    row = {"id": "r", "span_id": "s", "created": "2026-10-26T17:00:00Z", "span_attributes": {"type": "llm"}}
    answered = {"role": "assistant", "content": "A form."}
    (fragment,) = READER.calls(
        {**row, "input": [{"role": "user", "content": [image]}], "output": answered}, Where("log", 1)
    )
    assert isinstance(fragment, Fragment)
    (call,) = READER.join([fragment])
    assert isinstance(call, Call) and call.content_state is ContentState.REDACTED
