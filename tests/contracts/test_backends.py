"""What every engine keeps to: one suite, run over every registered one."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fixtures.chat_server import chat_server
from tests.fixtures.fake_vllm import install

from tieraudit.backends import BACKENDS
from tieraudit.backends.base import Answer
from tieraudit.config import ENGINES, Engine

ASK = {"messages": [{"role": "user", "content": "Say hello."}], "temperature": 0, "max_tokens": 8, "seed": 1}
Reachable = Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[Engine]]


@contextmanager
def _openai(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("SOME_KEY", "sk-abc")
    with chat_server(key="sk-abc") as server:
        yield Engine("small", "openai", "m", base_url=server.base_url, api_key_env="SOME_KEY")


@contextmanager
def _vllm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.delenv("TIERAUDIT_VLLM_PYTHON", raising=False)
    monkeypatch.setenv("PATH", str(install(folder)), prepend=":")
    yield Engine("small", "vllm", "some/model", args=("--max-model-len", "512"))


@contextmanager
def _llamacpp(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the embedded engine is not installed: pip install 'tieraudit[embedded]'")
    yield Engine("small", "llamacpp", "SmolLM2-135M-Instruct", concurrency=1)


ROWS: dict[str, Reachable] = {"openai": _openai, "vllm": _vllm, "llamacpp": _llamacpp}
"""How to reach each engine from a test."""

every_engine = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.embedded] if name == "llamacpp" else []) for name in ROWS]
)


@pytest.fixture
def engine(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with ROWS[name](tmp_path, monkeypatch) as reachable:
        yield reachable


def test_every_engine_has_a_row_and_a_place_in_the_config() -> None:
    assert set(BACKENDS.names()) == set(ROWS)
    assert set(BACKENDS.names()) <= set(ENGINES)


@every_engine
def test_it_answers_to_its_name(name: str) -> None:
    assert BACKENDS.get(name).name == name


@every_engine
def test_its_endpoint_is_the_same_in_every_run_and_tells_no_secret(name: str) -> None:
    address = "https://me:hidden@models.example.com/v1?token=hidden"
    engine = Engine("small", name, "m", base_url=address, api_key_env="ABSENT_KEY")
    first, second = (BACKENDS.get(name).open(engine).endpoint for _ in range(2))
    assert first == second
    assert "hidden" not in first


@every_engine
def test_other_arguments_are_another_endpoint(name: str, engine: Engine) -> None:
    if engine.base_url:
        other = replace(engine, base_url=engine.base_url + "/other")
    else:
        other = replace(engine, args=("--quantization", "fp8"))
    assert BACKENDS.get(name).open(other).endpoint != BACKENDS.get(name).open(engine).endpoint


@every_engine
def test_it_answers_measures_and_stops(name: str, engine: Engine) -> None:
    backend = BACKENDS.get(name).open(engine)

    async def run() -> list[Answer]:
        async with backend:
            return await asyncio.gather(*(backend.complete(ASK, model=engine.model or "") for _ in range(2)))

    for answer in asyncio.run(run()):
        assert answer.output.text
        assert answer.output.finish_reason in ("stop", "length")
        assert (answer.usage.input_tokens or 0) > 0
        assert (answer.usage.output_tokens or 0) > 0
        assert answer.time_to_first_token_ms is not None
        assert 0 < answer.time_to_first_token_ms <= answer.latency_ms
        assert answer.served_model in (engine.model, "small-model")
    with pytest.raises(RuntimeError, match="inside its context"):
        asyncio.run(backend.complete(ASK, model="m"))


@every_engine
def test_it_can_be_entered_again(name: str, engine: Engine) -> None:
    backend = BACKENDS.get(name).open(engine)

    async def run() -> None:
        for _ in range(2):
            async with backend:
                await backend.complete(ASK, model=engine.model or "")

    asyncio.run(run())


@every_engine
def test_leaving_what_was_never_entered_is_harmless(name: str, engine: Engine) -> None:
    asyncio.run(BACKENDS.get(name).open(engine).__aexit__(None, None, None))
