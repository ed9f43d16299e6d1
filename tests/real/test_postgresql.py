"""A live table of LiteLLM in a real PostgreSQL, and its CSV dump, bring the calls that the export as JSON brings."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieraudit.errors import InputError
from tieraudit.formats.framing import read_rows
from tieraudit.formats.rows import Row
from tieraudit.pipeline.ingest import ingest
from tieraudit.store import Store

pytestmark = pytest.mark.postgres

SPEND = Path(__file__).resolve().parents[1] / "fixtures" / "logs" / "litellm-spend.jsonl"
PASSWORD = "correct horse"
TYPES = {
    "startTime": "timestamp", "endTime": "timestamp", "completionStartTime": "timestamp", "spend": "double precision",
    "total_tokens": "integer", "prompt_tokens": "integer", "completion_tokens": "integer",
    "request_duration_ms": "integer", "metadata": "jsonb", "request_tags": "jsonb", "messages": "jsonb",
    "response": "jsonb", "proxy_server_request": "jsonb",
}  # fmt: skip


def programs() -> Path | None:
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else Path(found).parent if found else None


class Server:
    """A PostgreSQL of the test's own: it will not run as root, so root hands it to its own user."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder, self.binaries = folder, binaries
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"postgresql://reader:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *arguments: str) -> None:
        user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        command = [str(self.binaries / program), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, cwd=self.folder, **user)  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            for path in (self.folder, secret):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        data = str(self.folder / "data")
        self.run("initdb", "-D", data, "-U", "reader", "--pwfile", str(secret), "-A", "scram-sha-256", "-E", "UTF8")
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.run("pg_ctl", "-D", data, "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    binaries = programs()
    if binaries is None:
        pytest.skip("no PostgreSQL here: .ci/install-postgresql")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        running = Server(Path(folder), binaries)
        running.start()
        yield running
        running.stop()


@pytest.fixture(scope="module")
def table(server: Server) -> Server:
    """The rows of the fixture in a table such as LiteLLM's own migrations make."""
    import psycopg
    from psycopg import sql

    records = [row.record for row in read_rows(SPEND) if isinstance(row, Row)]
    columns = list(dict.fromkeys(key for record in records for key in record))
    kinds = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(TYPES.get(name, "text"))) for name in columns
    )
    with psycopg.connect(server.address) as connection:
        connection.execute(sql.SQL('CREATE TABLE "LiteLLM_SpendLogs" ({})').format(kinds))
        for record in records:
            names = sql.SQL(", ").join(map(sql.Identifier, record))
            places = sql.SQL(", ").join(sql.Placeholder() * len(record))
            insert = sql.SQL('INSERT INTO "LiteLLM_SpendLogs" ({}) VALUES ({})').format(names, places)
            connection.execute(insert, [value_of(name, value) for name, value in record.items()])
    return server


def value_of(name: str, value: Any) -> Any:
    if TYPES.get(name) == "jsonb":
        return value if isinstance(value, str) else json.dumps(value)
    return None if value == "" and TYPES.get(name) == "timestamp" else value


@pytest.fixture(scope="module")
def langfuse(server: Server) -> str:
    """A database with the two tables of Langfuse that hold calls, columns as its migrations make them."""
    import psycopg

    with psycopg.connect(server.address, autocommit=True) as connection:
        connection.execute("CREATE DATABASE langfuse")
    address = server.address.replace("/postgres", "/langfuse")
    columns = (
        "id text, trace_id text, project_id text, type text, start_time timestamp, end_time timestamp, name text,"
        ' parent_observation_id text, level text, status_message text, model text, "modelParameters" jsonb,'
        " input jsonb, output jsonb, prompt_tokens int, completion_tokens int, total_tokens int,"
        " calculated_total_cost numeric, completion_start_time timestamp"
    )
    chain = {"id": "o1", "type": "SPAN", "name": "chain", "end_time": "2026-11-01 08:00:03"}
    call = {
        "id": "o2",
        "type": "GENERATION",
        "name": "sort mail",
        "parent_observation_id": "o1",
        "end_time": "2026-11-01 08:00:02",
        "model": "gpt-4o-mini",
        "modelParameters": '{"temperature": 0}',
        "input": '[{"role": "user", "content": "My invoice is wrong"}]',
        "output": '{"role": "assistant", "content": "billing"}',
        "prompt_tokens": 20,
        "completion_tokens": 5,
        "total_tokens": 25,
        "calculated_total_cost": "0.000006",
    }
    with psycopg.connect(address) as connection:
        connection.execute(f"CREATE TABLE observations ({columns})")
        connection.execute(
            "CREATE TABLE traces (id text, timestamp timestamp, name text, project_id text, user_id text,"
            " session_id text, tags text[], bookmarked boolean, public boolean)"
        )
        for row in (chain, call):
            row |= {"trace_id": "t1", "project_id": "p", "start_time": "2026-11-01 08:00:01", "level": "DEFAULT"}
            names = ", ".join(f'"{name}"' for name in row)
            places = ", ".join(["%s"] * len(row))
            connection.execute(f"INSERT INTO observations ({names}) VALUES ({places})", list(row.values()))
        connection.execute(
            "INSERT INTO traces VALUES ('t1', '2026-11-01 08:00:00', 'mail', 'p', 'customer-17', 's1', ARRAY['shop'],"
            " false, false)"
        )
    return address


