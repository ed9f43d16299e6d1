"""What a request can cost at most, and what its reply did."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tieraudit.config import Engine
from tieraudit.domain import Usage
from tieraudit.pipeline.reply_cost import Rates, SharedClock, Size, size_of

NOW = datetime(2025, 6, 1, tzinfo=UTC)
USAGE = Usage(input_tokens=1000, cache_read_input_tokens=0, output_tokens=100)
OPENAI = "https://api.openai.com/v1"


def rates(engine: str = "openai", model: str = "m", **fields: Any) -> Rates:
    return Rates(Engine("small", engine, model, **fields), model, now=NOW)


def test_the_rates_of_the_config_come_first() -> None:
    priced = rates(base_url=OPENAI, input_usd_per_mtok=Decimal(1), output_usd_per_mtok=Decimal(10))
    assert priced.cost(USAGE, share_s=9.0) == Decimal("0.002")
    assert priced.worst(Size(1000, 100)) == Decimal("0.002")
    assert priced.paid


def test_a_rented_gpu_costs_its_time() -> None:
    rented = rates("vllm", gpu_usd_per_hour=Decimal("3.60"), timeout_s=10.0, concurrency=5)
    assert rented.cost(USAGE, share_s=2.0) == Decimal("0.002")
    assert rented.worst(Size(1, 1)) == Decimal("0.002")
    assert not rented.paid


def test_a_known_model_of_a_known_host_has_its_list_price() -> None:
    listed = rates(model="gpt-4o-mini", base_url=OPENAI)
    assert listed.cost(USAGE, share_s=1.0) == Decimal("0.00021")
    worst = listed.worst(Size(1000, 100))
    assert worst is not None
    assert worst >= Decimal("0.00021")
    assert listed.paid


def test_an_unknown_price_elsewhere_is_unknown_and_counts_as_paid() -> None:
    unknown = rates(base_url="https://models.example.com/v1")
    assert unknown.worst(Size(1, 1)) is None
    assert unknown.cost(USAGE, share_s=1.0) is None
    assert unknown.paid


@pytest.mark.parametrize("engine", [{"engine": "llamacpp"}, {"base_url": "http://127.0.0.1:1/v1"}])
def test_a_machine_of_ours_without_a_price_bills_nothing(engine: dict[str, str]) -> None:
    own = rates(**engine)
    assert own.worst(Size(10**6, 10**6)) == 0
    assert own.cost(USAGE, share_s=1.0) is None
    assert not own.paid


def test_what_providers_ask_for_the_same_weights_says_nothing_about_a_server_of_ours() -> None:
    assert rates("vllm", model="gpt-4o-mini").cost(USAGE, share_s=1.0) is None


def test_a_free_endpoint_elsewhere_is_not_paid() -> None:
    assert not rates(base_url=OPENAI, input_usd_per_mtok=Decimal(0), output_usd_per_mtok=Decimal(0)).paid


@pytest.mark.parametrize(
    ("limits", "output"),
    [
        ({}, 4096),
        ({"max_tokens": 50}, 50),
        ({"max_tokens": 50, "max_completion_tokens": 70}, 70),
        ({"max_tokens": 50, "n": 3}, 150),
        ({"max_tokens": "lots", "n": None}, 4096),
        ({"max_tokens": -1}, 4096),
    ],
)
def test_the_size_of_a_request_is_its_own_limit(limits: dict[str, Any], output: int) -> None:
    assert size_of({"messages": [], **limits}).output_tokens == output


def test_text_of_many_bytes_has_many_tokens() -> None:
    latin, chinese = (size_of({"messages": [{"content": text * 300}]}).input_tokens for text in ("a", "中"))
    assert latin >= 100
    assert chinese >= 300


def test_the_shares_of_all_requests_are_the_time_that_the_engine_was_busy() -> None:
    clock = SharedClock()
    began = time.perf_counter()
    first, second = clock.start(), clock.start()
    time.sleep(0.05)
    shares = [clock.stop(first)]
    time.sleep(0.05)
    shares.append(clock.stop(second))
    busy = time.perf_counter() - began
    time.sleep(0.02)
    assert sum(shares) == pytest.approx(busy, abs=0.01)
    assert shares[1] > shares[0] * 1.5
