"""One field of a log at a time: times, counts, money, text and JSON inside strings, as the tools write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from tieraudit.domain import JsonObject
from tieraudit.errors import Rejected

NANO = Decimal("0.000000001")
MOST_USD = Decimal(1_000_000_000)
MOST_TOKENS = 10**12
# Epoch numbers in seconds, milliseconds, microseconds and nanoseconds do not overlap between 2000 and 2100.
EARLIEST, LATEST = 946_684_800, 4_102_444_800
# What a caller calls its tasks, in the order in which it is believed.
TASK_KEYS = ("task", "task_name", "feature", "use_case", "usecase", "prompt_name", "template", "workflow", "route")

# An id inside a name: a UUID, or a long hexadecimal number, with what separates it from the name.
IDENTIFIER = re.compile(r"[\s._:/-]*\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|[\s._:/-]*\b[0-9a-f]{16,}\b")


def decoded(value: Any, *, depth: int = 3) -> Any:
    """``value``, or what it holds when it is JSON in a string (in a string, up to ``depth`` times)."""
    while depth and isinstance(value, str) and value[:1] in '{["' and value[-1:] in '}]"':
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError):
            return value
        depth -= 1
    return value


def mapping(value: Any) -> JsonObject:
    """``value`` as a mapping, decoded when it is a string; empty when it is anything else."""
    if isinstance(value, str):
        value = decoded(value)
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """``value`` as a list, decoded when it is a string; empty when it is anything else."""
    if isinstance(value, str):
        value = decoded(value)
    return value if isinstance(value, list) else []


def text(value: Any) -> str | None:
    """A string that says something: None for null, blanks, and the words that Python and JSON print for null."""
    if value is None:
        return None
    if not isinstance(value, str):
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
    value = value.strip()
    return value if value and value not in ("None", "null") else None


def first(record: Mapping[str, Any], *keys: str) -> Any:
    """The first of ``keys`` that has a value other than null and the empty string."""
    for key in keys:
        value = record.get(key)
        if value is not None and value != "":
            return value
    return None


def count(value: Any) -> int | None:
    """A number of tokens; None when it is absent, negative, fractional or beyond reason."""
    if type(value) is int:
        return value if 0 <= value <= MOST_TOKENS else None
    number = _number(value)
    if number is None or not 0 <= number <= MOST_TOKENS or number != int(number):
        return None
    return int(number)


def real(value: Any) -> float | None:
    """A finite number of either sign, also as text; None when it is absent."""
    return _number(value)


def money(value: Any) -> Decimal | None:
    """Dollars to nine places; None when absent, negative or beyond reason."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
        if not amount.is_finite() or not 0 <= amount < MOST_USD:
            return None
        return amount.quantize(NANO)
    except InvalidOperation:
        return None


def milliseconds(value: Any) -> float | None:
    """A duration as logged; None when absent or negative."""
    number = _number(value)
    return number if number is not None and number >= 0 else None


def time(value: Any) -> datetime | None:
    """A moment in UTC from epoch numbers (s, ms, us, ns; also as text), ISO 8601 (no zone: UTC) or an HTTP date."""
    if isinstance(value, str):
        value = value.strip()
        if not value.replace(".", "", 1).isdigit():
            return _written(value)
    number = value if type(value) is float else _number(value)
    if number is None:
        return None
    for scale in (1, 1e3, 1e6, 1e9):
        if EARLIEST <= number / scale <= LATEST:
            return datetime.fromtimestamp(number / scale, UTC)
    return None


def started(*values: Any) -> datetime:
    """The first of ``values`` that is a moment; raises `Rejected` when none is."""
    for value in values:
        if value is not None and (moment := time(value)) is not None:
            return moment
    raise Rejected("no start time")


def elapsed_ms(start: datetime | None, end: datetime | None) -> float | None:
    """Milliseconds from ``start`` to ``end``; None when one is absent or they are the wrong way round."""
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds() * 1000


def labels(value: Any) -> tuple[str, ...]:
    """Tags as a tuple of distinct strings, from a list, JSON in a string, or words between commas."""
    value = decoded(value)
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(tag for item in value if (tag := text(item))))


def task_hint(*metadata: Mapping[str, Any]) -> str | None:
    """The name that the caller itself gave to the task, from the first mapping that has one."""
    for values in filter(None, metadata):
        for key in TASK_KEYS:
            hint = text(values.get(key))
            if hint:
                return hint
    return None


def encoded(value: Any) -> str:
    """``value`` as compact JSON."""
    return msgspec.json.encode(value).decode()


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _written(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return None
    if not 2000 <= moment.year < 2100:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
