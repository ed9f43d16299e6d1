"""The demo: the committed example is what the recorded replies of the real model give, and the real model runs."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pj
import pytest

from tests.conftest import ROOT
from tieraudit.backends.own_server import OwnServerBackend
from tieraudit.cli.demo import sample_logs, walk
from tieraudit.config import load_config
from tieraudit.progress import Silent
from tieraudit.store import Store

RECORDING = ROOT / "tests/fixtures/replies/demo.jsonl.gz"
EXAMPLE = ROOT / "reports"


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".duckdb" not in path.name and "__pycache__" not in path.parts
    }


def _recorded() -> pa.Table:
    with gzip.open(RECORDING) as lines:
        return pj.read_json(pa.BufferReader(lines.read()))


@pytest.fixture
def engine_must_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_: OwnServerBackend) -> Any:
        raise AssertionError("a reply was not in the recording, and the engine was asked for it")

    monkeypatch.setattr(OwnServerBackend, "__aenter__", refuse)


@pytest.mark.usefixtures("engine_must_not_start")
def test_the_committed_example_is_what_the_recorded_replies_give(tmp_path: Path) -> None:
    logs = sample_logs()
    with Store(tmp_path / "demo.duckdb") as store:
        rows = _recorded()
        output = pa.array([json.dumps(value) if value is not None else None for value in rows["output"].to_pylist()])
        store.insert("replies", rows.set_column(rows.schema.get_field_index("output"), "output", output))
        walk(store, load_config(logs / "tieraudit.toml"), logs, tmp_path / "out", progress=Silent())
    made, committed = _files(tmp_path / "out"), _files(EXAMPLE)
    assert made.keys() == committed.keys()
    different = [name for name in made if made[name] != committed[name] and not name.endswith(".xlsx")]
    assert not different, "run: just example"


def test_the_example_has_a_proven_and_a_refuted_task() -> None:
    report = json.loads((EXAMPLE / "report.json").read_text(encoding="utf-8"))
    verdicts = {task["verdict"] for task in report["tasks"]}
    assert {"proven", "refuted", "pinned"} <= verdicts


def test_the_sample_logs_are_what_their_script_makes(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "sample_logs/make_sample_logs.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file():
            committed = ROOT / "sample_logs" / path.relative_to(tmp_path)
            assert path.read_bytes() == committed.read_bytes(), path.name


@pytest.mark.embedded
@pytest.mark.timeout(900)
def test_the_demo_runs_on_the_real_model(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("tieraudit")), "demo", "--out", str(tmp_path), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "report.html" in json.loads(result.stdout)["files"]
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    verdicts = [task["verdict"] for task in report["tasks"]]
    assert verdicts.count("proven") >= 1
    assert verdicts.count("refuted") >= 1
