"""Names of at most five words: the caller's own, else the order in the prompt, else the words that set it apart."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile

from tieraudit.tasks.masking import tokens
from tieraudit.tasks.vocabulary import BASE_FORM, STOP_WORDS, WEAK_VERBS, word_list

MOST_WORDS = 5
_SENTENCE_END = re.compile(r"[.!?:;\n]+|\s-\s|«\W»")
_CUT = word_list("cut")
_DROPPED = word_list("dropped")
_BLAND = word_list("bland")
_ORDERS_FOLLOW = word_list("orders_follow")
_JOINS = frozenset({"of", "to", "into", "from", "for"})
_MEANINGLESS = re.compile(
    r"litellm|openai|completion|^chat$|^default$|^unknown$|^llm|generation$|^prompt$|^run|^span", re.IGNORECASE
)
_ROLE = re.compile(r"\byou are (?:an?|the|our|acting as an?) ([^.,;:\n«]{1,120})", re.IGNORECASE)
_ROLE_WORDS = 8


def name_tasks(templates: Sequence[str], hints: Sequence[str | None]) -> list[str]:
    """One name a task, no two alike: ``templates`` are the tasks' prompts, ``hints`` the callers' names where one is
    consistent. Words that set a task apart are found by c-TF-IDF, W = tf x log(1 + A/f) (Grootendorst 2022).
    """
    terms = distinctive_terms(templates)
    names = [
        _given(hint)
        or _order(template)
        or _role(template)
        or _order(template, weak=True)
        or _from_terms(template, found)
        for template, hint, found in zip(templates, hints, terms, strict=True)
    ]
    return _distinct([name or "Unnamed" for name in names], templates, terms)


def distinctive_terms(templates: Sequence[str]) -> list[list[str]]:
    """Per template, its words in the order in which they set it apart from the others."""
    counts = [Counter(word for word in tokens(text) if _can_tell(word)) for text in templates]
    overall: Counter[str] = Counter()
    for count in counts:
        overall.update(count)
    average = overall.total() / max(1, len(counts))
    return [
        sorted(count, key=lambda word: (-count[word] * math.log1p(average / overall[word]), word)) for count in counts
    ]


def unique(name: str, taken: Iterable[str]) -> str:
    """``name``, with a number behind it when another task has it."""
    known = {other.casefold() for other in taken}
    number, tried = 2, name
    while tried.casefold() in known:
        tried, number = f"{name} {number}", number + 1
    return tried


def _can_tell(word: str) -> bool:
    return word.isalpha() and len(word) > 2 and word not in STOP_WORDS


def _given(hint: str | None) -> str:
    """``order-number-extraction`` -> ``Order number extraction``; names that a library gave say nothing."""
    if hint is None or _MEANINGLESS.search(hint.strip()):
        return ""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", hint)
    words = re.sub(r"[\W_]+", " ", spaced.replace("'", "")).split()
    return _title(words[:MOST_WORDS]) if any(word.isalpha() for word in words) else ""


def _order(template: str, *, weak: bool = False) -> str:
    """The order in the prompt: "You extract the order number from ..." -> "Extract order number".

    Orders that open a sentence or follow "you" come before those inside one. ``weak`` ones only say how to answer.
    """
    found: list[tuple[bool, str]] = []
    for sentence in _SENTENCE_END.split(template):
        words = re.findall(r"[\w'’/-]+", sentence)
        place = _verb_place(words, weak=weak)
        if place is None:
            continue
        name = _title([BASE_FORM[words[place].lower()], *_object(words[place + 1 :])])
        if len(name.split()) >= (3 if weak else 2):
            found.append((place > 0 and words[place - 1].lower() not in ("you", "please"), name))
    return min(found, key=lambda item: item[0])[1] if found else ""


def _verb_place(words: Sequence[str], *, weak: bool) -> int | None:
    """Where an order begins: at the start of a sentence, or behind "you", "to", "that", "by" and the like."""
    for place, word in enumerate(words[:20]):
        if word.lower() in BASE_FORM and (BASE_FORM[word.lower()] in WEAK_VERBS) == weak:
            before = words[place - 1].lower() if place else ""
            if place == 0 or before in _ORDERS_FOLLOW:
                return place
    return None


def _object(words: Sequence[str]) -> list[str]:
    """The noun behind the verb: articles go, and so does all from the first preposition behind a noun."""
    kept: list[str] = []
    for word in words:
        lowered = word.lower()
        if lowered in _DROPPED:
            continue
        if lowered in _CUT and (kept or lowered not in _JOINS):
            if lowered in _JOINS and len(kept) == 1 and len(words) > 2:
                kept.append(lowered)
                continue
            break
        kept.append(word)
        if len(kept) == MOST_WORDS - 1:
            break
    while kept and kept[-1].lower() in _CUT:
        kept.pop()
    return kept


def _role(template: str) -> str:
    """ "You are a support assistant for ..." -> "Support assistant"; a helpful assistant is no name."""
    found = _ROLE.search(template)
    role = list(takewhile(lambda word: word.lower() not in _CUT, found[1].split()[:_ROLE_WORDS] if found else []))
    kept = [word for word in role if word.lower() not in _DROPPED]
    return _title(kept[-MOST_WORDS:]) if any(word.lower() not in _BLAND for word in kept) else ""


def _from_terms(template: str, terms: Sequence[str]) -> str:
    """The three most telling words, in the order in which the prompt says them."""
    said = tokens(template)
    return _title(sorted(terms[:3], key=said.index))


def _title(words: Sequence[str]) -> str:
    text = " ".join(words[:MOST_WORDS])
    return text[:1].upper() + text[1:]


def _distinct(names: Sequence[str], templates: Sequence[str], terms: Sequence[Sequence[str]]) -> list[str]:
    """Names that several tasks share get the word that only one of them has, then a number."""
    found: list[str] = []
    for place, name in enumerate(names):
        others = [templates[i] for i, other in enumerate(names) if i != place and other.casefold() == name.casefold()]
        theirs = {word for text in others for word in tokens(text)} | set(name.casefold().split())
        own = next((word for word in terms[place] if word not in theirs), "") if others else ""
        found.append(unique(_title([*name.split()[: MOST_WORDS - 1], own]) if own else name, found))
    return found
