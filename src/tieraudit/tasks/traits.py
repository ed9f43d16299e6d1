"""What is remembered of one call's prompt: the system text, masked by degrees, and both ends of the user's turn."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tieraudit.tasks.masking import mask, mask_loosely, mask_payload, tokens
from tieraudit.tasks.view import PromptView, view

SYSTEM_CHARS = 24_000
HEAD_CHARS = 600
TAIL_CHARS = 400
HEAD_TOKENS = 24
TAIL_TOKENS = 16
CACHED_PROMPTS = 4_096
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
    """One call's prompt. What costs time is computed when it is asked for."""

    view: PromptView
    system: SystemText | None
    shots: str
    hint: str | None = None

    @cached_property
    def user_tokens(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The first tokens of the opening user turn, and its last ones in reverse."""
        return ends(self.view.opening)

    @cached_property
    def payload_tokens(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """As `user_tokens`, of the last user turn."""
        return self.user_tokens if self.view.user == self.view.opening else ends(self.view.user)

    @property
    def words(self) -> list[str]:
        """The tokens by which a call without a known template is compared with tasks."""
        if self.system is not None:
            return tokens(self.system.loose_text)
        head, tail = self.user_tokens
        return [*head, *reversed(tail)]


def ends(turn: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The first and the last (reversed) tokens of a user's turn under `mask_payload`; short turns overlap."""
    if len(turn) <= HEAD_CHARS + TAIL_CHARS:
        found = tokens(mask_payload(turn))
        return tuple(found[:HEAD_TOKENS]), tuple(found[: -TAIL_TOKENS - 1 : -1])
    head = tokens(mask_payload(turn[:HEAD_CHARS]))
    tail = tokens(mask_payload(_closing(turn)))
    return tuple(head[:HEAD_TOKENS]), tuple(tail[: -TAIL_TOKENS - 1 : -1])


def _closing(turn: str) -> str:
    """The end of a long turn, from behind the last fence where a block reaches into it."""
    end = turn[-TAIL_CHARS:]
    return end[end.index("```") + 3 :] if turn.count("```", 0, -TAIL_CHARS) % 2 and "```" in end else end


class Reader:
    """Turns requests into `Traits`; equal system prompts are masked once."""

    def __init__(self) -> None:
        self._systems: OrderedDict[str, SystemText] = OrderedDict()

    def read(self, request: Mapping[str, Any], hint: str | None) -> Traits:
        """The traits of one Chat Completions body; never raises."""
        seen = view(request)
        shots = digest(seen.shots) if seen.shots else ""
        return Traits(seen, self._system(seen.system) if seen.system else None, shots, hint)

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
