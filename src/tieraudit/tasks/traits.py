"""What is remembered of one call's prompt: the system text, masked by degrees, and both ends of the user's turn."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tieraudit.tasks.masking import first_tokens, last_tokens, mask, mask_loosely, mask_payload, tokens
from tieraudit.tasks.view import PromptView, view

SYSTEM_CHARS = 24_000
HEAD_CHARS = 400
TAIL_CHARS = 240
SHOTS_CHARS = 2_000
HEAD_TOKENS = 24
TAIL_TOKENS = 16
CACHED_PROMPTS = 4_096

Ends = tuple[str, str]
TokenEnds = tuple[tuple[str, ...], tuple[str, ...]]

_PIECE_END = re.compile(r"(?<=[.!?:;])\s+|\s*\n\s*|(?=<[A-Za-z_]{1,40}>)|(?=</[A-Za-z_]{1,40}>)|```")


def digest(text: str) -> str:
    """Sixteen hex digits that stand for ``text``, the same in every process and version."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def sha256(text: str) -> str:
    """The hash that a router computes of a system text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def split_pieces(masked: str) -> list[str]:
    """The sentences, lines and tagged parts of a masked system text, in order."""
    return [piece for part in _PIECE_END.split(masked) if (piece := " ".join(part.split()))]


@dataclass(slots=True)
class SystemText:
    """One system prompt. ``exact`` and ``loose`` stand for it under `mask` and `mask_loosely`; ``pieces`` are the
    digests of the sentences of ``loose_text``. ``raw`` is cut to `SYSTEM_CHARS`; ``sha256`` is of the whole.
    """

    raw: str
    loose_text: str
    sha256: str
    exact: str
    loose: str
    pieces: tuple[str, ...]

    @property
    def masked(self) -> str:
        """The text under `mask`, as `exact` stands for it."""
        return mask(self.raw)

    def piece_texts(self) -> list[str]:
        """The texts of ``pieces``."""
        return split_pieces(self.loose_text)


@dataclass
class Traits:
    """One call's prompt. What costs time is computed when it is asked for; of the turns only both ends are kept."""

    view: PromptView
    system: SystemText | None
    shots: str
    hint: str | None
    opening: Ends
    user: Ends

    @cached_property
    def opening_tokens(self) -> TokenEnds:
        """The first tokens of the opening user turn, and its last ones in reverse."""
        return token_ends(self.opening)

    @cached_property
    def user_tokens(self) -> TokenEnds:
        """As `opening_tokens`, of the last user turn."""
        return self.opening_tokens if self.user == self.opening else token_ends(self.user)

    @property
    def words(self) -> list[str]:
        """The tokens by which a call without a known template is compared with tasks."""
        if self.system is not None:
            return tokens(self.system.loose_text)
        head, tail = self.opening_tokens
        return [*head, *reversed(tail)]


def ends_of(turn: str) -> Ends:
    """A short turn and an empty text, or the first and the last characters of a long one, from behind the last fence
    where a block reaches into them.
    """
    if len(turn) <= HEAD_CHARS + TAIL_CHARS:
        return turn, ""
    end = turn[-TAIL_CHARS:]
    cut_block = "```" in end and turn.count("```", 0, -TAIL_CHARS) % 2
    return turn[:HEAD_CHARS], end[end.index("```") + 3 :] if cut_block else end


def token_ends(turn: Ends) -> TokenEnds:
    """The first and the last (reversed) tokens under `mask_payload`; those of a short turn overlap."""
    head = mask_payload(turn[0])
    tail = mask_payload(turn[1]) if turn[1] else head
    return tuple(first_tokens(head, HEAD_TOKENS)), tuple(last_tokens(tail, TAIL_TOKENS))


class Reader:
    """Turns requests into `Traits`; equal system prompts are masked once."""

    def __init__(self) -> None:
        self._systems: OrderedDict[str, SystemText] = OrderedDict()

    def read(self, request: Mapping[str, Any], hint: str | None) -> Traits:
        """The traits of one Chat Completions body; never raises."""
        seen = view(request)
        return Traits(
            view=replace(seen, opening="", user="", shots=seen.shots[:SHOTS_CHARS]),
            system=self._system(seen.system) if seen.system else None,
            shots=digest(seen.shots) if seen.shots else "",
            hint=hint,
            opening=ends_of(seen.opening),
            user=ends_of(seen.user),
        )

    def _system(self, raw: str) -> SystemText:
        known = self._systems.get(raw)
        if known is None:
            known = self._systems[raw] = read_system(raw)
            if len(self._systems) > CACHED_PROMPTS:
                self._systems.popitem(last=False)
        else:
            self._systems.move_to_end(raw)
        return known


def read_system(raw: str) -> SystemText:
    """Mask one system prompt; of a very long one, the first two thirds of `SYSTEM_CHARS` and the last third count."""
    kept = raw
    if len(raw) > SYSTEM_CHARS:
        kept = f"{raw[: 2 * SYSTEM_CHARS // 3]}\n{raw[-SYSTEM_CHARS // 3 :]}"
    exact = mask(kept)
    loose = mask_loosely(exact)
    return SystemText(
        raw=kept,
        loose_text=loose,
        sha256=sha256(raw),
        exact=digest(" ".join(exact.split())),
        loose=digest(" ".join(loose.split())),
        pieces=tuple(digest(piece) for piece in split_pieces(loose)),
    )
