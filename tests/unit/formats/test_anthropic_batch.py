"""Message batches: results get prompt and time from the requests; every kind of result is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Quarantined
from tieraudit.formats.anthropic_batch import AnthropicBatch
from tieraudit.formats.base import Fragment, Where
from tieraudit.formats.fields import started

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
LINES = [
    json.loads(line)
    for name in ("anthropic-batch.jsonl", "anthropic-batch@lines.jsonl")
    for line in (LOGS / name).read_text(encoding="utf-8").splitlines()
]


def parts(records: list[dict[str, Any]]) -> list[Fragment]:
    found = [item for n, record in enumerate(records, 1) for item in AnthropicBatch().calls(record, Where("log", n))]
    return [item for item in found if isinstance(item, Fragment)]


def joined(key: str) -> Call | Quarantined:
    (item,) = AnthropicBatch().join([part for part in parts(LINES) if part.key == key])
    return item


def call_of(key: str) -> Call:
    call = joined(key)
    assert isinstance(call, Call)
    return call


def test_a_result_gets_prompt_and_time_from_its_request() -> None:
    call = call_of("letter-1")
    assert call.content_state is ContentState.FULL
    assert call.started_at == started("2026-10-29T06:00:00Z")
    assert call.request is not None
    assert call.request["messages"][0] == {"role": "system", "content": "Sort the letter."}
    assert call.request["stop"] == ["END"]
    assert (call.usage.input_tokens, call.usage.cache_read_input_tokens) == (930, 900)
    assert (call.request_model, call.response_model) == ("claude-haiku-4-5", "claude-haiku-4-5-20251001")
    assert (call.tags, call.user_id) == (("batch",), "customer-3")
    assert call.metadata == {"service_tier": "auto", "batch": True, "custom_id": "letter-1"}


def test_tool_calls_are_kept() -> None:
    response = call_of("letter-2").response
    assert response is not None and response.finish_reason == "tool_calls"
    assert response.tool_calls[0]["function"] == {"name": "find_order", "arguments": '{"n":5}'}


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("letter-3", ("invalid_request_error", "max_tokens: too small")),
        ("letter-4", ("api_error", "Internal server error")),
        ("letter-5", ("expired", None)),
    ],
)
def test_failures_are_nested_flat_or_bare_words(key: str, error: Any) -> None:
    call = call_of(key)
    assert (call.error_type, call.error_message) == error
    assert call.response is None and call.content_state is ContentState.NO_RESPONSE


def test_without_a_time_anywhere_the_cure_is_named() -> None:
    item = joined("letter-9")
    assert isinstance(item, Quarantined)
    assert item.reason == "no start time: give created_at beside the requests"


def test_a_time_may_stand_in_a_line() -> None:
    assert call_of("note-1").started_at == started("2026-10-29T07:00:00Z")
    alone = call_of("note-2")
    assert (alone.content_state, alone.request_model) == (ContentState.ABSENT, "claude-haiku-4-5-20251001")


@pytest.mark.shared_data
def test_published_results_are_read(shared: Path) -> None:
    folder = shared / "samples" / "anthropic"
    if not folder.exists():
        pytest.skip("needs the sample logs beside the checkout")
    names = ("message_batch_results.jsonl", "message_batch_results_variants.jsonl")
    records = [json.loads(line) for name in names for line in (folder / name).read_text(encoding="utf-8").splitlines()]
    assert len(records) == 6
    keys = [part.key for part in parts(records)]
    assert keys == ["my-second-request", "my-first-request", "ok-1", "err-1", "second", "other"]
    assert all(isinstance(item, Quarantined) for part in parts(records) for item in AnthropicBatch().join([part]))
    params = {"model": "claude-3-5-sonnet-20240620", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    asked = {"created_at": "2026-10-29", "requests": [{"custom_id": key, "params": params} for key in keys]}
    found = parts([asked, *records])
    calls = [call for key in keys for call in AnthropicBatch().join([part for part in found if part.key == key])]
    assert [
        (call.usage.input_tokens, call.usage.output_tokens, call.error_type) for call in calls if isinstance(call, Call)
    ] == [
        (11, 36, None), (10, 34, None), (1, 1, None), (None, None, "invalid_request_error"), (None, None, "expired"),
        (None, None, "x"),
    ]  # fmt: skip
    first = calls[0]
    assert isinstance(first, Call) and first.response is not None and first.source_id == "msg_014VwiXbi91y3JMjcpyGBHX5"
    assert str(first.response.text).startswith("Hello again!") and first.response.finish_reason == "stop"
