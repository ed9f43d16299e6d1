"""The client of one endpoint against a real server that behaves, misbehaves and refuses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.fixtures.chat_server import ChatServer, Fault, chat_server

from tieraudit.backends.base import Answer, CaseFailed
from tieraudit.backends.chat_client import ChatClient
from tieraudit.config import Engine
from tieraudit.errors import BackendError, Unauthorised

ENGINE = Engine("small", "openai", model="m", api_key_env="SOME_KEY", timeout_s=5.0, max_retries=2)
KEY = "sk-very-secret-1234567890"
ASK = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0}
FULL: dict[str, Any] = {
    "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "u"}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "response_format": {"type": "json_object"},
    "temperature": 0.3,
    "top_p": 0.9,
    "stop": ["END"],
    "seed": 7,
    "max_completion_tokens": 50,
    "presence_penalty": 0.1,
    "frequency_penalty": -0.1,
    "logprobs": True,
    "top_logprobs": 2,
    "n": 1,
    "chat_template_kwargs": {"enable_thinking": False},
}
CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
    {"id": "c2", "type": "function", "function": {"name": "g", "arguments": '{"b": "zwei"}'}},
]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server() as running:
        yield running


def ask(server: ChatServer, *bodies: dict[str, Any], engine: Engine = ENGINE, base_url: str = "") -> list[Answer]:
    async def run() -> list[Answer]:
        client = ChatClient(base_url or server.base_url, KEY, engine)
        try:
            return [await client.complete(body, model="m") for body in bodies]
        finally:
            await client.close()

    return asyncio.run(run())


def failure(server: ChatServer, body: dict[str, Any] = ASK, *, engine: Engine = ENGINE) -> CaseFailed:
    with pytest.raises(CaseFailed) as caught:
        ask(server, body, engine=engine)
    return caught.value


def test_the_request_leaves_as_it_was_logged_plus_model_and_stream(server: ChatServer) -> None:
    ask(server, FULL)
    streaming = {"stream": True, "stream_options": {"include_usage": True}}
    assert server.bodies == [{**FULL, "model": "m", **streaming}]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("streams", [True, False])
def test_text_tool_calls_and_usage_are_read_streamed_or_whole(server: ChatServer, streams: bool) -> None:
    server.streams = streams
    server.answer = lambda body: {"role": "assistant", "content": "both of them", "tool_calls": CALLS}
    (answer,) = ask(server, ASK)
    assert answer.output.text == "both of them"
    assert list(answer.output.tool_calls) == CALLS
    assert answer.output.finish_reason == "tool_calls"
    usage = answer.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens) == (100, 40)
    assert (usage.output_tokens, usage.reasoning_output_tokens, usage.total_tokens) == (10, 2, 110)
    assert answer.served_model == "small-model"
    assert answer.dropped == ()
    assert (answer.time_to_first_token_ms is not None) == streams


def test_a_server_that_cannot_stream_is_asked_once(server: ChatServer) -> None:
    server.streams = False
    ask(server, ASK, ASK)
    assert [bool(body.get("stream")) for body in server.bodies] == [True, False, False]


def test_a_stream_without_usage_is_the_last_stream(server: ChatServer) -> None:
    server.stream_usage = False
    first, second = ask(server, ASK, ASK)
    assert first.usage.output_tokens is None
    assert second.usage.output_tokens == 10


def test_a_broken_stream_is_asked_for_whole(server: ChatServer) -> None:
    server.faults = [Fault(cut=True)]
    (answer,) = ask(server, ASK)
    assert answer.output.text == "ok"
    assert [bool(body.get("stream")) for body in server.bodies] == [True, False]


def test_retry_after_is_waited_for_and_not_counted_as_latency(server: ChatServer) -> None:
    server.faults = [Fault(status=429, headers={"retry-after": "1"}), Fault(status=503)]
    began = time.monotonic()
    (answer,) = ask(server, ASK)
    assert time.monotonic() - began >= 1.0
    assert len(server.bodies) == 3
    assert answer.latency_ms < 700


def test_a_refused_parameter_is_left_out_named_and_not_tried_again(server: ChatServer) -> None:
    server.refuses = {"store": "Unrecognized request argument supplied: store", "seed": "Unsupported parameter: 'seed'"}
    first, second = ask(server, {**ASK, "store": True, "seed": 1}, {**ASK, "store": True, "user": "u"})
    assert first.dropped == ("seed", "store")
    assert second.dropped == ("store",)
    assert len(server.bodies) == 4
    assert server.bodies[-1]["user"] == "u"


def test_a_value_that_is_refused_says_nothing_about_the_next_request(server: ChatServer) -> None:
    error = {"error": {"message": "temperature must be in [0, 2], got 9.0", "param": "temperature"}}
    server.faults = [Fault(status=400, error=error)]
    first, second = ask(server, {**ASK, "temperature": 9.0}, ASK)
    assert first.dropped == ("temperature",)
    assert second.dropped == ()
    assert server.bodies[-1]["temperature"] == 0


@pytest.mark.parametrize(
    ("old", "new"), [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")]
)
def test_a_limit_that_goes_by_another_name_there_is_kept(server: ChatServer, old: str, new: str) -> None:
    server.refuses = {old: f"Unsupported parameter: '{old}' is not supported with this model. Use '{new}' instead."}
    (answer,) = ask(server, {**ASK, old: 9})
    assert server.bodies[-1][new] == 9
    assert old not in server.bodies[-1]
    assert answer.dropped == ()


def test_a_limit_that_no_name_gets_through_is_dropped(server: ChatServer) -> None:
    server.refuses = {name: f"Unknown parameter: '{name}'." for name in ("max_tokens", "max_completion_tokens")}
    (answer,) = ask(server, {**ASK, "max_tokens": 9})
    assert answer.dropped == ("max_tokens",)


def test_tools_are_never_dropped(server: ChatServer) -> None:
    server.refuses = {"tools": "Unsupported parameter: 'tools'"}
    assert failure(server, {**ASK, "tools": FULL["tools"]}).kind == "http_400"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=400, error={"error": {"message": "you said stop, user"}}), "http_400"),
        (Fault(status=400, error={"error": {"message": "maximum context length is 2048 tokens"}}), "context_too_long"),
        (Fault(status=500), "http_500"),
        (Fault(status=429), "http_429"),
        (Fault(raw=b'{"choices": []}'), "malformed_answer"),
        (Fault(raw=b"<html>"), "malformed_answer"),
        (Fault(raw=b"[1"), "malformed_answer"),
    ],
)
def test_the_failure_of_one_request_fails_one_case(server: ChatServer, fault: Fault, kind: str) -> None:
    server.always = fault
    failed = failure(server, {**ASK, "user": "u", "stop": ["x"]}, engine=replace(ENGINE, max_retries=1))
    assert failed.kind == kind


def test_an_image_to_a_text_model_is_input_that_it_cannot_take(server: ChatServer) -> None:
    server.always = Fault(status=400, error={"error": {"message": "m is not a multimodal model"}})
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    assert failure(server, {"messages": [{"role": "user", "content": [picture]}]}).kind == "unsupported_input"


@pytest.mark.parametrize("streams", [True, False])
def test_a_hanging_server_is_a_timeout(server: ChatServer, streams: bool) -> None:
    server.streams = streams
    server.latency_s = 0.6
    failed = failure(server, engine=replace(ENGINE, timeout_s=0.2, max_retries=1))
    assert failed.kind == "timeout"
    assert len(server.bodies) == 2


def test_a_connection_that_is_closed_without_an_answer_fails_the_case(server: ChatServer) -> None:
    server.streams = False
    server.faults = [Fault(status=400, error={"error": {"message": "no", "param": "stream"}}), *[Fault(cut=True)] * 3]
    assert failure(server, engine=replace(ENGINE, max_retries=2)).kind == "connection_lost"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_run_and_names_the_variable_not_the_key(server: ChatServer, status: int) -> None:
    server.always = Fault(status=status, error={"error": {"message": f"bad key {KEY}"}})
    with pytest.raises(Unauthorised) as caught:
        ask(server, ASK)
    assert "SOME_KEY" in caught.value.hint
    assert KEY not in caught.value.message + caught.value.hint
    assert caught.value.exit_code == 4
    assert len(server.bodies) == 1


def test_a_key_in_an_error_is_not_kept(server: ChatServer) -> None:
    server.always = Fault(status=400, error={"error": {"message": f"odd request with {KEY}"}})
    assert KEY not in failure(server).message


def test_nobody_listening_ends_the_run(server: ChatServer) -> None:
    with pytest.raises(BackendError, match="cannot be reached") as caught:
        ask(server, ASK, base_url="http://127.0.0.1:9/v1", engine=replace(ENGINE, max_retries=0))
    assert "base_url" in caught.value.hint


def test_a_wrong_path_ends_the_run(server: ChatServer) -> None:
    with pytest.raises(BackendError, match="404") as caught:
        ask(server, ASK, base_url=server.base_url.removesuffix("/v1"))
    assert "/v1" in caught.value.hint


@pytest.mark.parametrize(
    "fault", [Fault(status=402), Fault(status=429, error={"error": {"message": "x", "code": "insufficient_quota"}})]
)
def test_an_empty_account_ends_the_run(server: ChatServer, fault: Fault) -> None:
    server.always = fault
    with pytest.raises(BackendError, match="no credit"):
        ask(server, ASK, engine=replace(ENGINE, max_retries=0))


def test_a_missing_model_after_answers_fails_the_case_only(server: ChatServer) -> None:
    server.faults = [Fault(), Fault(status=404)]

    async def run() -> None:
        client = ChatClient(server.base_url, KEY, ENGINE)
        await client.complete(ASK, model="m")
        with pytest.raises(CaseFailed) as caught:
            await client.complete(ASK, model="gone")
        assert caught.value.kind == "http_404"
        await client.close()

    asyncio.run(run())
