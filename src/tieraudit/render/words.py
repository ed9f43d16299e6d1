"""The words and numbers that every renderer shares: the same amount and the same sentence in each file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from math import floor, log10

from tieraudit.domain import Recogniser, VerdictKind
from tieraudit.render.hostile import one_line
from tieraudit.render.report import Interval, Period, Report, TaskRow, TierEvidence

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
RECOGNISED_BY = {
    "tag": "the tag",
    "system_sha256": "the system prompt, by its fingerprint",
    "system_regex": "the system prompt, by the pattern",
    "user_regex": "the user's message, by the pattern",
    "tools": "the set of tools",
    "similar": "likeness to past calls, at least",
    "none": "nothing that a router can see",
}


@dataclass(frozen=True, slots=True)
class Usd:
    """Writes dollars with one number of decimals throughout a report, so that columns line up."""

    digits: int

    def __call__(self, amount: Decimal | None) -> str:
        """``$1,234``; an amount too small to show becomes ``<$1``, and None a dash."""
        if amount is None:
            return "–"
        step = Decimal(1).scaleb(-self.digits)
        shown = amount.quantize(step, ROUND_HALF_EVEN)
        if amount and not shown:
            return f"<${step}" if amount > 0 else f">-${step}"
        return f"-${-shown:,}" if shown < 0 else f"${abs(shown):,}"

    def interval(self, found: Interval) -> str:
        """``$1,100 to $1,300``; empty without bounds."""
        return self.between(found.low, found.high)

    def between(self, low: Decimal | None, high: Decimal | None) -> str:
        """``$1,100 to $1,300``; empty without bounds."""
        return "" if low is None or high is None else f"{self(low)} to {self(high)}"


def usd_of(report: Report) -> Usd:
    """Whole dollars for a bill from $1,000 on, cents from $1 on, else hundredths of a cent and less."""
    bill = report.totals.cost_now.value
    return Usd(0 if bill >= 1000 else _digits(bill, 1))


def audit_usd(amount: Decimal) -> str:
    """The cost of the audit: small beside the bill, so it always shows cents, or less than cents."""
    return Usd(_digits(amount, Decimal("0.1")))(amount)


def _digits(amount: Decimal, cents_from: Decimal | int) -> int:
    if amount >= cents_from or not amount:
        return 2
    return 4 if amount >= Decimal("0.001") else 6


def percent(share: float | None, digits: int = 1) -> str:
    """``99.3%``, ``20.0%``, ``100%``; never rounded up to 100 or down to 0 when it is neither, and None is a dash."""
    if share is None:
        return "–"
    shown = f"{share * 100:.{digits}f}"
    if share < 1 and float(shown) >= 100:
        shown = f"{100 - 10**-digits:.{digits}f}"
    if share > 0 and float(shown) == 0:
        return f"<{10**-digits:.{digits}f}%"
    return f"{shown}%" if 0 < share < 1 else f"{share * 100:.0f}%"


def rate(share: float) -> str:
    """``5%``, ``2.5%``: a level that someone chose, with the digits it was chosen with."""
    return f"{share * 100:g}%"


def points(margin: float) -> str:
    """``5 points``: a margin in percentage points."""
    number = f"{margin * 100:.1f}".removesuffix(".0")
    return f"{number} point{'' if number == '1' else 's'}"


def bet(wealth: float) -> str:
    """What a dollar became: ``$0.03``, ``$213``, ``$1.2 million``, ``more than $1 billion``."""
    if wealth >= 1e9:
        return "more than $1 billion"
    if wealth >= 1e6:
        return f"${wealth / 1e6:.1f} million"
    if wealth >= 10:
        return f"${wealth:,.0f}"
    return f"${wealth:.2f}" if wealth >= 0.005 else "less than $0.01"


def milliseconds(value: float | None) -> str:
    """``820 ms``, ``2.3 s``; three digits at most."""
    if value is None:
        return "–"
    if value >= 999.5:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1g} ms"


def rounded(value: float, digits: int = 3) -> float:
    """``value`` with ``digits`` significant digits."""
    return round(value, digits - 1 - floor(log10(abs(value)))) if value else 0.0


def day(moment: datetime) -> str:
    """``24 Oct 2026``, whatever the locale."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def plural(count: int, one: str, many: str = "") -> str:
    """``1 task``, ``1,200 tasks``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def per(report: Report) -> str:
    """``a month``, or ``in this log`` when the log is too short for a month."""
    return "a month" if report.period is Period.MONTH else "in this log"


def task_name(row: TaskRow) -> str:
    """The task's name on one line; its id when it has none."""
    return one_line(row.name, 80) or f"(no name) {one_line(row.task_id, 40)}"


def verdict_word(row: TaskRow) -> str:
    """The word on the badge: a verdict, or ``not tested`` where nothing was replayed."""
    if row.verdict is VerdictKind.UNDECIDED and not row.tested:
        return "not tested"
    return row.verdict.value.replace("_", " ")


def agreement_words(found: TierEvidence | None) -> str:
    """``99.3% (96.1% to 99.9%), n 148``; a dash when nothing was replayed."""
    if found is None or found.agreement is None:
        return "–"
    return f"{percent(found.agreement)} ({agreement_interval(found)}), n {found.n:,}"


def short_interval(found: TierEvidence) -> str:
    """``96.1-99.9%``, for narrow places."""
    return f"{percent(found.agreement_low).removesuffix('%')}-{percent(found.agreement_high)}"


def agreement_interval(found: TierEvidence) -> str:
    """``96.1% to 99.9%``."""
    return f"{percent(found.agreement_low)} to {percent(found.agreement_high)}"


def bet_words(found: TierEvidence) -> str:
    """The evidence as the bet that it is; the threshold is the price of proof in this audit."""
    lead = f"We bet $1 against the claim that {found.tier} is worse than allowed, by {points(found.margin)} or more."
    if not found.n:
        return "No replay could be scored."
    outcome = f"After {plural(found.n, 'replay')} the dollar had become {bet(found.e_value)}"
    if found.verdict is VerdictKind.PROVEN:
        return f"{lead} {outcome}; {bet(found.threshold)} is proof."
    return f"{lead} {outcome}; {bet(found.threshold)} would be proof."


def scorers(row: TaskRow) -> str:
    """The scorers that compared the answers, each once."""
    return ", ".join(dict.fromkeys(found.scorer for found in row.evidence if found.n))


def failed_words(found: TierEvidence) -> str:
    """How many replays gave nothing to compare; empty when all did."""
    if not found.errors:
        return ""
    return (
        f"{plural(found.errors, 'replay')} gave nothing to compare, because the endpoint or the comparison failed, "
        f"and {'counts' if found.errors == 1 else 'count'} for neither side."
    )


def recogniser_words(found: Recogniser | None) -> str:
    """How a router knows the task, with precision and recall on the log."""
    if found is None or found.kind == "none":
        return "Nothing in a request tells this task from others yet, so no router rule is made for it."
    text = f"By {RECOGNISED_BY.get(found.kind, one_line(found.kind, 40))}"
    if found.value is not None:
        values = found.value if isinstance(found.value, list | tuple) else [found.value]
        limit = 13 if found.kind == "system_sha256" else 160
        text += f" {one_line(', '.join(one_line(str(value), limit) for value in values), 160)}"
    if found.precision is None or found.recall is None:
        return text
    return f"{text} (precision {percent(found.precision)}, recall {percent(found.recall)} on the log)"
