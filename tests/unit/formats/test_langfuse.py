"""Langfuse traces: which observations are calls, and prompts in the shapes of many frameworks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Feedback, Quarantined
from tieraudit.formats.answers import answer
from tieraudit.formats.base import Where
from tieraudit.formats.langfuse_trace import LangfuseTrace
from tieraudit.formats.langfuse_usage import langfuse_usage
from tieraudit.formats.prompts import conversation

START = "2026-10-26T12:00:00.000Z"
PROMPT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
MADE = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
TOOL = {"name": "f", "description": "does", "parameters": {"type": "object"}}


def observation(**fields: Any) -> dict[str, Any]:
    plain = {"id": "g", "type": "GENERATION", "startTime": START, "model": "m", "input": PROMPT, "output": "hello"}
    return {**plain, **fields}


def read(*observations: dict[str, Any], **trace: Any) -> list[Call | Quarantined | Feedback]:
    record = {"trace": {"id": "t", **trace}, "observations": list(observations)}
    return list(LangfuseTrace().calls(record, Where("log", 1)))


def call_of(**fields: Any) -> Call:
    (call,) = read(observation(**fields))
    assert isinstance(call, Call)
    return call


def test_only_the_innermost_generation_is_the_call() -> None:
    items = read(
        observation(id="span", type="SPAN"),
        observation(id="outer", parentObservationId="span"),
        observation(id="inner", parentObservationId="outer"),
        observation(id="tool", type="TOOL", parentObservationId="outer"),
    )
    assert [item.reason if isinstance(item, Quarantined) else item.source_id for item in items] == [
        "not an LLM call: SPAN",
        "not an LLM call of its own: GENERATION around another",
        "inner",
        "not an LLM call: TOOL",
    ]


def test_the_innermost_generation_takes_what_it_lacks_from_the_one_around_it() -> None:
    body = {"messages": PROMPT, "tools": [{"type": "function", "function": TOOL}]}
    made = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    reply = {"choices": [{"message": {"role": "assistant", "tool_calls": [made]}, "finish_reason": "tool_calls"}]}
    _, call = read(
        observation(id="outer", input=json.dumps(body), output=json.dumps(reply)),
        observation(id="inner", parentObservationId="outer", input="system: Be brief.\nuser: hi", output="None"),
    )
    assert isinstance(call, Call)
    assert call.request == {"messages": PROMPT, "tools": [{"type": "function", "function": TOOL}]}
    assert call.response is not None and call.response.tool_calls == (made,)
    assert call.content_state is ContentState.FULL


SHAPES: dict[str, Any] = {
    "OpenAI list": PROMPT,
    "OpenAI body": {"model": "m", "messages": PROMPT},
    "JSON in a string": json.dumps(PROMPT),
    "JSON in a string in a string": json.dumps(json.dumps(PROMPT)),
    "LangChain": [{"type": "system", "content": "Be brief."}, {"type": "human", "content": "hi"}],
    "LangChain batch": [[{"type": "system", "content": "Be brief."}, {"type": "human", "content": "hi"}]],
    "LangChain serialised": [
        {"lc": 1, "type": "constructor", "id": ["langchain", "SystemMessage"], "kwargs": {"content": "Be brief."}},
        {"lc": 1, "type": "constructor", "id": ["langchain", "HumanMessage"], "kwargs": {"content": "hi"}},
    ],
    "gen_ai parts": [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "hi"}]},
    ],
    "text parts": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
    ],
    "Gemini": {
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    },
    "Vercel prompt": {"system": "Be brief.", "prompt": "hi"},
    "Responses": {"instructions": "Be brief.", "input": [{"role": "user", "content": "hi"}]},
    "transcript": "system: Be brief.\nuser: hi",
    "decorator": {"args": [], "kwargs": {"messages": PROMPT}},
    "wrapped messages": [{"message": message} for message in PROMPT],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_prompt_is_the_same_in_every_shape(shape: str) -> None:
    found = conversation(SHAPES[shape])
    assert found is not None
    assert found.messages == PROMPT
    assert found.complete


def test_a_plain_string_is_a_users_message() -> None:
    found = conversation("Write a poem\nabout user: names")
    assert found is not None
    assert found.messages == [{"role": "user", "content": "Write a poem\nabout user: names"}]


def history(called: dict[str, Any], result: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": "go"}, called, result]


LANGCHAIN_CALL = {"id": "c", "name": "f", "args": {"a": 1}, "type": "tool_call"}
VERCEL_CALL = {"type": "tool-call", "toolCallId": "c", "toolName": "f", "input": {"a": 1}}
VERCEL_RESULT = {"type": "tool-result", "toolCallId": "c", "output": {"type": "text", "value": "done"}}
ANTHROPIC_RESULT = {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "done"}]}
RESULT = {"role": "tool", "tool_call_id": "c", "content": "done"}
HISTORIES = {
    "OpenAI": history({"role": "assistant", "content": None, "tool_calls": [MADE]}, RESULT),
    "LangChain kwargs": history(
        {"role": "assistant", "content": "", "additional_kwargs": {"tool_calls": [MADE]}},
        RESULT,
    ),
    "LangChain": history(
        {"type": "ai", "content": "", "tool_calls": [LANGCHAIN_CALL]},
        {"type": "tool", "tool_call_id": "c", "content": "done"},
    ),
    "gen_ai": history(
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "f", "arguments": {"a": 1}}]},
        {"role": "user", "parts": [{"type": "tool_call_response", "id": "c", "result": "done"}]},
    ),
    "Vercel": history({"role": "assistant", "content": [VERCEL_CALL]}, {"role": "tool", "content": [VERCEL_RESULT]}),
    "Anthropic": history(
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}]},
        {"role": "user", "content": [ANTHROPIC_RESULT]},
    ),
    "Koog": history({"role": "tool", "content": json.dumps([MADE])}, {"role": "tool", "content": "done"}),
}


@pytest.mark.parametrize("shape", HISTORIES)
def test_tool_calls_and_their_results_are_paired_in_every_shape(shape: str) -> None:
    found = conversation(HISTORIES[shape])
    assert found is not None and found.complete
    asked, called, result = found.messages
    assert asked == {"role": "user", "content": "go"}
    assert called["role"] == "assistant"
    assert called["tool_calls"] == [MADE]
    assert {key: result[key] for key in RESULT} == RESULT


def test_a_result_whose_call_is_not_in_the_log_makes_the_prompt_incomplete() -> None:
    call = call_of(input=[{"role": "tool", "tool_call_id": "c", "content": "done"}])
    assert call.content_state is ContentState.REDACTED


def test_a_tool_call_without_the_tools_on_offer_is_not_replayable() -> None:
    made = [{"toolCallId": "c", "toolName": "f", "input": "{}"}]
    assert call_of(output=made).content_state is ContentState.REDACTED
    offered = call_of(
        output=made, metadata={"tools": [json.dumps({"type": "function", "name": "f", "inputSchema": {}})]}
    )
    assert offered.content_state is ContentState.FULL
    assert offered.request is not None and offered.request["tools"] == [{"type": "function", "function": {"name": "f"}}]


@pytest.mark.parametrize(
    "output",
    [
        "hello",
        {"role": "assistant", "content": "hello"},
        [{"role": "assistant", "content": "hello"}],
        {"index": 0, "message": {"role": "assistant", "content": "hello"}},
        [{"role": "assistant", "parts": [{"type": "text", "content": "hello"}], "finish_reason": "stop"}],
        {"content": {"role": "model", "parts": [{"text": "hello"}]}, "finish_reason": "STOP"},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}}]},
        {"choices": [{"message": {"content": "hello"}}]},
        {"text": "hello", "toolCalls": []},
        {"generations": [[{"text": "hello", "message": {"type": "ai", "content": "hello"}}]]},
        json.dumps({"role": "assistant", "content": "hello"}),
    ],
)
def test_an_answer_is_the_same_in_every_shape(output: Any) -> None:
    found = answer(output)
    assert found is not None
    assert found.text == "hello"


def test_a_structured_answer_is_its_json() -> None:
    found = answer({"city": "Ulm", "ok": True})
    assert found is not None and json.loads(found.text or "") == {"city": "Ulm", "ok": True}


@pytest.mark.parametrize(
    ("details", "tokens"),
    [
        ({"input": 10, "output": 5, "total": 15}, (10, 5)),
        ({"input": 10, "output": 5, "total": 15, "input_cached_tokens": 4, "output_reasoning_tokens": 2}, (10, 5)),
        ({"input": 6, "output": 3, "total": 15, "input_cached_tokens": 4, "output_reasoning_tokens": 2}, (10, 5)),
        ({"input": 179, "output": 35, "total": 278, "output_reasoning": 64}, (179, 99)),
        ({"input": 2, "output": 5, "total": 17, "input_cache_read": 4, "input_cache_creation": 6}, (12, 5)),
        ({"input": 2, "output": 5, "input_cached_tokens": 4}, (6, 5)),
        ({"promptTokens": 7, "completionTokens": 1, "totalTokens": 8}, (7, 1)),
        ({"input": 9, "total": 9}, (9, None)),
        ({}, (None, None)),
    ],
)
def test_token_counts_are_brought_to_one_convention(
    details: dict[str, int], tokens: tuple[int | None, int | None]
) -> None:
    usage = langfuse_usage({"usageDetails": details}, embedding=False)
    assert (usage.input_tokens, usage.output_tokens) == tokens


@pytest.mark.parametrize(
    ("fields", "latency_ms"),
    [
        ({"endTime": "2026-10-26T12:00:01.700Z", "latency": 1700}, 1700),
        ({"endTime": "2026-10-26T12:00:01.700Z", "latency": 1.7}, 1700),
        ({"latency": 1.7}, 1700),
        ({"latency": 1700}, 1700),
        ({}, None),
    ],
)
def test_latency_is_checked_against_start_and_end(fields: dict[str, Any], latency_ms: float | None) -> None:
    assert call_of(**fields).latency_ms == latency_ms


def test_parameters_written_as_text_are_values_again() -> None:
    given = {
        "temperature": "0.5",
        "n": "null",
        "stream": "false",
        "stop_sequences": '["a"]',
        "max_tokens": -1,
        "top_k": 3,
    }
    call = call_of(modelParameters=given)
    assert call.request == {"messages": PROMPT, "temperature": 0.5, "stop": ["a"], "top_k": 3}


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"promptName": "p", "name": "g"}, "p"),
        ({"name": "summarise"}, "summarise"),
        ({"name": "chat m"}, "order-desk"),
    ],
)
def test_the_hint_is_the_prompts_name_or_what_the_generation_is_called(fields: dict[str, Any], hint: str) -> None:
    (call,) = read(observation(**fields), name="order-desk 171105b7-59dd-49c0-9677-0b95395aa46a")
    assert isinstance(call, Call)
    assert call.task_hint == hint


def test_one_observation_without_a_time_does_not_cost_the_trace() -> None:
    items = read(observation(startTime=None), observation(id="h"))
    assert isinstance(items[0], Quarantined) and items[0].reason == "no start time"
    assert isinstance(items[1], Call)


def test_a_trace_without_observations_is_a_row_too() -> None:
    (item,) = read()
    assert isinstance(item, Quarantined) and "without observations" in item.reason


def test_an_observation_that_is_no_object_is_counted() -> None:
    items = list(LangfuseTrace().calls({"trace": {}, "observations": [observation(), None, "x"]}, Where("log", 1)))
    assert [type(item).__name__ for item in items] == ["Quarantined", "Quarantined", "Call"]


def test_the_answer_of_the_api_is_the_trace_itself_with_its_scores() -> None:
    score = {"observationId": "g", "name": "correct", "value": 1, "dataType": "NUMERIC", "source": "API"}
    record = {"id": "t", "timestamp": START, "userId": "u", "observations": [observation()], "scores": [score]}
    given, call = LangfuseTrace().calls(record, Where("log", 1))
    assert isinstance(given, Feedback) and isinstance(call, Call)
    assert (given.source_id, given.trace_id, given.value) == ("g", "t", 1.0)
    assert (call.trace_id, call.user_id, call.content_state) == ("t", "u", ContentState.FULL)
