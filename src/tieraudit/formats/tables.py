"""Tables as records: CSV, whose values are all strings, and Parquet, whose values are as in JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tieraudit.errors import InputError
from tieraudit.formats.rows import Broken, Row

MOST_CHARS = 64 * 2**20
ROWS_AT_ONCE = 256
DELIMITERS = ",;\t"
FEWEST_COLUMNS = 2
LONGEST_NAME = 100
MOST_WORDS = 5
EXCERPT = 600


def is_csv(head: bytes) -> bool:
    """True when the first line of ``head`` reads as the header of a table: several short distinct names."""
    line = head.split(b"\n", 1)[0].rstrip(b"\r")
    try:
        names = next(csv.reader([line.decode("utf-8")], delimiter=_delimiter(line)), [])
    except (UnicodeDecodeError, csv.Error):
        return False
    names = [name.strip() for name in names]
    plain = all(0 < len(name) <= LONGEST_NAME and len(name.split()) <= MOST_WORDS for name in names)
    plain = plain and not any(name[0] in "{[<" for name in names)
    return len(names) >= FEWEST_COLUMNS and plain and len(set(names)) == len(names) and not any(map(_number, names))


def csv_rows(stream: BinaryIO) -> Iterator[Row | Broken]:
    """The records of a CSV export, numbered without the header; empty values are left out."""
    csv.field_size_limit(MOST_CHARS)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    header = text.readline()
    reader = csv.reader(text, delimiter=_delimiter(header.encode("utf-8", "surrogateescape")))
    names = [name.strip() for name in next(csv.reader([header.rstrip("\r\n")], delimiter=reader.dialect.delimiter))]
    number = 0
    while True:
        number += 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Broken(number, "longer than 64 MB, or not a CSV row")
            continue
        if not values:
            number -= 1
            continue
        yield _csv_record(number, names, values)


def parquet_rows(source: BinaryIO, name: str) -> Iterator[Row | Broken]:
    """The records of a Parquet file, which must be seekable; times become ISO text, bytes text, maps objects."""
    try:
        file = pq.ParquetFile(source)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{name}: the Parquet data is cut off or damaged", hint="copy the file again") from error
    number = 0
    try:
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            for record in batch.to_pylist(maps_as_pydicts="lossy"):
                number += 1
                yield Row(number, {key: _plain(value) for key, value in record.items() if value is not None})
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        yield Broken(number + 1, "the Parquet data is damaged from here on")


def _csv_record(number: int, names: list[str], values: list[str]) -> Row | Broken:
    if any("\udc80" <= char <= "\udcff" for value in values for char in value if char > "\ud7ff"):
        return Broken(number, "not valid UTF-8")
    if len(values) != len(names):
        return Broken(number, "not as many values as the header has names", ",".join(values)[:EXCERPT])
    return Row(number, {name: value for name, value in zip(names, values, strict=True) if value != ""})


def _delimiter(line: bytes) -> str:
    return max(DELIMITERS, key=lambda mark: line.count(mark.encode()))


def _number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _plain(value: Any) -> Any:
    """``value`` as it would stand in JSON."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return msgspec.to_builtins(value, str_keys=True, order=None)
