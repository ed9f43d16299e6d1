"""LangSmith runs: wrapped clients, LangChain's objects, bulk rows; each call once, each failure with its status."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Feedback, Quarantined, Usage
from tieraudit.formats.base import Fragment, Item, Where
from tieraudit.formats.framing import Row, read_rows
from tieraudit.formats.langsmith import LangSmith
from tieraudit.formats.python_errors import python_error

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
READER = LangSmith()


def read(*records: dict[str, Any]) -> list[Item]:
    items: list[Item] = []
    fragments: dict[str, list[Fragment]] = {}
    for line, record in enumerate(records, start=1):
        for item in READER.calls(record, Where("log", line)):
            if isinstance(item, Fragment):
                fragments.setdefault(item.key, []).append(item)
            else:
                items.append(item)
    for parts in fragments.values():
        items += READER.join(parts)
    return items


def rows(path: Path) -> list[dict[str, Any]]:
    return [row.record for row in read_rows(path) if isinstance(row, Row)]


def calls(path: Path) -> list[Call]:
    return [item for item in read(*rows(path)) if isinstance(item, Call)]


def run(**fields: Any) -> dict[str, Any]:
    plain = {
        "id": "r",
        "run_type": "llm",
        "trace_id": "t",
        "start_time": "2026-10-26T16:00:00",
        "inputs": {"messages": [{"role": "user", "content": "hi"}]},
        "outputs": {"choices": [{"message": {"role": "assistant", "content": "hello"}}]},
    }
    return {**plain, **fields}


def call_of(**fields: Any) -> Call:
    (call,) = [item for item in read(run(**fields)) if isinstance(item, Call)]
    return call


def fixture() -> dict[str, Call]:
    return {str(call.source_id)[-2:]: call for call in calls(LOGS / "langsmith.jsonl")}


def test_langchain_objects_are_a_whole_call() -> None:
    call = fixture()["02"]
    assert call.request is not None and call.response is not None
    assert call.request["messages"] == [
        {"role": "system", "content": "Help with orders."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Order 4711?"},
                {"type": "image_url", "image_url": {"url": "https://shop.example/order.png"}},
            ],
        },
    ]
    assert call.request["temperature"] == 0.2 and call.request["tool_choice"] == "auto"
    assert call.request["tools"][0]["function"]["name"] == "find_order"
    assert call.response.tool_calls[0]["id"] == "call_1" and call.response.finish_reason == "tool_calls"
    assert call.usage == Usage(1200, 1024, None, 40, 32, 1240)
    assert (call.response_model, call.logged_cost_usd) == ("gpt-4o-mini-2024-07-18", Decimal("0.000204000"))
    assert (call.latency_ms, call.time_to_first_token_ms) == (800, 300)
    assert (call.task_hint, call.conversation_id, call.user_id) == ("order answer", "thread-3", "customer-17")
    assert call.content_state is ContentState.FULL


def test_a_run_around_another_is_not_the_call() -> None:
    found = fixture()
    assert "03" not in found and found["04"].trace_id is not None
    reasons = [item.reason for item in read(*rows(LOGS / "langsmith.jsonl")) if isinstance(item, Quarantined)]
    assert reasons == ["not an LLM call: chain", "not an LLM call of its own: llm around another"]


def test_a_run_far_below_another_is_known_by_its_path() -> None:
    outer = run(id="a", dotted_order="20261026T160000000000Za")
    inner = run(id="c", dotted_order="20261026T160000000000Za.20261026T160001000000Zb.20261026T160002000000Zc")
    assert [type(item).__name__ for item in read(inner, outer)] == ["Call", "Quarantined"]


def test_runs_inside_a_run_are_read_with_it() -> None:
    items = read(run(id="chain", run_type="chain", child_runs=[run(id="inner", parent_run_id="chain")]))
    assert [type(item).__name__ for item in items] == ["Quarantined", "Call"]


def test_an_anthropic_body_is_read_as_one() -> None:
    call = fixture()["06"]
    assert call.request is not None and call.response is not None
    assert call.request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (call.request["max_tokens"], call.request["stop"]) == (300, ["END"])
    assert call.request["tool_choice"] == "required"
    assert call.response.finish_reason == "tool_calls"
    assert json.loads(call.response.tool_calls[0]["function"]["arguments"]) == {"number": "4711"}
    assert call.usage == Usage(2000, 500, 1400, 30, None, 2030)


def test_bulk_rows_say_the_same_as_json() -> None:
    first = next(call for call in calls(LOGS / "langsmith@bulk.parquet") if not call.failed)
    again = fixture()["02"]
    assert first.request == again.request
    assert first.response == again.response
    assert (first.usage, first.tags, first.latency_ms) == (again.usage, ("shop", "seq:step:1"), 800)


def test_feedback_is_an_average_or_the_most_frequent_word() -> None:
    given = [item for item in read(*rows(LOGS / "langsmith.jsonl")) if isinstance(item, Feedback)]
    assert [(str(item.source_id)[-2:], item.name, item.value, item.label) for item in given] == [
        ("ne", "solved", 1.0, None),
        ("02", "correct", 0.5, None),
        ("02", "tone", None, "kind"),
    ]


def test_an_input_that_was_moved_away_is_absent() -> None:
    call = call_of(inputs={}, inputs_s3_urls={"ROOT": {"presigned_url": "https://bucket.example/x"}})
    assert call.content_state is ContentState.ABSENT


@pytest.mark.parametrize(
    ("inputs", "outputs", "text"),
    [
        ({"prompts": ["Say hi"]}, {"generations": [[{"text": "hi"}]]}, "hi"),
        ({"messages": [{"role": "user", "content": "Say hi"}]}, {"output": "hi"}, "hi"),
        ({"messages": [{"role": "user", "content": "Say hi"}]}, {"role": "assistant", "content": "hi"}, "hi"),
        (
            {"messages": [{"role": "user", "content": "Say hi"}]},
            {"messages": [{"role": "user", "content": "Say hi"}, {"role": "assistant", "content": "hi"}]},
            "hi",
        ),
        (
            {"input": "Say hi", "instructions": "Be kind."},
            {"object": "response", "output": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]},
            "hi",
        ),
    ],
)
def test_every_shape_of_run_gives_its_prompt_and_answer(
    inputs: dict[str, Any], outputs: dict[str, Any], text: str
) -> None:
    call = call_of(inputs=inputs, outputs=outputs)
    assert call.request is not None and call.request["messages"][-1]["content"] == "Say hi"
    assert call.response is not None and call.response.text == text


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (
            "RateLimitError(\"Error code: 429 - {'error': {'message': 'slow', 'code': None}}\")\n\n"
            'Traceback (most recent call last):\n  File "x.py"',
            ("RateLimitError", "slow", 429),
        ),
        ("ValueError('no such key')", ("ValueError", "no such key", None)),
        ("openai.BadRequestError: Error code: 400 - {'message': 'bad'}", ("BadRequestError", "bad", 400)),
        (
            'Traceback (most recent call last):\n  File "x.py", line 1\nhttpx.ReadTimeout: too slow',
            ("ReadTimeout", "too slow", None),
        ),
        (
            "Traceback (most recent call last):\nhttpx.HTTPError: low\n\nDuring handling, another occurred:\n\n"
            "Traceback (most recent call last):\nopenai.APIError: Error code: 503 - {'message': 'down'}",
            ("APIError", "down", 503),
        ),
        ("it broke", ("error", "it broke", None)),
    ],
)
def test_errors_are_read_as_python_prints_them(told: str, found: tuple[str, str | None, int | None]) -> None:
    assert python_error(told) == found


@pytest.mark.shared_data
def test_the_recorded_runs_are_read_whole(shared: Path) -> None:
    source = shared / "samples" / "langsmith" / "langsmith_sdk_runs_as_posted.jsonl"
    if not source.exists():
        pytest.skip("needs the sample logs beside the checkout")
    found = calls(source)
    assert len(found) == len(rows(source)) == 20
    assert all(call.request is not None for call in found)
    failed = [call for call in found if call.failed]
    assert [(call.error_type, call.error_message, call.http_status) for call in failed] == [
        ("RateLimitError", "Rate limit reached", 429)
    ]
    first = found[0]
    assert (first.usage.input_tokens, first.usage.output_tokens, first.usage.total_tokens) == (43, 36, 79)
    assert first.response is not None and str(first.response.text).startswith("Why did the OpenTelemetry metric")
    assert first.response.finish_reason == "stop"
    assert (first.provider, first.user_id, first.tags) == ("openai", "u1", ("replay",))
    thought = next(call for call in found if call.request_model == "gpt-5-nano")
    assert (thought.usage.output_tokens, thought.usage.reasoning_output_tokens) == (228, 192)
    assert thought.request is not None and thought.request["reasoning_effort"] == "low"
    paid = next(call for call in found if call.request and call.request.get("service_tier") == "priority")
    assert (paid.usage.input_tokens, paid.usage.output_tokens, paid.usage.reasoning_output_tokens) == (8, 82, 64)


@pytest.mark.shared_data
def test_the_documented_example_is_a_failed_call_without_content(shared: Path) -> None:
    source = shared / "samples" / "langsmith" / "run_data_format_docs_example.json"
    if not source.exists():
        pytest.skip("needs the sample logs beside the checkout")
    (call,) = calls(source)
    assert call.failed and call.content_state is ContentState.ABSENT
    assert call.latency_ms == 369
    (given,) = [item for item in read(*rows(source)) if isinstance(item, Feedback)]
    assert (given.name, given.value) == ("correctness", 1.0)


def test_feedback_that_stands_apart_is_of_its_run() -> None:
    first, second = [item for item in read(*rows(LOGS / "langsmith@feedback.jsonl")) if isinstance(item, Feedback)]
    assert (first.name, first.value, first.comment) == ("correct", 1.0, "Right order")
    assert (second.name, second.value, second.label) == ("tone", None, "kind")
    assert first.source_id == second.source_id == "00000004-7110-0000-0000-000000000002"


def test_what_a_framework_was_told_goes_to_the_metadata_and_not_to_the_model() -> None:
    prompt = [[{"type": "human", "content": "Say hi"}]]
    call = call_of(
        inputs={"messages": prompt, "config": {"recursion_limit": 25}},
        extra={"invocation_params": {"model": "gpt-4o-mini", "functions": [{"name": "wave"}], "temperature": 1}},
        outputs={"messages": [{"type": "ai", "content": "", "tool_calls": [{"name": "wave", "args": {}, "id": "c"}]}]},
    )
    assert call.request == {
        "messages": [{"role": "user", "content": "Say hi"}],
        "temperature": 1,
        "tools": [{"type": "function", "function": {"name": "wave"}}],
    }
    assert call.metadata == {"config": {"recursion_limit": 25}}
    assert call.content_state is ContentState.FULL
