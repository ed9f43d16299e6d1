"""Which format a file is in, by asking every format about its first records."""

from __future__ import annotations

from collections.abc import Sequence

from tieraudit.domain import JsonObject
from tieraudit.errors import InputError, UnknownFormat
from tieraudit.formats import FORMATS
from tieraudit.formats.base import Format
from tieraudit.formats.fields import first, mapping

# Two formats whose mean sureness differs by less are both candidates.
TOO_CLOSE = 0.2


def detect(records: Sequence[JsonObject], file: str) -> Format:
    """The format of ``records``; raises `InputError` when none or more than one fits, naming what was seen
    (`UnknownFormat` when none does)."""
    sureness = {name: sum(_match(FORMATS.get(name), record) for record in records) for name in FORMATS.names()}
    best = max(sureness.values(), default=0.0)
    if not records or best == 0:
        raise UnknownFormat(
            f"{file}: not a log in a format that is known ({seen(records)})",
            hint=f"known: {', '.join(FORMATS.names())}; if it is one of them, say so: --format NAME; any other log: "
            "--map mapping.toml",
        )
    candidates = [name for name, value in sureness.items() if best - value < TOO_CLOSE * len(records)]
    if len(candidates) > 1:
        raise InputError(
            f"{file}: could be {' or '.join(candidates)}", hint=f"say which: --format {candidates[0]} for instance"
        )
    return FORMATS.get(candidates[0])


def seen(records: Sequence[JsonObject]) -> str:
    """What the first record looks like, for a person to recognise: its keys and where its request went."""
    if not records:
        return "no record in it can be read"
    record = records[0]
    keys = ", ".join(str(key)[:40] for key in list(record)[:8]) or "none"
    asked = mapping(first(record, "request", "input", "body"))
    url = first(asked, "url", "uri") or first(record, "url", "uri")
    return f"its keys are {keys}" + (f"; the request goes to {str(url)[:80]}" if url else "")


def _match(log_format: Format, record: JsonObject) -> float:
    try:
        return log_format.matches(record)
    except RecursionError:
        return 0.0
