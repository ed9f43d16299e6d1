"""User turns -> keys: the frequent opening and closing words of a turn, when they are a template and not small talk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from tieraudit.tasks.sample import MIN_SUPPORT
from tieraudit.tasks.traits import HEAD_TOKENS, TAIL_TOKENS, TokenEnds
from tieraudit.tasks.trie import RATIO, Trie
from tieraudit.tasks.vocabulary import BASE_FORM

LONG = 8
COVERED = 0.8
ALIKE = 0.5
_ORDER_FOLLOWS = frozenset(".!?:;,") | {"please", "and", "then", "must", "should"}


class UserKeys:
    """The templates of user turns, learned on the token ends of many: METHOD 4.1's prefix/suffix key.

    Payload repeats itself too. Where one end is a template, the other counts only if it gives an order, or if at least
    35 % of the turns with that template have it.
    """

    def __init__(self, turns: Sequence[TokenEnds], support: int) -> None:
        self._support = support
        self._openings = Trie([opening for opening, _ in turns], depth=HEAD_TOKENS, support=support)
        self._closings = Trie([closing for _, closing in turns], depth=TAIL_TOKENS, support=support)
        self._pairs = Counter(self._frequent(turn) for turn in turns)
        self._prefixes: Counter[tuple[str, ...]] = Counter()
        self._suffixes: Counter[tuple[str, ...]] = Counter()
        for (prefix, suffix), count in self._pairs.items():
            self._prefixes[prefix] += count
            self._suffixes[suffix] += count

    def key(self, turn: TokenEnds) -> TokenEnds | None:
        """The template at both ends of a turn (the closing in reading order); None when there is none."""
        prefix, suffix = self._frequent(turn)
        count = self._pairs[prefix, suffix] if self._pairs[prefix, suffix] >= self._support else 0
        opens, closes = _is_template(prefix), _is_template(suffix)
        if opens:
            kept = suffix and (count if _orders(suffix) else count >= RATIO * self._prefixes[prefix] > 0)
            return prefix, suffix if kept else ()
        if closes:
            return prefix if count and count >= RATIO * self._suffixes[suffix] else (), suffix
        both = len(prefix) + len(suffix) >= LONG and count and count >= RATIO * self._prefixes[prefix]
        return (prefix, suffix) if both else None

    def _frequent(self, turn: TokenEnds) -> TokenEnds:
        opening, closing = turn
        return opening[: self._openings.length(opening)], closing[: self._closings.length(closing)][::-1]


def _is_template(words: Sequence[str]) -> bool:
    """People open alike too ("how do i", "i want to"): few words are a template only with an order or a colon."""
    return len(words) >= LONG or ":" in words or _orders(words)


def _orders(words: Sequence[str]) -> bool:
    """Whether the words give an order: a verb in its base form at the start of a sentence or clause."""
    before = "."
    for word in words:
        if before in _ORDER_FOLLOWS and BASE_FORM.get(word) == word:
            return True
        before = word
    return False


def templates_within(turns: Sequence[TokenEnds]) -> UserKeys | None:
    """The templates of the user turns behind one system prompt, when that is where the work is said.

    A prompt such as "You are a helpful assistant." serves many tasks: then four of five turns carry one of two or more
    templates that give an order and differ in most words. Otherwise the turns are payload, and None is returned.
    """
    learned = UserKeys(turns, MIN_SUPPORT)
    keys = [key for turn in turns if (key := learned.key(turn)) is not None]
    ordering = Counter(key for key in keys if _orders(key[0]) or _orders(key[1]))
    common = [key for key, count in ordering.items() if count >= MIN_SUPPORT]
    differ = any(_share_of_words(one, other) < ALIKE for one, other in combinations(common, 2))
    return learned if differ and ordering.total() >= COVERED * len(turns) else None


def _share_of_words(one: TokenEnds, other: TokenEnds) -> float:
    first, second = {*one[0], *one[1]}, {*other[0], *other[1]}
    return len(first & second) / len(first | second)
