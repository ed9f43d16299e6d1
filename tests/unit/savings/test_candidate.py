"""What one replay costs on a tier, by each way to price it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tieraudit.config import Engine
from tieraudit.savings.candidate import (
    Pricing,
    dedicated_month,
    gpu_cost,
    pricing_of,
    rented_ms,
    replay_cost,
    shared_ms,
    token_cost,
)

RATED = Engine("mid", "openai", input_usd_per_mtok=Decimal("0.25"), output_usd_per_mtok=Decimal(2))
RENTED = Engine("small", "vllm", gpu_usd_per_hour=Decimal("0.90"), concurrency=8, utilisation=0.30)
BILLED = Engine("mid", "openai")


def cost_of(engine: Engine, *, billed: str | None = None) -> Decimal | None:
    """One replay of 1,000 tokens in, 100 out, 0.3 seconds of the engine."""
    money = None if billed is None else Decimal(billed)
    return replay_cost(engine, input_tokens=1000, output_tokens=100, busy_ms=Decimal(300), billed_usd=money)


def test_tokens_are_priced_at_the_configured_rates() -> None:
    assert cost_of(RATED, billed="9") == Decimal("0.00045")


def test_rates_come_before_gpu_time_and_gpu_time_before_the_bill() -> None:
    both = Engine(
        "x", "vllm", gpu_usd_per_hour=Decimal(1), input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(1)
    )
    assert [pricing_of(engine) for engine in (both, RENTED, BILLED)] == [Pricing.RATES, Pricing.GPU, Pricing.BILLED]


def test_one_rate_alone_prices_nothing() -> None:
    half = Engine("x", "openai", input_usd_per_mtok=Decimal(1))
    assert pricing_of(half) is Pricing.BILLED
    assert token_cost(half, 10, 10) is None


def test_gpu_time_is_shared_by_the_replays_in_flight_and_paid_while_idle() -> None:
    # 2.4 s shared by 8 is 0.3 s of the GPU; at 30 % utilisation 1 s is paid for: $0.90 / 3600.
    assert shared_ms(RENTED, 2400.0) == 300
    assert gpu_cost(RENTED, Decimal(300)) == Decimal("0.00025")
    assert cost_of(RENTED, billed="9") == Decimal("0.00025")


def test_a_reply_that_was_billed_as_rent_tells_its_time() -> None:
    assert rented_ms(Decimal("0.00025"), Decimal("0.90")) == 1000


def test_without_a_price_in_the_config_the_bill_counts() -> None:
    assert cost_of(BILLED, billed="0.002") == Decimal("0.002")
    assert cost_of(BILLED) is None


def test_unknown_token_counts_have_no_price() -> None:
    assert token_cost(RATED, None, 10) is None


def test_a_dedicated_gpu_costs_its_rent_around_the_clock() -> None:
    assert dedicated_month(RENTED) == Decimal("657.4500")
    assert dedicated_month(RATED) is None


def test_gpu_time_needs_a_rent() -> None:
    with pytest.raises(ValueError, match="gpu_usd_per_hour"):
        gpu_cost(RATED, Decimal(1))
