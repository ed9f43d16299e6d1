"""One line of a mapping.toml: where a record has a value, as a path, a constant or a table of names, with its unit."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.errors import ConfigError
from tieraudit.formats.fields import decoded, milliseconds, money, text, time

Path = tuple[str, ...]
TIMES = {"ms": 1.0, "s": 1e3, "us": 1e-3, "ns": 1e-6, "min": 60e3}
"""Milliseconds in each unit of a duration."""
EPOCHS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ticks": 1e-7}
"""Seconds in each unit of a moment; ticks count from the year 1."""
MONEY = {"usd": 1.0, "cents": 1e-2, "millis": 1e-3, "micros": 1e-6}
"""Dollars in each unit of money."""
UNITS: dict[str, tuple[str, ...]] = {
    "started_at": tuple(EPOCHS),
    "ended_at": tuple(EPOCHS),
    "latency_ms": tuple(TIMES),
    "time_to_first_token_ms": tuple(TIMES),
    "logged_cost_usd": tuple(MONEY),
    "input_tokens": ("tokens", "tokens_without_cached"),
    "output_tokens": ("tokens", "tokens_without_reasoning"),
}
TABLES = ("parameters", "metadata", "feedback")
OPTIONS = ("path", "const", "unit", "sql")
YES = {"true", "1", "yes", "y", "t", "hit"}
TICKS_TO_1970 = 62_135_596_800
MOST_LITERAL = 2**20
DEEPEST = 64
COMPUTED = "\0sql"
"""The key under which a record carries the values of the mapping's SQL expressions, by their text."""
SQL_EXAMPLE = "latency_ms = {sql = \"(record->>'$.took_s')::DOUBLE * 1000\"}"


