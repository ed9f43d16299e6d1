"""Every registered format through the whole ingest: rows accounted for, the same export twice, the halves apart."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from tieraudit.formats import FORMATS
from tieraudit.formats.base import Joining
from tieraudit.pipeline.ingest import IngestOptions, ingest
from tieraudit.store import Store

LOGS = Path(__file__).resolve().parents[1] / "fixtures" / "logs"
NAMES = FORMATS.names()


def fixtures_of(name: str) -> list[Path]:
    return sorted([*LOGS.glob(f"{name}.*"), *LOGS.glob(f"{name}@*.*")])


def counted(store: Store, table: str) -> int:
    ((number,),) = store._connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(number)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_accounted_for(name: str) -> None:
    with Store(None) as store:
        receipt = ingest(store, fixtures_of(name))
        kept = counted(store, "calls"), counted(store, "feedback"), counted(store, "billed")
        assert kept == (receipt.rows_kept, receipt.feedback, receipt.billed)
        assert sum(kept) > 0
        assert counted(store, "quarantine") == receipt.rows_quarantined
        told = receipt.rows_kept + receipt.rows_duplicate + receipt.rows_quarantined + receipt.rows_parts
        assert receipt.rows_read == told
        assert receipt.rows_read > 0
        assert not receipt.failed


@pytest.mark.parametrize("name", NAMES)
def test_the_same_export_twice_changes_nothing(name: str) -> None:
    with Store(None) as store:
        first = ingest(store, fixtures_of(name))
        before = [counted(store, table) for table in ("calls", "feedback", "billed", "fragments", "quarantine")]
        again = ingest(store, fixtures_of(name))
        after = [counted(store, table) for table in ("calls", "feedback", "billed", "fragments", "quarantine")]
    assert after == before
    assert (again.rows_kept, again.filled, again.feedback, again.billed) == (0, 0, 0, 0)
    assert again.rows_read == again.rows_duplicate + again.rows_quarantined + again.rows_parts
    assert first.rows_read >= again.rows_read


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("packed", ["gz", "zst"])
def test_a_compressed_copy_brings_the_same_calls(name: str, packed: str, tmp_path: Path) -> None:
    plain = [path for path in fixtures_of(name) if path.suffix not in (".gz", ".parquet")]
    folder = tmp_path / "logs"
    folder.mkdir()
    for path in plain:
        data = path.read_bytes()
        out = gzip.compress(data) if packed == "gz" else pa.compress(data, codec="zstd", asbytes=True)
        (folder / f"{path.name}.{packed}").write_bytes(out)
    if (LOGS / "beside").is_dir():
        shutil.copytree(LOGS / "beside", folder / "data")
    with Store(None) as store, Store(None) as other:
        ingest(store, plain)
        ingest(other, sorted(folder.glob(f"*.{packed}")))
        assert counted(store, "calls") == counted(other, "calls")
        query = "SELECT DISTINCT call_id::VARCHAR FROM calls ORDER BY 1"
        assert store._connection.execute(query).fetchall() == other._connection.execute(query).fetchall()


@pytest.mark.parametrize("name", [name for name in NAMES if isinstance(FORMATS.get(name), Joining)])
def test_parts_that_come_in_other_runs_make_the_same_calls(name: str, tmp_path: Path) -> None:
    """Each line of a fixture as a file and a run of its own, the last line first."""
    query = "SELECT call_id::VARCHAR, content_state, request, response FROM calls ORDER BY ALL"
    for path in fixtures_of(name):
        lines = path.read_bytes().splitlines() if path.suffix == ".jsonl" else []
        if len(lines) < 2:
            continue
        with Store(None) as whole, Store(None) as apart:
            ingest(whole, [path])
            for number, line in enumerate(reversed(lines)):
                single = tmp_path / f"{path.stem}-{number}.jsonl"
                single.write_bytes(line + b"\n")
                ingest(apart, [single], IngestOptions(format=name))
            assert apart._connection.execute(query).fetchall() == whole._connection.execute(query).fetchall()
