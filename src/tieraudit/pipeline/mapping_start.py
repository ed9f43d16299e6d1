"""A first mapping for logs in a format of the user's own, guessed from their first records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tieraudit.errors import InputError
from tieraudit.pipeline.opening import first_records
from tieraudit.pipeline.sources import find_sources


def start_mapping(paths: Sequence[Path | str], mapping: Path) -> str:
    """Write a starter for the first of ``paths`` to the new file ``mapping`` and return it; raises `InputError`."""
    from tieraudit.formats.mapped import starter

    found = find_sources(paths)
    if not found.sources:
        raise found.failed[0]
    records = first_records(found.sources[0])
    if not records:
        raise InputError(f"{found.sources[0].name}: no record in it can be read", hint="check the export")
    text = starter(records)
    try:
        with mapping.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{mapping}: cannot be written ({error.strerror})", hint="name another file") from error
    return text
