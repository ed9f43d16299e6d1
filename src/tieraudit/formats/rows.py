"""What framing gives: a record with its place, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tieraudit.domain import JsonObject


@dataclass(frozen=True, slots=True)
class Row:
    """A record and its line (for arrays, documents and tables: its number), from 1."""

    line: int
    record: JsonObject


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot be read, with why and its beginning."""

    line: int
    reason: str
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of JSON that is not decoded yet; ``whole`` is False for a last line without its line break."""

    line: int
    data: bytes
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Block:
    """Many lines of JSON, not yet taken apart; ``line`` is the number of the first. Only the last may be incomplete."""

    line: int
    data: bytes

    def lines(self) -> Iterator[Line]:
        """The lines that hold something, one by one."""
        *whole, last = self.data.split(b"\n")
        number = self.line
        for data in whole:
            if stripped := data.strip():
                yield Line(number, stripped)
            number += 1
        if stripped := last.strip():
            yield Line(number, stripped, whole=False)


Raw = Row | Broken | Line | Block


def taken_apart(rows: Iterable[Raw]) -> Iterator[Row | Broken | Line]:
    """``rows`` with the lines of every block one by one."""
    for raw in rows:
        if isinstance(raw, Block):
            yield from raw.lines()
        else:
            yield raw
