"""Batch files: both halves of a call are joined whatever file and order they come in, and a wrong prompt never is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import Call, ContentState, Quarantined
from tieraudit.formats.base import Fragment, Where
from tieraudit.formats.openai_batch import OpenAIBatch
from tieraudit.pipeline.call_rows import call_id

LOG = Path(__file__).resolve().parents[2] / "fixtures" / "logs" / "openai-batch.jsonl"
LINES = [json.loads(line) for line in LOG.read_text(encoding="utf-8").splitlines()]


def parts(*records: dict[str, Any]) -> list[Fragment]:
    return [part for n, record in enumerate(records, 1) for part in OpenAIBatch().calls(record, Where("log", n))]


def joined(key: str, *without: str) -> Call:
    found = [part for part in parts(*LINES) if part.key == key and part.part not in without]
    (call,) = OpenAIBatch().join(found)
    assert isinstance(call, Call)
    return call


def asked(model: str, content: str) -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": content}]}
    return {"custom_id": "same", "method": "POST", "url": "/v1/chat/completions", "body": body}


ANSWER = {
    "custom_id": "same",
    "response": {
        "status_code": 200,
        "body": {
            "id": "chatcmpl-1",
            "created": 1793188800,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"message": {"role": "assistant", "content": "ok"}}],
        },
    },
}


def test_both_halves_make_one_call() -> None:
    call = joined("mail-1")
    assert call.content_state is ContentState.FULL
    assert call.request is not None and call.request["response_format"] == {"type": "json_object"}
    assert call.response is not None and call.response.text == '{"kind": "parcel"}'
    assert (call.usage.cache_read_input_tokens, call.usage.reasoning_output_tokens) == (1024, 4)
    assert (call.tags, call.metadata["batch"], call.metadata["request_model"]) == (
        ("batch", "shop"), True, "gpt-4o-mini",
    )  # fmt: skip
    assert (call.task_hint, call.user_id, call.operation) == ("sort mail", "customer-3", "chat")


def test_an_answer_alone_is_the_same_call_without_its_prompt() -> None:
    alone = joined("mail-1", "input")
    assert (alone.content_state, alone.request) == (ContentState.ABSENT, None)
    assert call_id(alone) == call_id(joined("mail-1"))


def test_a_request_alone_gives_nothing() -> None:
    assert list(OpenAIBatch().join(parts(LINES[6]))) == []


def test_responses_become_chat_and_embeddings_cost_input_only() -> None:
    call = joined("mail-4")
    assert call.request is not None
    assert call.request["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (call.operation, call.request["max_completion_tokens"]) == ("chat", 5)
    embedded = joined("mail-5")
    assert (embedded.operation, embedded.usage.input_tokens, embedded.usage.output_tokens) == ("embeddings", 3, 0)


def test_a_failure_is_dated_by_its_id() -> None:
    call = joined("mail-3")
    assert (call.error_type, call.http_status, call.response) == ("server_error", 500, None)
    assert call.started_at.timestamp() == 0x69008000


def test_a_failure_without_id_has_no_time() -> None:
    (item,) = OpenAIBatch().join(parts(LINES[14]))
    assert isinstance(item, Quarantined) and item.reason == "no start time"


def test_the_model_decides_between_requests_of_two_batches() -> None:
    (call,) = OpenAIBatch().join(parts(asked("gpt-4o", "one"), asked("gpt-4o-mini", "two"), ANSWER))
    assert isinstance(call, Call) and call.request is not None
    assert call.request["messages"][0]["content"] == "two"


def test_two_requests_that_both_fit_give_no_prompt() -> None:
    (call,) = OpenAIBatch().join(parts(asked("gpt-4o-mini", "one"), asked("gpt-4o-mini", "two"), ANSWER))
    assert isinstance(call, Call) and call.content_state is ContentState.ABSENT
    (again,) = OpenAIBatch().join(parts(asked("gpt-4o-mini", "one"), asked("gpt-4o-mini", "one"), ANSWER))
    assert isinstance(again, Call) and again.content_state is ContentState.FULL


@pytest.mark.shared_data
def test_real_batch_files_are_joined(shared: Path) -> None:
    folder = shared / "samples" / "openai" / "batch"
    if not folder.exists():
        pytest.skip("needs the sample logs beside the checkout")
    names = ("input.jsonl", "input_azure.jsonl", "out.jsonl", "openai_batch_completions.jsonl")
    records = [json.loads(line) for name in names for line in (folder / name).read_text(encoding="utf-8").splitlines()]
    found = parts(*records)
    assert [part.part for part in found] == ["input", "input", "output", "input", "input"]
    (call,) = OpenAIBatch().join([part for part in found if part.key.startswith("ae006110bb364606")])
    assert isinstance(call, Call) and call.content_state is ContentState.FULL
    assert (call.usage.input_tokens, call.usage.output_tokens, call.usage.total_tokens) == (51, 95, 146)
    assert (call.request_model, call.provider, call.started_at.timestamp()) == (
        "gpt-4o-2024-05-13", "openai", 1735060987,
    )  # fmt: skip
    assert call.request is not None and call.request["temperature"] == 0
    assert call.response is not None and call.response.finish_reason == "stop"
    assert str(call.response.text).startswith('{\n  "user_query": "What are the benefits')
    assert "request_model" not in call.metadata
