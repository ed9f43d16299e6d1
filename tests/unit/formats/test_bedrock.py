"""Bedrock: Converse and every maker's own bodies, streams as lists of events, bodies in files of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Quarantined, Usage
from tieraudit.errors import Rejected
from tieraudit.formats.base import Format, Where
from tieraudit.formats.bedrock import BedrockInvocations
from tieraudit.formats.bedrock_body import bedrock_exchange, model_name
from tieraudit.formats.bedrock_pairs import BedrockPairs
from tieraudit.formats.converse_body import converse_request, fold_converse
from tieraudit.formats.framing import Row, read_rows

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
READERS: dict[str, Format] = {"bedrock": BedrockInvocations(), "bedrock-pairs": BedrockPairs()}


def beside(name: str) -> Any:
    path = LOGS / "beside" / Path(name).name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def call_of(line: int, name: str = "bedrock", **changes: Any) -> Call:
    record = json.loads((LOGS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[line - 1])
    (call, *_) = READERS[name].calls({**record, **changes}, Where("log", line, beside))
    assert isinstance(call, Call)
    return call


def asked(*blocks: dict[str, Any], **more: Any) -> Any:
    return converse_request({"messages": [{"role": "user", "content": list(blocks)}], **more})


def test_converse_becomes_chat_completions() -> None:
    call = call_of(1)
    assert call.request is not None
    assert call.request["messages"] == [
        {"role": "system", "content": "Sort the letter."},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
                {"type": "text", "text": "Which shelf?"},
            ],
        },
    ]
    assert call.request["response_format"]["json_schema"] == {"name": "shelf", "schema": {"type": "object"}}
    assert {key: call.request[key] for key in ("max_tokens", "temperature", "top_p", "top_k", "stop")} == {
        "max_tokens": 40, "temperature": 0.1, "top_p": 0.8, "top_k": 20, "stop": ["END"],
    }  # fmt: skip
    assert call.usage == Usage(530, 500, 20, 6, None, 536)
    assert call.response is not None and call.response.text == '{"shelf": 3}'
    assert call.request_model == "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
    assert (call.task_hint, call.tags, call.conversation_id) == ("sort mail", ("shop", "night"), "s-4")
    assert (call.metadata["inference_region"], call.metadata["desk"]) == ("eu-west-1", "2")


def test_tool_calls_and_results_are_paired() -> None:
    call = call_of(2)
    assert call.request is not None and call.content_state is ContentState.FULL
    assert call.request["messages"][2] == {"role": "tool", "tool_call_id": "u1", "content": '{"at":"depot"}'}
    assert (call.request["tool_choice"], call.stream) == ("required", True)
    assert call.request["tools"][0]["function"]["parameters"]["properties"] == {"number": {"type": "string"}}
    assert call.response is not None and call.response.finish_reason == "tool_calls"
    assert call.response.tool_calls[0]["function"]["arguments"] == '{"number":"13"}'


def test_a_stream_is_a_list_of_events_with_bedrocks_own_times() -> None:
    call = call_of(3)
    assert call.response is not None and call.response.text == "Good day"
    assert (call.latency_ms, call.time_to_first_token_ms, call.usage.output_tokens) == (800, 300, 4)
    assert call.response_model == "claude-3-5-haiku-20241022"


def test_a_failed_call_has_its_code() -> None:
    call = call_of(4)
    assert (call.error_type, call.error_message) == ("ThrottlingException", "Too many requests")
    assert (call.response, call.content_state) == (None, ContentState.NO_RESPONSE)


def test_bodies_in_files_of_their_own_are_fetched() -> None:
    call = call_of(5)
    assert call.request == {"messages": [{"role": "user", "content": "A very long letter."}]}
    assert (call.usage.input_tokens, call.content_state) == (9000, ContentState.FULL)


def test_a_body_whose_file_is_not_there_is_named() -> None:
    call = call_of(5, input={"inputBodyS3Path": "s3://logs/data/gone.json.gz", "inputTokenCount": 5})
    assert call.content_state is ContentState.ABSENT
    assert call.metadata["inputBodyS3Path"] == "s3://logs/data/gone.json.gz"


def test_without_text_delivery_the_counts_remain() -> None:
    call = call_of(6)
    assert (call.content_state, call.request, call.response) == (ContentState.ABSENT, None, None)
    assert (call.usage.input_tokens, call.usage.output_tokens) == (70, 7)
    assert call.request_model == "application-inference-profile/a1b2c3"


def test_embeddings_cost_input_only() -> None:
    call = call_of(7)
    assert (call.operation, call.usage) == ("embeddings", Usage(input_tokens=3, output_tokens=0))


def test_a_prompt_with_marks_of_turns_is_a_completion() -> None:
    call = call_of(8)
    assert (call.operation, call.usage) == ("text_completion", Usage(input_tokens=11, output_tokens=2))


def test_log_events_of_cloudwatch_are_opened() -> None:
    record = json.loads((LOGS / "bedrock.jsonl").read_text(encoding="utf-8").splitlines()[8])
    call, other = BedrockInvocations().calls(record, Where("log", 9))
    assert isinstance(call, Call) and isinstance(other, Quarantined)
    assert call.response is not None and call.response.finish_reason == "content_filter"
    assert call.usage == Usage(input_tokens=0, output_tokens=0)
    assert (call.metadata["guardrail_action"], call.metadata["guardrails"]) == ("INTERVENED", ["g-1"])
    event = {"@timestamp": "x", "@message": record["logEvents"][0]["message"]}
    assert BedrockInvocations().matches(event) == 1.0


def test_a_path_that_leads_out_is_refused() -> None:
    def refuse(name: str) -> Any:
        raise Rejected("a side file outside the folders that were given")

    record = json.loads((LOGS / "bedrock.jsonl").read_text(encoding="utf-8").splitlines()[4])
    with pytest.raises(Rejected, match="outside"):
        list(BedrockInvocations().calls(record, Where("log", 5, refuse)))


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("arn:aws:bedrock:eu-west-1:1:imported-model/x1", "imported-model/x1"),
        ("arn:aws:bedrock:eu-west-1:1:custom-model/amazon.titan-text-lite-v1:0:4k/x1",
         "custom-model/amazon.titan-text-lite-v1:0:4k/x1"),
    ],
)  # fmt: skip
def test_a_model_is_named_by_id_or_arn(arn: str, name: str) -> None:
    assert model_name(arn)[0] == name


def test_an_event_stream_of_converse_is_folded() -> None:
    folded = fold_converse(
        [
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"delta": {"text": "Let "}, "contentBlockIndex": 0}},
            {"contentBlockDelta": {"delta": {"text": "me"}, "contentBlockIndex": 0}},
            {
                "contentBlockStart": {
                    "start": {"toolUse": {"toolUseId": "u", "name": "f"}},
                    "contentBlockIndex": 1,
                }
            },
            {"contentBlockDelta": {"delta": {"toolUse": {"input": '{"a":'}}, "contentBlockIndex": 1}},
            {"contentBlockDelta": {"delta": {"toolUse": {"input": "1}"}}, "contentBlockIndex": 1}},
            {"messageStop": {"stopReason": "tool_use"}},
            {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2}, "metrics": {"latencyMs": 5}}},
        ]
    )
    found = bedrock_exchange({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}, folded, "m")
    assert found.response is not None
    assert (found.response.text, found.response.finish_reason) == ("Let me", "tool_calls")
    assert found.response.tool_calls[0]["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert (found.usage.input_tokens, found.usage.output_tokens) == (3, 2)


PROMPT = {"prompt": "p"}
OLDER = {"prompt": "p", "max_tokens_to_sample": 3}
OLDER_STREAM = [{"completion": "a"}, {"completion": "b", "stop_reason": "stop_sequence"}, "[DONE]"]
TITAN_STREAM = [{"outputText": "a", "completionReason": None}, {"outputText": "b", "completionReason": "FINISH"}]
AI21 = {"completions": [{"data": {"text": "a"}, "finishReason": {"reason": "endoftext"}}]}
JAMBA = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("body", "answer", "text", "reason"),
    [
        (PROMPT, {"outputs": [{"text": "a", "stop_reason": "length"}]}, "a", "length"),
        (PROMPT, AI21, "a", "stop"),
        (PROMPT, {"generations": [{"text": "a", "finish_reason": "COMPLETE"}]}, "a", "stop"),
        (PROMPT, {"choices": [{"text": "a", "stop_reason": "stop"}]}, "a", "stop"),
        (OLDER, {"completion": "a", "stop_reason": "max_tokens"}, "a", "length"),
        (OLDER, OLDER_STREAM, "ab", "stop"),
        ({"inputText": "p"}, TITAN_STREAM, "ab", "stop"),
        ({"messages": [{"role": "user", "content": "p"}]}, JAMBA, "a", "stop"),
    ],
)
def test_every_makers_answer_is_read(body: Any, answer: Any, text: str, reason: str) -> None:
    found = bedrock_exchange(body, answer, None)
    assert found.request is not None and found.request["messages"][0]["content"] == "p"
    assert found.response is not None
    assert (found.response.text, found.response.finish_reason) == (text, reason)


def test_documents_in_s3_are_references_that_cannot_be_sent_again() -> None:
    mapped = asked({"document": {"format": "pdf", "name": "bill", "source": {"s3Uri": "s3://b/bill.pdf"}}})
    assert not mapped.complete
    assert mapped.request["messages"][0]["content"] == [
        {"type": "file", "file": {"filename": "bill", "file_id": "s3://b/bill.pdf"}}
    ]


def test_documents_in_the_body_are_files() -> None:
    mapped = asked({"document": {"format": "pdf", "name": "bill", "source": {"bytes": "aGk="}}})
    assert mapped.complete
    assert mapped.request["messages"][0]["content"][0]["file"]["file_data"] == "data:application/pdf;base64,aGk="


def test_stored_prompts_and_tools_at_the_provider_are_told() -> None:
    assert not asked({"text": "hi"}, promptVariables={"a": {"text": "b"}}).complete
    assert not asked({"text": "hi"}, toolConfig={"tools": [{"systemTool": {"name": "nova_grounding"}}]}).lossless


def test_a_pair_names_model_and_stream_by_its_path() -> None:
    call = call_of(5, "bedrock-pairs")
    assert (call.request_model, call.stream) == ("meta.llama3-8b-instruct-v1:0", True)
    assert call.response is not None and call.response.text == "Santiago"
    assert (call.latency_ms, call.time_to_first_token_ms) == (210, 90)
    failed = call_of(6, "bedrock-pairs")
    assert (failed.error_type, failed.error_message, failed.http_status) == (
        "http_429", "Too many requests, please wait.", 429,
    )  # fmt: skip


def test_coheres_turns_are_messages() -> None:
    call = call_of(4, "bedrock-pairs")
    assert call.request == {
        "messages": [
            {"role": "system", "content": "You know gardens."},
            {"role": "user", "content": "When to sow peas?"},
            {"role": "assistant", "content": "In spring."},
            {"role": "user", "content": "And in winter?"},
        ],
        "top_p": 0.4,
        "top_k": 5,
    }
    assert call.operation == "chat"


def rows(shared: Path, name: str) -> list[dict[str, Any]]:
    source = shared / "samples" / name
    if not source.exists():
        pytest.skip("needs the sample logs beside the checkout")
    return [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]


@pytest.mark.shared_data
def test_the_published_invocation_logs_are_read(shared: Path) -> None:
    records = rows(shared, "bedrock/model_invocation_log.jsonl")
    assert len(records) == 7
    packed = shared / "samples" / "bedrock" / "20260810T211239Z_model_invocation_log.json.gz"
    assert [row.record for row in read_rows(packed) if isinstance(row, Row)] == records
    for masked in records[5:]:  # their timestamps are placeholders
        with pytest.raises(Rejected, match="no start time"):
            list(BedrockInvocations().calls(masked, Where("log", 1)))
        masked["timestamp"] = "2026-08-10T21:12:39Z"
    calls = [call for row in records for call in BedrockInvocations().calls(row, Where("log", 1))]
    assert all(isinstance(call, Call) and call.response is not None for call in calls)
    found = [
        (call.operation, call.content_state.value, call.usage.input_tokens, call.usage.output_tokens,
         call.response.finish_reason if call.response else None, call.latency_ms)
        for call in calls if isinstance(call, Call)
    ]  # fmt: skip
    assert found == [
        ("chat", "full", 62, 36, "stop", 1134),
        ("chat", "full", 20, 18, "stop", 1200),
        ("chat", "full", 0, 0, "content_filter", None),
        ("chat", "redacted", 3263, 300, "length", 14079),
        ("chat", "full", 4, 38, "stop", 302),
        ("text_completion", "full", 7, 11, "stop", 864),
        ("text_completion", "full", 15, 12, "stop", None),
    ]


@pytest.mark.shared_data
def test_the_recorded_traffic_is_read_whole(shared: Path) -> None:
    calls = [
        call
        for row in rows(shared, "http_pairs/bedrock_runtime.jsonl")
        for call in BedrockPairs().calls(row, Where("log", 1))
    ]
    assert [(call.operation, call.usage.input_tokens, call.usage.output_tokens) for call in calls] == [
        ("chat", 28, 26), ("text_completion", 28, 197), ("text_completion", 9, 17), ("chat", 18135, 50),
        ("chat", 16, 29), ("chat", 16, 19), ("text_completion", None, None), ("chat", 17, 17),
        ("text_completion", 6, 100), ("chat", 52, 30), ("text_completion", 158, 128), ("chat", 54, 18), ("chat", 7, 53),
    ]  # fmt: skip
    assert all(call.content_state is ContentState.FULL and call.provider == "aws" for call in calls)
    assert calls[3].request is not None
    assert calls[3].request["messages"][0] == {"role": "system", "content": "very very long system prompt"}
    assert calls[3].usage.cache_creation_input_tokens == 18131
    assert calls[11].request is not None and calls[11].request["top_k"] == 10
    assert calls[8].request_model == "endpoint/endpoint-quick-start-idr7y"
