"""HTTP endpoints that answer with what models really answered, as recorded; the rest goes on to an engine."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.real.real_log import function_name, parse_calls, read_jsonl

Message = dict[str, Any]
Answerer = Callable[[dict[str, Any]], Message | None]


def recorded_calls(data: Path, model: str, categories: tuple[str, ...]) -> dict[str, Message]:
    """The user's question -> the assistant message that ``model`` gave, for BFCL ``categories``."""
    answers: dict[str, Message] = {}
    for category in categories:
        path = data / f"bfcl/model_results/{model}/BFCL_v4_{category}_result.json"
        results = {row["id"]: row["result"] for row in read_jsonl(path)}
        for row in read_jsonl(data / f"bfcl/questions/BFCL_v4_{category}.json"):
            if row["id"] in results:
                answers[row["question"][0][0]["content"]] = _message(results[row["id"]])
    return answers


def _message(result: Any) -> Message:
    if isinstance(result, str):
        calls = parse_calls(result)
        if calls is None:
            return {"role": "assistant", "content": result}
        pairs = [(name, json.dumps(arguments)) for name, arguments in calls]
    else:
        pairs = [
            (function_name(name), text) for call in result if isinstance(call, dict) for name, text in call.items()
        ]
    functions = [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, (name, arguments) in enumerate(pairs)
    ]
    return {"role": "assistant", "content": None, "tool_calls": functions}


def lookup(answers: dict[str, Message]) -> Answerer:
    """Answers a request by its last user message; None when nothing was recorded for it."""
    return lambda body: answers.get(body["messages"][-1]["content"]) if body.get("tools") else None


def forward(base_url: str, key: str) -> Answerer:
    """Sends the request on to another OpenAI-compatible server and returns its message."""

    def answer(body: dict[str, Any]) -> Message:
        plain = {name: value for name, value in body.items() if name not in ("stream", "stream_options")}
        request = urllib.request.Request(
            f"{base_url}/chat/completions",
            data=json.dumps(plain).encode(),
            headers={"content-type": "application/json", "authorization": f"Bearer {key}"},
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            message: Message = json.load(response)["choices"][0]["message"]
        return message

    return answer


@contextmanager
def endpoint(model: str, *answerers: Answerer) -> Iterator[str]:
    """A Chat Completions server on loopback that asks ``answerers`` in turn; yields its base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Silence."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if body.get("stream"):
                self._send(400, {"error": {"message": "stream is not supported", "param": "stream"}})
                return
            message = next((found for ask in answerers if (found := ask(body)) is not None), None)
            if message is None:
                self._send(422, {"error": {"message": "nothing was recorded for this request"}})
                return
            usage = {
                "prompt_tokens": len(json.dumps(body)) // 4,
                "completion_tokens": 1 + len(json.dumps(message)) // 8,
            }
            finish = "tool_calls" if message.get("tool_calls") else "stop"
            choice = {"index": 0, "message": message, "finish_reason": finish}
            self._send(
                200, {"id": "r", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage}
            )

        def _send(self, status: int, value: dict[str, Any]) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
