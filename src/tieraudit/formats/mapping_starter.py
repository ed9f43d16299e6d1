"""A first mapping.toml for a log that no format knows, guessed from the names and values in its first records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tieraudit.domain import JsonObject
from tieraudit.formats.fields import milliseconds
from tieraudit.formats.mapping_guesses import BROUGHT, GUESSES, Column, Guess
from tieraudit.formats.mapping_source import opened

RECORDS, DEPTH, PATHS, SHOWN, MOST_REST = 20, 6, 400, 24, 60
MOST_BODIES = 4
HEADER = """\
# Where this log has each field of a call. Guessed from its first records: check every line, then
#   tieraudit ingest FILE --map mapping.toml
# A path steps into objects by name and into lists by number (choices.0.message); JSON inside strings is read on the
# way. More forms: ["first.place", "second"], {path = "took", unit = "s"}, {path = "cost", unit = "cents"},
# {const = "openai"}. Lines that begin with # were not found; delete what the log does not have.
"""
SETTINGS = (
    "temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "seed", "stop", "n", "presence_penalty",
    "frequency_penalty", "logit_bias", "reasoning_effort", "parallel_tool_calls", "verbosity", "min_p",
)  # fmt: skip


def starter(records: Sequence[JsonObject]) -> str:
    """The text of a mapping.toml for ``records``; fields that were not found are in it as comments."""
    seen: dict[str, Column] = {}
    for record in records[:RECORDS]:
        for path, value in _paths(record, "", 0):
            if len(seen) < PATHS or path in seen:
                seen.setdefault(path, []).append(value)
    lines, missing, taken, skipped = [HEADER], list[str](), set[str](), set[str]()
    for guess in GUESSES:
        if guess.field in skipped:
            continue
        best = _best(guess, seen, taken)
        if not best:
            missing.append(f"# {guess.field} = {_quoted(guess.example)}")
            continue
        taken.update(best)
        skipped |= set().union(*(_brought(guess.field, path, seen) for path in best))
        lines.append(_line(guess, best, seen[best[0]]))
    lines += [*_settings(seen, taken), "", *missing, *_rest(seen, taken)]
    return "\n".join(lines) + "\n"


def _paths(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Every path in a record that a mapping can name, with its value; of a list only the first element."""
    value_in = opened(value)
    if path and value not in (None, "", [], {}):
        yield path, value
    if depth == DEPTH:
        return
    inner: Iterable[tuple[str, Any]] = ()
    if isinstance(value_in, dict):
        inner = ((str(key), held) for key, held in value_in.items())
    elif isinstance(value_in, list):
        inner = (("0", held) for held in value_in[:1] if isinstance(held, dict))
    for key, held in inner:
        if key and key.isprintable() and len(key) < 100 and "" not in key.split("."):
            yield from _paths(held, f"{path}.{key}" if path else key, depth + 1)


def _best(guess: Guess, seen: dict[str, Column], taken: set[str]) -> list[str]:
    """The path whose last key names the field best; of several the one nearest the top, then the fullest.

    Bodies may stand in several places of one log, one beside the other: of them all are named.
    """
    found: list[tuple[int, int, int, str]] = []
    for path, values in seen.items():
        rank = guess.rank(_snake(path.rpartition(".")[2]))
        outside = guess.field == "user_id" or not _within(path, taken)
        if rank is not None and path not in taken and outside and guess.fits(values):
            found.append((rank, path.count("."), -len(values), path))
    ranked = [path for *_, path in sorted(found)]
    if guess.field not in ("request", "response"):
        return ranked[:1]
    return [path for path in ranked if not _within(path, set(ranked))][:MOST_BODIES]


def _within(path: str, others: set[str]) -> bool:
    """True when ``path`` leads into what one of ``others`` leads to."""
    return any(path.startswith(f"{other}.") for other in others)


def _brought(name: str, path: str, seen: dict[str, Column]) -> set[str]:
    """The fields that need no line of their own beside the body that ``path`` leads to."""
    parts = BROUGHT.get(name, ())
    return {brought for key, names in parts if not key or f"{path}.{key}" in seen for brought in names}


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower().replace("-", "_").replace(" ", "_")


def _line(guess: Guess, paths: list[str], values: Column) -> str:
    path = paths[0]
    unit = _unit(guess.field, _snake(path.rpartition(".")[2]), values)
    value = f"{{path = {_quoted(path)}, unit = {_quoted(unit)}}}" if unit else _quoted(path)
    if len(paths) > 1:
        value = f"[{', '.join(map(_quoted, paths))}]"
    line = f"{guess.field} = {value}"
    if not guess.shown:
        return line
    shown = json.dumps(str(values[0])[:SHOWN])[1:-1].replace("\x7f", "")
    return f"{line.ljust(44)}  # {shown}" + ("; is the unit right?" if unit and not _says_unit(path) else "")


def _unit(name: str, key: str, values: Column) -> str | None:
    if name == "logged_cost_usd":
        return "cents" if "cents" in key else None
    if name not in ("latency_ms", "time_to_first_token_ms") or key.endswith(("ms", "millis", "milliseconds")):
        return None
    if key.endswith(("_us", "_ns")):
        return key[-2:]
    if key.endswith(("_s", "_sec", "_secs", "_seconds")):
        return "s"
    numbers = [number for value in values if (number := milliseconds(value)) is not None]
    return "s" if max(numbers, default=0) < 300 and any(number != int(number) for number in numbers) else None


def _says_unit(path: str) -> bool:
    return re.search(r"(_|^)(s|secs?|seconds|us|ns|cents)$", _snake(path.rpartition(".")[2])) is not None


def _settings(seen: dict[str, Column], taken: set[str]) -> list[str]:
    """The sampling parameters that stand outside of a whole request, as a table."""
    found: dict[str, str] = {}
    for path in sorted(seen, key=lambda path: (path.count("."), path)):
        key = _snake(path.rpartition(".")[2])
        if key in SETTINGS and not _within(path, taken):
            found.setdefault(key, path)
    taken |= set(found.values())
    inner = ", ".join(f"{key} = {_quoted(path)}" for key, path in found.items())
    return [f"parameters = {{{inner}}}"] if found else []


def _rest(seen: dict[str, Column], taken: set[str]) -> list[str]:
    """The paths that nothing was guessed for, so that a person can place them."""
    left = [
        path
        for path, values in seen.items()
        if path not in taken and not _within(path, taken) and not isinstance(opened(values[0]), dict | list)
    ]
    more = [f"#   and {len(left) - MOST_REST} more"] if len(left) > MOST_REST else []
    return ["", "# Also in the records:", *(f"#   {path}" for path in left[:MOST_REST]), *more] if left else []


def _quoted(value: str) -> str:
    """A text as TOML: printable, so that only quotes and backslashes need escaping."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
