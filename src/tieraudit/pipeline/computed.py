"""The values of a mapping's SQL expressions, put into each record before the mapping reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from tieraudit.domain import JsonObject
from tieraudit.formats.framing import Raw, Row, parsed
from tieraudit.formats.rows import taken_apart
from tieraudit.store.expressions import Expressions

AT_ONCE = 1_000


def computed(log_format: Any, mapping: Path, rows: Iterable[Raw]) -> Iterator[Raw]:
    """``rows`` with the values that the mapping's expressions have for each; raises `ConfigError` for a wrong one."""
    from tieraudit.formats.mapped import COMPUTED

    expressions: tuple[str, ...] = log_format.expressions
    if not expressions:
        yield from rows
        return
    evaluated = _expressions(expressions, str(mapping))
    decoded = map(parsed, taken_apart(rows))
    while batch := list(islice(decoded, AT_ONCE)):
        records = [row.record for row in batch if isinstance(row, Row)]
        values = iter(evaluated.values([_text(record) for record in records])) if records else iter(())
        for row in batch:
            if isinstance(row, Row):
                found = {
                    expression: msgspec.json.decode(value)
                    for expression, value in zip(expressions, next(values), strict=True)
                    if value is not None
                }
                yield Row(row.line, {**row.record, COMPUTED: found})
            else:
                yield row


def _text(record: JsonObject) -> str:
    try:
        return msgspec.json.encode(record).decode()
    except RecursionError:
        return "{}"


@cache
def _expressions(expressions: tuple[str, ...], file: str) -> Expressions:
    return Expressions(expressions, file)
