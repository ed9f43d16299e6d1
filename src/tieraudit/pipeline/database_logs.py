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
# The tables that hold calls, in the order in which they are looked for.
TABLES = ("LiteLLM_SpendLogs", "observations")
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
    for table in TABLES:
        schemas = connection.execute(FIND, (table,)).fetchall()
        if not schemas:
            continue
        query = psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier(schemas[0][0], table))
        # A cursor with a name stays on the server, so a table of any size fits.
        with connection.cursor(name="tieraudit", row_factory=psycopg.rows.dict_row) as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(query)
            for number, record in enumerate(cursor, start=1):
                yield Row(number, {key: _plain(value) for key, value in record.items() if value is not None})
        return
    raise InputError(
        f"the database has no table {' or '.join(TABLES)}", hint="name the database that LiteLLM or Langfuse writes to"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, str | int | float | list | dict) else str(value)
