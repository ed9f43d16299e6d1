"""System prompts -> keys: a stable prompt is its own key; one with varying slots is known by what stays."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from tieraudit.tasks.masking import VARIES, token_spans, tokens
from tieraudit.tasks.sample import MIN_SUPPORT, Sampled, Span
from tieraudit.tasks.shapes import Answer, labels_of, same_labels
from tieraudit.tasks.traits import HEAD_TOKENS, TAIL_TOKENS, SystemText, digest, split_pieces
from tieraudit.tasks.trie import Trie

# Up to this many prompts that differ only in numbers or names are as many tasks; more are one task with a slot.
APART = 4
STABLE_SHARE = 0.95
KEPT_ANSWERS = 400
PROMPTS_COMPARED = 2_000
PIECES_COMPARED = 40
BOTH_ORDERS = 2
POOL_PARTNERS = 2


@dataclass(frozen=True, slots=True)
class SystemKey:
    """What stays of a system prompt. ``kind``: ``exact`` and ``loose`` are whole prompts that many calls share,
    ``pieces`` is known by its frequent sentences and the ends of the varying part. ``pieces`` are digests.
    """

    kind: str
    value: str
    pieces: frozenset[str] = frozenset()

    @property
    def stable(self) -> bool:
        """Whether the whole prompt stays the same over its calls."""
        return self.kind != "pieces"


@dataclass(slots=True)
class _Variant:
    """The calls of one exactly masked prompt."""

    times: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def add(self, call: Sampled) -> None:
        self.times.append(call.at)
        if call.answer is not None and len(self.answers) < KEPT_ANSWERS:
            self.answers.append(call.answer)


class SystemKeys:
    """The system prompts of a log, learned on a sample.

    Prompts that are equal but for small numbers and names form a group. When a group has up to four members, each
    stable over a dozen calls or more and run side by side, they are different tasks; when it has more, or a long tail,
    the difference is a slot. A prompt that no dozen calls share is known by its frequent sentences and by the trie
    over the first and last sentence that is not. Sentences that come in either order are payload (retrieved snippets,
    an agent's notes) and count for nothing.
    """

    def __init__(self, calls: Sequence[Sampled], support: int) -> None:
        self._payload = payload_pieces(
            [call.traits.system for call in calls if call.traits.system is not None], support
        )
        groups: dict[str, dict[str, _Variant]] = defaultdict(dict)
        pieces: Counter[str] = Counter()
        for call in calls:
            if call.traits.system is not None:
                loose, exact = self._names(call.traits.system)
                groups[loose].setdefault(exact, _Variant()).add(call)
                pieces.update(set(call.traits.system.pieces))
        self._stable = {
            loose: _keys_of_group(loose, variants)
            for loose, variants in groups.items()
            if sum(len(variant.times) for variant in variants.values()) >= MIN_SUPPORT
        }
        self._frequent = {piece for piece, count in pieces.items() if count >= support} - self._payload
        rests = [rest for call in calls if (rest := self._rest_of(call.traits.system)) is not None]
        self._openings = Trie([opening for opening, _ in rests], depth=HEAD_TOKENS, support=support)
        self._endings = Trie([ending for _, ending in rests], depth=TAIL_TOKENS, support=support)

    def key(self, system: SystemText) -> SystemKey | None:
        """The key of a system prompt; None when nothing of it is known from many calls."""
        loose, exact = self._names(system)
        if loose in self._stable:
            variants, default = self._stable[loose]
            return SystemKey(*variants.get(exact, default), frozenset(system.pieces) - self._payload)
        opening, ending = self._rest_of(system) or ((), ())
        start = opening[: self._openings.length(opening)]
        end = ending[: self._endings.length(ending)]
        kept = [piece for piece in system.pieces if piece in self._frequent]
        if not (kept or start or end):
            return None
        return SystemKey("pieces", digest("\n".join([*kept, " ".join(start), " ".join(end)])), frozenset(kept))

    def parts(self, system: SystemText) -> list[str]:
        """The pieces of a prompt in order, as written but for masks, with «…» for what varies from call to call."""
        shown: list[str] = []
        for _, part in self._pairs(system):
            if part != VARIES or shown[-1:] != [VARIES]:
                shown.append(part)
        return shown

    def skeleton(self, system: SystemText) -> str:
        """The prompt with its lines as written, marks for names and the like, and «…» for what else varies."""
        key = self.key(system)
        whole = key is not None and key.kind == "exact" and self._payload.isdisjoint(system.pieces)
        text = system.masked if whole else system.loose_text
        for piece, part in self._pairs(system):
            if part != piece:
                words = r"\s+".join(map(re.escape, piece.split()))
                text = re.sub(words, part.replace("\\", r"\\"), text, count=1)
        return re.sub(rf"{VARIES}(?:\s*{VARIES})+", VARIES, text.strip())

    def _pairs(self, system: SystemText) -> list[tuple[str, str]]:
        """Each piece, and what of it stays."""
        opening, ending = self._rest_of(system) or ((), ())
        stable = self._names(system)[0] in self._stable
        varied = self._payload if stable else {piece for piece in system.pieces if piece not in self._frequent}
        rare = [place for place, piece in enumerate(system.pieces) if piece in varied]
        pairs = []
        for place, piece in enumerate(system.piece_texts()):
            start = self._openings.length(opening) if rare and place == rare[0] else 0
            end = self._endings.length(ending) if rare and place == rare[-1] else 0
            pairs.append((piece, _ends_of(piece, start, end) if place in rare else piece))
        return pairs

    def _names(self, system: SystemText) -> tuple[str, str]:
        """``loose`` and ``exact`` of a prompt; both of what is left when it has payload sentences."""
        if self._payload.isdisjoint(system.pieces):
            return system.loose, system.exact
        left = digest("\n".join(piece for piece in system.pieces if piece not in self._payload))
        return left, left

    def _rest_of(self, system: SystemText | None) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The tokens of the first piece that is rare, and in reverse of the last one; None for a stable prompt."""
        if system is None or self._names(system)[0] in self._stable:
            return None
        rare = [place for place, piece in enumerate(system.pieces) if piece not in self._frequent]
        if not rare:
            return (), ()
        texts = split_pieces(system.loose_text)
        first, last = tokens(texts[rare[0]]), tokens(texts[rare[-1]])
        return tuple(first[:HEAD_TOKENS]), tuple(last[: -TAIL_TOKENS - 1 : -1])


def payload_pieces(systems: Sequence[SystemText], support: int) -> frozenset[str]:
    """The frequent sentences that stand before others in some calls and behind them in others.

    What tells tasks apart has its place in the prompt; what is drawn from a pool comes in any order. Two sentences
    that changed places once, when a prompt was edited, are no pool: it takes two partners.
    """
    prompts = Counter(system.pieces for system in systems)
    counts: Counter[str] = Counter()
    for pieces, calls in prompts.items():
        counts.update(dict.fromkeys(pieces, calls))
    frequent = {piece for piece, count in counts.items() if count >= support}
    before: Counter[tuple[str, str]] = Counter()
    for pieces in sorted(prompts)[:: max(1, len(prompts) // PROMPTS_COMPARED)]:
        kept = [piece for piece in pieces if piece in frequent][:PIECES_COMPARED]
        before.update(dict.fromkeys(combinations(kept, 2), prompts[pieces]))
    partners = Counter(
        one
        for (one, other), calls in before.items()
        if one != other and calls >= BOTH_ORDERS and before[other, one] >= BOTH_ORDERS
    )
    return frozenset(piece for piece, count in partners.items() if count >= POOL_PARTNERS)


def _ends_of(piece: str, start: int, end: int) -> str:
    """``piece`` with «…» between its first ``start`` and its last ``end`` tokens."""
    spans = token_spans(piece)
    if start + end >= len(spans):
        return piece
    opening = piece[: spans[start - 1][1]] + " " if start else ""
    closing = " " + piece[spans[-end][0] :] if end else ""
    return f"{opening}{VARIES}{closing}"


def _keys_of_group(loose: str, variants: dict[str, _Variant]) -> tuple[dict[str, tuple[str, str]], tuple[str, str]]:
    """Which variants of one loosely masked prompt are one key, and the key of a variant that was not seen."""
    total = sum(len(variant.times) for variant in variants.values())
    stable = {exact: item for exact, item in sorted(variants.items()) if len(item.times) >= MIN_SUPPORT}
    if sum(len(item.times) for item in stable.values()) < STABLE_SHARE * total:
        return {}, ("loose", loose)
    parts = _components(stable)
    if len(parts) == 1:
        return {}, ("loose", loose) if len(stable) > 1 else ("exact", next(iter(stable)))
    parts.sort(key=lambda part: (-sum(len(stable[exact].times) for exact in part), part))
    names = [("exact", min(part, key=lambda exact: (-len(stable[exact].times), exact))) for part in parts]
    return {exact: name for part, name in zip(parts, names, strict=True) for exact in part}, names[0]


def _components(stable: dict[str, _Variant]) -> list[list[str]]:
    """Variants that are one task, joined pair by pair."""
    spans = {exact: Span.of(item.times) for exact, item in stable.items()}
    labels = {exact: labels_of(item.answers) for exact, item in stable.items()}
    parts: list[list[str]] = []
    for exact in stable:
        joined = [
            part
            for part in parts
            if any(
                same_labels(labels[exact], labels[other])
                and (len(stable) > APART or not spans[exact].beside(spans[other]))
                for other in part
            )
        ]
        parts = [part for part in parts if part not in joined]
        parts.append(sorted([exact, *(other for part in joined for other in part)]))
    return parts
