"""What two texts have in common once their dress is off: normalisation, and the facts that no similarity may blur."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Any

from tieraudit.scorers.quantities import numbers_equal, parse_number

FENCE = re.compile(r"\A\s*```[\w+-]*[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\s*\Z", re.DOTALL)
EMPHASIS = re.compile(r"\*\*|__(?=\S)|(?<=\S)__|`")
LEADING_MARK = re.compile(r"\A(?:#{1,6}\s+|>\s+|[-*•]\s+)")
PREFIX = re.compile(
    r"\A(?:the\s+)?(?:(?:final|predicted|correct|best|most likely|suggested)\s+)?"
    r"(?:answer|category|class|classification|department|intent|label|language|output|prediction|priority|result|route"
    r"|routing|sentiment|severity|tag|topic|type)\s*(?:(?:is\s*)?[:=]|is\s)\s*(?=\S)",
    re.IGNORECASE,
)
LONGEST_SHORT_ANSWER = 2_000
OPENING = "\"'“”‘’«»([{<"
CLOSING = "\"'“”‘’«»)]}>.,;:!?…"
EDGES = "\"'“”‘’«»()[]{}<>,;:!?…"
MARKED = re.compile(r"[\d@_#\\]|//|\b[A-Z]+-[A-Z]+\b")
NEGATIONS = frozenset(
    ("no", "not", "never", "none", "nor", "neither", "without", "cannot", "nothing", "nobody", "hardly")
)
NEGATING = ("un", "in", "im", "ir", "il", "non", "non-", "dis", "mis")


def unfenced(text: str) -> str:
    """``text`` without the Markdown code fence around all of it."""
    found = FENCE.match(text)
    return found.group(1) if found else text.strip()


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """``text`` without markup, enclosing quotes, closing punctuation and a prefix such as "Answer:"; case is kept.

    A JSON object of one field is unwrapped to its value. What would be nothing but punctuation stays as it is, and so
    does what is too long for a label or a short answer.
    """
    current = unicodedata.normalize("NFKC", text).strip()
    if len(words := " ".join(current.split())) > LONGEST_SHORT_ANSWER:
        return words
    while True:
        shorter = _undressed(current)
        if shorter == current:
            return current
        current = shorter


def same_facts(one: str, other: str) -> bool:
    """True unless the texts differ in a number, an identifier (order number, e-mail, code) or a negation.

    Guards every use of string similarity: those differences change the meaning and hardly the letters.
    """
    marks = [[token for token in _tokens(text) if MARKED.search(token)] for text in (one, other)]
    if len(marks[0]) != len(marks[1]) or not all(map(_same_token, *marks)):
        return False
    words = [Counter(_tokens(text.casefold())) for text in (one, other)]
    only = [set(words[0] - words[1]), set(words[1] - words[0])]
    if any(word in NEGATIONS or word.endswith(("n't", "n’t")) for word in only[0] | only[1]):
        return False
    return not any(a in _negated(b) or b in _negated(a) for a in only[0] for b in only[1])


def loads(text: str) -> Any:
    """Parse JSON strictly (no NaN), whatever its depth or size; raises ValueError."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _undressed(text: str) -> str:
    inner = _only_field(unfenced(text))
    for pattern in (EMPHASIS, LEADING_MARK, PREFIX):
        inner = pattern.sub("", inner).strip()
    inner = " ".join(inner.split())
    stripped = inner.lstrip(OPENING).rstrip(CLOSING).strip()
    return stripped or inner or text


def _only_field(text: str) -> str:
    if not (text.startswith("{") and text.endswith("}")):
        return text
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    if not isinstance(value, dict) or len(value) != 1:
        return text
    (field,) = value.values()
    if isinstance(field, bool) or field is None:
        return json.dumps(field)
    return field if isinstance(field, str) and field.strip() else text


def _tokens(text: str) -> list[str]:
    stripped = (token.strip(EDGES).removesuffix(".") for token in text.split())
    return [token for token in stripped if token]


def _same_token(one: str, other: str) -> bool:
    if one == other:
        return True
    a, b = parse_number(one), parse_number(other)
    return a is not None and b is not None and numbers_equal(a, b)


def _negated(word: str) -> set[str]:
    return {prefix + word for prefix in NEGATING}


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
