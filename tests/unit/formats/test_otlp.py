"""OpenTelemetry: the dialects on a span, the encodings of a span, and which span of a trace is the call."""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Feedback, Quarantined
from tieraudit.formats.base import Fragment, Item, Where
from tieraudit.formats.framing import Row, read_rows
from tieraudit.formats.otlp import OpenTelemetry
from tieraudit.formats.otlp_calls import AGENT_RUN, COPY, OTHER_SPAN, WRAPPER
from tieraudit.pricing import provider_id

FORMAT = OpenTelemetry()
START = 1_790_000_000_000_000_000
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def span(name: str, parent: str | None = None, *, at: int = 0, ms: int = 100, **more: Any) -> dict[str, Any]:
    """A span whose id is made of ``name``; ``more`` are further fields, ``attributes`` as plain values."""
    given = more.pop("attributes", {})
    return {
        "traceId": "ab" * 16,
        "spanId": name.encode().hex().ljust(16, "0"),
        "parentSpanId": parent.encode().hex().ljust(16, "0") if parent else "",
        "name": name,
        "startTimeUnixNano": str(START + at * 1_000_000),
        "endTimeUnixNano": str(START + (at + ms) * 1_000_000),
        "attributes": [{"key": key, "value": any_value(value)} for key, value in given.items()],
        **more,
    }


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    return {"stringValue": value if isinstance(value, str) else json.dumps(value)}


def event(name: str, ms: int = 1, **attributes: Any) -> dict[str, Any]:
    told = [{"key": key.replace("__", "."), "value": any_value(value)} for key, value in attributes.items()]
    return {"timeUnixNano": str(START + ms * 1_000_000), "name": name, "attributes": told}


def document(*spans: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "test"}, "spans": list(spans)}]}]}


def read(*records: dict[str, Any]) -> list[Item]:
    items: list[Item] = []
    traces: dict[str, list[Fragment]] = {}
    for line, record in enumerate(records, start=1):
        for item in FORMAT.calls(record, Where("log", line)):
            if isinstance(item, Fragment):
                traces.setdefault(item.key, []).append(item)
            else:
                items.append(item)
    return items + [item for parts in traces.values() for item in FORMAT.join(parts)]


def calls(*records: dict[str, Any]) -> list[Call]:
    return [item for item in read(*records) if isinstance(item, Call)]


def call(**attributes: Any) -> Call:
    (found,) = calls(document(span("call", attributes=attributes)))
    return found


def reasons(items: list[Item]) -> Counter[str]:
    return Counter(item.reason for item in items if isinstance(item, Quarantined))


def messages(found: Call) -> list[Any]:
    assert found.request is not None
    return [(item["role"], item.get("content")) for item in found.request["messages"]]


CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
ASKED = {"gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "why?"}]}]'}
SAID = {"gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "so"}]}]'}


# -- dialects ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "operation"),
    [
        ("chat", "chat"), ("generate_content", "chat"), ("chat.streaming_completions", "chat"),
        ("text_completion", "text_completion"), ("embeddings", "embeddings"), ("create_agent", None),
        ("execute_tool", None), ("vectordb", None), ("invoke_agent", None),
    ],
)  # fmt: skip
def test_the_operation_says_whether_a_span_is_a_call(named: str, operation: str | None) -> None:
    found = calls(document(span("call", attributes={"gen_ai.operation.name": named, "gen_ai.request.model": "m"})))
    assert [each.operation for each in found] == ([operation] if operation else [])


def test_a_framework_is_no_provider() -> None:
    assert call(**CHAT, **{"gen_ai.system": "langchain"}).provider is None
    assert call(**CHAT, **{"gen_ai.system": "OpenAI"}).provider == "openai"
    assert provider_id("az.ai.openai") == "azure"


def test_an_image_in_a_message_becomes_a_reference_and_what_cannot_be_said_is_no_whole_prompt() -> None:
    told = [
        {"type": "text", "content": "what is this?"},
        {"type": "uri", "modality": "image", "uri": "https://post.example/a.png"},
        {"type": "blob", "modality": "image", "mime_type": "image/jpeg", "content": "aGk="},
    ]
    found = call(**CHAT, **SAID, **{"gen_ai.input.messages": json.dumps([{"role": "user", "parts": told}])})
    assert found.request is not None
    urls = [part["image_url"]["url"] for part in found.request["messages"][0]["content"][1:]]
    assert urls == ["https://post.example/a.png", "data:image/jpeg;base64,aGk="]
    assert found.content_state is ContentState.FULL
    told.append({"type": "uri", "modality": "audio", "uri": "https://post.example/a.mp3"})
    heard = call(**CHAT, **SAID, **{"gen_ai.input.messages": json.dumps([{"role": "user", "parts": told}])})
    assert heard.content_state is ContentState.REDACTED


def test_messages_without_parts_and_a_bare_instruction_are_accepted() -> None:
    found = call(
        **CHAT,
        **{
            "gen_ai.system_instructions": "Be short.",
            "gen_ai.input.messages": '[{"role": "user", "content": "why?"}]',
            "gen_ai.output.messages": '[{"role": "assistant", "content": "so", "finish_reason": "max_tokens"}]',
        },
    )
    assert messages(found) == [("system", "Be short."), ("user", "why?")]
    assert found.response is not None
    assert (found.response.text, found.response.finish_reason) == ("so", "length")


def test_json_that_was_cut_off_is_no_whole_prompt() -> None:
    found = call(**CHAT, **SAID, **{"gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "te'})
    assert found.content_state is ContentState.REDACTED


def test_attributes_that_an_sdk_dropped_leave_no_whole_prompt() -> None:
    given = {**CHAT, **SAID, **ASKED}
    (found,) = calls(document(span("call", attributes=given, droppedAttributesCount=3)))
    assert found.content_state is ContentState.REDACTED
    assert call(**given).content_state is ContentState.FULL


def test_every_request_setting_is_kept() -> None:
    settings: dict[str, Any] = {
        "temperature": 0.1, "top_p": 0.9, "top_k": 40, "max_tokens": 9, "seed": 7, "frequency_penalty": 0.5,
        "presence_penalty": 0.25,
    }  # fmt: skip
    found = call(
        **CHAT, **ASKED, **SAID, **{f"gen_ai.request.{key}": value for key, value in settings.items()},
        **{"gen_ai.request.stop_sequences": ["a", "b"], "gen_ai.request.choice.count": 1},
        **{"gen_ai.request.stream": True},
    )  # fmt: skip
    assert found.request is not None
    assert {key: value for key, value in found.request.items() if key != "messages"} == {**settings, "stop": ["a", "b"]}
    assert found.stream is True


def test_json_without_a_schema_is_json_mode_only_when_the_prompt_asks_for_json() -> None:
    form = {"gen_ai.output.type": "json"}
    assert call(**CHAT, **ASKED, **SAID, **form).content_state is ContentState.REDACTED
    asked = call(**CHAT, **ASKED, **SAID, **form, **{"gen_ai.system_instructions": "Answer in JSON."})
    assert asked.content_state is ContentState.FULL
    assert asked.request is not None
    assert asked.request["response_format"] == {"type": "json_object"}


def test_a_schema_of_the_answer_is_its_response_format() -> None:
    schema = {"type": "object", "title": "Joke", "properties": {"joke": {"type": "string"}}}
    found = call(**CHAT, **ASKED, **SAID, **{"gen_ai.request.structured_output_schema": schema})
    assert found.request is not None
    assert found.request["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "Joke", "schema": schema},
    }


def test_of_several_choices_the_first_is_the_answer() -> None:
    told = [{"role": "assistant", "parts": [{"type": "text", "content": word}]} for word in ("one", "two")]
    found = call(
        **CHAT, **ASKED, **{"gen_ai.request.choice.count": 2, "gen_ai.output.messages": json.dumps(told)}
    )  # fmt: skip
    assert found.response is not None and found.response.text == "one"
    assert found.request is not None and found.request["n"] == 2


def test_indexed_prompts_are_put_in_order_and_a_gap_is_told() -> None:
    given: dict[str, Any] = {"llm.request.type": "chat", "gen_ai.completion.0.content": "ok", "gen_ai.system": "OpenAI"}
    for number in (11, 2, 0, 10, *range(3, 10), 1):
        given[f"gen_ai.prompt.{number}.role"] = "user"
        given[f"gen_ai.prompt.{number}.content"] = f"say {number}"
    found = call(**given)
    assert [content for _, content in messages(found)] == [f"say {number}" for number in range(12)]
    assert found.content_state is ContentState.FULL
    del given["gen_ai.prompt.4.role"], given["gen_ai.prompt.4.content"]
    assert call(**given).content_state is ContentState.REDACTED


def test_a_stream_recorded_message_by_message_is_one_answer() -> None:
    given: dict[str, Any] = {"openinference.span.kind": "LLM", "llm.input_messages.0.message.role": "user"}
    given["llm.input_messages.0.message.content"] = "count"
    for number, word in enumerate(("one", ", ", "two")):
        given[f"llm.output_messages.{number}.message.role"] = "assistant"
        given[f"llm.output_messages.{number}.message.content"] = word
    found = call(**given)
    assert found.response is not None and found.response.text == "one, two"


def test_hidden_inputs_of_openinference_are_no_prompt() -> None:
    found = call(
        **{
            "openinference.span.kind": "LLM", "input.value": "__REDACTED__", "output.value": "__REDACTED__",
            "llm.model_name": "m", "llm.token_count.prompt": 5,
        }
    )  # fmt: skip
    assert found.content_state is ContentState.ABSENT
    assert found.usage.input_tokens == 5


def test_openinference_parts_tools_and_calls_one_by_one() -> None:
    found = call(
        **{
            "openinference.span.kind": "LLM",
            "llm.provider": "anthropic",
            "llm.model_name": "claude-haiku-4-5",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            "llm.input_messages.0.message.contents.0.message_content.text": "look",
            "llm.input_messages.0.message.contents.1.message_content.type": "image",
            "llm.input_messages.0.message.contents.1.message_content.image.image.url": "https://post.example/b.png",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "t1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"at": "door"}',
            "llm.tools.0.tool.json_schema": TOOL,
            "llm.invocation_parameters": '{"max_tokens": 20, "stop_sequences": ["x"], "top_k": null}',
        }
    )
    assert found.request is not None and found.response is not None
    assert found.request["messages"][0]["content"][1]["image_url"] == {"url": "https://post.example/b.png"}
    assert found.request["tools"][0]["function"]["name"] == "look"
    assert (found.request["max_tokens"], found.request["stop"]) == (20, ["x"])
    assert found.response.tool_calls[0]["function"] == {"name": "look", "arguments": '{"at": "door"}'}
    assert found.response.finish_reason == "tool_calls"


def test_the_body_that_openinference_records_may_be_anthropics_or_geminis() -> None:
    asked = {
        "model": "claude-haiku-4-5",
        "system": [{"type": "text", "text": "Be kind."}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "max_tokens": 9,
        "stop_sequences": ["!"],
        "tools": [{"name": "look", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any"},
    }
    given = {
        "openinference.span.kind": "LLM",
        "input.value": asked,
        "llm.invocation_parameters": {"max_tokens": 9, "system": "x"},
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "hello",
    }
    found = call(**given)
    assert found.request is not None
    assert messages(found) == [("system", "Be kind."), ("user", "hi")]
    settings = {key: value for key, value in found.request.items() if key not in ("messages", "tools")}
    assert settings == {"max_tokens": 9, "stop": ["!"], "tool_choice": "required"}
    assert found.response is not None and found.response.text == "hello"
    gemini = {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "hi",
        "llm.invocation_parameters": {
            "system_instruction": "Be kind.", "max_output_tokens": 9, "http_options": {"headers": {"a": "b"}},
            "response_mime_type": "application/json", "response_schema": {"type": "object"},
        },
    }  # fmt: skip
    found = call(**gemini)
    assert found.request is not None
    assert messages(found) == [("system", "Be kind."), ("user", "hi")]
    assert found.request["max_tokens"] == 9
    assert found.request["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert set(found.request) == {"messages", "max_tokens", "response_format"}


def test_the_ai_sdk_in_its_own_words() -> None:
    made, result = {"toolCallId": "t", "toolName": "look"}, {"type": "text", "value": "a cat"}
    found = call(
        **{
            "ai.operationId": "ai.streamText.doStream",
            "ai.model.id": "gpt-5",
            "ai.model.provider": "openai.responses",
            "ai.prompt.messages": json.dumps(
                [
                    {"role": "system", "content": "Help."},
                    {"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image", "image": "aGk="}]},
                    {"role": "assistant", "content": [{"type": "tool-call", **made, "input": {}}]},
                    {"role": "tool", "content": [{"type": "tool-result", **made, "output": result}]},
                ]
            ),
            "ai.prompt.tools": [json.dumps({"type": "function", "name": "look", "inputSchema": {"type": "object"}})],
            "ai.prompt.toolChoice": '{"type":"tool","toolName":"look"}',
            "ai.response.text": "A cat.",
            "ai.response.finishReason": "stop",
            "ai.response.msToFirstChunk": 120.5,
            "ai.settings.temperature": 0.3,
            "ai.settings.stopSequences": ["."],
            "ai.usage.inputTokens": 50,
            "ai.usage.outputTokens": 5,
            "ai.usage.cachedInputTokens": 10,
            "ai.telemetry.functionId": "see",
            "ai.telemetry.metadata.userId": "u1",
            "ai.telemetry.metadata.floor": 2,
        }
    )  # fmt: skip
    assert found.request is not None
    assert [role for role, _ in messages(found)] == ["system", "user", "assistant", "tool"]
    assert found.request["messages"][3]["content"] == "a cat"
    assert found.request["tool_choice"] == {"type": "function", "function": {"name": "look"}}
    assert (found.request["temperature"], found.request["stop"]) == (0.3, ["."])
    assert (found.provider, found.stream, found.time_to_first_token_ms) == ("openai", True, 120.5)
    assert (found.task_hint, found.user_id, found.metadata) == ("see", "u1", {"floor": 2})
    assert found.usage.cache_read_input_tokens == 10
    assert found.content_state is ContentState.FULL


def test_pydantic_ai_events_in_one_attribute_and_its_tools() -> None:
    told = [
        {"event.name": "gen_ai.system.message", "role": "system", "content": "Be kind."},
        {"event.name": "gen_ai.user.message", "role": "user", "content": "hi"},
        {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "hello"}},
    ]
    offered = {
        "function_tools": [{"name": "look", "parameters_json_schema": {"type": "object"}}],
        "output_tools": [{"name": "final_result", "parameters_json_schema": {"type": "object"}}],
        "allow_text_output": False,
    }
    found = call(**CHAT, **{"events": told, "model_request_parameters": offered, "operation.cost": 0.002})
    assert messages(found) == [("system", "Be kind."), ("user", "hi")]
    assert found.response is not None and found.response.text == "hello"
    assert found.request is not None and found.request["tool_choice"] == "required"
    assert [tool["function"]["name"] for tool in found.request["tools"]] == ["look", "final_result"]
    assert found.logged_cost_usd == Decimal("0.002")


def test_an_agents_run_is_a_call_only_when_it_has_one_answer_and_no_call_of_its_own_is_there() -> None:
    once = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    run = {"model_name": "gpt-5", "agent_name": "greeter", "gen_ai.usage.input_tokens": 9}
    (found,) = calls(document(span("run", attributes={**run, "all_messages_events": once})))
    assert (found.task_hint, found.content_state) == ("greeter", ContentState.REDACTED)
    twice = read(document(span("run", attributes={**run, "all_messages_events": once * 2})))
    assert reasons(twice) == {AGENT_RUN: 1}
    inner = span("inner", "run", attributes={**CHAT, **ASKED, **SAID, "gen_ai.usage.input_tokens": 9})
    items = read(document(span("run", attributes={**run, "all_messages_events": once}), inner))
    assert reasons(items) == {WRAPPER: 1}
    assert [item.task_hint for item in items if isinstance(item, Call)] == ["greeter"]


def test_the_bodies_that_logfire_records() -> None:
    found = call(
        **{
            "request_data": {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "top_p": 0.5},
            "response_data": {"message": {"role": "assistant", "content": "hello"}, "usage": {"prompt_tokens": 3}},
        }
    )  # fmt: skip
    assert found.request == {"messages": [{"role": "user", "content": "hi"}], "top_p": 0.5}
    assert found.response is not None and found.response.text == "hello"
    assert (found.request_model, found.usage.input_tokens) == ("gpt-4o", 3)


def test_googles_kit_counts_thoughts_beside_the_answer() -> None:
    asked = {
        "model": "gemini-2.5-flash",
        "config": {
            "system_instruction": "Be short.",
            "temperature": 0.4,
            "tools": [{"function_declarations": [{"name": "look"}]}],
        },
        "contents": [{"role": "user", "parts": [{"text": "where?"}]}],
    }
    answered = {
        "content": {"role": "model", "parts": [{"text": "there"}]},
        "finish_reason": "MAX_TOKENS",
        "usage_metadata": {
            "prompt_token_count": 5,
            "candidates_token_count": 8,
            "thoughts_token_count": 30,
            "total_token_count": 43,
        },
    }
    found = call(
        **{
            "gen_ai.system": "gcp.vertex.agent",
            "gcp.vertex.agent.llm_request": asked,
            "gcp.vertex.agent.llm_response": answered,
        }
    )
    assert messages(found) == [("system", "Be short."), ("user", "where?")]
    assert found.request is not None and found.request["temperature"] == 0.4
    assert found.request["tools"][0]["function"]["name"] == "look"
    assert found.response is not None
    assert (found.response.text, found.response.finish_reason) == ("there", "length")
    assert (found.usage.output_tokens, found.usage.reasoning_output_tokens, found.usage.total_tokens) == (38, 30, 43)


def test_mlflow_attributes_are_json_in_json() -> None:
    given = {
        "mlflow.spanType": "CHAT_MODEL",
        "mlflow.spanInputs": {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "temperature": 0},
        "mlflow.spanOutputs": {"id": "c1", "choices": [{"finish_reason": "stop", "message": {"content": "hello"}}]},
        "mlflow.chat.tokenUsage": {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4},
    }
    found = call(**{key: json.dumps(json.dumps(value)) for key, value in given.items()})
    assert found.request == {"messages": [{"role": "user", "content": "hi"}], "temperature": 0}
    assert found.response is not None and found.response.text == "hello"
    assert (found.source_id, found.usage.total_tokens) == ("c1", 4)
    step = read(document(span("step", attributes={"mlflow.spanType": '"RETRIEVER"'})))
    assert reasons(step) == {OTHER_SPAN: 1}


def test_a_stream_that_logfire_records_twice_is_counted_once() -> None:
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    request = span("request", attributes={"request_data": asked})
    over = {"request_data": asked, "response_data": {"combined_chunk_content": "hello"}, "duration": 1.5}
    items = read(document(request, span("over", ms=0, attributes=over)))
    (found,) = [item for item in items if isinstance(item, Call)]
    assert (found.latency_ms, found.stream, found.content_state) == (1500, True, ContentState.FULL)
    assert reasons(items) == {OTHER_SPAN: 1}


def test_events_whose_content_is_bedrocks_blocks() -> None:
    use = {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"at": "door"}}}
    result = {"toolResult": {"toolUseId": "t1", "status": "success", "content": [{"text": "a cat"}]}}
    told = [
        event("gen_ai.user.message", 1, content=json.dumps([{"text": "who?"}])),
        event("gen_ai.assistant.message", 2, content=json.dumps([{"text": "I look."}, use])),
        event("gen_ai.tool.message", 3, content=json.dumps([result])),
        event("gen_ai.choice", 9, finish_reason="end_turn", message=json.dumps([{"text": "A cat."}])),
    ]
    offered = json.dumps([{"name": "look", "input_schema": {"type": "object"}}])
    (found,) = calls(document(span("call", attributes={**CHAT, "gen_ai.tool.definitions": offered}, events=told)))
    assert found.request is not None and found.response is not None
    assert [role for role, _ in messages(found)] == ["user", "assistant", "tool"]
    assert messages(found)[2][1] == "a cat"
    assert (found.response.text, found.response.finish_reason) == ("A cat.", "stop")
    assert found.content_state is ContentState.FULL


def test_an_answer_that_was_cut_off_is_no_answer() -> None:
    found = call(**CHAT, **ASKED, **{"gen_ai.output.messages": '[{"role": "assistant", "parts": [{"ty'})
    assert (found.response, found.content_state) == (None, ContentState.REDACTED)


def test_a_wrappers_failure_after_the_call_is_not_the_calls() -> None:
    given = {"langfuse.observation.type": "generation", "langfuse.observation.level": "ERROR"}
    inner = span("inner", "outer", attributes={**CHAT, **ASKED, **SAID})
    (found,) = calls(document(span("outer", attributes=given), inner))
    assert not found.failed


def test_log_records_and_span_events_give_a_span_its_content() -> None:
    (found,) = calls(
        document(
            span(
                "call",
                attributes={"gen_ai.response.model": "gpt-4"},
                events=[
                    event("gen_ai.choice", 90, index=0, finish_reason="stop", message='{"content":"Paris."}'),
                    event("gen_ai.user.message", 2, content="Capital of France?"),
                    event("gen_ai.system.message", 1, **{"gen_ai__event__content": '{"content": "Be brief."}'}),
                ],
            )
        )
    )  # fmt: skip
    assert messages(found) == [("system", "Be brief."), ("user", "Capital of France?")]
    assert found.response is not None and found.response.text == "Paris."


def test_events_without_content_mean_that_capturing_was_off() -> None:
    (found,) = calls(
        document(span("call", attributes=CHAT, events=[event("gen_ai.user.message"), event("gen_ai.choice")]))
    )
    assert found.content_state is ContentState.ABSENT


def test_one_event_may_hold_the_whole_call_even_without_its_span() -> None:
    given = {**CHAT, **ASKED, **SAID, "gen_ai.usage.input_tokens": 4}
    record = {
        "timeUnixNano": str(START), "traceId": "cd" * 16, "spanId": "ef" * 8,
        "eventName": "gen_ai.client.inference.operation.details",
        "attributes": [{"key": key, "value": any_value(value)} for key, value in given.items()],
    }  # fmt: skip
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    (alone,) = calls(logs)
    assert (alone.usage.input_tokens, alone.content_state) == (4, ContentState.FULL)
    bare = {**span("x", attributes=CHAT), "traceId": "cd" * 16, "spanId": "ef" * 8}
    (joined,) = calls(document(bare), logs)
    assert joined.content_state is ContentState.FULL
    assert joined.latency_ms == 100


# -- which span is the call -------------------------------------------------------------------------------------


def test_a_wrapper_gives_its_content_to_the_one_call_inside_it() -> None:
    outer = span("outer", attributes={**CHAT, **ASKED, **SAID, "user.id": "u", "gen_ai.usage.input_tokens": 9})
    http = span("http", "outer", attributes={"http.request.method": "POST"})
    inner = span("inner", "http", attributes={**CHAT, "gen_ai.response.id": "r1", "gen_ai.usage.input_tokens": 9})
    items = read(document(outer, http, inner))
    (found,) = [item for item in items if isinstance(item, Call)]
    assert (found.source_id, found.user_id, found.content_state) == ("r1", "u", ContentState.FULL)
    assert reasons(items) == {WRAPPER: 1, OTHER_SPAN: 1}


def test_the_spans_of_a_trace_may_stand_in_different_lines() -> None:
    outer = span("outer", attributes={**CHAT, **ASKED, **SAID})
    inner = span("inner", "outer", attributes={**CHAT, "gen_ai.usage.input_tokens": 9})
    for order in ((outer, inner), (inner, outer)):
        items = read(*(document(each) for each in order))
        assert reasons(items) == {WRAPPER: 1}
        assert len([item for item in items if isinstance(item, Call)]) == 1


def test_a_call_made_by_a_tool_inside_a_call_is_another_call() -> None:
    outer = span("outer", attributes={**CHAT, "gen_ai.response.id": "r1", "gen_ai.usage.input_tokens": 9})
    tool = span("tool", "outer", attributes={"gen_ai.operation.name": "execute_tool"})
    inner = span("inner", "tool", attributes={**CHAT, "gen_ai.response.id": "r2", "gen_ai.usage.input_tokens": 7})
    assert {found.source_id for found in calls(document(outer, tool, inner))} == {"r1", "r2"}


def test_a_run_of_several_steps_is_the_sum_of_its_calls() -> None:
    outer = span("outer", attributes={**CHAT, "gen_ai.usage.input_tokens": 16, "gen_ai.usage.output_tokens": 2})
    inner = [
        span(
            f"s{n}", "outer", at=n, attributes={**CHAT, "gen_ai.usage.input_tokens": n, "gen_ai.usage.output_tokens": 1}
        )
        for n in (9, 7)
    ]
    assert reasons(read(document(outer, *inner))) == {WRAPPER: 1}


def test_two_instrumentations_side_by_side_tell_of_one_call() -> None:
    plain = span("plain", attributes={**CHAT, "gen_ai.response.id": "r1", "user.id": "u"})
    full = span("full", attributes={**CHAT, **ASKED, **SAID, "gen_ai.response.id": "r1"})
    items = read(document(plain, full))
    (found,) = [item for item in items if isinstance(item, Call)]
    assert (found.user_id, found.content_state) == ("u", ContentState.FULL)
    assert reasons(items) == {COPY: 1}


def test_names_come_from_the_spans_around_a_call() -> None:
    agent = span(
        "agent", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper", "session.id": "s"}
    )
    (found,) = calls(document(span("call", "agent", attributes=CHAT)), document(agent))
    assert (found.task_hint, found.conversation_id) == ("helper", "s")


def test_json_nested_too_deeply_in_one_span_does_not_lose_the_others() -> None:
    deep = "[" * 5000 + "]" * 5000
    bad = span("bad", attributes={**CHAT, "gen_ai.input.messages": deep, "annotations.0.annotation.name": "x"})
    items = read(document(bad, span("good", attributes={**CHAT, **ASKED, **SAID})))
    assert reasons(items) == {"nested too deeply": 1}
    assert len([item for item in items if isinstance(item, Call)]) == 1


def test_a_span_that_is_its_own_parent_is_read() -> None:
    assert len(calls(document(span("call", "call", attributes={**CHAT, **ASKED, **SAID})))) == 1


# -- errors, feedback -------------------------------------------------------------------------------------------


def test_an_exception_that_was_handled_is_no_failure() -> None:
    thrown = event("exception", exception__type="Timeout", exception__message="slow")
    (fine,) = calls(document(span("call", attributes={**CHAT, **ASKED, **SAID}, events=[thrown])))
    assert not fine.failed
    for status in ({"code": 2}, {"code": "STATUS_CODE_ERROR"}):
        (failed,) = calls(document(span("call", attributes={**CHAT, **ASKED, **SAID}, events=[thrown], status=status)))
        assert (failed.error_type, failed.error_message, failed.response) == ("Timeout", "slow", None)


def test_a_judgement_is_feedback_of_the_call_that_it_names() -> None:
    told = event("gen_ai.evaluation.result", gen_ai__evaluation__name="tone", gen_ai__evaluation__score__value=-0.5)
    items = read(document(span("call", attributes={**CHAT, "gen_ai.response.id": "r1"}, events=[told])))
    (note,) = [item for item in items if isinstance(item, Feedback)]
    assert (note.source_id, note.name, note.value, note.trace_id) == ("r1", "tone", -0.5, "ab" * 16)


# -- encodings --------------------------------------------------------------------------------------------------


def in_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_a_call_is_the_same_in_every_encoding() -> None:
    given = {**CHAT, **ASKED, **SAID, "gen_ai.usage.input_tokens": 9}
    plain = span("call", attributes=given)
    (expected,) = calls(document(plain))
    trace, own = bytes.fromhex(plain["traceId"]), bytes.fromhex(plain["spanId"])
    low, high = START & 0xFFFFFFFF, START >> 32
    halves = {"low": low - 2**32 if low >= 2**31 else low, "high": high, "unsigned": True}
    texts = {key: str(value) for key, value in given.items()}
    moment = "2026-09-21T14:13:20"
    encodings: dict[str, dict[str, Any]] = {
        "base64": document({**plain, "traceId": in_base64(trace), "spanId": in_base64(own)}),
        "buffers": document({**plain, "traceId": {"type": "Buffer", "data": list(trace)}, "startTimeUnixNano": halves}),
        "one span": plain,
        "names in snakes": {"resource_spans": [{"scope_spans": [{"spans": [{
            "trace_id": plain["traceId"], "span_id": plain["spanId"], "name": "call", "attributes": plain["attributes"],
            "start_time_unix_nano": START, "end_time_unix_nano": START + 100_000_000}]}]}]},
        "tempo": {"batches": document(plain)["resourceSpans"]},
        "clickhouse": {
            "Timestamp": moment.replace("T", " ") + ".000000000", "Duration": "100000000", "TraceId": plain["traceId"],
            "SpanId": plain["spanId"], "SpanName": "call", "SpanAttributes": texts, "StatusCode": "Unset"},
        "console": {
            "name": "call", "context": {"trace_id": "0x" + plain["traceId"], "span_id": "0x" + plain["spanId"]},
            "start_time": moment + ".000000Z", "end_time": moment + ".100000Z", "attributes": given,
            "status": {"status_code": "UNSET"}, "events": [], "parent_id": None},
        "jaeger": {"data": [{"traceID": plain["traceId"], "processes": {"p1": {}}, "spans": [{
            "traceID": plain["traceId"], "spanID": plain["spanId"], "operationName": "call", "processID": "p1",
            "startTime": START // 1000, "duration": 100_000, "logs": [], "references": [],
            "tags": [{"key": key, "type": "string", "value": value} for key, value in given.items()]}]}]},
    }  # fmt: skip
    for name, record in encodings.items():
        assert FORMAT.matches(record) == 1.0, name
        (found,) = calls(record)
        for part in (
            "source_id",
            "started_at",
            "latency_ms",
            "request",
            "response",
            "usage",
            "trace_id",
            "request_model",
        ):
            assert getattr(found, part) == getattr(expected, part), (name, part)


# -- real files -------------------------------------------------------------------------------------------------


def sample(path: Path) -> list[Item]:
    return read(*(row.record for row in read_rows(path) if isinstance(row, Row)))


@pytest.mark.shared_data
def test_spans_of_the_official_instrumentation(shared: Path) -> None:
    folder = shared / "samples" / "otel-genai"
    found = [item for item in sample(folder / "otlp_genai-openai-1.3b0_span_content.jsonl") if isinstance(item, Call)]
    assert len(found) == 29
    assert Counter(each.content_state.value for each in found) == {"full": 24, "redacted": 4, "no_response": 1}
    by_id = {each.source_id: each for each in found}
    joke = by_id["chatcmpl-908MD9ivBBLb6EaIjlqwFokntayQK"]
    assert (joke.request_model, joke.response_model) == ("gpt-3.5-turbo", "gpt-3.5-turbo-0125")
    assert (joke.usage.input_tokens, joke.usage.output_tokens) == (15, 19)
    assert joke.response is not None and joke.response.finish_reason == "stop"
    assert joke.latency_ms == pytest.approx(16.472094)
    thought = by_id["chatcmpl-C6DUm0Lah8z5kRsRhhtk97oh5ey0B"].usage
    assert (thought.output_tokens, thought.reasoning_output_tokens) == (228, 192)
    called = by_id["chatcmpl-9Xtj3KivtcjzP9VpvgQkC1HznIlOj"]
    assert called.response is not None and called.response.finish_reason == "tool_calls"
    assert called.response.tool_calls[0]["function"]["arguments"] == '{"location":"San Francisco"}'
    streamed = by_id["chatcmpl-7UR4UcvmeD79Xva3UxkKkL2es6b5W"]
    assert streamed.stream is True and streamed.time_to_first_token_ms == pytest.approx(9.049743)
    bare = [item for item in sample(folder / "otlp_genai-openai-1.3b0_no_content.jsonl") if isinstance(item, Call)]
    assert Counter(each.content_state for each in bare) == {ContentState.ABSENT: 29}
    assert sum(each.usage.input_tokens or 0 for each in bare) == sum(each.usage.input_tokens or 0 for each in found)


@pytest.mark.shared_data
def test_spans_of_openllmetry_before_and_after(shared: Path) -> None:
    folder = shared / "samples" / "openllmetry"
    old = [
        item for item in sample(folder / "otlp_traceloop-openai-0.40.14_legacy_indexed.jsonl") if isinstance(item, Call)
    ]
    new = [item for item in sample(folder / "otlp_traceloop-openai-0.62.4.jsonl") if isinstance(item, Call)]
    assert (len(old), len(new)) == (20, 20)
    assert Counter(each.content_state.value for each in old) == {"full": 19, "redacted": 1}
    assert Counter(each.content_state.value for each in new) == {"full": 19, "redacted": 1}
    refused = [each.response.refusal for each in old if each.response is not None and each.response.refusal]
    assert refused == ["I'm very sorry, but I can't assist with that request."]
    forms = [
        each.request["response_format"]["type"] for each in new if each.request and "response_format" in each.request
    ]
    assert forms == ["json_schema"] * 3
    shared_ids = {each.source_id for each in old} & {each.source_id for each in new}
    assert shared_ids
    for name in shared_ids:
        (one,), (other,) = ([each for each in side if each.source_id == name] for side in (old, new))
        if one.usage.input_tokens is not None:  # the older version counts no tokens of a stream
            assert one.usage == replace(other.usage, reasoning_output_tokens=None)
        if one.response and other.response and not one.response.refusal:
            assert (one.response.text or None, one.response.finish_reason) == (
                other.response.text or None,
                other.response.finish_reason,
            )
    streams = [each for each in (*old, *new) if each.stream]
    assert len(streams) == 9 and all(each.time_to_first_token_ms for each in streams)


@pytest.mark.shared_data
def test_spans_of_openinference(shared: Path) -> None:
    path = shared / "samples" / "openinference" / "otlp_openinference-openai-0.1.66.jsonl"
    found = [item for item in sample(path) if isinstance(item, Call)]
    assert Counter(each.content_state for each in found) == {ContentState.FULL: 20}
    by_id = {each.source_id: each for each in found}
    quick = by_id["chatcmpl-Cf5wGPHPBqszCcDHyQPt9SNASzZKN"]
    assert quick.request == {"messages": [{"role": "user", "content": "Say hello"}], "service_tier": "priority"}
    assert (quick.request_model, quick.response_model) == ("gpt-5", "gpt-5-2025-08-07")
    assert (quick.usage.output_tokens, quick.usage.reasoning_output_tokens, quick.usage.total_tokens) == (82, 64, 90)
    twice = by_id["chatcmpl-9g4cZhrW9CsqihSvXslk0EUtjASsO"].response
    assert twice is not None and len(twice.tool_calls) == 2
    refused = by_id["chatcmpl-AGky8KFDbg6f5fF4qLtsBredIjZZh"].response
    assert refused is not None and refused.refusal == "I'm very sorry, but I can't assist with that request."
    assert [each.time_to_first_token_ms is not None for each in found if each.stream] == [True] * 3


@pytest.mark.shared_data
def test_spans_as_a_backend_received_them(shared: Path) -> None:
    folder = shared / "samples" / "otel-genai" / "langfuse-vendor-spans"
    paths = sorted(folder.glob("*.json"))
    items = {path.stem: sample(path) for path in paths}
    found = {name: [item for item in each if isinstance(item, Call)] for name, each in items.items()}
    assert {name: len(each) for name, each in found.items()} == {
        **dict.fromkeys(items, 1),
        "missing-timestamps": 0,
    }
    usage = {name: each[0].usage for name, each in found.items() if each}
    cached = {
        name: (each.input_tokens, each.cache_read_input_tokens, each.cache_creation_input_tokens, each.output_tokens)
        for name, each in usage.items()
    }
    assert cached["cache-both-spellings"] == (100, 20, 10, None)
    assert cached["openinference-cache"] == (50000, 40000, 5000, 200)
    assert cached["pydantic-ai-cache-usage"] == (120, 30, 10, 40)
    assert cached["vercel-anthropic-provider-metadata"] == (18495, 16399, 2089, 445)
    thought = usage["google-adk-reasoning"]
    assert (thought.output_tokens, thought.reasoning_output_tokens, thought.total_tokens) == (60, 25, 160)
    (sdk,) = found["langfuse-sdk"]
    assert (sdk.source_id, sdk.trace_id) == ("57f02554179741bd", "2cce18f7e8cd065a0b4e634eef728391")
    assert (sdk.task_hint, sdk.user_id, sdk.conversation_id) == ("my-prompt", "my-user", "my-session")
    assert (sdk.logged_cost_usd, sdk.usage.output_tokens) == (Decimal("0.0021"), 456)
    assert sdk.request == {"messages": [{"role": "user", "content": "hello"}], "temperature": 1, "top_p": 0.2}
    (kernel,) = found["semantic-kernel-events"]
    assert kernel.response is not None and kernel.response.text == "The capital of France is Paris."
    (vercel,) = found["vercel-ai-sdk-v7"]
    assert messages(vercel) == [("system", "Answer concisely."), ("user", "hello")]
    (loop,) = found["traceloop"]
    assert loop.usage.total_tokens == 187
    assert loop.latency_ms == pytest.approx(1444.19, abs=0.01)
