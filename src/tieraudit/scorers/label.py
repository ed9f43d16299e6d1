"""Classification: the same label after normalisation, 1 or 0."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from tieraudit.domain import Score
from tieraudit.scorers.base import Context
from tieraudit.scorers.gates import decided
from tieraudit.scorers.text import plain

SEPARATORS = re.compile(r"(?<=[^\W\d_])[_\-](?=[^\W\d_])")


@lru_cache(maxsize=4096)
def normalise(text: str) -> str:
    """The label that ``text`` means, for comparison: NFKC, casefolded, without quotes, markup and closing punctuation.

    A JSON object of one field counts as its value, "Category: billing" as "billing", card_arrival as "card arrival".
    Signs and symbols that tell labels apart (-1, C++, C#) stay. Applying it twice changes nothing.
    """
    current = text
    while True:
        folded = unicodedata.normalize("NFKC", plain(current)).casefold()
        normal = SEPARATORS.sub(" ", unicodedata.normalize("NFKC", folded))
        if normal == current:
            return normal
        current = normal


class LabelScorer:
    """For tasks whose answers are few: 1 for the same label, else 0. For free answers use ``short-answer``."""

    name = "label"
    version = 1
    lowest = 0.0

    def score(self, context: Context) -> Score:
        """1.0 or 0.0; raises ValueError when neither answer has text."""
        early = decided(self, context)
        if early is not None:
            return early
        if context.reference.text is None and context.answer.text is None:
            raise ValueError("neither answer has text")
        wanted, got = normalise(context.reference.text or ""), normalise(context.answer.text or "")
        if wanted == got:
            return Score(1.0, self.name, self.version, f"both {got[:80]!r}")
        unknown = "" if not context.labels or got in context.labels else ", which is no label of this task"
        return Score(0.0, self.name, self.version, f"{got[:80]!r} instead of {wanted[:80]!r}{unknown}")
