"""What became of the rows of one file, counted while it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tieraudit.domain import Quarantined

# Rows that are read well and are no calls: traces hold other kinds of observation too.
NOT_A_CALL = ("not an LLM call", "a health check")


@dataclass(slots=True)
class FileCounts:
    """What became of the rows of one file; ``rows_read`` leaves out rows outside --since and --until."""

    file: str
    format: str
    rows_kept: int = 0
    rows_duplicate: int = 0
    rows_quarantined: int = 0
    rows_parts: int = 0
    rows_outside: int = 0
    filled: int = 0
    feedback: int = 0
    billed: int = 0
    joined: bool = False
    unreadable: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def rows_read(self) -> int:
        """Every row that was counted, one way or another."""
        return self.rows_kept + self.rows_duplicate + self.rows_quarantined + self.rows_parts

    def add_calls(self, *, kept: int, duplicate: int, filled: int) -> None:
        """Count a batch of calls."""
        self.rows_kept += kept
        self.rows_duplicate += duplicate
        self.filled += filled

    def add_quarantined(self, rows: Iterable[Quarantined]) -> None:
        """Count rows that could not become calls, with the first example of each reason."""
        for row in rows:
            self.rows_quarantined += 1
            self.unreadable += not row.reason.startswith(NOT_A_CALL)
            self.reasons[row.reason] += 1
            self.examples.setdefault(row.reason, f"{row.source_file}:{row.source_line}")

    def worst(self) -> tuple[str, str]:
        """The most frequent reason and its first example."""
        reason = self.reasons.most_common(1)[0][0]
        return reason, self.examples[reason]
