"""Store: the one door to the DuckDB file. Queries are named .sql files with bound $parameters."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa

from tieraudit.errors import StoreError

ZONED = "TIMESTAMP WITH TIME ZONE"
QUERIES = files("tieraudit.store") / "queries"
MIGRATIONS = files("tieraudit.store") / "migrations"


class Store:
    """One DuckDB database with the tables of an audit; a context manager that closes it.

    Stages read with `rows` (a list of dicts, for results that fit in memory) or `batches` (Arrow, streamed) and
    write with `execute`, `insert` (Arrow in bulk) inside `transaction`.
    """

    def __init__(self, path: Path | None, *, create: bool = True) -> None:
        """Open ``path`` (None: in memory) and bring its schema up to date; raises `StoreError`."""
        self.path = path
        if path is not None and not create and not path.exists():
            raise StoreError(f"{path}: there is no such database", hint="start with `tieraudit ingest PATH...`")
        self._connection = _connect(path)
        try:
            self._connection.execute("SET TimeZone = 'UTC'")
            self._migrate()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; the file is then free for another process."""
        self._connection.close()

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """All rows of the named query as dicts (DECIMAL -> Decimal, UUID -> UUID, TIMESTAMPTZ -> aware datetime)."""
        relation = self._connection.sql(_query(query), params=_bound(query, parameters))
        if relation is None:
            return []
        names, kinds = relation.columns, [str(kind) for kind in relation.types]
        # DuckDB's own fetch of a TIMESTAMPTZ needs pytz; Arrow's does not.
        if ZONED not in kinds:
            return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
        table = relation.to_arrow_table()
        columns = [_values(table.column(position), kind) for position, kind in enumerate(kinds)]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def one(self, query: str, **parameters: Any) -> dict[str, Any]:
        """The single row of the named query; raises LookupError when there is none."""
        rows = self.rows(query, **parameters)
        if not rows:
            raise LookupError(f"{query}: no row")
        return rows[0]

    def batches(self, query: str, *, size: int = 50_000, **parameters: Any) -> Iterator[pa.RecordBatch]:
        """The rows of the named query as Arrow record batches, streamed on a cursor of its own."""
        cursor = self._connection.cursor()
        relation = cursor.sql(_query(query), params=_bound(query, parameters))
        reader: pa.RecordBatchReader = relation.to_arrow_reader(size)
        yield from reader

    def execute(self, query: str, **parameters: Any) -> None:
        """Run the named statement."""
        self._run(query, parameters)

    def insert(self, table: str, data: pa.Table) -> None:
        """Append ``data`` to ``table``, matched by column name; columns that are absent become NULL."""
        self._with_arrow(f"INSERT INTO {_identifier(table)} BY NAME SELECT * FROM arrow_input", data, {})

    def execute_with(self, query: str, data: pa.Table, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run the named statement, which reads ``data`` as the table ``arrow_input``; returns its rows."""
        return self._with_arrow(_query(query), data, _bound(query, parameters))

    def clear(self, table: str) -> None:
        """Delete all rows of ``table``."""
        self._connection.execute(f"DELETE FROM {_identifier(table)}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: commits at the end of the block, rolls back on any error."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        self._hide_log()

    def _hide_log(self) -> None:
        """Only the owner may read the write-ahead log, which DuckDB makes anew with the default permissions."""
        if self.path is not None:
            with suppress(OSError):
                self.path.with_name(f"{self.path.name}.wal").chmod(0o600)

    def _run(self, query: str, parameters: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
        return self._connection.execute(_query(query), _bound(query, parameters))

    def _with_arrow(self, sql: str, data: pa.Table, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
        self._connection.register("arrow_input", data)
        try:
            return self._connection.execute(sql, parameters).fetchall()
        finally:
            self._connection.unregister("arrow_input")

    def _migrate(self) -> None:
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name VARCHAR NOT NULL)"
        )
        # fetchall, not fetchone: a result that is not read to its end blocks the connection.
        ((applied,),) = self._connection.execute("SELECT coalesce(max(version), 0) FROM schema_migrations").fetchall()
        available = _migrations()
        if applied > len(available):
            raise StoreError(
                f"{self.path}: schema {applied} is newer than this version knows ({len(available)})",
                hint="update tieraudit, or use another --db",
            )
        for version, (name, sql) in enumerate(available, start=1):
            if version <= applied:
                continue
            with self.transaction():
                self._connection.execute(sql)
                self._connection.execute("INSERT INTO schema_migrations VALUES (?, ?)", [version, name])


def query_names() -> list[str]:
    """All named queries, for the test that explains each."""
    return sorted(item.name.removesuffix(".sql") for item in QUERIES.iterdir() if item.name.endswith(".sql"))


def query_parameters(query: str) -> list[str]:
    """The $parameters of a named query."""
    return sorted(set(re.findall(r"\$([a-z_]+)", _query(query))))


def _connect(path: Path | None) -> duckdb.DuckDBPyConnection:
    if path is None:
        return duckdb.connect(":memory:")
    not_ours = StoreError(
        f"{path}: not a database that can be opened", hint="check --db: it names the DuckDB file of tieraudit"
    )
    # DuckDB would open a JSON, CSV or Parquet file as data and keep what is written in memory, silently.
    if path.exists() and not _is_database(path):
        raise not_ours
    mask = os.umask(0o077)
    try:
        return duckdb.connect(str(path))
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise StoreError(
                f"{path}: in use by another process",
                hint="wait until the other tieraudit has ended, or use another --db",
            ) from error
        raise not_ours from error
    finally:
        os.umask(mask)


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(12)[8:] == b"DUCK"
    except OSError:
        return False


def _bound(query: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    wanted = set(query_parameters(query))
    if wanted != set(parameters):
        raise TypeError(f"query {query} takes {sorted(wanted)}, not {sorted(parameters)}")
    return dict(parameters)


def _values(column: pa.ChunkedArray, kind: str) -> list[Any]:
    """A column of a result as the Python values that DuckDB's fetch would give."""
    if kind == ZONED:
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        moments = column.cast(pa.int64()).to_pylist()
        return [None if us is None else epoch + timedelta(microseconds=us) for us in moments]
    values: list[Any] = column.to_pylist()
    convert = {"UUID": UUID, "HUGEINT": int}.get(kind)
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _identifier(name: str) -> str:
    if not name.replace("_", "").isalnum():
        raise ValueError(f"not a table name: {name!r}")
    return name


@cache
def _query(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


@cache
def _migrations() -> list[tuple[str, str]]:
    found = sorted(item.name for item in MIGRATIONS.iterdir() if item.name.endswith(".sql"))
    return [(name, (MIGRATIONS / name).read_text(encoding="utf-8")) for name in found]
