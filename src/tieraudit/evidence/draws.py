"""Draws: the outcomes of many streams side by side, so that one numpy pass serves every task, tier and gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Draws:
    """``x[i]`` was seen ``count[i]`` times in stream ``stream[i]``, of ``streams`` streams in all.

    A stream is one sequence of outcomes: one task, tier, gate and stage. An e-value is a product over draws, so their
    order does not matter and equal outcomes can be counted together; a stream may be empty.
    """

    x: Floats
    count: Floats
    stream: Ints
    streams: int

    @classmethod
    def of(cls, streams: Sequence[ArrayLike]) -> Draws:
        """One stream for each sequence of outcomes."""
        arrays = [np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in streams]
        sizes = [len(values) for values in arrays]
        x = np.concatenate(arrays) if arrays else np.empty(0)
        return cls(x, np.ones(len(x)), np.repeat(np.arange(len(arrays)), sizes), len(arrays))

    def total(self, values: Floats) -> Floats:
        """The sum of ``values`` (one for each x) over each stream, every draw counted; shape (streams,)."""
        return np.bincount(self.stream, weights=values * self.count, minlength=self.streams).astype(np.float64)

    @property
    def n(self) -> Floats:
        """Draws in each stream."""
        return self.total(np.ones_like(self.x))

    @property
    def mean(self) -> Floats:
        """Mean outcome of each stream; NaN where it is empty."""
        n = self.n
        mean: Floats = np.divide(self.total(self.x), n, out=np.full(self.streams, np.nan), where=n > 0)
        return mean

    def spread(self, value: ArrayLike) -> Floats:
        """``value``, one for all streams or one for each, as an array of shape (streams,)."""
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (self.streams,))
