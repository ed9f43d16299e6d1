"""What framing gives: a record with its place, or why there is none."""

from __future__ import annotations

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


Raw = Row | Broken | Line
