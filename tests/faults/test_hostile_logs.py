"""Logs that somebody made to break the reader are refused, or their bad rows quarantined and the good ones kept."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tieraudit.cli import main
from tieraudit.store import Store

GIGABYTE = 2**30
Run = Callable[..., dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run in a process of its own ended."""

    code: int
    output: str
    peak_megabytes: float
    seconds: float

    @property
    def receipt(self) -> dict[str, Any]:
        """The receipt, after what was said about it."""
        found: dict[str, Any] = json.loads(self.output[self.output.index("{\n") :])
        return found


def record(number: int, content: str = "a question", **fields: Any) -> dict[str, Any]:
    return {
        "id": f"call-{number}",
        "timestamp": 1793016000 + number,
        "provider": "openai",
        "request": {"model": "gpt-4o", "messages": [{"role": "user", "content": content}]},
        "response": {
            "choices": [{"message": {"content": "yes"}}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 1},
        },
        **fields,
    }


def lines(*rows: str | dict[str, Any]) -> str:
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


def stored(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with Store(database) as store:
        return store._connection.execute(sql).fetchall()


@pytest.fixture
def ingest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`tieraudit ingest FILE --json`: its receipt, with the exit code as ``code``."""
    monkeypatch.chdir(tmp_path)

    def run(path: Path, *options: str) -> dict[str, Any]:
        code = main.run(["ingest", str(path), "--json", *options])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return {**(json.loads(out) if out.strip() else {}), "code": code, "err": err}

    return run


def apart(path: Path, *options: str) -> Ended:
    """The same in a process of its own, whose memory and time are measured."""
    code = "import sys; from tieraudit.cli import main; sys.exit(main.run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "ingest", str(path), "--json", *options]
    with subprocess.Popen(
        command, cwd=path.parent, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(process.returncode, output, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


def reasons(receipt: dict[str, Any]) -> list[str]:
    return [item["reason"] for item in receipt["quarantine"]]


@pytest.mark.parametrize("depth", [900, 10_000, 100_000])
@pytest.mark.parametrize("place", ["metadata", "content", "arguments"])
def test_nesting_to_any_depth_costs_that_row_at_most(tmp_path: Path, ingest: Run, depth: int, place: str) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    if place == "metadata":
        row = json.dumps(record(2, metadata="DEEP")).replace('"DEEP"', deep)
    elif place == "content":
        row = json.dumps(record(2, "DEEP")).replace('"DEEP"', deep)
    else:
        calls = [{"id": "t", "type": "function", "function": {"name": "f", "arguments": deep}}]
        row = json.dumps(record(2, response={"choices": [{"message": {"content": None, "tool_calls": calls}}]}))
    path = tmp_path / "log.jsonl"
    path.write_text(lines(record(1), row, record(3)), encoding="utf-8")
    receipt = ingest(path, "--redact")
    assert receipt["code"] == 0
    assert receipt["rows_kept"] + receipt["rows_quarantined"] == 3
    assert receipt["rows_kept"] >= 2
    path.with_name("array.json").write_text(f"[{json.dumps(record(11))},{row},{json.dumps(record(13))}]")
    assert ingest(path.with_name("array.json"))["code"] == 0


def test_brackets_without_end_in_an_array_are_given_up_soon(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_bytes(b"[" + json.dumps(record(1)).encode() + b"," + b"{" * 30_000_000)
    ended = apart(path)
    assert ended.code in {0, 3} and "nested too deeply" in ended.output
    assert ended.seconds < 20 and ended.peak_megabytes < 700


def test_nul_bytes_are_data_in_a_string_and_no_json_outside_of_one(tmp_path: Path, ingest: Run) -> None:
    path = tmp_path / "log.jsonl"
    inside = json.dumps(record(2, "a\x00b", user="u\x00v", tags=["\x00"]))
    path.write_bytes(lines(record(1), inside, record(3)).encode() + b"\x00\x00{}\x00\n" + lines(record(4)).encode())
    receipt = ingest(path)
    assert (receipt["code"], receipt["rows_kept"]) == (0, 4)
    assert reasons(receipt) == ["not valid JSON"]


def test_a_file_of_nul_bytes_is_refused(tmp_path: Path, ingest: Run) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\x00" * 5_000_000)
    receipt = ingest(path)
    assert receipt["code"] == 3 and "not a log" in receipt["err"]


@pytest.mark.parametrize("half", ["\\ud800", "\\udfff", "x\\ud83d", "\\ude00\\ud83d"])
def test_half_a_surrogate_pair_costs_that_row_at_most(tmp_path: Path, ingest: Run, half: str) -> None:
    path = tmp_path / "log.jsonl"
    row = json.dumps(record(2, "HALF", user="HALF", metadata={"HALF": "HALF"})).replace("HALF", half)
    path.write_text(lines(record(1), row, record(3)), encoding="ascii")
    for options in ([], ["--redact"]):
        receipt = ingest(path, *options)
        assert receipt["code"] == 0
        assert receipt["rows_kept"] + receipt["rows_duplicate"] + receipt["rows_quarantined"] == 3
        assert receipt["rows_quarantined"] <= 1


def test_line_and_paragraph_separators_of_unicode_end_no_line(tmp_path: Path, ingest: Run) -> None:
    text = "one\u2028two\u2029three\u0085four\u000bfive"
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(record(n, text), ensure_ascii=False) + "\n" for n in range(3)), encoding="utf-8")
    assert ingest(path)["rows_kept"] == 3
    found = stored(tmp_path / "tieraudit.duckdb", "SELECT DISTINCT request->>'$.messages[0].content' FROM calls")
    assert found == [(text,)]


def test_a_line_of_200_megabytes_costs_that_line_and_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with path.open("wb") as file:
        file.write(lines(record(1)).encode())
        file.write(b'{"id": "long", "request": {"messages": "')
        for _ in range(200):
            file.write(b"x" * 2**20)
        file.write(b'"}}\n' + lines(record(2)).encode())
    ended = apart(path)
    assert ended.code == 0
    receipt = ended.receipt
    assert receipt["rows_kept"] == 2 and reasons(receipt) == ["longer than 64 MB"]
    assert ended.seconds < 30 and ended.peak_megabytes < 900


@pytest.mark.parametrize(
    ("filler", "first"),
    [(b"\x00", False), (b"{", True), (b"[", False)],
    ids=["zeros", "objects-after-a-call", "arrays"],
)
def test_a_bomb_of_a_gigabyte_is_refused_in_bounded_memory(tmp_path: Path, filler: bytes, first: bool) -> None:
    path = tmp_path / "log.jsonl.gz"
    with path.open("wb") as file:
        if first:
            file.write(gzip.compress(lines(record(1)).encode()))
        file.write(gzip.compress(filler * 2**24) * (GIGABYTE // 2**24))
    assert path.stat().st_size < 2_000_000
    ended = apart(path)
    assert "Traceback" not in ended.output
    assert ended.code in ({0} if first else {3})
    if first:
        assert ended.receipt["rows_kept"] == 1
    assert ended.seconds < 40 and ended.peak_megabytes < 900


def test_a_gzip_inside_a_gzip_is_not_unpacked(tmp_path: Path, ingest: Run) -> None:
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress(gzip.compress(lines(record(1)).encode())))
    assert ingest(path)["code"] == 3


HOSTILE = [
    "'; DROP TABLE calls; --",
    '" OR 1=1); DELETE FROM calls WHERE ("1"="1',
    "$key {{7*7}} {% raw %} ${jndi:ldap://x/a} %s %(x)s {0}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\x1b[2J\x1b]0;owned\x07\x1b[31m\r\x08\u202e",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "../../../../etc/passwd",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_data_wherever_it_stands(
    tmp_path: Path, ingest: Run, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    row = record(1, value, user=value, tags=[value], metadata={value: value}, trace_id=value)
    row["request"]["model"] = row["provider"] = value
    row["response"]["choices"][0]["message"]["content"] = value
    path = tmp_path / "log.jsonl"
    path.write_text(lines(row, record(2), f'{{"id": {json.dumps(value)}}}', json.dumps(value)), encoding="utf-8")
    receipt = ingest(path)
    assert (receipt["code"], receipt["rows_kept"], receipt["rows_quarantined"]) == (0, 2, 2)
    database = tmp_path / "tieraudit.duckdb"
    [found] = stored(
        database,
        "SELECT request->>'$.messages[0].content', response->>'$.text', request_model FROM calls WHERE source_line = 1",
    )
    assert found == (value, value, value)
    assert main.run(["ingest", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "\x1b]0" not in out + err and "\x1b[2J" not in out + err


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_file_name_is_only_a_name(tmp_path: Path, ingest: Run, value: str) -> None:
    path = tmp_path / f"{value.replace('/', '_')}.jsonl"
    path.write_text(lines(record(1)), encoding="utf-8")
    assert ingest(path)["rows_kept"] == 1
    assert stored(tmp_path / "tieraudit.duckdb", "SELECT source_file FROM calls") == [(str(path),)]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_cell_is_only_a_cell(tmp_path: Path, ingest: Run, value: str) -> None:
    path = tmp_path / "log.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["request_id", "call_type", "startTime", "endTime", "model", "spend", "total_tokens",
                       "prompt_tokens", "completion_tokens", "api_key", "user", "metadata"])  # fmt: skip
        rows.writerow(["r1", "acompletion", "2026-10-26 12:00:00", "2026-10-26 12:00:01", value, "0.1", "10", "9", "1",
                       "k", value, "{}"])  # fmt: skip
    receipt = ingest(path, "--format", "litellm-spend")
    assert (receipt["code"], receipt["rows_kept"]) == (0, 1)
    found = stored(tmp_path / "tieraudit.duckdb", "SELECT request_model, user_id FROM calls")
    assert found == [(value, value)]


def test_the_store_is_for_its_owner_alone(tmp_path: Path, ingest: Run) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(lines(record(1)), encoding="utf-8")
    ingest(path, "--redact")
    for file in tmp_path.glob("tieraudit.duckdb*"):
        assert file.stat().st_mode & 0o077 == 0
