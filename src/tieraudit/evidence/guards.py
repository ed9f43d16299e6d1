"""Failed replays: they are no disagreement, but a sample with too many of them decides nothing."""

from __future__ import annotations

from scipy.special import betaincc

LIMIT = 0.05
"""The share of draws that may fail."""

SURE = 0.95


def too_many_errors(failed: int, drawn: int) -> bool:
    """True when more than 5 % of the draws failed: then nothing is accepted."""
    return drawn > 0 and failed > LIMIT * drawn


def surely_too_many_errors(failed: int, drawn: int) -> bool:
    """True when the failure rate lies above 5 % with posterior probability .95: then replaying on is a waste."""
    if not too_many_errors(failed, drawn):
        return False
    return bool(betaincc(1 + failed, 1 + drawn - failed, LIMIT) > SURE)