@dataclass(frozen=True, slots=True)
class Source:
    """Where one field is: the first of ``paths`` that has a value, else ``const``; or a value for each of ``parts``."""

    paths: tuple[Path, ...] = ()
    const: Any = None
    unit: str | None = None
    parts: tuple[tuple[str, Source], ...] = ()
    sql: str | None = None

    def of(self, record: JsonObject) -> Any:
        """The value in ``record``; None when it has none."""
        if self.parts:
            found = {name: part.of(record) for name, part in self.parts}
            return {name: value for name, value in found.items() if value is not None}
        for path in self.paths:
            value = at(record, path)
            if value is not None and value != "":
                return value
        return self.const

    @property
    def told(self) -> str:
        """The source in the words of the mapping."""
        if self.parts:
            return ", ".join(dict.fromkeys(part.told for _, part in self.parts))
        if self.sql:
            return f"`{self.sql}`"
        written = ", else ".join(f"`{'.'.join(path)}`" for path in self.paths) or f"always {self.const}"
        return f"{written} ({self.unit})" if self.unit else written


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one record, by the names of the mapping."""

    record: JsonObject
    sources: Mapping[str, Source]

    def get(self, key: str) -> Any:
        """The value of ``key`` as the record has it."""
        source = self.sources.get(key)
        return source.of(self.record) if source else None

    def opened(self, key: str) -> Any:
        """The value of ``key``, or what it holds when it is JSON in a string."""
        return opened(self.get(key))

    def text(self, key: str) -> str | None:
        """The value of ``key`` as a label."""
        return text(self.get(key))

    def unit(self, key: str) -> str | None:
        """The unit that the mapping gives for ``key``."""
        source = self.sources.get(key)
        return source.unit if source else None

    def moment(self, key: str) -> datetime | None:
        """A moment; with a unit, a number of it since 1970, or of ticks since the year 1."""
        value, unit = self.get(key), self.unit(key)
        number = milliseconds(value) if unit else None
        if unit is None or number is None:
            return time(value)
        return time(number * EPOCHS[unit] - (TICKS_TO_1970 if unit == "ticks" else 0))

    def duration(self, key: str) -> float | None:
        """A duration in milliseconds."""
        value = milliseconds(self.get(key))
        return None if value is None else value * TIMES[self.unit(key) or "ms"]

    def dollars(self, key: str) -> Decimal | None:
        """An amount of dollars."""
        value = money(self.get(key))
        return None if value is None else money(str(value * Decimal(str(MONEY[self.unit(key) or "usd"]))))


def flag(value: Any) -> bool | None:
    """True or false, also in words; None when there is no value."""
    if value is None or isinstance(value, bool):
        return value
    word = text(value)
    return None if word is None else word.lower() in YES


def at(value: Any, path: Path) -> Any:
    """What ``path`` leads to: names of keys and numbers of elements; a key may itself hold dots."""
    if not path:
        return value
    value = opened(value)
    if isinstance(value, list):
        index = int(path[0]) if path[0].removeprefix("-").isdecimal() and len(path[0]) < 9 else len(value)
        return at(value[index], path[1:]) if -len(value) <= index < len(value) else None
    for end in range(1, len(path) + 1) if isinstance(value, dict) else ():
        key = ".".join(path[:end])
        if key in value and (found := at(value[key], path[end:])) is not None:
            return found
    return None


def opened(value: Any) -> Any:
    """``value``, or what it holds when it is JSON, or a mapping or list as Python prints it, in a string."""
    try:
        value = decoded(value)
    except RecursionError:
        return value
    if not isinstance(value, str) or len(value) > MOST_LITERAL or value[:1] not in ("{", "[", "("):
        return value
    try:
        with warnings.catch_warnings():  # a person's text between brackets is no code of ours to be warned of
            warnings.simplefilter("ignore")
            return _plain(ast.literal_eval(value), DEEPEST)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return value


def parse(key: str, value: Any, file: str) -> Source:
    """The source that a mapping.toml gives for ``key``; raises `ConfigError`."""
    if isinstance(value, str | list):
        return Source(_paths(key, value, file))
    if not isinstance(value, dict) or not value:
        raise ConfigError(
            f"{file}: {key}: neither a path nor a table", hint=f'a path: {key} = "a.b"; a value: {key} = {{const = 1}}'
        )
    if key in TABLES and not set(value) & set(OPTIONS):
        return Source(parts=tuple((name, parse(f"{key}.{name}", part, file)) for name, part in value.items()))
    if strange := set(value) - set(OPTIONS):
        raise ConfigError(f"{file}: {key}: unknown option '{min(strange)}'", hint="known: path, const, sql, unit")
    if len(set(value) & {"path", "const", "sql"}) != 1:
        raise ConfigError(
            f"{file}: {key}: needs one of path, const and sql", hint=f'{key} = {{path = "a.b", unit = "s"}}'
        )
    unit = value.get("unit")
    if unit is not None and unit not in UNITS.get(key, ()):
        known = ", ".join(UNITS.get(key, ())) or "none; it has no unit"
        raise ConfigError(f"{file}: {key}: unknown unit '{unit}'", hint=f"units of {key}: {known}")
    if "const" in value:
        return Source(const=value["const"], unit=unit)
    if "sql" in value:
        if not isinstance(value["sql"], str) or not value["sql"].strip():
            raise ConfigError(f"{file}: {key}: sql is an expression over record", hint=SQL_EXAMPLE)
        return Source(((COMPUTED, value["sql"]),), unit=unit, sql=value["sql"])
    return Source(_paths(key, value["path"], file), unit=unit)


def _paths(key: str, value: Any, file: str) -> tuple[Path, ...]:
    written = [value] if isinstance(value, str) else value
    if not isinstance(written, list) or not written or not all(isinstance(item, str) and item for item in written):
        raise ConfigError(
            f"{file}: {key}: a path is a text such as a.b.0, or a list of them",
            hint=f'{key} = ["first.place", "second"]',
        )
    paths = tuple(tuple(item.split(".")) for item in written)
    if any(len(path) > DEEPEST for path in paths):
        raise ConfigError(f"{file}: {key}: a path of more than {DEEPEST} steps", hint="shorten it")
    return paths


def _plain(value: Any, depth: int) -> Any:
    """A Python value as JSON has it."""
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {str(key): _plain(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner, depth - 1) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
