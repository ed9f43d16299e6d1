"""User turns -> keys: the frequent opening and closing words of a turn, when they are a template and not small talk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tieraudit.tasks.sample import MIN_SUPPORT
from tieraudit.tasks.traits import HEAD_TOKENS, TAIL_TOKENS
from tieraudit.tasks.trie import Trie
from tieraudit.tasks.vocabulary import BASE_FORM, WEAK_VERBS

Ends = tuple[tuple[str, ...], tuple[str, ...]]
LONG = 8
COVERED = 0.8


class UserKeys:
    """The templates of user turns, learned on the token ends of many: METHOD 4.1's prefix/suffix key."""

    def __init__(self, turns: Sequence[Ends], support: int) -> None:
        self._openings = Trie([opening for opening, _ in turns], depth=HEAD_TOKENS, support=support)
        self._closings = Trie([closing for _, closing in turns], depth=TAIL_TOKENS, support=support)

    def key(self, turn: Ends) -> Ends | None:
        """The frequent words at both ends of a turn (the closing in reading order); None when they are no template."""
        opening, closing = turn
        prefix = opening[: self._openings.length(opening)]
        suffix = closing[: self._closings.length(closing)][::-1]
        return (prefix, suffix) if _is_template(prefix, suffix) else None


def _is_template(prefix: Sequence[str], suffix: Sequence[str]) -> bool:
    """People open alike too ("how do i", "i want to"): few words are a template only with an imperative or a colon."""
    if len(prefix) + len(suffix) >= LONG:
        return True
    words = [*prefix, *suffix]
    return ":" in words or _is_imperative(prefix) or _is_imperative(suffix)


def _is_imperative(words: Sequence[str]) -> bool:
    first = next((word for word in words if word not in ("please", ".", ",")), "")
    return first in BASE_FORM and BASE_FORM[first] == first and first not in WEAK_VERBS


def _instructs(key: Ends) -> bool:
    return any(word in BASE_FORM and BASE_FORM[word] not in WEAK_VERBS for word in (*key[0], *key[1]))


def templates_within(turns: Sequence[Ends]) -> UserKeys | None:
    """The templates of the user turns behind one system prompt, when that is where the work is said.

    A prompt such as "You are a helpful assistant." serves many tasks: then four of five turns carry one of two or more
    templates that instruct. Otherwise the turns are payload, and None is returned.
    """
    learned = UserKeys(turns, MIN_SUPPORT)
    keys = [key for turn in turns if (key := learned.key(turn)) is not None]
    instructing = Counter(key for key in keys if _instructs(key))
    if len(instructing) < 2 or instructing.total() < COVERED * len(turns):
        return None
    return learned
