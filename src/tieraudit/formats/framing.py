"""The bytes of a log file as records with their place: JSON lines, a JSON array, or JSON documents; plain or .gz.

One record is in memory at a time. A record that cannot be read is handed on as `Broken`, and the next one is tried;
only a file that is no log at all raises.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tieraudit.domain import JsonObject
from tieraudit.errors import InputError

MOST_BYTES = 64 * 2**20
CHUNK = 2**20
HEAD = 2**16
BOM = b"\xef\xbb\xbf"
EXCERPT = 300
STRUCTURE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.S)
FOREIGN = (
    (b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
    (b"PK\x03\x04", "a zip archive", "unzip it first"),
    (b"\x28\xb5\x2f\xfd", "zstd data", "decompress it first: zstd -d"),
    (b"BZh", "bzip2 data", "decompress it first: bunzip2"),
    (b"PAR1", "a Parquet file", "export JSON lines"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A record and its line (for arrays and documents: its number), from 1."""

    line: int
    record: JsonObject


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot be read, with why and its beginning."""

    line: int
    reason: str
    excerpt: str = ""


def read_rows(path: Path) -> Iterator[Row | Broken]:
    """The records of ``path`` in order; raises `InputError` when it cannot be opened, is empty or holds no JSON."""
    try:
        with path.open("rb", buffering=0) as raw:
            yield from _rows(_decompressed(io.BufferedReader(raw, CHUNK)), str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})", hint="check the path") from error


def _decompressed(raw: io.BufferedReader) -> io.BufferedReader:
    if raw.peek(2)[:2] != b"\x1f\x8b":
        return raw
    unpacked: Any = gzip.GzipFile(fileobj=raw)
    return io.BufferedReader(unpacked, CHUNK)


def _rows(stream: io.BufferedReader, name: str) -> Iterator[Row | Broken]:
    line = 0
    try:
        head = stream.peek(HEAD).removeprefix(BOM).lstrip()
        _refuse(head, name)
        frame = _values if head[:1] == b"[" or _is_document(head) else _lines
        for row in frame(stream):
            line = row.line
            yield row
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        if line == 0:
            raise InputError(f"{name}: the gzip data is cut off or damaged", hint="copy the file again") from error
        yield Broken(line + 1, "the gzip data is cut off or damaged here")


def _refuse(head: bytes, name: str) -> None:
    if not head:
        raise InputError(f"{name}: the file is empty", hint="check the export; nothing was written to it")
    for magic, kind, cure in FOREIGN:
        if head.startswith(magic):
            raise InputError(f"{name}: {kind}, not a JSON log", hint=cure)
    if head[:1] in b"[{" or any(isinstance(_parsed(1, part), Row) for part in head.split(b"\n")[:50]):
        return
    start = head[:40].decode("utf-8", "replace").split("\n")[0]
    raise InputError(
        f"{name}: not a log: it holds no JSON (it begins with {start!r})",
        hint="logs are JSON lines, a JSON array or a JSON document, plain or .gz; `tieraudit ingest --help` lists them",
    )


def _is_document(head: bytes) -> bool:
    """True for JSON spread over lines: the first line is not complete, and the second goes on inside it."""
    first, newline, rest = head.partition(b"\n")
    if not newline or isinstance(_parsed(1, first), Row):
        return False
    following = rest.lstrip(b"\r\n")
    return following[:1] in (b" ", b"\t", b'"', b"}", b"]")


def _lines(stream: io.BufferedReader) -> Iterator[Row | Broken]:
    number = 0
    while data := stream.readline(MOST_BYTES + 1):
        number += 1
        if len(data) > MOST_BYTES and not data.endswith(b"\n"):
            yield Broken(number, "longer than 64 MB", _excerpt(data))
            while data and not data.endswith(b"\n"):
                data = stream.readline(CHUNK)
            continue
        line = data.removeprefix(BOM).strip() if number == 1 else data.strip()
        if not line:
            continue
        row = _parsed(number, line)
        if isinstance(row, Broken) and not data.endswith(b"\n") and row.reason == "not valid JSON":
            row = Broken(number, "cut off: the last line is not complete", row.excerpt)
        yield row


def _values(stream: io.BufferedReader) -> Iterator[Row | Broken]:
    """The elements of an array, or documents one after the other."""
    splitter = _Splitter()
    while chunk := stream.read(max(CHUNK, splitter.pending)):
        yield from splitter.feed(chunk)
        if splitter.over:
            return
    yield from splitter.end()


class _Splitter:
    """Finds where each value of an array, or each of several documents, begins and ends: by brackets and strings."""

    def __init__(self) -> None:
        self.over = False
        self._buffer = b""
        self._number = 0
        self._array: bool | None = None
        self._depth = 0
        self._start = 0  # of the value that is open, or of the gap before the next one
        self._scanned = 0

    @property
    def pending(self) -> int:
        """Bytes of the value that is open: reading as many more keeps the rescans of a long string few."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> Iterator[Row | Broken]:
        """The values that are complete with ``chunk``."""
        self._buffer += chunk if self._buffer or self._array is not None else chunk.removeprefix(BOM)
        for match in STRUCTURE.finditer(self._buffer, self._scanned):
            token = match.group()
            if token == b'"':
                break
            self._scanned = match.end()
            if token[:1] != b'"':
                yield from self._bracket(token, match.start(), match.end())
        self._buffer = self._buffer[self._start :]
        self._scanned -= self._start
        self._start = 0
        if len(self._buffer) > MOST_BYTES:
            yield self._broken("longer than 64 MB; what follows it is not read", self._buffer)
            self.over = True

    def end(self) -> Iterator[Row | Broken]:
        """What is left when the file ends."""
        if self._depth > 0:
            yield self._broken("cut off: the last record is not complete", self._buffer)
            return
        yield from self._gap(len(self._buffer))
        if self._array:
            yield self._broken("cut off: the array is not closed", b"")

    def _bracket(self, token: bytes, start: int, end: int) -> Iterator[Row | Broken]:
        if self._array is None:
            self._array = token == b"["
            if self._array:
                self._start = end
                return
        if token in b"{[":
            if self._depth == 0:
                yield from self._gap(start)
                self._start = start
            self._depth += 1
        elif self._depth > 0:
            self._depth -= 1
            if self._depth == 0:
                yield self._value(self._buffer[self._start : end])
                self._start = end
        elif self._array and token == b"]":
            yield from self._gap(start)
            self._array, self._start = False, end

    def _value(self, data: bytes) -> Row | Broken:
        if len(data) > MOST_BYTES:
            return self._broken("longer than 64 MB", data)
        self._number += 1
        return _parsed(self._number, data)

    def _gap(self, end: int) -> Iterator[Broken]:
        """Anything but separators between two values is a value that is no object."""
        between = self._buffer[self._start : end].strip(b" \t\r\n,")
        if between:
            yield self._broken("not a JSON object", between)

    def _broken(self, reason: str, data: bytes) -> Broken:
        self._number += 1
        return Broken(self._number, reason, _excerpt(data))


def _parsed(number: int, data: bytes) -> Row | Broken:
    try:
        record = msgspec.json.decode(data)
    except UnicodeDecodeError:
        return Broken(number, "not valid UTF-8", _excerpt(data))
    except RecursionError:
        return Broken(number, "nested too deeply", _excerpt(data))
    except (msgspec.DecodeError, ValueError):
        return Broken(number, "not valid JSON", _excerpt(data))
    if not isinstance(record, dict):
        return Broken(number, "not a JSON object", _excerpt(data))
    return Row(number, record)


def _excerpt(data: bytes) -> str:
    return data[: EXCERPT * 4].decode("utf-8", "replace")[: EXCERPT * 2]
