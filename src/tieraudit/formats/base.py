"""What a log format is: it knows its own records and turns each into calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from tieraudit.domain import Call, Quarantined


@dataclass(frozen=True, slots=True)
class Where:
    """Where a record stands: file and line (1-based; for a JSON array or document, the element's number)."""

    file: str
    line: int


class Format(Protocol):
    """One export format. Framing (plain or .gz, JSONL, JSON array, one JSON document) is done before: a format sees
    decoded records, one at a time, and never holds a file.
    """

    name: str
    title: str

    def matches(self, record: dict[str, Any]) -> float:
        """How surely ``record`` is of this format, in [0, 1]; 0 when it cannot be."""

    def calls(self, record: dict[str, Any], where: Where) -> Iterable[Call | Quarantined]:
        """The calls of one record, each row of it counted: a row that is no LLM call comes as `Quarantined`.

        Raises `Rejected` when the record as a whole is not a call.
        """
