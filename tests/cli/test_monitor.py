"""tieraudit monitor: quiet on a week like the audited ones, exit 1 and what to do on any other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fixtures.audited import DAYS, MONDAY, audited_store, calls
from tests.fixtures.commands import Ran, tieraudit

from tieraudit.domain import Call

NEXT = MONDAY + timedelta(days=DAYS)
PER_DAY = {"t-order": 40, "t-label": 30, "t-legal": 20, "t-mood": 20}


def write_log(path: Path, log: Iterable[tuple[str, Call]], broken: int = 0) -> Path:
    """The calls as an OpenAI pairs file, with the fields that they have."""
    lines = []
    for number, (_, call) in enumerate(log):
        assert call.request is not None
        answer = {"role": "assistant", "content": call.response.text if call.response else ""}
        response = {
            "id": f"c{number}",
            "object": "chat.completion",
            "model": call.response_model,
            "choices": [{"index": 0, "message": answer, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 200, "completion_tokens": 20, "total_tokens": 220},
        }
        request = {**call.request, "model": call.request_model}
        row = {"id": f"n{number}", "timestamp": call.started_at.isoformat(), "request": request, "response": response}
        lines.append(json.dumps({**row, "cost_usd": float(call.logged_cost_usd or 0)}))
    lines += ['{"neither": "request nor response"}'] * broken
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audited") / "tieraudit.duckdb"
    audited_store(path, calls(per_day=PER_DAY)).close()
    return path


@pytest.fixture
def folder(tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(database, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def watch(capsys: pytest.CaptureFixture[str], *arguments: object) -> Ran:
    return tieraudit(capsys, "monitor", *arguments)


def test_a_quiet_week_is_exit_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write_log(folder / "next.jsonl", calls(NEXT, 7, per_day=PER_DAY), broken=2)
    ran = watch(capsys, log)
    assert ran.code == 0, ran.err + ran.out
    assert "ok: nothing changed beyond chance" in ran.out
    assert "Order numbers" in ran.out
    assert "2 rows of" in ran.out
    assert tieraudit(capsys, "status", "--json").json["steps"][5]["done"] is True


def test_an_alarm_is_exit_1_after_the_result(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write_log(folder / "next.jsonl", calls(NEXT, 7, per_day=PER_DAY, models={"t-legal": "gpt-6"}))
    ran = watch(capsys, log)
    assert ran.code == 1
    assert "ALARM model, Contract review: " in ran.out
    assert "1 alarms: model" in ran.err
    assert "hint: each alarm above says what to do" in ran.err


def test_for_machines_it_prints_the_keys_of_the_contract(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write_log(folder / "next.jsonl", calls(NEXT, 7, per_day=PER_DAY, models={"t-legal": "gpt-6"}))
    ran = watch(capsys, log, "--json")
    assert (ran.code, ran.json["status"]) == (1, "alarm")
    assert {"task", "kind", "evidence", "action"} <= set(ran.json["alarms"][0])
    assert ran.json["window_from"].startswith("2026-10-19T")
    assert {task["task"] for task in ran.json["tasks"]} == {"*", "t-order", "t-label", "t-legal", "t-mood"}


def test_watching_leaves_the_audited_calls_as_they_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tieraudit(capsys, "status", "--json").json["steps"][0]["detail"]
    watch(capsys, write_log(folder / "next.jsonl", calls(NEXT, 3, per_day=PER_DAY)))
    assert tieraudit(capsys, "status", "--json").json["steps"][0]["detail"] == before


@pytest.mark.parametrize("text", ["", "no log\n", '{"a": 1}\n'])
def test_what_is_no_log_is_exit_3(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (folder / "next.jsonl").write_text(text)
    ran = watch(capsys, "next.jsonl")
    assert (ran.code, ran.out) == (3, "")
    assert "hint: " in ran.err


def test_a_log_that_is_not_there_is_exit_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = watch(capsys, "nowhere.jsonl")
    assert (ran.code, "nowhere.jsonl" in ran.err) == (3, True)


def test_without_a_database_it_says_how_to_begin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = watch(capsys, write_log(tmp_path / "next.jsonl", calls(days=1)))
    assert (ran.code, "tieraudit ingest" in ran.err) == (3, True)


def test_without_a_path_it_is_a_usage_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert watch(capsys).code == 2
