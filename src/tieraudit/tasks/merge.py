"""Fingerprints -> clusters: TF-IDF and average linkage, with what must never be joined kept apart."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tieraudit.tasks.fingerprint import Fingerprint
from tieraudit.tasks.sample import Span
from tieraudit.tasks.shapes import alike, same_labels

JOIN_DISTANCE = 0.5
NEAR_DISTANCE = 0.35
LOOKED_INTO = 0.75
NEVER = 1e6
MOST_ITEMS = 5_000
VERSION_WORDS = 0.6
VERSION_DAYS = 2
OWN_WORDS = 3
LENGTHS_ALIKE = 2

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Template:
    """A fingerprint that enough calls share, with what the decision to merge it needs."""

    fingerprint: Fingerprint
    calls: int
    words: tuple[str, ...]
    span: Span
    shape: str
    answer_words: float
    labels: tuple[str, ...]
    piece_words: dict[str, int]


class Merger:
    """Joins templates that say nearly the same, by average linkage on the cosine of TF-IDF unigrams (METHOD 4.2)."""

    def __init__(self, templates: Sequence[Template], days: float) -> None:
        """``days`` is the length of the log: in one too short to tell, no prompt is taken for a later version."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.preprocessing import normalize

        self._templates = templates
        self._versions = days >= VERSION_DAYS
        self._vectors = TfidfVectorizer(analyzer=_as_is, norm=None)
        self._rows = normalize(self._vectors.fit_transform([item.words or ("",) for item in templates]))
        self.clusters = self._join()
        self._centroids, self._owners = self._centres()

    def nearest(self, words: Sequence[Sequence[str]], fingerprints: Sequence[Fingerprint]) -> list[int | None]:
        """The cluster within `NEAR_DISTANCE` of each prompt that no template knows; None where there is none."""
        if not words or not self.clusters:
            return [None] * len(words)
        likeness = (self._vectors.transform(list(words)) @ self._centroids.T).toarray()
        likeness /= np.array([self._length(one) for one in words])[:, None]
        found: list[int | None] = []
        for row, fingerprint in zip(likeness, fingerprints, strict=True):
            same = self._owners.get(fingerprint.settings, [])
            best = max(same, key=lambda place: (row[place], -place), default=None)
            found.append(best if best is not None and row[best] >= 1 - NEAR_DISTANCE else None)
        return found

    def _length(self, words: Sequence[str]) -> float:
        """The length of a prompt's vector, with the words that no template has: those make it unlike them all."""
        known, idf = self._vectors.vocabulary_, self._vectors.idf_
        new = math.log(1 + len(self._templates)) + 1
        weights = [(idf[known[word]] if word in known else new) * count for word, count in Counter(words).items()]
        return math.sqrt(sum(weight * weight for weight in weights)) or 1.0

    def _join(self) -> list[list[int]]:
        groups: dict[object, list[int]] = defaultdict(list)
        for place, item in enumerate(self._templates):
            groups[item.fingerprint.settings].append(place)
        clusters = [cluster for members in groups.values() for cluster in self._join_group(members)]
        return sorted(clusters, key=lambda cluster: (-sum(self._templates[i].calls for i in cluster), cluster))

    def _join_group(self, members: list[int]) -> list[list[int]]:
        from scipy.cluster.hierarchy import fcluster, linkage
        from scipy.spatial.distance import squareform

        members = sorted(members, key=lambda place: (-self._templates[place].calls, self._templates[place].words))
        joined, alone = members[:MOST_ITEMS], members[MOST_ITEMS:]
        if len(joined) < 2:
            return [[place] for place in members]
        distances = self._distances(joined)
        tree = linkage(squareform(distances, checks=False), method="average")
        parts: dict[int, list[int]] = defaultdict(list)
        for place, part in zip(joined, fcluster(tree, JOIN_DISTANCE, criterion="distance"), strict=True):
            parts[int(part)].append(place)
        return [*parts.values(), *([place] for place in alone)]

    def _distances(self, joined: Sequence[int]) -> Matrix:
        """Cosine distances, `NEVER` where two must stay apart; pairs that are far apart anyway are not looked into."""
        rows = self._rows[joined]
        distances: Matrix = np.clip(1 - (rows @ rows.T).toarray(), 0, 2)
        stable = np.array([_is_stable(self._templates[place]) for place in joined])
        far = np.where(stable[:, None] & stable[None, :], NEVER, distances)
        close = np.argwhere(np.triu(distances <= LOOKED_INTO, k=1))
        for one, two in close.tolist():
            joins = self._may_join(self._templates[joined[one]], self._templates[joined[two]])
            far[one, two] = far[two, one] = distances[one, two] if joins else NEVER
        np.fill_diagonal(far, 0)
        return far

    def _may_join(self, one: Template, other: Template) -> bool:
        if not _answer_alike(one, other) or not one.fingerprint.worded or not other.fingerprint.worded:
            return False
        first, second = one.fingerprint, other.fingerprint
        if first.shots and second.shots and first.shots != second.shots:
            return self._is_version(one, other)
        if first.system is None or second.system is None or first.system == second.system:
            return True
        if first.system.stable and second.system.stable:
            return self._is_version(one, other)
        if _own_words(one, other) >= OWN_WORDS and _own_words(other, one) >= OWN_WORDS:
            return self._is_version(one, other)
        return True

    def _is_version(self, one: Template, other: Template) -> bool:
        """Whether one prompt followed the other in time and says nearly the same: an edited prompt."""
        if not self._versions or one.span.beside(other.span) or not same_labels(one.labels, other.labels):
            return False
        first, second = Counter(one.words), Counter(other.words)
        return (first & second).total() >= VERSION_WORDS * max(first.total(), second.total())

    def _centres(self) -> tuple[Matrix, dict[object, list[int]]]:
        from scipy.sparse import csr_matrix, vstack
        from sklearn.preprocessing import normalize

        owners: dict[object, list[int]] = defaultdict(list)
        centres = []
        for number, cluster in enumerate(self.clusters):
            if any(self._templates[place].fingerprint.worded for place in cluster):
                owners[self._templates[cluster[0]].fingerprint.settings].append(number)
            weights = np.array([self._templates[place].calls for place in cluster], dtype=float)
            centres.append(csr_matrix(weights @ self._rows[cluster]))
        return normalize(vstack(centres)) if centres else csr_matrix((0, 0)), owners


def _own_words(one: Template, other: Template) -> int:
    """How many words of frequent sentences the first prompt has for itself."""
    mine = one.fingerprint.system.pieces if one.fingerprint.system else frozenset()
    theirs = other.fingerprint.system.pieces if other.fingerprint.system else frozenset()
    return sum(one.piece_words.get(piece, 0) for piece in mine - theirs)


def _answer_alike(one: Template, other: Template) -> bool:
    """Whether the shapes can be one task's; answers of about a dozen words may be told short here and text there."""
    if {one.shape, other.shape} == {"short", "text"}:
        return max(one.answer_words, other.answer_words) <= LENGTHS_ALIKE * min(one.answer_words, other.answer_words)
    return alike(one.shape, other.shape)


def _is_stable(template: Template) -> bool:
    system = template.fingerprint.system
    return system is not None and system.stable


def _as_is(words: Sequence[str]) -> Sequence[str]:
    return words
