"""The hard budget under any interleaving of requests."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieraudit.pipeline.budget import Budget, BudgetEnded


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 200),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 100)), min_size=1, max_size=25),
    st.integers(1, 6),
    st.integers(0, 1000),
)
def test_requests_in_flight_together_never_pass_it(
    limit: int, requests: list[tuple[int, int]], workers: int, seed: int
) -> None:
    budget = Budget(Decimal(limit), None, spent_usd=Decimal(0), calls=0)
    order = random.Random(seed)
    left = list(requests)
    out = Decimal(0)

    async def work() -> None:
        nonlocal out
        while left:
            worst, share = left.pop()
            try:
                await budget.reserve(Decimal(worst))
            except BudgetEnded:
                return
            out += worst
            assert budget.spent_usd + out <= limit
            for _ in range(order.randrange(4)):
                await asyncio.sleep(0)
            out -= worst
            await budget.settle(Decimal(worst), Decimal(worst) * share / 100)

    async def run() -> None:
        await asyncio.gather(*(work() for _ in range(workers)))

    asyncio.run(run())
    assert budget.spent_usd <= limit


def test_it_waits_for_what_comes_back_before_it_gives_up() -> None:
    async def run() -> None:
        budget = Budget(Decimal(10), None, spent_usd=Decimal(0), calls=0)
        await budget.reserve(Decimal(8))
        waiting = asyncio.create_task(budget.reserve(Decimal(8)))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        await budget.settle(Decimal(8), Decimal(1))
        await waiting
        await budget.settle(Decimal(8), Decimal(8))
        with pytest.raises(BudgetEnded, match=r"\$10 .* could cost \$8\.0000"):
            await budget.reserve(Decimal(8))

    asyncio.run(run())


def test_calls_are_limited_over_all_runs() -> None:
    async def run() -> None:
        budget = Budget(None, 3, spent_usd=Decimal(0), calls=2)
        await budget.reserve(Decimal(1))
        await budget.settle(Decimal(1), Decimal(1))
        with pytest.raises(BudgetEnded, match="limit of 3 calls"):
            await budget.reserve(Decimal(1))

    asyncio.run(run())


def test_without_a_limit_everything_fits() -> None:
    budget = Budget(None, None, spent_usd=Decimal(0), calls=0)
    asyncio.run(budget.reserve(Decimal(10**9)))
    assert not budget.limited
