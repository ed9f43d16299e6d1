"""Draws: uniform over conversations or labels, with replacement, and the same for the same seed."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.pipeline.sampling import Pool, Stream, case_id

STREAM = Stream("t", "small", "agreement", 1)
CALLS = [UUID(int=number) for number in range(50)]


def drawn(pool: Pool, count: int, *, seed: int = 1, stream: Stream = STREAM) -> list[UUID]:
    return [pool.draw(seed, stream, number).call_id for number in range(count)]


def test_every_call_has_the_same_chance_and_can_come_again() -> None:
    found = Counter(drawn(Pool.by_conversation((call, None) for call in CALLS), 20_000))
    assert set(found) == set(CALLS)
    # 400 each on average; five standard deviations are 100.
    assert all(300 < count < 500 for count in found.values())


def test_a_conversation_has_the_chance_of_one_call_whatever_its_length() -> None:
    pool = Pool.by_conversation([(call, "long" if number < 40 else None) for number, call in enumerate(CALLS)])
    found = Counter("long" if call in CALLS[:40] else "alone" for call in drawn(pool, 11_000))
    assert 850 < found["long"] < 1150
    assert len(set(drawn(pool, 3000))) == 50


def test_a_rare_label_weighs_as_much_as_a_frequent_one_and_the_weights_undo_it() -> None:
    labels = [(call, "rare" if number < 5 else "common") for number, call in enumerate(CALLS)]
    pool = Pool.by_label(labels)
    draws = [pool.draw(1, Stream("t", "small", "macro", 1), number) for number in range(10_000)]
    rare = [draw for draw in draws if draw.call_id in CALLS[:5]]
    assert 4700 < len(rare) < 5300
    assert {draw.weight for draw in rare} == {0.2}
    share = sum(draw.weight for draw in rare) / sum(draw.weight for draw in draws)
    assert share == pytest.approx(0.1, abs=0.01)


@given(st.integers(0, 2**40), st.integers(0, 10_000))
def test_a_draw_depends_on_nothing_but_its_place(seed: int, number: int) -> None:
    pools = [Pool.by_conversation((call, None) for call in CALLS) for _ in range(2)]
    drawn(pools[0], 5, seed=seed)
    assert pools[0].draw(seed, STREAM, number) == pools[1].draw(seed, STREAM, number)


@pytest.mark.parametrize(
    "other",
    [
        Stream("u", "small", "agreement", 1),
        Stream("t", "mid", "agreement", 1),
        Stream("t", "small", "macro", 1),
        Stream("t", "small", "agreement", 2),
    ],
)
def test_another_stream_or_seed_draws_afresh(other: Stream) -> None:
    pool = Pool.by_conversation((call, None) for call in CALLS)
    assert drawn(pool, 30, stream=other) != drawn(pool, 30)
    assert drawn(pool, 30, seed=2) != drawn(pool, 30)


def test_names_that_run_into_each_other_are_different_streams() -> None:
    one, two = Stream("a", "bc", "macro", 1), Stream("ab", "c", "macro", 1)
    assert case_id("a-1", one, 0) != case_id("a-1", two, 0)
    assert case_id("a-1", one, 0) == case_id("a-1", one, 0) != case_id("a-2", one, 0)
