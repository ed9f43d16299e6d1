"""A live PostgreSQL table of LiteLLM or Langfuse as the rows of a log, read in one snapshot and never written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

from tieraudit.errors import InputError
from tieraudit.formats.rows import Row
from tieraudit.redaction import scrub_secrets

INSTALL = "pip install 'tieraudit[postgres]'"
ROWS_AT_ONCE = 500
# The tables that hold calls, in the order in which they are looked for, with those that say more of them.
TABLES = {"LiteLLM_SpendLogs": (), "observations": ("traces",)}
# Counts that Langfuse keeps in columns of their own, by the names of its exports.
COUNTS = {"prompt_tokens": "input", "completion_tokens": "output", "total_tokens": "total"}
FIND = "SELECT table_schema FROM information_schema.tables WHERE table_name = %s ORDER BY table_schema = 'public' DESC"


def database_rows(address: str) -> Iterator[Row]:
    """The rows of the first of `TABLES` in the database at ``address``; raises `InputError`.

    Times are ISO text, JSON columns are decoded. The password never reaches a message.
    """
    try:
        psycopg: Any = import_module("psycopg")
    except ImportError as error:
        raise InputError("reading from PostgreSQL needs the package psycopg", hint=INSTALL) from error
    try:
        with psycopg.connect(address, connect_timeout=10) as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield from _rows(psycopg, connection)
    except psycopg.Error as error:
        said = scrub_secrets(str(error).strip().split("\n")[0])
        raise InputError(f"the database cannot be read ({said})", hint="check the connection string") from error


def _rows(psycopg: Any, connection: Any) -> Iterator[Row]:
    for table, beside in TABLES.items():
        if (schema := _schema(connection, table)) is None:
            continue
        number = 0
        for name in (table, *beside):
            if _schema(connection, name) is None:
                continue
            query = psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(schema, name))
            # A cursor with a name stays on the server, so a table of any size fits.
            with connection.cursor(name="tieraudit", row_factory=psycopg.rows.dict_row) as cursor:
                cursor.itersize = ROWS_AT_ONCE
                cursor.execute(query)
                for record in cursor:
                    number += 1
                    plain = {key: _plain(value) for key, value in record.items() if value is not None}
                    yield Row(number, _as_exported(plain) if name == "observations" else plain)
        return
    raise InputError(
        f"the database has no table {' or '.join(TABLES)}", hint="name the database that LiteLLM or Langfuse writes to"
    )


def _schema(connection: Any, table: str) -> str | None:
    found = connection.execute(FIND, (table,)).fetchone()
    return str(found[0]) if found else None


def _as_exported(row: dict[str, Any]) -> dict[str, Any]:
    """A row of Langfuse's table with the names of its exports (schema.prisma of langfuse 2)."""
    usage = {name: row[column] for column, name in COUNTS.items() if row.get(column)}
    cost = row.get("total_cost") or row.get("calculated_total_cost")
    return {**row, **({"usage_details": usage} if usage else {}), **({"total_cost": cost} if cost else {})}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, str | int | float | list | dict) else str(value)
