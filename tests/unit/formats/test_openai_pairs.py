"""OpenAI pairs: every envelope gives the same call, streams are folded, Responses bodies lose nothing or say so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState
from tieraudit.errors import Rejected
from tieraudit.formats.base import Where
from tieraudit.formats.openai_pairs import OpenAIPairs

ASKED = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "hi"}],
    "temperature": 0.2,
    "seed": 1,
    "stop": ["x"],
}
ANSWERED = {
    "id": "chatcmpl-1",
    "created": 1793016000,
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


def call_of(record: dict[str, Any]) -> Call:
    (call,) = OpenAIPairs().calls(record, Where("log", 1))
    return call


@pytest.mark.parametrize(
    "record",
    [
        {"request": ASKED, "response": ANSWERED},
        {"request": json.dumps(ASKED), "response": json.dumps(ANSWERED)},
        {"input": ASKED, "output": ANSWERED},
        {"body": ASKED, "response": ANSWERED},
        {"request": {"body": ASKED}, "response": {"status": 200, "body": json.dumps(ANSWERED)}},
        {**ASKED, "response": ANSWERED},
    ],
    ids=["bodies", "bodies as text", "input output", "body", "http", "flat"],
)
def test_every_envelope_gives_the_same_call(record: dict[str, Any]) -> None:
    call = call_of(record)
    assert call.request == {key: ASKED[key] for key in ("messages", "temperature", "seed", "stop")}
    assert call.response is not None and call.response.text == "hello"
    assert (call.request_model, call.response_model) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert call.content_state is ContentState.FULL
    assert (call.usage.input_tokens, call.usage.output_tokens) == (3, 2)


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "s",
        "created": 1793016000,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


STREAM = [
    chunk({"role": "assistant", "content": None}),
    chunk({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}),
    chunk({"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "g", "arguments": "{}"}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}),
    chunk({}, "tool_calls"),
    {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}},
]


@pytest.mark.parametrize(
    "body",
    [STREAM, "".join(f"data: {json.dumps(part)}\n\n" for part in STREAM) + "data: [DONE]\n\n"],
    ids=["list of chunks", "raw events"],
)
def test_a_streamed_answer_is_folded(body: Any) -> None:
    call = call_of({"request": {**ASKED, "stream": True}, "response": {"status": 200, "body": body}})
    assert call.response is not None
    assert [made["function"] for made in call.response.tool_calls] == [
        {"name": "f", "arguments": '{"a": 1}'},
        {"name": "g", "arguments": "{}"},
    ]
    assert call.response.finish_reason == "tool_calls"
    assert (call.usage.input_tokens, call.usage.output_tokens) == (9, 4)
    assert call.stream is True


def test_a_stream_that_broke_off_keeps_what_came() -> None:
    body = (
        'data: {"id": "s", "created": 1793016000, "choices": [{"delta": {"content": "Hel"}}]}\n\ndata: {"id": "s", "cho'
    )
    call = call_of({"request": ASKED, "response": {"body": body}})
    assert call.response is not None and call.response.text == "Hel"


def test_a_responses_stream_is_folded_from_its_last_event() -> None:
    done = {"id": "resp_1", "created_at": 1793016000, "status": "completed", "output": [
        {"type": "message", "content": [{"type": "output_text", "text": "done"}]}]}  # fmt: skip
    events = [
        {"type": "response.created", "response": {"id": "resp_1", "output": []}},
        {"type": "response.completed", "response": done},
    ]
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    call = call_of({"url": "/v1/responses", "request": {"model": "m", "input": "hi"}, "response": {"body": body}})
    assert call.response is not None and call.response.text == "done"
    assert call.operation == "chat"


@pytest.mark.parametrize(
    ("extra", "operation", "state"),
    [
        ({}, "chat", ContentState.FULL),
        ({"tools": [{"type": "web_search"}]}, "responses", ContentState.FULL),
        ({"previous_response_id": "resp_0"}, "chat", ContentState.REDACTED),
        (
            {"input": [{"type": "item_reference", "id": "x"}, {"role": "user", "content": "hi"}]},
            "responses",
            ContentState.FULL,
        ),
    ],
)
def test_a_responses_call_is_a_chat_only_when_nothing_is_lost(
    extra: dict[str, Any], operation: str, state: ContentState
) -> None:
    answer = {"id": "resp_1", "created_at": 1793016000, "output": [
        {"type": "message", "content": [{"type": "output_text", "text": "x"}]}]}  # fmt: skip
    call = call_of({"url": "/v1/responses", "request": {"model": "m", "input": "hi", **extra}, "response": answer})
    assert (call.operation, call.content_state) == (operation, state)
    assert call.metadata.get("previous_response_id") == extra.get("previous_response_id")


def test_legacy_functions_become_tools() -> None:
    asked = {**ASKED, "functions": [{"name": "f", "parameters": {}}], "function_call": {"name": "f"}}
    call = call_of({"request": asked, "response": ANSWERED})
    assert call.request is not None
    assert call.request["tools"] == [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    assert call.request["tool_choice"] == {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai"),
        ("https://shop.openai.azure.com/openai/deployments/x/chat/completions?api-version=1", "azure"),
        ("http://localhost:4000/v1/chat/completions", None),
        ("/v1/chat/completions", None),
    ],
)
def test_the_provider_is_read_from_the_address(url: str, provider: str | None) -> None:
    call = call_of({"request": {"method": "POST", "url": url, "body": ASKED}, "response": {"body": ANSWERED}})
    assert call.provider == provider


def test_errors_keep_type_message_and_status() -> None:
    body = {"error": {"message": "no", "type": "invalid_request_error", "code": None}}
    record = {"ts": 1793016000, "request": ASKED, "response": {"status": 400, "body": body}}
    call = call_of(record)
    assert (call.error_type, call.error_message, call.http_status) == ("invalid_request_error", "no", 400)
    page = call_of(
        {"ts": 1793016000, "request": ASKED, "response": {"status": 502, "body": "<html>Bad gateway</html>"}}
    )
    assert (page.error_type, page.response) == ("http_502", None)


def test_a_pair_without_any_time_is_rejected() -> None:
    with pytest.raises(Rejected, match="no start time"):
        call_of({"request": ASKED, "response": {"choices": []}})


def test_an_unknown_operation_is_kept_and_not_replayed() -> None:
    asked = {"url": "https://api.openai.com/v1/images/generations", "body": {"model": "i", "prompt": "a cat"}}
    call = call_of({"request": asked, "response": {"status": 200, "body": {"created": 1793016000, "data": []}}})
    assert (call.operation, call.request) == ("image_generation", None)


def test_a_home_made_log_may_use_the_words_of_a_tracing_tool() -> None:
    record = {"time": "2026-10-26T12:00:00Z", "request": ASKED, "response": ANSWERED}
    for mine in ({"invocation_id": "i"}, {"run_type": "nightly"}, {"op_name": "sort"}):
        assert OpenAIPairs().matches({**record, **mine}) > 0.5
