"""A task's type and stakes: decided from the shape of its answers first, then from the words of its template."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files

from tieraudit.domain import TaskType
from tieraudit.tasks.vocabulary import word_list

# The words, weights and tiers are data: taxonomy.toml beside this file says what they mean.
_TABLE = tomllib.loads((files("tieraudit.tasks") / "taxonomy.toml").read_text(encoding="utf-8"))
_TYPES = {kind: _TABLE["types"][str(kind)] for kind in TaskType}
_IRREVERSIBLE = word_list("irreversible")
_TOOL_STAKES = "irreversible tool"
_GRAVE = ("legal", "medical", "security")

_UNNAMED_SHAPE = -1.0
_WEIGHT = 2.0
_EARLY = 1.5
_AGAIN = 0.5
_LOOKED_AT = 6_000
_PAST_TURNS = 2.0
_CLAUSE_END = re.compile(r"[.!?\n;]")
_NEGATION = re.compile(
    r"\b(?:not|never|don't|avoid|without|(?<!or )no|refuse|decline|cannot|instead of)\b", re.IGNORECASE
)


def _pattern(alternatives: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(alternatives)})" if alternatives else r"(?!)", re.IGNORECASE)


_TYPE_WORDS = {kind: _pattern(_TYPES[kind]["words"]) for kind in TaskType}
_STAKES_WORDS = {name: _pattern(entry["words"]) for name, entry in _TABLE["stakes"].items()}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a task seems to be: a guess that orders the work and is shown beside the evidence, never part of it."""

    type: TaskType
    confidence: float
    prior: str
    stakes: str | None = None
    stakes_because: str | None = None


def kind_of(shape: str, template: str, tools: Sequence[str], *, conversational: bool = False) -> Kind:
    """The type, its confidence in [0, 1], the tier to try first, and the stakes with the words that caused them.

    ``template`` is what stays of the prompt, never a payload.
    """
    scores = {
        kind: float(entry["shapes"].get(shape, _UNNAMED_SHAPE)) + _evidence(kind, template)
        for kind, entry in _TYPES.items()
    }
    if conversational and shape == "text":
        scores[TaskType.CHAT] += _PAST_TURNS
    best = max(scores, key=lambda kind: scores[kind])
    total = sum(math.exp(score) for score in scores.values())
    stakes, because = stakes_of(template, tools)
    return Kind(best, round(math.exp(scores[best]) / total, 2), prior_of(best, stakes), stakes, because)


def prior_of(kind: TaskType, stakes: str | None) -> str:
    """``small``, ``mid`` or ``frontier``: where the seed framework would start."""
    return "frontier" if stakes in _GRAVE else str(_TYPES[kind]["prior"])


def stakes_of(template: str, tools: Iterable[str]) -> tuple[str | None, str | None]:
    """The gravest stakes that the template or a tool's name gives away, and the words that do; else None twice.

    Conservative: a prompt that forbids ("do not give legal advice") or merely mentions an order has none.
    """
    said = "\n".join(clause for clause in _CLAUSE_END.split(template) if not _NEGATION.search(clause))
    for name, pattern in _STAKES_WORDS.items():
        if name == _TOOL_STAKES:
            if tool := next(filter(_is_irreversible, sorted(tools)), None):
                return name, tool
        elif found := pattern.search(said):
            return name, found.group().lower()
    return None, None


def _is_irreversible(tool: str) -> bool:
    first = re.match(r"[\W_]*([A-Z]?[a-z]+|[A-Z]+)", tool)
    return first is not None and first[1].lower() in _IRREVERSIBLE


def _evidence(kind: TaskType, template: str) -> float:
    """How much the words speak for a type: more when they come within the first two sentences or come again."""
    found = [match.start() for match in _TYPE_WORDS[kind].finditer(template[:_LOOKED_AT])]
    if not found:
        return 0.0
    ends = [match.end() for match in re.finditer(r"[.!?\n]", template)]
    early = len(ends) < 2 or found[0] < ends[1]
    weight = float(_TYPES[kind].get("weight", _WEIGHT))
    return weight * (_EARLY if early else 1.0) + _AGAIN * min(len(found) - 1, 3)
