"""What a command line may name: files, folders, patterns, a pipe, addresses; and where side files may stand."""

from __future__ import annotations

import functools
import http.server
import io
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tieraudit.errors import InputError, Rejected
from tieraudit.pipeline.ingest import ingest
from tieraudit.pipeline.side_files import side_file
from tieraudit.pipeline.sources import find_sources
from tieraudit.store import Store

LOGS = Path(__file__).resolve().parents[1] / "fixtures" / "logs"
PAIRS = LOGS / "openai-pairs.jsonl"


def names(*given: Path | str) -> list[str]:
    return [Path(source.name).name for source in find_sources(given).sources]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.jsonl", "a.json", "deep/c.csv", "deep/d.parquet", "e.jsonl.gz", "f.zst", "notes.md"):
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return tmp_path / "logs"


def test_a_folder_is_walked_in_order_and_what_is_no_log_by_name_is_told(folder: Path) -> None:
    found = find_sources([folder])
    read = [str(Path(source.name).relative_to(folder)) for source in found.sources]
    assert read == ["a.json", "b.jsonl", "deep/c.csv", "deep/d.parquet", "e.jsonl.gz", "f.zst"]
    assert [path.name for path in found.skipped] == ["notes.md"]


def test_a_pattern_may_cross_folders(folder: Path) -> None:
    assert names(f"{folder}/**/*.csv", f"{folder}/*.json*") == ["c.csv", "a.json", "b.jsonl", "e.jsonl.gz"]


def test_a_pattern_without_a_file_says_so(folder: Path) -> None:
    (error,) = find_sources([f"{folder}/*.xml"]).failed
    assert (error.message, error.hint) == (
        f"{folder}/*.xml: there is no such file or directory",
        "no file fits the pattern",
    )


def test_a_file_that_is_named_twice_is_read_once(folder: Path) -> None:
    assert names(folder / "a.json", folder, folder / "deep" / ".." / "a.json").count("a.json") == 1


def test_side_files_and_manifests_are_no_logs(tmp_path: Path) -> None:
    for name in ("log.json.gz", "data/abc_input.json.gz", "data/abc_output.json", "manifests/run.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"{}")
    assert names(tmp_path) == ["log.json.gz"]


def test_a_pipe_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe(io.TextIOWrapper):
        pass

    monkeypatch.setattr(sys, "stdin", Pipe(io.BytesIO(PAIRS.read_bytes())))
    with Store(None) as store, Store(None) as other:
        piped, plain = ingest(store, ["-"]), ingest(other, [PAIRS])
    assert piped.rows_kept == plain.rows_kept > 0
    assert piped.files == ("standard input",)


def test_parquet_from_a_pipe_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Unseekable(b"PAR1" + bytes(80))))
    with pytest.raises(InputError, match="cannot be read from a pipe"):
        ingest(Store(None), ["-"])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A folder behind a real web server, as an object store shows it."""
    (tmp_path / "log.jsonl").write_bytes(PAIRS.read_bytes())
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_address_is_read_through_fsspec(served: str) -> None:
    with Store(None) as store:
        assert ingest(store, [f"{served}/log.jsonl"]).rows_kept > 0


def test_an_address_that_is_not_there_is_an_input_error(served: str) -> None:
    with pytest.raises(InputError) as caught:
        ingest(Store(None), [f"{served}/absent.jsonl"])
    assert "absent.jsonl" in caught.value.message


def test_an_address_of_an_object_store_is_read(tmp_path: Path) -> None:
    import fsspec

    with fsspec.open("memory://bucket/day/log.jsonl", "wb") as file:
        file.write(PAIRS.read_bytes())
    with Store(None) as store:
        assert ingest(store, ["memory://bucket/*/log.jsonl"]).rows_kept > 0


def test_without_the_package_an_address_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(InputError) as caught:
        ingest(Store(None), ["s3://bucket/log.jsonl"])
    assert "tieraudit[cloud]" in caught.value.hint


def test_a_password_is_in_no_name() -> None:
    (source,) = find_sources(["postgresql://reader:hunter2@db.example/litellm?sslmode=require"]).sources
    assert source.name == "postgresql://reader@db.example/litellm"


def test_a_side_file_is_found_below_the_folder_of_its_log(tmp_path: Path) -> None:
    path = tmp_path / "2026" / "data" / "r1_input.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"messages": []}))
    assert side_file(tmp_path, "s3://bucket/prefix/2026/data/r1_input.json") == {"messages": []}
    assert side_file(tmp_path / "2026", "s3://bucket/elsewhere/r1_input.json") == {"messages": []}
    assert side_file(tmp_path, "s3://bucket/prefix/absent.json") is None
    assert side_file(None, "s3://bucket/prefix/2026/data/r1_input.json") is None


@pytest.mark.parametrize("reference", ["../secret.json", "s3://bucket/../../secret.json", "data/../../secret.json", ""])
def test_a_side_file_outside_the_folder_is_refused(tmp_path: Path, reference: str) -> None:
    (tmp_path / "secret.json").write_text('{"password": "x"}')
    (tmp_path / "logs").mkdir()
    with pytest.raises(Rejected, match="outside the folder"):
        side_file(tmp_path / "logs", reference)


def test_a_link_out_of_the_folder_and_an_absolute_path_lead_nowhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text('{"password": "x"}')
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "link.json").symlink_to(secret)
    with pytest.raises(Rejected, match="outside the folder"):
        side_file(logs, "s3://bucket/link.json")
    assert side_file(logs, str(secret)) is None


@pytest.mark.parametrize("data", [b"not json", b"\x1f\x8b\x08\x00rubbish", b"[" * 100_000], ids=["text", "gz", "deep"])
def test_a_side_file_that_cannot_be_read_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(Rejected, match="cannot be read"):
        side_file(tmp_path, "a.json")
