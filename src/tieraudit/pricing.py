"""Usage x dated price = Decimal dollars; the only importer of genai-prices.

A store joins calls against rows of `price_rows`, made once per distinct (provider, model); a single call is priced
by `usd_for`. Both use the same rows and the same formula, so they agree to the last digit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

import genai_prices
from genai_prices import data_snapshot, types

from tieraudit.domain import Usage

RELEASE = f"genai-prices {genai_prices.__version__}"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(2200, 1, 1, tzinfo=UTC)
NO_LIMIT = 2**62
NANO = Decimal("0.000000001")
MILLION = Decimal(1_000_000)

# How logs write a provider -> the id in the price data. LiteLLM: custom_llm_provider; OpenTelemetry:
# gen_ai.provider.name and the older gen_ai.system; Vercel AI SDK: the part before the first dot.
ALIASES = {
    "amazon": "aws",
    "amazon-bedrock": "aws",
    "aws.bedrock": "aws",
    "az": "azure",
    "azure-openai": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_ai": "azure",
    "azure_openai": "azure",
    "azure_text": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "cohere_chat": "cohere",
    "fireworks_ai": "fireworks",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex.agent": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "google_genai": "google",
    "google_vertexai": "google",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "togetherai": "together",
    "vertex_ai": "google",
    "vertex_ai_beta": "google",
    "vertexai": "google",
    "voyage": "voyageai",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
# These pass a call on to the provider that the model's own prefix names.
GATEWAYS = {"litellm", "litellm_proxy"}


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What one model costs between two dates for requests of one size: a row of the table ``price_table``.

    Prices a request when ``valid_from <= time < valid_to`` and ``input_above < input tokens <= input_up_to``.
    """

    provider: str
    model: str
    valid_from: datetime
    valid_to: datetime
    input_above: int
    input_up_to: int
    input_usd_per_mtok: Decimal
    cache_read_usd_per_mtok: Decimal
    cache_creation_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    reasoning_usd_per_mtok: Decimal
    source: str


def usd_for(usage: Usage, provider: str | None, model: str, at: datetime) -> Decimal | None:
    """What ``usage`` cost at ``at``, to the nano-dollar; None when the model or the token counts are unknown.

    For many calls join ``price_table`` instead.
    """
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    row = price_of(model, provider, at, input_tokens=usage.input_tokens)
    if row is None:
        return None
    read = usage.cache_read_input_tokens or 0
    written = usage.cache_creation_input_tokens or 0
    reasoning = min(usage.reasoning_output_tokens or 0, usage.output_tokens)
    total = (
        max(usage.input_tokens - read - written, 0) * row.input_usd_per_mtok
        + read * row.cache_read_usd_per_mtok
        + written * row.cache_creation_usd_per_mtok
        + (usage.output_tokens - reasoning) * row.output_usd_per_mtok
        + reasoning * row.reasoning_usd_per_mtok
    )
    return (total / MILLION).quantize(NANO, rounding=ROUND_HALF_UP)


def price_of(model: str, provider: str | None, at: datetime, *, input_tokens: int = 0) -> PriceRow | None:
    """The price of ``model`` at ``at`` for a request of ``input_tokens``; None when it is unknown."""
    for row in price_rows(provider, model):
        if row.valid_from <= at < row.valid_to and row.input_above < input_tokens <= row.input_up_to:
            return row
    return None


@lru_cache(maxsize=4096)
def price_rows(provider: str | None, model: str) -> tuple[PriceRow, ...]:
    """Every price that ``model`` ever had, as logged under ``provider``; empty when it is unknown.

    A log's own names are understood: prefixes (``azure/gpt-4o``), provider aliases (``vertex_ai``), dated and
    regional model names. Without a provider only models that name their maker by themselves are found.
    """
    for provider_id, name in _candidates(provider, model):
        try:
            found, info = data_snapshot.get_snapshot().find_provider_model(name, None, provider_id, None)
        except LookupError:
            continue
        return tuple(_rows(provider or "", model, found.id, info))
    return ()


@lru_cache(maxsize=4096)
def provider_of_url(url: str) -> str | None:
    """The provider that serves ``url``, or None for a host that the price data does not know."""
    try:
        return data_snapshot.get_snapshot().find_provider(None, None, url).id
    except LookupError:
        return None


