"""How a router can know a task at request time: the rules that its calls share and no other task's calls do."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from tieraudit.domain import Recogniser
from tieraudit.tasks.masking import mask_payload, token_spans, tokens
from tieraudit.tasks.sample import Sampled

MOST_HASHES = 20
HASHES_COVER = 0.99
SURE = 0.99
FULL = 0.95
WORTH_KEEPING = 0.9
SEEN = 0.97
LITERAL_CHARS = 160
SHORTEST_LITERAL = 8
WIDEST_GAP = 1_000
MOST_LITERALS = 12
TEXTS_LOOKED_AT = 200
# Two gaps at most: the time of a search stays linear in the text with a factor that is bounded.
MOST_GAPS = 2
USER_GAP = r"[\s\S]{0,200}"
TEXTS_PER_TASK = 60
_MARK = re.compile(r"«[a-z…]+»")


@dataclass(frozen=True, slots=True)
class Known:
    """A task's sampled calls with what stays of its prompts: the literal parts of its system texts, and the opening
    and closing words of its user turns (None where the user's turn is payload).
    """

    calls: Sequence[Sampled]
    system_literals: Sequence[str]
    user_openings: Sequence[tuple[str, ...]]
    user_closings: Sequence[tuple[str, ...]]


def recognisers(tasks: Sequence[Known]) -> list[tuple[Recogniser, ...]]:
    """The recognisers of each task, strongest first, with precision and recall by count over all calls given.

    Kinds: ``tag``, ``system_sha256`` (a list of hashes), ``system_regex`` and ``user_regex`` (for ``re.search``; no
    nested or unbounded repetition, so linear in the text), ``tools`` (sorted names). ``none`` when there is no rule
    with a precision of 0.9. A regex is kept only when it matches hardly any other task's call.
    """
    log = _Log(tasks)
    found = []
    for number, task in enumerate(tasks):
        rules = [_tag(log, number), _hashes(log, number), _system_regex(log, number, task)]
        if not any(rule and _strong(rule) for rule in rules[1:]):
            rules.append(_user_regex(log, number, task))
        rules.append(_tools(log, number))
        kept = tuple(rule for rule in rules if rule is not None)
        found.append(kept or (Recogniser("none"),))
    return found


class _Log:
    """The sampled calls of all tasks, counted by what a rule can look at."""

    def __init__(self, tasks: Sequence[Known]) -> None:
        self.sizes = [len(task.calls) for task in tasks]
        self.tags: dict[str, Counter[int]] = defaultdict(Counter)
        self.hashes: dict[str, Counter[int]] = defaultdict(Counter)
        self.systems: dict[str, Counter[int]] = defaultdict(Counter)
        self.tools: dict[tuple[str, ...], Counter[int]] = defaultdict(Counter)
        self.heads: dict[str, Counter[int]] = defaultdict(Counter)
        self.tails: dict[str, Counter[int]] = defaultdict(Counter)
        for number, task in enumerate(tasks):
            for call in task.calls:
                self._count(number, call)

    def _count(self, number: int, call: Sampled) -> None:
        for tag in {*call.tags, *([call.traits.hint] if call.traits.hint else [])}:
            self.tags[tag][number] += 1
        if (system := call.traits.system) is not None:
            self.hashes[system.sha256][number] += 1
            self.systems[system.raw][number] += 1
        if call.traits.view.tools:
            self.tools[call.traits.view.tools][number] += 1
        head, tail = call.traits.user
        self.heads[head][number] += 1
        self.tails[tail or head][number] += 1

    def others(self, number: int) -> list[str]:
        """Up to `TEXTS_PER_TASK` system texts of each other task: a pattern is chosen on them, then counted on all."""
        seen: Counter[int] = Counter()
        found = []
        for text, counts in self.systems.items():
            owner = max(counts, key=lambda task: counts[task])
            seen[owner] += 1
            if not counts[number] and seen[owner] <= TEXTS_PER_TASK:
                found.append(text)
        return found

    def rule(self, kind: str, value: object, number: int, hits: Iterable[Counter[int]]) -> Recogniser | None:
        """The recogniser with what it hits; None when it is wrong too often to be of use."""
        total: Counter[int] = Counter()
        for counts in hits:
            total.update(counts)
        if not total[number] or total[number] < WORTH_KEEPING * total.total():
            return None
        precision, recall = total[number] / total.total(), total[number] / self.sizes[number]
        return Recogniser(kind, value, round(precision, 4), round(recall, 4))


def _strong(rule: Recogniser) -> bool:
    return (rule.precision or 0) >= SURE and (rule.recall or 0) >= FULL


def _tag(log: _Log, number: int) -> Recogniser | None:
    rules = [log.rule("tag", tag, number, [counts]) for tag, counts in sorted(log.tags.items()) if counts[number]]
    return max((rule for rule in rules if rule), key=lambda rule: (rule.recall or 0, rule.precision or 0), default=None)


def _tools(log: _Log, number: int) -> Recogniser | None:
    own = [(counts[number], tools) for tools, counts in log.tools.items() if counts[number]]
    if not own:
        return None
    tools = max(own)[1]
    return log.rule("tools", list(tools), number, [log.tools[tools]])


def _hashes(log: _Log, number: int) -> Recogniser | None:
    own = sorted(((counts[number], value) for value, counts in log.hashes.items() if counts[number]), reverse=True)
    kept = own[:MOST_HASHES]
    if not kept or sum(count for count, _ in kept) < HASHES_COVER * log.sizes[number]:
        return None
    values = sorted(value for _, value in kept)
    return log.rule("system_sha256", values, number, [log.hashes[value] for value in values])


def _system_regex(log: _Log, number: int, task: Known) -> Recogniser | None:
    own = {text: counts[number] for text, counts in log.systems.items() if counts[number]}
    literals = _common_literals(task.system_literals, own)
    if not literals:
        return None
    others = log.others(number)
    wrong = {literal: _found_in(literal, others) for literal in literals}
    order = {literal: place for place, literal in enumerate(literals)}
    for size in (1, 2, 3):
        choices = [
            chosen
            for chosen in combinations(literals[:MOST_LITERALS], size)
            if not set.intersection(*(wrong[literal] for literal in chosen))
        ]
        for chosen in sorted(choices, key=lambda item: [order[literal] for literal in item]):
            if (pattern := _join(chosen, list(own)[:TEXTS_LOOKED_AT])) is None:
                continue
            search = re.compile(pattern).search
            hits = [counts for text, counts in log.systems.items() if search(text)]
            rule = log.rule("system_regex", pattern, number, hits)
            if _is_sure(rule):
                return rule
    return None


def _common_literals(literals: Sequence[str], own: dict[str, int]) -> list[str]:
    """The literals that nearly all of a task's system texts hold, cut to a readable length."""
    total = sum(own.values())
    found = []
    for literal in dict.fromkeys(_cut(literal) for literal in literals):
        held = sum(count for text, count in own.items() if literal in text)
        if len(literal) >= SHORTEST_LITERAL and held >= SEEN * total:
            found.append(literal)
    return found


def _cut(literal: str) -> str:
    literal = literal.strip()
    return literal if len(literal) <= LITERAL_CHARS else literal[:LITERAL_CHARS].rsplit(" ", 1)[0]


def _found_in(literal: str, texts: Iterable[str]) -> set[str]:
    return {text for text in texts if literal in text}


def _join(literals: Sequence[str], texts: Sequence[str]) -> str | None:
    """One pattern of literals with gaps as wide as any seen and half as much again; None when a gap is too wide."""
    places = [[text.find(literal) for literal in literals] for text in texts]
    places = [found for found in places if -1 not in found]
    if not places:
        return None
    pattern = "^" if all(found[0] == 0 for found in places) else ""
    for step, literal in enumerate(literals):
        if step:
            gaps = [found[step] - found[step - 1] - len(literals[step - 1]) for found in places]
            if min(gaps) < 0 or max(gaps) > WIDEST_GAP:
                return None
            pattern += rf"[\s\S]{{0,{min(WIDEST_GAP, max(gaps) * 3 // 2 + 40)}}}"
        pattern += escape(literal)
    return pattern


def escape(literal: str) -> str:
    """``literal`` for a regex of any dialect: spaces stay spaces."""
    return re.escape(literal).replace(r"\ ", " ").replace("\\\n", r"\n").replace(r"\-", "-")


def _user_regex(log: _Log, number: int, task: Known) -> Recogniser | None:
    """The opening words of the user's turn, else its closing words."""
    rules = [
        _of_patterns(log, number, log.heads, task.user_openings, from_end=False),
        _of_patterns(log, number, log.tails, task.user_closings, from_end=True),
    ]
    return max((rule for rule in rules if rule), key=lambda rule: rule.recall or 0, default=None)


def _of_patterns(
    log: _Log, number: int, texts: dict[str, Counter[int]], ends: Sequence[tuple[str, ...]], *, from_end: bool
) -> Recogniser | None:
    """One regex for all the ways in which a task's turns begin or end that no other task's turns do."""
    own = sorted(text for text, counts in texts.items() if counts[number])[:TEXTS_PER_TASK] if ends else []
    good = [
        pattern
        for pattern in sorted(_patterns(ends, own, from_end=from_end))
        if _is_sure(log.rule("user_regex", pattern, number, _hits(pattern, texts)))
    ]
    if not good:
        return None
    whole = good[0] if len(good) == 1 else f"(?:{'|'.join(good)})"
    return log.rule("user_regex", whole, number, _hits(whole, texts))


def _is_sure(rule: Recogniser | None) -> bool:
    return rule is not None and (rule.precision or 0) >= SURE


def _hits(pattern: str, texts: dict[str, Counter[int]]) -> list[Counter[int]]:
    search = re.compile(pattern).search
    return [counts for text, counts in texts.items() if search(text)]


def _patterns(ends: Sequence[tuple[str, ...]], own: Sequence[str], *, from_end: bool) -> set[str]:
    """Patterns for the turns that begin (or end) with one of ``ends``, as those words are really written."""
    found: set[str] = set()
    for text in own:
        masked = mask_payload(text)
        spans = token_spans(masked)
        said = tokens(masked)
        for words in ends:
            here = said[-len(words) :] if from_end else said[: len(words)]
            if tuple(here) == words and from_end:
                found.add(_closing(masked, spans[-len(words)][0]))
            elif tuple(here) == words:
                found.add(_opening(masked, spans[len(words) - 1][1]))
    return {pattern for pattern in found if len(pattern) > SHORTEST_LITERAL}


def _opening(masked: str, end: int) -> str:
    parts = _MARK.split(masked[:end].lstrip())[: MOST_GAPS + 1]
    return r"^\s*" + USER_GAP.join(map(escape, parts))


def _closing(masked: str, start: int) -> str:
    parts = _MARK.split(masked[start:].rstrip())[-MOST_GAPS - 1 :]
    return USER_GAP.join(map(escape, parts)) + r"\s*$"
