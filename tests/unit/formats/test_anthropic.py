"""Anthropic bodies: what Chat Completions can say is carried over, and what it cannot is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState
from tieraudit.errors import Rejected
from tieraudit.formats.anthropic_body import anthropic_exchange, anthropic_output, anthropic_request, anthropic_usage
from tieraudit.formats.anthropic_pairs import AnthropicPairs
from tieraudit.formats.anthropic_stream import fold_message
from tieraudit.formats.base import Where

LOG = Path(__file__).resolve().parents[2] / "fixtures" / "logs" / "anthropic-pairs.jsonl"


def pair(line: int) -> Call:
    record = json.loads(LOG.read_text(encoding="utf-8").splitlines()[line - 1])
    (call,) = AnthropicPairs().calls(record, Where("log", line))
    return call


def asked(content: Any, **more: Any) -> Any:
    return anthropic_request({"messages": [{"role": "user", "content": content}], **more})


def test_cached_tokens_are_added_to_the_input() -> None:
    usage = pair(1).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (1136, 1024, 100)
    assert (usage.output_tokens, usage.reasoning_output_tokens, usage.total_tokens) == (5, 2, None)


def test_cache_writes_by_lifetime_are_added_up() -> None:
    written = {"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 5}
    usage = anthropic_usage({"input_tokens": 1, "output_tokens": 2, "cache_creation": written})
    assert (usage.input_tokens, usage.cache_creation_input_tokens) == (13, 12)


def test_what_is_billed_at_other_rates_is_told() -> None:
    usage = {
        "input_tokens": 1, "output_tokens": 2, "cache_creation": {"ephemeral_1h_input_tokens": 5},
        "service_tier": "priority", "speed": "standard", "inference_geo": "us",
    }  # fmt: skip
    assert anthropic_exchange({}, {"usage": usage}).kept == {
        "served_service_tier": "priority",
        "served_inference_geo": "us",
        "cache_creation_1h_input_tokens": 5,
    }


def test_the_system_prompt_comes_first_and_every_parameter_is_kept() -> None:
    call = pair(1)
    assert call.request == {
        "messages": [
            {"role": "system", "content": "Sort the letter: bill, parcel or other."},
            {"role": "user", "content": "My parcel is wet."},
        ],
        "max_tokens": 64, "temperature": 0.2, "top_p": 0.9, "top_k": 40, "stop": ["END"],
    }  # fmt: skip
    assert (call.user_id, call.task_hint, call.conversation_id) == ("customer-17", "sort mail", "s-9")
    assert call.metadata == {"desk": "2", "cache_control": True, "service_tier": "auto"}


def test_a_streamed_answer_is_folded() -> None:
    call = pair(2)
    assert call.stream is True and call.response is not None
    assert call.response.text == "I will look."
    assert call.response.tool_calls[0]["function"] == {"name": "find_order", "arguments": '{"number":"4711"}'}
    assert (call.response.finish_reason, call.usage.input_tokens, call.usage.output_tokens) == ("tool_calls", 80, 41)
    assert call.request is not None
    assert (call.request["tool_choice"], call.request["parallel_tool_calls"]) == ("required", False)


def test_tool_results_images_files_and_schemas_are_carried_over() -> None:
    call = pair(3)
    assert call.request is not None and call.content_state is ContentState.FULL
    question, made, result, last = call.request["messages"]
    assert question["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        {"type": "file", "file": {"filename": "bill", "file_data": "data:application/pdf;base64,aGk="}},
        {"type": "text", "text": "When is it due?"},
    ]
    assert made["tool_calls"][0]["id"] == result["tool_call_id"] == "toolu_3"
    assert (result["role"], result["content"], last["content"]) == ("tool", "due on Friday", "Answer now.")
    assert call.request["response_format"]["json_schema"]["schema"]["properties"] == {"due": {"type": "string"}}
    assert (call.request["reasoning_effort"], call.request["max_tokens"]) == ("low", 2000)
    assert call.response is not None and call.response.text == '{"due": "Friday"}'
    assert call.response.finish_reason == "length"


def test_a_failed_call_has_its_type_message_and_status() -> None:
    call = pair(4)
    assert (call.error_type, call.error_message, call.http_status) == ("overloaded_error", "Overloaded", 529)
    assert call.response is None


def test_tools_that_run_at_the_provider_are_not_replayed() -> None:
    call = pair(5)
    assert call.operation == "anthropic_messages"
    assert call.metadata["web_search_requests"] == 1


def test_a_file_that_only_the_provider_has_is_told() -> None:
    call = pair(6)
    assert call.content_state is ContentState.REDACTED
    assert call.request is not None
    assert call.request["messages"][0]["content"][0] == {"type": "file", "file": {"file_id": "file_1"}}


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_tool_choices(choice: Any, told: Any) -> None:
    assert asked("hi", tool_choice=choice).request["tool_choice"] == told


@pytest.mark.parametrize(
    ("reason", "told"),
    [("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "tool_calls"),
     ("refusal", "content_filter"), ("pause_turn", "pause_turn"), (None, None)],
)  # fmt: skip
def test_finish_reasons(reason: Any, told: Any) -> None:
    output = anthropic_output({"content": [{"type": "text", "text": "x"}], "stop_reason": reason})
    assert output is not None and output.finish_reason == told


def test_documents_as_text_and_images_by_address_are_sayable() -> None:
    mapped = asked(
        [
            {"type": "document", "title": "t", "source": {"type": "text", "media_type": "text/plain", "data": "d"}},
            {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        ]
    )
    assert mapped.complete and mapped.lossless
    assert [part["type"] for part in mapped.request["messages"][0]["content"]] == ["text", "text", "image_url"]


def test_a_picture_as_a_tool_result_is_told() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    mapped = asked([{"type": "tool_result", "tool_use_id": "t", "is_error": True, "content": [image]}])
    assert not mapped.complete
    assert mapped.kept == {"tool_error": True}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 9000}}, "high"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, "xhigh"),
        ({"thinking": {"type": "disabled"}}, None),
    ],
)
def test_thinking_becomes_an_effort(settings: dict[str, Any], told: str | None) -> None:
    assert asked("hi", **settings).request.get("reasoning_effort") == told


def test_the_older_completion_body_is_a_prompt_and_a_text() -> None:
    mapped = anthropic_request({"prompt": "\n\nHuman: hi\n\nAssistant:", "max_tokens_to_sample": 9})
    assert mapped.request == {
        "messages": [{"role": "user", "content": "\n\nHuman: hi\n\nAssistant:"}],
        "max_tokens": 9,
    }
    output = anthropic_output({"completion": " hello", "stop_reason": "stop_sequence"})
    assert output is not None and (output.text, output.finish_reason) == (" hello", "stop")


def test_a_stream_that_breaks_off_is_an_error() -> None:
    folded = fold_message(
        [
            {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 3}}},
            {"type": "error", "error": {"type": "overloaded_error", "message": "later"}},
        ]
    )
    assert (folded["type"], folded["error"]["message"]) == ("error", "later")


def test_an_openai_pair_is_refused() -> None:
    chat = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    with pytest.raises(Rejected, match="not Anthropic"):
        list(AnthropicPairs().calls({"request": chat, "response": {"choices": []}}, Where("log", 1)))


@pytest.mark.shared_data
def test_the_recorded_traffic_is_read_whole(shared: Path) -> None:
    source = shared / "samples" / "http_pairs" / "anthropic_messages.jsonl"
    if not source.exists():
        pytest.skip("needs the sample logs beside the checkout")
    calls = [
        call
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1)
        for call in AnthropicPairs().calls(json.loads(line), Where("log", number))
    ]
    assert [(call.usage.input_tokens, call.usage.output_tokens, call.stream) for call in calls] == [
        (17, 220, False), (17, 171, True), (11, 6, True), (514, 152, False), (1167, 187, False), (1169, 201, True),
        (222, 39, False), (52, 215, False), (52, 216, True),
    ]  # fmt: skip
    assert all(call.content_state is ContentState.FULL and call.provider == "anthropic" for call in calls)
    tools = calls[3].response
    assert tools is not None and tools.finish_reason == "tool_calls"
    assert [made["function"]["name"] for made in tools.tool_calls] == ["get_weather", "get_time"]
    assert calls[2].response is not None and calls[2].response.text == "Hello there!"
    assert calls[5].usage.cache_creation_input_tokens == 1165
    assert calls[6].request is not None and calls[6].request["response_format"]["json_schema"]["strict"] is True
    assert calls[8].response is not None and str(calls[8].response.text).startswith("The letter 'r' appears 3 times")
    assert calls[8].request_model == calls[8].response_model == "claude-3-7-sonnet-20250219"
