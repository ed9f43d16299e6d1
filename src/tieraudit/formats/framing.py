"""The bytes of a log as records with their place: JSON lines, array or documents, CSV, Parquet; plain, .gz or .zst.

One record is in memory at a time. A record that cannot be read is handed on as `Broken`, and the next one is tried;
only a file that is no log at all raises.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
import pyarrow as pa

from tieraudit.errors import InputError
from tieraudit.formats.rows import Block, Broken, Line, Raw, Row, taken_apart
from tieraudit.formats.tables import csv_rows, is_csv, parquet_rows

__all__ = ["Block", "Broken", "Line", "Raw", "Row", "parsed", "read_raw", "read_rows", "read_stream"]

MOST_BYTES = 64 * 2**20
MOST_DEPTH = 200_000
CHUNK = 2**20
BLOCK = 4 * 2**20
HEAD = 2**16
BOM = b"\xef\xbb\xbf"
ZSTD = b"\x28\xb5\x2f\xfd"
PARQUET = b"PAR1"
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, pa.ArrowException)
EXCERPT = 300
STRUCTURE = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\]]', re.S)
FOREIGN = (
    (b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
    (b"PK\x03\x04", "a zip archive", "unzip it first"),
    (b"BZh", "bzip2 data", "decompress it first: bunzip2"),
)


def read_rows(path: Path) -> Iterator[Row | Broken]:
    """The records of ``path`` in order; raises `InputError` when it cannot be opened, is empty or holds no log."""
    return read_stream(str(path), cast(Callable[[], BinaryIO], partial(path.open, "rb", buffering=0)))


def read_stream(name: str, opened: Callable[[], BinaryIO]) -> Iterator[Row | Broken]:
    """The records of what ``opened`` gives, which is called once; ``name`` stands in messages. As `read_rows`."""
    return map(parsed, taken_apart(read_raw(name, opened)))


def parsed(raw: Row | Broken | Line) -> Row | Broken:
    """``raw`` with its JSON decoded; for lines that another process decodes, see `read_raw`."""
    if not isinstance(raw, Line):
        return raw
    if len(raw.data) > MOST_BYTES:
        return Broken(raw.line, "longer than 64 MB", _excerpt(raw.data))
    row = _parsed(raw.line, raw.data)
    if isinstance(row, Broken) and not raw.whole and row.reason == "not valid JSON":
        return Broken(raw.line, "cut off: the last line is not complete", row.excerpt)
    return row


def read_raw(name: str, opened: Callable[[], BinaryIO]) -> Iterator[Raw]:
    """As `read_stream`, but JSON lines are left as they are, in blocks: decoding is most of the work."""
    try:
        with opened() as raw:
            stream = io.BufferedReader(cast(Any, raw), CHUNK)
            if stream.peek(4)[:4] == PARQUET:
                yield from _table(stream, name)
            else:
                yield from _rows(_decompressed(stream, name), name)
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror or error})", hint="check the path") from error


def _table(stream: io.BufferedReader, name: str) -> Iterator[Row | Broken]:
    if not stream.seekable():
        raise InputError(f"{name}: a Parquet file cannot be read from a pipe", hint="give its path")
    yield from parquet_rows(stream, name)


def _decompressed(raw: io.BufferedReader, name: str) -> io.BufferedReader:
    magic = raw.peek(4)[:4]
    if magic[:2] == b"\x1f\x8b":
        unpacked: Any = gzip.GzipFile(fileobj=raw)
    elif magic == ZSTD:
        unpacked = pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")
    else:
        return raw
    stream = io.BufferedReader(unpacked, CHUNK)
    if _peeked(stream, 4, name)[:4] == PARQUET:
        raise InputError(f"{name}: a Parquet file inside compressed data", hint="decompress it first")
    return stream


def _rows(stream: io.BufferedReader, name: str) -> Iterator[Raw]:
    line = 0
    try:
        head = stream.peek(HEAD).removeprefix(BOM).lstrip()
        for row in _frame(head, name)(stream):
            line = row.line + (row.data.count(b"\n") - 1 if isinstance(row, Block) else 0)
            yield row
    except (*DAMAGED, _Damaged) as error:
        whole = error.args[0] if isinstance(error, _Damaged) else b""
        if whole:
            yield Block(line + 1, whole)
            line += whole.count(b"\n")
        if line == 0:
            raise InputError(
                f"{name}: the compressed data is cut off or damaged", hint="copy the file again"
            ) from error
        yield Broken(line + 1, "the compressed data is cut off or damaged here")


def _peeked(stream: io.BufferedReader, size: int, name: str) -> bytes:
    try:
        return stream.peek(size)
    except DAMAGED as error:
        raise InputError(f"{name}: the compressed data is cut off or damaged", hint="copy the file again") from error


def _frame(head: bytes, name: str) -> Callable[[io.BufferedReader], Iterator[Raw]]:
    """How a stream that begins with ``head`` is cut into records; raises `InputError` when it is no log."""
    if not head:
        raise InputError(f"{name}: the file is empty", hint="check the export; nothing was written to it")
    for magic, kind, cure in FOREIGN:
        if head.startswith(magic):
            raise InputError(f"{name}: {kind}, not a log", hint=cure)
    if head[:1] == b"[" or _is_document(head):
        return _values
    if head[:1] == b"{" or any(isinstance(_parsed(1, part), Row) for part in head.split(b"\n")[:50]):
        return _lines
    if is_csv(head):
        return cast(Callable[[io.BufferedReader], Iterator[Raw]], csv_rows)
    start = head[:40].decode("utf-8", "replace").split("\n")[0]
    raise InputError(
        f"{name}: not a log: it holds neither JSON nor a table (it begins with {start!r})",
        hint="logs are JSON, CSV or Parquet, plain, .gz or .zst; `tieraudit ingest --help` lists the formats",
    )


def _is_document(head: bytes) -> bool:
    """True for JSON spread over lines: the first line is not complete, and the second goes on inside it."""
    first, newline, rest = head.partition(b"\n")
    if head[:1] != b"{" or not newline or isinstance(_parsed(1, first), Row):
        return False
    following = rest.lstrip(b"\r\n")
    return following[:1] in (b" ", b"\t", b'"', b"}", b"]")


def _lines(stream: io.BufferedReader) -> Iterator[Raw]:
    """Blocks of whole lines; a line that is too long is told and passed over."""
    number, rest = 1, b""
    while chunk := _next_chunk(stream, rest):
        rest = (rest + chunk).removeprefix(BOM) if number == 1 else rest + chunk
        end = rest.rfind(b"\n") + 1
        if len(rest) - end > MOST_BYTES:
            yield Block(number, rest[:end])
            number += rest.count(b"\n", 0, end)
            yield Broken(number, "longer than 64 MB", _excerpt(rest[end:]))
            number, rest = number + 1, _after_line(stream)
        elif len(rest) >= BLOCK and end:
            yield Block(number, rest[:end])
            number, rest = number + rest.count(b"\n", 0, end), rest[end:]
    if rest:
        yield Block(number, rest)


def _next_chunk(stream: io.BufferedReader, rest: bytes) -> bytes:
    """More of the stream; on damaged data the exception carries the whole lines that came before it."""
    try:
        return stream.read1(CHUNK)
    except DAMAGED as error:
        raise _Damaged(rest[: rest.rfind(b"\n") + 1]) from error


class _Damaged(Exception):
    """Compressed data ends or breaks; ``args[0]`` is what of the last block was whole."""


def _after_line(stream: io.BufferedReader) -> bytes:
    """What follows the next line break."""
    while chunk := stream.read1(CHUNK):
        end = chunk.find(b"\n") + 1
        if end:
            return chunk[end:]
    return b""


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
                if self.over:
                    return
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
            if self._depth > MOST_DEPTH:
                yield self._broken("nested too deeply; what follows it is not read", self._buffer[self._start : end])
                self.over = True
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
