"""Providers' own reports: each row or result is a sum over a period, in one convention of tokens and money."""

from __future__ import annotations

import csv
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieraudit.domain import BilledUsage, Quarantined
from tieraudit.errors import Rejected
from tieraudit.formats.aggregates import AnthropicConsole, OpenAIUsage, OpenRouterDaily
from tieraudit.formats.base import Where
from tieraudit.formats.framing import Row, read_rows

LOGS = Path(__file__).resolve().parents[2] / "fixtures" / "logs"
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"
CONSOLE, OPENAI, DAILY = AnthropicConsole(), OpenAIUsage(), OpenRouterDaily()


def records(path: Path) -> list[dict[str, Any]]:
    return [row.record for row in read_rows(path) if isinstance(row, Row)]


def billed(reader: Any, *read: dict[str, Any]) -> list[BilledUsage]:
    found = [item for record in read for item in reader.calls(record, Where("log", 1))]
    return [item for item in found if isinstance(item, BilledUsage)]


def test_anthropics_input_is_the_sum_of_its_four_kinds() -> None:
    (first,) = billed(CONSOLE, records(LOGS / "anthropic-console.csv")[0])
    usage = first.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (5230, 4000, 230)
    assert usage.output_tokens == 500
    assert (first.kind, first.account) == ("standard, ≤ 200k", "Desk, shop")
    assert first.ended_at - first.started_at == timedelta(hours=1)


def test_a_daily_report_has_days() -> None:
    (first,) = billed(CONSOLE, *records(LOGS / "anthropic-console@daily.csv"))
    assert first.ended_at - first.started_at == timedelta(days=1)


def test_a_cost_row_is_money_of_one_kind_of_token() -> None:
    costs = billed(CONSOLE, *records(LOGS / "anthropic-console@cost.csv")[:3])
    assert [cost.cost_usd for cost in costs] == [Decimal("1.25"), Decimal("0.75"), Decimal("0.02")]
    assert [cost.model for cost in costs] == ["claude-haiku-4-5", "claude-haiku-4-5", None]
    assert costs[0].kind == "input_no_cache, token, message, ≤ 200k, global"
    with pytest.raises(Rejected, match="no amount"):
        billed(CONSOLE, records(LOGS / "anthropic-console@cost.csv")[3])


def test_openais_pages_hold_buckets_and_buckets_hold_sums() -> None:
    page, costs, empty = records(LOGS / "openai-usage.json")
    plain, batch = billed(OPENAI, page)
    assert (plain.calls, plain.usage.input_tokens, plain.usage.cache_read_input_tokens) == (31, 12000, 4096)
    assert (plain.kind, batch.kind) == ("completions", "completions, batch")
    assert plain.ended_at - plain.started_at == timedelta(days=1)
    assert [billed(OPENAI, bucket) for bucket in page["data"][:1]] == [[plain, batch]]
    (cost,) = billed(OPENAI, costs)
    assert (cost.model, cost.cost_usd) == ("gpt-4o-mini-2024-07-18", Decimal("0.0125"))
    others = [item for item in OPENAI.calls(costs, Where("log", 1)) if isinstance(item, Quarantined)]
    assert [item.reason for item in others] == ["a cost that is no amount of dollars"]
    with pytest.raises(Rejected, match="no usage"):
        billed(OPENAI, empty)


def test_openrouters_own_keys_are_a_sum_apart() -> None:
    first, second, own = billed(DAILY, *records(LOGS / "openrouter-daily.csv")[:2])
    assert (first.calls, first.cost_usd, first.usage.reasoning_output_tokens) == (310, Decimal("4.2"), 12000)
    assert (second.cost_usd, own.cost_usd, own.kind, own.calls) == (Decimal("0.1"), Decimal("2.5"), "byok", None)


@pytest.mark.shared_data
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs ../shared/samples beside the checkout")
def test_the_samples_are_read_whole() -> None:
    hourly = billed(CONSOLE, *records(SAMPLES / "anthropic" / "claude_api_tokens_2026_03_31.csv"))
    assert [(sum_.usage.input_tokens, sum_.usage.output_tokens) for sum_ in hourly] == [
        (1124832, 254558),
        (506280, 117816),
    ]
    assert [sum_.started_at.hour for sum_ in hourly] == [2, 3]
    (daily,) = billed(CONSOLE, *records(SAMPLES / "anthropic" / "console_usage_daily_2025.csv"))
    assert (daily.model, daily.usage.input_tokens, daily.usage.output_tokens) == ("claude-3-5-haiku-20241022", 8, 1)
    rows = billed(DAILY, *records(SAMPLES / "openrouter" / "activity_daily_aggregate.csv"))
    assert [(row.calls, row.cost_usd) for row in rows] == [(4115, Decimal("430.07")), (4254, Decimal("505.87"))]
    assert rows[0].usage.input_tokens == 70965665


@pytest.mark.shared_data
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="needs ../shared/samples beside the checkout")
def test_the_rows_of_the_cost_sample_are_read_under_the_header_that_it_lacks() -> None:
    header = (LOGS / "anthropic-console@cost.csv").read_text(encoding="utf-8").splitlines()[0]
    body = (SAMPLES / "anthropic" / "console_cost_fragment.csv").read_text(encoding="utf-8").splitlines()
    costs = billed(CONSOLE, *csv.DictReader([header, *body]))
    assert [(cost.model, cost.cost_usd) for cost in costs] == [
        ("claude-opus-4-6", Decimal("1.5")),
        ("claude-opus-4-6", Decimal("0.5")),
        ("claude-sonnet-4-6", Decimal("2")),
    ]
