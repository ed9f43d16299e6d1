"""Four weeks of real questions through the whole line: the verdicts agree with what is known to be true.

The log is built from public data sets; the gold answer is the incumbent's. Two endpoints answer over HTTP: `small`
gives what gemma4-e4b answered to the function-calling questions, as recorded, and lets an embedded 135M model answer
the rest; `mid` gives what a frontier-class model answered to the simple ones, and has no answer (422) to anything else.
"""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.real.real_log import Question, write_log
from tests.real.recorded_endpoints import Message, endpoint, forward, lookup, recorded_calls

from tieraudit.backends.llamacpp import SMOLLM2, plan
from tieraudit.backends.server_process import free_port
from tieraudit.config import Config, Engine, parse_config
from tieraudit.domain import Output, VerdictKind
from tieraudit.pipeline import assign, classify, decide, ingest, replay, report, score
from tieraudit.render.report import Report
from tieraudit.scorers import SCORERS
from tieraudit.scorers.base import Context
from tieraudit.store import Store

pytestmark = [pytest.mark.shared_data, pytest.mark.embedded, pytest.mark.timeout(900)]

MARGIN = 0.20
"""Wide on purpose: these data sets accept several spellings of an argument, and the log holds one of them."""

CONFIG = """
[tiers.small]
engine = "openai"
model = "gemma4-e4b"
base_url = "{small}"
input_usd_per_mtok = 0.02
output_usd_per_mtok = 0.04
concurrency = 2
[tiers.mid]
engine = "openai"
model = "recorded-frontier"
base_url = "{mid}"
input_usd_per_mtok = 0.25
output_usd_per_mtok = 2.0
[tiers.frontier]
engine = "openai"
base_url = "{small}"
[quality]
margin = {margin}
"""


@contextmanager
def embedded_model() -> Iterator[tuple[str, str]]:
    """A llama.cpp server with the small model; yields its base URL and key."""
    key = "key-of-this-test"
    port = free_port()
    server = plan(Engine("small", "llamacpp", model=SMOLLM2, concurrency=2), port, key)
    process = subprocess.Popen(
        server.command, env={**os.environ, **server.environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                    break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1", key
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def audited(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, Config, Report, dict[str, str]]]:
    """The store after the whole line, its config and report, and task id -> the known name of the task."""
    folder = tmp_path_factory.mktemp("real")
    asked = write_log(shared / "data", folder / "gateway.jsonl")
    with ExitStack() as stack:
        base_url, key = stack.enter_context(embedded_model())
        small = stack.enter_context(endpoint("gemma4-e4b", lookup(_gemma(shared)), forward(base_url, key)))
        mid = stack.enter_context(endpoint("recorded-frontier", lookup(_frontier(shared))))
        config = parse_config(CONFIG.format(small=small, mid=mid, margin=MARGIN), path=None)
        store = stack.enter_context(Store(folder / "audit.duckdb"))
        ingest.ingest(store, [folder / "gateway.jsonl"], ingest.IngestOptions())
        classify.classify(store, config)
        result = replay.replay(
            store,
            config,
            replay.ReplayOptions(),
            score=lambda store, audit_id: score.score(store, audit_id, config=config),
            decide=decide.decide,
        )
        assign.assign(store, config, result.audit_id)
        made = report.build_report(store, config, result.audit_id)
        yield store, config, made, _names(store, asked)


def _gemma(shared: Path) -> dict[str, Message]:
    return recorded_calls(shared / "data", "gemma4-e4b-toolcall-v02", ("simple_python", "multiple"))


def _frontier(shared: Path) -> dict[str, Message]:
    return recorded_calls(shared / "data", "result_claude_fix", ("simple_python",))


def _names(store: Store, asked: list[Question]) -> dict[str, str]:
    known = {f"chatcmpl-real-{number:06d}": question.task for number, question in enumerate(asked)}
    return {row["task_id"]: known[row["source_id"]] for row in store.rows("classify_assignments")}


def _verdict(audited: tuple[Store, Config, Report, dict[str, str]], task: str, tier: str) -> tuple[VerdictKind, int]:
    _, _, made, names = audited
    row = next(row for row in made.tasks if names.get(row.task_id) == task)
    found = next(item for item in row.evidence if item.tier == tier)
    return found.verdict, found.n


def test_the_four_kinds_of_work_are_four_tasks(audited: tuple[Store, Config, Report, dict[str, str]]) -> None:
    _, _, made, names = audited
    assert sorted(names.values()) == ["banking", "booking", "multiple", "simple_python"]
    assert made.scope.calls == 4800


def test_a_small_model_that_misroutes_and_misreads_is_refuted(
    audited: tuple[Store, Config, Report, dict[str, str]],
) -> None:
    assert _verdict(audited, "banking", "small")[0] is VerdictKind.REFUTED
    assert _verdict(audited, "booking", "small")[0] is VerdictKind.REFUTED


def test_a_verdict_on_function_calls_agrees_with_the_agreement_over_all_calls(
    audited: tuple[Store, Config, Report, dict[str, str]], shared: Path
) -> None:
    """Proven only where the agreement over the whole population, which a sample cannot see, is above the bar."""
    truth = {
        ("simple_python", "small"): _agreement(shared, "simple_python", _gemma(shared)),
        ("multiple", "small"): _agreement(shared, "multiple", _gemma(shared)),
        ("simple_python", "mid"): _agreement(shared, "simple_python", _frontier(shared)),
    }
    for (task, tier), agreement in truth.items():
        kind, n = _verdict(audited, task, tier)
        assert n >= 20
        assert (kind is VerdictKind.PROVEN) <= (agreement > 1 - MARGIN), (task, tier, agreement, kind)
        assert (kind is VerdictKind.REFUTED) <= (agreement < 1 - MARGIN), (task, tier, agreement, kind)
    assert _verdict(audited, "simple_python", "mid")[0] is VerdictKind.PROVEN
    assert _verdict(audited, "simple_python", "small")[0] is not VerdictKind.PROVEN


def test_an_endpoint_without_answers_is_no_disagreement(
    audited: tuple[Store, Config, Report, dict[str, str]],
) -> None:
    kind, _ = _verdict(audited, "multiple", "mid")
    assert kind is VerdictKind.UNDECIDED


def test_what_is_proven_saves_and_the_rest_stays(audited: tuple[Store, Config, Report, dict[str, str]]) -> None:
    _, _, made, names = audited
    for row in made.tasks:
        moved = row.tier != "frontier"
        assert moved == (row.verdict is VerdictKind.PROVEN)
        assert (row.savings_usd > 0) == moved
        assert names[row.task_id] != "banking" or not moved


def _agreement(shared: Path, category: str, answers: dict[str, Message]) -> float:
    """The share of the category's questions on which the recorded answer scores as the gold one does."""
    from tests.real.real_log import questions

    scorer = SCORERS.get("tool-calls")
    scores = []
    for question in questions(shared / "data"):
        if question.task != category or question.tool_call is None:
            continue
        message = answers[question.user]
        gold = {"id": "gold", "type": "function", "function": question.tool_call}
        context = Context(
            request={"messages": [], "tools": question.tools},
            reference=Output(tool_calls=(gold,), finish_reason="tool_calls"),
            answer=Output(text=message.get("content"), tool_calls=tuple(message.get("tool_calls") or ())),
        )
        scores.append(scorer.score(context).value)
    return sum(scores) / len(scores)
