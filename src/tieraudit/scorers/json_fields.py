"""JSON answers: the share of leaf fields that are equal, 0 where the answer is no JSON or breaks its schema."""

from __future__ import annotations

import json
import unicodedata
from functools import lru_cache
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from scipy.optimize import linear_sum_assignment

from tieraudit.domain import Score
from tieraudit.scorers.base import Context
from tieraudit.scorers.gates import decided
from tieraudit.scorers.quantities import numbers_equal
from tieraudit.scorers.text import loads, unfenced

PAIRED_AT_MOST = 32
"""Array items that are matched as well as possible; beyond, what is left after equal ones is matched in order."""


class JsonFieldsScorer:
    """For extraction and structured output: field agreement in [0, 1]; the strict rate (all equal) is in the detail."""

    name = "json-fields"
    version = 1
    lowest = 0.0

    def score(self, context: Context) -> Score:
        """The share of equal leaf fields over the union of both answers' leaf paths; raises ValueError without text."""
        early = decided(self, context)
        if early is not None:
            return early
        if context.reference.text is None or context.answer.text is None:
            raise ValueError("an answer has no text to read JSON from")
        try:
            value, detail = _compare(context.request, context.reference.text, context.answer.text)
        except RecursionError as error:
            raise ValueError("an answer is nested too deeply") from error
        return Score(value, self.name, self.version, detail)


def fields_equal(one: Any, other: Any) -> tuple[int, int]:
    """(equal leaf fields, leaf paths in all) of two JSON values; array items are matched whatever their order."""
    if isinstance(one, dict) and isinstance(other, dict) and (one or other):
        parts = [fields_equal(one[key], other[key]) for key in one.keys() & other.keys()]
        alone = sum(_leaves(value) for key, value in one.items() if key not in other)
        alone += sum(_leaves(value) for key, value in other.items() if key not in one)
        return sum(p[0] for p in parts), sum(p[1] for p in parts) + alone
    if isinstance(one, list) and isinstance(other, list) and (one or other):
        return _items_equal(one, other)
    if isinstance(one, dict | list) or isinstance(other, dict | list):
        return (1, 1) if one == other else (0, max(_leaves(one), _leaves(other)))
    return int(_leaf_equal(one, other)), 1


@lru_cache(maxsize=256)
def validator(schema: str) -> Draft202012Validator | None:
    """A validator for a schema given as JSON text, None where it is no schema; it never fetches a reference."""
    try:
        parsed = loads(schema)
        Draft202012Validator.check_schema(parsed)
    except (ValueError, SchemaError):
        return None
    return Draft202012Validator(parsed, registry=Registry())


def valid(schema: Any, value: Any) -> bool:
    """Whether ``value`` satisfies ``schema``; True where the schema itself cannot be used."""
    check = validator(json.dumps(schema, sort_keys=True))
    try:
        return check is None or bool(check.is_valid(value))
    except (Unresolvable, RecursionError):
        return True


def _compare(request: dict[str, Any], reference: str, answer: str) -> tuple[float, str]:
    got = _parsed(answer)
    wanted = _parsed(reference)
    if wanted is None:
        same = reference.split() == answer.split()
        return float(same), "the incumbent's answer is no JSON either" if got is None else "only this answer is JSON"
    if got is None:
        return 0.0, "no JSON; strict=0"
    schema = _schema(request)
    if schema is not None and not valid(schema, got[0]) and valid(schema, wanted[0]):
        return 0.0, "breaks the schema; strict=0"
    equal, fields = fields_equal(wanted[0], got[0])
    return equal / fields, f"{equal} of {fields} fields equal; strict={int(equal == fields)}"


def _parsed(text: str) -> tuple[Any] | None:
    """The JSON value in a tuple of one, since null is a value too; None when there is none."""
    try:
        return (loads(unfenced(text)),)
    except ValueError:
        return None


def _schema(request: dict[str, Any]) -> Any:
    response_format = request.get("response_format")
    wrapped = response_format.get("json_schema") if isinstance(response_format, dict) else None
    return wrapped.get("schema") if isinstance(wrapped, dict) else None


def _leaves(value: Any) -> int:
    """Leaf paths below a value; an empty array or object is one leaf."""
    if isinstance(value, dict) and value:
        return sum(_leaves(item) for item in value.values())
    if isinstance(value, list) and value:
        return sum(_leaves(item) for item in value)
    return 1


def _leaf_equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _folded(one) == _folded(other)
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return numbers_equal(one, other)
    return False


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _items_equal(one: list[Any], other: list[Any]) -> tuple[int, int]:
    """Equal items cancel first; the rest is paired so that most fields agree; what has no partner is unequal."""
    left = list(one)
    right: list[Any] = []
    keys = [_canonical(item) for item in one]
    equal = 0
    for item in other:
        key = _canonical(item)
        if key in keys:
            place = keys.index(key)
            keys.pop(place)
            left.pop(place)
            equal += _leaves(item)
        else:
            right.append(item)
    pairs = _pairs(left, right)
    found = [fields_equal(left[i], right[j]) for i, j in pairs]
    paired_left, paired_right = {i for i, _ in pairs}, {j for _, j in pairs}
    alone = sum(_leaves(item) for i, item in enumerate(left) if i not in paired_left)
    alone += sum(_leaves(item) for j, item in enumerate(right) if j not in paired_right)
    return equal + sum(f[0] for f in found), equal + sum(f[1] for f in found) + alone


def _pairs(left: list[Any], right: list[Any]) -> list[tuple[int, int]]:
    if len(left) > PAIRED_AT_MOST or len(right) > PAIRED_AT_MOST:
        return [(i, i) for i in range(min(len(left), len(right)))]
    cost = np.zeros((len(left), len(right)))
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            equal, fields = fields_equal(a, b)
            cost[i, j] = (fields - _leaves(a) - _leaves(b)) * 1e-6 - equal
    rows, columns = linear_sum_assignment(cost)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _canonical(value: Any) -> str:
    """A text that is the same for values that differ only in case, spacing, number type and order."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{_canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted(_canonical(item) for item in value)) + "]"
    if isinstance(value, str):
        return repr(_folded(value))
    if isinstance(value, float) and value.is_integer():
        return repr(int(value))
    return repr(value)