def read(*paths: Path | str) -> tuple[list[Any], int]:
    """The calls, their bodies decoded: jsonb keeps no order of keys."""
    query = (
        "SELECT call_id::VARCHAR, request, response, content_state, cost_usd, input_tokens, error_type, tags"
        " FROM calls ORDER BY call_id"
    )
    with Store(None) as store:
        receipt = ingest(store, paths)
        rows = store._connection.execute(query).fetchall()
    decoded = [(row[0], *(text and json.loads(text) for text in row[1:3]), *row[3:]) for row in rows]
    return decoded, receipt.rows_kept


def test_the_live_table_brings_the_calls_of_the_export(table: Server) -> None:
    assert read(table.address) == read(SPEND)


def test_a_csv_dump_of_the_table_brings_them_too(table: Server, tmp_path: Path) -> None:
    import psycopg

    dump = tmp_path / "dump.csv"
    query = 'COPY "LiteLLM_SpendLogs" TO STDOUT WITH (FORMAT csv, HEADER)'
    with psycopg.connect(table.address) as connection, connection.cursor().copy(query) as copied:
        dump.write_bytes(b"".join(copied))
    assert read(dump) == read(SPEND)


def test_a_parquet_copy_of_the_table_brings_them_too(table: Server, tmp_path: Path) -> None:
    import psycopg
    import pyarrow as pa
    import pyarrow.parquet as pq

    with psycopg.connect(table.address) as connection:
        cursor = connection.execute('SELECT * FROM "LiteLLM_SpendLogs"')
        names = [column.name for column in cursor.description or ()]
        rows = [
            {
                name: json.dumps(value) if isinstance(value, dict | list) else value
                for name, value in zip(names, row, strict=True)
            }
            for row in cursor
        ]
    copy = tmp_path / "dump.parquet"
    pq.write_table(pa.Table.from_pylist(rows), copy)
    assert read(copy) == read(SPEND)


def test_the_live_tables_of_langfuse_are_joined(langfuse: str) -> None:
    with Store(None) as store:
        receipt = ingest(store, [langfuse])
        query = (
            "SELECT request, response, cost_usd, input_tokens, user_id, conversation_id, tags, content_state FROM calls"
        )
        (call,) = store._connection.execute(query).fetchall()
    assert receipt.rows_kept == 1
    assert [item.reason for item in receipt.quarantine] == ["not an LLM call: SPAN"]
    assert json.loads(call[0]) == {
        "messages": [{"role": "user", "content": "My invoice is wrong"}], "temperature": 0,
    }  # fmt: skip
    assert json.loads(call[1])["text"] == "billing"
    assert (call[2], *call[3:]) == (Decimal("0.000006"), 20, "customer-17", "s1", ["shop"], "full")


def test_reading_changes_nothing_and_sees_one_moment(table: Server) -> None:
    import psycopg

    read(table.address)
    with psycopg.connect(table.address) as connection:
        row = connection.execute("SELECT sum(n_tup_upd + n_tup_del) FROM pg_stat_user_tables").fetchone()
    assert row is not None and row[0] == 0


def test_a_wrong_password_is_an_error_without_it(table: Server) -> None:
    with pytest.raises(InputError) as caught:
        ingest(Store(None), [table.address.replace("correct", "wrong-guess")])
    assert "wrong-guess" not in f"{caught.value.message} {caught.value.hint}"
    assert "connection string" in caught.value.hint


def test_a_database_without_such_tables_says_what_it_looked_for(server: Server) -> None:
    import psycopg

    with psycopg.connect(server.address, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty")
    with pytest.raises(InputError, match="no table LiteLLM_SpendLogs or observations"):
        ingest(Store(None), [server.address.replace("/postgres", "/empty")])
