"""Values, ids and times of OpenTelemetry in the ways in which encoders write them, as plain Python values.

Sources: the JSON mapping of opentelemetry-proto, and objects of protobuf-js.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.fields import listing, mapping, time
from tieraudit.formats.mapping_source import opened

INT64 = 2**63
DEEP = 64  # kvlist values inside each other


def attributes_of(value: Any) -> JsonObject:
    """Attributes as Python values, from a list of key and value, of Jaeger tags, a mapping, or a mapping in a CSV."""
    value = opened(value)
    if isinstance(value, dict):
        return {str(key): plain_value(item) for key, item in value.items()}
    found: JsonObject = {}
    for item in listing(value):
        if isinstance(item, dict) and isinstance(item.get("key"), str):
            found[item["key"]] = plain_value(item.get("value"))
    return found


def plain_value(value: Any, depth: int = DEEP) -> Any:
    """A Python value from an ``AnyValue``; what is no ``AnyValue`` stays as it is."""
    if not isinstance(value, dict) or len(value) != 1 or not depth:
        return value
    ((kind, inner),) = value.items()
    kind = str(kind).replace("_v", "V")
    if kind == "intValue":
        return integer(inner)
    if kind in ("arrayValue", "kvlistValue"):
        values = listing(mapping(inner).get("values"))
        if kind == "arrayValue":
            return [plain_value(item, depth - 1) for item in values]
        pairs = [item for item in values if isinstance(item, dict) and isinstance(item.get("key"), str)]
        return {item["key"]: plain_value(item.get("value"), depth - 1) for item in pairs}
    return inner if kind in ("stringValue", "doubleValue", "boolValue", "bytesValue") else value


def integer(value: Any) -> int | None:
    """An int64 as a number, as decimal text or as protobuf-js's two halves; None when it is none."""
    if isinstance(value, dict):
        low, high = value.get("low"), value.get("high")
        if type(low) is not int or type(high) is not int or abs(low) >= 2**32 or abs(high) >= 2**32:
            return None
        return (high << 32) + (low & 0xFFFFFFFF)
    if isinstance(value, str) and len(value) < 20 and value.removeprefix("-").isdecimal():
        return int(value)
    return value if type(value) is int and -INT64 <= value < INT64 else None


def identity(value: Any) -> str | None:
    """A trace or span id in hex, from hex, base64 or bytes as a list; None when there is none."""
    if isinstance(value, dict):
        value = value.get("data", list(value.values()))
    if isinstance(value, list):
        if not value or not all(type(item) is int and 0 <= item < 256 for item in value):
            return None
        value = bytes(value).hex()
    if not isinstance(value, str) or not value.strip("0x"):
        return None
    if len(value) in (12, 24) and value.endswith("="):
        try:
            return base64.b64decode(value, validate=True).hex()
        except binascii.Error:
            return value
    return value.removeprefix("0x").lower()[:64]


def nanoseconds(value: Any) -> int | None:
    """A moment in nanoseconds since 1970, from an epoch number in any encoding or ISO 8601."""
    number = integer(value)
    if number is None and not isinstance(value, dict | list):
        moment = time(value)
        return None if moment is None else round(moment.timestamp() * 1e6) * 1000
    moment = time(number)
    if number is None or moment is None:
        return None
    return number if number > 10**17 else round(moment.timestamp() * 1e6) * 1000
