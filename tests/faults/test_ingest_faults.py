"""What goes wrong while a log is read: killed, interrupted, locked, cut off. A rerun always finishes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tieraudit.errors import InputError, StoreError
from tieraudit.formats import framing
from tieraudit.pipeline import workers
from tieraudit.pipeline.ingest import ingest
from tieraudit.progress import Silent
from tieraudit.store import Store

ROWS = 1_500


def record(number: int) -> dict[str, Any]:
    usage = {"prompt_tokens": 9, "completion_tokens": 1}
    return {
        "id": f"call-{number}",
        "timestamp": 1793016000 + number,
        "provider": "openai",
        "request": {"model": "gpt-4o", "messages": [{"role": "user", "content": f"question {number}"}]},
        "response": {
            "choices": [{"message": {"content": "yes"}}],
            "usage": usage,
        },
    }


def write(path: Path, first: int, count: int) -> Path:
    path.write_text("".join(json.dumps(record(first + n)) + "\n" for n in range(count)), encoding="utf-8")
    return path


def calls(store: Store) -> tuple[int, int]:
    found = store._connection.execute("SELECT count(*), count(DISTINCT call_id) FROM calls").fetchone()
    assert found is not None
    return found[0], found[1]


def in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((framing, "CHUNK"), (framing, "BLOCK"), (workers, "BYTES")):
        monkeypatch.setattr(module, name, 10_000)


KILLED = """
import os, pathlib, signal, sys
from tieraudit.formats import framing
from tieraudit.pipeline import ingest as module, workers
from tieraudit.progress import Silent
from tieraudit.store import Store

class Killer(Silent):
    file = steps = 0
    def start(self, label, total=None):
        self.file += 1
    def advance(self, steps=1):
        self.steps += 1
        if self.file == 2 and self.steps >= 4:
            os.kill(os.getpid(), signal.SIGKILL)

framing.CHUNK = framing.BLOCK = workers.BYTES = 40_000
with Store(pathlib.Path(sys.argv[1])) as store:
    module.ingest(store, [pathlib.Path(name) for name in sys.argv[2:]], progress=Killer())
"""


def test_a_kill_in_the_middle_of_a_file_costs_that_file_alone_and_a_rerun_finishes(tmp_path: Path) -> None:
    database = tmp_path / "a.duckdb"
    first = write(tmp_path / "1.jsonl", 0, 500)
    second = write(tmp_path / "2.jsonl", 400, ROWS)
    command = [sys.executable, "-c", KILLED, str(database), str(first), str(second)]
    assert subprocess.run(command, check=False, env=os.environ).returncode == -signal.SIGKILL
    with Store(database) as store:
        assert calls(store) == (500, 500)
        receipt = ingest(store, [first, second])
        assert calls(store) == (1_900, 1_900)
    assert (receipt.rows_kept, receipt.rows_duplicate) == (1_400, 600)


class Interrupting(Silent):
    """Ctrl-C after the second batch."""

    batches = 0

    def advance(self, steps: int = 1) -> None:
        self.batches += 1
        if self.batches == 2:
            raise KeyboardInterrupt


def test_ctrl_c_leaves_no_half_file_and_a_rerun_finishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_small_batches(monkeypatch)
    path = write(tmp_path / "1.jsonl", 0, 1_000)
    with Store(tmp_path / "a.duckdb") as store:
        with pytest.raises(KeyboardInterrupt):
            ingest(store, [path], progress=Interrupting())
        assert calls(store) == (0, 0)
        assert ingest(store, [path]).rows_kept == 1_000


HOLDER = """
import pathlib, sys
from tieraudit.store import Store
with Store(pathlib.Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_locked_database_says_who_to_wait_for(tmp_path: Path) -> None:
    database = tmp_path / "a.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match="in use by another process") as caught:
            Store(database)
        holder.stdin.close()
    assert (caught.value.exit_code, "--db" in caught.value.hint) == (3, True)


def test_a_truncated_last_line_costs_that_line(tmp_path: Path) -> None:
    path = write(tmp_path / "1.jsonl", 0, 10)
    path.write_bytes(path.read_bytes()[:-20])
    store = Store(None)
    receipt = ingest(store, [path])
    assert (receipt.rows_kept, receipt.rows_quarantined) == (9, 1)
    [reason] = receipt.quarantine
    assert reason.reason == "cut off: the last line is not complete"
    assert reason.example == f"{path}:10"
    path.write_text("".join(json.dumps(record(n)) + "\n" for n in range(10)))
    again = ingest(store, [path])
    assert (again.rows_kept, again.rows_duplicate) == (1, 9)


def test_bad_lines_among_good_ones_cost_those_lines(tmp_path: Path) -> None:
    path = tmp_path / "1.jsonl"
    good = [json.dumps(record(n)).encode() for n in range(3)]
    path.write_bytes(b"\n".join([good[0], b'{"id": "\xff\xfe"}', good[1], b"not json at all", good[2]]))
    receipt = ingest(Store(None), [path])
    assert receipt.rows_kept == 3
    assert {item.reason: item.example for item in receipt.quarantine} == {
        "not valid UTF-8": f"{path}:2",
        "not valid JSON": f"{path}:4",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "1.jsonl", 0, 1)
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        ingest(Store(None), [path])


def test_a_directory_in_place_of_a_file_is_walked(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    write(tmp_path / "log.jsonl" / "1.jsonl", 0, 2)
    assert ingest(Store(None), [tmp_path / "log.jsonl"]).rows_kept == 2
