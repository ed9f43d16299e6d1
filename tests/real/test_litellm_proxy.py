"""The real LiteLLM proxy on an exported config: each task reaches its tier, and what fails reaches the incumbent."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT
from tests.fixtures.audited import LABEL, LEGAL, MOOD, ORDER, TAIL, audited_store, calls, messages
from tests.fixtures.routing import (
    FRONTIER,
    LABEL_CALL,
    LEGAL_CALL,
    MID,
    ORDER_CALL,
    ORDER_SYSTEM,
    SMALL,
    WEATHER_CALL,
    chat,
    routing_plan,
)

from tieraudit.config import Config, Engine
from tieraudit.domain import JsonObject
from tieraudit.pipeline.export import export_config
from tieraudit.routers import ROUTERS

pytestmark = [pytest.mark.litellm, pytest.mark.timeout(400)]
START_TIMEOUT_S = 120
TAGGED: JsonObject = {"metadata": {"tags": ["task/order-numbers"]}}


@dataclass
class Upstream:
    """A loopback endpoint that says its own name and the model it was called as; ``status`` makes it fail."""

    name: str
    status: int = 200
    asked: list[str] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    url: str = ""


@contextmanager
def upstream(name: str) -> Iterator[Upstream]:
    state = Upstream(name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(state))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def handler(state: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.asked.append(body["model"])
            state.fields |= set(body)
            text = f"{state.name}|{body['model']}"
            if state.status != 200:
                self._send(state.status, json.dumps({"error": {"message": f"{state.name} fails"}}))
            elif body.get("stream"):
                lines = [{"role": "assistant", "content": text}, {}]
                chunks = [f"data: {json.dumps(chunk(body['model'], delta))}\n\n" for delta in lines]
                self._send(200, "".join(chunks) + "data: [DONE]\n\n", "text/event-stream")
            else:
                self._send(200, json.dumps(completion(body["model"], text)))

        def _send(self, status: int, text: str, kind: str = "application/json") -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    return Handler


def completion(model: str, text: str) -> JsonObject:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}


def chunk(model: str, delta: JsonObject) -> JsonObject:
    choice = {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}


@dataclass
class Proxy:
    """The running proxy with its three endpoints, the folder of its config and its key."""

    url: str
    key: str
    folder: Path
    small: Upstream
    mid: Upstream
    frontier: Upstream

    def ask(self, body: JsonObject, path: str = "chat/completions", **headers: str) -> str:
        """The text of the answer: `endpoint|model it was called as`; an HTTP error is `HTTP status`."""
        request = urllib.request.Request(
            f"{self.url}/v1/{path}",
            json.dumps(body).encode(),
            {"authorization": f"Bearer {self.key}", "content-type": "application/json", **headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return text_of(response.read().decode())
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}"


def text_of(answer: str) -> str:
    if not answer.startswith("{"):
        events = [json.loads(line[6:]) for line in answer.splitlines() if line.startswith("data: {")]
        return "".join(event["choices"][0]["delta"].get("content") or "" for event in events if event.get("choices"))
    body: dict[str, Any] = json.loads(answer)
    if "choices" in body:
        return str(body["choices"][0]["message"]["content"])
    return "".join(part.get("text", "") for part in body["content"])


def executable() -> str:
    found = os.environ.get("TIERAUDIT_LITELLM") or str(ROOT / ".venvs/litellm/bin/litellm")
    if shutil.which(found) is None:
        pytest.skip("needs the LiteLLM proxy: run .ci/install-litellm, or set TIERAUDIT_LITELLM to its executable")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_export(folder: Path, tiers: tuple[Engine, ...]) -> None:
    for name, text in ROUTERS.get("litellm").files(routing_plan(tiers=tiers)).items():
        # A tier rests for half a minute after six failures: too long for the test that comes next.
        (folder / name).write_text(text.replace("cooldown_time: 30", "cooldown_time: 5"), encoding="utf-8")


def await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/health/liveliness", timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail("the proxy did not start:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-30:]))


@contextmanager
def running(folder: Path, small: Upstream, **environment: str) -> Iterator[tuple[str, str]]:
    """The proxy on the config in ``folder``; its whole process group is gone when the block ends, however it ends."""
    port, key, log = free_port(), f"sk-{secrets.token_hex(32)}", folder / "proxy.log"
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")},
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MASTER_KEY": key,
        "TIERAUDIT_SMALL_BASE": small.url,
        "OPENAI_API_KEY": "sk-loopback",
        "NO_PROXY": "127.0.0.1,localhost",
        **environment,
    }
    command = [executable(), "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            await_ready(process, f"http://127.0.0.1:{port}", log)
            yield f"http://127.0.0.1:{port}", key
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)


@contextmanager
def proxy(
    folder: Path, write: Callable[[Path, tuple[Engine, ...]], None] = write_export, **environment: str
) -> Iterator[Proxy]:
    """The proxy on what ``write`` puts into ``folder`` for three tiers at three loopback endpoints."""
    with upstream("small") as small, upstream("mid") as mid, upstream("frontier") as frontier:
        write(folder, (SMALL, replace(MID, base_url=mid.url), replace(FRONTIER, base_url=frontier.url)))
        with running(folder, small, **environment) as (url, key):
            yield Proxy(url, key, folder, small, mid, frontier)


@pytest.fixture(scope="module")
def running_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    executable()
    with proxy(tmp_path_factory.mktemp("litellm")) as found:
        yield found


@pytest.fixture
def gateway(running_proxy: Proxy) -> Iterator[Proxy]:
    """The proxy, with every endpoint well and rested, and nothing asked yet."""
    yield running_proxy
    endpoints = (running_proxy.small, running_proxy.mid, running_proxy.frontier)
    failed = any(endpoint.status != 200 for endpoint in endpoints)
    for endpoint in endpoints:
        endpoint.status = 200
    deadline = time.monotonic() + 30
    while failed and time.monotonic() < deadline:
        answers = [running_proxy.ask(ORDER_CALL), running_proxy.ask(LABEL_CALL)]
        failed = answers != ["small|Qwen/Qwen3.5-9B", "mid|gpt-5-mini"]
    for endpoint in endpoints:
        endpoint.asked.clear()


@pytest.mark.parametrize(
    ("request_body", "answer"),
    [
        pytest.param(ORDER_CALL, "small|Qwen/Qwen3.5-9B", id="a-system-prompt-known-by-its-digest"),
        pytest.param(LABEL_CALL, "mid|gpt-5-mini", id="a-user-prompt-known-by-its-pattern"),
        pytest.param({**LABEL_CALL, "model": "gpt-4.1"}, "mid|gpt-5-mini", id="the-other-model-that-was-audited"),
        pytest.param(LEGAL_CALL, "frontier|gpt-4.1", id="a-pinned-task"),
        pytest.param(WEATHER_CALL, "frontier|gpt-5", id="a-refuted-task-known-by-its-tools"),
        pytest.param(chat("Good morning"), "frontier|gpt-5", id="a-prompt-that-no-route-knows"),
        pytest.param({**ORDER_CALL, "model": "gpt-4.1"}, "frontier|gpt-4.1", id="a-model-outside-the-audit"),
        pytest.param(chat("Good morning", **TAGGED), "small|Qwen/Qwen3.5-9B", id="a-tag"),
        pytest.param(chat("Hi", model="task/ticket-labels"), "mid|gpt-5-mini", id="the-task-in-place-of-the-model"),
        pytest.param(chat("Hi", model="task/contract-review"), "frontier|gpt-4.1", id="the-name-of-a-pinned-task"),
        pytest.param(chat("x" * 5000, ORDER_SYSTEM), "frontier|gpt-5", id="longer-than-what-was-audited"),
        pytest.param(
            chat("x" * 5000, ORDER_SYSTEM, model="task/order-numbers"), "frontier|gpt-5", id="the-guard-holds-for-names"
        ),
        pytest.param({**ORDER_CALL, "stream": True}, "small|Qwen/Qwen3.5-9B", id="streamed"),
        pytest.param({**LEGAL_CALL, "stream": True}, "frontier|gpt-4.1", id="streamed-on-its-own-model"),
    ],
)
def test_each_call_reaches_its_tier(gateway: Proxy, request_body: JsonObject, answer: str) -> None:
    assert gateway.ask(request_body) == answer


def test_the_endpoint_sees_the_request_alone(gateway: Proxy) -> None:
    gateway.small.fields.clear()
    gateway.ask({**ORDER_CALL, "temperature": 0, **TAGGED})
    assert gateway.small.fields - {"stream"} == {"model", "messages", "temperature"}


def test_a_tag_in_a_header_is_a_tag(gateway: Proxy) -> None:
    assert gateway.ask(chat("Good morning"), **{"x-litellm-tags": "task/order-numbers"}) == "small|Qwen/Qwen3.5-9B"


def test_an_anthropic_request_is_known_by_the_same_system_prompt(gateway: Proxy) -> None:
    body = {
        "model": "gpt-5",
        "max_tokens": 50,
        "system": ORDER_SYSTEM,
        "messages": [{"role": "user", "content": "My parcel A-1029"}],
    }
    assert gateway.ask(body, "messages") == "small|Qwen/Qwen3.5-9B"


@pytest.mark.parametrize("status", [500, 503, 429, 400])
def test_a_failing_cheap_tier_hands_the_call_to_the_next(gateway: Proxy, status: int) -> None:
    gateway.small.status = status
    assert gateway.ask(ORDER_CALL) == "mid|gpt-5-mini"
    assert gateway.small.asked == ["Qwen/Qwen3.5-9B"], "asked once, then handed on"


def test_two_failing_tiers_hand_the_call_to_the_incumbent(gateway: Proxy) -> None:
    gateway.small.status = gateway.mid.status = 500
    assert gateway.ask(ORDER_CALL) == "frontier|gpt-5"
    assert gateway.ask(chat("Hi", model="task/order-numbers")) == "frontier|gpt-5"
    assert gateway.ask({**LABEL_CALL, "model": "gpt-4.1"}) == "frontier|gpt-4.1", "to the model that was asked for"


def test_a_failing_tier_hands_a_stream_on(gateway: Proxy) -> None:
    gateway.small.status = 500
    assert gateway.ask({**ORDER_CALL, "stream": True}) == "mid|gpt-5-mini"


def test_a_tier_that_goes_on_failing_is_left_alone_for_a_while(gateway: Proxy) -> None:
    gateway.small.status = 500
    assert [gateway.ask(ORDER_CALL) for _ in range(12)] == ["mid|gpt-5-mini"] * 12
    assert len(gateway.small.asked) < 12


def test_an_incumbent_that_fails_serves_again_at_once(gateway: Proxy) -> None:
    gateway.frontier.status = 500
    assert {gateway.ask(chat("Good morning")) for _ in range(3)} == {"HTTP 500"}
    gateway.frontier.status = 200
    assert gateway.ask(chat("Good morning")) == "frontier|gpt-5", "no pause that callers did not have before"


def test_the_rules_can_be_switched_off_while_the_proxy_runs(gateway: Proxy) -> None:
    path = gateway.folder / "routes.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"enabled": true', '"enabled": false'), encoding="utf-8")
    try:
        assert gateway.ask(ORDER_CALL) == "frontier|gpt-5"
        path.write_text("{ not json", encoding="utf-8")
        assert gateway.ask(ORDER_CALL) == "frontier|gpt-5", "a broken file leaves the rules as they were"
    finally:
        path.write_text(text, encoding="utf-8")
    assert gateway.ask(ORDER_CALL) == "small|Qwen/Qwen3.5-9B"


def test_the_environment_switches_every_route_off(tmp_path: Path) -> None:
    with proxy(tmp_path, TIERAUDIT_OFF="1") as gateway:
        assert gateway.ask(ORDER_CALL) == "frontier|gpt-5"
        assert gateway.ask(chat("Good morning", **TAGGED)) == "frontier|gpt-5"
        assert gateway.ask(chat("Hi", model="task/ticket-labels")) == "frontier|gpt-5"


def test_the_export_of_an_audit_takes_logged_calls_to_their_tier(tmp_path: Path) -> None:
    log = calls(days=3)
    answers = {
        ORDER: "small|Qwen/Qwen3.5-9B",
        LABEL: "mid|gpt-5-mini",
        LEGAL: "frontier|gpt-4.1",
        MOOD: "frontier|gpt-5",
        TAIL: "frontier|gpt-5",
    }

    def write(folder: Path, tiers: tuple[Engine, ...]) -> None:
        with audited_store(log=log) as store:
            assert not export_config(store, Config(tiers), "litellm", folder).failed

    with proxy(tmp_path, write) as gateway:
        for task, call in log[::3]:
            assert call.request is not None
            request = {**call.request, "model": call.request_model}
            assert gateway.ask(request) == answers[task]
        tagged = {"model": "gpt-5", "messages": messages(MOOD, 1), "metadata": {"tags": ["task/mood"]}}
        assert gateway.ask(tagged) == "small|Qwen/Qwen3.5-9B", "what nothing recognises moves when its caller names it"
    assert {task for task, _ in log[::3]} == set(answers)


def test_the_proxy_refuses_to_start_on_rules_that_cannot_be_used(tmp_path: Path) -> None:
    write_export(tmp_path, routing_plan().tiers)
    routes = json.loads((tmp_path / "routes.json").read_text(encoding="utf-8"))
    routes["routes"][0]["match"] = [{"system_regex": "("}]
    (tmp_path / "routes.json").write_text(json.dumps(routes), encoding="utf-8")
    failing = pytest.raises(pytest.fail.Exception, match="RoutesError: route order-numbers")
    with upstream("small") as small, failing, running(tmp_path, small):
        pass