def provider_id(name: str) -> str | None:
    """The price data's id of the provider that a log calls ``name``; None when it is not known."""
    name = name.strip().lower()
    known = {provider.id for provider in data_snapshot.get_snapshot().providers}
    for written in (name, name.partition(".")[0]):
        if written in known or written in ALIASES:
            return ALIASES.get(written, written)
    return None


def _candidates(provider: str | None, model: str) -> list[tuple[str | None, str]]:
    """(provider id, model name) to look up, surest first."""
    at = provider_id(provider) if provider else None
    found: list[tuple[str | None, str]] = []
    if at:
        found.append((at, model))
    elif not provider:
        found.append(("openai" if model.startswith("text-embedding-") else None, model))
    head, slash, rest = model.partition("/")
    while slash:
        named = provider_id(head)
        if head == "models" or (named and named == at):
            found.append((at, rest))
        elif named and (not provider or provider.lower() in GATEWAYS):
            at = named
            found.append((named, rest))
        elif at == "aws":
            found.append((at, rest))
        head, slash, rest = rest.partition("/")
    return found


def _rows(provider: str, model: str, found_provider: str, info: types.ModelInfo) -> list[PriceRow]:
    cuts = [BEGINNING, *(_midnight(day) for day in _start_dates(info)), END]
    rows: list[PriceRow] = []
    for valid_from, valid_to in pairwise(cuts):
        price, hourly = _standard(info, valid_from)
        if price.input_mtok is None:
            continue
        notes = "; the rate of most hours of the day" if hourly else ""
        if price.requests_kcount is not None:
            notes += "; without the fee per request"
        source = f"{RELEASE}: {found_provider}/{info.id}{notes}"
        starts = _tier_starts(price)
        for above, up_to in zip(starts, [*starts[1:], NO_LIMIT], strict=True):
            rates = _rates(price, above)
            rows.append(PriceRow(provider, model, valid_from, valid_to, above, up_to, *rates, source))
    return rows


def _start_dates(info: types.ModelInfo) -> list[date]:
    if isinstance(info.prices, types.ModelPrice):
        return []
    dates = {
        condition.constraint.start_date
        for condition in info.prices
        if isinstance(condition.constraint, types.StartDateConstraint)
    }
    return sorted(dates)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _standard(info: types.ModelInfo, day: datetime) -> tuple[Any, bool]:
    """The price on ``day``, and whether it changes with the hour: then the one that holds for most of the day."""
    prices = [info.get_prices(day + timedelta(minutes=30 * step, seconds=1)) for step in range(48)]
    held = Counter(map(repr, prices))
    usual = held.most_common(1)[0][0]
    return next(price for price in prices if repr(price) == usual), len(held) > 1


def _tier_starts(price: Any) -> list[int]:
    starts = {
        tier.start
        for value in (
            price.input_mtok,
            price.cache_read_mtok,
            price.cache_write_mtok,
            price.output_mtok,
            price.output_reasoning_mtok,
        )
        if isinstance(value, types.TieredPrices)
        for tier in value.tiers
    }
    return [-1, *sorted(starts)]


def _rates(price: Any, above: int) -> tuple[Decimal, Decimal, Decimal, Decimal, Decimal]:
    """Input, cache read, cache creation, output, reasoning per million; those without a price take their kind's."""
    base = _at(price.input_mtok, above) or Decimal(0)
    output = _at(price.output_mtok, above) or Decimal(0)
    read = _at(price.cache_read_mtok, above)
    written = _at(price.cache_write_mtok, above)
    reasoning = _at(price.output_reasoning_mtok, above)
    return (
        base,
        base if read is None else read,
        base if written is None else written,
        output,
        output if reasoning is None else reasoning,
    )


def _at(value: Decimal | types.TieredPrices | None, above: int) -> Decimal | None:
    """The rate of a request just larger than ``above`` tokens: all of it is priced at the tier it reaches."""
    if not isinstance(value, types.TieredPrices):
        return value
    rate = value.base
    for tier in value.tiers:
        if tier.start <= above:
            rate = tier.price
    return rate
