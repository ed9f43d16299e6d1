"""Prices: the table that the store joins, and the price of one call, say what genai-prices says."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price, data_snapshot, types

from tieraudit.domain import Usage
from tieraudit.formats.chat import token_usage
from tieraudit.pricing import END, NANO, NO_LIMIT, RELEASE, price_of, price_rows, provider_id, provider_of_url, usd_for

DATES = [
    datetime(2024, 6, 1, 12, tzinfo=UTC),
    datetime(2025, 6, 9, 23, 59, tzinfo=UTC),
    datetime(2026, 11, 20, tzinfo=UTC),
]
SIZES = [0, 1, 999, 128_000, 128_001, 200_000, 200_001, 272_000, 272_001, 1_000_000]
MODELS = [
    ("openai", "gpt-4o"),
    ("openai", "gpt-5-mini-2025-08-07"),
    ("openai", "o3"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-3-5-haiku-20241022"),
    ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.0-flash"),
    ("azure", "gpt-4o-2024-08-06"),
    ("aws", "us.anthropic.claude-3-7-sonnet-20250219-v1:0"),
    ("mistral", "mistral-large-latest"),
    ("groq", "llama-3.1-8b-instant"),
    ("x-ai", "grok-4"),
]
TEXT = ("input_mtok", "cache_read_mtok", "cache_write_mtok", "output_mtok", "output_reasoning_mtok")


def theirs(usage: Usage, provider: str, model: str, at: datetime) -> Decimal:
    """The price by the library itself, for the same usage."""
    counts: dict[str, int] = {"input_tokens": usage.input_tokens or 0, "output_tokens": usage.output_tokens or 0}
    counts["cache_read_tokens"] = usage.cache_read_input_tokens or 0
    counts["cache_write_tokens"] = usage.cache_creation_input_tokens or 0
    counts["output_reasoning_tokens"] = usage.reasoning_output_tokens or 0
    given = {name: count for name, count in counts.items() if count or name in ("input_tokens", "output_tokens")}
    return calc_price(TheirUsage(**given), model, provider_id=provider, genai_request_timestamp=at).total_price


def usages() -> Iterator[Usage]:
    for size in SIZES:
        for read, written in ((0, 0), (size // 2, 0), (size // 3, size // 3)):
            for made, thought in ((0, 0), (777, 0), (777, 500)):
                yield Usage(size, read or None, written or None, made, thought or None)


@pytest.mark.parametrize(("provider", "model"), MODELS)
def test_a_grid_of_dates_caches_and_tiers_agrees_with_the_library(provider: str, model: str) -> None:
    for at in DATES:
        for usage in usages():
            mine = usd_for(usage, provider, model, at)
            assert mine is not None
            assert abs(mine - theirs(usage, provider, model, at)) <= NANO, (at, usage)


def test_a_sample_of_all_models_agrees_with_the_library() -> None:
    every = [(provider.id, info) for provider in data_snapshot.get_snapshot().providers for info in provider.models]
    usage = Usage(150_000, 1_000, None, 2_000, 500)
    compared = 0
    for provider, info in random.Random(7).sample(every, 250):
        prices = [info.prices] if isinstance(info.prices, types.ModelPrice) else [item.prices for item in info.prices]
        hourly = price_rows(provider, info.id) and "hours" in price_rows(provider, info.id)[0].source
        known = [key for price in prices for key, value in vars(price).items() if value is not None]
        if hourly or "requests_kcount" in known or not any(key == "input_mtok" for key in known):
            continue
        for at in DATES:
            mine = usd_for(usage, provider, info.id, at)
            try:
                expected = theirs(usage, provider, info.id, at)
            except LookupError:
                assert mine is None
                continue
            assert mine is not None and abs(mine - expected) <= NANO, (provider, info.id, at)
            compared += 1
    assert compared > 500


def test_an_old_call_costs_what_it_cost_then() -> None:
    usage = Usage(1_000_000, None, None, 0)
    before, after = (usd_for(usage, "openai", "o3", at) for at in (DATES[1], DATES[2]))
    assert before is not None and after is not None
    assert before == 5 * after


@pytest.mark.parametrize(("provider", "model"), MODELS)
def test_the_rows_of_a_model_leave_no_gap_and_never_overlap(provider: str, model: str) -> None:
    rows = price_rows(provider, model)
    for at in DATES:
        for size in (0, 1, *SIZES):
            fitting = [
                row for row in rows if row.valid_from <= at < row.valid_to and row.input_above < size <= row.input_up_to
            ]
            assert len(fitting) == 1
    assert rows[-1].valid_to == END and rows[-1].input_up_to == NO_LIMIT
    assert all(row.source.startswith(f"{RELEASE}: ") for row in rows)


@pytest.mark.parametrize(
    ("provider", "model", "priced_as"),
    [
        ("openai", "gpt-4o", "openai/gpt-4o"),
        (None, "gpt-4o", "openai/gpt-4o"),
        (None, "openai/gpt-4o", "openai/gpt-4o"),
        ("azure", "azure/gpt-4o", "azure/gpt-4o"),
        ("azure_ai", "gpt-4o", "azure/gpt-4o"),
        ("azure.ai.openai", "gpt-4o", "azure/gpt-4o"),
        ("openai.responses", "gpt-4o", "openai/gpt-4o"),
        (None, "vertex_ai/gemini-2.0-flash", "google/gemini-2.0-flash"),
        ("gcp.vertex.agent", "gemini-2.0-flash", "google/gemini-2.0-flash"),
        ("gemini", "models/gemini-2.0-flash", "google/gemini-2.0-flash"),
        ("bedrock", "bedrock/us-east-1/anthropic.claude-3-haiku-20240307-v1:0", "aws/"),
        ("litellm_proxy", "anthropic/claude-3-5-haiku-20241022", "anthropic/claude-3-5-haiku"),
        ("openrouter", "openai/gpt-4o", "openrouter/openai/gpt-4o"),
        (None, "text-embedding-3-small", "openai/text-embedding-3-small"),
    ],
)
def test_a_logs_own_names_are_understood(provider: str | None, model: str, priced_as: str) -> None:
    assert price_rows(provider, model)[0].source.startswith(f"{RELEASE}: {priced_as}")


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        (None, "meta-llama/Llama-3.2-1B-Instruct"),
        (None, "Qwen/Qwen3-8B"),
        ("hosted_vllm", "openai/gpt-oss-20b"),
        ("openai", "deepseek-chat"),
        ("openai", "our-own-model"),
        ("somewhere", "gpt-4o"),
        (None, ""),
    ],
)
def test_an_unknown_model_has_no_price_and_not_zero(provider: str | None, model: str) -> None:
    assert price_rows(provider, model) == ()
    assert usd_for(Usage(10, output_tokens=10), provider, model, DATES[2]) is None


def test_unknown_token_counts_have_no_price() -> None:
    assert usd_for(Usage(), "openai", "gpt-4o", DATES[2]) is None
    assert usd_for(Usage(input_tokens=5), "openai", "gpt-4o", DATES[2]) is None


def test_a_price_that_changes_with_the_hour_is_the_one_of_most_hours() -> None:
    row = price_of("deepseek-chat", "deepseek", DATES[2])
    assert row is not None
    assert "the rate of most hours of the day" in row.source
    at_noon = theirs(Usage(1_000_000, output_tokens=0), "deepseek", "deepseek-chat", DATES[2].replace(hour=12))
    assert row.input_usd_per_mtok == at_noon


def test_a_fee_per_request_is_left_out_and_said_so() -> None:
    row = price_of("sonar", "perplexity", DATES[2])
    assert row is not None and "without the fee per request" in row.source


def test_the_provider_of_an_address() -> None:
    assert provider_of_url("https://api.openai.com/v1/chat/completions") == "openai"
    assert provider_of_url("http://127.0.0.1:8000/v1") is None
    assert provider_id("custom_openai_clone") is None


@pytest.mark.shared_data
def test_recorded_usages_of_real_providers_are_priced_alike(shared: Path) -> None:
    path = shared / "data" / "genai_prices_usages" / "usages.json"
    if not path.exists():
        pytest.skip("needs genai_prices_usages beside the checkout")
    names = {
        "input_tokens": "input_tokens",
        "output_tokens": "output_tokens",
        "cache_read_tokens": "cache_read_input_tokens",
        "cache_write_tokens": "cache_creation_input_tokens",
        "output_reasoning_tokens": "reasoning_output_tokens",
    }
    compared = 0
    for item in json.loads(path.read_text(encoding="utf-8")):
        for found in item["extracted"]:
            counts: dict[str, Any] = found["usage"]
            if not {"input_tokens", "output_tokens"} <= set(counts) <= set(names):
                continue
            usage = Usage(**{names[key]: value for key, value in counts.items()})
            for provider in {reader["provider_id"] for reader in found["extractors"] if "input_price" in reader}:
                mine = usd_for(usage, provider, item["model"], DATES[2])
                rows = price_rows(provider, item["model"])
                if not rows or ";" in rows[0].source:
                    continue
                assert mine is not None
                assert abs(mine - theirs(usage, provider, item["model"], DATES[2])) <= NANO, (provider, item["model"])
                compared += 1
    assert compared > 1000


@pytest.mark.shared_data
def test_recorded_openai_usages_are_read_as_their_own_reader_does(shared: Path) -> None:
    path = shared / "data" / "genai_prices_usages" / "usages.json"
    if not path.exists():
        pytest.skip("needs genai_prices_usages beside the checkout")
    compared = 0
    for item in json.loads(path.read_text(encoding="utf-8")):
        for found in item["extracted"]:
            readers = {(reader["provider_id"], reader["api_flavor"]) for reader in found["extractors"]}
            counts = found["usage"]
            if not readers & {("openai", "chat"), ("openai", "responses")} or not {
                "input_tokens",
                "output_tokens",
            } <= set(counts):
                continue
            if "messages" in item["body"].get("file", "") or "cache_read_input_tokens" in item["body"]["usage"]:
                continue
            usage = token_usage(item["body"]["usage"])
            assert (usage.input_tokens, usage.output_tokens) == (counts["input_tokens"], counts["output_tokens"])
            assert (usage.cache_read_input_tokens or 0) == counts.get("cache_read_tokens", 0)
            compared += 1
    assert compared > 300
