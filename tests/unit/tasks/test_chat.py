"""Topics of calls without a template."""

from __future__ import annotations

import random

import pytest

from tieraudit.tasks.agreement import agreement
from tieraudit.tasks.chat import FEWEST_TOPICS, Topics

SUBJECTS = (
    "refund invoice payment card bank",
    "parcel courier delivery box street",
    "login password account mail code",
)


def turns() -> tuple[list[list[str]], list[str]]:
    source = random.Random(1)
    truth = [SUBJECTS[number % 3] for number in range(300)]
    return [[source.choice(subject.split()) for _ in range(8)] for subject in truth], truth


@pytest.fixture(scope="module")
def learned() -> Topics:
    return Topics(turns()[0], seed=1)


def test_no_topic_mixes_subjects(learned: Topics) -> None:
    said, truth = turns()
    found = learned.of(said)
    assert agreement(truth, [str(topic) for topic in found]).homogeneity > 0.95
    assert len(learned) >= FEWEST_TOPICS


def test_the_same_seed_gives_the_same_topics(learned: Topics) -> None:
    said, _ = turns()
    assert Topics(said, seed=1).of(said) == learned.of(said)


def test_a_topic_is_named_by_its_words(learned: Topics) -> None:
    said, _ = turns()
    assert set(learned.terms(learned.of(said)[0])) <= set(SUBJECTS[0].split())


def test_a_turn_of_unknown_words_has_a_topic_too(learned: Topics) -> None:
    assert 0 <= learned.of([["zebra"]])[0] < len(learned)
