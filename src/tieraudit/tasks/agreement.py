"""How far the tasks that were found agree with tasks that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement over ``calls`` calls. V-measure (Rosenberg, Hirschberg 2007) is the harmonic mean of homogeneity (no
    task mixes known ones) and completeness (no known one is split); ARI (Hubert, Arabie 1985) counts pairs of calls.
    """

    calls: int
    v_measure: float
    homogeneity: float
    completeness: float
    adjusted_rand: float


def agreement(known: Sequence[str], found: Sequence[str]) -> Agreement:
    """Compare the known and the found task of each call, in the same order; both must not be empty."""
    from sklearn.metrics import adjusted_rand_score, homogeneity_completeness_v_measure

    homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(known, found)
    return Agreement(
        calls=len(known),
        v_measure=round(float(v_measure), 4),
        homogeneity=round(float(homogeneity), 4),
        completeness=round(float(completeness), 4),
        adjusted_rand=round(float(adjusted_rand_score(known, found)), 4),
    )
