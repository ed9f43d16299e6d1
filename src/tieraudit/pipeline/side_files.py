"""Bodies that a log keeps in files of their own: found by name below the folder of the log, never outside it."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from tieraudit.errors import Rejected

MOST_BYTES = 64 * 2**20


def side_file(root: Path | None, reference: str) -> Any:
    """The JSON in the side file that ``reference`` (a path or an object-store address) names.

    It is looked for by the end of the reference below ``root``. None when it is not there; raises `Rejected` when the
    reference, or a link, leads out of ``root``, or when the file is no JSON or larger than 64 MB.
    """
    if root is None:
        return None
    parts = PurePosixPath(reference.split("://", 1)[-1]).parts
    if ".." in parts or not parts:
        raise Rejected("a side file outside the folder of the log")
    folder = root.resolve()
    for first in range(len(parts)):
        path = folder.joinpath(*(part for part in parts[first:] if part != "/"))
        if path.is_file():
            if not path.resolve().is_relative_to(folder):
                raise Rejected("a side file outside the folder of the log")
            return _content(path)
    beside = folder / "data" / parts[-1]
    return _content(beside) if beside.is_file() and beside.resolve().is_relative_to(folder) else None


def _content(path: Path) -> Any:
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream: Any = gzip.GzipFile(fileobj=raw) if packed else raw
            data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise Rejected("a side file of more than 64 MB")
        return msgspec.json.decode(data)
    except (OSError, EOFError, zlib.error, msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Rejected("a side file that cannot be read") from error
