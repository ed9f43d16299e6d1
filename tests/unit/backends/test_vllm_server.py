"""The vLLM engine around a stand-in for the executable: what is started, what is said when it fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fixtures.fake_vllm import install

from tieraudit.backends.vllm_server import CURES, VLLMFactory, plan
from tieraudit.config import Engine
from tieraudit.errors import EngineFailed

ENGINE = Engine("small", "vllm", "some/model", args=("--max-model-len", "4096"), max_retries=1)
ASK = {"messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(autouse=True)
def _no_vllm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TIERAUDIT_VLLM_PYTHON", raising=False)
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'empty'}:/usr/bin:/bin")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(install(tmp_path)), prepend=":")


def ask(engine: Engine) -> str | None:
    async def run() -> str | None:
        async with VLLMFactory().open(engine) as backend:
            return (await backend.complete(ASK, model=engine.model or "")).output.text

    return asyncio.run(run())


def test_without_vllm_it_says_how_to_get_it_or_do_without() -> None:
    with pytest.raises(EngineFailed, match="not installed") as caught:
        ask(ENGINE)
    assert "pip install 'tieraudit[gpu]'" in caught.value.hint
    assert "base_url" in caught.value.hint


@pytest.mark.usefixtures("installed")
def test_the_server_listens_on_loopback_only_and_its_key_is_not_on_the_command_line() -> None:
    made = plan(ENGINE, 8123, "secret-key")
    assert list(made.command)[1:] == ["serve", "some/model", "--host", "127.0.0.1", "--port", "8123", *ENGINE.args]
    assert made.environment["VLLM_API_KEY"] == "secret-key"
    assert made.environment["VLLM_NO_USAGE_STATS"] == "1"


def test_a_python_that_has_vllm_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERAUDIT_VLLM_PYTHON", "/opt/vllm/bin/python")
    assert list(plan(ENGINE, 8123, "k").command)[:5] == [
        "/opt/vllm/bin/python",
        "-m",
        "vllm.entrypoints.openai.api_server",
        "--model",
        "some/model",
    ]


@pytest.mark.usefixtures("installed")
def test_a_model_that_is_not_there_is_named_as_the_cause() -> None:
    with pytest.raises(EngineFailed, match="the model was not found") as caught:
        ask(replace(ENGINE, model="broken"))
    assert "is not a valid model identifier" in caught.value.message
    assert "model" in caught.value.hint


@pytest.mark.usefixtures("installed")
def test_a_server_that_dies_while_answering_is_not_a_failed_case() -> None:
    with pytest.raises(EngineFailed, match="died while answering"):
        ask(replace(ENGINE, model="mortal"))


@pytest.mark.usefixtures("installed")
def test_a_server_without_a_tool_parser_is_said_to_need_one() -> None:
    with pytest.raises(EngineFailed, match="parser for tool calls") as caught:
        ask(replace(ENGINE, model="toolless"))
    assert "--tool-call-parser" in caught.value.hint
    assert "[tiers.small]" in caught.value.hint


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (
            "ValueError: Available memory on node 0 (12.66/14.96 GiB) on startup is less than desired CPU memory "
            "utilization (0.92, 13.77 GiB).",
            "memory",
        ),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", "memory"),
        ("api_server.py: error: unrecognized arguments: --no-such-flag", "argument"),
        ("OSError: We couldn't connect to 'https://huggingface.co' to load the files", "could not be downloaded"),
        ("  Value error, Invalid repository ID or local directory specified: '/data/models'.", "not found"),
        (
            "  Value error, User-specified max_model_len (999999) is greater than the derived max_model_len",
            "max-model-len",
        ),
    ],
)
def test_what_vllm_says_when_it_fails_has_a_cure(line: str, cause: str) -> None:
    found = next(cure for cure in CURES if cure.seen.lower() in line.lower())
    assert cause in found.cause
    assert found.hint
