"""Draws of calls for replay: seeded, uniform with replacement, and known without any state.

Draw i of a stream (task, tier, gate, stage) is a hash of the seed, the stream and i, so a resumed audit draws what an
uninterrupted one would have drawn. METHOD 2.1: one call for each conversation; METHOD 2.5: the gate ``macro`` draws a
label first, so that a rare label weighs as much as a frequent one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

MACRO = "macro"


@dataclass(frozen=True, slots=True)
class Stream:
    """One sequence of draws."""

    task_id: str
    tier: str
    gate: str
    stage: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """One draw: the call, and the weight that turns its gate's mean into the mean over calls."""

    call_id: UUID
    weight: float


class Pool:
    """The calls of one task that can be replayed, grouped as the gate draws them."""

    def __init__(self, groups: Sequence[Sequence[UUID]], *, weighted: bool) -> None:
        self._groups = groups
        self._weighted = weighted
        self._calls = sum(len(group) for group in groups)

    @classmethod
    def by_conversation(cls, calls: Iterable[tuple[UUID, str | None]]) -> Pool:
        """For the gate ``agreement``: (call, conversation) in a fixed order; a call without one stands alone."""
        groups: dict[str | UUID, list[UUID]] = {}
        for call_id, conversation_id in calls:
            groups.setdefault(conversation_id or call_id, []).append(call_id)
        return cls(list(groups.values()), weighted=False)

    @classmethod
    def by_label(cls, calls: Iterable[tuple[UUID, str]]) -> Pool:
        """For the gate ``macro``: (call, normalised label) in a fixed order."""
        groups: dict[str, list[UUID]] = {}
        for call_id, label in calls:
            groups.setdefault(label, []).append(call_id)
        return cls([groups[label] for label in sorted(groups)], weighted=True)

    def draw(self, seed: int, stream: Stream, number: int) -> Drawn:
        """Draw ``number`` of ``stream``: a group uniformly, then a call of it uniformly."""
        group = self._groups[_uniform(seed, stream, number, "group", len(self._groups))]
        call_id = group[_uniform(seed, stream, number, "call", len(group))]
        weight = len(group) * len(self._groups) / self._calls if self._weighted else 1.0
        return Drawn(call_id, weight)


def case_id(audit_id: str, stream: Stream, number: int) -> UUID:
    """The id of a draw: the same in every run of the audit."""
    return UUID(bytes=_digest(audit_id, *_names(stream), number)[:16])


def _uniform(seed: int, stream: Stream, number: int, what: str, size: int) -> int:
    # 256 bits over at most some millions: the remainder's bias is below 1e-70.
    return int.from_bytes(_digest(seed, *_names(stream), number, what)) % size


def _names(stream: Stream) -> tuple[str | int, ...]:
    return stream.task_id, stream.tier, stream.gate, stream.stage


def _digest(*parts: str | int) -> bytes:
    return sha256("\0".join(str(part) for part in parts).encode()).digest()
