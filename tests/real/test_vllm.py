"""A real vLLM server on the CPU, started and stopped by our engine: one short replay, and nothing left behind."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.fixtures.replayed import calls_of, put_task
from tests.fixtures.small_audit import run, table

from tieraudit.config import parse_config
from tieraudit.domain import Output
from tieraudit.store import Store

PYTHON = Path(os.environ.get("TIERAUDIT_VLLM_PYTHON") or ROOT / ".venvs/vllm/bin/python")
MODEL = Path(os.environ.get("TIERAUDIT_VLLM_MODEL") or ROOT / ".venvs/models/SmolLM2-135M-Instruct")
pytestmark = [
    pytest.mark.vllm,
    # A start on two busy cores takes minutes.
    pytest.mark.timeout(900),
    pytest.mark.skipif(not (PYTHON.exists() and MODEL.exists()), reason="needs vLLM: run .ci/install-vllm"),
]
CONFIG = f"""
[tiers.small]
model = "{MODEL}"
engine = "vllm"
args = ["--max-model-len", "2048", "--enforce-eager", "--gpu-memory-utilization", "0.3"]
concurrency = 8
gpu_usd_per_hour = 0.80
[tiers.frontier]
engine = "openai"
base_url = "http://127.0.0.1:9/v1"
"""


class Talk:
    """Progress that keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, label: str, total: int | None = None) -> None:
        """Nothing."""

    def advance(self, steps: int = 1) -> None:
        """Nothing."""

    def say(self, line: str) -> None:
        """Keep it."""
        self.lines.append(line)


def test_a_short_replay_on_a_server_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIERAUDIT_VLLM_PYTHON", str(PYTHON))
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    # The checkpoint that we made is all there is: a look at the hub could only hang.
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    config = parse_config(CONFIG, path=None)
    talk = Talk()
    with Store(None) as store:
        calls = [
            replace(
                call, request={**(call.request or {}), "temperature": 0, "max_tokens": 8}, response=Output(text="yes")
            )
            for call in calls_of("ask", 80)
        ]
        put_task(store, "ask", calls, output_shape="short")
        result = run(store, config, progress=talk, max_calls=24)
        replies = table(store, "replies")
    assert len(replies) == 24 or result.status == "finished"
    assert {row["error_type"] for row in replies} == {None}
    assert all(row["output_tokens"] <= 8 and row["input_tokens"] > 10 for row in replies)
    assert all(0 < row["time_to_first_token_ms"] <= row["latency_ms"] for row in replies)
    assert all(row["cost_usd"] > 0 for row in replies)
    assert any(line == "vllm: ready" for line in talk.lines)
    assert any(line.startswith("vllm: ") and line != "vllm: ready" for line in talk.lines)
    assert not _processes(str(MODEL))


def _processes(word: str) -> list[str]:
    """The command lines that name ``word``, without our own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        if int(path.parent.name) == os.getpid():
            continue
        try:
            line = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if word in line:
            found.append(line.replace("\0", " "))
    return found
