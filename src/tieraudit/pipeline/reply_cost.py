"""What a request may cost at most, and what its reply did cost."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tieraudit.backends.address import is_loopback
from tieraudit.config import Engine
from tieraudit.domain import Usage
from tieraudit.pricing import PriceRow, price_of, provider_of_url, usd_for
from tieraudit.savings.candidate import Pricing, pricing_of, token_cost

MTOK = Decimal(1_000_000)
SECONDS_PER_HOUR = Decimal(3600)
NANO = Decimal("1e-9")
ZERO = Decimal(0)
BYTES_PER_TOKEN = 3
"""Low on purpose: English has about four bytes a token, and the worst case must not be below what is billed."""

DEFAULT_OUTPUT_TOKENS = 4096
"""The worst case of a request without a limit of its own."""

JUDGE_PROMPT_TOKENS = 600
JUDGE_OUTPUT_TOKENS = 4096
"""Room for a judge that thinks before its verdict."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large one request can be: tokens in, and tokens out at most."""

    input_tokens: int
    output_tokens: int


class Rates:
    """The price of one engine for one model, from the user's config or from the price data, as of now."""

    def __init__(self, engine: Engine, model: str, *, now: datetime | None = None) -> None:
        self._engine = engine
        self._model = model
        self._now = now or datetime.now(UTC)
        self._provider = provider_of_url(engine.base_url) if engine.base_url else None

    @property
    def own(self) -> bool:
        """True when it runs on this machine: nothing leaves it."""
        return not self._engine.base_url or is_loopback(self._engine.base_url)

    @property
    def paid(self) -> bool:
        """True when a request costs money at another party: a host elsewhere that is not free and not rented hourly."""
        if self.own or pricing_of(self._engine) is Pricing.GPU:
            return False
        return self.worst(Size(1_000_000, 1_000_000)) != ZERO

    def worst(self, size: Size) -> Decimal | None:
        """The most that a request of ``size`` can cost; None when no price is known."""
        pricing = pricing_of(self._engine)
        if pricing is Pricing.RATES:
            return token_cost(self._engine, size.input_tokens, size.output_tokens)
        if pricing is Pricing.GPU:
            return self.rent(self._engine.timeout_s / self._engine.concurrency)
        price = self._listed(size.input_tokens)
        if price is None:
            return ZERO if self.own else None
        output_rate = max(price.output_usd_per_mtok, price.reasoning_usd_per_mtok)
        input_rate = max(price.input_usd_per_mtok, price.cache_creation_usd_per_mtok)
        return (size.input_tokens * input_rate + size.output_tokens * output_rate) / MTOK

    def cost(self, usage: Usage, *, share_s: float) -> Decimal | None:
        """What a reply cost; ``share_s`` is its share of the engine's time. None when no price or no usage is known.

        Rates of the config first, then rent of the GPU, then the price data at today's date. `savings` turns rent into
        the cost in production, with the utilisation; here it is the machine's time that the audit itself took.
        """
        pricing = pricing_of(self._engine)
        if pricing is Pricing.RATES:
            return token_cost(self._engine, usage.input_tokens, usage.output_tokens)
        if pricing is Pricing.GPU:
            return self.rent(share_s)
        if self._listed(usage.input_tokens or 0) is None:
            return None
        return usd_for(usage, self._provider, self._model, self._now)

    def _listed(self, input_tokens: int) -> PriceRow | None:
        # What providers ask for the same weights says nothing about a server of ours.
        if self._engine.base_url is None:
            return None
        return price_of(self._model, self._provider, self._now, input_tokens=input_tokens)

    def rent(self, seconds: float) -> Decimal:
        """The price of that much of the GPU's time."""
        rate = self._engine.gpu_usd_per_hour or ZERO
        return rate * Decimal(repr(seconds)) / SECONDS_PER_HOUR


class SharedClock:
    """Divides an engine's time among its requests: while n are in flight, each takes 1/n of every second.

    The shares of all requests add up to the time in which at least one was in flight, whatever their order.
    """

    def __init__(self) -> None:
        self._in_flight = 0
        self._share = 0.0
        self._at = time.perf_counter()

    def start(self) -> float:
        """A request leaves; returns the mark that `stop` takes."""
        self._advance()
        self._in_flight += 1
        return self._share

    def stop(self, mark: float) -> float:
        """Its reply came; returns its share in seconds."""
        self._advance()
        self._in_flight -= 1
        return self._share - mark

    def _advance(self) -> None:
        now = time.perf_counter()
        if self._in_flight:
            self._share += (now - self._at) / self._in_flight
        self._at = now


def size_of(request: Mapping[str, Any]) -> Size:
    """How large ``request`` can be: its bytes over three, and its own limit for every answer that it asks for."""
    text = json.dumps(request, ensure_ascii=False)
    limits = (_positive(request.get(name)) for name in ("max_completion_tokens", "max_tokens"))
    limit = next((limit for limit in limits if limit), DEFAULT_OUTPUT_TOKENS)
    return Size(-(-len(text.encode()) // BYTES_PER_TOKEN), limit * (_positive(request.get("n")) or 1))


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def judge_size(size: Size) -> Size:
    """How large one question to the judge about a request of ``size`` can be: the request and two answers to it."""
    return Size(size.input_tokens + 2 * size.output_tokens + JUDGE_PROMPT_TOKENS, JUDGE_OUTPUT_TOKENS)


def nano(amount: Decimal) -> Decimal:
    """``amount`` to the nano-dollar, as the store keeps it."""
    return amount.quantize(NANO)
