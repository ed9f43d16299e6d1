"""A log of the user's own: a mapping with SQL expressions, and a starter for one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tieraudit.errors import ConfigError
from tieraudit.pipeline.ingest import IngestOptions, ingest
from tieraudit.pipeline.mapping_start import start_mapping
from tieraudit.store import Store

ROW = {"ts": "2026-11-01T08:00:00Z", "q": "hello", "a": "hi", "m": "gpt-4o", "took_s": "1.5", "tag": "greet"}
MAPPING = """
started_at = "ts"
messages = "q"
text = "a"
request_model = "m"
"""


def read(tmp_path: Path, mapping: str, rows: list[dict[str, Any]], columns: str) -> list[Any]:
    log, file = tmp_path / "log.jsonl", tmp_path / "mapping.toml"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    file.write_text(MAPPING + mapping)
    with Store(None) as store:
        ingest(store, [log], IngestOptions(mapping=file))
        return store._connection.execute(f"SELECT {columns} FROM calls ORDER BY started_at").fetchall()


def test_an_expression_reads_the_record_as_json(tmp_path: Path) -> None:
    lines = """latency_ms = {sql = "(record->>'$.took_s')::DOUBLE * 1000"}
task_hint = {sql = "upper(record->>'$.tag')"}
tags = {sql = "[record->>'$.tag', 'mine']"}
metadata = {half = {sql = "(record->>'$.took_s')::DOUBLE / 2"}, tag = "tag"}
"""
    (row,) = read(tmp_path, lines, [ROW], "latency_ms, task_hint, tags, metadata")
    assert row[:3] == (1500.0, "GREET", ["greet", "mine"])
    assert json.loads(row[3]) == {"half": 0.75, "tag": "greet"}


def test_a_value_that_does_not_fit_empties_its_field_in_its_record_only(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "ts": "2026-11-01T09:00:00Z", "took_s": "soon"}, {**ROW, "ts": "2026-11-01T10:00:00Z"}]
    lines = """latency_ms = {sql = "(record->>'$.took_s')::DOUBLE * 1000"}\n"""
    assert read(tmp_path, lines, rows, "latency_ms") == [(1500.0,), (None,), (1500.0,)]


@pytest.mark.parametrize(
    "expression",
    [
        "uper(record->>'$.tag')",
        "(SELECT content FROM read_text('/etc/hostname'))",
        "1) FROM x; DROP TABLE calls; --",
        ")",
    ],
)
def test_a_wrong_or_reaching_expression_is_refused_before_a_row_is_read(tmp_path: Path, expression: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"task_hint = {{sql = {json.dumps(expression)}}}\n", [ROW], "task_hint")
    assert "mapping.toml" in caught.value.message
    assert "record" in caught.value.hint


def test_an_expression_sees_neither_files_nor_the_store(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden")
    with pytest.raises(ConfigError):
        read(tmp_path, f"task_hint = {{sql = \"getenv('HOME') || (FROM '{secret}')\"}}\n", [ROW], "task_hint")


def test_expressions_run_where_files_and_network_are_locked_away(tmp_path: Path) -> None:
    lines = """task_hint = {sql = "current_setting('enable_external_access')::VARCHAR"}
user_id = {sql = "current_setting('lock_configuration')::VARCHAR"}
"""
    assert read(tmp_path, lines, [ROW], "task_hint, user_id") == [("false", "true")]


def test_a_starter_is_written_once_and_reads_the_log_it_was_made_from(tmp_path: Path) -> None:
    log, file = tmp_path / "log.jsonl", tmp_path / "mapping.toml"
    row = {
        "timestamp": ROW["ts"],
        "messages": [{"role": "user", "content": "hello"}],
        "response": "hi",
        "model": "gpt-4o",
    }
    log.write_text(json.dumps(row) + "\n")
    assert start_mapping([log], file) == file.read_text()
    with Store(None) as store:
        receipt = ingest(store, [log], IngestOptions(mapping=file))
    assert (receipt.rows_kept, receipt.content_share) == (1, 1.0)
