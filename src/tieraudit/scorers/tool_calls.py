"""Tool calls: the same functions called with the same arguments, 1 or 0.

The rule is that of BFCL's AST check (Patil et al.): function names as a multiset, required arguments present, none
invented, types valid, values equal, an optional argument equal to its default or left out.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from tieraudit.domain import JsonObject, Output, Score
from tieraudit.scorers.base import Context
from tieraudit.scorers.gates import decided
from tieraudit.scorers.json_fields import valid
from tieraudit.scorers.quantities import numbers_equal
from tieraudit.scorers.text import loads

TYPES = {
    "dict": "object", "map": "object", "list": "array", "tuple": "array", "float": "number", "double": "number",
    "int": "integer", "long": "integer", "bool": "boolean", "str": "string",
}  # fmt: skip
"""Type names that tools in the wild use beside those of JSON Schema; ``any`` means no constraint."""

FORM = re.compile(r"[\s,./\-_*^'\"]+")


@dataclass(frozen=True, slots=True)
class Invocation:
    """One tool call: the function's name and its arguments, None when they are not a JSON object."""

    name: str
    arguments: JsonObject | None
    raw: str


class ToolCallsScorer:
    """For agents: strict 1 or 0 on the next action. Two answers that call no tool agree in that."""

    name = "tool-calls"
    version = 1
    lowest = 0.0

    def score(self, context: Context) -> Score:
        """1.0 or 0.0; raises ValueError for tool definitions that cannot be read."""
        early = decided(self, context)
        if early is not None:
            return early
        try:
            value, detail = _compare(context.reference, context.answer, parameters_of(context.request))
        except RecursionError as error:
            raise ValueError("arguments are nested too deeply") from error
        return Score(value, self.name, self.version, detail)


def parameters_of(request: Mapping[str, Any]) -> dict[str, JsonObject]:
    """The argument schema of each tool of a request, in the names of JSON Schema."""
    found: dict[str, JsonObject] = {}
    for tool in _items(request.get("tools")):
        function = _mapping(tool.get("function")) or tool
        name, schema = function.get("name"), function.get("parameters")
        if isinstance(name, str) and isinstance(schema, dict):
            found[name] = _standard(schema)
    return found


def invocations(output: Output) -> list[Invocation]:
    """The tool calls of an answer in OpenAI's shape; a malformed one keeps its text and has no arguments."""
    found = []
    for call in output.tool_calls:
        function = _mapping(_mapping(call).get("function"))
        raw = function.get("arguments")
        try:
            arguments = loads(raw) if isinstance(raw, str) and raw.strip() else raw or {}
        except ValueError:
            arguments = None
        name = function.get("name")
        text = raw if isinstance(raw, str) else json.dumps(raw, default=str)
        found.append(Invocation(str(name), arguments if isinstance(arguments, dict) else None, text))
    return found


def fault(call: Invocation, schema: JsonObject | None) -> str | None:
    """What the call breaks in its tool's definition: a missing, invented or ill-typed argument; None when nothing."""
    if call.arguments is None:
        return "arguments are no JSON object"
    if schema is None:
        return None
    properties = schema.get("properties")
    if isinstance(properties, dict) and not schema.get("additionalProperties"):
        invented = sorted(set(call.arguments) - set(properties))
        if invented:
            return f"invented argument {invented[0]!r}"
    missing = [key for key in _names(schema.get("required")) if key not in call.arguments]
    if missing:
        return f"argument {missing[0]!r} is missing"
    return None if valid(schema, call.arguments) else "an argument has the wrong type"


def calls_equal(one: Invocation, other: Invocation, schema: JsonObject | None) -> bool:
    """The same function and, after normalisation of numbers and strings, the same arguments."""
    if one.name != other.name:
        return False
    if one.arguments is None or other.arguments is None:
        return one.raw == other.raw
    return _objects_equal(one.arguments, other.arguments, schema or {})


def _compare(reference: Output, answer: Output, schemas: dict[str, JsonObject]) -> tuple[float, str]:
    wanted, got = invocations(reference), invocations(answer)
    if not wanted or not got:
        return float(not wanted and not got), "neither calls a tool" if wanted == got else "only one calls a tool"
    names = Counter(call.name for call in wanted), Counter(call.name for call in got)
    if names[0] != names[1]:
        return 0.0, f"calls {_listed(got)} instead of {_listed(wanted)}"
    sound = all(fault(call, schemas.get(call.name)) is None for call in wanted)
    faults = [found for call in got if (found := fault(call, schemas.get(call.name)))] if sound else []
    if faults:
        return 0.0, faults[0]
    same = np.array([[calls_equal(a, b, schemas.get(a.name)) for b in got] for a in wanted], dtype=np.float64)
    rows, columns = linear_sum_assignment(-same)
    matched = int(same[rows, columns].sum())
    return float(matched == len(wanted)), f"{matched} of {len(wanted)} calls equal"


def _objects_equal(one: JsonObject, other: JsonObject, schema: JsonObject) -> bool:
    known = _mapping(schema.get("properties"))
    required = _names(schema.get("required"))
    for key in one.keys() | other.keys():
        described = _mapping(known.get(key))
        if key in one and key in other:
            if not _values_equal(one[key], other[key], described):
                return False
        elif key in required or not _same_as_absent(one.get(key, other.get(key)), described):
            return False
    return True


def _same_as_absent(value: Any, schema: JsonObject) -> bool:
    return value is None or ("default" in schema and _values_equal(value, schema["default"], schema))


def _values_equal(one: Any, other: Any, schema: JsonObject) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return _objects_equal(one, other, schema)
    if isinstance(one, list) and isinstance(other, list):
        inner = _mapping(schema.get("items"))
        return len(one) == len(other) and all(_values_equal(a, b, inner) for a, b in zip(one, other, strict=True))
    if isinstance(one, str) and isinstance(other, str):
        return _form(one) == _form(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return numbers_equal(one, other)
    return one is None and other is None


def _form(text: str) -> str:
    """Text without case and punctuation; where it has digits, only without case and doubled spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split()) if any(c.isdigit() for c in folded) else FORM.sub("", folded)


def _standard(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_standard(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    standard = {
        key: _standard(value) if key not in ("default", "enum", "const") else value for key, value in schema.items()
    }
    kind = standard.get("type")
    if isinstance(kind, str):
        if kind.lower() == "any":
            del standard["type"]
        else:
            standard["type"] = TYPES.get(kind.lower(), kind.lower())
    return standard


def _mapping(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _names(value: Any) -> list[str]:
    return [name for name in value if isinstance(name, str)] if isinstance(value, list) else []


def _listed(calls: list[Invocation]) -> str:
    return ", ".join(sorted(call.name for call in calls))
