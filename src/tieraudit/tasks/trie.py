"""Frequent prefixes of token sequences: where a template ends and its payload begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

FIRST = 3
FREE = 4
RATIO = 0.35


class Trie:
    """Prefixes that at least ``support`` of the learned sequences share.

    `length` walks it as METHOD 4.1 (``best``): from three tokens on, a step needs ``support`` and, beyond four tokens,
    0.35 of its parent's count. Learned level by level, so that only frequent prefixes ever take memory.
    """

    def __init__(self, sequences: Iterable[Sequence[str]], *, depth: int, support: int) -> None:
        self._children: dict[tuple[int, str], int] = {}
        self._counts: list[int] = [0]
        alive = [(0, sequence) for sequence in sequences]
        self._counts[0] = len(alive)
        for level in range(depth):
            alive = self._grow([item for item in alive if len(item[1]) > level], level, support)
            if not alive:
                break

    def _grow(
        self, alive: list[tuple[int, Sequence[str]]], level: int, support: int
    ) -> list[tuple[int, Sequence[str]]]:
        counts = Counter((node, sequence[level]) for node, sequence in alive)
        for step in sorted(key for key, count in counts.items() if count >= support):
            self._children[step] = len(self._counts)
            self._counts.append(counts[step])
        stepped = ((self._children.get((node, sequence[level])), sequence) for node, sequence in alive)
        return [(node, sequence) for node, sequence in stepped if node is not None]

    def length(self, sequence: Sequence[str]) -> int:
        """How many tokens at the start of ``sequence`` belong to a template; 0 when none do."""
        node, last = 0, 0
        for place, token in enumerate(sequence, start=1):
            child = self._children.get((node, token))
            if child is None or (place > FREE and self._counts[child] < RATIO * self._counts[node]):
                break
            node = child
            if place >= FIRST:
                last = place
        return last
