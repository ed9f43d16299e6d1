"""The ratio estimator: exact where costs are proportional, honest about its error elsewhere."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieraudit.savings.ratio import Sampled, cost_ratio

CENTS = st.decimals("0.0001", "5", places=4)


@given(st.lists(CENTS, min_size=2, max_size=40), st.decimals("0.01", "2", places=2))
def test_proportional_costs_give_the_exact_ratio_without_error(costs: list[Decimal], share: Decimal) -> None:
    found = cost_ratio([Sampled(cost, cost * share) for cost in costs], 1000)
    assert found is not None
    assert float(found.value) == pytest.approx(float(share))
    assert found.standard_error == pytest.approx(0.0, abs=1e-12)


@given(st.lists(st.tuples(CENTS, CENTS), min_size=2, max_size=40))
def test_a_sample_of_the_whole_population_has_no_sampling_error(pairs: list[tuple[Decimal, Decimal]]) -> None:
    found = cost_ratio([Sampled(*pair) for pair in pairs], len(pairs))
    assert found is not None
    assert found.standard_error == 0.0


def test_one_replay_gives_a_ratio_without_an_interval() -> None:
    found = cost_ratio([Sampled(Decimal(2), Decimal(1))], 10)
    assert found is not None
    assert (found.value, found.interval()) == (Decimal("0.5"), None)


def test_nothing_can_be_said_of_free_calls() -> None:
    assert cost_ratio([Sampled(Decimal(0), Decimal(1))] * 3, 10) is None
    assert cost_ratio([], 10) is None


def test_a_failed_replay_at_full_price_raises_the_ratio_by_its_share() -> None:
    sample = [Sampled(Decimal(1), Decimal("0.1"))] * 9 + [Sampled(Decimal(1), Decimal(1))]
    found = cost_ratio(sample, 100)
    assert found is not None
    assert found.value == Decimal("0.19")


def test_a_call_counts_for_the_calls_that_it_stands_for() -> None:
    found = cost_ratio([Sampled(Decimal(1), Decimal("0.5"), 3), Sampled(Decimal(1), Decimal("0.1"))], 100)
    assert found is not None
    assert found.value == Decimal("0.4")


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    chance = random.Random(20261121)
    calls = []
    for _ in range(3000):
        now = chance.lognormvariate(-5, 0.8)
        calls.append((now, now * 0.08 + chance.expovariate(1 / 0.0004)))
    truth = sum(then for _, then in calls) / sum(now for now, _ in calls)
    covered = 0
    for _ in range(400):
        sample = [Sampled(Decimal(repr(now)), Decimal(repr(then))) for now, then in chance.sample(calls, 60)]
        found = cost_ratio(sample, len(calls))
        assert found is not None
        bounds = found.interval()
        assert bounds is not None
        covered += bounds[0] <= truth <= bounds[1]
    assert 0.88 <= covered / 400 <= 0.99
