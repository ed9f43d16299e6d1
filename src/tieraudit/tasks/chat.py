"""Calls without any template, grouped by topic: mixed tasks, for when they are too much of the spend to leave aside."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tieraudit.tasks.vocabulary import STOP_WORDS

FEWEST_CALLS = 240
FEWEST_TOPICS = 8
MOST_TOPICS = 60
DIMENSIONS = 64


class Topics:
    """k-means over TF-IDF and SVD of the users' words, k = sqrt(n/2) within 8 and 60 (METHOD 4.2, step 3).

    The groups are of one topic, not of one kind of work: mark their tasks as mixed.
    """

    def __init__(self, turns: Sequence[Sequence[str]], seed: int) -> None:
        """Learn on the tokens of at least `FEWEST_CALLS` turns."""
        # sklearn takes a second to import, and most commands never need it.
        from sklearn.cluster import MiniBatchKMeans
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectors = TfidfVectorizer(analyzer=topic_words, min_df=2, max_features=20_000)
        rows = self._vectors.fit_transform(list(turns))
        self._svd = TruncatedSVD(max(2, min(DIMENSIONS, rows.shape[1] - 1)), random_state=seed)
        count = max(FEWEST_TOPICS, min(MOST_TOPICS, math.isqrt(len(turns) // 2)))
        self._means = MiniBatchKMeans(count, random_state=seed, n_init=3, batch_size=2048)
        self._means.fit(_unit(self._svd.fit_transform(rows)))
        self._terms = self._vectors.get_feature_names_out()

    def __len__(self) -> int:
        return int(self._means.n_clusters)

    def of(self, turns: Sequence[Sequence[str]]) -> list[int]:
        """The topic of each turn."""
        points = _unit(self._svd.transform(self._vectors.transform(list(turns))))
        return [int(topic) for topic in self._means.predict(points)]

    def terms(self, topic: int) -> list[str]:
        """The words that weigh most in a topic."""
        weights = self._svd.inverse_transform(self._means.cluster_centers_[topic : topic + 1])[0]
        return [str(self._terms[place]) for place in np.argsort(-weights, kind="stable")[:3]]


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1))


def topic_words(turn: Sequence[str]) -> list[str]:
    """The words of a turn that can name a topic."""
    return [word for word in turn if word.isalpha() and len(word) > 2 and word not in STOP_WORDS]
