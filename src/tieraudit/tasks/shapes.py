"""The shape of a task's answers: labels, JSON, tool calls, numbers, short answers, code or text."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

LABELS = 50
LABELS_WITH_MUCH_SUPPORT = 150
LABEL_SUPPORT = 4
MUCH_SUPPORT = 12
LABEL_COVER = 0.95
SHORT_WORDS = 12
KEPT_CHARS = 120
NUMBER_CHARS = 40
ID_DIGITS = 4

_EDGES = " \t\r\n\"'`“”„’.,;:!?*_()[]{}<>-"
_FENCE = re.compile(r"^```(?:json)?\s*(.*?)\s*```$", re.DOTALL)
_NUMBER = re.compile(r"[-+]?[$€£]?\s?\d[\d.,\s]*(?:%|[a-zA-Z€$£]{1,4})?")
_CODE = re.compile(
    r"```[a-z+#]*\n|^(?:def |class |import |from \w+ import |SELECT |WITH |function |#include|public )", re.M
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is remembered of one logged answer; ``text`` is normalised and cut to `KEPT_CHARS`."""

    text: str
    words: int
    is_tool_call: bool = False
    is_json: bool = False
    is_number: bool = False
    is_code: bool = False


def read_answer(response: Mapping[str, Any]) -> Answer | None:
    """The facts of one stored response; None when it is empty or a refusal."""
    said = response.get("text")
    if response.get("tool_calls"):
        return Answer("", 0, is_tool_call=True)
    if not isinstance(said, str) or not said.strip():
        return None
    return Answer(
        text=normalise(said[: 2 * KEPT_CHARS])[:KEPT_CHARS],
        words=len(said.split()),
        is_json=parse_json(said) is not None,
        is_number=len(said) <= NUMBER_CHARS and _is_quantity(said.strip(_EDGES.replace("-", ""))),
        is_code=_CODE.search(said) is not None,
    )


def _is_quantity(said: str) -> bool:
    """A number that may be off a little. Digits without sign, point or unit that run to four are an id or a year."""
    return _NUMBER.fullmatch(said) is not None and not (said.isdigit() and len(said) >= ID_DIGITS)


def normalise(said: str) -> str:
    """Case, width, and the punctuation and quotes at both ends do not make another answer."""
    return " ".join(unicodedata.normalize("NFKC", said).casefold().split()).strip(_EDGES)


def parse_json(said: str) -> dict[str, Any] | list[Any] | None:
    """The object or array that an answer is, bare or in one fence; None when it is neither."""
    bare = said.strip()
    if bare.startswith("```"):
        fenced = _FENCE.match(bare)
        bare = fenced[1] if fenced else bare
    if not bare.startswith(("{", "[")):
        return None
    try:
        value = json.loads(bare)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def shape_of(  # noqa: PLR0911  one return per shape
    answers: Sequence[Answer],
) -> str:
    """The shape of a task's answers: ``tool_calls``, ``json``, ``label``, ``number``, ``code``, ``short`` or ``text``.

    Labels: few distinct answers (at most 50, or up to 150 when each is seen a dozen times) cover 95 %. One-field JSON
    with few values stays ``json``. Without an answer: ``text``.
    """
    if not answers:
        return "text"
    if sum(answer.is_tool_call for answer in answers) >= 0.5 * len(answers):
        return "tool_calls"
    said = [answer for answer in answers if not answer.is_tool_call]
    if _most(answer.is_json for answer in said):
        return "json"
    if labels_of(said):
        return "label"
    if _most(answer.is_number for answer in said):
        return "number"
    if sum(answer.is_code for answer in said) >= 0.6 * len(said):
        return "code"
    return "short" if median(answer.words for answer in said) <= SHORT_WORDS else "text"


def labels_of(answers: Sequence[Answer]) -> list[str]:
    """The labels that cover 95 % of the answers, most frequent first; empty when the answers are no labels."""
    counts = Counter(answer.text for answer in answers if answer.words <= SHORT_WORDS)
    wanted, covered = LABEL_COVER * len(answers), 0
    found: list[str] = []
    for label, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if covered >= wanted:
            break
        found.append(label)
        covered += count
    support = len(answers) / max(1, len(found))
    few = len(found) <= LABELS and support >= LABEL_SUPPORT
    many = len(found) <= LABELS_WITH_MUCH_SUPPORT and support >= MUCH_SUPPORT
    return found if covered >= wanted and (few or many) else []


def same_labels(one: Sequence[str], other: Sequence[str]) -> bool:
    """True unless both are label sets and share less than half of the smaller one."""
    if not one or not other:
        return True
    return len(set(one) & set(other)) >= 0.5 * min(len(one), len(other))


def alike(one: str, other: str) -> bool:
    """Whether two shapes can be one task's: numbers and labels are short answers, code is text."""
    families = ({"label", "number", "short"}, {"text", "code"})
    return one == other or any({one, other} <= family for family in families)


def _most(flags: Iterable[bool]) -> bool:
    found = list(flags)
    return bool(found) and sum(found) >= 0.9 * len(found)
