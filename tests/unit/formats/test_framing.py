"""Bytes to records: JSON, CSV and Parquet, compressed or not; one bad record never costs another."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieraudit.errors import InputError
from tieraudit.formats import framing
from tieraudit.formats.framing import Broken, Row, read_rows, read_stream

ROW = b'{"a": "b]}\\" [{"}'
RECORD = {"a": 'b]}" [{'}


def frame(folder: Path, data: bytes, name: str = "log") -> list[Row | Broken]:
    path = folder / name
    path.write_bytes(data)
    return list(read_rows(path))


def told(rows: list[Row | Broken]) -> list[str]:
    return ["ok" if isinstance(row, Row) else row.reason for row in rows]


@pytest.mark.parametrize(
    "data",
    [
        ROW + b"\n" + ROW + b"\n",
        ROW + b"\r\n\r\n" + ROW,
        framing.BOM + ROW + b"\n" + ROW,
        b"[" + ROW + b"," + ROW + b"]",
        framing.BOM + b" [\n" + ROW + b"\n,\n" + ROW + b"]\n",
        json.dumps(RECORD, indent=2).encode() + b"\n" + json.dumps(RECORD, indent=1).encode(),
    ],
    ids=["lines", "crlf", "bom", "array", "array with bom", "documents"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_same_records_in_every_frame(tmp_path: Path, data: bytes, packed: bool) -> None:
    rows = frame(tmp_path, gzip.compress(data) if packed else data)
    assert [row.record for row in rows if isinstance(row, Row)] == [RECORD, RECORD]
    assert len(rows) == 2


def test_gzip_is_known_by_content_and_not_by_name(tmp_path: Path) -> None:
    assert told(frame(tmp_path, gzip.compress(ROW), "log.jsonl")) == ["ok"]
    assert told(frame(tmp_path, ROW, "log.gz")) == ["ok"]


def test_one_bad_line_costs_one_line(tmp_path: Path) -> None:
    rows = frame(tmp_path, ROW + b'\nnot json\n{"a": "\xff"}\n\n[1]\n' + ROW + b"\n")
    assert told(rows) == ["ok", "not valid JSON", "not valid UTF-8", "not a JSON object", "ok"]
    assert [row.line for row in rows] == [1, 2, 3, 5, 6]


def test_a_bad_first_line_costs_one_line(tmp_path: Path) -> None:
    assert told(frame(tmp_path, b"# exported by hand\n" + ROW + b"\n")) == ["not valid JSON", "ok"]
    assert told(frame(tmp_path, b'{"a":\n' + ROW + b"\n" + ROW)) == ["not valid JSON", "ok", "ok"]


def test_a_truncated_last_line_says_so(tmp_path: Path) -> None:
    assert told(frame(tmp_path, ROW + b'\n{"a": "b')) == ["ok", "cut off: the last line is not complete"]


@pytest.mark.parametrize(
    ("tail", "reason"),
    [(b',{"a": 1', "cut off: the last record is not complete"), (b",", "cut off: the array is not closed")],
)
def test_a_truncated_array_keeps_what_is_whole(tmp_path: Path, tail: bytes, reason: str) -> None:
    assert told(frame(tmp_path, b"[" + ROW + tail)) == ["ok", reason]


def test_a_truncated_gzip_keeps_what_is_whole(tmp_path: Path) -> None:
    noise = random.Random(1)
    lines = b"".join(b'{"a": %d}\n' % noise.getrandbits(200) for _ in range(20_000))
    rows = frame(tmp_path, gzip.compress(lines)[:-5000])
    assert len(rows) > 10_000
    assert told(rows)[-1] == "the compressed data is cut off or damaged here"
    assert told(rows).count("ok") == len(rows) - 1


def test_values_that_are_no_objects_are_counted(tmp_path: Path) -> None:
    rows = frame(tmp_path, b'[1, {"a": }, "x", ' + ROW + b", [2]] tail")
    bad = "not a JSON object"
    assert told(rows) == [bad, "not valid JSON", bad, "ok", bad, bad]


def test_deep_nesting_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    assert told(frame(tmp_path, ROW + b"\n" + deep + b"\n" + ROW)) == ["ok", "nested too deeply", "ok"]
    assert told(frame(tmp_path, b"[" + deep + b"," + ROW + b"]")) == ["nested too deeply", "ok"]


def test_a_line_beyond_the_limit_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MOST_BYTES", 1000)
    long = b'{"a": "' + b"x" * 5000 + b'"}'
    assert told(frame(tmp_path, ROW + b"\n" + long + b"\n" + ROW)) == ["ok", "longer than 64 MB", "ok"]
    assert told(frame(tmp_path, b"[" + ROW + b"," + long + b"," + ROW + b"]")) == ["ok", "longer than 64 MB", "ok"]


def test_records_may_lie_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "CHUNK", 7)
    assert told(frame(tmp_path, b"[" + b", ".join([ROW] * 50) + b"]")) == ["ok"] * 50
    for size in (1, 7, 40, 10_000):
        monkeypatch.setattr(framing, "BLOCK", size)
        rows = frame(tmp_path, b"\n".join([ROW] * 50) + b'\n\n{"a": "b')
        assert told(rows) == ["ok"] * 50 + ["cut off: the last line is not complete"]
        assert [row.line for row in rows] == [*range(1, 51), 52]


def test_a_very_long_line_is_passed_over_without_being_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("MOST_BYTES", 1000), ("CHUNK", 64), ("BLOCK", 100)):
        monkeypatch.setattr(framing, name, size)
    rows = frame(tmp_path, ROW + b"\n" + b"x" * 50_000 + b"\n" + ROW + b"\n" + b"y" * 50_000)
    assert told(rows) == ["ok", "longer than 64 MB", "ok", "longer than 64 MB"]
    assert [row.line for row in rows] == [1, 2, 3, 4]
    assert all(len(row.excerpt) < 1000 for row in rows if isinstance(row, Broken))


@pytest.mark.parametrize(
    ("data", "says", "hint"),
    [
        (b"", "the file is empty", "nothing was written"),
        (b"  \n\n", "the file is empty", "nothing was written"),
        (b"dear all, 1, 1\n", "neither JSON nor a table (it begins with 'dear all, 1, 1')", "JSON, CSV or Parquet"),
        (b"\x00\x01\x02", "neither JSON nor a table", "JSON, CSV or Parquet"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16", "UTF-8"),
        (b"PK\x03\x04rest", "zip", "unzip"),
        (b"PAR1rest", "the Parquet data is cut off", "copy the file again"),
        (b"\x1f\x8b\x08\x00rubbish", "cut off or damaged", "copy the file again"),
    ],
)
def test_what_is_no_log_is_an_error_with_a_way_out(tmp_path: Path, data: bytes, says: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        frame(tmp_path, data)
    assert says in caught.value.message
    assert str(tmp_path / "log") in caught.value.message
    assert hint in caught.value.hint


def test_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(read_rows(tmp_path))


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200) | st.text(alphabet='[]{}",:\\ \na1', max_size=80).map(str.encode))
def test_no_bytes_break_the_framing(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("bytes") / "log"
    path.write_bytes(data)
    try:
        rows = list(read_rows(path))
    except InputError:
        return
    assert [row.line for row in rows] == sorted(row.line for row in rows)


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


@pytest.mark.parametrize("packed", [bytes, gzip.compress, zstd], ids=["plain", "gz", "zst"])
def test_a_csv_row_is_a_record_of_strings(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    text = 'id,"startTime",messages\r\na,2026-11-01,"[{""role"": ""user"",\r\n ""x"": ""ä,\u2028b""}]"\r\n\r\nb,,{}\r\n'
    rows = frame(tmp_path, packed(text.encode()))
    assert [row.line for row in rows] == [1, 2]
    assert [row.record for row in rows if isinstance(row, Row)] == [
        {"id": "a", "startTime": "2026-11-01", "messages": '[{"role": "user",\r\n "x": "ä,\u2028b"}]'},
        {"id": "b", "messages": "{}"},
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_csv_names_its_delimiter_in_the_header(tmp_path: Path, mark: str) -> None:
    rows = frame(tmp_path, f"\ufeffid{mark}cost\na{mark}1.5\n".encode())
    assert [row.record for row in rows if isinstance(row, Row)] == [{"id": "a", "cost": "1.5"}]


def test_a_bad_csv_row_costs_one_row(tmp_path: Path) -> None:
    rows = frame(tmp_path, b"id,cost\na,1\nb\nc,\xff\nd,4\n")
    assert told(rows) == ["ok", "not as many values as the header has names", "not valid UTF-8", "ok"]


def test_parquet_values_are_as_in_json(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 1, 8, tzinfo=UTC)
    table = pa.table(
        {
            "id": ["a", None],
            "at": pa.array([moment, moment], pa.timestamp("us", tz="UTC")),
            "cost": pa.array([Decimal("0.125"), None], pa.decimal128(18, 9)),
            "usage": pa.array([[("input", 3)], None], pa.map_(pa.string(), pa.int64())),
            "tags": pa.array([["x"], []], pa.list_(pa.string())),
            "raw": pa.array([b"abc", None], pa.binary()),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    first, second = (row.record for row in frame(tmp_path, sink.getvalue()) if isinstance(row, Row))
    assert first == {
        "id": "a", "at": "2026-11-01T08:00:00Z", "cost": "0.125000000", "usage": {"input": 3}, "tags": ["x"],
        "raw": "abc",
    }  # fmt: skip
    assert second == {"at": "2026-11-01T08:00:00Z", "tags": []}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))))
def test_what_a_csv_writer_wrote_comes_back(records: list[dict[str, str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, "abc")
    writer.writeheader()
    writer.writerows(records)
    rows = list(read_stream("log", lambda: io.BytesIO(out.getvalue().encode())))
    assert [row.record for row in rows if isinstance(row, Row)] == records
