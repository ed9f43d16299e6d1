"""tieraudit status: where the work stands, on any database and on none."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fixtures.audited import audited_store, calls
from tests.fixtures.commands import tieraudit

from tieraudit.store import Store


def test_without_a_database_it_says_how_to_begin_and_makes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = tieraudit(capsys, "status")
    assert ran.code == 0
    assert "next: tieraudit ingest PATH..." in ran.out
    assert list(tmp_path.iterdir()) == []


def test_for_machines_it_prints_the_keys_of_the_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = tieraudit(capsys, "status", "--json", "--db", tmp_path / "none.duckdb")
    assert set(ran.json) == {"steps", "next"}
    assert all(set(step) == {"name", "done", "detail"} for step in ran.json["steps"])


def test_after_an_audit_it_says_what_was_proven_and_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    audited_store(tmp_path / "tieraudit.duckdb", calls(days=3)).close()
    ran = tieraudit(capsys, "status")
    assert ran.code == 0
    assert "4 proven" in ran.out
    assert "next: tieraudit report, then tieraudit export-config --router NAME" in ran.out


def test_the_next_command_names_the_database_where_it_is_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my audit.duckdb"
    Store(path).close()
    assert tieraudit(capsys, "status", "--db", path, "--json").json["next"] == (
        f"tieraudit --db '{path}' ingest PATH..."
    )


def test_a_file_that_is_no_database_is_an_error_with_a_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 500)
    ran = tieraudit(capsys, "status", "--db", path)
    assert ran.code == 3
    assert "hint: check --db" in ran.err
