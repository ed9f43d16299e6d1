"""Numbers with units, and dates, read from text and compared by value; identifiers are never numbers."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

RELATIVE = 1e-4
"""How far numbers with a fraction may lie apart (METHOD 3.1); whole numbers must be equal."""

PLAIN = re.compile(r"(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+")
ENGLISH = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?|[1-9]\d{0,2}(?:[ '’\u00a0]\d{3})+(?:[.,]\d+)?")
EUROPEAN = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+,\d+|[1-9]\d{0,2}(?:\.\d{3}){2,}|(?:0|[1-9]\d*),(?:\d{1,2}|\d{4,})")
QUANTITY = re.compile(
    r"(?P<before>[$€£¥₹]|[a-z]{3}(?=\s))?\s*(?P<sign>[+\-−]?)\s*(?P<currency>[$€£¥₹])?\s*"
    r"(?P<number>\.?\d[\d.,'’ \u00a0]*?)(?P<power>e[+-]?\d{1,3})?\s*(?P<unit>[^\d\s.,+-][^\d]{0,20}?[23]?)?"
)
UNITS = {
    "$": "usd", "us$": "usd", "dollar": "usd", "dollars": "usd", "us dollars": "usd",
    "€": "eur", "euro": "eur", "euros": "eur", "£": "gbp", "pound sterling": "gbp", "pounds sterling": "gbp",
    "¥": "jpy", "yen": "jpy", "₹": "inr", "rupees": "inr",
    "percent": "%", "per cent": "%", "pct": "%",
    "kilometer": "km", "kilometers": "km", "kilometre": "km", "kilometres": "km",
    "meter": "m", "meters": "m", "metre": "m", "metres": "m",
    "centimeter": "cm", "centimeters": "cm", "centimetre": "cm", "centimetres": "cm",
    "millimeter": "mm", "millimeters": "mm", "millimetre": "mm", "millimetres": "mm",
    "kilogram": "kg", "kilograms": "kg", "kgs": "kg", "gram": "g", "grams": "g",
    "hour": "h", "hours": "h", "hr": "h", "hrs": "h", "minute": "min", "minutes": "min", "mins": "min",
    "second": "s", "seconds": "s", "sec": "s", "secs": "s", "day": "days", "week": "weeks", "month": "months",
    "year": "years", "item": "items", "unit": "units", "liter": "l", "liters": "l", "litre": "l", "litres": "l",
}  # fmt: skip
DATES = (
    "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y", "%d-%b-%Y", "%d-%B-%Y",
    "%A %d %B %Y", "%A %B %d %Y", "%a %d %b %Y", "%a %b %d %Y",
)  # fmt: skip
ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b")

Number = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit ("" for none)."""

    number: Decimal
    unit: str


def numbers_equal(one: Number, other: Number) -> bool:
    """Equal, or within 1e-4 of each other where at least one has a fraction: 10023847 is not 10023848."""
    if one == other:
        return True
    if _whole(one) and _whole(other):
        return False
    try:
        a, b = float(one), float(other)
    except OverflowError:
        return False
    return math.isfinite(a) and math.isfinite(b) and math.isclose(a, b, rel_tol=RELATIVE)


def parse_number(text: str) -> Decimal | None:
    """The number that all of ``text`` is: 1250, 1,250.00, 1.250,00, 3,14; None for anything else.

    A leading zero (00123), more than one point (1.2.3) and the like make an identifier, not a number.
    """
    sign, digits = ("-", text[1:]) if text[:1] in ("-", "−") else ("", text.removeprefix("+"))
    if PLAIN.fullmatch(digits):
        plain = digits
    elif ENGLISH.fullmatch(digits):
        plain = _without_groups(
            digits, decimal="." if "." in digits else "," if re.search(r"[ '’\u00a0]", digits) else ""
        )
    elif EUROPEAN.fullmatch(digits):
        plain = _without_groups(digits, decimal=",")
    else:
        return None
    try:
        return Decimal(sign + plain)
    except InvalidOperation:
        return None


def parse_quantity(text: str) -> Quantity | None:
    """The number and unit that all of ``text`` is ("$1,250.00", "1250 USD", "12 percent"); None for anything else."""
    found = QUANTITY.fullmatch(unicodedata.normalize("NFKC", text).casefold().strip())
    if found is None:
        return None
    number = parse_number(found["sign"] + found["number"].strip())
    marks = [mark.strip(" .") for mark in (found["before"], found["currency"], found["unit"]) if mark]
    if number is None or len(marks) > 1:
        return None
    if found["power"]:
        number = number.scaleb(int(found["power"][1:]))
    unit = marks[0] if marks else ""
    return Quantity(number, UNITS.get(unit, unit))


def quantities_equal(one: Quantity, other: Quantity) -> bool:
    """The same unit and equal numbers; nothing is converted."""
    return one.unit == other.unit and numbers_equal(one.number, other.number)


def parse_date(text: str) -> datetime | None:
    """The day or moment that all of ``text`` is, ISO or with the month's name; None where day and month could swap."""
    candidate = ORDINAL.sub("", text.strip()).replace(",", " ")
    candidate = " ".join(candidate.split())
    if not re.search(r"\d{4}", candidate) or len(candidate) > 40:
        return None
    try:
        return datetime.fromisoformat(candidate)
    except ValueError:
        pass
    for layout in DATES:
        try:
            return datetime.strptime(candidate, layout)
        except ValueError:
            continue
    return None


def _whole(number: Number) -> bool:
    if isinstance(number, int):
        return True
    if isinstance(number, float):
        return number.is_integer()
    return number.is_finite() and number == number.to_integral_value()


def _without_groups(digits: str, *, decimal: str) -> str:
    whole, point, fraction = digits.rpartition(decimal) if decimal and decimal in digits else (digits, "", "")
    return re.sub(r"\D", "", whole) + ("." + fraction if point else "")
