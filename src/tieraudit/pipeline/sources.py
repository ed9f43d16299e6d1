"""What a command line names: files, folders, patterns, standard input, cloud addresses, database tables."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from glob import glob, has_magic
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

from tieraudit.errors import InputError
from tieraudit.formats.framing import read_raw
from tieraudit.formats.rows import Raw
from tieraudit.pipeline.database_logs import database_rows

STDIN = "-"
KINDS = (".json", ".jsonl", ".ndjson", ".csv", ".parquet")
SUFFIXES = (*KINDS, ".gz", ".zst", ".zstd", ".log")
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.I)
DATABASES = ("postgresql://", "postgres://")
# Bodies that a Bedrock log moved out, and the list of a Langfuse export's files: read through the log, if at all.
BESIDE = re.compile(r"_(?:input|output)\.json(?:\.gz)?$")
MANIFEST = "manifests"
# Tables and logs of other kinds lie beside exports.
DOUBTFUL = re.compile(r"\.(?:csv|parquet|log)(?:\.(?:gz|zst|zstd))?$", re.I)
CLOUD = "pip install 'tieraudit[cloud]'"


@dataclass(frozen=True, slots=True)
class Source:
    """One log: ``name`` for messages, ``rows`` to read it once, ``root`` the folder that side files may stand in.

    ``only_by_name``: found in a folder by an ending that other files have too, so that it may be no log.
    """

    name: str
    rows: Callable[[], Iterator[Raw]]
    root: Path | None = None
    only_by_name: bool = False


@dataclass(slots=True)
class Found:
    """The logs that a command line means, the files in a folder that are no logs by name, and what is wrong."""

    sources: list[Source] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failed: list[InputError] = field(default_factory=list)


def find_sources(named: Sequence[Path | str]) -> Found:
    """Files as given; folders walked in order of name for files that are logs by name; patterns; each file once."""
    found, known = Found(), set[Path]()
    for item in map(str, named):
        if item == STDIN:
            found.sources.append(Source("standard input", lambda: read_raw("standard input", _stdin)))
        elif item.startswith(DATABASES):
            found.sources.append(Source(_without_password(item), partial(database_rows, item)))
        elif ADDRESS.match(item):
            _add_cloud(item, found)
        else:
            _add_local(item, found, known)
    return found


def _add_local(item: str, found: Found, known: set[Path]) -> None:
    path = Path(item).expanduser()
    pattern = has_magic(item) and not path.exists()
    paths = [Path(name) for name in sorted(glob(item, recursive=True))] if pattern else []  # noqa: PTH207
    if not paths and not path.exists():
        hint = "no file fits the pattern" if has_magic(item) else "check the path"
        found.failed.append(InputError(f"{item}: there is no such file or directory", hint=hint))
    for one in paths or [path]:
        if one.exists():
            _add_path(one, found, known)


def _add_path(path: Path, found: Found, known: set[Path]) -> None:
    inside = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    chosen = [item for item in inside if item == path or _is_log(item, path)]
    found.skipped += [item for item in inside if item not in set(chosen)]
    if not chosen:
        hint = f"files in a directory are read when they end in {' '.join(SUFFIXES)}; others can be named one by one"
        found.failed.append(InputError(f"{path}: no log files in this directory", hint=hint))
    root = path if path.is_dir() else path.parent
    for item in chosen:
        if item.resolve() not in known:
            known.add(item.resolve())
            opened = cast(Callable[[], BinaryIO], partial(item.open, "rb", buffering=0))
            doubtful = item != path and DOUBTFUL.search(item.name) is not None
            found.sources.append(Source(str(item), partial(read_raw, str(item), opened), root, doubtful))


def _is_log(item: Path, folder: Path) -> bool:
    """By name; side files of a log and lists of files are no logs."""
    parents = item.relative_to(folder).parts[:-1]
    if MANIFEST in parents or ("data" in (*parents, folder.name) and BESIDE.search(item.name)):
        return False
    return item.name.lower().endswith(SUFFIXES)


def _add_cloud(address: str, found: Found) -> None:
    """The files behind an address of S3, GCS, Azure or the web, opened through fsspec."""
    try:
        fsspec = import_module("fsspec")
        files: list[Any] = fsspec.open_files(address, "rb")
    except ImportError as error:
        hint = CLOUD if "fsspec" in str(error) else f"{CLOUD}; {error}"
        found.failed.append(InputError(f"{address}: reading from the cloud needs one more package", hint=hint))
        return
    except (OSError, ValueError) as error:
        found.failed.append(
            InputError(f"{address}: cannot be listed ({error})", hint="check the address and the login")
        )
        return
    if not files:
        found.failed.append(InputError(f"{address}: no file there", hint="name a file, or a pattern such as */*.gz"))
    for item in files:
        name = item.full_name if hasattr(item, "full_name") else str(item.path)
        found.sources.append(Source(name, partial(read_raw, name, partial(_opened, item))))


def _opened(item: Any) -> BinaryIO:
    try:
        return cast(BinaryIO, item.open())
    except OSError:
        raise
    except Exception as error:
        # Every cloud library has exceptions of its own; none of them may reach the user as a traceback.
        raise OSError(str(error)) from error


def _stdin() -> BinaryIO:
    return cast(BinaryIO, sys.stdin.buffer)


def _without_password(address: str) -> str:
    return re.sub(r"(//[^:/@]*):[^@]*@", r"\1@", address).split("?", maxsplit=1)[0]
