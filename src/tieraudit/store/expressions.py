"""SQL expressions over single records, for mappings of a user's own; nothing of the store can be seen from them."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import duckdb

from tieraudit.errors import ConfigError

HINT = "record is the JSON of one row: record->>'$.a.b', (record->>'$.took')::DOUBLE * 1000"


class Expressions:
    """Expressions over the JSON value ``record``, evaluated in a database of their own without files or network.

    An expression is the user's own, like a query in a shell; the lock keeps it from reading or writing files.
    """

    def __init__(self, expressions: Sequence[str], file: str) -> None:
        """Raises `ConfigError`, which names ``file``, for an expression that DuckDB does not understand."""
        self._connection = duckdb.connect(":memory:")
        self._connection.execute(
            "SET TimeZone = 'UTC'; SET enable_external_access = false; SET lock_configuration = true"
        )
        self._expressions = list(expressions)
        self._width = len(self._expressions)
        for expression in self._expressions:
            self._check(expression, file)
        # TRY: a value that does not fit makes the field empty for that record, and no other.
        columns = ", ".join(f"to_json(TRY(({expression})))::VARCHAR" for expression in self._expressions)
        self._query = f"SELECT {columns} FROM (SELECT unnest($records)::JSON AS record)"

    def __enter__(self) -> Expressions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def values(self, records: Sequence[str]) -> list[tuple[Any, ...]]:
        """For each record, JSON text, the value of each expression as JSON text; None where it has none."""
        try:
            return self._connection.execute(self._query, {"records": list(records)}).fetchall()
        except duckdb.Error:
            if len(records) == 1:
                return [(None,) * self._width]
            return [self.values([record])[0] for record in records]

    def _check(self, expression: str, file: str) -> None:
        try:
            statements = self._connection.extract_statements(
                f"SELECT ({expression}) FROM (SELECT '{{}}'::JSON AS record)"
            )
            if len(statements) != 1:
                raise ConfigError(f"{file}: more than one statement: {expression[:80]}", hint=HINT)
            self._connection.execute(
                f"EXPLAIN SELECT TRY(({expression})) FROM (SELECT '{{}}'::JSON AS record)"
            ).fetchall()
        except duckdb.Error as error:
            said = str(error).split("\n")[0]
            raise ConfigError(f"{file}: {expression[:80]}: {said}", hint=HINT) from error
