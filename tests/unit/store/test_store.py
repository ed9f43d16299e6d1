"""The store: migrations, the lock, permissions, types that come back, and every named query explained."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import duckdb
import pyarrow as pa
import pytest

from tieraudit.errors import StoreError
from tieraudit.pipeline.call_rows import CALLS, QUARANTINE
from tieraudit.pipeline.other_rows import BILLED, FEEDBACK, FRAGMENTS
from tieraudit.store import Store, query_names, query_parameters
from tieraudit.store import store as store_module
from tieraudit.store.store import QUERIES

INPUTS = {
    "ingest_insert_calls": CALLS,
    "ingest_fill_content": CALLS,
    "ingest_insert_quarantine": QUARANTINE,
    "ingest_insert_fragments": FRAGMENTS,
    "ingest_insert_feedback": FEEDBACK,
    "ingest_insert_billed": BILLED,
}


def connection_of(store: Store) -> duckdb.DuckDBPyConnection:
    return store._connection


def test_a_new_database_has_every_table_and_knows_its_version(tmp_path: Path) -> None:
    with Store(tmp_path / "a.duckdb") as store:
        tables = {row[0] for row in connection_of(store).execute("SHOW TABLES").fetchall()}
        version = connection_of(store).execute("SELECT max(version) FROM schema_migrations").fetchone()
    assert {"calls", "ingests", "quarantine", "price_table", "tasks", "audits", "verdicts", "assignments"} <= tables
    assert version == (len(store_module._migrations()),)


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        with Store(tmp_path / "a.duckdb") as store:
            applied = connection_of(store).execute("SELECT count(*) FROM schema_migrations").fetchone()
            assert applied == (len(store_module._migrations()),)


def test_a_migration_that_fails_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = store_module._migrations()
    broken = [*good, ("9999_broken.sql", "CREATE TABLE half (a INTEGER); SELECT no_such_function();")]
    monkeypatch.setattr(store_module, "_migrations", lambda: broken)
    with pytest.raises(duckdb.Error):
        Store(tmp_path / "a.duckdb")
    monkeypatch.setattr(store_module, "_migrations", lambda: good)
    with Store(tmp_path / "a.duckdb") as store:
        tables = {row[0] for row in connection_of(store).execute("SHOW TABLES").fetchall()}
    assert "half" not in tables and "calls" in tables


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "a.duckdb") as store:
        connection_of(store).execute("INSERT INTO schema_migrations VALUES (999, 'from the future')")
    with pytest.raises(StoreError, match="newer than this version") as caught:
        Store(tmp_path / "a.duckdb")
    assert "update" in caught.value.hint


def test_only_the_owner_can_read_a_new_database_and_its_log(tmp_path: Path) -> None:
    row = pa.table({"ingest_id": [1], "source_file": ["f"], "source_line": [1], "reason": ["r"], "excerpt": [""]})
    with Store(tmp_path / "a.duckdb") as store:
        with store.transaction():
            store.insert("quarantine", row)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"a.duckdb": 0o600, "a.duckdb.wal": 0o600}
    assert stat.S_IMODE((tmp_path / "a.duckdb").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["notes.txt", "log.jsonl", "calls.csv", "empty"])
def test_a_file_that_is_no_database_is_an_error_and_stays_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = "" if name == "empty" else '{"a": "not a database, and long enough to be something else"}\n' * 100
    path.write_text(content)
    with pytest.raises(StoreError, match="not a database") as caught:
        Store(path)
    assert "--db" in caught.value.hint
    assert path.read_text() == content


def test_a_missing_database_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such database") as caught:
        Store(tmp_path / "a.duckdb", create=False)
    assert "tieraudit ingest" in caught.value.hint
    assert not (tmp_path / "a.duckdb").exists()


HOLDER = """
import sys, pathlib
from tieraudit.store import Store
with Store(pathlib.Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_database_that_another_process_holds_is_an_error_with_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdin is not None and holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match="in use by another process") as caught:
            Store(path)
        holder.stdin.close()
    assert "--db" in caught.value.hint
    Store(path).close()


def test_values_come_back_as_what_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = """SELECT TIMESTAMPTZ '2026-11-21 12:00:00.000001+01' AS t, 1.5::DECIMAL(18, 9) AS d, sum(x)::HUGEINT AS h,
        'f543fad2-3155-4709-996f-96b0d3493ac7'::UUID AS u, ['a'] AS l, $name AS n, NULL::TIMESTAMPTZ AS nothing
        FROM range(3) r(x)"""
    monkeypatch.setattr(store_module, "_query", lambda name: sql)
    row = Store(None).one("any", name=None)
    assert row == {
        "t": datetime(2026, 11, 21, 11, 0, 0, 1, tzinfo=UTC),
        "d": Decimal("1.5"),
        "h": 3,
        "u": UUID("f543fad2-3155-4709-996f-96b0d3493ac7"),
        "l": ["a"],
        "n": None,
        "nothing": None,
    }
    assert isinstance(row["h"], int)


def test_a_query_takes_exactly_its_parameters() -> None:
    with pytest.raises(TypeError, match="takes"):
        Store(None).rows("ingest_next_id", surplus=1)


def test_a_query_without_rows_is_told_apart() -> None:
    with pytest.raises(LookupError):
        Store(None).one("ingest_unpriced", first_ingest_id=1)


def test_a_transaction_is_all_or_nothing() -> None:
    store = Store(None)
    row = pa.table({"ingest_id": [1], "source_file": ["f"], "source_line": [1], "reason": ["r"], "excerpt": [""]})
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.insert("quarantine", row)
        raise ZeroDivisionError
    assert connection_of(store).execute("SELECT count(*) FROM quarantine").fetchone() == (0,)


def test_a_table_name_is_never_sql() -> None:
    with pytest.raises(ValueError, match="not a table name"):
        Store(None).clear("calls; DROP TABLE calls")


def _statement(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def schema() -> duckdb.DuckDBPyConnection:
    return connection_of(Store(None)).cursor()


@pytest.mark.parametrize("name", query_names())
def test_every_named_query_fits_the_schema(name: str, schema: duckdb.DuckDBPyConnection) -> None:
    """EXPLAIN with every parameter NULL; an `arrow_input` of unknown columns gets those that the query asks for."""
    connection = schema.cursor()
    values = dict.fromkeys(query_parameters(name))
    sql = f"EXPLAIN {_statement(name)}"
    if "arrow_input" not in sql:
        connection.execute(sql, values)
        return
    if name in INPUTS:
        connection.register("arrow_input", INPUTS[name].empty_table())
        connection.execute(sql, values)
        return
    asked: list[str] = []
    for _ in range(40):
        connection.execute("DROP VIEW IF EXISTS temp.arrow_input")
        columns = ", ".join(f'NULL AS "{column}"' for column in asked) or "NULL AS nothing"
        connection.execute(f"CREATE TEMP VIEW arrow_input AS SELECT {columns}")
        try:
            connection.execute(sql, values)
            return
        except duckdb.BinderException as error:
            missing = _missing_column(str(error))
            if missing is None or missing in asked:
                raise
            asked.append(missing)
    pytest.fail(f"{name} asks for more columns than a table has")


def _missing_column(message: str) -> str | None:
    parts = message.split('"')
    if "arrow_input" not in message and "Referenced column" not in message and "does not have a column" not in message:
        return None
    return next((part for part in parts[1::2] if part not in ("arrow_input",)), None)
