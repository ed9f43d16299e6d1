"""Short answers: numbers by value and unit, dates by day, identifiers exactly, other text nearly."""

from __future__ import annotations

from rapidfuzz import fuzz

from tieraudit.domain import Score
from tieraudit.scorers.base import Context
from tieraudit.scorers.gates import decided
from tieraudit.scorers.quantities import parse_date, parse_quantity, quantities_equal
from tieraudit.scorers.text import plain, same_facts

SIMILAR = 95.0


class ShortAnswerScorer:
    """For a value or a phrase: 1 or 0. Use ``label`` where the answers come from a list, ``judge`` for prose."""

    name = "short-answer"
    version = 1
    lowest = 0.0

    def score(self, context: Context) -> Score:
        """1.0 or 0.0; raises ValueError when neither answer has text."""
        early = decided(self, context)
        if early is not None:
            return early
        if context.reference.text is None and context.answer.text is None:
            raise ValueError("neither answer has text")
        same, how = compare(plain(context.reference.text or ""), plain(context.answer.text or ""))
        return Score(1.0 if same else 0.0, self.name, self.version, how)


def compare(wanted: str, got: str) -> tuple[bool, str]:
    """Whether two undressed answers mean the same, and by which rule that was found."""
    if wanted == got:
        return True, "equal"
    one, other = parse_quantity(wanted), parse_quantity(got)
    if one is not None and other is not None:
        return quantities_equal(one, other), "compared as numbers"
    day, other_day = parse_date(wanted), parse_date(got)
    if day is not None and other_day is not None:
        return day == other_day, "compared as dates"
    if not same_facts(wanted, got):
        return False, "a number, an identifier or a negation differs"
    likeness = fuzz.ratio(wanted.casefold(), got.casefold())
    return likeness >= SIMILAR, f"{likeness:.0f} % alike"
