"""Rows of Azure Monitor: the same fields in camelCase with ``properties`` beside, or as columns of Log Analytics."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.fields import EARLIEST, LATEST, listing, mapping, text

TICKS_TO_1970 = 621_355_968_000_000_000
SUFFIXES = ("_s", "_d", "_b", "_g", "_t")


def azure_rows(record: JsonObject) -> list[JsonObject]:
    """The rows in ``record``: itself, or those that an event hub put into ``records``."""
    inner = [found for item in listing(record.get("records")) if (found := mapping(item))]
    return inner or [record]


def flat(row: JsonObject) -> JsonObject:
    """Every field by its name in lower case, without the suffixes of types that Log Analytics adds."""
    found: JsonObject = {}
    for source in (mapping(row.get("properties")), row):
        for key, value in source.items():
            name = str(key).lower()
            if name[-2:] in SUFFIXES:
                name = name[:-2].removeprefix("properties_")
            if value is not None and value != "":
                found[name] = value
    return found


def ticks(value: Any) -> datetime | None:
    """The moment of a .NET tick count (100 ns since the year 1)."""
    told = text(value)
    if told is None or not told.isdecimal() or len(told) > 19:
        return None
    seconds = (int(told) - TICKS_TO_1970) / 10**7
    return datetime.fromtimestamp(seconds, UTC) if EARLIEST <= seconds <= LATEST else None
